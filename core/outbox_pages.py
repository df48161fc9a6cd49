"""The send ledger as workers use it: whole pages of deliveries claimed, marked, recorded and given back at
once.

Every statement that ends a worker's hold asks whether it still holds: `lease_owner` is its own, and where it
still means to transmit, the lease lasts for a few seconds more by the database's clock. A worker that was
frozen past its lease finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.outbox import Delivery, DeliveryState
from core.outbox_history import as_json

if TYPE_CHECKING:
    from core.enclosures import Enclosure

LEASE = timedelta(seconds=60)
"""How long a claim holds unless it is renewed."""
MARGIN = timedelta(seconds=4)
"""With less than this left of the lease nothing more is begun."""
LAPSES = 5
"""A delivery whose workers died so often while they prepared it is refused; fewer would condemn its
neighbours.
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in a worker's hands, with what policy wants to know of it."""

    id: int
    token: str
    purpose: str
    automatic: bool
    address: str
    domain: str
    recipient_name: str
    contact_id: int | None
    conversation_id: int | None
    deal_id: int | None
    staff_id: int | None
    mailbox: str | None
    template: str | None
    language: str
    values: dict[str, Any]
    subject: str
    body: str
    documents: list[str]
    in_reply_to: str | None
    reference_ids: list[str]
    priority: int
    attempts: int
    rfc_id: str | None
    waited: timedelta
    expired: bool
    suppression: str | None
    suppression_reason: str | None
    consent_withdrawn: bool | None
    campaign_id: int | None = None
    campaign_state: str | None = None
    """Of the mailing it belongs to."""
    files: list[dict[str, Any]] = field(default_factory=list)
    """What the client may download."""
    versions: dict[str, Any] | None = None
    """Versions of its texts that it is held to."""
    copy_of_id: int | None = None
    """The letter it is a copy of; what it says is that letter's."""
    addressed: dict[str, Any] | None = None
    """Whom the header of a letter with copies names."""
    letter_token: str | None = None
    """The token of the letter it is a copy of, which is in the Message-ID of both."""
    enclosed: Sequence[Enclosure] = ()
    """Files from its writer's computer, once they are fetched."""

    @property
    def letter_id(self) -> int:
        """The delivery that holds its documents and files: the letter's own, for a copy too."""
        return self.id if self.copy_of_id is None else self.copy_of_id


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a delivery in a worker's hands."""

    id: int
    state: DeliveryState
    detail: str = ""
    """What the server said, or the reason of policy."""
    wait: float = 0.0
    """Seconds until the next attempt, for DEFERRED."""
    error: str | None = None
    tried: bool = True
    """False takes the attempt back: nothing was offered to the server."""


_DUE = text("""
select p.priority, count(*) from unnest(cast(:priorities as int[])) as p (priority)
cross join lateral (
    select 1 from delivery where channel = :channel and priority = p.priority
    and state in ('queued', 'deferred') and due_at <= now() limit :most
) as due group by p.priority order by p.priority
""")

# A page comes and goes as one JSON value: a driver converts value by value at many times the cost.
_CLAIM = text("""
with due as (
    select found.id, found.copy_of_id from unnest(cast(:priorities as int[])) as p (priority)
    cross join lateral (
        select id, copy_of_id from delivery where channel = :channel and priority = p.priority
        and state in ('queued', 'deferred') and due_at <= now()
        order by due_at, id limit :most for update skip locked
    ) as found limit :most
), claimed as (
    update delivery d
    set state = 'claimed', lease_owner = :owner, lease_until = clock_timestamp() + :lease,
        attempts = d.attempts + 1
    from due left join delivery whole on whole.id = due.copy_of_id
    where d.id = due.id
    returning d.id, d.token, d.purpose, d.automatic, d.address, d.domain, d.recipient_name,
        d.contact_id, d.conversation_id, d.deal_id, d.staff_id, d.mailbox, d.template,
        coalesce(whole.language, d.language) as language, coalesce(whole."values", d."values") as "values",
        coalesce(whole.subject, d.subject) as subject, coalesce(whole.body, d.body) as body,
        coalesce(whole.documents, d.documents) as documents,
        coalesce(whole.in_reply_to, d.in_reply_to) as in_reply_to,
        coalesce(whole.reference_ids, d.reference_ids) as reference_ids, d.priority, d.attempts,
        coalesce(d.rfc_id, whole.rfc_id) as rfc_id,
        extract(epoch from now() - d.created_at) as waited, d.expires_at <= now() as expired,
        (select scope from suppression s where s.channel = d.channel and s.address = d.address_key)
            as suppression,
        (select reason from suppression s where s.channel = d.channel and s.address = d.address_key)
            as suppression_reason,
        (select bool_or(not latest.granted) from (
            select distinct on (c.purpose) c.granted from consent c
            where c.contact_id = d.contact_id and c.channel = d.channel
            and c.purpose in ('marketing', (select m.topic from campaign m where m.id = d.campaign_id))
            order by c.purpose, c.id desc) as latest) as consent_withdrawn,
        coalesce(whole.files, d.files) as files, coalesce(whole.versions, d.versions) as versions,
        d.campaign_id, d.copy_of_id, coalesce(whole.addressed, d.addressed) as addressed,
        whole.token as letter_token,
        (select m.state from campaign m where m.id = d.campaign_id) as campaign_state
)
select coalesce(json_agg(claimed), '[]') from claimed
""")

