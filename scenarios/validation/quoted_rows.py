"""A handful of rows of each reference, quoted with their source, for where the reference sets are not at hand.

Losses over profiles were computed with the reference programs themselves over short made profiles, since the published
profiles are too long to quote.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from phusong.coverage.propagation.tr38901 import Scenario
from phusong.scenarios.validation.reference_sets import (
    P2108_FILES,
    ItmRow,
    P1812Row,
    P2108Row,
    P2109Rows,
    Tr38901Row,
)

P1812_DIGIT_DB = 1e-8
ITM_DIGIT_DB = 1e-9
P2108_DIGIT_DB = 0.1
TR38901_DIGIT_DB = 1e-4


def p1812_rows() -> list[P1812Row]:
    """Three made paths, over a hill, a coast with trees and a long plain at 1% of the time; losses of Py1812."""
    place = {"delta_n": 45.0, "n0": 325.0, "tx_lat": 21.0, "rx_lat": 21.2, "tx_lon": 105.0, "rx_lon": 105.1}
    place["location_sigma_db"] = 5.5
    # Distances [km], ground [m], clutter [m], zones; frequency [GHz], time and location [%], heights [m], polarization.
    made: list[tuple[Any, ...]] = [
        (
            "hill", 153.85410127, range(11), [60, 75, 110, 240, 330, 290, 180, 120, 90, 70, 66], [0] * 11, [4] * 11,
            (0.75, 50.0, 50.0, 45.0, 1.5, 2),
        ),
        (
            "coast with trees", 140.94000743, [0, 2, 4, 6, 8, 11, 14, 17, 20, 24], [3, 8, 15, 22, 4, 0, 0, 0, 6, 10],
            [0, 10, 15, 15, 5, 0, 0, 0, 10, 10], [3, 3, 3, 3, 3, 1, 1, 1, 3, 3],
            (1.8, 10.0, 80.0, 30.0, 3.0, 1),
        ),
        (
            "long plain", 145.59477624, range(0, 51, 5), [10, 11, 9, 12, 14, 10, 8, 9, 13, 12, 10], [0] * 11, [4] * 11,
            (3.5, 1.0, 95.0, 60.0, 10.0, 2),
        ),
    ]  # fmt: skip
    names = ("frequency_ghz", "time_pct", "location_pct", "tx_height_m", "rx_height_m", "polarization")
    return [
        P1812Row(
            name,
            np.array(distance, np.float64),
            np.array(ground, np.float64),
            np.array(clutter, np.float64),
            np.array(zone),
            place | dict(zip(names, values, strict=True)),
            loss_db,
            {},
        )
        for name, loss_db, distance, ground, clutter, zone, values in made
    ]


def itm_rows() -> list[ItmRow]:
    """Three made profiles of 12 points, over a ridge, rolling land and an open plain; losses of NTIA's program."""
    names = (
        "tx_height_m", "rx_height_m", "surface_refractivity", "frequency_mhz", "polarization", "permittivity",
        "conductivity", "climate", "mdvar", "time_pct", "location_pct", "situation_pct",
    )  # fmt: skip
    made: list[tuple[Any, ...]] = [
        (
            "ridge", 209.183595129, 500.0, [40, 55, 90, 160, 310, 420, 280, 130, 70, 60, 52, 48],
            (30.0, 1.5, 360.0, 1800.0, 1, 15.0, 0.005, 1, 3, 50.0, 50.0, 50.0),
        ),
        (
            "rolling land", 145.904832100, 1500.0, [12, 18, 25, 9, 14, 30, 41, 22, 16, 11, 19, 8],
            (45.0, 3.0, 301.0, 700.0, 0, 15.0, 0.008, 5, 12, 90.0, 30.0, 80.0),
        ),
        (
            "open plain", 126.772250749, 1000.0, [5, 5, 6, 5, 4, 5, 6, 5, 5, 5, 6, 5],
            (60.0, 10.0, 340.0, 3500.0, 1, 25.0, 0.02, 3, 1, 10.0, 90.0, 60.0),
        ),
    ]  # fmt: skip
    return [
        ItmRow(name, np.array(height, np.float64), step_m, dict(zip(names, values, strict=True)), loss_db)
        for name, loss_db, step_m, height, values in made
    ]


# Arguments in the order of P2108_FILES, then the loss [dB]; None: refused.
_P2108: dict[str, tuple[tuple[tuple[float, ...], float | None], ...]] = {
    "3.1": (
        ((1.5, 2.0, 2.0, 10.0, 27.0), 16.0),
        ((1.5, 2.0, 3.0, 10.0, 27.0), 20.5),
        ((3.0, 3.0, 6.0, 15.0, 15.0), 29.0),
        ((4.0, 2.0, 3.0, 10.0, 27.0), None),
    ),
    "3.2": (((0.5, 0.25, 1.0), 3.9), ((26.6, 15.8, 45.0), 32.5), ((3.5, 1.0, 99.9), 42.8), ((10.0, 0.24, 50.0), None)),
    "3.3": (((30.0, 2.0, 5.0), 7.7), ((10.0, 10.5, 45.0), 12.4), ((11.1, 15.5, 80.5), 14.7), ((9.9, 45.0, 45.0), None)),
}


def p2108_rows(section: str) -> list[P2108Row]:
    """Four rows of a section from NTIA's test data, the last one refused."""
    model = P2108_FILES[section][2]
    return [
        P2108Row(f"section {section} {i + 1}", model, arguments, loss_db)
        for i, (arguments, loss_db) in enumerate(_P2108[section])
    ]


# Frequency [GHz], probability [%], kind, elevation [degrees], loss [dB].
_P2109 = (
    (0.08, 8.333334167, 1, -60.0, 12.8156625086883373),
    (0.08, 83.333332667, 2, 0.0, 51.2969703142485329),
    (4.243333333, 50.0, 1, 0.0, 16.0284902425393874),
    (4.243333333, 83.333332667, 2, 30.0, 51.4511257679113641),
    (33.386666667, 50.0, 2, -60.0, 56.0260601554635684),
    (33.386666667, 8.333334167, 1, 30.0, 10.4169726714065884),
)


def p2109_rows() -> P2109Rows:
    """Six rows of crc-covlib: both kinds of building, level and steep paths."""
    rows = np.array(_P2109)
    return P2109Rows(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int64), rows[:, 3], rows[:, 4])


def tr38901_rows() -> list[Tr38901Row]:
    """Two rows of each scenario at 5 GHz that ns-3's own test asserts."""
    made: tuple[tuple[Scenario, bool, float, float, float], ...] = (
        ("RMa", True, 35.0, 1000.0, 108.5577),
        ("RMa", False, 35.0, 5000.0, 160.5169),
        ("UMa", True, 25.0, 5000.0, 137.6794),
        ("UMa", False, 25.0, 1000.0, 144.7641),
        ("UMi", True, 10.0, 10.0, 69.8591),
        ("UMi", True, 10.0, 100.0, 88.4122),
    )
    return [
        Tr38901Row(scenario, los, mast_m, 1.5, distance_m, 5.0, loss_db, True)
        for scenario, los, mast_m, distance_m, loss_db in made
    ]
