"""Microwave links: how clear of the ground the path between two dishes is."""

from __future__ import annotations

from math import inf, nan, sqrt

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.effective_earth import STANDARD_EFFECTIVE_RADIUS_KM
from phusong.coverage.terrain import Terrain, path_profile

LIGHT_M_PER_NS = 0.299792458


def clearance(
    terrain: Terrain,
    from_rc: ArrayLike,
    from_height_m: ArrayLike,
    to_rc: ArrayLike,
    to_height_m: ArrayLike,
    frequency_ghz: float,
    effective_radius_km: float = STANDARD_EFFECTIVE_RADIUS_KM,
) -> NDArray[np.float64]:
    """Least clearance along each path, as a share of the radius of the first Fresnel zone there.

    from_rc, to_rc : (N, 2) grid coordinates of the two masts;  from_height_m, to_height_m : (N,) of the dishes above
        the ground [m]
    effective_radius_km : of the Earth; 4/3 of its own is the median of the point k-factor where nothing is known
    Returns (N,): 1 leaves the whole first zone free, 0 grazes the highest obstacle, below it the ground is in the way;
    infinite where the dishes stand within one cell of each other, NaN where a height on the path is unknown or a mast
    stands off the raster.
    The ground is the raster's: trees and houses count as far as they are in its heights.
    Raises ValueOutOfRange for a frequency or a radius that is not above zero.
    Source: planning by clearance of the first Fresnel zone at the median k-factor is ITU-R P.530-18 section 2.2.2;
    the radius of the zone is ITU-R P.526-15 section 2.1, with both distances much longer than the wave.
    """
    if not (frequency_ghz > 0.0 and effective_radius_km > 0.0):
        raise ValueOutOfRange(
            what="no microwave link has this frequency or curves around this Earth",
            where=f"frequency_ghz = {frequency_ghz}, effective_radius_km = {effective_radius_km}",
            mend="give both above zero, e.g. 7 GHz and 8,495 km",
        )
    start, end = (np.ascontiguousarray(rc, np.float64).reshape(-1, 2) for rc in (from_rc, to_rc))
    from_m, to_m = (
        np.ascontiguousarray(np.broadcast_to(h, len(start)), np.float64) for h in (from_height_m, to_height_m)
    )
    least = np.full(len(start), nan)
    _clearances(
        terrain.height_m, terrain.cell_m, start, from_m, end, to_m, LIGHT_M_PER_NS / frequency_ghz,
        effective_radius_km * 1000.0, least,
    )  # fmt: skip
    return least


@njit(cache=True, nogil=True, error_model="numpy")
def _clearances(
    height_m: NDArray[np.float32],
    cell_m: float,
    start_rc: NDArray[np.float64],
    from_m: NDArray[np.float64],
    end_rc: NDArray[np.float64],
    to_m: NDArray[np.float64],
    wave_m: float,
    radius_m: float,
    least: NDArray[np.float64],
) -> None:
    """Writes the least clearance of each path; 5 ns a point of a profile."""
    rows, cols = height_m.shape
    profile_m = np.empty(rows + cols + 1)
    for link in range(start_rc.shape[0]):
        r0, c0, r1, c1 = start_rc[link, 0], start_rc[link, 1], end_rc[link, 0], end_rc[link, 1]
        if min(r0, r1) < 0.0 or min(c0, c1) < 0.0 or max(r0, r1) > rows - 1 or max(c0, c1) > cols - 1:
            continue
        points, step_m = path_profile(height_m, cell_m, r0, c0, r1, c1, profile_m)
        if points == 0:
            continue
        last = points - 1
        whole_m = step_m * last
        first_m = profile_m[0] + from_m[link]
        slope = (profile_m[last] + to_m[link] - first_m) / whole_m if whole_m > 0.0 else 0.0
        worst = inf
        for i in range(1, last):
            near_m = step_m * i
            far_m = whole_m - near_m
            bulge_m = near_m * far_m / (2.0 * radius_m)
            clear_m = first_m + slope * near_m - profile_m[i] - bulge_m
            worst = min(worst, clear_m / sqrt(wave_m * near_m * far_m / whole_m))
        least[link] = worst
