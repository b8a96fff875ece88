"""ITU-R P.1812-7 along a ray: the profile of each receiver is that of the one before it and a few points more.

What `read_profile` finds by a walk along each profile is kept as the ray grows. Of the transmitter's horizon a running
maximum; of the receiver's, whose place and height change, the upper convex hull of the ground under a curved Earth, on
which the horizon is the tangent point; of the smooth Earth fitted to the ground, sums. Heights over the straight line
between the antennas, (89) and (90), are read off the hull of the ground as it is, built only as far as it is asked for.
Equation numbers: see `p1812_path`.
"""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.effective_earth import EARTH_RADIUS_KM
from phusong.coverage.propagation.p1812 import P1812, MedianP1812, location_db_of
from phusong.coverage.propagation.p1812_look import (
    Look,
    elevation_mrad,
    no_edge_m,
    sight_bound_m,
    sight_nu_root,
    surely_clears,
)
from phusong.coverage.propagation.p1812_losses import Climate, free_space_db, losses_db
from phusong.coverage.propagation.p1812_median import band_of, median_db
from phusong.coverage.propagation.p1812_path import RayPoints, survey
from phusong.coverage.propagation.registry import ray_model


@njit(cache=True, nogil=True, error_model="numpy")
def grow_hull(
    point: NDArray[np.int32], slope: NDArray[np.float64], size: int, i: int, step_km: float, y_m: NDArray[np.float64]
) -> int:
    """Adds point i of the heights y_m, at step_km i, to an upper hull of the points before it; returns its new size.

    point (n,) : numbers of the hull's points;  slope (n,) : of the edge that ends there [m/km], inf at the first
    A point on the line of its neighbours is no point of the hull. Each point is added and taken off once.
    """
    steep = inf
    while size > 0:
        top = point[size - 1]
        steep = (y_m[i] - y_m[top]) / (step_km * (i - top))
        if steep < slope[size - 1]:
            break
        size -= 1
    point[size] = i
    slope[size] = steep if size > 0 else inf
    return size + 1


@njit(cache=True, nogil=True, error_model="numpy")
def tangent_point(
    point: NDArray[np.int32],
    slope: NDArray[np.float64],
    size: int,
    step_km: float,
    y_m: NDArray[np.float64],
    distance_km: float,
    at_m: float,
) -> int:
    """The hull's point with the highest elevation as seen from height at_m at distance_km, beyond the hull's end.

    An edge's line, drawn on to distance_km, is the lower there the later the edge; the tangent point ends the last edge
    whose line is not under at_m. By bisection.
    """
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        i = point[middle]
        if y_m[i] + slope[middle] * (distance_km - step_km * i) >= at_m:
            low = middle
        else:
            high = middle
    return int(point[low])


@njit(cache=True, nogil=True, error_model="numpy")
def highest_point(point: NDArray[np.int32], slope: NDArray[np.float64], size: int, rise: float) -> int:
    """The hull's point highest over a line that rises by `rise` [m/km]: it ends the last edge that is steeper."""
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        if slope[middle] > rise:
            low = middle
        else:
            high = middle
    return int(point[low])


@njit(cache=True, nogil=True, error_model="numpy")
def _lowering_m(
    point: NDArray[np.int32],
    slope: NDArray[np.float64],
    size: int,
    step_km: float,
    ray_m: NDArray[np.float64],
    steep_tx: float,
    distance_km: float,
    tx_m: float,
    rx_m: float,
) -> tuple[float, float]:
    # What (90) takes off the smooth Earth at the two ends. steep_tx: the largest (89b), above zero.
    rise = (rx_m - tx_m) / distance_km
    top = highest_point(point, slope, size, rise)
    obstruction_m = ray_m[top] - (tx_m + rise * (step_km * top))  # (89a), (89d)
    far = tangent_point(point, slope, size, step_km, ray_m, distance_km, rx_m)
    steep_rx = (ray_m[far] - (tx_m + rise * (step_km * far))) / (distance_km - step_km * far)  # (89c)
    share_tx = steep_tx / (steep_tx + steep_rx)  # (90e)
    return obstruction_m * share_tx, obstruction_m * (1.0 - share_tx)


@ray_model(P1812)
@njit(cache=True, nogil=True, error_model="numpy")
def ray_losses(
    model: P1812,
    ray_m: NDArray[np.float64],
    step_m: float,
    points: NDArray[np.int32],
    distance_m: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    rx_height_m: float,
    tx_height_m: NDArray[np.float64],
    first: NDArray[np.int64],
    frequency_mhz: NDArray[np.float64],
    index: NDArray[np.int32],
    loss_db: NDArray[np.float64],
) -> None:
    """Losses as of `registry.ray_losses_db` [dB]; at p = 50% by `median_ray_losses`."""
    if model.time_pct != 50.0:
        _walk_losses(
            model,
            ray_m,
            step_m,
            points,
            distance_m,
            ground_m,
            rx_height_m,
            tx_height_m,
            first,
            frequency_mhz,
            index,
            loss_db,
        )
        return
    median_ray_losses(
        model,
        ray_m,
        step_m,
        points,
        distance_m,
        ground_m,
        rx_height_m,
        tx_height_m,
        first,
        frequency_mhz,
        index,
        loss_db,
    )


