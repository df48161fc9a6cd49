"""Mail from files: a letter, an mbox or a maildir goes through the same intake as what is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.context import Context
from core.errors import InputRefused
from inbound.intake import Letter, store
from inbound.letterfiles import letters

BATCH: Final = 200
BATCH_BYTES: Final = 16_000_000


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
    Raises InputRefused when a file cannot be read, NotMail when there is no letter.
    """
    largest = context.settings.limits.mail_bytes
    found = Imported(of=_size(path))
    name = source or f"import:{path.name}"
    waiting: list[Letter] = []
    size = 0
    for one in letters([path]):
        whole = len(one.data)
        waiting.append(Letter(one.data[:largest], size=whole if whole > largest else None))
        size += min(whole, largest)
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


def _size(path: Path) -> int:
    """Bytes to be read, as far as that is known beforehand."""
    if path.is_file():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else 0
