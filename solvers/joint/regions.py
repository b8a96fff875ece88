"""A bound in whole ways and whole trenches, region by region.

Hamlets are split into regions. A way that covers hamlets of several regions becomes one copy in each, and so does a
trench that several regions may use; the copies' prices sum up to no more than what it costs. At a price for money
nothing else ties regions together: each chooses ways and digs trenches for what they are worth to its own hamlets.
Whatever the split and the price, the regions' optima and the worth of the budget together bound every plan, since the
copies of what a plan builds cost no more than the plan. The relaxation's multipliers are a split at which next to
nothing is lost against it, and whole ways and trenches win; then prices move towards copies that agree, the price of
money towards a budget just spent, and regions are joined two by two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.backhaul.bound import Claims, claims_of
from phusong.solvers.backhaul.graph import FAR, ROOT
from phusong.solvers.interruption import stopping
from phusong.solvers.joint.master import Master, Relaxed
from phusong.solvers.joint.parts import halves, hamlet_of_row
from phusong.solvers.joint.prices import Prices, arc_costs, first_prices, parts_of
from phusong.solvers.joint.region_model import FINE, Cut, Region, cuts_missed, solve_region

DEEP = 52  # prices of a VND have so many bits more than worths
TURN = 0.05  # how far the price of money moves at first, each time towards spending just the budget
FASTER, SLOWER = 1.2, 0.5  # and then, where it goes on or turns round
STEP = 1.0  # of the step that would reach the plan known if the bound were a straight line
LEVELS = (1, 3, 5, 10, 20, 40)  # steps into which fractional stops are sorted before they claim, for a region's cuts


@dataclass(frozen=True, slots=True)
class Passes:
    """hamlets : of the first regions, at most;  first : times that they are solved, prices moving in between;  joined :
    the same for each doubling, one number a doubling;  work : CP-SAT's deterministic units a region, at each size"""

    hamlets: int
    first: int
    joined: tuple[int, ...]
    work: tuple[float, ...]


@dataclass(slots=True)
class _Pass:
    """What the regions chose: ways (r, W), arcs (r, 2e), and the bound that they make, in 2**-FINE hamlets."""

    ways: NDArray[np.bool_]
    arcs: NDArray[np.bool_]
    value: int


def region_bound(
    master: Master,
    relaxed: Relaxed,
    recipes: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    passes: Passes,
    cleared: int,
    seed: int,
) -> tuple[int, list[NDArray[np.int64]]]:
    """No plan clears more weight than this; and the ways that the regions chose together, pass by pass.

    recipes : rank and most of the dual ascent of each share that `relaxed` was solved with;  cleared : by a plan known
    """
    case = master.case
    arc_cost = arc_costs(case.network)
    levels = halves(master, relaxed, passes.hamlets)
    regions = _regions(master, levels[-1])
    claims = [
        (float(weight), claims_of(case.network, arc_cost, master.stop, *recipe))
        for weight, recipe in zip(relaxed.shares / max(relaxed.shares.sum(), 1e-300), recipes, strict=True)
        if weight > 0.0
    ]
    prices = first_prices(master, relaxed, [r.ways for r in regions], [r.rows for r in regions], claims)
    known = dict.fromkeys(cut for _, claim in claims for cut in _cuts(claim, master.stop))
    price = round(relaxed.worth_of_vnd * 2 ** (FINE + DEEP))
    best, turn, before, last = relaxed.bound << FINE, TURN, 0.0, None
    chosen: list[NDArray[np.int64]] = []
    schedule = [(0, passes.first), *enumerate(passes.joined, start=1)]
    for doubling, times in schedule[: len(levels)]:
        if doubling > 0:
            prices, regions = prices.joined(), _regions(master, levels[-1 - doubling])
            if last is not None:
                last.ways = last.ways[0::2] | last.ways[1::2]
        for _ in range(times):
            if stopping():
                return best >> FINE, chosen
            work = passes.work[min(doubling, len(passes.work) - 1)]
            last = _solved(master, relaxed, regions, prices, price, known, last, work, seed)
            best = min(best, last.value)
            chosen.append(np.flatnonzero(last.ways.any(axis=0)))
            if best >> FINE <= cleared:
                return best >> FINE, chosen
            worth_of_vnd = price / 2 ** (FINE + DEEP)
            over = _overspent(master, prices, last)
            prices = _moved(master, regions, prices, last, worth_of_vnd, best / 2**FINE - cleared)
            turn *= 1.0 if before == 0.0 else FASTER if over * before > 0.0 else SLOWER
            before = over
            price = round(price * (1.0 + float(np.sign(over)) * min(turn, 0.3 * abs(over))))
    return best >> FINE, chosen


