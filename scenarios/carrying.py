"""What the plan's options can carry in the busy hour, and what the hamlets to be cleared ask: put to the solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.capacity import sector_load
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at
from phusong.scenarios.area_signal import reception
from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.framing import Question
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.throughput import candidate_radio, rates_of
from phusong.solvers.problem import Load

KBPS_PER_MBPS = 1000.0
NO_LIMIT_KBPS = 10**12


def load_of(
    scenario: Scenario,
    questions: Sequence[Question],
    candidates: Sequence[Candidates],
    baselines: Sequence[Baseline],
) -> Load | None:
    """Loads of all parts, as `capacity.py` counts them; None unless the scenario limits plans by capacity."""
    if not scenario.capacity.limit_plan:
        return None
    option = [
        np.minimum(option_kbps(scenario, q, c, b), backhaul_kbps(c))
        for q, c, b in zip(questions, candidates, baselines, strict=True)
    ]
    group = [group_kbps(scenario, q) for q in questions]
    return Load(np.concatenate(option), np.concatenate(group))


def backhaul_kbps(candidates: Candidates) -> NDArray[np.int64]:
    """(M,) what the best way of each option carries, whichever is chosen; without end where its rate is not known."""
    ways = candidates.ways
    most = np.zeros(len(candidates.options))
    np.maximum.at(most, ways["option"].to_numpy(dtype=np.int64), ways["rate_mbps"].fillna(np.inf).to_numpy(dtype=float))
    most[np.setdiff1d(np.arange(len(most)), ways["option"])] = np.inf
    return np.asarray(np.minimum(most * KBPS_PER_MBPS, float(NO_LIMIT_KBPS)), dtype=np.int64)


def option_kbps(
    scenario: Scenario, question: Question, candidates: Candidates, baseline: Baseline
) -> NDArray[np.int64]:
    """(M,) what each option carries when it alone serves all asked cells that it covers.

    The harmonic mean of each sector's rates over the people whom it serves best, added over the sectors, as far as a
    sector may be busy. Interference is the scenario's margin: of which others are built, nothing is known yet.
    """
    options = len(candidates.options)
    asked = np.flatnonzero(question.cell >= 0)
    cells, place = np.unique(question.cell[asked], return_inverse=True)
    if not options or not len(cells):
        return np.zeros(options, dtype=np.int64)
    sectors = candidates.sectors
    alone = {name: getattr(sectors, name) for name in Sectors.__dataclass_fields__}
    rsrp, server = signal_at(
        baseline.terrain, candidates.site_rc, Sectors(**{**alone, "layer": candidates.sector_option}), options,
        baseline.demand.cell_rc[cells], **reception(scenario.radio, scenario.solver.threads),
    )  # fmt: skip
    rates = rates_of(
        rsrp, server, candidate_radio(candidates, scenario.radio, np.arange(len(sectors))), scenario.throughput,
        channel_power_mw=None, interference_margin_db=scenario.radio.interference_margin_db,
    )  # fmt: skip
    covered = np.zeros((options, len(cells)), dtype=bool)
    row, column = question.covers[:, asked].nonzero()
    covered[row, place[column]] = True
    people = np.where(covered, baseline.demand.weight[cells], 0).astype(np.float64)
    load = sector_load(server, people, rates.download_mbps, len(sectors), scenario.capacity.mbps_per_person)
    mbps = np.bincount(candidates.sector_option, np.nan_to_num(load.capacity_mbps), minlength=options)
    return np.asarray(np.floor(mbps * scenario.capacity.max_utilisation * KBPS_PER_MBPS), dtype=np.int64)


def group_kbps(scenario: Scenario, question: Question) -> NDArray[np.int64]:
    """(G,) busy-hour demand of the cells of each group; a cell of several groups counts in the first."""
    group = np.repeat(np.arange(len(question.group_hamlet)), np.diff(question.group_indptr))
    cell, first = np.unique(question.group_cell, return_index=True)
    own = question.cell[cell] >= 0  # facilities ask for signal; their people are counted at home
    people = np.bincount(group[first][own], question.weight[cell][own], minlength=len(question.group_hamlet))
    return np.asarray(np.ceil(people * scenario.capacity.mbps_per_person * KBPS_PER_MBPS), dtype=np.int64)
