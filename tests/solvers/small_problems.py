"""Small random decisions and the truth about them: every choice looked at, in plain loops."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from phusong.solvers.problem import Crowds, Problem

MILLION = 1_000_000


class Choice(NamedTuple):
    """One feasible choice (rules, locked, required; not the budget). spent in VND."""

    options: frozenset[int]
    spent: int
    cleared: int
    people: int
    lifetime: int


def problem_of(groups, people, covers, cost, weight, **given) -> Problem:
    """groups: (hamlet, cells, need) each; covers: cells of each option; all else free unless given."""
    options, hamlets = len(covers), len(weight)
    table = np.zeros((options, len(people)), dtype=bool)
    for option, cells in enumerate(covers):
        table[option, list(cells)] = True
    arrays = {
        "cell_people": np.array(people, dtype=np.int64),
        "group_hamlet": np.array([hamlet for hamlet, _, _ in groups], dtype=np.int32),
        "group_indptr": np.cumsum([0] + [len(cells) for _, cells, _ in groups]).astype(np.int64),
        "group_cell": np.array([cell for _, cells, _ in groups for cell in cells], dtype=np.int32),
        "group_need": np.array([need for _, _, need in groups], dtype=np.int64),
        "hamlet_weight": np.array(weight, dtype=np.int64),
        "required": np.zeros(hamlets, dtype=bool),
        "covers": sparse.csr_array(table),
        "budget_cost_vnd": np.array(cost, dtype=np.int64),
        "lifetime_cost_vnd": np.array(cost, dtype=np.int64),
        "exclusive": np.full(options, -1, dtype=np.int32),
        "locked": np.zeros(options, dtype=bool),
        "forbidden": np.zeros(options, dtype=bool),
    }
    return Problem(**{**arrays, **given})


@st.composite
def small_problems(draw, most_options=8, most_cells=9, most_hamlets=4) -> Problem:
    """Small ones; with zero people, zero needs, empty groups, hamlets without groups."""
    options, cells, hamlets = (draw(st.integers(1, most)) for most in (most_options, most_cells, most_hamlets))
    people = draw(st.lists(st.integers(0, 9), min_size=cells, max_size=cells))
    groups = []
    for _ in range(draw(st.integers(1, 7))):
        members = sorted(draw(st.sets(st.integers(0, cells - 1), max_size=5)))
        most = sum(people[c] for c in members)
        groups.append((draw(st.integers(0, hamlets - 1)), members, draw(st.integers(0, most + (most == 0)))))
    covers = [draw(st.sets(st.integers(0, cells - 1), max_size=5)) for _ in range(options)]
    cost = draw(st.lists(st.integers(0, 9_999_999), min_size=options, max_size=options))
    given = {
        "lifetime_cost_vnd": np.array(draw(st.lists(st.integers(0, 10**13), min_size=options, max_size=options))),
    }
    locked = np.array(draw(st.lists(st.sampled_from([False] * 9 + [True]), min_size=options, max_size=options)))
    forbidden = np.array(draw(st.lists(st.sampled_from([False] * 6 + [True]), min_size=options, max_size=options)))
    exclusive = np.array(
        draw(st.lists(st.sampled_from([-1, -1, 0, 4]), min_size=options, max_size=options)), dtype=np.int32
    )
    for number in (0, 4):  # locked options that exclude each other are a fault of the problem
        held = np.flatnonzero(locked & (exclusive == number))
        exclusive[held[1:]] = -1
    sets = draw(st.lists(st.sets(st.integers(0, options - 1), min_size=1, max_size=3), max_size=2))
    given |= {
        "locked": locked,
        "forbidden": forbidden & ~locked,
        "exclusive": exclusive,
        "forbidden_sets": tuple(tuple(sorted(s)) for s in sets if not locked[list(s)].all()),
        "required": np.array(draw(st.lists(st.sampled_from([False] * 9 + [True]), min_size=hamlets, max_size=hamlets))),
    }
    weight = draw(st.lists(st.integers(0, 5), min_size=hamlets, max_size=hamlets))
    return problem_of(groups, people, covers, cost, weight, **given)


def choice_of(problem: Problem, options: frozenset[int]) -> Choice | None:
    """What a set of options amounts to; None where a rule forbids it or a required hamlet is missed."""
    held = sorted(options)
    numbers = [int(problem.exclusive[o]) for o in held if problem.exclusive[o] >= 0]
    if (
        len(set(numbers)) < len(numbers)
        or any(problem.forbidden[o] for o in held)
        or not set(np.flatnonzero(problem.locked).tolist()) <= options
        or any(set(members) <= options for members in problem.forbidden_sets)
    ):
        return None
    table = problem.covers.toarray()
    covered = {c for o in held for c in np.flatnonzero(table[o]).tolist()}
    cleared = set(range(problem.hamlets))
    for group, hamlet in enumerate(problem.group_hamlet.tolist()):
        cells = problem.group_cell[problem.group_indptr[group] : problem.group_indptr[group + 1]].tolist()
        if sum(int(problem.cell_people[c]) for c in cells if c in covered) < problem.group_need[group]:
            cleared.discard(hamlet)
    if not set(np.flatnonzero(problem.required).tolist()) <= cleared:
        return None
    return Choice(
        options,
        sum(int(problem.budget_cost_vnd[o]) for o in held),
        sum(int(problem.hamlet_weight[h]) for h in cleared),
        people_of(problem, covered),
        sum(int(problem.lifetime_cost_vnd[o]) for o in held),
    )


def people_of(problem: Problem, covered: set[int]) -> int:
    """People newly covered, each once."""
    if problem.crowds is None:
        return sum(int(problem.cell_people[c]) for c in covered)
    table = problem.crowds.cells.toarray()
    return sum(
        int(people)
        for people, cells in zip(problem.crowds.people, table, strict=True)
        if set(np.flatnonzero(cells).tolist()) <= covered
    )


@st.composite
def crowded_problems(draw) -> Problem:
    """Small problems whose people ask for service in several cells at once."""
    problem = draw(small_problems())
    cells = len(problem.cell_people)
    crowds = draw(st.lists(st.sets(st.integers(0, cells - 1), min_size=1, max_size=3), max_size=6))
    table = np.zeros((len(crowds), cells), dtype=bool)
    for crowd, members in enumerate(crowds):
        table[crowd, list(members)] = True
    people = draw(st.lists(st.integers(0, 9), min_size=len(crowds), max_size=len(crowds)))
    return replace(problem, crowds=Crowds(sparse.csr_array(table), np.array(people, dtype=np.int64)))


def every_choice(problem: Problem) -> list[Choice]:
    """All feasible choices, whatever they cost."""
    sets = (frozenset(o for o in range(problem.options) if number >> o & 1) for number in range(1 << problem.options))
    return [choice for s in sets if (choice := choice_of(problem, s)) is not None]


def most_cleared(choices: list[Choice], budget: int) -> Choice | None:
    """By cleared weight, then people, then least lifetime cost, within the budget."""
    within = (c for c in choices if c.spent <= budget)
    return max(within, key=lambda c: (c.cleared, c.people, -c.lifetime), default=None)


def least_cost(choices: list[Choice], target: int) -> Choice | None:
    """By least cost that clears the target, then people, then least lifetime cost."""
    enough = (c for c in choices if c.cleared >= target)
    return min(enough, key=lambda c: (c.spent, -c.people, c.lifetime), default=None)
