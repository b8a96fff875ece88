"""Towers and backhaul together: against every choice looked at, and Steiner trees against published optima."""

from __future__ import annotations

import csv
import signal
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.joint_instances import cost_to_connect_all, towers_and_backhaul
from phusong.solvers.backhaul.bound import shares_of
from phusong.solvers.backhaul.graph import FAR, network_of
from phusong.solvers.backhaul.tree import away_from_root, cheapest_tree, least_cost
from phusong.solvers.errors import LockedExceedBudget, ProblemFaults
from phusong.solvers.interruption import ctrl_c
from phusong.solvers.joint import Effort, WholeModel, solve_joint
from phusong.solvers.joint.case import case_of
from phusong.solvers.joint.master import master_of
from phusong.solvers.joint.problem import JointProblem
from phusong.solvers.joint.reach import cuts_missed
from phusong.solvers.joint.relaxation import exact_bound, unpacked
from phusong.solvers.problem import NONE, Roads
from tests.solvers.small_problems import problem_of

QUICK = Effort(search_rounds=40, search_parts=2, cut_rounds=6, whole_work=0.3)


@st.composite
def small_joint_problems(draw) -> tuple[JointProblem, int]:
    """Up to 5 options, 6 cells, 4 hamlets, 6 road nodes and 7 edges; parallel edges, loops and free trenches too."""
    options, cells, hamlets = draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    people = draw(st.lists(st.integers(0, 9), min_size=cells, max_size=cells))
    groups = []
    for _ in range(draw(st.integers(1, 6))):
        members = sorted(draw(st.sets(st.integers(0, cells - 1), min_size=1, max_size=4)))
        groups.append((draw(st.integers(0, hamlets - 1)), members, (4 * sum(people[c] for c in members) + 4) // 5))
    covers = [draw(st.sets(st.integers(0, cells - 1), max_size=4)) for _ in range(options)]
    cost = draw(st.lists(st.integers(0, 20), min_size=options, max_size=options))
    nodes, edges = draw(st.integers(1, 6)), draw(st.integers(0, 7))
    node = st.integers(0, nodes - 1)
    ends = [(draw(node), draw(node)) for _ in range(edges)]
    own = [draw(st.sampled_from([NONE, 0, 3, 15])) for _ in range(options)]
    places = [draw(st.one_of(node, st.just(NONE))) for _ in range(options)]
    homeless = [place == NONE and way == NONE for place, way in zip(places, own, strict=True)]
    exclusive = draw(st.lists(st.sampled_from([-1, -1, 0]), min_size=options, max_size=options))
    coverage = problem_of(
        groups, people, covers, cost, draw(st.lists(st.integers(0, 3), min_size=hamlets, max_size=hamlets)),
        forbidden=np.array(homeless), exclusive=np.array(exclusive, dtype=np.int32),
    )  # fmt: skip
    lit = np.zeros(nodes, dtype=bool)
    lit[sorted(draw(st.sets(node, max_size=2)))] = True
    roads = Roads(
        start=np.array([u for u, _ in ends], dtype=np.int32), end=np.array([v for _, v in ends], dtype=np.int32),
        cost_vnd=np.array(draw(st.lists(st.integers(0, 12), min_size=edges, max_size=edges)), dtype=np.int64), lit=lit,
    )  # fmt: skip
    problem = JointProblem(coverage, roads, np.array(places, dtype=np.int32), np.array(own, dtype=np.int64))
    return problem, draw(st.integers(0, 60))


def lit_by(roads: Roads, trenches) -> set[int]:
    """Nodes that fibre reaches along the trenches."""
    lit = set(np.flatnonzero(roads.lit).tolist())
    for _ in range(len(roads.lit)):
        for e in trenches:
            ends = {int(roads.start[e]), int(roads.end[e])}
            if ends & lit:
                lit |= ends
    return lit


def every_choice(problem: JointProblem, budget: int) -> int:
    """Most cleared weight, by looking at every set of trenches and of options."""
    coverage, roads = problem.coverage, problem.roads
    sets = [s for k in range(len(roads.start) + 1) for s in combinations(range(len(roads.start)), k)]
    reached = [(lit_by(roads, s), int(roads.cost_vnd[list(s)].sum())) for s in sets]
    most = 0
    for k in range(coverage.options + 1):
        for chosen in combinations(np.flatnonzero(~coverage.forbidden).tolist(), k):
            kinds = [n for n in coverage.exclusive[list(chosen)].tolist() if n >= 0]
            if len(kinds) > len(set(kinds)):
                continue
            worth = int(coverage.hamlet_weight[cleared_by_hand(problem, chosen)].sum())
            if worth > most and any(backhaul(problem, chosen, lit) + spent <= budget for lit, spent in reached):
                most = worth
    return most


def backhaul(problem: JointProblem, chosen, lit: set[int]) -> float:
    """Cost of the options, each with fibre where it is lit, else with its own backhaul."""
    total = 0.0
    for option in chosen:
        total += int(problem.coverage.budget_cost_vnd[option])
        if int(problem.option_node[option]) not in lit:
            own = int(problem.own_backhaul_vnd[option])
            total += own if own != NONE else float("inf")
    return total


def cleared_by_hand(problem: JointProblem, chosen) -> list[bool]:
    coverage = problem.coverage
    table = coverage.covers.toarray()
    covered = {c for o in chosen for c in np.flatnonzero(table[o]).tolist()}
    cleared = [True] * coverage.hamlets
    for group, hamlet in enumerate(coverage.group_hamlet.tolist()):
        cells = coverage.group_cell[coverage.group_indptr[group] : coverage.group_indptr[group + 1]].tolist()
        if sum(int(coverage.cell_people[c]) for c in cells if c in covered) < coverage.group_need[group]:
            cleared[hamlet] = False
    return cleared


def assert_sound(problem: JointProblem, budget: int, result) -> None:
    """The plan recomputed from the problem alone."""
    plan, coverage = result.plan, problem.coverage
    lit = lit_by(problem.roads, plan.trenches.tolist())
    own = [o for o, fibre in zip(plan.chosen.tolist(), plan.by_fibre.tolist(), strict=True) if not fibre]
    for option, fibre in zip(plan.chosen.tolist(), plan.by_fibre.tolist(), strict=True):
        assert not coverage.forbidden[option]
        assert int(problem.option_node[option]) in lit if fibre else problem.own_backhaul_vnd[option] != NONE
    assert len(set(plan.chosen.tolist())) == len(plan.chosen)
    kinds = [n for n in coverage.exclusive[plan.chosen].tolist() if n >= 0]
    assert len(kinds) == len(set(kinds))
    trench = sum(int(problem.roads.cost_vnd[e]) for e in set(plan.trenches.tolist()))
    spent = trench + sum(int(coverage.budget_cost_vnd[o]) for o in plan.chosen)
    spent += sum(int(problem.own_backhaul_vnd[o]) for o in own)
    assert spent == plan.cost_vnd <= budget
    assert trench == plan.trench_vnd
    assert cleared_by_hand(problem, plan.chosen.tolist()) == plan.cleared.tolist()
    assert result.cleared == int(coverage.hamlet_weight[plan.cleared].sum())


@settings(max_examples=110, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_joint_problems())
def test_the_optimum_lies_between_the_plan_and_every_bound(case):
    problem, budget = case
    result = solve_joint(problem, budget, QUICK)
    most = every_choice(problem, budget)
    assert_sound(problem, budget, result)
    assert result.cleared <= most <= result.bound
    assert all(most <= bound for bound in result.bounds.values()), result.bounds


@settings(max_examples=110, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_joint_problems())
def test_whole_numbers_prove_the_optimum(case):
    problem, budget = case
    result = solve_joint(problem, budget, replace(QUICK, search_rounds=0, search_parts=0, whole_work=2.0))
    assert_sound(problem, budget, result)
    assert result.cleared == every_choice(problem, budget) == result.bound


@settings(max_examples=110, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_joint_problems(), st.randoms(use_true_random=False))
def test_cuts_hold_for_every_choice(case, random):
    """Whatever fractions they were sought for; and a choice whose trees are wanting misses one."""
    problem, _ = case
    ready = case_of(problem, 10**6)
    master = master_of(ready)
    bought = np.array([random.choice([0.0, 0.3, 1.0]) for _ in master.cost])
    cuts = unpacked(cuts_missed(master.reach, bought, np.ones(master.hamlets), 4, 0.01))
    for _, links in cuts:
        assert bought[links].sum() < 0.99 + 1e-9
    for trenches, ways in some_choices(ready, random):
        built = choice_links(ready, trenches, ways)
        cleared = ready.coverage.cleared_by(ready.covers[ways].sum(axis=0) > 0)
        for hamlet, links in cuts:
            assert not cleared[hamlet] or not master.open[hamlet] or built[links].any()
        assert (
            len(cuts_missed(master.reach, built.astype(float), (cleared & master.open).astype(float), 4, 0.5).hamlet)
            == 0
        )


def some_choices(case, random):
    """Trenches of the network, and the ways that they light."""
    for _ in range(20):
        edges = np.array([random.random() < 0.6 for _ in case.network.cost], dtype=bool)
        by, _ = away_from_root(case.network, edges)
        lit = by >= 0
        lit[0] = True
        ways = np.flatnonzero(np.array([random.random() < 0.7 for _ in case.option], dtype=bool) & lit[case.node])
        yield edges, ways


def choice_links(case, edges, ways):
    by, _ = away_from_root(case.network, edges)
    head = np.repeat(np.arange(case.network.nodes), np.diff(case.network.indptr))
    return np.concatenate([by[head] == case.network.edge, np.isin(np.arange(len(case.option)), ways)])


@settings(max_examples=110, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_joint_problems(), st.randoms(use_true_random=False))
def test_any_multipliers_bound_every_choice(case, random):
    problem, budget = case
    master = master_of(case_of(problem, budget))
    dual = np.array([random.choice([0.0, 0.1, 0.5, 1.0, 3.0]) for _ in master.least])
    price = random.choice([0.0, 0.01, 0.1, 1.0])
    bound, exactly = exact_bound(master, master.matrix, master.least, dual, price)
    assert every_choice(problem, budget) <= bound <= exactly


@settings(max_examples=100, deadline=None)
@given(small_joint_problems(), st.randoms(use_true_random=False))
def test_shares_never_charge_more_than_any_tree_costs(case, random):
    problem, _ = case
    roads = problem.roads
    network = network_of(roads, np.arange(len(roads.lit)))
    stops = np.unique(network.place[network.place > 0]).astype(np.int64)
    rank = np.array([random.randrange(3) for _ in stops], dtype=np.int64)
    share = shares_of(network, stops, rank, np.full(len(stops), FAR))
    for k in range(len(roads.start) + 1):
        for trenches in combinations(range(len(roads.start)), k):
            lit = {int(network.place[n]) for n in lit_by(roads, trenches)} - {-1}
            assert sum(int(share[n]) for n in lit) <= int(roads.cost_vnd[list(trenches)].sum())


def test_the_same_seed_gives_the_same_plan():
    problem, budget = a_street()
    first, second = (solve_joint(problem, budget, QUICK) for _ in range(2))
    assert first.plan.chosen.tobytes() == second.plan.chosen.tobytes()
    assert first.plan.trenches.tobytes() == second.plan.trenches.tobytes()
    assert first.bounds == second.bounds


def test_a_clock_ends_the_proof():
    problem = towers_and_backhaul(40, 300, 60, seed=2)
    budget = cost_to_connect_all(problem) // 6
    effort = Effort(
        search_rounds=5, search_parts=0, cut_rounds=1000, kernel_work=1000.0, whole_work=1000.0, seconds=0.0
    )
    result = solve_joint(problem, budget, effort)
    assert_sound(problem, budget, result)
    assert list(result.bounds) == ["all"]


def test_a_shared_trench_is_paid_once():
    """Two towers at the end of one trench of 10 fit into 10 + 2 x 3; either alone would pay the trench as well."""
    problem, budget = a_street()
    result = solve_joint(problem, budget, QUICK)
    assert result.plan.chosen.tolist() == [0, 1]
    assert (result.plan.cost_vnd, result.plan.trench_vnd) == (16, 10)
    assert result.cleared == result.bound == 2


def a_street() -> tuple[JointProblem, int]:
    """A lit node, a trench of two edges (4 and 6) to a node with two towers, and a tower with a dish for 14."""
    coverage = problem_of([(0, [0], 1), (1, [1], 1), (2, [2], 1)], [1, 1, 1], [{0}, {1}, {2}], [3, 3, 3], [1, 1, 1])
    roads = Roads(
        np.array([0, 1], dtype=np.int32), np.array([1, 2], dtype=np.int32), np.array([4, 6], dtype=np.int64),
        np.array([True, False, False]),
    )  # fmt: skip
    problem = JointProblem(
        coverage, roads, np.array([2, 2, NONE], dtype=np.int32), np.array([NONE, NONE, 14], dtype=np.int64)
    )
    return problem, 16


def test_locked_options_are_built_or_refused():
    problem, _ = a_street()
    locked = np.array([False, False, True])
    problem = replace(problem, coverage=replace(problem.coverage, locked=locked))
    result = solve_joint(problem, 30, QUICK)
    assert 2 in result.plan.chosen
    with pytest.raises(LockedExceedBudget):
        solve_joint(problem, 16, QUICK)


def a_circle() -> tuple[JointProblem, int]:
    """A locked tower beyond a trench of 10, at a circle of free trenches; a tower that needs none clears the hamlet
    for the same 10."""
    coverage = problem_of(
        [(0, [0], 1)], [1, 1, 1], [{1}, {1}, {2}, {0}], [0, 0, 0, 10], [1], locked=np.array([True, False, False, False])
    )
    roads = Roads(
        np.array([0, 1, 2, 1], dtype=np.int32), np.array([1, 2, 3, 3], dtype=np.int32),
        np.array([10, 0, 0, 0], dtype=np.int64), np.array([True, False, False, False]),
    )  # fmt: skip
    problem = JointProblem(coverage, roads, np.array([1, 2, 3, 0], dtype=np.int32), np.full(4, NONE, dtype=np.int64))
    return problem, 10


def test_a_locked_tower_never_hangs_on_a_circle():
    problem, budget = a_circle()
    result = solve_joint(problem, budget, QUICK)
    assert_sound(problem, budget, result)
    assert (result.plan.chosen.tolist(), result.cleared) == ([0], 0)


def test_own_backhaul_needs_no_road_at_all():
    coverage = problem_of([(0, [0], 1)], [1], [{0}], [3], [1])
    nothing = np.empty(0, dtype=np.int32)
    roads = Roads(nothing, nothing, np.empty(0, dtype=np.int64), np.empty(0, dtype=bool))
    problem = JointProblem(coverage, roads, np.array([NONE], dtype=np.int32), np.array([4], dtype=np.int64))
    assert [solve_joint(problem, budget, QUICK).cleared for budget in (6, 7)] == [0, 1]


def test_faults_are_all_named():
    problem, _ = a_street()
    with pytest.raises(ProblemFaults) as caught:
        replace(problem, option_node=np.array([2, 7, NONE]), own_backhaul_vnd=np.array([NONE, NONE, NONE]))
    assert "option_node" in str(caught.value)
    assert "no backhaul at all" in str(caught.value)


# Published optima: SteinLib, test set B (Koch, Martin, Voss 2001).
STEINLIB_B = {
    "b01": 82, "b02": 83, "b03": 138, "b04": 59, "b05": 61, "b06": 122, "b07": 111, "b08": 104, "b09": 220,
    "b10": 86, "b11": 88, "b12": 174, "b13": 165, "b14": 235, "b15": 318, "b16": 127, "b17": 131, "b18": 218,
}  # fmt: skip


@pytest.mark.parametrize("name", STEINLIB_B)
def test_trees_reach_the_published_optimum(name, shared):
    network, stops = steiner(shared(f"instances/steinlib_pcstp/B/{name}.stp"))
    assert cheapest_tree(network, stops, 2000, 1)[1] == STEINLIB_B[name]
    bound = least_cost(network, stops, 40, 1)
    assert 0.9 * STEINLIB_B[name] <= bound <= STEINLIB_B[name]


@pytest.mark.parametrize("name", ["instance001", "instance012", "instance027", "instance035"])
def test_trees_reach_the_optimum_of_the_challenge(name, shared):
    with shared("instances/pace2018/track1.csv").open() as lines:
        optimum = {row["paceName"].strip(): int(row["opt"]) for row in csv.DictReader(lines)}[f"{name}.gr"]
    network, stops = steiner(shared(f"instances/pace2018/T1_{name}.gr"))
    assert cheapest_tree(network, stops, 2000, 1)[1] == optimum
    assert least_cost(network, stops, 40, 1) <= optimum


def steiner(path):
    """The network of a Steiner tree file, its first terminal lit, and the nodes of the others."""
    words = [line.split() for line in path.read_text().splitlines()]
    edges = [tuple(int(v) for v in w[1:]) for w in words if w and w[0] == "E"]
    ends = [int(w[1]) - 1 for w in words if w and w[0] == "T"]
    nodes = next(int(w[1]) for w in words if w and w[0] == "Nodes")
    start, end, cost = (np.array(column) for column in zip(*edges, strict=True))
    lit = np.zeros(nodes, dtype=bool)
    lit[ends[0]] = True
    roads = Roads((start - 1).astype(np.int32), (end - 1).astype(np.int32), cost.astype(np.int64), lit)
    network = network_of(roads, np.array(ends[1:]))
    return network, network.place[ends[1:]].astype(np.int64)


def test_ctrl_c_ends_the_proof_after_the_attempt_at_hand(monkeypatch):
    problem = towers_and_backhaul(40, 300, 60, seed=2)
    budget = cost_to_connect_all(problem) // 6
    effort = replace(QUICK, search_rounds=0, search_parts=0, cut_rounds=1, whole_work=0.5)
    calls, plain = [], WholeModel.solve

    def pressing(self, limit, seed, until):
        calls.append(len(calls))
        if press and len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
        return plain(self, min(limit, 0.05), seed)

    monkeypatch.setattr(WholeModel, "solve", pressing)
    press = False
    whole = solve_joint(problem, budget, effort)
    attempts, calls[:] = len(calls), []
    press = True
    with ctrl_c() as pressed:
        cut_short = solve_joint(problem, budget, effort)
    assert pressed.is_set()
    assert len(calls) == 1 < attempts
    assert cut_short.bound >= whole.bound >= whole.cleared > 0
    assert_sound(problem, budget, cut_short)
