"""Signal to interference and noise, from the levels of the sectors that share a channel."""

from __future__ import annotations

from math import log10
from typing import Any

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange

# Thermal noise at 290 K [dBm/Hz].
THERMAL_NOISE_DBM_PER_HZ = -174.0
# Noise figures [dB] of phone and base station: 3GPP TR 36.942, system assumptions of its simulations (base: Table 4.6).
PHONE_NOISE_FIGURE_DB = 9.0
BASE_NOISE_FIGURE_DB = 5.0
HUNDRED_KHZ_PER_MHZ = 10.0


def noise_dbm_per_re(subcarrier_khz: float, noise_figure_db: float = PHONE_NOISE_FIGURE_DB) -> float:
    """Noise in one resource element, at the receiver's input [dBm]: -174 + 10 log10(spacing in Hz) + noise figure."""
    if not subcarrier_khz > 0.0 or not noise_figure_db >= 0.0:
        raise ValueOutOfRange(
            what="no noise power follows from these numbers",
            where=f"subcarrier_khz = {subcarrier_khz}, noise_figure_db = {noise_figure_db}",
            mend="give a subcarrier spacing above zero and a noise figure of zero or more",
        )
    return THERMAL_NOISE_DBM_PER_HZ + 10.0 * log10(subcarrier_khz * 1e3) + noise_figure_db


def cochannel_groups(layer: ArrayLike, frequency_mhz: ArrayLike) -> tuple[NDArray[np.int32], int]:
    """Channel of each sector (S,), numbered from 0, and how many there are.

    layer         : (S,) number of the sector's (operator, technology) layer
    frequency_mhz : (S,) carrier [MHz]
    Sectors share a channel when layer and frequency, to 100 kHz, are the same. Carriers that overlap in part are taken
    as apart.
    """
    pairs = _pairs(layer, frequency_mhz)
    if not len(pairs):
        return np.empty(0, np.int32), 0
    channels, number = np.unique(pairs, axis=0, return_inverse=True)
    return number.reshape(-1).astype(np.int32), len(channels)


def channel_keys(layer: ArrayLike, frequency_mhz: ArrayLike) -> NDArray[np.int64]:
    """(K, 2) layer and frequency [100 kHz] of each channel of `cochannel_groups`, in the order of their numbers."""
    return np.unique(_pairs(layer, frequency_mhz), axis=0)


def _pairs(layer: ArrayLike, frequency_mhz: ArrayLike) -> NDArray[np.int64]:
    hundred_khz = np.rint(np.asarray(frequency_mhz, np.float64) * HUNDRED_KHZ_PER_MHZ).astype(np.int64)
    return np.stack([np.asarray(layer, np.int64), hundred_khz], axis=1)


@vectorize(cache=True)
def _sinr(rsrp_dbm: float, sum_mw: float, load: float, noise_mw: float, passed: float, beam: float) -> float:
    """SINR [dB]; passed: share of the power that goes through walls and bodies; beam: traffic over reference beam."""
    own_mw = 10.0 ** (0.1 * rsrp_dbm)
    # A sum that was rounded when it was stored may lie a little below its largest part.
    others_mw = max(sum_mw - own_mw, 0.0)
    return 10.0 * log10(own_mw * passed * beam / (load * others_mw * passed + noise_mw))


