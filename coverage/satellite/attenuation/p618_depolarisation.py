"""Cross-polarisation by rain and ice, ITU-R P.618-13 (12/2017) section 4.1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.ranges import require_range

RECOMMENDATION = "ITU-R P.618-13"
FREQUENCY_GHZ = (4.0, 55.0)


def discrimination_db(
    frequency_ghz: ArrayLike,
    elevation_deg: ArrayLike,
    exceedance_pct: ArrayLike,
    rain_db: ArrayLike,
    tilt_deg: ArrayLike = 45.0,
) -> NDArray[np.float64]:
    """Cross-polarisation discrimination not exceeded for a share of the average year [dB]; arguments broadcast.

    frequency_ghz  : 4 to 55 [GHz]; below 6 scaled from 6
    elevation_deg  : 0 to 89.9 [degrees]; stated for up to 60, the same term is carried on
    exceedance_pct : 0.001 to 50 [%]
    rain_db        : rain attenuation exceeded as long [dB], above 0
    tilt_deg       : of the polarisation from the horizontal [degrees], 45 for circular
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 4.1, steps 1 to 8; below 6 GHz section 4.3.
    """
    require_range(RECOMMENDATION, "frequency_ghz", frequency_ghz, *FREQUENCY_GHZ, "GHz")
    require_range(RECOMMENDATION, "elevation_deg", elevation_deg, 0.0, 89.9, "degrees")
    require_range(RECOMMENDATION, "exceedance_pct", exceedance_pct, 0.001, 50.0, "%")
    require_range(RECOMMENDATION, "rain_db", rain_db, 0.0, np.inf, "dB", open_ends=True)
    given, elevation, share, rain, tilt = (
        np.asarray(v, np.float64) for v in (frequency_ghz, elevation_deg, exceedance_pct, rain_db, tilt_deg)
    )
    f = np.maximum(given, 6.0)
    log_f = np.log10(f)
    of_frequency = np.select([f < 9.0, f < 36.0], [60.0 * log_f - 28.3, 26.0 * log_f + 4.1], 35.9 * log_f - 11.3)
    slope = np.select([f < 9.0, f < 20.0, f < 40.0], [30.8 * f**-0.21, 12.8 * f**0.19, 22.6 + 0.0 * f], 13.0 * f**0.15)
    of_tilt = -10.0 * np.log10(1.0 - 0.484 * (1.0 + np.cos(np.radians(4.0 * tilt))))
    of_elevation = -40.0 * np.log10(np.cos(np.radians(elevation)))
    canting_deg = np.select([share <= 0.001, share <= 0.01, share <= 0.1], [15.0, 10.0, 5.0], 0.0)
    of_rain = of_frequency - slope * np.log10(rain) + of_tilt + of_elevation + 0.0053 * canting_deg**2
    with_ice = of_rain - of_rain * (0.3 + 0.1 * np.log10(share)) / 2.0
    return np.asarray(with_ice - 20.0 * np.log10(given / f))
