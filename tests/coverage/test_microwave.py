"""Clearance of microwave paths against a plain twin, and where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.microwave import clearance
from phusong.coverage.terrain import Terrain

CELL_M = 90.0
RADIUS_M = 6371e3 * 4 / 3


def plain(terrain: Terrain, a, up_a, b, up_b, frequency_ghz: float) -> float:
    """One path, point by point, with the ground read bilinearly."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    cells = np.hypot(*(b - a))
    last = max(int(np.ceil(cells)), 1)
    share = np.arange(last + 1) / last
    row, col = (a + share[:, None] * (b - a)).T
    r0, c0 = (
        np.minimum(row.astype(int), terrain.height_m.shape[0] - 2),
        np.minimum(col.astype(int), terrain.height_m.shape[1] - 2),
    )
    down, right = row - r0, col - c0
    h = terrain.height_m.astype(float)
    ground = (h[r0, c0] * (1 - right) + h[r0, c0 + 1] * right) * (1 - down) + (
        h[r0 + 1, c0] * (1 - right) + h[r0 + 1, c0 + 1] * right
    ) * down
    whole = cells * terrain.cell_m
    near = share * whole
    ray = (ground[0] + up_a) * (1 - share) + (ground[-1] + up_b) * share
    bulge = near * (whole - near) / (2 * RADIUS_M)
    zone = np.sqrt(0.299792458 / frequency_ghz * near * (whole - near) / whole)
    inner = slice(1, -1)
    return float(np.min((ray - ground - bulge)[inner] / zone[inner], initial=np.inf))


@pytest.fixture(scope="module")
def hills() -> Terrain:
    row, col = np.mgrid[0:120, 0:150]
    random = np.random.default_rng(5)
    return Terrain(
        (200 + 90 * np.sin(row / 9) * np.cos(col / 13) + 10 * random.random(row.shape)).astype(np.float32), CELL_M
    )


def test_the_kernel_agrees_with_its_plain_twin(hills):
    random = np.random.default_rng(2)
    high = np.array(hills.height_m.shape) - 1.0
    a, b = random.random((60, 2)) * high, random.random((60, 2)) * high
    up_a, up_b = random.uniform(10, 80, (2, 60))
    found = clearance(hills, a, up_a, b, up_b, 7.0)
    expected = [plain(hills, *one, 7.0) for one in zip(a, up_a, b, up_b, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert 0.1 < np.mean(found >= 0.6) < 0.9
    np.testing.assert_allclose(clearance(hills, b, up_b, a, up_a, 7.0), found, rtol=1e-6, atol=1e-6)


def test_over_level_ground_the_bulge_and_the_zone_are_met_in_the_middle():
    """27 km at 7 GHz: F1 = 17.0 m in the middle, the Earth rises 10.7 m there; 30 m masts clear (30 - 10.7) / 17.0."""
    level = Terrain(np.zeros((3, 301), np.float32), CELL_M)
    (found,) = clearance(level, [[1, 0]], [30.0], [[1, 300]], [30.0], 7.0)
    assert found == pytest.approx((30.0 - 10.73) / 17.00, abs=0.005)


def test_unknown_ground_and_masts_off_the_raster_are_no_sight(hills):
    height_m = hills.height_m.copy()
    height_m[60, 70:80] = np.nan
    holed = Terrain(height_m, CELL_M)
    found = clearance(
        holed, [[10, 75], [10, 10], [-3, 5], [4, 4]], 40.0, [[110, 75], [10, 20], [5, 5], [4.2, 4.3]], 40.0, 7.0
    )
    assert np.isnan(found[[0, 2]]).all()
    assert np.isfinite(found[1])
    assert found[3] == np.inf


def test_nonsense_is_refused(hills):
    with pytest.raises(ValueOutOfRange, match="frequency_ghz = 0"):
        clearance(hills, [[1, 1]], [30.0], [[2, 2]], [30.0], 0.0)
