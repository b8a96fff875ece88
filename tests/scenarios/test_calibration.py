"""Calibration: what is held out, what is recovered from known errors, and the command as it is typed."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.sweep import signal_at
from phusong.coverage.terrain import Terrain
from phusong.data_sources.measurements import MEASUREMENTS
from phusong.scenarios.calibration_fit import (
    GUARD_M,
    errors_of,
    fit_classes,
    fit_offset,
    fit_slope,
    held_out_blocks,
    huber_fit,
    near_held_out,
    spread_within_places,
    variance_components,
)
from phusong.scenarios.calibration_places import (
    BLOCK_M,
    NO_SIGNAL,
    NO_STATION,
    OUTSIDE,
    place_measurements,
)
from phusong.scenarios.calibration_text import MARK, with_radio_values
from phusong.scenarios.cli import main
from phusong.scenarios.errors import ScenarioFaults, ScenarioNotEditable
from phusong.scenarios.radio import Radio, existing_network
from phusong.scenarios.scenario import read_scenario

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(area)

OFFSET, MODEL_SIGMA, LOCATION_SIGMA = -6.0, 7.0, 5.5
RADIO = Radio(range_km=8.0)


def modelled(part, cells: np.ndarray, radio: Radio = RADIO, operator: str = "") -> np.ndarray:
    """Best level at cells, asked for directly."""
    network, _ = existing_network(part.layers.sectors, part.box, radio)
    level, _ = signal_at(
        Terrain(part.height_m, part.cell_m), network.site_rc, network.sectors, len(network.layers), cells,
        rx_height_m=radio.rx_height_m, range_m=radio.range_km * 1000, model=radio.model,
    )  # fmt: skip
    wanted = [not operator or o == operator for o, _ in network.layers]
    return np.nanmax(level[wanted], axis=0)


def samples(part, cells: np.ndarray, rsrp_dbm: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    """Rows of the measurement schema at the centres of cells."""
    x, y = part.box.affine @ (cells[:, 1] + 0.5, cells[:, 0] + 0.5)
    blank = dict.fromkeys(["operator", "technology", "band", "measured_on", "clutter_class"])
    frame = gpd.GeoDataFrame(
        {"rsrp_dbm": rsrp_dbm, **blank, "rx_height_m": np.nan, **columns},
        geometry=gpd.points_from_xy(x, y), crs=part.box.crs,
    )  # fmt: skip
    return frame.to_crs(4326)


def drive(part, count: int, seed: int = 1, outliers: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Cells, and levels as the model gives them but for a known offset, errors by square and by place, and outliers."""
    rng = np.random.default_rng(seed)
    cells = np.unique(rng.integers(0, area.SIDE, (count, 2)), axis=0).astype(np.int32)
    x, y = part.box.affine @ (cells[:, 1] + 0.5, cells[:, 0] + 0.5)
    _, block = np.unique(np.floor(np.column_stack([x, y]) / BLOCK_M), axis=0, return_inverse=True)
    level = modelled(part, cells) + OFFSET + rng.normal(0, LOCATION_SIGMA, len(cells))
    level += rng.normal(0, MODEL_SIGMA, block.max() + 1)[block.reshape(-1)]
    wrong = rng.random(len(cells)) < outliers
    level[wrong] += rng.uniform(20, 40, wrong.sum())
    return cells, level


# --- statistics


@pytest.mark.parametrize("seed", range(8))
def test_offset_and_sigmas_are_recovered_through_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(80), rng.integers(1, 60, 80))
    residual = OFFSET + rng.normal(0, MODEL_SIGMA, 80)[block] + rng.normal(0, LOCATION_SIGMA, len(block))
    wrong = rng.random(len(block)) < 0.05
    residual[wrong] += rng.uniform(20, 40, wrong.sum())
    found = fit_offset(residual, block, 0.0)
    assert found.standard_error_db == pytest.approx(MODEL_SIGMA / np.sqrt(80), rel=0.3)
    assert found.offset_db == pytest.approx(OFFSET, abs=3 * found.standard_error_db)
    assert found.model_sigma_db == pytest.approx(MODEL_SIGMA, rel=0.25)
    assert found.location_sigma_db == pytest.approx(LOCATION_SIGMA, rel=0.1)
    assert found.far_off[wrong].mean() > 0.7
    assert found.far_off[~wrong].mean() < 0.01
    assert variance_components(residual, block)[1] > 1.3 * LOCATION_SIGMA  # what they would make of the sigma


