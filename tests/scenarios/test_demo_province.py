"""The demo province holds what it promises: land, people, roads, networks and shares of low-signal hamlets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from phusong.coverage.sweep import signal_at
from phusong.coverage.terrain import Terrain
from phusong.data_sources.area import Area, Part
from phusong.data_sources.reading import read_area
from phusong.scenarios.demand import build_demand, hamlet_states
from phusong.scenarios.demo.write import make_province
from phusong.scenarios.radio import existing_network
from phusong.scenarios.scenario import Scenario, read_scenario
from phusong.scenarios.service import LOM, SERVED, STATE_NAMES, TRANG, layer_levels_dbm, served_by_layer


@dataclass(frozen=True)
class Province:
    folder: Path
    scenario: Scenario
    area: Area
    height_m: NDArray[np.float64]
    slope_deg: NDArray[np.float64]

    @property
    def part(self) -> Part:
        return self.area.parts[0]

    def layer(self, name: str) -> gpd.GeoDataFrame:
        return gpd.read_file(self.folder / f"{name}.gpkg")


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    path = make_province(tmp_path_factory.mktemp("demo") / "tỉnh mô phỏng", 1)
    scenario, folder = read_scenario(path)
    with rasterio.open(folder / "dem.tif") as dem:
        assert dem.res == (90.0, 90.0)
        height_m = dem.read(1).astype(float)
    down, right = np.gradient(height_m, 90.0)
    slope_deg = np.degrees(np.arctan(np.hypot(down, right)))
    return Province(folder, scenario, read_area(scenario.sources(folder)), height_m, slope_deg)


@pytest.fixture(scope="module")
def state(province: Province) -> NDArray[np.uint8]:
    """State of each hamlet from the files, by the physics and the scenario's rule."""
    part, radio, service = province.part, province.scenario.radio, province.scenario.service
    network, left_out = existing_network(part.layers.sectors, part.box, radio)
    assert not left_out
    demand = build_demand(part, service)
    rsrp_dbm, _ = signal_at(
        Terrain(part.height_m, part.cell_m), network.site_rc, network.sectors, len(network.layers), demand.cell_rc,
        rx_height_m=radio.rx_height_m, range_m=radio.range_km * 1000, model=radio.model,
    )  # fmt: skip
    served = served_by_layer(rsrp_dbm, layer_levels_dbm(network.layers, radio, service)).any(axis=0)
    return hamlet_states(demand, served)


def test_the_files_are_read_without_a_fault(province: Province) -> None:
    assert [f for f in province.area.findings if f.level != "note"] == []
    assert len(province.area.parts) == 1


def test_everything_says_that_it_is_synthetic(province: Province) -> None:
    with_files = {"terrain", "population", *province.scenario.sources(province.folder).layers}
    assert set(province.scenario.data.synthetic) == with_files
    for path in province.folder.glob("*.tif"):
        with rasterio.open(path) as raster:
            assert raster.tags()["synthetic"] == "yes"
    for path in province.folder.glob("*.gpkg"):
        assert "synthetic" in pyogrio.read_info(path)["layer_metadata"]["DESCRIPTION"]
    assert pd.read_csv(province.folder / "sites.csv")["note"].str.contains("synthetic").all()
    assert "mô phỏng" in (province.folder / "demo.toml").read_text(encoding="utf-8")


def test_land(province: Province) -> None:
    assert province.part.inside.sum() * 0.0081 >= 3_000
    assert province.layer("communes").area.sum() / 1e6 >= 3_000
    percentiles = np.percentile(province.slope_deg, [50, 75, 90, 95])
    np.testing.assert_allclose(percentiles, [16.5, 23.9, 30.2, 34.0], atol=1.5)
    assert 1_000 < np.ptp(province.height_m) < 2_600


def test_hamlets_lie_in_valleys(province: Province) -> None:
    hamlets = province.part.layers.hamlets
    area_km2 = province.part.inside.sum() * 0.0081
    assert area_km2 / len(hamlets) == pytest.approx(3.6, rel=0.02)
    xy = shapely.get_coordinates(hamlets.geometry.to_numpy())
    assert np.median(cKDTree(xy).query(xy, k=2)[0][:, 1]) == pytest.approx(1_000, abs=120)

    people = hamlets["population"]
    assert people.median() == pytest.approx(330, rel=0.03)
    assert np.log(people).std() == pytest.approx(0.7, abs=0.05)
    assert people.between(40, 2_000).all()
    assert (people / hamlets["households"]).between(3, 7).mean() > 0.95

    row, col = _cells(province, xy)
    assert province.slope_deg[row, col].max() < 15
    below = province.height_m - ndimage.uniform_filter(province.height_m, 21)
    assert np.mean(below[row, col] < 0) > 0.7


