"""How much of the time a dish sees its satellites: each cell's mask against the sky of a day, step by step.

Neighbouring cells nearly share their sky. Look angles are computed for the middle of a block of cells (about 6 km) and
carried to the middle of each tile (about 1.5 km) to the first order; within a tile they are the same. Satellites pass
at 7.5 km a second, so half a tile is a tenth of a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import cos, radians, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.frames import geostationary_arc, grid_north_deg, ground_km
from phusong.coverage.satellite.sky import over_block, over_region
from phusong.coverage.satellite.tiles import (
    BEST,
    COLUMNS,
    HIDDEN,
    HIGH,
    LONGEST,
    LOW,
    MIDDLE,
    OBSTRUCTED,
    P95,
    SHARE_1,
    SHARE_2,
    mask_levels,
    tile_counts,
    tile_figures,
    tile_masks,
)
from phusong.coverage.satellite.tracks import Tracks

TILE_KM, FEWEST_CELLS, MOST_CELLS = 1.5, 4, 16  # side of a tile; its cells along a side
MOST_KM = 5.0  # side of a cell
TILES = 4  # of a block along a side
ARC_EVERY_DEG = 2.0  # points of the geostationary arc: 0.03 degrees at an exclusion of 20
MOST_STEPS = 65_535  # counted in 16 bits


@dataclass(frozen=True, slots=True, eq=False)
class Usable:
    """Which satellites a dish may use.

    min_elevation_deg    : of the dish, 0 to 89 (Starlink's filings: 25; assumption)
    gso_exclusion_deg    : least angle from the geostationary arc, as the dish sees it; 18 to 22 is usual, 0: no rule
    inter_satellite_links: traffic may travel on from satellite to satellite; else a gateway must see the same one
    gateway_deg          : (G, 2) latitude and longitude of gateways
    gateway_elevation_deg: least elevation at a gateway
    """

    min_elevation_deg: float = 25.0
    gso_exclusion_deg: float = 0.0
    inter_satellite_links: bool = True
    gateway_deg: ArrayLike = field(default_factory=lambda: np.empty((0, 2)))
    gateway_elevation_deg: float = 25.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_elevation_deg <= 89.0 or not 0.0 <= self.gso_exclusion_deg <= 60.0:
            raise ValueOutOfRange(
                what="no dish looks so",
                where=f"min_elevation_deg = {self.min_elevation_deg}, gso_exclusion_deg = {self.gso_exclusion_deg}",
                mend="give an elevation of 0 to 89 and an exclusion of 0 to 60 degrees",
            )
        if not self.inter_satellite_links and np.size(self.gateway_deg) == 0:
            raise ValueOutOfRange(
                what="satellites without links between them, and without a gateway, reach nobody",
                where="gateway_deg is empty, inter_satellite_links = False",
                mend="name the gateways, or set inter_satellite_links = true",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Visibility:
    """The sky of every cell over the simulated time; each (H, W) float32, NaN where the mask is unknown.

    share_1, share_2 : of the steps with at least one, at least two usable satellites
    count_p5, count_p50, count_p95 : usable satellites, percentiles over time by nearest rank; 255 stands for more
    longest_outage_s, p95_outage_s : steps without a satellite, in a row; 95 % of the outages last no longer. An outage
        between two steps is not seen, one cut by the beginning or end counts as it stands
    obstructed       : of the sky above the least elevation, by solid angle: what a dish's own map calls obstruction
    hidden           : of the time of usable satellites above the least elevation; NaN where there is none
    best_azimuth_deg : where the visible ones stand on the whole, clockwise from true north; NaN where there is none
    """

    share_1: NDArray[np.float32]
    share_2: NDArray[np.float32]
    count_p5: NDArray[np.float32]
    count_p50: NDArray[np.float32]
    count_p95: NDArray[np.float32]
    longest_outage_s: NDArray[np.float32]
    p95_outage_s: NDArray[np.float32]
    obstructed: NDArray[np.float32]
    hidden: NDArray[np.float32]
    best_azimuth_deg: NDArray[np.float32]


def visibility(
    tracks: Tracks,
    usable: Usable,
    horizon_deg: NDArray[np.float32],
    latitude_deg: NDArray[np.float64],
    longitude_deg: NDArray[np.float64],
    *,
    height_m: ArrayLike = 0.0,
    threads: int | None = None,
) -> Visibility:
    """What each cell of a grid sees of the satellites.

    horizon_deg : (A, H, W) mask [degrees] in A evenly spaced directions from grid north clockwise; a satellite is held
        against the nearest of them and hidden below the mask; NaN: unknown
    latitude_deg, longitude_deg : (H, W) of the cells' centres; grid north is read off them
    height_m    : of the ground, one number or (H, W)
    threads     : None: one a processor
    Beside each cell's own look angles in double precision the shares of 90 m cells over a day in steps of a minute err
    by 0.001 rms and by 0.011 at most (two constellations, rings of 0 to 65 degrees), without a bias: the most for two
    satellites behind rings of 60 to 65 degrees, where levels of masks are 0.3 degrees wide (`sky.level_scale`).
    4 ns a cell and step where every cell has a mask of its own; about half where masks lie below the least elevation.
    Raises ValueOutOfRange where shapes do not fit.
    """
    horizon = np.asarray(horizon_deg, np.float32)
    lat, lon = np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64)
    steps = tracks.position_km.shape[0]
    if horizon.ndim != 3 or 0 in horizon.shape or not horizon.shape[1:] == lat.shape == lon.shape or steps > MOST_STEPS:
        raise ValueOutOfRange(
            what="masks, places and steps do not fit together",
            where=f"horizon_deg {horizon.shape}, latitude_deg {lat.shape}, longitude_deg {lon.shape}, {steps} steps",
            mend=f"give (A, H, W), (H, W), (H, W) and at most {MOST_STEPS:,} steps",
        )
    if not (np.isfinite(lat).all() and np.isfinite(lon).all()):
        raise ValueOutOfRange(
            what="cells without a place",
            where=f"{int((~np.isfinite(lat) | ~np.isfinite(lon)).sum()):,} of {lat.size:,} cells",
            mend="give latitude and longitude of every cell; put NaN into the masks of those that are not wanted",
        )
    height = np.broadcast_to(np.asarray(height_m, np.float64), lat.shape)
    middle, radius_km = _region(lat, lon)
    gateway_km, gateway_axes = ground_km(*np.reshape(np.asarray(usable.gateway_deg, np.float64), (-1, 2)).T)
    start, satellite_km = over_region(
        tracks.position_km, middle, radius_km, radians(usable.min_elevation_deg), gateway_km,
        np.ascontiguousarray(gateway_axes[:, 2]), sin(radians(usable.gateway_elevation_deg)),
        usable.inter_satellite_links,
    )  # fmt: skip
    figures = np.full((COLUMNS, *lat.shape), np.nan, np.float32)
    tile = tile_cells(lat, lon)

    def look(block: tuple[slice, slice]) -> None:
        part = (slice(None), *block)
        _block(start, satellite_km, usable, tile, horizon[part], lat[block], lon[block], height[block], figures[part])

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(look, _squares(lat.shape, tile * TILES)))
    figures[[LONGEST, P95]] *= np.float32(tracks.step_s)
    return Visibility(
        share_1=figures[SHARE_1],
        share_2=figures[SHARE_2],
        count_p5=figures[LOW],
        count_p50=figures[MIDDLE],
        count_p95=figures[HIGH],
        longest_outage_s=figures[LONGEST],
        p95_outage_s=figures[P95],
        obstructed=figures[OBSTRUCTED],
        hidden=figures[HIDDEN],
        best_azimuth_deg=figures[BEST],
    )


def tile_cells(latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]) -> int:
    """Cells along a side of a tile: about 1.5 km, 4 to 16 cells. Raises ValueOutOfRange for cells above 5 km."""
    corner = ground_km(latitude_deg[:2, :2], longitude_deg[:2, :2])[0]
    sides = np.linalg.norm([corner[-1, 0] - corner[0, 0], corner[0, -1] - corner[0, 0]], axis=1)
    cell_km = max(float(sides.max()), 1e-6)
    if cell_km > MOST_KM:
        raise ValueOutOfRange(
            what="cells too large to have one sky",
            where=f"the first cells lie {cell_km:.1f} km apart",
            mend=f"use cells of at most {MOST_KM:g} km",
        )
    return int(np.clip(round(TILE_KM / cell_km), FEWEST_CELLS, MOST_CELLS))


def _squares(shape: tuple[int, ...], side: int) -> Iterator[tuple[slice, slice]]:
    for row in range(0, shape[0], side):
        for col in range(0, shape[1], side):
            yield slice(row, min(row + side, shape[0])), slice(col, min(col + side, shape[1]))


def _region(latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Middle (3,) and radius [km] of a ball around all cells, from its border."""
    edge = [(a[0], a[-1], a[:, 0], a[:, -1]) for a in (latitude_deg, longitude_deg)]
    border = ground_km(np.concatenate(edge[0]), np.concatenate(edge[1]))[0]
    middle = border.mean(axis=0)
    return middle, float(np.linalg.norm(border - middle, axis=1).max())


def _middle(latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]) -> tuple[float, float]:
    """Mean of the four corners."""
    lat, lon = ((a[0, 0] + a[0, -1] + a[-1, 0] + a[-1, -1]) / 4.0 for a in (latitude_deg, longitude_deg))
    return float(lat), float(lon)


