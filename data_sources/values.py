"""Cells to values, a whole column at a time; each distinct text is understood once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from phusong.data_sources.faults import Faults
from phusong.data_sources.schema import Column
from phusong.data_sources.vietnamese import date_from_text, fold, number_from_text

_BLANK = pa.array(["", "-", "–", "—", "--", "#N/A", "null", "NULL"], pa.large_string())
_UNKNOWN = frozenset(
    ("?", "na", "n/a", "nan", "none", "khong ro", "chua ro", "khong co so lieu", "kxd", "unknown", "omni", "vo huong")
)
_UNEVEN_SPACE = r"  |[\t\n\r\f\v\x{00a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"
_EXCEL_FAULT = r"^#(REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)$"
_GROUPS = {mark: rf"^[+-]?[1-9]\d{{0,2}}(\{mark}\d{{3}})+$" for mark in ".,"}
_DECIMAL = {mark: rf"^[+-]?\d+\{mark}\d+$" for mark in ".,"}
_KILOVOLTS = re.compile(r"[<>≤≥~]?\s*(\d+(?:[.,]\d+)?)\s*(kv|v)?", re.IGNORECASE)
_HIGHEST_KV = 1_200  # the highest AC voltage in service; a bare number above it is in volts
_BAND = re.compile(r"(?:band|bang)?\s*([bn]?)\s*(\d{1,4})\s*(mhz)?")
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


def read_column(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[Any]:
    """The values of a column: float64 with NaN, or text with None, where unknown; what cannot be read is rejected.

    raw : the cells as they stand in the table
    """
    values = _read_values(column, raw, faults)
    if column.numeric:
        _check_range(column, values, faults)
    if column.required and column.default is None:
        faults.reject(
            np.asarray(pd.isna(values)) & ~faults.rejected_for(column.name),
            column.name,
            f"thiếu {column.vi.lower()} / {column.en} is blank",
            f"điền {column.vi.lower()} / fill in the {column.en}",
        )
    return values


def _read_values(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[Any]:
    match column.type:
        case "number" | "count":
            return _read_numbers(column, raw, faults)
        case "voltage":
            kv = _read_distinct(column, raw, faults, kilovolts, "ví dụ 22, 110kV / e.g. 22, 110kV")
            return kv.astype(np.float64)
        case "date" | "deadline":
            return _read_distinct(column, raw, faults, _calendar(column), "viết dd/mm/yyyy / write dd/mm/yyyy")
        case "choice":
            return _read_choices(column, raw, faults)
        case "operator":
            return _read_operators(column, raw, faults)
        case "code":
            return _read_codes(column, raw, faults)
        case "band":
            return _read_distinct(column, raw, faults, band_name, "ví dụ B3, n78 / e.g. B3, n78")
        case _:
            return _read_text(column, raw, faults)


def kilovolts(text: str) -> float | None:
    """Voltage in kV of "110kV", "<22kV", "35", "220000" (volts) or "110kV;22kV" (the highest), else None."""
    highest: float | None = None
    for part in re.split(r"[;/|+]", text):
        match = _KILOVOLTS.fullmatch(part.strip())
        if not match:
            return None
        value = number_from_text(match[1]) or 0.0
        if (match[2] or "").lower() == "v" or (not match[2] and value > _HIGHEST_KV):
            value /= 1000.0
        highest = max(highest or 0.0, value)
    return highest


def band_name(text: str) -> str | None:
    """3GPP name of "b3", "Band 3", "N78"; a number of three or four digits is MHz and stays a number."""
    match = _BAND.fullmatch(fold(text))
    if not match:
        return None
    letter, digits, mhz = match.groups()
    if not letter and (mhz or len(digits) > 2):
        return digits
    return f"n{digits}" if letter == "n" else f"B{digits}"


def as_text(raw: pd.Series[Any]) -> pa.Array:
    """Cells as text in NFC with single spaces; null where blank. Whole numbers lose their ".0", dates become ISO."""
    words, which = _distinct(raw)
    return words.take(which)


def as_numbers(raw: pd.Series[Any], whole: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Numbers of a column, NaN where blank; which cells are no numbers; which were read as grouped thousands.

    whole : the column counts things: "1.234" is 1234, unless some other cell shows that the point is a decimal mark
    """
    values = np.full(len(raw), np.nan)
    if pd.api.types.is_numeric_dtype(raw.dtype) and not pd.api.types.is_bool_dtype(raw.dtype):
        values = raw.to_numpy(np.float64, copy=True, na_value=np.nan)
        return values, np.zeros(len(raw), bool), np.zeros(len(raw), bool)
    stored = np.zeros(len(raw), bool)
    if raw.dtype == object:
        stored = np.fromiter(
            (isinstance(c, int | float | Decimal) and not isinstance(c, bool) for c in raw), bool, len(raw)
        )
        values[stored] = [_as_float(cell) for cell in raw[stored]]
    unread, grouped = np.zeros(len(raw), bool), np.zeros(len(raw), bool)
    values[~stored], unread[~stored], grouped[~stored] = _numbers_from_text(as_text(raw[~stored]), whole)
    return values, unread, grouped


