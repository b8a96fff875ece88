"""Towers and backhaul together: shared trenches, links over relays, and a checker that refuses every broken rule."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from phusong.data_sources.area import Area
from phusong.scenarios import pipeline
from phusong.scenarios.backhaul_check import check_backhaul
from phusong.scenarios.carrying import load_of
from phusong.scenarios.connected import (
    backhaul_lines,
    connected_by_part,
    microwave_links,
    settled_options,
    shares_of,
)
from phusong.scenarios.errors import CapUnknown
from phusong.scenarios.framing import ask, pose
from phusong.scenarios.load_check import load_faults
from phusong.scenarios.results import result_of
from phusong.solvers.decision import Limits, Plan, max_cleared
from phusong.solvers.problem import Load

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(area)

LIMITS = Limits(deterministic_limit=5.0, time_limit_s=None, seed=1, threads=2)
CHEAP_LINKS = {"microwave_link_vnd": 60e6, "microwave_vnd_per_year": 1e6}  # else every trench of the scene beats them
RIDGE, NEAR, FAR, SOUTH = "G-", "H-near", "H-far", "H-south"
RADIO = "remote-radio"


@pytest.fixture(scope="module")
def scene() -> tuple:
    scenario = area.scenario(10**15, costs=CHEAP_LINKS, candidates={"microwave_over_new_towers": True})
    baseline = area.baseline_of(area.part(), scenario)
    return scenario, [baseline], [area.candidates_of(baseline, scenario)]


def option_at(candidates, site: str, band: str = "B3") -> int:
    ids = candidates.options["option_id"]
    return int(np.flatnonzero(ids.str.startswith(site) & ids.str.contains(f"/new-site/.*/{band}/"))[0])


def way_of(candidates, option: int, kind: str) -> int:
    ways = candidates.ways
    return int(ways.index[(ways["option"] == option) & (ways["kind"] == kind)][0])


def plan_with(scene: tuple, ways: dict[str, str]) -> Plan:
    """Options at the named sites, each with the named kind of way, trenches along everyone's own cheapest route."""
    _, _, (candidates,) = scene
    chosen = sorted((option_at(candidates, site), kind) for site, kind in ways.items())
    way = [way_of(candidates, option, kind) for option, kind in chosen]
    nodes = [int(candidates.ways["node"][w]) for w in way if candidates.ways["node"][w] >= 0]
    dug = sorted({edge for node in nodes for edge in area.dug_alone(candidates, node)})
    network, options, table = candidates.network, candidates.options, candidates.ways

    def total(own: str, trench: str) -> int:
        return sum(
            [*options[own].iloc[[o for o, _ in chosen]], *table[own].iloc[way], *getattr(network, trench)[dug].tolist()]
        )

    nothing = np.empty(0, dtype=bool)
    return Plan(
        np.array([o for o, _ in chosen], np.int32), nothing, nothing, (), total("capex_vnd", "trench_vnd"),
        total("lifetime_vnd", "lifetime_vnd"), 0, True, np.array(way, np.int32), np.array(dug, np.int32),
        int(network.trench_vnd[dug].sum()),
    )  # fmt: skip


def settled(scene: tuple, plan: Plan):
    _, _, (candidates,) = scene
    (connected,) = connected_by_part(plan, [candidates])
    shares = shares_of(candidates, connected)
    return candidates, connected, shares, settled_options(candidates, connected, shares, 10)


