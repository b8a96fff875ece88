"""The summary of a run as it is printed on the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.words import LANGUAGES, Language, money_ty, number, percent, satellite_figures, word

LANGUAGE_VARIABLE = "PHUSONG_LANG"
# Kinds of option; the others improve a standing site.
AT_NEW_PLACES = ("new-site", "remote-radio", "small-cell", "repeater")


def asked_languages() -> tuple[Language, ...]:
    """Languages of the summary: `vi` or `en` when the environment variable PHUSONG_LANG says so, else both."""
    wanted = os.environ.get(LANGUAGE_VARIABLE, "").strip().lower()
    return tuple(lang for lang in LANGUAGES if lang == wanted) or LANGUAGES


def print_summary(out: Console, result: RunResult, folder: Path) -> None:
    """Print who is low-signal, what the plan clears, what it costs and how good it is proven to be."""
    if result.label:
        out.print(f"{result.label}: {', '.join(result.synthetic)}", markup=False)
    for lang in asked_languages():
        out.print(_title(result, lang), markup=False)
        for head, text in _lines(result.summary, lang):
            out.print(f"{head:11}{text}", markup=False)
    out.print(f"{'run':11}{folder}   map.html · overview.png · plan.gpkg · tables/tables.xlsx", markup=False)


def _title(result: RunResult, lang: Language) -> str:
    s = result.summary
    heard = s["baseline"] != "model-only" and s["declared_vs_model"].keys() - {"undeclared"}
    return word("term.title", lang).format(
        name=result.name,
        hamlets=number(s["hamlets"], lang=lang),
        trang=number(s["trang_before"], lang=lang),
        lom=number(s["lom_before"], lang=lang),
        rule=s["rule"]["name"],
        whose=word("term.declared_first", lang) if heard else word("term.model", lang),
        technology=s["minimum_technology"],
        confidence=round(100 * s["confidence"]),
    )


def _lines(s: Mapping[str, Any], lang: Language) -> list[tuple[str, str]]:
    coverage = word("term.coverage", lang).format(
        stations=number(s["stations_existing"], lang=lang),
        covered=number(s["people_covered_before"], lang=lang),
        people=number(s["people"], lang=lang),
        p50=number(s["low_before_p50"], lang=lang),
        edge=number(s["edge_hamlets"], lang=lang),
    )
    today = s["cleared_bound"] is None
    quality = word("term.quality_today" if today else "term.quality", lang).format(
        expected_before=number(s["expected_served_before"], lang=lang),
        expected_after=number(s["expected_served_after"], lang=lang),
        short=number(s["hamlets_short_of_capacity"], lang=lang),
    )
    sky = [("satellite", f"{name}: {text}") for name, text, _ in satellite_figures(s, lang)]
    return [("coverage", coverage), ("quality", quality), *sky, *([] if today else _plan_lines(s, lang))]


def _plan_lines(s: Mapping[str, Any], lang: Language) -> list[tuple[str, str]]:
    found = s["candidates"]
    spent = s["capex_vnd"] if s["budget_counts"] == "capex" else s["lifetime_vnd"]
    limit = word("term.of_budget", lang).format(budget=money_ty(s["budget_vnd"], lang))
    figures = {
        **{key: number(found[key], lang=lang) for key in ("sites", "options")},
        "improvements": number(sum(n for kind, n in found["kinds"].items() if kind not in AT_NEW_PLACES), lang=lang),
        **{
            key: number(s[key], lang=lang)
            for key in ("cleared", "low_before", "counted", "cleared_bound", "gap_hamlets", "people_newly_covered",
                        "sites_new", "sites_improved", "stations_new", "electrified", "horizon_years")
        },
        "gap": percent(s["gap"], lang=lang),
        "spent": money_ty(spent, lang, s["cost_band"]),
        "limit": limit if s["budget_vnd"] is not None else "",
        "lifetime": money_ty(s["lifetime_vnd"], lang, s["cost_band"]),
        "cheapest": money_ty(s["cheapest_hamlet_vnd"], lang, digits=2),
    }  # fmt: skip
    said = [("candidates", "term.candidates"), ("decision", "term.decision"), ("", "term.gains"), ("", "term.lifetime")]
    if not s["cleared"] and s["cheapest_hamlet_vnd"] is not None:
        said.append(("", "term.cheapest" if s["cheapest_hamlet_proven"] else "term.cheapest_at_most"))
    if not s["repeatable"]:
        said.append(("", "term.not_repeatable"))
    lines = [(head, word(key, lang).format(**figures)) for head, key in said]
    repairs = word("term.repairs", lang).format(times=len(s["repairs"])) if s["repairs"] else ""
    return [*lines, ("checker", word(s["checker"], lang) + repairs)]
