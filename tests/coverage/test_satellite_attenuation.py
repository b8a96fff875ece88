"""Attenuation on slant paths against the validation examples of ITU-R Study Group 3 and against itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri

from phusong.coverage.errors import CoverageError
from phusong.coverage.satellite.attenuation import p676, p840
from phusong.coverage.satellite.attenuation.climate import REGIONS, Climate, vietnam
from phusong.coverage.satellite.attenuation.p618_depolarisation import discrimination_db
from phusong.coverage.satellite.attenuation.p618_rain import rain_attenuation_db, rain_on_path_pct
from phusong.coverage.satellite.attenuation.p618_scintillation import scintillation_db
from phusong.coverage.satellite.attenuation.p618_total import sky_noise_k, total_attenuation_db
from phusong.coverage.satellite.attenuation.p835 import reference_pressure_hpa
from phusong.coverage.satellite.attenuation.p837 import rain_chance_pct, rain_months, rain_rate_mm_h
from phusong.coverage.satellite.attenuation.p838 import specific_attenuation_db_km
from phusong.coverage.satellite.attenuation.p839 import rain_height_km
from phusong.coverage.satellite.attenuation.slant import VAPOUR_NODES, Dish, slant_loss_db

Table = dict[str, NDArray[np.float64]]
Shared = Callable[[str], Path]
FOLDER = "validation/satellite/itur_test_data/test/test_data"
MAPS = "digital maps, which may not be given on: tests/data_sources/test_itu_maps.py where they are"

# Every file of the validation set: rows, rows used here, largest difference allowed, and why the others are not.
# Values are printed to nine digits, those of the newer editions in full.
LEDGER: dict[str, tuple[int, int, float, str]] = {
    "618/ITURP618-13_A_rain.csv": (64, 64, 1e-6, ""),
    "618/ITURP618-13_A_sci.csv": (64, 64, 1e-8, ""),
    "618/ITURP618-13_A_total.csv": (64, 64, 1e-7, ""),
    "618/ITURP618-13_A_xpd.csv": (64, 64, 1e-7, ""),
    "618/ITURP618-14_A_rain.csv": (64, 64, 1e-6, ""),
    "618/ITURP618-14_A_sci.csv": (48, 48, 1e-8, ""),
    "618/ITURP618-14_A_xpd.csv": (64, 64, 1e-7, ""),
    "618/ITURP618-14_A_total.csv": (48, 0, 0.0, "edition 14 adds up newer gases and clouds; the total is edition 13's"),
    "676/ITURP676-12_gamma.csv": (355, 355, 1e-8, ""),
    "676/ITURP676-12_A_gas.csv": (64, 64, 2e-9, ""),
    "676/ITURP676-12_zenith_attenuation.csv": (64, 64, 2e-9, ""),
    "676/ITURP676-13_gamma.csv": (350, 350, 1e-12, ""),
    "676/ITURP676-13_A_gas.csv": (10, 0, 0.0, "edition 13's oxygen height is a table that may not be given on"),
    "838/ITURP838-3_rain_specific_attenuation.csv": (64, 64, 1e-8, ""),
    "839/ITURP839-4_rain_height.csv": (8, 8, 1e-8, ""),
    # the columns stand in another file for places rounded to 0.01 degrees
    "840/ITURP840-8_cloud_attenuation.csv": (64, 64, 2e-4, ""),
    "840/ITURP840-9_cloud_attenuation.csv": (32, 17, 1e-12, "columns of the other places: " + MAPS),
    "840/ITURP840-9_cloud_attenuation_lognormal.csv": (32, 0, 0.0, MAPS),
    "840/ITURP840-9_columnar_content_reduced_liquid.csv": (17, 0, 0.0, "input of the row above, a map"),
    "840/ITURP840-8_columnar_content_reduced_liquid.csv": (64, 0, 0.0, MAPS),
    "453/ITURP453-14_Nwet.csv": (8, 0, 0.0, MAPS),
    "836/ITURP836-6_surface_water_vapour_density_annual.csv": (32, 0, 0.0, MAPS),
    "836/ITURP836-6_total_water_vapour_content_annual.csv": (32, 0, 0.0, MAPS),
    "837/ITURP837-7_rainfall_rate.csv": (40, 0, 0.0, MAPS),
    "837/ITURP837-7_rainfall_rate_R001.csv": (8, 0, 0.0, MAPS),
    "837/ITURP837-7_rainfall_rate_probability.csv": (8, 0, 0.0, MAPS),
    "1510/ITURP1510-1_temperature.csv": (64, 0, 0.0, MAPS),
    "1511/ITURP1511-1_topographic_altitude.csv": (8, 0, 0.0, "heights come from the scenario's terrain"),
    "1511/ITURP1511-2_topographic_altitude.csv": (9, 0, 0.0, "heights come from the scenario's terrain"),
    "1623/ITURP1623-1_fade_duration_params.csv": (11, 0, 0.0, "durations of fades are not computed"),
    "1623/ITURP1623-1_number_of_fades.csv": (89, 0, 0.0, "durations of fades are not computed"),
}


def read_rows(shared: Shared, name: str) -> Table:
    """Columns of a file of the validation set: a line of names, a line of units, rows."""
    names, _, *lines = (shared(FOLDER) / name).read_text(encoding="latin-1").splitlines()
    titles = [title.strip() for title in names.split(",")]
    rows = [[float(cell) for cell in line.split(",")[: len(titles)]] for line in lines if line.strip(", ")]
    return dict(zip(titles, np.array(rows).T, strict=True))


def close(name: str, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> None:
    """All rows that the ledger counts agree as closely as it says."""
    _, used, tolerance, _ = LEDGER[name]
    assert ours.shape == theirs.shape == (used,)
    assert np.abs(ours - theirs).max() <= tolerance


def each(formula: Callable[..., Any], *columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """A formula whose first argument is one frequency, row by row."""
    return np.array([float(formula(*row)) for row in zip(*columns, strict=True)])


def test_the_ledger_names_every_row(shared: Shared) -> None:
    files = {path.relative_to(shared(FOLDER)).as_posix() for path in shared(FOLDER).glob("*/*.csv")}
    assert files == set(LEDGER)
    assert all(next(iter(read_rows(shared, name).values())).size == LEDGER[name][0] for name in files)
    assert sum(rows for rows, *_ in LEDGER.values()) == 1913
    assert sum(used for _, used, *_ in LEDGER.values()) == 1418
    assert all(reason for rows, used, _, reason in LEDGER.values() if used < rows)


@pytest.mark.parametrize("edition", ["13", "14"])
def test_rain_attenuation(edition: str, shared: Shared) -> None:
    name = f"618/ITURP618-{edition}_A_rain.csv"
    row = read_rows(shared, name)
    top_km = row["hs"] + row["Ls"] * np.sin(np.radians(row["el"]))
    place = (row["R001"], top_km, row["hs"], row["lat"], row["tau"])
    close(name, each(rain_attenuation_db, row["f"], row["el"], row["p"], *place), row["A_rain"])
    on_path_pct = rain_on_path_pct(100.0 * row["P0"], row["el"], row["Ls"])
    close(name, on_path_pct, row["P_rain"])


@pytest.mark.parametrize("edition", ["13", "14"])
def test_scintillation(edition: str, shared: Shared) -> None:
    name = f"618/ITURP618-{edition}_A_sci.csv"
    row, places = read_rows(shared, name), read_rows(shared, "618/ITURP618-13_A_sci.csv")
    wet = dict(zip(places["lat"].round(2), places["N_wet"], strict=True))
    refractivity = np.array([wet[latitude] for latitude in row["lat"].round(2)])
    ours_db = scintillation_db(row["f"], row["el"], row["p"], refractivity, row["D"], row["eta"])
    close(name, ours_db, row["A_scin"])


@pytest.mark.parametrize("edition", ["13", "14"])
def test_cross_polarisation(edition: str, shared: Shared) -> None:
    name = f"618/ITURP618-{edition}_A_xpd.csv"
    row = read_rows(shared, name)
    close(name, discrimination_db(row["f"], row["el"], row["p"], row["Ap"], row["tau"]), row["XPD"])


def test_total_of_the_printed_parts(shared: Shared) -> None:
    """Below 1 % of the year gas and cloud are those of 1 %: the columns A_gas_1 and A_clouds_1."""
    name = "618/ITURP618-13_A_total.csv"
    row = read_rows(shared, name)
    ours_db = total_attenuation_db(row["A_gas_1"], row["A_clouds_1"], row["A_rain"], row["A_scin"])
    close(name, ours_db, row["A_total"])


@pytest.mark.parametrize("edition", ["12", "13"])
def test_specific_attenuation_of_gases(edition: str, shared: Shared) -> None:
    name = f"676/ITURP676-{edition}_gamma.csv"
    row = read_rows(shared, name)
    air = (row["f"], row["P"], row["rho"], row["T"])
    oxygen, vapour = p676.oxygen_db_km(*air), p676.vapour_db_km(*air)
    close(name, oxygen, row["gamma0"])
    close(name, vapour, row["gammaw"])
    close(name, oxygen + vapour, row["gamma"])


def test_gas_on_slant_paths(shared: Shared) -> None:
    name = "676/ITURP676-12_zenith_attenuation.csv"
    row = read_rows(shared, name)
    close(name, each(p676.zenith_vapour_db, row["f"], row["V_t"], row["h"]), row["Aw"])
    name = "676/ITURP676-12_A_gas.csv"
    row = read_rows(shared, name)
    vapour_db = each(p676.zenith_vapour_db, row["f"], row["V_t"], row["h"])
    oxygen_db = p676.zenith_oxygen_db(row["f"], row["P"], row["rho"], row["T"])
    close(name, (oxygen_db + vapour_db) / np.sin(np.radians(row["el"])), row["A_gas"])


def test_rain_and_its_height(shared: Shared) -> None:
    name = "838/ITURP838-3_rain_specific_attenuation.csv"
    row = read_rows(shared, name)
    close(name, each(specific_attenuation_db_km, row["f"], row["R"], row["el"], row["tau"]), row["gamma_r"])
    name = "839/ITURP839-4_rain_height.csv"
    row = read_rows(shared, name)
    close(name, rain_height_km(row["h0"]), row["hr"])


@pytest.mark.parametrize(
    ("edition", "coefficient_db"), [("8", p840.liquid_coefficient_db), ("9", p840.liquid_coefficient_9_db)]
)
def test_clouds(edition: str, coefficient_db: Callable[[float], float], shared: Shared) -> None:
    name = f"840/ITURP840-{edition}_cloud_attenuation.csv"
    row = read_rows(shared, name)
    known = read_rows(shared, f"840/ITURP840-{edition}_columnar_content_reduced_liquid.csv")
    places = zip(known["lat"].round(2), known["lon"].round(2), known["p"], strict=True)
    column = dict(zip(places, known["Lred"], strict=True))
    asked = list(zip(row["lat"].round(2), row["lon"].round(2), row["p"], strict=True))
    has = np.array([place in column for place in asked])
    columns = np.array([column[place] for place in asked if place in column])
    coefficients_db = each(coefficient_db, row["f"][has])
    close(name, p840.cloud_attenuation_db(columns, coefficients_db, row["el"][has]), row["Ac"][has])


# One place, by hand: annual figures of 21 N, 105 E in round numbers.
PLACE = Climate(90.0, 4.8, 297.0, 25.0, 70.0, 4.0, 115.0, "a test", 0.5, 75.0)
frequencies = st.floats(1.0, 55.0)
elevations = st.floats(5.0, 90.0)
latitudes = st.floats(8.0, 24.0)


def rain(frequency_ghz: float, elevation_deg: float, share_pct: float, rate_mm_h: float, latitude_deg: float) -> float:
    return float(rain_attenuation_db(frequency_ghz, elevation_deg, share_pct, rate_mm_h, 5.1, 0.5, latitude_deg))


@settings(deadline=None)
@given(frequencies, elevations, st.floats(0.001, 5.0), st.floats(1.0, 150.0), st.floats(1.01, 2.0), latitudes)
@example(1.0, 89.99999999999999, 1.0, 1.0, 2.0, 8.0)  # whose cosine is rounded to 0
def test_more_rain_costs_more(f: float, el: float, p: float, rate: float, more: float, lat: float) -> None:
    assert rain(f, el, p, rate * more, lat) > rain(f, el, p, rate, lat) > 0.0


@settings(deadline=None)
@given(
    frequencies, st.floats(10.0, 90.0), st.floats(0.01, 5.0), st.floats(1.0, 120.0), st.floats(1.05, 10.0), latitudes
)
def test_rarer_is_deeper(f: float, el: float, p: float, rate: float, longer: float, lat: float) -> None:
    """From 0.01 % on; rarer still, the Recommendation's curve of deep fades on low tropical paths levels off."""
    assert rain(f, el, p, rate, lat) > rain(f, el, min(p * longer, 50.0), rate, lat)


