"""What an antenna radiates in a direction: the sector formula of 3GPP, tabulated cuts, tilt of mast and of beam.

Angles of this module: `turn` is clockwise from the antenna's azimuth, `depression` below the horizontal.
Two kinds of tilt. Electrical tilt moves the beam within the antenna, downwards all round like a cone: behind the
antenna the back lobe goes down too. Mechanical tilt leans the antenna: in front the pattern goes down, behind it
goes up, to the sides it only rolls.
"""

from __future__ import annotations

from math import asin, atan2, cos, degrees, floor, radians, sin
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Front-to-back limit A_m and side-lobe limit SLA_v of the table [dB].
FRONT_TO_BACK_DB = 25.0
SIDE_LOBE_DB = 20.0
# Beam widths of the table [degrees], for an antenna of which nothing better is known.
HORIZONTAL_BEAMWIDTH_DEG = 70.0
VERTICAL_BEAMWIDTH_DEG = 10.0
# The ray from antenna to receiver bends with the air: the standard atmosphere's Earth of 4/3 radius [m].
RAY_EARTH_RADIUS_M = 6371e3 * 4.0 / 3.0
# Columns of the antenna rows that `Sectors.antennas` gives the kernels.
HEIGHT, AZIMUTH, TILT, HORIZONTAL_WIDTH, VERTICAL_WIDTH, EIRP, MECHANICAL_TILT, PATTERN = range(8)


@njit(cache=True, nogil=True)
def attenuation_db(
    bearing_deg: float,
    depression_deg: float,
    azimuth_deg: float,
    downtilt_deg: float,
    horizontal_beamwidth_deg: float,
    vertical_beamwidth_deg: float,
) -> float:
    """What the pattern takes from the main beam in a direction [dB], 0 to 25.

    bearing_deg, azimuth_deg     : of the receiver and of the beam, clockwise from grid north; azimuth NaN: all round
    depression_deg, downtilt_deg : of the receiver and of the beam, below the horizontal
    Source: 3GPP TR 36.814 V9.0.0 Table A.2.1.1-2: A = -min(-(A_H + A_V), A_m).
    """
    horizontal_db = 0.0
    if azimuth_deg == azimuth_deg:
        turn = bearing_deg - azimuth_deg
        turn -= 360.0 * round(turn / 360.0)
        turn /= horizontal_beamwidth_deg
        horizontal_db = min(12.0 * turn * turn, FRONT_TO_BACK_DB)
    tilt = (depression_deg - downtilt_deg) / vertical_beamwidth_deg
    vertical_db = min(12.0 * tilt * tilt, SIDE_LOBE_DB)
    return min(horizontal_db + vertical_db, FRONT_TO_BACK_DB)


@njit(cache=True, nogil=True)
def _cut_db(cuts_db: NDArray[np.float64], pattern: int, plane: int, angle_deg: float) -> float:
    """Value of a cut between its whole degrees, linear in dB; any number of turns."""
    low = floor(angle_deg)
    place = int(low) % 360
    first_db = cuts_db[pattern, plane, place]
    next_db = cuts_db[pattern, plane, place + 1 if place < 359 else 0]
    return float(first_db + (angle_deg - low) * (next_db - first_db))


@njit(cache=True, nogil=True)
def tabulated_attenuation_db(patterns: Any, pattern: int, turn_deg: float, depression_deg: float) -> float:
    """What a tabulated pattern takes from the main beam in a direction [dB], never negative.

    patterns       : PatternTable
    turn_deg       : clockwise from the antenna's azimuth
    depression_deg : below the horizontal, less the tilt that the pattern is shifted by

    By default the two cuts are joined by horizontal projection interpolation: the horizontal cut H, corrected by
    how far the vertical cut V departs from it in the half plane that V was cut through, and in the one behind, each
    weighted by the turn t from there:
        A = H + (1 - |t| / 180) (V(d) - H_ahead) + |t| / 180 (V(180 - d) - H_behind)
    Source: Altair WinProp, user guide of AMan, "Horizontal Projection Interpolation (HPI) Algorithm".
    Why this one: it gives V exactly in front and behind, and H exactly at the depression where the cuts cross, so
    also for a beam with electrical tilt; the foot of the mast gets one value from every side. A plain sum counts the
    back of the antenna twice there: H(180) + V(d), where V(180 - d) was measured.
    With `sum_limit_db` given (a formula of 3GPP in a table) it is the plain sum min(H(t) + V(d), limit).
    """
    turn = turn_deg - 360.0 * round(turn_deg / 360.0)
    horizontal_db = _cut_db(patterns.cuts_db, pattern, 0, turn)
    front_db = _cut_db(patterns.cuts_db, pattern, 1, depression_deg)
    limit_db = patterns.sum_limit_db[pattern]
    if limit_db == limit_db:
        return float(min(horizontal_db + front_db, limit_db))
    back_db = _cut_db(patterns.cuts_db, pattern, 1, 180.0 - depression_deg)
    through_deg = patterns.cut_turn_deg[pattern]
    away = turn - through_deg
    behind = abs(away - 360.0 * round(away / 360.0)) / 180.0
    joined_db = (
        horizontal_db
        + (1.0 - behind) * (front_db - _cut_db(patterns.cuts_db, pattern, 0, through_deg))
        + behind * (back_db - _cut_db(patterns.cuts_db, pattern, 0, through_deg + 180.0))
    )
    return float(max(joined_db, 0.0))


