"""Three operators' sites: where towers may stand, and what hangs on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from phusong.scenarios.demo.names import OPERATORS
from phusong.scenarios.demo.roads import VILLAGE, Roads
from phusong.scenarios.demo.settlements import Communes, Hamlets
from phusong.scenarios.demo.terrain import CELL_M, CRS, Ground

NEAR_ROAD_M = 900.0
TOWER_HEIGHTS_M, TOWER_SHARES = (30.0, 36.0, 42.0, 48.0), (0.2, 0.35, 0.3, 0.15)
BAND, LOW_BAND, BAND_5G = "B3", "B8", ("n41", "n78", "n41")
MAIN_OPERATOR = (0.52, 0.30, 0.18)  # who built a tower away from the commune centres
GUEST_AT_SEAT, GUEST_ELSEWHERE = 0.8, 0.22  # chance that each other operator hangs on the same tower
FIVE_G_SHARE = 0.2  # of the towers, those with most people around
DOWNTILT_DEG = 3.0
TX_POWER_DBM = 47.8  # 2 x 30 W


class Carrier(NamedTuple):
    """One operator's carrier on the tower at a place."""

    place: int
    operator: int
    technology: str
    band: str


@dataclass(frozen=True, slots=True)
class Places:
    """Places for towers: cell (P,) flat;  at_seat (P,) bool, at a commune centre;  height_m (P,) of the antennas;
    azimuth_deg (P,) of the first of three sectors."""

    cell: NDArray[np.int64]
    at_seat: NDArray[np.bool_]
    height_m: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cell)

    def take(self, index: NDArray[np.int64]) -> Places:
        return Places(self.cell[index], self.at_seat[index], self.height_m[index], self.azimuth_deg[index])


def find_places(ground: Ground, communes: Communes, hamlets: Hamlets, roads: Roads, rng: np.random.Generator) -> Places:
    """For each commune centre, hamlet and fourth kilometre of main road: a hilltop within 900 m, or a knoll within 300.

    All stand near a road, none on a steep slope.
    """
    height = ground.height_m.astype(np.float64)
    prominence = height - ndimage.gaussian_filter(height, 1_500.0 / CELL_M)
    on_road = np.zeros(height.shape, dtype=bool)
    for cells in roads.cells:
        on_road.ravel()[list(cells)] = True
    near_road = ndimage.distance_transform_edt(~on_road) * CELL_M < NEAR_ROAD_M
    fit = near_road & (communes.of_cell >= 0) & (ground.slope_deg < 28.0)
    main = [cells for cells, grade in zip(roads.cells, roads.grade, strict=True) if grade < VILLAGE]
    wayside = np.array([cell for cells in main for cell in cells[20::44]], dtype=np.int64)
    seats = _vantages(prominence, fit, communes.seat, 500.0)
    hilltops = _vantages(prominence, fit, np.concatenate([hamlets.cell, wayside]), 900.0)
    knolls = _vantages(prominence, fit, hamlets.cell, 300.0)
    cell = np.concatenate([seats, np.setdiff1d(np.concatenate([hilltops, knolls]), seats)])
    return Places(
        cell=cell,
        at_seat=np.arange(len(cell)) < len(seats),
        height_m=rng.choice(TOWER_HEIGHTS_M, len(cell), p=TOWER_SHARES),
        azimuth_deg=rng.choice(np.arange(0.0, 120.0, 10.0), len(cell)),
    )


def hang_stations(ground: Ground, places: Places, hamlets: Hamlets, rng: np.random.Generator) -> list[Carrier]:
    """What hangs on each tower: its operators' 4G, 5G too where most people are, and a low band on every one."""
    around = cKDTree(ground.xy(hamlets.house_cell)).query_ball_point(ground.xy(places.cell), 2_500.0)
    people = np.array([hamlets.house_people[i].sum() for i in around])
    busy = people >= np.quantile(people, 1.0 - FIVE_G_SHARE)
    main = rng.choice(len(OPERATORS), len(places), p=MAIN_OPERATOR)
    main[places.at_seat] = 0
    chance = np.where(places.at_seat, GUEST_AT_SEAT, GUEST_ELSEWHERE)
    guest = rng.random((len(places), len(OPERATORS))) < chance[:, None]
    carriers = []
    for place in range(len(places)):
        for operator in range(len(OPERATORS)):
            if operator != main[place] and not guest[place, operator]:
                continue
            carriers.append(Carrier(place, operator, "4G", BAND))
            if busy[place] and (operator == main[place] or places.at_seat[place]):
                carriers.append(Carrier(place, operator, "5G", BAND_5G[operator]))
        carriers.append(Carrier(place, int(main[place]), "4G", LOW_BAND))
    return carriers


def sector_list(ground: Ground, places: Places, carriers: list[Carrier]) -> gpd.GeoDataFrame:
    """Three sectors a carrier, in the columns of a site list; `place` tells the place."""
    table = pd.DataFrame([carrier for carrier in carriers for _ in range(3)])
    place = table["place"].to_numpy()
    is_4g = table["technology"] == "4G"
    table["operator"] = [OPERATORS[operator] for operator in table["operator"]]
    table["site_id"] = [f"MP-{number + 1:03d}" for number in place]
    table["antenna_height_m"] = places.height_m[place]
    table["azimuth_deg"] = (places.azimuth_deg[place] + 120.0 * (np.arange(len(table)) % 3)) % 360.0
    table["downtilt_deg"] = DOWNTILT_DEG
    table["tx_power_dbm"] = np.where(is_4g, TX_POWER_DBM, np.nan)
    table["mechanical_tilt_deg"], table["antenna"] = np.nan, None
    table["beamwidth_deg"] = 65.0
    table["feeder_loss_db"] = np.where(is_4g, 2.0, np.nan)
    table["frequency_mhz"] = table["bandwidth_mhz"] = table["antenna_gain_dbi"] = np.nan
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(*ground.xy(places.cell)[place].T), crs=CRS)


def _vantages(
    prominence: NDArray[np.float64], fit: NDArray[np.bool_], around: NDArray[np.int64], radius_m: float
) -> NDArray[np.int64]:
    """For each cell, the fit cell within the radius that stands out most, less 4 m per 100 m of way; none if none fits.

    Returns the places, each once, in the order of the cells.
    """
    reach = int(radius_m / CELL_M)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away_m = np.hypot(down, right) * CELL_M
    toll = np.where(away_m <= radius_m, 0.04 * away_m, np.inf)
    framed = np.pad(np.where(fit, prominence, -np.inf), reach, constant_values=-np.inf)
    cols = prominence.shape[1]
    found = []
    for row, col in zip(*np.divmod(around, cols), strict=True):
        worth = framed[row : row + 2 * reach + 1, col : col + 2 * reach + 1] - toll
        best = int(np.argmax(worth))
        if np.isfinite(worth.flat[best]):
            found.append((row - reach + best // worth.shape[1]) * cols + col - reach + best % worth.shape[1])
    return np.array(list(dict.fromkeys(found)), dtype=np.int64)
