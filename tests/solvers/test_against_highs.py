"""The first stage against another solver and another formulation: HiGHS on a flow program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

from phusong.solvers.errors import LockedExceedBudget, ProblemFaults
from phusong.solvers.model import Limits, StageModel
from phusong.solvers.presolve import reduce_problem
from phusong.solvers.problem import NONE, Backhaul, Cap, Load, Problem, Roads
from tests.solvers.small_problems import problem_of

INSTANCES = 200


def instance(seed: int) -> dict:
    """10 options with 1 to 3 ways, 9 road nodes, 14 edges, 6 hamlets; relays, caps, load and rivals (synthetic)."""
    rng = np.random.default_rng(seed)
    options, nodes, hamlets, cells = 10, 9, 6, 20
    way_option = np.repeat(np.arange(options), rng.integers(1, 4, options)).tolist()
    ways = len(way_option)
    groups = []
    people = rng.integers(1, 9, cells).tolist()
    for _ in range(10):
        members = sorted(rng.choice(cells, rng.integers(1, 5), replace=False).tolist())
        need = int(np.ceil(0.8 * sum(people[c] for c in members)))
        groups.append((int(rng.integers(hamlets)), members, need))
    return {
        "covers": [sorted(rng.choice(cells, rng.integers(2, 8), replace=False).tolist()) for _ in range(options)],
        "people": people,
        "groups": groups,
        "weight": rng.integers(1, 4, hamlets).tolist(),
        "cost": rng.integers(1, 12, options).tolist(),
        "locked": (rng.random(options) < 0.05).tolist(),
        "rivals": [[0, 1, 2], [5, 6]],
        "required": [0] if rng.random() < 0.1 else [],
        "way_option": way_option,
        "way_node": [int(n) if rng.random() < 0.8 else NONE for n in rng.integers(0, nodes, ways)],
        "way_cost": rng.integers(0, 8, ways).tolist(),
        "relays": [
            sorted({int(h) for h in rng.integers(0, w, 2)}) if w and rng.random() < 0.2 else [] for w in range(ways)
        ],
        "relay_most": rng.integers(0, 3, ways).tolist(),
        "caps": [(2, sorted(rng.choice(ways, 6, replace=False).tolist()))],
        "edges": [tuple(int(n) for n in rng.integers(0, nodes, 2)) for _ in range(14)],
        "edge_cost": rng.integers(0, 9, 14).tolist(),
        "lit": [node == 0 for node in range(nodes)],
        "option_kbps": rng.integers(3, 30, options).tolist(),
        "group_kbps": rng.integers(0, 8, 10).tolist(),
        "budget": int(rng.integers(15, 70)),
    }  # fmt: skip


def problem_from(given: dict) -> Problem:
    ways = len(given["way_option"])
    hops = np.zeros((ways, ways), dtype=bool)
    for way, hosts in enumerate(given["relays"]):
        hops[way, hosts] = True
    exclusive = np.full(len(given["cost"]), -1, dtype=np.int32)
    for number, members in enumerate(given["rivals"]):
        exclusive[members] = number
    edge_cost = np.array(given["edge_cost"], dtype=np.int64)
    ends = np.array(given["edges"], dtype=np.int32)
    costs = np.array(given["way_cost"], dtype=np.int64)
    return problem_of(
        given["groups"], given["people"], given["covers"], given["cost"], given["weight"], exclusive=exclusive,
        locked=np.array(given["locked"]), required=np.isin(np.arange(len(given["weight"])), given["required"]),
        backhaul=Backhaul(
            np.array(given["way_option"], dtype=np.int32), np.array(given["way_node"], dtype=np.int32), costs, costs,
            sparse.csr_array(hops), np.array(given["relay_most"], dtype=np.int64),
            Roads(ends[:, 0], ends[:, 1], edge_cost, np.array(given["lit"])),
        ),
        caps=tuple(
            Cap("some ways", most, np.empty(0, np.int32), np.array(members, np.int32))
            for most, members in given["caps"]
        ),
        load=Load(np.array(given["option_kbps"], np.int64), np.array(given["group_kbps"], np.int64)),
    )  # fmt: skip


def connectable(given: dict) -> bool:
    """Whether each locked option has a way that can be connected; else it is a fault, not a decision."""
    try:
        problem_from(given)
    except ProblemFaults:
        return False
    return True


def first_stage(problem: Problem, budget: int) -> int | None:
    try:
        stage = StageModel(reduce_problem(problem, budget), with_people=False)
    except LockedExceedBudget:
        return None
    stage.budget(budget)
    stage.maximise(stage.cleared(), int(problem.hamlet_weight.sum()))
    answer = stage.solve(Limits(), None)
    assert answer.status in ("optimal", "infeasible")
    return None if answer.built is None else answer.bound


def test_the_first_stage_agrees_with_highs_on_a_flow_program():
    given = [one for seed in range(2 * INSTANCES) if (one := instance(seed)) and connectable(one)][:INSTANCES]
    mine = [first_stage(problem_from(one), one["budget"]) for one in given]
    script = Path(__file__).with_name("flow_mip.py")
    run = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(given), capture_output=True, text=True, check=True, timeout=600
    )
    theirs = json.loads(run.stdout)
    assert len(given) == INSTANCES
    assert theirs == mine
    assert sum(value is not None for value in mine) > 0.8 * INSTANCES
    assert len({value for value in mine if value is not None}) > 5
