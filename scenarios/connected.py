"""How a part's chosen options are connected: their ways, the trenches that are dug, and who bears what of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.candidates.fibre import FibreNetwork
from phusong.scenarios.candidates.works import TRACE_M
from phusong.solvers.decision import Plan

NOTHING = -1  # no way


@dataclass(frozen=True, slots=True)
class Connected:
    """Backhaul of the chosen options of one part.

    chosen   : (k,) int64 options of the part, ascending
    way      : (k,) int64 row of the part's ways that each is built with, -1 none
    trenches : (t,) int64 edges of the part's network that are dug
    """

    chosen: NDArray[np.int64]
    way: NDArray[np.int64]
    trenches: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shares:
    """What each of k chosen options bears of the trenches; each column adds up to what all of them come to.

    users : per trench the positions of the chosen options whose fibre runs through it
    """

    trench_vnd: NDArray[np.int64]
    upkeep_vnd_per_year: NDArray[np.int64]
    fibre_km: NDArray[np.float64]
    inferred_km: NDArray[np.float64]
    users: tuple[tuple[int, ...], ...]


def connected_by_part(plan: Plan, candidates: Sequence[Candidates]) -> list[Connected]:
    """The plan's options, ways and trenches, numbered within each part."""
    way = plan.way if len(plan.way) else np.full(len(plan.chosen), NOTHING)  # a problem without ways has none to name
    parts, option_first, way_first, edge_first = [], 0, 0, 0
    for part in candidates:
        options, ways, edges = len(part.options), len(part.ways), len(part.network.start)
        own = (plan.chosen >= option_first) & (plan.chosen < option_first + options)
        dug = (plan.trenches >= edge_first) & (plan.trenches < edge_first + edges)
        number = way[own].astype(np.int64)
        parts.append(
            Connected(
                plan.chosen[own].astype(np.int64) - option_first,
                np.where(number >= 0, number - way_first, NOTHING),
                plan.trenches[dug].astype(np.int64) - edge_first,
            )
        )
        option_first, way_first, edge_first = option_first + options, way_first + ways, edge_first + edges
    return parts


def shares_of(candidates: Candidates, connected: Connected) -> Shares:
    """Each trench's cost split equally among the options whose fibre runs through it.

    In a tree that is the Shapley value: what each adds to the cost, on average over every order of building. Whole
    VND, the remainder to the first. A trench that nobody needs is split among all who have fibre.
    """
    network, dug = candidates.network, connected.trenches
    node = _nodes(candidates, connected)
    with_fibre = np.flatnonzero(node >= 0)
    users: list[list[int]] = [[] for _ in dug]
    for position, edges in zip(with_fibre.tolist(), _routes_to(network, dug, node[with_fibre]), strict=True):
        for edge in edges:
            users[edge].append(position)
    count = len(connected.chosen)
    nothing_vnd = np.zeros(count, dtype=np.int64)
    shares = Shares(
        nothing_vnd, nothing_vnd.copy(), np.zeros(count), np.zeros(count), tuple(tuple(own) for own in users)
    )
    for edge, own in zip(dug.tolist(), users, strict=True):
        bearers = np.array(own or with_fibre, dtype=np.int64)
        if not len(bearers):
            continue
        for share, whole in (
            (shares.trench_vnd, int(network.trench_vnd[edge])),
            (shares.upkeep_vnd_per_year, int(network.upkeep_vnd_per_year[edge])),
        ):
            share[bearers] += whole // len(bearers)
            share[bearers[0]] += whole % len(bearers)
        km = network.length_m[edge] / 1000.0 / len(bearers)
        shares.fibre_km[bearers] += km
        shares.inferred_km[bearers] += km * network.inferred[edge]
    return shares


