"""The road graph and fibre along it, against brute force."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.scenarios.candidates.fibre import FibreNetwork, FibrePaths, fibre_network, fibre_paths
from phusong.scenarios.candidates.roads import RoadGraph, road_graph
from phusong.scenarios.candidates.settings import Costs
from phusong.scenarios.candidates.trenches import offered_trenches

NOWHERE = np.empty((0, 2))
A_DONG_A_MILLIMETRE = Costs(fibre_vnd_per_km=1e6, fibre_vnd_per_km_per_year=1e3)
LIMIT_M = 10_000.0


def flat(start_xy: np.ndarray, end_xy: np.ndarray) -> np.ndarray:
    return np.ones(len(start_xy))


def westward_is_dearer(start_xy: np.ndarray, end_xy: np.ndarray) -> np.ndarray:
    return 1.0 + (start_xy[:, 0] + end_xy[:, 0] < 4000.0)


def roads(*lines: Sequence[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=32648)


def graph_of(frame: gpd.GeoDataFrame, attach_xy: np.ndarray = NOWHERE, limit_m: float = LIMIT_M) -> RoadGraph:
    return road_graph(frame, attach_xy, flat, snap_m=20.0, off_road_limit_m=limit_m)


def network_of(graph: RoadGraph, places: np.ndarray, lit: np.ndarray, price, limit_m: float) -> FibreNetwork:
    return fibre_network(graph, places, lit, price, limit_m, A_DONG_A_MILLIMETRE, 10)


def alone(graph: RoadGraph, places: np.ndarray, lit: np.ndarray, price, limit_m: float) -> FibrePaths:
    network = network_of(graph, places, lit, price, limit_m)
    return fibre_paths(network, len(graph.xy) + np.arange(len(places)))


@pytest.mark.parametrize(
    ("second", "pieces"),
    [
        ([(1019.0, 0.0), (2000.0, 0.0)], 1),  # ends 19 m apart
        ([(1021.0, 0.0), (2000.0, 0.0)], 2),  # ends 21 m apart
        ([(500.0, 19.0), (500.0, 900.0)], 1),  # ends 19 m beside the middle of the first
        ([(500.0, 21.0), (500.0, 900.0)], 2),
        ([(500.0, -400.0), (500.0, 400.0)], 1),  # crosses it where neither has a vertex
        ([(500.0, 400.0), (501.0, 25.0), (700.0, 400.0)], 2),  # passes near without ending there
    ],
)
def test_roads_meet_where_they_end_near_each_other_or_cross(second, pieces):
    assert graph_of(roads([(0.0, 0.0), (1000.0, 0.0)], second)).components == pieces


def test_a_vertex_shared_in_the_middle_joins_two_roads():
    graph = graph_of(roads([(0, 0), (500, 30), (1000, 0)], [(0, 900), (500, 30), (1000, 900)]))
    assert graph.components == 1


def test_joining_loses_no_length():
    """Ten pieces of 10 m in a row, all shorter than the snapping distance: still 100 m to the far end."""
    pieces = [[(10.0 * k, 0.0), (10.0 * k + 10.0, 0.0)] for k in range(10)]
    places = np.array([[100.0, 0.0]])
    lit = np.array([[0.0, 0.0]])
    graph = road_graph(roads(*pieces), np.concatenate([places, lit]), flat, snap_m=5.0, off_road_limit_m=LIMIT_M)
    assert alone(graph, places, lit, flat, 1.0).trench_vnd == pytest.approx([100_000], abs=100)


def test_pieces_beyond_the_limit_stay_apart():
    frame = roads([(0, 0), (1000, 0)], [(1000, 3000), (2000, 3000)], [(0, 9000), (1000, 9000)])
    graph = graph_of(frame, limit_m=4000.0)
    assert (graph.components, graph.linked) == (3, 1)
    assert graph.ways.length_m[graph.ways.inferred].tolist() == [3000.0]


def test_a_road_drawn_twice_costs_no_more():
    frame = roads([(0, 0), (1000, 0)], [(0, 0), (1000, 0)])
    places, lit = np.array([[1000.0, 0.0]]), np.array([[0.0, 0.0]])
    graph = graph_of(frame, np.concatenate([places, lit]))
    assert alone(graph, places, lit, flat, 1.0).trench_vnd == pytest.approx([1_000_000], abs=100)
    network = network_of(graph, places, lit, flat, 1.0)
    assert len({(a, b) for a, b in zip(network.start, network.end, strict=True)}) == len(network.start)
    assert (network.start < network.end).all()


points = st.tuples(st.integers(0, 80), st.integers(0, 80)).map(lambda p: (50.0 * p[0], 50.0 * p[1]))
networks = st.lists(st.tuples(points, points).filter(lambda line: line[0] != line[1]), min_size=2, max_size=12)


@settings(max_examples=40, deadline=None)
@given(networks)
def test_inferred_links_are_a_minimum_spanning_set(lines):
    graph = graph_of(roads(*lines))
    road = ~graph.ways.inferred
    piece = _pieces(len(graph.xy), graph.ways.start[road], graph.ways.end[road])
    assert graph.linked == graph.components - 1 == len(set(piece)) - 1
    distance_m = np.hypot(*(graph.xy[:, None] - graph.xy[None]).transpose(2, 0, 1))
    # Kruskal over every pair of nodes.
    total_m = 0.0
    for a, b in zip(*np.unravel_index(np.argsort(distance_m, axis=None, kind="stable"), distance_m.shape), strict=True):
        if piece[a] != piece[b]:
            total_m += distance_m[a, b]
            piece = [piece[a] if p == piece[b] else p for p in piece]
    assert graph.ways.length_m[~road].sum() == pytest.approx(total_m)


@settings(max_examples=40, deadline=None)
@given(networks, st.lists(points, min_size=1, max_size=4, unique=True), st.lists(points, min_size=1, max_size=3))
def test_fibre_is_the_cheapest_path_and_never_dearer_than_the_straight_way(lines, places, lit):
    place_xy, lit_xy = np.array(places) + 7.0, np.unique(np.array(lit) - 3.0, axis=0)
    attach_xy = np.concatenate([place_xy, lit_xy])
    graph = road_graph(roads(*lines), attach_xy, westward_is_dearer, snap_m=20.0, off_road_limit_m=LIMIT_M)
    found = alone(graph, place_xy, lit_xy, westward_is_dearer, LIMIT_M)

    links = [(len(graph.xy) + k, int(foot)) for k, foot in enumerate(graph.foot)]
    for k, xy in enumerate(place_xy):
        nearest = int(np.argmin(np.hypot(*(lit_xy - xy).T)))
        links.append((len(graph.xy) + k, len(graph.xy) + len(place_xy) + nearest))
    xy = np.concatenate([graph.xy, attach_xy])
    ways = [*zip(graph.ways.start, graph.ways.end, graph.ways.length_m * graph.ways.price, strict=True)]
    for a, b in links:
        price = westward_is_dearer(xy[a][None], xy[b][None])[0]
        ways.append((a, b, max(np.hypot(*(xy[a] - xy[b])), 0.01) * price))
    sources = range(len(graph.xy) + len(place_xy), len(xy))
    brute = _dijkstra(len(xy), ways, sources)[len(graph.xy) : len(graph.xy) + len(place_xy)]
    assert found.trench_vnd / 1000.0 == pytest.approx(brute, rel=1e-6, abs=0.05)

    straight_m = np.hypot(*(place_xy[:, None] - lit_xy[None]).transpose(2, 0, 1))
    nearest = straight_m.argmin(axis=1)
    direct = straight_m.min(axis=1) * westward_is_dearer(place_xy, lit_xy[nearest])
    assert (found.trench_vnd / 1000.0 <= direct + 0.05).all()
    assert (found.length_m >= straight_m.min(axis=1) - 0.5).all()
    assert (found.inferred_m <= found.length_m + 1e-6).all()


@settings(max_examples=40, deadline=None)
@given(networks, st.lists(points, min_size=2, max_size=5, unique=True), st.lists(points, min_size=1, max_size=2))
def test_offered_trenches_hold_every_own_route_and_a_spanning_tree(lines, places, lit):
    """What they leave out lengthens neither a place's own route nor the least spanning tree over all places."""
    place_xy, lit_xy = np.array(places) + 7.0, np.unique(np.array(lit) - 3.0, axis=0)
    attach_xy = np.concatenate([place_xy, lit_xy])
    graph = road_graph(roads(*lines), attach_xy, westward_is_dearer, snap_m=20.0, off_road_limit_m=LIMIT_M)
    whole = network_of(graph, place_xy, lit_xy, westward_is_dearer, LIMIT_M)
    node = len(graph.xy) + np.arange(len(places))
    fewer = offered_trenches(whole, node)
    assert len(fewer.start) <= len(whole.start)
    assert fibre_paths(fewer, node).trench_vnd == pytest.approx(fibre_paths(whole, node).trench_vnd, abs=50)
    assert _spanning_m(fewer, node) == pytest.approx(_spanning_m(whole, node), abs=0.01)


