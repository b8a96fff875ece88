"""What the satellite step shows beside the map: rasters, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio

from phusong.scenarios.satellite.ground import Mask
from phusong.scenarios.satellite.result import PartLayers, SatelliteResult

# raster -> what it holds, and its unit; a file each, satellite_NAME.tif
RASTERS = {
    "availability": ("share of the time with a low orbit satellite in view", "1"),
    "rain_limited": ("share of the time with a low orbit satellite in view and the link up in the rain", "1"),
    "obstruction": ("share of the usable sky that terrain hides", "1"),
    "rate": ("rate of an active household in the busy hour, of as many as its service cell takes", "Mbps"),
    "geo_rain_limited": ("share of the time with the link to the geostationary satellite up in the rain", "1"),
    "phones": ("share of the time with a satellite for phones in view and the link up, outdoors", "1"),
}
STEP = {"rate": 0.1}  # kept of a value; shares to 1e-5, finer than the sky is looked at
SHARE_STEP = 1e-5


# Columns that hold shares, by the end of their names.
SHARES = ("availability", "_limited", "_limited_low", "_limited_high", "_share", "obstructed")


def tables_of(result: SatelliteResult) -> dict[str, pd.DataFrame]:
    """The tables by name, in the order in which they are read."""
    hamlets = result.hamlets
    shares = [column for column in hamlets if str(column).endswith(SHARES)]
    rounded = hamlets.assign(**{str(column): hamlets[column].astype(float).round(5) for column in shares})
    return {
        "satellite": rounded,
        "satellite_cells": result.cells.round({"households": 1, "terminals": 1, "area_km2": 2}),
    }


def document(result: SatelliteResult) -> dict[str, Any]:
    """satellite.json."""
    label = {"label": result.label, "synthetic": list(result.synthetic)} if result.label else {}
    return {**label, **result.summary}


def write_layers(folder: Path, result: SatelliteResult) -> None:
    """Write satellite_NAME.tif of every raster; those of the second and later parts with -2, -3."""
    for number, part in enumerate(result.parts, start=1):
        suffix = "" if number == 1 else f"-{number}"
        for name, raster in part.rasters.items():
            _write_raster(folder / f"satellite_{name}{suffix}.tif", part, name, raster, _tags(result, part, name))


def _tags(result: SatelliteResult, part: PartLayers, name: str) -> dict[str, str]:
    tags = {
        "SCENARIO": result.name,
        "PART": part.name,
        "CONTENT": RASTERS[name][0],
        "CLIMATE": "; ".join(result.summary["climate"]),
        "LIMITS": str(result.summary["paragraph"]["en"]),
    }
    if result.label:
        tags |= {"TIFFTAG_IMAGEDESCRIPTION": result.label, "SYNTHETIC": ", ".join(result.synthetic)}
    return tags


def _write_raster(path: Path, part: PartLayers, name: str, raster: Mask, tags: Mapping[str, str]) -> None:
    """A cloud-optimised GeoTIFF: float32, NaN where the terrain is unknown, own overviews."""
    step = STEP.get(name, SHARE_STEP)
    rows, columns = raster.shape
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=columns,
        height=rows,
        count=1,
        dtype="float32",
        nodata=np.nan,
        crs=str(part.box.crs),
        transform=part.box.affine,
        compress="DEFLATE",
        predictor="YES",
        overview_resampling="AVERAGE",
    ) as file:
        file.write((np.round(raster.astype(np.float64) / step) * step).astype(np.float32), 1)
        file.set_band_description(1, RASTERS[name][0])
        file.set_band_unit(1, RASTERS[name][1])
        file.update_tags(**tags)
