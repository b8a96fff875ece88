"""Longley-Rice: the ITS Irregular Terrain Model, version 1.2.2, point to point. 20 MHz to 20 GHz, 1 to 2000 km.

Limits, warnings and error numbers are those of NTIA's C++ program, whose version 1.3 reproduces version 1.2.2. It does
not know clutter, and takes distances below 1 km with a warning only.
"""

from __future__ import annotations

from enum import IntFlag
from functools import cache
from math import exp, inf, log10, nan

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import PathRefused
from phusong.coverage.propagation.itm_attenuation import Ground, reference_attenuation_db, smooth_horizons_m
from phusong.coverage.propagation.itm_irregularity import WORKSPACE
from phusong.coverage.propagation.itm_terrain import Terminals, mean_height_m, read_terrain_profile
from phusong.coverage.propagation.itm_variability import varied_attenuation_db


class Warnings(IntFlag):
    """What the model computes, but not with confidence; bits as in NTIA's program."""

    TX_HEIGHT = 0x0001
    RX_HEIGHT = 0x0002
    FREQUENCY = 0x0004
    DISTANCE_OVER_1000_KM = 0x0008
    DISTANCE_OVER_2000_KM = 0x0010
    DISTANCE_SMALL_FOR_HEIGHTS = 0x0020
    DISTANCE_UNDER_1_KM = 0x0040
    TX_HORIZON_STEEP = 0x0080
    RX_HORIZON_STEEP = 0x0100
    TX_HORIZON_NEAR = 0x0200
    RX_HORIZON_NEAR = 0x0400
    TX_HORIZON_FAR = 0x0800
    RX_HORIZON_FAR = 0x1000
    EXTREME_VARIABILITY = 0x2000
    SURFACE_REFRACTIVITY = 0x4000


# NTIA's error numbers: the parameter at fault, what is wrong, what to do about it.
_REFUSALS = {
    1000: ("tx_height_m", "the transmitter's height is out of range", "give tx_height_m from 0.5 to 3000"),
    1001: ("rx_height_m", "the receiver's height is out of range", "give rx_height_m from 0.5 to 3000"),
    1002: ("climate", "there is no such radio climate", "give climate 1 (equatorial) to 7 (maritime temperate, sea)"),
    1003: ("time_pct", "the time percentage is out of range", "give time_pct above 0 and below 100"),
    1004: ("location_pct", "the location percentage is out of range", "give location_pct above 0 and below 100"),
    1005: ("situation_pct", "the situation percentage is out of range", "give situation_pct above 0 and below 100"),
    1008: ("surface_refractivity", "the refractivity is out of range", "give surface_refractivity from 250 to 400"),
    1009: ("frequency_mhz", "the frequency is out of range", "give frequency_mhz from 20 to 20000"),
    1010: ("polarization", "there is no such polarization", "give 0 (horizontal) or 1 (vertical)"),
    1011: ("permittivity", "the ground's permittivity is out of range", "give 1 or more (15: average ground)"),
    1012: ("conductivity", "the ground's conductivity is out of range", "give more than 0 S/m (0.005: average ground)"),
    1013: ("conductivity", "the ground's impedance is mostly imaginary", "check permittivity and conductivity"),
    1014: (
        "mdvar",
        "there is no such mode of variability",
        "give 0 to 3, + 10 without location, + 20 without situation",
    ),
    1016: ("surface_refractivity", "the effective Earth radius is out of range", "check it and the profile's heights"),
    1017: ("step_m", "the path has no length", "give a row of two heights or more and step_m above 0"),
    1021: (
        "surface_refractivity",
        "too small at the path's height",
        "check the profile's heights, in metres above sea",
    ),
    1022: (
        "surface_refractivity",
        "too large at the path's height",
        "check the profile's heights, in metres above sea",
    ),
}
PATH_WITHOUT_LENGTH = 1017
_as_warnings = cache(Warnings)


