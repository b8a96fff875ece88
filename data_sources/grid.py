"""Planning grids: square cells in a metric CRS, one grid for each far part of the area."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, cos, floor, hypot, radians
from typing import TypeVar

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from phusong.data_sources.errors import BoundsInvalid, CrsUnsuitable, GridTooLarge

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees of WGS 84."""

Numbers = TypeVar("Numbers", float, NDArray[np.float64])
WGS84 = CRS.from_epsg(4326)
FAR_KM = 50.0
"""Boxes nearer than this share one grid (assumption: a gap of sea that a link may cross)."""
MOST_CELLS = 250_000_000
"""The whole country at 90 m (about 900 km x 1,700 km)."""
MOST_SCALE_ERROR_PPM = 5_000.0
"""0.5 %: above it a CRS is out of its zone, or no distance-keeping one such as Web Mercator (assumption)."""


def planning_grids(
    bounds_wgs84_list: Sequence[Bounds], cell_m: float, crs: str = "auto", margin_km: float = 0.0
) -> list[GeoBox]:
    """Grids that cover the boxes and a margin; boxes nearer than 50 km share one, as do those whose margins would meet.

    bounds_wgs84_list : boxes (west, south, east, north) [degrees]
    cell_m    : cell size [m]; grid lines lie on its multiples, so equal cells of two runs coincide
    crs       : "auto", the UTM zone of each part's centre (48N or 49N in Vietnam), or a metric CRS such as
                "EPSG:3405" (VN-2000 / UTM 48N) or "EPSG:9211" (a VN-2000 TM-3 zone)
    margin_km : ring around the boxes [km]
    Returns the grids, largest first, row 0 north.
    Raises BoundsInvalid, CrsUnsuitable, GridTooLarge.
    """
    check_bounds(bounds_wgs84_list)
    parts = merge_near(bounds_wgs84_list, max(FAR_KM, 3.0 * margin_km))
    grids = [_grid(part, cell_m, crs, margin_km) for part in parts]
    return sorted(grids, key=lambda box: -box.shape[0] * box.shape[1])


def merge_near(bounds_wgs84: Sequence[Bounds], far_km: float) -> list[Bounds]:
    """Boxes joined until every two that remain are at least `far_km` apart."""
    waiting, parts = list(bounds_wgs84), []
    while waiting:
        part = waiting.pop(0)
        while near := [box for box in waiting if _gap_km(part, box) < far_km]:
            waiting = [box for box in waiting if _gap_km(part, box) >= far_km]
            part = union_of([part, *near])
        parts.append(part)
    # A joined box spans ground that none of its boxes did, and may have come near one set aside before.
    return parts if len(parts) == len(bounds_wgs84) else merge_near(parts, far_km)


def union_of(bounds: Sequence[Bounds]) -> Bounds:
    """The smallest box around all."""
    west, south, east, north = zip(*bounds, strict=True)
    return (min(west), min(south), max(east), max(north))


def scale_error_ppm(box: GeoBox) -> float:
    """Largest error of the grid's distances against the ellipsoid, in any direction [parts per million].

    Tissot's indicatrix on a 9 x 9 lattice over the grid, edges included (its extremes lie there in every zone CRS).
    """
    h, w = box.shape
    column, row = np.meshgrid(np.linspace(0, w, 9), np.linspace(0, h, 9))
    lon, lat = _to_geodetic(pyproj_crs(box), *transformed(box.affine, column.ravel(), row.ravel()))
    factors = Proj(pyproj_crs(box)).get_factors(lon, lat)
    scales = np.concatenate([factors.tissot_semimajor, factors.tissot_semiminor])
    return float(np.max(np.abs(scales - 1.0)) * 1e6)


def check_bounds(bounds_wgs84: Sequence[Bounds]) -> None:
    """Raises BoundsInvalid unless there are boxes and each is west, south, east, north in degrees."""
    order = "ghi theo độ WGS 84 / write in degrees: west, south, east, north, e.g. 105.30, 21.40, 105.75, 21.75"
    if not bounds_wgs84:
        raise BoundsInvalid("vùng không có khung nào / the area has no box", "area.bounds", order)
    for bounds in bounds_wgs84:
        west, south, east, north = bounds
        where = f"area.bounds: {west:g}, {south:g}, {east:g}, {north:g}"
        if not np.all(np.isfinite(bounds)):
            raise BoundsInvalid("có giá trị không phải số / a bound is not a number", where, order)
        if max(abs(south), abs(north)) > 90.0 and max(abs(west), abs(east)) <= 90.0:
            raise BoundsInvalid("kinh độ và vĩ độ bị đổi chỗ / longitude and latitude are swapped", where, order)
        if max(abs(west), abs(east)) > 180.0 or max(abs(south), abs(north)) > 84.0:
            raise BoundsInvalid("không phải độ / the bounds are not degrees (latitude to 84)", where, order)
        if west >= east or south >= north:
            raise BoundsInvalid("khung rỗng / the box is empty: west < east, south < north", where, order)


