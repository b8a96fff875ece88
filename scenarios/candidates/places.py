"""Places where something new may stand: at hamlets, and on high ground near roads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from phusong.scenarios.candidates.aim import Surroundings
from phusong.scenarios.candidates.ground import cell_centres
from phusong.scenarios.candidates.options import OptionList
from phusong.scenarios.candidates.survey import Survey
from phusong.scenarios.radio import grid_coordinates


@dataclass(frozen=True, slots=True)
class Place:
    """A free spot with what it is aimed at.

    hamlet : row of the low-signal hamlets: its own, or the nearest one
    """

    kind: Literal["hamlet", "high-ground", "remote-radio", "small-cell", "repeater"]
    site_id: str
    xy: NDArray[np.float64]
    hamlet: int
    operator: str
    around: Surroundings

    @property
    def people(self) -> int:
        return int(self.around.people.sum())


def tower_places(survey: Survey, peak_xy: NDArray[np.float64], options: OptionList) -> list[Place]:
    """Places for new towers, at most `max_sites`: those at hamlets first, then high ground, each by people in reach."""
    at_hamlets = hamlet_spots(survey, options)
    near_hamlet = cKDTree(np.array([place.xy for place in at_hamlets]).reshape(-1, 2))
    high = []
    for place in _high_ground(survey, peak_xy, options):
        distance_m, _ = near_hamlet.query(place.xy)
        if distance_m < survey.settings.hamlet_spacing_m:
            options.drop("high-ground-beside-a-hamlet-tower")
        else:
            high.append(place)
    places = at_hamlets + high
    options.drop("beyond-max-sites", max(0, len(places) - survey.settings.max_sites))
    return places[: survey.settings.max_sites]


def hamlet_spots(survey: Survey, options: OptionList) -> list[Place]:
    """For each low-signal hamlet its centre, or the highest free spot near its people where that pays.

    Spots closer together than the spacing become one, that with more people, when the same operator would build.
    """
    settings, hamlets = survey.settings, survey.targets.hamlets
    centres = np.column_stack([hamlets.geometry.x, hamlets.geometry.y]).astype(np.float64).reshape(-1, 2)
    free = free_ground(survey, centres)
    places = []
    for hamlet, (centre, centre_is_free) in enumerate(zip(centres, free, strict=True)):
        people_xy = survey.low.centre(hamlet)
        highest = highest_near(survey, centre if people_xy is None else people_xy, settings.knoll_radius_m)
        if highest is not None and (not centre_is_free or _rise_m(survey, centre, highest) >= settings.knoll_gain_m):
            xy = highest
        elif centre_is_free:
            xy = centre
        else:
            options.drop("hamlet-without-free-ground")
            continue
        around = survey.low.around(xy, settings.reach_km * 1000.0)
        site_id = f"H-{hamlets['hamlet_id'].iloc[hamlet]}"
        places.append(Place("hamlet", site_id, xy, hamlet, _own_operator(survey, xy, hamlet), around))
    kept = []
    for operator in sorted({place.operator for place in places}):
        own_places = [place for place in places if place.operator == operator]
        apart = thinned(own_places, settings.hamlet_spacing_m)
        options.drop("hamlet-tower-beside-a-larger-one", len(own_places) - len(apart))
        kept += apart
    return sorted(kept, key=_rank)


def hamlet_centres(
    survey: Survey, options: OptionList, kind: Literal["remote-radio", "small-cell"] = "remote-radio"
) -> list[Place]:
    """The centre of each low-signal hamlet, for a pole."""
    hamlets = survey.targets.hamlets
    centres = np.column_stack([hamlets.geometry.x, hamlets.geometry.y]).astype(np.float64).reshape(-1, 2)
    free = free_ground(survey, centres)
    options.drop(f"{kind}-forbidden", int((~free).sum()))
    places = []
    for hamlet in np.flatnonzero(free).tolist():
        xy = centres[hamlet]
        around = survey.low.around(xy, survey.settings.reach_km * 1000.0)
        site_id = f"{'R' if kind == 'remote-radio' else 'S'}-{hamlets['hamlet_id'].iloc[hamlet]}"
        places.append(Place(kind, site_id, xy, hamlet, _own_operator(survey, xy, hamlet), around))
    return places


def peaks(survey: Survey) -> NDArray[np.float64]:
    """(P, 2) cell centres that are the highest ground around, inside the planned area."""
    part = survey.part
    height_m = np.where(np.isnan(part.height_m), -np.inf, part.height_m)
    radius = max(1, round(survey.settings.peak_radius_m / part.cell_m))
    rows, cols = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc = rows * rows + cols * cols <= radius * radius
    top = (maximum_filter(height_m, footprint=disc) == height_m) & part.inside & np.isfinite(height_m)
    return cell_centres(part.box, *np.nonzero(top))


def free_ground(survey: Survey, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) whether something may be built there: planned area, known terrain, no forbidden area."""
    row, col = np.rint(grid_coordinates(survey.part.box, xy[:, 0], xy[:, 1])).astype(np.int64).T
    height, width = survey.part.inside.shape
    on_grid = (row >= 0) & (row < height) & (col >= 0) & (col < width)
    inside = np.zeros(len(xy), dtype=np.bool_)
    inside[on_grid] = survey.part.inside[row[on_grid], col[on_grid]]
    known = np.isfinite(survey.ground.height_m(xy))
    return np.asarray(inside & known & np.isfinite(survey.ground.building_factor(xy)))


