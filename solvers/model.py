"""The decision as a CP-SAT model, one lexicographic stage at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model
from scipy import sparse

from phusong.solvers.built import Built
from phusong.solvers.clauses import blocking_clauses
from phusong.solvers.interruption import stoppable
from phusong.solvers.presolve import Reduced
from phusong.solvers.problem import Load
from phusong.solvers.tree_model import Connections, Told

LINEARIZATION = 2  # with the whole linear relaxation one worker beats several (docs/solver.md)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a stage stops.

    gap : relative gap that is good enough;  deterministic_limit : the solver's own units of work, repeatable;
    time_limit_s : wall clock, not repeatable;  seed; threads : workers when the wall clock decides
    """

    gap: float = 0.0
    deterministic_limit: float | None = None
    time_limit_s: float | None = None
    seed: int = 1
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver says of one stage; built is None when it found nothing. interrupted: by Ctrl-C."""

    status: str
    built: Built | None
    value: int
    bound: int
    seconds: float
    deterministic: float
    interrupted: bool


class StageModel:
    """Options x, covered cells z, cleared hamlets y, ways and trenches; built once per stage, for the groups or for all
    people too."""

    def __init__(self, reduced: Reduced, with_people: bool, told: Told | None = None) -> None:
        self.reduced, self.problem = reduced, reduced.problem
        self.model = cp_model.CpModel()
        self.x = [self.model.new_bool_var("") for _ in range(self.problem.options)]
        self.y = [self.model.new_bool_var("") for _ in range(self.problem.hamlets)]
        self._columns = sparse.csc_array(self.problem.covers)
        self._z: dict[int, cp_model.IntVar] = {}
        self._crowds: list[tuple[cp_model.IntVar, list[int]]] = []
        self.connections = None
        if reduced.connected is not None and self.problem.backhaul is not None:
            self.connections = Connections(self.model, self.problem.backhaul, reduced.connected, self.x, self.y, told)
        self._rules()
        for group in range(len(self.problem.group_hamlet)):
            self._group(group)
        self._caps()
        self._traffic: dict[tuple[int, int], cp_model.IntVar] = {}
        if self.problem.load is not None:
            self._carry(self.problem.load)
        if with_people:
            self.people = self._people()

    def budget(self, budget: int) -> None:
        self.model.add(self.spent() <= budget)

    def spent(self) -> cp_model.LinearExpr:
        options = cp_model.LinearExpr.weighted_sum(self.x, self.problem.budget_cost_vnd.tolist())
        return options if self.connections is None else options + self.connections.spent()

    def cleared(self) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(self.y, self.problem.hamlet_weight.tolist())

    def lifetime(self) -> cp_model.LinearExpr:
        options = cp_model.LinearExpr.weighted_sum(self.x, self.problem.lifetime_cost_vnd.tolist())
        return options if self.connections is None else options + self.connections.lifetime()

    def hint(self, built: Built) -> None:
        """A plan to start from; every variable gets its value, so that the solver takes it as it is."""
        covered = self.reduced.covered(built)
        for variables, values in ((self.x, built.options), (self.y, built.cleared)):
            for variable, value in zip(variables, values.tolist(), strict=True):
                self.model.add_hint(variable, value)
        for cell, variable in self._z.items():
            self.model.add_hint(variable, bool(covered[cell]))
        for variable, cells in self._crowds:
            self.model.add_hint(variable, bool(covered[cells].all()))
        if self.connections is not None:
            self.connections.hint(built.ways, built.edges)
        if self._traffic:
            carried = self.reduced.flows(built.options, built.cleared) or {}
            for pair, variable in self._traffic.items():
                self.model.add_hint(variable, carried.get(pair, 0))

    def only(self, likely: Built, best: Built) -> None:
        """Leave out what is neither likely nor in the plan, which makes a bound one of the plans left."""
        for variable, kept in zip(self.x, (likely.options | best.options).tolist(), strict=True):
            if not kept:
                self.model.add(variable == 0)
        if self.connections is not None:
            self.connections.only(likely.ways | best.ways, likely.edges | best.edges)

    def solve(self, limits: Limits, on_progress: Callable[[float, float], None] | None) -> Answer:
        """Run until proven, within the gap, or stopped; Ctrl-C stops with the best so far."""
        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.random_seed = limits.seed
        parameters.relative_gap_limit = limits.gap
        parameters.catch_sigint_signal = False  # its own handler would not say that it was called
        if limits.deterministic_limit is not None:
            parameters.max_deterministic_time = limits.deterministic_limit
        if limits.time_limit_s is not None:
            parameters.max_time_in_seconds = limits.time_limit_s
            parameters.num_workers = max(limits.threads, 1)
        else:
            parameters.num_workers = 1
            parameters.linearization_level = LINEARIZATION
        watch = _Watch(on_progress) if on_progress else None
        status, interrupted = stoppable(lambda: solver.solve(self.model, watch), solver.stop_search)
        found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        # Stopped before it knew anything, the solver reports a bound that is none.
        bound = self.trivial_bound
        if found:
            tighter = min if self._maximises else max
            bound = tighter(bound, _whole(solver.best_objective_bound, self._maximises))
        return Answer(
            status=solver.status_name(status).lower(),
            built=self._read(solver) if found else None,
            value=round(solver.objective_value) if found else 0,
            bound=bound,
            seconds=solver.wall_time,
            deterministic=solver.response_proto.deterministic_time,
            interrupted=interrupted,
        )

    def _read(self, solver: cp_model.CpSolver) -> Built:
        nothing = np.empty(0, dtype=bool)
        ways, edges = (nothing, nothing) if self.connections is None else self.connections.read(solver)
        options, cleared = (np.array(solver.boolean_values(v), dtype=bool) for v in (self.x, self.y))
        return self.reduced.completed(options, ways, edges, cleared)

    def maximise(self, expression: cp_model.LinearExpr, most: int) -> None:
        """most: a value that no choice exceeds."""
        self._maximises, self.trivial_bound = True, most
        self.model.maximize(expression)

    def minimise(self, expression: cp_model.LinearExpr) -> None:
        self._maximises, self.trivial_bound = False, 0
        self.model.minimize(expression)

    def _rules(self) -> None:
        problem = self.problem
        for number in np.unique(problem.exclusive[problem.exclusive >= 0]):
            members = np.flatnonzero(problem.exclusive == number)
            if len(members) > 1:
                self.model.add_at_most_one([self.x[o] for o in members])
        for members_of_set in problem.forbidden_sets:
            self.model.add_bool_or([self.x[o].negated() for o in members_of_set])
        for option in np.flatnonzero(problem.locked):
            self.model.add(self.x[option] == 1)
        for hamlet in np.flatnonzero(problem.required):
            self.model.add(self.y[hamlet] == 1)

    def _caps(self) -> None:
        ways = [] if self.connections is None else self.connections.way
        for cap in self.problem.caps:
            members = [*(self.x[o] for o in cap.options), *(ways[w] for w in cap.ways)]
            units = [
                *(np.ones(len(cap.options), np.int64) if cap.option_units is None else cap.option_units).tolist(),
                *(np.ones(len(cap.ways), np.int64) if cap.way_units is None else cap.way_units).tolist(),
            ]
            self.model.add(cp_model.LinearExpr.weighted_sum(members, units) <= cap.most)

    def _carry(self, load: Load) -> None:
        """Traffic of cleared hamlets' groups flows to chosen options. One that could carry all the groups of which it
        covers anything needs no flow: being chosen suffices."""
        by_group = self.reduced.by_group
        ample = load.option_kbps >= by_group.T.astype(np.int64) @ load.group_kbps
        carried: dict[int, list[cp_model.IntVar]] = {}
        for group in np.flatnonzero(load.group_kbps).tolist():
            kbps = int(load.group_kbps[group])
            options = by_group.indices[by_group.indptr[group] : by_group.indptr[group + 1]].tolist()
            terms, units = [self.y[self.problem.group_hamlet[group]]], [-kbps]
            for option in options:
                if ample[option]:
                    terms.append(self.x[option])
                    units.append(kbps)
                else:
                    most = min(kbps, int(load.option_kbps[option]))
                    flow = self._traffic[option, group] = self.model.new_int_var(0, most, "")
                    carried.setdefault(option, []).append(flow)
                    terms.append(flow)
                    units.append(1)
            self.model.add(cp_model.LinearExpr.weighted_sum(terms, units) >= 0)
        for option, parts in carried.items():
            self.model.add(sum(parts) <= int(load.option_kbps[option]) * self.x[option])

    def _covering(self, cell: int) -> list[int]:
        options: list[int] = self._columns.indices[self._columns.indptr[cell] : self._columns.indptr[cell + 1]].tolist()
        return options

    def _cell(self, cell: int) -> cp_model.IntVar:
        if cell not in self._z:
            self._z[cell] = self.model.new_bool_var("")
            self.model.add_bool_or([*(self.x[o] for o in self._covering(cell)), self._z[cell].negated()])
        return self._z[cell]

    def _group(self, group: int) -> None:
        problem = self.problem
        cells = problem.group_cell[problem.group_indptr[group] : problem.group_indptr[group + 1]]
        people, need = problem.cell_people[cells], int(problem.group_need[group])
        cleared = self.y[problem.group_hamlet[group]]
        if people.sum() < need:
            self.model.add(cleared == 0)
            return
        clauses, complete = blocking_clauses([self._covering(int(c)) for c in cells], people.tolist(), need)
        for options in clauses:
            self.model.add_bool_or([*(self.x[o] for o in options), cleared.negated()])
        if complete:
            return
        covered = [self._cell(int(c)) for c in cells]
        self.model.add(cp_model.LinearExpr.weighted_sum(covered, people.tolist()) >= need).only_enforce_if(cleared)
        # What options cover one by one can only overlap: a relaxation in x alone that the linear bound likes.
        alone = np.minimum(problem.covers[:, cells] @ people, need)
        helping = np.flatnonzero(alone)
        self.model.add(
            cp_model.LinearExpr.weighted_sum([self.x[o] for o in helping], alone[helping].tolist()) >= need * cleared
        )

    def _people(self) -> cp_model.LinearExpr:
        problem = self.problem
        if problem.crowds is None:
            cells = range(len(problem.cell_people))
            return cp_model.LinearExpr.weighted_sum([self._cell(c) for c in cells], problem.cell_people.tolist())
        cells_of = np.split(problem.crowds.cells.indices, problem.crowds.cells.indptr[1:-1])
        counted = [self._all_covered(cells.tolist()) for cells in cells_of[: len(problem.crowds.people)]]
        return cp_model.LinearExpr.weighted_sum(counted, problem.crowds.people.tolist())

    def _all_covered(self, cells: list[int]) -> cp_model.IntVar:
        if len(cells) == 1:
            return self._cell(cells[0])
        every = self.model.new_bool_var("")
        for cell in cells:
            self.model.add_implication(every, self._cell(cell))
        self._crowds.append((every, cells))
        return every


class _Watch(cp_model.CpSolverSolutionCallback):
    def __init__(self, tell: Callable[[float, float], None]) -> None:
        super().__init__()
        self._tell = tell

    def on_solution_callback(self) -> None:
        self._tell(self.objective_value, self.best_objective_bound)


def _whole(bound: float, maximises: bool) -> int:
    """A bound on a whole number, rounded the safe way first and then to the whole number that it allows."""
    return int(np.floor(bound + 1e-6)) if maximises else int(np.ceil(bound - 1e-6))
