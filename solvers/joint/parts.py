"""Hamlets split into neighbourhoods: halves of halves, cut where few ways serve both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from phusong.solvers.joint.master import Master, Relaxed

SWAPS = 200  # exchanges between two halves at most


def halves(master: Master, relaxed: Relaxed, size: int) -> list[list[NDArray[np.int64]]]:
    """Parts of the open hamlets: first all in one, then halves, and so on until none has more than `size`. Part i of a
    list is made of parts 2 i and 2 i + 1 of the next."""
    near = _near(master, relaxed)
    levels = [[np.flatnonzero(master.open)]]
    while max(len(part) for part in levels[-1]) > max(size, 1):
        levels.append([half for part in levels[-1] for half in _halved(near, part)])
    return levels


def hamlet_of_row(master: Master) -> NDArray[np.int64]:
    """(R,) the hamlet that a clause or sum speaks of; -1 for other rows."""
    first = master.matrix.indices[master.matrix.indptr[:-1]]
    return np.asarray(np.where(first < master.hamlets, first, -1), dtype=np.int64)


def _near(master: Master, relaxed: Relaxed) -> sparse.csr_array:
    # How much two hamlets pull at the same ways in the relaxation.
    hamlets, ways = master.hamlets, master.ways
    kind = hamlet_of_row(master)
    spoken = np.flatnonzero(kind >= 0)
    of_row = sparse.csr_array((np.ones(len(spoken)), (kind[spoken], spoken)), shape=(hamlets, len(kind)))
    pull = of_row @ sparse.diags_array(relaxed.rows + 1e-3) @ abs(master.matrix[:, hamlets : hamlets + ways])
    near = sparse.csr_array(pull @ sparse.diags_array(relaxed.x + 1e-2) @ pull.T)
    near.setdiag(0.0)
    near.eliminate_zeros()
    return near


def _halved(near: sparse.csr_array, part: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By which of two far ends a hamlet is nearer to, then exchanges while the halves pull less at the same ways."""
    between = sparse.csr_array(near[part][:, part])
    length = between.copy()
    length.data = 1.0 / np.sqrt(length.data)
    beyond = 1.0 + float(length.data.sum())

    def away(start: int) -> NDArray[np.float64]:
        distance = dijkstra(length, directed=False, indices=start)
        return np.where(np.isinf(distance), beyond, distance)

    if len(part) < 2:
        return part, part[:0]
    one = away(int(np.argmax(away(0))))
    other = away(int(np.argmax(one)))
    order = np.argsort(one - other, kind="stable")
    second = np.zeros(len(part), dtype=bool)
    second[order[len(order) // 2 :]] = True
    whole = np.asarray(between.sum(axis=1)).ravel()
    for _ in range(SWAPS):
        drawn = between @ second.astype(float)
        over = np.where(second, -np.inf, 2.0 * drawn - whole)
        back = np.where(second, whole - 2.0 * drawn, -np.inf)
        i, j = int(np.argmax(over)), int(np.argmax(back))
        if over[i] + back[j] - 2.0 * between[i, j] <= 1e-9 * (1.0 + whole[i] + whole[j]):
            break
        second[i], second[j] = True, False
    return part[~second], part[second]
