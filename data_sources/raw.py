"""A table as it stands in its file, before anything in it is believed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from csv import Error as CsvError
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS

from phusong.data_sources.errors import DataError, FileUnreadable, LayerUnclear
from phusong.data_sources.vietnamese import fold

_PARSER_FAULTS = (  # what the readers of other projects raise on broken files
    ArithmeticError,
    AttributeError,
    CsvError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class RawTable:
    """Cells, titles, row numbers as a person finds them, and geometry where the file holds it.

    sheet    : sheet or layer, "" where the format has none
    titles   : header of each column as written, "" where blank
    cells    : one column a title (0, 1, ...), text where the format knows only text, blank rows left out
    row      : (N,) row as a person finds it: the sheet's row, the GeoPackage's fid, else the feature's number from 1
    shapes   : (N,) shapely geometries or None, None where the format holds none; crs: theirs
    malformed: rows that could not be cut into cells, with their text
    """

    path: Path
    sheet: str
    titles: tuple[str, ...]
    cells: pd.DataFrame
    row: NDArray[np.int64]
    shapes: NDArray[np.object_] | None = None
    crs: CRS | None = None
    malformed: tuple[tuple[int, str], ...] = ()

    @property
    def where(self) -> str:
        return f"{self.path.name} [{self.sheet}]" if self.sheet else self.path.name


@contextmanager
def parsing(path: Path) -> Iterator[None]:
    """Turns whatever a parser raises on a broken file into FileUnreadable; our own errors pass."""
    try:
        yield
    except DataError:
        raise
    except PermissionError as error:
        raise FileUnreadable(
            "không được phép đọc tệp / the file may not be read",
            str(path),
            "đóng tệp ở chương trình khác, kiểm tra quyền / close it elsewhere, check its permissions",
        ) from error
    except _PARSER_FAULTS as error:
        said = (str(error) or repr(error)).splitlines()[0]
        raise FileUnreadable(
            f"tệp hỏng hoặc bị cắt cụt / the file is damaged or cut short ({said})",
            str(path),
            "lấy lại tệp, hoặc mở rồi lưu lại / get the file again, or open it and save it anew",
        ) from error


def choose(named: str | None, there: list[str], candidates: list[str], path: Path) -> str:
    """The sheet or layer to read: the one named, else the only candidate.

    there : all of the file;  candidates: those that could be meant
    Raises LayerUnclear.
    """
    if named is not None:
        same = [name for name in there if name == named] or [name for name in there if fold(name) == fold(named)]
        if len(same) == 1:
            return same[0]
        close = get_close_matches(named, there, n=1, cutoff=0.4)
        raise LayerUnclear(
            f'không có trang hoặc lớp "{named}" / there is no sheet or layer "{named}"',
            f"{path}: {', '.join(there)}",
            f'layer = "{close[0] if close else there[0]}"?' if there else "-",
        )
    if len(candidates) == 1:
        return candidates[0]
    raise LayerUnclear(
        "tệp có nhiều trang hoặc lớp / the file has several sheets or layers",
        f"{path}: {', '.join(candidates)}",
        f'ghi rõ / say which: layer = "{candidates[0]}"',
    )
