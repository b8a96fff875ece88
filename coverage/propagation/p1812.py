"""Basic transmission loss over a terrain profile, ITU-R P.1812-7: 30 MHz to 6 GHz, terrestrial, point to area.

Not exceeded for p% of the time, up to 50, and a share of the locations. Troposcatter is that of edition 6 (see
`p1812_troposcatter`); building entry loss (section 4.8) is P.2109's and not added here.
"""

from __future__ import annotations

from collections import namedtuple
from math import log10, nan
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.effective_earth import EARTH_RADIUS_KM, effective_radius_km
from phusong.coverage.propagation.free_space import free_space_loss_db
from phusong.coverage.propagation.p1812_climate import COASTAL_LAND, INLAND, SEA, centre_latitude_deg, zone_lengths
from phusong.coverage.propagation.p1812_look import look_at
from phusong.coverage.propagation.p1812_losses import WAVELENGTH_GHZ_M, Climate, free_space_db, losses_db, point_loss_db
from phusong.coverage.propagation.p1812_median import band_of, median_db
from phusong.coverage.propagation.p1812_path import survey
from phusong.coverage.propagation.p1812_variability import (
    DEFAULT_AREA_WIDTH_M,
    exceeded_quantile,
    sigma_over_locations_db,
)
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.propagation.registry import propagation_model, special_case

SMOOTH_EARTH_METHODS = ("profile", "closed-form")


