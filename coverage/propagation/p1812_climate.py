"""Radio climate of a path for ITU-R P.1812-7, sections 3.3 to 3.6 and 4.1: zones along it, incidence of ducting."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, exp, radians, sin

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.effective_earth import EARTH_RADIUS_KM
from phusong.coverage.propagation.p1812_path import Spacing, point_km

SEA, COASTAL_LAND, INLAND = 1, 3, 4


@njit(cache=True, nogil=True, error_model="numpy")
def _edge_km(spacing: Spacing, last: int, i: int) -> float:
    # Where the stretch of point i - 1 ends and that of point i begins.
    if i == 0:
        return 0.0
    if i > last:
        return point_km(spacing, last)
    return 0.5 * (point_km(spacing, i - 1) + point_km(spacing, i))


@njit(cache=True, nogil=True, error_model="numpy")
def zone_lengths(spacing: Spacing, zone: NDArray[np.int64]) -> tuple[float, float, float]:
    """Share of the path over sea [-], longest stretch of land, longest stretch of inland [km]; 2 ns a point.

    spacing : (n,) distances of the points, or the step between two [km]
    zone    : (n,) SEA, COASTAL_LAND or INLAND; a point stands for half the way to its neighbours
    Source: P.1812-7 sections 3.6 (d_tm, d_lm) and 4.1 (omega).
    """
    last = zone.size - 1
    sea_km = 0.0
    land_km = 0.0
    inland_km = 0.0
    sea_from = 0
    land_from = 0
    inland_from = 0
    for i in range(last + 1):
        ends = i == last
        if zone[i] == SEA:
            if ends or zone[i + 1] != SEA:
                sea_km += _edge_km(spacing, last, i + 1) - _edge_km(spacing, last, sea_from)
            land_from = i + 1
            inland_from = i + 1
            continue
        sea_from = i + 1
        if ends or zone[i + 1] == SEA:
            land_km = max(land_km, _edge_km(spacing, last, i + 1) - _edge_km(spacing, last, land_from))
        if zone[i] != INLAND:
            inland_from = i + 1
        elif ends or zone[i + 1] != INLAND:
            inland_km = max(inland_km, _edge_km(spacing, last, i + 1) - _edge_km(spacing, last, inland_from))
    return sea_km / point_km(spacing, last), land_km, inland_km


@njit(cache=True, nogil=True, error_model="numpy")
def inland_share(inland_km: float) -> float:
    """tau of P.1812-7, equation (3): 0 beside the sea, 1 far inland."""
    return 1.0 - exp(-4.12e-4 * inland_km**2.41)


@njit(cache=True, nogil=True, error_model="numpy")
def ducting_incidence_pct(latitude_deg: float, land_km: float, inland_km: float) -> float:
    """Share of time beta_0 [%] in which the refractivity falls by more than 100 N-units/km in the lowest 100 m of air.

    latitude_deg       : of the path's centre [degrees]
    land_km, inland_km : longest stretches of land and of inland on the path [km]
    Source: P.1812-7, equations (2) to (5).
    """
    tau = inland_share(inland_km)
    mu1 = min((10.0 ** (-land_km / (16.0 - 6.6 * tau)) + 10.0 ** (-5.0 * (0.496 + 0.354 * tau))) ** 0.2, 1.0)  # (2)
    latitude = abs(latitude_deg)
    if latitude <= 70.0:
        mu4 = mu1 ** (-0.935 + 0.0176 * latitude)  # (4)
        incidence_pct: float = 10.0 ** (-0.015 * latitude + 1.67) * mu1 * mu4  # (5)
    else:
        incidence_pct = 4.17 * mu1 * mu1**0.3
    return incidence_pct


def centre_latitude_deg(tx_lat: float, tx_lon: float, rx_lat: float, rx_lon: float, distance_km: float) -> float:
    """Latitude of the middle of a great-circle path [degrees]; the transmitter's where both stand at one place.

    tx_lat, tx_lon, rx_lat, rx_lon : [degrees], north and east positive
    distance_km                    : length of the path [km]; half of it is walked from the transmitter
    Source: ITU-R P.2001-4 Attachment H, equations (H.2.1) to (H.3.3).
    """
    tx, rx, east = radians(tx_lat), radians(rx_lat), radians(rx_lon - tx_lon)
    northing = cos(tx) * sin(rx) - sin(tx) * cos(rx) * cos(east)
    easting = cos(rx) * sin(east)
    if northing == 0.0 and easting == 0.0:
        return tx_lat
    half = 0.5 * distance_km / EARTH_RADIUS_KM
    return degrees(asin(sin(tx) * cos(half) + cos(tx) * sin(half) * cos(atan2(easting, northing))))
