"""Vectors of a run: the GeoPackage with its QGIS styles, and the compact layers of the map page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.words import word

# One set of colours for the map page, the picture and QGIS; apart in luminance too, for any colour vision.
HAMLET_COLOUR = {"served": "#44565f", "lom": "#f08c00", "trang": "#c4152c", "cleared": "#0b7a4b"}
SITE_COLOUR = {"existing": "#3c4347", "improved": "#ffffff", "new": "#ffdf33"}
ROUTE_COLOUR = {"fibre": "#7a2aa8", "microwave": "#0a6f9c", "power": "#8f5902", "access-road": "#6b655c"}

FIXED_DATE = "2020-01-01T00:00:00.000Z"  # GeoPackage writes the time of writing; equal runs must give equal bytes
OUTLINE_TOLERANCE_M = 60.0  # of commune borders on the map page: under a cell
ROUTE_TOLERANCE_M = 15.0
DEGREE_DIGITS = 5  # about 1 m


def hamlet_look(hamlets: pd.DataFrame, view: str) -> NDArray[np.str_]:
    """How a hamlet is drawn: its state, and in the planned view "cleared" where the plan clears it."""
    state: NDArray[np.str_] = hamlets[f"state_{view}"].to_numpy(dtype=str)
    if view == "before":
        return state
    look: NDArray[np.str_] = np.where(hamlets["cleared"].to_numpy(dtype=bool), "cleared", state)
    return look


# --- GeoPackage ---


def write_geopackage(result: RunResult, path: Path) -> None:
    """`plan.gpkg`: hamlets, sites, stations, sectors, routes and communes in EPSG:4326, styled for QGIS.

    A station stands where its site stands. The synthetic label is in the metadata of the file and of every layer.
    """
    places = result.sites.set_index("site_id").geometry.to_crs(4326)
    stations = gpd.GeoDataFrame(
        result.stations, geometry=places.reindex(result.stations["site_id"].to_numpy()).to_numpy(), crs=4326
    )
    layers = {
        "communes": (result.communes, "MultiPolygon"),
        "routes": (result.routes, "MultiLineString"),
        "sectors": (result.sectors, "Point"),
        "stations": (stations, "Point"),
        "sites": (result.sites, "Point"),
        "hamlets": (result.hamlets, "Point"),
    }
    label = {"SYNTHETIC": f"{result.label}: {', '.join(result.synthetic)}"} if result.label else {}
    with gdal_option("OGR_CURRENT_DATE", FIXED_DATE):
        for number, (name, (frame, kind)) in enumerate(layers.items()):
            pyogrio.write_dataframe(
                frame.to_crs(4326),
                path,
                layer=name,
                driver="GPKG",
                geometry_type=kind,
                promote_to_multi=kind.startswith("Multi"),
                append=number > 0,
                dataset_metadata={"SCENARIO": result.name} | label if number == 0 else None,
                layer_metadata=label or None,
                layer_options={"DESCRIPTION": result.label} if result.label else {},
            )
        pyogrio.write_dataframe(qgis_styles(), path, layer="layer_styles", driver="GPKG", append=True)


@contextmanager
def gdal_option(name: str, value: str) -> Iterator[None]:
    """A GDAL option for the length of a block."""
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: value})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


def qgis_styles() -> pd.DataFrame:
    """The table `layer_styles`, which QGIS reads when it opens a layer of the file."""
    states = {state: (HAMLET_COLOUR[state], size) for state, size in (("served", 1.2), ("lom", 2.4), ("trang", 2.6))}
    status = {kind: (SITE_COLOUR[kind], size) for kind, size in (("existing", 2.2), ("improved", 3.6), ("new", 3.8))}
    styles = {
        "hamlets": marker_style("state_after", "circle", states),
        "sites": marker_style("status", "triangle", status),
        "routes": line_style("kind", ROUTE_COLOUR),
        "communes": outline_style("#5f5a52"),
    }
    return pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": list(styles),
            "f_geometry_column": "geom",
            "styleName": list(styles),
            "styleQML": list(styles.values()),
            "styleSLD": "",
            "useAsDefault": True,
            "description": "Phusong",
            "owner": "",
            "ui": None,
            "update_time": pd.Timestamp(FIXED_DATE[:-1]),
        }
    )


def marker_style(column: str, shape: str, looks: Mapping[str, tuple[str, float]]) -> str:
    symbols = {
        value: symbol(
            "marker",
            "SimpleMarker",
            {"name": shape, "color": colour, "size": str(size), "outline_color": "#202020", "outline_width": "0.15"},
        )
        for value, (colour, size) in looks.items()
    }
    return categories(column, symbols)


def line_style(column: str, colours: Mapping[str, str]) -> str:
    return categories(
        column,
        {
            value: symbol("line", "SimpleLine", {"line_color": colour, "line_width": "0.6"})
            for value, colour in colours.items()
        },
    )


def outline_style(colour: str) -> str:
    inside = symbol("fill", "SimpleFill", {"style": "no", "outline_color": colour, "outline_width": "0.26"})
    return f'<qgis><renderer-v2 type="singleSymbol"><symbols>{inside.format(name="0")}</symbols></renderer-v2></qgis>'


def categories(column: str, symbols: Mapping[str, str]) -> str:
    """A QGIS style document: one symbol for each value of a column, labelled in Vietnamese."""
    rows = "".join(
        f'<category render="true" symbol="{number}" value={quoteattr(value)} label={quoteattr(word(value))}/>'
        for number, value in enumerate(symbols)
    )
    drawn = "".join(text.format(name=number) for number, text in enumerate(symbols.values()))
    return (
        f'<qgis><renderer-v2 type="categorizedSymbol" attr="{column}">'
        f"<categories>{rows}</categories><symbols>{drawn}</symbols></renderer-v2></qgis>"
    )


def symbol(kind: str, layer: str, options: Mapping[str, str]) -> str:
    rows = "".join(f'<Option type="QString" name="{key}" value="{value}"/>' for key, value in options.items())
    return (
        f'<symbol type="{kind}" name="{{name}}" alpha="1"><layer class="{layer}" enabled="1">'
        f'<Option type="Map">{rows}</Option></layer></symbol>'
    )


# --- the map page ---

HAMLET_COLUMNS = (
    "hamlet_id", "name", "commune", "people", "households", "declared_state", "state_before", "state_after",
    "rsrp_before_dbm", "rsrp_after_dbm", "probability_before", "probability_after",
    "capacity", "cleared", "served_by_option", "assigned_operator", "electricity_before",
    "electricity_after", "edge", "measure_first", "deadline",
)  # fmt: skip
SITE_COLUMNS = (
    "site_id", "status", "name", "operators", "stations", "capex_vnd", "opex_vnd_per_year", "lifetime_vnd", "power",
    "backhaul", "evn_confirm", "hamlets_cleared",
)  # fmt: skip
ROUTE_COLUMNS = ("option_id", "site_id", "kind", "length_km", "inferred_km", "users")
COMMUNE_COLUMNS = (
    "commune_code", "commune", "province", "hamlets", "low_before", "low_after", "people", "people_covered_before",
    "people_covered_after",
)  # fmt: skip


def map_layers(result: RunResult) -> dict[str, dict[str, list[Any]]]:
    """Hamlets, sites, routes and communes as columns (far smaller than GeoJSON), ready for `json.dumps`.

    Points have `lon`, `lat`; routes `lines`, communes `rings` (lists of positions) and `lon`, `lat` of their label.
    Hamlets also have `look_before`, `look_after` (see `hamlet_look`).
    """
    hamlets = columns_of(result.hamlets, HAMLET_COLUMNS) | positions(result.hamlets.geometry)
    for view in ("before", "after"):
        hamlets[f"look_{view}"] = hamlet_look(result.hamlets, view).tolist()
    metric = str(result.parts[0].box.crs)
    routes = shapely.simplify(result.routes.geometry.to_crs(metric).to_numpy(), ROUTE_TOLERANCE_M)
    borders = shapely.make_valid(
        result.communes.geometry.to_crs(metric).to_numpy(), method="structure", keep_collapsed=False
    )
    if len(borders):  # neighbours keep one common border
        borders = shapely.coverage_simplify(borders, OUTLINE_TOLERANCE_M)
    middles = shapely.get_point(shapely.maximum_inscribed_circle(borders, tolerance=200.0), 0)
    return {
        "hamlets": hamlets,
        "sites": columns_of(result.sites, SITE_COLUMNS) | positions(result.sites.geometry),
        "routes": columns_of(result.routes, ROUTE_COLUMNS) | {"lines": paths(routes, metric)},
        "communes": columns_of(result.communes, COMMUNE_COLUMNS)
        | positions(gpd.GeoSeries(middles, crs=metric))
        | {"rings": paths(shapely.boundary(borders), metric), "area": shapely.area(borders).round(-4).tolist()},
    }


def columns_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns as plain lists: one decimal is enough for a pop-up, None where unknown."""
    return {name: [plain(value) for value in frame[name].tolist()] for name in names}


def plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, float):
        value = round(value, 1)
        return int(value) if value.is_integer() else value
    return value


def positions(points: gpd.GeoSeries) -> dict[str, list[Any]]:
    degrees = points.to_crs(4326)
    return {"lon": degrees.x.round(DEGREE_DIGITS).tolist(), "lat": degrees.y.round(DEGREE_DIGITS).tolist()}


def paths(shapes: NDArray[np.object_], crs: str) -> list[list[list[list[float]]]]:
    """Each shape as a list of lines, each a list of [longitude, latitude]."""
    degrees = gpd.GeoSeries(shapes, crs=crs).to_crs(4326)
    return [
        [shapely.get_coordinates(line).round(DEGREE_DIGITS).tolist() for line in shapely.get_parts(shape)]
        for shape in degrees
    ]
