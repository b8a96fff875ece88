"""Which hamlets get broadband by satellite: sky, rain, room in the service cell and under the licence, all at once.

A dish gives a household broadband. It never clears a hamlet: that takes mobile signal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.coverage.satellite.attenuation.slant import slant_loss_db
from phusong.coverage.satellite.capacity import (
    Carriers,
    CellCapacity,
    Fleet,
    Offer,
    cell_capacity,
    exceeded_elevation_deg,
)
from phusong.coverage.satellite.modcods import DVB_S2X
from phusong.coverage.satellite.served_together import CELL_FULL, LICENCE_FULL, NO_CELL, served_together
from phusong.coverage.satellite.service_cells import ServiceCells, service_cells
from phusong.data_sources.area import Part
from phusong.scenarios.satellite.climate import ClimateAt
from phusong.scenarios.satellite.geo import GeoSky
from phusong.scenarios.satellite.ground import Ground, Mask
from phusong.scenarios.satellite.homes import Homes
from phusong.scenarios.satellite.links import HIGH, LOW, SIDES, leo_link
from phusong.scenarios.satellite.settings import Figure, Leo, Satellite
from phusong.scenarios.satellite.sky import LeoSky
from phusong.scenarios.service import Service

LEO, GEO, NONE, NOT_ASKED = "leo", "geo", "none", "not-asked"
WHY = {NO_CELL: "no-sky", CELL_FULL: "cell-full", LICENCE_FULL: "licence-full"}
HAMLET_COLUMNS = (
    "hamlet_id", "name", "commune", "part", "people", "households", "low_signal", "broadband", "broadband_share",
    "broadband_households", "rate_mbps", "availability", "why", "leo_availability", "leo_rain_limited",
    "leo_rain_limited_low", "leo_rain_limited_high", "obstructed", "leo_rate_mbps",
    "leo_clear_share", "service_cell", "geo_satellite", "geo_elevation_deg", "geo_visible_share",
    "geo_rain_limited", "geo_rain_limited_low", "geo_rain_limited_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class PartService:
    """Capacity and outcome in one part.

    cells      : service cells of the constellation; None without one
    capacity   : of the cells with the link's band against us, as given and for us; () without a constellation
    terminals  : (N,) that the cells are asked to take: those of the hamlets and of all other subscribers
    cell_rate_mbps : (N,) that an active terminal sees in the busy hour
    rate_mbps  : (H, W) that a household sees in the busy hour while it is active; 0 without a sky, NaN: unknown
    licence    : terminals that the licence leaves for this part
    hamlets    : one row a hamlet, HAMLET_COLUMNS; `broadband` "leo" | "geo" | "none" | "not-asked" (has mobile signal)
    """

    cells: ServiceCells | None
    capacity: tuple[CellCapacity, ...]
    terminals: NDArray[np.float64]
    cell_rate_mbps: NDArray[np.float64]
    rate_mbps: Mask
    licence: int
    hamlets: pd.DataFrame


def part_service(
    part: Part, ground: Ground, sky: LeoSky | None, geo: GeoSky | None, settings: Satellite, service: Service,
    climate_at: ClimateAt, altitude_km: float, people_home: Homes, licence: int, area_share: float,
) -> PartService:  # fmt: skip
    """Room and rates of the constellation's service cells, then who gets broadband by what.

    licence    : terminals of the area that this part may have, see `licensed`
    area_share : of the leased transponders, for this part
    """
    if sky is None:
        rate = np.where(ground.unknown, np.nan, 0.0).astype(np.float32)
        hamlets = _hamlets(part, ground, None, geo, settings, people_home, None, (), np.empty(0), 0, area_share)
        return PartService(None, (), np.empty(0), np.empty(0), rate, 0, hamlets)
    cells = service_cells(
        ground.latitude_deg, ground.longitude_deg, ground.people, household_size=service.household_people,
        resolution=settings.leo.h3_resolution,
    )  # fmt: skip
    terminals = _asked_terminals(cells, settings.leo, people_home)
    capacity = tuple(
        _capacity(cells, terminals, ground, sky, settings, climate_at, altitude_km, side) for side in SIDES
    )
    cell_rate = busy_rate_mbps(capacity[1], settings.leo)
    rate = _rate_raster(ground, sky, settings, cells, cell_rate)
    hamlets = _hamlets(part, ground, sky, geo, settings, people_home, cells, capacity, terminals, licence, area_share)
    return PartService(cells, capacity, terminals, cell_rate, rate, licence, hamlets)


def _asked_terminals(cells: ServiceCells, leo: Leo, people_home: Homes) -> NDArray[np.float64]:
    """(N,) subscribers in the asked hamlets and among all other households; at least one a cell."""
    inside = _terminals_of_hamlets(cells, leo, people_home)
    households = inside / leo.hamlet_take_up
    return np.maximum(inside + np.maximum(cells.households - households, 0.0) * leo.other_take_up, 1.0)


def _terminals_of_hamlets(cells: ServiceCells, leo: Leo, people_home: Homes) -> NDArray[np.float64]:
    """(N,) terminals of the asked hamlets in each cell."""
    own = _cell_of_hamlets(cells, people_home)
    wanted = people_home.asked & (own >= 0)
    return np.bincount(own[wanted], leo.hamlet_take_up * people_home.households[wanted], len(cells)).astype(np.float64)


def _cell_of_hamlets(cells: ServiceCells, people_home: Homes) -> NDArray[np.int64]:
    """(H,) the service cell in which most of a hamlet's people live; -1 none."""
    found = np.full(len(people_home.households), -1, np.int64)
    at = cells.of_cell[people_home.row, people_home.col]
    table = pd.DataFrame({"hamlet": people_home.hamlet, "cell": at, "weight": people_home.weight})
    by = table[table["cell"] >= 0].groupby(["hamlet", "cell"], sort=True)["weight"].sum().reset_index()
    first = by.sort_values(["hamlet", "weight", "cell"], ascending=[True, False, True]).drop_duplicates("hamlet")
    found[first["hamlet"].to_numpy()] = first["cell"].to_numpy()
    return found


