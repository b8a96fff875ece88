"""Hamlets, ways and trenches in whole numbers, by CP-SAT: of its trees it is told the cuts known, and those that its
answers miss. Fewer cuts mean a weaker bound, never a wrong one; an answer that misses none is a plan, but for
locked options, around which no cuts are known."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy import sparse

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
    """All rows, and cuts; links (L,) that are `out` are not bought, which makes a bound one of the choices left."""

    def __init__(self, master: Master, out: NDArray[np.bool_] | None = None) -> None:
        self.master, self.model = master, cp_model.CpModel()
        self._out = np.zeros(len(master.cost), dtype=bool) if out is None else out
        self.cleared = [self.model.new_bool_var("") for _ in range(master.hamlets)]
        self.bought: dict[int, cp_model.IntVar] = {}
        self._before = _before(master)
        self.cuts: set[tuple[int, bytes]] = set()
        self._covered: list[tuple[int, cp_model.IntVar]] = []
        for hamlet in np.flatnonzero(~master.open).tolist():
            self.model.add(self.cleared[hamlet] == 0)
        for row in np.flatnonzero(master.hamlet >= 0).tolist():
            self._add_row(row)
        for group in master.loose:
            self._add_people(group)
        for row in np.flatnonzero(master.least > 0).tolist():
            self.model.add_bool_or(self._links(master.matrix.indices[self._span(row)] - master.hamlets))
        exclusive = master.case.exclusive
        for number in np.unique(exclusive):
            rivals = (master.arcs + np.flatnonzero(exclusive == number)).tolist()
            if len(rivals) > 1:
                self.model.add_at_most_one([self.bought[way] for way in rivals if way in self.bought])

    def add_cuts(self, cuts: Cuts) -> None:
        for hamlet, links in unpacked(cuts):
            key = hamlet, links.tobytes()
            if key not in self.cuts:
                self.cuts.add(key)
                self.model.add_bool_or([self.cleared[hamlet].negated(), *self._links(links)])

    def weight(self) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(self.cleared, self.master.case.coverage.hamlet_weight.tolist())

    def cost(self) -> cp_model.LinearExpr:
        """Of all links known so far [VND]."""
        costs = self.master.cost[np.array(list(self.bought), dtype=np.int64)]
        return cp_model.LinearExpr.weighted_sum(list(self.bought.values()), costs.tolist())

    def hint(self, bought: NDArray[np.bool_]) -> None:
        """A plan to start from: its links (L,)."""
        case = self.master.case
        covered = np.asarray(case.covers[np.flatnonzero(bought[self.master.arcs :])].sum(axis=0)).ravel() > 0
        cleared = case.coverage.cleared_by(covered) & self.master.open
        self.model.proto.clear_solution_hint()
        for variable, value in zip(self.cleared, cleared.tolist(), strict=True):
            self.model.add_hint(variable, value)
        for link, variable in self.bought.items():
            self.model.add_hint(variable, bool(bought[link]))
        for cell, variable in self._covered:
            self.model.add_hint(variable, bool(covered[cell]))

    def solve(self, limit: float, seed: int, until: float = np.inf) -> Answer:
        """limit : CP-SAT's deterministic units;  until : of `time.monotonic()`, too"""
        solver = cp_model.CpSolver()
        solver.parameters.catch_sigint_signal = False  # it would leave the system's own handler behind
        solver.parameters.random_seed = seed
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2
        solver.parameters.max_deterministic_time = limit
        solver.parameters.max_time_in_seconds = max(0.0, until - time.monotonic())
        status, pressed = stoppable(lambda: solver.solve(self.model), solver.stop_search)
        if pressed and not stopping():
            raise KeyboardInterrupt  # nobody around listens
        work = solver.response_proto.deterministic_time
        bought = np.zeros(len(self.master.cost), dtype=bool)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Answer(None, None, bought, work)
        cleared = np.array([solver.boolean_value(v) for v in self.cleared], dtype=bool)
        for link, variable in self.bought.items():
            bought[link] = solver.boolean_value(variable)
        return Answer(float(solver.best_objective_bound), cleared, bought, work)

    def missed(self, answer: Answer) -> Cuts:
        """Cuts that the answer's trees miss."""
        assert answer.cleared is not None
        return cuts_missed(self.master.reach, answer.bought.astype(float), answer.cleared.astype(float), DEPTH, 0.5)

    def _span(self, row: int) -> slice:
        return slice(int(self.master.matrix.indptr[row]), int(self.master.matrix.indptr[row + 1]))

    def _add_row(self, row: int) -> None:
        """A clause or sum: its hamlet, and ways."""
        matrix, hamlet = self.master.matrix, self.cleared[int(self.master.hamlet[row])]
        links, values = matrix.indices[self._span(row)] - self.master.hamlets, matrix.data[self._span(row)]
        need, links, values = -int(values[links < 0][0]), links[links >= 0], values[links >= 0]
        ways, helps = self._links(links), values[~self._out[links]]
        if need == 1 and (helps == 1).all():
            self.model.add_bool_or([hamlet.negated(), *ways])
        else:
            self.model.add(cp_model.LinearExpr.weighted_sum(ways, helps.tolist()) >= need * hamlet)

    def _add_people(self, group: int) -> None:
        """Enough people of a group that its clauses do not hold to it: a cell counts when some way covers it."""
        case, coverage = self.master.case, self.master.case.coverage
        hamlet = self.cleared[int(coverage.group_hamlet[group])]
        cells = coverage.group_cell[coverage.group_indptr[group] : coverage.group_indptr[group + 1]]
        covered = [self.model.new_bool_var("") for _ in cells]
        self._covered.extend(zip(cells.tolist(), covered, strict=True))
        covers = sparse.csc_array(case.covers[:, cells])
        for cell, (a, b) in enumerate(zip(covers.indptr[:-1], covers.indptr[1:], strict=True)):
            self.model.add_bool_or([covered[cell].negated(), *self._links(self.master.arcs + covers.indices[a:b])])
        people = cp_model.LinearExpr.weighted_sum(covered, coverage.cell_people[cells].tolist())
        self.model.add(people >= int(coverage.group_need[group])).only_enforce_if(hamlet)

    def _links(self, links: NDArray[np.integer]) -> list[cp_model.IntVar]:
        """The variables of those that are not out, and with them all that must be bought before."""
        held = links[~self._out[links]].tolist()
        waiting = [link for link in held if link not in self.bought]
        self.bought |= {link: self.model.new_bool_var("") for link in waiting}
        while waiting:
            later = waiting.pop()
            if later in self._before:
                before = [i for i in self._before[later] if not self._out[i]]
                new = [i for i in before if i not in self.bought]
                self.bought |= {i: self.model.new_bool_var("") for i in new}
                waiting.extend(new)
                self.model.add_bool_or([self.bought[later].negated(), *(self.bought[i] for i in before)])
        return [self.bought[link] for link in held]


def _before(master: Master) -> dict[int, list[int]]:
    """Of which links one is bought before a link is; none for those that leave the root."""
    matrix, first = master.matrix, master.hamlets
    before: dict[int, list[int]] = {}
    for row in np.flatnonzero((master.hamlet < 0) & (master.least == 0)).tolist():
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        links, values = matrix.indices[span] - first, matrix.data[span]
        for later in links[values < 0].tolist():
            before[later] = links[values > 0].tolist()
    return before
