"""Documents made for clients: numbered, kept as sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, func, select, text
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
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Of the documents of this kind in its deal; a numbered one says it, as in ``KP-2026-0042-2``."""
    content: Mapped[str] = mapped_column(Text, default="", server_default="")
    """SHA-256 of what it was made of: the same again is no new version."""
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    """The letter it was made for."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DocumentSending(Base):
    """A letter that carries a document: one version may go out with several."""

    __tablename__ = "document_sending"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True, autoincrement=False)
    document_id: Mapped[int] = mapped_column(
        ForeignKey("document.id"), primary_key=True, autoincrement=False, index=True
    )


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


IRRELEVANT = frozenset({"answer", "conversation", "message", "staff"})
"""Groups of a letter's values that no numbered document shows."""


def fingerprint(values: Mapping[str, Any], language: str) -> str:
    """SHA-256 of what a document is made of: the client, the deal, the proposal, the language."""
    shown = {group: given for group, given in values.items() if group not in IRRELEVANT}
    written = json.dumps([language, shown], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Version:
    """What the next document of a kind in a deal is called."""

    number: str | None
    """None for a kind that is not numbered."""
    version: int = 1
    known: Document | None = None
    """The newest version, where it says the very same: that one is sent again."""


def next_version(session: Session, kind: str, year: int, *, deal_id: int | None, content: str) -> Version:
    """The number of a document to be made: the first of a deal takes the next of its year, a later one keeps
    it with its version, as in ``KP-2026-0042-2``.

    Two at once for one deal wait for each other. A rolled back transaction gives the number back.
    """
    if kind not in PREFIXES:
        return Version(None)
    if deal_id is None:
        return Version(next_number(session, kind, year))
    session.execute(_HOLD, {"deal": deal_id})
    newest = session.scalar(
        select(Document)
        .where(Document.deal_id == deal_id, Document.kind == kind, Document.number.is_not(None))
        .options(undefer(Document.data))
        .order_by(Document.version.desc(), Document.id.desc())
        .limit(1)
    )
    if newest is None or newest.number is None:
        return Version(next_number(session, kind, year))
    if newest.content == content:
        return Version(newest.number, newest.version, newest)
    first = "-".join(newest.number.split("-")[:3])
    return Version(f"{first}-{newest.version + 1}", newest.version + 1)


_HOLD = text("select id from deal where id = :deal for no key update")


def of_deliveries(session: Session, delivery_ids: list[int]) -> dict[int, list[Document]]:
    """The documents that some deliveries carry, with their bytes, in the order in which they were made."""
    query = (
        select(DocumentSending.delivery_id, Document)
        .join(Document, Document.id == DocumentSending.document_id)
        .where(DocumentSending.delivery_id.in_(delivery_ids))
        .options(undefer(Document.data))
        .order_by(Document.id)
    )
    found: dict[int, list[Document]] = {}
    for delivery_id, document in session.execute(query):
        found.setdefault(delivery_id, []).append(document)
    return found


@dataclass(frozen=True, slots=True)
class Sending:
    """A version and a letter that carried it."""

    document: Document
    recipient: str
    state: str
    at: datetime
    """When it left, or when it was queued."""


def of_deal(session: Session, deal_id: int) -> list[Sending]:
    """Who got which version of which document of a deal, the newest first."""
    rows = session.execute(_SENDINGS, {"deal": deal_id}).all()
    known = session.scalars(select(Document).where(Document.id.in_({row.document_id for row in rows})))
    documents = {one.id: one for one in known}
    return [Sending(documents[row.document_id], row.recipient, row.state, row.at) for row in rows]


_SENDINGS = text("""
select s.document_id, d.state, coalesce(nullif(d.recipient_name, ''), d.address) as recipient,
    coalesce(d.settled_at, d.created_at) as at
from document f join document_sending s on s.document_id = f.id join delivery d on d.id = s.delivery_id
where f.deal_id = :deal order by f.kind, f.version desc, d.id desc limit 200
""")


def send_again(session: Session, document: Document, delivery_id: int) -> Document:
    """Let another letter carry a document that was made before."""
    session.execute(
        insert(DocumentSending)
        .values(delivery_id=delivery_id, document_id=document.id)
        .on_conflict_do_nothing()
    )
    return document


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
    version: int = 1,
    content: str = "",
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
        version=version,
        content=content,
        deal_id=deal_id,
        delivery_id=delivery_id,
    )
    session.add(document)
    session.flush()
    return document if delivery_id is None else send_again(session, document, delivery_id)
