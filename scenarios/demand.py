"""Where the people of each hamlet are, and what must be served for it to be cleared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from phusong.data_sources.area import Part
from phusong.scenarios.radio import grid_coordinates
from phusong.scenarios.service import LOM, SERVED, TRANG, Service

CENTRE, CLUSTER = 0, 1


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand cells of one part and the requirement groups of its hamlets.

    cell_rc      : (C, 2) int32 grid cells: every populated cell of the area, and the centre cell of each hamlet
    people       : (C,) int64 whole people; 0 only in a centre cell where nobody lives
    hamlet       : (C,) int32 hamlet that the cell belongs to, -1 none
    group_hamlet : (G,) int32; group_kind (G,) uint8 CENTRE or CLUSTER
    group_indptr : (G + 1,) int64, group_cell (nnz,) int32: the cells of each group
    group_need   : (G,) int64 weight that must be served for the group to be met
    centre_cell  : (H,) int32
    Invariant: groups are ordered by hamlet, the centre first; weights are `people`, but 1 in an empty centre cell.
    """

    cell_rc: NDArray[np.int32]
    people: NDArray[np.int64]
    hamlet: NDArray[np.int32]
    group_hamlet: NDArray[np.int32]
    group_kind: NDArray[np.uint8]
    group_indptr: NDArray[np.int64]
    group_cell: NDArray[np.int32]
    group_need: NDArray[np.int64]
    centre_cell: NDArray[np.int32]

    @property
    def hamlets(self) -> int:
        return len(self.centre_cell)

    @property
    def weight(self) -> NDArray[np.int64]:
        """(C,) weight of a cell inside its groups."""
        return np.maximum(self.people, 1)


def build_demand(part: Part, service: Service) -> Demand:
    """Give each populated cell to its nearest hamlet (same commune, within the radius) and form the groups.

    Raises nothing: a part without hamlets or people gives empty arrays.
    """
    hamlets = part.layers.hamlets
    centre_rc = grid_coordinates(part.box, hamlets.geometry.x.to_numpy(), hamlets.geometry.y.to_numpy())
    height, width = part.people.shape
    centre = np.clip(np.rint(centre_rc), 0, [height - 1, width - 1]).astype(np.int32)

    wanted = (part.people >= service.populated_people) & part.inside
    wanted[centre[:, 0], centre[:, 1]] = True
    cell_rc = np.argwhere(wanted).astype(np.int32)
    number = np.full(wanted.shape, -1, dtype=np.int32)
    number[wanted] = np.arange(len(cell_rc), dtype=np.int32)
    people = np.rint(part.people[wanted]).astype(np.int64)
    owner = _owner(part, centre_rc, cell_rc, service.hamlet_radius_km)
    centre_cell = number[centre[:, 0], centre[:, 1]] if len(centre) else np.empty(0, dtype=np.int32)

    groups = _groups(cell_rc, people, owner, centre_cell, wanted.shape, service)
    return Demand(cell_rc, people, owner, *groups, centre_cell)


def _owner(
    part: Part, centre_rc: NDArray[np.float64], cell_rc: NDArray[np.int32], radius_km: float
) -> NDArray[np.int32]:
    owner = np.full(len(cell_rc), -1, dtype=np.int32)
    if not len(centre_rc):
        return owner
    commune = _commune_of_cells(part, cell_rc)
    code = part.layers.hamlets["commune_code"].to_numpy()
    numbers = {value: i for i, value in enumerate(part.layers.communes["commune_code"])}
    # A hamlet whose commune is not drawn takes cells of any commune: -1 matches all.
    hamlet_commune = np.array([numbers.get(c, -1) for c in code], dtype=np.int32)
    radius = radius_km * 1000.0 / part.cell_m
    for group in np.unique(hamlet_commune):
        hamlets = np.flatnonzero(hamlet_commune == group)
        cells = np.flatnonzero(commune == group) if group >= 0 else np.flatnonzero(owner < 0)
        if not len(cells):
            continue
        distance, nearest = cKDTree(centre_rc[hamlets]).query(cell_rc[cells], distance_upper_bound=radius)
        near = np.isfinite(distance)
        owner[cells[near]] = hamlets[nearest[near]]
    return owner


