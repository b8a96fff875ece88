"""A bound in whole ways, region by region.

At a price for money, and with trenches charged by valid shares, the joint decision has no constraint left but coverage.
Hamlets are split into regions; a way that covers hamlets of several regions becomes one copy in each, and its price is
split among the copies. Whatever the split and the price, the regions' integer optima and the worth of the budget
together bound every plan: the copies of a plan's ways cost no more than the plan. The relaxation's multipliers are a
split at which next to nothing is lost against it, and whole ways win; then prices move towards copies that agree
(subgradients).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy import sparse

from phusong.solvers.joint.master import Master, Relaxed

FINE = 28  # worths are whole numbers of 2**-FINE hamlets
DEEP = 40  # prices of a VND have so many bits more
AGREE = 0.25  # share of a way's price that moves between copies that disagree, in the first pass
TURN = 0.25  # how far the price of money follows the budget's over- or underuse
LARGEST_TURN = 0.04


@dataclass(frozen=True, slots=True)
class Region:
    """Rows of the master that speak of its hamlets, and the ways in them."""

    hamlets: NDArray[np.int64]
    rows: NDArray[np.int64]
    ways: NDArray[np.int64]


def combined_shares(shares: NDArray[np.int64], multiplier: NDArray[np.float64]) -> NDArray[np.int64]:
    """(K,) a mean of valid shares (k, K), rounded down: valid as well."""
    parts = [round(m * 2**60 * 1e9) for m in multiplier.tolist()]
    total: int = sum(parts)
    if total <= 0:
        return np.array(shares[0], dtype=np.int64)
    lines = [(p, line.tolist()) for p, line in zip(parts, shares, strict=True) if p]
    mean = [sum(p * line[k] for p, line in lines) // total for k in range(shares.shape[1])]
    return np.array(mean, dtype=np.int64)


def regions_of(master: Master, relaxed: Relaxed, size: int) -> list[Region]:
    """Hamlets grown into regions of up to `size`, each time by the one that shares most pull of ways."""
    hamlets, ways = master.hamlets, master.ways
    kind = _hamlet_of_row(master)
    spoken = np.flatnonzero(kind >= 0)
    of_row = sparse.csr_array((np.ones(len(spoken)), (kind[spoken], spoken)), shape=(hamlets, len(kind)))
    pull = of_row @ sparse.diags_array(relaxed.rows + 1e-3) @ master.matrix[:, hamlets : hamlets + ways].astype(float)
    near = sparse.csr_array(pull @ sparse.diags_array(relaxed.x + 1e-2) @ pull.T)
    waiting = master.open.copy()
    closeness = np.zeros(hamlets)
    regions = []
    while waiting.any():
        # Begin beside what is done already, so that no scraps are left between regions.
        seed = int(np.argmax(np.where(waiting, closeness + 1e-12, -1.0)))
        members: list[int] = []
        link = np.zeros(hamlets)
        while len(members) < size and seed >= 0:
            members.append(seed)
            waiting[seed] = False
            a, b = near.indptr[seed], near.indptr[seed + 1]
            link[near.indices[a:b]] += near.data[a:b]
            reach = np.where(waiting, link, 0.0)
            seed = int(np.argmax(reach)) if reach.max() > 0.0 else -1
        closeness += link
        held = np.array(sorted(members), dtype=np.int64)
        rows = np.flatnonzero(np.isin(kind, held))
        columns = np.unique(master.matrix[rows].indices)
        regions.append(
            Region(held, rows, columns[(columns >= hamlets) & (columns < hamlets + ways)].astype(np.int64) - hamlets)
        )
    return regions


def _hamlet_of_row(master: Master) -> NDArray[np.int64]:
    """(R,) the hamlet that a clause or sum speaks of; -1 for other rows."""
    first = master.matrix.indices[master.matrix.indptr[:-1]]
    return np.asarray(np.where(first < master.hamlets, first, -1), dtype=np.int64)


def region_bound(
    master: Master, relaxed: Relaxed, shares: NDArray[np.int64], size: int, passes: int, limit: float, seed: int
) -> int:
    """No plan clears more weight than this.

    shares : (k, K) valid shares that `relaxed` was solved with;  size : hamlets a region;  passes : times that prices
    move;  limit : CP-SAT's deterministic units for each region
    """
    case = master.case
    price = round(relaxed.worth_of_vnd * 2 ** (FINE + DEEP))
    share = np.zeros(case.network.nodes, dtype=np.int64)
    share[master.stop] = combined_shares(shares, relaxed.shares)
    worth = case.cost + _trench_of_way(master, relaxed, share)
    regions = regions_of(master, relaxed, size)
    split = [_first_split(master, relaxed, region) for region in regions]
    total = np.zeros(master.ways)
    for region, part in zip(regions, split, strict=True):
        total[region.ways] += part
    split = [part / np.maximum(total[region.ways], 1e-300) for region, part in zip(regions, split, strict=True)]
    best = relaxed.bound
    for turn in range(passes + 1):
        whole = np.array([(price * int(w)) >> DEEP for w in worth.tolist()], dtype=np.int64)
        # Rounded down, and the copies of a way never cost more than the way.
        costs = [
            np.floor(part * (1.0 - 1e-9) * whole[region.ways]).astype(np.int64)
            for region, part in zip(regions, split, strict=True)
        ]
        paid = np.zeros(master.ways, dtype=np.int64)
        for region, cost in zip(regions, costs, strict=True):
            paid[region.ways] += cost
        assert (paid <= whole).all()
        picks, value = [], -((-price * case.budget_vnd) >> DEEP)
        for region, cost in zip(regions, costs, strict=True):
            most, pick = _solve(master, region, cost, limit, seed)
            value += most
            picks.append(pick)
        best = min(best, value >> FINE)
        if turn < passes:
            used = _move(regions, split, picks, master.ways, AGREE / (1.0 + turn))
            over = float(used @ worth) / max(1, case.budget_vnd) - 1.0
            price = round(price * (1.0 + float(np.clip(TURN * over, -LARGEST_TURN, LARGEST_TURN)) / (1.0 + turn)))
    return best


def _trench_of_way(master: Master, relaxed: Relaxed, share: NDArray[np.int64]) -> NDArray[np.int64]:
    """(W,) what each way pays of its node's share; the ways at a node pay no more than the share together."""
    case = master.case
    wants = np.where(case.node > 0, relaxed.x + 1e-3, 0.0)
    at_node = np.bincount(case.node, wants, case.network.nodes)
    part = wants / np.maximum(at_node[case.node], 1e-300)
    alone = np.bincount(case.node, minlength=case.network.nodes)[case.node] == 1
    return np.where(alone, share[case.node], np.floor(part * (1.0 - 1e-9) * share[case.node])).astype(np.int64)


