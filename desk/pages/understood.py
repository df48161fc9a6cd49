"""How a letter or call was understood, put right by one click: urgency, signal, language, products."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import catalogue, teaching
from core.catalogue import Product
from core.conversations import Message
from core.errors import NotFound
from core.i18n import LANGUAGE_NAMES, Texts
from core.intents import SIGNAL_NAMES, URGENCY_NAMES, Signal, Urgency
from core.labels import OF_PRODUCTS, Correction, Field
from desk import live
from desk.access import WORKERS, conversation_for
from desk.given import Filled, Transaction
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

FIELDS = frozenset(Field) - {Field.INTENT}
"""What is corrected here; a topic has a route of its own."""


def choices(session: Session, language: Texts) -> dict[str, Any]:
    """What the panel beside a letter or call offers to choose from."""
    return {
        "intents": teaching.topics(session, language.language),
        "urgencies": [(one.value, URGENCY_NAMES[one][language.language]) for one in Urgency],
        "signals": [(one.value, SIGNAL_NAMES[one][language.language]) for one in Signal],
        "letter_languages": list(LANGUAGE_NAMES.items()),
        "products": catalogue.active_products(session),
    }


@post("/messages/{message_id:int}/understood/{field:str}", enter=WORKERS)
@in_thread
def correct(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    message_id: FromPath[int],
    field: FromPath[str],
) -> Response[Any]:
    """Say what a letter's field really is; the classifier learns from all but the language."""
    viewer = request.scope["user"]
    message = session.get(Message, message_id)
    if message is None or field not in FIELDS:
        raise NotFound
    conversation = conversation_for(session, viewer, message.conversation_id)
    value = form.line("value", longest=100)
    made = teaching.say(session, message, Field(field), value, staff_id=viewer.staff_id)
    live.announce(session, "intent", conversation.id)
    return done(
        request,
        _noted(session, made, reader(request)),
        go=f"/conversations/{conversation.id}",
        undo=f"/corrections/{made.id}/undo",
        events=("conversation", "review"),
    )


def _noted(session: Session, made: Correction, language: Texts) -> str:
    value = made.value or ""
    if made.field in OF_PRODUCTS:
        product = session.scalars(select(Product).where(Product.key == value)).one()
        name = product.name(language.language)
        if made.field is Field.INTEREST_ADDED:
            return language.gettext(
                "Product added: %(product)s. The classifier learns from it.", product=name
            )
        return language.gettext(
            "Product taken away: %(product)s. The classifier learns from it.", product=name
        )
    if made.field is Field.LANGUAGE:
        return language.gettext("Noted: %(topic)s.", topic=LANGUAGE_NAMES[value])
    name = (URGENCY_NAMES[Urgency(value)] if made.field is Field.URGENCY else SIGNAL_NAMES[Signal(value)])[
        language.language
    ]
    return language.gettext("Noted: %(topic)s. The classifier learns from it.", topic=name)


ROUTES = (correct,)
