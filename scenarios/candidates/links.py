"""Microwave links of new towers: to a lit mast in sight, or over another new tower that is connected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.coverage.microwave import clearance
from phusong.coverage.terrain import Terrain
from phusong.scenarios.candidates.costs import Works
from phusong.scenarios.candidates.options import NEEDED
from phusong.scenarios.candidates.places import Place
from phusong.scenarios.candidates.survey import Survey
from phusong.scenarios.radio import grid_coordinates

RELAY_PLACES = 4  # most places over which one tower is offered a link: those that are cheapest to connect, then nearest


@dataclass(frozen=True, slots=True)
class LitMasts:
    """Masts with fibre: ids, (P, 2) where in the metric CRS, (P,) height of the dishes above the ground."""

    id: tuple[str, ...]
    xy: NDArray[np.float64]
    height_m: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sight:
    """What S dishes see: one for each place and height that a tower may have there.

    place, height_m : (S,)
    mast   : (S,) int64 nearest lit mast in sight, -1 none
    rank   : (S,) int64 most links in a row to what is lit; 0: no link is possible
    relays : per dish those it may hang on, where it sees no lit mast: of rank below its own, or at a tower with fibre
    """

    place: NDArray[np.int64]
    height_m: NDArray[np.float64]
    mast: NDArray[np.int64]
    rank: NDArray[np.int64]
    relays: tuple[NDArray[np.int64], ...]

    def heights(self, place: int) -> set[float]:
        """Heights at which a tower at this place can have a link."""
        return set(self.height_m[(self.place == place) & (self.rank > 0)].tolist())


def lit_masts(survey: Survey) -> LitMasts:
    """Sites whose backhaul is fibre, with the height of their highest antenna, and PoPs."""
    lit = survey.sectors[survey.sectors["backhaul"] == "fibre"].sort_values("site_id", kind="stable")
    highest = lit.groupby("site_id")["antenna_height_m"].max()
    sites = lit.drop_duplicates("site_id").set_index("site_id").loc[highest.index]
    pops = survey.part.layers.pops
    pop_m = np.full(len(pops), survey.settings.microwave_pop_mast_m)
    return LitMasts(
        (*highest.index.astype(str), *pops["pop_id"].astype(str)),
        np.concatenate([_xy(sites), _xy(pops)]),
        np.concatenate([highest.to_numpy(dtype=np.float64), pop_m]),
    )


def sight_of(survey: Survey, places: Sequence[Place], works: Sequence[Works], masts: LitMasts) -> Sight:
    """What dishes at the top of new towers see; nothing is looked at where no road goes."""
    settings, heights = survey.settings, np.array(survey.settings.heights_m)
    reached = np.flatnonzero([np.isfinite(work.access_km) for work in works])
    place = np.repeat(reached, len(heights))
    height_m = np.tile(heights, len(reached))
    xy = np.array([p.xy for p in places], dtype=np.float64).reshape(-1, 2)[place]
    mast = _nearest_mast(survey, xy, height_m, masts)
    fibre_vnd = np.array([works[p].fibre_vnd for p in place.tolist()], dtype=np.float64)
    if "fibre" not in settings.backhaul:
        fibre_vnd = np.full(len(place), np.inf)
    nobody = [np.empty(0, dtype=np.int64)] * len(place)
    seen = _seen(survey, place, xy, height_m, mast) if settings.microwave_over_new_towers else nobody
    rank = _ranks(mast, seen, np.isfinite(fibre_vnd), settings.microwave_hops)

    link_vnd = np.where(mast >= 0, survey.costs.microwave_link_vnd.value, np.inf)
    connect_vnd = np.minimum(fibre_vnd, link_vnd)
    relays = []
    for dish, others in enumerate(seen):
        usable = others[np.isfinite(fibre_vnd[others]) | ((rank[others] > 0) & (rank[others] < rank[dish]))]
        if mast[dish] >= 0 or rank[dish] == 0 or not len(usable):
            relays.append(np.empty(0, dtype=np.int64))
            continue
        distance_m = np.hypot(*(xy[usable] - xy[dish]).T)
        best = usable[np.lexsort((usable, distance_m, connect_vnd[usable]))]
        first = np.sort(np.unique(place[best], return_index=True)[1])[:RELAY_PLACES]
        relays.append(np.sort(usable[np.isin(place[usable], place[best[first]])]))
    return Sight(place, height_m, mast, rank, tuple(relays))


def backhaul_ways(
    survey: Survey, options: pd.DataFrame, node: dict[str, int], sight: Sight | None, site_of_place: Sequence[str],
    masts: LitMasts, horizon_years: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows for `Candidates.ways`: fibre, then microwave, of the options that need backhaul.

    A link that the option's own trench beats is left out.
    """
    settings, costs = survey.settings, survey.costs
    needed = options[options["backhaul"] == NEEDED]
    rows: list[dict[str, Any]] = []
    fibre_row: dict[int, int] = {}
    if "fibre" in settings.backhaul:
        for option in needed[needed["fibre_alone_vnd"].gt(0) | needed["fibre_km"].notna()].itertuples():
            hub = settings.microwave_hub_links if option.kind == "new-site" else 0
            fibre_row[option.Index] = len(rows)
            rows.append({"option": option.Index, "kind": "fibre", "node": node[option.site_id], "relay_most": hub})
    if sight is None:
        return rows

    number = {(site_of_place[p], h): d for d, (p, h) in enumerate(zip(sight.place, sight.height_m, strict=True))}
    options_at: list[list[int]] = [[] for _ in range(len(sight.place))]
    towers = needed[needed["kind"] == "new-site"]
    for option in towers.itertuples():
        options_at[number[option.site_id, option.height_m]].append(option.Index)
    capex, opex = round(costs.microwave_link_vnd.value), round(costs.microwave_vnd_per_year.value)
    beaten = _beaten(survey, options, fibre_row, capex, opex, horizon_years)
    linked = [(o, d) for d, own in enumerate(options_at) if sight.rank[d] > 0 for o in own if o not in beaten]
    link_row = {option: len(rows) + k for k, (option, _) in enumerate(linked)}
    for option, dish in linked:
        row: dict[str, Any] = {
            "option": option, "kind": "microwave", "capex_vnd": capex, "opex_vnd_per_year": opex,
            "lifetime_vnd": capex + horizon_years * opex, "rate_mbps": settings.microwave_mbps,
            "relay_most": settings.microwave_relays,
        }  # fmt: skip
        if (mast := int(sight.mast[dish])) >= 0:
            row |= {
                "end_id": masts.id[mast], "end_x": masts.xy[mast, 0], "end_y": masts.xy[mast, 1],
                "end_height_m": masts.height_m[mast],
            }  # fmt: skip
        else:
            over = [(o, int(d)) for d in sight.relays[dish] for o in options_at[d]]
            by_fibre = [fibre_row[o] for o, _ in over if o in fibre_row]
            by_link = [link_row[o] for o, d in over if 0 < sight.rank[d] < sight.rank[dish] and o in link_row]
            row["relays"] = tuple(sorted(by_fibre + by_link))
        rows.append(row)
    return rows


