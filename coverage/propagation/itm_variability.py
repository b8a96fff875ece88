"""Variability of the Irregular Terrain Model, version 1.2.2, in time, over locations and between situations.

Source: G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2, the Algorithm, section 5; the climates' curves
are those of TN101 volume 2, figure 10.13 and annex III, as tabulated in NTIA's program.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.propagation.itm_attenuation import MHZ_PER_WAVENUMBER
from phusong.coverage.propagation.itm_terrain import Terminals, roughness_m

# Modes of variability: which of the three a user of the link notices as time.
SINGLE_MESSAGE, ACCIDENTAL, MOBILE, BROADCAST = 0, 1, 2, 3
NO_LOCATION, NO_SITUATION = 10, 20

EXTREME_QUANTILE = 3.10
# One row a climate: equatorial, continental subtropical, maritime subtropical, desert, continental temperate, maritime
# temperate over land, maritime temperate over sea. Columns of a curve: c1, c2 [dB], x1, x2, x3 [km].
_MEDIAN = np.array(
    [
        [-9.67, 12.7, 144.9, 190.3, 133.8],
        [-0.62, 9.19, 228.9, 205.2, 143.6],
        [1.26, 15.5, 262.6, 185.2, 99.8],
        [-9.21, 9.05, 84.1, 101.1, 98.6],
        [-0.62, 9.19, 228.9, 205.2, 143.6],
        [-0.39, 2.86, 141.7, 315.9, 167.4],
        [3.15, 857.9, 2222.0, 164.8, 116.3],
    ]
)
# Deviation over time where the signal is weaker than its median.
_WEAK = np.array(
    [
        [2.13, 159.5, 762.2, 123.6, 94.5],
        [2.66, 7.67, 100.4, 172.5, 136.4],
        [6.11, 6.65, 138.2, 242.2, 178.6],
        [1.98, 13.11, 139.1, 132.7, 193.5],
        [2.68, 7.16, 93.7, 186.8, 133.5],
        [6.86, 10.38, 187.8, 169.6, 108.9],
        [8.51, 169.8, 609.8, 119.9, 106.6],
    ]
)
# The same where it is stronger.
_STRONG = np.array(
    [
        [2.11, 102.3, 636.9, 134.8, 95.6],
        [6.87, 15.53, 138.7, 143.7, 98.6],
        [10.08, 9.60, 165.3, 225.7, 129.7],
        [3.68, 159.3, 464.4, 93.1, 94.2],
        [4.75, 8.12, 93.2, 135.9, 113.4],
        [8.58, 13.97, 216.0, 152.0, 122.7],
        [8.43, 8.19, 136.2, 188.5, 122.9],
    ]
)
# Strongest signals: factor of that deviation, and the quantile beyond which it applies. Algorithm, table 5.1.
_STRONGEST = np.array(
    [[1.224, 1.282], [0.801, 2.161], [1.380, 1.282], [1.000, 20.0], [1.224, 1.282], [1.518, 1.282], [1.518, 1.282]]
)
# Frequency factors b1 + b2 / ((b3 ln 0.133k)^2 + 1) of the two deviations.
_WEAK_FREQUENCY = np.array([[1.0, 0.0, 0.0]] * 4 + [[0.92, 0.25, 1.77]] + [[1.0, 0.0, 0.0]] * 2)
_STRONG_FREQUENCY = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.93, 0.31, 2.00],
        [1.0, 0.0, 0.0],
        [0.93, 0.19, 1.79],
        [0.93, 0.31, 2.00],
        [1.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
    ]
)


@njit(cache=True, nogil=True, error_model="numpy")
def exceeded_quantile(share: float) -> float:
    """The standard normal value exceeded with a probability of `share`, above 0 and below 1, to 4.5e-4.

    Source: Abramowitz and Stegun, formula 26.2.23.
    """
    t = sqrt(-2.0 * log(min(share, 1.0 - share)))
    c = (2.515516 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    return c - t if share > 0.5 else t - c


@njit(cache=True, nogil=True, error_model="numpy")
def _curve_db(row: NDArray[np.float64], d_km: float) -> float:
    # A climate's curve over effective distance. TN101 volume 2, (III.69), (III.70).
    bend = (d_km - row[3]) / row[4]
    square = (d_km / row[2]) * (d_km / row[2])
    db: float = (row[0] + row[1] / (1.0 + bend * bend)) * square / (1.0 + square)
    return db


@njit(cache=True, nogil=True, error_model="numpy")
def _frequency_factor(row: NDArray[np.float64], wavenumber: float) -> float:
    b = row[2] * log(0.133 * wavenumber)
    factor: float = row[0] + row[1] / (b * b + 1.0)
    return factor


@njit(cache=True, nogil=True, error_model="numpy")
def varied_attenuation_db(
    reference_db: float,
    ends: Terminals,
    frequency_mhz: float,
    climate: int,
    mdvar: int,
    time_pct: float,
    location_pct: float,
    situation_pct: float,
) -> tuple[float, bool]:
    """Attenuation relative to free space not exceeded in the shares asked for [dB], and whether one is extreme.

    reference_db : reference attenuation [dB]
    climate      : 1 to 7, in the order of the table
    mdvar        : mode, + NO_LOCATION without location variability, + NO_SITUATION without direct situation variability
    time_pct, location_pct, situation_pct : above 0, below 100 [%]
    Source: Algorithm, section 5, (5.3) to (5.11), and the limit of negative attenuations, (52).
    """
    row = climate - 1
    z_time = exceeded_quantile(0.01 * time_pct)
    z_location = exceeded_quantile(0.01 * location_pct)
    z_situation = exceeded_quantile(0.01 * situation_pct)
    wavenumber = frequency_mhz / MHZ_PER_WAVENUMBER
    # (5.3), effective distance
    reach: float = (575.7e12 / wavenumber) ** (1.0 / 3.0)
    reach += sqrt(2.0 * 9000e3 * ends.tx_effective_m) + sqrt(2.0 * 9000e3 * ends.rx_effective_m)
    d = ends.distance_m
    effective_km = 130.0 * d / reach if d < reach else 130.0 + 1e-3 * (d - reach)
    sigma_situation = 0.0
    mode = mdvar
    if mode >= NO_SITUATION:
        mode -= NO_SITUATION
    else:
        sigma_situation = 5.0 + 3.0 * exp(-effective_km / 100.0)  # (5.10)
    sigma_location = 0.0
    if mode >= NO_LOCATION:
        mode -= NO_LOCATION
    else:
        rough = wavenumber * roughness_m(d, ends.irregularity_m)
        sigma_location = 10.0 * rough / (rough + 13.0)  # (5.9)
    if mode == SINGLE_MESSAGE:
        z_time = z_situation
        z_location = z_situation
    elif mode == ACCIDENTAL:
        z_location = z_situation
    elif mode == MOBILE:
        z_location = z_time
    extreme = max(abs(z_time), abs(z_location), abs(z_situation)) > EXTREME_QUANTILE
    if z_time < 0.0:
        sigma_time = _curve_db(_WEAK[row], effective_km) * _frequency_factor(_WEAK_FREQUENCY[row], wavenumber)
    else:
        sigma_time = _curve_db(_STRONG[row], effective_km) * _frequency_factor(_STRONG_FREQUENCY[row], wavenumber)
        factor, z_strongest = _STRONGEST[row]
        if z_time > z_strongest:
            sigma_time *= factor + (1.0 - factor) * z_strongest / z_time
    y_time = sigma_time * z_time
    y_location = sigma_location * z_location
    z2 = z_situation * z_situation
    # (5.11)
    rest = sigma_situation * sigma_situation + y_time * y_time / (7.8 + z2) + y_location * y_location / (24.0 + z2)
    if mode == SINGLE_MESSAGE:
        noticed_db = 0.0
        rest += sigma_time * sigma_time + sigma_location * sigma_location
    elif mode == ACCIDENTAL:
        noticed_db = y_time
        rest += sigma_location * sigma_location
    elif mode == MOBILE:
        noticed_db = sqrt(sigma_time * sigma_time + sigma_location * sigma_location) * z_time
    else:
        noticed_db = y_time + y_location
    varied_db = reference_db - _curve_db(_MEDIAN[row], effective_km) - noticed_db - sqrt(rest) * z_situation
    if varied_db < 0.0:
        varied_db *= (29.0 - varied_db) / (29.0 - 10.0 * varied_db)
    return varied_db, extreme
