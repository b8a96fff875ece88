"""Element sets as their providers write them, and as they arrive damaged."""

from __future__ import annotations

import csv
import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.data_sources.errors import FileMissing, FileUnreadable
from phusong.data_sources.orbit_records import omm_records, two_line_records
from phusong.data_sources.orbits import age_finding, read_orbits

# CelesTrak's own example of the format, and a set of the International Space Station of 2008 quoted with it.
NOAA = (
    "NOAA 14",
    "1 23455U 94089A   97320.90946019  .00000140  00000-0  10191-3 0  2621",
    "2 23455  99.0090 272.6745 0008546 223.1686 136.8816 14.11711747148495",
)
ISS = (
    "ISS (ZARYA)",
    "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927",
    "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537",
)
OMM = {
    "OBJECT_NAME": "NOAA 14", "OBJECT_ID": "1994-089A", "EPOCH": "1997-11-16T21:49:37.360416",
    "MEAN_MOTION": 14.11711747,
    "ECCENTRICITY": 0.0008546, "INCLINATION": 99.009, "RA_OF_ASC_NODE": 272.6745, "ARG_OF_PERICENTER": 223.1686,
    "MEAN_ANOMALY": 136.8816, "EPHEMERIS_TYPE": 0, "CLASSIFICATION_TYPE": "U", "NORAD_CAT_ID": 23455,
    "ELEMENT_SET_NO": 262, "REV_AT_EPOCH": 14849, "BSTAR": 0.00010191, "MEAN_MOTION_DOT": 1.4e-6, "MEAN_MOTION_DDOT": 0,
}  # fmt: skip


def written(tmp_path, *lines, name="sets.tle", end="\n"):
    path = tmp_path / name
    path.write_bytes(end.join(lines).encode())
    return path


def test_the_format_s_own_example(tmp_path):
    got = read_orbits(written(tmp_path, *NOAA))
    assert got.name.tolist() == ["NOAA 14"]
    assert got.catalog_number.tolist() == [23455]
    assert got.inclination_deg[0] == 99.0090
    assert got.node_deg[0] == 272.6745
    assert got.eccentricity[0] == 0.0008546
    assert got.perigee_deg[0] == 223.1686
    assert got.anomaly_deg[0] == 136.8816
    assert got.mean_motion_rev_day[0] == 14.11711747
    assert got.mean_motion_dot_rev_day2[0] == 1.4e-6
    assert got.drag_per_earth_radius[0] == pytest.approx(1.0191e-4)
    assert f"{got.epoch:%Y-%m-%d %H:%M:%S}" == "1997-11-16 21:49:37"
    assert got.findings == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "lines",
    [
        [*NOAA, *ISS],
        [*NOAA[1:], *ISS[1:]],
        ["0 " + NOAA[0], *NOAA[1:], "0 " + ISS[0], *ISS[1:]],
        ["# two satellites", "", NOAA[0] + "   ", NOAA[1], NOAA[2] + "  ", "", *ISS, ""],
        [NOAA[1] + "      0.0    1440.0", NOAA[2], ISS[0], *ISS[1:]],
    ],
)
def test_files_as_they_are_written(tmp_path, lines, end):
    got = read_orbits(written(tmp_path, *lines, end=end))
    assert got.catalog_number.tolist() == [23455, 25544]
    assert got.satellites_rejected == 0
    assert got.drag_per_earth_radius[1] == pytest.approx(-1.1606e-5)


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_omm_says_the_same_as_the_lines(tmp_path, suffix):
    path = tmp_path / f"gp.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps([OMM]))
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, OMM)
            writer.writeheader()
            writer.writerow(OMM)
    omm, lines = read_orbits(path), read_orbits(written(tmp_path, *NOAA))
    assert omm.name.tolist() == ["NOAA 14"]
    assert omm.epoch_days[0] == pytest.approx(lines.epoch_days[0], abs=1e-8)
    for column in ("mean_motion_rev_day", "eccentricity", "inclination_deg", "node_deg", "perigee_deg", "anomaly_deg",
                   "drag_per_earth_radius", "mean_motion_dot_rev_day2"):  # fmt: skip
        assert getattr(omm, column)[0] == pytest.approx(getattr(lines, column)[0], rel=1e-12), column


def changed(line: str, at: int, to: str) -> str:
    return line[:at] + to + line[at + len(to) :]


