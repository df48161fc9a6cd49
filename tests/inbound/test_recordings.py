"""Recordings in our own storage, what was said in them, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, update

from classifier.classify import Classifier
from classifier.inforce import ClassifierInForce
from core import callnotes, phoneevents, recordings, transcripts
from core.callnotes import Note
from core.calls import Call, CallOutcome, Recording, RecordingState
from core.config_phone import Transcription
from core.conversations import Message
from core.deals import Deal, Stage
from core.labels import Classification
from core.notices import open_alarms
from core.recordings import WAITS, SoundPiece
from core.staff import StaffMember
from core.transcripts import Line, Speaker, TranscriptLine
from inbound import calls, twilio
from inbound.recordings import ALARM, fetch_due
from inbound.transcribing import Heard, HttpTranscriber, MemoryTranscriber, Unheard, transcribe_due
from tests.inbound.mediaserver import Store, media_server
from tests.twilio_local.exchange import ACCOUNT
from tests.twilio_local.house import CLIENT, OURS, OWNER, PUBLIC, PhoneHouse, phone_house, phone_settings
from tests.twilio_local.people import Caller

SOUND = bytes(range(251)) * 3000


@pytest.fixture
def store() -> Iterator[Store]:
    """Where recordings lie."""
    with media_server() as store:
        yield store


def house_with(engine: sa.Engine, folder: Path, store: Store, **phone: Any):
    """A company that records its calls and fetches from the store."""
    settings = phone_settings(folder, {"recorded_numbers": [OURS], **phone}, api_base=store.base)
    return phone_house(engine, settings)


@pytest.fixture
def house(engine: sa.Engine, tmp_path: Path, store: Store) -> Iterator[PhoneHouse]:
    """The usual such company."""
    with house_with(engine, tmp_path, store) as house:
        yield house


def recorded(house: PhoneHouse, store: Store, sound: bytes = SOUND) -> None:
    """A call with its recording at the provider."""
    house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    for one in house.exchange.sounds:
        store.sounds[one.sid] = sound
    house.work()


def due_now(house: PhoneHouse) -> None:
    with house.looking() as session:
        session.execute(
            update(Recording).where(Recording.next_fetch_at.is_not(None)).values(next_fetch_at=func.now())
        )


def test_recording_is_brought_into_our_storage_once_and_whole(house: PhoneHouse, store: Store) -> None:
    recorded(house, store)
    assert fetch_due(house.context) == 1
    assert fetch_due(house.context) == 0
    with house.looking() as session:
        recording = session.scalars(select(Recording)).one()
        assert (recording.state, recording.size, recording.media_type) == (
            "fetched",
            len(SOUND),
            "audio/mpeg",
        )
        assert recordings.whole(session, recording) == SOUND
        assert recordings.intact(session, recording)
        pieces = session.scalars(
            select(func.octet_length(SoundPiece.data)).order_by(SoundPiece.position)
        ).all()
        assert pieces[:-1] == [recordings.PIECE] * (len(pieces) - 1)
    assert all("/2010-04-01/Accounts/" in path for _, path in store.asked)
    assert not [method for method, _ in store.asked if method == "DELETE"]


def test_recording_of_one_channel_is_asked_for_as_one(house: PhoneHouse, store: Store) -> None:
    recorded(house, store)
    store.mono = set(store.sounds)
    assert fetch_due(house.context) == 1


def test_fetch_that_fails_is_patient_and_shown_and_gives_up_with_an_alarm(
    house: PhoneHouse, store: Store
) -> None:
    """F55."""
    recorded(house, store)
    store.faults = [404, 503, 0, 429] + [500] * (len(WAITS) - 3)
    for attempt in range(1, len(WAITS) + 2):
        due_now(house)
        assert fetch_due(house.context) == 0
        with house.looking() as session:
            recording = session.scalars(select(Recording)).one()
            assert (recording.fetch_attempts, recording.fetch_error is not None) == (attempt, True)
            assert session.scalar(select(func.count()).select_from(SoundPiece)) == 0
    with house.looking() as session:
        recording = session.scalars(select(Recording)).one()
        assert recording.next_fetch_at is None
        assert ALARM in {one.kind for one in open_alarms(session)}
        recordings.fetch_again(session, recording)
    assert fetch_due(house.context) == 1


def test_recording_larger_than_we_keep_is_left_at_its_provider(house: PhoneHouse, store: Store) -> None:
    recorded(house, store)
    with house.looking() as session:
        recording = session.scalars(select(Recording)).one()
        with pytest.raises(recordings.TooLong), session.begin_nested():
            recordings.keep_sound(session, recording.id, [SOUND], media_type="audio/mpeg", most=1000)
        assert recordings.failed(session, recording.id, "too long", for_good=True)
        assert (recording.state, recording.next_fetch_at) == (RecordingState.COMPLETED, None)


def test_provider_copy_is_deleted_only_where_wished_and_after_ours_was_read_back(
    engine: sa.Engine, tmp_path: Path, store: Store
) -> None:
    with house_with(engine, tmp_path, store, delete_recordings=True) as house:
        recorded(house, store)
        fetch_due(house.context)
        assert store.sounds == {}
        with house.looking() as session:
            assert session.scalars(select(Recording)).one().removed_at is not None
        fetch_due(house.context)
        assert [method for method, _ in store.asked].count("DELETE") == 1


def test_real_time_words_are_filed_with_the_call_and_understood_like_a_letter(
    engine: sa.Engine, tmp_path: Path, store: Store
) -> None:
    with house_with(engine, tmp_path, store, transcription={"engine": "twilio"}) as house:
        house.context.provide(ClassifierInForce, Classifier.load)
        house.exchange.call(CLIENT, OURS, Caller())
        house.exchange.deliver()
        house.work()
        with house.looking() as session:
            call = session.scalars(select(Call)).one()
            sid, number = call.sid, call.id
        words = ["Laba diena, prašome pateikti kainą siurbliui CR 32.", "Reikia keturių vienetų."]
        for position, text in enumerate(reversed(words)):
            told = {
                "AccountSid": ACCOUNT, "TranscriptionSid": "GT" + "1" * 32, "CallSid": sid, "Final": "true",
                "TranscriptionEvent": "transcription-content", "SequenceId": str(9 - position),
                "LanguageCode": "lt-LT", "Track": "inbound_track",
                "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.9}),
            }  # fmt: skip
            for _ in range(2):
                assert house.exchange.request(f"{PUBLIC}/phone/twilio/transcript", told)[0] == 204
        house.work()
        calls.understand(house.context, number)
        with house.looking() as session:
            call = session.get_one(Call, number)
            assert [line.text for line in transcripts.of_call(session, number)] == words
            message = session.get_one(Message, call.message_id)
            assert words[0] in message.text
            known = session.scalars(select(Classification)).one()
            assert (known.message_id, known.intent) == (call.message_id, "price_request")
            proposed = session.get_one(Deal, call.deal_id).proposed_stage_id
            assert session.get_one(Stage, proposed).proposed_on.count("price_request") == 1


def test_only_russian_and_english_are_written_down_by_twilio(
    engine: sa.Engine, tmp_path: Path, store: Store
) -> None:
    with house_with(engine, tmp_path, store, transcription={"engine": "twilio"}) as house:
        documents: list[str] = []
        post = house.exchange.post

        def kept(*given: Any) -> tuple[int, str, str]:
            answer = post(*given)
            documents.append(answer[2])
            return answer

        house.exchange.post = kept
        house.exchange.call("+37061100099", OURS, Caller(keys=["2", "1"]))
        assert any("<Transcription" in one and 'languageCode="ru-RU"' in one for one in documents)
        documents.clear()
        house.exchange.call(CLIENT, OURS)
        assert not any("<Transcription" in one for one in documents)
        assert house.exchange.errors == []


def test_engine_of_our_own_hears_the_recording_and_its_words_are_kept_once(
    engine: sa.Engine, tmp_path: Path, store: Store
) -> None:
    url = f"{store.base}/v1/audio/transcriptions"
    store.says = {
        "language": "lithuanian", "text": "Sveiki. Taip.",
        "segments": [{"text": " Sveiki. ", "speaker": "client"}, {"text": "Taip.", "speaker": 1}],
    }  # fmt: skip
    with house_with(engine, tmp_path, store, transcription={"engine": "http", "url": url}) as house:
        recorded(house, store)
        fetch_due(house.context)
        store.faults = [503]
        assert transcribe_due(house.context) == 0
        with house.looking() as session:
            recording = session.scalars(select(Recording)).one()
            assert recording.transcript_error is not None
            recording.next_transcript_at = func.now()
        assert transcribe_due(house.context) == 1
        assert transcribe_due(house.context) == 0
        assert SOUND[:1000] in store.heard[-1]
        with house.looking() as session:
            lines = session.scalars(select(TranscriptLine).order_by(TranscriptLine.position)).all()
            assert [(one.text, one.speaker) for one in lines] == [("Sveiki.", "client"), ("Taip.", "us")]


def test_engine_that_answers_nonsense_is_a_fault_and_not_a_crash(store: Store) -> None:
    engine = HttpTranscriber(Transcription.model_validate({"engine": "http", "url": f"{store.base}/x"}))
    store.says = {"segments": 7}
    with pytest.raises(Unheard):
        engine.transcribe(b"x", "audio/mpeg", None)


def test_twin_hears_what_it_is_told() -> None:
    twin = MemoryTranscriber([Heard((Line("Labas", Speaker.CLIENT),), "lt")])
    assert twin.transcribe(b"1", "audio/mpeg", "lt").language == "lt"
    assert twin.transcribe(b"2", "audio/mpeg", None).lines == ()
    assert [one[0] for one in twin.given] == [b"1", b"2"]


def test_note_of_a_colleague_is_understood_and_a_persons_word_is_not_overruled(house: PhoneHouse) -> None:
    house.context.provide(ClassifierInForce, Classifier.load)
    house.exchange.call(CLIENT, OURS)
    house.exchange.deliver()
    house.work()
    with house.looking() as session:
        call = session.scalars(select(Call)).one()
        owner = session.scalars(select(StaffMember).where(StaffMember.phone == OWNER)).one()
        said = Note(CallOutcome.TALKED, "Prašo pateikti komercinį pasiūlymą ir kainą siurbliui CR 32.")
        callnotes.note(session, call, owner.id, said)
        number = call.id
    calls.understand(house.context, number)
    with house.looking() as session:
        known = session.scalars(select(Classification)).one()
        assert known.intent == "price_request"
        known.intent, known.reviewed_at = "contract", func.now()
    calls.understand(house.context, number)
    with house.looking() as session:
        assert session.scalars(select(Classification)).one().intent == "contract"


@pytest.mark.faults
def test_recordings_of_60_calls_with_lost_doubled_and_shuffled_news_are_each_kept_once(
    house: PhoneHouse, store: Store
) -> None:
    for number in range(60):
        house.exchange.call(CLIENT if number % 2 else f"+370612{number:05}", OURS, Caller(message_seconds=4))
    house.exchange.deliver(lost=1 / 3, doubled=1 / 3, shuffled=True, seed=3)
    house.work()
    for one in house.exchange.sounds:
        store.sounds[one.sid] = one.sid.encode() * 100
        # What no webhook told, the list does, and what one told it says once more.
        fields = {"RecordingSid": one.sid, "CallSid": one.call, "RecordingStatus": "completed"}
        with house.looking() as session:
            phoneevents.keep(session, [twilio.recording_told(fields, "list")])
    store.faults = [404, 500, 429, 0, 503] * 6
    house.work()
    with ThreadPoolExecutor(3) as several:
        for _ in range(12):
            list(several.map(lambda _: fetch_due(house.context), range(3)))
            due_now(house)
    with house.looking() as session:
        kept = {one.sid: recordings.whole(session, one) for one in session.scalars(select(Recording))}
    assert kept == store.sounds