def thinned(places: Sequence[Place], spacing_m: float) -> list[Place]:
    """The places that remain when those too near to a better one are left out, best first."""
    ranked = sorted(places, key=_rank)
    xy = np.array([place.xy for place in ranked]).reshape(-1, 2)
    tree = cKDTree(xy)
    taken = np.zeros(len(ranked), dtype=np.bool_)
    kept = []
    for number, place in enumerate(ranked):
        if not taken[number]:
            kept.append(place)
            near = np.array(tree.query_ball_point(place.xy, spacing_m), dtype=np.int64)
            taken[near[np.hypot(*(xy[near] - place.xy).T) < spacing_m]] = True
    return kept


def _rise_m(survey: Survey, from_xy: NDArray[np.float64], to_xy: NDArray[np.float64]) -> float:
    low_m, high_m = survey.ground.height_m(np.array([from_xy, to_xy]))
    return float(high_m - low_m)


def _own_operator(survey: Survey, xy: NDArray[np.float64], hamlet: int) -> str:
    return survey.operator_for(xy, np.array([hamlet], dtype=np.int32), np.ones(1, dtype=np.int64))


def _rank(place: Place) -> tuple[int, str]:
    return -place.people, place.site_id


def _high_ground(survey: Survey, peak_xy: NDArray[np.float64], options: OptionList) -> list[Place]:
    settings = survey.settings
    reached, people_m = survey.low.nearest(peak_xy, settings.reach_km * 1000.0)
    options.drop("high-ground-far-from-low-signal-hamlets", int((~reached).sum()))
    rises = reached & (survey.ground.height_m(peak_xy) >= people_m + settings.peak_gain_m)
    options.drop("high-ground-hardly-above-the-hamlets", int((reached & ~rises).sum()))
    free = rises.copy()
    free[rises] = free_ground(survey, peak_xy[rises])
    options.drop("high-ground-forbidden", int((rises & ~free).sum()))
    xy = peak_xy[free]
    roads = shapely.STRtree(survey.part.layers.roads.geometry.values)
    near, _ = roads.query_nearest(shapely.points(xy), max_distance=settings.peak_road_m, all_matches=False)
    options.drop("high-ground-far-from-a-road", len(xy) - len(near))

    to_degrees = Transformer.from_crs(survey.part.layers.hamlets.crs, "EPSG:4326", always_xy=True)
    places = []
    for spot in xy[np.sort(near)]:
        around = survey.low.around(spot, settings.reach_km * 1000.0)
        lon, lat = to_degrees.transform(*spot)
        nearest = int(around.hamlet[np.argmin(around.distance_m)])
        operator = survey.operator_for(spot, around.hamlet, around.people)
        places.append(Place("high-ground", f"G-{lat:.5f}-{lon:.5f}", spot, nearest, operator, around))
    kept = thinned(places, settings.peak_spacing_m)
    options.drop("high-ground-beside-a-better-one", len(places) - len(kept))
    return kept


def highest_near(survey: Survey, xy: NDArray[np.float64], radius_m: float) -> NDArray[np.float64] | None:
    """Centre of the highest free cell within a radius; None where nothing is free."""
    part = survey.part
    row, col = np.rint(grid_coordinates(part.box, xy[:1], xy[1:])[0]).astype(int).tolist()
    reach = int(np.ceil(radius_m / part.cell_m))
    rows, cols = np.mgrid[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    on_grid = (rows < part.height_m.shape[0]) & (cols < part.height_m.shape[1])
    spots = cell_centres(part.box, rows[on_grid], cols[on_grid])
    spots = spots[np.hypot(*(spots - xy).T) <= radius_m]
    spots = spots[free_ground(survey, spots)]
    if len(spots) == 0:
        return None
    return np.asarray(spots[np.argmax(survey.ground.height_m(spots))], dtype=np.float64)
