"""Hexagons on the ground that a low orbit constellation serves one by one, and the households in each.

The hexagons are those of H3 (https://h3geo.org). Operators do not publish theirs: a public estimate of Starlink's is
a hexagon inscribed in a circle of 24.1 km, 379 km2 (Pekhterev, SatMagazine, November 2021). Of H3's sizes resolution 5,
253 km2 on the mean and about 280 km2 in Vietnam, comes nearest (assumption).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat

import numpy as np
from h3.api import numpy_int as h3
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import CoverageError, ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range

RESOLUTION = 5
NO_CELL = -1


class PeopleWithoutPlace(CoverageError):
    """A population raster with people where no latitude and longitude are known."""


@dataclass(frozen=True, slots=True, eq=False)
class ServiceCells:
    """N hexagons, each holding at least one raster cell with a place, in ascending order of `index`.

    index         : (N,) uint64 of H3
    latitude_deg, longitude_deg : (N,) float64 of the middles
    area_km2      : (N,) float64 of the whole hexagons, also beyond the raster
    households    : (N,) float64 in the raster cells whose middles lie inside
    edge          : (N,) bool; touches the raster's border, so that households beyond it are not counted
    of_cell       : (H, W) int32 hexagon of each raster cell; -1 where the place is unknown
    neighbours    : (M, 2) int32 pairs of hexagons that share a side, first < second, in ascending order
    unknown_cells : raster cells with a place whose people are NaN, taken as none
    resolution    : of H3
    """

    index: NDArray[np.uint64]
    latitude_deg: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    area_km2: NDArray[np.float64]
    households: NDArray[np.float64]
    edge: NDArray[np.bool_]
    of_cell: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    unknown_cells: int
    resolution: int

    def __len__(self) -> int:
        return len(self.index)

    def at(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.int32]:
        """Hexagon of each place, of the places' shape; -1 outside all hexagons, and for a place that is NaN."""
        lat, lon = np.broadcast_arrays(np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64))
        where = _indices(np.atleast_1d(lat).ravel(), np.atleast_1d(lon).ravel(), self.resolution)
        return _position(self.index, where).reshape(lat.shape)

    def mean(self, raster: ArrayLike) -> NDArray[np.float64]:
        """(N,) mean of a raster (H, W) over the raster cells of each hexagon; NaN left out, NaN where nothing is left.

        Raises ValueOutOfRange for another shape.
        """
        values = np.asarray(raster, np.float64)
        if values.shape != self.of_cell.shape:
            raise ValueOutOfRange(
                what="a raster that is not the service cells' own",
                where=f"{values.shape} beside {self.of_cell.shape}",
                mend="give values of the raster that the service cells were made from",
            )
        known = (self.of_cell >= 0) & np.isfinite(values)
        place, wanted = self.of_cell[known], len(self)
        total = np.bincount(place, weights=values[known], minlength=wanted)
        mean = np.full(wanted, np.nan)
        number = np.bincount(place, minlength=wanted)
        np.divide(total, number, out=mean, where=number > 0)
        return mean

    def spread(self, values: ArrayLike) -> NDArray[np.float32]:
        """(H, W) raster with each hexagon's value (N,) in all its raster cells; NaN outside."""
        given = np.append(np.asarray(values, np.float32), np.float32(np.nan))
        return given[self.of_cell]  # -1, no hexagon, is the last one: NaN


