"""The scenario file: every fault at once, by key, with the nearest right one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phusong.scenarios.errors import ScenarioFaults, ScenarioFileMissing
from phusong.scenarios.scenario import changed, json_schema, read_scenario
from phusong.scenarios.template import SCENARIO_TEMPLATE

GOOD = """
[scenario]
name = "Thử"
[data.terrain]
files = ["dem.tif"]
[data.population]
file = "p.tif"
[data]
hamlets = "h.gpkg"
[objective]
budget_vnd = 1_000_000_000
"""
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "scenarios/examples").glob("*.toml"))


def written(folder: Path, text: str, name: str = "kịch bản.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_bare_file_names_stand_for_layers(tmp_path: Path) -> None:
    scenario, base = read_scenario(written(tmp_path, GOOD))
    assert scenario.sources(base).layers["hamlets"].path == tmp_path / "h.gpkg"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("[objective]\nbudget_vndd = 1\n", r"objective\.budget_vndd: .*'budget_vnd'"),
        ("[radio]\nconfidence = 80\n", r"radio\.confidence: .*less than 1.*80"),
        ("[costs]\nfibre_vnd_per_km = -5\n", r"costs\.fibre_vnd_per_km.*greater than or equal to 0"),
        ("[area]\ncell_m = 'ninety'\n", r"area\.cell_m: .*number.*'ninety'"),
        ("[servce]\nrule = 'x'\n", r"servce: .*'service'"),
        ("[service]\nminimum_technology = '6G'\n", r"service\.minimum_technology: .*'5G'"),
        (
            "[radio]\nmin_rsrp_dbm = {4G = -110}\n[service]\nminimum_technology = '5G'\n",
            r"(?m)^\s*radio\.min_rsrp_dbm: no level for .*\"5G\"",
        ),
        ("[radio]\nmodel = 'p1821'\n", r"radio: .*'p1821'.*'p1812'"),
        (
            "[radio.surroundings]\nbody_db = 4\n[throughput]\nextra_loss_db = 4\n",
            r"extra_loss_db: .*enclosure already \(body_db\): drop one",
        ),
        ("[radio.model_parameters]\nlocation_pct = 90\n", r"location_pct: .*same spread.*set location_sigma_db = 0"),
        ("[radio.model_parameters]\ntime_pc = 10\n", r"radio: .*'time_pc': did you mean 'time_pct'"),
        ("[radio.model_parameters]\nvertical = 3\n", r"radio: .*vertical.*expected a bool"),
        (
            "[radio.surroundings]\nvegetation_m = 20\nstated_db = 12\n",
            r"surroundings: .*counted twice.*drop stated_db, or vegetation_m",
        ),
        (
            "[radio]\nmodel = 'tr38901-rma'\n[radio.surroundings]\nclutter_location_pct = 50\n",
            r"counted twice.*drop clutter_location_pct",
        ),
        ("[objective]\ngoal = 'min_cost'\n", r"min_cost.*needs target"),
    ],
)
def test_a_fault_names_its_key_and_the_nearest_right_one(tmp_path: Path, change: str, expected: str) -> None:
    base = written(tmp_path, GOOD, "base.toml")
    path = written(tmp_path, f'extends = "{base.name}"\n{change}')
    with pytest.raises(ScenarioFaults) as raised:
        read_scenario(path)
    assert re.search(expected, str(raised.value)), str(raised.value)


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFaults) as raised:
        read_scenario(written(tmp_path, "[scenario]\nnam = 'x'\n[radio]\nrange_km = -1\n"))
    assert {fault.split(":")[0] for fault in raised.value.faults} >= {
        "scenario.name", "scenario.nam", "radio.range_km", "data", "objective",
    }  # fmt: skip


def test_a_scenario_changes_what_it_extends(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "base.toml")
    path = written(tmp_path, 'extends = "base.toml"\n[objective]\nbudget_vnd = 5\n[radio.carriers.B99]\n'
                   'technology = "4G"\nfrequency_mhz = 900\nbandwidth_mhz = 10\n')  # fmt: skip
    scenario, _ = read_scenario(path)
    assert scenario.objective.budget_vnd == 5
    assert scenario.scenario.name == "Thử"
    assert scenario.radio.carrier("B99") is not None
    assert scenario.radio.carrier("B3") is not None


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    first = written(tmp_path, 'extends = "b.toml"\n', "a.toml")
    written(tmp_path, 'extends = "a.toml"\n', "b.toml")
    with pytest.raises(ScenarioFaults, match=r"a\.toml -> b\.toml -> a\.toml"):
        read_scenario(first)


def test_missing_and_broken_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileMissing):
        read_scenario(tmp_path / "none.toml")
    with pytest.raises(ScenarioFaults, match="TOML"):
        read_scenario(written(tmp_path, "[scenario\n"))


def test_the_command_line_wins_and_is_checked_too(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    scenario, _ = read_scenario(path)
    better = changed(scenario, path, {"budget_ty": 2.5, "gap": None, "seed": 9})
    assert (better.objective.budget_vnd, better.scenario.seed) == (2_500_000_000, 9)
    with pytest.raises(ScenarioFaults, match=r"solver\.gap"):
        changed(scenario, path, {"gap": 3.0})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    scenario, _ = read_scenario(path)
    assert scenario.data.synthetic


def test_the_template_is_valid_and_the_schema_knows_every_section(tmp_path: Path) -> None:
    read_scenario(written(tmp_path, SCENARIO_TEMPLATE))
    assert {"scenario", "data", "radio", "costs", "extends"} <= set(json_schema()["properties"])
