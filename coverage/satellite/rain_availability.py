"""Share of the time that a link to moving satellites stands the weather, over the elevations at which they are seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi, sin, sqrt

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.climate import Climate
from phusong.coverage.satellite.attenuation.p618_rain import (
    EXCEEDANCE_PCT,
    rain_at_hundredth_db,
    rain_at_share_db,
    tropical_slope,
)
from phusong.coverage.satellite.attenuation.p618_scintillation import deviation_kernel_db, time_factor
from phusong.coverage.satellite.attenuation.p838 import RainCoefficients, rain_coefficients
from phusong.coverage.satellite.attenuation.p840 import thinning
from phusong.coverage.satellite.attenuation.slant import (
    LOWEST_ELEVATION_DEG,
    METHOD,
    Cells,
    Dish,
    cells_shape,
    prepare_cells,
)

LOG_RARE, LOG_OFTEN = log(EXCEEDANCE_PCT[0]), log(EXCEEDANCE_PCT[1])
HALVINGS = 14  # the share that is lost comes out 0.07 % of itself too high at most


@dataclass(frozen=True, slots=True, eq=False)
class Availability:
    """Per cell, shape of the cells.

    seen    : share of the time with a usable satellite in the given elevations
    share   : of all time with a satellite and with the weather's loss within the budget
    weather : the second while the first holds: share / seen; NaN where nothing is seen
    source  : of the climate
    """

    seen: NDArray[np.float64]
    share: NDArray[np.float64]
    weather: NDArray[np.float64]
    source: str


@njit(cache=True, nogil=True, error_model="numpy")
def exceedance_pct(
    budget_db: float,
    gas_db: float,
    cloud_db: float,
    liquid_deviation: float,
    cloudy_pct: float,
    hundredth_db: float,
    steepness: float,
    deviation_db: float,
) -> float:
    """Share of the average year with a total loss above a budget [%]; 100 beyond 50 %, never below 0.001. 0.7 us.

    gas_db, cloud_db : on the path, exceeded for 1 % [dB]
    liquid_deviation, cloudy_pct : as of `Climate`
    hundredth_db, steepness : as of `rain_at_share_db`
    deviation_db     : of scintillation [dB]
    """
    low, high = LOG_RARE, LOG_OFTEN
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        wet = rain_at_share_db(hundredth_db, middle, steepness)
        wet += cloud_db * thinning(middle, liquid_deviation, cloudy_pct)
        twinkle = time_factor(middle / 2.302585092994046) * deviation_db  # ln 10
        if gas_db + sqrt(wet * wet + twinkle * twinkle) > budget_db:
            low = middle
        else:
            high = middle
    if high == LOG_OFTEN:  # not even then: the clear sky alone is too much
        return 100.0
    return exp(high) if low > LOG_RARE else EXCEEDANCE_PCT[0]


@njit(cache=True, nogil=True, error_model="numpy")
def _integrate(
    rain: RainCoefficients,
    frequency_ghz: float,
    elevation_deg: NDArray[np.float64],
    time_share: NDArray[np.float64],
    budget_db: NDArray[np.float64],
    diameter_m: float,
    cos_twice_tilt: float,
    cells: Cells,
    seen: NDArray[np.float64],
    share: NDArray[np.float64],
) -> None:
    """Adds up the elevations; 0.9 us a cell and elevation. Columns of time_share and budget_db: 1 or N."""
    for i in range(seen.size):
        at_time, at_budget = min(i, time_share.shape[1] - 1), min(i, budget_db.shape[1] - 1)
        for e in range(elevation_deg.size):
            part = time_share[e, at_time]
            if part <= 0.0:
                continue
            elevation, sine = elevation_deg[e], sin(elevation_deg[e] * pi / 180.0)
            hundredth = rain_at_hundredth_db(
                rain, frequency_ghz, sine, elevation, cells.rain_rate_mm_h[i], cells.above_km[i],
                cells.latitude_deg[i], cos_twice_tilt,
            )  # fmt: skip
            lost_pct = exceedance_pct(
                budget_db[e, at_budget],
                cells.zenith_gas_db[i] / sine,
                cells.zenith_cloud_db[i] / sine,
                cells.liquid_deviation[i],
                cells.cloudy_pct[i],
                hundredth,
                sine * tropical_slope(sine, elevation, cells.latitude_deg[i]),
                deviation_kernel_db(frequency_ghz, sine, cells.wet_refractivity[i], diameter_m),
            )
            seen[i] += part
            share[i] += part * (1.0 - 0.01 * lost_pct)


def _rows(name: str, value: ArrayLike, elevations: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(E, 1) or (E, N) of a table over elevations, or over elevations and cells."""
    table = np.asarray(value, np.float64)
    if table.shape not in ((elevations,), (elevations, *shape)) or np.isnan(table).any():
        raise ValueOutOfRange(
            what="elevations, their times and their budgets do not fit together",
            where=f"{name} is {table.shape}, or holds NaN, for {elevations} elevations and cells of {shape}",
            mend=f"give numbers of shape ({elevations},) or {(elevations, *shape)}",
        )
    return np.ascontiguousarray(table.reshape(elevations, -1))


def availability(
    frequency_ghz: float,
    elevation_deg: ArrayLike,
    time_share: ArrayLike,
    budget_db: ArrayLike,
    climate: Climate,
    latitude_deg: ArrayLike,
    height_km: ArrayLike,
    dish: Dish | None = None,
) -> Availability:
    """Weather integrated over the elevations at which satellites serve, not taken at the lowest.

    frequency_ghz : 1 to 55 [GHz]
    elevation_deg : (E,) middles of classes 5 degrees wide or less, 5 to 90 [degrees]; one for a geostationary satellite
    time_share    : (E,) or (E, *cells) share of all time with the serving satellite there, together at most 1
    budget_db     : (E,) or (E, *cells) loss through the air that the link stands there [dB], see link.loss_budget_db
    climate       : numbers or arrays of the cells' shape
    latitude_deg, height_km : of the cells [degrees, km above sea]; broadcast to the cells' shape
    dish          : default a `Dish()`
    Rain and the satellites' paths are independent over a year. Shares below 0.001 % count as that, losses over half of
    the year as all of it.
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 8.
    """
    elevation = np.asarray(elevation_deg, np.float64).reshape(-1)
    require_range(METHOD, "elevation_deg", elevation, LOWEST_ELEVATION_DEG, 90.0, "degrees")
    shape = cells_shape(latitude_deg, height_km)
    times = _rows("time_share", time_share, elevation.size, shape)
    budgets = _rows("budget_db", budget_db, elevation.size, shape)
    require_range("time over the elevations", "time_share", times, 0.0, 1.0, "")
    require_range("time over the elevations", "sum of time_share", times.sum(axis=0), 0.0, 1.0 + 1e-6, "")
    dish = dish or Dish()
    cells = prepare_cells(frequency_ghz, climate, latitude_deg, height_km, shape)
    seen, share = np.zeros(cells.above_km.size), np.zeros(cells.above_km.size)
    tilt = float(np.cos(np.radians(2.0 * dish.tilt_deg)))
    diameter_m = dish.diameter_m * sqrt(dish.efficiency)
    _integrate(
        rain_coefficients(frequency_ghz),
        float(frequency_ghz),
        elevation,
        times,
        budgets,
        diameter_m,
        tilt,
        cells,
        seen,
        share,
    )
    weather = np.full(seen.shape, np.nan)
    np.divide(share, seen, out=weather, where=seen > 0.0)
    return Availability(seen.reshape(shape), share.reshape(shape), weather.reshape(shape), climate.source)
