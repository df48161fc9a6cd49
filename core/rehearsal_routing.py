"""Rehearsal of routing: clients' letters of the past, given out once more by the rules.

What colleagues gave by hand stays as it was; what waits for somebody who is away goes back to the queue, as
in earnest. Who has how much to do is counted from the letters that are played, since what lay on each desk
at the time is not written down anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, load_only

from core import routing, routingrules
from core.accounts import Account, Channel, Contact
from core.conversations import Conversation, Direction, Message
from core.deals import Deal
from core.labels import Classification
from core.rehearsal import MOST_LETTERS, Client, Code, Happening, Kind, Report, Row, Scope, Tell
from core.routing import Assignment, Candidate, Decision, Facts, Roster
from core.routingrules import Rule
from core.staff import Absence, StaffMember, Team

LIKELY = 0.5
"""As in earnest: from this probability on a likely topic says which team may know."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A client's letter, with what was known of its client."""

    id: int
    talk_id: int
    at: datetime
    client: Client
    facts: Facts
    """Without who has it and whose deal it is, which depends on the course."""
    deal: Deal | None
    opened_deal: bool
    day: date


@dataclass(slots=True)
class _Course:
    """Letters given out by one set of rules."""

    rules: Sequence[Rule]
    holders: dict[int, int | None] = field(default_factory=dict)
    """By conversation."""
    given: dict[int, datetime] = field(default_factory=dict)
    """When the last letter of each conversation was given out."""
    owners: dict[int, int | None] = field(default_factory=dict)
    """By deal that a played letter opened."""
    loads: dict[int, int] = field(default_factory=dict)
    roster: Roster | None = None
    day: date | None = None


@dataclass(slots=True)
class _House:
    """The staff, who was away when, and what they are called."""

    base: Roster
    staff: list[Candidate]
    away: list[tuple[int, date, date]]
    people: Mapping[int, str]
    teams: Mapping[int, str]
    answers: Mapping[int, Sequence[datetime]]
    """When somebody of ours wrote, by conversation."""

    def on(self, course: _Course, day: date) -> Roster:
        """Who was here on a day, with what the course has given them so far."""
        if course.roster is not None and course.day == day:
            return course.roster
        if course.roster is not None:
            course.loads |= {one.id: one.load for one in course.roster.here.values()}
        gone = {who for who, first, last in self.away if first <= day <= last}
        here = {
            one.id: replace(one, load=course.loads.get(one.id, 0)) for one in self.staff if one.id not in gone
        }
        course.roster, course.day = replace(self.base, here=here, rules=course.rules), day
        return course.roster

    def left(self, holder_id: int, given: datetime, until: datetime) -> bool:
        """Whether somebody who was given something went away after that, and before another moment."""
        return any(
            who == holder_id and given.date() < first <= until.date() for who, first, _last in self.away
        )


def play(
    session: Session,
    report: Report,
    changed: Sequence[Rule] | None,
    team_of_mailbox: Callable[[str], str],
    tell: Tell,
) -> None:
    """Give out the letters of the report's scope by the rules in force and by the changed ones.

    ``team_of_mailbox`` is the name of the team whose mailbox that is, empty where none is named.
    """
    letters = _letters(session, report, team_of_mailbox)
    if not letters:
        return
    staff = routing.everybody(session)
    talks = sorted({one.talk_id for one in letters})
    house = _House(
        base=routing.roster_with(session, {}, staff),
        staff=staff,
        away=[(who, first, last) for who, first, last in session.execute(_absences(letters))],
        people=dict(session.execute(select(StaffMember.id, StaffMember.name)).all()),
        teams=dict(session.execute(select(Team.id, Team.name)).all()),
        answers=_answers(session, talks),
    )
    given = _given(session, talks)
    now = _Course(routingrules.read(session))
    would = _Course(now.rules if changed is None else changed)
    nexts = _nexts(letters)
    for number, letter in enumerate(letters, start=1):
        tell("letters", number, len(letters))
        if report.late():
            break
        log = given.get(letter.talk_id, [])
        was = _was(letter, nexts.get(letter.id), log, house)
        by_now, by_would = (_give(letter, one, log, house) for one in (now, would))
        report.rows.append(Row(letter.at, Kind.ROUTED, letter.client, was, by_now, by_would))
        report.letters += 1
    tell("letters", len(letters), len(letters))


