"""What stands in an old mailbox sorted into folders: folders of mail files, maildirs, or an mbox for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FILE_LIMIT = 50_000_000
"""Bytes of one letter; an mbox may be larger, it is read letter by letter."""

_BEGINS = b"From "
_KINDS = (".mbox", ".sbd")
_IN_MAILDIR = ("cur", "new")


def contents_of(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Label, file name and content of everything in the folders of a folder, in order.

    The label is the folder's name, or that of the mbox. Of a maildir only the letters are read, not its
    lists. What is larger than `FILE_LIMIT` is left out.
    """
    for place in sorted(folder.iterdir()):
        label = _label(place.name)
        if place.is_dir():
            for path in _files(place):
                yield from _contents(label, path)
        elif _is_mbox(place):
            yield from _contents(label, place)


def _label(name: str) -> str:
    """The folder's name without what mail programs put around it."""
    for kind in _KINDS:
        name = name.removesuffix(kind)
    return name.lstrip(".") or name


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if (folder / "cur").is_dir():
        return [path for path in found if path.parent.name in _IN_MAILDIR]
    return found


def _contents(label: str, path: Path) -> Iterator[tuple[str, str, bytes]]:
    if _is_mbox(path):
        for letter in _letters_of(path):
            yield label, f"{path.name}.eml", letter
    elif path.stat().st_size <= FILE_LIMIT:
        yield label, path.name, path.read_bytes()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(len(_BEGINS)) == _BEGINS


def _letters_of(path: Path) -> Iterator[bytes]:
    """The letters of an mbox: each begins with a line `From …` after an empty line (RFC 4155)."""
    lines: list[bytes] = []
    size = 0
    empty = True
    with path.open("rb") as opened:
        for line in opened:
            if empty and line.startswith(_BEGINS):
                if lines and size <= FILE_LIMIT:
                    yield b"".join(lines)
                lines, size = [], 0
            else:
                size += len(line)
                if size <= FILE_LIMIT:
                    lines.append(line)
            empty = not line.strip()
    if lines and size <= FILE_LIMIT:
        yield b"".join(lines)
