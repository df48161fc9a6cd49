"""What need not be known before a letter is filed: its DKIM signature, and what it says of its writer.

A job after each batch, outside the batch's transaction: the first asks DNS, which may take seconds, and the
second costs more processor time than filing the letter. Both are idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.context import Context
from core.conversations import Direction, Message
from core.intake import RawMessage
from core.jobs import enqueue
from core.suggestions import SuggestionKind, Told, phone_value, suggest
from inbound import authenticity, signature
from inbound.authenticity import Checks
from inbound.dnstext import DnsIsSilent, TextRecords
from inbound.parsed import Address

log = structlog.get_logger(__name__)

LOOK_CLOSER: Final = "inbound.look_closer"

LARGEST_CHECKED: Final = 20_000_000
"""Bytes of a letter whose signature is checked; the whole of it has to be hashed."""

MOST_AT_ONCE: Final = 100
"""Letters that one job looks at."""


class Letter(NamedTuple):
    """What is looked at of one letter."""

    id: int
    contact_id: int | None
    raw_id: int | None
    sender_name: str
    sender: str
    reply: str
    signature: str
    sender_checks: dict[str, Any] | None


def ask_for(session: Session, message_ids: Sequence[int]) -> None:
    """Have these letters looked at after this transaction."""
    for first in range(0, len(message_ids), MOST_AT_ONCE):
        enqueue(
            session, LOOK_CLOSER, priority=-1, message_ids=list(message_ids[first : first + MOST_AT_ONCE])
        )


def look_closer(context: Context, message_ids: Sequence[int]) -> None:
    """Suggestions from the signatures of these letters, and the DKIM checks nobody has made.

    Raises DnsIsSilent after everything else is done, so that the rest is tried again later.
    """
    with context.transaction() as session:
        letters = _letters(session, message_ids)
    told = [one for letter in letters for one in of_letter(letter)]
    if told:
        with context.transaction() as session:
            suggest(session, told)
    if context.settings.senders.check_dkim:
        _check_signatures(context, [one for one in letters if _unchecked(one)])


def of_letter(letter: Letter) -> Iterable[Told]:
    """What the end of a letter says of its writer; nothing where it only repeats the display name."""
    if letter.contact_id is None:
        return
    person = signature.read(letter.signature, Address(letter.sender_name, letter.sender), letter.reply)
    said = [(SuggestionKind.POSITION, person.position), (SuggestionKind.COMPANY, person.company)]
    if person.source in {"signature", "goodbye"}:
        said.insert(0, (SuggestionKind.NAME, person.name))
    said += [(SuggestionKind.PHONE, phone_value(one.number) or "") for one in person.phones]
    for kind, value in said:
        # One word is a first name under a goodbye, and less than the display name mostly says.
        if value and not (kind is SuggestionKind.NAME and " " not in value.strip()):
            yield Told(letter.contact_id, letter.id, kind, value)


def _letters(session: Session, message_ids: Sequence[int]) -> list[Letter]:
    query = select(
        Message.id,
        Message.contact_id,
        Message.raw_id,
        Message.sender_name,
        Message.sender,
        Message.reply,
        Message.signature,
        Message.sender_checks,
    ).where(Message.id.in_(message_ids), Message.direction == Direction.IN, Message.machine.is_(None))
    return [Letter(*row) for row in session.execute(query)]


def _unchecked(letter: Letter) -> bool:
    checks = letter.sender_checks
    return letter.raw_id is not None and checks is not None and not checks.get("by")


def _check_signatures(context: Context, letters: Iterable[Letter]) -> None:
    records = context.port(TextRecords)
    silent: DnsIsSilent | None = None
    for letter in letters:
        with context.transaction() as session:
            raw = session.scalar(select(RawMessage.data).where(RawMessage.id == letter.raw_id))
        if raw is None or len(raw) > LARGEST_CHECKED:
            continue
        domain = letter.sender.rpartition("@")[2]
        try:
            result = authenticity.check_dkim(raw, lambda name, _seconds: records.txt(name), domain)
        except DnsIsSilent as error:
            silent = error
            continue
        with context.transaction() as session:
            _store(session, letter, result, domain)
    if silent is not None:
        raise silent


def _store(session: Session, letter: Letter, result: Checks, domain: str) -> None:
    known = letter.sender_checks or {}
    told = authenticity.as_stored(result, domain, ()) | {"findings": known.get("findings", [])}
    session.execute(update(Message).where(Message.id == letter.id).values(sender_checks=told))
    log.info("sender.checked", message_id=letter.id, verdict=told["verdict"], dkim=result.dkim)
