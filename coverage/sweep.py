"""From sites to cells: a terrain profile per site and cell, threads over the quarters of the sites' surroundings.

Each profile serves every antenna height and band of its site. Results do not depend on the number of threads: cells
are computed each for itself, and merging sites is commutative (a tie goes to the lowest sector number).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.antenna import attenuation_db, bearing_deg, depression_deg, is_special, special_attenuation_db
from phusong.coverage.cuda import radial_on
from phusong.coverage.errors import SiteOutsideTerrain, ValueOutOfRange
from phusong.coverage.propagation.free_space import free_space_loss_db, free_space_reach_m
from phusong.coverage.propagation.registry import (
    check_model,
    path_loss_db,
    resolve_model,
    specialised,
    under_free_space_db,
)
from phusong.coverage.radial import radial_losses, ray_count
from phusong.coverage.sectors import Sectors
from phusong.coverage.surroundings import (
    NOTHING_AROUND,
    Surroundings,
    add_surroundings_db,
    adds_loss,
    check_carriers,
)
from phusong.coverage.terrain import Terrain, bilinear_height_m, path_profile

if TYPE_CHECKING:
    from phusong.coverage.cuda.radial import CudaRadial

OnSite = Callable[[int], None]
Item = TypeVar("Item")
MODES = ("exact", "radial")
Real = type[np.floating[Any]]
Ring = tuple[float, float]  # cells farther than the first and no farther than the second [m] from a site
Near = Callable[[NDArray[np.float64], Ring, int], tuple[NDArray[np.int32], NDArray[np.int64]]]
QUARTERS = 4  # of a site's surroundings, so that several threads find work at one site
FIRST_RING_M = 6000.0  # what is found here spares farther sites most of their profiles
SPARE_DB = 0.1  # above what rounding and measured antennas may gain


@dataclass(frozen=True, slots=True)
class SignalMap:
    """Best server per layer and cell.

    rsrp_dbm : (n_layers, H, W) float32 median level [dBm], NaN: none
    server   : (n_layers, H, W) int32 sector, -1: none
    """

    rsrp_dbm: NDArray[np.float32]
    server: NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")
def site_losses(
    model: Any,
    height_m: NDArray[np.float32],
    cell_m: float,
    site_row: float,
    site_col: float,
    cell_rc: NDArray[np.int32],
    rx_height_m: float,
    tx_height_m: NDArray[np.float64],
    first: NDArray[np.int64],
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
    lowered_m: float = 0.0,
) -> None:
    """Writes loss_db (N, K), inf where a height on the path is unknown; 2 us a cell 16 km away, for all K.

    frequency_mhz[first[a] : first[a + 1]] are the bands on height a. The receiver's own ground lies lowered_m below the
    raster.
    """
    profile_m = np.empty(height_m.shape[0] + height_m.shape[1] + 1)
    for j in range(cell_rc.shape[0]):
        row, col = float(cell_rc[j, 0]), float(cell_rc[j, 1])
        points, step_m = path_profile(height_m, cell_m, site_row, site_col, row, col, profile_m)
        if points == 0:
            loss_db[j] = np.inf
            continue
        profile_m[points - 1] -= lowered_m
        for a in range(tx_height_m.size):
            bands = slice(first[a], first[a + 1])
            path_loss_db(
                model, profile_m[:points], step_m, tx_height_m[a], rx_height_m, frequency_mhz[bands], loss_db[j, bands]
            )


@njit(cache=True, nogil=True, error_model="numpy")
def site_levels(
    height_m: NDArray[np.float32],
    cell_m: float,
    site_row: float,
    site_col: float,
    cell_rc: NDArray[np.int32],
    rx_height_m: float,
    floor_dbm: float,
    loss_db: NDArray[np.float64],
    antenna: NDArray[np.float64],
    patterns: Any,
    column: NDArray[np.int64],
    slot: NDArray[np.int64],
    number: NDArray[np.int32],
    level_dbm: NDArray[np.floating[Any]],
    server: NDArray[np.int32],
) -> None:
    """Best sector of one site per layer slot and cell: raises level_dbm and server (slots, N); 50 ns a cell and sector.

    antenna, patterns: `Sectors.antennas` and `Sectors.pattern.table`; column: of loss_db; number: of the sector,
    increasing.
    """
    ground_m = bilinear_height_m(height_m.reshape(height_m.size), height_m.shape[1], site_row, site_col)
    rounded = np.empty(1, level_dbm.dtype)  # levels are compared as they are stored
    for j in range(cell_rc.shape[0]):
        rows = cell_rc[j, 0] - site_row
        cols = cell_rc[j, 1] - site_col
        distance_m = np.hypot(rows, cols) * cell_m
        bearing = bearing_deg(rows, cols)
        receiver_m = height_m[cell_rc[j, 0], cell_rc[j, 1]] + rx_height_m
        for s in range(number.size):
            rsrp_dbm = antenna[s, 5] - loss_db[j, column[s]]
            if not rsrp_dbm >= floor_dbm or rsrp_dbm == -np.inf:
                continue
            depression = depression_deg(distance_m, ground_m + antenna[s, 0] - receiver_m)
            if is_special(antenna, s):
                rsrp_dbm -= special_attenuation_db(bearing, depression, antenna, s, patterns)
            else:
                rsrp_dbm -= attenuation_db(
                    bearing, depression, antenna[s, 1], antenna[s, 2], antenna[s, 3], antenna[s, 4]
                )
            rounded[0] = rsrp_dbm
            if rsrp_dbm >= floor_dbm and (server[slot[s], j] < 0 or rounded[0] > level_dbm[slot[s], j]):
                level_dbm[slot[s], j] = rounded[0]
                server[slot[s], j] = number[s]


@njit(cache=True, nogil=True)
def merge_levels(
    position: NDArray[np.int64],
    layer: NDArray[np.int32],
    level_dbm: NDArray[np.floating[Any]],
    server: NDArray[np.int32],
    best_dbm: NDArray[np.floating[Any]],
    best_server: NDArray[np.int32],
) -> None:
    """Raises the best levels (n_layers, P) by those of one site; the order of sites does not matter. 3 ns a value."""
    for slot in range(layer.size):
        n = layer[slot]
        for j in range(position.size):
            p = position[j]
            if server[slot, j] < 0:
                continue
            better = best_server[n, p] < 0 or level_dbm[slot, j] > best_dbm[n, p]
            if better or (level_dbm[slot, j] == best_dbm[n, p] and server[slot, j] < best_server[n, p]):
                best_dbm[n, p] = level_dbm[slot, j]
                best_server[n, p] = server[slot, j]


def over_items(
    work: Callable[[Item], None], items: Iterable[Item], threads: int | None, on_done: Callable[[Item], None] | None
) -> None:
    """Runs work(item) for each item in threads; on_done(item) is called from the calling thread as each is done."""
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        item_of = {pool.submit(work, item): item for item in items}
        try:
            for done in as_completed(item_of):
                done.result()
                if on_done is not None:
                    on_done(item_of[done])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def sites_on_terrain(terrain: Terrain, site_rc: ArrayLike, used: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Sites (L, 2), those on the outer half of an edge cell drawn to its centre line."""
    rc = np.asarray(site_rc, np.float64).reshape(-1, 2)
    if used.size and (used.min() < 0 or used.max() >= len(rc)):
        raise ValueOutOfRange(
            what="a location number points to no site",
            where=f"locations {used.min()} .. {used.max()}, {len(rc)} sites",
            mend="number locations from 0 in the order of the sites",
        )
    outside = used[~terrain.holds(rc[used])]
    if outside.size:
        raise SiteOutsideTerrain(
            what=f"{outside.size} sites stand outside the terrain",
            where=f"site {outside[0]} at row {rc[outside[0], 0]:.1f}, column {rc[outside[0], 1]:.1f}"
            f" of {terrain.height_m.shape[0]} x {terrain.height_m.shape[1]}",
            mend="read terrain with a wider margin, or leave these sites out (Terrain.holds tells which)",
        )
    return np.clip(rc, 0.0, np.array(terrain.height_m.shape, np.float64) - 1.0)


