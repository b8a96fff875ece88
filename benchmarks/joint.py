"""Towers and backhaul together on seeded instances: plan, bounds, gap, CPU time, and the margin
over one after the other.

    python -m benchmarks.joint [small|middle|large ...] [--shade ridges|speckle] [--seed 1]
Plans and bounds are the same on every machine with the same packages; only the seconds differ.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace

import numpy as np
from scipy import sparse

from benchmarks.joint_instances import SIZES, cost_to_connect_all, towers_and_backhaul
from phusong.solvers.backhaul.tree import cheapest_tree
from phusong.solvers.joint import Effort, solve_joint
from phusong.solvers.joint.case import case_of
from phusong.solvers.joint.problem import JointPlan, JointProblem
from phusong.solvers.joint.search import good_joint_plan
from phusong.solvers.problem import NONE, Roads

SHARES = (0.04, 0.10)
EFFORT = {
    "small": Effort(search_rounds=1000, search_parts=20, cut_rounds=40, whole_work=35.0),
    "middle": Effort(search_rounds=2000, search_parts=40, cut_rounds=60, kernel_work=8.0),
    "large": Effort(search_rounds=6000, search_parts=40, cut_rounds=20, kernel_work=6.0),
}
ROUNDS = 2000  # of each search that margins compare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    parser.add_argument("--shade", choices=("ridges", "speckle"), default="ridges")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-margins", action="store_true", help="leave out the comparison with towers first")
    given = parser.parse_args()
    warm = towers_and_backhaul(20, 200, 30, seed=1)
    solve_joint(warm, cost_to_connect_all(warm) // 5, Effort(search_rounds=5, cut_rounds=2, whole_work=0.1))
    for size in given.sizes:
        problem = towers_and_backhaul(*SIZES[size], seed=given.seed, shade=given.shade)
        every = cost_to_connect_all(problem)
        for share in SHARES:
            measure(size, problem, int(share * every), share, margins=not given.no_margins)


def measure(size: str, problem: JointProblem, budget_vnd: int, share: float, *, margins: bool) -> None:
    began = time.process_time()
    result = solve_joint(problem, budget_vnd, EFFORT[size])
    seconds = time.process_time() - began
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert result.plan.cost_vnd <= budget_vnd
    print(
        f"{size} {share:.0%} of all ({budget_vnd / 1e9:,.0f} tỷ): cleared {result.cleared} of at most {result.bound}, "
        f"gap {result.gap:.1%} ({result.bound - result.cleared} hamlets), "
        f"{seconds:.0f} s CPU, peak {peak_mib:.0f} MiB; bounds {result.bounds}",
        flush=True,
    )
    each, once, alone = one_tower_each(problem, result.plan)
    print(
        f"  the {alone} of these hamlets that a single tower can clear, each with the cheapest one and its own way: "
        f"{each / 1e9:,.0f} tỷ (a tower named twice paid once: {once / 1e9:,.0f}); "
        f"the plan, for all {result.cleared}: {result.plan.cost_vnd / 1e9:,.0f} tỷ, "
        f"{result.plan.cost_vnd / each:.0%} ({result.plan.cost_vnd / once:.0%})",
        flush=True,
    )
    if not margins:
        return
    together = _searched(problem, budget_vnd)
    after, fibre = (towers_first(problem, budget_vnd, only_fibre=only) for only in (False, True))
    print(
        f"  {ROUNDS} rounds of search: together {together}; towers first, then any backhaul {after} "
        f"({together / max(after, 1) - 1:+.1%}), then fibre {fibre} ({together / max(fibre, 1) - 1:+.1%})",
        flush=True,
    )


def one_tower_each(problem: JointProblem, plan: JointPlan) -> tuple[int, int, int]:
    """VND when each hamlet that the plan clears gets the cheapest single tower that clears it, with a trench of its own
    to what is lit or its own backhaul; the same with a tower that serves several of them paid once; and how many there
    are: hamlets that no single tower clears are left out."""
    coverage, case = problem.coverage, case_of(problem, 10**15)
    groups = np.repeat(np.arange(len(coverage.group_hamlet)), np.diff(coverage.group_indptr))
    people = sparse.csr_array(
        (coverage.cell_people[coverage.group_cell].astype(float), (coverage.group_cell, groups)),
        shape=(len(coverage.cell_people), len(coverage.group_hamlet)),
    )
    short = (coverage.covers.astype(float) @ people).toarray() < coverage.group_need
    of_hamlet = sparse.csr_array(
        (np.ones(len(coverage.group_hamlet)), (np.arange(len(coverage.group_hamlet)), coverage.group_hamlet)),
        shape=(len(coverage.group_hamlet), coverage.hamlets),
    )
    clears = short.astype(float) @ of_hamlet == 0.0
    place = case.network.place[problem.option_node]
    trench = np.where(place >= 0, case.network.distance[place].astype(float), np.inf)
    own = np.where(problem.own_backhaul_vnd == NONE, np.inf, problem.own_backhaul_vnd.astype(float))
    cost = coverage.budget_cost_vnd + np.minimum(trench, own)
    price = np.where(clears, cost[:, None], np.inf)[:, plan.cleared]
    able = np.isfinite(price.min(axis=0))
    towers = price.argmin(axis=0)[able]
    return int(cost[towers].sum()), int(cost[np.unique(towers)].sum()), int(able.sum())


def _searched(problem: JointProblem, budget_vnd: int) -> int:
    choice = good_joint_plan(case_of(problem, budget_vnd), ROUNDS, 1)
    return 0 if choice is None else int(choice.totals[0])


def towers_first(problem: JointProblem, budget_vnd: int, *, only_fibre: bool) -> int:
    """Cleared weight when towers are chosen without looking at backhaul, as many as can then be connected.

    The same search chooses towers for ever less money, as if each node were lit, until towers and their backhaul
    (the cheapest tree; for any backhaul, its own where that costs less than its way to what is lit) fit the budget.
    """
    nodes = len(problem.roads.lit)
    none = np.empty(0, dtype=np.int32)
    dark = Roads(none, none, np.empty(0, dtype=np.int64), np.ones(nodes, dtype=bool))
    blind = replace(problem, roads=dark, own_backhaul_vnd=np.full(problem.coverage.options, NONE))
    case = case_of(problem, 10**15)
    low, high, most = 0, budget_vnd, 0
    for _ in range(8):  # halving: the most money for towers that leaves enough for their backhaul
        money = (low + high) // 2
        given = case_of(blind, money)
        choice = good_joint_plan(given, ROUNDS, 1)
        towers = given.original[given.option[np.flatnonzero(choice.chosen)]] if choice is not None else none
        spent = int(problem.coverage.budget_cost_vnd[towers].sum()) + _backhaul(case, problem, towers, only_fibre)
        if spent <= budget_vnd:
            low = money
            most = max(most, int(choice.totals[0]) if choice is not None else 0)
        else:
            high = money
    return most


def _backhaul(case, problem: JointProblem, towers: np.ndarray, only_fibre: bool) -> int:
    place = case.network.place[problem.option_node[towers]].astype(np.int64)
    own = problem.own_backhaul_vnd[towers]
    dish = np.zeros(len(towers), dtype=bool) if only_fibre else (own != NONE) & (own < case.network.distance[place])
    while True:
        tree = cheapest_tree(case.network, place[~dish], 20, 1)
        cost = (10**15 if tree is None else tree[1]) + int(own[dish].sum())
        if only_fibre:
            return cost
        # Each further tower takes its own backhaul where that is cheaper than its part of the tree.
        better = None
        for tower in np.flatnonzero(~dish & (own != NONE)):
            trial = dish.copy()
            trial[tower] = True
            other = cheapest_tree(case.network, place[~trial], 0, 1)
            total = (10**15 if other is None else other[1]) + int(own[trial].sum())
            if total < cost and (better is None or total < better[0]):
                better = (total, trial)
        if better is None:
            return cost
        dish = better[1]


if __name__ == "__main__":
    main()
