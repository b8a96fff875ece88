"""Heights on the planning grid: tiles mosaicked, voids filled, impossible heights removed, all of it counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.windows import Window
from scipy import ndimage

from phusong.data_sources.area import Finding
from phusong.data_sources.errors import RasterMissing, RasterUnreadable
from phusong.data_sources.grid import Bounds, transformed, union_of
from phusong.data_sources.rasters import (
    SUFFIXES,
    Pixels,
    bounds_wgs84,
    box_bounds_wgs84,
    check_window,
    no_overlap,
    open_raster,
    pixels_of,
    places_under,
    read_window,
    window_over,
)
from phusong.data_sources.voids import fill_voids

LOWEST_M = -50.0
"""No ground of the country lies lower but the floors of open coal pits, which are read as voids (assumption)."""
HIGHEST_M = 3300.0
"""Fansipan stands at 3,147.3 m (survey of 2019); 150 m above it are left for canopy and error (assumption)."""
LARGEST_VOID_KM2 = 100.0
"""A larger hole is no void of the sensor but missing data, and is not invented (assumption)."""
DOUBTFUL_VOID_KM2 = 1.0
"""A hole wide enough to hide a ridge (assumption)."""
VOID_HEIGHTS_M = (-32768.0, -32767.0, -9999.0)
"""Heights that common products write for "none" even where the file declares no such value."""

Negatives = Literal["sea-level", "keep"]


@dataclass(frozen=True, slots=True)
class TerrainRead:
    """Heights on a planning grid.

    height_m     : (H, W) float32 above sea level, NaN where no tile reaches or the hole is too large to fill
    voids_filled : source pixels without a height that were filled
    negatives    : source pixels below sea level
    absurd       : source pixels outside the possible range, treated as voids
    files        : the tiles that were read
    """

    height_m: NDArray[np.float32]
    voids_filled: int
    negatives: int
    absurd: int
    findings: tuple[Finding, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Tile:
    path: Path
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class _Mosaic:
    """Tiles of one lattice as one array; `covered` where a tile has a pixel, be it a void."""

    pixels: Pixels
    height_m: NDArray[np.float32]
    covered: NDArray[np.bool_]
    files: tuple[Path, ...]


def read_terrain(
    paths: Sequence[Path],
    box: GeoBox,
    *,
    lowest_m: float = LOWEST_M,
    highest_m: float = HIGHEST_M,
    negatives: Negatives = "sea-level",
    largest_void_km2: float = LARGEST_VOID_KM2,
) -> TerrainRead:
    """Heights of one or many tiles on the planning grid; only the pixels under it are read.

    paths            : GeoTIFF, COG or .hgt files, folders of them, or .txt lists of them; the earlier wins where
                       two overlap, and a void of one is taken from the next before it is filled
    lowest_m, highest_m : heights outside are treated as voids [m]
    negatives        : heights from lowest_m to 0 become 0 ("sea-level": in lowlands they are noise over water) or stay
    largest_void_km2 : larger holes stay NaN [km2]
    Bilinear, or the mean over the cell where pixels are at most half as wide as it. Voids take the surface of
    least bending through their rim (a thin plate). Cells next to the outermost ones take the nearest height, so that
    a grid as large as its terrain has no empty edge.
    Raises RasterMissing, RasterNoOverlap and all that `open_raster` does.
    """
    tiles = [_tile(path) for path in terrain_tiles(paths)]
    mosaics = _mosaics(tiles, box)
    if not mosaics:
        extent = union_of([bounds_wgs84(tile.pixels) for tile in tiles])
        raise no_overlap("địa hình / terrain", _names(paths), extent, box_bounds_wgs84(box))

    height_m = np.full(box.shape, np.nan, dtype=np.float32)
    from_voids = height_m.copy()  # what voids were filled with, used where no tile has better
    findings: list[Finding] = []
    voids_filled = negatives_found = absurd_found = 0
    for mosaic in mosaics:
        where = _names(mosaic.files)
        sound_m, negative, absurd = _sound(mosaic.height_m, where, lowest_m, highest_m, negatives, findings)
        hole = np.isnan(sound_m)
        pixel_km2 = mosaic.pixels.side_m() ** 2 / 1e6
        filled_m, largest = fill_voids(sound_m, int(largest_void_km2 / pixel_km2))
        void = hole & mosaic.covered & ~absurd & ~np.isnan(filled_m)
        if void.any():
            findings.append(_void_finding(int(void.sum()), largest, largest * pixel_km2, where))
        voids_filled += int(void.sum())
        negatives_found += int(negative.sum())
        absurd_found += int(absurd.sum())

        heights = _on_grid(filled_m, mosaic.pixels, box)
        if hole.any():
            invented = _on_grid(hole.astype(np.float32), mosaic.pixels, box) > 0.0
            from_voids = np.where(np.isnan(from_voids) & invented, heights, from_voids)
            heights[invented] = np.nan
        height_m = np.where(np.isnan(height_m), heights, height_m)
    height_m = _to_the_edge(np.where(np.isnan(height_m), from_voids, height_m))
    files = tuple(path for mosaic in mosaics for path in mosaic.files)
    return TerrainRead(height_m, voids_filled, negatives_found, absurd_found, tuple(findings), files)


def terrain_tiles(paths: Sequence[Path]) -> list[Path]:
    """Tiles named by files, folders (by name, not below) and .txt lists (one path a line, relative to the list).

    Raises RasterMissing for what is absent or empty, RasterUnreadable for a list that is no list.
    """
    tiles: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
            if not found:
                raise RasterMissing(
                    "thư mục không có mảnh địa hình nào / the folder holds no terrain tile",
                    str(path),
                    "chép tệp .tif, .hgt vào / put .tif, .tiff or .hgt files in it",
                )
            tiles += found
        elif path.suffix.lower() == ".txt":
            tiles += _listed(path)
        else:
            tiles.append(path)
    return list(dict.fromkeys(tiles))


def terrain_bounds(paths: Sequence[Path]) -> Bounds:
    """Extent of all tiles together, degrees of WGS 84. Raises as `read_terrain` does."""
    return union_of([bounds_wgs84(_tile(path).pixels) for path in terrain_tiles(paths)])


def _tile(path: Path) -> _Tile:
    with open_raster(path) as dataset:
        return _Tile(path, pixels_of(dataset))


def _listed(path: Path) -> list[Path]:
    if not path.is_file():
        raise RasterMissing(
            "không có danh sách mảnh / there is no such list of tiles",
            str(path),
            "kiểm tra đường dẫn / check the path",
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RasterUnreadable(
            "danh sách mảnh không phải văn bản UTF-8 / the list of tiles is not UTF-8 text",
            str(path),
            "lưu lại dạng UTF-8 / save it as UTF-8",
        ) from error
    named = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"]
    if not named:
        raise RasterMissing(
            "danh sách không có mảnh nào / the list names no tile",
            str(path),
            "mỗi dòng một đường dẫn, tính từ danh sách / write one path a line, relative to the list",
        )
    for number, name in named:
        if not (path.parent / name).is_file():
            raise RasterMissing(
                f"danh sách ghi tệp không có / the list names a file that is not there: {name}",
                f"{path}, dòng / line {number}",
                "sửa đường dẫn, tính từ danh sách / mend the path, which starts at the list",
            )
    return [path.parent / name for _, name in named]


def _mosaics(tiles: Sequence[_Tile], box: GeoBox) -> list[_Mosaic]:
    """One array for each lattice of pixels among the tiles, so that interpolation sees no seam; in their order."""
    groups: list[list[_Tile]] = []
    for tile in tiles:
        group = next((group for group in groups if _same_lattice(tile.pixels, group[0].pixels)), None)
        if group is None:
            groups.append([tile])
        else:
            group.append(tile)
    mosaics = [_mosaic(group, box) for group in groups]
    return [mosaic for mosaic in mosaics if mosaic is not None]


def _same_lattice(a: Pixels, b: Pixels) -> bool:
    """Equal CRS, pixels that drift less than 0.01 pixel over a tile, origins whole pixels apart to 0.01."""
    if a.crs != b.crs:
        return False
    column, row = transformed(~b.transform, a.transform.c, a.transform.f)
    size = abs(b.transform.determinant) ** 0.5
    unlike = max(abs(getattr(a.transform, part) - getattr(b.transform, part)) for part in "abde") / size
    return (
        unlike * max(*a.shape, *b.shape) < 0.01 and abs(column - round(column)) < 0.01 and abs(row - round(row)) < 0.01
    )


def _mosaic(group: Sequence[_Tile], box: GeoBox) -> _Mosaic | None:
    """The part of the tiles under the grid; None where they do not reach it."""
    to_first = ~group[0].pixels.transform
    corners = [transformed(to_first, tile.pixels.transform.c, tile.pixels.transform.f) for tile in group]
    first = np.rint(corners).astype(np.int64)[:, ::-1]  # row, column of each tile's corner
    last = first + [tile.pixels.shape for tile in group]
    origin, end = first.min(axis=0), last.max(axis=0)
    everything = group[0].pixels.window(Window(origin[1], origin[0], end[1] - origin[1], end[0] - origin[0]))
    window = window_over(box, everything, pad=4)
    if window is None:
        return None
    check_window(window, _names([tile.path for tile in group]))
    height_m = np.full((window.height, window.width), np.nan, dtype=np.float32)
    covered = np.zeros(height_m.shape, dtype=np.bool_)
    files: list[Path] = []
    corner = origin + np.array([window.row_off, window.col_off])
    for tile, tile_first, tile_last in zip(group, first, last, strict=True):
        top, left = np.maximum(tile_first, corner)
        bottom, right = np.minimum(tile_last, corner + height_m.shape)
        if top >= bottom or left >= right:
            continue
        with open_raster(tile.path) as dataset:
            values = read_window(dataset, Window(left - tile_first[1], top - tile_first[0], right - left, bottom - top))
        values[np.isin(values, VOID_HEIGHTS_M)] = np.nan
        here = np.s_[top - corner[0] : bottom - corner[0], left - corner[1] : right - corner[1]]
        height_m[here] = np.where(np.isnan(height_m[here]), values, height_m[here])
        covered[here] = True
        files.append(tile.path)
    return _Mosaic(everything.window(window), height_m, covered, tuple(files)) if files else None


def _sound(
    height_m: NDArray[np.float32],
    where: str,
    lowest_m: float,
    highest_m: float,
    negatives: Negatives,
    findings: list[Finding],
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Heights that can be, NaN for the others; which were below the sea, which absurd."""
    absurd = (height_m < lowest_m) | (height_m > highest_m)
    negative = (height_m < 0.0) & ~absurd
    if absurd.any():
        findings.append(_absurd_finding(height_m[absurd], where, lowest_m, highest_m))
    if negative.any():
        findings.append(_negative_finding(height_m[negative], where, negatives))
    sound_m = np.where(absurd, np.float32(np.nan), height_m)
    return np.where(negative & (negatives == "sea-level"), np.float32(0.0), sound_m), negative, absurd


