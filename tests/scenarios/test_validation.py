"""`phusong validate`: every row of every reference set, and what happens when one does not agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from phusong.scenarios.cli import main
from phusong.scenarios.validation.comparison import Origin, ReferenceSet
from phusong.scenarios.validation.reference_sets import last_digit_db
from phusong.scenarios.validation.references import REFERENCES

# Model and edition: rows in ../shared/validation.
ROWS = {
    ("ITU-R P.1812-7", "08/2023"): 63,
    ("Longley-Rice ITM", "1.2.2 path"): 5,
    ("ITU-R P.2108-1", "09/2021 §3.1"): 23,
    ("ITU-R P.2108-1", "09/2021 §3.2"): 12,
    ("ITU-R P.2108-1", "09/2021 §3.3"): 13,
    ("ITU-R P.2109-2", "08/2023"): 31_250,
    ("3GPP TR 38.901", "Table 7.4.1-1"): 18,
    ("3GPP TR 38.901", "UMi, unasserted"): 6,
}


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", "--quiet", *arguments])


def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = validate("--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def test_every_row_of_every_set_agrees(shared: Callable[[str], Path]) -> None:
    code, told = answer("--data", str(shared("validation")))
    assert {(s["model"], s["edition"]): s["rows"] for s in told["sets"]} == ROWS
    for s in told["sets"]:
        wanted = "reported" if s["edition"] == "UMi, unasserted" else "pass"
        assert (s["verdict"], s["quoted"]) == (wanted, False), s
        assert s["tolerance_db"] == (0.05 if "P.2108" in s["model"] else 0.01)
        assert s["rms_error_db"] <= s["max_error_db"]
    assert (code, told["agrees"], told["missing_sets"]) == (0, True, [])


def test_quoted_rows_stand_in_for_the_sets() -> None:
    code, told = answer()
    assert code == 0
    assert all(s["quoted"] and s["verdict"] == "pass" and s["rows"] >= 3 for s in told["sets"])
    assert {s["model"] for s in told["sets"]} == {model for model, _ in ROWS}


def test_the_table_names_models_verdicts_and_sources() -> None:
    told = validate().stdout
    for reference in REFERENCES:
        assert reference.quoted_origin.source in told
    assert told.count("đạt / pass") == 7


@pytest.mark.parametrize(
    ("folder", "file", "old", "new"),
    [
        ("py1812", "validation_results/rburg_0_log.csv", ",162.1688678,", ",162.1888678,"),
        ("ntia_itm", "p2p.csv", "207.65", "207.67"),
        ("ntia_p2108", "TerrestrialStatisticalModelTestData.csv", "0,32.5", "0,32.6"),
        ("crc_covlib", "iturp2109/validation.csv", ",14.3466571410424564", ",14.3666571410424564"),
        ("ns3_tr38901", "tr38901_pathloss_vectors.csv", "144.7641", "144.7841"),
    ],
)
def test_one_row_that_is_off_fails(
    folder: str, file: str, old: str, new: str, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copytree(shared(f"validation/{folder}"), tmp_path / folder, copy_function=shutil.copyfile)
    path = tmp_path / folder / file
    path.chmod(0o644)
    text = path.read_text(encoding="latin-1")
    assert old in text
    path.write_text(text.replace(old, new), encoding="latin-1")
    code, told = answer("--data", str(tmp_path))
    assert (code, told["agrees"]) == (1, False)
    failed = [s for s in told["sets"] if s["verdict"] == "fail"]
    assert [(s["rows_wrong"], s["quoted"]) for s in failed] == [(1, False)]
    assert set(told["missing_sets"]) == {r.folder for r in REFERENCES} - {folder}
    shown = validate("--data", str(tmp_path)).stdout
    assert "SAI / FAIL" in shown
    assert "tham chiếu / reference" in shown


@pytest.mark.parametrize("folder", [r.folder for r in REFERENCES])
def test_a_set_that_cannot_be_read_is_told_without_a_traceback(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    result = validate("--data", str(tmp_path))
    assert result.exit_code == 2
    assert folder in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_without_sets_is_told(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        result = validate("--data", str(place))
        assert result.exit_code == 2
        assert str(place) in result.stderr
        assert "py1812" in result.stderr


def made_set(expected_db: list[float], ours_db: list[float]) -> ReferenceSet:
    names = [str(i) for i in range(len(ours_db))]
    return ReferenceSet("m", "e", Origin("s", "l", False), names, np.array(expected_db), np.array(ours_db), 0.05)


def test_a_row_refused_by_one_side_only_is_wrong() -> None:
    nan = float("nan")
    both = made_set([1.0, nan], [1.05, nan])
    assert both.agrees
    assert both.max_error_db == pytest.approx(0.05)
    assert made_set([1.0, nan], [1.0, 0.0]).wrong.tolist() == [1]
    assert made_set([1.0, 2.0], [nan, 2.0]).wrong.tolist() == [0]


def test_the_last_printed_digit() -> None:
    assert last_digit_db(["16", "10.9"]) == pytest.approx(0.1)
    assert last_digit_db(["77.3784"]) == pytest.approx(1e-4)
