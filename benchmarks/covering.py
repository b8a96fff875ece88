"""Coverage-only solves beside their targets: `python -m benchmarks.covering [cfl] [irregular] [maximo FOLDER]`.

Seeded instances, CPU seconds of the solve (kernels compiled beforehand, read from disk), peak memory of the process
with the data in it. Each row is a process of its own.

cfl       : the generator of Cordeau, Furini, Ljubic (EJOR 2019): 100 facilities, a million customers, uniform in a
            square of 30, weights 1 .. 100, the 14 published (budget, radius) pairs, our own seed
irregular : the same square with 5,000 facilities and 100,000 customers, 20% of the pairs removed at random
maximo    : real cities with best-known solutions (github.com/vinymax10/AILS-MCLP), read from FOLDER
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from phusong.solvers.covering import CoverPlan, solve_max_covering

SIDE = 30.0
CFL = (
    [(10, r) for r in (5.5, 5.75, 6.0, 6.25)]
    + [(15, r) for r in (4.0, 4.25, 4.5, 4.75, 5.0)]
    + [(20, r) for r in (3.25, 3.5, 3.75, 4.0, 4.25)]
)
IRREGULAR = [(200, 0.5), (100, 1.0), (30, 2.0)]
IRREGULAR_GAPS = (0.01, 0.001)
REMOVED = 0.2
EARTH_RADIUS_M = 6_378_100.0
CITIES = {"NewYork": 400, "Bronx": 600, "SanFrancisco": 600}
CITY_BUDGETS = (50, 60, 70, 80, 90, 100)
CITY_SECONDS = 10.0


def uniform(
    customers: int, facilities: int, radius: float, removed: float, seed: int
) -> tuple[sparse.csr_array, np.ndarray]:
    """Customers within `radius` of facilities, both uniform in the square, a share of the pairs removed; weights."""
    rng = np.random.default_rng(seed)
    at, where = rng.uniform(0, SIDE, (customers, 2)), rng.uniform(0, SIDE, (facilities, 2))
    weight = rng.integers(1, 101, customers)
    from scipy.spatial import cKDTree  # kept out of the memory that is measured

    tree, columns = cKDTree(at), []
    for near in tree.query_ball_point(where, radius, return_sorted=True):
        column = np.array(near, dtype=np.int32)
        columns.append(column[rng.random(len(column)) >= removed] if removed else column)
    indptr = np.concatenate([[0], np.cumsum([len(c) for c in columns])]).astype(np.int32)  # as scipy's own are
    rows = np.concatenate(columns)
    by_facility = sparse.csc_array((np.ones(len(rows), dtype=bool), rows, indptr), shape=(customers, facilities))
    return sparse.csr_array(by_facility), weight


def city(folder: Path, name: str, radius_m: float) -> tuple[sparse.csr_array, np.ndarray]:
    """Who is within great-circle reach of whom: every customer is a facility too."""
    lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    start, middle = (next(k for k, line in enumerate(lines) if line.startswith(w)) for w in ("NODE", "DEMAND"))
    at = np.radians(np.array([line.split() for line in lines[start + 1 : middle]], dtype=float))
    weight = np.array([line.split()[0] for line in lines[middle + 1 :] if line.strip()[:1].isdigit()], dtype=int)
    across = np.sin((at[:, None] - at) / 2) ** 2
    half = across[..., 0] + np.cos(at[:, None, 0]) * np.cos(at[:, 0]) * across[..., 1]
    return sparse.csr_array(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half)) <= radius_m), weight


def timed(
    coverage: sparse.csr_array, weight: np.ndarray, budget: int, gap: float, limit_s: float
) -> tuple[CoverPlan, float]:
    """The plan, and CPU seconds of finding it; a clock of CPU time presses Ctrl-C, so that other work costs nothing."""
    began = time.process_time()
    signal.signal(signal.SIGPROF, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    plan = solve_max_covering(coverage, weight, np.ones(coverage.shape[1], dtype=int), budget, gap=gap)
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    return plan, time.process_time() - began


def compile_first() -> None:
    """Small solves that pass through every kernel, so that the rows find them compiled on disk."""
    for customers, facilities, radius, gap in ((2_000, 100, 3.0, 0.0), (30_000, 400, 1.5, 1e-4)):
        coverage, weight = uniform(customers, facilities, radius, REMOVED, 0)
        timed(coverage, weight, 25, gap, 30.0)


def row(kind: str, arguments: list[str]) -> str:
    """One line of the table: what, objective, bound, gap, how proven, CPU seconds, MB."""
    if kind == "maximo":
        folder, name, budget = Path(arguments[0]), arguments[1], int(arguments[2])
        coverage, weight = city(folder, name, CITIES[name])
        known = int(float((folder / f"{name}_{budget}_{CITIES[name]}.txt").read_text().split()[1]))
        plan, seconds = timed(coverage, weight, budget, 0.0, CITY_SECONDS)
        said = f"{name:12} {budget:4} best known {known:9,}  {plan.objective / known - 1:+.3%}"
    else:
        budget, radius, gap = int(arguments[0]), float(arguments[1]), float(arguments[2])
        coverage, weight = stored(Path(arguments[3]))
        plan, seconds = timed(coverage, weight, budget, gap, 60.0)
        said = f"{kind:12} {budget:4} radius {radius:4} to {gap:.1%} {coverage.nnz:11,} pairs"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    proven = f"{plan.objective:11,} {plan.bound:11,} {plan.gap:8.3%} {plan.status:10} {plan.proof or '-':7}"
    return f"{said} {proven} {seconds:6.2f} s {memory:5.0f} MB"


def make(kind: str, radius: float, path: Path) -> None:
    """Write an instance, so that the memory that making it takes is not the solve's."""
    size = (1_000_000, 100, radius, 0.0) if kind == "cfl" else (100_000, 5_000, radius, REMOVED)
    coverage, weight = uniform(*size, seed=1)
    np.savez(path, indptr=coverage.indptr, indices=coverage.indices, weight=weight, facilities=coverage.shape[1])


def stored(path: Path) -> tuple[sparse.csr_array, np.ndarray]:
    """What `make` wrote; one byte a pair beside its number."""
    with np.load(path) as kept:
        indptr, indices, weight, facilities = (kept[k] for k in ("indptr", "indices", "weight", "facilities"))
    pairs = np.ones(len(indices), dtype=bool)
    return sparse.csr_array((pairs, indices, indptr), shape=(len(weight), int(facilities))), weight


def run(*arguments: object) -> None:
    """This file again, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.covering", *map(str, arguments)]
    subprocess.run(command, cwd=Path(__file__).resolve().parents[1], check=True)


def main() -> None:
    if sys.argv[1:2] == ["compile"]:
        compile_first()
        return
    if sys.argv[1:2] == ["make"]:
        make(sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
        return
    if sys.argv[1:2] == ["row"]:
        print(row(sys.argv[2], sys.argv[3:]))
        return
    wanted = sys.argv[1:] or ["cfl", "irregular"]
    run("compile")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instance.npz"
        for kind, pairs, gaps in (("cfl", CFL, (0.0,)), ("irregular", IRREGULAR, IRREGULAR_GAPS)):
            for budget, radius in pairs if kind in wanted else []:
                run("make", kind, radius, path)
                for gap in gaps:
                    run("row", kind, budget, radius, gap, path)
    if "maximo" in wanted:
        for name in CITIES:
            for budget in CITY_BUDGETS:
                run("row", "maximo", Path(wanted[wanted.index("maximo") + 1]).resolve(), name, budget)


if __name__ == "__main__":
    main()
