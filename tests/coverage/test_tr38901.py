"""TR 38.901 against ns-3's rows, plain twins of its formulas, and the sweep's models against both."""

from __future__ import annotations

import csv
import warnings
from math import exp, log10, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation import RuralMacro, UrbanMacro, UrbanMicro, check_model, resolve_model
from phusong.coverage.propagation.free_space import free_space_loss_db
from phusong.coverage.propagation.registry import under_free_space_db
from phusong.coverage.propagation.tr38901 import (
    LIMITS,
    OutsideScenario,
    los_probability,
    path_loss_db,
    shadow_sigma_db,
)
from phusong.coverage.propagation.tr38901_area import (
    rural_macro_loss,
    sight_is_clear,
    urban_macro_loss,
    urban_micro_loss,
)
from phusong.coverage.propagation.tr38901_formulas import breakpoint_m

MASTS_M = {"RMa": 35.0, "UMa": 25.0, "UMi": 10.0}
CODES = {name: limits.code for name, limits in LIMITS.items()}
MODELS = {
    "RMa": (RuralMacro, rural_macro_loss),
    "UMa": (UrbanMacro, urban_macro_loss),
    "UMi": (UrbanMicro, urban_micro_loss),
}
STEP_M = 50.0


def median_db(scenario, los, distance_m, frequency_ghz=3.5, ut_height_m=1.5, **more):
    return path_loss_db(
        scenario,
        los=los,
        distance_2d_m=distance_m,
        frequency_ghz=frequency_ghz,
        bs_height_m=more.pop("bs_height_m", MASTS_M[scenario]),
        ut_height_m=ut_height_m,
        **more,
    )


