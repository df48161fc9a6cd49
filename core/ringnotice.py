"""A letter to a colleague whose telephone rings while their desk is closed: who calls, and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import callerbrief, notifications, staffmail
from core.callerbrief import Brief
from core.calls import Call
from core.i18n import texts
from core.intents import intent_name
from core.notifications import Kind, Way
from core.sessions import DeskSession
from core.staff import StaffMember

HOLDS: Final = timedelta(minutes=30)
"""Later nobody needs to be told who is calling."""

SUBJECT: Final[Mapping[str, str]] = {
    "lt": "Skambina {who}",
    "ru": "Звонит {who}",
    "en": "{who} is calling",
}
UNKNOWN: Final[Mapping[str, str]] = {
    "lt": "nežinomas numeris {number}",
    "ru": "неизвестный номер {number}",
    "en": "An unknown number {number}",
}
LINES: Final[Mapping[str, Mapping[str, str]]] = {
    "number": {"lt": "Numeris: {value}", "ru": "Номер: {value}", "en": "Number: {value}"},
    "deal": {
        "lt": "Atviras sandoris: {value}, etapas „{stage}“, {days} d. etape",
        "ru": "Открытая сделка: {value}, этап «{stage}», на этапе {days} дн.",
        "en": "Open deal: {value}, stage “{stage}”, {days} days in it",
    },
    "over": {
        "lt": "{days} d. ilgiau nei norma",
        "ru": "на {days} дн. дольше нормы",
        "en": "{days} days over the norm",
    },
    "purchases": {"lt": "Pirko: {value}", "ru": "Покупки: {value}", "en": "Bought: {value}"},
    "topics": {
        "lt": "Pastarosios temos: {value}",
        "ru": "Последние темы: {value}",
        "en": "Last topics: {value}",
    },
    "promises": {"lt": "Pažadėta: {value}", "ru": "Обещано: {value}", "en": "Promised: {value}"},
    "link": {
        "lt": "Kliento kortelė: {value}",
        "ru": "Карточка клиента: {value}",
        "en": "The client: {value}",
    },
}


def tell_away(
    session: Session, call: Call, staff_ids: list[int], *, away_minutes: int, public_url: str, zone: str
) -> int:
    """Queue a letter to each of them whose desk is closed; returns how many. A call makes one each."""
    if not away_minutes or not staff_ids:
        return 0
    since = func.now() - timedelta(minutes=away_minutes)
    here = select(DeskSession.staff_id).where(DeskSession.seen_at > since)
    query = select(StaffMember).where(
        StaffMember.id.in_(staff_ids), StaffMember.active, StaffMember.id.not_in(here)
    )
    moment = session.execute(select(func.now())).scalar_one()
    away = [one for one in session.scalars(query) if _wanted(session, one.id)]
    if not away:
        return 0
    brief = callerbrief.read(session, call)
    for member in away:
        subject, body = letter(brief, member.language.value, public_url, zone)
        key = f"ring:{call.id}:{member.id}"
        staffmail.queue(session, member, key, subject, body, moment, HOLDS, priority=1)
    return len(away)


def _wanted(session: Session, staff_id: int) -> bool:
    """Whether a colleague wants such letters; quiet hours are no matter while the telephone itself rings."""
    return notifications.choice_of(session, staff_id).way(Kind.RING) is not Way.NONE


def letter(brief: Brief, language: str, public_url: str, zone: str) -> tuple[str, str]:
    """Subject and text in a colleague's language."""
    shown = texts(language, zone)

    def line(key: str, **values: object) -> str:
        return LINES[key][language].format(**values)

    who = ", ".join(filter(None, (brief.name, brief.account)))
    subject = SUBJECT[language].format(who=who or UNKNOWN[language].format(number=brief.number))
    lines = [line("number", value=brief.number)]
    if brief.deal is not None:
        stage = brief.deal.stage_names.get(language) or brief.deal.stage_names.get("en", "")
        said = line("deal", value=brief.deal.title, stage=stage, days=brief.deal.days)
        over = f" ({line('over', days=brief.deal.over)})" if brief.deal.over else ""
        lines.append(said + over)
    if brief.purchases:
        lines.append(line("purchases", value="; ".join(one.title for one in brief.purchases)))
    if brief.topics:
        named = (intent_name(one.intent, language) for one in brief.topics)
        lines.append(line("topics", value="; ".join(dict.fromkeys(named))))
    if brief.promises:
        promised = (
            f"{one.title} ({shown.short(one.due_at)})" if one.due_at else one.title for one in brief.promises
        )
        lines.append(line("promises", value="; ".join(promised)))
    if brief.call.conversation_id is not None:
        lines += ["", line("link", value=f"{public_url}/conversations/{brief.call.conversation_id}")]
    return subject, "\n".join(lines)