def _letters(session: Session, report: Report, team_of_mailbox: Callable[[str], str]) -> list[_Letter]:
    roster = routing.roster_with(session, {}, [])
    teams = dict(session.execute(select(Team.name, Team.id)).all())
    query = (
        select(Message, Conversation, Classification, Contact, Account, Deal)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Classification, Classification.message_id == Message.id)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .outerjoin(Account, Account.id == Contact.account_id)
        .outerjoin(Deal, Deal.id == Conversation.deal_id)
        .where(
            Message.direction == Direction.IN,
            Message.channel == Channel.EMAIL,
            Message.machine.is_(None),
            Message.staff_id.is_(None),
            *_within(report.scope),
        )
        .options(
            load_only(
                Message.segment,
                Message.conversation_id,
                Message.contact_id,
                Message.happened_at,
                Message.subject,
                Message.language,
                Message.sender,
                Message.sender_name,
            ),
            load_only(Conversation.subject, Conversation.language, Conversation.mailbox),
            load_only(Classification.intent, Classification.alternatives, Classification.interests),
        )
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(MOST_LETTERS + 1)
    )
    rows = session.execute(query).all()
    report.cut = report.cut or len(rows) > MOST_LETTERS
    intents: dict[int, str] = {}
    made: list[_Letter] = []
    for message, talk, label, contact, account, deal in reversed(rows[:MOST_LETTERS]):
        if label is not None and label.intent is not None:
            intents[talk.id] = label.intent
        intent = intents.get(talk.id)
        likely = label.alternatives[0] if label is not None and label.alternatives else ("", 0.0)
        facts = Facts(
            language=message.language or talk.language,
            intent=intent,
            curator_id=_curator(account, message),
            mailbox_team_id=teams.get(team_of_mailbox(talk.mailbox or "")),
            topic_team_id=roster.teams_of_topics.get(intent or ""),
            likely_team_id=roster.teams_of_topics.get(likely[0] if likely[1] >= LIKELY else ""),
            country=account.country if account else None,
            region=account.region if account else None,
            industry=account.industry if account else None,
            products=frozenset(one[0] for one in label.interests) if label is not None else frozenset(),
            mailbox=talk.mailbox,
            segments=frozenset((message.segment or {}).get("segments", ())),
            stage=(message.segment or {}).get("stage"),
        )
        person = contact.name if contact else message.sender_name or message.sender
        client = Client(
            account.name if account else person,
            person,
            deal.id if deal else None,
            talk.id,
            message.subject or talk.subject,
        )
        under_way = deal is not None and (deal.closed_at is None or deal.closed_at > message.happened_at)
        made.append(
            _Letter(
                message.id,
                talk.id,
                message.happened_at,
                client,
                facts,
                deal if under_way else None,
                deal is not None and deal.trigger_message_id == message.id,
                message.happened_at.date(),
            )
        )
    return made


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    if not scope.chosen:
        return [Message.happened_at >= scope.since, Message.happened_at < scope.until]
    chosen = or_(Message.id.in_(scope.letters), Conversation.deal_id.in_(scope.deals))
    return [chosen, Message.happened_at >= scope.since, Message.happened_at < scope.until]


def _curator(account: Account | None, message: Message) -> int | None:
    """The client's curator; none for the letter that made the client known, whose curator came of it."""
    if account is None or account.created_at >= message.happened_at:
        return None
    return account.curator_id


def _absences(letters: Sequence[_Letter]) -> Select[int, date, date]:
    first, last = letters[0].day, letters[-1].day
    return select(Absence.staff_id, Absence.first_day, Absence.last_day).where(
        Absence.last_day >= first, Absence.first_day <= last
    )


