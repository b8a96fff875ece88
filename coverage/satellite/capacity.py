"""What a constellation in low orbit can carry over an area: channels, beams and rates of each service cell.

Operators publish few of these numbers: each is the caller's, with a band. More channels, beams, satellites or
power never take from the household that is served worst; another may lose what its neighbour gains.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, pi, radians

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.link import EARTH_RADIUS_KM, SpaceLink
from phusong.coverage.satellite.modcods import Modcods, efficiency_bps
from phusong.coverage.satellite.service_cells import ServiceCells
from phusong.coverage.satellite.sharing import conflict_groups, max_min_share

REUSES = (1, 3, 4, 7, 9, 12)  # i^2 + i j + j^2: cells of a hexagonal pattern; 1: every cell has all channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """Channels of one direction, alike on every satellite.

    link        : of one channel; its noise is counted in the channel's symbols
    channels    : that do not disturb each other in one place, 1 or more (public estimates of Starlink's Ku band: 8 of
                  240 MHz down, 8 of 62.5 MHz up; Pekhterev, SatMagazine, November 2021)
    channel_mhz : of one, above 0 [MHz]
    modcods     : `DVB_S2X`, `NR_NTN` or `NR_NTN_LOW`
    beams_per_satellite : channels that one satellite transmits or hears at once, over all cells, above 0
    overhead    : share of a channel's bandwidth and time without user data: roll-off, pilots, guard; 0 to 0.9
    margin_db   : kept above every threshold: modem, interference of other cells [dB]
    Raises ValueOutOfRange.
    """

    link: SpaceLink
    channels: int
    channel_mhz: float
    modcods: Modcods
    beams_per_satellite: float
    overhead: float = 0.1
    margin_db: float = 0.0

    def __post_init__(self) -> None:
        require_range("a satellite's carriers", "channels", self.channels, 1, 1000, "")
        require_range("a satellite's carriers", "channel_mhz", self.channel_mhz, 0.0, 5000.0, "MHz", open_ends=True)
        require_range("a satellite's carriers", "beams_per_satellite", self.beams_per_satellite, 0.0, 1e5, "")
        require_range("a satellite's carriers", "overhead", self.overhead, 0.0, 0.9, "")

    def efficiency_bps_hz(self, elevation_deg: ArrayLike, air_loss_db: ArrayLike = 0.0) -> NDArray[np.float64]:
        """User data of a hertz of the channel [bit/s/Hz]; both broadcast; 0 where the elevation is NaN.

        elevation_deg : of the serving satellite: its median, or the one exceeded for 95 % of the time
        air_loss_db   : through the air, its noise is added [dB]
        """
        elevation, loss_db = np.broadcast_arrays(
            np.asarray(elevation_deg, np.float64), np.asarray(air_loss_db, np.float64)
        )
        seen = np.isfinite(elevation)
        ratio_db = self.link.ratio_db(np.where(seen, elevation, 90.0), loss_db)
        carried = efficiency_bps(self.modcods, ratio_db, self.margin_db) * (1.0 - self.overhead)
        return np.where(seen, carried, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is sold to a terminal, and how many have one.

    down_mbps, up_mbps : committed, above 0
    contention  : terminals that share one committed rate in the busy hour, 1 or more (20: assumption)
    take_up     : share of the households with a terminal, 0 to 1
    peak_down_mbps, peak_up_mbps : of a terminal alone
    Raises ValueOutOfRange.
    """

    down_mbps: float
    up_mbps: float
    contention: float = 20.0
    take_up: float = 1.0
    peak_down_mbps: float = np.inf
    peak_up_mbps: float = np.inf

    def __post_init__(self) -> None:
        for name in ("down_mbps", "up_mbps", "peak_down_mbps", "peak_up_mbps"):
            require_range("an offer", name, getattr(self, name), 1e-6, np.inf, "Mbps")
        require_range("an offer", "contention", self.contention, 1.0, 1000.0, "")
        require_range("an offer", "take_up", self.take_up, 0.0, 1.0, "")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fleet:
    """Satellites over the area, and whom else they serve.

    in_view      : usable satellites at once, a number or (N,) a service cell: a median or a low percentile of
                   `Visibility`'s counts; NaN counts as none
    altitude_km  : above the ground [km], above 0
    min_elevation_deg : of the terminals, 0 to 89
    served_share : of the satellites' footprint, the share whose area has customers as dense as ours, above 0 to 1;
                   1: their beams are spread evenly over sea and land (against us)
    gateway_down_mbps, gateway_up_mbps : of all gateways together for this area, 0 or more; infinite where traffic may
                   land elsewhere over links between satellites
    Raises ValueOutOfRange.
    """

    in_view: ArrayLike
    altitude_km: float
    min_elevation_deg: float = 25.0
    served_share: float = 1.0
    gateway_down_mbps: float = np.inf
    gateway_up_mbps: float = np.inf

    def __post_init__(self) -> None:
        require_range("a fleet", "altitude_km", self.altitude_km, 0.0, 50_000.0, "km", open_ends=True)
        require_range("a fleet", "min_elevation_deg", self.min_elevation_deg, 0.0, 89.0, "degrees")
        require_range("a fleet", "served_share", self.served_share, 1e-6, 1.0, "")
        for name in ("gateway_down_mbps", "gateway_up_mbps"):
            require_range("a fleet", name, getattr(self, name), 0.0, np.inf, "Mbps")
        counted = np.asarray(self.in_view, np.float64)
        require_range("a fleet", "in_view", counted[~np.isnan(counted)], 0.0, 1e5, "satellites")


