"""Where people live: communes around valley seats, hamlets, and the scattered houses of each hamlet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import ndtri

from phusong.scenarios.demo.names import CAPITAL, COMMUNES, hamlet_names
from phusong.scenarios.demo.paths import least_cost
from phusong.scenarios.demo.terrain import CELL_M, Ground

AREA_KM2 = 3_150.0
KM2_PER_HAMLET = 3.6
SEATS = 28
SEAT_SPACING_M = 8_400.0
RIM_KM = 3.6  # land around the province, so that no hamlet sees the end of the terrain

MEDIAN_PEOPLE, PEOPLE_SIGMA = 330.0, 0.7
LEAST_PEOPLE, MOST_PEOPLE = 40, 2_000
STEEPEST_HAMLET_DEG = 14.0
HAMLET_SPACING_M = 700.0
OUTLYING_M = (600.0, 1_400.0)
OUTLYING_SHARE = (0.1, 0.3)
OUTLYING_TRIES = 6
_CELL_KM2 = (CELL_M / 1000.0) ** 2


@dataclass(frozen=True, slots=True)
class Communes:
    """The province and its communes.

    of_cell : (H, W) int32 commune of each cell, -1 outside the province
    seat    : (K,) flat cells of the commune centres; the first is the province's capital
    name    : (K,)
    """

    of_cell: NDArray[np.int32]
    seat: NDArray[np.int64]
    name: tuple[str, ...]

    @property
    def code(self) -> tuple[str, ...]:
        """Five digits as in life, of a block that no province has."""
        return tuple(f"99{number:03d}" for number in range(1, len(self.seat) + 1))


@dataclass(frozen=True, slots=True)
class Hamlets:
    """Hamlets; the first K are the seats of the K communes.

    cell : (N,) flat cells of the centres;  commune : (N,) int32;  people, households : (N,) int64
    house_cell, house_people : where the people are, a row for each cluster of houses
    """

    cell: NDArray[np.int64]
    name: tuple[str, ...]
    commune: NDArray[np.int32]
    people: NDArray[np.int64]
    households: NDArray[np.int64]
    house_cell: NDArray[np.int64]
    house_people: NDArray[np.float64]


def make_communes(ground: Ground) -> Communes:
    """Seats on the broadest valley floors, well apart; each commune the land that is easiest to reach from its seat."""
    height, slope = ground.height_m, ground.slope_deg
    outward = _outward(height.shape)
    room = ndimage.uniform_filter((slope < 10.0).astype(np.float32), round(2_000 / CELL_M))
    worth = np.where(outward < 0.88, room * np.exp(-ground.above_stream_m / 40.0) * (slope < 8.0), 0.0)
    seats = _apart(ground, np.argsort(-worth, axis=None)[: np.count_nonzero(worth)], SEAT_SPACING_M, SEATS)

    friction = (1.0 + (slope / 15.0) ** 2) * np.exp(8.0 * np.maximum(outward - 0.75, 0.0))
    friction[_rim(friction.shape)] = np.inf
    reach = least_cost(height, friction.astype(np.float32), CELL_M, seats, easy_grade=0.15)
    inside = _within_reach(reach.cost.reshape(height.shape))
    of_cell = _rounded(reach.start.reshape(height.shape), inside, len(seats))

    middle = np.mean(ground.xy(np.flatnonzero(inside)), axis=0)
    central = np.hypot(*(ground.xy(seats) - middle).T) / 1000.0
    capital = int(np.argmax(worth.ravel()[seats] - central / 25.0))
    order = np.concatenate([[capital], np.delete(np.arange(len(seats)), capital)])
    renumbered = np.empty(len(seats) + 1, dtype=np.int32)
    renumbered[order] = np.arange(len(seats))
    renumbered[-1] = -1
    names = (CAPITAL, *(f"Xã {name}" for name in COMMUNES))
    return Communes(renumbered[of_cell], seats[order], names[: len(seats)])


def commune_polygons(ground: Ground, communes: Communes) -> list[shapely.Polygon]:
    """Their outlines in metres, in order; neighbours share their border."""
    labels = communes.of_cell
    pieces = rasterio.features.shapes(labels, mask=labels >= 0, transform=ground.box.affine)
    outlines = {int(number): shapely.geometry.shape(piece) for piece, number in pieces}
    return list(shapely.coverage_simplify([outlines[number] for number in range(len(outlines))], 160.0))


def make_hamlets(ground: Ground, communes: Communes, rng: np.random.Generator) -> Hamlets:
    """One hamlet per 3.6 km2, on gentle ground, thick on valley floors and thin on the heights."""
    inside = communes.of_cell >= 0
    clear_of_border = ndimage.minimum_filter(communes.of_cell, 7) == ndimage.maximum_filter(communes.of_cell, 7)
    gentle = inside & clear_of_border & (ground.slope_deg < STEEPEST_HAMLET_DEG)
    floor = np.exp(-ground.above_stream_m / 60.0)
    from_seat, _ = cKDTree(ground.xy(communes.seat)).query(ground.xy(np.arange(inside.size)))
    near_seat = np.exp(-from_seat / 3_000.0).reshape(inside.shape)
    pull = np.where(gentle, 0.06 + floor + 0.8 * near_seat, 0.0).ravel()

    # Weighted draw without replacement: the smallest of -log(u) / weight come first.
    able = np.flatnonzero(pull)
    drawn = able[np.argsort(rng.exponential(size=len(able)) / pull[able])]
    count = round(np.count_nonzero(inside) * _CELL_KM2 / KM2_PER_HAMLET)
    cell = _apart(ground, np.concatenate([communes.seat, drawn]), HAMLET_SPACING_M, count)

    commune = communes.of_cell.ravel()[cell]
    people = _people(pull[cell], len(communes.seat), rng)
    households = np.maximum(np.rint(people / rng.uniform(4.0, 5.0, len(cell))), 8).astype(np.int64)
    town = (commune == 0) & (from_seat[cell] < 2_500.0)
    upland = ground.above_stream_m.ravel()[cell] > 90.0
    name = np.empty(len(cell), dtype=object)
    for number in range(len(communes.seat)):
        own = np.flatnonzero(commune == number)
        name[own] = hamlet_names(list(upland[own]), list(town[own]), rng)
    house_cell, house_people = _houses(ground, cell, people, inside, rng)
    return Hamlets(cell, tuple(name), commune, people, households, house_cell, house_people)


def _people(pull: NDArray[np.float64], seats: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Lognormal sizes, larger ones more often where more people would settle, the largest in the seats."""
    sizes = MEDIAN_PEOPLE * np.exp(PEOPLE_SIGMA * ndtri((np.arange(len(pull)) + 0.5) / len(pull)))
    liking = np.argsort(np.argsort(pull)) / len(pull) + 0.45 * rng.standard_normal(len(pull))
    liking[:seats] += 1.0
    people = np.empty(len(pull))
    people[np.argsort(liking)] = sizes
    return np.clip(np.rint(people), LEAST_PEOPLE, MOST_PEOPLE).astype(np.int64)


