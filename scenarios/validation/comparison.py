"""Rows of a reference beside our losses: how far apart, and whether that is near enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.errors import CoverageError
from phusong.coverage.propagation import p2109
from phusong.scenarios.validation.reference_sets import ItmRow, P1812Row, P2108Row, P2109Rows, Tr38901Row

LEAST_TOLERANCE_DB = 0.01
_ROUNDING_DB = 1e-9  # an error of half a digit exactly is none


class Origin(NamedTuple):
    """Where rows come from; quoted: written in `quoted_rows`, not read from a set of files."""

    source: str
    licence: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """Rows of one reference beside our losses, (n,) each.

    expected_db, ours_db : [dB]; NaN where refused
    tolerance_db         : 0.01 dB, or half the reference's last printed digit where that is more
    asserted             : False: reported, never failed
    """

    model: str
    edition: str
    origin: Origin
    row_names: Sequence[str]
    expected_db: NDArray[np.float64]
    ours_db: NDArray[np.float64]
    tolerance_db: float
    asserted: bool = True

    @property
    def error_db(self) -> NDArray[np.float64]:
        """Ours less the reference's [dB]; 0 where both refuse a row, inf where one does."""
        refused = np.isnan(self.expected_db)
        error = np.where(refused, 0.0, self.ours_db - self.expected_db)
        return np.asarray(np.where(refused == np.isnan(self.ours_db), error, np.inf))

    @property
    def wrong(self) -> NDArray[np.int64]:
        """Numbers of the rows that lie farther off than the tolerance."""
        return np.flatnonzero(np.abs(self.error_db) > self.tolerance_db + _ROUNDING_DB)

    @property
    def max_error_db(self) -> float:
        """Greatest distance of a row [dB]."""
        return float(np.abs(self.error_db).max())

    @property
    def rms_error_db(self) -> float:
        """Root mean square over the rows [dB]."""
        return float(np.sqrt(np.mean(self.error_db**2)))

    @property
    def agrees(self) -> bool:
        """Whether every row is near enough, or none has to be."""
        return not self.asserted or self.wrong.size == 0


def p1812_set(rows: list[P1812Row], last_digit_db: float, origin: Origin) -> ReferenceSet:
    """P.1812 beside its reference program."""
    expected_db, ours_db = (row.expected_db for row in rows), (_loss_or_refusal(row.loss_db) for row in rows)
    return _set("ITU-R P.1812-7", "08/2023", origin, rows, expected_db, ours_db, last_digit_db)


def itm_set(rows: list[ItmRow], last_digit_db: float, origin: Origin) -> ReferenceSet:
    """The Irregular Terrain Model beside NTIA's program."""
    expected_db, ours_db = (row.expected_db for row in rows), (_loss_or_refusal(row.loss_db) for row in rows)
    return _set("Longley-Rice ITM", "1.2.2 path", origin, rows, expected_db, ours_db, last_digit_db)


def p2108_set(section: str, rows: list[P2108Row], last_digit_db: float, origin: Origin) -> ReferenceSet:
    """A section of P.2108 beside NTIA's rows, refusals included."""
    expected_db = (np.nan if row.expected_db is None else row.expected_db for row in rows)
    ours_db = (_loss_or_refusal(row.loss_db) for row in rows)
    return _set("ITU-R P.2108-1", f"09/2021 §{section}", origin, rows, expected_db, ours_db, last_digit_db)


def p2109_set(rows: P2109Rows, last_digit_db: float, origin: Origin) -> ReferenceSet:
    """P.2109 beside crc-covlib's rows, in one call."""
    ours_db = p2109.building_entry_loss_db(rows.frequency_ghz, rows.probability_pct, rows.building, rows.elevation_deg)
    names = [f"row {i + 1}" for i in range(ours_db.size)]
    tolerance_db = max(LEAST_TOLERANCE_DB, 0.5 * last_digit_db)
    return ReferenceSet("ITU-R P.2109-2", "08/2023", origin, names, rows.expected_db, ours_db, tolerance_db)


def tr38901_sets(rows: list[Tr38901Row], last_digit_db: float, origin: Origin) -> list[ReferenceSet]:
    """TR 38.901 beside ns-3's rows: those that ns-3's own test compares, then those that it does not, if any."""
    sets = []
    for asserted, edition in ((True, "Table 7.4.1-1"), (False, "UMi, unasserted")):
        chosen = [row for row in rows if row.asserted is asserted]
        if chosen:
            expected_db, ours_db = (r.expected_db for r in chosen), (_loss_or_refusal(r.loss_db) for r in chosen)
            sets.append(_set("3GPP TR 38.901", edition, origin, chosen, expected_db, ours_db, last_digit_db, asserted))
    return sets


def _set(
    model: str,
    edition: str,
    origin: Origin,
    rows: Sequence[P1812Row | ItmRow | P2108Row | Tr38901Row],
    expected_db: Iterable[float],
    ours_db: Iterable[float],
    last_digit_db: float,
    asserted: bool = True,
) -> ReferenceSet:
    return ReferenceSet(
        model,
        edition,
        origin,
        [row.name for row in rows],
        np.array(list(expected_db)),
        np.array(list(ours_db)),
        max(LEAST_TOLERANCE_DB, 0.5 * last_digit_db),
        asserted,
    )


def _loss_or_refusal(loss_db: Callable[[], float]) -> float:
    try:
        return loss_db()
    except CoverageError:
        return float("nan")
