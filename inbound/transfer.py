"""Content-Transfer-Encoding (RFC 2045 §6) undone for whatever a sender made of it; never raises."""

from __future__ import annotations

import binascii
import re
from typing import Final, NamedTuple

_NOT_BASE64: Final = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n")
)
_SPACE: Final = b" \t\r\n"
_PADDED: Final = re.compile(rb"[^=]+=*")
_BASE64_LINE: Final = re.compile(rb"[A-Za-z0-9+/]{4,}={0,2}")
_UU_BEGIN: Final = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,300}?)[ \t]*\r?$", re.MULTILINE)
_UU_END: Final = re.compile(rb"^(?:end|====)[ \t]*\r?$", re.MULTILINE)


_UU_TRIES: Final = 100


class UuFile(NamedTuple):
    """A uuencoded file inside a text: its label and where its lines stand."""

    name: bytes
    start: int
    end: int


def decode(data: bytes, encoding: str) -> bytes:
    """`data` without its transfer encoding; an unknown encoding leaves it as it is."""
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        found = find_uuencoded(data)
        return decode_uuencoded(data[found[0].start : found[0].end]) if found else data
    return data


def normal(encoding: str) -> str:
    """A Content-Transfer-Encoding as one of a few words, however it was spelled."""
    word = encoding.partition(";")[0].strip().strip("\"'").lower()
    if word in {"base64", "quoted-printable", "7bit", "8bit", "binary"}:
        return word
    squeezed = word.replace("-", "").replace("_", "").replace(" ", "")
    if squeezed in {"base64", "xbase64", "b"}:
        return "base64"
    if squeezed in {"quotedprintable", "quotedprinted", "qp", "quoted"}:
        return "quoted-printable"
    if "uu" in squeezed and squeezed in {"xuuencode", "uuencode", "xuue", "uue"}:
        return "x-uuencode"
    return word


def decode_base64(data: bytes) -> bytes:
    """Base64 with stray letters, bad length, several padded pieces in a row, or text after it."""
    try:
        stop = data.find(b"=")
        if stop < 0 or not data[stop:].strip(b"= \t\r\n-"):
            return binascii.a2b_base64(data)
    except binascii.Error:
        stop = data.find(b"=")
    if stop >= 0:
        tail = data[stop:].lstrip(b"=")
        lines = tail.split()
        if not lines or not all(_BASE64_LINE.fullmatch(line) for line in lines[:3]):
            data = data[:stop]
    clean = data.translate(None, _NOT_BASE64 + b"\r\n")
    return b"".join(_piece(match[0].rstrip(b"=")) for match in _PADDED.finditer(clean))


def _piece(letters: bytes) -> bytes:
    spare = len(letters) % 4
    if spare == 1:
        letters = letters[:-1]
        spare = 0
    return binascii.a2b_base64(letters + b"=" * (-spare % 4))


def decoded_size(data_length: int, line_ends: int, encoding: str) -> int:
    """About how many bytes a body will have, without decoding it; `line_ends` counts CR and LF bytes."""
    if encoding == "base64":
        return max(0, (data_length - line_ends) * 3 // 4)
    return data_length


def find_uuencoded(data: bytes) -> list[UuFile]:
    """The uuencoded files in a text; one that never ends runs to the end of the text."""
    found: list[UuFile] = []
    position = 0
    for _ in range(_UU_TRIES):
        begin = _UU_BEGIN.search(data, position)
        if begin is None:
            break
        position = begin.end()
        line = data[position : position + 130].strip(b"\r\n").split(b"\n", 1)[0]
        if line and _looks_uuencoded(line.rstrip(b"\r")):
            end = _UU_END.search(data, position)
            position = end.end() if end else len(data)
            found.append(UuFile(begin[1], begin.start(), position))
    return found


def _looks_uuencoded(line: bytes) -> bool:
    if line in {b"end", b"`", b" "}:
        return True
    count = (line[0] - 32) & 63
    need = (count + 2) // 3 * 4 + 1
    return need - 4 <= len(line) <= need + 2 and all(32 <= byte <= 96 for byte in line)


def decode_uuencoded(block: bytes) -> bytes:
    """The bytes of one uuencoded file, broken lines repaired as far as they go."""
    lines = block.split(b"\n")
    if lines and lines[0].startswith(b"begin-base64"):
        return decode_base64(b"\n".join(lines[1:]).partition(b"====")[0])
    pieces: list[bytes] = []
    for line in lines[1:]:
        line = line.rstrip(b"\r")
        if line.strip() in {b"end", b"`", b""}:
            if line.strip() == b"end":
                break
            continue
        try:
            pieces.append(binascii.a2b_uu(line))
        except binascii.Error:
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                pieces.append(binascii.a2b_uu(line[:wanted]))
            except binascii.Error:
                continue
    return b"".join(pieces)