def cells_on_terrain(terrain: Terrain, cell_rc: ArrayLike) -> NDArray[np.int32]:
    cells = np.require(cell_rc, np.int32, ["C", "W"]).reshape(-1, 2)
    if len(cells) and ((cells < 0).any() or (cells >= np.array(terrain.height_m.shape)).any()):
        raise ValueOutOfRange(
            what="a demand cell lies outside the terrain",
            where=f"rows {cells[:, 0].min()} .. {cells[:, 0].max()}, columns {cells[:, 1].min()} .. {cells[:, 1].max()}"
            f" of {terrain.height_m.shape[0]} x {terrain.height_m.shape[1]}",
            mend="take cells from the terrain's own grid",
        )
    return cells


def check_reception(rx_height_m: float, range_m: float) -> None:
    if not rx_height_m > 0.0 or not 0.0 < range_m < np.inf:
        raise ValueOutOfRange(
            what="there is no receiver to compute for",
            where=f"rx_height_m = {rx_height_m}, range_m = {range_m}",
            mend="give a receiver height and a range above zero, in metres",
        )


def check_numbers(name: str, number: NDArray[np.int32], count: int) -> None:
    """Raises ValueOutOfRange unless the sectors' numbers lie in 0 .. count - 1."""
    if len(number) and not 0 <= number.min() <= number.max() < count:
        raise ValueOutOfRange(
            what=f"a sector's {name} is not among the {name}s asked for",
            where=f"{name}s {number.min()} .. {number.max()}, n_{name}s = {count}",
            mend=f"number {name}s from 0 up to n_{name}s - 1",
        )


