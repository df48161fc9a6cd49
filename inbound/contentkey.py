"""One key for one letter: a hash over what its sender wrote, however and wherever it was delivered."""

from __future__ import annotations

import re
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

_END: Final = re.compile(rb"\r?\n\r?\n")
_FIELD: Final = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)


def content_key(raw: bytes) -> bytes:
    """SHA-256 (32 bytes) over a letter's own fields and its body, line ends as CRLF.

    Trace fields (RFC 5321 section 4.4), signatures and filters' marks differ from delivery to delivery and
    are left out, so a letter that came to two mailboxes, or twice, has one key; a Message-ID used again for
    other words has another. A letter with neither Message-ID nor Date cannot be told from its repetition that
    way, so there every field counts but those that mail stores add.
    """
    match = _END.search(raw, 0, HEADER_BYTES)
    header, body = (raw[: match.start()], raw[match.end() :]) if match else (raw[:HEADER_BYTES], b"")
    if not match and len(raw) > HEADER_BYTES:
        body = raw[HEADER_BYTES:]
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
    digest.update(b"\n")
    digest.update(_with_crlf(body).rstrip(b"\r\n"))
    return digest.digest()


def _with_crlf(body: bytes) -> bytes:
    """The body as servers hand it out, which then needs no copy: lines end in CRLF (RFC 5322 section 2.1)."""
    if body.count(b"\n") == body.count(b"\r\n"):
        return body
    return body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
