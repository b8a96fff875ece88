"""The summary of a run as it is printed on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.words import money_ty, number, percent, word


def print_summary(out: Console, result: RunResult, folder: Path) -> None:
    """Print who is low-signal, what the plan clears, what it costs and how good it is proven to be."""
    for text in _title(result):
        out.print(text, markup=False)
    for head, text in _lines(result.summary):
        out.print(f"{head:11}{text}", markup=False)
    out.print(f"{'run':11}{folder}   map.html · overview.png · plan.gpkg · tables/tables.xlsx", markup=False)


def _title(result: RunResult) -> list[str]:
    s = result.summary
    rule = s["rule"]
    heard = s["baseline"] != "model-only" and s["declared_vs_model"].keys() - {"undeclared"}
    declared = "danh sách công bố trước, mô hình sau" if heard else "mô hình"
    name = (
        f"{result.name} · {number(s['hamlets'])} thôn · {s['trang_before']} trắng sóng, {s['lom_before']} lõm sóng"
        f" ({rule['name']}, {declared}, {s['minimum_technology']}, P{round(100 * s['confidence'])})"
    )
    return [f"{result.label}: {', '.join(result.synthetic)}", name] if result.label else [name]


def _lines(s: Mapping[str, Any]) -> list[tuple[str, str]]:
    coverage = (
        "coverage",
        f"{number(s['stations_existing'])} trạm BTS"
        f" · {number(s['people_covered_before'])} / {number(s['people'])} người có sóng"
        f" · P50: {s['low_before_p50']} thôn lõm/trắng · {s['edge_hamlets']} thôn sát biên",
    )
    return [coverage] if s["cleared_bound"] is None else [coverage, *_plan_lines(s)]


def _plan_lines(s: Mapping[str, Any]) -> list[tuple[str, str]]:
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
            f"xoá {s['cleared']} trên {s['low_before']} thôn"
            f" (đếm chắc {s['counted']}, nhiều nhất {s['cleared_bound']}) · {spent}{budget}"
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
