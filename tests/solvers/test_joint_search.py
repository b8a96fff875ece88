"""Plans made better part by part: sound, never worse, the same again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.joint_instances import cost_to_connect_all, towers_and_backhaul
from phusong.solvers.joint import improve, search
from phusong.solvers.joint.case import JointCase, case_of
from phusong.solvers.joint.search import good_joint_plan
from phusong.solvers.joint.state import CLEARED, SPENT, Choice


def small_case(seed: int, *, locked: int = 0, rivals: int = 0) -> JointCase:
    """60 candidates; some locked in, some two and two at odds with each other (synthetic)."""
    problem = towers_and_backhaul(60, 500, 90, seed=seed)
    options = problem.coverage.options
    numbers = np.full(options, -1, dtype=np.int32)
    numbers[: 2 * rivals] = np.arange(2 * rivals) // 2
    coverage = replace(problem.coverage, locked=np.arange(options) >= options - locked, exclusive=numbers)
    return case_of(replace(problem, coverage=coverage), cost_to_connect_all(problem) // 8)


def assert_sound(case: JointCase, choice: Choice) -> None:
    """Money, rivals, locked options, the tree and what is cleared, counted from the case alone."""
    ways, network = np.flatnonzero(choice.chosen), case.network
    spent = int(case.cost[ways].sum()) + int(network.cost[choice.dug].sum())
    assert spent == choice.totals[SPENT] <= case.budget_vnd
    assert len(np.unique(case.exclusive[ways])) == len(ways)
    assert np.isin(np.flatnonzero(case.coverage.locked), case.option[ways]).all()
    reached = {0}
    edges = set(np.flatnonzero(choice.dug).tolist())
    while near := {e for e in edges if {int(network.start[e]), int(network.end[e])} & reached}:
        reached |= {int(n) for e in near for n in (network.start[e], network.end[e])}
        edges -= near
    assert not edges
    assert set(case.node[ways].tolist()) <= reached
    cleared = case.coverage.cleared_by(case.coverage.covered_by(case.option[ways]))
    assert int(case.coverage.hamlet_weight[cleared].sum()) == choice.totals[CLEARED]


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize(("locked", "rivals"), [(0, 0), (3, 0), (2, 20)])
def test_parts_leave_a_sound_plan_that_is_no_worse(monkeypatch, seed, locked, rivals):
    monkeypatch.setattr(improve, "PART_WAYS", 25)
    case = small_case(seed, locked=locked, rivals=rivals)
    start = good_joint_plan(case, 3, seed)
    better = improve.improved(case, start, parts=12, seed=seed, rounds=20)
    assert_sound(case, start)
    assert_sound(case, better)
    assert better.totals[CLEARED] >= start.totals[CLEARED]
    again = improve.improved(case, start, parts=12, seed=seed, rounds=20)
    assert (again.chosen == better.chosen).all()
    assert (again.dug == better.dug).all()


def test_parts_find_hamlets_that_a_short_search_misses(monkeypatch):
    monkeypatch.setattr(improve, "PART_WAYS", 25)
    before, after = 0, 0
    for seed in range(1, 7):
        case = small_case(seed)
        start = good_joint_plan(case, 1, seed)
        before += int(start.totals[CLEARED])
        after += int(improve.improved(case, start, parts=12, seed=seed, rounds=20).totals[CLEARED])
    assert after > before


def test_a_large_case_is_sought_in_parts_as_well(monkeypatch):
    monkeypatch.setattr(search, "PART_WAYS", 25)
    monkeypatch.setattr(improve, "PART_WAYS", 25)
    case = small_case(1, locked=2)
    choice = good_joint_plan(case, 400, 1)
    assert_sound(case, choice)
