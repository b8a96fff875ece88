"""Files as people send them: every cell found under its title, every row under its number."""

from __future__ import annotations

import unicodedata
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from phusong.data_sources.errors import EncodingUnknown, FileTooLarge, FileUnreadable, LayerUnclear
from phusong.data_sources.headers import Headers
from phusong.data_sources.raw import RawTable
from phusong.data_sources.schema import KINDS
from phusong.data_sources.tables import read_table
from phusong.data_sources.values import as_numbers, band_name, kilovolts
from phusong.data_sources.vietnamese import date_from_text, fold, number_from_text

HAMLETS = "Mã thôn;Tên thôn;Kinh độ;Vĩ độ\nT1;Hoà Bình;105,63;21,56\nT2;Nà Lốc;105,7;21,5\n"


def read(path: Path, layer: str | None = None) -> RawTable:
    return read_table(path, Headers(KINDS["hamlets"], {}), layer)


def cells(table: RawTable) -> list[list[str]]:
    return table.cells.astype(object).where(table.cells.notna(), "").to_numpy().tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_encodings_and_delimiters_of_excel_are_recognised(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "Danh sách thôn (Điện Biên).csv"
    path.write_bytes(HAMLETS.replace(";", delimiter).replace("\n", "\r\n").encode(encoding))
    table = read(path)
    assert table.titles == ("Mã thôn", "Tên thôn", "Kinh độ", "Vĩ độ")
    assert cells(table) == [["T1", "Hoà Bình", "105,63", "21,56"], ["T2", "Nà Lốc", "105,7", "21,5"]]
    assert table.row.tolist() == [2, 3]


def test_rows_keep_the_number_that_excel_shows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "DANH SÁCH THÔN;;;\n\nhamlet_id;name;lon;lat\nT1;x;105;21\n;;;\n\n"
        'T2;"hai\ndòng";105;21\nT3;y;105\nT4;z;105;21;;\nT5;a;b;105;21\n'
        'T6;"Nà;105;21\nT7;Lốc";105;21\n"T8;mở;105;21\n',
        encoding="utf-8",
    )
    table = read(path)
    assert dict(zip(table.row.tolist(), [row[0] for row in cells(table)], strict=True)) == {
        4: "T1",
        7: "T2",
        8: "T3",  # a short row ends in blanks
        9: "T4",  # blanks beyond the header are nothing
    }
    assert sorted(table.malformed) == [
        (10, "T5;a;b;105;21"),
        (11, "T6;Nà;105;21\nT7;Lốc;105;21"),  # two quotation marks swallowed a row
        (12, '"T8;mở;105;21'),
    ]


def test_a_header_below_a_title_and_in_two_merged_rows_is_found(tmp_path: Path) -> None:
    path = tmp_path / "biểu mẫu.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.merge_range("A1:E1", "BIỂU 01: DANH SÁCH THÔN LÕM SÓNG")
    sheet.merge_range("A3:A4", "STT")
    sheet.merge_range("B3:B4", "Mã thôn")
    sheet.merge_range("C3:C4", "Số hộ\n(hộ)")
    sheet.merge_range("D3:E3", "Toạ độ")
    sheet.write_row("D4", ["Kinh độ", "Vĩ độ"])
    sheet.write_row("A6", [1, "T1", 40, 105.5, 21.5])
    book.close()
    table = read(path)
    assert table.titles == ("STT", "Mã thôn", "Số hộ (hộ)", "Kinh độ", "Vĩ độ")
    assert cells(table) == [[1, "T1", 40, 105.5, 21.5]]
    assert table.row.tolist() == [6]


def test_the_sheet_with_the_columns_is_read_and_of_two_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        frame = pd.DataFrame({"hamlet_id": ["T1"], "lon": [105.5], "lat": [21.5]})
        pd.DataFrame({"Hướng dẫn": ["hamlet_id", "lon"]}).to_excel(book, sheet_name="Hướng dẫn", index=False)
        frame.to_excel(book, sheet_name="Xã A", index=False)
    assert read(path).sheet == "Xã A"
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        frame.to_excel(book, sheet_name="Xã A", index=False)
        frame.assign(hamlet_id="T2").to_excel(book, sheet_name="Xã B", index=False)
    with pytest.raises(LayerUnclear, match="Xã A, Xã B"):
        read(path)
    assert cells(read(path, "xa b"))[0][0] == "T2"
    with pytest.raises(LayerUnclear, match='layer = "Xã B"'):
        read(path, "Xã BB")


def spoiled_workbook(path: Path, part: str, old: bytes, new: bytes) -> Path:
    good = path.with_name("good.xlsx")
    with pd.ExcelWriter(good, engine="xlsxwriter") as book:
        pd.DataFrame({"hamlet_id": ["T1"], "lon": [105.5], "lat": [21.5]}).to_excel(book, index=False)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            assert name != part or old in content
            target.writestr(name, content.replace(old, new) if name == part else content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"A1:C2", b"A1:XFD1048576"),
        (b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
        (b"</sheetData>", b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData>'),
    ],
)
def test_a_workbook_that_lies_about_its_size_is_read_as_it_is(tmp_path: Path, old: bytes, new: bytes) -> None:
    assert cells(read(spoiled_workbook(tmp_path / "bomb.xlsx", SHEET, old, new))) == [["T1", 105.5, 21.5]]


