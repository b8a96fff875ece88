"""The joint decision without its tree, in whole ways (CP-SAT): a tighter bound where the relaxation's is weak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from phusong.solvers.joint.master import Master

BOUND_SLACK = 1e-6  # CP-SAT reports bounds of whole numbers as floating ones


@dataclass(frozen=True, slots=True)
class Whole:
    """What CP-SAT says: no plan clears more than `bound` (or than `least - 1`); ways (k,) of its best choice, None
    without any; work in its own units; complete: that choice is optimal for the shares it was given."""

    bound: int
    ways: NDArray[np.int64] | None
    work: float
    complete: bool


def solve_whole(master: Master, shares: NDArray[np.int64], least: int, most: int, seed: int, limit: float) -> Whole:
    """Ways of most weight when trenches cost what the shares (k, K) say at least.

    least, most : weights worth knowing about: below `least` nothing is looked for, above `most` there is nothing
    limit : CP-SAT's deterministic units
    """
    case = master.case
    model = cp_model.CpModel()
    y = [model.new_int_var(0, int(o), "") for o in master.open]
    x = [model.new_bool_var("") for _ in range(master.ways)]
    n = [model.new_bool_var("") for _ in master.stop]
    columns = [*y, *x, *n]
    matrix = master.matrix
    for row, (a, b) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)):
        names, values = [columns[c] for c in matrix.indices[a:b]], matrix.data[a:b].tolist()
        if master.least[row] == 0 and values.count(-1) == 1 and set(values) <= {-1, 1}:
            model.add_bool_or([v if value > 0 else v.negated() for v, value in zip(names, values, strict=True)])
        else:
            model.add(cp_model.LinearExpr.weighted_sum(names, values) >= int(master.least[row]))
    money = cp_model.LinearExpr.weighted_sum(x, case.cost.tolist())
    trench = model.new_int_var(0, case.budget_vnd, "")
    model.add(money + trench <= case.budget_vnd)
    for line in shares:
        model.add(cp_model.LinearExpr.weighted_sum(n, line.tolist()) <= trench)
    weight = cp_model.LinearExpr.weighted_sum(y, case.coverage.hamlet_weight.tolist())
    model.add(weight >= least)
    model.maximize(weight)
    solver = cp_model.CpSolver()
    solver.parameters.catch_sigint_signal = False  # it would leave the system's own handler behind
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = limit
    status = solver.solve(model)
    work = solver.response_proto.deterministic_time
    if status == cp_model.INFEASIBLE:
        return Whole(least - 1, None, work, True)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Whole(most, None, work, False)
    bound = min(most, int(np.floor(solver.best_objective_bound + BOUND_SLACK)))
    ways = np.flatnonzero(np.array([solver.value(v) for v in x]) > 0)
    return Whole(bound, ways, work, status == cp_model.OPTIMAL)
