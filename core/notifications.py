"""What a colleague is to be told of while away from the desk, and how each of them wants to be told."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, ForeignKey, Index, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id
from core.errors import InputRefused


class Kind(StrEnum):
    """What there is to tell."""

    ASSIGNED = "assigned"
    REPLY = "reply"
    """A client wrote in a conversation of mine."""
    MENTIONED = "mentioned"
    MISSED_CALL = "missed_call"
    """A call nobody took, or a voicemail, is mine to answer."""
    RING = "ring"
    """A call rings at my telephone now."""
    APPROVAL = "approval"
    TASK_DUE = "task_due"
    MEETING = "meeting"
    """Somebody answered an invitation of mine."""


class Way(StrEnum):
    """How somebody is told."""

    AT_ONCE = "at_once"
    DIGEST = "digest"
    NONE = "none"


WAYS: dict[Kind, tuple[Way, ...]] = {
    **dict.fromkeys(Kind, (Way.AT_ONCE, Way.DIGEST, Way.NONE)),
    Kind.RING: (Way.AT_ONCE, Way.NONE),
}
"""What may be chosen for each kind; who is calling is worth nothing an hour later."""

USUAL: dict[Kind, Way] = {
    **dict.fromkeys(Kind, Way.DIGEST),
    Kind.RING: Way.AT_ONCE,
    Kind.MISSED_CALL: Way.AT_ONCE,
    Kind.TASK_DUE: Way.AT_ONCE,
}
"""What holds until somebody chooses."""


class NoticeState(StrEnum):
    """Where something to be told stands."""

    WAITING = "waiting"
    TOLD = "told"
    """It is in a letter to the colleague."""
    NEEDLESS = "needless"
    """The colleague saw or settled it at the desk, wants no letters of the kind, or it is out of date."""


TRANSITIONS: dict[NoticeState, frozenset[NoticeState]] = {
    NoticeState.WAITING: frozenset({NoticeState.TOLD, NoticeState.NEEDLESS}),
    NoticeState.TOLD: frozenset(),
    NoticeState.NEEDLESS: frozenset(),
}


class StaffNotice(Base):
    """One thing one colleague is to be told of."""

    __tablename__ = "staff_notice"
    __table_args__ = (
        Index("uq_staff_notice_key", "staff_id", "key", unique=True),
        Index("ix_staff_notice_waiting", "staff_id", postgresql_where=text("state = 'waiting'")),
        Index("ix_staff_notice_reminders", "staff_id", "due_at", postgresql_where=text("kind = 'task_due'")),
    )

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id", ondelete="CASCADE"))
    kind: Mapped[Kind]
    key: Mapped[str] = mapped_column(Text)
    """Names the cause, so that it is told once only: ``message:17``."""
    state: Mapped[NoticeState] = mapped_column(default=NoticeState.WAITING)
    who: Mapped[str] = mapped_column(Text, default="")
    """The client, or the colleague who did it."""
    title: Mapped[str] = mapped_column(Text, default="")
    preview: Mapped[str] = mapped_column(Text, default="")
    """The beginning of what was written, never the whole."""
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id", ondelete="CASCADE"))
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    due_at: Mapped[datetime | None]
    """When the task or the meeting is."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    """The colleague closed the reminder at the desk."""
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    """The letter that tells it."""


class NoticeCursor(Base):
    """How far each kind of cause has been looked through."""

    __tablename__ = "notice_cursor"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    last_id: Mapped[int]


class NoticeChoice(Base):
    """How somebody wants to be told; without a row what is usual holds."""

    __tablename__ = "notice_choice"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    ways: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    """A `Way` for each `Kind` that is not told as usual."""
    away_minutes: Mapped[int] = mapped_column(default=10, server_default="10")
    """Who has not used the desk for so long is away."""
    digest_minutes: Mapped[int] = mapped_column(default=60, server_default="60")
    """So long a digest waits for more."""
    quiet_from: Mapped[time] = mapped_column(default=time(19), server_default="19:00")
    quiet_until: Mapped[time] = mapped_column(default=time(7, 30), server_default="07:30")
    """No letters between these times of day; equal for none such hours."""
    quiet_days_off: Mapped[bool] = mapped_column(default=True, server_default="true")
    """Nor on days on which nobody works, or while absent."""
    morning: Mapped[bool] = mapped_column(default=True, server_default="true")
    morning_at: Mapped[time] = mapped_column(default=time(8), server_default="08:00")
    reminder_minutes: Mapped[int] = mapped_column(default=15, server_default="15")
    """So long before a task's time it is reminded of; 0 for never."""
    zone: Mapped[str | None] = mapped_column(Text)
    """Where the colleague works, where that is not the company's own zone."""
    last_mail_at: Mapped[datetime | None]

    def way(self, kind: Kind) -> Way:
        """How a kind is told."""
        chosen = (self.ways or {}).get(kind.value)
        return Way(chosen) if chosen in {one.value for one in WAYS[kind]} else USUAL[kind]

    def zone_or(self, company: str) -> ZoneInfo:
        """The colleague's zone, else the company's."""
        return ZoneInfo(self.zone or company)


AWAY = (5, 10, 20, 30, 60)
DIGESTS = (15, 30, 60, 120, 240)
REMINDERS = (0, 5, 10, 15, 30, 60)
"""Minutes that may be chosen."""


def choice_of(session: Session, staff_id: int, *, lock: bool = False) -> NoticeChoice:
    """Somebody's choice, made as usual where there is none; with `lock` until the transaction ends."""
    session.execute(insert(NoticeChoice).values(staff_id=staff_id).on_conflict_do_nothing())
    query = select(NoticeChoice).where(NoticeChoice.staff_id == staff_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.execute(query).scalar_one()


def choose(choice: NoticeChoice, **values: Any) -> None:
    """Keep what somebody chose. Raises InputRefused for what cannot be chosen."""
    for name, allowed in (
        ("away_minutes", AWAY),
        ("digest_minutes", DIGESTS),
        ("reminder_minutes", REMINDERS),
    ):
        if name in values and values[name] not in allowed:
            raise InputRefused("That cannot be chosen.")
    ways = values.get("ways", {})
    if any(Way(way) not in WAYS[Kind(kind)] for kind, way in ways.items()):
        raise InputRefused("That cannot be chosen.")
    for name, value in values.items():
        setattr(choice, name, value)


def tell(
    session: Session,
    staff_id: int,
    kind: Kind,
    key: str,
    *,
    who: str = "",
    title: str = "",
    preview: str = "",
    conversation_id: int | None = None,
    task_id: int | None = None,
    meeting_id: int | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Note that somebody is to be told of something; False when it was noted before."""
    row = insert(StaffNotice).values(
        staff_id=staff_id, kind=kind, key=key, state=NoticeState.WAITING, who=who[:200], title=title[:300],
        preview=preview[:PREVIEW], conversation_id=conversation_id, task_id=task_id, meeting_id=meeting_id,
        due_at=due_at,
    )  # fmt: skip
    added = session.execute(row.on_conflict_do_nothing().returning(StaffNotice.id)).first()
    return added is not None


KEPT = timedelta(days=60)
"""So long notices stay after they were made."""
PREVIEW = 140
"""Characters of a client's words that a letter to a colleague shows."""


class MorningPlan(Base):
    """That somebody's plan of a day was made: once, whatever is started again."""

    __tablename__ = "morning_plan"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    """The letter; None where there was nothing to say."""
