"""What a signal carries: from SINR to Mbps, downlink and uplink, for one user who has the carrier to himself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import log2

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.interference import BASE_NOISE_FIGURE_DB, noise_dbm_per_re
from phusong.coverage.link import SUBCARRIERS_PER_BLOCK, Duplex, default_subcarrier_khz, resource_blocks

SYMBOLS_PER_SLOT = 14
# 3GPP TS 38.306 section 4.1.2: highest code rate; overhead of frequency range 1.
HIGHEST_CODE_RATE = 948.0 / 1024.0
DOWNLINK_OVERHEAD = 0.14
UPLINK_OVERHEAD = 0.08
# Frame of unpaired carriers: D downlink, S special and U uplink slots; symbols of a special slot that go down, idle
# and up. Assumption: the frame most networks of 3.5 GHz agreed on (GSMA, 3.5 GHz 5G TDD synchronisation, 2020).
TDD_FRAME = "DDDSU"
SPECIAL_SLOT = (10, 2, 2)
# Power class 3: 3GPP TS 36.101 Table 6.2.2-1, TS 38.101-1 Table 6.2.1-1.
PHONE_POWER_DBM = 23.0


@dataclass(frozen=True, slots=True)
class LinkCurve:
    """Attenuated and truncated Shannon bound: efficiency = attenuation log2(1 + SINR), of one stream.

    attenuation    : share of the bound that modems reach
    lowest_sinr_db : below it nothing is carried [dB]
    highest_bps_hz : efficiency of the best modulation and code [bit/s/Hz]
    """

    attenuation: float
    lowest_sinr_db: float
    highest_bps_hz: float


# 3GPP TR 36.942 Annex A, baseline of its simulations: 4.4 bit/s/Hz is reached at 22 dB, 2.0 at 15 dB.
LTE_DOWNLINK = LinkCurve(0.6, -10.0, 4.4)
LTE_UPLINK = LinkCurve(0.4, -10.0, 2.0)
# 3GPP TR 38.803, link level performance of its coexistence studies: the same, up to 30 dB down and 22 dB up.
NR_DOWNLINK = LinkCurve(0.6, -10.0, 0.6 * log2(1.0 + 10.0**3.0))
NR_UPLINK = LinkCurve(0.4, -10.0, 0.4 * log2(1.0 + 10.0**2.2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One direction of a carrier, as far as its throughput goes.

    blocks          : resource blocks N_RB
    subcarrier_khz  : [kHz]
    curve           : efficiency of a stream
    layers          : MIMO streams
    bits_per_symbol : of the highest modulation: 6 for 64QAM, 8 for 256QAM
    overhead        : share of the elements that carry no data, 0 to 1
    time_share      : share of the time in this direction: 1 in a paired band
    """

    blocks: int
    subcarrier_khz: int
    curve: LinkCurve
    layers: int
    bits_per_symbol: int
    overhead: float
    time_share: float = 1.0

    def __post_init__(self) -> None:
        shares = 0.0 <= self.overhead < 1.0 and 0.0 < self.time_share <= 1.0
        if not shares or min(self.blocks, self.subcarrier_khz, self.layers, self.bits_per_symbol) < 1:
            raise ValueOutOfRange(
                what="this direction of a carrier carries nothing",
                where=f"{self}",
                mend="give counts of one or more, an overhead from 0 to below 1 and a time share above 0, at most 1",
            )

    @property
    def bandwidth_mhz(self) -> float:
        """Occupied bandwidth [MHz]."""
        return self.blocks * SUBCARRIERS_PER_BLOCK * self.subcarrier_khz / 1000.0

    @property
    def peak_mbps(self) -> float:
        """Data rate that nothing exceeds [Mbps], see `peak_data_rate_mbps`."""
        return self.time_share * peak_data_rate_mbps(
            self.blocks, self.subcarrier_khz, self.layers, self.bits_per_symbol, self.overhead
        )


def peak_data_rate_mbps(
    blocks: int, subcarrier_khz: float, layers: int, bits_per_symbol: int, overhead: float, scaling: float = 1.0
) -> float:
    """Highest data rate of one carrier while its direction is on the air [Mbps].

    blocks          : resource blocks N_RB
    subcarrier_khz  : subcarrier spacing [kHz]
    layers          : MIMO streams v
    bits_per_symbol : modulation order Q_m
    overhead        : OH, 0.14 down and 0.08 up below 7.1 GHz
    scaling         : f, 1, 0.8, 0.75 or 0.4
    Source: 3GPP TS 38.306 section 4.1.2, one carrier; R_max 948/1024, symbol time 1 ms / (14 spacing / 15 kHz). For LTE
    the same counting of elements, an upper bound of the tables of TS 36.213.
    """
    symbols_per_ms = SYMBOLS_PER_SLOT * subcarrier_khz / 15.0
    bits_per_element = layers * bits_per_symbol * scaling * HIGHEST_CODE_RATE
    return 1e-3 * bits_per_element * blocks * SUBCARRIERS_PER_BLOCK * symbols_per_ms * (1.0 - overhead)


