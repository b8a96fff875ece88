"""Layers of every format read into the same columns; real ones cleanly; no row ever lost."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phusong.data_sources.layers import LayerRead, empty_layer, read_layer, write_rejects
from phusong.data_sources.schema import KINDS
from phusong.data_sources.schema_page import schema_page

Shared = Callable[[str], Path]

REAL = [
    ("hamlets", "tam-dao/hamlets_synthetic.gpkg", 500),
    ("sectors", "tam-dao/sites_synthetic.csv", 102),
    ("roads", "tam-dao/roads.parquet", 7721),
    ("pops", "tam-dao/fibre_pops_synthetic.gpkg", 3),
    ("power_lines", "tam-dao/power_lines.gpkg", 23),
    ("facilities", "tam-dao/public_facilities.gpkg", 3),
    ("communes", "tam-dao/communes.gpkg", 51),
    ("hamlets", "n21e105/hamlets_synthetic.gpkg", 3180),
    ("sectors", "n21e105/sites_synthetic.csv", 1260),
    ("roads", "n21e105/roads.parquet", 161278),
    ("pops", "n21e105/fibre_pops_synthetic.gpkg", 14),
    ("power_lines", "n21e105/power_lines.gpkg", 246),
    ("facilities", "n21e105/public_facilities.gpkg", 247),
    ("communes", "n21e105/communes.gpkg", 293),
    ("communes", "vietnam/communes_2025.gpkg", 3321),
    ("facilities", "vietnam/public_facilities_osm_2018.gpkg", 2454),
    ("roads", "bench/road_segments_nghe_an_west.parquet", 49300),
]


def levels(read: LayerRead) -> set[str]:
    return {finding.level for finding in read.findings}


@pytest.mark.parametrize(("kind", "name", "rows"), REAL, ids=[name for _, name, _ in REAL])
def test_real_layers_read_cleanly(shared: Shared, kind: str, name: str, rows: int) -> None:
    read = read_layer(kind, shared(f"data/{name}"))
    assert (len(read.frame), len(read.rejected), read.rows) == (rows, 0, rows)
    assert levels(read) <= {"note", "warning"}
    assert read.frame.crs.to_epsg() == 4326
    assert read.frame.dtypes.equals(empty_layer(kind).dtypes)
    if KINDS[kind].repeated_id != "sector":
        assert read.frame[KINDS[kind].id.name].is_unique


def test_real_columns_come_out_in_our_terms(shared: Shared) -> None:
    hamlets = read_layer("hamlets", shared("data/tam-dao/hamlets_synthetic.gpkg")).frame
    assert hamlets["electricity"].value_counts().to_dict() == {"grid": 470, "none": 30}
    assert hamlets.loc[0, ["hamlet_id", "commune_code", "population"]].tolist() == ["TA-00000", "05488", 836.0]
    lines = read_layer("power_lines", shared("data/n21e105/power_lines.gpkg")).frame
    assert lines["voltage_kv"].value_counts().to_dict() == {110.0: 94, 220.0: 85, 500.0: 44, 22.0: 23}
    places = read_layer("facilities", shared("data/n21e105/public_facilities.gpkg")).frame
    assert places["kind"].value_counts().to_dict() == {"school": 106, "health": 77, "other": 59, "commune_office": 5}
    communes = read_layer("communes", shared("data/n21e105/communes.gpkg")).frame
    assert communes.loc[0, ["commune_code", "commune", "province"]].tolist() == ["00004", "Phường Ba Đình", "01_ha_noi"]


def test_real_faults_are_told_not_hidden(shared: Shared) -> None:
    lines = read_layer("power_lines", shared("data/vietnam/power_lines_osm_2025.gpkg"))
    assert (len(lines.frame), len(lines.rejected)) == (3993, 8)  # eight lines whose points are all one
    hamlets = read_layer("hamlets", shared("data/vietnam/hamlets_hes_1974_south.gpkg"), columns={"hamlet_id": "usid"})
    assert len(hamlets.frame) == 13804
    assert any(finding.level == "warning" and "dân số" in finding.what for finding in hamlets.findings)


HAMLETS = pd.DataFrame(
    {
        "Mã thôn": ["T1", "T2"],
        "Tên thôn": ["Nà Hoà", "Bản Áng"],
        "Mã xã": [494, 2536],
        "Dân số": [330, 1250],
        "Trạng thái": ["Trắng sóng", "lõm sóng"],
        "Ngày công bố": ["15/01/2026", "2026-01-15"],
        "Nhà mạng": ["VINAPHONE", "viettel"],
        "Thời hạn": ["2026", "31/12/2026"],
        "Điện": ["Chưa có điện", None],
        "Kinh độ": [105.63, 105.7],
        "Vĩ độ": [21.56, 21.5],
    }
)


def write(frame: pd.DataFrame, path: Path) -> Path:
    layer = gpd.GeoDataFrame(
        frame.drop(columns=["Kinh độ", "Vĩ độ"]),
        geometry=gpd.points_from_xy(frame["Kinh độ"], frame["Vĩ độ"]),
        crs=4326,
    )
    match path.suffix:
        case ".gpkg":
            layer.to_crs(3405).to_file(path, driver="GPKG")  # VN-2000 / UTM zone 48N
        case ".geojson":
            layer.to_file(path, driver="GeoJSON")
        case ".parquet":
            (layer if "geo" in path.stem else frame).to_parquet(path)
        case ".csv":
            frame.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig")
        case ".xlsx":
            frame.to_excel(path, index=False, engine="xlsxwriter")
    return path


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "geo.parquet", "plain.parquet", "a.csv", "a.xlsx"])
def test_every_format_gives_the_same_layer(tmp_path: Path, name: str) -> None:
    read = read_layer("hamlets", write(HAMLETS, tmp_path / name))
    frame = read.frame
    assert levels(read) == {"note"}  # codes were given back their zeros
    values = frame.drop(columns=["geometry", "households"]).to_numpy().tolist()
    assert values == [
        ["T1", "Nà Hoà", "00494", None, 330.0, "trang", None, None, "2026-01-15", "VNPT", "2026-12-31", "none"],
        ["T2", "Bản Áng", "02536", None, 1250.0, "lom", None, None, "2026-01-15", "Viettel", "2026-12-31", "unknown"],
    ]
    assert frame["households"].isna().all()
    assert np.allclose(frame.geometry.x, [105.63, 105.7], atol=1e-7)
    assert np.allclose(frame.geometry.y, [21.56, 21.5], atol=1e-7)
    assert frame.dtypes.equals(empty_layer("hamlets").dtypes)


def test_a_column_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ky_hieu,hamlet_id,lon,lat\nA,B,105.5,21.5\n", encoding="utf-8")
    assert read_layer("hamlets", path, columns={"hamlet_id": "Ký hiệu"}).frame["hamlet_id"].tolist() == ["A"]


def layer_of(path: Path, shapes: list[shapely.Geometry], **columns: list[object]) -> Path:
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4326).to_file(path, driver="GPKG", layer="x")
    return path


def test_multi_lines_become_lines_that_tell_whose_they_are(tmp_path: Path) -> None:
    path = layer_of(
        tmp_path / "a.gpkg",
        [
            shapely.from_wkt("MULTILINESTRING ((105 21, 105.1 21), (105.2 21, 105.3 21))"),
            shapely.from_wkt("LINESTRING Z (105 22 1, 105.1 22 2)"),
            shapely.from_wkt("POINT (105 21)"),
        ],
        road_id=["QL2", "QL2", "QL3"],
    )
    read = read_layer("roads", path)
    assert read.frame["road_id"].tolist() == ["QL2", "QL2#2", "QL2#3"]
    assert set(read.frame.geom_type) == {"LineString"}
    assert not read.frame.has_z.any()
    assert read.rejected[["row", "wkt"]].to_numpy().tolist() == [[3, "POINT (105 21)"]]


def test_polygons_are_repaired_or_stand_for_a_point(tmp_path: Path) -> None:
    bow_tie = shapely.from_wkt("POLYGON ((105 21, 105.1 21.1, 105.1 21, 105 21.1, 105 21))")
    path = layer_of(
        tmp_path / "a.gpkg",
        [bow_tie, shapely.box(106, 21, 106.1, 21.1)],
        code=["00494", "00495"],
        hamlet_id=["T1", "T2"],
    )
    communes = read_layer("communes", path)
    assert communes.frame.is_valid.all()
    assert "warning" in levels(communes)
    hamlets = read_layer("hamlets", path)
    assert set(hamlets.frame.geom_type) == {"Point"}
    assert hamlets.frame.geometry.iloc[1].within(shapely.box(106, 21, 106.1, 21.1))
    assert "note" in levels(hamlets)


def test_a_mended_rejects_file_is_a_layer_again(tmp_path: Path) -> None:
    source = write(HAMLETS.assign(**{"Dân số": ["nhiều", "-5"]}), tmp_path / "thôn.csv")
    source.write_text(source.read_text("utf-8-sig") + "T3;;;;;;;;;105,5;21,5\n", encoding="utf-8-sig")
    path = tmp_path / "bị loại.csv"
    write_rejects(read_layer("hamlets", source), path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    path.write_text(path.read_text("utf-8-sig").replace("nhiều", "330").replace("-5", "5"), encoding="utf-8-sig")
    assert read_layer("hamlets", path).frame["hamlet_id"].tolist() == ["T1", "T2"]


CELLS = {
    "hamlet_id": st.sampled_from(["T1", "T2", "T3", "", "-", " T1 ", '"', "a;b", "dòng\nmới", "#REF!"]),
    "name": st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8),
    "lon": st.sampled_from(["105,5", "105.6", "21,5", "", "NaN", "inf", "xa", "0", "1e9", "118", "105°30'"]),
    "lat": st.sampled_from(["21,5", "21.6", "105,5", "", "-inf", "0", "6", "vĩ độ"]),
    "Dân số": st.sampled_from(["330", "1.234", "-1", "0", "nhiều", "", "12,5", "1e7", "không rõ"]),
    "Trạng thái": st.sampled_from(["trắng sóng", "LÕM", "", "?", "đỏ"]),
    "Ngày công bố": st.sampled_from(["15/01/2026", "", "31/02/2026", "2026"]),
    "electricity": st.sampled_from(["true", "0", "", "điện gió"]),
}


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries(CELLS), max_size=8), delimiter=st.sampled_from(";\t,"), bom=st.booleans())
def test_every_row_is_accepted_or_rejected(
    tmp_path: Path, rows: list[dict[str, str]], delimiter: str, bom: bool
) -> None:
    path = tmp_path / "rows.csv"
    good = dict.fromkeys(CELLS, "") | {"hamlet_id": "good", "lon": "105,55", "lat": "21,55"}
    rows = [good, *rows]
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["STT", *CELLS], delimiter=delimiter)
        writer.writeheader()
        writer.writerows({"STT": f"#{number}", **row} for number, row in enumerate(rows))
    read = read_layer("hamlets", path)
    assert len(read.frame) + len(read.rejected) == read.rows == len(rows)
    numbers = read.rejected["row"].tolist()
    assert numbers == sorted(set(numbers))
    for _, line in read.rejected.iterrows():
        written = rows[line["row"] - 2]
        assert line["what"]
        assert line["mend"]
        assert {name: line[name] for name in CELLS} == written
    kept = [row["hamlet_id"].strip() for number, row in enumerate(rows, start=2) if number not in numbers]
    assert Counter(" ".join(name.split()) for name in kept) == Counter(read.frame["hamlet_id"])
    assert read.frame["hamlet_id"].is_unique
    assert read.frame.geometry.covered_by(shapely.box(102, 6, 118, 24)).all()
    told = {finding.what for finding in read.findings if finding.level == "rejected"}
    assert bool(told) == bool(numbers)


def test_a_long_csv_is_read_column_by_column(tmp_path: Path) -> None:
    count = 50_000
    ids = np.arange(count).astype(str)
    frame = pd.DataFrame(
        {
            "hamlet_id": "T" + pd.Series(ids),
            "name": "Thôn Hoà " + pd.Series(ids),
            "commune_code": np.arange(count) // 300 + 10000,
            "population": np.where(np.arange(count) % 100 == 0, "nhiều", "330"),
            "lon": np.linspace(102.5, 109, count),
            "lat": np.linspace(8.5, 23, count),
        }
    )
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False, sep=";", decimal=",")
    read = read_layer("hamlets", path)
    assert (len(read.frame), len(read.rejected)) == (count - count // 100, count // 100)
    assert len(read.findings) == 1  # one finding a fault, not one a row


def test_the_schema_page_says_what_the_schema_says() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "data-schema.md"
    assert page.read_text(encoding="utf-8") == schema_page()


def test_one_site_id_at_two_places_becomes_two_sites(tmp_path: Path) -> None:
    """Antennas up to 100 m apart stay one site; a further place gets an id of its own, is told, and is not moved."""
    lines = ["Mã trạm,Nhà mạng,Kinh độ,Vĩ độ,Độ cao anten,Góc phương vị,Công nghệ,Băng tần"]
    places = [("A", 105.40, 21.50), ("A", 105.4008, 21.50), ("A", 105.60, 21.50), ("B", 105.40, 21.50),
              ("A", 105.6004, 21.50), ("A#2", 105.7, 21.6), ("A", 105.40, 21.70), ("B", 105.40, 21.5)]  # fmt: skip
    lines += [f"{site},Viettel,{x},{y},30,{40 * k},4G,B3" for k, (site, x, y) in enumerate(places)]
    path = tmp_path / "tram.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    read = read_layer("sectors", path)
    assert read.frame["site_id"].tolist() == ["A", "A", "A#3", "B", "A#3", "A#2", "A#4", "B"]
    assert list(zip(read.frame.geometry.x, read.frame.geometry.y, strict=True)) == [(x, y) for _, x, y in places]
    (told,) = [f for f in read.findings if "#2, #3" in f.what]
    assert told.level == "warning"
    assert "row 4, 6, 8" in told.where
    assert told.mend
