"""The satellite step on a small made-up area: sky, rain, room, outcomes, and that it never clears a hamlet."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio

from phusong.coverage.satellite.frames import grid_north_deg
from phusong.data_sources.area import Area, Part
from phusong.scenarios.errors import ClimateUnknown, ScenarioError, SkyEmpty
from phusong.scenarios.outputs.folder import write_run
from phusong.scenarios.satellite.elements import constellation
from phusong.scenarios.satellite.figures import paragraph
from phusong.scenarios.satellite.folder import write_satellite_folder
from phusong.scenarios.satellite.outputs import RASTERS
from phusong.scenarios.satellite.pictures import layer_names, part_pictures, scales
from phusong.scenarios.satellite.result import PartSky, SatelliteResult, satellite_result, satellite_skies
from phusong.scenarios.satellite.service import GEO, LEO, NONE, NOT_ASKED
from phusong.scenarios.satellite.settings import Satellite
from phusong.scenarios.scenario import Scenario

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
small_area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small_area)
spec = importlib.util.spec_from_file_location("outputs_sample", Path(__file__).with_name("outputs_sample.py"))
sample = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sample)
CELL_M, SIDE, scenario = small_area.CELL_M, small_area.SIDE, small_area.scenario

SHELL = {"altitude_km": 550.0, "inclination_deg": 53.0, "satellites": 1584, "planes": 72, "phasing": 17}
SMALL = {"hours": 3.0, "step_s": 60.0, "azimuths": 32}


def asked(**changes: Any) -> Scenario:
    """A scenario with a made-up shell; keys of sections are merged."""
    given: dict[str, Any] = {
        "enabled": True, "shells": [SHELL], "simulation": SMALL, "climate": {"region": "red-river"},
        "leo": {"footprint_share": 0.02}, "licence": {"terminals_here": 500},
    }  # fmt: skip
    for key, value in changes.items():
        given[key] = {**given.get(key, {}), **value} if isinstance(value, dict) else value
    return scenario(satellite=given)


def looked(wish: Scenario, *parts: Part) -> tuple[PartSky, ...]:
    return satellite_skies(wish, Area(parts or (small_area.part(),), (), ()), Path())


def found(wish: Scenario, *parts: Part, low: list[bool] | None = None) -> SatelliteResult:
    skies = looked(wish, *parts)
    return satellite_result(wish, skies, None if low is None else [np.array(low)])


@pytest.fixture(scope="module")
def result() -> SatelliteResult:
    return found(asked())


def flat(height_m: float = 100.0) -> Part:
    return replace(small_area.part(), height_m=np.full((SIDE, SIDE), height_m, np.float32))


def with_wall(height_m: float, col: int, wide: int = 2) -> Part:
    """Flat ground with a wall from north to south."""
    ground = np.full((SIDE, SIDE), 100.0, np.float32)
    ground[:, col : col + wide] += np.float32(height_m)
    return replace(small_area.part(), height_m=ground)


def inside(raster: np.ndarray) -> np.ndarray:
    """Away from the ends of the made-up ground, where a wall would seem shorter."""
    return raster[SIDE // 2]


def test_shares_are_shares_and_rain_only_takes_away(result):
    rasters = result.parts[0].rasters
    for name in ("availability", "rain_limited", "obstruction", "geo_rain_limited"):
        values = rasters[name][np.isfinite(rasters[name])]
        assert values.size
        assert values.min() >= 0.0
        assert values.max() <= 1.0
    assert (rasters["rain_limited"] <= rasters["availability"]).all()
    assert rasters["rain_limited"].mean() < rasters["availability"].mean()
    assert set(rasters) < set(RASTERS)


def test_the_band_of_the_link_bounds_what_is_said():
    (sky,) = looked(asked())
    low, middle, high = (sky.leo.rain_limited(side) for side in (-1, 0, 1))
    assert (low <= middle + 1e-6).all()
    assert (middle <= high + 1e-6).all()
    assert low.mean() < high.mean()
    for geo in sky.geo:
        assert (geo.rain_limited(-1) <= geo.rain_limited(0)).all()


def test_a_ring_hides_what_its_height_says():
    """Above 25 degrees a ring of 45 hides (sin 45 - sin 25) / (1 - sin 25) of the sky."""
    (sky,) = looked(asked(simulation={"ring_deg": 45.0}), flat())
    sines = np.sin(np.radians([25.0, 45.0]))
    assert sky.leo.seen.obstructed == pytest.approx((sines[1] - sines[0]) / (1.0 - sines[0]), abs=0.01)
    (open_sky,) = looked(asked(), flat())
    assert open_sky.leo.seen.obstructed == pytest.approx(0.0)
    assert open_sky.leo.availability.mean() >= sky.leo.availability.mean()


def test_a_wall_hides_what_geometry_says():
    """A long wall 900 m high, 450 m east of a dish 3 m above the ground."""
    wall_m, cells = 900.0, 5
    (sky,) = looked(asked(simulation={"azimuths": 64}), with_wall(wall_m, 30))
    azimuth = np.radians(np.arange(64) * 360.0 / 64)
    east = np.maximum(np.sin(azimuth), 0.0)
    mask = np.arctan((wall_m - 3.0) * east / (cells * CELL_M))
    floor = np.sin(np.radians(25.0))
    hidden = np.mean(np.maximum(np.sin(mask) - floor, 0.0)) / (1.0 - floor)
    assert inside(sky.leo.seen.obstructed)[30 - cells] == pytest.approx(hidden, abs=0.03)


def test_a_geostationary_satellite_behind_a_wall():
    """VINASAT-1 stands 51 degrees high towards 115: a dish sees it where the wall's edge lies lower that way."""
    (sky,) = looked(asked(simulation={"azimuths": 72}), with_wall(900.0, 45))
    geo, ground = sky.geo[0], sky.ground
    cols = np.array([10, 30, 36, 41, 44])  # left of the wall
    toward = (
        inside(geo.seen.azimuth_deg)[cols] - inside(grid_north_deg(ground.latitude_deg, ground.longitude_deg))[cols]
    )
    distance_m = (45 - cols) * CELL_M / np.sin(np.radians(toward))
    behind = np.degrees(np.arctan2(900.0 - 3.0, distance_m)) > inside(geo.seen.elevation_deg)[cols]
    assert behind.tolist() == [False, False, False, True, True]
    assert (~inside(geo.seen.visible)[cols] == behind).all()
    assert (inside(geo.rain_limited())[cols[behind]] == 0.0).all()
    assert (inside(geo.rain_limited())[cols[~behind]] > 0.99).all()


