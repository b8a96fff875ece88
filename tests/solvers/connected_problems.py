"""Small random decisions with ways, trenches, relays, caps and load, and the truth about them in plain loops."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from phusong.solvers.errors import ProblemFaults
from phusong.solvers.problem import NONE, Backhaul, Cap, Crowds, Load, Problem, Roads
from tests.solvers.small_problems import people_of, small_problems


class Truth(NamedTuple):
    """One feasible plan (all rules; not the budget), money in VND."""

    way_of: tuple[tuple[int, int], ...]  # option and its way
    trenches: tuple[int, ...]
    spent: int
    cleared: int
    people: int
    lifetime: int


@st.composite
def connected_problems(draw, crowds=False) -> Problem:
    """Up to 4 options with up to 3 ways each, 4 road nodes, 4 edges, parallel ones and loops too."""
    problem = draw(small_problems(4, 5, 3))
    options, groups, cells = problem.options, len(problem.group_hamlet), len(problem.cell_people)
    money = st.integers(0, 6_000_000)
    if crowds:
        members = [draw(st.sets(st.integers(0, cells - 1), min_size=1, max_size=2)) for _ in range(2)]
        table = np.array([[c in m for c in range(cells)] for m in members])
        problem = replace(problem, crowds=Crowds(sparse.csr_array(table), np.array([draw(st.integers(0, 9)), 3])))
    backhaul = draw(_backhauls(options, money)) if draw(st.integers(0, 5)) else None
    ways = 0 if backhaul is None else len(backhaul.way_option)
    caps = tuple(draw(_caps(options, ways)) for _ in range(draw(st.sampled_from([0, 0, 1, 2]))))
    load = None
    if draw(st.integers(0, 2)) == 0:
        kbps = st.integers(0, 6)
        load = Load(
            np.array([draw(kbps) for _ in range(options)], dtype=np.int64),
            np.array([draw(kbps) for _ in range(groups)], dtype=np.int64),
        )
    try:
        return replace(problem, backhaul=backhaul, caps=caps, load=load)
    except ProblemFaults:  # a locked option that cannot be connected
        return replace(problem, backhaul=backhaul, caps=caps, load=load, locked=np.zeros(options, dtype=bool))


@st.composite
def _backhauls(draw, options: int, money) -> Backhaul:
    nodes, edges = draw(st.integers(1, 4)), draw(st.integers(0, 4))
    node = st.integers(0, nodes - 1)
    lit = np.zeros(nodes, dtype=bool)
    lit[sorted(draw(st.sets(node, max_size=2)))] = True

    def numbers(count: int) -> np.ndarray:
        return np.array([draw(money) for _ in range(count)], dtype=np.int64)

    roads = Roads(
        np.array([draw(node) for _ in range(edges)], dtype=np.int32),
        np.array([draw(node) for _ in range(edges)], dtype=np.int32),
        numbers(edges), lit, numbers(edges) if draw(st.booleans()) else None,
    )  # fmt: skip
    way_option = [o for o in range(options) for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3])))]
    ways = len(way_option)
    hops = np.zeros((ways, ways), dtype=bool)
    upwards = draw(st.booleans())
    for way in range(ways):
        hosts = [h for h in range(ways) if (h < way) == upwards and h != way]
        if hosts and draw(st.integers(0, 3)) == 0:
            hops[way, sorted(draw(st.sets(st.sampled_from(hosts), min_size=1, max_size=2)))] = True
    return Backhaul(
        way_option=np.array(way_option, dtype=np.int32),
        way_node=np.array([draw(st.one_of(node, node, st.just(NONE))) for _ in range(ways)], dtype=np.int32),
        way_budget_vnd=numbers(ways),
        way_lifetime_vnd=numbers(ways),
        relays=sparse.csr_array(hops),
        relay_most=np.array([draw(st.integers(0, 2)) for _ in range(ways)], dtype=np.int64),
        roads=roads,
    )


@st.composite
def _caps(draw, options: int, ways: int) -> Cap:
    members = [
        np.array(sorted(draw(st.sets(st.integers(0, count - 1), max_size=4))) if count else [], dtype=np.int32)
        for count in (options, ways)
    ]
    units = [
        np.array([draw(st.integers(0, 3)) for _ in m], dtype=np.int64) if draw(st.booleans()) else None for m in members
    ]
    return Cap("terminals", draw(st.integers(0, 4)), *members, *units)


def every_plan(problem: Problem) -> list[Truth]:
    """All feasible plans: each option left out or taken with one of its ways, each set of trenches."""
    choices = []
    for option in range(problem.options):
        ways = [] if problem.backhaul is None else np.flatnonzero(problem.backhaul.way_option == option).tolist()
        choices.append([None, *ways] if ways else [None, NONE])
    edges = 0 if problem.backhaul is None else len(problem.backhaul.roads.start)
    digs = [s for k in range(edges + 1) for s in combinations(range(edges), k)]
    plans, worth = [], {}
    for taken in product(*choices):
        way_of = tuple((o, w) for o, w in enumerate(taken) if w is not None)
        if not keeps_the_rules(problem, way_of):
            continue
        held = frozenset(o for o, _ in way_of)
        if held not in worth:
            worth[held] = most_served(problem, held)
        if worth[held] is None:
            continue
        cleared, people = worth[held]
        for trenches in digs:
            if lights(problem, way_of, trenches):
                spent, lifetime = costs(problem, way_of, trenches)
                plans.append(Truth(way_of, trenches, spent, cleared, people, lifetime))
    return plans


def keeps_the_rules(problem: Problem, way_of) -> bool:
    """Locked, forbidden, exclusive, forbidden sets, caps, relays and what may hang on a way."""
    held, ways = {o for o, _ in way_of}, {w for _, w in way_of if w != NONE}
    numbers = [int(problem.exclusive[o]) for o in held if problem.exclusive[o] >= 0]
    if len(set(numbers)) < len(numbers) or any(problem.forbidden[o] for o in held):
        return False
    if not set(np.flatnonzero(problem.locked).tolist()) <= held:
        return False
    if any(set(members) <= held for members in problem.forbidden_sets):
        return False
    for cap in problem.caps:
        units = 0
        for chosen, members, each in ((held, cap.options, cap.option_units), (ways, cap.ways, cap.way_units)):
            for place, member in enumerate(members.tolist()):
                if member in chosen:
                    units += 1 if each is None else int(each[place])
        if units > cap.most:
            return False
    if problem.backhaul is None:
        return True
    hops = problem.backhaul.relays.toarray()
    for way in ways:
        hosts = set(np.flatnonzero(hops[way]).tolist())
        hanging = set(np.flatnonzero(hops[:, way]).tolist()) & ways
        if (hosts and not hosts & ways) or len(hanging) > problem.backhaul.relay_most[way]:
            return False
    return True


def lights(problem: Problem, way_of, trenches) -> bool:
    """Whether every way's node is lit or reached by trenches from one that is."""
    if problem.backhaul is None:
        return True
    roads = problem.backhaul.roads
    lit = set(np.flatnonzero(roads.lit).tolist())
    for _ in trenches:
        for edge in trenches:
            ends = {int(roads.start[edge]), int(roads.end[edge])}
            if ends & lit:
                lit |= ends
    return all(int(problem.backhaul.way_node[w]) in lit | {NONE} for _, w in way_of if w != NONE)


