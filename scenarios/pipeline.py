"""One run, from the scenario to its result: each step a verb and a value."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phusong.data_sources.area import Area, Part
from phusong.data_sources.reading import read_area
from phusong.scenarios.area_signal import AreaSignal
from phusong.scenarios.baseline import Baseline, compute_baseline
from phusong.scenarios.candidates.build import Candidates, find_candidates
from phusong.scenarios.carrying import load_of
from phusong.scenarios.checker import Verdict, check_plan
from phusong.scenarios.framing import Question, ask, find_targets, pose
from phusong.scenarios.load_check import load_faults
from phusong.scenarios.planned import Planned, planned_map, planned_states, without_offenders
from phusong.scenarios.progress import Progress, stage_progress
from phusong.scenarios.satellite.plan import with_satellites
from phusong.scenarios.satellite.result import SatelliteResult, satellite_result, satellite_skies
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import SERVED
from phusong.solvers.decision import Limits, Plan, cheapest_clearing, max_cleared, min_cost
from phusong.solvers.errors import NoFeasiblePlan, NoPlanInTime
from phusong.solvers.problem import Problem

REPAIRS = 3


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision and all that led to it, part by part.

    signals  : planned signal of each part, over its candidates' layers
    repairs : hamlets that each round of the repair loop found wrongly counted
    cheapest_vnd : budget cost that clears some hamlet, None where no way was found; cheapest_proven: none costs less
    """

    candidates: tuple[Candidates, ...]
    questions: tuple[Question, ...]
    problem: Problem
    plan: Plan
    planned: tuple[Planned, ...]
    signals: tuple[AreaSignal, ...]
    verdict: Verdict
    repairs: tuple[int, ...]
    cheapest_vnd: int | None
    cheapest_proven: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a run worked out; decided: None where only coverage was asked for; satellite: None without."""

    scenario: Scenario
    area: Area
    baselines: tuple[Baseline, ...]
    decided: Decided | None
    seconds: dict[str, float]
    satellite: SatelliteResult | None = None


def run_coverage(scenario: Scenario, base: Path, on_progress: Progress | None = None) -> Run:
    """Read the inputs and compute who has service today. `base` is the data folder."""
    clock = _Clock()
    with clock("reading"):
        area = _read(scenario, base, on_progress)
    with clock("coverage"):
        baselines = _baselines(scenario, area, on_progress)
    return Run(scenario, area, baselines, None, clock.seconds)


def run_plan(scenario: Scenario, base: Path, on_progress: Progress | None = None) -> Run:
    """The whole flow: inputs, coverage, candidates, decision, planned coverage, check. `base` is the data folder.

    Raises the rooms' errors for faults of the input, NoFeasiblePlan when what must be built or cleared cannot be.
    """
    run = run_coverage(scenario, base, on_progress)
    clock = _Clock(run.seconds)
    baselines = run.baselines
    with clock("candidates"):
        candidates = _candidates(scenario, baselines, on_progress)
    if scenario.satellite.enabled:
        with clock("satellite"):
            skies = satellite_skies(scenario, run.area, base, on_progress)
            run = replace(run, satellite=satellite_result(scenario, skies, [b.state != SERVED for b in baselines]))
            scenario, candidates = with_satellites(scenario, baselines, candidates, skies)
    with clock("matrix"):
        questions = _questions(scenario, baselines, candidates, on_progress)
        load = load_of(scenario, questions, candidates, baselines)
    problem = pose(questions, candidates, baselines, scenario.objective, load)

    with clock("decision"):
        plan = _decide(scenario, problem, baselines, on_progress)
    with clock("repair"):
        planned = _planned(scenario, baselines, candidates, plan)
    repairs: list[int] = []
    while len(repairs) < REPAIRS:
        repaired, failed = without_offenders(problem, plan, questions, candidates, baselines, planned)
        if not failed or not _forbids_more(repaired, problem):
            break
        try:
            with clock("decision"):
                again = _decide(scenario, repaired, baselines, on_progress)
        except (NoFeasiblePlan, NoPlanInTime):
            break  # what is forbidden is a guess at the offenders: it proves nothing impossible
        repairs.append(failed)
        problem = repaired
        # What a repair forbids was possible in the question asked: only the first bound is proven of that.
        plan = replace(again, hamlets_bound=plan.hamlets_bound, repeatable=plan.repeatable and again.repeatable)
        with clock("repair"):
            planned = _planned(scenario, baselines, candidates, plan)
    with clock("planned"):
        signals = tuple(
            planned_map(b, c, p, scenario.radio, threads=scenario.solver.threads, on_progress=on_progress)
            for b, c, p in zip(baselines, candidates, planned, strict=True)
        )
    with clock("checker"):
        verdict = check_plan(scenario, baselines, candidates, plan, [p.state for p in planned])
        verdict = replace(verdict, broken=(*verdict.broken, *load_faults(problem, plan)))
    cheapest = cheapest_clearing(problem, low_hamlets(questions))
    decided = Decided(
        candidates, questions, problem, plan, planned, signals, verdict, tuple(repairs),
        cheapest_vnd=None if cheapest is None else cheapest.vnd,
        # A repair forbids guesses at offenders: what is proven then is not proven of the question asked.
        cheapest_proven=cheapest is not None and cheapest.proven and not repairs,
    )  # fmt: skip
    return replace(run, decided=decided, seconds=clock.seconds)


def low_hamlets(questions: Sequence[Question]) -> NDArray[np.bool_]:
    """(H,) of the problem: a low-signal hamlet, not a facility."""
    return np.concatenate([np.arange(len(q.hamlet_weight)) < len(q.hamlet) for q in questions])


def _forbids_more(repaired: Problem, problem: Problem) -> bool:
    return bool(repaired.forbidden.sum() > problem.forbidden.sum()) or set(repaired.forbidden_sets) > set(
        problem.forbidden_sets
    )


def _read(scenario: Scenario, base: Path, on_progress: Progress | None) -> Area:
    area = read_area(scenario.sources(base), progress=on_progress)
    if not scenario.data.drop_sites_share:
        return area
    parts = tuple(
        _with_sites_dropped(part, scenario.data.drop_sites_share, scenario.scenario.seed) for part in area.parts
    )
    return replace(area, parts=parts)


def _with_sites_dropped(part: Part, share: float, seed: int) -> Part:
    sectors = part.layers.sectors
    sites = np.sort(sectors["site_id"].unique().astype(str))
    kept = np.random.default_rng(seed).permutation(sites)[round(share * len(sites)) :]
    frame = sectors[sectors["site_id"].isin(kept)].reset_index(drop=True)
    return replace(part, layers=replace(part.layers, sectors=frame))


def _baselines(scenario: Scenario, area: Area, on_progress: Progress | None) -> tuple[Baseline, ...]:
    return tuple(
        compute_baseline(
            part, scenario.radio, scenario.service, threads=scenario.solver.threads, on_progress=on_progress
        )
        for part in area.parts
    )


def _candidates(
    scenario: Scenario, baselines: Sequence[Baseline], on_progress: Progress | None
) -> tuple[Candidates, ...]:
    return tuple(
        find_candidates(
            b.part, b.network, b.part.layers.sectors, find_targets(b), scenario.radio, scenario.candidates,
            scenario.costs, technology=scenario.service.minimum_technology,
            horizon_years=scenario.objective.horizon_years,
            served_hamlets=b.part.layers.hamlets[b.state == SERVED].reset_index(drop=True),
            on_progress=on_progress,
        )
        for b in baselines
    )  # fmt: skip


def _questions(
    scenario: Scenario, baselines: Sequence[Baseline], candidates: Sequence[Candidates], on_progress: Progress | None
) -> tuple[Question, ...]:
    return tuple(
        ask(
            b, c, scenario.radio, scenario.service, scenario.radio.candidate_range_km,
            threads=scenario.solver.threads, on_progress=on_progress,
        )
        for b, c in zip(baselines, candidates, strict=True)
    )  # fmt: skip


def _decide(scenario: Scenario, problem: Problem, baselines: Sequence[Baseline], on_progress: Progress | None) -> Plan:
    wish, solver = scenario.objective, scenario.solver
    limits = Limits(
        gap=solver.gap, deterministic_limit=solver.deterministic_limit, time_limit_s=solver.time_limit_s,
        seed=scenario.scenario.seed, threads=solver.threads or 2,
    )  # fmt: skip
    if wish.goal == "max_cleared":
        assert wish.budget_vnd is not None  # the scenario's own rule
        return max_cleared(problem, wish.budget_vnd, limits, stage_progress(on_progress))
    return min_cost(
        problem, wish.hamlets_asked(sum(len(b.low) for b in baselines)), limits, stage_progress(on_progress)
    )


def _planned(
    scenario: Scenario, baselines: Sequence[Baseline], candidates: Sequence[Candidates], plan: Plan
) -> tuple[Planned, ...]:
    return tuple(
        planned_states(b, c, chosen, scenario.radio, scenario.service, threads=scenario.solver.threads)
        for b, c, chosen in zip(baselines, candidates, chosen_by_part(plan, candidates), strict=True)
    )


def chosen_by_part(plan: Plan, candidates: Sequence[Candidates]) -> list[NDArray[np.int64]]:
    """The plan's options, numbered within each part."""
    first = np.cumsum([0] + [len(c.options) for c in candidates])
    chosen = np.asarray(plan.chosen, dtype=np.int64)
    return [chosen[(chosen >= a) & (chosen < b)] - a for a, b in pairwise(first)]


class _Clock:
    """Wall seconds by step; a step done twice adds up."""

    def __init__(self, seconds: dict[str, float] | None = None) -> None:
        self.seconds = dict(seconds or {})

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[step] = round(self.seconds.get(step, 0.0) + time.perf_counter() - start, 3)