def _houses(
    ground: Ground,
    cell: NDArray[np.int64],
    people: NDArray[np.int64],
    inside: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each hamlet's core and a few outlying groups of houses, on gentle ground where no other hamlet is."""
    width = ground.height_m.shape[1]
    liveable = (inside & (ground.slope_deg < 20.0)).ravel()
    centres = cKDTree(ground.xy(cell))
    cells, counts = [cell], [np.zeros(len(cell))]
    left = people.astype(np.float64)
    for _ in range(OUTLYING_TRIES):
        distance, bearing = rng.uniform(*OUTLYING_M, len(cell)) / CELL_M, rng.uniform(0, 2 * np.pi, len(cell))
        down, right = np.rint(distance * np.cos(bearing)), np.rint(distance * np.sin(bearing))
        away = cell + down.astype(np.int64) * width + right.astype(np.int64)
        lonely = centres.query(ground.xy(away))[0] > OUTLYING_M[0]
        group = np.minimum(people * rng.uniform(*OUTLYING_SHARE, len(cell)), 120.0)
        group = np.where(liveable[away] & lonely & (group > 25.0) & (left > 0.5 * people), group, 0.0)
        cells.append(away)
        counts.append(group)
        left -= group
    counts[0] = left
    all_cells, all_people = np.concatenate(cells), np.concatenate(counts)
    return all_cells[all_people > 0], all_people[all_people > 0]


def _apart(
    ground: Ground,
    ordered: NDArray[np.integer],
    spacing_m: float,
    count: int,
) -> NDArray[np.int64]:
    """The first `count` of the cells, in order, leaving out those nearer than `spacing_m` to one already taken."""
    rows, cols = ground.height_m.shape
    radius = spacing_m / CELL_M
    reach = int(radius)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    near = down**2 + right**2 < radius**2
    blocked = np.zeros((rows + 2 * reach, cols + 2 * reach), dtype=bool)
    taken: list[int] = []
    for cell in ordered:
        row, col = divmod(int(cell), cols)
        if blocked[row + reach, col + reach]:
            continue
        blocked[row : row + 2 * reach + 1, col : col + 2 * reach + 1] |= near
        taken.append(int(cell))
        if len(taken) == count:
            break
    return np.array(taken, dtype=np.int64)


def _within_reach(cost: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The easiest AREA_KM2 to reach, rounded off as a surveyor would, in one piece and without holes."""
    low, high = 0.0, float(cost[np.isfinite(cost)].max())
    inside = np.zeros(cost.shape, dtype=bool)
    while high - low > 50.0:
        limit = (low + high) / 2.0
        pieces, _ = ndimage.label(ndimage.uniform_filter((cost <= limit).astype(np.float32), 15) > 0.5)
        inside = ndimage.binary_fill_holes(pieces == np.bincount(pieces.ravel())[1:].argmax() + 1)
        inside &= ~_rim(cost.shape)
        if np.count_nonzero(inside) * _CELL_KM2 < AREA_KM2:
            low = limit
        else:
            high = limit
    return inside


def _rounded(start: NDArray[np.int32], inside: NDArray[np.bool_], count: int) -> NDArray[np.int32]:
    """Each commune its largest piece once borders are smoothed over 800 m; what was cut off goes to the nearest."""
    of_cell = np.full(start.shape, -1, dtype=np.int32)
    strongest = np.zeros(start.shape, dtype=np.float32)
    for number in range(count):
        share = ndimage.uniform_filter(ndimage.uniform_filter((start == number).astype(np.float32), 9), 9)
        of_cell[share > strongest] = number
        np.maximum(strongest, share, out=strongest)
    whole = np.full(start.shape, -1, dtype=np.int32)
    for number in range(count):
        pieces, _ = ndimage.label(inside & (of_cell == number))
        whole[pieces == np.bincount(pieces.ravel())[1:].argmax() + 1] = number
    nearest = ndimage.distance_transform_edt(whole < 0, return_distances=False, return_indices=True)
    return np.where(inside, whole[tuple(nearest)], -1).astype(np.int32)


def _outward(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """0 in the middle of the map, 1 on a rounded rectangle that touches the rim."""
    rim = RIM_KM * 1000 / CELL_M
    down, right = (np.abs(np.arange(n) - (n - 1) / 2.0) / (n / 2.0 - rim) for n in shape)
    return np.asarray((down[:, None] ** 4 + right[None, :] ** 4) ** 0.25)


def _rim(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    width = round(RIM_KM * 1000 / CELL_M)
    rim = np.ones(shape, dtype=bool)
    rim[width:-width, width:-width] = False
    return rim
