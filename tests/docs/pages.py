"""The pages of the project as tests see them: their links and the commands in their blocks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"^[ ]*```(?:sh|bash|console)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Command:
    """One `frontdesk …` line of a page, as words without the program's name."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: frontdesk {shlex.join(self.words)}"


def pages() -> list[Path]:
    """README and everything under docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> list[Command]:
    """Every `frontdesk` line in a shell block of any page."""
    return [command for page in pages() for command in _commands_of(page)]


def _commands_of(page: Path) -> Iterator[Command]:
    name = page.relative_to(ROOT).as_posix()
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        # What the shell would put in is not ours to check; "…" stands for what the reader writes.
        block = re.sub(r"\$\([^)]*\)", "x", block.replace("\\\n", " "))
        for line in block.splitlines():
            if "…" in line:
                continue
            # A comment ends the line; a pipe or a redirection ends the command.
            words = shlex.split(line, comments=True)
            for part in _split(words):
                at = next((i for i, word in enumerate(part) if Path(word).name == "frontdesk"), None)
                if at is not None and all("=" in word or word in {"sudo", "$"} for word in part[:at]):
                    yield Command(name, tuple(part[at + 1 :]))


def _split(words: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    redirected = False
    for word in words:
        if word in {"|", "&&", ";"}:
            yield part
            part, redirected = [], False
        elif word in {"<", ">"}:
            redirected = True
        elif not redirected:
            part.append(word)
    yield part


def links(page: Path) -> list[str]:
    """The targets of a page's links that are files of the project."""
    text = page.read_text(encoding="utf-8")
    return [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:|#", target)]