@settings(deadline=None)
@given(frequencies, st.floats(5.0, 89.0), st.floats(0.1, 20.0), st.floats(0.01, 50.0))
def test_gas_cloud_and_scintillation_fall_with_elevation(f: float, el: float, higher: float, p: float) -> None:
    """Rain does not: towards the zenith the path meets less rain, yet the adjustment for height grows."""
    low = slant_loss_db(f, el, p, PLACE, 21.0, 0.1)
    high = slant_loss_db(f, min(el + higher, 90.0), p, PLACE, 21.0, 0.1)
    assert high.gas_db < low.gas_db
    assert high.cloud_db <= low.cloud_db
    assert high.scintillation_db < low.scintillation_db
    assert low.total_db >= low.gas_db + low.cloud_db


@settings(deadline=None)
@given(frequencies, elevations, st.floats(0.001, 50.0), latitudes, st.floats(0.0, 4.0))
def test_the_area_is_its_parts(f: float, el: float, p: float, lat: float, height_km: float) -> None:
    climate = vietnam("highlands", height_km)
    loss = slant_loss_db(f, el, p, climate, lat, height_km, Dish(1.2, 0.6, 30.0))
    sine, sea = np.sin(np.radians(el)), REGIONS["highlands"]
    pressure_hpa = reference_pressure_hpa(height_km)
    gas_db = p676.zenith_vapour_db(f, climate.vapour_kg_m2, height_km)
    gas_db = gas_db + p676.zenith_oxygen_db(f, pressure_hpa, climate.vapour_g_m3, climate.temperature_k)
    assert loss.gas_db == pytest.approx(gas_db / sine, rel=1e-9)
    thin = p840.thinning(np.log(p), sea.liquid_deviation, sea.cloudy_pct)
    cloud_db = p840.cloud_attenuation_db(sea.liquid_kg_m2, p840.liquid_coefficient_9_db(f), el) * thin
    assert loss.cloud_db == pytest.approx(cloud_db, rel=1e-9)
    top_km = rain_height_km(sea.zero_isotherm_km)
    rain_db = rain_attenuation_db(f, el, p, sea.rain_rate_mm_h, top_km, height_km, lat, 30.0)
    assert loss.rain_db == pytest.approx(rain_db, rel=1e-9)
    twinkle_db = scintillation_db(f, el, p, sea.wet_refractivity, 1.2, 0.6)
    assert loss.scintillation_db == pytest.approx(twinkle_db, rel=1e-9)
    assert loss.total_db == pytest.approx(total_attenuation_db(gas_db / sine, cloud_db, rain_db, twinkle_db), rel=1e-9)


