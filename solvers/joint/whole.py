"""Hamlets, ways and trenches in whole numbers, by CP-SAT: of its trees it is told the cuts known, and those that its
answers miss. Fewer cuts mean a weaker bound, never a wrong one; an answer that misses none is a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy import sparse

from phusong.solvers.backhaul.tree import away_from_root
from phusong.solvers.interruption import stoppable, stopping
from phusong.solvers.joint.master import Master
from phusong.solvers.joint.reach import Cuts, cuts_missed
from phusong.solvers.joint.relaxation import unpacked

BOUND_SLACK = 1e-6  # CP-SAT reports bounds of whole numbers as floating ones
DEPTH = 15  # cuts around one goal an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What CP-SAT says. bound : on the objective;  cleared (H,), bought (L,) bool : its best; None where it knows
    nothing yet;  work : in its own units"""

    bound: float | None
    cleared: NDArray[np.bool_] | None
    bought: NDArray[np.bool_]
    work: float


class WholeModel:
    """The rows of some hamlets and of all links that these or cuts speak of; `spared` links (L,) bool cost nothing
    here and count as bought."""

    def __init__(self, master: Master, hamlets: NDArray[np.int64], spared: NDArray[np.bool_]) -> None:
        self.master, self.model, self._spared = master, cp_model.CpModel(), spared
        self.cleared = {int(h): self.model.new_bool_var("") for h in hamlets}
        self.bought: dict[int, cp_model.IntVar] = {}
        self._dependent = _dependents(master)
        self._cuts: set[tuple[int, bytes]] = set()
        self._covered: list[tuple[int, cp_model.IntVar]] = []
        for hamlet, variable in self.cleared.items():
            if not master.open[hamlet]:
                self.model.add(variable == 0)
        for row in np.flatnonzero(np.isin(master.hamlet, hamlets)).tolist():
            self._add_row(row)
        for group in master.loose:
            self._add_people(group)
        exclusive = master.case.exclusive
        for number in np.unique(exclusive):
            rivals = (master.arcs + np.flatnonzero(exclusive == number)).tolist()
            self.model.add_at_most_one([self.bought[way] for way in rivals if way in self.bought])

    def add_cuts(self, cuts: Cuts) -> int:
        """Those of the hamlets here; how many are new."""
        before = len(self._cuts)
        for hamlet, links in unpacked(cuts):
            key = hamlet, links.tobytes()
            if hamlet in self.cleared and key not in self._cuts and not self._spared[links].any():
                self._cuts.add(key)
                self.model.add_bool_or([self.cleared[hamlet].negated(), *(self._link(i) for i in links.tolist())])
        return len(self._cuts) - before

    def lock(self) -> None:
        """Locked options are bought; not for a model in which links cost but a part of what they do."""
        matrix, first = self.master.matrix, self.master.hamlets
        for row in np.flatnonzero(self.master.least > 0).tolist():
            ways = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]] - first
            self.model.add_bool_or([self._link(way) for way in ways.tolist()])

    def weight(self, unit: int = 1) -> cp_model.LinearExpr:
        hamlets = np.array(list(self.cleared))
        weight = self.master.case.coverage.hamlet_weight[hamlets] * unit
        return cp_model.LinearExpr.weighted_sum(list(self.cleared.values()), weight.tolist())

    def cost(self, of_link: NDArray[np.int64]) -> cp_model.LinearExpr:
        """of_link : (L,)"""
        return cp_model.LinearExpr.weighted_sum(list(self.bought.values()), of_link[list(self.bought)].tolist())

    def hint(self, chosen: NDArray[np.bool_], dug: NDArray[np.bool_]) -> None:
        """A plan to start from: its ways (W,) and edges of the network (e,)."""
        case, network, master = self.master.case, self.master.case.network, self.master
        covered = np.asarray(case.covers[np.flatnonzero(chosen)].sum(axis=0)).ravel() > 0
        cleared = case.coverage.cleared_by(covered)
        by, _ = away_from_root(network, dug)
        bought = np.concatenate([by[master.reach.head[: master.arcs]] == network.edge, chosen])
        self.model.proto.clear_solution_hint()
        for hamlet, variable in self.cleared.items():
            self.model.add_hint(variable, bool(cleared[hamlet]))
        for link, variable in self.bought.items():
            self.model.add_hint(variable, bool(bought[link]))
        for cell, variable in self._covered:
            self.model.add_hint(variable, bool(covered[cell]))

    def solve(self, limit: float, seed: int, close: float = 0.0) -> Answer:
        """limit : CP-SAT's deterministic units;  close : to its bound, and good enough"""
        solver = cp_model.CpSolver()
        solver.parameters.catch_sigint_signal = False  # it would leave the system's own handler behind
        solver.parameters.random_seed = seed
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2
        solver.parameters.max_deterministic_time = limit
        solver.parameters.absolute_gap_limit = close
        status, pressed = stoppable(lambda: solver.solve(self.model), solver.stop_search)
        if pressed and not stopping():
            raise KeyboardInterrupt  # nobody around listens
        work = solver.response_proto.deterministic_time
        bought = np.zeros(len(self.master.cost), dtype=bool)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Answer(None, None, bought, work)
        cleared = np.zeros(self.master.hamlets, dtype=bool)
        cleared[list(self.cleared)] = solver.boolean_values(list(self.cleared.values()))
        bought[list(self.bought)] = solver.boolean_values(list(self.bought.values()))
        return Answer(float(solver.best_objective_bound), cleared, bought, work)

    def missed(self, answer: Answer) -> Cuts:
        """Cuts that the answer's trees miss."""
        assert answer.cleared is not None
        bought = (answer.bought | self._spared).astype(float)
        return cuts_missed(self.master.reach, bought, answer.cleared.astype(float), DEPTH, 0.5)

    def _add_row(self, row: int) -> None:
        matrix, first = self.master.matrix, self.master.hamlets
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        columns, values = matrix.indices[span].tolist(), matrix.data[span].tolist()
        names = [self.cleared[c] if c < first else self._link(c - first) for c in columns]
        if set(values) <= {-1, 1}:
            self.model.add_bool_or([v if value > 0 else v.negated() for v, value in zip(names, values, strict=True)])
        else:
            self.model.add(cp_model.LinearExpr.weighted_sum(names, values) >= 0)

    def _add_people(self, group: int) -> None:
        """Enough people of a group that its clauses do not hold to it: a cell counts when some way covers it."""
        case, coverage = self.master.case, self.master.case.coverage
        hamlet = self.cleared.get(int(coverage.group_hamlet[group]))
        if hamlet is None:
            return
        cells = coverage.group_cell[coverage.group_indptr[group] : coverage.group_indptr[group + 1]]
        covered = [self.model.new_bool_var("") for _ in cells]
        self._covered.extend(zip(cells.tolist(), covered, strict=True))
        covers = sparse.csc_array(case.covers[:, cells])
        for cell, (a, b) in enumerate(zip(covers.indptr[:-1], covers.indptr[1:], strict=True)):
            ways = (self.master.arcs + covers.indices[a:b]).tolist()
            self.model.add_bool_or([covered[cell].negated(), *(self._link(way) for way in ways)])
        people = cp_model.LinearExpr.weighted_sum(covered, coverage.cell_people[cells].tolist())
        self.model.add(people >= int(coverage.group_need[group])).only_enforce_if(hamlet)

    def _link(self, link: int) -> cp_model.IntVar:
        """The variable of a link, and with it all that must be bought before."""
        if link not in self.bought:
            waiting = [link]
            self.bought[link] = self.model.new_bool_var("")
            while waiting:
                later = waiting.pop()
                before = self._dependent.get(later)
                if before is None or self._spared[before].any() or self._spared[later]:
                    continue
                new = [i for i in before if i not in self.bought]
                self.bought |= {i: self.model.new_bool_var("") for i in new}
                waiting.extend(new)
                self.model.add_bool_or([self.bought[later].negated(), *(self.bought[i] for i in before)])
        return self.bought[link]


def _dependents(master: Master) -> dict[int, list[int]]:
    """Of which links one is bought before a link is; none for those that leave the root."""
    matrix, first = master.matrix, master.hamlets
    before: dict[int, list[int]] = {}
    for row in np.flatnonzero((master.hamlet < 0) & (master.least == 0)).tolist():
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        links, values = matrix.indices[span] - first, matrix.data[span]
        for later in links[values < 0].tolist():
            before[later] = links[values > 0].tolist()
    return before
