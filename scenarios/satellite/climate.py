"""Climate of the planned area along satellite paths: the ITU-R's maps where there are any, else a region's figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.attenuation.climate import Climate as PathClimate
from phusong.coverage.satellite.attenuation.climate import vietnam
from phusong.coverage.satellite.attenuation.vietnam_regions import vietnam_at
from phusong.data_sources.itu_maps import find_itu_maps
from phusong.scenarios.errors import ClimateUnknown
from phusong.scenarios.satellite.settings import Climate

HEIGHTS_KM = (-0.1, 5.0)  # that the rounded figures are for
Array = NDArray[np.float64]
ClimateAt = Callable[[Array, Array, Array], PathClimate]


def climate_of(settings: Climate, base: Path) -> ClimateAt:
    """The climate at places: called with latitudes, longitudes [degrees] and heights [km] of one shape.

    A folder of maps goes first, then a named region, then an installed itur package, then each place's own region.
    Raises RasterMissing for a folder without maps; the climate itself ClimateUnknown for places outside Vietnam
    without any of them.
    """
    if settings.itu_maps is None and settings.region is not None:
        region = settings.region
        return lambda latitude, longitude, height_km: vietnam(region, np.clip(height_km, *HEIGHTS_KM))
    maps = find_itu_maps(None if settings.itu_maps is None else base / settings.itu_maps)
    if maps is None:
        return _by_place
    return lambda latitude, longitude, height_km: PathClimate(**maps.climate(latitude, longitude, height_km))


def _by_place(latitude_deg: Array, longitude_deg: Array, height_km: Array) -> PathClimate:
    try:
        return vietnam_at(latitude_deg, longitude_deg, np.clip(height_km, *HEIGHTS_KM))
    except ValueOutOfRange as outside:
        raise ClimateUnknown(
            what="không có khí hậu để tính mưa / no climate is known, so no rain along the path",
            where=f"satellite.climate: {outside.where}",
            mend='thêm / add  itu_maps = FOLDER  or  region = "..."  under [satellite.climate], or  '
            "pip install 'phusong[itu]'",
        ) from None