@pytest.mark.parametrize("frequency_ghz", [2.0, 12.0, 20.0, 30.0])
def test_many_cells_are_single_cells(frequency_ghz: float) -> None:
    """Above some thousand cells the water vapour comes by interpolation."""
    rng = np.random.default_rng(4)
    shape = (60, 50)
    assert np.prod(shape) > VAPOUR_NODES
    height_km, latitude_deg = rng.uniform(0.0, 2.5, shape), rng.uniform(8.5, 23.4, shape)
    elevation_deg = rng.uniform(25.0, 90.0, shape)
    climate = vietnam("north-west", height_km)
    loss = slant_loss_db(frequency_ghz, elevation_deg, 0.1, climate, latitude_deg, height_km)
    assert loss.total_db.shape == shape
    assert loss.source == climate.source != ""
    for cell in [(0, 0), (17, 31), (59, 49)]:
        here = vietnam("north-west", height_km[cell])
        alone = slant_loss_db(frequency_ghz, elevation_deg[cell], 0.1, here, latitude_deg[cell], height_km[cell])
        assert loss.gas_db[cell] == pytest.approx(alone.gas_db, abs=1e-6)
        assert loss.total_db[cell] == pytest.approx(alone.total_db, abs=1e-6)


def test_above_the_rain_it_is_dry() -> None:
    assert rain_attenuation_db(20.0, 40.0, 0.01, 90.0, 5.1, 5.1, 21.0) == 0.0
    assert rain_attenuation_db(20.0, 40.0, 0.01, 0.0, 5.1, 0.0, 21.0) == 0.0


