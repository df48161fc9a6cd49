"""Rows of the send ledger as they are written: many in one statement, and one of its own for each copy.

A copy is a delivery like any other: claimed, suppressed, transmitted and settled for itself. What it says it
reads from the letter it is a copy of, whenever a worker claims it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.bulk import among
from core.consent import Scope, address_key, suppressed
from core.outbox_history import as_json
from core.values import email_domain

_LAY = text("""
insert into delivery (key, token, state, channel, purpose, automatic, address, address_key, domain,
    recipient_name, contact_id, conversation_id, deal_id, staff_id, mailbox, template, language, "values",
    subject, body, documents, files, in_reply_to, reference_ids, campaign_id, priority, segment, copy_of_id,
    addressed, due_at, expires_at)
select key, token, state, channel, purpose, automatic, address, address_key, domain,
    recipient_name, contact_id, conversation_id, deal_id, staff_id, mailbox, template, language, "values",
    subject, body, documents, files, in_reply_to, reference_ids, campaign_id, priority, segment, copy_of_id,
    addressed,
    coalesce(due_at, now()),
    coalesce(expires_at, now() + :expiry)
from jsonb_to_recordset(cast(:rows as jsonb)) as v (key text, token text, state text, channel text,
    purpose text, automatic boolean, address text, address_key text, domain text, recipient_name text,
    contact_id bigint, conversation_id bigint, deal_id bigint, staff_id bigint, mailbox text, template text,
    language text, "values" jsonb, subject text, body text, documents jsonb, files jsonb, in_reply_to text,
    reference_ids jsonb, campaign_id bigint, priority bigint, segment jsonb, copy_of_id bigint,
    addressed jsonb, due_at timestamptz, expires_at timestamptz)
on conflict (key) do nothing
returning id, key
""")
"""The rows come as one JSON value: many times cheaper than as many values of a statement."""

EMPTY: dict[str, Any] = {
    "values": {},
    "body": "",
    "documents": [],
    "files": [],
    "in_reply_to": None,
    "reference_ids": [],
    "addressed": None,
}
"""What a copy leaves to the letter it is a copy of."""


def lay(session: Session, rows: Sequence[dict[str, Any]], expiry: timedelta) -> list[tuple[int, str]]:
    """Write rows; returns id and key of those whose keys were new."""
    found = session.execute(_LAY, {"rows": as_json(list(rows)), "expiry": expiry})
    return [(int(number), str(key)) for number, key in found]


def new_token() -> str:
    """A reply key that cannot be guessed: 128 random bits."""
    return secrets.token_hex(16)


def address(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Complete the copies of some letters, and say on each whom its header names.

    A copy gets the contact who has its address, and the contact's name where none is given. Whom nothing may
    be sent to has a row, so that its fate is told, but is not named: the others would think they had it.
    """
    copied = [row for row in rows if row["copies"]]
    if not copied:
        return
    addresses = {one["address"] for row in copied for one in row["copies"]}
    known = {
        value: (number, name)
        for value, number, name in session.execute(
            select(ContactPoint.value, Contact.id, Contact.name)
            .join(Contact, Contact.id == ContactPoint.contact_id)
            .where(ContactPoint.kind == PointKind.EMAIL, among(ContactPoint.value, addresses))
            .order_by(ContactPoint.id.desc())
        )
    }
    keys = {one: address_key(Channel.EMAIL, one) for one in addresses}
    stops = suppressed(session, Channel.EMAIL, sorted(set(keys.values())))
    barred = {one for one, key in keys.items() if key in stops and stops[key].scope == Scope.EVERYTHING}
    for row in copied:
        for one in row["copies"]:
            one["contact_id"], name = known.get(one["address"], (None, ""))
            one["name"] = one["name"] or name
        row["addressed"] = {
            "to": [[row["recipient_name"], row["address"]]],
            "cc": [[one["name"], one["address"]] for one in row["copies"] if one["address"] not in barred],
        }


def copies_of(number: int, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the copies of a letter that was laid under this number."""
    return [
        row
        | EMPTY
        | {
            "key": f"{row['key']}#{one['address']}",
            "token": new_token(),
            "address": one["address"],
            "address_key": address_key(Channel.EMAIL, one["address"]),
            "domain": email_domain(one["address"]),
            "recipient_name": one["name"],
            "contact_id": one["contact_id"],
            "copies": [],
            "copy_of_id": number,
        }
        for one in row["copies"]
    ]
