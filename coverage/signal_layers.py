"""Several servers a cell: n-th best levels, how many overlap, and the power that arrives on each channel.

One pass over the sites and no raster a site. Results do not depend on threads: servers are ordered by level and then
by number, and powers are summed as integers.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.sectors import Sectors
from phusong.coverage.surroundings import NOTHING_AROUND, Surroundings
from phusong.coverage.sweep import OnSite, Real, cells_on_terrain, check_numbers, near_cells, near_on_raster, receive
from phusong.coverage.terrain import Terrain

UNITS_PER_MW = 1e17  # a level of -140 dBm is 1000 units: 0.002 dB; the sum holds up to 19 dBm
MOST_MW = 10.0  # that one sector counts for


@dataclass(frozen=True, slots=True)
class SignalLayers:
    """The best servers of each layer and cell, and summed powers.

    best_dbm : (n_best, n_layers, *places) level of the best, second best .. sector [dBm], NaN: none
    server   : (n_best, n_layers, *places) int32 sector, -1: none
    overlap  : (n_layers, *places) uint8 sectors at most `overlap_db` below the best, itself counted; at most n_best
    power_mw : (n_channels, *places) float32 power of all sectors of a channel together, at full load [mW]
    places: (H, W), levels as float32; or (C,) of chosen cells, levels as float64.
    """

    best_dbm: NDArray[np.floating[Any]]
    server: NDArray[np.int32]
    overlap: NDArray[np.uint8]
    power_mw: NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def merge_sectors(
    position: NDArray[np.int64],
    layer: NDArray[np.int32],
    channel: NDArray[np.int32],
    level_dbm: NDArray[np.floating[Any]],
    server: NDArray[np.int32],
    best_dbm: NDArray[np.floating[Any]],
    best_server: NDArray[np.int32],
    power: NDArray[np.int64],
) -> None:
    """Puts each sector of a site in its place among the best (n_best, n_layers, P) and adds its power (n_channels, P).

    layer, channel (s,) of the sectors, a negative channel: none; level_dbm, server (s, N): server -1 where not heard.
    The order of sites does not matter. 25 ns a value.
    """
    deepest = best_dbm.shape[0] - 1
    for s in range(layer.size):
        n = layer[s]
        for j in range(position.size):
            if server[s, j] < 0:
                continue
            p = position[j]
            level, number = level_dbm[s, j], server[s, j]
            if channel[s] >= 0:
                power[channel[s], p] += np.int64(np.rint(min(10.0 ** (0.1 * level), MOST_MW) * UNITS_PER_MW))
            place = deepest + 1
            while place > 0 and (
                best_server[place - 1, n, p] < 0
                or level > best_dbm[place - 1, n, p]
                or (level == best_dbm[place - 1, n, p] and number < best_server[place - 1, n, p])
            ):
                if place <= deepest:
                    best_dbm[place, n, p] = best_dbm[place - 1, n, p]
                    best_server[place, n, p] = best_server[place - 1, n, p]
                place -= 1
            if place <= deepest:
                best_dbm[place, n, p] = level
                best_server[place, n, p] = number


@njit(cache=True, nogil=True, error_model="numpy")
def count_overlap(
    best_dbm: NDArray[np.floating[Any]], best_server: NDArray[np.int32], overlap_db: float, overlap: NDArray[np.uint8]
) -> None:
    """Writes how many of the best (n_best, n_layers, P) lie within overlap_db of the first (n_layers, P)."""
    for k in range(best_dbm.shape[0]):
        for n in range(best_dbm.shape[1]):
            for p in range(best_dbm.shape[2]):
                if best_server[k, n, p] >= 0 and best_dbm[k, n, p] >= best_dbm[0, n, p] - overlap_db:
                    overlap[n, p] += 1


def signal_layers(
    terrain: Terrain,
    site_rc: ArrayLike,
    sectors: Sectors,
    n_layers: int,
    *,
    rx_height_m: float,
    range_m: float,
    n_best: int = 3,
    overlap_db: float = 5.0,
    channel: ArrayLike | None = None,
    n_channels: int = 0,
    model: Any = "delta-bullington",
    surroundings: Surroundings = NOTHING_AROUND,
    threads: int | None = None,
    on_site: OnSite | None = None,
    where: NDArray[np.bool_] | None = None,
    cell_rc: ArrayLike | None = None,
    floor_dbm: float = -np.inf,
    mode: str = "exact",
    device: str = "cpu",
) -> SignalLayers:
    """Best servers of each layer and cell up to the n-th, how many overlap, and summed power of each channel.

    cell_rc    : (C, 2) chosen cells instead of the raster `where`, in full precision; only in the exact mode
    n_best     : servers kept, 1 to 255
    overlap_db : how far below the best a server still overlaps [dB]; 5 dB is an assumption
    channel    : (S,) int number of the sector's group of one channel, -1: none; None: no powers are summed
    n_channels : number of such groups
    floor_dbm  : levels below it count as none, in power too: where noise is, -130 dBm leaves out little
    The rest as of `signal_map`. best_dbm[0] and server[0] are its result.
    Memory: 8 n_best n_layers + n_layers + 12 n_channels bytes a cell, and about 50 bytes and 8 a sector for each cell
    of the quarter disc that a thread works on.
    Raises SiteOutsideTerrain, UnknownModel, ValueOutOfRange.
    """
    numbers = np.full(len(sectors), -1, np.int32) if channel is None else np.asarray(channel).astype(np.int32)
    if cell_rc is not None and (mode != "exact" or where is not None):
        raise ValueOutOfRange(
            what="chosen cells have exact profiles of their own and no raster",
            where=f"cell_rc with mode = {mode!r}" + (" and where" if where is not None else ""),
            mend='leave out cell_rc, or ask for mode = "exact" and no raster',
        )
    if not 1 <= n_best <= 255 or numbers.shape != (len(sectors),) or not overlap_db >= 0.0:
        raise ValueOutOfRange(
            what="these are no layers to compute",
            where=f"n_best = {n_best}, overlap_db = {overlap_db}, {numbers.size} channels of {len(sectors)} sectors",
            mend="give n_best from 1 to 255, overlap_db of 0 or more, and a channel for each sector",
        )
    check_numbers("layer", sectors.layer, n_layers)
    check_numbers("channel", np.maximum(numbers, 0) if (numbers >= 0).any() else numbers[:0], n_channels)
    reception = receive(terrain, site_rc, sectors, rx_height_m, range_m, model, floor_dbm, surroundings, mode, device)
    real: Real = np.float32
    shape: tuple[int, ...] = terrain.height_m.shape
    if cell_rc is None:
        near = near_on_raster(terrain, where)
    else:
        cells = cells_on_terrain(terrain, cell_rc)
        near, real, shape = near_cells(terrain, cells), np.float64, (len(cells),)
    positions = int(np.prod(shape))
    best_dbm = np.full((n_best, n_layers, positions), np.nan, real)
    server = np.full((n_best, n_layers, positions), -1, np.int32)
    power = np.zeros((n_channels, positions), np.int64)
    merging = threading.Lock()

    def work(group: NDArray[np.intp], cells: NDArray[np.int32], position: NDArray[np.int64]) -> None:
        level_dbm, heard = reception.levels(group, cells, np.arange(len(group)), real)
        with merging:
            merge_sectors(
                position, sectors.layer[group], numbers[group], level_dbm, heard, best_dbm, server, power
            )  # fmt: skip

    reception.each_quarter(near, work, threads, on_site)
    overlap = np.zeros((n_layers, positions), np.uint8)
    count_overlap(best_dbm, server, float(overlap_db), overlap)
    power_mw = np.empty((n_channels, positions), np.float32)
    np.divide(power, UNITS_PER_MW, out=power_mw, casting="unsafe")
    return SignalLayers(
        best_dbm.reshape(n_best, n_layers, *shape),
        server.reshape(n_best, n_layers, *shape),
        overlap.reshape(n_layers, *shape),
        power_mw.reshape(n_channels, *shape),
    )
