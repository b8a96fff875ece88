"""The loss equations of ITU-R P.1812-7, sections 4.2 to 4.6 and 4.9, for a path that has been read.

Equation numbers: see `p1812_path`.
"""

from __future__ import annotations

from math import exp, log1p, log10, sqrt, tanh
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.delta_bullington import bullington_loss_db
from phusong.coverage.propagation.effective_earth import EARTH_RADIUS_KM
from phusong.coverage.propagation.p1812_anomalous import fixed_loss_db, time_loss_db
from phusong.coverage.propagation.p1812_climate import ducting_incidence_pct
from phusong.coverage.propagation.p1812_path import Path, Spacing, point_km, read_profile, smooth_nu_root, survey
from phusong.coverage.propagation.p1812_troposcatter import troposcatter_loss_db
from phusong.coverage.propagation.p1812_variability import exceeded_quantile
from phusong.coverage.propagation.spherical_earth import smallest_clearance, spherical_earth_loss_db

# Wavelength [m] times frequency [GHz], as ITU-R P.2001 and the reference program round the speed of light.
WAVELENGTH_GHZ_M = 0.2998
# Effective Earth radius exceeded for beta_0% of the time, (7b).
DUCTING_RADIUS_KM = 3.0 * EARTH_RADIUS_KM


class Climate(NamedTuple):
    """Air and ground of a path, and the time asked for.

    time_pct                 : p [%], 0.001 to 50
    radius_km                : median effective Earth radius [km]
    n0                       : sea-level surface refractivity at the path's centre [N-units]
    latitude_deg             : of the path's centre
    sea_fraction             : omega, share of the path over sea
    land_km, inland_km       : d_tm, d_lm, longest stretches of land and of inland [km]
    tx_coast_km, rx_coast_km : d_ct, d_cr, land between each antenna and the coast along the path [km]
    """

    time_pct: float
    radius_km: float
    n0: float
    latitude_deg: float
    sea_fraction: float
    land_km: float
    inland_km: float
    tx_coast_km: float
    rx_coast_km: float


@njit(cache=True, nogil=True, error_model="numpy")
def free_space_db(distance_km: float, rise_m: float, frequency_ghz: float) -> float:
    """Free-space loss as P.1812-7 rounds it [dB]; antennas nearer than 1 m are taken as 1 m apart (ours).

    rise_m : difference in height of the antennas [m]
    Source: P.1812-7, equations (8) and (8a).
    """
    square_km2 = distance_km * distance_km + 1e-6 * rise_m * rise_m
    return 92.4 + 20.0 * log10(frequency_ghz) + 10.0 * log10(max(square_km2, 1e-6))


@njit(cache=True, nogil=True, error_model="numpy")
def closed_smooth_nu_root(distance_km: float, tx_m: float, rx_m: float, radius_km: float) -> float:
    """nu sqrt(wavelength) of the Bullington point of a smooth Earth [sqrt m], at any distance, not at profile points.

    tx_m, rx_m : antennas above the smooth Earth [m], above zero
    Source: P.1812-7 Attachment 3 (Attachment 4 of edition 6), equations (105) to (111).
    """
    scale = sqrt(0.002 * distance_km)
    roots = sqrt(tx_m) + sqrt(rx_m)
    if distance_km * distance_km < 0.002 * radius_km * roots * roots:  # (22)
        clearance_m, reduced_km = smallest_clearance(distance_km, tx_m, rx_m, radius_km)
        return -clearance_m / sqrt(reduced_km * distance_km) * scale  # (105)
    bulge = 500.0 / radius_km
    rise = (rx_m - tx_m) / distance_km
    steep_tx = bulge * distance_km - 2.0 * sqrt(bulge * tx_m) - rise  # (107)
    steep_rx = bulge * distance_km - 2.0 * sqrt(bulge * rx_m) + rise  # (108)
    return sqrt(max(steep_tx, 0.0) * max(steep_rx, 0.0)) * scale  # (109), (110)


@njit(cache=True, nogil=True, error_model="numpy")
def delta_bullington_db(
    path: Path,
    nu_root_m: float,
    spacing: Spacing,
    last: int,
    radius_km: float,
    sea_fraction: float,
    frequency_ghz: float,
    vertical: bool,
    closed: bool,
) -> float:
    """Diffraction loss for one effective Earth radius [dB].

    nu_root_m : nu sqrt(wavelength) of the surface at that radius [sqrt m]
    last      : number of the profile's last point
    closed    : take the smooth Earth's Bullington loss from `closed_smooth_nu_root`
    Source: P.1812-7 section 4.3.4, equations (37) to (39).
    """
    wavelength_m = WAVELENGTH_GHZ_M / frequency_ghz
    root = sqrt(wavelength_m)
    d = path.distance_km
    over_tx_m = path.diffraction_tx_m
    over_rx_m = path.diffraction_rx_m
    loss_db = bullington_loss_db(nu_root_m / root, d)
    spherical_db = spherical_earth_loss_db(
        d, over_tx_m, over_rx_m, radius_km, 1000.0 * frequency_ghz, wavelength_m, sea_fraction, vertical
    )
    if spherical_db > 0.0:
        if closed:
            smooth = closed_smooth_nu_root(d, over_tx_m, over_rx_m, radius_km)
        else:
            smooth = smooth_nu_root(spacing, last, over_tx_m, over_rx_m, radius_km)
        loss_db += max(0.0, spherical_db - bullington_loss_db(smooth / root, d))  # (39)
    return loss_db


@njit(cache=True, nogil=True, error_model="numpy")
def soft_max(a: float, b: float, eta: float) -> float:
    # eta ln(exp(a / eta) + exp(b / eta)), without overflow.
    return max(a, b) + eta * log1p(exp(-abs(a - b) / eta))


