"""Service cells of a constellation, sharing of channels between them, rates, saturation, hamlets served together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from math import cos, pi

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from phusong.coverage.errors import CoverageError
from phusong.coverage.satellite.capacity import (
    Carriers,
    Fleet,
    Offer,
    beams_over,
    cell_capacity,
    exceeded_elevation_deg,
    footprint_km2,
)
from phusong.coverage.satellite.link import SpaceLink
from phusong.coverage.satellite.modcods import DVB_S2X, Modcods
from phusong.coverage.satellite.served_together import (
    CELL_FULL,
    LICENCE_FULL,
    NO_CELL,
    NOT_NAMED,
    SERVED,
    served_together,
)
from phusong.coverage.satellite.service_cells import ServiceCells, service_cells
from phusong.coverage.satellite.sharing import conflict_groups, max_min_share

Floats = NDArray[np.float64]
# Weights, ceilings, groups, their limit, the limit of all, cost, its limit.
Patch = tuple[Floats, Floats, NDArray[np.int32], float, float, Floats, float]

# One scheme of 2 bit/symbol that any ratio above -100 dB carries: rates can then be reckoned by hand.
TWO_BITS = Modcods(("two bits",), np.array([2.0]), np.array([-100.0]), "a test")
LINK = SpaceLink(
    frequency_ghz=12.0,
    bandwidth_mhz=240.0,
    eirp_dbw=37.0,
    gain_over_noise_db_k=9.0,
    system_noise_k=200.0,
    altitude_km=550.0,
)
DOWN = Carriers(link=LINK, channels=8, channel_mhz=240.0, modcods=TWO_BITS, beams_per_satellite=1e5, overhead=0.0)
UP = replace(DOWN, channel_mhz=62.5)
OFFER = Offer(down_mbps=100.0, up_mbps=20.0, contention=20.0)
PLENTY = Fleet(in_view=1000.0, altitude_km=550.0)


def hexagons(households: list[float], centre: tuple[float, float] = (21.4, 105.6)) -> ServiceCells:
    """The first so many of a middle hexagon and the rings around it, with these households."""
    cells = sorted(int(cell, 16) for cell in h3.grid_disk(h3.latlng_to_cell(*centre, 5), 3))[: len(households)]
    places = np.array([h3.cell_to_latlng(h3.int_to_str(cell)) for cell in cells])
    return service_cells(places[:, :1], places[:, 1:], np.array(households)[:, None], household_size=1.0)


def raster(rows: int, cols: int, step_deg: float) -> tuple[Floats, Floats]:
    lat, lon = 22.0 - step_deg * np.arange(rows), 104.0 + step_deg * np.arange(cols)
    return np.repeat(lat[:, None], cols, axis=1), np.repeat(lon[None, :], rows, axis=0)


# Service cells


def test_households_are_conserved() -> None:
    lat, lon = raster(300, 400, 0.003)
    rng = np.random.default_rng(3)
    people = np.where(rng.random(lat.shape) < 0.3, rng.exponential(20.0, lat.shape), 0.0)
    people[:5, :7] = np.nan
    cells = service_cells(lat, lon, people, household_size=3.6)
    assert cells.households.sum() == pytest.approx(np.nansum(people) / 3.6, rel=1e-12)
    assert cells.unknown_cells == 35
    assert (cells.of_cell >= 0).all()
    assert (np.diff(cells.index.astype(object)) > 0).all()
    assert cells.area_km2 == pytest.approx(280.0, rel=0.05)


def test_a_raster_cell_lies_in_its_hexagon() -> None:
    lat, lon = raster(40, 50, 0.02)
    cells = service_cells(lat, lon, np.ones(lat.shape), household_size=1.0)
    for row, col in [(0, 0), (13, 44), (39, 49)]:
        assert h3.int_to_str(int(cells.index[cells.of_cell[row, col]])) == h3.latlng_to_cell(
            lat[row, col], lon[row, col], 5
        )
    assert (cells.at(lat, lon) == cells.of_cell).all()
    assert cells.at([50.0, np.nan, lat[3, 4]], [10.0, 105.0, lon[3, 4]]).tolist() == [-1, -1, cells.of_cell[3, 4]]


def test_neighbours_share_a_side() -> None:
    cells = hexagons([1.0] * 37)
    names = [h3.int_to_str(int(cell)) for cell in cells.index]
    expected = [(a, b) for a, b in combinations(range(37), 2) if h3.are_neighbor_cells(names[a], names[b])]
    assert [tuple(pair) for pair in cells.neighbours.tolist()] == expected
    # A disk of radius 3: 90 sides, 54 triangles, and no side outside a triangle.
    groups = conflict_groups(37, cells.neighbours)
    assert (len(expected), len(groups)) == (90, 54)


def test_hexagons_inside_the_raster_are_no_edge() -> None:
    lat, lon = raster(200, 200, 0.005)
    cells = service_cells(lat, lon, np.ones(lat.shape), household_size=1.0)
    share_inside = np.bincount(cells.of_cell.ravel()) * (0.005 * 111.2) ** 2 * np.cos(np.radians(21.5))
    assert (share_inside[~cells.edge] / cells.area_km2[~cells.edge] > 0.98).all()
    assert 0 < cells.edge.sum() < len(cells)
    hole = lat.copy()
    hole[100, 100] = np.nan
    assert service_cells(hole, lon, np.zeros(lat.shape), household_size=1.0).edge[cells.of_cell[100, 101]]


def test_values_go_to_hexagons_and_back() -> None:
    lat, lon = raster(30, 30, 0.02)
    lat[0, 0] = np.nan
    people = np.where(np.isnan(lat), np.nan, 1.0)
    cells = service_cells(lat, lon, people, household_size=1.0)
    assert cells.of_cell[0, 0] == -1
    back = cells.spread(np.arange(len(cells)))
    assert np.isnan(back[0, 0])
    assert cells.mean(back) == pytest.approx(np.arange(len(cells)))
    back[cells.of_cell == 2] = np.nan
    assert np.isnan(cells.mean(back)[2])


def test_a_million_raster_cells_take_seconds() -> None:
    lat, lon = raster(1000, 1000, 0.0008)
    start = time.process_time()
    cells = service_cells(lat, lon, np.ones(lat.shape), household_size=4.0)
    assert time.process_time() - start < 10.0
    assert cells.households.sum() == pytest.approx(250_000.0)


def test_an_area_without_a_place_has_no_service_cell() -> None:
    nowhere = np.full((2, 3), np.nan)
    cells = service_cells(nowhere, nowhere, nowhere, household_size=4.0)
    assert len(cells) == 0
    assert cells.at([21.0], [105.0]).tolist() == [-1]
    found = cell_capacity(cells, DOWN, UP, OFFER, PLENTY, 50.0)
    assert found.most_terminals.size == 0
    assert np.isnan(cells.spread([])).all()


# Sharing


def by_linear_programmes(
    weight: Floats,
    most: Floats,
    groups: NDArray[np.int32],
    limit: float,
    together: float,
    cost: Floats,
    most_cost: float,
) -> Floats:
    """Max-min fair shares by their definition: raise the least level with everyone else free, fix who cannot rise."""
    count = weight.size
    rows = np.zeros((len(groups) + 2, count))
    for row, group in enumerate(groups):
        rows[row, group[group >= 0]] = 1.0
    rows[-2], rows[-1] = 1.0, cost
    room = np.append(np.full(len(groups), limit), [together, most_cost])
    fixed: dict[int, float] = {i: 0.0 for i in range(count) if weight[i] == 0.0 or most[i] == 0.0}

    def best(gain: Floats, least: float) -> float:
        """Highest value of gain over (shares, level), where all not fixed have at least the level."""
        free = [i for i in range(count) if i not in fixed]
        above = np.zeros((len(free), count + 1))
        above[np.arange(len(free)), free] = -1.0
        above[:, -1] = weight[free]
        bounds = [(fixed[i], fixed[i]) if i in fixed else (0.0, most[i]) for i in range(count)] + [(least, None)]
        found = linprog(
            -gain,
            A_ub=np.vstack([np.hstack([rows, np.zeros((len(rows), 1))]), above]),
            b_ub=np.append(room, np.zeros(len(free))),
            bounds=bounds,
        )
        assert found.status == 0
        return -found.fun

    while len(fixed) < count:
        level = best(np.eye(count + 1)[-1], 0.0)
        for i in [i for i in range(count) if i not in fixed]:
            if best(np.eye(count + 1)[i], level * (1.0 - 1e-9)) <= weight[i] * level * (1.0 + 1e-6) + 1e-9:
                fixed[i] = weight[i] * level
    return np.array([fixed[i] for i in range(count)])


@st.composite
def patches(draw: st.DrawFn) -> Patch:
    size = draw(st.integers(1, 9))
    whole = h3.grid_disk(h3.latlng_to_cell(21.0, 105.0, 5), 1 if size <= 7 else 2)
    names = sorted(draw(st.permutations(sorted(whole)))[:size])
    pairs = [(a, b) for a, b in combinations(range(size), 2) if h3.are_neighbor_cells(names[a], names[b])]
    groups = conflict_groups(size, np.array(pairs, np.int32).reshape(-1, 2))
    numbers = st.integers(0, 12).map(float)
    weight = np.array(draw(st.lists(numbers, min_size=size, max_size=size)))
    most = np.array(draw(st.lists(numbers, min_size=size, max_size=size)))
    limit, together = draw(st.sampled_from([1.0, 4.0, 8.0])), draw(st.sampled_from([3.0, 10.0, 100.0]))
    cost = np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=size, max_size=size)))
    return weight, most, groups, limit, together, cost, draw(st.sampled_from([2.0, 15.0, 500.0]))


def share_of(patch: Patch) -> Floats:
    return max_min_share(*patch[:5], cost=patch[5], cost_limit=patch[6])


@settings(deadline=None, max_examples=60)
@given(patches())
def test_shares_are_fair_as_linear_programmes_define_it(patch: Patch) -> None:
    assert share_of(patch) == pytest.approx(by_linear_programmes(*patch), abs=1e-5)


@settings(deadline=None)
@given(patches())
def test_every_share_ends_at_a_limit_where_nobody_has_more(patch: Patch) -> None:
    weight, most, groups, limit, together, cost, most_cost = patch
    share = share_of(patch)
    assert (share <= most).all()
    assert share.sum() <= together * (1.0 + 1e-9)
    assert share @ cost <= most_cost * (1.0 + 1e-9)
    level = np.divide(share, weight, out=np.zeros(share.size), where=weight > 0.0)
    members = [group[group >= 0] for group in groups]
    assert all(share[group].sum() <= limit * (1.0 + 1e-9) for group in members)
    for i in np.flatnonzero(weight > 0.0):
        ends = [share[i] >= most[i] * (1.0 - 1e-9)]
        for group, room in [*((group, limit) for group in members if i in group), (np.arange(share.size), together)]:
            ends.append(share[group].sum() >= room * (1.0 - 1e-9) and level[i] >= level[group].max() * (1.0 - 1e-9))
        payers = cost > 0.0
        full = bool(payers[i]) and share @ cost >= most_cost * (1.0 - 1e-9)
        ends.append(full and level[i] >= level[payers].max() * (1.0 - 1e-9))
        assert any(ends)


def test_three_neighbours_share_by_their_weights() -> None:
    groups = np.array([[0, 1, 2]], np.int32)
    assert max_min_share([1.0, 1.0, 2.0], 8.0, groups, 8.0) == pytest.approx([2.0, 2.0, 4.0])
    # The third stops at 1, what it leaves goes to the others.
    assert max_min_share([1.0, 1.0, 2.0], [8.0, 8.0, 1.0], groups, 8.0) == pytest.approx([3.5, 3.5, 1.0])
    assert max_min_share([1.0, 1.0, 2.0], 8.0, groups, 8.0, together=4.0) == pytest.approx([1.0, 1.0, 2.0])
    assert max_min_share([0.0, 0.0, 2.0], 8.0, groups, 8.0) == pytest.approx([0.0, 0.0, 8.0])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=19, max_size=19))
def test_three_quarters_of_the_channels_always_have_a_schedule(weights: list[int]) -> None:
    """Fractional colouring over independent sets of a disk of 19 cells, against the heaviest group."""
    names = sorted(h3.grid_disk(h3.latlng_to_cell(16.0, 108.0, 5), 2))
    beside = np.array([[h3.are_neighbor_cells(a, b) for b in names] for a in names])
    pairs = np.argwhere(np.triu(beside)).astype(np.int32)
    share = max_min_share(np.array(weights, float), 6.0, conflict_groups(19, pairs), 6.0)
    sets: list[tuple[int, ...]] = [()]
    for cell in range(19):
        sets += [(*some, cell) for some in sets if not beside[cell, list(some)].any()]
    rows = np.zeros((19, len(sets)))
    for column, some in enumerate(sets):
        rows[list(some), column] = 1.0
    channels = linprog(np.ones(len(sets)), A_ub=-rows, b_ub=-share).fun
    assert 0.75 * channels <= 6.0 * (1.0 + 1e-9)


# Capacity


def test_a_capacity_reckoned_by_hand() -> None:
    """Three neighbours of 1,000, 1,000 and 2,000 households; 8 channels of 240 MHz at 2 bit/s/Hz down, 62.5 MHz up.

    2, 2 and 4 channels: 960, 960 and 1,920 Mbps down; 250, 250 and 500 up. Down 20 x 960 / 100 = 192 terminals, up
    20 x 250 / 20 = 250: the downlink binds. A household sees 20 x 960 / 1,000 = 19.2 Mbps down, 5 up.
    """
    cells = triangle([1000.0, 1000.0, 2000.0])
    found = cell_capacity(cells, DOWN, UP, OFFER, PLENTY, 50.0)
    order = np.argsort(cells.households)
    assert found.channels_down[order] == pytest.approx([2.0, 2.0, 4.0])
    assert found.down_mbps[order] == pytest.approx([960.0, 960.0, 1920.0])
    assert found.up_mbps[order] == pytest.approx([250.0, 250.0, 500.0])
    assert found.most_terminals[order].tolist() == [192, 192, 384]
    assert not found.uplink_binds.any()
    assert found.household_down_mbps == pytest.approx(19.2)
    assert found.household_up_mbps == pytest.approx(5.0)
    assert found.saturated.all()
    assert found.saturation_take_up == pytest.approx(0.192)
    # With 40 Mbps up only 125 find room: the uplink binds.
    greedy = cell_capacity(cells, DOWN, UP, replace(OFFER, up_mbps=40.0), PLENTY, 50.0)
    assert greedy.most_terminals[order].tolist() == [125, 125, 250]
    assert greedy.uplink_binds.all()
    # A tenth of the households: not saturated.
    few = cell_capacity(cells, DOWN, UP, replace(OFFER, take_up=0.1), PLENTY, 50.0)
    assert not few.saturated.any()
    assert few.household_down_mbps == pytest.approx(192.0)
    assert cell_capacity(
        cells, DOWN, UP, replace(OFFER, take_up=0.1, peak_down_mbps=150.0), PLENTY, 50.0
    ).household_down_mbps == pytest.approx(150.0)


def triangle(households: list[float]) -> ServiceCells:
    middle = h3.latlng_to_cell(21.4, 105.6, 5)
    ring = sorted(h3.grid_ring(middle, 1))
    third = next(cell for cell in ring[1:] if h3.are_neighbor_cells(cell, ring[0]))
    places = np.array([h3.cell_to_latlng(cell) for cell in (middle, ring[0], third)])
    return service_cells(places[:, :1], places[:, 1:], np.array(households)[:, None], household_size=1.0)


def test_a_pattern_of_reuse_gives_every_cell_the_same() -> None:
    cells = hexagons([10.0, 0.0, 500.0, 20.0, 30.0, 40.0, 50.0])
    found = cell_capacity(cells, DOWN, UP, OFFER, PLENTY, 50.0, reuse=4)
    assert found.channels_down == pytest.approx(2.0)
    assert np.isnan(found.household_down_mbps).sum() == 1
    shared = cell_capacity(cells, DOWN, UP, OFFER, PLENTY, 50.0)
    assert shared.channels_down[cells.households == 0.0] == 0.0
    assert shared.most_terminals[cells.households == 0.0] == 0


def test_satellites_in_view_limit_the_beams() -> None:
    cells = triangle([10.0, 10.0, 10.0])
    few = replace(DOWN, beams_per_satellite=1.0)
    # One satellite, one beam, all of it over this small area only if nobody else in the footprint is served.
    narrow = Fleet(in_view=1.0, altitude_km=550.0, served_share=1e-6)
    alone = cell_capacity(cells, few, UP, OFFER, narrow, 50.0)
    assert alone.channels_down.sum() == pytest.approx(1.0)
    spread = cell_capacity(cells, few, UP, OFFER, replace(narrow, served_share=1.0), 50.0)
    assert spread.channels_down.sum() == pytest.approx(cells.area_km2.sum() / footprint_km2(550.0, 25.0))
    assert cell_capacity(cells, few, UP, OFFER, replace(narrow, in_view=0.0), 50.0).most_terminals.sum() == 0
    unseen = replace(PLENTY, in_view=np.array([5.0, np.nan, 5.0]))
    assert cell_capacity(cells, DOWN, UP, OFFER, unseen, 50.0).channels_down[1] == 0.0


def test_gateways_limit_what_all_cells_carry() -> None:
    cells = triangle([1000.0, 1000.0, 2000.0])
    found = cell_capacity(cells, DOWN, UP, OFFER, replace(PLENTY, gateway_down_mbps=1920.0), 50.0)
    assert found.down_mbps == pytest.approx(1920.0 * cells.households / 4000.0)
    assert found.up_mbps.sum() == pytest.approx(8 * 62.5 * 2.0)


def test_terminals_may_be_given() -> None:
    cells = triangle([1000.0, 1000.0, 2000.0])
    found = cell_capacity(cells, DOWN, UP, OFFER, PLENTY, 50.0, terminals=[10.0, 10.0, 0.0])
    assert found.channels_down == pytest.approx([4.0, 4.0, 0.0])
    assert not found.saturated.any()
    assert np.isnan(found.household_down_mbps[2])
    assert found.saturation_take_up == pytest.approx(found.most_terminals / cells.households)


def test_a_footprint_is_a_cap() -> None:
    assert footprint_km2(550.0, 90.0) == pytest.approx(0.0, abs=1e-3)
    # At the horizon the central angle's cosine is R / (R + h).
    horizon = 2.0 * pi * 6371.0**2 * (1.0 - 6371.0 / 6921.0)
    assert footprint_km2(550.0, 0.0) == pytest.approx(horizon)
    # The spot from which a satellite of 550 km stands at 25 degrees is 941 km away over a sphere.
    assert footprint_km2(550.0, 25.0) == pytest.approx(2.0 * pi * 6371.0**2 * (1.0 - cos(941.0 / 6371.0)), rel=2e-3)
    assert beams_over(1e12, PLENTY, 8.0) == pytest.approx(8000.0)


def test_the_median_elevation_and_the_one_kept_nearly_always() -> None:
    classes = np.array([30.0, 50.0, 70.0])
    times = np.array([[0.1, 0.0], [0.4, 0.0], [0.5, 0.0]])
    assert exceeded_elevation_deg(classes, times[:, 0], 0.5) == pytest.approx(70.0)
    assert exceeded_elevation_deg(classes, times[:, 0], 0.51) == pytest.approx(50.0)
    found = exceeded_elevation_deg(classes, times, 0.95)
    assert found[0] == 30.0
    assert np.isnan(found[1])
    assert exceeded_elevation_deg(classes, [0.0, 0.2, 0.0], 1.0) == 50.0


def test_a_low_satellite_carries_less_and_an_unseen_one_nothing() -> None:
    real = replace(DOWN, modcods=DVB_S2X)
    low, high, unseen = real.efficiency_bps_hz([25.0, 80.0, np.nan])
    assert 0.0 < low < high
    assert unseen == 0.0
    assert real.efficiency_bps_hz(80.0, 6.0) < high


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 5000), min_size=12, max_size=12),
    st.integers(1, 12),
    st.integers(1, 12),
    st.floats(0.5, 40.0),
    st.floats(1.0, 3.0),
)
def test_more_of_anything_never_takes_from_the_worst_served(
    households: list[int], channels: int, extra: int, in_view: float, more: float
) -> None:
    cells = hexagons([float(number) for number in households])
    fleet = Fleet(in_view=in_view, altitude_km=550.0, served_share=0.01)
    few = replace(DOWN, channels=channels, beams_per_satellite=2.0)
    before = cell_capacity(cells, few, UP, OFFER, fleet, 50.0)
    for richer, sky in [
        (replace(few, channels=channels + extra), fleet),
        (replace(few, beams_per_satellite=2.0 * more), fleet),
        (few, replace(fleet, in_view=in_view * more)),
        (replace(few, channel_mhz=240.0 * more), fleet),
    ]:
        after = cell_capacity(cells, richer, UP, OFFER, sky, 50.0)
        worst = np.nanmin(before.household_down_mbps) if max(households) else 0.0
        assert max(households) == 0 or np.nanmin(after.household_down_mbps) >= worst * (1.0 - 1e-9)
    # Under a pattern, or with the neighbours' channels alone, nobody loses at all.
    for reuse in (3, 4):
        first = cell_capacity(cells, few, UP, OFFER, fleet, 50.0, reuse=reuse)
        then = cell_capacity(cells, replace(few, channels=channels + extra), UP, OFFER, fleet, 50.0, reuse=reuse)
        assert (then.down_mbps >= first.down_mbps * (1.0 - 1e-9)).all()


# Hamlets served together


def test_the_smallest_fit_first() -> None:
    found = served_together([30, 10, 20, 5, 1], [0, 0, 0, 1, -1], [30.0, 4.0])
    assert found.served.tolist() == [False, True, True, False, False]
    assert found.why.tolist() == [CELL_FULL, SERVED, SERVED, CELL_FULL, NO_CELL]
    assert found.terminals == 30
    assert found.room_left.tolist() == [0.0, 4.0]


def test_a_priority_is_kept() -> None:
    found = served_together([30, 10, 20], [0, 0, 0], [35.0], order=[0, 2])
    assert found.why.tolist() == [SERVED, NOT_NAMED, CELL_FULL]
    licensed = served_together([30, 10, 20], [0, 1, 2], [1e6] * 3, 600_000 - 599_950, order=[2, 0, 1])
    assert licensed.why.tolist() == [SERVED, LICENCE_FULL, SERVED]
    assert licensed.terminals == 50


def test_a_community_terminal_loads_more_than_one() -> None:
    found = served_together([1, 1, 1], [0, 0, 0], [10.0], 2, load=[8.0, 4.0, 3.0])
    assert found.served.tolist() == [False, True, True]
    assert found.room_left.tolist() == [3.0]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 2)), min_size=0, max_size=9),
    st.lists(st.integers(0, 20), min_size=3, max_size=3),
    st.one_of(st.none(), st.integers(0, 30)),
)
def test_no_other_choice_serves_more(hamlets: list[tuple[int, int]], room: list[int], licence: int | None) -> None:
    terminals = np.array([h[0] for h in hamlets], np.int64)
    cell = np.array([h[1] for h in hamlets], np.int32)
    found = served_together(terminals, cell, room, licence)

    def fits(some: tuple[int, ...]) -> bool:
        chosen = list(some)
        load = np.bincount(cell[chosen] + 1, weights=terminals[chosen], minlength=4)
        none_outside = (cell[chosen] >= 0).all()
        return bool(none_outside and (load[1:] <= room).all() and (licence is None or load.sum() <= licence))

    assert fits(tuple(np.flatnonzero(found.served)))
    most = max(size for size in range(len(hamlets) + 1) if any(map(fits, combinations(range(len(hamlets)), size))))
    assert found.served.sum() == most


def test_the_capacity_serves_the_hamlets_in_it() -> None:
    cells = triangle([1000.0, 1000.0, 2000.0])
    most = cell_capacity(cells, DOWN, UP, OFFER, PLENTY, 50.0).most_terminals
    place = cells.at(cells.latitude_deg[[0, 0, 1, 2]], cells.longitude_deg[[0, 0, 1, 2]])
    assert place.tolist() == [0, 0, 1, 2]
    found = served_together([150, 100, 100, 150], place, most, 600_000)
    assert found.served.sum() >= 3


# Refusals

GOOD = raster(2, 2, 0.01)
REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("do not fit together", lambda: service_cells(GOOD[0], GOOD[1], np.ones((3, 2)), household_size=4.0)),
    ("household_size", lambda: service_cells(*GOOD, np.ones((2, 2)), household_size=0.0)),
    ("resolution", lambda: service_cells(*GOOD, np.ones((2, 2)), household_size=4.0, resolution=15)),
    ("people", lambda: service_cells(*GOOD, -np.ones((2, 2)), household_size=4.0)),
    ("no place is known", lambda: service_cells(GOOD[0] * np.nan, GOOD[1], np.ones((2, 2)), household_size=4.0)),
    ("latitude_deg", lambda: service_cells(GOOD[0] + 90.0, GOOD[1], np.ones((2, 2)), household_size=4.0)),
    ("own", lambda: hexagons([1.0]).mean(np.ones((5, 5)))),
    ("shared out", lambda: max_min_share([-1.0], 1.0, np.empty((0, 3), np.int32), 1.0)),
    ("not there", lambda: max_min_share([1.0], 1.0, np.array([[0, 1]], np.int32), 1.0)),
    ("channels", lambda: replace(DOWN, channels=0)),
    ("overhead", lambda: replace(DOWN, overhead=1.0)),
    ("take_up", lambda: replace(OFFER, take_up=1.5)),
    ("contention", lambda: replace(OFFER, contention=0.0)),
    ("down_mbps", lambda: replace(OFFER, down_mbps=0.0)),
    ("in_view", lambda: replace(PLENTY, in_view=-1.0)),
    ("gateway_up_mbps", lambda: replace(PLENTY, gateway_up_mbps=-1.0)),
    ("do not fit together", lambda: cell_capacity(triangle([1.0] * 3), DOWN, UP, OFFER, PLENTY, 50.0, terminals=[1.0])),
    ("served_share", lambda: replace(PLENTY, served_share=0.0)),
    ("hexagonal pattern", lambda: cell_capacity(hexagons([1.0]), DOWN, UP, OFFER, PLENTY, 50.0, reuse=5)),
    ("schedulable", lambda: cell_capacity(hexagons([1.0]), DOWN, UP, OFFER, PLENTY, 50.0, schedulable=2.0)),
    ("do not fit together", lambda: exceeded_elevation_deg([30.0, 20.0], [0.5, 0.5], 0.5)),
    ("do not fit together", lambda: served_together([1, 2], [0, 3], [5.0])),
    ("do not fit together", lambda: served_together([1.5], [0], [5.0])),
    ("below zero", lambda: served_together([1], [0], [-5.0])),
    ("order of priority", lambda: served_together([1, 2], [0, 0], [5.0], order=[0, 0])),
]


@pytest.mark.parametrize(("word", "call"), REFUSED)
def test_values_outside_are_refused(word: str, call: Callable[[], object]) -> None:
    with pytest.raises(CoverageError, match=word):
        call()
