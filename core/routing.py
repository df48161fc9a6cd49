"""Who should handle a conversation, and why: rules decide, the assignment remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core import routingrules
from core.conversations import Conversation, ConversationState
from core.db import Base, Id
from core.routingrules import DEFAULT, OWN, Rule
from core.staff import Role, StaffMember, absent_on
from core.territories import Territory, TerritoryStaff, matches


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
    topics: frozenset[str] = frozenset()
    """Topics that are theirs within their team."""
    industries: frozenset[str] = frozenset()
    """Industries whose clients they know, in small letters."""


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
    country: str | None = None
    region: str | None = None
    industry: str | None = None
    products: frozenset[str] = frozenset()
    """Keys of the products it is about."""
    mailbox: str | None = None
    segments: frozenset[int] = frozenset()
    """Ids of the segments that the client is in."""
    stage: str | None = None
    """Key of the stage that the client's deal stands in."""


@dataclass(frozen=True, slots=True)
class Place:
    """A territory as routing sees it."""

    name: str
    countries: frozenset[str]
    regions: frozenset[str]
    staff: frozenset[int]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who gets it, by which rule; nobody when it goes to a team's queue or the common one."""

    rule: str
    staff_id: int | None = None
    team_id: int | None = None


@dataclass(slots=True)
class Roster:
    """The staff who are here today, with their load, and the rules; choosing somebody adds to the load."""

    here: dict[int, Candidate]
    teams_of_topics: dict[str, int] = field(default_factory=dict)
    rules: Sequence[Rule] = DEFAULT
    places: Sequence[Place] = ()
    teams_of_staff: Mapping[int, int | None] = field(default_factory=dict)
    """Teams of all who work here, of those who are away too."""

    @property
    def asks_for_segments(self) -> bool:
        """Whether any rule wants to know the client's segments or the stage of the deal."""
        return any(one.segment_id is not None or "stage" in one.conditions for one in self.rules)

    def chosen(self, staff_id: int) -> None:
        """Count one more conversation for somebody, so that the next choice sees it."""
        self.here[staff_id] = replace(self.here[staff_id], load=self.here[staff_id].load + 1)

    def places_of(self, facts: Facts) -> list[Place]:
        """The territories that fit a client best; none where no place of the client is known."""
        if facts.country is None and facts.region is None:
            return []
        fits = [matches(one.countries, one.regions, facts.country, facts.region) for one in self.places]
        best = max(fits, default=0)
        return [one for one, fit in zip(self.places, fits, strict=True) if best and fit == best]


def _answers_for(one: Candidate, facts: Facts, roster: Roster) -> bool:
    return any(one.id in place.staff for place in roster.places_of(facts))


def _knows_industry(one: Candidate, facts: Facts, roster: Roster) -> bool:
    return facts.industry is not None and facts.industry.casefold() in one.industries


def _speaks(one: Candidate, facts: Facts, roster: Roster) -> bool:
    return facts.language is None or facts.language in one.speaks


PREFERENCES: dict[str, Callable[[Candidate, Facts, Roster], bool]] = {
    "prefer_territory": _answers_for,
    "prefer_industry": _knows_industry,
    "prefer_language": _speaks,
}
"""What narrows several colleagues down, where it fits any of them; the least load decides among the rest."""


def _best(candidates: Sequence[Candidate], facts: Facts, roster: Roster) -> int | None:
    left = list(candidates)
    for rule in roster.rules:
        prefers = PREFERENCES.get(rule.kind)
        if prefers is not None:
            left = [one for one in left if prefers(one, facts, roster)] or left
    chosen = min(left, key=lambda one: (one.load, one.id), default=None)
    return chosen.id if chosen else None


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
        return _best([one for one in roster.here.values() if one.team_id == team_id], facts, roster)

    return find


def _topics_person(facts: Facts, roster: Roster) -> int | None:
    team_id = roster.teams_of_staff.get(facts.curator_id or 0)
    if team_id is None or facts.intent is None:
        return None
    takes = [one for one in roster.here.values() if one.team_id == team_id and facts.intent in one.topics]
    return _best(takes, facts, roster)


def _agents(fits: Callable[[Candidate, Facts, Roster], bool]) -> Callable[[Facts, Roster], int | None]:
    def find(facts: Facts, roster: Roster) -> int | None:
        agents = [one for one in roster.here.values() if one.role == Role.AGENT and fits(one, facts, roster)]
        return _best(agents, facts, roster)

    return find


