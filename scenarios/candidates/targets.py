"""Who is low-signal in one part of the area."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Targets:
    """Demand cells that a plan is to serve.

    cell_rc : (C, 2) int32, grid row and column
    people  : (C,) int64
    hamlet  : (C,) int32, row of `hamlets`; -1 = other people without service, whom candidates are not aimed at
    hamlets : the low-signal hamlets (schema `hamlets`, CRS of the part, index 0..H-1)
    """

    cell_rc: NDArray[np.int32]
    people: NDArray[np.int64]
    hamlet: NDArray[np.int32]
    hamlets: gpd.GeoDataFrame
