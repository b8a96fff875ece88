"""Radial mode against point calls on the same profiles, and what must not change its answer."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation import P1812, DeltaBullington
from phusong.coverage.propagation.delta_bullington import loss as delta_bullington_loss
from phusong.coverage.propagation.free_space import free_space_loss_db
from phusong.coverage.propagation.p1812 import basic_transmission_loss
from phusong.coverage.propagation.registry import under_free_space_db
from phusong.coverage.radial import NEAREST_STEP, radial_losses, ray_count
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_map
from phusong.coverage.terrain import Terrain

CELL_M, RX_M = 90.0, 1.5
TX_M = np.array([12.0, 45.0])
FIRST = np.array([0, 1, 3])
FREQUENCY_MHZ = np.array([2600.0, 700.0, 1800.0])
SHAPE = (46, 58)
GROUNDS = ("hills", "mountains", "plain", "sea", "cliffs")


def ground(kind, seed):
    """(46, 58) heights: rough at all scales, level, or in steps of 60 m."""
    rng = np.random.default_rng(seed)
    if kind == "sea":
        return np.zeros(SHAPE, np.float32)
    height_m = np.zeros(SHAPE)
    for scale in (1, 3, 9, 27):
        coarse = rng.normal(0.0, scale, (SHAPE[0] // scale + 2, SHAPE[1] // scale + 2))
        height_m += np.kron(coarse, np.ones((scale, scale)))[: SHAPE[0], : SHAPE[1]]
    height_m *= {"hills": 3.0, "mountains": 25.0, "plain": 0.05, "cliffs": 6.0}[kind]
    if kind == "cliffs":
        height_m = 60.0 * np.rint(height_m / 60.0)
    return (height_m - height_m.min()).astype(np.float32)


def plain_ray(height_m, site, cell, rays):
    """Distances [km] and heights of a cell's profile, and whether its bearing is too near two rays' middle to tell."""
    offset = np.asarray(cell) - site
    distance = np.hypot(*offset)
    turn = np.arctan2(*offset) / (2 * np.pi) * rays
    bearing = 2 * np.pi * np.rint(turn) / rays
    steps = np.arange(max(np.floor(distance - NEAREST_STEP) + 1, 1))
    limit = np.array(height_m.shape) - 1.0
    rc = np.clip(site + steps[:, None] * [np.sin(bearing), np.cos(bearing)], 0.0, limit)
    padded = np.pad(height_m.astype(float), ((0, 1), (0, 1)), mode="edge")
    low = np.floor(rc).astype(int)
    total = np.zeros(len(rc))
    for down in (0, 1):
        for right in (0, 1):
            weight = np.prod(np.where([down, right], rc - low, 1 - (rc - low)), axis=1)
            some = weight > 0.0
            total[some] += weight[some] * padded[low[some, 0] + down, low[some, 1] + right]
    profile_m = np.append(total, height_m[tuple(cell)])
    return np.append(steps, distance) * CELL_M / 1e3, profile_m, abs(turn % 1 - 0.5) < 1e-4


def losses(height_m, site, cells, model, rays):
    loss_db = np.full((len(cells), 3), nan)
    cells = np.require(cells, np.int32, ["C", "W"])
    radial_losses(model, height_m, CELL_M, *site, cells, rays, RX_M, TX_M, FIRST, FREQUENCY_MHZ, loss_db)
    return loss_db


def point_db(model, distance_km, profile_m, band):
    return basic_transmission_loss(
        distance_km,
        profile_m,
        np.zeros(len(profile_m)),
        np.full(len(profile_m), 4),
        frequency_ghz=FREQUENCY_MHZ[band] / 1e3,
        time_pct=model.time_pct,
        location_pct=model.location_pct,
        tx_height_m=TX_M[0 if band == 0 else 1],
        rx_height_m=RX_M,
        polarization=2 if model.vertical else 1,
        delta_n=model.delta_n,
        n0=model.n0,
        tx_lat=model.latitude_deg,
        rx_lat=model.latitude_deg,
        tx_lon=105.0,
        rx_lon=105.0,
        smooth_earth_method="closed-form" if model.closed_smooth_earth else "profile",
    )


def all_cells():
    return np.argwhere(np.ones(SHAPE, bool))


@pytest.mark.parametrize(
    "model",
    [P1812(), P1812(location_pct=90.0, delta_n=60.0, vertical=False, closed_smooth_earth=True), P1812(time_pct=10.0)],
    ids=["median", "other parameters", "small time"],
)
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(GROUNDS),
    st.integers(0, 10**6),
    st.tuples(st.floats(0.0, SHAPE[0] - 1.0), st.floats(0.0, SHAPE[1] - 1.0)),
    st.booleans(),
)
def test_a_cell_has_the_loss_of_its_own_profile(model, kind, seed, site, whole):
    height_m = ground(kind, seed)
    site = np.rint(site) if whole else np.array(site)
    rays = 150
    cells = np.random.default_rng(seed).permutation(all_cells())[:200]
    loss_db = losses(height_m, site, cells, model, rays)
    for j in range(0, 200, 20):
        distance_km, profile_m, unclear = plain_ray(height_m, site, cells[j], rays)
        if unclear or distance_km[-1] == 0.0:
            continue
        for band in range(3):
            assert loss_db[j, band] == pytest.approx(point_db(model, distance_km, profile_m, band), abs=1e-9)


def test_long_paths_over_the_horizon_too():
    """200 km of level ground and of ridges, where ducting and scatter are heard."""
    for ridge_m in (0.0, 900.0):
        height_m = np.zeros((3, 2300), np.float32)
        height_m[:, 700::400] = ridge_m
        site, cells = np.array([1.0, 3.25]), np.array([[1, c] for c in range(3, 2300, 150)])
        for model in (P1812(), P1812(time_pct=1.0)):
            loss_db = losses(height_m, site, cells, model, 5000)
            for j, cell in enumerate(cells):
                distance_km, profile_m, _ = plain_ray(height_m, site, cell, 5000)
                expected = [point_db(model, distance_km, profile_m, band) for band in range(3)]
                assert loss_db[j] == pytest.approx(expected, abs=1e-9)


def test_another_model_gets_the_profile_stretched_to_equal_steps():
    height_m, site, rays = ground("hills", 4), np.array([20.4, 31.7]), 300
    cells = all_cells()[::37]
    loss_db = losses(height_m, site, cells, DeltaBullington(), rays)
    for j, cell in enumerate(cells):
        distance_km, profile_m, unclear = plain_ray(height_m, site, cell, rays)
        expected = np.empty(3)
        for a in range(2):
            bands = slice(FIRST[a], FIRST[a + 1])
            step_m = 1e3 * distance_km[-1] / (len(profile_m) - 1)
            delta_bullington_loss(
                DeltaBullington(), profile_m, step_m, TX_M[a], RX_M, FREQUENCY_MHZ[bands], expected[bands]
            )
        assert unclear or loss_db[j] == pytest.approx(expected, abs=1e-9)


def test_the_cell_of_the_mast_and_a_part_of_the_disc():
    height_m, rays = ground("hills", 9), 400
    cells = all_cells()
    whole = losses(height_m, (21.0, 30.0), cells, P1812(), rays)
    assert np.isfinite(whole).all()
    at = int(np.flatnonzero((cells == [21, 30]).all(axis=1))[0])
    above_m = TX_M[[0, 1, 1]] - RX_M
    free_db = [free_space_loss_db(*pair) for pair in zip(above_m, FREQUENCY_MHZ, strict=True)]
    assert whole[at] == pytest.approx(free_db, abs=0.06)
    some = np.random.default_rng(2).permutation(len(cells))[:300]
    assert np.array_equal(losses(height_m, (21.0, 30.0), cells[some], P1812(), rays), whole[some])


@pytest.mark.parametrize("site", [(0.0, 0.0), (45.0, 57.0), (0.0, 29.3), (44.6, 0.0)])
def test_sites_at_the_edges_reach_every_cell(site):
    height_m, site = ground("mountains", 5), np.array(site)
    loss_db = losses(height_m, site, all_cells(), P1812(), 350)
    assert np.isfinite(loss_db).all()
    for j in range(0, len(loss_db), 211):
        distance_km, profile_m, unclear = plain_ray(height_m, site, all_cells()[j], 350)
        if not unclear and distance_km[-1] > 0.0:
            assert loss_db[j, 1] == pytest.approx(point_db(P1812(), distance_km, profile_m, 1), abs=1e-9)


def test_unknown_heights_stop_a_ray_and_nothing_before():
    height_m, site, rays = ground("hills", 6), np.array([20.3, 15.6]), 350
    torn = height_m.copy()
    torn[5:30, 25] = nan
    whole, cut = (losses(h, site, all_cells(), P1812(), rays) for h in (height_m, torn))
    stopped = 0
    for j, cell in enumerate(all_cells()):
        _, profile_m, unclear = plain_ray(torn, site, cell, rays)
        if not unclear:
            stopped += np.isnan(profile_m).any()
            assert np.array_equal(cut[j], np.full(3, inf) if np.isnan(profile_m).any() else whole[j])
    assert 100 < stopped < 1500


def three_sites():
    """Sectors of 700 MHz and 1800 MHz at a place inside and one on the edge."""
    site = np.array([[20.3, 15.8], [0.0, 57.0]])
    return site, Sectors(
        location=[0, 0, 1, 1],
        height_m=[30.0, 45.0, 30.0, 30.0],
        frequency_mhz=[700.0, 1800.0, 1800.0, 1800.0],
        azimuth_deg=[nan, 120.0, 200.0, 300.0],
        downtilt_deg=[0.0, 3.0, 3.0, 3.0],
        horizontal_beamwidth_deg=[65.0] * 4,
        vertical_beamwidth_deg=[8.0] * 4,
        rs_eirp_dbm=[25.0, 30.0, 30.0, 30.0],
        layer=[0, 1, 1, 1],
    )


@pytest.mark.parametrize("model", ["p1812", "delta-bullington"])
def test_a_radial_map_is_whole_and_the_same_for_any_number_of_threads(model):
    terrain, (site, sectors) = Terrain(ground("mountains", 7), CELL_M), three_sites()
    arguments = {"rx_height_m": RX_M, "range_m": 2800.0, "model": model, "mode": "radial"}
    done = []
    one = signal_map(terrain, site, sectors, 2, threads=1, on_site=done.append, **arguments)
    two = signal_map(terrain, site, sectors, 2, threads=2, **arguments)
    assert sorted(done) == [0, 1]
    assert one.rsrp_dbm.tobytes() == two.rsrp_dbm.tobytes()
    assert one.server.tobytes() == two.server.tobytes()
    rows, cols = np.indices(SHAPE)
    within = np.hypot(rows - site[0, 0], cols - site[0, 1]) * CELL_M <= 2800.0
    assert np.array_equal(one.server[0] >= 0, within)
    exact = signal_map(terrain, site, sectors, 2, **(arguments | {"mode": "exact"}))
    assert np.array_equal(np.isnan(exact.rsrp_dbm), np.isnan(one.rsrp_dbm))
    assert np.nanmedian(abs(exact.rsrp_dbm - one.rsrp_dbm)) < 1.0


def test_radial_equals_exact_where_the_rays_meet_the_cells():
    """On a row east of a site at a cell's centre, and at whole distances, both read the same points."""
    height_m = ground("mountains", 8)
    terrain = Terrain(height_m, CELL_M)
    one = Sectors([0], [30.0], [1800.0], [nan], [0.0], [65.0], [1e9], [30.0], [0])
    maps = [
        signal_map(terrain, [[20.0, 15.0]], one, 1, rx_height_m=RX_M, range_m=3e3, model="p1812", mode=mode)
        for mode in ("exact", "radial")
    ]
    assert maps[0].rsrp_dbm[0, 20, 16:48] == pytest.approx(maps[1].rsrp_dbm[0, 20, 16:48], abs=1e-4)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(GROUNDS),
    st.integers(0, 10**6),
    st.sampled_from([P1812(), P1812(time_pct=0.5), P1812(location_pct=1.0, location_sigma_db=10.0), P1812(n0=1000.0)]),
)
def test_p1812_is_never_farther_below_free_space_than_it_says(kind, seed, model):
    height_m = ground(kind, seed)
    site = np.random.default_rng(seed).uniform(0.0, np.array(SHAPE) - 1.0)
    cells = all_cells()[seed % 40 :: 40]
    loss_db = losses(height_m, site, cells, model, 150)
    offset = cells - site
    least_m = np.hypot(*offset.T) * CELL_M
    for band in range(3):
        free_db = np.array([free_space_loss_db(m, FREQUENCY_MHZ[band]) for m in np.maximum(least_m, 1.0)])
        assert (loss_db[:, band] >= free_db - under_free_space_db(model) - 1e-9).all()


