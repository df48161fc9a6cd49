"""What a client's letter does to their follow-ups and their deal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import defaults, sequences, staff
from core.accounts import Contact
from core.clock import now
from core.config import Settings
from core.context import Context
from core.conversations import Message
from core.deals import Deal, Stage, move
from core.sequences import Enrolment, EnrolmentState, StopReason
from tests.inbound import posting
from tests.inbound.posting import letter, run


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    """A house in which Ona has asked for a price and is in a follow-up."""
    context = Context(settings=posting.mail_settings(settings), engine=engine)
    with context.transaction() as session:
        posting.install(session)
        defaults.install(session)
        staff.add(session, email="jonas@siurbliai.example", name="Jonas", team="Sales", speaks=["lt", "en"])
    run(context, [letter()])
    with context.transaction() as session:
        sequence = sequences.current(session, "after_offer")
        assert sequence is not None
        contact = session.scalars(sa.select(Contact)).one()
        due = now() + timedelta(days=3)
        sequences.enrol(session, sequence, contact_id=contact.id, due_at=due)
    return context


def _enrolment(context: Context) -> Enrolment:
    with context.transaction() as session:
        return session.scalars(sa.select(Enrolment)).one()


def _reply(text: str, **headers: str) -> bytes:
    return letter(text=text, subject="Re: Siurblių kainos", message_id="<a2@vandenis.lt>", **headers)


def test_a_clients_letter_ends_their_follow_up(context: Context) -> None:
    run(context, [_reply("Ačiū, pagalvosime.")])
    enrolment = _enrolment(context)
    assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.REPLY)


def test_the_letter_tells_that_it_ended_a_follow_up(context: Context) -> None:
    run(context, [_reply("Ačiū, pagalvosime.")])
    with context.transaction() as session:
        trail = session.scalars(sa.select(Message.trail).order_by(Message.id.desc())).first()
    assert trail is not None
    assert "react" in [one["step"] for one in trail]


def test_an_automatic_letter_ends_nothing(context: Context) -> None:
    run(context, [_reply("Jūsų laiškas gautas.", auto_submitted="auto-replied")])
    assert _enrolment(context).state == EnrolmentState.ACTIVE


def test_somebody_away_is_waited_for_until_they_are_back(context: Context) -> None:
    back = (now() + timedelta(days=20)).date()
    text = f"Laba diena, šiuo metu atostogauju. Grįšiu {back.isoformat()}."
    run(
        context,
        [
            letter(
                text=text,
                subject="Automatinis atsakymas: Nesu biure",
                message_id="<a3@vandenis.lt>",
                auto_submitted="auto-replied",
            )
        ],
    )
    enrolment = _enrolment(context)
    assert enrolment.state == EnrolmentState.ACTIVE
    assert enrolment.due_at == datetime(back.year, back.month, back.day, tzinfo=UTC)


def test_what_the_client_asks_for_proposes_the_stage(context: Context) -> None:
    run(context, [_reply("Kokia būtų dvidešimties kaina?")])
    with context.transaction() as session:
        deal = session.scalars(sa.select(Deal)).one()
        assert deal.proposed_stage is not None
        assert deal.proposed_stage.key == "commercial_offer"
        assert deal.stage.key == "first_contact"


def test_a_proposal_is_gone_once_the_deal_moves(context: Context) -> None:
    run(context, [_reply("Kokia būtų dvidešimties kaina?")])
    with context.transaction() as session:
        deal = session.scalars(sa.select(Deal)).one()
        move(session, deal, session.scalars(sa.select(Stage).where(Stage.key == "commercial_offer")).one())
        assert deal.proposed_stage_id is None
