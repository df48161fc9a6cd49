"""An address or number that was given up is used again once its owner is heard from: it lives.

Only what bounced is opened. What its owner asked for, a complaint, and what a colleague closed stay as they
are, and an opt-out that an address had before it was given up holds again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit
from core.accounts import Channel
from core.outbox_history import as_json

BY_LETTER: Final = "a letter came from it"
BY_SMS: Final = "an SMS came from it"
BY_CALL: Final = "a call came from it"
"""Why it was opened."""
NOTED: Final = "letters to this address had been given up; it is written to again"
NOTED_NUMBER: Final = "this number had been given up; it is called and written to again"
"""How the history says so."""

TAKES_NO_SMS: Final = ("no SMS goes to that number", "the number refuses our SMS")
"""Words of `core.phonecodes` about numbers that may well be called from: a call says nothing of them."""


@dataclass(frozen=True, slots=True)
class Sign:
    """That an owner was heard from: at which address, in the form of the list, on which channel, when."""

    channel: Channel
    address: str
    at: datetime


_OPEN = text("""
with heard as (
    select * from json_to_recordset(cast(:rows as json)) as v (channel text, address text, at timestamptz)
), found as (
    select s.channel, s.address from suppression s join heard using (channel, address)
    where s.reason = 'bounced' and s.created_at < heard.at
    and not exists (select 1 from unnest(cast(:unless as text[])) as u (said) where s.source like u.said)
    for update of s
), milder as (
    update suppression s
    set scope = 'marketing', reason = s.wish ->> 'reason', source = s.wish ->> 'source', wish = null,
        created_at = now()
    from found where s.channel = found.channel and s.address = found.address and s.wish is not null
), gone as (
    delete from suppression s using found
    where s.channel = found.channel and s.address = found.address and s.wish is null
)
select distinct channel, address from found order by channel, address
""")


def open_again(session: Session, signs: Iterable[Sign], why: str) -> set[tuple[Channel, str]]:
    """Take what bounced off the suppression list where its owner was heard from since, and audit it.

    ``why`` is one of the reasons above. Returns what was opened, by channel and address.
    """
    rows = [_plain(one) for one in signs]
    if not rows:
        return set()
    unless = [f"%{said}%" for said in TAKES_NO_SMS] if why == BY_CALL else []
    found = session.execute(_OPEN, {"rows": as_json(rows), "unless": unless}).all()
    for channel, address in found:
        audit.note(
            session, None, "removed", "suppression", 0, address,
            before={"channel": channel, "why": "bounced"}, after={"why": why},
        )  # fmt: skip
    return {(Channel(channel), address) for channel, address in found}


def number_signs(number: str | None, at: datetime) -> Sequence[Sign]:
    """What is proved by a call or an SMS from a number (E.164): that there is one, and that it is on."""
    if number is None:
        return []
    return [Sign(channel, number, at) for channel in (Channel.SMS, Channel.VOICE)]


def _plain(one: Sign) -> dict[str, Any]:
    return {"channel": one.channel, "address": one.address, "at": one.at.isoformat()}
