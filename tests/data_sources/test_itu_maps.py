"""Digital maps of the ITU-R: made ones everywhere, and the validation rows where the real ones are installed."""

from __future__ import annotations

from collections.abc import Callable
from math import log10
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from phusong.coverage.satellite.attenuation.climate import Climate
from phusong.coverage.satellite.attenuation.p837 import rain_chance_pct, rain_rate_mm_h
from phusong.coverage.satellite.attenuation.p840 import (
    cloud_attenuation_db,
    liquid_coefficient_9_db,
    lognormal_column_kg_m2,
)
from phusong.coverage.satellite.attenuation.slant import Dish, slant_loss_db
from phusong.data_sources.errors import RasterMissing, RasterUnreadable
from phusong.data_sources.itu_maps import (
    ISOTHERM,
    RAIN_RATE,
    SURFACE,
    VAPOUR,
    VAPOUR_GROUND,
    Grid,
    ItuMaps,
    find_itu_maps,
)

Table = dict[str, NDArray[np.float64]]
Shared = Callable[[str], Path]
FOLDER = "validation/satellite/itur_test_data/test/test_data"


def plane(grid: Grid, north: float, east: float, constant: float) -> NDArray[np.float64]:
    """A map that rises evenly; bilinear and cubic interpolation leave it as it is."""
    latitude = grid.latitude_deg + grid.latitude_step_deg * np.arange(grid.rows)[:, None]
    longitude = grid.longitude_deg + grid.longitude_step_deg * np.arange(grid.columns)
    return np.asarray(constant + north * latitude + east * longitude)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ItuMaps:
    folder = tmp_path_factory.mktemp("bản đồ")
    files = {
        "837/v7_r001": plane(RAIN_RATE, 0.5, 0.1, 60.0),
        "839/v4_esa0height": plane(ISOTHERM, 0.01, 0.0, 4.5),
        "1510/v1_t_annual": plane(SURFACE, -0.2, 0.01, 300.0),
        "453/v13_nwet_annual_50": plane(SURFACE, 0.0, 0.1, 100.0),
        "836/v6_topo_0dot5": plane(VAPOUR_GROUND, 0.01, 0.002, 0.1),
        "836/v6_rho_1": plane(VAPOUR, 0.0, 0.0, 20.0),
        "836/v6_v_1": plane(VAPOUR, 0.0, 0.0, 60.0),
        "836/v6_vsch_1": plane(VAPOUR, 0.0, 0.0, 3.0),
        "840/v7_lred_1": plane(VAPOUR, 0.02, 0.01, 2.0),
        "840/v7_lred_2": plane(VAPOUR, 0.0, 0.0, 1.0),
        "840/v7_sigma": plane(VAPOUR, 0.0, 0.0, 0.5),
        "840/v7_m": plane(VAPOUR, 0.0, 0.0, -0.2),
        "840/v7_pclw": plane(VAPOUR, 0.0, 0.0, 70.0),
    }
    for name, values in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        np.savez_compressed(folder / f"{name}.npz", values)
    found = find_itu_maps(folder)
    assert found is not None
    return found


def test_values_between_the_grid_points(made: ItuMaps) -> None:
    latitude, longitude = np.array([[21.03, 9.999], [16.5, 23.39]]), np.array([[105.85, 104.71], [107.5, 105.3]])
    values = made.climate(latitude, longitude, 0.4)
    assert values["rain_rate_mm_h"] == pytest.approx(60.0 + 0.5 * latitude + 0.1 * longitude)
    assert values["zero_isotherm_km"] == pytest.approx(4.5 + 0.01 * latitude)
    assert values["temperature_k"] == pytest.approx(300.0 - 0.2 * latitude + 0.01 * longitude)
    assert values["wet_refractivity"] == pytest.approx(100.0 + 0.1 * longitude)
    assert values["liquid_kg_m2"] == pytest.approx(2.0 + 0.02 * latitude + 0.01 * longitude)
    assert values["cloudy_pct"] == pytest.approx(np.full((2, 2), 70.0))
    climate = Climate(**values)
    assert slant_loss_db(12.0, 40.0, 0.1, climate, latitude, 0.4).total_db.shape == (2, 2)


