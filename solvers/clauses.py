"""When a requirement group is met, said in options alone.

A set of a group's cells blocks it when the people of all its other cells are too few. A met group has a covered cell in
every blocking set; so its hamlet is cleared only if, for each of them, some option that covers one of its cells is
chosen: a clause. The minimal blocking sets together say exactly when the group is met, and their linear bound is far
tighter than that of "people covered >= need" (docs/solver.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

EXACT = 2.0**20
WORK = 40_000  # cells looked at before a group counts as having too many blocking sets


def blocking_clauses(
    options: Sequence[Sequence[int]], people: Sequence[int], need: int
) -> tuple[list[list[int]], bool]:
    """Minimal sets of options of which a met group has one chosen each, shortest first; and whether they say all.

    options : the options that cover each cell;  people : the people in each cell;  need : people that must be covered
    Where False, the list was cut short: each clause holds, but together they do not suffice.
    Walks the sets of options that block nothing yet: once the options of a cell are taken, every cell whose options all
    lie among them comes along for free.
    """
    if sum(p for p, covering in zip(people, options, strict=True) if not covering) > sum(people) - need:
        return [[]], True
    numbers = sorted({o for covering in options for o in covering})
    bit = {o: 1 << i for i, o in enumerate(numbers)}
    cells = sorted(
        ((p, sum(bit[o] for o in covering)) for p, covering in zip(people, options, strict=True)), reverse=True
    )
    slack = sum(people) - need
    found = {mask for weight, mask in cells if weight > slack}
    vital = set(found)
    seen, stack = {0}, [0]
    left = WORK // max(1, len(cells))
    while stack and left > 0:
        union = stack.pop()
        for _, mask in cells:
            larger = union | mask
            if larger == union or larger in seen or larger in found:
                continue
            left -= 1
            if sum(weight for weight, other in cells if other | larger == larger) > slack:
                found.add(larger)
            else:
                seen.add(larger)
                stack.append(larger)
    complete = not stack and left > 0
    return [[o for o in numbers if bit[o] & mask] for mask in _minimal(found if complete else vital)], complete


def missed_clauses(
    covers: NDArray[np.bool_], people: NDArray[np.int64], need: int, chosen: NDArray[np.float64], least: float
) -> NDArray[np.bool_]:
    """(k, W) bool: minimal sets of ways of which a met group has one chosen each, and that sum up to less than `least`.

    covers : (C, W) bool whether a way covers a cell;  people : (C,) in each cell;  need : of them, at least 1
    chosen : (W,) fraction of each way
    From every cell whose own ways sum up to little enough, the cell that adds the least per person of those that still
    lack comes next, until the cells taken block the group; then ways go, the most chosen first, while they still do.
    O(C^2 W) for each cell of the longest set; some may be missed.
    """
    slack = people.sum() - need
    chosen, least = np.round(chosen * EXACT), round(least * EXACT)  # then sums are exact in any order
    covering, weight = covers.astype(float), people.astype(float)  # sums of whole numbers stay exact
    ways = np.unique(covers[covering @ chosen < least], axis=0)
    blocking = [np.zeros((0, len(people)), dtype=bool)]
    while len(ways):
        inside = (~ways).astype(float) @ covering.T == 0.0
        lack = slack + 1.0 - inside @ weight
        blocking.append(inside[lack <= 0.0])
        ways, inside, lack = ways[lack > 0.0], inside[lack > 0.0], lack[lack > 0.0]
        useful = ~inside & (people > 0)
        added = np.where(ways, 0.0, chosen) @ covering.T
        price = np.divide(added, np.minimum(weight, lack[:, None]), out=np.full(useful.shape, np.inf), where=useful)
        ways |= covers[price.argmin(axis=1)]
        ways = np.unique(ways[ways @ chosen < least], axis=0)
    cells = np.concatenate(blocking)
    for way in np.argsort(-chosen, kind="stable"):
        fewer = cells & ~covers[:, way]
        cells = np.where((fewer @ weight > slack)[:, None], fewer, cells)
    return np.unique(cells.astype(float) @ covering > 0.0, axis=0)


def _minimal(masks: set[int]) -> list[int]:
    kept: list[int] = []
    for mask in sorted(masks, key=lambda m: (m.bit_count(), m)):
        if not any(small & mask == small for small in kept):
            kept.append(mask)
    return kept
