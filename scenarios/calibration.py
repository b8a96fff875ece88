"""`phusong calibrate`: how far the model is off where people measured, and what the scenario should say of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from phusong.data_sources.area import Finding
from phusong.data_sources.errors import InputFaults
from phusong.data_sources.layers import LayerRead
from phusong.data_sources.measurements import read_measurements
from phusong.data_sources.reading import read_area
from phusong.scenarios.calibration_fit import (
    Errors,
    Offset,
    errors_of,
    fit_classes,
    fit_offset,
    fit_slope,
    held_out_blocks,
    near_held_out,
    spread_within_places,
)
from phusong.scenarios.calibration_places import Places, place_measurements
from phusong.scenarios.calibration_text import Value, toml_lines, with_radio_values, write_atomically
from phusong.scenarios.errors import CalibrationImplausible, MeasurementsTooFew, ScenarioNotEditable, TargetExists
from phusong.scenarios.progress import Progress
from phusong.scenarios.radio import Radio
from phusong.scenarios.scenario import Scenario, read_scenario

LEAST_PLACES = 30
LEAST_BLOCKS = 6  # two of them held out
UNCALIBRATED = {"radio": {"model_offset_db": 0.0}}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Errors on the places that were fitted or held out, of the model alone and with what was fitted."""

    before: Errors
    after: Errors


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the measurements say of the model.

    samples, rejected : rows of the file, and those of them that could not be read
    unused            : reason -> samples without a modelled level
    places, blocks, held_out_blocks : places with both levels, squares they lie in, squares held out
    guarded, far_off  : places of the fit set aside: too near to a held-out one; errors of the measurement
    fit, held_out     : errors in each part; slope_db_per_decade and class_offset_db are not written, only told, with
                        the RMSE that each would reach on the held-out part
    values, source    : keys of [radio] and what their comment says
    """

    model: str
    read: LayerRead
    samples: int
    rejected: int
    unused: dict[str, int]
    places: int
    blocks: int
    held_out_blocks: int
    guarded: int
    far_off: int
    offset: Offset
    fit: Comparison
    held_out: Comparison
    slope_db_per_decade: float
    slope_rmse_db: float
    class_offset_db: dict[str, float]
    class_rmse_db: float | None
    values: dict[str, Value]
    source: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.read.findings

    @property
    def improved(self) -> bool:
        """Whether the offset helps where it was not fitted."""
        return self.held_out.after.rmse_db < self.held_out.before.rmse_db


def calibrate(
    path: Path, measurements: Path, data_dir: Path | None = None, on_progress: Progress | None = None
) -> Calibration:
    """Compare the model of a scenario with measured levels.

    path, measurements, data_dir : the scenario file, the list of measurements, a folder in place of [data] dir
    The offset that the scenario has already is left aside: what is fitted is the model itself.
    Raises the rooms' errors for faults of the inputs; MeasurementsTooFew, CalibrationImplausible.
    """
    scenario, base = read_scenario(path, data_dir, UNCALIBRATED)
    read = read_measurements(measurements)
    if not len(read.frame):
        raise InputFaults(read.findings)
    area = read_area(scenario.sources(base), progress=on_progress)
    places = place_measurements(read.frame, area.parts, scenario.radio, threads=scenario.solver.threads)
    digest = hashlib.sha256(measurements.read_bytes()).hexdigest()[:12]
    return calibration_of(scenario, read, places, f"{measurements.name} (sha256 {digest})")


def calibration_of(scenario: Scenario, read: LayerRead, places: Places, name: str) -> Calibration:
    """Fit and test on places that have been gathered; name: of the measurements, for the comment."""
    table = places.table
    blocks = sorted(set(table["block"]))
    if len(table) < LEAST_PLACES or len(blocks) < LEAST_BLOCKS:
        raise _too_few(len(table), len(blocks), places.unused, name)
    kept_out = held_out_blocks(blocks, scenario.scenario.seed)
    held_out = table["block"].isin(kept_out).to_numpy()
    guarded = near_held_out(_position_m(table), held_out)
    fitted = ~held_out & ~guarded
    if fitted.sum() < LEAST_PLACES // 2 or table["block"][fitted].nunique() < 2:
        raise _too_few(int(fitted.sum()), table["block"][fitted].nunique(), places.unused, name)

    measured = table["measured_dbm"].to_numpy(np.float64)
    modelled = table["modelled_dbm"].to_numpy(np.float64)
    threshold = table["threshold_dbm"].to_numpy(np.float64)
    residual = measured - modelled
    number = pd.factorize(table["block"][fitted], sort=True)[0].astype(np.int64)
    offset = fit_offset(residual[fitted], number, spread_within_places(places.deviation_db))

    def compared(where: NDArray[np.bool_]) -> Comparison:
        before, after = (
            errors_of(measured[where], modelled[where] + shift, threshold[where]) for shift in (0.0, offset.offset_db)
        )
        return Comparison(before, after)

    used = fitted.copy()
    used[fitted] = ~offset.far_off
    slope, slope_rmse = _slope(table, residual, used, held_out)
    classes, class_rmse = _classes(table, residual, used, held_out, offset.offset_db)
    result = compared(held_out)
    rmse = f"RMSE {result.before.rmse_db:.1f} -> {result.after.rmse_db:.1f} dB"
    return Calibration(
        model=scenario.radio.model, read=read, samples=read.rows, rejected=read.rows - len(read.frame),
        unused=places.unused, places=len(table), blocks=len(blocks), held_out_blocks=len(kept_out),
        guarded=int(guarded.sum()), far_off=int(offset.far_off.sum()), offset=offset, fit=compared(fitted),
        held_out=result, slope_db_per_decade=slope, slope_rmse_db=slope_rmse, class_offset_db=classes,
        class_rmse_db=class_rmse, values=_values(scenario.radio, offset),
        source=f"{name}, {len(table)} places, held out {result.before.places}: {rmse}",
    )  # fmt: skip


def write_calibration(path: Path, calibration: Calibration, target: Path | None = None) -> str:
    """Puts the fitted values into the scenario file, or into a copy of it; returns the text written.

    target : a file that is not there yet, in the folder of the scenario, whose paths are relative to it
    Raises TargetExists, ScenarioNotEditable, FileOpenElsewhere.
    """
    if target is not None and target.exists():
        raise TargetExists(
            what="tệp đã có / the file exists", where=str(target), mend="chọn tên khác / choose another name"
        )
    if target is not None and target.resolve().parent != path.resolve().parent:
        raise ScenarioNotEditable(
            what="bản sao phải nằm cạnh kịch bản / the copy must lie beside the scenario",
            where=str(target),
            mend=f"đường dẫn trong kịch bản tính từ thư mục của nó / its paths start from its folder: {path.parent}",
        )
    text = with_radio_values(path.read_bytes().decode("utf-8"), calibration.values, calibration.source)
    write_atomically(target or path, text)
    return text


def _position_m(table: pd.DataFrame) -> NDArray[np.float64]:
    """(N, 3): places of different parts are never near each other."""
    return np.column_stack([table["x_m"], table["y_m"], table["part"] * 1e9]).astype(np.float64)


def _slope(
    table: pd.DataFrame, residual: NDArray[np.float64], used: NDArray[np.bool_], held_out: NDArray[np.bool_]
) -> tuple[float, float]:
    distance = table["distance_km"].to_numpy(np.float64)
    level, slope, middle = fit_slope(residual[used], distance[used])
    left = residual - level - slope * np.log10(distance / middle)
    return slope, float(np.sqrt(np.mean(left[held_out] ** 2)))


def _classes(
    table: pd.DataFrame, residual: NDArray[np.float64], used: NDArray[np.bool_], held_out: NDArray[np.bool_],
    offset_db: float,
) -> tuple[dict[str, float], float | None]:  # fmt: skip
    """Offset of each class, and the RMSE that they would reach on the held-out part; other classes keep the common."""
    names = table["clutter_class"].replace("", None).to_numpy(dtype=object)
    found = fit_classes(residual[used], names[used])
    if not found:
        return {}, None
    own = np.array([found.get(name, offset_db) for name in names])
    return found, float(np.sqrt(np.mean((residual - own)[held_out] ** 2)))


def _values(radio: Radio, offset: Offset) -> dict[str, Value]:
    """Keys of [radio], to a tenth of a decibel. Raises CalibrationImplausible for what the scenario would refuse."""
    values: dict[str, Value] = {"model_offset_db": round(offset.offset_db, 1) + 0.0, "calibrated_for": radio.model}
    if offset.model_sigma_db is not None and offset.location_sigma_db is not None:
        values["model_sigma_db"] = round(offset.model_sigma_db, 1)
        values["location_sigma_db"] = round(offset.location_sigma_db, 1)
    try:
        Radio.model_validate({**radio.model_dump(), **values})
    except ValidationError as error:
        raise CalibrationImplausible(
            what="kết quả đo khác mô hình quá xa / the measurements are too far from the model",
            where=", ".join(toml_lines(values)) + f": {error.errors()[0]['msg']}",
            mend="kiểm tra đơn vị, nhà mạng, trạm, toạ độ / check the unit, operators, stations and places",
        ) from None
    return values


def _too_few(places: int, blocks: int, unused: dict[str, int], name: str) -> MeasurementsTooFew:
    told = ", ".join(f"{reason}: {count}" for reason, count in unused.items())
    return MeasurementsTooFew(
        what=f"quá ít điểm đo / too few places measured: {places} in {blocks} squares of 1 km",
        where=name + (f"; mẫu không dùng được / samples not used: {told}" if told else ""),
        mend=f"đo thêm nơi khác / measure elsewhere too: at least {LEAST_PLACES} places in {LEAST_BLOCKS} squares",
    )
