"""A list or layer of any format, read into the columns that the house knows; every fault told, no row lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.data_sources.area import Finding
from phusong.data_sources.checks import check_rows
from phusong.data_sources.errors import FileUnwritable, LayerEmpty
from phusong.data_sources.faults import Faults
from phusong.data_sources.headers import Headers
from phusong.data_sources.raw import RawTable
from phusong.data_sources.schema import EXAMPLE_ID, KINDS, Kind
from phusong.data_sources.shapes import WGS84, read_shapes
from phusong.data_sources.tables import read_table
from phusong.data_sources.values import as_text, read_column


@dataclass(frozen=True, slots=True)
class LayerRead:
    """What came out of a file.

    frame    : accepted rows, the columns of `schema.KINDS` and `geometry`, EPSG:4326; multi-lines one row a part
    rejected : one line a rejected row: file, sheet, row, column, value, what, mend, then its cells as they stood
    findings : every fault once, with its rows; also what was doubted, mended or left aside
    rows     : rows of the file that were judged, accepted or rejected (without examples and rows of column numbers)
    """

    frame: gpd.GeoDataFrame
    rejected: pd.DataFrame
    findings: tuple[Finding, ...]
    rows: int


def read_layer(
    kind: str, path: Path, *, columns: Mapping[str, str] | None = None, layer: str | None = None
) -> LayerRead:
    """Reads one kind of layer (a key of `schema.KINDS`) from GeoPackage, GeoJSON, Parquet, CSV or XLSX.

    columns : canonical name -> title in the file, where the title is not one of those known
    layer   : sheet or layer, where the file has several
    Raises a DataError for what spoils the whole file: LayerEmpty, and those of read_table, Headers and read_shapes;
    what spoils a row is in `rejected`, what is only doubtful in `findings`.
    """
    return read_kind(KINDS[kind], path, columns=columns, layer=layer)


def read_kind(
    described: Kind, path: Path, *, columns: Mapping[str, str] | None = None, layer: str | None = None
) -> LayerRead:
    """`read_layer` for a list that is not among `schema.KINDS`."""
    headers = Headers(described, columns or {})
    table = read_table(path, headers, layer)
    if not len(table.row) and not table.malformed:
        raise _empty(table)
    taken = headers.assign(table.titles, table.where, has_shapes=table.shapes is not None)
    table, notes = _without_furniture(table, described, taken)
    if not len(table.row) and not table.malformed:
        raise _empty(table)
    faults = Faults(table, taken)
    shapes = read_shapes(table, described, taken, faults)
    values: dict[str, NDArray[Any]] = {}
    for column in described.columns:
        raw = table.cells[taken[column.name]] if column.name in taken else None
        values[column.name] = (
            read_column(column, raw, faults)
            if raw is not None
            else _unknown(column.numeric, column.default, len(shapes))
        )
    notes += _make_ids(described, values, taken, table, faults)
    check_rows(described, values, shapes, table.row, faults)
    frame = _assemble(described, values, shapes, ~faults.bad)
    notes += _unused(table, taken)
    if not len(frame):
        notes.append(
            Finding(
                "error",
                "không còn dòng nào dùng được / no row could be used",
                table.where,
                "xem các dòng bị loại / see the rejected rows",
            )
        )
    return LayerRead(frame, faults.rejected(), (*faults.findings(), *notes), len(table.row) + len(table.malformed))


def empty_layer(kind: str) -> gpd.GeoDataFrame:
    """A layer without rows, with the columns and types that `read_layer` gives."""
    values = {column.name: _unknown(column.numeric, None, 0) for column in KINDS[kind].columns}
    return gpd.GeoDataFrame(values, geometry=np.empty(0, object), crs=WGS84)


def write_rejects(read: LayerRead, path: Path) -> None:
    """Writes the rejected rows as CSV in UTF-8 with a byte order mark, for Excel; mended, it can be read as a layer.

    Raises FileUnwritable.
    """
    try:
        read.rejected.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    except OSError as error:
        raise FileUnwritable(
            "không ghi được tệp / the file cannot be written",
            f"{path}: {error.strerror}",
            "đóng tệp ở chương trình khác, kiểm tra thư mục / close it elsewhere, check the folder",
        ) from error


def _without_furniture(table: RawTable, kind: Kind, taken: dict[str, int]) -> tuple[RawTable, list[Finding]]:
    """Without the template's example and the row of column numbers that official forms put under the header."""
    if table.shapes is not None or not len(table.row):
        return table, []
    aside = {"dòng ví dụ / the example row": np.zeros(len(table.row), bool)}
    if kind.id.name in taken:
        ids = as_text(table.cells[taken[kind.id.name]]).to_numpy(zero_copy_only=False)
        aside["dòng ví dụ / the example row"] = ids == EXAMPLE_ID
    numbers = np.zeros(len(table.row), bool)
    numbers[0] = _numbers_columns(table.cells.iloc[0])
    aside["dòng đánh số cột / the row that numbers the columns"] = numbers
    notes = [
        Finding("note", f"bỏ qua {what}", f"{table.where}, dòng / row {table.row[rows.argmax()]}")
        for what, rows in aside.items()
        if rows.any()
    ]
    kept = ~np.logical_or.reduce(list(aside.values()))
    return replace(table, cells=table.cells[kept].reset_index(drop=True), row=table.row[kept]), notes


