"""The segment of one letter: the client's segments, the intent, the products and the deal's stage.

It is written on a message when it is filed and on a delivery when it is queued, and never changed after: what
the client was at that moment is what reports ask for. `mark` decides; `look_up` fetches what it needs for
many letters with one query.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST_SEGMENTS = 8
MOST_PRODUCTS = 5

Mark = dict[str, Any]
"""``{"segments": [3, 7], "intent": "order", "products": ["pump-cr"], "stage": "demo"}``; what is unknown is
left out."""


def mark(
    segments: Sequence[int] = (),
    intent: str | None = None,
    products: Iterable[str] = (),
    stage: str | None = None,
) -> Mark | None:
    """The segment of a letter, or None where nothing is known; of several segments the first rank first."""
    made: Mark = {}
    if segments:
        made["segments"] = list(segments[:MOST_SEGMENTS])
    if intent:
        made["intent"] = intent
    if named := list(dict.fromkeys(products)):
        made["products"] = named[:MOST_PRODUCTS]
    if stage:
        made["stage"] = stage
    return made or None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the clients and deals of some letters."""

    segments: dict[int, list[int]] = field(default_factory=dict)
    """Ids of segments by contact, first rank first."""
    stages: dict[int, str] = field(default_factory=dict)
    """Keys of stages by deal."""
    products: dict[int, list[str]] = field(default_factory=dict)
    """Keys of products by deal."""
    intents: dict[int, str] = field(default_factory=dict)
    """By conversation."""
    names: dict[int, list[str]] = field(default_factory=dict)
    """Names of segments by contact, in the same order; of one that came with frontdesk its key."""

    def of(
        self,
        contact_id: int | None,
        deal_id: int | None,
        *,
        conversation_id: int | None = None,
        intent: str | None = None,
        products: Iterable[str] = (),
    ) -> Mark | None:
        """The segment of one letter; products it names itself stand before those of its deal."""
        own = list(products) or self.products.get(deal_id or 0, [])
        return mark(
            self.segments.get(contact_id or 0, []),
            intent or self.intents.get(conversation_id or 0),
            own,
            self.stages.get(deal_id or 0),
        )


def of_client(
    session: Session, contact_id: int | None, deal_id: int | None
) -> tuple[frozenset[int], str | None]:
    """The segments a client is in and the stage of a deal, for the rules of routing."""
    known = look_up(session, [contact_id], [deal_id])
    return frozenset(known.segments.get(contact_id or 0, ())), known.stages.get(deal_id or 0)


def of_message(
    session: Session,
    contact_id: int | None,
    deal_id: int | None,
    conversation_id: int | None,
    *,
    intent: str | None = None,
    products: Iterable[str] = (),
) -> Mark | None:
    """The segment of one message that is filed alone: a call, or an SMS."""
    known = look_up(session, [contact_id], [deal_id], [conversation_id])
    return known.of(contact_id, deal_id, conversation_id=conversation_id, intent=intent, products=products)


def names_of(session: Session, contact_id: int) -> str:
    """The names of a client's segments as `client.segments` gives them to the wording of a letter."""
    return named(look_up(session, [contact_id], []).names.get(contact_id, ()))


def named(names: Iterable[str]) -> str:
    """Names of segments in one line."""
    return "; ".join(names)


_LOOK_UP = text("""
select 'segment', m.contact_id, array_agg(cast(m.segment_id as text) order by s.rank, s.id)
from segment_member m join segment s on s.id = m.segment_id and s.archived_at is null
where m.contact_id = any(cast(:contacts as bigint[])) group by 2
union all
select 'name', m.contact_id, array_agg(coalesce(nullif(s.name, ''), s.ready, '') order by s.rank, s.id)
from segment_member m join segment s on s.id = m.segment_id and s.archived_at is null
where m.contact_id = any(cast(:contacts as bigint[])) group by 2
union all
select 'stage', d.id, array[s.key] from deal d join stage s on s.id = d.stage_id
where d.id = any(cast(:deals as bigint[]))
union all
select 'product', l.deal_id, array_agg(p.key order by l.id)
from deal_line l join product p on p.id = l.product_id
where l.deal_id = any(cast(:deals as bigint[])) group by 2
union all
select 'intent', c.id, array[c.intent] from conversation c
where c.id = any(cast(:conversations as bigint[])) and c.intent is not null
""")


def look_up(
    session: Session,
    contacts: Iterable[int | None],
    deals: Iterable[int | None],
    conversations: Iterable[int | None] = (),
) -> Surroundings:
    """What `mark` needs about contacts, deals and conversations: one query, none where all are empty."""
    asked = {
        "contacts": sorted({one for one in contacts if one}),
        "deals": sorted({one for one in deals if one}),
        "conversations": sorted({one for one in conversations if one}),
    }
    found = Surroundings()
    if not any(asked.values()):
        return found
    for kind, key, values in session.execute(_LOOK_UP, asked):
        match kind:
            case "segment":
                found.segments[key] = [int(value) for value in values]
            case "name":
                found.names[key] = list(values)
            case "stage":
                found.stages[key] = values[0]
            case "product":
                found.products[key] = list(values)
            case _:
                found.intents[key] = values[0]
    return found
