"""ITU-R P.1812-7 against the numbers of others: Working Party 3M's validation set and rows of its reference program."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, isnan, log, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import CoverageError
from phusong.coverage.propagation.effective_earth import effective_radius_km
from phusong.coverage.propagation.p1812 import P1812, basic_transmission_loss, loss
from phusong.coverage.propagation.p1812_anomalous import fixed_loss_db, time_loss_db
from phusong.coverage.propagation.p1812_climate import centre_latitude_deg, ducting_incidence_pct, zone_lengths
from phusong.coverage.propagation.p1812_losses import DUCTING_RADIUS_KM, delta_bullington_db, free_space_db
from phusong.coverage.propagation.p1812_path import read_profile, smooth_nu_root, survey
from phusong.coverage.propagation.p1812_troposcatter import troposcatter_loss_db
from phusong.scenarios.validation.reference_sets import P1812Row, p1812_rows

SET = "validation/py1812"
PROFILES = {
    "b2iseac": 3,
    "b2iseac_dense_urban_land": 3,
    "b2iseac_dense_urban_land_eqdist": 3,
    "b2iseac_eqdist": 3,
    "b2iseac_eqdist_vertical": 3,
    "b2iseac_rural_land_100km": 3,
    "b2iseac_rural_land_100km_eqdist": 3,
    "b2iseac_rural_land_10km": 3,
    "b2iseac_rural_land_10km_eqdist": 3,
    "b2iseac_rural_land_1km": 3,
    "b2iseac_rural_land_1km_eqdist": 3,
    "b2iseac_vertical": 3,
    "rburg": 3,
    "rburg_rural_noclutter": 3,
    "rburg_rural_noclutter_los": 3,
    "rburg_rural_noclutter_los_subpath_diffraction": 3,
    "rburg_rural_with_clutter": 3,
    "rburg_urban_with_clutter": 6,
    "rburg_urban_with_clutter_vertical": 6,
}  # rows in each, 63 in all


def reversed_row(row: P1812Row) -> P1812Row:
    swap = {"tx": "rx", "rx": "tx", "dct": "dcr", "dcr": "dct"}
    settings = {}
    for key, value in row.settings.items():
        head = key.split("_")[0]
        settings[swap.get(head, head) + key[len(head) :]] = value
    turned = row.distance_km[-1] - row.distance_km[::-1]
    return made_path(turned, row.height_m[::-1], row.clutter_m[::-1], row.zone[::-1], settings)


def made_path(distance_km: Any, height_m: Any, clutter_m: Any, zone: Any, settings: dict[str, Any]) -> P1812Row:
    return P1812Row("made", distance_km, height_m, clutter_m, zone, settings, float("nan"), {})


def intermediate_values(row: P1812Row) -> dict[str, float]:
    """The validation logs' intermediate results, by their names there."""
    s = row.settings
    d, ground, surface = row.distance_km, row.height_m, row.height_m + row.clutter_m
    f, p, vertical = s["frequency_ghz"], s["time_pct"], s["polarization"] == 2
    ae = effective_radius_km(s["delta_n"])
    sea, land_km, inland_km = zone_lengths(d, row.zone)
    latitude = centre_latitude_deg(s["tx_lat"], s["tx_lon"], s["rx_lat"], s["rx_lon"], d[-1])
    b0 = ducting_incidence_pct(latitude, land_km, inland_km)
    coast = [0.0 if row.zone[end] == 1 else s[key] for end, key in ((0, "dct_km"), (-1, "dcr_km"))]
    path = survey(d, ground, surface, True, s["tx_height_m"], s["rx_height_m"], ae)
    fit = read_profile(d, ground, path.tx_m, path.rx_m, ae)
    ducted = read_profile(d, surface, path.tx_m, path.rx_m, DUCTING_RADIUS_KM)
    diffraction = [
        delta_bullington_db(path, nu_root, d, d.size - 1, radius, sea, f, vertical, False)
        for nu_root, radius in ((path.nu_root_m, ae), (ducted.nu_root_m, DUCTING_RADIUS_KM))
    ]
    duct_db = fixed_loss_db(path, f, ae, sea, *coast) + time_loss_db(path, ae, p, b0, inland_km)
    return {
        "dlt (km)": path.tx_horizon_km,
        "dlr (km)": path.rx_horizon_km,
        "th_t (mrad)": path.tx_horizon_mrad,
        "th_r (mrad)": path.rx_horizon_mrad,
        "th (mrad)": path.angular_mrad,
        "w": sea,
        "dtm (km)": land_km,
        "dlm (km)": inland_km,
        "phi (deg)": latitude,
        "b0 (%)": b0,
        "ae (km)": ae,
        "hst (m)|Eq (85)": fit.fit_tx_m,
        "hsr (m)|Eq (86)": fit.fit_rx_m,
        "htc (m)|Eq (37a)": path.diffraction_tx_m,
        "hrc (m)|Eq (37b)": path.diffraction_rx_m,
        "hte (m)": path.duct_tx_m,
        "hre (m)": path.duct_rx_m,
        "Lbfs": free_space_db(d[-1], path.tx_m - path.rx_m, f),
        "Ld50 (dB)": diffraction[0],
        "Ldb (dB)": diffraction[1],
        "Lba (dB)": duct_db,
        "Lbs (dB)": troposcatter_loss_db(d[-1], path.angular_mrad, f, p, s["n0"]),
    }


