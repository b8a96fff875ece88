"""Sector antenna pattern, 3GPP TR 36.814 V9.0.0 Table A.2.1.1-2."""

from __future__ import annotations

from math import atan2, degrees

from numba import njit

# Front-to-back limit A_m and side-lobe limit SLA_v of the table [dB].
FRONT_TO_BACK_DB = 25.0
SIDE_LOBE_DB = 20.0
# Beam widths of the table [degrees], for an antenna of which nothing better is known.
HORIZONTAL_BEAMWIDTH_DEG = 70.0
VERTICAL_BEAMWIDTH_DEG = 10.0
# The ray from antenna to receiver bends with the air: the standard atmosphere's Earth of 4/3 radius [m].
RAY_EARTH_RADIUS_M = 6371e3 * 4.0 / 3.0


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
    Source: 3GPP TR 36.814 Table A.2.1.1-2: A = -min(-(A_H + A_V), A_m).
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
