"""The tree of MIME parts (RFC 2046) as places in the raw bytes: nothing is copied or decoded."""

from __future__ import annotations

import re
from typing import Final

from inbound import headers, limits, transfer

_FIELD: Final = re.compile(rb"([!-9;-~]{1,120})[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_KNOWN: Final = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|received|reply-to|mime-version|content-[a-z-]+"
    rb"|return-path|sender"
    rb"|in-reply-to|references|x-[a-z0-9-]+|user-agent|list-[a-z-]+|dkim-signature|delivered-to)[ \t]*:",
    re.IGNORECASE,
)
_GUESS: Final = re.compile(rb"^--([^\r\n]{1,200}?)[ \t]*\r?$", re.MULTILINE)


class Part:
    """One part: its header fields, and where header and body stand in the raw bytes."""

    __slots__ = (
        "children", "content_type", "depth", "disposition", "disposition_parameters", "encoding", "end",
        "fields",
        "head", "parameters", "parent_type", "path", "start",
    )  # fmt: skip

    def __init__(self, path: str, head: int, end: int, depth: int, parent_type: str) -> None:
        self.path = path
        self.head = head
        self.start = head
        self.end = end
        self.depth = depth
        self.parent_type = parent_type
        self.fields: list[tuple[str, bytes]] = []
        self.children: list[Part] = []
        self.content_type = "text/plain"
        self.parameters: dict[str, str] = {}
        self.disposition = ""
        self.disposition_parameters: dict[str, str] = {}
        self.encoding = "7bit"

    def field(self, name: str) -> bytes:
        """The raw value of the first field of that name, empty where there is none."""
        for known, value in self.fields:
            if known == name:
                return value
        return b""

    def body(self, raw: bytes) -> bytes:
        """The body without its transfer encoding."""
        return transfer.decode(raw[self.start : self.end], self.encoding)


def scan(raw: bytes, defects: list[str]) -> Part:
    """The root of the tree; `defects` gets a word for each thing that was wrong."""
    root = Part("", _skip_envelope(raw), len(raw), 0, "")
    waiting = [root]
    parts = 0
    while waiting:
        part = waiting.pop()
        parts += 1
        part.fields, part.start = read_fields(raw, part.head, part.end, defects)
        _describe(part)
        if not part.content_type.startswith("multipart/"):
            continue
        if part.depth >= limits.NESTING:
            note(defects, "nested too deep")
            continue
        room = limits.PARTS - parts - len(waiting)
        spans = _spans(raw, part, room, defects)
        if not spans:
            _not_multipart(part, defects)
            continue
        prefix = f"{part.path}." if part.path else ""
        for number, (start, end) in enumerate(spans, start=1):
            part.children.append(Part(f"{prefix}{number}", start, end, part.depth + 1, part.content_type))
        waiting.extend(reversed(part.children))
    return root


def note(defects: list[str], defect: str) -> None:
    """Write a defect down once."""
    if defect not in defects:
        defects.append(defect)


def _skip_envelope(raw: bytes) -> int:
    """Past blank lines and the `From ` line of an mbox."""
    position = 0
    while raw[position : position + 1] in (b"\r", b"\n") and position < len(raw):
        position += 1
    if raw[position : position + 5] == b"From " or raw[position : position + 6] == b">From ":
        line_end = raw.find(b"\n", position)
        if line_end > 0:
            return line_end + 1
    return position if raw[position : position + 400].find(b":") >= 0 else 0


def read_fields(raw: bytes, head: int, end: int, defects: list[str]) -> tuple[list[tuple[str, bytes]], int]:
    """The header fields of a part and where its body starts.

    A junk line inside the header is passed over when header fields still follow; otherwise the header ends
    there, as where the empty line was forgotten.
    """
    fields: list[tuple[str, bytes]] = []
    position = head
    room = head + limits.HEADER_BYTES
    match = _FIELD.match
    while position < end:
        found = match(raw, position, end)
        if found is not None:
            if len(fields) < limits.HEADER_COUNT and position < room:
                fields.append((found[1].decode("ascii").lower(), _bounded(found[2].rstrip(b"\r\n"))))
            else:
                note(defects, "header too long")
            position = found.end()
            continue
        if raw[position] == 10:
            return fields, position + 1
        if raw[position : position + 2] == b"\r\n":
            return fields, position + 2
        line_end = raw.find(b"\n", position, end)
        line_end = end if line_end < 0 else line_end + 1
        if not raw[position:line_end].strip():
            if raw[position:line_end].strip(b"\r\n"):  # a line of blanks: some gateways end the header so
                position = line_end
                if not _header_follows(raw, position, end):
                    return fields, position
                continue
            return fields, line_end
        if not fields and position == head and not _header_follows(raw, line_end, end):
            note(defects, "no header")
            return fields, position
        note(defects, "junk in the header")
        if not _header_follows(raw, line_end, end):
            return fields, position
        position = line_end
    return fields, min(position, end)


