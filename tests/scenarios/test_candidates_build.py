"""Candidates of a small made-up part, and of a real one."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.microwave import clearance
from phusong.coverage.sectors import Sectors
from phusong.coverage.terrain import Terrain
from phusong.data_sources.area import Layers, Part
from phusong.data_sources.grid import planning_grids
from phusong.data_sources.layers import empty_layer, read_layer
from phusong.data_sources.terrain import read_terrain
from phusong.scenarios.candidates.build import Candidates, find_candidates, with_ways
from phusong.scenarios.candidates.fibre import fibre_paths
from phusong.scenarios.candidates.ground import Ground
from phusong.scenarios.candidates.reasons import REASONS
from phusong.scenarios.candidates.settings import KINDS, CandidateSettings, Costs
from phusong.scenarios.candidates.targets import Targets
from phusong.scenarios.candidates.ways import joined_ways, way_table
from phusong.scenarios.errors import NoOperatorKnown, UnusableBand
from phusong.scenarios.radio import Radio, existing_network, grid_coordinates, true_north_deg

CELL_M, SIDE = 100.0, 120
WEST, NORTH = 500_000.0, 2_400_000.0
COSTS = ("tower_vnd", "road_vnd", "power_vnd", "backhaul_vnd", "radio_vnd")
# The hamlets are 2-3 km from the ridge that no sector faces, and some 12 km of road from the PoP.
FAR = {"repeater_reach_km": 4.0, "repeater_donor_rsrp_dbm": -120.0, "remote_radio_fibre_km": 15.0}
COUNTED_ELSEWHERE = (  # reasons that leave out an improvement, not a place
    "sector-already-faces-the-hamlets",
    "sector-already-aimed",
    "mast-too-high-to-raise",
    "low-band-already-there",
    "omnidirectional-site-cannot-be-re-aimed",
)


def at(row: float, col: float) -> tuple[float, float]:
    return WEST + col * CELL_M, NORTH - row * CELL_M


def layer(kind: str, rows: list[dict], geometry: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    frame = empty_layer(kind).drop(columns="geometry")
    table = pd.DataFrame(rows, index=range(len(geometry))).reindex(columns=frame.columns)
    text = [c for c in frame.columns if frame[c].dtype != np.float64]
    table[text] = table[text].astype(object).where(table[text].notna(), None)
    return gpd.GeoDataFrame(table, geometry=geometry, crs="EPSG:32648")


def sector_row(site_id: str, azimuth_deg: float, operator: str = "Viettel", **more) -> dict:
    return {
        "site_id": site_id, "operator": operator, "antenna_height_m": 30.0, "azimuth_deg": azimuth_deg,
        "downtilt_deg": 4.0, "technology": "4G", "band": "B3", "backhaul": "unknown", "electricity": "unknown", **more,
    }  # fmt: skip


def made_up(*, exclusions: gpd.GeoDataFrame | None = None, sectors: list[dict] | None = None, **hamlet) -> tuple:
    """A 12 km square with a ridge in the middle: a site and a PoP west of it, four low-signal hamlets east of it."""
    row, col = np.mgrid[0:SIDE, 0:SIDE]
    ridge_m = 250.0 * np.exp(-(((col - 60) / 6.0) ** 2))
    knolls_m = 60.0 * np.exp(-((row - 30) ** 2 + (col - 96) ** 2) / 4.0)
    height_m = (50.0 + ridge_m + knolls_m + 8.0 * np.sin(row / 5.0) * np.sin(col / 7.0)).astype(np.float32)
    centres = [(30, 93), (33, 94), (70, 90), (95, 80)]
    hamlets = layer(
        "hamlets",
        [
            {"hamlet_id": f"T{k}", "name": f"Thôn {k}", "population": 300.0, "electricity": "grid", **hamlet}
            for k in range(4)
        ],
        [shapely.Point(at(r + 0.5, c + 0.5)) for r, c in centres],
    )
    rows = sectors or [sector_row("A", azimuth_deg) for azimuth_deg in (0.0, 180.0, 270.0)]
    sites = {"A": (60, 48), "B": (20, 20)}
    frame = layer("sectors", rows, [shapely.Point(at(*sites[r["site_id"]])) for r in rows])
    roads = [[(60, 2), (60, 40), (45, 60), (62, 88), (95, 82)], [(62, 88.1), (30, 92)], [(10, 10), (60, 10)]]
    layers = Layers(
        hamlets=hamlets,
        sectors=frame,
        roads=layer("roads", [{}] * 3, [shapely.LineString([at(*p) for p in line]) for line in roads]),
        pops=layer("pops", [{"pop_id": "P"}], [shapely.Point(at(60, 5))]),
        fibre_routes=empty_layer("fibre_routes").set_crs(32648, allow_override=True),
        power_lines=layer("power_lines", [{"voltage_kv": 110.0}], [shapely.LineString([at(0, 94), at(119, 86)])]),
        facilities=empty_layer("facilities").set_crs(32648, allow_override=True),
        exclusions=empty_layer("exclusions").set_crs(32648, allow_override=True) if exclusions is None else exclusions,
        communes=empty_layer("communes").set_crs(32648, allow_override=True),
    )
    box = GeoBox((SIDE, SIDE), Affine(CELL_M, 0, WEST, 0, -CELL_M, NORTH), "EPSG:32648")
    inside = np.ones((SIDE, SIDE), dtype=np.bool_)
    part = Part("made-up", box, height_m, inside, np.zeros((SIDE, SIDE), np.float32), layers, 0.0)
    return part, targets_around(hamlets, np.array(centres))


def targets_around(hamlets: gpd.GeoDataFrame, centre_rc: np.ndarray) -> Targets:
    """Nine cells a hamlet, the centre twice as populous."""
    steps = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)])
    cell_rc = (centre_rc[:, None] + steps[None]).reshape(-1, 2).astype(np.int32)
    people = np.tile([30, 30, 30, 30, 60, 30, 30, 30, 30], len(centre_rc)).astype(np.int64)
    hamlet = np.repeat(np.arange(len(centre_rc), dtype=np.int32), 9)
    return Targets(cell_rc, people, hamlet, hamlets)


def found(part: Part, targets: Targets, technology: str = "4G", radio: Radio | None = None, **settings) -> Candidates:
    radio = radio or Radio()
    network, _ = existing_network(part.layers.sectors, part.box, radio)
    served = part.layers.hamlets.iloc[:0]
    return find_candidates(
        part, network, part.layers.sectors, targets, radio, CandidateSettings(**settings), Costs(),
        technology=technology, horizon_years=10, served_hamlets=served,
    )  # fmt: skip


def assert_consistent(candidates: Candidates) -> None:
    options, sites = candidates.options, candidates.sites
    assert options["option_id"].is_unique
    assert sites["site_id"].is_unique
    assert len(candidates.site_rc) == len(sites)
    assert (options["site_id"].to_numpy() == sites["site_id"].to_numpy()[options["location"]]).all()
    assert (options["capex_vnd"] == options[list(COSTS)].sum(axis=1)).all()
    assert (options["lifetime_vnd"] == options["capex_vnd"] + 10 * options["opex_vnd_per_year"]).all()
    assert options[[*COSTS, "capex_vnd", "lifetime_vnd"]].dtypes.eq(np.int64).all()
    location = options["location"].to_numpy()[candidates.sector_option]
    assert (candidates.sectors.location == location).all()
    assert set(candidates.sector_option) == set(range(len(options)))
    assert len(candidates.replaces) == len(options)
    grouped = options[options["exclusive"] >= 0].groupby("exclusive")["location"].nunique()
    assert (grouped == 1).all()
    assert set(candidates.dropped) | set(candidates.inferred) <= set(REASONS)
    rank = options["kind"].map({k: i for i, k in enumerate(("improve", "remote-radio", "repeater", "new-site"))})
    assert rank.fillna(0).is_monotonic_increasing


@pytest.fixture(scope="module")
def plain() -> Candidates:
    return found(*made_up(), **FAR)


def test_all_kinds_are_found_and_fit_together(plain):
    assert_consistent(plain)
    assert set(plain.options["kind"]) == set(KINDS) - {"new-technology"}
    assert plain.layers == (("Viettel", "4G"),)
    assert set(plain.options["technology"]) == {"4G"}
    assert set(plain.options.loc[plain.options["kind"] == "new-low-band", "band"]) == {"B28", "B8"}


def test_the_same_input_gives_the_same_candidates(plain):
    again = found(*made_up(), **FAR)
    pd.testing.assert_frame_equal(again.options, plain.options)
    pd.testing.assert_frame_equal(pd.DataFrame(again.sites), pd.DataFrame(plain.sites))
    pd.testing.assert_frame_equal(pd.DataFrame(again.routes), pd.DataFrame(plain.routes))
    for name in Sectors.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again.sectors, name), getattr(plain.sectors, name))


def test_a_re_aimed_sector_takes_the_place_of_the_one_that_was_turned(plain):
    """Site A looks north, south and west; the hamlets lie east: the nearest sector is turned, the others stay."""
    number = int(np.flatnonzero(plain.options["kind"] == "re-aimed")[0])
    (new,) = np.flatnonzero(plain.sector_option == number)
    assert 60.0 < plain.sectors.azimuth_deg[new] < 150.0
    assert plain.sectors.height_m[new] == 30.0
    old = {0: 0.0, 1: 180.0, 2: 270.0}[int(plain.replaces[number][0])]
    assert len(plain.replaces[number]) == 1
    turn_deg = [abs((plain.sectors.azimuth_deg[new] - a + 180) % 360 - 180) for a in (0.0, 180.0, 270.0)]
    assert old == (0.0, 180.0, 270.0)[int(np.argmin(turn_deg))]
    assert plain.options["capex_vnd"].iloc[number] == round(Costs().re_aim_vnd.value)


def test_ids_name_the_true_azimuth_that_tables_print():
    """Off the middle of the zone the grid is turned against true north; the id says what a rigger sets."""
    part, targets = made_up()
    layers = Layers(**{
        name: frame.set_geometry(frame.geometry.translate(xoff=-250_000.0)) if len(frame) else frame
        for name in Layers.__dataclass_fields__ for frame in [getattr(part.layers, name)]
    })  # fmt: skip
    far_west = replace(
        part,
        layers=layers,
        box=GeoBox((SIDE, SIDE), Affine(CELL_M, 0, WEST - 250_000.0, 0, -CELL_M, NORTH), "EPSG:32648"),
    )
    moved = found(far_west, replace(targets, hamlets=layers.hamlets), **FAR)
    turned = moved.options[moved.options["kind"].isin(["re-aimed", "sector-added"])]
    assert len(turned) >= 2
    assert moved.options["option_id"].is_unique
    for number, option in turned.iterrows():
        (sector,) = np.flatnonzero(moved.sector_option == number)
        place = moved.sites.geometry.iloc[[option["location"]]]
        true_deg = moved.sectors.azimuth_deg[sector] - true_north_deg(place)[0]
        assert abs(true_deg - moved.sectors.azimuth_deg[sector]) > 0.5
        assert option["option_id"].endswith(f"m/{round(true_deg % 360.0, 1):g}deg")


def test_a_raised_mast_replaces_all_its_sectors_and_excludes_re_aiming(plain):
    number = int(np.flatnonzero(plain.options["kind"] == "higher-mast")[0])
    assert plain.replaces[number].tolist() == [0, 1, 2]
    new = plain.sector_option == number
    assert plain.sectors.height_m[new].tolist() == [42.0] * 3
    turn_deg = (plain.sectors.azimuth_deg[new] - [0.0, 180.0, 270.0] + 180.0) % 360.0 - 180.0
    assert np.abs(turn_deg).max() < 1.0  # true north is not quite the grid's
    assert plain.options["tower_vnd"].iloc[number] == round(12 * Costs().mast_extension_vnd_per_m.value)
    re_aimed = plain.options[plain.options["kind"] == "re-aimed"]
    assert plain.options["exclusive"].iloc[number] == re_aimed["exclusive"].iloc[0] >= 0
    others = [k for k, kind in enumerate(plain.options["kind"]) if kind not in ("higher-mast", "re-aimed")]
    assert all(len(plain.replaces[k]) == 0 for k in others)


def test_a_new_site_turns_its_first_sector_to_the_people(plain):
    """The hamlet tower on the knoll east of T0 and T1 looks back west at them."""
    number = int(np.flatnonzero((plain.options["site_id"] == "H-T0") & (plain.options["band"] == "B28"))[0])
    azimuth_deg = plain.sectors.azimuth_deg[plain.sector_option == number]
    assert 180.0 < azimuth_deg[0] < 300.0
    assert np.diff(azimuth_deg) % 360 == pytest.approx([120.0, 120.0])
    knoll = plain.sites.set_index("site_id").loc["H-T0"]
    assert knoll["ground_m"] > 90.0


def test_nothing_is_left_out_uncounted(plain):
    """Each hamlet is asked for a tower, a pole and a repeater, each peak for a tower, each existing site once."""
    part, targets = made_up()
    peaks = sum(n for reason, n in plain.dropped.items() if reason.startswith("high-ground"))
    places = sum(n for reason, n in plain.dropped.items() if reason not in COUNTED_ELSEWHERE) + len(plain.sites)
    kept_peaks = int((plain.sites["place"] == "high-ground").sum())
    assert places == 3 * len(targets.hamlets) + peaks + kept_peaks + 1

    fewer = found(part, targets, max_sites=2, **FAR)
    assert fewer.sites["place"].isin(["hamlet", "high-ground"]).sum() == 2
    towers = plain.sites["place"].isin(["hamlet", "high-ground"]).sum()
    assert fewer.dropped["beyond-max-sites"] == towers - 2

    none = found(replace(part, layers=replace(part.layers, pops=part.layers.pops.iloc[:0])), targets)
    assert not none.options["kind"].isin(["new-site", "remote-radio"]).any()
    assert none.dropped["no-fibre-within-the-limit"] == len(targets.hamlets)
    assert none.dropped["no-backhaul-within-the-limit"] == towers


def test_forbidden_ground_is_left_free_and_penalties_are_paid(plain):
    west_of_t2, east_of_t2 = at(0, 85)[0], at(0, 95)[0]
    area = shapely.box(west_of_t2, at(SIDE, 0)[1], east_of_t2, NORTH)
    forbidden = layer("exclusions", [{"exclusion_id": "X", "rule": "forbid"}], [area])
    kept = found(*made_up(exclusions=forbidden))
    new = kept.sites[kept.sites["status"] == "new"]
    assert len(new)
    assert not new.intersects(area).any()
    assert not kept.routes[kept.routes["kind"] != "fibre"].crosses(area.buffer(-1)).any()
    assert kept.dropped["remote-radio-forbidden"] == 3
    assert (kept.sites["status"] == "existing").sum() == 1

    everywhere = layer("exclusions", [{"exclusion_id": "X", "rule": "forbid"}], [area.buffer(20_000)])
    assert set(found(*made_up(exclusions=everywhere)).sites["status"]) == {"existing"}

    dear = layer("exclusions", [{"exclusion_id": "X", "rule": "penalty", "cost_factor": 2.5}], [area.buffer(20_000)])
    paid = found(*made_up(exclusions=dear)).options.set_index("option_id")["tower_vnd"]
    free = plain.options.set_index("option_id")["tower_vnd"]
    towers = [name for name in free.index if "/new-site/" in name]
    assert paid[towers].to_numpy() == pytest.approx(2.5 * free[towers].to_numpy())


def test_crossing_ground_is_priced_by_slope_and_stopped_by_forbidden_areas():
    """A plane that rises 30 m per 100 m to the east: along it +90%, across it nothing."""
    area = layer("exclusions", [{"exclusion_id": "X", "rule": "forbid"}], [shapely.Point(at(100, 100)).buffer(200)])
    part, _ = made_up(exclusions=area)
    height_m = np.broadcast_to(30.0 * np.arange(SIDE, dtype=np.float32), (SIDE, SIDE))
    ground = Ground(replace(part, height_m=height_m), slope_surcharge=3.0)
    start = np.array([at(10, 10), at(10, 10), at(100, 90)])
    end = np.array([at(10, 40), at(50, 10), at(100, 110)])
    assert ground.price(start, end) == pytest.approx([1.9, 1.0, np.inf])


def test_the_transmission_line_feeds_nothing(plain):
    """Only a 110 kV line is mapped; all hamlets have electricity, so EVN must confirm what the towers draw from."""
    new = plain.options[plain.options["power"] != "existing"]
    assert new.loc[new["power"] == "grid", "evn_confirm"].all()
    assert not new.loc[new["power"] == "solar-battery", "evn_confirm"].any()
    for line in plain.routes.loc[plain.routes["kind"] == "power", "geometry"]:
        start = shapely.Point(line.coords[0])
        assert made_up()[0].layers.hamlets.distance(start).min() < 1e-6

    dark = found(*made_up(electricity="none"))
    assert set(dark.options.loc[dark.options["kind"] == "new-site", "power"]) == {"solar-battery"}


def test_costs_are_without_backhaul_and_each_way_has_its_own(plain):
    options, ways, network = plain.options, plain.ways, plain.network
    assert (options["backhaul_vnd"] == 0).all()
    needing = np.flatnonzero(plain.needs_way)
    assert set(options["kind"].iloc[needing]) == {"new-site", "remote-radio"}
    assert set(ways["option"]) == set(needing.tolist())
    assert not ways.duplicated(["option", "kind"]).any()
    assert ways["option"].is_monotonic_increasing
    fibre, link = ways[ways["kind"] == "fibre"], ways[ways["kind"] == "microwave"]
    assert (network.xy[fibre["node"]] == place_of(plain, fibre)).all()
    assert (fibre[["capex_vnd", "opex_vnd_per_year", "lifetime_vnd"]] == 0).all(axis=None)
    assert (link["node"] == -1).all()
    assert (link["capex_vnd"] == round(Costs().microwave_link_vnd.value)).all()
    assert (link["lifetime_vnd"] == link["capex_vnd"] + 10 * link["opex_vnd_per_year"]).all()
    assert set(options["kind"].iloc[link["option"]]) == {"new-site"}
    alone = fibre_paths(network, fibre["node"].to_numpy())
    assert alone.trench_vnd.tolist() == options["fibre_alone_vnd"].iloc[fibre["option"]].tolist()
    assert alone.length_m / 1000 == pytest.approx(options["fibre_km"].iloc[fibre["option"]].to_numpy())
    assert set(network.lit.nonzero()[0]) == {len(network.xy) - 1}


def place_of(candidates: Candidates, ways: pd.DataFrame) -> np.ndarray:
    sites = candidates.sites.iloc[candidates.options["location"].iloc[ways["option"]]]
    return np.column_stack([sites.geometry.x, sites.geometry.y])


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_links_see_their_ends_and_hang_on_each_other_without_circles(hops):
    part, targets = made_up()
    asked = {"microwave_hops": hops, "microwave_clearance": 0.3, "microwave_over_new_towers": True}
    candidates = found(part, targets, **asked, **FAR)
    ways, settings = candidates.ways, CandidateSettings()
    terrain = Terrain(part.height_m, part.cell_m)
    heights = candidates.options["height_m"].to_numpy()
    link = ways[ways["kind"] == "microwave"]
    assert len(link)
    here = dict(zip(link.index, place_of(candidates, link), strict=True))
    everywhere = dict(zip(ways.index, place_of(candidates, ways), strict=True))

    def clear(row: int, xy: np.ndarray, height_m: float) -> float:
        rc = grid_coordinates(part.box, np.array([here[row][0], xy[0]]), np.array([here[row][1], xy[1]]))
        up = heights[ways["option"][row]]
        return clearance(terrain, rc[:1], [up], rc[1:], [height_m], settings.microwave_ghz)[0]

    depth: dict[int, int] = dict.fromkeys(ways.index[ways["kind"] == "fibre"], 0)
    for row in [*link.index[link["relays"].str.len() == 0], *link.index[link["relays"].str.len() > 0]]:
        way = ways.loc[row]
        if not way["relays"]:
            assert way["end_id"] == "P"
            assert clear(row, np.array([way["end_x"], way["end_y"]]), way["end_height_m"]) >= 0.3
            depth[row] = 1
    left = [row for row in link.index if row not in depth]
    while ready := [row for row in left if all(r in depth for r in ways.loc[row, "relays"])]:
        for row in ready:
            depth[row] = 1 + max(depth[r] for r in ways.loc[row, "relays"])
        left = [row for row in left if row not in depth]
    assert not left  # a circle would never get ready
    assert max(depth.values()) <= hops
    for row in link.index:
        for relay in ways.loc[row, "relays"]:
            assert (everywhere[relay] != here[row]).any()
            assert clear(row, everywhere[relay], heights[ways["option"][relay]]) >= 0.3


def test_a_thinned_network_costs_no_place_more_alone(plain):
    thin = found(*made_up(), trenches=0, **FAR)
    assert thin.inferred["trenches-not-offered"] == len(plain.network.start) - len(thin.network.start) > 0
    pd.testing.assert_frame_equal(thin.options, plain.options)
    pd.testing.assert_frame_equal(thin.ways, plain.ways)


def test_the_scenario_says_which_backhaul_there_is():
    part, targets = made_up()
    only_fibre = found(part, targets, backhaul=("fibre",), **FAR)
    assert set(only_fibre.ways["kind"]) == {"fibre"}
    only_links = found(part, targets, backhaul=("microwave",), microwave_clearance=0.0, **FAR)
    assert set(only_links.ways["kind"]) <= {"microwave"}
    assert "remote-radio" not in set(only_links.options["kind"])
    assert set(only_links.ways["option"]) == set(np.flatnonzero(only_links.needs_way).tolist())
    dark = replace(part, layers=replace(part.layers, pops=part.layers.pops.iloc[:0]))
    by_satellite = found(dark, targets, backhaul=("fibre", "leo"), **FAR)
    assert by_satellite.needs_way.any()
    assert len(by_satellite.ways) == 0
    row = {"option": int(np.flatnonzero(by_satellite.needs_way)[0]), "kind": "leo", "cap": "leo-terminals"}
    more = with_ways(by_satellite, pd.DataFrame([row]))
    assert more.ways["cap"].tolist() == ["leo-terminals"]
    assert more.ways[["node", "relay_most", "until", "relays"]].iloc[0].tolist() == [-1, 0, "", ()]


def test_further_ways_keep_the_order_and_the_relays():
    ways = way_table(
        [{"option": 0, "kind": "fibre"}, {"option": 4, "kind": "fibre"}, {"option": 4, "kind": "microwave"}]
    )
    more = pd.DataFrame({"option": [2, 0], "kind": ["microwave", "leo"], "relays": [(1, 2), ()]})
    both = joined_ways(ways, more)
    assert both["option"].tolist() == [0, 0, 2, 4, 4]
    assert both["kind"].tolist() == ["fibre", "leo", "microwave", "fibre", "microwave"]
    assert both["relays"].tolist() == [(), (), (3, 4), (), ()]


def test_new_stations_are_of_the_minimum_technology():
    both = [
        *(sector_row("A", a) for a in (0.0, 180.0)),
        sector_row("B", 90.0, "VNPT", technology="5G", band="n41"),
    ]
    candidates = found(*made_up(sectors=both), "5G", improve_reach_km=15.0)
    assert_consistent(candidates)
    options = candidates.options
    assert set(options["technology"]) == {"5G"}
    on_4g_mast = options[options["site_id"] == "A"]
    assert set(on_4g_mast["kind"]) == {"new-technology"}
    assert set(on_4g_mast["band"]) == {"n28", "n41"}
    assert on_4g_mast["exclusive"].nunique() == 1
    assert ("Viettel", "5G") in candidates.layers
    assert candidates.layers[:2] == (("VNPT", "5G"), ("Viettel", "4G"))
    on_5g_mast = set(options.loc[options["site_id"] == "B", "kind"])
    assert {"re-aimed", "higher-mast", "new-low-band"} <= on_5g_mast


def test_the_assigned_operator_builds():
    candidates = found(*made_up(assigned_operator="MobiFone"))
    new = candidates.options[candidates.options["kind"].isin(["new-site", "remote-radio"])]
    assert set(new["operator"]) == {"MobiFone"}
    assert ("MobiFone", "4G") in candidates.layers
    # The only donor is Viettel's: it does not clear a hamlet that MobiFone is assigned to.
    assert "repeater" not in set(candidates.options["kind"])


def test_a_repeater_is_at_odds_with_turning_its_donor_away(plain):
    donors = plain.options.loc[plain.options["kind"] == "repeater", "donor_sector"]
    assert donors.between(0, 2).all()
    re_aimed = int(np.flatnonzero(plain.options["kind"] == "re-aimed")[0])
    turned = int(plain.replaces[re_aimed][0])
    expected = {(re_aimed, int(k)) for k in donors.index[donors == turned]}
    assert set(plain.conflicts()) == expected


def test_no_low_signal_hamlet_no_candidate():
    part, targets = made_up()
    nobody = Targets(targets.cell_rc[:0], targets.people[:0], targets.hamlet[:0], targets.hamlets.iloc[:0])
    candidates = found(part, nobody)
    assert len(candidates.options) == len(candidates.sites) == len(candidates.routes) == 0
    assert candidates.dropped["site-without-low-signal-hamlet-in-reach"] == 1


def test_what_the_scenario_lacks_is_said():
    part, targets = made_up()
    with pytest.raises(UnusableBand, match="n41"):
        found(part, targets, bands=("n41",))
    with pytest.raises(UnusableBand, match="B99"):
        found(part, targets, bands=("B99", "B3"))
    bare = replace(part, layers=replace(part.layers, sectors=part.layers.sectors.iloc[:0]))
    with pytest.raises(NoOperatorKnown):
        found(bare, targets)
    low_phones = Radio(model="tr38901-rma")
    with pytest.raises(ValueOutOfRange, match=r"candidates\.repeater_height_m") as failure:
        found(part, targets, radio=low_phones)
    assert '"repeater" out of  kinds' in failure.value.mend
    assert len(found(part, targets, radio=low_phones, repeater_height_m=10.0).options)
    assert set(found(bare, targets, operators=("VNPT",)).options["operator"]) == {"VNPT"}


def test_tam_dao(shared):
    """A real scene: every fourth hamlet taken for low-signal."""
    read = {
        "hamlets": "hamlets_synthetic.gpkg",
        "sectors": "sites_synthetic.csv",
        "roads": "roads.parquet",
        "pops": "fibre_pops_synthetic.gpkg",
        "power_lines": "power_lines.gpkg",
    }
    box = planning_grids([(105.30, 21.40, 105.75, 21.75)], 90.0)[0]
    height_m = read_terrain([shared("data/tam-dao/dem.tif")], box).height_m
    frames = {
        kind: read_layer(kind, shared(f"data/tam-dao/{read[kind]}")).frame if kind in read else empty_layer(kind)
        for kind in Layers.__dataclass_fields__
    }
    layers = Layers(**{kind: frame.to_crs(str(box.crs)) for kind, frame in frames.items()})
    part = Part("tam-dao", box, height_m, np.isfinite(height_m), np.zeros(box.shape, np.float32), layers, 0.0)
    hamlets = layers.hamlets.iloc[::4].reset_index(drop=True)
    centre_rc = np.rint(grid_coordinates(box, hamlets.geometry.x.to_numpy(), hamlets.geometry.y.to_numpy())).astype(int)
    centre_rc = np.clip(centre_rc, 1, np.array(box.shape) - 2)
    candidates = found(part, targets_around(hamlets, centre_rc))

    assert_consistent(candidates)
    assert 300 <= len(candidates.options) <= 1600
    assert candidates.inferred["road-pieces"] == 18
    assert set(candidates.sites["place"]) == {"hamlet", "high-ground", "existing-site", "remote-radio", "repeater"}
    new = candidates.options[candidates.options["kind"] == "new-site"]
    assert new["evn_confirm"].eq(new["power"] == "grid").all()  # its mapped lines are all 110 kV and above
    assert new["capex_vnd"].median() / 1e9 == pytest.approx(3.5, abs=1.5)
