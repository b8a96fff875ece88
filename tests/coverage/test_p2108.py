"""ITU-R P.2108-1 against NTIA's rows, and what the models must do between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import CoverageError, ValueOutOfRange
from phusong.coverage.propagation.p2108 import (
    CLUTTER_HEIGHT_M,
    Clutter,
    earth_space_loss_db,
    height_gain_loss_db,
    terrestrial_kernel_db,
    terrestrial_loss_db,
)
from phusong.scenarios.validation.reference_sets import p2108_rows

SET = "validation/ntia_p2108"


@pytest.mark.parametrize(("section", "rows", "refused"), [("3.1", 23, 5), ("3.2", 12, 5), ("3.3", 13, 6)])
def test_every_row_of_the_reference(section: str, rows: int, refused: int, shared: Callable[[str], Path]) -> None:
    given_rows, last_digit_db = p2108_rows(shared(SET), section)
    assert (len(given_rows), last_digit_db) == (rows, 0.1)
    assert sum(row.expected_db is None for row in given_rows) == refused
    for row in given_rows:
        if row.expected_db is None:
            with pytest.raises(ValueOutOfRange):
                row.loss_db()
        else:
            assert row.loss_db() == pytest.approx(row.expected_db, abs=0.05 + 1e-9), row.name


@settings(deadline=None)
@given(st.floats(0.5, 67.0), st.floats(0.25, 100.0), st.floats(0.1, 99.9), st.floats(0.1, 99.9))
def test_more_locations_and_a_longer_path_never_lose_less(
    frequency_ghz: float, distance_km: float, one_pct: float, other_pct: float
) -> None:
    fewer, more = sorted((one_pct, other_pct))
    near, far, everywhere = terrestrial_loss_db(
        frequency_ghz, [distance_km, 1.5 * distance_km, distance_km], [fewer, fewer, more]
    )
    assert near <= everywhere + 1e-9
    # At a few per cent of the locations the spread grows faster with distance than the median does.
    if fewer >= 50.0:
        assert near <= far + 1e-9


def test_the_loss_stops_growing_at_2_km_and_stands_still_below_a_quarter() -> None:
    at_2, at_20 = terrestrial_loss_db(1.8, [2.0, 20.0], 50.0)
    assert at_2 == at_20
    assert terrestrial_kernel_db(1.8, 0.01, 50.0) == terrestrial_loss_db(1.8, 0.25, 50.0)
    assert np.isnan(terrestrial_kernel_db(0.45, 1.0, 50.0))


def test_arguments_broadcast() -> None:
    assert terrestrial_loss_db([[0.7], [3.5]], [0.5, 1.0, 5.0], 50.0).shape == (2, 3)
    assert earth_space_loss_db(30.0, np.linspace(0.0, 90.0, 4), [[10.0], [90.0]]).shape == (2, 4)
    kinds = list(Clutter)
    alone = [float(height_gain_loss_db(1.8, 1.5, kind, CLUTTER_HEIGHT_M[kind])) for kind in kinds]
    assert height_gain_loss_db(1.8, 1.5, kinds).tolist() == alone


def test_above_the_clutter_nothing_is_lost() -> None:
    assert height_gain_loss_db(1.8, [10.0, 30.0], Clutter.SUBURBAN).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("call", [
    lambda: height_gain_loss_db(1.8, 1.5, 7),
    lambda: height_gain_loss_db(1.8, float("nan"), Clutter.URBAN),
    lambda: terrestrial_loss_db([1.8, 68.0], 1.0, 50.0),
    lambda: earth_space_loss_db(30.0, 91.0, 50.0),
])  # fmt: skip
def test_what_the_recommendation_does_not_cover_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(CoverageError) as failure:
        call()
    assert failure.value.mend
