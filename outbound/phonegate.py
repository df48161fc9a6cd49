"""The gate of the telephone: hours of the callee, and caps counted in the transaction that lets it go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import notices, phoneorders, spending
from core.accounts import Account, Channel, Contact
from core.callhours import Allowed, country_of, next_allowed, zones_of
from core.config import Settings
from core.dialling import may_call
from core.outbox import Purpose
from core.phoneorders import OrderKind, PhoneOrder
from core.spending import Cap, Ruling
from outbound.channels.base import Outcome, Result, Scope
from outbound.compose import Composed
from outbound.phonecompose import PhoneComposed
from outbound.policy import Action, Verdict

CAPPED = "phone_cap_reached"
REFUSED = "phone_refused"
LOOK_AGAIN: Mapping[Cap, float] = {
    Cap.NUMBER: 3600.0,
    Cap.BLOCK: 3600.0,
    Cap.DAY: 900.0,
    Cap.MONTH: 6 * 3600.0,
}
"""Seconds after which a cap is asked again."""


class PhoneGate:
    """The gate of one channel, SMS or voice."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._settings = settings
        self._channel = channel
        rules = settings.dialling
        self._hours = Allowed(rules.automatic_from, rules.automatic_until, frozenset(rules.automatic_days))

    def admit(self, session: Session, composed: Sequence[Composed]) -> Mapping[int, Verdict]:
        """Hold back what may not go now; write the orders of the rest."""
        asked = [one for one in composed if isinstance(one, PhoneComposed)]
        if not asked:
            return {}
        spending.alone(session)
        now: datetime = session.execute(select(func.now())).scalar_one()
        held_back: dict[int, Verdict] = {}
        also: list[tuple[str, int]] = []
        for one in asked:
            said = self._verdict(session, one, now, also)
            if said is not None:
                held_back[one.claimed.id] = said
                continue
            also.append((one.claimed.address, one.units))
            self._write(session, one)
        if also:
            notices.clear_alarm(session, CAPPED, self._channel.value)
        return held_back

    def _verdict(
        self, session: Session, one: PhoneComposed, now: datetime, also: Sequence[tuple[str, int]]
    ) -> Verdict | None:
        number = one.claimed.address
        if (
            one.kind is OrderKind.CLICK
            and not (own := may_call(one.dialled, self._settings.phone.countries)).yes
        ):
            return Verdict(Action.REFUSE, f"the colleague's own number: {own.reason}")
        ruling = spending.ask(session, self._settings, self._channel, number, one.units, also)
        if not ruling.yes:
            return self._refusal(session, one, ruling)
        if one.kind is OrderKind.MESSAGE or (
            one.claimed.automatic and one.claimed.purpose == Purpose.MARKETING
        ):
            return self._hour(session, one, now)
        return None

    def _refusal(self, session: Session, one: PhoneComposed, ruling: Ruling) -> Verdict:
        if ruling.cap in {Cap.DAY, Cap.MONTH}:
            notices.raise_alarm(session, CAPPED, self._channel.value, ruling.reason)
        if ruling.cap is None or not ruling.passes or one.kind is OrderKind.CLICK:
            return Verdict(Action.REFUSE, ruling.reason)
        return Verdict(Action.DEFER, ruling.reason, LOOK_AGAIN[ruling.cap])

    def _hour(self, session: Session, one: PhoneComposed, now: datetime) -> Verdict | None:
        zone = None
        if one.claimed.contact_id is not None:
            query = select(Account.zone).join(Contact).where(Contact.id == one.claimed.contact_id)
            zone = session.scalar(query)
        zones = zones_of(one.claimed.address, zone, self._settings.company.timezone)
        when = next_allowed(now, zones, self._hours, country_of(one.claimed.address))
        if when == now:
            return None
        if when is None:
            return Verdict(Action.REFUSE, f"no hour suits {', '.join(zones)}")
        wait = (when - now).total_seconds()
        return Verdict(Action.DEFER, f"outside the allowed hours in {', '.join(zones)}", wait)

    def _write(self, session: Session, one: PhoneComposed) -> None:
        row = insert(PhoneOrder).values(
            delivery_id=one.claimed.id,
            kind=one.kind,
            channel=self._channel,
            number=one.claimed.address,
            dialled=one.dialled,
            sender=one.letter.sender,
            text=one.text,
            units=one.units,
        )
        session.execute(
            row.on_conflict_do_update(
                index_elements=[PhoneOrder.delivery_id],
                set_={
                    "dialled": row.excluded.dialled,
                    "sender": row.excluded.sender,
                    "text": row.excluded.text,
                    "units": row.excluded.units,
                    "ordered_at": func.now(),
                },
                where=PhoneOrder.sid.is_(None),
            )
        )

    def recorded(self, session: Session, outcomes: Mapping[int, Outcome]) -> None:
        """Keep the ids of what was taken; tell an administrator what only they can mend."""
        phoneorders.taken(session, {one: outcome.sid for one, outcome in outcomes.items() if outcome.sid})
        for outcome in outcomes.values():
            if outcome.result is Result.REFUSED and outcome.scope is Scope.RELAY:
                notices.raise_alarm(session, REFUSED, self._channel.value, outcome.reply)
            elif outcome.result is Result.SENT:
                notices.clear_alarm(session, REFUSED, self._channel.value)
