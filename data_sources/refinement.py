"""Dasymetric refinement: people of coarse pixels put where people live, near hamlets and roads, on gentle ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SettlementModel:
    """How people lie around hamlets, roads and slopes. Every value is an assumption.

    usual_hamlet         : people of a hamlet whose number is unknown
    core_density_per_km2 : people per km2 in the middle of a hamlet; it falls as exp(-(d/r)^2) with r such that the
                           hamlet's own people fit, so 330 people have 4 or more a cell on about 24 cells of 90 m
    steepest_deg         : nobody is put on steeper slopes while the source pixel has any gentler dry ground
    gentle_deg           : slope on which half as many live as on level ground, 1 / (1 + (slope/gentle)^2)
    road_reach_m         : people whom the hamlet list does not name thin out from a road as exp(-d/reach)
    hamlet_reach_m       : and from a hamlet as exp(-(d/reach)^2)
    open_country         : weight of ground far from both, beside 1 more on a road or at a hamlet
    flat_water_km2       : level ground of one height, at least this large, is water (SRTM and Copernicus write lakes
                           and wide rivers flat),
    dry_around_hamlet_m  : but not so near to a hamlet
    """

    usual_hamlet: float = 330.0
    core_density_per_km2: float = 3000.0
    steepest_deg: float = 35.0
    gentle_deg: float = 10.0
    road_reach_m: float = 150.0
    hamlet_reach_m: float = 300.0
    open_country: float = 0.3
    flat_water_km2: float = 0.3
    dry_around_hamlet_m: float = 250.0


USUAL_SETTLEMENT = SettlementModel()


def refine_population(
    people: NDArray[np.float32],
    source_cell: NDArray[np.int32],
    height_m: NDArray[np.float32],
    cell_m: float,
    hamlet_rc: Floats,
    hamlet_people: Floats,
    *,
    roads: NDArray[np.bool_] | None = None,
    water: NDArray[np.bool_] | None = None,
    model: SettlementModel = USUAL_SETTLEMENT,
) -> NDArray[np.float32]:
    """People of each source pixel moved within it; its total stays, to float32 rounding.

    people, source_cell : (H, W) as `read_population` gives them; cells outside the source (-1) keep what they have
    height_m            : (H, W), NaN where unknown (such ground counts as level)
    hamlet_rc           : (N, 2) row, column of the hamlets, whole numbers at cell centres
    hamlet_people       : (N,), NaN where unknown
    roads, water        : (H, W) cells with a road; cells where nobody lives, beside the water that the heights show

    Two layers share each pixel. The hamlets' own people, as far as the pixel has so many, lie in the hamlets'
    footprints; where it has fewer, the footprints shrink at unchanged density. All others, whom the list does not
    name, go along roads and around hamlets, and thinly into open country. Both avoid steep slopes and water; only a
    pixel without any other ground keeps people there, on its gentlest cells first.
    Returns (H, W) float32.
    """
    slope = slope_deg(height_m, cell_m)
    wet = _level_water(height_m, cell_m, hamlet_rc, model) | (False if water is None else water)
    gentle = 1.0 / (1.0 + (slope / model.gentle_deg) ** 2)
    fit = np.where((slope > model.steepest_deg) | wet, 0.0, gentle)

    names, pixel = np.unique(source_cell.ravel(), return_inverse=True)
    total = _sums(pixel, people, names.size)
    footprint, hamlet_near = _footprints(fit, pixel, total, cell_m, hamlet_rc, hamlet_people, model)
    named = footprint * _share(total, _sums(pixel, footprint, names.size), at_most=1.0)[pixel]
    rest = np.maximum(total - _sums(pixel, named, names.size), 0.0)

    weight = (fit * (model.open_country + hamlet_near + _road_near(roads, cell_m, model))).ravel()
    for fallback in (gentle * ~wet, gentle):  # for pixels all steep or wet, then for those all wet
        bare = _sums(pixel, weight, names.size) == 0.0
        weight = np.where(bare[pixel], fallback.ravel(), weight)
    unnamed = weight * _share(rest, _sums(pixel, weight, names.size))[pixel]
    refined = (named + unnamed).reshape(people.shape)
    return np.where(source_cell < 0, people, refined).astype(np.float32)


def slope_deg(height_m: NDArray[np.float32], cell_m: float) -> NDArray[np.float32]:
    """Slope of the ground [degrees], 0 where a neighbour's height is unknown. Horn 1981, the 3 x 3 weights of GIS."""
    edge = np.pad(height_m, 1, mode="edge")
    east, south = ndimage.sobel(edge, axis=1)[1:-1, 1:-1], ndimage.sobel(edge, axis=0)[1:-1, 1:-1]
    slope: NDArray[np.float32] = np.degrees(np.arctan(np.hypot(east, south) / (8.0 * cell_m))).astype(np.float32)
    return np.where(np.isnan(slope), np.float32(0.0), slope)


