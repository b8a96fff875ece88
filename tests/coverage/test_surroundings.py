"""The receiver's surroundings are corrected once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import ClutterCountedTwice, CoverageError, ValueOutOfRange
from phusong.coverage.loss_rows import loss_rows
from phusong.coverage.propagation.p833 import woodland_loss_db
from phusong.coverage.propagation.p2108 import terrestrial_loss_db
from phusong.coverage.propagation.p2109 import Building, building_entry_loss_db
from phusong.coverage.surroundings import (
    CONSTANT_BEYOND_KM,
    Surroundings,
    check_surroundings,
    corrections,
    enclosures,
    make_surroundings,
    surroundings_loss_db,
)
from phusong.coverage.terrain import Terrain

ONE_EACH: dict[str, dict[str, Any]] = {
    "lowered_m": {"lowered_m": 12.0},
    "vegetation_m": {"vegetation_m": 30.0},
    "clutter_location_pct": {"clutter_location_pct": 50.0},
    "stated_db": {"stated_db": 8.0},
}
PLACE: dict[str, Any] = {
    "surface": "dtm",
    "clutter_in_profile": False,
    "model": "p1812",
    "frequency_mhz": [700.0, 3500.0],
}


def test_nothing_asked_for_costs_nothing() -> None:
    assert surroundings_loss_db(make_surroundings(), 1.0, 1800.0) == 0.0
    assert make_surroundings()._replace(woodland_a1_db=1.0, woodland_exponent=0.0) == Surroundings()
    check_surroundings(Surroundings(), **PLACE)


@pytest.mark.parametrize("distance_km", [0.1, 0.6, 2.0, 30.0])
def test_each_correction_is_its_recommendations(distance_km: float) -> None:
    def loss(frequency_mhz: float, **asked: Any) -> float:
        return surroundings_loss_db(make_surroundings(**asked), distance_km, frequency_mhz)

    assert loss(1800.0, vegetation_m=30.0, trees="mulhouse") == woodland_loss_db(1800.0, 30.0, "mulhouse")
    town_db = terrestrial_loss_db(1.8, max(distance_km, 0.25), 70.0)
    assert loss(1800.0, clutter_location_pct=70.0) == pytest.approx(float(town_db), abs=1e-12)
    assert loss(1800.0, stated_db=8.0) == 8.0
    assert loss(1800.0, lowered_m=12.0) == 0.0  # a height of the path, not a loss


def test_walls_vehicle_and_body_add_to_a_correction_and_to_one_another() -> None:
    asked = make_surroundings(
        clutter_location_pct=50.0, building="thermally-efficient", building_pct=80.0, vehicle_db=6.0, body_db=3.0
    )
    walls_db = building_entry_loss_db(0.9, 80.0, Building.THERMALLY_EFFICIENT)
    total_db = terrestrial_loss_db(0.9, 1.0, 50.0) + walls_db + 9.0
    assert surroundings_loss_db(asked, 1.0, 900.0) == pytest.approx(float(total_db), abs=1e-12)
    check_surroundings(asked, **PLACE)
    assert list(corrections(asked)) == ["clutter_location_pct"]
    assert list(enclosures(asked)) == ["building", "vehicle_db", "body_db"]
    assert "P.2109-2, thermally-efficient building, 80%" in enclosures(asked)["building"]


def test_far_away_the_distance_does_not_matter() -> None:
    asked = make_surroundings(clutter_location_pct=80.0, building="traditional")
    far = {surroundings_loss_db(asked, d, 2600.0) for d in (CONSTANT_BEYOND_KM, 5.0, 80.0)}
    assert len(far) == 1
    assert surroundings_loss_db(asked, 0.5, 2600.0) < far.pop()


@settings(deadline=None)
@given(st.floats(500.0, 30_000.0), st.floats(0.0, 50.0), st.floats(1.0, 99.0), st.sampled_from([None, "traditional"]))
def test_no_correction_is_a_gain(mhz: float, distance_km: float, share_pct: float, building: str | None) -> None:
    for asked in (
        make_surroundings(clutter_location_pct=share_pct),
        make_surroundings(vegetation_m=share_pct, building=building, building_pct=share_pct),
    ):
        assert surroundings_loss_db(asked, distance_km, mhz) >= 0.0


def test_a_frequency_that_is_not_covered_gives_no_number() -> None:
    assert np.isnan(surroundings_loss_db(make_surroundings(clutter_location_pct=50.0), 1.0, 450.0))


@pytest.mark.parametrize(("first", "second"), [(a, b) for i, a in enumerate(ONE_EACH) for b in list(ONE_EACH)[i + 1 :]])
def test_a_second_correction_is_refused_by_name(first: str, second: str) -> None:
    with pytest.raises(ClutterCountedTwice) as failure:
        make_surroundings(**ONE_EACH[first], **ONE_EACH[second])
    told = failure.value
    alone = [corrections(make_surroundings(**ONE_EACH[key]))[key] for key in (first, second)]
    assert all(text in told.where for text in alone)
    assert first in told.mend
    assert second in told.mend
    both = make_surroundings(**ONE_EACH[first])._replace(
        **{key: value for key, value in make_surroundings(**ONE_EACH[second])._asdict().items() if key == second}
    )
    with pytest.raises(ClutterCountedTwice):
        check_surroundings(both, **PLACE | {"surface": "dsm"})


@pytest.mark.parametrize("key", ONE_EACH)
def test_a_correction_on_top_of_another_clutter_is_refused(key: str) -> None:
    asked = make_surroundings(**ONE_EACH[key])
    with pytest.raises(ClutterCountedTwice, match="clutter heights in the profile") as failure:
        check_surroundings(asked, **PLACE | {"clutter_in_profile": True})
    assert f"drop {key}" in failure.value.mend
    with pytest.raises(ClutterCountedTwice, match="the model okumura-hata") as failure:
        check_surroundings(asked, **PLACE | {"model": "okumura-hata"})
    assert f"drop {key}" in failure.value.mend


def test_a_surface_model_takes_no_clutter_heights() -> None:
    with pytest.raises(ClutterCountedTwice) as failure:
        check_surroundings(Surroundings(), **PLACE | {"surface": "dsm", "clutter_in_profile": True})
    assert "drop the clutter heights" in failure.value.mend
    check_surroundings(Surroundings(), **PLACE | {"clutter_in_profile": True})
    check_surroundings(make_surroundings(lowered_m=12.0), **PLACE | {"surface": "dsm"})


def test_bare_earth_is_not_lowered() -> None:
    with pytest.raises(ValueOutOfRange, match="no canopy"):
        check_surroundings(make_surroundings(lowered_m=12.0), **PLACE)


@pytest.mark.parametrize(
    ("asked", "frequency_mhz"),
    [({"clutter_location_pct": 50.0}, 450.0), ({"vegetation_m": 10.0}, 40_000.0), ({"building": "traditional"}, 70.0)],
)
def test_carriers_outside_a_recommendation_are_refused(asked: dict[str, Any], frequency_mhz: float) -> None:
    with pytest.raises(ValueOutOfRange, match=f"{frequency_mhz:g} MHz"):
        check_surroundings(make_surroundings(**asked), **PLACE | {"frequency_mhz": [900.0, frequency_mhz]})
    flat = Terrain(np.zeros((5, 5), np.float32), 90.0)
    key, cells = [[0, 300, round(10 * frequency_mhz)]], [[4, 4]]
    with pytest.raises(ValueOutOfRange, match=f"{frequency_mhz:g} MHz"):
        loss_rows(flat, [[0, 0]], key, cells, rx_height_m=1.5, range_m=1000.0, surroundings=make_surroundings(**asked))


@pytest.mark.parametrize("asked", [
    {"lowered_m": -1.0}, {"lowered_m": 100.0}, {"vegetation_m": float("nan")}, {"clutter_location_pct": 100.0},
    {"stated_db": 61.0}, {"body_db": float("inf")}, {"building": "wooden"}, {"building_pct": 0.5}, {"trees": "bamboo"},
])  # fmt: skip
def test_values_that_no_receiver_has_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(CoverageError) as failure:
        make_surroundings(**asked)
    assert failure.value.mend


def test_the_figures_in_the_document() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/models.md").read_text(encoding="utf-8")
    ghz = np.array([0.7, 1.8, 3.5])
    shown = [woodland_loss_db(1e3 * ghz, depth_m) for depth_m in (20.0, 50.0)]
    shown += [terrestrial_loss_db(ghz, distance_km, 50.0) for distance_km in (2.0, 0.5)]
    shown += [building_entry_loss_db(ghz, share, building) for building in Building for share in (50.0, 80.0)]
    for losses_db in shown:
        assert " / ".join(f"{loss:.1f}" for loss in losses_db) in text
