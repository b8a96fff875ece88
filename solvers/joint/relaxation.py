"""The joint decision in fractions: a linear program that grows by the cuts that its optimum misses.

PDLP goes on from its last point each round. Its points lie in the middle of what is optimal, where missed cuts tell
more than at a corner; that they are only nearly optimal costs nothing, since bounds come from multipliers alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ortools.pdlp import solvers_pb2
from ortools.pdlp.python import pdlp
from scipy import sparse

from phusong.solvers.clauses import missed_clauses
from phusong.solvers.interruption import stopping
from phusong.solvers.joint.master import Master
from phusong.solvers.joint.reach import Cuts, cuts_missed, with_goals

ITERATIONS = 1500  # of PDLP a round
PRECISION = 1e-4
MONEY = 1e9  # VND to the unit of money in floating point
DEPTH = 15  # cuts around one goal a round
MISSED = 0.02  # by which the links of a cut fall short
IDLE = 6  # rounds after which a cut without a multiplier is dropped,
TELLING = 3  # and up to which it is worth telling others
SLOW, PATIENCE = 1e-4, 3  # the bound falls by less than this share in so many rounds: enough
MOST = 2.0**20  # that a multiplier may come to
BITS = 60  # of the sums that a bound in whole numbers may reach
DEEP = 52  # the price of a VND has so many bits more


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The relaxation whose multipliers bound most.

    bound : on the cleared weight, exact, rounded down;  cleared (H,), bought (L,) : its nearly optimal fractions
    """

    bound: int
    cleared: NDArray[np.float64]
    bought: NDArray[np.float64]


class Relaxation:
    """The linear program under way: the cuts found, and the best bound so far.

    master : with a goal for each clause found of a loose group
    """

    def __init__(self, master: Master) -> None:
        self.master = master
        self._cuts: list[tuple[int, NDArray[np.int64]]] = []
        self._known: set[tuple[int, bytes]] = set()
        self._goals: set[tuple[int, bytes]] = set()
        self._idle = np.empty(0, dtype=np.int64)
        self._point: pdlp.PrimalAndDualSolution | None = None
        self.best: Relaxed | None = None

    def tighten(self, rounds: int, enough: int, until: float = np.inf) -> Relaxed | None:
        """Rounds of solving and adding cuts, until the bound is `enough`, hardly falls, no cut is missed, or
        `time.monotonic()` has come to `until`."""
        values: list[float] = []
        for _ in range(rounds):
            if stopping() or time.monotonic() >= until:
                break
            relaxed, value = self._solved()
            self.best = relaxed if self.best is None or relaxed.bound <= self.best.bound else self.best
            values.append(min(value, values[-1]) if values else value)
            slow = len(values) > PATIENCE and values[-1 - PATIENCE] - values[-1] < SLOW * values[-1]
            if self.best.bound <= enough or slow or not self._grown(relaxed):
                break
        return self.best

    def telling(self) -> Cuts:
        """The cuts that had a say in the last rounds."""
        return packed([cut for cut, idle in zip(self._cuts, self._idle.tolist(), strict=True) if idle < TELLING])

    def _solved(self) -> tuple[Relaxed, float]:
        """This relaxation, and its bound in floating point."""
        master, case = self.master, self.master.case
        matrix = sparse.csr_array(sparse.vstack([master.matrix, _rows(master, packed(self._cuts))]))
        least = np.concatenate([master.least, np.zeros(len(self._cuts), np.int64)])
        weight = case.coverage.hamlet_weight
        program = pdlp.QuadraticProgram()
        money = np.concatenate([np.zeros(master.hamlets), -master.cost / MONEY])
        # PDLP's rows are those of the matrix that it is given, the budget last.
        program.constraint_matrix = sparse.csc_matrix(sparse.vstack([matrix.astype(float), money[None, :]]))
        program.constraint_lower_bounds = np.append(least.astype(float), -case.budget_vnd / MONEY)
        program.constraint_upper_bounds = np.full(len(least) + 1, np.inf)
        program.objective_vector = np.concatenate([-weight.astype(float), np.zeros(len(master.cost))])
        program.variable_lower_bounds = np.zeros(len(money))
        program.variable_upper_bounds = np.concatenate([master.open.astype(float), np.ones(len(master.cost))])
        found = pdlp.primal_dual_hybrid_gradient(program, _parameters(), initial_solution=self._point)
        self._point = pdlp.PrimalAndDualSolution()
        self._point.primal_solution, self._point.dual_solution = found.primal_solution, found.dual_solution
        values, dual = np.nan_to_num(np.asarray(found.primal_solution)), np.asarray(found.dual_solution)
        dual = np.clip(np.nan_to_num(dual), 0.0, MOST)  # any multipliers bound
        self._idle = np.where(dual[len(master.least) : -1] > 0.0, 0, self._idle + 1)
        bound, exactly = exact_bound(master, matrix, least, dual[:-1], float(dual[-1]) / MONEY)
        return Relaxed(bound, values[: master.hamlets], values[master.hamlets :]), exactly

    def _grown(self, relaxed: Relaxed) -> bool:
        """Whether cuts were missed; they are added, and those that have long had no say go."""
        assert self._point is not None
        kept = self._idle < IDLE
        for (hamlet, links), stays in zip(self._cuts, kept.tolist(), strict=True):
            if not stays:
                self._known.remove((hamlet, links.tobytes()))
        self._cuts = [cut for cut, stays in zip(self._cuts, kept.tolist(), strict=True) if stays]
        self._idle = self._idle[kept]
        before = len(self._cuts)
        clauses = self._clauses(relaxed)
        self.master = replace(self.master, reach=with_goals(self.master.reach, packed(clauses)))
        missed = cuts_missed(self.master.reach, relaxed.bought, relaxed.cleared, DEPTH, MISSED)
        for hamlet, links in clauses + unpacked(missed):
            key = hamlet, links.tobytes()
            if key not in self._known:
                self._known.add(key)
                self._cuts.append((hamlet, links))
        new = len(self._cuts) - before
        self._idle = np.concatenate([self._idle, np.zeros(new, dtype=np.int64)])
        dual = np.asarray(self._point.dual_solution)
        plain, of_cut, price = np.split(dual, [len(self.master.least), len(dual) - 1])
        self._point.dual_solution = np.concatenate([plain, of_cut[kept], np.zeros(new), price])
        return new > 0

    def _clauses(self, relaxed: Relaxed) -> list[tuple[int, NDArray[np.int64]]]:
        """New ones of loose groups, whose ways add up to less than their hamlet is cleared, or hardly more: then a cut
        around them may be missed. Each is a cut whose links are ways."""
        case, coverage, first = self.master.case, self.master.case.coverage, self.master.arcs
        found: list[tuple[int, NDArray[np.int64]]] = []
        for group in self.master.loose:
            hamlet, need = int(coverage.group_hamlet[group]), int(coverage.group_need[group])
            if not self.master.open[hamlet] or relaxed.cleared[hamlet] <= MISSED:
                continue
            cells = coverage.group_cell[coverage.group_indptr[group] : coverage.group_indptr[group + 1]]
            covers = case.covers[:, cells]
            ways = np.flatnonzero(np.diff(covers.indptr))
            chosen, least = relaxed.bought[first + ways], relaxed.cleared[hamlet] + MISSED
            clauses = missed_clauses(covers[ways].toarray().T, coverage.cell_people[cells], need, chosen, least)
            found += [(hamlet, first + ways[clause]) for clause in clauses]
        new = {(hamlet, links.tobytes()): links for hamlet, links in found}
        new = {key: links for key, links in new.items() if key not in self._goals}
        self._goals |= new.keys()
        return [(hamlet, links) for (hamlet, _), links in new.items()]


