"""People: nobody lost on the way to the grid or in refinement; units believed only where the file is clear."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS, Geod, Transformer

from phusong.data_sources.errors import PopulationUnitUnknown, RasterNoOverlap
from phusong.data_sources.grid import outline, planning_grids, pyproj_crs
from phusong.data_sources.population import pixel_area_km2, read_population
from phusong.data_sources.rasters import Pixels
from phusong.data_sources.refinement import SettlementModel, refine_population, slope_deg

ARC30 = 1 / 120
WEST, NORTH = 105.0, 21.5
GEOD = Geod(ellps="WGS84")


def write(path: Path, values, step=ARC30, *, crs="EPSG:4326", west=WEST, north=NORTH, nodata=None, unit=None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    h, w = np.shape(values)
    with rasterio.open(
        path, "w", driver="GTiff", width=w, height=h, count=1, dtype="float32", crs=crs, nodata=nodata,
        transform=Affine(step, 0, west, 0, -step, north),
    ) as file:  # fmt: skip
        file.write(np.asarray(values, dtype=np.float32), 1)
        if unit:
            file.update_tags(units=unit)
    return path


def true_people(density, step, box):
    """People under the grid by cutting every pixel, with areas from geodesic polygons: slow and independent."""
    x, y = outline(box, step_m=50.0)
    ring = shapely.Polygon(np.column_stack(Transformer.from_crs(pyproj_crs(box), 4326, always_xy=True).transform(x, y)))
    people = 0.0
    for (row, column), value in np.ndenumerate(density):
        west, north = WEST + column * step, NORTH - row * step
        pixel = shapely.box(west, north - step, west + step, north)
        side = np.linspace(0, 1, 20)[:, None]
        corners = shapely.get_coordinates(pixel)
        dense = np.vstack([a + (b - a) * side for a, b in pairwise(corners)])
        area_km2 = abs(GEOD.polygon_area_perimeter(*dense.T)[0]) / 1e6
        people += value * area_km2 * pixel.intersection(ring).area / pixel.area
    return people


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32648", "EPSG:3405", "ESRI:54009"])
def test_pixel_areas_are_those_of_the_ellipsoid(crs):
    step = ARC30 if crs == "EPSG:4326" else 1000.0
    x, y = Transformer.from_crs(4326, CRS(crs), always_xy=True).transform(105.2, 21.4)
    pixels = Pixels(CRS(crs), Affine(step, 0, x, 0, -step, y), (40, 50))
    areas = np.broadcast_to(pixel_area_km2(pixels), pixels.shape)
    geodetic = pixels.crs.geodetic_crs
    ellipsoid = Geod(a=geodetic.ellipsoid.semi_major_metre, rf=geodetic.ellipsoid.inverse_flattening)
    side = np.linspace(0, 1, 30)
    for row, column in ((0, 0), (39, 49), (20, 7)):
        edge_column = column + np.concatenate([side, 1 + 0 * side, side[::-1], 0 * side])
        edge_row = row + np.concatenate([0 * side, side, 1 + 0 * side, side[::-1]])
        ring = Transformer.from_crs(pixels.crs, geodetic, always_xy=True).transform(*pixels.xy(edge_column, edge_row))
        true_km2 = abs(ellipsoid.polygon_area_perimeter(*ring)[0]) / 1e6
        assert areas[row, column] == pytest.approx(true_km2, rel=2e-7)


@settings(max_examples=12, deadline=None)
@given(
    density=arrays(np.float64, (7, 8), elements=st.sampled_from([0.0, 0.5, 30.0, 200.0, 5000.0])),
    west=st.floats(-0.02, 0.03), south=st.floats(-0.07, -0.02), size=st.floats(0.005, 0.06),
    cell_m=st.sampled_from([30.0, 90.0, 400.0, 2500.0]),
)  # fmt: skip
def test_nobody_is_lost_or_added_on_the_grid(tmp_path_factory, density, west, south, size, cell_m):
    density[3, 4] = 100.0
    path = write(tmp_path_factory.mktemp("dân số") / "mật độ.tif", density)
    (box,) = planning_grids([(WEST + west, NORTH + south, WEST + west + size, NORTH + south + size)], cell_m)
    read = read_population(path, box, "people_per_km2")
    expected = true_people(np.float32(density), ARC30, box)
    assert read.source_total == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert read.people.sum(dtype=np.float64) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert (read.people >= 0).all()


@pytest.mark.parametrize("pixel_m", [1000.0, 250.0, 100.0, 60.0, 25.0])
def test_counts_of_any_pixel_size_keep_their_total_and_place(tmp_path, pixel_m):
    n = round(6000 / pixel_m)
    counts = np.random.default_rng(1).gamma(0.5, 3.0, (n, n))
    counts[: n // 2] *= 4
    x, y = Transformer.from_crs(4326, "ESRI:54009", always_xy=True).transform(105.3, 21.5)
    path = write(tmp_path / "GHS_POP_E2020.tif", counts, pixel_m, crs="ESRI:54009", west=x, north=y)
    (box,) = planning_grids([(105.22, 21.40, 105.42, 21.52)], 90.0)
    read = read_population(path, box)
    assert read.unit == "people"
    assert read.people.sum(dtype=np.float64) == pytest.approx(np.float32(counts).sum(dtype=np.float64), rel=1e-6)
    by_pixel = np.bincount(read.source_cell[read.source_cell >= 0], read.people[read.source_cell >= 0])
    if pixel_m >= 360:  # four cells wide: every cell belongs to the pixel under its centre
        assert by_pixel[by_pixel > 0] == pytest.approx(np.float32(counts).ravel(), rel=1e-5)
    # The centre of mass stays within a tenth of a cell.
    h, w = box.shape
    row, column = np.mgrid[0:h, 0:w] + 0.5
    affine = box.affine
    mass = read.people.astype(np.float64)
    row, column = np.average(row, weights=mass), np.average(column, weights=mass)
    centre = (affine.a * column + affine.c, affine.e * row + affine.f)
    there = np.arange(n) + 0.5
    true = Transformer.from_crs("ESRI:54009", pyproj_crs(box), always_xy=True).transform(
        x + pixel_m * np.average(there, weights=counts.sum(axis=0)),
        y - pixel_m * np.average(there, weights=counts.sum(axis=1)),
    )
    assert np.hypot(*np.subtract(centre, true)) < (9.0 if pixel_m >= 60 else 3.0)


def test_pixels_without_people_are_counted(tmp_path):
    density = np.full((6, 6), 100.0)
    density[0, :3], density[1, 1] = -99999.0, -4.0
    path = write(tmp_path / "density.tif", density, nodata=-99999.0)
    (box,) = planning_grids([(WEST - 0.01, NORTH - 0.06, WEST + 0.06, NORTH + 0.01)], 90.0)
    read = read_population(path, box)
    said = " ".join(finding.what for finding in read.findings)
    assert "3 điểm ảnh không có giá trị" in said
    assert "1 điểm ảnh âm" in said
    assert read.source_total == pytest.approx(32 * 100 * 0.7976, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "unit_tag", "level", "unit"),
    [
        ("vnm_pd_2020_1km_UNadj", None, 200.0, "people_per_km2"),
        ("mật độ dân số 2020", None, 200.0, "people_per_km2"),
        ("tinh", "people per km2", 200.0, "people_per_km2"),
        ("tinh", "người/km²", 200.0, "people_per_km2"),
        ("vnm_ppp_2020_UNadj", None, 150.0, "people"),
        ("tinh", "people", 150.0, "people"),
    ],
)
def test_the_unit_is_taken_from_the_file(tmp_path, name, unit_tag, level, unit):
    path = write(tmp_path / f"{name}.tif", np.full((6, 6), level), unit=unit_tag)
    (box,) = planning_grids([(WEST + 0.01, NORTH - 0.03, WEST + 0.03, NORTH - 0.01)], 90.0)
    assert read_population(path, box).unit == unit


@pytest.mark.parametrize(
    ("name", "unit_tag", "level", "declared", "said"),
    [
        ("dân số tỉnh", None, 200.0, None, 'units = "people_per_km2"  (or "people")'),
        ("density", "people", 200.0, None, "contradicts"),
        ("ppp", None, 90_000.0, None, "deny"),
        ("density", None, 0.001, None, "deny"),
        ("density", None, 200.0, "per hectare", "per hectare"),
    ],
)
def test_a_doubtful_unit_is_asked_for(tmp_path, name, unit_tag, level, declared, said):
    path = write(tmp_path / f"{name}.tif", np.full((6, 6), level), unit=unit_tag)
    (box,) = planning_grids([(WEST + 0.01, NORTH - 0.03, WEST + 0.03, NORTH - 0.01)], 90.0)
    with pytest.raises(PopulationUnitUnknown) as caught:
        read_population(path, box, declared)
    assert said in str(caught.value)


def test_a_declared_unit_wins_but_an_unbelievable_one_is_doubted(tmp_path):
    path = write(tmp_path / "ppp.tif", np.full((6, 6), 90_000.0))
    (box,) = planning_grids([(WEST + 0.01, NORTH - 0.03, WEST + 0.03, NORTH - 0.01)], 90.0)
    assert [f.level for f in read_population(path, box, "people").findings] == ["warning"]


def test_a_raster_elsewhere_is_refused(tmp_path):
    (box,) = planning_grids([(107.0, 12.0, 107.1, 12.1)], 90.0)
    with pytest.raises(RasterNoOverlap):
        read_population(write(tmp_path / "density.tif", np.ones((6, 6))), box)


@pytest.mark.parametrize(("scene", "people"), [("tam-dao", 484e3), ("n21e105", 8.54e6)])
def test_the_scenes_hold_their_people(shared, scene, people):
    path = shared(f"data/{scene}/population_density_per_km2.tif")
    (box,) = planning_grids([(104.9, 20.9, 106.1, 22.1)], 90.0)
    read = read_population(path, box)
    with rasterio.open(path) as file:
        density = file.read(1, masked=True).filled(0.0).astype(np.float64)
        south = file.transform.f + file.transform.e * (np.arange(file.height) + 0.5)
        side = np.radians(file.transform.a)
        a, e2 = 6378137.0, 0.00669437999014  # WGS 84: area from the radii of curvature at each row's middle
        w2 = 1 - e2 * np.sin(np.radians(south)) ** 2
        area_km2 = a**2 * (1 - e2) / w2**2 * np.cos(np.radians(south)) * side**2 / 1e6
    assert read.people.sum(dtype=np.float64) == pytest.approx((density * area_km2[:, None]).sum(), rel=1e-6)
    assert read.source_total == pytest.approx(people, rel=0.004)


# ---- refinement


def _sums(people, source_cell):
    return np.bincount(source_cell.ravel() + 1, people.ravel().astype(np.float64))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), hamlets=st.integers(0, 12), rough=st.sampled_from([0.0, 5.0, 60.0, 400.0]))
def test_refinement_keeps_every_pixel_and_shuns_cliffs_and_water(seed, hamlets, rough):
    random = np.random.default_rng(seed)
    height_m = random.normal(500, rough, (44, 50)).astype(np.float32)
    height_m[random.random(height_m.shape) < 0.02] = np.nan
    source_cell = (np.arange(44)[:, None] // 11 * 5 + np.arange(50) // 10).astype(np.int32)
    source_cell[:, 48:] = -1
    per_pixel = random.gamma(0.5, 200, 20)
    people = np.where(source_cell >= 0, per_pixel[source_cell] / 110, 0.25).astype(np.float32)
    water, roads = random.random((2, *people.shape)) < [[[0.2]], [[0.05]]]
    rc = random.uniform(-3, 52, (hamlets, 2))
    lived = np.where(random.random(hamlets) < 0.2, np.nan, random.lognormal(5.8, 0.7, hamlets))
    refined = refine_population(people, source_cell, height_m, 90.0, rc, lived, roads=roads, water=water)
    assert (refined >= 0).all()
    assert _sums(refined, source_cell) == pytest.approx(_sums(people, source_cell), rel=1e-6)
    np.testing.assert_array_equal(refined[source_cell < 0], people[source_cell < 0])
    bad = water | (slope_deg(height_m, 90.0) > 35.0)
    some_good = np.bincount(source_cell.ravel() + 1, (~bad).ravel().astype(float))[source_cell + 1] > 0
    if rough:  # level ground without relief is itself taken for water
        assert refined[bad & some_good & (source_cell >= 0)].sum() == 0.0


def _tilted(shape):
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (100 + 2.0 * row + 1.0 * column).astype(np.float32)


def _pixels_of_1_km(shape, cells=11):
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (row // cells * (-(-shape[1] // cells)) + column // cells).astype(np.int32)


@pytest.mark.parametrize("density_per_km2", [150.0, 330.0, 600.0])
def test_a_median_hamlet_looks_like_a_settlement(density_per_km2):
    shape = (66, 66)
    source_cell = _pixels_of_1_km(shape)
    people = np.full(shape, density_per_km2 * 0.0081, dtype=np.float32)
    refined = refine_population(people, source_cell, _tilted(shape), 90.0, np.array([[27.3, 38.4]]), np.array([330.0]))
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]]
    near = np.hypot(row - 27.3, column - 38.4) * 90 <= 400
    assert 10 <= (refined[near] >= 4.0).sum() <= 40
    assert np.unravel_index(refined.argmax(), shape) == (27, 38)
    assert refined.max() < 45  # 5,500 people per km2: a village, no tower block


def test_hamlets_draw_by_their_size_and_roads_draw_the_rest():
    shape = (33, 66)
    source_cell = _pixels_of_1_km(shape)
    people = np.full(shape, 4.0, dtype=np.float32)
    roads = np.zeros(shape, dtype=bool)
    roads[27] = True
    rc, lived = np.array([[5.0, 5.0], [5.0, 38.0]]), np.array([100.0, 900.0])
    refined = refine_population(people, source_cell, _tilted(shape), 90.0, rc, lived, roads=roads)
    small, large = refined[:11, :11], refined[:11, 33:44]
    assert small[5, 5] > 2 * people[0, 0]
    assert large[3:8, 3:8].sum() > 1.3 * small[3:8, 3:8].sum()
    assert refined[27].mean() > 1.8 * refined[32].mean()


def test_lakes_are_flat_and_empty_except_by_the_shore_of_a_hamlet():
    shape = (66, 66)
    height_m = _tilted(shape)
    height_m[20:50, 20:50] = 130.0
    people = np.full(shape, 3.0, dtype=np.float32)
    rc = np.array([[35.0, 21.0]])
    refined = refine_population(people, _pixels_of_1_km(shape), height_m, 90.0, rc, np.array([300.0]))
    lake = np.zeros(shape, dtype=bool)
    lake[22:48, 44:48] = lake[44:48, 27:48] = True  # not the pixels all of water, which keep their people
    assert refined[lake].sum() == 0.0
    assert refined[35, 21] > 4.0


@pytest.mark.parametrize("scene", ["tam-dao"])
def test_hamlets_of_the_scene_look_like_settlements(shared, scene):
    import geopandas as gpd

    from phusong.data_sources.terrain import read_terrain

    (box,) = planning_grids([(105.30, 21.40, 105.75, 21.75)], 90.0)
    read = read_population(shared(f"data/{scene}/population_density_per_km2.tif"), box)
    height_m = read_terrain([shared(f"data/{scene}/dem.tif")], box).height_m
    hamlets = gpd.read_file(shared(f"data/{scene}/hamlets_synthetic.gpkg")).to_crs(box.crs.to_wkt())
    affine = box.affine
    rc = np.column_stack(
        [(hamlets.geometry.y - affine.f) / affine.e - 0.5, (hamlets.geometry.x - affine.c) / affine.a - 0.5]
    )
    refined = refine_population(
        read.people, read.source_cell, height_m, 90.0, rc, hamlets["population"].to_numpy(float)
    )
    totals = _sums(read.people, read.source_cell)
    assert _sums(refined, read.source_cell) == pytest.approx(totals, rel=1e-6, abs=1e-4)
    row, column = np.mgrid[0 : box.shape[0], 0 : box.shape[1]]
    cells = [
        (refined[(np.hypot(row - r, column - c) <= 4.0)] >= 4.0).sum()
        for (r, c), lived in zip(rc, hamlets["population"], strict=True)
        if 280 <= lived <= 380
    ]
    assert 10 <= np.median(cells) <= 30
    assert refined[slope_deg(height_m, 90.0) > SettlementModel().steepest_deg].sum() < 1.0
