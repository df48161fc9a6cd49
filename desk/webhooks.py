"""Where Twilio reaches us: each webhook verified, kept and committed, then answered from local data alone.

Each opens and commits its transaction in one go of one thread. A commit that had to wait for a thread, behind
new calls that wait for a connection, would hold them all up under load.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import sqlalchemy as sa
import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from core import notices
from core.callplan import Step
from core.db import transaction
from core.errors import NotFound
from core.phoneroads import DELIVERY
from desk.access import PUBLIC
from desk.threads import in_phone_thread
from inbound import twilio
from inbound.answering import Answering, Unplanned
from inbound.twilio import Forged, Signed, Webhook
from inbound.twiml import ROAD

ALARM = "webhooks_refused"
REFUSED_IN_A_ROW = 20
"""So many refusals without one webhook that is believed between them: a token was changed, or the public
address is wrong."""
LATEST = 100
MOST_REFUSED = 50
"""So many of the `LATEST` refused say the same where some are still believed, as while a token is changed."""

STEPS = {"voice": Step.GREET, **{step.value: step for step in Step if step is not Step.GREET}}
"""The addresses of steps; a number's own webhook is called ``voice``."""

NO_CONTENT = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

log = structlog.get_logger("desk.webhooks")


class Reception:
    """Believes or refuses webhooks, and raises an alarm when none is believed any more."""

    def __init__(self, answering: Answering, engine: sa.Engine) -> None:
        self.answering = answering
        self._engine = engine
        self._refused = 0
        self._latest: deque[bool] = deque(maxlen=LATEST)
        self._alarmed = False
        self._lock = threading.Lock()

    def believed(self, webhook: Webhook) -> Signed:
        """The webhook, verified. Raises Forged."""
        try:
            signed = self.answering.verify(webhook)
        except Forged as error:
            log.warning("webhook.refused", path=webhook.path, reason=error.message)
            self._count(refused=True)
            raise
        self._count(refused=False)
        return signed

    def _count(self, *, refused: bool) -> None:
        with self._lock:
            self._refused = self._refused + 1 if refused else 0
            self._latest.append(refused)
            share, before = sum(self._latest), self._alarmed
            self._alarmed = share >= MOST_REFUSED or self._refused >= REFUSED_IN_A_ROW
            alarmed = self._alarmed
        if alarmed == before:
            return
        with transaction(self._engine) as session:
            if alarmed:
                detail = f"{share} of the last {len(self._latest)} webhooks"
                notices.raise_alarm(session, ALARM, "twilio", detail)
            else:
                notices.clear_alarm(session, ALARM, "twilio")


_building = threading.Lock()


def _reception(state: State) -> Reception:
    """The one of this process, built when the first webhook comes. Raises NotFound without a telephone."""
    if state.settings.twilio is None:
        raise NotFound
    with _building:
        if "reception" not in state:
            state.reception = Reception(Answering(state.settings), state.engine)
        return state.reception


async def webhook_of(request: Request[Any, Any, State]) -> Webhook:
    """The request as it came, before anything of it is believed."""
    scope: Any = request.scope
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Webhook(
        path=raw_path.decode("latin-1").partition("?")[0],
        query=scope.get("query_string", b"").decode("latin-1"),
        content_type=request.headers.get("content-type", ""),
        signature=request.headers.get("x-twilio-signature", ""),
        body=await request.body(),
    )


Came = NamedDependency[Webhook]
CAME = {"webhook": Provide(webhook_of)}


def _document(text: str) -> Response[str]:
    return Response(text, media_type="application/xml", status_code=200)


@post(ROAD + "/{name:str}", enter=PUBLIC, without_session=True, from_anywhere=True, dependencies=CAME)
@in_phone_thread
def step(state: State, webhook: Came, name: FromPath[str]) -> Response[str]:
    """A call came to a step: what happens next, as TwiML."""
    reception = _reception(state)
    signed = reception.believed(webhook)
    if name not in STEPS:
        raise NotFound
    try:
        with transaction(state.engine) as session:
            document = reception.answering.step(session, STEPS[name], signed)
    except Unplanned:
        with transaction(state.engine) as session:
            document = reception.answering.apologise(session, STEPS[name], signed)
    return _document(document)


@post(ROAD + "/status", enter=PUBLIC, without_session=True, from_anywhere=True, dependencies=CAME)
@in_phone_thread
def status(state: State, webhook: Came) -> Response[str]:
    """A leg of a call came into a state."""
    reception = _reception(state)
    signed = reception.believed(webhook)
    told = twilio.status_told(signed.fields, delivery=signed.params.get(DELIVERY))
    with transaction(state.engine) as session:
        reception.answering.keep(session, [told])
    return Response("", status_code=204)


@post(ROAD + "/recording", enter=PUBLIC, without_session=True, from_anywhere=True, dependencies=CAME)
@in_phone_thread
def recording(state: State, webhook: Came) -> Response[str]:
    """A recording came into a state."""
    reception = _reception(state)
    told = twilio.recording_told(reception.believed(webhook).fields)
    with transaction(state.engine) as session:
        reception.answering.keep(session, [told])
    return Response("", status_code=204)


@post(ROAD + "/sent", enter=PUBLIC, without_session=True, from_anywhere=True, dependencies=CAME)
@in_phone_thread
def sent(state: State, webhook: Came) -> Response[str]:
    """An SMS of ours came into a state."""
    reception = _reception(state)
    signed = reception.believed(webhook)
    told = twilio.text_told(signed.fields, delivery=signed.params.get(DELIVERY))
    with transaction(state.engine) as session:
        reception.answering.keep(session, [told])
    return Response("", status_code=204)


@post(ROAD + "/transcript", enter=PUBLIC, without_session=True, from_anywhere=True, dependencies=CAME)
@in_phone_thread
def transcript(state: State, webhook: Came) -> Response[str]:
    """Words of a call were written down."""
    reception = _reception(state)
    signed = reception.believed(webhook)
    told = twilio.transcript_told(signed.fields, signed.params)
    if told is not None:
        with transaction(state.engine) as session:
            reception.answering.keep(session, [told])
    return Response("", status_code=204)


@post(ROAD + "/sms", enter=PUBLIC, without_session=True, from_anywhere=True, dependencies=CAME)
@in_phone_thread
def sms(state: State, webhook: Came) -> Response[str]:
    """An SMS came in; nothing is answered by itself."""
    reception = _reception(state)
    told = twilio.sms_told(reception.believed(webhook).fields)
    with transaction(state.engine) as session:
        reception.answering.keep(session, [told], at_once=True)
    return _document(NO_CONTENT)


ROUTES = (step, status, recording, transcript, sent, sms)
"""Every webhook; each is refused unless Twilio signed it."""
