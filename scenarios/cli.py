"""The command line: `phusong`. The only module that knows click."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import sys
import webbrowser
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from phusong.coverage.errors import CoverageError
from phusong.data_sources.area import Finding
from phusong.data_sources.errors import DataError
from phusong.scenarios.errors import ScenarioError
from phusong.scenarios.progress import STAGE
from phusong.solvers.errors import NoFeasiblePlan, SolverError

USER_ERRORS = (CoverageError, DataError, ScenarioError, SolverError)
DONE, FAULT, BAD_INPUT, NO_PLAN = 0, 1, 2, 3
INTERRUPTED = 130  # as shells write it: 128 + SIGINT
LEVELS = {"error": "bold red", "rejected": "red", "warning": "yellow", "note": "dim"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to talk to whoever called: results on stdout, everything else on stderr."""

    as_json: bool
    quiet: bool

    @property
    def out(self) -> Console:
        # In a pipe or a file no screen bounds a line, and no name in a table is cut short.
        return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 1000)

    @property
    def err(self) -> Console:
        return Console(stderr=True, highlight=False, quiet=self.quiet, soft_wrap=True)

    def result(self, value: Any, show: Callable[[Console], None]) -> None:
        """One JSON document with --json, the text for people otherwise."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=1))
        else:
            show(self.out)


def talking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command has, and errors told in three lines instead of a traceback."""

    @click.option("--json", "as_json", is_flag=True, help="Kết quả là một tài liệu JSON. / Print one JSON document.")
    @click.option("--quiet", is_flag=True, help="Không in tiến độ. / No progress.")
    @click.option("--debug", is_flag=True, help="In cả vết lỗi. / Show tracebacks and the log.")
    @wraps(command)
    def told(*args: Any, as_json: bool, quiet: bool, debug: bool, **kwargs: Any) -> Any:
        if debug:
            logging.basicConfig(format="%(name)s: %(message)s")
            logging.getLogger("phusong").setLevel(logging.DEBUG)
        try:
            return command(Terminal(as_json, quiet), *args, **kwargs)
        except USER_ERRORS as error:
            if debug:
                raise
            _tell(error)
            sys.exit(NO_PLAN if isinstance(error, NoFeasiblePlan) else BAD_INPUT)
        except KeyboardInterrupt:
            click.echo("đã dừng bằng Ctrl-C / stopped by Ctrl-C", err=True)
            sys.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if debug:
                raise
            click.echo(
                f"lỗi bên trong / internal fault: {type(error).__name__}: {error}\n"
                "  mend:  báo lại cùng kết quả của --debug / report this with the output of --debug",
                err=True,
            )
            sys.exit(FAULT)

    return told


def _tell(error: Exception) -> None:
    what, where, mend = (getattr(error, key, "") for key in ("what", "where", "mend"))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text(f"lỗi / error: {what}", style="bold red"))
    console.print(Text(f"  ở / where: {where}"))
    console.print(Text(f"  sửa / mend: {mend}", style="green"))
    for finding in getattr(error, "findings", ()):
        _tell_finding(console, finding)


def _tell_finding(console: Console, finding: Finding) -> None:
    line = Text(f"  {finding.level:9}", style=LEVELS[finding.level])
    line.append(f"{finding.what}", style="default").append(f"  [{finding.where}]", style="dim")
    console.print(line)
    if finding.mend:
        console.print(Text(f"            → {finding.mend}", style="green"))