_OPTED_OUT = """
exists (select 1 from suppression s where s.channel = d.channel and s.address = d.address_key
        and (s.scope = 'everything' or d.purpose = 'marketing'))
"""

_BEGIN = text(f"""
update delivery d
set state = 'transmitting', rfc_id = v.rfc_id, lease_until = clock_timestamp() + :lease
from json_to_recordset(cast(:rows as json)) as v (id bigint, rfc_id text)
where d.id = v.id and d.state = 'claimed' and d.lease_owner = :owner
  and d.lease_until > clock_timestamp() + :margin and not {_OPTED_OUT}
returning d.id
""")  # noqa: S608 - only constants of this file are put together

_RENEW = text(f"""
update delivery d set lease_until = clock_timestamp() + :lease
where d.lease_owner = :owner and d.state in ('claimed', 'transmitting') and d.lease_until > clock_timestamp()
returning d.id, d.state = 'transmitting' and {_OPTED_OUT}
""")  # noqa: S608 - only constants of this file are put together

_SETTLE = text("""
with done as (
    update delivery d
    set state = v.state,
        reply = coalesce(nullif(v.detail, ''), d.reply),
        error = v.error,
        due_at = case when v.state in ('deferred', 'queued')
                 then now() + v.wait * interval '1 second' else d.due_at end,
        attempts = d.attempts - case when v.tried then 0 else 1 end,
        settled_at = case when v.state in ('deferred', 'queued') then null else now() end,
        lease_owner = null, lease_until = null
    from json_to_recordset(cast(:rows as json))
         as v (id bigint, state text, detail text, wait float8, error text, tried boolean)
    where d.id = v.id and d.lease_owner = :owner and d.state = any(cast(:sources as text[]))
    returning d.id, d.state, v.detail, v.error, d.conversation_id, d.staff_id,
              not d.automatic and d.purpose in ('answer', 'service') as watched
), logged as (
    insert into delivery_event (delivery_id, state, detail)
    select id, state, coalesce(error, detail) from done where state <> 'queued' or detail <> ''
)
-- Whoever looks at the conversation sees what became of their letter.
select id, (select pg_notify('frontdesk_live', json_build_object('kind', 'message',
            'conversation_id', conversation_id, 'staff_id', staff_id)::text)::text
            where watched and conversation_id is not null) from done
""")

_LAPSED = text("""
with lapsed as (
    select d.id, d.state as before,
           (select count(*) from delivery_event e where e.delivery_id = d.id and e.state = 'queued'
            and e.detail = :lapse) as lapses
    from delivery d where d.state in ('claimed', 'transmitting') and d.lease_until < clock_timestamp()
    order by d.lease_until limit 500 for update skip locked
), swept as (
    update delivery d
    set state = case when lapsed.before = 'transmitting' then 'uncertain'
                     when lapsed.lapses + 1 >= :most then 'refused' else 'queued' end,
        error = case when lapsed.before = 'transmitting' then :lost
                     when lapsed.lapses + 1 >= :most then :deadly else d.error end,
        -- Neighbours of a deadly one come back apart from it.
        due_at = case when lapsed.before = 'claimed'
                 then now() + lapsed.lapses * random() * interval '10 seconds' else d.due_at end,
        settled_at = case when lapsed.before = 'transmitting' or lapsed.lapses + 1 >= :most then now() end,
        lease_owner = case when lapsed.before = 'transmitting' then d.lease_owner end,
        lease_until = null
    from lapsed where d.id = lapsed.id
    returning d.id, d.state
), logged as (
    insert into delivery_event (delivery_id, state, detail)
    select id, state, case state when 'uncertain' then :lost when 'refused' then :deadly
                      else :lapse end
    from swept
)
select state, count(*) from swept group by state
""")

_EXPIRED = text("""
with late as (
    select id from delivery where state in ('queued', 'deferred') and due_at <= now() and expires_at <= now()
    limit 1000 for update skip locked
), done as (
    update delivery d set state = 'expired', settled_at = now() from late where d.id = late.id returning d.id
)
insert into delivery_event (delivery_id, state, detail)
select id, 'expired', 'not sent within its time' from done
""")

_POSTPONE = text("""
with rest as (
    select id from delivery where channel = :channel and state in ('queued', 'deferred') and due_at <= now()
    and domain = :domain limit :most for update skip locked
)
update delivery d set due_at = now() + :wait * (1 + random() * 0.2) * interval '1 second'
from rest where d.id = rest.id
""")

