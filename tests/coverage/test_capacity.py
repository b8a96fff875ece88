"""Busy-hour load: people are conserved, and time is shared as bits ask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.capacity import carried_people, sector_load, shared_people
from phusong.coverage.errors import ValueOutOfRange


def test_capacity_is_the_harmonic_mean_over_people():
    # 30 people at 90 Mbps and 10 at 10 Mbps: 40 / (30/90 + 10/10) = 30 Mbps, not the mean of 70.
    load = sector_load(np.zeros(2, np.int32), np.array([30.0, 10.0]), np.array([90.0, 10.0]), 1, 0.375)
    assert load.capacity_mbps == pytest.approx([30.0])
    assert load.demand_mbps == pytest.approx([15.0])
    assert load.utilisation == pytest.approx([0.5])


def test_sectors_without_people_and_people_without_speed():
    server = np.array([0, 0, 2, -1], np.int32)
    people = np.array([5.0, 7.0, 3.0, 11.0])
    rate = np.array([10.0, 0.0, np.nan, np.nan])
    load = sector_load(server, people, rate, 4, 0.1)
    assert load.people.tolist() == [12.0, 0.0, 3.0, 0.0]
    assert load.slow_people.tolist() == [7.0, 0.0, 3.0, 0.0]
    assert load.demand_mbps == pytest.approx([0.5, 0, 0, 0])
    assert load.utilisation == pytest.approx([0.05, 0, 0, 0])
    assert np.isnan(load.capacity_mbps).tolist() == [False, True, True, True]


def test_people_of_an_overloaded_sector_are_not_carried():
    server = np.array([0, 1, 1, -1], np.int32)
    people, rate = np.array([4.0, 6.0, 2.0, 9.0]), np.array([10.0, 10.0, 0.0, np.nan])
    carried = carried_people(server, people, rate, np.array([0.7, 0.2]), 0.7)
    assert carried.tolist() == [4.0, 6.0, 0.0, 0.0]
    assert carried_people(server, people, rate, np.array([0.71, 0.2]), 0.7).tolist() == [0.0, 6.0, 0.0, 0.0]


def test_a_layer_that_stands_alone_has_everyone():
    attached = np.array([[True, True, False, False], [True, False, True, False]])
    shared = shared_people([10.0, 10.0, 10.0, 10.0], attached, [3.0, 1.0])
    assert shared.tolist() == [[7.5, 10.0, 0.0, 0.0], [2.5, 0.0, 10.0, 0.0]]


@st.composite
def networks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    layers, cells = draw(st.integers(1, 4)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    server = rng.integers(-1, 6, (layers, cells)).astype(np.int32)
    rate = np.where(server >= 0, rng.uniform(0.5, 300.0, server.shape), np.nan)
    return server, rate, rng.integers(0, 200, cells).astype(np.float64), rng.uniform(0.1, 1.0, layers)


@given(networks(), st.floats(0.001, 2.0))
def test_people_and_demand_are_conserved(network, mbps_per_person):
    server, rate, people, weight = network
    using = shared_people(people, server >= 0, weight)
    reached = people[(server >= 0).any(axis=0)].sum()
    load = sector_load(server, using, rate, 6, mbps_per_person)
    assert using.sum() == pytest.approx(reached)
    assert load.people.sum() == pytest.approx(reached)
    assert load.demand_mbps.sum() == pytest.approx(reached * mbps_per_person)
    asked = load.people > 0
    # Between the slowest and the fastest of its people.
    for sector in np.flatnonzero(asked):
        mine = rate[(server == sector) & (using > 0)]
        assert mine.min() * (1 - 1e-9) <= load.capacity_mbps[sector] <= mine.max() * (1 + 1e-9)
    np.testing.assert_allclose(load.utilisation[asked], (load.demand_mbps / load.capacity_mbps)[asked])
    carried = carried_people(server, using, rate, load.utilisation, 0.7)
    assert (carried <= using).all()
    assert carried.sum() == pytest.approx(load.people[load.utilisation <= 0.7].sum())


@given(networks())
def test_more_demand_or_slower_signals_never_lower_utilisation(network):
    server, rate, people, weight = network
    using = shared_people(people, server >= 0, weight)
    before = sector_load(server, using, rate, 6, 0.1).utilisation
    assert (sector_load(server, using, rate, 6, 0.2).utilisation >= before).all()
    assert (sector_load(server, using, rate / 2, 6, 0.1).utilisation >= before).all()


def test_what_is_refused():
    server, people, rate = np.zeros(2, np.int32), np.ones(2), np.ones(2)
    with pytest.raises(ValueOutOfRange, match="do not fit"):
        sector_load(server, people[:1], rate, 1, 0.1)
    with pytest.raises(ValueOutOfRange, match="do not fit"):
        sector_load(server, people, rate, 0, 0.1)
    with pytest.raises(ValueOutOfRange, match="mbps_per_person"):
        sector_load(server, people, rate, 1, np.nan)
    for weight in ([1.0], [1.0, 0.0]):
        with pytest.raises(ValueOutOfRange, match="shares"):
            shared_people(people, np.ones((2, 2), bool), weight)
