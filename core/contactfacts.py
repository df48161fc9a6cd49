"""What years of letters say of each contact, added up so that segments need not read the letters again.

When somebody last wrote, was written to, was sent a mailing, and which intents their letters had: columns
of contact and account, and `ContactIntent`. `bring_up_to_date` looks at the letters since its last run, and
for ten minutes more, because a row's number is given before its transaction commits; every value is a
greatest one, so looking twice changes nothing. `rebuild` counts everything anew, for what was corrected or
merged meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, Text, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.conversations import Message
from core.db import Base
from core.labels import Correction
from core.outbox import DeliveryEvent

LOOK_BACK = timedelta(minutes=10)
"""Longer than any transaction that writes letters."""
IN_FLIGHT = 50_000
"""More rows than are written while any one transaction is open."""


class ContactIntent(Base):
    """When a contact last wrote something with an intent."""

    __tablename__ = "contact_intent"
    __table_args__ = (Index("ix_contact_intent_recent", "intent", "last_at", "contact_id"),)

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    intent: Mapped[str] = mapped_column(Text, primary_key=True)
    last_at: Mapped[datetime]


class FactProgress(Base):
    """How far the rows of a table are counted."""

    __tablename__ = "fact_progress"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    settled_id: Mapped[int] = mapped_column(default=0, server_default="0")
    """Up to here every row that will ever be is counted."""
    ahead_id: Mapped[int] = mapped_column(default=0, server_default="0")
    ahead_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When `ahead_id` was the newest row; `LOOK_BACK` later it is settled."""


_TALK = text("""
with seen as (
    select contact_id,
           max(happened_at) filter (where direction = 'in' and machine is null) as last_in,
           max(happened_at) filter (where direction = 'out') as last_out
    from message where id > :low and contact_id is not null group by contact_id
), people as (
    update contact c
    set last_in_at = greatest(c.last_in_at, seen.last_in),
        last_out_at = greatest(c.last_out_at, seen.last_out)
    from seen where c.id = seen.contact_id
      and (greatest(c.last_in_at, seen.last_in) is distinct from c.last_in_at
           or greatest(c.last_out_at, seen.last_out) is distinct from c.last_out_at)
    returning c.account_id, c.last_in_at, c.last_out_at
), clients as (
    select account_id, max(last_in_at) as last_in, max(last_out_at) as last_out
    from people where account_id is not null group by account_id
)
update account a
set last_in_at = greatest(a.last_in_at, clients.last_in),
    last_out_at = greatest(a.last_out_at, clients.last_out)
from clients where a.id = clients.account_id
""")

_INTENTS = text("""
insert into contact_intent (contact_id, intent, last_at)
select m.contact_id, k.intent, max(m.happened_at)
from message m join classification k on k.message_id = m.id
where m.id > :low and m.direction = 'in' and m.contact_id is not null and k.intent is not null
group by 1, 2
on conflict (contact_id, intent) do update set last_at = excluded.last_at
where contact_intent.last_at < excluded.last_at
""")

_CORRECTED = text("""
insert into contact_intent (contact_id, intent, last_at)
select m.contact_id, k.intent, max(m.happened_at)
from correction r join message m on m.id = r.message_id join classification k on k.message_id = m.id
where r.id > :low and m.direction = 'in' and m.contact_id is not null and k.intent is not null
group by 1, 2
on conflict (contact_id, intent) do update set last_at = excluded.last_at
where contact_intent.last_at < excluded.last_at
""")

_MAILED = text("""
with seen as (
    select d.contact_id, max(e.happened_at) as last
    from delivery_event e join delivery d on d.id = e.delivery_id
    where e.id > :low and e.state = 'sent' and d.purpose = 'marketing' and d.contact_id is not null
    group by 1
)
update contact c set last_mailing_at = seen.last
from seen where c.id = seen.contact_id and (c.last_mailing_at is null or c.last_mailing_at < seen.last)
""")

COUNTED = (
    ("message", Message.id, (_TALK, _INTENTS)),
    ("correction", Correction.id, (_CORRECTED,)),
    ("delivery_event", DeliveryEvent.id, (_MAILED,)),
)
"""Tables that only grow, and what their new rows change."""

