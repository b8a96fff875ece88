"""Failures that this room reports to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phusong.data_sources.area import Finding


class DataError(Exception):
    """Base of every failure of this room that a user can cause.

    what : one line, what is wrong
    where: file, row, column or key
    mend : what the reader can do about it
    """

    def __init__(self, what: str, where: str, mend: str) -> None:
        super().__init__(what, where, mend)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  mend:  {self.mend}"


class BoundsInvalid(DataError):
    """A box that is empty, not in degrees, or written latitude first."""


class CrsUnsuitable(DataError):
    """A planning CRS that does not exist, is not in metres, or measures the area badly."""


class GridTooLarge(DataError):
    """More planning cells than one machine holds."""


class AreaEmpty(DataError):
    """No cell of the planning grid lies inside the area."""


class RasterMissing(DataError):
    """A raster, folder or list of tiles that is not there, or holds no tile."""


class RasterUnreadable(DataError):
    """A file that is no raster of a known kind, or ends too early."""


class RasterTooLarge(DataError):
    """A raster that claims, or needs, more pixels than can be read."""


class RasterWithoutCrs(DataError):
    """A raster that does not say where on earth it lies."""


class RasterCrsWrong(DataError):
    """A raster whose coordinates cannot belong to the CRS it names."""


class RasterNoOverlap(DataError):
    """A raster that does not reach the area."""


class PopulationUnitUnknown(DataError):
    """A population raster that says neither "people" nor "people per km2", or contradicts itself."""


class FileMissing(DataError):
    """A list or layer that is not there."""


class FileUnreadable(DataError):
    """A list or layer that ends too early, is locked, or is not what its name says."""


class FileTooLarge(DataError):
    """A workbook that unpacks to more than can be read."""


class FormatUnknown(DataError):
    """A list or layer of a kind that is not read."""


class EncodingUnknown(DataError):
    """A CSV that is neither UTF-8 nor marked UTF-16."""


class LayerUnclear(DataError):
    """A file of several sheets or layers where none, or the wrong one, is named."""


class LayerEmpty(DataError):
    """A list or layer without a row."""


class ColumnsMissing(DataError):
    """A list or layer without a column that it must have."""


class ColumnsUnclear(DataError):
    """Two columns that claim to be the same, or a mapping of columns that fits nothing."""


class GeometryMissing(DataError):
    """A layer that says nowhere where its things are."""


class LayerWithoutCrs(DataError):
    """A layer that does not say in which CRS its coordinates are."""


class LayerCrsWrong(DataError):
    """A layer of which nothing lies in Vietnam: its coordinates do not belong to the CRS it names."""


class LonLatSwapped(DataError):
    """A layer with longitude and latitude exchanged in every row."""


class FileUnwritable(DataError):
    """A file that cannot be written, often because it is open elsewhere."""


class InputFaults(DataError):
    """All faults of the inputs at once; `findings` holds them, with whatever else was found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        faults = [finding for finding in findings if finding.level == "error"]
        super().__init__(
            f"{len(faults)} lỗi trong dữ liệu vào / fault(s) in the inputs",
            "; ".join(f"{fault.what} ({fault.where})" for fault in faults[:3]) + (" ..." if len(faults) > 3 else ""),
            "sửa các lỗi nêu dưới đây / mend the faults listed below",
        )
        self.findings = tuple(findings)


class AntennaUnusable(InputFaults):
    """An antenna file that describes no antenna; `findings` holds each fault with its row."""
