"""What the plan really gives: signal again from the physics, and the repair of choices that it contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at, signal_map
from phusong.scenarios.baseline import (
    FLOOR_DBM,
    Baseline,
    Progress,
    at_cells,
    lane_state,
    served_in_lane,
    site_counter,
)
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.framing import Question
from phusong.scenarios.radio import Radio
from phusong.scenarios.service import SERVED, Service, layer_levels_dbm, served_by_layer
from phusong.solvers.decision import Plan
from phusong.solvers.problem import Problem


@dataclass(frozen=True, slots=True)
class Planned:
    """One part with its chosen options built.

    chosen   : (k,) int64 options of this part
    removed  : (r,) int64 standing sectors that come down
    sectors  : the sectors that go up
    state    : (H,) uint8 state of each hamlet
    """

    chosen: NDArray[np.int64]
    removed: NDArray[np.int64]
    sectors: Sectors
    state: NDArray[np.uint8]


def select(sectors: Sectors, which: NDArray[np.int64] | NDArray[np.bool_]) -> Sectors:
    """Some of the sectors, in the given order."""
    return Sectors(**{name: getattr(sectors, name)[which] for name in Sectors.__dataclass_fields__})


def planned_states(
    baseline: Baseline, candidates: Candidates, chosen: NDArray[np.int64], radio: Radio, service: Service,
    *, threads: int | None,
) -> Planned:  # fmt: skip
    """State of each hamlet with the options `chosen` built and the sectors they replace taken down."""
    removed = removed_sectors(candidates, chosen)
    added = select(candidates.sectors, np.isin(candidates.sector_option, chosen))
    demand = baseline.demand
    asked = np.unique(demand.group_cell)
    where = np.zeros(baseline.part.people.shape, dtype=bool)
    where[tuple(demand.cell_rc[asked].T)] = True
    kept = at_cells(_kept(baseline, candidates, removed, radio, where, threads), demand.cell_rc)
    gained = np.full_like(kept, np.nan)
    if len(added):
        gained[:, asked], _ = signal_at(
            baseline.terrain, candidates.site_rc, added, len(gained), demand.cell_rc[asked],
            **_reception(radio, threads),
        )  # fmt: skip
    levels = layer_levels_dbm(candidates.layers, radio, service)
    operator = baseline.layer_operator(candidates.layers)
    state = state_after(baseline, operator, served_by_layer(kept, levels), served_by_layer(gained, levels))
    return Planned(chosen, removed, added, state)


def planned_map(
    baseline: Baseline, candidates: Candidates, planned: Planned, radio: Radio,
    *, threads: int | None, on_progress: Progress | None,
) -> NDArray[np.float32]:  # fmt: skip
    """(layers, H, W) best signal per layer of candidates.layers with the plan built."""
    kept = _kept(baseline, candidates, planned.removed, radio, np.ones(baseline.part.people.shape, bool), threads)
    if not len(planned.sectors):
        return kept
    sites = len(np.unique(planned.sectors.location))
    gained = signal_map(
        baseline.terrain, candidates.site_rc, planned.sectors, len(kept),
        on_site=site_counter("planned", sites, on_progress), **_reception(radio, threads),
    )  # fmt: skip
    return np.asarray(np.fmax(kept, gained.rsrp_dbm))


def _reception(radio: Radio, threads: int | None) -> dict[str, Any]:
    return {
        "rx_height_m": radio.rx_height_m, "range_m": radio.range_km * 1000, "model": radio.model,
        "threads": threads, "floor_dbm": FLOOR_DBM,
    }  # fmt: skip


def _kept(
    baseline: Baseline, candidates: Candidates, removed: NDArray[np.int64], radio: Radio, where: NDArray[np.bool_],
    threads: int | None,
) -> NDArray[np.float32]:  # fmt: skip
    """(layers, H, W) what the remaining sectors give, up to date in the cells of `where`."""
    kept = baseline.signal.rsrp_dbm
    if len(removed):
        # Only cells whose best server comes down change; for them the remaining sectors are computed again.
        lost = np.isin(baseline.signal.server, removed)
        shaded = np.asarray(lost.any(axis=0)) & where
        remaining = select(baseline.network.sectors, np.setdiff1d(np.arange(len(baseline.network.row)), removed))
        again = signal_map(
            baseline.terrain, baseline.network.site_rc, remaining, len(kept), where=shaded, **_reception(radio, threads)
        )
        kept = np.where(lost & shaded, again.rsrp_dbm, kept)
    missing = len(candidates.layers) - len(kept)
    return np.concatenate([kept, np.full((missing, *kept.shape[1:]), np.nan, dtype=np.float32)])


def removed_sectors(candidates: Candidates, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Standing sectors that come down when the options `chosen` are built."""
    gone = [candidates.replaces[option] for option in chosen]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *gone])).astype(np.int64)


