"""Make the problem smaller without changing any answer: useless options and ways out, cells that are alike merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.built import Built
from phusong.solvers.carrying import Flows, carriers, flows, served
from phusong.solvers.errors import LockedExceedBudget
from phusong.solvers.problem import NONE, Backhaul, Crowds, Load, Problem
from phusong.solvers.ways import Connected, Dominance, connected, fewer_members, fewer_ways, usable


@dataclass(frozen=True, slots=True)
class Reduced:
    """A smaller problem and the way back.

    problem : over the kept options, ways and merged cells
    option  : (m,) int32 original number of each kept option
    counts  : what was removed, by reason
    way     : (w,) int32 original number of each kept way
    connected : the roads contracted for these ways; None without backhaul
    by_group : (G, m) bool options that cover a cell of each group, for its traffic
    Hamlets and groups keep their numbers. A cell that no kept option covers is gone, its people only unreachable.
    """

    problem: Problem
    option: NDArray[np.int32]
    counts: dict[str, int]
    way: NDArray[np.int32]
    connected: Connected | None
    by_group: sparse.csr_array

    def covered(self, built: Built) -> NDArray[np.bool_]:
        """(C,) cells that the options cover."""
        return self.problem.covered_by(np.flatnonzero(built.options).astype(np.int32))

    def spent(self, built: Built) -> tuple[int, int]:
        """VND against the budget, and over the lifetime."""
        problem = self.problem
        budget = int(problem.budget_cost_vnd[built.options].sum())
        lifetime = int(problem.lifetime_cost_vnd[built.options].sum())
        if problem.backhaul is not None and self.connected is not None:
            network = self.connected.network
            budget += int(problem.backhaul.way_budget_vnd[built.ways].sum() + network.cost[built.edges].sum())
            lifetime += int(problem.backhaul.way_lifetime_vnd[built.ways].sum() + network.lifetime[built.edges].sum())
        return budget, lifetime

    def cleared(self, built: Built) -> int:
        """Cleared weight."""
        return int(self.problem.hamlet_weight[built.cleared].sum())

    def people(self, built: Built) -> int:
        """People newly covered."""
        return self.problem.people_covered(self.covered(built))

    def restored(self, built: Built) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Options (k,) ascending, the way of each (NONE: none), and road edges, in the numbers of the whole problem."""
        options = np.flatnonzero(built.options)
        way, trenches = np.full(len(options), NONE, dtype=np.int32), np.empty(0, dtype=np.int32)
        if self.problem.backhaul is not None and self.connected is not None:
            taken = np.flatnonzero(built.ways)
            way[np.searchsorted(options, self.problem.backhaul.way_option[taken])] = self.way[taken]
            trenches = self.connected.network.road_edges(np.flatnonzero(built.edges))
        return self.option[options].astype(np.int32), way, trenches

    def flows(self, options: NDArray[np.bool_], hamlets: NDArray[np.bool_]) -> Flows | None:
        """Who carries the traffic of these hamlets; None when the options cannot."""
        load = self.problem.load
        return {} if load is None else flows(self.problem, load, self.by_group, options, hamlets)

    def completed(
        self,
        options: NDArray[np.bool_],
        ways: NDArray[np.bool_],
        edges: NDArray[np.bool_],
        cleared: NDArray[np.bool_] | None = None,
    ) -> Built:
        """The plan of these options and ways, without trenches that lead nowhere, with all that it clears for certain.

        cleared : (H,) hamlets that are known to be cleared; None: sought where capacity is short
        """
        problem = self.problem
        by_coverage = problem.cleared_by(problem.covered_by(np.flatnonzero(options).astype(np.int32)))
        if problem.load is None:
            cleared = by_coverage
        elif cleared is None or self.flows(options, by_coverage) is not None:
            cleared = served(problem, problem.load, self.by_group, options, by_coverage)
        if self.connected is not None:
            edges = self.connected.lean(ways, edges)
        return Built(options, ways, edges, cleared)


