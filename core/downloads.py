"""What becomes of a link to a file: looked at, downloaded, expired, revoked; by a person or a machine."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, bindparam, func, select, text, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from core import audit
from core.db import Base, Id
from core.demofiles import DemoFile
from core.errors import InputRefused, NotFound
from core.fileasks import DemoLink
from core.outbox import Delivery

KEPT = 200
"""Visits of one link that are written down; the rest changes nothing any more."""
HASTE = timedelta(seconds=2)
"""Who presses the button sooner than this after the page was fetched has not read it."""


class Deed(StrEnum):
    """What somebody did with a link."""

    LOOKED = "looked"
    """Fetched its page."""
    DOWNLOADED = "downloaded"
    """Pressed the button."""


class Visitor(StrEnum):
    """Who it was, as far as can be told."""

    PERSON = "person"
    MACHINE = "machine"
    UNCLEAR = "unclear"


class DemoVisit(Base):
    """Somebody came by a link; no address and no name of a program is kept."""

    __tablename__ = "demo_visit"
    __table_args__ = (Index("ix_demo_visit_link", "link_id", "at"),)

    id: Mapped[Id]
    link_id: Mapped[int] = mapped_column(ForeignKey("demo_link.id"))
    deed: Mapped[Deed]
    visitor: Mapped[Visitor]
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was taken for that, as a key."""
    at: Mapped[datetime] = mapped_column(server_default=func.now())

    link: Mapped[DemoLink] = relationship()


class Standing(StrEnum):
    """Whether a link holds."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


_MACHINES = re.compile(
    r"bot\b|crawl|spider|scan|preview|proxy|fetch|monitor|check|curl|wget|python|java/|go-http|okhttp|axios|"
    r"headless|phantom|libwww|httpclient|barracuda|mimecast|proofpoint|symantec|fireeye|trendmicro|safelinks|"
    r"microsoft office|ms-?office|outlook|facebookexternalhit|slack|telegram|whatsapp|skype",
    re.IGNORECASE,
)
_BROWSERS = re.compile(r"^Mozilla/5\.0 \(.+\b(?:Gecko|AppleWebKit)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a request tells of who made it."""

    agent: str = ""
    """Its User-Agent field (RFC 9110 section 10.1.5)."""
    looked: timedelta | None = None
    """How long ago the page was fetched; None when it never was."""
    navigated: bool | None = None
    """Whether the browser says that a person led it here (Sec-Fetch-User, Sec-Fetch-Mode); None when it says
    nothing."""


def visitor_of(deed: Deed, seen: Seen) -> tuple[Visitor, str]:
    """Who it was and why it is thought so. Pure; errs towards `unclear`, never guesses a person from a GET.

    Scanners of mail fetch every link within seconds and some press buttons; they call themselves browsers,
    too, so only the order and pace of things tells them from a reader.
    """
    if not seen.agent.strip():
        return Visitor.MACHINE, "no_agent"
    if _MACHINES.search(seen.agent):
        return Visitor.MACHINE, "names_itself"
    if not _BROWSERS.match(seen.agent):
        return Visitor.MACHINE, "no_browser"
    if deed is Deed.LOOKED:
        return Visitor.UNCLEAR, "only_looked"
    if seen.looked is None:
        return Visitor.UNCLEAR, "never_looked"
    if seen.looked < HASTE:
        return Visitor.UNCLEAR, "in_haste"
    if seen.navigated is False:
        return Visitor.UNCLEAR, "not_pressed"
    return Visitor.PERSON, "pressed"


def standing(link: DemoLink, now: datetime) -> Standing:
    """Whether a link holds at a moment."""
    if link.revoked_at is not None:
        return Standing.REVOKED
    return Standing.EXPIRED if link.expires_at <= now else Standing.OPEN


def find(session: Session, key: str) -> DemoLink:
    """The link of that key with its file, without the file's bytes. Raises NotFound."""
    found = session.scalar(select(DemoLink).where(DemoLink.key == key).options(joinedload(DemoLink.file)))
    if found is None:
        raise NotFound
    return found


def now_of(session: Session) -> datetime:
    """The database's clock."""
    return session.execute(select(func.now())).scalar_one()


def last_look(session: Session, link: DemoLink) -> timedelta | None:
    """How long ago the link's page was last fetched."""
    at = session.scalar(
        select(func.max(DemoVisit.at)).where(DemoVisit.link_id == link.id, DemoVisit.deed == Deed.LOOKED)
    )
    return now_of(session) - at if at is not None else None


