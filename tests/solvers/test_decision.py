"""Every stage against all choices of small problems; no unproven stage called optimal; failures that say why."""

from __future__ import annotations

import importlib.util
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.solvers import decision
from phusong.solvers.decision import Limits, cheapest_clearing, max_cleared, min_cost
from phusong.solvers.errors import LockedExceedBudget, NoFeasiblePlan, NoPlanInTime, TargetImpossible
from phusong.solvers.local_search import good_plan
from phusong.solvers.model import Answer, StageModel
from phusong.solvers.presolve import reduce_problem
from phusong.solvers.start import SEARCH_ROUNDS

spec = importlib.util.spec_from_file_location("small_problems", Path(__file__).with_name("small_problems.py"))
small = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small)

MILLION = small.MILLION
budgets = st.integers(0, 40_000).map(lambda thousands: thousands * 1000)


def achieved(problem, plan):
    """The plan recounted by plain loops; fails where it breaks a rule or misstates itself."""
    choice = small.choice_of(problem, frozenset(plan.chosen.tolist()))
    assert choice is not None
    assert plan.chosen.dtype == np.int32
    assert (np.diff(plan.chosen) > 0).all()
    assert plan.budget_cost_vnd == problem.budget_cost_vnd[plan.chosen].sum() == choice.spent
    assert plan.lifetime_cost_vnd == choice.lifetime
    assert problem.hamlet_weight[plan.cleared].sum() == choice.cleared
    assert problem.cell_people[plan.covered].sum() == choice.people
    return choice


@pytest.fixture
def no_search(monkeypatch):
    monkeypatch.setattr(decision, "good_start", lambda *given: None)


@settings(max_examples=110, deadline=None)
@given(small.small_problems(), budgets)
def test_three_stages_are_exact(problem, budget_vnd):
    best = small.most_cleared(small.every_choice(problem), budget_vnd)
    if best is None:
        with pytest.raises((LockedExceedBudget, TargetImpossible)):
            max_cleared(problem, budget_vnd, Limits())
        return
    plan = max_cleared(problem, budget_vnd, Limits())
    assert achieved(problem, plan)[2:] == best[2:]
    assert plan.budget_cost_vnd <= budget_vnd
    assert plan.hamlets_bound == best.cleared
    assert plan.repeatable
    for stage, name, value in zip(plan.stages, ("cleared", "people", "lifetime"), best[2:], strict=True):
        assert (stage.name, stage.value, stage.bound) == (name, value, value)
        assert (stage.status, stage.gap, stage.conditional) == ("optimal", 0.0, False)


@settings(max_examples=70, deadline=None)
@given(small.small_problems(), st.integers(0, 20))
def test_the_least_cost_is_exact(problem, target):
    choices = small.every_choice(problem)
    target %= 1 + int(problem.hamlet_weight.sum())
    cheapest = small.least_cost(choices, target)
    if cheapest is None:
        with pytest.raises(TargetImpossible):
            min_cost(problem, target, Limits())
        return
    plan = min_cost(problem, target, Limits())
    got = achieved(problem, plan)
    assert (got.spent, got.people, got.lifetime) == (cheapest.spent, cheapest.people, cheapest.lifetime)
    assert target <= got.cleared <= plan.hamlets_bound
    assert [s.name for s in plan.stages] == ["cost", "people", "lifetime"]
    assert [s.value for s in plan.stages] == [s.bound for s in plan.stages] == [got.spent, got.people, got.lifetime]


def bounds_hold(kept, stages):
    """Each stage's bound against the best among what the stages before it kept."""
    for stage in stages:
        place = {"cleared": 2, "people": 3, "lifetime": 4, "cost": 1}[stage.name]
        maximises = stage.name in ("cleared", "people")
        values = [c[place] for c in kept]
        truth = max(values) if maximises else min(values)
        assert (stage.value <= truth <= stage.bound) if maximises else (stage.bound <= truth <= stage.value)
        assert stage.status == ("optimal" if stage.value == stage.bound else "feasible")
        kept = [c for c in kept if (c[place] >= stage.value if maximises else c[place] <= stage.value)]
    statuses = [s.status for s in stages]
    assert [s.conditional for s in stages] == ["feasible" in statuses[:i] for i in range(len(stages))]


