"""Imports on record: the file, its columns, and what became of each row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Id


class ImportState(StrEnum):
    """Where an import stands."""

    LOOKED_AT = "looked_at"
    """The file is here, its columns are being assigned."""
    DONE = "done"
    UNDONE = "undone"


TRANSITIONS: dict[ImportState, frozenset[ImportState]] = {
    ImportState.LOOKED_AT: frozenset({ImportState.DONE}),
    ImportState.DONE: frozenset({ImportState.UNDONE}),
    ImportState.UNDONE: frozenset(),
}


class RowOutcome(StrEnum):
    """What a row did, or would do."""

    ADDED = "added"
    FILLED = "filled"
    """Something that was empty at a known contact or client was filled."""
    SAME = "same"
    REFUSED = "refused"


class Import(Base):
    """A file of contacts, and what became of it."""

    __tablename__ = "import"

    id: Mapped[Id]
    filename: Mapped[str] = mapped_column(Text)
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    state: Mapped[ImportState] = mapped_column(default=ImportState.LOOKED_AT)
    mapping: Mapped[dict[str, str]] = mapped_column(default=dict)
    """Field by column number, as text."""
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Rows by outcome; after an undo, what was kept because it is used."""
    list_id: Mapped[int | None] = mapped_column(ForeignKey("contact_list.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class ImportRow(Base):
    """What one row of an import did."""

    __tablename__ = "import_row"

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[RowOutcome]
    error: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[int | None]
    """Not a foreign key: the row outlives a contact that an undo takes away."""
    account_id: Mapped[int | None]
    """The account that the row added."""
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was filled: ``{"contact": {"position": "Buyer"}, "account": {…}, "points": ["+370…"]}``."""
