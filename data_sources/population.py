"""People per cell of the planning grid, from rasters of density or of counts; nobody lost, nobody added."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Geod, Transformer
from rasterio.features import rasterize
from rasterio.io import DatasetReader

from phusong.data_sources.area import Finding
from phusong.data_sources.errors import PopulationUnitUnknown
from phusong.data_sources.grid import pyproj_crs, transformed
from phusong.data_sources.rasters import (
    Pixels,
    bounds_wgs84,
    box_bounds_wgs84,
    check_window,
    interpolation,
    no_overlap,
    open_raster,
    outline_in_pixels,
    pixels_of,
    places_under,
    read_window,
    window_over,
)

Unit = Literal["people", "people_per_km2"]

PLAUSIBLE_MEAN_PER_KM2 = (1.0, 20_000.0)
"""Mean density of an area with people: the emptiest upland commune to the inner city (assumption)."""
PLAUSIBLE_HIGHEST_PER_KM2 = 300_000.0
"""Denser than any block of the country's cities (assumption)."""
SAMPLES_PER_PIXEL, SAMPLES_PER_FINE_PIXEL = 4, 2
"""Sub-cells to a pixel's side, so that a cell's share of a pixel is known to some per cent; fewer where a cell holds
several pixels, whole ones mostly."""

_DENSITY = re.compile(r"density|mat_do|per_(sq_)?km|per_square_k|/_?km|ppkm|(^|_)pd(_|$)|km_?\^?-2")
_COUNT = re.compile(r"count|(^|_)ppp(_|$)|per_(grid_)?(pixel|cell)|^(people|persons?|inhabitants|nguoi)$|ghs_pop")


@dataclass(frozen=True, slots=True)
class PopulationRead:
    """People of a raster on a planning grid.

    people       : (H, W) float32, a count per cell
    source_cell  : (H, W) int32, source pixel under the cell's centre (row-major in the window read), -1 outside
    source_total : people of the source on the ground that the grid covers
    pixels       : the source pixels that `source_cell` numbers; pixel_m: their side in the middle [m]
    """

    people: NDArray[np.float32]
    source_cell: NDArray[np.int32]
    source_total: float
    unit: Unit
    pixels: Pixels
    pixel_m: float
    findings: tuple[Finding, ...]


def read_population(path: Path, box: GeoBox, units: str | None = None) -> PopulationRead:
    """People on the planning grid; the sum over cells is the source's sum on the same ground to 1e-6.

    units : "people" (per pixel), "people_per_km2", or None to take it from the unit tag or the file's name
    A density becomes a count by the pixel's true area on the ellipsoid. Each pixel's people are spread evenly over
    the sub-cells (one to a cell where pixels are four cells wide or more) whose centres lie in it; a pixel cut by the
    grid's edge gives the share of its area inside. Pixels without a value hold nobody.
    Raises PopulationUnitUnknown, RasterNoOverlap and all that `open_raster` does.
    """
    with open_raster(path) as dataset:
        raster = pixels_of(dataset)
        window = window_over(box, raster, pad=1)
        if window is None:
            raise no_overlap("dân số / population", str(path), bounds_wgs84(raster), box_bounds_wgs84(box))
        check_window(window, str(path))
        values = read_window(dataset, window).astype(np.float64)
        evidence = _unit_evidence(dataset, path)
    pixels = raster.window(window)
    findings: list[Finding] = []
    inside = _share_inside(box, pixels)
    empty, negative = np.isnan(values) & (inside > 0), (values < 0) & (inside > 0)
    if empty.any():
        what = f"{empty.sum():,} điểm ảnh không có giá trị, coi là không người / pixels without a value: nobody there"
        findings.append(Finding("note", what, path.name))
    if negative.any():
        findings.append(
            Finding(
                "warning",
                f"{negative.sum():,} điểm ảnh âm, coi là không người / pixels are negative: nobody there "
                f"({values[negative].min():g})",
                path.name,
                "nếu là giá trị trống, khai nodata / if they mean none, declare it as the file's nodata",
            )
        )
    values = np.where(values > 0, values, 0.0)  # NaN too becomes 0
    area_km2 = pixel_area_km2(pixels)
    unit = _unit(units, evidence, values, area_km2, path, findings)
    people_inside = values * (area_km2 if unit == "people_per_km2" else 1.0) * inside
    people, source_cell = _spread(people_inside, box, pixels)
    total = float(people_inside.sum())
    return PopulationRead(people, source_cell, total, unit, pixels, pixels.side_m(), tuple(findings))


