"""Antenna patterns as tables: one degree a step, attenuation below the main beam; from formulas or from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10, nan
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.antenna import FRONT_TO_BACK_DB, SIDE_LOBE_DB, tabulated_attenuation_db
from phusong.coverage.errors import ValueOutOfRange

# Element of 3GPP TR 38.901 Table 7.3-1.
ELEMENT_BEAMWIDTH_DEG = 65.0
ELEMENT_SIDE_LOBE_DB = 30.0
ELEMENT_FRONT_TO_BACK_DB = 30.0
ELEMENT_GAIN_DBI = 8.0
# An array's nulls are filled by errors of phase and by scatter around the mast (assumption).
DEEPEST_NULL_DB = 40.0
NO_PATTERN = -1


class PatternTable(NamedTuple):
    """P patterns as the kernels want them.

    cuts_db             : (P, 2, 360) float64 attenuation per degree [dB]; 0 horizontal, clockwise from the azimuth;
                          1 vertical, 0 the horizon ahead, 90 straight down, 180 the horizon behind
    sum_limit_db        : (P,) limit of the plain sum [dB]; NaN: cuts joined by interpolation
    electrical_tilt_deg : (P,) tilt that the vertical cut holds already [degrees]
    cut_turn_deg        : (P,) turn of the half plane that the vertical cut was taken through [degrees]
    """

    cuts_db: NDArray[np.float64]
    sum_limit_db: NDArray[np.float64]
    electrical_tilt_deg: NDArray[np.float64]
    cut_turn_deg: NDArray[np.float64]


# Middles of the squares of one degree that cover the sphere.
_SPHERE_TURN_DEG = np.arange(-179.5, 180.0)
_SPHERE_DEPRESSION_DEG = np.arange(-89.5, 90.0)[:, None]


def _sphere_mean_db(level_db: NDArray[np.float64]) -> float:
    """Mean power [dB] of levels (180, 360) in the squares of the sphere."""
    area = np.cos(np.radians(_SPHERE_DEPRESSION_DEG[:, 0]))
    return 10.0 * log10(float(area @ (10.0 ** (level_db / 10.0)).mean(axis=1)) / float(area.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class AntennaPattern:
    """Attenuation of one antenna below its main beam, per degree, in the two principal cuts.

    horizontal_db       : (360,) [dB], clockwise from the azimuth
    vertical_db         : (360,) [dB], 0 the horizon ahead, 90 straight down, 180 the horizon behind, 270 the zenith
    gain_dbi            : of the main beam [dBi]
    electrical_tilt_deg : of the main beam below the horizontal, held in vertical_db already [degrees]
    frequency_mhz       : for which it was measured or computed [MHz], NaN: any
    name                : as sites name it
    sum_limit_db        : joins the cuts by a plain sum up to this limit [dB]; NaN (default): by interpolation, see
                          `antenna.tabulated_attenuation_db`
    cut_turn_deg        : turn of the half plane that vertical_db was taken through [degrees]; not 0 for antennas of
                          several beams, of which this one looks aside
    Raises ValueOutOfRange for a cut that is not 360 finite values of zero or more, or a gain or tilt that is no number.
    """

    horizontal_db: NDArray[np.float64]
    vertical_db: NDArray[np.float64]
    gain_dbi: float
    electrical_tilt_deg: float = 0.0
    frequency_mhz: float = nan
    name: str = ""
    sum_limit_db: float = nan
    cut_turn_deg: float = 0.0

    def __post_init__(self) -> None:
        for cut in ("horizontal_db", "vertical_db"):
            values = np.require(getattr(self, cut), np.float64, ["C", "W"])
            if values.shape != (360,) or not np.isfinite(values).all() or (values < 0.0).any():
                raise ValueOutOfRange(
                    what=f'the {cut} of antenna "{self.name}" is no cut',
                    where=f"shape {values.shape}, lowest {values.min(initial=np.inf)} dB",
                    mend="give 360 attenuations of zero or more, one a degree",
                )
            object.__setattr__(self, cut, values)
        if not np.isfinite([self.gain_dbi, self.electrical_tilt_deg, self.cut_turn_deg]).all():
            raise ValueOutOfRange(
                what=f'antenna "{self.name}" has no usable gain, tilt or turn',
                where=f"gain_dbi = {self.gain_dbi}, electrical_tilt_deg = {self.electrical_tilt_deg},"
                f" cut_turn_deg = {self.cut_turn_deg}",
                mend="give each as a number",
            )

    def attenuation_db(self, turn_deg: ArrayLike, depression_deg: ArrayLike) -> NDArray[np.float64]:
        """Below the main beam [dB], for an antenna that stands upright with its own tilt; both broadcast together."""
        turn, depression = np.broadcast_arrays(turn_deg, depression_deg)
        loss_db = np.empty(turn.size)
        _attenuations_db(
            pattern_table([self]), turn.astype(np.float64).ravel(), depression.astype(np.float64).ravel(), loss_db
        )
        return loss_db.reshape(turn.shape)

    def directivity_dbi(self) -> float:
        """Directivity of the main beam [dBi] if the joined cuts are the pattern: 4 pi over its mean over the sphere.

        A gain well above it cannot be true: gain is directivity less the losses within the antenna.
        """
        return -_sphere_mean_db(-self.attenuation_db(_SPHERE_TURN_DEG, _SPHERE_DEPRESSION_DEG))


@njit(cache=True, nogil=True)
def _attenuations_db(
    patterns: Any, turn_deg: NDArray[np.float64], depression_deg: NDArray[np.float64], loss_db: NDArray[np.float64]
) -> None:
    """Writes loss_db of the table's first pattern in each direction; 20 ns a direction."""
    for i in range(turn_deg.size):
        loss_db[i] = tabulated_attenuation_db(patterns, 0, turn_deg[i], depression_deg[i])


