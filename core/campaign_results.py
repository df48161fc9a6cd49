"""What came of a campaign: whom it reached, who answered and how, what it led to; opens are not counted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.campaigns import Campaign, Goal

WINDOW_DAYS = 30
"""Days after a letter went within which an interest or a deal counts to it."""

_STATES = text("""
select coalesce(d.state, 'recipient:' || r.state || coalesce(':' || r.skip, '')), count(*)
from campaign_recipient r left join delivery d on d.id = r.delivery_id
where r.campaign_id = :campaign group by 1
""")
_OPTED_OUT = text("""
select count(*) from campaign_recipient where campaign_id = :campaign and opted_out_at is not null
""")
_ANSWERS = """
from campaign_recipient r
join delivery d on d.id = r.delivery_id and d.conversation_id is not null
join message m on m.conversation_id = d.conversation_id and m.direction = 'in' and m.machine is null
     and m.happened_at >= r.queued_at
"""
_REPLIES = text(f"""
select coalesce(c.intent, 'unsure'), count(distinct r.contact_id) {_ANSWERS}
left join lateral (select intent from classification c where c.message_id = m.id
                   order by c.id desc limit 1) c on true
where r.campaign_id = :campaign group by 1
""")  # noqa: S608 - only constants of this file are put together
_REPLIED = text(f"select count(distinct r.contact_id) {_ANSWERS} where r.campaign_id = :campaign")
_INTERESTS = text("""
select count(*) from campaign_recipient r join product_interest i on i.contact_id = r.contact_id
where r.campaign_id = :campaign and r.delivery_id is not null
and i.created_at between r.queued_at and r.queued_at + :window * interval '1 day'
""")
_DEALS = text("""
select count(*), count(*) filter (where x.outcome = 'won') from campaign_recipient r
join deal x on x.contact_id = r.contact_id
where r.campaign_id = :campaign and r.delivery_id is not null
and x.opened_at between r.queued_at and r.queued_at + :window * interval '1 day'
""")
_BY_VARIANT = {
    Goal.REPLIES: f"select distinct r.contact_id {_ANSWERS} where r.campaign_id = :campaign",
    Goal.DEALS: """
        select distinct r.contact_id from campaign_recipient r join deal x on x.contact_id = r.contact_id
        where r.campaign_id = :campaign and r.delivery_id is not null
        and x.opened_at between r.queued_at and r.queued_at + :window * interval '1 day'
    """,
}
_DAYS = text(f"""
select day, sum(sent), sum(replied) from (
    select cast(r.queued_at at time zone :zone as date) as day, 1 as sent, 0 as replied
    from campaign_recipient r join delivery d on d.id = r.delivery_id
    where r.campaign_id = :campaign and d.state in ('sent', 'delivered', 'bounced', 'complained', 'uncertain')
    union all
    select cast(min(m.happened_at) at time zone :zone as date), 0, 1 {_ANSWERS}
    where r.campaign_id = :campaign group by r.contact_id
) as happened group by day order by day
""")  # noqa: S608

_BY_SEGMENT = text(f"""
select s.segment_id, count(*), count(*) filter (where r.contact_id in
    (select r.contact_id {_ANSWERS} where r.campaign_id = :campaign))
from campaign_recipient r join delivery d on d.id = r.delivery_id
left join lateral (
    select cast(value as bigint) as segment_id from jsonb_array_elements_text(d.segment -> 'segments')
) s on true
where r.campaign_id = :campaign and d.state in ('sent', 'delivered', 'uncertain')
group by 1 order by 2 desc, 1
""")  # noqa: S608

ARRIVED = ("sent", "delivered")
"""Taken and not come back, as far as is known."""
UNDER_WAY = ("queued", "claimed", "transmitting", "deferred")


@dataclass(frozen=True, slots=True)
class Variant:
    """How one variant did: whom it reached, and how many of them did what the campaign is for."""

    name: str
    reached: int
    hits: int

    @property
    def rate(self) -> float:
        """Hits of those reached."""
        return self.hits / self.reached if self.reached else 0.0


@dataclass(frozen=True, slots=True)
class Results:
    """The numbers of one campaign; every recipient is in exactly one of the first six."""

    waiting: int
    under_way: int
    arrived: int
    bounced: int
    """Bounced, refused or complained about."""
    unsent: int
    """Suppressed, cancelled or expired before they went."""
    uncertain: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Left out, by reason."""
    replied: int = 0
    replies: Mapping[str, int] = field(default_factory=dict)
    """People who answered, by what they wrote about."""
    interests: int = 0
    deals: int = 0
    won: int = 0
    opted_out: int = 0
    complained: int = 0

    @property
    def recipients(self) -> int:
        """All of them."""
        return (
            self.waiting + self.under_way + self.arrived + self.bounced + self.unsent + self.uncertain
            + sum(self.skipped.values())
        )  # fmt: skip


