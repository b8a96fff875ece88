"""Failures that this room reports to a person."""

from __future__ import annotations


class ScenarioError(Exception):
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


class ScenarioFileMissing(ScenarioError):
    """The scenario file is not there."""


class ScenarioFaults(ScenarioError):
    """A scenario file with one or more faults, all listed."""

    def __init__(self, path: object, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(
            what=f"{len(faults)} lỗi trong kịch bản / fault(s) in the scenario",
            where=f"{path}\n" + "\n".join(f"    {fault}" for fault in faults),
            mend="sửa các khoá trên; mô tả từng khoá / every key is described by:  phusong schema",
        )


class OptionUnknown(ScenarioError):
    """The scenario names an option or a hamlet that does not exist."""


class LockedUnconnected(ScenarioError):
    """The scenario asks for an option that nothing which it allows connects."""


class CapUnknown(ScenarioError):
    """The scenario limits something that no option or way of the run is."""


class RunMissing(ScenarioError):
    """A run that was asked for is not there or cannot be read."""


class FileOpenElsewhere(ScenarioError):
    """A file or folder of a run that cannot be replaced, usually because another program has it open."""


class FolderIsNotARun(ScenarioError):
    """A run is to be written into a folder that holds something else."""


class RunNotWritten(ScenarioError):
    """The system refused to store the run: disk full, path too long, no such drive."""


class MapLibraryUnsuitable(ScenarioError):
    """MapLibre GL JS is missing from the installation, or of a version that the map page was not written for."""


class TargetExists(ScenarioError):
    """A file would be overwritten."""


class UnusableBand(ScenarioError):
    """The scenario asks for stations on a band that it defines no carrier for, or on none of the minimum technology."""


class NoOperatorKnown(ScenarioError):
    """Nothing says who would build a new station."""


class ReferenceDataMissing(ScenarioError):
    """A folder of reference sets that is not there or holds none."""


class ReferenceSetUnreadable(ScenarioError):
    """A file of a reference set that is missing or not what its publisher wrote."""


class MeasurementsTooFew(ScenarioError):
    """Measurements that leave too few places, or too few blocks, to fit a model and to test it elsewhere."""


class ScenarioNotEditable(ScenarioError):
    """A scenario file into which fitted values cannot be written without changing more than them."""


class CalibrationImplausible(ScenarioError):
    """Measurements so far from the model that no offset a scenario takes can mend it."""


class SkyEmpty(ScenarioError):
    """A scenario with satellites of which none is named, or none serves."""


class ClimateUnknown(ScenarioError):
    """Rain along satellite paths without a map of it and without a region."""