def _numbers_from_text(text: pa.Array, whole: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    grouped = np.zeros(len(text), bool)
    for mark in ".," if whole else "":
        groups = _mask(pc.match_substring_regex(text, pattern=_GROUPS[mark]))
        decimal = _mask(pc.match_substring_regex(text, pattern=_DECIMAL[mark]))
        if groups.any() and not (decimal & ~groups).any():
            text = pc.if_else(pa.array(groups), pc.replace_substring(text, pattern=mark, replacement=""), text)
            grouped |= groups
    plain = pc.replace_substring_regex(text, pattern=r"^([+-]?\d+),(\d+)$", replacement=r"\1.\2")
    try:
        values = np.array(pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowInvalid:
        values = pd.to_numeric(plain.to_pandas(), errors="coerce").to_numpy(np.float64).copy()
    odd = np.isnan(values) & _mask(pc.is_valid(text))
    unread = np.zeros(len(text), bool)
    if odd.any():
        places = np.flatnonzero(odd)
        encoded = text.take(pa.array(places)).dictionary_encode()
        distinct, which = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
        meant = [number_from_text(word, whole) for word in distinct]
        blank = np.array([fold(word) in _UNKNOWN for word in distinct], bool)
        values[places] = np.array([np.nan if value is None else value for value in meant])[which]
        unread[places] = np.isnan(values[places]) & ~blank[which]
    return values, unread, grouped


def _read_numbers(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[np.float64]:
    values, unread, grouped = as_numbers(raw, whole=column.type == "count")
    faults.reject(
        unread,
        column.name,
        f"{column.vi.lower()} không phải là số / {column.en} is not a number",
        "chỉ ghi số, ví dụ 12 hoặc 12,5 / write digits only, e.g. 12 or 12.5",
    )
    infinite = np.isinf(values)
    faults.reject(
        infinite,
        column.name,
        f"{column.vi.lower()} không hữu hạn / {column.en} is not finite",
        "ghi lại giá trị / write the value again",
    )
    values[infinite] = np.nan
    faults.note(
        grouped,
        column.name,
        "dấu chấm, phẩy được hiểu là ngăn hàng nghìn / points or commas were read as thousands marks",
    )
    return values


def _check_range(column: Column, values: NDArray[np.float64], faults: Faults) -> None:
    outside, usual, english = _beyond(values, column.low, column.high, column.unit)
    mend = f"kiểm tra giá trị và đơn vị {column.unit} / check the value and its unit {column.unit}"
    faults.reject(outside, column.name, f"{column.vi.lower()} phải {usual} / {column.en} must be {english}", mend)
    doubtful, usual, english = _beyond(values, column.doubt_low, column.doubt_high, column.unit)
    faults.warn(
        doubtful,
        column.name,
        f"{column.vi.lower()} thường {usual}; vẫn giữ / {column.en} is usually {english}; kept",
        mend,
    )


def _beyond(
    values: NDArray[np.float64], low: float | None, high: float | None, unit: str
) -> tuple[NDArray[np.bool_], str, str]:
    """Values beyond a range, and the range in words of both languages."""
    low_text, high_text = (f"{edge:.10g} {unit}".strip() if edge is not None else "" for edge in (low, high))
    beyond = (values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high))
    if low is None:
        return beyond, f"không quá {high_text}", f"at most {high_text}"
    if high is None:
        return beyond, f"từ {low_text}", f"at least {low_text}"
    return beyond, f"từ {low_text} đến {high_text}", f"{low_text} to {high_text}"


def _read_text(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[np.object_]:
    text = as_text(raw)
    broken = _mask(pc.match_substring_regex(text, pattern=_EXCEL_FAULT))
    faults.reject(
        broken,
        column.name,
        f"ô {column.vi.lower()} bị lỗi công thức / {column.en} holds an Excel error",
        "sửa công thức / mend the formula",
    )
    return np.asarray(text.to_numpy(zero_copy_only=False), dtype=object)


def _read_distinct(
    column: Column, raw: pd.Series[Any], faults: Faults, read: Callable[[str], Any], mend: str
) -> NDArray[np.object_]:
    """Values by the meaning of each distinct text; a text without one is rejected, an unknown one is None."""
    words, which = _words(raw)
    meant = [read(word) for word in words]
    unread = np.array(
        [value is None and fold(word) not in _UNKNOWN for word, value in zip(words, meant, strict=True)] + [False], bool
    )
    faults.reject(unread[which], column.name, f"không hiểu {column.vi.lower()} / {column.en} is not understood", mend)
    return _pick(meant, which)


def _read_choices(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[np.object_]:
    meaning = {fold(word): choice for choice in column.choices for word in column.words(choice)}
    words, which = _words(raw)
    folded = [fold(word) for word in words]
    meant = [meaning.get(word) for word in folded]
    unknown = [value is None and word not in _UNKNOWN for word, value in zip(folded, meant, strict=True)]
    rows = np.array([*unknown, False], bool)[which]
    if column.other is not None:
        faults.note(rows, column.name, f"được coi là {column.other} / taken for {column.other}")
        meant = [column.other if odd else value for value, odd in zip(meant, unknown, strict=True)]
    elif rows.any():
        first = folded[unknown.index(True)]
        close = get_close_matches(first, meaning, n=1, cutoff=0.5)
        allowed = ", ".join(column.words(choice)[0] for choice in column.choices)
        faults.reject(
            rows,
            column.name,
            f"{column.vi.lower()} không có trong danh mục / {column.en} is not one of the known words",
            f"một trong / one of: {allowed}" + (f"; {column.words(meaning[close[0]])[0]}?" if close else ""),
        )
    values = _pick(meant, which)
    values[pd.isna(values)] = column.default
    return values


def _read_operators(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[np.object_]:
    meaning = {fold(word): name for name in column.choices for word in column.words(name)}
    words, which = _words(raw)
    meant = [None if fold(word) in _UNKNOWN else meaning.get(fold(word), word) for word in words]
    new = np.array([*(value is not None and value not in column.choices for value in meant), False], bool)
    faults.note(
        new[which],
        column.name,
        "nhà mạng chưa biết, giữ nguyên tên / an operator not known here, its name kept as it is",
    )
    return _pick(meant, which)


def _read_codes(column: Column, raw: pd.Series[Any], faults: Faults) -> NDArray[np.object_]:
    words, which = _words(raw)
    codes = [word.zfill(5) if re.fullmatch(r"[0-9]+", word) else word for word in words]
    short = np.array([*(code != word for code, word in zip(codes, words, strict=True)), False], bool)
    faults.note(
        short[which], column.name, "mã được thêm số 0 ở đầu cho đủ 5 chữ số / codes were given back their zeros"
    )
    odd = np.array([*(not re.fullmatch(r"[0-9]{5}", code) for code in codes), False], bool)
    faults.warn(
        odd[which],
        column.name,
        "mã không gồm 5 chữ số, giữ nguyên / a code without five digits, kept",
        "dùng mã xã từ 7/2025 / use the commune codes of July 2025",
    )
    return _pick(codes, which)


def _calendar(column: Column) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        day = date_from_text(text, end_of_period=column.type == "deadline")
        return day if day is not None and _FIRST_YEAR <= int(day[:4]) <= _LAST_YEAR else None

    return read


def _distinct(raw: pd.Series[Any]) -> tuple[pa.Array, pa.Array]:
    """Texts of a column, each distinct cell once and cleaned as `as_text` says, and which of them each cell holds."""
    if isinstance(raw.dtype, pd.StringDtype):
        text = pa.array(raw, pa.large_string(), from_pandas=True)
    else:
        text = pa.array([_cell_text(cell) for cell in raw.astype(object)], pa.large_string())
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    encoded = text.dictionary_encode()
    words = pc.utf8_normalize(encoded.dictionary, form="NFC")
    if pc.any(pc.match_substring_regex(words, pattern=_UNEVEN_SPACE)).as_py():
        words = pc.replace_substring_regex(words, pattern=r"[\s\p{Zs}]+", replacement=" ")
    words = pc.utf8_trim_whitespace(words)
    return pc.if_else(pc.is_in(words, value_set=_BLANK), pa.scalar(None, pa.large_string()), words), encoded.indices


def _words(raw: pd.Series[Any]) -> tuple[list[str], NDArray[np.intp]]:
    """Distinct texts of a column, and which of them each cell holds; -1 where blank."""
    words, which = _distinct(raw)
    kept = np.array(words.is_valid().to_numpy(zero_copy_only=False), bool)
    place = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
    at = pc.fill_null(which, len(words)).to_numpy(zero_copy_only=False)
    return words.drop_null().to_pylist(), place[at]


def _pick(meant: list[Any], which: NDArray[np.intp]) -> NDArray[np.object_]:
    choices = np.empty(len(meant) + 1, object)  # the last, None, is reached by -1
    choices[: len(meant)] = meant
    return choices[which]


def _mask(mask: pa.Array) -> NDArray[np.bool_]:
    return np.array(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), bool)


def _as_float(cell: float | Decimal) -> float:
    try:
        return float(cell)
    except OverflowError:  # an integer of hundreds of digits
        return np.inf


def _cell_text(cell: object) -> str | None:
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return None
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    if isinstance(cell, float | np.floating):
        return None if np.isnan(cell) else f"{cell:.0f}" if float(cell).is_integer() else repr(float(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
