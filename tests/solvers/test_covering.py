"""Coverage-only plans against every choice there is, and against published ones."""

from __future__ import annotations

import itertools
import math
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from phusong.solvers.covering import presolve as covering_presolve
from phusong.solvers.covering import run as covering_run
from phusong.solvers.covering import solve_max_covering, solve_set_covering
from phusong.solvers.covering.anneal import anneal
from phusong.solvers.covering.bound import UNIT, bound_of, decided, linear_bound
from phusong.solvers.covering.least import proven_cost
from phusong.solvers.covering.presolve import reduce_cover
from phusong.solvers.covering.search import COVERED, climb, empty_state, seed_generator
from phusong.solvers.covering.tree import Tree
from phusong.solvers.errors import CoveringFaults

EARTH_RADIUS_M = 6_378_100.0  # of the Maximo instances


@st.composite
def instances(draw, customers=12, facilities=7):
    """Rows drawn from few kinds, so that some are alike, some empty; weights and costs may be 0."""
    rows = draw(st.integers(0, customers))
    columns = draw(st.integers(0, facilities))
    kinds = draw(st.lists(st.lists(st.booleans(), min_size=columns, max_size=columns), min_size=1, max_size=6))
    table = np.array([draw(st.sampled_from(kinds)) for _ in range(rows)], dtype=bool).reshape(rows, columns)
    weight = np.array(draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)), dtype=np.int64)
    cost = np.array(draw(st.lists(st.integers(0, 5), min_size=columns, max_size=columns)), dtype=np.int64)
    locked = np.array(draw(st.lists(st.sampled_from([False] * 5 + [True]), min_size=columns, max_size=columns)), bool)
    return sparse.csr_array(table), weight, cost, locked


def choices(columns):
    return (np.array(c, dtype=bool) for c in itertools.product([False, True], repeat=columns))


def covered(coverage, chosen):
    return coverage.toarray()[:, chosen].any(axis=1)


def most(coverage, weight, cost, budget, locked):
    allowed = [c for c in choices(len(cost)) if cost[c].sum() <= budget and (c | ~locked).all()]
    return max((int(weight[covered(coverage, c)].sum()) for c in allowed), default=None)


def irregular(customers, facilities, share, seed):
    """Each pair covers with a chance that differs between facilities: no geometry to lean on."""
    rng = np.random.default_rng(seed)
    table = rng.random((customers, facilities)) < share * rng.uniform(0.3, 1.7, facilities)
    return sparse.csr_array(table), rng.integers(1, 100, customers), rng.integers(1, 9, facilities)


@settings(max_examples=300, deadline=None)
@given(instances(), st.integers(0, 12), st.sampled_from([0.0, 0.1, 0.5]))
def test_most_coverage_against_every_choice(instance, budget, gap):
    coverage, weight, cost, locked = instance
    best = most(coverage, weight, cost, budget, locked)
    plan = solve_max_covering(coverage, weight, cost, budget, locked=locked, gap=gap)
    if best is None:
        assert (plan.status, plan.gap, len(plan.selected)) == ("infeasible", math.inf, 0)
        return
    chosen = np.zeros(len(cost), dtype=bool)
    chosen[plan.selected] = True
    assert plan.objective == weight[covered(coverage, chosen)].sum()
    assert plan.spent == cost[chosen].sum() <= budget
    assert (chosen | ~locked).all()
    assert plan.objective <= best <= plan.bound
    assert plan.status == ("optimal" if plan.bound == plan.objective else "within_gap")
    assert plan.proof is not None
    assert plan.gap <= gap
    assert plan.repeatable