scenario_argument = click.argument("scenario", type=click.Path(path_type=Path))
data_option = click.option(
    "--data", "data_dir", type=click.Path(path_type=Path, file_okay=False), envvar="PHUSONG_DATA",
    help="Thư mục dữ liệu, thay cho [data] dir. / Data folder, instead of [data] dir.",
)  # fmt: skip
device_option = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="Tính ảnh phủ sóng trên GPU. / Compute pictures on a GPU."
)
runs_option = click.option(
    "--runs", "runs", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Thư mục các lần chạy. / Folder of the runs.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(importlib.metadata.version("phusong"), prog_name="phusong")
def main() -> None:
    """Phủ sóng: quy hoạch trạm, cáp quang và điện để xoá thôn lõm sóng, trắng sóng.

    Plans where towers, fibre and power clear the most low-signal hamlets for the money, and proves how good it is.

    \b
    phusong demo                      một tỉnh mô phỏng, từ đầu đến bản đồ / a synthetic province, start to map
    phusong init my.toml              kịch bản mẫu / a scenario to fill in
    phusong check my.toml             mọi lỗi của dữ liệu / every fault of the inputs
    phusong plan my.toml              kế hoạch và bản đồ / the plan and its map
    phusong compare RUN1 RUN2         so sánh / side by side
    phusong satellite my.toml         vệ tinh, không lập kế hoạch / satellites, without a plan
    phusong data orbits starlink.tle  nhập quỹ đạo vệ tinh / import orbits
    phusong calibrate my.toml do.csv  so với kết quả đo / against measurements
    phusong validate                  mô hình đúng tới đâu / how right the models are

    Gợi ý lệnh khi gõ / shell completion:  eval "$(_PHUSONG_COMPLETE=bash_source phusong)"
    """


@main.command()
@click.argument("target", type=click.Path(path_type=Path), default=Path("scenario.toml"))
@click.option("--force", is_flag=True, help="Ghi đè. / Overwrite.")
@talking
def init(terminal: Terminal, target: Path, force: bool) -> None:
    """Viết một kịch bản mẫu. / Write a scenario to fill in.

    \b
    Ví dụ / example:  phusong init dien-bien.toml
    """
    from phusong.scenarios.errors import TargetExists
    from phusong.scenarios.template import SCENARIO_TEMPLATE

    if target.exists() and not force:
        raise TargetExists(
            what="tệp đã có / the file exists", where=str(target), mend="chọn tên khác, hoặc / or: --force"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(SCENARIO_TEMPLATE, encoding="utf-8")
    terminal.result({"scenario": str(target)}, lambda out: out.print(f"đã viết / written: {target}"))


@main.command()
@scenario_argument
@data_option
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, file_okay=False),
    help="Ghi các dòng bị loại vào thư mục này. / Write the rejected rows into this folder.",
)
@talking
def check(terminal: Terminal, scenario: Path, data_dir: Path | None, rejects: Path | None) -> None:
    """Kiểm tra kịch bản và mọi dữ liệu vào; in tất cả lỗi một lần. / List every fault of the inputs at once.

    \b
    Ví dụ / example:  phusong check tam-dao.toml --data data/tam-dao --rejects rejects
    """
    from phusong.data_sources.reading import examine_area
    from phusong.scenarios.scenario import read_scenario

    asked, base = read_scenario(scenario, data_dir)
    with terminal.err.status("đọc dữ liệu / reading"):
        findings, rejected = examine_area(asked.sources(base))
        if rejects is not None:
            rejects.mkdir(parents=True, exist_ok=True)
            for kind, rows in rejected.items():
                rows.to_csv(rejects / f"{kind}.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")

    def show(out: Console) -> None:
        for finding in findings:
            _tell_finding(out, finding)
        counts = {level: sum(f.level == level for f in findings) for level in LEVELS}
        out.print(
            f"{counts['error']} lỗi / errors · {sum(map(len, rejected.values()))} dòng bị loại / rejected · "
            f"{counts['warning']} cảnh báo / warnings · {counts['note']} ghi chú / notes"
        )

    terminal.result([asdict(f) for f in findings], show)
    if any(f.level == "error" for f in findings):
        sys.exit(BAD_INPUT)


@main.command()
@click.argument("kind", type=click.Choice(["hamlets", "sites"]))
@click.argument("target", type=click.Path(path_type=Path), required=False)
@talking
def template(terminal: Terminal, kind: Literal["hamlets", "sites"], target: Path | None) -> None:
    """Tạo biểu XLSX để điền, có danh sách chọn. / Write an XLSX form with drop-downs.

    \b
    Ví dụ / example:  phusong template hamlets thon.xlsx
    """
    from phusong.data_sources.templates import write_template

    path = target or Path(f"{kind}.xlsx")
    write_template(kind, path)
    terminal.result({"template": str(path)}, lambda out: out.print(f"đã viết / written: {path}"))


@main.command()
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

    _run(terminal, scenario, data_dir, runs, run_coverage, change)


@main.command()
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

    _run(terminal, scenario, data_dir, runs, run_plan, change)


