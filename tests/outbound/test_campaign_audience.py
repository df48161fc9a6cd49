"""Who is in the audience of a mailing, and who is left out of it for which reason."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, text

from core import campaign_verbs, consent, merging, outbox
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.campaign_audience import freeze
from core.campaigns import CampaignRecipient
from core.consent import Consent, Scope, SuppressionReason
from core.duplicates import Pair
from core.outbox import Delivery, Draft, Purpose
from core.segments import add as add_segment
from core.segments_language import parse
from outbound.channels.memory import MemoryChannel
from tests.outbound.audiences import (
    copies,
    mailing,
    move,
    now,
    people,
    recipients,
    started,
)
from tests.outbound.conftest import Company, send_all


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
