"""Geostationary satellites against their element sets and a closed formula."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.satellite.frames import look_angles
from phusong.coverage.satellite.geostationary import VINASAT_DEG, geostationary
from phusong.coverage.satellite.orbits import Orbits
from phusong.coverage.satellite.tracks import tracks
from phusong.data_sources.orbits import read_orbits


def at(lat, lon):
    return np.array([[float(lat)]]), np.array([[float(lon)]])


@pytest.mark.parametrize("name", VINASAT_DEG)
def test_vinasat_stands_where_its_element_set_says(shared, name):
    read = read_orbits(shared("data/vietnam/celestrak_geo_2026-05-30.tle"))
    orbits = Orbits(**{column.name: getattr(read, column.name) for column in fields(Orbits)})
    one = orbits[orbits.name == name]
    day = tracks(one, float(one.epoch_days[0]), 24, 3600.0, epoch_every_s=600.0)
    for lat, lon in ((21.03, 105.85), (10.78, 106.70), (16.05, 108.2)):
        azimuth, elevation, _ = look_angles(lat, lon, 0.0, day.position_km[:, 0])
        got = geostationary(VINASAT_DEG[name], np.zeros((8, 1, 1), np.float32), *at(lat, lon))
        assert np.abs(elevation - got.elevation_deg).max() < 0.15
        assert np.abs(azimuth - got.azimuth_deg).max() < 0.15


@given(lat=st.floats(8.0, 23.5), lon=st.floats(102.0, 110.0), over=st.floats(80.0, 140.0))
def test_elevation_is_that_of_the_sphere_but_for_the_flattening(lat, lon, over):
    """tan(elevation) = (cos(g) - R / r) / sin(g), g the arc to the satellite's foot."""
    cosine = np.cos(np.radians(lat)) * np.cos(np.radians(over - lon))
    sphere = np.degrees(np.arctan2(cosine - 6378.137 / 42_164.2, np.sqrt(1.0 - cosine**2)))
    got = geostationary(over, np.zeros((4, 1, 1), np.float32), *at(lat, lon))
    assert got.elevation_deg[0, 0] == pytest.approx(sphere, abs=0.25)


def test_the_mask_is_read_in_the_satellite_s_own_direction():
    lat, lon = at(21.03, 105.85)
    azimuth = geostationary(132.0, np.zeros((36, 1, 1), np.float32), lat, lon).azimuth_deg[0, 0]
    toward = int(azimuth // 10)
    mask = np.zeros((36, 1, 1), np.float32)
    mask[toward], mask[toward + 1] = 20.0, 60.0
    got = geostationary(132.0, mask, lat, lon)
    read = 20.0 + 40.0 * (azimuth / 10.0 - toward)
    assert got.margin_deg[0, 0] == pytest.approx(got.elevation_deg[0, 0] - read, abs=1e-4)
    assert got.visible[0, 0] == (got.elevation_deg[0, 0] >= read)
    mask[toward : toward + 2] = 89.0
    assert not geostationary(132.0, mask, lat, lon).visible[0, 0]
    mask[:] = np.nan
    unknown = geostationary(132.0, mask, lat, lon)
    assert np.isnan(unknown.margin_deg[0, 0])
    assert not unknown.visible[0, 0]


def test_below_the_least_elevation_no_dish_is_pointed():
    assert not geostationary(30.0, np.zeros((4, 1, 1), np.float32), *at(21.0, 105.0)).visible[0, 0]


def test_masks_and_places_must_fit():
    with pytest.raises(ValueOutOfRange):
        geostationary(132.0, np.zeros((4, 2, 2), np.float32), *at(21.0, 105.0))