def _block(
    start: NDArray[np.int64],
    satellite_km: NDArray[np.float32],
    usable: Usable,
    tile: int,
    horizon_deg: NDArray[np.float32],
    latitude_deg: NDArray[np.float64],
    longitude_deg: NDArray[np.float64],
    height_m: NDArray[np.float64],
    figures: NDArray[np.float32],
) -> None:
    """Fills figures (COLUMNS, h, w) for the cells of one block."""
    if np.isnan(horizon_deg[0]).all():
        return
    known_m = height_m[np.isfinite(height_m)]
    here = _middle(latitude_deg, longitude_deg)
    place, axes = ground_km(*here, known_m.mean() if len(known_m) else 0.0)
    north_deg = grid_north_deg(latitude_deg, longitude_deg)
    turn_rad = radians(north_deg[north_deg.shape[0] // 2, north_deg.shape[1] // 2])
    table = mask_levels(usable.min_elevation_deg)
    lowest, highest = np.full(len(horizon_deg), 255, np.uint8), np.zeros(len(horizon_deg), np.uint8)
    squares = list(_squares(latitude_deg.shape, tile))
    middles = np.array([_middle(latitude_deg[square], longitude_deg[square]) for square in squares])
    offsets_km = (ground_km(*middles.T)[0] - ground_km(*here)[0]) @ axes[:2].T
    tiles = []
    for square, offset in zip(squares, offsets_km, strict=True):
        mask, lane_of, count = tile_masks(horizon_deg[:, *square], usable.min_elevation_deg, table)
        if count:
            tiles.append((square, mask, lane_of, count, offset))
            np.minimum(lowest, mask[:, :count].min(axis=1), out=lowest)
            np.maximum(highest, mask[:, :count].max(axis=1), out=highest)
    if not tiles:
        return
    exclusion = radians(usable.gso_exclusion_deg)
    arc = geostationary_arc(place, axes[2], ARC_EVERY_DEG) if exclusion else np.empty((0, 3), np.float32)
    base, begin, between, above = over_block(
        start, satellite_km, place, axes, np.abs([offset for *_, offset in tiles]).max(axis=0), turn_rad,
        sin(radians(usable.min_elevation_deg)), lowest, highest, np.ascontiguousarray(arc.T), cos(exclusion),
    )  # fmt: skip
    for square, mask, lane_of, count, offset in tiles:
        counts = tile_counts(mask, count, offset[0], offset[1], base, begin, between)
        tile_figures(counts, mask, lane_of, count, turn_rad, above, figures[:, *square])