def pixel_area_km2(pixels: Pixels) -> NDArray[np.float64]:
    """Area of each pixel on the ellipsoid [km2], (H, W), or (H, 1) where it is the same along a row.

    Geographic, unrotated: exact, from the area between parallels (Snyder 1987, Map Projections, equation 3-12).
    Otherwise: from geodesic polygons at 33 x 33 places, linear between.
    """
    (h, w), crs, transform = pixels.shape, pixels.crs, pixels.transform
    if crs.is_geographic and transform.b == transform.d == 0:
        latitude = np.radians(transform.f + transform.e * np.arange(h + 1))
        geod = crs.get_geod() or Geod(ellps="WGS84")
        a_km, e = geod.a / 1000.0, np.sqrt(geod.es)
        sin = np.sin(np.clip(latitude, -np.pi / 2, np.pi / 2))
        # Snyder 3-12
        q = (1 - e**2) * (sin / (1 - (e * sin) ** 2) - np.log((1 - e * sin) / (1 + e * sin)) / (2 * e))
        return np.asarray(np.abs(np.diff(q))[:, None] * a_km**2 / 2 * abs(np.radians(transform.a)))
    row, column = np.linspace(0, h, 33), np.linspace(0, w, 33)
    at_column, at_row = (places.ravel() for places in np.meshgrid(column, row))
    area_km2 = pixels.area_m2(at_column, at_row).reshape(33, 33) / 1e6
    down, across = interpolation(np.arange(h) + 0.5, row), interpolation(np.arange(w) + 0.5, column)
    return np.asarray(down @ area_km2 @ across.T)


def _spread(people: NDArray[np.float64], box: GeoBox, pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Each pixel's people on the sub-cells in it; (people, pixel under each cell's centre)."""
    pixels_a_cell = abs(box.affine.a) / pixels.side_m()
    k = ceil((SAMPLES_PER_FINE_PIXEL if pixels_a_cell >= 2 else SAMPLES_PER_PIXEL) * pixels_a_cell)
    samples = np.zeros(people.size + 1, dtype=np.int64)
    for _, pixel in _pixels_under(box, pixels, k):
        samples += np.bincount(pixel.ravel(), minlength=people.size + 1)
    share = np.zeros(people.size + 1)  # the last entry stands for "outside the raster"
    np.divide(people.ravel(), samples[:-1], out=share[:-1], where=samples[:-1] > 0)
    on_grid = np.empty(box.shape)
    for rows, pixel in _pixels_under(box, pixels, k):
        on_grid[rows] = share[pixel].reshape(-1, k, box.shape[1], k).sum(axis=(1, 3))

    missed = np.flatnonzero((samples[:-1] == 0) & (people.ravel() > 0))
    if missed.size:  # slivers along the edge that hold no sub-cell's centre
        np.add.at(on_grid, _nearest_cell(missed, box, pixels), people.ravel()[missed])
    centre = np.concatenate([pixel for _, pixel in _pixels_under(box, pixels, 1)])
    source_cell = np.where(centre == people.size, -1, centre).astype(np.int32)
    return on_grid.astype(np.float32), source_cell


def _pixels_under(box: GeoBox, pixels: Pixels, k: int) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Rows of the grid, and the pixel number under each of their k x k sub-cells; the raster's size = outside."""
    rows_there, columns_there = pixels.shape
    for rows, column, row in places_under(box, pixels, k):
        known = (column >= 0) & (column < columns_there) & (row >= 0) & (row < rows_there)
        pixel = np.full(column.shape, rows_there * columns_there, dtype=np.int64)
        pixel[known] = row[known].astype(np.int64) * columns_there + column[known].astype(np.int64)
        yield rows, pixel


def _share_inside(box: GeoBox, pixels: Pixels) -> NDArray[np.float64]:
    """Share of each pixel's area that the grid covers; polygons are cut only along the grid's edge."""
    grid = shapely.Polygon(outline_in_pixels(box, pixels))
    share: NDArray[np.float64] = rasterize([grid], out_shape=pixels.shape, dtype=np.uint8).astype(np.float64)
    edge = rasterize([grid.exterior.buffer(1.5)], out_shape=pixels.shape, dtype=np.uint8, all_touched=True)
    row, column = np.nonzero(edge)
    shapely.prepare(grid)
    whole = shapely.contains(grid, shapely.box(column, row, column + 1, row + 1))
    share[row[whole], column[whole]] = 1.0
    row, column = row[~whole], column[~whole]
    share[row, column] = shapely.area(_cut(row, column, grid))
    return share


