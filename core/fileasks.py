"""The links to files that a letter brings: each file and each letter has a link of its own, which expires."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Text, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import clock
from core.accounts import Channel
from core.db import Base, Id
from core.demofiles import DemoFile
from core.i18n import N_

MOST = 10
"""Files of one letter."""
CARRY: Mapping[Channel, int] = {Channel.EMAIL: MOST, Channel.SMS: 2}
"""Channels that can bring links, and how many files: each link takes an SMS about one part more."""
INTRO = {1: N_("You can download the file here:"), 2: N_("You can download the files here:")}
"""What stands in a letter above one link, and above several."""
LINE = N_("%(name)s (%(size)s), until %(day)s")
"""What stands beside each."""


class DemoLink(Base):
    """Where one recipient of one letter downloads one file."""

    __tablename__ = "demo_link"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(Text, unique=True)
    """128 random bits in hexadecimal; what the signed link names."""
    file_id: Mapped[int] = mapped_column(ForeignKey("demo_file.id"), index=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    recipient: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    downloads: Mapped[int] = mapped_column(default=0, server_default="0")
    """By a person, or by somebody who may be one."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    file: Mapped[DemoFile] = relationship()


def lay_beside(session: Session, rows: Collection[dict[str, Any]]) -> dict[str, list[tuple[str, int]]]:
    """Give each letter and SMS the files it brings: those that were chosen, and those of its template.

    A row has the names of a `core.outbox.Draft`; its ``files`` become what a delivery keeps of them. Returns
    by the rows' keys the key of each link with its file's id.
    """
    carry = [row for row in rows if row["channel"] in CARRY and row["campaign_id"] is None]
    chosen = {number for row in carry for number in row["files"]}
    templates = {key for row in carry if (key := _template(row))}
    ways: list[ColumnElement[bool]] = [DemoFile.id.in_(chosen)] if chosen else []
    if templates:
        ways.append(func.jsonb_exists_any(DemoFile.templates, list(templates)))
    found = (
        session.scalars(select(DemoFile).where(DemoFile.active, or_(*ways)).order_by(DemoFile.id)).all()
        if ways
        else []
    )
    laid: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        own = [one for one in found if _goes(one, row)][: CARRY.get(row["channel"], 0)]
        row["files"] = []
        for file in own:
            key = secrets.token_hex(16)
            until = clock.now() + timedelta(days=file.days)
            given = {"key": key, "name": file.title, "size": file.size, "days": file.days}
            row["files"].append(given | {"until": until.isoformat()})
            laid.setdefault(row["key"], []).append((key, file.id))
    return laid


def _goes(file: DemoFile, row: Mapping[str, Any]) -> bool:
    if file.id in row["files"]:
        return True
    return _template(row) in file.templates and file.language in (None, row["language"])


def _template(row: Mapping[str, Any]) -> str | None:
    """What files call the template of a row: `follow_up`, `sms/follow_up`."""
    key = row["template"]
    return f"sms/{key}" if key and row["channel"] == Channel.SMS else key


def make_links(
    session: Session, made: Sequence[tuple[int, Mapping[str, Any], Sequence[tuple[str, int]]]]
) -> None:
    """Write the links of queued letters down: each delivery's id, its row, and its links' keys and files."""
    rows = [
        {
            "key": key,
            "file_id": file_id,
            "delivery_id": delivery_id,
            "contact_id": row["contact_id"],
            "recipient": row["address"],
            "language": row["language"],
            "expires_at": datetime.fromisoformat(given["until"]),
        }
        for delivery_id, row, links in made
        for (key, file_id), given in zip(links, row["files"], strict=True)
    ]
    if rows:
        session.execute(insert(DemoLink), rows)


def renewed(session: Session, files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same files with their time beginning now: a letter that waited for a word lost none of it."""
    fresh: list[dict[str, Any]] = []
    for one in files:
        until = clock.now() + timedelta(days=int(one["days"]))
        session.execute(update(DemoLink).where(DemoLink.key == one["key"]).values(expires_at=until))
        fresh.append({**one, "until": until.isoformat()})
    return fresh