def of(session: Session, campaign: Campaign) -> Results:
    """The numbers as they are now."""
    given = {"campaign": campaign.id}
    states: dict[str, int] = {name: int(number) for name, number in session.execute(_STATES, given)}
    opted_out = session.execute(_OPTED_OUT, given).scalar_one()
    replies = {intent: int(number) for intent, number in session.execute(_REPLIES, given)}
    interests = session.execute(_INTERESTS, given | {"window": WINDOW_DAYS}).scalar_one()
    deals, won = session.execute(_DEALS, given | {"window": WINDOW_DAYS}).one()
    skipped = {
        name.rpartition(":")[2]: number
        for name, number in states.items()
        if name.startswith("recipient:skipped")
    }
    return Results(
        waiting=states.get("recipient:waiting", 0),
        under_way=sum(states.get(name, 0) for name in UNDER_WAY),
        arrived=sum(states.get(name, 0) for name in ARRIVED),
        bounced=sum(states.get(name, 0) for name in ("bounced", "refused", "complained")),
        unsent=sum(states.get(name, 0) for name in ("suppressed", "cancelled", "expired")),
        uncertain=states.get("uncertain", 0),
        skipped=skipped,
        replied=session.execute(_REPLIED, given).scalar_one(),
        replies=replies,
        interests=interests,
        deals=deals,
        won=won,
        opted_out=opted_out,
        complained=states.get("complained", 0),
    )


def by_variant(session: Session, campaign: Campaign) -> list[Variant]:
    """How the variants of the test did, for the campaign's goal."""
    hits = _BY_VARIANT[Goal(campaign.goal)]
    query = text(f"""
        select r.variant, count(*), count(*) filter (where r.contact_id in ({hits}))
        from campaign_recipient r join delivery d on d.id = r.delivery_id
        where r.campaign_id = :campaign and d.state in ('sent', 'delivered', 'complained', 'uncertain')
        and r.variant is not null group by r.variant order by r.variant
    """)  # noqa: S608 - only constants of this file are put together
    rows = session.execute(query, {"campaign": campaign.id, "window": WINDOW_DAYS})
    return [Variant(name, int(reached), int(number)) for name, reached, number in rows]


def by_segment(session: Session, campaign: Campaign) -> list[tuple[int | None, int, int]]:
    """Segment, letters that went to it, and people of it who answered, the largest first; None for who was in
    no segment when the letter was queued. Who was in several counts in each."""
    rows = session.execute(_BY_SEGMENT, {"campaign": campaign.id})
    return [(segment_id, int(reached), int(replied)) for segment_id, reached, replied in rows]


def winner(variants: Sequence[Variant], otherwise: str = "A") -> tuple[str, str]:
    """The variant with the best rate and why; the first of equals, and an honest word where chance explains
    the difference as well. ``otherwise`` is the one where none reached anybody.
    """
    if not variants:
        return otherwise, "nobody was reached, so there is nothing to compare"
    ranked = sorted(variants, key=lambda one: (-one.rate, one.name))
    best = ranked[0]
    said = ", ".join(f"{one.name}: {one.hits} of {one.reached}" for one in variants)
    if len(ranked) == 1:
        return best.name, said
    if best.rate == ranked[1].rate:
        return best.name, f"{said}; equal, so the first"
    sure = _distance(best, ranked[1]) >= 1.64
    return best.name, said if sure else f"{said}; the difference may be chance"


def _distance(one: Variant, other: Variant) -> float:
    """Standard errors between two rates (pooled two-proportion test)."""
    reached = one.reached + other.reached
    pooled = (one.hits + other.hits) / reached if reached else 0.0
    spread = pooled * (1 - pooled) * (1 / max(one.reached, 1) + 1 / max(other.reached, 1))
    return (one.rate - other.rate) / math.sqrt(spread) if spread > 0 else 0.0


def over_time(session: Session, campaign: Campaign, zone: str) -> list[tuple[date, int, int]]:
    """Day, letters that went, and people whose first answer came that day."""
    rows = session.execute(_DAYS, {"campaign": campaign.id, "zone": zone})
    return [(day, int(sent), int(replied)) for day, sent, replied in rows if day is not None]


_RECIPIENTS = text("""
select c.name, coalesce(a.name, ''), coalesce(d.address, ''), coalesce(r.variant, ''),
    coalesce(r.language, ''), coalesce(d.state, r.state), coalesce(r.skip, ''), r.queued_at,
    r.opted_out_at, coalesce(d.reply, '')
from campaign_recipient r join contact c on c.id = r.contact_id
left join account a on a.id = c.account_id left join delivery d on d.id = r.delivery_id
where r.campaign_id = :campaign order by r.contact_id
""")
COLUMNS = (
    "name", "company", "address", "variant", "language", "state", "reason", "queued", "opted_out", "answer"
)  # fmt: skip


def recipients(session: Session, campaign: Campaign) -> Iterator[Any]:
    """Every recipient with what became of them: `COLUMNS`."""
    yield from session.execute(_RECIPIENTS, {"campaign": campaign.id})
