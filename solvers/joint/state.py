"""A choice of ways and its trench tree, kept up as ways come and go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.backhaul.graph import FAR, ROOT, spread
from phusong.solvers.joint.case import JointCase

CLEARED, SPENT = range(2)  # of Choice.totals


class Ground(NamedTuple):
    """What doesn't change: way -> cells -> groups -> hamlet -> ways, and the network, as index arrays."""

    cell_ptr: NDArray[np.int64]  # (W + 1,)
    cell: NDArray[np.int64]
    group_ptr: NDArray[np.int64]  # (C + 1,)
    group: NDArray[np.int64]
    people: NDArray[np.int64]  # (C,)
    need: NDArray[np.int64]  # (G,)
    hamlet: NDArray[np.int64]  # (G,)
    weight: NDArray[np.int64]  # (H,)
    ways_ptr: NDArray[np.int64]  # (H + 1,) ways that cover a cell of the hamlet
    ways: NDArray[np.int64]
    cost: NDArray[np.int64]  # (W,)
    node: NDArray[np.int64]  # (W,)
    exclusive: NDArray[np.int64]  # (W,)
    must: NDArray[np.int64]  # (W,) number of the locked option, -1: free
    indptr: NDArray[np.int64]  # the network
    neighbour: NDArray[np.int64]
    edge: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    trench: NDArray[np.int64]  # (e,) cost of an edge


class Choice(NamedTuple):
    """What is chosen and what it amounts to; `gain` holds for ways that are not `stale`."""

    chosen: NDArray[np.bool_]  # (W,)
    used: NDArray[np.int64]  # chosen ways of each exclusive number
    times: NDArray[np.int64]  # (C,) chosen ways that cover the cell
    got: NDArray[np.int64]  # (G,) people covered
    unmet: NDArray[np.int64]  # (H,) groups still short
    stops: NDArray[np.int64]  # (n,) chosen ways at the node
    dug: NDArray[np.bool_]  # (e,) edges of the tree
    tree: NDArray[np.bool_]  # (n,) nodes of the tree
    distance: NDArray[np.int64]  # (n,) to the tree
    by: NDArray[np.int64]  # (n,) edge on the way there
    totals: NDArray[np.int64]  # (2,)
    gain: NDArray[np.float64]  # (W,)
    stale: NDArray[np.bool_]  # (W,)
    extra: NDArray[np.int64]  # (G,) zero between calls
    touched: NDArray[np.int64]  # (G,)


@njit(cache=True, nogil=True)
def put(g: Ground, s: Choice, way: int, sign: int) -> None:
    """Put a way in (sign 1) or take it out (-1), without its trenches. O(cells of the way x groups of a cell)."""
    s.chosen[way] = sign > 0
    s.totals[SPENT] += sign * g.cost[way]
    s.used[g.exclusive[way]] += sign
    s.stops[g.node[way]] += sign
    told = -1  # cells of a hamlet mostly follow each other
    for i in range(g.cell_ptr[way], g.cell_ptr[way + 1]):
        cell = g.cell[i]
        s.times[cell] += sign
        if s.times[cell] == (1 if sign > 0 else 0):
            for j in range(g.group_ptr[cell], g.group_ptr[cell + 1]):
                group = g.group[j]
                hamlet = g.hamlet[group]
                _move(g, s, group, sign * g.people[cell])
                if hamlet != told:
                    told = hamlet
                    for k in range(g.ways_ptr[hamlet], g.ways_ptr[hamlet + 1]):
                        s.stale[g.ways[k]] = True


@njit(cache=True, nogil=True)
def _move(g: Ground, s: Choice, group: int, people: int) -> None:
    hamlet = g.hamlet[group]
    met = s.got[group] >= g.need[group]
    s.got[group] += people
    now = s.got[group] >= g.need[group]
    if met and not now:
        if s.unmet[hamlet] == 0:
            s.totals[CLEARED] -= g.weight[hamlet]
        s.unmet[hamlet] += 1
    elif now and not met:
        s.unmet[hamlet] -= 1
        if s.unmet[hamlet] == 0:
            s.totals[CLEARED] += g.weight[hamlet]


