"""What ITU-R P.1812-7 reads off a path profile: obstructions, horizons, smooth Earth, terrain roughness.

Nothing here knows a frequency: the Fresnel parameter nu is kept as nu sqrt(wavelength), so that one look at the profile
serves every band. The points of a profile lie at any distances, or at equal steps; kernels take either as `spacing` and
are compiled for the one they get. Equation numbers are those beside the code of the Recommendation's reference program
(Py1812, ITU-R Study Group 3), where editions 6 to 8 agree.
"""

from __future__ import annotations

from math import atan, inf, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray


class RayPoints(NamedTuple):
    """Equal steps, but for the last point, which lies at a distance of its own.

    step_km : between two points [km]
    last    : number of the last point
    end_km  : its distance from the transmitter [km]
    """

    step_km: float
    last: int
    end_km: float


Spacing = float | NDArray[np.float64] | RayPoints


class Reading(NamedTuple):
    """What one walk along a profile finds.

    nu_root_m              : nu sqrt(wavelength) of the Bullington point [sqrt m]; -inf without an intermediate point
    tx_point, rx_point     : numbers of the two horizon points; in line of sight both the point of the largest nu;
                             0 without an intermediate point
    fit_tx_m, fit_rx_m     : h_st, h_sr, smooth Earth fitted to the heights, at the two ends [m above sea]
    lower_tx_m, lower_rx_m : what (90) takes off it where the profile rises above the antenna-to-antenna line [m]
    """

    nu_root_m: float
    tx_point: int
    rx_point: int
    fit_tx_m: float
    fit_rx_m: float
    lower_tx_m: float
    lower_rx_m: float


class Path(NamedTuple):
    """A path as the loss equations see it. Distances [km], heights [m], angles [mrad].

    tx_m, rx_m                       : h_ts, h_rs, antennas above sea
    nu_root_m                        : nu sqrt(wavelength) of the surface at the median effective Earth radius [sqrt m]
    diffraction_tx_m, _rx_m          : h'_tc, h'_rc, antennas above the smooth Earth of the diffraction model
    duct_tx_m, duct_rx_m             : h_te, h_re, antennas above that of the ducting model
    roughness_m                      : h_m
    tx_horizon_km, rx_horizon_km     : d_lt, d_lr
    tx_horizon_mrad, rx_horizon_mrad : theta_t, theta_r
    angular_mrad                     : theta, path angular distance
    """

    distance_km: float
    tx_m: float
    rx_m: float
    nu_root_m: float
    diffraction_tx_m: float
    diffraction_rx_m: float
    duct_tx_m: float
    duct_rx_m: float
    roughness_m: float
    tx_horizon_km: float
    rx_horizon_km: float
    tx_horizon_mrad: float
    rx_horizon_mrad: float
    angular_mrad: float


def point_km(spacing: Spacing, i: int) -> float:
    """Distance from the transmitter to point i [km].

    spacing : (n,) distances of the points, or the step between two of them [km], or RayPoints
    """
    if isinstance(spacing, RayPoints):
        return spacing.end_km if i == spacing.last else spacing.step_km * i
    return spacing * i if isinstance(spacing, float) else float(spacing[i])


# numba calls what stands under @overload with its own types: neither has annotations.
@overload(point_km)
def _compiled_point_km(spacing, i):  # type: ignore[no-untyped-def]
    if isinstance(spacing, types.Array):
        return lambda spacing, i: spacing[i]
    if isinstance(spacing, types.BaseNamedTuple):
        return lambda spacing, i: spacing.end_km if i == spacing.last else spacing.step_km * i
    return lambda spacing, i: spacing * i


