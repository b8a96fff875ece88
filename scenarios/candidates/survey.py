"""What every search for candidates looks at, and the questions they all ask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from phusong.data_sources.area import Part
from phusong.scenarios.candidates.aim import LowSignal, Surroundings
from phusong.scenarios.candidates.ground import Ground
from phusong.scenarios.candidates.options import SectorDraft
from phusong.scenarios.candidates.settings import CandidateSettings, Costs
from phusong.scenarios.candidates.targets import Targets
from phusong.scenarios.errors import NoOperatorKnown, UnusableBand
from phusong.scenarios.radio import GENERATION, Carrier, Network, Radio


@dataclass(frozen=True)
class Survey:
    """One part with its network, its low-signal people and the scenario's wishes.

    sectors : the site list (schema `sectors`); network.row says which of its rows are on air in `network`
    """

    part: Part
    network: Network
    sectors: gpd.GeoDataFrame
    targets: Targets
    ground: Ground
    low: LowSignal
    radio: Radio
    settings: CandidateSettings
    costs: Costs
    technology: str

    def carriers(self, bands: tuple[str, ...]) -> list[tuple[str, Carrier]]:
        """Of the bands of the scenario, those that carry the minimum technology.

        Raises UnusableBand for a band that no carrier is defined for.
        """
        found = []
        for band in bands:
            carrier = self.radio.carrier(band)
            if carrier is None:
                raise UnusableBand(
                    what=f"băng tần {band} chưa được định nghĩa / band {band} is not defined",
                    where="candidates.bands, candidates.low_bands",
                    mend=f"chọn băng có sẵn hoặc thêm / use a built-in band or add  [radio.carriers.{band}]",
                )
            if carrier.technology == self.technology:
                found.append((band, carrier))
        return found

    @property
    def new_carriers(self) -> list[tuple[str, Carrier]]:
        """Bands of new stations. Raises UnusableBand where none of them is of the minimum technology."""
        found = self.carriers(self.settings.bands)
        if not found:
            raise UnusableBand(
                what=f"không có băng tần {self.technology} cho trạm mới / no {self.technology} band for new stations",
                where=f"candidates.bands = {list(self.settings.bands)}",
                mend=f"thêm một băng tần {self.technology} / add a band of {self.technology}",
            )
        return found

    def serves(self, technology: str) -> bool:
        """Whether a technology is at least the scenario's minimum."""
        return GENERATION[technology] >= GENERATION[self.technology]

    @cached_property
    def assigned_operator(self) -> tuple[str | None, ...]:
        """Operator that each low-signal hamlet is assigned to, None = nobody."""
        return tuple(o if isinstance(o, str) else None for o in self.targets.hamlets["assigned_operator"])

    @cached_property
    def _standing(self) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Existing sectors of the operators that may build: where, and whose."""
        allowed = self.settings.operators
        sectors = self.sectors[self.sectors["operator"].isin(allowed)] if allowed else self.sectors
        xy = np.column_stack([sectors.geometry.x, sectors.geometry.y]).astype(np.float64).reshape(-1, 2)
        return xy, tuple(str(operator) for operator in sectors["operator"])

    def operator_for(self, xy: NDArray[np.float64], hamlets: NDArray[np.int32], people: NDArray[np.int64]) -> str:
        """Who builds at a place for people of these hamlets.

        The operator to which most of these people's hamlets are assigned; where none is, the operator of the nearest
        existing site (of `candidates.operators`, where given), else the first of `candidates.operators`.
        """
        votes: dict[str, int] = {}
        for hamlet, count in zip(hamlets.tolist(), people.tolist(), strict=True):
            if (operator := self.assigned_operator[hamlet]) is not None:
                votes[operator] = votes.get(operator, 0) + count
        if votes:
            return min(votes, key=lambda operator: (-votes[operator], operator))
        standing_xy, operators = self._standing
        if len(operators):
            return operators[int(np.argmin(np.hypot(*(standing_xy - xy).T)))]
        if self.settings.operators:
            return self.settings.operators[0]
        raise NoOperatorKnown(
            what="không biết nhà mạng nào sẽ xây trạm mới / nobody is known to build new stations",
            where="hamlets.assigned_operator, sectors, candidates.operators",
            mend='thêm / add  operators = ["..."]  under [candidates]',
        )

    def three_sectors(
        self, xy: NDArray[np.float64], around: Surroundings, carrier: Carrier, height_m: float
    ) -> list[SectorDraft]:
        """Three sectors 120 degrees apart, the first turned to the centre of the heaviest low-signal wedge."""
        directions = around.heaviest_directions(1)
        first_deg = directions[0] if directions else 0.0
        antenna_m = self.antenna_m(xy, height_m)
        return [
            SectorDraft.of_carrier(
                carrier,
                height_m=height_m,
                azimuth_deg=azimuth_deg,
                downtilt_deg=self.downtilt_deg(around, azimuth_deg, antenna_m),
                feeder_loss_db=self.radio.feeder_loss_db,
            )
            for azimuth_deg in ((first_deg + turn) % 360.0 for turn in (0.0, 120.0, 240.0))
        ]

    def antenna_m(self, xy: NDArray[np.float64], height_m: float) -> float:
        """Height above sea level of an antenna at a place."""
        return float(self.ground.height_m(xy[None])[0]) + height_m

    def downtilt_deg(self, around: Surroundings, azimuth_deg: float, antenna_m: float) -> float:
        return around.downtilt_deg(
            azimuth_deg, antenna_m, self.settings.default_downtilt_deg, self.settings.max_downtilt_deg
        )
