"""After the faults: what was lost, stored twice, sent twice or left without an answer, by counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import ledger
from core.conversations import Direction, Message
from core.intake import IntakeState, RawMessage
from core.outbox import Delivery, DeliveryState
from tests.faults.relay import BadDayRelay

ARRIVED = {DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.BOUNCED}


@dataclass(frozen=True, slots=True)
class Count:
    """The result of a run; everything but ``uncertain`` and the totals must be nought or empty."""

    letters: int
    documents: int
    lost_in: list[str]
    stored_twice: list[str]
    filed_twice: list[str]
    waiting_in: int
    quarantined: int
    never_queued: list[str]
    sent_twice: list[str]
    sent_but_not_taken: list[str]
    taken_but_not_on_record: list[str]
    waiting_out: int
    uncertain: int
    uncertain_arrived: int
    unsound: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, int]:
        """Whatever must be nought."""
        return {
            "letters lost": len(self.lost_in),
            "letters stored twice": len(self.stored_twice),
            "letters filed twice": len(self.filed_twice),
            "letters still waiting": self.waiting_in,
            "letters quarantined": self.quarantined,
            "documents never queued": len(self.never_queued),
            "documents sent twice": len(self.sent_twice),
            "called sent but never taken": len(self.sent_but_not_taken),
            "taken but neither sent nor uncertain": len(self.taken_but_not_on_record),
            "documents still waiting": self.waiting_out,
            "what the ledger finds unsound": len(self.unsound),
        }


def count(session: Session, tokens: Iterable[str], keys: Iterable[str], relay: BadDayRelay) -> Count:
    """Compare what was put in with what is on record and what the relay took."""
    wanted, intended = set(tokens), set(keys)
    subjects = Counter(
        session.scalars(
            select(Message.subject).where(Message.direction == Direction.IN, Message.raw_id.is_not(None))
        )
    )
    filed = {token: subjects[token] for token in wanted}
    raw = session.scalar(select(func.count()).select_from(RawMessage)) or 0
    states = dict(session.execute(select(RawMessage.state, func.count()).group_by(RawMessage.state)).all())
    deliveries = session.execute(select(Delivery.key, Delivery.state, Delivery.rfc_id)).all()
    by_id = {rfc_id: state for _, state, rfc_id in deliveries if rfc_id}
    uncertain = {rfc_id for _, state, rfc_id in deliveries if state == DeliveryState.UNCERTAIN}
    return Count(
        letters=len(wanted),
        documents=len(intended),
        lost_in=sorted(token for token, times in filed.items() if times == 0),
        stored_twice=["raw rows beyond letters"] * max(0, raw - len(wanted)),
        filed_twice=sorted(token for token, times in filed.items() if times > 1),
        waiting_in=states.get(IntakeState.STORED, 0),
        quarantined=states.get(IntakeState.QUARANTINED, 0),
        never_queued=sorted(intended - {key for key, _, _ in deliveries}),
        sent_twice=sorted(rfc_id for rfc_id, times in relay.taken.items() if times > 1),
        sent_but_not_taken=sorted(
            rfc_id for rfc_id, state in by_id.items() if state in ARRIVED and rfc_id not in relay.taken
        ),
        taken_but_not_on_record=sorted(
            rfc_id for rfc_id in relay.taken if by_id.get(rfc_id) not in {*ARRIVED, DeliveryState.UNCERTAIN}
        ),
        waiting_out=sum(
            state
            in {
                DeliveryState.QUEUED,
                DeliveryState.CLAIMED,
                DeliveryState.TRANSMITTING,
                DeliveryState.DEFERRED,
            }
            for _, state, _ in deliveries
        ),
        uncertain=len(uncertain),
        uncertain_arrived=sum(rfc_id in relay.taken for rfc_id in uncertain),
        unsound=[f"{one.what}: {one.count}" for one in ledger.balance(session).discrepancies],
    )


def table(result: Count, *, kills: int, crashes: int, seconds: float) -> str:
    """The result as lines of text."""
    rows: list[tuple[str, object]] = [
        ("letters in", result.letters),
        ("documents out", result.documents),
        ("kill -9 of workers", kills),
        ("crashes of the database", crashes),
        ("seconds", round(seconds)),
        *result.faults.items(),
        ("uncertain, shown to a person", result.uncertain),
        ("  of these had arrived", result.uncertain_arrived),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>6}" for name, value in rows)
