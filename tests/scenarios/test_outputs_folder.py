"""The run folder: whole or not at all, the same bytes twice, labelled where synthetic, read by the usual programs."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import importlib.util
import json
import shutil
import time
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import rasterio
from PIL import Image

from phusong.scenarios.errors import FileOpenElsewhere, FolderIsNotARun, MapLibraryUnsuitable, RunNotWritten
from phusong.scenarios.outputs import folder as folder_module
from phusong.scenarios.outputs import map_page
from phusong.scenarios.outputs.folder import write_run
from phusong.scenarios.outputs.result import SYNTHETIC_LABEL
from phusong.scenarios.outputs.tables import write_tables

spec = importlib.util.spec_from_file_location("outputs_sample", Path(__file__).with_name("outputs_sample.py"))
sample = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sample)

FILES = {
    "baseline_rsrp.tif", "baseline_rsrp-2.tif", "planned_rsrp.tif", "planned_rsrp-2.tif", "plan.gpkg", "summary.json",
    "manifest.json", "timings.json", "overview.png", "map.html", "tables/tables.xlsx", "tables/notes.csv",
    "tables/summary.csv", "tables/measures.csv", "tables/sites.csv", "tables/speeds.csv",
    "tables/hamlets.csv", "tables/measure_first.csv",
    "tables/communes.csv", "tables/operators.csv", "tables/declared_vs_model.csv", "tables/stations.csv",
    "tables/sectors.csv", "tables/routes.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def result():
    return sample.sample_run()


@pytest.fixture(scope="module")
def written(result, tmp_path_factory):
    where = tmp_path_factory.mktemp("kết quả") / "Tỉnh Mẫu 1"  # spaces and Vietnamese letters
    write_run(result, where, csv="vi")
    return where


def contents(where):
    return {path.relative_to(where).as_posix(): path for path in where.rglob("*") if path.is_file()}


def digests(where):
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in contents(where).items()
        if name != "timings.json"
    }


def test_equal_runs_give_equal_bytes(written, tmp_path):
    time.sleep(1.1)  # a time of writing would show
    again = sample.sample_run()
    write_run(dataclasses.replace(again, timings={"total_s": 99.0}), tmp_path / "x", csv="vi")
    assert set(contents(written)) == FILES
    assert digests(tmp_path / "x") == digests(written)


def test_every_output_of_a_synthetic_run_says_so(written):
    files = contents(written)
    for name in ("summary.json", "manifest.json"):
        assert json.loads(files[name].read_text(encoding="utf-8"))["label"] == SYNTHETIC_LABEL
    for name, path in files.items():
        if name.endswith(".tif"):
            with rasterio.open(path) as file:
                assert file.tags()["TIFFTAG_IMAGEDESCRIPTION"] == SYNTHETIC_LABEL
        if name.endswith((".csv", ".html")):
            assert SYNTHETIC_LABEL in path.read_text(encoding="utf-8-sig")
    with Image.open(files["overview.png"]) as picture:
        assert picture.text["Description"] == SYNTHETIC_LABEL
        assert (253, 236, 235) in picture.convert("RGB").crop(
            (picture.width // 2, 0, picture.width, 200)
        ).get_flattened_data()
    book = openpyxl.load_workbook(files["tables/tables.xlsx"])
    assert book.properties.description == SYNTHETIC_LABEL
    for sheet in book:
        assert SYNTHETIC_LABEL in sheet.oddHeader.center.text
    for layer in ("hamlets", "sites", "stations", "sectors", "routes", "communes"):
        assert SYNTHETIC_LABEL in pyogrio.read_info(files["plan.gpkg"], layer=layer)["layer_metadata"]["SYNTHETIC"]


def test_a_real_run_carries_no_label_and_a_run_without_a_plan_is_written(result, tmp_path):
    nothing = {
        "counted": None,
        "cleared_bound": None,
        "gap": None,
        "gap_hamlets": None,
        "budget_vnd": None,
        "checker": "not asked",
    }
    real = dataclasses.replace(
        result, synthetic=(), summary={**result.summary, **nothing, "assumptions": [], "operators": []},
        routes=result.routes.iloc[:0], measures=result.measures.iloc[:0], communes=result.communes.iloc[:0],
        sites=result.sites[result.sites.status == "existing"], parts=result.parts[:1],
    )  # fmt: skip
    write_run(real, tmp_path / "x")
    for path in contents(tmp_path / "x").values():
        assert "SYNTHETIC" not in path.read_bytes().decode("utf-8", "ignore"), path.name


def test_geopackage_opens_with_all_layers_and_styles(result, written):
    path = written / "plan.gpkg"
    expected = {"hamlets": result.hamlets, "sites": result.sites, "stations": result.stations,
                "sectors": result.sectors, "routes": result.routes, "communes": result.communes}  # fmt: skip
    for layer, frame in expected.items():
        read = gpd.read_file(path, layer=layer)
        assert len(read) == len(frame)
        assert read.crs.to_epsg() == 4326
        assert set(frame.columns) - {"geometry"} <= set(read.columns)
        assert read.geometry.notna().all()
    distance_m = gpd.read_file(path, layer="sites").to_crs(sample.CRS).distance(result.sites.reset_index(drop=True))
    assert distance_m.max() < 0.01
    for style in pyogrio.read_dataframe(path, layer="layer_styles")["styleQML"]:
        assert ElementTree.fromstring(style).find(".//symbol") is not None


def test_vietnamese_csv_opens_in_a_vietnamese_excel(result, written):
    raw = (written / "tables/hamlets.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert len(rows) == len(result.hamlets)
    assert rows[1]["Xã"] == result.hamlets.commune[1]
    assert {row["Hiện trạng"] for row in rows} <= {"phủ sóng", "lõm sóng", "trắng sóng"}
    levels = [float(row["RSRP trước (dBm)"].replace(",", ".") or "nan") for row in rows]
    pd.testing.assert_series_equal(
        pd.Series(levels), result.hamlets.rsrp_before_dbm, check_names=False, atol=0.051, check_index=False
    )


def test_iso_csv_reads_back_and_formulas_stay_text(result, tmp_path):
    hurt = result.hamlets.copy()
    hurt.loc[0, "name"] = '=HYPERLINK("http://x","y")'
    write_tables(dataclasses.replace(result, hamlets=hurt), tmp_path)
    read = pd.read_csv(tmp_path / "tables/hamlets.csv")
    assert read["state_after"].tolist() == result.hamlets.state_after.tolist()
    assert read["name"][0] == "'" + hurt["name"][0]
    cell = openpyxl.load_workbook(tmp_path / "tables/tables.xlsx")["Thôn"]["B2"]
    assert (cell.value, cell.data_type) == (hurt["name"][0], "s")


def test_workbook_has_a_sheet_a_table_with_headings_units_and_frozen_heads(written):
    book = openpyxl.load_workbook(written / "tables/tables.xlsx")
    assert book.sheetnames[:3] == ["Ghi chú", "Tóm tắt", "Hạng mục đầu tư"]
    measures = book["Hạng mục đầu tư"]
    heads = [cell.value for cell in measures[1]]
    assert "Vốn đầu tư (đồng)" in heads
    assert not [head for head in heads if "_" in head]
    assert measures.freeze_panes == "C2"
    money = measures.cell(2, heads.index("Vốn đầu tư (đồng)") + 1)
    assert (money.number_format, money.data_type) == ("#,##0", "n")


def test_a_failed_write_leaves_the_earlier_run_and_nothing_else(result, written, tmp_path, monkeypatch):
    where = tmp_path / "lần chạy"
    shutil.copytree(written, where)
    before = digests(where)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "write_json", full)
    with pytest.raises(RunNotWritten, match="No space left"):
        write_run(result, where)
    assert digests(where) == before
    assert [path.name for path in tmp_path.iterdir()] == ["lần chạy"]


def test_a_file_open_elsewhere_is_named_and_the_earlier_run_stays(result, tmp_path, monkeypatch):
    where = tmp_path / "x"
    where.mkdir()
    for name in ("manifest.json", "tables.xlsx"):
        (where / name).write_text("{}")
    (tmp_path / "y").mkdir()
    rename, opens = Path.rename, Path.open

    def held(path, target):  # as Windows refuses while Excel holds a file of the folder
        if path == where:
            raise PermissionError(13, "Access is denied", str(path))
        return rename(path, target)

    def locked(path, mode="r", *rest, **named):
        if path == where / "tables.xlsx" and "+" in mode:
            raise PermissionError(13, "Access is denied", str(path))
        return opens(path, mode, *rest, **named)

    monkeypatch.setattr(folder_module, "write_files", lambda result, folder, csv: (folder / "a").write_text("new"))
    monkeypatch.setattr(Path, "rename", held)
    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(FileOpenElsewhere) as caught:
        write_run(result, where)
    assert caught.value.where == str(where / "tables.xlsx")
    assert "Excel" in caught.value.mend
    assert sorted(path.name for path in where.iterdir()) == ["manifest.json", "tables.xlsx"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]


def test_a_folder_with_other_files_is_never_replaced(result, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(FolderIsNotARun):
        write_run(result, tmp_path)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_another_map_library_is_refused(tmp_path, monkeypatch):
    scripts = tmp_path / "maplibre/srcjs"
    scripts.mkdir(parents=True)
    (scripts / "maplibre-gl.js").write_text("/* maplibre-gl-js/blob/v4.7.1/LICENSE.txt */")
    (scripts / "maplibre-gl.css").write_text("")

    class Old:
        version = "0.2"
        locate_file = staticmethod(lambda name: tmp_path / name)

    monkeypatch.setattr(map_page.importlib.metadata, "distribution", lambda name: Old)
    with pytest.raises(MapLibraryUnsuitable, match=r"4\.7\.1"):
        map_page.maplibre()