def within(rows: NDArray[Any], cols: NDArray[Any], ring: Ring, cell_m: float) -> NDArray[np.bool_]:
    """Whether places so many rows and columns from a site lie in its ring; the first ring holds the site's own cell."""
    squared = rows * rows + cols * cols
    beyond, reach = ((metres / cell_m) ** 2 for metres in ring)
    return np.asarray((squared <= reach) & ((squared > beyond) | (beyond == 0.0)))


class Bands:
    """Heights of one site and the bands on each, from (height, frequency) pairs; `column` is each pair's place."""

    def __init__(self, height_m: NDArray[np.float64], frequency_mhz: NDArray[np.float64]) -> None:
        pairs, column = np.unique(np.stack([height_m, frequency_mhz], 1), axis=0, return_inverse=True)
        self.column = column.reshape(-1).astype(np.int64)
        self.frequency_mhz = np.ascontiguousarray(pairs[:, 1])
        self.height_m, first = np.unique(pairs[:, 0], return_index=True)
        self.first = np.append(first, len(pairs)).astype(np.int64)

    def losses(
        self,
        model: Any,
        terrain: Terrain,
        site: NDArray[np.float64],
        cells: NDArray[np.int32],
        rx_height_m: float,
        surroundings: Surroundings,
        rays: int = 0,
        gpu: CudaRadial | None = None,
    ) -> NDArray[np.float64]:
        """(N, K) loss to each cell, a column a pair of height and frequency; rays: in the circle, 0: a profile each."""
        loss_db = np.empty((len(cells), len(self.frequency_mhz)))
        around = (specialised(model), terrain.height_m, terrain.cell_m, site[0], site[1], cells)
        bands = (float(rx_height_m), self.height_m, self.first, self.frequency_mhz, loss_db, surroundings.lowered_m)
        if gpu is not None:
            loss_db = gpu.losses(site, cells, rays, rx_height_m, self.height_m, self.first, self.frequency_mhz)
        elif rays:
            radial_losses(*around, rays, *bands)
        else:
            site_losses(*around, *bands)
        if adds_loss(surroundings):
            distance_km = 1e-3 * terrain.cell_m * np.hypot(*(cells - site).T)
            add_surroundings_db(surroundings, distance_km, self.frequency_mhz, loss_db)
        return loss_db


