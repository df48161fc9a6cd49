"""Raw bytes to a letter (RFC 5322, 2045–2049): what is wrong with it is repaired or noted, never raised."""

from __future__ import annotations

import codecs
import re
from typing import Final

from inbound import addresses, bodies, dates, filenames, headers, htmltext, limits, structure, tnef, transfer
from inbound.parsed import Address, Attachment, Headers, ParsedMail, PartInfo, UnreadableMail

__all__ = [
    "Address",
    "Attachment",
    "Headers",
    "ParsedMail",
    "PartInfo",
    "UnreadableMail",
    "attachment_bytes",
    "parse",
]

_ID: Final = re.compile(r"<([^<>\s]{1,995}(?:\s{1,3}[^<>\s]{1,200})?)>")
_BARE_ID: Final = re.compile(r"[^\s<>,;\"@]{1,300}@[^\s<>,;\"]+")


def parse(raw: bytes) -> ParsedMail:
    """Read one letter. `defects` names what was wrong with it.

    Raises UnreadableMail only where there is nothing but blanks and NUL bytes.
    """
    raw = _usual_bytes(raw)
    defects: list[str] = []
    root = structure.scan(raw, defects)
    found = bodies.collect(raw, root, defects)
    text, html, from_html, charset = bodies.visible_text(found.blocks)
    for part in found.files:
        if tnef.is_tnef(part.content_type, part.parameters.get("name", "")):
            text, html = _open_tnef(raw, part, found, text, html)
    hint = charset if charset != "us-ascii" else None
    fields = Headers(root.fields, hint)
    attachments = found.attachments
    if len(raw) > limits.MAIL_BYTES:
        structure.note(defects, "letter too large")
    reply_to = _addresses(fields, "reply-to", hint)
    message_ids = _ids(fields, "message-id")
    if len(fields.raw("message-id")) != 1:
        structure.note(defects, "message id missing" if not message_ids else "more than one message id")
    if len(fields.raw("from")) != 1:
        structure.note(defects, "sender missing" if not fields.raw("from") else "more than one sender field")
    moment = dates.read(fields.get("date"))
    if moment is None:
        structure.note(defects, "date missing or impossible")
    return ParsedMail(
        headers=fields,
        message_id=message_ids[0] if message_ids else "",
        in_reply_to=_ids(fields, "in-reply-to"),
        references=_ids(fields, "references"),
        subject=fields.get("subject"),
        from_=_addresses(fields, "from", hint),
        sender=_addresses(fields, "sender", hint),
        reply_to=reply_to,
        to=_addresses(fields, "to", hint),
        cc=_addresses(fields, "cc", hint),
        date=moment,
        return_path=_return_path(fields),
        text=text,
        html=html,
        attachments=tuple(attachments),
        parts=tuple(_infos(root)),
        defects=tuple(defects),
        text_from_html=from_html,
        charset=charset,
        truncated="text cut" in defects or len(raw) > limits.MAIL_BYTES,
    )


def _open_tnef(
    raw: bytes, part: structure.Part, found: bodies.Bodies, text: str, html: str | None
) -> tuple[str, str | None]:
    """List the files inside a winmail.dat beside it, and take its text where the letter has none."""
    inner = tnef.read(part.body(raw))
    if inner is None:
        return text, html
    for number, file in enumerate(inner.files, start=1):
        found.attachments.append(
            Attachment(
                file.name, filenames.type_of(file.name), len(file.data), f"{part.path or '1'}#tnef{number}"
            )
        )
    if text.strip() or not (inner.text or inner.html):
        return text, html
    return inner.text or htmltext.text_of(inner.html), inner.html or html


def attachment_bytes(raw: bytes, path: str) -> bytes:
    """The decoded bytes of the part at `path`, as `Attachment.path` gives it; empty where there is none."""
    raw = _usual_bytes(raw)
    place, _, inner = path.partition("#")
    for part in _walk(structure.scan(raw, [])):
        if (part.path or "1") == place and not part.children:
            return _inside(part.body(raw), inner) if inner else part.body(raw)
    return b""


