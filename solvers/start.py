"""A plan to start from, and what no plan exceeds: by the search and the proofs that know towers and trenches, not
every rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.backhaul.graph import ROOT
from phusong.solvers.built import Built
from phusong.solvers.joint import KERNELS, Effort, Known, Proof, searched
from phusong.solvers.joint.case import JointCase
from phusong.solvers.joint.state import Choice
from phusong.solvers.local_search import good_plan
from phusong.solvers.presolve import Reduced
from phusong.solvers.problem import NONE, Problem
from phusong.solvers.rules import mended
from phusong.solvers.tree_model import Told

BUDGETS = 10  # halvings in the search for a low budget that reaches a target,
FEWER = 4  # with so many times fewer rounds
SEARCH_ROUNDS = 200  # where no backhaul is asked for


@dataclass(frozen=True, slots=True)
class _Paired:
    """The joint decision on each option with each of its ways: option, way (P,), NONE where the option needs no way."""

    case: JointCase
    option: NDArray[np.int64]
    way: NDArray[np.int64]

    def built(self, reduced: Reduced, choice: Choice, target: int | None) -> Built | None:
        """The plan, where it keeps every rule or can be mended."""
        options, ways = np.zeros(reduced.problem.options, dtype=bool), np.zeros(reduced.problem.ways, dtype=bool)
        options[self.option[choice.chosen]] = True
        taken = self.way[choice.chosen]
        ways[taken[taken != NONE]] = True
        return _kept(reduced, options, ways, choice.dug.copy(), self.case.budget_vnd, target)

    def chosen_by(self, built: Built) -> NDArray[np.bool_]:
        """(P,) the pairs of a plan."""
        return np.asarray(
            np.where(self.way == NONE, built.options[self.option], np.append(built.ways, False)[self.way])
        )

    def likely(self, reduced: Reduced, bought: NDArray[np.float64]) -> Built:
        """Options, ways and edges of the links that a relaxation takes to some part."""
        network, some = self.case.network, bought >= KERNELS[-1]
        arcs, pairs = np.split(some, [len(network.edge)])
        options, ways = np.zeros(reduced.problem.options, dtype=bool), np.zeros(reduced.problem.ways, dtype=bool)
        edges = np.zeros(len(network.cost), dtype=bool)
        options[self.option[pairs]] = True
        ways[self.way[pairs & (self.way != NONE)]] = True
        edges[network.edge[arcs]] = True
        return Built(options, ways, edges, np.empty(0, dtype=bool))


@dataclass(frozen=True, slots=True)
class Proven:
    """No plan within the budget clears more weight than `bound`;  better : a plan found on the way;  told : what the
    proof knows of trees, for other models;  every_rule : none was left aside;  likely : what the fractions like of
    options, ways and edges, None without any"""

    bound: int
    better: Built | None
    told: Told | None
    every_rule: bool
    likely: Built | None


def good_start(reduced: Reduced, budget_vnd: int, effort: Effort, target: int | None = None) -> Built | None:
    """A plan within the budget that keeps every rule, of much cleared weight; None where the search finds none.

    target : cleared weight that is enough; the plan is then one of low cost.
    """
    problem = reduced.problem
    if problem.backhaul is None:
        options = good_plan(problem, budget_vnd, problem.budget_cost_vnd, SEARCH_ROUNDS, effort.seed, target)
        nothing = np.empty(0, dtype=bool)
        return None if options is None else _kept(reduced, options, nothing, nothing, budget_vnd, target)
    pairs = _pairs(reduced, budget_vnd, feasible=True)
    if pairs is None:
        return None
    best = _searched(reduced, pairs, budget_vnd, effort, None)
    if problem.caps:
        # Once more without those that caps count and this plan did without: what is found then needs no mending.
        within = _pairs(reduced, budget_vnd, feasible=True, barred=_capped(problem, best))
        again = None if within is None else _searched(reduced, within, budget_vnd, effort, None)
        if within is not None and again is not None:
            pairs = within
            best = again if best is None or reduced.cleared(again) >= reduced.cleared(best) else best
    if best is None or target is None:
        return best
    if reduced.cleared(best) < target:
        return None
    low, high = 0, reduced.spent(best)[0]
    less = replace(effort, search_rounds=effort.search_rounds // FEWER, search_parts=effort.search_parts // FEWER)
    for _ in range(BUDGETS):
        middle = (low + high) // 2
        plan = _searched(reduced, pairs, middle, less, target)
        if plan is None:
            low = middle
        else:
            best, high = plan, min(middle, reduced.spent(plan)[0])
        if high - low <= high // 100:
            break
    return best


def proven(
    reduced: Reduced, budget_vnd: int, start: Built | None, effort: Effort, tell: Callable[[int, int], None] | None
) -> Proven | None:
    """What no plan exceeds, with rules that the joint decision does not know left aside; None where it has nothing to
    say.

    tell : is called with the cleared weight known and its bound, as they come closer
    """
    pairs = _pairs(reduced, budget_vnd, feasible=False)
    if pairs is None:
        return None
    known = None
    if start is not None:
        known = Known(reduced.cleared(start), pairs.chosen_by(start), start.edges)
    every_rule = _knows(reduced.problem)

    def heard(cleared: int, bound: int) -> None:
        if tell is not None:
            tell(cleared if every_rule or known is None else known.cleared, bound)

    proof = Proof(pairs.case, known, effort, heard)
    proof.prove()
    better = None if proof.choice is None else pairs.built(reduced, proof.choice, None)
    told = None if proof.cuts is None else Told(proof.cuts, pairs.option, pairs.way)
    likely = None if proof.relaxed is None else pairs.likely(reduced, proof.relaxed.bought)
    return Proven(proof.bound, better, told, every_rule, likely)


def _searched(reduced: Reduced, pairs: _Paired, budget_vnd: int, effort: Effort, target: int | None) -> Built | None:
    within = replace(pairs, case=replace(pairs.case, budget_vnd=budget_vnd))
    choice = searched(within.case, effort)
    return None if choice is None else within.built(reduced, choice, target)


def _kept(
    reduced: Reduced,
    options: NDArray[np.bool_],
    ways: NDArray[np.bool_],
    edges: NDArray[np.bool_],
    budget_vnd: int,
    target: int | None,
) -> Built | None:
    if reduced.connected is not None and not reduced.connected.reached(ways, edges):
        return None
    built = mended(reduced, reduced.completed(options, ways, edges))
    if built is None or reduced.spent(built)[0] > budget_vnd:
        return None
    if target is not None and reduced.cleared(built) < target:
        return None
    return built


def _knows(problem: Problem) -> bool:
    """Whether the joint decision leaves no rule of the problem aside."""
    hangs = problem.backhaul is not None and problem.backhaul.relays.nnz > 0
    others = problem.required.any() or problem.locked.any() or problem.forbidden_sets or problem.caps
    return not (hangs or others or problem.crowds is not None or problem.load is not None)


def _capped(problem: Problem, built: Built | None) -> NDArray[np.bool_]:
    """(W,) ways that a cap counts, or whose option it counts, and that the plan, if there is one, does without."""
    ways, options = np.zeros(problem.ways, dtype=bool), np.zeros(problem.options, dtype=bool)
    for cap in problem.caps:
        ways[cap.ways] = True
        options[cap.options] = True
    if problem.backhaul is not None:
        ways |= options[problem.backhaul.way_option]
    return ways if built is None else ways & ~built.ways


def _pairs(
    reduced: Reduced, budget_vnd: int, *, feasible: bool, barred: NDArray[np.bool_] | None = None
) -> _Paired | None:
    """The joint decision on the pairs.

    feasible : its plans shall keep the rules of locked options and of ways that hang on others; else it leaves them
    aside and no plan of the problem is lost. barred : (W,) ways left out. None where a locked option is left no way,
    where there is no backhaul or nothing to cover.
    """
    problem, there = reduced.problem, reduced.connected
    backhaul = problem.backhaul
    if backhaul is None or there is None or not problem.covers.nnz:
        return None
    hangs = np.diff(backhaul.relays.indptr) > 0
    out = (hangs & feasible) | (np.zeros_like(hangs) if barred is None else barred)
    usable = np.flatnonzero(~out)
    without = np.flatnonzero(np.bincount(backhaul.way_option, minlength=problem.options) == 0)
    option = np.concatenate([without, backhaul.way_option[usable]]).astype(np.int64)
    way = np.concatenate([np.full(len(without), NONE), usable]).astype(np.int64)
    count = np.bincount(option, minlength=problem.options)
    if feasible and (problem.locked & (count == 0)).any():
        return None
    money = np.append(backhaul.way_budget_vnd, 0)[way]
    locked = problem.locked[option] & (count[option] == 1)
    if feasible:
        # Of the ways of a locked option one is enough to hold it: the first of least cost.
        order = np.lexsort((money, option))
        first = order[np.concatenate([[True], np.diff(option[order]) > 0])] if len(order) else order
        kept = ~problem.locked[option] | np.isin(np.arange(len(option)), first)
        option, way, money = option[kept], way[kept], money[kept]
        locked = problem.locked[option]
    own = int(problem.exclusive.max(initial=-1)) + 1 + np.arange(problem.options)
    number = np.where(problem.exclusive >= 0, problem.exclusive, np.where(count > 1, own, -1))
    heavy = int(problem.hamlet_weight.sum()) + 1 if feasible else 0  # a required hamlet outweighs all others together
    cost = problem.budget_cost_vnd[option] + money
    coverage = Problem(
        cell_people=problem.cell_people, group_hamlet=problem.group_hamlet, group_indptr=problem.group_indptr,
        group_cell=problem.group_cell, group_need=problem.group_need,
        hamlet_weight=problem.hamlet_weight + np.where(problem.required, heavy, 0),
        required=np.zeros_like(problem.required), covers=problem.covers[option], budget_cost_vnd=cost,
        lifetime_cost_vnd=cost, exclusive=number[option].astype(np.int32), locked=locked,
        forbidden=np.zeros(len(option), dtype=bool),
    )  # fmt: skip
    node = np.append(there.node, ROOT)[way]
    every = np.arange(len(option), dtype=np.int32)
    case = JointCase(
        budget_vnd=budget_vnd, coverage=coverage, network=there.network, option=every, original=every, node=node,
        cost=cost, covers=problem.covers[option], by_fibre=node != ROOT, counts={},
    )  # fmt: skip
    return _Paired(case, option, way)
