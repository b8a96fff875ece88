"""The joint decision without its tree: trenches are one sum of money, held up by what their stops owe at least.

Columns: hamlets y, ways x, stops n (network nodes that some way needs), trench money F.
  y <= x over the ways of each blocking set (clauses.py)         x <= n of its node
  cost x + F <= budget                                           F >= shares n, for every valid set of shares
Any valid shares make this a relaxation (backhaul_bound.py), so its bound holds whatever the shares are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder_helper
from scipy import sparse

from phusong.solvers.backhaul.graph import ROOT
from phusong.solvers.clauses import blocking_clauses
from phusong.solvers.joint.case import JointCase

UNIT = 60  # multipliers are whole numbers of 2**-60 hamlets (a VND), so that the bound is exact
MONEY = 1e9  # VND to the unit of money rows in floating point


PRECISION = """iteration_limit: 10000
simple_optimality_criteria { eps_optimal_relative: 1e-4 eps_optimal_absolute: 1e-4 }"""


@dataclass(frozen=True, slots=True)
class Master:
    """The rows without money and shares, all ">= least": matrix (R, H + W + K), least (R,).

    stop : (K,) int64 network nodes of the stops;  open : (H,) bool hamlets that can be cleared at all
    """

    case: JointCase
    matrix: sparse.csr_array
    least: NDArray[np.int64]
    stop: NDArray[np.int64]
    open: NDArray[np.bool_]

    @property
    def hamlets(self) -> int:
        return self.case.coverage.hamlets

    @property
    def ways(self) -> int:
        return len(self.case.option)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A linear optimum: bound on the weight (exact rounding down), y, x, n, F [VND] fractional, what a VND is worth,
    and what each stop would pay at most: (K,) VND."""

    bound: int
    value: float
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    n: NDArray[np.float64]
    trench_vnd: float
    worth_of_vnd: float
    would_pay: NDArray[np.float64]
    rows: NDArray[np.float64]
    shares: NDArray[np.float64]


def master_of(case: JointCase) -> Master:
    """Clauses, sums of groups with too many clauses, stops, exclusions and locked options as rows."""
    coverage = case.coverage
    ways, hamlets = len(case.option), coverage.hamlets
    stop = np.unique(case.node[case.node != ROOT])
    rows = _Rows()
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
            rows.add([hamlet, *(hamlets + w for w in clause)], [-1] + [1] * len(clause), 0)
        if not complete:
            alone = np.minimum(case.covers[:, cells].astype(np.int64) @ people, need)
            helping = np.flatnonzero(alone)
            rows.add([hamlet, *(hamlets + helping)], [-need, *alone[helping]], 0)
    place = {int(node): hamlets + ways + k for k, node in enumerate(stop)}
    by_set: dict[tuple[int, int], list[int]] = {}
    for way, (node, number) in enumerate(zip(case.node.tolist(), case.exclusive.tolist(), strict=True)):
        if node != ROOT:
            by_set.setdefault((node, number), []).append(hamlets + way)
    for (node, _), members in by_set.items():
        rows.add([place[node], *members], [1] + [-1] * len(members), 0)
    for number in np.unique(case.exclusive):
        rivals = np.flatnonzero(case.exclusive == number)
        if len(rivals) > 1:
            rows.add((hamlets + rivals).tolist(), [-1] * len(rivals), -1)
    for option in np.flatnonzero(coverage.locked):
        rows.add((hamlets + np.flatnonzero(case.option == option)).tolist(), None, 1)
    return Master(case, rows.matrix(hamlets + ways + len(stop)), np.array(rows.least, dtype=np.int64), stop, hopeful)


class _Rows:
    def __init__(self) -> None:
        self.column: list[int] = []
        self.value: list[int] = []
        self.indptr = [0]
        self.least: list[int] = []

    def add(self, columns: list[int], values: list[int] | None, least: int) -> None:
        self.column.extend(columns)
        self.value.extend([1] * len(columns) if values is None else values)
        self.indptr.append(len(self.column))
        self.least.append(least)

    def matrix(self, columns: int) -> sparse.csr_array:
        table = (np.array(self.value, dtype=np.int64), np.array(self.column, dtype=np.int64), np.array(self.indptr))
        return sparse.csr_array(table, shape=(len(self.least), columns))


class Relaxations:
    """Linear relaxations of one master: by PDLP, whose optima lie in the middle of all and so tell more shares, until
    it finds one too hard; from then on by GLOP."""

    def __init__(self, master: Master, solver: str = "pdlp") -> None:
        self.master, self.solver = master, solver

    def relax(self, shares: NDArray[np.int64]) -> Relaxed | None:
        """The relaxation under these shares (k, K); None when nothing near an optimum was found."""
        found = relax(self.master, shares, self.solver)
        if found is None and self.solver == "pdlp":
            self.solver = "glop"
            found = relax(self.master, shares, self.solver)
        return found