def test_every_outcome_is_broadband_and_none_is_cleared(result):
    hamlets = result.hamlets
    assert set(hamlets["broadband"]) <= {LEO, GEO, NONE, NOT_ASKED}
    assert not [column for column in hamlets if "cleared" in column or column.startswith("state")]
    assert (hamlets["broadband_households"] <= hamlets["households"]).all()
    assert (hamlets["broadband"] == LEO).any()
    assert hamlets.loc[hamlets["broadband"] == LEO, "availability"].between(0.99, 1.0).all()


def test_the_paragraph_has_its_limits_in_it(result):
    for lang in ("vi", "en"):
        said = paragraph(result.summary, lang)
        assert said == result.summary["paragraph"][lang]
        assert "covered" not in said
        assert "phủ sóng" not in said
        assert "18–22°" in said
        assert "Mbps" in said
        rain = 100.0 * result.summary["leo"]["rain_limited"]
        assert f"{rain:.2f}%".replace(".", "," if lang == "vi" else ".") in said
    assert "not mobile signal" in result.summary["paragraph"]["en"]


def test_only_low_signal_hamlets_are_asked():
    low = [False, True, True, False]
    hamlets = found(asked(), low=low).hamlets
    assert (hamlets["broadband"] == NOT_ASKED).tolist() == [not one for one in low]
    assert hamlets.loc[~np.array(low), "broadband_households"].sum() == 0


def test_a_service_cell_saturates_and_more_beams_help():
    few = {"beams_per_satellite": 2.0, "up_beams_per_satellite": 2.0}
    full, roomy = found(asked(leo=few)), found(asked())
    assert full.cells["saturated"].all()
    assert not roomy.cells["saturated"].all()
    households = [
        int(r.hamlets["broadband_households"].where(r.hamlets["broadband"] == LEO).sum()) for r in (full, roomy)
    ]
    assert households[0] < households[1]
    why = full.hamlets.loc[full.hamlets["broadband"] != LEO, "why"]
    assert len(why)
    assert set(why) <= {"cell-full", "too-slow"}
    assert (full.cells["terminals"] > full.cells["most_terminals"]).all()
    band = found(asked()).cells
    assert (band["most_terminals_low"] <= band["most_terminals"]).all()
    assert (band["most_terminals"] <= band["most_terminals_high"]).all()


