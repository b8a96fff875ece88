"""Where the low-signal people are, seen from a place that might serve them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.data_sources.area import Part
from phusong.scenarios.candidates.ground import Ground, cell_centres
from phusong.scenarios.candidates.targets import Targets

WEDGE_DEG = 60.0  # what one of three sectors looks after on either side of its azimuth
BIN_DEG = 5  # bearings are gathered in bins of this width to find the heaviest wedge


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Low-signal cells around a place: distance, bearing clockwise from grid north, ground height, people, hamlet."""

    distance_m: NDArray[np.float64]
    bearing_deg: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    people: NDArray[np.int64]
    hamlet: NDArray[np.int32]

    def heaviest_directions(self, count: int) -> list[float]:
        """Bearings to the people-weighted centres of the `count` heaviest wedges, the heaviest first.

        Wedges of 120 degrees do not overlap; fewer are returned when all people lie in fewer.
        """
        directions: list[float] = []
        left = self.people.astype(np.float64)
        bins = (self.bearing_deg // BIN_DEG).astype(np.int64) % (360 // BIN_DEG)
        while len(directions) < count and left.any():
            weight = np.bincount(bins, left, minlength=360 // BIN_DEG)
            reach = int(WEDGE_DEG // BIN_DEG)
            heaviest = np.convolve(np.r_[weight[-reach:], weight, weight[:reach]], np.ones(2 * reach + 1), "valid")
            middle_deg = (float(np.argmax(heaviest)) + 0.5) * BIN_DEG
            inside = (_turn_deg(self.bearing_deg, middle_deg) <= WEDGE_DEG + BIN_DEG / 2) & (left > 0)
            angle = np.radians(self.bearing_deg[inside])
            pull = left[inside] * self.distance_m[inside]
            directions.append(_bearing_deg(float(pull @ np.sin(angle)), float(pull @ np.cos(angle))))
            left[inside] = 0.0
        return directions

    def downtilt_deg(self, azimuth_deg: float, antenna_m: float, default_deg: float, most_deg: float) -> float:
        """Tilt towards the people-weighted mean depression of the wedge around an azimuth, 0 .. most_deg.

        antenna_m : height of the antenna above sea level
        """
        faced = (_turn_deg(self.bearing_deg, azimuth_deg) <= WEDGE_DEG) & np.isfinite(self.ground_m)
        if not faced.any() or not np.isfinite(antenna_m):
            return default_deg
        fall_m = antenna_m - self.ground_m[faced]
        depression_deg = np.degrees(np.arctan2(fall_m, np.maximum(self.distance_m[faced], 1.0)))
        return float(np.clip(np.round(np.average(depression_deg, weights=self.people[faced])), 0.0, most_deg))


class LowSignal:
    """The cells of the low-signal hamlets of a part.

    A cell without a known inhabitant counts as one person: a hamlet's centre is worth reaching. People outside the
    listed hamlets are not aimed at; what an option does for them is found when its coverage is computed.
    """

    def __init__(self, part: Part, targets: Targets, ground: Ground) -> None:
        aimed_at = targets.hamlet >= 0
        row, col = targets.cell_rc[aimed_at].astype(np.int64).T
        self.xy = cell_centres(part.box, row, col)
        self.people = np.maximum(targets.people[aimed_at], 1)
        self.hamlet = targets.hamlet[aimed_at]
        self.ground_m = ground.height_m(self.xy)
        self._tree = cKDTree(self.xy)

    def around(self, xy: NDArray[np.float64], reach_m: float) -> Surroundings:
        """What lies within reach of one place (2,)."""
        near = np.array(sorted(self._tree.query_ball_point(xy, reach_m)), dtype=np.int64)
        east_m, north_m = (self.xy[near] - xy).T
        return Surroundings(
            np.hypot(east_m, north_m),
            np.degrees(np.arctan2(east_m, north_m)) % 360.0,
            self.ground_m[near],
            self.people[near],
            self.hamlet[near],
        )

    def nearest(self, xy: NDArray[np.float64], reach_m: float) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """For many places (N, 2): whether anyone is within reach, and the ground height of the nearest, else NaN."""
        distance_m, cell = self._tree.query(xy, distance_upper_bound=reach_m)
        reached = np.isfinite(distance_m)
        return reached, np.r_[self.ground_m, np.nan][cell]

    def centre(self, hamlet: int) -> NDArray[np.float64] | None:
        """(2,) people-weighted centre of a hamlet's low-signal cells, None when it has none."""
        own = self.hamlet == hamlet
        return np.average(self.xy[own], axis=0, weights=self.people[own]) if own.any() else None


def _turn_deg(bearing_deg: NDArray[np.float64], azimuth_deg: float) -> NDArray[np.float64]:
    return np.abs((bearing_deg - azimuth_deg + 180.0) % 360.0 - 180.0)


def _bearing_deg(east: float, north: float) -> float:
    return float(np.round(np.degrees(np.arctan2(east, north))) % 360.0)
