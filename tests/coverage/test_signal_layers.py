"""Several servers a cell against one map a sector, put together by NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.sectors import Sectors
from phusong.coverage.signal_layers import signal_layers
from phusong.coverage.sweep import signal_map
from phusong.coverage.terrain import Terrain

SITES = np.array([[20.3, 15.8], [40.0, 33.0], [5.5, 50.25]])
ARGUMENTS = {"rx_height_m": 1.5, "range_m": 3000.0}
CHANNEL = np.array([0, 1, 0, 1, -1, 0])


def hills():
    rng = np.random.default_rng(3)
    height_m = np.zeros((48, 60))
    for scale in (4, 12):
        coarse = rng.normal(0.0, 5.0 * scale, (48 // scale, 60 // scale))
        height_m += np.kron(coarse, np.ones((scale, scale)))
    height_m[30, 40] = np.nan
    return Terrain(height_m.astype(np.float32), 90.0)


def sectors(**changes):
    values = {
        "location": [1, 0, 0, 2, 1, 0],
        "height_m": [30.0, 45.0, 45.0, 24.5, 30.0, 20.0],
        "frequency_mhz": [1800.0, 1800.0, 700.0, 2600.0, 1800.0, 700.0],
        "azimuth_deg": [30.0, np.nan, 140.0, 260.0, 210.0, 300.0],
        "downtilt_deg": [2.0, 0.0, 4.0, 6.0, 2.0, -1.0],
        "horizontal_beamwidth_deg": [65.0] * 6,
        "vertical_beamwidth_deg": [8.0] * 6,
        "rs_eirp_dbm": [31.0, 25.0, 28.0, 33.0, 31.0, 20.0],
        "layer": [0, 1, 0, 0, 0, 1],
    }
    return Sectors(**{name: np.asarray(changes.get(name, value)) for name, value in values.items()})


@pytest.mark.parametrize("mode", ["exact", "radial"])
@pytest.mark.parametrize("n_best", [1, 3, 6])
def test_layers_are_those_of_one_map_a_sector(mode, n_best):
    terrain, some = hills(), sectors()
    found = signal_layers(
        terrain, SITES, some, 2, n_best=n_best, overlap_db=8.0, channel=CHANNEL, n_channels=2, mode=mode, **ARGUMENTS
    )
    alone = sectors(layer=np.arange(6))
    level = signal_map(terrain, SITES, alone, 6, mode=mode, **ARGUMENTS).rsrp_dbm
    for layer in range(2):
        mine = np.flatnonzero(some.layer == layer)
        order = np.argsort(np.where(np.isnan(level[mine]), np.inf, -level[mine]), axis=0, kind="stable")[:n_best]
        sorted_dbm = np.take_along_axis(level[mine], order, axis=0)
        server = np.where(np.isnan(sorted_dbm), -1, mine[order])
        assert np.array_equal(found.best_dbm[: len(order), layer], sorted_dbm, equal_nan=True)
        assert np.array_equal(found.server[: len(order), layer], server)
        assert (found.server[len(order) :, layer] == -1).all()
        count = (sorted_dbm >= sorted_dbm[0] - np.float32(8.0)).sum(axis=0)
        assert np.array_equal(found.overlap[layer], count)
    for channel in range(2):
        power_mw = np.nansum(10.0 ** (level[channel == CHANNEL].astype(float) / 10.0), axis=0)
        assert found.power_mw[channel] == pytest.approx(power_mw, rel=1e-5, abs=3e-17)
    best = signal_map(terrain, SITES, some, 2, mode=mode, **ARGUMENTS)
    assert np.array_equal(found.best_dbm[0], best.rsrp_dbm, equal_nan=True)
    assert np.array_equal(found.server[0], best.server)


def test_equal_levels_go_to_the_lowest_sector_and_threads_change_no_byte():
    terrain = hills()
    twins = sectors(location=[0, 1, 2] * 2, height_m=[30.0] * 6, frequency_mhz=[900.0] * 6, azimuth_deg=[np.nan] * 6,
                    downtilt_deg=[3.0] * 6, rs_eirp_dbm=[30.0] * 6, layer=[0] * 6)  # fmt: skip
    places = np.repeat(SITES[:1], 3, axis=0)
    channel = [0] * 6
    one, three = (
        signal_layers(terrain, places, twins, 1, n_best=3, channel=channel, n_channels=1, threads=threads, **ARGUMENTS)
        for threads in (1, 3)
    )
    heard = one.server[0, 0] >= 0
    assert heard.any()
    assert (one.server[:, 0, heard] == np.arange(3)[:, None]).all()
    assert (one.overlap[0, heard] == 3).all()
    for name in ("best_dbm", "server", "overlap", "power_mw"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes()


def test_chosen_cells_are_those_of_the_raster_in_full_precision():
    terrain, some = hills(), sectors()
    cells = np.random.default_rng(1).integers(0, 48, (90, 2))
    asked = {"n_best": 2, "channel": CHANNEL, "n_channels": 2} | ARGUMENTS
    raster, chosen = (signal_layers(terrain, SITES, some, 2, cell_rc=rc, **asked) for rc in (None, cells))
    row, col = cells.T
    assert chosen.best_dbm.dtype == np.float64
    assert np.array_equal(chosen.best_dbm.astype(np.float32), raster.best_dbm[:, :, row, col], equal_nan=True)
    for name in ("server", "overlap", "power_mw"):
        assert np.allclose(getattr(chosen, name), getattr(raster, name)[..., row, col], rtol=1e-5, atol=3e-17)


def test_what_the_layers_refuse():
    terrain, some = hills(), sectors()
    with pytest.raises(ValueOutOfRange, match="chosen cells"):
        signal_layers(terrain, SITES, some, 2, cell_rc=[[0, 0]], mode="radial", **ARGUMENTS)
    for wrong in ({"n_best": 0}, {"overlap_db": -1.0}, {"channel": [0, 1]}):
        with pytest.raises(ValueOutOfRange, match="no layers to compute"):
            signal_layers(terrain, SITES, some, 2, **(ARGUMENTS | wrong))
    with pytest.raises(ValueOutOfRange, match="channel"):
        signal_layers(terrain, SITES, some, 2, channel=CHANNEL, n_channels=1, **ARGUMENTS)
    with pytest.raises(ValueOutOfRange, match="layer"):
        signal_layers(terrain, SITES, some, 1, **ARGUMENTS)
