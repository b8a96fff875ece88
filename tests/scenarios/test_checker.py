"""The checker agrees with honest plans, whatever is asked for, and refuses every plan with one rule broken."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.scenarios import backhaul_check, checker
from phusong.scenarios.checker import Verdict, check_plan
from phusong.scenarios.planned import planned_states
from phusong.scenarios.scenario import Scenario
from phusong.solvers.decision import Plan

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(area)

DECLARED = {"west": "trang", "near": "lom", "far": "served", "south": None}
ASSIGNED = {"west": "VNPT", "near": "Viettel", "far": "VNPT", "south": "Viettel"}
# A cluster behind the ridge and an empty, unserved one of "near": with it each kind of group is there.
APART = ((30, 44, 40.0), (24, 22, 40.0))
SERVICES = {
    "any": {},
    "assigned": {"operator": "assigned"},
    "all": {"operator": "all"},
    "model-only": {"baseline": "model-only"},
    "people-share": {"rule": "people-share"},
}


def plan_of(scenario: Scenario, parts: list, chosen: list[int], way=None, trenches=None) -> Plan:
    """A plan of hand-picked options, as the solver would hand it over; the checker reads its choice and its costs."""
    candidates = [c for _, c in parts]
    own_way, own_trenches = area.by_fibre(candidates, chosen)
    way = own_way if way is None else way
    trenches = own_trenches if trenches is None else trenches
    lifetime, capex = (
        sum(int(np.concatenate([c.options[column] for c in candidates])[o]) for o in chosen)
        + sum(int(np.concatenate([c.ways[column] for c in candidates])[w]) for w in way if w >= 0)
        + sum(int(np.concatenate([getattr(c.network, trench) for c in candidates])[t]) for t in trenches)
        for column, trench in (("lifetime_vnd", "lifetime_vnd"), ("capex_vnd", "trench_vnd"))
    )
    by_capex = scenario.objective.budget_counts == "capex"
    digging = "trench_vnd" if by_capex else "lifetime_vnd"
    nothing = np.empty(0, dtype=bool)
    return Plan(
        np.array(sorted(chosen), np.int32), nothing, nothing, (), capex if by_capex else lifetime, lifetime, 0, True,
        np.array(way, np.int32), np.array(trenches, np.int32),
        sum(int(np.concatenate([getattr(c.network, digging) for c in candidates])[t]) for t in trenches),
    )  # fmt: skip


def honest(scenario: Scenario, parts: list, chosen: list[int]) -> tuple[Plan, list[np.ndarray]]:
    reported, first = [], 0
    for baseline, candidates in parts:
        own = np.array([o - first for o in sorted(chosen) if first <= o < first + len(candidates.options)], np.int64)
        result = planned_states(baseline, candidates, own, scenario.radio, scenario.service, threads=2)
        reported.append(result.state)
        first += len(candidates.options)
    return plan_of(scenario, parts, chosen), reported


def verdict_on(scenario: Scenario, parts: list, plan: Plan, reported: list[np.ndarray]) -> Verdict:
    return check_plan(scenario, [b for b, _ in parts], [c for _, c in parts], plan, reported)


@pytest.fixture(scope="module")
def asked() -> dict[str, tuple[Scenario, list]]:
    """Each way of asking, on a part where the list and the model differ in several ways."""
    part = area.part(
        extra_people=APART, declared_state=DECLARED, assigned_operator=ASSIGNED, ridge_m=60.0, facilities=[(10, 40)]
    )
    made = {}
    for name, service in SERVICES.items():
        scenario = area.scenario(10**15, service=service)
        baseline = area.baseline_of(part, scenario)
        made[name] = scenario, [(baseline, area.candidates_of(baseline, scenario))]
    return made


def compatible(candidates, wanted: list[int]) -> list[int]:
    """The first of the wanted options that may stand together."""
    conflicts = {frozenset(pair) for pair in candidates.conflicts()}
    exclusive = candidates.options["exclusive"].tolist()
    chosen: list[int] = []
    for option in wanted:
        clash = any(
            exclusive[option] == exclusive[o] >= 0 or frozenset((option, o)) in conflicts or option == o for o in chosen
        )
        if not clash:
            chosen.append(option)
    return chosen


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_checker_agrees_with_what_any_set_of_options_gives(asked, data: st.DataObject) -> None:
    scenario, parts = asked[data.draw(st.sampled_from(sorted(SERVICES)))]
    candidates = parts[0][1]
    wanted = data.draw(st.lists(st.integers(0, len(candidates.options) - 1), max_size=6))
    plan, reported = honest(scenario, parts, compatible(candidates, wanted))
    verdict = verdict_on(scenario, parts, plan, reported)
    assert verdict.broken == ()
    assert verdict.low_after == np.count_nonzero(reported[0])

    hamlet = data.draw(st.integers(0, len(reported[0]) - 1))
    lie = reported[0].copy()
    lie[hamlet] = data.draw(st.sampled_from([s for s in (0, 1, 2) if s != lie[hamlet]]))
    (fault,) = verdict_on(scenario, parts, plan, [lie]).broken
    assert fault.startswith(f"hamlet {parts[0][0].part.layers.hamlets['hamlet_id'].iloc[hamlet]}: plan says")


def with_objective(scenario: Scenario, **change) -> Scenario:
    return scenario.model_copy(update={"objective": scenario.objective.model_copy(update=change)})


def with_options(parts: list, option: int, column: str, value: int) -> list:
    baseline, candidates = parts[0]
    options = candidates.options.copy()
    options.loc[option, column] += value
    return [(baseline, replace(candidates, options=options))]


def choose(scenario: Scenario, parts: list, chosen: list[int]) -> tuple:
    return scenario, parts, *honest(scenario, parts, chosen)


def named(parts: list, option: int) -> str:
    return parts[0][1].options["option_id"].iloc[option]


def same_exclusive(parts: list) -> list[int]:
    numbers = parts[0][1].options["exclusive"]
    return numbers.index[numbers == numbers[numbers >= 0].mode()[0]].tolist()[:2]


def over_budget(scenario, parts, plan, reported):
    return with_objective(scenario, budget_vnd=plan.budget_cost_vnd - 1), parts, plan, reported


def cheaper(scenario, parts, plan, reported):
    return scenario, parts, replace(plan, budget_cost_vnd=plan.budget_cost_vnd - 1_000_000), reported


def lifetime_altered(scenario, parts, plan, reported):
    return scenario, parts, replace(plan, lifetime_cost_vnd=plan.lifetime_cost_vnd + 1), reported


def items_altered(scenario, parts, plan, reported):
    return scenario, with_options(parts, int(plan.chosen[0]), "tower_vnd", 5), plan, reported


def horizon_altered(scenario, parts, plan, reported):
    return with_objective(scenario, horizon_years=9), parts, plan, reported


def exclusive_pair(scenario, parts, plan, reported):
    return choose(scenario, parts, same_exclusive(parts))


def repeater_without_its_donor(scenario, parts, plan, reported):
    return choose(scenario, parts, list(parts[0][1].conflicts()[0]))


def locked_missing(scenario, parts, plan, reported):
    other = next(o for o in range(len(parts[0][1].options)) if o not in plan.chosen)
    return with_objective(scenario, locked_options=[named(parts, other)]), parts, plan, reported


def forbidden_built(scenario, parts, plan, reported):
    return with_objective(scenario, forbidden_options=[named(parts, int(plan.chosen[0]))]), parts, plan, reported


def required_not_served(scenario, parts, plan, reported):
    missed = parts[0][0].part.layers.hamlets["hamlet_id"].iloc[int(np.flatnonzero(reported[0])[0])]
    return with_objective(scenario, required_hamlets=[missed]), parts, plan, reported


def target_missed(scenario, parts, plan, reported):
    wish = {"goal": "min_cost", "budget_vnd": None, "target_share": 1.0}
    return with_objective(scenario, **wish), parts, plan, reported


def chosen_twice(scenario, parts, plan, reported):
    twice = np.array([plan.chosen[0], *plan.chosen], np.int32)
    costs = parts[0][1].options.iloc[twice][["capex_vnd", "lifetime_vnd"]].sum()
    return (
        scenario, parts,
        replace(plan, chosen=twice, way=np.array([plan.way[0], *plan.way], np.int32),
                budget_cost_vnd=int(costs.iloc[0]), lifetime_cost_vnd=int(costs.iloc[1])), reported,
    )  # fmt: skip


def option_that_does_not_exist(scenario, parts, plan, reported):
    more = replace(plan, chosen=np.array([*plan.chosen, 10_000], np.int32), way=np.array([*plan.way, -1], np.int32))
    return scenario, parts, more, reported


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (over_budget, "budget:"), (cheaper, "cost: plan says"), (lifetime_altered, "lifetime cost: plan says"),
        (items_altered, "items add up to"), (horizon_altered, "lifetime cost"), (exclusive_pair, "exclude each other"),
        (repeater_without_its_donor, "exclude each other"), (locked_missing, "is not built"),
        (forbidden_built, "is built"), (required_not_served, "is not served"), (target_missed, "target:"),
        (chosen_twice, "options chosen"), (option_that_does_not_exist, "options chosen"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_the_checker_refuses_every_broken_plan(asked, breaks: Callable, says: str) -> None:
    scenario, parts = asked["any"]
    options = parts[0][1].options
    cheapest = [int(options.index[options["kind"] == "sector-added"][0])]
    plan, reported = honest(scenario, parts, cheapest)
    assert verdict_on(scenario, parts, plan, reported).agrees
    assert reported[0].any()  # something is left to promise too much about
    verdict = verdict_on(*breaks(scenario, parts, plan, reported))
    assert not verdict.agrees
    assert any(says in fault for fault in verdict.broken), verdict.broken


def test_the_checker_shares_no_step_with_the_decision() -> None:
    shared = ("planned", "framing", "connecting", "connected", "solvers.problem", "solvers.presolve", "solvers.model",
              "solvers.backhaul", "coverage.matrix", "candidates.links")  # fmt: skip
    for module in (checker, backhaul_check):
        source = Path(module.__file__).read_text(encoding="utf-8")
        assert not [room for room in shared if f"phusong.{room}" in source or f"phusong.scenarios.{room}" in source]


def test_parts_are_checked_each_with_its_own_options() -> None:
    scenario = area.scenario()
    parts = []
    for prefix, west in (("", area.WEST), ("e-", area.WEST + 200_000)):
        baseline = area.baseline_of(area.part(prefix=prefix, west=west), scenario)
        parts.append((baseline, area.candidates_of(baseline, scenario)))
    last = len(parts[0][1].options) + len(parts[1][1].options) - 1
    plan, reported = honest(scenario, parts, [last])
    assert verdict_on(scenario, parts, plan, reported).agrees
    swapped = verdict_on(scenario, parts, plan, reported[::-1])
    assert len(swapped.broken) == 2 * np.count_nonzero(reported[0] != reported[1]) > 0
