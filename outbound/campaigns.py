"""Campaigns move here: recipients are written down, and a page of those who are due becomes deliveries.

One worker of the fleet looks at a time. A look at one campaign is: late? → write down recipients → which
variant → the page: facts, a verdict for each, one statement that queues, one that marks. Deliveries and marks
are one transaction, and a delivery's key names campaign and address, so that nobody is queued twice. Only so
many wait in the outbox for each domain: a domain that wants less of us fills its own share and nobody
else's, and an edit or a pause meets few who are queued already.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, or_, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from core import budget, campaign_audience, campaign_results, campaign_verbs, consent, outbox
from core.accounts import Channel
from core.budget import Budget
from core.campaign_verbs import LATE
from core.campaigns import (
    LIVE,
    Campaign,
    CampaignRecipient,
    CampaignState,
    CampaignText,
    RecipientState,
    Skip,
)
from core.consent import Scope
from core.context import Context
from core.errors import FrontdeskError
from core.outbox import Draft, Purpose
from core.outbox_history import as_json
from core.values import is_email
from core.worker import promote
from outbound.mailingtexts import template_key
from outbound.policy import is_machine
from outbound.sequences import House, house_of

EVERY = 0.5
"""Seconds between two looks."""
PAGE = 500
"""Recipients queued in one transaction."""
AHEAD = 1000
"""Letters to one domain, of one campaign, that wait in the outbox at most before more are queued."""
BEAT = timedelta(seconds=30)
LEAD = timedelta(hours=24)
"""How long before its time a campaign on each recipient's own clock writes them down."""
PRIORITY = 7

log = structlog.get_logger(__name__)


class Action(StrEnum):
    """What becomes of a recipient who is due."""

    QUEUE = "queue"
    WAIT = "wait"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision: ``until`` for a wait, ``skip`` for a skip."""

    action: Action
    until: datetime | None = None
    skip: Skip | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """What is known of a recipient who is due."""

    address: str | None
    written_to: bool = False
    """A letter of this campaign went to them before: to another record of theirs that was merged since."""
    machine: bool = False
    suppressed: bool = False
    withdrawn: bool = False
    """They took back their consent to this topic or to all mailings on this channel."""
    agreed: bool = False
    has_text: bool = True
    touches: tuple[datetime, ...] = ()
    """What went to them by itself lately, oldest first."""


def decide(one: Recipient, *, now: datetime, limit: Budget, until: datetime, needs_consent: bool) -> Verdict:
    """Whether a recipient is queued now; until when the campaign waits for the pressure to ease."""
    if one.address is None:
        return Verdict(Action.SKIP, skip=Skip.NO_ADDRESS)
    if one.written_to:
        return Verdict(Action.SKIP, skip=Skip.DUPLICATE)
    if one.machine:
        return Verdict(Action.SKIP, skip=Skip.MACHINE)
    if one.suppressed:
        return Verdict(Action.SKIP, skip=Skip.SUPPRESSED)
    if one.withdrawn:
        return Verdict(Action.SKIP, skip=Skip.CONSENT_WITHDRAWN)
    if needs_consent and not one.agreed:
        return Verdict(Action.SKIP, skip=Skip.NO_CONSENT)
    if not one.has_text:
        return Verdict(Action.SKIP, skip=Skip.NO_TEXT)
    frees = limit.frees_at(one.touches, now)
    if frees is None:
        return Verdict(Action.QUEUE)
    if frees > until:
        return Verdict(Action.SKIP, skip=Skip.PRESSURE)
    return Verdict(Action.WAIT, until=frees)


_OPEN = text("""
select domain, count(*) from delivery where campaign_id = :campaign
and state in ('queued', 'claimed', 'transmitting', 'deferred') group by domain
""")

_DUE = text("""
select contact_id, variant, domain from campaign_recipient
where campaign_id = :campaign and state = 'waiting' and due_at <= :now
and (variant is not null or :rest) and domain <> all(cast(:full as text[]))
order by due_at, contact_id limit :most for update skip locked
""")

_FACTS = text("""
select coalesce(json_agg(facts), '[]') from (
    select c.id, c.name, c.language, a.name as company, a.code, point.value as address,
        s.name as staff_name, s.position as staff_position, s.phone as staff_phone, s.email as staff_email,
        s.id as staff_id,
        exists (select 1 from delivery had
                where had.campaign_id = :campaign and had.contact_id = c.id) as written_to,
        (select json_object_agg(said.purpose, said.granted) from (
            select distinct on (purpose) purpose, granted from consent
            where contact_id = c.id and channel = :channel and purpose in ('marketing', :topic)
            order by purpose, id desc) said) as consents
    from unnest(cast(:ids as bigint[])) as page (id)
    join contact c on c.id = page.id
    left join account a on a.id = c.account_id
    left join staff_member s on s.id = case when :own then coalesce(a.curator_id, :staff) end
    left join lateral (select value from contact_point p where p.contact_id = c.id and p.kind = :kind
                       order by p.main desc, p.id limit 1) point on true
) facts
""")

_QUEUED = text("""
with page as (
    select * from json_to_recordset(cast(:rows as json)) as v (contact_id bigint, key text, language text)
), marked as (
    update campaign_recipient r
    set state = case when d.contact_id = r.contact_id then 'queued' else 'skipped' end,
        skip = case when d.contact_id = r.contact_id then null else 'duplicate' end,
        delivery_id = case when d.contact_id = r.contact_id then d.id end,
        variant = coalesce(r.variant, :winner), language = page.language, queued_at = now()
    from page join delivery d on d.key = page.key
    where r.campaign_id = :campaign and r.contact_id = page.contact_id
    returning r.contact_id
)
select count(*) from marked
""")

_SETTLED = text("""
update campaign_recipient r
set state = v.state, skip = v.skip, due_at = coalesce(v.due_at, r.due_at)
from json_to_recordset(cast(:rows as json))
    as v (contact_id bigint, state text, skip text, due_at timestamptz)
