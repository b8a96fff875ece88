"""Total attenuation and sky noise on slant paths, ITU-R P.618-13 (12/2017) sections 2.5 and 3."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Section 3: effective temperature of the medium where nothing better is known, and the cosmic background.
MEDIUM_K = 275.0
COSMIC_K = 2.7
# Section 2.5: gas and cloud count with what is exceeded for 1 % at the most; below, they are in the rain's statistics.
LEAST_COLUMN_PCT = 1.0


def total_attenuation_db(
    gas_db: ArrayLike, cloud_db: ArrayLike, rain_db: ArrayLike, scintillation_db: ArrayLike
) -> NDArray[np.float64]:
    """Total attenuation exceeded for a share of the average year [dB]; arguments broadcast.

    gas_db, cloud_db : exceeded as long, for shares below 1 % those of 1 % [dB]
    rain_db, scintillation_db : exceeded as long [dB]
    Source: ITU-R P.618-13 section 2.5.
    """
    gas, cloud, rain, twinkle = (np.asarray(v, np.float64) for v in (gas_db, cloud_db, rain_db, scintillation_db))
    return np.asarray(gas + np.hypot(rain + cloud, twinkle))


def sky_noise_k(loss_db: ArrayLike, medium_k: float = MEDIUM_K) -> NDArray[np.float64]:
    """Noise temperature of the sky at the antenna [K]: the lossy air's own and the cosmic background through it.

    loss_db  : total attenuation without scintillation [dB]
    medium_k : effective temperature of the air, clouds and rain [K]
    Source: ITU-R P.618-13 section 3.
    """
    through = 10.0 ** (-0.1 * np.asarray(loss_db, np.float64))
    return np.asarray(medium_k * (1.0 - through) + COSMIC_K * through)
