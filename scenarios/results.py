"""Turn a finished run into the tables, layers and figures that its outputs show."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel
from rasterio.features import rasterize
from scipy import ndimage

from phusong.scenarios.baseline import Baseline, best_rsrp
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.candidates.costs import capex_band
from phusong.scenarios.framing import Question, facility_cells
from phusong.scenarios.outputs.result import PartRasters, RunResult
from phusong.scenarios.pipeline import Decided, Run
from phusong.scenarios.planned import Planned
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import SERVED, STATE_NAMES, layer_levels_dbm
from phusong.scenarios.settings import Rate

ELECTRIFY_KM = 1.0  # assumption: a hamlet this near to a station that the plan brings to the grid can be connected
LIBRARIES = ("phusong", "numpy", "numba", "ortools", "rasterio", "geopandas", "shapely", "scipy")
MEASURE_COLUMNS = [
    "option_id", "site_id", "kind", "operator", "technology", "band", "height_m", "tower_vnd", "road_vnd", "power_vnd",
    "backhaul_vnd", "radio_vnd", "capex_vnd", "opex_vnd_per_year", "lifetime_vnd", "power", "backhaul", "fibre_km",
    "inferred_km", "evn_confirm",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _PartView:
    """One part, before and after; without a decision the plan is empty and after equals before."""

    baseline: Baseline
    candidates: Candidates | None
    question: Question | None
    planned: Planned | None
    rsrp_after_dbm: NDArray[np.float32]
    chosen: NDArray[np.int64]
    cleared_by: dict[int, list[str]]

    @property
    def state_after(self) -> NDArray[np.uint8]:
        return self.baseline.state if self.planned is None else self.planned.state

    @property
    def layers(self) -> tuple[tuple[str, str], ...]:
        return self.baseline.network.layers if self.candidates is None else self.candidates.layers

    @property
    def options(self) -> pd.DataFrame:
        if self.candidates is None:
            return pd.DataFrame(columns=[*MEASURE_COLUMNS, "location"])
        return self.candidates.options.iloc[self.chosen]


def result_of(run: Run) -> RunResult:
    """Everything that the run folder shows."""
    views = list(_views(run))
    scenario = run.scenario
    hamlets = pd.concat([_hamlets(v, scenario) for v in views], ignore_index=True)
    measures = pd.concat([v.options[MEASURE_COLUMNS] for v in views], ignore_index=True)
    sites = pd.concat([_sites(v) for v in views], ignore_index=True)
    stations = pd.concat([_stations(v) for v in views], ignore_index=True)
    communes = pd.concat([_communes(v, scenario) for v in views], ignore_index=True)
    summary = _summary(run, views, hamlets, measures, sites, stations)
    return RunResult(
        name=scenario.scenario.name,
        synthetic=tuple(scenario.data.synthetic),
        parts=tuple(_rasters(v, scenario) for v in views),
        hamlets=hamlets, sites=sites, stations=stations,
        sectors=pd.concat([_sectors(v) for v in views], ignore_index=True),
        measures=measures,
        routes=pd.concat([_routes(v) for v in views], ignore_index=True),
        communes=communes, summary=summary, manifest=_manifest(run),
        rejects=run.area.rejects,
        timings={"seconds": run.seconds, "python": platform.python_version(), "machine": platform.machine()},
    )  # fmt: skip


def _views(run: Run) -> Iterator[_PartView]:
    decided = run.decided
    for i, baseline in enumerate(run.baselines):
        if decided is None:
            nothing = np.empty(0, dtype=np.int64)
            yield _PartView(baseline, None, None, None, baseline.signal.rsrp_dbm, nothing, {})
            continue
        candidates, question, planned = decided.candidates[i], decided.questions[i], decided.planned[i]
        cleared_by = _cleared_by(baseline, candidates, question, planned)
        rsrp = decided.rsrp_dbm[i]
        yield _PartView(baseline, candidates, question, planned, rsrp, planned.chosen, cleared_by)


def _cleared_by(
    baseline: Baseline, candidates: Candidates, question: Question, planned: Planned
) -> dict[int, list[str]]:
    """Options that serve cells of each cleared hamlet, by hamlet."""
    names = candidates.options["option_id"].to_numpy()[planned.chosen]
    covers = question.covers[planned.chosen].tocsc()
    serving: dict[int, list[str]] = {}
    for group, position in enumerate(question.group_hamlet):
        if position >= len(question.hamlet):
            break
        hamlet = int(question.hamlet[position])
        if planned.state[hamlet] == SERVED:
            cells = question.group_cell[question.group_indptr[group] : question.group_indptr[group + 1]]
            rows = np.unique(covers[:, cells].nonzero()[0])
            serving.setdefault(hamlet, []).extend(str(names[r]) for r in rows)
    return {hamlet: sorted(set(options)) for hamlet, options in serving.items()}


def _rasters(view: _PartView, scenario: Scenario) -> PartRasters:
    part, service = view.baseline.part, scenario.service
    before = best_rsrp(view.baseline.signal.rsrp_dbm, view.baseline.network.layers, service)
    after = best_rsrp(view.rsrp_after_dbm, view.layers, service)
    return PartRasters(part.name, part.box, part.height_m, before, after, part.inside)


def _hamlets(view: _PartView, scenario: Scenario) -> gpd.GeoDataFrame:
    baseline, part = view.baseline, view.baseline.part
    frame, centre = part.layers.hamlets, baseline.demand.cell_rc[baseline.demand.centre_cell]
    before, after = baseline.state, view.state_after
    rasters = _rasters(view, scenario)
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
            "cleared": (before != SERVED) & (after == SERVED),
            "served_by_option": [", ".join(view.cleared_by.get(i, [])) for i in range(len(frame))],
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


def _electrified(view: _PartView) -> NDArray[np.bool_]:
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


def _stations(view: _PartView) -> pd.DataFrame:
    standing = _station_pairs(view.baseline.part.layers.sectors).assign(status="existing")
    new = _station_pairs(view.options).assign(status="new")
    both = pd.concat([standing, new], ignore_index=True).drop_duplicates(["site_id", "operator", "technology"])
    ids = both["site_id"].astype(str) + "-" + both["operator"].astype(str) + "-" + both["technology"].astype(str)
    return both.assign(station_id=ids)[["site_id", "station_id", "operator", "technology", "status"]]


def _sites(view: _PartView) -> gpd.GeoDataFrame:
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


def _hamlets_cleared_by_site(view: _PartView) -> dict[str, int]:
    site_of = dict(zip(view.options["option_id"], view.options["site_id"], strict=True))
    count: dict[str, int] = {}
    for options in view.cleared_by.values():
        for site in {site_of[o] for o in options}:
            count[site] = count.get(site, 0) + 1
    return count


def _sectors(view: _PartView) -> gpd.GeoDataFrame:
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
    points = view.candidates.sites.geometry.iloc[added.location].to_crs(4326).reset_index(drop=True)
    new = gpd.GeoDataFrame(
        {
            "site_id": options["site_id"], "operator": options["operator"], "technology": options["technology"],
            "band": options["band"], "azimuth_deg": added.azimuth_deg, "downtilt_deg": added.downtilt_deg,
            "sector_id": options["option_id"] + "-" + (options.groupby("option_id").cumcount() + 1).astype(str),
            "height_m": added.height_m, "status": "added",
        },
        geometry=points, crs=4326,
    )  # fmt: skip
    return pd.concat([standing, new], ignore_index=True)


def _routes(view: _PartView) -> gpd.GeoDataFrame:
    columns = ["option_id", "site_id", "kind", "length_km", "inferred_km"]
    if view.candidates is None:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry=[], crs=4326)
    # A new site has one route of each kind, whichever of its options is built.
    first = view.options.drop_duplicates("site_id").set_index("site_id")["option_id"]
    routes = view.candidates.routes
    routes = routes[routes["site_id"].isin(first.index)].to_crs(4326)
    return routes.assign(option_id=routes["site_id"].map(first))[[*columns, "geometry"]].reset_index(drop=True)


def _served_rasters(view: _PartView, scenario: Scenario) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(layers, H, W) service by layer before (over the same layers, new ones empty) and after."""
    levels = layer_levels_dbm(view.layers, scenario.radio, scenario.service)[:, None, None]
    before = np.full(view.rsrp_after_dbm.shape, np.nan, dtype=np.float32)
    before[: len(view.baseline.signal.rsrp_dbm)] = view.baseline.signal.rsrp_dbm
    with np.errstate(invalid="ignore"):
        return before >= levels, view.rsrp_after_dbm >= levels


