"""Water vapour carried from a map's height to the station's, ITU-R P.836-6 (12/2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def at_height(
    value: ArrayLike, map_height_km: ArrayLike, height_km: ArrayLike, scale_km: ArrayLike
) -> NDArray[np.float64]:
    """Surface density [g/m3] or column [kg/m2] of water vapour at the station's height; arguments broadcast.

    value         : at the height of the map's ground, same unit
    map_height_km : of the map's ground [km above sea]
    height_km     : of the station [km above sea]
    scale_km      : scale height of water vapour [km], above 0
    Source: ITU-R P.836-6 Annex 1 and Annex 2: the exponential of the height difference over the scale height.
    """
    value, low, high, scale = (np.asarray(v, np.float64) for v in (value, map_height_km, height_km, scale_km))
    return np.asarray(value * np.exp(-(high - low) / scale))
