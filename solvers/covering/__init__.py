"""Where to build so that the most weight is covered within a budget, or all of it at least cost, with proof.

Coverage alone: no backhaul, no groups. The order of work: what is alike is merged (`presolve`), a good plan is
searched for (`search`), prices bound every plan (`bound`), what the bound decides is fixed and the
rest reduced again, and what is then open is proven case by case (`tree`).
"""

from __future__ import annotations

import time
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.covering.bound import whole_gap
from phusong.solvers.covering.input import Given, given
from phusong.solvers.covering.least import solve_set_covering
from phusong.solvers.covering.plan import CoverPlan
from phusong.solvers.covering.presolve import reduce_cover
from phusong.solvers.covering.run import Progress, Run

__all__ = ["CoverPlan", "Progress", "solve_max_covering", "solve_set_covering"]


def solve_max_covering(
    coverage: Any,
    weight: Any,
    cost: Any,
    budget: int,
    *,
    locked: Any = None,
    gap: float = 0.0,
    time_limit_s: float | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> CoverPlan:
    """The facilities that cover the most weight within the budget, and a bound that no choice exceeds.

    coverage : scipy CSR (customers M x facilities N), any value but zero covers
    weight   : (M,) whole, not negative;  cost : (N,) whole, not negative;  budget : whole, not negative
    locked   : facilities that are built whatever they bring: (N,) bool, or their numbers. They count in the budget
    gap      : (bound - objective) / bound that is good enough
    time_limit_s : wall clock; None runs until the gap is proven. A clock that cut in makes a plan not repeatable
    seed     : the same input and seed give the same plan

    Facilities that cost nothing are all built. Ctrl-C stops with the best plan so far. Raises CoveringFaults.
    """
    began = time.monotonic()
    problem, limit = given(coverage, weight, cost, budget, locked, gap)
    if int(problem.cost[problem.locked].sum()) > limit:
        return CoverPlan.infeasible(time.monotonic() - began)
    left = limit - int(problem.cost[problem.locked].sum())
    taken = problem.locked | (problem.cost == 0)
    barred = (problem.cost > left) & ~taken
    base = int(problem.weight[problem.covered_by(taken)].sum())
    reduced = reduce_cover(problem.indptr, problem.indices, problem.weight, problem.cost, taken, barred)
    run = Run(reduced.cover, left, base, gap, seed, on_progress, began=began, time_limit_s=time_limit_s)
    run.solve()
    chosen = taken
    chosen[reduced.original[run.best]] = True
    return _plan(problem, chosen, run)


def _plan(problem: Given, chosen: NDArray[np.bool_], run: Run) -> CoverPlan:
    objective = int(problem.weight[problem.covered_by(chosen)].sum())  # counted anew, from what was given
    bound = max(run.bound, objective)
    reached = whole_gap(objective, bound)
    status: Literal["optimal", "within_gap", "stopped"] = "stopped"
    if bound == objective:
        status = "optimal"
    elif reached <= run.gap:
        status = "within_gap"
    return CoverPlan(
        selected=np.flatnonzero(chosen).astype(np.int32),
        objective=objective,
        bound=bound,
        gap=reached,
        status=status,
        proof=None if status == "stopped" else run.proof,
        spent=int(problem.cost[chosen].sum()),
        repeatable=run.repeatable,
        seconds=time.monotonic() - run.began,
    )