def test_a_low_path_bends_with_the_earth() -> None:
    """At 5 degrees the two lengths of step 2 nearly meet: 0.6 km of 52."""
    low, high = (rain_attenuation_db(12.0, el, 0.01, 90.0, 5.1, 0.5, 21.0) for el in (4.999, 5.0))
    assert low == pytest.approx(high, rel=0.02)


@settings(deadline=None)
@given(st.lists(st.floats(1.0, 800.0), min_size=12, max_size=12), st.floats(275.0, 303.0), st.floats(0.001, 3.0))
def test_rain_rates_are_exceeded_as_long_as_asked(rainfall_mm: list[float], kelvin: float, share_pct: float) -> None:
    chance_pct, typical_mm_h = rain_months(rainfall_mm, kelvin)
    rate = rain_rate_mm_h(share_pct, rainfall_mm, kelvin)
    assert rain_rate_mm_h(min(2.0 * share_pct, 99.0), rainfall_mm, kelvin) <= rate
    if share_pct > rain_chance_pct(rainfall_mm, kelvin):
        assert rate == 0.0
        return
    # by counting: rates drawn from each month's lognormal curve, its quantiles evenly spaced
    quantiles = ndtri((np.arange(200_000) + 0.5) / 200_000)
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    parts = [
        share * np.mean(np.exp(np.log(typical) - 0.7938 + 1.26 * quantiles) > rate)
        for share, typical in zip(chance_pct * days / days.sum(), typical_mm_h, strict=True)
    ]
    assert sum(parts) == pytest.approx(share_pct, rel=0.01, abs=1e-3)


