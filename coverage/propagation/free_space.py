"""Free-space basic transmission loss, ITU-R P.525-4."""

from __future__ import annotations

from math import log10, pi, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.registry import propagation_model

SPEED_OF_LIGHT_M_S = 299_792_458.0


class FreeSpace(NamedTuple):
    """Loss of the straight ray alone; it has no parameters."""


@njit(cache=True, nogil=True)
def free_space_loss_db(distance_m: float, frequency_mhz: float) -> float:
    """Basic transmission loss in free space [dB].

    distance_m    : length of the ray [m], above zero
    frequency_mhz : frequency [MHz]
    Source: ITU-R P.525-4, equation (3).
    """
    return 20.0 * log10(4.0e6 * pi * distance_m * frequency_mhz / SPEED_OF_LIGHT_M_S)


@njit(cache=True, nogil=True)
def ray_length_m(
    ground_start_m: float, ground_end_m: float, distance_m: float, tx_height_m: float, rx_height_m: float
) -> float:
    """Distance between two antennas [m]; where one stands over the other, the height of the transmitter above ground.

    ground_start_m, ground_end_m : ground under the transmitter and under the receiver [m above sea]
    distance_m                   : horizontal distance [m]
    tx_height_m, rx_height_m     : antennas above ground [m]
    Source: ITU-R P.1812-7, equation (8a); the case of no distance is ours, the Recommendation begins at 250 m.
    """
    if distance_m == 0.0:
        return tx_height_m
    rise_m = (ground_end_m + rx_height_m) - (ground_start_m + tx_height_m)
    return sqrt(distance_m * distance_m + rise_m * rise_m)


def free_space_reach_m(loss_db: float, frequency_mhz: float) -> float:
    """Longest ray [m] whose free-space loss is no more than loss_db: `free_space_loss_db` turned round."""
    return float(10.0 ** (loss_db / 20.0) * SPEED_OF_LIGHT_M_S / (4.0e6 * pi * frequency_mhz))


@propagation_model("free-space", FreeSpace, source="ITU-R P.525-4", never_below_free_space=True)
@njit(cache=True, nogil=True)
def loss(
    model: FreeSpace,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the free-space loss for each frequency; about 10 ns a frequency."""
    ray_m = ray_length_m(ground_m[0], ground_m[-1], step_m * (ground_m.size - 1), tx_height_m, rx_height_m)
    for k in range(frequency_mhz.size):
        loss_db[k] = free_space_loss_db(ray_m, frequency_mhz[k])
