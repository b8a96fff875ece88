"""Writes fitted values into a scenario file and leaves every other byte of it as it was."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from phusong.scenarios.errors import FileOpenElsewhere, ScenarioNotEditable

SECTION = "radio"
MARK = "# phusong calibrate:"
Value = float | str


def with_radio_values(text: str, values: Mapping[str, Value], source: str) -> str:
    """The text of a scenario with these keys set under [radio], and one comment that says where they come from.

    A key that is there keeps its place and its own comment; new ones follow the head of the section, or a new section
    at the end. The comment of an earlier calibration is replaced.
    Raises ScenarioNotEditable where [radio] is written in a way that cannot be edited line by line.
    """
    if text.startswith("\ufeff"):  # some editors mark UTF-8 so
        return "\ufeff" + with_radio_values(text[1:], values, source)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    before = _parsed(text)
    head = next((i for i, line in enumerate(lines) if re.match(rf"\s*\[\s*{SECTION}\s*\]\s*(#.*)?\r?$", line)), None)
    if head is None:
        block = [f"[{SECTION}]", *_new_lines(values, source)]
        gap = "" if not text or text.endswith("\n") else newline
        changed = text + gap + (newline if text.strip() else "") + newline.join(block) + newline
    else:
        end = next((i for i in range(head + 1, len(lines)) if re.match(r"\s*\[", lines[i])), len(lines))
        body, left = _replaced(lines[head + 1 : end], values)
        ending = "\r" if newline == "\r\n" else ""
        new = [line + ending for line in _new_lines(left, source)]
        if lines[head : head + 1] == lines[-1:] and not text.endswith("\n"):  # [radio] is the last line, without an end
            lines[head] += ending
            new[-1] = new[-1].removesuffix("\r")
        changed = "\n".join([*lines[: head + 1], *new, *body, *lines[end:]])
    expected = {**before, SECTION: {**_section(before), **values}}
    if _parsed(changed) != expected:
        raise _not_editable(values)
    return changed


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file by a text in one step, keeping its permissions. Raises FileOpenElsewhere."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        if target.exists():
            shutil.copymode(target, name)
        os.replace(name, target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise FileOpenElsewhere(
            what="không ghi được kịch bản / the scenario cannot be written",
            where=f"{path}: {error.strerror}",
            mend="đóng tệp ở chương trình khác, kiểm tra quyền / close it elsewhere, check its permissions",
        ) from None


def toml_lines(values: Mapping[str, Value]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _new_lines(values: Mapping[str, Value], source: str) -> list[str]:
    return [f"{MARK} {''.join(c if c.isprintable() else '?' for c in source)}", *toml_lines(values)]


def _replaced(body: list[str], values: Mapping[str, Value]) -> tuple[list[str], dict[str, Value]]:
    """Lines of a section with the values of its keys replaced, and the values whose key is not there."""
    left = dict(values)
    kept = []
    for line in body:
        if line.lstrip().startswith(MARK):
            continue
        found = re.match(r"""(\s*)(["']?)(\w+)\2(\s*=\s*)([^\s#"']+|"[^"\\]*"|'[^']*')(.*)$""", line, re.S)
        if found and found[3] in left:
            line = f"{found[1]}{found[2]}{found[3]}{found[2]}{found[4]}{_toml(left.pop(found[3]))}{found[6]}"
        kept.append(line)
    return kept, left


def _toml(value: Value) -> str:
    return repr(float(value)) if isinstance(value, float | int) else f'"{value}"'


def _section(parsed: Mapping[str, object]) -> dict[str, object]:
    section = parsed.get(SECTION, {})
    return dict(section) if isinstance(section, dict) else {}


def _parsed(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError:
        return {}


def _not_editable(values: Mapping[str, Value]) -> ScenarioNotEditable:
    return ScenarioNotEditable(
        what="không sửa được [radio] trong kịch bản / [radio] of the scenario cannot be edited line by line",
        where="[radio]",
        mend="tự ghi vào kịch bản / write by hand:  " + ", ".join(toml_lines(values)),
    )
