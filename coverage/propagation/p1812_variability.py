"""Time and location statistics of ITU-R P.1812-7: normal quantiles, location variability."""

from __future__ import annotations

from math import log, sqrt

from numba import njit

# Width of the square over which a location varies. The Recommendation leaves it to the resolution of the prediction;
# 100 m is that of the default demand grid, and crc-covlib's default.
DEFAULT_AREA_WIDTH_M = 100.0


@njit(cache=True, nogil=True, error_model="numpy")
def exceeded_quantile(share: float) -> float:
    """The standard normal value exceeded with a probability of `share`, 0 to 1, to 4.5e-4; limited to 1e-6 .. 1 - 1e-6.

    Source: ITU-R P.1812-7 Attachment 2, equations (96) and (97).
    """
    if share == 0.5:  # where the approximation leaves -2e-9
        return 0.0
    tail = min(max(min(share, 1.0 - share), 1e-6), 0.5)
    t = sqrt(-2.0 * log(tail))
    c = (2.515516698 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    return t - c if share <= 0.5 else c - t


@njit(cache=True, nogil=True, error_model="numpy")
def sigma_over_locations_db(frequency_ghz: float, rx_height_m: float, clutter_m: float, area_width_m: float) -> float:
    """Standard deviation of the loss between places in a square, outdoors [dB].

    rx_height_m  : receiver above ground [m]
    clutter_m    : representative clutter at the receiver [m above ground]
    area_width_m : side of the square [m]
    Source: P.1812-7 section 4.7, (64) to (66); clearing the clutter by 10 m ends the variation.
    """
    exposed = min(max(1.0 - (rx_height_m - clutter_m) / 10.0, 0.0), 1.0)
    sigma_db: float = (0.52 + 0.024 * frequency_ghz) * area_width_m**0.28 * exposed
    return sigma_db
