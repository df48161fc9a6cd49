"""A page of everything that happened with a client or a person, as both their screens show it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import timeline
from core.accounts import Account, Contact
from core.conversations import Conversation
from core.timeline_parts import Sort
from desk.access import visible
from desk.render import PageRequest, reader

HISTORY = 40
"""Events that one page of a history shows."""


def events_of(
    request: PageRequest,
    session: Session,
    home: str,
    *,
    account: Account | None = None,
    contact: Contact | None = None,
) -> dict[str, Any]:
    """What the page shows of a client or of a person whose own page is `home`: the events asked for, where
    the next page begins, and which conversations in it the reader may open.
    """
    shown = request.query_params.get("show", "")
    sorts = [Sort(shown)] if shown in set(Sort) else []
    found = timeline.history(
        session,
        account=account,
        contact=contact,
        sorts=sorts,
        before=request.query_params.get("before", "")[:80],
        language=reader(request).language,
        limit=HISTORY + 1,
    )
    events = found[:HISTORY]
    numbers = {event.link["conversation_id"] for event in events if "conversation_id" in event.link}
    query = select(Conversation.id).where(Conversation.id.in_(numbers), visible(request.scope["user"]))
    return {
        "home": home,
        "events": events,
        "shown": shown if sorts else "",
        "sorts": list(Sort),
        "on": events[-1].place if len(found) > HISTORY else "",
        "open_to_me": set(session.scalars(query)),
    }
