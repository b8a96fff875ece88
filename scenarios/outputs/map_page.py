"""map.html: the plan on an interactive map, one file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.metadata
import json
import re
from collections.abc import Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from phusong.scenarios.errors import MapLibraryUnsuitable
from phusong.scenarios.outputs.rasters import CLASS_COLOUR, CLASS_FROM_DBM, PAPER, web_pictures
from phusong.scenarios.outputs.result import RunResult
from phusong.scenarios.outputs.vectors import HAMLET_COLOUR, ROUTE_COLOUR, SITE_COLOUR, map_layers
from phusong.scenarios.outputs.words import (
    LANGUAGES,
    WORDS,
    Language,
    counted_cost,
    key_figures,
    money_ty,
    number,
    percent,
    word,
)
from phusong.scenarios.satellite.pictures import part_pictures, scales

MAPLIBRE_MAJOR = 5  # the style and the calls in map.js are of this version
SLOT = re.compile(r"\{\{(\w+)\}\}")


def write_map(result: RunResult, path: Path) -> None:
    """Write the map page. Raises MapLibraryUnsuitable when the `maplibre` package does not hold MapLibre GL JS 5.

    The page forbids itself every network request and every script but its own two (a Content-Security-Policy with
    their hashes), so text from the data can neither run nor call out.
    """
    library, library_css, version = maplibre()
    templates = resources.files("phusong.scenarios.outputs")

    def own(name: str) -> str:
        return templates.joinpath(name).read_text(encoding="utf-8")

    script, css = own("map_layers.js") + own("map.js"), own("map.css")
    data = json.dumps(page_data(result, version), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    slots = {
        "title": html.escape(f"{result.label}: {result.name}" if result.label else result.name),
        "label": html.escape(result.label),
        "policy": policy(scripts=(library, script), styles=(library_css, css)),
        "library_css": library_css,
        "css": css,
        "licence": html.escape(own("maplibre_licence.html")),
        # inside a script element only "<" can end or nest it
        "data": data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"),
        "library": library,
        "js": script,
    }
    page = SLOT.sub(lambda slot: slots[slot[1]], own("map.html"))
    path.write_text(page, encoding="utf-8", newline="\n")


def maplibre() -> tuple[str, str, str]:
    """Script, style sheet and version of MapLibre GL JS, from the `maplibre` package (which is not imported)."""
    package = importlib.metadata.distribution("maplibre")
    try:
        script, css = (
            Path(str(package.locate_file(f"maplibre/srcjs/maplibre-gl.{kind}"))).read_text(encoding="utf-8")
            for kind in ("js", "css")
        )
    except FileNotFoundError as missing:
        raise MapLibraryUnsuitable(
            what="gói maplibre thiếu MapLibre GL JS / the installed package maplibre holds no MapLibre GL JS",
            where=str(missing.filename),
            mend="pip install 'maplibre>=0.3.6,<0.4'",
        ) from missing
    found = re.search(r"maplibre-gl-js/blob/v(\d+)(\.[\w.-]+)", script[:1000])
    if found is None or int(found[1]) != MAPLIBRE_MAJOR or "</script" in script or "</style" in css:
        raise MapLibraryUnsuitable(
            what=f"bản đồ cần / the map page needs MapLibre GL JS {MAPLIBRE_MAJOR}",
            where=f"package maplibre {package.version} holds {found[1] + found[2] if found else 'an unknown version'}",
            mend="pip install 'maplibre>=0.3.6,<0.4'",
        )
    without_map = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)  # it would be fetched
    return without_map, css, found[1] + found[2]


def policy(scripts: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """A Content-Security-Policy that allows exactly these inlined texts, blobs for the map's worker, and no network."""

    def hashes(texts: tuple[str, ...]) -> str:
        return " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts
        )

    return (
        f"default-src 'none'; script-src {hashes(scripts)}; style-src {hashes(styles)}; worker-src blob:; "
        "img-src data: blob:; connect-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def page_data(result: RunResult, version: str) -> dict[str, Any]:
    """All that the page shows, as plain values."""
    pictures = [web_pictures(part) for part in result.parts]
    corners = [corner for picture in pictures for corner in picture.corners]
    return {
        "name": result.name,
        "label": result.label,
        "planned": result.planned,
        "version": version,
        "words": WORDS,
        "paper": "#{:02x}{:02x}{:02x}".format(*PAPER),
        "signal": {"from_dbm": CLASS_FROM_DBM, "colour": CLASS_COLOUR},
        "colour": {"hamlet": HAMLET_COLOUR, "site": SITE_COLOUR, "route": ROUTE_COLOUR},
        "bounds": [
            min(longitude for longitude, _ in corners),
            min(latitude for _, latitude in corners),
            max(longitude for longitude, _ in corners),
            max(latitude for _, latitude in corners),
        ],
        "parts": [
            {
                "corners": picture.corners,
                **{name: data_url(getattr(picture, name)) for name in ("relief", "before", "after")},
                **satellite,
            }
            for picture, satellite in zip(pictures, satellite_pictures(result), strict=True)
        ],
        **({} if result.satellite is None else {"satellite": scales(result.satellite)}),
        "panel": {lang: panel(result, lang) for lang in LANGUAGES},
        **map_layers(result),
    }


def satellite_pictures(result: RunResult) -> list[dict[str, Any]]:
    """Per part its pictures of the sky; nothing where the run has none."""
    if result.satellite is None:
        return [{} for _ in result.parts]
    pictures = map(part_pictures, result.satellite.parts)
    return [
        {"satellite": {"corners": p["corners"], "png": {name: data_url(png) for name, png in p["png"].items()}}}
        for p in pictures
    ]


def data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def panel(result: RunResult, lang: Language) -> dict[str, Any]:
    """The texts of the panel in one language."""
    summary = result.summary
    say, count = partial(word, lang=lang), partial(number, lang=lang)
    headline: dict[str, Any] = {
        "low": [count(summary["low_before"])],
        "low_says": say("fig.low_says").format(
            trang=count(summary["trang_before"]), lom=count(summary["lom_before"]), hamlets=count(summary["hamlets"])
        ),
    }
    if result.planned:
        headline |= {
            "low": [count(summary["low_before"]), count(summary["low_after"])],
            "bar": {"before": summary["low_before"], "cleared": summary["cleared"], "bound": summary["cleared_bound"]},
            "cleared_says": say("fig.cleared_of").format(
                cleared=count(summary["cleared"]),
                counted=count(summary["counted"]),
                bound=count(summary["cleared_bound"]),
            ),
            "gap_says": say("fig.gap_says").format(
                gap=percent(summary["gap"], lang=lang), hamlets=count(summary["gap_hamlets"])
            ),
        }
    rule = summary["rule"]
    blocks = [
        (
            "",
            [
                (say("fig.rule"), say(str(rule["name"]))),
                (say("fig.source"), str(rule["source"])),
                (say("fig.thresholds"), str(rule["thresholds"])),
            ],
        ),
        ("", key_figures(summary, lang)),
        (
            say("fig.operators"),
            [
                (
                    row["operator"],
                    say("map.before_after").format(
                        before=count(row["people_before"]), after=count(row["people_after"])
                    ),
                )
                for row in summary["operators"]
            ],
        ),
        (
            say("sheet.declared_vs_model"),
            [
                (f"{say(declared)} · {say(model)}", count(hamlets))
                for declared, row in summary["declared_vs_model"].items()
                for model, hamlets in row.items()
                if hamlets
            ],
        ),
    ]
    lists = [(say(f"fig.{key}"), [str(text) for text in summary[key]]) for key in ("assumptions", "notes")]
    if result.satellite is not None:
        lists.insert(0, (say("map.satellite"), [str(result.satellite.summary["paragraph"][lang])]))
    return headline | {
        "tiles": plan_tiles(summary, lang) if result.planned else today_tiles(summary, lang),
        "blocks": [block for block in blocks if block[1]],
        "lists": [block for block in lists if block[1]],
    }


def plan_tiles(summary: Mapping[str, Any], lang: Language) -> list[tuple[str, str, str]]:
    """(value, name, note) of the plan's main figures."""
    say, count = partial(word, lang=lang), partial(number, lang=lang)
    money = partial(money_ty, lang=lang, band=summary.get("cost_band"))
    cost, budget, facilities = counted_cost(summary), summary["budget_vnd"], summary["facilities"]
    stations = {"new": count(summary["stations_new"]), "existing": count(summary["stations_existing"])}
    reached = {"before": count(facilities["served_before"]), "after": count(facilities["served_after"])}
    return [
        (
            money(summary[cost]),
            say(f"fig.{cost}"),
            "" if budget is None else say("fig.of_budget").format(budget=money_ty(budget, lang)),
        ),
        (money(summary["opex_vnd_per_year"]), say("fig.opex_vnd_per_year"), ""),
        (count(summary["people_newly_covered"]), say("fig.people_newly_covered"), ""),
        (count(summary["sites_new"]), say("fig.sites_new"), say("fig.stations_says").format(**stations)),
        (count(summary["electrified"]), say("fig.electrified"), ""),
        (
            say("map.before_after").format(**reached),
            say("fig.facilities"),
            say("fig.of_total").format(total=count(facilities["total"])),
        ),
    ]


def today_tiles(summary: Mapping[str, Any], lang: Language) -> list[tuple[str, str, str]]:
    """The same for a run that made no plan."""
    count, facilities = partial(number, lang=lang), summary["facilities"]
    return [
        (count(summary["stations_existing"]), word("fig.stations_existing", lang), ""),
        (
            count(facilities["served_before"]),
            word("fig.facilities", lang),
            word("fig.of_total", lang).format(total=count(facilities["total"])),
        ),
        (count(summary["hamlets"]), word("fig.hamlets", lang), ""),
        (count(summary["edge_hamlets"]), word("fig.edge_hamlets", lang), ""),
    ]