def reduce_problem(problem: Problem, budget_vnd: int | None) -> Reduced:
    """Leave out options that cover nothing, cost more than the whole budget or are forbidden; merge equal cells.

    Two cells are equal when the same kept options cover them and the same groups hold them; their people add up.
    Equality is found by hashing and verified entry by entry. With backhaul, options and ways go that cannot be
    connected within the budget, or that another one replaces in every plan (ways.py).
    Raises LockedExceedBudget when a locked option cannot be connected within the budget.
    """
    nothing = (np.diff(problem.covers.indptr) == 0) & ~problem.locked
    dear = np.zeros_like(nothing) if budget_vnd is None else (problem.budget_cost_vnd > budget_vnd) & ~problem.locked
    counts = {
        "options_covering_nothing": int(nothing.sum()),
        "options_dearer_than_the_budget": int((dear & ~nothing).sum()),
        "options_forbidden": int((problem.forbidden & ~nothing & ~dear).sum()),
    }
    backhaul, ways = problem.backhaul, np.empty(0, dtype=np.int64)
    if backhaul is None:
        kept = np.flatnonzero(~(nothing | dear | problem.forbidden)).astype(np.int32)
    else:
        kept, ways, more = _connectable(problem, backhaul, dear | problem.forbidden, budget_vnd)
        counts |= more
    covers = sparse.csc_array(problem.covers[kept])
    covers.sort_indices()
    reached = np.flatnonzero(np.diff(covers.indptr) > 0)
    groups_of = _groups_of_cells(problem)
    first, place = _equal_columns(sparse.csc_array(covers[:, reached]), sparse.csc_array(groups_of[:, reached]))

    people = np.zeros(len(first), dtype=np.int64)
    np.add.at(people, place, problem.cell_people[reached])
    merged_groups = sparse.csr_array(groups_of[:, reached[first]])
    number, way_number = _numbers(kept, problem.options), _numbers(ways, problem.ways)
    sets = tuple(
        tuple(int(number[o]) for o in members)
        for members in problem.forbidden_sets
        if (number[list(members)] >= 0).all()
    )
    load = problem.load
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
        backhaul=None if backhaul is None else fewer_ways(backhaul, ways, number),
        caps=tuple(fewer_members(cap, number, way_number) for cap in problem.caps),
        load=None if load is None else Load(load.option_kbps[kept], load.group_kbps),
    )
    there = None if smaller.backhaul is None else connected(smaller.backhaul, budget_vnd)
    counts["cells_unreachable"] = len(problem.cell_people) - len(reached)
    counts["cells_merged"] = len(reached) - len(first)
    if there is not None and backhaul is not None:
        counts["road_nodes"] = len(backhaul.roads.lit) - there.network.nodes
        counts["road_edges"] = len(backhaul.roads.start) - len(there.network.cost)
    by_group = sparse.csr_array((0, 0), dtype=bool) if load is None else carriers(smaller)
    return Reduced(smaller, kept, counts, ways.astype(np.int32), there, by_group)


def _connectable(
    problem: Problem, backhaul: Backhaul, out: NDArray[np.bool_], budget_vnd: int | None
) -> tuple[NDArray[np.int32], NDArray[np.int64], dict[str, int]]:
    """Options and ways kept, and how many more went than cover nothing, are too dear by themselves or forbidden."""
    gone, left = usable(problem, backhaul, out, budget_vnd)
    homeless = np.flatnonzero(gone & problem.locked)
    if homeless.size:
        raise LockedExceedBudget(
            what="phương án bắt buộc không nối được trong ngân sách"
            " / locked-in options cannot be connected for the budget",
            where=f"phương án / options {homeless[:5].tolist()}; ngân sách / budget: {budget_vnd:,} VND",
            mend="tăng ngân sách hoặc bỏ bớt locked_options / raise the budget or lock fewer options",
        )
    dominance = Dominance(problem, backhaul, left, budget_vnd)
    left = dominance.ways()
    replaced = dominance.options(gone)
    kept = ~(gone | replaced)
    ways = left & kept[backhaul.way_option]
    nothing = (np.diff(problem.covers.indptr) == 0) & ~problem.locked
    counts = {
        "options_covering_nothing": int((nothing & gone).sum()),
        "options_not_connectable": int((gone & ~out & ~nothing).sum()),
        "options_replaced": int(replaced.sum()),
        "ways": len(left) - int(ways.sum()),
    }
    return np.flatnonzero(kept).astype(np.int32), np.flatnonzero(ways), counts


def _numbers(kept: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """(count,) new number of what is kept, -1: gone."""
    number = np.full(count, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    return number


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
