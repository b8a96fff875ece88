"""Commands about inputs: a scenario to start from, its form, its check, forms to fill in, orbits."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from phusong.scenarios.commands.options import data_option, scenario_argument
from phusong.scenarios.commands.talking import BAD_INPUT, LEVELS, Terminal, talking, tell_finding


@click.command()
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


@click.command()
@talking
def schema(terminal: Terminal) -> None:
    """In JSON Schema của kịch bản, cho trình soạn thảo. / Print the JSON Schema of a scenario, for editors.

    \b
    Ví dụ / example:  phusong schema > phusong.schema.json
    """
    from phusong.scenarios.scenario import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=1))


@click.command()
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


@click.command()
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
            tell_finding(out, finding)
        counts = {level: sum(f.level == level for f in findings) for level in LEVELS}
        out.print(
            f"{counts['error']} lỗi / errors · {sum(map(len, rejected.values()))} dòng bị loại / rejected · "
            f"{counts['warning']} cảnh báo / warnings · {counts['note']} ghi chú / notes"
        )

    terminal.result([asdict(f) for f in findings], show)
    if any(f.level == "error" for f in findings):
        sys.exit(BAD_INPUT)


@click.group()
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
            tell_finding(console, finding)
        print_report(console, said)

    terminal.result({**said, "out": None if out is None else str(out)}, show)
