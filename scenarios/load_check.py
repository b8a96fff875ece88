"""Whether a plan carries what it clears: one flow from the options to the groups, found anew."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import maximum_flow

from phusong.solvers.decision import Plan
from phusong.solvers.problem import Problem

KBPS_A_UNIT = 10  # scipy's flows are of 32 bits: 21 Tbps in all; demands are rounded down, capacities up


def load_faults(problem: Problem, plan: Plan) -> list[str]:
    """Broken promises of capacity, none where the problem asks for none."""
    load = problem.load
    if load is None:
        return []
    groups = np.flatnonzero(plan.cleared[problem.group_hamlet])
    chosen = np.asarray(plan.chosen, dtype=np.int64)
    covered_in = problem.covers[chosen].tocsc()
    edges = []
    for position, group in enumerate(groups.tolist()):
        cells = problem.group_cell[problem.group_indptr[group] : problem.group_indptr[group + 1]]
        takers = np.unique(covered_in[:, cells].nonzero()[0])
        edges += [(1 + int(t), 1 + len(chosen) + position) for t in takers]
    demand = load.group_kbps[groups] // KBPS_A_UNIT
    supply = -(-load.option_kbps[chosen] // KBPS_A_UNIT)
    sink = 1 + len(chosen) + len(groups)
    start = [*[0] * len(chosen), *(a for a, _ in edges), *range(1 + len(chosen), sink)]
    end = [*range(1, 1 + len(chosen)), *(b for _, b in edges), *[sink] * len(groups)]
    between = [int(demand[b - 1 - len(chosen)]) for _, b in edges]
    flows = np.array([*supply.tolist(), *between, *demand.tolist()], dtype=np.int32)
    graph = csr_array(coo_array((flows, (np.array(start, int), np.array(end, int))), shape=(sink + 1, sink + 1)))
    carried = int(maximum_flow(graph, 0, sink).flow_value) if len(groups) else 0
    asked = int(demand.sum())
    if carried < asked:
        return [f"capacity: {carried * KBPS_A_UNIT} kbps carried of {asked * KBPS_A_UNIT}"]
    return []
