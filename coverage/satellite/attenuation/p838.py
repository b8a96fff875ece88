"""Specific attenuation of rain, ITU-R P.838-3 (03/2005)."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.838-3"
FREQUENCY_GHZ = (1.0, 1000.0)

# Tables 1 to 4: (a, b, c) of each bell in log10 of the frequency, then slope and constant.
_K_HORIZONTAL = (
    (
        (-5.33980, -0.10008, 1.13098),
        (-0.35351, 1.26970, 0.45400),
        (-0.23789, 0.86036, 0.15354),
        (-0.94158, 0.64552, 0.16817),
    ),
    (-0.18961, 0.71147),
)
_K_VERTICAL = (
    (
        (-3.80595, 0.56934, 0.81061),
        (-3.44965, -0.22911, 0.51059),
        (-0.39902, 0.73042, 0.11899),
        (0.50167, 1.07319, 0.27195),
    ),
    (-0.16398, 0.63297),
)
_ALPHA_HORIZONTAL = (
    (
        (-0.14318, 1.82442, -0.55187),
        (0.29591, 0.77564, 0.19822),
        (0.32177, 0.63773, 0.13164),
        (-5.37610, -0.96230, 1.47828),
        (16.1721, -3.29980, 3.43990),
    ),
    (0.67849, -1.95537),
)
_ALPHA_VERTICAL = (
    (
        (-0.07771, 2.33840, -0.76284),
        (0.56727, 0.95545, 0.54039),
        (-0.20238, 1.14520, 0.26809),
        (-48.2991, 0.791669, 0.116226),
        (48.5833, 0.791459, 0.116479),
    ),
    (-0.053739, 0.83433),
)
_Curve = tuple[tuple[tuple[float, float, float], ...], tuple[float, float]]


class RainCoefficients(NamedTuple):
    """k and alpha for horizontal and vertical polarisation at one frequency."""

    k_h: float
    k_v: float
    alpha_h: float
    alpha_v: float


def _along(curve: _Curve, log_f: float) -> float:
    bells, (slope, constant) = curve
    a, b, c = np.array(bells).T
    return float((a * np.exp(-(((log_f - b) / c) ** 2))).sum() + slope * log_f + constant)


def rain_coefficients(frequency_ghz: float) -> RainCoefficients:
    """Coefficients of the power law for both polarisations.

    frequency_ghz : 1 to 1000 [GHz]
    Raises ValueOutOfRange.
    Source: ITU-R P.838-3, Tables 1 to 4.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    log_f = float(np.log10(frequency_ghz))
    return RainCoefficients(
        10.0 ** _along(_K_HORIZONTAL, log_f),
        10.0 ** _along(_K_VERTICAL, log_f),
        _along(_ALPHA_HORIZONTAL, log_f),
        _along(_ALPHA_VERTICAL, log_f),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def path_coefficients(rain: RainCoefficients, cos_elevation: float, cos_twice_tilt: float) -> tuple[float, float]:
    """k and alpha of a path and a polarisation. 2 ns.

    cos_elevation  : cosine of the path's elevation
    cos_twice_tilt : cosine of twice the polarisation's tilt from the horizontal; 0 for circular polarisation
    Source: ITU-R P.838-3, the two equations after Table 4.
    """
    turned = cos_elevation * cos_elevation * cos_twice_tilt
    k = 0.5 * (rain.k_h + rain.k_v + (rain.k_h - rain.k_v) * turned)
    h, v = rain.k_h * rain.alpha_h, rain.k_v * rain.alpha_v
    return k, 0.5 * (h + v + (h - v) * turned) / k


def specific_attenuation_db_km(
    frequency_ghz: float, rain_rate_mm_h: ArrayLike, elevation_deg: ArrayLike = 0.0, tilt_deg: ArrayLike = 45.0
) -> NDArray[np.float64]:
    """Specific attenuation of rain [dB/km]; arguments but the frequency broadcast.

    frequency_ghz  : 1 to 1000 [GHz]
    rain_rate_mm_h : [mm/h], not negative
    elevation_deg  : of the path [degrees]
    tilt_deg       : of the polarisation from the horizontal [degrees], 45 for circular
    Raises ValueOutOfRange.
    Source: ITU-R P.838-3.
    """
    require_range(RECOMMENDATION, "rain_rate_mm_h", rain_rate_mm_h, 0.0, np.inf, "mm/h")
    formula = cast(Any, path_coefficients).py_func  # NumPy does the arrays
    k, alpha = formula(
        rain_coefficients(frequency_ghz),
        np.cos(np.radians(np.asarray(elevation_deg, np.float64))),
        np.cos(np.radians(2.0 * np.asarray(tilt_deg, np.float64))),
    )
    return np.asarray(k * np.asarray(rain_rate_mm_h, np.float64) ** alpha)
