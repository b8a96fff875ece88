"""The synthetic layers as ordinary files, each marked as made up; equal layers give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod, Transformer

from phusong.scenarios.demo.names import PROVINCE
from phusong.scenarios.demo.terrain import CRS, Ground

MARK = "Dữ liệu mô phỏng, không có thật / synthetic data, no real place"
WRITTEN = "2026-01-01T00:00:00.000Z"  # the date that every GeoPackage bears, whatever the day
PIXEL_DEG = 1.0 / 120.0  # of the population raster, about 0.9 km
LISTED_SHARE = 0.97  # of the raster's people, those that the hamlet list counts
POPULATION_NOISE = 0.1  # a modelled raster never quite agrees with a list
NO_HEIGHT = -32768
DEMO_TOML = """\
# {mark}
# Tỉnh, xã, thôn, trạm, đường, điện đều do máy tạo từ hạt giống {seed}; nằm trên mặt biển Vịnh Bắc Bộ để không ai nhầm.
# Made by machine from seed {seed}; it lies on the open sea of the Gulf of Tonkin, so that nobody can take it for real.

[scenario]
name = "{province} (mô phỏng, hạt giống {seed})"
seed = {seed}
note = "{mark}"

[area]
boundary = "communes.gpkg"
crs = "{crs}"
cell_m = 90
margin_km = 3

[data]
synthetic = [{roles}]
terrain.files = ["dem.tif"]
population.file = "population.tif"
population.units = "people_per_km2"
{layers}

[radio]
range_km = 15  # beyond it hardly any path is clear in these mountains

[objective]
goal = "max_cleared"
budget_vnd = 40_000_000_000
deadline = "2027-12-31"

[solver]
deterministic_limit = 3.0
"""
LAYER_FILES = {
    "hamlets": "hamlets.gpkg",
    "sectors": "sites.csv",
    "roads": "roads.gpkg",
    "pops": "fibre_pops.gpkg",
    "fibre_routes": "fibre_routes.gpkg",
    "power_lines": "power_lines.gpkg",
    "facilities": "facilities.gpkg",
    "exclusions": "exclusions.gpkg",
    "communes": "communes.gpkg",
}


def write_scenario(folder: Path, seed: int) -> Path:
    """demo.toml, which names every file."""
    roles = ", ".join(f'"{role}"' for role in ("terrain", "population", *LAYER_FILES))
    layers = "\n".join(f'{kind} = "{file}"' for kind, file in LAYER_FILES.items())
    text = DEMO_TOML.format(mark=MARK, seed=seed, province=PROVINCE, crs=CRS, roles=roles, layers=layers)
    path = folder / "demo.toml"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_heights(folder: Path, ground: Ground) -> None:
    """dem.tif, whole metres."""
    heights = ground.height_m.astype(np.int16)
    with rasterio.open(
        folder / "dem.tif", "w", **_raster(heights, CRS, ground.box.affine), nodata=NO_HEIGHT
    ) as dataset:
        dataset.write(heights, 1)
        dataset.set_band_unit(1, "m")
        dataset.update_tags(description=MARK, synthetic="yes")


def write_population(
    folder: Path, house_xy: NDArray[np.float64], house_people: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """population.tif, people per km2 on pixels of 30", like the rasters of the whole world."""
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(*house_xy.T)
    west, north = np.floor(lon.min() * 10.0) / 10.0, np.ceil(lat.max() * 10.0) / 10.0
    shape = (int(np.ceil((north - lat.min()) / PIXEL_DEG)) + 12, int(np.ceil((lon.max() - west) / PIXEL_DEG)) + 12)
    row, col = ((north - lat) / PIXEL_DEG).astype(int), ((lon - west) / PIXEL_DEG).astype(int)
    people = np.zeros(shape)
    np.add.at(people, (row, col), house_people)
    total = people.sum()
    people *= np.exp(POPULATION_NOISE * rng.standard_normal(shape))
    people *= total / LISTED_SHARE / people.sum()
    density = (people / _pixel_km2(north, shape[0])[:, None]).astype(np.float32)
    transform = Affine(PIXEL_DEG, 0.0, west, 0.0, -PIXEL_DEG, north)
    with rasterio.open(
        folder / "population.tif", "w", **_raster(density, "EPSG:4326", transform), nodata=-1
    ) as dataset:
        dataset.write(density, 1)
        dataset.set_band_unit(1, "people_per_km2")
        dataset.update_tags(units="people_per_km2", description=MARK, synthetic="yes")


def write_layer(
    folder: Path, kind: str, shapes: Sequence[shapely.Geometry] | NDArray[Any], columns: Mapping[str, Any]
) -> None:
    """A GeoPackage of the schema's columns, in the grid's CRS."""
    frame = gpd.GeoDataFrame(dict(columns), geometry=np.asarray(shapes, dtype=object), crs=CRS)
    path = folder / LAYER_FILES[kind]
    path.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": WRITTEN})
    try:
        mark = {"DESCRIPTION": MARK, "SYNTHETIC": "yes"}
        pyogrio.write_dataframe(frame, path, layer=kind, layer_metadata=mark)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def write_sites(folder: Path, sectors: gpd.GeoDataFrame) -> None:
    """sites.csv, a row a sector, in WGS 84, with a column that says it is made up."""
    table = sectors.drop(columns=["geometry", "place"])
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(sectors.geometry.x, sectors.geometry.y)
    table.insert(1, "lon", np.round(lon, 7))
    table.insert(2, "lat", np.round(lat, 7))
    table["note"] = "mô phỏng / synthetic"
    table.to_csv(folder / LAYER_FILES["sectors"], index=False, encoding="utf-8-sig", lineterminator="\n")


def _raster(values: NDArray[Any], crs: str, transform: Affine) -> dict[str, Any]:
    return {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": values.dtype,
        "crs": crs, "transform": transform, "compress": "deflate", "tiled": True, "blockxsize": 256, "blockysize": 256,
    }  # fmt: skip


def _pixel_km2(north: float, rows: int) -> NDArray[np.float64]:
    geod = Geod(ellps="WGS84")
    tops = north - PIXEL_DEG * np.arange(rows)
    corners = ([0.0, PIXEL_DEG, PIXEL_DEG, 0.0], lambda top: [top, top, top - PIXEL_DEG, top - PIXEL_DEG])
    return np.array([abs(geod.polygon_area_perimeter(corners[0], corners[1](top))[0]) / 1e6 for top in tops])
