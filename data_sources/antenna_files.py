"""Antenna patterns from MSI / Planet files (.msi, .pln), as vendors really write them.

The format: lines of a keyword and its value, then "HORIZONTAL n" and "VERTICAL n", each followed by n rows of angle
and attenuation below the main beam, positive in dB. No standard rules it; what is held to here:
- HORIZONTAL counts clockwise from the azimuth. VERTICAL counts from the horizon ahead downwards: 90 is the ground,
  270 the zenith. (Diagrams of "Description of Planet antenna database", 14.12.2000.)
- GAIN is dBd unless it says dBi (definitions of Radio Mobile; Perl module RF::Antenna::Planet::MSI::Format);
  dBi = dBd + 2.15.
- FREQUENCY is MHz unless it says otherwise. TILT says whether the antenna is tilted ELECTRICAL or MECHANICAL; the angle
  stands in ELECTRICAL_TILT, or behind the word.
- The first line may be the name without the word NAME.
Every repair is told as a note; what cannot be repaired, as an error with its row, all of them at once.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phusong.data_sources.antenna_cuts import Block, Level, cut_of, peak_deg
from phusong.data_sources.antenna_headers import (
    NUMBER,
    Headers,
    declared_tilt_deg,
    first_number,
    frequency_mhz,
    gain_dbi_of,
    mechanical_tilt_deg,
    text_of,
    tilted,
    width_deg,
)
from phusong.data_sources.area import Finding
from phusong.data_sources.errors import AntennaUnusable, FileMissing, FileTooLarge, FileUnreadable

_MOST_BYTES = 4 << 20
_MOST_DB = 300.0
_ASIDE_DEG = 10.0
"""A sector's main beam lies within so many degrees of its azimuth; beyond, the antenna has several (assumption)."""
_BLOCKS = ("HORIZONTAL", "VERTICAL")
_ALIASES = {
    "ELECTRICALTILT": "ELECTRICAL_TILT",
    "ELECTRICAL_DOWNTILT": "ELECTRICAL_TILT",
    "ELEC_TILT": "ELECTRICAL_TILT",
    "E_TILT": "ELECTRICAL_TILT",
    "MECH_TILT": "MECHANICAL_TILT",
    "FREQ": "FREQUENCY",
    "MANUFACTURER": "MAKE",
    "COMMENTS": "COMMENT",
    "POLARISATION": "POLARIZATION",
}
_KNOWN = {
    *("NAME", "MAKE", "FREQUENCY", "GAIN", "TILT", "ELECTRICAL_TILT", "MECHANICAL_TILT", "H_WIDTH", "V_WIDTH"),
    *("FRONT_TO_BACK", "POLARIZATION", "COMMENT", *_ALIASES),
}


@dataclass(frozen=True, slots=True, eq=False)
class AntennaFile:
    """An antenna as its file describes it, repaired.

    name, make, comment    : as written; name is the file's own where none is given
    frequency_mhz          : middle of the range [MHz], NaN: not given
    frequency_range_mhz    : lowest and highest [MHz]
    gain_dbi               : of the main beam [dBi]
    electrical_tilt_deg    : of the main beam below the horizontal, held in vertical_db already
    beam_turn_deg          : of the main beam, clockwise from the azimuth; 0 unless it clearly looks aside
    mechanical_tilt_deg    : as declared, NOT held in vertical_db
    horizontal_width_deg, vertical_width_deg, front_to_back_db : as declared, NaN: not given
    horizontal_db          : (360,) attenuation, clockwise from the azimuth
    vertical_db            : (360,) attenuation, 0 the horizon ahead, 90 straight down, 180 the horizon behind
    headers                : every keyword and its value as written
    findings               : notes on what was repaired or taken for granted, warnings of what looks wrong
    """

    path: Path
    name: str
    make: str
    comment: str
    frequency_mhz: float
    frequency_range_mhz: tuple[float, float]
    gain_dbi: float
    electrical_tilt_deg: float
    beam_turn_deg: float
    mechanical_tilt_deg: float
    horizontal_width_deg: float
    vertical_width_deg: float
    front_to_back_db: float
    horizontal_db: NDArray[np.float64]
    vertical_db: NDArray[np.float64]
    headers: dict[str, str]
    findings: tuple[Finding, ...]


