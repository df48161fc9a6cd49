"""Whole calls, from a ring to the client's history: documents run verb by verb, webhooks signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from core import routingrules
from core.accounts import Channel, Contact
from core.calls import Call, CallLeg, CallState, Recording
from core.clock import now
from core.context import Context
from core.conversations import Conversation, Direction, Message
from core.outbox import Delivery
from core.phoneevents import PhoneEvent
from core.staff import StaffMember
from core.tasks import Task, TaskState
from desk.commands.ledger import at_twilio, shown_phone
from tests.twilio_local.api import serving
from tests.twilio_local.house import (
    CLIENT,
    CLOSED,
    OURS,
    OWNER,
    SECOND,
    STRANGER,
    SUPPORT,
    SWITCHBOARD,
    PhoneHouse,
    phone_house,
    phone_settings,
)
from tests.twilio_local.people import Answer, Callee, Caller


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """A company whose telephone is open."""
    with phone_house(engine, phone_settings(tmp_path)) as house:
        yield house
        assert house.exchange.errors == []


@pytest.fixture
def closed(engine: sa.Engine, tmp_path: Path) -> Iterator[PhoneHouse]:
    """The same company at night."""
    with phone_house(engine, phone_settings(tmp_path, CLOSED)) as house:
        yield house
        assert house.exchange.errors == []


def only_call(house: PhoneHouse) -> Call:
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        (call,) = house.calls(session)
        assert session.scalar(select(func.count()).where(PhoneEvent.state != "applied")) == 0
        return call


def test_known_client_is_put_through_to_the_owner_of_the_deal_without_a_menu(house: PhoneHouse) -> None:
    house.exchange.call(CLIENT, OURS)
    call = only_call(house)
    assert house.exchange.rung == [OWNER]
    assert house.exchange.heard == [
        "Skambina Ona Žukauskaitė, UAB „Vandenis“. Norėdami atsiliepti, spauskite vieną."
    ]
    assert call.state == CallState.ANSWERED
    with house.looking() as session:
        owner = session.scalars(select(StaffMember).where(StaffMember.phone == OWNER)).one()
        talk = session.get_one(Conversation, call.conversation_id)
        assert (call.staff_id, talk.assignee_id) == (owner.id, owner.id)
        assert (talk.contact.name if talk.contact else None) == "Ona Žukauskaitė"
        assert talk.deal_id is not None
        assert session.scalar(select(func.count()).select_from(Task)) == 0
        message = session.get_one(Message, call.message_id)
        assert (message.direction, message.text) == (
            Direction.IN,
            f"Pokalbis su darbuotoju, {call.seconds} s.",
        )


def test_stranger_goes_in_russian_through_the_menu_to_the_topics_team(house: PhoneHouse) -> None:
    house.exchange.call(STRANGER, OURS, Caller(keys=["2", "2"]))
    call = only_call(house)
    assert house.exchange.rung[0] == SUPPORT
    assert (call.language, call.topic, call.state) == ("ru", "support_problem", CallState.ANSWERED)
    assert "Техническая поддержка — нажмите 2." in house.exchange.heard
    with house.looking() as session:
        contact = session.get_one(Contact, call.contact_id)
        assert (contact.source, contact.phone, contact.language) == ("call", STRANGER, "ru")


def test_rules_that_letters_go_by_hold_for_calls_and_the_call_says_which_decided(house: PhoneHouse) -> None:
    with house.looking() as session:
        support = session.scalars(select(StaffMember).where(StaffMember.phone == SUPPORT)).one()
        routingrules.add(session, {"language": "ru"}, team_id=support.team_id, by=support.id)
        support_id = support.id
    house.exchange.book[SUPPORT] = Callee(Answer.BUSY)
    house.exchange.call(STRANGER, OURS, Caller(keys=["2", "1"], message_seconds=4))
    call = only_call(house)
    assert house.exchange.rung == [SUPPORT]
    assert any("custom:language=ru" in step["reason"] for step in call.route)
    with house.looking() as session:
        assert session.get_one(Conversation, call.conversation_id).assignee_id == support_id


def test_all_busy_leads_to_voicemail_and_a_call_back_task_with_its_deadline(house: PhoneHouse) -> None:
    house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
    house.exchange.call(CLIENT, OURS, Caller(message_seconds=9))
    call = only_call(house)
    assert house.exchange.rung == [OWNER, SECOND]
    assert (call.state, call.voicemail_seconds) == (CallState.VOICEMAIL, 9)
    with house.looking() as session:
        task = session.scalars(select(Task)).one()
        assert (task.kind, task.title) == ("call_back", "Perskambinti: Ona Žukauskaitė, UAB „Vandenis“")
        assert task.due_at is not None
        assert task.assignee_id is not None
        assert task.deal_id is not None
        assert session.scalars(select(Recording)).one().seconds == 9


def test_mobile_whose_voicemail_answers_swallows_no_call(house: PhoneHouse) -> None:
    house.exchange.book[OWNER] = Callee(Answer.MACHINE)
    house.exchange.call(CLIENT, OURS)
    call = only_call(house)
    assert house.exchange.rung == [OWNER, SECOND]
    with house.looking() as session:
        second = session.scalars(select(StaffMember).where(StaffMember.phone == SECOND)).one()
        assert (call.state, call.staff_id) == (CallState.ANSWERED, second.id)


def test_out_of_hours_a_caller_leaves_a_message_in_their_language(closed: PhoneHouse) -> None:
    closed.exchange.call(SWITCHBOARD, OURS, Caller(message_seconds=5))
    call = only_call(closed)
    assert closed.exchange.rung == []
    assert closed.exchange.heard[0].startswith("Здравствуйте!")
    assert closed.exchange.heard[-1].startswith("Спасибо")
    assert call.state == CallState.VOICEMAIL


def test_caller_who_says_nothing_after_the_tone_is_a_missed_call(closed: PhoneHouse) -> None:
    closed.exchange.call(CLIENT, OURS)
    assert only_call(closed).state == CallState.MISSED


def test_two_contacts_with_one_switchboard_are_their_company_and_nobody_is_guessed(house: PhoneHouse) -> None:
    house.exchange.call(SWITCHBOARD, OURS)
    call = only_call(house)
    assert call.contact_id is None
    with house.looking() as session:
        assert (session.get_one(Call, call.id).account or Contact()).name == "AB „Baltic Heat“"


@pytest.mark.parametrize("number", [CLIENT, "+37061100002", "+37052111112"])
def test_one_contact_with_three_numbers_is_known_by_each(house: PhoneHouse, number: str) -> None:
    house.exchange.call(number, OURS)
    with house.looking() as session:
        name = session.scalar(select(Contact.name).where(Contact.id == only_call(house).contact_id))
    assert name == "Ona Žukauskaitė"


def test_second_call_joins_the_open_conversation(house: PhoneHouse) -> None:
    for _ in range(2):
        house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        assert len({call.conversation_id for call in house.calls(session)}) == 1
        assert session.scalar(select(func.count()).select_from(Message)) == 2


@pytest.mark.parametrize("caller", [STRANGER, CLIENT])
@pytest.mark.parametrize("verb", range(6))
def test_caller_who_hangs_up_at_any_step_is_on_record_and_rung_back(
    house: PhoneHouse, caller: str, verb: int
) -> None:
    """F55."""
    house.exchange.book = {one: Callee(Answer.SILENCE) for one in (OWNER, SECOND, SUPPORT)}
    house.exchange.call(caller, OURS, Caller(keys=["1", "1"], message_seconds=3, hangs_up_at=verb))
    call = only_call(house)
    assert call.state in {CallState.MISSED, CallState.VOICEMAIL}
    with house.looking() as session:
        assert session.scalars(select(Task)).one().state == TaskState.OPEN
        assert session.scalar(select(func.count()).where(CallLeg.call_id == call.id)) >= 1


def test_who_rings_three_times_is_rung_back_once_and_a_talk_does_it(house: PhoneHouse) -> None:
    house.exchange.clock = now()
    house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
    for _ in range(3):
        house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        task = session.scalars(select(Task)).one()
        assert {call.task_id for call in house.calls(session)} == {task.id}
    house.exchange.book[OWNER] = Callee()
    house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        assert session.scalars(select(Task)).one().state == TaskState.DONE


def test_withheld_number_is_on_record_and_nobody_is_asked_to_ring_it_back(house: PhoneHouse) -> None:
    house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
    house.exchange.call("anonymous", OURS)
    call = only_call(house)
    assert (call.state, call.caller, call.contact_id, call.task_id) == (
        CallState.MISSED,
        "anonymous",
        None,
        None,
    )


def test_single_ring_from_an_expensive_country_is_no_task_and_no_contact(closed: PhoneHouse) -> None:
    """B58."""
    closed.exchange.call("+25261234567", OURS, Caller(hangs_up_at=0))
    call = only_call(closed)
    assert (call.state, call.contact_id, call.task_id) == (CallState.MISSED, None, None)


def test_recorded_number_announces_it_before_anything_is_recorded(engine: sa.Engine, tmp_path: Path) -> None:
    with phone_house(engine, phone_settings(tmp_path, {"recorded_numbers": [OURS]})) as house:
        house.exchange.call(CLIENT, OURS)
        call = only_call(house)
        assert "Pokalbis gali būti įrašomas" in house.exchange.heard[0]
        with house.looking() as session:
            recording = session.scalars(select(Recording)).one()
            assert (recording.call_id, recording.state) == (call.id, "completed")


def test_blocked_number_is_refused_and_costs_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    with phone_house(engine, phone_settings(tmp_path, {"blocked": [STRANGER]})) as house:
        leg = house.exchange.call(STRANGER, OURS)
        assert leg.status == "busy"
        assert only_call(house).state == CallState.REJECTED


def test_ledger_names_what_twilio_holds_and_we_do_not(engine: sa.Engine, tmp_path: Path) -> None:
    with phone_house(engine, phone_settings(tmp_path)) as house, serving(house.exchange) as api:
        context = Context(phone_settings(tmp_path, api_base=api.base), engine)
        house.exchange.clock = now().replace(microsecond=0)
        leg = house.exchange.call(CLIENT, OURS)
        with house.looking() as session:
            session.execute(sa.delete(PhoneEvent))
        books = at_twilio(context)
        shown = shown_phone({"stored": 0}, books)
        assert leg.sid in shown
        api.faults = [503]
        assert "was not compared: Twilio answers 503." in shown_phone({"stored": 0}, at_twilio(context))


def test_client_whose_call_was_missed_is_told_by_sms_where_so_set_and_a_stranger_is_not(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with phone_house(engine, phone_settings(tmp_path, {"missed_call_sms": True})) as house:
        house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
        for number in (CLIENT, STRANGER):
            house.exchange.call(number, OURS)
        for _ in range(2):
            house.exchange.deliver(doubled=0.9, shuffled=True)
            house.work()
        with house.looking() as session:
            told = session.scalars(select(Delivery).where(Delivery.channel == Channel.SMS)).all()
            assert [(one.address, one.template, one.language) for one in told] == [
                (CLIENT, "missed_call", "lt")
            ]
            assert session.scalar(select(func.count()).where(Task.kind == "call_back")) == 2


def test_first_to_be_rung_is_told_who_calls_and_the_next_when_their_telephone_rings(
    house: PhoneHouse,
) -> None:
    house.exchange.book[OWNER] = Callee(Answer.SILENCE)
    house.exchange.call(CLIENT, OURS)
    house.work()
    with house.looking() as session:
        members = {one.phone: one.id for one in session.scalars(select(StaffMember))}
        (call,) = house.calls(session)
        assert call.rung == [members[OWNER]]
    call = only_call(house)
    assert call.rung == [members[OWNER], members[SECOND]]