@pytest.fixture(scope="module")
def validation_rows(shared: Callable[[str], Path]) -> dict[str, P1812Row]:
    return {row.name: row for row in p1812_rows(shared(SET))}


def test_validation_set_is_whole(validation_rows: dict[str, P1812Row]) -> None:
    assert set(validation_rows) == {f"{name}_{k}" for name, count in PROFILES.items() for k in range(count)}
    assert len(validation_rows) == 63


@pytest.mark.parametrize("name", PROFILES)
def test_validation_set_of_working_party_3m(name: str, validation_rows: dict[str, P1812Row]) -> None:
    for number in range(PROFILES[name]):
        row = validation_rows[f"{name}_{number}"]
        assert row.expected_db == row.log["Lb (dB)"]
        assert row.loss_db() == pytest.approx(row.expected_db, abs=1e-6)
        for key, value in intermediate_values(row).items():
            assert value == pytest.approx(row.log[key], rel=2e-8, abs=1e-6), key


def made_row(seed: int) -> P1812Row:
    """A path over made hills, one seed one path: 700 MHz to 3.7 GHz, 1 to 60 km, time 0.1 to 50%, location 1 to 99%."""
    state = seed

    def draw(low: float, high: float) -> float:
        nonlocal state
        state = (1103515245 * state + 12345) % 2**31
        return low + (high - low) * (state >> 8) / 2**23

    for _ in range(3):
        draw(0.0, 1.0)
    n = int(draw(20.0, 200.0))
    length_km = exp(draw(0.0, log(60.0)))
    uneven = 0.45 if draw(0.0, 1.0) < 0.3 else 0.0
    inner = [(i + draw(-uneven, uneven)) / (n - 1) for i in range(1, n - 1)]
    distance_km = np.array([round(length_km * t, 4) for t in [0.0, *inner, 1.0]])
    relief_m = exp(draw(log(2.0), log(600.0)))
    waves = [(draw(0.0, 1.0), draw(0.2, 1.0) * 2.2**k) for k in range(5)]
    height_m = np.array(
        [
            round(
                relief_m
                * sum(1.8**-k * (1.0 + sin(2 * pi * (a + b * x / length_km))) for k, (a, b) in enumerate(waves))
            )
            for x in distance_km
        ],
        np.float64,
    )
    cover = draw(0.0, 1.0)
    clutter_m = np.array([float(int(draw(0.0, 4.0)) * 5) if draw(0.0, 1.0) < cover - 0.4 else 0.0 for _ in range(n)])
    zone = np.full(n, 4)
    if draw(0.0, 1.0) < 0.4:
        start, stop = sorted(int(draw(0.0, n)) for _ in range(2))
        zone[start:stop] = 3
        start, stop = sorted(int(draw(0.0, n)) for _ in range(2))
        zone[start:stop] = 1
    settings = {
        "frequency_ghz": round(draw(0.7, 3.7), 3),
        "time_pct": 50.0 if draw(0.0, 1.0) < 0.4 else round(exp(draw(log(0.1), log(50.0))), 2),
        "location_pct": round(draw(1.0, 99.0), 1),
        "tx_height_m": round(draw(10.0, 80.0), 1),
        "rx_height_m": round(draw(1.0, 12.0), 1),
        "polarization": 1 + int(draw(0.0, 2.0)),
        "delta_n": round(draw(30.0, 80.0), 1),
        "n0": round(draw(300.0, 390.0), 1),
        "tx_lat": 21.0,
        "rx_lat": round(21.0 + 0.9 * length_km / 111.2, 4),
        "tx_lon": 105.0,
        "rx_lon": round(105.0 + 0.4 * length_km / 103.8, 4),
        "dct_km": float(int(draw(0.0, 6.0))),
        "dcr_km": float(int(draw(0.0, 6.0))),
        "smooth_earth_method": "closed-form" if draw(0.0, 1.0) < 0.3 else "profile",
    }
    return made_path(distance_km, height_m, clutter_m, zone, settings)