def relax(master: Master, shares: NDArray[np.int64], solver_name: str = "pdlp") -> Relaxed | None:
    """The linear relaxation under these shares (k, K); None when the solver found nothing near an optimum.

    Multipliers are rounded, PDLP's only nearly optimal; the bound is computed from them alone: valid, if loose.
    """
    case = master.case
    count, wide = len(shares), master.matrix.shape[1] + 1
    money = np.zeros(wide)
    money[master.hamlets : master.hamlets + master.ways] = case.cost / MONEY
    money[-1] = 1.0
    owed = np.zeros((count, wide))
    owed[:, master.hamlets + master.ways : -1] = -shares / MONEY
    owed[:, -1] = 1.0
    plain = sparse.csr_array(
        (master.matrix.data.astype(float), master.matrix.indices, master.matrix.indptr),
        shape=(len(master.least), wide),
    )
    matrix = sparse.csr_matrix(sparse.vstack([plain, sparse.csr_array(-money[None, :]), sparse.csr_array(owed)]))
    lower = np.concatenate([master.least.astype(float), [-case.budget_vnd / MONEY], np.zeros(count)])
    upper = np.full(len(lower), np.inf)
    most = np.ones(wide)
    most[: master.hamlets] = master.open
    most[-1] = np.inf
    weight = np.zeros(wide)
    weight[: master.hamlets] = case.coverage.hamlet_weight
    model = model_builder_helper.ModelBuilderHelper()
    # Its stub asks for scipy's old matrix class, of another version than ours.
    model.fill_model_from_sparse_data(np.zeros(wide), most, -weight, lower, upper, matrix)  # type: ignore[arg-type]
    solver = model_builder_helper.ModelSolverHelper(solver_name)
    if solver_name == "pdlp":
        solver.set_solver_specific_parameters(f"num_threads: 1 termination_criteria {{ {PRECISION} }}")
    solver.solve(model)
    if not solver.has_solution() or solver.status() != model_builder_helper.SolveStatus.OPTIMAL:
        return None
    dual = np.maximum(np.asarray(solver.dual_values()), 0.0)
    values = np.asarray(solver.variable_values())
    y, x, n, trench = np.split(values, [master.hamlets, master.hamlets + master.ways, wide - 1])
    plain_dual, price, owed_dual = dual[: len(master.least)], dual[len(master.least)] / MONEY, dual[-count:] / MONEY
    pull = master.matrix.T @ plain_dual
    surplus = np.maximum(pull[master.hamlets : master.hamlets + master.ways] - price * case.cost, 0.0)
    pays = np.zeros(case.network.nodes)
    np.add.at(pays, case.node, surplus)
    return Relaxed(
        bound=exact_bound(master, shares, plain_dual, owed_dual, price),
        value=float(weight @ values), y=y, x=x, n=n, trench_vnd=float(trench[0]) * MONEY, worth_of_vnd=price,
        would_pay=pays[master.stop] / max(price, 1e-30), rows=plain_dual, shares=owed_dual,
    )  # fmt: skip


def exact_bound(
    master: Master, shares: NDArray[np.int64], rows: NDArray[np.float64], owed: NDArray[np.float64], price: float
) -> int:
    """No plan clears more weight: weak duality in whole numbers, for any multipliers >= 0 of the rows (R,), of the
    shares (k,) and of the budget, which is raised to the sum of those of the shares where it falls short."""
    case = master.case
    of_rows = [round(v * 2**UNIT) for v in rows.tolist()]
    of_owed = [round(v * 2**UNIT) for v in owed.tolist()]
    of_budget = max(round(price * 2**UNIT), sum(of_owed))
    columns = sparse.csc_array(master.matrix)
    gain = [0] * columns.shape[1]
    gain[: master.hamlets] = [int(w) << UNIT for w in case.coverage.hamlet_weight.tolist()]
    for column, (a, b) in enumerate(zip(columns.indptr[:-1], columns.indptr[1:], strict=True)):
        for row, value in zip(columns.indices[a:b].tolist(), columns.data[a:b].tolist(), strict=True):
            gain[column] += of_rows[row] * value
    for way, cost in enumerate(case.cost.tolist()):
        gain[master.hamlets + way] -= of_budget * cost
    for multiplier, line in zip(of_owed, shares.tolist(), strict=True):
        if multiplier:
            for stop, share in enumerate(line):
                if share:
                    gain[master.hamlets + master.ways + stop] -= multiplier * share
    for hamlet in np.flatnonzero(~master.open):
        gain[hamlet] = 0
    total = of_budget * case.budget_vnd + sum(g for g in gain if g > 0)
    total -= sum(m * int(v) for m, v in zip(of_rows, master.least.tolist(), strict=True))
    return int(total >> UNIT)
