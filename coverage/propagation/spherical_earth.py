"""Diffraction over a smooth spherical Earth, ITU-R P.526-15 sections 3.1.1 and 3.2, P.1812-7 sections 4.3.2 and 4.3.3.

Equation numbers are those of P.1812-7.
"""

from __future__ import annotations

from math import acos, cos, exp, log10, pi, sqrt

from numba import njit

# Electrical constants, P.1812-7 section 4.3.3.
LAND_PERMITTIVITY, LAND_CONDUCTIVITY_S_M = 22.0, 0.003
SEA_PERMITTIVITY, SEA_CONDUCTIVITY_S_M = 80.0, 5.0


@njit(cache=True, nogil=True, error_model="numpy")
def _height_gain_db(b: float, floor: float) -> float:
    # Equation (34), and its lower limit 2 + 20 log10 K, given as the floor.
    gain_db = 17.6 * sqrt(b - 1.1) - 5.0 * log10(b - 1.1) - 8.0 if b > 2.0 else 20.0 * log10(b + 0.1 * b**3)
    return max(gain_db, floor)


@njit(cache=True, nogil=True, error_model="numpy")
def first_term_loss_db(
    distance_km: float,
    tx_m: float,
    rx_m: float,
    radius_km: float,
    frequency_mhz: float,
    permittivity: float,
    conductivity_s_m: float,
    vertical: bool,
) -> float:
    """First term of the residue series for diffraction over a spherical Earth [dB], negative deep inside line of sight.

    distance_km      : path length [km]
    tx_m, rx_m       : antennas above the smooth Earth [m], above zero
    radius_km        : radius of the Earth to diffract over [km]
    permittivity     : relative, of the ground
    conductivity_s_m : of the ground [S/m]
    vertical         : polarisation; False: horizontal
    Source: ITU-R P.1812-7, equations (29) to (36); P.526-15 section 3.1.1.
    """
    f_ghz = frequency_mhz * 1e-3
    f13: float = f_ghz ** (1.0 / 3.0)
    a13: float = radius_km ** (1.0 / 3.0)
    loss_term = 18.0 * conductivity_s_m / f_ghz
    loss_term *= loss_term
    # Equations (29a) and (29b), normalised surface admittance
    k = 0.036 / (a13 * f13 * sqrt(sqrt((permittivity - 1.0) * (permittivity - 1.0) + loss_term)))
    if vertical:
        k *= sqrt(permittivity * permittivity + loss_term)
    # Equation (30)
    k2 = k * k
    beta = (1.0 + k2 * (1.6 + 0.67 * k2)) / (1.0 + k2 * (4.5 + 1.53 * k2))
    # Equation (31), normalised distance
    x = 21.88 * beta * f13 / (a13 * a13) * distance_km
    # Equation (33)
    log_x = log10(x)
    if x >= 1.6:
        distance_term_db = 11.0 + 10.0 * log_x - 17.6 * x
    else:
        distance_term_db = -20.0 * log_x - 5.6488 * exp(1.425 * log_x * 2.302585092994046)
    # Equations (32) and (35), normalised heights
    b_per_m = 0.9575 * beta * beta * f13 * f13 / a13
    floor_db = 2.0 + 20.0 * log10(k)
    # Equation (36)
    return -distance_term_db - _height_gain_db(b_per_m * tx_m, floor_db) - _height_gain_db(b_per_m * rx_m, floor_db)


@njit(cache=True, nogil=True, error_model="numpy")
def _first_term_over_land_and_sea_db(
    distance_km: float,
    tx_m: float,
    rx_m: float,
    radius_km: float,
    frequency_mhz: float,
    sea_fraction: float,
    vertical: bool,
) -> float:
    # Equation (28)
    loss_db = 0.0
    if sea_fraction < 1.0:
        loss_db += (1.0 - sea_fraction) * first_term_loss_db(
            distance_km, tx_m, rx_m, radius_km, frequency_mhz, LAND_PERMITTIVITY, LAND_CONDUCTIVITY_S_M, vertical
        )
    if sea_fraction > 0.0:
        loss_db += sea_fraction * first_term_loss_db(
            distance_km, tx_m, rx_m, radius_km, frequency_mhz, SEA_PERMITTIVITY, SEA_CONDUCTIVITY_S_M, vertical
        )
    return loss_db


@njit(cache=True, nogil=True, error_model="numpy")
def smallest_clearance(distance_km: float, tx_m: float, rx_m: float, radius_km: float) -> tuple[float, float]:
    """Where the ray comes nearest to a smooth Earth that it clears.

    Returns the clearance there [m] and d1 d2 / d [km], which sets the clearance wanted.
    Source: ITU-R P.1812-7, equations (23) and (24).
    """
    c = (tx_m - rx_m) / (tx_m + rx_m)  # (24d)
    m = 250.0 * distance_km * distance_km / (radius_km * (tx_m + rx_m))  # (24e)
    cosine = 1.5 * c * sqrt(3.0 * m / ((m + 1.0) * (m + 1.0) * (m + 1.0)))
    angle = pi / 3.0 + acos(min(1.0, max(-1.0, cosine))) / 3.0
    b = 2.0 * sqrt((m + 1.0) / (3.0 * m)) * cos(angle)  # (24c)
    d1 = 0.5 * distance_km * (1.0 + b)  # (24a)
    d2 = distance_km - d1  # (24b)
    # (23)
    clearance_m = ((tx_m - 500.0 * d1 * d1 / radius_km) * d2 + (rx_m - 500.0 * d2 * d2 / radius_km) * d1) / distance_km
    return clearance_m, d1 * d2 / distance_km


@njit(cache=True, nogil=True, error_model="numpy")
def spherical_earth_loss_db(
    distance_km: float,
    tx_m: float,
    rx_m: float,
    radius_km: float,
    frequency_mhz: float,
    wavelength_m: float,
    sea_fraction: float,
    vertical: bool,
) -> float:
    """Diffraction loss over a smooth spherical Earth [dB], zero where the ray clears it well.

    distance_km  : path length [km], above zero
    tx_m, rx_m   : antennas above the smooth Earth [m], above zero
    radius_km    : effective Earth radius [km]
    wavelength_m : of frequency_mhz [m]
    sea_fraction : share of the path over sea, 0 to 1
    vertical     : polarisation; False: horizontal
    Source: ITU-R P.1812-7, equations (22) to (28); P.526-15 section 3.2.
    """
    roots = sqrt(tx_m) + sqrt(rx_m)
    if distance_km * distance_km >= 0.002 * radius_km * roots * roots:  # (22): beyond the horizon
        return _first_term_over_land_and_sea_db(
            distance_km, tx_m, rx_m, radius_km, frequency_mhz, sea_fraction, vertical
        )
    clearance_m, reduced_km = smallest_clearance(distance_km, tx_m, rx_m, radius_km)
    wanted_m = 17.456 * sqrt(reduced_km * wavelength_m)  # (25)
    if clearance_m > wanted_m:
        return 0.0
    marginal_radius_km = 500.0 * (distance_km / roots) ** 2  # (26): would put the receiver on the horizon
    loss_db = _first_term_over_land_and_sea_db(
        distance_km, tx_m, rx_m, marginal_radius_km, frequency_mhz, sea_fraction, vertical
    )
    return (1.0 - clearance_m / wanted_m) * max(loss_db, 0.0)  # (27)
