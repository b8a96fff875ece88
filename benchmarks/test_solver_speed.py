"""Speed and strength of the decision on seeded valleys (synthetic), at a fixed deterministic limit.

Values, bounds and gaps are the same on every machine with the same packages; only the seconds differ.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.instances import budget_of, valleys
from phusong.solvers.decision import Limits, max_cleared
from phusong.solvers.local_search import good_plan
from phusong.solvers.presolve import reduce_problem

SIZES = {"small": (60, 240, 0.1, 0.5), "large": (150, 1000, 0.05, 0.5)}  # hamlets, options, budget, limit a stage


@pytest.fixture(scope="module", params=SIZES)
def case(request):
    hamlets, options, share, limit = SIZES[request.param]
    problem = valleys(hamlets, options, seed=1)
    return problem, budget_of(problem, share), limit


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    problem = valleys(12, 24, seed=1)
    good_plan(problem, 10**10, problem.budget_cost_vnd, 1, 1)


def test_presolve(benchmark, case):
    problem, budget_vnd, _ = case
    reduced = benchmark.pedantic(reduce_problem, args=(problem, budget_vnd), rounds=3)
    kept, cells = len(reduced.option), len(reduced.problem.cell_people)
    print(f"\n{kept} of {problem.options} options, {cells} of {len(problem.cell_people)} cells stay")


def test_local_search(benchmark, case):
    """400 rounds after the greedy start, which is printed beside them."""
    problem, budget_vnd, _ = case
    problem = reduce_problem(problem, budget_vnd).problem
    plans = [good_plan(problem, budget_vnd, problem.budget_cost_vnd, 0, 1)]
    searched_for = (problem, budget_vnd, problem.budget_cost_vnd, 400, 1)
    plans.append(benchmark.pedantic(good_plan, args=searched_for, rounds=1))
    greedy, searched = (int(problem.cleared_by(problem.covered_by(np.flatnonzero(p))).sum()) for p in plans)
    benchmark.extra_info |= {"greedy": greedy, "searched": searched}
    print(f"\n{problem.hamlets} hamlets: greedy {greedy}, after 400 rounds {searched}")
    assert searched >= greedy


def test_three_stages(benchmark, case):
    problem, budget_vnd, limit = case
    plan = benchmark.pedantic(max_cleared, args=(problem, budget_vnd, Limits(deterministic_limit=limit)), rounds=1)
    print(f"\n{problem.hamlets} hamlets, {problem.options} options, {budget_vnd / 1e9:.0f} tỷ, limit {limit} a stage")
    for s in plan.stages:
        told = f"{s.name:8} {s.value:>15,} bound {s.bound:>15,} gap {s.gap:6.2%} {s.status}"
        print(f"  {told}{' (conditional)' if s.conditional else ''}, {s.deterministic:.2f} units, {s.seconds:.1f} s")
    first = plan.stages[0]
    benchmark.extra_info |= {"cleared": first.value, "bound": first.bound, "gap": round(first.gap, 4)}
    assert first.value <= first.bound
    assert plan.budget_cost_vnd <= budget_vnd
