"""A binary min-heap on two arrays, for the numba kernels that grow regions over a raster."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def push(keys: NDArray[np.float64], items: NDArray[np.int32], size: int, key: float, item: int) -> int:
    """Insert `item` and return the new size; O(log size)."""
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] <= key:
            break
        keys[at] = keys[parent]
        items[at] = items[parent]
        at = parent
    keys[at] = key
    items[at] = item
    return size + 1


@njit(cache=True, nogil=True)
def pop(keys: NDArray[np.float64], items: NDArray[np.int32], size: int) -> tuple[int, int]:
    """Take out the item with the smallest key and return it with the new size; O(log size)."""
    top = items[0]
    size -= 1
    key = keys[size]
    item = items[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at] = keys[child]
        items[at] = items[child]
        at = child
    keys[at] = key
    items[at] = item
    return top, size
