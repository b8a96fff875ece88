"""How options may be connected, put to the solver: ways, roads and caps of all parts, joined block by block."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.errors import CapUnknown, LockedUnconnected
from phusong.scenarios.scenario import Objective
from phusong.solvers.problem import NONE, Backhaul, Cap, Roads


def firsts(counts: Sequence[int]) -> list[int]:
    """Number of the first item of each part when the parts follow each other."""
    return list(accumulate(counts, initial=0))[:-1]


def backhaul_of(candidates: Sequence[Candidates], budget_counts: str) -> Backhaul | None:
    """Ways and roads of all parts; None where no option has a way."""
    ways = [c.ways for c in candidates]
    if not sum(len(w) for w in ways):
        return None
    first_option, first_way = firsts([len(c.options) for c in candidates]), firsts([len(w) for w in ways])
    first_node = firsts([len(c.network.xy) for c in candidates])

    def joined(column: str) -> NDArray[np.int64]:
        return np.concatenate([w[column].to_numpy(dtype=np.int64) for w in ways])

    option = np.concatenate([w["option"].to_numpy(dtype=np.int64) + f for w, f in zip(ways, first_option, strict=True)])
    nodes = [w["node"].to_numpy(dtype=np.int64) for w in ways]
    node = np.concatenate([np.where(n >= 0, n + f, NONE) for n, f in zip(nodes, first_node, strict=True)])
    relays = [np.array(rows, dtype=np.int64) + f for w, f in zip(ways, first_way, strict=True) for rows in w["relays"]]
    return Backhaul(
        way_option=option.astype(np.int32),
        way_node=node.astype(np.int32),
        way_budget_vnd=joined("capex_vnd" if budget_counts == "capex" else "lifetime_vnd"),
        way_lifetime_vnd=joined("lifetime_vnd"),
        relays=_marked(relays),
        relay_most=joined("relay_most"),
        roads=_roads(candidates, first_node, budget_counts),
    )


def _marked(rows: Sequence[NDArray[np.int64]]) -> sparse.csr_array:
    indptr = np.cumsum([0] + [len(r) for r in rows])
    columns = np.concatenate([*rows, np.empty(0, dtype=np.int64)])
    marks = np.ones(len(columns), dtype=bool)
    return sparse.csr_array((marks, columns, indptr), shape=(len(rows), len(rows)))


def _roads(candidates: Sequence[Candidates], first_node: Sequence[int], budget_counts: str) -> Roads:
    networks = [c.network for c in candidates]
    lifetime = np.concatenate([n.lifetime_vnd for n in networks])
    trench = np.concatenate([n.trench_vnd for n in networks])
    start, end = (
        np.concatenate([getattr(n, side) + f for n, f in zip(networks, first_node, strict=True)]).astype(np.int32)
        for side in ("start", "end")
    )
    return Roads(
        start=start, end=end, cost_vnd=trench if budget_counts == "capex" else lifetime,
        lit=np.concatenate([n.lit for n in networks]), lifetime_vnd=lifetime,
    )  # fmt: skip


def cut_off(candidates: Sequence[Candidates]) -> NDArray[np.bool_]:
    """(M,) options that need backhaul and have no way of it."""
    return np.concatenate(
        [c.needs_way & ~np.isin(np.arange(len(c.options)), c.ways["option"].to_numpy()) for c in candidates]
    )


def connected_only(
    names: NDArray[np.object_], locked: NDArray[np.bool_], homeless: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """`locked` (M,) as it is. Raises LockedUnconnected where an option of it is `homeless`, as `cut_off` says."""
    if (locked & homeless).any():
        raise LockedUnconnected(
            what="phương án bắt buộc không có đường truyền / a locked option has no backhaul:"
            f" {', '.join(names[locked & homeless][:5].tolist())}",
            where="objective.locked_options, candidates.backhaul",
            mend="cho thêm loại đường truyền, hoặc bỏ bớt locked_options / allow more kinds of backhaul, or lock fewer",
        )
    return locked


def caps_of(candidates: Sequence[Candidates], objective: Objective) -> tuple[Cap, ...]:
    """What the plan as a whole may hold: ways of each named cap, new sites of each named operator.

    Raises CapUnknown for a cap that no way has while others have one, or an operator who builds nothing anywhere.
    """
    names = np.concatenate([c.ways["cap"].to_numpy(dtype=object) for c in candidates]).astype(str)
    operators = np.concatenate([c.options["operator"].to_numpy(dtype=object) for c in candidates]).astype(str)
    new = np.concatenate(
        [c.sites["status"].to_numpy(dtype=object)[c.options["location"].to_numpy()] == "new" for c in candidates]
    )
    known = set(names.tolist()) - {""}
    unknown = sorted(set(objective.caps) - known) if known else []
    strangers = sorted(set(objective.sites_per_operator) - set(operators.tolist())) if len(operators) else []
    if unknown or strangers:
        raise CapUnknown(
            what=f"không có gì mang tên / nothing is named {', '.join([*unknown, *strangers])}",
            where="objective.caps" if unknown else "objective.sites_per_operator",
            mend=f"các tên đúng / known names: {', '.join(sorted(known if unknown else set(operators.tolist())))}",
        )
    nothing = np.empty(0, dtype=np.int32)
    of_ways = [
        Cap(name, most, nothing, np.flatnonzero(names == name).astype(np.int32))
        for name, most in sorted(objective.caps.items())
    ]
    of_sites = [
        Cap(f"sites of {name}", most, np.flatnonzero(new & (operators == name)).astype(np.int32), nothing)
        for name, most in sorted(objective.sites_per_operator.items())
    ]
    return (*of_ways, *of_sites)
