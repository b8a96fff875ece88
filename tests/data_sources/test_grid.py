"""Planning grids: where they lie, how true their distances are, how parts are joined."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from phusong.data_sources.errors import BoundsInvalid, CrsUnsuitable, GridTooLarge
from phusong.data_sources.grid import cells_inside, merge_near, planning_grids, pyproj_crs, scale_error_ppm

TAM_DAO = (105.30, 21.40, 105.75, 21.75)
CON_DAO = (106.52, 8.62, 106.75, 8.80)
SOC_TRANG = (105.6, 9.3, 106.3, 9.9)


@pytest.mark.parametrize("crs", ["auto", "EPSG:3405", "EPSG:5897", "EPSG:9209", "EPSG:9210"])
def test_distances_on_the_grid_err_by_no_more_than_it_says(crs):
    (box,) = planning_grids([TAM_DAO], 90.0, crs, margin_km=5.0)
    grid_crs = pyproj_crs(box)
    to_degrees = Transformer.from_crs(grid_crs, grid_crs.geodetic_crs, always_xy=True)
    left, bottom, right, top = box.boundingbox.bbox
    random = np.random.default_rng(1)
    x, y = random.uniform(left, right - 100, 300), random.uniform(bottom, top - 100, 300)
    turn = random.uniform(0, np.pi, 300)
    start, end = to_degrees.transform(x, y), to_degrees.transform(x + 100 * np.cos(turn), y + 100 * np.sin(turn))
    ellipsoid = grid_crs.ellipsoid
    geod = Geod(a=ellipsoid.semi_major_metre, rf=ellipsoid.inverse_flattening)
    _, _, true_m = geod.inv(*start, *end)
    error_ppm = np.abs(100.0 / np.asarray(true_m) - 1.0) * 1e6
    assert error_ppm.max() <= scale_error_ppm(box) + 0.1
    assert error_ppm.max() >= 0.95 * scale_error_ppm(box)


def test_scale_at_the_central_meridian_is_that_of_the_zone():
    (utm,) = planning_grids([(104.99, 21.0, 105.01, 21.02)], 90.0, "EPSG:3405")
    (tm3,) = planning_grids([(105.49, 21.0, 105.51, 21.02)], 90.0, "EPSG:9209")
    assert scale_error_ppm(utm) == pytest.approx(400.0, abs=0.1)  # k0 = 0.9996
    assert scale_error_ppm(tm3) == pytest.approx(100.0, abs=0.1)  # k0 = 0.9999


def test_zone_follows_the_centre_of_each_part():
    mainland, island = planning_grids([TAM_DAO, (111.9, 8.5, 112.1, 8.7)], 90.0)
    assert [pyproj_crs(box).to_epsg() for box in (mainland, island)] == [32648, 32649]


@settings(max_examples=30, deadline=None)
@given(
    west=st.floats(102.5, 108.0), south=st.floats(8.5, 22.5), size=st.floats(0.02, 0.4),
    cell_m=st.sampled_from([30.0, 90.0, 250.0]), margin_km=st.floats(0, 20),
)  # fmt: skip
def test_grid_is_aligned_and_covers_the_box_and_its_margin(west, south, size, cell_m, margin_km):
    bounds = (west, south, west + size, south + size)
    (box,) = planning_grids([bounds], cell_m, margin_km=margin_km)
    assert (box.affine.a, box.affine.e) == (cell_m, -cell_m)
    assert box.affine.c % cell_m == box.affine.f % cell_m == 0.0
    to_grid = Transformer.from_crs(4326, pyproj_crs(box), always_xy=True)
    left, bottom, right, top = to_grid.transform_bounds(*bounds, densify_pts=21)
    around = np.array([left, bottom, -right, -top]) - np.array([1, 1, -1, -1]) * box.boundingbox.bbox
    assert (around >= 1000 * margin_km - 0.01).all()
    assert (around <= 1000 * margin_km + cell_m + 1.0).all()


def test_far_parts_have_their_own_grids_and_near_ones_share():
    assert len(planning_grids([CON_DAO, SOC_TRANG], 90.0)) == 2
    assert len(planning_grids([CON_DAO, SOC_TRANG], 90.0, margin_km=30.0)) == 1  # margins would overlap
    assert len(planning_grids([TAM_DAO, (106.0, 21.4, 106.2, 21.6)], 90.0)) == 1


@settings(max_examples=50, deadline=None)
@given(corners=st.lists(st.tuples(st.floats(102, 112), st.floats(8, 23)), min_size=1, max_size=12))
def test_joined_boxes_are_far_apart_and_lose_nothing(corners):
    boxes = [(x, y, x + 0.1, y + 0.1) for x, y in corners]
    parts = [shapely.box(*part) for part in merge_near(boxes, 50.0)]
    assert all(any(part.covers(shapely.box(*box)) for part in parts) for box in boxes)
    assert all(a.distance(b) > 0.4 for i, a in enumerate(parts) for b in parts[:i])


def test_cells_inside_follow_a_polygon_to_half_a_cell():
    ring = shapely.Point(105.5, 21.5).buffer(0.1)
    (box,) = planning_grids([ring.bounds], 90.0)
    area_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(ring)
    assert cells_inside(box, ring).sum() * 90.0**2 == pytest.approx(abs(area_m2) * (1 - 2 * 0.00038), rel=1e-3)


@pytest.mark.parametrize(
    ("bounds", "crs", "error", "said"),
    [
        (TAM_DAO, "EPSG:4326", CrsUnsuitable, "EPSG:3405"),
        (TAM_DAO, "EPSG:3857", CrsUnsuitable, "7.7 %"),
        (TAM_DAO, "EPSG:2263", CrsUnsuitable, "mét"),
        (TAM_DAO, "EPSG:999999", CrsUnsuitable, "EPSG:32648"),
        (TAM_DAO, "VN2000", CrsUnsuitable, "9205-9218"),
        ((21.40, 105.30, 21.75, 105.75), "auto", BoundsInvalid, "swapped"),
        ((105.75, 21.40, 105.30, 21.75), "auto", BoundsInvalid, "west < east"),
        ((521010.0, 2415420.0, 580050.0, 2482200.0), "auto", BoundsInvalid, "degrees"),
        ((105.0, float("nan"), 106.0, 22.0), "auto", BoundsInvalid, "number"),
        ((95.0, -10.0, 105.0, 25.0), "auto", GridTooLarge, "cells"),
    ],
)
def test_what_cannot_be_gridded_says_why_and_what_else_to_take(bounds, crs, error, said):
    with pytest.raises(error) as caught:
        planning_grids([bounds], 90.0, crs)
    assert said in str(caught.value)


def test_vn2000_and_wgs84_grids_cover_the_same_ground():
    # The two datums lie about 200 m apart; a grid that took one for the other would miss the box by that.
    (vn2000,), (utm,) = planning_grids([TAM_DAO], 90.0, "EPSG:3405"), planning_grids([TAM_DAO], 90.0)
    shift = np.array(vn2000.boundingbox.bbox) - np.array(utm.boundingbox.bbox)
    assert 100.0 < np.abs(shift).max() < 500.0
    back = Transformer.from_crs(CRS("EPSG:3405"), 4326, always_xy=True).transform_bounds(*vn2000.boundingbox.bbox)
    assert np.array(back) == pytest.approx(np.array(TAM_DAO), abs=0.006)
