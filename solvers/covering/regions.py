"""Better plans by parts: free a neighbourhood of the plan, and solve what it leaves nearly to proof."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.covering.bound import QUICK, UNIT, bound_of, descend
from phusong.solvers.covering.presolve import Cover, reduce_cover
from phusong.solvers.covering.search import COVERED, State, climb, put, restore
from phusong.solvers.covering.tree import Tree

FREED = 8  # facilities of the plan that a first pass frees together
WIDER = 1.4  # a pass that helped nowhere is followed by one that frees this many times more
CANDIDATES = 16  # facilities that may take their place, for each
DESCENT = 120
CASES = 60


class Regions:
    """Passes over the plan, each facility in turn the middle of what is freed.

    state : of the plan, kept at its best;  exhausted : all was freed at once, or nothing more can be
    """

    def __init__(self, cover: Cover, budget: int, state: State, seed: int) -> None:
        self.cover, self.budget, self.state = cover, budget, state
        self.exhausted = False
        self._random = np.random.default_rng(seed)
        self._size = FREED
        self._middles: list[int] = []
        self._helped = True

    def next_part(self) -> bool:
        """Solve one more part; whether the plan became better."""
        inside = np.flatnonzero(self.state.chosen)
        if not self._middles:
            if not self._helped:
                self._size = int(np.ceil(self._size * WIDER))
            if len(inside) == 0 or (not self._helped and self._size > max(len(inside), FREED)):
                self.exhausted = True
                return False
            self._middles = self._random.permutation(inside).tolist()
            self._helped = False
        middle = self._middles.pop()
        if not self.state.chosen[middle]:
            return False
        near = nearness(self.cover, middle)
        freed = inside[np.argsort(-near[inside], kind="stable")[: self._size]]
        better = self._solve(freed)
        self._helped |= better
        return better

    def _solve(self, freed: NDArray[np.int64]) -> bool:
        cover, state = self.cover, self.state
        before, was = int(state.totals[COVERED]), state.chosen.copy()
        for i in freed:
            put(cover, state, i, -1)
        kept = state.chosen.copy()
        spent = int(cover.cost[kept].sum())
        rate = np.where(kept, -1.0, state.gain / cover.cost)
        barred = np.ones(len(kept), dtype=bool)
        barred[np.argsort(-rate, kind="stable")[: CANDIDATES * len(freed)]] = False
        barred[freed] = False
        barred[kept] = False
        part = reduce_cover(cover.customer_ptr, cover.facility, cover.weight, cover.cost, kept, barred)
        covered = int(state.totals[COVERED])
        best, value = best_of_part(part.cover, self.budget - spent, before - covered)
        if value > before - covered:
            kept[part.original[best]] = True
            restore(cover, state, kept)
            climb(cover, state, self.budget)
            return True
        restore(cover, state, was)
        return False


def best_of_part(cover: Cover, budget: int, known: int) -> tuple[NDArray[np.bool_], int]:
    """A plan that covers more than is known, as far as a few cases find one: (chosen, value)."""
    nothing = np.zeros(len(cover.cost), dtype=bool)
    if not len(cover.cost):
        return nothing, known
    free = np.zeros(len(cover.cost), dtype=np.int8)
    start = cover.weight * UNIT // 2
    _, price, _, share, _, _ = descend(cover, budget, free, start, (known + 1) * UNIT, DESCENT, 1.0, QUICK)
    tree = Tree(cover, budget, bound_of(cover, budget, price, share), nothing, known)
    tree.grow(CASES, 0)
    return tree.best, tree.value


@njit(cache=True, nogil=True)
def nearness(cover: Cover, middle: int) -> NDArray[np.float64]:
    """(N,) how many ways lead from a facility to each other one over two customers. O(nnz) at most."""
    near = np.zeros(len(cover.cost))
    near[middle] = 1.0
    for _ in range(2):
        farther = np.zeros(len(near))
        for i in range(len(near)):
            if near[i] > 0.0:
                for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
                    j = cover.customer[q]
                    for r in range(cover.customer_ptr[j], cover.customer_ptr[j + 1]):
                        farther[cover.facility[r]] += near[i]
        near[:] = farther
    near[middle] = np.inf
    return near