def _communes(view: _PartView, scenario: Scenario) -> gpd.GeoDataFrame:
    part = view.baseline.part
    frame = part.layers.communes
    hamlets = part.layers.hamlets
    before, after = _served_rasters(view, scenario)
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


def _summary(
    run: Run, views: Sequence[_PartView], hamlets: gpd.GeoDataFrame, measures: pd.DataFrame,
    sites: gpd.GeoDataFrame, stations: pd.DataFrame,
) -> dict[str, Any]:  # fmt: skip
    scenario, decided = run.scenario, run.decided
    state = hamlets["state_before"]
    low_before, cleared = int((state != "served").sum()), int(hamlets["cleared"].sum())
    service, radio = scenario.service, scenario.radio
    levels = {t: radio.min_rsrp_dbm[t] for t in radio.min_rsrp_dbm if t >= service.minimum_technology}
    return {
        "scenario": scenario.scenario.name,
        "hamlets": len(hamlets),
        "trang_before": int((state == "trang").sum()),
        "lom_before": int((state == "lom").sum()),
        "low_before": low_before,
        "low_before_p50": sum(v.baseline.low_p50 for v in views),
        "low_before_model": sum(int(np.count_nonzero(v.baseline.model_state)) for v in views),
        "low_after": int((hamlets["state_after"] != "served").sum()),
        "cleared": cleared,
        "cleared_hamlets": sorted(hamlets.loc[hamlets["cleared"], "hamlet_id"].astype(str)),
        **_proof(decided, cleared),
        **_people(views, scenario),
        "electrified": int((hamlets["electricity_after"] != hamlets["electricity_before"]).sum()),
        "without_electricity": int((hamlets["electricity_before"] == "none").sum()),
        "low_without_electricity": int(((hamlets["electricity_before"] == "none") & (state != "served")).sum()),
        **{c: int(measures[c].sum()) for c in ("capex_vnd", "opex_vnd_per_year", "lifetime_vnd")},
        "cost_band": round(capex_band(measures, scenario.costs), 2) if len(measures) else None,
        "budget_vnd": scenario.objective.budget_vnd if scenario.objective.goal == "max_cleared" else None,
        "goal": scenario.objective.goal,
        "budget_counts": scenario.objective.budget_counts,
        "horizon_years": scenario.objective.horizon_years,
        "price_year": scenario.objective.price_year,
        "vat_included": scenario.objective.vat_included,
        "deadline": scenario.objective.deadline,
        "rule": {
            "name": service.rule, "source": service.rule_source,
            "thresholds": ", ".join(f"{t} RSRP ≥ {v:g} dBm" for t, v in levels.items())
            + f" + {radio.interference_margin_db:g} dB (nhiễu / interference), {service.served_share:.0%}"
            f" người của cụm / of a cluster's people, cụm ≥ {service.cluster_min_households} hộ / households",
        },
        "minimum_technology": service.minimum_technology,
        "operator": service.operator,
        "confidence": radio.confidence,
        "model": radio.model,
        "declared_vs_model": _declared_vs_model(hamlets),
        "facilities": _facilities(views, scenario),
        "edge_hamlets": int(hamlets["edge"].sum()),
        "measure_first": int(hamlets["measure_first"].sum()),
        "stations_existing": int((stations["status"] == "existing").sum()),
        "stations_new": int((stations["status"] == "new").sum()),
        "sites_existing": int((sites["status"] != "new").sum()),
        "sites_improved": int((sites["status"] == "improved").sum()),
        "sites_new": int((sites["status"] == "new").sum()),
        "candidates": _candidate_counts(decided),
        "assumptions": list(_assumptions(scenario)),
        "notes": _notes(run, views),
    }  # fmt: skip


