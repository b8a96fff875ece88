"""States before and after a plan against a reading of the rules cell by cell, and the repair of what physics denies."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import shapely
from rich.console import Console

from phusong.coverage.sweep import SignalMap, signal_at
from phusong.data_sources.area import Area
from phusong.scenarios import baseline as baseline_module
from phusong.scenarios import pipeline
from phusong.scenarios import planned as planned_module
from phusong.scenarios.area_signal import FLOOR_DBM, AreaSignal, SignalAt, area_signal, hearing_floor_dbm
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.demand import CENTRE, hamlet_states
from phusong.scenarios.framing import Question, ask, pose
from phusong.scenarios.planned import planned_map, planned_states, select, without_offenders
from phusong.scenarios.radio import existing_network
from phusong.scenarios.results import result_of
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import LOM, SERVED, STATE_NAMES, TRANG, layer_levels_dbm, required_rsrp_dbm
from phusong.scenarios.terminal import print_summary
from phusong.solvers.decision import Limits, max_cleared

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(area)

LIMITS = Limits(deterministic_limit=5.0, time_limit_s=None, seed=1, threads=2)
# Modelled served, lõm (a cluster behind the ridge) and trắng; each alone and with a cluster apart.
MIXED = {"served": (24, 14), "lom": (38, 18), "trang": (12, 50)}
ALONE = {"served-alone": (50, 14), "trang-alone": (44, 50)}
CLUSTERS = ((24, 20, 40.0), (38, 32, 40.0), (12, 56, 40.0))


def question_of(baseline, candidates: Candidates, scenario: Scenario) -> Question:
    return ask(
        baseline, candidates, scenario.radio, scenario.service, scenario.radio.candidate_range_km, threads=2,
        on_progress=None,
    )  # fmt: skip


def run_on(monkeypatch: pytest.MonkeyPatch, scenario: Scenario, *parts) -> pipeline.Run:
    """The whole flow on areas that were never in a file."""
    monkeypatch.setattr(pipeline, "read_area", lambda sources, progress=None: Area(parts, (), ()))
    return pipeline.run_plan(scenario, Path("."))


def all_options(baseline, scenario: Scenario) -> Candidates:
    return area.candidates_of(baseline, scenario)


@pytest.mark.parametrize("said", [None, "served", "lom", "trang"])
def test_the_official_list_sets_the_state_before_any_plan(said: str | None) -> None:
    places = MIXED | ALONE
    listed = dict.fromkeys(places, said)
    part = area.part(ridge_m=220.0, hamlets=places, extra_people=CLUSTERS, declared_state=listed)
    scenario = area.scenario()
    baseline = area.baseline_of(part, scenario)
    model = [SERVED, LOM, TRANG, SERVED, TRANG]
    assert baseline.model_state.tolist() == model
    assert baseline.state.tolist() == ([STATE_NAMES.index(said)] * len(places) if said else model)

    (lane,) = baseline.lanes
    demand = baseline.demand
    served = lane.served[demand.group_cell]
    group = np.repeat(np.arange(len(demand.group_hamlet)), np.diff(demand.group_indptr))
    assert not (lane.believed & ~served).any()
    if said in (None, "served"):
        assert (lane.believed == served).all()
    assert lane.declared_met.any() == (said in ("served", "lom"))
    if said == "lom":  # the centres stand, unless the centre is all there is to be lõm
        centre = demand.group_kind[group] == CENTRE
        alone = demand.group_hamlet[group] >= len(MIXED)
        assert (lane.believed == served)[centre & ~alone].all()
        assert not lane.believed[alone & centre].any()
        assert set(demand.group_hamlet[lane.declared_met]) == {2}

    candidates = all_options(baseline, scenario)
    nothing = planned_states(baseline, candidates, np.empty(0, np.int64), scenario.radio, scenario.service, threads=2)
    assert (nothing.state == baseline.state).all()
    model_only = area.baseline_of(part, area.scenario(service={"baseline": "model-only"}))
    assert model_only.state.tolist() == model


@pytest.mark.parametrize("said", [None, "lom", "trang"])
def test_what_is_asked_of_the_plan_clears_the_hamlet(said: str | None) -> None:
    places = MIXED | ALONE
    listed = dict.fromkeys(places, said)
    part = area.part(ridge_m=220.0, hamlets=places, extra_people=CLUSTERS, declared_state=listed)
    scenario = area.scenario(10**15)
    baseline = area.baseline_of(part, scenario)
    candidates = all_options(baseline, scenario)
    question = question_of(baseline, candidates, scenario)
    problem = pose([question], [candidates], [baseline], scenario.objective)
    assert question.hamlet.tolist() == baseline.low.tolist()
    towers = np.flatnonzero(candidates.options["kind"].isin(["new-site", "new-low-band"]))
    for option in towers.tolist():
        promised = problem.cleared_by(problem.covered_by(np.array([option], np.int32)))
        chosen = np.array([option], np.int64)
        state = planned_states(baseline, candidates, chosen, scenario.radio, scenario.service, threads=2).state
        # The stored rows are rounded against us: the physics keeps every promise, and at most half a decibel more.
        assert (state[question.hamlet][promised] == SERVED).all()


@pytest.mark.parametrize("operator", ["any", "assigned", "all"])
def test_service_by_any_the_assigned_or_all_operators(operator: str) -> None:
    # Two hamlets of different operators in one cell, one without an operator, and one that only the second one serves.
    places = {"one": (24, 14), "two": (24, 14), "free": (40, 12), "south": (56, 8)}
    assigned = {"one": "Viettel", "two": "MobiFone", "south": "VNPT"}
    part = area.part(ridge_m=0.0, hamlets=places, assigned_operator=assigned)
    scenario = area.scenario(service={"operator": operator})
    baseline = area.baseline_of(part, scenario)
    demand, names = baseline.demand, baseline.operators
    assert names == ("MobiFone", "VNPT", "Viettel")
    level = required_rsrp_dbm(scenario.radio, "4G")
    by = {name: np.zeros(len(demand.cell_rc), bool) for name in names}
    for (name, _), rsrp in zip(baseline.network.layers, baseline.rsrp_dbm, strict=True):
        by[name] |= np.nan_to_num(rsrp, nan=-999.0) >= level
    expected = []
    for number, hamlet in enumerate(places):
        wanted = {"any": [list(names)], "assigned": [[assigned.get(hamlet)]], "all": [[n] for n in names]}[operator]
        states = []
        for group in wanted:
            heard = np.logical_or.reduce([by[n] for n in (names if group == [None] else group)])
            states.append(int(hamlet_states(demand, heard)[number]))
        expected.append(max(states))
    assert baseline.state.tolist() == expected
    assert len(set(expected)) == {"any": 1, "assigned": 2, "all": 1}[operator]

    candidates = all_options(baseline, scenario)
    question = question_of(baseline, candidates, scenario)
    of_sector = np.array([names.index(o) for o, _ in candidates.layers])[candidates.sectors.layer]
    option, column = question.covers.nonzero()
    for wanted in set(question.operator.tolist()) - {-1}:
        reaching = set(option[question.operator[column] == wanted].tolist())
        assert reaching <= set(candidates.sector_option[of_sector == wanted].tolist())


def test_a_raised_mast_counts_for_each_operator_on_it() -> None:
    powers = {"Viettel": 46.0, "VNPT": 24.0}
    sectors = [area.sector("A", a, o, tx_power_dbm=p) for o, p in powers.items() for a in (90.0, 270.0)]
    part = area.part(ridge_m=0.0, sectors=sectors, declared_state=dict.fromkeys(area.HAMLETS, "trang"))
    scenario = area.scenario(service={"operator": "all"}, candidates={"kinds": ["higher-mast"]})
    baseline = area.baseline_of(part, scenario)
    candidates = all_options(baseline, scenario)
    question = question_of(baseline, candidates, scenario)
    assert len(candidates.options) == 1
    by_operator = [set(question.cell[question.covers[:, question.operator == o].nonzero()[1]]) for o in (0, 1)]
    assert all(by_operator)
    assert by_operator[0] != by_operator[1]
    cells = question.cell[np.unique(question.covers.nonzero()[1])]
    levels = layer_levels_dbm(candidates.layers, scenario.radio, scenario.service)
    rsrp, _ = signal_at(
        baseline.terrain, candidates.site_rc, candidates.sectors, 2, baseline.demand.cell_rc[cells],
        rx_height_m=scenario.radio.rx_height_m, range_m=12_000.0,
    )  # fmt: skip
    truly = {candidates.layers[i][0]: set(cells[rsrp[i] >= levels[i]]) for i in range(2)}
    for number, name in enumerate(baseline.operators):
        assert by_operator[number] <= truly[name]


def test_an_operator_that_neither_stands_here_nor_is_asked_for_may_build(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = area.scenario(candidates={"operators": ["MobiFone"], "kinds": ["new-site"], "max_sites": 4})
    run = run_on(monkeypatch, scenario, area.part())
    assert set(run.decided.candidates[0].options["operator"]) == {"MobiFone"}
    assert run.decided.verdict.agrees


def test_facilities_weigh_beside_hamlets_but_are_no_target() -> None:
    part = area.part(facilities=[(12, 50), (24, 14)])
    scenario = area.scenario(service={"facility_weight": 3})
    baseline = area.baseline_of(part, scenario)
    candidates = all_options(baseline, scenario)
    question = question_of(baseline, candidates, scenario)
    assert question.hamlet_weight.tolist() == [1, 1, 1, 3]  # the school by the served hamlet has signal
    assert question.cell[-1] == -1
    assert pose([question], [candidates], [baseline], scenario.objective).hamlet_weight.tolist() == [1, 1, 1, 3]
    least = area.scenario(None, objective={"goal": "min_cost", "target_hamlets": 2})
    assert pose([question], [candidates], [baseline], least.objective).hamlet_weight.tolist() == [1, 1, 1, 0]


def removing(candidates: Candidates) -> list[int]:
    return [option for option, gone in enumerate(candidates.replaces) if len(gone)]


def test_taking_sectors_down_leaves_what_the_others_give() -> None:
    scenario = area.scenario(service={"baseline": "model-only"})
    baseline = area.baseline_of(area.part(ridge_m=60.0), scenario)
    candidates = all_options(baseline, scenario)
    demand = baseline.demand
    heard = {"rx_height_m": scenario.radio.rx_height_m, "range_m": 30_000.0, "model": scenario.radio.model}
    levels = layer_levels_dbm(candidates.layers, scenario.radio, scenario.service)[:, None]
    assert len(removing(candidates)) >= 3
    for option in removing(candidates):
        chosen = np.array([option], np.int64)
        planned = planned_states(baseline, candidates, chosen, scenario.radio, scenario.service, threads=2)
        assert planned.removed.tolist() == sorted(candidates.replaces[option].tolist())
        stay = np.setdiff1d(np.arange(len(baseline.network.row)), planned.removed)
        old, _ = signal_at(
            baseline.terrain, baseline.network.site_rc, select(baseline.network.sectors, stay), len(levels),
            demand.cell_rc, **heard,
        )  # fmt: skip
        new, _ = signal_at(
            baseline.terrain, candidates.site_rc, select(candidates.sectors, candidates.sector_option == option),
            len(levels), demand.cell_rc, **heard,
        )  # fmt: skip
        served = (np.fmax(old, new) >= levels).any(axis=0)
        assert planned.state.tolist() == hamlet_states(demand, served).tolist()


NORTH_ONLY = [area.sector("A", 0.0, "Viettel", tx_power_dbm=40.0)]
OPPOSITE = {"north": (4, 12), "opposite": (56, 12)}


def test_a_turn_that_uncovers_a_served_hamlet_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    part = area.part(ridge_m=0.0, hamlets=OPPOSITE, sectors=NORTH_ONLY)
    scenario = area.scenario(candidates={"kinds": ["re-aimed"]})
    run = run_on(monkeypatch, scenario, part)
    assert run.baselines[0].state.tolist() == [SERVED, TRANG]
    decided = run.decided
    assert decided.repairs == (1,)
    assert not decided.cheapest_proven
    assert decided.problem.forbidden.tolist() == [True]
    assert decided.plan.chosen.tolist() == []
    assert decided.planned[0].state.tolist() == [SERVED, TRANG]
    assert decided.verdict.agrees
    # What the first question held possible stays the proven bound: the repair is no proof.
    assert result_of(run).summary["cleared_bound"] == 1

    locked = decided.candidates[0].options["option_id"].tolist()
    kept = run_on(monkeypatch, area.scenario(candidates={"kinds": ["re-aimed"]}, objective={"locked_options": locked}),
                  part).decided  # fmt: skip
    assert kept.planned[0].state.tolist() == [TRANG, SERVED]
    assert kept.verdict.agrees
    assert not kept.problem.forbidden.any()


def test_options_that_nothing_connects_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_on(monkeypatch, area.scenario(candidates={"kinds": ["small-cell"], "backhaul": ["leo"]}), area.part())
    count = len(run.decided.candidates[0].options)
    assert count > 0
    assert run.decided.plan.chosen.tolist() == []
    assert any(note.startswith(f"{count} phương án bị loại") for note in result_of(run).summary["notes"])


def test_a_turned_sector_is_told_with_both_its_tilts(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for leaning_deg in (0.0, 2.0):
        leaning = [{**NORTH_ONLY[0], "mechanical_tilt_deg": leaning_deg}]
        part = area.part(ridge_m=0.0, hamlets={"opposite": OPPOSITE["opposite"]}, sectors=leaning)
        run = run_on(monkeypatch, area.scenario(candidates={"kinds": ["re-aimed"]}), part)
        sectors = result_of(run).sectors.set_index("status")
        assert run.decided.planned[0].sectors.mechanical_tilt_deg.tolist() == [leaning_deg]
        told.append(sectors.loc["added", "downtilt_deg"])
    assert told[0] == told[1]


def test_only_the_turn_that_uncovers_is_to_blame() -> None:
    # B's faint sector is the best of its operator in the hamlet that A uncovers, but it never served there.
    sectors = [*NORTH_ONLY, area.sector("B", 0.0, "VNPT", tx_power_dbm=20.0)]
    part = area.part(ridge_m=0.0, hamlets=OPPOSITE, sectors=sectors, declared_state={"opposite": "trang"})
    scenario = area.scenario(10**15, candidates={"kinds": ["re-aimed"]})
    baseline = area.baseline_of(part, scenario)
    candidates = all_options(baseline, scenario)
    assert candidates.options["site_id"].tolist() == ["A", "B"]
    question = question_of(baseline, candidates, scenario)
    problem = pose([question], [candidates], [baseline], scenario.objective)
    both = replace(max_cleared(problem, 10**15, LIMITS), chosen=np.array([0, 1], np.int32))
    planned = planned_states(baseline, candidates, both.chosen, scenario.radio, scenario.service, threads=2)
    assert baseline.state[0] == SERVED != planned.state[0]
    repaired, failed = without_offenders(problem, both, [question], [candidates], [baseline], [planned])
    assert failed >= 1
    assert repaired.forbidden.tolist() == [True, False]


def test_a_repair_that_leaves_no_plan_keeps_the_one_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target is not impossible because the offenders were forbidden: the plan stands, the checker says what fails."""
    part = area.part(ridge_m=0.0, hamlets=OPPOSITE, sectors=NORTH_ONLY)
    least = {"goal": "min_cost", "target_hamlets": 1}
    decided = run_on(
        monkeypatch, area.scenario(None, candidates={"kinds": ["re-aimed"]}, objective=least), part
    ).decided
    assert decided.plan.chosen.tolist() == [0]
    assert decided.repairs == ()
    assert decided.planned[0].state.tolist() == [TRANG, SERVED]
    assert decided.verdict.low_after == 1


