"""Empty lists to fill in: XLSX with drop-downs, a note on every header, an example row and a guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from phusong.data_sources.errors import FileUnwritable
from phusong.data_sources.schema import EXAMPLE_ID, KINDS, Column, Kind

_LAST_ROW = 20_000  # rows with drop-downs; more may be filled in
_KINDS = {"hamlets": "hamlets", "sites": "sectors"}
_EXAMPLES: dict[str, dict[str, object]] = {
    "hamlets": {
        "lon": 105.6263, "lat": 21.5675, "name": "Thôn Đồng Tâm", "commune_code": "02536", "commune": "Xã Sơn Dương",
        "population": 330, "households": 78, "declared_state": "lõm sóng", "declared_by": "Sở Khoa học và Công nghệ",
        "declared_document": "12/BC-SKHCN", "declared_date": "15/01/2026", "assigned_operator": "Viettel",
        "deadline": "31/12/2026", "electricity": "điện lưới",
    },
    "sectors": {
        "lon": 105.6263, "lat": 21.5675, "operator": "Viettel", "antenna_height_m": 42, "azimuth_deg": 120,
        "downtilt_deg": 4, "mechanical_tilt_deg": 0, "antenna": "ANT-65-17", "technology": "4G", "band": "B3",
        "frequency_mhz": 1842.5, "bandwidth_mhz": 20, "tx_power_dbm": 46, "antenna_gain_dbi": 17.5, "beamwidth_deg": 65,
        "feeder_loss_db": 2, "backhaul": "cáp quang", "electricity": "điện lưới",
    },
}  # fmt: skip


def write_template(kind: Literal["hamlets", "sites"], path: Path) -> None:
    """Writes an XLSX that `read_layer` reads back once it is filled in; its example row is skipped.

    kind : "sites" is one row a sector
    Raises FileUnwritable.
    """
    described = KINDS[_KINDS[kind]]
    columns = (described.id, *described.coordinates[:-1], *described.columns[1:])
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"{described.vi} / {described.en}"})
    _write_list(book, described, columns)
    _write_guide(book, described, columns)
    try:
        book.close()
    except (FileCreateError, OSError) as error:
        raise FileUnwritable(
            "không ghi được tệp / the file cannot be written",
            f"{path}: {error}",
            "đóng tệp ở chương trình khác, kiểm tra thư mục / close it elsewhere, check the folder",
        ) from error


def _write_list(book: Any, kind: Kind, columns: tuple[Column, ...]) -> None:
    sheet = book.add_worksheet("Danh sách")
    title = {"bold": True, "text_wrap": True, "valign": "top", "border": 1}
    must = book.add_format({**title, "bg_color": "#F8CBAD"})
    may = book.add_format({**title, "bg_color": "#DDEBF7"})
    example = book.add_format({"italic": True, "font_color": "#7F7F7F", "num_format": "@"})
    as_text = book.add_format({"num_format": "@"})  # or Excel drops the zeros of codes and turns dates about
    sheet.freeze_panes(1, 1)
    for place, column in enumerate(columns):
        header = f"{column.vi} ({column.unit})" if column.unit not in ("", "°") else column.vi
        sheet.set_column(place, place, max(12, len(header) + 2), None if column.numeric else as_text)
        sheet.write_string(0, place, header, must if column.required else may)
        sheet.write_comment(0, place, _note(column), {"x_scale": 2, "y_scale": 1.5})
        sheet.write(1, place, EXAMPLE_ID if column is kind.id else _EXAMPLES[kind.name].get(column.name), example)
        if column.choices:
            sheet.data_validation(1, place, _LAST_ROW, place, _drop_down(column))
        elif column.low is not None and column.high is not None:
            sheet.data_validation(1, place, _LAST_ROW, place, _limits(column))


def _write_guide(book: Any, kind: Kind, columns: tuple[Column, ...]) -> None:
    sheet = book.add_worksheet("Hướng dẫn - Guide")
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    lines = (
        f"{kind.vi} / {kind.en}",
        f'Điền từ dòng 3 của trang "Danh sách"; dòng "{EXAMPLE_ID}" là ví dụ và được bỏ qua khi đọc.',
        f'Fill in from row 3 of the sheet "Danh sách"; the row "{EXAMPLE_ID}" is an example and is skipped.',
        "Cột màu cam bắt buộc điền. Để trống nếu chưa biết; đừng ghi 0. / Orange columns must be filled in. "
        "Leave blank what is not known; do not write 0.",
    )
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line, bold if row == 0 else None)
    titles = (
        "Cột / Column",
        "Tên máy đọc / Name",
        "Bắt buộc / Required",
        "Giá trị / Values",
        "Cách ghi",
        "What to write",
    )
    first = len(lines) + 1
    for place, (title, width) in enumerate(zip(titles, (24, 20, 12, 40, 48, 48), strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(first, place, title, bold)
    for row, column in enumerate(columns, start=first + 1):
        must = "x" if column.required else ""
        texts = (column.vi, column.name, must, column.values, column.note_vi, column.note_en)
        for place, text in enumerate(texts):
            sheet.write_string(row, place, text, wrap)


def _note(column: Column) -> str:
    return "\n".join(filter(None, (column.name, column.note_vi, column.note_en, column.values)))


def _drop_down(column: Column) -> dict[str, object]:
    return {
        "validate": "list",
        "source": [column.words(choice)[0] for choice in column.choices],
        "error_type": "warning" if column.type == "operator" else "stop",
        "error_title": column.vi[:32],
        "error_message": "Chọn trong danh sách / choose from the list",
    }


def _limits(column: Column) -> dict[str, object]:
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": column.low,
        "maximum": column.high,
        "error_title": column.vi[:32],
        "error_message": column.values,
    }
