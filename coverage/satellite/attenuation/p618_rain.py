"""Rain attenuation on slant paths, ITU-R P.618-13 (12/2017) section 2.2.1; P.618-14 (08/2023) keeps the method."""

from __future__ import annotations

from math import atan2, cos, exp, log, pi, sin, sqrt

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.p838 import RainCoefficients, path_coefficients, rain_coefficients

RECOMMENDATION = "ITU-R P.618-13"
FREQUENCY_GHZ = (1.0, 55.0)
EXCEEDANCE_PCT = (0.001, 50.0)
EFFECTIVE_EARTH_KM = 8500.0
RADIANS = pi / 180.0


@njit(cache=True, nogil=True, error_model="numpy")
def path_below_rain_km(above_km: float, sin_elevation: float, elevation_deg: float) -> float:
    """Length of the slant path below the rain height [km]: step 2 of section 2.2.1.1. 2 ns.

    above_km : of the rain height above the station [km], positive
    """
    if elevation_deg >= 5.0:
        return above_km / sin_elevation
    bent = sqrt(sin_elevation * sin_elevation + 2.0 * above_km / EFFECTIVE_EARTH_KM)
    return 2.0 * above_km / (bent + sin_elevation)


@njit(cache=True, nogil=True, error_model="numpy")
def rain_at_hundredth_db(
    rain: RainCoefficients,
    frequency_ghz: float,
    sin_elevation: float,
    elevation_deg: float,
    rain_rate_mm_h: float,
    above_km: float,
    latitude_deg: float,
    cos_twice_tilt: float,
) -> float:
    """Rain attenuation exceeded for 0.01 % of the average year [dB]: steps 2 to 9 of section 2.2.1.1. 0.1 us.

    rain     : `rain_coefficients(frequency_ghz)`
    above_km : of the rain height above the station [km]; no rain where it is not positive
    Others as of `rain_attenuation_db`, unchecked.
    """
    if above_km <= 0.0 or rain_rate_mm_h <= 0.0:
        return 0.0
    cosine = sqrt(max(0.0, 1.0 - sin_elevation * sin_elevation))
    slant_km = path_below_rain_km(above_km, sin_elevation, elevation_deg)
    ground_km = slant_km * cosine
    k, alpha = path_coefficients(rain, cosine, cos_twice_tilt)
    specific_db_km = k * exp(alpha * log(rain_rate_mm_h))
    narrowing = 1.0 + 0.78 * sqrt(ground_km * specific_db_km / frequency_ghz) - 0.38 * (1.0 - exp(-2.0 * ground_km))
    within_km = ground_km / narrowing
    # step 7: the ray leaves the rain through its side where the side is nearer than the top
    if atan2(above_km, within_km) > elevation_deg * RADIANS:
        in_rain_km = slant_km / narrowing  # within_km / cosine, straight up too
    else:
        in_rain_km = above_km / sin_elevation
    tropical = max(0.0, 36.0 - abs(latitude_deg))
    tall = 31.0 * (1.0 - exp(-elevation_deg / (1.0 + tropical)))
    tall *= sqrt(in_rain_km * specific_db_km) / (frequency_ghz * frequency_ghz)
    return specific_db_km * in_rain_km / (1.0 + sqrt(sin_elevation) * (tall - 0.45))


@njit(cache=True, nogil=True, error_model="numpy")
def tropical_slope(sin_elevation: float, elevation_deg: float, latitude_deg: float) -> float:
    """beta of step 10 of section 2.2.1.1 for exceedances below 1 %. 2 ns."""
    if abs(latitude_deg) >= 36.0:
        return 0.0
    beta = -0.005 * (abs(latitude_deg) - 36.0)
    return beta if elevation_deg >= 25.0 else beta + 1.8 - 4.25 * sin_elevation


@njit(cache=True, nogil=True, error_model="numpy")
def rain_at_share_db(hundredth_db: float, log_share: float, steepness: float) -> float:
    """Rain attenuation exceeded for a share of the average year [dB]: step 10 of section 2.2.1.1. 20 ns.

    hundredth_db : exceeded for 0.01 % [dB]
    log_share    : natural logarithm of the exceedance in percent
    steepness    : beta times the sine of the elevation; of no effect from 1 % on
    """
    if hundredth_db <= 0.0:
        return 0.0
    below_one = max(0.0, 1.0 - exp(log_share))
    exponent = 0.655 + 0.033 * log_share - 0.045 * log(hundredth_db) - steepness * below_one
    return hundredth_db * exp(-exponent * (log_share + 4.605170185988092))  # ln 100


