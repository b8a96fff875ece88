"""The real scenes, planned whole: long, so run by `make soak`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "scenarios" / "examples"


@pytest.mark.soak
@pytest.mark.parametrize(
    ("scenario", "scene", "hamlets"),
    [
        ("tam-dao-5g", "tam-dao", 499),
        ("n21e105", "n21e105", 3172),
        ("n21e105-half", "n21e105", 3172),
    ],
)
def test_a_real_scene_is_planned_and_checked(
    phusong, shared, tmp_path: Path, scenario: str, scene: str, hamlets: int
) -> None:
    data = shared(f"data/{scene}/communes.gpkg").parent
    answer = phusong("plan", EXAMPLES / f"{scenario}.toml", "--data", data, "--runs", tmp_path, "--json", timeout=1200)
    summary = json.loads(answer.stdout)
    assert summary["hamlets"] == hamlets
    assert summary["checker"] == "agrees"
    assert 0 < summary["counted"] <= summary["cleared_bound"] <= summary["low_before"]
