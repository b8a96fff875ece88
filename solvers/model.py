"""The decision as a CP-SAT model, one lexicographic stage at a time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy import sparse

from phusong.solvers.clauses import blocking_clauses
from phusong.solvers.problem import Problem

GLANCE_S = 0.2  # how often a waiting program looks whether Ctrl-C was pressed; some systems tell only then
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
    """What the solver says of one stage; chosen is None when it found nothing. interrupted: by Ctrl-C."""

    status: str
    chosen: NDArray[np.bool_] | None
    value: int
    bound: int
    seconds: float
    deterministic: float
    interrupted: bool


class StageModel:
    """Options x, covered cells z, cleared hamlets y; built once per stage, for the groups or for all people too."""

    def __init__(self, problem: Problem, cost: NDArray[np.int64], with_people: bool) -> None:
        self.problem = problem
        self.cost = cost
        self.model = cp_model.CpModel()
        self.x = [self.model.new_bool_var("") for _ in range(problem.options)]
        self.y = [self.model.new_bool_var("") for _ in range(problem.hamlets)]
        self._columns = sparse.csc_array(problem.covers)
        self._z: dict[int, cp_model.IntVar] = {}
        self._crowds: list[tuple[cp_model.IntVar, list[int]]] = []
        self._rules()
        for group in range(len(problem.group_hamlet)):
            self._group(group)
        if with_people:
            self.people = self._people()

    def budget(self, budget: int) -> None:
        self.model.add(self.spent() <= budget)

    def spent(self) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(self.x, self.cost.tolist())

    def cleared(self) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(self.y, self.problem.hamlet_weight.tolist())

    def lifetime(self) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(self.x, self.problem.lifetime_cost_vnd.tolist())

    def hint(self, chosen: NDArray[np.bool_]) -> None:
        """A plan to start from; every variable gets its value, so that the solver takes it as it is."""
        covered = self.problem.covered_by(np.flatnonzero(chosen).astype(np.int32))
        cleared = self.problem.cleared_by(covered)
        for variables, values in ((self.x, chosen), (self.y, cleared)):
            for variable, value in zip(variables, values.tolist(), strict=True):
                self.model.add_hint(variable, value)
        for cell, variable in self._z.items():
            self.model.add_hint(variable, bool(covered[cell]))
        for variable, cells in self._crowds:
            self.model.add_hint(variable, bool(covered[cells].all()))

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
        status, interrupted = _solved(solver, self.model, _Watch(on_progress) if on_progress else None)
        found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        chosen = np.array(solver.boolean_values(self.x), dtype=bool) if found else None
        # Stopped before it knew anything, the solver reports a bound that is none.
        bound = self._trivial_bound
        if found:
            tighter = min if self._maximises else max
            bound = tighter(bound, _whole(solver.best_objective_bound, self._maximises))
        return Answer(
            status=solver.status_name(status).lower(),
            chosen=chosen,
            value=round(solver.objective_value) if found else 0,
            bound=bound,
            seconds=solver.wall_time,
            deterministic=solver.response_proto.deterministic_time,
            interrupted=interrupted,
        )

    def maximise(self, expression: cp_model.LinearExpr, most: int) -> None:
        """most: a value that no choice exceeds."""
        self._maximises, self._trivial_bound = True, most
        self.model.maximize(expression)

    def minimise(self, expression: cp_model.LinearExpr) -> None:
        self._maximises, self._trivial_bound = False, 0
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


def _solved(
    solver: cp_model.CpSolver, model: cp_model.CpModel, watch: _Watch | None
) -> tuple[cp_model.CpSolverStatus, bool]:
    """The solver's status, and whether Ctrl-C stopped it.

    Only the main thread hears Ctrl-C, so another one solves. The key sets a flag instead of raising: an exception may
    come up at any place, also where it gets lost.
    """
    if threading.current_thread() is not threading.main_thread():
        return solver.solve(model, watch), False
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    try:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(solver.solve, model, watch)
            while not running.done():
                wait([running], GLANCE_S)
                if pressed.is_set():
                    solver.stop_search()
        return running.result(), pressed.is_set()
    finally:
        signal.signal(signal.SIGINT, before)


def _whole(bound: float, maximises: bool) -> int:
    """A bound on a whole number, rounded the safe way first and then to the whole number that it allows."""
    return int(np.floor(bound + 1e-6)) if maximises else int(np.ceil(bound - 1e-6))
