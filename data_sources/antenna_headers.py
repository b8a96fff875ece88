"""What the keywords of an antenna file say: frequency, gain, tilt, beam widths, each held against the cuts."""

from __future__ import annotations

import re
from math import isfinite, isnan, nan

import numpy as np
from numpy.typing import NDArray

from phusong.data_sources.antenna_cuts import Tell, half_power_width_deg, peak_deg

Headers = dict[str, tuple[int, str]]
"""keyword -> (row, value as written)"""
NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
DIPOLE_GAIN_DBI = 2.15
_GAIN_RANGE_DBI = (-10.0, 60.0)
_FREQUENCY_RANGE_MHZ = (30.0, 100_000.0)
_TILT_AGREES_DEG = 1.5
_MHZ_OF = {"khz": 1e-3, "mhz": 1.0, "ghz": 1e3}


def first_number(text: str) -> float:
    """The first number in a text, point or comma; NaN where there is none."""
    found = NUMBER.search(text)
    number = float(found.group().replace(",", ".")) if found else nan
    return number if isfinite(number) else nan


def text_of(headers: Headers, key: str) -> str:
    """A keyword's value, blank where it is not there."""
    return headers.get(key, (0, ""))[1]


def frequency_mhz(headers: Headers, tell: Tell) -> tuple[float, float]:
    """Lowest and highest frequency [MHz]."""
    row, text = headers.get("FREQUENCY", (0, ""))
    # A hyphen between two numbers is a range, not a sign.
    numbers = [float(number.replace(",", ".")) for number in re.findall(r"\d+(?:[.,]\d+)?", text)]
    if not numbers:
        tell(
            "warning", row, "không có tần số / no frequency is given",
            "thêm dòng, ví dụ FREQUENCY 1850 / add a line such as FREQUENCY 1850",
        )  # fmt: skip
        return nan, nan
    unit = re.search(r"([kmg]hz)", text, re.IGNORECASE)
    factor = _MHZ_OF[unit.group(1).lower()] if unit else 1.0
    if unit is None and max(numbers) < _FREQUENCY_RANGE_MHZ[0]:
        factor = _MHZ_OF["ghz"]
        tell("note", row, f"FREQUENCY {text} được hiểu là GHz / was taken for GHz", "")
    low, high = min(numbers[:2]) * factor, max(numbers[:2]) * factor
    if not _FREQUENCY_RANGE_MHZ[0] <= low <= high <= _FREQUENCY_RANGE_MHZ[1]:
        tell(
            "error", row, f"tần số không thể có: {text} / no antenna has this frequency",
            "ghi bằng MHz / write it in MHz",
        )  # fmt: skip
    return low, high


def gain_dbi_of(headers: Headers, tell: Tell) -> float:
    """Gain [dBi]; dBd where no unit is named."""
    row, text = headers.get("GAIN", (0, ""))
    gain = first_number(text.replace("−", "-"))
    if isnan(gain):
        tell(
            "error", row, "không có độ lợi / no gain is given",
            "thêm dòng, ví dụ GAIN 17.5 dBi / add a line such as GAIN 17.5 dBi",
        )  # fmt: skip
        return nan
    unit = re.search(r"db\s*([di])", text, re.IGNORECASE)
    if unit is None:
        tell(
            "note", row,
            f"GAIN {text} không ghi đơn vị, hiểu là dBd theo lệ của định dạng = {gain + DIPOLE_GAIN_DBI:g} dBi"
            f" / no unit, taken for dBd as the format has it = {gain + DIPOLE_GAIN_DBI:g} dBi",
            "nếu là dBi, ghi rõ sau số / if it is dBi, write so behind the number",
        )  # fmt: skip
    gain_dbi = gain if unit is not None and unit.group(1).lower() == "i" else gain + DIPOLE_GAIN_DBI
    if not _GAIN_RANGE_DBI[0] <= gain_dbi <= _GAIN_RANGE_DBI[1]:
        tell(
            "error", row, f"độ lợi không thể có: {text} / no antenna has this gain",
            "ghi bằng dBi hoặc dBd / write it in dBi or dBd",
        )  # fmt: skip
    return round(gain_dbi, 6)


