"""Opens any list or layer, whatever its format, as one table of cells."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
from numpy.typing import NDArray

from phusong.data_sources.delimited import read_delimited
from phusong.data_sources.errors import FileMissing, FileUnreadable, FormatUnknown
from phusong.data_sources.headers import Headers
from phusong.data_sources.raw import RawTable, choose, parsing
from phusong.data_sources.workbook import read_workbook

_SIGNATURES = {".gpkg": b"SQLite format 3\x00", ".parquet": b"PAR1", ".geoparquet": b"PAR1", ".xlsx": b"PK\x03\x04"}
_JSON = (".geojson", ".json")
_TEXT = (".csv", ".tsv", ".txt")
_SAVE_AS = {
    ".xls": "mở bằng Excel, lưu thành .xlsx / open it in Excel, save as .xlsx",
    ".xlsm": "lưu thành .xlsx / save as .xlsx",
    ".ods": "lưu thành .xlsx / save as .xlsx",
    ".shp": "mở bằng QGIS, xuất thành GeoPackage / open it in QGIS, export as GeoPackage",
    ".kml": "mở bằng QGIS, xuất thành GeoPackage / open it in QGIS, export as GeoPackage",
}


def read_table(path: Path, headers: Headers, layer: str | None = None) -> RawTable:
    """The one table of a file, or the sheet or layer that is named.

    Reads GeoPackage, GeoJSON, Parquet with or without geometry, CSV (UTF-8 or UTF-16; any usual delimiter) and XLSX.
    Raises FileMissing, FileUnreadable, FileTooLarge, FormatUnknown, EncodingUnknown, LayerUnclear.
    """
    if not path.is_file():
        raise _missing(path)
    suffix = path.suffix.lower()
    if suffix not in (*_SIGNATURES, *_JSON, *_TEXT):
        raise FormatUnknown(
            f"không đọc được định dạng {suffix or '?'} / format {suffix or '?'} is not read",
            str(path),
            _SAVE_AS.get(suffix, "dùng / use .gpkg, .geojson, .parquet, .csv, .xlsx"),
        )
    with parsing(path), np.errstate(invalid="ignore"):  # NaN coordinates are told as faults of their rows
        _check_signature(path, suffix)
        if suffix in _TEXT:
            return read_delimited(path, headers)
        if suffix == ".xlsx":
            return read_workbook(path, headers, layer)
        if suffix in (".parquet", ".geoparquet"):
            return _read_parquet(path)
        return _read_vector(path, layer, by_fid=suffix == ".gpkg")


def _read_vector(path: Path, layer: str | None, by_fid: bool) -> RawTable:
    listed = pyogrio.list_layers(path)
    names = [str(name) for name in listed[:, 0]]
    with_geometry = [str(name) for name, geometry in listed if geometry is not None]
    if not names:
        raise FileUnreadable("tệp không có lớp nào / the file has no layer", str(path), "xuất lại / export it again")
    name = choose(layer, names, with_geometry or names, path)
    frame = pyogrio.read_dataframe(path, layer=name, fid_as_index=True, on_invalid="ignore")
    row = frame.index.to_numpy(np.int64) if by_fid else np.arange(1, len(frame) + 1, dtype=np.int64)
    return _from_frame(path, name if by_fid else "", frame, row)


def _read_parquet(path: Path) -> RawTable:
    metadata = pq.read_schema(path).metadata or {}
    frame = gpd.read_parquet(path) if b"geo" in metadata else pq.read_table(path).to_pandas(ignore_metadata=True)
    return _from_frame(path, "", frame, np.arange(1, len(frame) + 1, dtype=np.int64))


def _from_frame(path: Path, sheet: str, frame: pd.DataFrame, row: NDArray[np.int64]) -> RawTable:
    shapes: NDArray[np.object_] | None = None
    crs: Any = None
    if isinstance(frame, gpd.GeoDataFrame):
        shapes, crs = np.asarray(frame.geometry.array, dtype=object), frame.crs
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    titles = tuple(str(title) for title in frame.columns)
    cells = frame.reset_index(drop=True).set_axis(range(len(titles)), axis="columns")
    return RawTable(path, sheet, titles, cells, row, shapes, crs)


def _check_signature(path: Path, suffix: str) -> None:
    with path.open("rb") as file:
        head = file.read(64)
    if not head.strip():
        raise FileUnreadable("tệp rỗng / the file is empty", str(path), "lấy lại tệp / get the file again")
    if suffix == ".xlsx" and head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnreadable(
            "tệp có mật khẩu hoặc là .xls cũ / the workbook has a password or is an old .xls",
            str(path),
            "bỏ mật khẩu, lưu thành .xlsx / remove the password, save as .xlsx",
        )
    right = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") if suffix in _JSON else True
    if not right or not head.startswith(_SIGNATURES.get(suffix, b"")):
        raise FileUnreadable(
            f"nội dung không phải {suffix} / the content is not {suffix}",
            str(path),
            "kiểm tra đuôi tệp, hoặc xuất lại / check the file's extension, or export it again",
        )


def _missing(path: Path) -> FileMissing:
    if path.is_dir():
        return FileMissing(
            "là thư mục, không phải tệp / it is a folder, not a file", str(path), "ghi tên tệp / name a file"
        )
    if not path.parent.is_dir():
        return FileMissing(
            "không có thư mục / there is no such folder", str(path.parent), "kiểm tra đường dẫn / check the path"
        )
    close = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1, cutoff=0.6)
    return FileMissing(
        "không có tệp / there is no such file",
        str(path),
        f'có phải là / is it "{close[0]}"?' if close else "kiểm tra đường dẫn / check the path",
    )
