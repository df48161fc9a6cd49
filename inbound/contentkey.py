"""One key for one letter: a hash over what its sender wrote, however and wherever it was delivered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

WRITTEN: Final = frozenset(
    b"from sender reply-to to cc subject date message-id in-reply-to references mime-version content-type"
    b" content-transfer-encoding content-disposition content-id auto-submitted list-id".split()
)
"""Header fields that the sender's side writes and that servers on the way leave alone."""

KEPT_BY_STORES: Final = frozenset(b"status x-status x-keywords x-uid x-uidl x-imap x-mozilla-status".split())
"""Header fields that programs which keep mail add to the letters they hold."""

HEADER_BYTES: Final = 1_000_000

_FIELD: Final = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)


def content_key(raw: bytes) -> bytes:
    """SHA-256 (32 bytes) over a letter's own fields and its body, line ends as CRLF.

    Trace fields (RFC 5321 section 4.4), signatures and filters' marks differ from delivery to delivery and
    are left out, so a letter that came to two mailboxes, or twice, has one key; a Message-ID used again for
    other words has another. A letter with neither Message-ID nor Date cannot be told from its repetition that
    way, so there every field counts but those that mail stores add.
    """
    end, start = _end_of_header(raw)
    header = raw[:end]
    if b"\r" in header:
        header = header.replace(b"\r\n", b"\n")
    fields = [(name.lower(), value.strip()) for name, value in _FIELD.findall(header)]
    names = {name for name, _ in fields}
    if not names & {b"message-id", b"date"}:
        chosen = [field for field in fields if field[0] not in KEPT_BY_STORES]
    else:
        chosen = sorted(field for field in fields if field[0] in WRITTEN)
    digest = sha256()
    for name, value in chosen:
        digest.update(name + b":" + b" ".join(value.split()) + b"\n")
    if not chosen:
        # No header field at all: what stands there instead is all that tells two such letters apart.
        digest.update(header)
    digest.update(b"\n")
    for piece in _body(raw, start):
        digest.update(piece)
    return digest.digest()


def _end_of_header(raw: bytes) -> tuple[int, int]:
    """Where the header ends and where the body begins: at the first empty line."""
    place = raw.find(b"\n\r\n", 0, HEADER_BYTES)
    sooner = raw.find(b"\n\n", 0, HEADER_BYTES if place < 0 else place + 1)
    place = place if sooner < 0 else sooner
    if place < 0:
        return min(len(raw), HEADER_BYTES), min(len(raw), HEADER_BYTES)
    end = place - 1 if place and raw[place - 1] == 13 else place
    return end, place + (2 if raw[place + 1] == 10 else 3)


def _body(raw: bytes, start: int) -> Iterator[bytes | memoryview]:
    """The body with CRLF line ends (RFC 5322 section 2.1) and none at its end.

    As servers hand it out that is a stretch of the letter itself: a letter of many megabytes is not copied.
    """
    if raw.count(b"\n", start) == raw.count(b"\r\n", start):
        end = len(raw)
        while end > start and raw[end - 1] in b"\r\n":
            end -= 1
        yield memoryview(raw)[start:end]
    else:
        yield raw[start:].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip(b"\r\n")
