"""Whole SMS and calls of ours, from the queue to the client's history, against a Twilio over a socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from core import byphone, outbox, transcripts
from core.accounts import Channel
from core.calls import Call, CallLeg, CallState, Recording
from core.clock import now
from core.consent import Suppression, SuppressionReason
from core.conversations import Conversation, Direction, Message
from core.outbox import Draft
from core.phoneorders import OrderKind
from core.tasks import Task
from core.transcripts import Speaker
from desk.demo.pickedup import PickedUp
from tests.twilio_local.exchange import ACCOUNT, Exchange
from tests.twilio_local.house import CLIENT, OURS, OWNER, PUBLIC, SECOND, STRANGER, SUPPORT, SWITCHBOARD
from tests.twilio_local.outgoing import Outgoing, contact_of, outgoing, owner
from tests.twilio_local.people import Answer, Callee

DEMO = {"demo": {"starts": "2026-11-26T10:00:00+02:00"}}


@pytest.fixture
def out(engine: sa.Engine, tmp_path: Path) -> Iterator[Outgoing]:
    """A company that may call at any hour."""
    with outgoing(engine, tmp_path) as house:
        yield house
        assert house.house.exchange.errors == []


def click(out: Outgoing, number: str = CLIENT) -> None:
    with out.context.transaction() as session:
        draft = byphone.click_to_call(
            session, owner(session), number, key="1", contact=contact_of(session, number)
        )
        outbox.queue(session, draft)
    out.send(Channel.VOICE)
    out.creator.place()
    out.told()


def remind(out: Outgoing, number: str = CLIENT) -> None:
    with out.context.transaction() as session:
        draft = byphone.automatic(
            session,
            contact_of(session, number),
            Channel.VOICE,
            template="demo_reminder",
            key="demo:1",
            values=DEMO,
        )
        outbox.queue(session, draft)
    out.send(Channel.VOICE)
    out.creator.place()
    out.told()


def the_call(out: Outgoing) -> Call:
    with out.house.looking() as session:
        (call,) = out.house.calls(session)
        return call


def test_click_to_call_rings_the_colleague_first_and_then_the_client(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(talk_seconds=125)
    click(out)
    exchange = out.house.exchange
    assert exchange.rung == [OWNER, CLIENT]
    assert exchange.heard == [
        "Jūsų skambutis: Ona Žukauskaitė, UAB „Vandenis“. Norėdami sujungti, spauskite vieną."
    ]
    call = the_call(out)
    assert (call.direction, call.state, call.called) == (Direction.OUT, CallState.ANSWERED, CLIENT)
    assert out.states() == ["delivered"]
    with out.house.looking() as session:
        assert call.staff_id == owner(session).id
        message = session.get_one(Message, call.message_id)
        assert message.text.startswith("Skambinome klientui, pokalbis")
        assert (message.direction, message.channel) == (Direction.OUT, Channel.VOICE)
        assert session.scalar(select(func.count()).select_from(Message)) == 1
        legs = session.scalars(select(CallLeg).order_by(CallLeg.id)).all()
        assert {leg.number for leg in legs} == {OWNER, CLIENT}
    (order,) = out.orders()
    assert (order.kind, order.units) == (OrderKind.CLICK, 6)


def test_call_by_click_is_recorded_only_where_so_set_and_after_the_client_was_told(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with outgoing(engine, tmp_path, phone={"recorded_calls_out": [OURS]}) as out:
        out.house.exchange.book[CLIENT] = Callee()
        click(out)
        told = "Laba diena, jums skambina Šiaurės siurbliai. Pokalbis įrašomas."
        assert out.house.exchange.heard[-1] == told
        assert out.house.exchange.errors == []
        call = the_call(out)
        with out.house.looking() as session:
            recording = session.scalars(select(Recording)).one()
            assert (recording.call_id, recording.state, recording.message) == (call.id, "completed", False)
            assert recording.next_fetch_at is not None
            assert [step["step"] for step in call.route] == ["click", "dial", "announce", "talked"]


def test_words_of_a_call_by_click_are_whose_they_are_and_in_the_clients_language(
    engine: sa.Engine, tmp_path: Path
) -> None:
    phone = {"recorded_calls_out": [OURS], "transcription": {"engine": "twilio"}}
    with outgoing(engine, tmp_path, phone=phone) as out:
        out.house.exchange.book[CLIENT] = Callee()
        documents: list[str] = []
        post = out.house.exchange.post

        def kept(*given: Any) -> tuple[int, str, str]:
            answer = post(*given)
            documents.append(answer[2])
            return answer

        out.house.exchange.post = kept
        with out.house.looking() as session:
            contact_of(session, CLIENT).language = "ru"
        click(out)
        (asked,) = [one for one in documents if "<Transcription" in one]
        assert 'languageCode="ru-RU"' in asked
        address = asked.partition('statusCallbackUrl="')[2].partition('"')[0]
        call = the_call(out)
        for position, (track, text) in enumerate(
            [("inbound_track", "Добрый день!"), ("outbound_track", "Пришлите, пожалуйста, предложение.")]
        ):
            told = {
                "AccountSid": ACCOUNT, "TranscriptionSid": "GT" + "1" * 32, "CallSid": call.sid,
                "TranscriptionEvent": "transcription-content", "SequenceId": str(position), "Track": track,
                "TranscriptionData": json.dumps({"transcript": text}),
            }  # fmt: skip
            assert out.house.exchange.request(address, told)[0] == 204
        out.house.work()
        with out.house.looking() as session:
            lines = transcripts.of_call(session, call.id)
            assert [line.speaker for line in lines] == [Speaker.US, Speaker.CLIENT]
            assert call.language == "ru"
            assert session.get_one(Conversation, call.conversation_id).language == "ru"


def test_colleague_hears_how_a_voice_sounds_and_it_stands_in_no_history(out: Outgoing) -> None:
    with out.context.transaction() as session:
        draft = byphone.trial_call(
            owner(session), key="1", text="Laba diena!", language="lt", voice="Google.lt-LT-Standard-B",
            at=now(),
        )  # fmt: skip
        outbox.queue(session, draft)
    out.send(Channel.VOICE)
    out.creator.place()
    out.told()
    assert out.house.exchange.rung == [OWNER]
    assert out.house.exchange.heard == ["Laba diena!"]
    assert out.states() == ["delivered"]
    (order,) = out.orders()
    assert (order.kind, order.units) == (OrderKind.TRIAL, 1)
    with out.house.looking() as session:
        for table in (Call, Message, Conversation):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_call_by_click_is_not_recorded_unless_so_set(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee()
    click(out)
    assert out.house.exchange.sounds == []
    assert not any("įrašomas" in words for words in out.house.exchange.heard)


@dataclass
class Posted(PickedUp):
    """A call of the demonstration's, played to the desk of a test."""

    exchange: Exchange | None = None

    def _post(self, url: str, fields: Mapping[str, str]) -> httpx.Response:
        assert self.exchange is not None
        status, _, text = self.exchange.request(url, {**fields, "AccountSid": ACCOUNT})
        return httpx.Response(status, text=text)


