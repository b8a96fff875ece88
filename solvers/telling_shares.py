"""Shares of trench money that say most about a decision: those that cut off its linear relaxations, one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.backhaul.bound import shares_of
from phusong.solvers.backhaul.graph import FAR
from phusong.solvers.joint.case import JointCase
from phusong.solvers.joint.master import Relaxations, master_of

MIXES = (0.0, 0.5, 0.9)  # between the middle of past optima and the last one
LEVELS = (5, 20)  # steps into which fractional stops are sorted before they claim
FOLLOW = 0.3  # how fast that middle follows
SEEN = 1e-6  # a fraction that is more than rounding


def telling_shares(case: JointCase, rounds: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Stops (K,) of the case's network, valid shares (k, K), and the part of each stop (K,) that was wanted last."""
    master = master_of(case)
    relaxations = Relaxations(master, "glop")  # real scenes are hard for PDLP
    stop = master.stop
    free = np.full(len(stop), FAR)
    shares = _ascended(case, stop, np.zeros(len(stop)), free, 1)[None, :]
    wanted = np.zeros(len(stop))
    middle: NDArray[np.float64] | None = None
    for _ in range(rounds if len(stop) else 0):
        relaxed = relaxations.relax(shares)
        if relaxed is None:
            break
        wanted = relaxed.n
        middle = wanted if middle is None else middle
        most = np.where(wanted > SEEN, FAR, np.minimum(relaxed.would_pay, 1e18).astype(np.int64))
        tried = [
            _ascended(case, stop, mix * middle + (1.0 - mix) * wanted, most, levels)
            for mix in MIXES
            for levels in LEVELS
        ]
        owed = relaxed.trench_vnd * (1.0 + SEEN)
        new = [share for share in tried if float(share @ wanted) > owed]
        middle = (1.0 - FOLLOW) * middle + FOLLOW * wanted
        if not new:
            break
        held = relaxed.shares > 0.0
        shares = np.vstack([shares[held] if held.any() else shares, *new])
    return stop, np.unique(shares, axis=0), wanted


def _ascended(
    case: JointCase, stop: NDArray[np.int64], wanted: NDArray[np.float64], most: NDArray[np.int64], levels: int
) -> NDArray[np.int64]:
    rank = np.round((1.0 - np.clip(wanted, 0.0, 1.0)) * levels).astype(np.int64)
    return shares_of(case.network, stop, rank, most)[stop]
