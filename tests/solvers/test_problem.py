"""A problem names each of its faults, and counts coverage as its docstring says."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from phusong.solvers.errors import ProblemFaults
from phusong.solvers.problem import NONE, Backhaul, Cap, Load, Roads

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


def hops(*pairs, ways=3):
    table = np.zeros((ways, ways), dtype=bool)
    for way, host in pairs:
        table[way, host] = True
    return sparse.csr_array(table)


def numbers(*values, kind=np.int64):
    return np.array(values, dtype=kind)


def connected(backhaul=(), roads=(), **given):
    """Options 0 and 1 with a way each at the ends of one trench, option 1 with one that hangs on option 0's as well."""
    roads = {"start": numbers(0, kind=np.int32), "end": numbers(1, kind=np.int32), "cost_vnd": numbers(5),
             "lit": flags(True, False), **dict(roads)}  # fmt: skip
    backhaul = {
        "way_option": numbers(0, 1, 1, kind=np.int32), "way_node": numbers(0, 1, NONE, kind=np.int32),
        "way_budget_vnd": numbers(1, 2, 3), "way_lifetime_vnd": numbers(10, 20, 30), "relays": hops((2, 0)),
        "relay_most": numbers(1, 0, 0), "roads": Roads(**roads), **dict(backhaul),
    }  # fmt: skip
    return two_hamlets(backhaul=Backhaul(**backhaul), **given)


def cap(most=1, options=(), ways=(), option_units=None, way_units=None):
    return (
        Cap("dishes", most, numbers(*options, kind=np.int32), numbers(*ways, kind=np.int32), option_units, way_units),
    )


CONNECTED_FAULTS = {
    "backhaul.way_node: length 2, expected 3": {"backhaul": {"way_node": numbers(0, 1, kind=np.int32)}},
    "backhaul.way_budget_vnd: length 1, expected 3": {"backhaul": {"way_budget_vnd": numbers(1)}},
    "backhaul.way_lifetime_vnd: length 1, expected 3": {"backhaul": {"way_lifetime_vnd": numbers(1)}},
    "backhaul.relay_most: length 1, expected 3": {"backhaul": {"relay_most": numbers(1)}},
    "backhaul.relays: shape (2, 2), expected (3, 3)": {"backhaul": {"relays": hops(ways=2)}},
    "backhaul.way_option: values outside 0 .. 2 at 2": {"backhaul": {"way_option": numbers(0, 1, 3, kind=np.int32)}},
    "backhaul.way_option: must be ascending, falls at 1": {
        "backhaul": {"way_option": numbers(1, 0, 1, kind=np.int32)}
    },
    "backhaul.way_node: values outside -1 .. 1 at 0": {"backhaul": {"way_node": numbers(2, 1, 0, kind=np.int32)}},
    "backhaul.way_budget_vnd: negative at 1": {"backhaul": {"way_budget_vnd": numbers(1, -2, 3)}},
    "backhaul.way_lifetime_vnd: negative at 0": {"backhaul": {"way_lifetime_vnd": numbers(-1, 2, 3)}},
    "backhaul.relay_most: negative at 2": {"backhaul": {"relay_most": numbers(1, 1, -1)}},
    "backhaul.relays: ways hang on each other in a circle: 0, 2": {"backhaul": {"relays": hops((0, 2), (2, 0))}},
    "ways hang on each other in a circle: 1": {"backhaul": {"relays": hops((1, 1))}},
    "roads.end: length 2, expected 1": {"roads": {"end": numbers(0, 1, kind=np.int32)}},
    "roads.cost_vnd: length 2, expected 1": {"roads": {"cost_vnd": numbers(1, 1)}},
    "roads.lifetime_vnd: length 2, expected 1": {"roads": {"lifetime_vnd": numbers(1, 1)}},
    "roads.start: values outside 0 .. 1 at 0": {"roads": {"start": numbers(2, kind=np.int32)}},
    "roads.end: values outside 0 .. 1 at 0": {"roads": {"end": numbers(-1, kind=np.int32)}},
    "roads.cost_vnd: negative at 0": {"roads": {"cost_vnd": numbers(-1)}},
    "roads.lifetime_vnd: negative at 0": {"roads": {"lifetime_vnd": numbers(-1)}},
    "locked options without any way that can be connected: 1": {
        "roads": {"lit": flags(False, False)}, "locked": flags(False, True, False),
    },
    "caps[0] (dishes): most is -1, below 0": {"caps": cap(-1)},
    "caps[0] (dishes).options: values outside 0 .. 2 at 0": {"caps": cap(options=[3])},
    "caps[0] (dishes).ways: values outside 0 .. 2 at 1": {"caps": cap(ways=[2, 3])},
    "caps[0] (dishes).ways: named more than once: 1": {"caps": cap(ways=[1, 2, 1])},
    "caps[0] (dishes).option_units: length 2, expected 1": {"caps": cap(options=[1], option_units=numbers(1, 1))},
    "caps[0] (dishes).way_units: negative at 0": {"caps": cap(ways=[1], way_units=numbers(-1))},
    "load.option_kbps: length 1, expected 3": {"load": Load(numbers(1), numbers(1, 1))},
    "load.group_kbps: length 3, expected 2": {"load": Load(numbers(1, 1, 1), numbers(1, 1, 1))},
    "load.option_kbps: negative at 1": {"load": Load(numbers(1, -1, 1), numbers(1, 1))},
    "load.group_kbps: negative at 0": {"load": Load(numbers(1, 1, 1), numbers(-1, 1))},
}  # fmt: skip


@pytest.mark.parametrize("fault", CONNECTED_FAULTS)
def test_every_fault_of_backhaul_caps_and_load_is_named(fault):
    connected()
    with pytest.raises(ProblemFaults) as raised:
        connected(**CONNECTED_FAULTS[fault])
    assert fault in raised.value.where


def test_a_locked_option_is_not_alone_when_what_it_hangs_on_can_be_built():
    locked = flags(False, True, False)
    only_relay = {"way_option": numbers(0, 1, 2, kind=np.int32), "way_node": numbers(0, NONE, 1, kind=np.int32),
                  "relays": hops((1, 0))}  # fmt: skip
    connected(backhaul=only_relay, locked=locked)
    with pytest.raises(ProblemFaults, match="without any way"):
        connected(backhaul=only_relay, locked=locked, forbidden=flags(True, False, False))


def test_ways_and_trenches_are_part_of_the_cost_each_once():
    problem = connected(roads={"lifetime_vnd": numbers(50)})
    chosen, way, trench = numbers(0, 1, 2), numbers(0, 1, NONE), numbers(0)
    assert problem.cost_of(chosen, way, trench) == (1 + 2 + 3 + 1 + 2 + 5, 1 + 2 + 3 + 10 + 20 + 50)
    assert two_hamlets().cost_of(chosen, numbers(NONE, NONE, NONE), numbers()) == (6, 6)


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