def settled_options(candidates: Candidates, connected: Connected, shares: Shares, horizon_years: int) -> pd.DataFrame:
    """The chosen options as they are built: kind and cost of their backhaul, and all sums with it."""
    options = candidates.options.iloc[connected.chosen]
    way = candidates.ways.reindex(connected.way)  # -1 is no row
    kind = np.where(connected.way >= 0, way["kind"].fillna(""), options["backhaul"])
    capex, opex, lifetime = (
        way[column].fillna(0).to_numpy(dtype=np.int64) for column in ("capex_vnd", "opex_vnd_per_year", "lifetime_vnd")
    )
    upkeep = shares.upkeep_vnd_per_year
    return options.assign(
        backhaul=kind,
        backhaul_vnd=options["backhaul_vnd"] + capex + shares.trench_vnd,
        capex_vnd=options["capex_vnd"] + capex + shares.trench_vnd,
        opex_vnd_per_year=options["opex_vnd_per_year"] + opex + upkeep,
        lifetime_vnd=options["lifetime_vnd"] + lifetime + shares.trench_vnd + horizon_years * upkeep,
        fibre_km=shares.fibre_km,
        inferred_km=shares.inferred_km,
    )


def backhaul_lines(candidates: Candidates, connected: Connected, shares: Shares) -> gpd.GeoDataFrame:
    """Trenches, each once, and microwave links.

    Columns: option_id and site_id of the users, kind, length_km, inferred_km, users (how many).
    """
    options = candidates.options.iloc[connected.chosen]
    names, sites = options["option_id"].tolist(), options["site_id"].tolist()
    network = candidates.network
    of_users: dict[tuple[int, ...], list[int]] = {}
    for edge, own in zip(connected.trenches.tolist(), shares.users, strict=True):
        of_users.setdefault(own, []).append(edge)
    rows, lines = [], []
    for own, edges in sorted(of_users.items()):
        ends = np.stack([network.xy[network.start[edges]], network.xy[network.end[edges]]], axis=1)
        line = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(ends)))
        if line.length < TRACE_M:
            continue
        lines.append(line)
        length_km = network.length_m[edges] / 1000.0
        rows.append(
            (
                ", ".join(names[u] for u in own), ", ".join(dict.fromkeys(sites[u] for u in own)), "fibre",
                float(length_km.sum()), float(length_km[network.inferred[edges]].sum()), len(own),
            )
        )  # fmt: skip
    for position, start, end in microwave_links(candidates, connected):
        line = shapely.LineString([start, end])
        rows.append((names[position], sites[position], "microwave", line.length / 1000.0, 0.0, 1))
        lines.append(line)
    columns = ["option_id", "site_id", "kind", "length_km", "inferred_km", "users"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=lines, crs=candidates.sites.crs)


def microwave_links(
    candidates: Candidates, connected: Connected
) -> list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """(position among the chosen, start, end) of each link; one that may hang on several goes to the nearest."""
    place = np.column_stack([candidates.sites.geometry.x, candidates.sites.geometry.y])
    at = place[candidates.options["location"].to_numpy()[connected.chosen]]
    position_of = {int(w): k for k, w in enumerate(connected.way) if w >= 0}
    links = []
    for position, row in enumerate(connected.way.tolist()):
        if row < 0 or candidates.ways["kind"].iloc[row] != "microwave":
            continue
        way = candidates.ways.iloc[row]
        if way["relays"]:
            ends = np.array([at[position_of[r]] for r in way["relays"] if r in position_of]).reshape(-1, 2)
        else:
            ends = np.array([[way["end_x"], way["end_y"]]])
        if len(ends):
            nearest = ends[np.argmin(np.hypot(*(ends - at[position]).T))]
            links.append((position, at[position], nearest))
    return links


def _nodes(candidates: Candidates, connected: Connected) -> NDArray[np.int64]:
    """(k,) node of the network that each chosen option's way has, -1 none."""
    node = np.append(candidates.ways["node"].to_numpy(dtype=np.int64), -1)
    return np.asarray(node[connected.way])


def _routes_to(network: FibreNetwork, dug: NDArray[np.int64], node: NDArray[np.int64]) -> list[list[int]]:
    """Per node the positions in `dug` of the trenches between it and the nearest lit node."""
    if not len(dug) or not len(node):
        return [[] for _ in node]
    size = len(network.xy)
    start, end = network.start[dug], network.end[dug]
    trench = csr_array((network.priced_m[dug], (start, end)), shape=(size, size))
    _, before, _ = dijkstra(
        trench, directed=False, indices=np.flatnonzero(network.lit), return_predecessors=True, min_only=True
    )
    between = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(start, end, strict=True))}
    routes = []
    for at in node.tolist():
        edges = []
        while (last := int(before[at])) >= 0:
            edges.append(between[min(at, last), max(at, last)])
            at = last
        routes.append(edges)
    return routes
