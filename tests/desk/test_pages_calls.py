"""Calls on the desk: the list, one call with its sound and note, calls logged by hand, and who is calling."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from core import callnotes, recordings, transcripts
from core.calls import Call, CallLeg, CallOutcome, CallState, Recording, RecordingState
from core.clock import now
from core.config import Settings, load_settings
from core.conversations import Conversation, Message
from core.db import transaction
from core.deals import Deal
from core.i18n import texts
from core.phonewords import retold
from core.tasks import Task, TaskState
from core.transcripts import Line, Speaker
from desk.callview import PART, part_of
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World
from tests.twilio_local.exchange import ACCOUNT, TOKEN

SOUND = bytes(range(256)) * 1200
HTMX = {"hx-request": "true"}


@pytest.fixture
def desk_settings(tmp_path: Path) -> Settings:
    """A company with a telephone."""
    return load_settings(
        data_dir=tmp_path,
        company={"name": "Šiaurės siurbliai", "public_url": "https://desk.example"},
        twilio={"account_sid": ACCOUNT, "auth_token": TOKEN, "numbers": ["+37052000000"]},
    )


@pytest.fixture
def call_id(engine: sa.Engine, world: World) -> int:
    """A call that the agent had with the client of a conversation of theirs, with its recording."""
    with transaction(engine) as session:
        talk = session.get_one(Conversation, world.talks["own"].id)
        message = Message(
            conversation_id=talk.id, contact_id=talk.contact_id, direction="in", channel="voice"
        )
        session.add(message)
        session.flush()
        call = Call(
            provider="twilio", sid="CA" + "1" * 32, state=CallState.ANSWERED, caller="+37061100001",
            called="+37052000000", contact_id=talk.contact_id, account_id=talk.account_id,
            conversation_id=talk.id, deal_id=talk.deal_id, message_id=message.id,
            staff_id=world.staff["agent"].id, started_at=now() - timedelta(minutes=9), ended_at=now(),
            accepted_at=now(), seconds=245, language="lt",
            route=[{"step": "greet", "reason": "a client we know; owns_deal", "key": "1"}],
        )  # fmt: skip
        session.add(call)
        session.flush()
        recording = Recording(
            call_id=call.id, sid="RE" + "1" * 32, state=RecordingState.COMPLETED, seconds=245
        )
        session.add(recording)
        session.flush()
        recordings.keep_sound(session, recording.id, [SOUND], media_type="audio/mpeg", most=10**9)
        lines = [
            Line("Laba diena, ar galite atsiųsti pasiūlymą?", Speaker.CLIENT),
            Line("Taip, šiandien.", Speaker.US),
        ]
        transcripts.keep(session, call.id, "twilio:GT1", list(enumerate(lines)), "lt")
        return call.id


@pytest.fixture
def agent(signed_in: SignedIn) -> Browser:
    """The agent whose call it is."""
    return signed_in("agent")


def sound_address(engine: sa.Engine, call_id: int) -> str:
    with transaction(engine) as session:
        number = session.scalar(select(Recording.id).where(Recording.call_id == call_id))
    return f"/calls/{call_id}/sound/{number}"


def test_call_is_listed_and_shown_with_its_sound_transcript_and_telephones(
    agent: Browser, call_id: int
) -> None:
    listed = agent.get("/calls").text
    assert f"/calls/{call_id}" in listed
    shown = agent.get(f"/calls/{call_id}").text
    assert "<audio controls" in shown
    assert "Laba diena, ar galite atsiųsti pasiūlymą?" in shown
    assert "4:05" in shown


def test_missed_call_is_rung_back_from_the_list_and_from_its_page(
    agent: Browser, engine: sa.Engine, call_id: int
) -> None:
    with transaction(engine) as session:
        call = session.get_one(Call, call_id)
        task = Task(title="x", kind="call_back", assignee_id=call.staff_id, due_at=now() - timedelta(hours=1))
        session.add(task)
        session.flush()
        call.state, call.accepted_at, call.staff_id, call.task_id = CallState.VOICEMAIL, None, None, task.id
        session.add(CallLeg(call_id=call.id, sid=call.sid, number=call.caller, state="completed"))
        road = f"/conversations/{call.conversation_id}/ring"
    for place in ("/calls?shelf=missed", f"/calls/{call_id}"):
        shown = agent.get(place).text
        assert road in shown
        assert "+370 611 00001" in shown
    listed = agent.get("/calls?shelf=missed").text
    assert '<span class="count">1</span>' in listed
    assert "Laba diena, ar galite atsiųsti pasiūlymą?" in listed
    assert texts("lt").gettext("on the line, not put through") in agent.get(f"/calls/{call_id}").text


def test_message_of_a_call_leads_to_its_page(
    agent: Browser, engine: sa.Engine, call_id: int, world: World
) -> None:
    with transaction(engine) as session:
        message_id = session.get_one(Call, call_id).message_id
    assert f"/calls/of/{message_id}" in agent.get(f"/conversations/{world.talks['own'].id}").text
    answer = agent.get(f"/calls/of/{message_id}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/calls/{call_id}")
    assert agent.get("/calls/of/999999").status_code == 404


def test_recording_is_whole_or_the_part_that_was_asked_for(
    agent: Browser, engine: sa.Engine, call_id: int
) -> None:
    address = sound_address(engine, call_id)
    whole = agent.get(address)
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    assert whole.content == SOUND
    part = agent.get(address, headers={"range": "bytes=1000-300999"})
    assert (part.status_code, part.content) == (206, SOUND[1000:301_000])
    assert part.headers["content-range"] == f"bytes 1000-300999/{len(SOUND)}"
    assert agent.get(address, headers={"range": "bytes=-10"}).content == SOUND[-10:]
    beyond = agent.get(address, headers={"range": f"bytes={len(SOUND)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(SOUND)}")


@pytest.mark.parametrize(
    ("header", "start", "end", "whole"),
    [
        ("", 0, 5_000_000, True),
        ("bytes=0-", 0, PART, False),
        ("bytes=10-5", 0, 5_000_000, True),
        ("bytes=0-1,5-6", 0, 5_000_000, True),
        ("lines=1-2", 0, 5_000_000, True),
        ("bytes=4999999-9999999", 4_999_999, 5_000_000, False),
        ("bytes=-9999999", 0, PART, False),
    ],
)
def test_range_is_read_as_the_standard_says(header: str, start: int, end: int, whole: bool) -> None:
    part = part_of(header, 5_000_000)
    assert part is not None
    assert (part.start, part.end, part.whole) == (start, end, whole)


def test_nobody_listens_to_a_call_that_is_not_theirs_to_see(
    signed_in: SignedIn, engine: sa.Engine, call_id: int
) -> None:
    address = sound_address(engine, call_id)
    for who, expected in (("other", 404), ("marketing", 403), ("head", 200)):
        assert signed_in(who).get(address).status_code == expected, who
        assert signed_in(who).get(f"/calls/{call_id}").status_code == expected, who


def test_colleague_for_whom_it_only_rang_reads_no_words_of_it_and_hears_nothing(
    signed_in: SignedIn, engine: sa.Engine, call_id: int, world: World
) -> None:
    with transaction(engine) as session:
        session.get_one(Call, call_id).rung = [world.staff["other"].id]
    shown = signed_in("other").get(f"/calls/{call_id}")
    assert shown.status_code == 200
    assert "ar galite atsiųsti" not in shown.text
    assert signed_in("other").get(sound_address(engine, call_id)).status_code == 404


def test_words_of_the_house_on_a_call_are_in_the_readers_language() -> None:
    assert retold("Pokalbis su darbuotoju, 63 s.\n\nLaba diena", "ru") == (
        "Разговор с сотрудником, 1 мин 3 с.\n\nLaba diena"
    )
    assert retold("Left a voice message, 59 s.", "lt") == "Paliko balso žinutę, 59 s."
    assert retold("Missed call.", "lt") == "Praleistas skambutis."
    assert retold("Missed callers, please ring", "lt") == "Missed callers, please ring"


def test_note_makes_the_next_step_a_task_proposes_the_stage_and_is_filed(
    agent: Browser, engine: sa.Engine, call_id: int, world: World
) -> None:
    with transaction(engine) as session:
        deal = session.get_one(Deal, session.get_one(Call, call_id).deal_id)
        stages = {one.key: one.id for one in deal.pipeline.stages}
    form = {
        "outcome": "next_step", "note": "Nori pasiūlymo siurbliams.", "next_step": "Išsiųsti pasiūlymą",
        "next_at": "2099-11-30T10:00", "stage": str(stages["commercial_offer"]),
    }  # fmt: skip
    assert agent.post(f"/calls/{call_id}/note", data=form, headers=HTMX).status_code == 200
    with transaction(engine) as session:
        call = session.get_one(Call, call_id)
        assert (call.outcome, call.noted_by_id) == (CallOutcome.NEXT_STEP, world.staff["agent"].id)
        task = session.get_one(Task, call.next_task_id)
        assert (task.title, task.kind, task.deal_id) == ("Išsiųsti pasiūlymą", "next_step", call.deal_id)
        assert session.get_one(Deal, call.deal_id).proposed_stage_id == stages["commercial_offer"]
    again = form | {"next_step": "", "next_at": "", "outcome": "talked", "stage": ""}
    agent.post(f"/calls/{call_id}/note", data=again, headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Task, session.get_one(Call, call_id).next_task_id).state == TaskState.CANCELLED


def test_agreed_step_needs_its_words_and_its_date(agent: Browser, call_id: int) -> None:
    assert agent.post(f"/calls/{call_id}/note", data={"outcome": "next_step"}).status_code == 422
    assert agent.post(f"/calls/{call_id}/note", data={"outcome": "dance"}).status_code == 422
    odd = {"outcome": "talked", "next_step": "x", "next_at": "tomorrow"}
    assert agent.post(f"/calls/{call_id}/note", data=odd).status_code == 422


def test_call_made_elsewhere_is_logged_once_by_hand(agent: Browser, engine: sa.Engine, world: World) -> None:
    talk = world.talks["own"].id
    assert "datetime-local" in agent.get(f"/conversations/{talk}/call").text
    form = {
        "key": "form-1", "direction": "out", "happened": "2026-01-15T10:30", "minutes": "6",
        "outcome": "talked",
        "note": "Kalbėjome apie garantiją.",
    }  # fmt: skip
    for _ in range(2):
        assert agent.post(f"/conversations/{talk}/call", data=form, headers=HTMX).status_code == 200
    with transaction(engine) as session:
        call = session.scalars(select(Call)).one()
        assert (call.provider, call.seconds, call.state) == (callnotes.BY_HAND, 360, CallState.ANSWERED)
        assert call.conversation_id == talk
        assert session.get_one(Message, call.message_id).channel == "voice"
    later = form | {"key": "form-2", "happened": "2099-01-15T10:30"}
    assert agent.post(f"/conversations/{talk}/call", data=later).status_code == 422


@pytest.fixture
def ringing(engine: sa.Engine, call_id: int, world: World) -> int:
    """The same call while it rings for the agent."""
    with transaction(engine) as session:
        call = session.get_one(Call, call_id)
        call.state, call.ended_at, call.accepted_at, call.staff_id = CallState.RINGING, None, None, None
        call.started_at, call.rung = now(), [world.staff["agent"].id]
    return call_id


def test_desk_of_whoever_is_rung_shows_who_calls_until_they_close_it(
    agent: Browser, signed_in: SignedIn, ringing: int
) -> None:
    shown = agent.get("/ringing", headers=HTMX).text
    for words in ("Ona Žukauskaitė", "UAB „Vandenis“", "Siurbliai Vilniaus stočiai"):
        assert words in shown
    assert "Ona" not in signed_in("mate").get("/ringing", headers=HTMX).text
    assert "Ona" not in agent.post(f"/ringing/{ringing}/dismiss", headers=HTMX).text
    assert "Ona" not in agent.get("/ringing", headers=HTMX).text


def test_brief_is_gone_when_the_call_is_over(agent: Browser, engine: sa.Engine, ringing: int) -> None:
    with transaction(engine) as session:
        session.get_one(Call, ringing).ended_at = func.now()
    assert "Ona" not in agent.get("/ringing", headers=HTMX).text


def test_news_of_a_call_name_whose_telephone_rings() -> None:
    from desk.live import _news_of

    assert _news_of(json.dumps({"conversation_id": 7, "rings": [1, 2]})) == (7, frozenset({1, 2}))
    assert _news_of("nonsense") == (None, None)
    assert _news_of(json.dumps({"conversation_id": 7})) == (7, frozenset())
