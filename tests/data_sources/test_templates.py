"""A template filled in by hand is a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import openpyxl
import pytest

from phusong.data_sources.errors import FileUnwritable, LayerEmpty
from phusong.data_sources.layers import read_layer
from phusong.data_sources.schema import KINDS
from phusong.data_sources.templates import write_template

Name = Literal["hamlets", "sites"]
TEMPLATES: list[tuple[Name, str]] = [("hamlets", "hamlets"), ("sites", "sectors")]


@pytest.mark.parametrize(("name", "kind"), TEMPLATES)
def test_an_empty_template_holds_no_row(tmp_path: Path, name: Name, kind: str) -> None:
    path = tmp_path / "mẫu.xlsx"
    write_template(name, path)
    with pytest.raises(LayerEmpty):
        read_layer(kind, path)


@pytest.mark.parametrize(("name", "kind"), TEMPLATES)
def test_the_example_filled_in_as_a_row_is_accepted_whole(tmp_path: Path, name: Name, kind: str) -> None:
    path = tmp_path / "mẫu.xlsx"
    write_template(name, path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for column in range(1, sheet.max_column + 1):
        sheet.cell(3, column).value = "X1" if column == 1 else sheet.cell(2, column).value
    book.save(path)
    read = read_layer(kind, path)
    assert read.rejected.empty
    assert [finding.level for finding in read.findings] == ["note"]  # the example row was left aside
    assert "row 2" in read.findings[0].where
    row = read.frame.iloc[0]
    assert row.notna().all()
    assert row[KINDS[kind].id.name] == "X1"
    assert (row.geometry.x, row.geometry.y) == (105.6263, 21.5675)


@pytest.mark.parametrize(("name", "kind"), TEMPLATES)
def test_every_choice_has_a_drop_down_of_words_that_are_read(tmp_path: Path, name: Name, kind: str) -> None:
    path = tmp_path / "mẫu.xlsx"
    write_template(name, path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    lists = [
        validation.formula1.strip('"').split(",")
        for validation in sheet.data_validations.dataValidation
        if validation.type == "list"
    ]
    choices = [column for column in KINDS[kind].columns if column.choices]
    assert sorted(lists) == sorted([column.words(choice)[0] for choice in column.choices] for column in choices)
    assert all(cell.comment for cell in sheet[1])


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnwritable):
        write_template("hamlets", tmp_path / "không có" / "mẫu.xlsx")
