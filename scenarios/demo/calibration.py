"""How many towers stand: as many as leave the wanted shares of hamlets without signal, by the physics of the plan."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from phusong.coverage.sweep import signal_at
from phusong.coverage.terrain import Terrain
from phusong.data_sources.area import Part
from phusong.scenarios.demand import Demand, hamlet_states
from phusong.scenarios.radio import Radio, existing_network
from phusong.scenarios.service import LOM, TRANG, Service, layer_levels_dbm

TRANG_SHARE, LOM_SHARE = 0.06, 0.12
MOST_PLACES = 230
WHIM = 0.15  # spread of ln(gain)
LOW_BAND_STEP = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """The network as it stands: how many places of the building order, how many of these with a low band, and the
    state of each hamlet by the model."""

    places: int
    low_bands: int
    state: NDArray[np.uint8]


def building_order(
    serves: NDArray[np.bool_], people: NDArray[np.int64], at_seat: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Places in the order in which towers were built on them, at most MOST_PLACES.

    The commune centres first, then wherever a tower brings service to the centres of most hamlets that have none,
    by their people, with some whim of the day.
    serves : (P, H) hamlet centres that a tower on each place serves;  people : (H,);  at_seat : (P,)
    """
    waiting, helps = people.astype(np.float64), serves.astype(np.float64)
    help_left = helps @ waiting
    whim = np.exp(WHIM * rng.standard_normal(len(serves)))
    order: list[int] = []
    for turn in range(min(MOST_PLACES, len(serves))):
        gain = np.maximum(help_left, 1e-6) * whim
        if turn < np.count_nonzero(at_seat):
            gain[~at_seat] = 0.0
        gain[order] = 0.0
        order.append(int(np.argmax(gain)))
        reached = serves[order[-1]] & (waiting > 0.0)
        help_left -= helps[:, reached] @ waiting[reached]
        waiting[reached] = 0.0
    return np.array(order, dtype=np.int64)


def set_number(demand: Demand, base: NDArray[np.bool_], low: NDArray[np.bool_]) -> Standing:
    """Numbers of places and of low bands that bring the shares of trắng and lõm nearest to the wanted ones.

    base, low : (P, C) cells served from each place in building order, without and by its low band
    """
    first_base, first_low = _first(base), _first(low)

    def states(places: int, low_bands: int) -> NDArray[np.uint8]:
        return hamlet_states(demand, (first_base < places) | (first_low < min(places, low_bands)))

    best, least_miss = Standing(0, 0, states(0, 0)), np.inf
    for low_bands in range(0, len(base) + 1, LOW_BAND_STEP):
        few, many = 1, len(base)
        while few < many:
            middle = (few + many) // 2
            if np.mean(states(middle, low_bands) == TRANG) > TRANG_SHARE:
                few = middle + 1
            else:
                many = middle
        # A few towers more cost some trắng and spare some lõm.
        for places in range(few, min(few + 24, len(base) + 1), 4):
            state = states(places, low_bands)
            trang, lom = np.mean(state == TRANG), np.mean(state == LOM)
            miss = max(abs(trang - TRANG_SHARE), abs(lom - LOM_SHARE))
            if miss < least_miss:
                best, least_miss = Standing(places, min(places, low_bands), state), miss
    return best


def _first(serves: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(C,) first row that serves each cell; the number of rows where none does."""
    return np.where(serves.any(axis=0), serves.argmax(axis=0), len(serves))


def served_cells(
    part: Part,
    cell_rc: NDArray[np.int32],
    radio: Radio,
    service: Service,
    sectors: gpd.GeoDataFrame,
    key: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """(key.max() + 1, C) cells that the sectors with each key serve, any operator and technology that counts."""
    # A layer is an operator's technology: with the key for an operator, each key gets layers of its own.
    network, _ = existing_network(sectors.assign(operator=[f"{k:05d}" for k in key]), part.box, radio)
    rsrp_dbm, _ = signal_at(
        Terrain(part.height_m, part.cell_m), network.site_rc, network.sectors, len(network.layers), cell_rc,
        rx_height_m=radio.rx_height_m, range_m=radio.range_km * 1000.0, model=radio.propagation,
    )  # fmt: skip
    levels = layer_levels_dbm(network.layers, radio, service)
    served = np.zeros((int(key.max()) + 1, len(cell_rc)), dtype=bool)
    for (operator, _), signal, level in zip(network.layers, rsrp_dbm, levels, strict=True):
        served[int(operator)] |= signal >= level
    return served
