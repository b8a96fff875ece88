"""Modulation and coding on satellite carriers: DVB-S2X and NR tables, and what a signal to noise ratio carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.ranges import require_range

# ETSI EN 302 307-2, normal frames: efficiency [bit/symbol] and ideal Es/N0 [dB] over a linear channel with white noise,
# quasi error free. Read at second hand.
DVB_S2X_ROWS = (
    ("QPSK 2/9", 0.434841, -2.85),
    ("QPSK 13/45", 0.567805, -2.03),
    ("QPSK 9/20", 0.889135, 0.22),
    ("QPSK 11/20", 1.088581, 1.45),
    ("8APSK 5/9-L", 1.647211, 4.73),
    ("8APSK 26/45-L", 1.713601, 5.13),
    ("8PSK 23/36", 1.896173, 6.12),
    ("16APSK 1/2-L", 1.972253, 5.97),
    ("8PSK 25/36", 2.062148, 7.02),
    ("16APSK 8/15-L", 2.10485, 6.55),
    ("8PSK 13/18", 2.145136, 7.49),
    ("16APSK 5/9-L", 2.193247, 6.84),
    ("16APSK 26/45", 2.281645, 7.51),
    ("16APSK 3/5", 2.370043, 7.80),
    ("16APSK 3/5-L", 2.370043, 7.41),
    ("16APSK 28/45", 2.458441, 8.10),
    ("16APSK 23/36", 2.524739, 8.38),
    ("16APSK 2/3-L", 2.635236, 8.43),
    ("16APSK 25/36", 2.745734, 9.27),
    ("16APSK 13/18", 2.856231, 9.71),
    ("16APSK 7/9", 3.077225, 10.65),
    ("32APSK 2/3-L", 3.289502, 11.10),
    ("16APSK 77/90", 3.386618, 11.99),
    ("32APSK 32/45", 3.510192, 11.75),
    ("32APSK 11/15", 3.620536, 12.17),
    ("32APSK 7/9", 3.841226, 13.05),
    ("64APSK 32/45-L", 4.206428, 13.98),
    ("64APSK 11/15", 4.338659, 14.81),
    ("64APSK 7/9", 4.603122, 15.47),
    ("64APSK 4/5", 4.735354, 15.87),
    ("64APSK 5/6", 4.933701, 16.55),
    ("256APSK 29/45-L", 5.06569, 16.98),
    ("128APSK 3/4", 5.163248, 17.73),
    ("256APSK 2/3-L", 5.241514, 17.24),
    ("128APSK 7/9", 5.355556, 18.53),
    ("256APSK 31/45-L", 5.417338, 18.10),
    ("256APSK 32/45", 5.593162, 18.59),
    ("256APSK 11/15-L", 5.768987, 18.84),
    ("256APSK 3/4", 5.900855, 19.57),
)
# 3GPP TS 38.214: bits a symbol and code rate [1/1024] of the schemes in their order.
# Table 5.1.3.1-1, up to 64QAM.
NR_RATES = (
    (2, (120, 157, 193, 251, 308, 379, 449, 526, 602, 679)),
    (4, (340, 378, 434, 490, 553, 616, 658)),
    (6, (438, 466, 517, 567, 616, 666, 719, 772, 822, 873, 910, 948)),
)
# Table 5.1.3.1-3, for low spectral efficiency: the one for a phone under a satellite.
NR_LOW_RATES = (
    (2, (30, 40, 50, 64, 78, 99, 120, 157, 193, 251, 308, 379, 449, 526, 602)),
    (4, (340, 378, 434, 490, 553, 616)),
    (6, (438, 466, 517, 567, 616, 666, 719, 772)),
)
# The standard names no thresholds. Modem above the Shannon bound of a channel without fading (assumption).
NR_GAP_DB = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Modcods:
    """Schemes worth using, in rising order of both columns.

    names          : of the schemes
    efficiency_bps : bits a symbol
    threshold_db   : least Es/N0 [dB]
    source         : document, and what is assumed
    """

    names: tuple[str, ...]
    efficiency_bps: NDArray[np.float64]
    threshold_db: NDArray[np.float64]
    source: str


def _ladder(rows: list[tuple[str, float, float]], source: str) -> Modcods:
    """The rows that no other row beats with as much efficiency at a lower threshold."""
    best: list[tuple[str, float, float]] = []
    for row in sorted(rows, key=lambda row: (row[2], -row[1])):
        if not best or row[1] > best[-1][1]:
            best.append(row)
    names, efficiency, threshold = zip(*best, strict=True)
    return Modcods(tuple(names), np.array(efficiency), np.array(threshold), source)


def _nr(rates: tuple[tuple[int, tuple[int, ...]], ...], table: str) -> Modcods:
    rows = []
    for bits, codes in rates:
        for code in codes:
            efficiency = bits * code / 1024.0
            threshold_db = float(10.0 * np.log10(2.0**efficiency - 1.0)) + NR_GAP_DB
            rows.append((f"{2**bits}QAM {code}/1024" if bits > 2 else f"QPSK {code}/1024", efficiency, threshold_db))
    return _ladder(rows, f"3GPP TS 38.214 {table}; thresholds {NR_GAP_DB:g} dB above the Shannon bound (assumption)")


DVB_S2X = _ladder(list(DVB_S2X_ROWS), "ETSI EN 302 307-2, normal frames, ideal thresholds")
NR_NTN = _nr(NR_RATES, "Table 5.1.3.1-1")
NR_NTN_LOW = _nr(NR_LOW_RATES, "Table 5.1.3.1-3")


def efficiency_bps(modcods: Modcods, es_n0_db: ArrayLike, margin_db: float = 0.0) -> NDArray[np.float64]:
    """Bits a symbol of the best scheme that a signal to noise ratio carries; 0 below the lowest and for NaN.

    es_n0_db  : energy of a symbol over noise density [dB]
    margin_db : kept above every threshold [dB]: modem, nonlinearity, interference
    """
    ratio_db = np.asarray(es_n0_db, np.float64) - margin_db
    step = np.searchsorted(modcods.threshold_db, np.nan_to_num(ratio_db, nan=-np.inf), side="right")
    return np.asarray(np.concatenate(([0.0], modcods.efficiency_bps))[step])


def dvb_symbol_rate_mbaud(bandwidth_mhz: float, roll_off: float = 0.05) -> float:
    """Symbols of a DVB-S2X carrier [million a second], which is also the bandwidth its noise is counted in [MHz].

    bandwidth_mhz : allocated, above 0 [MHz]
    roll_off      : 0.05, 0.10, 0.15, 0.20, 0.25 or 0.35
    Raises ValueOutOfRange.
    Source: ETSI EN 302 307-2: symbol rate times (1 + roll-off) fills the channel.
    """
    require_range("a DVB-S2X carrier", "bandwidth_mhz", bandwidth_mhz, 0.0, 5000.0, "MHz", open_ends=True)
    require_range("a DVB-S2X carrier", "roll_off", roll_off, 0.0, 1.0, "")
    return bandwidth_mhz / (1.0 + roll_off)


def nr_symbol_rate_mbaud(blocks: int, subcarrier_khz: float, overhead: float = 0.14) -> float:
    """Resource elements with data of an NR carrier [million a second]; its noise is counted in 12 blocks' subcarriers.

    blocks         : resource blocks, 1 to 275
    subcarrier_khz : 15 to 120 [kHz]
    overhead       : share of the elements without data (3GPP TS 38.306 section 4.1.2: 0.14 down, 0.08 up below 7 GHz)
    Raises ValueOutOfRange.
    """
    require_range("an NR carrier", "blocks", blocks, 1, 275, "blocks")
    require_range("an NR carrier", "subcarrier_khz", subcarrier_khz, 15.0, 120.0, "kHz")
    require_range("an NR carrier", "overhead", overhead, 0.0, 0.99, "")
    return blocks * 12 * 14 * (subcarrier_khz / 15.0) * 1e-3 * (1.0 - overhead)


def throughput_mbps(
    modcods: Modcods, es_n0_db: ArrayLike, symbol_rate_mbaud: ArrayLike, margin_db: float = 0.0
) -> NDArray[np.float64]:
    """What the whole carrier carries [Mbps]; ratio and symbol rate broadcast.

    modcods           : `DVB_S2X`, `NR_NTN` or `NR_NTN_LOW`
    es_n0_db          : [dB]: the carrier to noise ratio in the bandwidth of the symbols
    symbol_rate_mbaud : [million a second]
    margin_db         : as of `efficiency_bps`
    """
    return efficiency_bps(modcods, es_n0_db, margin_db) * np.asarray(symbol_rate_mbaud, np.float64)
