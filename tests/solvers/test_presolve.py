"""The smaller problem has the same answers as the whole one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.solvers import presolve
from phusong.solvers.presolve import reduce_problem

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