def _proof(decided: Decided | None, cleared: int) -> dict[str, Any]:
    if decided is None:
        return {"cleared_bound": None, "gap": None, "gap_hamlets": None, "repeatable": True, "checker": "not asked"}
    plan = decided.plan
    bound = max(plan.hamlets_bound, cleared)
    return {
        "cleared_bound": bound,
        "gap": (bound - cleared) / bound if bound else 0.0,
        "gap_hamlets": bound - cleared,
        "stages": [
            {"name": s.name, "value": s.value, "bound": s.bound, "gap": s.gap, "status": s.status,
             "conditional": s.conditional} for s in plan.stages
        ],
        "repeatable": plan.repeatable,
        "repairs": list(decided.repairs),
        "cheapest_hamlet_vnd": decided.cheapest_vnd,
        "checker": "agrees" if decided.verdict.agrees else "; ".join(decided.verdict.broken[:20]),
    }  # fmt: skip


def _people(views: Sequence[_PartView], scenario: Scenario) -> dict[str, Any]:
    by_operator: dict[str, list[float]] = {}
    total = before_all = after_all = 0.0
    for view in views:
        part = view.baseline.part
        before, after = _served_rasters(view, scenario)
        people = np.where(part.inside, part.people, 0.0)
        total += float(people.sum())
        before_all += float(people[before.any(axis=0)].sum())
        after_all += float(people[after.any(axis=0)].sum())
        for operator in sorted({o for o, _ in view.layers}):
            own = [i for i, (o, _) in enumerate(view.layers) if o == operator]
            sums = by_operator.setdefault(operator, [0.0, 0.0])
            sums[0] += float(people[before[own].any(axis=0)].sum())
            sums[1] += float(people[after[own].any(axis=0)].sum())
    return {
        "people": round(total),
        "people_covered_before": round(before_all),
        "people_covered_after": round(after_all),
        "people_newly_covered": round(after_all - before_all),
        "operators": [
            {"operator": o, "people_before": round(b), "people_after": round(a)} for o, (b, a) in by_operator.items()
        ],
    }


