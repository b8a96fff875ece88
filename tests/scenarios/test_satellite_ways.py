"""Backhaul by satellite, small cells, and the two commands as a planner types them."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from click.testing import CliRunner

from phusong.coverage.satellite.orbits import walker_shell
from phusong.data_sources.area import Area
from phusong.data_sources.orbits import read_orbits
from phusong.scenarios.candidates.build import with_ways
from phusong.scenarios.candidates.costs import Works, small_cell
from phusong.scenarios.candidates.options import NEEDED
from phusong.scenarios.checker import check_plan
from phusong.scenarios.cli import main
from phusong.scenarios.errors import LockedUnconnected
from phusong.scenarios.framing import ask, pose
from phusong.scenarios.planned import planned_states
from phusong.scenarios.satellite.plan import with_satellites
from phusong.scenarios.satellite.result import satellite_skies
from phusong.scenarios.satellite.ways import (
    GEO_LINKS,
    LEO_TERMINALS,
    leo_money,
    satellite_caps,
    satellite_ways,
    years_licensed,
)
from phusong.scenarios.scenario import Scenario
from phusong.solvers.decision import Limits, max_cleared

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
small_area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small_area)

SHELL = {"altitude_km": 550.0, "inclination_deg": 53.0, "satellites": 1584, "planes": 72, "phasing": 17}
SATELLITE = {
    "enabled": True, "shells": [SHELL], "climate": {"region": "red-river"},
    "simulation": {"hours": 2.0, "azimuths": 32},
}  # fmt: skip
# ISS (ZARYA), from the public "NORAD Two-Line Element Set Format" page's example form, with right checksums.
ISS = (
    "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927",
    "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537",
)


def asked(backhaul: list[str], **sections: Any) -> Scenario:
    kinds = ["small-cell", "new-site"]
    return small_area.scenario(
        candidates={"max_sites": 12, "heights_m": [25.0], "kinds": kinds, "backhaul": backhaul},
        satellite=sections.pop("satellite", SATELLITE),
        **sections,
    )


def ways_of(wish: Scenario):
    part = small_area.part()
    baseline = small_area.baseline_of(part, wish)
    candidates = small_area.candidates_of(baseline, wish)
    (sky,) = satellite_skies(wish, Area((part,), (), ()), Path())
    return candidates, satellite_ways(wish, baseline, candidates, sky), sky


def test_new_stations_may_hang_on_satellites():
    wish = asked(["fibre", "leo", "geo"])
    candidates, ways, sky = ways_of(wish)
    kinds = set(candidates.options["kind"])
    assert kinds == {"small-cell", "new-site"}
    needed = np.flatnonzero(candidates.options["backhaul"] == NEEDED)
    assert set(ways.loc[ways["kind"] == "leo", "option"]) == set(needed)
    assert ways["availability"].between(0.99, 1.0).all()
    assert (ways["rate_mbps"] >= wish.satellite.least_backhaul_mbps).all()
    assert (ways["node"] == -1).all()
    leo = ways[ways["kind"] == "leo"]
    assert set(leo["until"]) == {"2030-12-31"}
    assert set(leo["cap"]) == {LEO_TERMINALS}
    assert set(ways.loc[ways["kind"] == "geo", "until"]) == {""}
    assert set(ways.loc[ways["kind"] == "geo", "cap"]) == {GEO_LINKS}
    community = leo["option"].isin(np.flatnonzero(candidates.options["kind"] == "small-cell"))
    settings = wish.satellite.leo
    assert set(leo.loc[community, "opex_vnd_per_year"]) == {round(settings.community.opex_vnd_per_year.value)}
    assert set(leo.loc[~community, "opex_vnd_per_year"]) == {round(settings.site.opex_vnd_per_year.value)}
    caps = satellite_caps(wish, [sky])
    assert 0 < caps[LEO_TERMINALS] < wish.satellite.licence.terminals
    assert caps[GEO_LINKS] >= 1
    joined = with_ways(candidates, ways).ways
    assert joined["option"].is_monotonic_increasing
    assert len(joined) == len(candidates.ways) + len(ways)


def test_only_the_kinds_that_the_scenario_allows():
    _, ways, _ = ways_of(asked(["fibre", "geo"]))
    assert set(ways["kind"]) == {"geo"}
    _, ways, _ = ways_of(asked(["fibre"]))
    assert len(ways) == 0


def test_a_remote_radio_hangs_on_fibre_only():
    kinds = ["remote-radio", "small-cell"]
    wish = small_area.scenario(
        candidates={"max_sites": 12, "kinds": kinds, "backhaul": ["fibre", "leo", "geo"]}, satellite=SATELLITE
    )
    candidates, ways, _ = ways_of(wish)
    kind = candidates.options["kind"]
    assert set(kind) == set(kinds)
    assert set(kind.iloc[ways["option"]]) == {"small-cell"}


def test_a_cap_of_satellites_that_no_way_counts_under_is_no_fault():
    wish = asked(["fibre", "geo"], objective={"budget_vnd": 10**9, "caps": {LEO_TERMINALS: 5}})
    part = small_area.part()
    baseline = small_area.baseline_of(part, wish)
    skies = satellite_skies(wish, Area((part,), (), ()), Path())
    limited, _ = with_satellites(wish, [baseline], [small_area.candidates_of(baseline, wish)], skies)
    assert set(limited.objective.caps) == {GEO_LINKS}


def test_a_locked_option_that_nothing_connects_is_named():
    wish = asked(["leo"], satellite={"enabled": False})
    baseline = small_area.baseline_of(small_area.part(), wish)
    candidates = small_area.candidates_of(baseline, wish)
    question = ask(
        baseline, candidates, wish.radio, wish.service, wish.radio.candidate_range_km, threads=2, on_progress=None
    )
    name = candidates.options["option_id"].iloc[0]
    objective = wish.objective.model_copy(update={"locked_options": [name]})
    with pytest.raises(LockedUnconnected, match=name):
        pose([question], [candidates], [baseline], objective)


def test_a_small_cell_is_covered_like_any_site():
    candidates, _, _ = ways_of(asked(["leo"]))
    small = np.flatnonzero(candidates.options["kind"] == "small-cell")
    assert len(small)
    sectors = np.isin(candidates.sector_option, small)
    assert np.isnan(candidates.sectors.azimuth_deg[sectors]).all()
    assert (candidates.options["height_m"].to_numpy()[small] == 12.0).all()
    assert candidates.sites["place"].isin(["small-cell", "hamlet", "high-ground"]).all()
    works = Works(
        building_factor=1.0, access_km=0.0, fibre_vnd=np.inf, fibre_km=np.inf, inferred_km=np.inf, power="grid",
        power_vnd=20e6, power_vnd_per_year=8e6, evn_confirm=False,
    )  # fmt: skip
    bill = small_cell(small_area.scenario().costs, works)
    assert bill.capex_vnd == 80_000_000 + 220_000_000 + 20_000_000


def test_the_licence_end_is_paid_for():
    settings = asked(["leo"]).satellite
    site, after = settings.leo.site, settings.geo.site
    assert years_licensed(settings, 10, 2026) == pytest.approx(5.0, abs=0.01)
    assert years_licensed(settings, 10, 2040) == 0.0
    capex, opex, lifetime = leo_money(settings, site, 10, 2026, by_geo=True)
    assert (capex, opex) == (site.capex_vnd.value, site.opex_vnd_per_year.value)
    years = years_licensed(settings, 10, 2026)
    later = after.capex_vnd.value + (10 - years) * after.opex_vnd_per_year.value
    assert lifetime == round(capex + years * opex + later)
    within = leo_money(settings, site, 3, 2026, by_geo=True)
    assert within[2] == capex + 3 * opex
    renewed = settings.model_copy(update={"licence": settings.licence.model_copy(update={"successor": "renewed"})})
    assert leo_money(renewed, site, 10, 2026, by_geo=True)[2] == capex + 10 * opex


def test_a_short_horizon_is_not_temporary():
    _, ways, _ = ways_of(asked(["leo"], objective={"horizon_years": 3}))
    assert set(ways["until"]) == {""}


# --- the commands ---


def run(*arguments: object, code: int = 0) -> Any:
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert answer.exit_code == code, answer.output
    return answer


def tle(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "vệ tinh.tle"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_importing_orbits_counts_what_it_rejects(tmp_path):
    wrong_sum = ISS[0][:-1] + "0"
    path = tle(tmp_path, "ISS (ZARYA)", *ISS, "HỎNG", wrong_sum, ISS[1], "CỤT", ISS[0][:40])
    said = json.loads(run("data", "orbits", path, "--json").stdout)
    assert (said["satellites"], said["satellites_rejected"]) == (1, 2)
    reasons = " ".join(row["what"] for row in said["rejected"])
    assert "checksum" in reasons
    assert said["epoch"].startswith("2008-09-20")
    told = run("data", "orbits", path, "--rejects", tmp_path / "bad.csv").stdout
    assert "days from the plan's date" in told
    assert "dòng / line" in told
    assert len(pd.read_csv(tmp_path / "bad.csv", encoding="utf-8-sig")) == len(said["rejected"])


def test_imported_orbits_can_be_read_again(tmp_path, shared):
    source = shared("data/vietnam/celestrak_oneweb_2026-05-30.tle")
    said = json.loads(run("data", "orbits", source, "--out", tmp_path / "oneweb.csv", "--json").stdout)
    again, first = read_orbits(tmp_path / "oneweb.csv"), read_orbits(source)
    assert said["serving"] + sum(said["left_out"].values()) == said["satellites"] == len(again)
    np.testing.assert_array_equal(again.catalog_number, first.catalog_number)
    np.testing.assert_allclose(again.epoch_days, first.epoch_days, atol=1e-9)
    np.testing.assert_array_equal(again.mean_motion_rev_day, first.mean_motion_rev_day)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "no element set"), ("chỉ là chữ\n", "no element set"), ("[{]", "JSON"), ('[{"OBJECT_NAME": "A"}]', "EPOCH")],
)
def test_a_file_that_holds_no_orbits(tmp_path, content, said):
    path = tmp_path / "x.tle"
    path.write_text(content, encoding="utf-8")
    answer = run("data", "orbits", path, code=2)
    assert said in answer.output
    assert "Traceback" not in answer.output
    assert "mend" in run("data", "orbits", tmp_path / "không có.tle", code=2).output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario with its files: the small area's ground and people, four hamlets."""
    part = small_area.part()
    for name, raster in (("t.tif", part.height_m), ("p.tif", part.people)):
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", width=small_area.SIDE, height=small_area.SIDE, count=1,
            dtype="float32", crs=small_area.CRS, transform=part.box.affine,
        ) as file:  # fmt: skip
            file.write(raster, 1)
    degrees = part.layers.hamlets.to_crs(4326)
    rows = [f"{h.hamlet_id},{h.name},{h.geometry.x:.6f},{h.geometry.y:.6f}" for h in degrees.itertuples()]
    (tmp_path / "h.csv").write_text("hamlet_id,name,longitude,latitude\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def written(folder: Path, satellite: str) -> Path:
    path = folder / "kịch bản.toml"
    path.write_text(
        '[scenario]\nname = "Thử"\n[data]\nhamlets = "h.csv"\n[data.terrain]\nfiles = ["t.tif"]\n'
        '[data.population]\nfile = "p.tif"\nunits = "people"\n[objective]\nbudget_vnd = 1\n' + satellite,
        encoding="utf-8",
    )
    return path


SECTION = """
[satellite]
enabled = true
{orbits}
[satellite.climate]
region = "red-river"
[satellite.simulation]
hours = 1.0
azimuths = 16
"""


def test_the_satellite_step_alone(folder):
    shell = (
        "[[satellite.shells]]\naltitude_km = 550\ninclination_deg = 53\nsatellites = 1584\nplanes = 72\nphasing = 17\n"
    )
    path = written(folder, SECTION.format(orbits="") + shell)
    said = json.loads(run("satellite", path, "--output", folder / "ra", "--json", "--quiet").stdout)
    assert 0.0 < said["leo"]["rain_limited"] <= said["leo"]["availability"] <= 1.0
    assert said["hamlets"]["asked"] == 4
    assert (folder / "ra" / "satellite_rain_limited.tif").is_file()
    assert (folder / "ra" / "tables" / "tables.xlsx").is_file()
    document = json.loads((folder / "ra" / "satellite.json").read_text(encoding="utf-8"))
    assert document["paragraph"] == said["paragraph"]
    told = run("satellite", path, "--output", folder / "ra", "--quiet").stdout
    assert "not mobile signal" in told


def test_old_elements_are_told(folder):
    (folder / "iss.tle").write_text("\n".join(ISS) + "\n")
    section = SECTION.format(orbits='orbits = ["iss.tle"]') + "[satellite.leo]\nserving_only = false\n"
    answer = run("satellite", written(folder, section), "--output", folder / "ra")
    assert "days from the plan's date" in answer.output


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (SECTION.format(orbits=""), "no satellite"),
        (SECTION.format(orbits='orbits = ["thiếu.tle"]'), "thiếu.tle"),
        (SECTION.format(orbits='orbits = ["iss.tle"]'), "none of 1 satellites serves"),
        (SECTION.format(orbits="orbit = []"), "orbits"),
        (SECTION.format(orbits="least_availability = 1.5"), "least_availability"),
        (SECTION.format(orbits='orbits = ["iss.tle"]').replace("region", 'itu_maps = "không có"\nregion'), "itu"),
    ],
)
def test_what_cannot_be_is_said_in_three_lines(folder, section, said):
    (folder / "iss.tle").write_text("\n".join(ISS) + "\n")
    answer = run("satellite", written(folder, section), "--output", folder / "ra", "--quiet", code=2)
    assert said in answer.output
    assert "Traceback" not in answer.output
    assert not (folder / "ra").exists()