def _spanning_m(network: FibreNetwork, node: np.ndarray) -> float:
    """Least tree over the places and what is lit, as one, by the length of the routes between them (Prim)."""
    ways = [*zip(network.start.tolist(), network.end.tolist(), network.priced_m.tolist(), strict=True)]
    lit = np.flatnonzero(network.lit).tolist()
    from_lit = _dijkstra(len(network.xy), ways, lit)
    apart = [_dijkstra(len(network.xy), ways, [n])[node] for n in node.tolist()]
    near, left, total = from_lit[node].copy(), set(range(len(node))), 0.0
    while left:
        nearest = min(left, key=lambda k: near[k])
        left.remove(nearest)
        total += near[nearest]
        near = np.minimum(near, apart[nearest])
    return float(total)


def test_without_a_lit_place_there_is_no_fibre():
    place = np.array([[10.0, 10.0]])
    found = alone(graph_of(roads([(0, 0), (100, 0)]), place), place, NOWHERE, flat, LIMIT_M)
    assert np.isinf(found.trench_vnd).all()
    assert np.isinf(found.length_m).all()


def test_without_roads_fibre_goes_straight():
    place, lit = np.array([[300.0, 400.0]]), np.array([[0.0, 0.0]])
    graph = graph_of(roads(), np.concatenate([place, lit]))
    found = alone(graph, place, lit, flat, LIMIT_M)
    assert found.trench_vnd == pytest.approx([500_000])
    assert found.inferred_m == pytest.approx([500.0])
    network = network_of(graph, place, lit, flat, LIMIT_M)
    assert (network.upkeep_vnd_per_year.tolist(), network.lifetime_vnd.tolist()) == ([500], [505_000])


def _pieces(nodes, start, end):
    piece = list(range(nodes))
    for a, b in zip(start, end, strict=True):
        piece = [piece[a] if p == piece[b] else p for p in piece]
    return piece


def _dijkstra(nodes, ways, sources):
    neighbours = [[] for _ in range(nodes)]
    for a, b, cost in ways:
        neighbours[a].append((b, cost))
        neighbours[b].append((a, cost))
    best = np.full(nodes, np.inf)
    queue = [(0.0, s) for s in sources]
    while queue:
        cost, node = heapq.heappop(queue)
        if cost < best[node]:
            best[node] = cost
            for other, step in neighbours[node]:
                heapq.heappush(queue, (cost + step, other))
    return best
