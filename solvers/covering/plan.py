"""What a covering solve answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Status = Literal["optimal", "within_gap", "stopped", "infeasible"]
Proof = Literal["trivial", "prices", "cases", "solver"]


@dataclass(frozen=True, slots=True, eq=False)
class CoverPlan:
    """The choice and what is proven of it.

    selected  : (k,) int32 ascending, the facilities built, locked and free ones among them
    objective : weight covered (most coverage), or cost (set covering);  spent : cost
    bound     : no choice does better than this;  gap : |bound - objective| / max(|bound|, 1) for most coverage, over
                the objective for set covering; infinite where infeasible
    status    : "optimal" when bound and objective are equal; "within_gap" when the gap asked for is proven;
                "stopped" by the clock or Ctrl-C before that; "infeasible" when there is no choice at all
    proof     : how an optimal or within_gap bound was shown: "trivial" sums, "prices" (a dual solution), "cases" (a
                tree of them), "solver" (CP-SAT on what presolve and prices left); else None
    repeatable : no clock had a say
    """

    selected: NDArray[np.int32]
    objective: int
    bound: int
    gap: float
    status: Status
    proof: Proof | None
    spent: int
    repeatable: bool
    seconds: float

    @staticmethod
    def infeasible(seconds: float) -> CoverPlan:
        """There is no choice: what is locked costs more than the budget, or a customer can't be covered."""
        nothing = np.zeros(0, dtype=np.int32)
        return CoverPlan(nothing, 0, 0, math.inf, "infeasible", "trivial", 0, True, seconds)
