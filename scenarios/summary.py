"""The figures of a finished run, and what it was made from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import BaseModel

from phusong.coverage.propagation import model_source
from phusong.coverage.surroundings import corrections, enclosures
from phusong.scenarios.candidates.costs import capex_band
from phusong.scenarios.connecting import cut_off
from phusong.scenarios.framing import facility_cells
from phusong.scenarios.part_view import PartView, served_rasters
from phusong.scenarios.pipeline import Decided, Run, low_hamlets
from phusong.scenarios.radio import Radio
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import STATE_NAMES
from phusong.scenarios.settings import Rate

LIBRARIES = ("phusong", "numpy", "numba", "ortools", "rasterio", "geopandas", "shapely", "scipy")


def summary_of(
    run: Run, views: Sequence[PartView], hamlets: gpd.GeoDataFrame, measures: pd.DataFrame,
    sites: gpd.GeoDataFrame, stations: pd.DataFrame, sectors: gpd.GeoDataFrame,
) -> dict[str, Any]:  # fmt: skip
    """The figures of summary.json, from the run's parts and the tables that are drawn from them."""
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
        **_proof(decided, low_before),
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
        "baseline": service.baseline,
        "minimum_technology": service.minimum_technology,
        "operator": service.operator,
        "confidence": radio.confidence,
        "model": radio.model,
        "propagation": _propagation(radio),
        "expected_served_before": round(float(hamlets["probability_before"].sum()), 1),
        "expected_served_after": round(float(hamlets["probability_after"].sum()), 1),
        "hamlets_short_of_capacity": int((hamlets["capacity"] == "short").sum()),
        "overloaded_sectors": int(sectors["overloaded"].eq(True).sum()),
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
        "backhaul": _backhaul(views),
        "satellite": None if run.satellite is None else dict(run.satellite.summary),
        "assumptions": list(_assumptions(scenario)),
        "notes": _notes(run, views),
    }  # fmt: skip


def _propagation(radio: Radio) -> dict[str, Any]:
    """What the levels were computed with: document and edition, every parameter, every correction."""
    model = radio.propagation
    around = radio.surroundings.made()
    parameters = {k: v for k, v in model._asdict().items() if not (isinstance(v, float) and isnan(v))}
    return {
        "source": model_source(model),
        "parameters": parameters,
        "map_mode": radio.map_mode,
        "surroundings": [*corrections(around).values(), *enclosures(around).values()],
        "model_offset_db": radio.model_offset_db,
        "calibrated_for": radio.calibrated_for,
        "model_sigma_db": radio.model_sigma_db,
        "location_sigma_db": radio.location_sigma_db,
    }


def _proof(decided: Decided | None, low: int) -> dict[str, Any]:
    if decided is None:
        return {
            "counted": None,
            "cleared_bound": None,
            "gap": None,
            "gap_hamlets": None,
            "repeatable": True,
            "checker": "not asked",
        }
    plan = decided.plan
    # The decision counts on losses rounded up and a shorter range, so the planned signal may clear some more. Its bound
    # speaks of what it counts, and is compared with that. It may weigh served facilities too, but no plan clears more
    # hamlets than are low-signal.
    counted = int(np.count_nonzero(plan.cleared & low_hamlets(decided.questions)))
    bound = max(min(plan.hamlets_bound, low), counted)
    return {
        "counted": counted,
        "cleared_bound": bound,
        "gap": (bound - counted) / bound if bound else 0.0,
        "gap_hamlets": bound - counted,
        "stages": [
            {"name": s.name, "value": s.value, "bound": s.bound, "gap": s.gap, "status": s.status,
             "conditional": s.conditional} for s in plan.stages
        ],
        "repeatable": plan.repeatable,
        "repairs": list(decided.repairs),
        "cheapest_hamlet_vnd": decided.cheapest_vnd,
        "cheapest_hamlet_proven": decided.cheapest_proven,
        "checker": "agrees" if decided.verdict.agrees else "; ".join(decided.verdict.broken[:20]),
    }  # fmt: skip


