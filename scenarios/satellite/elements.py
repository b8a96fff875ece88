"""The satellites of a scenario: element sets and planned shells, those that serve, and where they stand over a day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from phusong.coverage.satellite.orbits import Orbits, serving, walker_shell
from phusong.coverage.satellite.tracks import Tracks, tracks
from phusong.data_sources.area import Finding, InputFile
from phusong.data_sources.orbit_records import EPOCH_ZERO
from phusong.data_sources.orbits import OrbitFile, age_finding, read_orbits
from phusong.scenarios.errors import SkyEmpty
from phusong.scenarios.satellite.settings import Satellite, Shell

PHONES = "direct to cell"  # `serving`'s word for satellites that serve phones, not dishes


@dataclass(frozen=True, slots=True, eq=False)
class Constellation:
    """The satellites that serve dishes, and what was left out.

    tracks      : of those that serve
    phones      : satellites for phones among the element sets, which serve no dish
    counted     : reason -> satellites, "" those that serve
    shells      : (S, 3) inclination [degrees], altitude [km], satellites
    altitude_km : middle of those that serve
    """

    name: str
    tracks: Tracks
    phones: Orbits
    counted: Mapping[str, int]
    shells: tuple[tuple[float, float, int], ...]
    altitude_km: float
    epoch: datetime
    rejected: int
    findings: tuple[Finding, ...]
    files: tuple[InputFile, ...]

    @property
    def satellites(self) -> int:
        return int(self.tracks.position_km.shape[1])


def constellation(settings: Satellite, base: Path, today: date | None = None) -> Constellation:
    """Read, filter and move the scenario's satellites; simulated from the middle of their epochs.

    base  : the data folder
    today : the elements' age is told on this day where the scenario names no `plan_date`
    Raises SkyEmpty; FileMissing, FileUnreadable, FileTooLarge of a file of element sets.
    """
    read = [read_orbits(base / name) for name in settings.orbits]
    planned = [_shell(shell, number) for number, shell in enumerate(settings.shells, start=1)]
    if not read and not planned:
        raise SkyEmpty(
            what="không có vệ tinh nào / a sky with no satellite",
            where="satellite.orbits, satellite.shells",
            mend='thêm tệp phần tử / add  orbits = ["starlink.tle"]  under [satellite], or [[satellite.shells]]',
        )
    everyone = joined([*map(orbits_of, read), *planned])
    found = serving(everyone)
    serves = found.serves if settings.leo.serving_only else np.ones(len(everyone), np.bool_)
    # A planned shell serves whatever its size; the rules are for what flies already.
    serves = serves | (np.arange(len(everyone)) >= len(everyone) - sum(map(len, planned)))
    counted = {reason: count for reason, count in found.counted.items() if reason and settings.leo.serving_only}
    if not serves.any():
        told = ", ".join(f"{reason}: {count}" for reason, count in counted.items())
        raise SkyEmpty(
            what=f"cả {len(everyone)} vệ tinh đều không phục vụ / none of {len(everyone)} satellites serves ({told})",
            where=", ".join(settings.orbits),
            mend="dùng phần tử của chòm khác, hoặc / use elements of another constellation, or  serving_only = false",
        )
    chosen = everyone[serves]
    epoch_days = float(np.median(chosen.epoch_days))
    simulation = settings.simulation
    steps = max(1, round(simulation.hours * 3600.0 / simulation.step_s))
    moved = tracks(chosen, epoch_days, steps, simulation.step_s)
    findings = [
        finding for file in read for finding in (*file.findings, _age(file, settings.plan_date, today)) if finding
    ]
    findings += [
        Finding("warning", f"SGP4: {said}", f"{count} vệ tinh / satellites") for said, count in moved.failed.items()
    ]
    return Constellation(
        settings.leo.name,
        moved,
        everyone[found.reason == PHONES],
        {**counted, "": int(serves.sum())},
        tuple((float(i), float(h), int(n)) for i, h, n in found.shells),
        settings.leo.altitude_km or float(np.median(chosen.altitude_km)),
        EPOCH_ZERO + timedelta(days=epoch_days),
        sum(file.satellites_rejected for file in read),
        tuple(findings),
        tuple(_input(base / name) for name in settings.orbits),
    )


def orbits_of(file: OrbitFile) -> Orbits:
    """What the physics takes of a file of element sets."""
    return Orbits(**{column.name: getattr(file, column.name) for column in fields(Orbits)})


def joined(several: list[Orbits]) -> Orbits:
    return Orbits(**{c.name: np.concatenate([getattr(one, c.name) for one in several]) for c in fields(Orbits)})


def _shell(shell: Shell, number: int) -> Orbits:
    moment = datetime.fromisoformat(shell.epoch).replace(tzinfo=UTC)
    return walker_shell(
        shell.altitude_km, shell.inclination_deg, shell.satellites, shell.planes, shell.phasing,
        epoch_days=float((moment - EPOCH_ZERO).days), name=f"shell-{number}",
    )  # fmt: skip


def _age(file: OrbitFile, plan_date: str | None, today: date | None) -> Finding | None:
    on_day = today if plan_date is None else date.fromisoformat(plan_date)
    return None if on_day is None else age_finding(file, on_day)


def _input(path: Path) -> InputFile:
    content = path.read_bytes()
    return InputFile("satellite", path, hashlib.sha256(content).hexdigest(), len(content))
