"""Satellites sorted by direction against their own look angles, and averages over them against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.directions import averaged_over_sky, directions, elevation_edges_deg
from phusong.coverage.satellite.frames import look_angles
from phusong.coverage.satellite.orbits import walker_shell
from phusong.coverage.satellite.tracks import Tracks, tracks
from phusong.coverage.satellite.visibility import Usable

DAYS, AZIMUTHS = 27_909.0, 16
PLACES = ([21.4, 10.2], [105.6, 106.0])


@pytest.fixture(scope="module")
def sky() -> Tracks:
    return tracks(walker_shell(550.0, 53.0, 720, 36, 11, epoch_days=DAYS), DAYS, 60, 60.0)


def test_classes_end_at_the_zenith_and_are_narrow():
    for least in (5.0, 25.0, 47.3, 88.0):
        edges = elevation_edges_deg(least)
        assert (edges[0], edges[-1]) == (least, 90.0)
        assert np.diff(edges).max() <= 5.0 + 1e-9


def test_each_satellite_stands_in_one_direction(sky):
    edges = elevation_edges_deg(25.0)
    found = directions(sky, Usable(25.0), *PLACES, AZIMUTHS, edges)
    assert found.shape == (2, AZIMUTHS, len(edges) - 1)
    for n, (lat, lon) in enumerate(zip(*PLACES, strict=True)):
        azimuth, elevation, _ = look_angles(lat, lon, 0.0, sky.position_km)
        seen = elevation >= 25.0
        assert found[n].sum() == pytest.approx(seen.sum() / len(seen))
        high = seen & (elevation >= edges[-4])
        assert found[n][:, -3:].sum() == pytest.approx(high.sum() / len(seen))
        north = seen & ((azimuth >= 360.0 - 180.0 / AZIMUTHS) | (azimuth < 180.0 / AZIMUTHS))
        assert found[n][0].sum() == pytest.approx(north.sum() / len(seen))


def test_the_geostationary_arc_is_left_out(sky):
    edges = elevation_edges_deg(25.0)
    open_sky, kept = (directions(sky, Usable(25.0, gso_exclusion_deg=e), 10.0, 106.0, 4, edges) for e in (0.0, 20.0))
    assert (kept <= open_sky + 1e-12).all()
    # At 10 degrees north the arc passes 78 degrees high in the south: nothing above 70 there is left.
    assert open_sky[0, 2, 9:].sum() > 0.0
    assert kept[0, 2, 9:].sum() == 0.0
    assert kept[0, 0, :3].sum() == pytest.approx(open_sky[0, 0, :3].sum())


def plain(horizon, density, place_of, edges, table, at_row, at_col, at_height):
    """The same average, cell by cell."""
    mean = np.full((len(table), *horizon.shape[1:]), np.nan)
    for r, c in np.ndindex(horizon.shape[1:]):
        mask = horizon[:, r, c].astype(float)
        if np.isnan(mask).any() or np.isnan(at_height[r, c]):
            continue
        part = np.clip((edges[1:] - mask[:, None]) / np.diff(edges), 0.0, 1.0)
        seen = (density[place_of[r, c]] * part).sum(axis=0)
        if seen.sum() == 0.0:
            continue
        here = table.astype(float)
        for axis, at in ((-3, at_row[r, c]), (-2, at_col[r, c]), (-1, at_height[r, c])):
            low = min(int(at), here.shape[axis] - 2) if here.shape[axis] > 1 else 0
            high = min(low + 1, here.shape[axis] - 1)
            share = at - low
            here = (1 - share) * here.take([low], axis) + share * here.take([high], axis)
        mean[:, r, c] = (here[..., 0, 0, 0] * seen).sum(axis=1) / seen.sum()
    return mean


def test_averages_as_by_plain_numpy():
    rng = np.random.default_rng(5)
    edges = elevation_edges_deg(25.0)
    classes, shape = len(edges) - 1, (7, 9)
    horizon = rng.uniform(0.0, 80.0, (AZIMUTHS, *shape)).astype(np.float32)
    horizon[:, 0, 0] = np.nan
    horizon[:, 1, 1] = 90.0
    density = rng.random((2, AZIMUTHS, classes))
    place_of = rng.integers(0, 2, shape)
    for rows, cols, heights in ((3, 4, 5), (1, 1, 2)):
        table = rng.random((4, classes, rows, cols, heights)).astype(np.float32)
        at = [rng.uniform(0.0, size - 1, shape) for size in (rows, cols, heights)]
        at[2][2, 2] = np.nan
        at[0][3, 3], at[1][3, 3], at[2][3, 3] = rows - 1, cols - 1, heights - 1
        mean = np.empty((4, *shape), np.float32)
        averaged_over_sky(horizon, density, place_of, edges, table, *at, mean)
        np.testing.assert_allclose(mean, plain(horizon, density, place_of, edges, table, *at), rtol=2e-6)
        assert np.isnan(mean[:, [0, 1, 2], [0, 1, 2]]).all()


def test_nothing_to_sort_into(sky):
    with pytest.raises(ValueOutOfRange, match="directions"):
        directions(sky, Usable(25.0), [], [], 4, elevation_edges_deg(25.0))