def state_after(
    baseline: Baseline, layer_operator: NDArray[np.int32], kept: NDArray[np.bool_], gained: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """(H,) state of each hamlet, where a standing sector counts only as far as its service was believed."""
    cell = baseline.demand.group_cell
    states = []
    for lane in baseline.lanes:
        stays = served_in_lane(kept[:, cell], layer_operator, lane.entry_operator) & lane.believed
        served = stays | served_in_lane(gained[:, cell], layer_operator, lane.entry_operator)
        states.append(lane_state(baseline.demand, lane, served))
    return np.asarray(np.maximum.reduce(states))


def without_offenders(
    problem: Problem, plan: Plan, questions: Sequence[Question], candidates: Sequence[Candidates],
    baselines: Sequence[Baseline], planned: Sequence[Planned],
) -> tuple[Problem, int]:  # fmt: skip
    """The problem with the choices forbidden that the physics contradicts, and how many hamlets they failed.

    A hamlet fails when the plan counts it as cleared and the planned signal does not, or when it was served before
    and no longer is. Choices that take sectors down are to blame first; where none was chosen, the options that
    together were to clear the hamlet may not all be chosen again. What the planner locked is never forbidden.
    """
    forbidden = problem.forbidden.copy()
    sets = list(problem.forbidden_sets)
    failed = hamlet_first = cell_first = option_first = 0
    for question, part, baseline, result in zip(questions, candidates, baselines, planned, strict=True):
        promised = plan.cleared[hamlet_first : hamlet_first + len(question.hamlet)]
        broken = np.flatnonzero((result.state[question.hamlet] != SERVED) & promised)
        uncovered = np.flatnonzero((baseline.state == SERVED) & (result.state != SERVED))
        failed += len(broken) + len(uncovered)
        takers = _takers(baseline, part, result, np.concatenate([question.hamlet[broken], uncovered]))
        takers = takers[~problem.locked[option_first + takers]]
        if len(takers):
            forbidden[option_first + takers] = True
        elif len(broken):
            chosen = option_first + result.chosen
            for hamlet in broken:
                groups = np.flatnonzero(question.group_hamlet == hamlet)
                cells = np.concatenate(
                    [question.group_cell[question.group_indptr[g] : question.group_indptr[g + 1]] for g in groups]
                )
                covers = problem.covers[chosen][:, cell_first + cells]
                together = chosen[covers.sum(axis=1) > 0]
                if not problem.locked[together].all():
                    sets.append(tuple(together.tolist()))
        hamlet_first += len(question.hamlet_weight)
        cell_first += len(question.cell)
        option_first += len(part.options)
    return replace(problem, forbidden=forbidden, forbidden_sets=tuple(sets)), failed


def _takers(
    baseline: Baseline, candidates: Candidates, planned: Planned, hamlets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Chosen options that take down a sector which is the best server somewhere in these hamlets."""
    demand = baseline.demand
    of_group = np.isin(demand.group_hamlet, hamlets)
    cells = demand.cell_rc[demand.group_cell[np.repeat(of_group, np.diff(demand.group_indptr))]]
    servers = np.unique(baseline.signal.server[:, cells[:, 0], cells[:, 1]])
    return np.array([o for o in planned.chosen if np.isin(candidates.replaces[o], servers).any()], dtype=np.int64)
