"""Effective Earth radius: the ray bends in the air; a larger Earth makes it straight."""

from __future__ import annotations

from phusong.coverage.errors import ValueOutOfRange

EARTH_RADIUS_KM = 6371.0
# k = 4/3 is the standard atmosphere (ITU-R P.310-10, "effective radius of the Earth"). An assumption for Vietnam:
# the ITU-R maps of delta N, which would give it place by place, may not be redistributed.
STANDARD_EFFECTIVE_RADIUS_KM = EARTH_RADIUS_KM * 4.0 / 3.0


def effective_radius_km(delta_n: float) -> float:
    """Median effective Earth radius [km].

    delta_n : mean refractivity lapse rate through the lowest 1 km of air [N-units/km], positive, below 157
    Raises ValueOutOfRange where the ray would bend as much as the Earth does or more.
    Source: ITU-R P.1812-7, equations (6) and (7a).
    """
    if not 0.0 <= delta_n < 157.0:
        raise ValueOutOfRange(
            what="the refractivity lapse rate gives no effective Earth radius",
            where=f"delta_n = {delta_n}",
            mend="give delta_n in N-units/km, from 0 up to but not including 157 (about 40 to 60 in most places)",
        )
    return EARTH_RADIUS_KM * 157.0 / (157.0 - delta_n)
