"""Attenuation of clouds: ITU-R P.840-8 (08/2019) from the reduced liquid column, P.840-9 (08/2023) from the column."""

from __future__ import annotations

from math import exp

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from phusong.coverage.propagation.normal_quantile import exceeded_normal
from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.840"
FREQUENCY_GHZ = (1.0, 200.0)
REDUCED_K = 273.15  # temperature to which P.840-8 reduces the column
EFFECTIVE_K = 273.75  # temperature of P.840-9


def liquid_coefficient_db(frequency_ghz: float, temperature_k: float = REDUCED_K) -> float:
    """Specific attenuation coefficient of cloud liquid water K_l [(dB/km)/(g/m3)], the same number in dB/(kg/m2).

    frequency_ghz : 1 to 200 [GHz]
    temperature_k : of the droplets [K]
    Raises ValueOutOfRange.
    Source: ITU-R P.840-8 Annex 1: double-Debye permittivity of water, Rayleigh scattering.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    f, cold = float(frequency_ghz), 300.0 / temperature_k - 1.0
    static = 77.66 + 103.3 * cold
    middle, optical = 0.0671 * static, 3.52
    principal_ghz = 20.20 - 146.0 * cold + 316.0 * cold * cold
    secondary_ghz = 39.8 * principal_ghz
    first = (static - middle) / (1.0 + (f / principal_ghz) ** 2)
    second = (middle - optical) / (1.0 + (f / secondary_ghz) ** 2)
    real, imaginary = first + second + optical, first * f / principal_ghz + second * f / secondary_ghz
    eta = (2.0 + real) / imaginary
    return 0.819 * f / (imaginary * (1.0 + eta * eta))


def liquid_coefficient_9_db(frequency_ghz: float) -> float:
    """Mass absorption coefficient of cloud liquid water K_L [dB/(kg/m2)] for the columns of the newer maps.

    frequency_ghz : 1 to 200 [GHz]
    Raises ValueOutOfRange.
    Source: ITU-R P.840-9 Annex 1: K_l at 273.75 K times two bells and a constant.
    """
    f = float(frequency_ghz)
    bells = 0.1522 * exp(-((f + 23.9589) ** 2) / 3.2991e3) + 11.51 * exp(-((f - 219.2096) ** 2) / 2.7595e6)
    return liquid_coefficient_db(f, EFFECTIVE_K) * (bells - 10.4912)


def cloud_attenuation_db(
    column_kg_m2: ArrayLike, coefficient_db: ArrayLike, elevation_deg: ArrayLike
) -> NDArray[np.float64]:
    """Cloud attenuation on a slant path [dB], exceeded as often as the column; arguments broadcast.

    column_kg_m2   : reduced liquid column (with `liquid_coefficient_db`) or liquid column (`liquid_coefficient_9_db`)
    coefficient_db : [dB/(kg/m2)]
    elevation_deg  : 5 to 90 [degrees]
    Raises ValueOutOfRange.
    Source: ITU-R P.840-8 Annex 1, P.840-9 Annex 1.
    """
    require_range(RECOMMENDATION, "elevation_deg", elevation_deg, 5.0, 90.0, "degrees")
    column, coefficient = np.asarray(column_kg_m2, np.float64), np.asarray(coefficient_db, np.float64)
    return np.asarray(column * coefficient / np.sin(np.radians(np.asarray(elevation_deg, np.float64))))


def lognormal_column_kg_m2(
    exceedance_pct: ArrayLike, log_mean: ArrayLike, log_deviation: ArrayLike, cloudy_pct: ArrayLike
) -> NDArray[np.float64]:
    """Liquid column exceeded for a share of the year [kg/m2]; 0 where clouds are rarer; arguments broadcast.

    exceedance_pct         : above 0 [%]
    log_mean, log_deviation: of the natural logarithm of the column [kg/m2], from the Recommendation's maps
    cloudy_pct             : share of the year with liquid water [%], from the maps
    Source: ITU-R P.840-8 Annex 1, P.840-9 Annex 1 section 3.3.
    """
    share = np.asarray(exceedance_pct, np.float64) / np.asarray(cloudy_pct, np.float64)
    quantile = -ndtri(np.minimum(share, 1.0))
    return np.where(share < 1.0, np.exp(np.asarray(log_mean) + np.asarray(log_deviation) * quantile), 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def thinning(log_share: float, log_deviation: float, cloudy_pct: float) -> float:
    """Liquid column exceeded for a share of the year over the one of 1 %; 1 for rarer ones. 0.1 us above 1 %.

    log_share     : natural logarithm of the exceedance in percent
    log_deviation : of the lognormal column; 0: it does not thin out
    cloudy_pct    : share of the year with liquid water [%], above 1
    Source: ITU-R P.840-8 Annex 1, P.840-9 Annex 1 section 3.3; the curve drawn through the column of 1 %.
    """
    if log_share <= 0.0 or log_deviation <= 0.0:
        return 1.0
    share = exp(log_share) / cloudy_pct
    if share >= 1.0:
        return 0.0
    return exp(log_deviation * (exceeded_normal(share) - exceeded_normal(1.0 / cloudy_pct)))
