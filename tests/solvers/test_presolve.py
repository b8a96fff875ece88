"""The smaller problem has the same answers as the whole one."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from phusong.solvers import presolve
from phusong.solvers.backhaul.graph import network_of
from phusong.solvers.errors import LockedExceedBudget
from phusong.solvers.presolve import reduce_problem
from phusong.solvers.problem import Backhaul, Cap, Load, Roads

spec = importlib.util.spec_from_file_location("small_problems", Path(__file__).with_name("small_problems.py"))
small = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small)


def figures(choice):
    return choice and choice[1:]


@settings(max_examples=60, deadline=None)
@given(small.small_problems(), st.integers(0, 40))
def test_the_optimum_stays(problem, budget):
    reduced = reduce_problem(problem, budget * small.MILLION)
    whole = small.most_cleared(small.every_choice(problem), budget)
    fewer = small.most_cleared(small.every_choice(reduced.problem), budget)
    assert figures(fewer) == figures(whole)
    if fewer:
        back = frozenset(reduced.option[sorted(fewer.options)].tolist())
        assert figures(small.choice_of(problem, back)) == figures(whole)


@settings(max_examples=40, deadline=None)
@given(small.small_problems())
def test_the_least_cost_stays(problem):
    reduced = reduce_problem(problem, None).problem
    for target in range(int(problem.hamlet_weight.sum()) + 1):
        whole = small.least_cost(small.every_choice(problem), target)
        assert figures(small.least_cost(small.every_choice(reduced), target)) == figures(whole)


def test_what_goes_is_counted_and_what_behaves_alike_is_one():
    # Cells 0 and 1 alike; 2 has another group; 3 other coverers; 4 nobody covers; 5 only a forbidden option does.
    problem = small.problem_of(
        [(0, [0, 1, 3], 3), (1, [2, 4], 1)],
        [1, 2, 4, 8, 16, 32],
        [[0, 1, 2, 3], [0, 1, 2], [], [5], [0, 1, 2, 3]],
        [3, 4, 1, 1, 900],
        [1, 1],
        forbidden=np.array([False, False, False, True, False]),
    )
    reduced = reduce_problem(problem, 100)
    assert reduced.option.tolist() == [0, 1]
    assert reduced.counts == {
        "options_covering_nothing": 1,
        "options_dearer_than_the_budget": 1,
        "options_forbidden": 1,
        "cells_unreachable": 2,
        "cells_merged": 1,
    }
    assert sorted(reduced.problem.cell_people.tolist()) == [3, 4, 8]


def test_cells_whose_marks_collide_stay_apart(monkeypatch):
    class Colliding:
        def integers(self, low, high, count, dtype):
            return np.ones(count, dtype=dtype)

    problem = small.problem_of([(0, [0, 1, 2, 3], 5)], [1, 2, 4, 8], [[0, 3], [1], [2]], [1, 1, 1], [1])
    monkeypatch.setattr(presolve.np.random, "default_rng", lambda seed: Colliding())
    assert sorted(reduce_problem(problem, None).problem.cell_people.tolist()) == [2, 4, 9]


def rivals(**given):
    """Option 1 covers what option 0 does and more, both with fibre at node 1; they exclude each other."""
    pair = np.array([0, 0], dtype=np.int32)
    costs = np.array([2, 2, 9], dtype=np.int64)
    backhaul = Backhaul(
        np.array([0, 1, 1], dtype=np.int32), np.array([1, 1, -1], dtype=np.int32), costs, costs,
        sparse.csr_array((3, 3), dtype=bool), np.zeros(3, dtype=np.int64),
        Roads(np.array([0]), np.array([1]), np.array([4]), np.array([True, False])),
    )  # fmt: skip
    groups = [(0, [0], 1), (1, [1], 1)]
    arrays = {"exclusive": pair, "backhaul": backhaul, **given}
    return small.problem_of(groups, [1, 1], [[0], [0, 1]], [5, 5], [1, 1], **arrays)


def test_an_option_goes_when_one_that_excludes_it_does_all_that_it_does():
    reduced = reduce_problem(rivals(), 100)
    assert reduced.option.tolist() == [1]
    # Fibre for 2 and a trench of 4 undercuts the way of its own for 9.
    assert reduced.way.tolist() == [1]
    assert (reduced.counts["options_replaced"], reduced.counts["ways"]) == (1, 2)


@pytest.mark.parametrize(
    "given",
    [
        {"exclusive": np.array([-1, -1], dtype=np.int32)},
        {"locked": np.array([True, False])},
        {"forbidden_sets": ((1,),)},
        {"lifetime_cost_vnd": np.array([5, 6])},
        {"load": Load(np.array([2, 1]), np.array([1, 1]))},
        {"caps": (Cap("", 1, np.array([1], dtype=np.int32), np.array([], dtype=np.int32)),)},
        {"caps": (Cap("", 1, np.array([], dtype=np.int32), np.array([1], dtype=np.int32)),)},
    ],
)
def test_an_option_stays_when_its_rival_asks_more_of_anything(given):
    assert 0 in reduce_problem(rivals(**given), 100).option


def test_what_cannot_be_connected_for_the_budget_goes_and_a_locked_one_is_refused():
    dear = rivals(exclusive=np.array([-1, -1], dtype=np.int32))
    assert len(reduce_problem(dear, 10).option) == 0
    assert reduce_problem(dear, 11).option.tolist() == [0, 1]
    with pytest.raises(LockedExceedBudget, match="cannot be connected"):
        reduce_problem(replace(dear, locked=np.array([True, False])), 3)


def test_parallel_ways_stay_when_one_costs_less_later():
    lit = np.array([True, False])
    both = Roads(np.array([0, 0]), np.array([1, 1]), np.array([4, 5]), lit, np.array([9, 8]))
    worse = replace(both, lifetime_vnd=np.array([9, 9]))
    assert [network_of(roads, np.array([1])).parts for roads in (both, worse)] == [((0,), (1,)), ((0,),)]