@dataclass(frozen=True, slots=True)
class Reception:
    """What maps and points share: everything but the choice of cells. rays: in the circle, 0: a profile a cell."""

    terrain: Terrain
    sites: NDArray[np.float64]
    sectors: Sectors
    model: Any
    rx_height_m: float
    range_m: float
    floor_dbm: float
    surroundings: Surroundings
    rays: int = 0
    gpu: CudaRadial | None = None

    def reach_m(self, group: NDArray[np.intp]) -> float:
        """Range of a site, less where even free space would leave no level above the floor."""
        under_db = under_free_space_db(self.model)
        if self.floor_dbm == -np.inf or under_db == np.inf:
            return self.range_m
        spare_db = float(self.sectors.rs_eirp_dbm[group].max()) - self.floor_dbm + under_db
        return min(self.range_m, free_space_reach_m(spare_db, float(self.sectors.frequency_mhz[group].min())))

    def levels(
        self, group: NDArray[np.intp], cells: NDArray[np.int32], slot: NDArray[np.int64], dtype: Real
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.int32]]:
        """Best level and sector (slots, N) of one site's sectors, slot (s,) of each from 0 on without a gap."""
        sectors, terrain = self.sectors, self.terrain
        site = self.sites[sectors.location[group[0]]]
        bands = Bands(sectors.height_m[group], sectors.frequency_mhz[group])
        loss_db = bands.losses(
            self.model, terrain, site, cells, self.rx_height_m, self.surroundings, self.rays, self.gpu
        )
        slots = int(slot.max()) + 1
        level_dbm = np.empty((slots, len(cells)), dtype)
        server = np.full((slots, len(cells)), -1, np.int32)
        site_levels(
            terrain.height_m, terrain.cell_m, site[0], site[1], cells,
            float(self.rx_height_m) - self.surroundings.lowered_m, self.floor_dbm,
            loss_db, sectors.antennas()[group], sectors.pattern.table, bands.column, slot.astype(np.int64),
            group.astype(np.int32), level_dbm, server,
        )  # fmt: skip
        return level_dbm, server

    def each_quarter(
        self,
        near: Near,
        work: Callable[[NDArray[np.intp], NDArray[np.int32], NDArray[np.int64]], None],
        threads: int | None,
        on_site: OnSite | None,
        ring: Ring = (0.0, np.inf),
    ) -> None:
        """Runs work(sectors of a site, cells, their positions) for each quarter of each site's disc, in threads.

        near(site, ring, quarter) gives cells and positions; on_site(site) is called as its last quarter is done.
        """
        order = np.argsort(self.sectors.location, kind="stable")
        locations, start = np.unique(self.sectors.location[order], return_index=True)
        groups = dict(zip(locations.tolist(), np.split(order, start[1:]), strict=True)) if len(order) else {}
        left = dict.fromkeys(groups, QUARTERS)

        def quarter(item: tuple[int, int]) -> None:
            location, number = item
            group = groups[location]
            cells, position = near(self.sites[location], (ring[0], min(ring[1], self.reach_m(group))), number)
            if len(cells):
                work(group, cells, position)

        def done(item: tuple[int, int]) -> None:
            left[item[0]] -= 1
            if not left[item[0]] and on_site is not None:
                on_site(item[0])

        over_items(quarter, [(location, number) for location in groups for number in range(QUARTERS)], threads, done)

    def best(
        self, n_layers: int, positions: int, dtype: Real, near: Near, threads: int | None, on_site: OnSite | None
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.int32]]:
        """Best level and sector (n_layers, positions); near: see `each_quarter`."""
        check_numbers("layer", self.sectors.layer, n_layers)
        best_dbm = np.full((n_layers, positions), np.nan, dtype)
        best_server = np.full((n_layers, positions), -1, np.int32)
        merging = threading.Lock()

        def work(group: NDArray[np.intp], cells: NDArray[np.int32], position: NDArray[np.int64]) -> None:
            layer, slot = np.unique(self.sectors.layer[group], return_inverse=True)
            level_dbm, server = self.levels(group, cells, slot, dtype)
            with merging:
                merge_levels(position, layer, level_dbm, server, best_dbm, best_server)

        if self.rays or under_free_space_db(self.model) == np.inf:
            self.each_quarter(near, work, threads, on_site)
            return best_dbm, best_server

        def still_open(group: NDArray[np.intp], cells: NDArray[np.int32], position: NDArray[np.int64]) -> None:
            # Levels only rise, so a cell that is closed now stays so; ties, too, need the level itself.
            rises = ~(self.most_dbm(group, cells) < best_dbm[np.unique(self.sectors.layer[group])][:, position])
            left = np.flatnonzero(rises.any(axis=0))
            if len(left):
                work(group, cells[left], position[left])

        self.each_quarter(near, work, threads, None, (0.0, FIRST_RING_M))
        self.each_quarter(near, still_open, threads, on_site, (FIRST_RING_M, np.inf))
        return best_dbm, best_server

    def most_dbm(self, group: NDArray[np.intp], cells: NDArray[np.int32]) -> NDArray[np.float64]:
        """(layers of these sectors, N) no sector of the site gives more there: free space, and nothing in the way."""
        site = self.sites[self.sectors.location[group[0]]]
        distance_m = np.maximum(self.terrain.cell_m * np.hypot(*(cells - site).T), 1.0)
        spare_db = under_free_space_db(self.model) + SPARE_DB
        most = []
        for layer in np.unique(self.sectors.layer[group]):
            own = group[self.sectors.layer[group] == layer]
            eirp_dbm, lowest_mhz = self.sectors.rs_eirp_dbm[own].max(), self.sectors.frequency_mhz[own].min()
            most.append(eirp_dbm + spare_db - free_space_loss_db(1.0, float(lowest_mhz)) - 20.0 * np.log10(distance_m))
        return np.stack(most)


