# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""A good plan fast: greedy by progress per cost, then removing a neighbourhood and filling it again, many times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.problem import Problem

PERSON = 1e-5  # progress that one more person counts for: it only breaks ties between hamlets
MOST_OUT = 8  # options taken out together
NEARBY = 0.6  # share of rounds that take out neighbours rather than any options
CLEARED, PEOPLE, SPENT, LIFETIME = range(4)  # of State.totals


class Case(NamedTuple):
    """What doesn't change: option -> cells -> groups -> hamlet, and option -> forbidden sets, as index arrays."""

    cell_ptr: NDArray[np.int64]  # (M + 1,)
    cell: NDArray[np.int64]
    group_ptr: NDArray[np.int64]  # (C + 1,)
    group: NDArray[np.int64]
    people: NDArray[np.int64]  # (C,)
    need: NDArray[np.int64]  # (G,)
    hamlet: NDArray[np.int64]  # (G,)
    weight: NDArray[np.int64]  # (H,)
    cost: NDArray[np.int64]  # (M,)
    lifetime: NDArray[np.int64]  # (M,)
    locked: NDArray[np.bool_]  # (M,)
    exclusive: NDArray[np.int64]  # (M,)
    set_ptr: NDArray[np.int64]  # (M + 1,)
    set: NDArray[np.int64]
    set_size: NDArray[np.int64]  # (S,)


class State(NamedTuple):
    """What a choice amounts to, kept up by `put`; `extra` and `touched` are room for `_gain`."""

    chosen: NDArray[np.bool_]  # (M,)
    times: NDArray[np.int32]  # (C,) chosen options that cover the cell
    got: NDArray[np.int64]  # (G,) people covered
    unmet: NDArray[np.int64]  # (H,) groups still short
    used: NDArray[np.int32]  # chosen options of each exclusive number
    in_set: NDArray[np.int32]  # (S,) chosen options of each forbidden set
    totals: NDArray[np.int64]  # (4,)
    extra: NDArray[np.int64]  # (G,) zero between calls
    touched: NDArray[np.int64]  # (G,)


@njit(cache=True, nogil=True)
def put(case: Case, state: State, option: int, sign: int) -> None:
    """Put an option in (sign 1) or take it out (-1). O(cells of the option x groups of a cell)."""
    state.chosen[option] = sign > 0
    state.totals[SPENT] += sign * case.cost[option]
    state.totals[LIFETIME] += sign * case.lifetime[option]
    if case.exclusive[option] >= 0:
        state.used[case.exclusive[option]] += sign
    for i in range(case.set_ptr[option], case.set_ptr[option + 1]):
        state.in_set[case.set[i]] += sign
    for i in range(case.cell_ptr[option], case.cell_ptr[option + 1]):
        cell = case.cell[i]
        state.times[cell] += sign
        if state.times[cell] == (1 if sign > 0 else 0):
            _turn(case, state, cell, sign)


@njit(cache=True, nogil=True)
def _turn(case: Case, state: State, cell: int, sign: int) -> None:
    # The cell is covered for the first time, or no longer.
    people = sign * case.people[cell]
    state.totals[PEOPLE] += people
    for i in range(case.group_ptr[cell], case.group_ptr[cell + 1]):
        group = case.group[i]
        hamlet = case.hamlet[group]
        had = state.got[group] >= case.need[group]
        state.got[group] += people
        has = state.got[group] >= case.need[group]
        if has and not had:
            state.unmet[hamlet] -= 1
            if state.unmet[hamlet] == 0:
                state.totals[CLEARED] += case.weight[hamlet]
        elif had and not has:
            if state.unmet[hamlet] == 0:
                state.totals[CLEARED] -= case.weight[hamlet]
            state.unmet[hamlet] += 1


