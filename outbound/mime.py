"""The bytes of a mail, written directly: text and HTML as alternatives, attachments after them (RFC 2045,
2046).
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from outbound.headers import filename

DENSE = 20
"""Text with more than one byte in so many beyond ASCII goes as base64: Russian and Lithuanian."""
BASE64_LINE = 76
LINE = 120
"""Longest line that goes out as it stands."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file to attach; its name is only a label."""

    name: str
    content_type: str
    data: bytes


def written(
    fields: Sequence[tuple[str, str]], text: str, html: str, parts: Sequence[Part], boundary: str
) -> bytes:
    """A whole mail: header fields in their final form, plain text, HTML (or nothing), attachments.

    Only CRLF ends a line, no line is near 998 octets, everything but an
    address beyond ASCII (RFC 6531) is ASCII, so the bytes pass any server unchanged.
    ``boundary`` is a fresh random token of letters and digits, so that it occurs in no part.
    """
    head = ["MIME-Version: 1.0"]
    head += [f"{name}: {value}" for name, value in fields]
    body = _alternative(text, html, f"=_a{boundary}") if html else _leaf("plain", text)
    if parts:
        edge = f"=_m{boundary}"
        files = [_attachment(part) for part in parts]
        body = (
            f'Content-Type: multipart/mixed; boundary="{edge}"\r\n\r\n'.encode()
            + b"".join(f"--{edge}\r\n".encode() + inner + b"\r\n" for inner in [body, *files])
            + f"--{edge}--\r\n".encode()
        )
    return "\r\n".join(head).encode() + b"\r\n" + body


def _alternative(text: str, html: str, edge: str) -> bytes:
    return b"".join(
        (
            f'Content-Type: multipart/alternative; boundary="{edge}"\r\n\r\n--{edge}\r\n'.encode(),
            _leaf("plain", text),
            f"\r\n--{edge}\r\n".encode(),
            _leaf("html", html),
            f"\r\n--{edge}--\r\n".encode(),
        )
    )


def _leaf(subtype: str, text: str) -> bytes:
    """A text part: as it is where it is short lines of ASCII, else in the better of two encodings."""
    raw = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").encode("utf-8", "replace")
    if not raw.endswith(b"\n"):
        raw += b"\n"
    # A letter beyond ASCII has two bytes or more, so the difference counts about half of its bytes.
    beyond = 2 * (len(raw) - len(text)) if not text.isascii() else 0
    if not beyond and max(map(len, raw.split(b"\n"))) <= LINE:
        encoding, body = b"7bit", raw.replace(b"\n", b"\r\n")
    elif beyond * DENSE > len(raw):
        encoding, body = b"base64", base64_lines(raw.replace(b"\n", b"\r\n"))
    else:
        encoding = b"quoted-printable"
        body = binascii.b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    return b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (
        subtype.encode(),
        encoding,
        body,
    )


def _attachment(part: Part) -> bytes:
    return (
        f"Content-Type: {part.content_type}\r\n"
        f"Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; {filename(part.name)}\r\n\r\n"
    ).encode() + base64_lines(part.data)


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters (RFC 2045 section 6.8)."""
    whole = binascii.b2a_base64(data, newline=False)
    lines = [whole[at : at + BASE64_LINE] for at in range(0, len(whole), BASE64_LINE)]
    return b"\r\n".join(lines) + b"\r\n"