_ANEW = (
    """
    update product_interest p set account_id = c.account_id from contact c
    where p.account_id is null and c.id = p.contact_id and c.account_id is not null
    """,
    """
    update deal d set account_id = c.account_id from contact c
    where d.account_id is null and c.id = d.contact_id and c.account_id is not null
    """,
    """
    update contact c
    set last_in_at = seen.last_in, last_out_at = seen.last_out, last_mailing_at = sent.last
    from contact o
    left join (select contact_id,
                      max(happened_at) filter (where direction = 'in' and machine is null) as last_in,
                      max(happened_at) filter (where direction = 'out') as last_out
               from message where contact_id is not null group by contact_id) seen on seen.contact_id = o.id
    left join (select d.contact_id, max(e.happened_at) as last
               from delivery d join delivery_event e on e.delivery_id = d.id and e.state = 'sent'
               where d.purpose = 'marketing' and d.contact_id is not null group by 1) sent
           on sent.contact_id = o.id
    where c.id = o.id and (c.last_in_at, c.last_out_at, c.last_mailing_at)
                          is distinct from (seen.last_in, seen.last_out, sent.last)
    """,
    """
    update account a
    set last_in_at = seen.last_in, last_out_at = seen.last_out
    from account o
    left join (select account_id, max(last_in_at) as last_in, max(last_out_at) as last_out
               from contact where account_id is not null group by account_id) seen on seen.account_id = o.id
    where a.id = o.id and (a.last_in_at, a.last_out_at) is distinct from (seen.last_in, seen.last_out)
    """,
    """
    merge into contact_intent held
    using (select coalesce(s.contact_id, h.contact_id) as contact_id, coalesce(s.intent, h.intent) as intent,
                  s.last_at
           from (select m.contact_id, k.intent, max(m.happened_at) as last_at
                 from message m join classification k on k.message_id = m.id
                 where m.direction = 'in' and m.contact_id is not null and k.intent is not null
                 group by 1, 2) s
           full join contact_intent h on h.contact_id = s.contact_id and h.intent = s.intent
           where s.last_at is distinct from h.last_at) seen
    on held.contact_id = seen.contact_id and held.intent = seen.intent
    when matched and seen.last_at is null then delete
    when matched then update set last_at = seen.last_at
    when not matched then insert (contact_id, intent, last_at)
                          values (seen.contact_id, seen.intent, seen.last_at)
    """,
)
"""Everything from the letters themselves; rows that are right already are not written. What was said by
somebody whose company became known later is their company's from then on."""


def bring_up_to_date(session: Session) -> None:
    """Count what was written since the last run. One caller at a time; a second one waits."""
    session.execute(text("select pg_advisory_xact_lock(727100095)"))
    for name, column, statements in COUNTED:
        now = session.execute(select(func.clock_timestamp())).scalar_one()
        newest = session.scalar(select(func.max(column))) or 0
        progress = session.get(FactProgress, name)
        low = 0 if progress is None else progress.settled_id
        for statement in statements:
            session.execute(statement, {"low": low})
        if progress is None:
            settled = max(0, newest - IN_FLIGHT)
            session.add(FactProgress(name=name, settled_id=settled, ahead_id=newest, ahead_at=now))
        elif progress.ahead_at < now - LOOK_BACK:
            progress.settled_id, progress.ahead_id, progress.ahead_at = progress.ahead_id, newest, now
    session.flush()


def rebuild(session: Session) -> None:
    """Count everything anew, for what was corrected or merged."""
    session.execute(text("select pg_advisory_xact_lock(727100095)"))
    for statement in _ANEW:
        session.execute(text(statement))
    session.execute(delete(FactProgress))
    for name, column, _statements in COUNTED:
        newest = session.scalar(select(func.max(column))) or 0
        session.add(
            FactProgress(
                name=name, settled_id=max(0, newest - IN_FLIGHT), ahead_id=newest, ahead_at=func.now()
            )
        )
    session.flush()
    session.expire_all()
