"""Towers and backhaul decided together: a plan by search, and what no plan can exceed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.backhaul.bound import shares_of
from phusong.solvers.backhaul.graph import FAR
from phusong.solvers.backhaul.tree import cheapest_tree
from phusong.solvers.errors import LockedExceedBudget
from phusong.solvers.interruption import stopping
from phusong.solvers.joint.case import JointCase, case_of
from phusong.solvers.joint.improve import improved
from phusong.solvers.joint.master import Master, Relaxations, Relaxed, master_of
from phusong.solvers.joint.problem import JointPlan, JointProblem
from phusong.solvers.joint.proof import solve_whole
from phusong.solvers.joint.regions import Passes, region_bound
from phusong.solvers.joint.search import choice_of, good_joint_plan
from phusong.solvers.joint.state import Choice

MIXES = (0.0, 0.3, 0.6, 0.9)  # where between the middle of past optima and the last one new shares are sought
LEVELS = (5, 20)  # steps into which fractional stops are sorted before they claim
FOLLOW = 0.3  # how fast that middle follows
IDLE = 3  # rounds after which shares without a say are dropped
SEEN = 1e-6  # a fraction that is more than rounding
TREE_TRIES = 60

Recipe = tuple[NDArray[np.int64], NDArray[np.int64]]  # rank and most of a dual ascent's stops


@dataclass(frozen=True, slots=True)
class Effort:
    """Work, never a clock: the same effort and seed give the same plan and bound.

    search_rounds : stretches taken out and filled again;  search_parts : parts of the plan sought anew after that
    share_rounds : linear relaxations;  region_hamlets : of the first regions, at most (0: none)
    region_passes : times that those are solved;  region_joined : the same after each joining two by two
    guided_rounds : of a search that favours what the regions chose, after each pass
    region_work : CP-SAT's units a region, first and after each joining
    solver : of the relaxations; "glop" where they are known to be hard for PDLP
    whole_work : CP-SAT's units in all for the decision in whole ways; 0: none
    """

    search_rounds: int = 3000
    search_parts: int = 100
    share_rounds: int = 12
    region_hamlets: int = 120
    region_passes: int = 2
    region_joined: tuple[int, ...] = (1,)
    guided_rounds: int = 3000
    region_work: tuple[float, ...] = (2.0, 6.0)
    whole_work: float = 0.0
    solver: str = "pdlp"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class JointResult:
    """The plan, its cleared weight, and bounds that no plan within the budget exceeds.

    gap : (bound - cleared) / max(bound, 1);  bounds : what each kind of proof gave;  left_out : by the reductions
    """

    plan: JointPlan
    cleared: int
    bound: int
    gap: float
    bounds: dict[str, int]
    left_out: dict[str, int]


def solve_joint(problem: JointProblem, budget_vnd: int, effort: Effort | None = None) -> JointResult:
    """Most cleared weight within the budget: options, the backhaul of each, and trenches paid once.

    Raises LockedExceedBudget where the search found no way to pay for the locked options.
    """
    effort = effort or Effort()
    case = case_of(problem, budget_vnd)
    homeless = np.setdiff1d(np.flatnonzero(problem.coverage.locked), case.original[case.option])
    choice = None if homeless.size else good_joint_plan(case, effort.search_rounds, effort.seed)
    if choice is None:
        raise LockedExceedBudget(
            what="chưa tìm được cách trả cho các phương án đã khoá / no way found to pay for the locked options",
            where=f"ngân sách / budget {budget_vnd} VND",
            mend="tăng ngân sách hoặc bỏ khoá bớt / raise the budget or unlock some",
        )
    if effort.search_parts > 0 and len(case.option) > 0:
        choice = improved(case, choice, effort.search_parts, effort.seed)
    choice = _with_best_tree(case, choice, effort)
    master = master_of(case)
    proof = _Proof(case, master, effort, choice)
    proof.by_shares()
    proof.by_regions()
    proof.by_whole_ways()
    plan = case.plan(np.flatnonzero(proof.choice.chosen), np.flatnonzero(proof.choice.dug))
    cleared = int(problem.coverage.hamlet_weight[plan.cleared].sum())
    bound = max(cleared, proof.bound)
    return JointResult(plan, cleared, bound, (bound - cleared) / max(bound, 1), proof.bounds, case.counts)


def _with_best_tree(case: JointCase, choice: Choice, effort: Effort) -> Choice:
    """The same ways on a cheaper tree where one is found, and what the money saved pays for."""
    better = _of_ways(case, np.flatnonzero(choice.chosen), effort)
    if better is None:
        return choice
    worse = better.totals[0] < choice.totals[0]
    dearer = better.totals[0] == choice.totals[0] and better.totals[1] >= choice.totals[1]
    return choice if worse or dearer else better


def _of_ways(case: JointCase, ways: NDArray[np.int64], effort: Effort) -> Choice | None:
    """The choice of these ways on a cheap tree, filled up; None when they exceed the budget."""
    tree = cheapest_tree(case.network, case.node[ways], TREE_TRIES, effort.seed)
    if tree is None or int(case.cost[ways].sum()) + tree[1] > case.budget_vnd:
        return None
    return choice_of(case, ways, tree[0])


class _Proof:
    """Bounds under way: the shares found so far, the least bound, and the best choice, which proofs may improve."""

    def __init__(self, case: JointCase, master: Master, effort: Effort, choice: Choice) -> None:
        self.case, self.master, self.effort, self.choice = case, master, effort, choice
        self.bounds: dict[str, int] = {"all": int(case.coverage.hamlet_weight[master.open].sum())}
        stops = len(master.stop)
        self.recipes = [_recipe(np.zeros(stops), np.full(stops, FAR), 1)]
        self.shares = self._ascend(self.recipes[0])[None, :]
        self.relaxed: Relaxed | None = None
        self.relaxations = Relaxations(master, effort.solver)

    @property
    def bound(self) -> int:
        return min(self.bounds.values())

    @property
    def cleared(self) -> int:
        return int(self.choice.totals[0])

    def by_shares(self) -> None:
        """Relaxation after relaxation, each with shares that charge more for what the last one took."""
        middle: NDArray[np.float64] | None = None
        idle = np.zeros(len(self.shares), dtype=np.int64)
        for _ in range(self.effort.share_rounds):
            relaxed = self.relaxations.relax(self.shares)
            if relaxed is None or stopping():
                return
            self.relaxed = relaxed
            self.bounds["linear"] = min(relaxed.bound, self.bounds.get("linear", relaxed.bound))
            if self.bound <= self.cleared:
                return
            middle = relaxed.n if middle is None else middle
            most = np.where(relaxed.n > SEEN, FAR, np.minimum(relaxed.would_pay, 1e18).astype(np.int64))
            recipes = [_recipe(m * middle + (1 - m) * relaxed.n, most, levels) for m in MIXES for levels in LEVELS]
            owed = relaxed.trench_vnd * (1.0 + SEEN)
            new = [(recipe, self._ascend(recipe)) for recipe in recipes]
            new = [(recipe, share) for recipe, share in new if float(share @ relaxed.n) > owed]
            middle = (1.0 - FOLLOW) * middle + FOLLOW * relaxed.n
            if not new:
                return
            idle = np.where(relaxed.shares > 0.0, 0, idle + 1)
            kept = idle < IDLE
            self.recipes = [r for r, keep in zip(self.recipes, kept, strict=True) if keep] + [r for r, _ in new]
            self.shares = np.vstack([self.shares[kept], *(share for _, share in new)])
            idle = np.concatenate([idle[kept], np.zeros(len(new), dtype=np.int64)])
        self._settle()

    def _settle(self) -> None:
        """The relaxation of all shares found, so that its multipliers belong to them."""
        relaxed = self.relaxations.relax(self.shares)
        if relaxed is not None:
            self.relaxed = relaxed
            self.bounds["linear"] = min(relaxed.bound, self.bounds["linear"])

    def by_regions(self) -> None:
        effort = self.effort
        if self.bound <= self.cleared or effort.region_hamlets <= 0:
            return
        if self.relaxed is None or len(self.relaxed.shares) != len(self.shares):
            return
        passes = Passes(effort.region_hamlets, effort.region_passes, effort.region_joined, effort.region_work)
        self.bounds["regions"], chosen = region_bound(
            self.master, self.relaxed, self.recipes, passes, self.cleared, effort.seed
        )
        for number, ways in enumerate(chosen):
            if self.bound > self.cleared and not stopping():
                likely = np.isin(np.arange(len(self.case.option)), ways).astype(float)
                plan = good_joint_plan(self.case, effort.guided_rounds, effort.seed + number, likely)
                if plan is not None and plan.totals[0] > self.cleared:
                    self.choice = _with_best_tree(self.case, plan, effort)

    def by_whole_ways(self) -> None:
        """CP-SAT over the ways, with trenches at what shares say; each answer that cannot be paid brings new shares."""
        left = self.effort.whole_work
        if self.relaxed is not None and len(self.relaxed.shares) == len(self.shares):
            self.shares = self.shares[self.relaxed.shares > 0.0] if (self.relaxed.shares > 0.0).any() else self.shares
        while left > 0.0 and self.bound > self.cleared and not stopping():
            answer = solve_whole(self.master, self.shares, self.cleared + 1, self.bound, self.effort.seed, left)
            left -= max(answer.work, 1e-3)
            self.bounds["whole"] = min(answer.bound, self.bounds.get("whole", answer.bound))
            if answer.ways is None:
                return
            choice = _of_ways(self.case, answer.ways, self.effort)
            if choice is not None and choice.totals[0] > self.cleared:
                self.choice = choice
            stops = np.isin(self.master.stop, self.case.node[answer.ways])
            share = self._ascend(_recipe(stops.astype(float), np.where(stops, FAR, FAR - 1), 1))
            owed = int(share[stops].sum()) + int(self.case.cost[answer.ways].sum())
            if owed <= self.case.budget_vnd and (choice is None or choice.totals[0] < answer.bound):
                return  # shares cannot say why this choice is too dear
            self.shares = np.vstack([self.shares, share])

    def _ascend(self, recipe: Recipe) -> NDArray[np.int64]:
        return shares_of(self.case.network, self.master.stop, *recipe)[self.master.stop]


def _recipe(wanted: NDArray[np.float64], most: NDArray[np.int64], levels: int) -> Recipe:
    return np.round((1.0 - wanted) * levels).astype(np.int64), most
