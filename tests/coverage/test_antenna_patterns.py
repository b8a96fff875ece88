"""Tabulated patterns, arrays and tilt: printed points, cuts that come back, and what must hold in every direction."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.antenna import attenuation_db, leaned_direction, special_attenuation_db
from phusong.coverage.antenna_pattern import (
    AntennaPattern,
    ChosenPatterns,
    array_factor_db,
    panel_pattern,
    pattern_table,
    tr36814_pattern,
    tr38901_element,
)
from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.sectors import Sectors

turns = st.floats(-720.0, 720.0)
depressions = st.floats(-90.0, 90.0)


@pytest.fixture(scope="module")
def tilted():
    """A column of eight elements, its beam 6 degrees down; joined by interpolation."""
    return panel_pattern(8, 1, row_spacing_wavelengths=0.8, electrical_tilt_deg=6.0)


def sector(azimuth_deg=0.0, downtilt_deg=0.0, mechanical_tilt_deg=0.0, pattern=None):
    chosen = ChosenPatterns() if pattern is None else ChosenPatterns([0], pattern_table([pattern]))
    return Sectors(
        [0], [30.0], [1800.0], [azimuth_deg], [downtilt_deg], [70.0], [10.0], [0.0], [0], [mechanical_tilt_deg], chosen
    )


def loss_db(one, bearing_deg, depression_deg):
    return special_attenuation_db(bearing_deg, depression_deg, one.antennas(), 0, one.pattern.table)


@pytest.mark.parametrize(
    ("turn", "depression", "expected_db"),
    # 3GPP TR 38.901 Table 7.3-1: 12 (x / 65)^2, side lobes and back at most 30 dB.
    [
        (0.0, 0.0, 0.0),
        (32.5, 0.0, 3.0),
        (-32.5, 0.0, 3.0),
        (0.0, 32.5, 3.0),
        (0.0, -32.5, 3.0),
        (65.0, 0.0, 12.0),
        (65.0, 65.0, 24.0),
        (0.0, 90.0, 12.0 * (90.0 / 65.0) ** 2),
        (90.0, 90.0, 30.0),  # 23 + 23
        (180.0, 0.0, 30.0),
    ],
)
def test_element_of_tr38901(turn, depression, expected_db):
    # Half a degree off the table's steps the chord lies 12 / 65^2 / 4 dB above the parabola.
    assert tr38901_element().attenuation_db(turn, depression) == pytest.approx(expected_db, abs=1e-3)


def test_directivity_of_the_element():
    # 9.826 dB: directivity of this element as NVIDIA's Sionna RT documents it (antenna_pattern, compute_gain).
    assert tr38901_element().directivity_dbi() == pytest.approx(9.826, abs=0.005)
    assert tr38901_element().gain_dbi == 8.0


@settings(deadline=None)
@given(st.integers(-180, 180), st.integers(-90, 90), st.integers(0, 12))
def test_the_formula_in_a_table_is_the_formula_at_whole_degrees(turn, depression, tilt):
    table = tr36814_pattern(70.0, 10.0, tilt, 17.5)
    assert table.attenuation_db(turn, depression) == pytest.approx(
        attenuation_db(turn, depression, 0.0, tilt, 70.0, 10.0), abs=1e-9
    )


@settings(deadline=None)
@given(turns, depressions)
def test_the_formula_in_a_table_between_whole_degrees(turn, depression):
    # Below the limit the chord errs by 3 / 10^2 dB; where side lobes reach theirs, at 3.1 dB a degree, by a quarter.
    table = tr36814_pattern(70.0, 10.0, 6.0, 17.5)
    exact_db = attenuation_db(turn, depression, 0.0, 6.0, 70.0, 10.0)
    off_kink = abs(abs(depression - 6.0) - 12.91) > 1.0 and exact_db < 25.0
    assert table.attenuation_db(turn, depression) == pytest.approx(exact_db, abs=0.035 if off_kink else 0.8)


def test_the_vertical_cut_comes_back_in_front_and_behind(tilted):
    depression = np.arange(-90, 91)
    assert tilted.attenuation_db(0.0, depression) == pytest.approx(tilted.vertical_db[depression % 360], abs=1e-9)
    assert tilted.attenuation_db(180.0, depression) == pytest.approx(tilted.vertical_db[180 - depression], abs=1e-9)


def test_the_horizontal_cut_comes_back_at_the_depression_where_the_cuts_cross(tilted):
    turn = np.arange(-180, 180)
    assert tilted.attenuation_db(turn, 6.0) == pytest.approx(tilted.horizontal_db[turn % 360], abs=1e-9)
    level = panel_pattern(8, 1)
    assert level.attenuation_db(turn, 0.0) == pytest.approx(level.horizontal_db[turn % 360], abs=1e-9)


def test_a_beam_that_looks_aside_has_its_vertical_cut_there(tilted):
    """One beam of a twin-beam antenna: the same cuts, 30 degrees to the left, are the same pattern turned."""
    aside = replace(tilted, horizontal_db=np.roll(tilted.horizontal_db, -30), cut_turn_deg=-30.0)
    turn, depression = np.arange(-180, 180)[:, None], np.arange(-90, 91, 7)
    assert aside.attenuation_db(turn - 30, depression) == pytest.approx(tilted.attenuation_db(turn, depression))


def test_straight_down_there_is_one_attenuation_whatever_the_turn(tilted):
    """The foot of the mast is one direction: in front and behind the interpolation says the same, a sum does not."""
    ahead_db, behind_db = tilted.attenuation_db([0.0, 180.0], 90.0)
    assert ahead_db == pytest.approx(behind_db, abs=1e-9)
    summed = replace(tilted, sum_limit_db=1000.0)
    assert summed.attenuation_db(180.0, 90.0) - summed.attenuation_db(0.0, 90.0) == pytest.approx(
        tilted.horizontal_db[180]
    )


@settings(deadline=None)
@given(turns, depressions, st.sampled_from(["joined", "summed"]))
def test_attenuation_is_bounded_symmetric_and_turns_round(turn, depression, way):
    cuts = panel_pattern(8, 1, row_spacing_wavelengths=0.8, electrical_tilt_deg=6.0)
    pattern = cuts if way == "joined" else tr36814_pattern(65.0, 7.0, 6.0, 17.5)
    one, other, round_db = pattern.attenuation_db([turn, -turn, turn + 360.0], depression)
    assert 0.0 <= one <= pattern.horizontal_db.max() + pattern.vertical_db.max()
    assert other == pytest.approx(one, abs=1e-6)
    assert round_db == pytest.approx(one, abs=1e-6)


def test_array_factor_of_a_uniform_line():
    # C. A. Balanis, Antenna Theory, broadside uniform arrays: half power at 0.443 / (N d), first null at 1 / (N d),
    # first side lobe of a long array 13.26 dB down near 1.43 / (N d).
    assert array_factor_db(10, 0.9, 0.0, 0.0) == pytest.approx(10.0)
    assert array_factor_db(10, 0.9, 0.443 / 9.0, 0.0) == pytest.approx(10.0 - 3.01, abs=0.05)
    assert array_factor_db(10, 0.9, 1.0 / 9.0, 0.0) < -200.0
    assert array_factor_db(200, 0.5, 0.0143, 0.0) == pytest.approx(10.0 * np.log10(200.0) - 13.26, abs=0.02)
    assert array_factor_db(8, 0.5, 0.3, 0.3) == pytest.approx(10.0 * np.log10(8.0))


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (12, 8), (16, 16)])
def test_gain_of_a_panel_is_the_directivity_of_its_aperture(rows, columns):
    panel = panel_pattern(rows, columns)
    aperture_dbi = 10.0 * np.log10(4.0 * np.pi * (rows * 0.5) * (columns * 0.5))  # 4 pi A / wavelength^2
    assert panel.gain_dbi == pytest.approx(aperture_dbi, abs=0.5)
    assert panel.gain_dbi < 8.0 + 10.0 * np.log10(rows * columns) - 2.0  # what the 3GPP sum alone would claim
    # The gain comes from the array in three dimensions; its two cuts, joined, radiate as much.
    assert panel.directivity_dbi() == pytest.approx(panel.gain_dbi, abs=0.3)


def test_gain_of_elements_far_enough_apart_is_the_sum_of_3gpp():
    assert panel_pattern(10, 1, row_spacing_wavelengths=0.9).gain_dbi == pytest.approx(18.0)
    assert panel_pattern(1, 1).gain_dbi == 8.0


def test_traffic_and_ssb_beams_of_one_panel():
    traffic = panel_pattern(8, 8, beam_turn_deg=range(-60, 61, 4), electrical_tilt_deg=6.0)
    ssb = panel_pattern(8, 4, beam_turn_deg=(-45, -15, 15, 45), electrical_tilt_deg=6.0)
    assert traffic.gain_dbi - ssb.gain_dbi == pytest.approx(3.0, abs=0.5)
    # Steered beams follow the element: its 12 (t / 65)^2 at 40 degrees, no more than the rounding between beams.
    assert traffic.horizontal_db[40] == pytest.approx(12.0 * (40.0 / 65.0) ** 2, abs=0.2)
    assert panel_pattern(8, 8).horizontal_db[40] > 12.0  # one beam ahead leaves them dark
    assert traffic.vertical_db.argmin() == 6


def test_mechanical_tilt_goes_down_in_front_and_up_behind():
    assert leaned_direction(0.0, 10.0, 4.0) == pytest.approx((0.0, 6.0))
    turn, depression = leaned_direction(180.0, 10.0, 4.0)
    assert (abs(turn), depression) == pytest.approx((180.0, 14.0))
    turn, depression = leaned_direction(90.0, 0.0, 4.0)
    assert (turn, depression) == pytest.approx((90.0, 0.0), abs=1e-9)


@settings(deadline=None)
@given(st.floats(-179.0, 179.0), st.floats(-85.0, 85.0), st.floats(-20.0, 20.0))
def test_leaning_back_undoes_leaning(turn, depression, tilt):
    back = leaned_direction(*leaned_direction(turn, depression, tilt), -tilt)
    assert np.cos(np.radians(back[0] - turn)) == pytest.approx(1.0, abs=1e-6)
    assert back[1] == pytest.approx(depression, abs=1e-5)


@pytest.mark.parametrize("tabulated", [False, True])
def test_the_two_tilts_agree_ahead_and_part_behind(tabulated):
    pattern = panel_pattern(8, 1) if tabulated else None
    by_beam = sector(downtilt_deg=6.0, pattern=pattern)
    by_mast = sector(mechanical_tilt_deg=6.0, pattern=pattern)
    for depression in (-20.0, 0.0, 3.0, 6.0, 15.0):
        assert loss_db(by_beam, 0.0, depression) == pytest.approx(loss_db(by_mast, 0.0, depression), abs=1e-9)
    strongest = [
        min(range(-20, 21), key=lambda depression: loss_db(one, 180.0, float(depression)) + abs(depression) * 1e-9)
        for one in (by_beam, by_mast)
    ]
    if tabulated:  # the formula's back is flat: 25 dB in every depression
        assert strongest == [6, -6]
    aside = [loss_db(one, 90.0, 0.0) for one in (by_beam, by_mast)]
    assert aside[0] > aside[1]  # aside a leaning antenna still looks at the horizon


def test_a_table_is_shifted_from_its_own_tilt_to_the_sectors(tilted):
    as_measured = sector(downtilt_deg=6.0, pattern=tilted)
    lifted = sector(downtilt_deg=2.0, pattern=tilted)
    assert loss_db(as_measured, 20.0, 9.0) == pytest.approx(tilted.attenuation_db(20.0, 9.0))
    assert loss_db(lifted, 20.0, 5.0) == pytest.approx(tilted.attenuation_db(20.0, 9.0))
    assert as_measured.antennas()[0, 2] == 0.0


def test_an_antenna_without_azimuth_radiates_alike_all_round_and_cannot_lean(tilted):
    round_about = sector(azimuth_deg=nan, downtilt_deg=6.0, mechanical_tilt_deg=5.0, pattern=tilted)
    assert {loss_db(round_about, bearing, 9.0) for bearing in (0.0, 90.0, 200.0)} == {float(tilted.vertical_db[9])}
    formula = sector(azimuth_deg=nan, downtilt_deg=6.0, mechanical_tilt_deg=5.0)
    assert [loss_db(formula, bearing, 11.0) for bearing in (0.0, 90.0)] == [3.0, 3.0]


def test_sectors_without_patterns_stay_as_they_were_and_pieces_keep_the_table(tilted):
    plain = Sectors([0, 1], [30.0] * 2, [1800.0] * 2, [0.0] * 2, [2.0] * 2, [65.0] * 2, [9.0] * 2, [0.0] * 2, [0, 0])
    assert plain.pattern.index.tolist() == [-1, -1]
    assert plain.mechanical_tilt_deg.tolist() == [0.0, 0.0]
    both = replace(plain, pattern=ChosenPatterns([-1, 0], pattern_table([tilted])))
    piece = Sectors(*(getattr(both, name)[np.array([False, True])] for name in Sectors.__dataclass_fields__))
    assert piece.pattern.index.tolist() == [0]
    assert piece.pattern.table.electrical_tilt_deg.tolist() == [6.0]
    assert piece.antennas()[0].tolist() == [30.0, 0.0, -4.0, 65.0, 9.0, 0.0, 0.0, 0.0]


def test_what_patterns_refuse(tilted):
    with pytest.raises(ValueOutOfRange, match="360 attenuations"):
        AntennaPattern(np.zeros(361), np.zeros(360), 17.0)
    with pytest.raises(ValueOutOfRange, match="of zero or more"):
        AntennaPattern(np.full(360, -1.0), np.zeros(360), 17.0)
    with pytest.raises(ValueOutOfRange, match="no usable gain"):
        AntennaPattern(np.zeros(360), np.zeros(360), nan)
    with pytest.raises(ValueOutOfRange, match="1 in the table"):
        ChosenPatterns([0, 1], pattern_table([tilted]))
    with pytest.raises(ValueOutOfRange, match="0 in the table"):
        replace(sector(), pattern=[0])
    with pytest.raises(ValueOutOfRange, match="pattern has shape"):
        replace(sector(), pattern=ChosenPatterns([0, 0], pattern_table([tilted])))
    with pytest.raises(ValueOutOfRange, match="mechanical_tilt_deg"):
        sector(mechanical_tilt_deg=nan)
    with pytest.raises(ValueOutOfRange, match="no such panel"):
        panel_pattern(0, 8)
