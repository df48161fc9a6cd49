"""Parse: bytes to a reading, each letter bounded in time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.errors import FrontdeskError
from inbound.work import Batch

NEARLY: Final = 200
"""Bytes by which the server's idea of a file's size and ours may differ."""


def described(files: Sequence[Sequence[Any]], here: Sequence[tuple[str, str, int, str]]) -> tuple[Any, ...]:
    """The files of a letter that was taken in part, as its server describes them.

    One that came whole within the part keeps its place, where it can be opened; the others have none.
    """
    whole = {path: size for _, _, size, path in here}
    return tuple(
        (name, kind, size, path if abs(whole.get(path, -NEARLY - 1) - size) <= NEARLY else "")
        for name, kind, size, path in files
    )


def run(batch: Batch) -> None:
    """Read every letter that was not read yet; one that cannot be read fails alone."""
    waiting = [item for item in batch.on_their_way() if not item.trail]
    outcomes = batch.tools.readers.read_many([item.raw.data for item in waiting], batch.tools.own_addresses())
    for item, outcome in zip(waiting, outcomes, strict=True):
        if isinstance(outcome, FrontdeskError):
            item.failed = outcome.message
            continue
        item.reading = outcome
        if item.raw.files is not None:
            outcome.attachments = described(item.raw.files, outcome.attachments)
        defects = f", {len(outcome.defects)} defects" if outcome.defects else ""
        parts = f", {len(outcome.attachments)} attachments" if outcome.attachments else ""
        item.note("parse", f"{item.raw.size} bytes{parts}{defects}")
        if item.raw.truncated or outcome.truncated:
            item.warnings.append("truncated")
        if outcome.defects:
            item.warnings.append("defects")
