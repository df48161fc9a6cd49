"""What a colleague has begun to write to a client and not sent yet: kept while it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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


class UnsentFirst(Base):
    """The words of one colleague for a first letter to a client; gone once they are sent or wiped out."""

    __tablename__ = "unsent_first"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    """To whom."""
    subject: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text, default="")
    copies: Mapped[str] = mapped_column(Text, default="")
    template: Mapped[str] = mapped_column(Text, default="answer")
    language: Mapped[str | None] = mapped_column(Text)
    kept_at: Mapped[datetime] = mapped_column(server_default=func.now())


def keep_first(
    session: Session, staff_id: int, account_id: int, words: Mapping[str, Any], *, key: str
) -> bool:
    """Keep what is written so far of a first letter, as `keep` does; ``words`` are columns of its row."""
    gone = not (words["body"].strip() or words["subject"].strip())
    if gone or session.scalar(select(exists().where(Delivery.key == key))):
        forget_first(session, staff_id, account_id)
        return False
    row = insert(UnsentFirst).values(staff_id=staff_id, account_id=account_id, **words)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[UnsentFirst.staff_id, UnsentFirst.account_id],
            set_={**words, "kept_at": func.now()},
        )
    )
    return True


def first_of(session: Session, staff_id: int, account_id: int) -> UnsentFirst | None:
    """What somebody has begun to write to a client first."""
    return session.get(UnsentFirst, (staff_id, account_id), populate_existing=True)


def forget_first(session: Session, staff_id: int, account_id: int) -> None:
    """It was sent, or is not wanted any more."""
    session.execute(
        delete(UnsentFirst).where(UnsentFirst.staff_id == staff_id, UnsentFirst.account_id == account_id)
    )
