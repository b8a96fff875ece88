"""Which column of a file is which: headers recognised by name, in Vietnamese or English, or named by the user."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import zip_longest

from phusong.data_sources.errors import ColumnsMissing, ColumnsUnclear
from phusong.data_sources.schema import Column, Kind
from phusong.data_sources.vietnamese import header_keys

HEADER_SEARCH_ROWS = 20  # a title, its number and a date seldom take more


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a table: its place among the rows that were searched, and a title for every column."""

    index: int
    titles: tuple[str, ...]
    found: frozenset[str]


class Headers:
    """Looks up the columns of one kind of layer by the titles of a file.

    columns : canonical name -> title in this file, where the user says so; it replaces the known titles of that column
    Raises ColumnsUnclear for a name that the kind does not have.
    """

    def __init__(self, kind: Kind, columns: Mapping[str, str]) -> None:
        self.kind = kind
        self._named = dict(columns)
        every = {column.name: column for column in (*kind.coordinates, *kind.columns)}
        for name, title in columns.items():
            if name not in every:
                raise _unknown_name(kind, list(every), name, title)
        self._rank = {header_keys(title)[0]: (-1, name) for name, title in columns.items()}
        for column in every.values():
            if column.name not in columns:
                for rank, title in enumerate(column.headers):
                    self._rank.setdefault(header_keys(title)[0], (2 * rank, column.name))

    def known(self, title: str) -> str | None:
        """Canonical name of a title, None where it is not known."""
        found = self._lookup(title)
        return found[1] if found else None

    def complete(self, found: Collection[str]) -> bool:
        """Whether these canonical names hold all that the kind asks of a table."""
        return not self._missing(found, has_shapes=False)

    def find(self, rows: Sequence[Sequence[object]]) -> Header:
        """The row that names most columns, the first of equals; a blank cell takes the name above it (merged cells).

        rows : the first rows of a table; where none names a column, the fullest one is taken
        """
        best, best_score = Header(0, (), frozenset()), (0, 0)
        above: Sequence[object] = ()
        for index, row in enumerate(rows[:HEADER_SEARCH_ROWS]):
            cells = [_title(cell) for cell in row]
            titles = tuple(
                cell or _title(upper) for cell, upper in zip_longest(cells, above[: len(cells)], fillvalue="")
            )
            found = frozenset(filter(None, map(self.known, titles)))
            score = (len(found), 0 if found else sum(map(bool, cells)))
            if score > best_score:
                best, best_score = Header(index, titles, found), score
            above = row
        return best

    def assign(self, titles: Sequence[str], where: str, has_shapes: bool) -> dict[str, int]:
        """Canonical name -> place of its column in this file.

        has_shapes : the file has geometry of its own, so coordinate columns are not looked for
        Raises ColumnsMissing (all of them at once, each with the nearest title) and ColumnsUnclear.
        """
        wanted = {column.name for column in (self.kind.columns if has_shapes else self._every())}
        best: dict[str, tuple[int, int]] = {}
        for place, title in enumerate(titles):
            rank, name = self._lookup(title) or (0, "")
            if name not in wanted:
                continue
            if name in best and best[name][0] == rank:
                raise ColumnsUnclear(
                    f"hai cột đều là {name} / two columns are both {name}",
                    f'{where}: "{titles[best[name][1]]}", "{title}"',
                    f"đổi tên hoặc bỏ một cột / rename or remove one, or name the right one: columns.{name}",
                )
            if name not in best or rank < best[name][0]:
                best[name] = (rank, place)
        taken = {name: place for name, (_, place) in best.items()}
        for name, title in self._named.items():
            if name in wanted and name not in taken:
                raise ColumnsUnclear(
                    f'không có cột "{title}" / there is no column "{title}"',
                    f"{where}: columns.{name}",
                    _nearest([title], titles) or f"các cột / columns: {', '.join(titles)}",
                )
        if missing := self._missing(taken, has_shapes):
            raise self._columns_missing(missing, titles, set(taken.values()), where)
        return taken

    def _every(self) -> tuple[Column, ...]:
        return (*self.kind.coordinates, *self.kind.columns)

    def _lookup(self, title: str) -> tuple[int, str] | None:
        for worse, key in enumerate(header_keys(title)):  # "Số hộ" before "Số hộ (nghèo)"
            if key in self._rank:
                rank, name = self._rank[key]
                return rank + worse, name
        return None

    def _missing(self, found: Collection[str], has_shapes: bool) -> list[Column]:
        missing = [column for column in self.kind.columns if column.required and column.name not in found]
        if not has_shapes and "wkt" not in found:
            places = self.kind.coordinates
            missing += [column for column in places[:-1] or places if column.name not in found]
        return missing

    def _columns_missing(
        self, missing: Sequence[Column], titles: Sequence[str], used: set[int], where: str
    ) -> ColumnsMissing:
        free = [title for place, title in enumerate(titles) if place not in used]
        mends = [
            f"{column.name}: " + (_nearest(column.headers, free) or f'thêm cột / add a column "{column.vi}"')
            for column in missing
        ]
        return ColumnsMissing(
            f"thiếu cột / missing columns: {', '.join(f'{column.name} ({column.vi})' for column in missing)}",
            f"{where}; các cột có / columns there: {', '.join(filter(None, titles)) or '-'}",
            "; ".join(mends),
        )


def _title(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _nearest(wanted: Sequence[str], titles: Sequence[str]) -> str:
    """A mend that names the title most like one of those wanted; "" where none is like them."""
    keys = {header_keys(title)[-1]: title for title in titles if title}
    for want in wanted:
        if close := get_close_matches(header_keys(want)[-1], keys, n=1, cutoff=0.6):
            return f'có phải là / is it "{keys[close[0]]}"?'
    return ""


def _unknown_name(kind: Kind, known: Sequence[str], name: str, title: str) -> ColumnsUnclear:
    if close := get_close_matches(name, known, n=1, cutoff=0.7):
        mend = f"{close[0]}?"
    elif title in known:
        mend = f'viết ngược lại / write it the other way: {title} = "{name}"'
    else:
        mend = f"các cột / columns: {', '.join(known)}"
    return ColumnsUnclear(f"{kind.name} không có cột / has no column {name}", f"columns.{name}", mend)
