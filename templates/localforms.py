"""The forms that dates, sums, counts and greetings take in each language."""

from __future__ import annotations

import functools
import re
from datetime import date, datetime
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

LANGUAGES = ("ru", "lt", "en")
"""Languages that shipped templates come in, as ISO 639-1 codes."""

_LOCALES = {"ru": "ru_RU", "lt": "lt_LT", "en": "en_GB"}

_DATETIME = {
    "ru": "d MMMM y 'г'. 'в' HH:mm",
    "lt": "y 'm'. MMMM d 'd'. HH.mm 'val'.",
    "en": "d MMMM y 'at' HH:mm",
}

_PATRONYMIC = re.compile(r"[а-яё]{2,}(?:ович|евич|ьич|овна|евна|ична|инична)$")
_NOT_A_PERSON = re.compile(
    r"[@\d/\\<>|_{}%#]|\b(?:UAB|AB|MB|IĮ|VšĮ|SIA|OÜ|LLC|Ltd|GmbH|Inc|Sp\. z o\.o"
    r"|ООО|ОАО|ЗАО|АО|ИП|info|sales|office)\b",
    re.IGNORECASE,
)
_CYRILLIC = re.compile(r"[Ѐ-ӿ]")


@functools.cache
def locale(language: str) -> Locale:
    """Babel's locale for one of `LANGUAGES`."""
    return Locale.parse(_LOCALES[language])


@functools.lru_cache(maxsize=4096)
def money(amount: Decimal, currency: str, language: str) -> str:
    """A sum as a business letter writes it: ``3 450,00 €`` (ru, lt), ``€3,450.00`` (en)."""
    return format_currency(amount, currency, locale=locale(language))


@functools.lru_cache(maxsize=4096)
def number(value: Decimal, language: str) -> str:
    """A quantity without needless zeros: ``1 200``, ``2,5``."""
    return format_decimal(value, locale=locale(language), decimal_quantization=False)


@functools.lru_cache(maxsize=256)
def percent(value: Decimal, language: str) -> str:
    """A rate given in per cent (21 means 21 %): ``21 %``, in English ``21%``."""
    return format_percent(value / 100, locale=locale(language), decimal_quantization=False)


@functools.lru_cache(maxsize=1024)
def long_date(day: date, language: str) -> str:
    """A date in words: ``22 ноября 2026 г.``, ``2026 m. lapkričio 22 d.``, ``22 November 2026``."""
    return format_date(day, "long", locale=locale(language))


@functools.lru_cache(maxsize=1024)
def long_moment(moment: datetime, language: str) -> str:
    """A date with hour and minute, in the zone the moment itself carries."""
    return format_datetime(moment, _DATETIME[language], tzinfo=moment.tzinfo, locale=locale(language))


def plural(count: int, language: str, forms: tuple[str, ...]) -> str:
    """The word form that goes with a count.

    `forms` in CLDR order: English one, other; Lithuanian one, few, other; Russian one, few, many. The count
    itself is not part of the result. Raises ValueError when the number of forms does not fit the language.
    """
    order = {"en": ("one", "other"), "lt": ("one", "few", "other"), "ru": ("one", "few", "many")}[language]
    if len(forms) != len(order):
        raise ValueError(f"{language} has {len(order)} forms ({', '.join(order)}), not {len(forms)}")
    category = locale(language).plural_form(count)
    return forms[order.index(category)] if category in order else forms[-1]


def salutation(language: str, name: str = "", addressed_as: str = "") -> str:
    """The opening of a letter, safe when gender, patronymic and vocative are unknown.

    `addressed_as` is the form a colleague entered by hand ("Иван Петрович", "Rasa", "Ms Carter") and wins.
    Lithuanian needs the vocative, which cannot be told from a stored name, so without `addressed_as` no
    name is said. What does not look like a person's name (a mailbox, a company) is not said either.
    """
    said = addressed_as.strip() or _sayable(language, name)
    if language == "ru":
        return f"Здравствуйте, {said}!" if said else "Здравствуйте!"
    if language == "lt":
        return f"Laba diena, {said}," if said else "Laba diena,"
    return f"Dear {said}," if said else "Hello,"


def _sayable(language: str, name: str) -> str:
    words = name.split()
    if language == "lt" or not words or len(words) > 4 or len(name) > 60 or _NOT_A_PERSON.search(name):
        return ""
    if name.isupper() or name.islower():
        return ""
    if language == "en" and _CYRILLIC.search(name):
        return ""
    if language == "ru":
        for place, word in enumerate(words):
            if place and len(words) == 3 and _PATRONYMIC.search(word.lower()):
                return f"{words[place - 1]} {word}"
    return " ".join(words)