def _commune_of_cells(part: Part, cell_rc: NDArray[np.int32]) -> NDArray[np.int32]:
    from rasterio.features import rasterize

    communes = part.layers.communes
    if communes.empty:
        return np.full(len(cell_rc), -1, dtype=np.int32)
    shapes = [(geometry, i) for i, geometry in enumerate(communes.geometry)]
    raster = rasterize(shapes, out_shape=part.people.shape, transform=part.box.affine, fill=-1, dtype="int32")
    return np.asarray(raster[cell_rc[:, 0], cell_rc[:, 1]], dtype=np.int32)


def _groups(
    cell_rc: NDArray[np.int32],
    people: NDArray[np.int64],
    owner: NDArray[np.int32],
    centre_cell: NDArray[np.int32],
    shape: tuple[int, int],
    service: Service,
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    weight = np.maximum(people, 1)
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], np.arange(len(centre_cell) + 1))
    least = service.cluster_min_households * service.household_people
    hamlet_of, kinds, cells_of, needs = [], [], [], []

    def add(hamlet: int, kind: int, cells: NDArray[np.int32], share: float) -> None:
        hamlet_of.append(hamlet)
        kinds.append(kind)
        cells_of.append(np.sort(cells))
        needs.append(max(1, int(np.ceil(share * weight[cells].sum() - 1e-9))))

    for hamlet, centre in enumerate(centre_cell):
        own = order[start[hamlet] : start[hamlet + 1]].astype(np.int32)
        if service.rule == "people-share":
            add(hamlet, CENTRE, own if len(own) else np.array([centre], dtype=np.int32), service.served_share)
            continue
        add(hamlet, CENTRE, np.array([centre], dtype=np.int32), 1.0)
        for cluster in _clusters(cell_rc[own]):
            cells = own[cluster]
            # A cluster that is the centre cell alone would ask for the same thing twice.
            if people[cells].sum() >= least and not (len(cells) == 1 and cells[0] == centre):
                add(hamlet, CLUSTER, cells, service.served_share)

    indptr = np.concatenate([[0], np.cumsum([len(c) for c in cells_of])]).astype(np.int64)
    flat = np.concatenate(cells_of).astype(np.int32) if cells_of else np.empty(0, dtype=np.int32)
    return (
        np.array(hamlet_of, dtype=np.int32),
        np.array(kinds, dtype=np.uint8),
        indptr,
        flat,
        np.array(needs, dtype=np.int64),
    )


def _clusters(rc: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Connected groups (eight neighbours) of a few cells."""
    if not len(rc):
        return []
    low = rc.min(axis=0)
    window = np.zeros(rc.max(axis=0) - low + 1, dtype=bool)
    window[tuple((rc - low).T)] = True
    labels, count = ndimage.label(window, structure=np.ones((3, 3)))
    label = labels[tuple((rc - low).T)]
    return [np.flatnonzero(label == i) for i in range(1, count + 1)]


def groups_met(demand: Demand, served: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(G,) whether each group is met; `served` (nnz,) says of each entry of `group_cell` whether it has service."""
    if not len(demand.group_hamlet):
        return np.empty(0, dtype=bool)
    got = np.where(served, demand.weight[demand.group_cell], 0)
    return np.asarray(np.add.reduceat(got, demand.group_indptr[:-1]) >= demand.group_need)


def state_of(demand: Demand, unmet: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H,) state of each hamlet when the groups of `unmet` (G,) are not met.

    TRANG when its centre group is unmet, LOM when only clusters are, SERVED when none is. Under the people-share rule
    the one group of a hamlet is its centre group.
    """
    low = np.zeros(demand.hamlets, dtype=bool)
    centre_unmet = np.zeros(demand.hamlets, dtype=bool)
    np.logical_or.at(low, demand.group_hamlet, unmet)
    np.logical_or.at(centre_unmet, demand.group_hamlet, unmet & (demand.group_kind == CENTRE))
    return np.where(centre_unmet, TRANG, np.where(low, LOM, SERVED)).astype(np.uint8)


def hamlet_states(demand: Demand, served: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H,) state of each hamlet when the cells of `served` (C,) have service."""
    return state_of(demand, ~groups_met(demand, served[demand.group_cell]))
