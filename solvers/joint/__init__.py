"""Towers and backhaul decided together: a plan by search, and what no plan can exceed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.backhaul.graph import ROOT
from phusong.solvers.backhaul.tree import away_from_root, cheapest_tree
from phusong.solvers.errors import LockedExceedBudget
from phusong.solvers.interruption import stopping
from phusong.solvers.joint.case import JointCase, case_of
from phusong.solvers.joint.improve import improved
from phusong.solvers.joint.master import master_of
from phusong.solvers.joint.problem import JointPlan, JointProblem
from phusong.solvers.joint.reach import Cuts
from phusong.solvers.joint.relaxation import Relaxation, Relaxed, packed, unpacked
from phusong.solvers.joint.search import choice_of, good_joint_plan
from phusong.solvers.joint.state import CLEARED, SPENT, Choice
from phusong.solvers.joint.whole import BOUND_SLACK, Answer, WholeModel

TREE_TRIES = 60
KERNELS = (0.3, 0.1, 0.02)  # fractions of the relaxation from which on a link is likely, one after the other
IDLE = 2  # attempts
ATTEMPT = (
    16.0  # units of CP-SAT's, after which another seed may be luckier: the work that a proof takes varies threefold
)


@dataclass(frozen=True, slots=True)
class Effort:
    """Work, and a clock only where `seconds` of proof are given: else the same effort and seed give the same plan and
    bound.

    search_rounds : stretches taken out and filled again;  search_parts : parts of the plan sought anew after that
    cut_rounds : linear relaxations, each with the cuts that the last one missed
    kernel_work : CP-SAT's units for the decision in whole ways and trenches among those that the relaxation likes,
    three times, each among more;  whole_work : the same among all, in all; 0: none
    gap : relative gap that is good enough
    """

    search_rounds: int = 3000
    search_parts: int = 100
    cut_rounds: int = 40
    kernel_work: float = 6.0
    whole_work: float = 0.0
    gap: float = 0.0
    seconds: float | None = None
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
    choice = None if homeless.size else searched(case, effort)
    if choice is None:
        raise LockedExceedBudget(
            what="chưa tìm được cách trả cho các phương án đã khoá / no way found to pay for the locked options",
            where=f"ngân sách / budget {budget_vnd} VND",
            mend="tăng ngân sách hoặc bỏ khoá bớt / raise the budget or unlock some",
        )
    proof = Proof(case, Known(int(choice.totals[CLEARED]), choice.chosen, choice.dug), effort)
    proof.prove()
    if proof.choice is not None:
        choice = proof.choice
    plan = case.plan(problem, np.flatnonzero(choice.chosen), np.flatnonzero(choice.dug))
    cleared = int(problem.coverage.hamlet_weight[plan.cleared].sum())
    bound = max(cleared, proof.bound)
    return JointResult(plan, cleared, bound, (bound - cleared) / max(bound, 1), proof.bounds, case.counts)


def searched(case: JointCase, effort: Effort) -> Choice | None:
    """A good choice; None where the search found no way to pay for the locked options."""
    choice = good_joint_plan(case, effort.search_rounds, effort.seed)
    if choice is None:
        return None
    if effort.search_parts > 0 and len(case.option) > 0:
        choice = improved(case, choice, effort.search_parts, effort.seed)
    return _with_best_tree(case, choice, effort.seed)


def _with_best_tree(case: JointCase, choice: Choice, seed: int) -> Choice:
    """The same ways on a cheaper tree where one is found, and what the money saved pays for."""
    ways = np.flatnonzero(choice.chosen)
    tree = cheapest_tree(case.network, case.node[ways], TREE_TRIES, seed)
    if tree is None or int(case.cost[ways].sum()) + tree[1] > case.budget_vnd:
        return choice
    better = choice_of(case, ways, tree[0])
    worse = better.totals[CLEARED] < choice.totals[CLEARED]
    dearer = better.totals[CLEARED] == choice.totals[CLEARED] and better.totals[SPENT] >= choice.totals[SPENT]
    return choice if worse or dearer else better


class Known(NamedTuple):
    """A plan: the weight that it clears, its ways (W,) and the edges of the network (e,) that it digs."""

    cleared: int
    chosen: NDArray[np.bool_]
    dug: NDArray[np.bool_]


class Proof:
    """Bounds under way. cleared : by a plan known;  choice : one that clears more, found on the way;  cuts : links of
    which one is built if a hamlet is cleared, as far as they have a say in the bound"""

    def __init__(
        self, case: JointCase, known: Known | None, effort: Effort, tell: Callable[[int, int], None] | None = None
    ) -> None:
        self.case, self.known, self.effort, self.tell = case, known, effort, tell
        self.cleared = 0 if known is None else known.cleared
        self.until = np.inf if effort.seconds is None else time.monotonic() + effort.seconds
        self.master = master_of(case)
        self.bounds = {"all": int(case.coverage.hamlet_weight[self.master.open].sum())}
        self.choice: Choice | None = None
        self.cuts: Cuts | None = None
        self.relaxed: Relaxed | None = None

    @property
    def bound(self) -> int:
        return min(self.bounds.values())

    @property
    def open(self) -> bool:
        """Whether there is anything left to prove."""
        late = stopping() or time.monotonic() >= self.until
        return self.bound - self.cleared > self.effort.gap * self.bound and not late

    def prove(self) -> None:
        """In fractions first, then in whole numbers: among the links that the fractions like, then among all."""
        effort = self.effort
        if self.open and effort.cut_rounds > 0:
            self._in_fractions()
        for least in KERNELS:
            if self.open and effort.kernel_work > 0.0 and self.relaxed is not None:
                self._in_kernel(self.relaxed.bought < least)
        self._told()
        if self.open and effort.whole_work > 0.0:
            self._in_whole()

    def _in_fractions(self) -> None:
        relaxation = Relaxation(self.master)
        self.relaxed = relaxation.tighten(self.effort.cut_rounds, self.cleared, self.until)
        if self.relaxed is not None:
            self.bounds["linear"] = self.relaxed.bound
            self.cuts, self.master = relaxation.telling(), relaxation.master
            self._told()

    def _told(self) -> None:
        if self.tell is not None:
            self.tell(self.cleared, max(self.bound, self.cleared))

    def _in_kernel(self, unlikely: NDArray[np.bool_]) -> None:
        """A better plan, of the links that are likely or built already: a small decision, which is often solved."""
        out = unlikely if self.known is None else unlikely & ~self._links(self.known)
        model = self._model(out)
        left, before = self.effort.kernel_work, (-1, 0)
        while left > 0.0 and self.open and (self.cleared, len(model.cuts)) != before:
            before = self.cleared, len(model.cuts)
            answer = self._answer(model, left, self.effort.seed)
            left -= max(answer.work, 1e-3)

    def _in_whole(self) -> None:
        """Answer after answer, each with the cuts that the last one missed; ends where several bring nothing."""
        model = self._model(None)
        left, attempt, idle = self.effort.whole_work, 0, 0
        while left > 0.0 and self.open and idle < IDLE:
            before = self.bound, self.cleared, len(model.cuts)
            answer = self._answer(model, min(left, ATTEMPT), self.effort.seed + attempt)
            if answer.bound is not None:
                self.bounds["whole"] = min(self.bound, int(np.floor(answer.bound + BOUND_SLACK)))
            self._told()
            left -= max(answer.work, 1e-3)
            attempt, idle = attempt + 1, idle + 1 if before == (self.bound, self.cleared, len(model.cuts)) else 0

    def _model(self, out: NDArray[np.bool_] | None) -> WholeModel:
        model = WholeModel(self.master, out)
        if self.cuts is not None:
            model.add_cuts(self.cuts)
        weight = model.weight()
        model.model.add(weight <= self.bound)
        model.model.maximize(weight)
        return model

    def _answer(self, model: WholeModel, limit: float, seed: int) -> Answer:
        """One solve from the best choice known; the answer's choice is taken, and the cuts that it misses added."""
        model.model.add(model.cost() <= self.case.budget_vnd)  # again, since cuts may have brought links
        if self.known is not None:
            model.hint(self._links(self.known))
        answer = model.solve(limit, seed, self.until)
        if answer.cleared is not None:
            self._take(answer)
            missed = model.missed(answer)
            model.add_cuts(missed)
            self.cuts = packed(([] if self.cuts is None else unpacked(self.cuts)) + unpacked(missed))
        return answer

    def _links(self, known: Known) -> NDArray[np.bool_]:
        """(L,) links that a plan builds."""
        by, _ = away_from_root(self.case.network, known.dug)
        arcs = by[self.master.reach.head[: self.master.arcs]] == self.case.network.edge
        return np.concatenate([arcs, known.chosen])

    def _take(self, answer: Answer) -> None:
        """The choice of those of the answer's ways that its trenches do reach, where it clears more."""
        case, network = self.case, self.case.network
        arcs = np.flatnonzero(answer.bought[: self.master.arcs])
        tail, head = network.neighbour[arcs], self.master.reach.head[arcs]
        reached = np.zeros(network.nodes, dtype=bool)
        reached[ROOT] = True
        while (new := head[reached[tail] & ~reached[head]]).size:
            reached[new] = True
        ways = np.flatnonzero(answer.bought[self.master.arcs :] & reached[case.node])
        choice = _with_best_tree(
            case, choice_of(case, ways, np.unique(network.edge[arcs[reached[tail] & reached[head]]])), self.effort.seed
        )
        if choice.totals[CLEARED] > self.cleared and self._holds(choice):
            self.choice, self.cleared = choice, int(choice.totals[CLEARED])
            self.known = Known(self.cleared, choice.chosen, choice.dug)

    def _holds(self, choice: Choice) -> bool:
        """Whether its ways are reached, locked options are in, and the budget is kept: filling up leaves locked ways in
        that it cannot pay the trench of."""
        case = self.case
        by, _ = away_from_root(case.network, choice.dug)
        reached = by >= 0
        reached[ROOT] = True
        held = np.isin(np.flatnonzero(case.coverage.locked), case.option[choice.chosen])
        return bool(reached[case.node[choice.chosen]].all() and held.all() and choice.totals[SPENT] <= case.budget_vnd)
