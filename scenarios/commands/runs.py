"""Commands about runs that are there: list, compare, open the map."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from phusong.scenarios.commands.options import runs_option
from phusong.scenarios.commands.talking import Terminal, talking


@click.command()
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


@click.command(name="runs")
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


@click.command(name="map")
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


def _runs_folder(runs: Path | None) -> Path:
    return runs or Path("runs")
