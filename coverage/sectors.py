"""Sectors: what radiates, from where, which way."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.antenna_pattern import NO_PATTERN, ChosenPatterns
from phusong.coverage.errors import ValueOutOfRange


@dataclass(frozen=True, slots=True)
class Sectors:
    """S sectors, one entry a sector in every array.

    location                 : int32 index into the list of sites
    height_m                 : antenna above ground [m]
    frequency_mhz            : carrier [MHz]
    azimuth_deg              : clockwise from grid north [degrees]; NaN: radiates alike all round
    downtilt_deg             : electrical tilt, main beam below the horizontal of an upright antenna [degrees]
    horizontal_beamwidth_deg : 3 dB width [degrees]
    vertical_beamwidth_deg   : 3 dB width [degrees]
    rs_eirp_dbm              : EIRP of one resource element in the main beam, feeder loss and antenna gain in [dBm]
    layer                    : int32 number of its (operator, technology) layer
    mechanical_tilt_deg      : how far the antenna leans forward [degrees]; empty: 0 for all
    pattern                  : the tabulated pattern of each; empty: none, the formula of 3GPP with the beam widths.
                               A tabulated vertical cut is shifted from its own electrical tilt to downtilt_deg.
    Every field can be taken apart by the same index, `pattern` too.
    Raises ValueOutOfRange for arrays of unequal length, an unknown frequency or power, or a height that is not above 0.
    """

    location: NDArray[np.int32]
    height_m: NDArray[np.float64]
    frequency_mhz: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]
    downtilt_deg: NDArray[np.float64]
    horizontal_beamwidth_deg: NDArray[np.float64]
    vertical_beamwidth_deg: NDArray[np.float64]
    rs_eirp_dbm: NDArray[np.float64]
    layer: NDArray[np.int32]
    mechanical_tilt_deg: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    pattern: ChosenPatterns = field(default_factory=ChosenPatterns)

    def __post_init__(self) -> None:
        count = len(self.location)
        if not len(self.mechanical_tilt_deg):
            object.__setattr__(self, "mechanical_tilt_deg", np.zeros(count))
        # Plain numbers are taken too: they have no table, so each must be -1.
        pattern = self.pattern if isinstance(self.pattern, ChosenPatterns) else ChosenPatterns(self.pattern)
        if not len(pattern):
            pattern = ChosenPatterns(np.full(count, NO_PATTERN, np.int32), pattern.table)
        object.__setattr__(self, "pattern", pattern)
        for entry in fields(self):
            dtype = np.int32 if entry.name in ("location", "layer", "pattern") else np.float64
            values = np.require(getattr(self, entry.name), dtype, ["C", "W"])
            if values.shape != (count,):
                raise ValueOutOfRange(
                    what="the arrays of the sectors differ in length",
                    where=f"{entry.name} has shape {values.shape}, location ({count},)",
                    mend="give one value a sector in every array",
                )
            if entry.name != "pattern":
                object.__setattr__(self, entry.name, values)
        positive = ("height_m", "frequency_mhz", "horizontal_beamwidth_deg", "vertical_beamwidth_deg")
        for name in (*positive, "downtilt_deg", "mechanical_tilt_deg", "rs_eirp_dbm"):
            values = getattr(self, name)
            wrong = ~np.isfinite(values) if name not in positive else ~(np.isfinite(values) & (values > 0.0))
            if wrong.any():
                first = int(np.flatnonzero(wrong)[0])
                raise ValueOutOfRange(
                    what=f"{int(wrong.sum())} of {count} sectors have no usable {name}",
                    where=f"sector {first}: {name} = {values[first]}",
                    mend="give a number" + (" above zero" if name in positive else ""),
                )

    def __len__(self) -> int:
        return len(self.location)

    def antennas(self) -> NDArray[np.float64]:
        """(S, 8) what the kernels need of a sector's antenna, in the order of the columns named in `antenna`.

        Height, azimuth, tilt, both beam widths, EIRP, mechanical tilt, pattern. The tilt is the electrical one by the
        formula, and what the table must still be shifted by with a tabulated pattern.
        """
        chosen = self.pattern
        shift_deg = self.downtilt_deg.copy()
        tabulated = chosen.index != NO_PATTERN
        shift_deg[tabulated] -= chosen.table.electrical_tilt_deg[chosen.index[tabulated]]
        return np.stack(
            [
                self.height_m,
                self.azimuth_deg,
                shift_deg,
                self.horizontal_beamwidth_deg,
                self.vertical_beamwidth_deg,
                self.rs_eirp_dbm,
                self.mechanical_tilt_deg,
                chosen.index.astype(np.float64),
            ],
            axis=1,
        )