@pytest.mark.parametrize("searched", [True, False])
@settings(max_examples=40, deadline=None)
@given(small.small_problems(), budgets, st.sampled_from([{"deterministic_limit": 1e-9}, {"gap": 0.5}]), st.booleans())
def test_no_unproven_stage_is_called_optimal(searched, problem, budget_vnd, limits, least):
    budget, target = budget_vnd, budget_vnd % (1 + int(problem.hamlet_weight.sum()))
    choices = [c for c in small.every_choice(problem) if (c.cleared >= target if least else c.spent <= budget)]
    with pytest.MonkeyPatch.context() as patch:
        if not searched:
            patch.setattr(decision, "good_start", lambda *given: None)
        try:
            limits = Limits(**limits)
            plan = min_cost(problem, target, limits) if least else max_cleared(problem, budget_vnd, limits)
        except NoPlanInTime:
            return
        except NoFeasiblePlan:
            plan = None
    if plan is None:
        assert not choices
        return
    achieved(problem, plan)
    bounds_hold(choices, plan.stages)
    assert plan.hamlets_bound >= max(c.cleared for c in choices)


def crowded(seed=3, hamlets=40, options=90):
    """Hamlets of overlapping groups: too much for a solver that is stopped at once."""
    rng = np.random.default_rng(seed)
    cells = 6 * hamlets
    groups = [
        (h, sorted(rng.choice(np.arange(6 * h, 6 * h + 6), 4, replace=False).tolist()), int(rng.integers(20, 60)))
        for h in range(hamlets)
        for _ in range(2)
    ]
    covers = [rng.choice(cells, 14, replace=False).tolist() for _ in range(options)]
    cost = rng.integers(300_000_001, 6_000_000_000, options)
    return small.problem_of(groups, rng.integers(5, 50, cells).tolist(), covers, cost, [1] * hamlets)


def test_stopped_at_once_the_plan_of_the_local_search_stands_with_a_bound_that_says_nothing():
    problem = crowded()
    plan = max_cleared(problem, 20_000_000_000, Limits(deterministic_limit=1e-9))
    start = good_plan(problem, 20_000 * MILLION, problem.budget_cost_vnd, SEARCH_ROUNDS, 1)
    assert plan.stages[0].value >= problem.cleared_by(problem.covered_by(np.flatnonzero(start))).sum() > 0
    assert [s.status for s in plan.stages] == ["feasible"] * 3
    assert [s.conditional for s in plan.stages] == [False, True, True]
    assert plan.hamlets_bound == plan.stages[0].bound > plan.stages[0].value
    assert plan.repeatable


def test_stopped_before_any_plan_nothing_is_claimed(no_search):
    with pytest.raises(NoPlanInTime, match=r"solver\.deterministic_limit"):
        min_cost(crowded(), 25, Limits(deterministic_limit=1e-9))


@pytest.mark.parametrize("decide", [lambda p, limits: max_cleared(p, 20_000_000_000, limits),
                                    lambda p, limits: min_cost(p, 15, limits)])  # fmt: skip
def test_the_same_seed_gives_the_same_plan(decide):
    limits = Limits(deterministic_limit=0.1, seed=7)
    first, second = decide(crowded(), limits), decide(crowded(), limits)
    assert first.chosen.tolist() == second.chosen.tolist()
    assert first.repeatable
    told = [[(s.name, s.value, s.bound, s.status, s.conditional) for s in p.stages] for p in (first, second)]
    assert told[0] == told[1]


def test_a_clock_makes_a_plan_unrepeatable():
    assert not max_cleared(crowded(hamlets=3, options=6), 10**10, Limits(time_limit_s=5.0)).repeatable


