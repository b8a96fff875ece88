# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""A cheap trench tree to given stops, and what no tree undercuts."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.backhaul.bound import shares_of
from phusong.solvers.backhaul.graph import FAR, ROOT, Network, spread

SHAKE = 1.2  # how much dearer an edge may look in one try, at most
KEEN = 0.8  # share of its look that an edge of the best tree keeps, in every other try


def cheapest_tree(
    network: Network, stops: NDArray[np.int64], tries: int, seed: int
) -> tuple[NDArray[np.int64], int] | None:
    """Edges of a cheap tree from the root to the stops, and its cost [VND]; None when a stop cannot be reached."""
    ends = np.unique(stops[stops != ROOT])
    edges, cost = _tries(
        network.indptr, network.neighbour, network.edge, network.start, network.end, network.cost, ends, tries, seed
    )
    return None if cost < 0 else (np.flatnonzero(edges), int(cost))


def least_cost(network: Network, stops: NDArray[np.int64], tries: int, seed: int) -> int:
    """No tree from the root to the stops costs less [VND]: the best of some dual ascents."""
    ends = np.unique(stops[stops != ROOT])
    rng = np.random.default_rng(seed)
    free = np.full(len(ends), FAR)
    ranks = [np.zeros(len(ends), np.int64), *(rng.permutation(len(ends)) % 4 for _ in range(tries))]
    return max((int(shares_of(network, ends, rank.astype(np.int64), free).sum()) for rank in ranks), default=0)


@njit(cache=True, nogil=True)
def _grow(
    indptr: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    edge: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    look: NDArray[np.int64],
    ends: NDArray[np.int64],
    first: int,
    inside: NDArray[np.bool_],
) -> bool:
    # Marks the nodes of a tree that takes in, again and again, the terminal that looks nearest. First: where it begins.
    nodes = len(indptr) - 1
    distance = np.full(nodes, FAR)
    by = np.full(nodes, -1)
    inside[:] = False
    inside[first] = True
    distance[first] = 0
    heap = [(np.int64(0), np.int64(first))]
    spread(indptr, neighbour, edge, look, distance, by, heap, FAR)
    while True:
        pick = -1
        for k in range(-1, len(ends)):
            node = ROOT if k < 0 else ends[k]
            if not inside[node] and (pick < 0 or distance[node] < distance[pick]):
                pick = node
        if pick < 0:
            return True
        if distance[pick] == FAR:
            return False
        node = pick
        while not inside[node]:
            inside[node] = True
            distance[node] = 0
            heap.append((np.int64(0), np.int64(node)))
            node = start[by[node]] + end[by[node]] - node
        spread(indptr, neighbour, edge, look, distance, by, heap, FAR)


@njit(cache=True, nogil=True)
def _lean(
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    cost: NDArray[np.int64],
    order: NDArray[np.int64],
    inside: NDArray[np.bool_],
    stop: NDArray[np.bool_],
    used: NDArray[np.bool_],
) -> int:
    # The cheapest spanning tree of the marked nodes (Kruskal; order: edges by cost), without ends that are no stop.
    nodes = len(inside)
    up = np.arange(nodes)
    degree = np.zeros(nodes, np.int64)
    used[:] = False
    total = 0
    for e in order:
        if inside[start[e]] and inside[end[e]]:
            a, b = start[e], end[e]
            while up[a] != a:
                up[a] = up[up[a]]
                a = up[a]
            while up[b] != b:
                up[b] = up[up[b]]
                b = up[b]
            if a != b:
                up[a] = b
                used[e] = True
                degree[start[e]] += 1
                degree[end[e]] += 1
                total += cost[e]
    again = True
    while again:
        again = False
        for e in range(len(used)):
            if used[e]:
                for node in (start[e], end[e]):
                    if used[e] and degree[node] == 1 and not stop[node]:
                        used[e] = False
                        degree[start[e]] -= 1
                        degree[end[e]] -= 1
                        total -= cost[e]
                        again = True
    return total


@njit(cache=True, nogil=True)
def _tries(
    indptr: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    edge: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    cost: NDArray[np.int64],
    ends: NDArray[np.int64],
    tries: int,
    seed: int,
) -> tuple[NDArray[np.bool_], int]:
    """The best of some trees, each grown while edges look dearer than they are. O(tries x stops x network)."""
    np.random.seed(seed)
    inside = np.zeros(len(indptr) - 1, np.bool_)
    stop = np.zeros(len(inside), np.bool_)
    stop[ROOT] = True
    for node in ends:
        stop[node] = True
    order = np.argsort(cost, kind="mergesort")
    used = np.zeros(len(cost), np.bool_)
    best = used.copy()
    least = -1
    look = cost * 1024
    for turn in range(tries + 1):
        first = ROOT
        if turn > 0:
            shake = SHAKE * np.random.random()  # small ones stay near the best tree, large ones leave it
            for e in range(len(cost)):
                seen = 1.0 + shake * np.random.random()
                look[e] = int(1024.0 * cost[e] * seen * (KEEN if best[e] and turn % 2 == 0 else 1.0))
            first = ends[np.random.randint(0, len(ends))] if len(ends) > 0 else ROOT
        if not _grow(indptr, neighbour, edge, start, end, look, ends, first, inside):
            return best, -1
        total = _lean(start, end, cost, order, inside, stop, used)
        if least < 0 or total < least:
            least = total
            best[:] = used
    return best, least


def away_from_root(network: Network, edges: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The edge by which each node is reached from the root along `edges` (e,), -1: not, or the root; and its depth."""
    by, depth = np.full(network.nodes, -1, np.int64), np.zeros(network.nodes, np.int64)
    seen = np.zeros(network.nodes, dtype=bool)
    seen[ROOT] = True
    queue = [ROOT]
    for node in queue:
        for i in range(network.indptr[node], network.indptr[node + 1]):
            other = int(network.neighbour[i])
            if edges[network.edge[i]] and not seen[other]:
                seen[other] = True
                by[other], depth[other] = network.edge[i], depth[node] + 1
                queue.append(other)
    return by, depth


def without_ends(network: Network, edges: NDArray[np.bool_], stops: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(e,) those of the edges on the ways from the root to the stops; circles are opened."""
    by, _ = away_from_root(network, edges)
    kept = np.zeros(len(edges), dtype=bool)
    for stop in stops.tolist():
        node = stop
        while node != ROOT and by[node] >= 0 and not kept[by[node]]:
            kept[by[node]] = True
            node = int(network.start[by[node]] + network.end[by[node]]) - node
    return kept
