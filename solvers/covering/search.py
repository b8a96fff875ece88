# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""Good covering plans fast: greedy, best swaps, then taking a few facilities out and filling again, many times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.covering.presolve import Cover

COVERED, SPENT = range(2)  # of State.totals
MOST_OUT = 6  # facilities taken out together
NEARBY = 0.7  # share of rounds that take out neighbours rather than any facilities
PASSED_OVER = 0.2  # share of facilities that a filling passes over, so that it doesn't return to where it was
WORSE = 3e-4  # share of the value that a round may lose and still be gone on from


class State(NamedTuple):
    """What a choice amounts to, kept up by `put`.

    chosen (N,) bool;  times (M,) int32, chosen facilities that cover the customer
    only (M,) int32 : exclusive or of the numbers of those; with one of them, its number
    gain (N,) int64 : weight that only this facility adds (not chosen), or that only it covers (chosen)
    totals (2,) int64;  extra (N,) int64, zero between calls
    """

    chosen: NDArray[np.bool_]
    times: NDArray[np.int32]
    only: NDArray[np.int32]
    gain: NDArray[np.int64]
    totals: NDArray[np.int64]
    extra: NDArray[np.int64]


def empty_state(cover: Cover) -> State:
    """Nothing chosen."""
    facilities, customers = len(cover.cost), len(cover.weight)
    return State(
        np.zeros(facilities, dtype=np.bool_),
        np.zeros(customers, dtype=np.int32),
        np.zeros(customers, dtype=np.int32),
        alone(cover),
        np.zeros(2, dtype=np.int64),
        np.zeros(facilities, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def alone(cover: Cover) -> NDArray[np.int64]:
    """(N,) int64 weight that each facility covers by itself. O(nnz)."""
    total = np.zeros(len(cover.cost), dtype=np.int64)
    for i in range(len(total)):
        for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
            total[i] += cover.weight[cover.customer[q]]
    return total


@njit(cache=True, nogil=True)
def put(cover: Cover, state: State, i: int, sign: int) -> None:
    """Put a facility in (sign 1) or take it out (-1). O(its customers, and the facilities of those that it turns)."""
    state.chosen[i] = sign > 0
    state.totals[SPENT] += sign * cover.cost[i]
    for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
        j = cover.customer[q]
        weight = cover.weight[j]
        before = state.times[j]
        state.times[j] += sign
        if before + sign == (1 if sign > 0 else 0):
            # Turned: what it was worth to the others changes; to i itself gain becomes loss, the same number.
            state.totals[COVERED] += sign * weight
            for r in range(cover.customer_ptr[j], cover.customer_ptr[j + 1]):
                state.gain[cover.facility[r]] -= sign * weight
            state.gain[i] += sign * weight
        elif before == 1:  # and one more: the other is no longer the only one
            state.gain[state.only[j]] -= weight
        state.only[j] ^= i
        if sign < 0 and before == 2:
            state.gain[state.only[j]] += weight


@njit(cache=True, nogil=True)
def fill(cover: Cover, state: State, budget: int, passed: NDArray[np.bool_]) -> None:
    """Add the facility of most gain per cost that the budget allows, while there is one. O(N) an addition."""
    while True:
        best, found = 0.0, -1
        left = budget - state.totals[SPENT]
        for i in range(len(cover.cost)):
            if not state.chosen[i] and not passed[i] and cover.cost[i] <= left and state.gain[i] > 0:
                rate = state.gain[i] / cover.cost[i]
                if rate > best:
                    best, found = rate, i
        if found < 0:
            return
        put(cover, state, found, 1)


@njit(cache=True, nogil=True)
def best_swap(cover: Cover, state: State, budget: int, inside: NDArray[np.int64]) -> tuple[int, int, int]:
    """The exchange of one facility for another that adds most: (value, in, out); value 0 where none adds.

    A facility that adds no more than the best exchange so far is passed over: what it takes the place of can't give
    back more than it loses. O(nnz) at most.
    """
    best, best_in, best_out = 0, -1, -1
    slack = budget - state.totals[SPENT]
    for i in range(len(cover.cost)):
        if state.chosen[i] or state.gain[i] <= best:
            continue
        for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
            j = cover.customer[q]
            if state.times[j] == 1:
                state.extra[state.only[j]] += cover.weight[j]
        for o in inside:
            value = state.gain[i] - state.gain[o] + state.extra[o]
            if value > best and cover.cost[i] <= slack + cover.cost[o]:
                best, best_in, best_out = value, i, o
            state.extra[o] = 0
    return best, best_in, best_out


@njit(cache=True, nogil=True)
def climb(cover: Cover, state: State, budget: int) -> None:
    """Fill and exchange until neither adds anything."""
    nothing = np.zeros(len(cover.cost), dtype=np.bool_)
    while True:
        fill(cover, state, budget, nothing)
        value, i, o = best_swap(cover, state, budget, np.flatnonzero(state.chosen))
        if value <= 0:
            return
        put(cover, state, o, -1)
        put(cover, state, i, 1)


@njit(cache=True, nogil=True)
def seed_generator(seed: int) -> None:
    """Seed the generator of the compiled code, which is not numpy's own."""
    np.random.seed(seed)


@njit(cache=True, nogil=True)
def neighbour(cover: Cover, state: State, i: int) -> int:
    """A chosen facility near i: two random steps over customers; -1 where the walk ends on none."""
    for _ in range(2):
        count = cover.facility_ptr[i + 1] - cover.facility_ptr[i]
        j = cover.customer[cover.facility_ptr[i] + np.random.randint(count)]
        count = cover.customer_ptr[j + 1] - cover.customer_ptr[j]
        i = cover.facility[cover.customer_ptr[j] + np.random.randint(count)]
    j = cover.customer[cover.facility_ptr[i] + np.random.randint(cover.facility_ptr[i + 1] - cover.facility_ptr[i])]
    for r in range(cover.customer_ptr[j], cover.customer_ptr[j + 1]):
        if state.chosen[cover.facility[r]]:
            return int(cover.facility[r])
    return -1


@njit(cache=True, nogil=True)
def improve(cover: Cover, state: State, budget: int, best: NDArray[np.bool_], rounds: int) -> int:
    """Rounds of taking out up to MOST_OUT facilities, filling again and climbing; `best` (N,) keeps the best choice.

    Returns the weight that `best` covers. A round costs a few facilities' pairs, and a scan or two of all.
    """
    value = 0
    seen = np.zeros(len(cover.weight), dtype=np.bool_)
    for i in np.flatnonzero(best):
        for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
            j = cover.customer[q]
            if not seen[j]:
                seen[j] = True
                value += cover.weight[j]
    kept = state.chosen.copy()
    passed = np.zeros(len(cover.cost), dtype=np.bool_)
    for _ in range(rounds):
        before = state.totals[COVERED]
        inside = np.flatnonzero(state.chosen)
        if len(inside) == 0:
            break
        out = 1 + np.random.randint(min(MOST_OUT, len(inside)))
        start = inside[np.random.randint(len(inside))]
        nearby = np.random.random() < NEARBY
        for k in range(len(passed)):
            passed[k] = np.random.random() < PASSED_OVER
        put(cover, state, start, -1)
        passed[start] = True
        for _ in range(out - 1):
            o = neighbour(cover, state, start) if nearby else inside[np.random.randint(len(inside))]
            if o >= 0 and state.chosen[o]:
                put(cover, state, o, -1)
                passed[o] = np.random.random() < 0.5
        fill(cover, state, budget, passed)
        climb(cover, state, budget)
        if state.totals[COVERED] > value:
            value = state.totals[COVERED]
            best[:] = state.chosen
        if state.totals[COVERED] >= before - WORSE * before * np.random.random():
            kept[:] = state.chosen
        else:
            restore(cover, state, kept)
    return value


@njit(cache=True, nogil=True)
def restore(cover: Cover, state: State, wanted: NDArray[np.bool_]) -> None:
    """Make the choice the wanted one. O(pairs of the facilities that differ)."""
    for i in range(len(wanted)):
        if state.chosen[i] and not wanted[i]:
            put(cover, state, i, -1)
    for i in range(len(wanted)):
        if wanted[i] and not state.chosen[i]:
            put(cover, state, i, 1)
