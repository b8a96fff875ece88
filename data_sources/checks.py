"""What only several columns, or several rows, of a layer can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.data_sources.faults import Faults
from phusong.data_sources.schema import BANDS, Kind
from phusong.data_sources.vietnamese import fold

Values = dict[str, NDArray[Any]]
Shapes = NDArray[np.object_]
_SITE_SPREAD_DEG = 0.0005  # about 50 m


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
    kept = ~faults.bad
    sites = pd.DataFrame({"site": values["site_id"], "x": shapely.get_x(shapes), "y": shapely.get_y(shapes)})[kept]
    by_site = sites.groupby("site")[["x", "y"]]
    spread = (by_site.transform("max") - by_site.transform("min")).max(axis="columns").to_numpy()
    apart = np.zeros(len(kept), bool)
    apart[kept] = spread > _SITE_SPREAD_DEG
    faults.warn(
        apart,
        "site_id",
        "một mã trạm ở nhiều nơi, vẫn giữ / one site id at places more than 50 m apart, kept",
        "kiểm tra mã hoặc toạ độ / check the id or the coordinates",
    )


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
