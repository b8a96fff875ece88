"""The whole input of a run: laid on the grids, nothing silently lost, every fault told at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from phusong.data_sources.errors import InputFaults
from phusong.data_sources.placing import rows_and_columns
from phusong.data_sources.reading import LayerSource, Sources, check_area, examine_area, read_area, rejected_rows
from phusong.data_sources.refinement import slope_deg

BOUNDS = (105.40, 21.50, 105.50, 21.58)


def write_raster(path: Path, function, step, west, south, east, north) -> Path:
    h, w = round((north - south) / step), round((east - west) / step)
    lon, lat = np.meshgrid(west + step * (np.arange(w) + 0.5), north - step * (np.arange(h) + 0.5))
    with rasterio.open(
        path, "w", driver="GTiff", width=w, height=h, count=1, dtype="float32", crs="EPSG:4326",
        transform=Affine(step, 0, west, 0, -step, north),
    ) as file:  # fmt: skip
        file.write(function(lon, lat).astype(np.float32), 1)
    return path


def write_layer(path: Path, shapes, **columns) -> LayerSource:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4326).to_file(path)
    return LayerSource(path)


@pytest.fixture
def scene(tmp_path) -> Sources:
    """8 x 9 km of gentle ground: 4 hamlets inside, 1 outside, roads that leave and come back, 2 communes."""
    folder = tmp_path / "Tỉnh Tuyên Quang" / "dữ liệu 2026"
    folder.mkdir(parents=True)
    dem = write_raster(
        folder / "địa hình.tif", lambda lon, lat: 200 + 3e3 * (lon - 105.4) + 50 * np.sin(300 * lat), 1 / 1200,
        105.35, 21.45, 105.55, 21.63,
    )  # fmt: skip
    people = write_raster(
        folder / "mật độ dân số.tif", lambda lon, lat: 150 + 0 * lon, 1 / 120, 105.35, 21.45, 105.49, 21.63
    )
    hamlets = write_layer(
        folder / "thôn.gpkg",
        shapely.points([(105.42, 21.52), (105.46, 21.56), (105.44, 21.54), (105.495, 21.57), (105.60, 21.52)]),
        hamlet_id=["H1", "H2", "H3", "H4", "H5"],
        name=["Thôn Một", "Thôn Hai", "Thôn Ba", "Thôn Bốn", "Thôn Năm"],
        population=[330, 410, 120, 90, 200],
        commune_code=["02500", None, None, "02501", "02500"],
    )
    sites = folder / "trạm.csv"
    sites.write_text(
        "site_id,operator,lon,lat,antenna_height_m,technology,band\n"
        "T1,Viettel,105.41,21.51,42,4G,B3\nT1,Viettel,105.41,21.51,42,5G,n41\n"
        "T2,VNPT,105.52,21.54,36,4G,B3\n"  # in the margin
        "T3,VNPT,106.90,21.54,36,4G,B3\n",  # far away
        encoding="utf-8",
    )
    roads = write_layer(
        folder / "đường.gpkg",
        [
            shapely.LineString([(105.41, 21.51), (105.47, 21.57)]),
            shapely.LineString([(105.45, 21.55), (105.45, 21.75), (105.46, 21.75), (105.46, 21.55)]),
            shapely.LineString([(106.0, 21.0), (106.1, 21.0)]),
        ],
        road_id=["D1", "D2", "D3"],
    )
    communes = write_layer(
        folder / "xã.gpkg",
        [shapely.box(105.3, 21.4, 105.45, 21.7), shapely.box(105.45, 21.4, 105.7, 21.7)],
        commune_code=["02500", "02501"],
        commune=["Xã Đông", "Xã Tây"],
    )
    return Sources(
        terrain=(dem,),
        population=people,
        population_units=None,
        layers={"hamlets": hamlets, "sectors": LayerSource(sites), "roads": roads, "communes": communes},
        bounds=(BOUNDS,),
        boundary=None,
        cell_m=90.0,
        crs="auto",
        margin_km=3.0,
        refine=True,
    )


def said(findings, level=None):
    return " | ".join(f"{f.what} {f.where}" for f in findings if level is None or f.level == level)


def test_everything_lies_on_one_grid_and_nothing_is_silently_lost(scene):
    steps = []
    area = read_area(scene, progress=lambda step, done, total: steps.append((step, done, total)))
    (part,) = area.parts
    assert part.name == "main"
    assert part.height_m.shape == part.inside.shape == part.people.shape == part.box.shape
    assert part.cell_m == 90.0
    assert 300 < part.scale_error_ppm < 401
    assert part.inside.sum() * 0.0081 == pytest.approx(10.352 * 8.858, rel=0.01)  # km, by hand at 21.54 N

    layers = part.layers
    assert list(layers.hamlets["hamlet_id"]) == ["H1", "H2", "H3", "H4"]
    assert list(layers.hamlets["commune_code"]) == ["02500", "02501", "02500", "02501"]
    assert list(layers.hamlets["commune"]) == [None, "Xã Tây", "Xã Đông", None]
    assert list(layers.sectors["site_id"]) == ["T1", "T1", "T2"]
    assert sorted(layers.roads["road_id"]) == ["D1", "D2", "D2/2"]
    assert (layers.roads.geometry.geom_type == "LineString").all()
    assert layers.roads.within(shapely.box(*part.box.boundingbox.bbox).buffer(0.01)).all()
    assert len(layers.communes) == 2
    assert layers.pops.empty
    assert layers.pops.crs == layers.hamlets.crs

    rc = np.rint(rows_and_columns(layers.hamlets, part.box)).astype(int)
    assert part.inside[rc[:, 0], rc[:, 1]].all()
    assert (part.people[rc[:3, 0], rc[:3, 1]] > 8).all()  # drawn from 1.2 a cell

    told = said(area.findings)
    assert "1 / 5 ngoài vùng" in told
    assert "1 / 4 ngoài vùng" in told
    assert "1 / 3 ngoài vùng" in told
    assert "2 thôn lấy mã xã" in told
    assert "1 thôn ngoài raster dân số" in said(area.findings, "warning")
    assert "950 người" in told
    assert str(scene.population.parent) not in told  # a run's notes are the same on every machine
    assert steps[-1][1] == steps[-1][2]

    roles = {file.role: file for file in area.files}
    assert set(roles) == {"terrain", "population", "hamlets", "sectors", "roads", "communes"}
    data = scene.terrain[0].read_bytes()
    assert roles["terrain"].sha256 == hashlib.sha256(data).hexdigest()
    assert roles["terrain"].bytes == len(data)
    assert check_area(scene) == area.findings


def test_refinement_is_a_choice_and_keeps_the_total(scene):
    refined, plain = read_area(scene).parts[0].people, read_area(replace(scene, refine=False)).parts[0].people
    assert refined.sum(dtype=np.float64) == pytest.approx(plain.sum(dtype=np.float64), rel=1e-6)
    assert (refined >= 4).sum() > 5 * (plain >= 4).sum()
    fine = read_area(replace(scene, cell_m=400.0))
    assert "gần bằng lưới" in said(fine.findings, "note")


def test_every_fault_is_told_at_once(scene, tmp_path):
    swapped = tmp_path / "swapped.csv"
    swapped.write_text("pop_id,lon,lat\nP1,21.5,105.4\nP2,21.6,105.5\n")
    broken = replace(
        scene,
        terrain=(tmp_path / "no.tif",),
        population_units="per hectare",
        layers={
            **scene.layers,
            "pops": LayerSource(swapped),
            "facilities": LayerSource(tmp_path / "no.gpkg"),
            "roads": replace(scene.layers["roads"], columns={"no_such": "x"}),
        },
    )
    with pytest.raises(InputFaults) as caught:
        read_area(broken)
    errors = [finding for finding in caught.value.findings if finding.level == "error"]
    assert len(errors) == 5
    assert all(error.mend and " / " in error.mend for error in errors)
    assert caught.value.what.startswith("5 ")
    assert check_area(broken) == caught.value.findings


def test_hamlets_all_elsewhere_are_an_error(scene):
    with pytest.raises(InputFaults) as caught:
        read_area(replace(scene, bounds=((105.36, 21.46, 105.38, 21.48),)))
    assert "5 / 5 ngoài vùng" in said(caught.value.findings, "error")


def test_bounds_latitude_first_are_told_with_the_other_faults(scene, tmp_path):
    findings = check_area(replace(scene, bounds=((21.5, 105.4, 21.58, 105.5),), population=tmp_path / "no.tif"))
    assert "swapped" in said(findings, "error")
    assert "no.tif" in said(findings, "error")


def test_without_bounds_the_area_is_the_ground_around_the_hamlets(scene):
    (part,) = read_area(replace(scene, bounds=None, margin_km=0.0)).parts
    assert len(part.layers.hamlets) == 4  # the fifth lies beyond the terrain
    assert np.isfinite(part.height_m[part.inside]).all()


def test_a_boundary_bounds_the_plan_and_boxes_may_cut_it(scene, tmp_path):
    path = tmp_path / "ranh giới.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(105.43, 21.53).buffer(0.02)], crs=4326).to_file(path)
    bounded = replace(scene, bounds=None, boundary=path)
    (part,) = read_area(bounded).parts
    assert list(part.layers.hamlets["hamlet_id"]) == ["H1", "H3"]
    assert part.inside.sum() * 0.0081 == pytest.approx(np.pi * 2.072 * 2.215, rel=0.01)
    (cut,) = read_area(replace(bounded, bounds=((105.40, 21.50, 105.43, 21.60),))).parts
    assert cut.inside.sum() == pytest.approx(part.inside.sum() / 2, rel=0.03)


def test_far_parts_have_their_own_grids(scene):
    island = (106.00, 21.50, 106.05, 21.55)
    dem = scene.terrain[0].parent / "đảo.tif"
    write_raster(dem, lambda lon, lat: 20 + 0 * lon, 1 / 1200, 105.9, 21.4, 106.15, 21.65)
    wide = write_raster(scene.population, lambda lon, lat: 150 + 0 * lon, 1 / 120, 105.3, 21.3, 106.3, 21.7)
    # Nearer than 50 km: one grid; the gap between is no part of the plan.
    (one,) = read_area(
        replace(scene, bounds=(BOUNDS, (105.8, 21.5, 105.85, 21.55)), population=wide, terrain=(dem.parent,))
    ).parts
    assert one.inside.mean() < 0.3
    main, far = read_area(
        replace(scene, bounds=(BOUNDS, island), population=wide, terrain=(scene.terrain[0], dem))
    ).parts
    assert (main.name, far.name) == ("main", "part-2")
    assert len(main.layers.hamlets) == 4
    assert far.layers.hamlets.empty
    assert np.isfinite(far.height_m[far.inside]).all()


def test_rejected_rows_come_back_by_layer(scene):
    path = scene.layers["sectors"].path
    path.write_text(path.read_text(encoding="utf-8") + "T4,VNPT,105.45,21.54,cao,4G,B3\n", encoding="utf-8")
    rejected = rejected_rows(scene)
    assert list(rejected) == ["sectors"]
    assert list(rejected["sectors"]["row"]) == [6]
    assert any(finding.level == "rejected" for finding in read_area(scene).findings)


def test_a_row_with_two_faults_is_one_rejected_row(scene, tmp_path):
    path = scene.layers["sectors"].path
    path.write_text(path.read_text(encoding="utf-8") + "T4,VNPT,105.45,21.54,cao,9G,B3\n", encoding="utf-8")
    whole = gpd.GeoDataFrame(geometry=[shapely.box(*BOUNDS), None], crs=4326)
    whole.to_file(tmp_path / "ranh.gpkg")
    findings, rejected = examine_area(replace(scene, boundary=tmp_path / "ranh.gpkg"))
    assert sum(finding.level == "rejected" for finding in findings) == 3
    assert {kind: len(rows) for kind, rows in rejected.items()} == {"sectors": 1, "boundary": 1}


def test_the_scene_of_tam_dao(shared):
    folder = shared("data/tam-dao/dem.tif").parent
    files = {
        "hamlets": "hamlets_synthetic.gpkg", "sectors": "sites_synthetic.csv", "roads": "roads.parquet",
        "pops": "fibre_pops_synthetic.gpkg", "power_lines": "power_lines.gpkg",
        "facilities": "public_facilities.gpkg", "communes": "communes.gpkg",
    }  # fmt: skip
    sources = Sources(
        (folder / "dem.tif",), folder / "population_density_per_km2.tif", None,
        {kind: LayerSource(folder / name) for kind, name in files.items()},
        ((105.30, 21.40, 105.75, 21.75),), None, 90.0, "EPSG:3405", 0.0, True,
    )  # fmt: skip
    area = read_area(sources)
    (part,) = area.parts
    assert len(part.layers.hamlets) == 499  # one lies west of the box
    assert len(part.layers.sectors) == 102
    assert part.people[part.inside].sum(dtype=np.float64) == pytest.approx(481.2e3, rel=1e-3)
    assert np.isfinite(part.height_m[part.inside]).mean() > 0.999
    assert part.people[slope_deg(part.height_m, 90.0) > 35.0].sum() < 1.0
    assert "44%" in said(area.findings, "note")
    assert len(area.files) == 9
