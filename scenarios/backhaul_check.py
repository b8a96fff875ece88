"""The checker on backhaul: each rule told anew from the tables and the terrain, sharing no step with the solver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.coverage.microwave import clearance
from phusong.coverage.terrain import Terrain
from phusong.data_sources.area import Part
from phusong.scenarios.baseline import Baseline
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.radio import grid_coordinates
from phusong.scenarios.scenario import Scenario
from phusong.solvers.decision import Plan

SAME_PLACE_M = 1.0
COUNTED_UNDER = {"leo": "leo-terminals", "geo": "geo-links"}  # the licence's terminals, the transponders' links


@dataclass(frozen=True, slots=True)
class BackhaulVerdict:
    """Broken rules, and what ways and trenches cost: against the budget and over the lifetime."""

    broken: tuple[str, ...]
    budget_vnd: int
    lifetime_vnd: int


def check_backhaul(
    scenario: Scenario, baselines: Sequence[Baseline], candidates: Sequence[Candidates], plan: Plan
) -> BackhaulVerdict:
    """Whether every chosen option is connected, by what is built and as often as it may be, and for how much."""
    broken: list[str] = []
    ways = [-1] * len(plan.chosen) if not len(plan.way) else [int(w) for w in plan.way]
    if len(ways) != len(plan.chosen):
        return BackhaulVerdict((f"{len(plan.chosen)} options chosen, {len(ways)} ways named",), 0, 0)
    trenches = [int(t) for t in plan.trenches]
    if len(set(trenches)) < len(trenches):
        broken.append("a trench is dug twice")
    counted = "trench_vnd" if scenario.objective.budget_counts == "capex" else "lifetime_vnd"
    way_counted = "capex_vnd" if scenario.objective.budget_counts == "capex" else "lifetime_vnd"
    budget = lifetime = trench = first_option = first_way = first_edge = 0
    cap_of: dict[str, int] = {}
    new_of: dict[str, int] = {}
    for baseline, part in zip(baselines, candidates, strict=True):
        options, edges = len(part.options), len(part.network.start)
        chosen = {
            int(o) - first_option: (w - first_way if w >= 0 else -1)
            for o, w in zip(plan.chosen, ways, strict=True)
            if first_option <= o < first_option + options
        }
        dug = [t - first_edge for t in sorted(set(trenches)) if first_edge <= t < first_edge + edges]
        built = _BuiltPart(scenario, baseline.part, part, chosen, dug)
        broken += [*built.faults()]
        taken = part.ways.iloc[built.rows]
        digging = int(getattr(part.network, counted)[dug].sum())
        trench += digging
        budget += digging + sum(int(v) for v in taken[way_counted])
        lifetime += int(part.network.lifetime_vnd[dug].sum()) + sum(int(v) for v in taken["lifetime_vnd"])
        for name in taken["cap"]:
            cap_of[name] = cap_of.get(name, 0) + 1
        for option in chosen:
            row = part.options.iloc[option]
            if part.sites["status"].iloc[int(row["location"])] == "new":
                new_of[row["operator"]] = new_of.get(row["operator"], 0) + 1
        first_option, first_way, first_edge = first_option + options, first_way + len(part.ways), first_edge + edges
    if any(not 0 <= t < first_edge for t in trenches):
        broken.append("a trench is dug where there is no edge")
    if trench != plan.trench_vnd:
        broken.append(f"trenches: plan says {plan.trench_vnd}, checker {trench}")
    wish = scenario.objective
    broken += [f"cap {n}: {cap_of.get(n, 0)} of {most}" for n, most in wish.caps.items() if cap_of.get(n, 0) > most]
    broken += [
        f"new sites of {n}: {new_of.get(n, 0)} of {most}"
        for n, most in wish.sites_per_operator.items()
        if new_of.get(n, 0) > most
    ]
    return BackhaulVerdict(tuple(broken), budget, lifetime)


class _BuiltPart:
    """One part with its chosen options, the way of each, and the edges that are dug."""

    def __init__(
        self, scenario: Scenario, part: Part, candidates: Candidates, chosen: dict[int, int], dug: list[int]
    ) -> None:
        self.scenario, self.part, self.candidates, self.chosen, self.dug = scenario, part, candidates, chosen, dug
        self.rows = sorted({w for w in chosen.values() if 0 <= w < len(candidates.ways)})
        self.ways = candidates.ways.iloc[self.rows].assign(row=self.rows).set_index("row")

    def faults(self) -> Iterator[str]:
        yield from self._each_has_its_way()
        yield from self._fibre_arrives()
        yield from self._prices()
        hanging = self._hanging()
        yield from self._hops(hanging)
        yield from self._relays_are_not_crowded()
        yield from self._sight(hanging)

    def _name(self, option: int) -> str:
        return str(self.candidates.options["option_id"].iloc[option])

    def _each_has_its_way(self) -> Iterator[str]:
        owner = self.candidates.ways["option"].to_numpy()
        for option, way in self.chosen.items():
            needs = self.candidates.options["backhaul"].iloc[option] == "needed"
            if needs and not 0 <= way < len(owner):
                yield f"option {self._name(option)} has no backhaul"
            elif not needs and way != -1:
                yield f"option {self._name(option)} stands connected and is given a way"
            elif needs and owner[way] != option:
                yield f"option {self._name(option)} is given the way of {self._name(int(owner[way]))}"
            elif self.candidates.options["kind"].iloc[option] == "remote-radio" and self.ways["kind"][way] != "fibre":
                yield f"option {self._name(option)} is a remote radio without fibre"

    def _fibre_arrives(self) -> Iterator[str]:
        network = self.candidates.network
        neighbours: dict[int, list[int]] = {}
        for edge in self.dug:
            a, b = int(network.start[edge]), int(network.end[edge])
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
        for row, way in self.ways.iterrows():
            seen, todo = {int(way["node"])}, [int(way["node"])]
            if way["node"] < 0:
                if way["kind"] == "fibre":
                    yield f"way {row} of {self._name(way['option'])}: fibre to nowhere"
                continue
            place = self._place(int(way["option"]))
            if np.hypot(*(network.xy[way["node"]] - place)) > SAME_PLACE_M:
                yield f"way {row} of {self._name(way['option'])}: its fibre ends elsewhere"
            while todo and not (network.lit[todo[-1]] and self._is_lit(network.xy[todo[-1]])):
                at = todo.pop()
                fresh = [n for n in neighbours.get(at, ()) if n not in seen]
                seen.update(fresh)
                todo += fresh
            if not todo:
                yield f"option {self._name(way['option'])}: its fibre reaches nothing that is lit"
            option = self.candidates.options.iloc[int(way["option"])]
            limit_km = self.scenario.candidates.remote_radio_fibre_km
            if option["kind"] == "remote-radio" and option["fibre_km"] > limit_km:
                yield f"option {option['option_id']}: {option['fibre_km']:.1f} km of fibre, {limit_km:g} allowed"

    def _place(self, option: int) -> NDArray[np.float64]:
        point = self.candidates.sites.geometry.iloc[int(self.candidates.options["location"].iloc[option])]
        return np.array([point.x, point.y])

    def _is_lit(self, xy: NDArray[np.float64]) -> bool:
        """Whether the inputs know fibre there: a PoP, a fibre route, a site with fibre."""
        layers, here = self.part.layers, shapely.Point(xy)
        known = (layers.pops, layers.fibre_routes, layers.sectors[layers.sectors["backhaul"] == "fibre"])
        return any(bool((frame.geometry.distance(here) <= SAME_PLACE_M).any()) for frame in known)

    def _prices(self) -> Iterator[str]:
        network, costs, years = self.candidates.network, self.scenario.costs, self.scenario.objective.horizon_years
        for edge in self.dug:
            trench = round(float(network.priced_m[edge]) / 1000.0 * costs.fibre_vnd_per_km.value)
            upkeep = round(float(network.length_m[edge]) / 1000.0 * costs.fibre_vnd_per_km_per_year.value)
            apart_m = float(np.hypot(*(network.xy[network.end[edge]] - network.xy[network.start[edge]])))
            if (
                network.length_m[edge] < apart_m - SAME_PLACE_M
                or network.priced_m[edge] < network.length_m[edge] - 0.01
            ):
                yield f"trench {edge}: shorter, or priced lower, than the way between its ends"
            if abs(int(network.trench_vnd[edge]) - trench) > 1:
                yield f"trench {edge}: {network.trench_vnd[edge]} is not {trench}"
            if abs(int(network.lifetime_vnd[edge]) - int(network.trench_vnd[edge]) - years * upkeep) > years:
                yield f"trench {edge}: lifetime cost {network.lifetime_vnd[edge]} without its upkeep"
        for row, way in self.ways.iterrows():
            if way["cap"] != (counted := COUNTED_UNDER.get(way["kind"], way["cap"])):
                yield f"way {row}: a {way['kind']} link that does not count under {counted}"
            whole = int(way["capex_vnd"]) + years * int(way["opex_vnd_per_year"])
            relieved = self._with_successor(way)
            if way["lifetime_vnd"] != whole and (relieved is None or abs(relieved - way["lifetime_vnd"]) > 1):
                yield f"way {row}: lifetime cost {way['lifetime_vnd']} is not {whole if relieved is None else relieved}"
            if way["kind"] == "microwave" and way["capex_vnd"] != round(costs.microwave_link_vnd.value):
                yield f"way {row}: a microwave link costs {round(costs.microwave_link_vnd.value)}"

    def _with_successor(self, way: pd.Series) -> int | None:
        """Lifetime cost of a link whose licence ends within the horizon, when a geostationary one takes over; None
        where nothing of the kind was said."""
        wish, satellite = self.scenario.objective, self.scenario.satellite
        if not way["until"] or satellite.licence.successor != "geo":
            return None
        days = date.fromisoformat(way["until"]) - date(wish.price_year - 1, 12, 31)
        licensed = min(max(days.days / 365.25, 0.0), float(wish.horizon_years))
        after = satellite.geo.site
        later = after.capex_vnd.value + (wish.horizon_years - licensed) * after.opex_vnd_per_year.value
        return round(int(way["capex_vnd"]) + licensed * int(way["opex_vnd_per_year"]) + later)

    def _hanging(self) -> dict[int, list[int]]:
        """Chosen ways by the chosen ways on which they may hang."""
        own = set(self.rows)
        return {int(row): [r for r in relays if r in own] for row, relays in self.ways["relays"].items() if relays}

    def _hops(self, hanging: dict[int, list[int]]) -> Iterator[str]:
        kind = self.ways["kind"]
        hops = {row: int(kind[row] == "microwave") for row in kind.index if row not in hanging}
        left = dict(hanging)
        while ready := [row for row, relays in left.items() if any(r in hops for r in relays)]:
            for row in ready:
                hops[row] = 1 + min(hops[r] for r in left.pop(row) if r in hops)
        for row in left:
            yield f"option {self._name(self.ways['option'][row])} hangs on no tower that is itself connected"
        most = self.scenario.candidates.microwave_hops
        for row, count in hops.items():
            if kind[row] == "microwave" and count > most:
                yield f"option {self._name(self.ways['option'][row])}: {count} links in a row, {most} allowed"

    def _relays_are_not_crowded(self) -> Iterator[str]:
        on: dict[int, int] = {}
        for relays in self.ways["relays"]:
            for r in relays:
                on[r] = on.get(r, 0) + 1
        settings = self.scenario.candidates
        for row, way in self.ways.iterrows():
            allowed = settings.microwave_hub_links if way["kind"] == "fibre" else settings.microwave_relays
            if on.get(int(row), 0) > min(int(way["relay_most"]), allowed):
                yield f"option {self._name(way['option'])}: {on[int(row)]} links hang on it, {allowed} allowed"

    def _sight(self, hanging: dict[int, list[int]]) -> Iterator[str]:
        """Every link to a lit mast, or to one of the chosen towers on which it may hang, is clear and short enough."""
        for row, way in self.ways[self.ways["kind"] == "microwave"].iterrows():
            ends = self._lit_end(way) if row not in hanging else [self._dish(r) for r in hanging[int(row)]]
            if row not in hanging and not ends:
                yield f"option {self._name(way['option'])}: its link ends at {way['end_id'] or 'nothing'}, no lit mast"
            elif ends and not any(self._clear(self._dish(int(row)), end) for end in ends):
                yield f"option {self._name(way['option'])}: no line of sight along its link"

    def _dish(self, row: int) -> tuple[float, float, float]:
        option = int(self.ways["option"][row])
        x, y = self._place(option)
        return x, y, float(self.candidates.options["height_m"].iloc[option])

    def _lit_end(self, way: pd.Series) -> list[tuple[float, float, float]]:
        """The mast that the link names, where the inputs know it as lit, there and as high."""
        layers, settings = self.part.layers, self.scenario.candidates
        sites = layers.sectors[(layers.sectors["site_id"] == way["end_id"]) & (layers.sectors["backhaul"] == "fibre")]
        pops = layers.pops[layers.pops["pop_id"].astype(str) == way["end_id"]]
        known = [(p.x, p.y, settings.microwave_pop_mast_m) for p in pops.geometry]
        known += [(p.x, p.y, float(sites["antenna_height_m"].max())) for p in sites.geometry]
        x, y, height_m = way["end_x"], way["end_y"], way["end_height_m"]
        return [k for k in known if np.hypot(k[0] - x, k[1] - y) < SAME_PLACE_M and k[2] >= height_m]

    def _clear(self, dish: tuple[float, float, float], end: tuple[float, float, float]) -> bool:
        settings, part = self.scenario.candidates, self.part
        if np.hypot(dish[0] - end[0], dish[1] - end[1]) > settings.microwave_km * 1000.0 + SAME_PLACE_M:
            return False
        rc = grid_coordinates(part.box, np.array([dish[0], end[0]]), np.array([dish[1], end[1]]))
        # From the far end: the profile is sampled at other points than when the link was looked for.
        terrain = Terrain(part.height_m, part.cell_m)
        free = clearance(terrain, rc[1:], [end[2]], rc[:1], [dish[2]], settings.microwave_ghz)
        return bool(free[0] >= settings.microwave_clearance - 1e-6)
