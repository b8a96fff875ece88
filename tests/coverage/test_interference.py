"""SINR against budgets done by hand, and against a sum of single sectors."""

from __future__ import annotations

from math import log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.interference import cochannel_groups, noise_dbm_per_re, sinr_db, sinr_map
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at, signal_map
from phusong.coverage.terrain import Terrain

NOISE_DBM = -123.24


def test_noise_of_one_resource_element():
    # -174 dBm/Hz, 15 kHz = 41.76 dB Hz, 30 kHz = 44.77; phone 9 dB, base station 5 dB.
    assert noise_dbm_per_re(15) == pytest.approx(-174 + 41.76 + 9, abs=0.005)
    assert noise_dbm_per_re(30) == pytest.approx(-174 + 44.77 + 9, abs=0.005)
    assert noise_dbm_per_re(15, 5.0) == pytest.approx(-127.24, abs=0.005)
    with pytest.raises(ValueOutOfRange, match="subcarrier_khz = 0"):
        noise_dbm_per_re(0.0)


def test_sinr_by_hand():
    # Server -90 dBm = 1e-9 mW, others -96 and -100 dBm = 2.512e-10 + 1e-10 mW, noise -123.24 dBm = 4.742e-13 mW.
    total = 1e-9 + 2.512e-10 + 1e-10
    assert sinr_db(-90.0, total, 1.0, NOISE_DBM) == pytest.approx(10 * log10(1e-9 / 3.51674e-10), abs=1e-3)
    assert sinr_db(-90.0, total, 0.5, NOISE_DBM) == pytest.approx(10 * log10(1e-9 / 1.76074e-10), abs=1e-3)
    # Silent neighbours leave level less noise.
    assert sinr_db(-90.0, total, 0.0, NOISE_DBM) == pytest.approx(33.24, abs=1e-9)
    # A house of 15 dB leaves interference-limited places as they are, and takes 15 dB where noise rules.
    assert sinr_db(-90.0, total, 1.0, NOISE_DBM, extra_loss_db=15.0) == pytest.approx(4.363, abs=1e-3)
    assert sinr_db(-90.0, total, 0.0, NOISE_DBM, extra_loss_db=15.0) == pytest.approx(18.24, abs=1e-9)
    assert sinr_db(-90.0, total, 0.0, NOISE_DBM, beam_gain_db=4.5) == pytest.approx(37.74, abs=1e-9)


def test_a_sum_rounded_below_its_own_part_is_no_negative_interference():
    assert sinr_db(-90.0, 0.9e-9, 1.0, NOISE_DBM) == pytest.approx(33.24, abs=1e-9)


def test_no_server_no_sinr():
    assert np.isnan(sinr_db([np.nan, -90.0], 1e-9, 1.0, NOISE_DBM)).tolist() == [True, False]


LEVEL = st.floats(-125.0, -50.0)


@given(own=LEVEL, other=LEVEL, load=st.floats(0.0, 1.0), more=st.floats(0.0, 1.0), loss_db=st.floats(0.0, 40.0))
def test_sinr_falls_with_load_and_loss_and_rises_with_level(own, other, load, more, loss_db):
    def sinr(level: float, load: float, loss_db: float = 0.0) -> float:
        total = 10 ** (level / 10) + 10 ** (other / 10)
        return float(sinr_db(level, total, load, NOISE_DBM, extra_loss_db=loss_db))

    low, high = sorted((load, more))
    hair = 1e-9
    assert sinr(own, high) <= sinr(own, low) + hair
    assert sinr(own, load, loss_db) <= sinr(own, load) + hair
    assert sinr(own + 1.0, load) >= sinr(own, load) - hair


def test_sectors_share_a_channel_when_layer_and_frequency_are_the_same():
    channel, count = cochannel_groups([0, 0, 1, 0, 1], [1842.5, 942.5, 1842.5, 1842.54, 1842.5])
    assert count == 3
    assert channel.dtype == np.int32
    assert channel[0] == channel[3]  # 40 kHz apart is a different spelling of one channel
    assert channel[2] == channel[4]
    assert len({channel[0], channel[1], channel[2]}) == 3
    assert cochannel_groups([], [])[1] == 0


