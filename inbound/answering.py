"""What a call is told next: the event kept and the plan made in one transaction, from local data alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import callplan, phoneevents, phoneorders, routing, traffic, voices
from core.callplan import CallFacts, CallPlan, Hangup, House, Reject, Say, Step, Voicemail
from core.callrings import Line
from core.calls import Call, CallState
from core.clock import now
from core.config import Settings
from core.config_phone import Ring
from core.dialling import readable
from core.errors import ConfigurationError, FrontdeskError
from core.jobs import enqueue
from core.phoneevents import EventKind, PhoneEvent, Told
from core.phonewords import UNKNOWN_CALLER, WHISPER, said
from core.staff import Role, StaffMember
from inbound import placed, twilio
from inbound.callers import Caller, look_up, recognise
from inbound.telephone import Telephone
from inbound.twilio import Signed, Webhook
from inbound.twiml import render

WORK_THE_PHONE = frozenset({Role.AGENT, Role.SUPPORT, Role.HEAD})
FRESH = 2.0
"""Seconds for which it is believed who is on duty and who talks."""

log = structlog.get_logger(__name__)


class Unplanned(FrontdeskError):
    """No plan could be made for a step of a call."""


class Answering:
    """Answers Twilio's webhooks for one company; made once a process."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError where the settings name no telephone."""
        if settings.twilio is None:
            raise ConfigurationError("The settings name no telephone.", cure="Add the section [twilio].")
        self._settings = settings
        self._telephone = Telephone(settings)
        tokens = (settings.twilio.auth_token, settings.twilio.previous_auth_token)
        self._tokens = [token.get_secret_value() for token in tokens if token is not None]
        self._account = settings.twilio.account_sid
        self._on_duty: tuple[float, Line | None] = (float("-inf"), None)
        self._voices: tuple[float, Mapping[str, str]] = (float("-inf"), settings.phone.voices)

    def verify(self, webhook: Webhook) -> Signed:
        """The webhook, believed. Raises Forged where it cannot be."""
        return twilio.verify(
            webhook,
            public_url=self._settings.company.public_url,
            account_sid=self._account,
            tokens=self._tokens,
        )

    def keep(self, session: Session, told: Sequence[Told], *, at_once: bool = False) -> None:
        """Store what was told; it is applied within a second, or at once where people wait for it."""
        if phoneevents.keep(session, told) and at_once:
            enqueue(session, phoneevents.APPLY, dedupe=phoneevents.APPLY)

    def step(self, session: Session, step: Step, signed: Signed) -> str:
        """Keep what happened and return the document that says what happens next.

        Raises Unplanned where something goes wrong on our side; `apologise` goes on then, in a transaction of
        its own.
        """
        told = twilio.step_told(step, signed)
        try:
            plan, more = self._plan(session, step, signed, told)
        except Exception as error:
            log.exception("call.unplanned", call=told.subject, step=step.value)
            raise Unplanned from error
        return self._go_on(session, step, told, plan, more)

    def apologise(self, session: Session, step: Step, signed: Signed) -> str:
        """Keep what happened and let the caller leave a message, where no plan could be made.

        Colleagues and callees of ours leave none: they are hung up on.
        """
        return self._go_on(session, step, twilio.step_told(step, signed), self._apology(step), {})

    def _apology(self, step: Step) -> CallPlan:
        if step in placed.STEPS or step in {Step.WHISPER, Step.ACCEPT}:
            return CallPlan((Hangup(),), "something went wrong on our side")
        house = self._telephone.house("")
        words = house.busy[house.default_language]
        if not house.voicemail:
            return CallPlan((words, Hangup()), "something went wrong on our side; no voicemail")
        message = Voicemail((words,), house.voicemail_seconds)
        return CallPlan((message,), "something went wrong on our side; voicemail")

    def _go_on(
        self, session: Session, step: Step, told: Told, plan: CallPlan, more: Mapping[str, Any]
    ) -> str:
        facts = {**told.facts, **more, "reason": plan.reason}
        if plan.rings:
            facts |= {"rings": plan.rings, "together": self._settings.phone.ring is Ring.TOGETHER}
        if any(isinstance(act, Reject) for act in plan.acts):
            facts["rejected"] = True
        # Whoever is rung sees at once who calls.
        self.keep(session, [replace(told, facts=facts)], at_once=step is Step.GREET or bool(plan.rings))
        return render(
            plan,
            public_url=self._settings.company.public_url,
            call=told.subject,
            voices=self._voices_now(session),
        )

    def _plan(
        self, session: Session, step: Step, signed: Signed, told: Told
    ) -> tuple[CallPlan, dict[str, Any]]:
        """The plan for a step, and what it adds to the event's facts."""
        fields, params = signed.fields, signed.params
        if step is Step.WHISPER:
            return self._whisper(session, signed), {}
        if step is Step.ACCEPT:
            return callplan.accept(fields.get("Digits", "")), {}
        if step in placed.STEPS:

            def known(number: str, language: str | None) -> CallFacts:
                return self._facts(session, number, language)

            return placed.plan(session, self._settings, self._telephone, step, signed, known), {}
        house = self._telephone.house(fields.get("To", ""))
        if step is Step.LEFT:
            facts = CallFacts(language=params.get("language"))
            return callplan.left(told.facts.get("seconds") or 0, facts, house), {}
        if step is Step.RUNG:
            facts = CallFacts(language=params.get("language"))
            return callplan.rung(_accepted(session, told.subject), facts, house), {}
        facts = self._facts(session, fields.get("From", ""), params.get("language"))
        turn = int(params["time"][:3]) if params.get("time", "").isdecimal() else 1
        return self._asked(session, step, fields.get("Digits", ""), facts, house, turn)

    def _asked(
        self, session: Session, step: Step, key: str, facts: CallFacts, house: House, turn: int
    ) -> tuple[CallPlan, dict[str, Any]]:
        if step is Step.GREET:
            return callplan.greet(facts, house), {}
        if step is Step.LANGUAGE:
            language, plan = callplan.language_chosen(key, facts, house, turn)
            return plan, {"language": language}
        topic = callplan.topic_chosen(key, house)
        return callplan.after_topic(topic, facts, house, turn), {"topic": topic}

    def _facts(self, session: Session, shown: str, language: str | None) -> CallFacts:
        caller = look_up(session, shown)
        line = self._line_now(session)
        segments, stage = frozenset(), None
        if line.roster.asks_for_segments and caller.client:
            segments, stage = traffic.of_client(session, caller.contact_id, caller.deal_id)
        return CallFacts(
            blocked=self._telephone.blocks(caller.number),
            open=self._telephone.is_open(now()),
            language=language or caller.language,
            known=caller.client,
            client=routing.Facts(
                segments=segments,
                stage=stage,
                intent=caller.intent,
                assignee_id=caller.assignee_id,
                owner_id=caller.owner_id,
                curator_id=caller.curator_id,
                topic_team_id=line.roster.teams_of_topics.get(caller.intent or ""),
                country=caller.country,
                region=caller.region,
                industry=caller.industry,
            ),
            line=line,
        )

    def _voices_now(self, session: Session) -> Mapping[str, str]:
        """Whose voice speaks each language, looked up as seldom as who is on duty."""
        looked_at, found = self._voices
        if time.monotonic() - looked_at > FRESH:
            self._voices = (time.monotonic(), found)
            found = voices.in_force(session, self._settings.phone)
            self._voices = (time.monotonic(), found)
        return found

    def _line_now(self, session: Session) -> Line:
        """Who could be rung: looked up at most every `FRESH` seconds, since calls come in bursts."""
        looked_at, line = self._on_duty
        if line is None or time.monotonic() - looked_at > FRESH:
            # Who comes meanwhile takes the old one: one call looks, not all of a burst.
            self._on_duty = (time.monotonic(), line)
            line = _line(session)
            self._on_duty = (time.monotonic(), line)
        return line

    def _whisper(self, session: Session, signed: Signed) -> CallPlan:
        """What a colleague hears: who calls, in the colleague's own language."""
        call, staff_id = signed.params.get("call", ""), signed.params.get("staff", "")
        colleague = session.get(StaffMember, int(staff_id)) if staff_id.isdecimal() else None
        language = colleague.language.value if colleague else self._settings.company.default_language
        outside = _outside(session, call)
        caller = recognise(session, outside) if outside else Caller(None)
        who = caller.name if caller.known else said(UNKNOWN_CALLER, language)
        return callplan.whisper([Say(said(WHISPER, language, who=who), language)], signed.params)


