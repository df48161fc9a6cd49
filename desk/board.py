"""The deals under way as a board and as a list: who may see which, how long they stand, their worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from core.accounts import Account, Contact
from core.conversations import Conversation
from core.deals import Deal, DealLine
from core.errors import InputRefused
from core.pipelines import Pipeline, Stage
from core.sessions import SignedIn
from core.staff import StaffMember
from core.values import Money
from core.worktime import Calendar
from desk.access import LEADERS, visible

CARDS = 25
"""Cards shown in one column; the list shows the rest."""
ROWS = 60
"""Deals on one page of the list."""


@dataclass(frozen=True, slots=True)
class Card:
    """One deal under way."""

    id: int
    title: str
    pipeline_id: int
    stage_id: int
    proposed_stage_id: int | None
    entered_at: datetime
    owner_id: int | None
    owner: str | None
    account: str
    contact: str
    conversation_id: int | None
    """The newest conversation about it that may be seen; moving it happens there."""
    worth: Money
    stage: Stage
    days: int
    """Whole days in its stage."""
    over: timedelta
    """Working time beyond the stage's norm."""

    @property
    def cursor(self) -> str:
        """Where the list goes on after this deal."""
        return f"{self.entered_at.isoformat()}~{self.id}"


@dataclass(slots=True)
class Column:
    """A stage of the board: of the version in force, with the same stage of earlier versions."""

    key: str
    name: str
    stage_ids: dict[int, int] = field(default_factory=dict)
    """Pipeline version's id → its stage's id."""
    current: bool = False
    """The version in force has it."""
    count: int = 0
    worth: list[Money] = field(default_factory=list)
    """One sum for each currency."""
    cards: list[Card] = field(default_factory=list)


def seen_deals(viewer: SignedIn) -> ColumnElement[bool]:
    """Which deals somebody may see: leaders all, others those they own or work on, or whose client or
    conversation is theirs."""
    if viewer.role in LEADERS:
        return true()
    curated = select(Account.id).where(Account.curator_id == viewer.staff_id)
    talked = select(Conversation.deal_id).where(Conversation.deal_id.is_not(None), visible(viewer))
    return or_(own_deals(viewer), Deal.account_id.in_(curated), Deal.id.in_(talked))


def _seen_ids(viewer: SignedIn) -> CompoundSelect[int]:
    """The same for whoever does not lead, way by way: few of many deals are found by their indexes."""
    curated = select(Deal.id).join(Account, Account.id == Deal.account_id)
    return union(
        select(Deal.id).where(Deal.owner_id == viewer.staff_id),
        select(Deal.id).where(Deal.performer_id == viewer.staff_id),
        curated.where(Account.curator_id == viewer.staff_id),
        select(Conversation.deal_id).where(Conversation.deal_id.is_not(None), visible(viewer)),
    )


def own_deals(viewer: SignedIn) -> ColumnElement[bool]:
    """The deals that somebody owns or works on."""
    return or_(Deal.owner_id == viewer.staff_id, Deal.performer_id == viewer.staff_id)


def pipelines(session: Session) -> Sequence[Pipeline]:
    """The pipelines that take deals, the standard one first."""
    query = select(Pipeline).where(Pipeline.active).order_by(Pipeline.standard.desc(), Pipeline.id)
    return session.scalars(query).all()


def columns(session: Session, pipeline: Pipeline, language: str) -> list[Column]:
    """The stages of a pipeline, empty; stages that only earlier versions have stand where they stood."""
    query = (
        select(Stage, Pipeline.id)
        .join(Pipeline)
        .where(Pipeline.key == pipeline.key)
        .order_by(Pipeline.active.desc(), Stage.position, Pipeline.id.desc())
    )
    found: dict[str, Column] = {}
    for stage, pipeline_id in session.execute(query):
        column = found.setdefault(stage.key, Column(stage.key, stage.name(language)))
        column.stage_ids.setdefault(pipeline_id, stage.id)
        column.current |= pipeline_id == pipeline.id
    return list(found.values())


def fill(
    session: Session,
    board: list[Column],
    viewer: SignedIn,
    calendar: Calendar,
    now: datetime,
    *,
    only_own: bool,
) -> list[Column]:
    """Put the deals under way into their columns, those that stand longest first; an earlier version's
    column without deals is left out."""
    of_stage = {number: column for column in board for number in column.stage_ids.values()}
    under_way: list[ColumnElement[bool]] = [Deal.outcome.is_(None), Deal.stage_id.in_(of_stage)]
    if only_own:
        under_way.append(own_deals(viewer))
    elif viewer.role not in LEADERS:
        under_way.append(Deal.id.in_(_seen_ids(viewer)))
    worth: dict[str, dict[str, Decimal]] = {}
    for stage_id, currency, count, amount in session.execute(_sums(under_way)):
        column = of_stage[stage_id]
        column.count += count
        totals = worth.setdefault(column.key, {})
        totals[currency] = totals.get(currency, Decimal(0)) + amount
    for column in board:
        totals = worth.get(column.key, {})
        column.worth = [Money(amount, currency) for currency, amount in sorted(totals.items()) if amount]
    first = _first(under_way, CARDS * len(of_stage))
    shown = _query(viewer).join(first, first.c.id == Deal.id)
    for card in _cards(session, shown, calendar, now):
        of_stage[card.stage_id].cards.append(card)
    return [column for column in board if column.count or column.current]


