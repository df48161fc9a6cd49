"""Contacts in numbers, and campaigns to them, for tests and counted runs."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import campaign_verbs
from core.accounts import Channel
from core.budget import Budget
from core.campaigns import Campaign
from core.context import Context
from core.worktime import Calendar
from outbound.campaigns import tick
from outbound.channels.memory import MemoryChannel
from outbound.sequences import House

HOUSE = House(Calendar())
FREE = House(Calendar(), Budget(touches=1_000_000))
LANGUAGES = ("lt", "ru", "en")
SALUTATION = "{{ client.salutation }}\n\n"
TEXTS = {
    "lt": ("Rudens pasiūlymas", "Iki mėnesio pabaigos siurbliams {{ client.company }} – nuolaida."),
    "ru": ("Осеннее предложение", "До конца месяца насосы для {{ client.company }} дешевле."),
    "en": ("Autumn offer", "Until the end of the month pumps for {{ client.company }} cost less."),
}

_PEOPLE = text("""
with people as (
    insert into contact (name, language, source, position)
    select 'Ona ' || n, (array['lt', 'ru', 'en'])[1 + n % 3], 'import', '' from generate_series(1, :count) n
    returning id
), numbered as (select id, row_number() over (order by id) - 1 as n from people)
insert into contact_point (contact_id, kind, value, source)
select id, 'email', 'client' || (n + :first) || '@' || (cast(:domains as text[]))[1 + n % :spread], 'import'
from numbered
""")


def people(
    session: Session, count: int, domains: list[str] | None = None, *, spread: int = 20, first: int = 0
) -> list[int]:
    """So many contacts with an address each, spread over domains in turn; returns their ids."""
    chosen = domains or [f"company{number}.example" for number in range(spread)]
    before = session.execute(text("select coalesce(max(id), 0) from contact")).scalar_one()
    given = {"count": count, "domains": chosen, "spread": len(chosen), "first": first}
    session.execute(_PEOPLE, given)
    return list(session.scalars(text("select id from contact where id > :id order by id"), {"id": before}))


def mailing(session: Session, ids: list[int], **settings: Any) -> Campaign:
    """A campaign to contacts, with a text in each language, not started."""
    made = campaign_verbs.create(session, "Rudens pasiūlymas", contact_ids=ids, **settings)
    for language, (subject, body) in TEXTS.items():
        campaign_verbs.write(session, made, language, subject=subject, body=SALUTATION + body)
    return made


def now(session: Session) -> datetime:
    """The database's clock."""
    return session.execute(select(func.now())).scalar_one()


def started(context: Context, count: int, house: House = HOUSE, **settings: Any) -> int:
    """A campaign to so many new contacts, started; returns its id."""
    with context.transaction() as session:
        made = mailing(session, people(session, count), **settings)
        campaign_verbs.start(session, made, now=now(session))
        return made.id


def move(context: Context, house: House = HOUSE, *, looks: int = 50, at: datetime | None = None) -> int:
    """Look until nothing moves; returns how many rows were moved."""
    moved = 0
    for _ in range(looks):
        with context.transaction() as session:
            page = tick(session, house, at)
        moved += page
        if not page:
            break
    return moved


def recipients(context: Context, campaign_id: int) -> dict[str, int]:
    """How many recipients of a campaign are in each state, skips by their reason."""
    with context.transaction() as session:
        rows = session.execute(
            text(
                "select coalesce(skip, state), count(*) from campaign_recipient"
                " where campaign_id = :id group by 1"
            ),
            {"id": campaign_id},
        )
        return {str(name): int(number) for name, number in rows}


def state(context: Context, campaign_id: int) -> str:
    """The campaign's state."""
    with context.transaction() as session:
        return str(campaign_verbs.get(session, campaign_id).state)


def copies(channel: MemoryChannel) -> dict[str, int]:
    """How many letters each address got."""
    return Counter(letter.recipients[0] for letter in channel.sent)


def frozen_still(context: Context, campaign_id: int, since: timedelta) -> None:
    """As if no worker had looked at a campaign for so long."""
    with context.transaction() as session:
        session.execute(update(Campaign).where(Campaign.id == campaign_id).values(beat_at=func.now() - since))


SMS = Channel.SMS