def _outside(session: Session, call: str) -> str:
    """The number of the other side of a call: who greeted us, or whom an automatic call of ours is with."""
    steps = select(PhoneEvent.facts).where(PhoneEvent.subject == call, PhoneEvent.kind == EventKind.STEP)
    for facts in session.scalars(steps.order_by(PhoneEvent.id)):
        if facts.get("delivery"):
            order = phoneorders.by_token(session, facts["delivery"])
            return order.number if order is not None else ""
        if facts.get("step") == Step.GREET.value:
            return facts.get("caller") or ""
    return ""


def _accepted(session: Session, call: str) -> bool:
    """Whether a colleague took the call: told in its own step, and so committed before the two were
    connected."""
    steps = select(PhoneEvent.id).where(
        PhoneEvent.subject == call,
        PhoneEvent.kind == EventKind.STEP,
        PhoneEvent.facts["step"].astext == Step.ACCEPT.value,
        PhoneEvent.facts["input"].astext == "1",
    )
    return session.scalar(steps.limit(1)) is not None


def _line(session: Session) -> Line:
    """Who could be rung now: those who are here, work the phone, have one, and do not talk on it."""
    roster = routing.roster(session)
    talking = set(
        session.scalars(
            select(Call.staff_id).where(Call.state == CallState.CONNECTED, Call.ended_at.is_(None))
        )
    )
    query = select(StaffMember.id, StaffMember.phone).where(
        StaffMember.active, StaffMember.phone.is_not(None), StaffMember.role.in_(WORK_THE_PHONE)
    )
    numbers = {staff_id: readable(number or "") for staff_id, number in session.execute(query)}
    return Line(
        roster,
        {
            one: number
            for one, number in numbers.items()
            if number and one in roster.here and one not in talking
        },
    )
