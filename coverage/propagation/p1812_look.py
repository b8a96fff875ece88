"""What ITU-R P.1812-7 at p = 50% reads off a profile at equal steps, each thing only where the loss can depend on it.

The same as `p1812_path` reads for the full set of equations; the tests hold the two against each other. Equation
numbers: see there.
"""

from __future__ import annotations

from math import atan, inf, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 32  # points that are looked at together
NO_EDGE_NU = -0.78  # up to here a knife edge costs nothing, (12)


class Look(NamedTuple):
    """What a profile shows of one antenna, for all bands. Distances [km], heights above sea [m] but for `over`.

    nu_root_m            : nu sqrt(wavelength) of the Bullington point [sqrt m]; or a bound above it, where that is
                           no edge for any band
    tx_point, rx_point   : numbers of the horizon points; 0 in line of sight
    tx_mrad, rx_mrad     : theta_t, theta_r, elevation of the horizon [mrad]
    smooth_tx_m, _rx_m   : smooth Earth of the ducting model, (92)
    over_tx_m, over_rx_m : antennas above the smooth Earth of the diffraction model, (37); inf where the ray surely
                           clears it
    """

    distance_km: float
    tx_m: float
    rx_m: float
    nu_root_m: float
    tx_point: int
    rx_point: int
    tx_mrad: float
    rx_mrad: float
    smooth_tx_m: float
    smooth_rx_m: float
    over_tx_m: float
    over_rx_m: float


@njit(cache=True, nogil=True, error_model="numpy")
def elevation_mrad(from_m: float, to_m: float, distance_km: float, radius_km: float) -> float:
    """Elevation of a point seen from another [mrad]. Source: (77), (78), (81), (82a)."""
    slope = (to_m - from_m) / (1000.0 * distance_km) - distance_km / (2.0 * radius_km)
    if abs(slope) > 0.05:
        return 1000.0 * atan(slope)
    square = slope * slope  # the series' next term is below 1e-16 mrad
    series = 1.0 / 3.0 - square * (0.2 - square * (1.0 / 7.0 - square * (1.0 / 9.0 - square / 11.0)))
    return 1000.0 * slope * (1.0 - square * series)


@njit(cache=True, nogil=True, error_model="numpy")
def surely_clears(distance_km: float, tx_m: float, rx_m: float, radius_km: float, wavelength_m: float) -> bool:
    """Whether a ray clears a smooth Earth so well that the spherical-Earth loss is zero; False: it may or may not.

    tx_m, rx_m : antennas above the smooth Earth [m]; higher ones clear it too

    At x from one end, y = sqrt(x (d - x)) <= d / 2, the ray is (tx (d - x) + rx x) / d >= 2 sqrt(tx rx) y / d over the
    chord; it has to clear the bulge 500 y^2 / a and, by (25), 17.456 sqrt(wavelength / d) y: after division by y the
    middle of the path asks for most.
    """
    wanted = 250.0 * distance_km / radius_km + 17.456 * sqrt(wavelength_m / distance_km)
    return 2.0 * sqrt(tx_m * rx_m) > (1.0 + 1e-9) * distance_km * wanted


@njit(cache=True, nogil=True, error_model="numpy")
def sight_bound_m(steep_tx: float, steep_rx: float, distance_km: float) -> float:
    """A bound above nu sqrt(wavelength) in line of sight [sqrt m].

    steep_tx, steep_rx : of the two horizon points over the line between the antennas, none above zero [m/km]
    No point lies over the lines of that slope from the two ends, so that nu is at most what (15) gives where these
    cross: the formula of the Bullington point, with the other sign.
    """
    return -sqrt(steep_tx * steep_rx) * sqrt(0.002 * distance_km)


@njit(cache=True, nogil=True, error_model="numpy")
def no_edge_m(wavelength_m: float) -> float:
    """nu sqrt(wavelength) [sqrt m] at which a knife edge surely costs nothing, rounding included."""
    return NO_EDGE_NU * (1.0 + 1e-9) * sqrt(wavelength_m)


@njit(cache=True, nogil=True, error_model="numpy")
def sight_nu_root(
    step_km: float,
    height_m: NDArray[np.float64],
    last: int,
    distance_km: float,
    tx_m: float,
    rx_m: float,
    bulge: float,
    near_m: float,
) -> float:
    """nu sqrt(wavelength) of the Bullington point in line of sight [sqrt m], at least near_m; 0.5 ns a point.

    height_m : the points 1 .. last - 1, at equal steps, matter
    Source: (15). Blocks without a point above near_m are passed over after a look that needs no division.
    """
    rise = (rx_m - tx_m) / distance_km
    least = near_m * near_m / (0.002 * distance_km)  # over^2 / across
    for begin in range(1, last, BLOCK):
        block_m = height_m[begin : min(begin + BLOCK, last)]
        begin_km = step_km * begin
        nearer = 0
        for i in range(block_m.size):
            d = begin_km + step_km * i
            across = d * (distance_km - d)
            over = block_m[i] + bulge * across - (tx_m + rise * d)
            nearer += over * over < least * across
        if nearer > 0:
            for i in range(block_m.size):
                d = step_km * (begin + i)
                across = d * (distance_km - d)
                over = block_m[i] + bulge * across - (tx_m + rise * d)
                if over * over < least * across:
                    least = over * over / across
    return -sqrt(least * (0.002 * distance_km))


