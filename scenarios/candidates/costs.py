"""What an option costs: arithmetic on the scenario's rates, in whole VND.

Lifetime cost = capex + years of the horizon x opex per year, not discounted.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from phusong.scenarios.candidates.power import SupplyRates
from phusong.scenarios.candidates.settings import Costs
from phusong.scenarios.settings import Rate


@dataclass(frozen=True, slots=True)
class Bill:
    """Cost of one option, VND."""

    tower_vnd: int = 0
    road_vnd: int = 0
    power_vnd: int = 0
    backhaul_vnd: int = 0
    radio_vnd: int = 0
    opex_vnd_per_year: int = 0

    @property
    def capex_vnd(self) -> int:
        return self.tower_vnd + self.road_vnd + self.power_vnd + self.backhaul_vnd + self.radio_vnd

    def lifetime_vnd(self, horizon_years: int) -> int:
        return self.capex_vnd + horizon_years * self.opex_vnd_per_year


@dataclass(frozen=True, slots=True)
class Works:
    """What has to be laid to one new place.

    building_factor : times dearer is building there (penalty areas)
    access_km       : length weighted by price, km on level ground that cost as much
    fibre_vnd       : trench of its cheapest way of fibre, were it built alone; infinite where there is none
    fibre_km        : length of that cable; inferred_km: of it, over ground without a mapped road
    power           : "grid" | "solar-battery"; evn_confirm: the grid is not mapped there, EVN must confirm it
    """

    building_factor: float
    access_km: float
    fibre_vnd: float
    fibre_km: float
    inferred_km: float
    power: str
    power_vnd: float
    power_vnd_per_year: float
    evn_confirm: bool


def station_supply(costs: Costs) -> SupplyRates:
    return SupplyRates(
        costs.medium_voltage_line_vnd_per_km.value,
        costs.transformer_vnd.value,
        costs.solar_battery_vnd.value,
        costs.grid_energy_vnd_per_year.value,
        costs.solar_upkeep_vnd_per_year.value,
    )


def small_supply(costs: Costs) -> SupplyRates:
    """Supply of a remote radio or a repeater, from the low-voltage net."""
    return SupplyRates(
        costs.low_voltage_line_vnd_per_km.value,
        costs.low_voltage_connection_vnd.value,
        costs.small_solar_vnd.value,
        costs.small_grid_energy_vnd_per_year.value,
        costs.small_solar_upkeep_vnd_per_year.value,
    )


def new_tower(costs: Costs, technology: str, height_m: float, works: Works, *, on_hamlet_track: bool) -> Bill:
    """A new tower with a three-sector station, without backhaul; its road starts from a hamlet's own track or from
    nothing."""
    road = costs.hamlet_track_vnd_per_km if on_hamlet_track else costs.access_road_vnd_per_km
    mast_vnd = costs.tower_fixed_vnd.value + height_m * costs.tower_vnd_per_m.value
    return _at_new_place(works, mast_vnd, road, _station_vnd(costs, technology), costs.site_vnd_per_year)


def remote_radio(costs: Costs, works: Works) -> Bill:
    return _on_pole(costs, works, costs.remote_radio_vnd)


def small_cell(costs: Costs, works: Works) -> Bill:
    return _on_pole(costs, works, costs.small_cell_vnd)


def repeater(costs: Costs, works: Works) -> Bill:
    """An off-air repeater on a pole: no cable is laid to it."""
    return _on_pole(costs, works, costs.repeater_vnd)


def sector_added(costs: Costs, technology: str) -> Bill:
    sector = costs.sector_5g_vnd if technology == "5G" else costs.sector_4g_vnd
    return Bill(radio_vnd=round(sector.value), opex_vnd_per_year=round(costs.added_sector_vnd_per_year.value))


def sector_turned(costs: Costs) -> Bill:
    return Bill(radio_vnd=round(costs.re_aim_vnd.value))


def mast_raised(costs: Costs, raise_m: float) -> Bill:
    return Bill(
        tower_vnd=round(raise_m * costs.mast_extension_vnd_per_m.value),
        radio_vnd=round(costs.mast_refit_vnd.value),
        opex_vnd_per_year=round(costs.higher_mast_vnd_per_year.value),
    )


def station_added(costs: Costs, technology: str) -> Bill:
    """Three sectors of another band or technology on a standing mast."""
    return Bill(
        radio_vnd=round(_station_vnd(costs, technology)),
        opex_vnd_per_year=round(costs.added_station_vnd_per_year.value),
    )


def capex_band(options: pd.DataFrame, costs: Costs) -> float:
    """How far the capex of some options together may be off, relative: 0.25 = ±25%.

    Each column counts with the widest band among its rates, and all are taken to err in the same direction.
    """
    widest = {
        "tower_vnd": (costs.tower_fixed_vnd, costs.tower_vnd_per_m, costs.mast_extension_vnd_per_m, costs.pole_vnd),
        "road_vnd": (costs.access_road_vnd_per_km, costs.hamlet_track_vnd_per_km, costs.footpath_vnd_per_km),
        "power_vnd": (
            costs.medium_voltage_line_vnd_per_km,
            costs.transformer_vnd,
            costs.solar_battery_vnd,
            costs.low_voltage_line_vnd_per_km,
            costs.low_voltage_connection_vnd,
            costs.small_solar_vnd,
        ),
        "backhaul_vnd": (costs.fibre_vnd_per_km, costs.microwave_link_vnd),
        "radio_vnd": (
            costs.station_4g_vnd,
            costs.station_5g_vnd,
            costs.sector_4g_vnd,
            costs.sector_5g_vnd,
            costs.remote_radio_vnd,
            costs.small_cell_vnd,
            costs.repeater_vnd,
            costs.re_aim_vnd,
            costs.mast_refit_vnd,
        ),
    }
    total_vnd = int(options["capex_vnd"].sum())
    if total_vnd == 0:
        return 0.0
    spread_vnd = sum(float(options[column].sum()) * max(r.band for r in rates) for column, rates in widest.items())
    return spread_vnd / total_vnd


def _station_vnd(costs: Costs, technology: str) -> float:
    return (costs.station_5g_vnd if technology == "5G" else costs.station_4g_vnd).value


def _on_pole(costs: Costs, works: Works, radio: Rate) -> Bill:
    return _at_new_place(
        works, costs.pole_vnd.value, costs.footpath_vnd_per_km, radio.value, costs.small_site_vnd_per_year
    )


def _at_new_place(works: Works, mast_vnd: float, road: Rate, radio_vnd: float, site_per_year: Rate) -> Bill:
    return Bill(
        tower_vnd=round(mast_vnd * works.building_factor),
        road_vnd=round(works.access_km * road.value),
        power_vnd=round(works.power_vnd),
        radio_vnd=round(radio_vnd),
        opex_vnd_per_year=round(site_per_year.value + works.power_vnd_per_year),
    )
