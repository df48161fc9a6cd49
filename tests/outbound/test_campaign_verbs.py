"""What a person does with a mailing under way: pause, resume, cancel, edit, where the table lets them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core import campaign_verbs, outbox
from core.campaigns import TRANSITIONS, Campaign, CampaignState
from core.errors import Conflict, IllegalTransition, InputRefused
from core.outbox import Delivery
from outbound.channels.memory import MemoryChannel
from tests.outbound.audiences import (
    copies,
    mailing,
    move,
    now,
    people,
    started,
)
from tests.outbound.conftest import Company, due_now, send_all


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
