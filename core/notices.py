"""Alarms that staff see until the fault is gone: a mailbox that stopped, a disk that fills up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id


class Notice(Base):
    """One alarm; open while ``cleared_at`` is empty."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("uq_notice_open", "kind", "subject", unique=True, postgresql_where=text("cleared_at IS NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(Text)
    """What is wrong, as a key: ``mailbox_failing``, ``disk_full``."""
    subject: Mapped[str] = mapped_column(Text)
    """With what: the mailbox's name."""
    detail: Mapped[str] = mapped_column(Text, default="")
    raised_at: Mapped[datetime] = mapped_column(server_default=func.now())
    cleared_at: Mapped[datetime | None]


def raise_alarm(session: Session, kind: str, subject: str, detail: str) -> bool:
    """Raise an alarm; True when it is new, False when it stands already (its detail is renewed)."""
    row = insert(Notice).values(kind=kind, subject=subject, detail=detail)
    inserted = session.execute(
        row.on_conflict_do_update(
            index_elements=[Notice.kind, Notice.subject],
            index_where=text("cleared_at IS NULL"),
            set_={"detail": row.excluded.detail},
        ).returning(text("(xmax = 0)"))
    ).scalar_one()
    return bool(inserted)


def clear_alarm(session: Session, kind: str, subject: str) -> bool:
    """Clear an alarm; True when one stood."""
    cleared = session.execute(
        update(Notice)
        .where(Notice.kind == kind, Notice.subject == subject, Notice.cleared_at.is_(None))
        .values(cleared_at=func.now())
        .returning(Notice.id)
    ).all()
    return bool(cleared)


_OPEN = select(Notice).where(Notice.cleared_at.is_(None)).order_by(Notice.id)


def open_alarms(session: Session) -> list[Notice]:
    """The alarms that stand, oldest first."""
    return list(session.scalars(_OPEN))
