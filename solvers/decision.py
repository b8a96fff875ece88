"""What to build: successive integer solves, each keeping what the earlier ones reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.built import Built
from phusong.solvers.errors import LockedExceedBudget, NoPlanInTime, TargetImpossible
from phusong.solvers.interruption import ctrl_c
from phusong.solvers.joint import Effort
from phusong.solvers.model import Answer, Limits, StageModel
from phusong.solvers.presolve import Reduced, reduce_problem
from phusong.solvers.price import Price, cheapest_clearing
from phusong.solvers.problem import Problem
from phusong.solvers.start import good_start, proven
from phusong.solvers.tree_model import Told

__all__ = ["Limits", "Plan", "Price", "Stage", "cheapest_clearing", "max_cleared", "min_cost"]

EFFORT = Effort(search_rounds=1500, search_parts=30, cut_rounds=20)
FULL = 4.0  # units of work of a stage from which on all that is searched; the fewer, the less
WHOLE_WORK = 8.0  # times the limit of a stage, for the joint decision in whole ways and trenches
PROOF_TIME = 0.5  # of a clock's limit for the first stage; the rest is the full model's
KERNEL_WORK = 6.0  # at most, for each of its kernels
LEAST_WORK = 4.0  # of a later stage: with less, CP-SAT hardly gets through its presolve of a real problem
UNLIMITED = 20.0  # in place of that limit where a stage has none, or a clock
HURRY = 0.1  # units of work for a stage, once Ctrl-C was pressed before it began
Progress = Callable[[str, float, float], None]
Name = Literal["cleared", "people", "lifetime", "cost"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One solve. `conditional`: an earlier stage stopped unproven, so the bound holds only for what it kept."""

    name: Name
    value: int
    bound: int
    gap: float
    status: Literal["optimal", "feasible"]
    conditional: bool
    seconds: float
    deterministic: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The choice. chosen (k,) int32 ascending; cleared (H,) and covered (C,) bool; hamlets_bound: no choice within
    the budget clears more weight. repeatable: neither a clock nor Ctrl-C had a say.

    way : (k,) int32 the way of each chosen option, NONE where it has none;  trenches : (t,) int32 road edges, ascending
    trench_vnd : of them, against the budget;  both costs include ways and trenches
    """

    chosen: NDArray[np.int32]
    cleared: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    stages: tuple[Stage, ...]
    budget_cost_vnd: int
    lifetime_cost_vnd: int
    hamlets_bound: int
    repeatable: bool
    way: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    trenches: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    trench_vnd: int = 0


def max_cleared(problem: Problem, budget_vnd: int, limits: Limits, on_progress: Progress | None = None) -> Plan:
    """Most cleared weight within the budget, then most people newly covered, then least lifetime cost.

    Raises LockedExceedBudget, TargetImpossible (a required hamlet cannot be cleared within the budget).
    """
    _locked_fit(problem, budget_vnd)
    reduced = reduce_problem(problem, budget_vnd)
    return _Lexicographic(problem, reduced, limits, on_progress).most_cleared(budget_vnd)


def min_cost(problem: Problem, target_hamlets: int, limits: Limits, on_progress: Progress | None = None) -> Plan:
    """Least budget cost that clears the target weight and all required hamlets, then most people, then lifetime cost.

    Raises TargetImpossible.
    """
    reduced = reduce_problem(problem, None)
    most = problem.cleared_by(problem.covered_by(np.flatnonzero(~problem.forbidden).astype(np.int32)))
    possible = int(problem.hamlet_weight[most].sum())
    if possible < target_hamlets:
        raise TargetImpossible(
            what=f"mục tiêu {target_hamlets} thôn không đạt được / {target_hamlets} hamlets cannot be cleared",
            where=f"mọi phương án cùng lúc chỉ xoá được / all options together clear only {possible}",
            mend="giảm mục tiêu, hoặc thêm phương án (độ cao, tầm, vị trí) / lower the target or allow more options",
        )
    return _Lexicographic(problem, reduced, limits, on_progress).least_cost(target_hamlets)


def _teller(tell: Progress, name: Name) -> Callable[[float, float], None]:
    return lambda value, bound: tell(name, value, max(bound, 0.0))  # at first the solver's own may be below nothing


def _locked_fit(problem: Problem, budget_vnd: int) -> None:
    locked = int(problem.budget_cost_vnd[problem.locked].sum())
    if problem.backhaul is not None:
        cheapest = np.full(problem.options, np.iinfo(np.int64).max)
        np.minimum.at(cheapest, problem.backhaul.way_option, problem.backhaul.way_budget_vnd)
        with_ways = np.unique(problem.backhaul.way_option)
        locked += int(cheapest[with_ways[problem.locked[with_ways]]].sum())
    if locked > budget_vnd:
        raise LockedExceedBudget(
            what="các phương án bắt buộc vượt ngân sách / the locked-in options cost more than the budget",
            where=f"{int(problem.locked.sum())} phương án / options: {locked:,} VND;"
            f" ngân sách / budget: {budget_vnd:,} VND",
            mend="tăng ngân sách hoặc bỏ bớt locked_options / raise the budget or lock fewer options",
        )


class _Lexicographic:
    """Stages over one reduced problem; each starts from the best plan so far and never falls behind it."""

    def __init__(self, whole: Problem, reduced: Reduced, limits: Limits, on_progress: Progress | None) -> None:
        self.whole, self.reduced, self.problem = whole, reduced, reduced.problem
        self.limits, self.on_progress = limits, on_progress
        self.stages: list[Stage] = []
        self.interrupted, self.hurried = False, False
        self.told: Told | None = None
        self.likely: Built | None = None

    def most_cleared(self, budget: int) -> Plan:
        start = self._started("cleared", budget, None)
        start, most, done = self._proven("cleared", start, budget, WHOLE_WORK)
        worked = done and self.limits.deterministic_limit is not None and self.limits.time_limit_s is None
        if start is not None and (worked or most <= self.reduced.cleared(start)):
            value = self.reduced.cleared(start)
            self._note("cleared", value, Answer("stopped", start, value, most, 0.0, 0.0, self.interrupted), True)
            return self._rest(start, budget, value, max(value, most))
        stage = StageModel(self.reduced, False, self.told)
        stage.budget(budget)
        stage.maximise(stage.cleared(), most)
        best = self._solve("cleared", stage, start, True)
        bound = self.stages[0].bound
        return self._rest(best, budget, self.reduced.cleared(best), bound)

    def least_cost(self, target: int) -> Plan:
        everything = int(self.problem.budget_cost_vnd.sum())
        if self.problem.backhaul is not None:
            backhaul = self.problem.backhaul
            everything += int(backhaul.way_budget_vnd.sum() + backhaul.roads.cost_vnd.sum())
        start = self._started("cost", everything, target)
        self._proven("cost", start, everything if start is None else self.reduced.spent(start)[0], 0.0)
        stage = StageModel(self.reduced, False, self.told)
        stage.model.add(stage.cleared() >= target)
        stage.minimise(stage.spent())
        best = self._solve("cost", stage, start, False)
        return self._rest(best, self.reduced.spent(best)[0], target, int(self.problem.hamlet_weight.sum()))

    def _started(self, name: Name, budget: int, target: int | None) -> Built | None:
        """A plan of the search, which is short: Ctrl-C ends what comes after it."""
        with ctrl_c() as pressed:
            start = good_start(self.reduced, budget, self._effort(), target)
            if start is not None and self.on_progress is not None:
                trivial = 0 if name == "cost" else int(self.problem.hamlet_weight.sum())
                self.on_progress(name, float(self._value(name, start)), float(trivial))
        self._heard(pressed.is_set())
        return start

    def _proven(self, name: Name, start: Built | None, budget: int, work: float) -> tuple[Built | None, int, bool]:
        """The better plan, the cleared weight that the joint decision's proofs say no plan exceeds, and whether they
        knew all there is to know.

        work : for the decision in whole numbers, times the limit of a stage
        """
        most = int(self.problem.hamlet_weight.sum())
        if self.hurried or (start is not None and name == "cleared" and self.reduced.cleared(start) == most):
            return start, most, False
        tell = _teller(self.on_progress, name) if self.on_progress is not None and name == "cleared" else None
        units = work * self._work()
        effort = replace(self._effort(), whole_work=units, kernel_work=min(KERNEL_WORK, units))
        with ctrl_c() as pressed:
            found = proven(self.reduced, budget, start, effort, tell)
        self._heard(pressed.is_set())
        if found is None:
            return start, most, False
        self.told, self.likely = found.told, found.likely
        better = found.better
        if better is not None and (start is None or self._better("cleared", better, start, True)):
            start = better
        return start, min(most, found.bound), found.every_rule

    def _heard(self, pressed: bool) -> None:
        self.hurried |= pressed
        self.interrupted |= pressed

    def _work(self) -> float:
        """Units of work of a stage."""
        return UNLIMITED if self.limits.time_limit_s is not None else self.limits.deterministic_limit or UNLIMITED

    def _effort(self) -> Effort:
        share = min(1.0, self._work() / FULL)
        return replace(
            EFFORT, search_rounds=round(EFFORT.search_rounds * share), search_parts=round(EFFORT.search_parts * share),
            gap=self.limits.gap, seed=self.limits.seed,
            seconds=None if self.limits.time_limit_s is None else PROOF_TIME * self.limits.time_limit_s,
        )  # fmt: skip

    def _rest(self, best: Built, budget: int, cleared: int, bound: int) -> Plan:
        def posed() -> StageModel:
            stage = StageModel(self.reduced, True, self.told)
            stage.budget(budget)
            stage.model.add(stage.cleared() >= cleared)
            return stage

        def people() -> StageModel:
            stage = posed()
            stage.maximise(stage.people, self.problem.people)
            return stage

        def lifetime() -> StageModel:
            stage = posed()
            stage.model.add(stage.people >= self.reduced.people(best))
            stage.minimise(stage.lifetime())
            return stage

        best = self._later("people", people, best, True)
        best = self._later("lifetime", lifetime, best, False)
        return self._plan(best, bound)

    def _later(self, name: Name, posed: Callable[[], StageModel], best: Built, maximise: bool) -> Built:
        """The best of a kernel, what the first stage's fractions like; then of all, if there is work enough for it."""
        if self.likely is None or self.hurried:
            return self._solve(name, posed(), best, maximise)
        kernel = posed()
        kernel.only(self.likely, best)
        kernel.hint(best)
        found = kernel.solve(self.limits, None)
        self.interrupted |= found.interrupted
        if found.built is not None and self._better(name, found.built, best, maximise):
            best = found.built
        if found.interrupted or (self.limits.time_limit_s is None and self._work() < LEAST_WORK):
            value = self._value(name, best)
            self._note(
                name,
                value,
                Answer("stopped", best, value, kernel.trivial_bound, found.seconds, found.deterministic, False),
                maximise,
            )
            return best
        return self._solve(name, posed(), best, maximise)

    def _solve(self, name: Name, stage: StageModel, start: Built | None, maximise: bool) -> Built:
        """The best of the solver's plan and the start."""
        if start is not None:
            stage.hint(start)
        tell, limits = self.on_progress, self.limits
        if self.hurried:
            limits, self.hurried = replace(limits, deterministic_limit=HURRY), False
        answer = stage.solve(limits, _teller(tell, name) if tell else None)
        self.interrupted |= answer.interrupted
        best = answer.built if answer.built is not None else start
        if answer.status == "infeasible":
            raise TargetImpossible(
                what="không xoá được các thôn bắt buộc hoặc mục tiêu / what must be cleared cannot be",
                where=f"{int(self.problem.required.sum())} thôn bắt buộc / required hamlets,"
                f" {int(self.problem.locked.sum())} phương án bắt buộc / locked options,"
                f" {len(self.problem.forbidden_sets)} bộ bị cấm / forbidden sets,"
                f" {len(self.problem.caps)} giới hạn / caps",
                mend="tăng ngân sách, bớt điều bắt buộc hoặc thêm phương án"
                " / raise the budget, require less or allow more options",
            )
        if best is None:
            raise NoPlanInTime(
                what="hết giới hạn mà chưa có phương án nào / no plan was found within the limits",
                where=f"{answer.deterministic:.2g} đơn vị / units of work, {answer.seconds:.1f} s",
                mend="tăng / raise solver.deterministic_limit, solver.time_limit_s",
            )
        if start is not None and self._better(name, start, best, maximise):
            best = start
        self._note(name, self._value(name, best), answer, maximise)
        return best

    def _note(self, name: Name, value: int, answer: Answer, maximise: bool) -> None:
        bound = max(answer.bound, value) if maximise else min(answer.bound, value)
        proven = bound == value
        self.stages.append(
            Stage(
                name=name, value=value, bound=bound, gap=abs(bound - value) / max(abs(bound), 1),
                status="optimal" if proven else "feasible", conditional=any(s.status != "optimal" for s in self.stages),
                seconds=answer.seconds, deterministic=answer.deterministic,
            )
        )  # fmt: skip

    def _better(self, name: Name, one: Built, other: Built, maximise: bool) -> bool:
        ahead = self._value(name, one) - self._value(name, other)
        return ahead > 0 if maximise else ahead < 0

    def _value(self, name: Name, built: Built) -> int:
        if name == "cleared":
            return self.reduced.cleared(built)
        if name == "people":
            return self.reduced.people(built)
        return self.reduced.spent(built)[1 if name == "lifetime" else 0]

    def _plan(self, best: Built, bound: int) -> Plan:
        chosen, way, trenches = self.reduced.restored(best)
        budget, lifetime = self.whole.cost_of(chosen, way, trenches)
        trench = 0 if self.whole.backhaul is None else int(self.whole.backhaul.roads.cost_vnd[trenches].sum())
        covered = self.whole.covered_by(chosen)
        cleared = self.whole.cleared_by(covered) if self.whole.load is None else best.cleared
        return Plan(
            chosen=chosen, cleared=cleared, covered=covered, stages=tuple(self.stages),
            budget_cost_vnd=budget, lifetime_cost_vnd=lifetime, hamlets_bound=bound,
            repeatable=self.limits.time_limit_s is None and not self.interrupted,
            way=way, trenches=trenches, trench_vnd=trench,
        )  # fmt: skip
