"""Out of office in Russian, Lithuanian and English: is somebody away, and when will they be back."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from inbound import writtendates
from inbound.writtendates import Found

AWAY: Final = re.compile(
    r"out[- ]of[- ](?:the )?office|\booo\b|on (?:annual |maternity |parental |sick "
    r"|business )?(?:leave|vacation|holidays?|trip)|away from (?:the office|my desk|my e-?mail)"
    r"|not in the office|currently (?:away|unavailable|travelling|traveling)|(?:am|be|is"
    r"|are) away\b|limited access to (?:my )?e-?mail|office is closed|no longer (?:with|works?"
    r"|employed)"
    r"|(?:в|из) отпуск\S{0,2}|отпуск\b|в командировке|командировк|на больничном|отсутству(?:ю|ет|ем"
    r"|ют)|отсутствовать|меня не будет|нет на (?:рабочем )?месте|нахожусь вне офиса|вне офиса"
    r"|офис не работает|ограничен\S{0,4} доступ к (?:электронной )?почт|больше не работает"
    r"|в декрет\S{0,5}|не работа(?:ю|ет|ем) (?:до|по|с)"
    r"|atostog|komandiruot|nedarbing|manęs nebus|nebūsiu|nesu biure|ne biure|nedirb(?:u|a|ame)"
    r"|išvyk(?:us|ęs|usi)|šiuo metu ne(?:su|galiu)|biuras nedirba|nebedirba|ribot\S{0,4} (?:galimyb"
    r"|prieig)"
    r"|motinystės|tėvystės|būsiu išvyk|manes nebus|nebusiu biure|abwesen|nicht im (?:büro|haus)"
    r"|urlaub|absent du bureau|fuera de la oficina",
    re.IGNORECASE,
)
"""Words of absence."""

_BACK: Final = re.compile(
    r"(?:\bback|\breturn(?:ing|s)?|\bre-?open(?:s|ing)?|\bresume|available (?:again )?(?:from|on|as of"
    r"|starting)"
    r"|in the office (?:again )?(?:on|from)"
    r"|верн\w{1,5}|возвращ\w{2,5}|возвращени\w|выхожу|выйду|выход на работу|приступ\w{2,4}"
    r"|буду (?:на (?:рабочем )?месте|в офисе"
    r"|на связи|доступ\w{1,3}|работать|на работе)|на связи с|отвечу"
    r"|grįš\w{0,6}|grįžt\w{0,5}|gris\w{1,4}|grįžus|vėl būsiu|būsiu biure|dirbsiu(?: nuo)?"
    r"|pradėsiu dirbti|atsakysiu|būsiu pasiekiam\w{1,2})"
    r"(?:\W+\w+){0,7}?\W*$",
    re.IGNORECASE,
)
_WEEKDAYS: Final = (
    r"mon(?:day)?|понедельник\w?|pirmadien\w{1,2}",
    r"tue(?:s(?:day)?)?|вторник\w?|antradien\w{1,2}",
    r"wed(?:nesday)?|сред[уыае]|trečiadien\w{1,2}",
    r"thu(?:rs(?:day)?)?|четверг\w?|ketvirtadien\w{1,2}",
    r"fri(?:day)?|пятниц[уыа]|penktadien\w{1,2}",
    r"saturday|суббот[уыа]|šeštadien\w{1,2}",
    r"sunday|воскресень[яе]|sekmadien\w{1,2}",
)
_ANY_DAY: Final = "|".join(_WEEKDAYS)
_UNTIL: Final = re.compile(
    r"(?:\buntil|\btill|\btil|\bto|\bbefore|(?<!\w)до|(?<!\w)iki|\bbis)\W+(?:(?:the|next|конца|утра"
    r"|š\.? ?m|zum"
    rf"|imtinai|pat|su|ir|м|{_ANY_DAY})\W+){{0,2}}$",
    re.IGNORECASE,
)
_THROUGH: Final = re.compile(
    r"(?:\bthrough|\bthru|(?<!\w)по|\b(?:up to|until|till) and including)\W+"
    rf"(?:(?:the|{_ANY_DAY})\W+){{0,2}}$",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(
    r"(?:\bbetween\b.{1,40}\band|(?<!\w)между\b.{1,40}\bи|(?<!\w)tarp\b.{1,40}\bir)\W+$", re.IGNORECASE
)
_BE: Final = re.compile(r"(?<!\w)(?:буду|будем|būsiu)\W*$", re.IGNORECASE)
_FROM: Final = re.compile(r"(?:\bfrom|\bas of|\bstarting|(?<!\w)с|(?<!\w)со|(?<!\w)nuo)\W+$", re.IGNORECASE)
_BACK_AFTER: Final = re.compile(
    r"^(?:\s*[dгm]\.)?[^.!?\n]{0,40}?(?:\bback\b|\bavailable|\bat (?:my desk|work)|\bin the office"
    r"|на (?:рабочем месте|месте|работе|связи)"
    r"|в офисе|доступ\w{1,3}|приступ\w{2,4}|работаю|dirbsiu|būsiu|grįš\w{0,4}|atsakysiu)",
    re.IGNORECASE,
)
_RANGE: Final = re.compile(r"(?<![\d.,])\d{1,2}\.?\s*[-–—]\s*$")
"""The first day of a range, before the date that ends it: `1–15 июля`."""

_DAY_ONLY: Final = re.compile(
    r"(?<![\d.,:+-])(\d{1,2})(?:(?:st|nd|rd|th)\b|-?(?:го|е|ого|ое)(?!\w)|\s?числа|\s?d\.|\s?d(?:ienos"
    r"|ieną)(?!\w))",
    re.IGNORECASE,
)
"""A day of a month that is not named: the next such day."""

_FOR_DAYS: Final = re.compile(r"(?<!\w)(?:per|kas|within|in|через|за|каждые)\W+$", re.IGNORECASE)
"""Before a number of days: `per 2 d.`"""
_INCLUSIVE: Final = re.compile(
    r"^\W{0,4}(?:г\.?|года|d\.?|m\.?)?\W{0,4}(?:включительно|\(включ|inclusive|incl\b|imtinai|įskaitytinai)",
    re.IGNORECASE,
)
_DASH: Final = re.compile(r"(?:\d\W?(?:d\.)?|[^\W\d_]|\.)\s*[-–—]\s*$")
_SAME_MONTH: Final = re.compile(
    r"^\s*(?:d\.)?\s*(?:[-–—]|to|until|till|through|iki)\s*(?:the\s*)?(\d{1,2})(?:st|nd|rd|th"
    r"|\s*d\.)?(?![\d:]|\.\d)",
    re.IGNORECASE,
)
_WEEKDAY: Final = re.compile(
    "|".join(rf"(?<!\w)(?P<d{n}>{words})(?!\w)" for n, words in enumerate(_WEEKDAYS)), re.IGNORECASE
)
_SOON: Final = (
    (re.compile(r"(?<!\w)(?:day after tomorrow|послезавтра|poryt)(?!\w)", re.IGNORECASE), 2),
    (re.compile(r"(?<!\w)(?:tomorrow|завтра|rytoj)(?!\w)", re.IGNORECASE), 1),
)
_NEXT_WEEK: Final = re.compile(
    r"(?<!\w)(?:next week|на следующей неделе|на будущей неделе|(?:kitą|kitos) savait\w)(?!\w)", re.IGNORECASE
)
_READ: Final = 3000


def is_away(text: str) -> bool:
    """True where the text speaks of absence."""
    return AWAY.search(text[:_READ]) is not None


def return_date(text: str, sent: date | None) -> date | None:
    """The first day on which the writer may be back, as far as the text says.

    `back on the 15th` and `until the 15th` give the 15th; `through the 14th`, `по 14-е` and `14 imtinai` give
    the day after. `sent` is the day of the letter, for dates without a year and for weekdays.
    """
    text = text[:_READ]
    near = sent + timedelta(days=90) if sent else None
    best: tuple[int, date] | None = None
    found = writtendates.find(text, near, month_day=True)
    if sent:
        found = sorted([*found, *_bare_days(text, found, sent)], key=lambda one: one.start)
    for number, one in enumerate(found):
        before = text[max(0, one.start - 90) : one.start]
        before = re.split(r"[.!?]\s+(?=[A-ZА-ЯĄČĘĖĮŠŲŪŽ])|\n\n", before)[-1]
        after = text[one.end : one.end + 40]
        rank, day = _judge(before, after, one.day)
        if not rank and _RANGE.search(before):
            rank, day = 1, one.day + timedelta(days=1)
        same = _SAME_MONTH.match(after)
        if same and int(same[1]) > one.day.day and rank < 3:
            try:
                day = one.day.replace(day=int(same[1]))
            except ValueError:
                continue
            until = re.match(r"\W*(?:d\.)?\W*(?:until|till|iki)", after, re.IGNORECASE)
            including = _INCLUSIVE.match(after[same.end() :])
            rank, day = 2, day if until and not including else day + timedelta(days=1)
        elif rank == 0 and number and _DASH.search(text[found[number - 1].end - 1 : one.start]):
            rank, day = 1, one.day + timedelta(days=1)
        if sent is not None and not sent - timedelta(days=2) <= day <= sent + timedelta(days=500):
            continue
        if rank and (best is None or rank > best[0] or (rank == best[0] and day > best[1])):
            best = (rank, day)
    if (best is None or best[0] < 3) and sent is not None:
        relative = _relative(text, sent)
        if relative is not None and (best is None or relative[0] > best[0]):
            best = relative
    return best[1] if best else None


def _bare_days(text: str, dated: list[Found], sent: date) -> list[Found]:
    """Days whose month is not named: the next such day after the date before it, or after the letter."""
    added: list[Found] = []
    for match in _DAY_ONLY.finditer(text):
        if any(one.start < match.end() + 1 and match.start() < one.end + 4 for one in dated):
            continue
        if _FOR_DAYS.search(text[: match.start()]):
            continue
        near = max((one.day for one in dated if one.end <= match.start()), default=sent)
        for number in range(32):
            day = near + timedelta(days=number)
            if day.day == int(match[1]):
                added.append(Found(day, match.start(), match.end(), False))
                break
    return added


def _judge(before: str, after: str, day: date) -> tuple[int, date]:
    if (
        _THROUGH.search(before)
        or _BETWEEN.search(before)
        or (_UNTIL.search(before) and _INCLUSIVE.match(after))
    ):
        return 2, day + timedelta(days=1)
    if _UNTIL.search(before):
        return 2, day
    if _BACK.search(before) or _BE.search(before) or (_FROM.search(before) and _BACK_AFTER.match(after)):
        return 3, day
    return 0, day


def _relative(text: str, sent: date) -> tuple[int, date] | None:
    for match in _WEEKDAY.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        back, until, through = _BACK.search(before), _UNTIL.search(before), _THROUGH.search(before)
        if not back and not until and not through:
            continue
        weekday = next(n for n in range(7) if match[f"d{n}"])
        ahead = (weekday - sent.weekday()) % 7 or 7
        return (3 if back else 2), sent + timedelta(days=ahead + bool(through and not back))
    for pattern, days in _SOON:
        match = pattern.search(text)
        if match and _BACK.search(text[max(0, match.start() - 60) : match.start()]):
            return 3, sent + timedelta(days=days)
    match = _NEXT_WEEK.search(text)
    if match and _BACK.search(text[max(0, match.start() - 60) : match.start()]):
        return 3, sent + timedelta(days=7 - sent.weekday())
    return None