where r.campaign_id = :campaign and r.contact_id = v.contact_id
""")


def tick(session: Session, house: House, now: datetime | None = None) -> int:
    """Look at every live campaign once, in one transaction; returns how many rows were moved."""
    if now is None:
        now = session.execute(select(func.now())).scalar_one()
    live = session.scalars(
        select(Campaign)
        .where(Campaign.state.in_(LIVE), or_(Campaign.start_at.is_(None), Campaign.start_at <= now + LEAD))
        .order_by(Campaign.id)
        .with_for_update(skip_locked=True, of=Campaign)
    ).all()
    return sum(_safe_look(session, campaign, house, now) for campaign in live)


def _safe_look(session: Session, campaign: Campaign, house: House, now: datetime) -> int:
    """A campaign that cannot go on (its segment is gone, say) asks a person, and the others go on."""
    try:
        with session.begin_nested():
            return _look(session, campaign, house, now)
    except (FrontdeskError, DataError, IntegrityError) as error:
        said = error.message if isinstance(error, FrontdeskError) else type(error).__name__
        log.warning("mailing cannot go on", campaign=campaign.id, error=said)
        campaign_verbs.ask(session, campaign, f"it cannot go on: {said}")
        return 0


def _look(session: Session, campaign: Campaign, house: House, now: datetime) -> int:
    lead = LEAD if campaign.local_time else timedelta(0)
    if campaign.state == CampaignState.SCHEDULED:
        start = campaign.start_at or now
        if start - lead > now:
            return 0
        if start < now - LATE:
            campaign_verbs.ask(session, campaign, f"it should have begun at {start.isoformat()}")
            return 0
        campaign_verbs.begin(session, campaign)
    elif campaign.beat_at is not None and campaign.beat_at < now - LATE:
        campaign_verbs.ask(session, campaign, f"nothing moved it since {campaign.beat_at.isoformat()}")
        return 0
    if campaign.beat_at is None or campaign.beat_at < now - BEAT:
        campaign.beat_at = now
    if campaign.frozen_at is None:
        return max(campaign_audience.freeze(session, campaign, zone=house.calendar.zone), PAGE)
    moved = _page(session, campaign, house, now)
    if not moved and not _waiting(session, campaign):
        _end_of_part(session, campaign, now)
    return moved


def _waiting(session: Session, campaign: Campaign) -> bool:
    """Whether anybody waits of those whom the campaign may queue now."""
    query = select(CampaignRecipient.contact_id).where(
        CampaignRecipient.campaign_id == campaign.id, CampaignRecipient.state == RecipientState.WAITING
    )
    if not _rest(campaign):
        query = query.where(CampaignRecipient.variant.is_not(None))
    return session.execute(query.limit(1)).first() is not None


def _rest(campaign: Campaign) -> bool:
    return campaign.winner is not None or not campaign.test_percent


def _end_of_part(session: Session, campaign: Campaign, now: datetime) -> None:
    """Nobody waits: the test is over, its time has come, or everything is done."""
    if _rest(campaign):
        # While letters are under way it can still be paused and cancelled.
        if not session.execute(_OPEN, {"campaign": campaign.id}).first():
            campaign_verbs.finish(session, campaign)
    elif campaign.tested_at is None:
        campaign.tested_at = now
        session.flush()
    elif campaign.tested_at + timedelta(hours=campaign.test_hours) <= now:
        known = sorted({one.variant for one in campaign_verbs.texts(session, campaign.id)})
        tried = campaign_results.by_variant(session, campaign)
        variant, reason = campaign_results.winner(tried, known[0] if known else "A")
        campaign_verbs.choose(session, campaign, variant, reason)


def _allowed(campaign: Campaign, now: datetime) -> int:
    """How many may be queued now by the campaign's own pace."""
    if not campaign.pace_per_minute:
        return PAGE
    since = campaign.promoted_at or campaign.started_at or now
    seconds = min((now - since).total_seconds(), 60.0)
    return min(PAGE, int(seconds * campaign.pace_per_minute / 60))


