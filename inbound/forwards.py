"""A letter inside a letter: who wrote it first, when, to whom and about what, as a suggestion for staff."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from inbound import addresses, quotemarks, subjects, writtendates
from inbound.htmltext import Line
from inbound.parsed import Address, ParsedMail
from inbound.quotewords import LABELS

_MAILTO: Final = re.compile(r"\s*<mailto:[^<>]{0,300}>", re.IGNORECASE)
_BRACKET_MAILTO: Final = re.compile(r"\[mailto:([^\[\]\s]{3,200})\]", re.IGNORECASE)
_BEHALF: Final = re.compile(
    r"\s(?:on behalf of|от имени|im auftrag von|de la part de|en nombre de|por conta de|vardu|в интересах)\s",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"[<(\[]\s*([^\s<>()\[\]\"]+@[^\s<>()\[\]\"]+?)\s*[>)\]]|([^\s<>()\[\]\",;]+@[^\s<>()\[\]\",;:]+)"
)
_AFTER_TIME: Final = re.compile(
    r"\d{1,2}[:.h]\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?(?:\s?(?:GMT|UTC"
    r"|[A-Z]{3,4}T?))?(?:\s?[+-]\d{1,2}:?\d{0,2})?[,\s]*"
)
_LEADING: Final = re.compile(
    r"^(?:(?:пользователь|от|schrieb|schrieb\s|heeft|napsal\(a\)|escribió|a écrit|időpontban"
    r"|kirjoitti|von|od|fra|från|da|по"
    r"|nuo|vartotojas)\s+)+",
    re.IGNORECASE,
)
_LABEL_AT: Final = re.compile(r"[^\W\d_][^\W\d_ ]*(?: [^\W\d_]+){0,2}\s?$")
_HEADER_LINES: Final = 24
_ONE_LINE: Final = re.compile(
    # Nothing is given back: a long run of dashes or blanks would else be tried at each of its places.
    r"[\s>]*+[-‐–—]{3,}+\s*+(.{4,60}?)\s*+[-‐–—]{3,}+\s*+(\S.{10,3000})$"
)


@dataclass(frozen=True, slots=True)
class Forward:
    """The first sender's letter as the forwarding program wrote it down.

    `date` has a zone only where one was written; `date_text` is the date as written.
    """

    from_: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    date: datetime | None
    date_text: str
    subject: str
    text: str
    reason: str


def read(mail: ParsedMail, text: str) -> Forward | None:
    """The forwarded letter inside `text`, or None where the mail is an answer or nothing is forwarded."""
    return read_text(text, mail.subject, is_answer=bool(mail.in_reply_to))


def read_text(text: str, subject: str = "", *, is_answer: bool = False) -> Forward | None:
    """As `read`, from the text and subject alone.

    A separator that says `forwarded` is believed; a block of labels or an introduced quotation counts as a
    forward only where the subject says so, or where nothing says that this is an answer.
    """
    kind = subjects.kind(subject)
    lines = quotemarks.plain_lines(text)[:400]
    last = len(lines) - 1
    own = False
    for place, line in enumerate(lines):
        if not line.text.strip():
            continue
        inline = _inline(line.text)
        if inline is not None:
            return inline if inline.text else _with_text(inline, lines, place + 1)
        marker = quotemarks.separator(line.text)
        if marker is not None:
            if marker == "forwarded" or kind == "forward" or (kind != "reply" and not is_answer):
                return _after(lines, place + 1, last, f"separator “{line.text.strip()[:50]}”")
            return None
        found = quotemarks.find(lines, place, last, colon_within=True)
        if found is not None:
            if found.kind in {"original", "forwarded"}:
                continue
            plausible = kind == "forward" or (kind != "reply" and not is_answer)
            if found.kind == "attribution":
                if kind != "forward" and (own or not plausible):
                    return None
                return _from_attribution(lines, found)
            return _from_block(lines, found, found.reason) if plausible else None
        own = True
    return None


def _after(lines: Sequence[Line], place: int, last: int, reason: str) -> Forward | None:
    for position in range(place, min(place + 5, last + 1)):
        if not lines[position].text.strip():
            continue
        block = quotemarks.header_block(lines, position, last, after_rule=True)
        if block is not None:
            return _from_block(lines, block, reason)
        sentence = quotemarks.attribution(lines, position, last)
        if sentence is not None:
            return _from_attribution(lines, sentence)
        return _without_colons(lines, position, last, reason) or _nameless(lines, place, reason)
    return _nameless(lines, place, reason)


def _nameless(lines: Sequence[Line], place: int, reason: str) -> Forward:
    return Forward(None, (), (), None, "", "", _rest(lines, place), reason)


def _from_block(lines: Sequence[Line], block: quotemarks.Boundary, reason: str) -> Forward:
    values: dict[str, str] = {}
    role = ""
    for position in range(block.start, min(block.end, block.start + _HEADER_LINES)):
        text = lines[position].text
        if not text.strip():
            continue
        label = quotemarks.label_of(text)
        if label is not None:
            role = label[0]
            if role in values and role in {"from", "subject", "date"}:
                role = "other"
                continue
            values[role] = f"{values[role]}, {label[1]}" if role in values else label[1]
        elif role and not quotemarks.separator(text) and text.strip(" -_*="):
            values[role] = f"{values.get(role, '')} {text.strip()}".strip()
    return _forward(values, _rest(lines, block.end), reason)


def _without_colons(lines: Sequence[Line], place: int, last: int, reason: str) -> Forward | None:
    """Labels with a blank after them, as eM Client writes them below its separator."""
    values: dict[str, str] = {}
    end = place
    while end <= min(place + 8, last):
        word, _, value = lines[end].text.strip().replace("\t", " ").partition(" ")
        role = LABELS.get(word.casefold(), "other")
        if role == "other" or role in values or not value.strip():
            break
        values[role] = value.strip()
        end += 1
    if "@" not in values.get("from", "") or len(values) < 3:
        return None
    return _forward(values, _rest(lines, end), reason)


def _forward(values: dict[str, str], text: str, reason: str) -> Forward:
    senders = read_addresses(_BEHALF.split(values.get("from", ""))[0])
    written = values.get("date", "")
    return Forward(
        senders[0] if senders else None,
        read_addresses(values.get("to", "")),
        read_addresses(values.get("cc", "")),
        writtendates.read(written) if written else None,
        written,
        values.get("subject", "").strip(),
        text,
        reason,
    )


def read_addresses(written: str) -> tuple[Address, ...]:
    """Addresses as programs print them above quotations: `Name [mailto:a@b]`, `Name<mailto:a@b> <a@b>`."""
    if not written:
        return ()
    cleaned = _BRACKET_MAILTO.sub(r"<\1>", written)
    if "<mailto:" in cleaned.lower():
        without = _MAILTO.sub("", cleaned)
        cleaned = without if "@" in without else re.sub(r"<mailto:", "<", cleaned, flags=re.IGNORECASE)
    cleaned = re.sub(r"<\s*([^<>\s]+@[^<>\s]+)\s*>\s*<\s*\1\s*>", r"<\1>", cleaned)
    return addresses.read(cleaned.encode("utf-8", "replace"), "utf-8")


def _from_attribution(lines: Sequence[Line], found: quotemarks.Boundary) -> Forward:
    values: dict[str, str] = {}
    rows: list[str] = []
    for position in range(found.start, found.end):
        label = None if rows else quotemarks.label_of(lines[position].text)
        if label is not None and label[0] in {"to", "cc", "subject"}:
            values.setdefault(label[0], label[1].rstrip(";"))
        elif rows or lines[position].text.strip(" \t-–—_=~*"):
            rows.append(lines[position].text.strip())
    sentence = " ".join(rows)[:1000]
    sentence = _MAILTO.sub("", sentence) if sentence.count("@") > 1 else sentence
    match = _ADDRESS.search(sentence)
    address = (match[1] or match[2]) if match else ""
    before = sentence[: match.start()] if match else re.sub(r"\W+$", "", sentence)
    times = list(_AFTER_TIME.finditer(before))
    name = before[times[-1].end() :] if times else before.rpartition(",")[2]
    name = _LEADING.sub("", name.strip(" ,«»\"„“”'<([")).strip(" ,«»\"„“”'<([")
    sender = Address(name, address.removeprefix("mailto:")) if address or name else None
    written = before[: times[-1].end()] if times else before
    return Forward(
        sender,
        read_addresses(values.get("to", "")),
        read_addresses(values.get("cc", "")),
        writtendates.read(written),
        written.strip(" ,"),
        values.get("subject", ""),
        _rest(lines, found.end),
        found.reason,
    )


def _rest(lines: Sequence[Line], place: int) -> str:
    """What follows the labels: up to the line that ends it, and without a second separator above it."""
    while place < len(lines) and not lines[place].text.strip():
        place += 1
    if place < len(lines) and quotemarks.separator(lines[place].text) == "forwarded":
        place += 1
    rest: list[str] = []
    inside = 0
    for line in lines[place:]:
        if quotemarks.ends_separator(line.text):
            if not inside:
                break
            inside -= 1
        elif quotemarks.separator(line.text) == "forwarded":
            inside += 1
        rest.append(line.text)
    return "\n".join(rest).strip()


def _with_text(forward: Forward, lines: Sequence[Line], place: int) -> Forward:
    return Forward(
        forward.from_, forward.to, forward.cc, forward.date, forward.date_text, forward.subject,
        _rest(lines, place), forward.reason,
    )  # fmt: skip


def _inline(text: str) -> Forward | None:
    """All labels on the separator's own line, one running into the next, as Yahoo writes them."""
    match = _ONE_LINE.match(text)
    if match is None or "@" not in match[2]:
        return None
    values: dict[str, str] = {}
    role, start = "", 0
    line = match[2]
    for place, letter in enumerate(line):
        if letter not in ":：":
            continue
        label = _label_before(line, start, place)
        if label is None:
            continue
        name, begin = label
        if role:
            values.setdefault(role, line[start:begin].strip())
        role, start = LABELS[name], place + 1
    if role:
        values.setdefault(role, line[start:].strip())
    return (
        _forward(values, "", f"separator “{match[1].strip()[:50]}”")
        if "@" in values.get("from", "")
        else None
    )


def _label_before(line: str, floor: int, place: int) -> tuple[str, int] | None:
    """The longest known label that ends right before `place`, with its beginning."""
    written = line[max(floor, place - 24) : place].rstrip()
    folded = written.casefold()
    if len(folded) != len(written):
        return None
    for length in range(min(len(folded), 22), 0, -1):
        if folded[-length:] in LABELS and (
            length > 2 or len(folded) == length or not folded[-length - 1].isalpha()
        ):
            before = written[-length - 1] if len(written) > length else " "
            if before.islower() and written[-length].islower():
                continue
            return folded[-length:], max(floor, place - 24) + len(written) - length
    return None


def of_attached(inner: ParsedMail) -> Forward:
    """The same of a letter that was forwarded as an attachment."""
    return Forward(
        inner.from_[0] if inner.from_ else None,
        inner.to,
        inner.cc,
        inner.date,
        inner.headers.get("date"),
        inner.subject,
        inner.text,
        "a letter is attached",
    )
