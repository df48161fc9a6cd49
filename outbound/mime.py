"""The bytes of a mail, written directly: text and HTML as alternatives, attachments after them (RFC 2045,
2046).
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar part with its method, REQUEST or CANCEL (RFC 6047)."""

    method: str
    text: str


def invitation_of(values: Mapping[str, Any]) -> Invitation | None:
    """The calendar part that a delivery was queued with, where it has one."""
    kept = values.get("calendar")
    return Invitation(str(kept["method"]), str(kept["text"])) if kept else None


def written(
    fields: Sequence[tuple[str, str]],
    text: str,
    html: str,
    parts: Sequence[Part],
    boundary: str,
    invitation: Invitation | None = None,
) -> bytes:
    """A whole mail: header fields in their final form, plain text, HTML (or nothing), attachments.

    An invitation stands as the last alternative, where calendar programs look for it, and once more as a
    file, for people whose mail program shows only files.

    Only CRLF ends a line, no line is near 998 octets, everything but an
    address beyond ASCII (RFC 6531) is ASCII, so the bytes pass any server unchanged.
    ``boundary`` is a fresh random token of letters and digits, so that it occurs in no part.
    """
    head = ["MIME-Version: 1.0"]
    head += [f"{name}: {value}" for name, value in fields]
    leaves = [_leaf("plain", text)]
    if html:
        leaves.append(_leaf("html", html))
    if invitation is not None:
        leaves.append(_calendar(invitation))
        parts = [*parts, Part("invite.ics", "application/ics", invitation.text.encode())]
    body = leaves[0] if len(leaves) == 1 else _alternative(leaves, f"=_a{boundary}")
    if parts:
        edge = f"=_m{boundary}"
        files = [_attachment(part) for part in parts]
        body = (
            f'Content-Type: multipart/mixed; boundary="{edge}"\r\n\r\n'.encode()
            + b"".join(f"--{edge}\r\n".encode() + inner + b"\r\n" for inner in [body, *files])
            + f"--{edge}--\r\n".encode()
        )
    return "\r\n".join(head).encode() + b"\r\n" + body


def _alternative(leaves: Sequence[bytes], edge: str) -> bytes:
    head = f'Content-Type: multipart/alternative; boundary="{edge}"\r\n'.encode()
    inner = b"".join(f"\r\n--{edge}\r\n".encode() + leaf for leaf in leaves)
    return head + inner + f"\r\n--{edge}--\r\n".encode()


def _calendar(invitation: Invitation) -> bytes:
    return (
        f"Content-Type: text/calendar; charset=utf-8; method={invitation.method}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + base64_lines(invitation.text.encode())


def _leaf(subtype: str, text: str) -> bytes:
    """A text part: as it is where it is short lines of ASCII, else in the better of two encodings."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    raw = text.encode("utf-8", "replace")
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
