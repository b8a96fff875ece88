"""Signal of a network on the whole grid of a part: for pictures, people counted by area, speeds and loads.

What is decided never rests on it: states come from exact levels at the demand cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.interference import channel_keys, cochannel_groups
from phusong.coverage.sectors import Sectors
from phusong.coverage.signal_layers import signal_layers
from phusong.coverage.sweep import SignalMap
from phusong.coverage.terrain import Terrain
from phusong.scenarios.radio import Radio
from phusong.scenarios.service import required_rsrp_dbm

FLOOR_DBM = -130.0  # no receiver hears less: TS 36.133 reports RSRP down to -140 dBm, phones let go well above


@dataclass(frozen=True, slots=True)
class AreaSignal:
    """Best servers and the power on each channel.

    best     : best server per layer
    channels : (K, 2) int64 layer and frequency [100 kHz] of each channel, ascending
    power_mw : (K, H, W) float32 levels of all sectors of a channel added up [mW]
    """

    best: SignalMap
    channels: NDArray[np.int64]
    power_mw: NDArray[np.float32]

    @property
    def rsrp_dbm(self) -> NDArray[np.float32]:
        return self.best.rsrp_dbm

    @property
    def server(self) -> NDArray[np.int32]:
        return self.best.server


@dataclass(frozen=True, slots=True)
class SignalAt:
    """Best server per layer in chosen cells, in full precision and however faint.

    rsrp_dbm : (layers, C) float64 [dBm], NaN: none;  server : (layers, C) int32, -1: none
    """

    rsrp_dbm: NDArray[np.float64]
    server: NDArray[np.int32]


def reception(radio: Radio, threads: int | None) -> dict[str, Any]:
    """What every question about a signal says of the receiver and the model."""
    return {
        "rx_height_m": radio.rx_height_m,
        "range_m": radio.range_km * 1000,
        "model": radio.propagation,
        "surroundings": radio.surroundings.made(),
        "threads": threads,
    }


def hearing_floor_dbm(radio: Radio) -> float:
    """Level below which rasters show nothing: FLOOR_DBM, or lower where the scenario asks for so little."""
    median = radio.model_copy(update={"confidence": 0.5})
    asked = [required_rsrp_dbm(r, technology) for r in (radio, median) for technology in radio.min_rsrp_dbm]
    return min([FLOOR_DBM, *(level - 1.0 for level in asked)])


def area_signal(
    terrain: Terrain, site_rc: NDArray[np.float64], sectors: Sectors, n_layers: int, radio: Radio,
    *, exact_rc: NDArray[np.int32], threads: int | None, where: NDArray[np.bool_] | None = None,
    on_site: Callable[[int], None] | None = None,
) -> tuple[AreaSignal, SignalAt]:  # fmt: skip
    """Signal of the sectors in the cells `where` (all), by the scenario's mode and device, and in chosen cells.

    exact_rc : (C, 2) cells that are computed on exact profiles in any mode, so that pictures and tables say there what
        was decided; the powers too, as an interferer is what the sum of powers leaves beside the server's own level.
        Those outside `where` stay without a level.
    """
    channel, count = cochannel_groups(sectors.layer, sectors.frequency_mhz)
    asked = reception(radio, threads) | {"n_best": 1, "channel": channel, "n_channels": count}
    floor_dbm = hearing_floor_dbm(radio)
    wanted = np.ones(terrain.height_m.shape, dtype=bool) if where is None else where
    place = np.flatnonzero(wanted[exact_rc[:, 0], exact_rc[:, 1]])
    row, col = exact_rc[place].T
    rest = wanted.copy()
    rest[row, col] = False
    found = signal_layers(
        terrain, site_rc, sectors, n_layers, where=rest, mode=radio.map_mode, device=radio.device,
        floor_dbm=floor_dbm, on_site=on_site, **asked,
    )  # fmt: skip
    told = signal_layers(terrain, site_rc, sectors, n_layers, cell_rc=exact_rc[place], **asked)
    with np.errstate(invalid="ignore"):
        heard = told.best_dbm[0] >= floor_dbm
    found.best_dbm[0][:, row, col] = np.where(heard, told.best_dbm[0], np.nan)
    found.server[0][:, row, col] = np.where(heard, told.server[0], -1)
    found.power_mw[:, row, col] = told.power_mw
    rsrp_dbm = np.full((n_layers, len(exact_rc)), np.nan)
    server = np.full((n_layers, len(exact_rc)), -1, dtype=np.int32)
    rsrp_dbm[:, place], server[:, place] = told.best_dbm[0], told.server[0]
    best = SignalMap(found.best_dbm[0], found.server[0])
    channels = channel_keys(sectors.layer, sectors.frequency_mhz)
    return AreaSignal(best, channels, found.power_mw), SignalAt(rsrp_dbm, server)


def merged_signal(standing: SignalMap, added: SignalMap, first_added: int) -> SignalMap:
    """Best server of two sets of sectors on the same layers and cells; the standing one where both are as strong.

    first_added : number that the first added sector has among both
    """
    with np.errstate(invalid="ignore"):
        better = (added.server >= 0) & ((standing.server < 0) | (added.rsrp_dbm > standing.rsrp_dbm))
    return SignalMap(
        np.where(better, added.rsrp_dbm, standing.rsrp_dbm),
        np.where(better, added.server + np.int32(first_added), standing.server),
    )


def merged_power(
    standing: AreaSignal, removed: AreaSignal, added: AreaSignal
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Channels of the standing and the added sectors, and the power on each without the removed ones."""
    channels = np.unique(np.concatenate([standing.channels, added.channels]), axis=0)
    number = {tuple(key): k for k, key in enumerate(channels.tolist())}
    power = np.zeros((len(channels), *standing.power_mw.shape[1:]), dtype=np.float32)
    for signal, sign in ((standing, 1.0), (removed, -1.0), (added, 1.0)):
        for key, own in zip(signal.channels.tolist(), signal.power_mw, strict=True):
            power[number[tuple(key)]] += np.float32(sign) * own
    return channels, np.maximum(power, 0.0)  # the parts are rounded, so that nothing left may be a little less
