"""Loss through the air on slant paths from many cells: gas, cloud, rain, scintillation and their total."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.climate import CLIMATE_NAMES, Climate
from phusong.coverage.satellite.attenuation.p618_rain import (
    EXCEEDANCE_PCT,
    rain_at_hundredth_db,
    rain_at_share_db,
    tropical_slope,
)
from phusong.coverage.satellite.attenuation.p618_scintillation import deviation_kernel_db, time_factor
from phusong.coverage.satellite.attenuation.p676 import (
    height_correction,
    oxygen_height_kernel_km,
    oxygen_kernel_db_km,
    zenith_vapour_sea_kernel_db,
)
from phusong.coverage.satellite.attenuation.p835 import reference_pressure_hpa
from phusong.coverage.satellite.attenuation.p838 import RainCoefficients, rain_coefficients
from phusong.coverage.satellite.attenuation.p839 import rain_height_km
from phusong.coverage.satellite.attenuation.p840 import liquid_coefficient_9_db, liquid_coefficient_db, thinning

METHOD = "ITU-R P.618-13 section 2.5"
FREQUENCY_GHZ = (1.0, 55.0)
LOWEST_ELEVATION_DEG = 5.0  # of equivalent heights and of the cloud's column
VAPOUR_NODES = 2049  # columns at which a grid's water vapour is computed; between them a straight line, 1e-6 dB


@dataclass(frozen=True, slots=True)
class Dish:
    """What scintillation and polarisation need of the ground antenna.

    diameter_m : of the aperture [m]; 0.5 is near a household flat panel (assumption)
    efficiency : of the aperture, 0 to 1
    tilt_deg   : of the polarisation from the horizontal [degrees], 45 for circular
    """

    diameter_m: float = 0.5
    efficiency: float = 0.65
    tilt_deg: float = 45.0

    def __post_init__(self) -> None:
        require_range(METHOD, "diameter_m", self.diameter_m, 0.0, 100.0, "m")
        require_range(METHOD, "efficiency", self.efficiency, 0.0, 1.0, "")


class Cells(NamedTuple):
    """N stations as the kernels want them, float64 each; the zenith figures depend on the frequency."""

    zenith_gas_db: NDArray[np.float64]
    zenith_cloud_db: NDArray[np.float64]
    rain_rate_mm_h: NDArray[np.float64]
    above_km: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    wet_refractivity: NDArray[np.float64]
    liquid_deviation: NDArray[np.float64]
    cloudy_pct: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SlantLoss:
    """Loss through the air exceeded for a share of the average year [dB], each of the cells' shape.

    gas    : exceeded for 1 % of the year, whatever the share
    cloud  : exceeded for 1 % of the year at the least; above as long as the share, where the climate says how
    source : the climate's
    """

    gas_db: NDArray[np.float64]
    cloud_db: NDArray[np.float64]
    rain_db: NDArray[np.float64]
    scintillation_db: NDArray[np.float64]
    total_db: NDArray[np.float64]
    source: str


def _zenith_vapour_sea_db(frequency_ghz: float, column_kg_m2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Water vapour's attenuation at the zenith before its correction for height; many columns by interpolation."""
    low, high = float(column_kg_m2.min()), float(column_kg_m2.max())
    if low == high:
        return np.full(column_kg_m2.shape, zenith_vapour_sea_kernel_db(frequency_ghz, low))
    few = column_kg_m2.size <= VAPOUR_NODES
    nodes = column_kg_m2 if few else np.linspace(low, high, VAPOUR_NODES)
    loss_db = np.array([zenith_vapour_sea_kernel_db(frequency_ghz, column) for column in nodes])
    return loss_db if few else np.interp(column_kg_m2, nodes, loss_db)


@njit(cache=True, nogil=True, error_model="numpy")
def _zenith_oxygen(
    frequency_ghz: float,
    pressure_hpa: NDArray[np.float64],
    vapour_g_m3: NDArray[np.float64],
    temperature_k: NDArray[np.float64],
    gas_db: NDArray[np.float64],
) -> None:
    """Adds dry air's attenuation at the zenith to gas_db; 0.6 us a cell."""
    for i in range(gas_db.size):
        specific = oxygen_kernel_db_km(frequency_ghz, pressure_hpa[i], vapour_g_m3[i], temperature_k[i])
        gas_db[i] += specific * oxygen_height_kernel_km(
            frequency_ghz, pressure_hpa[i], vapour_g_m3[i], temperature_k[i]
        )


def cells_shape(*values: ArrayLike) -> tuple[int, ...]:
    """Shape of the cells that arrays are given for. Raises ValueOutOfRange where they do not fit together."""
    shapes = [np.shape(value) for value in values]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ValueOutOfRange(
            what="cells, climate and elevations do not fit together",
            where=f"arrays of {', '.join(map(str, shapes))}",
            mend="give numbers, or arrays of the cells' shape",
        ) from error


def _flat(value: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(value, np.float64), shape).reshape(-1)


