"""The road graph made small: lit nodes are one root, nodes that no tree needs are gone, every step undoable."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.problem import Roads

ROOT = 0
FAR = np.int64(2**62)


@dataclass(frozen=True, slots=True)
class Network:
    """A small graph that has a cheapest tree for every set of stops that the roads have one for.

    start, end, cost : (e,) edges;  node 0 is the root: everything that is lit
    lifetime  : (e,) int64 over the horizon [VND]
    indptr, neighbour, edge : (n + 1,), (2e,), (2e,) the edges at each node
    place     : (N,) int32 small number of a road node; -1: gone
    distance  : (n,) int64 cheapest way to the root [VND]
    parts     : of each small edge, the road edges that it stands for
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    cost: NDArray[np.int64]
    lifetime: NDArray[np.int64]
    indptr: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    edge: NDArray[np.int64]
    place: NDArray[np.int32]
    distance: NDArray[np.int64]
    parts: tuple[tuple[int, ...], ...]

    @property
    def nodes(self) -> int:
        return len(self.indptr) - 1

    def road_edges(self, edges: NDArray[np.int64]) -> NDArray[np.int32]:
        """Edges of the roads that the small edges stand for, ascending."""
        return np.array(sorted({r for e in edges.tolist() for r in self.parts[e]}), dtype=np.int32)


def network_of(roads: Roads, stops: NDArray[np.integer], budget_vnd: int | None = None) -> Network:
    """Contract the roads to what trees between lit nodes and stops need.

    stops : road nodes that fibre may have to reach.  budget_vnd : ways to the root that cost more are left out.
    Ends that are no stop go; a node between two edges becomes one edge; of parallel edges the cheapest stays, and any
    that costs less over the horizon.
    """
    nodes = len(roads.lit)
    small = np.where(roads.lit, 0, np.cumsum(~roads.lit))  # the root first
    keep = np.zeros(int(small.max(initial=0)) + 1, dtype=bool)
    keep[ROOT] = True
    keep[small[stops]] = True
    thicket = _Thicket(len(keep))
    for e, (u, v) in enumerate(zip(small[roads.start].tolist(), small[roads.end].tolist(), strict=True)):
        thicket.join(u, v, Way(int(roads.cost_vnd[e]), int(roads.horizon_vnd[e]), (e,)))
    within = thicket.distances(ROOT)
    limit = FAR if budget_vnd is None else budget_vnd
    for node in range(len(keep)):
        if within[node] > limit:
            thicket.drop(node)
            keep[node] = False
    thicket.contract(keep)
    return _network(thicket, keep, small, nodes)


class Way(NamedTuple):
    """Between two nodes: what it costs, over the horizon as well, and the road edges that it is made of."""

    cost: int
    lifetime: int
    parts: tuple[int, ...]


class _Thicket:
    """A graph under contraction: for each node its neighbours, with the ways there, none of which another undercuts."""

    def __init__(self, nodes: int) -> None:
        self.near: list[dict[int, list[Way]]] = [{} for _ in range(nodes)]

    def join(self, u: int, v: int, way: Way) -> None:
        ways = self.near[u].get(v, [])
        if u == v or any(w.cost <= way.cost and w.lifetime <= way.lifetime for w in ways):
            return
        kept = [w for w in ways if w.cost < way.cost or w.lifetime < way.lifetime]
        self.near[u][v] = self.near[v][u] = [*kept, way]

    def drop(self, node: int) -> None:
        for other in self.near[node]:
            del self.near[other][node]
        self.near[node] = {}

    def contract(self, keep: NDArray[np.bool_]) -> None:
        waiting = [node for node in range(len(self.near)) if not keep[node]]
        while waiting:
            node = waiting.pop()
            near = list(self.near[node].items())
            if keep[node] or not near or len(near) > 2:
                continue
            self.drop(node)
            if len(near) == 2:
                (u, there), (v, onward) = near
                for a, b in product(there, onward):
                    self.join(u, v, Way(a.cost + b.cost, a.lifetime + b.lifetime, a.parts + b.parts))
            waiting.extend(other for other, _ in near)

    def distances(self, source: int) -> list[int]:
        """Cheapest way from the source to each node; FAR where there is none."""
        far = int(FAR)
        best = [far] * len(self.near)
        best[source] = 0
        heap = [(0, source)]
        while heap:
            cost, node = heapq.heappop(heap)
            if cost > best[node]:
                continue
            for other, ways in self.near[node].items():
                step = min(way.cost for way in ways)
                if cost + step < best[other]:
                    best[other] = cost + step
                    heapq.heappush(heap, (cost + step, other))
        return best


def _network(thicket: _Thicket, keep: NDArray[np.bool_], small: NDArray[np.int64], nodes: int) -> Network:
    alive = keep | np.array([bool(near) for near in thicket.near])
    number = np.where(alive, np.cumsum(alive) - 1, -1)
    edges = sorted(
        (int(number[u]), int(number[v]), *way)
        for u, near in enumerate(thicket.near)
        for v, ways in near.items()
        for way in ways
        if u < v
    )
    start = np.array([e[0] for e in edges], dtype=np.int64)
    end = np.array([e[1] for e in edges], dtype=np.int64)
    cost = np.array([e[2] for e in edges], dtype=np.int64)
    tail, head = np.concatenate([start, end]), np.concatenate([end, start])
    order = np.lexsort((head, tail))
    count = np.bincount(tail, minlength=int(alive.sum()))
    distance = np.array(thicket.distances(ROOT), dtype=np.int64)[alive]
    return Network(
        start=start, end=end, cost=cost, lifetime=np.array([e[3] for e in edges], dtype=np.int64),
        indptr=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        neighbour=head[order], edge=np.tile(np.arange(len(start)), 2)[order],
        place=number[small].astype(np.int32) if nodes else np.empty(0, np.int32),
        distance=distance, parts=tuple(e[4] for e in edges),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def spread(
    indptr: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    edge: NDArray[np.int64],
    cost: NDArray[np.int64],
    distance: NDArray[np.int64],
    by: NDArray[np.int64],
    heap: list[tuple[np.int64, np.int64]],
    most: np.int64,
) -> None:
    """Dijkstra from the nodes of the heap on, in place: distances that fall, and the edge that each node came by.
    Ways longer than `most` are not followed. O(edges reached x log)."""
    while len(heap) > 0:
        reached, node = heapq.heappop(heap)
        if reached > distance[node]:
            continue
        for i in range(indptr[node], indptr[node + 1]):
            further = reached + cost[edge[i]]
            other = neighbour[i]
            if further < distance[other] and further <= most:
                distance[other] = further
                by[other] = edge[i]
                heapq.heappush(heap, (further, other))