def test_call_by_click_is_picked_up_in_the_demonstration(out: Outgoing) -> None:
    with out.context.transaction() as session:
        outbox.queue(session, byphone.click_to_call(session, owner(session), CLIENT, key="1"))
    out.send(Channel.VOICE)
    ((leg, form),) = out.creator.orders
    Posted(
        desk=PUBLIC, number=form["To"][0], to=form["From"][0], keys="1", rings=0.0, sid=leg.sid,
        url=form["Url"][0], callback=form["StatusCallback"][0], exchange=out.house.exchange,
    ).place()  # fmt: skip
    out.house.work()
    assert (the_call(out).state, out.states()) == (CallState.ANSWERED, ["delivered"])


def test_colleague_who_presses_nothing_is_not_connected_and_the_client_is_not_rung(out: Outgoing) -> None:
    out.house.exchange.book[OWNER] = Callee(Answer.MACHINE)
    out.house.exchange.book[CLIENT] = Callee()
    with out.context.transaction() as session:
        outbox.queue(session, byphone.click_to_call(session, owner(session), CLIENT, key="1"))
    out.send(Channel.VOICE)
    out.house.exchange.book[OWNER] = Callee(keys="")
    out.creator.place()
    out.told()
    assert out.house.exchange.rung == [OWNER]
    assert out.states() == ["bounced"]


