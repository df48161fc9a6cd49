"""Letters that wait for somebody's word: who is asked, what a word does, and what is told instead of sent."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import absences, approvalrules, approvals, approvers, consent, outbox
from core.accounts import Channel
from core.approvalasks import TRANSITIONS, Approval, ApprovalState, Cause
from core.approvers import Colleague, Whose
from core.audit import AuditEntry
from core.consent import Scope, SuppressionReason
from core.conversations import Conversation, Message
from core.deals import Outcome, Stage, WinReason
from core.errors import IllegalTransition, InputRefused, NotAllowed
from core.letters import OFFER_HOLDS, UNDO, answer
from core.outbox import Delivery, DeliveryState
from core.staff import Role, StaffMember
from core.stages import close, enter_stage
from tests.core.people import client, colleague, deal_with_lines, letter


class Desk:
    """An agent with a deal whose offers the head has to see."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.agent = colleague(session)
        self.head = colleague(session, "Helen", role=Role.HEAD)
        self.deal = deal_with_lines(session, client(session), self.agent)
        approvalrules.set_rule(session, "commercial_offer", "role:head", by=self.head.id)

    def offer(self, by: StaffMember | None = None) -> tuple[Approval | None, Delivery]:
        """Move the deal to its offer."""
        stage = self.session.scalars(select(Stage).where(Stage.key == "commercial_offer")).one()
        _, number = enter_stage(
            self.session, self.deal, stage, staff=by or self.agent, override=True, reason="-"
        )
        delivery = self.session.get_one(Delivery, number)
        return self.session.scalar(select(Approval).where(Approval.delivery_id == number)), delivery

    def waiting(self) -> tuple[Approval, Delivery]:
        """The same, known to wait."""
        approval, delivery = self.offer()
        assert approval is not None
        return approval, delivery


@pytest.fixture
def desk(session: Session) -> Desk:
    """The agent, the head and the deal."""
    return Desk(session)


def test_an_offer_waits_for_the_head_and_then_leaves_after_the_time_to_undo(desk: Desk) -> None:
    approval, delivery = desk.waiting()
    assert (delivery.state, approval.approver_ids, approval.asker_id) == (
        "held",
        [desk.head.id],
        desk.agent.id,
    )
    approvals.approve(desk.session, approval.id, by=desk.head.id)
    desk.session.refresh(delivery)
    now = desk.session.scalar(select(outbox.func.now()))
    assert (delivery.state, delivery.due_at - now) == (DeliveryState.QUEUED, UNDO)
    deeds = desk.session.scalars(select(AuditEntry.deed).where(AuditEntry.kind == "approval")).all()
    assert list(deeds) == ["approved"]


def test_whoever_may_approve_waits_for_nobody(desk: Desk) -> None:
    approval, delivery = desk.offer(by=desk.head)
    assert (approval, delivery.state) == (None, DeliveryState.QUEUED)


def test_who_may_say_yes_by_the_rule_still_waits_for_whom_the_deal_names(desk: Desk) -> None:
    desk.deal.approver = f"person:{desk.head.email}"
    approvalrules.set_rule(desk.session, "commercial_offer", f"person:{desk.agent.email}", by=desk.head.id)
    approval, _delivery = desk.waiting()
    assert (approval.cause, approval.approver_ids) == (Cause.OFFER, [desk.head.id])


def test_an_offer_by_fax_waits_as_well(desk: Desk) -> None:
    draft = outbox.Draft(
        "fax", "+37052123456", channel=Channel.FAX, staff_id=desk.agent.id, deal_id=desk.deal.id,
        documents=["commercial_offer"],
    )  # fmt: skip
    number = outbox.queue(desk.session, draft)
    assert desk.session.get_one(Delivery, number).state == DeliveryState.HELD


def test_who_asked_does_not_become_who_decides_when_the_head_goes_away(desk: Desk) -> None:
    approval, _delivery = desk.waiting()
    today = desk.session.execute(select(func.current_date())).scalar_one()
    absences.add(desk.session, desk.head, today, today, deputy_id=desk.agent.id)
    approvals.look_after(desk.session)
    assert desk.agent.id not in approval.approver_ids


