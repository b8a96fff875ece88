"""The command line: `phusong`. Its commands stand in phusong.scenarios.commands; only these modules know click."""

from __future__ import annotations

import importlib.metadata
import os
import sys

import click

from phusong.scenarios.commands.inputs import check, data, init, schema, template
from phusong.scenarios.commands.models import calibrate, validate
from phusong.scenarios.commands.planning import coverage, demo, plan, satellite
from phusong.scenarios.commands.runs import compare, map_, runs_


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


for command in (
    init, check, template, data, schema, coverage, plan, satellite, demo, calibrate, validate, compare, runs_, map_,
):  # fmt: skip
    main.add_command(command)


def program() -> None:
    """Entry point that keeps UTF-8 on Windows terminals."""
    os.environ.setdefault("PYTHONUTF8", "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    main()
