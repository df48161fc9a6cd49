"""Search: what was said and with whom, among everything that one may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier.searchwords import Asked, Marker, asked, folded
from core import clientsearch, clock, search
from core.accounts import Account, Channel
from core.conversations import Direction
from core.errors import InputRefused
from core.i18n import N_
from core.notices import open_alarms
from core.search import Searched, Wanted
from desk.access import WORKERS, visible
from desk.given import Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, page
from desk.threads import in_thread

QUESTION_CHARS = 300
"""Characters of a question that are read."""

PERIODS: dict[str, tuple[int, str]] = {
    "week": (7, N_("the last 7 days")),
    "month": (30, N_("the last 30 days")),
    "year": (365, N_("the last year")),
}
"""Days back, and the name, of each period."""

CHANNELS: dict[Channel, str] = {
    Channel.EMAIL: N_("mail"),
    Channel.SMS: N_("SMS"),
    Channel.VOICE: N_("calls"),
    Channel.FAX: N_("fax"),
}
SIDES: dict[Direction, str] = {Direction.IN: N_("from clients"), Direction.OUT: N_("from us")}


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its form or its address says it."""

    text: str
    period: str
    channel: str
    side: str
    files: bool
    account_id: int | None
    before: str

    @property
    def narrowed(self) -> bool:
        """Whether anything but words is asked for."""
        return bool(self.period or self.channel or self.side or self.files or self.account_id)

    def address(self, **changed: Any) -> str:
        """The page of this question, with some of it changed."""
        whole = {
            "q": self.text,
            "period": self.period,
            "channel": self.channel,
            "side": self.side,
            "files": "1" if self.files else "",
            "account": self.account_id or "",
        } | changed
        return "/search?" + urlencode({name: value for name, value in whole.items() if value})


def question_of(request: PageRequest) -> Question:
    """What is asked for; a value that no form of ours sends counts as none."""
    given = request.query_params
    account = given.get("account", "")
    return Question(
        text=" ".join(given.get("q", "").replace("\0", " ").split(" "))[:QUESTION_CHARS],
        period=given.get("period", "") if given.get("period") in PERIODS else "",
        channel=given.get("channel", "") if given.get("channel") in set(CHANNELS) else "",
        side=given.get("side", "") if given.get("side") in set(SIDES) else "",
        files=given.get("files") == "1",
        account_id=int(account) if account.isascii() and account.isdecimal() and len(account) < 19 else None,
        before=given.get("before", ""),
    )


def _place(cursor: str) -> tuple[datetime, int] | None:
    if not cursor:
        return None
    at, _, number = cursor.partition("~")
    try:
        return datetime.fromisoformat(at), int(number)
    except ValueError as error:
        raise InputRefused("That page of the list does not exist.") from error


def _found(session: Session, request: PageRequest, question: Question, words: Asked) -> Searched:
    since = clock.now() - timedelta(days=PERIODS[question.period][0]) if question.period else None
    wanted = Wanted(
        match=search.matching((term.lexeme, term.beginning) for term in words.terms),
        without=search.any_of(words.without),
        phrases=words.phrases,
        since=since,
        before=_place(question.before),
        account_id=question.account_id,
        channel=question.channel or None,
        direction=question.side or None,
        with_files=question.files,
    )
    return search.find(session, wanted, visible(request.scope["user"]))


@get("/search", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """The question, the clients and the conversations that answer; for htmx only the answer, or its next
    page."""
    viewer = request.scope["user"]
    question = question_of(request)
    words = asked(question.text)
    searched = Searched([])
    if words or question.account_id is not None:
        searched = _found(session, request, question, words)
    marker = Marker(words)
    clients = (
        clientsearch.clients(session, folded(question.text), visible(viewer), curated_by=viewer.staff_id)
        if question.text and not question.narrowed and not question.before
        else []
    )
    values: dict[str, Any] = {
        "question": question,
        "asked_for": bool(words) or question.account_id is not None,
        "searched": searched,
        "rows": [
            (one, marker.marked(one.text), marker.marked(one.subject, around=80)) for one in searched.found
        ],
        "on": question.address(before=f"{searched.on[0].isoformat()}~{searched.on[1]}")
        if searched.on
        else None,
        "clients": clients,
        "client": session.scalar(select(Account.name).where(Account.id == question.account_id)),
        "periods": PERIODS,
        "channels": CHANNELS,
        "sides": SIDES,
    }
    if request.headers.get("hx-request") == "true":
        return page(request, "search_rows.html" if question.before else "search_list.html", **values)
    return page(request, "search.html", alarms=open_alarms(session), **values, **rail(session, request))


ROUTES = (show,)
