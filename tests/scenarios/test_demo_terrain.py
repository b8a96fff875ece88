"""The land of the demo province: its spectrum against a periodogram, its paths against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from phusong.scenarios.demo.paths import least_cost
from phusong.scenarios.demo.terrain import CELL_M, HEIGHT_SD_M, HURST, OUTER_SCALE_M, SHAPE, spectral_surface


def test_the_random_surface_has_the_spectrum_asked_for() -> None:
    """Windowed periodogram: the power law below the outer scale, and the corner at it."""
    power = 0.0
    for seed in range(3):
        surface = spectral_surface(SHAPE, CELL_M, HURST, OUTER_SCALE_M, HEIGHT_SD_M, np.random.default_rng(seed))
        assert surface.std() == pytest.approx(HEIGHT_SD_M)
        assert surface.mean() == pytest.approx(0.0, abs=1e-6)
        window = np.hanning(SHAPE[0])[:, None] * np.hanning(SHAPE[1])[None, :]
        power = power + np.abs(np.fft.rfft2(surface * window)) ** 2
    k = np.hypot(np.fft.fftfreq(SHAPE[0], CELL_M)[:, None], np.fft.rfftfreq(SHAPE[1], CELL_M)[None, :])

    small = (k > 1 / 3_000) & (k < 1 / 400)
    exponent = np.polyfit(np.log(k[small]), np.log(power[small]), 1)[0]
    assert exponent == pytest.approx(-2 * (HURST + 1), abs=0.1)

    def mean_power(longest_m: float, shortest_m: float) -> float:
        return float(power[(k > 1 / longest_m) & (k < 1 / shortest_m)].mean())

    law = (1 + (OUTER_SCALE_M / 4_000) ** 2) ** (HURST + 1) / (1 + (OUTER_SCALE_M / 30_000) ** 2) ** (HURST + 1)
    assert mean_power(36_000, 25_000) / mean_power(4_100, 3_900) == pytest.approx(law, rel=0.5)


def test_paths_cost_what_scipy_says() -> None:
    rng = np.random.default_rng(5)
    rows, cols = 23, 31
    height = rng.normal(0, 40, (rows, cols)).astype(np.float32)
    friction = rng.uniform(1, 3, (rows, cols)).astype(np.float32)
    friction[5:18, 12] = np.inf
    starts = np.array([3, 400])
    paths = least_cost(height, friction, 90.0, starts, easy_grade=0.2)

    a, b, cost = [], [], []
    for r, c in np.ndindex(rows, cols):
        for nr, nc in ((r, c + 1), (r + 1, c - 1), (r + 1, c), (r + 1, c + 1)):
            if nr < rows and 0 <= nc < cols and np.isfinite(friction[r, c] + friction[nr, nc]):
                far = 90.0 * np.hypot(nr - r, nc - c)
                grade = float(height[nr, nc] - height[r, c]) / far
                a.append(r * cols + c)
                b.append(nr * cols + nc)
                cost.append(far * float(friction[r, c] + friction[nr, nc]) / 2 * (1 + (grade / 0.2) ** 2))
    graph = sparse.csr_array((cost, (a, b)), shape=(rows * cols, rows * cols))
    np.testing.assert_allclose(paths.cost, dijkstra(graph, directed=False, indices=starts).min(axis=0), rtol=1e-6)
    way = paths.way(rows * cols - 1)
    assert way[0] == rows * cols - 1
    assert way[-1] == starts[paths.start[way[0]]]
