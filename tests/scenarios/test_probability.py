"""Probability of service of hamlets before and after a plan, and which of them to measure first."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from phusong.coverage.uncertainty import place_probability
from phusong.scenarios.demand import CENTRE
from phusong.scenarios.planned import planned_map, planned_states
from phusong.scenarios.probability import (
    REASONS,
    Stake,
    hamlet_people,
    hamlet_probability,
    measure_first,
    probability_after,
    probability_before,
    stake_of_plan,
)
from phusong.scenarios.service import SERVED

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(area)

MIXED = {"served": (24, 14), "lom": (38, 18), "trang": (12, 50), "trang-alone": (44, 50)}
CLUSTERS = ((24, 20, 40.0), (38, 32, 40.0), (12, 56, 40.0))


def before(part, **sections):
    scenario = area.scenario(**sections)
    baseline = area.baseline_of(part, scenario)
    return scenario, baseline, probability_before(baseline, scenario.radio, scenario.service)


def margins(baseline, radio) -> np.ndarray:
    """(C,) best margin over the level asked for, without the fade margin."""
    asked = radio.min_rsrp_dbm["4G"] + radio.interference_margin_db
    return np.nan_to_num(np.nanmax(baseline.rsrp_dbm, axis=0, initial=-np.inf), nan=-np.inf) - asked


def test_one_spot_has_the_probability_of_its_place() -> None:
    scenario, baseline, found = before(area.part(hamlets={"a-alone": (24, 14), "b-alone": (44, 50)}))
    cells = baseline.demand.centre_cell
    sigmas = scenario.radio.model_sigma_db, scenario.radio.location_sigma_db
    expected = place_probability(margins(baseline, scenario.radio)[cells], *sigmas)
    np.testing.assert_allclose(found.cleared, expected, atol=1e-9)
    np.testing.assert_allclose(found.centre, expected, atol=1e-9)


def test_dice_thrown_over_a_whole_hamlet_agree() -> None:
    scenario, baseline, found = before(area.part(hamlets=MIXED, extra_people=CLUSTERS, ridge_m=120.0))
    demand, radio = baseline.demand, scenario.radio
    rng = np.random.default_rng(3)
    error = rng.normal(0, radio.model_sigma_db, 20_000)
    margin = margins(baseline, radio)
    for hamlet in range(demand.hamlets):
        served = np.ones(len(error), bool)
        for g in np.flatnonzero(demand.group_hamlet == hamlet):
            cells = demand.group_cell[demand.group_indptr[g] : demand.group_indptr[g + 1]]
            if demand.group_kind[g] == CENTRE:
                served &= margin[cells[0]] + error + rng.normal(0, radio.location_sigma_db, len(error)) >= 0
            else:
                share = norm.cdf((margin[cells][:, None] + error) / radio.location_sigma_db)
                weight = demand.weight[cells] / demand.weight[cells].sum()
                served &= weight @ share >= scenario.service.served_share
        assert found.cleared[hamlet] == pytest.approx(served.mean(), abs=0.015)
    assert (found.cleared <= found.centre + 1e-12).all()
    assert found.cleared.min() < 0.3 < 0.7 < found.cleared.max()


def test_the_people_share_rule_has_no_spot() -> None:
    part = area.part(hamlets={"served": (24, 14)}, ridge_m=120.0)
    scenario, baseline, found = before(part, service={"rule": "people-share"}, radio={"location_sigma_db": 0.0})
    margin = margins(baseline, scenario.radio)
    cells = np.flatnonzero(baseline.demand.hamlet == 0)
    worst_needed = np.sort(margin[cells])[::-1][int(np.ceil(0.8 * len(cells))) - 1]
    assert found.cleared[0] == pytest.approx(norm.cdf(worst_needed / scenario.radio.model_sigma_db), abs=1e-9)


def test_several_operators_any_assigned_all() -> None:
    sectors = [*area.SECTORS, *(area.sector("A", a, "VNPT", antenna_height_m=12.0) for a in (0.0, 120.0, 240.0))]
    part = area.part(hamlets=MIXED, sectors=sectors, ridge_m=150.0, assigned_operator=dict.fromkeys(MIXED, "VNPT"))
    found = {
        who: before(part, service={"operator": who, "baseline": "model-only"})[2].cleared
        for who in ("any", "assigned", "all")
    }
    assert (found["any"] >= found["assigned"] - 1e-12).all()
    assert (found["assigned"] >= found["all"] - 1e-12).all()
    assert (found["any"] > found["all"] + 0.01).any()


def test_no_network_serves_nobody() -> None:
    _, _, found = before(area.part(sectors=[]))
    assert found.cleared.tolist() == [0.0] * 4


def test_the_declared_list_does_not_change_the_models_word() -> None:
    _, _, silent = before(area.part(hamlets=MIXED))
    _, baseline, listed = before(area.part(hamlets=MIXED, declared_state={"served": "trang", "trang": "served"}))
    np.testing.assert_array_equal(silent.cleared, listed.cleared)
    assert baseline.state[0] != SERVED


def test_a_plan_raises_the_probability_of_what_it_clears() -> None:
    part = area.part()
    scenario, baseline, first = before(part)
    candidates = area.candidates_of(baseline, scenario)
    radio, service = scenario.radio, scenario.service

    def after(chosen: list[int]) -> tuple[np.ndarray, np.ndarray]:
        planned = planned_states(baseline, candidates, np.array(chosen, np.int64), radio, service, threads=2)
        signal = planned_map(baseline, candidates, planned, radio, threads=2, on_progress=None).rsrp_dbm
        return planned.state, probability_after(baseline, planned, signal, candidates.layers, radio, service).cleared

    np.testing.assert_allclose(after([])[1], first.cleared, atol=1e-6)
    new = np.flatnonzero(candidates.options["kind"] == "new-site").tolist()
    state, second = after([new[0]])
    won = (state == SERVED) & (baseline.state != SERVED)
    assert won.any()
    assert (second[won] > first.cleared[won]).all()
    assert (second[won] > 0.5).all()
    assert (second >= first.cleared - 1e-6).all()


def test_a_higher_level_serves_with_a_higher_probability() -> None:
    scenario, baseline, first = before(area.part())
    louder = hamlet_probability(
        baseline, baseline.rsrp_dbm + 5.0, baseline.network.layers, scenario.radio, scenario.service
    )
    assert (louder.cleared > first.cleared).all()


def test_declared_low_hamlets_with_signal_are_measured_first() -> None:
    part = area.part(hamlets=MIXED, declared_state={"served": "trang"})
    _, baseline, found = before(part)
    people = hamlet_people(baseline.demand)
    stake = Stake(np.array([3e9, 0.0, 3e9, 0.0]), 1.5e9, 4e7)
    table = measure_first(baseline, found.cleared, people, stake)
    assert table["hamlet_id"][0] == "served"
    assert table["reason"][0] == "declared-low"
    assert table["value"][0] == pytest.approx(3e9 * found.cleared[0])
    assert set(table["unit"]) == {"VND"}
    assert set(table["reason"]) <= set(REASONS)
    assert table["value"].is_monotonic_decreasing
    low = table.set_index("hamlet_id").loc["trang-alone"]
    assert low["reason"] == "low"
    assert low["value"] == pytest.approx(1.5e9 * found.cleared[3])


def test_a_hamlet_counted_served_is_worth_its_people() -> None:
    part = area.part(hamlets=MIXED, declared_state={"trang": "served"})
    _, baseline, found = before(part)
    people = hamlet_people(baseline.demand)
    table = measure_first(baseline, found.cleared, people, None).set_index("hamlet_id")
    assert table.loc["trang", "reason"] == "declared-served"
    assert table.loc["trang", "value"] == pytest.approx(people[2] * (1 - found.cleared[2]))
    assert table.loc["served", "reason"] == "served"
    assert set(table["unit"]) == {"people"}


def test_equal_values_come_in_the_order_of_ids() -> None:
    _, baseline, _ = before(area.part(hamlets=dict(reversed(MIXED.items()))))
    table = measure_first(baseline, np.zeros(4), np.zeros(4, np.int64), None)
    assert table["hamlet_id"].tolist() == sorted(MIXED)


def test_an_option_that_several_hamlets_need_is_shared() -> None:
    people = np.array([10, 30, 50])
    stake = stake_of_plan({0: ["a"], 2: ["a", "b"]}, {"a": 4e9, "b": 1e9}, people)
    assert stake is not None
    assert stake.hamlet_vnd.tolist() == [2e9, 0.0, 3e9]
    assert stake.per_hamlet_vnd == 2.5e9
    assert stake.per_person_vnd == pytest.approx(5e9 / 60)
    assert stake_of_plan({}, {}, people) is None