def test_a_trench_that_two_towers_use_is_paid_once_and_shared(scene):
    candidates, connected, shares, options = settled(scene, plan_with(scene, {NEAR: "fibre", FAR: "fibre"}))
    plan = plan_with(scene, {NEAR: "fibre", FAR: "fibre"})
    alone = candidates.options["fibre_alone_vnd"].iloc[plan.chosen].sum()
    assert plan.trench_vnd < alone
    assert options["capex_vnd"].sum() == plan.budget_cost_vnd
    assert options["lifetime_vnd"].sum() == plan.lifetime_cost_vnd
    assert options["backhaul_vnd"].sum() == plan.trench_vnd
    assert (options["lifetime_vnd"] == options["capex_vnd"] + 10 * options["opex_vnd_per_year"]).all()
    assert options["backhaul"].tolist() == ["fibre", "fibre"]
    assert options["fibre_km"].sum() * 1000 == pytest.approx(candidates.network.length_m[plan.trenches].sum())

    by_site = options.set_index("site_id")["backhaul_vnd"]
    common = candidates.options["fibre_alone_vnd"].iloc[option_at(candidates, NEAR)]
    assert by_site[NEAR] == pytest.approx(common / 2, rel=1e-4)  # half of the road that both use

    lines = backhaul_lines(candidates, connected, shares)
    assert sorted(lines["users"]) == [1, 2]
    assert lines.geometry.length.sum() / 1000 == pytest.approx(lines["length_km"].sum(), rel=1e-3)
    assert lines["length_km"].sum() == pytest.approx(options["fibre_km"].sum(), abs=0.001)
    assert set(lines.set_index("users")["site_id"][2].split(", ")) == {NEAR, FAR}


def test_shares_are_the_shapley_value_of_the_trenches(scene):
    """Averaged over every order of building, a tower pays what the tree grows by when it comes."""
    from itertools import permutations

    candidates, _, shares, _ = settled(scene, plan_with(scene, {NEAR: "fibre", FAR: "fibre", SOUTH: "fibre"}))
    plan = plan_with(scene, {NEAR: "fibre", FAR: "fibre", SOUTH: "fibre"})
    route = [set(area.dug_alone(candidates, int(candidates.ways["node"][w]))) for w in plan.way]
    paid, orders = np.zeros(3), list(permutations(range(3)))
    for order in orders:
        dug: set[int] = set()
        for who in order:
            paid[who] += candidates.network.trench_vnd[sorted(route[who] - dug)].sum() / len(orders)
            dug |= route[who]
    assert shares.trench_vnd == pytest.approx(paid, abs=3 * len(plan.trenches))


def test_a_link_is_drawn_to_the_nearest_tower_it_may_hang_on(scene):
    plan = plan_with(scene, {RIDGE: "microwave", NEAR: "fibre", FAR: "microwave"})
    candidates, connected, shares, options = settled(scene, plan)
    assert sorted(options["backhaul"]) == ["fibre", "microwave", "microwave"]
    assert options["backhaul_vnd"].sum() == plan.trench_vnd + 2 * round(scene[0].costs.microwave_link_vnd.value)
    ends = {options["site_id"].iloc[p]: end for p, _, end in microwave_links(candidates, connected)}
    place = candidates.sites.set_index("site_id").geometry
    assert tuple(ends[FAR]) == (place[NEAR].x, place[NEAR].y)
    assert tuple(ends[next(s for s in ends if s.startswith(RIDGE))]) == area.at(*area.SITES["A"])
    lines = backhaul_lines(candidates, connected, shares)
    assert lines["kind"].value_counts().to_dict() == {"microwave": 2, "fibre": 1}


