"""Satellites' mean elements from files: two-line element sets (with or without names), and OMM as JSON or CSV.

Two-line sets keep to fixed columns; each line ends in a checksum (CelesTrak, "NORAD Two-Line Element Set Format"). OMM
(CCSDS 502.0) is read as CelesTrak and Space-Track serve it. The kind is told by the content, not by the file's name. A
satellite with any fault is left out and every fault listed with its line; the rest is read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.data_sources.area import Finding
from phusong.data_sources.errors import FileMissing, FileTooLarge, FileUnreadable
from phusong.data_sources.orbit_records import EPOCH_ZERO, Elements, OrbitFault, omm_records, two_line_records

OLDEST_DAYS = 14.0  # beyond, where a satellite stands in its orbit is no longer known (assumption: weeks, not months)
_MOST_BYTES = 256 << 20  # every object in orbit is about 25 MB of OMM
_ROWS_TOLD = 10
_COLUMNS = ("file", "line", "name", "column", "text", "what", "mend")


@dataclass(frozen=True, slots=True, eq=False)
class OrbitFile:
    """The satellites of one file, each the newest of its element sets.

    name, catalog_number        : (N,) as written; the number where no name is given
    epoch_days                  : (N,) days since 1949-12-31 00:00 UTC, as `sgp4` counts
    mean_motion_rev_day         : (N,) Kozai's, as in the file
    mean_motion_dot_rev_day2    : (N,) half its rate of change, as in the file
    eccentricity, inclination_deg, node_deg, perigee_deg, anomaly_deg, drag_per_earth_radius (B*): (N,)
    line                        : (N,) of the file: of line 1, of the CSV row, or the JSON record's number
    rejected                    : one row a fault: file, line, name, column, text, what, mend
    satellites_rejected, lines  : satellites left out; lines or records of the file that say something
    """

    path: Path
    name: NDArray[np.str_]
    catalog_number: NDArray[np.int64]
    epoch_days: NDArray[np.float64]
    mean_motion_rev_day: NDArray[np.float64]
    mean_motion_dot_rev_day2: NDArray[np.float64]
    eccentricity: NDArray[np.float64]
    inclination_deg: NDArray[np.float64]
    node_deg: NDArray[np.float64]
    perigee_deg: NDArray[np.float64]
    anomaly_deg: NDArray[np.float64]
    drag_per_earth_radius: NDArray[np.float64]
    line: NDArray[np.int64]
    rejected: pd.DataFrame
    satellites_rejected: int
    lines: int
    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        return len(self.epoch_days)

    @property
    def epoch(self) -> datetime:
        """Middle of the satellites' epochs, UTC."""
        return EPOCH_ZERO + timedelta(days=float(np.median(self.epoch_days)))


def read_orbits(path: Path) -> OrbitFile:
    """The satellites of a file of element sets.

    Raises FileMissing, FileTooLarge; FileUnreadable where no satellite can be read, with the first faults.
    """
    text = _text(path)
    records = omm_records(text) if _is_omm(text) else two_line_records(text)
    sets, faults = records.elements, list(records.faults)
    newest = _newest(sets, faults)
    rejected = pd.DataFrame(
        [(path.name, f.line, f.name, f.column, f.text, f.what, f.mend) for f in sorted(faults, key=lambda f: f.line)],
        columns=list(_COLUMNS),
    )
    if not newest:
        told = "; ".join(f"{fault.what} ({fault.line})" for fault in faults[:3])
        raise FileUnreadable(
            "không có bộ phần tử quỹ đạo nào đọc được / no element set can be read" + (f": {told}" if told else ""),
            str(path),
            "tải lại TLE hoặc OMM (CSV, JSON) / download TLE or OMM as CSV or JSON again",
        )
    return OrbitFile(
        path=path,
        name=np.array([one.name for one in newest], np.str_),
        catalog_number=np.array([one.catalog_number for one in newest], np.int64),
        epoch_days=np.array([one.epoch_days for one in newest]),
        mean_motion_rev_day=np.array([one.mean_motion_rev_day for one in newest]),
        mean_motion_dot_rev_day2=np.array([one.mean_motion_dot_rev_day2 for one in newest]),
        eccentricity=np.array([one.eccentricity for one in newest]),
        inclination_deg=np.array([one.inclination_deg for one in newest]),
        node_deg=np.array([one.node_deg for one in newest]),
        perigee_deg=np.array([one.perigee_deg for one in newest]),
        anomaly_deg=np.array([one.anomaly_deg for one in newest]),
        drag_per_earth_radius=np.array([one.drag_per_earth_radius for one in newest]),
        line=np.array([one.line for one in newest], np.int64),
        rejected=rejected,
        satellites_rejected=len({fault.satellite for fault in faults}),
        lines=records.lines,
        findings=tuple(_findings(path, faults)),
    )


