"""Tables of a run: one CSV each, and all of them as sheets of one XLSX."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import xlsxwriter

from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.words import LANGUAGES, exact_figures, model_text, word
from phusong.scenarios.satellite.outputs import tables_of

CsvStyle = Literal["iso", "vi"]

FIXED_TIME = datetime.datetime(2020, 1, 1)  # equal runs must give equal bytes
# decimals kept, and Excel's number format, by the end of a column's name; all else is whole or kept as it is
DECIMALS = {
    "_dbm": 1,
    "_mbps": 1,
    "probability": 3,
    "probability_before": 3,
    "probability_after": 3,
    "flips": 3,
    "utilisation": 2,
    "least_share": 3,
    "value": 0,
    "_km": 2,
    "_deg": 6,
    "people": 1,
    "people_before": 1,
    "people_after": 1,
}
FORMATS = {
    "_vnd": "#,##0",
    "_vnd_per_year": "#,##0",
    "_dbm": "0.0",
    "_mbps": "#,##0.0",
    "probability_before": "0%",
    "probability_after": "0%",
    "probability": "0%",
    "flips": "0%",
    "utilisation": "0%",
    "least_share": "0%",
    "_km": "#,##0.0",
    "_deg": "0.0####",
    "exact": "#,##0.###",
    "_m": "0.0",
    "availability": "0.00%",
    "_limited": "0.00%",
    "_limited_low": "0.00%",
    "_limited_high": "0.00%",
    "_share": "0%",
    "obstructed": "0.0%",
    "_km2": "#,##0.0",
}
WIDTHS = {
    "text": 90,
    "figure": 62,
    "value": 26,
    "exact": 22,
    "label": 32,
    "topic": 30,
    "name": 28,
    "commune": 22,
    "served_by_option": 26,
}
NARROW, WIDE = 9, 24


def tables(result: RunResult) -> dict[str, pd.DataFrame]:
    """All tables by name, in the order in which they are read; column names as in `RunResult`, values untranslated.

    Points carry longitude_deg and latitude_deg. A synthetic run has a last column `label` in every table.
    """
    hamlets = with_position(result.hamlets)
    summary = result.summary
    found = {
        "notes": notes(result),
        "summary": figures(summary),
        "measures": result.measures,
        "sites": with_position(result.sites),
        "hamlets": hamlets,
        "measure_first": result.measure_first,
        "communes": pd.DataFrame(result.communes.drop(columns="geometry")),
        "operators": pd.DataFrame(summary["operators"], columns=["operator", "people_before", "people_after"]),
        "declared_vs_model": declared_vs_model(summary["declared_vs_model"]),
        "stations": result.stations,
        "sectors": with_position(result.sectors),
        "speeds": result.speeds,
        "routes": pd.DataFrame(result.routes.drop(columns="geometry")),
    }
    if result.satellite is not None:
        found |= tables_of(result.satellite)
    found = {name: rounded(table) for name, table in found.items()}
    if result.label:
        found = {name: table.assign(label=result.label) for name, table in found.items()}
    return found


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    digits = {column: kept for column in table for end, kept in DECIMALS.items() if column.endswith(end)}
    return table.round(digits)


def with_position(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    degrees = frame.geometry.to_crs(4326)
    return pd.DataFrame(frame.drop(columns="geometry")).assign(longitude_deg=degrees.x, latitude_deg=degrees.y)


def notes(result: RunResult) -> pd.DataFrame:
    """What the figures rest on: label, rule with source and thresholds, model, assumptions, in both languages."""
    rule = result.summary["rule"]
    rows = [
        ("fig.scenario", result.name),
        *([("fig.synthetic", f"{result.label}: {', '.join(result.synthetic)}")] if result.label else []),
        ("fig.rule", f"{word(rule['name'])} ({rule['name']})"),
        ("fig.source", rule["source"]),
        ("fig.thresholds", rule["thresholds"]),
        ("fig.minimum_technology", result.summary["minimum_technology"]),
        ("fig.model", model_text(result.summary)),
        ("fig.checker", word(str(result.summary["checker"]))),
        *(("fig.assumptions", text) for text in result.summary["assumptions"]),
        *(("fig.notes", text) for text in result.summary["notes"]),
    ]
    return pd.DataFrame(
        [(" / ".join(word(key, lang) for lang in LANGUAGES), str(text)) for key, text in rows],
        columns=["topic", "text"],
    )


def figures(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Key figures as people read them, beside the exact number."""
    pairs = zip(exact_figures(summary, "vi"), exact_figures(summary, "en"), strict=True)
    return pd.DataFrame(
        [(f"{name} / {name_en}", text, exact) for (name, text, exact), (name_en, _, _) in pairs],
        columns=["figure", "value", "exact"],
    ).astype({"exact": float})


