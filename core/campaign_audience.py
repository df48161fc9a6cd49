"""Who receives a campaign: its segment, list and hand-picked contacts, written down a page at a time.

The audience is read anew for each page, so an edit of the segment counts for whom no page has come to yet. At
the end who joined below the last page is added as well: everybody whom the segment describes when the last
page is written has a row, and nobody has two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select, text, union
from sqlalchemy.orm import Session

from core.accounts import Channel, Contact, PointKind
from core.campaign_verbs import texts
from core.campaigns import Campaign, CampaignRecipient
from core.errors import InputRefused
from core.lists import ContactListMember
from core.segments import get, moment
from core.segments_compile import contacts
from core.segments_language import parse

PAGE = 5000
"""Recipients written down in one transaction."""

_WRITE = """
insert into campaign_recipient (campaign_id, contact_id, state, variant, domain, due_at)
select :campaign, c.id, 'waiting',
    case when :percent = 0 or chance.draw % 100 < :percent
         then (cast(:variants as text[]))[1 + chance.draw / 100 % cardinality(cast(:variants as text[]))] end,
    coalesce(split_part(point.value, '@', 2), ''),
    {due}
from unnest(cast(:ids as bigint[])) as page (id)
join contact c on c.id = page.id
left join account a on a.id = c.account_id
left join lateral (select value from contact_point p where p.contact_id = c.id and p.kind = 'email'
                   order by p.main desc, p.id limit 1) point on true
cross join lateral (select hashint8extended(c.id, :campaign) & 9007199254740991 as draw) chance
{zones}
on conflict do nothing
"""
_AT_ONCE = text(_WRITE.format(due="coalesce(:start, now())", zones=""))
_ON_THEIR_CLOCK = text(
    _WRITE.format(
        # Where that hour has gone by already, the same hour of the next day: never in the middle of a night.
        due="(clocks.wall + greatest(0, ceil(extract(epoch from now() - interval '1 hour' - clocks.due)"
        " / 86400)) * interval '1 day') at time zone clocks.zone",
        # A zone that the database does not know must not stop a mailing.
        zones="left join (select name from pg_timezone_names) zone on zone.name = a.zone"
        " cross join lateral (select cast(:start as timestamptz) at time zone :zone as wall,"
        " coalesce(zone.name, :zone) as zone, (cast(:start as timestamptz) at time zone :zone)"
        " at time zone coalesce(zone.name, :zone) as due) clocks",
    )
)


def audience(session: Session, campaign: Campaign) -> Select[Any]:
    """Ids of the contacts whom a campaign is for now, each once. Raises InputRefused where it is for nobody
    in particular, NotFound for a segment that was put away.
    """
    parts: list[Select[Any]] = []
    if campaign.segment_id is not None:
        segment = get(session, campaign.segment_id)
        parts.append(contacts(parse(segment.conditions), moment(session)))
    if campaign.list_id is not None:
        parts.append(
            select(ContactListMember.contact_id.label("id")).where(
                ContactListMember.list_id == campaign.list_id
            )
        )
    if campaign.contact_ids:
        parts.append(select(Contact.id).where(Contact.id == func.any(campaign.contact_ids)))
    if not parts:
        raise InputRefused("The mailing has no audience.", cure="Choose a segment or a list.")
    whole = parts[0].subquery() if len(parts) == 1 else union(*parts).subquery()
    return select(whole.c[0].label("id"))


def freeze(session: Session, campaign: Campaign, *, zone: str, page: int = PAGE) -> int:
    """Write down the next page of recipients, in the caller's transaction; returns how many were looked at.

    ``zone`` is the company's time zone. The campaign's ``frozen_at`` is set when nobody is left.
    """
    whole = audience(session, campaign).subquery()
    ids = session.scalars(
        select(whole.c.id).where(whole.c.id > campaign.frozen_upto).order_by(whole.c.id).limit(page)
    ).all()
    if ids:
        campaign.frozen_upto = ids[-1]
    else:
        mine = select(CampaignRecipient.contact_id).where(CampaignRecipient.campaign_id == campaign.id)
        ids = session.scalars(select(whole.c.id).where(whole.c.id.not_in(mine)).limit(page)).all()
    if ids:
        _write(session, campaign, list(ids), zone)
    else:
        campaign.frozen_at = func.now()
    session.flush()
    return len(ids)


def _write(session: Session, campaign: Campaign, ids: list[int], zone: str) -> None:
    variants = sorted({one.variant for one in texts(session, campaign.id)}) or ["A"]
    local = campaign.local_time and campaign.start_at is not None
    given = {
        "campaign": campaign.id,
        "ids": ids,
        "percent": campaign.test_percent if len(variants) > 1 else 0,
        "variants": variants,
        "start": campaign.start_at,
    }
    session.execute(_ON_THEIR_CLOCK if local else _AT_ONCE, given | ({"zone": zone} if local else {}))


def size(session: Session, campaign: Campaign) -> int:
    """How many contacts the campaign is for now."""
    whole = audience(session, campaign).subquery()
    return session.execute(select(func.count()).select_from(whole)).scalar_one()


def point_kind(channel: Channel) -> PointKind:
    """What kind of address a channel needs."""
    return PointKind.EMAIL if channel == Channel.EMAIL else PointKind.PHONE