@main.command()
@scenario_argument
@click.argument("measurements", type=click.Path(path_type=Path))
@data_option
@click.option("--write", is_flag=True, help="Ghi vào kịch bản. / Write into the scenario.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ghi vào bản sao cạnh kịch bản. / Write into a copy beside the scenario.",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ghi các dòng bị loại vào tệp CSV này. / Write the rejected rows into this CSV.",
)
@talking
def calibrate(
    terminal: Terminal,
    scenario: Path,
    measurements: Path,
    data_dir: Path | None,
    write: bool,
    output: Path | None,
    rejects: Path | None,
) -> None:
    """So mô hình với kết quả đo, hiệu chỉnh kịch bản. / Compare the model with measurements, calibrate the scenario.

    \b
    Ví dụ / examples:
      phusong calibrate tam-dao.toml do-kiem.csv
      phusong calibrate tam-dao.toml do-kiem.csv --write
    """
    from phusong.data_sources.layers import write_rejects
    from phusong.scenarios.calibration import calibrate as compare_with
    from phusong.scenarios.calibration import write_calibration
    from phusong.scenarios.calibration_report import print_calibration, report_of

    if write and output is not None:
        raise click.UsageError("--write hoặc / or --output, không cả hai / not both")
    with _progress(terminal) as report:
        found = compare_with(scenario, measurements, data_dir, report)
    if rejects is not None:
        write_rejects(found.read, rejects)
    written = output or (scenario if write else None)
    if written is not None:
        write_calibration(scenario, found, output)

    def show(out: Console) -> None:
        for finding in found.findings:
            if finding.level != "note":
                _tell_finding(out, finding)
        print_calibration(out, found, written)

    terminal.result({**report_of(found), "written": None if written is None else str(written)}, show)


@main.command()
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
    with _progress(terminal) as report:
        found = run_satellite(asked, base, with_baseline=baseline, today=date.today(), on_progress=report)
        write_satellite_folder(found, folder, asked.outputs.csv)
    for finding in found.findings:
        if finding.level != "note" and not terminal.quiet:
            _tell_finding(terminal.err, finding)

    def show(out: Console) -> None:
        if found.label:
            out.print(f"{found.label}: {', '.join(found.synthetic)}", markup=False)
        for lang in asked_languages():
            out.print(found.summary["paragraph"][lang], markup=False)
        out.print(f"{folder}   satellite_*.tif · satellite.json · tables/tables.xlsx", markup=False)

    label = {"label": found.label, "synthetic": list(found.synthetic)} if found.label else {}
    terminal.result(jsonable({"folder": str(folder), **label, **found.summary}), show)


@main.group()
def data() -> None:
    """Dữ liệu ngoài: kiểm tra và nhập. / Outside data: check and import."""


@data.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Ghi OMM CSV. / Write as OMM in CSV.")
@click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False),
    help="Ghi các dòng bị loại vào tệp CSV này. / Write the rejected lines into this CSV.",
)  # fmt: skip
@talking
def orbits(terminal: Terminal, file: Path, out: Path | None, rejects: Path | None) -> None:
    """Nhập phần tử quỹ đạo: TLE, OMM dạng JSON hoặc CSV. / Import element sets: TLE, OMM as JSON or CSV.

    \b
    Ví dụ / examples:
      phusong data orbits starlink.tle
      phusong data orbits starlink.json --out starlink.csv --rejects bad.csv
    """
    from datetime import date

    from phusong.scenarios.satellite.orbit_file import (
        examine_orbits,
        print_report,
        report_of,
        write_orbits,
        write_rejected,
    )

    with terminal.err.status("đọc phần tử / reading elements"):
        found = examine_orbits(file, date.today())
    if out is not None:
        write_orbits(found, out)
    if rejects is not None:
        write_rejected(found, rejects)
    said = report_of(found)

    def show(console: Console) -> None:
        for finding in found.findings:
            _tell_finding(console, finding)
        print_report(console, said)

    terminal.result({**said, "out": None if out is None else str(out)}, show)


@main.command()
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
    with _progress(terminal) as report:
        scenario = make_province(folder, seed, on_progress=report)
    _run(terminal, scenario, None, runs, run_plan)


@main.command()
@click.argument("runs_to_compare", metavar="RUN RUN...", nargs=-1, required=True)
@runs_option
@talking
def compare(terminal: Terminal, runs_to_compare: tuple[str, ...], runs: Path | None) -> None:
    """So sánh các lần chạy. / Put runs side by side.

    \b
    Ví dụ / example:  phusong compare tam-dao-2026-11-22-4f1c tam-dao-2026-11-22-9a02
    """
    from phusong.scenarios.comparison import compare_runs, comparison_table

    compared = compare_runs(_runs_folder(runs), runs_to_compare)
    terminal.result(compared, lambda out: out.print(comparison_table(compared)))


@main.command(name="runs")
@runs_option
@talking
def runs_(terminal: Terminal, runs: Path | None) -> None:
    """Liệt kê các lần chạy. / List the runs.

    \b
    Ví dụ / example:  phusong runs --json
    """
    from phusong.scenarios.catalogue import listed
    from phusong.scenarios.outputs.words import money_ty, number

    rows = listed(_runs_folder(runs))

    def show(out: Console) -> None:
        run = Column("lần chạy / run", overflow="fold")
        table = Table(run, "lõm, trắng / low", "xoá / cleared", "≤", "vốn / capex", box=None)
        for row in rows:
            low, cleared, bound = (number(row[k]) for k in ("low_before", "cleared", "cleared_bound"))
            table.add_row(row["run"], low, cleared, bound, money_ty(row["capex_vnd"]))
        out.print(table if rows else "chưa có lần chạy nào / no run yet")

    terminal.result(rows, show)


