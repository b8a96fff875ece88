"""Throughput against figures of the standards, published examples and budgets done by hand."""

from __future__ import annotations

from math import log2, log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.link import BANDS, duplex_of, resource_blocks, rs_eirp_dbm
from phusong.coverage.speed_classes import (
    BELOW,
    ENOUGH,
    FULL,
    NO_SIGNAL,
    QCVN_126_2021,
    classify,
    verdict,
)
from phusong.coverage.throughput import (
    LTE_DOWNLINK,
    LTE_UPLINK,
    NR_DOWNLINK,
    NR_UPLINK,
    Direction,
    downlink_of,
    peak_data_rate_mbps,
    spectral_efficiency_bps_hz,
    tdd_shares,
    throughput_mbps,
    uplink_allocation,
    uplink_level_dbm,
    uplink_mbps,
    uplink_of,
)


@pytest.mark.parametrize(
    ("blocks", "subcarrier_khz", "layers", "bits", "overhead", "published_mbps", "half_last_digit"),
    [
        # Examples of TS 38.306 section 4.1.2 as courses on NR work them out: 100 MHz FR1 is 2.337 Gbps, 400 MHz FR2
        # with two layers about 4.3 Gbps.
        (273, 30, 4, 8, 0.14, 2337.0, 0.5),
        (264, 120, 2, 8, 0.18, 4300.0, 50.0),
    ],
)
def test_peak_data_rate_of_ts_38_306(blocks, subcarrier_khz, layers, bits, overhead, published_mbps, half_last_digit):
    rate = peak_data_rate_mbps(blocks, subcarrier_khz, layers, bits, overhead)
    assert rate == pytest.approx(published_mbps, abs=half_last_digit)


def test_peak_data_rate_scales_with_what_a_phone_says_it_can():
    assert peak_data_rate_mbps(273, 30, 4, 8, 0.14, scaling=0.75) == pytest.approx(0.75 * 2337.0, abs=0.5)


@pytest.mark.parametrize(
    ("curve", "sinr_db", "bps_hz"),
    [
        # TR 36.942 Annex A: attenuation 0.6 / 0.4, lowest -10 dB, highest 4.4 / 2.0 bit/s/Hz (at 22 and 15 dB).
        (LTE_DOWNLINK, -10.01, 0.0),
        (LTE_DOWNLINK, -10.0, 0.6 * log2(1.1)),
        (LTE_DOWNLINK, 0.0, 0.6),
        (LTE_DOWNLINK, 21.0, 0.6 * log2(1 + 10**2.1)),
        (LTE_DOWNLINK, 22.1, 4.4),
        (LTE_DOWNLINK, 40.0, 4.4),
        (LTE_UPLINK, 0.0, 0.4),
        (LTE_UPLINK, 15.0, 2.0),
        # TR 38.803: on to 30 and 22 dB.
        (NR_DOWNLINK, 22.1, 0.6 * log2(1 + 10**2.21)),
        (NR_DOWNLINK, 30.0, 5.980),
        (NR_DOWNLINK, 45.0, 5.980),
        (NR_UPLINK, 22.0, 2.927),
        (NR_UPLINK, 30.0, 2.927),
    ],
)
def test_attenuated_shannon_curves(curve, sinr_db, bps_hz):
    assert spectral_efficiency_bps_hz(sinr_db, curve) == pytest.approx(bps_hz, abs=6e-4)


def test_frames_of_unpaired_bands():
    # 3 slots of 14 symbols and 10 of a special slot, of 70; one slot and 2 symbols up.
    assert tdd_shares() == pytest.approx((52 / 70, 16 / 70))
    # The frame that goes with LTE's, 6:4:4, has the same shares.
    assert tdd_shares("DDDDDDDSUU", (6, 4, 4)) == pytest.approx(tdd_shares())
    for frame, special in (("DDXU", (10, 2, 2)), ("DDSU", (10, 2, 3)), ("DDDD", (10, 2, 2)), ("", (10, 2, 2))):
        with pytest.raises(ValueOutOfRange, match="DDDSU"):
            tdd_shares(frame, special)


def test_downlink_by_hand():
    # B3, 100 blocks = 18 MHz, two streams at 10 dB: 2 x 0.6 log2(1 + 10/2) = 3.1020 bit/s/Hz, 14% overhead.
    b3 = downlink_of("4G", 20, duplex_of("B3", 1842.5), layers=2)
    assert b3.bandwidth_mhz == 18.0
    assert throughput_mbps(10.0, b3) == pytest.approx(3.1020 * 18.0 * 0.86, abs=0.01)
    assert throughput_mbps(10.0, b3, airtime_share=0.3) == pytest.approx(0.3 * 3.1020 * 18.0 * 0.86, abs=0.01)
    # n78, 273 blocks = 98.28 MHz, four streams at 20 dB: 4 x 0.6 log2(26) = 11.281; 52/70 of the time.
    n78 = downlink_of("5G", 100, duplex_of("n78", 3550), layers=4)
    assert throughput_mbps(20.0, n78) == pytest.approx(11.281 * 98.28 * 0.86 * 52 / 70, rel=1e-4)
    assert n78.peak_mbps == pytest.approx(2337.0 * 52 / 70, abs=0.5)