def test_a_rule_may_hold_for_large_sums_only(desk: Desk) -> None:
    approvalrules.set_rule(
        desk.session, "commercial_offer", "role:head", least_total=desk.deal.total.amount * 2
    )
    assert desk.offer()[1].state == DeliveryState.QUEUED


def test_a_deal_may_ask_for_itself(desk: Desk) -> None:
    approvalrules.set_rule(desk.session, "commercial_offer", "")
    desk.deal.approver = f"person:{desk.head.email}"
    approval, _ = desk.waiting()
    assert (approval.cause, approval.approver_ids) == ("offer", [desk.head.id])


def test_a_returned_letter_is_made_anew_when_it_is_asked_again(desk: Desk) -> None:
    approval, delivery = desk.waiting()
    with pytest.raises(InputRefused):
        approvals.give_back(desk.session, approval.id, "  ", by=desk.head.id)
    approvals.give_back(desk.session, approval.id, "Too cheap", by=desk.head.id)
    desk.deal.lines[0].price += 100
    desk.session.flush()
    approvals.ask_again(desk.session, approval.id, by=desk.agent.id)
    assert (approval.state, delivery.values["deal"]["lines"][0]["price"]) == ("waiting", "599.99")
    approvals.approve(desk.session, approval.id, by=desk.head.id)
    assert approval.state == ApprovalState.APPROVED


def test_a_word_is_taken_back_while_the_letter_is_here(desk: Desk) -> None:
    approval, delivery = desk.waiting()
    approvals.approve(desk.session, approval.id, by=desk.head.id)
    approvals.take_back(desk.session, approval.id, by=desk.head.id)
    desk.session.refresh(delivery)
    assert (approval.state, delivery.state) == ("waiting", "held")
    approvals.approve(desk.session, approval.id, by=desk.head.id)
    desk.session.execute(update(Delivery).values(state=DeliveryState.CLAIMED))
    with pytest.raises(IllegalTransition):
        approvals.take_back(desk.session, approval.id, by=desk.head.id)


def test_an_approved_letter_is_queued_once_however_often_the_key_is_pressed(desk: Desk) -> None:
    approval, _ = desk.waiting()
    approvals.approve(desk.session, approval.id, by=desk.head.id)
    with pytest.raises(IllegalTransition):
        approvals.approve(desk.session, approval.id, by=desk.head.id)


def test_only_who_was_asked_or_leads_decides_and_never_who_asks(desk: Desk) -> None:
    approval, _ = desk.waiting()
    with pytest.raises(NotAllowed):
        approvals.approve(desk.session, approval.id, by=desk.agent.id)
    stranger = colleague(desk.session, "Jonas")
    with pytest.raises(NotAllowed):
        approvals.give_back(desk.session, approval.id, "no", by=stranger.id)


@pytest.mark.parametrize(
    ("change", "state", "note", "delivery_state"),
    [
        ("closed", "outdated", "deal_closed", "cancelled"),
        ("moved", "outdated", "deal_moved", "cancelled"),
        ("opted_out", "outdated", "opted_out", "suppressed"),
        ("price", "returned", "offer_changed", "held"),
    ],
)
def test_what_is_out_of_date_is_told_and_not_sent(
    desk: Desk, change: str, state: str, note: str, delivery_state: str
) -> None:
    approval, delivery = desk.waiting()
    session = desk.session
    if change == "closed":
        close(session, desk.deal, Outcome.WON, win_reason=WinReason.PRICE, by=desk.agent.id)
    elif change == "moved":
        stage = session.scalars(select(Stage).where(Stage.key == "contract")).one()
        enter_stage(session, desk.deal, stage, staff=desk.agent, override=True, reason="-")
    elif change == "opted_out":
        consent.suppress(
            session, Channel.EMAIL, delivery.address, scope=Scope.EVERYTHING,
            reason=SuppressionReason.MANUAL, source="test",
        )  # fmt: skip
    else:
        desk.deal.lines[0].price += 1
        session.flush()
    approvals.approve(session, approval.id, by=desk.head.id)
    session.refresh(delivery)
    assert (approval.state, approval.note, delivery.state) == (state, note, delivery_state)


