"""What has to be laid to a new place: its road, its fibre, its electricity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from phusong.scenarios.candidates.costs import Works, small_supply, station_supply
from phusong.scenarios.candidates.fibre import FibreNetwork, fibre_network, fibre_paths, lit_places
from phusong.scenarios.candidates.places import Place
from phusong.scenarios.candidates.power import Supply, supply
from phusong.scenarios.candidates.roads import road_graph
from phusong.scenarios.candidates.survey import Survey
from phusong.scenarios.candidates.trenches import offered_trenches

TRACE_M = 1.0  # nothing shorter is drawn as a route


@dataclass(frozen=True, slots=True)
class Laid:
    """Works of K places, in their order.

    works    : infinite lengths and sums where no road or no fibre gets there
    network  : where fibre can be laid;  node: site_id of a place -> its node
    routes   : power lines and access roads, as lines (site_id, kind, length_km, inferred_km, geometry)
    inferred : how much of the road map had to be assumed, fact -> count
    """

    works: tuple[Works, ...]
    network: FibreNetwork
    node: dict[str, int]
    routes: gpd.GeoDataFrame
    inferred: dict[str, int]


def lay(survey: Survey, places: Sequence[Place], served_hamlets: gpd.GeoDataFrame, horizon_years: int) -> Laid:
    """Cheapest road, fibre and electricity to every place, each place for itself, and where fibre can be laid.

    Repeaters and remote radios draw from the low-voltage net, towers from the medium-voltage grid; repeaters need no
    fibre.
    """
    part, settings, price = survey.part, survey.settings, survey.ground.price
    off_road_times = survey.costs.off_road_fibre_times.value

    def fibre_price(start_xy: NDArray[np.float64], end_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return off_road_times * price(start_xy, end_xy)

    xy = np.array([place.xy for place in places], dtype=np.float64).reshape(-1, 2)
    lit_xy = lit_places(part.layers, survey.sectors)
    limit_m = settings.off_road_limit_km * 1000.0
    graph = road_graph(
        part.layers.roads, np.concatenate([xy, lit_xy]), fibre_price, snap_m=settings.snap_m, off_road_limit_m=limit_m
    )
    network = fibre_network(graph, xy, lit_xy, fibre_price, limit_m, survey.costs, horizon_years)
    node = len(graph.xy) + np.arange(len(places))
    pieces = len(network.start)
    if pieces > settings.trenches:
        fibred = np.array([place.kind != "repeater" for place in places], dtype=np.bool_)
        network = offered_trenches(network, node[fibred])
    fibre = fibre_paths(network, node)
    foot_xy = graph.foot_xy[: len(xy)]
    access_m = np.hypot(*(xy - foot_xy).T)
    near_road = np.isfinite(access_m)
    access_price = np.full(len(xy), np.inf)
    access_price[near_road] = price(foot_xy[near_road], xy[near_road])

    power = _power(survey, places, xy, served_hamlets, horizon_years)
    works = tuple(
        Works(
            building_factor=float(factor),
            access_km=float(access_m[k] * access_price[k]) / 1000.0 if near_road[k] else np.inf,
            fibre_vnd=float(fibre.trench_vnd[k]),
            fibre_km=float(fibre.length_m[k]) / 1000.0,
            inferred_km=float(fibre.inferred_m[k]) / 1000.0,
            power="grid" if power.grid[k] else "solar-battery",
            power_vnd=float(power.capex_vnd[k]),
            power_vnd_per_year=float(power.opex_vnd_per_year[k]),
            evn_confirm=bool(power.evn_confirm[k]),
        )
        for k, factor in enumerate(survey.ground.building_factor(xy))
    )
    lines = [
        (place.site_id, kind, line)
        for place, start, foot in zip(places, power.start_xy, foot_xy, strict=True)
        for kind, line in (("power", _straight(start, place.xy)), ("access-road", _straight(foot, place.xy)))
        if line is not None and line.length >= TRACE_M
    ]
    routes = gpd.GeoDataFrame(
        {
            "site_id": [site_id for site_id, _, _ in lines],
            "kind": [kind for _, kind, _ in lines],
            "length_km": [line.length / 1000.0 for _, _, line in lines],
            "inferred_km": [line.length / 1000.0 for _, _, line in lines],
        },
        geometry=[line for _, _, line in lines],
        crs=survey.targets.hamlets.crs,
    )
    inferred = {
        "road-pieces": graph.components,
        "road-pieces-linked": graph.linked,
        "trenches": pieces,
        "trenches-not-offered": pieces - len(network.start),
        "places-linked-off-road": int((access_m > settings.snap_m).sum()),
    }
    by_site = {place.site_id: int(number) for place, number in zip(places, node, strict=True)}
    return Laid(works, network, by_site, routes, inferred)


def _power(
    survey: Survey,
    places: Sequence[Place],
    xy: NDArray[np.float64],
    served_hamlets: gpd.GeoDataFrame,
    horizon_years: int,
) -> Supply:
    """Supply of each place: as a small load where it is one, else as a station."""
    lines, price, settings = survey.part.layers.power_lines, survey.ground.price, survey.settings
    small = np.array([place.kind in ("remote-radio", "small-cell", "repeater") for place in places], dtype=np.bool_)
    electrified_xy = _electrified(survey, served_hamlets)
    of_small = supply(
        xy, lines.iloc[:0], electrified_xy, price, small_supply(survey.costs),
        reach_m=settings.low_voltage_reach_m, horizon_years=horizon_years,
    )  # fmt: skip
    of_station = supply(
        xy, lines, electrified_xy, price, station_supply(survey.costs),
        reach_m=settings.grid_reach_km * 1000.0, horizon_years=horizon_years,
    )  # fmt: skip
    return of_small.where(small, of_station)


def _electrified(survey: Survey, served_hamlets: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """(P, 2) hamlets and sites that have grid electricity."""
    layers = (survey.targets.hamlets, served_hamlets, survey.sectors)
    points = [layer.geometry[layer["electricity"] == "grid"].values for layer in layers]
    return np.unique(np.concatenate([shapely.get_coordinates(shape) for shape in points]), axis=0)


def _straight(start_xy: NDArray[np.float64], end_xy: NDArray[np.float64]) -> shapely.LineString | None:
    return shapely.LineString([start_xy, end_xy]) if np.isfinite(start_xy).all() else None
