"""The summary of a run as it is printed on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.words import money_ty, number, percent, word


def print_summary(out: Console, result: RunResult, folder: Path) -> None:
    """Print who is low-signal, what the plan clears, what it costs and how good it is proven to be."""
    for head, text in _lines(result):
        out.print(f"{head:11}{text}", markup=False)
    out.print(f"{'run':11}{folder}   map.html · overview.png · plan.gpkg · tables.xlsx", markup=False)


def _lines(result: RunResult) -> list[tuple[str, str]]:
    s = result.summary
    rule = s["rule"]
    declared = "danh sách công bố trước, mô hình sau" if s["declared_vs_model"].keys() - {"undeclared"} else "mô hình"
    lines = [
        (
            result.name,
            f"{number(s['hamlets'])} thôn · {s['trang_before']} trắng sóng, {s['lom_before']} lõm sóng"
            f" ({rule['name']}, {declared}, {s['minimum_technology']}, P{round(100 * s['confidence'])})",
        ),
    ]
    if result.label:
        lines.insert(0, (result.label, ", ".join(result.synthetic)))
    lines.append(
        (
            "coverage",
            f"{number(s['stations_existing'])} trạm BTS"
            f" · {number(s['people_covered_before'])} / {number(s['people'])} người có sóng"
            f" · P50: {s['low_before_p50']} thôn lõm/trắng · {s['edge_hamlets']} thôn sát biên",
        )
    )
    if s["cleared_bound"] is None:
        return lines
    return lines + _plan_lines(s)


def _plan_lines(s: Any) -> list[tuple[str, str]]:
    found = s["candidates"]
    kinds = found["kinds"]
    improvements = found["options"] - kinds.get("new-site", 0)
    spent = money_ty(s["capex_vnd"] if s["budget_counts"] == "capex" else s["lifetime_vnd"], band=s["cost_band"])
    budget = f" của {money_ty(s['budget_vnd'])}" if s["budget_vnd"] is not None else ""
    lines = [
        (
            "candidates",
            f"{number(found['sites'])} vị trí, {number(found['options'])} phương án,"
            f" {number(improvements)} là nâng cấp",
        ),
        (
            "decision",
            f"xoá {s['cleared']} trên {s['low_before']} thôn · nhiều nhất có thể {s['cleared_bound']} · {spent}{budget}"
            f" · khoảng cách {percent(s['gap'])} ({s['gap_hamlets']} thôn)",
        ),
        (
            "",
            f"{number(s['people_newly_covered'])} người được phủ sóng thêm · {s['sites_new']} vị trí mới,"
            f" {s['sites_improved']} vị trí nâng cấp, {s['stations_new']} trạm BTS mới"
            f" · {s['electrified']} thôn có điện thêm",
        ),
        ("", f"cả vòng đời {s['horizon_years']} năm: {money_ty(s['lifetime_vnd'], band=s['cost_band'])}"),
    ]
    if not s["cleared"] and s["cheapest_hamlet_vnd"] is not None:
        lines.append(
            ("", f"thôn rẻ nhất cần / the cheapest hamlet costs {money_ty(s['cheapest_hamlet_vnd'], digits=2)}")
        )
    if not s["repeatable"]:
        lines.append(("", "dừng theo giờ: chạy lại có thể khác / stopped by the clock: not repeatable"))
    lines.append(("checker", word(s["checker"]) + (f" · sửa {len(s['repairs'])} lần" if s["repairs"] else "")))
    return lines
