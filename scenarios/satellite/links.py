"""Links of the scenario's terminals: at which elevation and in which weather they stand, and what they carry."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.satellite.attenuation.climate import Climate
from phusong.coverage.satellite.attenuation.slant import Dish, slant_loss_db
from phusong.coverage.satellite.link import SCAN_EXPONENT, SpaceLink
from phusong.coverage.satellite.modcods import DVB_S2X, dvb_symbol_rate_mbaud, efficiency_bps
from phusong.coverage.satellite.rain_availability import availability
from phusong.scenarios.satellite.settings import Figure, Geo, Leo, Terminal

GEO_ALTITUDE_KM = 35_786.0
LOW, MIDDLE, HIGH = -1, 0, 1  # side of the link's band: against us, as given, for us
CLEAR_SKY_DB = 1.0  # lost through gas and thin cloud in a humid climate (assumption)
SIDES = (LOW, MIDDLE, HIGH)
WEATHER, DOWN, UP = 0, 1, 2  # figures of a link, see `figures`


@dataclass(frozen=True, slots=True)
class Link:
    """Both directions of a terminal and a satellite, on one side of the figures' bands.

    symbols_down_mbaud, symbols_up_mbaud : of one carrier, in which its noise is counted too
    """

    down: SpaceLink
    up: SpaceLink
    symbols_down_mbaud: float
    symbols_up_mbaud: float
    modem_margin_db: float
    dish: Dish

    @property
    def needed_db(self) -> float:
        """Least carrier to noise ratio at which anything is carried [dB]."""
        return float(DVB_S2X.threshold_db[0]) + self.modem_margin_db

    def stands(self, elevation_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether both directions are up under the clear sky at an elevation. A dish uses no other satellite."""
        left_db = np.minimum(*(space.budget_db(elevation_deg, self.needed_db) for space in (self.down, self.up)))
        return np.asarray(left_db >= CLEAR_SKY_DB)


def leo_link(leo: Leo, terminal: Terminal, altitude_km: float, side: int) -> Link:
    """A terminal under satellites in low orbit."""
    density = leo.eirp_dbw_per_mhz
    eirp = density.model_copy(
        update={"value": density.value + 10.0 * log10(dvb_symbol_rate_mbaud(leo.down.bandwidth_mhz))}
    )
    return _link(leo, terminal, eirp, altitude_km, side)


def geo_link(geo: Geo, terminal: Terminal, side: int) -> Link:
    """A terminal under a geostationary satellite."""
    return _link(geo, terminal, geo.eirp_dbw, GEO_ALTITUDE_KM, side)


def _link(space: Leo | Geo, terminal: Terminal, eirp_dbw: Figure, altitude_km: float, side: int) -> Link:
    """The bands of EIRP, G/T, losses and modem are independent: they add up by squares, and shift the EIRP."""
    both = (space.other_losses_db.band, space.modem_margin_db.band)
    shift_down = side * hypot(eirp_dbw.band, terminal.gain_over_noise_db_k.band, *both)
    shift_up = side * hypot(terminal.eirp_dbw.band, space.gain_over_noise_db_k.band, *both)
    symbols_down, symbols_up = (dvb_symbol_rate_mbaud(carrier.bandwidth_mhz) for carrier in (space.down, space.up))
    shared: dict[str, Any] = {
        "altitude_km": altitude_km,
        "other_losses_db": space.other_losses_db.value,
        "scan_exponent": SCAN_EXPONENT if terminal.phased_array else 0.0,
    }
    return Link(
        SpaceLink(
            frequency_ghz=space.down.frequency_ghz,
            bandwidth_mhz=symbols_down,
            eirp_dbw=eirp_dbw.value + shift_down,
            gain_over_noise_db_k=terminal.gain_over_noise_db_k.value,
            system_noise_k=terminal.system_noise_k,
            **shared,
        ),
        SpaceLink(
            frequency_ghz=space.up.frequency_ghz,
            bandwidth_mhz=symbols_up,
            eirp_dbw=terminal.eirp_dbw.value + shift_up,
            gain_over_noise_db_k=space.gain_over_noise_db_k.value,
            system_noise_k=inf,  # it looks at the warm ground, rain or not
            **shared,
        ),
        symbols_down,
        symbols_up,
        space.modem_margin_db.value,
        Dish(diameter_m=terminal.diameter_m),
    )


def figures(
    link: Link,
    elevation_deg: float,
    climate: Climate,
    latitude_deg: NDArray[np.float64],
    height_km: NDArray[np.float64],
    exceedance_pct: float,
) -> NDArray[np.float32]:
    """Of a link at one elevation, for N places: (3, N) WEATHER, DOWN and UP.

    WEATHER : share of the average year in which both directions stand the weather, which is the same for both
    DOWN, UP: bits a symbol in the weather that is exceeded for exceedance_pct of the year; 0 where nothing is carried
    """
    found = np.empty((3, latitude_deg.size), np.float32)
    stood = []
    for row, space in ((DOWN, link.down), (UP, link.up)):
        budget_db = space.budget_db(elevation_deg, link.needed_db)
        stood.append(
            availability(
                space.frequency_ghz, [elevation_deg], [1.0], [float(budget_db)], climate, latitude_deg, height_km,
                link.dish,
            ).share
        )  # fmt: skip
        loss = slant_loss_db(
            space.frequency_ghz, elevation_deg, exceedance_pct, climate, latitude_deg, height_km, link.dish
        )
        ratio_db = space.ratio_db(elevation_deg, loss.total_db)
        found[row] = efficiency_bps(DVB_S2X, ratio_db, link.modem_margin_db)
    found[WEATHER] = np.minimum(*stood)
    return found
