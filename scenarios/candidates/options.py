"""The list of options under construction, and the tables it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.coverage.antenna_pattern import NO_PATTERN, ChosenPatterns, PatternTable, pattern_table
from phusong.coverage.link import resource_blocks, rs_eirp_dbm
from phusong.coverage.sectors import Sectors
from phusong.data_sources.area import Part
from phusong.scenarios.candidates.costs import Bill, Works
from phusong.scenarios.candidates.fibre import FibreNetwork
from phusong.scenarios.candidates.settings import Kind
from phusong.scenarios.candidates.ways import joined_ways, way_table
from phusong.scenarios.radio import Carrier, grid_coordinates, true_azimuth_deg

NEEDED = "needed"  # in column `backhaul` of an option that is built with one of its ways
SITE_COLUMNS = ("site_id", "name", "status", "place", "hamlet_id", "ground_m", "people_in_reach")
OPTION_TYPES: dict[str, str] = {
    "option_id": "str",
    "location": "int64",
    "site_id": "str",
    "kind": "str",
    "operator": "str",
    "technology": "str",
    "band": "str",
    "height_m": "float64",
    "tower_vnd": "int64",
    "road_vnd": "int64",
    "power_vnd": "int64",
    "backhaul_vnd": "int64",
    "radio_vnd": "int64",
    "capex_vnd": "int64",
    "opex_vnd_per_year": "int64",
    "lifetime_vnd": "int64",
    "power": "str",
    "backhaul": "str",
    "fibre_km": "float64",
    "inferred_km": "float64",
    "fibre_alone_vnd": "int64",
    "evn_confirm": "bool",
    "exclusive": "int32",
    "donor_sector": "int64",
}


@dataclass(frozen=True, slots=True)
class Candidates:
    """Everything that the decision may choose from in one part.

    site_rc : (L, 2) float64, grid coordinates of the locations
    sites   : one row a location: site_id (the same place has the same id in every run), name (of the hamlet, or the
        site), status "existing" | "new", place "hamlet" | "high-ground" | "existing-site" | "remote-radio" |
        "small-cell" | "repeater", hamlet_id it is aimed at or None, ground_m above sea level, people_in_reach
        low-signal people
    options : one row an option, in the order improvements, poles, repeaters, new sites. Money in whole VND;
        lifetime_vnd = capex + horizon x opex, undiscounted; all without backhaul (backhaul_vnd is 0), which comes
        with the way that is chosen and the trenches that are dug. height_m of the antennas; power "grid" |
        "solar-battery" | "existing"; backhaul "needed" (one of its ways) | "existing" | "donor" (a repeater);
        fibre_km of cable, of which inferred_km over ground without a mapped road, and fibre_alone_vnd for the trench:
        its cheapest way of fibre were it built alone, NaN and 0 where there is none;
        evn_confirm: the grid is not mapped there, EVN must confirm;
        exclusive: options of a location that share a number >= 0 exclude each other; donor_sector: index in the
        network of the sector that a repeater repeats, else -1
    sectors : what the options put on air; `location` indexes site_rc, `layer` indexes layers
    layers  : (operator, technology); the network's own first, new ones after
    sector_option : (S,) int32 option of each sector
    replaces : per option the indexes of the network's sectors that come down when it is built
    ways     : one row a way of backhaul, ascending by option; an option that needs one is chosen with exactly one.
        kind "fibre" | "microwave" | "leo" | "geo"; node of the network that fibre must reach, else -1; capex_vnd,
        opex_vnd_per_year, lifetime_vnd without trenches; cap: name of the cap it counts against, "" none; rate_mbps,
        availability NaN where unknown; until: date on which its licence ends, "" none; relays: rows of the ways on one
        of which it hangs, () none; relay_most ways that may hang on it; end_id, end_x, end_y, end_height_m: the lit
        mast to which a link goes that hangs on no relay
    network  : where fibre can be laid
    routes   : power lines and access roads of the new places (site_id, kind, length_km, inferred_km, geometry)
    dropped  : what was left out, reason -> count; the words for each reason are in `reasons.py`
    inferred : what the road map lacked and was assumed instead, fact -> count (words in `reasons.py` too)
    """

    site_rc: NDArray[np.float64]
    sites: gpd.GeoDataFrame
    options: pd.DataFrame
    sectors: Sectors
    layers: tuple[tuple[str, str], ...]
    sector_option: NDArray[np.int32]
    replaces: tuple[NDArray[np.int64], ...]
    ways: pd.DataFrame
    network: FibreNetwork
    routes: gpd.GeoDataFrame
    dropped: dict[str, int]
    inferred: dict[str, int]

    @property
    def needs_way(self) -> NDArray[np.bool_]:
        """(M,) options that must be built with a way of backhaul."""
        return np.asarray(self.options["backhaul"] == NEEDED, dtype=np.bool_)

    def conflicts(self) -> tuple[tuple[int, int], ...]:
        """Pairs of options, of different locations, that cannot both be built: a repeater and an option that turns
        its donor sector away. (A raised mast keeps its sectors on air and is no conflict.)"""
        turned = [
            (int(sector), option)
            for option, gone in enumerate(self.replaces)
            if self.options["kind"].iloc[option] == "re-aimed"
            for sector in gone
        ]
        donors = self.options["donor_sector"].tolist()
        return tuple(
            (option, repeater)
            for repeater, donor in enumerate(donors)
            if donor >= 0
            for sector, option in turned
            if sector == donor
        )


def with_ways(candidates: Candidates, more: pd.DataFrame) -> Candidates:
    """With further ways (columns as `Candidates.ways`; those left out are empty, unknown or 0).

    Relays of `more` are numbered over the ways there are, followed by `more`.
    """
    return replace(candidates, ways=joined_ways(candidates.ways, more))


class SectorDraft(NamedTuple):
    """One sector of an option (units as in coverage's Sectors)."""

    height_m: float
    frequency_mhz: float
    azimuth_deg: float
    downtilt_deg: float
    horizontal_beamwidth_deg: float
    vertical_beamwidth_deg: float
    rs_eirp_dbm: float
    mechanical_tilt_deg: float = 0.0
    pattern: int = NO_PATTERN

    @property
    def tilt_deg(self) -> float:
        return self.downtilt_deg + self.mechanical_tilt_deg

    @classmethod
    def of_carrier(
        cls,
        carrier: Carrier,
        *,
        height_m: float,
        azimuth_deg: float,
        downtilt_deg: float,
        feeder_loss_db: float,
        tx_power_dbm: float | None = None,
        gain_dbi: float | None = None,
    ) -> SectorDraft:
        """A sector with the carrier's defaults; a power or a gain given here wins. Azimuth NaN = omnidirectional.

        The carrier's model offset is part of the EIRP, as it is in the standing network's.
        """
        power_dbm = carrier.tx_power_dbm if tx_power_dbm is None else tx_power_dbm
        gain = carrier.antenna_gain_dbi - carrier.reference_beam_loss_db if gain_dbi is None else gain_dbi
        return cls(
            height_m,
            carrier.frequency_mhz,
            azimuth_deg,
            downtilt_deg,
            carrier.horizontal_beamwidth_deg,
            carrier.vertical_beamwidth_deg,
            float(
                rs_eirp_dbm(power_dbm, resource_blocks(carrier.technology, carrier.bandwidth_mhz), feeder_loss_db, gain)
            )
            + carrier.model_offset_db,
        )


@dataclass(slots=True)
class OptionList:
    """Locations, options and sectors as they are found."""

    part: Part
    layers: list[tuple[str, str]]
    horizon_years: int
    patterns: PatternTable = field(default_factory=lambda: pattern_table([]))
    dropped: dict[str, int] = field(default_factory=dict)
    _sites: list[tuple[Any, ...]] = field(default_factory=list)
    _xy: list[NDArray[np.float64]] = field(default_factory=list)
    _options: list[dict[str, Any]] = field(default_factory=list)
    _replaces: list[NDArray[np.int64]] = field(default_factory=list)
    _sectors: list[tuple[int, int, int, SectorDraft]] = field(default_factory=list)
    _groups: int = 0

    def drop(self, reason: str, count: int = 1) -> None:
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def exclusive_group(self) -> int:
        self._groups += 1
        return self._groups - 1

    def add_site(
        self,
        xy: NDArray[np.float64],
        site_id: str,
        name: str | None,
        status: str,
        place: str,
        hamlet_id: str | None,
        ground_m: float,
        people_in_reach: int,
    ) -> int:
        """Number of the new location."""
        self._xy.append(xy)
        self._sites.append((site_id, name, status, place, hamlet_id, ground_m, people_in_reach))
        return len(self._sites) - 1

    def add(
        self,
        location: int,
        kind: Kind,
        operator: str,
        technology: str,
        band: str,
        bill: Bill,
        sectors: Sequence[SectorDraft],
        *,
        sector_layers: Sequence[tuple[str, str]] | None = None,
        replaces: Sequence[int] = (),
        exclusive: int = -1,
        backhaul: str = "existing",
        works: Works | None = None,
        donor_sector: int = -1,
    ) -> None:
        """One option; its sectors are on the layer (operator, technology) unless told otherwise one by one.

        works : what is laid to a new place; None where everything stands already
        """
        fibred = works if backhaul == NEEDED else None
        reached = fibred is not None and np.isfinite(fibred.fibre_vnd)
        site_id = self._sites[location][0]
        height_m = max(sector.height_m for sector in sectors)
        self._options.append(
            {
                "option_id": f"{site_id}/{kind}/{operator}/{band}/{height_m:g}m",
                "location": location,
                "site_id": site_id,
                "kind": kind,
                "operator": operator,
                "technology": technology,
                "band": band,
                "height_m": height_m,
                "tower_vnd": bill.tower_vnd,
                "road_vnd": bill.road_vnd,
                "power_vnd": bill.power_vnd,
                "backhaul_vnd": bill.backhaul_vnd,
                "radio_vnd": bill.radio_vnd,
                "capex_vnd": bill.capex_vnd,
                "opex_vnd_per_year": bill.opex_vnd_per_year,
                "lifetime_vnd": bill.lifetime_vnd(self.horizon_years),
                "power": works.power if works else "existing",
                "backhaul": backhaul,
                "fibre_km": (fibred.fibre_km if reached else np.nan) if fibred else 0.0,
                "inferred_km": (fibred.inferred_km if reached else np.nan) if fibred else 0.0,
                "fibre_alone_vnd": round(fibred.fibre_vnd) if fibred and reached else 0,
                "evn_confirm": works.evn_confirm if works else False,
                "exclusive": exclusive,
                "donor_sector": donor_sector,
            }
        )
        self._replaces.append(np.array(replaces, dtype=np.int64))
        for sector, layer in zip(sectors, sector_layers or [(operator, technology)] * len(sectors), strict=True):
            if layer not in self.layers:
                self.layers.append(layer)
            self._sectors.append((location, len(self._options) - 1, self.layers.index(layer), sector))

    def _name_directions(self, options: pd.DataFrame, places: gpd.GeoSeries) -> None:
        """Ends the ids of options that turn one sector with the direction, from true north."""
        turned = options["kind"].isin(("sector-added", "re-aimed")).to_numpy()
        if not turned.any():
            return
        grid_deg = {option: draft.azimuth_deg for _, option, _, draft in self._sectors if turned[option]}
        which = np.flatnonzero(turned)
        at = places.iloc[options["location"].to_numpy()[which]].reset_index(drop=True)
        true_deg = true_azimuth_deg(np.array([grid_deg[o] for o in which.tolist()]), at)
        options.loc[turned, "option_id"] += [f"/{azimuth:g}deg" for azimuth in true_deg.tolist()]

    def finished(self, routes: gpd.GeoDataFrame, network: FibreNetwork, inferred: dict[str, int]) -> Candidates:
        """The tables, without ways; locations that got no option are left out of them."""
        options = pd.DataFrame(self._options, columns=list(OPTION_TYPES)).astype(OPTION_TYPES)
        used = np.unique(options["location"].to_numpy())
        options["location"] = np.searchsorted(used, options["location"])
        location = np.searchsorted(used, np.array([s[0] for s in self._sectors], dtype=np.int64))
        xy = np.array(self._xy, dtype=np.float64).reshape(-1, 2)[used]
        sites = gpd.GeoDataFrame(
            pd.DataFrame([self._sites[number] for number in used], columns=list(SITE_COLUMNS)),
            geometry=gpd.points_from_xy(*xy.T),
            crs=routes.crs,
        )
        drafts = np.array([s[3] for s in self._sectors], dtype=np.float64).reshape(-1, len(SectorDraft._fields))
        self._name_directions(options, sites.geometry)
        drafted: dict[str, Any] = {n: np.ascontiguousarray(drafts[:, i]) for i, n in enumerate(SectorDraft._fields)}
        chosen = ChosenPatterns(drafted.pop("pattern").astype(np.int32), self.patterns)
        return Candidates(
            site_rc=grid_coordinates(self.part.box, *xy.T),
            sites=sites,
            options=options,
            sectors=Sectors(
                location=location.astype(np.int32),
                layer=np.array([s[2] for s in self._sectors], dtype=np.int32),
                pattern=chosen,
                **drafted,
            ),
            layers=tuple(self.layers),
            sector_option=np.array([s[1] for s in self._sectors], dtype=np.int32),
            replaces=tuple(self._replaces),
            ways=way_table([]),
            network=network,
            routes=routes[routes["site_id"].isin(set(sites["site_id"]))].reset_index(drop=True),
            dropped=dict(sorted(self.dropped.items())),
            inferred=inferred,
        )
