"""Tropospheric scintillation, ITU-R P.618-13 (12/2017) section 2.4.1; P.618-14 (08/2023) keeps the method."""

from __future__ import annotations

from math import atan, exp, log, log10, pi, sin, sqrt

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.618-13"
TURBULENCE_M = 1000.0


@njit(cache=True, nogil=True, error_model="numpy")
def time_factor(log10_share: float) -> float:
    """a(p) of section 2.4.1 from the decimal logarithm of the exceedance in percent. 1 ns."""
    x = log10_share
    return ((-0.061 * x + 0.072) * x - 1.71) * x + 3.0


@njit(cache=True, nogil=True, error_model="numpy")
def deviation_kernel_db(
    frequency_ghz: float, sin_elevation: float, wet_refractivity: float, effective_diameter_m: float
) -> float:
    """Standard deviation of the signal's level [dB]; parameters as of `scintillation_db`, unchecked. 80 ns."""
    path_m = 2.0 * TURBULENCE_M / (sqrt(sin_elevation * sin_elevation + 2.35e-4) + sin_elevation)
    x = 1.22 * effective_diameter_m * effective_diameter_m * frequency_ghz / path_m
    if x >= 7.0:  # so wide a dish averages it away
        return 0.0
    turn = 0.5 * pi if x <= 0.0 else atan(1.0 / x)
    square = 3.86 * exp(11.0 / 12.0 * log(x * x + 1.0)) * sin(11.0 / 6.0 * turn)
    if x > 0.0:
        square -= 7.08 * exp(5.0 / 6.0 * log(x))
    reference_db = 3.6e-3 + 1e-4 * wet_refractivity
    return reference_db * exp(7.0 / 12.0 * log(frequency_ghz) - 1.2 * log(sin_elevation)) * sqrt(max(square, 0.0))


# Compiled when first called, for numbers and arrays.
@vectorize(cache=True)
def _scintillation_each(
    frequency: float, elevation: float, share: float, wet: float, diameter: float, efficiency: float
) -> float:
    deviation = deviation_kernel_db(frequency, sin(elevation * pi / 180.0), wet, sqrt(efficiency) * diameter)
    return time_factor(log10(share)) * deviation


def scintillation_db(
    frequency_ghz: ArrayLike,
    elevation_deg: ArrayLike,
    exceedance_pct: ArrayLike,
    wet_refractivity: ArrayLike,
    diameter_m: ArrayLike,
    efficiency: ArrayLike = 0.5,
) -> NDArray[np.float64]:
    """Depth of fades by scintillation, exceeded for a share of the average year [dB]; arguments broadcast.

    frequency_ghz    : 1 to 55 [GHz]; the method was tested from 7 to 14 and is stated for 4 to 20
    elevation_deg    : 4 to 90 [degrees]
    exceedance_pct   : 0.001 to 50 [%]; stated for 0.01 and above
    wet_refractivity : median wet term of the radio refractivity [N units], ITU-R P.453
    diameter_m       : of the dish [m]
    efficiency       : of its aperture, above 0, to 1
    The turbulent layer ends at 1000 m.
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 2.4.1.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, 1.0, 55.0, "GHz")
    require_range(RECOMMENDATION, "elevation_deg", elevation_deg, 4.0, 90.0, "degrees")
    require_range(RECOMMENDATION, "exceedance_pct", exceedance_pct, 0.001, 50.0, "%")
    require_range(RECOMMENDATION, "wet_refractivity", wet_refractivity, 0.0, 300.0, "N units")
    require_range(RECOMMENDATION, "diameter_m", diameter_m, 0.0, 100.0, "m")
    require_range(RECOMMENDATION, "efficiency", efficiency, 0.0, 1.0, "")
    each = (frequency_ghz, elevation_deg, exceedance_pct, wet_refractivity, diameter_m, efficiency)
    return np.asarray(_scintillation_each(*(np.asarray(v, np.float64) for v in each)))
