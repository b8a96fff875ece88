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
from phusong.solvers.covering.presolve import Cover, Reduced, only_facilities, reduce_cover
from phusong.solvers.covering.regions import Regions
from phusong.solvers.covering.search import COVERED, State, climb, empty_state, improve, restore, seed_generator
from phusong.solvers.covering.stops import Stoppable
from phusong.solvers.covering.tree import Tree
from phusong.solvers.interruption import ctrl_c

LINEAR_PAIRS = 50_000  # up to here GLOP is quicker than descent; beyond, it takes minutes (docs/covering.md)
COARSE_STEPS = (1.0, 0.05)  # of the descent before the quick search
FINE_STEPS, FINER_STEPS = (0.1, 5e-4), (0.02, 2e-4)  # after it, and once a good plan is known
DESCENT_CHUNK, CHUNK_PAIRS = (50, 400), 40_000_000  # iterations between looks at the clock, by the work they make
FEW_PAIRS = 150_000  # beyond, it steps among the facilities that collect most, so many for each of the plan
DESCENT_KERNEL = 24
SEARCH_CHUNK = 20  # rounds between looks at the clock
PATIENT_ROUNDS = 100  # rounds without progress before the next kind of search
KERNEL = 12  # facilities that the quick search and the parts pick from, for each of the plan
LEAST_KERNEL = 120
MOST_PAIRS = 1_000_000  # up to here annealing may pick from all facilities
QUICK_MOVES = 500  # for each facility of the plan
ANNEALINGS = (
    (math.inf, 1_500),
    (24, 2_000),
    (24, 2_000),
    (math.inf, 1_500),
    (24, 2_000),
    (math.inf, 1_500),
    (24, 2_000),
)
"""Facilities to pick from and moves, for each facility of the plan: prices leave out good ones, but are quick."""
HOT, COLD = 0.025, 0.002  # of what a facility of the plan covers
PIECES = 24
CASES_CHUNK = 20

Progress = Callable[[str, int, int, float], None]
"""Told of the phase, the weight covered, the bound, and seconds since the start."""


