"""Geostationary satellites over one part: above the terrain or not, and how much of the time the rain leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.satellite.attenuation.slant import LOWEST_ELEVATION_DEG
from phusong.coverage.satellite.frames import GEOSTATIONARY_KM, look_angles
from phusong.coverage.satellite.geostationary import Geostationary, geostationary
from phusong.scenarios.satellite.ground import Ground, Mask, Nodes
from phusong.scenarios.satellite.links import SIDES, WEATHER, Link, figures, geo_link
from phusong.scenarios.satellite.settings import Satellite
from phusong.scenarios.satellite.sky import at_one_elevation

ELEVATION_STEP_DEG = 0.25  # places whose satellite stands as high to this are computed together


@dataclass(frozen=True, slots=True, eq=False)
class GeoSky:
    """One geostationary satellite over a part; rasters (H, W), NaN where the terrain is unknown.

    weather : (3, H, W) share of the time that a household's link stands the weather: its band against us, as given, and
        for us
    down_bps, up_bps : bits a symbol of a household's link in weather exceeded for `rate_exceedance_pct`
    site_weather, site_down_bps, site_up_bps : of a base station's dish
    """

    name: str
    longitude_deg: float
    seen: Geostationary
    weather: Mask
    down_bps: Mask
    up_bps: Mask
    site_weather: Mask
    site_down_bps: Mask
    site_up_bps: Mask

    def rain_limited(self, side: int = 0) -> Mask:
        """Share of all time with the link up: 0 behind the terrain; side as in `links.SIDES`."""
        return np.where(
            np.isnan(self.weather[1]), np.nan, np.where(self.seen.visible, self.weather[side + 1], 0.0)
        ).astype(np.float32)


def geo_skies(ground: Ground, settings: Satellite) -> tuple[GeoSky, ...]:
    """Each of the scenario's geostationary satellites, in its order."""
    return tuple(_sky(ground, settings, name, lon) for name, lon in settings.geo.satellites.items())


def best_of(skies: tuple[GeoSky, ...]) -> GeoSky:
    """The one that most cells see, the first of equals."""
    return max(skies, key=lambda sky: int(sky.seen.visible.sum()))


def _sky(ground: Ground, settings: Satellite, name: str, longitude_deg: float) -> GeoSky:
    geo = settings.geo
    seen = geostationary(
        longitude_deg, ground.horizon, ground.latitude_deg, ground.longitude_deg,
        min_elevation_deg=geo.min_elevation_deg, height_m=np.nan_to_num(ground.height_m),
    )  # fmt: skip
    nodes, pct = ground.nodes, settings.rate_exceedance_pct
    elevation = _elevations(nodes, longitude_deg)
    household = [_at_nodes(geo_link(geo, geo.household, side), nodes, elevation, pct) for side in SIDES]
    site = _at_nodes(geo_link(geo, geo.site, 0), nodes, elevation, pct)
    table = np.concatenate([np.stack([one[WEATHER] for one in household]), household[1][1:], site])
    mean = at_one_elevation(ground, table[:, None])
    return GeoSky(name, longitude_deg, seen, mean[:3], *mean[3:])


def _elevations(nodes: Nodes, longitude_deg: float) -> NDArray[np.float64]:
    over = np.radians(longitude_deg)
    satellite_km = GEOSTATIONARY_KM * np.array([np.cos(over), np.sin(over), 0.0])
    return look_angles(nodes.latitude_deg, nodes.longitude_deg, 1000.0 * nodes.height_km, satellite_km)[1]


def _at_nodes(link: Link, nodes: Nodes, elevation_deg: NDArray[np.float64], exceedance_pct: float) -> Mask:
    """(3, R, C, Z) `links.figures` of every node, at its own elevation to a quarter of a degree; 0 below 5 degrees."""
    step = np.rint(elevation_deg.ravel() / ELEVATION_STEP_DEG).astype(np.int64)
    latitude, height_km = nodes.flat
    found = np.zeros((3, step.size), np.float32)
    for level in np.unique(step).tolist():
        elevation = level * ELEVATION_STEP_DEG
        if elevation < LOWEST_ELEVATION_DEG:
            continue
        some = step == level
        found[:, some] = figures(link, elevation, nodes.at(some), latitude[some], height_km[some], exceedance_pct)
    return found.reshape(3, *nodes.latitude_deg.shape)
