"""Turn a finished run into the tables and layers that its outputs show."""

from __future__ import annotations

import platform
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage

from phusong.scenarios.baseline import best_rsrp
from phusong.scenarios.capacity import CapacityTables
from phusong.scenarios.connected import backhaul_lines
from phusong.scenarios.outputs.result import PartRasters, RunResult
from phusong.scenarios.part_view import MEASURE_COLUMNS, PartView, part_views, served_rasters
from phusong.scenarios.pipeline import Run
from phusong.scenarios.quality import capacity_after, probabilities, with_load, worth_measuring
from phusong.scenarios.radio import true_north_deg
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import SERVED, STATE_NAMES
from phusong.scenarios.summary import manifest_of, summary_of

ELECTRIFY_KM = 1.0  # assumption: a hamlet this near to a station that the plan brings to the grid can be connected


def result_of(run: Run, compile_s: float = 0.0) -> RunResult:
    """Everything that the run folder shows. compile_s: seconds spent compiling kernels, for the timings."""
    views = list(part_views(run))
    scenario = run.scenario
    loads = [capacity_after(v, scenario) for v in views]
    hamlets = pd.concat([_hamlets(v, scenario, load) for v, load in zip(views, loads, strict=True)], ignore_index=True)
    measures = pd.concat([v.options[MEASURE_COLUMNS] for v in views], ignore_index=True)
    sites = pd.concat([_sites(v) for v in views], ignore_index=True)
    stations = pd.concat([_stations(v) for v in views], ignore_index=True)
    communes = pd.concat([_communes(v, scenario) for v in views], ignore_index=True)
    sectors = pd.concat(
        [with_load(_sectors(v), v, load.sectors) for v, load in zip(views, loads, strict=True)], ignore_index=True
    )
    summary = summary_of(run, views, hamlets, measures, sites, stations, sectors)
    return RunResult(
        name=scenario.scenario.name,
        synthetic=tuple(scenario.data.synthetic),
        parts=tuple(_rasters(v, scenario) for v in views),
        hamlets=hamlets, sites=sites, stations=stations,
        sectors=sectors,
        speeds=pd.concat([load.speeds for load in loads], ignore_index=True),
        measure_first=worth_measuring(views, scenario),
        measures=measures,
        routes=pd.concat([_routes(v) for v in views], ignore_index=True),
        communes=communes, summary=summary, manifest=manifest_of(run),
        rejects=run.area.rejects, satellite=run.satellite,
        timings={
            "seconds": run.seconds, "compile_s": compile_s,
            "python": platform.python_version(), "machine": platform.machine(),
        },
    )  # fmt: skip


def _rasters(view: PartView, scenario: Scenario) -> PartRasters:
    part, service = view.baseline.part, scenario.service
    before = best_rsrp(view.baseline.signal.rsrp_dbm, view.baseline.network.layers, service)
    after = best_rsrp(view.rsrp_after_dbm, view.layers, service)
    sigma_db = float(np.hypot(scenario.radio.model_sigma_db, scenario.radio.location_sigma_db))
    return PartRasters(part.name, part.box, part.height_m, before, after, part.inside, sigma_db)


def _hamlets(view: PartView, scenario: Scenario, load: CapacityTables) -> gpd.GeoDataFrame:
    baseline, part = view.baseline, view.baseline.part
    frame, centre = part.layers.hamlets, baseline.demand.cell_rc[baseline.demand.centre_cell]
    before, after = baseline.state, view.state_after
    rasters = _rasters(view, scenario)
    probable_before, probable_after = probabilities(view, scenario)
    carried = load.hamlets.set_index("hamlet_id").reindex(frame["hamlet_id"]).reset_index()
    declared = frame["declared_state"]
    said = declared.isin(STATE_NAMES).to_numpy()
    differs = np.array([s != STATE_NAMES[m] for s, m in zip(declared, baseline.model_state, strict=True)]) & said
    electricity = frame["electricity"].to_numpy(dtype=object)
    states = np.array(STATE_NAMES, dtype=object)
    return gpd.GeoDataFrame(
        {
            "hamlet_id": frame["hamlet_id"], "name": frame["name"], "commune_code": frame["commune_code"],
            "commune": frame["commune"], "part": part.name, "people": frame["population"],
            "households": frame["households"], "declared_state": declared,
            "model_state": states[baseline.model_state], "state_before": states[before], "state_after": states[after],
            "rsrp_before_dbm": rasters.baseline_rsrp_dbm[centre[:, 0], centre[:, 1]],
            "rsrp_after_dbm": rasters.planned_rsrp_dbm[centre[:, 0], centre[:, 1]],
            "probability_before": probable_before.cleared, "probability_after": probable_after.cleared,
            "cleared": (before != SERVED) & (after == SERVED),
            "served_by_option": [", ".join(view.cleared_by.get(i, [])) for i in range(len(frame))],
            "people_served": carried["people_served"].round(), "people_carried": carried["people_carried"].round(),
            "capacity": carried["capacity"],
            "assigned_operator": frame["assigned_operator"],
            "electricity_before": electricity,
            "electricity_after": np.where(_electrified(view), "grid", electricity),
            "edge": _edge(part.height_m, part.cell_m, scenario.service.edge_km)[centre[:, 0], centre[:, 1]],
            # A list and a model that disagree are settled by a measurement, not by a tower.
            "measure_first": differs & (before != SERVED),
            "deadline": frame["deadline"],
        },
        geometry=frame.geometry.to_crs(4326), crs=4326,
    )  # fmt: skip


