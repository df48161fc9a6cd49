"""The books: every letter in and every delivery out in exactly one named state, added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from core import intake, outbox
from core.conversations import Message
from core.intake import IntakeState, Mailbox, RawMessage, RawOrigin
from core.outbox import Delivery, DeliveryState

MAX_LISTED = 100
"""How many single items a discrepancy names."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something that does not add up."""

    what: str
    count: int
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailboxBooks:
    """One mailbox folder: what the server holds against what is on record."""

    name: str
    folder: str
    recorded: int
    backlog: int
    on_server: int | None = None
    """None where the server was not asked or did not answer."""
    missing: tuple[int, ...] = ()
    """UIDs up to the cursor that the server holds and no record names."""
    error: str | None = None


@dataclass(slots=True)
class Ledger:
    """Counts by state and whatever does not add up."""

    incoming: dict[str, int]
    outgoing: dict[str, int]
    mailboxes: list[MailboxBooks] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """True when everything is accounted for."""
        return not self.discrepancies and not any(books.missing for books in self.mailboxes)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "sound": self.sound,
            "incoming": self.incoming,
            "outgoing": self.outgoing,
            "mailboxes": [
                {
                    "name": books.name,
                    "folder": books.folder,
                    "recorded": books.recorded,
                    "backlog": books.backlog,
                    "on_server": books.on_server,
                    "missing": list(books.missing),
                    "error": books.error,
                }
                for books in self.mailboxes
            ],
            "discrepancies": [
                {"what": one.what, "count": one.count, "items": list(one.items)} for one in self.discrepancies
            ],
        }


_FILED = select(Message.raw_id).where(Message.raw_id.is_not(None))

_WHOLE = aliased(Delivery)

CHECKS: tuple[tuple[str, Select[Any]], ...] = (
    (
        "understood letters that are in no conversation",
        select(RawMessage.id).where(RawMessage.state == IntakeState.UNDERSTOOD, RawMessage.id.not_in(_FILED)),
    ),
    (
        "letters in a conversation that are not marked understood",
        select(RawMessage.id).where(RawMessage.state != IntakeState.UNDERSTOOD, RawMessage.id.in_(_FILED)),
    ),
    (
        "ignored letters without a reason",
        select(RawMessage.id).where(RawMessage.state == IntakeState.IGNORED, RawMessage.reason.is_(None)),
    ),
    (
        "deliveries whose lease ran out more than ten minutes ago",
        select(Delivery.id).where(
            Delivery.state.in_([DeliveryState.CLAIMED, DeliveryState.TRANSMITTING]),
            Delivery.lease_until < func.now() - timedelta(minutes=10),
        ),
    ),
    (
        "copies that wait for a word though their letter does not",
        select(Delivery.id).where(
            Delivery.copy_of_id.in_(select(_WHOLE.id).where(_WHOLE.state != DeliveryState.HELD)),
            Delivery.state == DeliveryState.HELD,
        ),
    ),
)
"""What must be empty at any moment, each with the sentence that says what was found."""


def balance(
    session: Session, uids_on_server: Mapping[tuple[str, str], set[int] | str] | None = None
) -> Ledger:
    """Add up the books of one moment.

    ``uids_on_server`` gives for each mailbox (name, folder) the UIDs the server holds now under the recorded
    UIDVALIDITY, or the reason why it could not be asked.
    """
    ledger = Ledger(incoming=intake.counts(session), outgoing=outbox.counts(session))
    for what, query in CHECKS:
        found = session.scalars(query.order_by("id")).all()
        if found:
            ledger.discrepancies.append(Discrepancy(what, len(found), tuple(map(str, found[:MAX_LISTED]))))
    for mailbox in session.scalars(select(Mailbox).order_by(Mailbox.name, Mailbox.folder)):
        ledger.mailboxes.append(_mailbox_books(session, mailbox, (uids_on_server or {})))
    return ledger


def _mailbox_books(
    session: Session, mailbox: Mailbox, uids_on_server: Mapping[tuple[str, str], set[int] | str]
) -> MailboxBooks:
    known = set(
        session.scalars(
            select(RawOrigin.uid).where(
                RawOrigin.mailbox_id == mailbox.id, RawOrigin.uidvalidity == mailbox.uidvalidity
            )
        )
    )
    held = uids_on_server.get((mailbox.name, mailbox.folder))
    if not isinstance(held, set):
        return MailboxBooks(
            mailbox.name, mailbox.folder, len(known), mailbox.backlog, error=held or mailbox.error
        )
    missing = tuple(sorted(uid for uid in held if uid <= mailbox.last_uid and uid not in known))
    waiting = sum(1 for uid in held if uid > mailbox.last_uid)
    return MailboxBooks(
        mailbox.name,
        mailbox.folder,
        len(known),
        waiting,
        on_server=len(held),
        missing=missing,
        error=mailbox.error,
    )
