"""Which parts of a letter are its text, its HTML and its files (RFC 2046, 2387, 3676)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from inbound import charsets, filenames, headers, htmltext, limits, transfer
from inbound.parsed import Attachment
from inbound.structure import Part, note

_FILE_ENDINGS: Final = {
    "text/calendar": ("invite", ".ics"),
    "text/vcard": ("card", ".vcf"),
    "text/x-vcard": ("card", ".vcf"),
    "text/csv": ("table", ".csv"),
    "text/rtf": ("text", ".rtf"),
    "application/rtf": ("text", ".rtf"),
    "application/pdf": ("document", ".pdf"),
    "image/jpeg": ("image", ".jpg"),
    "image/png": ("image", ".png"),
    "image/gif": ("image", ".gif"),
    "image/bmp": ("image", ".bmp"),
    "image/tiff": ("image", ".tiff"),
    "message/rfc822": ("message", ".eml"),
    "message/delivery-status": ("delivery-status", ".txt"),
    "message/disposition-notification": ("disposition-notification", ".txt"),
    "message/feedback-report": ("feedback-report", ".txt"),
    "text/rfc822-headers": ("headers", ".txt"),
    "application/pgp-signature": ("signature", ".asc"),
    "application/pgp-encrypted": ("version", ".txt"),
    "application/pkcs7-signature": ("smime", ".p7s"),
    "application/x-pkcs7-signature": ("smime", ".p7s"),
    "application/pkcs7-mime": ("smime", ".p7m"),
    "application/x-pkcs7-mime": ("smime", ".p7m"),
    "application/ms-tnef": ("winmail", ".dat"),
    "application/zip": ("archive", ".zip"),
    "text/html": ("page", ".html"),
    "text/plain": ("text", ".txt"),
}
_ENRICHED: Final = frozenset({"text/enriched", "text/richtext"})
_BODY_TYPES: Final = frozenset({"text/plain", "text/html", "text/x-plain", "text/x-html", "text"}) | _ENRICHED
_ENRICHED_TAG: Final = re.compile(r"<param>.*?</param>|<<|<[^<>]{1,60}>", re.DOTALL | re.IGNORECASE)
_POOR: Final = re.compile(
    r"(?:does not|doesn't|not) support (?:html|viewing html)|view (?:this|it) in (?:a|your) (?:html|browser)"
    r"|html[- ](?:capable|enabled|compatible)|не поддерживает html|nepalaiko html"
    r"|this is an html (?:mail|message)",
    re.IGNORECASE,
)


class Block(NamedTuple):
    """One visible piece of a letter: plain text, HTML, or both as alternatives."""

    plain: str | None
    html: str | None
    charset: str


@dataclass(slots=True)
class Bodies:
    """The visible pieces in order, the files, and the calendar part's place."""

    blocks: list[Block] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    chars: int = 0


def collect(raw: bytes, root: Part, defects: list[str]) -> Bodies:
    """Walk the tree in the order a reader would see it."""
    found = Bodies()
    _walk(raw, root, 0, found, defects)
    return found


def _walk(raw: bytes, part: Part, place: int, found: Bodies, defects: list[str]) -> None:
    if part.content_type == "multipart/alternative":
        _alternative(raw, part, found, defects)
    elif part.children:
        if part.content_type == "multipart/encrypted":
            note(defects, "encrypted")
        for number, child in enumerate(part.children):
            _walk(raw, child, number, found, defects)
    elif _is_body(part, place):
        block = _read(raw, part, found, defects)
        found.blocks.append(block)
    else:
        _file(raw, part, found)


def _alternative(raw: bytes, part: Part, found: Bodies, defects: list[str]) -> None:
    """Plain and HTML of the same words become one block; files inside count as files."""
    inner = Bodies(chars=found.chars)
    has_plain = any(child.content_type == "text/plain" for child in part.children)
    for number, child in enumerate(part.children):
        if child.content_type == "text/x-amp-html" or (has_plain and child.content_type in _ENRICHED):
            continue
        _walk(raw, child, number, inner, defects)
    found.chars = inner.chars
    found.attachments += inner.attachments
    found.files += inner.files
    plain = [block.plain for block in inner.blocks if block.plain is not None]
    html = [block.html for block in inner.blocks if block.html is not None]
    if not inner.blocks:
        return
    rich = [block for block in inner.blocks if block.html is not None]
    charset = (rich or inner.blocks)[0].charset
    found.blocks.append(
        Block("\n".join(plain) if plain else None, "\n".join(html) if html else None, charset)
    )


def _is_body(part: Part, place: int) -> bool:
    if part.content_type not in _BODY_TYPES or part.disposition == "attachment":
        return False
    named = part.disposition_parameters.get("filename") or part.parameters.get("name")
    return not named or (place == 0 and part.parent_type != "multipart/digest" and not _is_file_name(named))


def _is_file_name(name: str) -> bool:
    return "." in name and not name.lower().endswith((".txt", ".htm", ".html", ".eml"))


