"""A made-up area small enough to reason about: 5.4 km square, a ridge between the standing sites and some hamlets."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from phusong.data_sources.area import Layers, Part
from phusong.data_sources.layers import empty_layer
from phusong.scenarios.baseline import Baseline, compute_baseline
from phusong.scenarios.candidates.build import Candidates, find_candidates
from phusong.scenarios.framing import find_targets
from phusong.scenarios.scenario import Scenario

CELL_M, SIDE, CRS = 90.0, 60, "EPSG:32648"
WEST, NORTH = 500_000.0, 2_400_000.0
SITES = {"A": (30, 12), "B": (50, 8)}
HAMLETS = {"west": (24, 14), "near": (30, 36), "far": (12, 50), "south": (50, 46)}
PEOPLE = {"west": 12, "near": 20, "far": 30, "south": 8}  # a cell; each hamlet has 3 x 3 cells, "alone" the centre only


def frame(kind: str, rows: Sequence[dict], geometry: Sequence[shapely.Geometry]) -> gpd.GeoDataFrame:
    columns = empty_layer(kind).drop(columns="geometry")
    table = pd.DataFrame(list(rows), index=range(len(geometry))).reindex(columns=columns.columns)
    text = [c for c in columns.columns if columns[c].dtype != np.float64]
    table[text] = table[text].astype(object).where(table[text].notna(), None)
    return gpd.GeoDataFrame(table, geometry=list(geometry), crs=CRS)


def at(row: float, col: float, west: float = WEST) -> tuple[float, float]:
    """Centre of a cell."""
    return west + (col + 0.5) * CELL_M, NORTH - (row + 0.5) * CELL_M


def sector(site_id: str, azimuth_deg: float, operator: str, **more: object) -> dict:
    return {
        "site_id": site_id, "operator": operator, "antenna_height_m": 30.0, "azimuth_deg": azimuth_deg,
        "downtilt_deg": 3.0, "technology": "4G", "band": "B3", "backhaul": "fibre", "electricity": "grid", **more,
    }  # fmt: skip


SECTORS = [sector("A", a, "Viettel") for a in (0.0, 120.0, 240.0)] + [sector("B", a, "VNPT") for a in (60.0, 180.0)]


def part(
    *, prefix: str = "", ridge_m: float = 260.0, sectors: Sequence[dict] = SECTORS, hamlets: dict | None = None,
    extra_people: Sequence[tuple[int, int, float]] = (), facilities: Sequence[tuple[int, int]] = (),
    west: float = WEST, **columns: dict,
) -> Part:  # fmt: skip
    """columns: column of the hamlet list -> {hamlet: value}."""
    places = HAMLETS if hamlets is None else hamlets
    row, col = np.mgrid[0:SIDE, 0:SIDE]
    height_m = (100.0 + ridge_m * np.exp(-(((col - 25) / 3.0) ** 2)) + 3.0 * np.sin(row / 4.0)).astype(np.float32)
    people = np.zeros((SIDE, SIDE), np.float32)
    for name, (r, c) in places.items():
        reach = 0 if name.endswith("alone") else 1
        people[r - reach : r + reach + 1, c - reach : c + reach + 1] = PEOPLE.get(name, 10)
    for r, c, count in extra_people:
        people[r, c] = count
    rows = [
        {"hamlet_id": prefix + name, "name": name, "commune_code": "1", "commune": "Xã", "electricity": "grid",
         **{column: values.get(name) for column, values in columns.items()}}
        for name in places
    ]  # fmt: skip
    kinds = {kind: frame(kind, [], []) for kind in Layers.__dataclass_fields__}
    kinds["hamlets"] = frame("hamlets", rows, [shapely.Point(at(*rc, west)) for rc in places.values()])
    listed = [{**s, "site_id": prefix + s["site_id"]} for s in sectors]
    kinds["sectors"] = frame("sectors", listed, [shapely.Point(at(*SITES[s["site_id"]], west)) for s in sectors])
    lines = [[(30, 2), (30, 36), (12, 50)], [(30, 36), (50, 46)]]
    kinds["roads"] = frame("roads", [{}] * 2, [shapely.LineString([at(*p, west) for p in line]) for line in lines])
    kinds["pops"] = frame("pops", [{"pop_id": "P"}], [shapely.Point(at(30, 3, west))])
    kinds["facilities"] = frame(
        "facilities", [{"facility_id": str(i), "kind": "school"} for i in range(len(facilities))],
        [shapely.Point(at(*rc, west)) for rc in facilities],
    )  # fmt: skip
    box = GeoBox((SIDE, SIDE), Affine(CELL_M, 0, west, 0, -CELL_M, NORTH), CRS)
    return Part(prefix or "p", box, height_m, np.ones((SIDE, SIDE), bool), people, Layers(**kinds), 0.0)


def scenario(budget_vnd: int | None = 8_000_000_000, **sections: dict) -> Scenario:
    objective = {"goal": "max_cleared", "budget_vnd": budget_vnd, **sections.pop("objective", {})}
    given = {
        "scenario": {"name": "Thử"},
        "data": {"terrain": {"files": ["t.tif"]}, "population": {"file": "p.tif"}, "hamlets": "h.csv"},
        "candidates": {"max_sites": 12, "heights_m": [25.0]}, "solver": {"threads": 2}, "objective": objective,
        **sections,
    }  # fmt: skip
    return Scenario.model_validate(given)


def baseline_of(part: Part, scenario: Scenario) -> Baseline:
    return compute_baseline(part, scenario.radio, scenario.service, threads=2, on_progress=None)


def candidates_of(baseline: Baseline, scenario: Scenario) -> Candidates:
    hamlets = baseline.part.layers.hamlets
    return find_candidates(
        baseline.part, baseline.network, baseline.part.layers.sectors, find_targets(baseline), scenario.radio,
        scenario.candidates, scenario.costs, technology=scenario.service.minimum_technology,
        horizon_years=scenario.objective.horizon_years,
        served_hamlets=hamlets[baseline.state == 0].reset_index(drop=True),
    )  # fmt: skip


def dug_alone(candidates: Candidates, node: int) -> list[int]:
    """Edges of the cheapest way of fibre to a node."""
    network = candidates.network
    size = len(network.xy)
    graph = csr_array((network.priced_m, (network.start, network.end)), shape=(size, size))
    _, before, _ = dijkstra(
        graph, directed=False, indices=np.flatnonzero(network.lit), return_predecessors=True, min_only=True
    )
    number = {(int(a), int(b)): e for e, (a, b) in enumerate(zip(network.start, network.end, strict=True))}
    edges = []
    while (last := int(before[node])) >= 0:
        edges.append(number[min(node, last), max(node, last)])
        node = last
    return edges


def by_fibre(parts: Sequence[Candidates], chosen: Sequence[int]) -> tuple[list[int], list[int]]:
    """A way for each chosen option, -1 where it needs none, and the trenches: everyone along his own cheapest route."""
    ways, trenches = [], set()
    option_first = way_first = edge_first = 0
    for part in parts:
        for option in sorted(chosen):
            if not option_first <= option < option_first + len(part.options):
                continue
            if not part.needs_way[option - option_first]:
                ways.append(-1)
                continue
            own = part.ways[(part.ways["option"] == option - option_first) & (part.ways["kind"] == "fibre")]
            ways.append(way_first + int(own.index[0]))
            trenches |= {edge_first + e for e in dug_alone(part, int(own["node"].iloc[0]))}
        option_first += len(part.options)
        way_first += len(part.ways)
        edge_first += len(part.network.start)
    return ways, sorted(trenches)
