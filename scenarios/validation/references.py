"""The references there are: which folder holds each, where it is from, and which quoted rows stand in for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phusong.scenarios.errors import ReferenceDataMissing
from phusong.scenarios.validation import quoted_rows, reference_sets
from phusong.scenarios.validation.comparison import (
    Origin,
    ReferenceSet,
    itm_set,
    p1812_set,
    p2108_set,
    p2109_set,
    tr38901_sets,
)
from phusong.scenarios.validation.reference_sets import P1812_LOG_DIGIT_DB, P2109_DIGIT_DB

_SINGLE_FIGURES = "single figures, quoted"


@dataclass(frozen=True, slots=True)
class Reference:
    """One folder of reference sets: how it is read, and the rows quoted of it."""

    folder: str
    origin: Origin
    quoted_origin: Origin
    read: Callable[[Path, Origin], list[ReferenceSet]]
    quote: Callable[[Origin], list[ReferenceSet]]


def _read_p2108(folder: Path, origin: Origin) -> list[ReferenceSet]:
    sections = reference_sets.P2108_FILES
    return [p2108_set(section, *reference_sets.p2108_rows(folder, section), origin) for section in sections]


def _quote_p2108(origin: Origin) -> list[ReferenceSet]:
    return [
        p2108_set(section, quoted_rows.p2108_rows(section), quoted_rows.P2108_DIGIT_DB, origin)
        for section in reference_sets.P2108_FILES
    ]


def _origins(files: str, licence: str, quoted: str | None = None) -> tuple[Origin, Origin]:
    return Origin(files, licence, False), Origin(quoted or files, _SINGLE_FIGURES, True)


# Licences as their publishers state them.
REFERENCES = (
    Reference(
        "py1812",
        *_origins(
            "ITU-R Working Party 3M, as in github.com/eeveetza/Py1812 at a5205e6",
            "Py1812 licence: use, change, redistribute, acknowledge",
            "program github.com/eeveetza/Py1812 at a5205e6 over short made profiles",
        ),
        lambda folder, origin: [p1812_set(reference_sets.p1812_rows(folder), P1812_LOG_DIGIT_DB, origin)],
        lambda origin: [p1812_set(quoted_rows.p1812_rows(), quoted_rows.P1812_DIGIT_DB, origin)],
    ),
    Reference(
        "ntia_itm",
        *_origins(
            "github.com/NTIA/itm at 183ad95: p2p.csv over pfls.csv (area.csv is of the area mode, not used)",
            "US Government work; grant in its LICENSE.md",
            "program github.com/NTIA/itm at 183ad95 over short made profiles",
        ),
        lambda folder, origin: [itm_set(*reference_sets.itm_rows(folder), origin)],
        lambda origin: [itm_set(quoted_rows.itm_rows(), quoted_rows.ITM_DIGIT_DB, origin)],
    ),
    Reference(
        "ntia_p2108",
        *_origins("github.com/NTIA/p2108-test-data at 1d0f7c8", "US Government work"),
        _read_p2108,
        _quote_p2108,
    ),
    Reference(
        "crc_covlib",
        *_origins("github.com/ic-crc/crc-covlib at bc72be0", "MIT"),
        lambda folder, origin: [p2109_set(reference_sets.p2109_rows(folder), P2109_DIGIT_DB, origin)],
        lambda origin: [p2109_set(quoted_rows.p2109_rows(), P2109_DIGIT_DB, origin)],
    ),
    Reference(
        "ns3_tr38901",
        *_origins(
            "github.com/nsnam/ns-3-dev-git at 0891fa9, path loss test, which asserts 18 of its 24 rows",
            "figures of a GPLv2 test file",
        ),
        lambda folder, origin: tr38901_sets(*reference_sets.tr38901_rows(folder), origin),
        lambda origin: tr38901_sets(quoted_rows.tr38901_rows(), quoted_rows.TR38901_DIGIT_DB, origin),
    ),
)


def compare(data_dir: Path | None, on_progress: Callable[[str], None] = lambda folder: None) -> list[ReferenceSet]:
    """Every reference beside our losses: the sets under data_dir, and the quoted rows where it lacks one.

    data_dir    : holds a folder for each set; None: the quoted rows alone
    on_progress : called with the name of each set before it is read
    Raises ReferenceDataMissing for a folder that is not there or holds no set, ReferenceSetUnreadable.
    """
    if data_dir is not None and len(missing_sets(data_dir)) == len(REFERENCES):
        raise ReferenceDataMissing(
            what="không có bộ số tham chiếu nào ở đây / no reference set is here",
            where=str(data_dir),
            mend="chỉ thư mục có / name the folder that holds "
            + ", ".join(reference.folder for reference in REFERENCES)
            + "; bỏ --data để dùng các dòng trích dẫn / without --data the quoted rows are used",
        )
    sets: list[ReferenceSet] = []
    for reference in REFERENCES:
        on_progress(reference.folder)
        if data_dir is None or not (data_dir / reference.folder).is_dir():
            sets += reference.quote(reference.quoted_origin)
        else:
            sets += reference.read(data_dir / reference.folder, reference.origin)
    return sets


def missing_sets(data_dir: Path) -> list[str]:
    """Names of the sets that data_dir does not hold."""
    return [reference.folder for reference in REFERENCES if not (data_dir / reference.folder).is_dir()]