@dataclass(slots=True, eq=False)
class Run(Stoppable):
    """One solve: an instance that gets smaller as facilities are decided, and the best plan in its first numbers.

    cover, budget : what is left to decide;  base : weight covered by what is decided already
    number (N,) : of each facility in the first instance;  always, best (N of the first,) bool
    value, bound : with the base
    """

    cover: Cover
    budget: int
    base: int
    gap: float
    seed: int
    on_progress: Progress | None
    number: NDArray[np.integer[Any]] = field(init=False)
    always: NDArray[np.bool_] = field(init=False)
    best: NDArray[np.bool_] = field(init=False)
    value: int = 0
    bound: int = 0
    proof: Literal["trivial", "prices", "cases"] = "trivial"

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
            with ctrl_c() as self.pressed:  # as an exception it may come up inside a kernel, and be lost there
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
            starts = (bound_of(self.cover, self.budget, self.cover.weight * UNIT * k // 4) for k in (2, 3, 4))
            root = min(starts, key=lambda bound: bound.value)
            root = self._descent(root, QUICK, *COARSE_STEPS)
            self._quick_search(root)
            root = self._descent(self._narrowed(root), THOROUGH, *FINE_STEPS)
            self._annealings(root)
            root = self._descent(self._narrowed(root), THOROUGH, *FINER_STEPS)
            self._parts(root)
        else:
            self._quick_search(root)
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
        count = len(self.number)
        liked = np.zeros(count, dtype=bool)
        newer = root
        while step > until and count and not self._done():
            target = (max(self.value, self._enough()) + 1 - self.base) * UNIT
            before = int(liked.sum())
            liked |= self._liked(newer)
            few = only_facilities(self.cover, np.flatnonzero(liked))
            chunk = int(np.clip(CHUNK_PAIRS // len(few.customer), *DESCENT_CHUNK))
            free = np.zeros(len(few.cost), dtype=np.int8)
            _, price, _, part, step, done = descend(few, self.budget, free, root.price, target, chunk, step, pace)
            share = np.zeros(count)
            share[liked] = part
            newer = bound_of(self.cover, self.budget, price, share)
            root = newer if newer.value <= root.value else root
            self._lower("prices", root.whole, "prices")
            if done < chunk and before == len(few.cost):
                break
        return root

    def _liked(self, bound: Bound) -> NDArray[np.bool_]:
        """Facilities that a few steps of the descent may stay with: the others collect far too little."""
        liked = np.ones(len(self.number), dtype=bool)
        if len(self.cover.facility) > FEW_PAIRS:
            most = max(LEAST_KERNEL, DESCENT_KERNEL * int(self.best.sum()))
            liked[np.argsort(-(bound.surplus / self.cover.cost), kind="stable")[most:]] = False
        return liked

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

    def _quick_search(self, root: Bound) -> None:
        """A short annealing among the facilities that the prices like, then rounds until they no longer help."""
        kernel = self._kernel(root, KERNEL)
        if not self._done() and len(kernel.original):
            self._annealing(kernel, QUICK_MOVES)
            self._rounds(kernel, self._climbed(kernel))

    def _annealings(self, root: Bound) -> None:
        """Long annealings, some of them among all facilities."""
        small = len(self.cover.facility) <= MOST_PAIRS
        for wide, moves in ANNEALINGS:
            if self._done() or not len(self.number):
                return
            self._annealing(self._kernel(root, wide if small else KERNEL), moves)

    def _parts(self, root: Bound) -> None:
        """Parts of the plan nearly to proof, until that no longer helps."""
        if self._done() or not len(self.number):
            return
        kernel = self._kernel(root, KERNEL)
        state = self._climbed(kernel)
        parts = Regions(kernel.cover, self.budget, state, self.seed)
        while not parts.exhausted and not self._done():
            if parts.next_part():
                self._found(kernel, state)

    def _kernel(self, root: Bound, wide: float) -> Reduced:
        """The instance with the facilities that the prices like, `wide` for each of the plan, and the best plan's."""
        cover, best = self.cover, self.best[self.number]
        most = int(min(max(LEAST_KERNEL, wide * int(best.sum())), len(best)))
        liked = root.surplus / cover.cost + np.where(root.share > 1e-6, float(UNIT), 0.0)
        barred = np.ones(len(best), dtype=bool)
        barred[np.argsort(-liked, kind="stable")[:most]] = False
        barred[best] = False
        nothing = np.zeros(len(best), dtype=bool)
        return reduce_cover(cover.customer_ptr, cover.facility, cover.weight, cover.cost, nothing, barred)

    def _climbed(self, kernel: Reduced) -> State:
        state = empty_state(kernel.cover)
        restore(kernel.cover, state, self.best[self.number][kernel.original])
        climb(kernel.cover, state, self.budget)
        self._found(kernel, state)
        return state

    def _rounds(self, kernel: Reduced, state: State) -> None:
        best, idle, value = state.chosen.copy(), 0, int(state.totals[COVERED])
        while idle < PATIENT_ROUNDS and not self._done():
            newer = int(improve(kernel.cover, state, self.budget, best, SEARCH_CHUNK))
            idle = 0 if newer > value else idle + SEARCH_CHUNK
            value = newer
            restore(kernel.cover, state, best)
            self._found(kernel, state)

    def _annealing(self, kernel: Reduced, moves: int) -> None:
        """One annealing from the best plan, in pieces between looks at the clock."""
        best = self.best[self.number][kernel.original]
        chosen, count = best.copy(), int(best.sum())
        value = self.value - self.base
        hot = HOT * value / max(count, 1)
        cooling = (COLD / HOT) ** (1.0 / PIECES)
        for _ in range(PIECES):
            if self._done() or value <= 0:
                break
            pace = max(moves * count // PIECES, 1)
            value = anneal(kernel.cover, chosen, self.budget, best, value, pace, hot, hot * cooling)
            hot *= cooling
            self._take(self.number[kernel.original], best, value)
        self._climbed(kernel)

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
        return self.bound <= self._enough() or self._stopped()


def _carried(rest: Reduced, root: Bound, budget: int) -> Bound:
    """The prices of an instance, for what it was reduced to: those of customers that became one add up."""
    price = np.zeros(len(rest.cover.weight), dtype=np.int64)
    stays = rest.customer >= 0
    np.add.at(price, rest.customer[stays], root.price[stays])
    return bound_of(rest.cover, budget, price, root.share[rest.original])
