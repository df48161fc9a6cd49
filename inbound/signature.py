"""A signature read for name, position, company, phones and sites: suggestions for a contact's card."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from inbound.parsed import Address
from inbound.signwords import COMPANY, DEVICE, GOODBYE, POSITION

REGIONS: Final = ("LT", "RU")
"""Where a number without a country code may belong, in this order unless the text is Russian."""

_READ_CHARS: Final = 2000
_PHONE_LIKE: Final = re.compile(r"(?:\+|\b00|\(?\b8|\b0|\b7|\b37)[\d\s()./~-]{6,}")
_NOT_PHONE: Final = re.compile(
    r"(?<!\w)(?:инн|кпп|огрн(?:ип)?|бик|р/с|р/сч|к/с|счет|сч[её]т|окпо|iban|swift|bic|a/s"
    r"|sąskait\w*|sąsk|įm\.? ?k(?:odas)?|įmonės kodas|kodas|pvm(?: mok\S*)? ?k?(?:odas)?"
    r"|vat|reg\.? ?(?:no|nr|code)|account|bank|№|nr\.|no\.|договор\w*|sutart\w*|invoice|order)\W{0,4}",
    re.IGNORECASE,
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b")
_EXTENSION: Final = re.compile(
    r"(?:доб(?:авочный)?|внутр?|vid(?:inis)?|ext(?:ension)?|x)\.?\s*[:№#]?\s*(\d{1,6})\b", re.IGNORECASE
)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
"""A run of letters without an @ is tried once, from its beginning (lengths: RFC 5321 section 4.5.3.1)."""
_SITE: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"',;]{3,200}|(?<![@\w.])[a-z0-9-]{2,40}\.(?:lt|ru|com|eu|net|org|рф"
    r"|by|lv|ee|pl|ua|kz)(?![\w@.-])",
    re.IGNORECASE,
)
_QUOTED_NAME: Final = re.compile(r"[„«“\"']([^„«“”»\"']{2,80})[”»“\"']")
_COMPANY_NAME: Final = re.compile(
    r"(?:(?:ООО|ОАО|ЗАО|ПАО|АО|ИП|НПО|НПП|ТД|ГК|UAB|AB|MB|IĮ|VšĮ|VĮ|SIA|OÜ|ТОО)\.?\s*[„«“\"']?[^,;"
    r"|\n\t]{2,60}|[^,;|\n\t]{2,60}?,?\s+(?:UAB|AB|MB|Ltd|LLC|LLP|Inc|GmbH|AG|PLC|SIA|OÜ|Oy|Limited"
    r"|Group|Corp)\b\.?)"
)
_NAME_WORD: Final = re.compile(r"[A-ZА-ЯЁĄČĘĖĮŠŲŪŽÄÖÜÕ][\w’'.-]*")
_NOT_NAME: Final = re.compile(r"[\d@/|:;+]|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164, its extension, and how it was written."""

    number: str
    extension: str
    written: str


@dataclass(frozen=True, slots=True)
class Person:
    """What a signature says of its writer; every field may be empty. `source` says where it was read."""

    name: str
    position: str
    company: str
    phones: tuple[Phone, ...]
    emails: tuple[str, ...]
    sites: tuple[str, ...]
    source: str


def read(signature: str, sender: Address | None = None, reply: str = "") -> Person:
    """Read a signature, or the goodbye at the end of `reply` where there is no signature.

    The display name of `sender` helps to find the name; it is taken itself where the text has none.
    """
    text, source = signature.strip()[:_READ_CHARS], "signature"
    if not text:
        text, source = _closing(reply)[:_READ_CHARS], "goodbye"
    rows = [_goodbye_rest(row).strip(" \t*_|-–—") for row in re.split(r"[\n\t|]|\s{3,}", text)]
    rows = [row for row in rows if row and not DEVICE.match(row)]
    name = _name(rows, sender)
    source = source if name else ("display name" if sender and sender.name else source)
    return Person(
        name or _display_name(sender),
        _position(rows, name),
        _company(rows, name),
        phones(text),
        tuple(dict.fromkeys(found.lower() for found in _EMAIL.findall(text)))[:5],
        tuple(dict.fromkeys(found.rstrip(".)/") for found in _SITE.findall(_EMAIL.sub(" ", text))))[:5],
        source,
    )


