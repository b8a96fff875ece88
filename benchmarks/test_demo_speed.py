"""The demo province, from nothing to its plan, in a process of its own with cold and with warm kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run_demo(folder: Path, cache: Path) -> dict[str, float]:
    code = "import sys; from phusong.scenarios.cli import program; sys.argv[0] = 'phusong'; program()"
    command = [
        sys.executable,
        "-c",
        code,
        "demo",
        "--quiet",
        "--json",
        "--folder",
        folder / "demo",
        "--runs",
        folder / "runs",
    ]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    )
    run = Path(json.loads(answer.stdout)["run"])
    return json.loads((run / "timings.json").read_text(encoding="utf-8"))["seconds"]


@pytest.mark.parametrize("kernels", ["cold", "warm"])
def test_demo(benchmark, tmp_path, tmp_path_factory, kernels):
    cache = tmp_path / "kernels" if kernels == "cold" else tmp_path_factory.getbasetemp() / "kernels"
    if kernels == "warm":
        run_demo(tmp_path / "first", cache)
    seconds = benchmark.pedantic(run_demo, args=(tmp_path, cache), rounds=1)
    print(f"\ndemo, {kernels} kernels:", {step: round(value, 1) for step, value in seconds.items()})