@njit(cache=True, nogil=True)
def dig(g: Ground, s: Choice, node: int, most: int) -> None:
    """Trenches from the tree to a node, along the cheapest way known, and distances anew, up to `most`.
    O(nodes that come nearer)."""
    heap = [(np.int64(0), np.int64(0))]
    heap.pop()
    while not s.tree[node]:
        edge = s.by[node]
        s.tree[node] = True
        s.dug[edge] = True
        s.totals[SPENT] += g.trench[edge]
        s.distance[node] = 0
        heap.append((np.int64(0), np.int64(node)))
        node = g.start[edge] + g.end[edge] - node
    if len(heap) > 0:
        spread(g.indptr, g.neighbour, g.edge, g.trench, s.distance, s.by, heap, np.int64(most))


@njit(cache=True, nogil=True)
def shed(g: Ground, dug: NDArray[np.bool_], stops: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """Fill in trenches that lead to no stop (stops: (n,) how many at each node); the money that saves, and how many
    edges are left at each node. O(network)."""
    nodes = len(stops)
    saved = 0
    degree = np.zeros(nodes, np.int64)
    for edge in range(len(dug)):
        if dug[edge]:
            degree[g.start[edge]] += 1
            degree[g.end[edge]] += 1
    for first in range(nodes):
        node = first
        while node != ROOT and degree[node] == 1 and stops[node] == 0:
            for i in range(g.indptr[node], g.indptr[node + 1]):
                edge = g.edge[i]
                if dug[edge]:
                    dug[edge] = False
                    saved += g.trench[edge]
                    degree[node] -= 1
                    node = g.neighbour[i]
                    degree[node] -= 1
                    break
    return saved, degree


@njit(cache=True, nogil=True)
def prune(g: Ground, s: Choice, budget: int) -> None:
    """Fill in trenches that lead to no stop, and measure distances anew, up to the money left. O(network)."""
    nodes = len(s.stops)
    saved, degree = shed(g, s.dug, s.stops)
    s.totals[SPENT] -= saved
    most = budget - s.totals[SPENT]
    heap = [(np.int64(0), np.int64(ROOT))]
    for node in range(nodes):
        s.tree[node] = node == ROOT or degree[node] > 0
        s.distance[node] = 0 if s.tree[node] else FAR
        if degree[node] > 0 and node != ROOT:
            heap.append((np.int64(0), np.int64(node)))
    spread(g.indptr, g.neighbour, g.edge, g.trench, s.distance, s.by, heap, np.int64(most))


@njit(cache=True, nogil=True)
def needless(g: Ground, s: Choice, way: int) -> bool:
    """Whether as much is cleared without a way that is in. O(as put), less where it is needed."""
    touched = 0
    needed = False
    for i in range(g.cell_ptr[way], g.cell_ptr[way + 1]):
        cell = g.cell[i]
        if s.times[cell] == 1 and g.people[cell] > 0:
            for j in range(g.group_ptr[cell], g.group_ptr[cell + 1]):
                group = g.group[j]
                hamlet = g.hamlet[group]
                if s.unmet[hamlet] == 0 and g.weight[hamlet] > 0:
                    if s.extra[group] == 0:
                        s.touched[touched] = group
                        touched += 1
                    s.extra[group] += g.people[cell]
                    needed = needed or s.got[group] - s.extra[group] < g.need[group]
            if needed:
                break
    for k in range(touched):
        s.extra[s.touched[k]] = 0
    return not needed


@njit(cache=True, nogil=True)
def gain_of(g: Ground, s: Choice, way: int) -> float:
    """Worth of putting a way in: hamlets cleared, and progress of those that are not. O(as put)."""
    touched = 0
    for i in range(g.cell_ptr[way], g.cell_ptr[way + 1]):
        cell = g.cell[i]
        if s.times[cell] == 0 and g.people[cell] > 0:  # none there: nothing to gain, and no mark in `extra`
            for j in range(g.group_ptr[cell], g.group_ptr[cell + 1]):
                group = g.group[j]
                if s.got[group] < g.need[group]:
                    if s.extra[group] == 0:
                        s.touched[touched] = group
                        touched += 1
                    s.extra[group] += g.people[cell]
    worth = 0.0
    for k in range(touched):
        group = s.touched[k]
        hamlet = g.hamlet[group]
        helped = min(s.extra[group], g.need[group] - s.got[group])
        worth += g.weight[hamlet] * helped / g.need[group] / (1.0 + s.unmet[hamlet])
        if s.got[group] + helped >= g.need[group]:
            s.unmet[hamlet] -= 1
            if s.unmet[hamlet] == 0:
                worth += g.weight[hamlet]
    for k in range(touched):
        group = s.touched[k]
        if s.got[group] + s.extra[group] >= g.need[group]:
            s.unmet[g.hamlet[group]] += 1
        s.extra[group] = 0
    return worth


def ground_of(case: JointCase) -> Ground:
    """Index arrays of a case."""
    coverage, network = case.coverage, case.network
    groups, cells = len(coverage.group_hamlet), len(coverage.cell_people)
    group = np.repeat(np.arange(groups), np.diff(coverage.group_indptr))
    of_cell = sparse.csr_array((np.ones(len(group), bool), (coverage.group_cell, group)), shape=(cells, groups))
    locked = coverage.locked[case.option]
    return indexed(
        covers=case.covers, of_cell=of_cell, people=coverage.cell_people.astype(np.int64),
        need=coverage.group_need.astype(np.int64), hamlet=coverage.group_hamlet.astype(np.int64),
        weight=coverage.hamlet_weight.astype(np.int64), cost=case.cost, node=case.node,
        exclusive=case.exclusive.astype(np.int64), must=np.where(locked, case.option, -1).astype(np.int64),
        indptr=network.indptr, neighbour=network.neighbour, edge=network.edge, start=network.start, end=network.end,
        trench=network.cost,
    )  # fmt: skip


def indexed(
    covers: sparse.csr_array, of_cell: sparse.csr_array, hamlet: NDArray[np.int64], **plain: NDArray[np.int64]
) -> Ground:
    """Ground from what each way covers (W, C) and the groups of each cell (C, G); `plain`: its other arrays."""
    of_hamlet = sparse.csr_array(
        (np.ones(len(hamlet), np.int64), (hamlet, np.arange(len(hamlet)))), shape=(len(plain["weight"]), len(hamlet))
    )
    ways = sparse.csr_array(of_hamlet @ of_cell.T.astype(np.int64) @ covers.T.astype(np.int64))
    return Ground(
        cell_ptr=covers.indptr.astype(np.int64), cell=covers.indices.astype(np.int64),
        group_ptr=of_cell.indptr.astype(np.int64), group=of_cell.indices.astype(np.int64), hamlet=hamlet,
        ways_ptr=ways.indptr.astype(np.int64), ways=ways.indices.astype(np.int64), **plain,
    )  # fmt: skip


def nothing_chosen(g: Ground) -> Choice:
    """The empty choice."""
    ways, nodes, groups = len(g.cost), len(g.indptr) - 1, len(g.need)
    unmet = np.bincount(g.hamlet[g.need > 0], minlength=len(g.weight)).astype(np.int64)
    s = Choice(
        chosen=np.zeros(ways, np.bool_), used=np.zeros(int(g.exclusive.max(initial=0)) + 1, np.int64),
        times=np.zeros(len(g.people), np.int64), got=np.zeros(groups, np.int64), unmet=unmet,
        stops=np.zeros(nodes, np.int64), dug=np.zeros(len(g.trench), np.bool_), tree=np.zeros(nodes, np.bool_),
        distance=np.full(nodes, FAR), by=np.full(nodes, -1, np.int64),
        totals=np.array([g.weight[unmet == 0].sum(), 0], np.int64), gain=np.zeros(ways),
        stale=np.ones(ways, np.bool_), extra=np.zeros(groups, np.int64), touched=np.empty(groups, np.int64),
    )  # fmt: skip
    prune(g, s, int(FAR))
    return s


@njit(cache=True, nogil=True)
def restore(s: Choice, kept: Choice) -> None:
    """Make `s` the choice `kept`. O(size of both)."""
    s.chosen[:] = kept.chosen
    s.used[:] = kept.used
    s.times[:] = kept.times
    s.got[:] = kept.got
    s.unmet[:] = kept.unmet
    s.stops[:] = kept.stops
    s.dug[:] = kept.dug
    s.tree[:] = kept.tree
    s.distance[:] = kept.distance
    s.by[:] = kept.by
    s.totals[:] = kept.totals
    s.gain[:] = kept.gain
    s.stale[:] = kept.stale


def copy_of(s: Choice) -> Choice:
    """A choice of its own arrays."""
    return Choice._make(array.copy() for array in s)
