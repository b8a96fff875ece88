"""Busy hour and speeds of the made-up area: who is reached by the signal, and whom the sectors can carry."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from phusong.coverage.capacity import SectorLoad
from phusong.coverage.link import BANDS, duplex_of
from phusong.coverage.sweep import SignalMap
from phusong.data_sources.antenna_files import read_antenna
from phusong.scenarios.area_signal import merged_signal
from phusong.scenarios.baseline import Baseline
from phusong.scenarios.capacity import (
    ENOUGH,
    NO_SIGNAL,
    SHORT,
    Capacity,
    CapacityTables,
    capacity_of,
    station_utilisation,
)
from phusong.scenarios.radio import default_carriers, existing_network
from phusong.scenarios.throughput import Throughput, candidate_radio, rates_of, standing_radio

spec = importlib.util.spec_from_file_location("small_area", Path(__file__).with_name("small_area.py"))
area = importlib.util.module_from_spec(spec)
spec.loader.exec_module(area)

SCENARIO = area.scenario()
CROWD = (40, 12, 8000.0)  # beside "west", in front of both sites


def tables_of(baseline: Baseline, settings: Capacity | None = None, **more: object) -> CapacityTables:
    frame = baseline.part.layers.sectors
    return capacity_of(
        baseline.part, baseline.demand, baseline.network.layers, baseline.signal.rsrp_dbm, baseline.signal.server,
        standing_radio(frame, baseline.network, SCENARIO.radio), radio=SCENARIO.radio, service=SCENARIO.service,
        throughput=Throughput(), settings=settings or Capacity(), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def quiet() -> Baseline:
    return area.baseline_of(area.part(), SCENARIO)


@pytest.fixture(scope="module")
def crowded() -> Baseline:
    return area.baseline_of(area.part(extra_people=(CROWD,)), SCENARIO)


def test_busy_hour_demand_by_hand():
    # 10 GB a month is 2.667 million kbit a day; 8% of it in 3600 s is 59.26 kbit/s a user, three in five use it.
    assert Capacity().mbps_per_person == pytest.approx(0.6 * 0.05926, abs=1e-5)
    assert Capacity(busy_hour_kbps_per_user=200.0, users_share=0.5).mbps_per_person == pytest.approx(0.1)


def test_customers_by_operator_and_technology():
    layers = (("A", "4G"), ("A", "5G"), ("B", "4G"), ("C", "4G"))
    equal = Capacity(technology_share={"4G": 0.6, "5G": 0.4}).layer_weights(layers)
    assert equal == pytest.approx([0.6, 0.4, 0.6, 0.6])
    named = Capacity(operator_share={"A": 0.6, "B": 0.2}).layer_weights(layers)
    assert named == pytest.approx([0.42, 0.18, 0.14, 0.28])  # C is not named: the mean, 0.4


def test_a_crowd_is_served_by_signal_but_not_by_capacity(quiet: Baseline, crowded: Baseline):
    calm, busy = tables_of(quiet), tables_of(crowded)
    west_calm = calm.hamlets.set_index("hamlet_id").loc["west"]
    west_busy = busy.hamlets.set_index("hamlet_id").loc["west"]
    assert (west_calm["capacity"], west_busy["capacity"]) == (ENOUGH, SHORT)
    assert west_calm["people_carried"] == pytest.approx(west_calm["people_served"])
    assert west_busy["people_served"] == west_busy["people"] == west_calm["people"] + CROWD[2]
    assert west_busy["people_carried"] < 0.6 * west_busy["people_served"]
    assert west_busy["busiest_site"] in ("A", "B")
    assert set(busy.hamlets["capacity"][busy.hamlets["people_served"] == 0]) == {NO_SIGNAL}
    # The crowd fills sectors that stood idle, and a higher limit takes it again.
    assert not calm.sectors["overloaded"].any()
    assert busy.sectors["overloaded"].any()
    few = Capacity(busy_hour_kbps_per_user=1.0)
    assert set(tables_of(crowded, few).hamlets["capacity"]) == {ENOUGH, NO_SIGNAL}


def test_people_and_demand_add_up(crowded: Baseline):
    tables = tables_of(crowded)
    signal, people = crowded.signal.rsrp_dbm, crowded.part.people
    with np.errstate(invalid="ignore"):
        attached = (signal >= SCENARIO.radio.min_rsrp_dbm["4G"]).any(axis=0)
    assert tables.sectors["people"].sum() == pytest.approx(people[attached].sum())
    assert tables.sites["people"].sum() == pytest.approx(tables.sectors["people"].sum())
    assert tables.sites["demand_mbps"].sum() == pytest.approx(people[attached].sum() * Capacity().mbps_per_person)
    assert tables.hamlets["people"].sum() == pytest.approx(people.sum())
    assert tables.sites["overloaded_sectors"].sum() == tables.sectors["overloaded"].sum()


def test_an_area_without_sites_has_no_signal_and_no_load():
    tables = tables_of(area.baseline_of(area.part(sectors=()), SCENARIO))
    assert tables.sectors.empty
    assert tables.sites.empty
    assert tables.speeds.empty
    assert set(tables.hamlets["capacity"]) == {NO_SIGNAL}
    assert tables.hamlets["people"].sum() > 0
    assert tables.hamlets["busiest_site"].isna().all()


def test_removed_sectors_leave_the_tables(crowded: Baseline):
    tables = tables_of(crowded, removed=np.array([1, 4]))
    assert tables.sectors["sector"].tolist() == [0, 2, 3]
    assert tables.sites["sectors"].tolist() == [2, 1]


def test_interference_of_the_channel_lowers_the_speeds(quiet: Baseline):
    of = standing_radio(quiet.part.layers.sectors, quiet.network, SCENARIO.radio)
    cells = tuple(quiet.demand.cell_rc.T)
    rsrp = quiet.signal.rsrp_dbm[(slice(None), *cells)]
    server = np.ascontiguousarray(quiet.signal.server[(slice(None), *cells)])
    heard = server >= 0
    assert len(set(of.channels())) == 2  # two operators on one band

    def rates(power: np.ndarray | None, margin_db: float = 0.0, **settings: float):
        return rates_of(
            rsrp, server, of, Throughput(**settings), channel_power_mw=power, interference_margin_db=margin_db
        )

    own = np.zeros((2, rsrp.shape[1]))
    for layer, channel in enumerate((of.channels()[of.layer == 0][0], of.channels()[of.layer == 1][0])):
        own[channel] = np.nan_to_num(10.0 ** (rsrp[layer].astype(np.float64) / 10.0))
    alone, margin, twice = rates(own), rates(None, 3.0), rates(2.0 * own)
    np.testing.assert_allclose((alone.sinr_db - margin.sinr_db)[heard], 3.0, atol=1e-3)
    # One neighbour as strong as the server, half of its elements in use: SINR 3 dB where noise is far below.
    strong = heard & (rsrp > -90.0)
    assert strong.any()
    np.testing.assert_allclose(twice.sinr_db[strong], 3.01, atol=0.05)
    assert (twice.download_mbps <= alone.download_mbps)[heard].all()
    np.testing.assert_array_equal(twice.upload_mbps[heard], alone.upload_mbps[heard])
    indoors = rates(own, extra_loss_db=20.0)
    assert (indoors.upload_mbps <= alone.upload_mbps)[heard].all()
    assert np.isnan(alone.download_mbps[~heard]).all()


def test_speeds_of_hamlets_against_the_norm(quiet: Baseline):
    speeds = tables_of(quiet).speeds
    west = speeds.set_index(["hamlet_id", "technology"]).loc[("west", "4G")]
    assert west["met"]
    assert west["least_share"] == 1.0
    assert 10.0 < west["download_mbps"] < 150.0
    assert set(speeds["source"]) == {"assumption"}
    assert "QCVN 126:2021" in Throughput().norms["5G"].source


def test_the_phone_hears_further_than_it_is_heard(quiet: Baseline):
    """A calibrated offset moves the level, not the power: the loss that the uplink sees is the measured one."""
    of = standing_radio(quiet.part.layers.sectors, quiet.network, SCENARIO.radio)
    server = np.zeros((1, 1), np.int32)

    def upload(rsrp_dbm: float, offset_db: float) -> float:
        changed = type(of)(
            **{name: getattr(of, name) for name in of.__dataclass_fields__}
            | {"model_offset_db": of.model_offset_db + offset_db, "rs_eirp_dbm": of.rs_eirp_dbm + offset_db}
        )
        level = np.full((1, 1), rsrp_dbm)
        rates = rates_of(level, server, changed, Throughput(), channel_power_mw=None, interference_margin_db=3.0)
        return float(rates.upload_mbps[0, 0])

    assert upload(-110.0, 6.0) == pytest.approx(upload(-110.0, 0.0))
    assert upload(-116.0, 0.0) < upload(-110.0, 0.0)


def test_a_sector_listens_with_the_gain_it_sends_with(quiet: Baseline, tmp_path: Path):
    frame = quiet.part.layers.sectors.copy()
    frame.loc[0, ["antenna_gain_dbi", "bandwidth_mhz", "tx_power_dbm"]] = 21.0, 10.0, 43.0
    frame.loc[1, ["antenna", "feeder_loss_db"]] = "seen", 0.5
    cut = "\n".join(f"{angle} {min(0.01 * min(angle, 360 - angle) ** 2, 30.0):.2f}" for angle in range(360))
    file = tmp_path / "seen.msi"
    file.write_text(f"NAME seen\nFREQUENCY 1850\nGAIN 19 dBi\nHORIZONTAL 360\n{cut}\nVERTICAL 360\n{cut}\n")
    network, _ = existing_network(frame, quiet.part.box, SCENARIO.radio, [read_antenna(file)])
    of = standing_radio(frame, network, SCENARIO.radio)
    np.testing.assert_allclose(of.receive_gain_dbi, [21.0, 19.0, 17.5, 17.5, 17.5], atol=1e-9)


def test_added_sectors_follow_the_standing_ones(quiet: Baseline):
    standing = standing_radio(quiet.part.layers.sectors, quiet.network, SCENARIO.radio)
    candidates = area.candidates_of(quiet, SCENARIO)
    new = np.flatnonzero((candidates.options["kind"] == "new-site").to_numpy()[candidates.sector_option])
    added = candidate_radio(candidates, SCENARIO.radio, new)
    both = standing.followed_by(added)
    assert len(both) == len(standing) + len(added)
    assert both.band[len(standing) :] == added.band
    # The carrier's gain less the feeder, whichever option: 17.5 - 2 at 1.8 GHz, 15 - 2 below 1 GHz.
    expected = np.where(np.array(added.band) == "B28", 13.0, 15.5)
    np.testing.assert_allclose(added.receive_gain_dbi, expected, atol=1e-9)


def test_merging_two_sets_of_sectors():
    nan = np.nan
    first = SignalMap(np.array([[-80.0, -90.0, nan, nan, -70.0]], np.float32), np.array([[0, 1, -1, -1, 1]], np.int32))
    second = SignalMap(
        np.array([[-85.0, -70.0, -99.0, nan, -70.0]], np.float32), np.array([[0, 0, 1, -1, 0]], np.int32)
    )
    merged = merged_signal(first, second, 5)
    assert merged.server.tolist() == [[0, 5, 6, -1, 1]]
    np.testing.assert_array_equal(merged.rsrp_dbm, np.array([[-80.0, -70.0, -99.0, nan, -70.0]], np.float32))
    assert merged.server.dtype == np.int32


def test_built_in_carriers_lie_in_their_bands():
    for name, carrier in default_carriers().items():
        low, high = BANDS[name].downlink_mhz
        assert low <= carrier.frequency_mhz - carrier.bandwidth_mhz / 2
        assert carrier.frequency_mhz + carrier.bandwidth_mhz / 2 <= high
        assert BANDS[name].technology == carrier.technology
    assert duplex_of("n78", 0.0) == "TDD"


def test_faults_of_the_sections():
    with pytest.raises(ValidationError, match="DDDSU"):
        Throughput(tdd_frame="DDD")
    with pytest.raises(ValidationError):
        Capacity(users_share=0.0)


def test_carriers_and_sectors_of_a_station_share_its_load():
    frame = area.part(
        sectors=[area.sector("A", 0.0, "Viettel"), area.sector("A", 120.0, "Viettel"), area.sector("B", 0.0, "Viettel")]
    )
    baseline = area.baseline_of(frame, SCENARIO)
    of = standing_radio(frame.layers.sectors, baseline.network, SCENARIO.radio)
    figures = [9.0, 0, 5], [0.0, 0, 0], [30.0, 10, 5], [20.0, 60, 10], [1.5, 1 / 6, 0.5]
    load = SectorLoad(*map(np.array, figures))
    assert station_utilisation(of, load) == pytest.approx([0.5, 0.5, 0.5])
    nobody = SectorLoad(*map(np.array, ([0.0] * 3, [0.0] * 3, [0.0] * 3, [np.nan] * 3, [0.0] * 3)))
    assert station_utilisation(of, nobody) == pytest.approx([0.0] * 3)
