"""Failures that this room reports to a person."""

from __future__ import annotations


class CoverageError(Exception):
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


class UnknownModel(CoverageError):
    """A propagation model that nobody has written."""


class UnknownBandwidth(CoverageError):
    """A carrier bandwidth for which the 3GPP tables have no number of resource blocks."""


class ValueOutOfRange(CoverageError):
    """A number that the physics cannot take."""


class ClutterCountedTwice(CoverageError):
    """Two corrections for the same trees or houses around the receiver."""


class SiteOutsideTerrain(CoverageError):
    """A site that stands where the terrain raster has no pixel."""


class SectorWithoutRow(CoverageError):
    """A sector whose location, antenna height and frequency no loss row has."""


class DeviceUnusable(CoverageError):
    """A device to compute on that is not there, or cannot do what is asked of it."""


class PathRefused(CoverageError):
    """A path or a setting that a propagation program of others refuses; `code` is that program's number for it."""

    def __init__(self, what: str, where: str, mend: str, code: int = 0) -> None:
        super().__init__(what, where, mend)
        self.code = code
