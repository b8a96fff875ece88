# ruff: noqa: NPY002 -- inside numba only the legacy generator exists, and it is seeded there
"""A good plan fast: greedy by progress per cost, then removing a neighbourhood and filling it again, many times."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.problem import Problem


@njit(cache=True, nogil=True)
def _add(o, sign, indptr, indices, people, cg_ptr, cg, need, group_hamlet, count, got, unmet, totals, weight):  # type: ignore[no-untyped-def]
    """Put option o in (sign 1) or take it out (-1). O(cells of o x groups of a cell)."""
    for k in range(indptr[o], indptr[o + 1]):
        c = indices[k]
        before = count[c]
        count[c] += sign
        if (sign > 0 and before == 0) or (sign < 0 and before == 1):
            totals[1] += sign * people[c]
            for j in range(cg_ptr[c], cg_ptr[c + 1]):
                g = cg[j]
                had = got[g] >= need[g]
                got[g] += sign * people[c]
                has = got[g] >= need[g]
                if had != has:
                    h = group_hamlet[g]
                    if has:
                        unmet[h] -= 1
                        if unmet[h] == 0:
                            totals[0] += weight[h]
                    else:
                        if unmet[h] == 0:
                            totals[0] -= weight[h]
                        unmet[h] += 1


@njit(cache=True, nogil=True)
def _gain(o, indptr, indices, people, cg_ptr, cg, need, group_hamlet, count, got, unmet, weight, extra, touched):  # type: ignore[no-untyped-def]
    """What option o would add: progress of hamlets (a cleared one counts 1 more), and people. O(as _add)."""
    progress = 0.0
    persons = 0.0
    n = 0
    for k in range(indptr[o], indptr[o + 1]):
        c = indices[k]
        if count[c] == 0:
            persons += people[c]
            for j in range(cg_ptr[c], cg_ptr[c + 1]):
                g = cg[j]
                if got[g] < need[g]:
                    if extra[g] == 0:
                        touched[n] = g
                        n += 1
                    extra[g] += people[c]
    for i in range(n):
        g = touched[i]
        h = group_hamlet[g]
        have = min(got[g] + extra[g], need[g])
        progress += weight[h] * (have - got[g]) / need[g] / (1.0 + unmet[h])
        if got[g] + extra[g] >= need[g]:
            unmet[h] -= 1
            if unmet[h] == 0:
                progress += weight[h]
    for i in range(n):
        g = touched[i]
        if got[g] + extra[g] >= need[g]:
            unmet[group_hamlet[g]] += 1
        extra[g] = 0
    return progress, persons


@njit(cache=True, nogil=True)
def search(  # type: ignore[no-untyped-def]
    indptr, indices, people, cg_ptr, cg, need, group_hamlet, groups_of_hamlet, weight, cost, lifetime, exclusive,
    locked, set_ptr, os_ptr, os_set, budget, rounds, seed, target,
):  # fmt: skip
    """Best chosen flags (M,) by cleared weight, then people, then lifetime cost; or, with target > 0, by cost once the
    cleared weight reaches it. O(rounds x additions x nnz of covers)."""
    np.random.seed(seed)
    options = len(cost)
    groups = len(need)
    count = np.zeros(len(people), np.int32)
    got = np.zeros(groups, np.int64)
    extra = np.zeros(groups, np.int64)
    touched = np.empty(groups + 1, np.int64)
    unmet = groups_of_hamlet.copy()
    totals = np.zeros(2, np.int64)
    for h in range(len(weight)):
        if unmet[h] == 0:
            totals[0] += weight[h]
    chosen = np.zeros(options, np.bool_)
    used = np.zeros(max(1, exclusive.max() + 1 if options else 1), np.int32)
    in_set = np.zeros(len(set_ptr) - 1, np.int32)
    score = np.empty(options)
    noise = np.ones(options)
    spent = 0
    life = 0
    best = chosen.copy()
    best_key = np.array([-1, -1, 0], np.int64)
    limit = budget
    for trial in range(rounds + 1):
        if trial == 0:
            for o in range(options):
                if locked[o]:
                    chosen[o] = True
                    spent += cost[o]
                    life += lifetime[o]
                    if exclusive[o] >= 0:
                        used[exclusive[o]] += 1
                    for j in range(os_ptr[o], os_ptr[o + 1]):
                        in_set[os_set[j]] += 1
                    _add(
                        o, 1, indptr, indices, people, cg_ptr, cg, need, group_hamlet, count, got, unmet, totals, weight
                    )
        else:
            # Take out a seed option and those that share most cells with it, or a random handful.
            held = np.flatnonzero(chosen & ~locked)
            if len(held):
                take = min(len(held), 1 + np.random.randint(0, 8))
                out = np.zeros(options, np.bool_)
                first = held[np.random.randint(0, len(held))]
                out[first] = True
                if np.random.random() < 0.6:
                    near = np.zeros(len(held))
                    mark = np.zeros(len(people), np.bool_)
                    for k in range(indptr[first], indptr[first + 1]):
                        mark[indices[k]] = True
                    for i in range(len(held)):
                        for k in range(indptr[held[i]], indptr[held[i] + 1]):
                            if mark[indices[k]]:
                                near[i] += 1.0
                        near[i] += np.random.random()
                    order = np.argsort(-near)
                    for i in range(take):
                        out[held[order[i]]] = True
                else:
                    for _ in range(take):
                        out[held[np.random.randint(0, len(held))]] = True
                for i in range(len(held)):
                    o = held[i]
                    if out[o]:
                        chosen[o] = False
                        spent -= cost[o]
                        life -= lifetime[o]
                        if exclusive[o] >= 0:
                            used[exclusive[o]] -= 1
                        for j in range(os_ptr[o], os_ptr[o + 1]):
                            in_set[os_set[j]] -= 1
                        _add(
                            o,
                            -1,
                            indptr,
                            indices,
                            people,
                            cg_ptr,
                            cg,
                            need,
                            group_hamlet,
                            count,
                            got,
                            unmet,
                            totals,
                            weight,
                        )
            for o in range(options):
                noise[o] = 0.7 + 0.6 * np.random.random()
        while True:
            if target > 0 and totals[0] >= target:
                break
            pick = -1
            high = 0.0
            for o in range(options):
                if chosen[o] or spent + cost[o] > limit or (exclusive[o] >= 0 and used[exclusive[o]] > 0):
                    continue
                full = False
                for j in range(os_ptr[o], os_ptr[o + 1]):
                    s = os_set[j]
                    if in_set[s] + 1 >= set_ptr[s + 1] - set_ptr[s]:
                        full = True
                if full:
                    continue
                progress, persons = _gain(
                    o,
                    indptr,
                    indices,
                    people,
                    cg_ptr,
                    cg,
                    need,
                    group_hamlet,
                    count,
                    got,
                    unmet,
                    weight,
                    extra,
                    touched,
                )
                if progress <= 0.0 and persons <= 0.0:
                    continue
                score[o] = noise[o] * (progress + 1e-5 * persons) / max(1.0, float(cost[o]))
                if pick < 0 or score[o] > high:
                    pick = o
                    high = score[o]
            if pick < 0:
                break
            chosen[pick] = True
            spent += cost[pick]
            life += lifetime[pick]
            if exclusive[pick] >= 0:
                used[exclusive[pick]] += 1
            for j in range(os_ptr[pick], os_ptr[pick + 1]):
                in_set[os_set[j]] += 1
            _add(pick, 1, indptr, indices, people, cg_ptr, cg, need, group_hamlet, count, got, unmet, totals, weight)
        if target > 0:
            better = totals[0] >= target and (best_key[0] < 0 or spent < best_key[2])
            if better:
                limit = spent - 1
                best_key[2] = spent
        else:
            better = (
                totals[0] > best_key[0]
                or (totals[0] == best_key[0] and totals[1] > best_key[1])
                or (totals[0] == best_key[0] and totals[1] == best_key[1] and life < best_key[2])
            )
            best_key[2] = life if better else best_key[2]
        if better:
            best_key[0] = totals[0]
            best_key[1] = totals[1]
            best[:] = chosen
        else:  # back to the best
            for o in range(options):
                if chosen[o] != best[o] and best_key[0] >= 0:
                    sign = -1 if chosen[o] else 1
                    chosen[o] = best[o]
                    spent += sign * cost[o]
                    life += sign * lifetime[o]
                    if exclusive[o] >= 0:
                        used[exclusive[o]] += sign
                    for j in range(os_ptr[o], os_ptr[o + 1]):
                        in_set[os_set[j]] += sign
                    _add(
                        o,
                        sign,
                        indptr,
                        indices,
                        people,
                        cg_ptr,
                        cg,
                        need,
                        group_hamlet,
                        count,
                        got,
                        unmet,
                        totals,
                        weight,
                    )
    return best, best_key


def good_plan(
    problem: Problem, budget: int, cost: NDArray[np.int64], rounds: int, seed: int, target: int = 0
) -> NDArray[np.bool_] | None:
    """(M,) a good choice within the budget; None when a required hamlet or the target is missed.

    cost : (M,) int64 budget cost in any whole unit, budget in the same. The same seed gives the same choice.
    """
    groups_of_cell = sparse.csr_array(
        (np.ones(len(problem.group_cell), dtype=bool),
         (problem.group_cell, np.repeat(np.arange(len(problem.group_hamlet)), np.diff(problem.group_indptr)))),
        shape=(len(problem.cell_people), len(problem.group_hamlet)),
    )  # fmt: skip
    sets = [np.array(s, dtype=np.int64) for s in problem.forbidden_sets]
    set_ptr = np.cumsum([0] + [len(s) for s in sets]).astype(np.int64)
    set_option = np.concatenate([*sets, np.empty(0, dtype=np.int64)])
    order = np.argsort(set_option, kind="stable")
    os_ptr = np.searchsorted(set_option[order], np.arange(problem.options + 1)).astype(np.int64)
    os_set = np.repeat(np.arange(len(sets)), np.diff(set_ptr))[order].astype(np.int64)
    # A required hamlet outweighs all others together.
    heavy = int(problem.hamlet_weight.sum()) + 1
    weight = problem.hamlet_weight + np.where(problem.required, heavy, 0)
    groups_of_hamlet = np.bincount(problem.group_hamlet, minlength=problem.hamlets)
    reach = target + heavy * int(problem.required.sum()) if target else 0
    best, key = search(
        problem.covers.indptr.astype(np.int64), problem.covers.indices.astype(np.int64), problem.cell_people,
        groups_of_cell.indptr.astype(np.int64), groups_of_cell.indices.astype(np.int64), problem.group_need,
        problem.group_hamlet.astype(np.int64), groups_of_hamlet.astype(np.int64), weight, cost,
        problem.lifetime_cost_vnd, problem.exclusive.astype(np.int64), problem.locked, set_ptr, os_ptr, os_set,
        budget, rounds, seed, reach,
    )  # fmt: skip
    missed = (
        key[0] < 0
        or (problem.required & ~problem.cleared_by(problem.covered_by(np.flatnonzero(best).astype(np.int32)))).any()
    )
    return None if missed else np.asarray(best)