def test_water_vapour_thins_out_from_the_map_s_ground(made: ItuMaps) -> None:
    """At a grid point, where nothing is weighted; the cubic ground of an even slope is the slope."""
    latitude, longitude = VAPOUR.latitude_deg - 62 * 1.125, 94 * 1.125
    ground_km = 0.1 + 0.01 * latitude + 0.002 * longitude
    density = made.vapour_g_m3(latitude, longitude, [ground_km, ground_km + 3.0])
    assert density == pytest.approx([20.0, 20.0 / np.e])


def test_shares_between_two_maps(made: ItuMaps) -> None:
    low, high = made.liquid_kg_m2(21.0, 105.0, 1.0), made.liquid_kg_m2(21.0, 105.0, 2.0)
    part = log10(1.5) / log10(2.0)
    assert made.liquid_kg_m2(21.0, 105.0, 1.5) == pytest.approx((1.0 - part) * low + part * high)
    with pytest.raises(RasterMissing, match="share of the year"):
        made.liquid_kg_m2(21.0, 105.0, 0.05)


def test_maps_that_are_not_as_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(RasterMissing, match="holds no digital maps"):
        find_itu_maps(tmp_path)
    (tmp_path / "837").mkdir()
    path = tmp_path / "837" / "v7_r001.npz"
    path.write_bytes(b"not a map")
    maps = ItuMaps(tmp_path)
    with pytest.raises(RasterUnreadable, match="cannot be read"):
        maps.rain_rate_mm_h(21.0, 105.0)
    with pytest.raises(RasterMissing, match="not there"):
        maps.temperature_k(21.0, 105.0)
    (tmp_path / "839").mkdir()
    np.savez(tmp_path / "839" / "v4_esa0height.npz", np.zeros((4, 4)))
    with pytest.raises(RasterUnreadable, match="another grid"):
        maps.zero_isotherm_km(21.0, 105.0)


@pytest.fixture(scope="module")
def real() -> ItuMaps:
    maps = find_itu_maps()
    if maps is None:
        pytest.skip("the digital maps of the ITU-R (package itur) are not installed")
    return maps


def read_rows(shared: Shared, name: str) -> Table:
    names, _, *lines = (shared(FOLDER) / name).read_text(encoding="latin-1").splitlines()
    titles = [title.strip() for title in names.split(",")]
    rows = [[float(cell) for cell in line.split(",")[: len(titles)]] for line in lines if line.strip(", ")]
    return dict(zip(titles, np.array(rows).T, strict=True))


def test_plain_maps(real: ItuMaps, shared: Shared) -> None:
    for name, value, column, rows in (
        ("453/ITURP453-14_Nwet.csv", real.wet_refractivity, "Nwet", 8),
        ("837/ITURP837-7_rainfall_rate_R001.csv", real.rain_rate_mm_h, "Rp", 8),
        ("839/ITURP839-4_rain_height.csv", real.zero_isotherm_km, "h0", 8),
        ("1510/ITURP1510-1_temperature.csv", real.temperature_k, "T", 64),
    ):
        row = read_rows(shared, name)
        assert row["lat"].size == rows
        assert np.abs(value(row["lat"], row["lon"]) - row[column]).max() < 1e-5, name


def test_water_and_clouds(real: ItuMaps, shared: Shared) -> None:
    row = read_rows(shared, "840/ITURP840-8_columnar_content_reduced_liquid.csv")
    ours = [float(real.liquid_kg_m2(*place, 8)) for place in zip(row["lat"], row["lon"], row["p"], strict=True)]
    assert np.abs(np.array(ours) - row["Lred"]).max() < 1e-5
    for name, value, column in (
        ("surface_water_vapour_density", real.vapour_g_m3, "rho"),
        ("total_water_vapour_content", real.vapour_kg_m2, "V"),
    ):
        row = read_rows(shared, f"836/ITURP836-6_{name}_annual.csv")
        places = zip(row["lat"], row["lon"], row["alt"], row["p"], strict=True)
        assert np.abs(np.array([float(value(*place)) for place in places]) - row[column]).max() < 1e-5, name


