"""The sky over one part: what terrain hides, how often a satellite is in view, and how much of that the rain leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.satellite.directions import averaged_over_sky, directions, elevation_edges_deg
from phusong.coverage.satellite.tracks import Tracks
from phusong.coverage.satellite.visibility import Usable, Visibility, visibility
from phusong.scenarios.satellite.elements import Constellation
from phusong.scenarios.satellite.ground import Array, Ground, Mask, Nodes, places
from phusong.scenarios.satellite.links import DOWN, SIDES, WEATHER, Link, figures, leo_link
from phusong.scenarios.satellite.settings import Leo, Satellite, Terminal

COARSE_KM = 2.5  # cells in which the effect of a band of the sky is looked at
RINGS_DEG = (45.0, 55.0, 60.0, 65.0)  # of trees and roofs, told beside the terrain


@dataclass(frozen=True, slots=True, eq=False)
class LeoSky:
    """Satellites in low orbit over one part; rasters (H, W) float32, NaN where the terrain is unknown.

    seen          : of the sky over the simulated time; share_1 is the geometric availability
    weather       : (3, H, W) share of the time with a satellite in view that the link stands the weather: its band
        against us, as given, for us
    down_bps, up_bps : bits a symbol of a household's link in weather that is exceeded for `rate_exceedance_pct`
    sensitivity   : mean availability inside the area, by what was changed: "as given", "exclusion 18", "ring 45" ...
    """

    name: str
    seen: Visibility
    weather: Mask
    down_bps: Mask
    up_bps: Mask
    density: Array
    place_of: NDArray[np.int64]
    edges_deg: Array
    sensitivity: Mapping[str, float]

    @property
    def availability(self) -> Mask:
        return self.seen.share_1

    def rain_limited(self, side: int = 0) -> Mask:
        """Share of all time with a satellite in view and the link up; side as in `links.SIDES`."""
        return np.asarray(self.seen.share_1 * np.nan_to_num(self.weather[side + 1]), np.float32)


def leo_sky(
    ground: Ground, settings: Satellite, found: Constellation, threads: int | None, *, sensitive: bool = True
) -> LeoSky:
    """Availability, weather and rates of household terminals over a part.

    sensitive : also what the exclusion's band and rings of trees do, on cells of 2.5 km
    """
    leo = settings.leo
    links = [leo_link(leo, leo.household, found.altitude_km, side) for side in SIDES]
    usable = usable_of(leo, lowest_deg=_lowest_standing(leo, links[1]))
    seen = visibility(
        found.tracks, usable, ground.horizon, ground.latitude_deg, ground.longitude_deg,
        height_m=ground.height_m, threads=threads,
    )  # fmt: skip
    edges = elevation_edges_deg(usable.min_elevation_deg)
    place_of, place_lat, place_lon = places(ground)
    density = directions(found.tracks, usable, place_lat, place_lon, len(ground.horizon), edges)
    tables = [link_table(link, ground.nodes, edges, settings.rate_exceedance_pct) for link in links]
    # A link that is not up under the clear sky is not used at all: weather is averaged over the others.
    up = [link.stands((edges[:-1] + edges[1:]) / 2.0)[:, None, None, None] for link in links]
    standing = [np.broadcast_to(one, tables[0][WEATHER].shape).astype(np.float32) for one in up]
    weather = [table[WEATHER] * one for table, one in zip(tables, standing, strict=True)]
    mean = _averaged(ground, density, place_of, edges, np.stack([*weather, *standing, *tables[1][DOWN:]]))
    share = np.divide(mean[:3], mean[3:6], out=np.zeros_like(mean[:3]), where=mean[3:6] > 0.0)
    share[:, np.isnan(mean[0])] = np.nan
    coarse = Coarse.of(ground)
    share[0] *= _seen_higher(coarse, leo, found.tracks, usable, _lowest_standing(leo, links[0]), threads)
    # A dish kept to the higher satellites has less rain before each of them, but no more service for it.
    share[0], share[2] = np.minimum(share[0], share[1]), np.maximum(share[2], share[1])
    sensitivity = _sensitivity(coarse, usable, leo, found.tracks, seen, ground, threads) if sensitive else {}
    return LeoSky(leo.name, seen, share, mean[6], mean[7], density, place_of, edges, sensitivity)


def _lowest_standing(leo: Leo, link: Link) -> float:
    """Elevation from which the link is up under the clear sky, the rule's least or higher [degrees]; 89 for never."""
    elevation = np.arange(leo.min_elevation_deg.value, 89.0, 1.0)
    up = link.stands(elevation)
    return float(elevation[np.argmax(up)]) if up.any() else 89.0


def usable_of(leo: Leo, *, exclusion_deg: float | None = None, lowest_deg: float | None = None) -> Usable:
    """The scenario's rule of which satellites a dish may use."""
    return Usable(
        min_elevation_deg=leo.min_elevation_deg.value if lowest_deg is None else lowest_deg,
        gso_exclusion_deg=leo.gso_exclusion_deg.value if exclusion_deg is None else exclusion_deg,
        inter_satellite_links=leo.inter_satellite_links,
        gateway_deg=np.array(leo.gateways, np.float64).reshape(-1, 2),
        gateway_elevation_deg=leo.gateway_elevation_deg,
    )


