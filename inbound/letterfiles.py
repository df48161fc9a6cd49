"""Letters out of files: single ones, an mbox, a maildir, or a folder of any of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputRefused

MBOX_LINE = re.compile(rb"From [^\r\n]*\r?\n")
QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")
MAILDIR_FOLDERS = ("new", "cur")


@dataclass(frozen=True, slots=True)
class FileLetter:
    """One letter; `name` says where it was found, with a number for the one of many in an mbox."""

    name: str
    data: bytes


def letters(
    paths: Sequence[Path], *, refused: Callable[[Path, InputRefused], None] | None = None
) -> Iterator[FileLetter]:
    """The letters of all these files and folders, in order; `-` is standard input.

    What cannot be read raises InputRefused, or is told to `refused`, and the others follow.
    """
    for path in paths:
        if str(path) == "-":
            yield from _of_bytes("-", sys.stdin.buffer.read())
            continue
        for file in _of_folder(path) if path.is_dir() else [path]:
            try:
                yield from _of_file(file)
            except InputRefused as error:
                if refused is None:
                    raise
                refused(file, error)


def _of_file(path: Path) -> Iterator[FileLetter]:
    try:
        with path.open("rb") as opened:
            if opened.read(5) == b"From ":
                opened.seek(0)
                yield from _of_mbox(str(path), opened)
                return
            opened.seek(0)
            yield FileLetter(str(path), opened.read())
    except OSError as error:
        raise InputRefused(f"{path} cannot be read ({error.strerror}).") from error


def _of_bytes(name: str, data: bytes) -> Iterator[FileLetter]:
    if data.startswith(b"From "):
        yield from _of_mbox(name, data.splitlines(keepends=True))
    else:
        yield FileLetter(name, data)


def _of_folder(path: Path) -> list[Path]:
    """A maildir's new and read letters, or every file below an ordinary folder, sorted by name."""
    if all((path / folder).is_dir() for folder in MAILDIR_FOLDERS):
        return [
            file for folder in MAILDIR_FOLDERS for file in sorted((path / folder).iterdir()) if file.is_file()
        ]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


def _of_mbox(name: str, lines: Iterable[bytes]) -> Iterator[FileLetter]:
    """Cut at each `From ` line that follows an empty one (RFC 4155), and unquote `>From `."""
    number, after_blank = 0, True
    current: list[bytes] = []
    for line in lines:
        if after_blank and MBOX_LINE.match(line):
            if number:
                yield _cut(name, number, current)
            number, current = number + 1, []
        else:
            current.append(line)
        after_blank = line in {b"\n", b"\r\n"}
    if number:
        yield _cut(name, number, current)


def _cut(name: str, number: int, lines: list[bytes]) -> FileLetter:
    # The empty line before the next one belongs to the mbox.
    if lines and lines[-1] in {b"\n", b"\r\n"}:
        lines = lines[:-1]
    return FileLetter(f"{name}:{number}", QUOTED_FROM.sub(rb"\1", b"".join(lines)))
