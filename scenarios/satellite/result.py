"""The satellite step of a run: the sky of every part, who gets broadband, and the figures and words that go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from phusong.data_sources.area import Area, Finding, InputFile, Part
from phusong.scenarios.demand import build_demand
from phusong.scenarios.outputs.result import SYNTHETIC_LABEL
from phusong.scenarios.satellite.climate import ClimateAt, climate_of
from phusong.scenarios.satellite.elements import Constellation, constellation
from phusong.scenarios.satellite.figures import satellite_summary
from phusong.scenarios.satellite.geo import GeoSky, best_of, geo_skies
from phusong.scenarios.satellite.ground import Ground, Mask, lay_ground
from phusong.scenarios.satellite.homes import area_shares, homes, licensed
from phusong.scenarios.satellite.phones import PhoneSky, phone_sky
from phusong.scenarios.satellite.service import PartService, part_service
from phusong.scenarios.satellite.sky import LeoSky, leo_sky
from phusong.scenarios.scenario import Scenario

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class PartSky:
    """All that is overhead of one part. leo and found are None, geo is empty, where the scenario asks for none."""

    part: Part
    ground: Ground
    found: Constellation | None
    leo: LeoSky | None
    geo: tuple[GeoSky, ...]
    phones: PhoneSky | None
    climate_at: ClimateAt

    @property
    def best_geo(self) -> GeoSky | None:
        return best_of(self.geo) if self.geo else None


@dataclass(frozen=True, slots=True, eq=False)
class PartLayers:
    """Rasters of one part by name, each (H, W) float32 with NaN where the terrain is unknown.

    availability : share of the time with a LEO satellite in view;  rain_limited: and the link up
    obstruction  : share of the usable sky that terrain hides
    rate         : [Mbps] that a household sees in the busy hour while it is active
    geo_rain_limited : share of the time with the link to the geostationary satellite up
    phones       : share of the time with a satellite for phones whose link stands
    """

    name: str
    box: GeoBox
    inside: NDArray[np.bool_]
    rasters: Mapping[str, Mask]


@dataclass(frozen=True, slots=True, eq=False)
class SatelliteResult:
    """What the satellite step shows.

    hamlets : `service.HAMLET_COLUMNS`, and phones_availability where phones are asked for
    cells   : service cells: service_cell, part, latitude_deg, longitude_deg, area_km2, households, terminals,
        most_terminals, most_terminals_low, most_terminals_high (its band), down_mbps, up_mbps, rate_mbps,
        uplink_binds, saturated, edge
    summary : figures and texts as in satellite.json; `paragraph` by language
    """

    name: str
    synthetic: tuple[str, ...]
    parts: tuple[PartLayers, ...]
    hamlets: pd.DataFrame
    cells: pd.DataFrame
    summary: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    files: tuple[InputFile, ...] = ()

    @property
    def label(self) -> str:
        """The words that every output of synthetic inputs carries; empty when all are real."""
        return SYNTHETIC_LABEL if self.synthetic else ""


def satellite_skies(
    scenario: Scenario, area: Area, base: Path, on_progress: Progress | None = None, today: date | None = None
) -> tuple[PartSky, ...]:
    """The sky over every part. `base` is the data folder; today: see `constellation`.

    Raises SkyEmpty, ClimateUnknown, and what files of element sets and of maps raise.
    """
    settings, threads = scenario.satellite, scenario.solver.threads
    climate_at = climate_of(settings.climate, base)
    found = constellation(settings, base, today) if settings.leo.enabled else None
    skies = []
    for number, part in enumerate(area.parts):
        if on_progress is not None:
            on_progress("satellite", number, len(area.parts))
        ground = lay_ground(part, settings, climate_at, threads)
        leo = None if found is None else leo_sky(ground, settings, found, threads)
        geo = geo_skies(ground, settings) if settings.geo.enabled else ()
        wanted = found is not None and settings.direct_to_device.enabled
        phones = phone_sky(ground, settings, found, threads) if wanted and found is not None else None
        skies.append(PartSky(part, ground, found, leo, geo, phones, climate_at))
    if on_progress is not None:
        on_progress("satellite", len(area.parts), len(area.parts))
    return tuple(skies)


def satellite_result(
    scenario: Scenario, skies: Sequence[PartSky], low: Sequence[NDArray[np.bool_]] | None = None
) -> SatelliteResult:
    """Who gets broadband by satellite, and all that is shown of it.

    low : per part (H,) the low-signal hamlets, which alone are asked; None: mobile signal was not looked at, all are
    """
    settings, grounds = scenario.satellite, [sky.ground for sky in skies]
    shares = area_shares(grounds)
    # Whole terminals that add up to the area's.
    ends = np.rint(np.cumsum(shares) * licensed(settings, grounds, scenario.service.household_people)).astype(np.int64)
    licences = np.diff(np.concatenate([[0], ends]))
    services = []
    for number, sky in enumerate(skies):
        demand = build_demand(sky.part, scenario.service)
        people_home = homes(sky.part, sky.ground, demand, scenario.service, None if low is None else low[number])
        altitude_km = sky.found.altitude_km if sky.found is not None else 0.0
        services.append(
            (
                part_service(
                    sky.part, sky.ground, sky.leo, sky.best_geo, settings, scenario.service, sky.climate_at,
                    altitude_km, people_home, int(licences[number]), float(shares[number]),
                ),
                None if sky.phones is None else people_home.mean(sky.phones.availability),
            )
        )  # fmt: skip
    tables = []
    for service, phones in services:
        tables.append(service.hamlets if phones is None else service.hamlets.assign(phones_availability=phones))
    hamlets = pd.concat(tables, ignore_index=True)
    cells = pd.concat(
        [_cells_table(sky, service) for sky, (service, _) in zip(skies, services, strict=True)], ignore_index=True
    )
    found = next((sky.found for sky in skies if sky.found is not None), None)
    summary = satellite_summary(scenario, skies, [service for service, _ in services], hamlets, cells)
    return SatelliteResult(
        scenario.scenario.name,
        tuple(scenario.data.synthetic),
        tuple(_layers(sky, service) for sky, (service, _) in zip(skies, services, strict=True)),
        hamlets,
        cells,
        summary,
        () if found is None else found.findings,
        () if found is None else found.files,
    )


def _layers(sky: PartSky, service: PartService) -> PartLayers:
    rasters: dict[str, Mask] = {}
    if sky.leo is not None:
        rasters |= {
            "availability": sky.leo.availability, "rain_limited": sky.leo.rain_limited(),
            "obstruction": sky.leo.seen.obstructed, "rate": service.rate_mbps,
        }  # fmt: skip
    if sky.best_geo is not None:
        rasters["geo_rain_limited"] = sky.best_geo.rain_limited()
    if sky.phones is not None:
        rasters["phones"] = sky.phones.availability
    return PartLayers(sky.part.name, sky.ground.box, sky.ground.inside, rasters)


def _cells_table(sky: PartSky, service: PartService) -> pd.DataFrame:
    columns = ["service_cell", "part", "latitude_deg", "longitude_deg", "area_km2", "households", "terminals",
               "most_terminals", "most_terminals_low", "most_terminals_high", "down_mbps", "up_mbps", "rate_mbps",
               "uplink_binds", "saturated", "edge"]  # fmt: skip
    cells = service.cells
    if cells is None:
        return pd.DataFrame(columns=columns)
    capacity = service.capacity[1]
    return pd.DataFrame(
        {
            "service_cell": [f"{int(index):x}" for index in cells.index], "part": sky.part.name,
            "latitude_deg": cells.latitude_deg, "longitude_deg": cells.longitude_deg, "area_km2": cells.area_km2,
            "households": cells.households, "terminals": service.terminals,
            "most_terminals": capacity.most_terminals,
            "most_terminals_low": service.capacity[0].most_terminals,
            "most_terminals_high": service.capacity[2].most_terminals,
            "down_mbps": capacity.down_mbps, "up_mbps": capacity.up_mbps,
            "rate_mbps": service.cell_rate_mbps, "uplink_binds": capacity.uplink_binds,
            "saturated": capacity.saturated, "edge": cells.edge,
        },
        columns=columns,
    )  # fmt: skip
