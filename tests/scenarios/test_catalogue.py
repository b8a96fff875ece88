"""Runs in their folders: names that no two runs share, and runs side by side."""

from __future__ import annotations

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from phusong.scenarios.catalogue import find_run, listed, new_run, record
from phusong.scenarios.cli import main
from phusong.scenarios.comparison import compare_runs, comparison_table
from phusong.scenarios.errors import RunMissing, RunNotWritten

spec = importlib.util.spec_from_file_location("outputs_sample", Path(__file__).with_name("outputs_sample.py"))
sample = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sample)


def stored(runs: Path, name: str, cleared: list[str]) -> str:
    run = new_run(runs, name, "ab12cd")
    summary = {**sample.sample_run().summary, "scenario": name, "cleared_hamlets": cleared, "cleared": len(cleared)}
    (runs / run / "summary.json").write_text(json.dumps(summary, default=float), encoding="utf-8")
    record(runs, run, summary, {"scenario_sha256": "ab12cd"})
    return run


def test_runs_started_together_never_share_a_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: new_run(tmp_path / "sâu" / "runs", "Điện Biên – Đợt 1", "4f1c99"), range(16)))
    assert len(set(names)) == 16
    assert all(name.startswith("dien-bien-dot-1-2") and "-4f1c" in name for name in names)
    blocked = tmp_path / "a file"
    blocked.write_text("")
    with pytest.raises(RunNotWritten):
        new_run(blocked, "x", "4f1c99")


def test_the_newest_run_is_found_and_a_missing_one_named(tmp_path: Path) -> None:
    with pytest.raises(RunMissing):
        find_run(tmp_path, None)
    names = [
        stored(tmp_path, "Một tỉnh có tên rất dài ở biên giới", []),
        stored(tmp_path, "Hai", []),
        stored(tmp_path, "Một", []),
    ]
    assert [row["run"] for row in listed(tmp_path)] == names
    assert find_run(tmp_path, None) == tmp_path / names[-1]
    printed = CliRunner().invoke(main, ["runs", "--runs", str(tmp_path)]).stdout
    assert all(name in printed for name in names)
    with pytest.raises(RunMissing) as missing:
        find_run(tmp_path, "Ba")
    assert names[-1] in missing.value.mend


def test_runs_side_by_side(tmp_path: Path) -> None:
    first, second = stored(tmp_path, "Một", ["a", "b"]), stored(tmp_path, "Hai", ["b", "c"])
    elsewhere = tmp_path / "other"
    same_name = stored(elsewhere, "Một", ["d"])
    assert same_name == first
    compared = compare_runs(tmp_path, [first, second])
    assert compared["only_here"] == {first: ["a"], second: ["c"]}
    assert compared["missed"] == {first: ["c"], second: ["a"]}
    three = compare_runs(tmp_path, [first, str(elsewhere / same_name), second])
    assert sorted(map(len, three["only_here"].values())) == [1, 1, 1]

    console = Console(record=True, width=300)
    console.print(comparison_table(three))
    text = console.export_text()
    assert str(elsewhere / same_name) in text
