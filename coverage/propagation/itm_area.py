"""The Irregular Terrain Model as a model of the sweep: point to point over each cell's own profile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import PathRefused, ValueOutOfRange
from phusong.coverage.propagation.free_space import free_space_loss_db, ray_length_m
from phusong.coverage.propagation.itm import PATH_WITHOUT_LENGTH, point_loss_db, point_to_point_loss
from phusong.coverage.propagation.itm_irregularity import WORKSPACE
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.propagation.registry import propagation_model

# What NTIA's program takes; its warnings begin earlier, below 40 MHz, above 10 GHz, outside 1 to 1000 m.
LIMITS_MHZ = (20.0, 20e3)
LIMITS_HEIGHT_M = (0.5, 3000.0)


class IrregularTerrain(NamedTuple):
    """Longley-Rice ITM 1.2.2 over each path's profile; parameters as of `itm.point_to_point_loss`.

    climate, surface_refractivity : equatorial, and the value usually taken with it [N-units]; assumptions for Vietnam
    permittivity, conductivity    : average ground
    mdvar                         : broadcast: time, locations and situations vary apart
    """

    polarization: int = 1
    climate: int = 1
    surface_refractivity: float = 360.0
    permittivity: float = 15.0
    conductivity: float = 0.005
    mdvar: int = 3
    time_pct: float = 50.0
    location_pct: float = 50.0
    situation_pct: float = 50.0


def _check(model: IrregularTerrain, frequency_mhz: ArrayLike, tx_height_m: ArrayLike, rx_height_m: float) -> None:
    name = "the Irregular Terrain Model"
    require_range(name, "frequency_mhz", frequency_mhz, *LIMITS_MHZ, "MHz")
    require_range(name, "tx_height_m", tx_height_m, *LIMITS_HEIGHT_M, "m")
    require_range(name, "rx_height_m", rx_height_m, *LIMITS_HEIGHT_M, "m")
    try:
        # The settings alone, on a path that nothing is wrong with.
        point_to_point_loss([0.0, 0.0], 1e3, frequency_mhz=1e3, tx_height_m=10.0, rx_height_m=10.0, **model._asdict())
    except PathRefused as refused:
        raise ValueOutOfRange(refused.what, refused.where, refused.mend) from refused


@propagation_model("itm", IrregularTerrain, source="NTIA ITM (Longley-Rice) 1.2.2", check=_check)
@njit(cache=True, nogil=True, error_model="numpy")
def loss(
    model: IrregularTerrain,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency [dB], NaN where the model refuses; 2 us and 3 ns a point.

    At the antenna's own place, a path without length, the loss is free space's over the antenna's height.
    """
    work = np.empty(WORKSPACE)
    for k in range(frequency_mhz.size):
        value_db, _, refusal = point_loss_db(
            ground_m, step_m, frequency_mhz[k], tx_height_m, rx_height_m, model.polarization, model.climate,
            model.surface_refractivity, model.permittivity, model.conductivity, model.mdvar, model.time_pct,
            model.location_pct, model.situation_pct, work,
        )  # fmt: skip
        if refusal == PATH_WITHOUT_LENGTH and step_m == 0.0:
            ray_m = ray_length_m(ground_m[0], ground_m[-1], 0.0, tx_height_m, rx_height_m)
            value_db = free_space_loss_db(ray_m, frequency_mhz[k])
        loss_db[k] = value_db