def _sums(under_way: Sequence[ColumnElement[bool]]) -> CompoundSelect[*tuple[Any, ...]]:
    """How many deals stand in each stage, and what they are worth: rows of the one and rows of the other."""
    seen = select(Deal.id, Deal.stage_id, Deal.currency).where(*under_way).cte("seen")
    counted = select(seen.c.stage_id, seen.c.currency, func.count(), literal(Decimal(0)))
    valued = select(seen.c.stage_id, seen.c.currency, literal(0), _worth(DealLine)).join(
        DealLine, DealLine.deal_id == seen.c.id
    )
    by = (seen.c.stage_id, seen.c.currency)
    return union_all(counted.group_by(*by), valued.group_by(*by))


def _first(under_way: Sequence[ColumnElement[bool]], most: int) -> Subquery:
    """The deals that have stood longest in each stage, as many as a column shows; `most` in all, which tells
    the database that it may fetch what belongs to each one by one."""
    rank = func.row_number().over(partition_by=Deal.stage_id, order_by=(Deal.stage_entered_at, Deal.id))
    ranked = select(Deal.id, rank.label("place")).where(*under_way).subquery("ranked")
    return select(ranked.c.id).where(ranked.c.place <= CARDS).limit(most).subquery("first")


def listed(
    session: Session,
    board: list[Column],
    viewer: SignedIn,
    calendar: Calendar,
    now: datetime,
    *,
    only_own: bool,
    before: str = "",
) -> tuple[list[Card], bool]:
    """A page of the deals under way in these columns, those that stand longest first, and whether there is
    more. Raises InputRefused for a bad cursor."""
    stage_ids = [number for column in board for number in column.stage_ids.values()]
    query = _query(viewer).where(Deal.outcome.is_(None), Deal.stage_id.in_(stage_ids), seen_deals(viewer))
    if only_own:
        query = query.where(own_deals(viewer))
    if before:
        at, _, number = before.partition("~")
        try:
            place = (datetime.fromisoformat(at), int(number))
        except ValueError as error:
            raise InputRefused("That page of the list does not exist.") from error
        query = query.where(tuple_(Deal.stage_entered_at, Deal.id) > tuple_(*place))
    cards = _cards(session, query.limit(ROWS + 1), calendar, now)
    return cards[:ROWS], len(cards) > ROWS


def oldest(
    session: Session,
    viewer: SignedIn,
    which: ColumnElement[bool],
    calendar: Calendar,
    now: datetime,
    *,
    limit: int,
) -> list[Card]:
    """Some of the deals under way that one may see, those that stand longest in their stage first."""
    query = _query(viewer).where(Deal.outcome.is_(None), seen_deals(viewer), which)
    return _cards(session, query.limit(limit), calendar, now)


def _worth(line: Any) -> ColumnElement[Decimal]:
    return func.coalesce(func.sum(func.round(line.quantity * line.price, 2)), 0)


def _query(viewer: SignedIn) -> Select[*tuple[Any, ...]]:
    owner = aliased(StaffMember)
    talk = (
        select(Conversation.id)
        .where(Conversation.deal_id == Deal.id, visible(viewer))
        .order_by(Conversation.last_message_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    worth = select(_worth(DealLine)).where(DealLine.deal_id == Deal.id).scalar_subquery()
    return (
        select(
            Deal.id,
            Deal.title,
            Deal.pipeline_id,
            Deal.stage_id,
            Deal.proposed_stage_id,
            Deal.stage_entered_at,
            Deal.owner_id,
            owner.name,
            func.coalesce(Account.name, ""),
            func.coalesce(Contact.name, ""),
            talk,
            Deal.currency,
            worth,
            Stage,
        )
        .join(Stage, Stage.id == Deal.stage_id)
        .outerjoin(owner, owner.id == Deal.owner_id)
        .outerjoin(Account, Account.id == Deal.account_id)
        .outerjoin(Contact, Contact.id == Deal.contact_id)
        .order_by(Deal.stage_entered_at, Deal.id)
    )


def _cards(
    session: Session, query: Select[*tuple[Any, ...]], calendar: Calendar, now: datetime
) -> list[Card]:
    cards = []
    for row in session.execute(query):
        *start, currency, amount, stage = tuple(row)
        entered = row.stage_entered_at
        cards.append(
            Card(
                *start,
                worth=Money(amount, currency),
                stage=stage,
                days=max((now - entered).days, 0),
                over=stage.over_norm(entered, now, calendar),
            )
        )
    return cards
