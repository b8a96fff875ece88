"""Least-cost paths over the land: how far a cell is from the nearest start, and the way there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.scenarios.demo.heap import pop, push


@dataclass(frozen=True, slots=True)
class Paths:
    """Cheapest ways from a set of starts to every cell; all flat over the grid.

    cost     : float64, in metres of easy flat going; inf where no way leads
    previous : int32 next cell towards the start, the cell itself at a start, -1 where no way leads
    start    : int32 number of the start
    """

    cost: NDArray[np.float64]
    previous: NDArray[np.int32]
    start: NDArray[np.int32]

    def way(self, cell: int) -> list[int]:
        """Cells from `cell` to its start, both included."""
        cells = [cell]
        while self.previous[cells[-1]] != cells[-1]:
            cells.append(int(self.previous[cells[-1]]))
        return cells


def least_cost(
    height_m: NDArray[np.float32],
    friction: NDArray[np.float32],
    cell_m: float,
    starts: NDArray[np.integer],
    easy_grade: float,
) -> Paths:
    """Paths from `starts` (flat cells).

    height_m, friction : (H, W); friction multiplies the distance, inf is impassable
    easy_grade         : climbing at this grade doubles the cost of a step
    """
    cost = np.full(height_m.size, np.inf)
    previous = np.full(height_m.size, -1, dtype=np.int32)
    start = np.full(height_m.size, -1, dtype=np.int32)
    _grow(height_m, friction, cell_m, easy_grade, np.asarray(starts, dtype=np.int64), cost, previous, start)
    return Paths(cost, previous, start)


@njit(cache=True, nogil=True)
def _grow(
    height_m: NDArray[np.float32],
    friction: NDArray[np.float32],
    cell_m: float,
    easy_grade: float,
    starts: NDArray[np.int64],
    cost: NDArray[np.float64],
    previous: NDArray[np.int32],
    start: NDArray[np.int32],
) -> None:
    """Dijkstra over eight neighbours; O(n log n)."""
    rows, cols = height_m.shape
    height, rough = height_m.ravel(), friction.ravel()
    n = rows * cols
    keys = np.empty(8 * n)
    items = np.empty(8 * n, dtype=np.int32)
    size = 0
    for number, i in enumerate(starts):
        cost[i] = 0.0
        previous[i] = i
        start[i] = number
        size = push(keys, items, size, 0.0, i)
    done = np.zeros(n, dtype=np.bool_)
    while size > 0:
        i, size = pop(keys, items, size)
        if done[i]:
            continue
        done[i] = True
        r, c = divmod(i, cols)
        for nr in range(max(r - 1, 0), min(r + 2, rows)):
            for nc in range(max(c - 1, 0), min(c + 2, cols)):
                j = nr * cols + nc
                if done[j]:
                    continue
                distance = cell_m if nr == r or nc == c else cell_m * 1.4142135623730951
                grade = (height[j] - height[i]) / distance / easy_grade
                reached = cost[i] + distance * 0.5 * (rough[i] + rough[j]) * (1.0 + grade * grade)
                if reached < cost[j]:
                    cost[j] = reached
                    previous[j] = i
                    start[j] = start[i]
                    size = push(keys, items, size, reached, j)