def test_no_rate_exceeds_the_peak():
    coarse = Direction(
        blocks=50, subcarrier_khz=15, curve=NR_DOWNLINK, layers=1, bits_per_symbol=2, overhead=0.14, time_share=1.0
    )
    assert throughput_mbps(30.0, coarse) == coarse.peak_mbps


CARRIERS = [("4G", 10, "B28"), ("4G", 20, "B3"), ("5G", 10, "n28"), ("5G", 100, "n41"), ("5G", 100, "n78")]


@given(carrier=st.sampled_from(CARRIERS), sinr_db=st.floats(-30, 50), more_db=st.floats(0, 20))
def test_throughput_never_falls_with_sinr(carrier, sinr_db, more_db):
    technology, bandwidth_mhz, band = carrier
    down = downlink_of(technology, bandwidth_mhz, duplex_of(band, 0.0), layers=2)
    rates = throughput_mbps([sinr_db, sinr_db + more_db], down)
    assert 0.0 <= rates[0] <= rates[1] <= down.peak_mbps


@given(carrier=st.sampled_from(CARRIERS), level_dbm=st.floats(-140, -40), more_db=st.floats(0, 20))
def test_upload_never_falls_with_level(carrier, level_dbm, more_db):
    technology, bandwidth_mhz, band = carrier
    up = uplink_of(technology, bandwidth_mhz, duplex_of(band, 0.0))
    rates = uplink_mbps([level_dbm, level_dbm + more_db], up)
    # A block more takes power from the others: against whole blocks the rate may dip by a hair.
    assert rates[1] >= rates[0] * (1 - 1e-6)
    assert 0.0 <= rates[0] <= up.peak_mbps


def test_uplink_of_a_rural_cell_by_hand():
    # B28, 10 MHz: 46 dBm - 10 log10(600) - 2 + 15 = 31.218 dBm an element. RSRP -105 dBm: 136.218 dB lost. The phone's
    # 23 dBm arrive at 23 - 136.218 + 15 - 2 = -100.218 dBm. Noise -174 + 41.761 + 5 = -127.239 dBm an element: over
    # 50 blocks (27.782 dB of elements) SINR -0.761 dB, 0.4 log2(1 + 0.8393) = 0.35167 bit/s/Hz on 9 MHz, 8% overhead.
    eirp = rs_eirp_dbm(46.0, resource_blocks("4G", 10), 2.0, 15.0)
    up = uplink_of("4G", 10, "FDD")
    level = uplink_level_dbm(-105.0, eirp, 15.0, 2.0)
    assert level == pytest.approx(-100.218, abs=0.002)
    blocks, sinr = uplink_allocation(level, up)
    assert blocks == 50
    assert sinr == pytest.approx(-0.761, abs=0.003)
    assert uplink_mbps(level, up) == pytest.approx(0.35167 * 9.0 * 0.92, abs=0.005)

    # RSRP -120 dBm: one block has 1.229 dB; 11.229 dB above the lowest SINR spread over 13 blocks at -9.910 dB.
    level = uplink_level_dbm(-120.0, eirp, 15.0, 2.0)
    blocks, sinr = uplink_allocation(level, up)
    assert blocks == 13
    assert sinr == pytest.approx(-9.910, abs=0.003)
    edge = float(uplink_mbps(level, up))
    assert edge == pytest.approx(0.4 * log2(1 + 10**-0.991) * 13 * 0.18 * 0.92, rel=2e-3)

    # There the downlink still has 3.2 dB and megabits: the phone's power is what ends the cell.
    down = downlink_of("4G", 10, "FDD", layers=2)
    assert throughput_mbps(-120.0 + 123.24, down) > 60 * edge
    # 3 dB of other phones' noise, or 10 dB of a house, and less is left.
    assert uplink_mbps(level, up, interference_rise_db=3.0) < edge
    assert uplink_mbps(uplink_level_dbm(-120.0, eirp, 15.0, 2.0, extra_loss_db=10.0), up) < 0.2 * edge