def _electrified(view: PartView) -> NDArray[np.bool_]:
    frame = view.baseline.part.layers.hamlets
    dark = (frame["electricity"] == "none").to_numpy()
    options = view.options
    supplied = options[(options["power"] == "grid")]
    if view.candidates is None or supplied.empty or not dark.any():
        return np.zeros(len(frame), dtype=bool)
    places = view.candidates.sites.geometry.iloc[supplied["location"].to_numpy(dtype=int)].union_all()
    near = (frame.geometry.distance(places) <= ELECTRIFY_KM * 1000).to_numpy()
    return np.asarray(dark & near)


def _edge(height_m: NDArray[np.float32], cell_m: float, edge_km: float) -> NDArray[np.bool_]:
    """Cells nearer than edge_km to where the terrain ends: what lies beyond could shade or serve them."""
    known = np.pad(np.isfinite(height_m), 1)
    return np.asarray(ndimage.distance_transform_edt(known)[1:-1, 1:-1] * cell_m <= edge_km * 1000)


def _station_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    return (
        frame[["site_id", "operator", "technology"]]
        .drop_duplicates()
        .sort_values(["site_id", "operator", "technology"])
    )


def _stations(view: PartView) -> pd.DataFrame:
    standing = _station_pairs(view.baseline.part.layers.sectors).assign(status="existing")
    new = _station_pairs(view.options).assign(status="new")
    both = pd.concat([standing, new], ignore_index=True).drop_duplicates(["site_id", "operator", "technology"])
    ids = both["site_id"].astype(str) + "-" + both["operator"].astype(str) + "-" + both["technology"].astype(str)
    return both.assign(station_id=ids)[["site_id", "station_id", "operator", "technology", "status"]]


def _sites(view: PartView) -> gpd.GeoDataFrame:
    part, options = view.baseline.part, view.options
    improved = set(options["site_id"])
    stations = _stations(view)
    count = stations.groupby("site_id").size()
    operators = stations.groupby("site_id")["operator"].agg(lambda names: ", ".join(sorted(set(names))))
    money = options.groupby("site_id")[["capex_vnd", "opex_vnd_per_year", "lifetime_vnd"]].sum()
    cleared = _hamlets_cleared_by_site(view)

    def described(
        frame: gpd.GeoDataFrame, status: list[str], names: list[str], power: Any, backhaul: Any
    ) -> gpd.GeoDataFrame:
        ids = frame["site_id"]
        return gpd.GeoDataFrame(
            {
                "site_id": ids, "status": status, "name": names, "operators": ids.map(operators),
                "stations": ids.map(count).fillna(0).astype(int),
                **{c: ids.map(money[c]).fillna(0).astype("int64") for c in money.columns},
                "power": power, "backhaul": backhaul,
                "evn_confirm": ids.isin(options.loc[options["evn_confirm"].astype(bool), "site_id"]),
                "hamlets_cleared": ids.map(cleared).fillna(0).astype(int),
            },
            geometry=frame.geometry.to_crs(4326), crs=4326,
        )  # fmt: skip

    standing = part.layers.sectors.drop_duplicates("site_id").sort_values("site_id")
    old = described(
        standing, ["improved" if s in improved else "existing" for s in standing["site_id"]], list(standing["site_id"]),
        list(standing["electricity"]), list(standing["backhaul"]),
    )  # fmt: skip
    if view.candidates is None:
        return old
    places = view.candidates.sites
    places = places[places["site_id"].isin(improved - set(standing["site_id"]))].sort_values("site_id")
    first = options.drop_duplicates("site_id").set_index("site_id")
    new = described(
        places, ["new"] * len(places), list(places["name"]),
        list(places["site_id"].map(first["power"])), list(places["site_id"].map(first["backhaul"])),
    )  # fmt: skip
    return pd.concat([old, new], ignore_index=True)


