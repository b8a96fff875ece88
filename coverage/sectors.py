"""Sectors: what radiates, from where, which way."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.errors import ValueOutOfRange


@dataclass(frozen=True, slots=True)
class Sectors:
    """S sectors, one entry a sector in every array.

    location                 : int32 index into the list of sites
    height_m                 : antenna above ground [m]
    frequency_mhz            : carrier [MHz]
    azimuth_deg              : clockwise from grid north [degrees]; NaN: radiates alike all round
    downtilt_deg             : main beam below the horizontal [degrees]
    horizontal_beamwidth_deg : 3 dB width [degrees]
    vertical_beamwidth_deg   : 3 dB width [degrees]
    rs_eirp_dbm              : EIRP of one resource element in the main beam, feeder loss and antenna gain in [dBm]
    layer                    : int32 number of its (operator, technology) layer
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

    def __post_init__(self) -> None:
        count = len(self.location)
        for field in fields(self):
            dtype = np.int32 if field.name in ("location", "layer") else np.float64
            values = np.require(getattr(self, field.name), dtype, ["C", "W"])
            if values.shape != (count,):
                raise ValueOutOfRange(
                    what="the arrays of the sectors differ in length",
                    where=f"{field.name} has shape {values.shape}, location ({count},)",
                    mend="give one value a sector in every array",
                )
            object.__setattr__(self, field.name, values)
        positive = ("height_m", "frequency_mhz", "horizontal_beamwidth_deg", "vertical_beamwidth_deg")
        for name in (*positive, "downtilt_deg", "rs_eirp_dbm"):
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
        """(S, 6) what the kernels need of a sector's antenna: height, azimuth, downtilt, both beam widths, EIRP."""
        return np.stack(
            [
                self.height_m,
                self.azimuth_deg,
                self.downtilt_deg,
                self.horizontal_beamwidth_deg,
                self.vertical_beamwidth_deg,
                self.rs_eirp_dbm,
            ],
            axis=1,
        )