# Compiled when first called, for numbers and arrays.
@vectorize(cache=True)
def _rain_each(
    k_h: float,
    k_v: float,
    a_h: float,
    a_v: float,
    frequency: float,
    elevation: float,
    share: float,
    rate: float,
    above: float,
    latitude: float,
    tilt: float,
) -> float:
    sine = sin(elevation * RADIANS)
    coefficients = RainCoefficients(k_h, k_v, a_h, a_v)
    hundredth = rain_at_hundredth_db(
        coefficients, frequency, sine, elevation, rate, above, latitude, cos(2.0 * tilt * RADIANS)
    )
    return rain_at_share_db(hundredth, log(share), sine * tropical_slope(sine, elevation, latitude))


def rain_attenuation_db(
    frequency_ghz: float,
    elevation_deg: ArrayLike,
    exceedance_pct: ArrayLike,
    rain_rate_mm_h: ArrayLike,
    rain_height_km: ArrayLike,
    height_km: ArrayLike,
    latitude_deg: ArrayLike,
    tilt_deg: ArrayLike = 45.0,
) -> NDArray[np.float64]:
    """Rain attenuation exceeded for a share of the average year [dB]; arguments but the frequency broadcast.

    frequency_ghz  : 1 to 55 [GHz]
    elevation_deg  : above 0, to 90 [degrees]
    exceedance_pct : 0.001 to 5 [%]; up to 50, the range of the total attenuation, the same curve is carried on (ours)
    rain_rate_mm_h : exceeded for 0.01 % of the average year [mm/h]
    rain_height_km : above the sea [km], ITU-R P.839
    height_km      : of the station above the sea [km]
    latitude_deg   : [degrees]
    tilt_deg       : of the polarisation from the horizontal [degrees], 45 for circular
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 2.2.1.1.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    require_range(RECOMMENDATION, "elevation_deg", elevation_deg, 0.1, 90.0, "degrees")
    require_range(RECOMMENDATION, "exceedance_pct", exceedance_pct, *EXCEEDANCE_PCT, "%")
    require_range(RECOMMENDATION, "rain_rate_mm_h", rain_rate_mm_h, 0.0, 400.0, "mm/h")
    require_range(RECOMMENDATION, "latitude_deg", latitude_deg, -90.0, 90.0, "degrees")
    above_km = np.asarray(rain_height_km, np.float64) - np.asarray(height_km, np.float64)
    each = (elevation_deg, exceedance_pct, rain_rate_mm_h, above_km, latitude_deg, tilt_deg)
    arrays = (np.asarray(v, np.float64) for v in each)
    return np.asarray(_rain_each(*rain_coefficients(frequency_ghz), float(frequency_ghz), *arrays))


# Gauss-Legendre points for the integral over the angle; 1e-12 and better for correlations up to 0.99.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


def _both_exceeded(threshold: NDArray[np.float64], correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance that two correlated standard normal values both exceed one threshold.

    Source: R. L. Plackett, A reduction formula for normal multivariate integrals, Biometrika 41 (1954).
    """
    half = 0.5 * np.arcsin(correlation)
    angle = half[..., None] * (_NODES + 1.0)
    inside = np.exp(-(threshold[..., None] ** 2) / (1.0 + np.sin(angle)))
    return np.asarray(ndtr(-threshold) ** 2 + half * (inside * _WEIGHTS).sum(axis=-1) / (2.0 * pi))


def rain_on_path_pct(rain_chance_pct: ArrayLike, elevation_deg: ArrayLike, slant_km: ArrayLike) -> NDArray[np.float64]:
    """Share of the average year in which it rains somewhere on a slant path [%]; arguments broadcast.

    rain_chance_pct : at the station, above 0, below 100 [%], ITU-R P.837
    elevation_deg   : [degrees]
    slant_km        : length of the path below the rain height [km]
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 2.2.1.2.
    """
    require_range(RECOMMENDATION, "rain_chance_pct", rain_chance_pct, 0.0, 100.0, "%", open_ends=True)
    chance, elevation, slant = np.broadcast_arrays(
        0.01 * np.asarray(rain_chance_pct, np.float64), np.radians(elevation_deg), np.asarray(slant_km, np.float64)
    )
    ground_km = np.abs(slant * np.cos(elevation))
    correlation = 0.59 * np.exp(-ground_km / 31.0) + 0.41 * np.exp(-ground_km / 800.0)
    both = _both_exceeded(-ndtri(chance), np.minimum(correlation, 1.0))
    dry = (1.0 - chance) * ((both - chance**2) / (chance * (1.0 - chance))) ** chance
    return np.asarray(100.0 * (1.0 - dry))
