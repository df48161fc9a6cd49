"""What became of each letter and each delivery, read from the database as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import intake
from core.conversations import Conversation, Direction, Message
from core.intake import IntakeState, RawMessage, RawOrigin
from core.labels import Classification
from core.outbox import Delivery, DeliveryEvent, DeliveryState
from core.routing import Assignment
from core.staff import StaffMember, Team
from desk.demo.correspondence import Letter
from desk.demo.servers import Sent
from inbound.contentkey import content_key

OUT = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.BOUNCED})
"""States of a delivery that the relay has taken."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one sample letter; `message_id` is None where it was not filed."""

    letter: Letter
    times: int
    """How often it stands in a conversation."""
    state: str = ""
    """State of its raw bytes; empty where they are not kept."""
    reason: str = ""
    """Why it was ignored, or what is wrong with it."""
    message_id: int | None = None
    subject: str = ""
    sender: str = ""
    account: str = ""
    language: str | None = None
    intent: str | None = None
    """None where the classifier kept silent."""
    confidence: float = 0.0
    machine: str | None = None
    assignee: str = ""
    rule: str = ""
    answers: tuple[str, ...] = ()
    """States of the acknowledgements it caused."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One delivery and how often the relay got it."""

    delivery_id: int
    key: str
    state: DeliveryState
    address: str
    subject: str
    template: str
    taken: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of everything."""

    appended: int
    """Letters that were filed into our mailboxes on the server."""
    origins: int
    raw: int
    by_state: dict[str, int]
    filed: int


def rfc_id_of(data: bytes) -> str:
    """The Message-ID of a letter without its brackets; empty where it has none."""
    head = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return str(message_from_bytes(head, policy=policy.compat32)["Message-ID"] or "").strip().strip("<>")


def letters(session: Session, expected: Iterable[Letter], contents: dict[str, bytes]) -> list[Seen]:
    """What became of the sample letters, in their order."""
    return [_letter(session, letter, contents[letter.file]) for letter in expected]


def _letter(session: Session, letter: Letter, content: bytes) -> Seen:
    raw = session.scalar(select(RawMessage).where(RawMessage.content_key == content_key(content)))
    if raw is None:
        return Seen(letter, 0)
    rows = session.execute(
        select(Message, Classification, Conversation)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .outerjoin(Classification, Classification.message_id == Message.id)
        .where(Message.raw_id == raw.id)
    ).all()
    if not rows:
        return Seen(letter, 0, state=raw.state.value, reason=raw.reason or raw.error or "")
    message, understood, conversation = rows[0]
    assignee, rule = _assignment(session, conversation)
    answers = session.scalars(
        select(Delivery.state).where(Delivery.key == f"acknowledgement:{message.id}")
    ).all()
    return Seen(
        letter,
        len(rows),
        state=raw.state.value,
        message_id=message.id,
        subject=message.subject,
        sender=message.sender,
        account=conversation.account.name if conversation.account else "",
        language=message.language,
        intent=None if understood is None or understood.abstained else understood.intent,
        confidence=understood.confidence if understood is not None else 0.0,
        machine=message.machine,
        assignee=assignee,
        rule=rule,
        answers=tuple(state.value for state in answers),
    )


def _assignment(session: Session, conversation: Conversation) -> tuple[str, str]:
    """Who has a conversation, or which team's queue it waits in, and the rule that decided."""
    row = session.execute(
        select(StaffMember.name, Team.name, Assignment.rule)
        .select_from(Assignment)
        .outerjoin(StaffMember, Assignment.staff_id == StaffMember.id)
        .outerjoin(Team, Assignment.team_id == Team.id)
        .where(Assignment.conversation_id == conversation.id)
        .order_by(Assignment.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return "", ""
    person, team, rule = row
    return person or team or "", rule


def deliveries(session: Session, sent: Sequence[Sent]) -> list[Outgoing]:
    """Every delivery, oldest first, with how often the relay has it."""
    taken = Counter((rfc_id_of(one.data), address) for one in sent for address in one.recipients)
    return [
        Outgoing(
            one.id, one.key, one.state, one.address, subject or one.subject, one.template or "",
            taken[one.rfc_id or "", one.address],
        )
        for one, subject in session.execute(
            select(Delivery, Message.subject)
            .outerjoin(Message, Message.delivery_id == Delivery.id)
            .order_by(Delivery.id)
        )
    ]  # fmt: skip


def strangers(session: Session, sent: Sequence[Sent], ours: frozenset[str]) -> list[str]:
    """Message-IDs of letters that the relay has from us and no delivery accounts for."""
    known = set(session.scalars(select(Delivery.rfc_id).where(Delivery.rfc_id.is_not(None))))
    from_us = [one for one in sent if not ours.intersection(one.recipients)]
    return [rfc_id for one in from_us if (rfc_id := rfc_id_of(one.data)) not in known]


def counts(session: Session, appended: int) -> Counts:
    """How much there is of everything."""
    by_state = intake.counts(session)
    return Counts(
        appended=appended,
        origins=session.scalar(select(func.count()).select_from(RawOrigin)) or 0,
        raw=sum(by_state.values()),
        by_state=by_state,
        filed=session.scalar(select(func.count()).where(Message.raw_id.is_not(None))) or 0,
    )


def waiting(session: Session, *, untried: bool = False) -> tuple[int, int]:
    """Letters not understood yet (or not even tried), and deliveries not settled yet."""
    query = select(func.count()).where(RawMessage.state == IntakeState.STORED)
    stored = session.scalar(query.where(RawMessage.attempts == 0) if untried else query)
    open_states = (
        DeliveryState.QUEUED,
        DeliveryState.CLAIMED,
        DeliveryState.TRANSMITTING,
        DeliveryState.DEFERRED,
    )
    going = session.scalar(select(func.count()).where(Delivery.state.in_(open_states)))
    return stored or 0, going or 0


@dataclass(frozen=True, slots=True)
class News:
    """A message that came or left a moment ago."""

    number: int
    """Of the message that came, or of the event that one left."""
    incoming: bool
    who: str
    subject: str
    about: str
    """Its topic, where one was recognised."""
    assignee: str


def came(session: Session, after: int) -> list[News]:
    """Messages of clients with a higher id than that, oldest first."""
    rows = session.execute(
        select(Message.id, Message.sender, Message.subject, Classification.intent, StaffMember.name)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .outerjoin(Classification, Classification.message_id == Message.id)
        .outerjoin(StaffMember, Conversation.assignee_id == StaffMember.id)
        .where(Message.id > after, Message.direction == Direction.IN)
        .order_by(Message.id)
    )
    return [
        News(number, True, sender, subject, intent or "", name or "")
        for number, sender, subject, intent, name in rows
    ]


def left(session: Session, after: int) -> list[News]:
    """What a server took of ours after that event; what was written and taken back is not among it."""
    rows = session.execute(
        select(DeliveryEvent.id, Delivery.address, Message.subject)
        .join(Delivery, DeliveryEvent.delivery_id == Delivery.id)
        .join(Message, Message.delivery_id == func.coalesce(Delivery.copy_of_id, Delivery.id))
        .where(DeliveryEvent.id > after, DeliveryEvent.state == DeliveryState.SENT)
        .order_by(DeliveryEvent.id)
    )
    return [News(number, False, address, subject, "", "") for number, address, subject in rows]


def newest(session: Session) -> tuple[int, int]:
    """The newest message and the newest event of a delivery, after which there is news."""
    found = (session.scalar(select(func.max(one))) or 0 for one in (Message.id, DeliveryEvent.id))
    return next(found), next(found)