def _side(figure: Figure, side: int) -> float:
    return figure.value + side * figure.band


def _capacity(
    cells: ServiceCells, terminals: NDArray[np.float64], ground: Ground, sky: LeoSky, settings: Satellite,
    climate_at: ClimateAt, altitude_km: float, side: int,
) -> CellCapacity:  # fmt: skip
    """Of each service cell, with every uncertain figure on one side of its band."""
    leo, link = settings.leo, leo_link(settings.leo, settings.leo.household, altitude_km, side)
    down, up = (
        Carriers(
            link=space, channels=channels, channel_mhz=carrier.bandwidth_mhz, modcods=DVB_S2X,
            beams_per_satellite=_side(beams, side), overhead=leo.overhead, margin_db=link.modem_margin_db,
        )
        for space, channels, carrier, beams in (
            (link.down, leo.channels, leo.down, leo.beams_per_satellite),
            (link.up, leo.up_channels, leo.up, leo.up_beams_per_satellite),
        )
    )  # fmt: skip
    counts = sky.seen.count_p5 if side == LOW else sky.seen.count_p50
    fleet = Fleet(
        in_view=np.nan_to_num(_by_cell(cells, counts)), altitude_km=altitude_km,
        min_elevation_deg=leo.min_elevation_deg.value, served_share=_side(leo.footprint_share, -side),
    )  # fmt: skip
    offer = Offer(
        down_mbps=leo.committed_down_mbps, up_mbps=leo.committed_up_mbps, contention=leo.contention,
        peak_down_mbps=leo.household.rate_down_mbps, peak_up_mbps=leo.household.rate_up_mbps,
    )  # fmt: skip
    elevation = _median_elevation(cells, ground, sky)
    height_km = np.nan_to_num(_by_cell(cells, ground.height_m)) / 1000.0
    climate = climate_at(cells.latitude_deg, cells.longitude_deg, height_km)
    known = np.where(np.isfinite(elevation), elevation, 90.0)
    loss_down, loss_up = (
        slant_loss_db(
            space.frequency_ghz, known, settings.rate_exceedance_pct, climate, cells.latitude_deg, height_km, link.dish
        ).total_db
        for space in (link.down, link.up)
    )
    return cell_capacity(
        replace(cells, households=terminals), down, up, offer, fleet, elevation, schedulable=leo.schedulable,
        air_loss_down_db=loss_down, air_loss_up_db=loss_up,
    )  # fmt: skip


def _by_cell(cells: ServiceCells, raster: Mask) -> NDArray[np.float64]:
    """(N,) mean of a raster's known values in each service cell; NaN where none is known."""
    known = (cells.of_cell >= 0) & np.isfinite(raster)
    total = np.bincount(cells.of_cell[known], raster[known].astype(np.float64), len(cells))
    count = np.bincount(cells.of_cell[known], minlength=len(cells))
    return np.asarray(np.divide(total, count, out=np.full(len(cells), np.nan), where=count > 0))


