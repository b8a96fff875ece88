"""Clutter loss at a terminal, ITU-R P.2108-1 (09/2021): the loss that buildings and trees around it add.

Three models, each for its own use; they are not added to one another.
"""

from __future__ import annotations

from enum import IntEnum
from math import atan, inf, log, log10, nan, pi, sqrt, tan

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.normal_quantile import exceeded_normal
from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.2108-1"
STREET_WIDTH_M = 27.0  # section 3.1: where nothing better is known
STATISTICAL_GHZ = (0.5, 67.0)  # section 3.2
NEAREST_KM = 0.25  # section 3.2, correction at one end of the path
FARTHEST_RISE_KM = 2.0  # section 3.2: the loss at 2 km is the most there is


class Clutter(IntEnum):
    """What stands around a terminal, as Table 3 sorts it; trees and urban areas share one height."""

    WATER = 1
    OPEN = 2
    SUBURBAN = 3
    URBAN = 4
    FOREST = 5
    DENSE_URBAN = 6


# Table 3: representative clutter height R [m].
CLUTTER_HEIGHT_M = {
    Clutter.WATER: 10.0,
    Clutter.OPEN: 10.0,
    Clutter.SUBURBAN: 10.0,
    Clutter.URBAN: 15.0,
    Clutter.FOREST: 15.0,
    Clutter.DENSE_URBAN: 20.0,
}


@njit(cache=True, nogil=True, error_model="numpy")
def height_gain_kernel_db(
    frequency_ghz: float, antenna_height_m: float, clutter: int, clutter_height_m: float, street_width_m: float
) -> float:
    """Loss of section 3.1 [dB]; parameters as of `height_gain_loss_db`, unchecked."""
    if antenna_height_m >= clutter_height_m:
        return 0.0
    if clutter <= 2:  # water and open land: a gain with height, (2b) and (2f)
        return -(21.8 + 6.2 * log10(frequency_ghz)) * log10(antenna_height_m / clutter_height_m)
    # An edge at the clutter's height, a street's width away: (2c) to (2e), (2g)
    below_m = clutter_height_m - antenna_height_m
    angle_deg = atan(below_m / street_width_m) * 180.0 / pi
    nu = 0.342 * sqrt(frequency_ghz) * sqrt(below_m * angle_deg)
    edge_db = 0.0
    if nu > -0.78:
        x = nu - 0.1
        edge_db = 6.9 + 20.0 * log10(sqrt(x * x + 1.0) + x)
    return edge_db - 6.03  # (2a)


@njit(cache=True, nogil=True, error_model="numpy")
def _statistical_at_db(frequency_ghz: float, distance_km: float, location_pct: float) -> float:
    # The distribution of section 3.2 before its limit at 2 km.
    log_f = log10(frequency_ghz)
    long_db = -2.0 * log10(10.0 ** (-5.0 * log_f - 12.5) + 10.0**-16.5)  # (4)
    short_db = 32.98 + 23.9 * log10(distance_km) + 3.0 * log10(frequency_ghz)  # (5)
    long_share = 10.0 ** (-0.2 * long_db)
    short_share = 10.0 ** (-0.2 * short_db)
    total = long_share + short_share
    # (3b): standard deviations of 4 dB and 6 dB, weighted
    sigma_db = sqrt((16.0 * long_share + 36.0 * short_share) / total)
    return -5.0 * log10(total) - sigma_db * exceeded_normal(0.01 * location_pct)  # (3a)


@njit(cache=True, nogil=True, error_model="numpy")
def terrestrial_kernel_db(frequency_ghz: float, distance_km: float, location_pct: float) -> float:
    """Loss of section 3.2 [dB]; NaN outside 0.5 to 67 GHz. 0.4 us.

    Nearer than 0.25 km, where the Recommendation ends, the loss at 0.25 km stands: its equations would go on to no loss
    and below, while a terminal among houses stays among them.
    """
    if not 0.5 <= frequency_ghz <= 67.0:
        return nan
    d = max(distance_km, 0.25)
    if not d < 2.0:  # (6)
        return _statistical_at_db(frequency_ghz, 2.0, location_pct)
    return min(_statistical_at_db(frequency_ghz, d, location_pct), _statistical_at_db(frequency_ghz, 2.0, location_pct))


@njit(cache=True, nogil=True, error_model="numpy")
def slant_kernel_db(frequency_ghz: float, elevation_deg: float, location_pct: float) -> float:
    """Loss of section 3.3 [dB]; parameters as of `earth_space_loss_db`, unchecked."""
    street = 93.0 * frequency_ghz**0.175
    angle = 0.05 * (1.0 - elevation_deg / 90.0) + pi * elevation_deg / 180.0
    power = 0.5 * (90.0 - elevation_deg) / 90.0
    share = 0.01 * location_pct
    bulk: float = (-street * log(1.0 - share) / tan(angle)) ** power
    return bulk - 1.0 - 0.6 * exceeded_normal(share)


