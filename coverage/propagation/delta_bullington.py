"""Delta-Bullington diffraction over a terrain profile, ITU-R P.526-15 section 4.5, P.1812-7 section 4.3.

Equation numbers are those of P.1812-7, which writes the same method with heights in metres and distances in km.
The geometry knows no frequency: the Fresnel parameter nu is kept as nu sqrt(wavelength), so one look at the profile
serves every band. On an equally spaced profile the "smooth" Bullington loss needs no look at all: its three maxima
lie beside a point known in closed form or by bisection.
"""

from __future__ import annotations

from math import exp, inf, log10, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.effective_earth import STANDARD_EFFECTIVE_RADIUS_KM
from phusong.coverage.propagation.free_space import SPEED_OF_LIGHT_M_S, free_space_loss_db, ray_length_m
from phusong.coverage.propagation.registry import propagation_model
from phusong.coverage.propagation.spherical_earth import spherical_earth_loss_db


class DeltaBullington(NamedTuple):
    """Free space plus median (p = 50%) delta-Bullington diffraction.

    effective_radius_km : [km], the standard atmosphere's by default
    sea_fraction        : share of the path over sea, 0 to 1
    vertical            : polarisation; False: horizontal
    """

    effective_radius_km: float = STANDARD_EFFECTIVE_RADIUS_KM
    sea_fraction: float = 0.0
    vertical: bool = True


@njit(cache=True, nogil=True, error_model="numpy")
def knife_edge_loss_db(nu: float) -> float:
    """Diffraction loss over a single knife edge [dB], never negative.

    nu : Fresnel-Kirchhoff parameter [-]; up to -0.78 the edge does not matter
    Source: ITU-R P.526-15, equation (31); P.1812-7, equation (12).
    """
    if nu <= -0.78:
        return 0.0
    x = nu - 0.1
    return 6.9 + 20.0 * log10(sqrt(x * x + 1.0) + x)


@njit(cache=True, nogil=True, error_model="numpy")
def bullington_loss_db(nu: float, distance_km: float) -> float:
    """Bullington diffraction loss [dB] from the parameter of the Bullington point.

    Source: P.1812-7, equations (16), (20) and (21).
    """
    edge_db = knife_edge_loss_db(nu)
    return edge_db + (1.0 - exp(-edge_db / 6.0)) * (10.0 + 0.02 * distance_km)


@njit(cache=True, nogil=True, error_model="numpy")
def bullington_parameter(
    surface_m: NDArray[np.float64], step_km: float, tx_m: float, rx_m: float, radius_km: float
) -> float:
    """nu sqrt(wavelength) of the Bullington point of a profile [sqrt m]; -inf without an intermediate point.

    surface_m  : (n,) heights above sea, clutter in where there is any, equally spaced [m]; the two ends are not read
    step_km    : distance between two points [km]
    tx_m, rx_m : antennas above sea [m]
    radius_km  : effective Earth radius [km]
    Source: P.1812-7, equations (13) to (19). 1 ns a point.

    Slopes are taken against the antenna-to-antenna line and per step: S_tim - S_tr = steep_tx / step. With them, (18)
    and (19) shorten to nu = sqrt(steep_tx steep_rx) sqrt(0.002 n / (step wavelength)).
    """
    last = surface_m.size - 1
    rise = (rx_m - tx_m) / last
    bulge = 500.0 / radius_km * step_km * step_km
    steep_tx = 0.0
    steep_rx = 0.0
    for i in range(1, last):
        over = surface_m[i] + bulge * (i * (last - i)) - (tx_m + rise * i)
        if over > 0.0:
            if over > steep_tx * i:
                steep_tx = over / i
            if over > steep_rx * (last - i):
                steep_rx = over / (last - i)
    scale = sqrt(0.002 * last / step_km)
    if steep_tx > 0.0:
        return sqrt(steep_tx * steep_rx) * scale
    # Line of sight, (15): the largest (least negative) nu; nu^2 is compared, which needs no root.
    least = inf
    for i in range(1, last):
        over = surface_m[i] + bulge * (i * (last - i)) - (tx_m + rise * i)
        if over * over < least * (i * (last - i)):
            least = over * over / (i * (last - i))
    return -sqrt(least) * scale


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_bullington_parameter(last: int, step_km: float, tx_m: float, rx_m: float, radius_km: float) -> float:
    """`bullington_parameter` of a profile of last + 1 points of height zero, without walking along it.

    tx_m, rx_m : antennas above the smooth Earth [m], above zero

    In line of sight, with w = i / (last - i), the derivative of nu has the sign of the cubic
    -rx w^3 + (tx - A - 2 rx) w^2 + (A + 2 tx - rx) w + tx,  A = bulge last^2.
    Its coefficients change sign once (Descartes): nu rises to one maximum and falls. About 50 ns.
    """
    if last < 2:
        return -inf
    bulge = 500.0 / radius_km * step_km * step_km
    scale = sqrt(0.002 * last / step_km)
    # Slope to point i: bulge (last - i) - tx / i - (rx - tx) / last, largest beside i = sqrt(tx / bulge).
    steep_tx = -inf
    steep_rx = -inf
    near_tx = max(int(min(sqrt(tx_m / bulge), last - 1.0)), 1)
    near_rx = max(int(min(sqrt(rx_m / bulge), last - 1.0)), 1)
    for ahead in range(2):
        i = min(near_tx + ahead, last - 1)
        steep_tx = max(steep_tx, bulge * (last - i) - tx_m / i - (rx_m - tx_m) / last)
        i = min(near_rx + ahead, last - 1)
        steep_rx = max(steep_rx, bulge * (last - i) - rx_m / i - (tx_m - rx_m) / last)
    if steep_tx >= 0.0:
        return sqrt(steep_tx * max(steep_rx, 0.0)) * scale
    a = bulge * last * last
    square = tx_m - a - 2.0 * rx_m
    linear = a + 2.0 * tx_m - rx_m
    low, high = 0, last  # the cubic is positive at low, not at high
    while high - low > 1:
        i = (low + high) // 2
        w = i / (last - i)
        if ((-rx_m * w + square) * w + linear) * w + tx_m > 0.0:
            low = i
        else:
            high = i
    nu = -inf
    for i in range(max(low, 1), min(low + 2, last)):
        over = bulge * (i * (last - i)) - (tx_m + (rx_m - tx_m) * i / last)
        nu = max(nu, over / sqrt(float(i * (last - i))))
    return nu * scale


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_earth_heights(ground_m: NDArray[np.float64], tx_m: float, rx_m: float) -> tuple[float, float]:
    """Heights above sea of the smooth Earth under the transmitter and the receiver, for diffraction [m].

    ground_m   : (n,) heights above sea without clutter, equally spaced [m]
    tx_m, rx_m : antennas above sea [m]
    Source: P.1812-7 Attachment 1, equations (85) to (91), on equally spaced points. 1 ns a point.
    """
    last = ground_m.size - 1
    rise = (rx_m - tx_m) / last
    total = 0.0
    moment = 0.0
    obstruction = 0.0  # h_obs where above zero; else the three are not used
    steep_tx = 0.0
    steep_rx = 0.0
    for i in range(1, last):
        height = ground_m[i]
        total += height
        moment += i * height
        over = height - (tx_m + rise * i)  # (89d)
        if over > 0.0:
            obstruction = max(obstruction, over)
            if over > steep_tx * i:
                steep_tx = over / i
            if over > steep_rx * (last - i):
                steep_rx = over / (last - i)
    first_m, last_m = ground_m[0], ground_m[-1]
    v1 = (2.0 * total + first_m + last_m) / last  # (85) / d
    v2 = (6.0 * moment + first_m + (3 * last - 1) * last_m) / (float(last) * last)  # (86) / d^2
    smooth_tx_m = 2.0 * v1 - v2  # (87)
    smooth_rx_m = v2 - v1  # (88)
    if obstruction > 0.0:  # (90)
        smooth_tx_m -= obstruction * steep_tx / (steep_tx + steep_rx)
        smooth_rx_m -= obstruction * steep_rx / (steep_tx + steep_rx)
    return min(smooth_tx_m, first_m), min(smooth_rx_m, last_m)  # (91)


