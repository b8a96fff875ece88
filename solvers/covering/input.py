"""What a covering problem is given, checked: who covers whom, weights, costs, budget, what is built already."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.covering.bound import is_finite_sum
from phusong.solvers.errors import CoveringFaults

MOST_CUSTOMERS = 2**31 - 2  # numbers of customers and facilities are int32
LARGEST_SUM = 2**53  # sums of costs stay exact as floats


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """indptr, indices : rows of customers, their facilities ascending, each once; weight, cost int64; locked bool."""

    indptr: NDArray[np.integer[Any]]
    indices: NDArray[np.int32]
    weight: NDArray[np.int64]
    cost: NDArray[np.int64]
    locked: NDArray[np.bool_]

    def covered_by(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(M,) customers that a chosen facility covers."""
        return np.asarray(_hit(self.indptr, self.indices, chosen))


@njit(cache=True, nogil=True)
def _hit(indptr: NDArray[np.integer[Any]], indices: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(M,) whether a row holds a chosen facility. O(nnz), less where the first ones do."""
    hit = np.zeros(len(indptr) - 1, dtype=np.bool_)
    for j in range(len(hit)):
        for q in range(indptr[j], indptr[j + 1]):
            if chosen[indices[q]]:
                hit[j] = True
                break
    return hit


def given(coverage: Any, weight: Any, cost: Any, budget: Any, locked: Any, gap: float) -> tuple[Given, int]:
    """The arguments as arrays, and the budget; raises CoveringFaults that names all that is wrong.

    coverage : scipy sparse (M, N), any value but zero covers;  weight (M,), cost (N,) : whole, not negative
    budget : whole, not negative;  locked : (N,) bool, or numbers of facilities, or None
    """
    faults: list[tuple[str, str]] = []
    table = _table(coverage, faults)
    weights = _whole_numbers("weight", weight, table.shape[0], "customers", faults)
    costs = _whole_numbers("cost", cost, table.shape[1], "facilities", faults)
    fixed = _locked(locked, table.shape[1], faults)
    limit = _whole_numbers("budget", [budget], 1, "budget", faults)
    if not faults and not is_finite_sum(weights):
        faults.append((f"weight: the sum is {int(weights.sum())}, above 2**49", "count in a larger unit"))
    if not faults and math.fsum(costs.tolist()) + float(limit[0]) > LARGEST_SUM:
        faults.append(("cost: costs and budget sum to more than 2**53", "count in a larger unit"))
    if not 0.0 <= gap < 1.0:
        faults.append((f"gap: {gap}", "0.01 stands for 1%; 0 asks for the optimum"))
    if faults:
        raise CoveringFaults(
            what="the covering problem cannot be used as it is",
            where="; ".join(where for where, _ in faults),
            mend="; ".join(dict.fromkeys(mend for _, mend in faults)),
        )
    return Given(table.indptr, table.indices.astype(np.int32, copy=False), weights, costs, fixed), int(limit[0])


def _table(coverage: Any, faults: list[tuple[str, str]]) -> sparse.csr_array:
    if not sparse.issparse(coverage):
        faults.append((f"coverage: {type(coverage).__name__}", "give a scipy CSR table (customers x facilities)"))
        return sparse.csr_array((0, 0), dtype=bool)
    if max(coverage.shape) > MOST_CUSTOMERS:
        faults.append((f"coverage: {coverage.shape[0]} x {coverage.shape[1]}", "split the area: at most 2**31 rows"))
    table = coverage if coverage.format == "csr" else coverage.tocsr()
    if not (table.has_canonical_format and bool(np.all(table.data))):
        table = table.copy()  # the caller's own stays as it is
        table.sum_duplicates()
        table.eliminate_zeros()
    return table


def _whole_numbers(name: str, values: Any, count: int, of: str, faults: list[tuple[str, str]]) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.shape != (count,):
        faults.append((f"{name}: shape {array.shape} for {count} {of}", f"give one {name} for each of the {of}"))
        return np.zeros(count, dtype=np.int64)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.dtype.kind not in "iufb" or (array.dtype.kind == "f" and not np.array_equal(array, np.floor(array))):
        faults.append((f"{name}: not whole numbers", f"scale the {name} and round it"))
        return np.zeros(count, dtype=np.int64)
    if (array < 0).any():
        worst = int(np.argmin(array))
        faults.append((f"{name}[{worst}] = {array[worst]}", f"no {name} is below zero"))
        return np.zeros(count, dtype=np.int64)
    if float(array.max()) >= 2.0**62:
        faults.append((f"{name}: {array.max()}", "count in a larger unit"))
        return np.zeros(count, dtype=np.int64)
    return array.astype(np.int64)


def _locked(locked: Any, count: int, faults: list[tuple[str, str]]) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    if locked is None:
        return mask
    array = np.asarray(locked)
    if array.dtype == bool and array.shape == (count,):
        return array.copy()
    if array.size == 0:
        return mask
    if array.dtype.kind not in "iu" or array.ndim != 1 or array.min() < 0 or array.max() >= count:
        faults.append(
            (f"locked: {array.dtype} {array.shape} for {count} facilities", "lock by a mask, or by numbers from 0")
        )
        return mask
    mask[array] = True
    return mask
