"""When clients said that they are away: follow-ups waited meanwhile, and a rehearsal has them wait too."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Id


class ClientAbsence(Base):
    """A note of absence that was believed."""

    __tablename__ = "client_absence"
    __table_args__ = (Index("ix_client_absence_contact", "contact_id", "noted_at"),)

    id: Mapped[Id]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    until: Mapped[datetime]
    """The first moment at which they may be back."""
    noted_at: Mapped[datetime] = mapped_column(server_default=func.now())


def note(session: Session, contact_id: int, until: datetime) -> None:
    """Write down that a client is away."""
    session.add(ClientAbsence(contact_id=contact_id, until=until))
