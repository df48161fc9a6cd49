"""Who writes or rings has an address or number that lives: what was given up is used again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import consent
from core.accounts import Channel
from core.calls import Call
from core.clock import now
from core.config import Settings
from core.consent import Scope, Suppression, SuppressionReason
from core.context import Context
from core.conversations import Message
from core.heardfrom import NOTED, NOTED_NUMBER
from tests.inbound import posting
from tests.inbound.posting import letter, run
from tests.twilio_local.house import CLIENT, OURS, PhoneHouse, phone_house, phone_settings

ONA = "ona@vandenis.lt"


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    context = Context(settings=posting.mail_settings(settings), engine=engine)
    with context.transaction() as session:
        posting.install(session)
        _give_up(session, Channel.EMAIL, ONA)
    return context


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """A company with a telephone, today, which has given up the client's number."""
    with phone_house(engine, phone_settings(tmp_path)) as house:
        house.exchange.clock = now().replace(microsecond=0)
        with house.looking() as session:
            for channel in (Channel.SMS, Channel.VOICE):
                _give_up(session, channel, CLIENT)
        yield house


def _give_up(session: Session, channel: Channel, address: str) -> None:
    consent.suppress(
        session, channel, address, scope=Scope.EVERYTHING, reason=SuppressionReason.BOUNCED,
        source="delivery:7",
    )  # fmt: skip
    session.execute(update(Suppression).values(created_at=func.now() - sa.text("interval '2 days'")))


def _closed(session: Session) -> set[str]:
    return set(session.scalars(select(Suppression.channel)))


def _told(session: Session, words: str) -> bool:
    return any(words == one["reason"] for trail in session.scalars(select(Message.trail)) for one in trail)


def test_who_writes_from_an_address_that_was_given_up_is_answered_again(context: Context) -> None:
    run(context, [letter()])
    with context.transaction() as session:
        assert _closed(session) == set()
        assert _told(session, NOTED)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(letter(auto_submitted="auto-replied"), id="a machine"),
        pytest.param(
            letter(sender="form@siurbliai.example", reply_to=f"Ona <{ONA}>"), id="a form that names it"
        ),
        pytest.param(letter(date="Mon, 02 Mar 2020 10:00:00 +0200"), id="long ago"),
    ],
)  # fmt: skip
def test_what_does_not_show_that_somebody_reads_there_opens_nothing(context: Context, raw: bytes) -> None:
    run(context, [raw])
    with context.transaction() as session:
        assert _closed(session) == {Channel.EMAIL}


def test_who_sends_an_sms_may_be_written_to_and_called_again(house: PhoneHouse) -> None:
    house.exchange.sms(CLIENT, OURS, "Laba diena, mano numeris vėl veikia.")
    house.work()
    with house.looking() as session:
        assert _closed(session) == set()
        assert _told(session, NOTED_NUMBER)


def test_who_sends_stop_from_a_number_that_was_given_up_has_stopped_it(house: PhoneHouse) -> None:
    house.exchange.sms(CLIENT, OURS, "STOP")
    house.work()
    with house.looking() as session:
        found = consent.suppression_of(session, Channel.SMS, CLIENT)
        assert found is not None
        assert found.reason == SuppressionReason.UNSUBSCRIBED


def test_who_rings_from_a_number_that_was_given_up_may_be_called_again(house: PhoneHouse) -> None:
    house.exchange.call(CLIENT, OURS)
    house.work()
    with house.looking() as session:
        assert session.scalars(select(Call)).one().message_id is not None
        assert _closed(session) == set()
        assert _told(session, NOTED_NUMBER)
