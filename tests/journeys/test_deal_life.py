"""Two whole deals over real servers with a moved clock: one is won and cared for, the other ends lost."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import (
    approvals,
    callnotes,
    db,
    ledger,
    meetings,
    meetings_mail,
    offers,
    payments,
    sequences,
    sequencespec,
    staff,
)
from core.approvalasks import Approval, ApprovalState
from core.callnotes import Logged, Note
from core.calls import CallOutcome
from core.catalogue import Product
from core.config import load_settings
from core.conversations import Conversation, Direction
from core.deals import Deal, DealLine, LossReason, Outcome, Stage, WinReason
from core.errors import InputRefused
from core.meetings import Invited, MeetingKind, Plan
from core.meetings_ical import Method
from core.outbox import Delivery, DeliveryState
from core.sequences import Enrolment, EnrolmentState, EnrolmentStep
from core.staff import Role, StaffMember
from core.stages import close, enter_stage
from core.worktime import Calendar
from desk.demo.programs import SETTINGS_FILE
from outbound.sequences import House, plan, tick
from templates.asread import keep_as_read
from tests.inbound.calendarletters import google
from tests.journeys import test_mail
from tests.journeys.mailhouse import DOMAIN
from tests.journeys.test_mail import CLIENTS, LETTERS, World

pytestmark = pytest.mark.long

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
        staff.add(session, email=f"helga@{DOMAIN}", name="Helga", role=Role.HEAD)
        _stage(session, "after_sale").sequence = "care"
        _stage(session, "commercial_offer").automatic_on = ["call_agreed"]
    for language in ("lt", "en"):
        subject, words = LETTERS[language]
        life.mail.deliver("sales", test_mail._letter(CLIENTS[language], subject, words, f"first-{language}"))
    life.wait_for("both inquiries", lambda session: test_mail._understood(session) == 2)
    _newest(life, 2)

    _brochure_silence_follow_up_and_reply(life)
    _the_demo_is_accepted_by_calendar(life)
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


def _talk(session: Session) -> Conversation:
    return session.scalars(select(Conversation).where(Conversation.language == "lt")).one()


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


def _newest(life: World, expected: int) -> EmailMessage:
    """The newest letter that came to a client, once there are so many; colleagues get some as well."""
    life.wait_for(f"letter {expected}", lambda _session: len(_letters(life)) >= expected)
    found = _letters(life)
    assert len(found) == expected, [str(one["Subject"]) for one in found]
    return found[-1]


def _letters(life: World) -> list[EmailMessage]:
    read = [email.message_from_bytes(one, policy=email.policy.default) for one in life.mail.received()]
    return [one for one in read if DOMAIN not in str(one["To"])]


def _brochure_silence_follow_up_and_reply(life: World) -> None:
    _enter(life, "need_identified")
    brochure = _newest(life, 3)
    (pdf,) = brochure.iter_attachments()
    assert pdf.get_content_type() == "application/pdf"
    with db.transaction(life.engine) as session:
        _leaves_now(session, _until_due(session))
    follow_up = _newest(life, 4)
    assert str(brochure["Message-ID"]) in str(follow_up["References"])
    reply = test_mail._letter(
        CLIENTS["lt"], f"Re: {follow_up['Subject']}", "Ačiū, norėtume pamatyti siurblį.", "reply",
        In_Reply_To=str(follow_up["Message-ID"]),
    )  # fmt: skip
    life.mail.deliver("sales", reply)
    life.wait_for("the reply", lambda session: test_mail._understood(session) == 3)
    with db.transaction(life.engine) as session:
        assert [message.direction for message in _talk(session).messages].count(Direction.IN) == 2


def _the_demo_is_accepted_by_calendar(life: World) -> None:
    _enter(life, "demo")
    _newest(life, 5)
    planned = meetings_mail.house_of(load_settings(life.service.log_file.parent / SETTINGS_FILE))
    with db.transaction(life.engine) as session:
        deal, talk = _deal(session), _talk(session)
        assert len(sequences.live_of(session, deal_id=deal.id)) == 1
        now = session.execute(select(func.now())).scalar_one()
        rasa = session.get_one(StaffMember, deal.owner_id)
        starts = now.replace(microsecond=0) + timedelta(days=4)
        meeting = meetings.plan(
            session,
            Plan("Siurblio demonstracija", starts, starts + timedelta(hours=1), MeetingKind.DEMO),
            [Invited("ona@vandenis.test", "Ona", talk.contact_id)],
            organizer=rasa, host=planned.host, conversation=talk, deal=deal, mailbox=talk.mailbox,
        )  # fmt: skip
        meetings_mail.send(session, meeting, Method.REQUEST, planned, by=rasa, now=now)
    invitation = _newest(life, 6)
    assert "text/calendar" in [part.get_content_type() for part in invitation.walk()]
    yes = google(meeting, "ona@vandenis.test", "ACCEPTED", to=f"sales@{DOMAIN}")
    life.mail.deliver("sales", yes)
    life.wait_for("the yes", lambda session: meetings.accepted(session, _deal(session).id))
    with db.transaction(life.engine) as session:
        assert sequences.live_of(session, deal_id=_deal(session).id) == []


def _a_call_moves_the_deal_and_takes_back_the_waiting_letter(life: World) -> None:
    with db.transaction(life.engine) as session:
        product = session.scalars(select(Product)).one()
        deal = _deal(session)
        deal.lines.append(DealLine(product=product, quantity=Decimal(10), price=Decimal(480)))
        offers.set_approver(session, deal, "role:head", by=deal.owner_id or 0)
    _enter(life, "technical_proposal")
    _approve(life)
    proposal = _newest(life, 7)
    assert [one.get_content_type() for one in proposal.iter_attachments()] == ["application/pdf"]
    with db.transaction(life.engine) as session:
        waiting = _until_due(session).id
    with db.transaction(life.engine) as session:
        deal = _deal(session)
        talk = _talk(session)
        now = session.execute(select(func.now())).scalar_one()
        callnotes.log_call(
            session, talk, deal.owner_id or 0,
            Logged(key="1", direction=Direction.OUT, happened_at=now - timedelta(minutes=9), seconds=300),
            Note(CallOutcome.NEXT_STEP, "They want prices.", "Offer", now + timedelta(days=1)),
        )  # fmt: skip
        session.expire_all()
        assert deal.stage.key == "commercial_offer"
        assert session.get_one(Delivery, waiting).state == DeliveryState.CANCELLED
    _approve(life)
    offer = _newest(life, 8)
    (pdf,) = offer.iter_attachments()
    assert "KP-" in f"{offer['Subject']} {pdf.get_filename()}"


def _approve(life: World) -> None:
    """The head of sales reads what waits and lets it go."""
    with db.transaction(life.engine) as session:
        approval = session.scalars(select(Approval).where(Approval.state == ApprovalState.WAITING)).one()
        delivery = session.get_one(Delivery, approval.delivery_id)
        assert delivery.state == DeliveryState.HELD
        head = session.scalars(select(StaffMember.id).where(StaffMember.role == Role.HEAD)).one()
        approvals.approve(session, approval.id, by=head)
        keep_as_read(session, delivery)


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
