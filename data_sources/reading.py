"""Everything a run needs, read, checked against each other and put on the planning grids; all faults told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from phusong.data_sources.antenna_files import AntennaFile, read_antenna
from phusong.data_sources.area import Area, Finding, InputFile, Layers, Part
from phusong.data_sources.errors import AreaEmpty, DataError, GeometryMissing, InputFaults
from phusong.data_sources.faults import Faults
from phusong.data_sources.grid import Bounds, cells_inside, check_bounds, planning_grids, scale_error_ppm
from phusong.data_sources.headers import Headers
from phusong.data_sources.layers import LayerRead, empty_layer, read_layer
from phusong.data_sources.placing import cells_along, cells_under_water, place_layers, rows_and_columns, with_communes
from phusong.data_sources.population import PopulationRead, read_population
from phusong.data_sources.rasters import raster_bounds
from phusong.data_sources.refinement import refine_population
from phusong.data_sources.schema import KINDS
from phusong.data_sources.shapes import read_shapes
from phusong.data_sources.tables import read_table
from phusong.data_sources.terrain import read_terrain, terrain_bounds

AROUND_HAMLETS_DEG = 0.02
"""About 2 km around the outermost hamlets belong to an area that only they draw (assumption)."""
WORTH_REFINING = 3.0
"""A source pixel less than so many cells wide is as fine as the grid already."""
WORTH_WARNING = 0.01
"""Share of the area without terrain; less is the strip along an edge cut to whole pixels."""
ANTENNA_SUFFIXES = (".msi", ".pln")
Progress = Callable[[str, int, int], None]
"""Name of the step, pieces done, pieces in all."""
Level = Literal["error", "warning", "note"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LayerSource:
    """A file of one layer; columns: our name -> its title; layer: sheet or layer, where it has several."""

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    layer: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """The input files and the area.

    terrain  : files, folders or .txt lists, see `read_terrain`;  population_units: see `read_population`
    layers   : kind (a key of `schema.KINDS`) -> file
    bounds   : boxes (west, south, east, north) [degrees, WGS 84];  boundary: a file of polygons; with both, what lies
               in both; with neither, the ground around the hamlets as far as there is terrain
    cell_m, crs, margin_km : see `planning_grids`
    refine   : move coarse pixels' people towards hamlets, roads and gentle slopes, see `refine_population`
    antennas : .msi and .pln files, or folders of them, see `read_antenna`
    """

    terrain: tuple[Path, ...]
    population: Path
    population_units: str | None
    layers: Mapping[str, LayerSource]
    bounds: tuple[Bounds, ...] | None
    boundary: Path | None
    cell_m: float
    crs: str
    margin_km: float
    refine: bool
    antennas: tuple[Path, ...] = ()


def read_area(sources: Sources, *, progress: Progress | None = None) -> Area:
    """The area of a run, in parts, with all that was found on the way.

    Raises InputFaults with every fault when any is an error.
    """
    area, desk = _read(sources, progress)
    if area is None:
        raise InputFaults(desk.findings)
    return area


def check_area(sources: Sources) -> tuple[Finding, ...]:
    """All that `read_area` would find, faults included."""
    return examine_area(sources)[0]


def examine_area(sources: Sources) -> tuple[tuple[Finding, ...], dict[str, pd.DataFrame]]:
    """`check_area`, with the rows that were left out: kind, or "boundary" -> one line a row, see `LayerRead`."""
    desk = _read(sources, None)[1]
    return desk.findings, desk.rejects


def rejected_rows(sources: Sources) -> dict[str, pd.DataFrame]:
    """Kind -> the rows of its file that were left out, see `LayerRead`; kinds without any are absent."""
    reads = {kind: _Desk().attempt(partial(_layer, kind, source)) for kind, source in sources.layers.items()}
    return {kind: read.rejected for kind, read in reads.items() if read is not None and len(read.rejected)}


class _Desk:
    """Where what is read is laid: findings in their order, each once, and files."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}
        self._files: dict[tuple[str, Path], InputFile] = {}
        self.rejects: dict[str, pd.DataFrame] = {}

    def attempt(self, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None and its failure among the findings."""
        try:
            return read()
        except InputFaults as faults:
            self.take(faults.findings)
        except DataError as error:
            self.say("error", error.what, error.where, error.mend)
        return None

    def say(self, level: Level, what: str, where: str, mend: str = "") -> None:
        self.take([Finding(level, what, where, mend)])

    def take(self, findings: Iterable[Finding]) -> None:
        self._findings.update(dict.fromkeys(findings))

    def used(self, role: str, path: Path) -> None:
        if (role, path) not in self._files:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._files[role, path] = InputFile(role, path, digest, path.stat().st_size)

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings)

    @property
    def files(self) -> tuple[InputFile, ...]:
        return tuple(self._files.values())

    @property
    def failed(self) -> bool:
        return any(finding.level == "error" for finding in self._findings)


def _read(sources: Sources, progress: Progress | None) -> tuple[Area | None, _Desk]:
    desk = _Desk()
    tell: Progress = progress or (lambda step, done, total: None)
    layers = _layers(sources, desk, tell)
    antennas = _antennas(sources, desk)
    ground = desk.attempt(lambda: _ground(sources, layers["hamlets"], desk))
    boxes = None if ground is None else desk.attempt(lambda: _boxes(ground, sources))
    if ground is None or boxes is None:
        desk.attempt(lambda: terrain_bounds(sources.terrain))  # at least these can be looked at
        desk.attempt(lambda: raster_bounds(sources.population))
        return None, desk

    parts: list[Part] = []
    kept = {kind: np.zeros(len(frame), dtype=np.bool_) for kind, frame in layers.items()}
    for number, box in enumerate(boxes):
        tell("địa hình, dân số / terrain, people", number, len(boxes))
        placed, here = place_layers(layers, box, ground)
        for kind, rows in here.items():
            kept[kind] |= rows
        name = "main" if number == 0 else f"part-{number + 1}"
        part = _part(name, box, cells_inside(box, ground), placed, layers["hamlets"], sources, desk)
        parts += [replace(part, antennas=antennas)] if part is not None else []
    tell("địa hình, dân số / terrain, people", len(boxes), len(boxes))
    for kind, rows in kept.items():
        _tell_outside(kind, rows, sources, desk)
    _tell_ratio(parts, desk)
    if not parts and not desk.failed:
        desk.say(
            "error", "không ô nào nằm trong vùng / no cell lies in the area", "area", "giảm cell_m / use smaller cells"
        )
    return None if desk.failed else Area(tuple(parts), desk.findings, desk.files, desk.rejects), desk


def _layers(sources: Sources, desk: _Desk, tell: Progress) -> dict[str, gpd.GeoDataFrame]:
    """One frame a kind, empty where none was given or it cannot be read."""
    layers = {kind: empty_layer(kind) for kind in KINDS}
    for number, (kind, source) in enumerate(sources.layers.items()):
        tell("đọc các lớp / reading layers", number, len(sources.layers))
        read = desk.attempt(partial(_layer, kind, source))
        if read is not None:
            desk.take(read.findings)
            desk.used(kind, source.path)
            layers[kind] = read.frame
            if len(read.rejected):
                desk.rejects[kind] = read.rejected
    tell("đọc các lớp / reading layers", len(sources.layers), len(sources.layers))
    if len(layers["hamlets"]) and len(layers["communes"]):
        layers["hamlets"] = _in_communes(layers["hamlets"], layers["communes"], sources, desk)
    return layers


def _antennas(sources: Sources, desk: _Desk) -> tuple[AntennaFile, ...]:
    """The antennas of all files; two of one name are a fault, as nothing says which a sector means."""
    found: dict[str, AntennaFile] = {}
    for path in _antenna_files(sources.antennas):
        antenna = desk.attempt(partial(read_antenna, path))
        if antenna is None:
            continue
        desk.take(antenna.findings)
        desk.used("antennas", path)
        name = antenna.name.strip().casefold()
        if name in found:
            what = f'hai tệp cùng tên anten "{antenna.name}" / two files of one antenna name'
            mend = "sửa dòng NAME của một tệp / change the NAME line of one of them"
            desk.say("error", what, f"{found[name].path}, {path}", mend)
        found[name] = antenna
    return tuple(found.values())


def _antenna_files(given: Iterable[Path]) -> Iterator[Path]:
    for path in given:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.suffix.lower() in ANTENNA_SUFFIXES)
        else:
            yield path


def _layer(kind: str, source: LayerSource) -> LayerRead:
    return read_layer(kind, source.path, columns=source.columns, layer=source.layer)


def _in_communes(
    hamlets: gpd.GeoDataFrame, communes: gpd.GeoDataFrame, sources: Sources, desk: _Desk
) -> gpd.GeoDataFrame:
    where = sources.layers["hamlets"].path.name
    located, filled = with_communes(hamlets, communes)
    blank = int(located["commune_code"].isna().sum())
    strange = located["commune_code"].notna() & ~located["commune_code"].isin(communes["commune_code"])
    if filled:
        what = f"{filled:,} thôn lấy mã xã theo ranh giới / hamlets took their commune from the polygon around them"
        desk.say("note", what, where)
    if blank:
        what = f"{blank:,} thôn không có mã xã, ngoài mọi ranh giới / hamlets have no commune and lie in none"
        desk.say("warning", what, where, "điền mã xã, kiểm tra toạ độ / fill in the code, check the place")
    if strange.any():
        codes = ", ".join(sorted(set(located["commune_code"][strange]))[:5])
        what = f"{strange.sum():,} thôn có mã xã lạ / hamlets have a commune that is not in the layer: {codes}"
        desk.say("warning", what, where, "mã trước 7/2025? / codes of before July 2025?")
    return located


def _ground(sources: Sources, hamlets: gpd.GeoDataFrame, desk: _Desk) -> BaseGeometry:
    """The planned area in WGS 84."""
    boxes = None
    if sources.bounds is not None:
        check_bounds(sources.bounds)
        boxes = shapely.union_all([shapely.box(*bounds) for bounds in sources.bounds])
    if sources.boundary is not None:
        ground = _boundary(sources.boundary, desk)
        ground = ground if boxes is None else shapely.intersection(ground, boxes)
    else:
        ground = boxes if boxes is not None else _around(hamlets, sources, desk)
    if shapely.area(ground) == 0.0:
        raise AreaEmpty(
            "vùng quy hoạch rỗng / the area is empty",
            str(sources.boundary or "area"),
            "kiểm tra ranh giới, khung, toạ độ thôn / check the boundary, the bounds, the places of the hamlets",
        )
    return ground


def _boundary(path: Path, desk: _Desk) -> BaseGeometry:
    polygons = KINDS["communes"]
    table = read_table(path, Headers(polygons, {}))
    if table.shapes is None or not len(table.row):
        raise GeometryMissing(
            "tệp ranh giới không có vùng nào / the boundary file holds no polygon",
            str(path),
            "dùng GeoPackage hoặc GeoJSON có vùng / use a GeoPackage or GeoJSON with polygons",
        )
    faults = Faults(table, {})
    shapes = read_shapes(table, polygons, {}, faults)
    desk.take(faults.findings())
    desk.used("boundary", path)
    if faults.bad.any():
        desk.rejects["boundary"] = faults.rejected()
    return shapely.union_all(shapes[~faults.bad])


def _around(hamlets: gpd.GeoDataFrame, sources: Sources, desk: _Desk) -> BaseGeometry:
    if hamlets.empty:
        return shapely.Polygon()
    west, south, east, north = hamlets.total_bounds
    ring = AROUND_HAMLETS_DEG
    lived_in = shapely.box(west - ring, south - ring, east + ring, north + ring)
    ground = shapely.intersection(lived_in, shapely.box(*terrain_bounds(sources.terrain)))
    if ground.is_empty:
        return ground
    bounds = ", ".join(f"{bound:.3f}" for bound in ground.bounds)
    what = f"vùng lấy theo thôn và địa hình / the area was taken from hamlets and terrain: {bounds}"
    desk.say("note", what, "area", "ghi bounds hoặc boundary nếu khác / give bounds or a boundary if it is another")
    return ground


def _boxes(ground: BaseGeometry, sources: Sources) -> list[GeoBox]:
    bounds = [part.bounds for part in shapely.get_parts(ground) if part.area > 0.0]
    return planning_grids(bounds, sources.cell_m, sources.crs, sources.margin_km)


def _part(
    name: str,
    box: GeoBox,
    inside: NDArray[np.bool_],
    layers: Layers,
    hamlets_wgs84: gpd.GeoDataFrame,
    sources: Sources,
    desk: _Desk,
) -> Part | None:
    """One part, or None where its rasters cannot be read or no cell lies in the area."""
    if not inside.any():
        what = f"{name}: không ô nào có tâm trong vùng, bỏ qua / no cell has its centre in the area, left out"
        desk.say("warning", what, "area", "giảm cell_m / use smaller cells")
        return None
    terrain = desk.attempt(lambda: read_terrain(sources.terrain, box))
    population = desk.attempt(lambda: read_population(sources.population, box, sources.population_units))
    if terrain is None or population is None:
        return None
    desk.take([*terrain.findings, *population.findings])
    for path in terrain.files:
        desk.used("terrain", path)
    desk.used("population", sources.population)
    _tell_gaps(name, terrain.height_m, inside, sources, desk)
    _tell_unseen_hamlets(layers.hamlets, box, terrain.height_m, population, sources, desk)
    people = population.people
    if sources.refine:
        people = _refined(population, terrain.height_m, box, layers, hamlets_wgs84, sources, desk)
    return Part(name, box, terrain.height_m, inside, people, layers, scale_error_ppm(box))


def _refined(
    population: PopulationRead,
    height_m: NDArray[np.float32],
    box: GeoBox,
    layers: Layers,
    hamlets_wgs84: gpd.GeoDataFrame,
    sources: Sources,
    desk: _Desk,
) -> NDArray[np.float32]:
    """Hamlets of the margin, too, draw the people of their pixels."""
    pixel = f"{population.pixel_m:.0f} m"
    if population.pixel_m < WORTH_REFINING * sources.cell_m:
        what = f"dân số đã mịn gần bằng lưới, giữ nguyên / people are nearly as fine as the grid, kept: {pixel}"
        desk.say("note", what, sources.population.name)
        return population.people
    what = (
        f"dân số ô {pixel} được phân bố lại theo thôn, đường, độ dốc (giả định) / people were moved within pixels "
        "towards hamlets, roads and gentle slopes (assumption); every pixel keeps its total"
    )
    desk.say("note", what, sources.population.name)
    hamlets = hamlets_wgs84.to_crs(layers.hamlets.crs)
    return refine_population(
        population.people,
        population.source_cell,
        height_m,
        sources.cell_m,
        rows_and_columns(hamlets, box),
        hamlets["population"].to_numpy(np.float64),
        roads=cells_along(layers.roads, box),
        water=cells_under_water(layers.exclusions, box),
    )


def _tell_gaps(
    name: str, height_m: NDArray[np.float32], inside: NDArray[np.bool_], sources: Sources, desk: _Desk
) -> None:
    where = f"{name}: {', '.join(path.name for path in sources.terrain[:3])}"
    missing = np.isnan(height_m)
    gap = float(missing[inside].mean())
    if gap > 0.0:
        what = f"{100 * gap:.1f} % diện tích vùng không có địa hình / of the area has no terrain"
        if gap >= WORTH_WARNING:
            desk.say("warning", what, where, "thêm mảnh còn thiếu / add the missing tiles")
        else:
            desk.say("note", what, where)
    if sources.margin_km > 0.0 and missing[~inside].any():
        what = f"{100 * missing[~inside].mean():.1f} % vành đai không có địa hình / of the margin has no terrain"
        desk.say("note", what, where)


def _tell_unseen_hamlets(
    hamlets: gpd.GeoDataFrame,
    box: GeoBox,
    height_m: NDArray[np.float32],
    population: PopulationRead,
    sources: Sources,
    desk: _Desk,
) -> None:
    """Hamlets of the area that a raster does not reach."""
    row, column = np.rint(rows_and_columns(hamlets, box)).astype(np.int64).T
    no_ground = np.isnan(height_m[row, column]).sum()
    x, y = hamlets.geometry.x.to_numpy(), hamlets.geometry.y.to_numpy()
    no_people = (~population.pixels.hold(x, y, hamlets.crs)).sum()
    mend = "lấy raster phủ hết vùng / get a raster that covers the whole area"
    if no_ground:
        what = f"{no_ground:,} thôn ngoài địa hình / hamlets lie outside the terrain"
        desk.say("warning", what, sources.terrain[0].name, mend)
    if no_people:
        what = f"{no_people:,} thôn ngoài raster dân số / hamlets lie outside the population raster"
        desk.say("warning", what, sources.population.name, mend)


def _tell_outside(kind: str, kept: NDArray[np.bool_], sources: Sources, desk: _Desk) -> None:
    outside = int((~kept).sum())
    if not outside:
        return
    what = f"{KINDS[kind].vi}: {outside:,} / {kept.size:,} ngoài vùng, không dùng / outside the area, not used"
    where = sources.layers[kind].path.name
    if outside < kept.size:
        desk.say("note", what, where)
    else:
        mend = "kiểm tra vùng, hệ toạ độ, kinh độ và vĩ độ / check the area, the CRS, longitude and latitude"
        desk.say("error" if kind == "hamlets" else "warning", what, where, mend)


def _tell_ratio(parts: Sequence[Part], desk: _Desk) -> None:
    """Both counts are right for their use; neither is scaled to the other."""
    listed = sum(float(part.layers.hamlets["population"].sum()) for part in parts)
    mapped = sum(float(part.people[part.inside].sum(dtype=np.float64)) for part in parts)
    if listed > 0.0 and mapped > 0.0:
        what = (
            f"trong vùng, các thôn có {listed:,.0f} người, raster có {mapped:,.0f}, không co giãn / hamlets hold "
            f"{listed / mapped:.0%} of the raster's people in the area; nothing is rescaled"
        )
        desk.say("note", what, "hamlets, population")
