"""Households of the hamlets on the ground of the sky, and what of the licence and the transponders is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.data_sources.area import Part
from phusong.scenarios.demand import Demand
from phusong.scenarios.satellite.ground import Ground
from phusong.scenarios.satellite.settings import Satellite
from phusong.scenarios.service import Service


@dataclass(frozen=True, slots=True, eq=False)
class Homes:
    """Hamlets on the ground of the sky: the dishes of each, by people.

    households : (H,) float64
    hamlet, row, col, weight : (M,) of each populated cell that belongs to a hamlet
    low        : (H,) bool low-signal; None: nobody looked at mobile signal, all are asked
    """

    households: NDArray[np.float64]
    hamlet: NDArray[np.int64]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    weight: NDArray[np.float64]
    low: NDArray[np.bool_] | None

    @property
    def asked(self) -> NDArray[np.bool_]:
        return np.ones(len(self.households), np.bool_) if self.low is None else self.low

    def mean(self, raster: NDArray[np.floating]) -> NDArray[np.float64]:
        """(H,) mean by people of a raster's known values; NaN where none is known."""
        values = raster[self.row, self.col].astype(np.float64)
        known = np.isfinite(values)
        count = len(self.households)
        total = np.bincount(self.hamlet[known], self.weight[known] * values[known], count)
        weight = np.bincount(self.hamlet[known], self.weight[known], count)
        return np.asarray(np.divide(total, weight, out=np.full(count, np.nan), where=weight > 0.0))


def homes(part: Part, ground: Ground, demand: Demand, service: Service, low: NDArray[np.bool_] | None) -> Homes:
    """The hamlets' households: listed ones, else their people, listed or on the raster, by `household_people`."""
    frame = part.layers.hamlets
    owned = demand.hamlet >= 0
    hamlet = demand.hamlet[owned].astype(np.int64)
    row, col = ground.cell_of(demand.cell_rc[owned, 0], demand.cell_rc[owned, 1])
    on_raster = np.bincount(hamlet, demand.people[owned], len(frame)) / service.household_people
    listed = frame["population"].to_numpy(dtype=np.float64) / service.household_people
    households = frame["households"].to_numpy(dtype=np.float64)
    for other in (listed, on_raster):
        households = np.where(np.isnan(households), other, households)
    return Homes(np.maximum(np.rint(households), 1.0), hamlet, row, col, demand.weight[owned].astype(np.float64), low)


def area_shares(grounds: Sequence[Ground]) -> NDArray[np.float64]:
    """(parts,) of the area's people; equal shares where nobody lives."""
    people = np.array([ground.people[ground.inside].sum(dtype=np.float64) for ground in grounds])
    total = float(people.sum())
    return people / total if total > 0.0 else np.full(len(grounds), 1.0 / max(len(grounds), 1))


def licensed(settings: Satellite, grounds: Sequence[Ground], household_people: float) -> int:
    """Terminals under the licence for the area: said by the scenario, or its share of the country's households."""
    licence = settings.licence
    if licence.terminals_here is not None:
        return min(licence.terminals_here, licence.terminals)
    people = sum(float(ground.people[ground.inside].sum(dtype=np.float64)) for ground in grounds)
    return int(licence.terminals * min(1.0, people / household_people / licence.national_households))
