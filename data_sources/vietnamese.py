"""Vietnamese as lists write it: names compared without diacritics, decimal commas, dates with the day first."""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date

_LONGEST_NUMBER = 40  # letters; nobody writes a longer one, and the patterns below stay cheap
_MARKS = re.compile("[\u0300-\u036f]+")  # combining diacritical marks: all that Vietnamese uses
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_GROUPED_BY_DOT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")
_GROUPED_BY_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_CLOCK = r"(?:[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?"  # dates are kept, hours dropped
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})" + _CLOCK)
_YEAR_FIRST = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})" + _CLOCK)
_MONTH = re.compile(r"(?:thang )?(\d{1,2})[/.\-](\d{4})")
_YEAR = re.compile(r"(?:nam )?(\d{4})")


def fold(text: str) -> str:
    """Text as names are compared: without diacritics or case, single spaces ("Hoà  Bình", "Hòa Bình" -> "hoa binh")."""
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold())).replace("đ", "d")
    return " ".join(text.casefold().split())


def header_keys(text: str) -> tuple[str, ...]:
    """Keys under which a column header is looked up: letters and digits only, whole and without its parentheses.

    "Chiều cao anten (m)" -> ("chieucaoantenm", "chieucaoanten")
    """
    whole = _letters(text)
    bare = _letters(_PARENTHESES.sub(" ", text))
    return (whole, bare) if bare and bare != whole else (whole,)


def number_from_text(text: str, whole: bool = False) -> float | None:
    """The number a person meant, or None: "105,63", "1.234,5", "1,234.5", "1 234", "-3", "2e5".

    whole : the column counts things, so one separator before exactly three digits groups thousands ("1.234" is 1234)
    """
    if len(text) > _LONGEST_NUMBER:
        return None
    bare = re.sub(r"(?<=\d)[\s'\u2019](?=\d{3}(?!\d))", "", text.strip()).replace("\u2212", "-")
    separators = [letter for letter in bare if letter in ",."]
    several = len(separators) > 1
    if (several or whole) and _GROUPED_BY_DOT.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif (several or whole) and _GROUPED_BY_COMMA.fullmatch(bare):
        bare = bare.replace(",", "")
    elif separators == [","]:
        bare = bare.replace(",", ".")
    return float(bare) if _NUMBER.fullmatch(bare) else None


def date_from_text(text: str, end_of_period: bool = False) -> str | None:
    """ISO date of "15/01/2026", "2026-01-15", "01/2026" or "2026"; None where it is no date. Days come before months.

    end_of_period : a month or a year alone means its last day (a deadline), else its first
    """
    bare = fold(text).replace("ngay ", "")
    if match := _DAY_FIRST.fullmatch(bare):
        day, month, year = (int(part) for part in match.groups())
    elif match := _YEAR_FIRST.fullmatch(bare):
        year, month, day = (int(part) for part in match.groups())
    elif match := _MONTH.fullmatch(bare):
        month, year = (int(part) for part in match.groups())
        if not (1 <= month <= 12 and year >= 1):
            return None
        day = calendar.monthrange(year, month)[1] if end_of_period else 1
    elif match := _YEAR.fullmatch(bare):
        year = int(match.group(1))
        month, day = (12, 31) if end_of_period else (1, 1)
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _letters(text: str) -> str:
    return "".join(letter for letter in fold(text) if letter.isalnum())