@main.command(name="map")
@click.argument("run", required=False)
@runs_option
@click.option("--no-open", is_flag=True, help="Chỉ in đường dẫn. / Only print the path.")
@talking
def map_(terminal: Terminal, run: str | None, runs: Path | None, no_open: bool) -> None:
    """Mở bản đồ của một lần chạy (mặc định: mới nhất). / Open the map of a run (the newest by default).

    \b
    Ví dụ / example:  phusong map
    """
    from phusong.scenarios.catalogue import find_run

    page = (find_run(_runs_folder(runs), run) / "map.html").resolve()
    if not no_open and not terminal.as_json:
        webbrowser.open(page.as_uri())
    terminal.result({"map": str(page)}, lambda out: out.print(str(page)))


@main.command()
@click.option(
    "--data", "data_dir", type=click.Path(path_type=Path, file_okay=False),
    help="Thư mục các bộ số tham chiếu; không có thì dùng các dòng trích dẫn. "
    "/ Folder of the reference sets; without it, a few rows quoted from them.",
)  # fmt: skip
@talking
def validate(terminal: Terminal, data_dir: Path | None) -> None:
    """So mô hình truyền sóng với số liệu tham chiếu. / Compare the propagation models with others' numbers.

    \b
    Ví dụ / examples:
      phusong validate
      phusong validate --data ../shared/validation
    """
    from phusong.scenarios.validation.answer import agreement_table, document, source_lines, wrong_rows
    from phusong.scenarios.validation.references import compare, missing_sets

    with terminal.err.status("so sánh / comparing") as status:
        sets = compare(data_dir, lambda name: status.update(f"so sánh / comparing {name}"))
    missing = missing_sets(data_dir) if data_dir else []

    def show(out: Console) -> None:
        out.print(agreement_table(sets))
        for line in source_lines(sets):
            out.print(line, style="dim", markup=False)
        for line in wrong_rows(sets):
            out.print(line, style="red", markup=False)
        for name in missing:
            out.print(
                f"không có / missing in {data_dir}: {name} (dùng dòng trích dẫn / quoted rows used)", markup=False
            )

    terminal.result(document(sets, missing), show)
    if not all(s.agrees for s in sets):
        sys.exit(FAULT)  # a model that left its reference is a fault of this program


@main.command()
@talking
def schema(terminal: Terminal) -> None:
    """In JSON Schema của kịch bản, cho trình soạn thảo. / Print the JSON Schema of a scenario, for editors.

    \b
    Ví dụ / example:  phusong schema > phusong.schema.json
    """
    from phusong.scenarios.scenario import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=1))


def _runs_folder(runs: Path | None) -> Path:
    return runs or Path("runs")


def _run(
    terminal: Terminal, path: Path, data_dir: Path | None, runs: Path | None,
    work: Callable[..., Any], change: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    from phusong.scenarios.catalogue import new_run, record
    from phusong.scenarios.compiling import compile_seconds, watch_compiling
    from phusong.scenarios.outputs.folder import write_run
    from phusong.scenarios.results import result_of
    from phusong.scenarios.scenario import changed, read_scenario
    from phusong.scenarios.terminal import print_summary

    watch_compiling()
    scenario, base = read_scenario(path, data_dir)
    scenario = changed(scenario, path, change or {})
    with _progress(terminal) as report:
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


@contextmanager
def _progress(terminal: Terminal) -> Any:
    """A bar per phase on stderr; yields a callable (phase, done, total)."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(24),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=terminal.err, disable=terminal.quiet) as bars:
        tasks: dict[str, Any] = {}

        def report(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=total or None, note="")
            bars.update(tasks[phase], completed=done, total=total or None, note=_note(phase, done, total))

        yield report


def _note(phase: str, done: int, total: int) -> str:
    """Of a stage of the decision: what the best plan reaches, what none exceeds, and the gap between them."""
    if phase.startswith(STAGE):
        return f"{done:,} / {total:,} · {abs(total - done) / max(total, 1):.1%}"
    return f"{done}/{total}" if total > 1 else ""


def program() -> None:
    """Entry point that keeps UTF-8 on Windows terminals."""
    os.environ.setdefault("PYTHONUTF8", "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    main()
