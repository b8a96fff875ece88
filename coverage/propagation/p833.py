"""Loss of a terminal standing in woodland, ITU-R P.833-9 (09/2016) section 2.1.

The Recommendation gives the form, five pairs of values measured near St Petersburg (Table 1), a plot of the specific
attenuation (Figure 2) and three fits of the greatest attenuation; no reference program or validation set of it is
known. The plot is read here as two straight lines, which lie 0 to 25% above Table 1.
"""

from __future__ import annotations

from math import exp, inf, log, nan
from typing import NamedTuple

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.833-9"
FREQUENCY_MHZ = (30.0, 30_000.0)  # the frequencies of Figure 2


class Woodland(NamedTuple):
    """Where the greatest attenuation was measured: a1_db f^exponent, f in MHz, and over which frequencies.

    Beyond those frequencies the fit is carried on, as an assumption.
    """

    a1_db: float
    exponent: float
    lowest_mhz: float
    highest_mhz: float


# Section 2.1, with equation (2). Trees of about 15 m in all three, receivers 1.5 to 2.4 m above ground.
WOODLANDS = {
    "st-petersburg": Woodland(1.37, 0.42, 105.9, 2117.5),  # mixed forest of average density
    "mulhouse": Woodland(1.15, 0.43, 900.0, 2200.0),  # various species; deviation of the measurements 8.7 dB
    "rio-de-janeiro": Woodland(0.18, 0.752, 900.0, 1800.0),  # tropical trees in a park
}
DEFAULT_WOODLAND = "st-petersburg"  # the widest range of frequencies


@njit(cache=True, nogil=True, error_model="numpy")
def specific_attenuation_kernel_db_m(frequency_mhz: float) -> float:
    """Specific attenuation of woodland, vertical polarization [dB/m]; NaN outside 30 MHz to 30 GHz.

    Source: P.833-9 Figure 2, read at 30 MHz (0.02), 1 GHz (0.2) and 30 GHz (6); straight between them in logarithms.
    """
    if not 30.0 <= frequency_mhz <= 30_000.0:
        return nan
    if frequency_mhz >= 1000.0:
        return 0.2e-3 * frequency_mhz  # 0.2 to 6 over 1 to 30 GHz: proportional
    slope = log(10.0) / log(1000.0 / 30.0)
    per_metre_db: float = 0.02 * exp(slope * log(frequency_mhz / 30.0))
    return per_metre_db


@njit(cache=True, nogil=True, error_model="numpy")
def woodland_kernel_db(frequency_mhz: float, depth_m: float, a1_db: float, exponent: float) -> float:
    """Loss of `woodland_loss_db`; NaN outside 30 MHz to 30 GHz. 60 ns."""
    per_metre_db = specific_attenuation_kernel_db_m(frequency_mhz)
    greatest_db = a1_db * frequency_mhz**exponent  # (2)
    loss_db: float = greatest_db * (1.0 - exp(-depth_m * per_metre_db / greatest_db))  # (1)
    return loss_db


# Compiled when first called, for numbers and arrays.
@vectorize(cache=True)
def _specific_each(frequency_mhz: float) -> float:
    return specific_attenuation_kernel_db_m(frequency_mhz)


@vectorize(cache=True)
def _woodland_each(frequency_mhz: float, depth_m: float, a1_db: float, exponent: float) -> float:
    return woodland_kernel_db(frequency_mhz, depth_m, a1_db, exponent)


def woodland(name: str) -> Woodland:
    """The measured woodland of a name. Raises ValueOutOfRange for a name that P.833 does not have."""
    if name in WOODLANDS:
        return WOODLANDS[name]
    raise ValueOutOfRange(
        what=f"{RECOMMENDATION} has measured no woodland {name!r}",
        where=f"woodland = {name!r}",
        mend="choose one of " + ", ".join(WOODLANDS),
    )


def specific_attenuation_db_m(frequency_mhz: ArrayLike) -> NDArray[np.float64]:
    """Attenuation of a short path in woodland [dB/m], vertical polarization.

    frequency_mhz : 30 to 30,000 [MHz]
    Below about 1 GHz horizontal polarization loses less. Raises ValueOutOfRange.
    Source: ITU-R P.833-9 section 2.1, Figure 2.
    """
    require_range(RECOMMENDATION, "frequency_mhz", frequency_mhz, *FREQUENCY_MHZ, "MHz")
    return np.asarray(_specific_each(np.asarray(frequency_mhz, np.float64)))


def woodland_loss_db(
    frequency_mhz: ArrayLike, depth_m: ArrayLike, trees: str = DEFAULT_WOODLAND
) -> NDArray[np.float64]:
    """Loss that woodland adds to a terrestrial path with one terminal in it [dB]; arguments broadcast.

    frequency_mhz : 30 to 30,000 [MHz]; see `Woodland` for where the fits were measured
    depth_m       : length of the path within the woodland, 0 or more [m]
    trees         : a name of `WOODLANDS`
    Raises ValueOutOfRange.
    Source: ITU-R P.833-9 section 2.1, equations (1) and (2).
    """
    measured = woodland(trees)
    require_range(RECOMMENDATION, "frequency_mhz", frequency_mhz, *FREQUENCY_MHZ, "MHz")
    require_range(RECOMMENDATION, "depth_m", depth_m, 0.0, inf, "m")
    frequency, depth = np.asarray(frequency_mhz, np.float64), np.asarray(depth_m, np.float64)
    return np.asarray(_woodland_each(frequency, depth, measured.a1_db, measured.exponent))
