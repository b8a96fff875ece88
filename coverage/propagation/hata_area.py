"""Okumura-Hata and COST 231-Hata as models of the sweep: the terrain gives the base station's effective height."""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.free_space import free_space_loss_db, ray_length_m
from phusong.coverage.propagation.hata import (
    BASE_M,
    COST231_MHZ,
    FARTHEST_EXTENDED_KM,
    FARTHEST_KM,
    HATA_MHZ,
    MOBILE_M,
    OPEN,
    SUBURBAN,
    cost231_hata_db,
    okumura_hata_db,
)
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.propagation.registry import propagation_model

# Part of the path over which ground is averaged: 3 to 15 km (Okumura), on shorter paths from a fifth of them to their
# end (ITU-R P.1546 Annex 5, paths shorter than 15 km with terrain information). The two meet at 15 km.
AVERAGED_M = (3e3, 15e3)


class OkumuraHata(NamedTuple):
    """Okumura-Hata; environment: 0 small or medium city, 1 large city, 2 suburban, 3 open."""

    environment: int = SUBURBAN


class Cost231Hata(NamedTuple):
    """COST 231-Hata; metropolitan: True: metropolitan centres, False: medium cities and suburban centres."""

    metropolitan: bool = False


@njit(cache=True, nogil=True, error_model="numpy")
def effective_base_height_m(ground_m: NDArray[np.float64], step_m: float, tx_height_m: float) -> float:
    """Height of the base station over the mean ground towards the receiver [m], drawn to 30 to 200 m; 1 ns a point.

    ground_m    : (n,) heights above sea, equally spaced, base station first [m]
    tx_height_m : above its own ground [m]
    The mean is over the points from 3 to 15 km, on paths shorter than 15 km from a fifth of the path to its end.
    """
    last = ground_m.size - 1
    first, end = (last + 4) // 5, last
    if step_m * last > AVERAGED_M[1]:
        first, end = int(np.ceil(AVERAGED_M[0] / step_m)), int(AVERAGED_M[1] / step_m)
    total = 0.0
    for i in range(first, end + 1):
        total += ground_m[i]
    over_m: float = ground_m[0] + tx_height_m - total / (end - first + 1)
    return min(max(over_m, BASE_M[0]), BASE_M[1])


def _check_hata(model: OkumuraHata, frequency_mhz: ArrayLike, tx_height_m: ArrayLike, rx_height_m: float) -> None:
    require_range("Okumura-Hata", "environment", model.environment, 0, OPEN, "")
    require_range("Okumura-Hata", "frequency_mhz", frequency_mhz, *HATA_MHZ, "MHz")
    require_range("Okumura-Hata", "rx_height_m", rx_height_m, *MOBILE_M, "m")


def _check_cost231(model: Cost231Hata, frequency_mhz: ArrayLike, tx_height_m: ArrayLike, rx_height_m: float) -> None:
    require_range("COST 231-Hata", "frequency_mhz", frequency_mhz, *COST231_MHZ, "MHz")
    require_range("COST 231-Hata", "rx_height_m", rx_height_m, *MOBILE_M, "m")


@propagation_model(
    "okumura-hata", OkumuraHata, source="Hata 1980 (Okumura)", never_below_free_space=True, check=_check_hata
)
@njit(cache=True, nogil=True, error_model="numpy")
def okumura_hata_loss(
    model: OkumuraHata,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency, NaN outside 150 to 1500 MHz and beyond 100 km; 1 ns a point and 0.1 us.

    Nearer than 1 km the formula goes on, and never falls below free space.
    """
    distance_km = 1e-3 * step_m * (ground_m.size - 1)
    ray_m = ray_length_m(ground_m[0], ground_m[-1], 1e3 * distance_km, tx_height_m, rx_height_m)
    base_m = effective_base_height_m(ground_m, step_m, tx_height_m)
    held = MOBILE_M[0] <= rx_height_m <= MOBILE_M[1] and distance_km <= FARTHEST_EXTENDED_KM
    for k in range(frequency_mhz.size):
        f = frequency_mhz[k]
        if not (held and HATA_MHZ[0] <= f <= HATA_MHZ[1]):
            loss_db[k] = nan
            continue
        loss_db[k] = free_space_loss_db(ray_m, f)
        if distance_km > 0.0:
            loss_db[k] = max(loss_db[k], okumura_hata_db(model.environment, distance_km, f, base_m, rx_height_m))


@propagation_model(
    "cost231-hata",
    Cost231Hata,
    source="COST 231 final report 1999, chapter 4",
    never_below_free_space=True,
    check=_check_cost231,
)
@njit(cache=True, nogil=True, error_model="numpy")
def cost231_hata_loss(
    model: Cost231Hata,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency, NaN outside 1500 to 2000 MHz and beyond 20 km; 1 ns a point and 0.1 us.

    Nearer than 1 km the formula goes on, and never falls below free space.
    """
    distance_km = 1e-3 * step_m * (ground_m.size - 1)
    ray_m = ray_length_m(ground_m[0], ground_m[-1], 1e3 * distance_km, tx_height_m, rx_height_m)
    base_m = effective_base_height_m(ground_m, step_m, tx_height_m)
    held = MOBILE_M[0] <= rx_height_m <= MOBILE_M[1] and distance_km <= FARTHEST_KM
    for k in range(frequency_mhz.size):
        f = frequency_mhz[k]
        if not (held and COST231_MHZ[0] <= f <= COST231_MHZ[1]):
            loss_db[k] = nan
            continue
        loss_db[k] = free_space_loss_db(ray_m, f)
        if distance_km > 0.0:
            loss_db[k] = max(loss_db[k], cost231_hata_db(model.metropolitan, distance_km, f, base_m, rx_height_m))
