"""What only several columns, or several rows, of a layer can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from phusong.data_sources.faults import Faults
from phusong.data_sources.schema import BANDS, Kind
from phusong.data_sources.vietnamese import fold

Values = dict[str, NDArray[Any]]
Shapes = NDArray[np.object_]
SAME_MAST_M = 100.0  # assumption: antennas of one site id no further apart stand on one mast, noted a little apart
_M_PER_DEG = 111_195.0  # of latitude, on a sphere of 6,371 km


def check_rows(kind: Kind, values: Values, shapes: Shapes, row: NDArray[np.int64], faults: Faults) -> None:
    """Rejects and doubts rows by what their columns say together, then by what other rows say; mends `values`.

    row : the number by which a person finds each row, named where a row repeats another
    """
    special = {"hamlets": _check_hamlets, "sectors": _check_sectors, "exclusions": _check_exclusions}.get(kind.name)
    if special:
        special(values, shapes, faults)
    if kind.repeated_id == "fault":
        ids, _ = pd.factorize(values[kind.id.name])
        _reject_repeated(pd.DataFrame({"id": ids}), kind.id.name, kind.id.vi.lower(), row, faults)
    elif kind.repeated_id == "sector":
        _reject_repeated(
            pd.DataFrame(values).assign(x=shapely.get_x(shapes), y=shapely.get_y(shapes)), "", "cả dòng", row, faults
        )


def _check_hamlets(values: Values, shapes: Shapes, faults: Faults) -> None:
    faults.warn(
        values["households"] > values["population"],
        "households",
        "số hộ lớn hơn dân số, vẫn giữ / more households than people, kept",
        "kiểm tra hai cột / check both columns",
    )
    kept = ~faults.bad
    together = np.zeros(len(kept), bool)
    together[kept] = pd.DataFrame(shapely.get_coordinates(shapes[kept])).duplicated(keep=False)
    faults.warn(
        together,
        "",
        "nhiều thôn cùng một toạ độ, vẫn giữ / several hamlets at one place, kept",
        "kiểm tra toạ độ / check their coordinates",
    )
    named = kept & ~pd.isna(values["name"]) & ~pd.isna(values["commune_code"])
    commune, _ = pd.factorize(values["commune_code"][named])
    name, _ = pd.factorize(np.array([fold(text) for text in values["name"][named]], object))
    twice = np.zeros(len(kept), bool)
    twice[named] = pd.DataFrame({"commune": commune, "name": name}).duplicated(keep=False)
    faults.warn(
        twice,
        "name",
        "trùng tên trong cùng một xã, vẫn giữ / the same name twice in one commune, kept",
        "kiểm tra có phải một thôn ghi hai lần / check whether one hamlet is listed twice",
    )


def _check_sectors(values: Values, shapes: Shapes, faults: Faults) -> None:
    values["azimuth_deg"] = np.where(values["azimuth_deg"] == 360.0, 0.0, values["azimuth_deg"])
    band, frequency_mhz = values["band"], values["frequency_mhz"]
    digits = np.array([text is not None and text.isdecimal() for text in band], bool)
    frequency_mhz[digits & np.isnan(frequency_mhz)] = band[digits & np.isnan(frequency_mhz)].astype(np.float64)
    band[digits] = None
    faults.note(digits, "band", "băng tần ghi bằng MHz được hiểu là tần số / a band in MHz was taken for the frequency")
    named = ~pd.isna(band)
    faults.warn(
        named & ~np.isin(np.where(named, band, ""), list(BANDS)),
        "band",
        "băng tần lạ, vẫn giữ / an unusual band, kept",
        "ví dụ B3, n78 / e.g. B3, n78",
    )
    new_radio = np.array([text is not None and text.startswith("n") for text in band], bool)
    faults.warn(
        named & (new_radio != (values["technology"] == "5G")),
        "band",
        "băng tần không khớp công nghệ, vẫn giữ / band and technology do not match, kept",
        "băng 5G bắt đầu bằng n / bands of 5G begin with n",
    )
    faults.warn(
        ~named & np.isnan(frequency_mhz),
        "band",
        "không có băng tần lẫn tần số / neither band nor frequency is given",
        "điền một trong hai / fill in one of them",
    )
    faults.warn(
        _split_sites(values["site_id"], shapes, ~faults.bad),
        "site_id",
        f"một mã trạm ở nơi khác cách trên {SAME_MAST_M:.0f} m, được tính là trạm riêng (mã thêm #2, #3 …) / its"
        f" site id stands more than {SAME_MAST_M:.0f} m away, too: taken for a site of its own (the id gets #2, #3 …)",
        "kiểm tra mã hoặc toạ độ / check the id or the coordinates",
    )


def _split_sites(site_id: NDArray[np.object_], shapes: Shapes, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Gives each further place of a site an id of its own; the rows so renamed. Places in reach of each other are one.

    Nothing is moved and nothing lost: the first place in the list keeps the id.
    """
    rows = pd.DataFrame({"site": site_id, "x": shapely.get_x(shapes), "y": shapely.get_y(shapes)})[kept]
    by_site = rows.groupby("site")
    metres = _M_PER_DEG * rows[["x", "y"]]
    metres["x"] *= np.cos(np.radians(by_site["y"].transform("mean")))
    metres["site"] = by_site.ngroup()
    extent = metres.groupby("site")
    spread = (extent.transform("max") - extent.transform("min")).max(axis="columns")
    wide = metres[spread > SAME_MAST_M / 2]
    renamed = np.zeros(len(kept), bool)
    if wide.empty:
        return renamed
    # Sites are drawn apart along a third axis, so that one search finds neighbours of the same site only.
    points, point = np.unique(
        wide[["x", "y", "site"]].to_numpy() * [1.0, 1.0, 10.0 * SAME_MAST_M], axis=0, return_inverse=True
    )
    near = cKDTree(points).query_pairs(SAME_MAST_M, output_type="ndarray")
    links = coo_array((np.ones(len(near)), near.T), shape=(len(points), len(points)))
    place = connected_components(links, directed=False)[1][point]
    taken = set(rows["site"])
    names: dict[int, str] = {}
    first_of_site = set()
    for at, number in zip(wide.index, place.tolist(), strict=True):
        site = site_id[at]
        if number not in names:
            names[number] = site if site not in first_of_site else _free_name(site, taken)
            first_of_site.add(site)
        renamed[at] = names[number] != site
        site_id[at] = names[number]
    return renamed


