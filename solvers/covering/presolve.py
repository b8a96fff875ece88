"""Make a covering instance smaller without changing its answer: equal customers merged, useless facilities out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MARKS_SEED = 20  # of the random marks that customers are hashed with; the merge is verified, so it changes no answer
ROUNDS = 4  # a facility that goes can make customers equal, and equal customers can make facilities comparable


class Cover(NamedTuple):
    """Who covers whom, from both sides, as index arrays. Within a row the numbers ascend, each once.

    customer_ptr (M + 1,) int64, facility (nnz,) int32 : customer -> facilities
    facility_ptr (N + 1,) int64, customer (nnz,) int32 : facility -> customers
    weight (M,) int64 : at least 1;  cost (N,) int64 : at least 1
    """

    customer_ptr: NDArray[np.int64]
    facility: NDArray[np.int32]
    facility_ptr: NDArray[np.int64]
    customer: NDArray[np.int32]
    weight: NDArray[np.int64]
    cost: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """A smaller instance and the way back.

    cover    : over the kept facilities and merged customers
    original : (N,) int32 number of each kept facility before the reduction
    customer : (M before,) int32 what each customer became part of, -1 where it is gone
    counts   : customers merged, facilities dominated
    """

    cover: Cover
    original: NDArray[np.int32]
    customer: NDArray[np.int32]
    counts: dict[str, int]


def reduce_cover(
    indptr: NDArray[np.integer[Any]],
    indices: NDArray[np.int32],
    weight: NDArray[np.int64],
    cost: NDArray[np.int64],
    taken: NDArray[np.bool_],
    barred: NDArray[np.bool_],
    *,
    must_cover: bool = False,
) -> Reduced:
    """What is left to decide when some facilities are taken and some barred.

    indptr, indices : rows of customers, facilities ascending within each row
    weight (M,), cost (N,), taken (N,), barred (N,) : neither of the last two is in the result
    must_cover : every customer is to be covered; then one that is covered whenever another is goes

    Gone are customers that a taken facility covers, that no facility left covers, or of no weight; customers with the
    same facilities become one, with the sum of their weights. A facility is dominated when another, no dearer, covers
    all that it does.
    """
    live = ~(taken | barred)
    original = np.flatnonzero(live).astype(np.int32)
    customer = np.arange(len(weight), dtype=np.int32)
    merged = dominated = 0
    for last in (False,) * ROUNDS + (True,):
        cover, place = _merge(indptr, indices, weight, cost, taken, live)
        merged += int((place >= 0).sum()) - len(cover.weight)
        customer = _followed(customer, place)
        if must_cover:
            cover, place = _without_implied(cover)
            customer = _followed(customer, place)
        useless = _dominated(cover) | (np.diff(cover.facility_ptr) == 0)
        if last or not useless.any():
            break
        dominated += int(useless.sum())
        original = original[~useless]
        indptr, indices, weight, cost = cover.customer_ptr, cover.facility, cover.weight, cover.cost
        taken, live = np.zeros(len(cost), dtype=bool), ~useless
    return Reduced(cover, original, customer, {"customers_merged": merged, "facilities_dominated": dominated})


def _followed(customer: NDArray[np.int32], place: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where customers are after one more step."""
    if not len(place):
        return np.full_like(customer, -1)
    return np.where(customer >= 0, place[customer], np.int32(-1)).astype(np.int32)


def _merge(
    indptr: NDArray[np.integer[Any]],
    indices: NDArray[np.int32],
    weight: NDArray[np.int64],
    cost: NDArray[np.int64],
    taken: NDArray[np.bool_],
    live: NDArray[np.bool_],
) -> tuple[Cover, NDArray[np.int32]]:
    mark = np.random.default_rng(MARKS_SEED).integers(1, 2**63, len(cost), dtype=np.uint64)
    code, open_to_all = signatures(indptr, indices, mark, taken, live)
    reached = np.flatnonzero(open_to_all & (weight > 0))
    first, kind = equal_rows(indptr, indices, live, code[reached], reached)
    total = np.zeros(len(first), dtype=np.int64)
    np.add.at(total, kind, weight[reached])
    number = np.where(live, np.cumsum(live) - 1, -1).astype(np.int32)
    ptr, facility = _renumbered(indptr, indices, reached[first], number)
    place = np.full(len(weight), -1, dtype=np.int32)
    place[reached] = kind
    return _both_sides(ptr, facility, total, cost[live]), place