class _Told:
    """What is found in one file, with its row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.findings: list[Finding] = []

    def __call__(self, level: Level, row: int, what: str, mend: str) -> None:
        where = f"{self._path}, dòng / line {row}" if row else str(self._path)
        self.findings.append(Finding(level, what, where, mend))


def read_antenna(path: Path) -> AntennaFile:
    """The antenna of an MSI / Planet file.

    Raises FileMissing, FileTooLarge, FileUnreadable where there is no such text; AntennaUnusable, with every fault and
    its row, where it describes no antenna.
    """
    told = _Told(path)
    headers, blocks = _parse(_lines(path, told), told)
    low_mhz, high_mhz = frequency_mhz(headers, told)
    gain_dbi = gain_dbi_of(headers, told)
    cuts = [_cut(keyword, blocks, told) for keyword in _BLOCKS]
    if cuts[0] is None or cuts[1] is None or any(found.level == "error" for found in told.findings):
        raise AntennaUnusable(told.findings)
    horizontal_db, vertical_db = cuts[0], cuts[1]
    tilt_deg, vertical_db = tilted(vertical_db, declared_tilt_deg(headers, told), told)
    turn_deg = peak_deg(horizontal_db)
    if abs(turn_deg) > _ASIDE_DEG:
        told(
            "warning", blocks["HORIZONTAL"].row,
            f"búp chính ở {turn_deg:g}°, không ở 0°, vẫn giữ, VERTICAL coi như cắt qua đó"
            f" / the main beam is at {turn_deg:g} degrees, not at 0: kept, VERTICAL taken for a cut through it",
            "đúng với anten nhiều búp; nếu không, kiểm tra góc 0 của tệp"
            " / right for one of several beams; else check what the file counts from",
        )  # fmt: skip
    else:
        turn_deg = 0.0
    widths = [width_deg(key, cut, headers, told) for key, cut in (("H_WIDTH", horizontal_db), ("V_WIDTH", vertical_db))]
    return AntennaFile(
        path=path,
        name=text_of(headers, "NAME") or path.stem,
        make=text_of(headers, "MAKE"),
        comment=text_of(headers, "COMMENT"),
        frequency_mhz=(low_mhz + high_mhz) / 2.0,
        frequency_range_mhz=(low_mhz, high_mhz),
        gain_dbi=gain_dbi,
        electrical_tilt_deg=tilt_deg,
        beam_turn_deg=turn_deg,
        mechanical_tilt_deg=mechanical_tilt_deg(headers),
        horizontal_width_deg=widths[0],
        vertical_width_deg=widths[1],
        front_to_back_db=first_number(text_of(headers, "FRONT_TO_BACK")),
        horizontal_db=horizontal_db,
        vertical_db=vertical_db,
        headers={key: value for key, (_, value) in headers.items()},
        findings=tuple(told.findings),
    )


def _lines(path: Path, told: _Told) -> list[str]:
    """The text of the file by lines: UTF-8 or UTF-16 as marked, else Latin-1."""
    if not path.is_file():
        raise FileMissing(
            "không có tệp anten / there is no such antenna file", str(path), "kiểm tra đường dẫn / check the path"
        )
    if path.stat().st_size > _MOST_BYTES:
        raise FileTooLarge(
            f"tệp anten lớn hơn {_MOST_BYTES >> 20} MB / an antenna file of more than {_MOST_BYTES >> 20} MB",
            str(path),
            "kiểm tra có phải tệp anten / check that it is an antenna file",
        )
    content = path.read_bytes()
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = content.decode("utf-16", errors="replace")
    elif b"\0" in content:
        raise FileUnreadable(
            "không phải tệp văn bản / it is no text file",
            str(path),
            "xuất lại dạng .msi hoặc .pln / export it as .msi or .pln",
        )
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
            told("note", 0, "không phải UTF-8, đọc như Latin-1 / not UTF-8, read as Latin-1", "")
    return re.split(r"\r\n|\n|\r", text)


def _parse(lines: list[str], told: _Told) -> tuple[Headers, dict[str, Block]]:
    """keyword -> (row, value), and the two blocks. Keywords in any case, blocks in any order."""
    headers: Headers = {}
    blocks: dict[str, Block] = {}
    block: Block | None = None
    commas = extra = 0
    for row, line in enumerate(lines, start=1):
        stripped = line.strip().strip('"')
        if not stripped or stripped[0] in "#!;/":
            continue
        word, value = _keyword(stripped)
        if word in _BLOCKS and (not value or NUMBER.match(value)):
            if word in blocks:
                told(
                    "error", row, f"{word} xuất hiện lần thứ hai / {word} a second time",
                    "mỗi tệp một anten / keep one antenna in a file",
                )  # fmt: skip
            declared = first_number(value)
            block = blocks[word] = Block(word, row, -1 if isnan(declared) else int(declared))
        elif stripped[0].isalpha():
            if not headers and not blocks and word not in _KNOWN:
                headers["NAME"] = (row, stripped)
                told("note", row, "dòng đầu không có từ khoá, lấy làm tên / the first line is taken for the name", "")
            else:
                if block is not None and word not in _KNOWN:
                    told("note", row, f'bỏ qua chữ "{stripped[:30]}" / text after the values was passed over', "")
                headers.setdefault(word, (row, value))
            block = None
        elif block is None:
            told(
                "error", row, "số nằm ngoài HORIZONTAL và VERTICAL / numbers outside HORIZONTAL and VERTICAL",
                "đặt sau từ khoá / put them below the keyword",
            )  # fmt: skip
        else:
            pair, comma, more = _pair(stripped)
            commas, extra = commas + comma, extra + more
            if pair is None:
                told(
                    "error", row, f'"{stripped[:30]}" không phải góc và suy hao / it is no angle and attenuation',
                    "ghi hai số, cách nhau bằng dấu cách / write two numbers with a space between",
                )  # fmt: skip
            else:
                block.rows.append((row, *pair))
    if commas:
        told("note", 0, f"{commas} dòng dùng dấu phẩy thập phân / decimal commas in {commas} rows", "")
    if extra:
        told("note", 0, f"{extra} dòng có thêm chữ sau hai số, bỏ qua / text behind the numbers of {extra} rows", "")
    return headers, blocks


def _keyword(line: str) -> tuple[str, str]:
    word, _, value = re.sub(r"[\s=:]+", " ", line, count=1).partition(" ")
    word = word.upper().replace("-", "_")
    return _ALIASES.get(word, word), value.strip().strip('"').strip()


def _pair(line: str) -> tuple[tuple[float, float] | None, bool, bool]:
    """The two numbers of a row; whether they have decimal commas, and whether more text follows."""
    tokens = line.replace("−", "-").replace("°", " ").replace(";", " ").split()
    comma = any("," in token.rstrip(",") for token in tokens[:2])
    if len(tokens) == 1 and "," in tokens[0]:
        parts = tokens[0].split(",")
        comma = len(parts) == 4  # 0,0,12,3 is 0.0 and 12.3; 0,12.3 and 0,12 have the comma between the numbers
        tokens = [".".join(parts[:2]), ".".join(parts[2:])] if comma else parts
    numbers = [token.rstrip(",") for token in tokens[:2]]
    if len(numbers) < 2 or not all(NUMBER.fullmatch(number) for number in numbers):
        return None, False, False
    angle, value = (float(number.replace(",", ".")) for number in numbers)
    if not (isfinite(angle) and abs(value) <= _MOST_DB):
        return None, False, False
    return (angle, value), comma, len(tokens) > 2


def _cut(keyword: str, blocks: dict[str, Block], told: _Told) -> NDArray[np.float64] | None:
    if keyword in blocks:
        return cut_of(blocks[keyword], told)
    told(
        "error", 0, f"không có phần {keyword} / there is no {keyword} part",
        f"thêm {keyword} 360 và 360 dòng / add {keyword} 360 and its 360 rows",
    )  # fmt: skip
    return None