def test_a_square_driven_through_slowly_does_not_outvote_the_others() -> None:
    rng = np.random.default_rng(2)
    block = np.repeat(np.arange(41), [2000, *[5] * 40])
    residual = np.where(block == 0, 15.0, 0.0) + rng.normal(0, 4, len(block)) + rng.normal(0, 3, 41)[block]
    assert abs(fit_offset(residual, block, 0.0).offset_db) < 2.0
    assert residual.mean() > 10.0


def test_few_squares_say_nothing_of_sigma() -> None:
    found = fit_offset(np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 3), np.repeat(np.arange(3), 5), 0.0)
    assert found.model_sigma_db is None
    assert found.location_sigma_db is None
    assert found.offset_db == pytest.approx(3.0)


def test_variance_components_of_a_table_worked_by_hand() -> None:
    # Means 1, 4, 7; within: 2 + 2 + 2 of 3 degrees; among: 2 (9 + 0 + 9) of 2; (18 - 2) / 2 between.
    between, within = variance_components(np.array([0.0, 2, 3, 5, 6, 8]), np.array([0, 0, 1, 1, 2, 2]))
    assert within**2 == pytest.approx(2.0)
    assert between**2 == pytest.approx(8.0)
    assert variance_components(np.array([0.0, 2, 0, 2]), np.array([0, 0, 1, 1]))[0] == 0.0


def test_huber_is_the_mean_without_outliers_and_near_the_median_with_them() -> None:
    ones = np.ones((5, 1))
    assert huber_fit(ones, np.array([1.0, 2, 3, 4, 5]), np.ones(5))[0] == pytest.approx(3.0)
    assert huber_fit(ones, np.array([1.0, 2, 3, 4, 500]), np.ones(5))[0] < 4.5
    assert huber_fit(ones, np.full(5, -7.0), np.ones(5))[0] == pytest.approx(-7.0)


def test_slope_and_classes_are_recovered() -> None:
    rng = np.random.default_rng(4)
    distance = 10 ** rng.uniform(-1, 1.2, 400)
    level, slope, middle = fit_slope(-4 - 9 * np.log10(distance) + rng.normal(0, 3, 400), distance)
    assert slope == pytest.approx(-9.0, abs=1.0)
    assert level + slope * np.log10(1.0 / middle) == pytest.approx(-4.0, abs=0.6)
    names = np.array(["rừng", "ruộng", None, "hồ"], dtype=object)[np.r_[np.repeat([0, 1, 2], 100), [3] * 4]]
    found = fit_classes(np.where(names == "rừng", -12.0, 1.0) + rng.normal(0, 2, 304), names)
    assert set(found) == {"rừng", "ruộng"}
    assert found["rừng"] == pytest.approx(-12.0, abs=0.7)


def test_errors_are_those_of_the_definition() -> None:
    found = errors_of(np.array([-100.0, -112, -90]), np.array([-104.0, -108, -90]), np.full(3, -110.0))
    assert (found.places, found.mean_db) == (3, 0.0)
    assert found.rmse_db == found.standard_deviation_db == pytest.approx(np.sqrt(32 / 3))
    assert found.hit_rate == pytest.approx(2 / 3)


