"""Where a satellite stands in the sky of a place: sidereal time, Earth-fixed positions, look angles.

TEME is turned by Greenwich mean sidereal time alone. Left out: polar motion (up to 0.6 arc seconds, 20 m at a satellite
of 550 km) and UT1 - UTC (under 0.9 s, in which the Earth turns 0.45 km there). Refraction is left out too: 0.04 degrees
at 25.
"""

from __future__ import annotations

from math import pi

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

WGS84_RADIUS_KM, WGS84_FLATTENING = 6378.137, 1.0 / 298.257_223_563
GEOSTATIONARY_KM = 42_164.2  # radius of the geostationary orbit
JULIAN_DAY_OF_ZERO = 2_433_281.5  # 1949-12-31 00:00, from which epochs count their days


def sidereal_rad(days: ArrayLike) -> NDArray[np.float64]:
    """Greenwich mean sidereal time [rad], 0 to 2 pi, of days since 1949-12-31 00:00 UT1.

    Source: Aoki et al. 1982 (IAU 1982), as Vallado et al., AIAA 2006-6753, give it for TEME.
    """
    # The day's own turn is taken off before the large number can blur it: UT1 in whole and fractional days.
    moment = np.asarray(days, np.float64)
    whole = np.floor(moment)
    turn = moment - whole
    centuries = (whole + (JULIAN_DAY_OF_ZERO - 2_451_545.0) + turn) / 36_525.0
    # 876600 h a century is a whole turn a day, counted from the noon of J2000.
    seconds = 67_310.548_41 + (8_640_184.812_866 + (0.093_104 - 6.2e-6 * centuries) * centuries) * centuries
    turns = seconds / 86_400.0 + turn + (JULIAN_DAY_OF_ZERO - 2_451_545.0) % 1.0
    return 2.0 * pi * (turns % 1.0)


def ground_km(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_m: ArrayLike = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Earth-fixed position (..., 3) [km] of places on WGS 84, and their east, north and up as unit vectors (..., 3, 3).

    height_m : above the ellipsoid
    """
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    lat, lon, height_km = np.broadcast_arrays(lat, lon, np.asarray(height_m, np.float64) / 1000.0)
    squared = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
    normal = WGS84_RADIUS_KM / np.sqrt(1.0 - squared * np.sin(lat) ** 2)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    place = (normal + height_km)[..., None] * up
    place[..., 2] -= squared * normal * np.sin(lat)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], -1)
    return place, np.stack([east, np.cross(up, east), up], -2)


def look_angles(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_m: ArrayLike, satellite_km: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Azimuth, clockwise from true north 0 to 360, elevation [degrees] and distance [km]; no refraction.

    satellite_km : (..., 3) Earth-fixed; its leading axes and the place's broadcast
    """
    place, axes = ground_km(latitude_deg, longitude_deg, height_m)
    seen = np.asarray(satellite_km, np.float64) - place
    east, north, up = np.moveaxis(np.einsum("...ij,...j->...i", axes, seen), -1, 0)
    distance = np.sqrt(east**2 + north**2 + up**2)
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    return azimuth, np.degrees(np.arctan2(up, np.hypot(east, north))), distance


@njit(cache=True, nogil=True)
def geostationary_arc(place: NDArray[np.float64], up: NDArray[np.float64], every_deg: float) -> NDArray[np.float32]:
    """Unit vectors (K, 3), Earth-fixed, from a place to the geostationary orbit where it stands above the horizon.

    every_deg : of longitude. 0.1 us a point.
    """
    count = int(360.0 / every_deg)
    arc = np.empty((count, 3), np.float32)
    kept = 0
    for k in range(count):
        angle = 2.0 * pi * k / count
        x, y, z = GEOSTATIONARY_KM * np.cos(angle) - place[0], GEOSTATIONARY_KM * np.sin(angle) - place[1], -place[2]
        if x * up[0] + y * up[1] + z * up[2] >= 0.0:
            distance = np.sqrt(x * x + y * y + z * z)
            arc[kept, 0], arc[kept, 1], arc[kept, 2] = x / distance, y / distance, z / distance
            kept += 1
    return arc[:kept]


def earth_fixed_km(teme_km: NDArray[np.float64], days: ArrayLike) -> NDArray[np.float64]:
    """Positions (..., 3) of TEME turned with the Earth; days: (...) since 1949-12-31 00:00 UT1."""
    angle = sidereal_rad(days)
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(np.asarray(teme_km, np.float64), -1, 0)
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, z], -1)


def grid_north_deg(latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Azimuth (H, W) of a grid's north from true north [degrees], from the places of its cells' centres.

    A grid of one row is turned as its columns say; of a single cell north is true north.
    """
    along = 0 if latitude_deg.shape[0] > 1 else 1
    if latitude_deg.shape[along] == 1:
        return np.zeros(latitude_deg.shape)
    up, east = (np.gradient(a, axis=along) for a in (latitude_deg, longitude_deg))
    turned = np.degrees(np.arctan2(east * np.cos(np.radians(latitude_deg)), up))
    return np.asarray(turned + 180.0 if along == 0 else turned - 90.0) % 360.0
