"""Where fibre can be laid: roads and straight links between new places and what is lit, each trench with its price.

A trench is paid once however many towers hang on it: which are dug is for the decision to say. What a place would
cost alone is known beforehand, from one search over the same network.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from phusong.data_sources.area import Layers
from phusong.scenarios.candidates.roads import Price, RoadGraph, Ways, straight_ways
from phusong.scenarios.candidates.settings import Costs

ROUTE_SPACING_M = 250.0  # a fibre route can be tapped at least this often


@dataclass(frozen=True, slots=True)
class FibreNetwork:
    """Trenches that could be dug: N nodes, E edges, each drawn straight between its nodes.

    xy         : (N, 2) float64, metric CRS;  lit: (N,) bool, fibre is there already
    start, end : (E,) int64 nodes; no two edges join the same pair
    length_m   : (E,) float64 of cable;  inferred: (E,) bool, over ground where no road is mapped
    priced_m   : (E,) float64, metres of roadside trench that cost as much
    trench_vnd, upkeep_vnd_per_year : (E,) int64
    lifetime_vnd : (E,) int64, the trench and its upkeep over the horizon
    """

    xy: NDArray[np.float64]
    lit: NDArray[np.bool_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    length_m: NDArray[np.float64]
    inferred: NDArray[np.bool_]
    priced_m: NDArray[np.float64]
    trench_vnd: NDArray[np.int64]
    upkeep_vnd_per_year: NDArray[np.int64]
    lifetime_vnd: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FibrePaths:
    """Cheapest way of fibre to each of K places, were it the only one.

    trench_vnd : (K,) float64; infinite = none
    length_m   : (K,) float64, metres of cable; inferred_m: of these, over ground where no road is mapped
    """

    trench_vnd: NDArray[np.float64]
    length_m: NDArray[np.float64]
    inferred_m: NDArray[np.float64]


def lit_places(layers: Layers, sectors: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(P, 2) where fibre can start: PoPs, fibre routes, sites whose backhaul is fibre (unknown = not lit)."""
    routes = shapely.segmentize(shapely.get_parts(layers.fibre_routes.geometry.values), ROUTE_SPACING_M)
    lit_sites = sectors[sectors["backhaul"] == "fibre"]
    points = [layers.pops.geometry.values, routes, lit_sites.geometry.values]
    return np.unique(np.concatenate([shapely.get_coordinates(shape) for shape in points]), axis=0)


def fibre_network(
    graph: RoadGraph,
    place_xy: NDArray[np.float64],
    lit_xy: NDArray[np.float64],
    price: Price,
    off_road_limit_m: float,
    costs: Costs,
    horizon_years: int,
) -> FibreNetwork:
    """The roads, with a node for each place after theirs and one for each lit place after those.

    The graph's attached points are the places, then the lit places, in this order. Each is linked to the foot on its
    nearest road, and every place straight to its nearest lit place, when within the limit; so no place ever
    pays more than for that straight link. Of several ways between two nodes the cheapest is kept.
    """
    count, lit_count, nodes = len(place_xy), len(lit_xy), len(graph.xy)
    attached = nodes + np.arange(count + lit_count)
    xy = np.concatenate([graph.xy, place_xy, lit_xy])
    has_foot = graph.foot >= 0
    links = [np.column_stack([attached[has_foot], graph.foot[has_foot]])]
    if lit_count:
        distance_m, nearest = cKDTree(lit_xy).query(place_xy, distance_upper_bound=off_road_limit_m)
        direct = np.isfinite(distance_m)
        links.append(np.column_stack([attached[:count][direct], nodes + count + nearest[direct]]))
    ways = Ways.joined(graph.ways, straight_ways(xy, np.concatenate(links), inferred=True, price=price))
    ways = _cheapest(ways)
    trench_vnd = np.round(_priced_m(ways) / 1000.0 * costs.fibre_vnd_per_km.value).astype(np.int64)
    upkeep = np.round(ways.length_m / 1000.0 * costs.fibre_vnd_per_km_per_year.value).astype(np.int64)
    return FibreNetwork(
        xy=xy, lit=np.arange(len(xy)) >= nodes + count, start=ways.start, end=ways.end, length_m=ways.length_m,
        inferred=ways.inferred, priced_m=_priced_m(ways), trench_vnd=trench_vnd, upkeep_vnd_per_year=upkeep,
        lifetime_vnd=trench_vnd + horizon_years * upkeep,
    )  # fmt: skip


def fibre_paths(network: FibreNetwork, node: NDArray[np.int64]) -> FibrePaths:
    """The cheapest way from anything lit to each of some nodes: one search from all lit nodes at once (Dijkstra)."""
    nodes, count = len(network.xy), len(node)
    trench_vnd, length_m, inferred_m = (np.full(count, np.inf) for _ in range(3))
    if not network.lit.any():
        return FibrePaths(trench_vnd, length_m, inferred_m)
    priced = csr_array((network.priced_m, (network.start, network.end)), shape=(nodes, nodes))
    distance, before, _ = dijkstra(
        priced, directed=False, indices=np.flatnonzero(network.lit), return_predecessors=True, min_only=True
    )
    key = network.start * nodes + network.end  # edges are sorted so
    previous: list[int] = before.tolist()
    for place in np.flatnonzero(np.isfinite(distance[node])).tolist():
        chain = [int(node[place])]
        while (last := previous[chain[-1]]) >= 0:
            chain.append(last)
        step = np.array(chain, dtype=np.int64)
        low, high = np.minimum(step[1:], step[:-1]), np.maximum(step[1:], step[:-1])
        edge = np.searchsorted(key, low * nodes + high)
        trench_vnd[place] = network.trench_vnd[edge].sum()
        length_m[place] = network.length_m[edge].sum()
        inferred_m[place] = network.length_m[edge][network.inferred[edge]].sum()
    return FibrePaths(trench_vnd, length_m, inferred_m)


def _priced_m(ways: Ways) -> NDArray[np.float64]:
    return np.asarray(np.maximum(ways.length_m, 0.01) * ways.price)  # never zero: a sparse zero would be no way at all


def _cheapest(ways: Ways) -> Ways:
    """Sorted by their two nodes, the lower first; of several ways between two nodes the cheapest, none to itself."""
    low, high = np.minimum(ways.start, ways.end), np.maximum(ways.start, ways.end)
    order = np.lexsort((_priced_m(ways), high, low))
    low, high = low[order], high[order]
    first = np.r_[True, (np.diff(low) != 0) | (np.diff(high) != 0)][: len(low)] & (low < high)
    kept = order[first]
    return Ways(low[first], high[first], ways.length_m[kept], ways.price[kept], ways.inferred[kept])
