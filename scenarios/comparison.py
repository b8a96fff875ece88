"""Runs side by side: the figures, and which hamlets each clears that another does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from phusong.scenarios.catalogue import find_run, read_summary
from phusong.scenarios.outputs.words import key_figures


def compare_runs(runs: Path, wanted: Sequence[str]) -> dict[str, Any]:
    """Figures of each run, and for each the hamlets that it alone clears and those that it misses.

    Raises RunMissing for a run that is not there.
    """
    folders = [find_run(runs, name) for name in wanted]
    names = [folder.resolve().name for folder in folders]
    # Runs of the same name in different folders are told apart by their paths.
    summaries = {
        name if names.count(name) == 1 else str(folder): read_summary(folder)
        for name, folder in zip(names, folders, strict=True)
    }
    cleared = {name: set(summary["cleared_hamlets"]) for name, summary in summaries.items()}
    everyone = set().union(*cleared.values())
    return {
        "runs": summaries,
        "only_here": {
            name: sorted(own - set().union(*(c for other, c in cleared.items() if other != name)))
            for name, own in cleared.items()
        },
        "missed": {name: sorted(everyone - own) for name, own in cleared.items()},
    }


def comparison_table(compared: dict[str, Any]) -> Table:
    """The figures as a table, a column a run."""
    table = Table("", *(Column(name, overflow="fold") for name in compared["runs"]), box=None)
    columns = [dict(key_figures(summary, "vi")) for summary in compared["runs"].values()]
    for label in dict.fromkeys(label for column in columns for label in column):
        table.add_row(label, *(column.get(label, "—") for column in columns))
    for label, key in (("Thôn chỉ phương án này xoá", "only_here"), ("Thôn bỏ lỡ", "missed")):
        table.add_row(label, *(str(len(compared[key][name])) for name in compared["runs"]))
    return table