def costs(problem: Problem, way_of, trenches) -> tuple[int, int]:
    """VND against the budget and over the lifetime."""
    spent = sum(int(problem.budget_cost_vnd[o]) for o, _ in way_of)
    lifetime = sum(int(problem.lifetime_cost_vnd[o]) for o, _ in way_of)
    if problem.backhaul is not None:
        backhaul, roads = problem.backhaul, problem.backhaul.roads
        later = roads.cost_vnd if roads.lifetime_vnd is None else roads.lifetime_vnd
        taken = [w for _, w in way_of if w != NONE]
        spent += sum(int(backhaul.way_budget_vnd[w]) for w in taken) + sum(int(roads.cost_vnd[e]) for e in trenches)
        lifetime += sum(int(backhaul.way_lifetime_vnd[w]) for w in taken) + sum(int(later[e]) for e in trenches)
    return spent, lifetime


def cells_of(problem: Problem, held) -> set[int]:
    table = problem.covers.toarray()
    return {c for o in held for c in np.flatnonzero(table[o]).tolist()}


def cleared_by_coverage(problem: Problem, held) -> set[int]:
    covered = cells_of(problem, held)
    cleared = set(range(problem.hamlets))
    for group, hamlet in enumerate(problem.group_hamlet.tolist()):
        cells = problem.group_cell[problem.group_indptr[group] : problem.group_indptr[group + 1]].tolist()
        if sum(int(problem.cell_people[c]) for c in cells if c in covered) < problem.group_need[group]:
            cleared.discard(hamlet)
    return cleared


