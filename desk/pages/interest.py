"""A client's interest in a product, logged from a conversation or a call in three keystrokes."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from core import catalogue, interestlog
from core.catalogue import Product, ProductInterest
from core.conversations import Conversation
from core.errors import NotFound
from core.i18n import texts
from core.staff import StaffMember
from core.tasks import Task
from desk import live
from desk.access import WORKERS, conversation_for
from desk.given import Filled, Transaction
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread


@get("/conversations/{conversation_id:int}/interest", enter=WORKERS)
@in_thread
def ask(request: PageRequest, session: Transaction, conversation_id: FromPath[int]) -> Response[str]:
    """Which product the client asked about: a list that the first letters narrow."""
    conversation = conversation_for(session, request.scope["user"], conversation_id)
    return sheet(
        request,
        session,
        "interest.html",
        conversation=conversation,
        products=catalogue.active_products(session),
        responsible=interestlog.responsible_for(session, conversation),
    )


@post("/conversations/{conversation_id:int}/interest", enter=WORKERS)
@in_thread
def log(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Write the interest down; whoever is in charge of the client's deal gets a task."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    product = session.get(Product, form.number("product_id") or 0)
    if product is None or conversation.contact_id is None:
        raise NotFound
    logged = interestlog.log(
        session,
        conversation,
        product,
        by=session.get_one(StaffMember, viewer.staff_id),
        title=lambda to: _title(request, to, conversation, product),
    )
    live.announce(session, "interest", conversation_id)
    language = reader(request)
    name = product.name(language.language)
    if logged.task is not None and logged.responsible is not None:
        text = language.gettext(
            "Interest noted: %(product)s. %(name)s has a task.", product=name, name=logged.responsible.name
        )
    elif logged.task is not None:
        text = language.gettext("Interest noted: %(product)s. Sales have a task.", product=name)
    else:
        text = language.gettext("Interest noted: %(product)s.", product=name)
    task = {"task_id": logged.task.id} if logged.task is not None else {}
    return done(
        request,
        text,
        go=f"/conversations/{conversation_id}",
        undo=f"/conversations/{conversation_id}/interest/undo",
        undo_values={"interest_id": logged.interest.id} | task,
        events=("conversation", "asked"),
    )


def _title(request: PageRequest, to: StaffMember | None, conversation: Conversation, product: Product) -> str:
    """The task's title in the language of whoever gets it."""
    settings = request.app.state.settings.company
    language = to.language if to is not None else settings.default_language
    client = conversation.contact or conversation.account
    return texts(language, settings.timezone).gettext(
        "Asked about %(product)s: %(client)s",
        product=product.name(language),
        client=client.name if client is not None else "",
    )


@post("/conversations/{conversation_id:int}/interest/undo", enter=WORKERS)
@in_thread
def take_back(
    request: PageRequest, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Forget what was logged by mistake: one's own, about this client."""
    viewer = request.scope["user"]
    conversation = conversation_for(session, viewer, conversation_id)
    interest = session.get(ProductInterest, form.number("interest_id") or 0)
    if (
        interest is None
        or interest.contact_id != conversation.contact_id
        or interest.staff_id != viewer.staff_id
    ):
        raise NotFound
    task = session.get(Task, form.number("task_id") or 0)
    if task is not None and (task.conversation_id != conversation_id or task.kind != interestlog.KIND):
        raise NotFound
    interestlog.take_back(session, interest, task)
    live.announce(session, "interest", conversation_id)
    text = reader(request).gettext("The interest is forgotten.")
    return done(request, text, go=f"/conversations/{conversation_id}", events=("conversation",))


ROUTES = (ask, log, take_back)
