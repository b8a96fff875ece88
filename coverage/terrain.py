"""The ground, as the sweep reads it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights on a square metric grid, row 0 north. Grid coordinates are float (row, col), whole at a cell's centre.

    height_m : (H, W) float32 heights above sea [m], NaN where unknown
    cell_m   : side of a cell [m]
    Raises ValueOutOfRange for a raster that is not two-dimensional or a cell of no size.
    """

    height_m: NDArray[np.float32]
    cell_m: float

    def __post_init__(self) -> None:
        # One type of array (writable, contiguous) for all terrains: each further one would be compiled for anew.
        height_m = np.require(self.height_m, np.float32, ["C", "W"])
        if height_m.ndim != 2 or height_m.size == 0 or not self.cell_m > 0.0:
            raise ValueOutOfRange(
                what="this is no terrain raster",
                where=f"height_m of shape {height_m.shape}, cell_m = {self.cell_m}",
                mend="give heights as rows and columns, and the side of a cell in metres, above zero",
            )
        object.__setattr__(self, "height_m", height_m)
        object.__setattr__(self, "cell_m", float(self.cell_m))

    def holds(self, site_rc: ArrayLike) -> NDArray[np.bool_]:
        """(L,) whether each (row, col) lies on a pixel of the raster, known height or not."""
        rc = np.asarray(site_rc, np.float64).reshape(-1, 2)
        return np.asarray(((rc >= -0.5) & (rc <= np.array(self.height_m.shape) - 0.5)).all(axis=1))


@njit(cache=True, nogil=True, error_model="numpy")
def bilinear_height_m(flat_m: NDArray[np.float32], width: int, row: float, col: float) -> float:
    """Height at a point of a raster given as one row of cells [m]; a neighbour of no weight is not looked at."""
    r0 = np.uint32(row)
    c0 = np.uint32(col)
    down = row - r0
    right = col - c0
    # A neighbour of no weight may lie outside, or be NaN: its own cell stands in for it.
    below = np.uint32(width) if down > 0.0 else np.uint32(0)
    beside = np.uint32(1) if right > 0.0 else np.uint32(0)
    at = np.uint64(r0) * np.uint32(width) + c0
    upper: float = flat_m[at] * (1.0 - right) + flat_m[at + beside] * right
    lower: float = flat_m[at + below] * (1.0 - right) + flat_m[at + below + beside] * right
    return upper * (1.0 - down) + lower * down


@njit(cache=True, nogil=True, error_model="numpy")
def path_profile(
    height_m: NDArray[np.float32],
    cell_m: float,
    site_row: float,
    site_col: float,
    cell_row: float,
    cell_col: float,
    profile_m: NDArray[np.float64],
) -> tuple[int, float]:
    """Writes the profile from a site to a cell: ceil(distance / cell) + 1 equally spaced points, at least two.

    Both ends lie within [0, H - 1] x [0, W - 1]; the points between do too, rounding included.
    Returns the number of points, 0 where a height is unknown, and the distance between two [m]. 3 ns a point.
    """
    width = height_m.shape[1]
    flat_m = height_m.reshape(height_m.size)
    rows = cell_row - site_row
    cols = cell_col - site_col
    cells = sqrt(rows * rows + cols * cols)
    last = max(int(np.ceil(cells)), 1)
    row_step = rows / last
    col_step = cols / last
    total = 0.0
    for i in range(last):
        height = bilinear_height_m(flat_m, width, site_row + row_step * i, site_col + col_step * i)
        profile_m[i] = height
        total += height
    profile_m[last] = bilinear_height_m(flat_m, width, cell_row, cell_col)
    total += profile_m[last]
    return (last + 1 if total == total else 0), cells * cell_m / last