def age_finding(orbits: OrbitFile, plan_date: date) -> Finding | None:
    """A warning where the plan's date lies more than OLDEST_DAYS from the middle of the elements' epochs."""
    days = abs((plan_date - orbits.epoch.date()).days)
    if days <= OLDEST_DAYS:
        return None
    return Finding(
        "warning",
        f"phần tử quỹ đạo của ngày {orbits.epoch:%Y-%m-%d}, cách ngày quy hoạch {days} ngày; chòm vệ tinh được tính"
        f" tại ngày của phần tử / the elements are {days} days from the plan's date; the constellation is simulated"
        " at the elements' own epoch",
        str(orbits.path),
        "tải phần tử mới từ CelesTrak / download current elements from CelesTrak",
    )


def _text(path: Path) -> str:
    if not path.is_file():
        raise FileMissing(
            "không có tệp quỹ đạo / there is no such file of orbits", str(path), "kiểm tra đường dẫn / check the path"
        )
    if path.stat().st_size > _MOST_BYTES:
        raise FileTooLarge(
            f"tệp quỹ đạo lớn hơn {_MOST_BYTES >> 20} MB / a file of orbits of more than {_MOST_BYTES >> 20} MB",
            str(path),
            "kiểm tra có phải tệp TLE hoặc OMM / check that it is TLE or OMM",
        )
    content = path.read_bytes()
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise FileUnreadable(
            "không phải tệp văn bản / it is no text file",
            str(path),
            "giải nén, hoặc tải lại TLE, OMM / unpack it, or download TLE or OMM again",
        )
    return content.decode("utf-8-sig", errors="replace")


def _is_omm(text: str) -> bool:
    head = text.lstrip()[:2000]
    return head[:1] in ("[", "{") or "MEAN_MOTION" in head.split("\n", 1)[0].upper()


def _newest(sets: Iterable[Elements], faults: list[OrbitFault]) -> list[Elements]:
    """One set a satellite; the others are told as faults. In the order of the file."""
    kept: dict[int, Elements] = {}
    for one in sets:
        other = kept.get(one.catalog_number)
        older = one if other is not None and one.epoch_days <= other.epoch_days else other
        if older is not one:
            kept[one.catalog_number] = one
        if older is not None:
            faults.append(
                OrbitFault(
                    older.line, older.line, older.name, "epoch", f"{older.catalog_number}",
                    "vệ tinh đã có bộ phần tử khác, không cũ hơn / the satellite has another set, no older",
                    "không cần sửa / nothing to mend",
                )
            )  # fmt: skip
    return sorted(kept.values(), key=lambda one: one.line)


def _findings(path: Path, faults: list[OrbitFault]) -> Iterable[Finding]:
    """One finding a kind of fault, however many lines have it."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for fault in faults:
        kinds.setdefault((fault.what, fault.mend), []).append(fault.line)
    for (what, mend), lines in kinds.items():
        told = ", ".join(str(line) for line in sorted(lines)[:_ROWS_TOLD])
        more = f" … ({len(lines)})" if len(lines) > _ROWS_TOLD else ""
        yield Finding("rejected", what, f"{path.name}, dòng / line {told}{more}", mend)