@njit(cache=True, nogil=True, error_model="numpy")
def _refusal(
    frequency_mhz: float,
    tx_height_m: float,
    rx_height_m: float,
    polarization: int,
    climate: int,
    surface_refractivity: float,
    permittivity: float,
    conductivity: float,
    mdvar: int,
    time_pct: float,
    location_pct: float,
    situation_pct: float,
) -> int:
    # NTIA's number of the first input that is out of range, in its order; 0 where none is. NaN is out of range.
    if not 0.5 <= tx_height_m <= 3000.0:
        return 1000
    if not 0.5 <= rx_height_m <= 3000.0:
        return 1001
    if not 1 <= climate <= 7:
        return 1002
    if not 250.0 <= surface_refractivity <= 400.0:
        return 1008
    if not 20.0 <= frequency_mhz <= 20000.0:
        return 1009
    if polarization != 0 and polarization != 1:
        return 1010
    if not permittivity >= 1.0:
        return 1011
    if not conductivity > 0.0:
        return 1012
    if mdvar < 0 or mdvar > 33 or mdvar % 10 > 3:
        return 1014
    if not 0.0 < situation_pct < 100.0:
        return 1005
    if not 0.0 < time_pct < 100.0:
        return 1003
    if not 0.0 < location_pct < 100.0:
        return 1004
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def _warning_bits(
    ends: Terminals, frequency_mhz: float, radius_m: float, surface_refractivity: float, extreme: bool
) -> int:
    # One condition a bit, in the order of Warnings.
    tx_smooth_m, rx_smooth_m = smooth_horizons_m(ends, radius_m)
    d = ends.distance_m
    conditions = (
        not 1.0 <= ends.tx_height_m <= 1000.0,
        not 1.0 <= ends.rx_height_m <= 1000.0,
        not 40.0 <= frequency_mhz <= 10000.0,
        d > 1000e3,
        d > 2000e3,
        d < abs(ends.tx_effective_m - ends.rx_effective_m) / 0.2,
        d < 1e3,
        abs(ends.tx_elevation_rad) > 0.2,
        abs(ends.rx_elevation_rad) > 0.2,
        ends.tx_horizon_m < 0.1 * tx_smooth_m,
        ends.rx_horizon_m < 0.1 * rx_smooth_m,
        ends.tx_horizon_m > 3.0 * tx_smooth_m,
        ends.rx_horizon_m > 3.0 * rx_smooth_m,
        extreme,
        surface_refractivity < 250.0,
    )
    bits = 0
    for k in range(len(conditions)):
        bits |= int(conditions[k]) << k
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def point_loss_db(
    profile_m: NDArray[np.float64],
    step_m: float,
    frequency_mhz: float,
    tx_height_m: float,
    rx_height_m: float,
    polarization: int,
    climate: int,
    surface_refractivity: float,
    permittivity: float,
    conductivity: float,
    mdvar: int,
    time_pct: float,
    location_pct: float,
    situation_pct: float,
    work: NDArray[np.float64],
) -> tuple[float, int, int]:
    """Basic transmission loss [dB], warnings, and NTIA's error number or 0. Allocates nothing; 2 us and 3 ns a point.

    Parameters as of `point_to_point_loss`; work : (WORKSPACE,) is written over. NaN in the profile gives NaN.
    """
    refusal = _refusal(
        frequency_mhz,
        tx_height_m,
        rx_height_m,
        polarization,
        climate,
        surface_refractivity,
        permittivity,
        conductivity,
        mdvar,
        time_pct,
        location_pct,
        situation_pct,
    )
    last = profile_m.size - 1
    if refusal == 0 and not (last >= 1 and 0.0 < step_m < inf):
        refusal = PATH_WITHOUT_LENGTH
    if refusal != 0:
        return nan, 0, refusal
    height_m = mean_height_m(profile_m)
    if height_m != height_m:
        return nan, 0, 0
    # Algorithm, section 1; TN101, (4.3), (4.4)
    refractivity = surface_refractivity * exp(-height_m / 9460.0)
    radius_m = 1.0 / (157e-9 * (1.0 - 0.04665 * exp(refractivity / 179.3)))
    relative = complex(permittivity, 18000.0 * conductivity / frequency_mhz)
    impedance = np.sqrt(relative - 1.0)
    if polarization == 1:
        impedance /= relative
    if refractivity < 150.0:
        return nan, 0, 1021
    if refractivity > 400.0:
        return nan, 0, 1022
    if radius_m < 4000000.0 or radius_m > 13333333.0:
        return nan, 0, 1016
    if impedance.real <= abs(impedance.imag):
        return nan, 0, 1013
    ends = read_terrain_profile(profile_m, step_m, tx_height_m, rx_height_m, radius_m, work)
    reference_db = reference_attenuation_db(ends, Ground(frequency_mhz, radius_m, refractivity, impedance))
    varied_db, extreme = varied_attenuation_db(
        reference_db, ends, frequency_mhz, climate, mdvar, time_pct, location_pct, situation_pct
    )
    loss_db = varied_db + 32.45 + 20.0 * log10(frequency_mhz * ends.distance_m * 1e-3)
    return loss_db, _warning_bits(ends, frequency_mhz, radius_m, refractivity, extreme), 0


