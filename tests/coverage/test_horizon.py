"""The horizon against marches written for these tests, and against what others computed."""

from __future__ import annotations

from math import cos, degrees, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.horizon import horizon_deg

AZIMUTHS = np.arange(0.0, 360.0, 22.5)


def hills(seed: int, side: int = 60, height_m: float = 400.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rough = rng.standard_normal((side, side))
    smooth = np.fft.ifft2(np.fft.fft2(rough) * np.exp(-((np.fft.fftfreq(side) * 25)[:, None] ** 2))).real
    return (height_m * smooth / np.abs(smooth).max() + 2.0 * rough).astype(np.float32)


def marched_deg(height_m, cell_m, row, col, azimuth_deg, eye_height_m, earth_radius_m, step=0.02):
    """Every fiftieth of a cell on the bilinear surface, to the edge of the raster."""
    rows, cols = height_m.shape
    distance = np.arange(step, rows + cols, step)
    y = row - cos(radians(azimuth_deg)) * distance
    x = col + sin(radians(azimuth_deg)) * distance
    inside = (y >= 0) & (x >= 0) & (y <= rows - 1) & (x <= cols - 1)
    if not inside.any():
        return -90.0
    y, x, ray_m = y[inside], x[inside], distance[inside] * cell_m
    r, c = np.minimum(y.astype(int), rows - 2), np.minimum(x.astype(int), cols - 2)
    down, right = y - r, x - c
    h = height_m.astype(float)
    upper = h[r, c] * (1 - right) + h[r, c + 1] * right
    lower = h[r + 1, c] * (1 - right) + h[r + 1, c + 1] * right
    ground = upper * (1 - down) + lower * down
    return degrees(np.arctan(((ground - h[row, col] - eye_height_m) / ray_m - ray_m / (2 * earth_radius_m)).max()))


def test_horizon_of_hills_is_that_of_a_fine_march():
    height_m = hills(1, height_m=150.0)
    rng = np.random.default_rng(2)
    seen = horizon_deg(height_m, 90.0, AZIMUTHS, earth_radius_km=8500.0)
    cells = rng.integers(5, 55, (150, 2))  # at the very edge one sample more or less is the whole view
    error = [
        seen[a, r, c] - marched_deg(height_m, 90.0, r, c, azimuth, 2.0, 8.5e6)
        for r, c in cells
        for a, azimuth in enumerate(AZIMUTHS)
    ]
    assert np.sqrt(np.mean(np.square(error))) < 0.07
    assert np.max(np.abs(error)) < 1.2


def test_horizon_against_the_reference_marches(shared):
    fine = np.load(shared("validation/satellite/horizon_ref_fine_bilinear.npz"))
    triangles = np.load(shared("validation/satellite/horizon_ref_horayzon.npz"))
    first = int(fine["offset"])
    window = slice(first, first + fine["horizon_deg"].shape[0])
    seen = horizon_deg(
        fine["dem"], float(fine["dx_m"]), np.degrees(fine["azim_rad"]), eye_height_m=float(fine["ray_origin_m"]),
        earth_radius_km=np.inf,
    )[:, window, window].transpose(1, 2, 0)  # fmt: skip
    assert np.sqrt(np.mean((seen - fine["horizon_deg"]) ** 2)) < 0.07
    # Another surface, triangles for bilinear patches, differs more than the algorithms do: 0.97 degrees rms between
    # the two references themselves.
    other = np.degrees(triangles["horizon_rad"])
    between = np.sqrt(np.mean((other - fine["horizon_deg"]) ** 2))
    assert np.sqrt(np.mean((seen - other) ** 2)) == pytest.approx(between, abs=0.01)


def test_one_ridge_is_seen_at_its_own_angle():
    height_m = np.zeros((80, 80), np.float32)
    height_m[:, 60] = 500.0
    east = horizon_deg(height_m, 90.0, [90.0], eye_height_m=2.0, earth_radius_km=8500.0)[0, 40]
    for col in (0, 20, 50, 58):
        distance_m = (60 - col) * 90.0
        assert east[col] == pytest.approx(degrees(np.arctan(498.0 / distance_m - distance_m / 1.7e7)), abs=1e-3)
    assert horizon_deg(height_m, 90.0, [90.0])[0, 40, 79] == -90.0  # the raster ends here


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), azimuth=st.floats(0, 360), lift=st.floats(-500, 500))
def test_turning_and_lifting_the_ground_turns_and_keeps_the_horizon(seed, azimuth, lift):
    height_m = hills(seed, side=40)
    seen = horizon_deg(height_m, 90.0, [azimuth])[0]
    turned = horizon_deg(np.rot90(height_m, -1).copy(), 90.0, [azimuth + 90.0])[0]
    np.testing.assert_allclose(np.rot90(seen, -1), turned, atol=2e-2)
    np.testing.assert_allclose(horizon_deg(height_m + np.float32(lift), 90.0, [azimuth])[0], seen, atol=2e-2)


def test_unknown_ground_hides_nothing_and_threads_change_nothing():
    height_m = hills(3)
    height_m[20:30, 20:30] = np.nan
    one = horizon_deg(height_m, 90.0, AZIMUTHS, threads=1)
    assert np.isnan(one[:, 20:30, 20:30]).all()
    assert np.isfinite(one[:, 31:, 31:]).all()
    flat = np.where(np.isnan(height_m), -1000.0, height_m).astype(np.float32)
    np.testing.assert_allclose(one[:, 40, 40], horizon_deg(flat, 90.0, AZIMUTHS)[:, 40, 40])
    assert one.tobytes() == horizon_deg(height_m, 90.0, AZIMUTHS, threads=2).tobytes()


def test_an_eye_in_the_ground_is_refused():
    with pytest.raises(ValueOutOfRange):
        horizon_deg(np.zeros((4, 4), np.float32), 90.0, [0.0], eye_height_m=0.0)
