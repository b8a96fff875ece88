"""Proof by cases: build a facility or don't, with each case's bound from its parent's prices (`covering_bound`)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.covering.bound import QUICK, UNIT, Bound, _part, _proven, collected, descend
from phusong.solvers.covering.presolve import Cover

FIRST_ROWS = 64
STEP = 0.5  # of a case's first descent; a short one gives poor guides to split on (docs/covering.md)
ITERATIONS = 50  # of it


class Tree:
    """The open cases of a covering instance, depth first: facilities in or out, and prices to start from.

    best (N,) bool, value : the best plan known;  nodes : cases looked at
    enough : cases that can't exceed it were closed, so it is as far as the proof goes
    """

    def __init__(self, cover: Cover, budget: int, root: Bound, best: NDArray[np.bool_], value: int) -> None:
        self.cover, self.budget = cover, budget
        self.best, self.value, self.nodes, self.enough = best.copy(), value, 0, 0
        self._fixed = np.zeros((FIRST_ROWS, len(cover.cost)), dtype=np.int8)
        self._price = np.zeros((FIRST_ROWS, len(cover.weight)), dtype=np.int64)
        self._limit = np.zeros(FIRST_ROWS, dtype=np.int64)
        self._price[0] = root.price
        self._limit[0] = root.value
        self._open = 1

    @property
    def bound(self) -> int:
        """No plan covers more."""
        still = int(self._limit[: self._open].max()) // UNIT if self._open else 0
        return max(self.value, self.enough, still)

    def grow(self, nodes: int, enough: int) -> bool:
        """Look at this many more cases; whether any is open. A case that can't exceed `enough` is closed."""
        self.enough = max(self.enough, enough)
        stop = self.nodes + nodes
        while self._open and self.nodes < stop:
            if self._open + 2 > len(self._limit):
                self._fixed = np.concatenate([self._fixed, np.zeros_like(self._fixed)])
                self._price = np.concatenate([self._price, np.zeros_like(self._price)])
                self._limit = np.concatenate([self._limit, np.zeros_like(self._limit)])
            self._open, looked, self.value = _grow(
                self.cover, self.budget, self._fixed, self._price, self._limit, self._open, stop - self.nodes,
                self.best, self.value, self.enough,
            )  # fmt: skip
            self.nodes += looked
        return self._open > 0


@njit(cache=True, nogil=True)
def _grow(
    cover: Cover,
    budget: int,
    fixed: NDArray[np.int8],
    price: NDArray[np.int64],
    limit: NDArray[np.int64],
    waiting: int,
    nodes: int,
    best: NDArray[np.bool_],
    value: int,
    enough: int,
) -> tuple[int, int, int]:
    """Look at cases until `nodes` are done, none is open or the arrays are full: (open, looked at, value)."""
    looked = 0
    facilities = len(cover.cost)
    times = np.zeros(len(cover.weight), dtype=np.int32)
    score = np.zeros(facilities, dtype=np.int64)
    part = np.zeros(facilities)
    while waiting > 0 and looked < nodes and waiting + 2 <= len(limit):
        looked += 1
        waiting -= 1
        top = waiting
        target = (max(value, enough) + 1) * UNIT  # a case below this is closed
        if limit[top] < target:
            continue
        left, least, free = _afford(cover, budget, fixed[top])
        if left < 0:  # what a better plan would have to build costs too much together: there is none
            continue
        if free == 0 or left < 2 * least:
            reached, last = _last_choice(cover, fixed[top], left, times)
            if reached > value:
                value = reached
                best[:] = fixed[top] > 0
                if last >= 0:
                    best[last] = True
            continue
        bound, prices, rate, share, _, _ = descend(
            cover, budget, fixed[top], price[top], target, ITERATIONS, STEP, QUICK
        )
        limit[top] = min(limit[top], bound)
        if limit[top] < target:
            continue
        collected(cover, prices, score)
        _part(cover, score, fixed[top], budget, part)
        reached = _covered(cover, part, times)
        if reached > value:
            value = reached
            best[:] = part >= 1.0
            target = (max(value, enough) + 1) * UNIT
            if limit[top] < target:
                continue
        bound = _proven(cover, prices, score, fixed[top], budget, rate)
        chosen = _decide(cover, fixed[top], score, rate, bound, target, share)
        if chosen < 0:
            # Everything is decided: look once more, as the last choice.
            price[top] = prices
            waiting += 1
            continue
        price[top] = prices
        price[top + 1] = prices
        fixed[top + 1] = fixed[top]
        limit[top + 1] = limit[top]
        fixed[top, chosen] = -1
        fixed[top + 1, chosen] = 1
        for q in range(cover.facility_ptr[chosen], cover.facility_ptr[chosen + 1]):
            price[top + 1, cover.customer[q]] = 0
        waiting += 2
    return waiting, looked, value


