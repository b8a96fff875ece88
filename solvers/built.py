"""What is built: options, the way of each, trench edges, and the hamlets that this clears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Built:
    """options (m,), ways (w,) bool of a reduced problem; edges (e,) bool of its network; cleared (H,) bool."""

    options: NDArray[np.bool_]
    ways: NDArray[np.bool_]
    edges: NDArray[np.bool_]
    cleared: NDArray[np.bool_]
