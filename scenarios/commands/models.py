"""Commands that ask how right the models are: against measurements, against others' numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from phusong.scenarios.commands.options import data_option, scenario_argument
from phusong.scenarios.commands.talking import FAULT, Terminal, progress, talking, tell_finding


@click.command()
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
    with progress(terminal) as report:
        found = compare_with(scenario, measurements, data_dir, report)
    if rejects is not None:
        write_rejects(found.read, rejects)
    written = output or (scenario if write else None)
    if written is not None:
        write_calibration(scenario, found, output)

    def show(out: Console) -> None:
        for finding in found.findings:
            if finding.level != "note":
                tell_finding(out, finding)
        print_calibration(out, found, written)

    terminal.result({**report_of(found), "written": None if written is None else str(written)}, show)


@click.command()
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
