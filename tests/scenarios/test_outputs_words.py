"""Vietnamese first: number formats, and a catalogue that holds every word the outputs ask for."""

from __future__ import annotations

import re
from importlib import resources
from math import nan

import pytest

from phusong.scenarios.outputs.words import NO_VALUE, WORDS, money_ty, number, percent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (money_ty(2_581_900_000_000, band=0.2), "2.581,9 tỷ đồng (±20%)"),
        (money_ty(2_581_900_000_000, "en", band=0.2), "VND 2,581.9 billion (±20%)"),
        (money_ty(None), NO_VALUE),
        (percent(0.976), "97,6%"),
        (percent(0.976, lang="en"), "97.6%"),
        (number(1_234_567), "1.234.567"),
        (number(-0.04, 1), "0,0"),
        (number(nan), NO_VALUE),
    ],
)
def test_numbers_as_a_minister_reads_them(text, expected):
    assert text == expected


def test_both_languages_have_every_word_and_the_same_blanks():
    blanks = re.compile(r"\{(\w+)\}")
    for key, (vietnamese, english) in WORDS.items():
        assert vietnamese.strip(), key
        assert english.strip(), key
        assert set(blanks.findall(vietnamese)) == set(blanks.findall(english)), key


def test_the_map_page_asks_for_no_word_that_is_missing():
    page = "".join(
        resources.files("phusong.scenarios.outputs").joinpath(name).read_text(encoding="utf-8")
        for name in ("map.html", "map.js", "map_layers.js")
    )
    asked = set(re.findall(r'"((?:map|fig|col|sheet)\.\w+)"', page))
    columns = page[page.index("const FIELDS") : page.index("const WRITE")]
    asked |= {f"col.{name}" for name in re.findall(r'\["(\w+)", "\w+"\]', columns)}
    assert len(asked) > 50
    assert asked <= WORDS.keys()


def test_no_module_asks_for_a_word_that_is_missing():
    rooms = resources.files("phusong.scenarios")
    sources = [*rooms.iterdir(), *rooms.joinpath("outputs").iterdir()]
    text = "".join(f.read_text(encoding="utf-8") for f in sources if f.name.endswith(".py"))
    asked = set(re.findall(r'word\("([a-z]+\.\w+)"', text))
    assert len(asked) > 20
    assert asked <= WORDS.keys()
