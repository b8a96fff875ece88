"""One region in whole ways and trenches at given prices, by CP-SAT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from phusong.solvers.backhaul.graph import ROOT, Network
from phusong.solvers.interruption import stoppable, stopping
from phusong.solvers.joint.master import Master

FINE = 16  # worths are whole numbers of 2**-FINE hamlets
CLOSE = 0.05  # hamlets that a region's bound may be above its optimum

Cut = tuple[int, tuple[int, ...]]  # a stop, and arcs of which every way to it takes one


@dataclass(frozen=True, slots=True)
class Region:
    """Hamlets, the rows of the master that speak of them, the ways in those, their stops, and cuts found for them."""

    hamlets: NDArray[np.int64]
    rows: NDArray[np.int64]
    ways: NDArray[np.int64]
    stops: NDArray[np.int64]
    cuts: dict[Cut, None]


def solve_region(
    master: Master,
    region: Region,
    way_worth: NDArray[np.int64],
    arc_worth: NDArray[np.int64],
    hint: NDArray[np.bool_] | None,
    limit: float,
    seed: int,
) -> tuple[int, NDArray[np.bool_], NDArray[np.int64]]:
    """A bound on the region's worth in 2**-FINE hamlets; the ways (k,) and arcs of the best choice found.

    way_worth, arc_worth : (k,), (2e,) prices in 2**-FINE hamlets;  hint : (k,) ways to try first
    limit : CP-SAT's deterministic units.  Trees are asked for by the cuts known only, which is what makes it a bound.
    """
    model = cp_model.CpModel()
    columns = {int(h): model.new_bool_var("") for h in region.hamlets}
    hamlets = list(columns.values())
    ways = [model.new_bool_var("") for _ in region.ways]
    columns |= {master.hamlets + int(w): x for w, x in zip(region.ways, ways, strict=True)}
    _cover(model, master, region, columns, ways)
    arcs = _dig(model, master, region, arc_worth, ways)
    weight = [int(w) << FINE for w in master.case.coverage.hamlet_weight[region.hamlets].tolist()]
    model.maximize(
        cp_model.LinearExpr.weighted_sum(hamlets, weight)
        - cp_model.LinearExpr.weighted_sum(ways, way_worth.tolist())
        - cp_model.LinearExpr.weighted_sum(list(arcs.values()), arc_worth[list(arcs)].tolist())
    )
    if hint is not None:
        for x, taken in zip(ways, hint.tolist(), strict=True):
            model.add_hint(x, taken)
    solver = cp_model.CpSolver()
    solver.parameters.catch_sigint_signal = False  # it would leave the system's own handler behind
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = limit
    solver.parameters.absolute_gap_limit = CLOSE * 2**FINE
    status, pressed = stoppable(lambda: solver.solve(model), solver.stop_search)
    if pressed and not stopping():
        raise KeyboardInterrupt  # nobody around listens
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return sum(weight), np.zeros(len(ways), dtype=bool), np.empty(0, dtype=np.int64)
    bound = min(sum(weight), int(np.ceil(solver.best_objective_bound)) + 1)
    taken = [arc for arc, z in arcs.items() if solver.boolean_value(z)]
    return bound, np.array([solver.boolean_value(x) for x in ways], dtype=bool), np.array(taken, dtype=np.int64)


def _cover(
    model: cp_model.CpModel,
    master: Master,
    region: Region,
    columns: dict[int, cp_model.IntVar],
    ways: list[cp_model.IntVar],
) -> None:
    matrix = master.matrix
    for row in region.rows.tolist():
        a, b = matrix.indptr[row], matrix.indptr[row + 1]
        names, values = [columns[c] for c in matrix.indices[a:b].tolist()], matrix.data[a:b].tolist()
        if set(values) <= {-1, 1}:
            model.add_bool_or([v if value > 0 else v.negated() for v, value in zip(names, values, strict=True)])
        else:
            model.add(cp_model.LinearExpr.weighted_sum(names, values) >= 0)
    number = master.case.exclusive[region.ways]
    for kind in np.unique(number).tolist():
        members = np.flatnonzero(number == kind)
        if len(members) > 1:
            model.add_at_most_one([ways[m] for m in members])


def _dig(
    model: cp_model.CpModel,
    master: Master,
    region: Region,
    arc_worth: NDArray[np.int64],
    ways: list[cp_model.IntVar],
) -> dict[int, cp_model.IntVar]:
    """Arcs that may be dug: for a stop one of each cut; and before an arc, one into the node that it leaves."""
    network = master.case.network
    stops = {int(stop): model.new_bool_var("") for stop in region.stops}
    for way, x in zip(region.ways.tolist(), ways, strict=True):
        node = int(master.case.node[way])
        if node != ROOT:
            model.add_implication(x, stops[node])
    arcs: dict[int, cp_model.IntVar] = {}

    def dug(arc: int) -> cp_model.IntVar:
        if arc not in arcs:
            arcs[arc] = model.new_bool_var("")
        return arcs[arc]

    priced = (arc_worth > 0).tolist()
    for stop, cut in region.cuts:
        if all(priced[arc] for arc in cut):
            model.add_bool_or([stops[stop].negated(), *(dug(arc) for arc in cut)])
    waiting, done = list(arcs), set(arcs)
    while waiting:
        arc = waiting.pop()
        tail = int(network.neighbour[arc])
        if tail == ROOT:
            continue
        before = [
            i for i in range(network.indptr[tail], network.indptr[tail + 1]) if network.edge[i] != network.edge[arc]
        ]
        if all(priced[i] for i in before):
            model.add_bool_or([dug(arc).negated(), *(dug(i) for i in before)])
            waiting.extend(i for i in before if i not in done)
            done.update(before)
    return arcs


def cuts_missed(
    network: Network, free: NDArray[np.bool_], taken: NDArray[np.int64], stops: NDArray[np.int64]
) -> dict[Cut, None]:
    """For each stop that is not tied to the root by free or taken arcs: the arcs into the nodes that it is tied to."""
    tied = free.copy()
    tied[taken] = True
    missed: dict[Cut, None] = {}
    for stop in stops[stops != ROOT].tolist():
        inside, queue = {stop}, [stop]
        for node in queue:
            near = range(network.indptr[node], network.indptr[node + 1])
            new = {int(network.neighbour[i]) for i in near if tied[i]} - inside
            queue.extend(sorted(new))
            inside |= new
        if ROOT not in inside:
            border = (i for node in queue for i in range(network.indptr[node], network.indptr[node + 1]))
            missed[stop, tuple(sorted(i for i in border if int(network.neighbour[i]) not in inside))] = None
    return missed
