"""What the Irregular Terrain Model reads off a terrain profile: horizons, irregularity, effective heights.

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

# The profile is resampled to at most this many points for its irregularity.
MOST_SAMPLES = 245
BUCKETS = 64
WORKSPACE = 2 * MOST_SAMPLES + BUCKETS


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
    total = 0.0
    for i in range(last + 1):
        if not abs(profile_m[i]) <= 100e3:
            return nan
        if tenth <= i <= last - tenth:
            total += profile_m[i]
    return total / (last - 2 * tenth + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def roughness_m(distance_m: float, irregularity_m: float) -> float:
    """Terrain irregularity of a path of this length [m]. ERL 79-ITS 67, equation (3)."""
    return irregularity_m * (1.0 - 0.8 * exp(-distance_m / 50e3))


@njit(cache=True, nogil=True, error_model="numpy")
def _horizons(
    profile_m: NDArray[np.float64], step_m: float, radius_m: float, tx_height_m: float, rx_height_m: float
) -> tuple[float, float, float, float]:
    # Elevations [rad] and distances [m] of the two horizons; the other terminal where nothing stands higher.
    last = profile_m.size - 1
    distance_m = last * step_m
    tx_m = profile_m[0] + tx_height_m
    rx_m = profile_m[last] + rx_height_m
    curvature = 0.5 / radius_m
    rise = (rx_m - tx_m) / distance_m
    tx_elevation = rise - distance_m * curvature  # TN101, (6.15)
    rx_elevation = -rise - distance_m * curvature
    tx_horizon_m = distance_m
    rx_horizon_m = distance_m
    # Summed up step by step, not multiplied: later the model truncates tenths of these distances to whole points, and
    # where such a tenth falls on a point, rounding as NTIA's program does keeps the same point.
    d = 0.0
    rest = distance_m
    for i in range(1, last):
        d += step_m
        rest -= step_m
        height = profile_m[i]
        if height + curvature * d * rest > tx_m + rise * d - 1e-6:  # else below the line between the antennas
            over_tx = height - tx_m - d * d * curvature
            over_rx = height - rx_m - rest * rest * curvature
            if over_tx > tx_elevation * d:
                tx_elevation = over_tx / d
                tx_horizon_m = d
            if over_rx > rx_elevation * rest:
                rx_elevation = over_rx / rest
                rx_horizon_m = rest
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
    total = 0.5 * (profile_m[first] + profile_m[final])
    moment = 0.25 * length * (profile_m[final] - profile_m[first])
    for i in range(first + 1, final):
        total += profile_m[i]
        moment += profile_m[i] * (i - middle)
    mean = total / length
    slope = 12.0 * moment / ((length * length + 2.0) * length)
    return mean - slope * middle, mean + slope * (last - middle)


@njit(cache=True, nogil=True, error_model="numpy")
def _put_in_order(values: NDArray[np.float64], low: int, high: int, place: int) -> None:
    # Reorders values[low : high + 1] until values[place] is what sorting would put there (Hoare's quickselect).
    while low < high:
        pivot = values[place]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < place:
            low = i
        if place < i:
            high = j


@njit(cache=True, nogil=True, error_model="numpy")
def _in_place(
    values: NDArray[np.float64], n: int, place: int, low: float, scale: float, work: NDArray[np.float64]
) -> float:
    # What sorting would put at a place: the bucket that holds it is counted out, and sorted alone.
    members = work[:n]
    counts = work[MOST_SAMPLES:]
    bucket = 0
    below = 0
    while below + int(counts[bucket]) <= place:
        below += int(counts[bucket])
        bucket += 1
    found = 0
    for j in range(n):
        members[found] = values[j]
        found += int((values[j] - low) * scale) == bucket
    _put_in_order(members, 0, found - 1, place - below)
    return float(members[place - below])


@njit(cache=True, nogil=True, error_model="numpy")
def _spread_m(values: NDArray[np.float64], n: int, tenth: int, work: NDArray[np.float64]) -> float:
    # Difference of the tenth-largest and the tenth-smallest of n values; three times faster than selection alone.
    low = values[0]
    high = values[0]
    for j in range(n):
        low = min(low, values[j])
        high = max(high, values[j])
    if not high > low:
        return 0.0
    counts = work[MOST_SAMPLES:]
    counts[:] = 0.0
    scale = (BUCKETS - 1) / (high - low)
    for j in range(n):
        counts[int((values[j] - low) * scale)] += 1.0
    return _in_place(values, n, n - tenth, low, scale, work) - _in_place(values, n, tenth - 1, low, scale, work)


@njit(cache=True, nogil=True, error_model="numpy")
def _irregularity_m(
    profile_m: NDArray[np.float64], step_m: float, start_m: float, end_m: float, work: NDArray[np.float64]
) -> float:
    # Delta h [m]: spread between deciles of the heights over a fitted line, carried to an endless path.
    first = start_m / step_m
    span = end_m / step_m - first
    if span < 2.0:
        return 0.0
    sample_m = work[:MOST_SAMPLES]
    last = profile_m.size - 1
    tenth = min(max(4, int(0.1 * (span + 8.0))), 25)
    n = 10 * tenth - 5
    stride = span / (n - 1)
    middle = 0.5 * (n - 1)
    total = 0.0
    moment = 0.0
    for j in range(n):
        at = first + j * stride
        i = min(int(at), last - 1)
        height = profile_m[i] + (profile_m[i + 1] - profile_m[i]) * (at - i)
        sample_m[j] = height
        total += height
        moment += height * (j - middle)
    # The ends of the fitted line count half.
    length = n - 1.0
    total -= 0.5 * (sample_m[0] + sample_m[n - 1])
    moment -= 0.25 * length * (sample_m[n - 1] - sample_m[0])
    slope = 12.0 * moment / ((length * length + 2.0) * length)
    mean = total / length
    for j in range(n):
        sample_m[j] -= mean + slope * (j - middle)
    return _spread_m(sample_m, n, tenth, work[MOST_SAMPLES:]) / (1.0 - 0.8 * exp(-(end_m - start_m) / 50e3))


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
    """Reads a profile; 1.5 us and 5 ns a point.

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
        profile_m, step_m, radius_m, tx_height_m, rx_height_m
    )
    start_m = min(15.0 * tx_height_m, 0.1 * tx_horizon_m)
    end_m = distance_m - min(15.0 * rx_height_m, 0.1 * rx_horizon_m)
    irregularity_m = _irregularity_m(profile_m, step_m, start_m, end_m, work)
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