def test_a_phone_too_far_away_sends_nothing():
    up = uplink_of("5G", 100, "TDD")
    blocks, sinr = uplink_allocation([-130.0, np.nan], up)
    assert blocks.tolist() == [0, 0]
    assert sinr[0] < NR_UPLINK.lowest_sinr_db
    assert np.isnan(sinr[1])
    rates = uplink_mbps([-130.0, np.nan], up)
    assert rates[0] == 0.0
    assert np.isnan(rates[1])


@given(level_dbm=st.floats(-128.0, -60.0))
def test_no_other_allocation_carries_more(level_dbm):
    up = uplink_of("4G", 20, "FDD")
    noise_dbm = -174.0 + 10 * log10(15e3) + 5.0

    def rate(blocks: int) -> float:
        sinr_db = level_dbm - 10 * log10(12 * blocks) - noise_dbm
        if sinr_db < -10.0:
            return 0.0
        return min(0.4 * log2(1 + 10 ** (sinr_db / 10)), 2.0) * blocks * 0.18 * 0.92

    best = max(rate(n) for n in range(1, 101))
    assert uplink_mbps(level_dbm, up) == pytest.approx(best, rel=1e-6, abs=1e-9)


def test_a_lowest_sinr_of_ones_own_uses_fewer_blocks():
    up = uplink_of("4G", 20, "FDD")
    wide, _ = uplink_allocation(-110.0, up)
    narrow, sinr = uplink_allocation(-110.0, up, lowest_sinr_db=0.0)
    assert narrow < wide
    assert sinr >= 0.0


def test_bands_are_those_of_3gpp():
    assert set(BANDS) >= {"n28", "n41", "n77", "n78", "B1", "B3", "B7", "B8", "B20", "B28"}
    for name, band in BANDS.items():
        assert band.technology == ("5G" if name.startswith("n") else "4G")
        for low, high in (band.uplink_mhz, band.downlink_mhz):
            assert low < high
        same = band.uplink_mhz == band.downlink_mhz
        assert same == (band.duplex == "TDD")
    # Duplex spacings of TS 36.101 Table 5.7.4-1 (default TX-RX separation): B1 190, B3 95, B7 120, B8 45, B28 55 MHz;
    # band 20 is the other way round, -41 MHz.
    spacing = {name: BANDS[name].downlink_mhz[0] - BANDS[name].uplink_mhz[0] for name in BANDS}
    assert [spacing[name] for name in ("B1", "B3", "B7", "B8", "B20", "B28")] == [190, 95, 120, 45, -41, 55]
    assert [duplex_of(band, mhz) for band, mhz in (("n41", 2593), ("B99", 900), ("n99", 4700))] == ["TDD", "FDD", "TDD"]


def test_reference_elements_of_two_ports_without_boost_lie_3_db_lower():
    assert rs_eirp_dbm(46.0, 100, 2.0, 17.5, -3.0) == pytest.approx(rs_eirp_dbm(46.0, 100, 2.0, 17.5) - 3.0)


def test_classes_of_qcvn_126_2021():
    down = [np.nan, 12.0, 29.9, 30.0, 250.0, 100.0, 400.0]
    up = [np.nan, 1.0, 40.0, 1.0, 29.9, 30.0, np.nan]
    expected = [NO_SIGNAL, BELOW, BELOW, ENOUGH, ENOUGH, FULL, NO_SIGNAL]
    assert classify(down, up, QCVN_126_2021).tolist() == expected


@pytest.mark.parametrize(
    ("down", "up", "weight", "met"),
    [
        ([100.0, 100.0], [30.0, 30.0], [1, 1], True),
        ([300.0, 20.0], [60.0, 60.0], [96, 4], True),  # means hold, 96% of the people reach 30 Mbps
        ([300.0, 20.0], [60.0, 60.0], [94, 6], False),  # 94% do not
        ([99.0, 99.0], [40.0, 40.0], [1, 1], False),
        ([200.0, 200.0], [40.0, 10.0], [1, 1], False),  # uploads 25 on the mean
        ([400.0, np.nan], [60.0, np.nan], [9, 1], False),  # no signal is 0 Mbps, and a tenth of the people
    ],
)
def test_verdict_over_an_area(down, up, weight, met):
    assert verdict(down, up, weight, QCVN_126_2021).met is met


def test_an_area_where_nobody_is_has_no_verdict():
    with pytest.raises(ValueOutOfRange, match="nobody"):
        verdict([100.0], [30.0], [0.0], QCVN_126_2021)


def test_a_direction_that_carries_nothing_is_refused():
    with pytest.raises(ValueOutOfRange, match="carries nothing"):
        downlink_of("4G", 20, "FDD", layers=0)
    with pytest.raises(ValueOutOfRange, match="carries nothing"):
        downlink_of("4G", 20, "FDD", layers=2, overhead=1.0)
