"""A small synthetic run with terrain that looks like terrain, for the tests of the outputs (never for its figures)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from phusong.scenarios.outputs.result import PartRasters, RunResult
from phusong.scenarios.satellite.result import PartLayers, SatelliteResult

CRS = "EPSG:32648"
OPERATORS = ("Viettel", "VNPT", "MobiFone")
SPITEFUL_NAME = "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"


def spectral_terrain(rows: int, columns: int, seed: int) -> NDArray[np.float32]:
    """Hills of Hurst exponent 0.75, 0 .. 1,300 m."""
    random = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    wave[0, 0] = np.inf
    spectrum = np.exp(2j * np.pi * random.random(wave.shape)) / np.maximum(wave, 1 / 180) ** 1.75
    height = np.fft.irfft2(spectrum, s=(rows, columns))
    height = (height - height.min()) / np.ptp(height)
    return (30 + 1300 * height**1.6).astype(np.float32)


def part_box(rows: int, columns: int, west_m: float = 480_000, north_m: float = 2_390_000) -> GeoBox:
    return GeoBox.from_bbox((west_m, north_m - 90 * rows, west_m + 90 * columns, north_m), CRS, resolution=90)


def rsrp_dbm(height: NDArray[np.float32], site_rc: NDArray[np.int64], reach: int = 130) -> NDArray[np.float32]:
    """A plausible picture: log-distance loss and 25 dB behind a ridge."""
    best = np.full(height.shape, np.nan, np.float32)
    for row, column in site_rc:
        r0, r1 = max(row - reach, 0), min(row + reach + 1, height.shape[0])
        c0, c1 = max(column - reach, 0), min(column + reach + 1, height.shape[1])
        rr, cc = np.mgrid[r0:r1, c0:c1]
        mast, there = height[row, column] + 42.0, height[r0:r1, c0:c1] + 1.5
        excess = np.full(rr.shape, -np.inf)
        for step in np.linspace(0.05, 0.95, 16):
            ground = height[
                np.rint(row + step * (rr - row)).astype(int), np.rint(column + step * (cc - column)).astype(int)
            ]
            excess = np.maximum(excess, ground - (mast + step * (there - mast)))
        km = np.hypot(rr - row, cc - column) * 0.09
        level = -72 - 34 * np.log10(km + 0.25) - 26 * np.clip(excess / 60, 0, 1.6)
        level = np.where((km < reach * 0.09) & (level > -128), level, np.nan).astype(np.float32)
        best[r0:r1, c0:c1] = np.fmax(best[r0:r1, c0:c1], level)
    return best


def states(rsrp: NDArray[np.float64]) -> NDArray[np.str_]:
    return np.where(np.nan_to_num(rsrp, nan=-200.0) < -112, "trang", np.where(rsrp < -104, "lom", "served"))


def sample_run(
    terrains: Sequence[tuple[str, GeoBox, NDArray[np.float32]]] | None = None,
    hamlets: int = 150,
    sites: int = 9,
    new: int = 7,
    communes: int = 12,
    seed: int = 7,
    synthetic: tuple[str, ...] = ("terrain", "hamlets", "sites", "population"),
) -> RunResult:
    """A run over the given terrains (or over two small spectral ones), everything else drawn from the seed."""
    if terrains is None:
        terrains = [
            ("Vùng núi", part_box(150, 210), spectral_terrain(150, 210, seed)),
            ("Đặc khu Đảo Xa", part_box(60, 60, west_m=560_000), spectral_terrain(60, 60, seed + 1)),
        ]
    pieces: dict[str, list[Any]] = {key: [] for key in ("part", "hamlets", "sites", "routes", "communes")}
    cells = sum(height.size for _, _, height in terrains)
    for number, (name, box, height) in enumerate(terrains):
        share = height.size / cells
        one_part(
            pieces, name, box, height, f"{number}", np.random.default_rng(seed + number),
            counts=tuple(max(2, round(n * share)) for n in (hamlets, sites, new, communes)),
        )  # fmt: skip
    frame: gpd.GeoDataFrame = pd.concat(pieces["hamlets"], ignore_index=True)
    frame.loc[0, "name"] = SPITEFUL_NAME
    site_frame: gpd.GeoDataFrame = pd.concat(pieces["sites"], ignore_index=True)
    routes: gpd.GeoDataFrame = pd.concat(pieces["routes"], ignore_index=True)
    commune_frame: gpd.GeoDataFrame = pd.concat(pieces["communes"], ignore_index=True)
    built = site_frame[site_frame.status != "existing"]
    stations = pd.DataFrame(
        [
            (site.site_id, f"{site.site_id}-{k}", operator, "4G", "existing" if site.status == "existing" else "added")
            for site in site_frame.itertuples()
            for k, operator in enumerate(site.operators.split(", "))
        ],
        columns=["site_id", "station_id", "operator", "technology", "status"],
    )
    sectors = site_frame[["site_id", "geometry"]].loc[site_frame.index.repeat(3)].reset_index(drop=True)
    turn = np.tile([0.0, 120.0, 240.0], len(site_frame))
    sectors = sectors.assign(
        sector_id=[f"{site}-{azimuth:.0f}" for site, azimuth in zip(sectors.site_id, turn, strict=True)],
        operator=OPERATORS[0],
        technology="4G",
        band="B3",
        azimuth_deg=turn,
        downtilt_deg=3.0,
        height_m=42.0,
        status="existing",
        people=900.0,
        demand_mbps=75.0,
        capacity_mbps=60.0,
        utilisation=1.25,
        station_utilisation=0.9,
        overloaded=True,
    )
    speeds = pd.DataFrame(
        {
            "hamlet_id": frame.hamlet_id, "technology": "4G", "people": frame.people, "download_mbps": 31.5,
            "upload_mbps": 4.25, "least_share": 0.97, "met": True, "source": "assumption",
        }
    )  # fmt: skip
    measure_first = pd.DataFrame(
        {
            "hamlet_id": frame.hamlet_id, "name": frame["name"], "commune": frame.commune, "probability": 0.4,
            "flips": 0.4,
            "value": np.arange(len(frame), 0, -1) * 1e6, "unit": "VND",
            "reason": "trong phương án / in the plan",
        }
    )  # fmt: skip
    measures = pd.DataFrame(
        {
            "option_id": ["OPT-" + site for site in built.site_id],
            "site_id": built.site_id.array,
            "kind": np.where(built.status == "new", "new-site", "sector-added"),
            "operator": OPERATORS[0],
            "technology": "4G",
            "band": "B3",
            "height_m": 42.0,
            **{f"{item}_vnd": 700_000_000 for item in ("tower", "road", "power", "backhaul", "radio")},
            "capex_vnd": built.capex_vnd.array,
            "opex_vnd_per_year": built.opex_vnd_per_year.array,
            "lifetime_vnd": built.lifetime_vnd.array,
            "power": built.power.array,
            "backhaul": built.backhaul.array,
            "fibre_km": 3.25,
            "inferred_km": 0.5,
            "evn_confirm": built.evn_confirm.array,
        }
    )
    return RunResult(
        name="Tỉnh Mẫu",
        synthetic=synthetic,
        parts=tuple(pieces["part"]),
        hamlets=frame,
        sites=site_frame,
        stations=stations,
        sectors=sectors,
        speeds=speeds,
        measure_first=measure_first,
        measures=measures,
        routes=routes,
        communes=commune_frame,
        summary=sample_summary(frame, site_frame),
        manifest={"versions": {"phusong": "0.1.0"}, "seed": seed, "inputs": []},
        timings={"total_s": 12.5},
    )


def one_part(
    pieces: dict[str, list[Any]],
    name: str,
    box: GeoBox,
    height: NDArray[np.float32],
    prefix: str,
    random: np.random.Generator,
    counts: tuple[int, ...],
) -> None:
    """Draw sites, hamlets, routes and communes of one part, and the signal of the sites."""
    n_hamlets, n_sites, n_new, n_communes = counts
    rows, columns = height.shape
    rr, cc = np.mgrid[0:rows, 0:columns]
    inside = ((rr - rows / 2) / (rows * 0.49)) ** 4 + ((cc - columns / 2) / (columns * 0.49)) ** 4 < 1
    inside &= np.isfinite(height)
    high = np.nan_to_num(height - ndimage.uniform_filter(np.nan_to_num(height), 15))
    draw = np.exp(-high / 40) * inside
    pick = lambda n, weight: np.array(np.unravel_index(  # noqa: E731
        random.choice(weight.size, n, replace=False, p=(weight / weight.sum()).ravel()), weight.shape
    )).T  # fmt: skip
    standing, built, homes = (
        pick(n_sites, np.exp(high / 60) * inside),
        pick(n_new, np.exp(high / 60) * inside),
        pick(n_hamlets, draw),
    )
    before = rsrp_dbm(height, standing)
    after = np.fmax(before, rsrp_dbm(height, built))
    point = lambda rc: gpd.GeoSeries(  # noqa: E731
        shapely.points(*(box.affine @ (rc[:, 1] + 0.5, rc[:, 0] + 0.5))), crs=CRS
    )
    seeds = pick(n_communes, inside.astype(float))
    nearest = np.argmin(((homes[:, None, :] - seeds[None]) ** 2).sum(2), axis=1)
    codes = [f"{prefix}{k:04d}" for k in range(n_communes)]
    before_state, after_state = states(before[tuple(homes.T)]), states(after[tuple(homes.T)])
    people = np.round(np.clip(random.lognormal(np.log(330), 0.7, n_hamlets), 40, 2000))
    cleared = (before_state != "served") & (after_state == "served")
    hamlets = gpd.GeoDataFrame(
        {
            "hamlet_id": [f"H{prefix}-{k:05d}" for k in range(n_hamlets)],
            "name": [f"{('Thôn Khuổi Đeng', 'Bản Nậm Mười', 'Thôn Đồng Giếng')[k % 3]} {k}" for k in range(n_hamlets)],
            "commune_code": [codes[k] for k in nearest],
            "commune": [f"Xã {('Yên Phú', 'Thượng Ấm', 'Đạo Trù', 'Ngọc Hội')[k % 4]} {k}" for k in nearest],
            "part": name,
            "people": people,
            "households": np.round(people / 4.2),
            "declared_state": np.where(random.random(n_hamlets) < 0.2, before_state, None),
            "state_before": before_state,
            "state_after": after_state,
            "rsrp_before_dbm": before[tuple(homes.T)].astype(float),
            "rsrp_after_dbm": after[tuple(homes.T)].astype(float),
            "probability_before": np.where(before_state == "served", 0.96, 0.14),
            "probability_after": np.where(after_state == "served", 0.96, 0.14),
            "people_served": np.where(after_state == "served", people, 0.0),
            "people_carried": np.where(after_state == "served", people * 0.9, 0.0),
            "capacity": np.where(after_state == "served", "enough", "no-signal"),
            "cleared": cleared,
            "served_by_option": np.where(cleared, f"OPT-N{prefix}-00", ""),
            "assigned_operator": random.choice(OPERATORS, n_hamlets),
            "electricity_before": random.choice(["grid", "none"], n_hamlets, p=[0.9, 0.1]),
            "electricity_after": "grid",
            "edge": random.random(n_hamlets) < 0.05,
            "measure_first": random.random(n_hamlets) < 0.06,
            "deadline": "2026-12-31",
        },
        geometry=point(homes),
        crs=CRS,
    ).to_crs(4326)
    everywhere = np.concatenate([standing, built])
    status = np.array(["existing"] * n_sites + ["new"] * n_new)
    status[: max(1, n_sites // 6)] = "improved"
    cost = np.where(status == "existing", 0, np.where(status == "new", 4_150_000_000, 350_000_000))
    sites = gpd.GeoDataFrame(
        {
            "site_id": [f"S{prefix}-{k:02d}" for k in range(n_sites)] + [f"N{prefix}-{k:02d}" for k in range(n_new)],
            "status": status,
            "name": [f"Trạm {k}" for k in range(n_sites + n_new)],
            "operators": np.where(np.arange(n_sites + n_new) % 2, "Viettel, VNPT", "MobiFone"),
            "stations": 1 + np.arange(n_sites + n_new) % 2,
            "capex_vnd": cost,
            "opex_vnd_per_year": cost // 12,
            "lifetime_vnd": cost * 2,
            "power": "grid",
            "backhaul": np.where(np.arange(n_sites + n_new) % 3, "fibre", "microwave"),
            "evn_confirm": np.arange(n_sites + n_new) % 4 == 0,
            "hamlets_cleared": np.where(status == "new", 3, 0),
        },
        geometry=point(everywhere).array,
        crs=CRS,
    )
    for k, spot in enumerate(point(built)):
        near = shapely.points(
            *(box.affine @ tuple(standing[np.argmin(((standing - built[k]) ** 2).sum(1))][::-1] + 0.5))
        )
        bend = shapely.Point((spot.x + near.x) / 2 + 700, (spot.y + near.y) / 2 - 500)
        for kind, line in (
            ("fibre", [spot, bend, near]),
            ("power", [spot, shapely.Point(spot.x - 900, spot.y - 1400)]),
            ("microwave", [spot, near]),
        ):
            shape = shapely.LineString(line)
            pieces["routes"].append(
                gpd.GeoDataFrame(
                    {"option_id": [f"OPT-N{prefix}-{k:02d}"], "site_id": [f"N{prefix}-{k:02d}"], "kind": [kind],
                     "length_km": [shape.length / 1000], "inferred_km": [0.2], "users": [2]},
                    geometry=[shape], crs=CRS,
                )
            )  # fmt: skip
    frame = shapely.box(*box.boundingbox.bbox)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(np.array([p.coords[0] for p in point(seeds)])), extend_to=frame)
    )
    order = [next(k for k, p in enumerate(point(seeds)) if cell.contains(p)) for cell in cells]
    by_code = hamlets.groupby("commune_code")
    column = lambda f: [float(f(by_code.get_group(codes[k]))) if codes[k] in by_code.groups else 0.0 for k in order]  # noqa: E731
    pieces["communes"].append(
        gpd.GeoDataFrame(
            {
                "commune_code": [codes[k] for k in order],
                "commune": [f"Xã {('Yên Phú', 'Thượng Ấm', 'Đạo Trù', 'Ngọc Hội')[k % 4]} {k}" for k in order],
                "province": "Tỉnh Mẫu",
                "hamlets": column(len),
                "low_before": column(lambda g: (g.state_before != "served").sum()),
                "low_after": column(lambda g: (g.state_after != "served").sum()),
                "people": column(lambda g: g.people.sum()),
                "people_covered_before": column(lambda g: g.people[g.state_before == "served"].sum()),
                "people_covered_after": column(lambda g: g.people[g.state_after == "served"].sum()),
            },
            geometry=[cell.intersection(frame) for cell in cells],
            crs=CRS,
        )
    )
    pieces["part"].append(PartRasters(name, box, height, before, after, inside, 8.0))
    pieces["hamlets"].append(hamlets)
    pieces["sites"].append(sites)


def sample_summary(hamlets: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> dict[str, Any]:
    low = (hamlets.state_before != "served").sum()
    after = (hamlets.state_after != "served").sum()
    capex = int(sites.capex_vnd.sum())
    return {
        "hamlets": len(hamlets),
        "trang_before": int((hamlets.state_before == "trang").sum()),
        "lom_before": int((hamlets.state_before == "lom").sum()),
        "low_before": int(low),
        "low_after": int(after),
        "cleared": int(hamlets.cleared.sum()),
        "counted": int(hamlets.cleared.sum()),
        "cleared_bound": int(hamlets.cleared.sum()) + 1,
        "gap": 1 / max(1, int(hamlets.cleared.sum()) + 1),
        "gap_hamlets": 1,
        "people_newly_covered": int(hamlets.people[hamlets.cleared].sum()),
        "electrified": int((hamlets.electricity_before == "none").sum()),
        "capex_vnd": capex,
        "opex_vnd_per_year": capex // 12,
        "lifetime_vnd": capex * 2,
        "budget_vnd": 30_000_000_000,
        "rule": {
            "name": "centre-and-clusters",
            "source": "cách đếm của tỉnh Tuyên Quang, tháng 1/2026",
            "thresholds": "4G -110 dBm ở độ tin cậy 80%; cụm từ 5 hộ (giả định)",
        },
        "minimum_technology": "4G",
        "confidence": 0.8,
        "model": "p1812",
        "propagation": {
            "source": "ITU-R P.1812-7 (08/2023)",
            "parameters": {"time_pct": 50.0, "vertical": True},
            "map_mode": "radial",
            "surroundings": [],
            "model_offset_db": 0.0,
        },
        "expected_served_before": 90.5,
        "expected_served_after": 120.25,
        "hamlets_short_of_capacity": 3,
        "overloaded_sectors": 2,
        "checker": "agrees",
        "declared_vs_model": {"trang": {"trang": 4, "lom": 1, "served": 1}, "undeclared": {"served": 40, "lom": 3}},
        "operators": [{"operator": name, "people_before": 9000, "people_after": 9900.5} for name in OPERATORS],
        "facilities": {"served_before": 12, "served_after": 17, "total": 20},
        "edge_hamlets": int(hamlets.edge.sum()),
        "backhaul": {
            "trench_km": 61.4,
            "trench_vnd": 4_912_000_000,
            "ways": {"fibre": 9, "microwave": 2},
            "saved_vnd": 2_100_000_000,
        },
        "stations_existing": 14,
        "stations_new": 9,
        "sites_new": int((sites.status == "new").sum()),
        "assumptions": ["Thời gian tính 10 năm (giả định)", "Suy hao feeder 2 dB (giả định)"],
        "notes": ["Thôn gom 214.000 trên 484.000 người của raster dân số"],
    }


def with_sky(run: RunResult) -> RunResult:
    """The same run with pictures of the sky whose values follow the terrain."""
    rasters = [
        {
            "rate": part.height_m / 30.0,
            "rain_limited": 0.99 + part.height_m / 150_000.0,
            "obstruction": part.height_m / 5e3,
        }
        for part in run.parts
    ]
    parts = tuple(
        PartLayers(part.name, part.box, part.inside, {name: raster.astype(np.float32) for name, raster in own.items()})
        for part, own in zip(run.parts, rasters, strict=True)
    )
    hamlets = pd.DataFrame(
        {"hamlet_id": run.hamlets["hamlet_id"], "broadband": "leo", "why": "", "leo_rain_limited": 0.99712}
    )
    cells = pd.DataFrame(
        {"service_cell": ["85415893fffffff"], "households": [1.0], "terminals": [1.0], "area_km2": [1.0]}
    )
    said = {"vi": "Băng rộng vệ tinh: mưa để lại 99,71%, 25 Mbps.", "en": "Satellite: rain leaves 99.71%, 25 Mbps."}
    summary = {"paragraph": said, "climate": ["made up"]}
    return replace(run, satellite=SatelliteResult(run.name, run.synthetic, parts, hamlets, cells, summary))