def test_a_floor_stops_p1812_where_free_space_does_and_changes_no_level_above():
    terrain, (site, sectors) = Terrain(ground("hills", 3), CELL_M), three_sites()
    arguments = {"rx_height_m": RX_M, "range_m": 3500.0, "model": "p1812"}
    for mode in ("exact", "radial"):
        full = signal_map(terrain, site, sectors, 2, mode=mode, **arguments).rsrp_dbm
        for share in (0.3, 0.98):
            floor_dbm = float(np.nanquantile(full, share))
            cut = signal_map(terrain, site, sectors, 2, mode=mode, floor_dbm=floor_dbm, **arguments).rsrp_dbm
            assert np.array_equal(cut, np.where(full >= floor_dbm, full, nan), equal_nan=True)


def test_an_unknown_mode_is_refused():
    terrain, (site, sectors) = Terrain(ground("sea", 0), CELL_M), three_sites()
    with pytest.raises(ValueOutOfRange, match="no mode 'fast'"):
        signal_map(terrain, site, sectors, 2, rx_height_m=RX_M, range_m=1e3, mode="fast")
    assert ray_count(30e3, 90.0) == 2095


def test_p1812_refuses_a_map_outside_its_range():
    terrain, (site, sectors) = Terrain(ground("sea", 0), CELL_M), three_sites()
    arguments = {"rx_height_m": RX_M, "range_m": 1e3}
    high = replace(sectors, frequency_mhz=np.full(4, 7000.0))
    with pytest.raises(ValueOutOfRange, match="frequency_mhz = 7000"):
        signal_map(terrain, site, high, 2, model="p1812", **arguments)
    with pytest.raises(ValueOutOfRange, match="time_pct"):
        signal_map(terrain, site, sectors, 2, model=P1812(time_pct=60.0), **arguments)
