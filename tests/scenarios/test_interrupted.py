"""Ctrl-C while a run is being worked out or written: its own exit code, no traceback, no half-written run."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from phusong.scenarios import pipeline
from phusong.scenarios.cli import main
from phusong.scenarios.commands.talking import INTERRUPTED
from phusong.scenarios.outputs import folder

SCENARIO = resources.files("phusong.scenarios.examples").joinpath("tam-dao.toml")


def interrupt(*given: object, **more: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_in_a_run_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pipeline, "run_plan", interrupt)
    told = CliRunner().invoke(main, ["plan", str(SCENARIO), "--runs", str(tmp_path / "runs"), "--quiet"])
    assert told.exit_code == INTERRUPTED == 130
    assert "Ctrl-C" in told.stderr
    assert "Traceback" not in told.output
    assert not list((tmp_path / "runs").glob("*"))


def test_ctrl_c_while_writing_leaves_no_part_of_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def begun(result: object, fresh: Path, csv: str) -> None:
        (fresh / "plan.gpkg").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "write_files", begun)
    with pytest.raises(KeyboardInterrupt):
        folder.write_run(object(), tmp_path / "run")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
