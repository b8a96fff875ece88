"""One part of a finished run, before and after: what every table and figure is drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.scenarios.area_signal import AreaSignal
from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.connected import Connected, Shares, connected_by_part, settled_options, shares_of
from phusong.scenarios.framing import Question
from phusong.scenarios.pipeline import Run
from phusong.scenarios.planned import Planned
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import SERVED, layer_levels_dbm

MEASURE_COLUMNS = [
    "option_id", "site_id", "kind", "operator", "technology", "band", "height_m", "tower_vnd", "road_vnd", "power_vnd",
    "backhaul_vnd", "radio_vnd", "capex_vnd", "opex_vnd_per_year", "lifetime_vnd", "power", "backhaul", "fibre_km",
    "inferred_km", "evn_confirm",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PartView:
    """One part, before and after; without a decision the plan is empty and after equals before.

    options : the chosen options as they are built, with their backhaul and its cost
    """

    baseline: Baseline
    candidates: Candidates | None
    question: Question | None
    planned: Planned | None
    signal_after: AreaSignal
    chosen: NDArray[np.int64]
    cleared_by: dict[int, list[str]]
    options: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*MEASURE_COLUMNS, "location"]))
    connected: Connected | None = None
    shares: Shares | None = None

    @property
    def rsrp_after_dbm(self) -> NDArray[np.float32]:
        """(layers, H, W)"""
        return self.signal_after.rsrp_dbm

    @property
    def state_after(self) -> NDArray[np.uint8]:
        return self.baseline.state if self.planned is None else self.planned.state

    @property
    def layers(self) -> tuple[tuple[str, str], ...]:
        return self.baseline.network.layers if self.candidates is None else self.candidates.layers


def part_views(run: Run) -> Iterator[PartView]:
    """The parts of a run in order, with or without a decision."""
    decided = run.decided
    connected = [] if decided is None else connected_by_part(decided.plan, decided.candidates)
    for i, baseline in enumerate(run.baselines):
        if decided is None:
            nothing = np.empty(0, dtype=np.int64)
            yield PartView(baseline, None, None, None, baseline.signal, nothing, {})
            continue
        candidates, question, planned = decided.candidates[i], decided.questions[i], decided.planned[i]
        cleared_by = _cleared_by(baseline, candidates, question, planned)
        shares = shares_of(candidates, connected[i])
        options = settled_options(candidates, connected[i], shares, run.scenario.objective.horizon_years)
        yield PartView(
            baseline, candidates, question, planned, decided.signals[i], planned.chosen, cleared_by, options,
            connected[i], shares,
        )  # fmt: skip


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


def served_rasters(view: PartView, scenario: Scenario) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(layers, H, W) service by layer before (over the same layers, new ones empty) and after."""
    levels = layer_levels_dbm(view.layers, scenario.radio, scenario.service)[:, None, None]
    before = np.full(view.rsrp_after_dbm.shape, np.nan, dtype=np.float32)
    before[: len(view.baseline.signal.rsrp_dbm)] = view.baseline.signal.rsrp_dbm
    with np.errstate(invalid="ignore"):
        return before >= levels, view.rsrp_after_dbm >= levels
