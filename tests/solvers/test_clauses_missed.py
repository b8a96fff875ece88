"""Clauses of a group found from a point that breaks them: each true, minimal and broken, by all sets of ways."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phusong.solvers.backhaul.graph import network_of
from phusong.solvers.clauses import blocking_clauses, missed_clauses
from phusong.solvers.joint.reach import Cuts, reach_of, with_goals
from phusong.solvers.problem import Roads


@st.composite
def groups(draw):
    """Up to 6 cells and 5 ways, cells that no way covers too; fractions in eighths, so that sums are exact."""
    cells, ways = draw(st.integers(1, 6)), draw(st.integers(0, 5))
    covers = np.array([[draw(st.booleans()) for _ in range(ways)] for _ in range(cells)], dtype=bool)
    people = np.array(draw(st.lists(st.integers(0, 9), min_size=cells, max_size=cells)))
    need = draw(st.integers(1, max(1, int(people.sum()))))
    chosen = np.array(draw(st.lists(st.integers(0, 8), min_size=ways, max_size=ways)), dtype=float) / 8
    return covers, people, need, chosen, draw(st.integers(0, 9)) / 8


def met_without(group, ways):
    """Whether the group can be met with none of some ways."""
    covers, people, need, *_ = group
    others = np.setdiff1d(np.arange(covers.shape[1]), ways)
    return people[covers[:, others].any(axis=1)].sum() >= need


@given(groups())
def test_every_clause_found_is_true_minimal_and_broken(group):
    covers, people, need, chosen, least = group
    found = [np.flatnonzero(clause) for clause in missed_clauses(covers, people, need, chosen, least)]
    assert len({clause.tobytes() for clause in found}) == len(found)
    for clause in found:
        assert not met_without(group, clause)
        assert chosen[clause].sum() < least
        assert all(met_without(group, np.delete(clause, i)) for i in range(len(clause)))
    alone = covers[people > people.sum() - need]  # each such cell blocks the group by itself
    assert found or (alone @ chosen >= least).all()


def test_a_clause_among_too_many_is_found():
    """One way for 31 of 40 people, where 32 are needed; and a tenth of one each for the other nine."""
    covers = np.hstack([np.eye(40, dtype=bool), (np.arange(40) < 31)[:, None]])
    people, chosen = np.ones(40, dtype=np.int64), np.append(np.full(40, 0.1), 1.0)
    options = [np.flatnonzero(row).tolist() for row in covers]
    assert not blocking_clauses(options, people.tolist(), 32)[1]
    assert chosen @ covers.sum(axis=0) > 32
    assert [np.flatnonzero(c).tolist() for c in missed_clauses(covers, people, 32, chosen, 1.0)] == [[*range(31, 40)]]


def test_goals_added_are_goals_given_from_the_start():
    ends = np.array([[0, 1], [1, 2], [0, 2]])
    roads = Roads(lit=np.array([True, False, False]), start=ends[:, 0], end=ends[:, 1], cost_vnd=np.array([3, 4, 5]))
    network = network_of(roads, np.array([1, 2]), 100)
    node, goals = np.array([1, 2, 0, 2]), [np.array([0, 2]), np.array([1]), np.array([1, 3])]
    first_way = len(network.neighbour)
    clauses = Cuts(np.array([7, 5]), np.array([0, 1, 3]), first_way + np.array([1, 1, 3]))
    grown = with_goals(reach_of(network, node, np.array([7]), goals[:1]), clauses)
    for mine, given_ in zip(grown, reach_of(network, node, np.array([7, 7, 5]), goals), strict=True):
        np.testing.assert_array_equal(mine, given_)


@given(groups())
def test_clauses_that_say_all_say_exactly_when_a_group_is_met(group):
    covers, people, need, *_ = group
    options = [np.flatnonzero(row).tolist() for row in covers]
    if people.sum() < need:
        return  # no choice helps; callers leave such groups out
    clauses, complete = blocking_clauses(options, people.tolist(), need)
    assert complete
    for number in range(2 ** covers.shape[1]):
        chosen = {way for way in range(covers.shape[1]) if number >> way & 1}
        met = met_without(group, [way for way in range(covers.shape[1]) if way not in chosen])
        assert met == all(chosen & set(clause) for clause in clauses)
