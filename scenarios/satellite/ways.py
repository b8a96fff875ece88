"""Backhaul by satellite for new stations: what it costs, carries and stands, and until when it may be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.options import NEEDED, Candidates
from phusong.scenarios.candidates.ways import way_table
from phusong.scenarios.satellite.ground import Mask
from phusong.scenarios.satellite.homes import licensed
from phusong.scenarios.satellite.links import DOWN, UP, WEATHER, Link, geo_link, leo_link
from phusong.scenarios.satellite.result import PartSky
from phusong.scenarios.satellite.settings import Satellite, Terminal
from phusong.scenarios.satellite.sky import terminal_at
from phusong.scenarios.scenario import Scenario

# The caps under which every way by low orbit, and every way by a geostationary satellite, counts.
LEO_TERMINALS, GEO_LINKS = "leo-terminals", "geo-links"
SMALL = "small-cell"
FRONTHAUL = "remote-radio"  # a radio head apart from its station: gigabits within 0.1 ms, over fibre only


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """What a terminal gives at N places: rate [Mbps] while it is up, and the share of the time that it is."""

    rate_mbps: NDArray[np.float64]
    availability: NDArray[np.float64]


def satellite_ways(scenario: Scenario, baseline: Baseline, candidates: Candidates, sky: PartSky) -> pd.DataFrame:
    """Rows for `with_ways`: by low orbit, then geostationary, of the options that need backhaul.

    Only the kinds that `candidates.backhaul` names, only where the terminal is up for `least_availability` of the time
    and carries `least_backhaul_mbps`: a site terminal for a new site, a community terminal for a small cell, none for a
    remote radio.
    Low orbit is temporary where the horizon goes on after the licence: `until` is its last day, and the lifetime cost
    has the successor in it.
    """
    allowed, settings = scenario.candidates.backhaul, scenario.satellite
    options = candidates.options
    wanted = np.flatnonzero(((options["backhaul"] == NEEDED) & (options["kind"] != FRONTHAUL)).to_numpy())
    rows: list[dict[str, Any]] = []
    if not len(wanted) or not ("leo" in allowed or "geo" in allowed):
        return way_table(rows)
    rc = np.rint(candidates.site_rc[options["location"].to_numpy()[wanted]]).astype(np.int64)
    height, width = baseline.part.height_m.shape
    row, col = sky.ground.cell_of(np.clip(rc[:, 0], 0, height - 1), np.clip(rc[:, 1], 0, width - 1))
    small = (options["kind"] == SMALL).to_numpy()[wanted]
    geo = _geo_feed(settings, sky, row, col) if sky.best_geo is not None else None
    horizon, start = scenario.objective.horizon_years, scenario.objective.price_year
    if "leo" in allowed and sky.leo is not None:
        for terminal, here in ((settings.leo.site, ~small), (settings.leo.community, small)):
            feed = _leo_feed(settings, sky, terminal, row[here], col[here])
            able = _enough(settings, feed)
            after = np.zeros(len(able), np.bool_) if geo is None else _enough(settings, geo)[here]
            end = _licence(settings, horizon, start)
            for place in np.flatnonzero(able).tolist():
                money = leo_money(settings, terminal, horizon, start, by_geo=bool(after[place]))
                rows.append(_row(wanted[here][place], "leo", money, feed, place) | end)
    if "geo" in allowed and geo is not None:
        money = lasting_money(settings.geo.site, horizon)
        able = _enough(settings, geo)
        count = {"cap": GEO_LINKS}
        rows += [_row(wanted[place], "geo", money, geo, place) | count for place in np.flatnonzero(able).tolist()]
    return way_table(rows)


def satellite_caps(scenario: Scenario, skies: Sequence[PartSky]) -> dict[str, int]:
    """Most ways of each cap over the whole plan: the licence's terminals, and what leased transponders carry."""
    settings = scenario.satellite
    terminals = licensed(settings, [sky.ground for sky in skies], scenario.service.household_people)
    return {LEO_TERMINALS: terminals, GEO_LINKS: _geo_links(settings, skies)}


def _geo_links(settings: Satellite, skies: Sequence[PartSky]) -> int:
    """Committed rates of sites that the transponders carry at the middle of the area's links."""
    geo = settings.geo
    best = [sky.best_geo.site_down_bps for sky in skies if sky.best_geo is not None]
    bits = np.concatenate([raster[np.isfinite(raster)] for raster in best]) if best else np.empty(0)
    mbps = float(np.median(bits)) * geo.down.bandwidth_mhz * geo.transponders if bits.size else 0.0
    return int(mbps / geo.site.rate_down_mbps)


