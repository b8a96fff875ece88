"""The folder of the satellite step alone, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from phusong.scenarios.errors import FolderIsNotARun
from phusong.scenarios.outputs.folder import SATELLITE_FILE, whole_or_not, write_satellite
from phusong.scenarios.outputs.tables import CsvStyle, rounded, write_csv, write_workbook
from phusong.scenarios.satellite.outputs import tables_of
from phusong.scenarios.satellite.result import SatelliteResult


def write_satellite_folder(result: SatelliteResult, folder: Path, csv: CsvStyle = "iso") -> None:
    """Write all outputs of the step alone into `folder`, together or not at all; equal results give equal bytes.

    Raises FolderIsNotARun for a folder that holds anything but an earlier result, FileOpenElsewhere, RunNotWritten.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and ((folder / SATELLITE_FILE).is_file() or not any(folder.iterdir()))):
        raise FolderIsNotARun(
            what="thư mục kết quả chứa tệp khác / the folder for the result holds other files",
            where=str(folder),
            mend="chọn thư mục mới hoặc rỗng / name a new or empty folder:  --output FOLDER",
        )
    with whole_or_not(folder) as fresh:
        write_satellite(fresh, result)
        _write_tables(result, fresh / "tables", csv)


def _write_tables(result: SatelliteResult, folder: Path, csv: CsvStyle) -> None:
    folder.mkdir()
    found = {name: rounded(table) for name, table in tables_of(result).items()}
    if result.label:
        found = {name: table.assign(label=result.label) for name, table in found.items()}
    for name, table in found.items():
        write_csv(table, folder / f"{name}.csv", csv)
    write_workbook(found, folder / "tables.xlsx", result)