def _people(views: Sequence[PartView], scenario: Scenario) -> dict[str, Any]:
    by_operator: dict[str, list[float]] = {}
    total = before_all = after_all = 0.0
    for view in views:
        part = view.baseline.part
        before, after = served_rasters(view, scenario)
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


def _facilities(views: Sequence[PartView], scenario: Scenario) -> dict[str, int]:
    total = served_before = served_after = 0
    for view in views:
        rc = facility_cells(view.baseline)
        before, after = served_rasters(view, scenario)
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


def _backhaul(views: Sequence[PartView]) -> dict[str, Any]:
    """Trenches of the whole plan, ways by kind, and what sharing trenches saves against each tower digging its own."""
    trench_km = 0.0
    trench_vnd = alone_vnd = 0
    ways: dict[str, int] = {}
    for view in views:
        if view.candidates is None or view.connected is None:
            continue
        network, dug = view.candidates.network, view.connected.trenches
        trench_km += float(network.length_m[dug].sum()) / 1000.0
        trench_vnd += int(network.trench_vnd[dug].sum())
        built = view.options[view.connected.way >= 0]
        alone_vnd += int(built.loc[built["backhaul"] == "fibre", "fibre_alone_vnd"].sum())
        for kind, count in built["backhaul"].value_counts().items():
            ways[str(kind)] = ways.get(str(kind), 0) + int(count)
    return {
        "trench_km": round(trench_km, 1),
        "trench_vnd": trench_vnd,
        "ways": dict(sorted(ways.items())),
        "saved_vnd": max(0, alone_vnd - trench_vnd),
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
        elif isinstance(value, BaseModel) and getattr(value, "enabled", True):  # what is switched off assumes nothing
            yield from _assumptions(value, f"{prefix}{name}.")


def _notes(run: Run, views: Sequence[PartView]) -> list[str]:
    notes = [n for v in views for n in v.baseline.notes]
    findings = (*run.area.findings, *(run.satellite.findings if run.satellite is not None else ()))
    notes += [f"{f.what} — {f.where}" for f in findings if f.level in ("warning", "note")]
    if run.decided is not None:
        notes.append(
            "Mỗi tuyến đào cáp tính một lần dù nhiều trạm dùng chung; bảng hạng mục chia đều tiền mỗi đoạn cho các trạm"
            " dùng nó / each trench is paid once however many towers share it; the measures split each piece equally"
            " among the towers whose fibre runs through it"
        )
        if homeless := int(cut_off(run.decided.candidates).sum()):
            notes.append(
                f"{homeless} phương án bị loại vì không có loại đường truyền nào được phép tới được / options were left"
                " out: no kind of backhaul that the scenario allows reaches them"
            )
    return notes


def manifest_of(run: Run) -> dict[str, Any]:
    """What the run was made from: inputs with their hashes, versions, seed, the whole scenario, the grids."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    settings = run.scenario.model_dump(mode="json")
    sky_files = run.satellite.files if run.satellite is not None else ()
    return {
        "phusong": versions["phusong"],
        "versions": {"python": platform.python_version(), **versions},
        "seed": run.scenario.scenario.seed,
        "inputs": [
            {"role": f.role, "name": f.path.name, "sha256": f.sha256, "bytes": f.bytes}
            for f in sorted((*run.area.files, *sky_files), key=lambda f: (f.role, f.path.name))
        ],
        "scenario": settings,
        "scenario_sha256": hashlib.sha256(run.scenario.model_dump_json().encode()).hexdigest(),
        "grids": [
            {"part": b.part.name, "crs": str(b.part.box.crs), "cell_m": b.part.cell_m, "shape": list(b.part.box.shape),
             "scale_error_ppm": round(b.part.scale_error_ppm, 1)} for b in run.baselines
        ],
        "repeatable": run.decided is None or run.decided.plan.repeatable,
    }  # fmt: skip
