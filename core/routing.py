"""Who should handle a conversation, and why: rules decide, the assignment remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.conversations import Conversation, ConversationState
from core.db import Base, Id
from core.staff import Role, StaffMember, absent_on


class TopicTeam(Base):
    """The team that a topic goes to."""

    __tablename__ = "topic_team"

    intent: Mapped[str] = mapped_column(Text, primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)


class Assignment(Base):
    """A conversation was given to somebody, with the rule that decided."""

    __tablename__ = "assignment"

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    rule: Mapped[str] = mapped_column(Text)
    """Key of the rule that decided, or ``hand``."""
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    assigned_at: Mapped[datetime] = mapped_column(server_default=func.now())

    staff_member: Mapped[StaffMember | None] = relationship(foreign_keys=[staff_id])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A staff member as routing sees them."""

    id: int
    team_id: int | None
    role: str
    speaks: frozenset[str]
    load: int
    """Open conversations that are theirs."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a conversation when somebody must be found for it."""

    language: str | None = None
    intent: str | None = None
    assignee_id: int | None = None
    """Who has the conversation now."""
    owner_id: int | None = None
    """Owner of the client's open deal."""
    curator_id: int | None = None
    mailbox_team_id: int | None = None
    topic_team_id: int | None = None
    likely_team_id: int | None = None
    """Team of the topic that is only likely: the classifier was not sure enough to say so."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who gets it, by which rule; nobody when it goes to a team's queue or the common one."""

    rule: str
    staff_id: int | None = None
    team_id: int | None = None


@dataclass(slots=True)
class Roster:
    """The staff who are here today, with their load; choosing somebody adds to it."""

    here: dict[int, Candidate]
    teams_of_topics: dict[str, int] = field(default_factory=dict)

    def chosen(self, staff_id: int) -> None:
        """Count one more conversation for somebody, so that the next choice sees it."""
        old = self.here[staff_id]
        self.here[staff_id] = Candidate(old.id, old.team_id, old.role, old.speaks, old.load + 1)


def _least_loaded(candidates: Sequence[Candidate], language: str | None) -> Candidate | None:
    speaking = [one for one in candidates if language is None or language in one.speaks]
    return min(speaking or candidates, key=lambda one: (one.load, one.id), default=None)


def _present(person: str) -> Callable[[Facts, Roster], int | None]:
    def find(facts: Facts, roster: Roster) -> int | None:
        staff_id = getattr(facts, person)
        return staff_id if staff_id in roster.here else None

    return find


def _member_of(team: str) -> Callable[[Facts, Roster], int | None]:
    def find(facts: Facts, roster: Roster) -> int | None:
        team_id = getattr(facts, team)
        if team_id is None:
            return None
        chosen = _least_loaded(
            [one for one in roster.here.values() if one.team_id == team_id], facts.language
        )
        return chosen.id if chosen else None

    return find


def _any_agent(facts: Facts, roster: Roster) -> int | None:
    chosen = _least_loaded([one for one in roster.here.values() if one.role == Role.AGENT], facts.language)
    return chosen.id if chosen else None


RULES: tuple[tuple[str, Callable[[Facts, Roster], int | None]], ...] = (
    ("keeps_conversation", _present("assignee_id")),
    ("owns_deal", _present("owner_id")),
    ("curates_account", _present("curator_id")),
    ("topic_team", _member_of("topic_team_id")),
    ("mailbox_team", _member_of("mailbox_team_id")),
    ("likely_topic", _member_of("likely_team_id")),
    ("least_loaded", _any_agent),
)
"""The rules in the order in which they are asked; the first that names somebody decides."""


def decide(facts: Facts, roster: Roster) -> Decision:
    """Find who handles a conversation; without anybody it waits in its team's or the common queue."""
    for rule, find in RULES:
        staff_id = find(facts, roster)
        if staff_id is not None:
            return Decision(rule, staff_id, roster.here[staff_id].team_id)
    return Decision("nobody_here", None, facts.topic_team_id or facts.mailbox_team_id or facts.likely_team_id)


def roster(session: Session) -> Roster:
    """Read who is here today (the database's day) and what each has open."""
    today = session.execute(select(func.current_date())).scalar_one()
    away = absent_on(session, today)
    loads = dict(
        session.execute(
            select(Conversation.assignee_id, func.count())
            .where(Conversation.state == ConversationState.OPEN, Conversation.assignee_id.is_not(None))
            .group_by(Conversation.assignee_id)
        ).all()
    )
    query = select(StaffMember).where(StaffMember.active, StaffMember.role != Role.ADMIN)
    return Roster(
        here={
            one.id: Candidate(one.id, one.team_id, one.role, frozenset(one.speaks), loads.get(one.id, 0))
            for one in session.scalars(query)
            if one.id not in away
        },
        teams_of_topics=dict(session.execute(select(TopicTeam.intent, TopicTeam.team_id)).all()),
    )


def assign_by_hand(session: Session, conversation: Conversation, staff: StaffMember, by: StaffMember) -> None:
    """Give a conversation to somebody because a person said so."""
    conversation.assignee_id = staff.id
    conversation.team_id = staff.team_id
    session.add(
        Assignment(
            conversation_id=conversation.id,
            staff_id=staff.id,
            team_id=staff.team_id,
            rule="hand",
            by_staff_id=by.id,
        )
    )
    session.flush()
