"""Ways of backhaul that no plan within the budget needs, and options that another one replaces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.backhaul.graph import FAR, ROOT, Network, network_of, spread
from phusong.solvers.backhaul.tree import away_from_root, cheapest_tree, without_ends
from phusong.solvers.problem import NONE, Backhaul, Cap, Problem

TREE_TRIES = 20


@dataclass(frozen=True, slots=True)
class Connected:
    """The roads contracted for some ways.

    node : (W,) int64 network node that trenches must reach; ROOT: none needed; -1: out of reach
    """

    network: Network
    node: NDArray[np.int64]

    def alone(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(W,) cost of the cheapest trenches to each way's node, FAR out of reach, and what they cost over the
        horizon."""
        network = self.network
        distance, by = np.full(network.nodes, FAR), np.full(network.nodes, -1, np.int64)
        distance[ROOT] = 0
        heap = [(np.int64(0), np.int64(ROOT))]
        spread(network.indptr, network.neighbour, network.edge, network.cost, distance, by, heap, FAR)
        lifetime = np.zeros(network.nodes, dtype=np.int64)
        for start in range(network.nodes):
            node = start
            while by[node] >= 0:
                lifetime[start] += network.lifetime[by[node]]
                node = int(network.start[by[node]] + network.end[by[node]]) - node
        return np.append(distance, FAR)[self.node], np.append(lifetime, FAR)[self.node]

    def edges_of(self, trenches: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(e,) network edges whose road edges are all among these."""
        dug = set(trenches.tolist())
        return np.array([dug.issuperset(parts) for parts in self.network.parts], dtype=bool)

    def reached(self, ways: NDArray[np.bool_], edges: NDArray[np.bool_]) -> bool:
        """Whether the edges tie every chosen way's node to what is lit."""
        by, _ = away_from_root(self.network, edges)
        stops = self.node[ways]
        return bool(((by[stops] >= 0) | (stops == ROOT)).all())

    def lean(self, ways: NDArray[np.bool_], edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(e,) edges without those that lead to none of the chosen ways; a cheaper tree where one is found."""
        stops = np.unique(self.node[ways])
        network = self.network
        kept = without_ends(network, edges, stops)
        found = cheapest_tree(network, stops, TREE_TRIES, 1)
        if found is None:
            return kept
        other = np.zeros_like(kept)
        other[found[0]] = True
        figures = [(network.cost[tree].sum(), network.lifetime[tree].sum()) for tree in (kept, other)]
        undercuts = all(b <= a for a, b in zip(*figures, strict=True)) and figures[0] != figures[1]
        return other if undercuts else kept


def connected(backhaul: Backhaul, budget_vnd: int | None) -> Connected:
    """Contract the roads to what these ways need; ways to the root that cost more than the budget are left out."""
    stops = np.unique(backhaul.way_node[backhaul.way_node != NONE])
    network = network_of(backhaul.roads, stops, None if budget_vnd is None else max(budget_vnd, 0))
    place = np.append(network.place, ROOT)  # index NONE meets the last entry
    return Connected(network, place[backhaul.way_node].astype(np.int64))


def usable(
    problem: Problem, backhaul: Backhaul, gone: NDArray[np.bool_], budget_vnd: int | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Options gone (M,) and ways left (W,) once those that cannot be connected within the budget are gone, too.

    gone : options out of the question from the start. An option that covers nothing stays while others may hang on it.
    """
    reach, _ = connected(backhaul, budget_vnd).alone()
    limit = int(FAR) - 1 if budget_vnd is None else budget_vnd
    base = problem.budget_cost_vnd[backhaul.way_option] + backhaul.way_budget_vnd
    has_ways = np.bincount(backhaul.way_option, minlength=problem.options) > 0
    nothing = (np.diff(problem.covers.indptr) == 0) & ~problem.locked
    gone = gone | (nothing & ~has_ways)
    while True:
        least = _least(base, reach, backhaul.relays, ~gone[backhaul.way_option])
        within = (least <= limit) | (problem.locked[backhaul.way_option] & (least < FAR))
        left = within & ~gone[backhaul.way_option]
        hosts = np.zeros(len(left), dtype=bool)
        hosts[backhaul.relays[left].indices] = True
        count = np.bincount(backhaul.way_option[left], minlength=problem.options)
        hosting = np.bincount(backhaul.way_option[left & hosts], minlength=problem.options) > 0
        more = gone | (has_ways & (count == 0)) | (nothing & ~hosting)
        if (more == gone).all():
            return gone, left
        gone = more


def _least(
    base: NDArray[np.int64], reach: NDArray[np.int64], relays: sparse.csr_array, open_: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """(W,) a plan with this way costs no less: its option, itself, the trenches or the cheapest way to hang on."""
    own = np.where(open_ & (reach < FAR), base + np.minimum(reach, FAR // 4), FAR)
    hangs = np.flatnonzero(np.diff(relays.indptr))
    least = own.copy()
    least[hangs] = FAR
    while True:
        before = least.copy()
        for way in hangs[own[hangs] < FAR].tolist():
            host = least[relays.indices[relays.indptr[way] : relays.indptr[way + 1]]].min()
            if host < FAR:
                least[way] = base[way] + max(reach[way], host)
        if (least == before).all():
            return least


class _Realised(NamedTuple):
    """An option with one of its ways, or without any."""

    way: int
    cost: int
    lifetime: int
    node: int
    hangs_on: frozenset[int]
    units: tuple[int, ...]


class Dominance:
    """Which ways and options can be replaced by another one in every plan, at no more cost and with no less gained."""

    def __init__(self, problem: Problem, backhaul: Backhaul, left: NDArray[np.bool_], budget_vnd: int | None) -> None:
        self.problem, self.backhaul = problem, backhaul
        self.left = left.copy()
        there = connected(backhaul, budget_vnd)
        self.node = there.node
        self.reach, self.reach_lifetime = there.alone()
        hanging = sparse.csc_array(backhaul.relays[left])
        self.hanging = np.diff(hanging.indptr)
        self.ways_of = np.searchsorted(backhaul.way_option, np.arange(problem.options + 1))

    def ways(self) -> NDArray[np.bool_]:
        """(W,) ways left when those of the same option that cost no less and ask no less of others are gone."""
        for option in np.flatnonzero(np.diff(self.ways_of) > 1).tolist():
            ways = self._realised(option)
            for a in ways:
                rivals = (b for b in ways if b.way != a.way and self.left[b.way])
                if self.hanging[a.way] == 0 and any(self._replaces(b, a) for b in rivals):
                    self.left[a.way] = False
        return self.left

    def options(self, gone: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(M,) options that one which excludes them covers, carries and spares at least as much as."""
        problem, replaced = self.problem, np.zeros_like(gone)
        in_sets = {o for members in problem.forbidden_sets for o in members}
        number = np.where(gone, NONE, problem.exclusive)
        for kind in np.unique(number[number >= 0]):
            rivals = np.flatnonzero(number == kind).tolist()
            cells = {o: frozenset(problem.covers.indices[a:b].tolist()) for o in rivals for a, b in [self._row(o)]}
            for a in rivals:
                if not problem.locked[a] and any(
                    b != a and not replaced[b] and b not in in_sets and cells[a] <= cells[b] and self._serves(b, a)
                    for b in rivals
                ):
                    replaced[a] = True
        return replaced

    def _row(self, option: int) -> tuple[int, int]:
        return int(self.problem.covers.indptr[option]), int(self.problem.covers.indptr[option + 1])

    def _serves(self, b: int, a: int) -> bool:
        load = self.problem.load
        if load is not None and load.option_kbps[b] < load.option_kbps[a]:
            return False
        with_b = self._realised(b)
        return all(
            (one.way == NONE or self.hanging[one.way] == 0) and any(self._replaces(other, one) for other in with_b)
            for one in self._realised(a)
        )

    def _realised(self, option: int) -> list[_Realised]:
        ways = range(self.ways_of[option], self.ways_of[option + 1])
        cost, lifetime = int(self.problem.budget_cost_vnd[option]), int(self.problem.lifetime_cost_vnd[option])
        if not ways:
            return [_Realised(NONE, cost, lifetime, ROOT, frozenset(), self._units(option, NONE))]
        relays, backhaul = self.backhaul.relays, self.backhaul
        return [
            _Realised(
                way=way,
                cost=cost + int(backhaul.way_budget_vnd[way]),
                lifetime=lifetime + int(backhaul.way_lifetime_vnd[way]),
                node=int(self.node[way]),
                hangs_on=frozenset(relays.indices[relays.indptr[way] : relays.indptr[way + 1]].tolist()),
                units=self._units(option, way),
            )
            for way in ways
            if self.left[way]
        ]

    def _units(self, option: int, way: int) -> tuple[int, ...]:
        return tuple(
            _units_of(cap.options, cap.option_units, option) + _units_of(cap.ways, cap.way_units, way)
            for cap in self.problem.caps
        )

    def _replaces(self, b: _Realised, a: _Realised) -> bool:
        if b.hangs_on and b.hangs_on != a.hangs_on:
            return False
        if b.way != NONE and self.hanging[b.way] > self.backhaul.relay_most[b.way]:
            return False  # chosen, it would bind what hangs on others
        if any(x > y for x, y in zip(b.units, a.units, strict=True)):
            return False
        trench, lifetime = 0, 0
        if b.node not in (ROOT, a.node):
            trench, lifetime = int(self.reach[b.way]), int(self.reach_lifetime[b.way])
        return b.cost + trench <= a.cost and b.lifetime + lifetime <= a.lifetime


def _units_of(members: NDArray[np.int32], units: NDArray[np.int64] | None, wanted: int) -> int:
    place = np.flatnonzero(members == wanted)
    if wanted == NONE or not place.size:
        return 0
    return 1 if units is None else int(units[place[0]])


def fewer_ways(backhaul: Backhaul, left: NDArray[np.int64], option_number: NDArray[np.int64]) -> Backhaul:
    """The ways `left` of options renumbered; relays to others are forgotten."""
    return replace(
        backhaul, way_option=option_number[backhaul.way_option[left]].astype(np.int32),
        way_node=backhaul.way_node[left], way_budget_vnd=backhaul.way_budget_vnd[left],
        way_lifetime_vnd=backhaul.way_lifetime_vnd[left],
        relays=sparse.csr_array(sparse.csr_array(backhaul.relays[left])[:, left]), relay_most=backhaul.relay_most[left],
    )  # fmt: skip


def fewer_members(cap: Cap, option_number: NDArray[np.int64], way_number: NDArray[np.int64]) -> Cap:
    """The cap over what is left, renumbered; -1 in a number: gone."""
    options, ways = option_number[cap.options], way_number[cap.ways]
    return Cap(
        cap.name, cap.most, options[options >= 0].astype(np.int32), ways[ways >= 0].astype(np.int32),
        None if cap.option_units is None else cap.option_units[options >= 0],
        None if cap.way_units is None else cap.way_units[ways >= 0],
    )  # fmt: skip
