"""What `phusong validate` answers: a table for people, a document for programs."""

from __future__ import annotations

from math import isfinite
from typing import Any

from rich.table import Table

from phusong.scenarios.validation.comparison import Origin, ReferenceSet

MOST_ROWS_SHOWN = 5


def document(sets: list[ReferenceSet], missing: list[str]) -> dict[str, Any]:
    """The answer as plain values; an error is null where one side refused a row that the other computed."""
    return {
        "agrees": all(s.agrees for s in sets),
        "missing_sets": missing,
        "sets": [
            {
                "model": s.model,
                "edition": s.edition,
                "source": s.origin.source,
                "licence": s.origin.licence,
                "quoted": s.origin.quoted,
                "rows": len(s.row_names),
                "max_error_db": s.max_error_db if isfinite(s.max_error_db) else None,
                "rms_error_db": s.rms_error_db if isfinite(s.rms_error_db) else None,
                "tolerance_db": s.tolerance_db,
                "rows_wrong": len(s.wrong),
                "verdict": verdict(s),
            }
            for s in sets
        ],
    }


def verdict(s: ReferenceSet) -> str:
    """ "pass", "fail", or "reported" for rows that need not agree."""
    if not s.asserted:
        return "reported"
    return "pass" if s.agrees else "fail"


def agreement_table(sets: list[ReferenceSet]) -> Table:
    """A row for each set: model, edition, rows, errors [dB], verdict, the number of its source."""
    table = Table(box=None, pad_edge=False)
    table.add_column("mô hình\nmodel", no_wrap=True)
    table.add_column("bản\nedition", no_wrap=True)
    for heading in ("dòng\nrows", "xa nhất\nmax dB", "rms\ndB", "cho phép\nlimit dB"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("kết quả\nverdict", no_wrap=True)
    table.add_column("nguồn\nsource", justify="right", no_wrap=True)
    words = {"pass": "[green]đạt / pass[/]", "fail": "[bold red]SAI / FAIL[/]", "reported": "[dim]báo / reported[/]"}
    number = {origin: i + 1 for i, origin in enumerate(_origins(sets))}
    for s in sets:
        figures = (f"{len(s.row_names):,}", f"{s.max_error_db:.1e}", f"{s.rms_error_db:.1e}", f"{s.tolerance_db:g}")
        table.add_row(s.model, s.edition, *figures, words[verdict(s)], str(number[s.origin]))
    return table


def source_lines(sets: list[ReferenceSet]) -> list[str]:
    """A numbered line for each source, with its licence."""
    return [
        f"{i + 1}  {'trích / quoted: ' if origin.quoted else ''}{origin.source} · {origin.licence}"
        for i, origin in enumerate(_origins(sets))
    ]


def _origins(sets: list[ReferenceSet]) -> list[Origin]:
    return list(dict.fromkeys(s.origin for s in sets))


def wrong_rows(sets: list[ReferenceSet]) -> list[str]:
    """A line for each row that failed, the first few of each set."""
    lines = []
    for s in sets:
        if s.agrees:
            continue
        for row in s.wrong[:MOST_ROWS_SHOWN]:
            expected, ours = (
                "từ chối / refused" if value != value else f"{value:.4f} dB"
                for value in (s.expected_db[row], s.ours_db[row])
            )
            lines.append(f"  {s.model}, {s.row_names[row]}: tham chiếu / reference {expected}, ở đây / ours {ours}")
        if len(s.wrong) > MOST_ROWS_SHOWN:
            lines.append(f"  {s.model}: còn / and {len(s.wrong) - MOST_ROWS_SHOWN} dòng nữa / more rows")
    return lines
