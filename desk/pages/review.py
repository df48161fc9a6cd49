"""The review queue: everything that a person must decide, one after another, each by one key."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import teaching
from core.approvaldoubts import CHANGED, OUT_OF_DATE
from core.conversations import Conversation, Message
from core.deals import Deal
from core.errors import NotFound
from core.intake import RawMessage
from core.intents import intent_name
from core.labels import Classification, Correction, resolve_labels
from core.notices import open_alarms
from core.outbox import Delivery
from desk import approvalview, doubts, live, reviewing, tables
from desk.access import WORKERS, conversation_for
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.pages.quarantine import header_of
from desk.render import PageRequest, done, page, reader
from desk.reviewing import KIND_NAMES, Item, Kind
from desk.threads import in_thread

SHOWN = 4_000
"""Characters of a letter that are shown."""
LIKELY = 3
"""So many topics have a digit of their own."""


@get("/review", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """What is asked now with the others beside it; for htmx only that."""
    viewer = request.scope["user"]
    waiting = reviewing.items(session, viewer)
    place = _place(request, waiting)
    current = waiting[place] if waiting else None
    values: dict[str, Any] = {
        "items": waiting,
        "place": place,
        "current": current,
        "after": waiting[(place + 1) % len(waiting)] if waiting else None,
        "kind_names": KIND_NAMES,
        "detail": _detail(request, session, current) if current else {},
    } | rail(session, request)
    if request.headers.get("hx-request") == "true":
        return page(request, "review_body.html", **values)
    return page(request, "review.html", alarms=open_alarms(session), **values)


def _place(request: PageRequest, waiting: list[Item]) -> int:
    """Where the item asked for stands; where it is gone, what stands in its place now."""
    wanted = request.query_params.get("item", "")
    keys = [item.key for item in waiting]
    if wanted in keys:
        return keys.index(wanted)
    given = request.query_params.get("place", "0")
    place = int(given) if given.isascii() and given.isdecimal() and len(given) < 6 else 0
    return max(0, min(place, len(waiting) - 1))


def _detail(request: PageRequest, session: Session, item: Item) -> dict[str, Any]:
    viewer = request.scope["user"]
    if item.kind in (Kind.APPROVAL, Kind.RETURNED):
        shown = approvalview.read(session, viewer, item.number, request.app.state.settings.company)
        return {"shown": shown, "causes": approvalview.CAUSES, "reasons": OUT_OF_DATE | CHANGED} | {
            "note": approvalview.note_text(shown.approval, reader(request))
        }
    if item.kind == Kind.TOPIC:
        return _topic(session, item.number, reader(request).language)
    if item.kind == Kind.SEND:
        return {
            "row": session.execute(tables.uncertain_query(viewer).where(Delivery.id == item.number)).one()
        }
    if item.kind == Kind.QUARANTINE:
        return _stuck(session, item.number)
    if item.kind == Kind.STAGE:
        deal = session.get_one(Deal, item.number)
        letter = session.get(Message, deal.proposed_by_message_id) if deal.proposed_by_message_id else None
        return {"deal": deal, "words": _words(letter)}
    conversation = conversation_for(session, viewer, item.number)
    beside = doubts.beside(session, viewer, conversation)
    other = _last(session, beside.id) if beside is not None and beside.mine else None
    return {"beside": beside, "words": _words(_last(session, conversation.id)), "other": _words(other)}


def _words(letter: Message | None) -> str:
    return (letter.reply or letter.text)[:SHOWN] if letter is not None else ""


def _last(session: Session, conversation_id: int) -> Message | None:
    query = (
        select(Message)
        .where(Message.conversation_id == conversation_id)
        .order_by((Message.direction == "in").desc(), Message.happened_at.desc())
        .limit(1)
    )
    return session.scalar(query)


def _topic(session: Session, message_id: int, language: str) -> dict[str, Any]:
    message = session.get_one(Message, message_id)
    known = session.scalar(select(Classification).where(Classification.message_id == message_id))
    topics = teaching.topics(session, language)
    names = dict(topics)
    stands = resolve_labels(session)
    chances: dict[str, float] = {}
    for said, chance in known.alternatives if known is not None else []:
        key = stands.get(str(said), str(said))
        if key in names:
            chances[key] = chances.get(key, 0.0) + float(chance)
    ranked = sorted(chances.items(), key=lambda one: -one[1])
    likely = [(key, names[key], chance) for key, chance in ranked[:LIKELY]]
    taken = {key for key, _name, _chance in likely}
    return {
        "message": message,
        "words": _words(message),
        "likely": likely,
        "others": [one for one in topics if one[0] not in taken],
        "reasons": known.reasons[:6] if known is not None else [],
    }


def _stuck(session: Session, raw_id: int) -> dict[str, Any]:
    query = select(
        RawMessage.error, RawMessage.size, func.substr(RawMessage.data, 1, 8_000).label("head")
    ).where(RawMessage.id == raw_id)
    row = session.execute(query).one()
    head = bytes(row.head)
    try:
        read = {name: header_of(head, name) for name in ("from", "subject", "date")}
    except Exception:  # what stopped the pipeline may stop this too, and it must be shown all the same
        read = {}
    text = head.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return {"row": row, "read": read, "text": text[:SHOWN]}


@post("/review/topic/{message_id:int}", enter=WORKERS)
@in_thread
def decide_topic(
    request: PageRequest, session: Transaction, form: Filled, message_id: FromPath[int]
) -> Response[Any]:
    """Say what an unsure letter is about; the classifier learns from it."""
    viewer = request.scope["user"]
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound
    conversation = conversation_for(session, viewer, message.conversation_id)
    intent = form.line("intent", longest=60)
    made = teaching.teach(session, message, intent, staff_id=viewer.staff_id)
    return told(request, session, conversation, made, go="/review")


@post("/corrections/{correction_id:int}/undo", enter=WORKERS)
@in_thread
def take_back(
    request: PageRequest, session: Transaction, form: Filled, correction_id: FromPath[int]
) -> Response[Any]:
    """Take back what was said of a letter's topic."""
    del form
    made = session.get(Correction, correction_id)
    message = session.get(Message, made.message_id) if made is not None else None
    if message is None:
        raise NotFound
    conversation = conversation_for(session, request.scope["user"], message.conversation_id)
    teaching.unteach(session, correction_id)
    live.announce(session, "intent", conversation.id)
    return done(
        request,
        reader(request).gettext("Taken back; it teaches no more."),
        go=f"/conversations/{conversation.id}",
        events=("conversation", "review"),
    )


def told(
    request: PageRequest, session: Session, conversation: Conversation, made: Correction, *, go: str
) -> Response[Any]:
    """What is answered to a word on a letter's topic."""
    live.announce(session, "intent", conversation.id)
    language = reader(request)
    text = language.gettext(
        "Noted: %(topic)s. The classifier learns from it.",
        topic=dict(teaching.topics(session, language.language)).get(
            made.value or "", intent_name(made.value or "", language.language)
        ),
    )
    return done(request, text, go=go, undo=f"/corrections/{made.id}/undo", events=("conversation", "review"))


ROUTES = (show, decide_topic, take_back)
