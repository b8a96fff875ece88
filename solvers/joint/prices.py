"""Who pays for a way or a trench that several regions may use: each its part, together no more than it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.solvers.backhaul.bound import Claims
from phusong.solvers.backhaul.graph import FAR, ROOT, Network, spread
from phusong.solvers.joint.master import Master, Relaxed

ROUNDING = 1.0 - 1e-9  # so that parts, rounded down, never exceed the whole
UNUSED = 1e-3  # weight of an arc's cost that goes to the region around it, whether its stops need the arc or not
LEAST_PART = 1e-4


@dataclass(slots=True)
class Prices:
    """Parts of costs, summing up to 1 over regions.  way : (r, W), arc : (r, 2e);  a way that has no hamlet in a region
    has part 0 there, an arc that it is spared too."""

    way: NDArray[np.float64]
    arc: NDArray[np.float64]

    def joined(self) -> Prices:
        """Of regions joined two by two: copies of a way that become one cost what both did."""
        return Prices(self.way[0::2] + self.way[1::2], self.arc[0::2] + self.arc[1::2])

    def moved(self, way: NDArray[np.float64], arc: NDArray[np.float64]) -> Prices:
        """After adding to the parts, none below 0; where nothing is left, as before."""
        return Prices(_summing_to_one(self.way + way, self.way), _summing_to_one(self.arc + arc, self.arc))


def _summing_to_one(parts: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = np.maximum(parts, 0.0)
    total = parts.sum(axis=0)
    return np.where(total > 0.0, parts / np.where(total > 0.0, total, 1.0), before)


def parts_of(part: NDArray[np.float64], cost: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) VND: parts of costs, rounded down."""
    return np.floor(part * ROUNDING * cost).astype(np.int64)


def arc_costs(network: Network) -> NDArray[np.int64]:
    """(2e,) VND of each arc; arc i leads from neighbour[i] into the node that lists it."""
    return np.asarray(network.cost[network.edge], dtype=np.int64)


def first_prices(
    master: Master,
    relaxed: Relaxed,
    copies: list[NDArray[np.int64]],
    rows: list[NDArray[np.int64]],
    claims: list[tuple[float, Claims]],
) -> Prices:
    """The split at which regions, taken in fractions, would lose next to nothing against the relaxation.

    copies, rows : ways (k,) and rows of the master of each region;  claims : those of each share, and its weight
    Ways go by what the relaxation's multipliers pull at their copies; arcs by whose stops pay for them in the shares.
    """
    case = master.case
    way = np.zeros((len(copies), master.ways))
    for region, (held, spoken) in enumerate(zip(copies, rows, strict=True)):
        matrix = master.matrix[spoken][:, master.hamlets + held].astype(float)
        way[region, held] = matrix.T @ (relaxed.rows[spoken] + 1e-4)
    way = np.maximum(way, 0.0)
    way /= np.maximum(way.sum(axis=0), 1e-300)
    wanted = np.where(case.node != ROOT, relaxed.x + 1e-3, 0.0)
    at_node = np.maximum(np.bincount(case.node, wanted, case.network.nodes), 1e-300)
    of_node = np.zeros((case.network.nodes, len(copies)))
    for region in range(len(copies)):
        of_node[:, region] = np.bincount(case.node, wanted * way[region], case.network.nodes) / at_node
    of_stop = of_node[master.stop]
    cost = arc_costs(case.network)
    arc = np.zeros((len(copies), len(cost)))
    for weight, claim in claims:
        _add_payers(claim.stop, claim.amount, claim.indptr, claim.arc, of_stop, weight, arc)
    around = _region_around(case.network, master.stop, of_stop.argmax(axis=1))
    head = np.repeat(np.arange(case.network.nodes), np.diff(case.network.indptr))
    arc[around[head], np.arange(len(cost))] += UNUSED * cost
    arc[arc < LEAST_PART * cost] = 0.0
    return Prices(way, arc / np.maximum(arc.sum(axis=0), 1e-300))


@njit(cache=True, nogil=True)
def _add_payers(
    stop: NDArray[np.int64],
    amount: NDArray[np.int64],
    indptr: NDArray[np.int64],
    arc: NDArray[np.int64],
    of_stop: NDArray[np.float64],
    weight: float,
    paid: NDArray[np.float64],
) -> None:
    # paid (r, 2e): what the stops of each region claim from each arc. O(arcs claimed x regions).
    for i in range(len(stop)):
        for region in range(of_stop.shape[1]):
            part = weight * amount[i] * of_stop[stop[i], region]
            if part > 0.0:
                for j in range(indptr[i], indptr[i + 1]):
                    paid[region, arc[j]] += part


def _region_around(network: Network, stops: NDArray[np.int64], region: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) region of the stop that is nearest to each node; 0 where there is none."""
    distance, by = np.full(network.nodes, FAR), np.full(network.nodes, -1, dtype=np.int64)
    around = np.zeros(network.nodes, dtype=np.int64)
    if len(stops) == 0:
        return around
    distance[stops] = 0
    around[stops] = region
    heap = [(np.int64(0), np.int64(stop)) for stop in stops]
    spread(network.indptr, network.neighbour, network.edge, network.cost, distance, by, heap, FAR)
    for node in np.argsort(distance, kind="stable").tolist():
        if by[node] >= 0:
            edge = by[node]
            around[node] = around[network.start[edge] + network.end[edge] - node]
    return around
