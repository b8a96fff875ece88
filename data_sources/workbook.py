"""XLSX from strangers: read row by row within limits, so that a workbook that lies about its size does no harm."""

from __future__ import annotations

import re
import warnings
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import load_workbook

from phusong.data_sources.errors import FileTooLarge, FileUnreadable
from phusong.data_sources.headers import HEADER_SEARCH_ROWS, Header, Headers
from phusong.data_sources.raw import RawTable, choose

_MAX_ROWS = 1_048_576  # Excel's own limit; a row number beyond it is a lie
_MAX_COLUMNS = 256
_MAX_UNPACKED_BYTES = 1 << 30  # a sheet of a million full rows stays below
_MAX_SHARED_BYTES = 128 << 20  # parts that the library holds in memory whole
_MAX_ROW_BYTES = 8 << 20  # the parser holds a whole row; 16,384 cells stay below
_ENTITY = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_PROLOGUE_BYTES = 1 << 16


def read_workbook(path: Path, headers: Headers, layer: str | None) -> RawTable:
    """One visible sheet as a table of cells: text, numbers, dates and truth values as Excel stored them.

    layer : the sheet; without it the only sheet that holds all required columns
    Raises FileTooLarge, FileUnreadable, LayerUnclear.
    """
    _check_archive(path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="openpyxl")  # about styles and drop-downs, which are not read
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            seen = [title for title, sheet in sheets.items() if sheet.sheet_state == "visible"]
            found = {title: _header(sheets[title], headers) for title in seen}
            complete = [title for title in seen if headers.complete(found[title].found)]
            fullest = sorted(seen, key=lambda title: -len(found[title].found))[:1]
            title = choose(layer, list(sheets), complete or fullest, path)
            header = found.get(title) or _header(sheets[title], headers)
            return _read_sheet(path, sheets[title], header)
        finally:
            book.close()


def _read_sheet(path: Path, sheet: Any, header: Header) -> RawTable:
    width = len(header.titles)
    rows: list[tuple[object, ...]] = []
    numbers: list[int] = []
    first = header.index + 2
    for number, cells in enumerate(_rows(sheet, first, _MAX_ROWS, max(width, 1)), start=first):
        if any(cell is not None and cell != "" and not (isinstance(cell, str) and cell.isspace()) for cell in cells):
            rows.append(cells)
            numbers.append(number)
    cells = pd.DataFrame(rows, columns=range(max(width, 1)), dtype=object)
    return RawTable(path, sheet.title, header.titles, cells.iloc[:, :width], np.array(numbers, np.int64))


def _header(sheet: Any, headers: Headers) -> Header:
    rows = [list(row) for row in islice(_rows(sheet, 1, HEADER_SEARCH_ROWS, _MAX_COLUMNS), HEADER_SEARCH_ROWS)]
    found = headers.find(rows)
    width = max((place + 1 for place, title in enumerate(found.titles) if title), default=0)
    return Header(found.index, found.titles[:width], found.found)


def _rows(sheet: Any, first: int, last: int, width: int) -> Any:
    """Rows of a sheet as tuples of values; what the sheet claims about its own size is never asked."""
    sheet.reset_dimensions()
    return sheet.iter_rows(min_row=first, max_row=last, max_col=width, values_only=True)


def _check_archive(path: Path) -> None:
    """Looks at every part before it is parsed; zipfile never unpacks more than a part declares."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        shared = sum(part.file_size for part in parts if "/worksheets/" not in part.filename)
        endless = any(_has_endless_row(archive, part) for part in parts if "/worksheets/" in part.filename)
        if unpacked > _MAX_UNPACKED_BYTES or shared > _MAX_SHARED_BYTES or endless:
            raise FileTooLarge(
                f"bảng tính bung ra {unpacked / 1e6:.0f} MB / the workbook unpacks to {unpacked / 1e6:.0f} MB",
                str(path),
                "lưu thành CSV UTF-8 / save it as CSV UTF-8",
            )
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as content:
                    if _ENTITY.search(content.read(_PROLOGUE_BYTES)):
                        raise FileUnreadable(
                            "bảng tính chứa khai báo XML lạ / the workbook holds XML that Excel never writes",
                            f"{path}: {part.filename}",
                            "mở bằng Excel rồi lưu lại / open it in Excel and save it anew",
                        )


def _has_endless_row(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    if part.file_size <= _MAX_ROW_BYTES or part.file_size > _MAX_UNPACKED_BYTES:
        return False
    with archive.open(part) as content:
        while piece := content.read(_MAX_ROW_BYTES):
            if len(piece) == _MAX_ROW_BYTES and b"<row" not in piece and b":row" not in piece:
                return True
    return False