def _closing(reply: str) -> str:
    rows = [row for row in reply.rstrip().split("\n") if row.strip()][-4:]
    for place, row in enumerate(rows):
        if GOODBYE.match(row):
            return "\n".join(rows[place:])
    return ""


def _goodbye_rest(row: str) -> str:
    match = GOODBYE.match(row.strip())
    return match["rest"] if match else row


def _display_name(sender: Address | None) -> str:
    if sender is None or not sender.name or "@" in sender.name or not _like_name(sender.name):
        return ""
    last, comma, first = sender.name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and " " not in last.strip() else sender.name


def _name(rows: list[str], sender: Address | None) -> str:
    known = {part.lower() for part in re.findall(r"\w{2,}", sender.name)} if sender else set()
    candidates = [row for row in rows[:6] if _like_name(row) and not COMPANY.search(row)]
    for row in candidates:
        if known & {part.lower() for part in re.findall(r"\w{2,}", row)}:
            return row.strip(" ,.")
    for row in candidates:
        if not POSITION.search(row):
            return row.strip(" ,.")
    for row in rows[:3]:
        first, _, rest = row.partition(",")
        if rest and _like_name(first) and not COMPANY.search(first) and not POSITION.search(first):
            return first.strip()
    return ""


def _like_name(row: str) -> bool:
    parts = row.strip(" ,.").replace(",", " ").split()
    if not 1 <= len(parts) <= 4 or len(row) > 60 or _NOT_NAME.search(row):
        return False
    return all(_NAME_WORD.fullmatch(part.strip("().")) or part in {"von", "van", "de"} for part in parts)


def _position(rows: list[str], name: str) -> str:
    for row in rows[:8]:
        rest = row.removeprefix(name).strip(" ,–—-/") if name else row
        for piece in re.split(r",\s+(?=(?:ООО|АО|ЗАО|ПАО|ОАО|UAB|AB|MB)\b)|\s[-–—]\s", rest):
            plain = piece.strip(" ,")
            if plain and len(plain) <= 90 and POSITION.search(plain) and not re.search(r"[@\d+]", plain):
                firm = COMPANY.search(plain)
                return plain[: firm.start()].strip(" ,") if firm and firm.start() > 3 else plain
    return ""


def _company(rows: list[str], name: str) -> str:
    for row in rows[:10]:
        if COMPANY.search(row):
            match = _COMPANY_NAME.search(row)
            if match:
                return match[0].strip(" ,.")
            quoted = _QUOTED_NAME.search(row)
            if quoted:
                return quoted[1].strip()
            if len(row) <= 70 and row != name and not POSITION.search(row):
                return row.strip(" ,")
    return ""


def phones(text: str) -> tuple[Phone, ...]:
    """Phone numbers in a text, LT and RU local forms included, without account and company numbers."""
    text = text[:_READ_CHARS]
    if not _PHONE_LIKE.search(text):
        return ()
    clean = _IBAN.sub(lambda match: " " * len(match[0]), text)
    clean = re.sub(
        _NOT_PHONE.pattern + r"[A-Z]{0,2}\d[\d\s-]*",
        lambda match: " " * len(match[0]),
        clean,
        flags=re.IGNORECASE,
    )
    clean = clean.replace("(8~", "(8 ").replace("~", " ")
    russian = sum("а" <= letter <= "я" for letter in clean.lower()) > len(clean) / 8
    found: dict[str, Phone] = {}
    for start, end, number in _matches(clean, ("RU", "LT") if russian else REGIONS):
        extension = _EXTENSION.match(clean[end : end + 24].lstrip(" ,;("))
        found.setdefault(
            number[0],
            Phone(number[0], number[1] or (extension[1] if extension else ""), text[start:end].strip()),
        )
    return tuple(found.values())[:8]


@lru_cache(maxsize=512)
def _matches(text: str, regions: tuple[str, ...]) -> tuple[tuple[int, int, tuple[str, str]], ...]:
    import phonenumbers

    taken: list[tuple[int, int, tuple[str, str]]] = []
    for region in regions:
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            if any(match.start < end and start < match.end for start, end, _ in taken):
                continue
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            taken.append((match.start, match.end, (number, match.number.extension or "")))
    return tuple(sorted(taken))
