"""Who has signal today: coverage of the standing network, and the state of each hamlet before any plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from phusong.coverage.terrain import Terrain
from phusong.data_sources.area import Part
from phusong.scenarios.area_signal import AreaSignal, area_signal
from phusong.scenarios.demand import CENTRE, Demand, build_demand, groups_met, state_of
from phusong.scenarios.progress import Progress
from phusong.scenarios.radio import Network, Radio, existing_network
from phusong.scenarios.service import (
    LOM,
    SERVED,
    STATE_NAMES,
    TRANG,
    Service,
    counting_layers,
    layer_levels_dbm,
    served_by_layer,
)


def site_counter(phase: str, total: int, on_progress: Progress | None) -> Callable[[int], None] | None:
    """Counts finished sites for a progress bar."""
    if on_progress is None:
        return None
    done = count(1)
    return lambda _site: on_progress(phase, next(done), total)


@dataclass(frozen=True, slots=True)
class Lane:
    """One demand for service: from any operator, from each hamlet's own, or from one named operator.

    operator       : (C,) int32 operator that must serve the cell for the hamlet that owns it, -1 any
    served         : (C,) bool, the model's word
    entry_operator : (nnz,) int32 the same for each entry of `Demand.group_cell`: a cell may stand in groups of hamlets
        with different operators
    believed       : (nnz,) bool for each entry: served, and the official list does not say otherwise of that hamlet
    declared_met   : (G,) bool, groups that the official list says are served although the model does not
    worst          : (H,) uint8 state beyond which a hamlet does not go: LOM where the list says lõm of one whose
        centre is all that is asked for
    """

    operator: NDArray[np.int32]
    served: NDArray[np.bool_]
    entry_operator: NDArray[np.int32]
    believed: NDArray[np.bool_]
    declared_met: NDArray[np.bool_]
    worst: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The standing network on one part.

    signal      : on the whole grid, for pictures and for people counted by area
    rsrp_dbm, server : (layers, C) float64 and int32, signal in the demand cells at full precision and the sector it
        comes from; NaN and -1 none. What is decided is decided from these, never from `signal`
    model_state, state : (H,) uint8, by the model alone and with the official list
    low_p50     : low-signal hamlets if the planning confidence were 50%
    """

    part: Part
    terrain: Terrain
    network: Network
    operators: tuple[str, ...]
    demand: Demand
    signal: AreaSignal
    rsrp_dbm: NDArray[np.float64]
    server: NDArray[np.int32]
    levels_dbm: NDArray[np.float64]
    lanes: tuple[Lane, ...]
    model_state: NDArray[np.uint8]
    state: NDArray[np.uint8]
    low_p50: int
    notes: tuple[str, ...]

    @property
    def low(self) -> NDArray[np.int64]:
        """Indexes of the low-signal hamlets."""
        return np.flatnonzero(self.state != SERVED)

    def layer_operator(self, layers: tuple[tuple[str, str], ...]) -> NDArray[np.int32]:
        """(layers,) number of each layer's operator; -2 for one that neither stands here nor is asked for."""
        return _operator_numbers(layers, self.operators)


def compute_baseline(
    part: Part, radio: Radio, service: Service, *, threads: int | None, on_progress: Progress | None
) -> Baseline:
    """Coverage of the standing network and the state of every hamlet of one part."""
    network, notes = existing_network(part.layers.sectors, part.box, radio, part.antennas)
    terrain = Terrain(part.height_m, part.cell_m)
    demand = build_demand(part, service)
    operators = _operators(network, part)
    signal, at_cells = area_signal(
        terrain, network.site_rc, network.sectors, len(network.layers), radio, exact_rc=demand.cell_rc, threads=threads,
        on_site=site_counter("coverage", len(network.site_rc), on_progress),
    )  # fmt: skip
    levels = layer_levels_dbm(network.layers, radio, service)
    layer_operator = _operator_numbers(network.layers, operators)
    wanted = _lane_operators(demand, part, operators, service)

    def lanes_at(levels_dbm: NDArray[np.float64], declared: NDArray[np.int8]) -> tuple[Lane, ...]:
        reached = served_by_layer(at_cells.rsrp_dbm, levels_dbm)
        return tuple(_lane(demand, reached, layer_operator, asked, declared) for asked in wanted)

    unheard = np.full(demand.hamlets, -1, dtype=np.int8)
    heard = unheard if service.baseline == "model-only" else _declared(part)
    lanes = lanes_at(levels, heard)
    median = layer_levels_dbm(network.layers, radio.model_copy(update={"confidence": 0.5}), service)
    return Baseline(
        part, terrain, network, operators, demand, signal, at_cells.rsrp_dbm, at_cells.server, levels, lanes,
        model_state=_state(demand, lanes_at(levels, unheard)),
        state=_state(demand, lanes),
        low_p50=int(np.count_nonzero(_state(demand, lanes_at(median, heard)))),
        notes=tuple(notes),
    )  # fmt: skip


