"""A plan to start from, and a bound: by the search and the proofs that know towers and trenches, not every rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.built import Built
from phusong.solvers.errors import LockedExceedBudget
from phusong.solvers.joint import Effort, solve_joint
from phusong.solvers.joint.case import case_of
from phusong.solvers.joint.problem import JointPlan, JointProblem
from phusong.solvers.joint.search import good_joint_plan
from phusong.solvers.local_search import good_plan
from phusong.solvers.presolve import Reduced
from phusong.solvers.problem import NONE, Backhaul, Problem
from phusong.solvers.rules import mended
from phusong.solvers.telling_shares import telling_shares
from phusong.solvers.tree_model import Shares

SHARE_ROUNDS = 10  # linear relaxations
BUDGETS = 10  # halvings in the search for a low budget that reaches a target,
FEWER = 4  # with so many times fewer rounds


@dataclass(frozen=True, slots=True)
class _Relaxed:
    """Each way of an option as an option of a joint problem: option, way (P,), NONE where the option needs no way."""

    joint: JointProblem
    option: NDArray[np.int64]
    way: NDArray[np.int64]


def good_start(reduced: Reduced, budget_vnd: int, rounds: int, seed: int, target: int | None = None) -> Built | None:
    """A plan within the budget that keeps every rule, of much cleared weight; None where the search finds none.

    target : cleared weight that is enough; the plan is then one of low cost.
    """
    problem = reduced.problem
    if problem.backhaul is None:
        options = good_plan(problem, budget_vnd, problem.budget_cost_vnd, rounds, seed, target)
        nothing = np.empty(0, dtype=bool)
        return None if options is None else _kept(reduced, options, nothing, nothing, budget_vnd, target)
    relaxed = _relaxed(problem, problem.backhaul, feasible=True)
    if relaxed is None:
        return None
    best = _searched(reduced, relaxed, budget_vnd, rounds, seed, None)
    if problem.caps:
        # Once more without those that caps count and this plan did without: what is found then needs no mending.
        within = _relaxed(problem, problem.backhaul, feasible=True, barred=_capped(problem, best))
        again = None if within is None else _searched(reduced, within, budget_vnd, rounds, seed, None)
        if within is not None and again is not None:
            relaxed = within
            best = again if best is None or reduced.cleared(again) >= reduced.cleared(best) else best
    if best is None or target is None:
        return best
    if reduced.cleared(best) < target:
        return None
    low, high = 0, reduced.spent(best)[0]
    for _ in range(BUDGETS):
        middle = (low + high) // 2
        plan = _searched(reduced, relaxed, middle, rounds // FEWER, seed, target)
        if plan is None:
            low = middle
        else:
            best, high = plan, min(middle, reduced.spent(plan)[0])
        if high - low <= high // 100:
            break
    return best


def joint_bound(reduced: Reduced, budget_vnd: int, effort: Effort) -> tuple[int, Built | None] | None:
    """No plan within the budget clears more weight, rules that the joint decision does not know left aside; and its
    plan, where that keeps them. None where it has nothing to say."""
    problem = reduced.problem
    if problem.backhaul is None or not problem.covers.nnz:
        return None
    relaxed = _relaxed(problem, problem.backhaul, feasible=False)
    if relaxed is None:
        return None
    try:
        result = solve_joint(relaxed.joint, budget_vnd, effort)
    except LockedExceedBudget:  # its search did not find a place for what is locked; others may
        return None
    return result.bound, _of_plan(reduced, relaxed, result.plan, budget_vnd, None)


def shares_for(reduced: Reduced, budget_vnd: int) -> Shares | None:
    """Valid shares of trench money that say most when the budget is this; None without backhaul."""
    problem = reduced.problem
    if problem.backhaul is None or reduced.connected is None or not problem.covers.nnz:
        return None
    relaxed = _relaxed(problem, problem.backhaul, feasible=False)
    if relaxed is None:
        return None
    case = case_of(relaxed.joint, budget_vnd)
    stops, shares, wanted = telling_shares(case, SHARE_ROUNDS)
    network = reduced.connected.network
    # Both networks are made of the same roads: a stop here is the stop there that has its road node.
    road_node = np.full(case.network.nodes, NONE)
    road_node[case.network.place] = np.arange(len(case.network.place))
    here = network.place[road_node[stops]]
    rows, fraction = np.zeros((len(shares), network.nodes), dtype=np.int64), np.zeros(network.nodes)
    rows[:, here], fraction[here] = shares, np.clip(wanted, 0.0, 1.0)
    return Shares(rows, fraction)


def _searched(
    reduced: Reduced, relaxed: _Relaxed, budget_vnd: int, rounds: int, seed: int, target: int | None
) -> Built | None:
    case = case_of(relaxed.joint, budget_vnd)
    locked = np.flatnonzero(relaxed.joint.coverage.locked)
    if not np.isin(locked, case.original[case.option]).all():
        return None
    choice = good_joint_plan(case, rounds, seed)
    if choice is None:
        return None
    plan = case.plan(np.flatnonzero(choice.chosen), np.flatnonzero(choice.dug))
    return _of_plan(reduced, relaxed, plan, budget_vnd, target)


def _of_plan(reduced: Reduced, relaxed: _Relaxed, plan: JointPlan, budget_vnd: int, target: int | None) -> Built | None:
    assert reduced.connected is not None
    options, ways = np.zeros(reduced.problem.options, dtype=bool), np.zeros(reduced.problem.ways, dtype=bool)
    options[relaxed.option[plan.chosen]] = True
    taken = relaxed.way[plan.chosen]
    ways[taken[taken != NONE]] = True
    edges = reduced.connected.edges_of(plan.trenches)
    return _kept(reduced, options, ways, edges, budget_vnd, target)


def _kept(
    reduced: Reduced,
    options: NDArray[np.bool_],
    ways: NDArray[np.bool_],
    edges: NDArray[np.bool_],
    budget_vnd: int,
    target: int | None,
) -> Built | None:
    built = mended(reduced, reduced.completed(options, ways, edges))
    if built is None or reduced.spent(built)[0] > budget_vnd:
        return None
    if target is not None and reduced.cleared(built) < target:
        return None
    return built


def _capped(problem: Problem, built: Built | None) -> NDArray[np.bool_]:
    """(W,) ways that a cap counts, or whose option it counts, and that the plan, if there is one, does without."""
    ways, options = np.zeros(problem.ways, dtype=bool), np.zeros(problem.options, dtype=bool)
    for cap in problem.caps:
        ways[cap.ways] = True
        options[cap.options] = True
    if problem.backhaul is not None:
        ways |= options[problem.backhaul.way_option]
    return ways if built is None else ways & ~built.ways


def _relaxed(
    problem: Problem, backhaul: Backhaul, *, feasible: bool, barred: NDArray[np.bool_] | None = None
) -> _Relaxed | None:
    """The joint problem of the ways.

    feasible : its plans shall keep the rules of locked options and of ways that hang on others; else it leaves them
    aside and no plan of the problem is lost. barred : (W,) ways left out. None where a locked option is left no way.
    """
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
    node = np.append(backhaul.way_node, NONE)[way]
    locked = problem.locked[option] & (count[option] == 1)
    if feasible:
        # Of the ways of a locked option one is enough to hold it: the first of least cost.
        order = np.lexsort((money, option))
        first = order[np.concatenate([[True], np.diff(option[order]) > 0])] if len(order) else order
        kept = ~problem.locked[option] | np.isin(np.arange(len(option)), first)
        option, way, money, node = option[kept], way[kept], money[kept], node[kept]
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
    none_needed = np.where(node == NONE, 0, NONE)
    return _Relaxed(
        JointProblem(coverage, backhaul.roads, node.astype(np.int32), none_needed.astype(np.int64)), option, way
    )
