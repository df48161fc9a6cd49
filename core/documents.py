"""Documents made for clients: numbered, kept as sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column, undefer

from core.db import Base, Id


class DocumentSeries(Base):
    """The running number of one kind of document in one year."""

    __tablename__ = "document_series"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Document(Base):
    """A file that was made for a client, byte for byte as it went out."""

    __tablename__ = "document"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(Text)
    """Template key: ``commercial_offer``, ``technical_proposal``, ``brochure``."""
    number: Mapped[str | None] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text, default="application/pdf")
    language: Mapped[str] = mapped_column(Text)
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    size: Mapped[int]
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


PREFIXES = {"commercial_offer": "KP", "technical_proposal": "TP"}
"""What the numbers of a kind begin with."""


def next_number(session: Session, kind: str, year: int) -> str:
    """Take the next number of a kind, as in ``KP-2026-0042``; a rolled back transaction gives it back."""
    row = insert(DocumentSeries).values(kind=kind, year=year, last=1)
    last = session.execute(
        row.on_conflict_do_update(
            index_elements=[DocumentSeries.kind, DocumentSeries.year],
            set_={"last": DocumentSeries.last + 1},
        ).returning(DocumentSeries.last)
    ).scalar_one()
    return f"{PREFIXES.get(kind, kind[:2].upper())}-{year}-{last:04d}"


def of_deliveries(session: Session, delivery_ids: list[int]) -> dict[int, list[Document]]:
    """The documents that were made for some deliveries, with their bytes, in the order in which they were
    made.
    """
    query = (
        select(Document)
        .where(Document.delivery_id.in_(delivery_ids))
        .options(undefer(Document.data))
        .order_by(Document.id)
    )
    found: dict[int, list[Document]] = {}
    for document in session.scalars(query):
        if document.delivery_id is not None:
            found.setdefault(document.delivery_id, []).append(document)
    return found


def keep(
    session: Session,
    *,
    kind: str,
    number: str | None,
    title: str,
    filename: str,
    language: str,
    data: bytes,
    content_type: str = "application/pdf",
    deal_id: int | None = None,
    delivery_id: int | None = None,
) -> Document:
    """Put a document that was made on record, byte for byte."""
    document = Document(
        kind=kind,
        number=number,
        title=title,
        filename=filename,
        content_type=content_type,
        language=language,
        data=data,
        size=len(data),
        deal_id=deal_id,
        delivery_id=delivery_id,
    )
    session.add(document)
    session.flush()
    return document
