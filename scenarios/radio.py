"""Carriers and radio defaults of a scenario, and the sectors that stand today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pydantic import Field, model_validator

from phusong.coverage.errors import CoverageError
from phusong.coverage.link import resource_blocks, rs_eirp_dbm
from phusong.coverage.propagation import resolve_model
from phusong.coverage.sectors import Sectors
from phusong.coverage.surroundings import Surroundings as Around
from phusong.coverage.surroundings import make_surroundings
from phusong.data_sources.antenna_files import AntennaFile
from phusong.scenarios.antennas import fit_antennas
from phusong.scenarios.settings import Section

Technology = Literal["2G", "3G", "4G", "5G"]
WORTH_TELLING_M = 1.0  # coordinates written to five decimals of a degree differ by as much
GENERATION: dict[str, int] = {"2G": 2, "3G": 3, "4G": 4, "5G": 5}


class Carrier(Section):
    """One band as it is deployed; a site list's own values win over these."""

    technology: Technology
    frequency_mhz: float = Field(gt=100, le=6000, description="downlink centre frequency")
    bandwidth_mhz: float = Field(gt=0, le=100)
    tx_power_dbm: float = Field(46.0, ge=20, le=60, description="total carrier power over all ports")
    antenna_gain_dbi: float = Field(17.5, ge=0, le=30, description="gain of the beam that carries reference signals")
    reference_beam_loss_db: float = Field(
        0.0, ge=0, le=10, description="how far the reference-signal beam lies below the listed gain (SSB beams: 3-6 dB)"
    )
    horizontal_beamwidth_deg: float = Field(65.0, gt=5, le=360)
    vertical_beamwidth_deg: float = Field(10.0, gt=1, le=90)
    model_offset_db: float = Field(
        0.0, ge=-60, le=60, description="measured less modelled level of this band, on top of [radio] model_offset_db"
    )
    antenna: str = Field("", description="antenna of listed sectors that name none: NAME in one of [data] antennas")
    source: str = "assumption"


@cache
def default_carriers() -> dict[str, Carrier]:
    """Bands in use in Vietnam, with the powers and gains design work assumes for them."""
    lte, nr = {"technology": "4G"}, {"technology": "5G", "tx_power_dbm": 49.0, "antenna_gain_dbi": 24.0}
    wide_nr = {**nr, "bandwidth_mhz": 100, "reference_beam_loss_db": 4.5}
    return {
        "B1": Carrier(**lte, frequency_mhz=2140, bandwidth_mhz=15),
        "B3": Carrier(**lte, frequency_mhz=1842.5, bandwidth_mhz=20),
        "B7": Carrier(**lte, frequency_mhz=2655, bandwidth_mhz=20),
        "B8": Carrier(**lte, frequency_mhz=942.5, bandwidth_mhz=10, antenna_gain_dbi=15.0),
        "B20": Carrier(**lte, frequency_mhz=806, bandwidth_mhz=10, antenna_gain_dbi=15.0),
        "B28": Carrier(**lte, frequency_mhz=780.5, bandwidth_mhz=10, antenna_gain_dbi=15.0),
        "n28": Carrier(technology="5G", frequency_mhz=780.5, bandwidth_mhz=10, antenna_gain_dbi=15.0),
        "n41": Carrier(**wide_nr, frequency_mhz=2593),
        "n77": Carrier(**wide_nr, frequency_mhz=3750),
        "n78": Carrier(**wide_nr, frequency_mhz=3550),
    }


class Surroundings(Section):
    """[radio.surroundings]: what stands around the receiver, corrected once, and what it is inside of."""

    lowered_m: float = Field(0.0, ge=0, description="canopy over the receiver that a surface model holds [m]")
    vegetation_m: float = Field(0.0, ge=0, description="woodland between the receiver and its edge (ITU-R P.833)")
    trees: str = Field("st-petersburg", description="whose measurements of woodland")
    clutter_location_pct: float | None = Field(None, description="town, share of locations (ITU-R P.2108)")
    stated_db: float = Field(0.0, ge=0, description="a loss that somebody states")
    building: Literal["traditional", "thermally-efficient"] | None = Field(None, description="indoors (ITU-R P.2109)")
    building_pct: float = Field(50.0, description="share of buildings that lose no more")
    vehicle_db: float = Field(0.0, ge=0)
    body_db: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _counts_nothing_twice(self) -> Surroundings:
        _as_value_error(self.made)
        return self

    def made(self) -> Around:
        return make_surroundings(**self.model_dump())


def _as_value_error(make: Callable[[], Any]) -> Any:
    """What `make` gives; what physics refuses becomes a fault of the scenario's key."""
    try:
        return make()
    except CoverageError as fault:
        raise ValueError(f"{fault.what} ({fault.where}): {fault.mend}") from None