@settings(max_examples=200, deadline=None)
@given(instances(), st.sampled_from([0.0, 0.3]))
def test_least_cost_against_every_choice(instance, gap):
    coverage, _, cost, locked = instance
    all_of_them = [int(cost[c].sum()) for c in choices(len(cost)) if covered(coverage, c).all() and (c | ~locked).all()]
    plan = solve_set_covering(coverage, cost, locked=locked, gap=gap)
    if not all_of_them:
        assert plan.status == "infeasible"
        return
    assert plan.bound <= min(all_of_them) <= plan.objective == plan.spent
    assert covered(coverage, plan.selected).all()
    assert np.isin(np.flatnonzero(locked), plan.selected).all()
    assert plan.gap <= gap
    assert plan.status == ("optimal" if plan.bound == plan.objective else "within_gap")


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_any_prices_bound_and_decide_safely(instance, budget, seed):
    coverage, weight, cost, _ = instance
    cost = cost + 1
    nothing = np.zeros(len(cost), dtype=bool)
    cover = reduce_cover(coverage.indptr, coverage.indices, weight, cost, nothing, nothing).cover
    price = np.random.default_rng(seed).integers(-UNIT, 10 * UNIT, len(cover.weight))
    bound = bound_of(cover, budget, price)
    always, never = decided(bound, at_least := most(coverage, weight, cost, budget, nothing))
    assert bound.whole >= at_least
    table = sparse.csr_array(
        (np.ones(len(cover.facility)), cover.facility, cover.customer_ptr), (len(cover.weight), len(cover.cost))
    )
    for chosen in choices(len(cover.cost)):
        if cover.cost[chosen].sum() <= budget and cover.weight[covered(table, chosen)].sum() >= at_least:
            assert (chosen | ~always).all()
            assert not (chosen & never).any()
        if covered(table, chosen).all():
            assert cover.cost[chosen].sum() * UNIT >= proven_cost(cover, np.maximum(price, 0))[0]