@ray_model(MedianP1812)
@njit(cache=True, nogil=True, error_model="numpy")
def median_ray_losses(
    model: Any,
    ray_m: NDArray[np.float64],
    step_m: float,
    points: NDArray[np.int32],
    distance_m: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    rx_height_m: float,
    tx_height_m: NDArray[np.float64],
    first: NDArray[np.int64],
    frequency_mhz: NDArray[np.float64],
    index: NDArray[np.int32],
    loss_db: NDArray[np.float64],
) -> None:
    """Losses as of `registry.ray_losses_db` at p = 50% [dB]; about 0.25 us a receiver and band."""
    step_km = 1e-3 * step_m
    radius_km = EARTH_RADIUS_KM * 157.0 / (157.0 - model.delta_n)
    bulge = 500.0 / radius_km
    bands = [
        band_of(1e-3 * mhz, model.n0, model.latitude_deg, radius_km, model.vertical, model.closed_smooth_earth)
        for mhz in frequency_mhz
    ]
    location_db = np.empty(frequency_mhz.size)
    for b in range(frequency_mhz.size):
        location_db[b] = location_db_of(model, 1e-3 * frequency_mhz[b], rx_height_m)
    heights = tx_height_m.size
    widest_m = np.empty(heights)  # the longest wavelength on each antenna
    for a in range(heights):
        widest_m[a] = 0.0
        for b in range(first[a], first[a + 1]):
            widest_m[a] = max(widest_m[a], bands[b].wavelength_m)
    steepest = np.full(heights, -inf)  # transmitter's slopes and where, on the curved and on the flat Earth
    steepest_point = np.zeros(heights, np.int32)
    flat_steepest = np.full(heights, -inf)
    flat_steepest_point = np.zeros(heights, np.int32)
    longest = ray_m.size
    curved_m = np.empty(longest)
    point, flat_point = np.empty(longest, np.int32), np.empty(longest, np.int32)
    slope, flat_slope = np.empty(longest), np.empty(longest)
    size = flat_size = 0
    flat_next = 1
    v1 = 0.0
    v2 = 0.0
    grown = 1
    for j in range(distance_m.size):
        d = 1e-3 * distance_m[j]
        last = points[j]
        while grown < last:
            at_km = step_km * grown
            height = ray_m[grown]
            before_km = step_km * (grown - 1)
            v1 += step_km * (height + ray_m[grown - 1])  # (85)
            v2 += step_km * (  # (86)
                (height + ray_m[grown - 1]) * (at_km + before_km) + height * at_km + ray_m[grown - 1] * before_km
            )
            curved_m[grown] = height - bulge * at_km * at_km
            size = grow_hull(point, slope, size, grown, step_km, curved_m)
            for a in range(heights):
                flat = (height - (ray_m[0] + tx_height_m[a])) / at_km
                if flat > flat_steepest[a]:
                    flat_steepest[a] = flat
                    flat_steepest_point[a] = grown
                if flat - bulge * at_km > steepest[a]:
                    steepest[a] = flat - bulge * at_km
                    steepest_point[a] = grown
            grown += 1
        rx_m = ground_m[j] + rx_height_m
        if d == 0.0:
            for a in range(heights):
                for b in range(first[a], first[a + 1]):
                    loss_db[index[j], b] = free_space_db(0.0, ray_m[0] + tx_height_m[a] - rx_m, bands[b].frequency_ghz)
            continue
        end_km = step_km * (last - 1)
        end_v1 = v1 + (d - end_km) * (ground_m[j] + ray_m[last - 1])
        end_v2 = v2 + (d - end_km) * (
            (ground_m[j] + ray_m[last - 1]) * (d + end_km) + ground_m[j] * d + ray_m[last - 1] * end_km
        )
        fit_tx_m = (2.0 * end_v1 * d - end_v2) / (d * d)  # (87)
        fit_rx_m = (end_v2 - end_v1 * d) / (d * d)  # (88)
        rx_point = 0
        if size > 0:
            rx_point = tangent_point(point, slope, size, step_km, curved_m, d, rx_m - bulge * d * d)
        rx_km = step_km * rx_point
        spacing = RayPoints(step_km, last, d)
        for a in range(heights):
            tx_m = ray_m[0] + tx_height_m[a]
            rise = (rx_m - tx_m) / d
            tx_point = steepest_point[a]
            tx_km = step_km * tx_point
            if rx_point > 0:
                over = ray_m[tx_point] - (tx_m + rise * tx_km) + bulge * tx_km * (d - tx_km)
                steep_tx = over / tx_km
                over = ray_m[rx_point] - (tx_m + rise * rx_km) + bulge * rx_km * (d - rx_km)
                steep_rx = over / (d - rx_km)
            else:
                steep_tx = steep_rx = -inf
            if steep_tx > 0.0:
                nu_root_m = sqrt(steep_tx * max(steep_rx, 0.0)) * sqrt(0.002 * d)
                shown_tx, shown_rx = int(tx_point), int(rx_point)
                tx_mrad = elevation_mrad(tx_m, ray_m[tx_point], tx_km, radius_km)
                rx_mrad = elevation_mrad(rx_m, ray_m[rx_point], d - rx_km, radius_km)
            else:
                nu_root_m = sight_bound_m(steep_tx, steep_rx, d)
                if nu_root_m > no_edge_m(widest_m[a]):
                    nu_root_m = sight_nu_root(step_km, ray_m, last, d, tx_m, rx_m, bulge, no_edge_m(widest_m[a]))
                shown_tx = shown_rx = 0
                tx_mrad = elevation_mrad(tx_m, rx_m, d, radius_km)
                rx_mrad = elevation_mrad(rx_m, tx_m, d, radius_km)
            over_tx_m = tx_m - min(fit_tx_m, ray_m[0])
            over_rx_m = rx_m - min(fit_rx_m, ground_m[j])
            # (90) only lowers the smooth Earth: whoever clears it without, clears it with.
            if surely_clears(d, over_tx_m, over_rx_m, radius_km, widest_m[a]):
                over_tx_m = inf
            elif flat_steepest[a] > rise:
                while flat_next < last:
                    flat_size = grow_hull(flat_point, flat_slope, flat_size, flat_next, step_km, ray_m)
                    flat_next += 1
                at_km = step_km * flat_steepest_point[a]
                flat = (ray_m[flat_steepest_point[a]] - (tx_m + rise * at_km)) / at_km
                if flat > 0.0:
                    lower_tx_m, lower_rx_m = _lowering_m(
                        flat_point, flat_slope, flat_size, step_km, ray_m, flat, d, tx_m, rx_m
                    )
                    over_tx_m = tx_m - min(fit_tx_m - lower_tx_m, ray_m[0])
                    over_rx_m = rx_m - min(fit_rx_m - lower_rx_m, ground_m[j])
            look = Look(
                d,
                tx_m,
                rx_m,
                nu_root_m,
                shown_tx,
                shown_rx,
                tx_mrad,
                rx_mrad,
                min(fit_tx_m, ray_m[0]),
                min(fit_rx_m, ground_m[j]),
                over_tx_m,
                over_rx_m,
            )
            for b in range(first[a], first[a + 1]):
                half_db, sight_db = median_db(bands[b], look, spacing, step_km, ray_m, last)
                loss_db[index[j], b] = max(sight_db, half_db + location_db[b])
    for b in range(frequency_mhz.size):
        if not 0.03 <= 1e-3 * frequency_mhz[b] <= 6.0:
            for j in range(index.size):
                loss_db[index[j], b] = nan


