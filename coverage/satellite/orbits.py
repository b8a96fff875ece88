"""Satellites by their mean elements: planned shells, and which of those in orbit serve."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import pi

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.errors import ValueOutOfRange

GRAVITY_KM3_S2, EARTH_RADIUS_KM, J2 = 398_600.8, 6378.135, 0.001_082_616  # WGS 72, which element sets are fitted with
ALIKE_DEG = 0.3  # inclinations closer together than this are one family (assumption; Starlink's spread by 0.05)
WITHIN_KM = 5.0  # of their shell's altitude stand satellites in service (assumption)
SHELL_SHARE = 0.1  # of a family within that altitude makes a shell; parking orbits hold less (assumption)
CLIMB_KM_DAY = 1.0  # station keeping shows less, raising and re-entry far more (assumption)
ROUND = 0.01  # eccentricity of a serving satellite in low orbit, at most (assumption)
LOW_ORBIT_KM = 2_000.0  # the rules below are for low orbit
SHELL_LEAST = 4  # satellites (assumption)
TOO_LOW_KM = 400.0  # below it fly raising and falling satellites, and Starlink's for phones at 356 km (assumption)
DIRECT_TO_CELL_NAMES = ("[DTC]",)  # CelesTrak's mark


@dataclass(frozen=True, slots=True, eq=False)
class Orbits:
    """Mean elements of N satellites, as SGP4 takes them.

    name                  : (N,) text
    epoch_days            : (N,) days since 1949-12-31 00:00 UTC
    mean_motion_rev_day   : (N,) Kozai's
    mean_motion_dot_rev_day2 : (N,) half its rate of change, as in element sets; SGP4 itself takes no notice of it
    eccentricity, inclination_deg, node_deg, perigee_deg, anomaly_deg : (N,)
    drag_per_earth_radius : (N,) B*
    """

    name: NDArray[np.str_]
    epoch_days: NDArray[np.float64]
    mean_motion_rev_day: NDArray[np.float64]
    mean_motion_dot_rev_day2: NDArray[np.float64]
    eccentricity: NDArray[np.float64]
    inclination_deg: NDArray[np.float64]
    node_deg: NDArray[np.float64]
    perigee_deg: NDArray[np.float64]
    anomaly_deg: NDArray[np.float64]
    drag_per_earth_radius: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len({len(getattr(self, column.name)) for column in fields(self)}) != 1:
            raise ValueOutOfRange(
                what="elements of satellites that are not the same number",
                where=", ".join(f"{column.name}: {len(getattr(self, column.name))}" for column in fields(self)),
                mend="give every element for every satellite",
            )

    def __len__(self) -> int:
        return len(self.epoch_days)

    def __getitem__(self, which: NDArray[np.bool_ | np.int64] | slice) -> Orbits:
        """The chosen satellites."""
        return Orbits(**{column.name: getattr(self, column.name)[which] for column in fields(self)})

    @property
    def altitude_km(self) -> NDArray[np.float64]:
        """(N,) of the mean orbit: semi-major axis by Kepler's third law less the equator's radius."""
        per_s = self.mean_motion_rev_day * 2.0 * pi / 86_400.0
        return np.asarray((GRAVITY_KM3_S2 / per_s**2) ** (1.0 / 3.0) - EARTH_RADIUS_KM)

    @property
    def climb_km_day(self) -> NDArray[np.float64]:
        """(N,) change of that altitude a day, from the mean motion's."""
        faster = 2.0 * self.mean_motion_dot_rev_day2 / self.mean_motion_rev_day
        return np.asarray(-2.0 / 3.0 * (self.altitude_km + EARTH_RADIUS_KM) * faster)


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """Which satellites serve dishes, and why the others do not.

    serves  : (N,) bool
    reason  : (N,) text, "" for those that serve
    shells  : (S, 3) inclination [degrees], altitude [km] and number of satellites of each shell found
    """

    serves: NDArray[np.bool_]
    reason: NDArray[np.str_]
    shells: NDArray[np.float64]

    @property
    def counted(self) -> dict[str, int]:
        """Satellites by reason, "" those that serve."""
        reasons, counts = np.unique(self.reason, return_counts=True)
        return dict(zip(reasons.tolist(), counts.tolist(), strict=True))