def receive(
    terrain: Terrain,
    site_rc: ArrayLike,
    sectors: Sectors,
    rx_height_m: float,
    range_m: float,
    model: Any,
    floor_dbm: float,
    surroundings: Surroundings,
    mode: str = "exact",
    device: str = "cpu",
) -> Reception:
    """The checked arguments of a map or of points, see `signal_map`."""
    check_reception(rx_height_m, range_m)
    if mode not in MODES:
        raise ValueOutOfRange(
            what=f"there is no mode {mode!r} of computing a map",
            where="mode",
            mend="choose one of " + ", ".join(MODES),
        )
    parameters = resolve_model(model)
    check_model(parameters, sectors.frequency_mhz, sectors.height_m, rx_height_m)
    check_carriers(surroundings, sectors.frequency_mhz)
    sites = sites_on_terrain(terrain, site_rc, np.unique(sectors.location))
    rays = ray_count(range_m, terrain.cell_m) if mode == "radial" else 0
    gpu = radial_on(device, mode, terrain, parameters, surroundings)
    return Reception(terrain, sites, sectors, parameters, rx_height_m, range_m, floor_dbm, surroundings, rays, gpu)


def near_on_raster(terrain: Terrain, where: NDArray[np.bool_] | None) -> Near:
    """Gives the known cells of a raster within reach of a site, a quarter at a time, and their positions in it."""
    height, width = terrain.height_m.shape
    wanted = ~np.isnan(terrain.height_m)
    if where is not None:
        wanted &= where

    def near(site: NDArray[np.float64], ring: Ring, quarter: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        reach_m = ring[1]
        low = np.maximum(np.ceil(site - reach_m / terrain.cell_m), 0).astype(int)
        high = np.minimum(np.floor(site + reach_m / terrain.cell_m) + 1, (height, width)).astype(int)
        middle = np.ceil(site).astype(int)
        for axis, beyond in enumerate(divmod(quarter, 2)):
            low[axis], high[axis] = (middle[axis], high[axis]) if beyond else (low[axis], middle[axis])
        rows = np.arange(low[0], high[0])[:, None]
        cols = np.arange(low[1], high[1])
        inside = within(rows - site[0], cols - site[1], ring, terrain.cell_m)
        at = np.flatnonzero(inside & wanted[low[0] : high[0], low[1] : high[1]])
        row, col = np.divmod(at, max(len(cols), 1))
        cells = np.empty((len(at), 2), np.int32)
        cells[:, 0] = row + low[0]
        cells[:, 1] = col + low[1]
        return cells, (row + low[0]) * width + (col + low[1])

    return near


def near_cells(terrain: Terrain, cells: NDArray[np.int32]) -> Near:
    """Gives those of the chosen cells that are known and within reach of a site, a quarter at a time, by number."""
    known = ~np.isnan(terrain.height_m[cells[:, 0], cells[:, 1]])

    def near(site: NDArray[np.float64], ring: Ring, quarter: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        offset = cells - site
        here = known & (2 * (offset[:, 0] >= 0.0) + (offset[:, 1] >= 0.0) == quarter)
        index = np.flatnonzero(here & within(offset[:, 0], offset[:, 1], ring, terrain.cell_m))
        return cells[index], index

    return near


def signal_map(
    terrain: Terrain,
    site_rc: ArrayLike,
    sectors: Sectors,
    n_layers: int,
    *,
    rx_height_m: float,
    range_m: float,
    model: Any = "delta-bullington",
    surroundings: Surroundings = NOTHING_AROUND,
    threads: int | None = None,
    on_site: OnSite | None = None,
    where: NDArray[np.bool_] | None = None,
    floor_dbm: float = -np.inf,
    mode: str = "exact",
    device: str = "cpu",
) -> SignalMap:
    """Median RSRP and best server of each layer at each cell; powers of several sectors are never summed.

    site_rc     : (L, 2) float (row, col) of the locations that sectors.location numbers
    n_layers    : number of layers of the result
    rx_height_m : receiver above ground [m]
    range_m     : horizontal distance up to which a sector is heard [m]
    model       : a propagation model's name or parameters
    surroundings: what is corrected at the receiver
    threads     : None: one a processor
    on_site     : called with the location number as each is done
    where       : (H, W) cells to compute; None: all
    floor_dbm   : levels below it count as none; a higher floor is faster
    mode        : "exact", a profile of its own for each cell; or "radial", several times faster: the profile of the
                  ray nearest to the cell, see `radial`
    device      : "cpu"; or "cuda", a GPU, for P.1812 in the radial mode, see `cuda.radial`
    Raises DeviceUnusable, SiteOutsideTerrain, UnknownModel, ValueOutOfRange.
    """
    reception = receive(terrain, site_rc, sectors, rx_height_m, range_m, model, floor_dbm, surroundings, mode, device)
    near = near_on_raster(terrain, where)
    best_dbm, server = reception.best(n_layers, terrain.height_m.size, np.float32, near, threads, on_site)
    shape = (n_layers, *terrain.height_m.shape)
    return SignalMap(best_dbm.astype(np.float32, copy=False).reshape(shape), server.reshape(shape))


def signal_at(
    terrain: Terrain,
    site_rc: ArrayLike,
    sectors: Sectors,
    n_layers: int,
    cell_rc: ArrayLike,
    *,
    rx_height_m: float,
    range_m: float,
    model: Any = "delta-bullington",
    surroundings: Surroundings = NOTHING_AROUND,
    threads: int | None = None,
    on_site: OnSite | None = None,
    floor_dbm: float = -np.inf,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """`signal_map` at chosen cells (C, 2), in full precision: rsrp_dbm (n_layers, C) float64 and server int32."""
    reception = receive(terrain, site_rc, sectors, rx_height_m, range_m, model, floor_dbm, surroundings)
    cells = cells_on_terrain(terrain, cell_rc)
    near = near_cells(terrain, cells)
    best_dbm, server = reception.best(n_layers, len(cells), np.float64, near, threads, on_site)
    return best_dbm.astype(np.float64, copy=False), server
