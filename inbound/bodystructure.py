"""The files of a letter as its mail server describes them (BODYSTRUCTURE, RFC 3501 section 7.4.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from inbound import filenames, headers, limits, transfer

_TYPE, _SUBTYPE, _PARAMETERS, _ENCODING, _SIZE = 0, 1, 2, 5, 6
_BODY_TYPES: Final = frozenset({"text/plain", "text/html"})


class Described(NamedTuple):
    """One file: its label made safe to show, its type, about how many bytes it holds, and its place."""

    name: str
    content_type: str
    size: int
    path: str


def files(structure: Any) -> list[Described]:
    """The files in a BODYSTRUCTURE as IMAPClient gives it: nested tuples, a list where parts are.

    What is not as the RFC has it is passed over; the most that is listed is `limits.PARTS`.
    """
    found: list[Described] = []
    for path, part in _leaves(structure):
        one = _file(part, path, len(found) + 1)
        if one is not None:
            found.append(one)
        if len(found) >= limits.PARTS:
            break
    return found


def _leaves(structure: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    waiting: list[tuple[str, Any, int]] = [("", structure, 0)]
    seen = 0
    while waiting and seen < 2 * limits.PARTS:
        path, part, depth = waiting.pop()
        seen += 1
        if not isinstance(part, tuple) or not part or depth > limits.NESTING:
            continue
        if isinstance(part[0], list):
            inner = [
                (f"{path}.{number}" if path else str(number), one, depth + 1)
                for number, one in enumerate(part[0], start=1)
            ]
            waiting.extend(reversed(inner))
        elif len(part) > _SIZE:
            yield path or "1", part


def _file(part: tuple[Any, ...], path: str, number: int) -> Described | None:
    content_type = f"{_text(part[_TYPE])}/{_text(part[_SUBTYPE])}".lower()
    disposition, named = _disposition(part)
    name = named.get("filename") or _pairs(part[_PARAMETERS]).get("name", "")
    if content_type in _BODY_TYPES and disposition != "attachment" and not name:
        return None
    size = part[_SIZE] if isinstance(part[_SIZE], int) else 0
    # Base64 in lines of 76 with CRLF: 78 bytes on the server hold 57.
    whole = size * 57 // 78 if transfer.normal(_text(part[_ENCODING])) == "base64" else size
    label = filenames.label(name) if name else f"attachment-{number}{filenames.ending_of(content_type)}"
    return Described(label, content_type, whole, path)


def _disposition(part: tuple[Any, ...]) -> tuple[str, Mapping[str, str]]:
    """The Content-Disposition among the fields that follow, wherever the server has put it."""
    for value in part[_SIZE + 1 :]:
        if (
            isinstance(value, tuple)
            and len(value) == 2
            and _text(value[0]).lower() in {"attachment", "inline"}
            and (value[1] is None or isinstance(value[1], tuple))
        ):
            return _text(value[0]).lower(), _pairs(value[1])
    return "", {}


def _pairs(written: Any) -> Mapping[str, str]:
    """Parameters as RFC 2231 and RFC 2047 have them, read as in a header field."""
    if not isinstance(written, tuple):
        return {}
    flat = [one if isinstance(one, bytes) else b"" for one in written]
    field = b"x"
    for name, value in zip(flat[::2], flat[1::2], strict=False):
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        field += b"; " + name + b'="' + escaped + b'"'
    return headers.parameters(field)[1]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else ""