class Radio(Section):
    """[radio]: propagation model and link budget."""

    model: str = Field("p1812", description="propagation model, by name")
    model_parameters: dict[str, float | bool | str] = Field(
        default_factory=dict, description="parameters of the model by their own names, e.g. time_pct"
    )
    map_mode: Literal["radial", "exact"] = Field(
        "radial", description="how pictures are computed; what is decided is always computed on exact profiles"
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="what computes radial pictures; cuda: a GPU")
    surroundings: Surroundings = Surroundings()
    range_km: float = Field(30.0, gt=0.5, le=100, description="no signal is computed beyond this distance")
    candidate_range_km: float = Field(12.0, gt=0.5, le=100, description="the same for options of the plan")
    rx_height_m: float = Field(1.5, gt=0, le=30)
    feeder_loss_db: float = Field(2.0, ge=0, le=20)
    model_sigma_db: float = Field(7.0, ge=0, le=20, description="error of the model, common to a hamlet (assumption)")
    location_sigma_db: float = Field(5.5, ge=0, le=20, description="variability between places of a cell (assumption)")
    model_offset_db: float = Field(
        0.0, ge=-60, le=60, description="measured less modelled level, added to every level (phusong calibrate)"
    )
    calibrated_for: str | None = Field(None, description="model that the offset was fitted for; no other may use it")
    confidence: float = Field(0.8, ge=0.5, lt=1, description="probability with which the planned level is exceeded")
    interference_margin_db: float = Field(3.0, ge=0, le=20, description="assumption")
    min_rsrp_dbm: dict[Technology, float] = Field(
        {"4G": -110.0, "5G": -110.0}, description="service level per technology (assumption)"
    )
    carriers: dict[str, Carrier] = Field(default_factory=dict, description="adds to, or replaces, the built-in bands")

    @model_validator(mode="after")
    def _model_takes_its_parameters(self) -> Radio:
        _as_value_error(lambda: self.propagation)
        return self

    @property
    def propagation(self) -> Any:
        """The model with its parameters. Raises ValueError for a parameter that it does not have."""
        model = resolve_model(self.model)
        unknown = sorted(set(self.model_parameters) - set(model._fields))
        if unknown:
            near = get_close_matches(unknown[0], model._fields, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(model._fields) or 'none'}"
            raise ValueError(f"model {self.model!r} has no parameter {unknown[0]!r}: {advice}")
        defaults = model._asdict()
        return model._replace(**{k: _like(defaults[k], k, v) for k, v in self.model_parameters.items()})

    @model_validator(mode="after")
    def _offset_is_of_this_model(self) -> Radio:
        if self.model_offset_db and self.calibrated_for not in (None, self.model):
            raise ValueError(
                f'model_offset_db was fitted for "{self.calibrated_for}", not for "{self.model}": '
                "run  phusong calibrate  again, or set model_offset_db = 0"
            )
        return self

    def carrier(self, band: str) -> Carrier | None:
        """The carrier of a band, its offset including the model's own: the one place where the two meet."""
        carrier = self.carriers.get(band) or default_carriers().get(band)
        if carrier is None or not self.model_offset_db:
            return carrier
        return carrier.model_copy(update={"model_offset_db": carrier.model_offset_db + self.model_offset_db})


@dataclass(frozen=True, slots=True)
class Network:
    """Sectors on a part's grid.

    site_rc  : (L, 2) float64 places of the sites, grid coordinates (row, col)
    site_id  : (L,) names of the sites
    sectors  : the sectors; `sectors.location` indexes site_rc, `sectors.layer` indexes layers
    layers   : (operator, technology) of each layer
    row      : (S,) int64 row of the sector list that each sector came from
    Azimuths of the sectors are the grid's; those of the list are true.
    """

    site_rc: NDArray[np.float64]
    site_id: tuple[str, ...]
    sectors: Sectors
    layers: tuple[tuple[str, str], ...]
    row: NDArray[np.int64]


def grid_coordinates(box: GeoBox, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) float64 (row, col) with whole numbers at cell centres, from coordinates in the grid's CRS."""
    col, row = ~box.affine @ (np.asarray(x), np.asarray(y))
    return np.column_stack([row, col]) - 0.5


def _like(default: Any, name: str, value: float | bool | str) -> Any:
    """A parameter in the type of its default: a kernel is compiled for the types of its parameters."""
    if isinstance(default, bool) or isinstance(value, bool) or isinstance(default, str) or isinstance(value, str):
        if type(value) is not type(default):
            raise ValueError(f"model parameter {name} = {value!r}: expected a {type(default).__name__}")
        return value
    if isinstance(default, int) and value != int(value):
        raise ValueError(f"model parameter {name} = {value!r}: expected a whole number")
    return type(default)(value)