def equal_rows(
    indptr: NDArray[np.integer[Any]],
    indices: NDArray[np.int32],
    live: NDArray[np.bool_],
    code: NDArray[np.uint64],
    row: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A first one of each kind of rows, and the kind of each; rows of one code are compared facility by facility."""
    _, first, kind = np.unique(code, return_index=True, return_inverse=True)
    odd = np.flatnonzero(~_same_rows(indptr, indices, live, row, row[first[kind]]))
    kind[odd] = len(first) + np.arange(len(odd))  # a collision of codes: a kind of their own, merely not merged
    return np.concatenate([first, odd]), kind


@njit(cache=True, nogil=True)
def signatures(
    indptr: NDArray[np.integer[Any]],
    indices: NDArray[np.int32],
    mark: NDArray[np.uint64],
    taken: NDArray[np.bool_],
    live: NDArray[np.bool_],
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """(M,) sum of the marks of a row's live facilities, wrapping around; whether it has one, and none taken. O(nnz)."""
    rows = len(indptr) - 1
    code = np.zeros(rows, dtype=np.uint64)
    reached = np.zeros(rows, dtype=np.bool_)
    for j in range(rows):
        for q in range(indptr[j], indptr[j + 1]):
            i = indices[q]
            if taken[i]:
                reached[j] = False
                break
            if live[i]:
                code[j] += mark[i]
                reached[j] = True
    return code, reached


@njit(cache=True, nogil=True)
def _same_rows(
    indptr: NDArray[np.integer[Any]],
    indices: NDArray[np.int32],
    live: NDArray[np.bool_],
    row: NDArray[np.int64],
    model: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether each row has the live facilities of its model. O(nnz)."""
    same = np.ones(len(row), dtype=np.bool_)
    for k in range(len(row)):
        a, a_end = indptr[row[k]], indptr[row[k] + 1]
        b, b_end = indptr[model[k]], indptr[model[k] + 1]
        while same[k] and row[k] != model[k]:
            while a < a_end and not live[indices[a]]:
                a += 1
            while b < b_end and not live[indices[b]]:
                b += 1
            if a == a_end or b == b_end:
                same[k] = a == a_end and b == b_end
                break
            same[k] = indices[a] == indices[b]
            a += 1
            b += 1
    return same


@njit(cache=True, nogil=True)
def _renumbered(
    indptr: NDArray[np.integer[Any]], indices: NDArray[np.int32], row: NDArray[np.int64], number: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Rows of the facilities that have a new number, under it. O(nnz of the rows)."""
    ptr = np.zeros(len(row) + 1, dtype=np.int64)
    for k in range(len(row)):
        ptr[k + 1] = ptr[k]
        for q in range(indptr[row[k]], indptr[row[k] + 1]):
            if number[indices[q]] >= 0:
                ptr[k + 1] += 1
    facility = np.empty(ptr[-1], dtype=np.int32)
    at = 0
    for k in range(len(row)):
        for q in range(indptr[row[k]], indptr[row[k] + 1]):
            if number[indices[q]] >= 0:
                facility[at] = number[indices[q]]
                at += 1
    return ptr, facility


@njit(cache=True, nogil=True)
def _transposed(
    ptr: NDArray[np.int64], column: NDArray[np.int32], columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The same pairs by column, rows ascending within each. O(nnz)."""
    start = np.zeros(columns + 1, dtype=np.int64)
    for q in range(len(column)):
        start[column[q] + 1] += 1
    for k in range(columns):
        start[k + 1] += start[k]
    at = start[:-1].copy()
    row = np.empty(len(column), dtype=np.int32)
    for j in range(len(ptr) - 1):
        for q in range(ptr[j], ptr[j + 1]):
            row[at[column[q]]] = j
            at[column[q]] += 1
    return start, row


def only_facilities(cover: Cover, kept: NDArray[np.integer[Any]]) -> Cover:
    """The side of the facilities, with the kept ones only; customers as they are, and no table of their own."""
    if len(kept) == len(cover.cost):
        return cover
    start, end = cover.facility_ptr[kept], cover.facility_ptr[kept + 1]
    customer = np.concatenate([cover.customer[a:b] for a, b in zip(start, end, strict=True)])
    ptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(end - start)])
    nothing = np.zeros(len(cover.weight) + 1, dtype=np.int64)
    return Cover(nothing, np.zeros(0, dtype=np.int32), ptr, customer, cover.weight, cover.cost[kept])


def _both_sides(
    ptr: NDArray[np.int64], facility: NDArray[np.int32], weight: NDArray[np.int64], cost: NDArray[np.int64]
) -> Cover:
    start, customer = _transposed(ptr, facility, len(cost))
    return Cover(ptr, facility, start, customer, weight, np.ascontiguousarray(cost))


def _without_implied(cover: Cover) -> tuple[Cover, NDArray[np.int32]]:
    """Without the customers that are covered once another one is; and where the others went."""
    needed = _needed(cover)
    place = np.where(needed, np.cumsum(needed) - 1, -1).astype(np.int32)
    numbers = np.arange(len(cover.cost), dtype=np.int32)
    ptr, facility = _renumbered(cover.customer_ptr, cover.facility, np.flatnonzero(needed), numbers)
    return _both_sides(ptr, facility, cover.weight[needed], cover.cost), place


@njit(cache=True, nogil=True)
def _holds(larger: NDArray[np.int32], smaller: NDArray[np.int32]) -> bool:
    """Whether one ascending list holds all of another. O(their lengths), less at the first miss."""
    a = 0
    for b in range(len(smaller)):
        while a < len(larger) and larger[a] < smaller[b]:
            a += 1
        if a == len(larger) or larger[a] != smaller[b]:
            return False
    return True


@njit(cache=True, nogil=True)
def _dominated(cover: Cover) -> NDArray[np.bool_]:
    """(N,) facilities whose customers another one that stays, no dearer, covers too; of equal ones the first stays.

    Who dominates covers the rarest customer also, so few are compared. O(sum of the rarest customers' facilities).
    """
    count = len(cover.facility_ptr) - 1
    gone = np.zeros(count, dtype=np.bool_)
    for b in range(count):
        mine = cover.customer[cover.facility_ptr[b] : cover.facility_ptr[b + 1]]
        if len(mine) == 0:
            continue
        rare = mine[0]
        for j in mine:
            if (
                cover.customer_ptr[j + 1] - cover.customer_ptr[j]
                < cover.customer_ptr[rare + 1] - cover.customer_ptr[rare]
            ):
                rare = j
        for a in cover.facility[cover.customer_ptr[rare] : cover.customer_ptr[rare + 1]]:
            theirs = cover.customer[cover.facility_ptr[a] : cover.facility_ptr[a + 1]]
            if a == b or gone[a] or cover.cost[a] > cover.cost[b] or len(theirs) < len(mine):
                continue
            if len(theirs) == len(mine) and cover.cost[a] == cover.cost[b] and a > b:
                continue  # equal ones: the first stays
            if _holds(theirs, mine):
                gone[b] = True
                break
    return gone


@njit(cache=True, nogil=True)
def _needed(cover: Cover) -> NDArray[np.bool_]:
    """(M,) customers that aren't covered as a matter of course once some other customer is: whose facilities hold no
    other customer's. O(sum over customers of its facilities' customers), less by early misses."""
    count = len(cover.customer_ptr) - 1
    needed = np.ones(count, dtype=np.bool_)
    for k in range(count):
        mine = cover.facility[cover.customer_ptr[k] : cover.customer_ptr[k + 1]]
        # A customer whose facilities are all among mine shares one with me; merged, no two have the same.
        for i in mine:
            for j in cover.customer[cover.facility_ptr[i] : cover.facility_ptr[i + 1]]:
                theirs = cover.facility[cover.customer_ptr[j] : cover.customer_ptr[j + 1]]
                if j != k and len(theirs) < len(mine) and theirs[0] == i and _holds(mine, theirs):
                    needed[k] = False
                    break
            if not needed[k]:
                break
    return needed
