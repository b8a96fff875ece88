"""What is asked of the decision: demand cells, hamlets as requirement groups, options with cost and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.errors import ProblemFaults
from phusong.solvers.faults import NONE, faults_of

__all__ = ["NONE", "Backhaul", "Cap", "Crowds", "Load", "Problem", "Roads"]


@dataclass(frozen=True, slots=True)
class Roads:
    """Where fibre can be laid: an undirected graph of N nodes and E edges.

    start, end : (E,) int32 nodes of each edge
    cost_vnd   : (E,) int64 of one trench along it, against the budget, however many use it
    lit        : (N,) bool, nodes where fibre already is (points of presence)
    lifetime_vnd : (E,) int64 over the horizon; None: as cost_vnd
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    cost_vnd: NDArray[np.int64]
    lit: NDArray[np.bool_]
    lifetime_vnd: NDArray[np.int64] | None = None

    @property
    def horizon_vnd(self) -> NDArray[np.int64]:
        """(E,) of one trench along each edge over the horizon."""
        return self.cost_vnd if self.lifetime_vnd is None else self.lifetime_vnd


@dataclass(frozen=True, slots=True)
class Backhaul:
    """How chosen options are connected: an option that has ways is chosen with exactly one of them.

    way_option : (W,) int32, ascending; an option without any way needs no backhaul
    way_node   : (W,) int32 road node that must be lit or reached by trenches; NONE: the way needs no trench
    way_budget_vnd, way_lifetime_vnd : (W,) int64, beside the option's own cost and without trenches
    relays     : (W, W) csr bool; a way with entries hangs on one of those ways: at least one of them is chosen, too
        (a microwave hop over another new tower). Free of circles: whoever builds it numbers the hops.
    relay_most : (W,) int64, most chosen ways that may hang on a way [capacity of its link]; counted for each way as if
        all chosen ways with an entry there, and no other chosen relay, hung on it
    roads      : for the ways with a node
    """

    way_option: NDArray[np.int32]
    way_node: NDArray[np.int32]
    way_budget_vnd: NDArray[np.int64]
    way_lifetime_vnd: NDArray[np.int64]
    relays: sparse.csr_array
    relay_most: NDArray[np.int64]
    roads: Roads


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` of something over the whole plan, e.g. satellite terminals, or sites of one operator.

    options, ways : (k,) int32 that count; one that is chosen counts once, or option_units, way_units (k,) int64 times
    """

    name: str
    most: int
    options: NDArray[np.int32]
    ways: NDArray[np.int32]
    option_units: NDArray[np.int64] | None = None
    way_units: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Busy-hour traffic [kbps]: a cleared hamlet's groups must be carried by chosen options that cover a cell of them.

    What a plan clears is then part of the decision: coverage may suffice for hamlets that cannot be served together.
    option_kbps : (M,) int64 that an option can carry;  group_kbps : (G,) int64; several options may share a group
    """

    option_kbps: NDArray[np.int64]
    group_kbps: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Crowds:
    """People who are newly covered only when several cells are: they ask for service by several operators.

    cells  : (U, C) csr bool, the cells that must all be covered for a crowd to be
    people : (U,) int64
    """

    cells: sparse.csr_array
    people: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Problem:
    """Arrays of one decision; C cells, G groups, H hamlets, M options.

    cell_people       : (C,) int64 people of the cell, for the need of its groups
    group_hamlet      : (G,) int32 hamlet of each requirement group
    group_indptr, group_cell : (G + 1,) int64, (nnz,) int32 cells of each group
    group_need        : (G,) int64 people of the group that must be covered for it to be met
    hamlet_weight     : (H,) int64 worth of clearing a hamlet; it is cleared when all its groups are met
    required          : (H,) bool, must be cleared
    covers            : (M, C) csr bool, cells that an option covers; several options together may meet a group
    budget_cost_vnd   : (M,) int64 counted against the budget;  lifetime_cost_vnd : (M,) int64
    exclusive         : (M,) int32, options with the same number >= 0 exclude each other, -1 free
    locked, forbidden : (M,) bool, must be chosen / must not
    forbidden_sets    : sets of options that must not all be chosen together
    backhaul          : how options are connected; None: their costs have it in them
    caps, load        : what the plan as a whole may hold, and what its options can carry
    crowds            : people who count as newly covered; None: those of each cell, once the cell is covered
    Raises ProblemFaults, which lists every fault of shape, range or reference.
    """

    cell_people: NDArray[np.int64]
    group_hamlet: NDArray[np.int32]
    group_indptr: NDArray[np.int64]
    group_cell: NDArray[np.int32]
    group_need: NDArray[np.int64]
    hamlet_weight: NDArray[np.int64]
    required: NDArray[np.bool_]
    covers: sparse.csr_array
    budget_cost_vnd: NDArray[np.int64]
    lifetime_cost_vnd: NDArray[np.int64]
    exclusive: NDArray[np.int32]
    locked: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    forbidden_sets: tuple[tuple[int, ...], ...] = ()
    crowds: Crowds | None = None
    backhaul: Backhaul | None = None
    caps: tuple[Cap, ...] = ()
    load: Load | None = None

    def __post_init__(self) -> None:
        faults = list(faults_of(self))
        if faults:
            raise ProblemFaults(
                what=f"the decision problem has {len(faults)} fault(s)",
                where="\n    ".join(faults),
                mend="mend the arrays that these lines name",
            )

    @property
    def options(self) -> int:
        return int(self.covers.shape[0])

    @property
    def hamlets(self) -> int:
        return len(self.hamlet_weight)

    @property
    def people(self) -> int:
        """People who can be newly covered at most."""
        return int((self.cell_people if self.crowds is None else self.crowds.people).sum())

    @property
    def ways(self) -> int:
        return 0 if self.backhaul is None else len(self.backhaul.way_option)

    def cost_of(
        self, chosen: NDArray[np.int32], way: NDArray[np.int32], trenches: NDArray[np.int32]
    ) -> tuple[int, int]:
        """VND against the budget and over the lifetime: options, the way of each (NONE: none), trenches each once."""
        budget = int(self.budget_cost_vnd[chosen].sum())
        lifetime = int(self.lifetime_cost_vnd[chosen].sum())
        if self.backhaul is not None:
            taken, roads = way[way != NONE], self.backhaul.roads
            budget += int(self.backhaul.way_budget_vnd[taken].sum()) + int(roads.cost_vnd[trenches].sum())
            lifetime += int(self.backhaul.way_lifetime_vnd[taken].sum()) + int(roads.horizon_vnd[trenches].sum())
        return budget, lifetime

    def people_covered(self, covered: NDArray[np.bool_]) -> int:
        """People newly covered by the cells of `covered` (C,)."""
        if self.crowds is None:
            return int(self.cell_people[covered].sum())
        missing = self.crowds.cells.astype(np.int64) @ (~covered).astype(np.int64)
        return int(self.crowds.people[missing == 0].sum())

    def groups_met(self, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(G,) groups whose need the cells of `covered` (C,) meet."""
        if not len(self.group_hamlet):
            return np.empty(0, dtype=bool)
        got = np.concatenate([[0], np.cumsum(np.where(covered, self.cell_people, 0)[self.group_cell])])
        return np.asarray(got[self.group_indptr[1:]] - got[self.group_indptr[:-1]] >= self.group_need)

    def covered_by(self, chosen: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(C,) cells that the chosen options cover."""
        covered = np.zeros(len(self.cell_people), dtype=bool)
        covered[self.covers[chosen].indices] = True
        return covered

    def cleared_by(self, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(H,) hamlets whose groups are all met. One without groups is cleared."""
        cleared = np.ones(self.hamlets, dtype=bool)
        cleared[self.group_hamlet[~self.groups_met(covered)]] = False
        return cleared