def test_roads_reach_most_hamlets_on_easy_ground(province: Province) -> None:
    roads, hamlets = province.layer("roads"), province.part.layers.hamlets
    near = shapely.distance(hamlets.geometry.to_numpy(), shapely.union_all(roads.geometry.to_numpy())) < 60
    assert 0.9 <= near.mean() <= 0.97

    ends = np.array([(*line.coords[0], *line.coords[-1]) for line in roads.geometry])
    _, node = np.unique(np.round(ends.reshape(-1, 2), 3), axis=0, return_inverse=True)
    a, b = node.reshape(-1, 2).T
    size = node.max() + 1
    assert connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)[0] == 1

    main = roads[roads["road_class"] != "unclassified"]
    xy = shapely.get_coordinates(shapely.segmentize(main.geometry.to_numpy(), 90.0))
    row, col = _cells(province, xy)
    assert np.median(province.slope_deg[row, col]) < 0.7 * np.median(province.slope_deg)


def test_three_operators_stand_near_roads(province: Province) -> None:
    sectors = province.part.layers.sectors
    assert sectors["operator"].nunique() == 3
    technologies = sectors.groupby("site_id")["technology"].unique().map(set)
    assert all("4G" in has for has in technologies)
    assert 0.05 < np.mean(["5G" in has for has in technologies]) < 0.4
    roads = shapely.union_all(province.layer("roads").geometry.to_numpy())
    assert shapely.distance(sectors.geometry.to_numpy(), roads).max() < 1_000
    assert (sectors.groupby(["site_id", "operator", "band"]).size() == 3).all()


def test_shares_of_low_signal_hamlets(province: Province, state: NDArray[np.uint8]) -> None:
    assert np.mean(state == TRANG) == pytest.approx(0.06, abs=0.015)
    assert np.mean(state == LOM) == pytest.approx(0.12, abs=0.015)
    low = province.part.layers.hamlets["electricity"][state != SERVED]
    assert 0.07 <= np.mean(low == "none") <= 0.16


def test_the_official_list_mostly_agrees(province: Province, state: NDArray[np.uint8]) -> None:
    hamlets = province.part.layers.hamlets
    model = np.array(STATE_NAMES)[state]
    declared = hamlets["declared_state"].fillna("")
    low = state != SERVED
    assert 0.75 < np.mean(declared[low] == model[low]) < 0.95
    assert np.any(declared[low] == "")  # low-signal and on no list
    assert 0 < np.mean(declared[~low] != "") < 0.03  # listed in vain
    listed = declared != ""
    columns = ["declared_by", "declared_document", "declared_date", "assigned_operator", "deadline"]
    assert hamlets.loc[listed, columns].notna().all().all()
    assert hamlets.loc[~listed, columns].isna().all().all()


def test_lines_and_cables(province: Province) -> None:
    lines, hamlets = province.layer("power_lines"), province.part.layers.hamlets
    assert set(lines["voltage_kv"]) == {22.0, 35.0, 110.0, 220.0}
    distribution = shapely.union_all(lines.geometry[lines["voltage_kv"] <= 35].to_numpy())
    on_grid = hamlets.geometry[hamlets["electricity"] == "grid"].to_numpy()
    assert shapely.distance(on_grid, distribution).max() < 250
    routes = shapely.union_all(province.layer("fibre_routes").geometry.to_numpy())
    assert shapely.distance(province.layer("fibre_pops").geometry.to_numpy(), routes).max() < 250


def test_the_same_seed_gives_the_same_bytes(province: Province, tmp_path: Path) -> None:
    make_province(tmp_path, 1)
    written = {path.name: _sha256(path) for path in province.folder.iterdir()}
    assert {path.name: _sha256(path) for path in tmp_path.iterdir()} == written


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _cells(province: Province, xy: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    with rasterio.open(province.folder / "dem.tif") as dem:
        row, col = rasterio.transform.rowcol(dem.transform, xy[:, 0], xy[:, 1])
    return np.asarray(row, dtype=np.int64), np.asarray(col, dtype=np.int64)
