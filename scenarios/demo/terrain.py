"""Mountains from a seed: a random surface of a given spectrum, then valleys carved by the water that runs off it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numba import njit
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from phusong.scenarios.demo.heap import pop, push

# The place is open sea in the Gulf of Tonkin: nobody can take the province for a real one.
CRS = "EPSG:32648"
WEST_M, NORTH_M = 670_050.0, 2_200_050.0
CELL_M = 90.0
SHAPE = (744, 784)

HURST = 0.72
OUTER_SCALE_M = 20_000.0
HEIGHT_SD_M = 230.0
LOWEST_M = 140.0
MEDIAN_SLOPE_DEG = 16.5

# The spectrum alone leaves closed basins everywhere. A regional fall to the south-east gives water a way out, as the
# great rivers of the north have; the rest was chosen by eye and by the slope percentiles at 90 m.
REGIONAL_FALL_M = 800.0
CARVING_STEPS = 6
SEDIMENT_SHARE = 0.4  # of a basin's depth that is filled before its sill is cut
INCISION = 1500.0  # stream-power erosion, K dt [m km^-2m]
INCISION_EXPONENT = 0.45
STEEPEST_DEG = 37.0
CREEP = 0.05
_RIM = 24  # cells around the map that are carved and thrown away: their rivers end at the edge of the world


@dataclass(frozen=True, slots=True)
class Ground:
    """The land on its grid, all (H, W).

    height_m        : float32, whole metres
    slope_deg       : float32
    upstream_km2    : float32 land that drains through the cell
    above_stream_m  : float32 height above the stream that the cell drains to
    """

    box: GeoBox
    height_m: NDArray[np.float32]
    slope_deg: NDArray[np.float32]
    upstream_km2: NDArray[np.float32]
    above_stream_m: NDArray[np.float32]

    def xy(self, cell: NDArray[np.integer]) -> NDArray[np.float64]:
        """(N, 2) metres east and north of the centres of cells given by flat index."""
        row, col = np.divmod(np.asarray(cell), self.box.shape[1])
        return np.column_stack([WEST_M + (col + 0.5) * CELL_M, NORTH_M - (row + 0.5) * CELL_M])


def spectral_surface(
    shape: tuple[int, int], cell_m: float, hurst: float, outer_scale_m: float, sd_m: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Random heights [m], zero mean, with the isotropic von Karman spectrum (k^2 + k0^2)^-(hurst + 1), k in cycles/m.

    outer_scale_m: wavelength beyond which power no longer grows, 1 / k0. sd_m: standard deviation over the array.
    The surface is cut from a larger periodic one, so opposite edges are not alike.
    """
    side = 1 << int(np.ceil(np.log2(max(shape) * 1.2)))
    along = np.fft.fftfreq(side, cell_m)[:, None]
    across = np.fft.rfftfreq(side, cell_m)[None, :]
    amplitude = (along**2 + across**2 + outer_scale_m**-2) ** (-(hurst + 1.0) / 2.0)
    amplitude[0, 0] = 0.0
    noise = np.fft.rfft2(rng.standard_normal((side, side)))
    surface = np.fft.irfft2(noise * amplitude, s=(side, side))[: shape[0], : shape[1]]
    surface -= surface.mean()
    return np.asarray(surface * (sd_m / surface.std()))


def slope_deg(height_m: NDArray[np.floating], cell_m: float) -> NDArray[np.float32]:
    """Steepest slope of each cell [degrees], by central differences."""
    down, right = np.gradient(np.asarray(height_m, dtype=np.float64), cell_m)
    return np.asarray(np.degrees(np.arctan(np.hypot(down, right))), dtype=np.float32)


def make_ground(rng: np.random.Generator) -> Ground:
    """The province's land."""
    shape = (SHAPE[0] + 2 * _RIM, SHAPE[1] + 2 * _RIM)
    height = spectral_surface(shape, CELL_M, HURST, OUTER_SCALE_M, HEIGHT_SD_M, rng)
    south, east = np.ogrid[1.0 : 0.0 : shape[0] * 1j, 1.0 : 0.0 : shape[1] * 1j]
    height += REGIONAL_FALL_M * (south * shape[0] + east * shape[1]) / (shape[0] + shape[1])

    order = np.empty(height.size, dtype=np.int32)
    receiver = np.empty(height.size, dtype=np.int32)
    upstream = np.empty(height.size)
    highest_step = CELL_M * np.tan(np.radians(STEEPEST_DEG))
    for _ in range(CARVING_STEPS):
        _carve(height, order, receiver, upstream, CELL_M, SEDIMENT_SHARE, INCISION / CARVING_STEPS, INCISION_EXPONENT)
        _slide(height, highest_step)
        framed = np.pad(height, 1, mode="edge")
        around = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:]
        height += CREEP * (around - 4.0 * height)

    inner = (slice(_RIM, -_RIM), slice(_RIM, -_RIM))
    steep = np.median(np.tan(np.radians(slope_deg(height[inner], CELL_M).astype(np.float64))))
    height *= np.tan(np.radians(MEDIAN_SLOPE_DEG)) / steep
    height += LOWEST_M - height[inner].min()

    filled = height.copy()
    _drain(filled, order, receiver, upstream)
    upstream_km2 = upstream * (CELL_M / 1000.0) ** 2
    stream = _stream_height(filled.ravel(), order, receiver, upstream_km2, 1.5).reshape(shape)
    whole = np.rint(height[inner]).astype(np.float32)
    return Ground(
        box=GeoBox(SHAPE, Affine(CELL_M, 0.0, WEST_M, 0.0, -CELL_M, NORTH_M), CRS),
        height_m=whole,
        slope_deg=slope_deg(whole, CELL_M),
        upstream_km2=upstream_km2.reshape(shape)[inner].astype(np.float32),
        above_stream_m=np.maximum(filled - stream, 0.0)[inner].astype(np.float32),
    )


