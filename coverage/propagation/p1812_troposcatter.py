"""Loss by tropospheric scatter, ITU-R P.1812-6 section 4.4.

Edition 7 brought a new formula here, and the ITU has since advised to go back to that of edition 6 (so crc-covlib and
Py1812 report, and so both compute); this is edition 6.
"""

from __future__ import annotations

from math import log10

from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def troposcatter_loss_db(
    distance_km: float, angular_mrad: float, frequency_ghz: float, time_pct: float, n0: float
) -> float:
    """Basic transmission loss by tropospheric scatter not exceeded for p% of the time [dB].

    angular_mrad : path angular distance theta [mrad]
    time_pct     : p [%], up to 50
    n0           : sea-level surface refractivity at the path's centre [N-units]
    Source: P.1812-6, equations (44) and (45).
    """
    log_half = log10(0.5 * frequency_ghz)
    frequency_db = 25.0 * log10(frequency_ghz) - 2.5 * log_half * log_half  # (45)
    loss_db = 190.1 + frequency_db + 20.0 * log10(distance_km) + 0.573 * angular_mrad - 0.15 * n0  # (44)
    if time_pct < 50.0:
        loss_db -= 10.125 * log10(50.0 / time_pct) ** 0.7
    return loss_db