def tdd_shares(frame: str = TDD_FRAME, special_slot: Iterable[int] = SPECIAL_SLOT) -> tuple[float, float]:
    """Shares of the time that go down and up in a frame of D, S and U slots.

    special_slot : symbols of an S slot that go down, stay idle and go up
    Raises ValueOutOfRange for other letters, symbols that do not add up to 14, or a frame with no time for a direction.
    """
    down, idle, up = special_slot
    shares = [(frame.count(letter) * 14 + frame.count("S") * part) for letter, part in (("D", down), ("U", up))]
    if set(frame) - set("DSU") or down + idle + up != SYMBOLS_PER_SLOT or min(shares, default=0) <= 0:
        raise ValueOutOfRange(
            what="this is no frame of an unpaired carrier",
            where=f"frame {frame!r}, special slot {down}:{idle}:{up}",
            mend="give D, S and U slots, as in DDDSU, and the 14 symbols of an S slot, as in 10:2:2",
        )
    slots = SYMBOLS_PER_SLOT * len(frame)
    return shares[0] / slots, shares[1] / slots


def downlink_of(
    technology: str,
    bandwidth_mhz: float,
    duplex: Duplex,
    *,
    layers: int,
    tdd_share: float = tdd_shares()[0],
    bits_per_symbol: int | None = None,
    overhead: float = DOWNLINK_OVERHEAD,
) -> Direction:
    """Downlink of an LTE ("4G") or NR ("5G") carrier.

    bits_per_symbol : None: 6 for LTE, 8 for NR (assumption: what the phones in use have)
    overhead        : TS 38.306 gives 0.14; taken for LTE too (assumption)
    Raises UnknownBandwidth, ValueOutOfRange.
    """
    return Direction(
        blocks=resource_blocks(technology, bandwidth_mhz),
        subcarrier_khz=default_subcarrier_khz(technology, bandwidth_mhz),
        curve=NR_DOWNLINK if technology == "5G" else LTE_DOWNLINK,
        layers=layers,
        bits_per_symbol=bits_per_symbol or (8 if technology == "5G" else 6),
        overhead=overhead,
        time_share=tdd_share if duplex == "TDD" else 1.0,
    )


def uplink_of(
    technology: str,
    bandwidth_mhz: float,
    duplex: Duplex,
    *,
    layers: int = 1,
    tdd_share: float = tdd_shares()[1],
    bits_per_symbol: int = 6,
    overhead: float = UPLINK_OVERHEAD,
) -> Direction:
    """Uplink of an LTE ("4G") or NR ("5G") carrier, one stream and 64QAM unless said otherwise (assumption).

    Raises UnknownBandwidth, ValueOutOfRange.
    """
    down = downlink_of(technology, bandwidth_mhz, duplex, layers=layers, bits_per_symbol=bits_per_symbol)
    return replace(
        down,
        curve=NR_UPLINK if technology == "5G" else LTE_UPLINK,
        overhead=overhead,
        time_share=tdd_share if duplex == "TDD" else 1.0,
    )


def spectral_efficiency_bps_hz(sinr_db: ArrayLike, curve: LinkCurve, layers: int = 1) -> NDArray[np.float64]:
    """Efficiency of all streams together [bit/s/Hz]; 0 below the curve's lowest SINR, NaN where SINR is NaN.

    sinr_db : of all the power in one stream [dB]
    layers  : streams; equally strong, each with its share of the power (assumption)
    Source: 3GPP TR 36.942 Annex A, for one stream.
    """
    sinr = np.asarray(sinr_db, np.float64)
    ratio = 10.0 ** (0.1 * sinr) / layers
    stream = np.minimum(curve.attenuation * np.log2(1.0 + ratio), curve.highest_bps_hz)
    return np.asarray(np.where(sinr < curve.lowest_sinr_db, 0.0, layers * stream))


