"""From a site to cells along rays: each cell is looked at once, on the ray whose bearing is nearest to its own.

A ray is sampled at steps of one cell. A cell's profile is the ray's heights up to the last step that lies at least
NEAREST_STEP before it, and the cell's own height at its own distance: cells of one ray share all they can, and a model
may go from one to the next without looking back (`registry.ray_model`).
"""

from __future__ import annotations

from math import ceil, cos, pi, sin, sqrt
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

import phusong.coverage.propagation.p1812_ray  # noqa: F401  (gives P.1812 its kernel for rays)
from phusong.coverage.propagation.registry import ray_losses_db
from phusong.coverage.terrain import bilinear_height_m

RAYS_A_PERIMETER_CELL = 1.0
NEAREST_STEP = 0.5  # a nearer point lies beside the cell as much as before it, and would stand in its way


def ray_count(range_m: float, cell_m: float) -> int:
    """Rays of a disc: as many as cells on its perimeter."""
    return max(ceil(RAYS_A_PERIMETER_CELL * 2.0 * pi * range_m / cell_m), 8)


@njit(cache=True, nogil=True, error_model="numpy")
def ray_direction(ray: int, rays: int) -> tuple[float, float]:
    """Rows and columns that a ray goes on in one step; ray 0 runs east, then clockwise on a map."""
    bearing = 2.0 * pi * ray / rays
    return sin(bearing), cos(bearing)


@njit(cache=True, nogil=True, error_model="numpy")
def bearing_rad(rows: float, cols: float) -> float:
    """arctan2(rows, cols) in -pi .. pi, to 3e-8: 1e-5 of a ray's width 30 km out at 90 m. 4 ns.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.4.49.
    """
    high, low = max(abs(rows), abs(cols)), min(abs(rows), abs(cols))
    if high == 0.0:
        return 0.0
    x = low / high
    s = x * x
    series = -0.0752896400 + s * (0.0429096138 + s * (-0.0161657367 + s * 0.0028662257))
    series = -0.3333314528 + s * (0.1999355085 + s * (-0.1420889944 + s * (0.1065626393 + s * series)))
    angle = x + x * s * series
    if abs(rows) > abs(cols):
        angle = 0.5 * pi - angle
    if cols < 0.0:
        angle = pi - angle
    return -angle if rows < 0.0 else angle


@njit(cache=True, nogil=True, error_model="numpy")
def sort_by_ray(
    site_row: float, site_col: float, cell_rc: NDArray[np.int32], rays: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Which cells each ray serves, nearest first: begin (rays + 1,), order (N,), and each cell's distance (N,) [cells].

    Two stable counting sorts, by whole cells of distance and by ray, then by insertion within a ray; 25 ns a cell.
    """
    count = cell_rc.shape[0]
    distance = np.empty(count)
    ray = np.empty(count, np.int32)
    farthest = 0.0
    for j in range(count):
        rows, cols = cell_rc[j, 0] - site_row, cell_rc[j, 1] - site_col
        distance[j] = sqrt(rows * rows + cols * cols)
        farthest = max(farthest, distance[j])
        nearest = int(bearing_rad(rows, cols) * (rays / (2.0 * pi)) + rays + 0.5)
        ray[j] = nearest % rays
    ring_end = np.zeros(int(farthest) + 2, np.int64)
    begin = np.zeros(rays + 1, np.int64)
    for j in range(count):
        ring_end[int(distance[j]) + 1] += 1
        begin[ray[j] + 1] += 1
    for i in range(1, ring_end.size):
        ring_end[i] += ring_end[i - 1]
    for i in range(1, rays + 1):
        begin[i] += begin[i - 1]
    outward = np.empty(count, np.int32)
    for j in range(count):
        ring = int(distance[j])
        outward[ring_end[ring]] = j
        ring_end[ring] += 1
    order = np.empty(count, np.int32)
    filled = begin.copy()
    for i in range(count):
        j = outward[i]
        at = filled[ray[j]]
        filled[ray[j]] += 1
        while at > begin[ray[j]] and distance[order[at - 1]] > distance[j]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = j
    return begin, order, distance


@njit(cache=True, nogil=True, error_model="numpy")
def sample_ray(
    height_m: NDArray[np.float32],
    site_row: float,
    site_col: float,
    row_step: float,
    col_step: float,
    ray_m: NDArray[np.float64],
) -> int:
    """Writes the heights at 0, 1, 2 .. steps of a ray; outside the raster those of its edge. 3 ns a point.

    Returns the number of the first point of unknown height, ray_m.size where there is none.
    """
    flat_m = height_m.reshape(height_m.size)
    height, width = height_m.shape
    bottom, right = height - 1.0, width - 1.0
    for i in range(ray_m.size):
        row = min(max(site_row + row_step * i, 0.0), bottom)
        col = min(max(site_col + col_step * i, 0.0), right)
        ray_m[i] = bilinear_height_m(flat_m, width, row, col)
        if ray_m[i] != ray_m[i]:
            return i
    return int(ray_m.size)


@njit(cache=True, nogil=True, error_model="numpy")
def points_before(distance: float) -> int:
    """Number of a ray's points that the profile of a cell takes, the site included. distance [steps]."""
    return max(int(distance - NEAREST_STEP) + 1, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def radial_losses(
    model: Any,
    height_m: NDArray[np.float32],
    cell_m: float,
    site_row: float,
    site_col: float,
    cell_rc: NDArray[np.int32],
    rays: int,
    rx_height_m: float,
    tx_height_m: NDArray[np.float64],
    first: NDArray[np.int64],
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
    lowered_m: float = 0.0,
) -> None:
    """Writes loss_db (N, K) as `sweep.site_losses` does, along rays: inf where a height on the ray is unknown.

    rays : in the full circle. The losses of a cell depend on no other cell: any part of a disc may be given.
    """
    begin, order, distance = sort_by_ray(site_row, site_col, cell_rc, rays)
    for ray in range(rays):
        served = order[begin[ray] : begin[ray + 1]]
        if served.size == 0:
            continue
        row_step, col_step = ray_direction(ray, rays)
        ray_m = np.empty(points_before(distance[served[-1]]) + 1)  # room for a cell's own height
        known = sample_ray(height_m, site_row, site_col, row_step, col_step, ray_m[:-1])
        points = np.empty(served.size, np.int32)
        distance_m = np.empty(served.size)
        ground_m = np.empty(served.size)
        index = np.empty(served.size, np.int32)
        seen = 0
        for i in range(served.size):
            j = served[i]
            ground = height_m[cell_rc[j, 0], cell_rc[j, 1]]
            before = points_before(distance[j])
            if before > known or ground != ground:
                loss_db[j] = np.inf
                continue
            points[seen] = before
            distance_m[seen] = distance[j] * cell_m
            ground_m[seen] = ground - lowered_m
            index[seen] = j
            seen += 1
        if seen > 0:
            ray_losses_db(
                model, ray_m, cell_m, points[:seen], distance_m[:seen], ground_m[:seen], rx_height_m, tx_height_m,
                first, frequency_mhz, index[:seen], loss_db,
            )  # fmt: skip
