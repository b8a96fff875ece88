"""The independent checker: recomputes a plan's promises from the inputs, sharing no step with the solver.

It rebuilds the demand, computes the signal at every demand cell at full precision (never from the stored half-decibel
rows, never from the planned rasters), applies the hamlet rule in its own words, and adds the money up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at
from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.demand import CENTRE, Demand, build_demand
from phusong.scenarios.planned import removed_sectors, select
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import LOM, SERVED, STATE_NAMES, TRANG, required_rsrp_dbm
from phusong.solvers.decision import Plan


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found. `broken` has one line per rule that the plan breaks; empty when it agrees."""

    broken: tuple[str, ...]
    budget_cost_vnd: int
    lifetime_cost_vnd: int
    low_after: int

    @property
    def agrees(self) -> bool:
        return not self.broken


def check_plan(
    scenario: Scenario,
    baselines: Sequence[Baseline],
    candidates: Sequence[Candidates],
    plan: Plan,
    reported: Sequence[NDArray[np.uint8]],
) -> Verdict:
    """Check a plan against the rules and its `reported` states, one (H,) array a part."""
    broken: list[str] = []
    spent = lifetime = low_after = first = 0
    built: set[str] = set()
    for baseline, part, states in zip(baselines, candidates, reported, strict=True):
        chosen = [int(o) - first for o in plan.chosen if first <= o < first + len(part.options)]
        first += len(part.options)
        options = part.options.iloc[chosen]
        built |= set(options["option_id"])
        broken += _cost_faults(options, scenario)
        broken += _exclusive_faults(options)
        counted = "capex_vnd" if scenario.objective.budget_counts == "capex" else "lifetime_vnd"
        spent += sum(int(v) for v in options[counted])
        lifetime += sum(int(v) for v in options["lifetime_vnd"])
        own = _states(scenario, baseline, part, np.array(chosen, dtype=np.int64))
        low_after += int(np.count_nonzero(own != SERVED))
        for hamlet in np.flatnonzero(own != states):
            name = baseline.part.layers.hamlets["hamlet_id"].iloc[hamlet]
            broken.append(f"hamlet {name}: plan says {STATE_NAMES[states[hamlet]]}, checker {STATE_NAMES[own[hamlet]]}")
    wish = scenario.objective
    if wish.goal == "max_cleared" and wish.budget_vnd is not None and spent > wish.budget_vnd:
        broken.append(f"budget: {spent} spent of {wish.budget_vnd}")
    if spent != plan.budget_cost_vnd:
        broken.append(f"cost: plan says {plan.budget_cost_vnd}, checker {spent}")
    if lifetime != plan.lifetime_cost_vnd:
        broken.append(f"lifetime cost: plan says {plan.lifetime_cost_vnd}, checker {lifetime}")
    broken += [f"locked option {name} is not built" for name in wish.locked_options if name not in built]
    broken += [f"forbidden option {name} is built" for name in wish.forbidden_options if name in built]
    return Verdict(tuple(broken), spent, lifetime, low_after)


def _cost_faults(options: pd.DataFrame, scenario: Scenario) -> list[str]:
    faults = []
    for row in options.itertuples():
        items = row.tower_vnd + row.road_vnd + row.power_vnd + row.backhaul_vnd + row.radio_vnd
        if items != row.capex_vnd:
            faults.append(f"option {row.option_id}: items add up to {items}, capex says {row.capex_vnd}")
        whole = row.capex_vnd + scenario.objective.horizon_years * row.opex_vnd_per_year
        if whole != row.lifetime_vnd:
            faults.append(f"option {row.option_id}: lifetime cost {row.lifetime_vnd} is not {whole}")
    return faults


def _exclusive_faults(options: pd.DataFrame) -> list[str]:
    seen: dict[int, str] = {}
    faults = []
    for row in options.itertuples():
        if row.exclusive >= 0 and row.exclusive in seen:
            faults.append(f"options {seen[row.exclusive]} and {row.option_id} exclude each other")
        seen[row.exclusive] = row.option_id
    return faults


