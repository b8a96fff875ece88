"""Sight, shadow fading and clutter between a satellite and a place outdoors, by elevation.

Source: 3GPP TR 38.811, Tables 6.6.1-1 and 6.6.2-1 to 6.6.2-3, read at second hand: the data files of OpenNTN (MIT) and
three other public programs (one of them a branch of ns-3) hold the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range

EVERY_DEG, LOWEST_DEG = 10.0, 5.0
# Rows from 10 to 90 degrees.
SIGHT = {
    "dense-urban": (0.282, 0.331, 0.398, 0.468, 0.537, 0.612, 0.738, 0.820, 0.981),
    "urban": (0.246, 0.386, 0.493, 0.613, 0.726, 0.805, 0.919, 0.968, 0.992),
    "suburban-rural": (0.782, 0.869, 0.919, 0.929, 0.935, 0.940, 0.949, 0.952, 0.998),
}
# Per row: sigma in sight, sigma out of sight, clutter loss out of sight [dB].
SPREAD = {
    ("dense-urban", "S"): (
        (3.5, 15.5, 34.3), (3.4, 13.9, 30.9), (2.9, 12.4, 29.0), (3.0, 11.7, 27.7), (3.1, 10.6, 26.8),
        (2.7, 10.5, 26.2), (2.5, 10.1, 25.8), (2.3, 9.2, 25.5), (1.2, 9.2, 25.5),
    ),
    ("dense-urban", "Ka"): (
        (2.9, 17.1, 44.3), (2.4, 17.1, 39.9), (2.7, 15.6, 37.5), (2.4, 14.6, 35.8), (2.4, 14.2, 34.6),
        (2.7, 12.6, 33.8), (2.6, 12.1, 33.3), (2.8, 12.3, 33.0), (0.6, 12.3, 32.9),
    ),
    ("urban", "S"): (
        (4.0, 6.0, 34.3), (4.0, 6.0, 30.9), (4.0, 6.0, 29.0), (4.0, 6.0, 27.7), (4.0, 6.0, 26.8),
        (4.0, 6.0, 26.2), (4.0, 6.0, 25.8), (4.0, 6.0, 25.5), (4.0, 6.0, 25.5),
    ),
    ("urban", "Ka"): (
        (4.0, 6.0, 44.3), (4.0, 6.0, 39.9), (4.0, 6.0, 37.5), (4.0, 6.0, 35.8), (4.0, 6.0, 34.6),
        (4.0, 6.0, 33.8), (4.0, 6.0, 33.3), (4.0, 6.0, 33.0), (4.0, 6.0, 32.9),
    ),
    ("suburban-rural", "S"): (
        (1.79, 8.93, 19.52), (1.14, 9.08, 18.17), (1.14, 8.78, 18.42), (0.92, 10.25, 18.28), (1.42, 10.56, 18.63),
        (1.56, 10.74, 17.68), (0.85, 10.17, 16.5), (0.72, 11.52, 16.3), (0.72, 11.52, 16.3),
    ),
    ("suburban-rural", "Ka"): (
        (1.9, 10.7, 29.5), (1.6, 10.0, 24.6), (1.9, 11.2, 21.9), (2.3, 11.6, 20.0), (2.7, 11.8, 18.7),
        (3.1, 10.8, 17.8), (3.0, 10.8, 17.2), (3.6, 10.8, 16.9), (0.4, 10.8, 16.8),
    ),
}  # fmt: skip


def sight_probability(scenario: str, elevation_deg: ArrayLike) -> NDArray[np.float64]:
    """Share of the places outdoors that see a satellite at an elevation, 0 to 1.

    scenario      : "dense-urban", "urban" or "suburban-rural"
    elevation_deg : 5 to 90 [degrees]; the nearest row counts, of two the lower
    Raises ValueOutOfRange.
    Source: 3GPP TR 38.811, Table 6.6.1-1.
    """
    _known(scenario, "S")
    return np.asarray(np.array(SIGHT[scenario])[_row(elevation_deg)])


def shadowing(
    scenario: str, elevation_deg: ArrayLike, los: ArrayLike, band: str = "S"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviation of shadow fading and clutter loss outdoors [dB]; elevation and los broadcast.

    scenario      : "dense-urban", "urban" or "suburban-rural"
    elevation_deg : 5 to 90 [degrees]; the nearest row counts, of two the lower
    los           : bool, the place sees the satellite; then there is no clutter loss
    band          : "S" (2 to 4 GHz) or "Ka" (26.5 to 40 GHz)
    The fading has mean 0. Not to be added to a location variability of another model.
    Raises ValueOutOfRange.
    Source: 3GPP TR 38.811, Tables 6.6.2-1 to 6.6.2-3.
    """
    _known(scenario, band)
    row, sight = np.broadcast_arrays(_row(elevation_deg), np.asarray(los, np.bool_))
    table = np.array(SPREAD[scenario, band])[row]
    sigma_db = np.where(sight, table[..., 0], table[..., 1])
    return sigma_db, np.where(sight, 0.0, table[..., 2])


def _row(elevation_deg: ArrayLike) -> NDArray[np.int64]:
    require_range("shadowing of a satellite", "elevation_deg", elevation_deg, LOWEST_DEG, 90.0, "degrees")
    tens = np.ceil(np.asarray(elevation_deg, np.float64) / EVERY_DEG - 0.5)
    return np.maximum(tens.astype(np.int64) - 1, 0)


def _known(scenario: str, band: str) -> None:
    if (scenario, band) not in SPREAD:
        raise ValueOutOfRange(
            what="no table of shadowing for these surroundings",
            where=f"scenario = {scenario!r}, band = {band!r}",
            mend=f"name one of {', '.join(SIGHT)} and a band S or Ka",
        )