def test_states_are_decided_at_full_precision_and_never_from_a_raster(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = area.scenario(service={"facility_weight": 1})
    part = area.part(ridge_m=60.0, facilities=[(12, 50), (24, 14)])
    true = area.baseline_of(part, scenario)
    exact, server = signal_at(
        true.terrain, true.network.site_rc, true.network.sectors, 2, true.demand.cell_rc,
        rx_height_m=scenario.radio.rx_height_m, range_m=30_000.0, model=scenario.radio.model,
    )  # fmt: skip
    np.testing.assert_array_equal(true.rsrp_dbm, exact)
    np.testing.assert_array_equal(true.server, server)

    def deaf(terrain, *given, **more) -> tuple[AreaSignal, SignalAt]:
        _, at_cells = area_signal(terrain, *given, **more)
        shape = (given[2], *terrain.height_m.shape)
        nothing = SignalMap(np.full(shape, -300.0, np.float32), np.full(shape, -1, np.int32))
        return AreaSignal(nothing, np.empty((0, 2), np.int64), np.empty((0, *shape[1:]), np.float32)), at_cells

    monkeypatch.setattr(baseline_module, "area_signal", deaf)
    monkeypatch.setattr(planned_module, "area_signal", deaf)
    blind = area.baseline_of(part, scenario)
    assert blind.state.tolist() == true.state.tolist()
    candidates = all_options(true, scenario)
    assert candidates.options.equals(all_options(blind, scenario).options)
    assert (
        question_of(blind, candidates, scenario).group_cell.tolist()
        == question_of(true, candidates, scenario).group_cell.tolist()
    )
    for option in removing(candidates):
        chosen = np.array([option], np.int64)
        states = [planned_states(b, candidates, chosen, scenario.radio, scenario.service, threads=2).state.tolist()
                  for b in (true, blind)]  # fmt: skip
        assert states[0] == states[1]


def test_a_level_below_what_phones_hear_is_shown_and_decided_alike() -> None:
    faint = [area.sector("A", a, "Viettel", tx_power_dbm=20.0) for a in (0.0, 120.0, 240.0)]
    scenario = area.scenario(radio={"min_rsrp_dbm": {"4G": -170.0}})
    baseline = area.baseline_of(area.part(sectors=faint), scenario)
    level = required_rsrp_dbm(scenario.radio, "4G")
    assert hearing_floor_dbm(scenario.radio) < level < FLOOR_DBM
    assert hearing_floor_dbm(area.scenario().radio) == FLOOR_DBM
    row, col = baseline.demand.cell_rc.T
    shown = baseline.signal.rsrp_dbm[:, row, col]
    served = baseline.rsrp_dbm >= level
    assert (served & (baseline.rsrp_dbm < FLOOR_DBM)).any()
    assert shown[served] == pytest.approx(baseline.rsrp_dbm[served], abs=1e-4)


def test_pictures_and_interference_are_exact_where_people_live_in_any_mode() -> None:
    part = area.part(ridge_m=60.0)
    in_mode = {mode: area.scenario(radio={"map_mode": mode}) for mode in ("radial", "exact")}
    radial, exact = (area.baseline_of(part, scenario) for scenario in in_mode.values())
    row, col = radial.demand.cell_rc.T
    assert not np.array_equal(radial.signal.rsrp_dbm, exact.signal.rsrp_dbm, equal_nan=True)

    def agree(one: AreaSignal, other: AreaSignal) -> None:
        for field in ("rsrp_dbm", "server", "power_mw"):
            np.testing.assert_array_equal(getattr(one, field)[:, row, col], getattr(other, field)[:, row, col])

    agree(radial.signal, exact.signal)
    candidates = all_options(radial, in_mode["radial"])
    chosen = np.array([removing(candidates)[0], len(candidates.options) - 1], np.int64)
    signals = []
    for scenario in in_mode.values():
        planned = planned_states(radial, candidates, chosen, scenario.radio, scenario.service, threads=2)
        assert len(planned.removed)
        base = radial if scenario.radio.map_mode == "radial" else exact
        signals.append(planned_map(base, candidates, planned, scenario.radio, threads=2, on_progress=None))
    agree(*signals)


@pytest.mark.parametrize("operator", ["any", "assigned", "all"])
def test_people_are_newly_covered_once_and_when_all_whom_they_ask_serve(operator: str) -> None:
    places = {"one": (24, 14), "two": (24, 14), "free": (40, 12), "far": (12, 50)}
    part = area.part(
        ridge_m=220.0, hamlets=places, extra_people=CLUSTERS, facilities=[(12, 50)],
        assigned_operator={"one": "Viettel", "two": "VNPT"}, declared_state={"two": "trang", "free": "trang"},
    )  # fmt: skip
    scenario = area.scenario(service={"operator": operator, "facility_weight": 1})
    baseline = area.baseline_of(part, scenario)
    candidates = all_options(baseline, scenario)
    question = question_of(baseline, candidates, scenario)
    problem = pose([question], [candidates], [baseline], scenario.objective)
    assert (question.crowds is None) == (operator == "any")
    demand = baseline.demand
    whom = {"any": {-1}, "all": {0, 1}}.get(operator)
    random = np.random.default_rng(3)
    for share in (0.0, 0.1, 0.3, 1.0):
        chosen = np.flatnonzero(random.random(problem.options) <= share).astype(np.int32)
        covered = problem.covered_by(chosen)
        missing: dict[int, list[bool]] = {}
        for cell, asked, has in zip(question.cell, question.operator, covered, strict=True):
            own = whom or {int(baseline.lanes[0].operator[cell])}
            if cell >= 0 and asked in own:
                missing.setdefault(int(cell), []).append(bool(has))
        people = sum(int(demand.weight[cell]) for cell, has in missing.items() if all(has))
        assert problem.people_covered(covered) == people + int(covered[question.cell < 0].sum())
    assert problem.people == sum(int(demand.weight[cell]) for cell in missing) + 1


def test_sectors_counted_at_their_sites_first_place_are_told() -> None:
    part, radio = area.part(), area.scenario().radio
    frame = part.layers.sectors.copy()
    assert existing_network(frame, part.box, radio)[1] == []
    frame.loc[2, "geometry"] = shapely.Point(frame.geometry[2].x + 40.0, frame.geometry[2].y)
    network, notes = existing_network(frame, part.box, radio)
    assert network.site_id == ("A", "B")
    (told,) = notes
    assert told.startswith("1 sector ")
    assert told.endswith("up to 40 m away")


def test_with_no_sector_taken_down_the_set_is_forbidden_together() -> None:
    scenario = area.scenario(10**15, candidates={"kinds": ["new-site"], "heights_m": [25.0], "max_sites": 6})
    baseline = area.baseline_of(area.part(), scenario)
    candidates = all_options(baseline, scenario)
    question = question_of(baseline, candidates, scenario)
    problem = pose([question], [candidates], [baseline], scenario.objective)
    plan = max_cleared(problem, 10**15, LIMITS)
    assert plan.cleared.all()
    chosen = plan.chosen.astype(np.int64)
    true = planned_states(baseline, candidates, chosen, scenario.radio, scenario.service, threads=2)
    assert without_offenders(problem, plan, [question], [candidates], [baseline], [true])[1] == 0

    failing = int(question.hamlet[0])
    denied = replace(true, state=np.where(np.arange(len(true.state)) == failing, TRANG, true.state).astype(np.uint8))
    repaired, failed = without_offenders(problem, plan, [question], [candidates], [baseline], [denied])
    assert failed == 1
    assert not repaired.forbidden.any()
    (together,) = repaired.forbidden_sets
    of_hamlet = question.group_cell[: question.group_indptr[np.count_nonzero(question.group_hamlet == 0)]]
    assert set(together) == {o for o in plan.chosen.tolist() if problem.covers[[o]][:, of_hamlet].nnz}
    again = max_cleared(repaired, 10**15, LIMITS)
    assert not set(together) <= set(again.chosen.tolist())

    locked = replace(problem, locked=np.isin(np.arange(problem.options), together))
    untouched, _ = without_offenders(locked, plan, [question], [candidates], [baseline], [denied])
    assert untouched.forbidden_sets == ()


def test_budget_zero_is_an_empty_plan_that_names_the_cheapest_hamlet(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_on(monkeypatch, area.scenario(0), area.part())
    decided = run.decided
    assert decided.plan.chosen.tolist() == []
    assert decided.verdict.agrees
    problem = decided.problem
    alone = [problem.cleared_by(problem.covered_by(np.array([o], np.int32))).any() for o in range(problem.options)]
    with_fibre = problem.budget_cost_vnd + decided.candidates[0].options["fibre_alone_vnd"].to_numpy()
    assert decided.cheapest_vnd == with_fibre[alone].min() > 0
    summary = result_of(run).summary
    assert (summary["cleared"], summary["capex_vnd"], summary["gap"]) == (0, 0, 0.0)


@pytest.mark.parametrize("kinds", [["new-site"], []])
def test_nothing_to_do_and_nothing_to_do_it_with(monkeypatch: pytest.MonkeyPatch, kinds: list[str]) -> None:
    served = area.part(hamlets={"west": (24, 14)})
    low = area.part(prefix="e-", hamlets={"far": (12, 50)}, sectors=[])
    operators = {"operators": ["Viettel"], "kinds": kinds}
    run = run_on(monkeypatch, area.scenario(candidates=operators), served, low)
    assert run.decided.verdict.agrees
    assert [b.state.tolist() for b in run.baselines] == [[SERVED], [TRANG]]
    assert result_of(run).summary["cleared"] == len(kinds)


def test_two_parts_are_one_problem_of_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [area.part(), area.part(prefix="e-", west=area.WEST + 200_000, ridge_m=180.0)]
    scenario = area.scenario(10**15)
    found = [(b := area.baseline_of(p, scenario), area.candidates_of(b, scenario)) for p in parts]
    questions = [question_of(b, c, scenario) for b, c in found]
    baselines, candidates = [b for b, _ in found], [c for _, c in found]
    single = [pose([q], [c], [b], scenario.objective) for q, c, b in zip(questions, candidates, baselines, strict=True)]
    both = pose(questions, candidates, baselines, scenario.objective)
    m, n, h = single[0].covers.shape[0], single[0].covers.shape[1], single[0].hamlets
    assert (both.covers[:m, :n] != single[0].covers).nnz == 0
    assert (both.covers[m:, n:] != single[1].covers).nnz == 0
    assert both.covers.nnz == single[0].covers.nnz + single[1].covers.nnz
    assert not set(both.exclusive[:m]) & set(both.exclusive[m:]) - {-1}
    assert set(both.forbidden_sets) == {
        *single[0].forbidden_sets, *((a + m, b + m) for a, b in single[1].forbidden_sets)
    }  # fmt: skip
    random = np.random.default_rng(1)
    for _ in range(20):
        chosen = np.flatnonzero(random.random(both.options) < 0.2).astype(np.int32)
        own = [s.cleared_by(s.covered_by(c)) for s, c in
               zip(single, (chosen[chosen < m], chosen[chosen >= m] - m), strict=True)]  # fmt: skip
        cleared = both.cleared_by(both.covered_by(chosen))
        assert cleared[:h].tolist() == own[0].tolist()
        assert cleared[h:].tolist() == own[1].tolist()

    run = run_on(monkeypatch, scenario, *parts)
    assert run.decided.verdict.agrees
    apart = [max_cleared(s, 10**15, LIMITS) for s in single]
    assert run.decided.plan.cleared.sum() == sum(p.cleared.sum() for p in apart)

    result, text = result_of(run), StringIO()
    print_summary(Console(file=text, soft_wrap=True), result, Path("runs/x"))
    places = result.summary["candidates"]
    new = sum(places["kinds"].get(kind, 0) for kind in ("new-site", "remote-radio", "repeater"))
    assert places["kinds"].get("new-site", 0) < new < places["options"]
    assert f", {places['options'] - new} of them improvements" in text.getvalue()


def test_printed_azimuths_are_true_and_the_summary_is_legible(monkeypatch: pytest.MonkeyPatch) -> None:
    # 250 km west of the zone's middle the grid turns by almost a degree from true north.
    scenario = area.scenario(
        candidates={"kinds": ["higher-mast"]}, scenario={"name": "Một tỉnh có tên rất dài"},
        data={"terrain": {"files": ["t"]}, "population": {"file": "p"}, "hamlets": "h", "synthetic": ["hamlets"]},
    )  # fmt: skip
    part = area.part(ridge_m=30.0, west=250_000.0)
    run = run_on(monkeypatch, scenario, part)
    candidates = run.decided.candidates[0]
    locked = candidates.options["option_id"].tolist()
    scenario = scenario.model_copy(
        update={"objective": scenario.objective.model_copy(update={"locked_options": locked})}
    )
    result = result_of(run_on(monkeypatch, scenario, part))
    by_status = {
        status: np.sort(rows["azimuth_deg"].to_numpy() % 360.0) for status, rows in result.sectors.groupby("status")
    }
    assert by_status["added"] == pytest.approx(by_status["removed"], abs=1e-3)
    assert abs(run.baselines[0].network.sectors.azimuth_deg - 120.0).min() > 0.5

    def printed(language: str) -> list[str]:
        monkeypatch.setenv("PHUSONG_LANG", language)
        text = StringIO()
        print_summary(Console(file=text, soft_wrap=True), result, Path("runs/x"))
        return text.getvalue().splitlines()

    label, title, coverage, *rest = printed("vi")
    assert label == "DỮ LIỆU MÔ PHỎNG / SYNTHETIC: hamlets"
    assert title.startswith("Một tỉnh có tên rất dài · 4 thôn · ")
    assert coverage.startswith("coverage   ")
    assert all(line[10] == " " and line[11] != " " for line in rest)
    english = printed("en")
    assert len(english) == len(rest) + 3
    assert english[1].startswith("Một tỉnh có tên rất dài · 4 hamlets · ")
    assert not any(word in line for line in english[1:] for word in ("thôn", "trạm", "tỷ đồng", "{"))
    assert printed("")[1:] == [title, coverage, *rest[:-1], *english[1:]]  # both, Vietnamese first; the folder once
