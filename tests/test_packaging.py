"""The top folder coverage/ must not shadow coverage.py, and imports run only downwards."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("coverage", "solvers", "data_sources", "scenarios")


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


def test_coverage_folders_are_not_packages() -> None:
    assert not (ROOT / "coverage/__init__.py").exists()
    assert not (ROOT / "tests/coverage/__init__.py").exists()
    assert not (ROOT / "phusong").exists()


def test_every_source_folder_is_packaged() -> None:
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        str(path.parent.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "__pycache__" not in str(path)
    }
    assert folders == set(packaged["package-dir"].values())
    assert set(packaged["packages"]) == set(packaged["package-dir"])


@pytest.mark.parametrize(
    "code",
    [
        "import numba",
        "import coverage; assert coverage.Coverage",
        "import phusong.coverage, phusong.scenarios.cli",
    ],
)
def test_imports_from_the_root_of_a_clone(code: str) -> None:
    assert run("-c", code).stderr == ""


def test_pytest_as_a_module_and_with_coverage(tmp_path: Path) -> None:
    assert run("-m", "pytest", "-q", "tests/test_packaging.py", "-k", "folders_are_not").returncode == 0
    answer = run(
        "-m", "pytest", "-q", "--cov=phusong", "tests/test_packaging.py", "-k", "folders_are_not",
        COVERAGE_FILE=str(tmp_path / "data"),
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout


WORKER = """
from distributed import Client, LocalCluster

def place():
    import numba, coverage
    import phusong.coverage.errors as ours
    return ours.__name__ + " " + coverage.Coverage.__module__

if __name__ == "__main__":
    with LocalCluster(n_workers=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        print(client.submit(place).result(60))
"""


def test_a_dask_worker_process_imports_our_coverage(tmp_path: Path) -> None:
    script = tmp_path / "script.py"  # worker processes import the script again, so it must be a file
    script.write_text(WORKER)
    answer = run(str(script))
    assert "phusong.coverage.errors coverage" in answer.stdout, answer.stderr


def imported_rooms(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {parts[1] for name in names if (parts := name.split("."))[0] == "phusong" and len(parts) > 1}


@pytest.mark.parametrize("room", ["coverage", "solvers", "data_sources"])
def test_imports_run_only_downwards(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        assert imported_rooms(path) <= {room}, path


def test_only_one_place_speaks_for_the_command_line() -> None:
    for room in ("coverage", "solvers", "data_sources"):
        for path in (ROOT / room).rglob("*.py"):
            assert "import click" not in path.read_text(), path


def test_every_benchmark_can_be_collected() -> None:
    command = [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
