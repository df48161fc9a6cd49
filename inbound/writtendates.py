"""Dates as people and programs write them in Russian, Lithuanian, English and their neighbours' letters."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from datetime import time as time_of_day
from typing import Final, NamedTuple

from inbound import dates


class Found(NamedTuple):
    """A date in a text, where it stands, and whether the year was written."""

    day: date
    start: int
    end: int
    with_year: bool


_STEMS: Final = (
    "jan|янв|saus|sau|ene|gen|led|sty|ian|oca|siij|січ|jän|tam",
    "feb|fév|fev|фев|vas|úno|lut|şub|лют|helm|velj|veeb",
    "mar|mär|мар|kov|bře|maa|maalis|ožu|берез|märts",
    "apr|avr|abr|апр|bal|dub|kwi|nis|квіт|huht|trav|ápr",
    "may|mai|maj|mei|май|мая|geg|mag|kvě|máj|трав|touk|svib",
    "jun|juin|июн|birž|birz|giu|čer|cze|haz|черв|kesä|lip|jún",
    "jul|juil|июл|liep|lug|tem|лип|heinä|srp|júl",
    "aug|août|авг|rugp|ago|ağu|серп|elok|kolov|sier",
    "sep|сен|rugs|set|eyl|верес|syysk|ruj|zář|wrz",
    "oct|okt|окт|spal|ott|out|eki|жовт|lokak|říj|paź",
    "nov|ноя|lapkr|kas|листоп|marrask|stude|lis",
    "dec|déc|дек|gruod|dez|dic|ara|груд|jouluk|pros|gru",
)
_MONTH_OF: Final = {
    stem: number for number, stems in enumerate(_STEMS, start=1) for stem in reversed(stems.split("|"))
}
_STEM: Final = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_ISO: Final = re.compile(
    r"(?<![\d.])(?:(\d{4})\s?[-./]\s?(\d{1,2})\s?[-./]\s?(\d{1,2})|(20\d\d) ([01]\d) ([0-3]\d))(?!\d)"
)
_MONTH_DASH_DAY: Final = re.compile(r"(?<![\d.,+/()-])([01]\d)-([0-3]\d)(?![\d-]|[ .,-]\d)")
"""`07-15`, as Lithuanians write the fifteenth of July."""
_NUMERIC: Final = re.compile(
    r"(?<![\d.])(\d{1,2})\s?([./-])\s?(\d{1,2})(?:\s?\2\s?(\d{4}|\d{2}))?(?![\d:%]|[.,]\d)"
)
_DAY_MONTH: Final = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|-?о?го|-?о?е|\.)?,?\s+(?:of\s+|de\s+)?({_STEM})[^\W\d_]*\.?,?(?:\s+(?:de\s+)?(\d{{4}}))?",
    re.IGNORECASE,
)
_MONTH_DAY: Final = re.compile(
    rf"(?:(\d{{4}})\s*(?:m\.?|г\.?|\.)?,?\s+)?(?<!\w)({_STEM})[^\W\d_]*\.?\s+(?:mėn\.?\s+)?(\d{{1,2}})(?!\d|:)(?:st|nd|rd|th|-[^\W\d_]{{1,5}})?"
    r"(?:,?\s+(\d{4})(?!\d))?",
    re.IGNORECASE,
)
_CJK: Final = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
_TIME: Final = re.compile(
    r"(?<!\d)(\d{1,2})[:.h](\d{2})(?::(\d{2}))?(?!\d)\s*(am|pm|a\.m\.|p\.m\.)?", re.IGNORECASE
)
_OFFSET: Final = re.compile(r"(?<!\d)(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?(?!\d)")


def find(
    text: str, near: date | None = None, *, month_first: bool = False, month_day: bool = False
) -> list[Found]:
    """Every date in `text`, by place. A date without a year is the one nearest to `near`, or left out.

    `month_first` reads `3/4/2024` as the fourth of March, as Americans write it; `month_day` takes `07-15`
    for the fifteenth of July.
    """
    found: list[Found] = []
    for match in _ISO.finditer(text):
        _add(found, match, match[1] or match[4], match[2] or match[5], match[3] or match[6], near)
    if month_day:
        for match in _MONTH_DASH_DAY.finditer(text):
            _add(found, match, None, match[1], match[2], near)
    for match in _CJK.finditer(text):
        _add(found, match, match[1], match[2], match[3], near)
    for match in _MONTH_DAY.finditer(text):
        year = match[1] or match[4]
        _add(found, match, year, _month(match[2]), match[3], near)
    for match in _DAY_MONTH.finditer(text):
        _add(found, match, match[3], _month(match[2]), match[1], near)
    for match in _NUMERIC.finditer(text):
        if match[4] is None and (near is None or match[2] == "-"):
            continue
        day, month = int(match[1]), int(match[3])
        if month > 12 or (month_first and match[2] == "/" and day <= 12):
            day, month = month, day
        year = match[4] if match[4] is None or len(match[4]) == 4 else f"20{match[4]}"
        _add(found, match, year, month, day, near)
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Found] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _month(word: str) -> int:
    return _MONTH_OF[word.lower()]


def _add(
    found: list[Found],
    match: re.Match[str],
    year: str | None,
    month: str | int,
    day: str | int,
    near: date | None,
) -> None:
    if any(one.start < match.end() and match.start() < one.end for one in found):
        return
    try:
        if year is not None:
            moment = date(int(year), int(month), int(day))
        elif near is not None:
            moment = _nearest(int(month), int(day), near)
        else:
            return
    except ValueError:
        return
    if 1970 <= moment.year <= 2200:
        found.append(Found(moment, match.start(), match.end(), year is not None))


def _nearest(month: int, day: int, near: date) -> date:
    years = (near.year - 1, near.year, near.year + 1)
    days = [date(year, month, day) for year in years if not (month == 2 and day == 29) or year % 4 == 0]
    if not days:
        raise ValueError
    return min(days, key=lambda one: abs(one - near))


def read(text: str) -> datetime | None:
    """The moment a mail program wrote above a quotation; with a zone only where one is written.

    Understands RFC 5322 dates and, in many languages, a date with a time of day.
    """
    text = text.strip()[:200]
    if re.search(r"\d{4} \d{1,2}:\d{2}:\d{2} [+-]\d{4}", text):
        moment = dates.read(text)
        if moment is not None:
            return moment
    american = re.search(r"\d\s?(?:am|pm)\b", text, re.IGNORECASE) is not None
    days = find(text, month_first=american)
    if not days:
        return None
    day = days[0]
    rest = f"{text[: day.start]} {text[day.end :]}"
    time = _TIME.search(rest)
    hour = minute = second = 0
    if time is not None:
        hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
        half = (time[4] or "").lower()[:1]
        if half == "p" and hour < 12:
            hour += 12
        elif half == "a" and hour == 12:
            hour = 0
    try:
        moment = datetime.combine(day.day, time_of_day(hour, minute, min(second, 59)))
    except ValueError:
        return None
    zone = _OFFSET.search(rest[time.end() :]) if time is not None else None
    if zone is not None and int(zone[2]) < 15:
        minutes = int(zone[2]) * 60 + int(zone[3] or 0)
        return moment.replace(tzinfo=timezone(timedelta(minutes=-minutes if zone[1] == "-" else minutes)))
    return moment
