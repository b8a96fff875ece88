"""What a file of element sets holds: how many satellites, how old, which serve and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from phusong.coverage.satellite.orbits import Serving, serving
from phusong.data_sources.area import Finding
from phusong.data_sources.errors import FileUnwritable
from phusong.data_sources.orbit_records import EPOCH_ZERO
from phusong.data_sources.orbits import OrbitFile, age_finding, read_orbits
from phusong.scenarios.outputs.words import number
from phusong.scenarios.satellite.elements import orbits_of

# What the filter of serving satellites says, in Vietnamese.
REASONS = {
    "direct to cell": "phục vụ điện thoại / direct to cell",
    "too low": "quá thấp / too low",
    "changes altitude": "đang đổi độ cao / changes altitude",
    "not round": "quỹ đạo không tròn / not round",
    "between shells": "ở giữa các lớp / between shells",
}


@dataclass(frozen=True, slots=True, eq=False)
class OrbitReport:
    """A file of element sets that was read; `age`: a warning where it is old on a day."""

    file: OrbitFile
    serving: Serving
    age: Finding | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.file.findings, *(() if self.age is None else (self.age,)))


def examine_orbits(path: Path, on_day: date) -> OrbitReport:
    """Read a file of element sets and sort its satellites. Raises FileMissing, FileTooLarge, FileUnreadable."""
    file = read_orbits(path)
    return OrbitReport(file, serving(orbits_of(file)), age_finding(file, on_day))


def report_of(report: OrbitReport) -> dict[str, Any]:
    """The figures as one JSON document."""
    file = report.file
    epochs = np.sort(file.epoch_days)
    return {
        "file": str(file.path),
        "lines": file.lines,
        "satellites": len(file),
        "satellites_rejected": file.satellites_rejected,
        "rejected": file.rejected.to_dict("records"),
        "epoch": f"{file.epoch:%Y-%m-%dT%H:%M:%SZ}",
        "epoch_first": f"{_moment(epochs[0])}Z",
        "epoch_last": f"{_moment(epochs[-1])}Z",
        "serving": int(report.serving.serves.sum()),
        "left_out": {reason: count for reason, count in report.serving.counted.items() if reason},
        "shells": [
            {"inclination_deg": round(float(i), 2), "altitude_km": round(float(h), 1), "satellites": int(n)}
            for i, h, n in report.serving.shells
        ],
        "findings": [{"level": f.level, "what": f.what, "where": f.where, "mend": f.mend} for f in report.findings],
    }


def print_report(out: Console, said: Mapping[str, Any]) -> None:
    """The same for people."""
    out.print(
        f"{number(said['satellites'])} vệ tinh / satellites · {number(said['satellites_rejected'])} bị loại / rejected"
        f" · phần tử / epoch {said['epoch'][:10]} ({said['epoch_first'][:10]} .. {said['epoch_last'][:10]})"
    )
    left = " · ".join(f"{REASONS.get(reason, reason)} {number(count)}" for reason, count in said["left_out"].items())
    out.print(f"đang phục vụ / serving {number(said['serving'])}" + (f" · {left}" if left else ""))
    for shell in said["shells"]:
        out.print(
            f"  {shell['altitude_km']:7.1f} km  {shell['inclination_deg']:6.2f}°  {number(shell['satellites'])} vệ tinh"
        )


def write_orbits(report: OrbitReport, path: Path) -> None:
    """Write the satellites as OMM in CSV, which `orbits` of a scenario reads again, with whether each serves.

    Raises FileUnwritable.
    """
    file = report.file
    table = pd.DataFrame(
        {
            "OBJECT_NAME": file.name, "NORAD_CAT_ID": file.catalog_number,
            "EPOCH": [_moment(days) for days in file.epoch_days], "MEAN_MOTION": file.mean_motion_rev_day,
            "ECCENTRICITY": file.eccentricity, "INCLINATION": file.inclination_deg,
            "RA_OF_ASC_NODE": file.node_deg, "ARG_OF_PERICENTER": file.perigee_deg,
            "MEAN_ANOMALY": file.anomaly_deg, "BSTAR": file.drag_per_earth_radius,
            "MEAN_MOTION_DOT": file.mean_motion_dot_rev_day2, "MEAN_ELEMENT_THEORY": "SGP4",
            "SERVES": report.serving.serves, "LEFT_OUT": report.serving.reason,
        }
    )  # fmt: skip
    _write(table, path)


def write_rejected(report: OrbitReport, path: Path) -> None:
    """Write one row a fault, for Excel. Raises FileUnwritable."""
    _write(report.file.rejected, path)


def _write(table: pd.DataFrame, path: Path) -> None:
    try:
        table.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    except OSError as error:
        raise FileUnwritable(
            "không ghi được tệp / the file cannot be written",
            f"{path}: {error.strerror}",
            "đóng tệp ở chương trình khác, kiểm tra thư mục / close it elsewhere, check the folder",
        ) from error


def _moment(days: float) -> str:
    """ISO 8601 to the microsecond, of days since 1949-12-31 00:00 UTC."""
    return f"{EPOCH_ZERO + timedelta(days=float(days)):%Y-%m-%dT%H:%M:%S.%f}"
