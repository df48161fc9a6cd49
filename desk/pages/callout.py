"""Reaching a client by telephone: a call by click, and an SMS whose parts are counted as one writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import byphone, demofiles, fileasks, outbox, spending
from core.accounts import Channel
from core.config import Settings
from core.consent import SuppressionReason
from core.conversations import Conversation
from core.demofiles import DemoFile
from core.errors import InputRefused
from core.phoneorders import OrderKind
from core.staff import StaffMember
from core.values import LANGUAGES
from desk import live, phoneout, templatechoice
from desk.access import WORKERS, conversation_for
from desk.forms import Form, one_time_key
from desk.given import Filled, Transaction
from desk.pages import sendlater
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread
from templates.plainletters import offer, plain_letters
from templates.segments import segments_of


class NoTelephone(InputRefused):
    """No telephone with a number of ours is set up."""

    cure = "Ask an administrator to set it up."


class AskedNotTo(InputRefused):
    """The owner of that number asked us not to use it."""


class NumberDead(InputRefused):
    """That number does not work, as we learnt when we used it."""

    cure = "Ask the client for another one."


def _key(form: Any) -> str:
    key = form.line("key", longest=64)
    if not key:
        raise InputRefused("The form is too old.", cure="Load the page again.")
    return key


def _number(form: Any, known: phoneout.Reach) -> str:
    """The number from the form, when it is one of the client's. Raises InputRefused for any other."""
    number = form.line("number", longest=20)
    if number not in {one.number for one in known.numbers}:
        raise InputRefused("That number is not the client's.", cure="Add it on the client's card first.")
    return number


