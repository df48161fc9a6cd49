"""The machine-readable part of a delivery report (RFC 3464): one record for each address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from inbound import charsets, headers, transfer
from inbound.parsed import PartInfo

_FIELD: Final = re.compile(r"^([A-Za-z][\w-]{1,60})\s*:[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_ADDRESS: Final = re.compile(r"[^\s<>;,\"()\[\]:]{1,120}@[^\s<>;,\"()\[\]]+")
MAX_RECIPIENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Record:
    """What a report says of one address; each field as written, empty where it is missing.

    `recipient` is the original one where it is named, because that is the address that was written to.
    """

    recipient: str
    action: str
    status: str
    diagnostic: str
    remote: str = ""


def read(raw: bytes, part: PartInfo) -> list[Record]:
    """The records of a message/delivery-status part; broken ones are read as far as they go."""
    body = transfer.decode(raw[part.start : min(part.end, part.start + 400_000)], part.encoding)
    text = (
        charsets.decode(body, part.parameters.get("charset")).text.replace("\r\n", "\n").replace("\r", "\n")
    )
    return read_text(text)


def read_text(text: str) -> list[Record]:
    """As `read`, from the text of the part."""
    records: list[Record] = []
    for block in _blocks(text):
        fields: dict[str, str] = {}
        for match in _FIELD.finditer(block):
            value = " ".join(row.strip() for row in match[2].split("\n")).strip()
            fields.setdefault(match[1].lower(), headers.decode_words(value) if "=?" in value else value)
        final = address(fields.get("final-recipient", ""))
        original = address(fields.get("original-recipient", "")) or address(
            fields.get("x-actual-recipient", "")
        )
        if not final and not original and "action" not in fields and "status" not in fields:
            continue
        diagnostic = fields.get("diagnostic-code", "") or fields.get("x-supplementary-info", "")
        recipient = original if "@" in original else final or original
        records.append(
            Record(
                recipient,
                fields.get("action", "").lower().split("(")[0].split(";")[0].strip(),
                fields.get("status", ""),
                diagnostic.partition(";")[2].strip() if ";" in diagnostic[:12] else diagnostic,
                fields.get("remote-mta", ""),
            )
        )
        if len(records) >= MAX_RECIPIENTS:
            break
    return records


def _blocks(text: str) -> Iterator[str]:
    blocks = re.split(r"\n[ \t]*\n+", text.strip())
    for block in blocks:
        starts = [
            match.start()
            for match in re.finditer(
                r"^(?:final|original)-recipient\s*:", block, re.IGNORECASE | re.MULTILINE
            )
        ]
        if len(starts) > 2:  # records run together without an empty line
            finals = [
                match.start()
                for match in re.finditer(r"^final-recipient\s*:", block, re.IGNORECASE | re.MULTILINE)
            ]
            edges = [0, *finals[1:], len(block)]
            yield from (block[start:end] for start, end in pairwise(edges))
        else:
            yield block


def address(written: str) -> str:
    """The address in `rfc822; <a@b>`, without type and brackets."""
    value = written.partition(";")[2] if ";" in written else written
    value = value.strip().strip("<>").strip()
    found = _ADDRESS.search(value)
    if found:
        return found[0].rstrip(".").removeprefix("mailto:")
    return value if value and " " not in value else ""
