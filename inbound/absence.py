"""Out of office in Russian, Lithuanian and English: is somebody away, and when will they be back."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from inbound import writtendates

AWAY: Final = re.compile(
    r"out[- ]of[- ](?:the )?office|\booo\b|on (?:annual |maternity |parental |sick "
    r"|business )?(?:leave|vacation|holidays?|trip)|away from (?:the office|my desk|my e-?mail)"
    r"|not in the office|currently (?:away|unavailable|travelling|traveling)|(?:am|be|is"
    r"|are) away\b|limited access to (?:my )?e-?mail|office is closed|no longer (?:with|works?"
    r"|employed)"
    r"|(?:в|из) отпуск\S{0,2}|отпуск\b|в командировке|командировк|на больничном|отсутству(?:ю|ет|ем"
    r"|ют)|буду отсутствовать|меня не будет|нет на (?:рабочем )?месте|нахожусь вне офиса|вне офиса"
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
    r"(?:\bback|\breturn(?:ing|s)?|\bresume|available (?:again )?(?:from|on|as of|starting)"
    r"|in the office (?:again )?(?:on|from)"
    r"|верн\w{1,5}|возвращ\w{2,5}|возвращени\w|выхожу|выйду|буду (?:на (?:рабочем )?месте|в офисе"
    r"|на связи|доступ\w{1,3}|работать|на работе)|приступлю|на связи с|отвечу"
    r"|grįš\w{0,6}|grįžt\w{0,5}|gris\w{1,4}|grįžus|vėl būsiu|būsiu biure|dirbsiu(?: nuo)?"
    r"|pradėsiu dirbti|atsakysiu|būsiu pasiekiam\w{1,2})"
    r"(?:\W+\w+){0,7}?\W*$",
    re.IGNORECASE,
)
_UNTIL: Final = re.compile(
    r"(?:\buntil|\btill|\btil|\bto|\bbefore|(?<!\w)до|(?<!\w)iki|\bbis)\W+(?:(?:the|next|конца|утра"
    r"|imtinai|pat|su|ir|м|mo?nday)\W+)?$",
    re.IGNORECASE,
)
_THROUGH: Final = re.compile(
    r"(?:\bthrough|\bthru|(?<!\w)по|\bup to and including|\btill and including)\W+$", re.IGNORECASE
)
_INCLUSIVE: Final = re.compile(
    r"^\W{0,4}(?:г\.?|года|d\.?|m\.?)?\W{0,4}(?:включительно|\(включ|inclusive|incl\b|imtinai|įskaitytinai)",
    re.IGNORECASE,
)
_DASH: Final = re.compile(r"(?:\d\W?(?:d\.)?|[^\W\d_]|\.)\s*[-–—]\s*$")
_LT_SAME_MONTH: Final = re.compile(
    r"(?:iki|[-–—])\s*(\d{1,2})\s*(?:d\.|dien|-(?:os|ąją|tos)|imtinai)", re.IGNORECASE
)
_SAME_MONTH: Final = re.compile(
    r"^\s*(?:d\.)?\s*(?:[-–—]|to|until|till|through|iki)\s*(?:the\s*)?(\d{1,2})(?:st|nd|rd|th"
    r"|\s*d\.)?(?![\d:.])",
    re.IGNORECASE,
)
_WEEKDAYS: Final = (
    r"monday|понедельник\w?|pirmadien\w{1,2}",
    r"tuesday|вторник\w?|antradien\w{1,2}",
    r"wednesday|сред[уыае]|trečiadien\w{1,2}",
    r"thursday|четверг\w?|ketvirtadien\w{1,2}",
    r"friday|пятниц[уыа]|penktadien\w{1,2}",
    r"saturday|суббот[уыа]|šeštadien\w{1,2}",
    r"sunday|воскресень[яе]|sekmadien\w{1,2}",
)
_WEEKDAY: Final = re.compile(
    "|".join(rf"(?<!\w)(?P<d{n}>{words})(?!\w)" for n, words in enumerate(_WEEKDAYS)), re.IGNORECASE
)
_TOMORROW: Final = re.compile(r"(?<!\w)(?:tomorrow|завтра|rytoj)(?!\w)", re.IGNORECASE)
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
    found = writtendates.find(text, near)
    for number, one in enumerate(found):
        before = text[max(0, one.start - 90) : one.start]
        before = re.split(r"[.!?]\s+(?=[A-ZА-ЯĄČĘĖĮŠŲŪŽ])|\n\n", before)[-1]
        after = text[one.end : one.end + 40]
        rank, day = _judge(before, after, one.day)
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


def _judge(before: str, after: str, day: date) -> tuple[int, date]:
    if _THROUGH.search(before) or (_UNTIL.search(before) and _INCLUSIVE.match(after)):
        return 2, day + timedelta(days=1)
    if _UNTIL.search(before):
        return 2, day
    if _BACK.search(before):
        return 3, day
    return 0, day


def _relative(text: str, sent: date) -> tuple[int, date] | None:
    for match in _WEEKDAY.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        back, until = _BACK.search(before), _UNTIL.search(before)
        if not back and not until:
            continue
        weekday = next(n for n in range(7) if match[f"d{n}"])
        ahead = (weekday - sent.weekday()) % 7 or 7
        return (3 if back else 2), sent + timedelta(days=ahead)
    match = _TOMORROW.search(text)
    if match and _BACK.search(text[max(0, match.start() - 60) : match.start()]):
        return 3, sent + timedelta(days=1)
    return None
