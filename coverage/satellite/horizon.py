"""Where the terrain ends and the sky begins: the elevation of the horizon from every cell, in many directions.

The ground is the bilinear surface through the heights at the cells' centres. Near a cell the ray is walked as it is,
with samples where it crosses the grid's rows and columns and between them; beyond, each ray is read off the nearest of
a set of parallel lines, one a row apart, on which the upper convex hull of what lies ahead gives the horizon of every
cell in turn. The line's offset, half a cell at most, matters little that far away.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from math import ceil, cos, floor, hypot, radians, sin

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.effective_earth import STANDARD_EFFECTIVE_RADIUS_KM

NEAR_CELLS = 16  # rows or columns walked on the ray itself
UNKNOWN_M = np.float32(-20_000.0)  # stands in for an unknown height: it blocks nothing
# Distances [cells] within the first cell, where the ground at the eye's feet stands steepest before it.
AT_THE_FEET = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
ON_GRID = 1e-6  # a sample so near a row or column lies on it [cells]
MIDDLES_UP_TO, QUARTERS_UP_TO = 6.0, 3.0  # [cells]: how far there are samples between the crossings


def horizon_deg(
    height_m: NDArray[np.float32],
    cell_m: float,
    azimuth_deg: ArrayLike,
    *,
    eye_height_m: float = 2.0,
    earth_radius_km: float = STANDARD_EFFECTIVE_RADIUS_KM,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Elevation of the terrain's horizon (A, H, W) [degrees]: what is lower in that direction is hidden.

    height_m        : (H, W) heights above sea [m], row 0 north; NaN: unknown, hides nothing and sees nothing (NaN)
    cell_m          : side of a cell [m]
    azimuth_deg     : (A,) clockwise from grid north
    eye_height_m    : dish above ground [m]
    earth_radius_km : effective, refraction in; infinite: a flat Earth
    threads         : None: one a processor
    The raster's edge ends the view: -90 where nothing lies before it, so give a margin as wide as the mountains are
    far. 70 ns a cell and direction; the result takes 4 bytes of each.
    Raises ValueOutOfRange for a raster of another shape or an eye not above the ground.
    """
    heights = np.require(height_m, np.float32, ["C"])
    if heights.ndim != 2 or heights.size == 0 or not cell_m > 0.0 or not eye_height_m > 0.0:
        raise ValueOutOfRange(
            what="no horizon can be seen from here",
            where=f"height_m of shape {heights.shape}, cell_m = {cell_m}, eye_height_m = {eye_height_m}",
            mend="give heights as rows and columns, and a cell's side and the eye's height above zero, in metres",
        )
    unknown = np.isnan(heights)
    ground = np.where(unknown, UNKNOWN_M, heights)
    turned = np.ascontiguousarray(ground.T)
    eye = ground + np.float32(eye_height_m)
    azimuths = np.atleast_1d(np.asarray(azimuth_deg, np.float64))
    bend = 0.0 if np.isinf(earth_radius_km) else 1.0 / (2000.0 * earth_radius_km)
    horizon = np.full((len(azimuths), *heights.shape), -np.inf, np.float32)

    def look(number: int) -> None:
        down, right = _direction(azimuths[number])
        slope = horizon[number]
        distance = _near_samples(down, right)
        _near_slopes(ground, eye, distance * down, distance * right, distance * cell_m, bend, slope)
        if abs(right) >= abs(down):
            _far_slopes(ground, cell_m, down / abs(right), right > 0.0, bend, eye_height_m, slope)
        else:
            aside = np.full(turned.shape, -np.inf, np.float32)
            _far_slopes(turned, cell_m, right / abs(down), down > 0.0, bend, eye_height_m, aside)
            np.maximum(slope, aside.T, out=slope)
        np.degrees(np.arctan(slope, out=slope), out=slope)
        slope[unknown] = np.nan

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(look, range(len(azimuths))))
    return horizon


def _direction(azimuth_deg: float) -> tuple[float, float]:
    """Rows down and columns right of a step of one cell; along an axis exactly so."""
    down, right = -cos(radians(azimuth_deg)), sin(radians(azimuth_deg))
    return (0.0 if abs(down) < 1e-12 else down), (0.0 if abs(right) < 1e-12 else right)