def _given(session: Session, talks: Sequence[int]) -> dict[int, list[Assignment]]:
    query = (
        select(Assignment)
        .where(Assignment.conversation_id.in_(talks))
        .order_by(Assignment.assigned_at, Assignment.id)
    )
    found: dict[int, list[Assignment]] = {}
    for one in session.scalars(query):
        found.setdefault(one.conversation_id, []).append(one)
    return found


def _answers(session: Session, talks: Sequence[int]) -> dict[int, list[datetime]]:
    query = (
        select(Message.conversation_id, Message.happened_at)
        .where(Message.conversation_id.in_(talks), Message.direction == Direction.OUT)
        .order_by(Message.happened_at)
    )
    found: dict[int, list[datetime]] = {}
    for talk_id, at in session.execute(query):
        found.setdefault(talk_id, []).append(at)
    return found


def _nexts(letters: Sequence[_Letter]) -> dict[int, datetime]:
    """When the next letter of the same conversation came, by letter."""
    found: dict[int, datetime] = {}
    newest: dict[int, int] = {}
    for letter in letters:
        if letter.talk_id in newest:
            found[newest[letter.talk_id]] = letter.at
        newest[letter.talk_id] = letter.id
    return found


def _was(
    letter: _Letter, ends: datetime | None, log: Sequence[Assignment], house: _House
) -> Happening | None:
    """What the letter came to: what the rules gave before the next one came, else who had it already."""
    for one in log:
        if one.rule != "hand" and one.assigned_at >= letter.at and (ends is None or one.assigned_at < ends):
            return _said(Decision(one.rule, one.staff_id, one.team_id), house)
    before = [one for one in log if one.assigned_at < letter.at]
    if before:
        return _said(Decision("keeps_conversation", before[-1].staff_id, before[-1].team_id), house)
    return None


def _give(letter: _Letter, course: _Course, log: Sequence[Assignment], house: _House) -> Happening:
    if letter.talk_id not in course.holders:
        before = [one for one in log if one.assigned_at < letter.at]
        course.holders[letter.talk_id] = before[-1].staff_id if before else None
    since = course.given.get(letter.talk_id)
    by_hand = [
        one
        for one in log
        if one.rule == "hand" and one.assigned_at < letter.at and (since is None or one.assigned_at >= since)
    ]
    if by_hand:
        course.holders[letter.talk_id] = by_hand[-1].staff_id
        given = by_hand[-1].assigned_at
    else:
        given = since
    if since is not None and given is not None and _handed_back(letter, course, since, given, house):
        course.holders[letter.talk_id] = None
    course.given[letter.talk_id] = letter.at
    owner_id = None
    if letter.deal is not None and not letter.opened_deal:
        owner_id = course.owners.get(letter.deal.id, letter.deal.owner_id)
    holder = course.holders[letter.talk_id]
    roster = house.on(course, letter.day)
    decision = routing.decide(replace(letter.facts, assignee_id=holder, owner_id=owner_id), roster)
    if decision.staff_id is not None and decision.staff_id != holder:
        roster.chosen(decision.staff_id)
    course.holders[letter.talk_id] = decision.staff_id
    if letter.opened_deal and letter.deal is not None:
        course.owners[letter.deal.id] = decision.staff_id
    return _said(decision, house)


def _handed_back(letter: _Letter, course: _Course, since: datetime, given: datetime, house: _House) -> bool:
    """Whether the conversation waited for its holder when they went away, and so went back to the queue."""
    holder = course.holders[letter.talk_id]
    if holder is None or not house.left(holder, given, letter.at):
        return False
    return not any(since <= at < letter.at for at in house.answers.get(letter.talk_id, ()))


def _said(decision: Decision, house: _House) -> Happening:
    team = house.teams.get(decision.team_id or 0, "")
    if decision.staff_id is None:
        return Happening(Code.QUEUE, str(decision.team_id or ""), {"en": team}, why=decision.rule)
    name = house.people.get(decision.staff_id, "?")
    return Happening(Code.PERSON, str(decision.staff_id), {"en": name, "team": team}, why=decision.rule)