def _numbers_columns(cells: pd.Series[Any]) -> bool:
    """Whether a row says "1 2 3", "(1) (2) (3)" or "A B 1 2"."""
    texts = [text.strip("() ") for text in as_text(cells).to_pylist() if text is not None]
    numbers = [int(text) for text in texts if re.fullmatch(r"[0-9]{1,2}", text)]
    letters = [text for text in texts if re.fullmatch(r"[A-Z]", text)]
    return (
        len(numbers) >= 3 and len(numbers) + len(letters) == len(texts) and numbers == list(range(1, len(numbers) + 1))
    )


def _make_ids(
    kind: Kind, values: dict[str, NDArray[Any]], taken: dict[str, int], table: RawTable, faults: Faults
) -> list[Finding]:
    """Ids from row numbers where none is asked for and none given."""
    ids = values[kind.id.name]
    blank = pd.isna(ids) & ~faults.bad
    if kind.id.required or not blank.any():
        return []
    ids[blank] = [f"{kind.id.name.removesuffix('_id')}-{row}" for row in table.row[blank]]
    what = f"{blank.sum()} mã được đặt theo số dòng / ids were made up from row numbers"
    return [Finding("note", what, f"{table.where}: {kind.id.name}")]


def _unused(table: RawTable, taken: dict[str, int]) -> list[Finding]:
    unused = [title for place, title in enumerate(table.titles) if title and place not in taken.values()]
    return [Finding("note", f"cột không dùng / columns not used: {', '.join(unused)}", table.where)] if unused else []


def _assemble(
    kind: Kind, values: dict[str, NDArray[Any]], shapes: NDArray[np.object_], kept: NDArray[np.bool_]
) -> gpd.GeoDataFrame:
    geometry, source = shapes[kept], np.flatnonzero(kept)
    if kind.geometry == "line":
        parts, owner = shapely.get_parts(geometry, return_index=True)
        real = shapely.length(parts) > 0.0
        geometry, source = parts[real], source[owner[real]]
    columns = {name: value[source] for name, value in values.items()}
    if kind.repeated_id == "piece":
        ids = pd.Series(columns[kind.id.name], dtype=object)
        copy = ids.groupby(ids, sort=False).cumcount().to_numpy()
        columns[kind.id.name] = np.where(copy > 0, ids + "#" + (copy + 1).astype(str).astype(object), ids)
    columns = {name: pd.Series(value, dtype=value.dtype) for name, value in columns.items()}
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=WGS84)


def _unknown(numeric: bool, default: str | None, count: int) -> NDArray[Any]:
    return np.full(count, np.nan) if numeric else np.full(count, default, object)


def _empty(table: RawTable) -> LayerEmpty:
    return LayerEmpty(
        "không có dòng dữ liệu nào / there is no row of data",
        table.where,
        "kiểm tra tệp, trang, hàng tiêu đề / check the file, the sheet and the header row",
    )