def test_rain_of_the_months(real: ItuMaps, shared: Shared) -> None:
    row = read_rows(shared, "837/ITURP837-7_rainfall_rate_probability.csv")
    assert rain_chance_pct(*real.monthly(row["lat"], row["lon"])) == pytest.approx(row["p"], abs=1e-5)
    row = read_rows(shared, "837/ITURP837-7_rainfall_rate.csv")
    assert row["p"].size == 40
    for latitude, longitude, share_pct, theirs in zip(*(row[name] for name in ("lat", "lon", "p", "Rp")), strict=True):
        assert rain_rate_mm_h(share_pct, *real.monthly(latitude, longitude)) == pytest.approx(theirs, abs=1e-3)


def test_clouds_of_the_ninth_edition(real: ItuMaps, shared: Shared) -> None:
    if real.cloud_edition < 9:
        pytest.skip("the maps of ITU-R P.840-9 are not installed")
    row = read_rows(shared, "840/ITURP840-9_columnar_content_reduced_liquid.csv")
    ours = [float(real.liquid_kg_m2(*place)) for place in zip(row["lat"], row["lon"], row["p"], strict=True)]
    assert np.abs(np.array(ours) - row["Lred"]).max() < 1e-5
    row = read_rows(shared, "840/ITURP840-9_cloud_attenuation.csv")
    for lat, lon, f, el, p, theirs in zip(*(row[n] for n in ("lat", "lon", "f", "el", "p", "Ac")), strict=True):
        ours_db = cloud_attenuation_db(real.liquid_kg_m2(lat, lon, p), liquid_coefficient_9_db(f), el)
        assert ours_db == pytest.approx(theirs, abs=1e-5)
    row = read_rows(shared, "840/ITURP840-9_cloud_attenuation_lognormal.csv")
    for lat, lon, f, el, p, theirs in zip(*(row[n] for n in ("lat", "lon", "f", "el", "p", "Ac")), strict=True):
        mean, deviation, cloudy = real.liquid_lognormal(lat, lon)
        column = np.nan_to_num(lognormal_column_kg_m2(p, mean, deviation, np.maximum(cloudy, 1e-9)))
        assert cloud_attenuation_db(column, liquid_coefficient_9_db(f), el) == pytest.approx(theirs, abs=1e-5)


def test_the_whole_chain(real: ItuMaps, shared: Shared) -> None:
    """Edition 13 with the clouds of P.840-8. The rows take the rain rate from the months where the map differs.

    Their own rain differs by up to 2.1e-4 dB from the same rows of the rain's file, which we meet to 1e-6.
    """
    row = read_rows(shared, "618/ITURP618-13_A_total.csv")
    rain = read_rows(shared, "618/ITURP618-13_A_rain.csv")
    rates = dict(zip(rain["lat"], rain["R001"], strict=True))
    names = ("lat", "lon", "hs", "f", "el", "p", "D", "eta", "tau", "A_total")
    apart = []
    for lat, lon, height_km, f, el, p, diameter, efficiency, tilt, theirs in zip(*(row[n] for n in names), strict=True):
        values = real.climate(lat, lon, height_km) | {"cloud_edition": 8, "rain_rate_mm_h": rates[lat]}
        values["liquid_kg_m2"] = real.liquid_kg_m2(lat, lon, edition=8)
        loss = slant_loss_db(f, el, p, Climate(**values), lat, height_km, Dish(diameter, efficiency, tilt))
        apart.append(float(loss.total_db) - theirs)
    assert len(apart) == 64
    assert np.abs(apart).max() < 2.5e-4
