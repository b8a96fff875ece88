"""The catalogue of runs: one SQLite file beside the run folders."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from phusong.scenarios.errors import RunMissing
from phusong.scenarios.outputs.folder import told_to_people

FILE = "catalogue.sqlite"
_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, name TEXT NOT NULL, made TEXT NOT NULL, goal TEXT, low_before INTEGER, cleared INTEGER,
    cleared_bound INTEGER, capex_vnd INTEGER, budget_vnd INTEGER, checker TEXT, scenario_sha256 TEXT
)"""
COLUMNS = (
    "run", "name", "made", "goal", "low_before", "cleared", "cleared_bound", "capex_vnd", "budget_vnd", "checker",
    "scenario_sha256",
)  # fmt: skip


def new_run(runs: Path, name: str, scenario_sha256: str) -> str:
    """Make the empty folder of a new run, so that no other takes it, and return its name: scenario, day, start of the
    scenario's hash, and a number where that is taken. Raises FileOpenElsewhere, RunNotWritten."""
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split()
    first = f"{'-'.join(words).lower() or 'run'}-{date.today().isoformat()}-{scenario_sha256[:4]}"
    with told_to_people(runs / first):
        for number in count(1):
            folder = runs / (first if number == 1 else f"{first}-{number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                if not runs.is_dir():  # a file stands where the runs should go
                    raise
            else:
                break
    return folder.name


def record(runs: Path, run: str, summary: dict[str, Any], manifest: dict[str, Any]) -> None:
    """Enter a finished run."""
    values = {
        **{c: summary.get(c) for c in COLUMNS},
        "run": run,
        "name": summary["scenario"],
        "made": date.today().isoformat(),
        "scenario_sha256": manifest["scenario_sha256"],
    }
    with _open(runs) as database:
        marks = ", ".join(f":{c}" for c in COLUMNS)
        database.execute(f"INSERT OR REPLACE INTO runs ({', '.join(COLUMNS)}) VALUES ({marks})", values)


def listed(runs: Path) -> list[dict[str, Any]]:
    """All runs, newest last; those whose folder is gone are left out."""
    if not (runs / FILE).exists():
        return []
    with _open(runs) as database:
        rows = database.execute(f"SELECT {', '.join(COLUMNS)} FROM runs ORDER BY made, rowid").fetchall()
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return [row for row in found if (runs / row["run"] / "summary.json").exists()]


def find_run(runs: Path, wanted: str | None) -> Path:
    """The folder of a run by path or name; the newest when none is named. Raises RunMissing."""
    if wanted is None:
        entries = listed(runs)
        if entries:
            return runs / str(entries[-1]["run"])
        raise RunMissing(
            what="chưa có lần chạy nào / no run yet",
            where=str(runs),
            mend="chạy / make one with:  phusong plan SCENARIO",
        )
    for folder in (Path(wanted), runs / wanted):
        if (folder / "summary.json").exists():
            return folder
    names = ", ".join(str(row["run"]) for row in listed(runs)[-5:])
    raise RunMissing(
        what="không có lần chạy này / no such run",
        where=wanted,
        mend=f"các lần chạy gần đây / latest runs: {names or '—'}",
    )


def read_summary(folder: Path) -> dict[str, Any]:
    """The figures of a run. Raises RunMissing where they cannot be read."""
    try:
        value = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunMissing(
            what="không đọc được lần chạy / the run cannot be read", where=f"{folder / 'summary.json'}: {error}",
            mend="chạy lại kịch bản / run the scenario again",
        ) from None  # fmt: skip
    if not isinstance(value, dict):
        raise RunMissing(
            what="không phải một lần chạy / not a run", where=str(folder), mend="chạy lại kịch bản / run again"
        )
    return value


@contextmanager
def _open(runs: Path) -> Iterator[sqlite3.Connection]:
    runs.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(runs / FILE, timeout=30)) as database, database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(_TABLE)
        yield database