@settings(max_examples=40, deadline=None)
@given(small.small_problems(), budgets)
def test_the_local_search_keeps_the_rules(problem, budget_vnd):
    reduced = reduce_problem(problem, None).problem
    cost = reduced.budget_cost_vnd
    budget = max(budget_vnd, int(cost[reduced.locked].sum()))
    start = good_plan(reduced, budget, cost, 50, 1)
    if start is not None:
        choice = small.choice_of(reduced, frozenset(np.flatnonzero(start).tolist()))
        assert choice is not None
        assert choice.spent <= budget


@settings(max_examples=110, deadline=None)
@given(small.small_problems(), st.data())
def test_cheapest_clearing_is_the_least_price_of_any_choice(problem, data):
    counts = np.array(data.draw(st.lists(st.booleans(), min_size=problem.hamlets, max_size=problem.hamlets)))
    free = replace(problem, locked=np.zeros(problem.options, dtype=bool), required=np.zeros(problem.hamlets, bool))
    asks = {h for h in range(problem.hamlets) if (problem.group_need[problem.group_hamlet == h] > 0).any()}
    prices = {}
    for choice in small.every_choice(free):
        cleared = problem.cleared_by(problem.covered_by(np.array(sorted(choice.options), dtype=np.int32)))
        for hamlet in asks & set(np.flatnonzero(cleared & counts).tolist()):
            prices[hamlet] = min(prices.get(hamlet, 10**18), choice.spent)
    found = cheapest_clearing(problem, counts)
    if found is None:
        assert not prices
    else:
        assert prices[found.hamlet] == found.vnd == min(prices.values())
        assert found.proven


def test_two_options_together_may_be_the_cheapest_way():
    # Each of the first two serves one half; the third serves both and costs more than they do together.
    groups, people, covers = [(0, [0, 1], 2)], [1, 1], [[0], [1], [0, 1]]
    pair = small.problem_of(groups, people, covers, [2 * MILLION, 3 * MILLION, 6 * MILLION], [1])
    assert cheapest_clearing(pair) == (0, 5 * MILLION, True)
    assert cheapest_clearing(small.problem_of(groups, people, covers[:2], [2 * MILLION, 3 * MILLION], [1]))[1:] == (
        5 * MILLION, True,
    )  # fmt: skip
    single = small.problem_of(groups, people, covers, [2 * MILLION, 3 * MILLION, 4 * MILLION], [1])
    assert cheapest_clearing(single) == (0, 4 * MILLION, True)


def test_a_price_that_could_not_be_proven_says_so(monkeypatch):
    stopped = Answer("unknown", None, 0, 0, 0.0, 0.0, interrupted=False)
    monkeypatch.setattr(StageModel, "solve", lambda *given: stopped)
    alone = small.problem_of([(0, [0, 1], 2)], [1, 1], [[0], [1], [0, 1]], [2, 3, 6], [1])
    assert cheapest_clearing(alone) == (0, 6, False)


@settings(max_examples=80, deadline=None)
@given(small.crowded_problems(), budgets)
def test_people_who_ask_several_operators_count_once_and_only_when_all_serve(problem, budget_vnd):
    best = small.most_cleared(small.every_choice(problem), budget_vnd)
    if best is None:
        return
    plan = max_cleared(problem, budget_vnd, Limits())
    choice = small.choice_of(problem, frozenset(plan.chosen.tolist()))
    assert choice[2:] == best[2:]
    assert (
        [s.value for s in plan.stages] == [s.bound for s in plan.stages] == [best.cleared, best.people, best.lifetime]
    )


