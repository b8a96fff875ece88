"""Heights: georeference to a fraction of a metre, seams, voids, and files that must be refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.fill import fillnodata

from phusong.data_sources.errors import (
    RasterCrsWrong,
    RasterMissing,
    RasterNoOverlap,
    RasterTooLarge,
    RasterUnreadable,
    RasterWithoutCrs,
)
from phusong.data_sources.grid import planning_grids, pyproj_crs
from phusong.data_sources.terrain import read_terrain, terrain_tiles
from phusong.data_sources.voids import fill_voids

SECOND = 1 / 3600
AREA = (105.20, 21.20, 105.30, 21.28)


def slope_plane(lon, lat):
    """Heights linear in degrees, as a raster interpolated between its pixel centres shows them without error."""
    return 900.0 + 4000.0 * (lon - 105.25) + 6000.0 * (lat - 21.24)


def write(path: Path, heights, west, north, step, *, crs="EPSG:4326", nodata=None, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    transform = Affine(step, 0, west, 0, -step, north)
    h, w = np.shape(heights)
    with rasterio.open(
        path, "w", driver="GTiff", width=w, height=h, count=1, dtype=np.asarray(heights).dtype, crs=crs,
        transform=transform, nodata=nodata, **options,
    ) as file:  # fmt: skip
        file.write(np.asarray(heights), 1)
    return path


def centres(box):
    h, w = box.shape
    column, row = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    affine = box.affine
    x, y = affine.a * column + affine.c, affine.e * row + affine.f
    return Transformer.from_crs(pyproj_crs(box), 4326, always_xy=True).transform(x, y)


def plane_dem(path: Path, step: float, west=105.15, south=21.15, east=105.35, north=21.33) -> Path:
    w, h = round((east - west) / step), round((north - south) / step)
    lon, lat = np.meshgrid(west + step * (np.arange(w) + 0.5), north - step * (np.arange(h) + 0.5))
    return write(path, slope_plane(lon, lat).astype(np.float32), west, north, step)


def hgt(folder: Path, name: str, heights) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.hgt"
    np.asarray(heights, dtype=">i2").tofile(path)
    return path


@pytest.mark.parametrize("step", [0.3 * SECOND, 1 * SECOND, 3 * SECOND, 10 * SECOND], ids=["average", "1", "3", "10"])
def test_a_plane_comes_back_where_it_lies(tmp_path, step):
    (box,) = planning_grids([AREA], 90.0)
    read = read_terrain([plane_dem(tmp_path / "địa hình" / "mặt phẳng nghiêng.tif", step)], box)
    lon, lat = centres(box)
    # The plane climbs 6 m in 100 m; half a pixel of shift would show as several metres at every resolution.
    assert np.abs(read.height_m - slope_plane(lon, lat)).max() < 0.01
    assert read.voids_filled == read.negatives == read.absurd == 0 == len(read.findings)


def test_tiles_in_a_folder_or_a_list_equal_the_whole_file(tmp_path):
    random = np.random.default_rng(2)
    heights = random.normal(500, 100, (240, 300)).astype(np.float32)
    whole = write(tmp_path / "cả vùng.tif", heights, 105.15, 21.34, 3 * SECOND)
    folder = tmp_path / "các mảnh"
    names = []
    for row in (0, 97):
        for column in (0, 141):
            piece = heights[row : 97 if row == 0 else None, column : 150 if column == 0 else None]  # 9 columns overlap
            north, west = 21.34 - 3 * SECOND * row, 105.15 + 3 * SECOND * column
            names.append(write(folder / f"mảnh {row}-{column}.tif", piece, west, north, 3 * SECOND).name)
    (folder / "đọc.txt").write_text("\ufeff# các mảnh\n\n" + "\n".join(names) + "\n", encoding="utf-8")
    (box,) = planning_grids([AREA], 90.0)
    expected = read_terrain([whole], box).height_m
    np.testing.assert_array_equal(read_terrain([folder], box).height_m, expected)
    np.testing.assert_array_equal(read_terrain([folder / "đọc.txt"], box).height_m, expected)


def test_hgt_tiles_meet_without_a_seam_and_their_voids_are_filled_and_counted(tmp_path):
    lat = np.linspace(22, 21, 1201)[:, None]
    for name, west in (("N21E105", 105.0), ("N21E106", 106.0)):
        heights = np.rint(1000 + 300 * np.sin(8 * (west + np.linspace(0, 1, 1201))) + 200 * np.cos(9 * lat))
        if west == 105.0:
            heights[100:108, 1190:1196] = -32768
            heights[300, 1195] = -32768
            heights[400, 1195] = -12
            heights[500, 1195] = 9000
        hgt(tmp_path / "SRTM3 gốc", name, heights)
    (box,) = planning_grids([(105.9, 21.5, 106.1, 21.98)], 90.0)
    read = read_terrain([tmp_path / "SRTM3 gốc"], box)
    assert (read.voids_filled, read.negatives, read.absurd) == (49, 1, 1)
    assert any("49" in finding.what and ": 48 (" in finding.what for finding in read.findings)
    lon, lat = centres(box)
    error = np.abs(read.height_m - (1000 + 300 * np.sin(8 * lon) + 200 * np.cos(9 * lat)))
    assert np.isfinite(read.height_m).all()
    assert np.sort(error.ravel())[-60:].min() < 2.5  # all but the negative height and its neighbours
    assert len(read.files) == 2


def test_a_void_takes_the_next_tile_before_a_guess(tmp_path):
    heights = np.full((120, 150), 400.0, dtype=np.float32)
    heights[40:80, 50:100] = np.nan
    first = write(tmp_path / "fine.tif", heights, 105.18, 21.30, 3 * SECOND, nodata=np.nan)
    second = write(tmp_path / "coarse.tif", np.full((40, 50), 700, dtype=np.int16), 105.15, 21.33, 15 * SECOND)
    (box,) = planning_grids([(105.21, 21.21, 105.28, 21.28)], 90.0)
    read = read_terrain([first, second], box)
    assert set(np.unique(np.rint(read.height_m))) == {400.0, 700.0}
    alone = read_terrain([first], box)
    assert np.abs(alone.height_m - 400.0).max() < 0.01


def test_holes_too_large_stay_empty(tmp_path):
    heights = np.full((240, 300), 100, dtype=np.int16)
    heights[:, 150:] = -32768
    path = write(tmp_path / "half.tif", heights, 105.15, 21.34, 3 * SECOND)
    (box,) = planning_grids([AREA], 90.0)
    assert 0.2 < np.isnan(read_terrain([path], box, largest_void_km2=20.0).height_m).mean() < 0.9
    assert np.isfinite(read_terrain([path], box, largest_void_km2=1000.0).height_m).all()


def test_the_plate_beats_inverse_distance_on_real_ridges(shared):
    with rasterio.open(shared("data/tam-dao/dem.tif")) as file:
        true_m = file.read(1)[60:320, 180:480].astype(np.float32)
    with rasterio.open(shared("data/n21e105/N21E105.hgt")) as file:
        srtm_void = file.read(1) == -32768
    # The shapes of real voids, shifted onto ground whose height is known.
    row, column = np.unravel_index(np.argmax(srtm_void), srtm_void.shape)
    errors = []
    for shift in ((0, 0), (40, 90), (90, 40), (130, 200)):
        hole = np.roll(srtm_void, (shift[0] - row + 10, shift[1] - column + 10), (0, 1))[:260, :300].copy()
        hole[:3] = hole[-3:] = hole[:, :3] = hole[:, -3:] = False
        filled, _ = fill_voids(np.where(hole, np.float32(np.nan), true_m), 10_000)
        usual = fillnodata(np.where(hole, 0, true_m), mask=~hole, max_search_distance=50)
        errors.append([np.square(image - true_m)[hole].sum() for image in (filled, usual)])
    plate, inverse_distance = np.sqrt(np.sum(errors, axis=0))
    assert plate < 0.75 * inverse_distance


def test_void_filling_keeps_planes_and_known_heights():
    row, column = np.mgrid[0:60, 0:80].astype(np.float32)
    plane = 10 + 3 * row - 2 * column
    holed = plane.copy()
    holed[10:22, 20:45] = holed[0:4, 0:6] = holed[50:60, 70:80] = np.nan
    filled, largest = fill_voids(holed, 1000)
    assert largest == 300
    np.testing.assert_allclose(filled[10:22, 20:45], plane[10:22, 20:45], atol=0.01)
    np.testing.assert_array_equal(filled[~np.isnan(holed)], plane[~np.isnan(holed)])


def test_only_the_window_is_read(tmp_path):
    path = tmp_path / "whole country.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=90_000, height=60_000, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(SECOND / 4, 0, 100.0, 0, -SECOND / 4, 24.0), tiled=True, blockxsize=512, blockysize=512,
        compress="deflate", sparse_ok=True,
    ):  # fmt: skip
        pass
    (box,) = planning_grids([AREA], 90.0)
    assert (read_terrain([path], box).height_m == 0.0).all()


def test_the_raw_tile(shared):
    (box,) = planning_grids([(105.0, 21.0, 106.0, 22.0)], 90.0)
    read = read_terrain([shared("data/n21e105/N21E105.hgt")], box)
    assert read.voids_filled == 1539
    assert read.negatives + read.absurd == 75
    lon, lat = centres(box)
    assert np.isfinite(read.height_m[(lon > 105) & (lon < 106) & (lat > 21) & (lat < 22)]).all()
    assert 0.0 <= np.nanmin(read.height_m) < np.nanmax(read.height_m) < 1592


def test_negative_heights_may_be_kept(tmp_path):
    path = write(tmp_path / "delta.tif", np.full((120, 150), -3, dtype=np.int16), 105.18, 21.30, 3 * SECOND)
    (box,) = planning_grids([(105.21, 21.21, 105.28, 21.28)], 90.0)
    assert (read_terrain([path], box, negatives="keep").height_m == -3).all()
    assert (read_terrain([path], box).height_m == 0).all()


def _huge(path: Path) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=400_000, height=400_000, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(1e-5, 0, 103, 0, -1e-5, 23), tiled=True, blockxsize=4096, blockysize=4096, sparse_ok=True,
        BIGTIFF="YES",
    ):  # fmt: skip
        pass
    return path


def _truncated(path: Path) -> Path:
    random = np.random.default_rng(3).integers(0, 900, (400, 400), dtype=np.int16)
    write(path, random, 105.15, 21.34, 3 * SECOND)
    path.write_bytes(path.read_bytes()[:100_000])
    return path


def _one_strip(path: Path) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=90_000, height=90_000, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(1e-5, 0, 105, 0, -1e-5, 21.5), tiled=False, blockysize=90_000, compress="deflate",
        sparse_ok=True, BIGTIFF="YES",
    ):  # fmt: skip
        pass
    return path


def _text(path: Path, text: str = "not a raster") -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _picture(path: Path) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=9, height=9, count=3, dtype="uint8", crs="EPSG:4326", photometric="RGB",
        transform=Affine(0.1, 0, 105, 0, -0.1, 21.9),
    ):  # fmt: skip
        pass
    return path


FLAT = np.zeros((90, 90), dtype=np.int16)
REFUSED = {
    "missing": (lambda d: d / "nowhere.tif", RasterMissing, "nowhere.tif"),
    "400,000 x 400,000": (lambda d: _huge(d / "huge.tif"), RasterTooLarge, "400,000 x 400,000"),
    "one giant strip": (lambda d: _one_strip(d / "strip.tif"), RasterTooLarge, "COG"),
    "truncated": (lambda d: _truncated(d / "cụt.tif"), RasterUnreadable, "cụt.tif"),
    "text": (lambda d: _text(d / "a.tif"), RasterUnreadable, "GTiff"),
    "empty hgt": (lambda d: _text(d / "N21E105.hgt", ""), RasterUnreadable, "N21E105"),
    "hgt of another name": (lambda d: hgt(d, "my dem", np.zeros((1201, 1201))), RasterUnreadable, "south-west"),
    "picture": (lambda d: _picture(d / "map.tif"), RasterUnreadable, "picture"),
    "vrt": (lambda d: _text(d / "a.vrt", "<VRTDataset/>"), RasterUnreadable, ".txt"),
    "vrt named tif": (lambda d: _text(d / "b.tif", '<VRTDataset rasterXSize="9"/>'), RasterUnreadable, "GTiff"),
    "no crs": (lambda d: write(d / "a.tif", FLAT, 105, 22, 0.01, crs=None), RasterWithoutCrs, "a_srs"),
    "degrees called metres": (lambda d: write(d / "a.tif", FLAT, 105, 22, 0.01, crs=32648), RasterCrsWrong, "degrees"),
    "metres called degrees": (lambda d: write(d / "a.tif", FLAT, 5e5, 2.3e6, 90.0), RasterCrsWrong, "degrees"),
    "latitude first": (lambda d: write(d / "a.tif", FLAT, 21, 106, 0.01), RasterCrsWrong, "swapped"),
    "elsewhere": (lambda d: write(d / "a.tif", FLAT, 120, 15, 0.01), RasterNoOverlap, "120.00-120.90 E"),
    "empty folder": (lambda d: _folder(d / "mảnh"), RasterMissing, "mảnh"),
    "list of nothing": (lambda d: _text(d / "list.txt", "# none\n"), RasterMissing, "list.txt"),
    "list of a missing tile": (lambda d: _text(d / "list.txt", "\nN21E105.hgt\n"), RasterMissing, "line 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_reason(case, tmp_path):
    make, error, said = REFUSED[case]
    (box,) = planning_grids([AREA], 90.0)
    with pytest.raises(error) as caught:
        read_terrain([make(tmp_path)], box)
    assert said in str(caught.value)
    assert " / " in caught.value.mend


def test_each_tile_once(tmp_path):
    path = plane_dem(tmp_path / "a.tif", 3 * SECOND)
    assert terrain_tiles([path, tmp_path, path]) == [path]