def declared_tilt_deg(headers: Headers, tell: Tell) -> float:
    """Electrical tilt as the headers say it [degrees], NaN: they do not."""
    declared = first_number(text_of(headers, "ELECTRICAL_TILT"))
    row, text = headers.get("TILT", (0, ""))
    if not isnan(declared) or not text or "MECH" in text.upper():
        return declared
    if "ELEC" not in text.upper() and not isnan(first_number(text)):
        tell("note", row, f"TILT {text} được hiểu là góc nghiêng điện / was taken for the electrical tilt", "")
    return first_number(text)


def mechanical_tilt_deg(headers: Headers) -> float:
    tilt = first_number(text_of(headers, "MECHANICAL_TILT"))
    if isnan(tilt) and "MECH" in text_of(headers, "TILT").upper():
        tilt = first_number(text_of(headers, "TILT"))
    return 0.0 if isnan(tilt) else tilt


def tilted(vertical_db: NDArray[np.float64], declared_deg: float, tell: Tell) -> tuple[float, NDArray[np.float64]]:
    """Electrical tilt [degrees] and the vertical cut counted downwards: what is declared is held against the cut."""
    beam_deg = peak_deg(vertical_db)
    if isnan(declared_deg):
        if abs(beam_deg) > _TILT_AGREES_DEG:
            tell(
                "note", 0,
                f"không ghi góc nghiêng điện, lấy {beam_deg:g}° từ VERTICAL"
                f" / no electrical tilt is given, {beam_deg:g} degrees taken from VERTICAL",
                "nếu búp chính hướng xuống mà góc âm, VERTICAL đếm ngược"
                " / if it is negative and the beam points down, VERTICAL counts the other way",
            )  # fmt: skip
            return beam_deg, vertical_db
        return 0.0, vertical_db
    if abs(beam_deg - declared_deg) <= _TILT_AGREES_DEG:
        return declared_deg, vertical_db
    if abs(beam_deg + declared_deg) <= _TILT_AGREES_DEG:
        if declared_deg > 0.0:
            tell(
                "warning", 0,
                f"nghiêng điện {declared_deg:g}° xuống, nhưng búp chính của VERTICAL ở {beam_deg:g}°:"
                f" tệp đếm góc lên trên,"
                f" đã lật / tilted {declared_deg:g} degrees down, but the beam of VERTICAL is at {beam_deg:g}: the file"
                " counts upwards and was turned over",
                "kiểm tra với bản vẽ của hãng / compare with the vendor's diagram",
            )  # fmt: skip
            return declared_deg, vertical_db[-np.arange(360)]
        tell(
            "note", 0,
            f"góc nghiêng điện ghi {declared_deg:g}°, búp chính ở {beam_deg:g}° xuống, lấy số dương"
            f" / an electrical tilt of {declared_deg:g}, the beam points {beam_deg:g} degrees down: taken as positive",
            "",
        )  # fmt: skip
        return -declared_deg, vertical_db
    tell(
        "warning", 0,
        f"nghiêng điện {declared_deg:g}°, nhưng búp chính của VERTICAL ở {beam_deg:g}°, dùng góc của VERTICAL"
        f" / an electrical tilt of {declared_deg:g} degrees, but the beam of VERTICAL is at {beam_deg:g}:"
        " that is used",
        "kiểm tra tệp / check the file",
    )  # fmt: skip
    return beam_deg, vertical_db


def width_deg(key: str, cut_db: NDArray[np.float64], headers: Headers, tell: Tell) -> float:
    """Declared beam width [degrees], held against the cut's own."""
    row, text = headers.get(key, (0, ""))
    declared_deg, own_deg = first_number(text), half_power_width_deg(cut_db)
    if abs(declared_deg - own_deg) > max(3.0, 0.3 * own_deg):
        tell(
            "warning", row,
            f"{key} {declared_deg:g}°, nhưng giá trị cho {own_deg:.1f}° / but the values give {own_deg:.1f} degrees",
            "kiểm tra có phải đúng anten / check that it is the right antenna",
        )  # fmt: skip
    return declared_deg
