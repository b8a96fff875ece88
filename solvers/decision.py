"""What to build: successive integer solves, each keeping what the earlier ones reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.errors import LockedExceedBudget, NoPlanInTime, TargetImpossible
from phusong.solvers.local_search import good_plan
from phusong.solvers.model import Answer, Limits, StageModel
from phusong.solvers.presolve import Reduced, reduce_problem
from phusong.solvers.problem import Problem

__all__ = ["Limits", "Plan", "Price", "Stage", "cheapest_clearing", "max_cleared", "min_cost"]

SEARCH_ROUNDS = 200
PRICE_WORK = 1.0  # the solver's own units that the search for a price may take
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
    the budget clears more weight. repeatable: neither a clock nor Ctrl-C had a say."""

    chosen: NDArray[np.int32]
    cleared: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    stages: tuple[Stage, ...]
    budget_cost_vnd: int
    lifetime_cost_vnd: int
    hamlets_bound: int
    repeatable: bool


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


class Price(NamedTuple):
    """What clearing a hamlet costs [VND]. proven: none costs less; else it certainly suffices."""

    hamlet: int
    vnd: int
    proven: bool


def cheapest_clearing(problem: Problem, among: NDArray[np.bool_] | None = None) -> Price | None:
    """The hamlet that costs least to clear, by one option or by several together; None where no way was found.

    among : (H,) bool, the hamlets that count; None: all. What is locked or required is left aside, what is forbidden
    is not; hamlets that ask for nothing do not count.
    """
    asks = np.bincount(problem.group_hamlet[problem.group_need > 0], minlength=problem.hamlets) > 0
    counts = asks if among is None else asks & among
    alone = _cheapest_alone(problem, counts)
    free = replace(
        problem, hamlet_weight=counts.astype(np.int64), required=np.zeros_like(problem.required),
        locked=np.zeros_like(problem.locked), crowds=None,
    )  # fmt: skip
    less = None if alone is None else alone.vnd - 1
    reduced = reduce_problem(free, less)
    stage = StageModel(reduced.problem, reduced.problem.budget_cost_vnd, with_people=False)
    stage.model.add(stage.cleared() >= 1)
    if less is not None:
        stage.budget(less)
    stage.minimise(stage.spent())
    answer = stage.solve(Limits(deterministic_limit=PRICE_WORK), None)
    if answer.chosen is None:
        return None if alone is None else alone._replace(proven=answer.status == "infeasible")
    chosen = reduced.option[answer.chosen]
    cleared = problem.cleared_by(problem.covered_by(chosen)) & counts
    vnd = int(problem.budget_cost_vnd[chosen].sum())
    return Price(int(np.argmax(cleared)), vnd, answer.status == "optimal")


def _cheapest_alone(problem: Problem, counts: NDArray[np.bool_]) -> Price | None:
    covers = sparse.csr_array(problem.covers, dtype=np.int64)
    groups = len(problem.group_hamlet)
    group = np.repeat(np.arange(groups), np.diff(problem.group_indptr))
    people = sparse.csr_array(
        (problem.cell_people[problem.group_cell], (problem.group_cell, group)),
        shape=(len(problem.cell_people), groups),
    )
    reached = sparse.coo_array(covers @ people)
    option, number = reached.coords
    met = (reached.data >= problem.group_need[number]) & (problem.group_need[number] > 0)
    pair = option[met].astype(np.int64) * problem.hamlets + problem.group_hamlet[number[met]]
    pairs, count = np.unique(pair, return_counts=True)
    all_of = np.bincount(problem.group_hamlet[problem.group_need > 0], minlength=problem.hamlets)
    barred = problem.forbidden.copy()
    barred[[members[0] for members in problem.forbidden_sets if len(members) == 1]] = True
    option, hamlet = np.divmod(pairs, max(problem.hamlets, 1))
    whole = (count == all_of[hamlet]) & ~barred[option] & counts[hamlet]
    if not whole.any():
        return None
    price = problem.budget_cost_vnd[option[whole]]
    least = int(np.argmin(price))
    return Price(int(hamlet[whole][least]), int(price[least]), False)