def unpacked(cuts: Cuts) -> list[tuple[int, NDArray[np.int64]]]:
    """Each cut's hamlet, and its links, ascending."""
    parts = np.split(cuts.link, cuts.indptr[1:-1])
    return [(hamlet, np.sort(links)) for hamlet, links in zip(cuts.hamlet.tolist(), parts, strict=False)]


def packed(cuts: list[tuple[int, NDArray[np.int64]]]) -> Cuts:
    """The other way round."""
    sizes = np.array([len(links) for _, links in cuts], dtype=np.int64)
    links = np.concatenate([np.empty(0, np.int64), *(links for _, links in cuts)])
    hamlet = np.array([hamlet for hamlet, _ in cuts], dtype=np.int64)
    return Cuts(hamlet, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), links)


def _rows(master: Master, cuts: Cuts) -> sparse.csr_array:
    """(c, H + L) the links of each cut less its hamlet."""
    count = len(cuts.hamlet)
    links = sparse.csr_array(
        (np.ones(len(cuts.link), np.int64), cuts.link, cuts.indptr), shape=(count, len(master.cost))
    )
    ends = np.arange(count + 1)
    hamlets = sparse.csr_array((np.full(count, -1, np.int64), cuts.hamlet, ends), shape=(count, master.hamlets))
    return sparse.csr_array(sparse.hstack([hamlets, links]))


def _parameters() -> solvers_pb2.PrimalDualHybridGradientParams:
    parameters = solvers_pb2.PrimalDualHybridGradientParams()
    parameters.num_threads = 1
    parameters.termination_criteria.iteration_limit = ITERATIONS
    parameters.termination_criteria.simple_optimality_criteria.eps_optimal_relative = PRECISION
    parameters.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = PRECISION
    return parameters


def exact_bound(
    master: Master,
    matrix: sparse.csr_array,
    least: NDArray[np.int64],
    dual: NDArray[np.float64],
    price: float,
) -> tuple[int, float]:
    """No plan clears more weight: weak duality in whole numbers, for any multipliers >= 0 of rows "matrix x >= least"
    and any price of a VND; rounded down, and as it is."""
    case = master.case
    weight = np.where(master.open, case.coverage.hamlet_weight, 0)
    size = np.asarray(abs(matrix).sum(axis=1)).ravel() + np.abs(least)
    reached = float(dual @ size) + float(weight.sum()) + price * float(master.cost.sum() + case.budget_vnd) + 1.0
    bits = BITS - int(np.ceil(np.log2(reached)))
    multiplier = np.floor(np.ldexp(dual, bits)).astype(np.int64)
    of_vnd = int(np.floor(np.ldexp(price, bits + DEEP)))
    pull = matrix.T @ multiplier
    gain = pull[: master.hamlets][master.open] + (weight[master.open] << bits)
    paid = np.array([(of_vnd * c) >> DEEP for c in master.cost.tolist()], dtype=np.int64)
    surplus = pull[master.hamlets :] - paid
    total = -((-of_vnd * case.budget_vnd) >> DEEP) - int(multiplier @ least)
    total += int(np.maximum(gain, 0).sum()) + int(np.maximum(surplus, 0).sum())
    return total >> bits, total / 2**bits