def _states(scenario: Scenario, baseline: Baseline, part: Candidates, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
    radio, service = scenario.radio, scenario.service
    demand = build_demand(baseline.part, service)
    # Only cells that some hamlet's rule looks at.
    cells = np.unique(demand.group_cell)
    gone = set(removed_sectors(part, chosen).tolist())
    standing = np.array([i for i in range(len(baseline.network.row)) if i not in gone], dtype=np.int64)
    added = np.flatnonzero(np.isin(part.sector_option, chosen))

    def served_by(
        site_rc: NDArray[np.float64], sectors: Sectors, which: NDArray[np.int64]
    ) -> dict[str, NDArray[np.bool_]]:
        picked = select(sectors, which)
        rsrp, _ = signal_at(
            baseline.terrain, site_rc, picked, len(part.layers), demand.cell_rc[cells], rx_height_m=radio.rx_height_m,
            range_m=radio.range_km * 1000, model=radio.model, threads=scenario.solver.threads,
        )  # fmt: skip
        served: dict[str, NDArray[np.bool_]] = {}
        for (operator, technology), level in zip(part.layers, rsrp, strict=True):
            if technology < service.minimum_technology:  # "4G" < "5G"
                continue
            whole = np.zeros(len(demand.cell_rc), dtype=bool)
            with np.errstate(invalid="ignore"):
                whole[cells] = level >= required_rsrp_dbm(radio, technology)
            served[operator] = served.get(operator, np.zeros_like(whole)) | whole
        return served

    old = served_by(baseline.network.site_rc, baseline.network.sectors, standing)
    # What stood before decides whose word counts, so it is needed with the sectors that come down, too.
    before = old if not gone else served_by(
        baseline.network.site_rc, baseline.network.sectors, np.arange(len(baseline.network.row))
    )  # fmt: skip
    new = served_by(part.site_rc, part.sectors, added)
    hamlets = baseline.part.layers.hamlets
    nobody = np.zeros(len(demand.cell_rc), dtype=bool)

    @cache
    def heard(operators: tuple[str, ...] | None) -> _Heard:
        def by(served: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
            counted = [cells for name, cells in served.items() if operators is None or name in operators]
            return np.asarray(np.logical_or.reduce([nobody, *counted]))

        return _Heard(by(before), by(old), by(new))

    everyone: list[tuple[str, ...] | None] = [(o,) for o in baseline.operators] if service.operator == "all" else []
    states = np.zeros(demand.hamlets, dtype=np.uint8)
    for hamlet, (assigned, said) in enumerate(
        zip(hamlets["assigned_operator"], hamlets["declared_state"], strict=True)
    ):
        own = (assigned,) if service.operator == "assigned" and isinstance(assigned, str) else None
        declared = said if service.baseline != "model-only" and isinstance(said, str) else None
        states[hamlet] = max(_hamlet_state(demand, hamlet, heard(asked), declared) for asked in everyone or [own])
    return states


class _Heard(NamedTuple):
    """(C,) cells served before the plan, by what stays of that, and by what the plan adds."""

    before: NDArray[np.bool_]
    old: NDArray[np.bool_]
    new: NDArray[np.bool_]


def _hamlet_state(demand: Demand, hamlet: int, heard: _Heard, said: str | None) -> int:
    before, old, new = heard
    lo, hi = np.searchsorted(demand.group_hamlet, [hamlet, hamlet + 1])
    edges = demand.group_indptr
    groups = [
        (demand.group_kind[g] == CENTRE, demand.group_cell[edges[g] : edges[g + 1]], demand.group_need[g])
        for g in range(lo, hi)
    ]
    weight = demand.weight

    def judge(served_cells: list[NDArray[np.bool_]], excused: list[bool]) -> int:
        state = SERVED
        for (is_centre, cells, need), served, excuse in zip(groups, served_cells, excused, strict=True):
            if not excuse and weight[cells][served].sum() < need:
                state = max(state, TRANG if is_centre else LOM)
        return state

    model = judge([before[cells] for _, cells, _ in groups], [False] * len(groups))
    declared = STATE_NAMES.index(said) if said else model
    excused = [declared < model and (declared == SERVED or bool(is_centre)) for is_centre, _, _ in groups]
    trusted = []
    for is_centre, cells, _ in groups:
        doubted = declared > model and not (declared == LOM and len(groups) > 1 and is_centre)
        trusted.append(np.zeros(len(cells), dtype=bool) if doubted else before[cells] & old[cells])
    return judge([t | new[cells] for t, (_, cells, _) in zip(trusted, groups, strict=True)], excused)
