"""ITU-R P.2109-2 against all rows of crc-covlib."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from phusong.coverage.errors import CoverageError
from phusong.coverage.propagation.normal_quantile import exceeded_normal
from phusong.coverage.propagation.p2109 import Building, building_entry_loss_db
from phusong.scenarios.validation.reference_sets import p2109_rows


def test_every_row_of_the_reference(shared: Callable[[str], Path]) -> None:
    rows = p2109_rows(shared("validation/crc_covlib"))
    assert rows.expected_db.shape == (31_250,)
    ours_db = building_entry_loss_db(rows.frequency_ghz, rows.probability_pct, rows.building, rows.elevation_deg)
    # The reference takes its normal quantile from an approximation that is good to 2e-9.
    assert np.abs(ours_db - rows.expected_db).max() < 1e-7


@settings(deadline=None)
@given(st.floats(1e-9, 1.0 - 1e-9))
def test_the_normal_quantile(share: float) -> None:
    assert exceeded_normal(share) == pytest.approx(-ndtri(share), abs=1e-12, rel=1e-12)


def test_the_ends_of_the_normal_quantile() -> None:
    assert (exceeded_normal(0.0), exceeded_normal(1.0)) == (np.inf, -np.inf)
    assert np.isnan(exceeded_normal(1.5))


@settings(deadline=None)
@given(st.floats(0.08, 100.0), st.floats(0.001, 99.9), st.floats(0.001, 99.9), st.sampled_from(list(Building)))
def test_a_surer_loss_is_greater_and_up_is_as_down(
    frequency_ghz: float, one_pct: float, other_pct: float, building: Building
) -> None:
    fewer, more = sorted((one_pct, other_pct))
    low, high = building_entry_loss_db(frequency_ghz, [fewer, more], building)
    assert low <= high
    up, down = building_entry_loss_db(frequency_ghz, more, building, [25.0, -25.0])
    assert up == down >= high


@pytest.mark.parametrize("changed", [
    {"frequency_ghz": 0.07}, {"probability_pct": 100.0}, {"building": 3}, {"elevation_deg": float("nan")},
])  # fmt: skip
def test_what_the_recommendation_does_not_cover_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(CoverageError) as failure:
        building_entry_loss_db(**({"frequency_ghz": 1.8} | changed))
    assert failure.value.mend
