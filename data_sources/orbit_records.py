"""Element sets as their lines or records say them, each field checked before it is believed."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

EPOCH_ZERO = datetime(1949, 12, 31, tzinfo=UTC)
FIRST_YEAR = 1957  # two digits of the year: 57 is 1957, 56 is 2056
SET_LENGTH, CHECKSUM_AT = 69, 68
_MOST_TEXT = 80
_SHORTEST = 24  # of a line of elements, however cut; shorter ones that begin with 1 or 2 are names
_REPLACE = "tải lại tệp / download the file again"


@dataclass(frozen=True, slots=True)
class Elements:
    """Mean elements of one satellite; units as in `data_sources.orbits.OrbitFile`."""

    line: int
    name: str
    catalog_number: int
    epoch_days: float
    mean_motion_rev_day: float
    mean_motion_dot_rev_day2: float
    eccentricity: float
    inclination_deg: float
    node_deg: float
    perigee_deg: float
    anomaly_deg: float
    drag_per_earth_radius: float


@dataclass(frozen=True, slots=True)
class OrbitFault:
    """Why something was left out; `satellite` is the same for all faults of one satellite."""

    satellite: int
    line: int
    name: str
    column: str
    text: str
    what: str
    mend: str


@dataclass(slots=True)
class Records:
    """What a file holds. lines: those that say something, so that none is lost without a fault."""

    elements: list[Elements] = field(default_factory=list)
    faults: list[OrbitFault] = field(default_factory=list)
    lines: int = 0


class _Unreadable(Exception):
    """A field that says nothing of its kind; told as a fault of its satellite, never seen outside."""


def two_line_records(text: str) -> Records:
    """Every pair of lines 1 and 2, with the line before as name where there is one.

    Passed over: blank lines, lines from #, text behind column 69, "0 " before a name.
    """
    records = Records()
    name: tuple[int, str] | None = None
    first: tuple[int, str] | None = None
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        line = raw.rstrip()
        if not line or line.startswith("#"):
            continue
        records.lines += 1
        kind = line[:2] if line[:2] in ("1 ", "2 ") and len(line) > _SHORTEST else "name"
        if kind == "2 " and first is not None:
            _take_pair(records, name, first, (number, line))
            name = first = None
        elif kind == "2 ":
            _tell_alone(records, name, (number, line), "1")
            name = None
        elif kind == "1 ":
            if first is not None:
                _tell_alone(records, name, first, "2")
                name = None
            first = (number, line)
        else:
            _tell_left(records, name, first)
            name, first = (number, line.removeprefix("0 ").strip()), None
    _tell_left(records, name, first)
    return records


def _tell_left(records: Records, name: tuple[int, str] | None, first: tuple[int, str] | None) -> None:
    """A line 1, or else a name, after which no elements came."""
    if first is not None:
        _tell_alone(records, name, first, "2")
    elif name is not None:
        what = "dòng không phải phần tử, hoặc tên không có phần tử / no line of elements, or a name without elements"
        records.faults.append(OrbitFault(name[0], name[0], name[1], "", name[1][:_MOST_TEXT], what, _REPLACE))


def _tell_alone(records: Records, name: tuple[int, str] | None, line: tuple[int, str], other: str) -> None:
    what = f"thiếu dòng {other} của bộ phần tử / line {other} of the element set is missing"
    said = name[1] if name else ""
    records.faults.append(OrbitFault(line[0], line[0], said, "", line[1][:_MOST_TEXT], what, _REPLACE))


def _take_pair(records: Records, name: tuple[int, str] | None, first: tuple[int, str], second: tuple[int, str]) -> None:
    said = name[1] if name else ""
    satellite = first[0]

    def fault(line: tuple[int, str], column: str, text: str, what: str, mend: str = _REPLACE) -> None:
        records.faults.append(OrbitFault(satellite, line[0], said, column, text[:_MOST_TEXT], what, mend))

    before = len(records.faults)
    for held in (first, second):
        if what := _line_fault(held[1]):
            fault(held, "", held[1], what)
    if first[1][2:7] != second[1][2:7]:
        fault(second, "catalog number", second[1][2:7], "dòng 1 và dòng 2 của hai vệ tinh / lines of two satellites")
    values: dict[str, float] = {}
    for column, line, start, end, convert in _FIELDS:
        held = (first, second)[line - 1]
        try:
            values[column] = convert(held[1][start:end])
        except _Unreadable:
            fault(held, column, held[1][start:end], f"không đọc được {column} / {column} cannot be read")
    for column, text in _out_of_range(values):
        fault((first, second)[_LINE_OF[column] - 1], column, text, _beyond(column))
    if len(records.faults) == before:
        catalog_number = int(values.pop("catalog number"))
        records.elements.append(_elements(satellite, said or str(catalog_number), catalog_number, values))


def _line_fault(line: str) -> str | None:
    if not line.isascii():
        return "có ký tự lạ / it holds characters that no element set has"
    if len(line) <= CHECKSUM_AT:
        return f"dòng bị cắt, thiếu chữ số kiểm tra ở cột {SET_LENGTH} / the line is cut short of its checksum"
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:CHECKSUM_AT]) % 10
    if line[CHECKSUM_AT] != str(total):
        return f"sai chữ số kiểm tra: cần {total} / wrong checksum at column {SET_LENGTH}: {total} is the line's own"
    return None


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text.strip()):
        raise _Unreadable
    return float(text)


def _fraction(text: str) -> float:
    """Digits behind a point that is not written."""
    digits = text.replace(" ", "0")
    if not digits.isdigit():
        raise _Unreadable
    return float("0." + digits)


def _scaled(text: str) -> float:
    """sddddd+d: a fraction and a power of ten."""
    found = re.fullmatch(r"([+-]?)(\d{5})([+-]\d)", text.strip())
    if not found:
        raise _Unreadable
    sign, digits, power = found.groups()
    return float(f"{sign}0.{digits}e{power}")


def _epoch(text: str) -> float:
    """yyddd.dddddddd, day 1 the first of January; blanks are zeros."""
    found = re.fullmatch(r"(\d\d)(\d{3}\.\d*)", text.strip().replace(" ", "0"))
    if not found or not 1.0 <= float(found[2]) < 367.0:
        raise _Unreadable
    year = int(found[1]) + (1900 if int(found[1]) >= FIRST_YEAR % 100 else 2000)
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH_ZERO).days + float(found[2]) - 1.0


def _catalog(text: str) -> float:
    """Five digits, or "Alpha-5": a letter other than I and O stands for 10 to 33 (Space-Track)."""
    first = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ".find(text[0]) if text else -1
    rest = text[1:].replace(" ", "0")
    if text.strip().isdigit():
        return float(text)
    if first < 0 or not rest.isdigit():
        raise _Unreadable
    return first * 10_000.0 + float(rest)


_FIELDS = (  # column, line, first and last place, how it is written
    ("catalog number", 1, 2, 7, _catalog),
    ("epoch", 1, 18, 32, _epoch),
    ("mean motion dot", 1, 33, 43, _number),
    ("drag term", 1, 53, 61, _scaled),
    ("inclination", 2, 8, 16, _number),
    ("node", 2, 17, 25, _number),
    ("eccentricity", 2, 26, 33, _fraction),
    ("perigee", 2, 34, 42, _number),
    ("anomaly", 2, 43, 51, _number),
    ("mean motion", 2, 52, 63, _number),
)
_LINE_OF = {column: line for column, line, *_ in _FIELDS}
_RANGE = {  # lowest, highest
    "inclination": (0.0, 180.0),
    "node": (-360.0, 360.0),
    "perigee": (-360.0, 360.0),
    "anomaly": (-360.0, 360.0),
    "eccentricity": (0.0, 0.999_999_9),
    "mean motion": (1e-3, 18.0),  # 18 a day is inside the Earth
    "drag term": (-10.0, 10.0),
}


def _out_of_range(values: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    for column, (lowest, highest) in _RANGE.items():
        if column in values and not lowest <= values[column] <= highest:
            yield column, f"{values[column]:g}"


def _beyond(column: str) -> str:
    lowest, highest = _RANGE[column]
    return f"{column} ngoài khoảng {lowest:g} .. {highest:g} / {column} outside {lowest:g} .. {highest:g}"


def _elements(line: int, name: str, catalog_number: int, values: Mapping[str, float]) -> Elements:
    return Elements(
        line=line,
        name=name,
        catalog_number=catalog_number,
        epoch_days=values["epoch"],
        mean_motion_rev_day=values["mean motion"],
        mean_motion_dot_rev_day2=values["mean motion dot"],
        eccentricity=values["eccentricity"],
        inclination_deg=values["inclination"],
        node_deg=values["node"],
        perigee_deg=values["perigee"],
        anomaly_deg=values["anomaly"],
        drag_per_earth_radius=values["drag term"],
    )


_OMM = {
    "epoch": "EPOCH",
    "mean motion": "MEAN_MOTION",
    "eccentricity": "ECCENTRICITY",
    "inclination": "INCLINATION",
    "node": "RA_OF_ASC_NODE",
    "perigee": "ARG_OF_PERICENTER",
    "anomaly": "MEAN_ANOMALY",
    "drag term": "BSTAR",
    "mean motion dot": "MEAN_MOTION_DOT",
    "catalog number": "NORAD_CAT_ID",
}


def omm_records(text: str) -> Records:
    """Records of OMM in JSON (an array, or one object) or CSV; keywords in any case, others passed over."""
    records = Records()
    for number, record in _json_records(text, records) if text.lstrip()[:1] in ("[", "{") else _csv_records(text):
        records.lines += 1
        if not isinstance(record, dict):
            what = "bản ghi không phải OMM / the record is no OMM"
            records.faults.append(OrbitFault(number, number, "", "", str(record)[:_MOST_TEXT], what, _REPLACE))
            continue
        _take_record(records, number, {str(key).strip().upper(): value for key, value in record.items()})
    return records


def _json_records(text: str, records: Records) -> Iterator[tuple[int, Any]]:
    try:
        held = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        what = "JSON hỏng hoặc bị cắt / the JSON is damaged or cut short"
        records.faults.append(OrbitFault(line, line, "", "", str(error)[:_MOST_TEXT], what, _REPLACE))
        return
    yield from enumerate(held if isinstance(held, list) else [held], start=1)


def _csv_records(text: str) -> Iterator[tuple[int, Any]]:
    header = text.lstrip().split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text.lstrip()), delimiter=";" if header.count(";") > header.count(",") else ",")
    for record in reader:
        yield reader.line_num, {key: value for key, value in record.items() if key is not None}


def _take_record(records: Records, number: int, record: Mapping[str, Any]) -> None:
    name = str(record.get("OBJECT_NAME") or "").strip()
    before = len(records.faults)
    values: dict[str, float] = {}
    for column, key in _OMM.items():
        said = record.get(key)
        try:
            values[column] = _iso_epoch(said) if column == "epoch" else _omm_number(said)
        except _Unreadable:
            what = f"không đọc được {key} / {key} is missing or cannot be read"
            records.faults.append(OrbitFault(number, number, name, key, str(said)[:_MOST_TEXT], what, _REPLACE))
    for column, text in _out_of_range(values):
        records.faults.append(OrbitFault(number, number, name, _OMM[column], text, _beyond(column), _REPLACE))
    theory = str(record.get("MEAN_ELEMENT_THEORY") or "SGP4").strip().upper()
    if theory not in ("SGP4", "SGP/SGP4"):
        what = "phần tử không theo SGP4 / the elements are not SGP4's"
        records.faults.append(
            OrbitFault(
                number, number, name, "MEAN_ELEMENT_THEORY", theory, what, "lấy phần tử SGP4 / get SGP4 elements"
            )
        )
    if len(records.faults) == before:
        catalog_number = int(values.pop("catalog number"))
        records.elements.append(_elements(number, name or str(catalog_number), catalog_number, values))


def _omm_number(said: Any) -> float:
    if isinstance(said, bool) or said is None:
        raise _Unreadable
    try:
        value = float(str(said).strip())
    except ValueError:
        raise _Unreadable from None
    if not isfinite(value):
        raise _Unreadable
    return value


def _iso_epoch(said: Any) -> float:
    """ISO 8601 without or with Z; more than six decimals are kept."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d*)?Z?", str(said).strip())
    if not found:
        raise _Unreadable
    try:
        whole = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        raise _Unreadable from None
    seconds = float("0" + (found[2] or ".0") + "0")
    return (whole - EPOCH_ZERO) / timedelta(days=1) + seconds / 86400.0
