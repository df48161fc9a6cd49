"""Acknowledge: tell a client whose first letter on a topic came that it came and who has it."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Final

from sqlalchemy import select

from core import letters, outbox
from core.bulk import storable
from core.intents import Intent
from core.staff import StaffMember
from core.values import BadAddress, normal_email
from inbound.work import Batch, Item

ANSWERED: Final = frozenset(
    {
        Intent.INQUIRY,
        Intent.PRICE_REQUEST,
        Intent.DEMO_REQUEST,
        Intent.DOCUMENT_REQUEST,
        Intent.TECHNICAL_QUESTION,
        Intent.ORDER,
        Intent.DELIVERY,
        Intent.COMPLAINT,
        Intent.SUPPORT_PROBLEM,
        Intent.MEETING,
    }
)
"""Intents whose sender waits for somebody to do something."""

LATEST: Final = timedelta(days=2)
"""A letter written longer ago is history, be it imported or found in a mailbox that is new to us."""

_NOBODY: Final = re.compile(
    r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|neatsakyti|noreply.*|mailer-daemon|postmaster|bounces?|daemon"
    r"|root|nobody|abuse|listserv|majordomo|.*-(?:request|owner|bounces?)|owner-.*)(?:\+.*)?$"
)
"""Local parts behind which nobody reads (RFC 3834 section 2)."""


def verdict(item: Item, *, switched_on: bool, own: frozenset[str]) -> tuple[str | None, str]:
    """The address to be answered, or None, with the reason.

    The answer goes to Reply-To where there is one (RFC 5322 section 3.6.2), else to the sender.
    """
    talk, labels = item.talk, item.labels
    if not switched_on:
        return None, "switched off in the settings"
    if not item.human or talk is None:
        return None, "not written by a client"
    if not talk.new:
        return None, "the conversation goes on"
    if labels is None or labels.intent not in ANSWERED:
        return None, "nothing in it waits for an answer that we are sure of"
    if "forwarded_by_staff" in item.warnings:
        return None, "the client did not write to us directly"
    if _is_history(item):
        return None, "it was written too long ago"
    wanted = [address for _, address in item.reading.reply_to] or [item.sender or ""]
    try:
        address = normal_email(wanted[0])
    except BadAddress:
        return None, "there is no address to answer to"
    if _NOBODY.match(address.partition("@")[0]):
        return None, "nobody reads at that address"
    if address in own:
        return None, "the address is our own"
    return address, "a first letter that waits for an answer"


def _is_history(item: Item) -> bool:
    written = item.reading.sent_at()
    if written is None:
        return False
    if written.tzinfo is None:
        written = written.replace(tzinfo=UTC)
    return item.raw.stored_at - written > LATEST


def run(batch: Batch) -> None:
    """Draft an acknowledgement for whoever may get one: one for each address in seven days."""
    own = batch.tools.own_addresses()
    chosen: dict[str, Item] = {}
    for item in batch.on_their_way():
        address, reason = verdict(item, switched_on=batch.tools.settings.acknowledgement, own=own)
        if address is not None and address in chosen:
            address, reason = None, "answered by the acknowledgement of another letter"
        if address is None:
            item.note("acknowledge", reason)
        else:
            chosen[address] = item
    if not chosen:
        return
    granted = outbox.may_answer_many(batch.session, list(chosen))
    staff = _staff(batch, chosen.values())
    for address, item in chosen.items():
        if address not in granted:
            item.note("acknowledge", "this address had an automatic answer within seven days")
            continue
        batch.drafts.append(_draft(batch, item, address, staff))
        item.note("acknowledge", "queued")


def _staff(batch: Batch, items) -> dict[int, StaffMember]:  # type: ignore[no-untyped-def]
    ids = {item.talk.assignee_id for item in items if item.talk and item.talk.assignee_id}
    rows = batch.session.scalars(select(StaffMember).where(StaffMember.id.in_(ids))) if ids else []
    return {row.id: row for row in rows}


def _draft(batch: Batch, item: Item, address: str, staff: dict[int, StaffMember]) -> outbox.Draft:
    talk, person, settings = item.talk, item.person, batch.tools.settings
    assert talk is not None  # noqa: S101 - `verdict` saw to it
    language = talk.language if talk.language in settings.company.languages else None
    colleague = staff.get(talk.assignee_id or 0)
    return letters.acknowledgement(
        message_id=item.message_id,
        conversation_id=talk.id,
        contact_id=person.id if person else None,
        address=address,
        name=storable(person.name if person else item.sender_name),
        company=person.company.name if person and person.company else "",
        language=language or settings.company.default_language,
        subject=storable(item.reading.subject),
        rfc_id=storable(item.reading.message_id) or None,
        reference_ids=[storable(one) for one in item.reading.references],
        received=item.raw.stored_at,
        mailbox=item.raw.source,
        staff=letters.staff_values(colleague) if colleague else None,
        staff_id=colleague.id if colleague else None,
    )
