"""Calls that an exchange of our own tells us of: new, answered, hung up, as a form or as JSON.

The words are those that exchanges' integrations commonly send: ``event`` (newCall, answer, hangup),
``direction`` (in, out), ``from``, ``to``, ``callId``, ``user``, ``answeringNumber``, ``cause``. The exchange
goes on as it would without us; a number on our block list is answered with a wish to reject. News may come
twice, late or in any order: each fact has a key, as Twilio's have.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import phoneevents
from core.callplan import Step
from core.calls import LegState
from core.config import Settings
from core.config_phone import OwnExchange
from core.dialling import readable
from core.errors import InputRefused, NotAllowed
from core.jobs import enqueue
from core.phoneevents import EventKind, Told
from core.staff import StaffMember
from inbound.callers import Caller, colleague_of, open_conversation, open_deal, recognise

BODY_LIMIT: Final = 16_000
FIELDS_LIMIT: Final = 60
LONGEST_ID: Final = 200
LONGEST_VALUE: Final = 200

EVENTS: Final[Mapping[str, str]] = {
    "newcall": "new",
    "new": "new",
    "ringing": "new",
    "answer": "answered",
    "answered": "answered",
    "hangup": "hungup",
    "hungup": "hungup",
}
"""What exchanges call their three events, in lower case, and what we do."""
CAUSES: Final[Mapping[str, LegState]] = {
    "busy": LegState.BUSY,
    "cancel": LegState.CANCELED,
    "noanswer": LegState.NO_ANSWER,
    "no-answer": LegState.NO_ANSWER,
    "notfound": LegState.FAILED,
    "congestion": LegState.FAILED,
}
"""Why it hung up; any other word, or none, is a plain end."""
DIRECTIONS: Final[Mapping[str, str]] = {"in": "in", "inbound": "in", "out": "out", "outbound": "out"}


class UnknownExchange(NotAllowed):
    """The token is none of ours."""


@dataclass(frozen=True, slots=True)
class News:
    """One piece of news, as it came and believed."""

    exchange: str
    event: str
    call: str
    fields: Mapping[str, str]

    @property
    def direction(self) -> str:
        """``in`` or ``out``."""
        return DIRECTIONS.get(self.fields.get("direction", "in").lower(), "in")

    @property
    def outside(self) -> str:
        """The number of the other side."""
        return self.fields.get("from" if self.direction == "in" else "to", "")


def exchange_of(settings: Settings, token: str) -> OwnExchange:
    """Whose token it is. Raises UnknownExchange."""
    given = token.encode()
    for one in settings.phone.exchanges:
        secret = one.token.get_secret_value().encode() if one.token else b""
        if secret and hmac.compare_digest(secret, given):
            return one
    raise UnknownExchange


def read(exchange: str, content_type: str, body: bytes) -> News:
    """What a request says. Raises InputRefused for what is no such news."""
    if len(body) > BODY_LIMIT:
        raise InputRefused("The request is too large.")
    fields = _fields(content_type, body)
    event = EVENTS.get(fields.get("event", "").lower())
    if event is None:
        raise InputRefused("The event is none of newCall, answer and hangup.")
    call = fields.get("callId") or fields.get("callid") or fields.get("call_id") or ""
    if not 0 < len(call) <= LONGEST_ID or not call.isprintable():
        raise InputRefused("callId is missing, or is none.")
    return News(exchange, event, call, fields)


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            given = json.loads(body)
            if not isinstance(given, dict):
                raise InputRefused("The request is no JSON object.")
            pairs = [(name, _plain(value)) for name, value in given.items()]
        elif kind in {"application/x-www-form-urlencoded", ""}:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT
            )
        else:
            raise InputRefused("Send a form or JSON.")
    except (ValueError, RecursionError) as error:
        raise InputRefused("The request cannot be read.") from error
    if len(pairs) > FIELDS_LIMIT:
        raise InputRefused("The request has too many fields.")
    # Several users come as ``user[]``; the first of them is whom we look for.
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.removesuffix("[]")[:60], value[:LONGEST_VALUE])
    return found


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return _plain(value[0]) if value else ""
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return ""
    return str(value)


def take(session: Session, settings: Settings, news: News) -> bool:
    """Keep what was told; True where the caller's number is one that we refuse."""
    if phoneevents.keep(session, told(session, news)):
        enqueue(session, phoneevents.APPLY, dedupe=phoneevents.APPLY)
    blocked = news.direction == "in" and readable(news.outside) in settings.phone.blocked
    return news.event == "new" and blocked


def told(session: Session, news: News) -> Sequence[Told]:
    """The news in our own words: the state of the outside leg, and who was rung or took it."""
    provider = f"cti:{news.exchange}"
    key = f"{provider}:{hashlib.sha256(news.call.encode()).hexdigest()[:32]}"
    now = session.execute(select(func.now())).scalar_one().isoformat()
    base = {
        "call": news.call,
        "direction": news.direction,
        "caller": news.fields.get("from", ""),
        "called": news.fields.get("to", ""),
        "at": now,
    }

    def event(kind: EventKind, name: str, **facts: Any) -> Told:
        return Told(f"{key}:{name}", provider, kind, news.call, {**base, **facts}, news.fields)

    if news.event == "hungup":
        state = CAUSES.get(news.fields.get("cause", "").lower(), LegState.COMPLETED)
        return [event(EventKind.CALL, "over", status=state.value)]
    ringing = event(EventKind.CALL, "ringing", status=LegState.RINGING.value)
    if news.event == "answered":
        staff_id = _answerer(session, news)
        accepted = event(
            EventKind.STEP,
            "accept",
            step=Step.ACCEPT.value,
            input="1",
            staff_id=staff_id,
            reason="took the call",
        )
        return [event(EventKind.CALL, "answered", status=LegState.ANSWERED.value), accepted]
    rings = _rung(session, news)
    if not rings:
        return [ringing]
    offered = event(
        EventKind.STEP, "rings", step=Step.GREET.value, rings=rings, together=True, reason="rings"
    )
    return [ringing, offered]


def _answerer(session: Session, news: News) -> int | None:
    names = ("answeringNumber", "user") if news.direction == "in" else ("user", "from")
    return next(
        (found for name in names if (found := _colleague(session, news.fields.get(name, ""))) is not None),
        None,
    )


def _rung(session: Session, news: News) -> list[int]:
    """Whose desk shows the call: the colleague it rings for, else whose client it is."""
    if news.direction == "out":
        return []
    named = [_colleague(session, news.fields.get(name, "")) for name in ("user", "to")]
    found = [one for one in dict.fromkeys(named) if one is not None]
    return found or _whose_client(session, recognise(session, news.outside))


def _whose_client(session: Session, caller: Caller) -> list[int]:
    deal, talk = open_deal(session, caller), open_conversation(session, caller)
    candidates = (
        deal.owner_id if deal else None,
        talk.assignee_id if talk else None,
        caller.account.curator_id if caller.account else None,
    )
    return [one for one in candidates if one is not None][:1]


def _colleague(session: Session, shown: str) -> int | None:
    """A colleague by their mail address, telephone or name."""
    shown = shown.strip()
    if not shown:
        return None
    named = (StaffMember.email == shown.lower()) | (StaffMember.name == shown)
    query = select(StaffMember.id).where(StaffMember.active, named)
    found = session.scalar(query.order_by(StaffMember.id).limit(1))
    number = readable(shown)
    return colleague_of(session, number) if found is None and number is not None else found