@njit(cache=True, nogil=True)
def _gain(case: Case, state: State, option: int) -> float:
    """What an option would add: the share of each need, and 1 more for a hamlet cleared, weighted; and people."""
    people, got, need, extra, unmet = case.people, state.got, case.need, state.extra, state.unmet
    persons = 0
    touched = 0
    for i in range(case.cell_ptr[option], case.cell_ptr[option + 1]):
        cell = case.cell[i]
        if state.times[cell] == 0 and people[cell] > 0:
            persons += people[cell]
            for j in range(case.group_ptr[cell], case.group_ptr[cell + 1]):
                group = case.group[j]
                if got[group] < need[group]:
                    if extra[group] == 0:
                        state.touched[touched] = group
                        touched += 1
                    extra[group] += people[cell]
    progress = 0.0
    for group in state.touched[:touched]:
        hamlet = case.hamlet[group]
        helped = min(extra[group], need[group] - got[group])
        progress += case.weight[hamlet] * helped / need[group] / (1.0 + unmet[hamlet])
        if got[group] + helped == need[group]:
            unmet[hamlet] -= 1
            if unmet[hamlet] == 0:
                progress += case.weight[hamlet]
    for group in state.touched[:touched]:
        if got[group] + extra[group] >= need[group]:
            unmet[case.hamlet[group]] += 1
        extra[group] = 0
    return progress + PERSON * persons


@njit(cache=True, nogil=True)
def _excluded(case: Case, state: State, option: int) -> bool:
    """Whether a rule keeps the option out of the choice as it stands."""
    if case.exclusive[option] >= 0 and state.used[case.exclusive[option]] > 0:
        return True
    for i in range(case.set_ptr[option], case.set_ptr[option + 1]):
        if state.in_set[case.set[i]] + 1 >= case.set_size[case.set[i]]:
            return True
    return False


@njit(cache=True, nogil=True)
def _fill(case: Case, state: State, noise: NDArray[np.float64], limit: int, reach: int) -> None:
    # Greedy: the most progress per cost, until nothing helps, nothing fits or enough is cleared (reach >= 0).
    while reach < 0 or state.totals[CLEARED] < reach:
        pick = -1
        high = 0.0
        for option in range(len(case.cost)):
            affordable = case.cost[option] <= limit - state.totals[SPENT]
            if affordable and not state.chosen[option] and not _excluded(case, state, option):
                score = noise[option] * _gain(case, state, option) / max(1.0, float(case.cost[option]))
                if score > high:
                    pick = option
                    high = score
        if pick < 0:
            break
        put(case, state, pick, 1)


@njit(cache=True, nogil=True)
def _take_out(case: Case, state: State) -> None:
    # A random option with those that share most cells with it, or a random handful. Loops, not array expressions:
    # each of those would add a second to the compilation.
    held = np.empty(len(case.cost), np.int64)
    count = 0
    for option in range(len(case.cost)):
        if state.chosen[option] and not case.locked[option]:
            held[count] = option
            count += 1
    if count == 0:
        return
    size = min(count, 1 + np.random.randint(0, MOST_OUT))
    first = held[np.random.randint(0, count)]
    near = np.random.random() < NEARBY
    mark = np.zeros(len(case.people), np.bool_)
    for i in range(case.cell_ptr[first], case.cell_ptr[first + 1]):
        mark[case.cell[i]] = True
    closeness = np.empty(count)
    for i in range(count):
        closeness[i] = np.random.random() + (_marked_cells(case, mark, held[i]) if near else 0)
    put(case, state, first, -1)
    for _ in range(size):
        nearest = 0
        for i in range(count):
            if closeness[i] > closeness[nearest]:
                nearest = i
        if closeness[nearest] < 0.0:
            break
        closeness[nearest] = -1.0
        if state.chosen[held[nearest]]:
            put(case, state, held[nearest], -1)


@njit(cache=True, nogil=True)
def _marked_cells(case: Case, mark: NDArray[np.bool_], option: int) -> int:
    shared = 0
    for i in range(case.cell_ptr[option], case.cell_ptr[option + 1]):
        if mark[case.cell[i]]:
            shared += 1
    return shared


@njit(cache=True, nogil=True)
def _better(totals: NDArray[np.int64], best: NDArray[np.int64], reach: int) -> bool:
    if reach >= 0:
        return bool(totals[CLEARED] >= reach and (best[CLEARED] < 0 or totals[SPENT] < best[SPENT]))
    if totals[CLEARED] != best[CLEARED]:
        return bool(totals[CLEARED] > best[CLEARED])
    if totals[PEOPLE] != best[PEOPLE]:
        return bool(totals[PEOPLE] > best[PEOPLE])
    return bool(totals[LIFETIME] < best[LIFETIME])


