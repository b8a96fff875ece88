"""What a cleared hamlet must be reached through: from what is lit through trenches and ways of backhaul to its goals.

A goal is a blocking set of the hamlet (clauses.py): some way of it is chosen if the hamlet is cleared. So in a graph
of trenches, ways and goals each goal of a cleared hamlet is tied to the root by what is built, and every *cut*, the
links that lead into a set of nodes around a goal, holds one that is built. A tower taken by half and its neighbour by
half may well clear a hamlet in fractions, but no longer over half a trench: cuts speak of the hamlet, not of towers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.backhaul.graph import ROOT, Network

AMPLE = 2.0  # capacity of links that cost nothing: more than any hamlet is cleared
SEEN = 1e-7  # capacity left that still counts


class Reach(NamedTuple):
    """Nodes of the network, then ways, then goals; link i leads from tail[i] into head[i].

    indptr, tail, head : links in the order of the node that they lead into. The first 2 e are trenches, in the order of
    the network's own arcs, the next W ways; those into goals are free, and no variables.
    first, out : the same links in the order of the node that they leave: out[first[n] : first[n + 1]]
    goal, hamlet : (k,) node of each goal, and whose it is
    """

    indptr: NDArray[np.int64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    first: NDArray[np.int64]
    out: NDArray[np.int64]
    goal: NDArray[np.int64]
    hamlet: NDArray[np.int64]


class Cuts(NamedTuple):
    """hamlet (c,) is cleared only if one of link[indptr[i] : indptr[i + 1]] is built."""

    hamlet: NDArray[np.int64]
    indptr: NDArray[np.int64]
    link: NDArray[np.int64]


def reach_of(
    network: Network, way_node: NDArray[np.int64], hamlet: NDArray[np.int64], goals: list[NDArray[np.int64]]
) -> Reach:
    """way_node : (W,) network node of each way, ROOT where it needs no trench;  goals : ways of each blocking set;
    hamlet : (k,) of which it is one"""
    ways, nodes = len(way_node), network.nodes
    sizes = np.array([len(goal) for goal in goals], dtype=np.int64)
    tail = np.concatenate([network.neighbour, way_node, *(nodes + goal for goal in goals)]).astype(np.int64)
    return _reach(tail, np.concatenate([np.diff(network.indptr), np.ones(ways, np.int64), sizes]), hamlet)


def with_goals(reach: Reach, clauses: Cuts) -> Reach:
    """clauses : cuts whose links are ways, each a goal more"""
    tail = np.concatenate([reach.tail, reach.head[clauses.link]])
    links = np.concatenate([np.diff(reach.indptr), np.diff(clauses.indptr)])
    return _reach(tail, links, np.concatenate([reach.hamlet, clauses.hamlet]))


def _reach(tail: NDArray[np.int64], links: NDArray[np.int64], hamlet: NDArray[np.int64]) -> Reach:
    """links : how many lead into each node; the goals come last"""
    nodes = len(links)
    return Reach(
        indptr=np.concatenate([[0], np.cumsum(links)]).astype(np.int64), tail=tail,
        head=np.repeat(np.arange(nodes), links),
        first=np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=nodes))]).astype(np.int64),
        out=np.argsort(tail, kind="stable"), goal=np.arange(nodes - len(hamlet), nodes), hamlet=hamlet,
    )  # fmt: skip


def cuts_missed(
    reach: Reach, built: NDArray[np.float64], cleared: NDArray[np.float64], depth: int, tolerance: float
) -> Cuts:
    """Cuts around goals whose links add up to less than what their hamlet is cleared, by more than the tolerance.

    built : (2 e + W,) and cleared : (H,), 0 to 1, fractions of a relaxation or a choice in whole numbers
    depth : up to so many cuts a goal, each without the links of those before it, which tells more at once
    """
    capacity = np.full(len(reach.tail), AMPLE)
    capacity[: len(built)] = np.maximum(built, 0.0)
    wanted = cleared[reach.hamlet]
    order = np.flatnonzero(wanted > tolerance)
    order = order[np.argsort(-wanted[order], kind="stable")]
    goal, ends, link = _missed(reach, capacity, wanted, order, depth, tolerance)
    return Cuts(reach.hamlet[goal], ends, link)


@njit(cache=True, nogil=True)
def _missed(
    reach: Reach,
    given: NDArray[np.float64],
    wanted: NDArray[np.float64],
    order: NDArray[np.int64],
    depth: int,
    tolerance: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    # O(goals x depth x paths x links that flow reaches).
    nodes = len(reach.indptr) - 1
    capacity, flow = given.copy(), np.zeros(len(given))
    mark, by, queue = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    stamp = 0
    told, ends, links = [np.int64(0)], [np.int64(0)], [np.int64(0)]
    raised, used = [np.int64(0)], [np.int64(0)]
    for k in order:
        raised.clear()
        goal = reach.goal[k]
        for _ in range(depth):
            for link in used:
                flow[link] = 0.0
            used.clear()
            through = 0.0
            tied = 0
            while through < wanted[k] - tolerance:
                stamp += 1
                tied = _path(reach, capacity, flow, goal, mark, stamp, by, queue)
                if tied > 0:
                    break
                through += _push(reach, capacity, flow, goal, by, wanted[k] - through, used)
            if tied == 0:
                break
            for node in queue[:tied]:
                for i in range(reach.indptr[node], reach.indptr[node + 1]):
                    if mark[reach.tail[i]] != stamp:
                        links.append(np.int64(i))
                        if capacity[i] < 1.0:
                            raised.append(np.int64(i))
                            capacity[i] = 1.0
            told.append(np.int64(k))
            ends.append(np.int64(len(links) - 1))
        for link in raised:
            capacity[link] = given[link]
    return np.array(told)[1:], np.array(ends), np.array(links)[1:]


@njit(cache=True, nogil=True)
def _path(
    reach: Reach,
    capacity: NDArray[np.float64],
    flow: NDArray[np.float64],
    goal: int,
    mark: NDArray[np.int64],
    stamp: int,
    by: NDArray[np.int64],
    queue: NDArray[np.int64],
) -> int:
    # A path from the root to the goal that takes more flow, told by `by`: link into a node, or -1 - link out of it to
    # push back. Returns 0; or, where there is none, how many nodes of the queue could still send some to the goal.
    mark[goal] = stamp
    queue[0] = goal
    size, done = 1, 0
    while done < size:
        node = queue[done]
        done += 1
        for i in range(reach.indptr[node], reach.indptr[node + 1]):
            other = reach.tail[i]
            if mark[other] != stamp and capacity[i] - flow[i] > SEEN:
                mark[other] = stamp
                by[other] = i
                if other == ROOT:
                    return 0
                queue[size] = other
                size += 1
        for j in range(reach.first[node], reach.first[node + 1]):
            i = reach.out[j]
            other = reach.head[i]
            if mark[other] != stamp and flow[i] > SEEN:
                mark[other] = stamp
                by[other] = -1 - i
                queue[size] = other
                size += 1
    return size


@njit(cache=True, nogil=True)
def _push(
    reach: Reach,
    capacity: NDArray[np.float64],
    flow: NDArray[np.float64],
    goal: int,
    by: NDArray[np.int64],
    most: float,
    used: list[np.int64],
) -> float:
    # As much as the path takes, at most `most`; links that flow has come to are added to `used`.
    node = np.int64(ROOT)
    while node != goal:
        i = by[node]
        if i >= 0:
            most = min(most, capacity[i] - flow[i])
            node = reach.head[i]
        else:
            most = min(most, flow[-1 - i])
            node = reach.tail[-1 - i]
    node = np.int64(ROOT)
    while node != goal:
        i = by[node]
        if i >= 0:
            flow[i] += most
            used.append(np.int64(i))
            node = reach.head[i]
        else:
            flow[-1 - i] -= most
            node = reach.tail[-1 - i]
    return most
