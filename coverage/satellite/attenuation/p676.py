"""Attenuation of atmospheric gases, ITU-R P.676-12 (08/2019): lines up to 1 THz, slant paths by equivalent heights.

P.676-13 (08/2022) has the same lines; its oxygen height needs the Recommendation's own table of coefficients, which may
not be given on, so slant paths follow edition 12, closed in itself.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.p676_lines import OXYGEN, WATER_VAPOUR

RECOMMENDATION = "ITU-R P.676-12"
FREQUENCY_GHZ = (1.0, 350.0)
# Table 3: weight and line [GHz] of the oxygen height's second term.
_HEIGHT_LINES = np.array(
    [
        [0.1597, 118.750334],
        [0.1066, 368.498246],
        [0.1325, 424.763020],
        [0.1242, 487.249273],
        [0.0938, 715.392902],
        [0.1448, 773.839490],
        [0.1374, 834.145546],
    ]
)
VAPOUR_REFERENCE_GHZ = 20.6  # Annex 2
VAPOUR_REFERENCE_HPA = 845.0


@njit(cache=True, nogil=True, error_model="numpy")
def oxygen_kernel_db_km(frequency_ghz: float, dry_hpa: float, vapour_g_m3: float, temperature_k: float) -> float:
    """Specific attenuation of dry air [dB/km]; parameters as of `oxygen_db_km`, unchecked. 0.5 us."""
    f, theta = frequency_ghz, 300.0 / temperature_k
    vapour_hpa = vapour_g_m3 * temperature_k / 216.7
    power = exp(0.8 * log(theta))
    width = 1e-4 * (dry_hpa * power + 1.1 * vapour_hpa * theta)
    mixing = 1e-4 * (dry_hpa + vapour_hpa) * power
    lines = 0.0
    for i in range(OXYGEN.shape[0]):
        line, a3 = OXYGEN[i, 0], OXYGEN[i, 3] * width
        half_square = a3 * a3 + 2.25e-6  # Zeeman splitting
        half = sqrt(half_square)
        delta = (OXYGEN[i, 4] + OXYGEN[i, 5] * theta) * mixing
        below, above = line - f, line + f
        shape = (half - delta * below) / (below * below + half_square)
        shape += (half - delta * above) / (above * above + half_square)
        lines += OXYGEN[i, 1] * exp(OXYGEN[i, 2] * (1.0 - theta)) * shape / line
    lines *= 1e-7 * dry_hpa * theta**3 * f
    debye = 5.6e-4 * (dry_hpa + vapour_hpa) * power
    continuum = 6.14e-5 * debye / (debye * debye + f * f) + 1.4e-12 * dry_hpa * theta * sqrt(theta) / (
        1.0 + 1.9e-5 * f * sqrt(f)
    )
    return 0.182 * f * (lines + f * dry_hpa * theta * theta * continuum)


@njit(cache=True, nogil=True, error_model="numpy")
def vapour_kernel_db_km(frequency_ghz: float, dry_hpa: float, vapour_g_m3: float, temperature_k: float) -> float:
    """Specific attenuation of water vapour [dB/km]; parameters as of `vapour_db_km`, unchecked. 1 us."""
    f, theta = frequency_ghz, 300.0 / temperature_k
    vapour_hpa = vapour_g_m3 * temperature_k / 216.7
    log_theta = log(theta)
    lines = 0.0
    for i in range(WATER_VAPOUR.shape[0]):
        line = WATER_VAPOUR[i, 0]
        width = dry_hpa * exp(WATER_VAPOUR[i, 4] * log_theta)
        width += WATER_VAPOUR[i, 5] * vapour_hpa * exp(WATER_VAPOUR[i, 6] * log_theta)
        width *= 1e-4 * WATER_VAPOUR[i, 3]
        half = 0.535 * width + sqrt(0.217 * width * width + 2.1316e-12 * line * line / theta)  # Doppler
        below, above = line - f, line + f
        shape = half / (below * below + half * half) + half / (above * above + half * half)
        lines += WATER_VAPOUR[i, 1] * exp(WATER_VAPOUR[i, 2] * (1.0 - theta)) * shape / line
    return 0.182 * f * f * lines * 0.1 * vapour_hpa * exp(3.5 * log_theta)


@njit(cache=True, nogil=True, error_model="numpy")
def oxygen_height_kernel_km(frequency_ghz: float, dry_hpa: float, vapour_g_m3: float, temperature_k: float) -> float:
    """Equivalent height of dry air [km]; parameters as of `zenith_oxygen_db`, unchecked. 0.1 us."""
    f = frequency_ghz
    ratio = (dry_hpa + vapour_g_m3 * temperature_k / 216.7) / 1013.25
    log_ratio = log(ratio)
    spread = (f - 59.7) / (2.87 + 12.4 * exp(-7.9 * ratio))
    first = 5.1040 / (1.0 + 0.066 * exp(-2.3 * log_ratio)) * exp(-spread * spread)
    strength, breadth = exp(2.12 * ratio), 0.025 * exp(2.2 * ratio)
    second = 0.0
    for i in range(_HEIGHT_LINES.shape[0]):
        away = f - _HEIGHT_LINES[i, 1]
        second += _HEIGHT_LINES[i, 0] * strength / (away * away + breadth)
    third = 0.0114 * f / (1.0 + 0.14 * exp(-2.6 * log_ratio))
    third *= (15.02 * f * f - 1353.0 * f + 5.333e4) / (f**3 - 151.3 * f * f + 9629.0 * f - 6803.0)
    warm = 0.7832 + 0.00709 * (temperature_k - 273.15)
    height_km = 6.1 * warm / (1.0 + 0.17 * exp(-1.1 * log_ratio)) * (1.0 + first + second + third)
    if f < 70.0:
        return min(height_km, 10.7 * exp(0.3 * log_ratio))
    return height_km


@njit(cache=True, nogil=True, error_model="numpy")
def zenith_vapour_sea_kernel_db(frequency_ghz: float, column_kg_m2: float) -> float:
    """Water vapour attenuation at the zenith before its correction for height [dB], see `zenith_vapour_db`. 2 us."""
    density = column_kg_m2 / 2.38
    kelvin = 14.0 * log(0.22 * density) + 3.0 + 273.15
    here = vapour_kernel_db_km(frequency_ghz, VAPOUR_REFERENCE_HPA, density, kelvin)
    reference = vapour_kernel_db_km(VAPOUR_REFERENCE_GHZ, VAPOUR_REFERENCE_HPA, density, kelvin)
    return 0.0176 * column_kg_m2 * here / reference


def height_correction(frequency_ghz: float) -> tuple[float, float]:
    """a and b of the zenith attenuation's factor 1 + a h^b for a station h km above the sea; (0, 1) below 20 GHz.

    Source: ITU-R P.676-12 Annex 2.
    """
    f = float(frequency_ghz)
    if f < 20.0:
        return 0.0, 1.0
    a = 0.2048 * exp(-(((f - 22.43) / 3.097) ** 2)) + 0.2326 * exp(-(((f - 183.5) / 4.096) ** 2))
    a += 0.2073 * exp(-(((f - 325.0) / 3.651) ** 2)) - 0.1113
    return a, 8.741e4 * exp(-0.587 * f) + 312.2 * f**-2.38 + 0.723


# Compiled when first called, for numbers and arrays.
@vectorize(cache=True)
def _oxygen_each(frequency_ghz: float, dry_hpa: float, vapour_g_m3: float, temperature_k: float) -> float:
    return oxygen_kernel_db_km(frequency_ghz, dry_hpa, vapour_g_m3, temperature_k)


@vectorize(cache=True)
def _vapour_each(frequency_ghz: float, dry_hpa: float, vapour_g_m3: float, temperature_k: float) -> float:
    return vapour_kernel_db_km(frequency_ghz, dry_hpa, vapour_g_m3, temperature_k)


@vectorize(cache=True)
def _height_each(frequency_ghz: float, dry_hpa: float, vapour_g_m3: float, temperature_k: float) -> float:
    return oxygen_height_kernel_km(frequency_ghz, dry_hpa, vapour_g_m3, temperature_k)


@vectorize(cache=True)
def _zenith_vapour_each(frequency_ghz: float, column_kg_m2: float) -> float:
    return zenith_vapour_sea_kernel_db(frequency_ghz, column_kg_m2)


def _checked(
    frequency_ghz: ArrayLike, dry_hpa: ArrayLike, vapour_g_m3: ArrayLike, temperature_k: ArrayLike, highest_ghz: float
) -> tuple[NDArray[np.float64], ...]:
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, 1.0, highest_ghz, "GHz")
    require_range(RECOMMENDATION, "dry_hpa", dry_hpa, 1.0, 1100.0, "hPa")
    require_range(RECOMMENDATION, "vapour_g_m3", vapour_g_m3, 0.0, 100.0, "g/m3")
    require_range(RECOMMENDATION, "temperature_k", temperature_k, 150.0, 350.0, "K")
    return tuple(np.asarray(v, np.float64) for v in (frequency_ghz, dry_hpa, vapour_g_m3, temperature_k))


def oxygen_db_km(
    frequency_ghz: ArrayLike, dry_hpa: ArrayLike, vapour_g_m3: ArrayLike, temperature_k: ArrayLike
) -> NDArray[np.float64]:
    """Specific attenuation of dry air [dB/km]; arguments broadcast.

    frequency_ghz : 1 to 1000 [GHz]
    dry_hpa       : pressure of dry air [hPa]
    vapour_g_m3   : density of water vapour [g/m3]
    temperature_k : [K]
    Raises ValueOutOfRange.
    Source: ITU-R P.676-12 Annex 1 and Table 1.
    """
    return np.asarray(_oxygen_each(*_checked(frequency_ghz, dry_hpa, vapour_g_m3, temperature_k, 1000.0)))


def vapour_db_km(
    frequency_ghz: ArrayLike, dry_hpa: ArrayLike, vapour_g_m3: ArrayLike, temperature_k: ArrayLike
) -> NDArray[np.float64]:
    """Specific attenuation of water vapour [dB/km]; parameters and errors as of `oxygen_db_km`.

    Source: ITU-R P.676-12 Annex 1 and Table 2.
    """
    return np.asarray(_vapour_each(*_checked(frequency_ghz, dry_hpa, vapour_g_m3, temperature_k, 1000.0)))


def zenith_oxygen_db(
    frequency_ghz: ArrayLike, dry_hpa: ArrayLike, vapour_g_m3: ArrayLike, temperature_k: ArrayLike
) -> NDArray[np.float64]:
    """Attenuation of dry air straight up [dB]; arguments broadcast.

    frequency_ghz : 1 to 350 [GHz]
    dry_hpa, vapour_g_m3, temperature_k : at the station, as of `oxygen_db_km`
    Raises ValueOutOfRange.
    Source: ITU-R P.676-12 Annex 2 and Table 3.
    """
    air = _checked(frequency_ghz, dry_hpa, vapour_g_m3, temperature_k, FREQUENCY_GHZ[1])
    return np.asarray(_oxygen_each(*air) * _height_each(*air))


def zenith_vapour_db(frequency_ghz: float, column_kg_m2: ArrayLike, height_km: ArrayLike) -> NDArray[np.float64]:
    """Attenuation of water vapour straight up [dB], exceeded as often as the column; columns and heights broadcast.

    frequency_ghz : 1 to 350 [GHz]
    column_kg_m2  : total water vapour above the station [kg/m2], 0.5 to 150
    height_km     : of the station above the sea [km]; its correction counts from 0 to 4
    Raises ValueOutOfRange.
    Source: ITU-R P.676-12 Annex 2.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    require_range(RECOMMENDATION, "column_kg_m2", column_kg_m2, 0.5, 150.0, "kg/m2")
    a, b = height_correction(frequency_ghz)
    height = np.clip(np.asarray(height_km, np.float64), 0.0, 4.0)
    return np.asarray(
        _zenith_vapour_each(float(frequency_ghz), np.asarray(column_kg_m2, np.float64)) * (1.0 + a * height**b)
    )
