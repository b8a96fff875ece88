"""Rasters that people hand us: opened by two drivers only, judged before a pixel is read, read by window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import CRS, Geod, Transformer
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from phusong.data_sources.errors import (
    RasterCrsWrong,
    RasterMissing,
    RasterNoOverlap,
    RasterTooLarge,
    RasterUnreadable,
    RasterWithoutCrs,
)
from phusong.data_sources.grid import WGS84, Bounds, outline, pyproj_crs, transformed

SUFFIXES = {".tif": "GTiff", ".tiff": "GTiff", ".hgt": "SRTMHGT"}
MOST_FILE_PIXELS = 10_000_000_000
"""Vietnam at 12.5 m is about 9e9 pixels; a file that claims more is a broken or hostile header (assumption)."""
MOST_WINDOW_PIXELS = 200_000_000
"""Vietnam at 3" is 1.7e8 pixels, 0.8 GB as float32."""
MOST_BLOCK_BYTES = 2**30
"""One block is decoded whole, however small the window."""
CHUNK_POINTS = 4_000_000
_ASSIGN_CRS = "ghi đúng hệ toạ độ vào tệp / write the true CRS into the file: gdal_edit.py -a_srs EPSG:..."


@contextmanager
def open_raster(path: Path) -> Iterator[DatasetReader]:
    """A GeoTIFF, COG or .hgt that is safe to read: known driver, sane size, one plane of numbers, a plausible CRS.

    No other GDAL driver is tried (a VRT can name any file or address), and no sidecar file is opened, so the file's
    checksum covers everything that was read.
    Raises RasterMissing, RasterUnreadable, RasterTooLarge, RasterWithoutCrs, RasterCrsWrong.
    """
    if not path.is_file():
        raise RasterMissing(
            "không có tệp / there is no such file",
            str(path),
            "kiểm tra đường dẫn, tính từ thư mục dữ liệu / check the path: it starts at the data folder",
        )
    driver = SUFFIXES.get(path.suffix.lower())
    if driver is None:
        raise RasterUnreadable(
            f"không đọc raster dạng {path.suffix or '?'} / a {path.suffix or '?'} is not read as a raster",
            str(path),
            "dùng / use GeoTIFF (.tif) or .hgt; .vrt: ghi các mảnh vào tệp .txt / list its tiles in a .txt",
        )
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        try:
            dataset = rasterio.open(path.resolve(), driver=driver)
        except RasterioError as error:
            mend = "tải hoặc xuất lại tệp / download or export it again"
            if driver == "SRTMHGT":
                mend += "; tên theo góc tây nam / named by its south-west corner: N21E105.hgt"
            raise RasterUnreadable(f"không mở được / cannot be opened as {driver}", str(path), mend) from error
        with dataset:
            _check_size(dataset, path)
            _check_crs(dataset, path)
            yield dataset


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the pixels of a raster, or of a window of one, lie.

    crs       : horizontal
    transform : column, row of a pixel's upper left corner to x, y
    shape     : rows, columns
    """

    crs: CRS
    transform: Affine
    shape: tuple[int, int]

    def window(self, window: Window) -> Pixels:
        """The pixels of a window."""
        there = self.transform
        x, y = transformed(there, window.col_off, window.row_off)
        return Pixels(self.crs, Affine(there.a, there.b, x, there.d, there.e, y), (window.height, window.width))

    def xy(
        self, column: NDArray[np.float64], row: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places in pixels as x, y."""
        return transformed(self.transform, column, row)

    def column_row(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x, y as places in pixels."""
        return transformed(~self.transform, np.asarray(x), np.asarray(y))

    def hold(self, x: NDArray[np.float64], y: NDArray[np.float64], crs: CRS) -> NDArray[np.bool_]:
        """Which points, in a CRS of their own, lie on a pixel."""
        column, row = self.column_row(*Transformer.from_crs(crs, self.crs, always_xy=True).transform(x, y))
        held: NDArray[np.bool_] = (column >= 0) & (column <= self.shape[1]) & (row >= 0) & (row <= self.shape[0])
        return held

    def side_m(self) -> float:
        """Side of a square as large as the pixel in the middle, on the ellipsoid [m]."""
        h, w = self.shape
        return float(np.sqrt(self.area_m2(np.array([w / 2]), np.array([h / 2]))[0]))

    def area_m2(self, column: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Area on the ellipsoid of pixels centred at places, which need not be pixel centres [m2].

        By geodesic polygons: the areal scale that projections report is a sphere's in some, such as Mollweide.
        """
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        ring = self.xy(column[:, None] + corners[:, 0], row[:, None] + corners[:, 1])
        lon, lat = Transformer.from_crs(self.crs, self.crs.geodetic_crs, always_xy=True).transform(*ring)
        geod = self.crs.get_geod() or Geod(ellps="WGS84")
        return np.array([abs(geod.polygon_area_perimeter(*one)[0]) for one in zip(lon, lat, strict=True)])


def pixels_of(dataset: DatasetReader) -> Pixels:
    """The raster's own pixels."""
    crs = CRS.from_user_input(dataset.crs)
    crs = crs.sub_crs_list[0] if crs.is_compound else crs
    return Pixels(crs, dataset.transform, (dataset.height, dataset.width))


def bounds_wgs84(pixels: Pixels) -> Bounds:
    """The raster's extent in degrees of WGS 84."""
    h, w = pixels.shape
    x, y = pixels.xy(np.array([0.0, w, w, 0.0]), np.array([0.0, 0.0, h, h]))
    to_wgs84 = Transformer.from_crs(pixels.crs, WGS84, always_xy=True)
    west, south, east, north = to_wgs84.transform_bounds(x.min(), y.min(), x.max(), y.max())
    return (west, south, east, north)


def raster_bounds(path: Path) -> Bounds:
    """Extent of a file in degrees of WGS 84. Raises as `open_raster` does."""
    with open_raster(path) as dataset:
        return bounds_wgs84(pixels_of(dataset))


def outline_in_pixels(box: GeoBox, pixels: Pixels) -> NDArray[np.float64]:
    """(N, 2) ring of the grid's outer edge as column, row of a raster; empty where the CRS cannot reach it.

    Points lie 100 m apart, so that a chord strays from the bent edge by s^2 tan(latitude) / 8R = 0.1 mm.
    """
    x, y = Transformer.from_crs(pyproj_crs(box), pixels.crs, always_xy=True).transform(*outline(box, step_m=100.0))
    ring = np.column_stack(pixels.column_row(x, y))
    return ring if np.isfinite(ring).all() else np.empty((0, 2))


def window_over(box: GeoBox, pixels: Pixels, pad: int) -> Window | None:
    """Pixels under the grid and `pad` more on each side; None where the two do not meet."""
    ring = outline_in_pixels(box, pixels)
    if not ring.size:
        return None
    h, w = pixels.shape
    first, last = np.floor(ring.min(axis=0)), np.ceil(ring.max(axis=0))
    column, row = max(0, int(first[0]) - pad), max(0, int(first[1]) - pad)
    column_end, row_end = min(w, int(last[0]) + pad), min(h, int(last[1]) + pad)
    if column >= column_end or row >= row_end:
        return None
    return Window(column, row, column_end - column, row_end - row)


def places_under(
    box: GeoBox, pixels: Pixels, k: int = 1
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Some rows of the grid at a time: the rows, and column, row in the raster of the centres of k x k sub-cells.

    The way from grid to raster is computed every 8 cells and linear between: off by s^2 tan(latitude) / 8R for a step
    s, 4 mm at 90 m cells.
    """
    h, w = box.shape
    row, column = np.linspace(0, h, ceil(h / 8) + 1), np.linspace(0, w, ceil(w / 8) + 1)
    at_column, at_row = (places.ravel() for places in np.meshgrid(column, row))
    to_raster = Transformer.from_crs(pyproj_crs(box), pixels.crs, always_xy=True)
    places = pixels.column_row(*to_raster.transform(*transformed(box.affine, at_column, at_row)))
    across = interpolation((np.arange(w * k) + 0.5) / k, column).T
    source_column, source_row = (place.reshape(row.size, column.size) @ across for place in places)
    rows_at_once = max(1, CHUNK_POINTS // (w * k * k))
    for first in range(0, h, rows_at_once):
        rows = slice(first, min(h, first + rows_at_once))
        down = interpolation((np.arange(rows.start * k, rows.stop * k) + 0.5) / k, row)
        yield rows, down @ source_column, down @ source_row


def interpolation(at: NDArray[np.floating], nodes: NDArray[np.floating]) -> NDArray[np.float64]:
    """(at, nodes) matrix of linear interpolation between equally spaced nodes."""
    place = np.clip((at - nodes[0]) / (nodes[1] - nodes[0]), 0, nodes.size - 1)
    left = np.minimum(place.astype(np.int64), nodes.size - 2)
    weights = np.zeros((at.size, nodes.size))
    index = np.arange(at.size)
    weights[index, left] = 1.0 - (place - left)
    weights[index, left + 1] = place - left
    return weights


def check_window(window: Window, where: str) -> None:
    """Raises RasterTooLarge for a window that memory should not hold."""
    if window.width * window.height > MOST_WINDOW_PIXELS:
        raise RasterTooLarge(
            f"vùng cần đọc / the area needs {window.height:,} x {window.width:,} điểm ảnh / pixels",
            where,
            "dùng raster thô hơn (30 m, 90 m) hoặc vùng nhỏ hơn / use a coarser raster or a smaller area",
        )


def read_window(dataset: DatasetReader, window: Window) -> NDArray[np.float32]:
    """Values of the window, scale and offset applied, NaN where the file says there is none.

    Raises RasterUnreadable where the file ends before its pixels do.
    """
    try:
        values = dataset.read(1, window=window, masked=True)
    except RasterioError as error:
        raise RasterUnreadable(
            "tệp bị cắt cụt hoặc hỏng / the file is cut short or damaged: its pixels cannot be read",
            dataset.name,
            "tải lại, so kích thước với nguồn / download it again, compare its size with the source's",
        ) from error
    filled: NDArray[np.float32] = values.astype(np.float32).filled(np.nan)
    scale, offset = dataset.scales[0], dataset.offsets[0]
    if (scale, offset) != (1.0, 0.0):
        filled = (filled * scale + offset).astype(np.float32)
    filled[~np.isfinite(filled)] = np.nan
    return filled


def no_overlap(what: str, where: str, raster: Bounds, area: Bounds) -> RasterNoOverlap:
    """The error for a raster elsewhere, which says where both lie. what: "địa hình / terrain", ..."""
    return RasterNoOverlap(
        f"không phủ vùng quy hoạch / does not reach the area: {what}",
        f"{where}: {_degrees(raster)}; vùng / area: {_degrees(area)}",
        "lấy raster của vùng này, hoặc kiểm tra vùng và hệ toạ độ / get a raster of this area, or check bounds and CRS",
    )


def box_bounds_wgs84(box: GeoBox) -> Bounds:
    """The grid's extent in degrees of WGS 84."""
    lon, lat = Transformer.from_crs(pyproj_crs(box), WGS84, always_xy=True).transform(*outline(box))
    return (float(np.min(lon)), float(np.min(lat)), float(np.max(lon)), float(np.max(lat)))


def _check_size(dataset: DatasetReader, path: Path) -> None:
    height, width = dataset.height, dataset.width
    block_height, block_width = dataset.block_shapes[0]
    dtype = dataset.dtypes[0]
    if height * width > MOST_FILE_PIXELS:
        raise RasterTooLarge(
            f"tệp khai / the file claims {height:,} x {width:,} điểm ảnh / pixels",
            str(path),
            "cắt theo vùng trước / cut it to the area first (gdal_translate -projwin)",
        )
    if block_height * block_width * np.dtype(dtype).itemsize * dataset.count > MOST_BLOCK_BYTES:
        raise RasterTooLarge(
            f"tệp lưu theo khối quá lớn / the file is stored in blocks of {block_height:,} x {block_width:,} pixels",
            str(path),
            "ghi lại theo ô nhỏ / write it again in tiles (gdal_translate -of COG)",
        )
    if np.dtype(dtype).kind == "c" or dataset.colorinterp[0] in (ColorInterp.red, ColorInterp.palette):
        raise RasterUnreadable(
            "raster là ảnh màu, không phải số đo / the raster is a picture, not a field of numbers",
            f"{path}: {dataset.count} x {dtype}",
            "lấy dữ liệu gốc, không phải ảnh bản đồ / get the data itself, not its rendering on a map",
        )


def _check_crs(dataset: DatasetReader, path: Path) -> None:
    if dataset.crs is None or dataset.transform == Affine.identity():
        raise RasterWithoutCrs(
            "raster không ghi vị trí / the raster does not say where it lies: no "
            + ("CRS" if dataset.crs is None else "geotransform"),
            str(path),
            "ghi vào tệp / write it into the file: gdal_translate -a_srs EPSG:4326 -a_ullr WEST NORTH EAST SOUTH",
        )
    crs = pixels_of(dataset).crs
    left, bottom, right, top = dataset.bounds
    where = f"{path}: {crs.name}, x {left:g} .. {right:g}, y {bottom:g} .. {top:g}"
    if not (crs.is_geographic or crs.is_projected):
        raise RasterCrsWrong("hệ toạ độ cục bộ / the CRS is not tied to the earth", where, _ASSIGN_CRS)
    largest_x, largest_y = max(abs(left), abs(right)), max(abs(bottom), abs(top))
    if crs.is_geographic and largest_y > 90.1 and largest_x <= 90.1:
        raise RasterCrsWrong(
            "kinh độ và vĩ độ bị đổi chỗ / longitude and latitude are swapped",
            where,
            "xuất lại với kinh độ là x / export it again with longitude as x",
        )
    if crs.is_geographic and (largest_x > 360.1 or largest_y > 90.1):
        raise RasterCrsWrong(
            "hệ toạ độ tính bằng độ, toạ độ thì không / the CRS is in degrees, the coordinates are not",
            where,
            _ASSIGN_CRS,
        )
    if crs.is_projected and largest_x <= 180.1 and largest_y <= 90.1:
        raise RasterCrsWrong(
            "hệ toạ độ tính bằng mét, toạ độ là độ / the CRS is in metres, the coordinates look like degrees",
            where,
            _ASSIGN_CRS,
        )


def _degrees(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"{west:.2f}-{east:.2f} E, {south:.2f}-{north:.2f} N"
