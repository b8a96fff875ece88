"""The ground between two points: its height, what crossing it costs, where nothing may be built."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import map_coordinates

from phusong.data_sources.area import Part
from phusong.scenarios.radio import grid_coordinates

WAYS_AT_ONCE = 20_000  # a 10 km way at 90 m takes 112 samples: keeps the working arrays near 100 MB


def cell_centres(box: GeoBox, row: NDArray[np.int64], col: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N, 2) centres of grid cells, in the CRS of the grid."""
    grid = box.affine
    return np.column_stack([grid.c + grid.a * (col + 0.5), grid.f + grid.e * (row + 0.5)]).astype(np.float64)


class Ground:
    """Terrain and exclusion areas of a part, as works on the ground meet them.

    slope_surcharge : share added to a price per unit of mean slope, e.g. 3 = +90% where the ground rises 30%
    """

    def __init__(self, part: Part, slope_surcharge: float) -> None:
        self.part = part
        self.slope_surcharge = slope_surcharge
        exclusions = part.layers.exclusions
        forbidden = (exclusions["rule"] == "forbid").to_numpy(dtype=np.bool_)
        self._area_factor = np.where(forbidden, np.inf, exclusions["cost_factor"].to_numpy(dtype=np.float64))
        self._areas = shapely.STRtree(exclusions.geometry.values)

    def height_m(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) height above sea level, bilinear between cell centres; NaN where no terrain is known."""
        rc = grid_coordinates(self.part.box, xy[:, 0], xy[:, 1])
        sampled = map_coordinates(self.part.height_m, rc.T, order=1, mode="constant", cval=np.nan, output=np.float64)
        return np.asarray(sampled, dtype=np.float64)

    def price(self, start_xy: NDArray[np.float64], end_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) times dearer than on level ground is the straight way between two points.

        1 + surcharge x mean slope (all rises and falls at cell spacing over the length), times the factor of the
        dearest penalty area that is crossed; infinite across a forbidden area. Unknown ground counts as level.
        """
        slope = np.empty(len(start_xy))
        for at in range(0, len(slope), WAYS_AT_ONCE):
            some = slice(at, at + WAYS_AT_ONCE)
            slope[some] = self._mean_slope(start_xy[some], end_xy[some])
        lines = shapely.linestrings(np.stack([start_xy, end_xy], axis=1))
        return (1.0 + self.slope_surcharge * slope) * self._exclusion_factor(lines)

    def _mean_slope(self, start_xy: NDArray[np.float64], end_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        length_m = np.hypot(*(end_xy - start_xy).T)
        steps = np.maximum(np.ceil(length_m / self.part.cell_m), 1).astype(np.int64)
        way = np.repeat(np.arange(len(steps)), steps + 1)
        first = np.cumsum(steps + 1) - (steps + 1)
        share = (np.arange(len(way)) - first[way]) / steps[way]
        height_m = self.height_m(start_xy[way] + share[:, None] * (end_xy - start_xy)[way])
        climb_m = np.nan_to_num(np.abs(np.diff(height_m)))
        same_way = way[1:] == way[:-1]
        total_climb_m = np.bincount(way[1:][same_way], climb_m[same_way], minlength=len(steps))
        return np.asarray(total_climb_m / np.maximum(length_m, 1.0))

    def building_factor(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) 1 on free ground, the factor of a penalty area, infinite in a forbidden one."""
        return self._exclusion_factor(shapely.points(xy))

    def _exclusion_factor(self, shapes: NDArray[np.object_]) -> NDArray[np.float64]:
        factor = np.ones(len(shapes))
        shape, area = self._areas.query(shapes, predicate="intersects")
        np.maximum.at(factor, shape, self._area_factor[area])
        return factor
