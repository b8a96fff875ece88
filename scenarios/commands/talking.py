"""How every command talks: results on stdout, the rest on stderr, faults in three lines, exit codes."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from phusong.coverage.errors import CoverageError
from phusong.data_sources.errors import DataError
from phusong.scenarios.errors import ScenarioError
from phusong.scenarios.progress import STAGE, Progress
from phusong.solvers.errors import NoFeasiblePlan, SolverError

if TYPE_CHECKING:
    from phusong.data_sources.area import Finding

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
        tell_finding(console, finding)


def tell_finding(console: Console, finding: Finding) -> None:
    """One line for a finding, and a second one where there is something to do about it."""
    line = Text(f"  {finding.level:9}", style=LEVELS[finding.level])
    line.append(f"{finding.what}", style="default").append(f"  [{finding.where}]", style="dim")
    console.print(line)
    if finding.mend:
        console.print(Text(f"            → {finding.mend}", style="green"))


@contextmanager
def progress(terminal: Terminal) -> Iterator[Progress]:
    """A bar per phase on stderr; yields a callable (phase, done, total)."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(24),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=terminal.err, disable=terminal.quiet) as bars:
        tasks: dict[str, Any] = {}

        def report(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=total or None, note="")
            bars.update(tasks[phase], completed=done, total=total or None, note=_note(phase, done, total))

        yield report


def _note(phase: str, done: int, total: int) -> str:
    """Of a stage of the decision: what the best plan reaches, what none exceeds, and the gap between them."""
    if phase.startswith(STAGE):
        return f"{done:,} / {total:,} · {abs(total - done) / max(total, 1):.1%}" if total > 0 else f"{done:,} / ?"
    return f"{done}/{total}" if total > 1 else ""
