"""How somebody likes their screens, beside their language: the theme."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base


class Theme(StrEnum):
    """Light or dark; auto follows the machine."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class StaffPreference(Base):
    """What one staff member chose."""

    __tablename__ = "staff_preference"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    theme: Mapped[Theme] = mapped_column(default=Theme.AUTO)


def choose_theme(session: Session, staff_id: int, theme: Theme) -> None:
    """Keep somebody's theme."""
    row = insert(StaffPreference).values(staff_id=staff_id, theme=theme)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[StaffPreference.staff_id], set_={"theme": row.excluded.theme}
        )
    )
