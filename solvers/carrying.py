"""Whether chosen options carry the traffic of hamlets: flows from groups to the options that cover a cell of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import max_flow
from scipy import sparse

from phusong.solvers.problem import Load, Problem

Flows = dict[tuple[int, int], int]  # (option, group) -> kbps


def carriers(problem: Problem) -> sparse.csr_array:
    """(G, M) bool: the options that cover a cell of each group."""
    groups = len(problem.group_hamlet)
    group = np.repeat(np.arange(groups), np.diff(problem.group_indptr))
    ones = np.ones(len(group), dtype=np.int64)
    cells = sparse.csr_array((ones, (group, problem.group_cell)), shape=(groups, len(problem.cell_people)))
    return sparse.csr_array((cells @ problem.covers.T.astype(np.int64)).astype(bool))


def flows(
    problem: Problem, load: Load, by_group: sparse.csr_array, options: NDArray[np.bool_], hamlets: NDArray[np.bool_]
) -> Flows | None:
    """Who carries what when the options (M,) serve these hamlets (H,); None when they cannot.

    by_group : `carriers` of the problem
    """
    groups = np.flatnonzero(hamlets[problem.group_hamlet] & (load.group_kbps > 0))
    if not len(groups):
        return {}
    table = sparse.coo_array(by_group[groups])
    row, option = (c.astype(np.int64)[options[table.coords[1]]] for c in table.coords)
    group, kbps = groups[row], load.group_kbps[groups]
    source, sink = 0, 1
    flow = max_flow.SimpleMaxFlow()
    flow.add_arcs_with_capacity(np.full(len(groups), source), 2 + np.arange(len(groups)), kbps)
    shared = flow.add_arcs_with_capacity(2 + row, 2 + len(groups) + option, load.group_kbps[group])
    used = np.unique(option)
    flow.add_arcs_with_capacity(2 + len(groups) + used, np.full(len(used), sink), load.option_kbps[used])
    if not len(used) or flow.solve(source, sink) != flow.OPTIMAL or flow.optimal_flow() < kbps.sum():
        return None
    amounts = [int(f) for f in flow.flows(shared)]
    return {(int(o), int(g)): f for o, g, f in zip(option, group, amounts, strict=True) if f}


def served(
    problem: Problem, load: Load, by_group: sparse.csr_array, options: NDArray[np.bool_], covered: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(H,) of the hamlets `covered` (H,), those that the options can carry: all, or as they fit, required ones first,
    then by weight and little traffic."""
    if flows(problem, load, by_group, options, covered) is not None:
        return covered
    kbps = np.bincount(problem.group_hamlet, load.group_kbps, problem.hamlets)
    kept = np.zeros_like(covered)
    for hamlet in np.lexsort((kbps, -problem.hamlet_weight, ~problem.required)).tolist():
        if covered[hamlet]:
            kept[hamlet] = True
            kept[hamlet] = flows(problem, load, by_group, options, kept) is not None
    return kept