def _page(session: Session, campaign: Campaign, house: House, now: datetime) -> int:
    """Queue one page; returns how many recipients were decided."""
    most = _allowed(campaign, now)
    if most <= 0:
        return 0
    waiting = session.execute(_OPEN, {"campaign": campaign.id}).all()
    full = [domain for domain, number in waiting if number >= AHEAD]
    given = {"campaign": campaign.id, "now": now, "rest": _rest(campaign), "full": full, "most": most}
    due = session.execute(_DUE, given).all()
    if not due:
        return 0
    writer = _Writer(session, campaign, house, now)
    writer.decide({contact_id: variant or campaign.winner or "A" for contact_id, variant, _ in due})
    campaign.promoted_at = now
    session.flush()
    return len(due)


class _Writer:
    """One page of one campaign on its way from recipients to deliveries."""

    def __init__(self, session: Session, campaign: Campaign, house: House, now: datetime) -> None:
        self._session = session
        self._campaign = campaign
        self._house = house
        self._now = now
        self._texts = _by_variant(campaign_verbs.texts(session, campaign.id))

    def decide(self, variants: Mapping[int, str]) -> None:
        campaign, now = self._campaign, self._now
        people = self._people(list(variants))
        keys = {one["id"]: _key(campaign.channel, one["address"]) for one in people}
        stopped = consent.suppressed(self._session, campaign.channel, [key for key in keys.values() if key])
        limit = self._house.budget
        touches = budget.touches(self._session, list(variants), now, limit)
        until = (campaign.started_at or now) + timedelta(hours=campaign.patience_hours)
        drafts: list[Draft] = []
        rest: list[dict[str, Any]] = []
        for one in people:
            contact_id, key = one["id"], keys[one["id"]]
            chosen = self._text(variants[contact_id], one["language"])
            said = one["consents"] or {}
            verdict = decide(
                Recipient(
                    address=one["address"] if key else None,
                    written_to=one["written_to"],
                    machine=campaign.channel == Channel.EMAIL and is_machine(one["address"] or ""),
                    suppressed=key in stopped and stopped[key].scope in (Scope.EVERYTHING, Scope.MARKETING),
                    withdrawn=False in said.values(),
                    agreed=True in said.values(),
                    has_text=chosen is not None,
                    touches=tuple(touches.counted.get(contact_id, ())),
                ),
                now=now,
                limit=limit,
                until=until,
                needs_consent=campaign.needs_consent,
            )
            if verdict.action is Action.QUEUE and chosen is not None and key is not None:
                drafts.append(self._draft(one, chosen, key))
            else:
                rest.append(_left(contact_id, verdict))
        self._write(drafts, rest)

    def _people(self, ids: list[int]) -> list[dict[str, Any]]:
        campaign = self._campaign
        given = {
            "ids": ids,
            "campaign": campaign.id,
            "channel": campaign.channel.value,
            "topic": campaign.topic,
            "own": campaign.in_own_name,
            "staff": campaign.staff_id,
            "kind": campaign_audience.point_kind(campaign.channel).value,
        }
        return self._session.execute(_FACTS, given).scalar_one()

    def _text(self, variant: str, language: str | None) -> CampaignText | None:
        """The text in the contact's language, else the campaign's, else English, else any."""
        known = self._texts.get(variant) or {}
        for wanted in (language, self._campaign.language, "en", *known):
            if wanted in known:
                return known[wanted]
        return None

    def _draft(self, one: Mapping[str, Any], chosen: CampaignText, key: str) -> Draft:
        campaign = self._campaign
        return Draft(
            key=f"campaign:{campaign.id}:{key}",
            address=one["address"],
            channel=campaign.channel,
            purpose=Purpose.MARKETING,
            recipient_name=one["name"],
            contact_id=one["id"],
            staff_id=one["staff_id"],
            mailbox=campaign.mailbox,
            template=template_key(chosen.id),
            language=chosen.language,
            values=_values(one),
            subject=chosen.subject,
            campaign_id=campaign.id,
            priority=PRIORITY,
        )

    def _write(self, drafts: Sequence[Draft], rest: list[dict[str, Any]]) -> None:
        campaign = self._campaign
        if drafts:
            outbox.queue_many(self._session, drafts)
            rows = [
                {"contact_id": one.contact_id, "key": one.key, "language": one.language} for one in drafts
            ]
            given = {"campaign": campaign.id, "rows": as_json(rows), "winner": campaign.winner}
            self._session.execute(_QUEUED, given)
        if rest:
            self._session.execute(_SETTLED, {"campaign": campaign.id, "rows": as_json(rest)})


