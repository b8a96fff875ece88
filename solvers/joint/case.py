"""A joint problem made ready to solve: a small road network, and each option split into its ways of backhaul."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.solvers.backhaul.graph import ROOT, Network, network_of
from phusong.solvers.joint.problem import JointPlan, JointProblem, plan_of
from phusong.solvers.presolve import reduce_problem
from phusong.solvers.problem import NONE, Problem


@dataclass(frozen=True, slots=True)
class JointCase:
    """W ways: an option with fibre at its node, or with its own backhaul.

    coverage : what options cover, cells merged;  network : the roads contracted
    option   : (W,) int32 option of each way, numbered as in `coverage`;  original : (m,) int32 its original number
    node     : (W,) int64 network node that trenches must reach, 0 where none is needed
    cost     : (W,) int64 without trenches;  covers : (W, C) csr bool
    by_fibre : (W,) bool;  counts : what was left out, by reason
    """

    budget_vnd: int
    coverage: Problem
    network: Network
    option: NDArray[np.int32]
    original: NDArray[np.int32]
    node: NDArray[np.int64]
    cost: NDArray[np.int64]
    covers: sparse.csr_array
    by_fibre: NDArray[np.bool_]
    counts: dict[str, int]

    @property
    def exclusive(self) -> NDArray[np.int32]:
        """(W,) number of the set of ways of which at most one is chosen; -1: free. Ways of one option share one."""
        given = self.coverage.exclusive
        own = int(given.max(initial=-1)) + 1 + np.arange(len(given), dtype=np.int32)
        return np.where(given >= 0, given, own)[self.option].astype(np.int32)

    def plan(self, problem: JointProblem, ways: NDArray[np.integer], edges: NDArray[np.integer]) -> JointPlan:
        """The plan of some ways and network edges, in the terms of the problem that the case was made of."""
        trenches = self.network.road_edges(np.asarray(edges, dtype=np.int64))
        return plan_of(problem, self.original[self.option[ways]], self.by_fibre[ways], trenches)


def case_of(problem: JointProblem, budget_vnd: int) -> JointCase:
    """Leave out what no plan within the budget needs, and split options by backhaul.

    A way with its own backhaul goes where trenches for this option alone cost no more; one with fibre goes where it
    costs no less without any trench.
    """
    reduced = reduce_problem(problem.coverage, budget_vnd)
    coverage, original = reduced.problem, reduced.option
    node, own = problem.option_node[original], problem.own_backhaul_vnd[original]
    network = network_of(problem.roads, np.unique(node[node != NONE]), budget_vnd)
    base = coverage.budget_cost_vnd
    place = np.append(network.place, -1)[node]  # index NONE meets the last entry
    alone = np.where(place >= 0, network.distance[np.maximum(place, 0)], np.iinfo(np.int64).max // 4)
    fibre = (place >= 0) & (base + alone <= budget_vnd)
    without = (own != NONE) & (base + own <= budget_vnd) & ~(fibre & (alone <= own))
    fibre &= ~(without & (own <= 0))
    options = np.arange(len(original))
    option = np.concatenate([options[fibre], options[without]]).astype(np.int32)
    by_fibre = np.arange(len(option)) < int(fibre.sum())
    cost = np.where(by_fibre, base[option], base[option] + own[option])
    counts = reduced.counts | {
        "road_nodes": len(problem.roads.lit) - network.nodes,
        "road_edges": len(problem.roads.start) - len(network.cost),
        "ways_by_fibre": int((node != NONE).sum() - fibre.sum()),
        "ways_of_their_own": int((own != NONE).sum() - without.sum()),
    }
    return JointCase(
        budget_vnd=budget_vnd, coverage=coverage, network=network, option=option, original=original,
        node=np.where(by_fibre, place[option], ROOT).astype(np.int64), cost=cost,
        covers=sparse.csr_array(coverage.covers[option]), by_fibre=by_fibre, counts=counts,
    )  # fmt: skip
