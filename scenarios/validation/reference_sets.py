"""Readers of the reference sets: files in, rows out, each row with its inputs and the loss that others computed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.propagation import p2108, tr38901
from phusong.coverage.propagation.itm import Warnings, point_to_point_loss
from phusong.coverage.propagation.p1812 import basic_transmission_loss
from phusong.scenarios.errors import ReferenceSetUnreadable

# The logs print ten significant digits, of losses from 100 to 300 dB; crc-covlib prints all it has.
P1812_LOG_DIGIT_DB = 1e-7
P2109_DIGIT_DB = 1e-13


@dataclass(frozen=True, slots=True)
class P1812Row:
    """A path and its settings, as `basic_transmission_loss` takes them.

    expected_db : the reference's loss [dB]
    log         : every value of the reference's log, by "name" and by "name|reference"; empty for a quoted row
    """

    name: str
    distance_km: NDArray[np.float64]
    height_m: NDArray[np.float64]
    clutter_m: NDArray[np.float64]
    zone: NDArray[np.int64]
    settings: dict[str, Any]
    expected_db: float
    log: dict[str, float]

    def loss_db(self, **changed: Any) -> float:
        """Our loss [dB], with some settings changed."""
        settings = self.settings | changed
        return basic_transmission_loss(self.distance_km, self.height_m, self.clutter_m, self.zone, **settings)


@dataclass(frozen=True, slots=True)
class ItmRow:
    """A profile and its settings, as `point_to_point_loss` takes them, and the loss that others computed [dB]."""

    name: str
    height_m: NDArray[np.float64]
    step_m: float
    settings: dict[str, Any]
    expected_db: float

    def loss_and_warnings(self) -> tuple[float, Warnings]:
        """Our loss [dB] and warnings."""
        return point_to_point_loss(self.height_m, self.step_m, **self.settings)

    def loss_db(self) -> float:
        """Our loss [dB]."""
        return self.loss_and_warnings()[0]


@dataclass(frozen=True, slots=True)
class P2108Row:
    """A call of one model of P.2108 and the loss that others computed [dB]; None where they refuse it."""

    name: str
    model: Callable[..., NDArray[np.float64]]
    arguments: tuple[float, ...]
    expected_db: float | None

    def loss_db(self) -> float:
        """Our loss [dB]."""
        return float(self.model(*self.arguments))


@dataclass(frozen=True, slots=True)
class P2109Rows:
    """Columns of building entry losses, (n,) each; expected_db is the reference's [dB]."""

    frequency_ghz: NDArray[np.float64]
    probability_pct: NDArray[np.float64]
    building: NDArray[np.int64]
    elevation_deg: NDArray[np.float64]
    expected_db: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tr38901Row:
    """A path loss of TR 38.901, Table 7.4.1-1; asserted: its publisher's own test compares it."""

    scenario: tr38901.Scenario
    los: bool
    bs_height_m: float
    ut_height_m: float
    distance_2d_m: float
    frequency_ghz: float
    expected_db: float
    asserted: bool

    @property
    def name(self) -> str:
        return f"{self.scenario} {'LOS' if self.los else 'NLOS'} {self.distance_2d_m:g} m"

    def loss_db(self) -> float:
        """Our path loss [dB]."""
        loss_db = tr38901.path_loss_db(
            self.scenario,
            los=self.los,
            distance_2d_m=self.distance_2d_m,
            frequency_ghz=self.frequency_ghz,
            bs_height_m=self.bs_height_m,
            ut_height_m=self.ut_height_m,
        )
        return float(loss_db)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tells what is wrong with a file of a reference set. Raises ReferenceSetUnreadable."""
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError, csv.Error) as error:
        raise ReferenceSetUnreadable(
            what="không đọc được bộ số tham chiếu / a reference set cannot be read",
            where=f"{path}: {type(error).__name__}: {error}",
            mend="chép lại tệp từ nguồn / copy the file from its origin again, or move its folder out of --data",
        ) from error


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a heading. Raises ReferenceSetUnreadable for a file without rows."""
    with reading(path):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
        if not rows:
            raise ValueError("no rows")
        return rows