def serving(orbits: Orbits) -> Serving:
    """Satellites that stand in a shell and keep their station.

    Left out, the first that applies: "direct to cell" by name; "too low", below 400 km; "changes altitude" by more than
    1 km a day; "not round", eccentricity above 0.01; "between shells": fewer than a tenth of its family, the
    satellites of like inclination, or than four, fly within 5 km of its altitude. Above 2,000 km all serve.
    The thresholds are assumptions, set on Starlink's element sets of May 2026, of which 86 % serve by them.
    """
    altitude = orbits.altitude_km
    reason = np.full(len(orbits), "", "<U20")
    low = altitude < LOW_ORBIT_KM
    named = np.array([any(mark in name for mark in DIRECT_TO_CELL_NAMES) for name in orbits.name], bool)
    between, shells = _between_shells(orbits, altitude, low & ~named)
    for text, left_out in (
        ("direct to cell", named),
        ("too low", altitude < TOO_LOW_KM),
        ("changes altitude", low & (np.abs(orbits.climb_km_day) > CLIMB_KM_DAY)),
        ("not round", low & (orbits.eccentricity > ROUND)),
        ("between shells", between),
    ):
        reason[left_out & (reason == "")] = text
    return Serving(reason == "", reason, shells)


def _between_shells(
    orbits: Orbits, altitude_km: NDArray[np.float64], considered: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    between = np.zeros(len(orbits), bool)
    shells: list[tuple[float, float, float]] = []
    order = np.flatnonzero(considered)
    order = order[np.argsort(orbits.inclination_deg[order], kind="stable")]
    breaks = np.flatnonzero(np.diff(orbits.inclination_deg[order]) > ALIKE_DEG) + 1
    for family in np.split(order, breaks):
        heights = np.sort(altitude_km[family])
        around = np.searchsorted(heights, heights + WITHIN_KM, "right") - np.searchsorted(heights, heights - WITHIN_KM)
        crowded = around >= max(SHELL_SHARE * len(family), SHELL_LEAST)
        for shell in np.split(heights[crowded], np.flatnonzero(np.diff(heights[crowded]) > WITHIN_KM) + 1):
            if len(shell):
                middle = float(np.median(orbits.inclination_deg[family]))
                shells.append((middle, float(np.median(shell)), float(len(shell))))
        between[family] = ~crowded[np.searchsorted(heights, altitude_km[family])]
    return between, np.array(shells).reshape(-1, 3)


def walker_shell(
    altitude_km: float,
    inclination_deg: float,
    satellites: int,
    planes: int,
    phasing: int,
    *,
    epoch_days: float,
    nodes_over_deg: float = 360.0,
    name: str = "walker",
) -> Orbits:
    """A planned shell i: T/P/F: planes evenly over the nodes, satellites evenly over each plane.

    phasing        : F, 0 to P - 1: neighbours in the next plane stand F / T of a turn ahead
    nodes_over_deg : 360 for a delta pattern, 180 for a star of near-polar planes
    epoch_days     : days since 1949-12-31 00:00 UTC, when the first satellite crosses the equator at node 0
    Circular, without drag. Raises ValueOutOfRange. Source: Walker 1984, "Satellite constellations", J. BIS 37.
    """
    if planes < 1 or satellites < 1 or satellites % planes or not 0 <= phasing < planes or altitude_km <= 100.0:
        raise ValueOutOfRange(
            what="no such shell can be built",
            where=f"T/P/F = {satellites}/{planes}/{phasing} at {altitude_km:g} km",
            mend="satellites must be a multiple of planes, 0 <= phasing < planes, altitude above 100 km",
        )
    plane = np.repeat(np.arange(planes), satellites // planes)
    place = np.tile(np.arange(satellites // planes), planes)
    semi_major_km = EARTH_RADIUS_KM + altitude_km
    mean_motion = np.sqrt(GRAVITY_KM3_S2 / semi_major_km**3) * 86_400.0 / (2.0 * pi)
    zeros = np.zeros(satellites)
    return Orbits(
        name=np.array([f"{name}-{p + 1}-{s + 1}" for p, s in zip(plane, place, strict=True)], np.str_),
        epoch_days=np.full(satellites, epoch_days),
        mean_motion_rev_day=np.full(satellites, mean_motion),
        mean_motion_dot_rev_day2=zeros,
        eccentricity=np.full(satellites, 1e-6),
        inclination_deg=np.full(satellites, inclination_deg),
        node_deg=nodes_over_deg * plane / planes % 360.0,
        perigee_deg=zeros,
        anomaly_deg=360.0 * (place * planes / satellites + phasing * plane / satellites) % 360.0,
        drag_per_earth_radius=zeros,
    )
