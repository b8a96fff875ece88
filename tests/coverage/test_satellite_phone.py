"""Shadowing of 3GPP TR 38.811, and phones under satellites of TR 38.821."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import CoverageError
from phusong.coverage.satellite.direct_to_device import TEXT_MBPS, PhoneService, direct_to_device
from phusong.coverage.satellite.link import gain_over_noise_db_k
from phusong.coverage.satellite.modcods import NR_NTN_LOW
from phusong.coverage.satellite.shadowing import SIGHT, shadowing, sight_probability

Shared = Callable[[str], Path]
SCENARIOS = {"Dense_Urban": "dense-urban", "Urban": "urban", "Sub_Urban": "suburban-rural"}


def table(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def test_rows_quoted_from_the_report() -> None:
    """TR 38.811 Table 6.6.2-3 at 10, 40 and 80 degrees, S band; Table 6.6.2-1 at 30, Ka band; Table 6.6.1-1."""
    sigma_db, clutter_db = shadowing("suburban-rural", [10.0, 40.0, 80.0], False)
    assert (sigma_db.tolist(), clutter_db.tolist()) == ([8.93, 10.25, 11.52], [19.52, 18.28, 16.3])
    sigma_db, clutter_db = shadowing("dense-urban", 30.0, [True, False], "Ka")
    assert (sigma_db.tolist(), clutter_db.tolist()) == ([2.7, 15.6], [0.0, 37.5])
    assert sight_probability("urban", [50.0, 90.0]).tolist() == [0.726, 0.992]


def test_all_rows_of_another_reading(shared: Shared) -> None:
    rows = table(shared("validation/satellite/tr38811_los_sf_cl.csv"))
    assert len(rows) == 54
    for row in rows:
        scenario, elevation = SCENARIOS[row["scenario"]], float(row["el_deg"])
        sigma_db, clutter_db = shadowing(scenario, elevation, [True, False], row["band"])
        assert sigma_db.tolist() == [float(row["sf_los_dB"]), float(row["sf_nlos_dB"])]
        assert clutter_db.tolist() == [0.0, float(row["cl_nlos_dB"])]
        assert sight_probability(scenario, elevation) == float(row["p_los"])


def test_the_nearest_row_counts() -> None:
    at = sight_probability("urban", [5.0, 14.9, 15.0, 15.1, 84.0, 90.0])
    assert at.tolist() == [SIGHT["urban"][row] for row in (0, 0, 0, 1, 7, 8)]


def test_link_budgets_of_the_technical_report(shared: Shared) -> None:
    """TR 38.821 Table 6.1.3.3-1, SC9: a phone at 30 degrees, both ways, 3 dB for shadow."""
    rows = [r for r in table(shared("validation/satellite/tr38821_link_budget.csv")) if r["case"] == "SC9"]
    found = direct_to_device(30.0)
    assert [row["link"] for row in rows] == ["DL", "UL"]
    for row, ratio_db in zip(rows, (found.down_db, found.up_db), strict=True):
        assert ratio_db - 3.0 == pytest.approx(float(row["CNR_dB"]), abs=0.1), row["link"]


def test_the_handset_of_the_technical_report() -> None:
    assert PhoneService().phone_gain_over_noise_db_k == pytest.approx(gain_over_noise_db_k(0.0, 7.0, 290.0), abs=0.05)


def test_rates_reckoned_by_hand() -> None:
    """SC9 down: 6.6 dB. 160 blocks hold 26.88 million elements a second, 23.12 with data; up 2 blocks: 0.309."""
    found = direct_to_device(30.0)
    down = NR_NTN_LOW.efficiency_bps[NR_NTN_LOW.threshold_db <= float(found.down_db) - 3.0][-1]
    up = NR_NTN_LOW.efficiency_bps[NR_NTN_LOW.threshold_db <= float(found.up_db) - 3.0][-1]
    assert found.down_mbps == pytest.approx(down * 160 * 12 * 14e-3 * 0.86)
    assert found.up_mbps == pytest.approx(up * 2 * 12 * 14e-3 * 0.92)
    assert 20.0 < found.down_mbps < 45.0
    assert 0.1 < found.up_mbps < 0.5


def test_shares_of_places_by_drawing_them() -> None:
    """Voice in a suburb at 20 degrees: sight and fading drawn a hundred thousand times."""
    rng = np.random.default_rng(11)
    found = direct_to_device(20.0, surroundings="dense-urban")
    draws = 200_000
    sight = rng.random(draws) < sight_probability("dense-urban", 20.0)
    sigma_db, clutter_db = shadowing("dense-urban", 20.0, sight)
    ratio_db = float(found.up_db) - clutter_db - sigma_db * rng.standard_normal(draws)
    needed = NR_NTN_LOW.threshold_db[NR_NTN_LOW.efficiency_bps * 2 * 12 * 14e-3 * 0.92 >= 0.024][0]
    assert found.share_up == pytest.approx((ratio_db >= needed).mean(), abs=0.004)
    assert found.share == min(found.share_down, found.share_up)


@settings(deadline=None)
@given(st.sampled_from(sorted(SIGHT)), st.floats(5.0, 90.0), st.floats(0.001, 1.0), st.floats(0.0, 20.0))
def test_more_power_or_less_need_reaches_more_places(where: str, elevation: float, need: float, more_db: float) -> None:
    first = direct_to_device(elevation, surroundings=where, needed_mbps=need)
    stronger = PhoneService(phone_eirp_dbw=-7.0 + more_db, satellite_eirp_dbw_mhz=34.0 + more_db)
    assert direct_to_device(elevation, stronger, surroundings=where, needed_mbps=need).share >= first.share
    assert direct_to_device(elevation, surroundings=where, needed_mbps=TEXT_MBPS).share >= first.share
    clear = direct_to_device(elevation, surroundings=where, needed_mbps=need, clear_sight=True)
    # Below one half the wide fading out of sight carries a few places that fading in sight does not.
    assert clear.share < 0.5 or clear.share >= first.share


def test_a_rate_beyond_all_schemes_reaches_nobody() -> None:
    assert direct_to_device([30.0, 60.0], needed_mbps=500.0).share.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("word", "call"),
    [
        ("no table", lambda: shadowing("forest", 30.0, True)),
        ("no table", lambda: shadowing("urban", 30.0, True, "X")),
        ("elevation_deg", lambda: sight_probability("urban", 4.0)),
        ("needed_mbps", lambda: direct_to_device(30.0, needed_mbps=0.0)),
        ("fit into", lambda: PhoneService(down_mhz=5.0)),
        ("up_blocks", lambda: PhoneService(up_blocks=0)),
    ],
)
def test_values_outside_are_refused(word: str, call: Callable[[], object]) -> None:
    with pytest.raises(CoverageError, match=word):
        call()