def _read(raw: bytes, part: Part, found: Bodies, defects: list[str]) -> Block:
    room = max(limits.TEXT_CHARS - found.chars, 0)
    start, end = part.start, part.end
    if end - start > 4 * room + 4:
        end = start + 4 * room
        note(defects, "text cut")
    body = transfer.decode(raw[start:end], part.encoding)
    if part.content_type == "text/plain" and b"begin" in body and part.encoding in {"7bit", "8bit", "binary"}:
        body = _without_uuencoded(body, part, found)
    label = part.parameters.get("charset")
    if part.content_type.endswith("html") and not label and not body.isascii():
        label = _html_charset(body)
    decoded = charsets.decode(body, label)
    if not decoded.sure:
        note(defects, "charset wrong or missing")
    text = decoded.text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    found.chars += len(text)
    if part.content_type.endswith("html"):
        return Block(None, text, decoded.charset)
    if part.content_type in _ENRICHED:
        text = _ENRICHED_TAG.sub(lambda match: "<" if match[0] == "<<" else "", text)
    elif part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return Block(text, None, decoded.charset)


def _html_charset(body: bytes) -> str | None:
    match = re.search(
        rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{3,30})", body[:4000], re.IGNORECASE
    )
    return match[1].decode("ascii") if match else None


def _without_uuencoded(body: bytes, part: Part, found: Bodies) -> bytes:
    kept: list[bytes] = []
    position = 0
    for number, uu in enumerate(transfer.find_uuencoded(body), start=1):
        name = filenames.label(headers.decode(uu.name))
        size = max(0, (uu.end - uu.start - len(uu.name) - 16) * 3 // 4)
        found.attachments.append(
            Attachment(name, filenames.type_of(name), size, f"{part.path or '1'}#uu{number}")
        )
        kept.append(body[position : uu.start])
        position = uu.end
    kept.append(body[position:])
    return b"".join(kept)


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Paragraphs of a `format=flowed` text (RFC 3676) on one line each, quotes with their own."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        content = bare[:-1] if flows and delete_space else bare
        if open_depth == depth and lines and bare != "-- ":
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth} {content}" if depth else content)
        open_depth = depth if flows else -1
    return "\n".join(line.rstrip() if line != "-- " else line for line in lines)


def _file(raw: bytes, part: Part, found: Bodies) -> None:
    content_id = part.field("content-id").strip(b" <>\t\r\n").decode("ascii", "replace")
    length = part.end - part.start
    line_ends = 0
    if part.encoding == "base64":
        line_ends = _line_ends(raw, part.start, part.end)
    size = transfer.decoded_size(length, line_ends, part.encoding)
    if part.encoding == "base64":
        size -= raw.count(b"=", max(part.start, part.end - 6), part.end)
    inline = part.disposition != "attachment" and (
        bool(content_id) or (part.disposition == "inline" and part.content_type.startswith("image/"))
    )
    found.attachments.append(
        Attachment(_name(raw, part, len(found.attachments) + 1), part.content_type, max(size, 0),
                   part.path or "1",
                   inline, content_id)
    )  # fmt: skip
    found.files.append(part)


def _line_ends(raw: bytes, start: int, end: int) -> int:
    """How many bytes of a base64 body are CR and LF; megabytes of lines of one length are not read."""
    first = raw.find(b"\n", start, min(end, start + 1000)) + 1
    length = first - start
    lines = (end - start) // length if first else 0
    if lines > 8 and all(raw[start + length * line - 1] == 10 for line in (2, lines // 2, lines - 1, lines)):
        return lines * (2 if raw[first - 2] == 13 else 1) + _line_ends(raw, start + lines * length, end)
    return raw.count(b"\n", start, end) + raw.count(b"\r", start, end)


def _name(raw: bytes, part: Part, number: int) -> str:
    written = part.disposition_parameters.get("filename") or part.parameters.get("name")
    if not written:
        location = part.field("content-location") or part.field("content-description")
        location = location if b"." in location[-6:] else b""
        written = headers.decode(location).rpartition("/")[2] if location else ""
    if written:
        return filenames.label(written)
    stem, ending = _FILE_ENDINGS.get(part.content_type, ("", ""))
    if part.content_type == "message/rfc822":
        match = re.search(
            rb"^subject[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)",
            raw[part.start : part.start + 20_000],
            re.IGNORECASE | re.MULTILINE,
        )
        subject = headers.decode(match[1]) if match else ""
        return filenames.label(f"{subject}.eml") if subject else "message.eml"
    if stem:
        return stem + ending
    return f"attachment-{number}{filenames.ending_of(part.content_type)}"


def visible_text(blocks: list[Block]) -> tuple[str, str | None, bool, str]:
    """The best text of all blocks, their HTML if any, whether the text came from HTML, and the charset."""
    texts: list[str] = []
    pages: list[str] = []
    from_html = False
    any_html = any(block.html is not None for block in blocks)
    for block in blocks:
        plain = block.plain
        if block.html is not None:
            pages.append(block.html)
            if plain is None or _poor(plain):
                rendered = htmltext.text_of(block.html)
                if plain is None or not plain.strip() or len(rendered) > 3 * len(plain):
                    plain = rendered
                    from_html = True
        elif any_html and plain and plain.strip():
            pages.append(as_html(plain))
        if plain and plain.strip():
            texts.append(plain.strip("\n"))
    charset = next((block.charset for block in blocks if block.charset != "us-ascii"), "us-ascii")
    return "\n\n".join(texts), "\n".join(pages) if any_html else None, from_html, charset


def _poor(plain: str) -> bool:
    stripped = plain.strip()
    return not stripped or (len(stripped) < 400 and _POOR.search(stripped) is not None)


def as_html(plain: str) -> str:
    """Plain text as a piece of HTML, for a letter that has both kinds."""
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<div style="white-space: pre-wrap">{escaped}</div>'
