"""Two whole deals over real servers with a moved clock: one is won and cared for, the other ends lost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import callnotes, db, ledger, payments, sequences, sequencespec
from core.callnotes import Logged, Note
from core.calls import CallOutcome
from core.catalogue import Product
from core.conversations import Conversation, Direction
from core.deals import Deal, DealLine, LossReason, Outcome, Stage, WinReason
from core.errors import InputRefused
from core.outbox import Delivery, DeliveryState
from core.sequences import Enrolment, EnrolmentState, EnrolmentStep
from core.stages import close, enter_stage
from core.worktime import Calendar
from outbound.sequences import House, plan, tick
from tests.journeys import test_mail
from tests.journeys.test_mail import CLIENTS, LETTERS, World

life = test_mail.world
HOUSE = House(Calendar())
CARE = {
    "key": "care", "names": {"en": "Care", "ru": "Забота", "lt": "Priežiūra"}, "stop_on": [], "once": False,
    "exclusive": False, "least_gap_hours": 24, "note": "",
    "steps": [{"kind": "email", "days": 10, "hours": 0, "template": "follow_up", "titles": {}}],
}  # fmt: skip


@pytest.mark.parametrize("life", ["packaged"], indirect=True)
def test_one_deal_is_won_and_another_lost(life: World) -> None:
    with db.transaction(life.engine) as session:
        sequencespec.publish(session, CARE)
        _stage(session, "after_sale").sequence = "care"
        _stage(session, "commercial_offer").automatic_on = ["call_agreed"]
    for language in ("lt", "en"):
        subject, words = LETTERS[language]
        life.mail.deliver("sales", test_mail._letter(CLIENTS[language], subject, words, f"first-{language}"))
    life.wait_for("both inquiries", lambda session: test_mail._understood(session) == 2)
    life.received(2)

    _brochure_silence_and_follow_up(life)
    _the_reply_and_the_demo(life)
    _a_call_moves_the_deal_and_takes_back_the_waiting_letter(life)
    _won_with_care_planned(life)
    _lost_with_its_reason(life)
    with db.transaction(life.engine) as session:
        books = ledger.balance(session)
    assert books.sound, books.as_dict()


def _stage(session: Session, key: str) -> Stage:
    return session.scalars(select(Stage).where(Stage.key == key)).one()


def _deal(session: Session, language: str = "lt") -> Deal:
    talk = session.scalars(select(Conversation).where(Conversation.language == language)).one()
    return session.get_one(Deal, talk.deal_id)


def _enter(life: World, key: str, language: str = "lt") -> None:
    with db.transaction(life.engine) as session:
        deal = _deal(session, language)
        stage = _stage(session, key)
        enter_stage(session, deal, stage, staff=deal.owner, override=True, reason="the client asked")


def _until_due(session: Session) -> Delivery:
    """Let working days pass until the lithuanian client's next step is due; returns the letter it queued."""
    session.execute(
        text("update delivery set due_at = due_at - interval '30 days' where state in ('sent', 'delivered')")
    )
    one = session.scalars(
        select(Enrolment)
        .where(Enrolment.state == EnrolmentState.ACTIVE)
        .order_by(Enrolment.due_at, Enrolment.id)
        .limit(1)
    ).one()
    now = session.execute(select(func.now())).scalar_one()
    assert one.due_at > now
    assert tick(session, HOUSE, one.due_at) == 1
    step = session.scalars(select(EnrolmentStep).where(EnrolmentStep.enrolment_id == one.id)).one()
    return session.get_one(Delivery, step.delivery_id)


def _leaves_now(session: Session, delivery: Delivery) -> None:
    """The clock of the post has moved as well."""
    at = func.now()
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id)
        .values(due_at=at, expires_at=at + timedelta(days=1))
    )


def _brochure_silence_and_follow_up(life: World) -> None:
    _enter(life, "need_identified")
    brochure = life.received(3)[-1]
    (pdf,) = brochure.iter_attachments()
    assert pdf.get_content_type() == "application/pdf"
    with db.transaction(life.engine) as session:
        _leaves_now(session, _until_due(session))
    follow_up = life.received(4)[-1]
    assert str(brochure["Message-ID"]) in str(follow_up["References"])