@given(st.sets(st.text(max_size=5), min_size=2, max_size=40), st.integers(0, 5))
def test_what_is_held_out_depends_on_names_and_seed_alone(blocks: set[str], seed: int) -> None:
    first = held_out_blocks(sorted(blocks), seed)
    assert first == held_out_blocks(sorted(blocks, reverse=True) * 3, seed)
    assert 1 <= len(first) < len(blocks)


def test_another_seed_holds_out_other_squares() -> None:
    blocks = [f"main:{i}:{j}" for i in range(8) for j in range(8)]
    assert held_out_blocks(blocks, 1) != held_out_blocks(blocks, 2)
    assert len(held_out_blocks(blocks, 1)) == round(0.3 * 64)


def test_places_next_to_a_held_out_one_are_not_fitted() -> None:
    position = np.array([[0.0, 0], [GUARD_M - 1, 0], [GUARD_M + 1, 0], [5000, 0]])
    assert near_held_out(position, np.array([True, False, False, False])).tolist() == [False, True, False, False]
    assert not near_held_out(position, np.zeros(4, bool)).any()


def test_spread_within_places_is_robust() -> None:
    rng = np.random.default_rng(5)
    deviation = rng.normal(0, 3, 2000)
    deviation[:60] += 40
    assert spread_within_places(deviation) == pytest.approx(3.0, rel=0.1)
    assert spread_within_places(np.empty(0)) == 0.0


# --- places


def test_places_carry_the_models_level_of_the_network_that_was_measured() -> None:
    part = area.part()
    cells = np.array([[30, 20], [44, 12], [12, 5]], dtype=np.int32)
    frame = pd.concat(
        [samples(part, cells, np.array([-90.0, -91, -92])), samples(part, cells, np.full(3, -95.0), operator="VNPT")]
    )
    table = place_measurements(frame, [part], RADIO, threads=2).table.set_index(["operator", "row"])
    for operator in ("", "VNPT"):
        got = table.loc[operator].loc[cells[:, 0], "modelled_dbm"]
        np.testing.assert_allclose(got, modelled(part, cells, operator=operator), atol=1e-9)
    assert (table["threshold_dbm"] == -110.0).all()
    mast = np.hypot(44 - 50, 12 - 8) * 0.09
    assert table.loc[("VNPT", 44), "distance_km"] == pytest.approx(mast)


def test_a_higher_receiver_and_a_band_are_asked_for_as_such() -> None:
    more = [area.sector("B", a, "VNPT", band="B8") for a in (60.0, 180.0)]
    part = area.part(sectors=[*area.SECTORS, *more])
    cells = np.array([[44, 12]], dtype=np.int32)
    rows = [{}, {"rx_height_m": 4.0}, {"band": "B8"}, {"band": "1800"}]
    found = [
        place_measurements(samples(part, cells, np.array([-90.0]), operator="VNPT", **row), [part], RADIO).table
        for row in rows
    ]
    level = [float(t["modelled_dbm"].iloc[0]) for t in found]
    high = modelled(part, cells, RADIO.model_copy(update={"rx_height_m": 4.0}), "VNPT")
    assert level[1] == pytest.approx(high[0], abs=1e-9)
    assert level[0] == level[3] == max(level[0], level[2])
    assert len(set(level)) == 3 or level[0] == level[2]


def test_measurements_in_the_open_say_nothing_of_walls() -> None:
    part, cells = area.part(), np.array([[30, 30]], np.int32)
    row = samples(part, cells, np.array([-90.0]))

    def level_dbm(**around: object) -> float:
        radio = Radio.model_validate(RADIO.model_dump() | {"surroundings": around})
        return float(place_measurements(row, [part], radio).table["modelled_dbm"].iloc[0])

    assert level_dbm(building="traditional", vehicle_db=6.0, body_db=3.0) == level_dbm()
    assert level_dbm(stated_db=5.0) == pytest.approx(level_dbm() - 5.0)


