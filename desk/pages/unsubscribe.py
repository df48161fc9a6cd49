"""Where a client says what they want to get from us: looking changes nothing, a press of a button does.

The same address takes the one-click request of mail programs (RFC 8058), which stops all mailings to the
letter's address, and what a person chose on the page: topics and channels, in three languages.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import wishes
from core.accounts import Contact
from core.i18n import negotiate, texts
from core.wishes import Wish, Wishes
from desk.access import PUBLIC
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.render import PageRequest, page
from desk.threads import in_thread
from outbound.unsubscribe import BadLink, Unsubscriber

_IN_ORDER = ("lt", "ru", "en")
TONGUE = "tongue"
"""The language in which a button was pressed."""
CHOSEN = "choose"
"""The button of the page; what a mail program posts does not have it."""


def _links(state: State) -> Unsubscriber:
    return Unsubscriber(state.settings.signing_key(), state.settings.company.public_url)


def _tongues(request: PageRequest, said: str, theirs: str | None) -> list[str]:
    """The languages of the page, the reader's first: what they pressed, or theirs, or their browser's."""
    first = next((one for one in (said, theirs) if one in _IN_ORDER), None)
    if first is None and (wanted := request.headers.get("accept-language", "")):
        first = negotiate(wanted)
    return sorted(_IN_ORDER, key=lambda one: one != first)


def _page(
    request: PageRequest,
    known: Wishes | None,
    *,
    stopped: bool = False,
    kept: bool = False,
    said: str = "",
    theirs: str | None = None,
) -> Response[Any]:
    return page(
        request,
        "unsubscribe.html",
        status=200 if known else 404,
        address=known.address if known else "",
        wishes=known,
        topics_of=wishes.topics_of,
        stopped=stopped,
        kept=kept,
        each=[(language, texts(language).gettext) for language in _tongues(request, said, theirs)],
    )


@get("/unsubscribe/{token:str}", enter=PUBLIC, without_session=True)
@in_thread
def ask(request: PageRequest, state: State, session: Transaction, token: FromPath[str]) -> Response[Any]:
    """The page; programs that follow links stop nothing."""
    try:
        address, _delivery = _links(state).read(token)
    except BadLink:
        return _page(request, None)
    known = wishes.of(session, address)
    return _page(request, known, theirs=_language(session, known))


@post("/unsubscribe/{token:str}", enter=PUBLIC, without_session=True, from_anywhere=True, status_code=200)
@in_thread
def stop(
    request: PageRequest, state: State, session: Transaction, token: FromPath[str], form: Filled
) -> Response[Any]:
    """Stop mailings to the link's address in one click, or keep what was chosen on the page."""
    links = _links(state)
    try:
        address, delivery = links.read(token)
        if form.text(CHOSEN):
            known = _keep(session, address, delivery, form)
            return _page(request, known, kept=True, said=form.line(TONGUE))
        links.follow(session, token)
    except BadLink:
        return _page(request, None)
    known = wishes.of(session, address)
    return _page(request, known, stopped=True, said=form.line(TONGUE), theirs=_language(session, known))


def _language(session: Session, known: Wishes) -> str | None:
    """What the reader speaks, as far as it is on record."""
    contact = session.get(Contact, known.contact_id) if known.contact_id is not None else None
    return contact.language if contact is not None else None


def _keep(session: Session, address: str, delivery: int, form: Form) -> Wishes:
    """Only what the page offers to this address can be chosen, whatever else was posted."""
    offered = wishes.of(session, address).wanted
    chosen: set[Wish] = {
        (channel, topic) for channel, topic in offered if form.text(f"{channel.value}:{topic.value}")
    }
    return wishes.state(session, address, chosen, proof=f"preference page, opened from delivery {delivery}")


ROUTES = (ask, stop)