def summed(line: str) -> str:
    """With the checksum that its first 68 columns give."""
    return line[:68] + str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        ([NOAA[0], changed(NOAA[1], 25, "1"), NOAA[2]], 2, "checksum"),
        ([NOAA[0], NOAA[1], changed(NOAA[2], 68, "6")], 3, "checksum"),
        ([NOAA[0], NOAA[1][:68], NOAA[2]], 2, "cut short"),
        ([NOAA[0], NOAA[1], NOAA[2][:40]], 3, "cut short"),
        ([NOAA[0], NOAA[1], ISS[2]], 3, "two satellites"),
        ([NOAA[0], NOAA[1]], 2, "line 2"),
        ([NOAA[0], NOAA[2]], 2, "line 1"),
        ([NOAA[0]], 1, "no line of elements"),
        ([NOAA[0], NOAA[1], summed(changed(NOAA[2], 8, "x99.0090"))], 3, "inclination cannot be read"),
        ([NOAA[0], NOAA[1], summed(changed(NOAA[2], 8, "199.0090"))], 3, "outside 0 .. 180"),
        ([NOAA[0], NOAA[1], summed(changed(NOAA[2], 52, "99.11711747"))], 3, "mean motion outside"),
        ([NOAA[0], summed(changed(NOAA[1], 18, "97420.90946019")), NOAA[2]], 2, "epoch cannot be read"),
        ([NOAA[0], changed(NOAA[1], 60, "é"), NOAA[2]], 2, "characters"),
    ],
)
def test_every_fault_is_told_with_its_line_and_the_rest_is_read(tmp_path, lines, line, says):
    got = read_orbits(written(tmp_path, *lines, *ISS))
    assert got.catalog_number.tolist() == [25544]
    assert got.satellites_rejected == 1
    hit = got.rejected[got.rejected["what"].str.contains(says)]
    assert hit["line"].tolist() == [line]
    assert (got.rejected["file"] == "sets.tle").all()
    assert got.rejected["mend"].str.len().min() > 0
    assert any(says in finding.what and str(line) in finding.where for finding in got.findings)


@given(
    st.lists(st.sampled_from([*NOAA, *ISS, changed(NOAA[1], 20, "9"), ISS[2][:30], "No GP data found"]), max_size=12)
)
def test_no_line_is_lost(lines):
    """Whatever lines there are: each is part of a satellite that is read, or of one that is told of."""
    records = two_line_records("\n".join(lines))
    assert records.lines == len(lines)
    read = {k for one in records.elements for k in (one.line, one.line + 1)}
    named = {one.line - 1 for one in records.elements}
    told = {
        k for fault in records.faults for k in (fault.line, fault.satellite - 1, fault.satellite, fault.satellite + 1)
    }
    assert set(range(1, len(lines) + 1)) <= read | named | told
    assert not read & {fault.line for fault in records.faults}


def test_the_newest_set_of_a_satellite_is_kept_and_the_other_told(tmp_path):
    newer = [summed(changed(ISS[1], 18, "08265.51782528")), ISS[2]]
    for lines in ([*ISS[1:], *newer], [*newer, *ISS[1:]]):
        got = read_orbits(written(tmp_path, *lines))
        assert len(got) == 1
        assert got.epoch.day == 21
        assert got.satellites_rejected == 1
        assert "no older" in got.rejected["what"][0]


def test_letters_stand_for_numbers_above_99999(tmp_path):
    lines = [summed(changed(line, 2, "A5544")) for line in ISS[1:]]
    assert read_orbits(written(tmp_path, *lines)).catalog_number.tolist() == [105544]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"MEAN_MOTION": None}, "MEAN_MOTION"),
        ({"EPOCH": "16/11/1997"}, "EPOCH"),
        ({"ECCENTRICITY": "nan"}, "ECCENTRICITY"),
        ({"INCLINATION": 190}, "inclination"),
        ({"MEAN_ELEMENT_THEORY": "DSST"}, "SGP4"),
    ],
)
def test_faults_of_omm_are_told_by_their_keyword(change, says):
    records = omm_records(json.dumps([OMM | change, OMM]))
    assert len(records.elements) == 1
    assert says in records.faults[0].what
    assert records.faults[0].line == 1


@pytest.mark.parametrize("content", [b"", b"No GP data found\n", b"[", b"[1, 2]", b"<html></html>", b"PK\x03\x04\0\0"])
def test_a_file_without_satellites_is_refused(tmp_path, content):
    path = tmp_path / "vệ tinh.txt"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable):
        read_orbits(path)
    with pytest.raises(FileMissing):
        read_orbits(tmp_path / "none.tle")


def test_celestrak_files_of_a_day(shared):
    for name, count in (("starlink", 10_395), ("oneweb", 651), ("geo", 574)):
        got = read_orbits(shared(f"data/vietnam/celestrak_{name}_2026-05-30.tle"))
        assert len(got) == count
        assert got.lines == 3 * count
        assert got.satellites_rejected == 0
        assert got.epoch.date() == date(2026, 5, 30)


def test_elements_more_than_a_fortnight_from_the_plan_are_doubted(tmp_path):
    got = read_orbits(written(tmp_path, *ISS))
    assert age_finding(got, date(2008, 9, 30)) is None
    told = age_finding(got, date(2008, 10, 30))
    assert told is not None
    assert told.level == "warning"
    assert "40" in told.what
    assert np.isclose(got.epoch_days[0] % 1.0, 0.51782528)