def _the_reply_and_the_demo(life: World) -> None:
    _enter(life, "demo")
    invitation = life.received(5)[-1]
    reply = test_mail._letter(
        CLIENTS["lt"], f"Re: {invitation['Subject']}", "Ačiū, laikas tinka, iki pasimatymo.", "reply",
        In_Reply_To=str(invitation["Message-ID"]),
    )  # fmt: skip
    life.mail.deliver("sales", reply)
    life.wait_for("the reply", lambda session: test_mail._understood(session) == 3)
    with db.transaction(life.engine) as session:
        assert sequences.live_of(session, deal_id=_deal(session).id) == []
        talk = session.scalars(select(Conversation).where(Conversation.language == "lt")).one()
        assert [message.direction for message in talk.messages].count(Direction.IN) == 2


def _a_call_moves_the_deal_and_takes_back_the_waiting_letter(life: World) -> None:
    with db.transaction(life.engine) as session:
        product = session.scalars(select(Product)).one()
        deal = _deal(session)
        deal.lines.append(DealLine(product=product, quantity=Decimal(10), price=Decimal(480)))
    _enter(life, "technical_proposal")
    proposal = life.received(6)[-1]
    assert [one.get_content_type() for one in proposal.iter_attachments()] == ["application/pdf"]
    with db.transaction(life.engine) as session:
        waiting = _until_due(session).id
    with db.transaction(life.engine) as session:
        deal = _deal(session)
        talk = session.scalars(select(Conversation).where(Conversation.language == "lt")).one()
        now = session.execute(select(func.now())).scalar_one()
        callnotes.log_call(
            session, talk, deal.owner_id or 0,
            Logged(key="1", direction=Direction.OUT, happened_at=now - timedelta(minutes=9), seconds=300),
            Note(CallOutcome.NEXT_STEP, "They want prices.", "Offer", now + timedelta(days=1)),
        )  # fmt: skip
        session.expire_all()
        assert deal.stage.key == "commercial_offer"
        assert session.get_one(Delivery, waiting).state == DeliveryState.CANCELLED
    offer = life.received(7)[-1]
    (pdf,) = offer.iter_attachments()
    assert "KP-" in f"{offer['Subject']} {pdf.get_filename()}"


def _won_with_care_planned(life: World) -> None:
    for stage in ("contract", "payment", "delivery", "after_sale"):
        _enter(life, stage)
    with db.transaction(life.engine) as session:
        deal = _deal(session)
        payments.pay(session, deal, amount=payments.owed(session, deal).amount, number="1",
                     paid_on=session.execute(select(func.current_date())).scalar_one())  # fmt: skip
        with pytest.raises(InputRefused):
            close(session, deal, Outcome.WON)
        close(session, deal, Outcome.WON, win_reason=WinReason.SERVICE, by=deal.owner_id)
        (care,) = sequences.live_of(session, deal_id=deal.id)
        assert [step.template for step, _ in plan(care, HOUSE)] == ["follow_up"]
        sequences.pause(session, care)


def _lost_with_its_reason(life: World) -> None:
    with db.transaction(life.engine) as session:
        product = session.scalars(select(Product)).one()
        deal = _deal(session, "en")
        deal.lines.append(DealLine(product=product, quantity=Decimal(1), price=Decimal(480)))
    _enter(life, "commercial_offer", "en")
    life.wait_for("the offer is out", lambda session: _sent(session, "commercial_offer") == 2)
    with db.transaction(life.engine) as session:
        waiting = _until_due(session).id
    with db.transaction(life.engine) as session:
        deal = _deal(session, "en")
        with pytest.raises(InputRefused):
            close(session, deal, Outcome.LOST)
        close(session, deal, Outcome.LOST, loss_reason=LossReason.PRICE, note="Dearer by a fifth.")
        assert (deal.outcome, deal.loss_reason) == (Outcome.LOST, LossReason.PRICE)
        assert sequences.live_of(session, deal_id=deal.id) == []
        session.expire_all()
        assert session.get_one(Delivery, waiting).state == DeliveryState.CANCELLED


def _sent(session: Session, template: str) -> int:
    left = select(func.count()).where(
        Delivery.template == template, Delivery.state.in_([DeliveryState.SENT, DeliveryState.DELIVERED])
    )
    return session.scalar(left) or 0