def test_samples_of_one_cell_are_one_place() -> None:
    part = area.part()
    cells = np.array([[30, 20]] * 5 + [[31, 20]], dtype=np.int32)
    places = place_measurements(samples(part, cells, np.array([-90.0, -92, -94, -96, -40, -99])), [part], RADIO)
    assert places.table["measured_dbm"].tolist() == [-92.0, -99.0]
    assert places.table["samples"].tolist() == [5, 1]
    assert sorted(places.deviation_db) == [-4.0, -2.0, 0.0, 2.0, 52.0]


def test_samples_that_cannot_be_used_are_counted_by_reason() -> None:
    part = area.part()
    inside = np.array([[30, 20]], dtype=np.int32)
    rows = [
        samples(part, np.array([[-40, 5]]), np.array([-90.0])),
        samples(part, inside, np.array([-90.0]), operator="MobiFone"),
        samples(part, inside, np.array([-90.0]), technology="5G"),
        samples(part, np.array([[2, 58]]), np.array([-90.0])),
        samples(part, inside, np.array([-90.0])),
    ]
    short = RADIO.model_copy(update={"range_km": 2.0})
    places = place_measurements(pd.concat(rows), [part], short)
    assert places.unused == {OUTSIDE: 1, NO_STATION: 2, NO_SIGNAL: 1}
    assert places.table["samples"].sum() + sum(places.unused.values()) == 5


# --- the offset in a scenario


def test_the_offset_moves_every_level_standing_and_planned() -> None:
    part = area.part()
    plain, shifted = (area.scenario(radio={"model_offset_db": x, "candidate_range_km": 4.0}) for x in (0.0, -4.5))
    before, after = (area.baseline_of(part, s) for s in (plain, shifted))
    np.testing.assert_allclose(after.rsrp_dbm, before.rsrp_dbm - 4.5, atol=1e-9)
    # Options for the same hamlets: each level of power differs by the offset, and once only.
    first, second = (area.candidates_of(before, s) for s in (plain, shifted))
    new = (first.options["kind"] == "new-site").to_numpy()[first.sector_option]
    assert new.any()
    eirp = [
        c.sectors.rs_eirp_dbm[(c.options["kind"] == "new-site").to_numpy()[c.sector_option]] for c in (first, second)
    ]
    np.testing.assert_allclose(eirp[1], eirp[0] - 4.5, atol=1e-9)


def test_the_offset_of_a_band_comes_on_top() -> None:
    carrier = {"technology": "4G", "frequency_mhz": 1842.5, "bandwidth_mhz": 20, "model_offset_db": 2.0}
    radio = Radio.model_validate({"model_offset_db": -4.5, "carriers": {"B3": carrier}})
    assert radio.carrier("B3").model_offset_db == -2.5
    assert radio.carrier("B8").model_offset_db == -4.5
    assert radio.carrier("B99") is None


def test_an_offset_of_another_model_is_refused(tmp_path: Path) -> None:
    text = scenario_text('[radio]\nmodel_offset_db = -3.0\ncalibrated_for = "itm"\n')
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioFaults, match="phusong calibrate"):
        read_scenario(path)
    assert read_scenario(path, None, {"radio": {"model_offset_db": 0.0}})[0].radio.calibrated_for == "itm"


# --- writing