def _beaten(
    survey: Survey, options: pd.DataFrame, fibre_row: dict[int, int], capex_vnd: int, opex_vnd: int, horizon_years: int
) -> set[int]:
    """Options whose own trench, shared with nobody, costs no more than a link at once and over the horizon: no plan
    is better for the link."""
    settings = survey.settings
    if settings.microwave_hub_links < settings.microwave_relays:
        return set()
    by_fibre = options.loc[list(fibre_row)]
    upkeep_vnd = by_fibre["fibre_km"] * survey.costs.fibre_vnd_per_km_per_year.value
    alone = by_fibre["fibre_alone_vnd"]
    cheaper = (alone <= capex_vnd) & (alone + horizon_years * upkeep_vnd <= capex_vnd + horizon_years * opex_vnd)
    return set(by_fibre.index[cheaper].tolist())


def _xy(points: Any) -> NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(points.geometry.values).reshape(-1, 2), dtype=np.float64)


def _in_sight(
    survey: Survey, from_xy: NDArray[np.float64], from_m: NDArray[np.float64], to_xy: NDArray[np.float64],
    to_m: NDArray[np.float64],
) -> NDArray[np.bool_]:  # fmt: skip
    part, settings = survey.part, survey.settings
    rc = [grid_coordinates(part.box, xy[:, 0], xy[:, 1]) for xy in (from_xy, to_xy)]
    terrain = Terrain(part.height_m, part.cell_m)
    clear = clearance(terrain, rc[0], from_m, rc[1], to_m, settings.microwave_ghz)
    return np.asarray(clear >= settings.microwave_clearance)  # NaN: unknown ground is no sight


def _nearest_mast(
    survey: Survey, xy: NDArray[np.float64], height_m: NDArray[np.float64], masts: LitMasts
) -> NDArray[np.int64]:
    nearest = np.full(len(xy), -1, dtype=np.int64)
    if not len(xy) or not len(masts.id):
        return nearest
    near = cKDTree(xy).query_ball_tree(cKDTree(masts.xy), survey.settings.microwave_km * 1000.0)
    dish = np.repeat(np.arange(len(xy)), [len(n) for n in near])
    mast = np.array([m for n in near for m in sorted(n)], dtype=np.int64)
    clear = _in_sight(survey, xy[dish], height_m[dish], masts.xy[mast], masts.height_m[mast])
    dish, mast = dish[clear], mast[clear]
    order = np.lexsort((mast, np.hypot(*(xy[dish] - masts.xy[mast]).T), dish))
    first = np.unique(dish[order], return_index=True)
    nearest[first[0]] = mast[order][first[1]]
    return nearest


def _seen(
    survey: Survey, place: NDArray[np.int64], xy: NDArray[np.float64], height_m: NDArray[np.float64],
    mast: NDArray[np.int64],
) -> list[NDArray[np.int64]]:  # fmt: skip
    """Per dish the dishes of other places that it sees, ascending; only where one of the two sees no lit mast."""
    if not len(xy):
        return []
    pair = cKDTree(xy).query_pairs(survey.settings.microwave_km * 1000.0, output_type="ndarray")
    a, b = pair.T
    wanted = (place[a] != place[b]) & ((mast[a] < 0) | (mast[b] < 0))
    a, b = a[wanted], b[wanted]
    clear = _in_sight(survey, xy[a], height_m[a], xy[b], height_m[b])
    one, other = np.concatenate([a[clear], b[clear]]), np.concatenate([b[clear], a[clear]])
    order = np.lexsort((other, one))
    return np.split(other[order].astype(np.int64), np.searchsorted(one[order], np.arange(1, len(xy))))


def _ranks(
    mast: NDArray[np.int64], seen: list[NDArray[np.int64]], with_fibre: NDArray[np.bool_], hops: int
) -> NDArray[np.int64]:
    """Links in a row at most: 1 to a lit mast, one more than the dish it hangs on; no circle can come of it."""
    rank = (mast >= 0).astype(np.int64)
    for next_rank in range(2, hops + 1):
        behind = [d for d in np.flatnonzero(rank == 0).tolist() if (rank[seen[d]] > 0).any()]
        rank[behind] = next_rank
    only_fibre = [d for d in np.flatnonzero(rank == 0).tolist() if with_fibre[seen[d]].any()]
    rank[only_fibre] = 1
    return rank
