"""What a finished run hands to its outputs: one value, written and drawn by the rest of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

if TYPE_CHECKING:
    from phusong.scenarios.satellite.result import SatelliteResult

SYNTHETIC_LABEL = "DỮ LIỆU MÔ PHỎNG / SYNTHETIC"


@dataclass(frozen=True)
class PartRasters:
    """The rasters of one contiguous piece of the area, on its planning grid.

    height_m : (H, W) float32, NaN where no terrain was given
    baseline_rsrp_dbm, planned_rsrp_dbm : (H, W) float32, best of all operators of the minimum technology or better
        [dBm], NaN where nothing arrives
    inside   : (H, W) bool, cells of the planned area; the others are margin
    sigma_db : standard deviation of a level around the median: error of the model, and places within a cell
    """

    name: str
    box: GeoBox
    height_m: NDArray[np.float32]
    baseline_rsrp_dbm: NDArray[np.float32]
    planned_rsrp_dbm: NDArray[np.float32]
    inside: NDArray[np.bool_]
    sigma_db: float


@dataclass(frozen=True)
class RunResult:
    """Everything that a run folder shows. A geometry column may be in any CRS; hamlets are in EPSG:4326.

    name      : the scenario's name
    synthetic : roles of the inputs that are synthetic; where there are any, every output says so
    hamlets   : points: hamlet_id, name, commune_code, commune, part, people, households, declared_state,
        state_before, state_after ("served" | "lom" | "trang"), rsrp_before_dbm, rsrp_after_dbm (at the centre),
        probability_before, probability_after (of service), people_served (of the raster, by signal), people_carried
        (by sectors that are not overloaded), capacity ("no-signal" | "short" | "enough"),
        cleared, served_by_option, assigned_operator, electricity_before, electricity_after, edge, measure_first,
        deadline
    sites     : points: site_id, status ("existing" | "new" | "improved"), name, operators, stations, capex_vnd,
        opex_vnd_per_year, lifetime_vnd, power, backhaul, evn_confirm, hamlets_cleared
    stations  : site_id, station_id, operator, technology, status
    sectors   : points: site_id, sector_id, operator, technology, band, azimuth_deg, downtilt_deg, height_m,
        status ("existing" | "added" | "removed"), and in the busy hour people, demand_mbps, capacity_mbps, utilisation,
        station_utilisation, overloaded
    speeds    : one user alone in the sector: hamlet_id, technology, people, download_mbps, upload_mbps, least_share,
        met, source (of the norm)
    measure_first : the most valuable first: hamlet_id, name, commune, probability, flips, value, unit, reason
    measures  : what is built, one row an option: option_id, site_id, kind, operator, technology, band, height_m,
        tower_vnd, road_vnd, power_vnd, backhaul_vnd, radio_vnd, capex_vnd, opex_vnd_per_year, lifetime_vnd, power,
        backhaul (kind of its way), fibre_km, inferred_km, evn_confirm; of each trench the cost and the length are
        split equally among the options whose fibre runs through it, so that columns add up to the plan's
    routes    : lines: option_id, site_id, kind ("fibre" | "microwave" | "power" | "access-road"), length_km,
        inferred_km, users; a trench that several options share is one line with all their ids
    communes  : polygons: commune_code, commune, province, hamlets, low_before, low_after, people,
        people_covered_before, people_covered_after
    summary   : figures and texts as in summary.json; `gap` and `confidence` are shares (0 .. 1)
    manifest  : inputs with sha256, versions, seed
    timings   : seconds; the only output that may differ between two equal runs
    rejects   : kind of input -> its rows that were left out, with the reason
    satellite : broadband by satellite, where the scenario asks for it; never part of what is cleared
    """

    name: str
    synthetic: tuple[str, ...]
    parts: tuple[PartRasters, ...]
    hamlets: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    stations: pd.DataFrame
    sectors: gpd.GeoDataFrame
    speeds: pd.DataFrame
    measure_first: pd.DataFrame
    measures: pd.DataFrame
    routes: gpd.GeoDataFrame
    communes: gpd.GeoDataFrame
    summary: Mapping[str, Any]
    manifest: Mapping[str, Any]
    timings: Mapping[str, Any]
    rejects: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    satellite: SatelliteResult | None = None

    @property
    def planned(self) -> bool:
        """False for a run that only looked at what stands today: then nothing is said about a plan."""
        return self.summary["cleared_bound"] is not None

    @property
    def label(self) -> str:
        """The words that every output of a synthetic run carries; empty when all inputs are real."""
        return SYNTHETIC_LABEL if self.synthetic else ""