def _free_name(site: str, taken: set[str]) -> str:
    number = 2
    while f"{site}#{number}" in taken:
        number += 1
    taken.add(f"{site}#{number}")
    return f"{site}#{number}"


def _check_exclusions(values: Values, shapes: Shapes, faults: Faults) -> None:
    faults.reject(
        (values["rule"] == "penalty") & np.isnan(values["cost_factor"]) & ~faults.rejected_for("cost_factor"),
        "cost_factor",
        "vùng hạn chế mà không có hệ số chi phí / a penalty without its cost factor",
        "điền hệ số, ví dụ 1,5 / fill in a factor, e.g. 1.5",
    )


def _reject_repeated(rows: pd.DataFrame, column: str, vi: str, row: NDArray[np.int64], faults: Faults) -> None:
    kept = np.flatnonzero(~faults.bad)
    keyed = rows.iloc[kept]
    repeated = keyed.duplicated(keep=False).to_numpy()
    among, at = keyed[repeated], kept[repeated]
    first = among.groupby(list(among.columns), sort=False, dropna=False).ngroup().to_numpy()
    later = among.duplicated(keep="first").to_numpy()
    row_of_first = np.empty(len(among), np.int64)
    row_of_first[first[~later]] = row[at[~later]]
    rejected = np.zeros(len(row), bool)
    rejected[at[later]] = True
    detail = np.array(
        [f"{vi} trùng dòng {number} / repeats row {number}" for number in row_of_first[first[later]]], object
    )
    faults.reject(
        rejected,
        column,
        f"{vi} trùng với dòng trước / it repeats an earlier row",
        "bỏ dòng thừa, hoặc đặt mã khác / remove the row, or give it another id",
        detail,
    )
