"""Which options serve which demand cells, from stored loss rows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.sparse
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.antenna import attenuation_db, bearing_deg, depression_deg, is_special, special_attenuation_db
from phusong.coverage.errors import SectorWithoutRow, ValueOutOfRange
from phusong.coverage.loss_rows import DECIMETRES_PER_M, HUNDRED_KHZ_PER_MHZ, LossRows
from phusong.coverage.sectors import Sectors
from phusong.coverage.terrain import Terrain, bilinear_height_m

OPTIONS_PER_TASK = 256


def sector_keys(sectors: Sectors) -> NDArray[np.int32]:
    """(S, 3) physical key of each sector: location, antenna height [dm], frequency [100 kHz].

    `numpy.unique(sector_keys(sectors), axis=0)` are the rows that `loss_rows` has to compute.
    """
    return np.stack(
        [
            sectors.location,
            np.rint(sectors.height_m * DECIMETRES_PER_M),
            np.rint(sectors.frequency_mhz * HUNDRED_KHZ_PER_MHZ),
        ],
        axis=1,
    ).astype(np.int32)


def sector_rows(rows: LossRows, sectors: Sectors) -> NDArray[np.int64]:
    """(S,) row of each sector, height and frequency rounded to the keys' steps.

    Raises SectorWithoutRow.
    """
    number = {tuple(key): row for row, key in enumerate(rows.key.tolist())}
    keys = sector_keys(sectors).tolist()
    found = np.array([number.get(tuple(key), -1) for key in keys], np.int64)
    missing = np.flatnonzero(found < 0)
    if missing.size:
        location, height_dm, frequency = keys[missing[0]]
        raise SectorWithoutRow(
            what=f"{missing.size} sectors have no loss row",
            where=f"sector {missing[0]}: location {location}, {height_dm / DECIMETRES_PER_M} m,"
            f" {frequency / HUNDRED_KHZ_PER_MHZ} MHz",
            mend="compute loss_rows with the unique sector_keys of these sectors",
        )
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def covered_cells(
    height_m: NDArray[np.float32],
    cell_m: float,
    site_rc: NDArray[np.float64],
    cell_rc: NDArray[np.int32],
    rx_height_m: float,
    required_dbm: NDArray[np.float64],
    indptr: NDArray[np.int64],
    cell: NDArray[np.int32],
    half_db: NDArray[np.uint8],
    base_db: float,
    location: NDArray[np.int32],
    antenna: NDArray[np.float64],
    patterns: Any,
    row: NDArray[np.int64],
    first: NDArray[np.int64],
    covered: NDArray[np.int32],
    count: NDArray[np.int64],
) -> int:
    """Writes the cells of each option one after the other, increasing, and their count; about 60 ns a cell and sector.

    Option o has the sectors first[o] .. first[o + 1]. Returns the number written; a cell is served by any one sector.
    """
    flat_m = height_m.reshape(height_m.size)
    seen = np.full(cell_rc.shape[0], -1, np.int32)  # the last option that covered the cell
    written = 0
    for option in range(first.size - 1):
        start = written
        for s in range(first[option], first[option + 1]):
            site_row, site_col = site_rc[location[s], 0], site_rc[location[s], 1]
            special = is_special(antenna, s)
            antenna_m = bilinear_height_m(flat_m, height_m.shape[1], site_row, site_col) + antenna[s, 0]
            for k in range(indptr[row[s]], indptr[row[s] + 1]):
                c = cell[k]
                rsrp_dbm = antenna[s, 5] - (base_db + 0.5 * half_db[k])
                if seen[c] == option or rsrp_dbm < required_dbm[c]:
                    continue
                rows, cols = cell_rc[c, 0] - site_row, cell_rc[c, 1] - site_col
                drop_m = antenna_m - (height_m[cell_rc[c, 0], cell_rc[c, 1]] + rx_height_m)
                depression = depression_deg(np.hypot(rows, cols) * cell_m, drop_m)
                bearing = bearing_deg(rows, cols)
                if special:
                    rsrp_dbm -= special_attenuation_db(bearing, depression, antenna, s, patterns)
                else:
                    rsrp_dbm -= attenuation_db(
                        bearing, depression, antenna[s, 1], antenna[s, 2], antenna[s, 3], antenna[s, 4]
                    )
                if rsrp_dbm >= required_dbm[c]:
                    seen[c] = option
                    covered[written] = c
                    written += 1
        covered[start:written].sort()
        count[option] = written - start
    return written


def option_coverage(
    rows: LossRows,
    terrain: Terrain,
    site_rc: ArrayLike,
    sectors: Sectors,
    sector_option: ArrayLike,
    n_options: int,
    cell_rc: ArrayLike,
    required_rsrp_dbm: ArrayLike,
    rx_height_m: float,
    threads: int | None = None,
) -> scipy.sparse.csr_array:
    """(n_options, C) bool: the cells that at least one sector of an option serves.

    rows              : loss rows that hold every sector's key (`sector_keys`)
    site_rc           : (L, 2) float (row, col), as given to `loss_rows`
    sector_option     : (S,) int option that a sector belongs to; negative: none
    cell_rc           : (C, 2) int demand cells, as given to `loss_rows`
    required_rsrp_dbm : median level that serves a cell, margins in, one for all or (C,) [dBm]
    rx_height_m       : receiver above the raster [m]
    Raises SectorWithoutRow, ValueOutOfRange.
    """
    cells = np.require(cell_rc, np.int32, ["C", "W"]).reshape(-1, 2)
    option_of = np.asarray(sector_option, np.int64)
    if option_of.shape != (len(sectors),) or (option_of >= n_options).any():
        raise ValueOutOfRange(
            what="the sectors' options do not fit the options asked for",
            where=f"{option_of.size} numbers up to {option_of.max(initial=-1)}, {len(sectors)} sectors,"
            f" n_options = {n_options}",
            mend="give each sector an option number below n_options, or a negative one for none",
        )
    order = np.argsort(option_of, kind="stable")
    order = order[option_of[order] >= 0]
    first = np.searchsorted(option_of[order], np.arange(n_options + 1)).astype(np.int64)
    chosen = Sectors(*(getattr(sectors, name)[order] for name in Sectors.__dataclass_fields__))
    row = sector_rows(rows, chosen)
    antenna = chosen.antennas()
    sites = np.clip(np.asarray(site_rc, np.float64).reshape(-1, 2), 0.0, np.array(terrain.height_m.shape) - 1.0)
    required = np.broadcast_to(np.asarray(required_rsrp_dbm, np.float64), (len(cells),)).copy()
    length = rows.indptr[row + 1] - rows.indptr[row]

    def task(begin: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        end = min(begin + OPTIONS_PER_TASK, n_options)
        span = slice(first[begin], first[end])
        # No option covers more cells than its sectors' rows hold.
        covered = np.empty(int(length[span].sum()), np.int32)
        count = np.zeros(end - begin, np.int64)
        written = covered_cells(
            terrain.height_m, terrain.cell_m, sites, cells, float(rx_height_m), required,
            rows.indptr, rows.cell, rows.half_db, rows.base_db,
            chosen.location[span], antenna[span], chosen.pattern.table, row[span],
            first[begin : end + 1] - first[begin], covered, count,
        )  # fmt: skip
        return covered[:written].copy(), count

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        parts = list(pool.map(task, range(0, n_options, OPTIONS_PER_TASK)))
    empty: list[Any] = [np.empty(0, np.int32)]
    indices = np.concatenate([*(part[0] for part in parts), *empty]).astype(np.int32, copy=False)
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate([*(p[1] for p in parts), np.empty(0)]))])
    return scipy.sparse.csr_array(
        (np.ones(len(indices), np.bool_), indices, indptr.astype(np.int64)), shape=(n_options, len(cells))
    )
