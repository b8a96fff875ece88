"""Satellites' positions step by step, turning with the Earth."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from sgp4.api import SGP4_ERRORS, WGS72, Satrec, SatrecArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.frames import JULIAN_DAY_OF_ZERO, sidereal_rad
from phusong.coverage.satellite.orbits import EARTH_RADIUS_KM, GRAVITY_KM3_S2, J2, Orbits

EPOCH_EVERY_S = 300.0  # SGP4 is run so often; between, a polynomial of the fifth degree
AT_ONCE = 1024  # satellites, which bounds the memory for epochs to 14 MB a day


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Earth-fixed positions of N satellites at T evenly spaced moments.

    position_km : (T, N, 3) float32, resolved to 0.5 m in low orbit; NaN where SGP4 finds no orbit any more
    start_days  : of the first moment, days since 1949-12-31 00:00 UTC
    step_s      : between moments
    failed      : what SGP4 said -> how many satellites
    """

    position_km: NDArray[np.float32]
    start_days: float
    step_s: float
    failed: dict[str, int]


def satellites(orbits: Orbits) -> list[Satrec]:
    """One SGP4 satellite each: WGS 72, improved mode, the form that element sets are fitted with."""
    made = []
    per_minute = 2.0 * pi / 1440.0
    columns = (
        orbits.epoch_days, orbits.drag_per_earth_radius, orbits.eccentricity, np.radians(orbits.perigee_deg),
        np.radians(orbits.inclination_deg), np.radians(orbits.anomaly_deg), orbits.mean_motion_rev_day * per_minute,
        np.radians(orbits.node_deg),
    )  # fmt: skip
    for epoch, drag, eccentricity, perigee, inclination, anomaly, motion, node in zip(
        *(np.asarray(column, np.float64).tolist() for column in columns), strict=True
    ):
        one = Satrec()
        # The two zeros are derivatives of the mean motion, which SGP4 does not use.
        one.sgp4init(
            WGS72, "i", 0, epoch, drag, 0.0, 0.0, eccentricity, perigee, inclination, anomaly, motion, node
        )  # fmt: skip
        made.append(one)
    return made


def teme_km(orbits: Orbits, days: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]:
    """Positions [km] and velocities [km/s] (N, K, 3) by SGP4 in TEME, and its error codes (N, K), 0: none.

    days : (K,) since 1949-12-31 00:00 UTC. 0.6 us a satellite and moment.
    """
    moments = np.atleast_1d(np.asarray(days, np.float64))
    whole = np.floor(moments)
    error, position, velocity = SatrecArray(satellites(orbits)).sgp4(whole + JULIAN_DAY_OF_ZERO, moments - whole)
    return position, velocity, error


