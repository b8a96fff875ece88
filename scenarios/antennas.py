"""The antennas of a scenario's files as the patterns that sectors choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.antenna_pattern import NO_PATTERN, AntennaPattern, ChosenPatterns, pattern_table
from phusong.data_sources.antenna_files import AntennaFile

# A gain further above what the joined cuts give is doubted: joining errs by about 1 dB (assumption).
GAIN_ABOVE_DIRECTIVITY_DB = 2.0


def antenna_pattern(file: AntennaFile) -> AntennaPattern:
    """The file's pattern. Its mechanical tilt is the mast's matter, not the antenna's: sectors give it."""
    return AntennaPattern(
        file.horizontal_db,
        file.vertical_db,
        file.gain_dbi,
        file.electrical_tilt_deg,
        file.frequency_mhz,
        file.name,
        cut_turn_deg=file.beam_turn_deg,
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """The antenna of each of S sectors.

    pattern             : its number in the table of all patterns, -1: the 3GPP formula
    gain_dbi, tilt_deg  : (S,) of the antenna's file, NaN where the formula stands
    unknown             : names that no file has; their sectors take the formula
    doubts              : what is hard to believe of the antennas in use, one line each
    """

    pattern: ChosenPatterns
    gain_dbi: NDArray[np.float64]
    tilt_deg: NDArray[np.float64]
    unknown: tuple[str, ...]
    doubts: tuple[str, ...]


def fit_antennas(files: Sequence[AntennaFile], wanted: Sequence[str | None]) -> Fitted:
    """The antennas that sectors want by name; None or blank: none.

    Names are compared without regard to case and surrounding blanks.
    """
    patterns = [antenna_pattern(file) for file in files]
    number = {pattern.name.strip().casefold(): n for n, pattern in enumerate(patterns)}
    asked = [name.strip() if isinstance(name, str) else "" for name in wanted]
    index = np.array([number.get(name.casefold(), NO_PATTERN) for name in asked], np.int32)
    gain = np.array([*(p.gain_dbi for p in patterns), np.nan])
    tilt = np.array([*(p.electrical_tilt_deg for p in patterns), np.nan])
    return Fitted(
        ChosenPatterns(index, pattern_table(patterns)),
        gain[index],
        tilt[index],
        tuple(sorted({name for name in asked if name and name.casefold() not in number})),
        tuple(doubt for n in np.unique(index[index >= 0]) for doubt in _doubts(patterns[n])),
    )


def _doubts(pattern: AntennaPattern) -> list[str]:
    excess_db = pattern.gain_dbi - pattern.directivity_dbi()
    if excess_db <= GAIN_ABOVE_DIRECTIVITY_DB:
        return []
    return [
        f"anten {pattern.name}: độ lợi {pattern.gain_dbi:.1f} dBi cao hơn {excess_db:.1f} dB so với giản đồ cho phép, "
        f"kiểm tra dBi hay dBd / a gain of {pattern.gain_dbi:.1f} dBi is {excess_db:.1f} dB more than the pattern can "
        "have, check whether it is dBi or dBd"
    ]
