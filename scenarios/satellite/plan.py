"""Satellites in a plan: their ways of backhaul among the candidates', and the caps under which they count."""

from __future__ import annotations

from collections.abc import Sequence

from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.options import Candidates, with_ways
from phusong.scenarios.satellite.result import PartSky
from phusong.scenarios.satellite.ways import satellite_caps, satellite_ways
from phusong.scenarios.scenario import Scenario


def with_satellites(
    scenario: Scenario, baselines: Sequence[Baseline], candidates: Sequence[Candidates], skies: Sequence[PartSky]
) -> tuple[Scenario, tuple[Candidates, ...]]:
    """The candidates with satellite ways, and the scenario with the caps of the licence and the transponders.

    A cap that the scenario names itself stays where it is the smaller one; a cap that no way counts under is left out.
    """
    more = [
        satellite_ways(scenario, baseline, own, sky)
        for baseline, own, sky in zip(baselines, candidates, skies, strict=True)
    ]
    joined = tuple(with_ways(own, ways) for own, ways in zip(candidates, more, strict=True))
    used = {cap for ways in more for cap in ways["cap"] if cap}
    caps = dict(scenario.objective.caps)
    for name, most in satellite_caps(scenario, skies).items():
        given = caps.pop(name, most)
        if name in used:
            caps[name] = min(most, given)
    objective = scenario.objective.model_copy(update={"caps": caps})
    return scenario.model_copy(update={"objective": objective}), joined
