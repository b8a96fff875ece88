"""Every command as a planner types it, and every failure as a planner meets it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import rasterio

from phusong.scenarios.cli import main
from phusong.scenarios.outputs.result import SYNTHETIC_LABEL

FILES = {
    "baseline_rsrp.tif", "planned_rsrp.tif", "plan.gpkg", "summary.json", "manifest.json", "timings.json",
    "overview.png", "map.html", "tables",
}  # fmt: skip
SATELLITE_FILES = {"satellite_availability.tif", "satellite_rain_limited.tif", "satellite_rate.tif", "satellite.json"}
SATELLITE = """
[satellite]
enabled = true
[satellite.climate]
region = "north-east"
[satellite.simulation]
hours = 2.0
azimuths = 16
[[satellite.shells]]
altitude_km = 550
inclination_deg = 53
satellites = 1584
planes = 72
phasing = 17
"""
# Form of an element set as in NORAD's public description of it, with right checksums.
ISS = (
    "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927",
    "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537",
)


@pytest.fixture(scope="session")
def planned(phusong, corner: Path, home: Path) -> dict[str, Any]:
    return json.loads(phusong("plan", corner, "--runs", home / "runs", "--json", "--quiet").stdout)


def test_the_demo_plans_a_province_and_labels_it(demo: dict[str, Any]) -> None:
    run = Path(demo["run"])
    assert {p.name for p in run.iterdir()} >= FILES
    assert demo["checker"] == "agrees"
    assert 0 < demo["counted"] <= demo["cleared_bound"] <= demo["low_before"]
    assert demo["counted"] <= demo["cleared"]
    assert demo["capex_vnd"] <= demo["budget_vnd"]
    assert demo["repeatable"]
    for name in ("summary.json", "manifest.json", "map.html"):
        assert SYNTHETIC_LABEL in (run / name).read_text(encoding="utf-8")
    with rasterio.open(run / "planned_rsrp.tif") as raster:
        assert raster.profile["driver"] == "GTiff"
        assert SYNTHETIC_LABEL in raster.tags().values()


def test_what_the_run_folder_says_agrees_with_itself(planned: dict[str, Any]) -> None:
    run = Path(planned["run"])
    hamlets = gpd.read_file(run / "plan.gpkg", layer="hamlets")
    sites = gpd.read_file(run / "plan.gpkg", layer="sites")
    measures = pd.read_csv(run / "tables" / "measures.csv", encoding="utf-8-sig")
    assert (hamlets["state_before"] != "served").sum() == planned["low_before"]
    assert (hamlets["state_after"] != "served").sum() == planned["low_after"]
    assert planned["low_before"] - planned["low_after"] == planned["cleared"]
    assert measures["capex_vnd"].sum() == planned["capex_vnd"] == sites["capex_vnd"].sum()
    assert (sites["status"] == "new").sum() == planned["sites_new"]
    assert openpyxl.load_workbook(run / "tables" / "tables.xlsx", read_only=True).sheetnames
    assert json.loads((run / "manifest.json").read_text(encoding="utf-8"))["inputs"]


def test_the_same_scenario_gives_the_same_bytes(phusong, corner: Path, home: Path, planned: dict[str, Any]) -> None:
    again = json.loads(phusong("plan", corner, "--runs", home / "again", "--json", "--quiet", "--threads", 1).stdout)
    first, second = Path(planned["run"]), Path(again["run"])
    files = [p for p in second.rglob("*") if p.is_file()]
    assert len(files) > 15
    for path in files:
        if path.name not in ("timings.json", "manifest.json"):  # the manifest holds the threads that were asked for
            assert path.read_bytes() == (first / path.relative_to(second)).read_bytes(), path.name


def test_budget_zero_is_a_plan_and_names_the_cheapest_hamlet(phusong, corner: Path, home: Path) -> None:
    answer = json.loads(phusong("plan", corner, "--runs", home / "runs", "--json", "--budget", 0).stdout)
    assert (answer["cleared"], answer["capex_vnd"]) == (0, 0)
    assert answer["cheapest_hamlet_vnd"] > 0


def test_a_clock_makes_a_run_not_repeatable(phusong, corner: Path, home: Path) -> None:
    answer = json.loads(phusong("plan", corner, "--runs", home / "runs", "--json", "--time-limit", 5).stdout)
    assert answer["repeatable"] is False


def test_least_cost_for_a_target(phusong, corner: Path, home: Path, planned: dict[str, Any]) -> None:
    path = corner.with_name("đích.toml")
    target = max(1, planned["cleared"] - 1)
    path.write_text(
        f'extends = "{corner.name}"\n[objective]\ngoal = "min_cost"\ntarget_hamlets = {target}\n', encoding="utf-8"
    )
    answer = json.loads(phusong("plan", path, "--runs", home / "runs", "--json").stdout)
    assert answer["cleared"] >= target
    assert answer["budget_vnd"] is None
    path.write_text(path.read_text(encoding="utf-8").replace(f"= {target}", "= 100000"), encoding="utf-8")
    assert "100000" in phusong("plan", path, "--runs", home / "runs", expect=3).stderr


def test_compare_runs_map_and_coverage(phusong, corner: Path, home: Path, planned: dict[str, Any]) -> None:
    poor = json.loads(phusong("plan", corner, "--runs", home / "runs", "--json", "--budget", 1.5).stdout)
    names = [Path(planned["run"]).name, Path(poor["run"]).name]
    compared = json.loads(phusong("compare", *names, "--runs", home / "runs", "--json").stdout)
    assert set(compared["runs"]) == set(names)
    assert len(compared["missed"][names[1]]) >= planned["cleared"] - poor["cleared"]
    assert names[0] in phusong("compare", *names, "--runs", home / "runs").stdout.replace("\n", "")
    listed = json.loads(phusong("runs", "--runs", home / "runs", "--json").stdout)
    assert set(names) <= {row["run"] for row in listed}
    page = json.loads(phusong("map", names[0], "--runs", home / "runs", "--json", "--no-open").stdout)["map"]
    assert Path(page).read_bytes()[:15].lower() == b"<!doctype html>"
    cover = json.loads(phusong("coverage", corner, "--runs", home / "runs", "--json").stdout)
    assert (cover["low_before"], cover["cleared_bound"]) == (planned["low_before"], None)


def test_check_lists_every_fault_at_once(phusong, corner: Path, home: Path) -> None:
    broken = home / "hỏng"
    shutil.copytree(home / "demo", broken, dirs_exist_ok=True)
    sites = pd.read_csv(broken / "sites.csv", encoding="utf-8-sig", dtype=str)
    sites.loc[0, "antenna_height_m"] = "cao"
    sites.loc[1, ["lon", "lat"]] = sites.loc[1, ["lat", "lon"]].to_numpy()
    sites.to_csv(broken / "sites.csv", index=False, encoding="utf-8-sig")
    (broken / "hamlets.gpkg").unlink()
    (broken / "dem.tif").write_bytes((broken / "dem.tif").read_bytes()[:5000])
    answer = phusong("check", broken / corner.name, "--rejects", home / "rejects", expect=2)
    for expected in ("hamlets.gpkg", "dem.tif", "sites.csv"):
        assert expected in answer.stdout, answer.stdout
    rejects = pd.read_csv(home / "rejects" / "sectors.csv", encoding="utf-8-sig", dtype=str)
    assert len(rejects) == 2
    assert "cao" in rejects.to_string()
    assert phusong("plan", broken / corner.name, "--runs", home / "runs", expect=2).stdout == ""


def test_init_template_and_schema(phusong, home: Path) -> None:
    phusong("init", home / "mới.toml")
    assert "--force" in phusong("init", home / "mới.toml", expect=2).stderr
    phusong("template", "hamlets", home / "thôn.xlsx")
    assert openpyxl.load_workbook(home / "thôn.xlsx").sheetnames
    assert json.loads(phusong("schema").stdout)["properties"]["objective"]
    missing = phusong("check", home / "mới.toml", expect=2)
    assert "dem.tif" in missing.stdout + missing.stderr


def test_usage_faults_end_with_two_and_help_shows_examples(phusong) -> None:
    phusong("plan", expect=2)
    phusong("no-such-command", expect=2)
    for command in sorted(main.commands.keys() - {"data"}):
        said = phusong(command, "--help").stdout
        assert "Ví dụ" in said
        assert said.count("phusong " + command) > 1
    assert "phusong data orbits" in phusong("data", "orbits", "--help").stdout
    assert "phusong" in phusong("--version").stdout


def test_help_and_completion_wait_for_nothing_heavy() -> None:
    code = "import sys, phusong.scenarios.cli; print({'numba', 'numpy', 'pandas', 'geopandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_data_orbits_counts_what_it_rejects(phusong, home: Path) -> None:
    file = home / "quỹ đạo.tle"
    file.write_text("\n".join((*ISS, ISS[0][:-1] + "0", ISS[1])) + "\n", encoding="utf-8")
    said = json.loads(phusong("data", "orbits", file, "--json").stdout)
    assert (said["satellites"], said["satellites_rejected"]) == (1, 1)
    assert "checksum" in said["rejected"][0]["what"]
    assert "1 bị loại / rejected" in phusong("data", "orbits", file).stdout
    file.write_text("không có gì\n", encoding="utf-8")
    said = phusong("data", "orbits", file, expect=2)
    assert said.stdout == ""
    heads = [line.split(":")[0].strip() for line in said.stderr.strip().splitlines()]
    assert heads == ["lỗi / error", "ở / where", "sửa / mend"]


@pytest.fixture(scope="session")
def corner_sky(corner: Path) -> Path:
    """The corner with a planned shell of satellites over it."""
    path = corner.with_name("bầu trời.toml")
    path.write_text(f'extends = "{corner.name}"\n{SATELLITE}', encoding="utf-8")
    return path


def test_the_satellite_step_alone_and_without_mobile_signal(phusong, corner_sky: Path, home: Path) -> None:
    answer = json.loads(phusong("satellite", corner_sky, "--output", home / "vệ tinh", "--json", "--quiet").stdout)
    assert answer["label"] == SYNTHETIC_LABEL
    assert 0.0 < answer["leo"]["rain_limited"] < answer["leo"]["availability"] <= 1.0
    assert {path.name for path in Path(answer["folder"]).iterdir()} >= SATELLITE_FILES
    assert not {path.name for path in Path(answer["folder"]).iterdir()} & {"baseline_rsrp.tif", "plan.gpkg"}


def test_a_plan_tells_its_satellites_apart_from_mobile_signal(phusong, corner_sky, home, planned) -> None:
    answer = json.loads(phusong("plan", corner_sky, "--runs", home / "runs", "--json", "--quiet").stdout)
    assert {path.name for path in Path(answer["run"]).iterdir()} >= FILES | SATELLITE_FILES
    assert answer["checker"] == "agrees"
    assert answer["satellite"]["hamlets"]["asked"] == answer["low_before"] == planned["low_before"]
    assert answer["satellite"]["paragraph"]["vi"] in (Path(answer["run"]) / "map.html").read_text(encoding="utf-8")
    assert planned["satellite"] is None


def test_a_key_that_does_not_exist_is_named_with_the_nearest(phusong, corner: Path) -> None:
    path = corner.with_name("sai.toml")
    path.write_text(f'extends = "{corner.name}"\n[objective]\nbudgt_vnd = 3\n', encoding="utf-8")
    assert "budget_vnd" in phusong("plan", path, expect=2).stderr


def test_real_scene_of_tam_dao(phusong, shared, tmp_path: Path) -> None:
    """With little work for proofs: 158 of at most 165 take the default eight units (docs/solver.md)."""
    example = Path(__file__).resolve().parents[2] / "scenarios" / "examples" / "tam-dao.toml"
    scenario = tmp_path / "quick.toml"
    scenario.write_text(
        f"extends = {json.dumps(str(example))}\n[solver]\ndeterministic_limit = 1.0\n", encoding="utf-8"
    )
    data = shared("data/tam-dao/dem.tif").parent
    answer = json.loads(phusong("plan", scenario, "--data", data, "--runs", tmp_path, "--json", "--quiet").stdout)
    assert answer["hamlets"] == 499
    assert answer["checker"] == "agrees"
    assert answer["counted"] >= 0.9 * answer["cleared_bound"]
