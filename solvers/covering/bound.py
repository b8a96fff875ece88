"""How much any covering plan can reach at most: bounds from prices, exact whatever the prices are.

A customer's weight is split: a share (its price) is offered to the facilities that cover it, the rest is taken as won.
Every split bounds every plan: sum (weight - price) + the most that facilities within the budget collect in prices. So
prices may come from anywhere (a linear program, descent, rounding); what they prove is summed anew in whole numbers.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder_helper
from scipy import sparse

from phusong.solvers.covering.presolve import Cover

UNIT = 4096  # prices are whole multiples of 1/4096 of a weight
SMALLEST_STEP = 1e-4  # of the descent's steps; below it, prices no longer move enough to matter


class Pace(NamedTuple):
    """patience : iterations without progress before steps get shorter, by this factor
    smooth : share of the newest direction in the one that is gone along"""

    patience: int
    shorter: float
    smooth: float


QUICK = Pace(12, 0.66, 0.2)  # within half a percent of the linear relaxation in 400 iterations
THOROUGH = Pace(40, 0.8, 0.03)  # within a twentieth, in five times as many (docs/covering.md)


class Bound(NamedTuple):
    """What prices prove.

    value    : no plan covers more, in UNIT-ths of a weight
    price    : (M,) int64 in UNIT-ths, 0 .. weight
    surplus  : (N,) int64 what each facility collects beyond (or short of) its part of the budget, in UNIT-ths, rounded
               so that `value - surplus` (plus, where short) bounds the plans without (with) it
    share    : (N,) mean part of each facility in the descent's solutions; only a guide
    """

    value: int
    price: NDArray[np.int64]
    surplus: NDArray[np.int64]
    share: NDArray[np.float64]

    @property
    def whole(self) -> int:
        """The most that a plan of whole weights covers."""
        return self.value // UNIT


@njit(cache=True, nogil=True)
def collected(cover: Cover, price: NDArray[np.int64], score: NDArray[np.int64]) -> None:
    """(N,) int64 into `score`: the prices of each facility's customers. O(nnz)."""
    for i in range(len(cover.cost)):
        total = 0
        for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
            total += price[cover.customer[q]]
        score[i] = total


@njit(cache=True, nogil=True)
def _part(
    cover: Cover, score: NDArray[np.int64], fixed: NDArray[np.int8], budget: int, part: NDArray[np.float64]
) -> float:
    """The best use of the budget when facilities may be built in part, into `part`; returns what a unit of cost earns.

    fixed (N,) int8 : 1 built, -1 not, 0 free. O(N log N).
    """
    left = budget
    for i in range(len(score)):
        part[i] = 1.0 if fixed[i] > 0 else 0.0
        if fixed[i] > 0:
            left -= cover.cost[i]
    for i in np.argsort(-(score / cover.cost)):
        if fixed[i] != 0:
            continue
        if cover.cost[i] > left:
            part[i] = left / cover.cost[i]
            return float(score[i] / cover.cost[i])
        part[i] = 1.0
        left -= cover.cost[i]
        if left == 0:
            return float(score[i] / cover.cost[i])
    return 0.0


@njit(cache=True, nogil=True)
def _proven(
    cover: Cover, price: NDArray[np.int64], score: NDArray[np.int64], fixed: NDArray[np.int8], budget: int, rate: float
) -> int:
    """The bound of prices and of any rate >= 0 that a unit of cost earns, in UNIT-ths, rounded up. O(M + N).

    Prices are summed in whole numbers; the rest in floats, with a margin above all that their rounding can lose.
    """
    won = 0
    for j in range(len(price)):
        won += cover.weight[j] * UNIT - price[j]
    left = float(budget)
    total, size = 0.0, 0.0
    for i in range(len(score)):
        surplus = score[i] - rate * cover.cost[i]
        if fixed[i] > 0:
            left -= cover.cost[i]
            total += score[i]
            size += score[i]
        elif fixed[i] == 0:
            size += score[i] + rate * cover.cost[i]
            if surplus > 0.0:
                total += surplus
    total += rate * left
    size += rate * budget
    return won + int(np.ceil(total + size * (len(score) + 8) * 2.3e-16))


