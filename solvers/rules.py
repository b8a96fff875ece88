"""Which rules a plan breaks, and a plan mended by leaving out what breaks them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.built import Built
from phusong.solvers.presolve import Reduced
from phusong.solvers.problem import Problem


def mended(reduced: Reduced, built: Built) -> Built | None:
    """The plan without the options that break rules, each time the one whose loss clears least less; None where what is
    locked or required cannot be kept so."""
    problem, given = reduced.problem, built
    while True:
        blamed = next(_broken(problem, built), None)
        if blamed is None:
            break
        blamed &= built.options & ~problem.locked
        if not blamed.any():
            return None
        without = [_without(reduced, built, option) for option in np.flatnonzero(blamed).tolist()]
        built = max(without, key=lambda b: (_kept_weight(problem, b), -int(problem.budget_cost_vnd[b.options].sum())))
    if not (built.options == given.options).all():
        built = reduced.completed(built.options, built.ways, built.edges)
    lacking = (problem.required & ~built.cleared).any() or (problem.locked & ~built.options).any()
    return None if lacking else built


def _kept_weight(problem: Problem, built: Built) -> tuple[int, int]:
    return int((problem.required & built.cleared).sum()), int(problem.hamlet_weight[built.cleared].sum())


def _without(reduced: Reduced, built: Built, option: int) -> Built:
    options, ways = built.options.copy(), built.ways.copy()
    options[option] = False
    if reduced.problem.backhaul is not None:
        ways[reduced.problem.backhaul.way_option == option] = False
    covered = reduced.problem.covered_by(np.flatnonzero(options).astype(np.int32))
    return Built(options, ways, built.edges, reduced.problem.cleared_by(covered))


def _broken(problem: Problem, built: Built) -> Iterator[NDArray[np.bool_]]:
    """For each broken rule, the options (m,) of which some must go."""
    for some in problem.forbidden_sets:
        if built.options[list(some)].all():
            yield _among(problem, np.array(some))
    for cap in problem.caps:
        units = 0
        for chosen, members, given in (
            (built.options, cap.options, cap.option_units),
            (built.ways, cap.ways, cap.way_units),
        ):
            each = np.ones(len(members), dtype=np.int64) if given is None else given
            units += int(each[chosen[members]].sum())
        if units > cap.most:
            blamed = _among(problem, cap.options)
            if problem.backhaul is not None:
                blamed[problem.backhaul.way_option[cap.ways[built.ways[cap.ways]]]] = True
            yield blamed
    if problem.backhaul is not None:
        backhaul, taken = problem.backhaul, np.flatnonzero(built.ways)
        hops = sparse.csr_array(backhaul.relays[taken])
        lost = taken[(np.diff(hops.indptr) > 0) & (hops @ built.ways.astype(np.int64) == 0)]
        if lost.size:
            yield _among(problem, backhaul.way_option[lost])
        hanging = np.bincount(hops.indices, minlength=len(built.ways))
        for host in np.flatnonzero(built.ways & (hanging > backhaul.relay_most)).tolist():
            yield _among(problem, backhaul.way_option[taken[hops[:, [host]].toarray().ravel()]])


def _among(problem: Problem, options: NDArray[np.integer]) -> NDArray[np.bool_]:
    table = np.zeros(problem.options, dtype=bool)
    table[options] = True
    return table
