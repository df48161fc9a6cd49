"""What somebody wants to be told of while away from the desk, and the reminders that the desk shows."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from core import notifications, reminders
from core.errors import InputRefused
from core.i18n import N_
from core.notices import open_alarms
from core.notifications import AWAY, DIGESTS, REMINDERS, WAYS, Kind, Way
from desk.access import EVERYBODY, WORKERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, is_partial, page, reader
from desk.threads import in_thread

KINDS: dict[Kind, tuple[str, str]] = {
    Kind.RING: (N_("Somebody calls me now"), N_("Who it is and what is open with them, while it rings.")),
    Kind.MISSED_CALL: (N_("A call nobody took, or a voicemail"), N_("When ringing back is mine to do.")),
    Kind.TASK_DUE: (N_("A task or a meeting is due soon"), N_("Those with a time.")),
    Kind.REPLY: (N_("My client wrote"), N_("In a conversation that is mine.")),
    Kind.ASSIGNED: (N_("Something was given to me"), N_("By the rules or by a colleague.")),
    Kind.MENTIONED: (N_("A colleague mentions me"), N_("In a private note.")),
    Kind.APPROVAL: (N_("A letter waits for my approval"), ""),
    Kind.MEETING: (N_("Somebody answered my invitation"), ""),
}
"""What each kind is called on the page, in order, and what it means."""
WAY_NAMES: dict[Way, str] = {
    Way.AT_ONCE: N_("At once"),
    Way.DIGEST: N_("In a digest"),
    Way.NONE: N_("Never"),
}


@get("/settings/notices", enter=EVERYBODY)
@in_thread
def show(request: PageRequest, state: State, session: Transaction) -> Response[str]:
    """The page of choices."""
    choice = notifications.choice_of(session, request.scope["user"].staff_id)
    saved = request.query_params.get("saved") == "1"
    return page(
        request,
        "notices.html",
        choice=choice,
        kinds=KINDS,
        ways=WAYS,
        way_names=WAY_NAMES,
        aways=AWAY,
        digests=DIGESTS,
        before=REMINDERS,
        zones=sorted(one for one in available_timezones() if "/" in one and not one.startswith("Etc/")),
        zone=state.settings.company.timezone,
        said=reader(request).gettext("Saved.") if saved else "",
        alarms=open_alarms(session),
        **rail(session, request),
    )


@post("/settings/notices", enter=EVERYBODY)
@in_thread
def save(request: PageRequest, state: State, session: Transaction, form: Filled) -> Response[Any]:
    """Keep what was chosen."""
    choice = notifications.choice_of(session, request.scope["user"].staff_id, lock=True)
    zone = form.line("zone")
    if zone and zone not in available_timezones():
        raise InputRefused("That time zone does not exist.")
    notifications.choose(
        choice,
        ways={kind.value: form.line(f"way_{kind.value}") for kind in KINDS if form.line(f"way_{kind.value}")},
        away_minutes=form.number("away_minutes"),
        digest_minutes=form.number("digest_minutes"),
        reminder_minutes=form.number("reminder_minutes"),
        quiet_from=_clock(form, "quiet_from"),
        quiet_until=_clock(form, "quiet_until"),
        quiet_days_off=form.ticked("quiet_days_off"),
        morning=form.ticked("morning"),
        morning_at=_clock(form, "morning_at"),
        zone=None if not zone or ZoneInfo(zone).key == state.settings.company.timezone else zone,
    )
    return Redirect("/settings/notices?saved=1", status_code=303)


def _clock(form: Form, name: str) -> time:
    try:
        return time.fromisoformat(form.line(name)).replace(tzinfo=None)
    except ValueError as error:
        raise InputRefused("That time of day does not exist.", cure="Write it as 18:30.") from error


@get("/reminders", enter=WORKERS)
@in_thread
def remind(request: PageRequest, session: Transaction) -> Response[str]:
    """What is due soon; nothing where nothing is."""
    return _reminders(request, session)


@post("/reminders/{notice_id:int}/hide", enter=WORKERS)
@in_thread
def hide(request: PageRequest, session: Transaction, notice_id: FromPath[int]) -> Response[Any]:
    """Close one of my reminders on all of my screens."""
    reminders.hide(session, request.scope["user"].staff_id, notice_id)
    if not is_partial(request):
        return Redirect("/plan", status_code=303)
    return _reminders(request, session)


def _reminders(request: PageRequest, session: Transaction) -> Response[str]:
    shown = reminders.shown_to(session, request.scope["user"].staff_id)
    return page(request, "reminders.html", reminders=shown)


ROUTES = (show, save, remind, hide)
