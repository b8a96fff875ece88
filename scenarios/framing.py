"""Put the question to the solver: demand of the low-signal hamlets, options, costs, one Problem over all parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.coverage.loss_rows import LossRows, loss_rows
from phusong.coverage.matrix import option_coverage, sector_keys
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at
from phusong.scenarios.area_signal import reception
from phusong.scenarios.baseline import Baseline, Lane, site_counter
from phusong.scenarios.candidates.build import Candidates
from phusong.scenarios.candidates.targets import Targets
from phusong.scenarios.connecting import backhaul_of, caps_of, connected_only, cut_off
from phusong.scenarios.demand import Demand
from phusong.scenarios.errors import OptionUnknown
from phusong.scenarios.progress import Progress
from phusong.scenarios.radio import Radio, grid_coordinates
from phusong.scenarios.scenario import Objective
from phusong.scenarios.service import Service, layer_levels_dbm, served_by_layer
from phusong.solvers.problem import Crowds, Load, Problem


@dataclass(frozen=True, slots=True)
class Question:
    """What one part asks of the solver.

    cell     : (N,) int32 demand cell of each asked cell; a cell is asked once per lane that lacks it
    operator : (N,) int32 operator that must serve it, -1 any
    covers   : (M, N) bool, options x asked cells
    crowds   : who counts as newly covered where that is not simply the people of each asked cell
    hamlet   : (h,) int64 the low-signal hamlets; groups name them by position in this array
    The group arrays are as in Problem, over asked cells, with what is served already taken off the need.
    Facilities that lack service follow the hamlets when the scenario gives them a weight.
    """

    cell: NDArray[np.int32]
    operator: NDArray[np.int32]
    weight: NDArray[np.int64]
    covers: sparse.csr_array
    crowds: Crowds | None
    hamlet: NDArray[np.int64]
    hamlet_weight: NDArray[np.int64]
    group_hamlet: NDArray[np.int32]
    group_indptr: NDArray[np.int64]
    group_cell: NDArray[np.int32]
    group_need: NDArray[np.int64]


def find_targets(baseline: Baseline) -> Targets:
    """The low-signal hamlets of a part and the cells whose people lack service."""
    demand, low = baseline.demand, baseline.low
    position = np.full(demand.hamlets + 1, -1, dtype=np.int32)  # the last entry answers for "no hamlet"
    position[low] = np.arange(len(low), dtype=np.int32)
    lacking = np.logical_or.reduce([_lacking(demand, lane) for lane in baseline.lanes])
    # A cell may be the centre of one hamlet and belong to another: groups decide first, ownership after.
    owner = position[demand.hamlet]
    in_group = position[np.repeat(demand.group_hamlet, np.diff(demand.group_indptr))]
    owner[demand.group_cell[in_group >= 0]] = in_group[in_group >= 0]
    cells = np.flatnonzero(lacking)
    hamlets = baseline.part.layers.hamlets.iloc[low].reset_index(drop=True)
    return Targets(demand.cell_rc[cells], demand.people[cells], owner[cells], hamlets)


def find_loss_rows(
    baseline: Baseline, candidates: Candidates, cells: NDArray[np.int32], radio: Radio, range_km: float,
    *, threads: int | None, on_progress: Progress | None,
) -> LossRows:  # fmt: skip
    """Loss from each candidate place, height and band to the given grid cells."""
    key = np.unique(sector_keys(candidates.sectors), axis=0)
    return loss_rows(
        baseline.terrain, candidates.site_rc, key, cells, rx_height_m=radio.rx_height_m,
        range_m=range_km * 1000, model=radio.propagation, surroundings=radio.surroundings.made(), threads=threads,
        on_site=site_counter("matrix", len(candidates.site_rc), on_progress),
    )  # fmt: skip


def ask(
    baseline: Baseline, candidates: Candidates, radio: Radio, service: Service, range_km: float,
    *, threads: int | None, on_progress: Progress | None,
) -> Question:  # fmt: skip
    """Everything that the low-signal hamlets of one part still need, and which option gives it where."""
    demand = baseline.demand
    cell, operator, number, own = _asked_cells(baseline)
    groups = _groups(baseline, number)
    facility_rc = np.empty((0, 2), dtype=np.int32)
    if service.facility_weight:
        facility_rc = _lacking_facilities(baseline, radio, threads)

    rc = np.concatenate([demand.cell_rc[cell], facility_rc]).astype(np.int32)
    unique_rc, place = np.unique(rc, axis=0, return_inverse=True)
    rows = find_loss_rows(baseline, candidates, unique_rc, radio, range_km, threads=threads, on_progress=on_progress)
    levels = layer_levels_dbm(candidates.layers, radio, service)
    # One required level for all: each sector's power is shifted by how its own technology's level differs.
    sectors = _shifted(candidates.sectors, levels)
    sector_operator = baseline.layer_operator(candidates.layers)[sectors.layer]
    operator = np.concatenate([operator, np.full(len(facility_rc), -1, dtype=np.int32)])

    def coverage_by(wanted: int) -> sparse.csr_array:
        # A raised mast carries sectors of several operators: each cell counts those of the operator it asks for.
        counted = (sector_operator == wanted) | (wanted == -1)
        return option_coverage(
            rows, baseline.terrain, candidates.site_rc, sectors, np.where(counted, candidates.sector_option, -1),
            len(candidates.options), unique_rc, 0.0, radio.rx_height_m - radio.surroundings.lowered_m, threads,
        )  # fmt: skip

    covers = _columns_by_operator(coverage_by, operator, place, len(candidates.options))

    facilities = len(facility_rc)
    first = len(cell)
    cells_of_facilities = np.arange(first, first + facilities, dtype=np.int32)
    hamlets = len(baseline.low)
    return Question(
        cell=np.concatenate([cell, np.full(facilities, -1, dtype=np.int32)]),
        operator=operator,
        weight=np.concatenate([demand.weight[cell], np.ones(facilities, dtype=np.int64)]),
        covers=covers,
        crowds=_crowds(demand, cell, own, facilities),
        hamlet=baseline.low,
        hamlet_weight=np.repeat(np.array([1, service.facility_weight], dtype=np.int64), [hamlets, facilities]),
        group_hamlet=np.concatenate([groups[0], np.arange(hamlets, hamlets + facilities, dtype=np.int32)]),
        group_indptr=np.concatenate([groups[1], groups[1][-1] + np.arange(1, facilities + 1)]).astype(np.int64),
        group_cell=np.concatenate([groups[2], cells_of_facilities]),
        group_need=np.concatenate([groups[3], np.ones(facilities, dtype=np.int64)]),
    )


def pose(
    questions: Sequence[Question],
    candidates: Sequence[Candidates],
    baselines: Sequence[Baseline],
    objective: Objective,
    load: Load | None = None,
) -> Problem:
    """One problem over all parts; options, cells, ways and roads of the parts follow each other in order.

    load : see `carrying.load_of`
    Options that need backhaul and have no way of it are forbidden.
    Raises OptionUnknown for a locked, forbidden or required name that does not exist, LockedUnconnected, CapUnknown.
    """
    cells = np.cumsum([0] + [len(q.cell) for q in questions])
    hamlets = np.cumsum([0] + [len(q.hamlet_weight) for q in questions])
    exclusive, homeless = _exclusive(candidates), cut_off(candidates)
    names = np.concatenate([c.options["option_id"].to_numpy(dtype=object) for c in candidates])
    capex = np.concatenate([c.options["capex_vnd"].to_numpy(dtype=np.int64) for c in candidates])
    lifetime = np.concatenate([c.options["lifetime_vnd"].to_numpy(dtype=np.int64) for c in candidates])
    return Problem(
        cell_people=np.concatenate([q.weight for q in questions]),
        group_hamlet=np.concatenate([q.group_hamlet + h for q, h in zip(questions, hamlets, strict=False)]).astype(
            np.int32
        ),
        group_indptr=_joined_indptr([q.group_indptr for q in questions]),
        group_cell=np.concatenate([q.group_cell + c for q, c in zip(questions, cells, strict=False)]).astype(np.int32),
        group_need=np.concatenate([q.group_need for q in questions]),
        hamlet_weight=np.concatenate([_worth(q, objective) for q in questions]),
        required=_required(questions, baselines, objective.required_hamlets),
        covers=sparse.csr_array(sparse.block_diag([q.covers for q in questions], format="csr", dtype=bool)),
        budget_cost_vnd=capex if objective.budget_counts == "capex" else lifetime,
        lifetime_cost_vnd=lifetime,
        exclusive=exclusive,
        locked=connected_only(names, _named(names, objective.locked_options, "locked_options"), homeless),
        forbidden=_named(names, objective.forbidden_options, "forbidden_options") | homeless,
        forbidden_sets=_conflicts(candidates),
        crowds=_joined_crowds(questions),
        backhaul=backhaul_of(candidates, objective.budget_counts),
        caps=caps_of(candidates, objective),
        load=load,
    )


def _joined_crowds(questions: Sequence[Question]) -> Crowds | None:
    if all(q.crowds is None for q in questions):
        return None
    crowds = [
        q.crowds or Crowds(sparse.csr_array(sparse.eye_array(len(q.cell), dtype=bool)), q.weight) for q in questions
    ]
    joined = sparse.block_diag([c.cells for c in crowds], format="csr", dtype=bool)
    return Crowds(sparse.csr_array(joined), np.concatenate([c.people for c in crowds]))


def _worth(question: Question, objective: Objective) -> NDArray[np.int64]:
    """Weight of each hamlet and facility. A target is a number of hamlets: facilities do not help to reach it."""
    if objective.goal == "max_cleared":
        return question.hamlet_weight
    return np.where(np.arange(len(question.hamlet_weight)) < len(question.hamlet), question.hamlet_weight, 0)


def _lacking(demand: Demand, lane: Lane) -> NDArray[np.bool_]:
    """(C,) cells without service by the model, or whose service is not believed for some hamlet."""
    lacking = ~lane.served
    lacking[demand.group_cell[~lane.believed]] = True
    return lacking


def _asked_cells(
    baseline: Baseline,
) -> tuple[NDArray[np.int32], NDArray[np.int32], list[NDArray[np.int32]], NDArray[np.bool_]]:
    """Cells that lack believed service and from whom they ask it, lane by lane.

    The third value has per lane (nnz,) the asked cell of each entry of the groups; it means nothing where believed.
    The last says where the people of the cell themselves ask, and not a hamlet of another operator around them.
    """
    demand = baseline.demand
    cells, operators, numbers, own = [], [], [], []
    count = 0
    width = len(baseline.operators) + 1
    for lane in baseline.lanes:
        entry = demand.group_cell.astype(np.int64) * width + lane.entry_operator + 1
        lacking = np.flatnonzero(~lane.served)
        asked = np.unique(np.concatenate([lacking * width + lane.operator[lacking] + 1, entry[~lane.believed]]))
        cells.append((asked // width).astype(np.int32))
        operators.append((asked % width - 1).astype(np.int32))
        numbers.append((count + np.searchsorted(asked, entry)).astype(np.int32))
        own.append(operators[-1] == lane.operator[cells[-1]])
        count += len(asked)
    return np.concatenate(cells), np.concatenate(operators), numbers, np.concatenate(own)


def _crowds(demand: Demand, cell: NDArray[np.int32], own: NDArray[np.bool_], facilities: int) -> Crowds | None:
    """People of each demand cell, once: they are covered when all operators whom they ask and who fail them serve.

    Facilities follow the cells, each a crowd of one.
    """
    if own.all() and len(np.unique(cell)) == len(cell):
        return None
    number = np.flatnonzero(own)
    who, crowd = np.unique(cell[number], return_inverse=True)
    entries = len(number) + facilities
    column = np.concatenate([number, len(cell) + np.arange(facilities)])
    row = np.concatenate([crowd, len(who) + np.arange(facilities)])
    cells = sparse.csr_array(
        (np.ones(entries, dtype=bool), (row, column)), shape=(len(who) + facilities, len(cell) + facilities)
    )
    return Crowds(cells, np.concatenate([demand.weight[who], np.ones(facilities, dtype=np.int64)]))


def _groups(
    baseline: Baseline, number: list[NDArray[np.int32]]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    demand, weight = baseline.demand, baseline.demand.weight
    position = np.full(demand.hamlets, -1, dtype=np.int32)
    position[baseline.low] = np.arange(len(baseline.low), dtype=np.int32)
    owner, cells_of, needs = [], [], []
    for lane, numbers in zip(baseline.lanes, number, strict=True):
        for group in np.flatnonzero(position[demand.group_hamlet] >= 0):
            entries = slice(demand.group_indptr[group], demand.group_indptr[group + 1])
            cells, have = demand.group_cell[entries], lane.believed[entries]
            need = int(demand.group_need[group] - weight[cells[have]].sum())
            if need > 0 and not lane.declared_met[group]:
                owner.append(position[demand.group_hamlet[group]])
                cells_of.append(numbers[entries][~have])
                needs.append(need)
    indptr = np.cumsum([0] + [len(c) for c in cells_of]).astype(np.int64)
    flat = np.concatenate(cells_of).astype(np.int32) if cells_of else np.empty(0, dtype=np.int32)
    return np.array(owner, dtype=np.int32), indptr, flat, np.array(needs, dtype=np.int64)


def facility_cells(baseline: Baseline) -> NDArray[np.int32]:
    """(F, 2) grid cell of each facility of the part."""
    points = baseline.part.layers.facilities.geometry
    height, width = baseline.part.people.shape
    rc = np.rint(grid_coordinates(baseline.part.box, points.x.to_numpy(), points.y.to_numpy()))
    return np.clip(rc, 0, [height - 1, width - 1]).astype(np.int32)


def _lacking_facilities(baseline: Baseline, radio: Radio, threads: int | None) -> NDArray[np.int32]:
    rc, network = facility_cells(baseline), baseline.network
    rsrp, _ = signal_at(
        baseline.terrain, network.site_rc, network.sectors, len(network.layers), rc, **reception(radio, threads)
    )
    return rc[~served_by_layer(rsrp, baseline.levels_dbm).any(axis=0)]


def _shifted(sectors: Sectors, levels_dbm: NDArray[np.float64]) -> Sectors:
    return replace(sectors, rs_eirp_dbm=sectors.rs_eirp_dbm - levels_dbm[sectors.layer])


def _columns_by_operator(
    coverage_by: Callable[[int], sparse.csr_array], operator: NDArray[np.int32], place: NDArray[np.int64], options: int
) -> sparse.csr_array:
    """(M, N) bool, column n being column place[n] of the coverage by operator[n]."""
    wanted = np.unique(operator).tolist()
    if len(wanted) == 1:
        return sparse.csr_array(coverage_by(wanted[0])[:, place])
    columns = [np.flatnonzero(operator == o) for o in wanted]
    blocks = [coverage_by(o)[:, place[c]] for o, c in zip(wanted, columns, strict=True)]
    if not blocks:
        return sparse.csr_array((options, 0), dtype=bool)
    return sparse.csr_array(sparse.csr_array(sparse.hstack(blocks))[:, np.argsort(np.concatenate(columns))])


def _exclusive(candidates: Sequence[Candidates]) -> NDArray[np.int32]:
    joined, first = [], 0
    for part in candidates:
        numbers = part.options["exclusive"].to_numpy(dtype=np.int32)
        joined.append(np.where(numbers >= 0, numbers + first, -1).astype(np.int32))
        first += int(numbers.max(initial=-1)) + 1
    return np.concatenate(joined)


def _conflicts(candidates: Sequence[Candidates]) -> tuple[tuple[int, ...], ...]:
    first = np.cumsum([0] + [len(part.options) for part in candidates])
    pairs = [
        (a + int(start), b + int(start))
        for part, start in zip(candidates, first, strict=False)
        for a, b in part.conflicts()
    ]
    return tuple(pairs)


def _joined_indptr(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    lengths = np.concatenate([np.diff(p) for p in parts])
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _named(names: NDArray[np.object_], wanted: list[str], key: str) -> NDArray[np.bool_]:
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise OptionUnknown(
            what=f"không có phương án / no such option: {', '.join(unknown[:5])}",
            where=f"objective.{key}",
            mend="lấy mã từ cột option_id của bảng measures / take ids from the column option_id of the measures table",
        )
    return np.isin(names.astype(str), np.array(wanted, dtype=str))


def _required(questions: Sequence[Question], baselines: Sequence[Baseline], wanted: list[str]) -> NDArray[np.bool_]:
    flags = []
    known: set[str] = set()
    for question, baseline in zip(questions, baselines, strict=True):
        frame = baseline.part.layers.hamlets
        known |= set(frame["hamlet_id"])
        ids = frame["hamlet_id"].to_numpy(dtype=object)[question.hamlet]
        flag = np.zeros(len(question.hamlet_weight), dtype=bool)
        flag[: len(ids)] = np.isin(ids.astype(str), np.array(wanted, dtype=str))
        flags.append(flag)
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise OptionUnknown(
            what=f"không có thôn / no such hamlet: {', '.join(unknown[:5])}",
            where="objective.required_hamlets",
            mend="dùng mã hamlet_id của danh sách thôn / use the hamlet_id of the hamlet list",
        )
    return np.concatenate(flags)
