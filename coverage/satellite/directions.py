"""Where in the sky the usable satellites stand over a day, and what a cell draws from those that its mask lets through.

Which of its satellites an operator gives a dish is not published. Each that the dish may use is taken to serve it for
as long as any other (assumption), so that a figure which changes with elevation is averaged over all of them.
"""

from __future__ import annotations

from math import radians, sin

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.frames import geostationary_arc, ground_km, look_angles
from phusong.coverage.satellite.sky import over_region
from phusong.coverage.satellite.tracks import Tracks
from phusong.coverage.satellite.visibility import ARC_EVERY_DEG, Usable

CLASS_DEG = 5.0  # width of a class of elevation; rain is integrated over classes no wider


def elevation_edges_deg(min_elevation_deg: float) -> NDArray[np.float64]:
    """Bounds (E + 1,) of classes of elevation from the least usable one to the zenith, 5 degrees wide or less."""
    count = max(1, int(np.ceil((90.0 - min_elevation_deg) / CLASS_DEG)))
    return np.linspace(min_elevation_deg, 90.0, count + 1)


def directions(
    tracks: Tracks,
    usable: Usable,
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    azimuths: int,
    edges_deg: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Usable satellites at a time in each direction, the mean over the simulated steps: (N, A, E).

    latitude_deg, longitude_deg : (N,) places, a few; between them the sky hardly differs
    azimuths  : A directions around, the first centred on true north, clockwise
    edges_deg : (E + 1,) rising, see `elevation_edges_deg`
    20 ns a satellite and step, and 0.3 us more for each place and each satellite over it.
    Raises ValueOutOfRange without a place, a direction or two edges.
    """
    lat, lon = np.atleast_1d(np.asarray(latitude_deg, np.float64)), np.atleast_1d(np.asarray(longitude_deg, np.float64))
    if lat.size == 0 or lat.shape != lon.shape or azimuths < 1 or len(edges_deg) < 2:
        raise ValueOutOfRange(
            what="no directions to sort satellites into",
            where=f"latitudes {lat.shape}, longitudes {lon.shape}, {azimuths} azimuths, {len(edges_deg)} edges",
            mend="give at least one place, one azimuth and two edges",
        )
    gateway_km, gateway_axes = ground_km(*np.reshape(np.asarray(usable.gateway_deg, np.float64), (-1, 2)).T)
    found = np.zeros((lat.size, azimuths, len(edges_deg) - 1))
    for n in range(lat.size):
        place, axes = ground_km(lat[n], lon[n])
        start, satellite_km = over_region(
            tracks.position_km, place, 0.0, radians(usable.min_elevation_deg), gateway_km,
            np.ascontiguousarray(gateway_axes[:, 2]), sin(radians(usable.gateway_elevation_deg)),
            usable.inter_satellite_links,
        )  # fmt: skip
        azimuth, elevation, _ = look_angles(lat[n], lon[n], 0.0, satellite_km)
        kept = elevation >= usable.min_elevation_deg
        if usable.gso_exclusion_deg > 0.0:
            arc = geostationary_arc(place, np.ascontiguousarray(axes[2]), ARC_EVERY_DEG)
            toward = satellite_km - place
            toward /= np.linalg.norm(toward, axis=1, keepdims=True)
            nearest = (toward @ arc.T.astype(np.float64)).max(axis=1, initial=-1.0)
            kept &= nearest < np.cos(np.radians(usable.gso_exclusion_deg))
        direction = np.rint(azimuth[kept] * azimuths / 360.0).astype(np.int64) % azimuths
        level = np.clip(np.searchsorted(edges_deg, elevation[kept], side="right") - 1, 0, len(edges_deg) - 2)
        np.add.at(found[n], (direction, level), 1.0 / (len(start) - 1))
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def averaged_over_sky(
    horizon_deg: NDArray[np.float32],
    density: NDArray[np.float64],
    place_of: NDArray[np.int64],
    edges_deg: NDArray[np.float64],
    table: NDArray[np.float32],
    at_row: NDArray[np.float64],
    at_col: NDArray[np.float64],
    at_height: NDArray[np.float64],
    mean: NDArray[np.float32],
) -> None:
    """Fills mean (K, H, W): each of K figures averaged over the satellites that a cell's mask lets through; NaN where
    none comes through or the mask or the height is unknown. 2 us a cell at 64 directions, 13 classes and 8 figures.

    horizon_deg : (A, H, W) mask in the directions of `density`
    density     : (N, A, E) of `directions`;  place_of: (H, W) the place n whose sky a cell has
    table       : (K, E, R, C, Z) each figure by class of elevation, at R x C nodes and Z heights
    at_row, at_col, at_height : (H, W) where a cell lies between the nodes, 0 to R - 1, C - 1, Z - 1
    A class that the mask cuts counts with the part of its width above the mask.
    """
    azimuths, rows, cols = horizon_deg.shape
    figures, classes, high_row, high_col, high_z = table.shape
    seen = np.empty(classes)
    corner, weight = np.empty((8, 3), np.int64), np.empty(8)
    for r in range(rows):
        for c in range(cols):
            if np.isnan(horizon_deg[0, r, c]) or np.isnan(at_height[r, c]):
                mean[:, r, c] = np.nan
                continue
            total = 0.0
            seen[:] = 0.0
            for a in range(azimuths):
                mask = horizon_deg[a, r, c]
                for e in range(classes):
                    open_part = (edges_deg[e + 1] - mask) / (edges_deg[e + 1] - edges_deg[e])
                    if open_part > 0.0:
                        seen[e] += density[place_of[r, c], a, e] * min(open_part, 1.0)
            for e in range(classes):
                total += seen[e]
            if total <= 0.0:
                mean[:, r, c] = np.nan
                continue
            r0 = min(int(at_row[r, c]), max(high_row - 2, 0))
            c0 = min(int(at_col[r, c]), max(high_col - 2, 0))
            z0 = min(int(at_height[r, c]), max(high_z - 2, 0))
            fr, fc, fz = at_row[r, c] - r0, at_col[r, c] - c0, at_height[r, c] - z0
            for i in range(8):
                dr, dc, dz = i & 1, (i >> 1) & 1, i >> 2
                weight[i] = (fr if dr else 1.0 - fr) * (fc if dc else 1.0 - fc) * (fz if dz else 1.0 - fz)
                corner[i, 0] = min(r0 + dr, high_row - 1)
                corner[i, 1] = min(c0 + dc, high_col - 1)
                corner[i, 2] = min(z0 + dz, high_z - 1)
            for k in range(figures):
                value = 0.0
                for e in range(classes):
                    if seen[e] > 0.0:
                        here = 0.0
                        for i in range(8):
                            here += weight[i] * table[k, e, corner[i, 0], corner[i, 1], corner[i, 2]]
                        value += seen[e] * here
                mean[k, r, c] = value / total
