"""ITU-R P.1812-7 at p = 50% over inland paths, the case of area maps: the equations of `p1812_losses`, each looked at
only where it can change the loss by more than 1e-9 dB.

What is left out, and why that is safe, is said beside each branch; the tests hold the two against each other.
Equation numbers: see `p1812_path`.
"""

from __future__ import annotations

from math import exp, inf, log, log1p, log10, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.p1812_anomalous import time_loss_db
from phusong.coverage.propagation.p1812_climate import ducting_incidence_pct
from phusong.coverage.propagation.p1812_look import NO_EDGE_NU, Look, roughness_m, sight_point, surely_clears
from phusong.coverage.propagation.p1812_losses import WAVELENGTH_GHZ_M, closed_smooth_nu_root, fade, soft_max
from phusong.coverage.propagation.p1812_path import Path, Spacing, smooth_nu_root
from phusong.coverage.propagation.spherical_earth import (
    LAND_CONDUCTIVITY_S_M,
    LAND_PERMITTIVITY,
    Ground,
    ground_at,
    land_loss_db,
)

DB_PER_NEPER = 10.0 / 2.302585092994046
SCATTER_ETA_DB = 5.0 / 2.302585092994046  # (63)
# eta exp(-x / eta) is below 1e-9 dB from here on, eta that of (63).
SCATTER_UNHEARD_DB = 48.0


class Band(NamedTuple):
    """What no path changes: a frequency in an air. Levels [dB] are those at 1 km.

    root_m       : square root of the wavelength [sqrt m]
    direct_db    : free space
    duct_db      : coupling into a duct over free space, horizons as far apart as the antennas, (47), (47a)
    duct_angle   : loss a milliradian of angle in the duct, (51) [dB/mrad]
    time_db      : below what A(50%) of (53) never lies on paths up to 100 km
    scatter_db   : troposcatter over free space, (44), (45)
    """

    frequency_ghz: float
    wavelength_m: float
    root_m: float
    f13: float
    direct_db: float
    duct_db: float
    duct_angle: float
    time_db: float
    scatter_db: float
    radius_km: float
    latitude_deg: float
    closed: bool
    land: Ground