@njit(cache=True, nogil=True, error_model="numpy")
def delta_bullington_loss_db(
    ground_m: NDArray[np.float64],
    surface_m: NDArray[np.float64],
    step_km: float,
    tx_height_m: float,
    rx_height_m: float,
    radius_km: float,
    sea_fraction: float,
    vertical: bool,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Adds the diffraction loss of a path to each frequency's loss.

    ground_m      : (n,) bare ground above sea [m], n >= 2
    surface_m     : (n,) ground and clutter above sea [m]; the same array where there is no clutter
    step_km       : distance between two points [km], above zero
    tx_height_m, rx_height_m : antennas above ground [m], above zero
    radius_km     : effective Earth radius [km]
    frequency_mhz : (F,);  loss_db : (F,) added to
    Source: P.1812-7 section 4.3.4, equations (37) to (39); P.526-15 section 4.5.2.
    """
    last = ground_m.size - 1
    distance_km = step_km * last
    tx_m = ground_m[0] + tx_height_m
    rx_m = ground_m[-1] + rx_height_m
    actual = bullington_parameter(surface_m, step_km, tx_m, rx_m, radius_km)
    smooth_tx_m, smooth_rx_m = smooth_earth_heights(ground_m, tx_m, rx_m)
    over_tx_m = tx_m - smooth_tx_m  # (37)
    over_rx_m = rx_m - smooth_rx_m
    for k in range(frequency_mhz.size):
        wavelength_m = SPEED_OF_LIGHT_M_S * 1e-6 / frequency_mhz[k]
        root = sqrt(wavelength_m)
        loss_db[k] += bullington_loss_db(actual / root, distance_km)
        spherical_db = spherical_earth_loss_db(
            distance_km, over_tx_m, over_rx_m, radius_km, frequency_mhz[k], wavelength_m, sea_fraction, vertical
        )
        if spherical_db > 0.0:  # (39)
            smooth = smooth_bullington_parameter(last, step_km, over_tx_m, over_rx_m, radius_km)
            loss_db[k] += max(0.0, spherical_db - bullington_loss_db(smooth / root, distance_km))


@propagation_model(
    "delta-bullington",
    DeltaBullington,
    source="ITU-R P.526-15 / P.1812-7 delta-Bullington, ITU-R P.525-4",
    never_below_free_space=True,
)
@njit(cache=True, nogil=True)
def loss(
    model: DeltaBullington,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes free space plus diffraction for each frequency; about 2 ns a profile point and 0.3 us a frequency."""
    ray_m = ray_length_m(ground_m[0], ground_m[-1], step_m * (ground_m.size - 1), tx_height_m, rx_height_m)
    for k in range(frequency_mhz.size):
        loss_db[k] = free_space_loss_db(ray_m, frequency_mhz[k])
    if step_m > 0.0:
        delta_bullington_loss_db(
            ground_m,
            ground_m,
            step_m * 1e-3,
            tx_height_m,
            rx_height_m,
            model.effective_radius_km,
            model.sea_fraction,
            model.vertical,
            frequency_mhz,
            loss_db,
        )