def _files(session: Session, form: Form) -> list[DemoFile]:
    """The files of the library that are ticked, as many as an SMS can bring."""
    ticked = [one for one in demofiles.offered(session) if form.ticked(f"file_{one.id}")]
    return ticked[: fileasks.CARRY[Channel.SMS]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody who presses “call” or “send” asks for."""

    conversation: Conversation
    staff: StaffMember
    number: str
    key: str
    """Names the intention, the same at a second press."""


def _asked(
    request: PageRequest, settings: Settings, session: Session, form: Any, conversation_id: int
) -> Asked:
    """Raises NotFound for a conversation of others, NoTelephone, and InputRefused for a number of others."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    reach = phoneout.read(session, settings, conversation)
    if not reach.possible:
        raise NoTelephone
    number, key = _number(form, reach), _key(form)
    staff = session.get_one(StaffMember, viewer.staff_id)
    return Asked(conversation, staff, number, f"{conversation_id}:{viewer.staff_id}:{key}")


def _insist(session: Session, settings: Settings, channel: Channel, number: str, units: int) -> None:
    """Raises AskedNotTo where the number's owner wants nothing of us, NumberDead where it does not work, and
    SpendingRefused at a cap. Who wants no mailings is answered all the same.
    """
    stop = phoneout.closed(session, channel, number)
    if stop is not None:
        raise NumberDead if stop.reason == SuppressionReason.BOUNCED else AskedNotTo
    spending.insist(session, settings, channel, number, units)


def _recorded(settings: Settings) -> bool:
    """Whether a call by click is recorded: it comes from our first number."""
    numbers = settings.twilio.numbers if settings.twilio is not None else []
    return bool(numbers) and numbers[0] in settings.phone.recorded_calls_out


@get("/conversations/{conversation_id:int}/ring", enter=WORKERS)
@in_thread
def ask_ring(
    request: PageRequest, state: State, session: Transaction, conversation_id: FromPath[int]
) -> Response[str]:
    """The client's numbers, each with a button that calls it or the reason why it cannot be called."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    staff = session.get_one(StaffMember, viewer.staff_id)
    return sheet(
        request,
        session,
        "ring.html",
        conversation=conversation,
        reach=phoneout.read(session, state.settings, conversation),
        own=staff.phone,
        recorded=_recorded(state.settings),
        form_key=one_time_key(),
    )


@post("/conversations/{conversation_id:int}/ring", enter=WORKERS)
@in_thread
def ring(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Ring the colleague and, when they press 1, the client."""
    settings: Settings = state.settings
    asked = _asked(request, settings, session, form, conversation_id)
    draft = byphone.click_to_call(
        session,
        asked.staff,
        asked.number,
        key=asked.key,
        contact=asked.conversation.contact,
        conversation=asked.conversation,
    )
    _insist(session, settings, Channel.VOICE, asked.number, settings.phone.longest_call_minutes)
    outbox.queue(session, draft)
    live.announce(session, OrderKind.CLICK.value, conversation_id, asked.staff.id)
    text = reader(request).gettext("Your telephone %(number)s rings now. Press 1.", number=asked.staff.phone)
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation",))


@post("/conversations/{conversation_id:int}/sms/count", enter=WORKERS, status_code=200)
@in_thread
def count(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[str]:
    """How many parts the SMS takes, and what plain letters would save."""
    conversation_for(session, request.scope["user"], conversation_id)
    body = form.text("body", longest=5000).strip()
    whole = phoneout.as_sent(state.settings, body, _files(session, form))
    return page(
        request,
        "sms_count.html",
        conversation_id=conversation_id,
        body=body,
        parts=segments_of(whole),
        offer=offer(body),
        most=state.settings.dialling.longest_sms_parts,
    )


@post("/conversations/{conversation_id:int}/sms/plain", enter=WORKERS, status_code=200)
@in_thread
def plain(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[str]:
    """What was written, in plain letters."""
    conversation_for(session, request.scope["user"], conversation_id)
    shown = page(request, "sms_body.html", body=plain_letters(form.text("body", longest=5000)))
    shown.headers["hx-trigger"] = "counted"
    return shown


@get("/conversations/{conversation_id:int}/sms/templates", enter=WORKERS)
@in_thread
def offered(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """What an SMS may begin from; asked for when the form is opened, so that no page waits for it."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    contact = conversation.contact
    return page(
        request,
        "sms_templates.html",
        conversation=conversation,
        templates=templatechoice.for_texts(session, viewer, reader(request)),
        files=demofiles.offered(session),
        language=conversation.language or (contact.language if contact else None) or "en",
    )


@post("/conversations/{conversation_id:int}/sms/fill", enter=WORKERS, status_code=200)
@in_thread
def fill(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[str]:
    """The words of a template, filled in; nothing chosen leaves what was written."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    key, language = form.line("template", longest=80), form.line("language", longest=8)
    body = form.text("body", longest=5000)
    if key:
        known = templatechoice.for_texts(session, viewer, reader(request))
        if key not in known or language not in LANGUAGES:
            raise InputRefused("That template does not exist.")
        staff = session.get_one(StaffMember, viewer.staff_id)
        body = phoneout.filled(session, state.settings, conversation, staff, key, language)
    shown = page(request, "sms_body.html", body=body)
    shown.headers["hx-trigger"] = "counted"
    return shown


@post("/conversations/{conversation_id:int}/sms", enter=WORKERS)
@in_thread
def write(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Queue an SMS; the form's one-time key makes a second press do nothing."""
    settings: Settings = state.settings
    asked, files = _asked(request, settings, session, form, conversation_id), _files(session, form)
    draft = byphone.answer_by_sms(
        session,
        asked.conversation,
        asked.staff,
        key=asked.key,
        body=form.text("body", longest=5000),
        number=asked.number,
        files=[one.id for one in files],
    )
    later = sendlater.chosen(settings, form)
    if later is not None:
        draft = replace(draft, due_at=later, expires_at=later + byphone.TEXT_HOLDS)
    whole = phoneout.as_sent(settings, draft.body, files)
    _insist(session, settings, Channel.SMS, asked.number, segments_of(whole).count)
    delivery_id = outbox.queue(session, draft)
    asked.conversation.waiting = False
    live.announce(session, "answer", conversation_id, asked.staff.id)
    _ = reader(request).gettext
    text = _("That SMS is on its way already.") if delivery_id is None else _("The SMS is queued.")
    if later is not None and delivery_id is not None:
        text = sendlater.told(reader(request), later)
    return done(
        request, text, go=f"/conversations/{conversation_id}", events=("conversation", "texted", "inbox")
    )


ROUTES = (ask_ring, ring, offered, fill, count, plain, write)
