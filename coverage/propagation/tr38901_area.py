"""TR 38.901 as models of the sweep: the terrain says whether there is line of sight, the tables what is lost."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.effective_earth import STANDARD_EFFECTIVE_RADIUS_KM
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.propagation.registry import propagation_model
from phusong.coverage.propagation.tr38901 import LIMITS, NEAREST_M, SURROUNDINGS_M, check_link
from phusong.coverage.propagation.tr38901_formulas import (
    ENVIRONMENT_HEIGHT_M,
    RMA,
    UMA,
    UMI,
    los_loss_db,
    nlos_loss_db,
    sight_probability,
)

_RMA_HEIGHTS_M = LIMITS["RMa"].bs_height_m
_GHZ = tuple(LIMITS[name].frequency_ghz for name in ("RMa", "UMa", "UMi"))
_UT_M = tuple(LIMITS[name].ut_height_m for name in ("RMa", "UMa", "UMi"))
_FARTHEST_M = tuple((LIMITS[name].los_m, LIMITS[name].nlos_m) for name in ("RMa", "UMa", "UMi"))


class RuralMacro(NamedTuple):
    """RMa. Heights are above the ground each antenna stands on; the tables know no hills.

    los_from_terrain   : True: line of sight where terrain leaves the straight ray over the effective Earth clear.
                         False: the mean of both losses in dB, weighted by Table 7.4.2-1, whatever the terrain
    extrapolate        : True: the formulas go on beyond their distances; False: no loss (NaN) there
    effective_radius_km : [km], for the ray over terrain
    building_height_m, street_width_m : averages, 5 to 50 [m]
    """

    los_from_terrain: bool = True
    extrapolate: bool = False
    effective_radius_km: float = STANDARD_EFFECTIVE_RADIUS_KM
    building_height_m: float = 5.0
    street_width_m: float = 20.0


class UrbanMacro(NamedTuple):
    """UMa; parameters as of RuralMacro."""

    los_from_terrain: bool = True
    extrapolate: bool = False
    effective_radius_km: float = STANDARD_EFFECTIVE_RADIUS_KM


class UrbanMicro(NamedTuple):
    """UMi, street canyon; parameters as of RuralMacro."""

    los_from_terrain: bool = True
    extrapolate: bool = False
    effective_radius_km: float = STANDARD_EFFECTIVE_RADIUS_KM


@njit(cache=True, nogil=True, error_model="numpy")
def sight_is_clear(ground_m: NDArray[np.float64], step_m: float, tx_m: float, rx_m: float, radius_m: float) -> bool:
    """Whether no point between the ends rises above the straight ray over the effective Earth; 1 ns a point.

    ground_m   : (n,) heights above sea, equally spaced [m]; the two ends are not looked at
    tx_m, rx_m : antennas above sea [m]
    """
    last = ground_m.size - 1
    rise = (rx_m - tx_m) / last
    bulge = 0.5 * step_m * step_m / radius_m
    i = 1
    while i < last and ground_m[i] + bulge * (i * (last - i)) <= tx_m + rise * i:
        i += 1
    return i >= last


@njit(cache=True, nogil=True, error_model="numpy")
def _losses_db(
    scenario: int,
    los_from_terrain: bool,
    extrapolate: bool,
    radius_m: float,
    building_height_m: float,
    street_width_m: float,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    # The loss for each frequency; NaN where the scenario does not hold. Nearer than 10 m the loss is that at 10 m.
    last = ground_m.size - 1
    distance_m = step_m * last
    if scenario == RMA:
        masts = _RMA_HEIGHTS_M[0] <= tx_height_m <= _RMA_HEIGHTS_M[1]
    else:
        masts = tx_height_m > ENVIRONMENT_HEIGHT_M
    los_m, nlos_m = _FARTHEST_M[scenario]
    share = 1.0
    if not los_from_terrain:
        share = sight_probability(scenario, distance_m, rx_height_m)
    elif not sight_is_clear(ground_m, step_m, ground_m[0] + tx_height_m, ground_m[last] + rx_height_m, radius_m):
        share = 0.0
    farthest_m = los_m if share == 1.0 else nlos_m
    held = masts and _UT_M[scenario][0] <= rx_height_m <= _UT_M[scenario][1]
    held = held and (extrapolate or distance_m <= farthest_m)
    near_m = max(distance_m, NEAREST_M)
    for k in range(frequency_mhz.size):
        f = 1e-3 * frequency_mhz[k]
        value_db = nan
        if held and _GHZ[scenario][0] <= f <= _GHZ[scenario][1]:
            value_db = 0.0
            if share > 0.0:
                value_db += share * los_loss_db(scenario, near_m, f, tx_height_m, rx_height_m, building_height_m)
            if share < 1.0:
                value_db += (1.0 - share) * nlos_loss_db(
                    scenario, near_m, f, tx_height_m, rx_height_m, building_height_m, street_width_m
                )
        loss_db[k] = value_db


# How far the line-of-sight loss lies below free space's at most, at 10 m: RMa with houses of 50 m, UMa, UMi [dB].
_UNDER_FREE_SPACE_DB = (4.8, 2.5, 0.0)


def _under_free_space_db(scenario: int) -> Callable[[Any], float]:
    return lambda _: _UNDER_FREE_SPACE_DB[scenario]


def _check(scenario: str) -> Callable[[Any, ArrayLike, ArrayLike, float], None]:
    def check(model: Any, frequency_mhz: ArrayLike, tx_height_m: ArrayLike, rx_height_m: float) -> None:
        check_link(scenario, 1e-3 * np.asarray(frequency_mhz, np.float64), tx_height_m, rx_height_m)
        if isinstance(model, RuralMacro):
            require_range("3GPP TR 38.901 RMa", "building_height_m", model.building_height_m, *SURROUNDINGS_M, "m")
            require_range("3GPP TR 38.901 RMa", "street_width_m", model.street_width_m, *SURROUNDINGS_M, "m")

    return check


@propagation_model(
    "tr38901-rma",
    RuralMacro,
    source="3GPP TR 38.901 RMa",
    under_free_space_db=_under_free_space_db(RMA),
    check=_check("RMa"),
)
@njit(cache=True, nogil=True, error_model="numpy")
def rural_macro_loss(
    model: RuralMacro,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency; 1 ns a point and 0.1 us a frequency."""
    _losses_db(
        RMA, model.los_from_terrain, model.extrapolate, 1e3 * model.effective_radius_km, model.building_height_m,
        model.street_width_m, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db,
    )  # fmt: skip


@propagation_model(
    "tr38901-uma",
    UrbanMacro,
    source="3GPP TR 38.901 UMa",
    under_free_space_db=_under_free_space_db(UMA),
    check=_check("UMa"),
)
@njit(cache=True, nogil=True, error_model="numpy")
def urban_macro_loss(
    model: UrbanMacro,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency; 1 ns a point and 0.1 us a frequency."""
    _losses_db(
        UMA, model.los_from_terrain, model.extrapolate, 1e3 * model.effective_radius_km, nan, nan,
        ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db,
    )  # fmt: skip


@propagation_model(
    "tr38901-umi",
    UrbanMicro,
    source="3GPP TR 38.901 UMi",
    under_free_space_db=_under_free_space_db(UMI),
    check=_check("UMi"),
)
@njit(cache=True, nogil=True, error_model="numpy")
def urban_micro_loss(
    model: UrbanMicro,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the loss for each frequency; 1 ns a point and 0.1 us a frequency."""
    _losses_db(
        UMI, model.los_from_terrain, model.extrapolate, 1e3 * model.effective_radius_km, nan, nan,
        ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db,
    )  # fmt: skip
