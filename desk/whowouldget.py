"""Who would get a letter now: the rules asked about a sender, a topic and a language that somebody types."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import accounts, routing, traffic
from core.accounts import Account, Contact
from core.config import Settings
from core.deals import Deal
from core.errors import InputRefused
from core.i18n import Texts
from core.routing import Facts
from core.staff import StaffMember, Team
from desk import wording


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed."""

    sender: str = ""
    """A mail address or a telephone number."""
    topic: str | None = None
    language: str | None = None
    mailbox: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Who would get it."""

    rule: str
    name: str | None
    team: str | None
    contact: str = ""
    account: str = ""
    curator: str = ""
    owner: str = ""
    by: str | None = None
    away: tuple[str, ...] = ()
    """Who of the curator and the deal's owner is away today."""

    def why(self, language: Texts) -> str:
        """The rule that decided, in words."""
        return wording.sentence(
            SimpleNamespace(rule=self.rule, name=self.name, team=self.team, by=None), language
        )


def answer(session: Session, settings: Settings, question: Question) -> Found:
    """Ask the rules as they are now, with today's absences; a stranger has no curator and no deal."""
    contact, account = _client(session, question.sender)
    deal_id, owner_id = _deal(session, contact, account)
    roster = routing.roster(session)
    teams = dict(session.execute(select(Team.name, Team.id)).all())
    mailbox = next((one for one in settings.mailboxes if one.name == question.mailbox), None)
    segments, stage = traffic.of_client(session, contact.id if contact else None, deal_id)
    facts = Facts(
        segments=segments,
        stage=stage,
        language=question.language or (contact.language if contact else None),
        intent=question.topic,
        owner_id=owner_id,
        curator_id=account.curator_id if account else None,
        mailbox_team_id=teams.get(mailbox.team) if mailbox and mailbox.team else None,
        topic_team_id=roster.teams_of_topics.get(question.topic or ""),
        country=account.country if account else None,
        region=account.region if account else None,
        industry=account.industry if account else None,
        products=frozenset({question.product} if question.product else ()),
        mailbox=question.mailbox,
    )
    decision = routing.decide(facts, roster)
    names = dict(session.execute(select(StaffMember.id, StaffMember.name)).all())
    near = [one for one in (facts.owner_id, facts.curator_id) if one is not None]
    return Found(
        rule=decision.rule,
        name=names.get(decision.staff_id or 0),
        team=next((name for name, number in teams.items() if number == decision.team_id), None),
        contact=contact.name or question.sender if contact else "",
        account=account.name if account else "",
        curator=names.get(facts.curator_id or 0, ""),
        owner=names.get(facts.owner_id or 0, ""),
        away=tuple(sorted({names[one] for one in near if one in names and one not in roster.here})),
    )


def _client(session: Session, sender: str) -> tuple[Contact | None, Account | None]:
    if not sender:
        return None, None
    if "@" in sender:
        contact = accounts.find_by_email(session, sender)
        if contact is not None:
            return contact, contact.account
        domain = accounts.company_domain(sender)
        return None, accounts.account_of_domain(session, domain) if domain else None
    if not any(character.isdecimal() for character in sender):
        raise InputRefused("That is neither a mail address nor a telephone number.")
    people = accounts.find_by_phone(session, sender)
    return (
        (people[0], people[0].account) if len(people) == 1 else (None, people[0].account if people else None)
    )


def _deal(
    session: Session, contact: Contact | None, account: Account | None
) -> tuple[int | None, int | None]:
    """The client's newest open deal that somebody has, and who has it."""
    if contact is None and account is None:
        return None, None
    whose = Deal.account_id == account.id if account else Deal.contact_id == (contact.id if contact else None)
    query = select(Deal.id, Deal.owner_id).where(whose, Deal.outcome.is_(None), Deal.owner_id.is_not(None))
    found = session.execute(query.order_by(Deal.id.desc()).limit(1)).first()
    return (found[0], found[1]) if found else (None, None)
