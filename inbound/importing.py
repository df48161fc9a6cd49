"""Mail from files: a letter, an mbox or a maildir goes through the same intake as what is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from core.context import Context
from core.errors import InputRefused
from inbound.intake import Letter, store

BATCH: Final = 200
BATCH_BYTES: Final = 16_000_000

_FROM: Final = re.compile(rb"From [^\r\n]+\r?\n")
_QUOTED: Final = re.compile(rb">+From ")


class NotMail(InputRefused):
    """There is no mail there."""

    cure = "Name a file with one letter, an mbox, a maildir, or a folder of letters."


@dataclass(frozen=True, slots=True)
class Imported:
    """How far an import has come. `read` and `of` are bytes; `of` is known from the start."""

    letters: int = 0
    stored: int = 0
    duplicates: int = 0
    read: int = 0
    of: int = 0


def import_path(
    context: Context,
    path: Path,
    *,
    source: str | None = None,
    progress: Callable[[Imported], None] | None = None,
) -> Imported:
    """Store every letter found at a path; `progress` is called after each batch was committed.

    An import that was broken off may simply be run again: what is stored already is known by its content.
    Raises NotMail, or OSError when a file cannot be read.
    """
    largest = context.settings.limits.mail_bytes
    found = Imported(of=sum(one.stat().st_size for one in _files(path)))
    name = source or f"import:{path.name}"
    waiting: list[Letter] = []
    size = 0
    for letter in letters(path, largest):
        waiting.append(letter)
        size += len(letter.data)
        if len(waiting) >= BATCH or size >= BATCH_BYTES:
            found = _store(context, waiting, name, found, progress)
            waiting, size = [], 0
    if waiting:
        found = _store(context, waiting, name, found, progress)
    if not found.letters:
        raise NotMail(f"There is no mail in {path}.")
    return found


def _store(
    context: Context,
    batch: list[Letter],
    source: str,
    before: Imported,
    progress: Callable[[Imported], None] | None,
) -> Imported:
    with context.transaction() as session:
        kept = store(session, batch, source=source)
    after = Imported(
        letters=before.letters + len(batch),
        stored=before.stored + len(kept.new_ids),
        duplicates=before.duplicates + kept.duplicates,
        read=min(before.of, before.read + sum(letter.size or len(letter.data) for letter in batch)),
        of=before.of,
    )
    if progress is not None:
        progress(after)
    return after


def letters(path: Path, largest: int) -> Iterator[Letter]:
    """The letters at a path, one at a time in memory; of one larger than `largest` only the beginning."""
    for file in _files(path):
        with file.open("rb") as opened:
            start = opened.read(5)
            opened.seek(0)
            if start == b"From ":
                yield from _of_mbox(opened, largest)
            else:
                data = opened.read(largest)
                size = file.stat().st_size
                yield Letter(data, size=size if size > len(data) else None)


def _files(path: Path) -> Iterator[Path]:
    """The files that hold letters: of a maildir those in `new` and `cur`, of another folder all."""
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise NotMail(f"{path} is not there.")
    maildir = (path / "cur").is_dir()
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.is_symlink() and (not maildir or file.parent.name in {"new", "cur"}):
            yield file


def _of_mbox(opened: BinaryIO, largest: int) -> Iterator[Letter]:
    """The letters of an mbox (RFC 4155), `>From ` unquoted; lines `From ` count only after an empty line."""
    parts: list[bytes] = []
    kept = size = 0
    blank = True
    begun = False
    for line in opened:
        if blank and line.startswith(b"From ") and _FROM.match(line):
            if begun:
                yield _letter(parts, kept, size)
            parts, kept, size, begun, blank = [], 0, 0, True, False
            continue
        blank = line in {b"\n", b"\r\n"}
        if _QUOTED.match(line):
            line = line[1:]
        size += len(line)
        if kept < largest:
            parts.append(line)
            kept += len(line)
    if begun:
        yield _letter(parts, kept, size)


def _letter(parts: list[bytes], kept: int, size: int) -> Letter:
    data = b"".join(parts)
    if data.endswith((b"\n\n", b"\r\n\r\n")):
        # The empty line before the next letter belongs to the mbox.
        data = data[: -2 if data.endswith(b"\r\n") else -1]
    return Letter(data, size=size if kept < size else None)
