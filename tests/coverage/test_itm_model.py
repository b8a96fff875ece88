"""The Irregular Terrain Model in the sweep: every cell is the point call on the same profile."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation import IrregularTerrain, check_model, resolve_model
from phusong.coverage.propagation.free_space import free_space_loss_db
from phusong.coverage.propagation.itm import point_to_point_loss
from phusong.coverage.propagation.itm_area import loss
from phusong.coverage.propagation.itm_irregularity import WORKSPACE
from phusong.coverage.propagation.itm_terrain import _horizons
from phusong.coverage.sweep import site_losses
from phusong.coverage.terrain import Terrain, path_profile

CELL_M = 90.0
BANDS_MHZ = np.array([700.0, 1800.0, 3500.0])
MASTS_M = np.array([30.0, 60.0])
FIRST = np.array([0, 2, 3])  # two bands on the lower mast, one on the higher
SITE = (40.3, 35.8)


def hills(shape=(90, 84), seed=11):
    """Rough ground: noise summed over scales."""
    rng = np.random.default_rng(seed)
    height_m = np.zeros(shape)
    for scale in (3, 7, 15, 40):
        coarse = rng.normal(0.0, 4.0 * scale, (shape[0] // scale + 2, shape[1] // scale + 2))
        height_m += np.kron(coarse, np.ones((scale, scale)))[: shape[0], : shape[1]]
    return Terrain((height_m - height_m.min()).astype(np.float32), CELL_M)


@pytest.mark.parametrize(
    "model",
    [
        IrregularTerrain(),
        IrregularTerrain(0, 5, 301.0, 25.0, 0.02, 13, 90.0, 70.0, 50.0),
        IrregularTerrain(mdvar=0, situation_pct=90.0),
        IrregularTerrain(mdvar=32, time_pct=99.0),
    ],
)
def test_every_cell_is_the_point_call(model):
    terrain = hills()
    cells = np.argwhere(np.ones(terrain.height_m.shape, bool))[::29].astype(np.int32)
    ours_db = np.empty((len(cells), 3))
    site_losses(model, terrain.height_m, CELL_M, *SITE, cells, 1.5, MASTS_M, FIRST, BANDS_MHZ, ours_db)
    profile_m = np.empty(200)
    for cell, row in zip(cells, ours_db, strict=True):
        points, step_m = path_profile(terrain.height_m, CELL_M, *SITE, float(cell[0]), float(cell[1]), profile_m)
        for loss_db, frequency_mhz, mast_m in zip(row, BANDS_MHZ, (30.0, 30.0, 60.0), strict=True):
            expected_db, _ = point_to_point_loss(
                profile_m[:points],
                step_m,
                frequency_mhz=frequency_mhz,
                tx_height_m=mast_m,
                rx_height_m=1.5,
                **model._asdict(),
            )
            assert loss_db == pytest.approx(expected_db, abs=1e-9)


def one_db(model, ground_m, step_m, frequency_mhz=1800.0, mast_m=30.0, rx_height_m=1.5):
    loss_db = np.empty(1)
    loss(model, np.array(ground_m, float), step_m, mast_m, rx_height_m, np.array([frequency_mhz]), loss_db)
    return float(loss_db[0])


def test_unknown_only_where_the_model_refuses():
    model = resolve_model("itm")
    assert model == IrregularTerrain()
    assert not isnan(one_db(model, [10.0, 10.0], 1.0))
    assert one_db(model, [10.0, 10.0], 0.0) == pytest.approx(free_space_loss_db(30.0, 1800.0))
    assert isnan(one_db(model, [10.0, 10.0], 90.0, frequency_mhz=19.0))
    assert isnan(one_db(model, [10.0, 10.0], 0.0, frequency_mhz=19.0))
    assert isnan(one_db(model, [10.0, 10.0], 90.0, rx_height_m=0.4))
    assert isnan(one_db(model._replace(climate=8), [10.0, 10.0], 90.0))
    assert isnan(one_db(model, [9000.0, 9000.0], 90.0))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"climate": 8}, "climate"),
        ({"mdvar": 4}, "mdvar"),
        ({"time_pct": 100.0}, "time_pct"),
        ({"surface_refractivity": 200.0}, "surface_refractivity"),
    ],
)
def test_settings_are_checked_before_a_run(changed, named):
    check_model(IrregularTerrain(), BANDS_MHZ, MASTS_M, 1.5)
    with pytest.raises(ValueOutOfRange, match=named):
        check_model(IrregularTerrain()._replace(**changed), BANDS_MHZ, MASTS_M, 1.5)


@pytest.mark.parametrize(
    ("frequency_mhz", "mast_m", "rx_m", "named"),
    [(19.0, 30.0, 1.5, "frequency_mhz"), (1800.0, 0.4, 1.5, "tx_height_m"), (1800.0, 30.0, 0.3, "rx_height_m")],
)
def test_links_are_checked_before_a_run(frequency_mhz, mast_m, rx_m, named):
    with pytest.raises(ValueOutOfRange, match=named):
        check_model(IrregularTerrain(), [1800.0, frequency_mhz], [30.0, mast_m], rx_m)


def plain_horizons(ground_m, step_m, radius_m, tx_height_m, rx_height_m):
    """The steepest point of either end, taken one by one with NumPy."""
    last = len(ground_m) - 1
    tx_m, rx_m = ground_m[0] + tx_height_m, ground_m[-1] + rx_height_m
    d = np.arange(1, last) * step_m
    rest = last * step_m - d
    from_tx = np.append((ground_m[1:-1] - tx_m) / d - d / 2 / radius_m, (rx_m - tx_m) / last / step_m)
    from_tx[-1] -= last * step_m / 2 / radius_m
    from_rx = np.append((ground_m[1:-1] - rx_m) / rest - rest / 2 / radius_m, (tx_m - rx_m) / last / step_m)
    from_rx[-1] -= last * step_m / 2 / radius_m
    return from_tx, from_rx, np.append(d, last * step_m), np.append(rest, last * step_m)


@given(st.integers(2, 800), st.floats(20.0, 500.0), st.floats(0.0, 400.0), st.integers(0, 2**31))
def test_horizons_are_the_steepest_points(points, step_m, relief_m, seed):
    """Profiles longer than one block of points too."""
    ground_m = np.random.default_rng(seed).normal(0.0, 1.0, points).cumsum()
    ground_m *= relief_m / max(np.abs(ground_m).max(), 1.0)
    tx_rad, rx_rad, tx_m, rx_m = _horizons(ground_m, step_m, 8.5e6, 30.0, 1.5, np.empty(WORKSPACE))
    from_tx, from_rx, d, rest = plain_horizons(ground_m, step_m, 8.5e6, 30.0, 1.5)
    assert tx_rad == pytest.approx(from_tx.max(), abs=1e-12)
    assert rx_rad == pytest.approx(from_rx.max(), abs=1e-12)
    assert from_tx[np.argmin(np.abs(d - tx_m))] == pytest.approx(from_tx.max(), abs=1e-9)
    assert from_rx[np.argmin(np.abs(rest - rx_m))] == pytest.approx(from_rx.max(), abs=1e-9)
