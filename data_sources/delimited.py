"""CSV as provinces send it: with or without BOM, comma, semicolon or tab, a title above the header, rows cut short."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from phusong.data_sources.errors import EncodingUnknown
from phusong.data_sources.headers import HEADER_SEARCH_ROWS, Header, Headers
from phusong.data_sources.raw import RawTable

_SAMPLE_BYTES = 1 << 18
_BLOCK_BYTES = 1 << 24  # no row may be longer
_DELIMITERS = (";", "\t", ",", "|")


def read_delimited(path: Path, headers: Headers) -> RawTable:
    """A CSV as a table of text. Rows with fewer cells end in blanks; rows with more are malformed, never dropped.

    Raises EncodingUnknown where the file is neither UTF-8 nor marked UTF-16.
    """
    with path.open("rb") as opened:
        file = _as_utf8(opened, path)
        start = file.tell()
        delimiter, header = _sniff(file.read(_SAMPLE_BYTES).decode("utf-8", errors="replace"), headers)
        file.seek(start)
        records = csv.reader(_lines(file), delimiter=delimiter)
        for _ in range(header.index + 1):
            next(records, None)
        cells, number, malformed = _read_body(file, delimiter, len(header.titles))
    above = header.index + 1
    return RawTable(
        path,
        "",
        header.titles,
        cells,
        number + above,
        malformed=tuple((row + above, text) for row, text in sorted(malformed)),
    )


def _as_utf8(file: BinaryIO, path: Path) -> BinaryIO:
    """The file after its byte order mark; UTF-16, which Excel calls Unicode text, is turned into UTF-8."""
    head = file.read(3)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        file.seek(0)
        return io.BytesIO(file.read().decode("utf-16").encode("utf-8"))
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(_BLOCK_BYTES):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    file.seek(3 if head == codecs.BOM_UTF8 else 0)
    return file


def _sniff(sample: str, headers: Headers) -> tuple[str, Header]:
    """The delimiter under which the header names most columns, then the one that gives most of them."""
    best: tuple[tuple[int, int], str, Header] | None = None
    for delimiter in _DELIMITERS:
        rows: list[list[str]] = []
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) == HEADER_SEARCH_ROWS:
                break
        header = headers.find(rows)
        score = (len(header.found), len(header.titles))
        if best is None or score > best[0]:
            best = (score, delimiter, header)
    assert best is not None
    return best[1], best[2]


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines of the file; unlike a text wrapper it leaves the file just after the last line taken."""
    while line := file.readline():
        yield line.decode("utf-8")


def _read_body(
    file: BinaryIO, delimiter: str, width: int
) -> tuple[pd.DataFrame, NDArray[np.int64], list[tuple[int, str]]]:
    """Cells, record numbers from 1, and malformed records of all that follows the header."""
    odd: list[tuple[int, str]] = []

    def set_aside(row: arrow_csv.InvalidRow) -> str:
        odd.append((cast(int, row.number), row.text))
        return "skip"

    names = [str(place) for place in range(width)]
    if not file.read(1):
        return pd.DataFrame(columns=range(width), dtype="str"), np.empty(0, np.int64), []
    file.seek(-1, io.SEEK_CUR)
    table = arrow_csv.read_csv(
        file,
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    number = np.delete(np.arange(1, table.num_rows + len(odd) + 1), [row - 1 for row, _ in odd])
    cells = table.to_pandas().set_axis(range(width), axis="columns")
    mended, malformed = _mend(odd, delimiter, width)
    if mended:
        more = pd.DataFrame(list(mended.values()), columns=range(width), dtype="str")
        number = np.concatenate([number, np.fromiter(mended, np.int64)])
        order = np.argsort(number, kind="stable")
        cells, number = pd.concat([cells, more], ignore_index=True).iloc[order], number[order]
    swallowed = _swallowed_rows(cells, delimiter)
    malformed += [
        (int(row), delimiter.join(texts))
        for row, texts in zip(number[swallowed], cells[swallowed].to_numpy(), strict=True)
    ]
    kept = ~swallowed & ~_blank_rows(cells)
    return cells[kept].reset_index(drop=True), number[kept], malformed


def _mend(odd: list[tuple[int, str]], delimiter: str, width: int) -> tuple[dict[int, list[str]], list[tuple[int, str]]]:
    """Rows of another width: those that only lack, or only add, blank cells at their end are good."""
    mended: dict[int, list[str]] = {}
    malformed: list[tuple[int, str]] = []
    for number, text in odd:
        if "\n" in text or "\r" in text or text.count('"') % 2:  # a quotation mark that was never closed
            malformed.append((number, text))
            continue
        row = next(csv.reader([text], delimiter=delimiter), [])
        if any(cell.strip() for cell in row[width:]):
            malformed.append((number, text))
        else:
            mended[number] = (row + [""] * width)[:width]
    return mended, malformed


def _blank_rows(cells: pd.DataFrame) -> NDArray[np.bool_]:
    blank = np.ones(len(cells), bool)
    for place in cells.columns:  # each column is looked at only where all before it were blank
        (left,) = np.nonzero(blank)
        blank[left] = (cells[place].iloc[left].fillna("").str.strip() == "").to_numpy(bool)
    return blank


def _swallowed_rows(cells: pd.DataFrame, delimiter: str) -> NDArray[np.bool_]:
    """Rows with a whole line within one cell: a quotation mark was opened, and closed only rows later."""
    swallowed = np.zeros(len(cells), bool)
    for place in cells.columns:
        (several,) = np.nonzero(cells[place].str.contains("\n", regex=False).to_numpy(bool))
        marks = cells[place].iloc[several].str.count(re.escape(delimiter))
        swallowed[several] |= (marks >= len(cells.columns) - 1).to_numpy(bool)
    return swallowed


def _not_utf8(path: Path) -> EncodingUnknown:
    line = 1
    with path.open("rb") as file:
        for content in file:
            try:
                content.decode("utf-8")
            except UnicodeDecodeError:
                break
            line += 1
    return EncodingUnknown(
        "tệp không phải UTF-8 / the file is not UTF-8",
        f"{path}, dòng / line {line}",
        'trong Excel chọn lưu kiểu "CSV UTF-8" / in Excel save it as "CSV UTF-8"',
    )
