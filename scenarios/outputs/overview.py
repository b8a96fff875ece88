"""overview.png: the plan on one sheet, before beside after, with its key figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from phusong.scenarios.outputs.rasters import (
    CLASS_COLOUR,
    CLASS_FROM_DBM,
    LIGHT,
    PAPER,
    SHADOW,
    hillshade,
    rgb,
    rsrp_class,
    shade_index,
    shade_palette,
)
from phusong.scenarios.outputs.result import PartRasters, RunResult
from phusong.scenarios.outputs.vectors import HAMLET_COLOUR, ROUTE_COLOUR, SITE_COLOUR, hamlet_look
from phusong.scenarios.outputs.words import counted_cost, lower_first, money_ty, number, percent, verdict, word

WIDTH_INCH = 16.0
EDGE_INCH, GUTTER_INCH = 0.32, 0.26
TALLEST_INCH = 9.5
HEAD_INCH, FOOT_INCH = 1.4, 1.95  # above and below the panels
DOTS_PER_INCH = 200
PIXELS_ACROSS = 1500  # of a panel: finer rasters are thinned to this
INK, QUIET = "#22282d", "#6a6f73"
PAPER_HEX = "#{:02x}{:02x}{:02x}".format(*PAPER)
NO_SIGNAL_HEX = "#{:02x}{:02x}{:02x}".format(*((dark + light) // 2 for dark, light in zip(SHADOW, LIGHT, strict=True)))
ROUTE_DASHES: dict[str, Any] = {
    "fibre": "solid", "microwave": (0, (6, 1.2)), "power": (0, (3, 1.6)), "access-road": (0, (1, 1)),
}  # fmt: skip
STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib and holds every Vietnamese letter
    "text.color": INK,
    "path.simplify": True,
    "agg.path.chunksize": 0,
}


def write_overview(result: RunResult, path: Path) -> None:
    """Draw the run as a PNG 3,200 pixels wide, its height by the area's shape; equal runs give equal bytes."""
    parts = sorted(result.parts, key=lambda part: -int(part.inside.sum()))
    rows, columns = part_window(parts[0])
    shape = (rows.stop - rows.start) / (columns.stop - columns.start)
    views = ("before", "after") if result.planned else ("before",)
    across_inch = (WIDTH_INCH - 2 * EDGE_INCH - GUTTER_INCH * (len(views) - 1)) / len(views)
    panel_inch = min(across_inch * max(shape, 0.5), TALLEST_INCH)
    height_inch = HEAD_INCH + panel_inch + FOOT_INCH
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCH, height_inch), dpi=DOTS_PER_INCH, facecolor="white")
        FigureCanvasAgg(figure)
        heading(figure, result, height_inch)
        for place, view in enumerate(views):
            left = EDGE_INCH + place * (across_inch + GUTTER_INCH)
            axes = figure.add_axes(
                (left / WIDTH_INCH, FOOT_INCH / height_inch, across_inch / WIDTH_INCH, panel_inch / height_inch)
            )
            low = {state: number(count) for state, count in low_counts(result, view).items()}
            axes.set_title(word(f"pic.{view}"), loc="left", fontsize=14, fontweight="bold", pad=7)
            axes.set_title(word("pic.hamlets_low").format(**low), loc="right", fontsize=11.5, color=QUIET, pad=7)
            draw_part(axes, result, parts[0], view, marker_scale=1.0)
            scale_bar(axes)
            insets(axes, result, parts[1:4], view)
        figures(figure, result, height_inch)
        legend(figure, result, height_inch)
        figure.savefig(path, metadata={"Software": None, "Title": result.name, "Description": result.label})


def heading(figure: Figure, result: RunResult, height_inch: float) -> None:
    def y(from_top_inch: float) -> float:
        return 1 - from_top_inch / height_inch

    left, right = EDGE_INCH / WIDTH_INCH, 1 - EDGE_INCH / WIDTH_INCH
    summary = result.summary
    facts = [
        word("pic.title" if result.planned else "pic.title_today"),
        str(summary["minimum_technology"]),
        f"{lower_first(word('fig.confidence'))} {percent(summary['confidence'], 0)}",
        f"{lower_first(word('fig.rule'))}: {word(summary['rule']['name'])}",
    ]
    figure.text(left, y(0.44), result.name, fontsize=25, fontweight="bold", va="center")
    figure.text(left, y(0.84), "  ·  ".join(facts), fontsize=12, color=QUIET, va="center")
    if result.label:
        figure.text(
            right - 0.005, y(0.46), result.label, fontsize=15, fontweight="bold", color="#7a1f1f", ha="right",
            va="center", bbox={"boxstyle": "round,pad=0.45", "facecolor": "#fdeceb", "edgecolor": "#7a1f1f"},
        )  # fmt: skip


