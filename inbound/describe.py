"""What was understood of a letter as one JSON object: the output of `frontdesk parse --json`."""

from __future__ import annotations

from typing import Any

from inbound.parsed import Address
from inbound.understanding import Understood


def as_json(path: str, outcome: Understood | Exception) -> dict[str, Any]:
    """One object with the same keys for every letter; `error` is null where it could be read."""
    if isinstance(outcome, Exception):
        return {**_nothing(path), "error": str(outcome)}
    mail, split = outcome.mail, outcome.split
    bounce, forward = outcome.bounce, outcome.forward
    return {
        **_nothing(path),
        "subject": mail.subject,
        "from": [_address(address) for address in mail.from_],
        "to": [_address(address) for address in mail.to],
        "cc": [_address(address) for address in mail.cc],
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": mail.message_id,
        "text": mail.text,
        "reply": split.reply,
        "quoted": split.quoted,
        "signature": split.signature,
        "language": outcome.language,
        "attachments": [
            {"name": item.name, "content_type": item.content_type, "size": item.size}
            for item in mail.attachments
        ],
        "machine": outcome.machine.kind.value,
        "bounce": {
            "class": bounce.class_.value,
            "hard": bounce.hard,
            "recipient": bounce.recipient,
            "original_message_id": bounce.original_message_id,
        }
        if bounce
        else None,
        "forward": {
            "from": _address(forward.from_) if forward.from_ else None,
            "to": [_address(address) for address in forward.to],
            "date": forward.date.isoformat() if forward.date else forward.date_text or None,
            "subject": forward.subject,
        }
        if forward
        else None,
    }


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}


def _nothing(path: str) -> dict[str, Any]:
    keys = "subject from to cc date message_id text reply quoted signature language attachments machine bounce forward error"
    return {"file": path} | dict.fromkeys(keys.split())
