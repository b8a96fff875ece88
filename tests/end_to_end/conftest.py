"""The product as it is used: the command line in its own process, on the demo province."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rasterio
from rasterio.warp import transform_bounds

Phusong = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def phusong() -> Phusong:
    """Runs `phusong ARGUMENTS` and returns what it printed; fails unless the exit code is `expect`."""

    def run(
        *arguments: object, expect: int = 0, cwd: Path | None = None, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        code = "import sys; from phusong.scenarios.cli import program; sys.argv[0] = 'phusong'; program()"
        answer = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, cwd=cwd,
            env={**os.environ, "PYTHONUTF8": "1"}, timeout=timeout,
        )  # fmt: skip
        assert answer.returncode == expect, f"exit {answer.returncode}\n{answer.stdout}\n{answer.stderr}"
        assert "Traceback" not in answer.stderr
        return answer

    return run


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name has spaces and Vietnamese letters."""
    folder = tmp_path_factory.mktemp("người dùng") / "thư mục có dấu"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def demo(phusong: Phusong, home: Path) -> dict[str, Any]:
    """The answer of `phusong demo --json`; its folder `home/demo` holds the province."""
    answer = phusong("demo", "--folder", home / "demo", "--runs", home / "runs", "--json", cwd=home)
    return json.loads(answer.stdout)


@pytest.fixture(scope="session")
def corner(demo: dict[str, Any], home: Path) -> Path:
    """A scenario for a small corner of the demo province: seconds instead of a minute."""
    with rasterio.open(home / "demo" / "dem.tif") as dem:
        west, south, east, north = transform_bounds(dem.crs, 4326, *dem.bounds)
    box = [
        west + 0.4 * (east - west),
        south + 0.4 * (north - south),
        west + 0.65 * (east - west),
        south + 0.65 * (north - south),
    ]
    path = home / "demo" / "góc.toml"
    path.write_text(
        f'extends = "demo.toml"\n[scenario]\nname = "Góc nhỏ"\n[area]\nbounds = [{box}]\n'
        "[radio]\nrange_km = 8.0\n[objective]\nbudget_vnd = 6_000_000_000\n[solver]\ndeterministic_limit = 2.0\n",
        encoding="utf-8",
    )
    return path