def low_counts(result: RunResult, view: str) -> dict[str, int]:
    counts = result.hamlets[f"state_{view}"].value_counts()
    return {state: int(counts.get(state, 0)) for state in ("trang", "lom")}


def insets(axes: Axes, result: RunResult, parts: Sequence[PartRasters], view: str) -> None:
    """Far parts (an island, a special zone) at the foot of the panel, the names above them."""
    for place, part in enumerate(parts):
        inset = axes.inset_axes((0.75 - 0.255 * place, 0.015, 0.235, 0.235))
        draw_part(inset, result, part, view, marker_scale=0.8)
        inset.set_title(
            part.name, fontsize=8.5, pad=3,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "alpha": 0.85, "linewidth": 0},
        )  # fmt: skip


def part_window(part: PartRasters) -> tuple[slice, slice]:
    """Rows and columns that hold the planned area, with a little of its surroundings."""
    pad = 4 + max(part.inside.shape) // 60
    spans = [np.flatnonzero(part.inside.any(axis=axis)) for axis in (1, 0)]
    return tuple(
        slice(max(int(span[0]) - pad, 0), min(int(span[-1]) + 1 + pad, size)) if span.size else slice(0, size)
        for span, size in zip(spans, part.inside.shape, strict=True)
    )  # type: ignore[return-value]


def draw_part(axes: Axes, result: RunResult, part: PartRasters, view: str, marker_scale: float) -> None:
    rows, columns = part_window(part)
    step = max(1, -(-max(rows.stop - rows.start, columns.stop - columns.start) // PIXELS_ACROSS))
    thin = (slice(rows.start, rows.stop, step), slice(columns.start, columns.stop, step))
    picture = compose(part, part.baseline_rsrp_dbm if view == "before" else part.planned_rsrp_dbm, thin)
    west, north = part.box.affine @ (columns.start, rows.start)
    cell_m = abs(part.box.affine.a) * step
    south, east = north - picture.shape[0] * cell_m, west + picture.shape[1] * cell_m
    axes.imshow(picture, extent=(west, east, south, north), interpolation="bilinear", zorder=0)
    draw_vectors(axes, result, part, view, shapely.box(west, south, east, north), marker_scale)
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], aspect="equal", anchor="C")
    for spine in axes.spines.values():
        spine.set(color="#c9c5bc", linewidth=0.8)
    axes.set_facecolor(PAPER_HEX)


def compose(part: PartRasters, signal_dbm: Any, thin: tuple[slice, slice]) -> Any:
    """RGB (0 .. 1) of relief with the signal's colours laid over it inside the area."""
    light = hillshade(part.height_m, abs(part.box.affine.a))[thin]
    inside = part.inside[thin]
    relief = shade_palette()[shade_index(light, inside)] / 255.0
    colours = np.array([PAPER, *(rgb(colour) for colour in CLASS_COLOUR)]) / 255.0
    classes = rsrp_class(signal_dbm[thin])
    tinted = colours[classes] * (0.25 + 0.75 * relief / (np.array(LIGHT) / 255.0)) ** 0.8
    return np.where(((classes > 0) & inside)[..., None], tinted, relief)