def pattern_table(patterns: Sequence[AntennaPattern]) -> PatternTable:
    """The patterns, numbered in their order."""
    return PatternTable(
        np.array([[p.horizontal_db, p.vertical_db] for p in patterns], np.float64).reshape(-1, 2, 360),
        np.array([p.sum_limit_db for p in patterns], np.float64),
        np.array([p.electrical_tilt_deg for p in patterns], np.float64),
        np.array([p.cut_turn_deg for p in patterns], np.float64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ChosenPatterns:
    """Which pattern each of S sectors has. Taken apart like an array of numbers; every piece keeps the whole table.

    index : (S,) int32 number in the table, -1: the formula of 3GPP TR 36.814
    table : PatternTable
    Raises ValueOutOfRange for a number that the table does not have.
    """

    index: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    table: PatternTable = field(default_factory=lambda: pattern_table([]))

    def __post_init__(self) -> None:
        index = np.require(self.index, np.int32, ["C", "W"])
        object.__setattr__(self, "index", index)
        count = len(self.table.cuts_db)
        if index.ndim != 1 or (index < NO_PATTERN).any() or (index >= count).any():
            raise ValueOutOfRange(
                what="a sector names an antenna pattern that the table does not have",
                where=f"patterns {index.min(initial=0)} .. {index.max(initial=-1)}, {count} in the table",
                mend="number patterns from 0 in the order of the table, -1 for none",
            )

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, which: Any) -> ChosenPatterns:
        return ChosenPatterns(self.index[which], self.table)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.index, dtype)


def _turns_deg() -> NDArray[np.float64]:
    """(360,) the whole degrees of a cut, from -180 to 179."""
    return (np.arange(360.0) + 180.0) % 360.0 - 180.0


def _depressions_deg() -> NDArray[np.float64]:
    """(360,) depression of each degree of a vertical cut: behind the antenna it is counted from the horizon behind."""
    angle = _turns_deg()
    return np.where(np.abs(angle) <= 90.0, angle, np.sign(angle) * 180.0 - angle)


def _formula_pattern(
    name: str, gain_dbi: float, tilt_deg: float, widths_deg: tuple[float, float], limits_db: tuple[float, float]
) -> AntennaPattern:
    """A pattern A = min(A_H + A_V, A_m) with A_H = min(12 (t / w_H)^2, A_m), A_V = min(12 ((d - tilt) / w_V)^2, SLA_V).

    widths_deg : (w_H, w_V); limits_db: (A_m, SLA_V)
    """
    most_db, side_lobe_db = limits_db
    horizontal_db = np.minimum(12.0 * (_turns_deg() / widths_deg[0]) ** 2, most_db)
    vertical_db = np.minimum(12.0 * ((_depressions_deg() - tilt_deg) / widths_deg[1]) ** 2, side_lobe_db)
    behind = np.abs(_turns_deg()) > 90.0  # the vertical plane behind the antenna lies at a turn of 180
    vertical_db = np.where(behind, np.minimum(vertical_db + horizontal_db[180], most_db), vertical_db)
    return AntennaPattern(horizontal_db, vertical_db, gain_dbi, tilt_deg, nan, name, most_db)


def tr36814_pattern(
    horizontal_beamwidth_deg: float, vertical_beamwidth_deg: float, electrical_tilt_deg: float, gain_dbi: float
) -> AntennaPattern:
    """The sector pattern of `antenna.attenuation_db` as a table.

    Source: 3GPP TR 36.814 V9.0.0 Table A.2.1.1-2, A_m = 25 dB, SLA_v = 20 dB.
    """
    widths = (horizontal_beamwidth_deg, vertical_beamwidth_deg)
    return _formula_pattern("TR 36.814", gain_dbi, electrical_tilt_deg, widths, (FRONT_TO_BACK_DB, SIDE_LOBE_DB))


