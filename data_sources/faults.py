"""What is wrong with the rows of a table: gathered, told once a kind, and listed row by row for mending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from openpyxl.utils import get_column_letter

from phusong.data_sources.area import Finding
from phusong.data_sources.raw import RawTable

_OWN_COLUMNS = ("file", "sheet", "row", "column", "value", "what", "mend")
_ROWS_TOLD, _VALUES_TOLD, _VALUE_LENGTH = 10, 3, 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one column of several rows.

    at     : positions of the rows in the table
    detail : what it is in each row, where that differs from `what`
    """

    level: Literal["rejected", "warning", "note"]
    column: str
    what: str
    mend: str
    at: NDArray[np.intp]
    detail: NDArray[np.object_] | None


class Faults:
    """Gathers the faults of one table; `bad` marks its rejected rows.

    taken : canonical name -> place of its column in the table
    """

    def __init__(self, table: RawTable, taken: Mapping[str, int]) -> None:
        self._table = table
        self._taken = taken
        self._faults: list[Fault] = []
        self.bad: NDArray[np.bool_] = np.zeros(len(table.row), bool)

    def reject(
        self, rows: NDArray[np.bool_], column: str, what: str, mend: str, detail: NDArray[np.object_] | None = None
    ) -> None:
        """Leaves rows out. detail: text for each rejected row, in order."""
        if rows.any():
            self._faults.append(Fault("rejected", column, what, mend, np.flatnonzero(rows), detail))
            self.bad |= rows

    def rejected_for(self, column: str) -> NDArray[np.bool_]:
        """Rows that a column has already had rejected."""
        rows = np.zeros(len(self.bad), bool)
        for fault in self._faults:
            if fault.level == "rejected" and fault.column == column:
                rows[fault.at] = True
        return rows

    def warn(self, rows: NDArray[np.bool_], column: str, what: str, mend: str) -> None:
        """Keeps rows, doubting them; rows already left out are not spoken of."""
        self._keep("warning", rows, column, what, mend)

    def note(self, rows: NDArray[np.bool_], column: str, what: str, mend: str = "") -> None:
        """Says what was done with rows that are kept."""
        self._keep("note", rows, column, what, mend)

    def _keep(
        self, level: Literal["warning", "note"], rows: NDArray[np.bool_], column: str, what: str, mend: str
    ) -> None:
        at = np.flatnonzero(rows & ~self.bad)
        if len(at):
            self._faults.append(Fault(level, column, what, mend, at, None))

    def findings(self) -> tuple[Finding, ...]:
        """One finding a fault, however many rows have it."""
        told = [Finding(fault.level, fault.what, self._where(fault), fault.mend) for fault in self._faults]
        if malformed := self._table.malformed:
            rows = _some([row for row, _ in malformed], len(malformed))
            told.append(Finding("rejected", *_malformed(f"{self._table.where}, dòng / row {rows}")))
        return tuple(told)

    def rejected(self) -> pd.DataFrame:
        """One line a rejected row, in the order of the file: where, what, mend, then its cells as they stood."""
        left_out = [fault for fault in self._faults if fault.level == "rejected"]
        lines = pd.concat(
            [self._lines(fault) for fault in left_out]
            or [pd.DataFrame(columns=["at", *_OWN_COLUMNS[3:]], dtype=object)]
        )
        if lines["at"].duplicated().any():
            lines = lines.groupby("at", sort=False).agg("; ".join).reset_index()
        at = lines["at"].to_numpy(np.intp)
        cells = self._table.cells.iloc[at].reset_index(drop=True).set_axis(self._titles(), axis="columns")
        if self._table.shapes is not None:
            cells["wkt"] = shapely.to_wkt(self._table.shapes[at], rounding_precision=-1)
        table = pd.concat([lines.drop(columns="at").reset_index(drop=True), cells], axis="columns")
        table.insert(0, "row", self._table.row[at])
        if malformed := self._table.malformed:
            what, _, mend = _malformed("")
            texts = {"row": [row for row, _ in malformed], "value": [text for _, text in malformed]}
            table = pd.concat([table, pd.DataFrame({**texts, "column": "", "what": what, "mend": mend})])
        table.insert(0, "sheet", self._table.sheet)
        table.insert(0, "file", self._table.path.name)
        return table.sort_values("row", kind="stable", ignore_index=True)

    def _lines(self, fault: Fault) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "at": fault.at,
                "column": self._title(fault.column),
                "value": self._values(fault),
                "what": fault.what if fault.detail is None else fault.detail,
                "mend": fault.mend,
            },
            dtype=object,
        )

    def _title(self, column: str) -> str:
        place = self._taken.get(column)
        return (self._table.titles[place] if place is not None else "") or column

    def _values(self, fault: Fault) -> list[str]:
        if fault.column not in self._taken:
            return [""] * len(fault.at)
        cells = self._table.cells.iloc[fault.at, self._taken[fault.column]]
        return ["" if missing else str(cell) for cell, missing in zip(cells, cells.isna(), strict=True)]

    def _where(self, fault: Fault) -> str:
        rows = _some(self._table.row[fault.at[:_ROWS_TOLD]].tolist(), len(fault.at))
        where = f"{self._table.where}, dòng / row {rows}"
        if fault.column:
            where += f', cột / column "{self._title(fault.column)}"'
        first = Fault(fault.level, fault.column, "", "", fault.at[: 10 * _VALUES_TOLD], None)
        values = [value for value in dict.fromkeys(self._values(first)) if value][:_VALUES_TOLD]
        told = ", ".join(
            f'"{value[:_VALUE_LENGTH]}…"' if len(value) > _VALUE_LENGTH else f'"{value}"' for value in values
        )
        return f"{where}: {told}" if told else where

    def _titles(self) -> list[str]:
        """Titles that tell every column apart, also from ours; a blank one takes the letter of its column."""
        unique: list[str] = []
        seen = {*_OWN_COLUMNS, "wkt"}
        for place, title in enumerate(self._table.titles, start=1):
            name, copy = title or f"({get_column_letter(place)})", 1
            while name in seen:
                copy += 1
                name = f"{title} ({copy})"
            seen.add(name)
            unique.append(name)
        return unique


def _some(rows: list[int], count: int) -> str:
    told = ", ".join(str(row) for row in rows[:_ROWS_TOLD])
    return told if count <= _ROWS_TOLD else f"{told} … ({count})"


def _malformed(where: str) -> tuple[str, str, str]:
    return (
        "số ô không khớp hàng tiêu đề / the row has more cells than the header, or a quotation mark is not closed",
        where,
        'đặt giá trị có dấu phân cách, cả dấu phẩy thập phân, trong "…" / put values that hold the delimiter, '
        "decimal commas too, between quotation marks",
    )
