"""The library of files that clients are sent as a link: demos, videos, price lists, drawings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, Text, func, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from core import audit
from core.db import Base, Id
from core.errors import Conflict, InputRefused, NotFound
from core.values import LANGUAGES

MOST_BYTES = 50_000_000
"""Of one file: as much as a letter may hold."""
MOST_ALL_BYTES = 5_000_000_000
"""Of all files of the library together, since they lie in the database and in every backup."""
MOST_DAYS = 365
DAYS = 14
"""How long a link holds where nothing else is said."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_KIND = re.compile(r"[\w.+-]+/[\w.+-]+")
REFUSED = frozenset(
    {"exe", "com", "bat", "cmd", "scr", "pif", "js", "jse", "vbs", "vbe", "wsf", "hta", "lnk", "ps1", "jar"}
)
"""Endings of programs: no mail server lets a link to one through, and no client should open one."""


class DemoFile(Base):
    """A file of the library, byte for byte; never changed, only replaced by another."""

    __tablename__ = "demo_file"

    id: Mapped[Id]
    title: Mapped[str] = mapped_column(Text)
    """What clients see."""
    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(Text, index=True)
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    language: Mapped[str | None] = mapped_column(Text)
    """For clients of this language; None for all."""
    templates: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Keys of the templates with which it goes out by itself."""
    days: Mapped[int] = mapped_column(default=DAYS, server_default=str(DAYS))
    """How long a link to it holds."""
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    """Offered for new letters; links already sent go on without it."""
    added_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def is_kind(content_type: str) -> bool:
    """Whether it is a media type as a file may have it."""
    return _KIND.fullmatch(content_type) is not None


def clean_name(name: str) -> str:
    """A file's name as a label: without a path, control and direction marks; never empty."""
    label = _UNSAFE.sub(" ", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    return " ".join(label.split())[-150:] or "file"


def add(
    session: Session,
    *,
    title: str,
    filename: str,
    content_type: str,
    data: bytes,
    language: str | None = None,
    days: int = DAYS,
    templates: Sequence[str] = (),
    by: int | None = None,
) -> DemoFile:
    """Put a file into the library.

    Raises InputRefused for an empty, too large or dangerous one and for a wrong number of days, Conflict for
    one that is there already or where the library is full.
    """
    name = clean_name(filename)
    if not data:
        raise InputRefused("The file is empty.", cure="Choose another one.")
    if len(data) > MOST_BYTES:
        raise InputRefused("The file is larger than 50 MB.", cure="Make it smaller, or send a part of it.")
    if name.rpartition(".")[2].lower() in REFUSED:
        raise InputRefused("Programs are not sent to clients.", cure="Pack it into a ZIP archive.")
    digest = hashlib.sha256(data).hexdigest()
    if session.scalar(select(DemoFile.id).where(DemoFile.sha256 == digest, DemoFile.active)):
        raise Conflict("This very file is in the library already.")
    held = session.scalar(select(func.coalesce(func.sum(DemoFile.size), 0))) or 0
    if held + len(data) > MOST_ALL_BYTES:
        raise Conflict("The library is full.", cure="Remove files that nobody needs any more.")
    made = DemoFile(
        title=" ".join(title.split())[:200] or name,
        filename=name,
        content_type=content_type if _KIND.fullmatch(content_type) else "application/octet-stream",
        size=len(data),
        sha256=digest,
        data=data,
        added_by=by,
    )
    _describe(made, language=language, days=days, templates=templates)
    session.add(made)
    session.flush()
    audit.note(session, by, "added", "file", made.id, made.title, after=_state(made))
    return made


def change(
    session: Session,
    file: DemoFile,
    *,
    title: str,
    language: str | None,
    days: int,
    templates: Sequence[str],
    by: int | None = None,
) -> None:
    """Say anew for whom a file is and with what it goes. Raises InputRefused."""
    before = _state(file)
    file.title = " ".join(title.split())[:200] or file.filename
    _describe(file, language=language, days=days, templates=templates)
    session.flush()
    audit.note(session, by, "changed", "file", file.id, file.title, before=before, after=_state(file))


def _describe(file: DemoFile, *, language: str | None, days: int, templates: Sequence[str]) -> None:
    if language is not None and language not in LANGUAGES:
        raise InputRefused("There is no such language.")
    if not 1 <= days <= MOST_DAYS:
        raise InputRefused("A link holds between 1 and 365 days.")
    file.language, file.days, file.templates = language, days, list(dict.fromkeys(templates))


def put_away(session: Session, file: DemoFile, *, active: bool, by: int | None = None) -> None:
    """Offer a file no more, or again; links that were sent hold."""
    file.active = active
    session.flush()
    audit.note(session, by, "added" if active else "removed", "file", file.id, file.title)


def find(session: Session, file_id: int) -> DemoFile:
    """One file. Raises NotFound."""
    found = session.get(DemoFile, file_id)
    if found is None:
        raise NotFound
    return found


_OFFERED = select(DemoFile).where(DemoFile.active).order_by(func.lower(DemoFile.title), DemoFile.id)


def offered(session: Session) -> list[DemoFile]:
    """The files that new letters may bring, by title."""
    return list(session.scalars(_OFFERED))


def _state(file: DemoFile) -> dict[str, object]:
    return {
        "title": file.title,
        "language": file.language,
        "days": file.days,
        "templates": file.templates,
        "size": file.size,
    }
