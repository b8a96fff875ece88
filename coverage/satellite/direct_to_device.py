"""Text and voice from a satellite straight to a phone in the open, in the S band of 3GPP's non-terrestrial networks.

The defaults are the satellites of set 1 at 600 km and the handset of 3GPP TR 38.821, read at second hand: section
6.1.1.1 and Table 6.1.3.3-1. No operator's satellite; a scenario gives its own figures, with a band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.link import carrier_to_noise_db, free_space_loss_db, slant_range_km
from phusong.coverage.satellite.modcods import NR_NTN_LOW, Modcods, nr_symbol_rate_mbaud, throughput_mbps
from phusong.coverage.satellite.shadowing import shadowing, sight_probability

SUBCARRIER_KHZ = 15.0
BLOCK_MHZ = 12.0 * SUBCARRIER_KHZ * 1e-3
DOWN_OVERHEAD, UP_OVERHEAD = 0.14, 0.08  # 3GPP TS 38.306 section 4.1.2
# A message a second or so; a narrow-band codec of 12.2 kbit/s in packets (assumptions).
TEXT_MBPS, VOICE_MBPS = 0.001, 0.024


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneService:
    """Satellite and phone.

    altitude_km             : of the satellites [km]
    down_ghz, up_ghz        : [GHz]
    satellite_eirp_dbw_mhz  : EIRP density of a beam [dBW/MHz]
    satellite_gain_over_noise_db_k : G/T of a beam [dB/K]
    phone_eirp_dbw          : 23 dBm from an antenna of 0 dBi [dBW]
    phone_gain_over_noise_db_k : antenna 0 dBi, noise figure 7 dB, 290 K [dB/K]
    down_mhz, down_blocks   : bandwidth of a beam, in which its noise is counted [MHz]; its resource blocks of 180 kHz
    up_blocks               : resource blocks of one phone; its noise is counted in them
    air_db, scintillation_db, other_losses_db : [dB]; body, hand and polarisation belong to the others
    modcods                 : scheme table
    margin_db               : above every threshold [dB]
    Raises ValueOutOfRange.
    """

    altitude_km: float = 600.0
    down_ghz: float = 2.0
    up_ghz: float = 2.0
    satellite_eirp_dbw_mhz: float = 34.0
    satellite_gain_over_noise_db_k: float = 1.1
    phone_eirp_dbw: float = -7.0
    phone_gain_over_noise_db_k: float = -31.6
    down_mhz: float = 30.0
    down_blocks: int = 160
    up_blocks: int = 2
    air_db: float = 0.1
    scintillation_db: float = 2.2
    other_losses_db: float = 0.0
    modcods: Modcods = NR_NTN_LOW
    margin_db: float = 0.0

    def __post_init__(self) -> None:
        require_range("a phone's satellite", "up_blocks", self.up_blocks, 1, 275, "blocks")
        if self.down_blocks * BLOCK_MHZ > self.down_mhz:
            raise ValueOutOfRange(
                what="more resource blocks than fit into the beam's bandwidth",
                where=f"down_blocks = {self.down_blocks} of {BLOCK_MHZ:g} MHz, down_mhz = {self.down_mhz:g}",
                mend="give fewer blocks (3GPP: 25 in 5 MHz, 52 in 10, 79 in 15, 106 in 20, 160 in 30)",
            )


@dataclass(frozen=True, slots=True, eq=False)
class PhoneLink:
    """Each of the elevations' shape; phones outdoors only.

    down_db, up_db     : carrier to noise ratio in sight of the satellite, before the shadow margin [dB]
    down_mbps          : of the whole beam, which its phones share, with the shadow margin [Mbps]
    up_mbps            : of one phone, with the shadow margin [Mbps]
    share_down, share_up : of the places outdoors that carry at least the rate asked for, over sight and shadow
    share              : of the places that carry it both ways: the shadow is common, so the lesser of the two
    """

    down_db: NDArray[np.float64]
    up_db: NDArray[np.float64]
    down_mbps: NDArray[np.float64]
    up_mbps: NDArray[np.float64]
    share_down: NDArray[np.float64]
    share_up: NDArray[np.float64]
    share: NDArray[np.float64]


def direct_to_device(
    elevation_deg: ArrayLike,
    service: PhoneService | None = None,
    *,
    surroundings: str = "suburban-rural",
    needed_mbps: float = VOICE_MBPS,
    shadow_margin_db: float = 3.0,
    clear_sight: bool = False,
) -> PhoneLink:
    """What a phone outdoors gets from a satellite at an elevation.

    elevation_deg    : 5 to 90 [degrees]
    service          : default a `PhoneService()`
    surroundings     : "dense-urban", "urban" or "suburban-rural", see `shadowing`
    needed_mbps      : each way, for the shares: `TEXT_MBPS`, `VOICE_MBPS` or another, above 0
    shadow_margin_db : in the rates only; the shares take the fading as it is spread (3 dB: 3GPP TR 38.821)
    clear_sight      : the caller's horizon mask has let the satellite through, and nothing else stands around: only
                       fading in sight is counted
    A phone indoors, in a car or a bag, gets less: not counted here.
    Raises ValueOutOfRange.
    Source: 3GPP TR 38.821 section 6.1.3; TR 38.811 section 6.6.2.
    """
    sky = service or PhoneService()
    elevation = np.asarray(elevation_deg, np.float64)
    require_range("a phone's satellite", "needed_mbps", needed_mbps, 0.0, 1e4, "Mbps", open_ends=True)
    sight = np.ones(elevation.shape) if clear_sight else sight_probability(surroundings, elevation)
    range_km = slant_range_km(sky.altitude_km, elevation)
    lost_db = sky.air_db + sky.scintillation_db + sky.other_losses_db
    down_db = carrier_to_noise_db(
        sky.satellite_eirp_dbw_mhz + 10.0 * np.log10(sky.down_mhz),
        sky.phone_gain_over_noise_db_k,
        free_space_loss_db(range_km, sky.down_ghz),
        lost_db,
        sky.down_mhz,
    )
    up_db = carrier_to_noise_db(
        sky.phone_eirp_dbw,
        sky.satellite_gain_over_noise_db_k,
        free_space_loss_db(range_km, sky.up_ghz),
        lost_db,
        sky.up_blocks * BLOCK_MHZ,
    )
    down_mbaud = nr_symbol_rate_mbaud(sky.down_blocks, SUBCARRIER_KHZ, DOWN_OVERHEAD)
    up_mbaud = nr_symbol_rate_mbaud(sky.up_blocks, SUBCARRIER_KHZ, UP_OVERHEAD)
    share_down = _share(down_db, sky, down_mbaud, needed_mbps, surroundings, elevation, sight)
    share_up = _share(up_db, sky, up_mbaud, needed_mbps, surroundings, elevation, sight)
    return PhoneLink(
        down_db=down_db,
        up_db=up_db,
        down_mbps=throughput_mbps(sky.modcods, down_db - shadow_margin_db, down_mbaud, sky.margin_db),
        up_mbps=throughput_mbps(sky.modcods, up_db - shadow_margin_db, up_mbaud, sky.margin_db),
        share_down=share_down,
        share_up=share_up,
        share=np.minimum(share_down, share_up),
    )


def _share(
    ratio_db: NDArray[np.float64],
    sky: PhoneService,
    symbol_rate_mbaud: float,
    needed_mbps: float,
    surroundings: str,
    elevation_deg: NDArray[np.float64],
    sight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Of the places where fading, and clutter out of sight, leave the threshold of the first scheme fast enough."""
    fast = sky.modcods.efficiency_bps * symbol_rate_mbaud >= needed_mbps
    if not fast.any():
        return np.zeros(elevation_deg.shape)
    over_db = ratio_db - sky.margin_db - float(sky.modcods.threshold_db[fast][0])
    share = np.zeros(elevation_deg.shape)
    for part, los in ((sight, True), (1.0 - sight, False)):
        sigma_db, clutter_db = shadowing(surroundings, elevation_deg, los)
        share += part * ndtr((over_db - clutter_db) / sigma_db)
    return share
