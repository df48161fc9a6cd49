"""Which numbers our telephone may reach: countries on a list, nothing that costs more than a plain call.

Whether a number is a mobile or a premium line says too little: satellite and island networks pass as plain
mobiles and cost some euros a minute. So only countries on the company's list are reached, and of those only
plain lines.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType as Kind

PLAIN = frozenset(
    {Kind.FIXED_LINE, Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.VOIP, Kind.TOLL_FREE, Kind.UAN}
)
WITH_SMS = frozenset({Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE})


@dataclass(frozen=True, slots=True)
class Allowed:
    """Whether a number may be reached, and why not."""

    yes: bool
    reason: str = ""


def may_call(number: str, countries: Collection[str]) -> Allowed:
    """Whether a number in E.164 form may be called; `countries` are ISO 3166-1 codes."""
    return _allowed(number, countries, PLAIN)


def may_text(number: str, countries: Collection[str]) -> Allowed:
    """Whether an SMS may go to a number in E.164 form."""
    return _allowed(number, countries, WITH_SMS)


def takes_sms(number: str) -> bool:
    """Whether an SMS can reach such a line at all, whatever country it is in."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in WITH_SMS


def _allowed(number: str, countries: Collection[str], kinds: frozenset[int]) -> Allowed:
    if not number.startswith("+") or not number[1:].isascii() or not number[1:].isdecimal():
        return Allowed(False, "not a number with its country code")
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return Allowed(False, "not a number")
    if not phonenumbers.is_valid_number(parsed):
        return Allowed(False, "no such number")
    country = phonenumbers.region_code_for_number(parsed)
    if country not in countries:
        return Allowed(False, f"{country or 'its country'} is not on the list of countries")
    if phonenumbers.number_type(parsed) not in kinds:
        return Allowed(False, "not a plain line" if kinds is PLAIN else "no SMS goes to such a line")
    return Allowed(True)


def readable(number: str, region: str = "LT") -> str | None:
    """A caller's number in E.164 form; None for a withheld one, a short code, letters and what else is no
    number."""
    text = number.strip()
    if len(text) > 40 or not any(character.isdecimal() for character in text):
        return None
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