def declared_vs_model(counts: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    """One row a pair of declared and modelled state."""
    return pd.DataFrame(
        [(declared, model, number) for declared, row in counts.items() for model, number in row.items()],
        columns=["declared_state", "model_state", "hamlets"],
    )


def write_tables(result: RunResult, folder: Path, csv: CsvStyle = "iso") -> None:
    """Write `tables/*.csv` and `tables/tables.xlsx`, without an index.

    csv: "iso" for programs (comma, decimal point, column names with units, state codes) or "vi" for Excel in
    Vietnamese (semicolon, decimal comma, Vietnamese headings and words). Both are UTF-8 with BOM.
    """
    inside = folder / "tables"
    inside.mkdir()
    found = tables(result)
    for name, table in found.items():
        write_csv(table, inside / f"{name}.csv", csv)
    write_workbook(found, inside / "tables.xlsx", result)


def write_csv(table: pd.DataFrame, path: Path, csv: CsvStyle) -> None:
    """One table, without an index; see `write_tables`."""
    shown = guarded(translated(table) if csv == "vi" else table)
    shown.to_csv(
        path,
        index=False,
        encoding="utf-8-sig",
        sep=";" if csv == "vi" else ",",
        decimal="," if csv == "vi" else ".",
        lineterminator="\r\n",
    )


def translated(table: pd.DataFrame) -> pd.DataFrame:
    """Vietnamese headings, and Vietnamese words for states, kinds and yes or no."""
    out = table.copy()
    for column in table.columns:
        if pd.api.types.is_bool_dtype(table[column]):
            out[column] = np.where(table[column].to_numpy(dtype=bool), word("yes"), word("no"))
        elif not pd.api.types.is_numeric_dtype(table[column]) and column in CODED:
            out[column] = [word(value) if isinstance(value, str) else value for value in table[column]]
    return out.rename(columns={column: word(f"col.{column}") for column in table.columns})


# columns whose text is a code of the catalogue; names and ids are never translated
CODED = {
    "declared_state", "model_state", "state_before", "state_after", "status", "kind", "power", "backhaul",
    "electricity_before", "electricity_after", "capacity", "broadband", "why",
}  # fmt: skip


def guarded(table: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front (CSV has no types to say "text")."""
    out = table.copy()
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            out[column] = [
                f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
                for value in table[column]
            ]
    return out


class Titled(Protocol):
    """What a workbook says of itself."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...


def write_workbook(found: Mapping[str, pd.DataFrame], path: Path, result: Titled) -> None:
    """One sheet a table: Vietnamese headings, frozen and filtered; text is always text, never a formula or a link."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": result.name, "comments": result.label, "created": FIXED_TIME})
    styles = {
        "head": book.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E3EEF0", "bottom": 1}
        ),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        **{form: book.add_format({"num_format": form, "valign": "top"}) for form in sorted(set(FORMATS.values()))},
    }
    for name, table in found.items():
        sheet = book.add_worksheet(word(f"sheet.{name}"))
        sheet.hide_gridlines(0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_header(f"&L{header_text(result.name)}&C{header_text(result.label)}&R&A")
        sheet.set_footer("&R&P / &N")
        sheet.freeze_panes(1, 2 if len(table.columns) > 4 else 0)
        if len(table) and name not in ("notes", "summary"):
            sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
        sheet.set_row(0, 32)
        shown = translated(table)
        for number, (column, heading) in enumerate(zip(table.columns, shown.columns, strict=True)):
            form = number_format(column, table[column])
            sheet.set_column(number, number, width(column, table[column], heading))
            sheet.write_string(0, number, heading, styles["head"])
            for row, value in enumerate(shown.iloc[:, number].tolist(), start=1):
                write_cell(sheet, row, number, value, styles.get(form or "text"))
    book.close()


def header_text(text: str) -> str:
    """`&` starts a code in a page header; Excel takes 255 characters."""
    return text.replace("&", "&&")[:80]


def write_cell(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return
    if isinstance(value, str):
        sheet.write_string(row, column, value, style)
    else:
        sheet.write_number(row, column, value, style)


def number_format(column: str, values: pd.Series) -> str | None:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return None
    return next((form for end, form in FORMATS.items() if column.endswith(end)), "#,##0")


def width(column: str, values: pd.Series, heading: str) -> float:
    """Wide enough for most of the column's text, within reason; the heading wraps."""
    if column in WIDTHS:
        return WIDTHS[column]
    if column.endswith(("_vnd", "_vnd_per_year")):
        return 17
    longest = max((len(str(value)) for value in values.head(200)), default=0)
    return float(np.clip(max(longest, max(len(piece) for piece in heading.split())) + 2, NARROW, WIDE))