def _median_elevation(cells: ServiceCells, ground: Ground, sky: LeoSky) -> NDArray[np.float64]:
    """(N,) elevation that half of the usable satellites stand at or above, the sky open; NaN where there is none."""
    middles = (sky.edges_deg[:-1] + sky.edges_deg[1:]) / 2.0
    by_place = sky.density.sum(axis=1).T
    total = by_place.sum(axis=0)
    shares = np.divide(by_place, total, out=np.zeros_like(by_place), where=total > 0.0)
    kept = exceeded_elevation_deg(middles, shares, 0.5)
    first = np.full(len(cells), -1, np.int64)
    placed = cells.of_cell.ravel() >= 0
    index, where = np.unique(cells.of_cell.ravel()[placed], return_index=True)
    first[index] = sky.place_of.ravel()[placed][where]
    nowhere = np.nan_to_num(_by_cell(cells, sky.seen.share_1)) <= 0.0
    return np.where(nowhere, np.nan, kept[first])


def busy_rate_mbps(capacity: CellCapacity, leo: Leo) -> NDArray[np.float64]:
    """(N,) that an active terminal sees in the busy hour, with no more terminals in the cell than it can take."""
    admitted = np.minimum(capacity.terminals, capacity.most_terminals)
    rate = np.divide(capacity.down_mbps * leo.contention, admitted, out=np.zeros(len(admitted)), where=admitted > 0.0)
    return np.minimum(rate, leo.household.rate_down_mbps)


def _rate_raster(
    ground: Ground, sky: LeoSky, settings: Satellite, cells: ServiceCells, rate_mbps: NDArray[np.float64]
) -> Mask:
    """(H, W) the service cell's rate, at most what the dish's own link carries behind its mask."""
    leo = settings.leo
    own = np.nan_to_num(sky.down_bps) * leo.down.bandwidth_mhz * (1.0 - leo.overhead)
    shared = np.where(cells.of_cell >= 0, np.append(rate_mbps, 0.0)[cells.of_cell], 0.0)
    rate = np.where(np.nan_to_num(sky.seen.share_1) > 0.0, np.minimum(shared, own), 0.0)
    return np.where(ground.unknown, np.nan, rate).astype(np.float32)


def _hamlets(
    part: Part, ground: Ground, sky: LeoSky | None, geo: GeoSky | None, settings: Satellite, people_home: Homes,
    cells: ServiceCells | None, capacity: tuple[CellCapacity, ...], terminals: NDArray[np.float64], licence: int,
    area_share: float,
) -> pd.DataFrame:  # fmt: skip
    frame, count = part.layers.hamlets, len(people_home.households)
    nothing, zero = np.full(count, np.nan), np.zeros(count)
    table: dict[str, object] = {
        "hamlet_id": frame["hamlet_id"].astype(str).to_numpy(), "name": frame["name"].to_numpy(dtype=object),
        "commune": frame["commune"].to_numpy(dtype=object), "part": np.full(count, part.name, object),
        "people": frame["population"].to_numpy(dtype=np.float64), "households": people_home.households,
        "low_signal": np.full(count, None, object) if people_home.low is None else people_home.low.astype(object),
    }  # fmt: skip
    leo_households, leo_why = zero, np.full(count, "", object)
    leo_rate, leo_rain = nothing, nothing
    for column in HAMLET_COLUMNS[7:]:
        table[column] = nothing
    table["service_cell"] = table["geo_satellite"] = np.full(count, None, object)
    if sky is not None and cells is not None:
        own = _cell_of_hamlets(cells, people_home)
        leo_rate = np.append(busy_rate_mbps(capacity[1], settings.leo), np.nan)[own]
        leo_rain = people_home.mean(sky.rain_limited())
        clear = people_home.mean(np.where(ground.unknown, np.nan, sky.rain_limited() >= settings.least_availability))
        leo_households, leo_why = _leo_households(
            cells, capacity[1], terminals, settings, people_home, own, np.nan_to_num(clear), leo_rate, licence
        )
        table |= {
            "leo_availability": people_home.mean(sky.availability), "leo_rain_limited": leo_rain,
            "leo_rain_limited_low": people_home.mean(sky.rain_limited(LOW)),
            "leo_rain_limited_high": people_home.mean(sky.rain_limited(HIGH)),
            "obstructed": people_home.mean(sky.seen.obstructed),
            "leo_rate_mbps": leo_rate, "leo_clear_share": clear, "service_cell": _named(cells, own),
        }  # fmt: skip
    geo_households, geo_rain = zero, nothing
    if geo is not None:
        geo_rain = people_home.mean(geo.rain_limited())
        geo_households = _geo_households(ground, geo, settings, people_home, leo_households, area_share)
        table |= {
            "geo_satellite": np.full(count, geo.name, object),
            "geo_elevation_deg": people_home.mean(geo.seen.elevation_deg),
            "geo_visible_share": people_home.mean(np.where(ground.unknown, np.nan, geo.seen.visible)),
            "geo_rain_limited": geo_rain, "geo_rain_limited_low": people_home.mean(geo.rain_limited(LOW)),
            "geo_rain_limited_high": people_home.mean(geo.rain_limited(HIGH)),
        }  # fmt: skip
    by_leo, by_geo = leo_households > 0.0, (leo_households <= 0.0) & (geo_households > 0.0)
    asked = people_home.asked
    given = np.where(by_leo, leo_households, np.where(by_geo, geo_households, 0.0))
    table |= {
        "broadband": np.select([~asked, by_leo, by_geo], [NOT_ASKED, LEO, GEO], NONE).astype(object),
        "broadband_households": given, "broadband_share": given / people_home.households,
        "rate_mbps": np.select([by_leo, by_geo], [leo_rate, settings.geo.household.rate_down_mbps], np.nan),
        "availability": np.select([by_leo, by_geo], [leo_rain, geo_rain], np.nan),
        "why": np.where(asked & ~by_leo, leo_why, "").astype(object),
    }  # fmt: skip
    return pd.DataFrame({column: table[column] for column in HAMLET_COLUMNS})


