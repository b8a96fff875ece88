"""Channels shared out among neighbouring cells, fair by the smallest share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange

NOBODY = -1
SAME = 1.0 + 1e-12  # levels closer together than this are reached at once


def conflict_groups(count: int, neighbours: NDArray[np.int32]) -> NDArray[np.int32]:
    """(G, 3) cells of which no two may use one channel at one time: sides and triangles of a hexagonal pattern.

    count      : cells
    neighbours : (M, 2) pairs of cells side by side, first < second
    A side has -1 in its third place. Sides inside a triangle are left out: it says more.
    Every schedule keeps to these groups, but a few demands that keep to them have no schedule: three quarters of them
    always have one (McDiarmid and Reed, Networks 36, 2000: 4/3 of the heaviest group in channels suffices).
    """
    beside: list[set[int]] = [set() for _ in range(count)]
    for one, other in neighbours.tolist():
        beside[one].add(other)
        beside[other].add(one)
    groups: list[tuple[int, int, int]] = []
    for one, other in neighbours.tolist():
        third = beside[one] & beside[other]
        groups.extend((one, other, last) for last in sorted(third) if last > other)
        if not third:
            groups.append((one, other, NOBODY))
    return np.array(groups, np.int32).reshape(-1, 3)


def max_min_share(
    weight: ArrayLike,
    most: ArrayLike,
    groups: NDArray[np.int32],
    limit: float,
    together: float = np.inf,
    *,
    cost: ArrayLike = 0.0,
    cost_limit: float = np.inf,
) -> NDArray[np.float64]:
    """What each of N cells gets when none can have more without one that has no more a unit of weight having less.

    weight   : (N,) of the cells' demand, 0 or more; a cell without any gets nothing
    most     : (N,) or a number, for one cell, 0 or more
    groups   : (G, S) cells that share one limit, -1 for nobody; see `conflict_groups`
    limit    : for the sum over a group, 0 or more
    together : for the sum over all cells, 0 or more
    cost     : (N,) or a number, 0 or more, that a unit of share takes from something else they have in common
    cost_limit : for the sum of share times cost, 0 or more
    All shares rise together, in proportion to the weights, until a limit is reached; who is in it stops, the others
    go on. Each one's share then ends at a limit in which no other has more a unit of weight, and that is the only
    max-min fair sharing (Bertsekas and Gallager, Data Networks, section 6.5.2). At most N rounds of G S steps.
    Raises ValueOutOfRange.
    """
    wanted = np.asarray(weight, np.float64)
    ceiling = np.broadcast_to(np.asarray(most, np.float64), wanted.shape)
    price = np.broadcast_to(np.asarray(cost, np.float64), wanted.shape)
    _check(wanted, ceiling, price, groups, min(limit, together, cost_limit))
    share = np.zeros(wanted.size)
    rising = (wanted > 0.0) & (ceiling > 0.0)
    own_level = np.full(wanted.size, np.inf)
    np.divide(ceiling, wanted, out=own_level, where=rising)
    while rising.any():
        mass = np.append(np.where(rising, wanted, 0.0), 0.0)  # the last one is nobody's
        left = limit - np.append(share, 0.0)[groups].sum(axis=1)
        group_level = _level(left, mass[groups].sum(axis=1))
        whole_level = float(_level(together - share.sum(), mass.sum()))
        cost_level = float(_level(cost_limit - price @ share, price @ mass[:-1]))
        levels = (own_level[rising].min(), group_level.min(initial=np.inf), whole_level, cost_level)
        reached = min(map(float, levels)) * SAME
        full = np.zeros(wanted.size + 1, np.bool_)
        full[groups[group_level <= reached]] = True
        whole = np.full(wanted.size, whole_level <= reached) | ((price > 0.0) & (cost_level <= reached))
        stops = rising & (full[:-1] | (own_level <= reached) | whole)
        share[stops] = wanted[stops] * (reached / SAME)
        rising &= ~stops
    return np.minimum(share, ceiling)


def _level(left: ArrayLike, mass: ArrayLike) -> NDArray[np.float64]:
    """Share a unit of weight at which what is left is used up; infinite where nobody rises any more."""
    room, weights = np.maximum(np.asarray(left, np.float64), 0.0), np.asarray(mass, np.float64)
    level = np.full(weights.shape, np.inf)
    np.divide(room, weights, out=level, where=weights > 0.0)
    return level


def _check(
    weight: NDArray[np.float64],
    most: NDArray[np.float64],
    cost: NDArray[np.float64],
    groups: NDArray[np.int32],
    least_limit: float,
) -> None:
    finite = all(np.isfinite(a).all() and (a >= 0.0).all() for a in (weight, most, cost))
    if not finite or not least_limit >= 0.0:
        raise ValueOutOfRange(
            what="nothing can be shared out so",
            where=f"least weight {weight.min(initial=0.0)}, ceiling {most.min(initial=0.0)}, "
            f"cost {cost.min(initial=0.0)}, limit {least_limit}",
            mend="give weights, ceilings and limits of 0 or more, and no NaN",
        )
    if groups.ndim != 2 or groups.min(initial=NOBODY) < NOBODY or groups.max(initial=NOBODY) >= weight.size:
        raise ValueOutOfRange(
            what="a group names a cell that is not there",
            where=f"groups {groups.shape} from {groups.min(initial=0)} to {groups.max(initial=0)}, {weight.size} cells",
            mend=f"give (G, S) numbers of cells from 0 to {weight.size - 1}, or -1 for nobody",
        )
