"""Where the signal reaches but the capacity does not: busy-hour load by sector, site and hamlet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from phusong.coverage.capacity import SectorLoad, carried_people, sector_load, shared_people
from phusong.coverage.speed_classes import verdict
from phusong.data_sources.area import Part
from phusong.scenarios.demand import Demand
from phusong.scenarios.radio import Radio, Technology
from phusong.scenarios.service import Service, layer_levels_dbm
from phusong.scenarios.settings import Section
from phusong.scenarios.throughput import Rates, SectorRadio, Throughput, rates_of

NO_SIGNAL, SHORT, ENOUGH = "no-signal", "short", "enough"
KBIT_PER_GB = 8e6
DAYS_PER_MONTH = 30.0
SECONDS_PER_HOUR = 3600.0


class Capacity(Section):
    """[capacity]: what people ask of the network in the busy hour. Figures without another source are assumptions."""

    users_share: float = Field(0.6, gt=0, le=1, description="people who use mobile data (assumption, rural)")
    operator_share: dict[str, float] = Field(
        default_factory=dict, description="customers by operator; one not named has the mean of the named; empty: equal"
    )
    technology_share: dict[Technology, float] = Field(
        {"4G": 0.7, "5G": 0.3}, description="use by technology where all can be used (assumption)"
    )
    gb_per_user_month: float = Field(10.0, gt=0, description="downloaded by a user in a month (assumption, rural)")
    busy_hour_share: float = Field(0.08, gt=0, le=1, description="of a day's traffic that falls in its busiest hour")
    busy_hour_kbps_per_user: float | None = Field(
        None, gt=0, description="mean demand of a user in the busy hour; wins over the two keys before it"
    )
    max_utilisation: float = Field(0.7, gt=0, le=1, description="busier sectors count as overloaded (assumption)")
    limit_plan: bool = Field(
        False, description="clear a hamlet only where the options that are built can carry its busy hour, too"
    )

    @property
    def mbps_per_person(self) -> float:
        """Busy-hour demand of one of the people, users and others alike [Mbps]."""
        kbps = self.busy_hour_kbps_per_user
        if kbps is None:
            daily_kbit = self.gb_per_user_month * KBIT_PER_GB / DAYS_PER_MONTH
            kbps = daily_kbit * self.busy_hour_share / SECONDS_PER_HOUR
        return self.users_share * kbps / 1000.0

    def layer_weights(self, layers: tuple[tuple[str, str], ...]) -> NDArray[np.float64]:
        """(L,) share of the people who use each (operator, technology) layer where all can be used."""
        named = self.operator_share
        other = sum(named.values()) / len(named) if named else 1.0
        least = min(self.technology_share.values(), default=1.0)
        return np.array(
            [named.get(o, other) * self.technology_share.get(t, least) for o, t in layers],  # type: ignore[call-overload]
            dtype=np.float64,
        )


@dataclass(frozen=True, slots=True)
class CapacityTables:
    """Busy hour of one part.

    sectors : one row a sector: sector, site_id, operator, technology, band, people, slow_people, demand_mbps,
        capacity_mbps, utilisation, station_utilisation (all of the operator's technology at the site together),
        overloaded (of the station)
    sites   : one row a site: site_id, sectors, people, demand_mbps, capacity_mbps (of its sectors together),
        utilisation (of its busiest station), overloaded_sectors
    hamlets : one row a hamlet: hamlet_id, people (of the raster), people_served (by signal), people_carried (by sectors
        that are not overloaded), capacity "no-signal" | "short" | "enough", busiest_site (that serves it)
    speeds  : one row a hamlet and technology with signal there: hamlet_id, technology, people, download_mbps,
        upload_mbps, least_share, met, source: medians of one user alone in the sector against the norm
    """

    sectors: pd.DataFrame
    sites: pd.DataFrame
    hamlets: pd.DataFrame
    speeds: pd.DataFrame


def capacity_of(
    part: Part,
    demand: Demand,
    layers: tuple[tuple[str, str], ...],
    rsrp_dbm: NDArray[np.float32],
    server: NDArray[np.int32],
    of: SectorRadio,
    *,
    radio: Radio,
    service: Service,
    throughput: Throughput,
    settings: Capacity,
    channel_power_mw: NDArray[np.floating] | None = None,
    removed: NDArray[np.int64] | None = None,
) -> CapacityTables:
    """Busy hour of a network.

    layers           : (operator, technology) of the rasters
    rsrp_dbm, server : (L, H, W) best server of each layer, as `signal_map` gives them
    of               : the sectors that `server` numbers
    channel_power_mw : (K, H, W), see `rates_of`; None: the interference margin of [radio] stands for interference
    removed          : sectors that are no longer on air; left out of the tables
    People attach to every layer whose median reaches the technology's threshold, and load it, inside the area and
    around it; they are served where a level is reached with margins. The share of each layer is taken anew among those
    that reach a cell.
    """
    rc = np.argwhere(np.nan_to_num(part.people) > 0.0)
    at = (slice(None), rc[:, 0], rc[:, 1])
    levels, by = rsrp_dbm[at], np.ascontiguousarray(server[at])
    power = None if channel_power_mw is None else channel_power_mw[at]
    rates = rates_of(
        levels, by, of, throughput, channel_power_mw=power,
        interference_margin_db=radio.interference_margin_db,
    )  # fmt: skip
    people = part.people[rc[:, 0], rc[:, 1]].astype(np.float64)
    thresholds = np.array([radio.min_rsrp_dbm.get(t, np.inf) for _, t in layers])  # type: ignore[call-overload]
    with np.errstate(invalid="ignore"):
        attached = levels >= thresholds[:, None]
        served = np.asarray((levels >= layer_levels_dbm(layers, radio, service)[:, None]).any(axis=0))
    using = shared_people(people, attached, settings.layer_weights(layers))
    load = sector_load(by, using, rates.download_mbps, len(of), settings.mbps_per_person)
    station = station_utilisation(of, load)
    carried = carried_people(by, using, rates.download_mbps, station, settings.max_utilisation).sum(axis=0)
    on_air = np.setdiff1d(np.arange(len(of)), [] if removed is None else removed)
    sector_table = _sectors(of, load, station, settings.max_utilisation).iloc[on_air].reset_index(drop=True)
    hamlet = _hamlet_of_cells(part, demand)[rc[:, 0], rc[:, 1]]
    return CapacityTables(
        sectors=sector_table,
        sites=_sites(sector_table),
        hamlets=_hamlets(
            part, hamlet, people, served, carried * served, _busiest(by, attached, station, hamlet, demand.hamlets), of,
            service.served_share,
        ),
        speeds=_speeds(part, layers, hamlet, people, rates, throughput),
    )  # fmt: skip


def _hamlet_of_cells(part: Part, demand: Demand) -> NDArray[np.int32]:
    hamlet = np.full(part.people.shape, -1, dtype=np.int32)
    hamlet[demand.cell_rc[:, 0], demand.cell_rc[:, 1]] = demand.hamlet
    return hamlet


def station_utilisation(of: SectorRadio, load: SectorLoad) -> NDArray[np.float64]:
    """(S,) utilisation of each sector's station: one operator's technology at a site, all sectors and carriers.

    Phones are moved between carriers that reach them, so that they share the load; only those that somebody hears best
    count, against us.
    """
    keys = [f"{s}|{o}|{t}" for s, o, t in zip(of.site_id, of.operator, of.technology, strict=True)]
    _, station = np.unique(np.array(keys, dtype=str), return_inverse=True)
    demand = np.bincount(station, weights=load.demand_mbps)
    capacity = np.bincount(station, weights=np.nan_to_num(load.capacity_mbps))
    shared = np.divide(demand, capacity, out=np.zeros(len(demand)), where=capacity > 0.0)
    return np.asarray(shared[station])


def _sectors(of: SectorRadio, load: SectorLoad, station: NDArray[np.float64], max_utilisation: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sector": np.arange(len(of)), "site_id": of.site_id, "operator": of.operator, "technology": of.technology,
            "band": of.band, "people": load.people, "slow_people": load.slow_people, "demand_mbps": load.demand_mbps,
            "capacity_mbps": load.capacity_mbps, "utilisation": load.utilisation,
            "station_utilisation": station, "overloaded": station > max_utilisation,
        }
    )  # fmt: skip


def _sites(sectors: pd.DataFrame) -> pd.DataFrame:
    return sectors.groupby("site_id", sort=True, as_index=False).agg(
        sectors=("sector", "size"), people=("people", "sum"), demand_mbps=("demand_mbps", "sum"),
        capacity_mbps=("capacity_mbps", "sum"), utilisation=("station_utilisation", "max"),
        overloaded_sectors=("overloaded", "sum"),
    )  # fmt: skip


def _busiest(
    server: NDArray[np.int32],
    attached: NDArray[np.bool_],
    utilisation: NDArray[np.float64],
    hamlet: NDArray[np.int32],
    hamlets: int,
) -> NDArray[np.int64]:
    """(H,) busiest sector that people of each hamlet use, the lowest number where several are; -1 none."""
    layer, cell = np.nonzero(attached & (hamlet >= 0)[None, :])
    sector, whose = server[layer, cell], hamlet[cell]
    order = np.lexsort((sector, -utilisation[sector], whose))
    owners, first = np.unique(whose[order], return_index=True)
    busiest = np.full(hamlets, -1, dtype=np.int64)
    busiest[owners] = sector[order][first]
    return busiest


def _hamlets(
    part: Part, hamlet: NDArray[np.int32], people: NDArray[np.float64], served: NDArray[np.bool_],
    carried: NDArray[np.float64], busiest: NDArray[np.int64], of: SectorRadio, served_share: float,
) -> pd.DataFrame:  # fmt: skip
    inside = hamlet >= 0

    def total(amount: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(hamlet[inside], weights=amount[inside], minlength=len(busiest)).astype(np.float64)

    by_signal, by_capacity = total(people * served), total(carried)
    # A hair of slack: the shares of the layers add up to the people but for rounding.
    enough = by_capacity >= served_share * by_signal - 1e-6
    return pd.DataFrame(
        {
            "hamlet_id": part.layers.hamlets["hamlet_id"].to_numpy(), "people": total(people),
            "people_served": by_signal, "people_carried": by_capacity,
            "capacity": np.where(by_signal <= 0.0, NO_SIGNAL, np.where(enough, ENOUGH, SHORT)),
            "busiest_site": [of.site_id[s] if s >= 0 else None for s in busiest],
        }
    )  # fmt: skip


def _speeds(
    part: Part, layers: tuple[tuple[str, str], ...], hamlet: NDArray[np.int32], people: NDArray[np.float64],
    rates: Rates, throughput: Throughput,
) -> pd.DataFrame:  # fmt: skip
    """Each cell at the operator whose download is fastest there, by technology."""
    names = part.layers.hamlets["hamlet_id"].to_numpy()
    cells_of = [np.flatnonzero(hamlet == number) for number in range(len(names))]
    rows = []
    for technology, speeds in throughput.norms.items():
        mine = [i for i, (_, t) in enumerate(layers) if t == technology]
        if not mine:
            continue
        down = np.nan_to_num(rates.download_mbps[mine], nan=-1.0)
        fastest = np.take_along_axis(down, down.argmax(axis=0)[None], axis=0)[0]
        up = np.take_along_axis(rates.upload_mbps[mine], down.argmax(axis=0)[None], axis=0)[0]
        for name, cells in zip(names, cells_of, strict=True):
            if not (fastest[cells] >= 0.0).any():
                continue
            result = verdict(np.maximum(fastest[cells], 0.0), up[cells], people[cells], speeds.norm())
            rows.append(
                (name, technology, people[cells].sum(), result.download_mbps, result.upload_mbps, result.least_share,
                 result.met, speeds.source)
            )  # fmt: skip
    columns = ("hamlet_id", "technology", "people", "download_mbps", "upload_mbps", "least_share", "met", "source")
    return pd.DataFrame(rows, columns=list(columns))