@njit(cache=True, nogil=True, error_model="numpy")
def read_profile(
    spacing: Spacing, height_m: NDArray[np.float64], tx_m: float, rx_m: float, radius_km: float
) -> Reading:
    """Obstruction, horizons and smooth Earth of a profile in one walk; 3 ns a point.

    spacing    : (n,) distances of the points, or the step between two [km]; the path is longer than zero
    height_m   : (n,) heights above sea [m], n >= 2; the two ends matter to the smooth Earth alone
    tx_m, rx_m : antennas above sea [m]
    radius_km  : effective Earth radius [km]
    Source: P.1812-7, equations (13) to (20), (76) to (83a), (85) to (90).

    Heights are taken over the antenna-to-antenna line, slopes from there too: S_tim - S_tr = steep_tx. With them (18)
    to (20) shorten to nu = sqrt(steep_tx steep_rx) sqrt(0.002 d / wavelength), and the angles of (77) need no arctan.
    """
    last = height_m.size - 1
    distance_km = point_km(spacing, last)
    rise = (rx_m - tx_m) / distance_km
    bulge = 500.0 / radius_km
    steep_tx = 0.0
    steep_rx = 0.0
    tx_point = 0
    rx_point = 0
    v1 = 0.0
    v2 = 0.0
    flat_m = 0.0  # h_obs, and the slopes (89b), (89c), where above zero; else they are not used
    flat_steep_tx = 0.0
    flat_steep_rx = 0.0
    d0 = 0.0
    height0 = height_m[0]
    moment0 = 0.0
    for i in range(1, last + 1):
        d = point_km(spacing, i)
        height = height_m[i]
        moment = height * d
        v1 += (d - d0) * (height + height0)  # (85)
        v2 += (d - d0) * ((height + height0) * (d + d0) + moment + moment0)  # (86)
        d0, height0, moment0 = d, height, moment
        rest = distance_km - d
        flat_over = height - (tx_m + rise * d)  # (89d)
        over = flat_over + bulge * d * rest
        if over > 0.0 and i < last:
            if over > steep_tx * d:
                steep_tx = over / d
                tx_point = i
            if over >= steep_rx * rest:
                steep_rx = over / rest
                rx_point = i
            if flat_over > 0.0:
                flat_m = max(flat_m, flat_over)
                if flat_over > flat_steep_tx * d:
                    flat_steep_tx = flat_over / d
                if flat_over > flat_steep_rx * rest:
                    flat_steep_rx = flat_over / rest
    share_tx = flat_steep_tx / (flat_steep_tx + flat_steep_rx) if flat_m > 0.0 else 0.0  # (90e)
    nu = sqrt(steep_tx * steep_rx)
    if steep_tx == 0.0:
        # Line of sight, (15): the largest (least negative) nu; nu^2 is compared, which needs no root.
        least = inf
        for i in range(1, last):
            d = point_km(spacing, i)
            across = d * (distance_km - d)
            over = height_m[i] + bulge * across - (tx_m + rise * d)
            if over * over <= least * across:
                least = over * over / across
                tx_point = i
        rx_point = tx_point
        nu = -sqrt(least)
    return Reading(
        nu * sqrt(0.002 * distance_km),
        tx_point,
        rx_point,
        (2.0 * v1 * distance_km - v2) / (distance_km * distance_km),  # (87)
        (v2 - v1 * distance_km) / (distance_km * distance_km),  # (88)
        flat_m * share_tx,
        flat_m * (1.0 - share_tx),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _bisected(spacing: Spacing, last: int, distance_km: float) -> int:
    low, high = 0, last + 1
    while high - low > 1:
        i = (low + high) // 2
        if point_km(spacing, i) <= distance_km:
            low = i
        else:
            high = i
    return low


@njit(cache=True, nogil=True, error_model="numpy")
def _divided(spacing: Spacing, last: int, distance_km: float) -> int:
    i = min(max(int(distance_km / point_km(spacing, 1)), 0), last)
    while i < last and point_km(spacing, i + 1) <= distance_km:
        i += 1
    while i > 0 and point_km(spacing, i) > distance_km:
        i -= 1
    return i


def points_within(spacing: Spacing, last: int, distance_km: float) -> int:
    """Number of the last point no farther than distance_km [km], of a profile of three points or more."""
    return (
        _bisected(spacing, last, distance_km)
        if isinstance(spacing, np.ndarray)
        else _divided(spacing, last, distance_km)
    )


@overload(points_within)
def _compiled_points_within(spacing, last, distance_km):  # type: ignore[no-untyped-def]
    if isinstance(spacing, types.Array):
        return lambda spacing, last, distance_km: _bisected(spacing, last, distance_km)
    return lambda spacing, last, distance_km: _divided(spacing, last, distance_km)


@njit(cache=True, nogil=True, error_model="numpy")
def _rising(
    spacing: Spacing, i: int, distance_km: float, tx_m: float, rx_m: float, square: float, linear: float
) -> bool:
    # Whether nu still grows at point i of a smooth Earth, see `smooth_nu_root`.
    d = point_km(spacing, i)
    w = d / (distance_km - d)
    return bool(((-rx_m * w + square) * w + linear) * w + tx_m > 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_nu_root(spacing: Spacing, last: int, tx_m: float, rx_m: float, radius_km: float) -> float:
    """nu sqrt(wavelength) of the Bullington point [sqrt m] of a profile of last + 1 points of height zero.

    tx_m, rx_m : antennas above the smooth Earth [m], above zero
    Source: P.1812-7, equations (13) to (20), as section 4.3.4 applies them a second time.

    Exactly what `read_profile` finds, without walking along the profile. Beyond the horizon the slopes are largest
    beside d = sqrt(h / bulge). In line of sight, with w = d / (D - d), the derivative of nu has the sign of
    -rx w^3 + (tx - A - 2 rx) w^2 + (A + 2 tx - rx) w + tx,  A = bulge D^2.
    Its coefficients change sign once (Descartes): nu rises to one maximum and falls. About 50 ns.
    """
    if last < 2:
        return -inf
    distance_km = point_km(spacing, last)
    bulge = 500.0 / radius_km
    scale = sqrt(0.002 * distance_km)
    rise = (rx_m - tx_m) / distance_km
    roots = sqrt(tx_m) + sqrt(rx_m)
    steep_tx = -inf
    steep_rx = -inf
    if distance_km * distance_km > (1.0 - 1e-9) * 0.002 * radius_km * roots * roots:  # (22); nearer, the ray clears all
        near_tx = points_within(spacing, last, sqrt(tx_m / bulge))
        near_rx = points_within(spacing, last, distance_km - sqrt(rx_m / bulge))
        for ahead in range(2):
            d = point_km(spacing, min(max(near_tx + ahead, 1), last - 1))
            steep_tx = max(steep_tx, bulge * (distance_km - d) - tx_m / d - rise)
            d = point_km(spacing, min(max(near_rx + ahead, 1), last - 1))
            steep_rx = max(steep_rx, bulge * d - rx_m / (distance_km - d) + rise)
    if steep_tx >= 0.0:
        return sqrt(steep_tx * max(steep_rx, 0.0)) * scale
    a = bulge * distance_km * distance_km
    square = tx_m - a - 2.0 * rx_m
    linear = a + 2.0 * tx_m - rx_m
    # The root lies between 1 and tx / rx; Newton's steps need only come near it, the cubic's sign then says which point
    # is the last before it.
    w = (4.0 * tx_m + a) / (4.0 * rx_m + a)
    for _ in range(3):
        value = ((-rx_m * w + square) * w + linear) * w + tx_m
        w -= value / ((-3.0 * rx_m * w + 2.0 * square) * w + linear)
        w = min(max(w, 1e-3), 1e3)
    low = min(points_within(spacing, last, distance_km * w / (1.0 + w)), last - 1)
    while low > 0 and not _rising(spacing, low, distance_km, tx_m, rx_m, square, linear):
        low -= 1
    while low + 1 < last and _rising(spacing, low + 1, distance_km, tx_m, rx_m, square, linear):
        low += 1
    nu = -inf
    for i in range(max(low, 1), min(low + 2, last)):
        d = point_km(spacing, i)
        across = d * (distance_km - d)
        nu = max(nu, (bulge * across - tx_m - rise * d) / sqrt(across))
    return nu * scale


@njit(cache=True, nogil=True, error_model="numpy")
def _elevation_mrad(from_m: float, to_m: float, distance_km: float, radius_km: float) -> float:
    # (77), (78), (81), (82a)
    return 1000.0 * atan((to_m - from_m) / (1000.0 * distance_km) - distance_km / (2.0 * radius_km))


@njit(cache=True, nogil=True, error_model="numpy")
def survey(
    spacing: Spacing,
    ground_m: NDArray[np.float64],
    surface_m: NDArray[np.float64],
    cluttered: bool,
    tx_height_m: float,
    rx_height_m: float,
    radius_km: float,
) -> Path:
    """Reads a profile; 3 ns a point.

    spacing   : (n,) distances of the points, or the step between two [km]; the path is longer than zero
    ground_m  : (n,) bare ground above sea [m], n >= 2
    surface_m : (n,) ground and clutter above sea [m], read where `cluttered`
    tx_height_m, rx_height_m : antennas above ground [m], above zero
    radius_km : median effective Earth radius [km]
    Source: P.1812-7 Attachment 1. Without a point between the terminals the middle of the path is taken for the
    horizon of both (ours: the Recommendation asks for more points).
    """
    last = ground_m.size - 1
    distance_km = point_km(spacing, last)
    tx_m = ground_m[0] + tx_height_m
    rx_m = ground_m[last] + rx_height_m
    horizon = read_profile(spacing, ground_m, tx_m, rx_m, radius_km)
    seen = read_profile(spacing, surface_m, tx_m, rx_m, radius_km) if cluttered else horizon
    if horizon.tx_point > 0:
        tx_horizon_km = point_km(spacing, horizon.tx_point)  # (80)
        rx_horizon_km = distance_km - point_km(spacing, horizon.rx_point)  # (83), (83a)
    else:
        tx_horizon_km = 0.5 * distance_km
        rx_horizon_km = 0.5 * distance_km
    if horizon.nu_root_m > 0.0:
        tx_mrad = _elevation_mrad(tx_m, ground_m[horizon.tx_point], tx_horizon_km, radius_km)
        rx_mrad = _elevation_mrad(rx_m, ground_m[horizon.rx_point], rx_horizon_km, radius_km)
    else:
        tx_mrad = _elevation_mrad(tx_m, rx_m, distance_km, radius_km)
        rx_mrad = _elevation_mrad(rx_m, tx_m, distance_km, radius_km)
    smooth_tx_m = min(horizon.fit_tx_m, ground_m[0])  # (92a)
    smooth_rx_m = min(horizon.fit_rx_m, ground_m[last])  # (92b)
    slope = (smooth_rx_m - smooth_tx_m) / distance_km  # (93)
    roughness_m = 0.0  # (95); a negative one has no effect
    if horizon.tx_point > 0:
        for i in range(horizon.tx_point, horizon.rx_point + 1):
            roughness_m = max(roughness_m, ground_m[i] - (smooth_tx_m + slope * point_km(spacing, i)))
    return Path(
        distance_km,
        tx_m,
        rx_m,
        seen.nu_root_m,
        tx_m - min(horizon.fit_tx_m - horizon.lower_tx_m, ground_m[0]),  # (37), (90), (91)
        rx_m - min(horizon.fit_rx_m - horizon.lower_rx_m, ground_m[last]),
        tx_m - smooth_tx_m,  # (94)
        rx_m - smooth_rx_m,
        roughness_m,
        tx_horizon_km,
        rx_horizon_km,
        tx_mrad,
        rx_mrad,
        1000.0 * distance_km / radius_km + tx_mrad + rx_mrad,  # (84)
    )
