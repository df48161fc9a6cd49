"""The template library: what a company, a team or one colleague made of the texts that clients read.

A template is known by its kind and key (``email``, ``follow_up``). The shipped texts are files; a row here
lays a text over them for everybody, for one team or for one colleague, and a key that nothing shipped has
makes a template of its own. Every save is a version that holds all languages; none is ever changed, so what
was sent can be read as it was. Which row counts for whom is decided in `templates.library`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from core.db import Base, Id
from core.documents import Document

KINDS = ("email", "sms", "voice", "document")
"""Kinds of template."""

Texts = dict[str, dict[str, str]]
"""Parts by file name, by language: ``{"lt": {"subject.txt": "…", "body.txt": "…"}}``."""


class TemplateScope(StrEnum):
    """For whom a template is."""

    COMPANY = "company"
    TEAM = "team"
    MINE = "mine"
    """For one colleague's own letters."""


class Template(Base):
    """One template in one scope; its words stand in its versions."""

    __tablename__ = "template"
    __table_args__ = (
        Index(
            "uq_template_place", "kind", "key", "scope", "team_id", "staff_id",
            unique=True, postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    """What stages, follow-ups and deliveries call it; never changes."""
    scope: Mapped[TemplateScope]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    """Whose it is, in scope ``mine``."""
    names: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    """What staff call it, by language; empty where it keeps the shipped name."""
    version: Mapped[int] = mapped_column(default=0)
    """Number of the version in force."""
    revision: Mapped[int] = mapped_column(default=0)
    """Goes up with every change, so that whoever keeps the library in memory notices."""
    deleted_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TemplateVersion(Base):
    """What a template said from one save to the next."""

    __tablename__ = "template_version"
    __table_args__ = (Index("uq_template_version", "template_id", "number", unique=True),)

    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    number: Mapped[int]
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """As `Texts` describes it."""
    note: Mapped[str] = mapped_column(Text, default="")
    """What this version changed."""
    restored_from: Mapped[int | None]
    """Number of the version whose words it brought back."""
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TemplateFile(Base):
    """A file that goes along with a version, in one language or in all."""

    __tablename__ = "template_file"

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(ForeignKey("template_version.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    """Its bytes; versions share them."""
    language: Mapped[str] = mapped_column(Text, default="")
    """Empty for every language."""


class TemplateUse(Base):
    """Which texts a delivery and its documents were made of, as last composed."""

    __tablename__ = "template_use"
    __table_args__ = (Index("ix_template_use_key", "kind", "key", "delivery_id"),)

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    language: Mapped[str] = mapped_column(Text)
    """Of the variant that was taken."""
    version_id: Mapped[int | None] = mapped_column(ForeignKey("template_version.id"), index=True)
    """None for the shipped text."""
    digest: Mapped[str] = mapped_column(Text)
    """First 12 digits of the SHA-256 of the words, which tells one shipped text from the next."""


class TemplatePreview(Base):
    """How somebody's unsaved text reads, for the frame that shows it; the newest few are kept."""

    __tablename__ = "template_preview"

    token: Mapped[str] = mapped_column(Text, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    content_type: Mapped[str] = mapped_column(Text)
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a version; its bytes are asked for when it is sent."""

    document_id: int
    filename: str
    content_type: str
    size: int
    language: str


@dataclass(frozen=True, slots=True)
class InForce:
    """A template with the version that counts now."""

    id: int
    version_id: int
    number: int
    kind: str
    key: str
    scope: TemplateScope
    team_id: int | None
    staff_id: int | None
    deleted: bool
    names: dict[str, str]
    texts: Texts
    files: tuple[AttachedFile, ...] = ()

    def files_in(self, language: str) -> tuple[AttachedFile, ...]:
        """The files that go along in one language."""
        return tuple(one for one in self.files if one.language in ("", language))


def in_force(session: Session, *, kind: str | None = None, key: str | None = None) -> list[InForce]:
    """Templates with their versions in force, the deleted ones too; all, of a kind, or of a key."""
    wanted = [TemplateVersion.number == Template.version]
    if kind is not None:
        wanted.append(Template.kind == kind)
    if key is not None:
        wanted.append(Template.key == key)
    return _read(session, wanted)


def of_versions(session: Session, version_ids: Collection[int]) -> dict[int, InForce]:
    """Templates as they stood in some versions, by version."""
    found = _read(session, [TemplateVersion.id.in_(version_ids)]) if version_ids else []
    return {one.version_id: one for one in found}


def _read(session: Session, wanted: Sequence[ColumnElement[bool]]) -> list[InForce]:
    query = (
        select(Template, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .where(*wanted)
        .order_by(Template.id)
    )
    rows = session.execute(query).all()
    files = files_of(session, [version.id for _, version in rows])
    return [
        InForce(
            row.id, version.id, version.number, row.kind, row.key, row.scope, row.team_id, row.staff_id,
            row.deleted_at is not None, dict(row.names), version.texts, files.get(version.id, ()),
        )
        for row, version in rows
    ]  # fmt: skip


def files_of(session: Session, version_ids: Sequence[int]) -> dict[int, tuple[AttachedFile, ...]]:
    """The files of some versions, without their bytes."""
    if not version_ids:
        return {}
    query = (
        select(TemplateFile.version_id, TemplateFile.language, Document)
        .join(Document, Document.id == TemplateFile.document_id)
        .where(TemplateFile.version_id.in_(version_ids))
        .order_by(TemplateFile.id)
    )
    found: dict[int, list[AttachedFile]] = {}
    for version_id, language, document in session.execute(query):
        found.setdefault(version_id, []).append(
            AttachedFile(document.id, document.filename, document.content_type, document.size, language)
        )
    return {version_id: tuple(files) for version_id, files in found.items()}


@dataclass(frozen=True, slots=True)
class Named:
    """A template that may be chosen, without its words."""

    kind: str
    key: str
    scope: TemplateScope
    names: dict[str, str]


# Whoever has no team, or is nobody in particular, is given as NULL, which is equal to nothing.
_CHOSEN_AMONG = (
    select(Template.kind, Template.key, Template.scope, Template.names)
    .where(
        Template.kind == bindparam("kind"),
        Template.deleted_at.is_(None),
        Template.version > 0,
        or_(
            Template.scope == TemplateScope.COMPANY,
            and_(Template.scope == TemplateScope.TEAM, Template.team_id == bindparam("team_id")),
            and_(Template.scope == TemplateScope.MINE, Template.staff_id == bindparam("staff_id")),
        ),
    )
    .order_by(Template.key, Template.id)
)


def chosen_among(session: Session, kind: str, staff_id: int | None, team_id: int | None) -> list[Named]:
    """The templates of a kind that somebody may choose among besides the shipped ones; one query."""
    whose = {"kind": kind, "team_id": team_id, "staff_id": staff_id}
    return [Named(*row) for row in session.execute(_CHOSEN_AMONG, whose)]


_FINGERPRINT = text("""
select md5(concat(
    (select string_agg(concat(id, ':', revision), ',' order by id) from template), ';',
    (select string_agg(concat(id, ':', team_id), ',' order by id) from staff_member
     where team_id is not null and exists (select from template where scope = 'team'))))
""")


def fingerprint(session: Session) -> str:
    """What changes whenever the library, or who is on which team, does."""
    return session.execute(_FINGERPRINT).scalar_one()