def test_the_licence_limits_terminals():
    none = found(asked(licence={"terminals_here": 0}, geo={"enabled": False})).hamlets
    assert (none["broadband"] == NONE).all()
    assert set(none["why"]) == {"licence-full"}
    one = found(asked(licence={"terminals_here": 8})).hamlets
    assert 0 < one.loc[one["broadband"] == LEO, "broadband_households"].sum() <= 8


def test_ground_without_terrain_is_unknown_not_served():
    part = small_area.part()
    height = part.height_m.copy()
    height[:, 40:] = np.nan
    there = found(asked(), replace(part, height_m=height))
    assert np.isnan(there.parts[0].rasters["availability"][:, 45:]).all()
    south = there.hamlets.set_index("hamlet_id").loc["south"]
    assert (south["broadband"], south["why"]) == (NONE, "no-sky")
    assert np.isnan(south["leo_availability"])


def test_a_large_part_keeps_its_terrain_and_has_fewer_dishes():
    part = small_area.part()
    (fine,), (rough,) = looked(asked(), part), looked(asked(simulation={"most_cells": 400}), part)
    every = rough.ground.every
    assert every == 3
    assert rough.ground.height_m.size <= 400
    first = every // 2
    np.testing.assert_allclose(rough.ground.horizon, fine.ground.horizon[:, first::every, first::every])
    np.testing.assert_allclose(rough.ground.latitude_deg, fine.ground.latitude_deg[first::every, first::every])
    assert rough.ground.people.sum() == pytest.approx(part.people.sum())


def test_the_same_scenario_gives_the_same_bytes(tmp_path, result):
    write_satellite_folder(result, tmp_path / "một")
    write_satellite_folder(found(asked()), tmp_path / "hai")
    files = sorted(p.relative_to(tmp_path / "một") for p in (tmp_path / "một").rglob("*") if p.is_file())
    assert len(files) == 5 + 4
    for path in files:
        assert (tmp_path / "một" / path).read_bytes() == (tmp_path / "hai" / path).read_bytes(), path
    with rasterio.open(tmp_path / "một" / "satellite_rain_limited.tif") as raster:
        assert raster.profile["dtype"] == "float32"
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "not mobile signal" in raster.tags()["LIMITS"]
    table = pd.read_csv(tmp_path / "một" / "tables" / "satellite.csv", encoding="utf-8-sig")
    assert table["hamlet_id"].tolist() == result.hamlets["hamlet_id"].tolist()
    write_satellite_folder(result, tmp_path / "một")  # an earlier result is replaced
    (tmp_path / "khác").mkdir()
    (tmp_path / "khác" / "note.txt").write_text("mine")
    with pytest.raises(ScenarioError, match="tệp khác"):
        write_satellite_folder(result, tmp_path / "khác")


def test_pictures_for_the_map(result):
    pictures = part_pictures(result.parts[0])
    assert list(scales(result)) == layer_names(result)
    assert set(pictures["png"]) == set(result.parts[0].rasters)
    assert all(png.startswith(b"\x89PNG") for png in pictures["png"].values())
    assert len(pictures["corners"]) == 4


def test_a_run_folder_shows_the_sky_beside_the_plan(tmp_path):
    run = sample.with_sky(sample.sample_run())
    write_run(run, tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"satellite.json", "satellite_rate.tif", "satellite_rate-2.tif"} <= names
    assert "tables.xlsx" in {path.name for path in (tmp_path / "run" / "tables").iterdir()}
    table = pd.read_csv(tmp_path / "run" / "tables" / "satellite.csv", encoding="utf-8-sig")
    assert set(table["broadband"]) == {"leo"}
    assert table["leo_rain_limited"].iloc[0] == 0.99712
    page = (tmp_path / "run" / "map.html").read_text(encoding="utf-8")
    assert run.satellite.summary["paragraph"]["vi"] in page
    document = json.loads((tmp_path / "run" / "satellite.json").read_text(encoding="utf-8"))
    assert document["label"] == run.label