def _footprints(
    fit: Floats,
    pixel: NDArray[np.int64],
    total: Floats,
    cell_m: float,
    hamlet_rc: Floats,
    hamlet_people: Floats,
    model: SettlementModel,
) -> tuple[Floats, Floats]:
    """People of the hamlets on the ground around them, (H x W,), and closeness to the nearest hamlet, (H, W).

    A cell belongs to its nearest hamlet. The second round sizes each footprint for the people that its pixels have.
    """
    h, w = fit.shape
    lived = np.where(np.isnan(hamlet_people), model.usual_hamlet, hamlet_people)
    here = _on_grid(hamlet_rc, fit.shape) & (lived > 0)
    if not here.any():
        return np.zeros(fit.size), np.zeros(fit.shape)
    cell = np.rint(hamlet_rc[here]).astype(np.int64)
    place, hamlet = np.unique(cell @ (w, 1), return_inverse=True)  # hamlets on one cell count as one
    housed = _sums(hamlet, lived[here], place.size)
    centre = np.column_stack([_sums(hamlet, hamlet_rc[here, axis], place.size) for axis in (0, 1)])
    centre /= np.bincount(hamlet)[:, None]

    free = np.ones(fit.shape, dtype=np.bool_)
    free.ravel()[place] = False
    row, column = ndimage.distance_transform_edt(free, return_distances=False, return_indices=True)
    nearest = np.searchsorted(place, (row * w + column).ravel())
    rows, columns = np.divmod(np.arange(fit.size), w)
    distance_m = np.hypot(rows - centre[nearest, 0], columns - centre[nearest, 1]) * cell_m
    for _ in range(2):
        radius_m = 1000.0 * np.sqrt(housed / (np.pi * model.core_density_per_km2))
        within = np.flatnonzero(distance_m <= np.maximum(3.0 * radius_m, cell_m)[nearest])
        shape = np.zeros(fit.size)
        spread_m = np.maximum(radius_m, cell_m / 2.0)[nearest[within]]
        shape[within] = fit.ravel()[within] * np.exp(-((distance_m[within] / spread_m) ** 2))
        footprint = shape * _share(housed, _sums(nearest, shape, place.size))[nearest]
        there = _share(total, _sums(pixel, footprint, total.size), at_most=1.0)
        housed = _sums(nearest, footprint * there[pixel], place.size)
    return footprint, np.exp(-((distance_m / model.hamlet_reach_m) ** 2)).reshape(h, w)


def _road_near(roads: NDArray[np.bool_] | None, cell_m: float, model: SettlementModel) -> Floats | float:
    if roads is None or not roads.any():
        return 0.0
    distance_m: Floats = ndimage.distance_transform_edt(~roads) * cell_m
    return np.exp(-distance_m / model.road_reach_m)


def _level_water(
    height_m: NDArray[np.float32], cell_m: float, hamlet_rc: Floats, model: SettlementModel
) -> NDArray[np.bool_]:
    """Cells in large patches of one height (to 1 cm in every 3 x 3 neighbourhood) away from hamlets."""
    level = ndimage.maximum_filter(height_m, 3) - ndimage.minimum_filter(height_m, 3) < 0.01  # not where NaN
    patch, count = ndimage.label(level)
    large = np.bincount(patch.ravel(), minlength=count + 1) * cell_m**2 / 1e6 >= model.flat_water_km2
    large[0] = False
    water: NDArray[np.bool_] = ndimage.binary_dilation(large[patch], np.ones((3, 3)))
    here = _on_grid(hamlet_rc, height_m.shape)
    if water.any() and here.any():
        free = np.ones(height_m.shape, dtype=np.bool_)
        free[tuple(np.rint(hamlet_rc[here]).astype(np.int64).T)] = False
        water &= ndimage.distance_transform_edt(free) * cell_m > model.dry_around_hamlet_m
    return water


def _on_grid(hamlet_rc: Floats, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    cell = np.rint(hamlet_rc)
    on_grid: NDArray[np.bool_] = np.all((cell >= 0) & (cell < np.array(shape)), axis=1)
    return on_grid


def _sums(of: NDArray[np.int64], values: NDArray[np.floating], count: int) -> Floats:
    return np.bincount(of, values.ravel(), count).astype(np.float64)


def _share(part: Floats, whole: Floats, at_most: float = np.inf) -> Floats:
    return np.minimum(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0), at_most)
