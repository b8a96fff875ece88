"""The page that documents every layer, written from the schema itself."""

from __future__ import annotations

from phusong.data_sources.schema import KINDS, Column, Kind
from phusong.data_sources.vietnamese import fold

_TYPES = {
    "id": "mã / id",
    "code": "mã số / code",
    "text": "chữ / text",
    "number": "số / number",
    "count": "số đếm / count",
    "choice": "danh mục / choice",
    "operator": "nhà mạng / operator",
    "date": "ngày / date",
    "deadline": "ngày / date",
    "voltage": "số / number",
    "band": "chữ / text",
}
_GEOMETRIES = {"point": "điểm / point", "line": "đường / line", "polygon": "vùng / polygon"}
_INTRODUCTION = """# Dữ liệu đầu vào: các lớp và cột / Input layers and columns

Định dạng: GeoPackage, GeoJSON, GeoParquet, Parquet, CSV (UTF-8 hoặc UTF-16; dấu `,` `;` hoặc tab; dấu phẩy thập phân),
XLSX (một trang, hàng tiêu đề trong 20 dòng đầu). Tiêu đề cột không phân biệt hoa thường, dấu, khoảng trắng;
có thể chỉ rõ bằng `columns = { population = "Số khẩu" }`. Tệp không có hình học thì cần cột toạ độ (°) theo WGS 84.
Dòng sai bị loại và được liệt kê kèm cách sửa; giá trị đáng ngờ được giữ và cảnh báo.
Ô trống, `-`, `không rõ` là chưa biết.

Formats: GeoPackage, GeoJSON, GeoParquet, Parquet, CSV (UTF-8 or UTF-16; `,` `;` or tab; decimal comma or point),
XLSX (one sheet, its header within the first 20 rows). Titles are found without regard to case, diacritics or spaces,
or named: `columns = { population = "Số khẩu" }`. A file without geometry needs the coordinate columns (°), in WGS 84.
Rows with a fault are left out and listed with its mend; doubtful values are kept with a warning.
A blank, `-` or `unknown` is not known.
"""
_TITLES = (
    "cột / column",
    "kiểu / type",
    "giá trị / values",
    "bắt buộc / required",
    "ghi chú / note",
    "tiêu đề / titles",
)


def schema_page() -> str:
    """The schema of every kind of layer as Markdown, Vietnamese first."""
    return "\n".join([_INTRODUCTION, *map(_section, KINDS.values())]).rstrip() + "\n"


def _section(kind: Kind) -> str:
    lines = [
        f"## `{kind.name}`: {kind.vi} / {kind.en}",
        "",
        f"Hình học / geometry: {_GEOMETRIES[kind.geometry]}.",
        "",
        _row(_TITLES),
        _row(["---"] * len(_TITLES)),
        *(_row(_cells(column, coordinate=False)) for column in kind.columns),
        *(_row(_cells(column, coordinate=True)) for column in kind.coordinates),
        "",
    ]
    return "\n".join(lines)


def _cells(column: Column, coordinate: bool) -> list[str]:
    unknown = column.default or ("NaN" if column.numeric else "trống / blank")
    required = "x" if column.required and column.default is None else f"không / no ({unknown})"
    if coordinate:
        required = "khi tệp không có hình học / where the file has no geometry"
    titles = {fold(title): title for title in column.headers if fold(title) != fold(column.name)}
    note = " / ".join(filter(None, (column.note_vi, column.note_en)))
    return [f"`{column.name}`", _TYPES[column.type], _values(column), required, note, " · ".join(titles.values())]


def _values(column: Column) -> str:
    if column.choices:
        return "; ".join(f"`{choice}`: {' · '.join(column.words(choice)[:-1])}" for choice in column.choices)
    low, high = (None if edge is None else f"{edge:.10g}" for edge in (column.doubt_low, column.doubt_high))
    usual = f"{low} … {high}" if low and high else f"≤ {high}" if high else f"≥ {low}" if low else ""
    return f"{column.values} (thường / usually {usual})" if usual else column.values


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
