"""Arguments and options that several commands have, declared once."""

from __future__ import annotations

from pathlib import Path

import click

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