def _regions(master: Master, parts: list[NDArray[np.int64]]) -> list[Region]:
    kind, hamlets = hamlet_of_row(master), master.hamlets
    regions = []
    for part in parts:
        rows = np.flatnonzero(np.isin(kind, part))
        columns = np.unique(master.matrix[rows].indices)
        ways = columns[(columns >= hamlets) & (columns < hamlets + master.ways)].astype(np.int64) - hamlets
        stops = np.unique(master.case.node[ways])
        regions.append(Region(part, rows, ways, stops[stops != ROOT], {}))
    return regions


def _cuts(claims: Claims, stops: NDArray[np.int64]) -> list[Cut]:
    ends = claims.indptr.tolist()
    arcs = claims.arc.tolist()
    at = stops[claims.stop].tolist()
    return [(at[i], tuple(sorted(arcs[ends[i] : ends[i + 1]]))) for i in range(len(at))]


def _solved(
    master: Master,
    relaxed: Relaxed,
    regions: list[Region],
    prices: Prices,
    price: int,
    known: dict[Cut, None],
    last: _Pass | None,
    work: float,
    seed: int,
) -> _Pass:
    case = master.case
    arc_cost = arc_costs(case.network)
    answer = _Pass(
        np.zeros((len(regions), master.ways), dtype=bool), np.zeros((len(regions), len(arc_cost)), dtype=bool),
        -((-price * case.budget_vnd) >> DEEP),
    )  # fmt: skip
    paid = np.zeros(master.ways, dtype=np.int64), np.zeros(len(arc_cost), dtype=np.int64)
    for number, region in enumerate(regions):
        way_part = parts_of(prices.way[number, region.ways], case.cost[region.ways])
        arc_part = parts_of(prices.arc[number], arc_cost)
        paid[0][region.ways] += way_part
        paid[1][:] += arc_part
        way_worth, arc_worth = _worth(price, way_part), _worth(price, arc_part)
        _gather_cuts(master, relaxed, region, arc_worth, known)
        hint = None if last is None else last.ways[number, region.ways]
        most, ways, arcs = solve_region(master, region, way_worth, arc_worth, hint, work, seed)
        answer.value += most
        answer.ways[number, region.ways[ways]] = True
        answer.arcs[number, arcs] = True
        missed = cuts_missed(case.network, arc_worth == 0, arcs, np.unique(case.node[region.ways[ways]]))
        known.update(missed)
        region.cuts.update(missed)
    assert (paid[0] <= case.cost).all()
    assert (paid[1] <= arc_cost).all()
    return answer


def _worth(price: int, cost: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([(price * c) >> DEEP for c in cost.tolist()], dtype=np.int64)


def _gather_cuts(
    master: Master, relaxed: Relaxed, region: Region, arc_worth: NDArray[np.int64], known: dict[Cut, None]
) -> None:
    """At its first turn a region takes the cuts known that speak of its stops, and those of ascents of its own."""
    if region.cuts or len(region.stops) == 0:
        return
    own = set(region.stops.tolist())
    region.cuts.update((cut, None) for cut in known if cut[0] in own)
    fraction = relaxed.n[np.searchsorted(master.stop, region.stops)]
    free = np.full(len(region.stops), FAR)
    for steps in LEVELS:
        rank = np.round((1.0 - fraction) * steps).astype(np.int64)
        claims = claims_of(master.case.network, arc_worth, region.stops, rank, free)
        region.cuts.update(dict.fromkeys(_cuts(claims, region.stops)))


def _overspent(master: Master, prices: Prices, last: _Pass) -> float:
    case = master.case
    spent = float(((prices.way * last.ways) @ case.cost).sum())
    spent += float(((prices.arc * last.arcs) @ arc_costs(case.network)).sum())
    return spent / max(1, case.budget_vnd) - 1.0


def _moved(
    master: Master, regions: list[Region], prices: Prices, last: _Pass, worth_of_vnd: float, too_high: float
) -> Prices:
    """Prices after one step (Polyak): copies that are chosen become dearer, those that are not, cheaper."""
    held = np.zeros(last.ways.shape, dtype=bool)
    for number, region in enumerate(regions):
        held[number, region.ways] = True
    steps = []
    for taken, copy in ((last.ways, held), (last.arcs, prices.arc > 0.0)):
        mean = (taken & copy).sum(axis=0) / np.maximum(copy.sum(axis=0), 1)
        steps.append(np.where(copy, (taken & copy) - mean, 0.0))
    length = sum(float((step * step).sum()) for step in steps)
    scale = STEP * max(too_high, 1.0) / max(length, 1e-9)
    way_worth = np.maximum(worth_of_vnd * master.case.cost, 1e-9)
    arc_worth = np.maximum(worth_of_vnd * arc_costs(master.case.network), 1e-9)
    return prices.moved(scale * steps[0] / way_worth, scale * steps[1] / arc_worth)