@pytest.fixture
def hears_ctrl_c():
    """A process started in the background ignores the key until told otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_keeps_the_best_plan_and_makes_it_unrepeatable():
    """A long search, interrupted while the solver works: the plan stands, its bound holds, and Ctrl-C works again."""
    pressed = []

    def press(name, value, bound):
        if not pressed:
            pressed.append(name)
            os.kill(os.getpid(), signal.SIGINT)

    plan = max_cleared(crowded(), 20_000_000_000, Limits(deterministic_limit=0.5), press)
    assert pressed
    assert not plan.repeatable
    assert plan.stages[0].bound >= plan.stages[0].value > 0
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


ONE = [(0, [0, 1], 2)], [1, 1], [[0], [1]], [3 * MILLION, 4 * MILLION], [1]  # both options clear the one hamlet


def test_no_money_is_an_empty_plan():
    plan = max_cleared(small.problem_of(*ONE), 0, Limits())
    assert (len(plan.chosen), plan.budget_cost_vnd, plan.hamlets_bound) == (0, 0, 0)
    assert not plan.cleared.any()
    assert [s.status for s in plan.stages] == ["optimal"] * 3


@pytest.mark.parametrize("cells", [0, 2])
def test_nothing_to_build_is_an_empty_plan(cells):
    problem = small.problem_of([(0, list(range(cells)), cells)] if cells else [], [1] * cells, [], [], [3, 2])
    plan = max_cleared(problem, 10**12, Limits())
    assert (len(plan.chosen), plan.hamlets_bound) == (0, 2 if cells else 5)
    assert min_cost(problem, 2, Limits()).budget_cost_vnd == 0
    assert cheapest_clearing(problem) is None


def test_the_last_dong_of_the_budget_counts():
    # Bounds hold in money as it is: a solver that rounds costs would miss the plan that fits exactly.
    problem = small.problem_of([(0, [0], 1), (1, [1], 1)], [1, 1], [[0], [1]], [3 * MILLION + 1, 4 * MILLION], [1, 1])
    assert max_cleared(problem, 7 * MILLION + 1, Limits()).hamlets_bound == 2
    assert max_cleared(problem, 7 * MILLION, Limits()).hamlets_bound == 1


IMPOSSIBLE = {
    "the locked option costs more than the budget": (
        LockedExceedBudget, "1 phương án / options: 3,000,000 VND; ngân sách / budget: 2,999,999 VND",
        {"locked": np.array([True, False])}, lambda p: max_cleared(p, 3 * MILLION - 1, Limits()),
    ),
    "a required hamlet is beyond the budget": (
        TargetImpossible, "1 thôn bắt buộc / required hamlets",
        {"required": np.array([True])}, lambda p: max_cleared(p, 6 * MILLION, Limits()),
    ),
    "more than there is": (
        TargetImpossible, "all options together clear only 1", {}, lambda p: min_cost(p, 2, Limits()),
    ),
    "what it needs is forbidden": (
        TargetImpossible, "all options together clear only 0",
        {"forbidden": np.array([False, True])}, lambda p: min_cost(p, 1, Limits()),
    ),
    "its options exclude each other": (
        TargetImpossible, "0 thôn bắt buộc / required hamlets",
        {"exclusive": np.array([5, 5], dtype=np.int32)}, lambda p: min_cost(p, 1, Limits()),
    ),
    "its options are a forbidden set": (
        TargetImpossible, "1 bộ bị cấm / forbidden sets",
        {"forbidden_sets": ((0, 1),)}, lambda p: min_cost(p, 1, Limits()),
    ),
    "required, and locked out by what is locked": (
        TargetImpossible, "1 phương án bắt buộc / locked options",
        {"required": np.array([True]), "locked": np.array([True, False]),
         "exclusive": np.array([5, 5], dtype=np.int32)}, lambda p: max_cleared(p, 10**12, Limits()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", IMPOSSIBLE)
def test_what_cannot_be_says_why(why):
    error, where, rules, decide = IMPOSSIBLE[why]
    with pytest.raises(error) as raised:
        decide(small.problem_of(*ONE, **rules))
    assert where in raised.value.where
    assert " / " in raised.value.what
    assert " / " in raised.value.mend
