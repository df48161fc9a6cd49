"""Letters become rows: bytes, where they were found and the nudge to read them, all in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from core import intake
from core.intake import Kept, RawLetter
from core.jobs import enqueue
from inbound.bodystructure import Described
from inbound.contentkey import content_key

UNDERSTAND = "inbound.understand"
"""The job that reads what is stored."""

READERS = 2
"""So many jobs read at once: one waits for its parser while the other files."""

MANY = 100
"""From so many letters on a second reader is worth its while."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Bytes as they came. `size` is the letter's on the server where only its beginning was taken.

    `internal_date` is when its server took it in (RFC 3501 section 2.3.3), None for one from a file. `files`
    are those of a letter taken in part, as its server describes them; None where nobody does.
    """

    data: bytes
    uid: int | None = None
    size: int | None = None
    internal_date: datetime | None = None
    files: Sequence[Described] | None = None

    @property
    def truncated(self) -> bool:
        """Whether only its beginning was taken."""
        return self.size is not None and self.size > len(self.data)


@dataclass(frozen=True, slots=True)
class Origin:
    """The folder that letters came from; `absent` are UIDs it listed and did not give, with the reason."""

    mailbox_id: int
    uidvalidity: int
    absent: Mapping[int, str] = field(default_factory=dict)


def store(session: Session, letters: Sequence[Letter], *, source: str, origin: Origin | None = None) -> Kept:
    """Store letters in the caller's transaction, each content once, and nudge whoever reads them.

    `source` is the name of the mailbox or file. Only after the commit may a cursor move or a flag be set.
    """
    kept = intake.keep(
        session,
        [
            intake.RawLetter(
                content_key=content_key(letter.data),
                data=letter.data,
                size=letter.size or len(letter.data),
                truncated=letter.truncated,
                uid=letter.uid,
                internal_date=letter.internal_date,
                files=[list(one) for one in letter.files] if letter.files is not None else None,
            )
            for letter in letters
        ],
        source=source,
        mailbox_id=origin.mailbox_id if origin else None,
        uidvalidity=origin.uidvalidity if origin else None,
        absent=origin.absent if origin else None,
    )
    if kept.new_ids:
        nudge(session, len(kept.new_ids))
    return kept


def nudge(session: Session, count: int) -> None:
    """Ask for stored letters to be read, when the transaction commits."""
    for reader in range(READERS if count >= MANY else 1):
        enqueue(session, UNDERSTAND, dedupe=f"{UNDERSTAND}:{reader}", reader=reader)


__all__ = ["MANY", "READERS", "UNDERSTAND", "Kept", "Letter", "Origin", "RawLetter", "nudge", "store"]