def _facilities(views: Sequence[_PartView], scenario: Scenario) -> dict[str, int]:
    total = served_before = served_after = 0
    for view in views:
        rc = facility_cells(view.baseline)
        before, after = _served_rasters(view, scenario)
        total += len(rc)
        served_before += int(before[:, rc[:, 0], rc[:, 1]].any(axis=0).sum())
        served_after += int(after[:, rc[:, 0], rc[:, 1]].any(axis=0).sum())
    return {"served_before": served_before, "served_after": served_after, "total": total}


def _declared_vs_model(hamlets: gpd.GeoDataFrame) -> dict[str, dict[str, int]]:
    declared = hamlets["declared_state"].where(hamlets["declared_state"].isin(STATE_NAMES), "undeclared")
    table = pd.crosstab(declared, hamlets["model_state"])
    return {
        str(d): {s: int(table.loc[d, s]) if s in table.columns else 0 for s in STATE_NAMES}
        for d in (*STATE_NAMES, "undeclared")
        if d in table.index
    }


def _candidate_counts(decided: Decided | None) -> dict[str, Any]:
    if decided is None:
        return {}
    options = pd.concat([c.options for c in decided.candidates])
    dropped: dict[str, int] = {}
    for part in decided.candidates:
        for reason, count in part.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    kinds = {str(k): int(v) for k, v in options["kind"].value_counts().sort_index().items()}
    return {
        "sites": sum(len(c.sites) for c in decided.candidates),
        "options": len(options),
        "kinds": kinds,
        "dropped": dropped,
    }


def _assumptions(section: BaseModel, prefix: str = "") -> Iterator[str]:
    """Every rate that has no source, as `key: value (±band)`."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Rate):
            if value.source == "assumption":
                yield (
                    f"{prefix}{name}: {value.value:,.0f} (±{value.band:.0%})"
                    if value.value >= 100
                    else (f"{prefix}{name}: {value.value:g} (±{value.band:.0%})")
                )
        elif isinstance(value, BaseModel):
            yield from _assumptions(value, f"{prefix}{name}.")


def _notes(run: Run, views: Sequence[_PartView]) -> list[str]:
    notes = [n for v in views for n in v.baseline.notes]
    notes += [f"{f.what} — {f.where}" for f in run.area.findings if f.level in ("warning", "note")]
    notes.append(
        "Đào cáp tính riêng cho từng trạm: là mức trên, tuyến dùng chung sẽ rẻ hơn / "
        "trenches are charged to each tower: an upper bound, shared routes cost less"
    )
    return notes


def _manifest(run: Run) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    settings = run.scenario.model_dump(mode="json")
    return {
        "phusong": versions["phusong"],
        "versions": {"python": platform.python_version(), **versions},
        "seed": run.scenario.scenario.seed,
        "inputs": [
            {"role": f.role, "name": f.path.name, "sha256": f.sha256, "bytes": f.bytes}
            for f in sorted(run.area.files, key=lambda f: (f.role, f.path.name))
        ],
        "scenario": settings,
        "scenario_sha256": hashlib.sha256(run.scenario.model_dump_json().encode()).hexdigest(),
        "grids": [
            {"part": b.part.name, "crs": str(b.part.box.crs), "cell_m": b.part.cell_m, "shape": list(b.part.box.shape),
             "scale_error_ppm": round(b.part.scale_error_ppm, 1)} for b in run.baselines
        ],
        "repeatable": run.decided is None or run.decided.plan.repeatable,
    }  # fmt: skip
