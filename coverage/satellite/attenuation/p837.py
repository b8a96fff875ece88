"""Rain rates of the average year, ITU-R P.837-7 (06/2017), from monthly rainfall and temperature."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.837-7"
DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MOST_RAINY_PCT = 70.0
# The rate of a rainy month is lognormal about the rate r of the month with these two constants.
LOG_SHIFT, LOG_DEVIATION = 0.7938, 1.26
BISECTIONS = 60
HIGHEST_MM_H = 1000.0


def rain_months(rainfall_mm: ArrayLike, temperature_k: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chance of rain [%] and typical rate [mm/h] of every month; both (..., 12).

    rainfall_mm   : (..., 12) mean total of each month from January on [mm], not negative
    temperature_k : (..., 12) mean surface temperature of each month [K]
    Raises ValueOutOfRange where there are not twelve months.
    Source: ITU-R P.837-7 Annex 1, steps 5 to 7.
    """
    rain, kelvin = np.broadcast_arrays(np.asarray(rainfall_mm, np.float64), np.asarray(temperature_k, np.float64))
    if rain.ndim == 0 or rain.shape[-1] != DAYS.size:
        raise ValueOutOfRange(
            what=f"{RECOMMENDATION} goes from month to month",
            where=f"rainfall_mm and temperature_k are {rain.shape} together",
            mend="give twelve values along the last axis",
        )
    require_range(RECOMMENDATION, "rainfall_mm", rain, 0.0, 3000.0, "mm")
    require_range(RECOMMENDATION, "temperature_k", kelvin, 200.0, 330.0, "K")
    celsius = kelvin - 273.15
    rate_mm_h = 0.5874 * np.exp(0.0883 * np.maximum(celsius, 0.0))
    chance_pct = 100.0 * rain / (24.0 * DAYS * rate_mm_h)
    full = chance_pct > MOST_RAINY_PCT  # it cannot rain longer; then it rains harder
    rate_mm_h = np.where(full, 100.0 / MOST_RAINY_PCT * rain / (24.0 * DAYS), rate_mm_h)
    return np.minimum(chance_pct, MOST_RAINY_PCT), rate_mm_h


def rain_chance_pct(rainfall_mm: ArrayLike, temperature_k: ArrayLike) -> NDArray[np.float64]:
    """Share of the average year in which it rains at all [%]; parameters and errors as of `rain_months`.

    Source: ITU-R P.837-7 Annex 1, step 7.
    """
    chance_pct, _ = rain_months(rainfall_mm, temperature_k)
    return np.asarray((DAYS * chance_pct).sum(axis=-1) / DAYS.sum())


def rain_rate_mm_h(exceedance_pct: float, rainfall_mm: ArrayLike, temperature_k: ArrayLike) -> NDArray[np.float64]:
    """Rain rate exceeded for a share of the average year [mm/h], integrated over 1 minute; 0 where it rains less often.

    exceedance_pct : above 0, below 100 [%]. At 0.01 % the Recommendation has a map of its own, which goes first
    rainfall_mm, temperature_k : as of `rain_months`
    Raises ValueOutOfRange.
    Source: ITU-R P.837-7 Annex 1, step 8; bisection to 1e-5 of the rate and better.
    """
    require_range(RECOMMENDATION, "exceedance_pct", exceedance_pct, 0.0, 100.0, "%", open_ends=True)
    chance_pct, rate_mm_h = rain_months(rainfall_mm, temperature_k)
    with np.errstate(divide="ignore"):
        shift = LOG_SHIFT - np.log(rate_mm_h)
    low, high = np.full(chance_pct.shape[:-1], log(1e-10)), np.full(chance_pct.shape[:-1], log(HIGHEST_MM_H))
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        exceeded_pct = (DAYS * chance_pct * ndtr(-(middle[..., None] + shift) / LOG_DEVIATION)).sum(
            axis=-1
        ) / DAYS.sum()
        more = exceeded_pct > exceedance_pct
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    rains = (DAYS * chance_pct).sum(axis=-1) / DAYS.sum() >= exceedance_pct
    return np.where(rains, np.exp(0.5 * (low + high)), 0.0)
