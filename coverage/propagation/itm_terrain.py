"""What the Irregular Terrain Model reads off a terrain profile: horizons and effective heights.

Source: G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2, the Algorithm; Hufford, Longley, Kissick, NTIA
Report 82-100 (1982); Longley and Rice, ESSA Technical Report ERL 79-ITS 67 (1968); NTIA's C++ program for what these
leave open.
"""

from __future__ import annotations

from math import exp, nan, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.itm_irregularity import irregularity_m as profile_irregularity_m
from phusong.coverage.propagation.itm_irregularity import sums

BLOCK = 256  # points of a profile looked at together


class Terminals(NamedTuple):
    """The two ends of a path over its terrain.

    distance_m                             : path length [m]
    irregularity_m                         : delta h, spread of heights between the deciles on an endless path [m]
    tx_height_m, rx_height_m               : structural heights above ground [m]
    tx_effective_m, rx_effective_m         : effective heights [m]
    tx_horizon_m, rx_horizon_m             : horizon distances [m]
    tx_elevation_rad, rx_elevation_rad     : horizon elevation angles [rad]
    """

    distance_m: float
    irregularity_m: float
    tx_height_m: float
    rx_height_m: float
    tx_effective_m: float
    rx_effective_m: float
    tx_horizon_m: float
    rx_horizon_m: float
    tx_elevation_rad: float
    rx_elevation_rad: float


