"""Header fields: unfolding, encoded words (RFC 2047) and parameters (RFC 2231) as senders write them."""

from __future__ import annotations

import binascii
import re
import urllib.parse
from functools import lru_cache
from typing import Final

from inbound import charsets, limits, transfer

_FOLD: Final = re.compile(rb"\r*\n[ \t]*|\r+[ \t]*")
_WORD: Final = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,8})\?=")
_BETWEEN: Final = re.compile(r"[ \t\r\n]*\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES: Final = re.compile(r"[ \t]{2,}")


def decode(value: bytes, hint: str | None = None) -> str:
    """One field's value on one line, decoded, without control characters: it cannot start another field."""
    if len(value) > limits.FIELD_BYTES:
        value = value[: limits.FIELD_BYTES]
    if b"\n" in value or b"\r" in value:
        value = _FOLD.sub(b" ", value)
    if value.isascii():
        text = value.decode("ascii")
        if "=?" in text:
            text = decode_words(text)
    elif b"=?" in value:
        text = decode_words(value.decode("latin-1"), hint, raw=True)
    else:
        text = charsets.decode(value, None, hint, header=True).text
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    return text.strip()[: limits.FIELD_CHARS]


def decode_words(text: str, hint: str | None = None, *, raw: bool = False) -> str:
    """`text` with its encoded words decoded, wherever they stand.

    Neighbours in the same charset are joined as bytes before decoding, because a character may be cut between
    them. `raw` is true when the text holds 8-bit bytes read as Latin-1.
    """
    pieces: list[str] = []
    pending: list[bytes] = []
    pending_charset = ""
    position = count = 0
    for match in _WORD.finditer(text):
        if count >= limits.ENCODED_WORDS:
            break
        count += 1
        data = _word_bytes(match[2], match[3])
        charset = match[1].partition("*")[0].lower()
        between = text[position : match.start()]
        position = match.end()
        touching = bool(pending) and _BETWEEN.match(between) is not None
        if touching and charset == pending_charset:
            pending.append(data)
            continue
        if pending:
            pieces.append(charsets.decode(b"".join(pending), pending_charset, hint, header=True).text)
        if not touching:
            pieces.append(_plain(between, hint) if raw else between)
        pending, pending_charset = [data], charset
    if pending:
        pieces.append(charsets.decode(b"".join(pending), pending_charset, hint, header=True).text)
    rest = text[position:]
    pieces.append(_plain(rest, hint) if raw else rest)
    return "".join(pieces)


def _plain(text: str, hint: str | None) -> str:
    return charsets.decode(text.encode("latin-1"), None, hint, header=True).text


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("latin-1", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b" "))
    return transfer.decode_base64(raw.replace(b" ", b""))


# -- parameters ------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(r'\s*([^\s=;"]{1,80}?)\s*=\s*("(?:[^"\\]|\\.)*(?:"|\Z)|[^;]*)\s*', re.DOTALL)
_CONTINUED: Final = re.compile(r"^([^*]+)\*(\d{1,4})?(\*)?$")


def parameters(value: bytes, hint: str | None = None) -> tuple[str, dict[str, str]]:
    """The main value in lower case and the parameters of a Content-Type or Content-Disposition.

    Reads RFC 2231 continuations and charsets, encoded words inside values, raw 8-bit bytes, and file names
    written without quotes. Of two parameters with one name the first counts.
    """
    if len(value) <= _REMEMBERED_BYTES:
        main, pairs = _remembered(value, hint)
        return main, dict(pairs)
    return _parameters(value, hint)


_REMEMBERED_BYTES: Final = 100
"""Short values such as `text/plain; charset=utf-8` are the same in most letters and read once."""


@lru_cache(maxsize=2_000)
def _remembered(value: bytes, hint: str | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    main, found = _parameters(value, hint)
    return main, tuple(found.items())


def _parameters(value: bytes, hint: str | None) -> tuple[str, dict[str, str]]:
    text = _FOLD.sub(b" ", value[: limits.FIELD_BYTES]).decode("latin-1")
    main, _, rest = text.partition(";")
    found: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, str, bool]]] = {}
    position = count = 0
    while position < len(rest) and count < limits.PARAMETERS:
        match = _TOKEN.match(rest, position)
        if match is None:
            following = rest.find(";", position)
            position = len(rest) if following < 0 else following + 1
            if rest[position : position + 1] == ";":
                position += len(rest[position:]) - len(rest[position:].lstrip(";"))
            continue
        count += 1
        position = match.end()
        if position < len(rest) and rest[position] != ";":
            following = rest.find(";", position)
            position = len(rest) if following < 0 else following
        position += 1
        name, written = match[1].lower(), match[2]
        quoted = written.startswith('"')
        if quoted:
            written = re.sub(r"\\(.)", r"\1", written[1:].removesuffix('"'), flags=re.DOTALL)
        else:
            written = written.strip()
        continued = _CONTINUED.match(name)
        if continued:
            pieces.setdefault(continued[1], []).append((int(continued[2] or 0), written, bool(continued[3])))
        elif name not in found:
            found[name] = _parameter_text(written, hint)
    for name, parts in pieces.items():
        found[name] = _join_continued(parts, hint) or found.get(name, "")
    return main.strip().strip('"').lower(), found


def _parameter_text(written: str, hint: str | None) -> str:
    if "=?" in written:
        return decode_words(written, hint, raw=not written.isascii())
    if not written.isascii():
        return _plain(written, hint)
    return written


def _join_continued(parts: list[tuple[int, str, bool]], hint: str | None) -> str:
    parts.sort(key=lambda part: part[0])
    charset: str | None = None
    data = b""
    for place, (number, written, starred) in enumerate(parts):
        if (
            (starred or number == 0)
            and place == 0
            and written.count("'") >= 2
            and "%" in written + "%" * starred
        ):
            charset, _, written = written.split("'", 2)
            starred = True
        if starred or ("%" in written and charset is not None):
            data += urllib.parse.unquote_to_bytes(written.encode("latin-1"))
        else:
            data += written.encode("latin-1")
    text = charsets.decode(data, charset, hint, header=True).text
    return decode_words(text) if "=?" in text else text