def _inside(body: bytes, inner: str) -> bytes:
    """The file `uu2` or `tnef1` inside a part."""
    kind = inner.rstrip("0123456789")
    number = int(inner.removeprefix(kind) or "0") - 1
    if kind == "uu":
        found = transfer.find_uuencoded(body)
        return (
            transfer.decode_uuencoded(body[found[number].start : found[number].end])
            if 0 <= number < len(found)
            else b""
        )
    wrapper = tnef.read(body) if kind == "tnef" else None
    return wrapper.files[number].data if wrapper is not None and 0 <= number < len(wrapper.files) else b""


def _usual_bytes(raw: bytes) -> bytes:
    """The letter in bytes with LF in them: UTF-16 files, a byte order mark, or CR alone are put right."""
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raw = raw.decode("utf-16", "replace").encode("utf-8", "replace")
    elif raw[:3] == codecs.BOM_UTF8:
        raw = raw[3:]
    if not raw[:4096].strip(b" \t\r\n\0") and not raw.strip(b" \t\r\n\0"):
        raise UnreadableMail
    if b"\n" not in raw[:100_000]:
        if b"\r" in raw and b"\n" not in raw:
            raw = raw.replace(b"\r", b"\n")
    elif b"\r\r\n" in raw[:4096]:
        raw = raw.replace(b"\r\r\n", b"\r\n")
    return raw


def _addresses(fields: Headers, name: str, hint: str | None) -> tuple[Address, ...]:
    found: tuple[Address, ...] = ()
    for value in fields.raw(name)[:20]:
        found += addresses.read(value, hint)
    return found[: limits.ADDRESSES]


def _ids(fields: Headers, name: str) -> tuple[str, ...]:
    """Message ids without brackets, each once, in order; of too many the first and the last are kept."""
    found: dict[str, None] = {}
    for value in fields.raw(name)[:20]:
        if (
            value.count(b"<") == 1
            and value[:1] == b"<"
            and value[-1:] == b">"
            and value.isascii()
            and b"\n" not in value
        ):
            text = value.decode("ascii")
        else:
            text = " ".join(row.strip() for row in value.decode("utf-8", "replace").splitlines())
            if "=?" in text:
                text = headers.decode_words(text)
        matches = ["".join(match.split()) for match in _ID.findall(text)]
        if not matches and "<" not in text:
            matches = _BARE_ID.findall(text)
        if not matches and name == "message-id" and text.strip(" <>"):
            matches = [text.strip(" <>").split()[0]]
        for match in matches:
            if len(match) <= limits.MESSAGE_ID_CHARS and match.isprintable():
                found.setdefault(match)
    ids = tuple(found)
    if len(ids) > limits.REFERENCES:
        half = limits.REFERENCES // 2
        ids = ids[:half] + ids[-half:]
    return ids


def _return_path(fields: Headers) -> str | None:
    """The envelope sender: empty for a bounce (`<>`), None where the field is missing."""
    values = fields.raw("return-path")
    if not values:
        return None
    found = addresses.read(values[0].replace(b"<>", b""))
    return found[0].address if found else ""


def _walk(root: structure.Part) -> list[structure.Part]:
    waiting, found = [root], []
    while waiting:
        part = waiting.pop()
        found.append(part)
        waiting.extend(reversed(part.children))
    return found


def _infos(root: structure.Part) -> list[PartInfo]:
    return [
        PartInfo(
            part.path,
            part.content_type,
            part.parameters,
            part.disposition,
            part.disposition_parameters.get("filename", "") or part.parameters.get("name", ""),
            part.encoding,
            part.field("content-id").strip(b" <>\t\r\n").decode("ascii", "replace"),
            part.head,
            part.start,
            part.end,
        )
        for part in _walk(root)
    ]
