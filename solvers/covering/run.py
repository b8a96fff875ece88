"""One coverage solve from start to end: search, prices, what they decide, cases; stopped by gap, clock or Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.covering.anneal import anneal
from phusong.solvers.covering.bound import (
    QUICK,
    THOROUGH,
    UNIT,
    Bound,
    Pace,
    bound_of,
    decided,
    descend,
    linear_bound,
    trivial_bound,
    whole_gap,
)
from phusong.solvers.covering.presolve import Cover, Reduced, reduce_cover
from phusong.solvers.covering.regions import Regions
from phusong.solvers.covering.search import COVERED, State, climb, empty_state, improve, restore, seed_generator
from phusong.solvers.covering.tree import Tree

LINEAR_PAIRS = 50_000  # up to here GLOP is quicker than descent; beyond, it takes minutes (docs/solver.md)
COARSE_STEPS, FINE_STEPS = (1.0, 0.05), (0.3, 1e-3)  # of the descent before the quick search, and after it
DESCENT_CHUNK = 50  # iterations between looks at the clock
SEARCH_CHUNK = 20  # rounds between looks at the clock
PATIENT_ROUNDS = 100  # rounds without progress before the next kind of search
KERNEL = 12  # facilities that the search picks from, for each of the plan
LEAST_KERNEL = 120
ANNEALINGS = (500, 5_000, 30_000)  # exchanges proposed for each facility of the plan; the first is the quick search
HOT, COLD = 0.04, 0.001  # of what a facility of the plan covers
PIECES = 24
CASES_CHUNK = 20

Progress = Callable[[str, int, int, float], None]
"""Told of the phase, the weight covered, the bound, and seconds since the start."""


@dataclass(slots=True, eq=False)
class Run:
    """One solve: an instance that gets smaller as facilities are decided, and the best plan in its first numbers.

    cover, budget : what is left to decide;  base : weight covered by what is decided already
    number (N,) : of each facility in the first instance;  always, best (N of the first,) bool
    value, bound : with the base
    """

    cover: Cover
    budget: int
    base: int
    gap: float
    began: float
    time_limit_s: float | None
    seed: int
    on_progress: Progress | None
    number: NDArray[np.integer[Any]] = field(init=False)
    always: NDArray[np.bool_] = field(init=False)
    best: NDArray[np.bool_] = field(init=False)
    value: int = 0
    bound: int = 0
    proof: Literal["trivial", "prices", "cases"] = "trivial"
    repeatable: bool = True

    def __post_init__(self) -> None:
        count = len(self.cover.cost)
        self.number = np.arange(count)
        self.always, self.best = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        self.value, self.bound = self.base, self.base + int(self.cover.weight.sum())

    def solve(self) -> None:
        """Ctrl-C stops it; what is known by then stays."""
        if not len(self.cover.cost):
            return
        try:
            self._solve()
        except KeyboardInterrupt:
            self.repeatable = False

    def _solve(self) -> None:
        seed_generator(self.seed)
        state = empty_state(self.cover)
        climb(self.cover, state, self.budget)
        self._take(self.number, state.chosen, int(state.totals[COVERED]))
        self._lower("trivial", trivial_bound(self.cover, self.budget).whole, "greedy")
        if self._done():
            return
        root = self._linear()
        if root is None:
            root = bound_of(self.cover, self.budget, self.cover.weight * UNIT // 2)
            root = self._descent(root, QUICK, *COARSE_STEPS)
            self._search(root, quick=True)
            root = self._narrowed(root)
            root = self._descent(root, THOROUGH, *FINE_STEPS)
            self._search(root, quick=False)
        else:
            self._search(root, quick=True)
        if not self._done():
            root = self._narrowed(root)
            closer = None if self._done() else self._linear()
            self._cases(closer if closer is not None and closer.value < root.value else root)

    def _linear(self) -> Bound | None:
        """Prices of the linear relaxation, where it is small enough to be quick."""
        if not 0 < len(self.cover.facility) <= LINEAR_PAIRS:
            return None
        bound = linear_bound(self.cover, self.budget, self._seconds_left())
        if bound is not None:
            self._lower("prices", bound.whole, "relaxation")
        elif self.time_limit_s is not None:
            self.repeatable = False
        return bound

    def _descent(self, root: Bound, pace: Pace, step: float, until: float) -> Bound:
        """Prices that prove less, until steps are short."""
        free = np.zeros(len(self.cover.cost), dtype=np.int8)
        while step > until and len(free) and not self._done():
            target = (max(self.value, self._enough()) + 1 - self.base) * UNIT
            _, price, _, share, step, done = descend(
                self.cover, self.budget, free, root.price, target, DESCENT_CHUNK, step, pace
            )
            newer = bound_of(self.cover, self.budget, price, share)
            root = newer if newer.value <= root.value else root
            self._lower("prices", root.whole, "prices")
            if done < DESCENT_CHUNK:
                break
        return root

    def _narrowed(self, root: Bound) -> Bound:
        """Decide what the prices decide for every plan as good as the best, and reduce the rest again."""
        cover = self.cover
        always, never = decided(root, self.value - self.base)
        if not (always.any() or never.any()):
            return root
        covered = np.zeros(len(cover.weight), dtype=bool)
        for i in np.flatnonzero(always):
            covered[cover.customer[cover.facility_ptr[i] : cover.facility_ptr[i + 1]]] = True
        left = self.budget - int(cover.cost[always].sum())
        never |= ~always & (cover.cost > left)
        rest = reduce_cover(cover.customer_ptr, cover.facility, cover.weight, cover.cost, always, never)
        self.base += int(cover.weight[covered].sum())
        self.always[self.number[always]] = True
        self.number, self.cover, self.budget = self.number[rest.original], rest.cover, left
        if not len(self.number):
            self._take(self.number, np.zeros(0, dtype=bool), 0)
            self._lower("prices", 0, "prices")
        return _carried(rest, root, left)

    def _search(self, root: Bound, *, quick: bool) -> None:
        """Local search among the facilities that the prices like, until it no longer helps; a quick one first."""
        cover, best = self.cover, self.best[self.number]
        most = max(LEAST_KERNEL, KERNEL * int(best.sum()))
        liked = root.surplus / cover.cost + np.where(root.share > 1e-6, float(UNIT), 0.0)
        barred = np.ones(len(best), dtype=bool)
        barred[np.argsort(-liked, kind="stable")[:most]] = False
        barred[best] = False
        nothing = np.zeros(len(best), dtype=bool)
        kernel = reduce_cover(cover.customer_ptr, cover.facility, cover.weight, cover.cost, nothing, barred)
        if self._done() or not len(kernel.original):
            return
        state = empty_state(kernel.cover)
        restore(kernel.cover, state, best[kernel.original])
        climb(kernel.cover, state, self.budget)
        self._found(kernel, state)
        if quick:
            self._rounds(kernel, state)
            self._annealings(kernel, state, ANNEALINGS[:1])
            return
        self._annealings(kernel, state, ANNEALINGS[1:])
        parts = Regions(kernel.cover, self.budget, state, self.seed)
        while not parts.exhausted and not self._done():
            if parts.next_part():
                self._found(kernel, state)

    def _rounds(self, kernel: Reduced, state: State) -> None:
        best, idle, value = state.chosen.copy(), 0, int(state.totals[COVERED])
        while idle < PATIENT_ROUNDS and not self._done():
            newer = int(improve(kernel.cover, state, self.budget, best, SEARCH_CHUNK))
            idle = 0 if newer > value else idle + SEARCH_CHUNK
            value = newer
            restore(kernel.cover, state, best)
            self._found(kernel, state)

    def _annealings(self, kernel: Reduced, state: State, lengths: tuple[int, ...]) -> None:
        """One annealing after the other, each from the best plan, in pieces between looks at the clock."""
        for length in lengths:
            best, value = state.chosen.copy(), int(state.totals[COVERED])
            typical = value / max(int(best.sum()), 1)
            cooling = (COLD / HOT) ** (1.0 / PIECES)
            hot = HOT * typical
            for _ in range(PIECES):
                if self._done():
                    break
                proposals = max(length * int(best.sum()) // PIECES, 1)
                value = anneal(kernel.cover, state, self.budget, best, value, proposals, hot, hot * cooling)
                hot *= cooling
            restore(kernel.cover, state, best)
            climb(kernel.cover, state, self.budget)
            self._found(kernel, state)

    def _cases(self, root: Bound) -> None:
        if not len(self.number):
            return
        tree = Tree(self.cover, self.budget, root, self.best[self.number], self.value - self.base)
        any_open = True
        while any_open and not self._done():
            any_open = tree.grow(CASES_CHUNK, self._enough() - self.base)
            self._take(self.number, tree.best, tree.value)
            self._lower("cases", tree.bound, "cases")

    def _found(self, kernel: Reduced, state: State) -> None:
        self._take(self.number[kernel.original], state.chosen, int(state.totals[COVERED]))

    def _take(self, number: NDArray[np.integer[Any]], chosen: NDArray[np.bool_], covered: int) -> None:
        """A plan of the facilities decided and those chosen, if it is better; covered: without the base."""
        if self.base + covered > self.value:
            self.value = self.base + covered
            self.best = self.always.copy()
            self.best[number[chosen]] = True
            self._tell("search")

    def _lower(self, proof: Literal["trivial", "prices", "cases"], rest: int, phase: str) -> None:
        """No plan covers more of the rest than this, unless it is worth no more than the best one."""
        bound = max(self.value, self.base + rest)
        if bound < self.bound:
            self.bound, self.proof = bound, proof
        self._tell(phase)

    def _tell(self, phase: str) -> None:
        if self.on_progress is not None:
            self.on_progress(phase, self.value, self.bound, time.monotonic() - self.began)

    def _enough(self) -> int:
        """The largest bound that is within the gap of the plan at hand."""
        found = self.value
        most = math.floor(found / (1.0 - self.gap))
        while whole_gap(found, most) > self.gap:  # the rounding of the quotient
            most -= 1
        return max(most, found)

    def _done(self) -> bool:
        if self.bound <= self._enough():
            return True
        left = self._seconds_left()
        if left == 0.0:
            self.repeatable = False
        return left == 0.0

    def _seconds_left(self) -> float | None:
        if self.time_limit_s is None:
            return None
        return max(0.0, self.began + self.time_limit_s - time.monotonic())


def _carried(rest: Reduced, root: Bound, budget: int) -> Bound:
    """The prices of an instance, for what it was reduced to: those of customers that became one add up."""
    price = np.zeros(len(rest.cover.weight), dtype=np.int64)
    stays = rest.customer >= 0
    np.add.at(price, rest.customer[stays], root.price[stays])
    return bound_of(rest.cover, budget, price, root.share[rest.original])
