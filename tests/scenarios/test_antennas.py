"""Antenna files on their way to the sectors that name them."""

from __future__ import annotations

import numpy as np
import pytest

from phusong.data_sources.antenna_files import read_antenna
from phusong.scenarios.antennas import fit_antennas


@pytest.fixture
def antenna(tmp_path):
    def one(name, gain="16 dBi", tilt=4):
        away = np.minimum(np.arange(360), 360 - np.arange(360))
        horizontal = np.minimum(12.0 * (away / 65.0) ** 2, 25.0)
        vertical = np.roll(np.minimum(12.0 * (away / 9.0) ** 2, 25.0), tilt)
        text = [f"NAME {name}", "FREQUENCY 1850", f"GAIN {gain}", f"ELECTRICAL_TILT {tilt}", "HORIZONTAL 360"]
        text += [f"{angle} {value:.3f}" for angle, value in enumerate(horizontal)]
        text += ["VERTICAL 360", *(f"{angle} {value:.3f}" for angle, value in enumerate(vertical))]
        path = tmp_path / f"{name}.msi"
        path.write_text("\n".join(text), encoding="utf-8")
        return read_antenna(path)

    return one


def test_sectors_choose_by_name_and_keep_gain_tilt_and_cut(antenna):
    files = [antenna("Low", tilt=2), antenna("High", gain="15 dBd", tilt=8)]
    fitted = fit_antennas(files, [None, " high", "LOW", "other", np.nan])
    assert fitted.pattern.index.tolist() == [-1, 1, 0, -1, -1]
    assert fitted.unknown == ("other",)
    np.testing.assert_allclose(fitted.gain_dbi, [np.nan, 17.15, 16.0, np.nan, np.nan])
    np.testing.assert_allclose(fitted.tilt_deg, [np.nan, 8.0, 2.0, np.nan, np.nan])
    assert fitted.pattern.table.cuts_db[:, 1].argmin(axis=1).tolist() == [2, 8]


def test_a_gain_that_the_pattern_cannot_have_is_doubted_where_it_is_used(antenna):
    files = [antenna("honest"), antenna("proud", gain="19.5 dBi")]
    assert fit_antennas(files, ["honest"]).doubts == ()
    (doubt,) = fit_antennas(files, ["honest", "proud", "proud"]).doubts
    assert "proud" in doubt
    assert "more than the pattern can have" in doubt
