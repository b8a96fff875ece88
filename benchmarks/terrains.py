"""Real terrain of the benchmarks, read from the reference data beside the clone: 3" cells, taken as squares of 90 m."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio

from phusong.coverage.terrain import Terrain

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CELL_M = 90.0
TERRAINS = {  # file, and what the ground is like
    "tam-dao": ("tam-dao/dem.tif", "plain and one steep range, 0-1582 m"),
    "n21e105": ("n21e105/N21E105.hgt", "delta, hills and limestone, 0-1582 m"),
    "N37W119": ("bench/N37W119.hgt", "high mountains, 1165-4333 m"),
}


def read_terrain(name: str) -> Terrain:
    """Heights of one of TERRAINS, NaN in voids."""
    with rasterio.open(DATA / TERRAINS[name][0]) as file:
        height_m = file.read(1).astype(np.float32)
    height_m[height_m < -1000.0] = np.nan
    return Terrain(height_m, CELL_M)
