"""Climate that slant paths ask for: values of the ITU-R maps at each place, or rounded ones for Vietnam's regions.

The maps may not be given on; whoever has them hands their values in. `source` says which, and goes with every result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.p836 import at_height

# What a station's climate may be, per field; far wider than the earth's.
RANGES = {
    "rain_rate_mm_h": (0.0, 400.0, "mm/h"),
    "zero_isotherm_km": (0.0, 8.0, "km"),
    "temperature_k": (200.0, 330.0, "K"),
    "vapour_g_m3": (0.0, 60.0, "g/m3"),
    "vapour_kg_m2": (0.5, 150.0, "kg/m2"),
    "liquid_kg_m2": (0.0, 20.0, "kg/m2"),
    "wet_refractivity": (0.0, 300.0, "N units"),
    "liquid_deviation": (0.0, 5.0, ""),
    "cloudy_pct": (1.0, 100.0, "%"),
}
CLIMATE_NAMES = tuple(RANGES)


@dataclass(frozen=True, slots=True, eq=False)
class Climate:
    """Climate at the stations; each a number or an array of the stations' shape.

    rain_rate_mm_h   : exceeded for 0.01 % of the average year, 1 minute [mm/h] (ITU-R P.837)
    zero_isotherm_km : mean height of 0 degrees above the sea [km] (P.839)
    temperature_k    : annual mean at the surface [K] (P.1510)
    vapour_g_m3      : surface water vapour, exceeded for 1 % of the year [g/m3] (P.836), at the station
    vapour_kg_m2     : column of water vapour above the station, exceeded for 1 % [kg/m2] (P.836)
    liquid_kg_m2     : column of cloud liquid water, exceeded for 1 % [kg/m2] (P.840)
    wet_refractivity : median wet term [N units] (P.453)
    source           : where the values come from, for people to read
    liquid_deviation : of the logarithm of the liquid column (P.840); it thins out the clouds above 1 % of the year.
                       0: the column of 1 % stays, against us. Water vapour always stays so
    cloudy_pct       : share of the year with liquid water above the station [%] (P.840)
    cloud_edition    : 8: the columns are the reduced ones of P.840-8; 9: those of P.840-9. Near the equator the older
                       maps hold four times as much
    """

    rain_rate_mm_h: ArrayLike
    zero_isotherm_km: ArrayLike
    temperature_k: ArrayLike
    vapour_g_m3: ArrayLike
    vapour_kg_m2: ArrayLike
    liquid_kg_m2: ArrayLike
    wet_refractivity: ArrayLike
    source: str
    liquid_deviation: ArrayLike = 0.0
    cloudy_pct: ArrayLike = 100.0
    cloud_edition: int = 8

    def __post_init__(self) -> None:
        for name, (low, high, unit) in RANGES.items():
            require_range("a slant path's climate", name, getattr(self, name), low, high, unit)
        if self.cloud_edition not in (8, 9):
            raise ValueOutOfRange(
                what="no such edition of ITU-R P.840 is known here",
                where=f"cloud_edition = {self.cloud_edition}",
                mend="give 8 (reduced columns) or 9",
            )


@dataclass(frozen=True, slots=True)
class Region:
    """A part of Vietnam: figures at sea level, see `Climate`."""

    rain_rate_mm_h: float
    zero_isotherm_km: float
    temperature_k: float
    vapour_g_m3: float
    vapour_kg_m2: float
    liquid_kg_m2: float
    wet_refractivity: float
    liquid_deviation: float
    cloudy_pct: float


# Read at three or four places a region off the maps of ITU-R P.837-7, P.839-4, P.1510-1, P.836-6, P.840-9 and P.453-14:
# the worst of them, rounded against us to 5 mm/h, 0.05 km, 0.5 g/m3, 1 kg/m2, 0.05 kg/m2, 5 N units, 0.05 and 5 %;
# temperatures, of little weight, in the middle. The rain rates read so lie between 67 and 103 mm/h; measured series in
# Vietnam spread further, about 48 to 105 mm/h.
REGIONS = {
    "north-west": Region(80.0, 4.80, 294.0, 27.0, 72.0, 0.80, 100.0, 0.75, 90.0),
    "north-east": Region(105.0, 4.90, 296.0, 26.0, 70.0, 0.95, 110.0, 0.70, 95.0),
    "red-river": Region(95.0, 4.85, 297.0, 25.5, 71.0, 0.95, 120.0, 0.80, 85.0),
    "north-central": Region(100.0, 4.85, 298.0, 25.5, 71.0, 0.90, 125.0, 0.80, 90.0),
    "south-central": Region(100.0, 4.75, 299.0, 25.5, 69.0, 0.70, 130.0, 0.80, 85.0),
    "highlands": Region(90.0, 4.80, 297.0, 25.5, 69.0, 0.75, 120.0, 0.85, 80.0),
    "south-east": Region(100.0, 4.75, 300.0, 24.5, 66.0, 0.50, 135.0, 0.80, 80.0),
    "mekong": Region(105.0, 4.75, 300.0, 24.0, 65.0, 0.50, 135.0, 0.80, 85.0),
}
# Fall of water vapour with height over the north-west and the highlands in the maps of ITU-R P.836-6: 3.1 to 3.3 km.
VAPOUR_SCALE_KM = 3.2


def vietnam(region: str, height_km: ArrayLike = 0.0) -> Climate:
    """Rounded climate of a region of Vietnam, for whoever lacks the maps.

    region    : a key of `REGIONS`
    height_km : of the stations above the sea [km], 0 to 5; water vapour thins out with it
    Raises ValueOutOfRange.
    """
    if region not in REGIONS:
        raise ValueOutOfRange(
            what="no climate is known for this region",
            where=f"region = {region!r}",
            mend=f"name one of {', '.join(REGIONS)}, or give values of the ITU-R maps",
        )
    require_range("the climate of a region", "height_km", height_km, -0.1, 5.0, "km")
    sea, height = REGIONS[region], np.asarray(height_km, np.float64)
    return Climate(
        rain_rate_mm_h=sea.rain_rate_mm_h,
        zero_isotherm_km=sea.zero_isotherm_km,
        temperature_k=sea.temperature_k,
        vapour_g_m3=at_height(sea.vapour_g_m3, 0.0, height, VAPOUR_SCALE_KM),
        vapour_kg_m2=at_height(sea.vapour_kg_m2, 0.0, height, VAPOUR_SCALE_KM),
        liquid_kg_m2=sea.liquid_kg_m2,
        wet_refractivity=sea.wet_refractivity,
        liquid_deviation=sea.liquid_deviation,
        cloudy_pct=sea.cloudy_pct,
        cloud_edition=9,
        source=f"rounded figures for Vietnam, {region}: rain rate {sea.rain_rate_mm_h:g} mm/h at 0.01 %",
    )
