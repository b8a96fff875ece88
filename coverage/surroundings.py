"""The receiver's own surroundings, corrected once, and what the receiver is inside of.

Four corrections say the same thing in different ways, that a receiver does not stand on top of the canopy or in the
open, and exclude one another: terrain lowered at the receiver, woodland (ITU-R P.833), town (ITU-R P.2108), a stated
loss. Walls, vehicle and body are other things, between the street and the receiver, and add to any of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.errors import ClutterCountedTwice, ValueOutOfRange
from phusong.coverage.propagation import p833, p2108, p2109
from phusong.coverage.propagation.p833 import DEFAULT_WOODLAND, woodland, woodland_kernel_db
from phusong.coverage.propagation.p2108 import terrestrial_kernel_db
from phusong.coverage.propagation.p2109 import building_entry_kernel_db
from phusong.coverage.propagation.ranges import require_range

Surface = Literal["dsm", "dtm"]
BUILDINGS = {None: 0, "traditional": 1, "thermally-efficient": 2}
TALLEST_CANOPY_M = 80.0
GREATEST_STATED_DB = 60.0
# Below 1% both Recommendations give gains: within these no correction is negative, and a bound by free space holds.
SHARES_PCT = (1.0, 99.0)
# Farther than this the losses do not change with distance (P.2108-1 section 3.2): a sweep needs one value a carrier.
CONSTANT_BEYOND_KM = p2108.FARTHEST_RISE_KM

# Fitted to measurements in streets and fields: their medians hold what stands around the receiver.
MODELS_WITH_SURROUNDINGS = frozenset({"tr38901-rma", "tr38901-uma", "tr38901-umi", "okumura-hata", "cost231-hata"})


class Surroundings(NamedTuple):
    """What is corrected at the receiver; all zero: nothing. Made by `make_surroundings`.

    lowered_m            : the receiver's ground lies this far below the terrain raster [m]; used by the sweep
    vegetation_m         : woodland between the receiver and its edge [m], P.833 section 2.1
    woodland_a1_db, woodland_exponent : the woodland's greatest attenuation, a1 f^exponent [dB], f in MHz
    clutter_location_pct : share of locations of P.2108 section 3.2 [%]; 0: not asked for
    stated_db            : a loss somebody states [dB]
    building             : 0 outdoors, 1 traditional, 2 thermally efficient, P.2109
    building_pct         : probability with which its loss is not exceeded [%]
    vehicle_db, body_db  : losses of a vehicle and of the body that carries the receiver [dB]
    """

    lowered_m: float = 0.0
    vegetation_m: float = 0.0
    woodland_a1_db: float = 1.0
    woodland_exponent: float = 0.0
    clutter_location_pct: float = 0.0
    stated_db: float = 0.0
    building: float = 0.0
    building_pct: float = 50.0
    vehicle_db: float = 0.0
    body_db: float = 0.0


NOTHING_AROUND = Surroundings()


@njit(cache=True, nogil=True, error_model="numpy")
def surroundings_loss_db(s: Surroundings, distance_km: float, frequency_mhz: float) -> float:
    """What is added to the basic transmission loss at the receiver [dB]; 0.5 us with town and walls, 8 ns with neither.

    distance_km   : from the transmitter [km]
    frequency_mhz : [MHz]; NaN outside the range of a Recommendation asked for, which `check_surroundings` refuses
    Lowered terrain is not in it: it is a height of the path.
    """
    loss_db = s.stated_db + s.vehicle_db + s.body_db
    if s.vegetation_m > 0.0:
        loss_db += woodland_kernel_db(frequency_mhz, s.vegetation_m, s.woodland_a1_db, s.woodland_exponent)
    if s.clutter_location_pct > 0.0:
        loss_db += terrestrial_kernel_db(1e-3 * frequency_mhz, distance_km, s.clutter_location_pct)
    if s.building > 0.0:
        # Paths from masts reach a wall within a few degrees of the horizontal: elevation 0, the least loss.
        loss_db += building_entry_kernel_db(1e-3 * frequency_mhz, s.building_pct, int(s.building), 0.0)
    return loss_db


def adds_loss(s: Surroundings) -> bool:
    """Whether anything but lowered terrain is corrected."""
    return any((s.vegetation_m, s.clutter_location_pct, s.stated_db, s.building, s.vehicle_db, s.body_db))


@njit(cache=True, nogil=True, error_model="numpy")
def add_surroundings_db(
    s: Surroundings, distance_km: NDArray[np.float64], frequency_mhz: NDArray[np.float64], loss_db: NDArray[np.float64]
) -> None:
    """Adds `surroundings_loss_db` to loss_db (N, K) at distances (N,) and frequencies (K,); constant beyond 2 km."""
    for k in range(frequency_mhz.size):
        beyond_db = surroundings_loss_db(s, CONSTANT_BEYOND_KM, frequency_mhz[k])
        for j in range(distance_km.size):
            if s.clutter_location_pct > 0.0 and distance_km[j] < CONSTANT_BEYOND_KM:
                loss_db[j, k] += surroundings_loss_db(s, distance_km[j], frequency_mhz[k])
            else:
                loss_db[j, k] += beyond_db


def make_surroundings(
    *,
    lowered_m: float = 0.0,
    vegetation_m: float = 0.0,
    trees: str = DEFAULT_WOODLAND,
    clutter_location_pct: float | None = None,
    stated_db: float = 0.0,
    building: str | None = None,
    building_pct: float = 50.0,
    vehicle_db: float = 0.0,
    body_db: float = 0.0,
) -> Surroundings:
    """The corrections at a receiver, as `Surroundings` describes them, from what a person writes.

    trees                : a name of `p833.WOODLANDS`
    clutter_location_pct : 1 to 99 [%]; None: no P.2108
    building             : "traditional", "thermally-efficient"; None: outdoors
    building_pct         : 1 to 99 [%]
    Raises ClutterCountedTwice for two corrections of one kind, ValueOutOfRange for values that none can take.
    """
    measured = woodland(trees)
    if building not in BUILDINGS:
        raise ValueOutOfRange(
            what=f"{p2109.RECOMMENDATION} knows no building {building!r}",
            where=f"building = {building!r}",
            mend="choose one of " + ", ".join(name for name in BUILDINGS if name) + ", or none for outdoors",
        )
    surroundings = Surroundings(
        float(lowered_m),
        float(vegetation_m),
        measured.a1_db,
        measured.exponent,
        float(clutter_location_pct or 0.0),
        float(stated_db),
        float(BUILDINGS[building]),
        float(building_pct),
        float(vehicle_db),
        float(body_db),
    )
    for name, value, highest, unit in (
        ("lowered_m", lowered_m, TALLEST_CANOPY_M, "m"),
        ("vegetation_m", vegetation_m, inf, "m"),
        ("stated_db", stated_db, GREATEST_STATED_DB, "dB"),
        ("vehicle_db", vehicle_db, GREATEST_STATED_DB, "dB"),
        ("body_db", body_db, GREATEST_STATED_DB, "dB"),
    ):
        if not (isfinite(value) and 0.0 <= value <= highest):
            raise ValueOutOfRange(
                what=f"{name} is no correction at a receiver",
                where=f"{name} = {value} {unit}",
                mend=f"give 0 (none) to {highest:g} {unit}" if isfinite(highest) else f"give 0 {unit} (none) or more",
            )
    if clutter_location_pct is not None:
        require_range("a correction by P.2108", "clutter_location_pct", clutter_location_pct, *SHARES_PCT, "%")
    require_range("a correction by P.2109", "building_pct", building_pct, *SHARES_PCT, "%")
    _refuse_second(corrections(surroundings))
    return surroundings


def corrections(s: Surroundings) -> dict[str, str]:
    """The corrections for what stands around the receiver: the key that asks for each, and what it is."""
    asked = {
        "lowered_m": (s.lowered_m, f"terrain lowered by {s.lowered_m:g} m at the receiver"),
        "vegetation_m": (s.vegetation_m, f"{p833.RECOMMENDATION}, {s.vegetation_m:g} m of woodland"),
        "clutter_location_pct": (
            s.clutter_location_pct,
            f"{p2108.RECOMMENDATION} section 3.2, {s.clutter_location_pct:g}% of locations",
        ),
        "stated_db": (s.stated_db, f"a stated {s.stated_db:g} dB"),
    }
    return {key: text for key, (value, text) in asked.items() if value > 0.0}


def enclosures(s: Surroundings) -> dict[str, str]:
    """What the receiver is inside of, each with its loss; these add to a correction and to one another."""
    kind = {code: name for name, code in BUILDINGS.items()}[int(s.building)]
    asked = {
        "building": (s.building, f"{p2109.RECOMMENDATION}, {kind} building, {s.building_pct:g}%"),
        "vehicle_db": (s.vehicle_db, f"vehicle {s.vehicle_db:g} dB"),
        "body_db": (s.body_db, f"body {s.body_db:g} dB"),
    }
    return {key: text for key, (value, text) in asked.items() if value > 0.0}


def check_surroundings(
    s: Surroundings,
    *,
    surface: Surface,
    clutter_in_profile: bool,
    model: str,
    frequency_mhz: Iterable[float] = (),
) -> None:
    """Refuses what would count the same clutter twice, and frequencies that a Recommendation asked for does not cover.

    surface            : "dsm": trees and roofs are in the terrain's heights (SRTM, Copernicus); "dtm": bare earth
    clutter_in_profile : clutter heights are added to the profile's heights (P.1812's representative clutter)
    model              : name of the propagation model
    frequency_mhz      : carriers [MHz]
    Raises ClutterCountedTwice, ValueOutOfRange.
    """
    asked = corrections(s)
    _refuse_second(asked)
    if clutter_in_profile and surface == "dsm":
        raise _twice(
            "the canopy in the heights of the surface model",
            "clutter heights added to the profile",
            "drop the clutter heights: on a surface model (dsm) they are in the terrain already",
        )
    for key, text in asked.items():
        if model in MODELS_WITH_SURROUNDINGS:
            raise _twice(
                f"the model {model}, whose median holds what stands around the receiver",
                text,
                f"drop {key}, or choose a model over terrain (p1812, delta-bullington, itm)",
            )
        if clutter_in_profile:
            raise _twice(
                "clutter heights in the profile, the receiver's own among them", text, f"drop {key}, or the heights"
            )
    if s.lowered_m > 0.0 and surface == "dtm":
        raise ValueOutOfRange(
            what="bare-earth terrain has no canopy to stand below",
            where=f"lowered_m = {s.lowered_m:g} m with terrain of the kind dtm",
            mend='drop lowered_m (vegetation_m or clutter_location_pct fit here), or say surface = "dsm" if it is one',
        )
    check_carriers(s, frequency_mhz)


def check_carriers(s: Surroundings, frequency_mhz: Iterable[float]) -> None:
    """Raises ValueOutOfRange for a carrier [MHz] that a Recommendation asked for does not cover."""
    carriers = list(frequency_mhz)
    for key, wanted, recommendation, (low_mhz, high_mhz) in (
        ("vegetation_m", s.vegetation_m > 0.0, p833.RECOMMENDATION, p833.FREQUENCY_MHZ),
        ("clutter_location_pct", s.clutter_location_pct > 0.0, p2108.RECOMMENDATION, _mhz(p2108.STATISTICAL_GHZ)),
        ("building", s.building > 0.0, p2109.RECOMMENDATION, _mhz(p2109.FREQUENCY_GHZ)),
    ):
        outside = [f for f in carriers if not low_mhz <= f <= high_mhz]
        if wanted and outside:
            raise ValueOutOfRange(
                what=f"{recommendation} does not cover a carrier at {outside[0]:g} MHz",
                where=key,
                mend=f"drop {key}, or plan between {low_mhz:g} and {high_mhz:g} MHz",
            )


def _mhz(band_ghz: tuple[float, float]) -> tuple[float, float]:
    return 1e3 * band_ghz[0], 1e3 * band_ghz[1]


def _refuse_second(asked: dict[str, str]) -> None:
    if len(asked) > 1:
        (first, one), (second, other), *_ = asked.items()
        raise _twice(one, other, f"keep one: drop {second}, or {first}")


def _twice(one: str, other: str, mend: str) -> ClutterCountedTwice:
    return ClutterCountedTwice(
        what="the receiver's surroundings would be counted twice", where=f"{one}; and {other}", mend=mend
    )