def test_the_decision_finds_the_cheapest_common_trench(scene):
    """Two locked towers: the least trench is the best meeting point of their ways, by brute force over all nodes."""
    scenario, baselines, (candidates,) = scene
    only_fibre = replace(candidates, ways=candidates.ways[candidates.ways["kind"] == "fibre"].reset_index(drop=True))
    pair = [option_at(candidates, FAR), option_at(candidates, SOUTH)]
    wish = scenario.objective.model_copy(
        update={
            "locked_options": candidates.options["option_id"].iloc[pair].tolist(),
            "forbidden_options": candidates.options["option_id"].drop(index=pair).tolist(),
        }
    )
    question = ask(
        baselines[0], only_fibre, scenario.radio, scenario.service, scenario.radio.candidate_range_km, threads=2,
        on_progress=None,
    )  # fmt: skip
    problem = pose([question], [only_fibre], baselines, wish)
    plan = max_cleared(problem, 10**15, LIMITS)
    assert plan.chosen.tolist() == sorted(pair)

    network = candidates.network
    size = len(network.xy)
    graph = sparse.csr_array((network.lifetime_vnd.astype(float), (network.start, network.end)), shape=(size, size))
    nodes = candidates.ways["node"].to_numpy()[[way_of(candidates, o, "fibre") for o in pair]]
    from_lit = dijkstra(graph, directed=False, indices=np.flatnonzero(network.lit)).min(axis=0)
    from_both = dijkstra(graph, directed=False, indices=nodes)
    least = int(min(from_lit[nodes].sum(), (from_lit + from_both.sum(axis=0)).min()))
    assert int(network.lifetime_vnd[plan.trenches].sum()) == least
    assert check_backhaul(scenario, baselines, [only_fibre], plan).broken == ()


def test_a_link_that_the_own_trench_beats_is_not_offered(scene):
    dear = scene[0].model_copy(update={"costs": area.scenario(1).costs})
    candidates = area.candidates_of(scene[1][0], dear)
    assert (candidates.options["fibre_alone_vnd"] < dear.costs.microwave_link_vnd.value).all()
    assert set(candidates.ways["kind"]) == {"fibre"}


def test_two_parts_are_joined_block_by_block(scene):
    scenario, (baseline,), (candidates,) = scene
    question = ask(
        baseline, candidates, scenario.radio, scenario.service, scenario.radio.candidate_range_km, threads=2,
        on_progress=None,
    )  # fmt: skip
    wish = scenario.objective.model_copy(update={"sites_per_operator": {"VNPT": 1}})
    both = pose([question] * 2, [candidates] * 2, [baseline] * 2, wish)
    one, two = pose([question], [candidates], [baseline], wish).backhaul, both.backhaul
    ways, nodes, options = len(one.way_option), len(one.roads.lit), len(candidates.options)
    assert two.way_option.tolist() == [*one.way_option, *(one.way_option + options)]
    assert two.way_node[ways:].tolist() == np.where(one.way_node >= 0, one.way_node + nodes, -1).tolist()
    assert (two.relays[ways:][:, ways:] != one.relays).nnz == 0
    assert two.relays.nnz == 2 * one.relays.nnz > 0
    assert two.roads.lit.tolist() == [*one.roads.lit] * 2
    assert two.roads.start[len(one.roads.start) :].tolist() == (one.roads.start + nodes).tolist()
    vnpt = candidates.options.index[
        (candidates.options["operator"] == "VNPT")
        & candidates.options["kind"].isin(["new-site", "remote-radio", "repeater"])
    ]
    (cap,) = both.caps
    assert (cap.most, cap.options.tolist()) == (1, [*vnpt, *(vnpt + options)])

    cut = replace(candidates, ways=candidates.ways[candidates.ways["option"] != vnpt[-1]].reset_index(drop=True))
    cut = replace(cut, ways=cut.ways.assign(relays=[()] * len(cut.ways)))
    assert np.flatnonzero(pose([question], [cut], [baseline], scenario.objective).forbidden).tolist() == [vnpt[-1]]
    unknown = scenario.objective.model_copy(update={"sites_per_operator": {"Nobody": 1}})
    with pytest.raises(CapUnknown, match="Nobody"):
        pose([question], [candidates], [baseline], unknown)