@njit(cache=True, nogil=True, error_model="numpy")
def fade(x: float) -> float:
    # Interpolation factors (57), (58): 1 far below x = 0, 0 far above.
    return 1.0 - 0.5 * (1.0 + tanh(3.0 * x))


@njit(cache=True, nogil=True, error_model="numpy")
def losses_db(
    path: Path,
    climate: Climate,
    spacing: Spacing,
    surface_m: NDArray[np.float64],
    frequency_ghz: float,
    vertical: bool,
    closed: bool,
) -> tuple[float, float]:
    """Loss not exceeded for p% of the time and half of the locations L_bc, and the lower bound L_b0p [dB].

    path      : from `survey`
    surface_m : (n,) ground and clutter above sea [m], the profile that `path` was read from
    closed    : see `delta_bullington_db`
    Source: P.1812-7 sections 4.2 to 4.6. About 0.4 us at p = 50%; below it the profile is looked at once more.
    """
    p = climate.time_pct
    d = path.distance_km
    radius_km = climate.radius_km
    sea = climate.sea_fraction
    last = surface_m.size - 1
    direct_db = free_space_db(d, path.tx_m - path.rx_m, frequency_ghz)
    diffraction_db = delta_bullington_db(
        path, path.nu_root_m, spacing, last, radius_km, sea, frequency_ghz, vertical, closed
    )
    sight_db = direct_db  # L_b0p
    loss_db = direct_db + diffraction_db  # (42), L_bd50
    least_db = loss_db  # L_minb0p
    incidence_pct = -1.0
    if p < 50.0:
        incidence_pct = ducting_incidence_pct(climate.latitude_deg, climate.land_km, climate.inland_km)
        focus_db = 2.6 * (1.0 - exp(-0.1 * (path.tx_horizon_km + path.rx_horizon_km)))  # (9)
        sight_db = direct_db + focus_db * log10(p / 50.0)  # (10)
        ducted = read_profile(spacing, surface_m, path.tx_m, path.rx_m, DUCTING_RADIUS_KM)
        ducted_db = delta_bullington_db(
            path,
            ducted.nu_root_m,
            spacing,
            last,
            DUCTING_RADIUS_KM,
            sea,
            frequency_ghz,
            vertical,
            closed,
        )
        weight = 1.0
        if p > incidence_pct:
            weight = exceeded_quantile(0.01 * p) / exceeded_quantile(0.01 * incidence_pct)  # (40)
        enhanced_db = diffraction_db + (ducted_db - diffraction_db) * weight  # (41), L_dp
        loss_db = sight_db + enhanced_db  # (43), L_bd
        least_db = sight_db + (1.0 - sea) * enhanced_db  # (59)
        if p >= incidence_pct:
            median_db = direct_db + diffraction_db
            sight_beta_db = direct_db + focus_db * log10(incidence_pct / 50.0)  # (11)
            least_db = median_db + (sight_beta_db + (1.0 - sea) * enhanced_db - median_db) * weight
    # (60), (61). L_minbap exceeds the ducting loss, and this at p = 50% its fixed part: unused where that is larger.
    duct_db = fixed_loss_db(path, frequency_ghz, radius_km, sea, climate.tx_coast_km, climate.rx_coast_km)
    if p < 50.0 or duct_db < loss_db:
        if incidence_pct < 0.0:
            incidence_pct = ducting_incidence_pct(climate.latitude_deg, climate.land_km, climate.inland_km)
        duct_db += time_loss_db(path, radius_km, p, incidence_pct, climate.inland_km)  # (46)
        enhanced_db = soft_max(duct_db, sight_db, 2.5)
        if enhanced_db < loss_db:
            loss_db = enhanced_db + (loss_db - enhanced_db) * fade(0.5 * (d - 20.0) / 20.0)
    if least_db != loss_db:  # (57), (62)
        loss_db += (least_db - loss_db) * fade(0.8 * (path.angular_mrad - 0.3) / 0.3)
    scatter_db = troposcatter_loss_db(d, path.angular_mrad, frequency_ghz, p, climate.n0)
    return -soft_max(-scatter_db, -loss_db, 5.0 / 2.302585092994046), sight_db  # (63)


@njit(cache=True, nogil=True, error_model="numpy")
def point_loss_db(
    spacing: Spacing,
    ground_m: NDArray[np.float64],
    surface_m: NDArray[np.float64],
    cluttered: bool,
    tx_height_m: float,
    rx_height_m: float,
    climate: Climate,
    frequency_ghz: float,
    vertical: bool,
    location_db: float,
    closed: bool,
) -> float:
    """Basic transmission loss not exceeded for p% of the time and a share of the locations [dB]. Allocates nothing.

    spacing     : (n,) distances of the points from the transmitter, or the step between two [km]
    ground_m    : (n,) bare ground above sea [m], n >= 2
    surface_m   : (n,) ground and clutter above sea [m], `ground_m` itself where not `cluttered`; ends not read
    location_db : sigma times the quantile of the locations asked for [dB], 0 for half of them
    Source: P.1812-7 section 4.9, equation (69).
    """
    last = ground_m.size - 1
    if point_km(spacing, last) == 0.0:
        return free_space_db(0.0, ground_m[0] + tx_height_m - ground_m[last] - rx_height_m, frequency_ghz)
    path = survey(spacing, ground_m, surface_m, cluttered, tx_height_m, rx_height_m, climate.radius_km)
    loss_db, sight_db = losses_db(path, climate, spacing, surface_m, frequency_ghz, vertical, closed)
    return max(sight_db, loss_db + location_db)