def test_client_who_does_not_answer_is_said_to_the_colleague(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(Answer.BUSY)
    click(out)
    assert out.house.exchange.heard[-1] == "Klientas neatsiliepė."
    call = the_call(out)
    assert (call.state, call.task_id, out.states()) == (CallState.MISSED, None, ["bounced"])


def test_reminder_is_said_to_a_person_and_stands_in_the_history(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(keys="")
    remind(out)
    assert out.house.exchange.heard[0].startswith("Laba diena! Skambina įmonė Šiaurės siurbliai.")
    assert out.house.exchange.heard[-1] == "Ačiū, viso gero!"
    call = the_call(out)
    assert (call.state, call.direction, out.states()) == (CallState.ANSWERED, Direction.OUT, ["delivered"])
    with out.house.looking() as session:
        message = session.get_one(Message, call.message_id)
        assert "demonstracijoje" in message.text
        assert session.get_one(Conversation, call.conversation_id).contact_id == call.contact_id


def test_reminder_is_left_on_a_machine(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(Answer.MACHINE)
    remind(out)
    assert len(out.house.exchange.heard) == 1
    assert (the_call(out).state, out.states()) == (CallState.VOICEMAIL, ["delivered"])


def test_machine_that_may_not_hold_the_message_is_called_again(engine: sa.Engine, tmp_path: Path) -> None:
    with outgoing(engine, tmp_path, dialling={"on_machine": "hang_up"}) as out:
        out.house.exchange.book[CLIENT] = Callee(Answer.MACHINE)
        remind(out)
        assert out.house.exchange.heard == []
        assert out.states() == ["bounced", "queued"]


def test_fax_is_hung_up_on_and_never_called_by_itself_again(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(Answer.FAX)
    remind(out)
    assert out.house.exchange.heard == []
    assert out.states() == ["bounced"]
    with out.house.looking() as session:
        entry = session.get_one(Suppression, (Channel.VOICE, CLIENT))
        assert (entry.reason, entry.source) == (SuppressionReason.BOUNCED, "a fax answered")


def test_who_does_not_answer_is_called_so_often_as_is_set_and_no_more(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(Answer.SILENCE)
    remind(out)
    for _ in range(5):
        out.send_all(Channel.VOICE)
        out.creator.place()
        out.told()
    assert out.house.exchange.rung == [CLIENT] * 3
    assert out.states() == ["bounced"] * 3


def test_key_9_stops_automatic_calls_at_once(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(keys="9")
    remind(out)
    assert out.house.exchange.heard[-1].startswith("Daugiau tokių skambučių nebus.")
    with out.context.transaction() as session:
        contact = contact_of(session, CLIENT)
        draft = byphone.automatic(
            session, contact, Channel.VOICE, template="demo_reminder", key="demo:2", values=DEMO
        )
        outbox.queue(session, draft)
    out.send(Channel.VOICE)
    assert out.states() == ["delivered", "suppressed"]
    assert len(out.creator.requests) == 1


def test_key_1_puts_the_callee_through_to_the_owner_of_the_deal(out: Outgoing) -> None:
    out.house.exchange.book[CLIENT] = Callee(keys="1")
    remind(out)
    assert out.house.exchange.rung == [CLIENT, OWNER]
    whispered = "Skambina Ona Žukauskaitė, UAB „Vandenis“. Norėdami atsiliepti, spauskite vieną."
    assert whispered in out.house.exchange.heard
    with out.house.looking() as session:
        assert the_call(out).staff_id == owner(session).id


def test_callee_who_wanted_to_talk_to_nobody_there_is_a_task(out: Outgoing) -> None:
    out.house.exchange.book = {one: Callee(Answer.BUSY) for one in (OWNER, SECOND, SUPPORT)}
    out.house.exchange.book[CLIENT] = Callee(keys="1")
    remind(out)
    with out.house.looking() as session:
        assert session.scalars(select(Task)).one().kind == "call_back"


@pytest.mark.parametrize(("lost", "seed"), [(0.0, 1), (0.0, 2), (0.4, 3), (1.0, 4)])
def test_callbacks_lost_doubled_and_shuffled_end_the_same_once_twilio_was_asked(
    out: Outgoing, lost: float, seed: int
) -> None:
    out.house.exchange.book[CLIENT] = Callee()
    with out.context.transaction() as session:
        contact = contact_of(session, CLIENT)
        outbox.queue(
            session, byphone.click_to_call(session, owner(session), CLIENT, key="1", contact=contact)
        )
    out.send(Channel.VOICE)
    out.creator.place()
    out.told(lost=lost, doubled=0.3, shuffled=True, seed=seed)
    out.reconcile()
    assert (the_call(out).state, out.states()) == (CallState.ANSWERED, ["delivered"])


def texts_to(out: Outgoing, numbers: list[str]) -> None:
    out.queue(
        *(
            Draft(
                key=f"page:{number}", address=number, channel=Channel.SMS, purpose=outbox.Purpose.MARKETING,
                body="Naujas katalogas. Nebesiusti: STOP",
            )
            for number in numbers
        )
    )  # fmt: skip


@pytest.mark.parametrize("word", ["STOP", "СТОП", "Atsisakau."])
def test_stop_in_the_middle_of_a_page_of_sends_lets_no_more_leave(out: Outgoing, word: str) -> None:
    """F56."""
    numbers = [f"+3706110{n:04d}" for n in range(8)]
    texts_to(out, numbers)

    applied = threading.Event()

    def stop(table: str, form: dict[str, list[str]]) -> None:
        if form["To"] == [numbers[2]]:
            out.house.exchange.sms(numbers[6], OURS, word)
            out.house.work()
            applied.set()
        elif form["To"][0] > numbers[2]:
            # The other line would run ahead of the word that is being understood.
            applied.wait(180)

    out.creator.watching.append(stop)
    out.send(Channel.SMS)
    asked = [form["To"][0] for _, form in out.creator.requests]
    assert numbers[6] not in asked
    assert len(asked) == len(set(asked)) == 7
    assert out.states().count("suppressed") == 1


def test_sms_goes_to_the_client_and_the_answer_comes_back_into_the_same_conversation(out: Outgoing) -> None:
    out.house.exchange.sms(CLIENT, OURS, "Ar turite siurblių?")
    out.house.work()
    with out.context.transaction() as session:
        talk = session.scalars(select(Conversation)).one()
        draft = byphone.answer_by_sms(session, talk, owner(session), key="a", body="Taip, turime. Ačiū!")
        outbox.queue(session, draft)
    out.now(Channel.SMS)
    out.send(Channel.SMS)
    out.creator.carry_all()
    out.told()
    out.house.exchange.sms(CLIENT, OURS, "Puiku")
    out.house.work()
    assert out.states() == ["delivered"]
    with out.house.looking() as session:
        talk = session.scalars(select(Conversation)).one()
        written = session.scalars(select(Message).order_by(Message.id)).all()
        assert [(one.direction, one.text) for one in written] == [
            ("in", "Ar turite siurblių?"),
            ("out", "Taip, turime. Ačiū!"),
            ("in", "Puiku"),
        ]
        assert {one.conversation_id for one in written} == {talk.id}


@pytest.mark.parametrize(
    ("number", "name"), [(CLIENT, "Ona Žukauskaitė"), ("+37061100002", "Ona Žukauskaitė")]
)
def test_one_contact_with_several_numbers_is_answered_at_the_one_they_wrote_from(
    out: Outgoing, number: str, name: str
) -> None:
    out.house.exchange.sms(number, OURS, "Paskambinkite")
    out.house.work()
    with out.house.looking() as session:
        talk = session.scalars(select(Conversation)).one()
        assert talk.contact is not None
        assert (byphone.number_for_sms(session, talk), talk.contact.name) == (number, name)


def test_two_contacts_with_one_switchboard_can_be_called_and_neither_is_guessed(out: Outgoing) -> None:
    out.house.exchange.book[SWITCHBOARD] = Callee()
    with out.context.transaction() as session:
        outbox.queue(session, byphone.click_to_call(session, owner(session), SWITCHBOARD, key="1"))
    out.send(Channel.VOICE)
    out.creator.place()
    out.told()
    call = the_call(out)
    assert (call.state, call.contact_id) == (CallState.ANSWERED, None)
    with out.house.looking() as session:
        account = session.get_one(Call, call.id).account
        assert account is not None
        assert account.name == "AB „Baltic Heat“"


def test_number_that_opted_out_at_the_exchange_is_never_asked_for_again(out: Outgoing) -> None:
    out.creator.refuses[STRANGER] = (400, 21610)
    texts_to(out, [STRANGER])
    out.send(Channel.SMS)
    out.queue(Draft(key="again", address=STRANGER, channel=Channel.SMS, body="x"))
    out.send(Channel.SMS)
    assert out.states() == ["refused", "suppressed"]
    with out.house.looking() as session:
        assert session.get_one(Suppression, (Channel.SMS, STRANGER)).reason == "unsubscribed"