def _left(contact_id: int, verdict: Verdict) -> dict[str, Any]:
    skipped = verdict.action is Action.SKIP
    return {
        "contact_id": contact_id,
        "state": RecipientState.SKIPPED if skipped else RecipientState.WAITING,
        "skip": verdict.skip,
        "due_at": verdict.until and verdict.until.isoformat(),
    }


def _by_variant(texts: Sequence[CampaignText]) -> dict[str, dict[str, CampaignText]]:
    known: dict[str, dict[str, CampaignText]] = {}
    for one in texts:
        known.setdefault(one.variant, {})[one.language] = one
    return known


def _key(channel: Channel, address: str | None) -> str | None:
    """The address as the suppression list knows it; None where nothing can be sent to it."""
    if not address or (channel == Channel.EMAIL and not is_email(address)):
        return None
    try:
        return consent.address_key(channel, address)
    except FrontdeskError:
        return None


def _values(one: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "client": {"name": one["name"], "company": one["company"] or "", "code": one["code"]}
    }
    if one["staff_name"]:
        values["staff"] = {
            "name": one["staff_name"],
            "position": one["staff_position"],
            "phone": one["staff_phone"],
            "email": one["staff_email"],
        }
    return values


def run(context: Context, stop: threading.Event) -> None:
    """Look twice a second; one worker of the fleet at a time."""
    house = house_of(context.settings)
    while not stop.wait(EVERY):
        promote(context, "outbound.campaigns", partial(tick, house=house))
