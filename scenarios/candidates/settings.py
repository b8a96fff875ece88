"""[candidates] and [costs] of a scenario: where something may be built, and what it costs."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field

from phusong.scenarios.settings import Rate, Section

Kind = Literal[
    "sector-added",
    "re-aimed",
    "higher-mast",
    "new-low-band",
    "new-technology",
    "remote-radio",
    "repeater",
    "new-site",
    "small-cell",
]
# Offered unless the scenario says otherwise; a small cell pays where its backhaul comes from a satellite.
KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "small-cell")
BackhaulKind = Literal["fibre", "microwave", "leo", "geo"]


class CandidateSettings(Section):
    """[candidates]: what is proposed and where. Figures without another source are assumptions."""

    kinds: tuple[Kind, ...] = Field(KINDS, description="kinds of option that are offered to the decision")
    operators: tuple[str, ...] = Field(
        (), description="operators that may build where no hamlet assigns one; empty: the nearest site's operator"
    )
    bands: tuple[str, ...] = Field(
        ("B28", "B3", "n28", "n41"), description="bands of new stations; those of the minimum technology are used"
    )
    low_bands: tuple[str, ...] = Field(("B28", "B8", "n28"), description="bands added where none below 1 GHz is")
    heights_m: tuple[float, ...] = Field((25.0, 42.0), min_length=1, description="heights of new towers")
    max_sites: int = Field(1000, ge=0, description="most places for new towers; those with fewer people are left out")

    reach_km: float = Field(5.0, gt=0, le=30, description="a new tower is aimed at low-signal hamlets this near")
    improve_reach_km: float = Field(8.0, gt=0, le=30, description="an existing site is improved for hamlets this near")

    knoll_radius_m: float = Field(400.0, ge=0, le=2000, description="how far from a hamlet its tower may stand")
    knoll_gain_m: float = Field(15.0, ge=0, description="height gain that makes a tower leave the hamlet's centre")
    hamlet_spacing_m: float = Field(500.0, ge=0, description="hamlet towers stand at least this far apart")
    peak_radius_m: float = Field(450.0, gt=0, le=5000, description="high ground is the highest point this far around")
    peak_gain_m: float = Field(30.0, ge=0, description="and stands this far above the nearest low-signal people")
    peak_spacing_m: float = Field(1000.0, ge=0, description="places on high ground stand at least this far apart")
    peak_road_m: float = Field(1000.0, ge=0, description="and this near to a road")

    added_sectors: int = Field(2, ge=0, le=6, description="most directions in which a site is offered a new sector")
    min_turn_deg: float = Field(25.0, ge=0, le=180, description="a sector this near to a direction already faces it")
    min_tilt_deg: float = Field(3.0, ge=0, le=30, description="a change of tilt smaller than this is not offered")
    default_downtilt_deg: float = Field(3.0, ge=0, le=15, description="of sectors that face no low-signal hamlet")
    max_downtilt_deg: float = Field(12.0, ge=0, le=30)
    mast_raise_m: float = Field(12.0, gt=0, le=60, description="by how much a mast is raised")
    max_mast_m: float = Field(60.0, gt=0, le=150, description="no mast is raised beyond this")

    remote_radio_height_m: float = Field(15.0, gt=0, le=40)
    remote_radio_tx_power_dbm: float = Field(43.0, ge=20, le=60)
    remote_radio_gain_dbi: float = Field(8.0, ge=0, le=20, description="omnidirectional antenna")
    remote_radio_fibre_km: float = Field(10.0, ge=0, le=20, description="longest new fibre; fronthaul ends near 20 km")

    small_cell_height_m: float = Field(12.0, gt=0, le=40)
    small_cell_tx_power_dbm: float = Field(40.0, ge=20, le=50, description="two ports of 5 W (assumption)")
    small_cell_gain_dbi: float = Field(6.0, ge=0, le=20, description="omnidirectional antenna")

    repeater_height_m: float = Field(12.0, gt=0, le=40)
    repeater_tx_power_dbm: float = Field(33.0, ge=10, le=50, description="total carrier power at most")
    repeater_gain_db: float = Field(80.0, ge=30, le=110, description="needs 95 dB between its two antennas")
    repeater_donor_gain_dbi: float = Field(15.0, ge=0, le=25)
    repeater_antenna_gain_dbi: float = Field(12.0, ge=0, le=25)
    repeater_vertical_beamwidth_deg: float = Field(30.0, gt=1, le=90, description="small antennas are less flat")
    repeater_donor_rsrp_dbm: float = Field(-95.0, ge=-120, le=-50, description="donor level before the donor antenna")
    repeater_donor_km: float = Field(15.0, gt=0, le=30, description="farthest donor site")
    repeater_reach_km: float = Field(1.5, gt=0, le=10, description="a repeater stands this near to its hamlet")

    backhaul: tuple[BackhaulKind, ...] = Field(
        ("fibre", "microwave"), min_length=1, description="ways in which new stations may be connected"
    )
    microwave_km: float = Field(30.0, gt=0, le=80, description="longest microwave link (assumption)")
    microwave_ghz: float = Field(7.0, ge=2, le=86, description="its band, which sets the Fresnel zone (assumption)")
    microwave_clearance: float = Field(
        0.6,
        ge=0,
        le=2,
        description="share of the first Fresnel zone that the ground leaves free at k = 4/3 (assumption)",
    )
    microwave_pop_mast_m: float = Field(25.0, gt=0, le=150, description="height of dishes at a PoP (assumption)")
    microwave_over_new_towers: bool = Field(
        False, description="a link may also end at another new tower; what is proven of the plan is then weaker"
    )
    microwave_hops: int = Field(2, ge=1, le=6, description="most links in a row from a new tower to what is lit")
    microwave_relays: int = Field(
        4, ge=0, le=8, description="most links that hang on a tower which is itself reached by microwave (assumption)"
    )
    microwave_hub_links: int = Field(
        6, ge=0, le=24, description="most links that hang on a new tower with fibre: room for dishes (assumption)"
    )
    microwave_mbps: float = Field(400.0, gt=0, description="what a link carries (assumption)")

    trenches: int = Field(
        30_000, ge=0, description="of a larger network only the cheapest routes between neighbouring places are offered"
    )
    snap_m: float = Field(20.0, ge=0, le=200, description="road ends this near to each other, or to a road, are joined")
    off_road_limit_km: float = Field(10.0, gt=0, le=50, description="longest straight link over ground without a road")
    grid_reach_km: float = Field(10.0, gt=0, le=50, description="longest new medium-voltage line")
    low_voltage_reach_m: float = Field(1000.0, ge=0, le=3000, description="longest low-voltage line to a small radio")


def _rate(value: float, band: float, description: str) -> Any:
    return Field(Rate(value=value, band=band, source="assumption"), description=description)


class Costs(Section):
    """[costs]: prices without VAT, in VND of the scenario's price year.

    All defaults are assumptions: orders of magnitude of rural works in northern Viet Nam, with the band beside each.
    """

    tower_fixed_vnd: Rate = _rate(200e6, 0.25, "foundation, shelter, earthing and fence of a new tower")
    tower_vnd_per_m: Rate = _rate(23e6, 0.25, "guyed or lattice tower, per metre of height")
    mast_extension_vnd_per_m: Rate = _rate(28e6, 0.3, "strengthening and raising a standing mast, per metre added")
    mast_refit_vnd: Rate = _rate(60e6, 0.3, "taking the antennas down and up again when a mast is raised")
    pole_vnd: Rate = _rate(80e6, 0.25, "pole of 12-15 m with cabinet, for a remote radio or a repeater")

    access_road_vnd_per_km: Rate = _rate(800e6, 0.4, "new access road to high ground, per km on level ground")
    hamlet_track_vnd_per_km: Rate = _rate(300e6, 0.4, "making a hamlet's own track fit for the works, per km")
    footpath_vnd_per_km: Rate = _rate(60e6, 0.4, "footpath and carrying by hand to a pole, per km")
    slope_surcharge_per_unit_slope: Rate = _rate(
        3.0, 0.4, "share added to any work over ground without a road, per unit of mean slope (30% slope: +90%)"
    )

    fibre_vnd_per_km: Rate = _rate(80e6, 0.4, "fibre cable along a road, hung or buried, per km")
    off_road_fibre_times: Rate = _rate(2.0, 0.3, "times dearer is level ground without a road: right of way, clearing")
    fibre_vnd_per_km_per_year: Rate = _rate(1.5e6, 0.4, "upkeep of new fibre, per km and year")

    microwave_link_vnd: Rate = _rate(350e6, 0.3, "one microwave link: radios and dishes at both ends, installed")
    microwave_vnd_per_year: Rate = _rate(40e6, 0.4, "frequency licence, energy and upkeep of a microwave link")

    medium_voltage_line_vnd_per_km: Rate = _rate(550e6, 0.3, "new 22 or 35 kV line, per km on level ground")
    transformer_vnd: Rate = _rate(200e6, 0.2, "transformer, protection and meter")
    solar_battery_vnd: Rate = _rate(450e6, 0.25, "2-3 kW solar and battery plant of a station")
    low_voltage_line_vnd_per_km: Rate = _rate(180e6, 0.3, "0.4 kV line to a remote radio or repeater, per km")
    low_voltage_connection_vnd: Rate = _rate(20e6, 0.2, "0.4 kV connection and meter")
    small_solar_vnd: Rate = _rate(90e6, 0.25, "solar and battery of a remote radio or repeater")

    station_4g_vnd: Rate = _rate(450e6, 0.2, "4G radio, antennas and installation, three sectors")
    station_5g_vnd: Rate = _rate(750e6, 0.25, "5G radio, antennas and installation, three sectors")
    sector_4g_vnd: Rate = _rate(160e6, 0.2, "one more 4G sector on a standing mast")
    sector_5g_vnd: Rate = _rate(270e6, 0.25, "one more 5G sector on a standing mast")
    remote_radio_vnd: Rate = _rate(180e6, 0.25, "remote radio, antenna and share of the baseband unit")
    small_cell_vnd: Rate = _rate(220e6, 0.3, "integrated base station of a small cell, antenna and installation")
    repeater_vnd: Rate = _rate(150e6, 0.25, "off-air repeater with both antennas")
    re_aim_vnd: Rate = _rate(20e6, 0.3, "turning or tilting one sector, with the measurements before and after")

    site_vnd_per_year: Rate = _rate(65e6, 0.25, "land, upkeep, guarding and transmission fees of a new station")
    grid_energy_vnd_per_year: Rate = _rate(35e6, 0.25, "electricity of a station from the grid")
    solar_upkeep_vnd_per_year: Rate = _rate(50e6, 0.3, "upkeep of a station's solar plant, batteries renewed")
    added_sector_vnd_per_year: Rate = _rate(10e6, 0.3, "energy and upkeep of one more sector")
    added_station_vnd_per_year: Rate = _rate(35e6, 0.3, "energy, upkeep and rent of another band on a standing mast")
    higher_mast_vnd_per_year: Rate = _rate(5e6, 0.3, "further upkeep and rent of a raised mast")
    small_site_vnd_per_year: Rate = _rate(18e6, 0.3, "land and upkeep of a remote radio or repeater")
    small_grid_energy_vnd_per_year: Rate = _rate(8e6, 0.25, "electricity of a remote radio or repeater from the grid")
    small_solar_upkeep_vnd_per_year: Rate = _rate(12e6, 0.3, "upkeep of small solar plants, batteries renewed")
