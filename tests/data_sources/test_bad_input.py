"""Bad files and bad rows: a clear error or a rejection with its mend, never a traceback, never a loss."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from phusong.data_sources import errors
from phusong.data_sources.layers import LayerRead, read_layer

HEADER = "hamlet_id;name;lon;lat;population;households\n"
GOOD = "T0;Nà Áng;105,5;21,5;330;78\n"


def lines(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def points(path: Path, crs: object = 4326, **coordinates: list[float]) -> Path:
    shapes = gpd.points_from_xy(coordinates["x"], coordinates["y"])
    gpd.GeoDataFrame({"hamlet_id": [f"T{i}" for i in range(len(shapes))]}, geometry=shapes, crs=crs).to_file(path)
    return path


def truncated(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def layers_of(path: Path) -> Path:
    for name in ("a", "b"):
        gpd.GeoDataFrame({"hamlet_id": ["T1"]}, geometry=[shapely.Point(105, 21)], crs=4326).to_file(path, layer=name)
    return path


def workbook(path: Path) -> Path:
    pd.DataFrame({"hamlet_id": ["T1"], "lon": [105.5], "lat": [21.5]}).to_excel(path, index=False)
    return path


WHOLE_FILES = {
    "missing": (lambda p: p / "thon.csv", errors.FileMissing, "path"),
    "nearly named": (
        lambda p: lines(p / "thôn.csv", HEADER + GOOD).with_name("thon.csv"),
        errors.FileMissing,
        '"thôn.csv"',
    ),
    "a folder": (lambda p: p, errors.FileMissing, "folder"),
    "empty": (lambda p: lines(p / "a.csv", ""), errors.FileUnreadable, "empty"),
    "header only": (lambda p: lines(p / "a.csv", HEADER), errors.LayerEmpty, "a.csv"),
    "blank rows only": (lambda p: lines(p / "a.csv", HEADER + ";;;;;\n\n"), errors.LayerEmpty, "a.csv"),
    "no rows in a layer": (lambda p: points(p / "a.gpkg", x=[], y=[]), errors.LayerEmpty, "a.gpkg"),
    "a shapefile": (lambda p: lines(p / "a.shp", "x"), errors.FormatUnknown, "GeoPackage"),
    "an old workbook": (lambda p: lines(p / "a.xls", "x"), errors.FormatUnknown, ".xlsx"),
    "text named xlsx": (lambda p: lines(p / "a.xlsx", HEADER + GOOD), errors.FileUnreadable, "xlsx"),
    "text named gpkg": (lambda p: lines(p / "a.gpkg", "<OGRVRTDataSource/>"), errors.FileUnreadable, "gpkg"),
    "cut xlsx": (lambda p: truncated(workbook(p / "a.xlsx")), errors.FileUnreadable, "cut short"),
    "cut gpkg": (
        lambda p: truncated(points(p / "a.gpkg", x=[105] * 2000, y=[21] * 2000)),
        errors.FileUnreadable,
        "a.gpkg",
    ),
    "cut geojson": (lambda p: truncated(points(p / "a.geojson", x=[105], y=[21])), errors.FileUnreadable, "cut short"),
    "several layers": (lambda p: layers_of(p / "a.gpkg"), errors.LayerUnclear, 'layer = "a"'),
    "columns misspelt": (
        lambda p: lines(p / "a.csv", "hamlet_idd;kinh do_;vido\n1;105;21\n"),
        errors.ColumnsMissing,
        '"hamlet_idd"',
    ),
    "two of a column": (
        lambda p: lines(p / "a.csv", "hamlet_id;lon;lat;lat\n1;105;21;21\n"),
        errors.ColumnsUnclear,
        "lat",
    ),
    "swapped": (
        lambda p: lines(p / "a.csv", HEADER + "T1;a;21,5;105,5;1;1\nT2;b;21,6;105,6;1;1\n"),
        errors.LonLatSwapped,
        "x 21.5",
    ),
    "swapped layer": (lambda p: points(p / "a.gpkg", x=[21.5], y=[105.5]), errors.LonLatSwapped, "a.gpkg"),
    "metres": (lambda p: lines(p / "a.csv", HEADER + "T1;a;567890;2345678;1;1\n"), errors.LayerCrsWrong, "VN-2000"),
    "wrong CRS": (lambda p: points(p / "a.gpkg", crs=32648, x=[105.5], y=[21.5]), errors.LayerCrsWrong, "QGIS"),
    "no CRS": (lambda p: points(p / "a.gpkg", crs=None, x=[105.5], y=[21.5]), errors.LayerWithoutCrs, "QGIS"),
    "no place": (
        lambda p: lines(
            p / "a.geojson",
            json.dumps(
                {
                    "type": "FeatureCollection",
                    "features": [{"type": "Feature", "properties": {"hamlet_id": "T1"}, "geometry": None}],
                }
            ),
        ),
        errors.GeometryMissing,
        "a.geojson",
    ),
}


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("case", WHOLE_FILES)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, case: str) -> None:
    make, error, said = WHOLE_FILES[case]
    with pytest.raises(error) as caught:
        read_layer("hamlets", make(tmp_path))
    assert type(caught.value) is error
    assert said in str(caught.value)
    assert caught.value.mend


def rejected(tmp_path: Path, rows: str, kind: str = "hamlets", header: str = HEADER, good: str = GOOD) -> LayerRead:
    read = read_layer(kind, lines(tmp_path / "Thôn Nà Lốc (1).csv", header + good + rows))
    assert len(read.frame) == 1
    assert len(read.rejected) == read.rows - 1
    return read


ROWS = {
    "T1;a;;21,5;1;1": ("lon", "", "longitude is blank"),
    "T1;a;NaN;21,5;1;1": ("lon", "NaN", "longitude is blank"),
    "T1;a;inf;21,5;1;1": ("lon", "inf", "not finite"),
    "T1;a;105;hai mốt;1;1": ("lat", "hai mốt", "not a number"),
    "T1;a;21,5;105,5;1;1": ("lon", "21,5", "exchanged"),
    "T1;a;0;0;1;1": ("lon", "0", "outside Vietnam"),
    "T1;a;120;21;1;1": ("lon", "120", "outside Vietnam"),
    "T1;a;1055000;21;1;1": ("lon", "1055000", "outside Vietnam"),
    "T1;a;105;21;-5;1": ("population", "-5", "must be 0"),
    "T1;a;105;21;ba trăm;1": ("population", "ba trăm", "not a number"),
    "T0;a;105;21;1;1": ("hamlet_id", "T0", "repeats row 2"),
    ";a;105;21;1;1": ("hamlet_id", "", "blank"),
    "#REF!;a;105;21;1;1": ("hamlet_id", "#REF!", "Excel error"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_bad_row_is_named_with_its_mend(tmp_path: Path, row: str) -> None:
    column, value, what = ROWS[row]
    line = rejected(tmp_path, row + "\n").rejected.iloc[0]
    assert (line["file"], line["row"], line["column"], line["value"]) == ("Thôn Nà Lốc (1).csv", 3, column, value)
    assert what in line["what"]
    assert line["mend"]
    assert [line[name] for name in HEADER.strip().split(";")] == row.split(";")


def test_rows_cut_by_a_decimal_comma_are_all_listed(tmp_path: Path) -> None:
    read = read_layer("hamlets", lines(tmp_path / "a.csv", "hamlet_id,lon,lat\nT1,105,63,21,56\nT2,105,64,21,57\n"))
    assert read.frame.empty
    assert read.rejected[["row", "value"]].to_numpy().tolist() == [[2, "T1,105,63,21,56"], [3, "T2,105,64,21,57"]]


def test_every_fault_of_a_row_is_listed(tmp_path: Path) -> None:
    read = rejected(tmp_path, ";a;xa;21;-5;nhiều\n")
    assert read.rejected.iloc[0]["column"] == "lon; hamlet_id; population; households"
    assert len([finding for finding in read.findings if finding.level == "rejected"]) == 4


SECTORS = "site_id;operator;lon;lat;antenna_height_m;technology;band;azimuth_deg\n"
SECTOR = "S1;Viettel;105,5;21,5;42;4G;B3;120\n"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("S1;Viettel;105,5;21,5;42;4G;B3;120", ""),  # an exact copy
        ("S1;Viettel;105,5;21,5;0;4G;B3;0", "antenna_height_m"),
        ("S1;Viettel;105,5;21,5;;4G;B3;0", "antenna_height_m"),
        ("S1;;105,5;21,5;42;4G;B3;0", "operator"),
        ("S1;Viettel;105,5;21,5;42;6G;B3;0", "technology"),
        ("S1;Viettel;105,5;21,5;42;4G;băng ba;0", "band"),
        ("S1;Viettel;105,5;21,5;42;4G;B3;361", "azimuth_deg"),
    ],
)
def test_a_bad_sector_is_rejected(tmp_path: Path, row: str, column: str) -> None:
    read = rejected(tmp_path, row + "\n", "sectors", SECTORS, SECTOR)
    assert read.rejected["column"].tolist() == [column]


def test_what_is_only_doubtful_stays_with_a_warning(tmp_path: Path) -> None:
    rows = "S2;Sóng Xanh;105,6;21,5;300;5G;1800;360\n"
    read = read_layer("sectors", lines(tmp_path / "a.csv", SECTORS + SECTOR + rows))
    tall = read.frame.iloc[1]
    assert (tall["operator"], tall["antenna_height_m"], tall["azimuth_deg"]) == ("Sóng Xanh", 300.0, 0.0)
    assert (tall["band"], tall["frequency_mhz"]) == (None, 1800.0)
    assert sorted(finding.level for finding in read.findings) == ["note", "note", "warning"]
    hamlets = read_layer("hamlets", lines(tmp_path / "b.csv", HEADER + "T1;Hoà;105;21;0;9\nT2;Hòa;105;21;30;9\n"))
    assert len(hamlets.frame) == 2
    assert [finding.level for finding in hamlets.findings] == ["warning"] * 3  # nobody there, more homes, one place


def test_a_penalty_needs_its_factor(tmp_path: Path) -> None:
    square = shapely.box(105, 21, 105.1, 21.1).wkt
    rows = f'wkt;rule;cost_factor\n"{square}";hạn chế;1,5\n"{square}";hạn chế;\n"{square}";;\n"POLYGON";cấm;\n'
    read = read_layer("exclusions", lines(tmp_path / "a.csv", rows))
    assert read.frame["rule"].tolist() == ["penalty", "forbid"]
    assert read.frame["exclusion_id"].tolist() == ["exclusion-2", "exclusion-4"]
    assert read.rejected[["row", "column"]].to_numpy().tolist() == [[3, "cost_factor"], [5, "wkt"]]


@pytest.mark.filterwarnings("ignore:invalid value encountered in linestrings")
def test_a_line_with_a_point_nowhere_is_rejected(tmp_path: Path) -> None:
    shapes = [shapely.LineString([(105, 21), (105.1, 21)]), shapely.LineString([(105, 21), (float("nan"), 21)])]
    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"road_id": ["a", "b"]}, geometry=shapes, crs=4326).to_file(path)
    read = read_layer("roads", path)
    assert read.frame["road_id"].tolist() == ["a"]
    assert "NaN" in read.rejected["what"].iloc[0]


def test_when_no_row_is_left_the_run_stops_with_all_of_them_listed(tmp_path: Path) -> None:
    read = read_layer("hamlets", lines(tmp_path / "a.csv", HEADER + "T1;a;105;21;-1;1\nT2;b;105;21;x;1\n"))
    assert (len(read.frame), len(read.rejected)) == (0, 2)
    assert "error" in {finding.level for finding in read.findings}


def test_a_mapping_that_fits_nothing_is_told(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.csv", HEADER + GOOD)
    with pytest.raises(errors.ColumnsUnclear, match=r"population\?"):
        read_layer("hamlets", path, columns={"populaton": "name"})
    with pytest.raises(errors.ColumnsUnclear, match='"households"'):
        read_layer("hamlets", path, columns={"population": "house holdz"})
    with pytest.raises(errors.ColumnsUnclear, match='population = "Số khẩu"'):
        read_layer("hamlets", path, columns={"Số khẩu": "population"})
