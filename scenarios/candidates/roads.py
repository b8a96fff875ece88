"""The roads as one graph along which cables can be laid.

Maps break roads where somebody stopped drawing. Ends within the snapping distance of each other, or of another road,
are joined; what still stands apart is linked by the fewest, cheapest straight ways over the ground, marked inferred.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree

NODE_SPACING_M = 250.0  # longest piece of road between two nodes: links start near where they would in the field

# How much dearer the straight way over the ground is: (start_xy, end_xy) -> (N,); infinite = impossible.
Price = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways between nodes, in both directions.

    start, end : (E,) int64 nodes
    length_m   : (E,) float64
    price      : (E,) float64, times dearer than the same length along a road; 1 on roads
    inferred   : (E,) bool, over ground where no road is mapped
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    length_m: NDArray[np.float64]
    price: NDArray[np.float64]
    inferred: NDArray[np.bool_]

    @classmethod
    def joined(cls, *several: Ways) -> Ways:
        return cls(*(np.concatenate([getattr(ways, f.name) for ways in several]) for f in fields(cls)))

    def __getitem__(self, which: NDArray[Any]) -> Ways:
        return Ways(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """Roads as nodes and ways.

    xy         : (N, 2) float64, metric CRS
    foot       : (K,) int64 node where each attached point meets its nearest road, -1 = none within the limit
    foot_xy    : (K, 2) float64 where that is, NaN = none
    components : connected pieces of road after snapping; linked: of these, how many were tied in by inferred ways
    """

    xy: NDArray[np.float64]
    ways: Ways
    foot: NDArray[np.int64]
    foot_xy: NDArray[np.float64]
    components: int
    linked: int


def road_graph(
    roads: gpd.GeoDataFrame,
    attach_xy: NDArray[np.float64],
    price: Price,
    *,
    snap_m: float,
    off_road_limit_m: float,
) -> RoadGraph:
    """Graph of a road layer (LineString, metric CRS), with a node at the foot of every attached point."""
    lines = shapely.get_parts(roads.geometry.values)
    lines = shapely.segmentize(lines[shapely.length(lines) > 0], NODE_SPACING_M)
    tree = shapely.STRtree(lines)
    foot_point, foot_line, met_xy = _feet(tree, attach_xy, off_road_limit_m)
    crossing_line, crossing_xy = _crossings(tree)
    end_xy = _ends(lines)
    tee_end, tee_line, tee_xy = _tees(tree, end_xy, snap_m)

    split_line = np.concatenate([foot_line, crossing_line, tee_line])
    split_xy = np.concatenate([met_xy, crossing_xy, tee_xy])
    xy, ways = _nodes_and_ways(lines, split_line, split_xy)
    keys = _node_keys(xy)

    def node_of(points_xy: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(keys, _node_keys(points_xy)), dtype=np.int64)

    end_node = node_of(end_xy)
    near = cKDTree(end_xy).query_pairs(snap_m, output_type="ndarray") if len(end_xy) else np.empty((0, 2), np.int64)
    joins = np.concatenate([end_node[near], np.column_stack([end_node[tee_end], node_of(tee_xy)])])
    ways = Ways.joined(ways, _spanning(straight_ways(xy, joins, inferred=False), len(xy)))

    foot = np.full(len(attach_xy), -1, dtype=np.int64)
    foot[foot_point] = node_of(met_xy)
    foot_xy = np.full((len(attach_xy), 2), np.nan)
    foot_xy[foot_point] = met_xy

    pieces, piece = connected_components(coo_array((ways.price, (ways.start, ways.end)), (len(xy), len(xy))), False)
    links = _links_between(xy, piece, price, off_road_limit_m)
    return RoadGraph(xy, Ways.joined(ways, links), foot, foot_xy, int(pieces), len(links.start))


def straight_ways(
    xy: NDArray[np.float64], pairs: NDArray[np.int64], *, inferred: bool, price: Price | None = None
) -> Ways:
    """Straight ways between pairs of nodes (P, 2); those that the ground forbids are left out."""
    start, end = pairs.reshape(-1, 2).T
    length_m = np.hypot(*(xy[end] - xy[start]).T)
    factor = np.ones(len(start)) if price is None else price(xy[start], xy[end])
    ways = Ways(start, end, length_m, factor, np.full(len(start), inferred))
    return ways[np.isfinite(factor)]


def _spanning(ways: Ways, nodes: int) -> Ways:
    """Of the short ways between ends that lie together, a least set that joins them: a tangle is no choice."""
    tree = minimum_spanning_tree(_shortest(ways, nodes)).tocoo()
    low, high = np.minimum(ways.start, ways.end), np.maximum(ways.start, ways.end)
    kept = np.isin(low * nodes + high, tree.row.astype(np.int64) * nodes + tree.col)
    return ways[kept]


def _shortest(ways: Ways, nodes: int) -> csr_array:
    low, high = np.minimum(ways.start, ways.end), np.maximum(ways.start, ways.end)
    length_m = np.maximum(ways.length_m, 0.01)  # never zero: a sparse zero would be no way at all
    order = np.lexsort((length_m, high, low))
    first = np.r_[True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)][: len(order)]
    one = order[first]
    return csr_array((length_m[one], (low[one], high[one])), shape=(nodes, nodes))


def _node_keys(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """One integer per point to the centimetre, in the order of x, then y; holds to 21,000 km from the origin."""
    x_cm, y_cm = np.round(xy * 100.0).astype(np.int64).T
    return np.asarray(x_cm * 2**32 + y_cm, dtype=np.int64)


def _points_of(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    x_cm = (keys + 2**31) >> 32
    return np.column_stack([x_cm, keys - x_cm * 2**32]) / 100.0


def _ends(lines: NDArray[np.object_]) -> NDArray[np.float64]:
    """(E, 2) distinct first and last points of the lines."""
    both = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    return _points_of(np.unique(_node_keys(shapely.get_coordinates(both))))


def _feet(
    tree: shapely.STRtree, xy: NDArray[np.float64], limit_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Of each point near enough to a road: its number, the nearest line, and the nearest place on it."""
    points = shapely.points(xy)
    point, line = tree.query_nearest(points, max_distance=limit_m, all_matches=False)
    lines = tree.geometries[line]
    foot = shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points[point]))
    return point, line, shapely.get_coordinates(foot)


