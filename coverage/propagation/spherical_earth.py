"""Diffraction over a smooth spherical Earth, ITU-R P.526-15 sections 3.1.1 and 3.2, P.1812-7 sections 4.3.2 and 4.3.3.

Equation numbers are those of P.1812-7.
"""

from __future__ import annotations

from math import acos, cos, exp, log, pi, sqrt
from typing import NamedTuple

from numba import njit

# Electrical constants, P.1812-7 section 4.3.3.
LAND_PERMITTIVITY, LAND_CONDUCTIVITY_S_M = 22.0, 0.003
SEA_PERMITTIVITY, SEA_CONDUCTIVITY_S_M = 80.0, 5.0
DB_PER_FIELD_NEPER = 20.0 / 2.302585092994046
TWO_DB = 10.0**0.1  # as a ratio of fields


class Ground(NamedTuple):
    """What the electrical constants of a ground are at a frequency, whatever the radius of the Earth.

    f13        : cube root of the frequency in GHz
    admittance : normalised surface admittance K, times the cube root of the radius in km
    """

    f13: float
    admittance: float


@njit(cache=True, nogil=True, error_model="numpy")
def ground_at(frequency_mhz: float, permittivity: float, conductivity_s_m: float, vertical: bool) -> Ground:
    """Constants of a ground at a frequency. Source: P.1812-7, equations (29a), (29b)."""
    f_ghz = frequency_mhz * 1e-3
    f13: float = f_ghz ** (1.0 / 3.0)
    loss_term = 18.0 * conductivity_s_m / f_ghz
    loss_term *= loss_term
    admittance = 0.036 / (f13 * sqrt(sqrt((permittivity - 1.0) * (permittivity - 1.0) + loss_term)))
    if vertical:
        admittance *= sqrt(permittivity * permittivity + loss_term)
    return Ground(f13, admittance)


@njit(cache=True, nogil=True, error_model="numpy")
def _height_gain(b: float, floor: float) -> float:
    # Equation (34) as a number that 20 log10 is taken of, and its lower limit 2 + 20 log10 K, given so as the floor.
    if b > 2.0:
        return max(exp((17.6 * sqrt(b - 1.1) - 8.0) / DB_PER_FIELD_NEPER) / sqrt(sqrt(b - 1.1)), floor)
    return max(b + 0.1 * (b * b * b), floor)


@njit(cache=True, nogil=True, error_model="numpy")
def first_term_of(ground: Ground, distance_km: float, tx_m: float, rx_m: float, radius_km: float) -> float:
    """`first_term_loss_db` over a ground whose constants are known; 30 ns."""
    a13 = exp(log(radius_km) / 3.0)
    k = ground.admittance / a13
    # Equation (30)
    k2 = k * k
    beta = (1.0 + k2 * (1.6 + 0.67 * k2)) / (1.0 + k2 * (4.5 + 1.53 * k2))
    # Equation (31), normalised distance
    x = 21.88 * beta * ground.f13 / (a13 * a13) * distance_km
    # Equations (32) and (35), normalised heights
    b_per_m = 0.9575 * beta * beta * ground.f13 * ground.f13 / a13
    floor = TWO_DB * k
    gains = _height_gain(b_per_m * tx_m, floor) * _height_gain(b_per_m * rx_m, floor)
    # Equations (33) and (36), the logarithms in one
    if x >= 1.6:
        return 17.6 * x - 11.0 - DB_PER_FIELD_NEPER * log(sqrt(x) * gains)
    return DB_PER_FIELD_NEPER * log(x / gains) + 5.6488 * exp(1.425 * log(x))


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
    ground = ground_at(frequency_mhz, permittivity, conductivity_s_m, vertical)
    return first_term_of(ground, distance_km, tx_m, rx_m, radius_km)


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
def _cleared(
    distance_km: float, tx_m: float, rx_m: float, radius_km: float, wavelength_m: float
) -> tuple[float, float]:
    # How much of the clearance wanted there is, -1 beyond the horizon, and the radius to diffract over: (22) to (26).
    roots = sqrt(tx_m) + sqrt(rx_m)
    if distance_km * distance_km >= 0.002 * radius_km * roots * roots:  # (22): beyond the horizon
        return -1.0, radius_km
    clearance_m, reduced_km = smallest_clearance(distance_km, tx_m, rx_m, radius_km)
    wanted_m = 17.456 * sqrt(reduced_km * wavelength_m)  # (25)
    if clearance_m > wanted_m:
        return 1.0, radius_km
    reach = distance_km / roots
    return max(clearance_m / wanted_m, 0.0), 500.0 * reach * reach  # (26): would put the receiver on the horizon


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
    cleared, radius_to_take_km = _cleared(distance_km, tx_m, rx_m, radius_km, wavelength_m)
    if cleared >= 1.0:
        return 0.0
    loss_db = _first_term_over_land_and_sea_db(
        distance_km, tx_m, rx_m, radius_to_take_km, frequency_mhz, sea_fraction, vertical
    )
    return loss_db if cleared < 0.0 else (1.0 - cleared) * max(loss_db, 0.0)  # (27)


@njit(cache=True, nogil=True, error_model="numpy")
def land_loss_db(
    distance_km: float, tx_m: float, rx_m: float, radius_km: float, wavelength_m: float, land: Ground
) -> float:
    """`spherical_earth_loss_db` over land alone, whose constants are known [dB]."""
    cleared, radius_to_take_km = _cleared(distance_km, tx_m, rx_m, radius_km, wavelength_m)
    if cleared >= 1.0:
        return 0.0
    loss_db = first_term_of(land, distance_km, tx_m, rx_m, radius_to_take_km)
    return loss_db if cleared < 0.0 else (1.0 - cleared) * max(loss_db, 0.0)  # (27)
