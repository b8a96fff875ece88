"""The joint decision in rows: hamlets cleared, and the links, trenches and ways, that are bought for them.

Columns: hamlets y, then links (reach.py): the network's arcs and the ways.
  y <= the ways of each blocking set (clauses.py)        a way <= the arcs into its node
  an arc <= the arcs into the node that it leaves        exclusive ways <= 1, locked options >= 1
  y <= the links of each cut (reach.py), as they are missed            cost of the links <= budget
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.backhaul.graph import ROOT
from phusong.solvers.clauses import blocking_clauses
from phusong.solvers.joint.case import JointCase
from phusong.solvers.joint.reach import Reach, reach_of


@dataclass(frozen=True, slots=True)
class Master:
    """The rows without cuts and budget, all ">= least": matrix (R, H + L), least (R,).

    cost : (L,) VND of each link;  hamlet : (R,) that a clause or sum speaks of, -1 for other rows
    open : (H,) bool hamlets that can be cleared at all;  loose : groups that have too many clauses to say all
    """

    case: JointCase
    matrix: sparse.csr_array
    least: NDArray[np.int64]
    hamlet: NDArray[np.int64]
    reach: Reach
    cost: NDArray[np.int64]
    open: NDArray[np.bool_]
    loose: tuple[int, ...]

    @property
    def hamlets(self) -> int:
        return self.case.coverage.hamlets

    @property
    def arcs(self) -> int:
        """Links before the first way."""
        return len(self.cost) - len(self.case.option)


def master_of(case: JointCase) -> Master:
    """Clauses, sums of groups with too many clauses, what leads to what, exclusions and locked options as rows."""
    coverage, network = case.coverage, case.network
    rows = _Rows()
    goals: list[NDArray[np.int64]] = []
    of_goal: list[int] = []
    loose: list[int] = []
    first_way = coverage.hamlets + len(network.neighbour)
    columns = sparse.csc_array(case.covers)
    columns.sort_indices()
    hopeful = coverage.hamlet_weight > 0
    for group, hamlet in enumerate(coverage.group_hamlet.tolist()):
        cells = coverage.group_cell[coverage.group_indptr[group] : coverage.group_indptr[group + 1]]
        people, need = coverage.cell_people[cells], int(coverage.group_need[group])
        if people.sum() < need:
            hopeful[hamlet] = False
        if need == 0 or not hopeful[hamlet]:
            continue
        covering = [columns.indices[columns.indptr[c] : columns.indptr[c + 1]].tolist() for c in cells]
        clauses, complete = blocking_clauses(covering, people.tolist(), need)
        for clause in clauses:
            rows.add([hamlet, *(first_way + w for w in clause)], [-1] + [1] * len(clause), 0, hamlet)
            goals.append(np.array(clause, dtype=np.int64))
            of_goal.append(hamlet)
        if not complete:
            loose.append(group)
            alone = np.minimum(case.covers[:, cells].astype(np.int64) @ people, need)
            helping = np.flatnonzero(alone)
            rows.add([hamlet, *(first_way + helping)], [-need, *alone[helping]], 0, hamlet)
    _add_order(rows, case, first_way)
    exclusive = case.exclusive
    for number in np.unique(exclusive):
        rivals = np.flatnonzero(exclusive == number)
        if len(rivals) > 1:
            rows.add((first_way + rivals).tolist(), [-1] * len(rivals), -1)
    for option in np.flatnonzero(coverage.locked):
        ways = np.flatnonzero(case.option == option)
        rows.add((first_way + ways).tolist(), [1] * len(ways), 1)
    return Master(
        case=case, matrix=rows.matrix(first_way + len(case.option)), least=np.array(rows.least, dtype=np.int64),
        hamlet=np.array(rows.hamlet, dtype=np.int64),
        reach=reach_of(network, case.node, np.array(of_goal, dtype=np.int64), goals),
        cost=np.concatenate([network.cost[network.edge], case.cost]).astype(np.int64), open=hopeful,
        loose=tuple(loose),
    )  # fmt: skip


def _add_order(rows: _Rows, case: JointCase, first_way: int) -> None:
    """What is bought only after something else: exclusive ways to one node together, and arcs."""
    network, hamlets = case.network, case.coverage.hamlets
    into = [np.arange(a, b) for a, b in zip(network.indptr[:-1], network.indptr[1:], strict=True)]
    together: dict[tuple[int, int], list[int]] = {}
    for way, (node, number) in enumerate(zip(case.node.tolist(), case.exclusive.tolist(), strict=True)):
        if node != ROOT:
            together.setdefault((node, number), []).append(first_way + way)
    for (node, _), ways in together.items():
        rows.add([*(hamlets + into[node]).tolist(), *ways], [1] * len(into[node]) + [-1] * len(ways), 0)
    for head in range(network.nodes):
        for arc in into[head].tolist():
            tail = int(network.neighbour[arc])
            if tail != ROOT:
                before = into[tail][network.neighbour[into[tail]] != head]
                rows.add([*(hamlets + before).tolist(), hamlets + arc], [1] * len(before) + [-1], 0)


class _Rows:
    def __init__(self) -> None:
        self.column: list[int] = []
        self.value: list[int] = []
        self.indptr = [0]
        self.least: list[int] = []
        self.hamlet: list[int] = []

    def add(self, columns: list[int], values: list[int], least: int, hamlet: int = -1) -> None:
        self.column.extend(columns)
        self.value.extend(values)
        self.indptr.append(len(self.column))
        self.least.append(least)
        self.hamlet.append(hamlet)

    def matrix(self, columns: int) -> sparse.csr_array:
        table = (np.array(self.value, dtype=np.int64), np.array(self.column, dtype=np.int64), np.array(self.indptr))
        return sparse.csr_array(table, shape=(len(self.least), columns))
