"""A calibration as it is printed, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from phusong.scenarios.calibration import Calibration
from phusong.scenarios.calibration_fit import as_dict
from phusong.scenarios.calibration_places import UNUSED
from phusong.scenarios.calibration_text import toml_lines
from phusong.scenarios.outputs.words import number, percent


def report_of(calibration: Calibration) -> dict[str, Any]:
    """The calibration as plain values, for JSON. Errors are measured less modelled."""
    found = calibration.offset
    parts = {"fit": calibration.fit, "held_out": calibration.held_out}
    return {
        "model": calibration.model,
        "samples": calibration.samples,
        "rejected": calibration.rejected,
        "unused": calibration.unused,
        "places": calibration.places,
        "blocks": calibration.blocks,
        "held_out_blocks": calibration.held_out_blocks,
        "guarded": calibration.guarded,
        "far_off": calibration.far_off,
        "offset_db": round(found.offset_db, 4),
        "offset_standard_error_db": round(found.standard_error_db, 4),
        "model_sigma_db": found.model_sigma_db and round(found.model_sigma_db, 4),
        "location_sigma_db": found.location_sigma_db and round(found.location_sigma_db, 4),
        "errors": {
            name: {"before": as_dict(part.before), "after": as_dict(part.after)} for name, part in parts.items()
        },
        "improved": calibration.improved,
        "slope_db_per_decade": round(calibration.slope_db_per_decade, 4),
        "slope_held_out_rmse_db": round(calibration.slope_rmse_db, 4),
        "class_offset_db": {name: round(value, 4) for name, value in calibration.class_offset_db.items()},
        "class_held_out_rmse_db": calibration.class_rmse_db and round(calibration.class_rmse_db, 4),
        "radio": calibration.values,
        "toml": toml_lines(calibration.values),
        "findings": [asdict(finding) for finding in calibration.findings],
    }


def print_calibration(out: Console, calibration: Calibration, written: Path | None) -> None:
    """Print what was used, how far the model was off before and after, and what the scenario should say."""
    for line in _account(calibration):
        out.print(line, markup=False)
    table = Table(box=None)
    table.add_column("đo trừ tính / measured less modelled")
    for title in ("điểm / places", "lệch TB / mean", "lệch chuẩn / std", "RMSE", "đúng phía / hit rate"):
        table.add_column(title, justify="right")
    names = {"fit": "điểm khớp / fitted", "held_out": "điểm giữ lại / held out"}
    for name, part in (("fit", calibration.fit), ("held_out", calibration.held_out)):
        for when, errors in (("trước / before", part.before), ("sau / after", part.after)):
            table.add_row(
                f"{names[name]}, {when}", number(errors.places), *(f"{number(value, 1)} dB" for value in
                (errors.mean_db, errors.standard_deviation_db, errors.rmse_db)), percent(errors.hit_rate),
            )  # fmt: skip
    out.print(table)
    for line in (*_found(calibration), *_also(calibration)):
        out.print(line, markup=False)
    where = f"đã ghi / written: {written}" if written else "ghi vào kịch bản / for the scenario (--write):"
    out.print(where, markup=False)
    out.print("\n".join(["  [radio]", *(f"  {line}" for line in toml_lines(calibration.values))]), markup=False)


def _account(c: Calibration) -> list[str]:
    lines = [
        f"{c.model} · {number(c.samples)} mẫu đo / samples, {number(c.rejected)} bị loại / rejected · "
        f"{number(c.places)} điểm / places · {number(c.blocks)} ô 1 km / squares, "
        f"{number(c.held_out_blocks)} giữ lại / held out"
    ]
    for reason, count in c.unused.items():
        vi, en = UNUSED[reason]
        lines.append(f"  {number(count)} mẫu không dùng / samples not used: {vi} / {en}")
    if c.guarded:
        lines.append(f"  {number(c.guarded)} điểm để ra, sát ô giữ lại / places set aside, near a held-out square")
    if c.far_off:
        lines.append(f"  {number(c.far_off)} điểm để ra, lệch hẳn quanh nó / places set aside, far from those around")
    return lines


def _found(c: Calibration) -> list[str]:
    found = c.offset
    line = f"model_offset_db {number(found.offset_db, 1)} ± {number(found.standard_error_db, 1)} dB"
    if found.model_sigma_db is None or found.location_sigma_db is None:
        line += " · quá ít ô để tính sigma, giữ trị cũ / too few squares for the sigmas, which stay as they are"
    else:
        line += f" · model_sigma_db {number(found.model_sigma_db, 1)}"
        line += f" · location_sigma_db {number(found.location_sigma_db, 1)}"
    if c.improved:
        return [line]
    return [line, "ở nơi giữ lại không tốt hơn: đừng dùng, hãy đo thêm / no better where held out: measure more"]


def _also(c: Calibration) -> list[str]:
    """What is told and not written: it says what the model lacks."""
    after = c.held_out.after.rmse_db
    lines = [
        f"theo khoảng cách / by distance: {number(c.slope_db_per_decade, 1)} dB/decade, "
        f"RMSE {number(after, 1)} → {number(c.slope_rmse_db, 1)} dB (không ghi / not written)"
    ]
    if c.class_rmse_db is not None:
        told = ", ".join(f"{name} {number(value, 1)}" for name, value in c.class_offset_db.items())
        lines.append(
            f"theo lớp phủ / by clutter class: {told} dB, "
            f"RMSE {number(after, 1)} → {number(c.class_rmse_db, 1)} dB (không ghi / not written)"
        )
    return lines