def _near_samples(down: float, right: float) -> NDArray[np.float64]:
    """Distances [cells] at which the ray is looked at: where it crosses rows and columns, and between them."""
    end = (NEAR_CELLS + 1) / max(abs(down), abs(right)) + 1e-9
    crossings = [np.arange(1, floor(end * along) + 1) / along for along in (abs(down), abs(right)) if along > 0.0]
    crossing = np.unique(np.round(np.concatenate(crossings), 9))
    start = np.concatenate([[0.0], crossing[:-1]])
    middle = (start + crossing) / 2.0
    quarters = np.concatenate([(3.0 * start + crossing) / 4.0, (start + 3.0 * crossing) / 4.0])
    between = [middle[middle < MIDDLES_UP_TO], quarters[quarters < QUARTERS_UP_TO]]
    return np.unique(np.concatenate([AT_THE_FEET, crossing, *between]))


@njit(cache=True, nogil=True, error_model="numpy")
def _near_slopes(
    ground: NDArray[np.float32],
    eye: NDArray[np.float32],
    down: NDArray[np.float64],
    right: NDArray[np.float64],
    distance_m: NDArray[np.float64],
    bend: float,
    slope: NDArray[np.float32],
) -> None:
    """Raises slope (H, W) by the samples at (down, right) [cells] from each cell; 0.7 ns a cell and sample.

    All cells look at the same places around them, so that a whole row is done at once.
    """
    rows, cols = ground.shape
    for r in range(rows):
        for m in range(down.size):
            above, left = int(np.floor(down[m] + ON_GRID)), int(np.floor(right[m] + ON_GRID))
            lower, beside = np.float32(max(down[m] - above, 0.0)), np.float32(max(right[m] - left, 0.0))
            next_row = 1 if lower > ON_GRID else 0
            next_col = 1 if beside > ON_GRID else 0
            if r + above < 0 or r + above + next_row >= rows:
                continue
            first, last = max(0, -left), min(cols, cols - left - next_col)
            upper = ground[r + above, first + left : last + left + next_col]
            under = ground[r + above + next_row, first + left : last + left + next_col]
            best, level = slope[r, first:last], eye[r, first:last]
            w00, w01 = (1 - beside) * (1 - lower), beside * (1 - lower)
            w10, w11 = (1 - beside) * lower, beside * lower
            per_m, drop = np.float32(1.0 / distance_m[m]), np.float32(bend * distance_m[m])
            for c in range(best.size):
                b = c + next_col
                height = w00 * upper[c] + w01 * upper[b] + w10 * under[c] + w11 * under[b]
                seen = (height - level[c]) * per_m - drop
                best[c] = seen if seen > best[c] else best[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _far_slopes(
    ground: NDArray[np.float32],
    cell_m: float,
    shift: float,
    rightwards: bool,
    bend: float,
    eye_height_m: float,
    slope: NDArray[np.float32],
) -> None:
    """Raises slope (H, W) by what lies more than NEAR_CELLS columns ahead; 35 ns a cell.

    shift : rows down for each column in the looking direction, -1 to 1. A line is walked towards its beginning; its
    points enter the hull once they are far enough ahead. Heights are taken off a parabola, so that the Earth's bend
    leaves the hull a hull: slopes on it lack 2 bend x, the same for all that one cell sees.
    """
    rows, cols = ground.shape
    x, y = np.empty(cols, np.float32), np.empty(cols, np.float32)
    step_m = cell_m * hypot(1.0, shift)
    beyond = ceil(abs(shift) * cols) + 1
    for line in range(-beyond, rows + beyond):
        top = -1
        for i in range(cols - 1, -1, -1):
            ahead = i + NEAR_CELLS + 1
            row = line + shift * ahead
            if ahead < cols and 0.0 <= row <= rows - 1:
                r = int(row)
                c = ahead if rightwards else cols - 1 - ahead
                height = ground[r, c]
                if row > r:
                    height += np.float32(row - r) * (ground[r + 1, c] - height)
                x_m = np.float32(ahead * step_m)
                y_m = np.float32(height - bend * x_m * x_m)
                while top >= 1 and (y[top] - y_m) * (x[top - 1] - x_m) <= (y[top - 1] - y_m) * (x[top] - x_m):
                    top -= 1
                top += 1
                x[top], y[top] = x_m, y_m
            r = line + floor(shift * i + 0.5)
            if top < 0 or r < 0 or r >= rows:
                continue
            c = i if rightwards else cols - 1 - i
            x_m = np.float32(i * step_m)
            y_m = np.float32(ground[r, c] + eye_height_m - bend * x_m * x_m)
            k = top
            rise, run = y[k] - y_m, x[k] - x_m
            while k > 0 and (y[k - 1] - y_m) * run >= rise * (x[k - 1] - x_m):
                k -= 1
                rise, run = y[k] - y_m, x[k] - x_m
            seen = np.float32(rise / run + 2.0 * bend * x_m)
            slope[r, c] = max(slope[r, c], seen)
