"""Link budgets to satellites: rows of TR 38.821, modulation and coding, weather over the elevations."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import CoverageError
from phusong.coverage.satellite.attenuation.climate import Climate, vietnam
from phusong.coverage.satellite.attenuation.slant import slant_loss_db
from phusong.coverage.satellite.link import (
    SpaceLink,
    carrier_to_noise_db,
    free_space_loss_db,
    gain_over_noise_db_k,
    loss_budget_db,
    noise_rise_db,
    off_boresight_deg,
    scan_loss_db,
    slant_range_km,
    together_db,
)
from phusong.coverage.satellite.modcods import (
    DVB_S2X,
    DVB_S2X_ROWS,
    NR_NTN,
    NR_NTN_LOW,
    Modcods,
    dvb_symbol_rate_mbaud,
    efficiency_bps,
    nr_symbol_rate_mbaud,
    throughput_mbps,
)
from phusong.coverage.satellite.rain_availability import availability

Shared = Callable[[str], Path]
PLACE = Climate(90.0, 4.8, 297.0, 25.0, 70.0, 4.0, 115.0, "a test", 0.5, 75.0)


def table(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def test_link_budgets_of_the_technical_report(shared: Shared) -> None:
    """3GPP TR 38.821 Table 6.1.3.3-1; the uplink of SC9 has 0.36 MHz, which the report prints as 0.4."""
    rows = table(shared("validation/satellite/tr38821_link_budget.csv"))
    assert len(rows) == 6
    for row in rows:
        range_km = slant_range_km(float(row["alt_km"]), float(row["el_deg"]))
        free_db = free_space_loss_db(range_km, float(row["f_GHz"]))
        assert free_db == pytest.approx(float(row["FSPL_dB"]), abs=0.051)
        if not row["CNR_dB"]:
            continue
        others_db = sum(float(row[part]) for part in ("atm_dB", "shadow_dB", "scint_dB", "pol_dB", "add_dB"))
        ratio_db = carrier_to_noise_db(
            float(row["EIRP_dBW"]), float(row["GT_dBK"]), free_db, others_db, float(row["BW_MHz"])
        )
        assert ratio_db == pytest.approx(float(row["CNR_dB"]), abs=0.1), row["case"]


def test_receivers_of_the_technical_report() -> None:
    """3GPP TR 38.821 section 6.1.3: a dish of 39.7 dBi, 1.2 dB and 150 K; a phone of 0 dBi, 7 dB and 290 K."""
    assert gain_over_noise_db_k([39.7, 0.0], [1.2, 7.0], [150.0, 290.0]) == pytest.approx([15.9, -31.6], abs=0.05)


def test_distances_at_the_ends() -> None:
    assert slant_range_km(600.0, 90.0) == pytest.approx(600.0)
    assert slant_range_km(600.0, 0.0) == pytest.approx(np.sqrt(6971.0**2 - 6371.0**2))


def test_equal_noises_cost_three_decibels() -> None:
    assert together_db(10.0, 10.0) == pytest.approx(10.0 - 10.0 * np.log10(2.0))
    assert together_db(10.0, 400.0) == pytest.approx(10.0)


@settings(deadline=None)
@given(st.floats(0.0, 40.0), st.floats(20.0, 2000.0), st.floats(0.0, 2.0))
def test_the_budget_is_what_loss_and_noise_use_up(margin_db: float, noise_k: float, clear_db: float) -> None:
    budget_db = loss_budget_db(margin_db, noise_k, clear_db)
    assert budget_db + noise_rise_db(budget_db, noise_k, clear_db) == pytest.approx(margin_db, abs=1e-9)
    if margin_db > clear_db:
        assert clear_db - 1e-9 <= budget_db <= margin_db + 1e-9


def test_a_receiver_in_orbit_hears_no_rain() -> None:
    assert noise_rise_db(20.0, np.inf) == 0.0
    assert loss_budget_db(7.0, np.inf) == pytest.approx(7.0)


def test_scan_angles_and_losses() -> None:
    assert off_boresight_deg(120.0, [90.0, 25.0]) == pytest.approx([0.0, 65.0])
    assert off_boresight_deg(0.0, 60.0, 0.0, 30.0) == pytest.approx(0.0, abs=1e-5)
    assert off_boresight_deg(180.0, 60.0, 0.0, 30.0) == pytest.approx(60.0)
    assert scan_loss_db([0.0, 60.0], 1.5) == pytest.approx([0.0, 15.0 * np.log10(2.0)])
    assert scan_loss_db([60.0, 120.0], 0.0) == pytest.approx([0.0, 0.0])
    assert np.isinf(scan_loss_db(86.0))


def test_the_table_of_dvb_s2x(shared: Shared) -> None:
    rows = table(shared("validation/satellite/dvbs2x_modcods.csv"))
    printed = tuple((row["modcod"], float(row["eff_bps_hz"]), float(row["esn0_db"])) for row in rows)
    assert printed == DVB_S2X_ROWS
    for name, efficiency, threshold_db in printed:
        assert efficiency_bps(DVB_S2X, threshold_db) >= efficiency, name
    assert set(zip(DVB_S2X.names, DVB_S2X.efficiency_bps, DVB_S2X.threshold_db, strict=True)) <= set(printed)


@pytest.mark.parametrize("modcods", [DVB_S2X, NR_NTN, NR_NTN_LOW])
def test_schemes_rise_and_stay_below_the_bound(modcods: Modcods) -> None:
    assert (np.diff(modcods.efficiency_bps) > 0.0).all()
    assert (np.diff(modcods.threshold_db) > 0.0).all()
    assert (modcods.efficiency_bps < np.log2(1.0 + 10.0 ** (0.1 * modcods.threshold_db))).all()
    assert modcods.source


def test_schemes_of_nr() -> None:
    """Efficiencies that 3GPP TS 38.214 prints beside the rates of its Tables 5.1.3.1-1 and 5.1.3.1-3."""
    assert NR_NTN.efficiency_bps[[0, 4, 28]] == pytest.approx([0.2344, 0.6016, 5.5547], abs=5e-5)
    assert NR_NTN_LOW.efficiency_bps[[0, -1]] == pytest.approx([0.0586, 4.5234], abs=5e-5)


def test_throughput() -> None:
    assert dvb_symbol_rate_mbaud(240.0, 0.2) == pytest.approx(200.0)
    assert throughput_mbps(DVB_S2X, [-3.0, 1.45, np.nan, 40.0], 200.0) == pytest.approx(
        [0.0, 217.7162, 0.0, 1180.171], abs=1e-3
    )
    assert throughput_mbps(DVB_S2X, 1.45, 200.0, margin_db=0.5) == pytest.approx(177.827)
    # 25 blocks of 15 kHz: 4.2 million resource elements a second
    assert nr_symbol_rate_mbaud(25, 15.0, 0.0) == pytest.approx(4.2)


# Figures of the order of a household terminal's filings; assumptions.
HOUSEHOLD = SpaceLink(
    frequency_ghz=12.0,
    bandwidth_mhz=240.0,
    eirp_dbw=37.0,
    gain_over_noise_db_k=9.0,
    system_noise_k=200.0,
    altitude_km=550.0,
)


@settings(deadline=None)
@given(st.floats(25.0, 90.0), st.floats(-5.0, 12.0))
def test_at_the_budget_just_the_needed_ratio_is_left(elevation_deg: float, needed_db: float) -> None:
    budget_db = HOUSEHOLD.budget_db(elevation_deg, needed_db)
    if budget_db > 0.0:
        assert HOUSEHOLD.ratio_db(elevation_deg, budget_db) == pytest.approx(needed_db, abs=1e-9)
    else:
        assert HOUSEHOLD.ratio_db(elevation_deg) <= needed_db + 1e-9


def test_a_low_satellite_is_far_and_seen_from_the_side() -> None:
    free_db = free_space_loss_db(slant_range_km(550.0, [30.0, 90.0]), 12.0)
    scan_db = 13.0 * np.log10(2.0)
    low_db, high_db = HOUSEHOLD.ratio_db([30.0, 90.0])
    assert high_db - low_db == pytest.approx(free_db[0] - free_db[1] + scan_db)


def test_from_the_terminal_to_the_share_of_the_year() -> None:
    """The lowest scheme is carried longer than a fast one, at every elevation and over all of them."""
    elevation = np.arange(27.5, 90.0, 5.0)
    part = np.full(elevation.size, 1.0 / elevation.size)
    shares = []
    for scheme in (0, 12):
        budget_db = HOUSEHOLD.budget_db(elevation, DVB_S2X.threshold_db[scheme])
        shares.append(float(availability(12.0, elevation, part, budget_db, vietnam("mekong"), 10.0, 0.0).share))
    assert 1.0 > shares[0] > shares[1] > 0.0


budgets = st.floats(0.5, 30.0)


@settings(deadline=None)
@given(st.floats(4.0, 30.0), st.floats(10.0, 90.0), st.floats(0.02, 30.0), st.floats(8.0, 24.0))
def test_one_elevation_turns_the_loss_round(f: float, el: float, share_pct: float, latitude: float) -> None:
    """A budget of what is exceeded for a share of the year is overrun for that share."""
    budget_db = float(slant_loss_db(f, el, share_pct, PLACE, latitude, 0.3).total_db)
    found = availability(f, [el], [1.0], [budget_db], PLACE, latitude, 0.3)
    assert 100.0 * (1.0 - found.share) == pytest.approx(share_pct, rel=2e-3)
    assert found.seen == 1.0


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(10.0, 90.0), st.floats(0.01, 0.2), budgets), min_size=1, max_size=5))
def test_elevations_add_up(classes: list[tuple[float, float, float]]) -> None:
    elevation, part, budget = (np.array(column) for column in zip(*classes, strict=True))
    together = availability(20.0, elevation, part, budget, PLACE, 15.0, 0.1)
    alone = [
        availability(20.0, [e], [1.0], [b], PLACE, 15.0, 0.1).share for e, b in zip(elevation, budget, strict=True)
    ]
    assert together.share == pytest.approx(float(part @ np.array(alone)))
    assert together.seen == pytest.approx(part.sum())
    assert together.weather == pytest.approx(together.share / together.seen)


@settings(deadline=None)
@given(budgets, st.floats(1.0, 2.0), st.floats(10.0, 60.0), st.floats(1.0, 2.0))
def test_more_budget_or_less_rain_serves_longer(budget: float, more: float, rate: float, wetter: float) -> None:
    def share(budget_db: float, rain_mm_h: float) -> float:
        climate = Climate(rain_mm_h, 4.8, 297.0, 25.0, 70.0, 4.0, 115.0, "a test")
        return float(availability(20.0, [35.0, 60.0], [0.5, 0.5], [budget_db] * 2, climate, 15.0, 0.1).share)

    assert share(budget * more, rate) >= share(budget, rate)
    assert share(budget, rate * wetter) <= share(budget, rate)


def test_the_lowest_elevation_is_not_the_whole_sky() -> None:
    elevation = np.arange(27.5, 90.0, 5.0)
    part = np.full(elevation.size, 1.0 / elevation.size)
    whole = availability(12.0, elevation, part, np.full(elevation.size, 6.0), vietnam("red-river"), 21.0, 0.0)
    lowest = availability(12.0, elevation[:1], [1.0], [6.0], vietnam("red-river"), 21.0, 0.0)
    assert whole.share > lowest.share


def test_cells_with_times_of_their_own() -> None:
    shape = (3, 4)
    height_km = np.linspace(0.0, 1.5, 12).reshape(shape)
    part = np.zeros((2, *shape))
    part[:, 0, :], part[0, 1, :] = 0.5, 0.3
    found = availability(12.0, [30.0, 60.0], part, [6.0, 8.0], vietnam("north-west", height_km), 21.5, height_km)
    assert found.seen[0] == pytest.approx(1.0)
    assert found.seen[1] == pytest.approx(0.3)
    assert (found.seen[2] == 0.0).all()
    assert (found.share[2] == 0.0).all()
    assert np.isnan(found.weather[2]).all()
    alone = vietnam("north-west", height_km[1, 2])
    one = availability(12.0, [30.0], [0.3], [6.0], alone, 21.5, height_km[1, 2])
    assert found.share[1, 2] == pytest.approx(one.share)


def test_no_budget_no_service() -> None:
    found = availability(12.0, [40.0], [1.0], [0.0], PLACE, 15.0, 0.1)
    assert (found.share, found.weather) == (0.0, 0.0)
    plenty = availability(12.0, [40.0], [1.0], [500.0], PLACE, 15.0, 0.1)
    assert plenty.share == pytest.approx(1.0 - 1e-5)


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("do not fit together", lambda: availability(12.0, [40.0, 50.0], [1.0], [6.0, 6.0], PLACE, 15.0, 0.1)),
    ("holds NaN", lambda: availability(12.0, [40.0], [1.0], [np.nan], PLACE, 15.0, 0.1)),
    ("sum of time_share", lambda: availability(12.0, [40.0, 50.0], [0.7, 0.7], [6.0, 6.0], PLACE, 15.0, 0.1)),
    ("time_share", lambda: availability(12.0, [40.0], [-0.1], [6.0], PLACE, 15.0, 0.1)),
    ("elevation_deg", lambda: availability(12.0, [3.0], [1.0], [6.0], PLACE, 15.0, 0.1)),
    ("altitude_km", lambda: slant_range_km(0.0, 40.0)),
    ("bandwidth_mhz", lambda: carrier_to_noise_db(30.0, 15.0, 180.0, 0.0, 0.0)),
    ("system_noise_k", lambda: noise_rise_db(3.0, -5.0)),
    ("system_noise_k", lambda: loss_budget_db(3.0, 0.0)),
    ("scan_deg", lambda: scan_loss_db(-1.0)),
    ("roll_off", lambda: dvb_symbol_rate_mbaud(100.0, 1.5)),
    ("blocks", lambda: nr_symbol_rate_mbaud(0, 15.0)),
]


@pytest.mark.parametrize(("word", "call"), REFUSED)
def test_values_outside_are_refused(word: str, call: Callable[[], object]) -> None:
    with pytest.raises(CoverageError, match=word):
        call()
