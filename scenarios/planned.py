"""What the plan really gives: signal again from the physics, and the repair of choices that it contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import SignalMap, signal_at
from phusong.scenarios.area_signal import AreaSignal, area_signal, merged_power, merged_signal, reception
from phusong.scenarios.baseline import Baseline, lane_state, served_in_lane, site_counter
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.framing import Question
from phusong.scenarios.progress import Progress
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
    lost     : (C,) bool demand cells that some hamlet counted on before the plan and may no longer
    """

    chosen: NDArray[np.int64]
    removed: NDArray[np.int64]
    sectors: Sectors
    state: NDArray[np.uint8]
    lost: NDArray[np.bool_]


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
    kept = _kept_at(baseline, candidates, removed, asked, radio, threads)
    gained = np.full_like(kept, np.nan)
    if len(added):
        gained[:, asked], _ = signal_at(
            baseline.terrain, candidates.site_rc, added, len(gained), demand.cell_rc[asked], **reception(radio, threads)
        )
    levels = layer_levels_dbm(candidates.layers, radio, service)
    operator = baseline.layer_operator(candidates.layers)
    state, lost = state_after(baseline, operator, served_by_layer(kept, levels), served_by_layer(gained, levels))
    return Planned(chosen, removed, added, state, lost)


def planned_map(
    baseline: Baseline, candidates: Candidates, planned: Planned, radio: Radio,
    *, threads: int | None, on_progress: Progress | None,
) -> AreaSignal:  # fmt: skip
    """Signal over candidates.layers with the plan built, for pictures and figures by area.

    Servers are numbered as the standing sectors are, those that the plan adds after them.
    """
    terrain, network, cells = baseline.terrain, baseline.network, baseline.demand.cell_rc
    sites = len(np.unique(planned.sectors.location))
    gained, _ = area_signal(
        terrain, candidates.site_rc, planned.sectors, len(candidates.layers), radio, exact_rc=cells, threads=threads,
        on_site=site_counter("planned", sites, on_progress),
    )  # fmt: skip
    down = select(network.sectors, planned.removed)
    gone, _ = area_signal(terrain, network.site_rc, down, len(network.layers), radio, exact_rc=cells, threads=threads)
    kept = _kept_map(baseline, candidates, planned.removed, radio, threads)
    channels, power_mw = merged_power(baseline.signal, gone, gained)
    return AreaSignal(merged_signal(kept, gained.best, len(network.row)), channels, power_mw)


def _kept_at(
    baseline: Baseline, candidates: Candidates, removed: NDArray[np.int64], asked: NDArray[np.int32], radio: Radio,
    threads: int | None,
) -> NDArray[np.float64]:  # fmt: skip
    """(layers, C) what the remaining sectors give, up to date in the demand cells `asked`."""
    kept = np.full((len(candidates.layers), baseline.rsrp_dbm.shape[1]), np.nan)
    standing = len(baseline.rsrp_dbm)
    kept[:standing] = baseline.rsrp_dbm
    # Only cells whose best server comes down change; for them the remaining sectors are computed again.
    lost = np.isin(baseline.server[:, asked], removed)
    shaded = lost.any(axis=0)
    if shaded.any():
        cells = asked[shaded]
        again, _ = signal_at(
            baseline.terrain, baseline.network.site_rc, _remaining(baseline, removed), standing,
            baseline.demand.cell_rc[cells], **reception(radio, threads),
        )  # fmt: skip
        kept[:standing, cells] = np.where(lost[:, shaded], again, kept[:standing, cells])
    return kept


def _kept_map(
    baseline: Baseline, candidates: Candidates, removed: NDArray[np.int64], radio: Radio, threads: int | None
) -> SignalMap:
    """What the remaining sectors give, numbered as they stand today, over the layers of the candidates."""
    kept, server = baseline.signal.rsrp_dbm, baseline.signal.server
    lost = np.isin(server, removed)
    if lost.any():
        again, _ = area_signal(
            baseline.terrain, baseline.network.site_rc, _remaining(baseline, removed), len(kept), radio,
            exact_rc=baseline.demand.cell_rc, threads=threads, where=np.asarray(lost.any(axis=0)),
        )  # fmt: skip
        number = np.append(_staying(baseline, removed), -1).astype(np.int32)  # the last answers for "no server", -1
        kept, server = np.where(lost, again.rsrp_dbm, kept), np.where(lost, number[again.server], server)
    new = (len(candidates.layers) - len(kept), *kept.shape[1:])
    return SignalMap(
        np.concatenate([kept, np.full(new, np.nan, dtype=np.float32)]),
        np.concatenate([server, np.full(new, -1, dtype=np.int32)]),
    )


