"""What can be wrong with the arrays of a problem, each fault in a line of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from phusong.solvers.problem import Backhaul, Cap, Load, Problem, Roads

NONE = -1  # no road node to bring fibre to; no cap; no way


def faults_of(problem: Problem) -> Iterator[str]:
    """Every fault of shape, range or reference; where lengths are wrong, only these."""
    lengths = list(_lengths(problem))
    if lengths:
        yield from lengths
        return
    yield from _of_groups(problem)
    for name in ("cell_people", "group_need", "hamlet_weight", "budget_cost_vnd", "lifetime_cost_vnd"):
        yield from _negative(name, getattr(problem, name))
    if problem.crowds is not None:
        yield from _negative("crowds.people", problem.crowds.people)
    yield from _of_rules(problem)
    if problem.load is not None:
        yield from _negative("load.option_kbps", problem.load.option_kbps)
        yield from _negative("load.group_kbps", problem.load.group_kbps)
    if problem.backhaul is not None:
        of_backhaul = list(_of_backhaul(problem.backhaul, problem.options))
        yield from of_backhaul or _locked_alone(problem, problem.backhaul)
    for number, cap in enumerate(problem.caps):
        yield from _of_cap(f"caps[{number}] ({cap.name})", cap, problem.options, problem.ways)


def _lengths(problem: Problem) -> Iterator[str]:
    cells, groups, hamlets, options = (
        len(problem.cell_people), len(problem.group_hamlet), len(problem.hamlet_weight), len(problem.budget_cost_vnd)
    )  # fmt: skip
    lengths = {
        "group_indptr": (len(problem.group_indptr), groups + 1), "group_need": (len(problem.group_need), groups),
        "required": (len(problem.required), hamlets), "lifetime_cost_vnd": (len(problem.lifetime_cost_vnd), options),
        "exclusive": (len(problem.exclusive), options), "locked": (len(problem.locked), options),
        "forbidden": (len(problem.forbidden), options),
    }  # fmt: skip
    if problem.load is not None:
        lengths |= _lengths_of_load(problem.load, options, groups)
    if problem.backhaul is not None:
        lengths |= _lengths_of_backhaul(problem.backhaul)
    yield from (f"{n}: length {have}, expected {want}" for n, (have, want) in lengths.items() if have != want)
    if problem.covers.shape != (options, cells):
        yield f"covers: shape {problem.covers.shape}, expected {(options, cells)}"
    if problem.crowds is not None and problem.crowds.cells.shape != (len(problem.crowds.people), cells):
        yield f"crowds: shape {problem.crowds.cells.shape}, expected {(len(problem.crowds.people), cells)}"
    if problem.backhaul is not None and problem.backhaul.relays.shape != (problem.ways, problem.ways):
        yield f"backhaul.relays: shape {problem.backhaul.relays.shape}, expected {(problem.ways, problem.ways)}"


def _lengths_of_load(load: Load, options: int, groups: int) -> dict[str, tuple[int, int]]:
    return {
        "load.option_kbps": (len(load.option_kbps), options),
        "load.group_kbps": (len(load.group_kbps), groups),
    }


def _lengths_of_backhaul(backhaul: Backhaul) -> dict[str, tuple[int, int]]:
    ways, roads = len(backhaul.way_option), backhaul.roads
    edges = len(roads.start)
    return {
        "backhaul.way_node": (len(backhaul.way_node), ways),
        "backhaul.way_budget_vnd": (len(backhaul.way_budget_vnd), ways),
        "backhaul.way_lifetime_vnd": (len(backhaul.way_lifetime_vnd), ways),
        "backhaul.relay_most": (len(backhaul.relay_most), ways),
        "roads.end": (len(roads.end), edges),
        "roads.cost_vnd": (len(roads.cost_vnd), edges),
        "roads.lifetime_vnd": (len(roads.horizon_vnd), edges),
    }


def _of_groups(problem: Problem) -> Iterator[str]:
    groups = len(problem.group_hamlet)
    if (
        problem.group_indptr[0] != 0
        or (np.diff(problem.group_indptr) < 0).any()
        or problem.group_indptr[-1] != len(problem.group_cell)
    ):
        yield "group_indptr: must start at 0, never fall, and end at len(group_cell)"
    yield from _outside("group_hamlet", problem.group_hamlet, 0, problem.hamlets)
    yield from _outside("group_cell", problem.group_cell, 0, len(problem.cell_people))
    group = np.repeat(np.arange(groups), np.maximum(np.diff(problem.group_indptr), 0))
    if len(group) == len(problem.group_cell):
        twice = np.unique(np.column_stack([group, problem.group_cell]), axis=0, return_counts=True)
        yield from (f"group {g} names cell {c} {n} times" for (g, c), n in zip(*twice, strict=True) if n > 1)


def _of_rules(problem: Problem) -> Iterator[str]:
    both = np.flatnonzero(problem.locked & problem.forbidden)
    if both.size:
        yield f"options both locked and forbidden: {_first(both)}"
    last = problem.options - 1
    for number, members in enumerate(problem.forbidden_sets):
        if not members or min(members) < 0 or max(members) > last or len(set(members)) < len(members):
            yield f"forbidden_sets[{number}]: {members} is empty, repeats an option or exceeds {last}"
        elif problem.locked[list(members)].all():
            yield f"forbidden_sets[{number}]: all of {members} are locked"
    locked = problem.exclusive[problem.locked & (problem.exclusive >= 0)]
    numbers, count = np.unique(locked, return_counts=True)
    if (count > 1).any():
        yield f"locked options exclude each other: exclusive number {_first(numbers[count > 1])}"


def _of_backhaul(backhaul: Backhaul, options: int) -> Iterator[str]:
    roads = backhaul.roads
    yield from _outside("backhaul.way_option", backhaul.way_option, 0, options)
    falls = np.flatnonzero(np.diff(backhaul.way_option) < 0) + 1
    if falls.size:
        yield f"backhaul.way_option: must be ascending, falls at {_first(falls)}"
    yield from _outside("backhaul.way_node", backhaul.way_node, NONE, len(roads.lit))
    yield from _outside("roads.start", roads.start, 0, len(roads.lit))
    yield from _outside("roads.end", roads.end, 0, len(roads.lit))
    for name in ("way_budget_vnd", "way_lifetime_vnd", "relay_most"):
        yield from _negative(f"backhaul.{name}", getattr(backhaul, name))
    yield from _negative("roads.cost_vnd", roads.cost_vnd)
    if roads.lifetime_vnd is not None:
        yield from _negative("roads.lifetime_vnd", roads.lifetime_vnd)
    circle = _in_circles(backhaul.relays)
    if circle.size:
        yield f"backhaul.relays: ways hang on each other in a circle: {_first(circle)}"


def _in_circles(relays: sparse.csr_array) -> NDArray[np.int64]:
    _, part = connected_components(relays, directed=True, connection="strong")
    alone = np.bincount(part, minlength=1)[part] == 1
    return np.flatnonzero(~alone | (relays.diagonal() != 0))


def _locked_alone(problem: Problem, backhaul: Backhaul) -> Iterator[str]:
    """Locked options that no way connects whatever it costs, even if everything that is not forbidden is built."""
    connected = _on_lit_roads(backhaul.roads)
    ready = (backhaul.way_node == NONE) | connected[backhaul.way_node]
    ready &= ~problem.forbidden[backhaul.way_option]
    hangs = np.diff(backhaul.relays.indptr) > 0
    works = ready & ~hangs
    while True:
        more = works | (ready & (backhaul.relays @ works.astype(np.int64) > 0))
        if (more == works).all():
            break
        works = more
    has_ways = np.bincount(backhaul.way_option, minlength=problem.options) > 0
    reached = np.bincount(backhaul.way_option[works], minlength=problem.options) > 0
    alone = np.flatnonzero(problem.locked & has_ways & ~reached)
    if alone.size:
        yield f"locked options without any way that can be connected: {_first(alone)}"


def _on_lit_roads(roads: Roads) -> NDArray[np.bool_]:
    """(N + 1,) nodes that trenches could connect; the last entry, which index NONE meets, is False."""
    nodes = len(roads.lit)
    if not nodes:
        return np.zeros(1, dtype=bool)
    table = sparse.coo_array((np.ones(len(roads.start)), (roads.start, roads.end)), shape=(nodes, nodes))
    _, part = connected_components(table, directed=False)
    lit = np.zeros(int(part.max()) + 1, dtype=bool)
    lit[part[roads.lit]] = True
    return np.append(lit[part], False)


def _of_cap(name: str, cap: Cap, options: int, ways: int) -> Iterator[str]:
    if cap.most < 0:
        yield f"{name}: most is {cap.most}, below 0"
    for what, members, units, limit in (
        ("options", cap.options, cap.option_units, options),
        ("ways", cap.ways, cap.way_units, ways),
    ):
        yield from _outside(f"{name}.{what}", members, 0, limit)
        values, count = np.unique(members, return_counts=True)
        if (count > 1).any():
            yield f"{name}.{what}: named more than once: {_first(values[count > 1])}"
        if units is not None and len(units) != len(members):
            yield f"{name}.{what[:-1]}_units: length {len(units)}, expected {len(members)}"
        elif units is not None:
            yield from _negative(f"{name}.{what[:-1]}_units", units)


def _first(values: NDArray[np.int64] | NDArray[np.int32]) -> str:
    shown = ", ".join(str(v) for v in values[:5].tolist())
    return shown + (f" and {len(values) - 5} more" if len(values) > 5 else "")


def _outside(name: str, values: NDArray[np.int32], least: int, limit: int) -> Iterator[str]:
    bad = np.flatnonzero((values < least) | (values >= limit))
    if bad.size:
        yield f"{name}: values outside {least} .. {limit - 1} at {_first(bad)}"


def _negative(name: str, values: NDArray[np.int64]) -> Iterator[str]:
    bad = np.flatnonzero(values < 0)
    if bad.size:
        yield f"{name}: negative at {_first(bad)}"
