"""The independent checker: recomputes a plan's promises from the inputs, sharing no step with the solver.

It rebuilds the demand, computes the signal at every demand cell at full precision (never from the stored half-decibel
rows, never from the planned rasters), applies the hamlet rule in its own words, follows the backhaul of every option
to what is lit, and adds the money up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at
from phusong.scenarios.backhaul_check import check_backhaul
from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.demand import CENTRE, Demand, build_demand
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
    spent = lifetime = low_after = cleared = first = 0
    built: set[str] = set()
    served: set[str] = set()
    for baseline, part, states in zip(baselines, candidates, reported, strict=True):
        chosen = [int(o) - first for o in plan.chosen if first <= o < first + len(part.options)]
        first += len(part.options)
        options, ids = part.options.iloc[chosen], part.options["option_id"].tolist()
        built |= set(options["option_id"])
        broken += _cost_faults(options, scenario)
        broken += _exclusive_faults(options, [(ids[a], ids[b]) for a, b in part.conflicts()])
        counted = "capex_vnd" if scenario.objective.budget_counts == "capex" else "lifetime_vnd"
        spent += sum(int(v) for v in options[counted])
        lifetime += sum(int(v) for v in options["lifetime_vnd"])
        own = _states(scenario, baseline, part, np.array(chosen, dtype=np.int64))
        low_after += int(np.count_nonzero(own != SERVED))
        cleared += int(np.count_nonzero((own == SERVED) & (baseline.state != SERVED)))
        served |= set(baseline.part.layers.hamlets["hamlet_id"][own == SERVED])
        for hamlet in np.flatnonzero(own != states):
            name = baseline.part.layers.hamlets["hamlet_id"].iloc[hamlet]
            broken.append(f"hamlet {name}: plan says {STATE_NAMES[states[hamlet]]}, checker {STATE_NAMES[own[hamlet]]}")
    backhaul = check_backhaul(scenario, baselines, candidates, plan)
    broken += backhaul.broken
    spent, lifetime = spent + backhaul.budget_vnd, lifetime + backhaul.lifetime_vnd
    if len(built) < len(plan.chosen):
        broken.append(f"{len(plan.chosen)} options chosen, {len(built)} of them different ones that exist")
    wish = scenario.objective
    if wish.goal == "max_cleared" and wish.budget_vnd is not None and spent > wish.budget_vnd:
        broken.append(f"budget: {spent} spent of {wish.budget_vnd}")
    low = sum(len(b.low) for b in baselines)
    if wish.goal == "min_cost" and (target := wish.hamlets_asked(low)) > cleared:
        broken.append(f"target: {cleared} hamlets cleared of {target}")
    if spent != plan.budget_cost_vnd:
        broken.append(f"cost: plan says {plan.budget_cost_vnd}, checker {spent}")
    if lifetime != plan.lifetime_cost_vnd:
        broken.append(f"lifetime cost: plan says {plan.lifetime_cost_vnd}, checker {lifetime}")
    broken += [f"locked option {name} is not built" for name in wish.locked_options if name not in built]
    broken += [f"forbidden option {name} is built" for name in wish.forbidden_options if name in built]
    broken += [f"required hamlet {name} is not served" for name in wish.required_hamlets if name not in served]
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


def _exclusive_faults(options: pd.DataFrame, conflicts: list[tuple[str, str]]) -> list[str]:
    seen: dict[int, str] = {}
    built = set(options["option_id"])
    faults = [f"options {a} and {b} exclude each other" for a, b in conflicts if a in built and b in built]
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
    stays = np.ones(len(baseline.network.row), dtype=bool)
    for option in chosen.tolist():
        stays[part.replaces[option]] = False
    built = np.isin(part.sector_option, chosen)

    def served_by(
        site_rc: NDArray[np.float64], sectors: Sectors, which: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.bool_]]:
        picked = Sectors(**{f.name: getattr(sectors, f.name)[which] for f in fields(Sectors)})
        rsrp, _ = signal_at(
            baseline.terrain, site_rc, picked, len(part.layers), demand.cell_rc[cells], rx_height_m=radio.rx_height_m,
            range_m=radio.range_km * 1000, model=radio.propagation,
            surroundings=radio.surroundings.made(), threads=scenario.solver.threads,
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

    old = served_by(baseline.network.site_rc, baseline.network.sectors, stays)
    # What stood before decides whose word counts, so it is needed with the sectors that come down, too.
    lost = served_by(baseline.network.site_rc, baseline.network.sectors, ~stays)
    before = {operator: old[operator] | lost[operator] for operator in old}
    new = served_by(part.site_rc, part.sectors, built)
    hamlets, weight = baseline.part.layers.hamlets, demand.weight
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
        states[hamlet] = max(
            _hamlet_state(demand, weight, hamlet, heard(asked), declared) for asked in everyone or [own]
        )
    return states


class _Heard(NamedTuple):
    """(C,) cells served before the plan, by what stays of that, and by what the plan adds."""

    before: NDArray[np.bool_]
    old: NDArray[np.bool_]
    new: NDArray[np.bool_]


def _hamlet_state(demand: Demand, weight: NDArray[np.int64], hamlet: int, heard: _Heard, said: str | None) -> int:
    before, old, new = heard
    lo, hi = np.searchsorted(demand.group_hamlet, [hamlet, hamlet + 1])
    groups = [demand.group_cell[demand.group_indptr[g] : demand.group_indptr[g + 1]] for g in range(lo, hi)]
    need = demand.group_need[lo:hi].tolist()
    level = [TRANG if kind == CENTRE else LOM for kind in demand.group_kind[lo:hi]]

    def met(served: list[NDArray[np.bool_]]) -> list[bool]:
        return [int(weight[c][s].sum()) >= n for c, s, n in zip(groups, served, need, strict=True)]

    def worst(met: list[bool]) -> int:
        return max([SERVED, *(state for state, enough in zip(level, met, strict=True) if not enough)])

    modelled = met([before[cells] for cells in groups])
    excused = [False] * len(groups)
    trusted = [before[cells] & old[cells] for cells in groups]
    distrusted = [np.zeros(len(cells), dtype=bool) for cells in groups]
    if said == "served":
        excused = [worst(modelled) != SERVED] * len(groups)
    elif said == "lom" and len(groups) > 1:
        # The list vouches for the centre; which cluster it means is not said where the model finds none.
        excused = [state == TRANG and not enough for state, enough in zip(level, modelled, strict=True)]
        if all(enough for state, enough in zip(level, modelled, strict=True) if state == LOM):
            trusted = [t if state == TRANG else d for state, t, d in zip(level, trusted, distrusted, strict=True)]
    elif said is not None and STATE_NAMES.index(said) > worst(modelled):
        trusted = distrusted
    after = met([t | new[cells] for t, cells in zip(trusted, groups, strict=True)])
    state = worst([a or e for a, e in zip(after, excused, strict=True)])
    return min(state, LOM) if said == "lom" and len(groups) == 1 else state