def test_a_planned_shell_and_element_sets_fly_together(folder):
    assert len(walker_shell(550.0, 53.0, 4, 2, 0, epoch_days=27_000.0)) == 4
    (folder / "iss.tle").write_text("\n".join(ISS) + "\n")
    section = SECTION.format(orbits='orbits = ["iss.tle"]') + (
        "[satellite.leo]\nserving_only = false\n[[satellite.shells]]\naltitude_km = 550\ninclination_deg = 53\n"
        'satellites = 8\nplanes = 4\nepoch = "2008-09-20"\n'
    )
    said = json.loads(run("satellite", written(folder, section), "--output", folder / "ra", "--json", "--quiet").stdout)
    assert said["leo"]["satellites"] == 9
    assert said["leo"]["availability"] < 0.5


def test_a_plan_may_hang_on_satellites():
    """Nothing but satellites connects: the plan clears what towers and small cells reach, under the licence's cap."""
    wish = asked(["leo"])
    part = small_area.part()
    baseline = small_area.baseline_of(part, wish)
    skies = satellite_skies(wish, Area((part,), (), ()), Path())
    plain = small_area.candidates_of(baseline, wish)
    capped, (candidates,) = with_satellites(wish, [baseline], [plain], skies)
    assert capped.objective.caps == {LEO_TERMINALS: satellite_caps(wish, skies)[LEO_TERMINALS]}
    question = ask(
        baseline, candidates, wish.radio, wish.service, wish.radio.candidate_range_km, threads=2, on_progress=None
    )
    cleared = {}
    for most in (0, 1, 50):
        objective = capped.objective.model_copy(update={"caps": {LEO_TERMINALS: most}})
        problem = pose([question], [candidates], [baseline], objective)
        plan = max_cleared(problem, 8_000_000_000, Limits(gap=0.0, deterministic_limit=8.0, seed=1, threads=1))
        ways = np.asarray(plan.way)
        assert (ways >= 0).sum() <= most
        cleared[most] = int(plan.cleared.sum())
    assert cleared[0] <= cleared[1] <= cleared[50]
    assert cleared[0] < cleared[50]
    planned = planned_states(
        baseline, candidates, np.sort(plan.chosen).astype(np.int64), capped.radio, capped.service, threads=2
    )
    rich = capped.objective.model_copy(update={"budget_vnd": 8_000_000_000, "caps": {LEO_TERMINALS: 50}})
    asking = capped.model_copy(update={"objective": rich})
    assert (candidates.ways["until"] != "").any()
    assert check_plan(asking, [baseline], [candidates], plan, [planned.state]).broken == ()
    cheap = candidates.ways.assign(lifetime_vnd=candidates.ways["lifetime_vnd"] - 10**6)
    fooled = check_plan(asking, [baseline], [replace(candidates, ways=cheap)], plan, [planned.state])
    assert any("lifetime cost" in line for line in fooled.broken)
