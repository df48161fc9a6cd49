"""Who has read which conversation, and until when: a later letter makes it unread again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base


class ConversationRead(Base):
    """Somebody looked at a conversation."""

    __tablename__ = "conversation_read"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    read_at: Mapped[datetime] = mapped_column(server_default=func.now())


def mark_read(session: Session, staff_id: int, conversation_id: int) -> None:
    """Note that somebody has read everything that a conversation holds now."""
    row = insert(ConversationRead).values(staff_id=staff_id, conversation_id=conversation_id)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[ConversationRead.staff_id, ConversationRead.conversation_id],
            set_={"read_at": func.now()},
        )
    )
