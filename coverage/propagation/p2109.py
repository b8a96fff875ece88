"""Building entry loss, ITU-R P.2109-2 (08/2023): what a building's outside takes from a signal on its way in."""

from __future__ import annotations

from enum import IntEnum
from math import log10

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.normal_quantile import exceeded_normal
from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.2109-2"
FREQUENCY_GHZ = (0.08, 100.0)


class Building(IntEnum):
    """Section 3: what decides is metallised glass and foil-backed panels, not age."""

    TRADITIONAL = 1
    THERMALLY_EFFICIENT = 2


@njit(cache=True, nogil=True, error_model="numpy")
def building_entry_kernel_db(
    frequency_ghz: float, probability_pct: float, building: int, elevation_deg: float
) -> float:
    """Building entry loss [dB]; parameters as of `building_entry_loss_db`, unchecked. 0.2 us."""
    log_f = log10(frequency_ghz)
    # Table 1: the median for horizontal paths, and means and deviations of the two lognormal parts
    if building == 1:
        horizontal_db = 12.64 + 3.72 * log_f + 0.96 * log_f * log_f
        mean_2_db, sigma_1_db, sigma_2_db = 9.1 - 3.0 * log_f, 9.6 + 2.0 * log_f, 4.5 - 2.0 * log_f
    else:
        horizontal_db = 28.19 - 3.0 * log_f + 8.48 * log_f * log_f
        mean_2_db, sigma_1_db, sigma_2_db = 27.8 - 2.9 * log_f, 13.5 + 3.8 * log_f, 9.4 - 2.1 * log_f
    mean_1_db = horizontal_db + 0.212 * abs(elevation_deg)
    quantile = -exceeded_normal(0.01 * probability_pct)
    first = 10.0 ** (0.1 * (quantile * sigma_1_db + mean_1_db))
    second = 10.0 ** (0.1 * (quantile * sigma_2_db + mean_2_db))
    return 10.0 * log10(first + second + 10.0**-0.3)


# Compiled when first called, for numbers and arrays.
@vectorize(cache=True)
def _entry_each(frequency_ghz: float, probability_pct: float, building: int, elevation_deg: float) -> float:
    return building_entry_kernel_db(frequency_ghz, probability_pct, building, elevation_deg)


def building_entry_loss_db(
    frequency_ghz: ArrayLike,
    probability_pct: ArrayLike = 50.0,
    building: ArrayLike = Building.TRADITIONAL,
    elevation_deg: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Building entry loss that is not exceeded with a probability [dB]; arguments broadcast.

    frequency_ghz   : 0.08 to 100 [GHz]
    probability_pct : above 0, below 100 [%], over all places in all buildings of the kind
    building        : values of `Building`
    elevation_deg   : of the path at the building's front, -90 to 90 [degrees]
    It starts from the level outdoors at the same place and height, and is no clutter loss: the two may add.
    Raises ValueOutOfRange.
    Source: ITU-R P.2109-2 Annex 1 section 3 and Table 1.
    """
    kinds = np.asarray(building)
    if not np.isin(kinds, [kind.value for kind in Building]).all():
        raise ValueOutOfRange(
            what=f"{RECOMMENDATION} does not know this kind of building",
            where=f"building = {np.ravel(kinds).tolist()[:3]}",
            mend="give 1 (traditional) or 2 (thermally efficient)",
        )
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    require_range(RECOMMENDATION, "probability_pct", probability_pct, 0.0, 100.0, "%", open_ends=True)
    require_range(RECOMMENDATION, "elevation_deg", elevation_deg, -90.0, 90.0, "degrees")
    frequency, share, elevation = (np.asarray(v, np.float64) for v in (frequency_ghz, probability_pct, elevation_deg))
    return np.asarray(_entry_each(frequency, share, kinds.astype(np.int64), elevation))