def _check(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise ValueOutOfRange(
            what=f"ITU-R P.1812 does not take this {name}",
            where=f"{name} = {value} {unit}".rstrip(),
            mend=f"give {name} from {low:g} to {high:g} {unit}".rstrip(),
        )


def _profile(
    distance_km: ArrayLike, height_m: ArrayLike, clutter_m: ArrayLike, zone: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    # The profile's arrays, each of one type for the compiled kernel.
    distance = np.require(distance_km, np.float64, ["C", "W"])
    ground = np.require(height_m, np.float64, ["C", "W"])
    clutter = np.require(clutter_m, np.float64, ["C", "W"])
    zones = np.asarray(zone)
    shapes = {distance.shape, ground.shape, clutter.shape, zones.shape}
    if len(shapes) > 1 or distance.ndim != 1 or distance.size < 2:
        raise ValueOutOfRange(
            what="the profile's arrays do not fit together",
            where=f"distance {distance.shape}, height {ground.shape}, clutter {clutter.shape}, zone {zones.shape}",
            mend="give four arrays of one length, two points or more",
        )
    if distance[0] != 0.0 or not ((np.diff(distance) > 0.0).all() or distance[-1] == 0.0):
        raise ValueOutOfRange(
            what="the profile's distances do not grow from 0",
            where=f"distance_km = {distance[0]} .. {distance[-1]}",
            mend="give distances from the transmitter in km, the first 0, each larger than the one before",
        )
    if not np.isin(zones, (SEA, COASTAL_LAND, INLAND)).all():
        raise ValueOutOfRange(
            what="the profile holds an unknown radio-climatic zone",
            where=f"zone = {sorted(set(zones.tolist()) - {SEA, COASTAL_LAND, INLAND})[0]}",
            mend="give 1 (sea), 3 (coastal land) or 4 (inland)",
        )
    return distance, ground, clutter, np.ascontiguousarray(zones, np.int64)


def basic_transmission_loss(
    distance_km: ArrayLike,
    height_m: ArrayLike,
    clutter_m: ArrayLike,
    zone: ArrayLike,
    *,
    frequency_ghz: float,
    time_pct: float,
    location_pct: float,
    tx_height_m: float,
    rx_height_m: float,
    polarization: int,
    delta_n: float,
    n0: float,
    tx_lat: float,
    rx_lat: float,
    tx_lon: float,
    rx_lon: float,
    dct_km: float = 500.0,
    dcr_km: float = 500.0,
    location_sigma_db: float | None = None,
    area_width_m: float = DEFAULT_AREA_WIDTH_M,
    smooth_earth_method: str = "profile",
) -> float:
    """Basic transmission loss of a path by ITU-R P.1812-7 [dB], not exceeded in time_pct of the time and at
    location_pct of the locations around the receiver, outdoors.

    distance_km       : (n,) distances from the transmitter [km], the first 0, growing; n >= 2
    height_m          : (n,) ground above sea [m]; a NaN gives NaN
    clutter_m         : (n,) representative clutter above ground [m]; at the two ends it does not obstruct, at the
                        receiver it sets how much the locations vary. Zeros on a surface model (DSM)
    zone              : (n,) 1 sea, 3 coastal land, 4 inland
    frequency_ghz     : 0.03 to 6 [GHz]
    time_pct          : 0.001 to 50 [%]; the Recommendation begins at 1, below it its equations go on
    location_pct      : 1 to 99 [%]
    tx_height_m, rx_height_m : antennas above ground [m], 1 to 3000
    polarization      : 1 horizontal, 2 vertical
    delta_n           : mean refractivity lapse rate in the lowest 1 km at the path's centre [N-units/km], 0 to 157
    n0                : sea-level surface refractivity there [N-units]
    tx_lat, rx_lat, tx_lon, rx_lon : [degrees], latitudes within 80
    dct_km, dcr_km    : land between each antenna and the coast along the path [km]; 0 at sea
    location_sigma_db : standard deviation over locations [dB]; None: the Recommendation's, (64) to (66).
                        A receiver at sea has none
    area_width_m      : side of the square the locations lie in [m], for the Recommendation's own deviation
    smooth_earth_method : "profile" (section 4.3.4, at the profile's points) or "closed-form" (Attachment 3)

    Below 0.25 km, where the Recommendation ends, its equations go on, and antennas at one place are 1 m apart or their
    difference in height: the loss is continuous down to there. Two points alone are a path without obstacles over a
    smooth Earth. Raises ValueOutOfRange.
    Source: ITU-R P.1812-7 (08/2023), troposcatter of P.1812-6.
    """
    distance, ground, clutter, zones = _profile(distance_km, height_m, clutter_m, zone)
    _check("frequency_ghz", frequency_ghz, 0.03, 6.0, "GHz")
    _check("time_pct", time_pct, 0.001, 50.0, "%")
    _check("location_pct", location_pct, 1.0, 99.0, "%")
    _check("tx_height_m", tx_height_m, 1.0, 3000.0, "m")
    _check("rx_height_m", rx_height_m, 1.0, 3000.0, "m")
    _check("n0", n0, 0.0, 1000.0, "N-units")
    _check("tx_lat", tx_lat, -80.0, 80.0, "degrees")
    _check("rx_lat", rx_lat, -80.0, 80.0, "degrees")
    _check("tx_lon", tx_lon, -360.0, 360.0, "degrees")
    _check("rx_lon", rx_lon, -360.0, 360.0, "degrees")
    _check("dct_km", dct_km, 0.0, 1e5, "km")
    _check("dcr_km", dcr_km, 0.0, 1e5, "km")
    _check("area_width_m", area_width_m, 1.0, 1000.0, "m")
    if polarization not in (1, 2):
        raise ValueOutOfRange(
            what="ITU-R P.1812 does not know this polarization",
            where=f"polarization = {polarization}",
            mend="give 1 (horizontal) or 2 (vertical)",
        )
    if smooth_earth_method not in SMOOTH_EARTH_METHODS:
        raise ValueOutOfRange(
            what=f"there is no smooth-Earth method {smooth_earth_method!r}",
            where="smooth_earth_method",
            mend="choose one of " + ", ".join(SMOOTH_EARTH_METHODS),
        )
    if location_sigma_db is not None:
        _check("location_sigma_db", location_sigma_db, 0.0, 100.0, "dB")
    radius_km = effective_radius_km(delta_n)
    if not (np.isfinite(ground).all() and np.isfinite(clutter).all()):
        return nan
    location_db = 0.0
    if zones[-1] != SEA:
        if location_sigma_db is None:
            location_sigma_db = sigma_over_locations_db(frequency_ghz, rx_height_m, clutter[-1], area_width_m)
        location_db = -exceeded_quantile(0.01 * location_pct) * location_sigma_db  # (67)
    sea_fraction, land_km, inland_km = zone_lengths(distance, zones)
    climate = Climate(
        float(time_pct),
        radius_km,
        float(n0),
        centre_latitude_deg(tx_lat, tx_lon, rx_lat, rx_lon, distance[-1]),
        sea_fraction,
        land_km,
        inland_km,
        0.0 if zones[0] == SEA else float(dct_km),
        0.0 if zones[-1] == SEA else float(dcr_km),
    )
    return float(
        point_loss_db(
            distance,
            ground,
            ground + clutter,
            bool(clutter.any()),
            float(tx_height_m),
            float(rx_height_m),
            climate,
            float(frequency_ghz),
            polarization == 2,
            location_db,
            smooth_earth_method == "closed-form",
        )
    )


class P1812(NamedTuple):
    """P.1812-7 over inland paths as a model of the sweep; parameters as of `basic_transmission_loss`.

    delta_n, n0       : the reference program's defaults; an assumption for Vietnam: the ITU-R maps, which would give
                        them place by place, may not be redistributed
    latitude_deg      : of the paths' centres; the middle of Vietnam
    location_sigma_db : NaN: the Recommendation's, for clutter_m at the receiver and area_width_m
    """

    time_pct: float = 50.0
    location_pct: float = 50.0
    delta_n: float = 45.0
    n0: float = 325.0
    latitude_deg: float = 16.0
    vertical: bool = True
    location_sigma_db: float = nan
    clutter_m: float = 0.0
    area_width_m: float = DEFAULT_AREA_WIDTH_M
    closed_smooth_earth: bool = False


# P1812 where time_pct is 50.
MedianP1812 = namedtuple("MedianP1812", P1812._fields)  # type: ignore[misc]  # the same fields, said once


def _under_free_space_db(model: P1812) -> float:
    # (69) never goes below L_b0p of (10), nor its focusing factor over 2.6; that free space is rounded to 92.4 dB.
    return free_space_loss_db(1e3, 1e3) - 92.4 + 2.6 * max(log10(50.0 / model.time_pct), 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def location_db_of(model: P1812, frequency_ghz: float, rx_height_m: float) -> float:
    """What the locations asked for take off the loss of half of them, added [dB]. Source: P.1812-7, (67)."""
    if model.location_pct == 50.0:
        return 0.0
    sigma_db = model.location_sigma_db
    if sigma_db != sigma_db:
        sigma_db = sigma_over_locations_db(frequency_ghz, rx_height_m, model.clutter_m, model.area_width_m)
    location_db: float = -exceeded_quantile(0.01 * model.location_pct) * sigma_db
    return location_db


def _check_range(model: P1812, frequency_mhz: ArrayLike, tx_height_m: ArrayLike, rx_height_m: float) -> None:
    _check("time_pct", model.time_pct, 0.001, 50.0, "%")
    _check("location_pct", model.location_pct, 1.0, 99.0, "%")
    effective_radius_km(model.delta_n)  # refuses what gives no radius
    require_range("ITU-R P.1812", "frequency_mhz", frequency_mhz, 30.0, 6000.0, "MHz")
    require_range("ITU-R P.1812", "tx_height_m", tx_height_m, 1.0, 3000.0, "m")
    require_range("ITU-R P.1812", "rx_height_m", rx_height_m, 1.0, 3000.0, "m")


@special_case(P1812, MedianP1812, lambda model: model.time_pct == 50.0)
@njit(cache=True, nogil=True, error_model="numpy")
def median_loss(
    model: Any,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """`loss` at p = 50%, by its short cuts; 2 ns a point and 0.2 us a frequency."""
    last = ground_m.size - 1
    step_km = 1e-3 * step_m
    radius_km = EARTH_RADIUS_KM * 157.0 / (157.0 - model.delta_n)
    if step_km == 0.0:
        rise_m = ground_m[0] + tx_height_m - ground_m[last] - rx_height_m
        for k in range(frequency_mhz.size):
            loss_db[k] = free_space_db(0.0, rise_m, 1e-3 * frequency_mhz[k])
    else:
        widest_m = 1e3 * WAVELENGTH_GHZ_M / frequency_mhz.min()
        look = look_at(step_km, ground_m, tx_height_m, rx_height_m, radius_km, widest_m)
        for k in range(frequency_mhz.size):
            band = band_of(
                1e-3 * frequency_mhz[k],
                model.n0,
                model.latitude_deg,
                radius_km,
                model.vertical,
                model.closed_smooth_earth,
            )
            half_db, sight_db = median_db(band, look, step_km, step_km, ground_m, last)
            loss_db[k] = max(sight_db, half_db + location_db_of(model, band.frequency_ghz, rx_height_m))
    for k in range(frequency_mhz.size):
        if not 0.03 <= 1e-3 * frequency_mhz[k] <= 6.0:
            loss_db[k] = nan


@propagation_model(
    "p1812", P1812, source="ITU-R P.1812-7 (08/2023)", under_free_space_db=_under_free_space_db, check=_check_range
)
@njit(cache=True, nogil=True, error_model="numpy")
def loss(
    model: P1812,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency [dB], NaN outside 30 MHz to 6 GHz; 4 ns a point and 0.4 us a frequency."""
    if model.time_pct == 50.0:
        median_loss(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db)
        return
    last = ground_m.size - 1
    step_km = 1e-3 * step_m
    d = step_km * last
    radius_km = EARTH_RADIUS_KM * 157.0 / (157.0 - model.delta_n)
    if d == 0.0:
        rise_m = ground_m[0] + tx_height_m - ground_m[last] - rx_height_m
        for k in range(frequency_mhz.size):
            loss_db[k] = free_space_db(0.0, rise_m, 1e-3 * frequency_mhz[k])
    else:
        climate = Climate(model.time_pct, radius_km, model.n0, model.latitude_deg, 0.0, d, d, 500.0, 500.0)
        path = survey(step_km, ground_m, ground_m, False, tx_height_m, rx_height_m, radius_km)
        for k in range(frequency_mhz.size):
            frequency_ghz = 1e-3 * frequency_mhz[k]
            half_db, sight_db = losses_db(
                path, climate, step_km, ground_m, frequency_ghz, model.vertical, model.closed_smooth_earth
            )
            loss_db[k] = max(sight_db, half_db + location_db_of(model, frequency_ghz, rx_height_m))
    for k in range(frequency_mhz.size):
        if not 0.03 <= 1e-3 * frequency_mhz[k] <= 6.0:
            loss_db[k] = nan
