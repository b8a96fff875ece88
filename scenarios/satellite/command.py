"""The satellite step alone, from a scenario's files to its result."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from phusong.data_sources.reading import read_area
from phusong.scenarios.baseline import compute_baseline
from phusong.scenarios.satellite.result import Progress, SatelliteResult, satellite_result, satellite_skies
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.service import SERVED


def run_satellite(
    scenario: Scenario, base: Path, *, with_baseline: bool = False, today: date | None = None,
    on_progress: Progress | None = None,
) -> SatelliteResult:  # fmt: skip
    """Read the area and look at its sky. `base` is the data folder.

    with_baseline : compute the standing network's signal too and ask low-signal hamlets only; without it all are asked
    today         : the elements' age is told on this day where the scenario names no `plan_date`
    Whether `satellite.enabled` is set does not matter: who asks for the step gets it.
    Raises the rooms' errors for faults of the input; SkyEmpty, ClimateUnknown.
    """
    area = read_area(scenario.sources(base), progress=on_progress)
    skies = satellite_skies(scenario, area, base, on_progress, today)
    if not with_baseline:
        return satellite_result(scenario, skies)
    baselines = [
        compute_baseline(
            part, scenario.radio, scenario.service, threads=scenario.solver.threads, on_progress=on_progress
        )
        for part in area.parts
    ]
    return satellite_result(scenario, skies, [baseline.state != SERVED for baseline in baselines])
