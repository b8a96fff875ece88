"""The sweep against the point kernels, and what must not change its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from math import ceil, inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage import sweep
from phusong.coverage.antenna import attenuation_db, bearing_deg, depression_deg
from phusong.coverage.errors import SiteOutsideTerrain, UnknownModel, ValueOutOfRange
from phusong.coverage.loss_rows import loss_rows
from phusong.coverage.propagation import DeltaBullington, FreeSpace
from phusong.coverage.propagation.delta_bullington import loss
from phusong.coverage.propagation.free_space import free_space_loss_db
from phusong.coverage.propagation.p2108 import terrestrial_loss_db
from phusong.coverage.sectors import Sectors
from phusong.coverage.surroundings import make_surroundings, surroundings_loss_db
from phusong.coverage.sweep import signal_at, signal_map
from phusong.coverage.terrain import Terrain, path_profile

CELL_M, RX_M, RANGE_M = 90.0, 1.5, 3500.0
SITES = np.array([[20.3, 15.8], [40.0, 33.0], [5.5, 50.25]])


def hills(shape=(56, 62), seed=3):
    """Rough ground: noise summed over scales."""
    rng = np.random.default_rng(seed)
    height_m = np.zeros(shape)
    for scale in (4, 8, 16, 32):
        coarse = rng.normal(0.0, 4.0 * scale, (shape[0] // scale + 2, shape[1] // scale + 2))
        height_m += np.kron(coarse, np.ones((scale, scale)))[: shape[0], : shape[1]]
    return Terrain((height_m - height_m.min()).astype(np.float32), CELL_M)


def sectors(**changes):
    values = {
        "location": [1, 0, 0, 2, 1, 0],
        "height_m": [30.0, 45.0, 45.0, 24.5, 30.0, 20.0],
        "frequency_mhz": [1800.0, 1800.0, 700.0, 2600.0, 1800.0, 700.0],
        "azimuth_deg": [30.0, nan, 140.0, 260.0, 210.0, 300.0],
        "downtilt_deg": [2.0, 0.0, 4.0, 6.0, 2.0, -1.0],
        "horizontal_beamwidth_deg": [65.0] * 6,
        "vertical_beamwidth_deg": [8.0] * 6,
        "rs_eirp_dbm": [31.0, 25.0, 28.0, 33.0, 31.0, 20.0],
        "layer": [0, 1, 0, 0, 0, 1],
    }
    return Sectors(**{name: np.asarray(changes.get(name, value)) for name, value in values.items()})


def point_level_dbm(terrain, site, cell, sector, number, model=None):
    """RSRP of one sector at one cell from the point kernels alone."""
    profile_m = np.empty(200)
    points, step_m = path_profile(
        terrain.height_m, terrain.cell_m, site[0], site[1], float(cell[0]), float(cell[1]), profile_m
    )
    if points == 0:
        return -inf
    ground_m, loss_db = profile_m[:points], np.empty(1)
    height = sector.height_m[number]
    loss(model or DeltaBullington(), ground_m, step_m, height, RX_M, sector.frequency_mhz[[number]], loss_db)
    rows, cols = cell[0] - site[0], cell[1] - site[1]
    drop_m = ground_m[0] + height - (ground_m[-1] + RX_M)
    pattern_db = attenuation_db(
        bearing_deg(rows, cols),
        depression_deg(np.hypot(rows, cols) * terrain.cell_m, drop_m),
        sector.azimuth_deg[number],
        sector.downtilt_deg[number],
        sector.horizontal_beamwidth_deg[number],
        sector.vertical_beamwidth_deg[number],
    )
    return sector.rs_eirp_dbm[number] - pattern_db - loss_db[0]


def all_cells(terrain):
    return np.argwhere(np.ones(terrain.height_m.shape, bool))


def plain_profile(height_m, site, cell):
    """NumPy twin of the profile: bilinear at ceil(distance) + 1 equally spaced points."""
    last = max(ceil(np.hypot(*(np.asarray(cell) - site))), 1)
    rc = np.asarray(site) + (np.asarray(cell) - site) * np.arange(last + 1)[:, None] / last
    padded = np.pad(height_m.astype(float), ((0, 1), (0, 1)), mode="edge")
    low = np.floor(rc).astype(int)
    (r, c), (down, right) = low.T, (rc - low).T
    upper = padded[r, c] * (1 - right) + padded[r, c + 1] * right
    lower = padded[r + 1, c] * (1 - right) + padded[r + 1, c + 1] * right
    return upper * (1 - down) + lower * down


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 55), st.floats(0, 61), st.integers(0, 55), st.integers(0, 61))
def test_profile_equals_the_numpy_twin(row, col, cell_row, cell_col):
    terrain, profile_m = hills(), np.empty(200)
    points, step_m = path_profile(terrain.height_m, CELL_M, row, col, float(cell_row), float(cell_col), profile_m)
    twin = plain_profile(terrain.height_m, (row, col), (cell_row, cell_col))
    assert points == len(twin)
    assert profile_m[:points] == pytest.approx(twin, abs=1e-9)
    assert step_m * (points - 1) == pytest.approx(np.hypot(row - cell_row, col - cell_col) * CELL_M)


@pytest.mark.parametrize("model", ["delta-bullington", DeltaBullington(7000.0, 0.3, False)])
def test_signal_is_the_best_point_level_of_each_layer(model):
    terrain, some = hills(), sectors()
    cells = all_cells(terrain)[::23]
    rsrp_dbm, server = signal_at(
        terrain, SITES, some, 2, cells, rx_height_m=RX_M, range_m=RANGE_M, model=model, threads=2
    )
    parameters = None if isinstance(model, str) else model
    for c, cell in enumerate(cells):
        levels = np.full((2, len(some)), -inf)
        for s in range(len(some)):
            site = SITES[some.location[s]]
            if np.hypot(*(cell - site)) * CELL_M <= RANGE_M:
                levels[some.layer[s], s] = point_level_dbm(terrain, site, cell, some, s, parameters)
        heard = levels.max(axis=1) > -inf
        assert np.array_equal(np.isfinite(rsrp_dbm[:, c]), heard)
        assert rsrp_dbm[heard, c] == pytest.approx(levels.max(axis=1)[heard], abs=1e-9)
        assert server[:, c].tolist() == np.where(heard, levels.argmax(axis=1), -1).tolist()


def test_the_map_is_the_same_for_any_number_of_threads_and_equals_the_points():
    terrain, some = hills(), sectors()
    done = []
    one = signal_map(terrain, SITES, some, 2, rx_height_m=RX_M, range_m=RANGE_M, threads=1, on_site=done.append)
    assert sorted(done) == [0, 1, 2]
    for _ in range(3):
        four = signal_map(terrain, SITES, some, 2, rx_height_m=RX_M, range_m=RANGE_M, threads=4)
        assert one.rsrp_dbm.tobytes() == four.rsrp_dbm.tobytes()
        assert one.server.tobytes() == four.server.tobytes()
    cells = all_cells(terrain)
    points_dbm, server = signal_at(terrain, SITES, some, 2, cells, rx_height_m=RX_M, range_m=RANGE_M)
    assert np.array_equal(one.rsrp_dbm.reshape(2, -1), points_dbm.astype(np.float32), equal_nan=True)
    assert np.array_equal(one.server.reshape(2, -1), server)
    assert one.rsrp_dbm.dtype == np.float32
    where = np.zeros(terrain.height_m.shape, bool)
    where[10:30, 20:] = True
    part = signal_map(terrain, SITES, some, 2, rx_height_m=RX_M, range_m=RANGE_M, where=where)
    assert np.array_equal(part.server, np.where(where, one.server, -1))
    assert np.array_equal(part.rsrp_dbm, np.where(where, one.rsrp_dbm, nan), equal_nan=True)


def test_a_tie_goes_to_the_lowest_sector():
    terrain = hills()
    twins = sectors(location=[0] * 6, height_m=[30.0] * 6, frequency_mhz=[900.0] * 6, azimuth_deg=[nan] * 6,
                    downtilt_deg=[3.0] * 6, rs_eirp_dbm=[30.0] * 6, layer=[0] * 6)  # fmt: skip
    same_place = replace(twins, location=np.array([2, 1, 0, 2, 1, 0], np.int32))
    places = np.repeat(SITES[:1], 3, axis=0)
    server = signal_map(terrain, places, same_place, 1, rx_height_m=RX_M, range_m=RANGE_M, threads=3).server
    assert set(np.unique(server)) == {-1, 0}


def test_floor_leaves_out_only_what_lies_below_it():
    terrain, some = hills(), sectors(rs_eirp_dbm=[31.0, 25.0, 28.0, 33.0, 31.0, -20.0])
    full = signal_map(terrain, SITES, some, 2, rx_height_m=RX_M, range_m=RANGE_M)
    for share in (0.1, 0.5, 0.99):
        floor_dbm = float(np.nanquantile(full.rsrp_dbm, share))
        cut = signal_map(terrain, SITES, some, 2, rx_height_m=RX_M, range_m=RANGE_M, floor_dbm=floor_dbm)
        loud = full.rsrp_dbm >= floor_dbm
        assert np.array_equal(cut.rsrp_dbm, np.where(loud, full.rsrp_dbm, nan), equal_nan=True)
        assert np.array_equal(cut.server, np.where(loud, full.server, -1))


def test_unknown_heights_stop_the_signal_behind_them_and_nothing_else():
    terrain, omni = hills(), sectors(location=[0] * 6, azimuth_deg=[nan] * 6)
    torn = terrain.height_m.copy()
    torn[:, 25] = nan
    site = np.array([[20.0, 15.0]])
    whole = signal_map(terrain, site, omni, 2, rx_height_m=RX_M, range_m=RANGE_M)
    cut = signal_map(Terrain(torn, CELL_M), site, omni, 2, rx_height_m=RX_M, range_m=RANGE_M)
    assert (whole.server[:, 20, 16:40] >= 0).all()
    assert (cut.server[:, :, 25:] == -1).all()
    assert np.isnan(cut.rsrp_dbm[:, :, 25:]).all()
    # A cell beside the gap is reached along its own row, where the gap has no weight.
    assert np.array_equal(cut.rsrp_dbm[:, 20, :25], whole.rsrp_dbm[:, 20, :25], equal_nan=True)
    assert np.array_equal(cut.rsrp_dbm[:, :, :24], whole.rsrp_dbm[:, :, :24], equal_nan=True)
    buried = signal_map(Terrain(torn, CELL_M), [[20.0, 25.0]], omni, 2, rx_height_m=RX_M, range_m=RANGE_M)
    assert (buried.server == -1).all()


def test_range_and_the_cell_of_the_mast():
    flat = Terrain(np.zeros((40, 40), np.float32), 100.0)
    one = sectors(location=[0] * 6, azimuth_deg=[nan] * 6, downtilt_deg=[90.0] * 6, layer=[0, 1, 1, 1, 1, 1])
    heard = signal_map(flat, [[20.0, 20.0]], one, 2, rx_height_m=RX_M, range_m=500.0).server[0] >= 0
    rows, cols = np.indices((40, 40)) - 20
    assert np.array_equal(heard, np.hypot(rows, cols) <= 5.0)
    under, _ = signal_at(flat, [[20.0, 20.0]], one, 2, [[20, 20]], rx_height_m=RX_M, range_m=500.0)
    assert under[0, 0] == pytest.approx(31.0 - free_space_loss_db(30.0, 1800.0))


def test_free_space_is_a_model_like_another():
    flat = Terrain(np.zeros((40, 40), np.float32), 100.0)
    key, cell = [[0, 300, 18000]], [[20, 30]]
    rows = loss_rows(flat, [[20.0, 20.0]], key, cell, rx_height_m=30.0, range_m=5e3, model=FreeSpace())
    assert rows.row(0)[1] == pytest.approx(np.ceil(free_space_loss_db(1000.0, 1800.0) * 2) / 2)


@pytest.mark.parametrize("base_db", [0.0, 80.0])
def test_loss_rows_are_rounded_against_us(base_db):
    terrain, cells = hills(), all_cells(hills())[::5]
    key = np.array([[2, 245, 26000], [0, 450, 18000], [0, 450, 7000], [0, 200, 7000], [1, 300, 18000]])
    rows = loss_rows(terrain, SITES, key, cells, rx_height_m=RX_M, range_m=RANGE_M, base_db=base_db, threads=3)
    again = loss_rows(terrain, SITES, key, cells, rx_height_m=RX_M, range_m=RANGE_M, base_db=base_db, threads=1)
    assert (rows.key.tolist(), rows.half_db.dtype) == (key.tolist(), np.uint8)
    assert rows.half_db.tobytes() == again.half_db.tobytes()
    assert rows.cell.tobytes() == again.cell.tobytes()
    left_out = clamped = 0
    for r, (location, height_dm, frequency) in enumerate(key):
        # An omni sector of no tilt at the place, its pattern taken off, gives the exact loss.
        lone = Sectors([location], [height_dm / 10], [frequency / 10], [nan], [0.0], [65.0], [1e9], [0.0], [0])
        exact_db = -signal_at(terrain, SITES, lone, 1, cells, rx_height_m=RX_M, range_m=RANGE_M)[0][0]
        inside = np.flatnonzero(np.isfinite(exact_db))
        kept, stored_db = rows.row(r)
        assert (np.diff(kept) > 0).all()
        too_much = np.setdiff1d(inside, kept)
        assert np.setdiff1d(kept, inside).size == 0
        assert (exact_db[too_much] > base_db + 127.5).all()
        left_out += too_much.size
        assert (stored_db >= exact_db[kept] - 1e-9).all()
        assert (stored_db <= np.maximum(exact_db[kept] + 0.5, base_db) + 1e-9).all()
        clamped += int((exact_db[kept] < base_db).sum())
    assert (left_out > 0, clamped > 0) == (base_db == 0.0, base_db == 80.0)


COMPILE_ONCE = """
import numpy as np
from phusong.coverage.propagation import FreeSpace
from phusong.coverage.loss_rows import loss_rows
from phusong.coverage.sweep import site_losses
from phusong.coverage.terrain import Terrain

