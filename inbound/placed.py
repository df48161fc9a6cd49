"""What a call of ours is told once somebody answers it: planned from its order and local data alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

from core import callplanout, phoneorders
from core.callplan import CallFacts, CallPlan, Hangup, RingClient, Say, Step
from core.callplanout import Words
from core.config import Settings
from core.phoneorders import OrderKind, PhoneOrder
from core.phoneroads import DELIVERY
from core.phonewords import (
    CALL_RECORDED,
    CALLED_NOBODY,
    CALLED_STOPPED,
    CALLED_THANKS,
    CLICK_WHISPER,
    MESSAGE_KEYS,
    said,
)
from core.values import LANGUAGES
from inbound.callers import recognise
from inbound.telephone import Telephone
from inbound.twilio import Signed

STEPS: Final = frozenset({Step.MESSAGE, Step.PRESSED, Step.CLICK, Step.DIAL, Step.ANNOUNCE, Step.TALKED})
"""Steps of calls that we placed."""


def plan(
    session: Session,
    settings: Settings,
    telephone: Telephone,
    step: Step,
    signed: Signed,
    facts_of: Callable[[str, str | None], CallFacts],
) -> CallPlan:
    """The plan for a step of a call of ours; ``facts_of`` says what is known of a number."""
    order = phoneorders.by_token(session, signed.params.get(DELIVERY, ""))
    if order is None:
        return CallPlan((Hangup(),), "no order of ours belongs to it")
    params = {DELIVERY: signed.params[DELIVERY]}
    key = signed.fields.get("Digits", "")
    language = _language(settings, order)
    if order.kind == OrderKind.TRIAL:
        voice = str(order.delivery.values.get("voice") or "")
        return callplanout.trial(Say(order.text, language, voice))
    match step:
        case Step.MESSAGE:
            by = signed.fields.get("AnsweredBy", "")
            return callplanout.answered(by, _words(order, language), settings.dialling.on_machine, params)
        case Step.PRESSED:
            house = telephone.house("")
            return callplanout.pressed(key, _words(order, language), facts_of(order.number, language), house)
        case Step.CLICK:
            who = recognise(session, order.number).name or order.number
            return callplanout.picked_up(Say(said(CLICK_WHISPER, language, who=who), language), params)
        case Step.DIAL:
            return callplanout.dial(key, _client(settings, telephone, order, params))
        case Step.ANNOUNCE:
            spoken = _clients_language(settings, order)
            words = said(CALL_RECORDED, spoken, company=settings.company.name)
            return callplanout.announced(Say(words, spoken))
        case _:
            status = signed.fields.get("DialCallStatus", "")
            return callplanout.talked(status, Say(said(CALLED_NOBODY, language), language))


def _language(settings: Settings, order: PhoneOrder) -> str:
    language = order.delivery.language
    return language if language in LANGUAGES else settings.company.default_language


def _clients_language(settings: Settings, order: PhoneOrder) -> str:
    """The client's own; a call by click is in the language of the colleague."""
    contact = order.delivery.contact
    language = contact.language if contact is not None else None
    return language if language in LANGUAGES else settings.company.default_language


def _words(order: PhoneOrder, language: str) -> Words:
    return Words(
        Say(order.text, language),
        Say(said(MESSAGE_KEYS, language), language),
        Say(said(CALLED_STOPPED, language), language),
        Say(said(CALLED_THANKS, language), language),
    )


def _client(
    settings: Settings, telephone: Telephone, order: PhoneOrder, params: dict[str, str]
) -> RingClient:
    record = order.sender in settings.phone.recorded_calls_out
    return RingClient(
        order.number,
        order.sender,
        settings.dialling.ring_seconds,
        settings.phone.longest_call_minutes * 60,
        params,
        record=record,
        transcribe=telephone.written_down(_clients_language(settings, order)) if record else None,
    )
