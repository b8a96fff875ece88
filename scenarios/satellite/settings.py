"""[satellite] of a scenario: whose satellites, which terminals, under which licence, in which climate.

Operators publish neither EIRP nor G/T nor where their beams point: those figures are assumptions with a band, and every
result carries what the band does to it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from phusong.coverage.satellite.attenuation.climate import REGIONS
from phusong.scenarios.settings import Rate, Section

FCC = "FCC SAT-MOD-20200417-00037"
ESTIMATE = "Pekhterev, SatMagazine, 11/2021"
REFERENCE_SATELLITE = "3GPP TR 38.821, bảng / table 6.1.3.3-1"
Place = Annotated[tuple[float, float], Field(description="latitude, longitude in degrees")]
Successor = Literal["geo", "renewed"]


def _of_the_calendar(given: str) -> str:
    try:
        date.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{given} is no day of the calendar: write YYYY-MM-DD") from None
    return given


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_of_the_calendar)]


class Figure(Section):
    """A technical figure with its source, and how far it may be off to either side, in its own unit.

    A bare number in the scenario file is taken as the scenario's own figure, without a band.
    """

    value: float
    band: float = Field(0.0, ge=0, description="to either side, in the unit that the key's name gives")
    source: str = Field("assumption", description='document, or "assumption"')

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, given: Any) -> Any:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return {"value": given, "source": "scenario"}
        return given

    @property
    def low(self) -> float:
        return self.value - self.band

    @property
    def high(self) -> float:
        return self.value + self.band


def _figure(value: float, band: float, description: str, source: str = "assumption") -> Any:
    return Field(Figure(value=value, band=band, source=source), description=description)


def _rate(value: float, band: float, description: str) -> Any:
    return Field(Rate(value=value, band=band, source="assumption"), description=description)


class Carrier(Section):
    """One direction between a satellite and the ground."""

    frequency_ghz: float = Field(ge=1, le=55)
    bandwidth_mhz: float = Field(gt=0, le=4000, description="of one carrier, as allocated")


class Terminal(Section):
    """What stands on the ground, what it is sold to carry, and what it costs."""

    gain_over_noise_db_k: Figure
    eirp_dbw: Figure
    system_noise_k: float = Field(270.0, ge=30, le=2000, description="under the clear sky (assumption)")
    diameter_m: float = Field(0.5, gt=0.05, le=15, description="of the aperture (assumption)")
    phased_array: bool = Field(True, description="a flat array that lies level loses gain off the zenith; a dish turns")
    rate_down_mbps: float = Field(gt=0, description="that the subscription gives at most")
    rate_up_mbps: float = Field(gt=0)
    capex_vnd: Rate
    opex_vnd_per_year: Rate


def _terminal(
    gain_over_noise: float, eirp: float, down: float, up: float, capex: float, opex: float, **more: Any
) -> Terminal:
    return Terminal(
        gain_over_noise_db_k=Figure(value=gain_over_noise, band=2.0),
        eirp_dbw=Figure(value=eirp, band=2.0),
        rate_down_mbps=down,
        rate_up_mbps=up,
        capex_vnd=Rate(value=capex, band=0.4),
        opex_vnd_per_year=Rate(value=opex, band=0.4),
        **more,
    )


class Shell(Section):
    """A planned shell of satellites, Walker i: T/P/F, in place of element sets."""

    altitude_km: float = Field(gt=160, le=2000)
    inclination_deg: float = Field(ge=0, le=180)
    satellites: int = Field(ge=1, le=40_000)
    planes: int = Field(ge=1)
    phasing: int = Field(0, ge=0)
    epoch: Day = Field("2026-01-01", description="day that is simulated")


class Leo(Section):
    """[satellite.leo]: a constellation in low orbit and its terminals."""

    enabled: bool = True
    name: str = "LEO"
    serving_only: bool = Field(True, description="leave out raising, falling, stray and direct-to-cell satellites")
    min_elevation_deg: Figure = _figure(25.0, 0.0, "below it no dish is served", f"{FCC}: 25°")
    gso_exclusion_deg: Figure = _figure(
        20.0, 2.0, "least angle from the geostationary arc, as the dish sees it; 18-22 is usual"
    )
    inter_satellite_links: bool = Field(True, description="else a gateway must see the same satellite (assumption)")
    gateways: tuple[Place, ...] = Field((), description="places of gateways on the ground; needed without links")
    gateway_elevation_deg: float = Field(25.0, ge=0, le=89, description="assumption")
    altitude_km: float | None = Field(None, gt=160, le=2000, description="none: the middle of the satellites'")

    down: Carrier = Field(
        Carrier(frequency_ghz=11.7, bandwidth_mhz=240.0), description=f"middle of 10.7-12.7 GHz ({FCC}); assumption"
    )
    up: Carrier = Field(
        Carrier(frequency_ghz=14.25, bandwidth_mhz=62.5), description=f"middle of 14.0-14.5 GHz ({FCC}); assumption"
    )
    eirp_dbw_per_mhz: Figure = _figure(
        4.0, 3.0, "of a satellite towards the ground, not published", f"{REFERENCE_SATELLITE}, SC6: 30 dBW / 400 MHz"
    )
    gain_over_noise_db_k: Figure = _figure(9.0, 3.0, "of a satellite, not published")
    other_losses_db: Figure = _figure(1.0, 1.0, "polarisation, pointing and implementation")
    modem_margin_db: Figure = _figure(1.5, 0.5, "above the ideal thresholds of DVB-S2X")

    channels: int = Field(
        8, ge=1, le=64, description=f"of down.bandwidth_mhz, that do not disturb each other ({ESTIMATE})"
    )
    up_channels: int = Field(8, ge=1, le=64, description=f"of up.bandwidth_mhz ({ESTIMATE})")
    beams_per_satellite: Figure = _figure(48.0, 16.0, "channels down at once, over all service cells", ESTIMATE)
    up_beams_per_satellite: Figure = _figure(16.0, 8.0, "channels up at once, over all service cells", ESTIMATE)
    overhead: float = Field(0.1, ge=0, le=0.9, description="roll-off, pilots and guard, of a channel (assumption)")
    footprint_share: Figure = _figure(
        0.2, 0.1, "of the ground under a satellite, with customers as dense as here; the rest is sea, empty or unserved"
    )
    schedulable: float = Field(
        0.75, gt=0, le=1, description="of the channels that neighbouring cells can fill together"
    )
    h3_resolution: int = Field(5, ge=3, le=8, description=f"of the hexagons served one by one; 5: 253 km2 ({ESTIMATE})")

    committed_down_mbps: float = Field(25.0, gt=0, description="per household, shared by `contention` (assumption)")
    committed_up_mbps: float = Field(3.0, gt=0, description="per household, shared by `contention` (assumption)")
    contention: float = Field(20.0, ge=1, le=200, description="households that share one committed rate (assumption)")
    hamlet_take_up: float = Field(
        0.3, gt=0, le=1, description="of the households of a low-signal hamlet that take a terminal (assumption)"
    )
    other_take_up: float = Field(0.002, ge=0, le=1, description="of all other households (assumption)")

    household: Terminal = Field(
        _terminal(9.0, 38.0, 150.0, 20.0, 10e6, 12e6), description="dish of one household; all assumptions"
    )
    community: Terminal = Field(
        _terminal(11.0, 41.0, 220.0, 30.0, 65e6, 60e6, diameter_m=0.6),
        description="shared terminal of a hamlet, which may feed a small cell; all assumptions",
    )
    site: Terminal = Field(
        _terminal(11.0, 41.0, 220.0, 30.0, 65e6, 110e6, diameter_m=0.6),
        description="backhaul of a base station, with a committed rate; all assumptions",
    )

    @model_validator(mode="after")
    def _reaches_the_ground(self) -> Leo:
        if not self.inter_satellite_links and not self.gateways:
            raise ValueError(
                "inter_satellite_links = false needs gateways: without either no traffic reaches the ground; "
                "add  gateways = [[16.05, 108.20]]  or set inter_satellite_links = true"
            )
        for key, least, most in (("min_elevation_deg", 5.0, 85.0), ("gso_exclusion_deg", 0.0, 60.0)):
            figure: Figure = getattr(self, key)
            if not least <= max(figure.low, least) <= figure.high <= most or figure.value < least:
                raise ValueError(f"{key} with its band must lie within {least:g} to {most:g} degrees")
        if self.footprint_share.low <= 0.0 or self.footprint_share.high > 1.0:
            raise ValueError("footprint_share with its band must lie above 0 and up to 1")
        if min(self.beams_per_satellite.low, self.up_beams_per_satellite.low) <= 0.0:
            raise ValueError("beams_per_satellite and up_beams_per_satellite must stay above 0 with their bands")
        return self


class Geo(Section):
    """[satellite.geo]: geostationary satellites by longitude, and what a leased transponder carries."""

    enabled: bool = True
    satellites: dict[str, float] = Field(
        {"VINASAT-1": 132.0, "VINASAT-2": 131.8},
        min_length=1,
        description="name -> degrees east, ±180 (VNPT; element sets of May 2026 agree to 0.1)",
    )
    min_elevation_deg: float = Field(10.0, ge=5, le=89, description="assumption")
    down: Carrier = Field(Carrier(frequency_ghz=11.5, bandwidth_mhz=36.0), description="Ku band (assumption)")
    up: Carrier = Field(
        Carrier(frequency_ghz=14.0, bandwidth_mhz=2.0), description="Ku band, carrier of one terminal (assumption)"
    )
    eirp_dbw: Figure = _figure(52.0, 3.0, "of a transponder over the area; contours are not published")
    gain_over_noise_db_k: Figure = _figure(5.0, 3.0, "of the satellite; contours are not published")
    other_losses_db: Figure = _figure(1.5, 1.0, "polarisation, pointing, back-off and implementation")
    modem_margin_db: Figure = _figure(1.0, 0.5, "above the ideal thresholds of DVB-S2X")
    transponders: int = Field(1, ge=0, le=60, description="leased for the area (assumption)")
    contention: float = Field(20.0, ge=1, le=200, description="households that share one committed rate (assumption)")
    household: Terminal = Field(
        _terminal(19.0, 44.0, 10.0, 2.0, 25e6, 15e6, diameter_m=0.9, phased_array=False, system_noise_k=150.0),
        description="0.9 m dish; all assumptions",
    )
    site: Terminal = Field(
        _terminal(21.5, 49.0, 20.0, 5.0, 120e6, 260e6, diameter_m=1.2, phased_array=False, system_noise_k=150.0),
        description="1.2 m dish, backhaul of a base station with a committed rate; all assumptions",
    )

    @model_validator(mode="after")
    def _longitudes(self) -> Geo:
        for name, longitude in self.satellites.items():
            if not -180.0 <= longitude <= 180.0:
                raise ValueError(f"satellites.{name}: {longitude:g} is no longitude: give -180 to 180 degrees east")
        return self


class DirectToDevice(Section):
    """[satellite.direct_to_device]: phones under satellites, 3GPP NTN in the S band, outdoors, text and voice."""

    enabled: bool = False
    label: str = Field("chưa được cấp phép trong nguồn đã dẫn", min_length=1)
    frequency_ghz: float = Field(2.0, ge=1, le=4, description="3GPP band n256 (assumption)")
    bandwidth_mhz: float = Field(5.0, gt=0, le=30, description="assumption")
    min_elevation_deg: float = Field(30.0, ge=5, le=85, description=f"{REFERENCE_SATELLITE}: 30°")
    eirp_dbw_per_mhz: Figure = _figure(34.0, 3.0, "of a satellite", f"{REFERENCE_SATELLITE}, SC9: 48.8 dBW / 30 MHz")
    gain_over_noise_db_k: Figure = _figure(-31.6, 2.0, "of a phone", f"{REFERENCE_SATELLITE}, SC9")
    satellite_gain_over_noise_db_k: Figure = _figure(1.1, 3.0, "of a satellite", f"{REFERENCE_SATELLITE}, SC9")
    phone_eirp_dbw: Figure = _figure(-7.0, 0.0, "of a phone: 23 dBm", f"{REFERENCE_SATELLITE}, SC9")
    other_losses_db: Figure = _figure(3.0, 3.0, "body, hand and polarisation, outdoors")


class Licence(Section):
    """[satellite.licence]: what the regulator allows of low orbit services."""

    source: str = Field("QĐ 659/QĐ-TTg, 23/3/2025", description="document; other keys follow it")
    terminals: int = Field(600_000, ge=0, description="in the whole country")
    gateways: int = Field(4, ge=0, description="in the whole country")
    until: Day = Field("2030-12-31", description="last day: ends before 1/1/2031")
    national_households: int = Field(
        26_870_079, ge=1, description="by which the terminals are shared out (census of 1/4/2019)"
    )
    terminals_here: int | None = Field(
        None, ge=0, description="of the terminals, for this area; none: the area's share of the households"
    )
    successor: Successor = Field(
        "geo", description='what follows a low orbit link after that day: "geo", or "renewed" (the licence is)'
    )


class Climate(Section):
    """[satellite.climate]: digital maps of the ITU-R where there are any, else rounded figures of a region."""

    itu_maps: str | None = Field(None, description="folder laid out as the data of the itur package")
    region: str | None = Field(
        None, description=f"one of {', '.join(REGIONS)}; without it and itu_maps the installed itur package is read"
    )

    @model_validator(mode="after")
    def _known(self) -> Climate:
        if self.region is not None and self.region not in REGIONS:
            raise ValueError(f"region: {self.region!r} is unknown: name one of {', '.join(REGIONS)}")
        return self


class Simulation(Section):
    """[satellite.simulation]: how finely the sky is looked at."""

    step_s: float = Field(60.0, ge=1, le=600, description="between looks at the constellation")
    hours: float = Field(24.0, gt=0, le=240)
    azimuths: int = Field(64, ge=8, le=360, description="directions of the terrain's horizon")
    eye_height_m: float = Field(3.0, gt=0, le=100, description="dish above the ground (assumption)")
    ring_deg: float = Field(
        0.0, ge=0, le=85, description="trees and roofs stand so high all round each dish, on top of the terrain"
    )
    most_cells: int = Field(1_000_000, ge=100, description="beyond, only every second, third ... cell has a dish")

    @model_validator(mode="after")
    def _countable(self) -> Simulation:
        if self.hours * 3600.0 / self.step_s > 20_000:
            raise ValueError("hours and step_s make more than 20,000 steps: take longer steps or fewer hours")
        return self


class Satellite(Section):
    """[satellite]: satellite service beside towers. A dish gives a household broadband, never mobile signal."""

    enabled: bool = False
    orbits: tuple[str, ...] = Field(
        (), description="files of element sets (TLE, OMM as JSON or CSV), in the data folder"
    )
    shells: tuple[Shell, ...] = Field((), description="planned shells, beside the files or instead of them")
    plan_date: Day | None = Field(None, description="more than 14 days from the elements: a warning")
    leo: Leo = Leo()
    geo: Geo = Geo()
    direct_to_device: DirectToDevice = DirectToDevice()
    licence: Licence = Licence()
    climate: Climate = Climate()
    simulation: Simulation = Simulation()

    least_availability: float = Field(
        0.99, gt=0, lt=1, description="rain and obstruction in, of a household that has broadband (assumption)"
    )
    least_rate_mbps: float = Field(
        10.0, gt=0, description="per household while it is active, down, for broadband (assumption)"
    )
    rate_exceedance_pct: float = Field(
        5.0, ge=0.01, le=50, description="weather so bad for this share of the year goes into the rates (assumption)"
    )
    least_backhaul_mbps: float = Field(
        20.0, gt=0, description="of a terminal that feeds a station; below it none is offered (assumption)"
    )

    @model_validator(mode="after")
    def _licensed(self) -> Satellite:
        if len(self.leo.gateways) > self.licence.gateways:
            raise ValueError(
                f"leo.gateways: {len(self.leo.gateways)} gateways, the licence ({self.licence.source}) allows "
                f"{self.licence.gateways}"
            )
        return self
