"""A batch of letters on its way through the pipeline: what the steps found out, before a row is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from classifier.classify import Labels, ProductTerms, Text
from core.config import Settings
from core.intakework import Claimed
from core.outbox import Draft
from core.routing import Decision, Roster
from core.traffic import Mark
from inbound.arrival import aware, came_at
from inbound.authenticity import Checks, Finding
from inbound.knownsenders import KnownSenders
from inbound.readers import Readers
from inbound.reading import Reading


@dataclass(slots=True)
class Company:
    """An account: known, or to be added."""

    id: int
    name: str
    curator_id: int | None = None
    domain: str | None = None
    """The domain to be recorded for a new one."""
    new: bool = False


@dataclass(slots=True)
class Person:
    """A contact: known, or to be added."""

    id: int
    email: str
    name: str = ""
    company: Company | None = None
    language: str | None = None
    new: bool = False


@dataclass(slots=True)
class Talk:
    """A conversation: known, or to be added."""

    id: int
    subject: str
    topics: set[str]
    """Subjects without reply marks that were used in it."""
    people: set[str]
    """Addresses that took part in it."""
    topic: str = ""
    """The one it began with."""
    contact_id: int | None = None
    account_id: int | None = None
    deal_id: int | None = None
    assignee_id: int | None = None
    team_id: int | None = None
    language: str | None = None
    intent: str | None = None
    urgency: str = "normal"
    waiting: bool = False
    woken: bool = False
    """Somebody outside wrote now, so that what was put off comes back."""
    open: bool = True
    beside_id: int | None = None
    """The conversation a new one was set beside."""
    mailbox: str | None = None
    last_message_at: datetime | None = None
    new: bool = False
    changed: bool = False
    decision: Decision | None = None
    """Who gets it, where that was decided now."""


@dataclass(slots=True)
class NewDeal:
    """A deal to be opened in the first stage."""

    id: int
    title: str
    contact_id: int | None
    account_id: int | None
    source: str
    message_id: int
    owner_id: int | None
    reason: str
    talk: Talk


@dataclass(slots=True)
class Item:
    """One letter on its way."""

    raw: Claimed
    reading: Reading = field(default_factory=Reading)
    trail: list[dict[str, str]] = field(default_factory=list)
    """Why each step decided as it did."""
    warnings: list[str] = field(default_factory=list)
    ignored: str | None = None
    """Why it is not filed; ends its way."""
    failed: str | None = None
    """Why it could not be worked on; ends its way."""
    machine: str | None = None
    sender: str | None = None
    """Normal form of the address it is from; None where there is none that could be written to."""
    sender_name: str = ""
    staff_id: int | None = None
    """The staff member who wrote it."""
    person: Person | None = None
    checks: Checks | None = None
    """What our own server says of the sender; None where nobody looked."""
    findings: tuple[Finding, ...] = ()
    """Tricks that the sender's fields play."""
    talk: Talk | None = None
    answers: int | None = None
    """The delivery of ours that it answers."""
    joins: int | None = None
    """The conversation of the meeting whose invitation it answers."""
    beside: int | None = None
    """The conversation of the meeting whose invitation it answers in the name of another."""
    labels: Labels | None = None
    message_id: int = 0
    segment: Mark | None = None
    segments: frozenset[int] = frozenset()
    """Every segment the client is in; `segment` holds the first few."""
    stage: str | None = None
    """Key of the stage that the deal stands in."""
    """Whose letter it is and about what."""

    def note(self, step: str, reason: str) -> None:
        """Record why a step decided as it did."""
        self.trail.append({"step": step, "reason": reason})

    def ignore(self, step: str, reason: str) -> None:
        """End its way: it is kept and not filed."""
        self.ignored = reason
        self.note(step, reason)

    @property
    def came_at(self) -> datetime:
        """When it came, as far as that is known; never later than it was stored."""
        reading = self.reading
        return came_at(
            self.raw.stored_at, self.raw.internal_date, aware(reading.received_at()), aware(reading.sent_at())
        )

    @property
    def human(self) -> bool:
        """Whether a person outside the company wrote it."""
        return self.machine is None and self.staff_id is None


class Labeller(Protocol):
    """Somebody who says what texts are about: `classifier.Classifier`, or a test's own."""

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        """The labels of every text, in order."""
        ...


@dataclass(slots=True)
class Tools:
    """What the steps work with besides the database."""

    settings: Settings
    readers: Readers
    classifier: Labeller
    known: KnownSenders = field(default_factory=KnownSenders)

    def own_addresses(self) -> frozenset[str]:
        """The company's own addresses, lower case."""
        settings = self.settings
        own = {mailbox.address.lower() for mailbox in settings.mailboxes}
        own.add(settings.company.email.lower())
        if settings.relay is not None:
            own.add(settings.relay.from_address.lower())
        return frozenset(own - {""})

    def team_of_mailbox(self, name: str) -> str:
        """The team whose mailbox that is; empty where none is named."""
        return next((one.team for one in self.settings.mailboxes if one.name == name), "")


@dataclass(slots=True)
class Batch:
    """Letters that go through the steps together, in one transaction."""

    session: Session
    tools: Tools
    items: list[Item]
    now: datetime
    talks: dict[int, Talk] = field(default_factory=dict)
    companies: list[Company] = field(default_factory=list)
    """New ones."""
    people: list[Person] = field(default_factory=list)
    """New ones."""
    deals: list[NewDeal] = field(default_factory=list)
    interests: list[tuple[Any, ...]] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    """Columns of deals for which a next stage is proposed."""
    drafts: list[Draft] = field(default_factory=list)
    thread_ids: set[tuple[str, int]] = field(default_factory=set)
    roster: Roster | None = None
    team_ids: Mapping[str, int] = field(default_factory=dict)

    def on_their_way(self) -> Iterator[Item]:
        """The letters whose way has not ended."""
        return (item for item in self.items if item.ignored is None and item.failed is None)