def years_licensed(settings: Satellite, horizon_years: int, start_year: int) -> float:
    """Years of the horizon, from the start of the price year, that the licence covers."""
    end = date.fromisoformat(settings.licence.until)
    days = (end - date(start_year, 1, 1)).days + 1
    return float(np.clip(days / 365.25, 0.0, horizon_years))


def is_temporary(settings: Satellite, horizon_years: int, start_year: int) -> bool:
    """Whether the horizon goes on after the licence."""
    return date.fromisoformat(settings.licence.until) < date(start_year + horizon_years - 1, 12, 31)


def leo_money(
    settings: Satellite, terminal: Terminal, horizon_years: int, start_year: int, *, by_geo: bool
) -> tuple[int, int, int]:
    """Capex, opex a year and lifetime cost [VND]; after the licence the successor's, where the place sees it.

    by_geo : a geostationary satellite can take over there; else the licence is taken to be renewed
    """
    capex, opex = terminal.capex_vnd.value, terminal.opex_vnd_per_year.value
    lasts = not is_temporary(settings, horizon_years, start_year)
    if lasts or settings.licence.successor == "renewed" or not by_geo:
        return round(capex), round(opex), round(capex + horizon_years * opex)
    years, after = years_licensed(settings, horizon_years, start_year), settings.geo.site
    later = after.capex_vnd.value + (horizon_years - years) * after.opex_vnd_per_year.value
    return round(capex), round(opex), round(capex + years * opex + later)


def lasting_money(terminal: Terminal, horizon_years: int) -> tuple[int, int, int]:
    """Capex, opex a year and lifetime cost [VND] of a terminal without an end."""
    capex, opex = terminal.capex_vnd.value, terminal.opex_vnd_per_year.value
    return round(capex), round(opex), round(capex + horizon_years * opex)


def _licence(settings: Satellite, horizon_years: int, start_year: int) -> dict[str, Any]:
    temporary = is_temporary(settings, horizon_years, start_year)
    return {"cap": LEO_TERMINALS, "until": settings.licence.until if temporary else ""}


def _row(option: int, kind: str, money: tuple[int, int, int], feed: Feed, place: int) -> dict[str, Any]:
    capex, opex, lifetime = money
    return {
        "option": int(option), "kind": kind, "capex_vnd": capex, "opex_vnd_per_year": opex, "lifetime_vnd": lifetime,
        "rate_mbps": round(float(feed.rate_mbps[place]), 1),
        "availability": round(float(feed.availability[place]), 5),
    }  # fmt: skip


def _enough(settings: Satellite, feed: Feed) -> NDArray[np.bool_]:
    return np.asarray(
        (np.nan_to_num(feed.availability) >= settings.least_availability)
        & (np.nan_to_num(feed.rate_mbps) >= settings.least_backhaul_mbps - 1e-6)
    )


def _leo_feed(
    settings: Satellite, sky: PartSky, terminal: Terminal, row: NDArray[np.int64], col: NDArray[np.int64]
) -> Feed:
    assert sky.leo is not None  # the caller's own test
    assert sky.found is not None
    link = leo_link(settings.leo, terminal, sky.found.altitude_km, 0)
    found = terminal_at(sky.ground, sky.leo, settings, sky.found, terminal, row, col)
    return _feed(found, sky.leo.seen.share_1[row, col], link, terminal, settings.leo.overhead)


def _geo_feed(settings: Satellite, sky: PartSky, row: NDArray[np.int64], col: NDArray[np.int64]) -> Feed:
    best, terminal = sky.best_geo, settings.geo.site
    assert best is not None  # the caller's own test
    found = np.stack([best.site_weather[row, col], best.site_down_bps[row, col], best.site_up_bps[row, col]])
    seen = best.seen.visible[row, col].astype(np.float32)
    return _feed(found, seen, geo_link(settings.geo, terminal, 0), terminal, 0.0)


def _feed(found: Mask, seen: Mask, link: Link, terminal: Terminal, overhead: float) -> Feed:
    """The link's own rate, at most what is sold; less in proportion where the uplink carries less than is sold."""
    down = np.nan_to_num(found[DOWN]).astype(np.float64) * link.symbols_down_mbaud * (1.0 - overhead)
    up = np.nan_to_num(found[UP]).astype(np.float64) * link.symbols_up_mbaud * (1.0 - overhead)
    rate = np.minimum(down, terminal.rate_down_mbps) * np.minimum(up / terminal.rate_up_mbps, 1.0)
    return Feed(rate, np.nan_to_num(found[WEATHER] * seen).astype(np.float64))
