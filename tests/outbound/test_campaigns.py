"""A mailing reaches each of its audience once, and nobody who must not be reached."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from core import campaign_verbs, consent, merging, notices, outbox
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.campaign_audience import freeze
from core.campaigns import TRANSITIONS, Campaign, CampaignRecipient, CampaignState
from core.consent import Consent, Scope, SuppressionReason
from core.context import Context
from core.duplicates import Pair
from core.errors import Conflict, IllegalTransition, InputRefused
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from core.segments import add as add_segment
from core.segments import archive as archive_segment
from core.segments_language import parse
from outbound.campaigns import tick
from outbound.channels.memory import MemoryChannel
from tests.outbound.audiences import (
    FREE,
    HOUSE,
    frozen_still,
    mailing,
    move,
    now,
    people,
    recipients,
    started,
    state,
)
from tests.outbound.conftest import Company, due_now, send_all


def copies(channel: MemoryChannel) -> dict[str, int]:
    """How many letters each address got."""
    counted: dict[str, int] = {}
    for letter in channel.sent:
        counted[letter.recipients[0]] = counted.get(letter.recipients[0], 0) + 1
    return counted


async def test_each_of_the_audience_gets_one_letter_in_their_own_language(company: Company):
    context, channel = company(), MemoryChannel()
    number = started(context, 90)
    move(context)
    await send_all(context, channel)
    move(context)
    assert set(copies(channel).values()) == {1}
    assert len(copies(channel)) == 90
    assert state(context, number) == "finished"
    with context.transaction() as session:
        languages = dict(
            session.execute(select(Delivery.language, func.count()).group_by(Delivery.language)).all()
        )
        subjects = set(session.scalars(select(Delivery.subject)))
    assert languages == {"lt": 30, "ru": 30, "en": 30}
    assert subjects == {"Rudens pasiūlymas", "Осеннее предложение", "Autumn offer"}


async def test_a_contact_whose_language_has_no_text_gets_the_campaigns(company: Company):
    context, channel = company(), MemoryChannel()
    with context.transaction() as session:
        ids = people(session, 3)
        made = campaign_verbs.create(session, "Only Lithuanian", contact_ids=ids, language="lt")
        campaign_verbs.write(
            session, made, "lt", subject="Sveiki", body="{{ client.salutation }}\n\nTekstas."
        )
        campaign_verbs.start(session, made, now=now(session))
    move(context)
    await send_all(context, channel)
    assert len(channel.sent) == 3


def test_who_opted_out_bounced_or_took_back_consent_is_left_out_with_the_reason(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 6)
        for scope, reason, number in (
            (Scope.MARKETING, SuppressionReason.UNSUBSCRIBED, 0),
            (Scope.EVERYTHING, SuppressionReason.BOUNCED, 1),
        ):
            consent.suppress(
                session, Channel.EMAIL, f"client{number}@company{number}.example",
                scope=scope, reason=reason, source="test",
            )  # fmt: skip
        for index, purpose in ((2, "marketing"), (3, "offers"), (4, "news")):
            session.add(
                Consent(contact_id=ids[index], channel="email", purpose=purpose, granted=False, proof="x")
            )
        made = mailing(session, ids, topic="offers")
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    move(context)
    assert recipients(context, number) == {"suppressed": 2, "consent_withdrawn": 2, "queued": 2}


def test_where_consent_is_needed_only_who_agreed_is_written_to(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 3)
        session.add(Consent(contact_id=ids[0], channel="email", purpose="news", granted=True, proof="form"))
        session.add(Consent(contact_id=ids[1], channel="sms", purpose="news", granted=True, proof="form"))
        made = mailing(session, ids, topic="news", needs_consent=True)
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    move(context)
    assert recipients(context, number) == {"queued": 1, "no_consent": 2}


async def test_an_opt_out_between_queueing_and_sending_is_honoured(company: Company):
    context, channel = company(), MemoryChannel()
    started(context, 20)
    move(context)
    with context.transaction() as session:
        consent.suppress(
            session, Channel.EMAIL, "client3@company3.example",
            scope=Scope.MARKETING, reason=SuppressionReason.UNSUBSCRIBED, source="test",
        )  # fmt: skip
        contact = session.scalars(
            select(ContactPoint.contact_id).where(ContactPoint.value == "client4@company4.example")
        ).one()
        session.add(
            Consent(contact_id=contact, channel="email", purpose="offers", granted=False, proof="page")
        )
    await send_all(context, channel)
    assert not {"client3@company3.example", "client4@company4.example"} & set(copies(channel))
    assert len(channel.sent) == 18


def test_two_contacts_with_one_number_get_one_sms(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 2)
        for one in ids:
            session.add(ContactPoint(contact_id=one, kind=PointKind.PHONE, value="+37060000001"))
        made = campaign_verbs.create(session, "SMS", contact_ids=ids, channel="sms")
        campaign_verbs.write(session, made, "en", body="Pumps cost less until Friday. {{ company.name }}")
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    move(context)
    assert recipients(context, number) == {"queued": 1, "duplicate": 1}
    with context.transaction() as session:
        only = session.scalars(select(Delivery)).one()
        assert (only.channel, only.address) == (Channel.SMS, "+37060000001")


def test_who_has_no_address_or_one_that_nobody_reads_is_left_out(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 2)
        silent, robot = Contact(name="Be adreso"), Contact(name="Robot")
        session.add_all([silent, robot])
        session.flush()
        session.add(ContactPoint(contact_id=robot.id, kind=PointKind.EMAIL, value="no-reply@company.example"))
        made = mailing(session, [*ids, silent.id, robot.id])
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    move(context)
    assert recipients(context, number) == {"queued": 2, "no_address": 1, "machine": 1}


def test_who_was_written_to_often_waits_and_at_last_is_left_out(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 2)
        outbox.queue_many(
            session,
            [
                Draft(f"touch:{n}", "client0@company0.example", contact_id=ids[0], purpose=Purpose.MARKETING)
                for n in range(3)
            ],
        )
        made = mailing(session, ids, patience_hours=200)
        campaign_verbs.start(session, made, now=now(session))
        patient = made.id
        made = mailing(session, ids[:1], patience_hours=24)
        campaign_verbs.start(session, made, now=now(session))
        hasty = made.id
    move(context)
    assert recipients(context, patient) == {"queued": 1, "waiting": 1}
    assert recipients(context, hasty) == {"pressure": 1}


async def test_a_pause_holds_what_is_queued_and_a_resume_lets_it_go(company: Company):
    context, channel = company(), MemoryChannel()
    number = started(context, 30)
    move(context)
    with context.transaction() as session:
        campaign_verbs.pause(session, campaign_verbs.get(session, number))
    await send_all(context, channel)
    assert channel.sent == []
    with context.transaction() as session:
        campaign_verbs.resume(session, campaign_verbs.get(session, number), now=now(session))
    due_now(context)
    await send_all(context, channel)
    assert len(copies(channel)) == 30


async def test_a_cancelled_mailing_sends_nothing_more(company: Company):
    context, channel = company(), MemoryChannel()
    number = started(context, 30)
    move(context)
    with context.transaction() as session:
        campaign_verbs.cancel(session, campaign_verbs.get(session, number))
    await send_all(context, channel)
    assert channel.sent == []
    with context.transaction() as session:
        assert outbox.counts(session)["cancelled"] == 30


def test_an_edited_text_goes_to_whom_is_queued_after_it(company: Company):
    context = company()
    number = started(context, 60, pace_per_minute=60)
    with context.transaction() as session:
        begun = now(session)
    move(context, at=begun, looks=2)
    move(context, at=begun + timedelta(seconds=30), looks=2)
    with context.transaction() as session:
        made = campaign_verbs.get(session, number)
        campaign_verbs.write(session, made, "lt", subject="Naujas pasiūlymas", body="Naujas tekstas.")
    move(context, at=begun + timedelta(seconds=90), looks=5)
    with context.transaction() as session:
        subjects = set(session.scalars(select(Delivery.subject).where(Delivery.language == "lt")))
    assert subjects == {"Rudens pasiūlymas", "Naujas pasiūlymas"}


def test_a_campaigns_own_pace_is_kept(company: Company):
    context = company()
    number = started(context, 500, pace_per_minute=60)
    with context.transaction() as session:
        begun = now(session)
    for seconds in range(0, 61, 5):
        move(context, at=begun + timedelta(seconds=seconds), looks=3)
    assert 50 <= recipients(context, number)["queued"] <= 65


def test_an_audience_edited_while_it_is_written_down_loses_and_repeats_nobody(company: Company):
    context = company()
    with context.transaction() as session:
        account = Account(name="Vanduo", region="Vilnius")
        session.add(account)
        session.flush()
        first = people(session, 30)
        session.execute(text("update contact set account_id = :a"), {"a": account.id})
        tree = {"version": 1, "group": "all", "of": [{"fact": "region", "values": ["Vilnius"]}]}
        segment = add_segment(session, "Vilnius", parse(tree))
        made = mailing(session, [], segment_id=segment.id)
        campaign_verbs.start(session, made, now=now(session))
        number = made.id
    with context.transaction() as session:
        made = campaign_verbs.get(session, number)
        freeze(session, made, zone="Europe/Vilnius", page=10)
    with context.transaction() as session:
        # Ten newcomers with the smallest and the largest numbers; five of the old ones leave.
        people(session, 10, first=100)
        session.execute(
            text("update contact set account_id = :a where account_id is null"), {"a": account.id}
        )
        session.execute(
            text("update contact set account_id = null where id = any(:ids)"), {"ids": first[20:25]}
        )
    for _ in range(20):
        with context.transaction() as session:
            made = campaign_verbs.get(session, number)
            if made.frozen_at is None:
                freeze(session, made, zone="Europe/Vilnius", page=10)
    with context.transaction() as session:
        written = session.scalars(select(CampaignRecipient.contact_id)).all()
        assert len(written) == len(set(written)) == 35


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


def test_two_workers_at_once_queue_each_recipient_once(company: Company):
    context = company()
    number = started(context, 40)
    move(context, looks=2)
    with context.transaction() as one, context.transaction() as other:
        first = tick(one, HOUSE)
        second = tick(other, HOUSE)
        assert (first, second) == (40, 0)
    assert recipients(context, number) == {"queued": 40}


def test_a_rolled_back_page_is_queued_again_and_once(company: Company):
    context = company()
    number = started(context, 40)
    move(context, looks=2)
    with context.transaction() as session:
        tick(session, HOUSE)
        session.rollback()
    move(context)
    with context.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 40
    assert recipients(context, number) == {"queued": 40}


@pytest.mark.parametrize("before", list(CampaignState))
@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "start"])
def test_a_verb_goes_only_where_the_table_lets_it(company: Company, before: CampaignState, verb: str):
    context = company()
    target = {"pause": "paused", "resume": "running", "cancel": "cancelled", "start": "running"}[verb]
    with context.transaction() as session:
        made = mailing(session, people(session, 1))
        made.state = before
        session.flush()
        given = {"now": now(session)} if verb in ("resume", "start") else {}
        call = getattr(campaign_verbs, verb)
        if CampaignState(target) in TRANSITIONS[before]:
            call(session, made, **given)
            assert made.state == target
        else:
            with pytest.raises(IllegalTransition):
                call(session, made, **given)


def test_settings_that_do_not_exist_cannot_be_assigned(company: Company):
    """Extra fields of a request change nothing (B47)."""
    context = company()
    with context.transaction() as session:
        for extra in ({"state": "running"}, {"winner": "A"}, {"bcc": "evil@example.com"}):
            with pytest.raises(InputRefused):
                campaign_verbs.create(session, "x", **extra)
        made = campaign_verbs.create(session, "x")
        with pytest.raises(InputRefused):
            campaign_verbs.change(session, made, revision=1, frozen_upto=0)
        with pytest.raises(Conflict):
            campaign_verbs.change(session, made, revision=7, name="y")


def test_the_audience_cannot_change_once_it_is_written_down(company: Company):
    context = company()
    number = started(context, 5)
    move(context, looks=1)
    with context.transaction() as session:
        made = campaign_verbs.get(session, number)
        with pytest.raises(IllegalTransition):
            campaign_verbs.change(session, made, revision=made.revision, contact_ids=[1])
        campaign_verbs.change(session, made, revision=made.revision, pace_per_minute=10)
        assert session.get_one(Campaign, number).pace_per_minute == 10


async def test_one_recipient_whose_letter_cannot_be_made_stops_no_other(company: Company, context: Context):
    context, channel = company(), MemoryChannel()
    with context.transaction() as session:
        ids = people(session, 5)
        session.get_one(Contact, ids[2]).name = ""
        made = campaign_verbs.create(session, "Names", contact_ids=ids)
        campaign_verbs.write(session, made, "en", subject="For {{ client.name }}", body="Hello.")
        campaign_verbs.start(session, made, now=now(session))
    move(context)
    with context.transaction() as session:
        session.execute(
            text('update delivery set "values" = \'{"client": {"name": [1]}}\' where contact_id = :id'),
            {"id": ids[2]},
        )
    await send_all(context, channel)
    assert len(channel.sent) == 4
    with context.transaction() as session:
        assert session.scalars(select(Delivery.state).where(Delivery.contact_id == ids[2])).one() == (
            DeliveryState.REFUSED
        )


def test_a_mailing_whose_segment_is_gone_asks_and_stops_no_other(company: Company):
    context = company()
    with context.transaction() as session:
        tree = {"version": 1, "group": "all", "of": [{"fact": "language", "values": ["lt"]}]}
        segment = add_segment(session, "Gone", parse(tree))
        broken = mailing(session, [], segment_id=segment.id)
        campaign_verbs.start(session, broken, now=now(session))
        with pytest.raises(Conflict):
            archive_segment(session, segment)
        segment.archived_at = func.now()
        fine = mailing(session, people(session, 4))
        campaign_verbs.start(session, fine, now=now(session))
        numbers = broken.id, fine.id
    move(context)
    assert state(context, numbers[0]) == "asking"
    assert recipients(context, numbers[1]) == {"queued": 4}


def test_a_mailing_goes_to_the_main_address(company: Company):
    context = company()
    with context.transaction() as session:
        (one,) = people(session, 1)
        session.add(ContactPoint(contact_id=one, kind=PointKind.EMAIL, value="main@own.example", main=True))
        campaign_verbs.start(session, mailing(session, [one]), now=now(session))
    move(context)
    with context.transaction() as session:
        assert session.scalars(select(Delivery.address)).one() == "main@own.example"


def test_two_records_merged_on_the_way_get_one_letter(company: Company):
    context = company()
    with context.transaction() as session:
        stays, gone = people(session, 2)
        made = mailing(session, [stays, gone], pace_per_minute=1)
        campaign_verbs.start(session, made, now=now(session))
        begun, number = now(session), made.id
    move(context, at=begun + timedelta(seconds=61), looks=4)
    assert recipients(context, number) == {"queued": 1, "waiting": 1}
    with context.transaction() as session:
        had = session.scalars(select(Delivery.contact_id)).one()
        other = gone if had == stays else stays
        merging.merge(session, Pair.CONTACT, other, had, staff_id=None)
    move(context, at=begun + timedelta(minutes=5))
    with context.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


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
