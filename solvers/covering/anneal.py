# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""Covering plans by annealing: one facility after the other moves to where it adds much, ever more strictly."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.covering.presolve import Cover

BLOCK = 64  # facilities that are passed over together where none of them adds enough
NEVER = 8.0  # temperatures short of the best place: a chance of 3e-4, which is not looked at


class Places(NamedTuple):
    """Room to draw in. peak (blocks,) : most that one of a block adds; until, facility (N,) : chances up to each"""

    peak: NDArray[np.int64]
    until: NDArray[np.float64]
    facility: NDArray[np.int64]


@njit(cache=True, nogil=True)
def anneal(
    cover: Cover,
    chosen: NDArray[np.bool_],
    budget: int,
    best: NDArray[np.bool_],
    value: int,
    moves: int,
    hot: float,
    cold: float,
) -> int:
    """Moves at temperatures from `hot` to `cold` (weights that are lost with a chance of 1/e); `best` keeps the best.

    A move takes a facility out, and draws what takes its place from all that the budget allows, itself among them, with
    chances exp(weight added / temperature).
    chosen (N,) bool is the plan, and is changed; best (N,) bool covers `value`. Returns the value of `best`.
    O(N, and the customers of two facilities with those customers' facilities) a move.
    """
    inside = np.flatnonzero(chosen)
    if len(inside) == 0 or len(inside) == len(chosen):
        return value
    times = np.zeros(len(cover.weight), dtype=np.int32)
    size = (len(chosen) // BLOCK + 1) * BLOCK  # whole blocks: loops over them are vectorized
    adds, before = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)  # a chosen facility adds nothing
    cost = np.ones(size, dtype=np.int64)
    cost[: len(chosen)] = cover.cost
    places = Places(np.zeros(size // BLOCK, dtype=np.int64), np.zeros(size), np.zeros(size, dtype=np.int64))
    for i in range(len(chosen)):
        for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
            adds[i] += cover.weight[cover.customer[q]]
    covered, left = 0, budget
    for held in inside:
        covered += _put_in(cover, times, adds, int(held))
        left -= int(cost[held])
    cooling = math.log(cold / hot) / moves
    for step in range(moves):
        at = np.random.randint(len(inside))
        o = inside[at]
        before[:] = adds
        lost = _take_out(cover, times, adds, o)
        new = _drawn(adds, cost, left + cost[o], places, hot * math.exp(cooling * step))
        if new < 0 or new == o:  # most of them stay, and what they add need not be summed again
            adds[:] = before
            for q in range(cover.facility_ptr[o], cover.facility_ptr[o + 1]):
                times[cover.customer[q]] += 1
            continue
        covered += _put_in(cover, times, adds, new) - lost
        left += int(cost[o] - cost[new])
        inside[at] = new
        chosen[o] = False
        chosen[new] = True
        if covered > value:
            value = covered
            best[:] = chosen
    return value


@njit(cache=True, nogil=True)
def _put_in(cover: Cover, times: NDArray[np.int32], adds: NDArray[np.int64], i: int) -> int:
    """The weight that a facility adds."""
    more = 0
    for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
        j = cover.customer[q]
        times[j] += 1
        if times[j] == 1:
            weight = cover.weight[j]
            more += weight
            for r in range(cover.customer_ptr[j], cover.customer_ptr[j + 1]):
                adds[cover.facility[r]] -= weight
    return more


@njit(cache=True, nogil=True)
def _take_out(cover: Cover, times: NDArray[np.int32], adds: NDArray[np.int64], i: int) -> int:
    """The weight that only a facility covered."""
    less = 0
    for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
        j = cover.customer[q]
        times[j] -= 1
        if times[j] == 0:
            weight = cover.weight[j]
            less += weight
            for r in range(cover.customer_ptr[j], cover.customer_ptr[j + 1]):
                adds[cover.facility[r]] += weight
    return less


@njit(cache=True, nogil=True)
def _drawn(adds: NDArray[np.int64], cost: NDArray[np.int64], left: int, places: Places, temperature: float) -> int:
    """A facility with a chance of exp(weight added / temperature); -1 where nothing that is affordable adds any."""
    top = 0
    for block in range(len(places.peak)):
        most = 0
        some, theirs = adds[block * BLOCK : (block + 1) * BLOCK], cost[block * BLOCK : (block + 1) * BLOCK]
        for k in range(BLOCK):
            value = some[k] if theirs[k] <= left else 0
            most = value if value > most else most
        places.peak[block] = most
        top = max(top, most)
    low = max(top - NEVER * temperature, 1.0)
    total, count = 0.0, 0
    for block in range(len(places.peak)):
        if places.peak[block] < low:
            continue
        for i in range(block * BLOCK, (block + 1) * BLOCK):
            if adds[i] >= low and cost[i] <= left:
                total += math.exp((adds[i] - top) / temperature)
                places.until[count] = total
                places.facility[count] = i
                count += 1
    if count == 0:
        return -1
    drawn = int(np.searchsorted(places.until[: count - 1], np.random.random() * total, side="right"))
    return int(places.facility[drawn])
