"""Electricity and fibre: who has them, and along which lines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from phusong.scenarios.demo.roads import VILLAGE, Roads, chains
from phusong.scenarios.demo.settlements import Communes, Hamlets
from phusong.scenarios.demo.terrain import CELL_M, NORTH_M, SHAPE, WEST_M, Ground

DARK_SHARE = 0.115  # of the low-signal hamlets, those without electricity: the remotest
OFF_GRID_SHARE = 0.03  # of all hamlets, the next remotest: small solar or hydro plants
POPS = 10
SPAN_M = 2_500.0  # between two bends of a transmission line


@dataclass(frozen=True, slots=True)
class PowerLines:
    """Lines in metres and their voltage [kV]."""

    line: tuple[shapely.LineString, ...]
    voltage_kv: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fibre:
    """pop : (P,) communes whose seat holds a point of presence, the capital first; route : cables in metres."""

    pop: NDArray[np.int64]
    route: tuple[shapely.LineString, ...]


def make_electricity(roads: Roads, low_signal: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.object_]:
    """(N,) "grid", "off-grid" or "none": the grid has come along the roads and not yet to the remotest hamlets."""
    remote = roads.remoteness * np.exp(0.5 * rng.standard_normal(len(roads.remoteness)))
    remotest_low = np.sort(remote[low_signal])[::-1]
    dark = remote >= remotest_low[round(DARK_SHARE * len(remotest_low)) - 1]
    lit = np.sort(remote[~dark])[::-1]
    electricity = np.where(remote >= lit[round(OFF_GRID_SHARE * len(remote))], "off-grid", "grid").astype(object)
    electricity[dark] = "none"
    return electricity


def make_power_lines(
    ground: Ground,
    communes: Communes,
    hamlets: Hamlets,
    roads: Roads,
    electricity: NDArray[np.object_],
    rng: np.random.Generator,
) -> PowerLines:
    """35 kV along main roads, 22 kV to every hamlet on the grid, and 110 and 220 kV that pass over the hills."""
    main = [line for line, grade in zip(roads.line, roads.grade, strict=True) if grade < VILLAGE]
    steps = {
        (min(a, b), max(a, b)): 0
        for i in np.flatnonzero(electricity == "grid")
        for a, b in pairwise(roads.hamlet_way[i])
    }
    branches = [shapely.simplify(shapely.LineString(ground.xy(np.array(cells))), 70.0) for cells in chains(steps)[0]]
    medium = shapely.simplify(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(main))), 40.0)

    capital, gate = ground.xy(np.array([communes.seat[0], roads.gates[1]]))
    weight = np.bincount(hamlets.commune, hamlets.people, len(communes.seat))
    seat_xy = ground.xy(communes.seat)
    far = np.hypot(*(seat_xy - capital).T) > 15_000.0
    second = seat_xy[np.argmax(np.where(far, weight, 0.0))]
    north = np.array([WEST_M + 0.30 * SHAPE[1] * CELL_M, NORTH_M])
    south = np.array([WEST_M + 0.62 * SHAPE[1] * CELL_M, NORTH_M - SHAPE[0] * CELL_M])
    high = [_spans(gate, capital, rng), _spans(capital, second, rng)]
    lines = [*medium, *branches, *high, _spans(north, south, rng)]
    voltage_kv = np.repeat([35.0, 22.0, 110.0, 220.0], [len(medium), len(branches), len(high), 1])
    return PowerLines(tuple(lines), voltage_kv)


def make_fibre(communes: Communes, hamlets: Hamlets, roads: Roads) -> Fibre:
    """Points of presence in the largest communes, joined to the capital by cables along main roads."""
    weight = np.bincount(hamlets.commune, hamlets.people, len(communes.seat))
    weight[0] = np.inf
    pop = np.argsort(-weight, kind="stable")[:POPS]
    lit = {frozenset(step) for commune in pop for step in pairwise(roads.seat_way[commune])}
    route = [line for line, cells in zip(roads.line, roads.cells, strict=True) if frozenset(cells[:2]) in lit]
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(route)))
    return Fibre(pop, tuple(merged))


def _spans(start: NDArray[np.float64], end: NDArray[np.float64], rng: np.random.Generator) -> shapely.LineString:
    """A straight line that bends a little at its angle towers."""
    count = max(round(float(np.hypot(*(end - start))) / SPAN_M), 1)
    points = start + np.linspace(0.0, 1.0, count + 1)[:, None] * (end - start)
    points[1:-1] += rng.normal(0.0, 250.0, points[1:-1].shape)
    return shapely.LineString(points)