def service_cells(
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    people: ArrayLike,
    *,
    household_size: float,
    resolution: int = RESOLUTION,
) -> ServiceCells:
    """The hexagons under a raster, and the households in each; their sum is that of the raster to rounding.

    latitude_deg, longitude_deg : (H, W) of the raster cells' middles; NaN in both where a cell has no place
    people         : (H, W) a count per raster cell, 0 or more; NaN: unknown, taken as none and counted
    household_size : people in a household, 1 to 20
    resolution     : of H3, 3 to 8
    0.6 us a raster cell. Raises ValueOutOfRange, PeopleWithoutPlace.
    """
    lat, lon = np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64)
    count = np.asarray(people, np.float64)
    _check(lat, lon, count, household_size, resolution)
    placed = np.isfinite(lat) & np.isfinite(lon)
    if (count[~placed] > 0.0).any():
        raise PeopleWithoutPlace(
            what="people live where no place is known",
            where=f"{int((count[~placed] > 0.0).sum()):,} of {count.size:,} raster cells without latitude or longitude",
            mend="give latitude and longitude of every raster cell with people",
        )
    found = np.zeros(lat.shape, np.uint64)
    for row in range(lat.shape[0]):  # by rows, since the lists of numbers for H3 take 32 bytes a number
        found[row] = _indices(lat[row], lon[row], resolution)
    index = np.unique(found[placed])
    of_cell = _position(index, found.ravel()).reshape(lat.shape)
    known = placed & np.isfinite(count)
    inside = np.bincount(of_cell[known], weights=count[known] / household_size, minlength=len(index))
    middle = np.array([h3.cell_to_latlng(cell) for cell in index.tolist()], np.float64).reshape(-1, 2)
    return ServiceCells(
        index=index,
        latitude_deg=middle[:, 0],
        longitude_deg=middle[:, 1],
        area_km2=np.array([h3.cell_area(cell) for cell in index.tolist()], np.float64),
        households=np.asarray(inside, np.float64),
        edge=_at_the_edge(of_cell, len(index)),
        of_cell=of_cell,
        neighbours=_neighbours(index),
        unknown_cells=int((placed & np.isnan(count)).sum()),
        resolution=resolution,
    )


def _check(
    lat: NDArray[np.float64], lon: NDArray[np.float64], people: NDArray[np.float64], size: float, resolution: int
) -> None:
    if lat.ndim != 2 or not lat.shape == lon.shape == people.shape:
        raise ValueOutOfRange(
            what="people and places do not fit together",
            where=f"latitude_deg {lat.shape}, longitude_deg {lon.shape}, people {people.shape}",
            mend="give three arrays (H, W) of one raster",
        )
    require_range("a household", "household_size", size, 1.0, 20.0, "people")
    require_range("service cells", "resolution", resolution, 3, 8, "of H3")
    require_range("a place", "latitude_deg", lat[np.isfinite(lat)], -90.0, 90.0, "degrees")
    require_range("a place", "longitude_deg", lon[np.isfinite(lon)], -180.0, 360.0, "degrees")
    require_range("a population raster", "people", people[~np.isnan(people)], 0.0, 1e9, "people")


def _indices(lat: NDArray[np.float64], lon: NDArray[np.float64], resolution: int) -> NDArray[np.uint64]:
    """(P,) index of H3 for each place; 0 where it is not a number. 0.5 us each."""
    found = np.zeros(lat.size, np.uint64)
    placed = np.isfinite(lat) & np.isfinite(lon)
    cells = map(h3.latlng_to_cell, lat[placed].tolist(), lon[placed].tolist(), repeat(resolution))
    found[placed] = np.fromiter(cells, np.uint64, int(placed.sum()))
    return found


def _position(index: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Where in the ascending index each wanted one stands; -1: nowhere."""
    if len(index) == 0:
        return np.full(wanted.shape, NO_CELL, np.int32)
    place = np.minimum(np.searchsorted(index, wanted), len(index) - 1)
    return np.where(index[place] == wanted, place, NO_CELL).astype(np.int32)


def _at_the_edge(of_cell: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """(N,) hexagons with a raster cell at the border, or beside one without a place."""
    inside = np.pad(of_cell >= 0, 1)
    around = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    edge = np.zeros(count, np.bool_)
    edge[of_cell[(of_cell >= 0) & ~around]] = True
    return edge


def _neighbours(index: NDArray[np.uint64]) -> NDArray[np.int32]:
    pairs: list[tuple[int, int]] = []
    for one, cell in enumerate(index.tolist()):
        beside = _position(index, np.asarray(h3.grid_disk(cell, 1), np.uint64))
        pairs.extend((one, int(other)) for other in np.sort(beside) if other > one)
    return np.array(pairs, np.int32).reshape(-1, 2)
