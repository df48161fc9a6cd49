"""Copies of what we send, filed into the client's history.

What a person writes is filed when it is queued, so that they see at once what they said; everything else when
it is composed, in the transaction that marks it as being transmitted. So history holds a letter from the
moment it may have left, and its state is always the delivery's. Filing twice completes the copy and never
makes a second one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts import Channel


@dataclass(frozen=True, slots=True)
class Copy:
    """What a delivery says and to whom; see the columns of Message for the meaning of each."""

    delivery_id: int
    conversation_id: int
    contact_id: int | None
    staff_id: int | None
    recipient_name: str
    recipient: str
    subject: str
    text: str
    language: str
    reply: str = ""
    """What is new in it; the whole text where nothing is given."""
    channel: Channel = Channel.EMAIL
    rfc_id: str | None = None
    sender_name: str = ""
    sender: str = ""
    has_html: bool = False
    document_ids: tuple[int, ...] = ()
    copied: Sequence[Sequence[str]] = ()
    """Whom its header names as copied: a name and an address each."""
    by_hand: bool = False
    """A person wrote it just now and it goes out, so the client waits no longer."""


_FILE = text("""
insert into message (conversation_id, contact_id, direction, channel, delivery_id, staff_id, rfc_id,
                     subject, sender_name, sender, recipients, text, reply, quoted, signature, has_html,
                     language, trail, warnings, segment)
select v.conversation_id, v.contact_id, 'out', v.channel, v.delivery_id, v.staff_id, v.rfc_id,
       v.subject, v.sender_name, v.sender, v.recipients, v.text, v.reply, '', '', v.has_html,
       v.language, '[]', '{}', (select segment from delivery where delivery.id = v.delivery_id)
from json_to_recordset(cast(:rows as json))
  as v (conversation_id bigint, contact_id bigint, channel text, delivery_id bigint, staff_id bigint,
        rfc_id text, subject text, sender_name text, sender text, recipients jsonb, text text, reply text,
        has_html boolean, language text)
on conflict (delivery_id) do update
set rfc_id = excluded.rfc_id, subject = excluded.subject, sender_name = excluded.sender_name,
    sender = excluded.sender, text = excluded.text, reply = excluded.reply, has_html = excluded.has_html,
    language = excluded.language, sent_at = case when excluded.rfc_id is null then null else now() end,
    -- What waited for its time or for somebody's word stands where it left, after what came meanwhile.
    happened_at = case when excluded.rfc_id is not null and message.sent_at is null
                            and message.happened_at < now() - interval '5 minutes'
                       then now() else message.happened_at end
""")

_THREAD = text("""
insert into thread_id (rfc_id, conversation_id)
select * from unnest(cast(:rfc_id as text[]), cast(:conversation_id as bigint[]))
on conflict do nothing
""")

_ATTACH = text("""
insert into attachment (message_id, name, content_type, size, document_id)
select message.id, document.filename, document.content_type, document.size, document.id
from unnest(cast(:delivery_id as bigint[]), cast(:document_id as bigint[])) as v (delivery_id, document_id)
join message on message.delivery_id = v.delivery_id
join document on document.id = v.document_id
where not exists (select 1 from attachment known
                  where known.message_id = message.id and known.document_id = document.id)
order by document.id
""")

_ANSWERED = text("""
update conversation set waiting = false, last_message_at = now() where id = any(cast(:ids as bigint[]))
""")


def file_copies(session: Session, copies: Sequence[Copy]) -> None:
    """File copies in the caller's transaction, or complete those filed before; one statement for all."""
    if not copies:
        return
    session.execute(_FILE, {"rows": as_json([_row(copy) for copy in copies])})
    threads = [(copy.rfc_id, copy.conversation_id) for copy in copies if copy.rfc_id]
    if threads:
        session.execute(
            _THREAD,
            dict(zip(("rfc_id", "conversation_id"), map(list, zip(*threads, strict=True)), strict=True)),
        )
    files = [(copy.delivery_id, document_id) for copy in copies for document_id in copy.document_ids]
    if files:
        session.execute(
            _ATTACH,
            dict(zip(("delivery_id", "document_id"), map(list, zip(*files, strict=True)), strict=True)),
        )
    if answered := [copy.conversation_id for copy in copies if copy.by_hand]:
        session.execute(_ANSWERED, {"ids": answered})


def _row(copy: Copy) -> dict[str, Any]:
    return {
        "conversation_id": copy.conversation_id,
        "contact_id": copy.contact_id,
        "channel": copy.channel,
        "delivery_id": copy.delivery_id,
        "staff_id": copy.staff_id,
        "rfc_id": copy.rfc_id,
        "subject": copy.subject,
        "sender_name": copy.sender_name,
        "sender": copy.sender,
        "recipients": {"to": [[copy.recipient_name, copy.recipient]]}
        | ({"cc": [list(pair) for pair in copy.copied]} if copy.copied else {}),
        "text": copy.text,
        "reply": copy.reply or copy.text,
        "has_html": copy.has_html,
        "language": copy.language,
    }


def as_json(rows: list[dict[str, Any]]) -> str:
    """Rows as one JSON value that PostgreSQL takes: many times cheaper than a driver's arrays."""
    written = json.dumps(rows, ensure_ascii=False)
    return json.dumps(storable(rows), ensure_ascii=False) if "\\u0000" in written else written


def storable(value: Any) -> Any:
    """The same value without any NUL in its texts: PostgreSQL holds none, and a client's letter may."""
    match value:
        case str():
            return value.replace("\0", "")
        case dict():
            return {name: storable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [storable(inner) for inner in value]
        case _:
            return value
