"""Assign: who gets the conversation, and by which rule."""

from __future__ import annotations

from sqlalchemy import select

from core import routing
from core.accounts import Account
from core.deals import Deal
from core.routing import Decision, Facts
from core.staff import Team
from inbound.work import Batch, Item, Talk


def run(batch: Batch) -> None:
    """Ask the routing rules once for each conversation that people wrote in."""
    items = [item for item in batch.on_their_way() if item.human and item.talk is not None]
    if not items:
        return
    roster = routing.roster(batch.session)
    owners = _owners(batch, items)
    teams = dict(batch.session.execute(select(Team.name, Team.id)).all())
    curators = _curators(batch, items)
    places = _places(batch, items)
    decided: dict[int, Decision] = {}
    for item in items:
        talk = item.talk
        if talk is None:
            continue
        decision = decided.get(talk.id)
        if decision is None:
            country, region, industry = places.get(talk.account_id or 0, (None, None, None))
            facts = Facts(
                language=talk.language,
                intent=talk.intent,
                assignee_id=talk.assignee_id,
                owner_id=owners.get(talk.deal_id or 0),
                curator_id=curators.get(talk.account_id or 0),
                mailbox_team_id=teams.get(batch.tools.team_of_mailbox(talk.mailbox or "")),
                topic_team_id=roster.teams_of_topics.get(talk.intent or ""),
                likely_team_id=roster.teams_of_topics.get(_likely_topic(item)),
                country=country,
                region=region,
                industry=industry,
                products=_products(item),
                mailbox=talk.mailbox,
                segments=item.segments,
                stage=item.stage,
            )
            decision = decided[talk.id] = _decide(talk, facts, roster)
        item.note("assign", decision.rule)
    for deal in batch.deals:
        deal.owner_id = deal.talk.assignee_id


LIKELY = 0.5
"""From this probability on, a topic the classifier would not vouch for still says which team may know."""


def _likely_topic(item: Item) -> str:
    best = item.labels.alternatives[:1] if item.labels else ()
    return best[0][0] if best and best[0][1] >= LIKELY else ""


def _products(item: Item) -> frozenset[str]:
    return frozenset(key for key, _, _ in item.labels.interests) if item.labels else frozenset()


def _decide(talk: Talk, facts: Facts, roster: routing.Roster) -> Decision:
    decision = routing.decide(facts, roster)
    if decision.staff_id is not None and decision.staff_id == talk.assignee_id:
        return decision
    talk.decision = decision
    talk.assignee_id = decision.staff_id
    talk.team_id = decision.team_id if decision.team_id is not None else talk.team_id
    if decision.staff_id is not None:
        roster.chosen(decision.staff_id)
    return decision


def _owners(batch: Batch, items: list[Item]) -> dict[int, int | None]:
    ids = {item.talk.deal_id for item in items if item.talk is not None and item.talk.deal_id is not None}
    known = ids - {deal.id for deal in batch.deals}
    if not known:
        return {}
    query = select(Deal.id, Deal.owner_id).where(Deal.id.in_(known), Deal.outcome.is_(None))
    return dict(batch.session.execute(query).all())


def _curators(batch: Batch, items: list[Item]) -> dict[int, int | None]:
    companies = {
        item.person.company.id: item.person.company for item in items if item.person and item.person.company
    }
    return {company_id: company.curator_id for company_id, company in companies.items()}


def _places(batch: Batch, items: list[Item]) -> dict[int, tuple[str | None, str | None, str | None]]:
    """Country, region and industry of the clients we know."""
    ids = {item.talk.account_id for item in items if item.talk is not None and item.talk.account_id}
    known = ids - {company.id for company in batch.companies}
    if not known:
        return {}
    query = select(Account.id, Account.country, Account.region, Account.industry).where(Account.id.in_(known))
    return {
        account_id: (country, region, industry)
        for account_id, country, region, industry in batch.session.execute(query)
    }