FINDERS: dict[str, Callable[[Facts, Roster], int | None]] = {
    "keeps_conversation": _present("assignee_id"),
    "owns_deal": _present("owner_id"),
    "curates_account": _present("curator_id"),
    "topic_person": _topics_person,
    "topic_team": _member_of("topic_team_id"),
    "mailbox_team": _member_of("mailbox_team_id"),
    "likely_topic": _member_of("likely_team_id"),
    "territory": _agents(_answers_for),
    "industry": _agents(_knows_industry),
    "least_loaded": _agents(lambda one, facts, roster: True),
}
"""Whom each rule of the house names; `core.routingrules` says in which order they are asked."""


def holds(conditions: Mapping[str, str], facts: Facts, roster: Roster) -> bool:
    """Whether everything holds that a rule of the company's own asks for; case does not matter."""
    known: dict[str, frozenset[str | None]] = {
        "topic": frozenset({facts.intent}),
        "language": frozenset({facts.language}),
        "country": frozenset({facts.country}),
        "region": frozenset({facts.region}),
        "industry": frozenset({facts.industry}),
        "mailbox": frozenset({facts.mailbox}),
        "product": facts.products,
        "stage": frozenset({facts.stage}),
        "territory": frozenset(one.name for one in roster.places_of(facts)),
    }
    return all(
        value.casefold() in {one.casefold() for one in known.get(key, ()) if one}
        for key, value in conditions.items()
    )


def _own(rule: Rule, facts: Facts, roster: Roster) -> Decision | None:
    """What a rule of the company's own decides; a team where all are away keeps it in its queue."""
    # A segment is compared by its number; the condition tells what it is called.
    if "segment" in rule.conditions and rule.segment_id not in facts.segments:
        return None
    rest = {key: value for key, value in rule.conditions.items() if key != "segment"}
    if not holds(rest, facts, roster):
        return None
    if rule.staff_id is not None:
        one = roster.here.get(rule.staff_id)
        return Decision(rule.name, one.id, one.team_id) if one else None
    team = [one for one in roster.here.values() if one.team_id == rule.team_id]
    return Decision(rule.name, _best(team, facts, roster), rule.team_id)


def decide(facts: Facts, roster: Roster) -> Decision:
    """Find who handles a conversation; without anybody it waits in its team's or the common queue."""
    for rule in roster.rules:
        if rule.kind == OWN:
            decision = _own(rule, facts, roster)
            if decision is not None:
                return decision
            continue
        find = FINDERS.get(rule.kind)
        staff_id = find(facts, roster) if find else None
        if staff_id is not None:
            return Decision(rule.name, staff_id, roster.here[staff_id].team_id)
    return Decision("nobody_here", None, facts.topic_team_id or facts.mailbox_team_id or facts.likely_team_id)


def roster(session: Session) -> Roster:
    """Read who is here today (the database's day), what each has open, and the rules."""
    today = session.execute(select(func.current_date())).scalar_one()
    away = absent_on(session, today)
    staff = everybody(session)
    loads = dict(
        session.execute(
            select(Conversation.assignee_id, func.count())
            .where(Conversation.state == ConversationState.OPEN, Conversation.assignee_id.is_not(None))
            .group_by(Conversation.assignee_id)
        ).all()
    )
    here = {one.id: replace(one, load=loads.get(one.id, 0)) for one in staff if one.id not in away}
    return roster_with(session, here, staff)


def roster_with(session: Session, here: dict[int, Candidate], staff: Sequence[Candidate]) -> Roster:
    """The roster of some who are here, of all the staff, with the rules in force."""
    return Roster(
        here=here,
        teams_of_topics=dict(session.execute(select(TopicTeam.intent, TopicTeam.team_id)).all()),
        rules=routingrules.read(session),
        places=_places(session),
        teams_of_staff={one.id: one.team_id for one in staff},
    )


def everybody(session: Session) -> list[Candidate]:
    """All who may be given work, those who are away too; nobody's load is counted."""
    staff = session.scalars(select(StaffMember).where(StaffMember.active, StaffMember.role != Role.ADMIN))
    return [
        Candidate(
            one.id,
            one.team_id,
            one.role,
            frozenset(one.speaks),
            0,
            frozenset(one.topics),
            frozenset(industry.casefold() for industry in one.industries),
        )
        for one in staff
    ]


def _places(session: Session) -> tuple[Place, ...]:
    query = (
        select(
            Territory.name, Territory.countries, Territory.regions, func.array_agg(TerritoryStaff.staff_id)
        )
        .outerjoin(TerritoryStaff)
        .group_by(Territory.id)
        .order_by(Territory.id)
    )
    return tuple(
        Place(name, frozenset(countries), frozenset(regions), frozenset(filter(None, staff)))
        for name, countries, regions, staff in session.execute(query)
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
