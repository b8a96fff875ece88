# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""Covering plans by annealing: exchanges between neighbours that may lose a little, less and less."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from phusong.solvers.covering.search import COVERED, SPENT, put

FAR = 0.05  # share of exchanges with any facility rather than a neighbour


@njit(cache=True, nogil=True)
def anneal(cover, state, budget, best, value, proposals, hot, cold):  # type: ignore[no-untyped-def]
    """Exchanges from temperature `hot` to `cold` (weights that are lost with a chance of 1/e); `best` keeps the best.

    best (N,) bool, covering `value`. Returns the value of `best`. O(customers of a facility) a proposal; one that is
    taken costs two `put`s.
    """
    inside = np.flatnonzero(state.chosen)
    if len(inside) == 0 or len(inside) == len(best):
        return value
    cooling = math.log(cold / hot) / proposals
    for step in range(proposals):
        at = np.random.randint(len(inside))
        o = inside[at]
        if np.random.random() < FAR:
            i = np.random.randint(len(best))
        else:
            start = cover.facility_ptr[o]
            j = cover.customer[start + np.random.randint(cover.facility_ptr[o + 1] - start)]
            start = cover.customer_ptr[j]
            i = cover.facility[start + np.random.randint(cover.customer_ptr[j + 1] - start)]
        if state.chosen[i] or state.totals[SPENT] - cover.cost[o] + cover.cost[i] > budget:
            continue
        lost = state.gain[o] - state.gain[i]
        allowed = -hot * math.exp(cooling * step) * math.log(1.0 - np.random.random())
        # What only o covers, and i would too, comes back: at most the smaller of the two's customers.
        for q in range(cover.facility_ptr[i], cover.facility_ptr[i + 1]):
            j = cover.customer[q]
            if state.only[j] == o and state.times[j] == 1:
                lost -= cover.weight[j]
        if lost <= allowed:
            put(cover, state, o, -1)
            put(cover, state, i, 1)
            inside[at] = i
            if state.totals[COVERED] > value:
                value = state.totals[COVERED]
                best[:] = state.chosen
    return value
