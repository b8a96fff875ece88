"""Okumura-Hata and COST 231-Hata: medians measured in and around cities, over gentle ground.

Sources: Hata = M. Hata, Empirical formula for propagation loss in land mobile radio services, IEEE Transactions on
Vehicular Technology VT-29 (1980) 317; COST 231 = Digital mobile radio towards future generation systems, final report
(1999), section 4.4.1. The losses hold the houses around the receiver: no clutter correction is added to them.
"""

from __future__ import annotations

from math import log10, sqrt
from typing import Literal

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range

SMALL_CITY, LARGE_CITY, SUBURBAN, OPEN = 0, 1, 2, 3
ENVIRONMENTS = {"small-city": SMALL_CITY, "large-city": LARGE_CITY, "suburban": SUBURBAN, "open": OPEN}
HATA_MHZ = (150.0, 1500.0)
COST231_MHZ = (1500.0, 2000.0)
BASE_M = (30.0, 200.0)
MOBILE_M = (1.0, 10.0)
NEAREST_KM = 1.0
FARTHEST_KM = 20.0
FARTHEST_EXTENDED_KM = 100.0  # ITU-R P.529-3, for Okumura-Hata
METROPOLITAN_DB = 3.0  # COST 231, C_m

Environment = Literal["small-city", "large-city", "suburban", "open"]


@njit(cache=True, nogil=True, error_model="numpy")
def mobile_gain_db(large_city: bool, frequency_mhz: float, mobile_height_m: float) -> float:
    """a(h_m), about 0 dB at 1.5 m. Hata; in large cities he leaves 200 to 400 MHz open, divided here at 300 MHz."""
    if not large_city:
        log_f = log10(frequency_mhz)
        return (1.1 * log_f - 0.7) * mobile_height_m - (1.56 * log_f - 0.8)
    if frequency_mhz < 300.0:
        low = log10(1.54 * mobile_height_m)
        return 8.29 * low * low - 1.1
    high = log10(11.75 * mobile_height_m)
    return 3.2 * high * high - 4.97


@njit(cache=True, nogil=True, error_model="numpy")
def distance_term_db(frequency_mhz: float, base_height_m: float, distance_km: float) -> float:
    """Growth of the loss with distance from 1 km [dB]. Hata; beyond 20 km with the exponent of ITU-R P.529-3."""
    log_d: float = log10(distance_km)
    if distance_km > FARTHEST_KM:
        height_m = base_height_m / sqrt(1.0 + 7e-6 * base_height_m * base_height_m)
        beyond: float = log10(distance_km / FARTHEST_KM) ** 0.8
        log_d = log_d ** (1.0 + (0.14 + 1.87e-4 * frequency_mhz + 1.07e-3 * height_m) * beyond)
    return (44.9 - 6.55 * log10(base_height_m)) * log_d


@njit(cache=True, nogil=True, error_model="numpy")
def okumura_hata_db(
    environment: int, distance_km: float, frequency_mhz: float, base_height_m: float, mobile_height_m: float
) -> float:
    """Median loss [dB], unchecked; see `okumura_hata_loss_db`. 60 ns."""
    log_f = log10(frequency_mhz)
    loss_db = 69.55 + 26.16 * log_f - 13.82 * log10(base_height_m)
    loss_db -= mobile_gain_db(environment == LARGE_CITY, frequency_mhz, mobile_height_m)
    loss_db += distance_term_db(frequency_mhz, base_height_m, distance_km)
    if environment == SUBURBAN:
        low = log10(frequency_mhz / 28.0)
        loss_db -= 2.0 * low * low + 5.4
    elif environment == OPEN:
        loss_db -= 4.78 * log_f * log_f - 18.33 * log_f + 40.94
    return loss_db


