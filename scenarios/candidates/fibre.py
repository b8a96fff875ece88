"""Fibre from the nearest lit place, along roads where there are any.

Every place is charged the whole of its own trench: where two new towers would share one, the sum of the two is an
upper bound of what they cost together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from phusong.data_sources.area import Layers
from phusong.scenarios.candidates.roads import Price, RoadGraph, Ways, straight_ways

ROUTE_SPACING_M = 250.0  # a fibre route can be tapped at least this often


@dataclass(frozen=True, slots=True)
class FibrePaths:
    """Cheapest way of fibre to each of K places.

    priced_m   : (K,) float64, length weighted by price: metres of roadside trench that cost as much; infinite = none
    length_m   : (K,) float64, metres of cable; inferred_m: of these, over ground where no road is mapped
    path       : the ways as lines, from the lit place to the place; None = none
    """

    priced_m: NDArray[np.float64]
    length_m: NDArray[np.float64]
    inferred_m: NDArray[np.float64]
    path: tuple[shapely.LineString | None, ...]


def lit_places(layers: Layers, sectors: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(P, 2) where fibre can start: PoPs, fibre routes, sites whose backhaul is fibre (unknown = not lit)."""
    routes = shapely.segmentize(shapely.get_parts(layers.fibre_routes.geometry.values), ROUTE_SPACING_M)
    lit_sites = sectors[sectors["backhaul"] == "fibre"]
    points = [layers.pops.geometry.values, routes, lit_sites.geometry.values]
    return np.unique(np.concatenate([shapely.get_coordinates(shape) for shape in points]), axis=0)


def fibre_paths(
    graph: RoadGraph, place_xy: NDArray[np.float64], lit_xy: NDArray[np.float64], price: Price, off_road_limit_m: float
) -> FibrePaths:
    """One search from all lit places at once (Dijkstra) over roads and straight links.

    The graph's attached points are the places, then the lit places, in this order. Each is linked to the foot on its
    nearest road, and every place straight to its nearest lit place, when within the limit; so no place ever
    pays more than for that straight link.
    """
    count, lit_count, nodes = len(place_xy), len(lit_xy), len(graph.xy)
    if lit_count == 0:
        nothing = np.full(count, np.inf)
        return FibrePaths(nothing, nothing, nothing, (None,) * count)
    attached = nodes + np.arange(count + lit_count)
    xy = np.concatenate([graph.xy, place_xy, lit_xy])
    has_foot = graph.foot >= 0
    to_road = np.column_stack([attached[has_foot], graph.foot[has_foot]])
    distance_m, nearest = cKDTree(lit_xy).query(place_xy, distance_upper_bound=off_road_limit_m)
    direct = np.isfinite(distance_m)
    to_lit = np.column_stack([attached[:count][direct], nodes + count + nearest[direct]])
    links = straight_ways(xy, np.concatenate([to_road, to_lit]), inferred=True, price=price)
    ways = Ways.joined(graph.ways, links)

    distances, before, _ = dijkstra(
        _cheapest(ways, len(xy)), directed=False, indices=attached[count:], return_predecessors=True, min_only=True
    )
    inferred = set(zip(*np.sort([ways.start[ways.inferred], ways.end[ways.inferred]], axis=0).tolist(), strict=True))
    previous: list[int] = before.tolist()
    length_m, inferred_m = np.full(count, np.inf), np.full(count, np.inf)
    path: list[shapely.LineString | None] = []
    for place in range(count):
        if not np.isfinite(distances[nodes + place]):
            path.append(None)
            continue
        chain = [nodes + place]
        while (node := previous[chain[-1]]) >= 0:
            chain.append(node)
        chain.reverse()
        step_m = np.hypot(*np.diff(xy[chain], axis=0).T)
        off_road = [(min(a, b), max(a, b)) in inferred for a, b in pairwise(chain)]
        length_m[place] = step_m.sum()
        inferred_m[place] = step_m[np.array(off_road, dtype=np.bool_)].sum()
        path.append(shapely.LineString(xy[chain]) if len(chain) > 1 else None)
    return FibrePaths(distances[nodes : nodes + count], length_m, inferred_m, tuple(path))


def _cheapest(ways: Ways, nodes: int) -> csr_array:
    """Sparse matrix of priced lengths; of several ways between two nodes the cheapest (a plain sum would add them)."""
    low, high = np.minimum(ways.start, ways.end), np.maximum(ways.start, ways.end)
    priced_m = np.maximum(ways.length_m, 0.01) * ways.price  # never zero: a sparse zero would be no way at all
    order = np.lexsort((priced_m, high, low))
    low, high, priced_m = low[order], high[order], priced_m[order]
    first = np.r_[True, (np.diff(low) != 0) | (np.diff(high) != 0)][: len(low)]
    return csr_array((priced_m[first], (low[first], high[first])), shape=(nodes, nodes))
