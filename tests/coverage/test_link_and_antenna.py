"""Link budget and sector pattern against the printed tables."""

from __future__ import annotations

from math import nan

import pytest

from phusong.coverage.antenna import attenuation_db, bearing_deg, depression_deg
from phusong.coverage.errors import UnknownBandwidth, ValueOutOfRange
from phusong.coverage.link import fade_margin_db, resource_blocks, rs_eirp_dbm


@pytest.mark.parametrize(
    ("bearing", "depression", "expected_db"),
    # 3GPP TR 36.814 Table A.2.1.1-2 with 70 and 10 degrees, A_m 25 dB, SLA_v 20 dB; beam at 350 and 6 down.
    [
        (350.0, 6.0, 0.0),
        (350.0 + 35.0, 6.0, 3.0),  # half the beam width: 3 dB by definition
        (350.0 - 35.0, 6.0, 3.0),
        (350.0, 11.0, 3.0),
        (350.0, 1.0, 3.0),
        (350.0 + 35.0, 11.0, 6.0),  # both add up
        (350.0 + 70.0, 6.0, 12.0),
        (170.0, 6.0, 25.0),  # behind: A_m
        (350.0, 90.0, 20.0),  # below: SLA_v
        (350.0 + 70.0, 90.0, 25.0),  # 12 + 20, limited by A_m
        (-10.0 - 720.0 + 35.0, 6.0, 3.0),  # any number of turns
    ],
)
def test_sector_pattern(bearing, depression, expected_db):
    assert attenuation_db(bearing, depression, 350.0, 6.0, 70.0, 10.0) == pytest.approx(expected_db, abs=1e-9)


def test_a_sector_without_azimuth_radiates_alike_all_round_but_tilts():
    assert [attenuation_db(bearing, 11.0, nan, 6.0, 70.0, 10.0) for bearing in (0.0, 90.0, 180.0)] == [3.0] * 3


def test_directions_on_the_grid():
    assert [bearing_deg(-1.0, 0.0), bearing_deg(0.0, 1.0), bearing_deg(1.0, 0.0)] == [0.0, 90.0, 180.0]
    assert depression_deg(0.0, 40.0) == 90.0
    # 100 m down over 1 km is 5.711 degrees; the Earth's curve adds 0.06 m.
    assert depression_deg(1000.0, 100.0) == pytest.approx(5.711 + 0.003, abs=1e-3)


@pytest.mark.parametrize(
    ("technology", "bandwidth_mhz", "subcarrier_khz", "blocks"),
    [
        ("4G", 1.4, None, 6),
        ("4G", 10.0, None, 50),
        ("4G", 20.0, None, 100),
        ("5G", 10.0, None, 52),
        ("5G", 20.0, 30, 51),
        ("5G", 40.0, None, 106),
        ("5G", 100.0, None, 273),
        ("5G", 100.0, 60, 135),
    ],
)
def test_resource_blocks_of_the_3gpp_tables(technology, bandwidth_mhz, subcarrier_khz, blocks):
    assert resource_blocks(technology, bandwidth_mhz, subcarrier_khz) == blocks


def test_power_per_resource_element():
    # The design's figures: 30.8 dB for 20 MHz of LTE, 35.2 dB for 100 MHz of NR.
    assert rs_eirp_dbm(46.0, 100, 2.0, 17.5) == pytest.approx(46.0 - 30.79 - 2.0 + 17.5, abs=0.005)
    assert rs_eirp_dbm([53.0, 49.0], 273, 0.0, 24.0) == pytest.approx([41.85, 37.85], abs=0.005)


def test_what_the_link_budget_refuses():
    with pytest.raises(UnknownBandwidth, match=r"choose one of 1.4, 3, 5, 10, 15, 20 MHz"):
        resource_blocks("4G", 7.0)
    with pytest.raises(UnknownBandwidth, match="4G"):
        resource_blocks("2G", 0.2)
    with pytest.raises(ValueOutOfRange, match="P80"):
        fade_margin_db(80.0, 7.0, 5.5)


def test_fade_margin():
    # z of the normal distribution: 0.8416 at 80%, 1.2816 at 90%; sqrt(6^2 + 8^2) = 10.
    assert fade_margin_db(0.8, 6.0, 8.0) == pytest.approx(8.416, abs=1e-3)
    assert fade_margin_db(0.9, 6.0, 8.0) == pytest.approx(12.816, abs=1e-3)
    assert fade_margin_db(0.5, 6.0, 8.0) == 0.0
