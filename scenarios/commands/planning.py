"""Commands that compute: today's coverage, a plan, the demo, satellites alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from phusong.scenarios.commands.options import data_option, device_option, runs_option, scenario_argument
from phusong.scenarios.commands.talking import Terminal, progress, talking, tell_finding


@click.command()
@scenario_argument
@data_option
@runs_option
@device_option
@talking
def coverage(terminal: Terminal, scenario: Path, data_dir: Path | None, runs: Path | None, **change: Any) -> None:
    """Chỉ tính hiện trạng phủ sóng. / Today's coverage only, no plan.

    \b
    Ví dụ / example:  phusong coverage tam-dao.toml --data data/tam-dao
    """
    from phusong.scenarios.pipeline import run_coverage

    _run_and_record(terminal, scenario, data_dir, runs, run_coverage, change)


@click.command()
@scenario_argument
@data_option
@runs_option
@click.option("--budget", "budget_ty", type=float, help="Ngân sách, tỷ đồng. / Budget, billion VND.")
@click.option("--gap", type=float, help="Dừng khi đạt khoảng cách này, 0.01 = 1%. / Stop at this gap.")
@click.option("--time-limit", "time_limit_s", type=float, help="Giây mỗi giai đoạn. / Seconds per stage.")
@click.option("--seed", type=int)
@click.option("--threads", type=int)
@device_option
@talking
def plan(terminal: Terminal, scenario: Path, data_dir: Path | None, runs: Path | None, **change: Any) -> None:
    """Lập kế hoạch: từ dữ liệu đến phương án, bản đồ và bảng. / From inputs to the plan, its map and tables.

    \b
    Ví dụ / examples:
      phusong plan tam-dao.toml --data data/tam-dao
      phusong plan tam-dao.toml --budget 120 --json
    """
    from phusong.scenarios.pipeline import run_plan

    _run_and_record(terminal, scenario, data_dir, runs, run_plan, change)


@click.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
@runs_option
@talking
def demo(terminal: Terminal, seed: int, folder: Path, runs: Path | None) -> None:
    """Tạo một tỉnh mô phỏng rồi lập kế hoạch. / Make a synthetic province and plan it.

    \b
    Ví dụ / example:  phusong demo --seed 7 --folder /tmp/demo
    """
    from phusong.scenarios.compiling import watch_compiling
    from phusong.scenarios.demo.write import make_province
    from phusong.scenarios.pipeline import run_plan

    watch_compiling()
    with progress(terminal) as report:
        scenario = make_province(folder, seed, on_progress=report)
    _run_and_record(terminal, scenario, None, runs, run_plan)


@click.command()
@scenario_argument
@data_option
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False),
    help="Thư mục kết quả. / Folder of the result.  [TÊN-satellite]",
)  # fmt: skip
@click.option(
    "--baseline/--no-baseline", default=False,
    help="Tính cả sóng di động, chỉ xét thôn lõm sóng. / Compute mobile signal too, ask low-signal hamlets only.",
)  # fmt: skip
@click.option("--threads", type=int)
@talking
def satellite(
    terminal: Terminal, scenario: Path, data_dir: Path | None, output: Path | None, baseline: bool, threads: int | None
) -> None:
    """Chỉ tính vệ tinh: bầu trời, mưa, dung lượng, thôn nào có băng rộng. / The satellite step alone.

    \b
    Ví dụ / examples:
      phusong satellite tam-dao.toml --data data/tam-dao
      phusong satellite tam-dao.toml --baseline --json
    """
    from datetime import date

    from phusong.scenarios.outputs.folder import jsonable
    from phusong.scenarios.satellite.command import run_satellite
    from phusong.scenarios.satellite.folder import write_satellite_folder
    from phusong.scenarios.scenario import changed, read_scenario
    from phusong.scenarios.terminal import asked_languages

    asked, base = read_scenario(scenario, data_dir)
    asked = changed(asked, scenario, {"threads": threads})
    folder = output or Path(f"{scenario.stem}-satellite")
    with progress(terminal) as report:
        found = run_satellite(asked, base, with_baseline=baseline, today=date.today(), on_progress=report)
        write_satellite_folder(found, folder, asked.outputs.csv)
    for finding in found.findings:
        if finding.level != "note" and not terminal.quiet:
            tell_finding(terminal.err, finding)

    def show(out: Console) -> None:
        if found.label:
            out.print(f"{found.label}: {', '.join(found.synthetic)}", markup=False)
        for lang in asked_languages():
            out.print(found.summary["paragraph"][lang], markup=False)
        out.print(f"{folder}   satellite_*.tif · satellite.json · tables/tables.xlsx", markup=False)

    label = {"label": found.label, "synthetic": list(found.synthetic)} if found.label else {}
    terminal.result(jsonable({"folder": str(folder), **label, **found.summary}), show)


def _run_and_record(
    terminal: Terminal, path: Path, data_dir: Path | None, runs: Path | None,
    work: Callable[..., Any], change: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Work a scenario out, write its run folder, note it in the catalogue, and tell the result."""
    from phusong.scenarios.catalogue import new_run, record
    from phusong.scenarios.compiling import compile_seconds, watch_compiling
    from phusong.scenarios.outputs.folder import write_run
    from phusong.scenarios.results import result_of
    from phusong.scenarios.scenario import changed, read_scenario
    from phusong.scenarios.terminal import print_summary

    watch_compiling()
    scenario, base = read_scenario(path, data_dir)
    scenario = changed(scenario, path, change or {})
    with progress(terminal) as report:
        run = work(scenario, base, report)
        report("writing", 0, 1)
        result = result_of(run, compile_seconds())
        folder = runs or Path(scenario.outputs.dir)
        name = new_run(folder, scenario.scenario.name, result.manifest["scenario_sha256"])
        write_run(result, folder / name, csv=scenario.outputs.csv)
        record(folder, name, dict(result.summary), dict(result.manifest))
        report("writing", 1, 1)
    label = {"label": result.label, "synthetic": list(result.synthetic)} if result.label else {}
    answer = {"run": str(folder / name), "map": str(folder / name / "map.html"), **label, **result.summary}
    terminal.result(answer, lambda out: print_summary(out, result, folder / name))
    if compile_seconds() >= 1.0:
        terminal.err.print(f"biên dịch lần đầu / kernels compiled once: {compile_seconds():.0f} s", style="dim")
