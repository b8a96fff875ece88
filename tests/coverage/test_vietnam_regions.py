"""Climate regions of Vietnam by place and by province."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from phusong.coverage.errors import CoverageError
from phusong.coverage.satellite.attenuation.climate import REGIONS, vietnam
from phusong.coverage.satellite.attenuation.vietnam_regions import (
    MERGED_2025,
    NAMES,
    PROVINCES,
    REGION_OF,
    region_of_province,
    regions_at,
    vietnam_at,
)

Shared = Callable[[str], Path]

# Towns that everybody knows the region of.
TOWNS = {
    "Điện Biên Phủ": (21.386, 103.017, "north-west"),
    "Cao Bằng": (22.666, 106.257, "north-east"),
    "Hà Nội": (21.028, 105.854, "red-river"),
    "Thanh Hoá": (19.807, 105.776, "north-central"),
    "Quy Nhơn": (13.776, 109.224, "south-central"),
    "Buôn Ma Thuột": (12.667, 108.050, "highlands"),
    "Biên Hoà": (10.957, 106.843, "south-east"),
    "Cà Mau": (9.177, 105.150, "mekong"),
    "Phú Quốc": (10.217, 103.960, "mekong"),
    "Trường Sa": (8.645, 111.920, "south-central"),
}


@pytest.mark.parametrize("town", TOWNS)
def test_a_town_lies_in_its_region(town: str) -> None:
    lat, lon, region = TOWNS[town]
    assert NAMES[int(regions_at(lat, lon))] == region


def test_all_provinces_of_before_2025() -> None:
    assert [len(PROVINCES[region]) for region in NAMES] == [6, 9, 10, 6, 8, 5, 6, 13]
    assert len(REGION_OF) == 63
    taken_in = [part for parts in MERGED_2025.values() for part in parts]
    assert len(set(taken_in)) == len(taken_in) == 63 - 34
    assert {*taken_in, *MERGED_2025} <= set(REGION_OF)


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Tỉnh Điện Biên", "north-west"),
        ("HOÀ BÌNH", "north-west"),
        ("Hòa Bình", "north-west"),
        ("TP. Hồ Chí Minh", "south-east"),
        ("Thành phố Huế", "north-central"),
        ("Bà Rịa - Vũng Tàu", "south-east"),
        ("dak lak", "south-central"),  # with Phú Yên since 2025, where it rains harder
        ("Kon Tum", "highlands"),
        ("Lào Cai", "north-west"),
    ],
)
def test_a_province_by_its_name(name: str, region: str) -> None:
    assert region_of_province(name) == region


def test_provinces_merged_as_their_borders_say(shared: Shared) -> None:
    """Every old province's middle lies in, or beside, the province of 2025 that it went into."""
    today = gpd.read_file(shared("data/vietnam/provinces_2025.geojson"))
    into = {part: whole for whole, parts in MERGED_2025.items() for part in parts}
    for provinces in PROVINCES.values():
        for province, (lat, lon) in provinces.items():
            at = gpd.points_from_xy([lon], [lat])[0]
            # Kiên Giang's middle, islands included, lies at sea.
            nearest = today["codeName"].iloc[int(np.argmin([shape.distance(at) for shape in today.geometry]))]
            expected = into.get(province, province)
            assert nearest.replace("_", " ") == {"thua thien hue": "hue"}.get(expected, expected), province


def test_most_communes_lie_in_their_region(shared: Shared) -> None:
    path = shared("data/vietnam/communes_census_2009.gpkg")
    communes = gpd.read_file(path, columns=["province"], where="province IS NOT NULL").to_crs(3405)
    middle = communes.geometry.representative_point().to_crs(4326)
    found = [NAMES[number] for number in regions_at(middle.y.to_numpy(), middle.x.to_numpy())]
    plain = communes["province"].str.lower().str.replace("[^a-z]+", " ", regex=True)
    said = [REGION_OF.get(province) for province in plain]
    named = [(a, b) for a, b in zip(found, said, strict=True) if b]
    assert len(named) > 10_000
    assert np.mean([a == b for a, b in named]) >= 0.93


def test_the_climate_of_places_in_two_regions() -> None:
    lat, lon, height = np.array([21.386, 21.028]), np.array([103.017, 105.854]), np.array([0.5, 0.0])
    both = vietnam_at(lat, lon, height)
    for place, region in enumerate(("north-west", "red-river")):
        one = vietnam(region, height[place])
        for field in ("rain_rate_mm_h", "zero_isotherm_km", "vapour_g_m3", "vapour_kg_m2", "cloudy_pct"):
            assert np.asarray(getattr(both, field))[place] == pytest.approx(float(getattr(one, field))), field
    assert both.source.startswith("rounded figures for Vietnam, north-west, red-river: rain rate 80 to 95 mm/h")
    assert vietnam_at(21.4, 103.0).source == vietnam("north-west").source
    assert {"north-west", "mekong"} <= set(REGIONS)


@pytest.mark.parametrize(
    ("word", "call"),
    [
        ("latitude_deg", lambda: regions_at(48.9, 105.0)),
        ("longitude_deg", lambda: regions_at(21.0, np.nan)),
        ("no province", lambda: region_of_province("Bavaria")),
        ("height_km", lambda: vietnam_at(21.0, 105.0, 9.0)),
    ],
)
def test_places_elsewhere_are_refused(word: str, call: Callable[[], object]) -> None:
    with pytest.raises(CoverageError, match=word):
        call()
