"""Files that a colleague encloses in a letter from their own computer: kept beside the draft, then sent."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, Text, bindparam, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column, undefer

from core import demofiles
from core.conversations import Attachment, Message
from core.db import Base, Id
from core.errors import Conflict, InputRefused, NotFound
from core.limits import LETTER_FILES, LETTER_FILES_BYTES

KEPT = timedelta(days=30)
"""How long a file waits for its letter."""
REFUSED = demofiles.REFUSED | frozenset(
    {"ade", "adp", "apk", "appx", "chm", "cpl", "dll", "dmg", "inf", "ins", "isp", "lib", "mde", "msc", "msi",
     "msix", "msp", "mst", "nsh", "ps2", "psm1", "py", "reg", "sct", "sh", "shb", "sys", "url", "vb", "vhd",
     "vxd", "wsc", "wsh", "xll"}
)  # fmt: skip
"""Endings of programs and scripts, which the servers of clients refuse together with the letter."""


class Enclosure(Base):
    """A file from a colleague's computer: first beside what they write, then with the letter it left by."""

    __tablename__ = "enclosure"

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    """Where the letter is being written; None once it is queued."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    """The client to whom a first letter is being written; None once it is queued."""
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    """The letter it goes with."""
    name: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(Text)
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody writes: in a conversation, or a first letter to a client."""

    staff_id: int
    conversation_id: int | None = None
    account_id: int | None = None


_WAITING = (
    select(Enclosure)
    .where(
        Enclosure.staff_id == bindparam("staff_id"),
        Enclosure.delivery_id.is_(None),
        Enclosure.conversation_id.is_not_distinct_from(bindparam("conversation_id")),
        Enclosure.account_id.is_not_distinct_from(bindparam("account_id")),
    )
    .order_by(Enclosure.id)
)


def waiting(session: Session, place: Place) -> list[Enclosure]:
    """The files that wait there for their letter, in the order in which they came."""
    return list(session.scalars(_WAITING, asdict(place)))


def add(session: Session, place: Place, *, name: str, content_type: str, data: bytes) -> Enclosure:
    """Lay a file beside what is being written; the very same one again is the one that lies there.

    Raises InputRefused for an empty, too large or dangerous one, and for one too many.
    """
    label = demofiles.clean_name(name)
    if not data:
        raise InputRefused("The file is empty.", cure="Choose another one.")
    if label.rpartition(".")[2].lower() in REFUSED:
        raise InputRefused(
            "Programs and scripts are not sent: the client’s mail server would refuse the whole letter.",
            cure="Pack it into a ZIP archive.",
        )
    digest = hashlib.sha256(data).hexdigest()
    there = waiting(session, place)
    if known := next((one for one in there if (one.name, one.sha256) == (label, digest)), None):
        return known
    _check([*(one.size for one in there), len(data)])
    kind = content_type.partition(";")[0].strip().lower()
    made = Enclosure(
        staff_id=place.staff_id,
        conversation_id=place.conversation_id,
        account_id=place.account_id,
        name=label,
        content_type=kind if demofiles.is_kind(kind) else "application/octet-stream",
        size=len(data),
        sha256=digest,
        data=data,
    )
    session.add(made)
    session.flush()
    return made


def _check(sizes: Sequence[int]) -> None:
    if len(sizes) > LETTER_FILES:
        raise InputRefused("A letter brings at most 10 files.", cure="Pack them into a ZIP archive.")
    if sum(sizes) > LETTER_FILES_BYTES:
        raise InputRefused(
            "The files of a letter are larger than 20 MB together.",
            cure="Put the large ones into the library of files, and send links.",
        )


def remove(session: Session, staff_id: int, enclosure_id: int) -> Place:
    """Take one's own file away from what is being written; returns where it lay. Raises NotFound."""
    found = session.scalar(
        select(Enclosure).where(
            Enclosure.id == enclosure_id, Enclosure.staff_id == staff_id, Enclosure.delivery_id.is_(None)
        )
    )
    if found is None:
        raise NotFound
    place = Place(staff_id, found.conversation_id, found.account_id)
    session.delete(found)
    session.flush()
    return place


def enclose(session: Session, place: Place, ids: Collection[int], delivery_id: int) -> None:
    """Let files that wait there go with a letter; they stand in its history at once.

    Raises Conflict where one is not there any more, InputRefused where they are too many.
    """
    if not ids:
        return
    rows = [one for one in waiting(session, place) if one.id in ids]
    if len(rows) != len(set(ids)):
        raise Conflict("A file of the letter is no longer there.", cure="Load the page again.")
    _check([one.size for one in rows])
    message_id = session.scalar(select(Message.id).where(Message.delivery_id == delivery_id))
    for one in rows:
        one.conversation_id = one.account_id = None
        one.delivery_id = delivery_id
        if message_id is not None:
            label = {"name": one.name, "content_type": one.content_type, "size": one.size}
            session.add(Attachment(message_id=message_id, enclosure_id=one.id, **label))
    session.flush()


def take_back(session: Session, delivery_id: int, conversation_id: int) -> bool:
    """Lay the files of a letter that did not leave beside what is written again; whether there were any."""
    ids = session.scalars(select(Enclosure.id).where(Enclosure.delivery_id == delivery_id)).all()
    if ids:
        session.execute(delete(Attachment).where(Attachment.enclosure_id.in_(ids)))
        session.execute(
            update(Enclosure)
            .where(Enclosure.id.in_(ids))
            .values(delivery_id=None, conversation_id=conversation_id, created_at=func.now())
        )
    return bool(ids)


def of_delivery(session: Session, delivery_id: int) -> list[Enclosure]:
    """The files that go with a letter, without their bytes."""
    return list(
        session.scalars(select(Enclosure).where(Enclosure.delivery_id == delivery_id).order_by(Enclosure.id))
    )


def sizes(session: Session, delivery_ids: Collection[int]) -> dict[int, int]:
    """How many bytes the files of each letter have together; only of letters with files."""
    query = select(Enclosure.delivery_id, func.sum(Enclosure.size)).where(
        Enclosure.delivery_id.in_(delivery_ids)
    )
    rows = session.execute(query.group_by(Enclosure.delivery_id))
    return {one: int(size) for one, size in rows if one is not None}


def of_deliveries(session: Session, delivery_ids: Collection[int]) -> dict[int, list[Enclosure]]:
    """The files that go with some letters, with their bytes."""
    query = (
        select(Enclosure)
        .where(Enclosure.delivery_id.in_(delivery_ids))
        .options(undefer(Enclosure.data))
        .order_by(Enclosure.id)
    )
    found: dict[int, list[Enclosure]] = {}
    for one in session.scalars(query):
        if one.delivery_id is not None:
            found.setdefault(one.delivery_id, []).append(one)
    return found


def tidy(session: Session) -> None:
    """Forget the files whose letter was never sent."""
    session.execute(
        delete(Enclosure).where(Enclosure.delivery_id.is_(None), Enclosure.created_at < func.now() - KEPT)
    )
