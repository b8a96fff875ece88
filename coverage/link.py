"""Link budget: from a carrier's power to the level of its reference signal, and what the bands are."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import UnknownBandwidth, ValueOutOfRange

SUBCARRIERS_PER_BLOCK = 12

# Transmission bandwidth configuration N_RB by channel bandwidth [MHz].
# 3GPP TS 36.101 Table 5.6-1.
LTE_RESOURCE_BLOCKS: dict[float, int] = {1.4: 6, 3.0: 15, 5.0: 25, 10.0: 50, 15.0: 75, 20.0: 100}
# 3GPP TS 38.101-1 Table 5.3.2-1 (3 MHz from Release 18 on), by subcarrier spacing [kHz].
NR_RESOURCE_BLOCKS: dict[int, dict[float, int]] = {
    15: {3: 15, 5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 35: 188, 40: 216, 45: 242, 50: 270},
    30: {
        5: 11,
        10: 24,
        15: 38,
        20: 51,
        25: 65,
        30: 78,
        35: 92,
        40: 106,
        45: 119,
        50: 133,
        60: 162,
        70: 189,
        80: 217,
        90: 245,
        100: 273,
    },
    60: {
        10: 11,
        15: 18,
        20: 24,
        25: 31,
        30: 38,
        35: 44,
        40: 51,
        45: 58,
        50: 65,
        60: 79,
        70: 93,
        80: 107,
        90: 121,
        100: 135,
    },
}
# Assumption: NR carriers of up to 20 MHz lie in paired low bands and use 15 kHz, wider ones 30 kHz.
WIDEST_15_KHZ_CARRIER_MHZ = 20.0

# A hand or a head beside the phone [dB]: assumption, the figure of ITU-R sharing studies of IMT.
BODY_LOSS_DB = 4.0
# Into a car without metallised windows [dB]: mean of 3GPP TR 38.901 section 7.4.3.2.
VEHICLE_LOSS_DB = 9.0

Duplex = Literal["FDD", "TDD"]


@dataclass(frozen=True, slots=True)
class Band:
    """An operating band: how uplink and downlink share it, and where they lie, (lowest, highest) [MHz]."""

    technology: str
    duplex: Duplex
    uplink_mhz: tuple[float, float]
    downlink_mhz: tuple[float, float]


def _paired(technology: str, uplink_mhz: tuple[float, float], downlink_mhz: tuple[float, float]) -> Band:
    return Band(technology, "FDD", uplink_mhz, downlink_mhz)


def _unpaired(technology: str, lowest_mhz: float, highest_mhz: float) -> Band:
    return Band(technology, "TDD", (lowest_mhz, highest_mhz), (lowest_mhz, highest_mhz))


# 4G: 3GPP TS 36.101 Table 5.5-1; 5G: TS 38.101-1 Table 5.2-1.
BANDS: dict[str, Band] = {
    "B1": _paired("4G", (1920, 1980), (2110, 2170)),
    "B3": _paired("4G", (1710, 1785), (1805, 1880)),
    "B7": _paired("4G", (2500, 2570), (2620, 2690)),
    "B8": _paired("4G", (880, 915), (925, 960)),
    "B20": _paired("4G", (832, 862), (791, 821)),
    "B28": _paired("4G", (703, 748), (758, 803)),
    "n28": _paired("5G", (703, 748), (758, 803)),
    "n41": _unpaired("5G", 2496, 2690),
    "n77": _unpaired("5G", 3300, 4200),
    "n78": _unpaired("5G", 3300, 3800),
}
# Assumption for bands that the table lacks: 3GPP's bands from 2.3 GHz up are unpaired more often than not.
LOWEST_UNPAIRED_MHZ = 2300.0


def duplex_of(band: str, frequency_mhz: float) -> Duplex:
    """Whether a band is paired; one that `BANDS` lacks is taken as paired below 2.3 GHz (assumption).

    frequency_mhz : downlink centre frequency, looked at for an unknown band only [MHz]
    """
    if band in BANDS:
        return BANDS[band].duplex
    return "FDD" if frequency_mhz < LOWEST_UNPAIRED_MHZ else "TDD"


def default_subcarrier_khz(technology: str, bandwidth_mhz: float) -> int:
    """Subcarrier spacing [kHz] of a carrier of which nothing better is known: LTE 15; NR 15 up to 20 MHz, else 30."""
    return 30 if technology == "5G" and bandwidth_mhz > WIDEST_15_KHZ_CARRIER_MHZ else 15


def resource_blocks(technology: str, bandwidth_mhz: float, subcarrier_khz: int | None = None) -> int:
    """Number of resource blocks N_RB of a carrier.

    technology     : "4G" (LTE, always 15 kHz) or "5G" (NR below 7.1 GHz)
    bandwidth_mhz  : channel bandwidth [MHz]
    subcarrier_khz : NR subcarrier spacing 15, 30 or 60 [kHz]; None: 15 up to 20 MHz wide, else 30 (assumption)
    Raises UnknownBandwidth for a bandwidth, spacing or technology that the tables lack.
    Source: 3GPP TS 36.101 Table 5.6-1; TS 38.101-1 Table 5.3.2-1.
    """
    if subcarrier_khz is None:
        subcarrier_khz = default_subcarrier_khz(technology, bandwidth_mhz)
    tables = {"4G": {15: LTE_RESOURCE_BLOCKS}, "5G": NR_RESOURCE_BLOCKS}
    table = tables.get(technology, {}).get(subcarrier_khz, {})
    if bandwidth_mhz not in table:
        raise UnknownBandwidth(
            what=f"3GPP defines no {bandwidth_mhz:g} MHz carrier for {technology} at {subcarrier_khz} kHz",
            where=f"technology {technology}, bandwidth_mhz = {bandwidth_mhz:g}",
            mend=f"choose one of {', '.join(f'{width:g}' for width in table)} MHz"
            if table
            else "reference signals of 4G (15 kHz) and 5G (15, 30 or 60 kHz) only are computed",
        )
    return table[bandwidth_mhz]


def rs_eirp_dbm(
    tx_power_dbm: ArrayLike,
    resource_blocks: ArrayLike,
    feeder_loss_db: ArrayLike,
    antenna_gain_dbi: ArrayLike,
    reference_offset_db: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """EIRP of one reference element in the main beam [dBm]; RSRP is this less pattern, path loss and margins.

    tx_power_dbm        : total power of the carrier over all ports [dBm]
    resource_blocks     : N_RB, see `resource_blocks`
    feeder_loss_db      : [dB]
    antenna_gain_dbi    : of the beam that carries the reference signal [dBi]; for SS-RSRP the SSB beam's, 3 to 6 dB
                          below the traffic beam's
    reference_offset_db : power of a reference element above the mean element of all ports together [dB]. NR's SSB
                          leaves one port at the power of all: 0. LTE's RSRP is of one port (CRS port 0): two ports
                          without boost -3, with the usual 3 dB (P_A = -3 dB, P_B = 1, TS 36.213 section 5.2) 0
    All broadcast together.
    Power per mean element = total - 10 log10(12 N_RB). RSRP is the mean power of the elements that carry the
    reference signal: 3GPP TS 36.214 section 5.1.1 (LTE), TS 38.215 section 5.1.1 (SS-RSRP).
    """
    elements = SUBCARRIERS_PER_BLOCK * np.asarray(resource_blocks, np.float64)
    return np.asarray(
        np.asarray(tx_power_dbm, np.float64)
        - 10.0 * np.log10(elements)
        - np.asarray(feeder_loss_db, np.float64)
        + np.asarray(antenna_gain_dbi, np.float64)
        + np.asarray(reference_offset_db, np.float64)
    )


def fade_margin_db(confidence: float, model_sigma_db: float, location_sigma_db: float) -> float:
    """Margin above the threshold that makes one cell served with the confidence asked for [dB].

    confidence        : probability that the level is exceeded, 0 to 1 exclusive; 0.5 gives 0, below it less than 0
    model_sigma_db    : standard deviation of the model's error [dB], common to a neighbourhood
    location_sigma_db : standard deviation from place to place within a cell [dB], independent between cells
    Margin = z(confidence) sqrt(model^2 + location^2), both errors normal in dB and independent of each other. For
    one cell only: the model's error is shared by the cells of a hamlet, so probabilities of cells are not multiplied.
    Never give as location sigma a figure that holds the model's error already (a shadowing sigma of TR 38.901).
    Raises ValueOutOfRange for a confidence outside (0, 1) or a negative sigma.
    Source: ITU-R P.1812-7 section 4.9, equation for p_L% of locations, with the model's error added in quadrature.
    """
    if not 0.0 < confidence < 1.0 or not model_sigma_db >= 0.0 or not location_sigma_db >= 0.0:
        raise ValueOutOfRange(
            what="no fade margin follows from these numbers",
            where=f"confidence {confidence}, model_sigma_db {model_sigma_db}, location_sigma_db {location_sigma_db}",
            mend="give a confidence between 0 and 1 (0.8 for P80) and standard deviations of zero or more",
        )
    return NormalDist().inv_cdf(confidence) * hypot(model_sigma_db, location_sigma_db)
