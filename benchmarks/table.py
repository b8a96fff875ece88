"""Runs the benchmarks and prints them beside the committed baseline: `python -m benchmarks.table [--save]`.

Seconds differ between machines; ratios between benchmarks of one run travel. The table therefore shows each benchmark's
time over that of the yardstick (a fixed numpy computation timed in the same run), now and in the baseline.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BASELINE = FOLDER / "baseline.json"
YARDSTICK = "test_yardstick"


def measured() -> dict[str, float]:
    """Median seconds of each benchmark, by name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            str(FOLDER),
            "-q",
            "-s",
            "--benchmark-enable",
            f"--benchmark-json={report}",
        ]
        if subprocess.run(command, cwd=FOLDER.parent, check=False).returncode:
            sys.exit("a benchmark failed")
        entries = json.loads(report.read_text(encoding="utf-8"))["benchmarks"]
    return {entry["name"]: entry["stats"]["median"] for entry in entries}


def relative(seconds: dict[str, float]) -> dict[str, float]:
    """Each benchmark's time in yardsticks."""
    return {name: value / seconds[YARDSTICK] for name, value in seconds.items() if name != YARDSTICK}


def main() -> None:
    seconds = measured()
    now = relative(seconds)
    before = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    sys.stdout.write(f"\n{'benchmark':60} {'seconds':>10} {'yardsticks':>11} {'baseline':>9} {'ratio':>6}\n")
    for name, value in now.items():
        old = before.get(name)
        compared = f"{old:9.2f} {value / old:6.2f}" if old else f"{'new':>9} {'':>6}"
        sys.stdout.write(f"{name:60} {seconds[name]:10.4f} {value:11.2f} {compared}\n")
    if "--save" in sys.argv:
        BASELINE.write_text(
            json.dumps({k: round(v, 3) for k, v in sorted(now.items())}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