def carry(problem: Problem, held, hamlets) -> bool:
    """Whether the options carry the hamlets' groups: no set of them asks more than those that reach it have (Hall)."""
    if problem.load is None:
        return True
    table = problem.covers.toarray()
    asks = []
    for group, hamlet in enumerate(problem.group_hamlet.tolist()):
        if hamlet in hamlets and problem.load.group_kbps[group]:
            cells = problem.group_cell[problem.group_indptr[group] : problem.group_indptr[group + 1]].tolist()
            asks.append((int(problem.load.group_kbps[group]), {o for o in held if table[o, cells].any()}))
    return all(
        sum(kbps for kbps, _ in some)
        <= sum(int(problem.load.option_kbps[o]) for o in set().union(*(reach for _, reach in some)))
        for k in range(1, len(asks) + 1)
        for some in combinations(asks, k)
    )


def most_served(problem: Problem, held) -> tuple[int, int] | None:
    """Most weight that the options clear and carry, required hamlets among it (None: impossible); and people."""
    by_coverage = sorted(cleared_by_coverage(problem, held))
    required = set(np.flatnonzero(problem.required).tolist())
    sets = (set(s) for k in range(len(by_coverage), -1, -1) for s in combinations(by_coverage, k))
    weights = [sum(int(problem.hamlet_weight[h]) for h in s) for s in sets if required <= s and carry(problem, held, s)]
    return (max(weights), people_of(problem, cells_of(problem, held))) if weights else None


def assert_sound(problem: Problem, plan) -> Truth:
    """The plan recounted from the problem alone; fails where it breaks a rule or misstates itself."""
    assert plan.chosen.dtype == plan.way.dtype == plan.trenches.dtype == np.int32
    assert len(plan.chosen) == len(plan.way)
    assert (np.diff(plan.chosen) > 0).all()
    assert (np.diff(plan.trenches) > 0).all()
    way_of = tuple(zip(plan.chosen.tolist(), plan.way.tolist(), strict=True))
    for option, way in way_of:
        ways = [] if problem.backhaul is None else np.flatnonzero(problem.backhaul.way_option == option).tolist()
        assert way in (ways or [NONE])
    trenches = tuple(plan.trenches.tolist())
    assert keeps_the_rules(problem, way_of)
    assert lights(problem, way_of, trenches)
    assert (plan.budget_cost_vnd, plan.lifetime_cost_vnd) == costs(problem, way_of, trenches)
    trench_vnd = 0 if problem.backhaul is None else sum(int(problem.backhaul.roads.cost_vnd[e]) for e in trenches)
    assert plan.trench_vnd == trench_vnd
    held = set(plan.chosen.tolist())
    cleared = set(np.flatnonzero(plan.cleared).tolist())
    assert cleared <= cleared_by_coverage(problem, held)
    assert carry(problem, held, cleared)
    if problem.load is None:
        assert cleared == cleared_by_coverage(problem, held)
    assert set(np.flatnonzero(problem.required).tolist()) <= cleared
    assert set(np.flatnonzero(plan.covered).tolist()) == cells_of(problem, held)
    weight = sum(int(problem.hamlet_weight[h]) for h in cleared)
    people = people_of(problem, cells_of(problem, held))
    return Truth(way_of, trenches, plan.budget_cost_vnd, weight, people, plan.lifetime_cost_vnd)