def _on_grid(values: NDArray[np.float32], pixels: Pixels, box: GeoBox) -> NDArray[np.float32]:
    """Values at the cell centres, bilinear; the mean over sub-cells as wide as a pixel where cells hold several."""
    k = int(abs(box.affine.a) / pixels.side_m())
    k = k if k >= 2 else 1
    h, w = box.shape
    on_grid = np.empty((h, w), dtype=np.float32)
    for rows, column, row in places_under(box, pixels, k):
        sampled = _bilinear(values, column, row).reshape(-1, k, w, k)
        known = ~np.isnan(sampled)
        count = known.sum(axis=(1, 3))
        total = np.where(known, sampled, 0.0).sum(axis=(1, 3))
        on_grid[rows] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return on_grid


def _bilinear(
    values: NDArray[np.float32], column: NDArray[np.float64], row: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values between pixel centres (at 0.5, 1.5, ...); NaN where the pixel below has none, or outside.

    Weights of neighbours without a value, and of those beyond the edge, go to the others.
    """
    h, w = values.shape
    outside = ~((column >= 0) & (column <= w) & (row >= 0) & (row <= h))
    column, row = np.clip(column - 0.5, 0, w - 1), np.clip(row - 0.5, 0, h - 1)
    left, top = np.minimum(column.astype(np.int64), max(w - 2, 0)), np.minimum(row.astype(np.int64), max(h - 2, 0))
    x, y = column - left, row - top
    total, weight = np.zeros(column.shape), np.zeros(column.shape)
    for down, across, share in ((0, 0, (1 - y) * (1 - x)), (0, 1, (1 - y) * x), (1, 0, y * (1 - x)), (1, 1, y * x)):
        value = values[np.minimum(top + down, h - 1), np.minimum(left + across, w - 1)]
        known = ~np.isnan(value)
        total += np.where(known, value * share, 0.0)
        weight += np.where(known, share, 0.0)
    nearest = values[np.rint(row).astype(np.int64), np.rint(column).astype(np.int64)]
    return np.where(outside | np.isnan(nearest), np.nan, total / np.maximum(weight, 1e-12))


def _to_the_edge(height_m: NDArray[np.float32]) -> NDArray[np.float32]:
    missing = np.isnan(height_m)
    if not missing.any() or missing.all():
        return height_m
    distance, (row, column) = ndimage.distance_transform_edt(missing, return_indices=True)
    return np.where(distance < 1.5, height_m[row, column], height_m)


def _absurd_finding(heights_m: NDArray[np.float32], where: str, lowest_m: float, highest_m: float) -> Finding:
    return Finding(
        "warning",
        f"{heights_m.size:,} độ cao ngoài {lowest_m:,.0f} .. {highest_m:,.0f} m coi như khoảng trống / heights outside "
        f"that range (from {heights_m.min():,.0f} to {heights_m.max():,.0f} m) were treated as voids",
        where,
        "xem lại các điểm ảnh này / look at these pixels: a fault of the terrain, or a pit or peak beyond the range",
    )


def _negative_finding(heights_m: NDArray[np.float32], where: str, negatives: Negatives) -> Finding:
    done = "đặt về 0 / were set to 0" if negatives == "sea-level" else "giữ nguyên / were kept"
    lowest = f"{heights_m.min():,.0f} m"
    return Finding("note", f"{heights_m.size:,} độ cao âm / heights below sea level ({lowest}) {done}", where)


def _void_finding(count: int, largest_px: int, largest_km2: float, where: str) -> Finding:
    return Finding(
        "warning" if largest_km2 > DOUBTFUL_VOID_KM2 else "note",
        f"{count:,} điểm trống được lấp theo viền / void pixels were filled from their rims; "
        f"lỗ lớn nhất / the largest hole: {largest_px:,} ({largest_km2:,.2f} km2)",
        where,
        "địa hình trong lỗ lớn là phỏng đoán / ground inside large holes is a guess: prefer a terrain without them"
        if largest_km2 > DOUBTFUL_VOID_KM2
        else "",
    )


def _names(files: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in files[:3])
    return shown if len(files) <= 3 else f"{shown} (+{len(files) - 3})"
