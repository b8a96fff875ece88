"""With what probability each hamlet has service, before and after a plan, and where a measurement is worth most.

The model's word alone: what the official list says stands beside these figures and does not enter them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.coverage.uncertainty import ServiceProbability, service_probability
from phusong.scenarios.baseline import Baseline, Lane
from phusong.scenarios.demand import CENTRE, Demand
from phusong.scenarios.planned import Planned
from phusong.scenarios.radio import Radio
from phusong.scenarios.service import LOM, SERVED, STATE_NAMES, TRANG, Service, layer_levels_dbm

Layers = tuple[tuple[str, str], ...]

# Why a measurement is worth something, in the order in which a hamlet's reason is looked for.
REASONS: dict[str, tuple[str, str]] = {
    "declared-low": (
        "công bố lõm hoặc trắng, mô hình tính là có sóng: đo trước khi chi tiền",
        "declared low-signal, modelled as served: measure before money is spent",
    ),
    "declared-served": (
        "công bố có sóng, mô hình tính là lõm hoặc trắng: đo để không bỏ sót",
        "declared served, modelled as low-signal: measure so that nobody is passed over",
    ),
    "planned": (
        "nằm trong phương án; nếu đo thấy có sóng thì bớt tiền",
        "in the plan; money is saved if it has signal",
    ),
    "low": (
        "đang tính là lõm hoặc trắng, chưa có trong phương án; có thể đã có sóng",
        "counted as low-signal and not in the plan; it may have signal",
    ),
    "served": ("đang tính là có sóng; có thể là lõm hoặc trắng", "counted as served; it may be low-signal"),
}


def probability_before(baseline: Baseline, radio: Radio, service: Service) -> ServiceProbability:
    """(H,) probabilities with the network that stands; `cleared` is that of service by the whole hamlet rule."""
    return hamlet_probability(baseline, baseline.rsrp_dbm, baseline.network.layers, radio, service)


def probability_after(
    baseline: Baseline, planned: Planned, rsrp_after_dbm: NDArray[np.float32], layers: Layers, radio: Radio,
    service: Service,
) -> ServiceProbability:  # fmt: skip
    """(H,) probabilities with the plan built.

    rsrp_after_dbm : (layers, H, W) planned signal, over `layers` (those of the candidates, the network's own first)
    Below the raster's floor a sector that stays up still counts with the level it had before.
    """
    row, col = baseline.demand.cell_rc.T
    level = rsrp_after_dbm[:, row, col].astype(np.float64)
    standing = len(baseline.rsrp_dbm)
    stays = ~np.isin(baseline.server, planned.removed)
    level[:standing] = np.fmax(level[:standing], np.where(stays, baseline.rsrp_dbm, np.nan))
    return hamlet_probability(baseline, level, layers, radio, service)


def hamlet_probability(
    baseline: Baseline, rsrp_dbm: NDArray[np.float64], layers: Layers, radio: Radio, service: Service
) -> ServiceProbability:
    """(H,) probability of service of each hamlet of a part at the median levels rsrp_dbm (layers, C).

    The level asked for is the threshold with its interference margin and without the fade margin, which is what the
    probability is about. A cell counts with its best layer. Where every operator must serve (operator = "all") a
    hamlet is served when each of them serves it; the model's error is common to all.
    """
    demand = baseline.demand
    asked_dbm = layer_levels_dbm(layers, radio.model_copy(update={"confidence": 0.5}), service)
    margin_db = rsrp_dbm - asked_dbm[:, None]
    operator = baseline.layer_operator(layers)
    lanes = [_lane_margin_db(demand, lane, margin_db, operator) for lane in baseline.lanes]
    return _over_lanes(demand, lanes, radio, service)


def _lane_margin_db(
    demand: Demand, lane: Lane, margin_db: NDArray[np.float64], operator: NDArray[np.int32]
) -> NDArray[np.float64]:
    """(nnz,) best margin of each entry of the groups among the layers of the operator it asks for; -inf none."""
    best = np.full(len(demand.group_cell), -np.inf)
    for layer in range(len(margin_db)):
        asked = (lane.entry_operator == -1) | (lane.entry_operator == operator[layer])
        at = np.nan_to_num(margin_db[layer, demand.group_cell], nan=-np.inf, neginf=-np.inf)
        best = np.where(asked, np.maximum(best, at), best)
    return best


def _over_lanes(demand: Demand, lanes: list[NDArray[np.float64]], radio: Radio, service: Service) -> ServiceProbability:
    """Groups of all lanes side by side, hamlet by hamlet."""
    size = np.diff(demand.group_indptr)
    group = np.tile(np.arange(len(size)), len(lanes))
    order = np.argsort(demand.group_hamlet[group], kind="stable")
    weight = demand.weight[demand.group_cell].astype(np.float64)
    whole = np.add.reduceat(weight, demand.group_indptr[:-1]) if len(size) else np.empty(0)
    spot = (demand.group_kind == CENTRE) & (service.rule == "centre-and-clusters")
    entries = np.split(np.arange(len(weight) * len(lanes)), np.cumsum(np.tile(size, len(lanes)))[:-1])
    entry = np.concatenate([entries[g] for g in order]) if len(order) else np.empty(0, dtype=np.int64)
    return service_probability(
        np.concatenate(lanes)[entry],
        np.tile(weight, len(lanes))[entry],
        np.concatenate([[0], np.cumsum(size[group[order]])]),
        # The share itself: `group_need` is rounded up to whole people, which a share of many places is not.
        (service.served_share * whole)[group[order]],
        spot[group[order]],
        np.searchsorted(demand.group_hamlet[group[order]], np.arange(demand.hamlets + 1)),
        model_sigma_db=radio.model_sigma_db,
        location_sigma_db=radio.location_sigma_db,
    )


@dataclass(frozen=True, slots=True)
class Stake:
    """What the plan spends for each hamlet, and what it pays on average.

    hamlet_vnd     : (H,) money for each hamlet, 0 where the plan does nothing
    per_hamlet_vnd : what the plan pays to clear one hamlet
    per_person_vnd : what the plan pays for one person of the hamlets it clears
    """

    hamlet_vnd: NDArray[np.float64]
    per_hamlet_vnd: float
    per_person_vnd: float


def stake_of_plan(
    cleared_by: Mapping[int, Iterable[str]], cost_vnd: Mapping[str, float], people: NDArray[np.int64]
) -> Stake | None:
    """What is at stake in a plan; None where it clears nothing or costs nothing.

    cleared_by : hamlet -> options that clear it together;  cost_vnd: option -> its cost;  people: (H,)
    An option that several hamlets need is shared equally among them: it is saved only if none of them needs it.
    """
    users: dict[str, int] = {}
    for options in cleared_by.values():
        for option in options:
            users[option] = users.get(option, 0) + 1
    hamlet_vnd = np.zeros(len(people))
    for hamlet, options in cleared_by.items():
        hamlet_vnd[hamlet] = sum(cost_vnd[option] / users[option] for option in options)
    cleared = np.fromiter(cleared_by, np.int64, len(cleared_by))
    total = float(hamlet_vnd.sum())
    reached = int(people[cleared].sum())
    if total <= 0.0 or reached <= 0:
        return None
    return Stake(hamlet_vnd, total / len(cleared), total / reached)


def hamlet_people(demand: Demand) -> NDArray[np.int64]:
    """(H,) people of the raster in each hamlet's cells; those of its centre cell where it has no cell of its own."""
    owned = demand.hamlet >= 0
    people = np.bincount(demand.hamlet[owned], weights=demand.people[owned], minlength=demand.hamlets)
    alone = np.bincount(demand.hamlet[owned], minlength=demand.hamlets) == 0
    return np.where(alone, demand.people[demand.centre_cell], people.round()).astype(np.int64)


def measure_first(
    baseline: Baseline, probability: NDArray[np.float64], people: NDArray[np.int64], stake: Stake | None
) -> pd.DataFrame:
    """Hamlets of a part by the value of one measurement on the spot, the most valuable first.

    probability : (H,) that the hamlet has service today, by the model
    people      : (H,) people of each hamlet
    stake       : what the plan spends; None without a plan
    Returns hamlet_id, probability, flips (that the measurement changes what is held true of the hamlet), value, unit
    ("VND" or "people") and reason (a key of REASONS). A measurement settles whether the hamlet has service, so
        value = probability that it turns out otherwise than counted x what hangs on that:
    counted low and in the plan, the plan's money for it; counted low and not in the plan, what the plan pays to clear
    one hamlet, as this one would then be off the list; counted served, its people at what the plan pays for a person.
    Without a plan the people of the hamlet hang on it. Equal values are in the order of hamlet_id.
    """
    low = baseline.state != SERVED
    flips = np.where(low, probability, 1.0 - probability)
    if stake is None:
        at_stake, unit = people.astype(np.float64), "people"
    else:
        planned = np.where(stake.hamlet_vnd > 0.0, stake.hamlet_vnd, stake.per_hamlet_vnd)
        at_stake, unit = np.where(low, planned, people * stake.per_person_vnd), "VND"
    table = pd.DataFrame(
        {
            "hamlet_id": baseline.part.layers.hamlets["hamlet_id"].to_numpy(dtype=object).astype(str),
            "probability": probability,
            "flips": flips,
            "value": flips * at_stake,
            "unit": unit,
            "reason": _reasons(baseline, low, stake),
        }
    )
    return table.sort_values(["value", "hamlet_id"], ascending=[False, True], ignore_index=True)


def _reasons(baseline: Baseline, low: NDArray[np.bool_], stake: Stake | None) -> NDArray[np.object_]:
    declared = baseline.part.layers.hamlets["declared_state"].to_numpy(dtype=object)
    modelled_low = baseline.model_state != SERVED
    says_low = np.isin(declared.astype(str), [STATE_NAMES[LOM], STATE_NAMES[TRANG]])
    says_served = declared.astype(str) == STATE_NAMES[SERVED]
    in_plan = np.zeros(len(low), dtype=bool) if stake is None else stake.hamlet_vnd > 0.0
    tests: list[tuple[Literal["declared-low", "declared-served", "planned", "low"], NDArray[np.bool_]]] = [
        ("declared-low", says_low & ~modelled_low),
        ("declared-served", says_served & modelled_low),
        ("planned", low & in_plan),
        ("low", low),
    ]
    return np.select([test for _, test in tests], [name for name, _ in tests], "served").astype(object)
