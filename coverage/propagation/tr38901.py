"""Path loss of 3GPP TR 38.901 between a base station and an outdoor receiver: RMa, UMa and UMi (street canyon).

Tables 7.4.1-1 (path loss, shadow fading) and 7.4.2-1 (probability of line of sight); the "optional" formulas of the
table are not used. Ranges that the tables print are refused outside; what the tables fix for a scenario, the mast of
25 m (UMa) or 10 m (UMi), is only warned of, and so is RMa above 7 GHz, validated by one campaign at 24 GHz (note 2).
The losses are medians and hold the streets and houses around the receiver: no clutter correction is added to them.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from numba import vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation import tr38901_formulas as formulas
from phusong.coverage.propagation.ranges import require_range

Scenario = Literal["RMa", "UMa", "UMi"]
NEAREST_M = 10.0
RMA_VALIDATED_GHZ = 7.0


class OutsideScenario(UserWarning):
    """A value that a scenario of TR 38.901 fixes, or one beyond what its formulas were validated with."""


class Limits(NamedTuple):
    """Where a scenario's formulas hold, Table 7.4.1-1.

    code            : of the scenario, in the formulas
    frequency_ghz   : note 2
    bs_height_m     : of the base station; a range that begins and ends at one value is only warned of
    ut_height_m     : of the receiver
    los_m, nlos_m   : farthest horizontal distance with and without line of sight; the nearest is 10 m
    """

    code: int
    frequency_ghz: tuple[float, float]
    bs_height_m: tuple[float, float]
    ut_height_m: tuple[float, float]
    los_m: float
    nlos_m: float


LIMITS: dict[str, Limits] = {
    "RMa": Limits(formulas.RMA, (0.5, 30.0), (10.0, 150.0), (1.0, 10.0), 10e3, 5e3),
    "UMa": Limits(formulas.UMA, (0.5, 100.0), (25.0, 25.0), (1.5, 22.5), 5e3, 5e3),
    "UMi": Limits(formulas.UMI, (0.5, 100.0), (10.0, 10.0), (1.5, 22.5), 5e3, 5e3),
}
SURROUNDINGS_M = (5.0, 50.0)  # of building height and street width, RMa


@vectorize(cache=True)
def _los(code: int, distance_m: float, frequency_ghz: float, bs_m: float, ut_m: float, building_m: float) -> float:
    return formulas.los_loss_db(code, distance_m, frequency_ghz, bs_m, ut_m, building_m)


@vectorize(cache=True)
def _nlos(
    code: int, distance_m: float, frequency_ghz: float, bs_m: float, ut_m: float, building_m: float, street_m: float
) -> float:
    return formulas.nlos_loss_db(code, distance_m, frequency_ghz, bs_m, ut_m, building_m, street_m)


@vectorize(cache=True)
def _probability(code: int, distance_m: float, ut_m: float) -> float:
    return formulas.sight_probability(code, distance_m, ut_m)


@vectorize(cache=True)
def _sigma(code: int, los: bool, distance_m: float, frequency_ghz: float, bs_m: float, ut_m: float) -> float:
    return formulas.sigma_db(code, los, distance_m, frequency_ghz, bs_m, ut_m)


def limits_of(scenario: str) -> Limits:
    """Limits of a scenario. Raises ValueOutOfRange for one that is not known."""
    if scenario not in LIMITS:
        raise ValueOutOfRange(
            what=f"3GPP TR 38.901 has no path loss for the scenario {scenario!r}",
            where="scenario",
            mend="choose one of " + ", ".join(LIMITS),
        )
    return LIMITS[scenario]


def check_link(scenario: str, frequency_ghz: ArrayLike, bs_height_m: ArrayLike, ut_height_m: ArrayLike) -> None:
    """Raises ValueOutOfRange outside the ranges of Table 7.4.1-1; warns OutsideScenario as the module says."""
    name = f"3GPP TR 38.901 {scenario}"
    limits = limits_of(scenario)
    require_range(name, "frequency_ghz", frequency_ghz, *limits.frequency_ghz, "GHz")
    require_range(name, "ut_height_m", ut_height_m, *limits.ut_height_m, "m")
    low_m, high_m = limits.bs_height_m
    if low_m < high_m:
        require_range(name, "bs_height_m", bs_height_m, low_m, high_m, "m")
    else:
        require_range(name, "bs_height_m", bs_height_m, formulas.ENVIRONMENT_HEIGHT_M, np.inf, "m", open_ends=True)
        if (np.asarray(bs_height_m) != low_m).any():
            warnings.warn(f"{name} is written for a base station at {low_m:g} m", OutsideScenario, stacklevel=3)
    if scenario == "RMa" and (np.asarray(frequency_ghz) > RMA_VALIDATED_GHZ).any():
        warnings.warn(f"{name} is hardly validated above {RMA_VALIDATED_GHZ:g} GHz", OutsideScenario, stacklevel=3)


def path_loss_db(
    scenario: Scenario,
    *,
    los: bool,
    distance_2d_m: ArrayLike,
    frequency_ghz: ArrayLike,
    bs_height_m: ArrayLike,
    ut_height_m: ArrayLike,
    building_height_m: ArrayLike = 5.0,
    street_width_m: ArrayLike = 20.0,
) -> NDArray[np.float64]:
    """Median path loss to an outdoor receiver [dB], with or without line of sight; the arguments broadcast.

    distance_2d_m : horizontal distance [m], 10 to 5,000; to 10,000 for RMa in line of sight
    frequency_ghz : 0.5 to 100 [GHz]; to 30 for RMa
    bs_height_m   : base station above ground [m]; RMa 10 to 150, UMa 25, UMi 10
    ut_height_m   : receiver above ground [m]; RMa 1 to 10, UMa and UMi 1.5 to 22.5. UMa above 13 m: the effective
                    environment height, random there, is taken as 1 m
    building_height_m, street_width_m : averages, 5 to 50 [m]; RMa only
    Raises ValueOutOfRange; warns OutsideScenario for another base station's height in UMa and UMi, and for RMa above
    7 GHz.
    Source: 3GPP TR 38.901, Table 7.4.1-1.
    """
    limits = limits_of(scenario)
    check_link(scenario, frequency_ghz, bs_height_m, ut_height_m)
    name = f"3GPP TR 38.901 {scenario} {'LOS' if los else 'NLOS'}"
    require_range(name, "distance_2d_m", distance_2d_m, NEAREST_M, limits.los_m if los else limits.nlos_m, "m")
    if scenario == "RMa":
        require_range(name, "building_height_m", building_height_m, *SURROUNDINGS_M, "m")
        require_range(name, "street_width_m", street_width_m, *SURROUNDINGS_M, "m")
    numbers = [
        np.asarray(value, np.float64)
        for value in (distance_2d_m, frequency_ghz, bs_height_m, ut_height_m, building_height_m, street_width_m)
    ]
    if los:
        return np.asarray(_los(limits.code, *numbers[:-1]))
    return np.asarray(_nlos(limits.code, *numbers))


def los_probability(scenario: Scenario, distance_2d_m: ArrayLike, ut_height_m: ArrayLike) -> NDArray[np.float64]:
    """Probability that an outdoor receiver sees the base station, 0 to 1; the arguments broadcast.

    distance_2d_m : horizontal distance [m], 0 or more
    ut_height_m   : receiver above ground [m]; RMa 1 to 10, UMa and UMi 1.5 to 22.5
    Derived with base stations of 35 m (RMa), 25 m (UMa) and 10 m (UMi). Raises ValueOutOfRange.
    Source: 3GPP TR 38.901, Table 7.4.2-1.
    """
    limits = limits_of(scenario)
    require_range(f"3GPP TR 38.901 {scenario}", "distance_2d_m", distance_2d_m, 0.0, np.inf, "m")
    require_range(f"3GPP TR 38.901 {scenario}", "ut_height_m", ut_height_m, *limits.ut_height_m, "m")
    return np.asarray(_probability(limits.code, np.asarray(distance_2d_m, float), np.asarray(ut_height_m, float)))


def shadow_sigma_db(
    scenario: Scenario,
    *,
    los: bool,
    distance_2d_m: ArrayLike,
    frequency_ghz: ArrayLike,
    bs_height_m: ArrayLike,
    ut_height_m: ArrayLike,
) -> NDArray[np.float64]:
    """Standard deviation of log-normal shadow fading [dB]; the arguments broadcast, ranges as of `path_loss_db`.

    RMa in line of sight: 4 dB up to the breakpoint, 6 dB beyond. It holds the model's error already: do not add it to
    a location variability of another model. Raises ValueOutOfRange.
    Source: 3GPP TR 38.901, Table 7.4.1-1.
    """
    limits = limits_of(scenario)
    check_link(scenario, frequency_ghz, bs_height_m, ut_height_m)
    farthest_m = limits.los_m if los else limits.nlos_m
    require_range(f"3GPP TR 38.901 {scenario}", "distance_2d_m", distance_2d_m, NEAREST_M, farthest_m, "m")
    numbers = [np.asarray(value, np.float64) for value in (distance_2d_m, frequency_ghz, bs_height_m, ut_height_m)]
    return np.asarray(_sigma(limits.code, bool(los), *numbers))
