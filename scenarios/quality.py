"""How well a run's network serves, beyond who it reaches: probability of service, speed, load in the busy hour."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.coverage.uncertainty import ServiceProbability
from phusong.scenarios.capacity import CapacityTables, capacity_of
from phusong.scenarios.part_view import PartView
from phusong.scenarios.probability import (
    REASONS,
    Stake,
    hamlet_people,
    measure_first,
    probability_after,
    probability_before,
    stake_of_plan,
)
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.throughput import candidate_radio, standing_radio

LOAD_COLUMNS = ["people", "demand_mbps", "capacity_mbps", "utilisation", "station_utilisation", "overloaded"]


def probabilities(view: PartView, scenario: Scenario) -> tuple[ServiceProbability, ServiceProbability]:
    """Of service of each hamlet of the part, before and after."""
    radio, service = scenario.radio, scenario.service
    before = probability_before(view.baseline, radio, service)
    if view.planned is None:
        return before, before
    after = probability_after(view.baseline, view.planned, view.rsrp_after_dbm, view.layers, radio, service)
    return before, after


def capacity_after(view: PartView, scenario: Scenario) -> CapacityTables:
    """Busy hour and speeds of the part with the plan built; as it stands where none was asked for."""
    baseline, radio = view.baseline, scenario.radio
    of = standing_radio(baseline.part.layers.sectors, baseline.network, radio)
    removed = None
    if view.planned is not None and view.candidates is not None:
        which = np.flatnonzero(np.isin(view.candidates.sector_option, view.chosen))
        of = of.followed_by(candidate_radio(view.candidates, radio, which))
        removed = view.planned.removed
    return capacity_of(
        baseline.part, baseline.demand, view.layers, view.signal_after.rsrp_dbm, view.signal_after.server, of,
        channel_power_mw=view.signal_after.power_mw,
        radio=radio, service=scenario.service, throughput=scenario.throughput, settings=scenario.capacity,
        removed=removed,
    )  # fmt: skip


def with_load(sectors: gpd.GeoDataFrame, view: PartView, load: pd.DataFrame) -> gpd.GeoDataFrame:
    """The part's table of sectors with their load; blank for those that carry no service or come down.

    sectors : the listed ones in their order, then those that the plan adds;  load: `CapacityTables.sectors`
    """
    row, standing = view.baseline.network.row, len(view.baseline.network.row)
    listed = len(view.baseline.part.layers.sectors)
    number = load["sector"].to_numpy(dtype=np.int64)
    at = listed + number - standing
    at[number < standing] = row[number[number < standing]]
    columns = {name: pd.Series(load[name].to_numpy(), index=at).reindex(sectors.index) for name in LOAD_COLUMNS}
    return sectors.assign(**columns)


def worth_measuring(views: Sequence[PartView], scenario: Scenario) -> pd.DataFrame:
    """Hamlets by the value of one measurement on the spot, over all parts; what is at stake is the whole plan's."""
    people = [hamlet_people(view.baseline.demand) for view in views]
    stakes = _stakes(views, people)
    tables = []
    for view, own_people, stake in zip(views, people, stakes, strict=True):
        before = probability_before(view.baseline, scenario.radio, scenario.service)
        table = measure_first(view.baseline, before.cleared, own_people, stake)
        names = view.baseline.part.layers.hamlets.set_index("hamlet_id")[["name", "commune"]]
        tables.append(table.join(names, on="hamlet_id"))
    found = pd.concat(tables, ignore_index=True)
    found = found.sort_values(["value", "hamlet_id"], ascending=[False, True], ignore_index=True)
    found["reason"] = [" / ".join(REASONS[reason]) for reason in found["reason"]]
    columns = ["hamlet_id", "name", "commune", "probability", "flips", "value", "unit", "reason"]
    return found.loc[found["value"] > 0.0, columns].reset_index(drop=True)


def _stakes(views: Sequence[PartView], people: Sequence[np.ndarray]) -> list[Stake | None]:
    """The stake of each part, with the whole plan's averages."""
    first = np.cumsum([0, *(len(own) for own in people)])
    cleared_by = {int(first[i]) + h: options for i, view in enumerate(views) for h, options in view.cleared_by.items()}
    cost = {
        str(option): float(vnd)
        for view in views
        for option, vnd in zip(view.options["option_id"], view.options.get("capex_vnd", ()), strict=True)
    }
    whole = stake_of_plan(cleared_by, cost, np.concatenate(people)) if cleared_by else None
    if whole is None:
        return [None] * len(views)
    pieces = np.split(whole.hamlet_vnd, first[1:-1])
    return [Stake(piece, whole.per_hamlet_vnd, whole.per_person_vnd) for piece in pieces]
