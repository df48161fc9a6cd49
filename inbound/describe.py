"""What was understood of a letter as one JSON object: the output of `frontdesk parse --json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from inbound.bounces import Bounce
from inbound.calendars import Invitation
from inbound.forwards import Forward
from inbound.parsed import Address
from inbound.understanding import Understood

KEYS: Final = (
    "file", "subject", "from", "sender", "reply_to", "to", "cc", "date", "message_id", "in_reply_to",
    "references",
    "text", "reply", "quoted", "signature", "disclaimer", "language", "language_confidence", "charset",
    "attachments",
    "machine", "machine_reason", "return_date", "bounce", "forward", "person", "invitation", "warnings",
    "defects",
    "error",
)  # fmt: skip
"""Every object has all of these, in this order; `docs/operate/parse.md` says what each holds."""


def as_json(path: str, outcome: Understood | Exception) -> dict[str, Any]:
    """One object for one letter; `error` is null where it could be read, and then the rest is filled."""
    told: dict[str, Any] = dict.fromkeys(KEYS)
    told["file"] = path
    if isinstance(outcome, Exception):
        told["error"] = str(outcome)
        return told
    mail, split = outcome.mail, outcome.split
    told.update(
        {
            "subject": mail.subject,
            "from": [_address(address) for address in mail.from_],
            "sender": [_address(address) for address in mail.sender],
            "reply_to": [_address(address) for address in mail.reply_to],
            "to": [_address(address) for address in mail.to],
            "cc": [_address(address) for address in mail.cc],
            "date": mail.date.isoformat() if mail.date else None,
            "message_id": mail.message_id,
            "in_reply_to": list(mail.in_reply_to),
            "references": list(mail.references),
            "text": mail.text,
            "reply": split.reply,
            "quoted": split.quoted,
            "signature": split.signature,
            "disclaimer": split.disclaimer,
            "language": outcome.language,
            "language_confidence": round(outcome.language_confidence, 3),
            "charset": mail.charset,
            "attachments": [
                {"name": one.name, "content_type": one.content_type, "size": one.size, "inline": one.inline}
                for one in mail.attachments
            ],
            "machine": outcome.machine.kind.value,
            "machine_reason": outcome.machine.reason,
            "return_date": outcome.machine.return_date.isoformat() if outcome.machine.return_date else None,
            "bounce": _bounce(outcome.bounce),
            "forward": _forward(outcome.forward),
            "person": _person(outcome),
            "invitation": _invitation(outcome.invitation),
            "warnings": [{"kind": one.warning.value, "words": one.words} for one in outcome.warnings()],
            "defects": list(mail.defects),
        }
    )
    return told


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}


def _bounce(bounce: Bounce | None) -> dict[str, Any] | None:
    if bounce is None:
        return None
    return {
        "class": bounce.class_.value,
        "hard": bounce.hard,
        "recipient": bounce.recipient,
        "recipients": list(bounce.recipients),
        "original_message_id": bounce.original_message_id,
        "status": bounce.status,
        "diagnostic": bounce.diagnostic,
        "delayed": bounce.delayed,
        "envelope_key": bounce.envelope_key,
        "reason": bounce.reason,
    }


def _forward(forward: Forward | None) -> dict[str, Any] | None:
    if forward is None:
        return None
    return {
        "from": _address(forward.from_) if forward.from_ else None,
        "to": [_address(address) for address in forward.to],
        "cc": [_address(address) for address in forward.cc],
        "date": forward.date.isoformat() if forward.date else None,
        "date_text": forward.date_text,
        "subject": forward.subject,
        "text": forward.text,
    }


def _person(outcome: Understood) -> dict[str, Any]:
    person = asdict(outcome.person())
    person["phones"] = [{"number": one["number"], "extension": one["extension"]} for one in person["phones"]]
    return person


def _invitation(invitation: Invitation | None) -> dict[str, Any] | None:
    if invitation is None:
        return None
    told = asdict(invitation)
    for name in ("start", "end"):
        told[name] = told[name].isoformat() if told[name] else None
    return told
