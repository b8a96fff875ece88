"""Which of Vietnam's climate regions a place or a province lies in.

The regions of `climate.REGIONS` are the eight that the country's 63 provinces of before July 2025 are usually put into:
six in the north-west, nine in the north-east, ten on the Red River, six, eight, five, six and thirteen further south.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.climate import REGIONS, VAPOUR_SCALE_KM, Climate
from phusong.coverage.satellite.attenuation.p836 import at_height

# Middles of the 63 provinces, latitude and longitude, from the communes of the census of 2009
# (github LucieContamin/censusVN2009, MIT); long Thanh Hoá has a second one in its plain.
PROVINCES = {
    "north-west": {
        "dien bien": (21.71, 103.02), "hoa binh": (20.68, 105.34), "lai chau": (22.32, 103.19),
        "lao cai": (22.37, 104.11), "son la": (21.19, 104.07), "yen bai": (21.78, 104.57),
    },
    "north-east": {
        "bac giang": (21.36, 106.48), "bac kan": (22.26, 105.83), "cao bang": (22.74, 106.09),
        "ha giang": (22.77, 104.98), "lang son": (21.84, 106.62), "phu tho": (21.32, 105.12),
        "quang ninh": (21.25, 107.28), "thai nguyen": (21.69, 105.82), "tuyen quang": (22.11, 105.27),
    },
    "red-river": {
        "bac ninh": (21.11, 106.11), "ha nam": (20.54, 105.97), "ha noi": (21.00, 105.70),
        "hai duong": (20.93, 106.36), "hai phong": (20.80, 106.67), "hung yen": (20.81, 106.06),
        "nam dinh": (20.27, 106.22), "ninh binh": (20.22, 105.90), "thai binh": (20.50, 106.40),
        "vinh phuc": (21.36, 105.56),
    },
    "north-central": {
        "ha tinh": (18.29, 105.74), "nghe an": (19.24, 104.94), "quang binh": (17.53, 106.29),
        "quang tri": (16.75, 106.93), "thanh hoa": (20.05, 105.32), "thua thien hue": (16.33, 107.51),
    },
    "south-central": {
        "binh dinh": (14.12, 108.95), "binh thuan": (11.12, 108.05), "da nang": (16.07, 108.06),
        "khanh hoa": (12.32, 109.04), "ninh thuan": (11.71, 108.87), "phu yen": (13.17, 109.06),
        "quang nam": (15.59, 107.96), "quang ngai": (14.99, 108.65),
    },
    "highlands": {
        "dak lak": (12.82, 108.21), "dak nong": (12.23, 107.69), "gia lai": (13.80, 108.24),
        "kon tum": (14.65, 107.88), "lam dong": (11.75, 108.10),
    },
    "south-east": {
        "ba ria vung tau": (10.58, 107.28), "binh duong": (11.22, 106.66), "binh phuoc": (11.75, 106.91),
        "dong nai": (11.06, 107.19), "ho chi minh": (10.74, 106.70), "tay ninh": (11.40, 106.16),
    },
    "mekong": {
        "an giang": (10.51, 105.18), "bac lieu": (9.31, 105.49), "ben tre": (10.12, 106.47),
        "ca mau": (9.05, 105.04), "can tho": (10.11, 105.53), "dong thap": (10.56, 105.61),
        "hau giang": (9.78, 105.62), "kien giang": (10.00, 104.94), "long an": (10.73, 106.17),
        "soc trang": (9.56, 105.93), "tien giang": (10.40, 106.31), "tra vinh": (9.79, 106.32),
        "vinh long": (10.10, 105.99),
    },
}  # fmt: skip
THANH_HOA_PLAIN = ("north-central", (19.75, 105.75))
# Provinces that took others in on 1 July 2025 and kept one name.
MERGED_2025 = {
    "tuyen quang": ("ha giang",),
    "lao cai": ("yen bai",),
    "thai nguyen": ("bac kan",),
    "phu tho": ("vinh phuc", "hoa binh"),
    "bac ninh": ("bac giang",),
    "hung yen": ("thai binh",),
    "hai phong": ("hai duong",),
    "ninh binh": ("ha nam", "nam dinh"),
    "quang tri": ("quang binh",),
    "da nang": ("quang nam",),
    "quang ngai": ("kon tum",),
    "gia lai": ("binh dinh",),
    "khanh hoa": ("ninh thuan",),
    "lam dong": ("dak nong", "binh thuan"),
    "dak lak": ("phu yen",),
    "ho chi minh": ("binh duong", "ba ria vung tau"),
    "dong nai": ("binh phuoc",),
    "tay ninh": ("long an",),
    "can tho": ("soc trang", "hau giang"),
    "vinh long": ("ben tre", "tra vinh"),
    "dong thap": ("tien giang",),
    "ca mau": ("bac lieu",),
    "an giang": ("kien giang",),
}
ALIASES = {"hue": "thua thien hue", "sai gon": "ho chi minh", "dac lac": "dak lak", "daklak": "dak lak"}
NAMES = tuple(REGIONS)
REGION_OF = {province: region for region, provinces in PROVINCES.items() for province in provinces}
LATITUDES_DEG, LONGITUDES_DEG = (6.0, 24.0), (102.0, 118.0)  # with the islands


def regions_at(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.int8]:
    """Region of each place, a number into `NAMES`; the two broadcast.

    latitude_deg, longitude_deg : 6 to 24 and 102 to 118 [degrees]: Vietnam and its islands
    The region of the nearest province's middle (assumption): for 93 % of the communes of 2009 their own, and near the
    border between two regions else, where their climates are much the same. 0.5 us a place.
    Raises ValueOutOfRange.
    """
    require_range("Vietnam", "latitude_deg", latitude_deg, *LATITUDES_DEG, "degrees")
    require_range("Vietnam", "longitude_deg", longitude_deg, *LONGITUDES_DEG, "degrees")
    lat, lon = np.broadcast_arrays(np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64))
    narrow = np.cos(np.radians(lat))
    nearest, region = np.full(lat.shape, np.inf), np.zeros(lat.shape, np.int8)
    points = [(name, point) for name, provinces in PROVINCES.items() for point in provinces.values()]
    for name, (north, east) in [*points, THANH_HOA_PLAIN]:
        squared = (lat - north) ** 2 + (narrow * (lon - east)) ** 2
        closer = squared < nearest
        nearest[closer], region[closer] = squared[closer], NAMES.index(name)
    return region


def region_of_province(name: str) -> str:
    """Region of a province by its name, of before July 2025 or after; accents, case and "tỉnh" do not matter.

    A province that has grown over two regions has that of its heavier rain (against us).
    Raises ValueOutOfRange for a name that is not known.
    """
    plain = _plain(name)
    key = ALIASES.get(plain, plain)
    if key not in REGION_OF:
        raise ValueOutOfRange(
            what="no province of Vietnam has this name",
            where=f"province = {name!r}",
            mend="write the name as on the map, or give latitude and longitude",
        )
    parts = [REGION_OF[part] for part in (key, *MERGED_2025.get(key, ()))]
    return max(parts, key=lambda region: REGIONS[region].rain_rate_mm_h)


def vietnam_at(latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_km: ArrayLike = 0.0) -> Climate:
    """Rounded climate of each place by its region, for whoever lacks the maps; see `climate.vietnam`.

    latitude_deg, longitude_deg : as of `regions_at`
    height_km : above the sea [km], -0.1 to 5; broadcast with the others, whose common shape the values have
    Raises ValueOutOfRange.
    """
    require_range("the climate of a region", "height_km", height_km, -0.1, 5.0, "km")
    region, height = np.broadcast_arrays(regions_at(latitude_deg, longitude_deg), np.asarray(height_km, np.float64))
    found = [NAMES[number] for number in np.unique(region)]
    rates = sorted({REGIONS[name].rain_rate_mm_h for name in found})

    def column(field: str) -> NDArray[np.float64]:
        return np.asarray(np.array([getattr(REGIONS[name], field) for name in NAMES], np.float64)[region])

    return Climate(
        rain_rate_mm_h=column("rain_rate_mm_h"),
        zero_isotherm_km=column("zero_isotherm_km"),
        temperature_k=column("temperature_k"),
        vapour_g_m3=at_height(column("vapour_g_m3"), 0.0, height, VAPOUR_SCALE_KM),
        vapour_kg_m2=at_height(column("vapour_kg_m2"), 0.0, height, VAPOUR_SCALE_KM),
        liquid_kg_m2=column("liquid_kg_m2"),
        wet_refractivity=column("wet_refractivity"),
        liquid_deviation=column("liquid_deviation"),
        cloudy_pct=column("cloudy_pct"),
        cloud_edition=9,
        source=f"rounded figures for Vietnam, {', '.join(found)}: "
        f"rain rate {' to '.join(f'{rate:g}' for rate in rates[:: max(len(rates) - 1, 1)])} mm/h at 0.01 %",
    )


def _plain(name: str) -> str:
    """Lower case without accents, punctuation and the words for province and city."""
    letters = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = re.sub("[^a-z]+", " ", bare).strip()
    return re.sub("^(tinh|thanh pho|tp) ", "", words)
