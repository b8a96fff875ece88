"""Layers put on a planning grid: in its CRS, cut to its box, and what was left outside told."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from phusong.data_sources.area import Layers
from phusong.data_sources.grid import pyproj_crs, transformed
from phusong.data_sources.schema import KINDS

WATER_WORDS = frozenset({"water", "lake", "river", "reservoir", "nước", "hồ", "sông"})
"""Words in an exclusion's kind that mean water; with diacritics, since "hộ" (as in protection forest) is not "hồ"."""


def place_layers(
    layers: Mapping[str, gpd.GeoDataFrame], box: GeoBox, ground: BaseGeometry
) -> tuple[Layers, dict[str, NDArray[np.bool_]]]:
    """Layers (EPSG:4326) in the grid's CRS, and which rows of each were kept.

    Hamlets are kept in the planned area (`ground`, EPSG:4326), other points anywhere on the grid, lines as their pieces
    within the box (ids numbered on where a line leaves and comes back), polygons whole where they meet the box.
    """
    placed, kept = {}, {}
    for kind, frame in layers.items():
        here = frame.to_crs(pyproj_crs(box))
        if KINDS[kind].geometry == "line":
            placed[kind], kept[kind] = _cut_to(here, box, KINDS[kind].id.name)
            continue
        if KINDS[kind].geometry == "polygon":
            rows = here.intersects(shapely.box(*box.boundingbox.bbox)).to_numpy(np.bool_)
        else:
            cell = np.rint(rows_and_columns(here, box))
            rows = np.all((cell >= 0) & (cell < np.array(box.shape)), axis=1)
            if kind == "hamlets":
                rows = rows & frame.intersects(ground).to_numpy(np.bool_)
        placed[kind], kept[kind] = here[rows].reset_index(drop=True), rows
    return Layers(**placed), kept


def rows_and_columns(points: gpd.GeoDataFrame, box: GeoBox) -> NDArray[np.float64]:
    """(N, 2) row, column of points in the grid's CRS, whole numbers at cell centres."""
    column, row = transformed(~box.affine, points.geometry.x.to_numpy(), points.geometry.y.to_numpy())
    return np.column_stack([row, column]) - 0.5


def cells_along(lines: gpd.GeoDataFrame, box: GeoBox) -> NDArray[np.bool_]:
    """(H, W) cells under points half a cell apart along lines in the grid's CRS."""
    xy = shapely.get_coordinates(shapely.segmentize(lines.geometry.to_numpy(), abs(box.affine.a) / 2))
    column, row = (np.floor(place).astype(np.int64) for place in transformed(~box.affine, xy[:, 0], xy[:, 1]))
    mask = np.zeros(box.shape, dtype=np.bool_)
    here = (row >= 0) & (row < mask.shape[0]) & (column >= 0) & (column < mask.shape[1])
    mask[row[here], column[here]] = True
    return mask


def cells_under_water(exclusions: gpd.GeoDataFrame, box: GeoBox) -> NDArray[np.bool_]:
    """(H, W) cells whose centre lies in an exclusion (in the grid's CRS) of a kind that says water."""
    words = exclusions["kind"].fillna("").astype(str).str.casefold().str.findall(r"\w+")
    water = exclusions.geometry[[bool(WATER_WORDS.intersection(said)) for said in words]]
    if water.empty:
        return np.zeros(box.shape, dtype=np.bool_)
    return np.asarray(rasterize(water, out_shape=box.shape, transform=box.affine, dtype=np.uint8), dtype=np.bool_)


def with_communes(hamlets: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """Hamlets without a commune code given that of the polygon they lie in, and how many were.

    Both in one CRS; of overlapping polygons the first listed wins.
    """
    blank = np.flatnonzero(hamlets["commune_code"].isna())
    hamlet, commune = communes.sindex.query(hamlets.geometry.iloc[blank], predicate="intersects")
    first = pd.Series(commune).groupby(hamlet).min()
    at, polygon = blank[first.index.to_numpy(np.int64)], communes.iloc[first.to_numpy(np.int64)]
    filled = hamlets.copy()
    for column in ("commune_code", "commune"):
        values = filled[column].to_numpy(dtype=object, copy=True)
        values[at] = np.where(pd.isna(values[at]), polygon[column].to_numpy(dtype=object), values[at])
        filled[column] = pd.Series(values, index=filled.index, dtype=object)
    return filled, len(at)


def _cut_to(lines: gpd.GeoDataFrame, box: GeoBox, id_column: str) -> tuple[gpd.GeoDataFrame, NDArray[np.bool_]]:
    pieces, owner = shapely.get_parts(
        shapely.clip_by_rect(lines.geometry.to_numpy(), *box.boundingbox.bbox), return_index=True
    )
    real = shapely.length(pieces) > 0.0
    pieces, owner = pieces[real], owner[real]
    cut = lines.iloc[owner].reset_index(drop=True).set_geometry(gpd.GeoSeries(pieces, crs=lines.crs))
    again = cut.groupby(owner).cumcount().to_numpy()
    names = cut[id_column].to_numpy(dtype=object)
    cut[id_column] = pd.Series(
        [f"{name}/{n + 1}" if n else name for name, n in zip(names, again, strict=True)], dtype=object
    )
    kept = np.zeros(len(lines), dtype=np.bool_)
    kept[owner] = True
    return cut, kept