@dataclass(frozen=True, slots=True, eq=False)
class CellCapacity:
    """N service cells at one elevation; each (N,).

    channels_down, channels_up : at once, on the mean over time
    down_mbps, up_mbps         : of the whole cell
    terminals                  : households times take-up
    most_terminals             : int64, that the cell can take at the committed rates
    household_down_mbps, household_up_mbps : that a terminal sees in the busy hour, never above its peak; NaN where
                                 there is no terminal
    uplink_binds               : bool; the uplink admits fewer terminals than the downlink
    saturated                  : bool; more terminals than it can take
    saturation_take_up         : share of its households at which it is full, above 1: never; NaN without households
    """

    channels_down: NDArray[np.float64]
    channels_up: NDArray[np.float64]
    down_mbps: NDArray[np.float64]
    up_mbps: NDArray[np.float64]
    terminals: NDArray[np.float64]
    most_terminals: NDArray[np.int64]
    household_down_mbps: NDArray[np.float64]
    household_up_mbps: NDArray[np.float64]
    uplink_binds: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    saturation_take_up: NDArray[np.float64]


def footprint_km2(altitude_km: float, min_elevation_deg: float) -> float:
    """Ground from which a satellite stands at least so high [km2].

    altitude_km, min_elevation_deg : [km], above 0; 0 to 90 [degrees]
    Raises ValueOutOfRange.
    Source: a cap of a sphere; the earth's central angle is 90 degrees less the elevation and the nadir angle.
    """
    require_range("a footprint", "altitude_km", altitude_km, 0.0, 50_000.0, "km", open_ends=True)
    require_range("a footprint", "min_elevation_deg", min_elevation_deg, 0.0, 90.0, "degrees")
    elevation = radians(min_elevation_deg)
    nadir = asin(EARTH_RADIUS_KM * cos(elevation) / (EARTH_RADIUS_KM + altitude_km))
    return 2.0 * pi * EARTH_RADIUS_KM**2 * (1.0 - cos(pi / 2.0 - elevation - nadir))


def beams_over(area_km2: float, fleet: Fleet, beams_per_satellite: float) -> float:
    """Beams that satellites can spare for an area at once, on the mean.

    area_km2            : of all service cells together
    beams_per_satellite : of one direction
    Beams a square kilometre are those of the satellites in view over what they serve of their footprint; an area gets
    no more than all beams in view.
    """
    in_view = np.nan_to_num(np.asarray(fleet.in_view, np.float64), nan=0.0)
    beams = float(in_view.mean()) * beams_per_satellite if in_view.size else 0.0
    served_km2 = footprint_km2(fleet.altitude_km, fleet.min_elevation_deg) * fleet.served_share
    return beams * min(1.0, area_km2 / served_km2)


def exceeded_elevation_deg(elevation_deg: ArrayLike, time_share: ArrayLike, share: float) -> NDArray[np.float64]:
    """Elevation that the serving satellite keeps for a share of the served time [degrees]; NaN where none serves.

    elevation_deg : (E,) middles of classes, ascending
    time_share    : (E,) or (E, ...) share of all time with the serving satellite there
    share         : 0.5: the median; 0.95: kept for 95 % of the time
    The class in which the share falls, as it stands; of shape time_share.shape[1:].
    Raises ValueOutOfRange.
    """
    classes, times = np.asarray(elevation_deg, np.float64), np.asarray(time_share, np.float64)
    require_range("a share of the time", "share", share, 0.0, 1.0, "")
    if classes.ndim != 1 or times.shape[:1] != classes.shape or (np.diff(classes) <= 0.0).any():
        raise ValueOutOfRange(
            what="elevations and their times do not fit together",
            where=f"elevation_deg {classes.shape}, time_share {times.shape}",
            mend="give (E,) rising elevations and (E, ...) times",
        )
    require_range("time over the elevations", "time_share", times, 0.0, 1.0, "")
    lower = np.cumsum(times, axis=0)  # time at this class or below
    total = lower[-1]
    # The highest class that still leaves the wanted share at or above it.
    kept = (total - lower + times >= share * total * (1.0 - 1e-12)).sum(axis=0) - 1
    return np.where(total > 0.0, classes[np.maximum(kept, 0)], np.nan)


