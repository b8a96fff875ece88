"""A problem names each of its faults, and counts coverage as its docstring says."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from phusong.solvers.errors import ProblemFaults

spec = importlib.util.spec_from_file_location("small_problems", Path(__file__).with_name("small_problems.py"))
small = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small)

GROUPS = [(0, [0, 1], 3), (1, [1, 2], 2)]  # hamlet, cells, need


def two_hamlets(**given):
    return replace(small.problem_of(GROUPS, [2, 2, 2], [[0], [1], [2]], [1, 2, 3], [1, 1]), **given)


def flags(*values):
    return np.array(values, dtype=bool)


FAULTS = {
    "group_indptr: length 2, expected 3": {"group_indptr": np.array([0, 4])},
    "group_need: length 1, expected 2": {"group_need": np.array([3])},
    "required: length 1, expected 2": {"required": flags(False)},
    "lifetime_cost_vnd: length 1, expected 3": {"lifetime_cost_vnd": np.array([1])},
    "exclusive: length 1, expected 3": {"exclusive": np.array([-1], dtype=np.int32)},
    "locked: length 1, expected 3": {"locked": flags(False)},
    "forbidden: length 1, expected 3": {"forbidden": flags(False)},
    "covers: shape (2, 3), expected (3, 3)": {"covers": sparse.csr_array((2, 3), dtype=bool)},
    "group_indptr: must start at 0": {"group_indptr": np.array([1, 2, 4])},
    "never fall": {"group_indptr": np.array([0, 5, 4])},
    "end at len(group_cell)": {"group_indptr": np.array([0, 2, 3])},
    "group_hamlet: values outside 0 .. 1 at 1": {"group_hamlet": np.array([0, 2], dtype=np.int32)},
    "group_cell: values outside 0 .. 2 at 0, 3": {"group_cell": np.array([-1, 1, 1, 3], dtype=np.int32)},
    "group 1 names cell 2 2 times": {"group_cell": np.array([0, 1, 2, 2], dtype=np.int32)},
    "cell_people: negative at 2": {"cell_people": np.array([2, 2, -1])},
    "group_need: negative at 0": {"group_need": np.array([-1, 2])},
    "hamlet_weight: negative at 1": {"hamlet_weight": np.array([1, -1])},
    "budget_cost_vnd: negative at 0": {"budget_cost_vnd": np.array([-1, 2, 3])},
    "lifetime_cost_vnd: negative at 0": {"lifetime_cost_vnd": np.array([-1, 2, 3])},
    "options both locked and forbidden: 1": {
        "locked": flags(False, True, False),
        "forbidden": flags(True, True, False),
    },
    "forbidden_sets[0]: ()": {"forbidden_sets": ((),)},
    "forbidden_sets[1]: (1, 3)": {"forbidden_sets": ((0, 1), (1, 3))},
    "forbidden_sets[0]: (-1, 1)": {"forbidden_sets": ((-1, 1),)},
    "forbidden_sets[0]: (1, 1)": {"forbidden_sets": ((1, 1),)},
    "forbidden_sets[0]: all of (0, 2) are locked": {
        "locked": flags(True, False, True),
        "forbidden_sets": ((0, 2),),
    },
    "locked options exclude each other: exclusive number 7": {
        "locked": flags(True, True, False),
        "exclusive": np.array([7, 7, 7], dtype=np.int32),
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_named(fault):
    with pytest.raises(ProblemFaults) as raised:
        two_hamlets(**FAULTS[fault])
    assert fault in raised.value.where


def test_faults_come_together():
    with pytest.raises(ProblemFaults) as raised:
        two_hamlets(cell_people=np.array([2, -2, 2]), group_need=np.array([3, -2]), forbidden_sets=((),))
    assert raised.value.where.count("\n") == 2


def test_a_group_is_met_by_several_options_and_a_hamlet_by_all_its_groups():
    problem = small.problem_of(
        [(0, [0, 1], 3), (0, [2], 2), (1, [], 0)], [2, 2, 2], [[0], [1], [2]], [1, 1, 1], [1, 1, 1]
    )
    clears = {
        chosen: problem.cleared_by(problem.covered_by(np.array(chosen, dtype=np.int32))).tolist()
        for chosen in [(), (0, 1), (0, 2), (0, 1, 2)]
    }
    # The second hamlet asks for nothing and the third has no group: both are cleared from the start.
    assert clears == {
        (): [False, True, True],
        (0, 1): [False, True, True],
        (0, 2): [False, True, True],
        (0, 1, 2): [True, True, True],
    }