def _first_split(master: Master, relaxed: Relaxed, region: Region) -> NDArray[np.float64]:
    """Weight of the copies of a way in proportion to what the relaxation's multipliers pull at them."""
    matrix = master.matrix[region.rows][:, master.hamlets + region.ways].astype(float)
    return np.asarray(matrix.T @ (relaxed.rows[region.rows] + 1e-4))


def _move(
    regions: list[Region], split: list[NDArray[np.float64]], picks: list[NDArray[np.bool_]], ways: int, step: float
) -> NDArray[np.float64]:
    """Shift the price of each way towards copies that are taken; returns how much each way is taken, 0 to 1."""
    taken, copies = np.zeros(ways), np.zeros(ways)
    for region, part, pick in zip(regions, split, picks, strict=True):
        taken[region.ways] += part * pick
        copies[region.ways] += part
    mean = taken / np.maximum(copies, 1e-300)
    for number, (region, pick) in enumerate(zip(regions, picks, strict=True)):
        split[number] = split[number] * (1.0 + step * (pick - mean[region.ways]))
    total = np.zeros(ways)
    for region, part in zip(regions, split, strict=True):
        total[region.ways] += part
    for number, region in enumerate(regions):
        split[number] = split[number] / np.maximum(total[region.ways], 1e-300)
    return np.minimum(mean, 1.0)


def _solve(
    master: Master, region: Region, cost: NDArray[np.int64], limit: float, seed: int
) -> tuple[int, NDArray[np.bool_]]:
    """A bound on the region's worth at these prices, in 2**-FINE hamlets, and the ways of its best choice."""
    model = cp_model.CpModel()
    columns = {int(h): model.new_bool_var("") for h in region.hamlets}
    ways = [model.new_bool_var("") for _ in region.ways]
    columns |= {master.hamlets + int(w): x for w, x in zip(region.ways, ways, strict=True)}
    weight = [int(master.case.coverage.hamlet_weight[h]) << FINE for h in region.hamlets]
    for row in region.rows.tolist():
        a, b = master.matrix.indptr[row], master.matrix.indptr[row + 1]
        names, values = [columns[c] for c in master.matrix.indices[a:b].tolist()], master.matrix.data[a:b].tolist()
        if set(values) <= {-1, 1}:
            model.add_bool_or([v if value > 0 else v.negated() for v, value in zip(names, values, strict=True)])
        else:
            model.add(cp_model.LinearExpr.weighted_sum(names, values) >= 0)
    number = master.case.exclusive[region.ways]
    for kind in np.unique(number):
        members = np.flatnonzero(number == kind)
        if len(members) > 1:
            model.add_at_most_one([ways[m] for m in members])
    hamlets = [columns[int(h)] for h in region.hamlets]
    model.maximize(
        cp_model.LinearExpr.weighted_sum(hamlets, weight) - cp_model.LinearExpr.weighted_sum(ways, cost.tolist())
    )
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = limit
    solver.parameters.relative_gap_limit = 1e-4
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return sum(weight), np.zeros(len(ways), dtype=bool)
    bound = min(sum(weight), int(np.ceil(solver.best_objective_bound)) + 1)
    return bound, np.array([solver.boolean_value(x) for x in ways], dtype=bool)