@njit(cache=True, nogil=True)
def descend(
    cover: Cover,
    budget: int,
    fixed: NDArray[np.int8],
    start: NDArray[np.int64],
    target: int,
    iterations: int,
    step: float,
    pace: Pace,
) -> tuple[int, NDArray[np.int64], float, NDArray[np.float64], float, int]:
    """Prices from `start` that prove less and less, by smoothed subgradients.

    target : in UNIT-ths; nothing more is wanted once the bound is below it
    Returns (bound, price, rate, share, step reached, iterations). O(nnz) an iteration.
    """
    facilities, customers = len(cover.cost), len(cover.weight)
    price = start.copy()
    score = np.zeros(facilities, dtype=np.int64)
    part, share = np.zeros(facilities), np.zeros(facilities)
    direction, times = np.zeros(customers), np.zeros(customers)
    best_price, best_rate = start.copy(), 0.0
    best = 2**62
    stalled, done = 0, 0
    while done < iterations:
        collected(cover, price, score)
        rate = _part(cover, score, fixed, budget, part)
        value = _proven(cover, price, score, fixed, budget, rate)
        for i in range(facilities):
            share[i] += pace.smooth * (part[i] - share[i]) if done else part[i]
        done += 1
        stalled += 1
        if value < best:
            if value < best - 1e-5 * best:
                stalled = 0
            best, best_rate = value, rate
            best_price[:] = price
        if best < target or step < SMALLEST_STEP:
            break
        if stalled >= pace.patience:
            step *= pace.shorter
            stalled = 0
            price[:] = best_price
        times[:] = -1.0
        for i in range(facilities):
            if part[i] > 0.0:
                for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
                    times[cover.customer[q]] += part[i]
        norm = 0.0
        for j in range(customers):
            direction[j] = times[j] if done == 1 else direction[j] + pace.smooth * (times[j] - direction[j])
            stuck = price[j] == 0 if direction[j] > 0 else price[j] == cover.weight[j] * UNIT
            if not stuck:
                norm += direction[j] * direction[j]
        if norm == 0.0:
            break
        length = step * max(value - target, 1) / norm
        for j in range(customers):
            moved = price[j] - int(np.rint(length * direction[j]))
            price[j] = min(max(moved, 0), cover.weight[j] * UNIT)
    return best, best_price, best_rate, share, step, done


def bound_of(cover: Cover, budget: int, price: NDArray[np.int64], share: NDArray[np.float64] | None = None) -> Bound:
    """What the prices prove; those below 0 or above the weight are brought back first.

    price : (M,) int64 in UNIT-ths of a weight
    """
    price = np.clip(price, 0, cover.weight * UNIT)
    fixed, part = np.zeros(len(cover.cost), dtype=np.int8), np.zeros(len(cover.cost))
    score = np.zeros(len(cover.cost), dtype=np.int64)
    collected(cover, price, score)
    rate = _part(cover, score, fixed, budget, part)
    value = _proven(cover, price, score, fixed, budget, rate)
    # `value` holds for this very rate, so a facility that is short of it costs the bound what it is short of.
    surplus = score - rate * cover.cost
    shy = np.trunc(surplus * (1.0 - 1e-12))
    shy = np.where(np.abs(shy) > 2, shy - np.sign(shy), 0.0)
    return Bound(int(value), price, shy.astype(np.int64), part if share is None else share)


def trivial_bound(cover: Cover, budget: int) -> Bound:
    """All that can be covered, or all that the best facilities would cover if they shared nothing."""
    everything = bound_of(cover, budget, np.zeros(len(cover.weight), dtype=np.int64))
    apart = bound_of(cover, budget, cover.weight * UNIT)
    return min(everything, apart, key=lambda bound: bound.value)


def linear_bound(cover: Cover, budget: int, time_limit_s: float | None) -> Bound | None:
    """The bound of the linear relaxation by GLOP; None where it did not finish in time."""
    customers, facilities = len(cover.weight), len(cover.cost)
    row = np.repeat(np.arange(customers), np.diff(cover.customer_ptr))
    own = np.arange(customers)
    matrix = sparse.csr_matrix(
        (
            np.concatenate([np.ones(len(row)), np.full(customers, -1.0), cover.cost / cover.cost.max()]),
            (
                np.concatenate([row, own, np.full(facilities, customers)]),
                np.concatenate([cover.facility, facilities + own, np.arange(facilities)]),
            ),
        ),
        shape=(customers + 1, facilities + customers),
    )
    unit = float(cover.weight.max())
    objective = np.concatenate([np.zeros(facilities), cover.weight / unit])
    model: Any = model_builder_helper.ModelBuilderHelper()  # its stub takes no plain ndarray
    model.fill_model_from_sparse_data(
        np.zeros(facilities + customers),
        np.ones(facilities + customers),
        -objective,
        np.concatenate([np.zeros(customers), [-np.inf]]),
        np.concatenate([np.full(customers, np.inf), [budget / float(cover.cost.max())]]),
        matrix,
    )
    solver = model_builder_helper.ModelSolverHelper("glop")
    if time_limit_s is not None:
        solver.set_time_limit_in_seconds(time_limit_s)
    solver.solve(model)
    if not solver.has_solution() or solver.status() != model_builder_helper.SolveStatus.OPTIMAL:
        return None
    price = np.abs(np.asarray(solver.dual_values())[:customers]) * unit * UNIT
    share = np.asarray(solver.variable_values())[:facilities].clip(0.0, 1.0)
    return bound_of(cover, budget, np.rint(price).astype(np.int64), share)


def whole_gap(objective: int, bound: int) -> float:
    """(bound - objective) / bound, 0 where both are 0."""
    return 0.0 if bound == objective else (bound - objective) / max(bound, 1)


def decided(bound: Bound, at_least: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Facilities that every plan covering `at_least` builds, and those that none does, by what the prices prove."""
    without = (bound.value - np.maximum(bound.surplus, 0)) // UNIT
    within = (bound.value + np.minimum(bound.surplus, 0)) // UNIT
    return without < at_least, within < at_least


def is_finite_sum(weight: NDArray[np.int64]) -> bool:
    """Whether sums of the weights in UNIT-ths stay whole numbers of 64 bits with room to spare."""
    return math.fsum(weight.tolist()) * UNIT < 2.0**61
