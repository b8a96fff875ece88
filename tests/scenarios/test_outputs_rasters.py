"""Pictures of signal and terrain: they lie where the cells lie, and light falls from the north-west."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from PIL import Image
from pyproj import Transformer

from phusong.scenarios.outputs.rasters import hillshade, rsrp_class, web_pictures, write_rsrp
from phusong.scenarios.outputs.result import PartRasters

BOX = GeoBox.from_bbox((480_000, 2_370_000, 480_000 + 90 * 300, 2_370_000 + 90 * 200), "EPSG:32648", resolution=90)


def part(signal, inside=None):
    flat = np.full(BOX.shape, 100, np.float32)
    inside = np.ones(BOX.shape, bool) if inside is None else inside
    return PartRasters("phần", BOX, flat, signal, signal, inside, 8.0)


def test_light_comes_from_the_north_west():
    rows, columns = np.mgrid[0:20, 0:20].astype(np.float32)
    flat = hillshade(np.zeros((20, 20), np.float32), 90)[10, 10]
    facing = hillshade((rows + columns) * 9, 90)[10, 10]  # rises to the south-east: faces the sun
    away = hillshade(-(rows + columns) * 9, 90)[10, 10]
    assert flat == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert away < flat < facing


def test_colour_classes_begin_at_their_bounds():
    levels = np.array([np.nan, -200, -120.01, -120, -110, -99.99, -80, 0], np.float32)
    assert rsrp_class(levels).tolist() == [0, 0, 0, 1, 2, 3, 5, 5]


@pytest.mark.parametrize(("row", "column"), [(5, 7), (190, 290), (5, 290), (190, 7), (100, 150)])
def test_a_cell_is_painted_where_it_lies(row, column):
    signal = np.full(BOX.shape, np.nan, np.float32)
    signal[row - 1 : row + 2, column - 1 : column + 2] = -70
    pictures = web_pictures(part(signal))
    with Image.open(io.BytesIO(pictures.before)) as image:
        painted = np.argwhere(np.asarray(image) == 5)
        height, width = image.height, image.width
    (west, north), (east, _), (_, south), _ = pictures.corners
    mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    (x0, y1), (x1, y0) = mercator.transform(west, north), mercator.transform(east, south)
    middle = painted.mean(axis=0) + 0.5
    x, y = x0 + (x1 - x0) * middle[1] / width, y1 - (y1 - y0) * middle[0] / height
    cell = Transformer.from_crs(3857, 32648, always_xy=True).transform(x, y)
    expected = BOX.affine @ (column + 0.5, row + 0.5)
    assert np.hypot(cell[0] - expected[0], cell[1] - expected[1]) < 60  # less than a cell of 90 m


def test_signal_outside_the_planned_area_is_not_painted():
    pictures = web_pictures(part(np.full(BOX.shape, -70, np.float32), inside=np.zeros(BOX.shape, bool)))
    with Image.open(io.BytesIO(pictures.after)) as image:
        assert not np.asarray(image).any()


def test_the_geotiff_is_cloud_optimised_and_keeps_tenths_of_the_median_and_what_is_exceeded_around_it(tmp_path):
    signal = np.linspace(-140, -60, BOX.shape[0] * BOX.shape[1], dtype=np.float32).reshape(BOX.shape)
    signal[:5] = np.nan
    write_rsrp(tmp_path / "a.tif", part(signal), signal, {"SCENARIO": "Tỉnh Mẫu"})
    with rasterio.open(tmp_path / "a.tif") as file:
        median, p90, p10 = file.read()
        np.testing.assert_allclose(median, signal, atol=0.0501)
        # 1.2816 standard deviations, of which the sample has 8 dB
        np.testing.assert_allclose(p90, signal - 10.2524, atol=0.0502)
        np.testing.assert_allclose(p10, signal + 10.2524, atol=0.0502)
        assert [text.rsplit(", ", 1)[1] for text in file.descriptions] == ["P50", "P90", "P10"]
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.transform == BOX.affine
        assert file.crs == rasterio.CRS.from_epsg(32648)
        assert np.isnan(file.nodata)
        assert file.units == ("dBm",) * 3
        assert file.tags()["SCENARIO"] == "Tỉnh Mẫu"
