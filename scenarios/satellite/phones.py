"""Phones under satellites: 3GPP NTN in the S band, outdoors, text and voice. No licence covers it in the named sources.

It is off unless the scenario asks for it, carries its label wherever it is shown, and never counts as service.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phusong.coverage.satellite.direct_to_device import BLOCK_MHZ, PhoneService, direct_to_device
from phusong.coverage.satellite.directions import directions, elevation_edges_deg
from phusong.coverage.satellite.tracks import tracks
from phusong.coverage.satellite.visibility import Usable, visibility
from phusong.scenarios.errors import SkyEmpty
from phusong.scenarios.satellite.elements import Constellation
from phusong.scenarios.satellite.ground import Ground, Mask
from phusong.scenarios.satellite.settings import DirectToDevice, Satellite

FILLED = 0.9  # of a carrier's bandwidth holds resource blocks: 25 of 180 kHz in 5 MHz (3GPP TS 38.101-5)


@dataclass(frozen=True, slots=True, eq=False)
class PhoneSky:
    """What phones get over one part.

    availability    : (H, W) share of the time with a satellite in view and the link up, voice both ways; NaN: unknown
    beam_mbps       : that one beam carries, shared by all phones in it; mean over the satellites in view
    satellites      : for phones, among the element sets
    label           : said wherever it is shown
    """

    availability: Mask
    beam_mbps: float
    satellites: int
    label: str


def phone_sky(ground: Ground, settings: Satellite, found: Constellation, threads: int | None) -> PhoneSky:
    """Raises SkyEmpty where no satellite of the element sets serves phones."""
    device = settings.direct_to_device
    if len(found.phones) == 0:
        raise SkyEmpty(
            what="không có vệ tinh nào phục vụ điện thoại / no satellite for phones among the element sets",
            where="satellite.direct_to_device.enabled = true, satellite.orbits",
            mend="thêm tệp có vệ tinh [DTC] / add element sets with satellites marked [DTC], or set enabled = false",
        )
    simulation = settings.simulation
    moved = tracks(found.phones, found.tracks.start_days, found.tracks.position_km.shape[0], simulation.step_s)
    usable = Usable(min_elevation_deg=device.min_elevation_deg)
    seen = visibility(
        moved, usable, ground.horizon, ground.latitude_deg, ground.longitude_deg,
        height_m=ground.height_m, threads=threads,
    )  # fmt: skip
    edges = elevation_edges_deg(device.min_elevation_deg)
    middle = tuple(size // 2 for size in ground.height_m.shape)
    weight = directions(moved, usable, ground.latitude_deg[middle], ground.longitude_deg[middle], 1, edges)[0, 0]
    # The mask has let the satellite through: only fading in sight is left.
    link = direct_to_device((edges[:-1] + edges[1:]) / 2.0, _service(device, found), clear_sight=True)
    total = float(weight.sum())
    stands, beam_mbps = (
        float((weight * figure).sum()) / total if total > 0.0 else 0.0 for figure in (link.share, link.down_mbps)
    )
    share = np.asarray(seen.share_1 * np.float32(stands), np.float32)
    return PhoneSky(share, beam_mbps, len(found.phones), device.label)


def _service(device: DirectToDevice, found: Constellation) -> PhoneService:
    return PhoneService(
        altitude_km=float(np.median(found.phones.altitude_km)),
        down_ghz=device.frequency_ghz,
        up_ghz=device.frequency_ghz,
        satellite_eirp_dbw_mhz=device.eirp_dbw_per_mhz.value,
        satellite_gain_over_noise_db_k=device.satellite_gain_over_noise_db_k.value,
        phone_eirp_dbw=device.phone_eirp_dbw.value,
        phone_gain_over_noise_db_k=device.gain_over_noise_db_k.value,
        down_mhz=device.bandwidth_mhz,
        down_blocks=int(device.bandwidth_mhz / BLOCK_MHZ * FILLED),
        other_losses_db=device.other_losses_db.value,
    )
