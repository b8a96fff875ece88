"""The satellites over a place, step by step: first those over a whole region, then a block of cells at a time."""

from __future__ import annotations

from math import pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

OPEN, TOP, HIDDEN_LEVEL = 1, 254, 255  # levels of sight, see `level_scale`
EARTH_KM = 6371.0  # radius by which the vertical turns as the eye moves
SLACK_RAD = 0.01  # the Earth's flattening (0.0034) and mountains, when a satellite is asked for roughly
NEAR_ZENITH = 0.05  # cosine of elevation below which azimuth is not corrected further


@njit(cache=True, nogil=True)
def over_region(
    position_km: NDArray[np.float32],
    middle_km: NDArray[np.float64],
    radius_km: float,
    min_elevation_rad: float,
    gateway_km: NDArray[np.float64],
    gateway_up: NDArray[np.float64],
    gateway_sine: float,
    linked: bool,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Satellites that some place of the region may see: start (T + 1,) of each step, and their positions (M, 3).

    position_km : (T, N, 3);  middle_km, radius_km: of the region
    gateway_km, gateway_up : (G, 3) places and verticals; unless `linked`, one of them must see the satellite above
        the sine of elevation `gateway_sine`
    20 ns a satellite and step, and 3 ns more a gateway for those over the region.
    """
    steps, count = position_km.shape[:2]
    ground = np.sqrt((middle_km * middle_km).sum())
    up = middle_km / ground
    reach = radius_km / ground + SLACK_RAD
    start = np.zeros(steps + 1, np.int64)
    kept = np.empty((1024, 3), np.float32)
    m = 0
    for t in range(steps):
        for n in range(count):
            x, y, z = position_km[t, n, 0], position_km[t, n, 1], position_km[t, n, 2]
            high = x * up[0] + y * up[1] + z * up[2]
            if not high > 0.0:  # below the horizon of any place near, or not a number
                continue
            away = np.sqrt(x * x + y * y + z * z)
            arc = np.arccos(min(1.0, ground * np.cos(min_elevation_rad) / away)) - min_elevation_rad + reach
            if arc < 0.5 * pi and high < away * np.cos(arc):
                continue
            if not linked and not _seen(x, y, z, gateway_km, gateway_up, gateway_sine):
                continue
            if m == kept.shape[0]:
                longer = np.empty((2 * m, 3), np.float32)
                longer[:m] = kept
                kept = longer
            kept[m, 0], kept[m, 1], kept[m, 2] = x, y, z
            m += 1
        start[t + 1] = m
    return start, kept[:m].copy()


@njit(cache=True, nogil=True)
def _seen(x: float, y: float, z: float, place: NDArray[np.float64], up: NDArray[np.float64], sine: float) -> bool:
    """Whether any of the places sees the satellite high enough."""
    for g in range(place.shape[0]):
        dx, dy, dz = x - place[g, 0], y - place[g, 1], z - place[g, 2]
        if dx * up[g, 0] + dy * up[g, 1] + dz * up[g, 2] >= sine * np.sqrt(dx * dx + dy * dy + dz * dz):
            return True
    return False


@njit(cache=True, nogil=True)
def level_scale(floor_sine: float) -> float:
    """Levels for a sine of elevation: OPEN at the least usable elevation, TOP at the zenith, in even steps between.

    A satellite counts down to the whole level below it, a mask to the nearest, so that on average they meet rightly.
    From 25 degrees up a level is 0.15 degrees wide there, 0.2 at 45 and 0.3 at 65.
    """
    return (TOP - OPEN) / (1.0 - floor_sine)


@njit(cache=True, nogil=True)
def azimuth_steps(east: float, north: float, per_quarter: float) -> float:
    """Direction from north clockwise, 0 to 4 quarters, in steps of the mask; to 0.005 degrees, 3 ns.

    An odd polynomial of the seventh degree for the arc tangent up to 45 degrees, fitted with equal ripples.
    """
    across, along = abs(east), abs(north)
    ratio = min(across, along) / max(across, along, 1e-12)
    square = ratio * ratio
    turn = ratio * (0.999_213_81 - square * (0.321_174_91 - square * (0.146_264_30 - square * 0.038_986_40)))
    quarter = turn * (2.0 / pi)
    if across > along:
        quarter = 1.0 - quarter
    if north < 0.0:
        quarter = 2.0 - quarter
    if east < 0.0:
        quarter = 4.0 - quarter
    return quarter * per_quarter


@njit(cache=True, nogil=True, error_model="numpy")
def over_block(
    start: NDArray[np.int64],
    satellite_km: NDArray[np.float32],
    place: NDArray[np.float64],
    axes: NDArray[np.float64],
    half_km: NDArray[np.float64],
    turn_rad: float,
    floor_sine: float,
    lowest: NDArray[np.uint8],
    highest: NDArray[np.uint8],
    arc: NDArray[np.float32],
    exclusion_cosine: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """The sky of a block of cells: what all cells see, and the satellites that only some may see.

    Returns
        base    : (T,) satellites that clear every mask of the block
        begin   : (T + 1,) of each step in `between`
        between : (6, M) level of sight, its change a km east and north; azimuth in steps of the mask from grid north,
                  its change a km east and north. The eye's move turns the line of sight and the vertical.
        above   : (A, 256) satellite-steps at or above each level in each direction, from the block's middle
    place, axes     : (3,), (3, 3) Earth-fixed, east north up;  turn_rad: azimuth of grid north
    half_km         : from the middle to the middle of the outermost tile, east and north
    lowest, highest : (A,) levels of the masks in the block
    arc             : (3, K) directions of the geostationary arc; satellites within the exclusion of it are left out
    50 ns a satellite of the region and step.
    """
    steps, azimuths = start.size - 1, lowest.size
    base, begin = np.zeros(steps, np.int64), np.zeros(steps + 1, np.int64)
    between = np.empty((6, satellite_km.shape[0]), np.float32)
    above = np.zeros((azimuths, HIDDEN_LEVEL + 1), np.int64)
    per_rad, per_sine = azimuths / (2.0 * pi), level_scale(floor_sine)
    turn = turn_rad * per_rad
    m = 0
    for t in range(steps):
        for k in range(start[t], start[t + 1]):
            x, y, z = satellite_km[k, 0] - place[0], satellite_km[k, 1] - place[1], satellite_km[k, 2] - place[2]
            closer = 1.0 / np.sqrt(x * x + y * y + z * z)
            sine = (x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]) * closer
            east = (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]) * closer
            north = (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]) * closer
            level = OPEN + (sine - floor_sine) * per_sine
            rises = (sine * closer + 1.0 / EARTH_KM) * per_sine  # by the cosine of elevation: in east and north
            reach = abs(rises * east) * half_km[0] + abs(rises * north) * half_km[1]
            if level + reach < OPEN or _near_arc(x * closer, y * closer, z * closer, arc, exclusion_cosine):
                continue
            flat = max(east * east + north * north, NEAR_ZENITH * NEAR_ZENITH)
            swings = (closer + sine / EARTH_KM) * per_rad / flat
            swing = abs(swings * north) * half_km[0] + abs(swings * east) * half_km[1]
            azimuth = azimuth_steps(east, north, azimuths / 4.0) - turn
            azimuth += azimuths if azimuth < 0.0 else (-azimuths if azimuth >= azimuths else 0)
            if level >= OPEN:
                above[int(azimuth + 0.5) % azimuths, int(level)] += 1
            first, last = int(azimuth - swing + 0.5 + azimuths), int(azimuth + swing + 0.5 + azimuths)
            least, most = HIDDEN_LEVEL, 0
            for a in range(first, min(last, first + azimuths - 1) + 1):
                least, most = min(least, lowest[a % azimuths]), max(most, highest[a % azimuths])
            if level - reach >= most:
                base[t] += 1
            elif level + reach >= least:
                between[0, m], between[1, m], between[2, m] = level, rises * east, rises * north
                between[3, m], between[4, m], between[5, m] = azimuth, -swings * north, swings * east
                m += 1
        begin[t + 1] = m
    for a in range(azimuths):
        for level in range(HIDDEN_LEVEL - 1, -1, -1):
            above[a, level] += above[a, level + 1]
    return base, begin, between[:, :m].copy(), above


@njit(cache=True, nogil=True)
def _near_arc(x: float, y: float, z: float, arc: NDArray[np.float32], cosine: float) -> bool:
    """Whether a direction lies nearer to any of the arc's than the exclusion angle; 0.3 ns a direction of the arc."""
    if cosine >= 1.0:
        return False
    x4, y4, z4, least = np.float32(x), np.float32(y), np.float32(z), np.float32(cosine)
    near = 0
    for k in range(arc.shape[1]):
        near |= x4 * arc[0, k] + y4 * arc[1, k] + z4 * arc[2, k] > least
    return near != 0
