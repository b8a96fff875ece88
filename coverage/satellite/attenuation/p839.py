"""Rain height, ITU-R P.839-4 (09/2013), from the mean height of the 0 degree isotherm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ABOVE_ISOTHERM_KM = 0.36


def rain_height_km(zero_isotherm_km: ArrayLike) -> NDArray[np.float64]:
    """Mean annual rain height above the sea [km].

    zero_isotherm_km : mean annual height of the 0 degree isotherm [km above sea], from the Recommendation's map
    Source: ITU-R P.839-4 Annex 1.
    """
    return np.asarray(zero_isotherm_km, np.float64) + ABOVE_ISOTHERM_KM