def test_a_month_cannot_rain_more_than_seven_tenths_of_its_time() -> None:
    """The amount of water stays: chance times mean rate."""
    flood_mm = np.full(12, 2000.0)
    chance_pct, typical_mm_h = rain_months(flood_mm, 280.0)
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    assert (chance_pct == 70.0).all()
    assert 0.7 * 24.0 * days * typical_mm_h == pytest.approx(flood_mm)


def test_rain_somewhere_on_the_path() -> None:
    """Along no path it rains as often as at its foot; along a longer one more often."""
    assert rain_on_path_pct(5.0, 90.0, 5.0) == pytest.approx(5.0, abs=1e-6)
    shares = rain_on_path_pct(5.0, 30.0, [2.0, 10.0, 50.0])
    assert (np.diff(shares) > 0.0).all()


def test_sky_noise() -> None:
    assert sky_noise_k([0.0, 3.0102999566, 300.0]) == pytest.approx([2.7, 138.85, 275.0])


def test_pressure_of_the_reference_atmosphere() -> None:
    assert reference_pressure_hpa([0.0, 5.0]) == pytest.approx([1013.25, 540.5], abs=0.1)


def test_lognormal_clouds_thin_out() -> None:
    """The curve through the column of 1 % is the lognormal column itself, scaled."""
    shares = np.array([1.0, 3.0, 20.0, 60.0, 80.0])
    columns = p840.lognormal_column_kg_m2(shares, -0.3, 0.5, 75.0)
    thin = each(p840.thinning, np.log(shares), np.full(5, 0.5), np.full(5, 75.0))
    assert columns / columns[0] == pytest.approx(thin, abs=1e-12)
    assert thin[0] == 1.0
    assert thin[-1] == 0.0