@njit(cache=True, nogil=True)
def search(
    case: Case, state: State, budget: int, rounds: int, seed: int, reach: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Best choice (M,) and its totals by cleared weight, then people, then lifetime cost; or, with reach >= 0, by cost
    once the cleared weight reaches it (totals negative: never). O(rounds x additions x nnz of covers)."""
    np.random.seed(seed)
    limit = budget
    noise = np.ones(len(case.cost))
    best = state.chosen.copy()
    totals = np.full(len(state.totals), -1, np.int64)
    for option in range(len(best)):
        if case.locked[option]:
            put(case, state, option, 1)
    for turn in range(rounds + 1):
        if turn > 0:
            _take_out(case, state)
            for option in range(len(noise)):
                noise[option] = 0.7 + 0.6 * np.random.random()
        _fill(case, state, noise, limit, reach)
        if _better(state.totals, totals, reach):
            best[:] = state.chosen
            totals[:] = state.totals
            if reach >= 0:
                limit = totals[SPENT] - 1
        elif totals[CLEARED] >= 0:
            for option in range(len(best)):
                if state.chosen[option] != best[option]:
                    put(case, state, option, 1 if best[option] else -1)
    return best, totals


def good_plan(
    problem: Problem, budget: int, cost: NDArray[np.int64], rounds: int, seed: int, target: int | None = None
) -> NDArray[np.bool_] | None:
    """(M,) a good choice within the budget; None when a required hamlet or the target is missed.

    cost : (M,) int64 budget cost in any whole unit, budget in the same. target : cleared weight that is enough; the
    choice is then one of low cost. People are counted cell by cell, crowds or not: it is a start, not a proof. The same
    seed gives the same choice.
    """
    # A required hamlet outweighs all others together.
    heavy = int(problem.hamlet_weight.sum()) + 1
    weight = problem.hamlet_weight + np.where(problem.required, heavy, 0)
    case = _case(problem, cost, weight)
    reach = -1 if target is None else target + heavy * int(problem.required.sum())
    best, totals = search(case, _empty(case), budget, rounds, seed, reach)
    cleared = problem.cleared_by(problem.covered_by(np.flatnonzero(best).astype(np.int32)))
    return None if totals[CLEARED] < 0 or (problem.required & ~cleared).any() else best


def _case(problem: Problem, cost: NDArray[np.int64], weight: NDArray[np.int64]) -> Case:
    cells, groups, sets = len(problem.cell_people), len(problem.group_hamlet), len(problem.forbidden_sets)
    size = np.array([len(members) for members in problem.forbidden_sets], dtype=np.int64)
    option = np.array([o for members in problem.forbidden_sets for o in members], dtype=np.int64)
    set_ptr, set_of_option = _transposed(np.repeat(np.arange(sets), size), option, sets, problem.options)
    group = np.repeat(np.arange(groups), np.diff(problem.group_indptr))
    group_ptr, group_of_cell = _transposed(group, problem.group_cell, groups, cells)
    return Case(
        cell_ptr=problem.covers.indptr.astype(np.int64), cell=problem.covers.indices.astype(np.int64),
        group_ptr=group_ptr, group=group_of_cell, people=problem.cell_people, need=problem.group_need,
        hamlet=problem.group_hamlet.astype(np.int64), weight=weight, cost=cost, lifetime=problem.lifetime_cost_vnd,
        locked=problem.locked, exclusive=problem.exclusive.astype(np.int64),
        set_ptr=set_ptr, set=set_of_option, set_size=size,
    )  # fmt: skip


def _empty(case: Case) -> State:
    """Nothing chosen, not even what is locked."""
    groups, hamlets = len(case.need), len(case.weight)
    unmet = np.bincount(case.hamlet[case.need > 0], minlength=hamlets).astype(np.int64)
    return State(
        chosen=np.zeros(len(case.cost), dtype=np.bool_), times=np.zeros(len(case.people), dtype=np.int32),
        got=np.zeros(groups, dtype=np.int64), unmet=unmet,
        used=np.zeros(int(case.exclusive.max(initial=-1)) + 1, dtype=np.int32),
        in_set=np.zeros(len(case.set_size), dtype=np.int32),
        totals=np.array([case.weight[unmet == 0].sum(), 0, 0, 0], dtype=np.int64),
        extra=np.zeros(groups, dtype=np.int64), touched=np.empty(groups, dtype=np.int64),
    )  # fmt: skip


def _transposed(
    row: NDArray[np.int64], column: NDArray[np.int64] | NDArray[np.int32], rows: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows by column, ascending: (columns + 1,) pointers and the rows."""
    table = sparse.csr_array((np.ones(len(row), dtype=bool), (column, row)), shape=(columns, rows))
    return table.indptr.astype(np.int64), table.indices.astype(np.int64)
