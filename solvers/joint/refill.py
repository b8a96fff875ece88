# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""A plan refilled: greedy by hamlets per money with trenches to the growing tree, then taking out a stretch of the plan
and filling it again, many times, with now and then a step back (annealing)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.backhaul.graph import ROOT
from phusong.solvers.joint.case import JointCase
from phusong.solvers.joint.state import (
    CLEARED,
    SPENT,
    Choice,
    Ground,
    dig,
    gain_of,
    ground_of,
    needless,
    nothing_chosen,
    prune,
    put,
    restore,
    shed,
)

LARGEST = 0.15  # share of the plan that one round takes out at most
LEAST_LARGEST = 6
ALONG_TREE, ALIKE = 0.5, 0.85  # shares of rounds, summed up: neighbours along the trenches, in coverage; else any
NOISE = 0.5
WARMTH = 1.2  # hamlets' weight that a step back may cost at first
NEAR = 24


@njit(cache=True, nogil=True)
def fill(g: Ground, s: Choice, favour: NDArray[np.float64], budget: int) -> bool:
    """Add ways by worth per money, locked options first, until nothing helps or fits. False: locked ones do not fit.
    O(additions x ways)."""
    for way in range(len(g.cost)):
        if g.must[way] >= 0 and s.used[g.exclusive[way]] == 0:
            pick = way
            for other in range(way, len(g.cost)):
                money = g.cost[other] + s.distance[g.node[other]]
                if g.must[other] == g.must[way] and money < g.cost[pick] + s.distance[g.node[pick]]:
                    pick = other
            put(g, s, pick, 1)
            if s.totals[SPENT] + s.distance[g.node[pick]] > budget:
                return False
            dig(g, s, g.node[pick], budget - s.totals[SPENT])
    while True:
        pick = -1
        high = 0.0
        left = budget - s.totals[SPENT]
        for way in range(len(g.cost)):
            money = g.cost[way] + s.distance[g.node[way]]
            if money > left or s.used[g.exclusive[way]] > 0:
                continue
            if s.stale[way]:
                s.gain[way] = gain_of(g, s, way)
                s.stale[way] = False
            score = favour[way] * s.gain[way] / max(1.0, float(money))
            if score > high:
                pick = way
                high = score
        if pick < 0:
            return True
        put(g, s, pick, 1)
        dig(g, s, g.node[pick], budget - s.totals[SPENT])


@njit(cache=True, nogil=True)
def trim(g: Ground, s: Choice) -> bool:
    """Take out what clears nothing; whether there was any. Trenches stay until pruned. O(chosen x put)."""
    any_out = False
    for way in range(len(g.cost)):
        if s.chosen[way] and g.must[way] < 0 and needless(g, s, way):
            put(g, s, way, -1)
            any_out = True
    return any_out


@njit(cache=True, nogil=True)
def take_out(g: Ground, s: Choice, alike: NDArray[np.int64]) -> None:
    """Take some ways out: along the tree, alike in coverage, or any."""
    held = np.flatnonzero(s.chosen)
    if len(held) == 0:
        return
    largest = max(LEAST_LARGEST, int(LARGEST * len(held)))
    size = np.random.randint(1, min(largest, len(held)) + 1)
    first = held[np.random.randint(0, len(held))]
    draw = np.random.random()
    if draw < ALONG_TREE and g.node[first] != ROOT:
        _take_along(g, s, g.node[first], size)
    elif draw < ALIKE:
        put(g, s, first, -1)
        for k in range(alike.shape[1]):
            other = alike[first, k]
            if size > 1 and other >= 0 and s.chosen[other]:
                put(g, s, other, -1)
                size -= 1
    else:
        for _ in range(size):
            way = held[np.random.randint(0, len(held))]
            if s.chosen[way]:
                put(g, s, way, -1)


@njit(cache=True, nogil=True)
def _take_along(g: Ground, s: Choice, node: int, size: int) -> None:
    # The ways at the nodes met first when walking along the tree, not through the root.
    at_node = np.zeros(len(s.stops), np.bool_)
    queue = [node]
    at_node[node] = True
    count = s.stops[node]
    done = 0
    while done < len(queue) and count < size:
        here = queue[done]
        done += 1
        for i in range(g.indptr[here], g.indptr[here + 1]):
            other = g.neighbour[i]
            if s.dug[g.edge[i]] and other != ROOT and not at_node[other]:
                at_node[other] = True
                count += s.stops[other]
                queue.append(other)
    for way in range(len(g.cost)):
        if s.chosen[way] and g.node[way] != ROOT and at_node[g.node[way]]:
            put(g, s, way, -1)


@njit(cache=True, nogil=True)
def search(
    g: Ground,
    s: Choice,
    current: Choice,
    best: Choice,
    alike: NDArray[np.int64],
    favour: NDArray[np.float64],
    budget: int,
    rounds: int,
    seed: int,
) -> bool:
    """Leave in `best` the choice that clears most weight, at least cost among those; False: locked ones never fit.
    O(rounds x additions x ways)."""
    np.random.seed(seed)
    found = False
    push = favour.copy()
    for turn in range(rounds + 1):
        if turn > 0:
            restore(s, current)
            take_out(g, s, alike)
            prune(g, s, budget)
            for way in range(len(push)):
                push[way] = favour[way] * (1.0 + NOISE * (2.0 * np.random.random() - 1.0))
        fits = fill(g, s, push, budget)
        if fits and trim(g, s):
            prune(g, s, budget)
            fits = fill(g, s, push, budget)
            trim(g, s)
            s.totals[SPENT] -= shed(g, s.dug, s.stops)[0]  # distances are measured anew at the next turn
        if not fits:
            continue
        warmth = WARMTH * (1.0 - turn / (rounds + 1.0))
        loss = current.totals[CLEARED] - s.totals[CLEARED]
        even = loss == 0 and s.totals[SPENT] <= current.totals[SPENT] + 0.01 * budget
        if not found or loss < 0 or even or (loss > 0 and np.random.random() < np.exp(-loss / max(warmth, 1e-9))):
            restore(current, s)
        more = s.totals[CLEARED] - best.totals[CLEARED]
        if not found or more > 0 or (more == 0 and s.totals[SPENT] < best.totals[SPENT]):
            restore(best, s)
        found = True
    return found


def choice_of(case: JointCase, ways: NDArray[np.int64], edges: NDArray[np.int64]) -> Choice:
    """The choice of these ways on this tree, with what the money left pays for added greedily."""
    g = ground_of(case)
    s = nothing_chosen(g)
    for way in ways.tolist():
        put(g, s, way, 1)
    s.dug[edges] = True
    s.totals[SPENT] += int(case.network.cost[edges].sum())
    prune(g, s, case.budget_vnd)
    fill(g, s, np.ones(len(g.cost)), case.budget_vnd)
    return s


def alike_of(covers: sparse.csr_array) -> NDArray[np.int64]:
    """(W, NEAR) the ways that share most cells with each, most first; -1 past the last. covers : (W, C) bool."""
    shared = sparse.csr_array(covers.astype(np.int64) @ covers.T.astype(np.int64))
    near = np.full((covers.shape[0], NEAR), -1, dtype=np.int64)
    for way, (a, b) in enumerate(zip(shared.indptr[:-1], shared.indptr[1:], strict=True)):
        others = shared.indices[a:b] != way
        order = np.argsort(-shared.data[a:b][others], kind="stable")[:NEAR]
        near[way, : len(order)] = shared.indices[a:b][others][order]
    return near
