"""Who writes down what was said: the port, an engine of the company's own over HTTP, and its twin in memory.

Twilio's engine writes while people talk, so it is no part of this: it is asked for in the plan of the call
(`core.callplan`), and its lines come as webhooks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx
import structlog
from sqlalchemy.orm import Session

from core import recordings, transcripts
from core.callnotes import UNDERSTAND
from core.calls import Call, Recording
from core.config_phone import Engine, Transcription
from core.context import Context
from core.conversations import Direction
from core.errors import ConfigurationError, FrontdeskError, Unreachable
from core.jobs import enqueue
from core.transcripts import Line, Speaker

TRANSCRIBE: Final = "inbound.transcribe"
"""The job that transcribes what is due."""
AT_ONCE: Final = 5
LONGEST_ANSWER: Final = 10_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine made of a recording; no lines where nobody spoke."""

    lines: tuple[Line, ...]
    language: str | None = None


class Unheard(FrontdeskError):
    """The engine could not make anything of the recording."""


class Transcriber(Protocol):
    """The port: from sound to words."""

    @property
    def name(self) -> str:
        """Short, and part of the key of its lines."""
        ...

    def transcribe(
        self, sound: bytes, media_type: str, language: str | None, first: Speaker = Speaker.CLIENT
    ) -> Heard:
        """Write down a recording; `language` (ru, lt, en) is a hint, `first` says who speaks on the first of
        two channels. Raises Unreachable or Unheard.
        """
        ...


class HttpTranscriber:
    """An engine that takes a file and answers JSON, as servers of Whisper models commonly do.

    The request is a form with ``file``, ``model``, ``language`` and ``response_format=verbose_json``; the
    answer has ``text``, and where it can ``language`` and ``segments`` with ``text`` and ``speaker``.
    """

    name = "http"

    def __init__(self, settings: Transcription) -> None:
        """Raises ConfigurationError where no address is set."""
        if not settings.url:
            raise ConfigurationError("phone.transcription.url is missing.")
        self._settings = settings

    def transcribe(
        self, sound: bytes, media_type: str, language: str | None, first: Speaker = Speaker.CLIENT
    ) -> Heard:
        """Send the recording and read what comes."""
        given = {"model": self._settings.model, "language": language or "", "response_format": "verbose_json"}
        token = self._settings.token
        headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        try:
            answer = httpx.post(
                self._settings.url,
                files={"file": ("recording.mp3", sound, media_type)},
                data={name: value for name, value in given.items() if value},
                headers=headers,
                timeout=httpx.Timeout(self._settings.seconds, connect=10.0),
            )
        except httpx.HTTPError as error:
            raise Unreachable(
                f"The transcription engine does not answer ({type(error).__name__})."
            ) from error
        if answer.status_code != 200 or len(answer.content) > LONGEST_ANSWER:
            raise Unreachable(f"The transcription engine answers {answer.status_code}.")
        try:
            return _heard(answer.json(), first)
        except (ValueError, TypeError, AttributeError) as error:
            raise Unheard("The transcription engine's answer cannot be read.") from error


_LANGUAGES: Final = {"russian": "ru", "lithuanian": "lt", "english": "en"}


def _heard(answer: dict[str, Any], first: Speaker = Speaker.CLIENT) -> Heard:
    spoken = str(answer.get("language") or "").lower()
    language = _LANGUAGES.get(spoken, spoken if spoken in _LANGUAGES.values() else None)
    lines = tuple(
        Line(str(one["text"]), _speaker(one.get("speaker", one.get("channel")), first))
        for one in answer.get("segments") or ()
        if str(one.get("text") or "").strip()
    )
    text = str(answer.get("text") or "").strip()
    return Heard(lines or ((Line(text),) if text else ()), language)


def _speaker(value: object, first: Speaker) -> Speaker:
    """The first channel is that of who rang; an engine that tells speakers apart may say so in our words."""
    second = Speaker.US if first is Speaker.CLIENT else Speaker.CLIENT
    named = {"0": first, "1": second, "client": Speaker.CLIENT, "us": Speaker.US}
    return named.get(str(value).lower(), Speaker.UNKNOWN)


@dataclass
class MemoryTranscriber:
    """The in-memory twin: hears what it was told to, and keeps what it was given."""

    heard: list[Heard] = field(default_factory=list)
    """Answers one after another; then silence."""
    faults: list[FrontdeskError] = field(default_factory=list)
    given: list[tuple[bytes, str, str | None]] = field(default_factory=list)
    name: str = "memory"

    def transcribe(
        self, sound: bytes, media_type: str, language: str | None, first: Speaker = Speaker.CLIENT
    ) -> Heard:
        """The next answer, or the next fault."""
        del first
        self.given.append((sound, media_type, language))
        if self.faults:
            raise self.faults.pop(0)
        return self.heard.pop(0) if self.heard else Heard(())


def transcriber_of(settings: Transcription) -> Transcriber | None:
    """The engine that reads recordings; None where there is none, or where it writes while people talk."""
    return HttpTranscriber(settings) if settings.engine is Engine.HTTP else None


def transcribe_due(context: Context, engine: Transcriber | None = None) -> int:
    """Transcribe what is due; returns how many recordings were heard."""
    engine = engine or transcriber_of(context.settings.phone.transcription)
    if engine is None:
        return 0
    with context.transaction() as session:
        waiting = transcripts.due(session, AT_ONCE)
    return sum(_transcribe(context, engine, recording, call) for recording, call in waiting)


def _transcribe(context: Context, engine: Transcriber, recording_id: int, call_id: int) -> bool:
    with context.transaction() as session:
        recording = session.get_one(Recording, recording_id)
        sound, media_type = recordings.whole(session, recording), recording.media_type or ""
        call = session.get_one(Call, call_id)
        # A message is left by the other side, whoever rang.
        rang = Speaker.US if call.direction == Direction.OUT and not recording.message else Speaker.CLIENT
        language = call.language
    try:
        heard = engine.transcribe(sound, media_type, language, rang)
    except FrontdeskError as error:
        with context.transaction() as session:
            transcripts.failed(session, recording_id, error.message)
        log.warning("transcript.failed", recording=recording_id, error=error.message)
        return False
    with context.transaction() as session:
        _keep(session, engine, recording_id, call_id, heard)
    return True


def _keep(session: Session, engine: Transcriber, recording_id: int, call_id: int, heard: Heard) -> None:
    lines = list(enumerate(heard.lines))
    transcripts.keep(session, call_id, f"{engine.name}:{recording_id}", lines, heard.language)
    transcripts.done(session, recording_id)
    call = session.get_one(Call, call_id)
    call.language = call.language or heard.language
    session.flush()
    enqueue(session, UNDERSTAND, call_id=call_id)