def _locked_fit(problem: Problem, budget_vnd: int) -> None:
    locked = int(problem.budget_cost_vnd[problem.locked].sum())
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
        self.cost = self.problem.budget_cost_vnd
        self.stages: list[Stage] = []
        self.interrupted = False

    def most_cleared(self, budget: int) -> Plan:
        start = good_plan(self.problem, budget, self.cost, SEARCH_ROUNDS, self.limits.seed)
        stage = StageModel(self.problem, self.cost, with_people=False)
        stage.budget(budget)
        stage.maximise(stage.cleared(), int(self.problem.hamlet_weight.sum()))
        best = self._solve("cleared", stage, start, True)
        bound = self.stages[0].bound
        return self._rest(best, budget, self._cleared(best), bound)

    def least_cost(self, target: int) -> Plan:
        everything = int(self.cost.sum())
        start = good_plan(self.problem, everything, self.cost, SEARCH_ROUNDS, self.limits.seed, target)
        stage = StageModel(self.problem, self.cost, with_people=False)
        stage.model.add(stage.cleared() >= target)
        stage.minimise(stage.spent())
        best = self._solve("cost", stage, start, False)
        spent = int(self.cost[best].sum())
        return self._rest(best, spent, target, int(self.problem.hamlet_weight.sum()))

    def _rest(self, best: NDArray[np.bool_], budget: int, cleared: int, bound: int) -> Plan:
        people = StageModel(self.problem, self.cost, with_people=True)
        people.budget(budget)
        people.model.add(people.cleared() >= cleared)
        people.maximise(people.people, self.problem.people)
        best = self._solve("people", people, best, True)

        last = StageModel(self.problem, self.cost, with_people=True)
        last.budget(budget)
        last.model.add(last.cleared() >= cleared)
        last.model.add(last.people >= self._people(best))
        last.minimise(last.lifetime())
        best = self._solve("lifetime", last, best, False)
        return self._plan(best, bound)

    def _solve(
        self, name: Name, stage: StageModel, start: NDArray[np.bool_] | None, maximise: bool
    ) -> NDArray[np.bool_]:
        if start is not None:
            stage.hint(start)
        tell = self.on_progress
        answer = stage.solve(self.limits, (lambda value, bound: tell(name, value, bound)) if tell else None)
        self.interrupted |= answer.interrupted
        best = answer.chosen if answer.chosen is not None else start
        if answer.status == "infeasible":
            raise TargetImpossible(
                what="không xoá được các thôn bắt buộc hoặc mục tiêu / what must be cleared cannot be",
                where=f"{int(self.problem.required.sum())} thôn bắt buộc / required hamlets,"
                f" {int(self.problem.locked.sum())} phương án bắt buộc / locked options,"
                f" {len(self.problem.forbidden_sets)} bộ bị cấm / forbidden sets",
                mend="tăng ngân sách, bớt điều bắt buộc hoặc thêm phương án"
                " / raise the budget, require less or allow more options",
            )
        if best is None:
            raise NoPlanInTime(
                what="hết giới hạn mà chưa có phương án nào / no plan was found within the limits",
                where=f"{answer.deterministic:.2g} đơn vị / units of work, {answer.seconds:.1f} s",
                mend="tăng / raise solver.deterministic_limit, solver.time_limit_s",
            )
        if start is not None and (self._value(name, start) > self._value(name, best)) == maximise:
            best = start if self._value(name, start) != self._value(name, best) else best
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

    def _value(self, name: Name, chosen: NDArray[np.bool_]) -> int:
        if name == "cleared":
            return self._cleared(chosen)
        if name == "people":
            return self._people(chosen)
        return int((self.problem.lifetime_cost_vnd if name == "lifetime" else self.cost)[chosen].sum())

    def _covered(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return self.problem.covered_by(np.flatnonzero(chosen).astype(np.int32))

    def _cleared(self, chosen: NDArray[np.bool_]) -> int:
        return int(self.problem.hamlet_weight[self.problem.cleared_by(self._covered(chosen))].sum())

    def _people(self, chosen: NDArray[np.bool_]) -> int:
        return self.problem.people_covered(self._covered(chosen))

    def _plan(self, best: NDArray[np.bool_], bound: int) -> Plan:
        chosen = np.sort(self.reduced.option[best]).astype(np.int32)
        covered = self.whole.covered_by(chosen)
        return Plan(
            chosen=chosen, cleared=self.whole.cleared_by(covered), covered=covered, stages=tuple(self.stages),
            budget_cost_vnd=int(self.whole.budget_cost_vnd[chosen].sum()),
            lifetime_cost_vnd=int(self.whole.lifetime_cost_vnd[chosen].sum()),
            hamlets_bound=bound, repeatable=self.limits.time_limit_s is None and not self.interrupted,
        )  # fmt: skip