def test_a_look_a_minute_tells_it_without_anybody_pressing(desk: Desk) -> None:
    approval, _ = desk.waiting()
    close(desk.session, desk.deal, Outcome.WON, win_reason=WinReason.PRICE, by=desk.agent.id)
    assert approvals.look_after(desk.session) == 1
    assert approval.state == ApprovalState.OUTDATED


def test_a_deputy_decides_for_who_is_away(desk: Desk) -> None:
    approval, _ = desk.waiting()
    deputy = colleague(desk.session, "Dalia")
    today = desk.session.scalar(select(outbox.func.current_date()))
    assert isinstance(today, date)
    absences.add(desk.session, desk.head, today, today + timedelta(days=3), deputy_id=deputy.id)
    assert approvals.look_after(desk.session) == 1
    assert (approval.approver_ids, approval.standing_in) == ([deputy.id], True)
    approvals.approve(desk.session, approval.id, by=deputy.id)
    assert approval.state == ApprovalState.APPROVED


def test_words_by_hand_wait_where_the_writer_wants_it_and_may_be_edited(session: Session) -> None:
    rasa, helen = colleague(session), colleague(session, "Helen", role=Role.HEAD)
    talk = letter(session, client(session)).conversation
    draft = answer(session, talk, rasa, key="1", body="Labas")
    number = outbox.queue(session, dataclasses.replace(draft, approver="hand=role:head"))
    assert number is not None
    approval = session.scalars(select(Approval)).one()
    session.refresh(talk)
    assert talk.waiting, "the client still waits for an answer"
    approvals.edit(session, approval.id, subject="Siurbliai", body="Laba diena", by=helen.id)
    assert session.scalars(select(Message.text).where(Message.delivery_id == number)).one() == "Laba diena"
    approvals.approve(session, approval.id, by=helen.id)
    session.refresh(talk)
    assert session.get_one(Delivery, number).values["answer"]["text"] == "Laba diena"
    assert not session.get_one(Conversation, talk.id).waiting


_PEOPLE = st.lists(
    st.builds(
        Colleague,
        st.integers(1, 6),
        st.sampled_from(["a@x.lt", "b@x.lt"]),
        st.sampled_from(list(Role)),
        st.sampled_from(["Sales", None]),
        st.booleans(),
        st.none() | st.integers(1, 6),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(st.sampled_from(["owner", "curator", "role:head", "team:Sales", "person:a@x.lt"]), _PEOPLE)
def test_somebody_who_may_read_letters_is_always_asked_where_there_is_a_leader(
    spec: str, people: list[Colleague]
) -> None:
    chosen = approvers.choose(spec, people, Whose(1, 2, 3))
    able = {one.id: one for one in people if one.role is not Role.MARKETING}
    assert set(chosen.ids) <= set(able)
    if any(one.role in approvers.LEADING for one in able.values()):
        assert chosen.ids
    if any(able[number].here for number in chosen.ids):
        assert all(able[number].here for number in chosen.ids)


def test_every_state_has_its_ways_and_the_last_one_has_none() -> None:
    assert set(TRANSITIONS) == set(ApprovalState)
    assert TRANSITIONS[ApprovalState.WITHDRAWN] == frozenset()


def test_an_offer_binds_from_the_day_on_which_it_leaves(desk: Desk) -> None:
    approval, delivery = desk.waiting()
    old = {**delivery.values["deal"], "valid_until": "2020-01-01"}
    delivery.values = {**delivery.values, "deal": old}
    desk.session.flush()
    approvals.approve(desk.session, approval.id, by=desk.head.id)
    today = desk.session.scalar(select(outbox.func.current_date()))
    assert delivery.values["deal"]["valid_until"] == (today + OFFER_HOLDS).isoformat()