def _remaining(baseline: Baseline, removed: NDArray[np.int64]) -> Sectors:
    return select(baseline.network.sectors, _staying(baseline, removed))


def _staying(baseline: Baseline, removed: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.setdiff1d(np.arange(len(baseline.network.row)), removed)


def removed_sectors(candidates: Candidates, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Standing sectors that come down when the options `chosen` are built."""
    gone = [candidates.replaces[option] for option in chosen]
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *gone])).astype(np.int64)


def state_after(
    baseline: Baseline, layer_operator: NDArray[np.int32], kept: NDArray[np.bool_], gained: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """(H,) state of each hamlet, where a standing sector counts only as far as its service was believed, and (C,)
    cells where believed service is lost."""
    cell = baseline.demand.group_cell
    states = []
    lost = np.zeros(kept.shape[1], dtype=bool)
    for lane in baseline.lanes:
        stays = served_in_lane(kept[:, cell], layer_operator, lane.entry_operator) & lane.believed
        served = stays | served_in_lane(gained[:, cell], layer_operator, lane.entry_operator)
        states.append(lane_state(baseline.demand, lane, served))
        lost[cell[lane.believed & ~served]] = True
    return np.asarray(np.maximum.reduce(states)), lost


def without_offenders(
    problem: Problem, plan: Plan, questions: Sequence[Question], candidates: Sequence[Candidates],
    baselines: Sequence[Baseline], planned: Sequence[Planned],
) -> tuple[Problem, int]:  # fmt: skip
    """The problem with the choices forbidden that the physics contradicts, and how many hamlets they failed.

    A hamlet fails when the plan counts it as cleared and the planned signal does not, or when it was served before
    and no longer is. Choices that took down what served a cell which it lost are to blame; where there is none, the
    options that together were to clear the hamlet may not all be chosen again. What the planner locked is never
    forbidden.
    """
    forbidden = problem.forbidden.copy()
    sets = list(problem.forbidden_sets)
    failed = hamlet_first = cell_first = option_first = 0
    for question, part, baseline, result in zip(questions, candidates, baselines, planned, strict=True):
        promised = plan.cleared[hamlet_first : hamlet_first + len(question.hamlet)]
        broken = np.flatnonzero((result.state[question.hamlet] != SERVED) & promised)
        uncovered = np.flatnonzero((baseline.state == SERVED) & (result.state != SERVED))
        failed += len(broken) + len(uncovered)
        position = {int(hamlet): int(at) for hamlet, at in zip(question.hamlet[broken], broken, strict=True)}
        for hamlet in [*position, *uncovered.tolist()]:
            takers = option_first + _takers(baseline, part, result, hamlet)
            takers = takers[~problem.locked[takers]]
            forbidden[takers] = True
            if not len(takers) and hamlet in position:
                cells = cell_first + _cells_of(question, position[hamlet])
                chosen = option_first + result.chosen
                together = chosen[problem.covers[chosen][:, cells].sum(axis=1) > 0]
                if not problem.locked[together].all():
                    sets.append(tuple(together.tolist()))
        hamlet_first += len(question.hamlet_weight)
        cell_first += len(question.cell)
        option_first += len(part.options)
    return replace(problem, forbidden=forbidden, forbidden_sets=tuple(sets)), failed


def _cells_of(question: Question, hamlet: int) -> NDArray[np.int32]:
    """Asked cells of a low-signal hamlet, by its position."""
    groups = np.repeat(question.group_hamlet == hamlet, np.diff(question.group_indptr))
    return np.asarray(question.group_cell[groups])


def _takers(baseline: Baseline, candidates: Candidates, planned: Planned, hamlet: int) -> NDArray[np.int64]:
    """Chosen options that took down what served a cell which a hamlet counted on and lost."""
    demand = baseline.demand
    own = demand.group_cell[np.repeat(demand.group_hamlet == hamlet, np.diff(demand.group_indptr))]
    lost = own[planned.lost[own]]
    served = served_by_layer(baseline.rsrp_dbm[:, lost], baseline.levels_dbm)
    servers = np.unique(baseline.server[:, lost][served])
    return np.array([o for o in planned.chosen if np.isin(candidates.replaces[o], servers).any()], dtype=np.int64)
