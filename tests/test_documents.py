"""What the documents say must hold: commands exist, links and pictures resolve, the folder table is the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
from PIL import Image

from phusong.scenarios.cli import main
from phusong.scenarios.scenario import Scenario, read_scenario
from phusong.scenarios.service import required_rsrp_dbm

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"\bphusong ([a-z]+)([^`#\n]*)")


def code(document: Path) -> str:
    """The commands that a document shows: fenced blocks and words in backticks."""
    text = document.read_text(encoding="utf-8")
    fenced = re.findall(r"```\w*\n(.*?)```", text, re.S)
    return "\n".join([*fenced, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_commands_and_their_options_exist(document: Path) -> None:
    for name, rest in COMMAND.findall(code(document)):
        command = main.commands.get(name)
        assert isinstance(command, click.Command), f"phusong {name}"
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"phusong {name}{rest}"


def test_readme_names_every_command() -> None:
    assert {name for name, _ in COMMAND.findall(code(ROOT / "README.md"))} >= set(main.commands)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_relative_links_resolve(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:", "#")):
            assert (document.parent / target.split("#")[0]).exists(), target


def test_pictures_are_there_and_small() -> None:
    shown = {name for d in DOCUMENTS for name in re.findall(r"docs/images/\S+?\.png", d.read_text("utf-8"))}
    kept = {str(path.relative_to(ROOT)) for path in (ROOT / "docs/images").iterdir()}
    assert shown == kept
    for name in kept:
        assert (ROOT / name).stat().st_size < 400_000, name
        with Image.open(ROOT / name) as picture:
            picture.verify()


def test_folder_table_is_the_package() -> None:
    table = re.findall(r"^\| `([a-z_]+)/` \| `(phusong\.[a-z_]+)` \|", (ROOT / "README.md").read_text("utf-8"), re.M)
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-dir"]
    assert {name: folder for folder, name in table} == {n: f for n, f in folders.items() if n.count(".") == 1}


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"^make (\w+)", code(ROOT / "README.md"), re.M))
    assert {"demo", "test"} <= named <= targets


def test_the_scenario_of_the_walkthrough_is_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs/real-data.md").read_text("utf-8")
    path = tmp_path / "my.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", text, re.S)[0], encoding="utf-8")
    scenario, base = read_scenario(path)
    assert isinstance(scenario, Scenario)
    assert base == tmp_path / "data"


def test_defaults_that_the_documents_quote() -> None:
    path = ROOT / "scenarios/examples/tam-dao.toml"
    scenario, _ = read_scenario(path)
    radio, service = scenario.radio, scenario.service
    assert (radio.confidence, radio.model_sigma_db, radio.location_sigma_db) == (0.8, 7.0, 5.5)
    assert (radio.interference_margin_db, radio.min_rsrp_dbm["4G"]) == (3.0, -110.0)
    assert required_rsrp_dbm(radio, "4G") == pytest.approx(-99.5, abs=0.05)
    assert (radio.candidate_range_km, radio.range_km, radio.model) == (12.0, 30.0, "p1812")
    assert (service.served_share, service.cluster_min_households, service.populated_people) == (0.8, 5, 4.0)
    assert (service.hamlet_radius_km, service.edge_km) == (1.5, 3.0)
    assert (service.baseline, scenario.objective.horizon_years) == ("declared-over-model", 10)
