"""Addresses that must not be written to: looked up, closed by hand, and taken over from another program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.di import Provide
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, consent, suppressionlist
from core.accounts import Channel
from core.consent import Scope, Suppression, SuppressionReason
from core.errors import InputRefused, NotFound
from core.notices import open_alarms
from core.suppressionlist import BY_NUMBER, Imported
from desk import suppressionwords
from desk.access import MARKETERS
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread
from desk.uploads import BODY_LIMIT, Uploaded, uploaded

SHOWN = 100
FAULTS_SHOWN = 20
NEWS = {"hx-trigger": json.dumps({"suppressions": {"target": "body"}})}
"""What lets the list on the page fetch itself anew."""


def _found(session: Session, asked: str) -> dict[str, Any]:
    """The newest entries with these letters in the address."""
    query = select(Suppression)
    if asked:
        query = query.where(Suppression.address.contains(asked.lower(), autoescape=True))
    rows = session.scalars(query.order_by(Suppression.created_at.desc(), Suppression.address).limit(SHOWN))
    total = session.execute(select(func.count()).select_from(Suppression)).scalar_one()
    return {"rows": rows.all(), "total": total, "asked": asked}


def _shown(
    request: PageRequest, session: Session, taken: Imported | None = None, *, looked: bool = False
) -> Response[str]:
    asked = " ".join(request.query_params.get("q", "").replace("\0", "").split())[:200]
    told = {"taken": taken, "looked": looked, "faults_shown": FAULTS_SHOWN}
    if taken is not None and is_partial(request):
        return page(request, "suppressions_taken.html", **told, headers=None if looked else NEWS)
    values = {**_found(session, asked), **told}
    t = reader(request)
    values["came"] = lambda noted: suppressionwords.source(noted, t)
    if is_partial(request):
        return page(request, "suppressions_list.html", **values)
    return page(request, "suppressions.html", **values, alarms=open_alarms(session), **rail(session, request))


@get("/suppressions", enter=MARKETERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """The newest entries, or those with some letters; for htmx only the list."""
    return _shown(request, session)


def _address(form: Any) -> tuple[Sequence[Channel], str]:
    """The channels and normal form of an address or number. Raises InputRefused for what is neither."""
    text = form.line("address", longest=320)
    channels = (Channel.EMAIL,) if "@" in text else BY_NUMBER
    return channels, consent.address_key(channels[0], text)


@post("/suppressions", enter=MARKETERS)
@in_thread
def close(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """No more mailings to an address or number, and how we know that they are not wanted."""
    viewer = request.scope["user"]
    channels, address = _address(form)
    why = form.line("why", longest=200)
    if len(why) < 3:
        raise InputRefused("Say how you know what they want.", cure="For example: said so in a call today.")
    known = session.get(Suppression, (channels[0], address)) is not None
    for channel in channels:
        consent.suppress(
            session, channel, address, scope=Scope.MARKETING, reason=SuppressionReason.MANUAL,
            source=f"{viewer.name}: {why}",
        )  # fmt: skip
    audit.note(session, viewer.staff_id, "added", "suppression", 0, address, after={"why": why})
    said = reader(request).gettext("No more mailings go to %(address)s.", address=address)
    return done(
        request, said, go="/suppressions", undo=None if known else "/suppressions/open",
        undo_values={"address": address}, events=("suppressions",),
    )  # fmt: skip


@post("/suppressions/open", enter=MARKETERS)
@in_thread
def reopen(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Undo of closing by hand. What clients, servers and other programs closed is not opened here."""
    channels, address = _address(form)
    rows = [session.get(Suppression, (channel, address)) for channel in channels]
    found = [one for one in rows if one is not None and one.reason == SuppressionReason.MANUAL]
    if not found:
        raise NotFound
    audit.note(session, request.scope["user"].staff_id, "removed", "suppression", 0, address)
    for one in found:
        session.delete(one)
    said = reader(request).gettext("Mailings may go to %(address)s again.", address=address)
    return done(request, said, go="/suppressions", events=("suppressions",))


@post(
    "/suppressions/import",
    enter=MARKETERS,
    status_code=200,
    request_max_body_size=BODY_LIMIT,
    dependencies={"upload": Provide(uploaded)},
)
@in_thread
def take(request: PageRequest, session: Transaction, form: Filled, upload: Uploaded) -> Response[Any]:
    """Take over the list of another program, or say what that would do; an entry is never made milder."""
    looked = form.line("act") == "look"
    taken = suppressionlist.take_over(session, upload.data, source=f"import: {upload.name}", dry=looked)
    if looked:
        return _shown(request, session, taken, looked=True)
    kept = {"rows": taken.rows, "added": taken.added, "faulty": taken.faulty}
    audit.note(
        session, request.scope["user"].staff_id, "added", "suppression", 0, upload.name[:200], after=kept
    )
    return _shown(request, session, taken)


ROUTES = (show, close, reopen, take)
