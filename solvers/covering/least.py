# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""Everything covered at the least cost, with proof: prices bound every choice, CP-SAT settles what they leave open."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.covering.bound import UNIT, collected
from phusong.solvers.covering.input import given
from phusong.solvers.covering.plan import CoverPlan
from phusong.solvers.covering.presolve import Cover, reduce_cover
from phusong.solvers.covering.search import (
    NEARBY,
    SPENT,
    State,
    empty_state,
    fill,
    neighbour,
    put,
    restore,
    seed_generator,
)
from phusong.solvers.covering.stops import Stoppable
from phusong.solvers.interruption import ctrl_c

NO_LIMIT = 2**61  # of a budget that must not bind
SEARCH_ROUNDS = 1_000
MOST_OUT = 8
ITERATIONS, CHUNK = 2_000, 100
FIRST_STEP, SHORTER, PATIENCE, SMALLEST_STEP = 1.0, 0.8, 20, 1e-3
SMOOTH = 0.1  # share of the newest direction in the one that is gone along
LINEARIZATION = 2


def solve_set_covering(
    coverage: Any,
    cost: Any,
    *,
    locked: Any = None,
    gap: float = 0.0,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> CoverPlan:
    """The facilities that cover every customer at the least cost, and a cost that no choice goes below.

    coverage : scipy CSR (customers M x facilities N), any value but zero covers;  cost : (N,) whole, not negative
    locked   : facilities that are built whatever they bring: (N,) bool, or their numbers. Their cost counts
    gap      : (objective - bound) / objective that is good enough
    time_limit_s : wall clock; None runs until the gap is proven. A clock that cut in makes a plan not repeatable

    Infeasible where a customer has no facility. Facilities that cost nothing are all built. Raises CoveringFaults.
    """
    began = time.monotonic()
    customers = coverage.shape[0] if hasattr(coverage, "shape") else 0
    problem, _ = given(coverage, np.ones(customers, dtype=np.int64), cost, 0, locked, gap)
    if (np.diff(problem.indptr) == 0).any():
        return CoverPlan.infeasible(time.monotonic() - began)
    taken = problem.locked | (problem.cost == 0)
    nothing = np.zeros_like(taken)
    reduced = reduce_cover(
        problem.indptr, problem.indices, problem.weight, problem.cost, taken, nothing, must_cover=True
    )
    run = _Least(reduced.cover, int(problem.cost[taken].sum()), gap, seed, began=began, time_limit_s=time_limit_s)
    run.solve()
    chosen = taken
    chosen[reduced.original[run.best]] = True
    objective, bound = int(problem.cost[chosen].sum()), run.bound
    reached = (objective - bound) / max(objective, 1)
    status: Literal["optimal", "within_gap", "stopped"] = "stopped"
    if bound == objective:
        status = "optimal"
    elif reached <= gap:
        status = "within_gap"
    return CoverPlan(
        selected=np.flatnonzero(chosen).astype(np.int32),
        objective=objective,
        bound=bound,
        gap=reached,
        status=status,
        proof=None if status == "stopped" else run.proof,
        spent=objective,
        repeatable=run.repeatable,
        seconds=time.monotonic() - began,
    )


@dataclass(slots=True, eq=False)
class _Least(Stoppable):
    """One solve over a reduced instance. best (N,) bool; base: cost before it starts; value, bound: with the base."""

    cover: Cover
    base: int
    gap: float
    seed: int
    best: NDArray[np.bool_] = field(init=False)
    value: int = 0
    bound: int = 0
    proof: Literal["trivial", "prices", "solver"] = "trivial"

    def solve(self) -> None:
        """The greedy plan always stands, so there is one whatever stops the rest."""
        self.best = np.zeros(len(self.cover.cost), dtype=bool)
        self.value = self.bound = self.base
        if not len(self.cover.cost):
            return
        seed_generator(self.seed)
        state = empty_state(self.cover)
        fill(self.cover, state, NO_LIMIT, self.best)
        drop_needless(self.cover, state)
        self._keep(state.chosen, int(state.totals[SPENT]))
        try:
            with ctrl_c() as self.pressed:  # as an exception it may come up inside a kernel, and be lost there
                self._improve(state)
        except KeyboardInterrupt:
            self.repeatable = False

    def _improve(self, state: State) -> None:
        while not self._done():
            newer = int(cheapen(self.cover, state, self.best, self.value - self.base, SEARCH_ROUNDS))
            if self.base + newer >= self.value:
                break
            self.value = self.base + newer
        price = self._prices()
        if not self._done():
            self._settle(price)

    def _prices(self) -> NDArray[np.int64]:
        """Prices that prove as much as the ascent finds, starting from equal parts of the cheapest facility."""
        cover = self.cover
        customers = np.repeat(np.arange(len(cover.weight)), np.diff(cover.customer_ptr))
        part = (cover.cost * UNIT) // np.diff(cover.facility_ptr)
        price = np.full(len(cover.weight), np.iinfo(np.int64).max)
        np.minimum.at(price, customers, part[cover.facility])
        step = FIRST_STEP
        for _ in range(ITERATIONS // CHUNK):
            if self._done() or step < SMALLEST_STEP:
                break
            price, step = ascend(cover, price, (self.value - self.base) * UNIT, CHUNK, step)
            self._raise("prices", -(-proven_cost(cover, price)[0] // UNIT))
        return np.asarray(price)

    def _settle(self, price: NDArray[np.int64]) -> None:
        """What a cheaper choice may still hold, as clauses for CP-SAT."""
        cover = self.cover
        total, left_over = proven_cost(cover, price)
        cheaper = self.value - self.base - 1
        never = -(-(total + np.maximum(left_over, 0)) // UNIT) > cheaper
        always = -(-(total - np.minimum(left_over, 0)) // UNIT) > cheaper
        if (never & always).any():
            self._raise("prices", self.value - self.base)
            return
        rest = reduce_cover(
            cover.customer_ptr, cover.facility, cover.weight, cover.cost, always, never, must_cover=True
        )
        fixed = int(cover.cost[always].sum())
        if not _all_covered(cover, always | ~never):
            self._raise("prices", self.value - self.base)
            return
        chosen, lowest = self._clauses(rest.cover, cheaper - fixed)
        if chosen is not None:
            better = always.copy()
            better[rest.original[chosen]] = True
            self._keep(better, int(cover.cost[better].sum()))
        self._raise("solver", min(lowest + fixed, self.value - self.base))

    def _clauses(self, cover: Cover, at_most: int) -> tuple[NDArray[np.bool_] | None, int]:
        """A choice that covers all for no more than `at_most`, and the least that any costs (more than that: none)."""
        from ortools.sat.python import cp_model  # 80 MB of it, of no use to the most coverage

        model = cp_model.CpModel()
        proto = model.Proto()
        for _ in range(len(cover.cost)):
            proto.variables.add().domain.extend([0, 1])
        for start, end in zip(cover.customer_ptr[:-1], cover.customer_ptr[1:], strict=True):
            proto.constraints.add().bool_or.literals.extend(cover.facility[start:end].tolist())
        linear = proto.constraints.add().linear
        linear.vars.extend(range(len(cover.cost)))
        linear.coeffs.extend(cover.cost.tolist())
        linear.domain.extend([0, max(at_most, -1)] if at_most >= 0 else [-1, -1])
        proto.objective.vars.extend(range(len(cover.cost)))
        proto.objective.coeffs.extend(cover.cost.tolist())
        solver = cp_model.CpSolver()
        solver.parameters.catch_sigint_signal = False  # it would leave the system's own handler behind
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = LINEARIZATION
        solver.parameters.random_seed = self.seed % 2**31
        solver.parameters.relative_gap_limit = self.gap
        seconds = self._seconds_left()
        if seconds is not None:
            solver.parameters.max_time_in_seconds = seconds
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return None, at_most + 1
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self.repeatable = False
            return None, 0
        self.repeatable &= status == cp_model.OPTIMAL or seconds is None
        chosen = np.array([solver.response_proto.solution[i] for i in range(len(cover.cost))], dtype=bool)
        return chosen, math.ceil(solver.best_objective_bound - 1e-6)

    def _keep(self, chosen: NDArray[np.bool_], value: int) -> None:
        self.best, self.value = chosen.copy(), self.base + value

    def _raise(self, proof: Literal["prices", "solver"], least: int) -> None:
        bound = min(self.base + least, self.value)
        if bound > self.bound:
            self.bound, self.proof = bound, proof

    def _done(self) -> bool:
        return self.value - self.bound <= self.gap * self.value or self._stopped()


def proven_cost(cover: Cover, price: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """What prices >= 0 prove of covering all, in UNIT-ths, in whole numbers: (no choice costs less, cost less prices).

    Every customer pays its price once; a facility asks its cost, or nothing where its customers' prices exceed that.
    """
    score = np.zeros(len(cover.cost), dtype=np.int64)
    collected(cover, price, score)
    left_over = cover.cost * UNIT - score
    return int(price.sum()) + int(np.minimum(left_over, 0).sum()), left_over


@njit(cache=True, nogil=True)
def ascend(
    cover: Cover, start: NDArray[np.int64], target: int, iterations: int, step: float
) -> tuple[NDArray[np.int64], float]:
    """Prices from `start` that prove more and more, by subgradients: (price, step reached). O(nnz) an iteration."""
    price, best_price = start.copy(), start.copy()
    score = np.zeros(len(cover.cost), dtype=np.int64)
    missing, direction = np.zeros(len(price)), np.zeros(len(price))
    best, stalled = np.int64(-(2**62)), 0
    for done in range(iterations):
        collected(cover, price, score)
        value = price.sum()
        missing[:] = 1.0
        for i in range(len(score)):
            short = cover.cost[i] * UNIT - score[i]
            if short < 0:
                value += short
                for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
                    missing[cover.customer[q]] -= 1.0
        stalled += 1
        if value > best:
            if value > best + 1e-5 * abs(best):
                stalled = 0
            best = value
            best_price[:] = price
        if stalled >= PATIENCE:
            step, stalled = step * SHORTER, 0
            price[:] = best_price
        norm = 0.0
        for j in range(len(price)):
            direction[j] = missing[j] if done == 0 else direction[j] + SMOOTH * (missing[j] - direction[j])
            if price[j] > 0 or direction[j] > 0.0:
                norm += direction[j] * direction[j]
        if norm == 0.0:
            break
        length = step * max(target - value, 1) / norm
        for j in range(len(price)):
            price[j] = max(price[j] + int(np.rint(length * direction[j])), 0)
    return best_price, step


@njit(cache=True, nogil=True)
def drop_needless(cover: Cover, state: State) -> None:
    """Take out facilities that cover nothing alone, the dearest first. O(N) each."""
    while True:
        dearest, most = -1, 0
        for i in range(len(cover.cost)):
            if state.chosen[i] and state.gain[i] == 0 and cover.cost[i] > most:
                dearest, most = i, cover.cost[i]
        if dearest < 0:
            return
        put(cover, state, dearest, -1)


@njit(cache=True, nogil=True)
def cheapen(cover: Cover, state: State, best: NDArray[np.bool_], value: int, rounds: int) -> int:
    """Rounds of taking out up to MOST_OUT facilities, covering again and dropping; returns the cost of `best` (N,)."""
    nothing = np.zeros(len(best), dtype=np.bool_)
    passed = np.zeros(len(best), dtype=np.bool_)
    kept = state.chosen.copy()
    for _ in range(rounds):
        before = state.totals[SPENT]
        inside = np.flatnonzero(state.chosen)
        if len(inside) == 0:
            return value
        passed[:] = False
        start, nearby = inside[np.random.randint(len(inside))], np.random.random() < NEARBY
        for _ in range(1 + np.random.randint(min(MOST_OUT, len(inside)))):
            o = neighbour(cover, state, start) if nearby else inside[np.random.randint(len(inside))]
            if o >= 0 and state.chosen[o]:
                put(cover, state, o, -1)
                passed[o] = np.random.random() < 0.5
        fill(cover, state, NO_LIMIT, passed)
        fill(cover, state, NO_LIMIT, nothing)
        drop_needless(cover, state)
        if state.totals[SPENT] < value:
            value = state.totals[SPENT]
            best[:] = state.chosen
        if state.totals[SPENT] <= before:
            kept[:] = state.chosen
        else:
            restore(cover, state, kept)
    return value


def _all_covered(cover: Cover, usable: NDArray[np.bool_]) -> bool:
    """Whether every customer has one of the usable facilities."""
    return bool(np.maximum.reduceat(usable[cover.facility], cover.customer_ptr[:-1]).all())