def _cut(row: NDArray[np.int64], column: NDArray[np.int64], grid: shapely.Polygon) -> NDArray[np.object_]:
    """The part of each pixel that lies in the grid, in pixels."""
    shapely.prepare(grid)
    cut: NDArray[np.object_] = shapely.intersection(shapely.box(column, row, column + 1, row + 1), grid)
    return cut


def _nearest_cell(numbers: NDArray[np.int64], box: GeoBox, pixels: Pixels) -> tuple[NDArray[np.int64], ...]:
    """Row, column of the cell at the middle of the part of each pixel that lies in the grid."""
    row, column = np.divmod(numbers, pixels.shape[1])
    middle = shapely.centroid(_cut(row, column, shapely.Polygon(outline_in_pixels(box, pixels))))
    xy = pixels.xy(shapely.get_x(middle), shapely.get_y(middle))
    x, y = Transformer.from_crs(pixels.crs, pyproj_crs(box), always_xy=True).transform(*xy)
    cell_column, cell_row = transformed(~box.affine, np.asarray(x), np.asarray(y))
    h, w = box.shape
    return (
        np.clip(np.floor(cell_row).astype(np.int64), 0, h - 1),
        np.clip(np.floor(cell_column).astype(np.int64), 0, w - 1),
    )


def _unit_evidence(dataset: DatasetReader, path: Path) -> dict[str, Unit | None]:
    """What the file says of its unit, by where it says so."""
    tags = {key.lower(): value for key, value in (*dataset.tags().items(), *dataset.tags(1).items())}
    tag = dataset.units[0] or tags.get("units") or tags.get("unit") or ""
    described = dataset.descriptions[0] or ""
    return {
        f"thẻ / tag {tag!r}": _says(tag),
        f"tên lớp / band name {described!r}": _says(described),
        "tên tệp / file name": _says(path.stem),
    }


def _says(text: str) -> Unit | None:
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"[\s.\-]+(?!2)", "_", plain.replace("²", "2")).strip("_")
    if _DENSITY.search(plain):
        return "people_per_km2"
    return "people" if _COUNT.search(plain) else None


def _unit(
    declared: str | None,
    evidence: dict[str, Unit | None],
    values: NDArray[np.float64],
    area_km2: NDArray[np.float64],
    path: Path,
    findings: list[Finding],
) -> Unit:
    """The declared unit, else the one the file states without contradiction and with believable numbers."""
    mend = 'thêm / add  units = "people_per_km2"  (or "people")  [data.population]'
    highest = values.max(initial=0.0)
    if declared is not None:
        for unit in ("people", "people_per_km2"):
            if declared == unit:
                doubt = _implausible(unit, values, area_km2)
                if doubt:
                    what = f"đọc là / read as {unit}, {doubt}"
                    findings.append(Finding("warning", what, path.name, "kiểm tra đơn vị / check the unit"))
                return unit
        raise PopulationUnitUnknown(
            f"không có đơn vị dân số / there is no population unit {declared!r}", str(path), mend
        )
    said = {where: unit for where, unit in evidence.items() if unit is not None}
    if not said:
        where = f"{path}: thẻ 'units' trống / tag 'units' is empty, 0 .. {highest:.0f}"
        raise PopulationUnitUnknown("raster dân số không ghi đơn vị / population raster has no unit", where, mend)
    if len(set(said.values())) > 1:
        where = f"{path}: " + ", ".join(f"{place} = {unit}" for place, unit in said.items())
        raise PopulationUnitUnknown("đơn vị dân số mâu thuẫn / the raster contradicts itself on its unit", where, mend)
    place, unit = next(iter(said.items()))
    doubt = _implausible(unit, values, area_km2)
    if doubt:
        where = f"{path}: {place} = {unit}; {doubt}"
        raise PopulationUnitUnknown("giá trị không hợp đơn vị / the raster's values deny its unit", where, mend)
    findings.append(Finding("note", f"dân số đọc là / population read as {unit}: {place}", path.name))
    return unit


def _implausible(unit: Unit, values: NDArray[np.float64], area_km2: NDArray[np.float64]) -> str | None:
    density = values if unit == "people_per_km2" else values / area_km2
    settled = density > 0
    if not settled.any():
        return None
    area = np.broadcast_to(area_km2, density.shape)[settled]
    mean, highest = float(np.average(density[settled], weights=area)), float(density.max())
    lowest_mean, highest_mean = PLAUSIBLE_MEAN_PER_KM2
    if lowest_mean <= mean <= highest_mean and highest <= PLAUSIBLE_HIGHEST_PER_KM2:
        return None
    return f"mật độ trung bình / mean density {mean:,.3g}, cao nhất / highest {highest:,.3g} people per km2"
