"""Seeded instances of towers and backhaul together: roads, hamlets along them, candidates at nodes (synthetic)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree

from phusong.solvers.joint.problem import JointProblem
from phusong.solvers.problem import NONE, Problem, Roads

HAMLET_KM2 = 4.0  # area a hamlet
EXTRA_ROADS = 0.25  # roads beyond a spanning tree, a node
LIT = 0.01  # share of road nodes with fibre
TRENCH_VND_KM = 250_000_000
TOWER_VND = (1_200_000_000, 3_000_000_000)
OWN_BACKHAUL_VND = (1_200_000_000, 4_000_000_000)
OWN_BACKHAUL = 0.4  # share of candidates with a way without fibre
REACH_KM = (2.5, 6.0)
# Chance that a group within reach is not behind a ridge, and then that each of its cells is not; where cells hide each
# on its own, the linear relaxation is weaker: two half towers clear what neither does alone.
SEEN = {"ridges": (0.8, 0.95), "speckle": (1.0, 0.8)}
NEEDED = 0.8
SIZES = {"small": (200, 2_000, 300), "middle": (600, 6_000, 900), "large": (2_000, 20_000, 3_000)}


def towers_and_backhaul(
    candidates: int, nodes: int, hamlets: int, seed: int, shade: Literal["ridges", "speckle"] = "ridges"
) -> JointProblem:
    """A joint problem: 1 to 3 groups a hamlet (its centre, clusters) of 1 to 6 cells, 80% of the people needed."""
    rng = np.random.default_rng(seed)
    side_km = float(np.sqrt(hamlets * HAMLET_KM2))
    node_km = rng.uniform(0.0, side_km, (nodes, 2))
    roads = _roads(rng, node_km)
    tower = rng.choice(nodes, candidates, replace=False)
    own = rng.integers(*OWN_BACKHAUL_VND, candidates)
    own[rng.random(candidates) >= OWN_BACKHAUL] = NONE
    return JointProblem(
        coverage=_coverage(rng, node_km, node_km[tower], hamlets, *SEEN[shade]),
        roads=roads,
        option_node=tower.astype(np.int32),
        own_backhaul_vnd=own,
    )


def cost_to_connect_all(problem: JointProblem) -> int:
    """VND of every candidate tower, and of the ways to them: the spanning tree of their cheapest detours (Mehlhorn)."""
    roads = problem.roads
    nodes = len(roads.lit)
    where = sparse.coo_array((roads.cost_vnd.astype(float), (roads.start, roads.end)), shape=(nodes, nodes)).tocsr()
    stops = np.unique(np.concatenate([np.flatnonzero(roads.lit), problem.option_node]))
    reach, _, source = dijkstra(where, directed=False, indices=stops, min_only=True, return_predecessors=True)
    between = source[roads.start] != source[roads.end]
    u, v = source[roads.start[between]], source[roads.end[between]]
    cost = reach[roads.start[between]] + roads.cost_vnd[between] + reach[roads.end[between]]
    u, v = np.where(roads.lit[u], -1, u) + 1, np.where(roads.lit[v], -1, v) + 1
    order = np.lexsort((cost, np.maximum(u, v), np.minimum(u, v)))
    u, v, cost = np.minimum(u, v)[order], np.maximum(u, v)[order], cost[order]
    first = np.concatenate([[True], (u[1:] != u[:-1]) | (v[1:] != v[:-1])]) & (u != v)
    table = sparse.coo_array((cost[first], (u[first], v[first])), shape=(nodes + 1, nodes + 1)).tocsr()
    return int(problem.coverage.budget_cost_vnd.sum() + minimum_spanning_tree(table).sum())


def _roads(rng: np.random.Generator, node_km: NDArray[np.float64]) -> Roads:
    mesh = Delaunay(node_km)
    pairs = np.unique(np.sort(np.concatenate([mesh.simplices[:, [a, b]] for a, b in ((0, 1), (1, 2), (0, 2))])), axis=0)
    length_km = np.linalg.norm(node_km[pairs[:, 0]] - node_km[pairs[:, 1]], axis=1)
    nodes = len(node_km)
    table = sparse.coo_array((length_km, (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes)).tocsr()
    tree = minimum_spanning_tree(table).tocoo()
    in_tree = np.isin(pairs[:, 0] * nodes + pairs[:, 1], tree.row.astype(np.int64) * nodes + tree.col)
    spare = np.flatnonzero(~in_tree)
    spare = spare[np.argsort(length_km[spare] * rng.uniform(0.5, 2.0, len(spare)), kind="stable")]
    used = np.concatenate([np.flatnonzero(in_tree), spare[: int(EXTRA_ROADS * nodes)]])
    rough = rng.uniform(0.7, 1.6, len(used))
    lit = np.zeros(nodes, dtype=bool)
    lit[rng.choice(nodes, max(1, round(LIT * nodes)), replace=False)] = True
    return Roads(
        start=pairs[used, 0].astype(np.int32), end=pairs[used, 1].astype(np.int32),
        cost_vnd=np.ceil(length_km[used] * rough * TRENCH_VND_KM).astype(np.int64), lit=lit,
    )  # fmt: skip


def _coverage(
    rng: np.random.Generator,
    node_km: NDArray[np.float64],
    tower_km: NDArray[np.float64],
    hamlets: int,
    group_seen: float,
    cell_seen: float,
) -> Problem:
    hamlet_km = node_km[rng.integers(0, len(node_km), hamlets)] + rng.normal(0.0, 0.5, (hamlets, 2))
    group_hamlet = np.repeat(np.arange(hamlets), rng.integers(1, 4, hamlets))
    size = rng.integers(1, 7, len(group_hamlet))
    indptr = np.concatenate([[0], np.cumsum(size)])
    group_km = hamlet_km[group_hamlet] + rng.normal(0.0, 0.7, (len(group_hamlet), 2))
    cell_km = np.repeat(group_km, size, axis=0) + rng.normal(0.0, 0.15, (indptr[-1], 2))
    people = rng.integers(1, 61, indptr[-1])
    need = np.ceil(NEEDED * np.add.reduceat(people, indptr[:-1])).astype(np.int64)
    options = len(tower_km)
    reach_km = rng.uniform(*REACH_KM, options)
    near = cKDTree(cell_km).query_ball_point(tower_km, reach_km)
    option = np.repeat(np.arange(options), [len(n) for n in near])
    cell = np.array([c for n in near for c in sorted(n)], dtype=np.int64)
    group = np.repeat(np.arange(len(size)), size)[cell]
    pair, of_pair = np.unique(option * len(size) + group, return_inverse=True)
    seen = (rng.random(len(pair)) < group_seen)[of_pair] & (rng.random(len(cell)) < cell_seen)
    covers = sparse.csr_array(
        (np.ones(int(seen.sum()), bool), (option[seen], cell[seen])), shape=(options, len(people))
    )
    cost = rng.integers(*TOWER_VND, options)
    return Problem(
        cell_people=people, group_hamlet=group_hamlet.astype(np.int32), group_indptr=indptr.astype(np.int64),
        group_cell=np.arange(len(people), dtype=np.int32), group_need=need,
        hamlet_weight=np.ones(hamlets, dtype=np.int64), required=np.zeros(hamlets, dtype=bool), covers=covers,
        budget_cost_vnd=cost, lifetime_cost_vnd=cost, exclusive=np.full(options, -1, dtype=np.int32),
        locked=np.zeros(options, dtype=bool), forbidden=np.zeros(options, dtype=bool),
    )  # fmt: skip