def _hamlets_cleared_by_site(view: PartView) -> dict[str, int]:
    site_of = dict(zip(view.options["option_id"], view.options["site_id"], strict=True))
    count: dict[str, int] = {}
    for options in view.cleared_by.values():
        for site in {site_of[o] for o in options}:
            count[site] = count.get(site, 0) + 1
    return count


def _sectors(view: PartView) -> gpd.GeoDataFrame:
    frame = view.baseline.part.layers.sectors
    removed: set[int] = set()
    if view.planned is not None:
        removed = set(view.baseline.network.row[view.planned.removed].tolist())
    number = frame.groupby("site_id").cumcount() + 1
    columns = ["site_id", "operator", "technology", "band", "azimuth_deg", "downtilt_deg"]
    standing = gpd.GeoDataFrame(
        frame[columns].assign(
            sector_id=frame["site_id"].astype(str) + "-" + number.astype(str),
            height_m=frame["antenna_height_m"],
            status=["removed" if i in removed else "existing" for i in range(len(frame))],
        ),
        geometry=frame.geometry.to_crs(4326), crs=4326,
    )  # fmt: skip
    if view.planned is None or view.candidates is None:
        return standing
    which = np.flatnonzero(np.isin(view.candidates.sector_option, view.chosen))
    options = view.candidates.options.iloc[view.candidates.sector_option[which]].reset_index(drop=True)
    added = view.planned.sectors
    places = view.candidates.sites.geometry.iloc[added.location].reset_index(drop=True)
    new = gpd.GeoDataFrame(
        {
            "site_id": options["site_id"], "operator": options["operator"], "technology": options["technology"],
            "band": options["band"],
            # True like the listed ones; a tenth of a degree is finer than any rigger sets. Adding 0 turns -0 into 0.
            "azimuth_deg": np.round((added.azimuth_deg - true_north_deg(places)) % 360.0, 1) % 360.0,
            # Of both tilts together, as the list writes it.
            "downtilt_deg": np.round(added.downtilt_deg + added.mechanical_tilt_deg, 1) + 0.0,
            "sector_id": options["option_id"] + "-" + (options.groupby("option_id").cumcount() + 1).astype(str),
            "height_m": added.height_m, "status": "added",
        },
        geometry=places.to_crs(4326), crs=4326,
    )  # fmt: skip
    return pd.concat([standing, new], ignore_index=True)


def _routes(view: PartView) -> gpd.GeoDataFrame:
    columns = ["option_id", "site_id", "kind", "length_km", "inferred_km", "users"]
    if view.candidates is None or view.connected is None or view.shares is None:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=4326)
    # A new site has one power line and one access road, whichever of its options is built.
    first = view.options.drop_duplicates("site_id").set_index("site_id")["option_id"]
    routes = view.candidates.routes
    routes = routes[routes["site_id"].isin(first.index)]
    routes = routes.assign(option_id=routes["site_id"].map(first), users=1)
    lines = backhaul_lines(view.candidates, view.connected, view.shares)
    both = [frame[[*columns, "geometry"]].to_crs(4326) for frame in (lines, routes) if len(frame)]
    if not both:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=4326)
    return pd.concat(both, ignore_index=True)


def _communes(view: PartView, scenario: Scenario) -> gpd.GeoDataFrame:
    part = view.baseline.part
    frame = part.layers.communes
    hamlets = part.layers.hamlets
    before, after = served_rasters(view, scenario)
    number = np.full(part.people.shape, -1, dtype=np.int32)
    if len(frame):
        shapes = [(geometry, i) for i, geometry in enumerate(frame.geometry)]
        number = rasterize(shapes, out_shape=number.shape, transform=part.box.affine, fill=-1, dtype="int32")
    counted = (number >= 0) & part.inside

    def people(where: NDArray[np.bool_]) -> NDArray[np.float64]:
        chosen = counted & where
        sums = np.bincount(number[chosen], weights=part.people[chosen], minlength=len(frame))[: len(frame)]
        return sums.astype(np.float64).round()

    code = frame["commune_code"]
    low_before = hamlets["commune_code"][view.baseline.state != SERVED].value_counts()
    low_after = hamlets["commune_code"][view.state_after != SERVED].value_counts()
    table = gpd.GeoDataFrame(
        {
            "commune_code": code, "commune": frame["commune"], "province": frame["province"],
            "hamlets": code.map(hamlets["commune_code"].value_counts()).fillna(0).astype(int),
            "low_before": code.map(low_before).fillna(0).astype(int),
            "low_after": code.map(low_after).fillna(0).astype(int),
            "people": people(np.ones_like(counted)),
            "people_covered_before": people(np.asarray(before.any(axis=0))),
            "people_covered_after": people(np.asarray(after.any(axis=0))),
        },
        geometry=frame.geometry.to_crs(4326), crs=4326,
    )  # fmt: skip
    return table[(table["people"] > 0) | (table["hamlets"] > 0)]
