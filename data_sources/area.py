"""What has been read: the area, in parts, each on its own metric grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

if TYPE_CHECKING:
    from phusong.data_sources.antenna_files import AntennaFile


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about an input.

    level: "error" stops the run, "rejected" a row left out, "warning" something doubtful kept, "note" a fact.
    """

    level: Literal["error", "rejected", "warning", "note"]
    what: str
    where: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read; role is its key in the scenario ("terrain", "hamlets", ...)."""

    role: str
    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Layers:
    """Vector layers with the columns of `data_sources.schema`, in the part's CRS; empty where nothing was given.

    hamlets, pops, facilities: Point; sectors: Point, one row a sector; roads, fibre_routes, power_lines: LineString;
    exclusions, communes: Polygon or MultiPolygon.
    """

    hamlets: gpd.GeoDataFrame
    sectors: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    pops: gpd.GeoDataFrame
    fibre_routes: gpd.GeoDataFrame
    power_lines: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    exclusions: gpd.GeoDataFrame
    communes: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True)
class Part:
    """One contiguous piece of the area on its own planning grid (row 0 north, square cells, metric CRS).

    height_m : (H, W) float32, ground (or surface) height above sea level; NaN where no terrain was given
    inside   : (H, W) bool, cells of the planned area; the others are margin
    people   : (H, W) float32, people per cell after refinement (a count, never a density)
    scale_error_ppm : largest error of the grid's distances against the ellipsoid, parts per million
    antennas : the antennas that sectors may name
    """

    name: str
    box: GeoBox
    height_m: NDArray[np.float32]
    inside: NDArray[np.bool_]
    people: NDArray[np.float32]
    layers: Layers
    scale_error_ppm: float
    antennas: tuple[AntennaFile, ...] = ()

    @property
    def cell_m(self) -> float:
        return float(abs(self.box.affine.a))


@dataclass(frozen=True, slots=True)
class Area:
    """The whole input of a run.

    rejects : kind of layer -> its rows that were left out, with the reason; kinds without any are absent
    """

    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    files: tuple[InputFile, ...]
    rejects: Mapping[str, pd.DataFrame] = field(default_factory=dict)