def last_digit_db(texts: list[str]) -> float:
    """The unit of the last digit that a column of losses is printed with [dB]."""
    return float(10.0 ** -max(len(text.strip().partition(".")[2]) for text in texts))


def p1812_profile(path: Path) -> NDArray[np.float64]:
    """(n, 5) distance [km], ground [m], a code, clutter [m], zone, from a profile of Working Party 3M."""
    with reading(path):
        lines = path.read_text(encoding="latin-1").splitlines()
        heading = [line.startswith("Number of Points") for line in lines].index(True)
        count = int(lines[heading].split(",")[1])
        return np.array([[float(x) for x in line.split(",")[:5]] for line in lines[heading + 1 : heading + 1 + count]])


def p1812_log(path: Path) -> dict[str, float]:
    """Values of a result log by "name" and by "name|reference": some names are written twice, the first counts."""
    values: dict[str, float] = {}
    with reading(path):
        for line in path.read_text(encoding="latin-1").splitlines():
            fields = line.split(",")
            if not line.startswith("#") and len(fields) > 3 and fields[3]:
                value = float(fields[3])
                values.setdefault(fields[0].strip(), value)
                values.setdefault(f"{fields[0].strip()}|{fields[1].strip()}", value)
    return values


def p1812_row(name: str, profile: NDArray[np.float64], log: dict[str, float]) -> P1812Row:
    """The row of one result log over its profile. Raises KeyError for a log that lacks an input."""
    settings = {
        "frequency_ghz": log["f (GHz)"],
        "time_pct": log["p (%)"],
        "location_pct": log["pL (%)"],
        "tx_height_m": log["htg (m)"],
        "rx_height_m": log["hrg (m)"],
        "polarization": int(log["pol"]),
        "delta_n": log["DN"],
        "n0": log["N0"],
        "tx_lat": log["phi_t (deg)"],
        "rx_lat": log["phi_r (deg)"],
        "tx_lon": log["lam_t (deg)"],
        "rx_lon": log["lam_r (deg)"],
        "dct_km": log["dct (km)"],
        "dcr_km": log["dcr (km)"],
        "location_sigma_db": log["sigmaL (dB)"],
    }
    zone = profile[:, 4].astype(np.int64)
    return P1812Row(name, profile[:, 0], profile[:, 1], profile[:, 3], zone, settings, log["Lb (dB)"], log)


def p1812_rows(folder: Path) -> list[P1812Row]:
    """The validation set of Working Party 3M as Py1812 ships it: a row for each result log, by name."""
    rows = []
    for path in sorted((folder / "validation_results").glob("*_log.csv")):
        name = path.name.removesuffix("_log.csv")
        profile = p1812_profile(folder / "validation_profiles" / f"{name.rpartition('_')[0]}.csv")
        log = p1812_log(path)
        with reading(path):
            rows.append(p1812_row(name, profile, log))
    with reading(folder / "validation_results"):
        if not rows:
            raise ValueError("no result logs")
    return rows


def itm_profile(line: str) -> tuple[NDArray[np.float64], float]:
    """A profile in NTIA's format, number of steps, step [m], heights [m]: the heights and the step."""
    values = np.array([float(x) for x in line.strip().rstrip(",").split(",")])
    if values.size < 2 or values.size != int(values[0]) + 3:
        raise ValueError(f"a profile of {values.size} values")
    return values[2:], float(values[1])


