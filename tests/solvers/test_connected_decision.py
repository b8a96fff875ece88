"""Options, ways, trenches, relays, caps and load decided together: against every plan looked at."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from phusong.solvers.decision import Limits, cheapest_clearing, max_cleared, min_cost
from phusong.solvers.errors import NoFeasiblePlan, NoPlanInTime
from phusong.solvers.presolve import reduce_problem
from phusong.solvers.problem import NONE, Backhaul, Cap, Roads
from tests.solvers.connected_problems import assert_sound, cleared_by_coverage, connected_problems, every_plan
from tests.solvers.small_problems import problem_of

budgets = st.integers(0, 40_000).map(lambda thousands: thousands * 1000)
often = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
seldom = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@often
@given(connected_problems(), budgets)
def test_three_stages_are_exact(problem, budget_vnd):
    within = [p for p in every_plan(problem) if p.spent <= budget_vnd]
    if not within:
        with pytest.raises(NoFeasiblePlan):
            max_cleared(problem, budget_vnd, Limits())
        return
    best = max(within, key=lambda p: (p.cleared, p.people, -p.lifetime))
    plan = max_cleared(problem, budget_vnd, Limits())
    assert assert_sound(problem, plan)[3:] == best[3:]
    assert plan.budget_cost_vnd <= budget_vnd
    assert plan.hamlets_bound == best.cleared
    assert [s.value for s in plan.stages] == [s.bound for s in plan.stages] == list(best[3:])
    assert {s.status for s in plan.stages} == {"optimal"}


@seldom
@given(connected_problems(crowds=True), budgets)
def test_the_same_with_people_who_ask_several_operators(problem, budget_vnd):
    within = [p for p in every_plan(problem) if p.spent <= budget_vnd]
    if within:
        best = max(within, key=lambda p: (p.cleared, p.people, -p.lifetime))
        assert assert_sound(problem, max_cleared(problem, budget_vnd, Limits()))[3:] == best[3:]


@often
@given(connected_problems(), st.integers(0, 20))
def test_the_least_cost_is_exact(problem, target):
    target %= 1 + int(problem.hamlet_weight.sum())
    enough = [p for p in every_plan(problem) if p.cleared >= target]
    if not enough:
        with pytest.raises(NoFeasiblePlan):
            min_cost(problem, target, Limits())
        return
    best = min(enough, key=lambda p: (p.spent, -p.people, p.lifetime))
    got = assert_sound(problem, min_cost(problem, target, Limits()))
    assert (got.spent, got.people, got.lifetime) == (best.spent, best.people, best.lifetime)


@seldom
@given(connected_problems(), budgets, st.sampled_from([1e-9, 1e-3]), st.booleans())
def test_no_bound_is_below_the_optimum_and_no_unproven_stage_is_called_optimal(problem, budget_vnd, limit, least):
    target = budget_vnd % (1 + int(problem.hamlet_weight.sum()))
    kept = [p for p in every_plan(problem) if (p.cleared >= target if least else p.spent <= budget_vnd)]
    limits = Limits(deterministic_limit=limit)
    try:
        plan = min_cost(problem, target, limits) if least else max_cleared(problem, budget_vnd, limits)
    except NoPlanInTime:
        return
    except NoFeasiblePlan:
        assert not kept
        return
    assert_sound(problem, plan)
    assert plan.hamlets_bound >= max(p.cleared for p in kept)
    for stage in plan.stages:
        place = {"cleared": 3, "people": 4, "lifetime": 5, "cost": 2}[stage.name]
        values = [p[place] for p in kept]
        most = stage.name in ("cleared", "people")
        assert stage.value <= max(values) <= stage.bound if most else stage.bound <= min(values) <= stage.value
        assert stage.status == ("optimal" if stage.value == stage.bound else "feasible")
        kept = [p for p in kept if (p[place] >= stage.value if most else p[place] <= stage.value)]


@seldom
@given(connected_problems(), st.data())
def test_cheapest_clearing_is_the_least_price_of_any_plan(problem, data):
    counts = np.array(data.draw(st.lists(st.booleans(), min_size=problem.hamlets, max_size=problem.hamlets)))
    asks = np.bincount(problem.group_hamlet[problem.group_need > 0], minlength=problem.hamlets) > 0
    prices = []
    for hamlet in np.flatnonzero(asks & counts):
        # Made the only one that must be cleared, it costs what the cheapest plan costs.
        alone = replace(
            problem, locked=np.zeros(problem.options, dtype=bool), required=np.arange(problem.hamlets) == hamlet
        )
        prices += [p.spent for p in every_plan(alone)]
    found = cheapest_clearing(problem, counts)
    if found is None:
        assert not prices
    else:
        assert found.vnd == min(prices)
        assert found.proven


@seldom
@given(connected_problems(), budgets)
def test_the_reduced_problem_has_the_same_optimum(problem, budget_vnd):
    free = replace(problem, locked=np.zeros(problem.options, dtype=bool), required=np.zeros(problem.hamlets, bool))
    reduced = reduce_problem(free, budget_vnd).problem
    best, fewer = (
        max(((p.cleared, p.people, -p.lifetime) for p in every_plan(some) if p.spent <= budget_vnd), default=None)
        for some in (free, reduced)
    )
    assert fewer == best
    assert cleared_by_coverage(free, range(free.options)) >= cleared_by_coverage(reduced, range(reduced.options))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(connected_problems(), budgets)
def test_the_same_seed_gives_the_same_plan(problem, budget_vnd):
    limits = Limits(deterministic_limit=0.01, seed=5)
    try:
        first, second = (max_cleared(problem, budget_vnd, limits) for _ in range(2))
    except (NoFeasiblePlan, NoPlanInTime):
        return
    for name in ("chosen", "way", "trenches", "cleared"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def valley(caps=()):
    """60 towers along a road with side roads, fibre or a dish each: too much for a solver that is stopped at once."""
    rng = np.random.default_rng(4)
    towers, hamlets = 60, 40
    groups = [(h, [3 * h, 3 * h + 1, 3 * h + 2], 2) for h in range(hamlets)]
    covers = [rng.choice(3 * hamlets, 8, replace=False).tolist() for _ in range(towers)]
    cost = rng.integers(10, 30, towers)
    side = np.arange(towers)
    roads = Roads(
        np.concatenate([side[:-1], side]).astype(np.int32), np.concatenate([side[1:], towers + side]).astype(np.int32),
        rng.integers(1, 9, 2 * towers - 1), np.arange(2 * towers) == 0,
    )  # fmt: skip
    ways = np.repeat(side, 2).astype(np.int32)
    price = np.where(np.arange(2 * towers) % 2, rng.integers(5, 20, 2 * towers), 0)
    node = np.where(np.arange(2 * towers) % 2, NONE, towers + ways).astype(np.int32)
    nothing = sparse.csr_array((2 * towers, 2 * towers), dtype=bool)
    backhaul = Backhaul(ways, node, price, price, nothing, np.zeros(2 * towers, dtype=np.int64), roads)
    people = [1] * (3 * hamlets)
    return problem_of(groups, people, covers, cost.tolist(), [1] * hamlets, backhaul=backhaul, caps=caps)


DISHES = Cap("dishes", 2, np.empty(0, np.int32), np.arange(1, 120, 2, dtype=np.int32))


def test_what_is_locked_stays_when_the_money_would_clear_more_without_it():
    road = Roads(
        np.array([0, 1], np.int32), np.array([1, 2], np.int32), np.array([2, 2]), np.array([True, False, False])
    )
    ways = Backhaul(
        way_option=np.array([0, 0, 1], np.int32), way_node=np.array([1, NONE, 2], np.int32),
        way_budget_vnd=np.array([0, 3, 0]), way_lifetime_vnd=np.array([0, 1, 0]),
        relays=sparse.csr_array((3, 3), dtype=bool), relay_most=np.zeros(3, np.int64), roads=road,
    )  # fmt: skip
    locked = np.array([True, False])
    problem = problem_of([(0, [0], 1), (1, [1], 1)], [1, 1], [[0], [1]], [4, 4], [1, 5], backhaul=ways, locked=locked)
    plan = max_cleared(problem, 9, Limits())
    assert plan.chosen.tolist() == [0]
    assert plan.hamlets_bound == 1


def test_a_locked_tower_never_hangs_on_a_circle_of_free_trenches():
    road = Roads(
        np.array([0, 1, 2, 1], np.int32), np.array([1, 2, 3, 3], np.int32), np.array([10, 0, 0, 0]),
        np.array([True, False, False, False]),
    )  # fmt: skip
    ways = Backhaul(
        way_option=np.arange(4, dtype=np.int32), way_node=np.array([1, 2, 3, 0], np.int32),
        way_budget_vnd=np.zeros(4, np.int64), way_lifetime_vnd=np.zeros(4, np.int64),
        relays=sparse.csr_array((4, 4), dtype=bool), relay_most=np.zeros(4, np.int64), roads=road,
    )  # fmt: skip
    locked = np.array([True, False, False, False])
    covers = [[1], [1], [2], [0]]
    problem = problem_of([(0, [0], 1)], [1, 1, 1], covers, [0, 0, 0, 10], [1], backhaul=ways, locked=locked)
    plan = max_cleared(problem, 10, Limits())
    assert_sound(problem, plan)
    assert 0 in plan.chosen
    assert (plan.cleared.sum(), plan.hamlets_bound, plan.trench_vnd) == (0, 0, 10)


@pytest.mark.parametrize("caps", [(), (DISHES,)])
def test_stopped_at_once_the_plan_of_the_search_stands_with_its_trenches(caps):
    problem = valley(caps)
    plan = max_cleared(problem, 200, Limits(deterministic_limit=1e-9))
    got = assert_sound(problem, plan)
    assert got.spent <= 200
    assert 10 < got.cleared <= plan.hamlets_bound
    assert len(plan.trenches) > 0 or not caps
    assert [s.conditional for s in plan.stages] == [False, True, True]
    assert plan.repeatable


def test_a_low_cost_is_found_before_the_solver_begins():
    problem = valley((DISHES,))
    everything = int(problem.budget_cost_vnd.sum() + problem.backhaul.roads.cost_vnd.sum())
    plan = min_cost(problem, 20, Limits(deterministic_limit=1e-9))
    assert assert_sound(problem, plan).cleared >= 20
    assert plan.budget_cost_vnd < everything // 4


@pytest.fixture
def hears_ctrl_c():
    """A process started in the background ignores the key until told otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("on", [1, 2])  # the start, or what the solver found first
def test_ctrl_c_keeps_the_best_plan_with_its_bound(on):
    problem, told = valley(), []

    def press(name, value, bound):
        told.append((name, value, bound))
        if len(told) == on:
            os.kill(os.getpid(), signal.SIGINT)

    plan = max_cleared(problem, 400, Limits(deterministic_limit=0.3), press)
    assert not plan.repeatable
    assert told[0][0] == "cleared"
    assert plan.stages[0].bound >= plan.stages[0].value >= told[0][1] > 0
    assert_sound(problem, plan)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
