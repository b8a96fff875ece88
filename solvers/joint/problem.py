"""What is asked when towers and backhaul are decided together, and what a plan for it comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.solvers.errors import ProblemFaults
from phusong.solvers.problem import NONE, Problem, Roads


@dataclass(frozen=True, slots=True)
class JointProblem:
    """Options to choose, each with its backhaul: fibre along shared trenches, or its own (microwave, satellite).

    coverage           : the options' coverage, cost without any backhaul, exclusions, locked and forbidden ones
    option_node        : (M,) int32 road node that fibre must reach; NONE: fibre is out of the question
    own_backhaul_vnd   : (M,) int64 price of backhaul that needs no trench; NONE: there is none
    A chosen option has fibre, when a built trench or a lit node is at its node, or pays for its own backhaul.
    Required hamlets, forbidden sets and crowds are not known here. Raises ProblemFaults, which lists every fault.
    """

    coverage: Problem
    roads: Roads
    option_node: NDArray[np.int32]
    own_backhaul_vnd: NDArray[np.int64]

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ProblemFaults(
                what=f"the joint problem has {len(faults)} fault(s)",
                where="\n    ".join(faults),
                mend="mend the arrays that these lines name",
            )

    def _faults(self) -> Iterator[str]:
        roads, options = self.roads, self.coverage.options
        nodes, edges = len(roads.lit), len(roads.start)
        lengths = {
            "roads.end": (len(roads.end), edges), "roads.cost_vnd": (len(roads.cost_vnd), edges),
            "option_node": (len(self.option_node), options),
            "own_backhaul_vnd": (len(self.own_backhaul_vnd), options),
        }  # fmt: skip
        wrong = [f"{n}: length {have}, expected {want}" for n, (have, want) in lengths.items() if have != want]
        if wrong:
            yield from wrong
            return
        for name, values, least in (
            ("roads.start", roads.start, 0),
            ("roads.end", roads.end, 0),
            ("option_node", self.option_node, NONE),
        ):
            bad = np.flatnonzero((values < least) | (values >= nodes))
            if bad.size:
                yield f"{name}: values outside {least} .. {nodes - 1}, first at {bad[0]}"
        for name, money, least in (
            ("roads.cost_vnd", roads.cost_vnd, 0),
            ("own_backhaul_vnd", self.own_backhaul_vnd, NONE),
        ):
            bad = np.flatnonzero(money < least)
            if bad.size:
                yield f"{name}: below {least}, first at {bad[0]}"
        homeless = np.flatnonzero(
            (self.option_node == NONE) & (self.own_backhaul_vnd == NONE) & ~self.coverage.forbidden
        )
        if homeless.size:
            yield f"options with no backhaul at all, not forbidden: first {homeless[0]}"
        if self.coverage.required.any():
            yield "coverage.required: hamlets that must be cleared are not known to the joint problem"
        if self.coverage.forbidden_sets:
            yield "coverage.forbidden_sets: not known to the joint problem"
        if self.coverage.crowds is not None:
            yield "coverage.crowds: not known to the joint problem"


@dataclass(frozen=True, slots=True)
class JointPlan:
    """What is built.

    chosen    : (k,) int32 options, ascending;  by_fibre : (k,) bool, over trenches; else by their own backhaul
    trenches  : (t,) int32 edges of the roads, ascending
    cleared   : (H,) bool;  cost_vnd : all of it;  trench_vnd : that of the trenches
    """

    chosen: NDArray[np.int32]
    by_fibre: NDArray[np.bool_]
    trenches: NDArray[np.int32]
    cleared: NDArray[np.bool_]
    cost_vnd: int
    trench_vnd: int


def plan_of(
    problem: JointProblem, chosen: NDArray[np.int32], by_fibre: NDArray[np.bool_], trenches: NDArray[np.int32]
) -> JointPlan:
    """The plan of these choices, with what it costs and clears counted from the problem itself."""
    order = np.argsort(chosen, kind="stable")
    chosen, by_fibre, trenches = chosen[order].astype(np.int32), by_fibre[order], np.sort(trenches).astype(np.int32)
    coverage = problem.coverage
    trench_vnd = int(problem.roads.cost_vnd[trenches].sum())
    own_vnd = int(problem.own_backhaul_vnd[chosen[~by_fibre]].sum())
    return JointPlan(
        chosen=chosen,
        by_fibre=by_fibre,
        trenches=trenches,
        cleared=coverage.cleared_by(coverage.covered_by(chosen)),
        cost_vnd=trench_vnd + own_vnd + int(coverage.budget_cost_vnd[chosen].sum()),
        trench_vnd=trench_vnd,
    )