@njit(cache=True, nogil=True, error_model="numpy")
def cost231_hata_db(
    metropolitan: bool, distance_km: float, frequency_mhz: float, base_height_m: float, mobile_height_m: float
) -> float:
    """Median loss [dB], unchecked; see `cost231_hata_loss_db`. 50 ns."""
    loss_db = 46.3 + 33.9 * log10(frequency_mhz) - 13.82 * log10(base_height_m)
    loss_db -= mobile_gain_db(False, frequency_mhz, mobile_height_m)
    loss_db += (44.9 - 6.55 * log10(base_height_m)) * log10(distance_km)
    return loss_db + METROPOLITAN_DB if metropolitan else loss_db


@vectorize(cache=True)
def _okumura_hata(environment: int, distance_km: float, frequency_mhz: float, base_m: float, mobile_m: float) -> float:
    return okumura_hata_db(environment, distance_km, frequency_mhz, base_m, mobile_m)


@vectorize(cache=True)
def _cost231_hata(
    metropolitan: bool, distance_km: float, frequency_mhz: float, base_m: float, mobile_m: float
) -> float:
    return cost231_hata_db(metropolitan, distance_km, frequency_mhz, base_m, mobile_m)


def environment_code(environment: str) -> int:
    """Number of an environment of Okumura-Hata. Raises ValueOutOfRange for one that is not known."""
    if environment not in ENVIRONMENTS:
        raise ValueOutOfRange(
            what=f"Okumura-Hata has no environment {environment!r}",
            where="environment",
            mend="choose one of " + ", ".join(ENVIRONMENTS),
        )
    return ENVIRONMENTS[environment]


def okumura_hata_loss_db(
    environment: Environment,
    *,
    distance_km: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    mobile_height_m: ArrayLike,
) -> NDArray[np.float64]:
    """Median basic transmission loss of Okumura-Hata [dB]; the arguments broadcast.

    environment     : "small-city" (and medium), "large-city" (houses above 15 m), "suburban" or "open"
    distance_km     : 1 to 20 [km]; to 100 by the extension of ITU-R P.529-3
    frequency_mhz   : 150 to 1500 [MHz]
    base_height_m   : effective height of the base station, 30 to 200 [m]
    mobile_height_m : above ground, 1 to 10 [m]
    Raises ValueOutOfRange.
    """
    code = environment_code(environment)
    require_range("Okumura-Hata", "distance_km", distance_km, NEAREST_KM, FARTHEST_EXTENDED_KM, "km")
    require_range("Okumura-Hata", "frequency_mhz", frequency_mhz, *HATA_MHZ, "MHz")
    require_range("Okumura-Hata", "base_height_m", base_height_m, *BASE_M, "m")
    require_range("Okumura-Hata", "mobile_height_m", mobile_height_m, *MOBILE_M, "m")
    numbers = [np.asarray(value, np.float64) for value in (distance_km, frequency_mhz, base_height_m, mobile_height_m)]
    return np.asarray(_okumura_hata(code, *numbers))


def cost231_hata_loss_db(
    *,
    metropolitan: bool,
    distance_km: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    mobile_height_m: ArrayLike,
) -> NDArray[np.float64]:
    """Median basic transmission loss of COST 231-Hata [dB]; the arguments broadcast.

    metropolitan    : True: metropolitan centres; False: medium cities and suburban centres with trees
    distance_km     : 1 to 20 [km]
    frequency_mhz   : 1500 to 2000 [MHz]
    base_height_m   : effective height of the base station, above the roofs, 30 to 200 [m]
    mobile_height_m : above ground, 1 to 10 [m]
    Raises ValueOutOfRange.
    """
    require_range("COST 231-Hata", "distance_km", distance_km, NEAREST_KM, FARTHEST_KM, "km")
    require_range("COST 231-Hata", "frequency_mhz", frequency_mhz, *COST231_MHZ, "MHz")
    require_range("COST 231-Hata", "base_height_m", base_height_m, *BASE_M, "m")
    require_range("COST 231-Hata", "mobile_height_m", mobile_height_m, *MOBILE_M, "m")
    numbers = [np.asarray(value, np.float64) for value in (distance_km, frequency_mhz, base_height_m, mobile_height_m)]
    return np.asarray(_cost231_hata(bool(metropolitan), *numbers))
