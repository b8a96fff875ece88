"""Which hamlets a constellation can serve at the same time: their terminals, service cells and the licence's limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange

SERVED, NO_CELL, CELL_FULL, LICENCE_FULL, NOT_NAMED = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """K hamlets.

    served    : (K,) bool, in whole
    why       : (K,) int8: SERVED, NO_CELL (in no service cell), CELL_FULL, LICENCE_FULL or NOT_NAMED (in the order)
    terminals : of all served hamlets
    room_left : (N,) float64 terminals that each service cell can still take
    """

    served: NDArray[np.bool_]
    why: NDArray[np.int8]
    terminals: int
    room_left: NDArray[np.float64]


def served_together(
    terminals: ArrayLike,
    cell: ArrayLike,
    room: ArrayLike,
    most_terminals: int | None = None,
    *,
    order: ArrayLike | None = None,
    load: ArrayLike | None = None,
) -> Together:
    """Hamlets that can be served together at the committed rates, each in whole or not at all.

    terminals      : (K,) int of each hamlet, 0 or more: one a household, or one for all
    cell           : (K,) service cell of each hamlet, see `ServiceCells.at`; -1: none
    room           : (N,) terminals that each service cell can take, see `CellCapacity.most_terminals`
    most_terminals : of all hamlets, the licence's limit (Vietnam's pilot under QĐ 659: 600,000); None: no limit
    order          : (K,) hamlets in order of priority, all or some: each is taken if it fits beside those before it,
                     those not named are not served. None: as many hamlets as can be
    load           : (K,) room that a hamlet takes, in terminals at the committed rates; a community terminal takes more
                     than one. None: its terminals
    As many as can be: the smallest load is taken first, then the fewest terminals, then the lowest number. That is the
    most there can be where load is in proportion to terminals, or without a licence's limit: if another choice lacks
    the next smallest hamlet, it can stand in for a larger one of the first full cell, or of the licence, and nothing
    else fills up. Otherwise it is a choice that fits.
    Raises ValueOutOfRange.
    """
    wanted, place = np.asarray(terminals), np.asarray(cell)
    left = np.array(room, np.float64)
    taken = np.asarray(wanted if load is None else load, np.float64)
    _check(wanted, place, left, taken, most_terminals)
    numbers = np.arange(wanted.size)
    queue = np.lexsort((numbers, wanted, taken)) if order is None else _queue(order, wanted.size)
    allowed = np.iinfo(np.int64).max if most_terminals is None else int(most_terminals)
    why = np.full(wanted.size, NOT_NAMED, np.int8)
    used = 0
    for hamlet in queue.tolist():
        at, number, weight = int(place[hamlet]), int(wanted[hamlet]), float(taken[hamlet])
        if at < 0:
            why[hamlet] = NO_CELL
        elif weight > left[at]:
            why[hamlet] = CELL_FULL
        elif used + number > allowed:
            why[hamlet] = LICENCE_FULL
        else:
            left[at] -= weight
            used += number
            why[hamlet] = SERVED
    return Together(why == SERVED, why, used, left)


def _queue(order: ArrayLike, hamlets: int) -> NDArray[np.int64]:
    """The order of priority, each hamlet once."""
    queue = np.asarray(order, np.int64)
    inside = queue.size == 0 or (queue.min() >= 0 and queue.max() < hamlets)
    if queue.ndim != 1 or not inside or np.unique(queue).size != queue.size:
        raise ValueOutOfRange(
            what="no order of priority",
            where=f"order {queue.shape}, {np.unique(queue).size} different numbers, {hamlets} hamlets",
            mend=f"name each hamlet at most once, by its number from 0 to {hamlets - 1}",
        )
    return queue


def _check(
    terminals: NDArray[np.int64],
    cell: NDArray[np.int32],
    room: NDArray[np.float64],
    load: NDArray[np.float64],
    most_terminals: int | None,
) -> None:
    fits = terminals.ndim == 1 and terminals.shape == cell.shape == load.shape and room.ndim == 1
    whole = all(np.issubdtype(a.dtype, np.integer) or a.size == 0 for a in (terminals, cell))
    if not fits or not whole or cell.max(initial=-1) >= room.size or cell.min(initial=-1) < -1:
        raise ValueOutOfRange(
            what="hamlets and service cells do not fit together",
            where=f"terminals {terminals.shape} {terminals.dtype}, cell {cell.shape} {cell.dtype} from "
            f"{cell.min(initial=-1)} to {cell.max(initial=-1)}, load {load.shape}, room {room.shape}",
            mend="give whole numbers of terminals and of service cells from -1 to the last one, for each hamlet",
        )
    negative = terminals.min(initial=0) < 0 or not (load >= 0.0).all() or not (room >= 0.0).all()
    if negative or (most_terminals is not None and most_terminals < 0):
        raise ValueOutOfRange(
            what="terminals below zero",
            where=f"least terminals {terminals.min(initial=0)}, load {load.min(initial=0.0)}, "
            f"room {room.min(initial=0.0)}, most_terminals {most_terminals}",
            mend="give numbers of 0 or more, and no NaN",
        )