def itm_rows(folder: Path) -> tuple[list[ItmRow], float]:
    """Point-to-point rows of NTIA, and the unit of their last printed digit [dB]: row i lies over profile i."""
    path = folder / "p2p.csv"
    rows = []
    given = table(path)
    with reading(folder / "pfls.csv"):
        profiles = [itm_profile(line) for line in (folder / "pfls.csv").read_text(encoding="utf-8").split()]
    with reading(path):
        for i, (row, (height_m, step_m)) in enumerate(zip(given, profiles, strict=True)):
            settings: dict[str, Any] = {
                "frequency_mhz": float(row["f__mhz"]),
                "tx_height_m": float(row["h_tx__meter"]),
                "rx_height_m": float(row["h_rx__meter"]),
                "polarization": int(row["pol"]),
                "climate": int(row["climate"]),
                "surface_refractivity": float(row["N_0"]),
                "permittivity": float(row["epsilon"]),
                "conductivity": float(row["sigma"]),
                "mdvar": int(row["mdvar"]),
                "time_pct": float(row["time"]),
                "location_pct": float(row["location"]),
                "situation_pct": float(row["situation"]),
            }
            rows.append(ItmRow(f"p2p.csv {i + 1}", height_m, step_m, settings, float(row["A__db"])))
        return rows, last_digit_db([row["A__db"] for row in given])


# File, its column of losses, the model and its arguments from a row.
P2108_FILES: dict[str, tuple[str, str, Callable[..., NDArray[np.float64]], tuple[str, ...]]] = {
    "3.1": (
        "HeightGainTerminalCorrectionModelTestData.csv",
        "A_h__db",
        p2108.height_gain_loss_db,
        ("f__ghz", "h__meter", "clutter_type", "R__meter", "w_s__meter"),
    ),
    "3.2": (
        "TerrestrialStatisticalModelTestData.csv",
        "L_ctt__db",
        p2108.terrestrial_loss_db,
        ("f__ghz", "d__km", "p"),
    ),
    "3.3": (
        "AeronauticalStatisticalModelTestData.csv",
        "L_ces__db",
        p2108.earth_space_loss_db,
        ("f__ghz", "theta_deg", "p"),
    ),
}


def p2108_rows(folder: Path, section: str) -> tuple[list[P2108Row], float]:
    """NTIA's rows of one section of P.2108, "3.1" to "3.3", and the unit of their last printed digit [dB]."""
    file, column, model, names = P2108_FILES[section]
    given = table(folder / file)
    with reading(folder / file):
        rows = [
            P2108Row(
                f"{file} {i + 1}",
                model,
                tuple(float(row[name]) for name in names),
                float(row[column]) if int(row["rtn"]) == 0 else None,
            )
            for i, row in enumerate(given)
        ]
        return rows, last_digit_db([row[column] for row in given])


def p2109_rows(folder: Path) -> P2109Rows:
    """The building entry losses of crc-covlib, printed with all digits."""
    path = folder / "iturp2109/validation.csv"
    with reading(path):
        columns = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
        if columns.shape[1] != 5 or not np.isfinite(columns).all():
            raise ValueError(f"a table of shape {columns.shape}")
        f, p, kind, elevation, loss = columns.T
        return P2109Rows(f, p, kind.astype(np.int64), elevation, loss)


def tr38901_rows(folder: Path) -> tuple[list[Tr38901Row], float]:
    """ns-3's path losses, and the unit of their last printed digit [dB]."""
    path = folder / "tr38901_pathloss_vectors.csv"
    scenarios = {name: name for name in get_args(tr38901.Scenario)}
    given = table(path)
    with reading(path):
        rows = [
            Tr38901Row(
                scenarios[row["scenario"]],
                {"LOS": True, "NLOS": False}[row["condition"]],
                float(row["h_bs_m"]),
                float(row["h_ut_m"]),
                float(row["d2d_m"]),
                float(row["f_ghz"]),
                float(row["pathloss_db"]),
                row["asserted_in_ns3_test"] == "1",
            )
            for row in given
        ]
        return rows, last_digit_db([row["pathloss_db"] for row in given])