@pytest.fixture(scope="module")
def network() -> tuple[Terrain, np.ndarray, Sectors]:
    """Four sites of three sectors on hills; two operators, one of them on two frequencies."""
    row, col = np.mgrid[0:36, 0:40]
    terrain = Terrain((60 * np.sin(row / 5.0) * np.cos(col / 7.0) + 100).astype(np.float32), 90.0)
    site_rc = np.array([[8.0, 8.0], [8.0, 30.0], [28.0, 10.0], [27.0, 31.0]])
    count = 12
    location = np.repeat(np.arange(4), 3)
    sectors = Sectors(
        location=location.astype(np.int32),
        height_m=np.full(count, 35.0),
        frequency_mhz=np.where(location == 3, 942.5, 1842.5),
        azimuth_deg=np.tile([0.0, 120.0, 240.0], 4),
        downtilt_deg=np.full(count, 4.0),
        horizontal_beamwidth_deg=np.full(count, 65.0),
        vertical_beamwidth_deg=np.full(count, 10.0),
        rs_eirp_dbm=np.full(count, 30.0),
        layer=(location == 2).astype(np.int32),
    )
    return terrain, site_rc, sectors


def test_sinr_of_a_network_is_that_of_its_sectors_one_by_one(network):
    terrain, site_rc, sectors = network
    heard = {"rx_height_m": 1.5, "range_m": 5000.0, "threads": 1}
    cells = np.argwhere(np.ones(terrain.height_m.shape, bool))
    alone = np.empty((len(sectors), len(cells)))
    for s in range(len(sectors)):
        one = Sectors(**{name: getattr(sectors, name)[s : s + 1] for name in Sectors.__dataclass_fields__})
        alone[s] = signal_at(terrain, site_rc, one, 2, cells, **heard)[0][sectors.layer[s]]
    channel, count = cochannel_groups(sectors.layer, sectors.frequency_mhz)
    milliwatt = np.nan_to_num(10 ** (alone / 10))
    power = np.stack([milliwatt[channel == k].sum(axis=0) for k in range(count)])
    best, server = signal_at(terrain, site_rc, sectors, 2, cells, **heard)
    sinr = sinr_map(best, server, power, channel, load=0.6, noise_dbm_per_re=NOISE_DBM)

    noise = 10 ** (NOISE_DBM / 10)
    checked = 0
    for layer in range(2):
        for j in range(0, len(cells), 17):
            s = server[layer, j]
            if s < 0:
                assert np.isnan(sinr[layer, j])
                continue
            others = sum(
                milliwatt[other, j] for other in range(len(sectors)) if other != s and channel[other] == channel[s]
            )
            expected = 10 * log10(milliwatt[s, j] / (0.6 * others + noise))
            assert sinr[layer, j] == pytest.approx(expected, abs=1e-4)
            checked += 1
    assert checked > 100

    # The same on rasters, with a load and a noise of each channel and sector.
    mapped = signal_map(terrain, site_rc, sectors, 2, **heard)
    raster = sinr_map(
        mapped.rsrp_dbm, mapped.server, power.reshape(count, *terrain.height_m.shape), channel,
        load=[0.6] * count, noise_dbm_per_re=[NOISE_DBM] * len(sectors),
    )  # fmt: skip
    assert raster.shape == (2, *terrain.height_m.shape)
    np.testing.assert_allclose(raster.reshape(2, -1), sinr, atol=1e-3)


def test_what_the_sinr_map_refuses(network):
    server = np.zeros((1, 5), np.int32)
    level = np.full((1, 5), -90.0)
    power, channel = np.full((1, 5), 1e-9), np.zeros(1, np.int32)
    good = {"load": 0.5, "noise_dbm_per_re": NOISE_DBM}
    assert sinr_map(level, server, power, channel, **good).shape == (1, 5)
    for wrong in (
        (level[:, :4], server, power, channel),
        (level, server, power[:, :4], channel),
        (level, server + 1, power, channel),
        (level, server, power, channel + 1),
    ):
        with pytest.raises(ValueOutOfRange, match="do not fit"):
            sinr_map(*wrong, **good)
    for load in (-0.1, 1.5, np.nan):
        with pytest.raises(ValueOutOfRange, match="load"):
            sinr_db(-90.0, 1e-9, load, NOISE_DBM)


def test_an_area_without_sectors():
    empty = sinr_map(
        np.full((1, 3), np.nan), np.full((1, 3), -1, np.int32), np.empty((0, 3)), np.empty(0, np.int32),
        load=0.5, noise_dbm_per_re=NOISE_DBM,
    )  # fmt: skip
    assert np.isnan(empty).all()