def test_the_edition_of_the_clouds_decides_their_coefficient() -> None:
    older, newer = (
        slant_loss_db(
            20.0, 30.0, 1.0, Climate(90.0, 4.8, 297.0, 25.0, 70.0, 1.0, 115.0, "", cloud_edition=edition), 21, 0
        )
        for edition in (8, 9)
    )
    ratio = p840.liquid_coefficient_9_db(20.0) / p840.liquid_coefficient_db(20.0)
    assert newer.cloud_db / older.cloud_db == pytest.approx(ratio)


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_regions_of_vietnam(region: str) -> None:
    climate = vietnam(region)
    assert 48.0 <= float(climate.rain_rate_mm_h) <= 105.0  # type: ignore[arg-type]
    assert region in climate.source
    assert np.all(np.asarray(vietnam(region, 1.5).vapour_kg_m2) < np.asarray(climate.vapour_kg_m2))


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("elevation_deg", lambda: slant_loss_db(12.0, 4.0, 0.1, PLACE, 21.0, 0.0)),
    ("elevation_deg", lambda: slant_loss_db(12.0, np.nan, 0.1, PLACE, 21.0, 0.0)),
    ("frequency_ghz", lambda: slant_loss_db(60.0, 40.0, 0.1, PLACE, 21.0, 0.0)),
    ("exceedance_pct", lambda: slant_loss_db(12.0, 40.0, 0.0, PLACE, 21.0, 0.0)),
    ("latitude_deg", lambda: slant_loss_db(12.0, 40.0, 0.1, PLACE, 105.0, 0.0)),
    ("more cells than", lambda: slant_loss_db(12.0, 40.0, 0.1, vietnam("mekong", [0.0, 1.0]), 10.0, 0.0)),
    ("do not fit together", lambda: slant_loss_db(12.0, 40.0, 0.1, PLACE, [10.0, 11.0], [0.0, 0.0, 0.0])),
    ("height_km", lambda: slant_loss_db(12.0, 40.0, 0.1, PLACE, 10.0, [0.0, np.nan])),
    ("no climate is known", lambda: vietnam("hanoi")),
    ("diameter_m", lambda: Dish(-1.0)),
    ("rain_rate_mm_h", lambda: Climate(-1.0, 4.8, 297.0, 25.0, 70.0, 4.0, 115.0, "a test")),
    ("edition", lambda: Climate(90.0, 4.8, 297.0, 25.0, 70.0, 4.0, 115.0, "a test", cloud_edition=7)),
    ("rain_rate_mm_h", lambda: rain_attenuation_db(12.0, 40.0, 0.1, np.nan, 5.0, 0.0, 10.0)),
    ("month to month", lambda: rain_chance_pct([10.0] * 11, 300.0)),
    ("column_kg_m2", lambda: p676.zenith_vapour_db(12.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("word", "call"), REFUSED)
def test_values_outside_are_refused(word: str, call: Callable[[], object]) -> None:
    with pytest.raises(CoverageError, match=word):
        call()