def throughput_mbps(sinr_db: ArrayLike, direction: Direction, airtime_share: float = 1.0) -> NDArray[np.float64]:
    """Throughput of a user on the whole carrier [Mbps]; NaN where SINR is NaN.

    sinr_db       : per resource element [dB]
    airtime_share : share of the carrier's time that the user gets: 1 alone, 1 - load in a loaded sector
    Occupied bandwidth x efficiency x (1 - overhead) x time, at most the peak data rate. The overhead is taken beside
    the curve's attenuation, which names no control channels: against us where it holds them.
    """
    efficiency = spectral_efficiency_bps_hz(sinr_db, direction.curve, direction.layers)
    factor = direction.bandwidth_mhz * (1.0 - direction.overhead) * direction.time_share
    return np.asarray(airtime_share * np.minimum(efficiency * factor, direction.peak_mbps))


def uplink_level_dbm(
    rsrp_dbm: ArrayLike,
    rs_eirp_dbm: ArrayLike,
    receive_gain_dbi: ArrayLike,
    feeder_loss_db: ArrayLike,
    *,
    phone_power_dbm: float = PHONE_POWER_DBM,
    extra_loss_db: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Power of a phone at the base station's receiver [dBm], over whatever bandwidth it sends on.

    rsrp_dbm         : level of the server at the phone, outdoors [dBm]
    rs_eirp_dbm      : of the server, main beam [dBm]; rs_eirp - rsrp is path loss and pattern together
    receive_gain_dbi : of the base station's receiving beam [dBi]
    feeder_loss_db   : between antenna and receiver [dB]
    extra_loss_db    : building, vehicle, body [dB]
    The phone's antenna has 0 dBi. The same basic loss both ways; a paired band's uplink lies lower and loses up to 1 dB
    less, which is left out, against us.
    """
    lost_db = np.asarray(rs_eirp_dbm, np.float64) - np.asarray(rsrp_dbm, np.float64)
    gained_db = np.asarray(receive_gain_dbi, np.float64) - np.asarray(feeder_loss_db, np.float64)
    return np.asarray(phone_power_dbm - lost_db - np.asarray(extra_loss_db, np.float64) + gained_db)


def uplink_allocation(
    level_dbm: ArrayLike,
    direction: Direction,
    *,
    noise_figure_db: float = BASE_NOISE_FIGURE_DB,
    interference_rise_db: float = 0.0,
    lowest_sinr_db: float | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Resource blocks that a phone's power is spread over, and the SINR of each element [dB] there.

    level_dbm            : power at the receiver, see `uplink_level_dbm` [dBm]
    noise_figure_db      : of the base station [dB]
    interference_rise_db : by how much other sectors' phones raise the noise [dB]
    lowest_sinr_db       : SINR that must be left after spreading [dB]; None: the curve's lowest
    The most blocks that leave the lowest SINR: on the attenuated Shannon bound, spreading further always carries more.
    0 blocks, and SINR of one block, where not even one works; NaN level: 0 and NaN.
    """
    least_db = direction.curve.lowest_sinr_db if lowest_sinr_db is None else lowest_sinr_db
    noise_dbm = noise_dbm_per_re(direction.subcarrier_khz, noise_figure_db) + interference_rise_db
    one_block_db = np.asarray(level_dbm, np.float64) - 10.0 * np.log10(SUBCARRIERS_PER_BLOCK) - noise_dbm
    # A hair more, so that the level which just allows n blocks is not rounded to n - 1.
    spread = np.floor(10.0 ** (0.1 * (one_block_db - least_db)) * (1.0 + 1e-9))
    blocks = np.clip(np.nan_to_num(spread, nan=0.0, posinf=direction.blocks), 0, direction.blocks).astype(np.int64)
    return blocks, np.asarray(one_block_db - 10.0 * np.log10(np.maximum(blocks, 1)))


def uplink_mbps(
    level_dbm: ArrayLike,
    direction: Direction,
    *,
    noise_figure_db: float = BASE_NOISE_FIGURE_DB,
    interference_rise_db: float = 0.0,
    lowest_sinr_db: float | None = None,
    airtime_share: float = 1.0,
) -> NDArray[np.float64]:
    """Throughput of a phone that has the uplink to itself [Mbps]; 0 where its power does not do, NaN where level is.

    Parameters as in `uplink_allocation` and `throughput_mbps`.
    """
    blocks, sinr_db = uplink_allocation(
        level_dbm, direction, noise_figure_db=noise_figure_db, interference_rise_db=interference_rise_db,
        lowest_sinr_db=lowest_sinr_db,
    )  # fmt: skip
    # At exactly the lowest SINR the sum of decibels may fall a hair below it.
    whole = throughput_mbps(np.where(blocks > 0, sinr_db + 1e-9, sinr_db), direction, airtime_share)
    return np.asarray(whole * blocks / direction.blocks)