VALUES = {"model_offset_db": -6.5, "calibrated_for": "p1812", "model_sigma_db": 6.0, "location_sigma_db": 5.0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[scenario]\nname = "x"\n',
        '[scenario]\nname = "x"',
        "[radio]",
        "[radio]\r\n# giữ lại\r\nrange_km = 9 # ki lô mét\r\n\r\n[area]\r\ncell_m = 30\r\n",
        '# đầu\n[radio] # đài\nmodel = "p1812"\n  model_sigma_db  =  7.0   # giả định\n\n[area]\ncell_m = 30\n',
        '[radio.carriers.B3]\ntechnology = "4G"\n[area]\ncell_m = 30',
        'x = """\nmodel_offset_db = 3\n"""\n[area]\n[radio]\nmodel_offset_db = 3\n',
        '\ufeff[radio]\n"model_offset_db" = 1_0.5\n',
    ],
)
def test_only_the_values_change_in_the_file(text: str) -> None:
    once = with_radio_values(text, VALUES, "đo.csv, 12 places")
    bare = once.removeprefix("\ufeff")
    assert tomllib.loads(bare.replace("\r\n", "\n"))["radio"].items() >= VALUES.items()
    keys = "|".join(VALUES)
    own = re.compile(rf'\s*"?({keys})"?\s*=|{MARK}|\[radio\]')
    kept, now = (
        [line.rstrip("\r") for line in t.split("\n") if line.strip() and not own.match(line)] for t in (text, once)
    )
    assert kept == now
    assert ("\r\n" in once) == ("\r\n" in text)
    assert not re.search(r"(?<!\r)\n", once) or "\r\n" not in text
    again = with_radio_values(once, {**VALUES, "model_offset_db": 1.0}, "other.csv")
    assert again == once.replace("-6.5", "1.0").replace("đo.csv, 12 places", "other.csv")


def test_a_comment_of_the_user_stays_beside_its_key() -> None:
    text = with_radio_values("[radio]\nmodel_sigma_db = 7.0   # giả định\n", VALUES, "m.csv")
    assert "model_sigma_db = 6.0   # giả định\n" in text


@pytest.mark.parametrize("text", ["radio.range_km = 9\n", "radio = { range_km = 9 }\n"])
def test_what_cannot_be_edited_by_line_is_refused_with_the_lines_to_write(text: str) -> None:
    with pytest.raises(ScenarioNotEditable) as told:
        with_radio_values(text, VALUES, "m.csv")
    assert "model_offset_db = -6.5" in told.value.mend


def test_a_strange_file_name_cannot_break_out_of_its_comment() -> None:
    text = with_radio_values("[radio]\n", VALUES, "a\nmodel_sigma_db = 0")
    assert tomllib.loads(text)["radio"] == VALUES


# --- the command