def tracks(
    orbits: Orbits, start_days: float, steps: int, step_s: float, *, epoch_every_s: float = EPOCH_EVERY_S
) -> Tracks:
    """Where every satellite is at start_days + k step_s, k < steps.

    epoch_every_s : SGP4 is run so often, and at both ends. Between, each coordinate is the polynomial of the fifth
        degree through SGP4's positions and velocities and the acceleration of gravity with J2. For orbits rounder than
        0.02 that stays within 10 m of SGP4 at 300 s, within 30 m at 600 s.
    0.2 us a satellite and step; 12 bytes. Raises ValueOutOfRange for no satellite, or no step.
    """
    if len(orbits) == 0 or steps < 1 or not step_s > 0.0 or not epoch_every_s > 0.0:
        raise ValueOutOfRange(
            what="no satellite moves through this sky",
            where=f"{len(orbits)} satellites, {steps} steps of {step_s} s, epochs every {epoch_every_s} s",
            mend="give at least one satellite and one step, and times above zero",
        )
    knots = int(np.ceil((steps - 1) * step_s / epoch_every_s)) + 1
    knot_s = np.arange(max(knots, 2), dtype=np.float64) * epoch_every_s
    step = np.arange(steps, dtype=np.float64) * step_s
    angle = sidereal_rad(start_days + step / 86_400.0)
    cosine, sine = np.asarray(np.cos(angle), np.float64), np.asarray(np.sin(angle), np.float64)
    place = np.empty((steps, len(orbits), 3), np.float32)
    failed: dict[str, int] = {}
    for first in range(0, len(orbits), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        position, velocity, error = teme_km(orbits[some], start_days + knot_s / 86_400.0)
        position[error != 0] = np.nan
        _between_epochs(position, velocity, epoch_every_s, step, cosine, sine, place[:, some])
        for code in error.max(axis=1)[error.any(axis=1)].tolist():
            said = SGP4_ERRORS.get(code, str(code))
            failed[said] = failed.get(said, 0) + 1
    return Tracks(place, start_days, step_s, failed)


@njit(cache=True, nogil=True)
def _acceleration(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Of gravity with J2 [km/s^2] at a place of TEME [km]; Vallado, "Fundamentals of Astrodynamics", on zonals."""
    squared = x * x + y * y + z * z
    pull = -GRAVITY_KM3_S2 / (squared * np.sqrt(squared))
    bulge = 1.5 * J2 * EARTH_RADIUS_KM * EARTH_RADIUS_KM / squared
    aside = 5.0 * z * z / squared
    across = pull * (1.0 + bulge * (1.0 - aside))
    return across * x, across * y, pull * (1.0 + bulge * (3.0 - aside)) * z


@njit(cache=True, nogil=True)
def _between_epochs(
    position: NDArray[np.float64],
    velocity: NDArray[np.float64],
    every_s: float,
    step_s: NDArray[np.float64],
    cos_angle: NDArray[np.float64],
    sin_angle: NDArray[np.float64],
    place: NDArray[np.float32],
) -> None:
    """Fills place (T, N, 3), Earth-fixed, from position and velocity (N, K, 3) at epochs; 10 ns an element."""
    knots = position.shape[1]
    pull = np.empty((knots, 3))
    weights = np.empty((step_s.size, 6))
    knot = np.empty(step_s.size, np.int64)
    for t in range(step_s.size):
        k = min(int(step_s[t] / every_s), knots - 2)
        u = step_s[t] / every_s - k
        u3 = u * u * u
        knot[t] = k
        # Hermite's basis of the fifth degree: value, slope and bend at both ends.
        weights[t, 0] = 1.0 - u3 * (10.0 - u * (15.0 - 6.0 * u))
        weights[t, 1] = every_s * (u - u3 * (6.0 - u * (8.0 - 3.0 * u)))
        weights[t, 2] = every_s * every_s * 0.5 * (u * u - u3 * (3.0 - u * (3.0 - u)))
        weights[t, 3] = 1.0 - weights[t, 0]
        weights[t, 4] = every_s * u3 * (-4.0 + u * (7.0 - 3.0 * u))
        weights[t, 5] = every_s * every_s * 0.5 * u3 * (1.0 - u * (2.0 - u))
    for n in range(position.shape[0]):
        for k in range(knots):
            at = position[n, k]
            pull[k, 0], pull[k, 1], pull[k, 2] = _acceleration(at[0], at[1], at[2])
        for t in range(step_s.size):
            k = knot[t]
            w = weights[t]
            x = w[0] * position[n, k, 0] + w[1] * velocity[n, k, 0] + w[2] * pull[k, 0]
            x += w[3] * position[n, k + 1, 0] + w[4] * velocity[n, k + 1, 0] + w[5] * pull[k + 1, 0]
            y = w[0] * position[n, k, 1] + w[1] * velocity[n, k, 1] + w[2] * pull[k, 1]
            y += w[3] * position[n, k + 1, 1] + w[4] * velocity[n, k + 1, 1] + w[5] * pull[k + 1, 1]
            z = w[0] * position[n, k, 2] + w[1] * velocity[n, k, 2] + w[2] * pull[k, 2]
            z += w[3] * position[n, k + 1, 2] + w[4] * velocity[n, k + 1, 2] + w[5] * pull[k + 1, 2]
            place[t, n, 0] = cos_angle[t] * x + sin_angle[t] * y
            place[t, n, 1] = cos_angle[t] * y - sin_angle[t] * x
            place[t, n, 2] = z
