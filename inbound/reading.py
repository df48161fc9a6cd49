"""What the pipeline needs of a letter that was read, in plain values that cross between processes."""

from __future__ import annotations

import marshal
from dataclasses import dataclass, fields
from datetime import datetime

from inbound import dates
from inbound.authenticity import MOST_FIELDS
from inbound.meetinganswers import Answer as CalendarAnswer
from inbound.parsed import Address, Headers, UnreadableMail
from inbound.understanding import understand

LONGEST_RESULTS = 4000
"""Characters of one field of Authentication-Results."""

Pair = tuple[str, str]
"""A display name and an address, as written."""


@dataclass(slots=True)
class Reading:
    """One letter read and judged. Names of kinds are those of `inbound.automail` and `inbound.bounces`."""

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    subject: str = ""
    from_: Pair | None = None
    reply_to: tuple[Pair, ...] = ()
    to: tuple[Pair, ...] = ()
    cc: tuple[Pair, ...] = ()
    delivered_to: tuple[str, ...] = ()
    """Addresses it was delivered to, from trace fields."""
    date: str = ""
    """The sender's own Date, ISO 8601; empty where there is none."""
    received: str = ""
    """What the last relay wrote (the topmost Received field), ISO 8601; empty where there is none."""
    text: str = ""
    reply: str = ""
    quoted: str = ""
    signature: str = ""
    has_html: bool = False
    language: str | None = None
    language_confidence: float = 0.0
    machine: str = "none"
    machine_reason: str = ""
    returns: str = ""
    """The day somebody who is away is back, ISO 8601; empty where it is not said."""
    bounce: tuple[str, bool, bool, tuple[str, ...], str, str, str, str] | None = None
    """Class, hard, delayed, recipients, original Message-ID, status, diagnostic, envelope key."""
    forward: tuple[str, str, str, str] | None = None
    """Name, address, subject and date (ISO 8601, may be empty) of a letter inside the letter."""
    attachments: tuple[tuple[str, str, int, str], ...] = ()
    """Name, type, size and path."""
    defects: tuple[str, ...] = ()
    truncated: bool = False
    auth_results: tuple[str, ...] = ()
    """Authentication-Results from the top, cut to a size no honest one has."""
    signed: bool = False
    """It carries a DKIM signature."""
    more_senders: tuple[Pair, ...] = ()
    """What From names beside the first."""
    calendar: CalendarAnswer | None = None
    """An answer to an invitation."""
    by_form: bool = False
    """A form passed it on: its sender is who Reply-To names, which no mail server checks."""

    @property
    def written(self) -> str:
        """What its sender newly wrote: nothing where all of it is a quotation; the whole text where it was
        only forwarded, or where nothing could be told apart."""
        if self.reply or not self.quoted or self.forward is not None:
            return self.reply or self.text
        return ""

    def dumped(self) -> bytes:
        """The values as bytes (marshal: plain values only, so reading them runs nothing)."""
        return marshal.dumps(tuple(getattr(self, name) for name in NAMES))

    @classmethod
    def loaded(cls, data: bytes) -> Reading:
        """The value that `dumped` made."""
        return cls(*marshal.loads(data))  # noqa: S302 - from our own child, and marshal holds no code we call

    def sent_at(self) -> datetime | None:
        """The sender's own Date."""
        return datetime.fromisoformat(self.date) if self.date else None

    def received_at(self) -> datetime | None:
        """When the last relay took it."""
        return datetime.fromisoformat(self.received) if self.received else None


NAMES = tuple(field.name for field in fields(Reading))


def read(raw: bytes, own_addresses: frozenset[str]) -> Reading:
    """Read one letter. Raises UnreadableMail where there is nothing to read."""
    known = understand(raw, own_addresses)
    mail, split, bounce, forward = known.mail, known.split, known.bounce, known.forward
    return Reading(
        message_id=mail.message_id,
        in_reply_to=tuple(mail.in_reply_to),
        references=tuple(mail.references),
        subject=mail.subject,
        from_=_pair(mail.from_[0]) if mail.from_ else None,
        reply_to=tuple(map(_pair, mail.reply_to)),
        to=tuple(map(_pair, mail.to)),
        cc=tuple(map(_pair, mail.cc)),
        delivered_to=tuple(
            value
            for name in ("delivered-to", "x-original-to", "envelope-to")
            if name in mail.headers
            for value in mail.headers.all(name)[:5]
        ),
        date=mail.date.isoformat() if mail.date else "",
        received=_received(mail.headers),
        text=mail.text,
        reply=split.reply,
        quoted=split.quoted,
        signature=split.signature,
        has_html=mail.html is not None,
        language=known.language,
        language_confidence=float(known.language_confidence),
        machine=known.machine.kind.value,
        machine_reason=known.machine.reason,
        returns=known.machine.return_date.isoformat() if known.machine.return_date else "",
        bounce=None
        if bounce is None
        else (
            bounce.class_.value,
            bounce.hard,
            bounce.delayed,
            tuple(bounce.recipients),
            bounce.original_message_id,
            bounce.status,
            bounce.diagnostic,
            bounce.envelope_key,
        ),
        forward=None
        if forward is None
        else (
            *(_pair(forward.from_) if forward.from_ else ("", "")),
            forward.subject,
            forward.date.isoformat() if forward.date else "",
        ),
        attachments=tuple((one.name, one.content_type, one.size, one.path) for one in mail.attachments),
        defects=tuple(mail.defects),
        truncated=mail.truncated,
        auth_results=tuple(
            value[:LONGEST_RESULTS] for value in mail.headers.all("authentication-results")[:MOST_FIELDS]
        )
        if "authentication-results" in mail.headers
        else (),
        signed="dkim-signature" in mail.headers,
        more_senders=tuple(map(_pair, mail.from_[1:5])),
        calendar=known.answer,
    )


def _received(headers: Headers) -> str:
    """The date behind the last semicolon of the topmost Received field (RFC 5321 section 4.4)."""
    fields = headers.raw("received")
    moment = dates.read(fields[0].rpartition(b";")[2].decode("latin-1")) if fields else None
    return moment.isoformat() if moment else ""


def _pair(address: Address) -> Pair:
    return (address.name, address.address)


__all__ = ["Pair", "Reading", "UnreadableMail", "read"]