_HOLD = text("select pg_advisory_xact_lock(hashtextextended('letter', :letter))")

LAPSE = "its worker's lease ran out while it was prepared"
LOST = "its worker was lost while it was transmitted"
DEADLY = f"its worker was lost {LAPSES} times while it was prepared"


def due(session: Session, channel: str, priorities: Sequence[int], most: int) -> dict[int, int]:
    """How many deliveries of each priority could be claimed now, counted up to ``most`` each."""
    rows = session.execute(_DUE, {"channel": channel, "priorities": list(priorities), "most": most})
    return {int(priority): int(count) for priority, count in rows}


def claim(
    session: Session,
    *,
    owner: str,
    channel: str,
    priorities: Sequence[int],
    most: int,
    lease: timedelta = LEASE,
) -> list[Claimed]:
    """Take up to ``most`` due deliveries, the first priority first; other workers pass them by."""
    page = session.scalar(
        _CLAIM,
        {"owner": owner, "channel": channel, "priorities": list(priorities), "most": most, "lease": lease},
    )
    return [Claimed(**{**row, "waited": timedelta(seconds=row["waited"])}) for row in page or ()]


def hold_letter(session: Session, letter_id: int) -> None:
    """Let whoever else makes a document of this letter, for it or for a copy of it, wait for the commit."""
    session.execute(_HOLD, {"letter": letter_id})


def begin_transmission(
    session: Session, *, owner: str, rfc_ids: Sequence[tuple[int, str | None]], lease: timedelta = LEASE
) -> set[int]:
    """Mark claimed deliveries as being transmitted, under their Message-IDs; returns those that may go.

    The rest was lost to another worker, or its address opted out since the claim. Commit before the final
    dot.
    """
    return set(
        session.scalars(
            _BEGIN,
            {
                "owner": owner,
                "rows": as_json([{"id": one, "rfc_id": rfc_id} for one, rfc_id in rfc_ids]),
                "lease": lease,
                "margin": MARGIN,
            },
        )
    )


def renew(session: Session, *, owner: str, lease: timedelta = LEASE) -> dict[int, bool]:
    """Lengthen every lease that has not run out; for each delivery still held, whether its address opted out
    since.
    """
    rows = session.execute(_RENEW, {"owner": owner, "lease": lease})
    return {int(delivery_id): bool(opted_out) for delivery_id, opted_out in rows}


def settle_page(
    session: Session, *, owner: str, settled: Sequence[Settled], sources: Collection[DeliveryState]
) -> set[int]:
    """Bring deliveries of this worker from one of ``sources`` into their new states, and log it; returns
    their ids.

    Those that this worker does not hold any more are left alone.
    """
    if not settled:
        return set()
    return set(
        session.scalars(
            _SETTLE,
            {
                "owner": owner,
                "rows": as_json([_plain(one) for one in settled]),
                "sources": [state.value for state in sources],
            },
        )
    )


def _plain(one: Settled) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "detail": one.detail,
        "wait": one.wait,
        "error": one.error,
        "tried": one.tried,
    }


def let_lapse(session: Session, owner: str) -> None:
    """End the leases of what a dead worker had claimed only: the next sweep takes it back."""
    session.execute(
        text(
            "update delivery set lease_until = clock_timestamp() - interval '1 second'"
            " where lease_owner = :owner and state = 'claimed'"
        ),
        {"owner": owner},
    )


def sweep(session: Session) -> dict[str, int]:
    """Settle what dead workers held: claimed → queued, transmitting → uncertain; returns how many came to
    each state.

    What was transmitted stays with its owner's name on it: should that worker come back, it may say what it
    knows.
    """
    rows = session.execute(_LAPSED, {"lapse": LAPSE, "lost": LOST, "deadly": DEADLY, "most": LAPSES})
    return {str(state): int(count) for state, count in rows}


def expire(session: Session) -> int:
    """Bring due deliveries past their time into EXPIRED; returns how many."""
    return int(getattr(session.execute(_EXPIRED), "rowcount", 0))


def postpone(session: Session, *, channel: str, domain: str, wait: float, most: int = 2000) -> int:
    """Make what is due to a domain wait so many seconds (a fifth more at random); returns how many were
    moved.
    """
    done = session.execute(_POSTPONE, {"channel": channel, "domain": domain, "wait": wait, "most": most})
    return int(getattr(done, "rowcount", 0))


def uncertain(session: Session, limit: int = 200) -> list[Delivery]:
    """Deliveries whose fate a person has to decide, oldest first; `core.outbox.settle` decides one."""
    query = (
        select(Delivery).where(Delivery.state == DeliveryState.UNCERTAIN).order_by(Delivery.id).limit(limit)
    )
    return list(session.scalars(query))