def test_a_run_shows_its_backhaul_and_its_figures_add_up(monkeypatch):
    monkeypatch.setattr(pipeline, "read_area", lambda sources, progress=None: Area((area.part(),), (), ()))
    run = pipeline.run_plan(
        area.scenario(10**11, objective={"sites_per_operator": {"VNPT": 0}}, costs=CHEAP_LINKS), Path(".")
    )
    plan = run.decided.plan
    assert run.decided.verdict.agrees
    result = result_of(run)
    assert result.measures["capex_vnd"].sum() == plan.budget_cost_vnd == result.summary["capex_vnd"]
    assert result.measures["lifetime_vnd"].sum() == plan.lifetime_cost_vnd
    items = result.measures[["tower_vnd", "road_vnd", "power_vnd", "backhaul_vnd", "radio_vnd"]].sum(axis=1)
    assert (items == result.measures["capex_vnd"]).all()
    new = result.measures[result.measures["kind"].isin(["new-site", "remote-radio"])]
    assert len(new)
    assert set(new["backhaul"]) <= {"fibre", "microwave"}
    told = result.summary["backhaul"]
    assert sum(told["ways"].values()) == len(new)
    assert told["trench_vnd"] == plan.trench_vnd
    assert not (new["operator"] == "VNPT").any()
    kinds = result.routes["kind"].value_counts()
    assert kinds.get("microwave", 0) == told["ways"].get("microwave", 0)
    fibre = result.routes[result.routes["kind"] == "fibre"]
    assert fibre["length_km"].sum() == pytest.approx(told["trench_km"], abs=0.06)
    assert any("each trench is paid once" in note for note in result.summary["notes"])


# --- broken rules ---


def with_ways_altered(scene, row: int, **columns):
    scenario, baselines, (candidates,) = scene
    ways = candidates.ways.copy()
    for name, value in columns.items():
        ways.at[row, name] = value
    return scenario, baselines, [replace(candidates, ways=ways)]


def with_settings(scene, section: str, **change):
    scenario, baselines, candidates = scene
    changed = getattr(scenario, section).model_copy(update=change)
    return scenario.model_copy(update={section: changed}), baselines, candidates


def without_a_way(scene, plan):
    return scene, replace(plan, way=np.array([-1, *plan.way[1:]], np.int32))


def with_anothers_way(scene, plan):
    return scene, replace(plan, way=np.array([*plan.way[:-1], plan.way[0]], np.int32))


def too_few_ways(scene, plan):
    return scene, replace(plan, way=plan.way[:-1])


def way_for_what_stands(scene, plan):
    return scene, replace(
        plan, chosen=np.array([0, *plan.chosen], np.int32), way=np.array([plan.way[0], *plan.way], np.int32)
    )


def trench_left_open(scene, plan):
    return scene, replace(plan, trenches=plan.trenches[:-1])


def trench_dug_twice(scene, plan):
    return scene, replace(plan, trenches=np.array([plan.trenches[0], *plan.trenches], np.int32))


def trench_nowhere(scene, plan):
    return scene, replace(plan, trenches=np.array([*plan.trenches, 10**6], np.int32))


def trench_money(scene, plan):
    return scene, replace(plan, trench_vnd=plan.trench_vnd - 1)