def _bounded(value: bytes) -> bytes:
    """The beginning and the end of a field that is too long: of many ids the last ones matter most."""
    half = limits.FIELD_BYTES // 2
    return value if len(value) <= limits.FIELD_BYTES else value[:half] + b" " + value[-half:]


def _header_follows(raw: bytes, position: int, end: int) -> bool:
    for _ in range(3):
        line_end = raw.find(b"\n", position, end)
        line = raw[position : line_end if line_end >= 0 else end]
        if not line.strip():
            return False
        if _KNOWN.match(line):
            return True
        if line_end < 0:
            return False
        position = line_end + 1
    return False


def _describe(part: Part) -> None:
    written = part.field("content-type")
    if written:
        part.content_type, part.parameters = headers.parameters(written)
        if "/" not in part.content_type or not part.content_type.isascii():
            part.content_type = _repaired_type(part.content_type)
        elif " " in part.content_type:
            part.content_type = part.content_type.replace(" ", "").replace("\t", "")
    elif part.parent_type == "multipart/digest":
        part.content_type = "message/rfc822"
    written = part.field("content-disposition")
    if written:
        part.disposition, part.disposition_parameters = headers.parameters(written)
    written = part.field("content-transfer-encoding")
    if written:
        part.encoding = transfer.normal(written.decode("latin-1"))


def _repaired_type(written: str) -> str:
    first = written.split()[0] if written.split() else ""
    if "/" in first and first.isascii():
        return first
    if first in {"html", "text-html"}:
        return "text/html"
    if first in {"multipart", "message", "image", "audio", "video", "application"}:
        return "multipart/mixed" if first == "multipart" else "application/octet-stream"
    return "text/plain"


def _spans(raw: bytes, part: Part, room: int, defects: list[str]) -> list[tuple[int, int]]:
    boundary = _boundary(part)
    spans = _find_spans(raw, part, boundary, room, defects) if boundary else []
    if not spans:
        guessed = _guess_boundary(raw, part)
        if guessed and guessed != boundary:
            note(defects, "boundary missing or wrong")
            spans = _find_spans(raw, part, guessed, room, defects)
    return spans


def _boundary(part: Part) -> bytes:
    # The parameter as its bytes: a decoded 8-bit boundary would no longer match the body.
    written = part.parameters.get("boundary", "")
    if not written.isascii():
        match = re.search(rb'boundary\s*=\s*"?([^";\r\n]+)', part.field("content-type"), re.IGNORECASE)
        return match[1].strip() if match else b""
    return written.strip().encode("ascii")[:5000]


def _find_spans(
    raw: bytes, part: Part, boundary: bytes, room: int, defects: list[str]
) -> list[tuple[int, int]]:
    """Where each child stands. Parts after the closing line count too: some programs go on after it."""
    delimiter = b"--" + boundary
    length = len(delimiter)
    spans: list[tuple[int, int]] = []
    open_at = -1
    closed = False
    position = raw.find(delimiter, part.start, part.end)
    while position >= 0:
        after = position + length
        if position == part.start or raw[position - 1] == 10 or raw[position - 1] == 13:
            line_end = raw.find(b"\n", after, part.end)
            line_end = part.end if line_end < 0 else line_end
            rest = raw[after : min(line_end, after + 80)].strip()
            if not rest or rest.startswith(b"--"):
                if open_at >= 0:
                    spans.append((open_at, _before_line_end(raw, position, open_at)))
                    if len(spans) >= room:
                        note(defects, "too many parts")
                        return spans[: max(room, 0)]
                closed = rest.startswith(b"--")
                open_at = -1 if closed else min(line_end + 1, part.end)
                after = line_end
        position = raw.find(delimiter, after, part.end)
    if open_at >= 0:
        note(defects, "multipart never closed")
        if open_at < part.end:
            spans.append((open_at, part.end))
    return spans


def _before_line_end(raw: bytes, position: int, floor: int) -> int:
    if position > floor and raw[position - 1] == 10:
        position -= 1
    if position > floor and raw[position - 1] == 13:
        position -= 1
    return position


def _guess_boundary(raw: bytes, part: Part) -> bytes:
    """The first line that starts with two dashes and is followed by header fields of a part."""
    for match in _GUESS.finditer(raw, part.start, min(part.end, part.start + 20_000)):
        after = raw[match.end() : match.end() + 300].lstrip(b"\r\n")
        if after[:8].lower() == b"content-":
            return match[1]
    return b""


def _not_multipart(part: Part, defects: list[str]) -> None:
    note(defects, "multipart without parts")
    part.content_type = "text/plain"
    if b"html" in part.field("content-type").lower():
        part.content_type = "text/html"
