"""Make the problem smaller without changing any answer: useless options out, cells that behave alike merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.problem import Crowds, Problem


@dataclass(frozen=True, slots=True)
class Reduced:
    """A smaller problem and the way back.

    problem : over the kept options and merged cells
    option  : (m,) int32 original number of each kept option
    counts  : what was removed, by reason
    Hamlets and groups keep their numbers. A cell that no kept option covers is gone, its people only unreachable.
    """

    problem: Problem
    option: NDArray[np.int32]
    counts: dict[str, int]


def reduce_problem(problem: Problem, budget_vnd: int | None) -> Reduced:
    """Leave out options that cover nothing, cost more than the whole budget or are forbidden; merge equal cells.

    Two cells are equal when the same kept options cover them and the same groups hold them; their people add up.
    Equality is found by hashing and verified entry by entry.
    """
    nothing = (np.diff(problem.covers.indptr) == 0) & ~problem.locked
    dear = np.zeros_like(nothing) if budget_vnd is None else (problem.budget_cost_vnd > budget_vnd) & ~problem.locked
    kept = np.flatnonzero(~(nothing | dear | problem.forbidden)).astype(np.int32)
    covers = sparse.csc_array(problem.covers[kept])
    covers.sort_indices()
    reached = np.flatnonzero(np.diff(covers.indptr) > 0)
    groups_of = _groups_of_cells(problem)
    first, place = _equal_columns(sparse.csc_array(covers[:, reached]), sparse.csc_array(groups_of[:, reached]))

    people = np.zeros(len(first), dtype=np.int64)
    np.add.at(people, place, problem.cell_people[reached])
    merged_groups = sparse.csr_array(groups_of[:, reached[first]])
    number = {int(o): i for i, o in enumerate(kept)}
    sets = tuple(
        tuple(number[o] for o in members) for members in problem.forbidden_sets if all(o in number for o in members)
    )
    smaller = Problem(
        cell_people=people,
        group_hamlet=problem.group_hamlet,
        group_indptr=merged_groups.indptr.astype(np.int64),
        group_cell=merged_groups.indices.astype(np.int32),
        group_need=problem.group_need,
        hamlet_weight=problem.hamlet_weight,
        required=problem.required,
        covers=sparse.csr_array(covers[:, reached[first]]),
        budget_cost_vnd=problem.budget_cost_vnd[kept],
        lifetime_cost_vnd=problem.lifetime_cost_vnd[kept],
        exclusive=problem.exclusive[kept],
        locked=problem.locked[kept],
        forbidden=np.zeros(len(kept), dtype=bool),
        forbidden_sets=sets,
        crowds=None if problem.crowds is None else _merged_crowds(problem.crowds, reached, place, len(first)),
    )
    counts = {
        "options_covering_nothing": int(nothing.sum()),
        "options_dearer_than_the_budget": int((dear & ~nothing).sum()),
        "options_forbidden": int((problem.forbidden & ~nothing & ~dear).sum()),
        "cells_unreachable": len(problem.cell_people) - len(reached),
        "cells_merged": len(reached) - len(first),
    }
    return Reduced(smaller, kept, counts)


def _merged_crowds(crowds: Crowds, reached: NDArray[np.int64], place: NDArray[np.int64], cells: int) -> Crowds:
    """Crowds over merged cells: one that asks for an unreachable cell is gone, equal ones are one."""
    asked = sparse.csr_array(crowds.cells[:, reached])
    whole = np.diff(asked.indptr) == np.diff(crowds.cells.indptr)
    into = sparse.csr_array((np.ones(len(place), dtype=np.int64), (np.arange(len(place)), place)), (len(place), cells))
    merged = sparse.csr_array(asked[whole].astype(np.int64) @ into).astype(bool)
    first, crowd = _equal_columns(sparse.csc_array(merged.T))
    people = np.zeros(len(first), dtype=np.int64)
    np.add.at(people, crowd, crowds.people[whole])
    return Crowds(sparse.csr_array(merged[first]), people)


def _groups_of_cells(problem: Problem) -> sparse.csr_array:
    """(G, C) bool, the cells of each group; a cell named twice counts once."""
    group = np.repeat(np.arange(len(problem.group_hamlet)), np.diff(problem.group_indptr))
    ones = np.ones(len(group), dtype=bool)
    return sparse.csr_array(
        (ones, (group, problem.group_cell)), shape=(len(problem.group_hamlet), len(problem.cell_people))
    )


def _equal_columns(*tables: sparse.csc_array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns that are equal in every table: a first one of each kind, and the kind of each column."""
    rng = np.random.default_rng(20)
    count = tables[0].shape[1]
    code = np.zeros(count, dtype=np.uint64)
    for table in tables:
        table.sort_indices()
        mark = rng.integers(1, 2**63, table.shape[0], dtype=np.uint64)
        column = np.repeat(np.arange(count), np.diff(table.indptr))
        np.add.at(code, column, mark[table.indices])  # wraps around: a sum of random marks
    _, first, place = np.unique(code, return_index=True, return_inverse=True)
    for table in tables:
        same = _same_as(table, first[place])
        if not same.all():  # a collision of hashes: give the odd ones out kinds of their own
            odd = np.flatnonzero(~same)
            place[odd] = len(first) + np.arange(len(odd))
            first = np.concatenate([first, odd])
    return first.astype(np.int64), place.astype(np.int64)


def _same_as(table: sparse.csc_array, model: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each column holds the same rows as the column that `model` names for it."""
    length = np.diff(table.indptr)
    same = length == length[model]
    column = np.repeat(np.arange(len(model)), np.where(same, length, 0))
    within = np.arange(len(column)) - np.repeat(
        np.cumsum(np.where(same, length, 0)) - np.where(same, length, 0), np.where(same, length, 0)
    )
    differs = table.indices[table.indptr[column] + within] != table.indices[table.indptr[model[column]] + within]
    same[column[differs]] = False
    return np.asarray(same)
