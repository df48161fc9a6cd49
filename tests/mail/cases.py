"""Reads the case files of this folder: a title, a body, and what should be found in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_SECTION = re.compile(r"^==== (\w+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One case: `#### title`, the body, then sections `==== name` (html, reply, signature, disclaimer)."""

    title: str
    text: str
    html: str | None
    expected: dict[str, str]


def read_cases(folder: Path) -> Iterator[Case]:
    """The cases of every file in a folder, by file name and place."""
    for path in sorted(folder.glob("*.txt")):
        for chunk in path.read_text("utf-8").split("#### ")[1:]:
            title, _, rest = chunk.partition("\n")
            pieces = _SECTION.split(rest)
            sections = {name: body.strip("\n") for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
            yield Case(title, pieces[0].strip("\n"), sections.pop("html", None), sections)


def read_letters(path: Path) -> Iterator[Case]:
    """The cases of one file of whole letters: header, body, then `==== expect` as TOML."""
    for chunk in path.read_text("utf-8").split("#### ")[1:]:
        title, _, rest = chunk.partition("\n")
        pieces = _SECTION.split(rest)
        sections = {name: body.strip("\n") for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
        yield Case(title, pieces[0].rstrip("\n") + "\n", None, sections)
