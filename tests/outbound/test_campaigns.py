"""A mailing reaches each of its audience once, and nobody who must not be reached."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from core import campaign_verbs
from core.accounts import Contact
from core.context import Context
from core.errors import Conflict
from core.outbox import Delivery, DeliveryState
from core.segments import add as add_segment
from core.segments import archive as archive_segment
from core.segments_language import parse
from outbound.campaigns import tick
from outbound.channels.memory import MemoryChannel
from tests.outbound.audiences import (
    HOUSE,
    copies,
    mailing,
    move,
    now,
    people,
    recipients,
    started,
    state,
)
from tests.outbound.conftest import Company, send_all


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