flat = Terrain(np.zeros((4, 4), np.float32), 90.0)
loss_rows(flat, [[1.5, 1.5]], [[0, 300, 9000]], [[0, 0]], rx_height_m=1.5, range_m=900.0, model=FreeSpace())
print(sum(site_losses.stats.cache_hits.values()), sum(site_losses.stats.cache_misses.values()))
"""


def test_a_compiled_sweep_is_found_on_disk_by_the_next_process(tmp_path):
    run = [sys.executable, "-c", COMPILE_ONCE]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [subprocess.check_output(run, env=environment, cwd=tmp_path, text=True).split() for _ in range(2)]
    assert said == [["0", "1"], ["1", "0"]]


def test_what_the_sweep_refuses():
    terrain, some = hills(), sectors()
    kwargs = {"rx_height_m": RX_M, "range_m": RANGE_M}
    with pytest.raises(SiteOutsideTerrain, match="site 2 at row 56"):
        signal_map(terrain, [[0.0, 0.0], [-0.5, 61.5], [56.0, 3.0]], some, 2, **kwargs)
    with pytest.raises(UnknownModel):
        signal_map(terrain, SITES, some, 2, model="hata", **kwargs)
    with pytest.raises(ValueOutOfRange, match="layer"):
        signal_map(terrain, SITES, some, 1, **kwargs)
    with pytest.raises(ValueOutOfRange, match="demand cell"):
        signal_at(terrain, SITES, some, 2, [[56, 0]], **kwargs)
    with pytest.raises(ValueOutOfRange, match="no usable frequency_mhz"):
        sectors(frequency_mhz=[900.0, nan, 900.0, 900.0, 900.0, 900.0])
    with pytest.raises(ValueOutOfRange, match="differ in length"):
        sectors(layer=[0])
    with pytest.raises(ValueOutOfRange, match="no antenna height"):
        loss_rows(terrain, SITES, [[0, 0, 900]], [[0, 0]], **kwargs)
    nobody = Sectors(*([[]] * 9))
    assert (signal_map(terrain, SITES, nobody, 1, **kwargs).server == -1).all()
    assert loss_rows(terrain, SITES, np.empty((0, 3)), [[0, 0]], **kwargs).indptr.tolist() == [0]


@pytest.mark.parametrize("mode", ["exact", "radial"])
def test_what_is_corrected_at_the_receiver_is_taken_off_once(mode):
    terrain, some = hills(), sectors()
    heard = {"rx_height_m": RX_M, "range_m": RANGE_M, "mode": mode}
    bare = signal_map(terrain, SITES, some, 2, **heard).rsrp_dbm
    town = make_surroundings(clutter_location_pct=50.0, body_db=4.0)
    muffled = signal_map(terrain, SITES, some, 2, surroundings=make_surroundings(stated_db=11.5), **heard).rsrp_dbm
    np.testing.assert_allclose(muffled, bare - 11.5, atol=1e-4)
    # Distance matters to P.2108 up to 2 km; one band and one layer, so that the best server stays the same.
    one = sectors(location=[1] * 6, frequency_mhz=[1800.0] * 6, layer=[0] * 6)
    apart = signal_map(terrain, SITES, one, 1, **heard).rsrp_dbm[0]
    built_up = signal_map(terrain, SITES, one, 1, surroundings=town, **heard).rsrp_dbm[0]
    for row, col in ((44, 35), (38, 20), (10, 30)):
        distance_km = 1e-3 * CELL_M * np.hypot(row - SITES[1, 0], col - SITES[1, 1])
        wanted = surroundings_loss_db(town, distance_km, 1800.0)
        assert apart[row, col] - built_up[row, col] == pytest.approx(wanted, abs=1e-4)
        assert wanted == pytest.approx(4.0 + float(terrestrial_loss_db(1.8, distance_km, 50.0)), abs=1e-9)


def lowered_profile(terrain, site, cell, lowered_m):
    profile_m = np.empty(200)
    points, step_m = path_profile(
        terrain.height_m, terrain.cell_m, site[0], site[1], float(cell[0]), float(cell[1]), profile_m
    )
    profile_m[points - 1] -= lowered_m
    return profile_m[:points], step_m


def test_a_receiver_under_the_canopy_stands_on_the_ground_below_it():
    terrain, some = hills(), sectors()
    cells = all_cells(terrain)[::31]
    around = {"rx_height_m": RX_M, "range_m": RANGE_M, "surroundings": make_surroundings(lowered_m=8.0)}
    rsrp_dbm, server = signal_at(terrain, SITES, some, 2, cells, **around)
    layer, which = np.nonzero(server >= 0)
    for n, j in zip(layer, which, strict=True):
        number, cell, loss_db = server[n, j], cells[j], np.empty(1)
        site, height = SITES[some.location[number]], some.height_m[number]
        ground_m, step_m = lowered_profile(terrain, site, cell, 8.0)
        loss(DeltaBullington(), ground_m, step_m, height, RX_M, some.frequency_mhz[[number]], loss_db)
        rows, cols = cell[0] - site[0], cell[1] - site[1]
        drop_m = ground_m[0] + height - (terrain.height_m[tuple(cell)] - 8.0 + RX_M)
        pattern_db = attenuation_db(
            bearing_deg(rows, cols), depression_deg(np.hypot(rows, cols) * CELL_M, drop_m), some.azimuth_deg[number],
            some.downtilt_deg[number], some.horizontal_beamwidth_deg[number], some.vertical_beamwidth_deg[number],
        )  # fmt: skip
        assert rsrp_dbm[n, j] == pytest.approx(some.rs_eirp_dbm[number] - pattern_db - loss_db[0], abs=1e-9)
    rows = loss_rows(terrain, SITES, [[1, 300, 18000]], cells, base_db=40.0, **around)
    for j, stored_db in zip(*rows.row(0), strict=True):
        ground_m, step_m = lowered_profile(terrain, SITES[1], cells[j], 8.0)
        loss(DeltaBullington(), ground_m, step_m, 30.0, RX_M, np.array([1800.0]), loss_db)
        assert 0.0 <= stored_db - loss_db[0] < 0.5


def test_cells_that_a_far_site_cannot_win_are_left_out_without_any_change(monkeypatch):
    rng = np.random.default_rng(5)
    rough = Terrain(rng.normal(0.0, 20.0, (120, 120)).cumsum(axis=1).astype(np.float32), 200.0)
    sites = rng.uniform(0.0, 119.0, (12, 2))
    two = Sectors(
        np.repeat(np.arange(12), 2), np.full(24, 30.0), np.tile([800.0, 2600.0], 12), np.full(24, nan), np.zeros(24),
        np.full(24, 65.0), np.full(24, 10.0), np.full(24, 20.0), np.tile([0, 1], 12),
    )  # fmt: skip
    cells = rng.integers(0, 120, (400, 2))
    asked = {"rx_height_m": 1.5, "range_m": 20_000.0, "model": "p1812"}
    profiles = []
    plain = sweep.site_losses

    def counting(model, height_m, cell_m, row, col, cell_rc, *rest):
        profiles.append(len(cell_rc))
        plain(model, height_m, cell_m, row, col, cell_rc, *rest)

    monkeypatch.setattr(sweep, "site_losses", counting)
    spared = sweep.signal_at(rough, sites, two, 2, cells, **asked)
    few, profiles[:] = sum(profiles), []
    monkeypatch.setattr(sweep, "FIRST_RING_M", np.inf)
    whole = sweep.signal_at(rough, sites, two, 2, cells, **asked)
    for a, b in zip(spared, whole, strict=True):
        np.testing.assert_array_equal(a, b)
    assert few < 0.9 * sum(profiles)
