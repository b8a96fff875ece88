"""Measurements beside the model: samples gathered into places, each with the level that the model gives there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.coverage.sweep import signal_at
from phusong.coverage.terrain import Terrain
from phusong.data_sources.area import Part
from phusong.scenarios.area_signal import reception
from phusong.scenarios.planned import select
from phusong.scenarios.radio import Network, Radio, existing_network, grid_coordinates

BLOCK_M = 1000.0  # side of the squares that are fitted or held out whole
SAME_PLACE = ["part", "row", "col", "operator", "technology", "band", "rx_height_m", "clutter_class"]
ASKED = ["operator", "technology", "band", "rx_height_m"]
TEXTS = ["operator", "technology", "band", "clutter_class"]

OUTSIDE, NO_STATION, NO_SIGNAL = "outside", "no-station", "no-signal"
UNUSED: dict[str, tuple[str, str]] = {
    OUTSIDE: ("ngoài vùng hoặc không có địa hình", "outside the area, or without terrain"),
    NO_STATION: (
        "danh sách trạm không có nhà mạng, công nghệ, băng tần đó",
        "no station of that operator, technology and band is listed",
    ),
    NO_SIGNAL: ("mô hình không có trạm nào trong tầm", "no station within the model's range"),
}


@dataclass(frozen=True, slots=True)
class Places:
    """Places with a measured and a modelled level: the samples of one cell, one network and one receiver height.

    table   : one row a place: measured_dbm (median of its samples), samples, modelled_dbm, threshold_dbm of the serving
              technology, distance_km of the server, clutter_class or "", part, x_m, y_m (cell centre in the part's
              CRS), block ("part:column:row" of its square of BLOCK_M)
    unused  : reason (a key of UNUSED) -> samples that could not be placed
    deviation_db : samples of places with several, less the median of their place
    """

    table: pd.DataFrame
    unused: dict[str, int]
    deviation_db: NDArray[np.float64]


def place_measurements(
    frame: gpd.GeoDataFrame, parts: Sequence[Part], radio: Radio, *, threads: int | None = None
) -> Places:
    """Gathers samples (columns of `MEASUREMENTS`) into places and computes the model's median level at each.

    The level is computed exactly, along the profile from each station to the centre of the cell, and is the best of the
    operator, technology and band that the sample names, of all where it names none. A band given as a number of MHz
    says nothing here and is left aside. Measurements are of the open: what the scenario puts a receiver inside of is
    not in the level, or the offset would take it away again.
    """
    radio = _in_the_open(radio)
    samples = _on_grids(frame, parts, radio)
    inside = samples["part"] >= 0
    unused = {OUTSIDE: int((~inside).sum()), NO_STATION: 0, NO_SIGNAL: 0}
    grouped = samples[inside].groupby(SAME_PLACE, sort=True)
    table = grouped["rsrp_dbm"].agg(measured_dbm="median", samples="size").reset_index()
    median = grouped["rsrp_dbm"].transform("median")
    several = grouped["rsrp_dbm"].transform("size") > 2
    deviation = (samples["rsrp_dbm"][inside] - median)[several].to_numpy(np.float64)

    described = []
    for number, part in enumerate(parts):
        own = table[table["part"] == number]
        if len(own):
            network, _ = existing_network(part.layers.sectors, part.box, radio, part.antennas)
            described.append(_modelled(own, part, network, radio, threads))
    table = pd.concat(described) if described else _modelled_columns(table)
    for reason in (NO_STATION, NO_SIGNAL):
        unused[reason] = int(table.loc[table["why"] == reason, "samples"].sum())
    kept = table[table["why"] == ""].drop(columns="why").reset_index(drop=True)
    return Places(kept, {reason: count for reason, count in unused.items() if count}, deviation)


def _in_the_open(radio: Radio) -> Radio:
    outside = radio.surroundings.model_copy(update={"building": None, "vehicle_db": 0.0, "body_db": 0.0})
    return radio.model_copy(update={"surroundings": outside})


def _on_grids(frame: gpd.GeoDataFrame, parts: Sequence[Part], radio: Radio) -> pd.DataFrame:
    """Samples with the part (-1 none) and the grid cell that each lies in; what they leave blank is filled."""
    samples = pd.DataFrame(frame.drop(columns="geometry")).reset_index(drop=True)
    for column in TEXTS:
        samples[column] = samples[column].where(samples[column].notna(), "").astype(str)
    samples["band"] = samples["band"].where(~samples["band"].str.isdecimal(), "")
    samples["rx_height_m"] = samples["rx_height_m"].fillna(radio.rx_height_m).round(1)
    samples["part"] = -1
    samples["row"] = samples["col"] = 0
    for number, part in enumerate(parts):
        points = frame.geometry.to_crs(part.box.crs)
        rc = grid_coordinates(part.box, points.x.to_numpy(), points.y.to_numpy())
        cell = np.rint(np.nan_to_num(rc, nan=-9.0, posinf=-9.0, neginf=-9.0)).astype(np.int64)
        inside = np.asarray(((cell >= 0) & (cell < part.height_m.shape)).all(axis=1))
        inside[inside] = np.isfinite(part.height_m[tuple(cell[inside].T)])
        inside &= (samples["part"] < 0).to_numpy()
        samples.loc[inside, "part"] = number
        samples.loc[inside, ["row", "col"]] = cell[inside]
    return samples


def _modelled_columns(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        modelled_dbm=np.nan, threshold_dbm=np.nan, distance_km=np.nan, x_m=np.nan, y_m=np.nan, block="", why=NO_STATION
    )


def _modelled(places: pd.DataFrame, part: Part, network: Network, radio: Radio, threads: int | None) -> pd.DataFrame:
    """The places of one part with the model's columns, asked network by network."""
    terrain = Terrain(part.height_m, part.cell_m)
    service_dbm = {str(technology): level for technology, level in radio.min_rsrp_dbm.items()}
    table = _modelled_columns(places.reset_index(drop=True))
    x, y = part.box.affine @ (table["col"].to_numpy() + 0.5, table["row"].to_numpy() + 0.5)
    square = np.floor(np.column_stack([x, y]) / BLOCK_M).astype(np.int64)
    table["x_m"], table["y_m"] = x, y
    table["block"] = [f"{part.name}:{column}:{row}" for column, row in square]
    for (operator, technology, band, rx_height_m), rows in table.groupby(ASKED, sort=True).groups.items():
        which = _sectors_of(network, part, operator, technology, band)
        if not len(which):
            continue
        sectors = select(network.sectors, which)
        cells = table.loc[rows, ["row", "col"]].to_numpy(np.int32)
        level, server = signal_at(
            terrain, network.site_rc, replace(sectors, layer=np.zeros(len(which), dtype=np.int32)), 1, cells,
            **reception(radio.model_copy(update={"rx_height_m": float(rx_height_m)}), threads),
        )  # fmt: skip
        heard = server[0] >= 0
        by = server[0][heard]
        table.loc[rows, "why"] = np.where(heard, "", NO_SIGNAL)
        at = rows[heard]
        away = np.hypot(*(cells[heard] - network.site_rc[sectors.location[by]]).T) * part.cell_m
        table.loc[at, "modelled_dbm"] = level[0][heard]
        table.loc[at, "distance_km"] = np.maximum(away, part.cell_m / 2.0) / 1000.0
        table.loc[at, "threshold_dbm"] = [service_dbm[network.layers[layer][1]] for layer in sectors.layer[by]]
    return table


def _sectors_of(network: Network, part: Part, operator: str, technology: str, band: str) -> NDArray[np.int64]:
    """Sectors of an operator, a technology and a band; "" any."""
    layer = np.array(network.layers, dtype=object).reshape(-1, 2)[network.sectors.layer]
    bands = part.layers.sectors["band"].to_numpy(dtype=object)[network.row]
    fits = np.ones(len(network.row), dtype=bool)
    for wanted, there in ((operator, layer[:, 0]), (technology, layer[:, 1]), (band, bands)):
        if wanted:
            fits &= there == wanted
    return np.flatnonzero(fits)