@njit(cache=True, nogil=True)
def _afford(cover: Cover, budget: int, fixed: NDArray[np.int8]) -> tuple[int, int, int]:
    """Bars what the rest of the budget can't pay: (what is left, cheapest free cost, free ones)."""
    left = budget
    for i in range(len(fixed)):
        if fixed[i] > 0:
            left -= cover.cost[i]
    least, free = 2**62, 0
    for i in range(len(fixed)):
        if fixed[i] == 0 and cover.cost[i] > left:
            fixed[i] = -1
        if fixed[i] == 0:
            free += 1
            least = min(least, cover.cost[i])
    return left, min(least, 2**61), free


@njit(cache=True, nogil=True)
def _last_choice(cover: Cover, fixed: NDArray[np.int8], left: int, times: NDArray[np.int32]) -> tuple[int, int]:
    """With at most one more facility to build: (weight covered, which one or -1). O(nnz)."""
    times[:] = 0
    reached = 0
    for i in range(len(fixed)):
        if fixed[i] > 0:
            for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
                j = cover.customer[q]
                if times[j] == 0:
                    times[j] = 1
                    reached += cover.weight[j]
    most, last = 0, -1
    for i in range(len(fixed)):
        if fixed[i] == 0:
            gain = 0
            for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
                if times[cover.customer[q]] == 0:
                    gain += cover.weight[cover.customer[q]]
            if gain > most:
                most, last = gain, i
    return reached + most, last


@njit(cache=True, nogil=True)
def _covered(cover: Cover, part: NDArray[np.float64], times: NDArray[np.int32]) -> int:
    """Weight that the whole facilities of a solution in parts cover."""
    times[:] = 0
    reached = 0
    for i in range(len(part)):
        if part[i] >= 1.0:
            for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
                j = cover.customer[q]
                if times[j] == 0:
                    times[j] = 1
                    reached += cover.weight[j]
    return reached


@njit(cache=True, nogil=True)
def _decide(
    cover: Cover,
    fixed: NDArray[np.int8],
    score: NDArray[np.int64],
    rate: float,
    bound: int,
    target: int,
    share: NDArray[np.float64],
) -> int:
    """Fix what the prices prove; return the free facility to split on, -1 where none is left.

    The one in the middle of its descent's solutions, and of those the one that collects most.
    """
    chosen, most = -1, -1.0
    for i in range(len(fixed)):
        if fixed[i] != 0:
            continue
        surplus = score[i] - rate * cover.cost[i]
        margin = 4.0 + 1e-12 * (score[i] + rate * cover.cost[i])  # above what the rounding of a float can lose
        if surplus < 0.0 and bound + surplus + margin < target:
            fixed[i] = -1
        elif surplus > 0.0 and bound - surplus + margin < target:
            fixed[i] = 1
        else:
            middle = min(share[i], 1.0 - share[i]) + 1e-3
            if middle * score[i] > most:
                chosen, most = i, middle * score[i]
    return chosen