def existing_network(
    frame: gpd.GeoDataFrame, box: GeoBox, radio: Radio, antennas: Sequence[AntennaFile] = ()
) -> tuple[Network, list[str]]:
    """The sectors of a site list (schema `sectors`, CRS of the grid) as coverage/ wants them.

    Listed values win, then those of the antenna's file, then the carrier's defaults. Sectors of an unknown band, or of
    a technology that the scenario sets no level for, carry no service: they are left out, and the second value says
    how many and why.
    """
    kept, notes = [], []
    left_out: dict[str, int] = {}
    for position, (band, technology) in enumerate(zip(frame["band"], frame["technology"], strict=True)):
        if technology not in radio.min_rsrp_dbm:
            reason = f"công nghệ {technology}"
        elif radio.carrier(band) is None:
            reason = f"băng tần {band}"
        else:
            kept.append(position)
            continue
        left_out[reason] = left_out.get(reason, 0) + 1
    notes = [
        f"{count} sector không tính ({reason}) / sectors left out ({reason})" for reason, count in left_out.items()
    ]

    rows = frame.iloc[kept]
    carriers = [radio.carrier(band) for band in rows["band"]]

    def filled(column: str, defaults: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        listed = rows[column].to_numpy(dtype=np.float64)
        return np.where(np.isnan(listed), np.array(defaults, dtype=np.float64), listed)

    known = [c for c in carriers if c is not None]
    fitted = fit_antennas(antennas, [n or c.antenna for n, c in zip(rows["antenna"].fillna(""), known, strict=True)])
    notes += [*fitted.doubts, *_unknown_antennas(fitted.unknown)]
    bandwidth = filled("bandwidth_mhz", [c.bandwidth_mhz for c in known])
    usual_dbi = np.array([c.antenna_gain_dbi for c in known], dtype=np.float64)
    gain = filled("antenna_gain_dbi", np.where(np.isnan(fitted.gain_dbi), usual_dbi, fitted.gain_dbi))
    leaning_deg = filled("mechanical_tilt_deg", np.zeros(len(known)))
    tilt_deg = filled("downtilt_deg", leaning_deg + np.nan_to_num(fitted.tilt_deg))
    power = filled("tx_power_dbm", [c.tx_power_dbm for c in known])
    feeder = filled("feeder_loss_db", [radio.feeder_loss_db] * len(known))
    eirp = [
        rs_eirp_dbm(p, resource_blocks(c.technology, b), f, g - c.reference_beam_loss_db) + c.model_offset_db
        for p, b, f, g, c in zip(power, bandwidth, feeder, gain, known, strict=True)
    ]
    pairs = list(zip(rows["operator"], rows["technology"], strict=True))
    layers = tuple(sorted(set(pairs)))
    # Sectors listed under the same id stand on the same mast: what reads a list gives each place an id of its own.
    rc = grid_coordinates(box, rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy())
    ids = rows["site_id"].to_numpy()
    names, first, location = np.unique(ids, return_index=True, return_inverse=True)
    away_m = np.hypot(*(rc - rc[first][location]).T) * abs(box.affine.a) if len(kept) else np.empty(0)
    if (away := away_m > WORTH_TELLING_M).any():
        notes.append(
            f"{away.sum()} sector được tính tại vị trí đầu của trạm, cách tới {away_m.max():.0f} m"
            f" / sectors counted at the first place of their site, up to {away_m.max():.0f} m away"
        )
    sectors = Sectors(
        location=location.astype(np.int32),
        height_m=rows["antenna_height_m"].to_numpy(dtype=np.float64),
        frequency_mhz=filled("frequency_mhz", [c.frequency_mhz for c in known]),
        azimuth_deg=(rows["azimuth_deg"].to_numpy(dtype=np.float64) + true_north_deg(rows.geometry)) % 360.0,
        downtilt_deg=tilt_deg - leaning_deg,
        horizontal_beamwidth_deg=filled("beamwidth_deg", [c.horizontal_beamwidth_deg for c in known]),
        vertical_beamwidth_deg=np.array([c.vertical_beamwidth_deg for c in known], dtype=np.float64),
        rs_eirp_dbm=np.array(eirp, dtype=np.float64),
        layer=np.array([layers.index(pair) for pair in pairs], dtype=np.int32),
        mechanical_tilt_deg=leaning_deg,
        pattern=fitted.pattern,
    )
    site_rc = rc[first] if len(kept) else np.empty((0, 2))
    return Network(site_rc, tuple(str(n) for n in names), sectors, layers, np.array(kept, dtype=np.int64)), notes


def _unknown_antennas(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [
        f"{len(names)} loại anten không có tệp, tính theo công thức 3GPP / antennas without a file, taken by the "
        f"3GPP formula: {', '.join(names[:5])}"
    ]


def true_azimuth_deg(grid_deg: NDArray[np.float64], points: gpd.GeoSeries) -> NDArray[np.float64]:
    """(N,) azimuths from true north as tables and ids print them, from azimuths in the grid at each point.

    A tenth of a degree is finer than any rigger sets; below 360.
    """
    return np.asarray(np.round((grid_deg - true_north_deg(points)) % 360.0, 1) % 360.0)


def true_north_deg(points: gpd.GeoSeries) -> NDArray[np.float64]:
    """(N,) bearing of true north in the grid at each point: azimuth in the grid = true azimuth + this."""
    if points.empty:
        return np.empty(0)
    lonlat = points.to_crs(4326)
    north = gpd.GeoSeries.from_xy(lonlat.x, lonlat.y + 1e-4, crs=4326).to_crs(points.crs)
    dx = north.x.to_numpy() - points.x.to_numpy()
    dy = north.y.to_numpy() - points.y.to_numpy()
    return np.asarray(np.degrees(np.arctan2(dx, dy)))
