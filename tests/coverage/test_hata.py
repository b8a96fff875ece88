"""Okumura-Hata and COST 231-Hata against published figures, and the sweep's models against the functions."""

from __future__ import annotations

from math import log10, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation import Cost231Hata, OkumuraHata, check_model
from phusong.coverage.propagation.free_space import free_space_loss_db
from phusong.coverage.propagation.hata import ENVIRONMENTS, cost231_hata_loss_db, okumura_hata_loss_db
from phusong.coverage.propagation.hata_area import cost231_hata_loss, effective_base_height_m, okumura_hata_loss

USUAL = {"distance_km": 5.0, "frequency_mhz": 900.0, "base_height_m": 50.0, "mobile_height_m": 1.5}


# Rows of ns-3's test suite "okumura-hata" (869 MHz, 2 km, 30 m, 1 m), which are values of Octave scripts. Its row for
# open areas is left out: it is computed with 4.70 where Hata has 4.78.
@pytest.mark.parametrize(
    ("environment", "loss_db"), [("large-city", 137.93), ("small-city", 137.88), ("suburban", 128.03)]
)
def test_rows_of_ns3(environment, loss_db):
    ours_db = okumura_hata_loss_db(
        environment, distance_km=2.0, frequency_mhz=869.0, base_height_m=30.0, mobile_height_m=1.0
    )
    assert ours_db == pytest.approx(loss_db, abs=0.01)


def test_rural_line_of_3gpp():
    """3GPP TR 36.942, macro cell in rural areas: 900 MHz, 45 m: 95.5 + 34.1 log R, Hata's open area without a(h_m)."""
    settings = USUAL | {"base_height_m": 45.0}
    for distance_km in (1.0, 3.0, 10.0):
        ours_db = okumura_hata_loss_db("open", **(settings | {"distance_km": distance_km}))
        gain_db = (1.1 * log10(900.0) - 0.7) * 1.5 - (1.56 * log10(900.0) - 0.8)
        assert ours_db + gain_db == pytest.approx(95.5 + 34.1 * log10(distance_km), abs=0.1)


def test_urban_line_of_wcdma_planning():
    """Holma and Toskala, WCDMA for UMTS, macro cell: 1950 MHz, 30 m, 1.5 m: 137.4 + 35.2 log R."""
    for distance_km in (1.0, 2.0, 10.0):
        ours_db = cost231_hata_loss_db(
            metropolitan=False,
            distance_km=distance_km,
            frequency_mhz=1950.0,
            base_height_m=30.0,
            mobile_height_m=1.5,
        )
        assert ours_db == pytest.approx(137.4 + 35.2 * log10(distance_km), abs=0.1)


def test_the_two_meet_at_1500_mhz():
    """COST 231 goes on from Hata's formula, 1.3 dB above it at the frequency they share."""
    settings = USUAL | {"frequency_mhz": 1500.0}
    hata_db = okumura_hata_loss_db("small-city", **settings)
    assert cost231_hata_loss_db(metropolitan=False, **settings) == pytest.approx(hata_db, abs=1.4)
    assert cost231_hata_loss_db(metropolitan=True, **settings) == pytest.approx(
        cost231_hata_loss_db(metropolitan=False, **settings) + 3.0
    )


def test_mobile_height_in_large_cities():
    """Hata's two formulas, divided at 300 MHz: a tenth of a decibel apart there at 1.5 m."""
    for frequency_mhz, gain_db in (
        (200.0, 8.29 * log10(1.54 * 3.0) ** 2 - 1.1),
        (400.0, 3.2 * log10(11.75 * 3.0) ** 2 - 4.97),
    ):
        settings = USUAL | {"frequency_mhz": frequency_mhz, "mobile_height_m": 3.0}
        small_gain_db = (1.1 * log10(frequency_mhz) - 0.7) * 3.0 - (1.56 * log10(frequency_mhz) - 0.8)
        difference_db = okumura_hata_loss_db("small-city", **settings) - okumura_hata_loss_db("large-city", **settings)
        assert difference_db == pytest.approx(gain_db - small_gain_db)
    below, above = okumura_hata_loss_db("large-city", **(USUAL | {"frequency_mhz": [299.999, 300.001]}))
    assert above == pytest.approx(below, abs=0.1)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_grows_with_distance(environment):
    distance_km = np.geomspace(1.0, 100.0, 3000)
    loss_db = okumura_hata_loss_db(environment, **(USUAL | {"distance_km": distance_km}))
    assert (np.diff(loss_db) > 0.0).all()
    assert np.diff(loss_db).max() < 0.5  # continuous where the extension begins, at 20 km


@given(st.floats(1, 20), st.floats(150, 1500), st.floats(30, 200), st.floats(1, 10))
def test_environments_in_order(distance_km, frequency_mhz, base_height_m, mobile_height_m):
    settings = {
        "distance_km": distance_km,
        "frequency_mhz": frequency_mhz,
        "base_height_m": base_height_m,
        "mobile_height_m": mobile_height_m,
    }
    small, suburban, open_db = (okumura_hata_loss_db(name, **settings) for name in ("small-city", "suburban", "open"))
    assert open_db < suburban < small


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"distance_km": 0.9}, "distance_km"),
        ({"distance_km": 101.0}, "distance_km"),
        ({"frequency_mhz": 149.0}, "frequency_mhz"),
        ({"frequency_mhz": 1501.0}, "frequency_mhz"),
        ({"base_height_m": 29.0}, "base_height_m"),
        ({"mobile_height_m": [1.5, 10.5]}, "mobile_height_m"),
        ({"mobile_height_m": nan}, "mobile_height_m"),
    ],
)
def test_outside_hatas_ranges(changed, named):
    with pytest.raises(ValueOutOfRange, match=named):
        okumura_hata_loss_db("open", **(USUAL | changed))


