"""Whose voice speaks in each language, what it says, and a call to one's own telephone to hear it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import byphone, outbox, spending, voices
from core.accounts import Channel
from core.config import Settings
from core.errors import InputRefused, NotFound
from core.notices import open_alarms
from core.outbox import Delivery, DeliveryState, Purpose
from core.sessions import SignedIn
from core.staff import StaffMember
from desk import templatechoice
from desk.access import LEADERS
from desk.forms import one_time_key
from desk.given import Filled, Transaction
from desk.pages.callout import NoTelephone
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.templaterights import FIXED
from desk.threads import in_thread
from outbound.sender import company_values
from templates.library import shelf_of
from templates.placeholders import samples
from templates.rendered import preview


@dataclass(frozen=True, slots=True)
class Text:
    """One text that is said."""

    key: str
    name: str
    words: str
    answers: bool
    """It is said to who rings us; the others go out by themselves."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One language of our telephone."""

    language: str
    voice: str
    offered: Sequence[str]
    texts: Sequence[Text]


@get("/voices", enter=LEADERS)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """Each language with its voice, and what is said in it, with sample values."""
    settings: Settings = state.settings
    viewer = request.scope["user"]
    names = templatechoice.for_texts(session, viewer, reader(request), kind="voice")
    chosen = voices.in_force(session, settings.phone)
    values: dict[str, Any] = {
        "spoken": [
            Spoken(
                language,
                chosen.get(language, ""),
                voices.offered(settings.phone, language),
                [_text(session, settings, viewer, key, name, language) for key, name in names.items()],
            )
            for language in settings.company.languages
        ],
        "own": session.get_one(StaffMember, viewer.staff_id).phone,
        "possible": settings.twilio is not None and bool(settings.twilio.numbers),
    }
    if is_partial(request):
        return page(request, "voices_list.html", **values)
    return page(request, "voices.html", **values, alarms=open_alarms(session), **rail(session, request))


@post("/voices/{language:str}", enter=LEADERS)
@in_thread
def choose(
    request: PageRequest, state: State, session: Transaction, form: Filled, language: FromPath[str]
) -> Response[Any]:
    """Let a voice speak a language from now on."""
    _known(state.settings, language)
    viewer = request.scope["user"]
    before = voices.choose(
        session, state.settings.phone, language, form.line("voice", longest=80), by=viewer.staff_id
    )
    return done(
        request, reader(request).gettext("This voice speaks from now on."),
        go="/voices", undo=f"/voices/{language}", undo_values={"voice": before}, events=("voices",),
    )  # fmt: skip


@post("/voices/{language:str}/hear", enter=LEADERS)
@in_thread
def hear(
    request: PageRequest, state: State, session: Transaction, form: Filled, language: FromPath[str]
) -> Response[Any]:
    """Ring whoever asks, and say a text in the voice that is looked at; while a call waits to be placed, a
    second press makes no other.
    """
    settings: Settings = state.settings
    viewer = request.scope["user"]
    _known(settings, language)
    if settings.twilio is None or not settings.twilio.numbers:
        raise NoTelephone
    key = form.line("template", longest=80)
    names = templatechoice.for_texts(session, viewer, reader(request), kind="voice")
    if key not in names:
        raise InputRefused("That template does not exist.")
    in_force = voices.in_force(session, settings.phone).get(language, "")
    voice = voices.insist(settings.phone, language, form.line("voice", longest=80) or in_force)
    words = _text(session, settings, viewer, key, names[key], language).words
    staff = session.get_one(StaffMember, viewer.staff_id)
    at = session.execute(select(func.now())).scalar_one()
    draft = byphone.trial_call(
        staff,
        key=one_time_key(),
        text=words,
        language=language,
        voice=voice,
        at=at,
    )
    spending.insist(session, settings, Channel.VOICE, draft.address, 1)
    if not _on_its_way(session, viewer.staff_id, at):
        outbox.queue(session, draft)
    text = reader(request).gettext("Your telephone %(number)s rings now; pick up and listen.")
    return done(request, text % {"number": draft.address}, go="/voices")


def _on_its_way(session: Session, staff_id: int, at: datetime) -> bool:
    # Whoever presses at the same moment waits here.
    session.execute(select(StaffMember.id).where(StaffMember.id == staff_id).with_for_update())
    query = select(Delivery.id).where(
        Delivery.staff_id == staff_id,
        Delivery.channel == Channel.VOICE,
        Delivery.purpose == Purpose.STAFF,
        Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.CLAIMED]),
        Delivery.expires_at > at,
    )
    return session.scalar(query.limit(1)) is not None


def _known(settings: Settings, language: str) -> None:
    if language not in settings.company.languages:
        raise NotFound


def _text(session: Session, settings: Settings, viewer: SignedIn, key: str, name: str, language: str) -> Text:
    """A text as it is said, with sample values for what is only known of a client."""
    fixed = ("voice", key) in FIXED
    company: Mapping[str, Any] = (
        {"name": settings.company.name} if fixed else company_values(settings.company)
    )
    shelf = None
    if not fixed:
        default = settings.company.default_language
        shelf = shelf_of(session, viewer.staff_id, kind="voice", key=key, default_language=default)
    values = {**samples(language), "company": company}
    words = preview("voice", key, language, shelf, values).parts["text.txt"]
    return Text(key, name, words.strip(), fixed)


ROUTES = (show, choose, hear)