@njit(cache=True, nogil=True, error_model="numpy")
def roughness_m(
    step_km: float, height_m: NDArray[np.float64], begin: int, end: int, smooth_m: float, slope: float
) -> float:
    """Terrain roughness h_m [m], a negative one as 0, between two points of a profile. Source: (95)."""
    highest = 0.0
    for i in range(begin, end + 1):
        highest = max(highest, height_m[i] - (smooth_m + slope * (step_km * i)))
    return highest


@njit(cache=True, nogil=True, error_model="numpy")
def _lowering_m(
    step_km: float, height_m: NDArray[np.float64], last: int, distance_km: float, tx_m: float, rx_m: float
) -> tuple[float, float]:
    # What (90) takes off the smooth Earth at the two ends.
    rise = (rx_m - tx_m) / distance_km
    obstruction_m = 0.0
    steep_tx = 0.0
    steep_rx = 0.0
    for i in range(1, last):
        d = step_km * i
        over = height_m[i] - (tx_m + rise * d)  # (89d)
        if over > 0.0:
            obstruction_m = max(obstruction_m, over)  # (89a)
            if over > steep_tx * d:
                steep_tx = over / d  # (89b)
            if over > steep_rx * (distance_km - d):
                steep_rx = over / (distance_km - d)  # (89c)
    if obstruction_m == 0.0:
        return 0.0, 0.0
    share_tx = steep_tx / (steep_tx + steep_rx)  # (90e)
    return obstruction_m * share_tx, obstruction_m * (1.0 - share_tx)


@njit(cache=True, nogil=True, error_model="numpy")
def look_at(
    step_km: float,
    height_m: NDArray[np.float64],
    tx_height_m: float,
    rx_height_m: float,
    radius_km: float,
    widest_m: float,
) -> Look:
    """Reads a profile at equal steps, for bands up to a wavelength; 2 ns a point.

    height_m : (n,) heights above sea [m], n >= 2; the path is longer than zero
    widest_m : longest wavelength asked for [m]
    Source: (13) to (18), (76) to (83a), (85) to (92); see `read_profile`, which chooses the same among equal slopes.
    """
    last = height_m.size - 1
    d = step_km * last
    bulge = 500.0 / radius_km
    tx_m = height_m[0] + tx_height_m
    rx_m = height_m[last] + rx_height_m
    rise = (rx_m - tx_m) / d
    tx_point = rx_point = 0
    steep_tx = steep_rx = -inf
    total = 0.0
    moment = 0.0
    for i in range(1, last):
        height = height_m[i]
        total += height
        moment += i * height
        at_km = step_km * i
        rest_km = d - at_km
        over = height - (tx_m + rise * at_km) + bulge * at_km * rest_km
        if over > steep_tx * at_km:
            steep_tx = over / at_km
            tx_point = i
        if over >= steep_rx * rest_km:
            steep_rx = over / rest_km
            rx_point = i
    if steep_tx > 0.0:
        nu_root_m = sqrt(steep_tx * max(steep_rx, 0.0)) * sqrt(0.002 * d)
        tx_mrad = elevation_mrad(tx_m, height_m[tx_point], step_km * tx_point, radius_km)
        rx_mrad = elevation_mrad(rx_m, height_m[rx_point], d - step_km * rx_point, radius_km)
    else:
        nu_root_m = sight_bound_m(steep_tx, steep_rx, d)
        if nu_root_m > no_edge_m(widest_m):
            nu_root_m = sight_nu_root(step_km, height_m, last, d, tx_m, rx_m, bulge, no_edge_m(widest_m))
        tx_point = rx_point = 0
        tx_mrad = elevation_mrad(tx_m, rx_m, d, radius_km)
        rx_mrad = elevation_mrad(rx_m, tx_m, d, radius_km)
    v1 = (2.0 * total + height_m[0] + height_m[last]) / last  # (85) / d
    v2 = (6.0 * moment + height_m[0] + (3 * last - 1) * height_m[last]) / (float(last) * last)  # (86) / d^2
    fit_tx_m, fit_rx_m = 2.0 * v1 - v2, v2 - v1  # (87), (88)
    over_tx_m = tx_m - min(fit_tx_m, height_m[0])
    over_rx_m = rx_m - min(fit_rx_m, height_m[last])
    # (90) only lowers the smooth Earth: whoever clears it without, clears it with.
    if surely_clears(d, over_tx_m, over_rx_m, radius_km, widest_m):
        over_tx_m = inf
    elif steep_tx > 0.0:
        lower_tx_m, lower_rx_m = _lowering_m(step_km, height_m, last, d, tx_m, rx_m)
        over_tx_m = tx_m - min(fit_tx_m - lower_tx_m, height_m[0])
        over_rx_m = rx_m - min(fit_rx_m - lower_rx_m, height_m[last])
    return Look(
        d,
        tx_m,
        rx_m,
        nu_root_m,
        tx_point,
        rx_point,
        tx_mrad,
        rx_mrad,
        min(fit_tx_m, height_m[0]),
        min(fit_rx_m, height_m[last]),
        over_tx_m,
        over_rx_m,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def sight_point(
    step_km: float, height_m: NDArray[np.float64], last: int, distance_km: float, tx_m: float, rx_m: float, bulge: float
) -> int:
    """Number of the point of the largest nu in line of sight (15), 0 without an intermediate point."""
    rise = (rx_m - tx_m) / distance_km
    least = inf
    point = 0
    for i in range(1, last):
        d = step_km * i
        across = d * (distance_km - d)
        over = height_m[i] + bulge * across - (tx_m + rise * d)
        if over * over <= least * across:
            least = over * over / across
            point = i
    return point