def prepare_cells(
    frequency_ghz: float, climate: Climate, latitude_deg: ArrayLike, height_km: ArrayLike, shape: tuple[int, ...]
) -> Cells:
    """What every path from the cells shares, at one frequency; 0.8 us a cell.

    frequency_ghz : 1 to 55 [GHz]
    latitude_deg, height_km : of the stations; broadcast to `shape`, as the climate's arrays
    Raises ValueOutOfRange.
    """
    require_range(METHOD, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    require_range(METHOD, "latitude_deg", latitude_deg, -90.0, 90.0, "degrees")
    per_cell = (latitude_deg, height_km, *(getattr(climate, name) for name in CLIMATE_NAMES))
    if cells_shape(np.empty(shape), *per_cell) != shape:
        raise ValueOutOfRange(
            what="the climate is given for more cells than there are",
            where=f"arrays of {', '.join(str(np.shape(value)) for value in per_cell)} for cells of {shape}",
            mend="give numbers, or arrays of the cells' shape",
        )
    height = _flat(height_km, shape)
    gas_db = _zenith_vapour_sea_db(frequency_ghz, _flat(climate.vapour_kg_m2, shape))
    a, b = height_correction(frequency_ghz)
    if a != 0.0:
        gas_db = gas_db * (1.0 + a * np.clip(height, 0.0, 4.0) ** b)
    _zenith_oxygen(
        float(frequency_ghz),
        _flat(reference_pressure_hpa(height_km), shape),
        _flat(climate.vapour_g_m3, shape),
        _flat(climate.temperature_k, shape),
        gas_db,
    )
    coefficient_db = (liquid_coefficient_9_db if climate.cloud_edition == 9 else liquid_coefficient_db)(frequency_ghz)
    return Cells(
        gas_db,
        coefficient_db * _flat(climate.liquid_kg_m2, shape),
        _flat(climate.rain_rate_mm_h, shape),
        _flat(rain_height_km(climate.zero_isotherm_km), shape) - height,
        _flat(latitude_deg, shape),
        _flat(climate.wet_refractivity, shape),
        _flat(climate.liquid_deviation, shape),
        _flat(climate.cloudy_pct, shape),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def slant_kernel(
    rain: RainCoefficients,
    frequency_ghz: float,
    elevation_deg: NDArray[np.float64],
    log_share: float,
    diameter_m: float,
    cos_twice_tilt: float,
    cells: Cells,
    loss_db: NDArray[np.float64],
) -> None:
    """Writes gas, cloud, rain, scintillation and total of every cell into the rows of loss_db; 0.4 us a cell.

    log_share  : natural logarithm of the exceedance in percent
    diameter_m : of the dish, times the root of its efficiency
    """
    factor = time_factor(log_share / log(10.0))
    for i in range(elevation_deg.size):
        elevation = elevation_deg[i]
        sine = sin(elevation * pi / 180.0)
        hundredth = rain_at_hundredth_db(
            rain, frequency_ghz, sine, elevation, cells.rain_rate_mm_h[i], cells.above_km[i], cells.latitude_deg[i],
            cos_twice_tilt,
        )  # fmt: skip
        slope = sine * tropical_slope(sine, elevation, cells.latitude_deg[i])
        gas = cells.zenith_gas_db[i] / sine
        cloud = cells.zenith_cloud_db[i] / sine * thinning(log_share, cells.liquid_deviation[i], cells.cloudy_pct[i])
        wet = rain_at_share_db(hundredth, log_share, slope)
        twinkle = factor * deviation_kernel_db(frequency_ghz, sine, cells.wet_refractivity[i], diameter_m)
        loss_db[0, i], loss_db[1, i], loss_db[2, i], loss_db[3, i] = gas, cloud, wet, twinkle
        loss_db[4, i] = gas + sqrt((wet + cloud) * (wet + cloud) + twinkle * twinkle)


def slant_loss_db(
    frequency_ghz: float,
    elevation_deg: ArrayLike,
    exceedance_pct: float,
    climate: Climate,
    latitude_deg: ArrayLike,
    height_km: ArrayLike,
    dish: Dish | None = None,
) -> SlantLoss:
    """Loss through the air that is exceeded for a share of the average year, cell by cell; 1.2 us a cell.

    frequency_ghz  : 1 to 55 [GHz]
    elevation_deg  : 5 to 90 [degrees]; broadcast with latitude and height to the cells' shape
    exceedance_pct : 0.001 to 50 [%]
    climate        : numbers or arrays of the cells' shape
    latitude_deg, height_km : of the stations [degrees, km above sea]; NaN is refused, hand in known cells
    dish           : default a `Dish()`
    The pressure is the reference atmosphere's at the station's height.
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 2.5 with P.676-12, P.838-3, P.839-4, P.840-8 or -9, and P.835-6.
    """
    require_range(METHOD, "elevation_deg", elevation_deg, LOWEST_ELEVATION_DEG, 90.0, "degrees")
    require_range(METHOD, "exceedance_pct", exceedance_pct, *EXCEEDANCE_PCT, "%")
    dish = dish or Dish()
    shape = cells_shape(elevation_deg, latitude_deg, height_km)
    cells = prepare_cells(frequency_ghz, climate, latitude_deg, height_km, shape)
    loss_db = np.empty((5, cells.above_km.size))
    slant_kernel(
        rain_coefficients(frequency_ghz),
        float(frequency_ghz),
        _flat(elevation_deg, shape),
        log(exceedance_pct),
        dish.diameter_m * sqrt(dish.efficiency),
        float(np.cos(np.radians(2.0 * dish.tilt_deg))),
        cells,
        loss_db,
    )
    gas, cloud, wet, twinkle, total = (row.reshape(shape) for row in loss_db)
    return SlantLoss(gas, cloud, wet, twinkle, total, climate.source)
