"""A geostationary satellite above or below a cell's mask: one test, for it never moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.frames import GEOSTATIONARY_KM, grid_north_deg, look_angles

VINASAT_DEG = {"VINASAT-1": 132.0, "VINASAT-2": 131.8}  # longitudes east (VNPT; element sets of May 2026 agree to 0.1)


@dataclass(frozen=True, slots=True, eq=False)
class Geostationary:
    """One satellite as every cell of a grid sees it, each (H, W).

    elevation_deg, azimuth_deg : azimuth clockwise from true north; no refraction
    margin_deg                 : elevation above the mask, or above the dish's least elevation where that is higher; NaN
        where the mask is unknown
    visible                    : margin_deg is not negative
    """

    elevation_deg: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]
    margin_deg: NDArray[np.float64]
    visible: NDArray[np.bool_]


def geostationary(
    satellite_longitude_deg: float,
    horizon_deg: NDArray[np.float32],
    latitude_deg: NDArray[np.float64],
    longitude_deg: NDArray[np.float64],
    *,
    min_elevation_deg: float = 10.0,
    height_m: ArrayLike = 0.0,
) -> Geostationary:
    """Where a satellite over the equator stands, and whether the mask lets it through.

    horizon_deg       : (A, H, W) mask in A evenly spaced directions from grid north clockwise, linear between them
    min_elevation_deg : below it no dish is pointed (assumption: 10)
    The satellite keeps its place to 0.1 degrees; inclined orbits are not for this test. 0.3 us a cell.
    Raises ValueOutOfRange where shapes do not fit.
    """
    if horizon_deg.ndim != 3 or not horizon_deg.shape[1:] == latitude_deg.shape == longitude_deg.shape:
        raise ValueOutOfRange(
            what="masks and places do not fit together",
            where=f"horizon_deg {horizon_deg.shape}, latitude {latitude_deg.shape}, longitude {longitude_deg.shape}",
            mend="give (A, H, W), (H, W) and (H, W)",
        )
    over = np.radians(satellite_longitude_deg)
    satellite_km = GEOSTATIONARY_KM * np.array([np.cos(over), np.sin(over), 0.0])
    azimuth, elevation, _ = look_angles(latitude_deg, longitude_deg, height_m, satellite_km)
    toward = (azimuth - grid_north_deg(latitude_deg, longitude_deg)) % 360.0
    mask = _mask_toward(np.asarray(horizon_deg, np.float32), toward)
    margin = elevation - np.maximum(mask, min_elevation_deg)
    return Geostationary(elevation, azimuth, margin, margin >= 0.0)


@njit(cache=True, nogil=True)
def _mask_toward(horizon_deg: NDArray[np.float32], toward_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each cell's mask (H, W) in its own direction from grid north, linear between the two next to it; 5 ns a cell."""
    azimuths, rows, cols = horizon_deg.shape
    mask = np.empty((rows, cols))
    for r in range(rows):
        for c in range(cols):
            step = toward_deg[r, c] * azimuths / 360.0
            a = int(step)
            share = step - a
            here, there = horizon_deg[a % azimuths, r, c], horizon_deg[(a + 1) % azimuths, r, c]
            mask[r, c] = here + share * (there - here)
    return mask