def draw_vectors(axes: Axes, result: RunResult, part: PartRasters, view: str, box: Any, scale: float) -> None:
    def here(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        local = layer.to_crs(str(part.box.crs))
        return local[local.geometry.intersects(box)]

    for shape in here(result.communes).geometry:
        for ring in shapely.get_parts(shapely.boundary(shape)):
            axes.plot(*shapely.get_coordinates(ring).T, color="#5f5a52", linewidth=0.45, alpha=0.55, zorder=2)
    hamlets = here(result.hamlets)
    size = scale**2 * float(np.clip(9000 / max(len(result.hamlets), 1), 7, 34))
    look = hamlet_look(hamlets, view)
    for state, factor in (("served", 0.22), ("lom", 0.9), ("trang", 1.0), ("cleared", 1.25)):
        some = hamlets[look == state].geometry
        hollow = state == "cleared"
        axes.scatter(
            some.x, some.y, s=size * factor, zorder=4 + factor,
            facecolor="white" if hollow else HAMLET_COLOUR[state],
            edgecolor=HAMLET_COLOUR[state] if hollow else "white",
            linewidth=scale * (1.5 if hollow else 0.0 if state == "served" else 0.5),
            alpha=0.55 if state == "served" else 1.0,
        )  # fmt: skip
    if view == "after":
        routes = here(result.routes)
        for kind, line in zip(routes.kind, routes.geometry, strict=True):
            for piece in shapely.get_parts(line):
                axes.plot(
                    *shapely.get_coordinates(piece).T, color=ROUTE_COLOUR[kind], linewidth=1.3 * scale,
                    linestyle=ROUTE_DASHES[kind], zorder=3,
                    path_effects=[withStroke(linewidth=2.6 * scale, foreground="white")],
                )  # fmt: skip
    sites = here(result.sites)
    for status in ("existing", "improved", "new"):
        if view == "before" and status == "new":
            continue
        some = sites[sites.status == status].geometry
        shown = "existing" if view == "before" else status
        large = shown != "existing"
        axes.scatter(
            some.x, some.y, s=max(size, 16) * (2.3 if large else 0.8), marker="^", zorder=9 if large else 7,
            facecolor=SITE_COLOUR[shown], edgecolor="black" if large else "white", linewidth=0.9 if large else 0.35,
        )  # fmt: skip


def scale_bar(axes: Axes) -> None:
    """A bar of a round length, about a sixth of the panel."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    across, along = east - west, north - south
    length_km = max(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if step <= max(across / 6000, 1))
    x, y, height = west + 0.03 * across, south + 0.03 * along, 0.008 * along
    backing = (x - 0.012 * across, y - 0.012 * along)
    size = (length_km * 1000 + 0.024 * across, 0.062 * along)
    axes.add_patch(Rectangle(backing, *size, facecolor="white", alpha=0.78, linewidth=0, zorder=20))
    half = length_km * 500
    for start, colour in ((x, INK), (x + half, "white")):
        axes.add_patch(Rectangle((start, y), half, height, facecolor=colour, edgecolor=INK, linewidth=0.7, zorder=21))
    axes.text(x + half, y + 1.6 * height, f"{number(length_km)} km", fontsize=9, ha="center", zorder=21)


def figures(figure: Figure, result: RunResult, height_inch: float) -> None:
    """The strip of large numbers, each above its name and a note."""
    left = EDGE_INCH / WIDTH_INCH
    for value, name, note, width in plan_figures(result.summary) if result.planned else today_figures(result.summary):
        figure.add_artist(Line2D([left, left], [0.86 / height_inch, 1.68 / height_inch], color="#d9d5cc", linewidth=1))
        figure.text(left + 0.009, 1.51 / height_inch, value, fontsize=19, fontweight="bold", va="center")
        figure.text(left + 0.009, 1.21 / height_inch, name, fontsize=10.5, va="center")
        figure.text(left + 0.009, 0.97 / height_inch, note, fontsize=8.8, color=QUIET, va="center")
        left += width


def plan_figures(summary: Mapping[str, Any]) -> list[tuple[str, str, str, float]]:
    """What changes, how good the plan is proven to be, what it costs: (value, name, note, width)."""
    budget, cost = summary["budget_vnd"], counted_cost(summary)
    stations = {"new": number(summary["stations_new"]), "existing": number(summary["stations_existing"])}
    proof = word("pic.proof").format(
        counted=number(summary["counted"]), bound=number(summary["cleared_bound"]),
        gap=percent(summary["gap"]), hamlets=number(summary["gap_hamlets"]),
    )  # fmt: skip
    return [
        (
            f"{number(summary['low_before'])} → {number(summary['low_after'])}",
            word("fig.low"),
            low_states(summary),
            0.16,
        ),
        (
            number(summary["cleared"]),
            word("fig.cleared"),
            proof,
            0.24,
        ),
        (
            number(summary["people_newly_covered"]),
            word("fig.people_newly_covered"),
            f"{lower_first(word('fig.electrified'))}: {number(summary['electrified'])}",
            0.155,
        ),
        (
            money_ty(summary[cost], band=summary.get("cost_band")),
            word(f"fig.{cost}"),
            "" if budget is None else word("fig.of_budget").format(budget=money_ty(budget)),
            0.24,
        ),
        (number(summary["sites_new"]), word("fig.sites_new"), word("fig.stations_says").format(**stations), 0.16),
    ]


def today_figures(summary: Mapping[str, Any]) -> list[tuple[str, str, str, float]]:
    """The same strip for a run that made no plan."""
    facilities = summary["facilities"]
    return [
        (number(summary["low_before"]), word("fig.low"), low_states(summary), 0.25),
        (number(summary["hamlets"]), word("fig.hamlets"), "", 0.16),
        (number(summary["stations_existing"]), word("fig.stations_existing"), "", 0.2),
        (
            number(facilities["served_before"]),
            word("fig.facilities"),
            word("fig.of_total").format(total=number(facilities["total"])),
            0.2,
        ),
        (number(summary["edge_hamlets"]), word("fig.edge_hamlets"), "", 0.16),
    ]


def low_states(summary: Mapping[str, Any]) -> str:
    return f"{number(summary['trang_before'])} {word('trang')}, {number(summary['lom_before'])} {word('lom')}"


def legend(figure: Figure, result: RunResult, height_inch: float) -> None:
    """Colours of the signal in one row, marks in the next."""
    bounds = [number(step).replace("-", "−") for step in CLASS_FROM_DBM]
    names = [word("map.no_signal"), *(f"{low} … {high}" for low, high in pairwise(bounds)), f"≥ {bounds[-1]}"]
    swatches = [
        Patch(facecolor=colour, edgecolor="#b9b5ac", linewidth=0.5, label=name)
        for colour, name in zip((NO_SIGNAL_HEX, *CLASS_COLOUR), names, strict=True)
    ]
    marks = [mark for mark, in_plan in legend_marks() if result.planned or not in_plan]
    left, right = EDGE_INCH / WIDTH_INCH, 1 - EDGE_INCH / WIDTH_INCH
    upper, lower = 0.56 / height_inch, 0.26 / height_inch
    shared: dict[str, Any] = {
        "frameon": False, "fontsize": 9, "handletextpad": 0.5, "columnspacing": 1.4, "borderaxespad": 0, "borderpad": 0,
        "loc": "center left",
    }  # fmt: skip
    figure.text(left, upper, f"{word('map.coverage')}, dBm", fontsize=9, fontweight="bold", va="center")
    signal = figure.legend(
        handles=swatches, bbox_to_anchor=(left + 0.097, upper), ncols=len(swatches), handlelength=1.7, **shared
    )
    figure.add_artist(signal)
    figure.legend(handles=marks, bbox_to_anchor=(left, lower), ncols=len(marks), handlelength=1.4, **shared)
    checked = f"{lower_first(word('fig.checker'))}: {verdict(str(result.summary['checker']))}"
    foot = f"{word('fig.model')}: {result.summary['propagation']['source']}  ·  {checked}"
    figure.text(right, upper, foot, fontsize=9, color=QUIET, ha="right", va="center")


def legend_marks() -> Iterator[tuple[Line2D, bool]]:
    """(mark, belongs to the plan only), drawn as on the panels."""

    def mark(key: str, shape: str, colour: str, size: float, edge: str, edge_width: float) -> Line2D:
        return Line2D(
            [], [], linestyle="none", marker=shape, color=colour, markersize=size, markeredgecolor=edge,
            markeredgewidth=edge_width, label=word(f"map.{key}"),
        )  # fmt: skip

    yield mark("hamlets_served", "o", HAMLET_COLOUR["served"], 4, "white", 0.5), False
    yield mark("hamlets_lom", "o", HAMLET_COLOUR["lom"], 7, "white", 0.5), False
    yield mark("hamlets_trang", "o", HAMLET_COLOUR["trang"], 7, "white", 0.5), False
    yield mark("hamlets_cleared", "o", "white", 7, HAMLET_COLOUR["cleared"], 1.6), True
    yield mark("sites_new", "^", SITE_COLOUR["new"], 8.5, "black", 0.9), True
    yield mark("sites_improved", "^", SITE_COLOUR["improved"], 8.5, "black", 0.9), True
    yield mark("sites_existing", "^", SITE_COLOUR["existing"], 7, "white", 0.5), False
    for kind in ("fibre", "microwave", "power"):
        yield (
            Line2D(
                [], [], color=ROUTE_COLOUR[kind], linewidth=1.8, linestyle=ROUTE_DASHES[kind],
                label=word(f"map.routes_{kind}"),
            ),
            True,
        )  # fmt: skip