@njit(cache=True, nogil=True, error_model="numpy")
def band_of(
    frequency_ghz: float, n0: float, latitude_deg: float, radius_km: float, vertical: bool, closed: bool
) -> Band:
    """Constants of a band; 0.1 us."""
    wavelength_m = WAVELENGTH_GHZ_M / frequency_ghz
    log_f = log10(frequency_ghz)
    f13: float = frequency_ghz ** (1.0 / 3.0)
    duct_db = 102.45 - 92.4
    if frequency_ghz < 0.5:
        duct_db += 45.375 - 137.0 * frequency_ghz + 92.5 * frequency_ghz * frequency_ghz
    # mu1, mu2, mu3 <= 1, so that log10 beta <= top; with u = 2.0058 - log10 beta the power of (53) has the exponent
    # 1.076 (1 - 0.3068 / u) u^-0.012 exp(..), smallest at the top; up to 100 km the exp takes less than 1% there.
    top = 1.67 - 0.015 * abs(latitude_deg) if abs(latitude_deg) <= 70.0 else log10(4.17)
    exponent = 1.076 * (log10(50.0) - top) / (2.0058 - top) ** 1.012
    log_half = log10(0.5 * frequency_ghz)
    return Band(
        frequency_ghz,
        wavelength_m,
        sqrt(wavelength_m),
        f13,
        92.4 + 20.0 * log_f,
        duct_db,
        5e-5 * radius_km * f13,
        -12.0 + 12.0 * 10.0 ** (0.99 * exponent),
        190.1 - 92.4 + 5.0 * log_f - 2.5 * log_half * log_half - 0.15 * n0,
        radius_km,
        latitude_deg,
        closed,
        ground_at(1000.0 * frequency_ghz, LAND_PERMITTIVITY, LAND_CONDUCTIVITY_S_M, vertical),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _edge_db(nu: float, distance_km: float) -> float:
    # `bullington_loss_db` with a logarithm less: (12), (20), (21)
    if nu <= NO_EDGE_NU:
        return 0.0
    x = nu - 0.1
    edge_db = 6.9 + 2.0 * DB_PER_NEPER * log(sqrt(x * x + 1.0) + x)
    return edge_db + (1.0 - exp(-edge_db / 6.0)) * (10.0 + 0.02 * distance_km)


@njit(cache=True, nogil=True, error_model="numpy")
def _shield(excess_mrad: float, horizon_km: float, frequency_ghz: float) -> float:
    # The number that (48) takes the logarithm of.
    return 1.0 + 0.361 * excess_mrad * sqrt(frequency_ghz * horizon_km) if excess_mrad > 0.0 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _fixed_duct_db(band: Band, look: Look, tx_km: float, rx_km: float, angular_mrad: float) -> float:
    """Ducting loss without its part in time, over band.direct_db [dB]: `fixed_loss_db` inland, its three logarithms in
    one. Source: (47) to (52a)."""
    tx_excess = max(look.tx_mrad - 0.1 * tx_km, 0.0)
    rx_excess = max(look.rx_mrad - 0.1 * rx_km, 0.0)
    product = (tx_km + rx_km) * _shield(tx_excess, tx_km, band.frequency_ghz)
    product *= _shield(rx_excess, rx_km, band.frequency_ghz)
    excess = tx_excess + rx_excess
    # min(theta, 0.1 d_l) of (52a) is theta less its excess
    angle_db = band.duct_angle * (angular_mrad - excess)
    return band.duct_db + 2.0 * DB_PER_NEPER * log(product) + 0.264 * band.f13 * excess + angle_db


@njit(cache=True, nogil=True, error_model="numpy")
def _ducted_db(
    band: Band,
    look: Look,
    step_km: float,
    height_m: NDArray[np.float64],
    last: int,
    angular_mrad: float,
    direct_db: float,
    loss_db: float,
) -> float:
    # (46) to (62): loss_db, or less where a duct is heard. Both in decibels over band.direct_db.
    d = look.distance_km
    tx_point, rx_point = look.tx_point, look.rx_point
    if tx_point == 0 and last > 1:
        bulge = 500.0 / band.radius_km
        tx_point = sight_point(step_km, height_m, last, d, look.tx_m, look.rx_m, bulge)
        rx_point = tx_point
    tx_km, rx_km = 0.5 * d, 0.5 * d
    if tx_point > 0:
        tx_km, rx_km = step_km * tx_point, d - step_km * rx_point
    duct_db = _fixed_duct_db(band, look, tx_km, rx_km, angular_mrad)
    if duct_db + (band.time_db if d <= 100.0 else 0.0) >= loss_db:
        return loss_db
    rough_m = 0.0
    if tx_point > 0:
        slope = (look.smooth_rx_m - look.smooth_tx_m) / d  # (93)
        rough_m = roughness_m(step_km, height_m, tx_point, rx_point, look.smooth_tx_m, slope)
    path = Path(
        d,
        look.tx_m,
        look.rx_m,
        look.nu_root_m,
        look.over_tx_m,
        look.over_rx_m,
        look.tx_m - look.smooth_tx_m,
        look.rx_m - look.smooth_rx_m,
        rough_m,
        tx_km,
        rx_km,
        look.tx_mrad,
        look.rx_mrad,
        angular_mrad,
    )
    duct_db += time_loss_db(path, band.radius_km, 50.0, ducting_incidence_pct(band.latitude_deg, d, d), d)
    enhanced_db = soft_max(duct_db, direct_db, 2.5)
    if enhanced_db >= loss_db:
        return loss_db
    ducted_db = enhanced_db + (loss_db - enhanced_db) * fade(0.5 * (d - 20.0) / 20.0)
    return ducted_db + (loss_db - ducted_db) * fade(0.8 * (angular_mrad - 0.3) / 0.3)


@njit(cache=True, nogil=True, error_model="numpy")
def _over_smooth_earth_db(band: Band, look: Look, spacing: Spacing, last: int) -> float:
    # What the spherical Earth loses over the smooth Earth's Bullington loss, (38), (39).
    d = look.distance_km
    spherical_db = land_loss_db(d, look.over_tx_m, look.over_rx_m, band.radius_km, band.wavelength_m, band.land)
    if spherical_db <= 0.0:
        return 0.0
    if band.closed:
        smooth = closed_smooth_nu_root(d, look.over_tx_m, look.over_rx_m, band.radius_km)
    else:
        smooth = smooth_nu_root(spacing, last, look.over_tx_m, look.over_rx_m, band.radius_km)
    return max(0.0, spherical_db - _edge_db(smooth / band.root_m, d))


@njit(cache=True, nogil=True, error_model="numpy")
def median_db(
    band: Band, look: Look, spacing: Spacing, step_km: float, height_m: NDArray[np.float64], last: int
) -> tuple[float, float]:
    """Loss not exceeded for half of the time and of the locations, and that of free space [dB]; about 0.1 us.

    spacing  : where the points lie, for the smooth Earth's Bullington point
    step_km  : the points 1 .. last - 1 of height_m lie this far apart [km]
    Source: P.1812-7 sections 4.2 to 4.6.
    """
    d = look.distance_km
    rise_km = 1e-3 * (look.tx_m - look.rx_m)
    steep = (rise_km / d) * (rise_km / d)
    direct_db = DB_PER_NEPER * log(max(d * d + rise_km * rise_km, 1e-6))  # over band.direct_db, like all below
    diffraction_db = _edge_db(look.nu_root_m / band.root_m, d)
    if look.over_tx_m < inf and not surely_clears(d, look.over_tx_m, look.over_rx_m, band.radius_km, band.wavelength_m):
        diffraction_db += _over_smooth_earth_db(band, look, spacing, last)
    loss_db = direct_db + diffraction_db
    angular_mrad = 1000.0 * d / band.radius_km + look.tx_mrad + look.rx_mrad  # (84)
    # A duct needs more than this to be heard: site shielding (48) takes back 0.264 f^1/3 of what its angle gives in
    # (51), and of the logarithm of how far the horizons lie apart (all of the path in line of sight), ln x >= 1 - 1/x.
    bent_db = max(band.duct_angle - 0.264 * band.f13, 0.0) * (max(look.tx_mrad, 0.0) + max(look.rx_mrad, 0.0))
    least_db = band.duct_db + (band.time_db if d <= 100.0 else 0.0) - bent_db - DB_PER_NEPER * steep
    if look.tx_point > 0:
        least_db += 2.0 * DB_PER_NEPER * (1.0 - d / (d - step_km * (look.rx_point - look.tx_point)))
    if diffraction_db > least_db:
        loss_db = _ducted_db(band, look, step_km, height_m, last, angular_mrad, direct_db, loss_db)
    # (44), with log10(1 + steep) of free space as its series where that is exact to 1e-10 dB
    if steep < 0.01:
        turned_db = DB_PER_NEPER * steep * (1.0 - steep * (0.5 - steep * (1.0 / 3.0 - steep * 0.25)))
    else:
        turned_db = DB_PER_NEPER * log1p(steep)
    over_db = band.scatter_db + 0.573 * angular_mrad - turned_db - (loss_db - direct_db)
    if over_db < SCATTER_UNHEARD_DB:  # (63)
        loss_db += min(over_db, 0.0) - SCATTER_ETA_DB * log1p(exp(-abs(over_db) / SCATTER_ETA_DB))
    return band.direct_db + loss_db, band.direct_db + direct_db