def trench_cheaper_than_its_price(scene, plan):
    scenario, baselines, (candidates,) = scene
    network = candidates.network
    halved = replace(network, trench_vnd=network.trench_vnd // 2)
    return (scenario, baselines, [replace(candidates, network=halved)]), plan


def fibre_to_another_place(scene, plan):
    candidates = scene[2][0]
    near = way_of(candidates, option_at(candidates, NEAR), "fibre")
    ridge = way_of(candidates, option_at(candidates, RIDGE), "fibre")
    return with_ways_altered(scene, near, node=candidates.ways["node"][ridge]), plan


def lit_where_nothing_is(scene, plan):
    scenario, baselines, (candidates,) = scene
    network = candidates.network
    bright = replace(network, lit=np.ones_like(network.lit))
    return (scenario, baselines, [replace(candidates, network=bright)]), replace(plan, trenches=plan.trenches[:1])


def trench_shorter_than_its_ends_are_apart(scene, plan):
    scenario, baselines, (candidates,) = scene
    network = candidates.network
    short = replace(network, length_m=network.length_m / 2)
    return (scenario, baselines, [replace(candidates, network=short)]), plan


def radio_far_from_fibre(scene, plan):
    altered = with_settings(scene, "candidates", remote_radio_fibre_km=1.0)
    (candidates,) = scene[2]
    radio = int(np.flatnonzero(candidates.options["kind"] == "remote-radio")[0])
    way, dug = area.by_fibre([candidates], [radio])
    return altered, replace(
        plan, chosen=np.array([radio], np.int32), way=np.array(way, np.int32), trenches=np.array(dug, np.int32)
    )


def radio_over_the_air(scene, plan):
    scenario, baselines, (candidates,) = scene
    ridge = option_at(candidates, RIDGE)
    options = candidates.options.assign(kind=candidates.options["kind"].where(candidates.options.index != ridge, RADIO))
    return (scenario, baselines, [replace(candidates, options=options)]), plan


def trench_without_upkeep(scene, plan):
    scenario, baselines, (candidates,) = scene
    network = candidates.network
    cheap = replace(network, lifetime_vnd=network.trench_vnd)
    return (scenario, baselines, [replace(candidates, network=cheap)]), plan


def link_too_cheap(scene, plan):
    return with_ways_altered(scene, link(scene, RIDGE), capex_vnd=1, lifetime_vnd=10_000_001), plan


def way_with_another_horizon(scene, plan):
    return with_ways_altered(scene, link(scene, RIDGE), lifetime_vnd=5), plan


def relay_not_built(scene, plan):
    kept = plan.chosen == option_at(scene[2][0], FAR)
    return scene, replace(plan, chosen=plan.chosen[kept], way=plan.way[kept])


def link(scene, site: str) -> int:
    return way_of(scene[2][0], option_at(scene[2][0], site), "microwave")


def links_in_a_circle(scene, plan):
    """The far and the southern tower hang on each other and on nothing else."""
    altered = with_ways_altered(scene, link(scene, FAR), relays=(link(scene, SOUTH),))
    altered = with_ways_altered(altered, link(scene, SOUTH), relays=(link(scene, FAR),))
    return altered, plan_with(altered, {FAR: "microwave", SOUTH: "microwave"})


def satellite_beside_the_licence(scene, plan):
    return with_ways_altered(scene, link(scene, FAR), kind="leo", cap=""), plan


def too_many_hops(scene, plan):
    altered = with_ways_altered(scene, link(scene, SOUTH), relays=(link(scene, FAR),))
    return with_settings(altered, "candidates", microwave_hops=1), plan_with(
        altered, {NEAR: "fibre", FAR: "microwave", SOUTH: "microwave"}
    )


def crowded_relay(scene, plan):
    return with_settings(scene, "candidates", microwave_hub_links=0), plan


def behind_a_hill(scene, plan):
    scenario, (baseline,), candidates = scene
    height_m = baseline.part.height_m.copy()
    height_m[:, 18] += 400.0
    return (scenario, [replace(baseline, part=replace(baseline.part, height_m=height_m))], candidates), plan


def too_far(scene, plan):
    return with_settings(scene, "candidates", microwave_km=0.5), plan


def mast_higher_than_listed(scene, plan):
    return with_ways_altered(scene, link(scene, RIDGE), end_height_m=80.0), plan


def mast_not_lit(scene, plan):
    scenario, (baseline,), candidates = scene
    layers = baseline.part.layers
    dark = replace(layers, sectors=layers.sectors.assign(backhaul="unknown"))
    return (scenario, [replace(baseline, part=replace(baseline.part, layers=dark))], candidates), plan


def cap_exceeded(scene, plan):
    altered = with_ways_altered(scene, link(scene, RIDGE), cap="dishes")
    return with_settings(altered, "objective", caps={"dishes": 0}), plan


def too_many_sites(scene, plan):
    return with_settings(scene, "objective", sites_per_operator={"Viettel": 2}), plan


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (without_a_way, "has no backhaul"), (with_anothers_way, "is given the way of"), (too_few_ways, "ways named"),
        (way_for_what_stands, "stands connected"), (trench_left_open, "reaches nothing that is lit"),
        (trench_dug_twice, "dug twice"), (trench_nowhere, "no edge"), (trench_money, "trenches: plan says"),
        (fibre_to_another_place, "ends elsewhere"), (lit_where_nothing_is, "reaches nothing that is lit"),
        (trench_shorter_than_its_ends_are_apart, "than the way between its ends"),
        (radio_far_from_fibre, "km of fibre, 1 allowed"), (radio_over_the_air, "radio without fibre"),
        (trench_cheaper_than_its_price, "is not"), (trench_without_upkeep, "upkeep"), (link_too_cheap, "link costs"),
        (way_with_another_horizon, "lifetime cost"), (relay_not_built, "hangs on no tower"),
        (links_in_a_circle, "hangs on no tower"), (satellite_beside_the_licence, "does not count under leo-terminals"),
        (too_many_hops, "links in a row"),
        (crowded_relay, "links hang on it"), (behind_a_hill, "no line of sight"), (too_far, "no line of sight"),
        (mast_higher_than_listed, "no lit mast"), (mast_not_lit, "no lit mast"), (cap_exceeded, "cap dishes: 1 of 0"),
        (too_many_sites, "new sites of Viettel: 3 of 2"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_the_checker_refuses_every_broken_rule(scene, breaks: Callable, says: str) -> None:
    plan = plan_with(scene, {RIDGE: "microwave", NEAR: "fibre", FAR: "microwave"})
    honest = check_backhaul(*scene, plan)
    assert honest.broken == ()
    options = scene[2][0].options.iloc[plan.chosen]
    assert honest.budget_vnd == plan.budget_cost_vnd - options["capex_vnd"].sum()
    assert honest.lifetime_vnd == plan.lifetime_cost_vnd - options["lifetime_vnd"].sum()
    altered, broken = breaks(scene, plan)
    found = check_backhaul(*altered, broken).broken
    assert any(says in fault for fault in found), found


def test_plans_are_limited_by_what_options_carry(scene):
    scenario, baselines, candidates = scene
    limited = with_settings(scene, "capacity", limit_plan=True)[0]
    question = ask(
        baselines[0], candidates[0], scenario.radio, scenario.service, scenario.radio.candidate_range_km, threads=2,
        on_progress=None,
    )  # fmt: skip
    assert load_of(scenario, [question], candidates, baselines) is None
    load = load_of(limited, [question], candidates, baselines)
    people = question.weight[np.unique(question.group_cell)].sum()
    per_person = scenario.capacity.mbps_per_person * 1000
    assert load.group_kbps.sum() == pytest.approx(people * per_person, abs=len(load.group_kbps))
    towers = (candidates[0].options["kind"] == "new-site").to_numpy()
    serving = towers & (question.covers.sum(axis=1) > 0)
    assert (load.option_kbps[serving] > 5000).all()
    assert (load.option_kbps[question.covers.sum(axis=1) == 0] == 0).all()

    thin = replace(candidates[0], ways=candidates[0].ways.assign(rate_mbps=0.1))
    assert load_of(limited, [question], [thin], baselines).option_kbps[thin.ways["option"].unique()].max() == 100

    problem = pose([question], candidates, baselines, scenario.objective, load)
    plan = max_cleared(problem, 10**15, LIMITS)
    assert plan.cleared.all()
    assert load_faults(problem, plan) == []
    scarce = replace(problem, load=Load(load.option_kbps // 10**6, load.group_kbps))
    assert load_faults(scarce, plan)[0].startswith("capacity: 0 kbps carried of")