def cell_capacity(
    cells: ServiceCells,
    down: Carriers,
    up: Carriers,
    offer: Offer,
    fleet: Fleet,
    elevation_deg: ArrayLike,
    *,
    terminals: ArrayLike | None = None,
    reuse: int | None = None,
    schedulable: float = 1.0,
    air_loss_down_db: ArrayLike = 0.0,
    air_loss_up_db: ArrayLike = 0.0,
) -> CellCapacity:
    """Channels, rates and terminals of each service cell.

    cells         : N hexagons, their households and neighbours
    down, up      : the two directions
    elevation_deg : of the serving satellite, a number or (N,): call once with the median, once with the one kept for
                    95 % of the time (`exceeded_elevation_deg`); NaN: no service
    terminals     : (N,) that ask for service, 0 or more; None: households times take-up
    reuse         : None: neighbours share the channels by their terminals, the smallest share as large as can be;
                    else every cell has channels / reuse: 1, 3, 4, 7, 9 or 12
    schedulable   : share of the channels that neighbours may fill together where they share by terminals; 1 is the
                    bound that every schedule keeps to, with 0.75 a schedule always exists (see `conflict_groups`)
    air_loss_down_db, air_loss_up_db : through the air, a number or (N,) [dB]
    A cell has at most all channels, and at most the beams of the satellites in view; all cells together at most what
    the satellites can spare for their area (`beams_over`) and the gateways can feed. A cell without terminals gets none
    when shared by them.
    Raises ValueOutOfRange.
    """
    require_range("service cells", "schedulable", schedulable, 0.0, 1.0, "")
    if reuse is not None and reuse not in REUSES:
        raise ValueOutOfRange(
            what="no hexagonal pattern repeats so",
            where=f"reuse = {reuse}",
            mend=f"give one of {', '.join(map(str, REUSES))}, or None to share by terminals",
        )
    asked = cells.households * offer.take_up if terminals is None else np.asarray(terminals, np.float64)
    if asked.shape != (len(cells),):
        raise ValueOutOfRange(
            what="terminals and service cells do not fit together",
            where=f"terminals {asked.shape}, {len(cells)} service cells",
            mend="give one number for each service cell",
        )
    channel_down = _channel_mbps(cells, down, elevation_deg, air_loss_down_db)
    channel_up = _channel_mbps(cells, up, elevation_deg, air_loss_up_db)
    groups = conflict_groups(len(cells), cells.neighbours)
    fair = (cells, fleet, groups, asked, reuse, schedulable)
    channels_down = _channels(*fair, down, channel_down, fleet.gateway_down_mbps)
    channels_up = _channels(*fair, up, channel_up, fleet.gateway_up_mbps)
    down_mbps, up_mbps = channels_down * channel_down, channels_up * channel_up
    most_down = _admitted(down_mbps, offer.down_mbps, offer.contention)
    most_up = _admitted(up_mbps, offer.up_mbps, offer.contention)
    most = np.minimum(most_down, most_up)
    return CellCapacity(
        channels_down=channels_down,
        channels_up=channels_up,
        down_mbps=down_mbps,
        up_mbps=up_mbps,
        terminals=asked,
        most_terminals=most,
        household_down_mbps=np.minimum(_ratio(down_mbps * offer.contention, asked), offer.peak_down_mbps),
        household_up_mbps=np.minimum(_ratio(up_mbps * offer.contention, asked), offer.peak_up_mbps),
        uplink_binds=most_up < most_down,
        saturated=asked > most,
        saturation_take_up=_ratio(most.astype(np.float64), cells.households),
    )


def _channel_mbps(
    cells: ServiceCells, carriers: Carriers, elevation_deg: ArrayLike, air_loss_db: ArrayLike
) -> NDArray[np.float64]:
    """(N,) user data of one channel in each cell."""
    rate_mbps = carriers.channel_mhz * carriers.efficiency_bps_hz(elevation_deg, air_loss_db)
    return np.broadcast_to(rate_mbps, (len(cells),))


def _channels(
    cells: ServiceCells,
    fleet: Fleet,
    groups: NDArray[np.int32],
    terminals: NDArray[np.float64],
    reuse: int | None,
    schedulable: float,
    carriers: Carriers,
    channel_mbps: NDArray[np.float64],
    gateway_mbps: float,
) -> NDArray[np.float64]:
    """(N,) channels at once of each cell in one direction."""
    in_view = np.broadcast_to(np.nan_to_num(np.asarray(fleet.in_view, np.float64), nan=0.0), (len(cells),))
    together = beams_over(float(cells.area_km2.sum()), fleet, carriers.beams_per_satellite)
    seen = in_view * carriers.beams_per_satellite
    if reuse is not None:
        weight, most, limit, groups = np.ones(len(cells)), carriers.channels / reuse, 0.0, groups[:0]
    else:
        weight, most = terminals, carriers.channels * schedulable
        limit = most
    return max_min_share(
        weight, np.minimum(most, seen), groups, limit, together, cost=channel_mbps, cost_limit=gateway_mbps
    )


def _admitted(capacity_mbps: NDArray[np.float64], committed_mbps: float, contention: float) -> NDArray[np.int64]:
    """Terminals that share a capacity; the tolerance keeps a whole number whole."""
    return np.floor(capacity_mbps * contention / committed_mbps * (1.0 + 1e-12)).astype(np.int64)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where nothing is below."""
    ratio = np.full(below.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0.0)
    return ratio