@pytest.mark.parametrize("changed", [{"frequency_mhz": 1499.0}, {"frequency_mhz": 2001.0}, {"distance_km": 21.0}])
def test_outside_cost_231s_ranges(changed):
    with pytest.raises(ValueOutOfRange, match=next(iter(changed))):
        cost231_hata_loss_db(metropolitan=False, **(USUAL | {"frequency_mhz": 1800.0} | changed))


def test_unknown_environment():
    with pytest.raises(ValueOutOfRange, match="jungle"):
        okumura_hata_loss_db("jungle", **USUAL)


def rough_ground(points, seed=5):
    return 300.0 + np.cumsum(np.random.default_rng(seed).normal(0.0, 8.0, points))


@pytest.mark.parametrize("points", [2, 3, 12, 166, 167, 240, 400])
def test_effective_height_is_over_the_mean_of_3_to_15_km(points):
    ground_m, step_m = rough_ground(points), 90.0
    d_m = np.arange(points) * step_m
    end_m = min(d_m[-1], 15e3)
    mean_m = ground_m[(d_m >= 0.2 * end_m) & (d_m <= end_m)].mean()
    ours_m = effective_base_height_m(ground_m, step_m, 60.0)
    expected_m = np.clip(ground_m[0] + 60.0 - mean_m, 30.0, 200.0)
    assert ours_m == pytest.approx(expected_m, abs=1e-9)


def test_effective_height_is_drawn_to_hatas_range():
    ground_m = np.zeros(200)
    assert effective_base_height_m(ground_m, 100.0, 10.0) == 30.0
    ground_m[0] = 800.0
    assert effective_base_height_m(ground_m, 100.0, 10.0) == 200.0


def path_db(kernel, model, ground_m, step_m, frequency_mhz, mast_m=50.0, rx_height_m=1.5):
    loss_db = np.empty(len(frequency_mhz))
    kernel(model, np.asarray(ground_m, float), step_m, mast_m, rx_height_m, np.array(frequency_mhz, float), loss_db)
    return loss_db


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_sweeps_okumura_hata_equals_the_function(environment):
    ground_m = rough_ground(101)
    base_m = effective_base_height_m(ground_m, 90.0, 50.0)
    ours_db = path_db(okumura_hata_loss, OkumuraHata(ENVIRONMENTS[environment]), ground_m, 90.0, (200.0, 900.0))
    expected_db = okumura_hata_loss_db(
        environment, distance_km=9.0, frequency_mhz=[200.0, 900.0], base_height_m=base_m, mobile_height_m=1.5
    )
    assert ours_db == pytest.approx(expected_db, abs=1e-9)


@pytest.mark.parametrize("metropolitan", [True, False])
def test_the_sweeps_cost_231_equals_the_function(metropolitan):
    ground_m = rough_ground(101)
    base_m = effective_base_height_m(ground_m, 90.0, 50.0)
    ours_db = path_db(cost231_hata_loss, Cost231Hata(metropolitan), ground_m, 90.0, (1800.0,))
    expected_db = cost231_hata_loss_db(
        metropolitan=metropolitan, distance_km=9.0, frequency_mhz=[1800.0], base_height_m=base_m, mobile_height_m=1.5
    )
    assert ours_db == pytest.approx(expected_db, abs=1e-9)


def test_near_and_far_of_the_sweeps_models():
    flat = np.zeros(301)
    # Below 1 km the formula goes on, down to free space; at the antenna's own place its height is the ray.
    assert path_db(okumura_hata_loss, OkumuraHata(), flat[:2], 500.0, [900.0]) > free_space_loss_db(500.0, 900.0)
    near_db = path_db(okumura_hata_loss, OkumuraHata(3), flat[:2], 20.0, [900.0])
    assert near_db == pytest.approx([free_space_loss_db(float(np.hypot(20.0, 48.5)), 900.0)])
    assert path_db(okumura_hata_loss, OkumuraHata(), flat[:2], 0.0, [900.0]) == pytest.approx(
        [free_space_loss_db(50.0, 900.0)]
    )
    assert np.isfinite(path_db(okumura_hata_loss, OkumuraHata(), flat, 90.0, [900.0]))  # 27 km
    assert np.isnan(path_db(okumura_hata_loss, OkumuraHata(), flat, 340.0, [900.0]))  # 102 km
    assert np.isnan(path_db(cost231_hata_loss, Cost231Hata(), flat, 90.0, [1800.0]))  # 27 km
    assert np.isnan(path_db(okumura_hata_loss, OkumuraHata(), flat[:50], 90.0, [900.0, 1800.0])).tolist() == [
        False,
        True,
    ]
    assert np.isnan(path_db(okumura_hata_loss, OkumuraHata(), flat[:50], 90.0, [900.0], rx_height_m=0.5))


def test_ranges_are_checked_before_a_run():
    check_model(OkumuraHata(), [700.0, 900.0], [20.0], 1.5)
    check_model(Cost231Hata(), [1800.0], [20.0], 1.5)
    for model, frequency_mhz, rx_m, named in (
        (OkumuraHata(), 1800.0, 1.5, "frequency_mhz"),
        (OkumuraHata(4), 900.0, 1.5, "environment"),
        (OkumuraHata(), 900.0, 0.5, "rx_height_m"),
        (Cost231Hata(), 2600.0, 1.5, "frequency_mhz"),
    ):
        with pytest.raises(ValueOutOfRange, match=named):
            check_model(model, [frequency_mhz], [30.0], rx_m)
