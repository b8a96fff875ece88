"""Good joint plans fast: the whole filled and refilled, then, where it is large, part after part of it."""

from __future__ import annotations

import numpy as np

from phusong.solvers.joint.case import JointCase
from phusong.solvers.joint.improve import PART_WAYS, ROUNDS, improved
from phusong.solvers.joint.refill import alike_of, choice_of, search
from phusong.solvers.joint.state import Choice, copy_of, ground_of, nothing_chosen

__all__ = ["choice_of", "good_joint_plan"]

ON_WHOLE = 0.2  # share of the rounds that go through the whole of a large case; the others through its parts


def good_joint_plan(case: JointCase, rounds: int, seed: int) -> Choice | None:
    """The best choice found; None when the locked options never fitted.

    rounds : stretches taken out and filled again, in all
    """
    g = ground_of(case)
    s = nothing_chosen(g)
    current, best = copy_of(s), copy_of(s)
    favour = np.ones(len(g.cost))
    parts = int((1.0 - ON_WHOLE) * rounds) // ROUNDS if len(g.cost) > PART_WAYS else 0
    found = search(g, s, current, best, alike_of(case.covers), favour, case.budget_vnd, rounds - parts * ROUNDS, seed)
    if not found:
        return None
    return improved(case, best, parts, seed) if parts else best
