"""What offices keep on paper: the official list of low-signal hamlets, schools and posts, protected forest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from phusong.scenarios.demo.names import OPERATORS
from phusong.scenarios.demo.roads import Roads
from phusong.scenarios.demo.settlements import Communes, Hamlets
from phusong.scenarios.demo.terrain import CELL_M, Ground
from phusong.scenarios.service import LOM, SERVED, STATE_NAMES, TRANG

# What the list says of hamlets that the model finds low-signal; the rest are not on it.
AGREES, OTHER_STATE = 0.86, 0.04
LISTED_THOUGH_SERVED = 0.07  # hamlets listed though the model serves them, for each low-signal one
DOCUMENTS = (
    ("UBND tỉnh (mô phỏng)", "Báo cáo mô phỏng số 01/BC-UBND", "2026-01-15"),
    ("Sở Khoa học và Công nghệ (mô phỏng)", "Công văn mô phỏng số 02/SKHCN", "2025-11-20"),
    ("Nhà mạng (mô phỏng)", "Báo cáo mô phỏng số 03", "2025-09-30"),
)
DOCUMENT_SHARES = (0.7, 0.2, 0.1)
FORESTS, FOREST_SHARE = 5, 0.08  # tracts, and the share of the province that they are chosen from
DEADLINE = {SERVED: None, LOM: "2027-12-31", TRANG: "2027-06-30"}


@dataclass(frozen=True, slots=True)
class OfficialList:
    """(N,) each, None where the list is silent: state as text, body, document, date, operator told, deadline."""

    state: NDArray[np.object_]
    by: NDArray[np.object_]
    document: NDArray[np.object_]
    date: NDArray[np.object_]
    operator: NDArray[np.object_]
    deadline: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Facilities:
    """Places in metres, names and kinds of the schema."""

    xy: NDArray[np.float64]
    name: tuple[str, ...]
    kind: tuple[str, ...]


def official_list(
    state: NDArray[np.uint8],
    nearest_operator: NDArray[np.int32],
    remoteness: NDArray[np.float64],
    rng: np.random.Generator,
) -> OfficialList:
    """A list that mostly agrees with the model; some states are confused, some hamlets missing, some listed in vain."""
    declared = np.full(len(state), -1)
    low, served = np.flatnonzero(state != SERVED), np.flatnonzero(state == SERVED)
    drawn = rng.permutation(low)
    agree, other = round(AGREES * len(low)), round(OTHER_STATE * len(low))
    declared[drawn[:agree]] = state[drawn[:agree]]
    confused = drawn[agree : agree + other]
    declared[confused] = np.where(state[confused] == LOM, TRANG, LOM)
    remote_first = served[np.argsort(-remoteness[served] * rng.uniform(0.2, 1.0, len(served)))]
    extra = remote_first[: round(LISTED_THOUGH_SERVED * len(low))]
    declared[extra] = np.where(rng.random(len(extra)) < 0.3, TRANG, LOM)

    listed = declared >= 0
    source = rng.choice(len(DOCUMENTS), len(state), p=DOCUMENT_SHARES)

    def where_listed(values: list[str | None]) -> NDArray[np.object_]:
        return np.array([value if there else None for value, there in zip(values, listed, strict=True)], dtype=object)

    return OfficialList(
        state=where_listed([STATE_NAMES[max(d, 0)] for d in declared]),
        by=where_listed([DOCUMENTS[s][0] for s in source]),
        document=where_listed([DOCUMENTS[s][1] for s in source]),
        date=where_listed([DOCUMENTS[s][2] for s in source]),
        operator=where_listed([OPERATORS[o] for o in nearest_operator]),
        deadline=where_listed([DEADLINE[max(d, 0)] for d in declared]),
    )


def make_facilities(
    ground: Ground, communes: Communes, hamlets: Hamlets, roads: Roads, rng: np.random.Generator
) -> Facilities:
    """An office, a health post and a school in each commune centre, schools in larger hamlets, one border gate."""
    seat_xy, hamlet_xy = ground.xy(communes.seat), ground.xy(hamlets.cell)
    rows: list[tuple[NDArray[np.float64], str, str]] = []
    for number, full_name in enumerate(communes.name):
        kind, name = full_name.split(" ", 1)
        here = seat_xy[number]
        rows.append((here + _aside(rng), f"UBND {kind.lower()} {name}", "commune_office"))
        rows.append((here + _aside(rng), f"Trạm y tế {kind.lower()} {name}", "health"))
        rows.append((here + _aside(rng), f"Trường THCS {name}", "school"))
    rows.append((seat_xy[0] + _aside(rng), "Bệnh viện đa khoa tỉnh (mô phỏng)", "health"))
    gate = ground.xy(np.array([roads.gates[0]]))[0]
    rows.append((gate, "Cửa khẩu mô phỏng Đèo Gió", "border_gate"))
    rows.append((gate + np.array([600.0, 200.0]), "Đồn biên phòng mô phỏng Đèo Gió", "border_gate"))
    schooled = rng.random(len(hamlets.cell)) < np.clip(hamlets.people / 700.0, 0.15, 0.95)
    for i in np.flatnonzero(schooled):
        rows.append((hamlet_xy[i] + _aside(rng), f"Điểm trường {hamlets.name[i]}", "school"))
    return Facilities(np.array([r[0] for r in rows]), tuple(r[1] for r in rows), tuple(r[2] for r in rows))


def make_forests(ground: Ground, communes: Communes, hamlets: Hamlets, roads: Roads) -> list[shapely.Polygon]:
    """The five largest tracts of high ground far from hamlets and main roads, largest first, holes filled."""
    settled = np.zeros(ground.height_m.shape, dtype=bool)
    settled.ravel()[hamlets.cell] = True
    settled.ravel()[roads.main_cells] = True
    inside = communes.of_cell >= 0
    away_km = ndimage.distance_transform_edt(~settled) * CELL_M / 1000.0
    height = ground.height_m
    high = (height - height[inside].mean()) / height[inside].std()
    wild = ndimage.gaussian_filter(np.where(inside, np.minimum(away_km, 2.0) + 0.5 * high, -1.0), 500.0 / CELL_M)
    core = wild > np.quantile(wild[inside], 1.0 - FOREST_SHARE)
    pieces = rasterio.features.shapes(core.astype(np.uint8), mask=core, connectivity=4, transform=ground.box.affine)
    tracts = [shapely.Polygon(shapely.geometry.shape(piece).exterior) for piece, _ in pieces]
    tracts.sort(key=lambda tract: (-tract.area, tract.bounds))
    return [tract.simplify(100.0) for tract in tracts[:FORESTS]]


def _aside(rng: np.random.Generator) -> NDArray[np.float64]:
    """A step of 60 to 180 m from a centre."""
    distance, bearing = rng.uniform(60.0, 180.0), rng.uniform(0.0, 2.0 * np.pi)
    return np.array([distance * np.cos(bearing), distance * np.sin(bearing)])
