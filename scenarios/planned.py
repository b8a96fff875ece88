"""What the plan really gives: signal again from the physics, and the repair of choices that it contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_map
from phusong.scenarios.baseline import FLOOR_DBM, Baseline, at_cells, served_in_lane
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.demand import groups_met, state_of
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
    rsrp_dbm : (layers, H, W) float32 over candidates.layers
    reached  : (layers, C) bool, service by layer in the demand cells
    state    : (H,) uint8 state of each hamlet
    """

    chosen: NDArray[np.int64]
    removed: NDArray[np.int64]
    sectors: Sectors
    rsrp_dbm: NDArray[np.float32]
    reached: NDArray[np.bool_]
    state: NDArray[np.uint8]


def select(sectors: Sectors, which: NDArray[np.int64] | NDArray[np.bool_]) -> Sectors:
    """Some of the sectors, in the given order."""
    return Sectors(**{name: getattr(sectors, name)[which] for name in Sectors.__dataclass_fields__})


def planned_signal(
    baseline: Baseline, candidates: Candidates, chosen: NDArray[np.int64], radio: Radio, service: Service,
    *, threads: int | None,
) -> Planned:  # fmt: skip
    """Coverage of one part with the options `chosen` built and the sectors they replace taken down."""
    options: dict[str, Any] = {
        "rx_height_m": radio.rx_height_m, "range_m": radio.range_km * 1000, "model": radio.model,
        "threads": threads, "floor_dbm": FLOOR_DBM,
    }  # fmt: skip
    layers = len(candidates.layers)
    removed = removed_sectors(candidates, chosen)
    kept = baseline.signal.rsrp_dbm
    if len(removed):
        # Only cells whose best server comes down change; for them the remaining sectors are computed again.
        lost = np.isin(baseline.signal.server, removed)
        shaded: NDArray[np.bool_] = np.asarray(lost.any(axis=0))
        remaining = select(baseline.network.sectors, np.setdiff1d(np.arange(len(baseline.network.row)), removed))
        again = signal_map(baseline.terrain, baseline.network.site_rc, remaining, len(kept), where=shaded, **options)
        kept = np.where(lost, again.rsrp_dbm, kept)
    kept = _with_layers(kept, layers)
    added = select(candidates.sectors, np.isin(candidates.sector_option, chosen))
    if len(added.location):
        gained = signal_map(baseline.terrain, candidates.site_rc, added, layers, **options).rsrp_dbm
    else:
        gained = np.full_like(kept, np.nan)

    levels = layer_levels_dbm(candidates.layers, radio, service)
    cells = baseline.demand.cell_rc
    kept_reached = served_by_layer(at_cells(kept, cells), levels)
    gained_reached = served_by_layer(at_cells(gained, cells), levels)
    return Planned(
        chosen, removed, added, np.fmax(kept, gained), kept_reached | gained_reached,
        state_after(baseline, baseline.layer_operator(candidates.layers), kept_reached, gained_reached),
    )  # fmt: skip


def removed_sectors(candidates: Candidates, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Standing sectors that come down when the options `chosen` are built."""
    gone = [candidates.replaces[option] for option in chosen]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *gone])).astype(np.int64)


def state_after(
    baseline: Baseline, layer_operator: NDArray[np.int32], kept: NDArray[np.bool_], gained: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """(H,) state of each hamlet, where a standing sector counts only as far as its service was believed."""
    states = []
    for lane in baseline.lanes:
        stays = served_in_lane(kept, layer_operator, lane.operator)[baseline.demand.group_cell] & lane.believed
        served = stays | served_in_lane(gained, layer_operator, lane.operator)[baseline.demand.group_cell]
        states.append(state_of(baseline.demand, ~(groups_met(baseline.demand, served) | lane.declared_met)))
    return np.asarray(np.maximum.reduce(states))


def _with_layers(rsrp_dbm: NDArray[np.float32], layers: int) -> NDArray[np.float32]:
    missing = layers - len(rsrp_dbm)
    return np.concatenate([rsrp_dbm, np.full((missing, *rsrp_dbm.shape[1:]), np.nan, dtype=np.float32)])


def without_offenders(
    problem: Problem, plan: Plan, questions: Sequence[Question], candidates: Sequence[Candidates],
    baselines: Sequence[Baseline], planned: Sequence[Planned],
) -> tuple[Problem, int]:  # fmt: skip
    """The problem with the choices forbidden that the physics contradicts, and how many hamlets they failed.

    A hamlet fails when the plan counts it as cleared and the planned signal does not, or when it was served before
    and no longer is. Choices that take sectors down are to blame first; where none was chosen, the options that
    together were to clear the hamlet may not all be chosen again.
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
                sets.append(tuple(int(o) for o in chosen[covers.sum(axis=1) > 0]))
        hamlet_first += len(question.hamlet_weight)
        cell_first += len(question.cell)
        option_first += len(part.options)
    return replace(problem, forbidden=forbidden & ~problem.locked, forbidden_sets=tuple(sets)), failed


def _takers(
    baseline: Baseline, candidates: Candidates, planned: Planned, hamlets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Chosen options that take down a sector which is the best server somewhere in these hamlets."""
    demand = baseline.demand
    of_group = np.isin(demand.group_hamlet, hamlets)
    cells = demand.cell_rc[demand.group_cell[np.repeat(of_group, np.diff(demand.group_indptr))]]
    servers = np.unique(baseline.signal.server[:, cells[:, 0], cells[:, 1]])
    return np.array([o for o in planned.chosen if np.isin(candidates.replaces[o], servers).any()], dtype=np.int64)
