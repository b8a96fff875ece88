"""One cut of an antenna file: rows of angle and attenuation, made 360 attenuations below the strongest direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

WIDEST_GAP_DEG = 15.0
"""Missing angles up to here are interpolated; beyond, a side lobe could be lost (assumption)."""
_FEWEST_ROWS = 8
_FLAT_DB = 0.05
_HALF_POWER_DB = 3.0

Level = Literal["error", "warning", "note"]
Tell = Callable[[Level, int, str, str], None]
"""level, row (0: the whole file), what, mend"""


@dataclass(slots=True)
class Block:
    """The rows below HORIZONTAL or VERTICAL as they stand.

    row      : of the keyword
    declared : number of rows that the keyword announces, -1: none
    rows     : (row, angle, value) of each line that holds two numbers
    """

    keyword: str
    row: int
    declared: int
    rows: list[tuple[int, float, float]] = field(default_factory=list)


def cut_of(block: Block, tell: Tell) -> NDArray[np.float64] | None:
    """(360,) attenuation at 0 .. 359 degrees [dB], 0 in the strongest; None where the rows give none."""
    name = block.keyword
    beyond = [row for row, angle, _ in block.rows if abs(angle) > 360.0]
    for row in beyond:
        tell("error", row, f"{name}: góc ngoài ±360° / an angle beyond ±360 degrees", "sửa góc / mend the angle")
    if len(block.rows) < _FEWEST_ROWS:
        tell(
            "error", block.row,
            f"{name}: chỉ có {len(block.rows)} dòng góc và suy hao"
            f" / only {len(block.rows)} rows of angle and attenuation",
            "mỗi độ một dòng / give a row for each degree",
        )  # fmt: skip
        return None
    if beyond:
        return None
    if 0 <= block.declared != len(block.rows):
        tell(
            "note", block.row,
            f"{name} {block.declared}, nhưng có {len(block.rows)} dòng, dùng hết"
            f" / {block.declared} rows announced, {len(block.rows)} found and used",
            "",
        )  # fmt: skip
    angle_deg, value = _each_angle_once(block, tell)
    if not _closed(angle_deg, block, tell):
        return None
    loss_db = _losses(value, block, tell)
    if loss_db is None:
        return None
    return _normalised(_per_degree(angle_deg, loss_db, block, tell), block, tell)


def _each_angle_once(block: Block, tell: Tell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles 0 <= a < 360, increasing, and the value first given for each."""
    first: dict[float, tuple[int, float]] = {}
    for row, angle, value in block.rows:
        turned = round(angle % 360.0, 6) % 360.0
        if turned not in first:
            first[turned] = (row, value)
        elif value != first[turned][1]:
            tell(
                "warning", row,
                f"{block.keyword}: góc {angle:g}° lặp lại với giá trị khác, giữ dòng {first[turned][0]}"
                f" / {angle:g} degrees a second time with another value, row {first[turned][0]} kept",
                "bỏ dòng thừa / remove one of the rows",
            )  # fmt: skip
    angles = sorted(first)
    return np.array(angles), np.array([first[angle][1] for angle in angles])


def _closed(angle_deg: NDArray[np.float64], block: Block, tell: Tell) -> bool:
    """Whether the angles go all round without a wide gap."""
    gap_deg = np.diff(np.append(angle_deg, angle_deg[0] + 360.0))
    widest = int(gap_deg.argmax())
    if gap_deg[widest] <= WIDEST_GAP_DEG:
        return True
    start, end = angle_deg[widest], angle_deg[(widest + 1) % len(angle_deg)]
    tell(
        "error", block.row,
        f"{block.keyword}: không có giá trị từ {start:g}° đến {end:g}° / no values from {start:g} to {end:g} degrees",
        f"cho giá trị cả vòng 360°, cách nhau không quá {WIDEST_GAP_DEG:g}°"
        f" / give values all round, at most {WIDEST_GAP_DEG:g} degrees apart",
    )  # fmt: skip
    return False


def _losses(value: NDArray[np.float64], block: Block, tell: Tell) -> NDArray[np.float64] | None:
    """Attenuations from values of either sign; None where they are no decibels."""
    if (value >= 0.0).all():
        if block.keyword == "VERTICAL" and 0.9 <= value.max() <= 1.0 and np.median(value) < 0.5:
            tell(
                "error", block.row,
                "VERTICAL: giá trị từ 0 đến 1 có vẻ là tỉ số tuyến tính, không phải dB"
                " / values from 0 to 1 look like ratios of field or power, not dB",
                "đổi sang dB suy hao / turn them into attenuations in dB",
            )  # fmt: skip
            return None
        return value
    if (value <= 0.0).all():
        tell("note", block.row, f"{block.keyword}: suy hao ghi số âm, đã đổi dấu / attenuations were negative", "")
        return -value
    if np.median(value) < 0.0:
        tell("note", block.row, f"{block.keyword}: giá trị là độ lợi, đã đổi ra suy hao / the values were gains", "")
        return -value
    return value


def _per_degree(
    angle_deg: NDArray[np.float64], loss_db: NDArray[np.float64], block: Block, tell: Tell
) -> NDArray[np.float64]:
    """(360,) losses at whole degrees, linear in dB between the given ones."""
    degrees = np.arange(360.0)
    missing = int((~np.isin(degrees, angle_deg)).sum())
    if missing:
        tell(
            "note", block.row,
            f"{block.keyword}: nội suy {missing} trong 360 độ / {missing} of 360 degrees interpolated",
            "",
        )  # fmt: skip
    return np.asarray(np.interp(degrees, angle_deg, loss_db, period=360.0))


def _normalised(loss_db: NDArray[np.float64], block: Block, tell: Tell) -> NDArray[np.float64]:
    least_db = float(loss_db.min())
    if abs(least_db) > _FLAT_DB:
        tell(
            "note", block.row,
            f"{block.keyword}: hướng mạnh nhất ở {least_db:g} dB, đã đưa về 0"
            f" / the strongest direction was at {least_db:g} dB, brought to 0",
            "",
        )  # fmt: skip
    return loss_db - least_db


def peak_deg(loss_db: NDArray[np.float64]) -> float:
    """Middle of the strongest direction [degrees], -180 to 180; the one nearest to 0 of several, 0 of a circle."""
    strong = loss_db <= _FLAT_DB
    if strong.all():
        return 0.0
    angle = (np.flatnonzero(strong) + 180) % 360 - 180
    nearest = int(angle[np.abs(angle).argmin()])
    after, before = (int(np.flatnonzero(~strong[(nearest + side * np.arange(1, 361)) % 360])[0]) for side in (1, -1))
    return nearest + (after - before) / 2.0


def half_power_width_deg(loss_db: NDArray[np.float64]) -> float:
    """Width between the 3 dB points around the strongest direction [degrees]; 360 where it never falls so far."""
    start = round(peak_deg(loss_db)) % 360
    width_deg = 0.0
    for side in (1, -1):
        along = loss_db[(start + side * np.arange(181)) % 360]
        below = np.flatnonzero(along >= _HALF_POWER_DB)
        if not len(below) or below[0] == 0:
            return 360.0
        step = int(below[0])
        width_deg += step - (along[step] - _HALF_POWER_DB) / (along[step] - along[step - 1])
    return width_deg