def test_reference_rows(shared):
    """All 24, those too that ns-3 lists without comparing them."""
    path = shared("validation/ns3_tr38901/tr38901_pathloss_vectors.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == 24
    for row in rows:
        loss_db = path_loss_db(
            row["scenario"],
            los=row["condition"] == "LOS",
            distance_2d_m=float(row["d2d_m"]),
            frequency_ghz=float(row["f_ghz"]),
            bs_height_m=float(row["h_bs_m"]),
            ut_height_m=float(row["h_ut_m"]),
        )
        assert loss_db == pytest.approx(float(row["pathloss_db"]), abs=0.01), row


def plain_rural_db(d2, f, bs, ut, h, w, los):
    """RMa as the table writes it, in one place."""

    def near(d):
        return (
            20 * log10(40 * pi * d * f / 3)
            + min(0.03 * h**1.72, 10) * log10(d)
            - min(0.044 * h**1.72, 14.77)
            + 0.002 * log10(h) * d
        )

    d3, edge = np.hypot(d2, bs - ut), 2 * pi * bs * ut * f * 1e9 / 3e8
    sight = near(d3) if d2 <= edge else near(edge) + 40 * log10(d3 / edge)
    if los:
        return sight
    hidden = (
        161.04
        - 7.1 * log10(w)
        + 7.5 * log10(h)
        - (24.37 - 3.7 * (h / bs) ** 2) * log10(bs)
        + (43.42 - 3.1 * log10(bs)) * (log10(d3) - 3)
        + 20 * log10(f)
        - (3.2 * log10(11.75 * ut) ** 2 - 4.97)
    )
    return max(sight, hidden)


@given(
    st.floats(10, 5000), st.floats(0.5, 7), st.floats(10, 150), st.floats(1, 10), st.floats(5, 50), st.floats(5, 50),
    st.booleans(),
)  # fmt: skip
def test_rural_macro_off_the_defaults(d2, f, bs, ut, h, w, los):
    loss_db = median_db("RMa", los, d2, f, ut, bs_height_m=bs, building_height_m=h, street_width_m=w)
    assert loss_db == pytest.approx(plain_rural_db(d2, f, bs, ut, h, w, los), abs=1e-9)


@pytest.mark.parametrize(("scenario", "step_db"), [("RMa", 0.05), ("UMa", 1e-6), ("UMi", 1e-6)])
def test_continuous_at_the_breakpoint(scenario, step_db):
    """UMa and UMi exactly; RMa's second slope starts a little nearer than the breakpoint, at d_3D = d_BP."""
    for frequency_ghz in (0.7, 1.8, 3.5):
        edge_m = breakpoint_m(CODES[scenario], frequency_ghz, MASTS_M[scenario], 1.5)
        before, after = median_db(scenario, True, np.array([1 - 1e-12, 1 + 1e-12]) * edge_m, frequency_ghz)
        assert after == pytest.approx(before, abs=step_db)


@pytest.mark.parametrize("scenario", LIMITS)
@pytest.mark.parametrize("los", [True, False])
def test_grows_with_distance_and_without_sight(scenario, los):
    farthest_m = LIMITS[scenario].los_m if los else LIMITS[scenario].nlos_m
    distance_m = np.geomspace(10.0, farthest_m, 2000)
    for frequency_ghz in (0.7, 2.6):
        loss_db = median_db(scenario, los, distance_m, frequency_ghz)
        assert (np.diff(loss_db) > 0.0).all()
        if not los:
            assert (loss_db >= median_db(scenario, True, distance_m, frequency_ghz)).all()


@pytest.mark.parametrize("scenario", LIMITS)
def test_sight_becomes_unlikelier_with_distance(scenario):
    distance_m = np.linspace(0.0, 6000.0, 3000)
    p = los_probability(scenario, distance_m, 1.5)
    assert p[0] == 1.0
    assert ((p > 0.0) & (p <= 1.0)).all()
    assert (np.diff(p) <= 1e-12).all()


def test_probability_of_sight():
    assert los_probability("RMa", 1010.0, 1.5) == pytest.approx(exp(-1.0))
    assert los_probability("UMi", 36.0, 1.5) == pytest.approx(0.5 + 0.5 * exp(-1.0))
    low = 0.18 + 0.82 * exp(-100 / 63)
    assert los_probability("UMa", 100.0, [1.5, 13.0]) == pytest.approx([low, low])
    tall = 1.0 + 0.8**1.5 * 1.25 * exp(-100 / 150)  # C'(21 m), d = 100 m
    assert los_probability("UMa", 100.0, 21.0) == pytest.approx(low * tall)


def test_shadow_fading():
    rural = {"frequency_ghz": 0.7, "bs_height_m": 35.0, "ut_height_m": 1.5}
    edge_m = breakpoint_m(CODES["RMa"], 0.7, 35.0, 1.5)
    sight_db = shadow_sigma_db("RMa", los=True, distance_2d_m=[edge_m, edge_m + 1.0], **rural)
    assert sight_db.tolist() == [4.0, 6.0]
    assert shadow_sigma_db("RMa", los=False, distance_2d_m=100.0, **rural) == 8.0
    for scenario, hidden_db in (("UMa", 6.0), ("UMi", 7.82)):
        link = {"distance_2d_m": 100.0, "frequency_ghz": 3.5, "bs_height_m": MASTS_M[scenario], "ut_height_m": 1.5}
        assert shadow_sigma_db(scenario, los=True, **link) == 4.0
        assert shadow_sigma_db(scenario, los=False, **link) == hidden_db


@pytest.mark.parametrize(
    ("scenario", "los", "changed", "named"),
    [
        ("RMa", True, {"distance_m": 9.9}, "distance_2d_m"),
        ("RMa", True, {"distance_m": 10_001.0}, "distance_2d_m"),
        ("RMa", False, {"distance_m": [100.0, 5001.0]}, "distance_2d_m"),
        ("UMa", True, {"distance_m": 5001.0}, "distance_2d_m"),
        ("UMi", True, {"distance_m": float("nan")}, "distance_2d_m"),
        ("RMa", True, {"frequency_ghz": 0.45}, "frequency_ghz"),
        ("RMa", True, {"frequency_ghz": 31.0}, "frequency_ghz"),
        ("UMa", True, {"frequency_ghz": 101.0}, "frequency_ghz"),
        ("UMa", True, {"ut_height_m": 1.0}, "ut_height_m"),
        ("RMa", True, {"ut_height_m": 11.0}, "ut_height_m"),
        ("RMa", True, {"bs_height_m": 9.0}, "bs_height_m"),
        ("UMi", True, {"bs_height_m": 1.0}, "bs_height_m"),
        ("RMa", False, {"street_width_m": 51.0}, "street_width_m"),
        ("RMa", True, {"building_height_m": 4.0}, "building_height_m"),
    ],
)
def test_outside_the_tables_ranges(scenario, los, changed, named):
    with pytest.raises(ValueOutOfRange) as failure:
        median_db(scenario, los, **({"distance_m": 100.0} | changed))
    assert named in failure.value.where
    assert named in failure.value.mend


def test_unknown_scenario():
    with pytest.raises(ValueOutOfRange, match="InH"):
        path_loss_db("InH", los=True, distance_2d_m=50.0, frequency_ghz=3.5, bs_height_m=3.0, ut_height_m=1.0)


def test_what_a_scenario_fixes_is_warned_of():
    with pytest.warns(OutsideScenario, match="25 m"):
        median_db("UMa", True, 100.0, bs_height_m=30.0)
    with pytest.warns(OutsideScenario, match="7 GHz"):
        median_db("RMa", True, 100.0, 24.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        median_db("UMa", True, 100.0)
        median_db("RMa", True, 100.0, bs_height_m=60.0)


def path_db(scenario, ground_m, frequency_mhz=(3500.0,), rx_height_m=1.5, step_m=STEP_M, mast_m=None, **parameters):
    kind, kernel = MODELS[scenario]
    loss_db = np.empty(len(frequency_mhz))
    ground = np.asarray(ground_m, float)
    mast_m = mast_m or MASTS_M[scenario]
    kernel(kind(**parameters), ground, step_m, mast_m, rx_height_m, np.array(frequency_mhz), loss_db)
    return loss_db


@pytest.mark.parametrize("scenario", LIMITS)
def test_terrain_decides_the_line_of_sight(scenario):
    flat, ridge = np.full(31, 200.0), np.full(31, 200.0)
    ridge[15] = 260.0
    for ground_m, los in ((flat, True), (ridge, False)):
        loss_db = path_db(scenario, ground_m, (800.0, 3500.0))
        assert loss_db == pytest.approx(median_db(scenario, los, 1500.0, np.array([0.8, 3.5])), abs=1e-9)


@given(st.lists(st.floats(0, 300), min_size=2, max_size=60), st.floats(1, 400), st.floats(1, 100), st.floats(1, 10))
def test_sight_is_that_of_the_plain_twin(ground_m, step_m, mast_m, rx_m):
    ground, last = np.array(ground_m), len(ground_m) - 1
    along = np.arange(last + 1) / last
    ray = (ground[0] + mast_m) * (1 - along) + (ground[-1] + rx_m) * along
    over = ground + (step_m * last) ** 2 * along * (1 - along) / 2 / 8.5e6 - ray
    if last < 2 or abs(over[1:-1].max()) > 1e-6:
        clear = sight_is_clear(ground, step_m, ground[0] + mast_m, ground[-1] + rx_m, 8.5e6)
        assert clear == (last < 2 or over[1:-1].max() < 0.0)


@pytest.mark.parametrize("scenario", LIMITS)
def test_expected_loss_over_the_probability_of_sight(scenario):
    ridge = np.full(31, 200.0)
    ridge[15] = 260.0
    p = los_probability(scenario, 1500.0, 1.5)
    expected = p * median_db(scenario, True, 1500.0) + (1 - p) * median_db(scenario, False, 1500.0)
    assert path_db(scenario, ridge, los_from_terrain=False) == pytest.approx(expected, abs=1e-9)


def test_near_and_far_of_the_sweeps_models():
    at_10_m = [float(median_db("UMa", True, 10.0))]
    assert path_db("UMa", [5.0, 5.0], step_m=3.0) == pytest.approx(at_10_m)
    assert path_db("UMa", [5.0, 5.0], step_m=0.0) == pytest.approx(at_10_m)
    plain, ridge = np.zeros(121), np.zeros(121)
    ridge[60] = 90.0
    assert np.isfinite(path_db("RMa", plain))  # 6 km, in sight
    assert np.isnan(path_db("RMa", ridge))  # 6 km, hidden
    assert np.isfinite(path_db("RMa", ridge, extrapolate=True))
    assert np.isnan(path_db("UMa", plain))
    # What the tables do not take is unknown, frequency by frequency.
    assert np.isnan(path_db("RMa", plain, (450.0, 800.0))).tolist() == [True, False]
    assert np.isnan(path_db("UMa", plain[:9], rx_height_m=1.0))
    assert np.isnan(path_db("RMa", plain[:9], mast_m=160.0))


@pytest.mark.parametrize("name", ["tr38901-rma", "tr38901-uma", "tr38901-umi"])
def test_ranges_are_checked_before_a_run(name):
    model = resolve_model(name)
    mast_m = {"tr38901-rma": 45.0, "tr38901-uma": 25.0, "tr38901-umi": 10.0}[name]
    check_model(model, [800.0, 3500.0], [mast_m], 1.5)
    with pytest.raises(ValueOutOfRange, match="frequency_ghz"):
        check_model(model, [450.0], [mast_m], 1.5)
    with pytest.raises(ValueOutOfRange, match="ut_height_m"):
        check_model(model, [800.0], [mast_m], 25.0)
    if name == "tr38901-rma":
        with pytest.raises(ValueOutOfRange, match="street_width_m"):
            check_model(model._replace(street_width_m=3.0), [800.0], [mast_m], 1.5)


@given(st.sampled_from(sorted(LIMITS)), st.floats(10, 5000), st.floats(500, 7000), st.floats(5, 50))
def test_never_farther_below_free_space_than_said(scenario, distance_m, frequency_mhz, building_m):
    kind, _ = MODELS[scenario]
    more = {"building_height_m": building_m} if scenario == "RMa" else {}
    loss_db = median_db(scenario, True, distance_m, frequency_mhz / 1e3, **more)
    assert loss_db >= free_space_loss_db(distance_m, frequency_mhz) - under_free_space_db(kind()) - 1e-9
