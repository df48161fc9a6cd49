"""The three languages of the screens: messages, plural forms, dates, times and money.

English stands in the code; Russian and Lithuanian in `core/locale/<language>/LC_MESSAGES/frontdesk.po`,
read as they are at first use, so that no compiled file has to be kept in step.

    t = texts("lt")
    t.gettext("Inbox"), t.ngettext("%(num)d message", "%(num)d messages", 3),
    t.moment(conversation.last_message_at)
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from core.values import LANGUAGES

DOMAIN = "frontdesk"
FOLDER = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"

LANGUAGE_NAMES = {"en": "English", "ru": "Русский", "lt": "Lietuvių"}
"""Each language by its own name, for the switch."""

_BYTES = {"en": ("B", "kB", "MB"), "ru": ("Б", "кБ", "МБ")}
_REGIONS = {"en": "en_GB", "ru": "ru_RU", "lt": "lt_LT"}


def N_(message: str) -> str:
    """Mark a message for translation where it is written; it is translated where it is shown."""
    return message


@lru_cache(maxsize=8)
def translations(language: str) -> NullTranslations:
    """The messages of a language; English for English and for languages we do not have."""
    path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if language == SOURCE_LANGUAGE or language not in LANGUAGES or not path.is_file():
        return NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


@dataclass(frozen=True)
class Texts:
    """Everything that depends on a reader's language and time zone."""

    language: str
    locale: Locale
    zone: ZoneInfo
    messages: NullTranslations

    def gettext(self, message: str, **values: object) -> str:
        """The message in this language, with `%(name)s` filled in."""
        text = self.messages.gettext(message)
        return text % values if values else text

    def ngettext(self, one: str, many: str, num: int, **values: object) -> str:
        """The message in the plural form that fits `num`, which fills `%(num)d`."""
        return self.messages.ngettext(one, many, num) % {"num": num, **values}

    def moment(self, at: datetime | None) -> str:
        """Day and time as a person here writes them; empty for None."""
        if at is None:
            return ""
        local = at.astimezone(self.zone)
        return f"{_day(local.date(), 'medium', self.locale)}, {_clock(local.hour, local.minute, self.locale)}"

    def day(self, at: datetime | date | None) -> str:
        """The day, with its month in words; empty for None."""
        if at is None:
            return ""
        if isinstance(at, datetime):
            at = at.astimezone(self.zone).date()
        return _day(at, "long", self.locale)

    def clock(self, at: datetime) -> str:
        """Hours and minutes."""
        local = at.astimezone(self.zone)
        return _clock(local.hour, local.minute, self.locale)

    def short(self, at: datetime | None, now: datetime | None = None) -> str:
        """As a mail list shows it: the time today, day and month this year, else the whole date."""
        if at is None:
            return ""
        now = (now or datetime.now(UTC)).astimezone(self.zone)
        local = at.astimezone(self.zone)
        if local.date() == now.date():
            return self.clock(at)
        if local.year == now.year:
            return _day(local.date(), "MMMd", self.locale)
        return _day(local.date(), "short", self.locale)

    def span(self, length: timedelta) -> str:
        """A length of time in its greatest unit: 3 hours, 2 дня, 5 dienos."""
        return dates.format_timedelta(length, threshold=1.0, locale=self.locale)

    def ago(self, at: datetime | None, now: datetime | None = None) -> str:
        """How long ago something was; empty for None."""
        if at is None:
            return ""
        past = at - (now or datetime.now(UTC))
        return dates.format_timedelta(past, add_direction=True, threshold=1.0, locale=self.locale)

    def money(self, amount: Decimal, currency: str = "EUR") -> str:
        """An amount with its currency."""
        return numbers.format_currency(amount, currency, locale=self.locale)

    def number(self, value: Decimal | float) -> str:
        """A number with the language's separators."""
        return numbers.format_decimal(value, locale=self.locale)

    def percent(self, share: float) -> str:
        """A share of one as whole per cent."""
        return _percent(round(share * 100), self.locale)

    def size(self, count: int) -> str:
        """A number of bytes in kB or MB (decimal)."""
        small, middle, great = _BYTES.get(self.language, _BYTES["en"])
        for unit, step in ((great, 1_000_000), (middle, 1_000)):
            if count >= step:
                return f"{numbers.format_decimal(round(count / step, 1), locale=self.locale)} {unit}"
        return f"{count} {small}"


# A page shows the same days and minutes over and over, and the library takes a tenth of a millisecond each.
@lru_cache(maxsize=4_096)
def _day(day: date, form: str, locale: Locale) -> str:
    if form == "MMMd":
        return dates.format_skeleton(form, day, locale=locale)
    return dates.format_date(day, form, locale=locale)


@lru_cache(maxsize=3 * 24 * 60)
def _clock(hour: int, minute: int, locale: Locale) -> str:
    return dates.format_time(time(hour, minute), "short", locale=locale)


@lru_cache(maxsize=512)
def _percent(whole: int, locale: Locale) -> str:
    return numbers.format_percent(whole / 100, "#,##0%", locale=locale)


@lru_cache(maxsize=32)
def texts(language: str, zone: str = "Europe/Vilnius") -> Texts:
    """The texts of a language; English when it is not one of ours."""
    chosen = language if language in LANGUAGES else SOURCE_LANGUAGE
    return Texts(chosen, Locale.parse(_REGIONS[chosen]), ZoneInfo(zone), translations(chosen))


def negotiate(header: str) -> str:
    """The language among ours that an Accept-Language header (RFC 9110 section 12.5.4) likes best; else
    English."""
    wanted: list[tuple[float, str]] = []
    for item in header[:500].split(","):
        name, _, parameters = item.strip().partition(";")
        quality = 1.0
        if parameters.strip().startswith("q="):
            try:
                quality = float(parameters.strip()[2:])
            except ValueError:
                quality = 0.0
        wanted.append((-quality, name.strip().partition("-")[0].lower()))
    return next((name for _, name in sorted(wanted, key=lambda pair: pair[0]) if name in LANGUAGES), "en")
