"""Loss from candidate places to demand cells, kept small: what the decision's coverage is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.registry import check_model, resolve_model
from phusong.coverage.surroundings import NOTHING_AROUND, Surroundings, check_carriers
from phusong.coverage.sweep import (
    Bands,
    OnSite,
    cells_on_terrain,
    check_reception,
    over_items,
    sites_on_terrain,
    within,
)
from phusong.coverage.terrain import Terrain

BASE_DB = 60.0
DECIMETRES_PER_M = 10.0
HUNDRED_KHZ_PER_MHZ = 10.0


@dataclass(frozen=True, slots=True)
class LossRows:
    """Basic transmission loss from physical rows to demand cells, 0.5 dB steps, rounded up (against us).

    key      : (R, 3) int32   location, antenna height [dm], frequency [100 kHz]
    indptr   : (R + 1,) int64
    cell     : (nnz,) int32   demand cell
    half_db  : (nnz,) uint8   loss above `base_db`, in half decibels; a smaller loss is written as base_db
    base_db  : lowest loss that can be written [dB]; cells losing more than base_db + 127.5 dB are left out
    Invariant: cells within a row are strictly increasing. 5 bytes a pair.
    """

    key: NDArray[np.int32]
    indptr: NDArray[np.int64]
    cell: NDArray[np.int32]
    half_db: NDArray[np.uint8]
    base_db: float

    def row(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Cells of a row and the loss to each [dB]."""
        span = slice(self.indptr[number], self.indptr[number + 1])
        return self.cell[span], self.base_db + self.half_db[span].astype(np.float64) / 2.0


def loss_rows(
    terrain: Terrain,
    site_rc: ArrayLike,
    key: ArrayLike,
    cell_rc: ArrayLike,
    *,
    rx_height_m: float,
    range_m: float,
    model: Any = "delta-bullington",
    surroundings: Surroundings = NOTHING_AROUND,
    base_db: float = BASE_DB,
    threads: int | None = None,
    on_site: OnSite | None = None,
) -> LossRows:
    """Basic transmission loss from (location, antenna height, frequency) to demand cells within range.

    site_rc     : (L, 2) float (row, col) of the locations
    key         : (R, 3) int location, antenna height [dm], frequency [100 kHz]; a row of the result each, in this order
    cell_rc     : (C, 2) int (row, col) of the demand cells; their numbers in the result
    rx_height_m : receiver above ground [m]
    range_m     : horizontal distance up to which a cell is looked at [m]
    model       : a propagation model's name or parameters
    surroundings: what is corrected at the receiver, in the losses of the rows
    base_db     : see LossRows
    threads     : None: one a processor
    on_site     : called with the location number as each is done
    Raises SiteOutsideTerrain, UnknownModel, ValueOutOfRange.
    """
    check_reception(rx_height_m, range_m)
    keys = np.require(key, np.int32, ["C"]).reshape(-1, 3)
    if (keys[:, 1:] <= 0).any():
        raise ValueOutOfRange(
            what="a loss row has no antenna height or no frequency",
            where=f"row {int(np.flatnonzero((keys[:, 1:] <= 0).any(axis=1))[0])} of the keys",
            mend="give the height in decimetres and the frequency in units of 100 kHz, above zero",
        )
    parameters = resolve_model(model)
    check_model(parameters, keys[:, 2] / HUNDRED_KHZ_PER_MHZ, keys[:, 1] / DECIMETRES_PER_M, rx_height_m)
    check_carriers(surroundings, keys[:, 2] / HUNDRED_KHZ_PER_MHZ)
    sites = sites_on_terrain(terrain, site_rc, np.unique(keys[:, 0]))
    cells = cells_on_terrain(terrain, cell_rc)
    known = ~np.isnan(terrain.height_m[cells[:, 0], cells[:, 1]])
    cell_of: list[NDArray[np.int32]] = [np.empty(0, np.int32)] * len(keys)
    half_of: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)] * len(keys)

    def work(location: int) -> None:
        rows = np.flatnonzero(keys[:, 0] == location)
        bands = Bands(keys[rows, 1] / DECIMETRES_PER_M, keys[rows, 2] / HUNDRED_KHZ_PER_MHZ)
        offset = cells - sites[location]
        near = np.flatnonzero(known & within(offset[:, 0], offset[:, 1], (0.0, range_m), terrain.cell_m))
        loss_db = bands.losses(parameters, terrain, sites[location], cells[near], rx_height_m, surroundings)
        half_db = np.maximum(np.ceil((loss_db - base_db) * 2.0), 0.0)
        for row, column in zip(rows, bands.column, strict=True):
            kept = half_db[:, column] <= 255.0
            cell_of[row] = near[kept].astype(np.int32)
            half_of[row] = half_db[kept, column].astype(np.uint8)

    over_items(work, np.unique(keys[:, 0]).tolist(), threads, on_site)
    indptr = np.concatenate([[0], np.cumsum([len(cell) for cell in cell_of], dtype=np.int64)]).astype(np.int64)
    empty: list[Any] = [np.empty(0, np.int32)]
    return LossRows(
        key=keys,
        indptr=indptr,
        cell=np.concatenate([*cell_of, *empty]).astype(np.int32, copy=False),
        half_db=np.concatenate([*half_of, np.empty(0, np.uint8)]),
        base_db=float(base_db),
    )
