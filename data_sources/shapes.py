"""Where things are: coordinates or geometry of a table, checked, in WGS 84, of the type that the layer asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from phusong.data_sources.errors import GeometryMissing, LayerCrsWrong, LayerWithoutCrs, LonLatSwapped
from phusong.data_sources.faults import Faults
from phusong.data_sources.raw import RawTable
from phusong.data_sources.schema import Kind
from phusong.data_sources.values import as_text, read_column

WGS84 = CRS.from_epsg(4326)
VIETNAM = (102.0, 6.0, 118.0, 24.0)  # west, south, east, north: mainland, Hoàng Sa and Trường Sa with their waters
Shapes = NDArray[np.object_]
Rows = NDArray[np.bool_]


def read_shapes(table: RawTable, kind: Kind, taken: dict[str, int], faults: Faults) -> Shapes:
    """One geometry a row in WGS 84 (longitude, latitude), None where the row is rejected; lines may be multi-lines.

    Raises GeometryMissing, LayerWithoutCrs, LayerCrsWrong (nothing lies in Vietnam) and LonLatSwapped (all rows are).
    """
    column = "geometry"  # under which faults of place are told
    if table.shapes is not None:
        shapes, crs = shapely.force_2d(table.shapes), _known_crs(table)
    else:
        column, shapes, crs = *_from_columns(table, kind, taken, faults), WGS84
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if missing.all() and not faults.bad.all():
        raise GeometryMissing(
            "không dòng nào có toạ độ hay hình học / no row has coordinates or geometry",
            table.where,
            "xuất lại lớp kèm hình học, hoặc thêm Kinh độ, Vĩ độ / export it with geometry, or add lon and lat",
        )
    faults.reject(
        missing & ~faults.bad,
        column,
        "không có hình học, hoặc hình học không đọc được / no geometry, or none that can be read",
        "vẽ lại đối tượng / draw it again",
    )
    shapes = _in_degrees(_without(shapes, missing), crs, column, faults)
    _check_place(shapes, table, kind, column, faults)
    convert = {"point": _as_points, "line": _as_lines, "polygon": _as_polygons}[kind.geometry]
    return _without(convert(_without(shapes, faults.bad), column, faults), faults.bad)


def _without(shapes: Shapes, rows: Rows) -> Shapes:
    kept = shapes.copy()
    kept[rows] = None
    return kept


def _known_crs(table: RawTable) -> CRS:
    crs = table.crs
    if crs is None or not (crs.is_geographic or crs.is_projected):
        raise LayerWithoutCrs(
            "lớp không ghi hệ toạ độ / the layer does not name its CRS",
            table.where,
            "gán hệ toạ độ trong QGIS rồi xuất lại / assign its CRS in QGIS and export it again",
        )
    return crs


def _from_columns(table: RawTable, kind: Kind, taken: dict[str, int], faults: Faults) -> tuple[str, Shapes]:
    """Geometry from coordinate columns, else from WKT; a bad coordinate is rejected under its column."""
    names = [column for column in kind.coordinates[:-1] if column.name in taken]
    if names and len(names) == len(kind.coordinates) - 1:
        ordinates = [read_column(column, table.cells[taken[column.name]], faults) for column in names]
        for column, ordinate in zip(names, ordinates, strict=True):
            faults.reject(
                np.isnan(ordinate) & ~faults.rejected_for(column.name),
                column.name,
                f"thiếu {column.vi.lower()} / {column.en} is blank",
                "điền độ thập phân WGS 84, hoặc bỏ dòng / fill in decimal degrees, WGS 84, or remove the row",
            )
        shapes: Shapes = np.full(len(table.row), None, object)
        whole = ~np.isnan(ordinates).any(axis=0)
        points = np.stack(ordinates, axis=1)[whole]
        shapes[whole] = shapely.points(points) if len(names) == 2 else shapely.linestrings(points.reshape(-1, 2, 2))
        return names[0].name, shapes
    text = as_text(table.cells[taken["wkt"]]).to_numpy(zero_copy_only=False)
    return "wkt", np.asarray(shapely.force_2d(shapely.from_wkt(text, on_invalid="ignore")), dtype=object)


def _in_degrees(shapes: Shapes, crs: CRS, column: str, faults: Faults) -> Shapes:
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    if crs != WGS84 and len(points):
        to_wgs84 = Transformer.from_crs(crs, WGS84, always_xy=True)
        points = np.column_stack(to_wgs84.transform(points[:, 0], points[:, 1]))
        shapes = shapely.set_coordinates(shapes.copy(), points)
    broken = np.zeros(len(shapes), bool)
    broken[owner[~np.isfinite(points).all(axis=1)]] = True
    faults.reject(
        broken,
        column,
        "toạ độ là NaN hoặc vô hạn / a coordinate is NaN or infinite",
        "vẽ lại đối tượng / draw it again",
    )
    return _without(shapes, broken)


def _check_place(shapes: Shapes, table: RawTable, kind: Kind, column: str, faults: Faults) -> None:
    west, south, east, north = shapely.bounds(shapes).T
    there = ~np.isnan(west)
    inside = _overlaps(west, south, east, north) if kind.geometry != "point" else _within(west, south, east, north)
    swapped = there & ~inside & _within(south, west, north, east)
    outside = there & ~inside & ~swapped
    if there.any() and swapped.sum() == there.sum():
        raise LonLatSwapped(
            "kinh độ và vĩ độ bị đổi chỗ ở mọi dòng / longitude and latitude are exchanged in every row",
            f"{table.where}: {_extent(west, south, east, north)}",
            'đổi tên hai cột, hoặc / rename the two columns, or columns = { lon = "…", lat = "…" }',
        )
    if there.any() and not inside.any():
        metres = np.nanmax(np.abs([west, south, east, north])) > 180.0
        raise LayerCrsWrong(
            "không đối tượng nào nằm trong Việt Nam: sai hệ toạ độ / nothing lies in Vietnam: the CRS is wrong",
            f"{table.where}: {_extent(west, south, east, north)}",
            "toạ độ tính bằng mét (VN-2000, UTM?): chuyển sang WGS 84 / in metres: convert them to WGS 84"
            if metres
            else "gán đúng hệ toạ độ trong QGIS / assign the right CRS in QGIS",
        )
    faults.reject(
        swapped,
        column,
        "kinh độ và vĩ độ bị đổi chỗ / longitude and latitude are exchanged",
        "đổi chỗ hai giá trị / exchange the two values",
    )
    faults.reject(
        outside,
        column,
        "nằm ngoài Việt Nam / it lies outside Vietnam (102-118°E, 6-24°N)",
        "kiểm tra toạ độ, dấu thập phân / check the coordinates and the decimal mark",
    )
    faults.warn(
        inside & ~_within(west, south, east, north),
        column,
        "một phần nằm ngoài Việt Nam, vẫn giữ / it lies partly outside Vietnam, kept",
        "kiểm tra hình học / check the geometry",
    )


def _as_points(shapes: Shapes, column: str, faults: Faults) -> Shapes:
    shapes, type_id = shapes.copy(), shapely.get_type_id(shapes)
    single = (type_id == 4) & (shapely.get_num_geometries(shapes) == 1)
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    area = np.isin(type_id, (3, 6))
    shapes[area] = shapely.point_on_surface(shapely.make_valid(shapes[area]))
    faults.note(area, column, "vùng được thay bằng một điểm bên trong / a polygon was replaced by a point inside it")
    _reject_type(shapes, (0,), "điểm / a point", column, faults)
    return shapes


def _as_lines(shapes: Shapes, column: str, faults: Faults) -> Shapes:
    shapes, (ring,) = shapes.copy(), np.nonzero(shapely.get_type_id(shapes) == 2)
    for place in ring:
        shapes[place] = shapely.linestrings(shapely.get_coordinates(shapes[place]))
    _reject_type(shapes, (1, 5), "đường / a line", column, faults)
    faults.reject(
        shapely.length(shapes) == 0.0,
        column,
        "đường có chiều dài bằng 0 / the line has no length",
        "bỏ đối tượng, hoặc vẽ lại / remove it, or draw it again",
    )
    return shapes


def _as_polygons(shapes: Shapes, column: str, faults: Faults) -> Shapes:
    shapes = shapes.copy()
    _reject_type(shapes, (3, 6), "vùng / a polygon", column, faults)
    crooked = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_valid(shapes)
    reasons = shapely.is_valid_reason(shapes[crooked][:1])
    shapes[crooked] = shapely.make_valid(shapes[crooked], method="structure", keep_collapsed=False)
    faults.reject(
        shapely.area(shapes) == 0.0,
        column,
        "vùng không có diện tích / the polygon has no area",
        "vẽ lại đối tượng / draw it again",
    )
    faults.warn(
        crooked,
        column,
        f"vùng tự cắt, đã sửa / an invalid polygon, repaired ({', '.join(reasons)})",
        "kiểm tra hình sau khi sửa / check its shape",
    )
    return shapes


def _reject_type(shapes: Shapes, allowed: tuple[int, ...], wanted: str, column: str, faults: Faults) -> None:
    type_id = shapely.get_type_id(shapes)
    faults.reject(
        (type_id >= 0) & ~np.isin(type_id, allowed),
        column,
        f"phải là {wanted} / the geometry must be {wanted.split(' / ')[1]}",
        "vẽ lại, hoặc tách đối tượng / draw it again, or split it",
    )


def _within(west: Any, south: Any, east: Any, north: Any) -> Rows:
    inside: Rows = (west >= VIETNAM[0]) & (south >= VIETNAM[1]) & (east <= VIETNAM[2]) & (north <= VIETNAM[3])
    return inside


def _overlaps(west: Any, south: Any, east: Any, north: Any) -> Rows:
    touching: Rows = (east >= VIETNAM[0]) & (north >= VIETNAM[1]) & (west <= VIETNAM[2]) & (south <= VIETNAM[3])
    return touching


def _extent(west: Any, south: Any, east: Any, north: Any) -> str:
    return f"x {np.nanmin(west):.6g} .. {np.nanmax(east):.6g}, y {np.nanmin(south):.6g} .. {np.nanmax(north):.6g}"
