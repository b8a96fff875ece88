"""Radial mode beside exact mode on three real terrains, accuracy and speed: `python -m benchmarks.radial`.

Model P.1812-7 at p = 50%, one height (35 m) and one band (1800 MHz), a 30 km disc at 90 m about the middle of each
terrain. Seconds are CPU seconds of one thread, the least of several; the two-thread ratio is of elapsed time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.terrains import CELL_M, TERRAINS, read_terrain
from phusong.coverage.propagation import P1812
from phusong.coverage.propagation.registry import propagation_model, ray_model
from phusong.coverage.radial import radial_losses, ray_count, sort_by_ray
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_map, site_losses
from phusong.coverage.terrain import Terrain

RANGE_M, TX_M, RX_M, MHZ = 30e3, 35.0, 1.5, 1800.0
BANDS = (np.array([TX_M]), np.array([0, 1]), np.array([MHZ]))
EDGE_DB = 6.0  # a cell lies at a shadow's edge where the exact loss of a neighbour differs by more
REPEATS = 5


class Nothing(NamedTuple):
    """A model that computes nothing: what is left is the way to it."""


@propagation_model("nothing", Nothing, source="none")
@njit
def nothing(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db):
    loss_db[:] = ground_m[-1]


@ray_model(Nothing)
@njit
def nothing_along_rays(
    model, ray_m, step_m, points, distance_m, ground_m, rx_height_m, tx_height_m, first, frequency_mhz, index, loss_db
):
    loss_db[index[0]] = ray_m[0]


def least_s(work: Callable[[], Any], clock: Callable[[], float] = time.process_time, repeats: int = REPEATS) -> float:
    """Least time of several runs after one that compiles [s]."""
    work()
    taken = []
    for _ in range(repeats):
        begin = clock()
        work()
        taken.append(clock() - begin)
    return min(taken)


def disc(terrain: Terrain) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A site near the raster's middle, off any cell's centre, and the known cells within range."""
    site = np.array(terrain.height_m.shape) / 2.0 + 0.3
    rows, cols = np.indices(terrain.height_m.shape)
    inside = (np.hypot(rows - site[0], cols - site[1]) * CELL_M <= RANGE_M) & ~np.isnan(terrain.height_m)
    return site, np.argwhere(inside).astype(np.int32, order="C")


def shadow_edges(terrain: Terrain, cells: NDArray[np.int32], loss_db: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells (N,) with a neighbour in the row or column whose loss differs by more than EDGE_DB."""
    raster = np.full(terrain.height_m.shape, np.nan)
    raster[cells[:, 0], cells[:, 1]] = loss_db
    edge = np.zeros(raster.shape, bool)
    for axis in (0, 1):
        step = np.abs(np.diff(raster, axis=axis)) > EDGE_DB
        edge |= np.insert(step, 0, False, axis) | np.insert(step, step.shape[axis], False, axis)
    return edge[cells[:, 0], cells[:, 1]]


def differences(exact_db: NDArray[np.float64], radial_db: NDArray[np.float64], edge: NDArray[np.bool_]) -> str:
    """rms, 95th percentile and largest of radial less exact [dB], and the first two at shadow edges."""
    both = np.isfinite(exact_db) & np.isfinite(radial_db)
    off = (radial_db - np.where(both, exact_db, 0.0))[both]
    at_edge = np.abs(off[edge[both]])
    size = np.abs(off)
    return (
        f"median {np.median(size):.2f}  rms {np.sqrt(np.mean(off**2)):.2f}  p95 {np.quantile(size, 0.95):.2f}"
        f"  max {size.max():.1f}  mean {off.mean():+.2f} dB | shadow edges ({edge[both].mean():.0%}):"
        f" rms {np.sqrt(np.mean(at_edge**2)):.2f}  p95 {np.quantile(at_edge, 0.95):.2f} dB"
    )


def two_threads(terrain: Terrain, site: NDArray[np.float64], mode: str) -> float:
    """How many times faster two threads compute one disc's map than one thread."""
    one = Sectors([0], [TX_M], [MHZ], [np.nan], [0.0], [65.0], [10.0], [30.0], [0])

    def work(threads: int) -> None:
        signal_map(
            terrain, [site], one, 1, rx_height_m=RX_M, range_m=RANGE_M, model="p1812", mode=mode, threads=threads
        )

    return least_s(lambda: work(1), time.perf_counter, 3) / least_s(lambda: work(2), time.perf_counter, 3)


def measure(name: str) -> None:
    terrain = read_terrain(name)
    site, cells = disc(terrain)
    rays = ray_count(RANGE_M, CELL_M)
    around = (terrain.height_m, CELL_M, site[0], site[1])
    exact_db, radial_db, unused = (np.empty((len(cells), 1)) for _ in range(3))

    def exact() -> None:
        site_losses(P1812(), *around, cells, RX_M, *BANDS, exact_db)

    def radial(count: int = rays) -> None:
        radial_losses(P1812(), *around, cells, count, RX_M, *BANDS, radial_db)

    sort_s = least_s(lambda: sort_by_ray(site[0], site[1], cells, rays))
    way_s = least_s(lambda: radial_losses(Nothing(), *around, cells, rays, RX_M, *BANDS, unused))
    exact_s, radial_s = least_s(exact, repeats=2), least_s(radial)
    ns = 1e9 / len(cells)
    edge = shadow_edges(terrain, cells, exact_db[:, 0])
    say = sys.stdout.write
    say(f"\n{name}: {TERRAINS[name][1]}, {len(cells):,} px, {rays} rays\n")
    say(f"  exact   {1e-6 / exact_s * len(cells):6.3f} M px/s a core\n")
    say(f"  radial  {1e-6 / radial_s * len(cells):6.3f} M px/s a core: {exact_s / radial_s:.1f} x exact;")
    say(f" {radial_s * ns:.0f} ns a px: sorting {sort_s * ns:.0f}, sampling {(way_s - sort_s) * ns:.0f},")
    say(f" P.1812 {(radial_s - way_s) * ns:.0f}\n")
    say(f"  radial less exact: {differences(exact_db[:, 0], radial_db[:, 0], edge)}\n")
    for share in (0.5, 2.0, 4.0):
        seconds = least_s(lambda share=share: radial(round(share * rays)), repeats=2)
        say(f"  {share:.1f} x the rays: {1e-6 / seconds * len(cells):.3f} M px/s; ")
        say(f"{differences(exact_db[:, 0], radial_db[:, 0], edge)}\n")
    for mode in ("exact", "radial"):
        say(f"  one disc, {mode}, two threads: {two_threads(terrain, site, mode):.2f} x one\n")


if __name__ == "__main__":
    for terrain_name in TERRAINS:
        measure(terrain_name)