def point_to_point_loss(
    profile_height_m: ArrayLike,
    step_m: float,
    *,
    frequency_mhz: float,
    tx_height_m: float,
    rx_height_m: float,
    polarization: int,
    climate: int,
    surface_refractivity: float,
    permittivity: float,
    conductivity: float,
    mdvar: int,
    time_pct: float,
    location_pct: float,
    situation_pct: float,
) -> tuple[float, Warnings]:
    """Basic transmission loss of a path by the Irregular Terrain Model [dB], and its warnings.

    profile_height_m     : (n,) equally spaced heights above sea, transmitter first [m], n >= 2; a NaN gives NaN
    step_m               : distance between two points [m], above 0
    frequency_mhz        : 20 to 20,000 [MHz]
    tx_height_m, rx_height_m : antennas above ground [m], 0.5 to 3000
    polarization         : 0 horizontal, 1 vertical
    climate              : 1 equatorial, 2 continental subtropical, 3 maritime subtropical, 4 desert, 5 continental
                           temperate, 6 maritime temperate over land, 7 the same over sea
    surface_refractivity : reduced to sea level, 250 to 400 [N-units]
    permittivity         : relative, of the ground, 1 or more
    conductivity         : of the ground, above 0 [S/m]
    mdvar                : mode of variability: 0 single message, 1 accidental, 2 mobile, 3 broadcast; + 10 without
                           location variability, + 20 without direct situation variability
    time_pct, location_pct, situation_pct : above 0, below 100 [%]
    Raises PathRefused, with NTIA's error number, for what NTIA's program refuses, and for a path without length.
    Source: G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2, the Algorithm; NTIA/itm.
    """
    profile = np.array(profile_height_m, np.float64)  # a copy: the kernel is compiled for one type of array
    loss_db, warnings, refusal = point_loss_db(
        profile if profile.ndim == 1 else profile.reshape(-1)[:0],
        float(step_m),
        float(frequency_mhz),
        float(tx_height_m),
        float(rx_height_m),
        int(polarization),
        int(climate),
        float(surface_refractivity),
        float(permittivity),
        float(conductivity),
        int(mdvar),
        float(time_pct),
        float(location_pct),
        float(situation_pct),
        np.empty(WORKSPACE),
    )
    if refusal:
        parameter, what, mend = _REFUSALS[refusal]
        where = f"Irregular Terrain Model, error {refusal}: {parameter} = {locals()[parameter]}"
        raise PathRefused(what, where, mend, refusal)
    return loss_db, _as_warnings(warnings)