def tr38901_element() -> AntennaPattern:
    """One element of a base station's array: 65 by 65 degrees, A_max = SLA_V = 30 dB, 8 dBi.

    Source: 3GPP TR 38.901 V16.1.0 Table 7.3-1 (its zenith angle is 90 degrees plus the depression).
    """
    widths = (ELEMENT_BEAMWIDTH_DEG, ELEMENT_BEAMWIDTH_DEG)
    limits = (ELEMENT_FRONT_TO_BACK_DB, ELEMENT_SIDE_LOBE_DB)
    return _formula_pattern("TR 38.901", ELEMENT_GAIN_DBI, 0.0, widths, limits)


def array_factor_db(elements: int, spacing_wavelengths: float, sine: ArrayLike, steered_sine: float) -> NDArray[Any]:
    """Power of a uniform line of elements relative to one of them [dB], all fed with 1 / elements of the power.

    sine, steered_sine : sine of the angle from broadside along the line, of the direction and of the beam
    At most 10 log10(elements), in the beam. A null gives -inf.
    Source: 3GPP TR 37.840 section 5.4.4, composite array pattern with full correlation, for one line.
    """
    phase = np.pi * spacing_wavelengths * (np.asarray(sine, np.float64) - steered_sine)
    along = np.arange(elements) - (elements - 1) / 2.0
    field_sum = np.abs(np.exp(2j * phase[..., None] * along).sum(axis=-1))
    with np.errstate(divide="ignore"):
        return np.asarray(20.0 * np.log10(field_sum) - 10.0 * log10(elements))


def panel_pattern(
    rows: int,
    columns: int,
    *,
    beam_turn_deg: Sequence[float] = (0.0,),
    electrical_tilt_deg: float = 0.0,
    row_spacing_wavelengths: float = 0.5,
    column_spacing_wavelengths: float = 0.5,
    frequency_mhz: float = nan,
    name: str = "panel",
) -> AntennaPattern:
    """What a panel of rows x columns TR 38.901 elements offers with the best of its beams in each direction.

    rows, columns       : elements, or subarrays taken as elements, that form one beam
    beam_turn_deg       : where the beams point, clockwise from the azimuth; all with the same tilt
    electrical_tilt_deg : of the beams below the horizontal
    spacings            : between elements [wavelengths]
    Gain of the 3GPP model = 8 dBi + 10 log10(rows columns) straight ahead; elements half a wavelength apart cannot
    have it, since their sum exceeds the array's directivity by up to 3 dB: it is held to the directivity of one beam.
    Traffic beams: all columns, a beam every few degrees. SSB beams are few and wide: give the columns that make
    their width; half as many columns is 3 dB less gain, a quarter 6 dB, for the same power.
    Nulls are filled up to 40 dB (assumption).
    Source: 3GPP TR 37.840 section 5.4.4 (composite array of rows x columns), element of TR 38.901 Table 7.3-1.
    Raises ValueOutOfRange for a panel without elements, without beams, or with a spacing not above 0.
    """
    if rows < 1 or columns < 1 or not beam_turn_deg or min(row_spacing_wavelengths, column_spacing_wavelengths) <= 0.0:
        raise ValueOutOfRange(
            what="there is no such panel",
            where=f"{rows} x {columns} elements, {len(beam_turn_deg)} beams, spacing"
            f" {row_spacing_wavelengths} x {column_spacing_wavelengths} wavelengths",
            mend="give at least one row, one column and one beam, and spacings above zero",
        )
    element = tr38901_element()
    tilt = np.radians(electrical_tilt_deg)

    def gain_db(turn_deg: ArrayLike, depression_deg: ArrayLike, beams_deg: Sequence[float]) -> NDArray[np.float64]:
        """Gain of the model's best beam [dBi]."""
        turn, down = np.radians(turn_deg), np.radians(depression_deg)
        upright_db = array_factor_db(rows, row_spacing_wavelengths, np.sin(down), float(np.sin(tilt)))
        aside = np.cos(down) * np.sin(turn)
        across_db = [
            array_factor_db(columns, column_spacing_wavelengths, aside, float(np.cos(tilt) * np.sin(np.radians(beam))))
            for beam in beams_deg
        ]
        element_db = element.attenuation_db(turn_deg, depression_deg)
        return np.asarray(element.gain_dbi - element_db + upright_db + np.max(across_db, axis=0))

    # The horizontal cut lies on the cone of the tilt, where the beam is.
    horizontal = gain_db(_turns_deg(), np.full(360, electrical_tilt_deg), beam_turn_deg)
    behind = np.where(np.abs(_turns_deg()) > 90.0, 180.0, 0.0)
    vertical = gain_db(behind, _depressions_deg(), beam_turn_deg)
    best_dbi = float(max(horizontal.max(), vertical.max()))
    cuts = [np.minimum(best_dbi - cut, DEEPEST_NULL_DB) for cut in (horizontal, vertical)]
    # A beam that radiates more than it is given, over the whole sphere, has so much gain too much.
    too_much_db = max(_sphere_mean_db(gain_db(_SPHERE_TURN_DEG, _SPHERE_DEPRESSION_DEG, (0.0,))), 0.0)
    return AntennaPattern(cuts[0], cuts[1], best_dbi - too_much_db, electrical_tilt_deg, frequency_mhz, name)