@njit(cache=True, nogil=True, error_model="numpy")
def mean_height_m(profile_m: NDArray[np.float64]) -> float:
    """Mean height of the middle 80% of a profile [m above sea]; NaN where a height is unknown or beyond 100 km."""
    last = profile_m.size - 1
    tenth = int(0.1 * last)
    unknown = 0
    for i in range(last + 1):
        unknown += not abs(profile_m[i]) <= 100e3
    if unknown > 0:
        return nan
    total, _ = sums(profile_m, tenth, last - tenth + 1, 0.0)
    return total / (last - 2 * tenth + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def roughness_m(distance_m: float, irregularity_m: float) -> float:
    """Terrain irregularity of a path of this length [m]. ERL 79-ITS 67, equation (3)."""
    return irregularity_m * (1.0 - 0.8 * exp(-distance_m / 50e3))


@njit(cache=True, nogil=True, error_model="numpy")
def _stepped(start_m: float, step_m: float, steps: int, one_by_one: bool) -> float:
    if not one_by_one:
        return start_m + steps * step_m
    for _ in range(steps):
        start_m += step_m
    return start_m


@njit(cache=True, nogil=True, error_model="numpy")
def _horizon_points(
    profile_m: NDArray[np.float64], tx_m: float, slope_m: float, bulge_m: float, work: NDArray[np.float64]
) -> tuple[int, int]:
    # The points that stand steepest over the ray between the antennas, seen from either end; 0, 0 where none stands
    # above it. slope_m: rise of the ray a step; bulge_m: of the Earth between points one step apart.
    # Block by block, slopes first and their maxima after: both loops run without a branch to mispredict.
    last = profile_m.size - 1
    from_tx = work[:BLOCK]
    from_rx = work[BLOCK : 2 * BLOCK]
    tx_steepest = rx_steepest = 0.0
    tx_point = rx_point = 0
    for start in range(1, last, BLOCK):
        n = min(BLOCK, last - start)
        ground_m = profile_m[start : start + n]  # indices from 0 need no look at their sign
        steps, rest = float(start), float(last - start)
        for k in range(n):
            over_m = ground_m[k] - tx_m + (steps + k) * (bulge_m * (rest - k) - slope_m)
            from_tx[k] = over_m / (steps + k)
            from_rx[k] = over_m / (rest - k)
        tx_block = tx_steepest
        rx_block = rx_steepest
        for k in range(n):
            tx_block = max(tx_block, from_tx[k])
            rx_block = max(rx_block, from_rx[k])
        if tx_block > tx_steepest:
            k = 0
            while from_tx[k] < tx_block:
                k += 1
            tx_steepest, tx_point = tx_block, start + k
        if rx_block > rx_steepest:
            k = 0
            while from_rx[k] < rx_block:
                k += 1
            rx_steepest, rx_point = rx_block, start + k
    return tx_point, rx_point


@njit(cache=True, nogil=True, error_model="numpy")
def _horizons(
    profile_m: NDArray[np.float64],
    step_m: float,
    radius_m: float,
    tx_height_m: float,
    rx_height_m: float,
    work: NDArray[np.float64],
) -> tuple[float, float, float, float]:
    # Elevations [rad] and distances [m] of the two horizons; the other terminal where nothing stands higher.
    last = profile_m.size - 1
    distance_m = last * step_m
    tx_m = profile_m[0] + tx_height_m
    rx_m = profile_m[last] + rx_height_m
    curvature = 0.5 / radius_m
    rise = (rx_m - tx_m) / distance_m
    tx_point, rx_point = _horizon_points(profile_m, tx_m, rise * step_m, curvature * step_m * step_m, work)
    if tx_point == 0:
        return rise - distance_m * curvature, -rise - distance_m * curvature, distance_m, distance_m  # TN101, (6.15)
    # NTIA's program adds up distances step by step. Later the model truncates tenths of the two, and of their sum, to
    # whole points: only where such a tenth is whole can its rounding choose another point than ours.
    to_tx, to_rx = tx_point, last - rx_point
    one_by_one = to_tx % 10 == 0 or to_rx % 10 == 0 or (to_tx + to_rx) % 10 == 0
    tx_horizon_m = _stepped(0.0, step_m, tx_point, one_by_one)
    rx_horizon_m = _stepped(distance_m, -step_m, rx_point, one_by_one)
    tx_elevation = (profile_m[tx_point] - tx_m) / tx_horizon_m - tx_horizon_m * curvature
    rx_elevation = (profile_m[rx_point] - rx_m) / rx_horizon_m - rx_horizon_m * curvature
    return tx_elevation, rx_elevation, tx_horizon_m, rx_horizon_m


@njit(cache=True, nogil=True, error_model="numpy")
def _fitted_ends_m(profile_m: NDArray[np.float64], step_m: float, start_m: float, end_m: float) -> tuple[float, float]:
    # A line fitted to the profile from start_m to end_m, its heights [m] at the profile's two ends.
    last = profile_m.size - 1
    first = int(max(start_m / step_m, 0.0))
    final = last - int(max(last - end_m / step_m, 0.0))
    if final <= first:
        first = max(first - 1, 0)
        final = last - max(last - final - 1, 0)
    length = float(final - first)
    middle = final - 0.5 * length
    total, moment = sums(profile_m, first + 1, final, middle)
    total += 0.5 * (profile_m[first] + profile_m[final])
    moment += 0.25 * length * (profile_m[final] - profile_m[first])
    mean = total / length
    slope = 12.0 * moment / ((length * length + 2.0) * length)
    return mean - slope * middle, mean + slope * (last - middle)


@njit(cache=True, nogil=True, error_model="numpy")
def _horizon_guess_m(effective_m: float, radius_m: float, irregularity_m: float) -> float:
    # Usual distance of a horizon over irregular terrain. Algorithm, section 3.
    return sqrt(2.0 * effective_m * radius_m) * exp(-0.07 * sqrt(irregularity_m / max(effective_m, 5.0)))


@njit(cache=True, nogil=True, error_model="numpy")
def _elevation_guess_rad(effective_m: float, radius_m: float, irregularity_m: float, horizon_m: float) -> float:
    # Usual elevation of a horizon over irregular terrain. Algorithm, section 3.
    smooth_m = sqrt(2.0 * effective_m * radius_m)
    return (0.65 * irregularity_m * (smooth_m / horizon_m - 1.0) - 2.0 * effective_m) / smooth_m


@njit(cache=True, nogil=True, error_model="numpy")
def read_terrain_profile(
    profile_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    radius_m: float,
    work: NDArray[np.float64],
) -> Terminals:
    """Reads a profile; 1 us and 2 ns a point.

    profile_m : (n,) heights above sea [m], n >= 2
    step_m    : distance between two points [m], above zero
    tx_height_m, rx_height_m : structural heights of the antennas above ground [m]
    radius_m  : effective Earth radius [m]
    work      : (WORKSPACE,) written over
    Source: Hufford, the Algorithm, and NTIA Report 82-100 page 25, where terrain begins at 15 tower heights or a tenth
    of the horizon distance.
    """
    last = profile_m.size - 1
    distance_m = last * step_m
    tx_elevation, rx_elevation, tx_horizon_m, rx_horizon_m = _horizons(
        profile_m, step_m, radius_m, tx_height_m, rx_height_m, work
    )
    start_m = min(15.0 * tx_height_m, 0.1 * tx_horizon_m)
    end_m = distance_m - min(15.0 * rx_height_m, 0.1 * rx_horizon_m)
    irregularity_m = profile_irregularity_m(profile_m, step_m, start_m, end_m, work)
    if tx_horizon_m + rx_horizon_m > 1.5 * distance_m:  # well within line of sight
        tx_fit_m, rx_fit_m = _fitted_ends_m(profile_m, step_m, start_m, end_m)
        tx_effective_m = tx_height_m + max(profile_m[0] - tx_fit_m, 0.0)
        rx_effective_m = rx_height_m + max(profile_m[last] - rx_fit_m, 0.0)
        tx_horizon_m = _horizon_guess_m(tx_effective_m, radius_m, irregularity_m)
        rx_horizon_m = _horizon_guess_m(rx_effective_m, radius_m, irregularity_m)
        if tx_horizon_m + rx_horizon_m <= distance_m:  # raise the terminals until they see each other
            ratio = distance_m / (tx_horizon_m + rx_horizon_m)
            tx_effective_m *= ratio * ratio
            rx_effective_m *= ratio * ratio
            tx_horizon_m = _horizon_guess_m(tx_effective_m, radius_m, irregularity_m)
            rx_horizon_m = _horizon_guess_m(rx_effective_m, radius_m, irregularity_m)
        tx_elevation = _elevation_guess_rad(tx_effective_m, radius_m, irregularity_m, tx_horizon_m)
        rx_elevation = _elevation_guess_rad(rx_effective_m, radius_m, irregularity_m, rx_horizon_m)
    else:
        tx_fit_m, _ = _fitted_ends_m(profile_m, step_m, start_m, 0.9 * tx_horizon_m)
        _, rx_fit_m = _fitted_ends_m(profile_m, step_m, distance_m - 0.9 * rx_horizon_m, end_m)
        tx_effective_m = tx_height_m + max(profile_m[0] - tx_fit_m, 0.0)
        rx_effective_m = rx_height_m + max(profile_m[last] - rx_fit_m, 0.0)
    return Terminals(
        distance_m,
        irregularity_m,
        tx_height_m,
        rx_height_m,
        tx_effective_m,
        rx_effective_m,
        tx_horizon_m,
        rx_horizon_m,
        tx_elevation,
        rx_elevation,
    )
