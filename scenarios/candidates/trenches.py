"""Of a large network of roads, the trenches that are offered: the cheapest routes between neighbouring places.

Roads of a plain are a grid, and nearly every piece of it lies on some cheapest route between two of its crossings.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from phusong.scenarios.candidates.fibre import FibreNetwork


def offered_trenches(network: FibreNetwork, place_node: NDArray[np.int64]) -> FibreNetwork:
    """The same nodes with fewer edges.

    place_node : (K,) nodes that fibre may have to reach
    Kept are the cheapest route from what is lit to each place, and of all routes between two places (or a place and
    what is lit) whose nearest-place regions touch, the cheapest that stays in the two regions. They hold a minimum
    spanning tree of all places by the cost of the routes between them, for any set of roads: Mehlhorn (1988), "A faster
    approximation algorithm for the Steiner problem in graphs". A cheaper tree with a meeting point off these routes
    is not offered.
    """
    size = len(network.xy)
    graph = csr_array((network.priced_m, (network.start, network.end)), shape=(size, size))
    lit = np.flatnonzero(network.lit)
    if not len(lit):
        return network
    key = network.start * size + network.end  # edges are sorted so

    distance, before, _ = dijkstra(graph, directed=False, indices=lit, return_predecessors=True, min_only=True)
    kept = _back(key, size, before, place_node[np.isfinite(distance[place_node])])

    ends = np.concatenate([lit, place_node])
    distance, before, owner = dijkstra(graph, directed=False, indices=ends, return_predecessors=True, min_only=True)
    region = np.where(network.lit[owner], -1, owner)  # all that is lit is one
    between = np.isfinite(distance[network.start]) & (region[network.start] != region[network.end])
    edge = np.flatnonzero(between)
    start, end = network.start[edge], network.end[edge]
    low, high = np.minimum(region[start], region[end]), np.maximum(region[start], region[end])
    route_m = distance[start] + network.priced_m[edge] + distance[end]
    order = np.lexsort((edge, route_m, high, low))
    first = np.r_[True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)][: len(order)]
    bridge = edge[order[first]]
    kept[bridge] = True
    kept |= _back(key, size, before, np.concatenate([network.start[bridge], network.end[bridge]]))
    per_edge = {f.name: getattr(network, f.name)[kept] for f in fields(network) if f.name not in ("xy", "lit")}
    return replace(network, **per_edge)


def _back(key: NDArray[np.int64], size: int, before: NDArray[np.int32], node: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(E,) the edges from each node back to where its search began, all nodes a step at a time."""
    taken = np.zeros(len(key), dtype=np.bool_)
    at = np.unique(node)
    while len(at):
        last = before[at].astype(np.int64)
        at, last = at[last >= 0], last[last >= 0]
        edge = np.searchsorted(key, np.minimum(at, last) * size + np.maximum(at, last))
        fresh = ~taken[edge]
        taken[edge] = True
        at = np.unique(last[fresh])
    return taken
