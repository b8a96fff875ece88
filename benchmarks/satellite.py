"""Speed and error of satellite visibility: `python -m benchmarks.satellite [SETS.tle] [--side 1000]`.

Cells of 90 m in the north of Vietnam, a day in steps of a minute, 64 directions, one thread. Without a file of element
sets, shells of 9,053 satellites stand in for Starlink's. Seconds are CPU seconds; the error is that of a sample of
cells beside each cell's own look angles in double precision.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.satellite.frames import ground_km, look_angles
from phusong.coverage.satellite.orbits import Orbits, serving, walker_shell
from phusong.coverage.satellite.tracks import Tracks, teme_km, tracks
from phusong.coverage.satellite.visibility import Usable, Visibility, visibility
from phusong.data_sources.orbits import read_orbits

STEPS, STEP_S, AZIMUTHS, CELL_KM = 1440, 60.0, 64, 0.09
SHELLS = ((483.0, 43.0, 3254, 2), (471.0, 53.0, 2829, 23), (540.0, 53.0, 1404, 36), (572.0, 70.0, 700, 28),
          (507.0, 97.4, 866, 2))  # fmt: skip
DAYS = 27_909.0
SAMPLE = 200
COSINE_OVER = 0.95  # a satellite of 600 km at 25 degrees stands 9 degrees of arc away
Answer = TypeVar("Answer")


def shells() -> Orbits:
    made = [walker_shell(km, deg, count, planes, 1, epoch_days=DAYS) for km, deg, count, planes in SHELLS]
    return Orbits(
        **{column.name: np.concatenate([getattr(one, column.name) for one in made]) for column in fields(Orbits)}
    )


def in_orbit(path: Path) -> Orbits:
    read = read_orbits(path)
    every = Orbits(**{column.name: getattr(read, column.name) for column in fields(Orbits)})
    return every[serving(every).serves]


def timed(name: str, work: Callable[[], Answer]) -> Answer:
    begin = time.process_time()
    answer = work()
    sys.stdout.write(f"{name:58} {time.process_time() - begin:7.2f} CPU s\n")
    sys.stdout.flush()
    return answer


def masks(side: int) -> dict[str, NDArray[np.float32]]:
    """Open country; a ring around every cell; a mask of its own in every direction of every cell, the worst case."""
    rng = np.random.default_rng(1)
    shape = (AZIMUTHS, side, side)
    ring = np.broadcast_to(rng.uniform(0.0, 65.0, shape[1:]).astype(np.float32), shape)
    return {
        "open": np.zeros(shape, np.float32),
        "ring": np.ascontiguousarray(ring),
        "rough": rng.uniform(0.0, 65.0, shape).astype(np.float32),
    }


def error(
    sky: Tracks,
    mask: NDArray[np.float32],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    got: Visibility,
    usable: Usable,
) -> str:
    rng = np.random.default_rng(3)
    off: list[float] = []
    up = ground_km(lat.mean(), lon.mean())[1][2]
    over = np.einsum("tnk,k->tn", sky.position_km, up) > COSINE_OVER * np.linalg.norm(sky.position_km, axis=2)
    step, near_km = np.nonzero(over)[0], sky.position_km[over]
    for r, c in rng.integers(0, len(lat), (SAMPLE, 2)):
        place_lat, place_lon = float(lat[r, c]), float(lon[r, c])
        azimuth, elevation, _ = look_angles(place_lat, place_lon, 0.0, near_km)
        nearest = np.rint(azimuth * AZIMUTHS / 360.0).astype(int) % AZIMUTHS
        seen = (elevation >= mask[nearest, r, c]) & (elevation >= usable.min_elevation_deg)
        count = np.bincount(step[seen], minlength=STEPS)
        off += [got.share_1[r, c] - (count > 0).mean(), got.share_2[r, c] - (count > 1).mean()]
    rms = np.sqrt(np.mean(np.square(off)))
    return f"shares: mean {np.mean(off):+.5f}, rms {rms:.5f}, at most {np.abs(off).max():.5f}"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("sets", nargs="?", type=Path)
    asked.add_argument("--side", type=int, default=1000)
    asked.add_argument("--every-step", action="store_true", help="time SGP4 at every step, too")
    given = asked.parse_args()
    orbits = in_orbit(given.sets) if given.sets else shells()
    start = float(np.floor(np.median(orbits.epoch_days)))
    side = given.side
    up = (side / 2 - np.arange(side)) * CELL_KM
    lat = np.repeat((21.4 + up / 110.7)[:, None], side, axis=1)
    lon = np.repeat((105.6 - up / 103.7)[None, :], side, axis=0)
    warm = tracks(orbits[:2], start, 10, STEP_S)
    for usable in (Usable(), Usable(gso_exclusion_deg=20.0)):  # compiled
        visibility(warm, usable, np.full((AZIMUTHS, 4, 4), 30.0, np.float32), lat[:4, :4], lon[:4, :4], threads=1)
    sys.stdout.write(f"{side * side:,} cells, {STEPS} steps, {len(orbits):,} satellites, {AZIMUTHS} directions\n")
    sky = timed("SGP4 and interpolation", lambda: tracks(orbits, start, STEPS, STEP_S))
    if given.every_step:
        timed(
            "SGP4 at every step, for comparison", lambda: teme_km(orbits, start + np.arange(STEPS) * STEP_S / 86_400.0)
        )
    for name, mask in masks(side).items():
        for usable in (Usable(), Usable(gso_exclusion_deg=20.0)):
            title = f"visibility, {name} masks" + (", 20 degrees off the arc" if usable.gso_exclusion_deg else "")
            got = timed(title, lambda m=mask, u=usable: visibility(sky, u, m, lat, lon, threads=1))
            if not usable.gso_exclusion_deg:
                sys.stdout.write(f"    {error(sky, mask, lat, lon, got, usable)}\n")


if __name__ == "__main__":
    main()
