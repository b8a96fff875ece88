"""Backhaul inside a CP-SAT model: one way for each chosen option, and a trench tree to those that need one.

The tree is directed away from the root: at most one arc into a node, one at least where a chosen way stops, and none
leads out of a node that none leads into. Depths that grow along arcs leave no circles, so the model is complete as it
stands. Rows of valid shares (backhaul/bound.py) tell the linear bound what no tree undercuts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from phusong.solvers.backhaul.bound import shares_of
from phusong.solvers.backhaul.graph import FAR, ROOT, Network
from phusong.solvers.backhaul.tree import away_from_root
from phusong.solvers.joint.reach import Cuts
from phusong.solvers.problem import NONE, Backhaul
from phusong.solvers.ways import Connected

ASCENTS = 3  # sets of shares from random orders of claiming
LEVELS = 4  # of such an order


class Told(NamedTuple):
    """Cuts of the joint decision (joint/reach.py) whose ways are these: option, way (P,), NONE without one. A cut
    holds for every plan: a hamlet is cleared only if one of its links is built."""

    cuts: Cuts
    option: NDArray[np.int64]
    way: NDArray[np.int64]


class Connections:
    """Ways, arcs and nodes reached, beside the options of a model."""

    def __init__(
        self,
        model: cp_model.CpModel,
        backhaul: Backhaul,
        there: Connected,
        option: list[cp_model.IntVar],
        cleared: list[cp_model.IntVar],
        told: Told | None,
    ) -> None:
        self.model, self.backhaul, self.network, self.node = model, backhaul, there.network, there.node
        self.way = self._ways(option)
        self._relays()
        self._tree()
        self.trench = self._money(self.network.cost)
        self._trench_lifetime = self.trench
        self._shares(self.network, self.trench)
        if told is not None:
            self._cuts(told, option, cleared)
        if backhaul.roads.lifetime_vnd is not None:
            self._trench_lifetime = self._money(self.network.lifetime)
            self._shares(replace(self.network, cost=self.network.lifetime), self._trench_lifetime)

    def spent(self) -> cp_model.LinearExpr:
        ways = cp_model.LinearExpr.weighted_sum(self.way, self.backhaul.way_budget_vnd.tolist())
        return ways + self.trench

    def lifetime(self) -> cp_model.LinearExpr:
        ways = cp_model.LinearExpr.weighted_sum(self.way, self.backhaul.way_lifetime_vnd.tolist())
        return ways + self._trench_lifetime

    def hint(self, ways: NDArray[np.bool_], edges: NDArray[np.bool_]) -> None:
        for way, (variable, value) in enumerate(zip(self.way, ways.tolist(), strict=True)):
            if self._has_own_variable[way]:
                self.model.add_hint(variable, value)
        by, depth = away_from_root(self.network, edges)
        self.model.add_hint(self.trench, int(self.network.cost[edges].sum()))
        if self._trench_lifetime is not self.trench:
            self.model.add_hint(self._trench_lifetime, int(self.network.lifetime[edges].sum()))
        for (edge, head), variable in self.arc.items():
            self.model.add_hint(variable, bool(by[head] == edge))
        for number, variable in self.reached.items():
            self.model.add_hint(variable, bool(by[number] >= 0))
        for number, variable in self._depth.items():
            self.model.add_hint(variable, max(int(depth[number]), 1))

    def only(self, ways: NDArray[np.bool_], edges: NDArray[np.bool_]) -> None:
        for variable, kept in zip(self.way, ways.tolist(), strict=True):
            if not kept:
                self.model.add(variable == 0)
        for (edge, _), variable in self.arc.items():
            if not edges[edge]:
                self.model.add(variable == 0)

    def read(self, solver: cp_model.CpSolver) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(W,) ways and (e,) edges of the solver's plan."""
        edges = np.zeros(len(self.network.cost), dtype=bool)
        for (edge, _), variable in self.arc.items():
            edges[edge] |= solver.boolean_value(variable)
        return np.array([solver.boolean_value(v) for v in self.way], dtype=bool), edges

    def _ways(self, option: list[cp_model.IntVar]) -> list[cp_model.IntVar]:
        count = np.bincount(self.backhaul.way_option, minlength=len(option))
        self._has_own_variable = count[self.backhaul.way_option] > 1
        ways = [
            self.model.new_bool_var("") if own else option[o]
            for o, own in zip(self.backhaul.way_option.tolist(), self._has_own_variable.tolist(), strict=True)
        ]
        first = np.concatenate([[0], np.cumsum(count)])
        for o in np.flatnonzero(count > 1).tolist():
            self.model.add_exactly_one([*ways[first[o] : first[o + 1]], option[o].negated()])
        return ways

    def _relays(self) -> None:
        relays = self.backhaul.relays
        for way, (a, b) in enumerate(zip(relays.indptr[:-1], relays.indptr[1:], strict=True)):
            if a < b:
                self.model.add_bool_or([*(self.way[h] for h in relays.indices[a:b]), self.way[way].negated()])
        hanging = relays.tocsc()
        for host in np.flatnonzero(np.diff(hanging.indptr)).tolist():
            ways = hanging.indices[hanging.indptr[host] : hanging.indptr[host + 1]]
            over = len(ways) - int(self.backhaul.relay_most[host])
            if over > 0:
                self.model.add(sum(self.way[w] for w in ways) + over * self.way[host] <= len(ways))

    def _tree(self) -> None:
        model, network = self.model, self.network
        nodes = range(ROOT + 1, network.nodes)
        self.reached = {n: model.new_bool_var("") for n in nodes}
        self._depth = {n: model.new_int_var(1, network.nodes, "") for n in nodes}
        self.arc: dict[tuple[int, int], cp_model.IntVar] = {}
        inward: dict[int, list[cp_model.IntVar]] = {n: [] for n in nodes}
        outward: dict[int, list[cp_model.IntVar]] = {n: [] for n in nodes}
        for edge, (u, v) in enumerate(zip(network.start.tolist(), network.end.tolist(), strict=True)):
            for tail, head in ((u, v), (v, u)):
                if head == ROOT:
                    continue
                arc = self.arc[edge, head] = model.new_bool_var("")
                inward[head].append(arc)
                if tail != ROOT:
                    outward[tail].append(arc)
                    model.add_implication(arc, self.reached[tail])
                    model.add(self._depth[head] >= self._depth[tail] + 1).only_enforce_if(arc)
            if u != ROOT:
                model.add_at_most_one([self.arc[edge, u], self.arc[edge, v]])
        stopping: dict[int, list[cp_model.IntVar]] = {n: [] for n in nodes}
        for way, node in zip(self.way, self.node.tolist(), strict=True):
            if node != ROOT:
                stopping[node].append(way)
                model.add_implication(way, self.reached[node])
        for n in nodes:
            model.add_exactly_one([*inward[n], self.reached[n].negated()])
            model.add_bool_or([*stopping[n], *outward[n], self.reached[n].negated()])  # no trench leads nowhere

    def _cuts(self, told: Told, option: list[cp_model.IntVar], cleared: list[cp_model.IntVar]) -> None:
        network = self.network
        heads = np.repeat(np.arange(network.nodes), np.diff(network.indptr))
        ways = [option[o] if w == NONE else self.way[w] for o, w in zip(told.option, told.way, strict=True)]
        links = [self.arc.get((e, h)) for e, h in zip(network.edge.tolist(), heads.tolist(), strict=True)] + ways
        ends = told.cuts.indptr
        for hamlet, a, b in zip(told.cuts.hamlet.tolist(), ends[:-1], ends[1:], strict=True):
            built = [links[i] for i in told.cuts.link[a:b].tolist()]
            self.model.add_bool_or([cleared[hamlet].negated(), *(v for v in built if v is not None)])

    def _shares(self, network: Network, money: cp_model.IntVar) -> None:
        stops = np.unique(self.node[self.node != ROOT])
        free = np.full(len(stops), FAR)
        rng = np.random.default_rng(1)
        for rank in (np.zeros(len(stops)), *(rng.permutation(len(stops)) % LEVELS for _ in range(ASCENTS))):
            self._owing(shares_of(network, stops, rank.astype(np.int64), free), money)

    def _owing(self, share: NDArray[np.int64], money: cp_model.IntVar) -> None:
        stops = np.flatnonzero(share)
        reached = [self.reached[n] for n in stops.tolist()]
        self.model.add(cp_model.LinearExpr.weighted_sum(reached, share[stops].tolist()) <= money)

    def _money(self, cost: NDArray[np.int64]) -> cp_model.IntVar:
        """What the trenches cost: one variable, so that the rows of shares stay short."""
        money = self.model.new_int_var(0, int(cost.sum()), "")
        arcs = cp_model.LinearExpr.weighted_sum(list(self.arc.values()), [int(cost[e]) for e, _ in self.arc])
        self.model.add(arcs == money)
        return money
