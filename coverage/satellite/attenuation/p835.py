"""Pressure of the mean annual global reference atmosphere, ITU-R P.835-6 (12/2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.835-6"
EARTH_RADIUS_KM = 6356.766  # of the geopotential


def reference_pressure_hpa(height_km: ArrayLike) -> NDArray[np.float64]:
    """Pressure at a height above the sea [hPa], first layer of the reference atmosphere.

    height_km : geometric, -0.5 to 11 [km]
    Raises ValueOutOfRange.
    Source: ITU-R P.835-6 Annex 1 section 1.1: 1013.25 hPa and 288.15 K at the sea, 6.5 K/km.
    """
    require_range(RECOMMENDATION, "height_km", height_km, -0.5, 11.0, "km")
    height = np.asarray(height_km, np.float64)
    geopotential_km = EARTH_RADIUS_KM * height / (EARTH_RADIUS_KM + height)
    return np.asarray(1013.25 * (288.15 / (288.15 - 6.5 * geopotential_km)) ** (-34.1632 / 6.5))
