"""The dishes over one part: the terrain's horizon around each, and the places at which rain is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from phusong.coverage.satellite.attenuation.climate import CLIMATE_NAMES, Climate
from phusong.coverage.satellite.horizon import horizon_deg
from phusong.data_sources.area import Part
from phusong.scenarios.satellite.climate import ClimateAt
from phusong.scenarios.satellite.settings import Satellite

NODE_KM = 10.0  # between places whose climate is looked up
HEIGHT_STEP_KM = 0.2  # between heights for which rain and gas are computed
PLACE_KM = 50.0  # between places whose sky of satellites is looked at
AZIMUTHS_AT_ONCE = 8  # of the terrain's horizon at full resolution, which bounds the memory

Array = NDArray[np.float64]
Mask = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Places and heights at which rain is computed: R x C places on the grid, Z heights; (R, C, Z) each."""

    latitude_deg: Array
    longitude_deg: Array
    height_km: Array
    climate: Climate

    @property
    def flat(self) -> tuple[Array, Array]:
        """Latitude and height of every node, one after the other."""
        return self.latitude_deg.ravel(), self.height_km.ravel()

    def at(self, some: NDArray[np.bool_]) -> Climate:
        """The climate of some of the nodes, (R C Z,)."""

        def chosen(value: Any) -> Any:
            return np.asarray(value)[some] if np.ndim(value) else value

        return replace(self.climate, **{name: chosen(getattr(self.climate, name)) for name in CLIMATE_NAMES})


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The cells of a part that have a dish: every k-th of its grid. Arrays (H, W).

    every   : k, rows and columns of the planning grid from one dish to the next
    horizon : (A, H, W) [degrees], terrain at the planning grid's own resolution; ring of trees and roofs in
    at_row, at_col, at_height : place between the nodes, see `averaged_over_sky`
    """

    box: GeoBox
    every: int
    cell_m: float
    latitude_deg: Array
    longitude_deg: Array
    height_m: Mask
    inside: NDArray[np.bool_]
    people: Mask
    horizon: Mask
    nodes: Nodes
    at_row: Array
    at_col: Array
    at_height: Array

    @property
    def unknown(self) -> NDArray[np.bool_]:
        return np.asarray(np.isnan(self.horizon[0]))

    def cell_of(
        self, row: NDArray[np.integer], col: NDArray[np.integer]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The dish nearest to cells of the planning grid."""
        height, width = self.height_m.shape
        return np.clip(row // self.every, 0, height - 1), np.clip(col // self.every, 0, width - 1)


def lay_ground(part: Part, settings: Satellite, climate_at: ClimateAt, threads: int | None) -> Ground:
    """Dishes over a part, at most `most_cells`, with the terrain's horizon around each.

    70 ns a cell of the planning grid and direction; 4 bytes a dish and direction.
    """
    simulation = settings.simulation
    every = max(1, ceil(sqrt(part.height_m.size / simulation.most_cells)))
    first = every // 2
    picked = (slice(first, None, every), slice(first, None, every))
    if part.height_m[picked].size == 0:
        every, picked = 1, (slice(None), slice(None))
        first = 0
    box = _box(part.box, every, first, part.height_m[picked].shape)
    latitude, longitude = _degrees(box)
    height_m = part.height_m[picked]
    azimuths = np.arange(simulation.azimuths) * (360.0 / simulation.azimuths)
    horizon = np.empty((simulation.azimuths, *height_m.shape), np.float32)
    for begin in range(0, simulation.azimuths, AZIMUTHS_AT_ONCE):
        some = slice(begin, begin + AZIMUTHS_AT_ONCE)
        whole = horizon_deg(
            part.height_m, part.cell_m, azimuths[some], eye_height_m=simulation.eye_height_m, threads=threads
        )
        horizon[some] = whole[:, *picked]
    if simulation.ring_deg:
        np.maximum(horizon, np.float32(simulation.ring_deg), out=horizon)  # NaN stays: nothing is known there
    nodes, at_row, at_col, at_height = _nodes(latitude, longitude, height_m, part.cell_m * every, climate_at)
    return Ground(
        box, every, part.cell_m * every, latitude, longitude, height_m, part.inside[picked],
        _summed(part.people, every, height_m.shape), horizon, nodes, at_row, at_col, at_height,
    )  # fmt: skip


def _box(box: GeoBox, every: int, first: int, shape: tuple[int, int]) -> GeoBox:
    """Grid of every k-th cell, its cells centred where those are."""
    shift = first + 0.5 - every / 2.0
    return GeoBox(shape, box.affine @ Affine.translation(shift, shift) @ Affine.scale(every), box.crs)


def _degrees(box: GeoBox) -> tuple[Array, Array]:
    """Latitude and longitude (H, W) of the cells' middles."""
    height, width = box.shape
    col, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = box.affine @ (col.ravel(), row.ravel())
    to_degrees = Transformer.from_crs(str(box.crs), "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(x, y)
    return np.asarray(latitude).reshape(height, width), np.asarray(longitude).reshape(height, width)


def _summed(people: Mask, every: int, shape: tuple[int, ...]) -> Mask:
    """People of the planning grid's cells around each dish; the count is kept."""
    if every == 1:
        return people
    row = np.minimum(np.arange(people.shape[0]) // every, shape[0] - 1)
    col = np.minimum(np.arange(people.shape[1]) // every, shape[1] - 1)
    total = np.zeros(shape, np.float64)
    np.add.at(total, (row[:, None], col[None, :]), np.nan_to_num(people.astype(np.float64)))
    return total.astype(np.float32)


def spread(length: int, cell_m: float, apart_km: float) -> NDArray[np.int64]:
    """Rows or columns, about so far apart, the first and the last among them."""
    count = 1 if length == 1 else max(2, ceil(length * cell_m / (1000.0 * apart_km)) + 1)
    return np.unique(np.rint(np.linspace(0, length - 1, count)).astype(np.int64))


def between(nodes: ArrayLike, wanted: ArrayLike) -> Array:
    """Where values lie between rising nodes: 2.5 is half way from the third to the fourth."""
    known = np.asarray(nodes, np.float64)
    return np.asarray(np.interp(np.asarray(wanted, np.float64), known, np.arange(known.size, dtype=np.float64)))


def _nodes(
    latitude: Array, longitude: Array, height_m: Mask, cell_m: float, climate_at: ClimateAt
) -> tuple[Nodes, Array, Array, Array]:
    rows, cols = (spread(length, cell_m, NODE_KM) for length in latitude.shape)
    known_km = height_m[np.isfinite(height_m)] / 1000.0
    low, high = (float(known_km.min()), float(known_km.max())) if known_km.size else (0.0, 0.0)
    levels = np.linspace(low, max(high, low + 0.01), max(2, ceil((high - low) / HEIGHT_STEP_KM) + 1))
    shape = (len(rows), len(cols), len(levels))
    lat, lon = (np.broadcast_to(a[np.ix_(rows, cols)][..., None], shape).copy() for a in (latitude, longitude))
    height = np.broadcast_to(levels, shape).copy()
    climate = climate_at(lat.ravel(), lon.ravel(), height.ravel())
    at_row = np.broadcast_to(between(rows, np.arange(latitude.shape[0]))[:, None], latitude.shape).copy()
    at_col = np.broadcast_to(between(cols, np.arange(latitude.shape[1]))[None, :], latitude.shape).copy()
    at_height = np.where(np.isnan(height_m), np.nan, between(levels, np.nan_to_num(height_m) / 1000.0))
    return Nodes(lat, lon, height, climate), at_row, at_col, at_height


def places(ground: Ground) -> tuple[NDArray[np.int64], Array, Array]:
    """Places whose sky is looked at: number of the nearest for each cell (H, W), latitudes and longitudes (N,)."""
    rows, cols = (spread(length, ground.cell_m, PLACE_KM) for length in ground.height_m.shape)
    nearest = [
        np.rint(between(n, np.arange(s))).astype(np.int64)
        for n, s in zip((rows, cols), ground.height_m.shape, strict=True)
    ]
    place_of = nearest[0][:, None] * len(cols) + nearest[1][None, :]
    where = np.ix_(rows, cols)
    return place_of, ground.latitude_deg[where].ravel(), ground.longitude_deg[where].ravel()


def known_mean(values: Mask, where: NDArray[np.bool_], weights: Mask | None = None) -> float:
    """Mean of known values, by weight where there is any; NaN where nothing is known."""
    kept = where & np.isfinite(values)
    weight = np.ones(values.shape, np.float64) if weights is None else np.nan_to_num(weights.astype(np.float64))
    total = float(weight[kept].sum())
    if total <= 0.0:
        return float(np.mean(values[kept], dtype=np.float64)) if kept.any() else float("nan")
    return float((values[kept].astype(np.float64) * weight[kept]).sum() / total)
