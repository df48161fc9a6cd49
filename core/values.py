"""Small values with their rules: e-mail addresses, phone numbers, languages, money."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache

from core.errors import InputRefused


class Language(StrEnum):
    """The three languages that staff and clients use (ISO 639-1)."""

    EN = "en"
    RU = "ru"
    LT = "lt"


LANGUAGES = tuple(language.value for language in Language)
"""The language codes in the order in which screens offer them."""

FREE_MAIL_DOMAINS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "outlook.lt",
        "hotmail.com",
        "hotmail.co.uk",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.co.uk",
        "ymail.com",
        "rocketmail.com",
        "aol.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "t-online.de",
        "mail.com",
        "zoho.com",
        "fastmail.com",
        "tutanota.com",
        "tuta.com",
        "hey.com",
        "mail.ru",
        "inbox.ru",
        "list.ru",
        "bk.ru",
        "internet.ru",
        "xmail.ru",
        "rambler.ru",
        "lenta.ru",
        "autorambler.ru",
        "myrambler.ru",
        "ro.ru",
        "yandex.ru",
        "yandex.com",
        "yandex.by",
        "yandex.kz",
        "yandex.ua",
        "ya.ru",
        "narod.ru",
        "pochta.ru",
        "inbox.lt",
        "mail.lt",
        "zebra.lt",
        "takas.lt",
        "delfi.lt",
        "one.lt",
        "splius.lt",
        "balticum.lt",
        "init.lt",
        "erdves.lt",
        "inbox.lv",
        "mail.ee",
        "hot.ee",
        "online.ee",
        "apollo.lv",
        "tvnet.lv",
        "wp.pl",
        "o2.pl",
        "onet.pl",
        "interia.pl",
        "ukr.net",
        "i.ua",
        "meta.ua",
        "tut.by",
        "mail.by",
        "bigmir.net",
    ]
)
"""Domains where anybody may open a mailbox, so that two addresses there say nothing of one company."""


class BadAddress(InputRefused):
    """That is not an e-mail address."""

    cure = "Write it as name@company.com."


_LOCAL = re.compile(r"[^\s@<>,;:\"\[\]()\\\x00-\x1f\x7f]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


@lru_cache(maxsize=65_536)
def normal_email(address: str) -> str:
    """Return the form of an e-mail address under which it is stored and compared.

    Lower case, Unicode NFKC, no surrounding brackets or spaces, the domain in its ASCII form (RFC 5891).
    Dots and ``+tags`` of the local part are kept: whether they matter is the receiving server's affair
    (RFC 5321 section 2.3.11); ``suppression_key`` folds tags where a person, not a mailbox, is meant.

    Raises BadAddress when there is no plausible address in it.
    """
    text = unicodedata.normalize("NFKC", address).strip().strip("<>").strip().rstrip(".").lower()
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64 or local[0] == "." or local[-1] == ".":
        raise BadAddress(f"“{address[:80]}” is not an e-mail address.")
    try:
        ascii_domain = domain.encode("ascii").decode() if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError as error:
        raise BadAddress(f"“{address[:80]}” has a domain that cannot exist.") from error
    labels = ascii_domain.split(".")
    well_formed = len(labels) > 1 and len(ascii_domain) <= 253 and all(map(_LABEL.fullmatch, labels))
    if not well_formed and ascii_domain != "localhost":
        raise BadAddress(f"“{address[:80]}” has a domain that cannot exist.")
    return f"{local}@{ascii_domain}"


def is_email(address: str) -> bool:
    """Say whether ``normal_email`` accepts the address."""
    try:
        normal_email(address)
    except BadAddress:
        return False
    return True


def email_domain(address: str) -> str:
    """The ASCII domain of an address in its normal form."""
    return address.rpartition("@")[2]


def suppression_key(address: str) -> str:
    """The form under which an opt-out is kept: the normal form without a ``+tag``.

    So that an opt-out of ``ona+news@imone.lt`` also stops mail to ``ona@imone.lt``.
    """
    local, _, domain = normal_email(address).rpartition("@")
    return f"{local.split('+', 1)[0] or local}@{domain}"


def is_free_mail(domain: str) -> bool:
    """Say whether a domain gives mailboxes to anybody, so that it never stands for a company."""
    return domain.lower() in FREE_MAIL_DOMAINS


class BadPhone(InputRefused):
    """That is not a phone number."""

    cure = "Write it with the country code, for example +370 612 34567."


def normal_phone(number: str, region: str = "LT") -> str:
    """Return a number in E.164 form (ITU-T E.164), reading local forms as of ``region`` (``LT`` or ``RU``).

    Raises BadPhone when no valid number can be read.
    """
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as error:
        raise BadPhone(f"“{number[:40]}” is not a phone number.") from error
    if not phonenumbers.is_valid_number(parsed):
        raise BadPhone(f"“{number[:40]}” is not a valid phone number.")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in one currency; amounts of two currencies do not add."""

    amount: Decimal
    currency: str = "EUR"

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", Decimal(self.amount).quantize(Decimal("0.01"), ROUND_HALF_UP))
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise InputRefused(f"“{self.currency}” is not a currency code such as EUR (ISO 4217).")

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise InputRefused(f"{self.currency} and {other.currency} cannot be added.")
        return Money(self.amount + other.amount, self.currency)

    def times(self, factor: Decimal | int) -> Money:
        """The amount multiplied, rounded to cents half up."""
        return Money(self.amount * factor, self.currency)
