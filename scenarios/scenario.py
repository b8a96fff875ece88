"""The scenario file: what a planner asks for, read from TOML and checked key by key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from phusong.coverage.errors import CoverageError
from phusong.coverage.surroundings import check_surroundings, enclosures
from phusong.data_sources.reading import LayerSource, Sources
from phusong.scenarios.candidates.settings import CandidateSettings, Costs
from phusong.scenarios.capacity import Capacity
from phusong.scenarios.errors import ScenarioFaults, ScenarioFileMissing
from phusong.scenarios.radio import Radio
from phusong.scenarios.satellite.settings import Satellite
from phusong.scenarios.service import Service
from phusong.scenarios.settings import Section
from phusong.scenarios.throughput import Throughput

LAYERS = (
    "hamlets",
    "sectors",
    "roads",
    "pops",
    "fibre_routes",
    "power_lines",
    "facilities",
    "exclusions",
    "communes",
)
Box = Annotated[tuple[float, float, float, float], Field(description="west, south, east, north in degrees")]


class About(Section):
    """[scenario]"""

    name: str = Field(min_length=1)
    seed: int = Field(1, ge=0)
    note: str = ""


class AreaSection(Section):
    """[area]: where, and on which grid."""

    bounds: list[Box] | None = Field(None, description="one or more boxes, degrees; several far boxes become parts")
    boundary: str | None = Field(None, description="polygon file of the planned area")
    crs: str = Field("auto", description='"auto" (UTM) or "EPSG:..." of a metric CRS, e.g. a VN-2000 zone')
    cell_m: float = Field(90.0, ge=10, le=1000)
    margin_km: float = Field(0.0, ge=0, le=100, description="terrain and sites beyond the area that are read too")


class TerrainSection(Section):
    files: list[str] = Field(min_length=1, description="GeoTIFF, .hgt, folders of them, or a .txt list of tiles")
    surface: Literal["dsm", "dtm"] = Field(
        "dsm", description="dsm: trees and roofs are in the heights; dtm: bare earth"
    )


class PopulationSection(Section):
    file: str
    units: Literal["people", "people_per_km2"] | None = None
    refine: bool = Field(True, description="move people inside each source cell towards hamlets and roads")


class LayerSection(Section):
    file: str
    layer: str | None = None
    columns: dict[str, str] = Field(default_factory=dict, description="our column name -> the file's column name")

    @model_validator(mode="before")
    @classmethod
    def _bare_file(cls, given: Any) -> Any:
        return {"file": given} if isinstance(given, str) else given


class DataSection(Section):
    """[data]: the files; paths are relative to `dir`, which is relative to the scenario file."""

    dir: str = "."
    synthetic: list[str] = Field(
        default_factory=list, description="roles whose data are made up; shown on every output"
    )
    terrain: TerrainSection
    population: PopulationSection
    hamlets: LayerSection
    sectors: LayerSection | None = None
    roads: LayerSection | None = None
    pops: LayerSection | None = None
    fibre_routes: LayerSection | None = None
    power_lines: LayerSection | None = None
    facilities: LayerSection | None = None
    exclusions: LayerSection | None = None
    communes: LayerSection | None = None
    antennas: list[str] = Field(default_factory=list, description=".msi and .pln files of antennas, or folders of them")
    drop_sites_share: float = Field(0.0, ge=0, lt=1, description="leaves out this share of sites, drawn by the seed")


class Objective(Section):
    """[objective]"""

    goal: Literal["max_cleared", "min_cost"] = "max_cleared"
    budget_vnd: int | None = Field(None, ge=0, description="for max_cleared")
    budget_counts: Literal["capex", "lifetime"] = "capex"
    target_hamlets: int | None = Field(None, ge=1, description="for min_cost: how many hamlets must be cleared")
    target_share: float | None = Field(None, gt=0, le=1, description="for min_cost: share of the low-signal hamlets")
    deadline: str | None = Field(
        None, pattern=r"^\d{4}-\d{2}-\d{2}$", description="date of the target; goes to the task list"
    )
    horizon_years: int = Field(10, ge=1, le=50, description="years of opex in the lifetime cost (assumption)")
    price_year: int = Field(2026, ge=2000, le=2100)
    vat_included: bool = False
    locked_options: list[str] = Field(default_factory=list, description="options that must be in the plan")
    forbidden_options: list[str] = Field(default_factory=list)
    required_hamlets: list[str] = Field(default_factory=list, description="hamlets that must be cleared")
    caps: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="most ways of backhaul of a kind that is limited, e.g. leo-terminals = 40"
    )
    sites_per_operator: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="most new sites of an operator"
    )

    @model_validator(mode="after")
    def _goal_has_its_number(self) -> Objective:
        if self.goal == "max_cleared" and self.budget_vnd is None:
            raise ValueError('goal = "max_cleared" needs budget_vnd')
        if self.goal == "min_cost" and (self.target_hamlets is None) == (self.target_share is None):
            raise ValueError('goal = "min_cost" needs target_hamlets or target_share, one of the two')
        return self

    def hamlets_asked(self, low: int) -> int:
        """How many of `low` low-signal hamlets min_cost must clear."""
        if self.target_hamlets is not None:
            return self.target_hamlets
        return ceil((self.target_share or 0) * low - 1e-9)  # 0.07 of 100 hamlets are 7, not 8


class Solver(Section):
    """[solver]"""

    gap: float = Field(0.0, ge=0, lt=1)
    deterministic_limit: float | None = Field(8.0, gt=0, description="work per stage, in the solver's own units")
    time_limit_s: float | None = Field(None, gt=0, description="wall clock; a plan stopped by it is not repeatable")
    threads: int | None = Field(None, ge=1, description="for coverage; none: all cores")


class Outputs(Section):
    """[outputs]"""

    dir: str = Field("runs", description="relative to the working folder")
    csv: Literal["iso", "vi"] = Field("iso", description='"vi": semicolons and decimal commas')


class Scenario(Section):
    """A whole scenario file."""

    scenario: About
    area: AreaSection = AreaSection()
    data: DataSection
    radio: Radio = Radio()
    service: Service = Service()
    throughput: Throughput = Throughput()
    capacity: Capacity = Capacity()
    candidates: CandidateSettings = CandidateSettings()
    costs: Costs = Costs()
    satellite: Satellite = Satellite()
    objective: Objective
    solver: Solver = Solver()
    outputs: Outputs = Outputs()

    @model_validator(mode="after")
    def _minimum_technology_has_a_level(self) -> Scenario:
        if (technology := self.service.minimum_technology) not in self.radio.min_rsrp_dbm:
            raise ValueError(
                f'radio.min_rsrp_dbm: no level for service.minimum_technology = "{technology}": '
                f'add  "{technology}" = ...  or ask for one of {", ".join(self.radio.min_rsrp_dbm) or "none"}'
            )
        return self

    @model_validator(mode="after")
    def _surroundings_fit_terrain_and_model(self) -> Scenario:
        try:
            check_surroundings(
                self.radio.surroundings.made(), surface=self.data.terrain.surface, clutter_in_profile=False,
                model=self.radio.model,
            )  # fmt: skip
        except CoverageError as fault:
            raise ValueError(f"radio.surroundings: {fault.what} ({fault.where}): {fault.mend}") from None
        inside = enclosures(self.radio.surroundings.made())
        if inside and self.throughput.extra_loss_db:
            raise ValueError(
                f"throughput.extra_loss_db: radio.surroundings has the receiver's enclosure already "
                f"({', '.join(inside)}): drop one of the two"
            )
        if self.radio.location_sigma_db and self.radio.model_parameters.get("location_pct", 50) != 50:
            raise ValueError(
                "radio.model_parameters.location_pct: location_sigma_db is a margin for the same spread already: "
                "drop location_pct, or set location_sigma_db = 0"
            )
        return self

    def sources(self, base: Path) -> Sources:
        """The input files with full paths; `base` is the data folder."""
        layers = {
            kind: LayerSource(base / section.file, section.columns, section.layer)
            for kind in LAYERS
            if (section := getattr(self.data, kind)) is not None
        }
        return Sources(
            terrain=tuple(base / f for f in self.data.terrain.files),
            population=base / self.data.population.file,
            population_units=self.data.population.units,
            layers=layers,
            bounds=tuple(self.area.bounds) if self.area.bounds else None,
            boundary=base / self.area.boundary if self.area.boundary else None,
            cell_m=self.area.cell_m,
            crs=self.area.crs,
            margin_km=self.area.margin_km,
            refine=self.data.population.refine,
            antennas=tuple(base / f for f in self.data.antennas),
        )


def read_scenario(
    path: Path, data_dir: Path | None = None, instead: Mapping[str, Any] | None = None
) -> tuple[Scenario, Path]:
    """Read a scenario file and what it extends; returns it with its data folder.

    data_dir: replaces [data] dir. instead: sections and keys that replace the file's before they are checked.
    Raises ScenarioFileMissing, ScenarioFaults (every fault at once).
    """
    given = _merged(_with_parents(path, ()), instead or {})
    try:
        scenario = Scenario.model_validate(given)
    except ValidationError as error:
        raise ScenarioFaults(path, [_fault(problem, given) for problem in error.errors()]) from None
    return scenario, data_dir if data_dir is not None else (path.parent / scenario.data.dir)


def _with_parents(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    resolved = path.resolve()
    if resolved in seen:
        chain = " -> ".join(p.name for p in (*seen, resolved))
        raise ScenarioFaults(path, [f"extends: vòng lặp / the files extend each other: {chain}"])
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError):
        raise ScenarioFileMissing(
            what="không có tệp kịch bản / scenario file not found",
            where=str(path),
            mend="kiểm tra đường dẫn, hoặc tạo mới bằng / make one with:  phusong init",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioFaults(path, [f"không đọc được TOML / not valid TOML: {error}"]) from None
    parent = given.pop("extends", None)
    if parent is None:
        return given
    if not isinstance(parent, str):
        raise ScenarioFaults(path, ['extends: expected a file name, e.g. extends = "tam-dao.toml"'])
    return _merged(_with_parents(path.parent / parent, (*seen, resolved)), given)


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _fault(problem: Any, given: Mapping[str, Any]) -> str:
    location = [str(step) for step in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        advice = f"có phải / did you mean {near[0]!r}?" if near else f"các khoá đúng / known keys: {', '.join(known)}"
        return f"{key}: khoá không có / unknown key — {advice}"
    if problem["type"] == "missing":
        return f"{key}: thiếu / missing"
    message = str(problem["msg"]).removeprefix("Value error, ")
    value = problem.get("input")
    shown = "" if isinstance(value, dict | list) else f" (đang là / given: {value!r})"
    return ": ".join(filter(None, [key, message])) + shown  # what several sections say together names its own keys


def _known_keys(location: list[str]) -> list[str]:
    model: Any = Scenario
    for step in location:
        field = model.model_fields.get(step) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return []
        model = field.annotation
        options = [a for a in getattr(model, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        model = options[0] if options else model
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema()
    schema["title"] = "Phusong scenario"
    schema["properties"]["extends"] = {"type": "string", "description": "another scenario file that this one changes"}
    return schema


def changed(scenario: Scenario, path: Path, change: Mapping[str, Any]) -> Scenario:
    """The scenario with the command line's values in place of the file's; None keeps the file's.

    Raises ScenarioFaults for a value that the scenario would not take.
    """
    places = {
        "budget_ty": ("objective", "budget_vnd"),
        "gap": ("solver", "gap"),
        "time_limit_s": ("solver", "time_limit_s"),
        "threads": ("solver", "threads"),
        "device": ("radio", "device"),
        "seed": ("scenario", "seed"),
    }
    given = scenario.model_dump()
    for name, value in change.items():
        if value is not None:
            section, key = places[name]
            given[section][key] = round(value * 1e9) if name == "budget_ty" else value
    try:
        return Scenario.model_validate(given)
    except ValidationError as error:
        raise ScenarioFaults(path, [_fault(problem, given) for problem in error.errors()]) from None
