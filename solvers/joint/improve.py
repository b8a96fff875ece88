"""A joint plan made better part by part: all but a few neighbourhoods of ways stays, with its trenches and its money;
what is left is a small joint decision, which the same search goes through far faster than the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from phusong.solvers.backhaul.graph import FAR, ROOT
from phusong.solvers.interruption import stopping
from phusong.solvers.joint.case import JointCase
from phusong.solvers.joint.refill import alike_of, choice_of, search
from phusong.solvers.joint.state import (
    CLEARED,
    SPENT,
    Choice,
    Ground,
    copy_of,
    ground_of,
    indexed,
    nothing_chosen,
    prune,
    put,
    shed,
)

PART_WAYS = 300  # ways of a part at most
CENTRES = 4  # neighbourhoods that a part is made of, at most: money moves between them
FROM_PLAN = 0.7  # share of centres that are ways of the plan
ROUNDS = 60  # stretches taken out and filled again, a part
DETOUR = 1.2  # how much longer than the longest way to a trench a part's ways may be


def improved(case: JointCase, choice: Choice, parts: int, seed: int, rounds: int = ROUNDS) -> Choice:
    """A choice that clears no less than the one given, and costs no more where it clears as much.

    parts : small decisions sought anew, one after the other;  rounds : of search in each
    """
    rng = np.random.default_rng(seed)
    whole = _Whole(case)
    chosen, dug = choice.chosen.copy(), choice.dug.copy()
    for turn in range(parts):
        if stopping():
            break
        part = whole.part(chosen, dug, whole.draw(rng, chosen))
        if part is None:
            continue
        start = part.start(chosen, dug)
        s, current, best = copy_of(start), copy_of(start), copy_of(start)
        favour = np.ones(len(part.ways))
        found = search(part.ground, s, current, best, part.alike, favour, part.budget, rounds, seed + turn)
        more = int(best.totals[CLEARED] - start.totals[CLEARED])
        if found and (more > 0 or (more == 0 and best.totals[SPENT] <= start.totals[SPENT])):
            dug = part.kept.copy()
            chosen[part.ways], dug[part.edges] = best.chosen, best.dug
    return choice_of(case, np.flatnonzero(chosen), np.flatnonzero(dug))


@dataclass(frozen=True, slots=True)
class _Part:
    """A small decision: the ways (k,) and edges (e,) that are free in it, the money for both, and what stays dug,
    (E,) bool."""

    ground: Ground
    ways: NDArray[np.int64]
    edges: NDArray[np.int64]
    kept: NDArray[np.bool_]
    budget: int
    alike: NDArray[np.int64]

    def start(self, chosen: NDArray[np.bool_], dug: NDArray[np.bool_]) -> Choice:
        """The whole's choice as far as it is free here."""
        s = nothing_chosen(self.ground)
        for k in np.flatnonzero(chosen[self.ways]).tolist():
            put(self.ground, s, k, 1)
        s.dug[:] = dug[self.edges]
        s.totals[SPENT] += int(self.ground.trench[s.dug].sum())
        prune(self.ground, s, int(FAR))
        return s