@njit(cache=True, nogil=True, error_model="numpy")
def _walk_losses(
    model: P1812,
    ray_m: NDArray[np.float64],
    step_m: float,
    points: NDArray[np.int32],
    distance_m: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    rx_height_m: float,
    tx_height_m: NDArray[np.float64],
    first: NDArray[np.int64],
    frequency_mhz: NDArray[np.float64],
    index: NDArray[np.int32],
    loss_db: NDArray[np.float64],
) -> None:
    # Below p = 50%: a walk along each profile, at two Earth radii.
    radius_km = EARTH_RADIUS_KM * 157.0 / (157.0 - model.delta_n)
    profile_m = ray_m.copy()
    for j in range(distance_m.size):
        d = 1e-3 * distance_m[j]
        last = points[j]
        profile_m[last] = ground_m[j]
        spacing = RayPoints(1e-3 * step_m, last, d)
        climate = Climate(model.time_pct, radius_km, model.n0, model.latitude_deg, 0.0, d, d, 500.0, 500.0)
        for a in range(tx_height_m.size):
            for b in range(first[a], first[a + 1]):
                frequency_ghz = 1e-3 * frequency_mhz[b]
                if not 0.03 <= frequency_ghz <= 6.0:
                    loss_db[index[j], b] = nan
                elif d == 0.0:
                    rise_m = ray_m[0] + tx_height_m[a] - ground_m[j] - rx_height_m
                    loss_db[index[j], b] = free_space_db(0.0, rise_m, frequency_ghz)
                else:
                    profile = profile_m[: last + 1]
                    path = survey(spacing, profile, profile, False, tx_height_m[a], rx_height_m, radius_km)
                    half_db, sight_db = losses_db(
                        path, climate, spacing, profile, frequency_ghz, model.vertical, model.closed_smooth_earth
                    )
                    location_db = location_db_of(model, frequency_ghz, rx_height_m)
                    loss_db[index[j], b] = max(sight_db, half_db + location_db)
        if last < ray_m.size:
            profile_m[last] = ray_m[last]
