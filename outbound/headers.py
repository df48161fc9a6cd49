"""Header fields that say exactly what they were given: encoded words where needed, injection impossible."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from core.errors import InputRefused

LINE = 76
"""Length at which a field is folded (RFC 5322 section 2.1.1 recommends at most 78)."""
WORD_BYTES = 45
"""Bytes of text in one encoded word, which then stays under 75 characters (RFC 2047 section 2)."""
LONGEST = 2000
"""Characters of one field's text."""
REFERENCES_FIRST = 1
REFERENCES_LAST = 20
"""Of a long chain of references the first and the newest are kept (RFC 5322 section 3.6.4)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+")
_SPACE = re.compile(r"\s+")
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,250}")
_ADDRESS = re.compile(r"[^\s<>\"(),;:\\\[\]\x00-\x1f\x7f]+@[A-Za-z0-9._\-]+")


class HeaderRefused(InputRefused):
    """The text cannot stand in a header field."""

    cure = "Take line breaks and control characters out of it."


@lru_cache(maxsize=1024)
def encoded(text: str, *, begins: int = 0) -> str:
    """Unstructured text for a header field, such as a subject; folded, with encoded words where it is not
    ASCII.

    Text that looks like an encoded word is encoded itself, so that no reader decodes what a client wrote.
    ``begins`` is how many characters the line holds already. Raises HeaderRefused for line breaks, control
    characters and text over 2,000 characters.
    """
    if len(text) > LONGEST:
        raise HeaderRefused(f"A header field of {len(text)} characters is too long.")
    if _CONTROL.search(text):
        raise HeaderRefused
    if "=?" not in text and _PLAIN.fullmatch(text) and text == text.strip():
        return text if begins + len(text) <= LINE else _folded(text, begins)
    return _words(text)


def _words(text: str) -> str:
    """Encoded words in UTF-8 and base64, never cut inside a character (RFC 2047 section 5)."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= WORD_BYTES:
        return _word(whole)
    words: list[str] = []
    chunk = bytearray()
    for character in text:
        raw = character.encode("utf-8", "replace")
        if len(chunk) + len(raw) > WORD_BYTES:
            words.append(_word(chunk))
            chunk = bytearray()
        chunk += raw
    words.append(_word(chunk))
    return "\r\n ".join(words)


def _word(chunk: bytes | bytearray) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode()}?="


def _folded(text: str, begins: int) -> str:
    """ASCII text folded at its spaces; a word longer than a line goes out encoded, in pieces."""
    lines: list[str] = []
    line = ""
    room = LINE - begins
    for word in text.split(" "):
        if len(word) > LINE - 1:
            return _words(text)
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line, room = word, LINE - 1
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    if any(not one.strip() for one in lines):
        return _words(text)
    return "\r\n ".join(lines)


@lru_cache(maxsize=4096)
def mailbox(name: str, address: str) -> str:
    """A name and an address for From, To and Reply-To (RFC 5322 section 3.4).

    The name loses control characters: it comes from a client's letter, and must not keep us from answering.
    Raises HeaderRefused for an address that is none.
    """
    if not _ADDRESS.fullmatch(address):
        raise HeaderRefused(f"{address!r} cannot stand in a header field.")
    clean = _SPACE.sub(" ", _CONTROL.sub(" ", name)).strip()[:200]
    if not clean:
        return f"<{address}>"
    if "=?" not in clean and clean.isascii():
        if _ATOMS.fullmatch(clean):
            shown = clean
        else:
            escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
            shown = f'"{escaped}"'
        together = f"{shown} <{address}>"
        return together if len(together) <= LINE else f"{shown}\r\n <{address}>"
    return f"{_words(clean)}\r\n <{address}>"


def message_id(text: str) -> str | None:
    """A Message-ID without its angle brackets, or None for what cannot stand in a field of ours.

    What other programs call a Message-ID may be anything; one that we could not write is left out.
    """
    bare = text.strip().removeprefix("<").removesuffix(">")
    return bare if _MESSAGE_ID.fullmatch(bare) else None


def references(ids: Iterable[str]) -> str:
    """The chain of Message-IDs for References and In-Reply-To, one to a line; empty when none can stand
    there.
    """
    chain: dict[str, None] = {}
    for text in ids:
        bare = message_id(text)
        if bare is not None:
            chain.pop(bare, None)
            chain[bare] = None
    kept = list(chain)
    if len(kept) > REFERENCES_FIRST + REFERENCES_LAST:
        kept = kept[:REFERENCES_FIRST] + kept[-REFERENCES_LAST:]
    return "\r\n ".join(f"<{bare}>" for bare in kept)


def filename(name: str) -> str:
    """The parameter that names an attachment, encoded where it is not ASCII (RFC 2231 section 4).

    The name is a label only: folders, control characters and quotes are taken out. It is given once: readers
    that find a plain form beside the exact one do not agree on which to show.
    """
    label = _CONTROL.sub("", name).replace("/", "-").replace("\\", "-").strip(" .")[:90] or "document"
    if label.isascii() and '"' not in label:
        return f'filename="{label}"'
    return f"\r\n filename*=utf-8''{quote(label, safe='')}"
