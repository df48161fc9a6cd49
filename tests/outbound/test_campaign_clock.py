"""A mailing goes at its time and pace, on each recipient's clock, and asks where it is late."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from core import campaign_verbs, notices
from core.accounts import Account, Contact
from core.campaigns import CampaignRecipient
from tests.outbound.audiences import (
    FREE,
    frozen_still,
    mailing,
    move,
    now,
    people,
    recipients,
    started,
    state,
)
from tests.outbound.conftest import Company


def test_a_campaigns_own_pace_is_kept(company: Company):
    context = company()
    number = started(context, 500, pace_per_minute=60)
    with context.transaction() as session:
        begun = now(session)
    for seconds in range(0, 61, 5):
        move(context, at=begun + timedelta(seconds=seconds), looks=3)
    assert 50 <= recipients(context, number)["queued"] <= 65


def test_a_scheduled_mailing_begins_at_its_time_and_a_late_one_asks(company: Company):
    context = company()
    with context.transaction() as session:
        begun = now(session)
        ids = people(session, 5)
        soon = mailing(session, ids, start_at=begun + timedelta(hours=2))
        campaign_verbs.start(session, soon, now=begun)
        late = mailing(session, ids, start_at=begun + timedelta(hours=2))
        campaign_verbs.start(session, late, now=begun)
        numbers = soon.id, late.id
        campaign_verbs.pause(session, late)
    move(context, FREE, at=begun + timedelta(hours=1))
    assert state(context, numbers[0]) == "scheduled"
    move(context, FREE, at=begun + timedelta(hours=2, minutes=1))
    assert state(context, numbers[0]) == "running"
    with context.transaction() as session:
        campaign_verbs.resume(session, campaign_verbs.get(session, numbers[1]), now=begun)
    move(context, FREE, at=begun + timedelta(hours=5))
    assert state(context, numbers[1]) == "asking"
    assert recipients(context, numbers[1]) == {}
    with context.transaction() as session:
        made = campaign_verbs.get(session, numbers[1])
        campaign_verbs.resume(session, made, now=begun + timedelta(hours=5))
    move(context, FREE, at=begun + timedelta(hours=5))
    assert recipients(context, numbers[1]) == {"queued": 5}


def test_a_mailing_that_stood_still_for_long_asks_and_holds_what_is_queued(company: Company):
    context = company()
    number = started(context, 5)
    move(context)
    frozen_still(context, number, timedelta(hours=3))
    move(context)
    assert state(context, number) == "asking"
    with context.transaction() as session:
        assert [one.kind for one in notices.open_alarms(session)] == ["mailing_asks"]
        campaign_verbs.resume(session, campaign_verbs.get(session, number), now=now(session))
        assert notices.open_alarms(session) == []


def test_on_each_recipients_own_clock_nine_is_nine_everywhere(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 3)
        for one, zone in zip(ids, ("Europe/London", "Asia/Almaty", "No/Such"), strict=True):
            account = Account(name=zone, zone=zone)
            session.add(account)
            session.flush()
            session.get_one(Contact, one).account_id = account.id
        start = now(session).replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=3)
        made = mailing(session, ids, start_at=start, local_time=True)
        campaign_verbs.start(session, made, now=now(session))
    move(context, at=start - timedelta(hours=20))
    with context.transaction() as session:
        due = session.execute(
            text(
                "select extract(hour from r.due_at at time zone"
                " case a.zone when 'No/Such' then 'Europe/Vilnius' else a.zone end)::int"
                " from campaign_recipient r join contact c on c.id = r.contact_id"
                " join account a on a.id = c.account_id order by c.id"
            )
        ).scalars()
        expected = session.execute(
            text("select extract(hour from cast(:start as timestamptz) at time zone 'Europe/Vilnius')::int"),
            {"start": start},
        ).scalar_one()
        assert list(due) == [expected] * 3


def test_an_hour_that_has_gone_by_on_their_clock_is_the_next_days(company: Company):
    context = company()
    with context.transaction() as session:
        (one,) = people(session, 1)
        session.get_one(Contact, one).account = Account(name="East", zone="Asia/Vladivostok")
        start = now(session) + timedelta(minutes=30)
        made = mailing(session, [one], start_at=start, local_time=True)
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    move(context)
    assert recipients(context, number) == {"waiting": 1}
    with context.transaction() as session:
        due = session.scalars(select(CampaignRecipient.due_at)).one()
        assert timedelta(hours=12) < due - start < timedelta(hours=24)