# Of the reference program Py1812 (ITU-R Study Group 3; GitHub eeveetza/Py1812 at a5205e6, its lower bound of p taken
# from 1 to 0.001%), run on `made_row` of each seed with its stdDev() for squares of 100 m. On 1,000 seeds our greatest
# difference was 4e-8 dB.
REFERENCE_DB = {
    1: 165.854184,
    2: 126.826667,
    3: 141.998528,
    4: 168.620926,
    5: 111.702835,
    6: 144.783492,
    7: 160.191233,
    8: 177.964593,
    9: 124.988742,
    10: 137.681664,
    11: 151.548273,
    12: 186.495344,
    13: 150.823015,
    14: 163.945213,
    15: 188.342784,
    16: 168.639913,
    17: 158.264173,
    18: 173.332556,
    19: 139.328708,
    20: 135.152786,
    21: 147.670037,
    22: 144.732279,
    23: 163.512708,
    24: 126.658337,
}


@pytest.mark.parametrize("seed", REFERENCE_DB)
def test_reference_program(seed: int) -> None:
    assert made_row(seed).loss_db() == pytest.approx(REFERENCE_DB[seed], abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.floats(0.02, 1.0), min_size=3, max_size=60), st.floats(-1.0, 5.5), st.data())
def test_smooth_earth_search_finds_the_largest_fresnel_parameter(gaps: list[float], scale: float, data: Any) -> None:
    distance_km = np.append(0.0, np.cumsum(gaps)) / sum(gaps) * exp(scale)
    tx_m, rx_m = data.draw(st.floats(0.5, 2000.0)), data.draw(st.floats(0.5, 2000.0))
    radius_km = data.draw(st.floats(1000.0, 20000.0))
    last = distance_km.size - 1
    walked = read_profile(distance_km, np.zeros(last + 1), tx_m, rx_m, radius_km).nu_root_m
    assert smooth_nu_root(distance_km, last, tx_m, rx_m, radius_km) == pytest.approx(walked, rel=1e-9)
    step_km = distance_km[-1] / last
    walked = read_profile(step_km, np.zeros(last + 1), tx_m, rx_m, radius_km).nu_root_m
    assert smooth_nu_root(step_km, last, tx_m, rx_m, radius_km) == pytest.approx(walked, rel=1e-9)


