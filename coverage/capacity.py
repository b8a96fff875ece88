"""Whether sectors carry what the people they serve ask of them in the busy hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange


@dataclass(frozen=True, slots=True)
class SectorLoad:
    """Busy hour of S sectors.

    people        : (S,) float64 people whom the sector serves
    slow_people   : (S,) float64 those of them whose signal carries nothing; they ask for nothing
    demand_mbps   : (S,) float64 asked for by the rest
    capacity_mbps : (S,) float64 that the sector carries when its time is shared as these people ask, NaN where none ask
    utilisation   : (S,) float64 share of its time that the demand needs; above 1 it is not met
    """

    people: NDArray[np.float64]
    slow_people: NDArray[np.float64]
    demand_mbps: NDArray[np.float64]
    capacity_mbps: NDArray[np.float64]
    utilisation: NDArray[np.float64]


def shared_people(people: ArrayLike, attached: NDArray[np.bool_], weight: ArrayLike) -> NDArray[np.float64]:
    """(L, ...) people of each cell on each layer; over the layers they add up to the cell's people, or to 0 if none.

    people   : (...) people a cell
    attached : (L, ...) whether a layer can be used in a cell
    weight   : (L,) share of the people who use a layer where all can be used; above 0
    Shares are taken anew among the layers that can be used: where one operator stands alone, all are its customers.
    Raises ValueOutOfRange for a weight that is not above zero.
    """
    weights = np.asarray(weight, np.float64)
    if weights.shape != attached.shape[:1] or not (weights > 0.0).all():
        raise ValueOutOfRange(
            what="the layers' shares of the people are of no use",
            where=f"weights {weights.tolist()} for {len(attached)} layers",
            mend="give one share above zero for each layer",
        )
    share = attached * weights.reshape(-1, *[1] * (attached.ndim - 1))
    total = share.sum(axis=0)
    return np.asarray(share / np.where(total > 0.0, total, 1.0) * np.asarray(people, np.float64))


def sector_load(
    server: NDArray[np.int32],
    people: NDArray[np.floating[Any]],
    rate_mbps: NDArray[np.floating[Any]],
    n_sectors: int,
    mbps_per_person: float,
) -> SectorLoad:
    """Busy-hour load of each sector.

    server          : (...) sector that serves each entry, -1 none; entries are cells, of one layer or of several
    people          : (...) people of the entry who use it
    rate_mbps       : (...) throughput of one user there who has the sector to himself [Mbps]
    n_sectors       : number of sectors S
    mbps_per_person : busy-hour mean demand [Mbps]
    A bit to a cell takes 1 / rate of the sector's time, so that utilisation = sum(demand / rate) and the capacity,
    demand / utilisation, is the harmonic mean of the rates over the people: half of them at a tenth of the rate cost
    far more than the mean suggests. An equal share of bits, not of time, for each person.
    Raises ValueOutOfRange for shapes that differ, a sector that is not among the S, or a demand that is no number.
    """
    if not server.shape == people.shape == rate_mbps.shape or server.max(initial=-1) >= n_sectors:
        raise ValueOutOfRange(
            what="servers, people and rates do not fit each other",
            where=f"server {server.shape} up to sector {server.max(initial=-1)} of {n_sectors}, people {people.shape},"
            f" rate_mbps {rate_mbps.shape}",
            mend="give all three on the same cells, and number sectors below n_sectors",
        )
    if not 0.0 <= mbps_per_person < np.inf:
        raise ValueOutOfRange(
            what="the demand of a person is no number",
            where=f"mbps_per_person = {mbps_per_person}",
            mend="give megabits per second in the busy hour, zero or more",
        )
    used = (server >= 0) & (people > 0.0)
    of, who, rate = server[used], people[used].astype(np.float64), rate_mbps[used].astype(np.float64)
    carries = rate > 0.0

    def per_sector(amount: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(of[where], weights=amount[where], minlength=n_sectors).astype(np.float64)

    everyone, slow = per_sector(who, np.ones_like(carries)), per_sector(who, ~carries)
    demand = per_sector(who, carries) * mbps_per_person
    with np.errstate(divide="ignore", invalid="ignore"):
        seconds_a_mbit = per_sector(who / rate, carries)
        capacity = per_sector(who, carries) / seconds_a_mbit
    return SectorLoad(everyone, slow, demand, capacity, seconds_a_mbit * mbps_per_person)


def carried_people(
    server: NDArray[np.int32],
    people: NDArray[np.floating[Any]],
    rate_mbps: NDArray[np.floating[Any]],
    utilisation: NDArray[np.float64],
    highest_utilisation: float,
) -> NDArray[np.float64]:
    """(...) people of each entry whom a sector serves that is not overloaded, and whose signal carries something.

    Parameters as in `sector_load`; highest_utilisation : of a sector that still serves well, 0 to 1
    """
    fits = np.append(utilisation <= highest_utilisation, False)  # no server (-1) finds the last entry
    with np.errstate(invalid="ignore"):
        return np.where(fits[server] & (rate_mbps > 0.0), people, 0.0).astype(np.float64)