def _ratio(decibels: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(10.0 ** (0.1 * np.asarray(decibels, np.float64)))


def sinr_db(
    rsrp_dbm: ArrayLike,
    cochannel_power_mw: ArrayLike,
    load: ArrayLike,
    noise_dbm_per_re: ArrayLike,
    *,
    extra_loss_db: ArrayLike = 0.0,
    beam_gain_db: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Downlink SINR per resource element [dB]; NaN where there is no server.

    rsrp_dbm           : level of the server [dBm]
    cochannel_power_mw : levels of all sectors of the server's channel, its own included, added up [mW]
    load               : share of the other sectors' elements that are in use, 0 to 1
    noise_dbm_per_re   : see `noise_dbm_per_re` [dBm]
    extra_loss_db      : building, vehicle, body: taken from signal and interference alike [dB]
    beam_gain_db       : traffic beam above the beam that RSRP is of [dB]; the others' beams look elsewhere, so
                         interference stays at the reference level (assumption)
    All broadcast together. SINR = own / (load (sum - own) + noise). LTE's reference signals are sent at any load: below
    0.1 the load of an LTE carrier is too optimistic.
    Raises ValueOutOfRange for a load outside 0 to 1.
    """
    _check_load(load)
    level, power, loads = (np.asarray(values, np.float64) for values in (rsrp_dbm, cochannel_power_mw, load))
    passed = _ratio(-np.asarray(extra_loss_db, np.float64))
    with np.errstate(invalid="ignore"):  # no server: NaN, and meant
        return np.asarray(_sinr(level, power, loads, _ratio(noise_dbm_per_re), passed, _ratio(beam_gain_db)))


@njit(cache=True, nogil=True)
def _sinr_layers(
    rsrp_dbm: NDArray[np.floating[Any]],
    server: NDArray[np.int32],
    channel_mw: NDArray[np.floating[Any]],
    channel: NDArray[np.int32],
    load: NDArray[np.float64],
    noise_mw: NDArray[np.float64],
    passed: float,
    beam: NDArray[np.float64],
    sinr: NDArray[np.float32],
) -> None:
    for n in range(server.shape[0]):
        for j in range(server.shape[1]):
            s = server[n, j]
            if s < 0:
                sinr[n, j] = np.nan
                continue
            k = channel[s]
            sinr[n, j] = _sinr(rsrp_dbm[n, j], channel_mw[k, j], load[k], noise_mw[s], passed, beam[s])


def sinr_map(
    rsrp_dbm: NDArray[np.floating[Any]],
    server: NDArray[np.int32],
    channel_power_mw: NDArray[np.floating[Any]],
    channel: NDArray[np.int32],
    *,
    load: ArrayLike,
    noise_dbm_per_re: ArrayLike,
    extra_loss_db: float = 0.0,
    beam_gain_db: ArrayLike = 0.0,
) -> NDArray[np.float32]:
    """SINR of the best server of each layer and cell [dB], shape of `server`, NaN where there is none.

    rsrp_dbm, server : (L, ...) level and sector of the best server per layer, cells in any shape (a raster, a list)
    channel_power_mw : (K, ...) levels of all sectors of each channel added up [mW]
    channel          : (S,) int32 channel of each sector, see `cochannel_groups`
    load             : share of the elements in use, one for all or (K,), 0 to 1
    noise_dbm_per_re : one for all or (S,) [dBm]
    extra_loss_db    : see `sinr_db` [dB]
    beam_gain_db     : one for all or (S,), see `sinr_db` [dB]
    Raises ValueOutOfRange for shapes that do not fit each other, or a load outside 0 to 1.
    """
    _check_load(load)
    cells = server.shape[1:]
    fits = rsrp_dbm.shape == server.shape and channel_power_mw.shape[1:] == cells
    if not fits or len(channel) <= server.max(initial=-1) or len(channel_power_mw) <= channel.max(initial=-1):
        raise ValueOutOfRange(
            what="levels, servers and channels do not fit each other",
            where=f"rsrp_dbm {rsrp_dbm.shape}, server {server.shape} up to sector {server.max(initial=-1)},"
            f" channel_power_mw {channel_power_mw.shape}, channel {channel.shape}",
            mend="give all of them on the same cells, a channel for each sector and a power for each channel",
        )
    channels, sectors = len(channel_power_mw), len(channel)
    result = np.empty((len(server), int(np.prod(cells))), np.float32)
    _sinr_layers(
        np.ascontiguousarray(rsrp_dbm).reshape(result.shape),
        np.ascontiguousarray(server).reshape(result.shape),
        np.ascontiguousarray(channel_power_mw).reshape(channels, result.shape[1]),
        np.ascontiguousarray(channel, np.int32),
        np.array(np.broadcast_to(np.asarray(load, np.float64), channels)),
        np.array(np.broadcast_to(_ratio(noise_dbm_per_re), sectors)),
        float(_ratio(-extra_loss_db)),
        np.array(np.broadcast_to(_ratio(beam_gain_db), sectors)),
        result,
    )
    return result.reshape(server.shape)


def _check_load(load: ArrayLike) -> None:
    loads = np.asarray(load, np.float64)
    if not ((loads >= 0.0) & (loads <= 1.0)).all():
        raise ValueOutOfRange(
            what="a sector's load is no share",
            where=f"load {loads.min()} .. {loads.max()}",
            mend="give loads from 0 (silent) to 1 (all elements in use)",
        )
