"""What clearing one more hamlet costs at least."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.backhaul.graph import FAR
from phusong.solvers.carrying import carriers
from phusong.solvers.model import Limits, StageModel
from phusong.solvers.presolve import reduce_problem
from phusong.solvers.problem import Load, Problem
from phusong.solvers.ways import connected

PRICE_WORK = 1.0  # the solver's own units that the search for a price may take


class Price(NamedTuple):
    """What clearing a hamlet costs [VND]. proven: none costs less; else it certainly suffices."""

    hamlet: int
    vnd: int
    proven: bool


def cheapest_clearing(problem: Problem, among: NDArray[np.bool_] | None = None) -> Price | None:
    """The hamlet that costs least to clear, by one option or by several together; None where no way was found.

    among : (H,) bool, the hamlets that count; None: all. What is locked or required is left aside, what is forbidden
    is not; hamlets that ask for nothing do not count.
    """
    asks = np.bincount(problem.group_hamlet[problem.group_need > 0], minlength=problem.hamlets) > 0
    counts = asks if among is None else asks & among
    alone = _cheapest_alone(problem, counts)
    free = replace(
        problem, hamlet_weight=counts.astype(np.int64), required=np.zeros_like(problem.required),
        locked=np.zeros_like(problem.locked), crowds=None,
    )  # fmt: skip
    less = None if alone is None else alone.vnd - 1
    reduced = reduce_problem(free, less)
    stage = StageModel(reduced, with_people=False)
    stage.model.add(stage.cleared() >= 1)
    if less is not None:
        stage.budget(less)
    stage.minimise(stage.spent())
    answer = stage.solve(Limits(deterministic_limit=PRICE_WORK), None)
    if answer.built is None:
        return None if alone is None else alone._replace(proven=answer.status == "infeasible")
    cleared = answer.built.cleared & counts
    vnd = reduced.spent(answer.built)[0]
    return Price(int(np.argmax(cleared)), vnd, answer.status == "optimal")


def _cheapest_alone(problem: Problem, counts: NDArray[np.bool_]) -> Price | None:
    covers = sparse.csr_array(problem.covers, dtype=np.int64)
    groups = len(problem.group_hamlet)
    group = np.repeat(np.arange(groups), np.diff(problem.group_indptr))
    people = sparse.csr_array(
        (problem.cell_people[problem.group_cell], (problem.group_cell, group)),
        shape=(len(problem.cell_people), groups),
    )
    reached = sparse.coo_array(covers @ people)
    option, number = reached.coords
    met = (reached.data >= problem.group_need[number]) & (problem.group_need[number] > 0)
    pair = option[met].astype(np.int64) * problem.hamlets + problem.group_hamlet[number[met]]
    pairs, count = np.unique(pair, return_counts=True)
    all_of = np.bincount(problem.group_hamlet[problem.group_need > 0], minlength=problem.hamlets)
    option, hamlet = np.divmod(pairs, max(problem.hamlets, 1))
    price_vnd = _prices(problem)
    whole = (count == all_of[hamlet]) & (price_vnd[option] < FAR) & counts[hamlet]
    if problem.load is not None:
        whole &= _carried_alone(problem, problem.load, option, hamlet)
    if not whole.any():
        return None
    price = price_vnd[option[whole]]
    least = int(np.argmin(price))
    return Price(int(hamlet[whole][least]), int(price[least]), False)


def _prices(problem: Problem) -> NDArray[np.int64]:
    """(M,) VND of each option alone, with its cheapest way; FAR where a rule bars it or every way hangs on others."""
    price, option_units = problem.budget_cost_vnd.astype(np.int64), _units(problem, problem.options, "options")
    barred = problem.forbidden.copy()
    barred[[members[0] for members in problem.forbidden_sets if len(members) == 1]] = True
    most = np.array([cap.most for cap in problem.caps], dtype=np.int64)[:, None]
    if problem.backhaul is not None:
        backhaul = problem.backhaul
        reach, _ = connected(backhaul, None).alone()
        units = option_units[:, backhaul.way_option] + _units(problem, problem.ways, "ways")
        works = (reach < FAR) & (np.diff(backhaul.relays.indptr) == 0) & (units <= most).all(axis=0)
        least = np.where(np.bincount(backhaul.way_option, minlength=problem.options) > 0, FAR, 0)
        np.minimum.at(least, backhaul.way_option[works], (backhaul.way_budget_vnd + np.minimum(reach, FAR // 4))[works])
        barred |= least == FAR
        price = price + np.where(barred, 0, least)
    barred |= (option_units > most).any(axis=0)
    return np.where(barred, FAR, price)


def _units(problem: Problem, count: int, kind: Literal["options", "ways"]) -> NDArray[np.int64]:
    """(caps, count) units of each option or way under each cap."""
    table = np.zeros((len(problem.caps), count), dtype=np.int64)
    for row, cap in enumerate(problem.caps):
        members, units = (cap.options, cap.option_units) if kind == "options" else (cap.ways, cap.way_units)
        table[row, members] = 1 if units is None else units
    return table


def _carried_alone(
    problem: Problem, load: Load, option: NDArray[np.int64], hamlet: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each option by itself carries all groups of its hamlet."""
    asks = load.group_kbps > 0
    kbps = np.bincount(problem.group_hamlet, load.group_kbps, problem.hamlets).astype(np.int64)
    groups_of = sparse.csr_array(
        (np.ones(int(asks.sum()), np.int64), (problem.group_hamlet[asks], np.flatnonzero(asks))),
        shape=(problem.hamlets, len(asks)),
    )
    reached = sparse.csr_array(groups_of @ carriers(problem).astype(np.int64))[hamlet, option]
    needed = np.bincount(problem.group_hamlet[asks], minlength=problem.hamlets)[hamlet]
    return np.asarray((np.asarray(reached).ravel() == needed) & (kbps[hamlet] <= load.option_kbps[option]))