@pytest.mark.parametrize(
    ("part", "old", "new", "error"),
    [
        (SHEET, b"<sheetData>", b"<sheetData>" + b'<row r="1">' + b'<c r="A1"/>' * 2_000_000, FileTooLarge),
        ("xl/sharedStrings.xml", b"</sst>", b"<si><t>a</t></si>" * 9_000_000 + b"</sst>", FileTooLarge),
        (SHEET, b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "ha">]><worksheet', FileUnreadable),
        (SHEET, b"</sheetData>", b"<row>", FileUnreadable),
    ],
)
def test_a_workbook_that_would_do_harm_is_refused(
    tmp_path: Path, part: str, old: bytes, new: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read(spoiled_workbook(tmp_path / "bomb.xlsx", part, old, new))


def test_a_csv_in_an_old_encoding_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HAMLETS.encode() + b"T3;B\xe0;105;21\n")
    with pytest.raises(EncodingUnknown, match="line 4"):
        read(path)


@pytest.mark.parametrize(
    ("text", "plain", "counted"),
    [
        ("105,63", 105.63, 105.63),
        ("1.234", 1.234, 1234.0),
        ("1,234", 1.234, 1234.0),
        ("0,125", 0.125, 125.0),
        ("1.234,5", 1234.5, 1234.5),
        ("1,234.5", 1234.5, 1234.5),
        ("1.234.567", 1234567.0, 1234567.0),
        ("1 234", 1234.0, 1234.0),
        ("−7", -7.0, -7.0),
        ("2e3", 2000.0, 2000.0),
        ("12 34", None, None),
        ("1.23.4", None, None),
        ("10m", None, None),
        ("9" * 100, None, None),
    ],
)
def test_numbers_as_people_write_them(text: str, plain: float | None, counted: float | None) -> None:
    assert (number_from_text(text), number_from_text(text, whole=True)) == (plain, counted)


def test_a_column_of_counts_shows_what_its_point_means() -> None:
    thousands, _, grouped = as_numbers(pd.Series(["1.234", "56", "không rõ", "-"]), whole=True)
    decimals, unread, _ = as_numbers(pd.Series(["1.234", "56.5", "nhiều", "7,25"]), whole=True)
    assert thousands[:2].tolist() == [1234.0, 56.0]
    assert grouped.tolist() == [True, False, False, False]
    assert decimals[[0, 1, 3]].tolist() == [1.234, 56.5, 7.25]
    assert unread.tolist() == [False, False, True, False]


@given(st.floats(-1e6, 1e6), st.sampled_from([".", ","]))
def test_every_written_number_is_read_back(value: float, mark: str) -> None:
    text = f"{value:.4f}".replace(".", mark)
    assert as_numbers(pd.Series([text], dtype=object), whole=False)[0][0] == pytest.approx(float(f"{value:.4f}"))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("15/01/2026", "2026-01-15", "2026-01-15"),
        ("5-1-2026", "2026-01-05", "2026-01-05"),
        ("2026-01-15", "2026-01-15", "2026-01-15"),
        ("2026-01-15T07:30:00Z", "2026-01-15", "2026-01-15"),
        ("Tháng 2/2028", "2028-02-01", "2028-02-29"),
        ("năm 2026", "2026-01-01", "2026-12-31"),
        ("01/15/2026", None, None),
        ("30/02/2026", None, None),
        ("quý I", None, None),
    ],
)
def test_dates_have_the_day_first(text: str, first: str | None, last: str | None) -> None:
    assert (date_from_text(text), date_from_text(text, end_of_period=True)) == (first, last)


@pytest.mark.parametrize(
    ("text", "kv"),
    [
        ("110kV", 110),
        ("<22kV", 22),
        ("35", 35),
        ("220000", 220),
        ("400 V", 0.4),
        ("110kV;22kV", 110),
        ("cao thế", None),
    ],
)
def test_voltages(text: str, kv: float | None) -> None:
    assert kilovolts(text) == kv


@pytest.mark.parametrize(
    ("text", "band"),
    [("b3", "B3"), ("Band 28", "B28"), ("N78", "n78"), ("1800", "1800"), ("1800 MHz", "1800"), ("B3, B8", None)],
)
def test_bands(text: str, band: str | None) -> None:
    assert band_name(text) == band


@given(st.text())
def test_names_compare_the_same_however_they_are_composed(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(fold(text)) == fold(text)


def test_the_two_spellings_of_a_tone_are_one_name() -> None:
    assert fold("Xã  Hoà Bình") == fold("XÃ HÒA BÌNH") == "xa hoa binh"
    assert fold("Đắk Đoa") == "dak doa"
