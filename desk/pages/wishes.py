"""What a person wants to get from us, written down by a colleague who heard it, with how they know."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from core import audit, wishes
from core.errors import InputRefused
from core.wishes import Wish, Wishes
from desk.access import WORKERS
from desk.given import Filled, Transaction
from desk.pages.sheets import sheet
from desk.personview import person_for
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

EVENTS = ("client", "asked")


def _written(known: Wishes) -> str:
    """What somebody wants, as the audit log holds it."""
    return ", ".join(
        f"{channel.value}:{topic.value}" for (channel, topic), yes in known.wanted.items() if yes
    )


@get("/people/{contact_id:int}/wishes", enter=WORKERS)
@in_thread
def ask(request: PageRequest, session: Transaction, contact_id: FromPath[int]) -> Response[str]:
    """The form: topics and channels."""
    contact = person_for(session, request.scope["user"], contact_id)
    known = wishes.of_contact(session, contact)
    return sheet(request, session, "wishes.html", contact=contact, wishes=known, topics_of=wishes.topics_of)


@post("/people/{contact_id:int}/wishes", enter=WORKERS)
@in_thread
def keep(
    request: PageRequest, session: Transaction, form: Filled, contact_id: FromPath[int]
) -> Response[Any]:
    """Keep what they said. Only what could be sent to them can be chosen."""
    viewer = request.scope["user"]
    contact = person_for(session, viewer, contact_id)
    how = form.line("proof", longest=300)
    if len(how) < 3:
        raise InputRefused("Say how you know what they want.", cure="For example: said so in a call today.")
    before = wishes.of_contact(session, contact)
    chosen: set[Wish] = {
        (channel, topic)
        for channel, topic in before.wanted
        if form.text(f"{channel.value}:{topic.value}", longest=10)
    }
    after = wishes.state_of(session, contact, chosen, proof=f"{viewer.name}: {how}")
    audit.note(
        session, viewer.staff_id, "changed", "contact", contact.id, contact.name,
        before={"wishes": _written(before)}, after={"wishes": _written(after), "proof": how},
    )  # fmt: skip
    back = {f"{channel.value}:{topic.value}": "1" for (channel, topic), yes in before.wanted.items() if yes}
    place = f"/people/{contact_id}"
    _ = reader(request).gettext
    said = _("Written down; it counts from now on.")
    undone = back | {"proof": _("taken back: %(how)s", how=how)[:300]}
    go = f"/clients/{contact.account_id}" if contact.account_id else place
    return done(request, said, go=go, undo=f"{place}/wishes", undo_values=undone, events=EVENTS)


ROUTES = (ask, keep)