def scenario_text(more: str = "") -> str:
    return (
        '# Kịch bản thử\n[scenario]\nname = "Thử"  # tên\nseed = 3\n'
        '[data]\ndir = "dữ liệu"\n[data.terrain]\nfiles = ["dem.tif"]\n[data.population]\nfile = "people.tif"\n'
        'units = "people"\n[data.hamlets]\nfile = "hamlets.csv"\n[data.sectors]\nfile = "sites.csv"\n'
        "[area]\nbounds = [[105.0005, 21.6525, 105.0515, 21.6995]]\n"
        f"[objective]\nbudget_vnd = 1_000_000_000\n{more}"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small area as files, with measurements of a known offset."""
    home = tmp_path_factory.mktemp("đo kiểm")
    data = home / "dữ liệu"
    data.mkdir()
    part = area.part()
    for name, values in (("dem.tif", part.height_m), ("people.tif", part.people)):
        with rasterio.open(
            data / name, "w", driver="GTiff", height=area.SIDE, width=area.SIDE, count=1, dtype="float32",
            crs=area.CRS, transform=part.box.affine,
        ) as raster:  # fmt: skip
            raster.write(values, 1)
    for name, layer in (("hamlets.csv", part.layers.hamlets), ("sites.csv", part.layers.sectors)):
        points = layer.to_crs(4326)
        table = pd.DataFrame(points.drop(columns="geometry")).dropna(axis="columns", how="all")
        table.assign(lon=points.geometry.x, lat=points.geometry.y).to_csv(data / name, index=False)
    (home / "s.toml").write_text(scenario_text("[radio]\nrange_km = 8.0\n"), encoding="utf-8")
    cells, level = drive(part, 2500)
    points = samples(part, cells, level)
    rows = pd.DataFrame({"Kinh độ": points.geometry.x, "Vĩ độ": points.geometry.y, "RSRP (dBm)": level.round(1)})
    rows.to_csv(home / "do.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    return home


def test_the_page_names_every_column_of_a_list_of_measurements() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/uncertainty.md").read_text("utf-8")
    for column in (*MEASUREMENTS.columns, *MEASUREMENTS.coordinates):
        assert f"`{column.name}`" in page, column.name


def calibrate(*arguments: object, expect: int = 0) -> str:
    answer = CliRunner().invoke(main, ["calibrate", *map(str, arguments)])
    assert answer.exit_code == expect, answer.output
    return answer.stdout if expect == 0 else answer.output


@pytest.fixture(scope="module")
def report(folder: Path) -> dict:
    return json.loads(calibrate(folder / "s.toml", folder / "do.csv", "--json", "--quiet"))


def test_the_command_recovers_the_offset_where_it_was_not_fitted(report: dict) -> None:
    assert report["offset_db"] == pytest.approx(OFFSET, abs=3 * report["offset_standard_error_db"])
    assert report["offset_standard_error_db"] < 2.5
    assert report["model_sigma_db"] == pytest.approx(MODEL_SIGMA, rel=0.35)
    assert report["location_sigma_db"] == pytest.approx(LOCATION_SIGMA, rel=0.1)
    assert report["improved"]
    before, after = (report["errors"]["held_out"][when] for when in ("before", "after"))
    assert after["rmse_db"] < before["rmse_db"] - 0.5
    assert abs(after["mean_db"]) < abs(before["mean_db"])
    assert report["held_out_blocks"] == pytest.approx(0.3 * report["blocks"], abs=0.5)
    assert report["guarded"] > 0
    assert 0 < report["far_off"] < 0.08 * report["places"]
    assert (report["rejected"], report["written"]) == (0, None)
    placed = report["errors"]["fit"]["before"]["places"] + before["places"] + report["guarded"]
    assert placed == report["places"]


def test_the_same_measurements_give_the_same_report(folder: Path, report: dict) -> None:
    assert json.loads(calibrate(folder / "s.toml", folder / "do.csv", "--json", "--quiet")) == report


def test_nothing_is_written_unless_asked(folder: Path, report: dict) -> None:
    assert (folder / "s.toml").read_text("utf-8") == scenario_text("[radio]\nrange_km = 8.0\n")
    text = calibrate(folder / "s.toml", folder / "do.csv", "--quiet")
    assert all(line in text for line in report["toml"])
    assert "RMSE" in text
    assert "--write" in text


def test_write_edits_the_scenario_and_calibrating_again_finds_the_same(folder: Path, report: dict) -> None:
    path = folder / "w.toml"
    path.write_text(scenario_text("[radio]\nrange_km = 8.0 # xa\n"), encoding="utf-8")
    calibrate(path, folder / "do.csv", "--write", "--quiet")
    text = path.read_text("utf-8")
    source = f"{MARK} do.csv (sha256 "
    assert text.startswith(scenario_text("[radio]\n") + source)
    assert text.endswith("range_km = 8.0 # xa\n")
    radio = read_scenario(path)[0].radio
    assert radio.model_offset_db == pytest.approx(report["offset_db"], abs=0.051)
    assert radio.calibrated_for == radio.model
    again = json.loads(calibrate(path, folder / "do.csv", "--json", "--quiet"))
    assert again["offset_db"] == report["offset_db"]
    path.write_text(text.replace("[radio]\n", '[radio]\nmodel = "free-space"\n'), encoding="utf-8")
    with pytest.raises(ScenarioFaults):
        read_scenario(path)


def test_a_scenario_that_changes_another_takes_the_values_itself(folder: Path) -> None:
    child = folder / "child.toml"
    child.write_text('extends = "s.toml"\n[scenario]\nname = "Con"\n', encoding="utf-8")
    parent = (folder / "s.toml").read_bytes()
    calibrate(child, folder / "do.csv", "--write", "--quiet")
    assert (folder / "s.toml").read_bytes() == parent
    radio = read_scenario(child)[0].radio
    assert (radio.range_km, radio.calibrated_for) == (8.0, radio.model)
    assert radio.model_offset_db != 0.0


def test_output_writes_a_copy_beside_the_scenario(folder: Path, tmp_path: Path) -> None:
    copy = folder / "copy.toml"
    calibrate(folder / "s.toml", folder / "do.csv", "--output", copy, "--quiet")
    assert read_scenario(copy)[0].radio.model_offset_db != 0.0
    assert "copy.toml" in calibrate(folder / "s.toml", folder / "do.csv", "--output", copy, "--quiet", expect=2)
    calibrate(folder / "s.toml", folder / "do.csv", "--output", tmp_path / "far.toml", "--quiet", expect=2)
    assert not list(tmp_path.iterdir())
    calibrate(folder / "s.toml", folder / "do.csv", "--output", folder / "y.toml", "--write", expect=2)


def test_bad_rows_are_listed_counted_and_kept_for_mending(folder: Path, report: dict, tmp_path: Path) -> None:
    good = (folder / "do.csv").read_text("utf-8-sig")
    bad = ["105,02;21,67;abc", "105,02;21,67;95", "105,02;;-90", "25,02;21,67;-90", "105,02;21,67;-90;x"]
    (tmp_path / "đo.csv").write_text(good + "\n".join(bad) + "\n", encoding="utf-8")
    rejects = tmp_path / "rejects.csv"
    arguments = (folder / "s.toml", tmp_path / "đo.csv", "--quiet")
    found = json.loads(calibrate(*arguments, "--json", "--rejects", rejects))
    assert found["rejected"] == 5
    assert found["samples"] == report["samples"] + 5
    assert found["offset_db"] == report["offset_db"]
    table = pd.read_csv(rejects, encoding="utf-8-sig")
    assert len(table) == 5
    assert table["mend"].notna().all()
    assert table["row"].tolist() == list(range(report["samples"] + 2, report["samples"] + 7))
    text = calibrate(*arguments)
    assert 'cột / column "RSRP (dBm)": "abc"' in text
    assert "5 bị loại" in text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "no such file"),
        ("empty.csv", "", "empty"),
        ("head.csv", "lon,lat,rsrp\n", "no row of data"),
        ("column.csv", "lon,lat,tín\n105.02,21.67,-90\n", "rsrp_dbm"),
        ("swapped.csv", "lon,lat,rsrp\n21.67,105.02,-90\n", "exchanged"),
        ("unit.csv", "lon,lat,rsrp\n105.02,21.67,90\n105.02,21.67,85\n", "no row could be used"),
        ("few.csv", "lon,lat,rsrp\n105.02,21.67,-90\n105.02,21.68,-90\n", "too few"),
        ("far.csv", "lon,lat,rsrp\n" + "108.02,15.67,-90\n" * 40, "outside: 40"),
        ("bytes.csv", b"lon,lat,rsrp\n105.02,21.67,-90,Vi\xfft\n", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_three_lines(folder: Path, tmp_path: Path, name, content, told) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    text = calibrate(folder / "s.toml", tmp_path / name, "--write", "--quiet", expect=2)
    assert told in text
    assert "mend" in text
    assert "Traceback" not in text
    assert (folder / "s.toml").read_text("utf-8") == scenario_text("[radio]\nrange_km = 8.0\n")


def test_levels_that_no_offset_mends_are_refused(folder: Path, tmp_path: Path) -> None:
    rows = pd.read_csv(folder / "do.csv", sep=";", decimal=",", encoding="utf-8-sig")
    rows["RSRP (dBm)"] = (rows["RSRP (dBm)"] - 75).clip(-159, -21)
    rows.to_csv(tmp_path / "m.csv", index=False)
    text = calibrate(folder / "s.toml", tmp_path / "m.csv", "--quiet", expect=2)
    assert "too far from the model" in text