def cells_inside(box: GeoBox, area_wgs84: BaseGeometry) -> NDArray[np.bool_]:
    """(H, W) cells whose centre lies in the area."""
    to_grid = Transformer.from_crs(WGS84, pyproj_crs(box), always_xy=True)
    dense = shapely.segmentize(area_wgs84, 0.01)  # about 1 km: a parallel bends by less than 5 cm in the grid
    projected = shapely.transform(dense, to_grid.transform, interleaved=False)
    if projected.is_empty:
        return np.zeros(box.shape, dtype=np.bool_)
    mask: NDArray[np.uint8] = rasterize([projected], out_shape=box.shape, transform=box.affine, dtype=np.uint8)
    return mask.astype(np.bool_)


def outline(box: GeoBox, step_m: float = 1000.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Closed ring of points along the grid's outer edge, in its own CRS (x, y)."""
    h, w = box.shape
    steps_a_cell = abs(box.affine.a) / step_m
    across = np.linspace(0, w, ceil(w * steps_a_cell) + 1)
    down = np.linspace(0, h, ceil(h * steps_a_cell) + 1)
    column = np.concatenate([across, np.full(down.size, w), across[::-1], np.zeros(down.size)])
    row = np.concatenate([np.zeros(across.size), down, np.full(across.size, h), down[::-1]])
    return transformed(box.affine, column, row)


def transformed(affine: Affine, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Points through an affine transform; x, y of one shape."""
    return affine.a * x + affine.b * y + affine.c, affine.d * x + affine.e * y + affine.f


def pyproj_crs(box: GeoBox) -> CRS:
    """The grid's CRS as pyproj knows it."""
    return CRS.from_user_input(box.crs)


def _grid(part: Bounds, cell_m: float, crs: str, margin_km: float) -> GeoBox:
    west, south, east, north = part
    grid_crs = _planning_crs(crs, (west + east) / 2, (south + north) / 2)
    to_grid = Transformer.from_crs(WGS84, grid_crs, always_xy=True)
    left, bottom, right, top = to_grid.transform_bounds(west, south, east, north, densify_pts=101)
    margin_m = 1000.0 * margin_km
    first_column, last_column = floor((left - margin_m) / cell_m), ceil((right + margin_m) / cell_m)
    first_row, last_row = floor((bottom - margin_m) / cell_m), ceil((top + margin_m) / cell_m)
    height, width = last_row - first_row, last_column - first_column
    if height * width > MOST_CELLS:
        raise GridTooLarge(
            f"lưới quy hoạch sẽ có / the planning grid would have {height:,} x {width:,} ô / cells",
            f"area: {west:g}, {south:g}, {east:g}, {north:g}, cell_m = {cell_m:g}",
            f"tăng cell_m hoặc thu nhỏ vùng / use larger cells or a smaller area: at most {MOST_CELLS:,} cells",
        )
    box = GeoBox((height, width), Affine(cell_m, 0, first_column * cell_m, 0, -cell_m, last_row * cell_m), grid_crs)
    error_ppm = scale_error_ppm(box)
    if not error_ppm <= MOST_SCALE_ERROR_PPM:
        raise CrsUnsuitable(
            f"khoảng cách theo {crs} sai tới / distances in {crs} are wrong by up to {error_ppm / 1e4:.1f} %",
            f"area.crs, {west:g}, {south:g}, {east:g}, {north:g}",
            _alternatives((west + east) / 2),
        )
    return box


def _planning_crs(crs: str, lon: float, lat: float) -> CRS:
    if crs == "auto":
        return CRS.from_epsg((32600 if lat >= 0 else 32700) + _utm_zone(lon))
    try:
        asked = CRS.from_user_input(crs)
    except CRSError as error:
        raise CrsUnsuitable(f"không có hệ toạ độ / there is no CRS {crs!r}", "area.crs", _alternatives(lon)) from error
    if not asked.is_projected or any(axis.unit_name != "metre" for axis in asked.axis_info):
        kind = "tính bằng độ / is in degrees" if asked.is_geographic else "không tính bằng mét / is not in metres"
        raise CrsUnsuitable(f"{crs} ({asked.name}) {kind}", "area.crs", _alternatives(lon))
    return asked.sub_crs_list[0] if asked.is_compound else asked


def _alternatives(lon: float) -> str:
    zone = _utm_zone(lon)
    vn2000 = {48: "EPSG:3405", 49: "EPSG:3406"}.get(zone)
    utm = f'"EPSG:{32600 + zone}"' + (f', "{vn2000}" (UTM {zone}N, WGS 84 / VN-2000)' if vn2000 else "")
    return f'dùng / use crs = "auto", {utm}; VN-2000 TM-3: EPSG:5896-5899, 9205-9218'


def _utm_zone(lon: float) -> int:
    return min(60, max(1, floor((lon + 180.0) / 6.0) + 1))


def _gap_km(a: Bounds, b: Bounds) -> float:
    """Gap between two boxes; a sphere is near enough to judge "far"."""
    lon_gap = max(0.0, a[0] - b[2], b[0] - a[2])
    lat_gap = max(0.0, a[1] - b[3], b[1] - a[3])
    nearest_equator = min(abs(v) for v in (*a[1::2], *b[1::2]))
    return hypot(lon_gap * cos(radians(nearest_equator)), lat_gap) * 111.2


def _to_geodetic(crs: CRS, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Longitude and latitude on the CRS's own datum."""
    geodetic = crs.geodetic_crs
    lon, lat = Transformer.from_crs(crs, geodetic, always_xy=True).transform(x, y)
    return np.asarray(lon), np.asarray(lat)