def record(session: Session, link: DemoLink, deed: Deed, seen: Seen) -> DemoVisit | None:
    """Write a visit down; what a machine downloads counts for nobody. None once enough is written down."""
    visitor, reason = visitor_of(deed, seen)
    counted = deed is Deed.DOWNLOADED and visitor is not Visitor.MACHINE
    if counted:
        session.execute(
            update(DemoLink).where(DemoLink.id == link.id).values(downloads=DemoLink.downloads + 1)
        )
        _came_of(session, link)
    kept = session.scalar(select(func.count()).where(DemoVisit.link_id == link.id)) or 0
    if kept >= KEPT:
        return None
    visit = DemoVisit(link_id=link.id, deed=deed, visitor=visitor, reason=reason)
    session.add(visit)
    session.flush()
    return visit


_RESULT = text("""
update enrolment_step l set result = 'downloaded', result_at = now()
from enrolment e, sequence_step s
where l.delivery_id = :delivery and l.result is null and e.id = l.enrolment_id
and s.sequence_id = e.sequence_id and s.position = l.position
and s.branches @> '[{"on": "downloaded"}]'
""")


def _came_of(session: Session, link: DemoLink) -> None:
    """A step of a follow-up that asks whether its file was downloaded hears so."""
    session.execute(_RESULT, {"delivery": link.delivery_id})


def data_of(session: Session, link: DemoLink) -> bytes:
    """The bytes of a link's file."""
    return session.scalars(select(DemoFile.data).where(DemoFile.id == link.file_id)).one()


def revoke(session: Session, link: DemoLink, *, by: int | None) -> None:
    """Let a link hold no more."""
    if link.revoked_at is not None:
        return
    link.revoked_at, link.revoked_by = now_of(session), by
    session.flush()
    audit.note(session, by, "removed", "link", link.id, link.file.title, before={"recipient": link.recipient})


def restore(session: Session, link: DemoLink, *, by: int | None) -> None:
    """Let a revoked link hold again."""
    if link.revoked_at is None:
        return
    link.revoked_at = link.revoked_by = None
    session.flush()
    audit.note(session, by, "added", "link", link.id, link.file.title, after={"recipient": link.recipient})


def extend(session: Session, link: DemoLink, days: int, *, by: int | None) -> None:
    """Let a link hold so many days from now. Raises InputRefused."""
    if not 1 <= days <= 365:
        raise InputRefused("A link holds between 1 and 365 days.")
    before = link.expires_at
    link.expires_at = now_of(session) + timedelta(days=days)
    session.flush()
    audit.note(
        session,
        by,
        "changed",
        "link",
        link.id,
        link.file.title,
        before={"until": before},
        after={"until": link.expires_at},
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """A link with what became of it."""

    link: DemoLink
    standing: Standing
    visits: Sequence[DemoVisit]
    """Newest first."""

    @property
    def last(self) -> DemoVisit | None:
        """The last download that counts."""
        return next(
            (
                one
                for one in self.visits
                if one.deed is Deed.DOWNLOADED and one.visitor is not Visitor.MACHINE
            ),
            None,
        )


def of_deliveries(session: Session, delivery_ids: Collection[int]) -> dict[int, list[Followed]]:
    """The links of some letters with what became of each."""
    if not delivery_ids:
        return {}
    links = session.scalars(
        select(DemoLink)
        .where(DemoLink.delivery_id.in_(delivery_ids))
        .options(joinedload(DemoLink.file))
        .order_by(DemoLink.id)
    ).all()
    found: dict[int, list[Followed]] = {}
    if not links:
        return found
    visits: dict[int, list[DemoVisit]] = {}
    numbers = [one.id for one in links]
    query = select(DemoVisit).where(DemoVisit.link_id.in_(numbers)).order_by(DemoVisit.id.desc())
    for visit in session.scalars(query):
        visits.setdefault(visit.link_id, []).append(visit)
    now = now_of(session)
    for link in links:
        found.setdefault(link.delivery_id, []).append(
            Followed(link, standing(link, now), visits.get(link.id, []))
        )
    return found


_LINKED = (
    select(DemoLink.delivery_id)
    .join(Delivery, Delivery.id == DemoLink.delivery_id)
    .where(Delivery.conversation_id == bindparam("number"))
    .distinct()
)


def of_conversation(session: Session, conversation_id: int) -> dict[int, list[Followed]]:
    """The links that went out in a conversation, by delivery; one query where there are none."""
    numbers = session.scalars(_LINKED, {"number": conversation_id}).all()
    return of_deliveries(session, numbers)