@njit(cache=True, nogil=True)
def leaned_direction(turn_deg: float, depression_deg: float, mechanical_tilt_deg: float) -> tuple[float, float]:
    """The direction (turn, depression) as an antenna sees it that leans forward by mechanical_tilt_deg.

    A rotation about the horizontal axis across the azimuth: in front the depression falls by the tilt, behind it
    grows by it, at 90 degrees the turn changes little and the depression nearly not at all.
    """
    turn, down, tilt = radians(turn_deg), radians(depression_deg), radians(mechanical_tilt_deg)
    ahead = cos(down) * cos(turn)
    aside = cos(down) * sin(turn)
    below = sin(down)
    ahead_leaned = ahead * cos(tilt) + below * sin(tilt)
    below_leaned = below * cos(tilt) - ahead * sin(tilt)
    return degrees(atan2(aside, ahead_leaned)), degrees(asin(max(-1.0, min(1.0, below_leaned))))


@njit(cache=True, nogil=True)
def is_special(antenna: NDArray[np.float64], s: int) -> bool:
    """Whether sector s leans or has a tabulated pattern: then `special_attenuation_db` is its pattern.

    All others take `attenuation_db`; kernels ask once a sector, since a common function for both is a third slower.
    """
    return bool(antenna[s, MECHANICAL_TILT] != 0.0 or antenna[s, PATTERN] >= 0.0)


@njit(cache=True, nogil=True)
def special_attenuation_db(
    bearing_deg: float, depression_deg: float, antenna: NDArray[np.float64], s: int, patterns: Any
) -> float:
    """What sector s radiates less in a direction than in its main beam [dB], never negative; right for every sector.

    antenna  : (S, 8) rows of `Sectors.antennas`
    patterns : PatternTable that column PATTERN points into; below 0: the formula of `attenuation_db`
    An antenna without azimuth radiates alike all round and cannot lean. 30 ns from a table, 40 ns where it leans.
    """
    azimuth = antenna[s, AZIMUTH]
    turn, down = 0.0, depression_deg
    if azimuth == azimuth:
        turn = bearing_deg - azimuth
        if antenna[s, MECHANICAL_TILT] != 0.0:
            turn, down = leaned_direction(turn, depression_deg, antenna[s, MECHANICAL_TILT])
    pattern = int(antenna[s, PATTERN])
    if pattern >= 0:
        return tabulated_attenuation_db(patterns, pattern, turn, down - antenna[s, TILT])
    facing = 0.0 if azimuth == azimuth else azimuth
    return attenuation_db(
        turn, down, facing, antenna[s, TILT], antenna[s, HORIZONTAL_WIDTH], antenna[s, VERTICAL_WIDTH]
    )


@njit(cache=True, nogil=True)
def bearing_deg(rows_down: float, cols_right: float) -> float:
    """Bearing from grid north, clockwise [degrees], of a point so many rows down and columns right."""
    return degrees(atan2(cols_right, -rows_down))


@njit(cache=True, nogil=True)
def depression_deg(distance_m: float, drop_m: float) -> float:
    """Angle below the horizontal [degrees] at which a receiver is seen; 90 straight down.

    distance_m : horizontal distance [m]
    drop_m     : height of the transmitting antenna above the receiving one, both above sea [m]
    """
    return degrees(atan2(drop_m + distance_m * distance_m / (2.0 * RAY_EARTH_RADIUS_M), distance_m))