def _named(cells: ServiceCells, own: NDArray[np.int64]) -> NDArray[np.object_]:
    """H3's own way of writing an index."""
    return np.array([None if c < 0 else f"{int(cells.index[c]):x}" for c in own.tolist()], dtype=object)


def _leo_households(
    cells: ServiceCells, capacity: CellCapacity, terminals: NDArray[np.float64], settings: Satellite,
    people_home: Homes, own: NDArray[np.int64], clear: NDArray[np.float64], rate_mbps: NDArray[np.float64],
    licence: int,
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:  # fmt: skip
    """Households of each hamlet with LEO broadband, and why none has; as many hamlets as can be, each in whole."""
    asked = np.flatnonzero(people_home.asked)
    # Rounded up, so that even the smallest hamlet asks for one; never more than have the sky for it.
    with_sky = np.floor(people_home.households * clear + 1e-9)
    wanted = np.minimum(np.ceil(people_home.households * settings.leo.hamlet_take_up - 1e-9), with_sky).astype(np.int64)
    able = (wanted > 0) & (np.nan_to_num(rate_mbps) >= settings.least_rate_mbps)
    others = np.maximum(terminals - _terminals_of_hamlets(cells, settings.leo, people_home), 0.0)
    room = np.maximum(capacity.most_terminals - others, 0.0)
    places = np.where(able, own, -1)
    together = served_together(wanted[asked], places[asked], np.floor(room), licence)
    given, why = np.zeros(len(wanted)), np.full(len(wanted), "", object)
    given[asked] = np.where(together.served, wanted[asked], 0.0)
    why[asked] = [WHY.get(int(code), "") for code in together.why]
    why[asked[(wanted[asked] > 0) & ~able[asked]]] = "too-slow"
    return given, why


def _geo_households(
    ground: Ground, geo: GeoSky, settings: Satellite, people_home: Homes, leo_households: NDArray[np.float64],
    area_share: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Households with GEO broadband in the hamlets that LEO leaves, as the leased transponders allow."""
    space = settings.geo
    reached = (geo.rain_limited() >= settings.least_availability) & (geo.up_bps > 0.0)
    clear = np.nan_to_num(people_home.mean(np.where(ground.unknown, np.nan, reached)))
    bits = people_home.mean(np.where(reached, geo.down_bps, np.nan))
    mbps = float(np.nanmedian(bits)) * space.down.bandwidth_mhz * space.transponders if np.isfinite(bits).any() else 0.0
    room = int(area_share * mbps * space.contention / space.household.rate_down_mbps)
    wanted = np.floor(people_home.households * clear * settings.leo.hamlet_take_up + 1e-9).astype(np.int64)
    able = people_home.asked & (wanted > 0) & (leo_households <= 0.0)
    together = served_together(wanted, np.where(able, 0, -1), np.array([room]))
    return np.where(together.served, wanted, 0).astype(np.float64)
