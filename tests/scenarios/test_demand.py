"""Demand cells, requirement groups and states, on areas small enough to check by eye."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from shapely.geometry import Point, box

from phusong.data_sources.area import Layers, Part
from phusong.data_sources.layers import empty_layer
from phusong.scenarios.demand import CENTRE, CLUSTER, build_demand, groups_met, hamlet_states
from phusong.scenarios.service import LOM, SERVED, TRANG, Service

CELL = 90.0


def part(people: np.ndarray, hamlets: list[tuple[int, int]], communes: list[int] | None = None) -> Part:
    """A flat part; a hamlet stands at the centre of each given (row, col); commune i is a column half."""
    height, width = people.shape
    grid = GeoBox.from_bbox(
        (500000, 2300000, 500000 + width * CELL, 2300000 + height * CELL), "EPSG:32648", resolution=CELL
    )
    codes = communes or [0] * len(hamlets)
    points = [Point(*(grid.affine * (c + 0.5, r + 0.5))) for r, c in hamlets]
    kinds = list(Layers.__dataclass_fields__)
    layers = {k: empty_layer(k).set_crs("EPSG:32648", allow_override=True) for k in kinds}
    frame = gpd.GeoDataFrame(
        {
            "hamlet_id": [f"h{i}" for i in range(len(hamlets))],
            "name": "Bản",
            "commune_code": [f"{c:05d}" for c in codes],
            "declared_state": None,
            "assigned_operator": None,
        },
        geometry=points,
        crs="EPSG:32648",
    )
    layers["hamlets"] = frame
    if communes is not None:
        x0, y0, x1, y1 = grid.extent.boundingbox
        middle = (x0 + x1) / 2
        layers["communes"] = gpd.GeoDataFrame(
            {"commune_code": ["00000", "00001"], "commune": ["Tây", "Đông"], "province": "P"},
            geometry=[box(x0, y0, middle, y1), box(middle, y0, x1, y1)],
            crs="EPSG:32648",
        )
    flat = np.zeros(people.shape, dtype=np.float32)
    return Part("p", grid, flat, np.ones(people.shape, dtype=bool), people.astype(np.float32), Layers(**layers), 0.0)


def village() -> np.ndarray:
    people = np.zeros((20, 30))
    people[10, 5:8] = 30  # the centre's own cluster
    people[10, 12] = 25  # a cluster apart
    people[2, 5] = 8  # fewer than five households: no cluster
    return people


def test_groups_of_one_hamlet() -> None:
    demand = build_demand(part(village(), [(10, 6)]), Service())
    assert demand.group_kind.tolist() == [CENTRE, CLUSTER, CLUSTER]
    members = np.split(demand.group_cell, demand.group_indptr[1:-1])
    assert [demand.people[m].sum() for m in members] == [30, 90, 25]
    assert demand.group_need.tolist() == [30, 72, 20]


@pytest.mark.parametrize(
    ("cells", "state"),
    [
        ([(10, 5), (10, 6), (10, 7), (10, 12)], SERVED),
        ([(10, 5), (10, 6), (10, 7)], LOM),
        ([(10, 12)], TRANG),
        ([], TRANG),
    ],
)
def test_states_by_the_counting_rule(cells: list[tuple[int, int]], state: int) -> None:
    demand = build_demand(part(village(), [(10, 6)]), Service())
    served = np.array([tuple(rc) in cells for rc in demand.cell_rc.tolist()])
    assert hamlet_states(demand, served).tolist() == [state]


def test_people_share_is_one_group() -> None:
    demand = build_demand(part(village(), [(10, 6)]), Service(rule="people-share"))
    assert demand.group_need.tolist() == [int(np.ceil(0.8 * 123))]


def test_a_cell_goes_to_the_nearest_hamlet_of_its_own_commune() -> None:
    people = np.zeros((10, 20))
    people[5, 9] = 50  # west of the border, nearer to the eastern hamlet
    demand = build_demand(part(people, [(5, 2), (5, 11)], communes=[0, 1]), Service())
    cell = demand.cell_rc.tolist().index([5, 9])
    assert demand.hamlet[cell] == 0


def test_nobody_beyond_the_radius_belongs_to_the_hamlet() -> None:
    people = np.zeros((10, 40))
    people[5, 2], people[5, 2 + 17] = 40, 40  # 17 cells of 90 m are more than 1.5 km
    demand = build_demand(part(people, [(5, 2)]), Service())
    assert demand.hamlet.tolist() == [0, -1]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_more_service_never_makes_a_state_worse(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    people = rng.poisson(3, (15, 15)) * rng.integers(0, 2, (15, 15)) * 3.0
    demand = build_demand(part(people, [(3, 3), (11, 9), (7, 12)]), Service())
    few = rng.random(len(demand.people)) < 0.4
    more = few | (rng.random(len(demand.people)) < 0.4)
    assert (hamlet_states(demand, more) <= hamlet_states(demand, few)).all()
    assert groups_met(demand, np.ones(len(demand.group_cell), dtype=bool)).all()
