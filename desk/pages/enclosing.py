"""The files beside a letter that is being written: laid there as soon as they are chosen, and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response, post
from litestar.di import Provide
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.orm import Session

from core import enclosures
from core.enclosures import Place
from core.errors import InputRefused
from desk.access import WORKERS, conversation_for
from desk.clientview import client_for
from desk.forms import Form
from desk.given import Transaction
from desk.render import PageRequest, is_partial, page
from desk.threads import in_thread
from desk.uploads import ENCLOSED_LIMIT, Enclosed, Upload, enclosed


def enclose(
    session: Session, place: Place, form: Form, delivery_id: int, uploads: Sequence[Upload] = ()
) -> None:
    """Send the files that the form names with its letter, and those that came with it from a browser
    without scripts.

    Raises Conflict for one that is not there, or is another's.
    """
    chosen = {
        int(number)
        for name in form.fields
        if (number := name.removeprefix("enclosure_")) != name and number.isascii() and number.isdecimal()
    }
    for one in uploads:
        made = enclosures.add(session, place, name=one.name, content_type=one.content_type, data=one.data)
        chosen.add(made.id)
    enclosures.enclose(session, place, chosen, delivery_id)


def _shown(
    request: PageRequest, session: Session, place: Place, fault: InputRefused | None = None
) -> Response[Any]:
    if not is_partial(request):
        letter = f"/clients/{place.account_id}/letter"
        return Redirect(
            f"/conversations/{place.conversation_id}" if place.conversation_id else letter, status_code=303
        )
    return page(
        request,
        "enclosures.html",
        status=422 if fault else 200,
        enclosures=enclosures.waiting(session, place),
        enclosure_fault=fault,
    )


def _take(request: PageRequest, session: Session, place: Place, uploads: Sequence[Upload]) -> Response[Any]:
    try:
        for one in uploads:
            enclosures.add(session, place, name=one.name, content_type=one.content_type, data=one.data)
    except InputRefused as fault:
        return _shown(request, session, place, fault)
    return _shown(request, session, place)


@post(
    "/conversations/{conversation_id:int}/enclosures",
    enter=WORKERS,
    request_max_body_size=ENCLOSED_LIMIT,
    dependencies={"uploads": Provide(enclosed)},
)
@in_thread
def beside_answer(
    request: PageRequest, session: Transaction, uploads: Enclosed, conversation_id: FromPath[int]
) -> Response[Any]:
    """Files beside an answer."""
    viewer = request.scope["user"]
    conversation_for(session, viewer, conversation_id)
    return _take(request, session, Place(viewer.staff_id, conversation_id=conversation_id), uploads)


@post(
    "/clients/{account_id:int}/enclosures",
    enter=WORKERS,
    request_max_body_size=ENCLOSED_LIMIT,
    dependencies={"uploads": Provide(enclosed)},
)
@in_thread
def beside_first_letter(
    request: PageRequest, session: Transaction, uploads: Enclosed, account_id: FromPath[int]
) -> Response[Any]:
    """Files beside a first letter."""
    viewer = request.scope["user"]
    client_for(session, viewer, account_id)
    return _take(request, session, Place(viewer.staff_id, account_id=account_id), uploads)


@post("/enclosures/{enclosure_id:int}/remove", enter=WORKERS)
@in_thread
def remove(request: PageRequest, session: Transaction, enclosure_id: FromPath[int]) -> Response[Any]:
    """Take one's own file away again."""
    return _shown(request, session, enclosures.remove(session, request.scope["user"].staff_id, enclosure_id))


ROUTES = (beside_answer, beside_first_letter, remove)
