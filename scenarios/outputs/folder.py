"""The run folder: every output of a run, written whole or not at all."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pyogrio.errors import DataLayerError, DataSourceError
from xlsxwriter.exceptions import XlsxFileError

from phusong.scenarios.errors import FileOpenElsewhere, FolderIsNotARun, RunNotWritten
from phusong.scenarios.outputs.map_page import write_map
from phusong.scenarios.outputs.overview import write_overview
from phusong.scenarios.outputs.rasters import write_rasters
from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.tables import CsvStyle, write_tables
from phusong.scenarios.outputs.vectors import write_geopackage
from phusong.scenarios.satellite.outputs import document, write_layers
from phusong.scenarios.satellite.result import SatelliteResult

LOG = logging.getLogger(__name__)
MARK = "manifest.json"  # what makes a folder a run
SATELLITE_FILE = "satellite.json"


def write_run(result: RunResult, folder: Path, csv: CsvStyle = "iso") -> None:
    """Write all outputs of a run into `folder`; an earlier run there is replaced, anything else is left alone.

    The files appear together or not at all: they are written beside the folder, flushed to the disk, and renamed.
    Equal results give equal bytes in every file but `timings.json`.

    csv: "iso" or "vi", see `tables.write_tables`.
    Raises FolderIsNotARun, FileOpenElsewhere, RunNotWritten (an earlier run is then still there), MapLibraryUnsuitable.
    """
    folder = folder.absolute()
    if folder.exists() and not is_run_or_empty(folder):
        raise FolderIsNotARun(
            what="thư mục kết quả chứa tệp khác / the folder for the run holds other files",
            where=str(folder),
            mend="chọn thư mục mới, rỗng, hoặc một lần chạy cũ / name a new or empty folder, or an earlier run",
        )
    with whole_or_not(folder) as fresh:
        write_files(result, fresh, csv)


def write_files(result: RunResult, folder: Path, csv: CsvStyle) -> None:
    write_rasters(result, folder)
    write_geopackage(result, folder / "plan.gpkg")
    write_tables(result, folder, csv)
    for kind, rows in result.rejects.items():
        (folder / "rejects").mkdir(exist_ok=True)
        rows.to_csv(folder / "rejects" / f"{kind}.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    label = {"label": result.label, "synthetic": list(result.synthetic)} if result.label else {}
    write_json(folder / "summary.json", {"name": result.name, **label, **result.summary})
    write_json(folder / MARK, {**label, **result.manifest})
    write_json(folder / "timings.json", result.timings)
    write_overview(result, folder / "overview.png")
    write_map(result, folder / "map.html")
    if result.satellite is not None:
        write_satellite(folder, result.satellite)


def write_satellite(folder: Path, result: SatelliteResult) -> None:
    """Write the satellite step's rasters and figures into an existing folder."""
    write_layers(folder, result)
    write_json(folder / SATELLITE_FILE, document(result))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Readable JSON with Vietnamese letters as they are; NumPy numbers become plain ones, NaN becomes null."""
    text = json.dumps(jsonable(value), ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return jsonable(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return value.as_posix()
    return value


def is_run_or_empty(folder: Path) -> bool:
    return folder.is_dir() and ((folder / MARK).is_file() or not any(folder.iterdir()))


@contextmanager
def whole_or_not(folder: Path) -> Iterator[Path]:
    """A fresh folder beside `folder` to write into, which takes its place at the end; after a failure it is gone."""
    with told_to_people(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
        try:
            fresh.chmod(0o755)  # mkdtemp keeps others out; a result is there to be read
            yield fresh
            flush(fresh)
            swap(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def flush(folder: Path) -> None:
    """Have every file on the disk before the rename, so that a power cut leaves no half-written run."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def swap(fresh: Path, folder: Path) -> None:
    """Put `fresh` in the place of `folder`; when that fails the old folder is back where it was."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = fresh.with_suffix(".old")
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    try:
        shutil.rmtree(old)
    except OSError as refusal:  # the new run stands; only its predecessor could not be cleared away
        LOG.warning("the replaced run is still at %s: %s", old, refusal)


@contextmanager
def told_to_people(folder: Path) -> Iterator[None]:
    """Say in a person's words what the system refused."""
    try:
        yield
    except PermissionError as refusal:
        raise FileOpenElsewhere(
            what="không ghi đè được, có thể tệp đang mở / a file of the run cannot be replaced: is it open elsewhere?",
            where=str(open_file(folder) or refusal.filename or folder),
            mend="đóng tệp (Excel, QGIS) rồi chạy lại / close it (Excel, QGIS) and run again, or use another folder",
        ) from refusal
    except (OSError, XlsxFileError, DataSourceError, DataLayerError) as refusal:
        raise RunNotWritten(
            what=f"không ghi được kết quả / the run cannot be written: {refusal}",
            where=str(folder),
            mend="giải phóng đĩa hoặc chọn thư mục khác / free space on the disk or use another folder",
        ) from refusal


def open_file(folder: Path) -> Path | None:
    """The first file of an earlier run that another program keeps from being changed (as Windows does)."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            try:
                with path.open("rb+"):
                    pass
            except PermissionError:
                return path
    return None
