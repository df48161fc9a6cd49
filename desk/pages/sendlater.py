"""When a letter leaves: the sheet of times that are offered, and another time for one that waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location
from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.orm import Session

from core import clock, letters, sendlater
from core.accounts import Account
from core.config import Settings
from core.conversations import Conversation
from core.errors import NotFound
from core.i18n import N_, Texts
from core.outbox import Delivery, DeliveryState
from core.sendlater import When
from desk import live
from desk.access import WORKERS, conversation_for
from desk.clientview import client_for
from desk.followups import house_of
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread

NAMES: Mapping[When, str] = {
    When.OPENING: N_("As their working day begins"),
    When.TOMORROW: N_("Tomorrow morning"),
    When.WEEK: N_("Monday morning"),
}
FORMS = ("answer", "sms")
"""The forms of a conversation's page whose words can leave later."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One time that is offered."""

    name: str
    at: datetime
    there: str
    """What the client's clock shows then; empty where it shows what ours does."""


def chosen(settings: Settings, form: Form) -> datetime | None:
    """When a form's words are to leave; None for at once. Raises InputRefused for what is no time to come."""
    zone = ZoneInfo(settings.company.timezone)
    return sendlater.chosen(
        form.line("later", longest=40), form.line("later_at", longest=40), clock.now(), zone
    )


def told(language: Texts, at: datetime) -> str:
    """What is said after somebody chose a time."""
    return language.gettext("It goes out on %(when)s.", when=language.moment(at))


def offers(settings: Settings, account: Account | None, language: Texts) -> list[Offer]:
    """The times for a letter to this client, by their working hours where their place is known."""
    theirs = house_of(settings).calendar_of(account)
    return [
        Offer(language.gettext(NAMES[when]), at, _there(at, theirs.zone, language))
        for when, at in sendlater.moments(clock.now(), theirs).items()
    ]


def _there(at: datetime, zone: str, language: Texts) -> str:
    local = at.astimezone(ZoneInfo(zone))
    if local.utcoffset() == at.astimezone(language.zone).utcoffset():
        return ""
    place = get_timezone_location(zone, locale=language.locale, return_city=True)
    clock_there = Texts(language.language, language.locale, ZoneInfo(zone), language.messages).clock(at)
    return language.gettext("%(time)s in %(place)s", time=clock_there, place=place)


def _sheet(
    request: PageRequest, account: Account | None, *, form: str, action: str = "", waits: str = ""
) -> Response[str]:
    language = reader(request)
    found = offers(request.app.state.settings, account, language)
    first = found[0].at.astimezone(language.zone)
    return page(
        request, "sendlater.html", offers=found, form_id=form, action=action, waits=waits,
        own=first.strftime("%Y-%m-%dT%H:%M"),
    )  # fmt: skip


@get("/conversations/{conversation_id:int}/send-later", enter=WORKERS)
@in_thread
def of_conversation(
    request: PageRequest, session: Transaction, conversation_id: FromPath[int]
) -> Response[str] | Redirect:
    """The times at which an answer or an SMS may leave."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    if not is_partial(request):
        return Redirect(f"/conversations/{conversation_id}", status_code=303)
    asked = request.query_params.get("form", "")
    return _sheet(request, conversation.account, form=asked if asked in FORMS else FORMS[0])


@get("/clients/{account_id:int}/letter/send-later", enter=WORKERS)
@in_thread
def of_client(
    request: PageRequest, session: Transaction, account_id: FromPath[int]
) -> Response[str] | Redirect:
    """The times at which a first letter may leave."""
    account = client_for(session, request.scope["user"], account_id)
    if not is_partial(request):
        return Redirect(f"/clients/{account_id}/letter", status_code=303)
    return _sheet(request, account, form=FORMS[0])


@get("/deliveries/{delivery_id:int}/time", enter=WORKERS)
@in_thread
def other_time(
    request: PageRequest, session: Transaction, delivery_id: FromPath[int]
) -> Response[str] | Redirect:
    """The times to which what waits may be put."""
    delivery, conversation = _waiting(request, session, delivery_id)
    if not is_partial(request):
        return Redirect(f"/conversations/{conversation.id}", status_code=303)
    waits = reader(request).moment(delivery.due_at)
    at = f"/deliveries/{delivery_id}/time"
    return _sheet(request, conversation.account, form="send-time", action=at, waits=waits)


@post("/deliveries/{delivery_id:int}/time", enter=WORKERS)
@in_thread
def change_time(
    request: PageRequest, state: State, session: Transaction, form: Filled, delivery_id: FromPath[int]
) -> Response[Any]:
    """Let it leave at another time, or now: then ten seconds are left to think better of it."""
    delivery, conversation = _waiting(request, session, delivery_id)
    at = chosen(state.settings, form)
    before = sendlater.change(
        session,
        delivery_id,
        at or clock.now() + letters.UNDO,
        staff_id=request.scope["user"].staff_id,
    )
    live.announce(session, "answer", conversation.id)
    language = reader(request)
    if at is not None:
        text = told(language, at)
    elif delivery.state == DeliveryState.HELD:
        text = language.gettext("It leaves as soon as it is approved.")
    else:
        text = language.gettext("It goes out now.")
    again = before > clock.now()
    return done(
        request,
        text,
        go=f"/conversations/{conversation.id}",
        undo=f"/deliveries/{delivery_id}/time" if again else None,
        undo_values={"later": before.isoformat()} if again else None,
        events=("conversation", "asked"),
    )


def _waiting(request: PageRequest, session: Session, delivery_id: int) -> tuple[Delivery, Conversation]:
    """A delivery, with its conversation. Raises NotFound where it has none that may be seen."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.conversation_id is None:
        raise NotFound
    return delivery, conversation_for(session, request.scope["user"], delivery.conversation_id)


ROUTES = (of_conversation, of_client, other_time, change_time)