def link_table(link: Link, nodes: Nodes, edges_deg: Array, exceedance_pct: float) -> Mask:
    """(3, E, R, C, Z) of a link: `links.figures` in the middle of each class of elevation, at every node."""
    latitude, height_km = nodes.flat
    middles = (edges_deg[:-1] + edges_deg[1:]) / 2.0
    rows = [figures(link, float(e), nodes.climate, latitude, height_km, exceedance_pct) for e in middles]
    return np.stack(rows, axis=1).reshape(3, len(middles), *nodes.latitude_deg.shape)


def terminal_at(
    ground: Ground, sky: LeoSky, settings: Satellite, found: Constellation, terminal: Terminal,
    row: NDArray[np.int64], col: NDArray[np.int64],
) -> Mask:  # fmt: skip
    """(3, N) WEATHER, DOWN and UP of another terminal at some cells of the ground, all figures as given."""
    link = leo_link(settings.leo, terminal, found.altitude_km, 0)
    table = link_table(link, ground.nodes, sky.edges_deg, settings.rate_exceedance_pct)
    mean = np.empty((3, 1, row.size), np.float32)
    averaged_over_sky(
        np.ascontiguousarray(ground.horizon[:, row, col][:, None]), sky.density, sky.place_of[row, col][None],
        sky.edges_deg, table, ground.at_row[row, col][None], ground.at_col[row, col][None],
        ground.at_height[row, col][None], mean,
    )  # fmt: skip
    return mean[:, 0]


def at_one_elevation(ground: Ground, table: Mask) -> Mask:
    """(K, H, W) of figures (K, 1, R, C, Z) of a satellite that stands still, between the nodes; NaN: unknown."""
    open_sky = np.where(ground.unknown, np.nan, np.float32(0.0)).astype(np.float32)[None]
    mean = np.empty((len(table), *open_sky.shape[1:]), np.float32)
    averaged_over_sky(
        open_sky, np.ones((1, 1, 1)), np.zeros(open_sky.shape[1:], np.int64), np.array([0.0, 90.0]), table,
        ground.at_row, ground.at_col, ground.at_height, mean,
    )  # fmt: skip
    return mean


def _averaged(ground: Ground, density: Array, place_of: NDArray[np.int64], edges_deg: Array, table: Mask) -> Mask:
    mean = np.empty((len(table), *ground.height_m.shape), np.float32)
    averaged_over_sky(
        ground.horizon, density, place_of, edges_deg, table, ground.at_row, ground.at_col, ground.at_height, mean
    )
    return mean


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """Some of the ground's cells, 2.5 km apart: enough for a mean over the area. Arrays (h, w)."""

    mask: Mask
    latitude_deg: Array
    longitude_deg: Array
    height_m: Mask
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, ground: Ground) -> Coarse:
        step = max(1, min(round(COARSE_KM * 1000.0 / ground.cell_m), min(ground.height_m.shape)))
        picked = (slice(step // 2, None, step), slice(step // 2, None, step))
        return cls(
            np.ascontiguousarray(ground.horizon[:, *picked]),
            np.ascontiguousarray(ground.latitude_deg[picked]),
            np.ascontiguousarray(ground.longitude_deg[picked]),
            ground.height_m[picked],
            ground.inside[picked] & ~ground.unknown[picked],
        )

    def seen(self, tracks: Tracks, usable: Usable, ring_deg: float, threads: int | None) -> float:
        """Mean availability behind the terrain and a ring."""
        found = visibility(
            tracks, usable, np.maximum(self.mask, np.float32(ring_deg)), self.latitude_deg, self.longitude_deg,
            height_m=self.height_m, threads=threads,
        )  # fmt: skip
        return float(np.mean(found.share_1[self.inside], dtype=np.float64)) if self.inside.any() else float("nan")


def _seen_higher(
    coarse: Coarse, leo: Leo, tracks: Tracks, usable: Usable, lowest_deg: float, threads: int | None
) -> np.float32:
    """What is left of the availability where the link is up only from a higher elevation."""
    if lowest_deg <= usable.min_elevation_deg:
        return np.float32(1.0)
    given = coarse.seen(tracks, usable, 0.0, threads)
    higher = coarse.seen(tracks, usable_of(leo, lowest_deg=lowest_deg), 0.0, threads)
    return np.float32(min(1.0, higher / given)) if given > 0.0 else np.float32(0.0)


def _sensitivity(
    coarse: Coarse, usable: Usable, leo: Leo, tracks: Tracks, seen: Visibility, ground: Ground, threads: int | None
) -> dict[str, float]:
    """Mean availability inside the area under other exclusion angles and under rings of trees."""
    whole = ground.inside & ~ground.unknown
    if not coarse.inside.any():
        return {}
    said = {"as given": float(np.mean(seen.share_1[whole], dtype=np.float64))}
    exclusion = leo.gso_exclusion_deg
    for angle in (exclusion.low, exclusion.high) if exclusion.band else ():
        other = replace(usable, gso_exclusion_deg=angle)
        said[f"exclusion {angle:g}"] = coarse.seen(tracks, other, 0.0, threads)
    for ring in RINGS_DEG:
        said[f"ring {ring:g}"] = coarse.seen(tracks, usable, ring, threads)
    return said
