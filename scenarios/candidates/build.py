"""All candidates of one part: what can be improved, what can be built, and what each would cost."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd

from phusong.data_sources.area import Part
from phusong.scenarios.candidates.aim import LowSignal
from phusong.scenarios.candidates.ground import Ground
from phusong.scenarios.candidates.improve import add_improvements
from phusong.scenarios.candidates.links import backhaul_ways, lit_masts, sight_of
from phusong.scenarios.candidates.options import Candidates, OptionList, with_ways
from phusong.scenarios.candidates.places import hamlet_centres, peaks, tower_places
from phusong.scenarios.candidates.repeaters import find_repeaters
from phusong.scenarios.candidates.settings import CandidateSettings, Costs
from phusong.scenarios.candidates.stations import (
    add_remote_radios,
    add_repeaters,
    add_small_cells,
    add_towers,
)
from phusong.scenarios.candidates.survey import Survey
from phusong.scenarios.candidates.targets import Targets
from phusong.scenarios.candidates.ways import way_table
from phusong.scenarios.candidates.works import lay
from phusong.scenarios.radio import Network, Radio

__all__ = ["Candidates", "find_candidates", "with_ways"]

STEPS = 4


def find_candidates(
    part: Part,
    network: Network,
    sector_frame: gpd.GeoDataFrame,
    targets: Targets,
    radio: Radio,
    settings: CandidateSettings,
    costs: Costs,
    *,
    technology: str,
    horizon_years: int,
    served_hamlets: gpd.GeoDataFrame,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Candidates:
    """What can be built or improved for the low-signal hamlets of a part, with its cost, and its ways of backhaul.

    sector_frame   : the site list behind `network` (schema `sectors`, CRS of the part)
    technology     : the minimum technology; new stations are of it
    served_hamlets : the other hamlets: where they have grid electricity a new site can draw from
    on_progress    : called with ("candidates", steps done, steps)
    Options come in the order: improvements of what stands, remote radios, small cells, repeaters, new towers. Without
    low-signal hamlets there are none. Raises UnusableBand, NoOperatorKnown.
    """

    def advance(step: int) -> None:
        if on_progress is not None:
            on_progress("candidates", step, STEPS)

    ground = Ground(part, costs.slope_surcharge_per_unit_slope.value)
    low = LowSignal(part, targets, ground)
    survey = Survey(part, network, sector_frame, targets, ground, low, radio, settings, costs, technology)
    options = OptionList(part, list(network.layers), horizon_years, network.sectors.pattern.table)

    advance(0)
    add_improvements(survey, options)
    advance(1)
    peak_xy = peaks(survey)
    remote = hamlet_centres(survey, options) if "remote-radio" in settings.kinds else []
    small = hamlet_centres(survey, options, "small-cell") if "small-cell" in settings.kinds else []
    repeaters = find_repeaters(survey, peak_xy, options) if "repeater" in settings.kinds else []
    towers = tower_places(survey, peak_xy, options) if "new-site" in settings.kinds else []
    advance(2)
    places = [*remote, *small, *(repeater.place for repeater in repeaters), *towers]
    laid = lay(survey, places, served_hamlets, horizon_years)
    advance(3)
    pole, first = len(remote), len(remote) + len(small)
    second = first + len(repeaters)
    add_remote_radios(survey, options, remote, laid.works[:pole])
    add_small_cells(survey, options, small, laid.works[pole:first])
    add_repeaters(survey, options, repeaters, laid.works[first:second])
    masts = lit_masts(survey)
    sight = sight_of(survey, towers, laid.works[second:], masts) if "microwave" in settings.backhaul else None
    add_towers(survey, options, towers, laid.works[second:], sight)
    candidates = options.finished(laid.routes, laid.network, laid.inferred)
    sites = [place.site_id for place in towers]
    ways = backhaul_ways(survey, candidates.options, laid.node, sight, sites, masts, horizon_years)
    advance(STEPS)
    return with_ways(candidates, way_table(ways))
