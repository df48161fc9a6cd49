"""The lists that screens show: one query each, only the columns that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from core.accounts import Account, Contact
from core.conversations import Conversation, ConversationState, Message
from core.errors import InputRefused
from core.i18n import N_
from core.intake import IntakeState, Mailbox, RawMessage
from core.outbox import Delivery, DeliveryState
from core.reading import ConversationRead
from core.search import UNSAID
from core.sessions import SignedIn
from core.snoozing import awake
from core.staff import StaffMember, Team
from core.tasks import Task, TaskState
from core.unsent import Unsent
from desk import fixedquery
from desk.access import LEADERS, visible
from desk.colleagues import Colleague, active, of_clients

PAGE = 50
MANY = 1000
"""Counts stop here and show a plus; nobody reads the difference."""


class Box(StrEnum):
    """A shelf of the inbox."""

    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"
    ALL = "all"
    LATER = "later"
    DONE = "done"


BOX_NAMES: dict[Box, str] = {
    Box.MINE: N_("Mine"),
    Box.TEAM: N_("My team"),
    Box.UNASSIGNED: N_("Unassigned"),
    Box.ALL: N_("All open"),
    Box.LATER: N_("Later"),
    Box.DONE: N_("Done"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation in the list."""

    id: int
    subject: str
    state: str
    intent: str | None
    confidence: float | None
    urgency: str
    language: str | None
    waiting: bool
    unread: bool
    at: datetime
    assignee_id: int | None
    assignee: str | None
    team: str | None
    contact: str
    account: str
    snippet: str
    ours: bool
    """We wrote last."""
    until: datetime | None = None
    """Put off until then; when that is past, it has just come back."""
    draft: bool = False
    """Whoever looks has begun an answer."""
    back: bool = False

    @property
    def cursor(self) -> str:
        """Where the list goes on after this row."""
        return f"{self.at.isoformat()}~{self.id}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a shelf is shown; empty for everything."""

    topic: str = ""
    language: str = ""
    team: str = ""
    waiting: str = ""
    """``us`` where the client waits for us, ``client`` where we wait."""

    @property
    def filters(self) -> dict[str, str]:
        """What is asked, as addresses and saved views hold it."""
        given = {
            "topic": self.topic,
            "language": self.language,
            "team": self.team,
            "waiting": self.waiting,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def condition(self) -> ColumnElement[bool]:
        """The same on Conversation."""
        asked: list[ColumnElement[bool]] = [true()]
        if self.topic:
            unsure = Conversation.intent.is_(None)
            asked.append(unsure if self.topic == "unsure" else Conversation.intent == self.topic)
        if self.language:
            asked.append(Conversation.language == self.language)
        if self.team:
            number = int(self.team) if self.team.isascii() and self.team.isdecimal() else 0
            asked.append(Conversation.team_id == number)
        if self.waiting:
            asked.append(Conversation.waiting.is_(self.waiting == "us"))
        return and_(*asked)


def _shelf(viewer: SignedIn, box: Box) -> ColumnElement[bool]:
    state = ConversationState.DONE if box == Box.DONE else ConversationState.OPEN
    conditions = [Conversation.state == state, visible(viewer)]
    if box == Box.LATER:
        mine = Conversation.assignee_id == viewer.staff_id
        conditions += [~awake(), or_(mine, Conversation.assignee_id.is_(None))]
    elif box != Box.DONE:
        conditions.append(awake())
    if box == Box.MINE:
        conditions.append(Conversation.assignee_id == viewer.staff_id)
    elif box == Box.TEAM:
        conditions.append(Conversation.team_id == viewer.team_id)
    elif box == Box.UNASSIGNED:
        conditions.append(Conversation.assignee_id.is_(None))
    return and_(*conditions)


def boxes_of(viewer: SignedIn) -> list[Box]:
    """The shelves somebody has."""
    return [box for box in Box if box != Box.TEAM or viewer.team_id is not None]


def _limited(query: Select[*tuple[Any, ...]]) -> Any:
    return select(func.count()).select_from(query.limit(MANY).subquery()).scalar_subquery()


def counts(session: Session, viewer: SignedIn) -> dict[str, int]:
    """How much lies on each shelf, in one query; at most `MANY`."""
    found = dict(fixedquery.execute(session, _counts, viewer).one()._mapping)
    decided = [number for name, number in found.items() if name.startswith("review_")]
    return found | {"review": sum(decided) + found["uncertain"] + found.get("quarantine", 0)}


def _counts(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    from desk import reviewing

    shelves = [box for box in boxes_of(viewer) if box not in {Box.DONE, Box.LATER}]
    columns = [
        _limited(select(Conversation.id).where(_shelf(viewer, box))).label(box.value) for box in shelves
    ]
    columns.append(_limited(uncertain_query(viewer).with_only_columns(Delivery.id)).label("uncertain"))
    to_do = select(Task.id).where(Task.state == TaskState.OPEN, Task.assignee_id == viewer.staff_id)
    columns.append(_limited(to_do).label("tasks"))
    if viewer.role in LEADERS:
        stuck = select(RawMessage.id).where(RawMessage.state == IntakeState.QUARANTINED)
        columns.append(_limited(stuck).label("quarantine"))
    asked = reviewing.count_query(viewer)
    columns += [_limited(query).label(f"review_{kind}") for kind, query in asked.items()]
    return select(*columns)


def inbox(
    session: Session, viewer: SignedIn, box: Box, *, before: str = "", wanted: Wanted | None = None
) -> tuple[list[Row], bool]:
    """A page of a shelf, newest first, and whether there is more. Raises InputRefused for a bad cursor.

    What was put off and has come back without a new letter stands before everything else.
    """
    wanted = wanted or Wanted()
    plain = not before and not wanted.filters

    def asked(build: fixedquery.Build, *given: Any) -> list[Any]:
        if plain:
            return list(fixedquery.execute(session, build, viewer, *given))
        return list(session.execute(build(viewer, *given)))

    first: list[Row] = []
    if box not in {Box.DONE, Box.LATER} and not before:
        first = [Row(*row, back=True) for row in asked(_returned, box, wanted)]
    rows = [Row(*row) for row in asked(_page, box, wanted, before)]
    return first + rows[:PAGE], len(rows) > PAGE


def _returned(viewer: SignedIn, box: Box, wanted: Wanted) -> Select[*tuple[Any, ...]]:
    back = and_(
        Conversation.snoozed_until <= func.now(), Conversation.last_message_at < Conversation.snoozed_until
    )
    query = _rows(viewer).where(_shelf(viewer, box), wanted.condition, back)
    return query.order_by(Conversation.snoozed_until.desc()).limit(PAGE)


def _page(viewer: SignedIn, box: Box, wanted: Wanted, before: str) -> Select[*tuple[Any, ...]]:
    query = _rows(viewer).where(_shelf(viewer, box), wanted.condition)
    if box not in {Box.DONE, Box.LATER}:
        fresh = Conversation.last_message_at >= Conversation.snoozed_until
        query = query.where(or_(Conversation.snoozed_until.is_(None), fresh))
    if before:
        at, _, number = before.partition("~")
        try:
            place = (datetime.fromisoformat(at), int(number))
        except ValueError as error:
            raise InputRefused("That page of the list does not exist.") from error
        query = query.where(tuple_(Conversation.last_message_at, Conversation.id) < tuple_(*place))
    return query.order_by(Conversation.last_message_at.desc(), Conversation.id.desc()).limit(PAGE + 1)


def _rows(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    """The columns of `Row` with what they are read from."""
    from core.labels import Classification

    not_taken_back = Delivery.state.is_distinct_from(DeliveryState.CANCELLED)
    last = (
        select(
            func.left(func.coalesce(func.nullif(Message.reply, ""), Message.text), 220).label("snippet"),
            Message.direction.label("direction"),
            Message.sender_name.label("sender_name"),
            Message.sender.label("sender"),
        )
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(Message.conversation_id == Conversation.id, not_taken_back)
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
        .lateral("last")
    )
    # What a person said tells more than our acknowledgement of it.
    words = (
        select(func.left(func.coalesce(func.nullif(Message.reply, ""), Message.text), 220).label("snippet"))
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(
            Message.conversation_id == Conversation.id,
            or_(Message.direction == "in", Message.staff_id.is_not(None)),
            Delivery.template.is_distinct_from(UNSAID),
            not_taken_back,
        )
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
        .lateral("words")
    )
    sure = (
        select(Classification.confidence.label("confidence"))
        .join(Message, Classification.message_id == Message.id)
        .where(Message.conversation_id == Conversation.id)
        .order_by(Message.happened_at.desc(), Classification.id.desc())
        .limit(1)
        .lateral("sure")
    )
    begun = select(Unsent.staff_id).where(
        Unsent.staff_id == viewer.staff_id, Unsent.conversation_id == Conversation.id
    )
    return (
        select(
            Conversation.id,
            Conversation.subject,
            Conversation.state,
            Conversation.intent,
            sure.c.confidence,
            Conversation.urgency,
            Conversation.language,
            Conversation.waiting,
            (func.coalesce(ConversationRead.read_at < Conversation.last_message_at, True)).label("unread"),
            Conversation.last_message_at,
            Conversation.assignee_id,
            StaffMember.name,
            Team.name,
            func.coalesce(func.nullif(Contact.name, ""), last.c.sender_name, last.c.sender, ""),
            func.coalesce(Account.name, ""),
            func.coalesce(words.c.snippet, last.c.snippet, ""),
            func.coalesce(last.c.direction == "out", False),
            Conversation.snoozed_until,
            begun.exists(),
        )
        .outerjoin(Contact, Conversation.contact_id == Contact.id)
        .outerjoin(Account, Conversation.account_id == Account.id)
        .outerjoin(StaffMember, Conversation.assignee_id == StaffMember.id)
        .outerjoin(Team, Conversation.team_id == Team.id)
        .outerjoin(
            ConversationRead,
            (ConversationRead.conversation_id == Conversation.id)
            & (ConversationRead.staff_id == viewer.staff_id),
        )
        .outerjoin(last, last.c.direction.is_not(None))
        .outerjoin(words, words.c.snippet.is_not(None))
        .outerjoin(sure, sure.c.confidence.is_not(None))
    )


def colleagues(session: Session) -> list[Colleague]:
    """Everybody who deals with clients, by name."""
    return of_clients(active(session))


def uncertain_query(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    """Sends whose fate is unknown: all for leaders, else one's own and those in conversations one may see."""
    query = (
        select(
            Delivery.id,
            Delivery.address,
            Delivery.recipient_name,
            Delivery.subject,
            Delivery.template,
            Delivery.error,
            Delivery.reply,
            Delivery.attempts,
            Delivery.settled_at,
            Delivery.created_at,
            Delivery.conversation_id,
            StaffMember.name.label("staff"),
        )
        .outerjoin(StaffMember, Delivery.staff_id == StaffMember.id)
        .outerjoin(Conversation, Delivery.conversation_id == Conversation.id)
        .where(Delivery.state == DeliveryState.UNCERTAIN)
        .order_by(Delivery.id)
    )
    if viewer.role in LEADERS:
        return query
    return query.where((Delivery.staff_id == viewer.staff_id) | visible(viewer))


def uncertain(session: Session, viewer: SignedIn) -> Sequence[Any]:
    """The uncertain sends somebody may decide."""
    return session.execute(uncertain_query(viewer).limit(500)).all()


def quarantined(session: Session) -> Sequence[Any]:
    """The letters that could not be understood, newest first, with their first kilobyte."""
    query = (
        select(
            RawMessage.id,
            RawMessage.source,
            RawMessage.size,
            RawMessage.error,
            RawMessage.attempts,
            RawMessage.stored_at,
            func.substr(RawMessage.data, 1, 8000).label("head"),
        )
        .where(RawMessage.state == IntakeState.QUARANTINED)
        .order_by(RawMessage.id.desc())
        .limit(200)
    )
    return session.execute(query).all()


def mailboxes(session: Session) -> Sequence[Mailbox]:
    """Every mailbox that is or was read."""
    return session.scalars(select(Mailbox).order_by(Mailbox.name, Mailbox.folder)).all()
