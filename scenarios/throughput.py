"""How fast the network is in each place: what carriers and phones are taken to be, and the speeds that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.interference import (
    BASE_NOISE_FIGURE_DB,
    PHONE_NOISE_FIGURE_DB,
    cochannel_groups,
    noise_dbm_per_re,
    sinr_map,
)
from phusong.coverage.link import (
    BODY_LOSS_DB,
    SUBCARRIERS_PER_BLOCK,
    VEHICLE_LOSS_DB,
    default_subcarrier_khz,
    duplex_of,
    resource_blocks,
)
from phusong.coverage.speed_classes import QCVN_126_2021, SpeedNorm
from phusong.coverage.throughput import (
    PHONE_POWER_DBM,
    SPECIAL_SLOT,
    TDD_FRAME,
    Direction,
    downlink_of,
    tdd_shares,
    throughput_mbps,
    uplink_level_dbm,
    uplink_mbps,
    uplink_of,
)
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.radio import Carrier, Network, Radio, Technology
from phusong.scenarios.settings import Section


class Speeds(Section):
    """What a technology is asked for, in Mbps."""

    download_mbps: float = Field(gt=0, description="mean over the people of an area")
    upload_mbps: float = Field(gt=0, description="mean over the people of an area")
    least_download_mbps: float = Field(gt=0, description="reached by least_share of the people")
    least_share: float = Field(0.95, gt=0, le=1)
    source: str = "assumption"

    @classmethod
    def of(cls, norm: SpeedNorm) -> Speeds:
        return cls(
            download_mbps=norm.download_mbps, upload_mbps=norm.upload_mbps,
            least_download_mbps=norm.least_download_mbps, least_share=norm.least_share, source=norm.source,
        )  # fmt: skip

    def norm(self) -> SpeedNorm:
        return SpeedNorm(self.download_mbps, self.upload_mbps, self.least_download_mbps, self.least_share, self.source)


class Throughput(Section):
    """[throughput]: what turns levels into Mbps."""

    downlink_layers: dict[Technology, int] = Field({"4G": 2, "5G": 4}, description="MIMO streams down (assumption)")
    uplink_layers: dict[Technology, int] = Field({"4G": 1, "5G": 1}, description="MIMO streams up (assumption)")
    tdd_frame: str = Field(TDD_FRAME, description="slots of unpaired bands: D down, S special, U up (assumption)")
    special_slot: tuple[int, int, int] = Field(SPECIAL_SLOT, description="symbols of an S slot down, idle, up")
    load: float = Field(0.5, ge=0, le=1, description="share of other sectors' elements in use (assumption)")
    phone_power_dbm: float = Field(PHONE_POWER_DBM, ge=10, le=35, description="power class 3; class 2 has 26 dBm")
    phone_noise_figure_db: float = Field(PHONE_NOISE_FIGURE_DB, ge=0, le=20, description="3GPP TR 36.942")
    base_noise_figure_db: float = Field(BASE_NOISE_FIGURE_DB, ge=0, le=20, description="3GPP TR 36.942")
    uplink_interference_rise_db: float = Field(3.0, ge=0, le=20, description="noise rise by other phones (assumption)")
    extra_loss_db: float = Field(
        0.0, ge=0, le=60, description=f"building, car ({VEHICLE_LOSS_DB:g}) or body ({BODY_LOSS_DB:g}); 0 in the open"
    )
    norms: dict[Technology, Speeds] = Field(
        {
            "4G": Speeds(download_mbps=10, upload_mbps=2, least_download_mbps=2),
            "5G": Speeds.of(QCVN_126_2021),
        },
        description="speeds asked for; 4G is an assumption, 5G is QCVN 126:2021/BTTTT",
    )

    @model_validator(mode="after")
    def _frame_has_both_directions(self) -> Throughput:
        try:
            tdd_shares(self.tdd_frame, self.special_slot)
        except ValueOutOfRange as fault:
            raise ValueError(f"{fault.what}: {fault.mend}") from fault
        return self

    def directions(self, technology: str, band: str, bandwidth_mhz: float, frequency_mhz: float) -> list[Direction]:
        """Downlink and uplink of a carrier."""
        duplex = duplex_of(band, frequency_mhz)
        down_share, up_share = tdd_shares(self.tdd_frame, self.special_slot)
        streams = (self.downlink_layers.get(technology, 1), self.uplink_layers.get(technology, 1))  # type: ignore[call-overload]
        return [
            downlink_of(technology, bandwidth_mhz, duplex, layers=streams[0], tdd_share=down_share),
            uplink_of(technology, bandwidth_mhz, duplex, layers=streams[1], tdd_share=up_share),
        ]


@dataclass(frozen=True, slots=True)
class SectorRadio:
    """What throughput needs of S sectors beyond coverage's Sectors, one entry a sector, in the same order.

    frequency_mhz    : carrier [MHz]
    layer            : int32 number of its (operator, technology) layer
    rs_eirp_dbm      : EIRP of one reference element in the main beam, the model's offset in [dBm]
    receive_gain_dbi : of the traffic beam, also when it listens [dBi]
    feeder_loss_db   : [dB]
    beam_gain_db     : traffic beam above the beam that RSRP is of [dB]
    model_offset_db  : correction of the model that is part of the sector's EIRP [dB]
    """

    site_id: tuple[str, ...]
    operator: tuple[str, ...]
    technology: tuple[str, ...]
    band: tuple[str, ...]
    bandwidth_mhz: NDArray[np.float64]
    frequency_mhz: NDArray[np.float64]
    layer: NDArray[np.int32]
    rs_eirp_dbm: NDArray[np.float64]
    receive_gain_dbi: NDArray[np.float64]
    feeder_loss_db: NDArray[np.float64]
    beam_gain_db: NDArray[np.float64]
    model_offset_db: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.site_id)

    def channels(self) -> NDArray[np.int32]:
        """(S,) channel of each sector, see `cochannel_groups`."""
        return cochannel_groups(self.layer, self.frequency_mhz)[0]

    def followed_by(self, others: SectorRadio) -> SectorRadio:
        """These sectors, and after them others, whose numbers go up by len(self)."""
        both: dict[str, Any] = {}
        for name in SectorRadio.__dataclass_fields__:
            first, second = getattr(self, name), getattr(others, name)
            both[name] = first + second if isinstance(first, tuple) else np.concatenate([first, second])
        return SectorRadio(**both)


def _names(rows: pd.DataFrame) -> dict[str, Any]:
    return {name: tuple(str(value) for value in rows[name]) for name in ("site_id", "operator", "technology", "band")}


def standing_radio(frame: gpd.GeoDataFrame, network: Network, radio: Radio) -> SectorRadio:
    """Radio of a network's sectors, from the site list (schema `sectors`) that it was made of."""
    rows = frame.iloc[network.row]
    carriers = [carrier for carrier in (radio.carrier(band) for band in rows["band"]) if carrier is not None]

    def filled(column: str, defaults: Sequence[float]) -> NDArray[np.float64]:
        listed = rows[column].to_numpy(dtype=np.float64)
        return np.where(np.isnan(listed), np.array(defaults, dtype=np.float64), listed)

    bandwidth = filled("bandwidth_mhz", [c.bandwidth_mhz for c in carriers])
    power = _element_power_dbm(carriers, bandwidth, filled("tx_power_dbm", [c.tx_power_dbm for c in carriers]))
    feeder = filled("feeder_loss_db", [radio.feeder_loss_db] * len(carriers))
    beam = np.array([c.reference_beam_loss_db for c in carriers], dtype=np.float64)
    offset = np.array([c.model_offset_db for c in carriers], dtype=np.float64)
    return SectorRadio(
        **_names(rows),
        bandwidth_mhz=bandwidth,
        frequency_mhz=network.sectors.frequency_mhz,
        layer=network.sectors.layer,
        rs_eirp_dbm=network.sectors.rs_eirp_dbm,
        # Taken from the EIRP, which knows whether the list, an antenna's file or the carrier gives the gain.
        receive_gain_dbi=network.sectors.rs_eirp_dbm - offset - power + feeder + beam,
        feeder_loss_db=feeder,
        beam_gain_db=beam,
        model_offset_db=offset,
    )