def test_phones_carry_their_label(shared):
    stars = shared("data/vietnam/celestrak_starlink_2026-05-30.tle")
    wish = asked(shells=[], orbits=[str(stars)], direct_to_device={"enabled": True}, simulation={"hours": 1.0})
    there = found(wish)
    said = there.summary["direct_to_device"]
    assert said["label"] == "chưa được cấp phép trong nguồn đã dẫn"
    assert said["label"] in there.summary["paragraph"]["vi"]
    assert 0.0 < said["availability"] < 1.0
    assert there.summary["leo"]["satellites"] == 8_910
    assert there.summary["leo"]["left_out"]["direct to cell"] == 642
    assert there.summary["leo"]["availability"] == pytest.approx(1.0, abs=1e-3)


def test_phones_are_off_unless_asked_for(result):
    assert result.summary["direct_to_device"] is None
    assert "phones_availability" not in result.hamlets
    with pytest.raises(SkyEmpty, match="điện thoại"):
        looked(asked(direct_to_device={"enabled": True}))


def test_a_sky_with_no_satellite():
    with pytest.raises(SkyEmpty, match="no satellite"):
        looked(asked(shells=[]))


def test_no_climate_outside_vietnam():
    far = replace(small_area.part(), box=small_area.part(west=-9_000_000.0).box)
    with pytest.raises(ClimateUnknown, match="mưa"):
        looked(asked(climate={"region": None}), far)


def test_each_place_has_its_region_where_none_is_named():
    (sky,) = looked(asked(climate={"region": None}))
    assert "mm/h" in sky.ground.nodes.climate.source


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"leo": {"inter_satellite_links": False}}, "gateways"),
        ({"leo": {"gateways": [[16.0, 108.0]] * 5}}, "5 gateways"),
        ({"leo": {"gso_exclusion_deg": {"value": 70.0, "band": 1.0}}}, "gso_exclusion_deg"),
        ({"leo": {"footprint_share": {"value": 0.9, "band": 0.5}}}, "footprint_share"),
        ({"geo": {"satellites": {"VINASAT-9": 400.0}}}, "VINASAT-9"),
        ({"climate": {"region": "sông Hồng"}}, "red-river"),
        ({"simulation": {"hours": 240.0, "step_s": 1.0}}, "20,000 steps"),
        ({"licence": {"until": "31/12/2030"}}, "until"),
        ({"licence": {"until": "2030-02-30"}}, "no day of the calendar"),
        ({"plan_date": "2026-13-01"}, "no day of the calendar"),
        ({"shells": [{**SHELL, "epoch": "2026-00-10"}]}, "no day of the calendar"),
    ],
)
def test_settings_that_cannot_be(given, said):
    with pytest.raises(ValueError, match=said):
        Satellite.model_validate(given)


def test_a_shell_is_simulated_on_its_day():
    there = constellation(asked(shells=[{**SHELL, "epoch": "2026-05-30"}]).satellite, Path())
    assert f"{there.epoch:%Y-%m-%d}" == "2026-05-30"
    assert there.satellites == SHELL["satellites"]
    assert there.altitude_km == pytest.approx(550.0, abs=0.5)


def test_without_a_constellation_only_the_geostationary_is_looked_at():
    there = found(asked(leo={"enabled": False}, shells=[]))
    assert set(there.parts[0].rasters) == {"geo_rain_limited"}
    assert there.summary["leo"] is None
    assert set(there.hamlets["broadband"]) == {GEO}
    assert len(there.cells) == 0
    assert "VINASAT-1" in there.summary["paragraph"]["vi"]


def test_two_parts_share_one_table_and_the_licence(tmp_path):
    near, far = small_area.part(prefix="a-"), small_area.part(prefix="b-", west=560_000.0)
    there = found(asked(licence={"terminals_here": 9}), near, far)
    assert there.hamlets["part"].unique().tolist() == ["a-", "b-"]
    assert there.summary["licence"]["terminals_here"] == 9
    assert there.hamlets.loc[there.hamlets["broadband"] == LEO, "broadband_households"].sum() <= 9
    write_satellite_folder(there, tmp_path / "hai")
    assert (tmp_path / "hai" / "satellite_rate-2.tif").is_file()


def test_a_part_without_hamlets_or_people_has_a_sky():
    part = small_area.part(hamlets={})
    there = found(asked(), replace(part, people=np.zeros_like(part.people)))
    assert len(there.hamlets) == 0
    assert np.isfinite(there.parts[0].rasters["availability"]).all()
    assert there.summary["hamlets"]["asked"] == 0