def _crossings(tree: shapely.STRtree) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Lines that cross another one away from their ends, with the place: each crossing is told for both lines."""
    one, other = tree.query(tree.geometries, predicate="crosses")
    met = shapely.intersection(tree.geometries[np.minimum(one, other)], tree.geometries[np.maximum(one, other)])
    xy, which = shapely.get_coordinates(met, return_index=True)
    return one[which], xy


def _tees(
    tree: shapely.STRtree, end_xy: NDArray[np.float64], snap_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Ends that stop within the snapping distance of the middle of another line."""
    points = shapely.points(end_xy)
    end, line = tree.query(points, predicate="dwithin", distance=snap_m)
    lines = tree.geometries[line]
    along_m = shapely.line_locate_point(lines, points[end])
    middle = (along_m > snap_m) & (along_m < shapely.length(lines) - snap_m)
    place = shapely.line_interpolate_point(lines[middle], along_m[middle])
    return end[middle], line[middle], shapely.get_coordinates(place)


def _nodes_and_ways(
    lines: NDArray[np.object_], split_line: NDArray[np.int64], split_xy: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Ways]:
    """Vertices and splits of the lines as distinct nodes, and the pieces of road between neighbours on a line."""
    vertex_xy, vertex_line = shapely.get_coordinates(lines, return_index=True)
    step_m = np.r_[0.0, np.hypot(*np.diff(vertex_xy, axis=0).T)] if len(vertex_xy) else np.empty(0)
    travelled_m = np.cumsum(step_m)
    first = np.searchsorted(vertex_line, np.arange(len(lines)))
    vertex_along_m = travelled_m - travelled_m[first][vertex_line]
    split_along_m = shapely.line_locate_point(lines[split_line], shapely.points(split_xy))

    xy = np.concatenate([vertex_xy, split_xy])
    line = np.concatenate([vertex_line, split_line])
    along_m = np.concatenate([vertex_along_m, split_along_m])
    order = np.lexsort((along_m, line))
    keys, node = np.unique(_node_keys(xy[order]), return_inverse=True)
    line, along_m = line[order], along_m[order]

    piece = np.flatnonzero((line[1:] == line[:-1]) & (node[1:] != node[:-1]))
    length_m = np.maximum(along_m[piece + 1] - along_m[piece], 0.01)
    roads = Ways(node[piece], node[piece + 1], length_m, np.ones(len(piece)), np.zeros(len(piece), dtype=np.bool_))
    return _points_of(keys), roads


def _links_between(xy: NDArray[np.float64], piece: NDArray[np.int32], price: Price, limit_m: float) -> Ways:
    """Cheapest set of straight ways that ties the pieces of road together, none longer than the limit.

    The closest pair between any set of pieces and the rest is among: the neighbours of the Delaunay triangulation of
    all nodes outside the largest piece, and the nearest node of the largest piece. So no link that a minimum
    spanning tree by length would use is missed; of these the tree by price is taken.
    """
    if len(xy) == 0:
        return straight_ways(xy, np.empty((0, 2), dtype=np.int64), inferred=True)
    main = np.bincount(piece).argmax()
    inside, outside = np.flatnonzero(piece == main), np.flatnonzero(piece != main)
    distance, nearest = cKDTree(xy[inside]).query(xy[outside], distance_upper_bound=limit_m)
    reached = np.isfinite(distance)
    pairs = [np.column_stack([outside[reached], inside[nearest[reached]]]), outside[_neighbours(xy[outside])]]
    pair = np.concatenate(pairs)

    length_m = np.hypot(*(xy[pair[:, 1]] - xy[pair[:, 0]]).T)
    pair = pair[(piece[pair[:, 0]] != piece[pair[:, 1]]) & (length_m <= limit_m)]
    links = straight_ways(xy, pair, inferred=True, price=price)
    if len(links.start) == 0:
        return links
    between = np.sort(piece[np.column_stack([links.start, links.end])], axis=1).astype(np.int64) @ [2**32, 1]
    order = np.lexsort((links.end, links.start, links.price * links.length_m, between))
    cheapest = order[np.unique(between[order], return_index=True)[1]]
    links = links[cheapest]
    a, b = piece[links.start].astype(np.int64), piece[links.end].astype(np.int64)
    pieces = int(piece.max()) + 1
    tree = minimum_spanning_tree(coo_array((links.price * links.length_m, (a, b)), (pieces, pieces)).tocsr()).tocoo()
    return links[np.isin(a * 2**32 + b, tree.row.astype(np.int64) * 2**32 + tree.col)]


def _neighbours(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(P, 2) pairs of points that are neighbours in a Delaunay triangulation."""
    if len(xy) < 4:
        return np.array([(a, b) for a in range(len(xy)) for b in range(a + 1, len(xy))], np.int64).reshape(-1, 2)
    # Joggled, so that points on one straight road do not stop the triangulation.
    corners = Delaunay(xy - xy.mean(axis=0), qhull_options="QJ Pp").simplices
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    return np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)