def served_in_lane(
    reached: NDArray[np.bool_], layer_operator: NDArray[np.int32], wanted: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """(C,) whether a layer of the wanted operator (any where -1) reaches each cell; `reached` is (layers, C)."""
    if not len(reached):
        return np.zeros(len(wanted), dtype=bool)
    return np.asarray((reached & ((wanted == -1)[None, :] | (layer_operator[:, None] == wanted[None, :]))).any(axis=0))


def best_rsrp(
    rsrp_dbm: NDArray[np.float32], layers: tuple[tuple[str, str], ...], service: Service
) -> NDArray[np.float32]:
    """(H, W) strongest signal of the layers that count as service; NaN none."""
    counted = rsrp_dbm[counting_layers(layers, service)]
    if not len(counted):
        return np.full(rsrp_dbm.shape[1:], np.nan, dtype=np.float32)
    return np.asarray(np.fmax.reduce(counted, axis=0))


def lane_state(demand: Demand, lane: Lane, served: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H,) state of each hamlet in one lane when the entries `served` (nnz,) of its groups have service."""
    unmet = ~(groups_met(demand, served) | lane.declared_met)
    return np.minimum(state_of(demand, unmet), lane.worst)


def _state(demand: Demand, lanes: tuple[Lane, ...]) -> NDArray[np.uint8]:
    return np.asarray(np.maximum.reduce([lane_state(demand, lane, lane.believed) for lane in lanes]))


def _operator_numbers(layers: tuple[tuple[str, str], ...], operators: tuple[str, ...]) -> NDArray[np.int32]:
    number = {operator: i for i, operator in enumerate(operators)}
    return np.array([number.get(operator, -2) for operator, _ in layers], dtype=np.int32)


def _operators(network: Network, part: Part) -> tuple[str, ...]:
    assigned = {o for o in part.layers.hamlets["assigned_operator"] if isinstance(o, str) and o}
    return tuple(sorted({operator for operator, _ in network.layers} | assigned))


def _lane_operators(
    demand: Demand, part: Part, operators: tuple[str, ...], service: Service
) -> list[NDArray[np.int32]]:
    """Per lane the operator that each hamlet asks for, -1 any; the last entry speaks for people of no hamlet."""
    anyone = np.full(demand.hamlets + 1, -1, dtype=np.int32)
    if service.operator == "any" or not operators:
        return [anyone]
    if service.operator == "all":
        return [np.full_like(anyone, i) for i in range(len(operators))]
    names = part.layers.hamlets["assigned_operator"]
    anyone[:-1] = [operators.index(o) if o in operators else -1 for o in names]
    return [anyone]


def _declared(part: Part) -> NDArray[np.int8]:
    """(H,) state on the official list, -1 where it is silent."""
    return np.array(
        [STATE_NAMES.index(s) if isinstance(s, str) else -1 for s in part.layers.hamlets["declared_state"]],
        dtype=np.int8,
    )


def _lane(
    demand: Demand, reached: NDArray[np.bool_], layer_operator: NDArray[np.int32], asked: NDArray[np.int32],
    declared: NDArray[np.int8],
) -> Lane:  # fmt: skip
    """Weigh the model against the official list, which wins where it speaks: it alone sets the state before any plan.

    A hamlet declared trắng that is modelled better keeps no cell that the model calls served. One declared lõm keeps
    its centre; where no cluster of it is modelled unserved, all are doubted, as nothing says which one is meant. One
    declared better than modelled has the groups that its declared state says are served counted as met.
    """
    hamlet, is_centre = demand.group_hamlet, demand.group_kind == CENTRE
    operator = asked[demand.hamlet]
    entry_operator = np.repeat(asked[hamlet], np.diff(demand.group_indptr))
    served = served_in_lane(reached[:, demand.group_cell], layer_operator, entry_operator)
    unmet = ~groups_met(demand, served)
    model = state_of(demand, unmet).astype(np.int8)

    alone = np.bincount(hamlet, minlength=demand.hamlets) == 1
    lom_clusters = (declared == LOM) & ~alone
    lacks_cluster = np.zeros(demand.hamlets, dtype=bool)
    lacks_cluster[hamlet[unmet & ~is_centre]] = True
    doubted = np.where(lom_clusters, ~lacks_cluster, declared > model)[hamlet] & ~(is_centre & lom_clusters[hamlet])
    better = (declared >= 0) & (declared < model)
    return Lane(
        operator,
        served=served_in_lane(reached, layer_operator, operator),
        entry_operator=entry_operator,
        believed=served & ~np.repeat(doubted, np.diff(demand.group_indptr)),
        declared_met=better[hamlet] & ((declared == SERVED)[hamlet] | (is_centre & lom_clusters[hamlet])),
        worst=np.where((declared == LOM) & alone, LOM, TRANG).astype(np.uint8),
    )
