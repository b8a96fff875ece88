"""A synthetic mountain province from a seed: land, people, roads, networks, and a scenario that plans it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.data_sources.reading import read_area
from phusong.scenarios.demand import build_demand
from phusong.scenarios.demo.calibration import Standing, building_order, served_cells, set_number
from phusong.scenarios.demo.files import write_heights, write_layer, write_population, write_scenario, write_sites
from phusong.scenarios.demo.names import OPERATORS, PROVINCE
from phusong.scenarios.demo.networks import make_electricity, make_fibre, make_power_lines
from phusong.scenarios.demo.operators import BAND, LOW_BAND, Carrier, find_places, hang_stations, sector_list
from phusong.scenarios.demo.registers import make_facilities, make_forests, official_list
from phusong.scenarios.demo.roads import CLASS_NAME, CLASS_WIDTH_M, Roads, make_roads
from phusong.scenarios.demo.settlements import Communes, Hamlets, commune_polygons, make_communes, make_hamlets
from phusong.scenarios.demo.terrain import Ground, make_ground
from phusong.scenarios.scenario import read_scenario

NEEDED_FOR_DEMAND = ("communes", "hamlets", "roads")
FIBRE_AT_SITE, MICROWAVE_AT_SITE = 0.65, 0.30  # of sites away from fibre routes; of the rest nobody knows
AT_ROUTE_M = 600.0
STRICT_FORESTS = 2  # the largest tracts, closed to building; in the others it is dearer
Progress = Callable[[str, int, int], None]


def make_province(folder: Path, seed: int, *, on_progress: Progress | None = None) -> Path:
    """Write a synthetic province and its scenario into a folder; returns the scenario's path.

    Files of an earlier province there are replaced. Equal seeds give equal bytes.
    on_progress : called with the name of the step, steps done and steps in all
    """
    steps = ("địa hình / terrain", "bản làng / settlements", "đường / roads", "trạm / sites", "lưới / networks")
    done = 0

    def tell() -> None:
        nonlocal done
        if on_progress is not None:
            on_progress(steps[min(done, len(steps) - 1)], done, len(steps))
        done += 1

    def rng(stage: int) -> np.random.Generator:
        return np.random.default_rng([seed, stage])

    folder.mkdir(parents=True, exist_ok=True)
    tell()
    ground = make_ground(rng(0))
    write_heights(folder, ground)
    tell()
    communes = make_communes(ground)
    hamlets = make_hamlets(ground, communes, rng(1))
    write_population(folder, ground.xy(hamlets.house_cell), hamlets.house_people, rng(2))
    tell()
    roads = make_roads(ground, communes, hamlets)
    _write_land(folder, ground, communes, hamlets, roads)
    scenario = write_scenario(folder, seed)
    tell()
    sectors, standing = _make_sites(scenario, ground, communes, hamlets, roads, rng(3))
    tell()
    _write_networks(folder, ground, communes, hamlets, roads, sectors, standing, rng(4))
    tell()
    return scenario


def _write_land(folder: Path, ground: Ground, communes: Communes, hamlets: Hamlets, roads: Roads) -> None:
    """What the demand is computed from; the hamlet list is written again when the networks are known."""
    names = {"commune_code": communes.code, "commune": communes.name, "province": PROVINCE}
    write_layer(folder, "communes", commune_polygons(ground, communes), names)
    write_layer(folder, "hamlets", shapely.points(ground.xy(hamlets.cell)), _hamlet_columns(communes, hamlets))
    columns = {
        "road_id": [f"MP-D{number + 1:04d}" for number in range(len(roads.line))],
        "width_m": np.array(CLASS_WIDTH_M)[roads.grade],
        "road_class": np.array(CLASS_NAME)[roads.grade],
    }
    write_layer(folder, "roads", roads.line, columns)


def _hamlet_columns(communes: Communes, hamlets: Hamlets) -> dict[str, object]:
    return {
        "hamlet_id": [f"MP-{number + 1:04d}" for number in range(len(hamlets.cell))],
        "name": hamlets.name,
        "commune_code": np.array(communes.code)[hamlets.commune],
        "commune": np.array(communes.name)[hamlets.commune],
        "population": hamlets.people,
        "households": hamlets.households,
    }


def _make_sites(
    scenario_path: Path, ground: Ground, communes: Communes, hamlets: Hamlets, roads: Roads, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, Standing]:
    """The sectors that stand, and the state of each hamlet that they lead to."""
    scenario, folder = read_scenario(scenario_path)
    sources = scenario.sources(folder)
    layers = {kind: sources.layers[kind] for kind in NEEDED_FOR_DEMAND}
    part = read_area(replace(sources, layers=layers)).parts[0]
    demand = build_demand(part, scenario.service)
    centres = demand.cell_rc[demand.centre_cell]

    every = find_places(ground, communes, hamlets, roads, rng)
    plain = sector_list(ground, every, [Carrier(place, 0, "4G", BAND) for place in range(len(every))])
    serves = served_cells(part, centres, scenario.radio, scenario.service, plain, plain["place"].to_numpy())
    places = every.take(building_order(serves, hamlets.people, every.at_seat, rng))

    sectors = sector_list(ground, places, hang_stations(ground, places, hamlets, rng))
    low_band = sectors["band"].to_numpy() == LOW_BAND
    place = sectors["place"].to_numpy()
    key = place + len(places) * low_band
    served = served_cells(part, demand.cell_rc, scenario.radio, scenario.service, sectors, key)
    standing = set_number(demand, served[: len(places)], served[len(places) :])
    kept = (place < standing.places) & (~low_band | (place < standing.low_bands))
    return sectors[kept].reset_index(drop=True), standing


def _write_networks(
    folder: Path,
    ground: Ground,
    communes: Communes,
    hamlets: Hamlets,
    roads: Roads,
    sectors: gpd.GeoDataFrame,
    standing: Standing,
    rng: np.random.Generator,
) -> None:
    hamlet_xy = ground.xy(hamlets.cell)
    fibre = make_fibre(communes, hamlets, roads)
    names = [f"Nút quang {communes.name[commune].split(' ', 1)[1]} (mô phỏng)" for commune in fibre.pop]
    pops = {"pop_id": [f"MP-P{number + 1:02d}" for number in range(len(names))], "name": names}
    write_layer(folder, "pops", shapely.points(ground.xy(communes.seat[fibre.pop])), pops)
    routes = {"route_id": [f"MP-Q{number + 1:02d}" for number in range(len(fibre.route))], "owner": OPERATORS[0]}
    write_layer(folder, "fibre_routes", fibre.route, routes)

    electricity = make_electricity(roads, standing.state > 0, rng)
    power = make_power_lines(ground, communes, hamlets, roads, electricity, rng)
    lines = {"line_id": [f"MP-L{n + 1:04d}" for n in range(len(power.line))], "voltage_kv": power.voltage_kv}
    write_layer(folder, "power_lines", power.line, lines)

    first = sectors.drop_duplicates("place")
    site_xy = shapely.get_coordinates(first.geometry.to_numpy())
    backhaul = _backhaul(first.geometry.to_numpy(), fibre.route, rng)
    supply = electricity[cKDTree(hamlet_xy).query(site_xy)[1]]
    place = sectors["place"].to_numpy()
    site = np.where(supply == "none", "off-grid", supply)
    write_sites(folder, sectors.assign(backhaul=backhaul[place], electricity=site[place]))

    operator = np.array([OPERATORS.index(name) for name in first["operator"]], dtype=np.int32)
    nearest = operator[cKDTree(site_xy).query(hamlet_xy)[1]]
    listed = official_list(standing.state, nearest, roads.remoteness, rng)
    declared = {
        "declared_state": listed.state,
        "declared_by": listed.by,
        "declared_document": listed.document,
        "declared_date": listed.date,
        "assigned_operator": listed.operator,
        "deadline": listed.deadline,
        "electricity": electricity,
    }
    write_layer(folder, "hamlets", shapely.points(hamlet_xy), {**_hamlet_columns(communes, hamlets), **declared})

    facilities = make_facilities(ground, communes, hamlets, roads, rng)
    ids = [f"MP-F{number + 1:04d}" for number in range(len(facilities.kind))]
    columns = {"facility_id": ids, "name": facilities.name, "kind": facilities.kind}
    write_layer(folder, "facilities", shapely.points(facilities.xy), columns)

    forests = make_forests(ground, communes, hamlets, roads)
    strict = np.arange(len(forests)) < STRICT_FORESTS
    tracts = {
        "exclusion_id": [f"MP-R{number + 1}" for number in range(len(forests))],
        "kind": np.where(strict, "Rừng đặc dụng (mô phỏng)", "Rừng phòng hộ (mô phỏng)"),
        "rule": np.where(strict, "forbid", "penalty"),
        "cost_factor": np.where(strict, np.nan, 1.5),
    }
    write_layer(folder, "exclusions", forests, tracts)


def _backhaul(
    sites: NDArray[np.object_], routes: tuple[shapely.LineString, ...], rng: np.random.Generator
) -> NDArray[np.object_]:
    """Fibre beside a route; elsewhere mostly fibre, else microwave, and a few of which nobody knows."""
    near = shapely.distance(sites, shapely.union_all(routes)) < AT_ROUTE_M
    shares = [FIBRE_AT_SITE, MICROWAVE_AT_SITE, 1.0 - FIBRE_AT_SITE - MICROWAVE_AT_SITE]
    drawn = rng.choice(np.array(["fibre", "microwave", "unknown"], dtype=object), len(sites), p=shares)
    return np.where(near, "fibre", drawn)