class _Whole:
    """A case with what every part needs of it."""

    def __init__(self, case: JointCase) -> None:
        self.case, self.ground = case, ground_of(case)
        g = self.ground
        self.shared = sparse.csr_array(case.covers.astype(np.int64) @ case.covers.T.astype(np.int64))
        shape = (len(g.people), len(g.need))
        self.of_cell = sparse.csr_array((np.ones(len(g.group), np.int64), g.group, g.group_ptr), shape=shape)
        nodes = case.network.nodes
        # Free trenches cost a little here: without any entry there would be no edge.
        self.roads = sparse.csr_array((np.maximum(g.trench, 1).astype(float), (g.start, g.end)), shape=(nodes, nodes))

    def draw(self, rng: np.random.Generator, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Ways around some centres: each time the one that shares most cells with those taken so far."""
        held = np.flatnonzero(chosen)
        centres = int(rng.integers(1, CENTRES + 1))
        inside = np.zeros(len(chosen), dtype=bool)
        for _ in range(centres):
            of_plan = held.size > 0 and rng.random() < FROM_PLAN
            centre = int(rng.choice(held)) if of_plan else int(rng.integers(len(chosen)))
            inside |= self._around(centre, PART_WAYS // centres)
        return np.flatnonzero(inside)

    def _around(self, centre: int, size: int) -> NDArray[np.bool_]:
        link = np.zeros(len(self.case.option))
        inside = np.zeros(len(link), dtype=bool)
        link[centre] = 1.0
        for _ in range(size):
            way = int(np.argmax(link))
            if link[way] <= 0.0:
                break
            inside[way] = True
            a, b = self.shared.indptr[way], self.shared.indptr[way + 1]
            link[self.shared.indices[a:b]] += self.shared.data[a:b]
            link[inside] = -1.0
        return inside

    def part(self, chosen: NDArray[np.bool_], dug: NDArray[np.bool_], ways: NDArray[np.int64]) -> _Part | None:
        """The decision on these ways when all else stays; None where nothing is free."""
        g, case = self.ground, self.case
        fixed = chosen.copy()
        fixed[ways] = False
        ways = ways[~np.isin(g.exclusive[ways], g.exclusive[fixed])]
        if ways.size == 0:
            return None
        kept = dug.copy()
        shed(g, kept, np.bincount(g.node[fixed], minlength=case.network.nodes))
        budget = case.budget_vnd - int(g.cost[fixed].sum()) - int(g.trench[kept].sum())
        lit = np.zeros(case.network.nodes, dtype=bool)
        lit[ROOT] = True
        lit[g.start[kept]] = lit[g.end[kept]] = True
        place = self._places(lit, dug & ~kept, g.node[ways])
        start, end = place[g.start], place[g.end]
        edges = np.flatnonzero((start >= 0) & (end >= 0) & (start != end))
        covered = np.zeros(len(g.people), dtype=bool)
        covered[case.covers[np.flatnonzero(fixed)].indices] = True
        ground = self._ground(ways, covered, place, edges)
        return _Part(ground, ways, edges, kept, budget, alike_of(case.covers[ways]))

    def _places(self, lit: NDArray[np.bool_], free: NDArray[np.bool_], stops: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) number in the part of each node: 0 where trenches stay, -1 for those too far off to be of use."""
        g = self.ground
        away = np.unique(stops[~lit[stops]])
        inside = lit.copy()
        if away.size:
            down = dijkstra(self.roads, directed=False, indices=np.flatnonzero(lit), min_only=True)
            limit = DETOUR * float(down[away].max())
            up = dijkstra(self.roads, directed=False, indices=away, min_only=True, limit=limit)
            inside |= up + down <= limit
        inside[g.start[free]] = inside[g.end[free]] = True
        return np.where(lit, 0, np.where(inside, np.cumsum(inside & ~lit), -1)).astype(np.int64)

    def _ground(
        self, ways: NDArray[np.int64], covered: NDArray[np.bool_], place: NDArray[np.int64], edges: NDArray[np.int64]
    ) -> Ground:
        """Index arrays of the part: hamlets that its ways can still help, as far as the others leave them short."""
        g, case = self.ground, self.case
        need = g.need - self.of_cell.T @ np.where(covered, g.people, 0)
        new = np.zeros(len(covered), dtype=bool)
        new[case.covers[ways].indices] = True
        new &= ~covered
        short = need > 0
        hamlets = np.unique(g.hamlet[short & (self.of_cell.T @ new.astype(np.int64) > 0)])
        number = np.full(len(g.weight), -1, dtype=np.int64)
        number[hamlets] = np.arange(len(hamlets))
        groups = np.flatnonzero(short & (number[g.hamlet] >= 0))
        of_cell = sparse.csr_array(self.of_cell[:, groups])
        cells = np.flatnonzero(new & (np.diff(of_cell.indptr) > 0))
        start, end = place[g.start[edges]], place[g.end[edges]]
        tail, head = np.concatenate([start, end]), np.concatenate([end, start])
        order = np.lexsort((head, tail))
        ends = np.bincount(tail, minlength=int(place.max()) + 1)
        return indexed(
            covers=sparse.csr_array(case.covers[ways][:, cells]), of_cell=sparse.csr_array(of_cell[cells]),
            people=g.people[cells], need=need[groups], hamlet=number[g.hamlet[groups]], weight=g.weight[hamlets],
            cost=g.cost[ways], node=place[g.node[ways]],
            exclusive=np.unique(g.exclusive[ways], return_inverse=True)[1].astype(np.int64), must=g.must[ways],
            indptr=np.concatenate([[0], np.cumsum(ends)]).astype(np.int64), neighbour=head[order],
            edge=np.tile(np.arange(len(edges)), 2)[order], start=start, end=end, trench=g.trench[edges],
        )  # fmt: skip
