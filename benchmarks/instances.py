"""Seeded decision problems of any size: hamlets along valleys, options that reach their neighbours (synthetic)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from phusong.solvers.problem import Problem

VALLEY_KM = 18.0  # length of a valley; hamlets lie along it
HAMLETS_A_VALLEY = 12
CELL_PEOPLE = 60  # at most, in one cell
NEEDED = 0.8  # share of a group's people
REACH_KM = (0.8, 3.5)  # of an option
SEEN = 0.85  # chance that a cell within reach is not behind a ridge
COST_VND = (300_000_000, 6_000_000_000)


def valleys(hamlets: int, options: int, seed: int) -> Problem:
    """Each hamlet has 2 to 6 groups of 1 to 15 cells; an option reaches cells of its own valley only. Cost grows with
    reach; the options of one place exclude each other."""
    rng = np.random.default_rng(seed)
    valley = np.arange(hamlets) // HAMLETS_A_VALLEY
    along_km = rng.uniform(0.0, VALLEY_KM, hamlets)
    group_hamlet = np.repeat(np.arange(hamlets), rng.integers(2, 7, hamlets))
    size = rng.integers(1, 16, len(group_hamlet))
    group_indptr = np.concatenate([[0], np.cumsum(size)])
    cell_hamlet = np.repeat(group_hamlet, size)
    group_km = along_km[group_hamlet] + rng.normal(0.0, 0.5, len(group_hamlet))
    cell_km = np.repeat(group_km, size) + rng.normal(0.0, 0.15, len(cell_hamlet))
    people = rng.integers(1, CELL_PEOPLE + 1, len(cell_hamlet))
    need = np.ceil(NEEDED * np.add.reduceat(people, group_indptr[:-1])).astype(np.int64)

    # Up to four options a place: the further one reaches, the dearer it is, give or take the road and the power.
    place = np.arange(options) // 4
    near = rng.integers(0, hamlets, place[-1] + 1)
    place_km = along_km[near] + rng.normal(0.0, 0.6, len(near))
    reach_km = rng.uniform(*REACH_KM, options)
    least, most = COST_VND
    share = np.clip((reach_km / REACH_KM[1]) ** 1.5 * rng.lognormal(0.0, 0.4, options), 0.0, 1.0)
    cost = (least + share * (most - least)).astype(np.int64)
    within = np.abs(cell_km[None, :] - place_km[place][:, None]) <= reach_km[:, None]
    within &= valley[cell_hamlet][None, :] == valley[near][place][:, None]
    # A ridge hides a cell from a place, whatever is built there.
    within &= (rng.random((len(near), len(cell_km))) < SEEN)[place]
    return Problem(
        cell_people=people, group_hamlet=group_hamlet.astype(np.int32), group_indptr=group_indptr,
        group_cell=np.arange(len(people), dtype=np.int32), group_need=need,
        hamlet_weight=np.ones(hamlets, dtype=np.int64), required=np.zeros(hamlets, dtype=bool),
        covers=sparse.csr_array(within), budget_cost_vnd=cost,
        lifetime_cost_vnd=cost + rng.integers(500_000_000, 2_000_000_000, options),
        exclusive=place.astype(np.int32), locked=np.zeros(options, dtype=bool), forbidden=np.zeros(options, dtype=bool),
    )  # fmt: skip


def budget_of(problem: Problem, share: float) -> int:
    """VND: a share of what it costs to build the dearest option of every place."""
    dearest = np.zeros(int(problem.exclusive.max()) + 1, dtype=np.int64)
    np.maximum.at(dearest, problem.exclusive, problem.budget_cost_vnd)
    return int(share * dearest.sum())