@njit(cache=True, nogil=True)
def _drain(
    height: NDArray[np.float64], order: NDArray[np.int32], receiver: NDArray[np.int32], upstream: NDArray[np.float64]
) -> None:
    """Priority flood from the edges: fills `height` in place and sets where each cell drains; O(n log n).

    order: cells, each after the one it drains to. upstream: cells that drain through each, itself included.
    Source: Barnes, Lehman and Mulla (2014), "Priority-flood".
    """
    rows, cols = height.shape
    n = rows * cols
    flat = height.ravel()
    keys = np.empty(n)
    items = np.empty(n, dtype=np.int32)
    done = np.zeros(n, dtype=np.bool_)
    size = 0
    for i in range(n):
        r, c = divmod(i, cols)
        if r == 0 or c == 0 or r == rows - 1 or c == cols - 1:
            done[i] = True
            receiver[i] = i
            size = push(keys, items, size, flat[i], i)
    taken = 0
    while size > 0:
        i, size = pop(keys, items, size)
        order[taken] = i
        taken += 1
        r, c = divmod(i, cols)
        for nr in range(max(r - 1, 0), min(r + 2, rows)):
            for nc in range(max(c - 1, 0), min(c + 2, cols)):
                j = nr * cols + nc
                if not done[j]:
                    done[j] = True
                    receiver[j] = i
                    flat[j] = max(flat[j], flat[i])
                    size = push(keys, items, size, flat[j], j)
    upstream[:] = 1.0
    for k in range(n - 1, -1, -1):
        i = order[k]
        if receiver[i] != i:
            upstream[receiver[i]] += upstream[i]


@njit(cache=True, nogil=True)
def _carve(
    height: NDArray[np.float64],
    order: NDArray[np.int32],
    receiver: NDArray[np.int32],
    upstream: NDArray[np.float64],
    cell_m: float,
    sediment: float,
    incision: float,
    exponent: float,
) -> None:
    """One step: basins partly filled, their sills cut, then stream-power erosion (implicit); O(n log n).

    Source: Braun and Willett (2013), equation (20), with slope exponent 1.
    """
    filled = height.copy()
    _drain(filled, order, receiver, upstream)
    flat, full = height.ravel(), filled.ravel()
    cols = height.shape[1]
    for i in range(flat.size):
        flat[i] += sediment * (full[i] - flat[i])
    for k in range(order.size - 1, -1, -1):
        i = order[k]
        flat[receiver[i]] = min(flat[receiver[i]], flat[i])
    for i in order:
        j = receiver[i]
        if i != j:
            straight = i // cols == j // cols or i % cols == j % cols
            distance_m = cell_m if straight else cell_m * np.sqrt(2.0)
            pull = incision * (upstream[i] * cell_m * cell_m * 1e-6) ** exponent / distance_m
            flat[i] = (flat[i] + pull * flat[j]) / (1.0 + pull)


@njit(cache=True, nogil=True)
def _slide(height: NDArray[np.float64], highest_step: float) -> None:
    """Lower every cell until none stands more than `highest_step` per cell above a neighbour; O(n) a sweep, few sweeps.

    Sweeps to and fro, as for a distance transform: each looks back at the four neighbours passed already.
    """
    rows, cols = height.shape
    slid = True
    while slid:
        slid = False
        for turn in (1, -1):
            for a in range(rows):
                r = a if turn == 1 else rows - 1 - a
                for b in range(cols):
                    c = b if turn == 1 else cols - 1 - b
                    highest = height[r, c]
                    if 0 <= c - turn < cols:
                        highest = min(highest, height[r, c - turn] + highest_step)
                    if 0 <= r - turn < rows:
                        for nc in range(max(c - 1, 0), min(c + 2, cols)):
                            step = highest_step if nc == c else highest_step * 1.4142135623730951
                            highest = min(highest, height[r - turn, nc] + step)
                    if highest < height[r, c]:
                        height[r, c] = highest
                        slid = True


@njit(cache=True, nogil=True)
def _stream_height(
    height: NDArray[np.float64],
    order: NDArray[np.int32],
    receiver: NDArray[np.int32],
    upstream_km2: NDArray[np.float64],
    stream_km2: float,
) -> NDArray[np.float64]:
    """(n,) height of the first stream cell down the way from each cell; O(n)."""
    stream = np.empty(height.size)
    for i in order:
        j = receiver[i]
        stream[i] = height[i] if upstream_km2[i] >= stream_km2 or i == j else stream[j]
    return stream
