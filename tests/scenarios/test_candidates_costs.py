"""Money: bills by hand, and where electricity may come from."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from phusong.scenarios.candidates.costs import (
    Bill,
    Works,
    capex_band,
    mast_raised,
    new_tower,
    remote_radio,
    sector_added,
)
from phusong.scenarios.candidates.power import SupplyRates, supply
from phusong.scenarios.candidates.settings import Costs
from phusong.scenarios.settings import Rate

MILLION = 1_000_000
RATES = SupplyRates(
    line_vnd_per_km=550e6, connection_vnd=200e6, solar_vnd=450e6, grid_vnd_per_year=35e6, solar_vnd_per_year=50e6
)
HERE = np.array([[0.0, 0.0]])
NOBODY = np.empty((0, 2))


def flat(start_xy, end_xy):
    return np.ones(len(start_xy))


def lines(*voltage_and_east_m):
    return gpd.GeoDataFrame(
        {"voltage_kv": [kv for kv, _ in voltage_and_east_m]},
        geometry=[shapely.LineString([(east_m, -5000), (east_m, 5000)]) for _, east_m in voltage_and_east_m],
        crs=32648,
    )


def supplied(power_lines, electrified_xy=NOBODY, horizon_years=10):
    return supply(HERE, power_lines, electrified_xy, flat, RATES, reach_m=10_000.0, horizon_years=horizon_years)


def test_no_power_is_taken_from_transmission_lines():
    found = supplied(lines((110.0, 50.0), (220.0, 10.0), (500.0, 0.0), (np.nan, 20.0)))
    assert not found.grid.any()
    assert found.capex_vnd.tolist() == [450e6]
    assert not found.evn_confirm.any()


def test_power_comes_from_the_nearest_distribution_line():
    found = supplied(lines((110.0, 10.0), (22.0, 300.0), (35.0, 200.0)))
    assert found.grid.all()
    assert found.start_xy.tolist() == [[200.0, 0.0]]
    assert found.capex_vnd == pytest.approx([0.2 * 550e6 + 200e6])
    assert not found.evn_confirm.any()


def test_power_from_an_electrified_place_is_to_be_confirmed():
    found = supplied(lines((110.0, 10.0)), np.array([[0.0, 300.0], [0.0, -250.0]]))
    assert found.grid.all()
    assert found.evn_confirm.all()
    assert found.start_xy.tolist() == [[0.0, -250.0]]


@pytest.mark.parametrize(("horizon_years", "grid"), [(0, False), (10, False), (25, True)])
def test_the_cheaper_supply_over_the_horizon_wins(horizon_years, grid):
    """1 km of line: 750 M against 450 M; the grid saves 15 M a year, so it pays after 20 years."""
    assert supplied(lines((22.0, 1000.0)), horizon_years=horizon_years).grid.tolist() == [grid]


def test_a_tower_is_billed_by_hand():
    costs = Costs(
        tower_fixed_vnd=200 * MILLION,
        tower_vnd_per_m=20 * MILLION,
        hamlet_track_vnd_per_km=300 * MILLION,
        access_road_vnd_per_km=800 * MILLION,
        station_4g_vnd=450 * MILLION,
        site_vnd_per_year=60 * MILLION,
    )
    works = Works(
        building_factor=2.0, access_km=1.5, fibre_vnd=1e9, fibre_km=10.0, inferred_km=3.0, power="grid",
        power_vnd=310e6, power_vnd_per_year=35e6, evn_confirm=False,
    )  # fmt: skip
    bill = new_tower(costs, "4G", 25.0, works, on_hamlet_track=True)
    assert bill == Bill(
        tower_vnd=2 * (200 + 25 * 20) * MILLION,
        road_vnd=450 * MILLION,
        power_vnd=310 * MILLION,
        radio_vnd=450 * MILLION,
        opex_vnd_per_year=(60 + 35) * MILLION,
    )
    assert bill.backhaul_vnd == 0  # comes with the way that is chosen
    assert bill.capex_vnd == 2610 * MILLION
    assert bill.lifetime_vnd(10) == (2610 + 950) * MILLION
    assert new_tower(costs, "4G", 25.0, works, on_hamlet_track=False).road_vnd == 1200 * MILLION


def test_improvements_cost_less_than_building():
    costs = Costs()
    works = Works(1.0, 0.0, 0.0, 0.0, 0.0, "grid", 220e6, 35e6, False)
    tower = new_tower(costs, "4G", 25.0, works, on_hamlet_track=True)
    for bill in (sector_added(costs, "4G"), mast_raised(costs, 12.0), remote_radio(costs, works)):
        assert 0 < bill.capex_vnd < tower.capex_vnd


def test_every_rate_has_a_unit_a_description_and_a_source():
    for name, field in Costs.model_fields.items():
        assert "vnd" in name or name.endswith(("_per_unit_slope", "_times")), name
        assert field.description, name
        rate = getattr(Costs(), name)
        assert isinstance(rate, Rate)
        assert rate.source == "assumption"
        assert 0.0 < rate.band < 1.0


def test_the_band_weighs_each_part_of_the_bill():
    costs = Costs(
        fibre_vnd_per_km=Rate(value=80e6, band=0.4),
        **{name: Rate(value=1e6, band=0.2) for name in ("tower_fixed_vnd", "tower_vnd_per_m", "pole_vnd")},
        mast_extension_vnd_per_m=Rate(value=1e6, band=0.2),
    )
    options = pd.DataFrame(
        {"tower_vnd": [300, 300], "road_vnd": 0, "power_vnd": 0, "backhaul_vnd": [100, 100], "radio_vnd": 0}
    )
    options["capex_vnd"] = 400
    assert capex_band(options, costs) == pytest.approx((600 * 0.2 + 200 * 0.4) / 800)