def _element_power_dbm(
    carriers: Sequence[Carrier], bandwidth_mhz: Sequence[float] | NDArray[np.float64],
    power_dbm: Sequence[float] | NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """(S,) mean power of a resource element, from that of the whole carrier."""
    blocks = [resource_blocks(c.technology, b) for c, b in zip(carriers, bandwidth_mhz, strict=True)]
    elements = SUBCARRIERS_PER_BLOCK * np.array(blocks, dtype=np.float64)
    return np.asarray(np.asarray(power_dbm, dtype=np.float64) - 10.0 * np.log10(elements))


def candidate_radio(candidates: Candidates, radio: Radio, which: NDArray[np.int64]) -> SectorRadio:
    """Radio of some sectors of the candidates.

    An option keeps no antenna gain. It is taken as what its EIRP leaves beside the carrier's own power: a radio of less
    power then has as much less receive gain, against us.
    """
    options = candidates.options.iloc[candidates.sector_option[which]]
    carriers = [carrier for carrier in (radio.carrier(band) for band in options["band"]) if carrier is not None]
    beam = np.array([c.reference_beam_loss_db for c in carriers], dtype=np.float64)
    offset = np.array([c.model_offset_db for c in carriers], dtype=np.float64)
    bandwidth = np.array([c.bandwidth_mhz for c in carriers], dtype=np.float64)
    power = _element_power_dbm(carriers, bandwidth, [c.tx_power_dbm for c in carriers])
    return SectorRadio(
        **_names(options),
        bandwidth_mhz=bandwidth,
        frequency_mhz=candidates.sectors.frequency_mhz[which],
        layer=candidates.sectors.layer[which],
        rs_eirp_dbm=candidates.sectors.rs_eirp_dbm[which],
        receive_gain_dbi=candidates.sectors.rs_eirp_dbm[which] - offset - power + beam,
        feeder_loss_db=np.zeros(len(which)),
        beam_gain_db=beam,
        model_offset_db=offset,
    )


@dataclass(frozen=True, slots=True)
class Rates:
    """Median speeds of one user on the best server of each layer, alone in its sector; NaN where there is none.

    sinr_db       : (L, N) float32 per resource element, of the traffic beam
    download_mbps : (L, N) float32
    upload_mbps   : (L, N) float32
    """

    sinr_db: NDArray[np.float32]
    download_mbps: NDArray[np.float32]
    upload_mbps: NDArray[np.float32]


def rates_of(
    rsrp_dbm: NDArray[np.floating],
    server: NDArray[np.int32],
    of: SectorRadio,
    settings: Throughput,
    *,
    channel_power_mw: NDArray[np.floating] | None,
    interference_margin_db: float,
) -> Rates:
    """Speeds from levels.

    rsrp_dbm, server       : (L, N) best server of each layer
    of                     : the sectors that `server` numbers
    channel_power_mw       : (K, N) levels of all sectors of each channel of `of.channels()` added up [mW];
                             None: interference raises the noise by interference_margin_db everywhere
    Levels are medians, and so are the speeds. One frequency of a sector counts, the one of its best server: carriers
    are not aggregated.
    """
    noise = np.array(
        [
            noise_dbm_per_re(default_subcarrier_khz(technology, bandwidth), settings.phone_noise_figure_db)
            for technology, bandwidth in zip(of.technology, of.bandwidth_mhz, strict=True)
        ]
    )
    channel = of.channels()
    power, load = channel_power_mw, settings.load
    if power is None:
        channel, load, noise = np.zeros(len(of), np.int32), 0.0, noise + interference_margin_db
        power = np.zeros((1, server.shape[1]), np.float32)
    sinr = sinr_map(
        rsrp_dbm, server, power, channel, load=load, noise_dbm_per_re=noise, extra_loss_db=settings.extra_loss_db,
        beam_gain_db=of.beam_gain_db,
    )  # fmt: skip
    rates = Rates(sinr, np.full(sinr.shape, np.nan, np.float32), np.full(sinr.shape, np.nan, np.float32))
    kinds = list(zip(of.technology, of.band, of.bandwidth_mhz, of.frequency_mhz, strict=True))
    for kind in dict.fromkeys(kinds):
        down, up = settings.directions(*kind)
        # One entry more, for the cells without a server (-1).
        where = np.array([*(k == kind for k in kinds), False])[server]
        by = server[where]
        rates.download_mbps[where] = throughput_mbps(sinr[where], down)
        level = uplink_level_dbm(
            rsrp_dbm[where], (of.rs_eirp_dbm - of.model_offset_db)[by], of.receive_gain_dbi[by],
            of.feeder_loss_db[by], phone_power_dbm=settings.phone_power_dbm, extra_loss_db=settings.extra_loss_db,
        )  # fmt: skip
        # RSRP is of the reference beam, whose gain the EIRP holds: their difference is loss alone, whichever the beam.
        rates.upload_mbps[where] = uplink_mbps(
            level, up, noise_figure_db=settings.base_noise_figure_db,
            interference_rise_db=settings.uplink_interference_rise_db,
        )  # fmt: skip
    return rates
