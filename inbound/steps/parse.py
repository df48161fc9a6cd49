"""Parse: bytes to a reading, each letter bounded in time and memory."""

from __future__ import annotations

from core.errors import FrontdeskError
from inbound.work import Batch


def run(batch: Batch) -> None:
    """Read every letter that was not read yet; one that cannot be read fails alone."""
    waiting = [item for item in batch.on_their_way() if not item.trail]
    outcomes = batch.tools.readers.read_many([item.raw.data for item in waiting], batch.tools.own_addresses())
    for item, outcome in zip(waiting, outcomes, strict=True):
        if isinstance(outcome, FrontdeskError):
            item.failed = outcome.message
            continue
        item.reading = outcome
        defects = f", {len(outcome.defects)} defects" if outcome.defects else ""
        parts = f", {len(outcome.attachments)} attachments" if outcome.attachments else ""
        item.note("parse", f"{item.raw.size} bytes{parts}{defects}")
        if item.raw.truncated or outcome.truncated:
            item.warnings.append("truncated")
        if outcome.defects:
            item.warnings.append("defects")