@pytest.mark.parametrize("seed", range(6))
def test_cases_close_what_prices_leave_open(seed):
    coverage, weight, cost = irregular(60, 14, 0.2, seed)
    budget, nothing = 12, np.zeros(14, dtype=bool)
    cover = reduce_cover(coverage.indptr, coverage.indices, weight, cost, nothing, nothing).cover
    tree = Tree(cover, budget, bound_of(cover, budget, cover.weight * UNIT // 2), np.zeros(len(cover.cost), bool), 0)
    while tree.grow(1, 0):
        assert tree.value <= tree.bound
    assert tree.value == tree.bound == most(coverage, weight, cost, budget, nothing)
    assert linear_bound(cover, budget, None).whole >= tree.value


@pytest.mark.parametrize("seed", range(6))
def test_descents_among_a_few_facilities_prove_the_same(monkeypatch, seed):
    """Beyond many pairs the descent sees some facilities only; what it proves must hold for all of them."""
    for name, small in {"LINEAR_PAIRS": 0, "FEW_PAIRS": 0, "LEAST_KERNEL": 2, "DESCENT_KERNEL": 1}.items():
        monkeypatch.setattr(covering_run, name, small)
    coverage, weight, cost = irregular(60, 14, 0.2, seed)
    plan = solve_max_covering(coverage, weight, cost, 12)
    best = most(coverage, weight, cost, 12, np.zeros(14, dtype=bool))
    assert (plan.objective, plan.bound, plan.status) == (best, best, "optimal")


@pytest.mark.parametrize("seed", range(6))
def test_annealing_keeps_the_budget_and_counts_what_it_covers(seed):
    coverage, weight, cost = irregular(200, 70, 0.05, seed)
    nothing, budget = np.zeros(70, dtype=bool), 30
    cover = reduce_cover(coverage.indptr, coverage.indices, weight, cost, nothing, nothing).cover
    state = empty_state(cover)
    climb(cover, state, budget)
    chosen, best, began = state.chosen.copy(), state.chosen.copy(), int(state.totals[COVERED])
    seed_generator(seed)
    value = anneal(cover, chosen, budget, best, began, 2_000, 50.0, 1.0)
    table = sparse.csr_array(
        (np.ones(len(cover.facility)), cover.facility, cover.customer_ptr), (len(cover.weight), len(cover.cost))
    )
    assert value == cover.weight[covered(table, best)].sum() >= began
    for plan in (chosen, best):
        assert cover.cost[plan].sum() <= budget


def test_unlike_customers_of_one_mark_stay_apart(monkeypatch):
    class Colliding:
        def integers(self, low, high, count, dtype):
            return np.ones(count, dtype=dtype)

    coverage = sparse.csr_array(np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=bool))
    monkeypatch.setattr(covering_presolve.np.random, "default_rng", lambda seed: Colliding())
    nothing = np.zeros(2, dtype=bool)
    cover = reduce_cover(
        coverage.indptr, coverage.indices, np.array([1, 2, 4, 8]), np.ones(2, int), nothing, nothing
    ).cover
    by_facility = [cover.weight[cover.customer[a:b]].sum() for a, b in itertools.pairwise(cover.facility_ptr)]
    assert by_facility == [5, 10]


def test_the_same_seed_gives_the_same_plan():
    coverage, weight, cost = irregular(400, 80, 0.06, 3)
    first, again = (solve_max_covering(coverage, weight, cost, 60, gap=0.02, seed=5) for _ in range(2))
    assert first.selected.tobytes() == again.selected.tobytes()
    assert (first.objective, first.bound, first.proof) == (again.objective, again.bound, again.proof)


def test_a_clock_leaves_a_plan_and_a_bound_that_holds():
    coverage, weight, cost = irregular(300, 60, 0.05, 1)
    whole = solve_max_covering(coverage, weight, cost, 40)
    stopped = solve_max_covering(coverage, weight, cost, 40, time_limit_s=0.0)
    assert whole.status == "optimal"
    assert stopped.objective <= whole.objective <= stopped.bound
    assert (stopped.status, stopped.proof, stopped.repeatable) == ("stopped", None, False)


def test_ctrl_c_returns_the_best_plan_so_far():
    def interrupt(phase, value, bound, seconds):
        if phase == "relaxation":
            raise KeyboardInterrupt

    coverage, weight, cost = irregular(300, 60, 0.05, 1)
    plan = solve_max_covering(coverage, weight, cost, 40, on_progress=interrupt)
    assert plan.status == "stopped"
    assert 0 < plan.objective <= plan.bound
    assert not plan.repeatable


def test_ctrl_c_between_the_kernels_stops_without_an_exception():
    before = signal.getsignal(signal.SIGINT)
    coverage, weight, cost = irregular(300, 60, 0.05, 1)
    plan = solve_max_covering(
        coverage, weight, cost, 40, on_progress=lambda phase, *_: signal.raise_signal(signal.SIGINT)
    )
    assert (plan.status, plan.repeatable) == ("stopped", False)
    assert 0 < plan.objective <= plan.bound
    assert signal.getsignal(signal.SIGINT) is before


def test_every_fault_is_named_at_once():
    coverage = sparse.csr_array(np.ones((3, 2), dtype=bool))
    with pytest.raises(CoveringFaults) as fault:
        solve_max_covering(coverage, [1, -2, 3], [0.5, 1.0], -1, locked=[7], gap=1.5)
    for named in ("weight[1] = -2", "cost: not whole", "budget[0] = -1", "locked", "gap: 1.5"):
        assert named in fault.value.where
    assert "round" in fault.value.mend


@pytest.mark.parametrize("coverage", [[[1, 0]], np.ones((2, 2))])
def test_a_dense_table_is_refused(coverage):
    with pytest.raises(CoveringFaults, match="scipy CSR"):
        solve_max_covering(coverage, [1], [1, 1], 1)


def test_weights_too_large_for_whole_sums_are_refused():
    with pytest.raises(CoveringFaults, match="larger unit"):
        solve_max_covering(sparse.csr_array(np.ones((2, 1), dtype=bool)), [2**50, 2**50], [1], 1)


def test_stored_zeros_and_repeated_pairs_do_not_count():
    coverage = sparse.csr_array(
        (np.array([1, 1, 0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2)
    )  # customer 0: facility 1 twice; customer 1: a stored zero
    plan = solve_max_covering(coverage, [3, 5], [1, 1], 2)
    assert (plan.objective, plan.bound, plan.selected.tolist()) == (3, 3, [1])
    assert coverage.nnz == 3  # the caller's table stays as it was


def maximo(shared, city, radius_m):
    lines = shared(f"instances/maximo/{city}.txt").read_text().splitlines()
    start, middle = (next(k for k, line in enumerate(lines) if line.startswith(w)) for w in ("NODE", "DEMAND"))
    at = np.radians(np.array([line.split() for line in lines[start + 1 : middle]], dtype=float))
    weight = np.array([line.split()[0] for line in lines[middle + 1 :] if line.strip()[:1].isdigit()], dtype=int)
    across = np.sin((at[:, None] - at) / 2) ** 2
    half = across[..., 0] + np.cos(at[:, None, 0]) * np.cos(at[:, 0]) * across[..., 1]
    return sparse.csr_array(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half)) <= radius_m), weight


def test_new_york_within_a_proven_gap_of_the_best_known(shared):
    """Source: github.com/vinymax10/AILS-MCLP, best-known solution for 50 facilities of 400 m."""
    coverage, weight = maximo(shared, "NewYork", 400)
    said, numbers = shared("instances/maximo/NewYork_50_400.txt").read_text().splitlines()[:2]
    best_known = int(float(said.split()[1]))
    assert weight[covered(coverage, [int(n) for n in numbers.split()[1:]])].sum() == best_known
    plan = solve_max_covering(coverage, weight, np.ones(len(weight), dtype=int), 50, gap=0.005)
    assert plan.bound >= best_known
    assert plan.objective >= 0.997 * best_known
    assert plan.status == "within_gap"