# Compiled when first called, for numbers and arrays.
@vectorize(cache=True)
def _height_gain_each(
    frequency_ghz: float, antenna_height_m: float, clutter: int, clutter_height_m: float, street_width_m: float
) -> float:
    return height_gain_kernel_db(frequency_ghz, antenna_height_m, clutter, clutter_height_m, street_width_m)


@vectorize(cache=True)
def _terrestrial_each(frequency_ghz: float, distance_km: float, location_pct: float) -> float:
    return terrestrial_kernel_db(frequency_ghz, distance_km, location_pct)


@vectorize(cache=True)
def _slant_each(frequency_ghz: float, elevation_deg: float, location_pct: float) -> float:
    return slant_kernel_db(frequency_ghz, elevation_deg, location_pct)


def height_gain_loss_db(
    frequency_ghz: ArrayLike,
    antenna_height_m: ArrayLike,
    clutter: ArrayLike,
    clutter_height_m: ArrayLike | None = None,
    street_width_m: ArrayLike = STREET_WIDTH_M,
) -> NDArray[np.float64]:
    """Loss from a path computed above the clutter down to a terminal in it [dB]; arguments broadcast.

    frequency_ghz    : 0.03 to 3 [GHz]
    antenna_height_m : above ground, above 0 [m]; at the clutter's height or above it the loss is 0
    clutter          : values of `Clutter`
    clutter_height_m : representative height, above 0 [m]; None: that of Table 3
    street_width_m   : above 0 [m]
    The path it is added to ends at the *clutter's* height, not at the antenna's: a loss computed to the antenna's own
    height holds the obstacle already. Raises ValueOutOfRange.
    Source: ITU-R P.2108-1 section 3.1.
    """
    kinds = np.asarray(clutter)
    if not np.isin(kinds, [kind.value for kind in Clutter]).all():
        raise ValueOutOfRange(
            what=f"{RECOMMENDATION} does not know this kind of clutter",
            where=f"clutter = {np.ravel(kinds)[~np.isin(np.ravel(kinds), [kind.value for kind in Clutter])][0]}",
            mend="give one of " + ", ".join(f"{kind.value} ({kind.name.lower()})" for kind in Clutter),
        )
    if clutter_height_m is None:
        clutter_height_m = np.array([0.0, *CLUTTER_HEIGHT_M.values()])[kinds.astype(np.int64)]
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, 0.03, 3.0, "GHz")
    require_range(RECOMMENDATION, "antenna_height_m", antenna_height_m, 0.0, inf, "m", open_ends=True)
    require_range(RECOMMENDATION, "clutter_height_m", clutter_height_m, 0.0, inf, "m", open_ends=True)
    require_range(RECOMMENDATION, "street_width_m", street_width_m, 0.0, inf, "m", open_ends=True)
    frequency, antenna, height, width = (
        np.asarray(values, np.float64) for values in (frequency_ghz, antenna_height_m, clutter_height_m, street_width_m)
    )
    return np.asarray(_height_gain_each(frequency, antenna, kinds.astype(np.int64), height, width))


def terrestrial_loss_db(
    frequency_ghz: ArrayLike, distance_km: ArrayLike, location_pct: ArrayLike
) -> NDArray[np.float64]:
    """Clutter loss not exceeded at a share of the locations, one end of a terrestrial path [dB]; arguments broadcast.

    frequency_ghz : 0.5 to 67 [GHz]
    distance_km   : length of the path, 0.25 or more [km]
    location_pct  : above 0, below 100 [%]
    For terminals well below roofs and trees, in towns and suburbs; the path it is added to holds no clutter of its own.
    Raises ValueOutOfRange.
    Source: ITU-R P.2108-1 section 3.2.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *STATISTICAL_GHZ, "GHz")
    require_range(RECOMMENDATION, "distance_km", distance_km, NEAREST_KM, inf, "km")
    require_range(RECOMMENDATION, "location_pct", location_pct, 0.0, 100.0, "%", open_ends=True)
    frequency, distance, share = (np.asarray(v, np.float64) for v in (frequency_ghz, distance_km, location_pct))
    return np.asarray(_terrestrial_each(frequency, distance, share))


def earth_space_loss_db(
    frequency_ghz: ArrayLike, elevation_deg: ArrayLike, location_pct: ArrayLike
) -> NDArray[np.float64]:
    """Clutter loss not exceeded at a share of the locations, path to a satellite or aircraft [dB]; arguments broadcast.

    frequency_ghz : 10 to 100 [GHz]
    elevation_deg : of the path at the terminal, 0 to 90 [degrees]
    location_pct  : above 0, below 100 [%]
    Raises ValueOutOfRange.
    Source: ITU-R P.2108-1 section 3.3.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, 10.0, 100.0, "GHz")
    require_range(RECOMMENDATION, "elevation_deg", elevation_deg, 0.0, 90.0, "degrees")
    require_range(RECOMMENDATION, "location_pct", location_pct, 0.0, 100.0, "%", open_ends=True)
    frequency, elevation, share = (np.asarray(v, np.float64) for v in (frequency_ghz, elevation_deg, location_pct))
    return np.asarray(_slant_each(frequency, elevation, share))