seeds = st.integers(1, 2**31 - 1)


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_half_of_the_locations_see_the_same_loss_both_ways(seed: int) -> None:
    row = made_row(seed)
    # The middle of the path is looked for from the transmitter: on one latitude it is the same from both ends.
    there, back = (way.loss_db(location_pct=50.0, tx_lat=21.0, rx_lat=21.0) for way in (row, reversed_row(row)))
    assert there == pytest.approx(back, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(seeds, st.floats(1.0, 99.0), st.floats(1.0, 99.0))
def test_more_locations_cost_more_and_nothing_beats_an_enhanced_free_space(
    seed: int, one_pct: float, other_pct: float
) -> None:
    row = made_row(seed)
    fewer, more = sorted((one_pct, other_pct))
    assert row.loss_db(location_pct=fewer) <= row.loss_db(location_pct=more) + 1e-9
    # (9): multipath and focusing give no more than 2.6 log(50 / p) dB.
    d, tx_m, rx_m = row.distance_km[-1], row.height_m[0] + row.settings["tx_height_m"], row.height_m[-1]
    least_db = free_space_db(d, tx_m - rx_m - row.settings["rx_height_m"], row.settings["frequency_ghz"])
    assert row.loss_db() >= least_db - 2.6 * np.log10(50.0 / row.settings["time_pct"]) - 1e-9


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_the_sweep_computes_what_the_point_call_does(seed: int) -> None:
    row = made_row(seed)
    n, s = row.height_m.size, row.settings
    step_m = 1000.0 * row.distance_km[-1] / (n - 1)
    even = made_path(np.arange(n) * (1e-3 * step_m), row.height_m, np.zeros(n), np.full(n, 4), s)
    latitude = centre_latitude_deg(s["tx_lat"], s["tx_lon"], s["rx_lat"], s["rx_lon"], even.distance_km[-1])
    model = P1812(
        s["time_pct"], s["location_pct"], s["delta_n"], s["n0"], latitude, s["polarization"] == 2,
        closed_smooth_earth=s["smooth_earth_method"] == "closed-form",
    )  # fmt: skip
    frequency_mhz = np.array([1000.0 * s["frequency_ghz"], 7000.0, 1800.0])
    loss_db = np.empty(3)
    loss(model, row.height_m, step_m, s["tx_height_m"], s["rx_height_m"], frequency_mhz, loss_db)
    assert loss_db[0] == pytest.approx(even.loss_db(), abs=1e-9)
    assert isnan(loss_db[1])
    assert loss_db[2] == pytest.approx(even.loss_db(frequency_ghz=1.8), abs=1e-9)


def plain(distance_km: Any, height_m: Any = 10.0, zone: int = 4, **changed: Any) -> float:
    """Loss over a made path at 1.8 GHz, 30 m to 1.5 m."""
    distance = np.asarray(distance_km, np.float64)
    settings = {
        "frequency_ghz": 1.8,
        "time_pct": 50.0,
        "location_pct": 50.0,
        "tx_height_m": 30.0,
        "rx_height_m": 1.5,
        "polarization": 2,
        "delta_n": 45.0,
        "n0": 325.0,
        "tx_lat": 21.0,
        "rx_lat": 21.1,
        "tx_lon": 105.0,
        "rx_lon": 105.1,
    } | changed
    n = distance.size
    return basic_transmission_loss(distance, np.zeros(n) + height_m, np.zeros(n), np.full(n, zone), **settings)


def test_antennas_at_one_place_are_their_difference_in_height_apart() -> None:
    assert plain([0.0, 0.0]) == free_space_db(0.0, 28.5, 1.8)
    assert plain([0.0, 0.0], rx_height_m=30.0) == free_space_db(0.001, 0.0, 1.8)
    step = np.empty(1)
    loss(P1812(), np.array([10.0, 10.0]), 0.0, 30.0, 1.5, np.array([1800.0]), step)
    assert step[0] == plain([0.0, 0.0])


@pytest.mark.parametrize("time_pct", [50.0, 1.0])
def test_the_loss_is_continuous_down_to_no_distance(time_pct: float) -> None:
    near = [plain(np.linspace(0.0, d, 5), time_pct=time_pct) for d in (1e-9, 1e-6)]
    assert near == pytest.approx([plain([0.0, 0.0])] * 2, abs=1e-3)
    steps = [plain(np.linspace(0.0, d, 5), time_pct=time_pct) for d in np.geomspace(0.002, 1.0, 400)]
    assert np.diff(steps).min() > 0.0
    assert np.diff(steps).max() < 0.2


def test_two_points_are_a_smooth_earth() -> None:
    assert plain([0.0, 5.0]) == pytest.approx(plain(np.linspace(0.0, 5.0, 200)), abs=0.01)
    assert plain([0.0, 60.0]) == pytest.approx(plain(np.linspace(0.0, 60.0, 200)), abs=3.0)


def test_flat_sea_and_long_paths() -> None:
    fine, coarse = (plain(np.linspace(0.0, 60.0, n)) for n in (6001, 601))
    assert fine == pytest.approx(coarse, abs=0.01)
    assert fine == pytest.approx(plain(np.linspace(0.0, 60.0, 601), smooth_earth_method="closed-form"), abs=1e-4)
    far = np.linspace(0.0, 400.0, 801)
    at_sea = plain(far, 0.0, zone=1, time_pct=1.0)
    assert at_sea < plain(far, 0.0, time_pct=1.0) - 10.0 < plain(far, 0.0)
    # A receiver at sea knows no variation between locations.
    assert plain(far, 0.0, zone=1, time_pct=1.0, location_pct=95.0) == at_sea


def test_an_unknown_height_gives_an_unknown_loss() -> None:
    assert isnan(plain([0.0, 1.0, 2.0], [10.0, float("nan"), 10.0]))


@pytest.mark.parametrize(
    "changed",
    [
        {"frequency_ghz": 6.01},
        {"frequency_ghz": float("nan")},
        {"time_pct": 50.1},
        {"time_pct": 0.0},
        {"location_pct": 99.5},
        {"tx_height_m": 0.5},
        {"polarization": 3},
        {"delta_n": 157.0},
        {"location_sigma_db": -1.0},
        {"smooth_earth_method": "coarse"},
        {"zone": 2},
        {"distance_km": [0.0, 2.0, 1.0]},
        {"distance_km": [1.0, 2.0]},
        {"distance_km": [0.0]},
        {"height_m": [[10.0, 10.0, 10.0]]},
    ],
)
def test_what_the_recommendation_does_not_cover_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(CoverageError) as failure:
        plain(**({"distance_km": [0.0, 1.0, 2.0]} | changed))
    assert failure.value.mend
