"""Electricity of a new place: the distribution grid, or sun and batteries, whichever is cheaper over the horizon."""

from __future__ import annotations

from dataclasses import dataclass, fields

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from phusong.scenarios.candidates.roads import Price

DISTRIBUTION_KV = 35.0  # highest voltage that a customer is connected to; 110 kV and above is transmission


@dataclass(frozen=True, slots=True)
class SupplyRates:
    """What a supply costs, VND."""

    line_vnd_per_km: float
    connection_vnd: float
    solar_vnd: float
    grid_vnd_per_year: float
    solar_vnd_per_year: float


@dataclass(frozen=True, slots=True)
class Supply:
    """Supply of K places.

    grid        : (K,) bool; the others get solar and batteries
    capex_vnd, opex_vnd_per_year : (K,) float64
    evn_confirm : (K,) bool, the grid is only known from an electrified hamlet or site: EVN must confirm it
    start_xy    : (K, 2) where the new line starts; NaN without one
    """

    grid: NDArray[np.bool_]
    capex_vnd: NDArray[np.float64]
    opex_vnd_per_year: NDArray[np.float64]
    evn_confirm: NDArray[np.bool_]
    start_xy: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_], other: Supply) -> Supply:
        """This supply for the chosen places, the other for the rest."""
        columns = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return Supply(*(np.where(chosen if one.ndim == 1 else chosen[:, None], one, two) for one, two in columns))


def supply(
    place_xy: NDArray[np.float64],
    power_lines: gpd.GeoDataFrame,
    electrified_xy: NDArray[np.float64],
    price: Price,
    rates: SupplyRates,
    *,
    reach_m: float,
    horizon_years: int,
) -> Supply:
    """Cheapest electricity of each place.

    The grid starts at the nearest mapped line of at most 35 kV within reach. Where none is mapped nearer than the
    nearest electrified hamlet or site, the grid must run there unmapped: the line starts at it, to be confirmed.
    Lines of unknown voltage are not used.
    """
    distribution = power_lines[power_lines["voltage_kv"] <= DISTRIBUTION_KV]
    line_m, line_xy = _nearest(place_xy, distribution.geometry.values, reach_m)
    hamlet_m, hamlet_xy = _nearest(place_xy, shapely.points(electrified_xy), reach_m)
    evn_confirm = hamlet_m < line_m
    start_xy = np.where(evn_confirm[:, None], hamlet_xy, line_xy)
    length_m = np.minimum(line_m, hamlet_m)

    known = np.isfinite(length_m)
    priced_km = np.full(len(place_xy), np.inf)
    priced_km[known] = length_m[known] / 1000.0 * price(start_xy[known], place_xy[known])
    priced_km[np.isnan(priced_km)] = np.inf  # no distance at all, in a forbidden area
    grid_vnd = priced_km * rates.line_vnd_per_km + rates.connection_vnd
    grid = grid_vnd + horizon_years * rates.grid_vnd_per_year <= (
        rates.solar_vnd + horizon_years * rates.solar_vnd_per_year
    )
    return Supply(
        grid,
        np.where(grid, grid_vnd, rates.solar_vnd),
        np.where(grid, rates.grid_vnd_per_year, rates.solar_vnd_per_year),
        evn_confirm & grid,
        np.where(grid[:, None], start_xy, np.nan),
    )


def _nearest(
    place_xy: NDArray[np.float64], shapes: NDArray[np.object_], reach_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance (infinite beyond reach) and nearest point of any of the shapes."""
    distance_m, nearest_xy = np.full(len(place_xy), np.inf), np.full((len(place_xy), 2), np.nan)
    points = shapely.points(place_xy)
    place, shape = shapely.STRtree(shapes).query_nearest(points, max_distance=reach_m, all_matches=False)
    ways = shapely.shortest_line(shapes[shape], points[place])
    distance_m[place] = shapely.length(ways)
    nearest_xy[place] = shapely.get_coordinates(shapely.get_point(ways, 0))
    return distance_m, nearest_xy
