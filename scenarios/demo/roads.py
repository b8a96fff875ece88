"""Roads that follow the valleys: highways between commune centres, then a road to almost every hamlet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree

from phusong.scenarios.demo.paths import Paths, least_cost
from phusong.scenarios.demo.settlements import Communes, Hamlets
from phusong.scenarios.demo.terrain import CELL_M, Ground

EASY_GRADE = 0.07  # climbing at 7% doubles the cost
ROADLESS_SHARE = 0.07  # of hamlets, those hardest to reach
LOOPS = 6  # highways beyond what connects all centres
HIGHWAY, PROVINCIAL, VILLAGE = 0, 1, 2
Way = tuple[int, ...]
CLASS_NAME = ("primary", "secondary", "unclassified")
CLASS_WIDTH_M = (9.0, 6.5, 3.5)


@dataclass(frozen=True, slots=True)
class Roads:
    """The road network.

    cells, grade : per road between junctions, its cells in order and its class (HIGHWAY, PROVINCIAL, VILLAGE)
    line         : per road, its line in metres; roads that meet share the end point
    seat_way     : per commune, cells along main roads from its seat to the capital's
    hamlet_way   : per hamlet, cells from it to the nearest main road
    has_road     : (N,) bool, whether that way is a road
    remoteness   : (N,) cost of that way, in metres of easy going
    gates        : flat cells where the two highways leave the province, the border gate first
    """

    cells: tuple[Way, ...]
    grade: NDArray[np.int8]
    line: NDArray[np.object_]
    seat_way: tuple[Way, ...]
    hamlet_way: tuple[Way, ...]
    has_road: NDArray[np.bool_]
    remoteness: NDArray[np.float64]
    gates: tuple[int, int]

    @property
    def main_cells(self) -> NDArray[np.int64]:
        """Cells on highways and provincial roads."""
        main = [cells for cells, grade in zip(self.cells, self.grade, strict=True) if grade < VILLAGE]
        return np.unique(np.concatenate([np.array(cells, dtype=np.int64) for cells in main]))


def make_roads(ground: Ground, communes: Communes, hamlets: Hamlets) -> Roads:
    """Least-cost roads over slope; rivers are dear to cross and nothing is built outside the province."""
    inside = communes.of_cell >= 0
    friction = 1.0 + (ground.slope_deg / 12.0) ** 2 + 2.0 * (ground.upstream_km2 > 30.0)
    friction = np.where(inside, friction, np.inf).astype(np.float32)
    gates = _gates(ground, communes, friction)
    terminals = np.concatenate([communes.seat, gates])
    grown = least_cost(ground.height_m, friction, CELL_M, terminals, EASY_GRADE)
    ways = _ways_between(grown, ground.height_m.shape)
    graph = _network(ways, len(terminals))
    _, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    routes = [_route(before, terminal) for terminal in range(len(terminals))]
    high = {_pair(a, b) for route in routes[len(communes.seat) :] for a, b in pairwise(route)}

    grade_of: dict[tuple[int, int], int] = {}
    for a, b in zip(*graph.nonzero(), strict=True):
        _lay(grade_of, ways[_pair(a, b)][1], HIGHWAY if _pair(a, b) in high else PROVINCIAL)
    built = np.unique(np.array(list(grade_of)))
    approach = least_cost(ground.height_m, friction, CELL_M, built, EASY_GRADE)
    remoteness = approach.cost[hamlets.cell]
    has_road = remoteness <= np.quantile(remoteness, 1.0 - ROADLESS_SHARE)
    hamlet_way = tuple(tuple(approach.way(int(cell))) for cell in hamlets.cell)
    for way, built_there in zip(hamlet_way, has_road, strict=True):
        if built_there:
            _lay(grade_of, way, VILLAGE)
    cells, grade = chains(grade_of, frozenset(communes.seat.tolist()))
    return Roads(
        cells=cells,
        grade=grade,
        line=np.array([_smooth(ground.xy(np.array(c))) for c in cells], dtype=object),
        seat_way=tuple(_along(route, ways, terminals) for route in routes[: len(communes.seat)]),
        hamlet_way=hamlet_way,
        has_road=has_road,
        remoteness=remoteness,
        gates=(int(gates[0]), int(gates[1])),
    )


def _gates(ground: Ground, communes: Communes, friction: NDArray[np.float32]) -> NDArray[np.int64]:
    """Where the highways leave: the easiest points of the western and of the eastern edge."""
    inside = communes.of_cell >= 0
    edge = inside & ~_shrunk(inside)
    from_capital = least_cost(ground.height_m, friction, CELL_M, communes.seat[:1], EASY_GRADE).cost
    col = np.arange(inside.size) % inside.shape[1]
    middle = int(communes.seat[0]) % inside.shape[1]
    sides = (col < 0.4 * middle, col > inside.shape[1] - 0.4 * (inside.shape[1] - middle))
    return np.array([np.argmin(np.where(edge.ravel() & side, from_capital, np.inf)) for side in sides])


def _shrunk(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    framed = np.pad(inside, 1)
    return np.asarray(framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:])


def _ways_between(grown: Paths, shape: tuple[int, ...]) -> dict[tuple[int, int], tuple[float, Way]]:
    """Cheapest way between every two starts whose lands touch: cost and cells. (Mehlhorn, 1988.)"""
    cell = np.arange(grown.cost.size).reshape(shape)
    sides = [(cell[:, :-1].ravel(), cell[:, 1:].ravel()), (cell[:-1].ravel(), cell[1:].ravel())]
    a, b = (np.concatenate(part) for part in zip(*sides, strict=True))
    meeting = (grown.start[a] != grown.start[b]) & (grown.start[a] >= 0) & (grown.start[b] >= 0)
    a, b = a[meeting], b[meeting]
    a, b = np.where(grown.start[a] < grown.start[b], (a, b), (b, a))
    total = grown.cost[a] + grown.cost[b]
    order = np.lexsort((total, grown.start[b], grown.start[a]))
    a, b, total = a[order], b[order], total[order]
    pairs = np.column_stack([grown.start[a], grown.start[b]])
    first = np.flatnonzero(np.any(np.diff(pairs, axis=0, prepend=-1) != 0, axis=1))
    return {
        (int(pairs[i, 0]), int(pairs[i, 1])): (
            float(total[i]),
            (*reversed(grown.way(int(a[i]))), *grown.way(int(b[i]))),
        )
        for i in first
    }


def _network(ways: dict[tuple[int, int], tuple[float, Way]], count: int) -> sparse.csr_array:
    """The tree that connects all at least cost, and the few links that shorten the worst detours."""
    pairs = np.array(list(ways))
    cost = np.array([way[0] for way in ways.values()])
    full = sparse.csr_array((cost, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    graph = sparse.lil_array(minimum_spanning_tree(full))
    for _ in range(LOOPS):
        detour = dijkstra(graph.tocsr(), directed=False)[pairs[:, 0], pairs[:, 1]] / cost
        worst = int(np.argmax(detour))
        graph[pairs[worst, 0], pairs[worst, 1]] = cost[worst]
    return graph.tocsr()


def _route(before: NDArray[np.int32], end: int) -> list[int]:
    route = [end]
    while before[route[-1]] >= 0:
        route.append(int(before[route[-1]]))
    return route


def _along(route: list[int], ways: dict[tuple[int, int], tuple[float, Way]], terminals: NDArray[np.int64]) -> Way:
    """Cells of a route over terminals, each way turned to run on from the one before."""
    cells = [int(terminals[route[0]])]
    for a, b in pairwise(route):
        way = ways[_pair(a, b)][1]
        cells.extend((way if way[0] == cells[-1] else way[::-1])[1:])
    return tuple(cells)


def _pair(a: int, b: int) -> tuple[int, int]:
    return (int(a), int(b)) if a < b else (int(b), int(a))


def _lay(grade_of: dict[tuple[int, int], int], way: Iterable[int], grade: int) -> None:
    for a, b in pairwise(way):
        pair = _pair(a, b)
        grade_of[pair] = min(grade, grade_of.get(pair, grade))


def chains(
    grade_of: dict[tuple[int, int], int], stops: frozenset[int] = frozenset()
) -> tuple[tuple[Way, ...], NDArray[np.int8]]:
    """Steps between cells joined into lines that run from junction, end, stop or change of class to the next."""
    near: dict[int, dict[int, int]] = {}
    for (a, b), grade in sorted(grade_of.items()):
        near.setdefault(a, {})[b] = grade
        near.setdefault(b, {})[a] = grade
    nodes = {cell for cell, ahead in near.items() if len(ahead) != 2 or len(set(ahead.values())) == 2} | stops

    lines, grades = [], []
    walked: set[tuple[int, int]] = set()
    for node in sorted(nodes & near.keys()):
        for step, grade in near[node].items():
            if (node, step) in walked:
                continue
            line = [node, step]
            while line[-1] not in nodes:
                line.append(next(cell for cell in near[line[-1]] if cell != line[-2]))
            walked.add((line[-1], line[-2]))
            lines.append(tuple(line))
            grades.append(grade)
    return tuple(lines), np.array(grades, dtype=np.int8)


def _smooth(points: NDArray[np.float64]) -> shapely.LineString:
    """The line without the staircase of the grid: two rounds of averaging, ends kept, bends under 12 m dropped."""
    for _ in range(2):
        points = np.vstack([points[:1], (points[:-2] + 2.0 * points[1:-1] + points[2:]) / 4.0, points[-1:]])
    return shapely.simplify(shapely.LineString(points), 12.0)
