"""What a colleague has begun to write to a client and not sent yet: kept while it is written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.outbox import Delivery


class Unsent(Base):
    """The words of one colleague for one conversation; gone once they are sent or wiped out."""

    __tablename__ = "unsent"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    subject: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text)
    copies: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The line that names who else gets it, as it was written."""
    template: Mapped[str] = mapped_column(Text, default="answer")
    language: Mapped[str | None] = mapped_column(Text)
    kept_at: Mapped[datetime] = mapped_column(server_default=func.now())


def keep(
    session: Session,
    staff_id: int,
    conversation_id: int,
    *,
    body: str,
    subject: str = "",
    template: str = "answer",
    language: str | None = None,
    copies: str = "",
    key: str = "",
) -> bool:
    """Keep what is written so far; an empty body forgets it. Whether anything is kept afterwards.

    ``key`` is the key of the delivery it will become: words that are on their way already, told late by a
    slow page, are not kept again.
    """
    if not body.strip() or (key and session.scalar(select(exists().where(Delivery.key == key)))):
        forget(session, staff_id, conversation_id)
        return False
    words = {
        "subject": subject,
        "body": body,
        "template": template,
        "language": language,
        "copies": copies,
    }
    row = insert(Unsent).values(staff_id=staff_id, conversation_id=conversation_id, **words)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[Unsent.staff_id, Unsent.conversation_id],
            set_={**words, "kept_at": func.now()},
        )
    )
    return True


def of(session: Session, staff_id: int, conversation_id: int) -> Unsent | None:
    """What somebody has begun to write in a conversation."""
    return session.get(Unsent, (staff_id, conversation_id), populate_existing=True)


def forget(session: Session, staff_id: int, conversation_id: int) -> None:
    """It was sent, or is not wanted any more."""
    session.execute(
        delete(Unsent).where(Unsent.staff_id == staff_id, Unsent.conversation_id == conversation_id)
    )
