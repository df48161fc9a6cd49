"""What the check before a campaign's start needs to know, read from the database and by rendering its texts;
and the test letter that a colleague gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import campaign_audience, campaign_verbs, outbox
from core.accounts import Channel
from core.budget import Budget
from core.campaigns import Campaign
from core.config import Settings
from core.errors import FrontdeskError, InputRefused, NotFound
from core.outbox import Draft, Purpose, new_token
from core.staff import StaffMember
from outbound.campaigncheck import Facts, Finding, Tried, findings
from outbound.mailingtexts import Words, source_of, template_key, twin, words_of
from templates.placeholders import samples
from templates.rendered import check, compile_email, render_text
from templates.segments import segments_of

RESERVED = (".example", ".test", ".invalid", ".localhost")
"""Endings of domains that never exist (RFC 2606 section 2)."""
_SAMPLE_LIMIT = 20_000
"""Of a larger audience so many are looked at for what would be missing; counts are of those."""

_PEOPLE = text("""
with page as (select unnest(cast(:ids as bigint[])) as id), known as (
    select c.id, c.name, coalesce(c.language, '') as language, coalesce(a.name, '') as company,
        coalesce(a.code, '') as code, point.value as address, point.key,
        (select count(*) from delivery d where d.contact_id = c.id
         and d.due_at > now() - :days * interval '1 day' and d.purpose in ('service', 'marketing')
         and d.state not in ('cancelled', 'suppressed', 'expired', 'refused')) as touches
    from page join contact c on c.id = page.id left join account a on a.id = c.account_id
    left join lateral (select value, key from contact_point p where p.contact_id = c.id and p.kind = :kind
                       order by p.main desc, p.id limit 1) point on true
)
select json_build_object(
    'languages', (select coalesce(json_object_agg(language, n), '{}') from
                  (select language, count(*) n from known group by language) x),
    'name', count(*) filter (where name = ''), 'company', count(*) filter (where company = ''),
    'code', count(*) filter (where code = ''), 'without', count(*) filter (where address is null),
    'held', count(*) filter (where touches >= :touches),
    'suppressed', count(*) filter (where exists (
        select 1 from suppression s where s.channel = :channel and s.address = known.key)
        or (select bool_or(not said.granted) from (
            select distinct on (purpose) granted from consent where contact_id = known.id
            and channel = :channel and purpose in ('marketing', :topic) order by purpose, id desc) said)))
from known
""")


def facts_of(session: Session, campaign: Campaign, settings: Settings) -> Facts:
    """Everything the checks need to know of a campaign."""
    texts = {(one.variant, one.language): words_of(one) for one in campaign_verbs.texts(session, campaign.id)}
    channel = Channel(campaign.channel)
    ids: list[int] = []
    size = 0
    try:
        whole = campaign_audience.audience(session, campaign).subquery()
        size = session.execute(select(func.count()).select_from(whole)).scalar_one()
        ids = list(session.scalars(select(whole.c.id).limit(_SAMPLE_LIMIT)))
    except (InputRefused, NotFound):
        # Nobody is chosen yet, or the segment was put away: the check says so itself.
        size = 0
    limit = Budget(settings.pressure.touches, settings.pressure.days)
    people = _people(session, campaign, ids, limit)
    return Facts(
        channel=channel,
        texts=texts,
        tried={place: tried(channel, words) for place, words in texts.items()},
        default_language=campaign.language,
        audience=size,
        languages=people["languages"],
        without={
            "client.name": people["name"],
            "client.company": people["company"],
            "client.code": people["code"],
        },
        without_address=people["without"],
        suppressed=people["suppressed"],
        held_back=people["held"],
        one_click=settings.company.public_url.startswith("https://"),
        fictional=settings.relay is not None and is_reserved(settings.relay.from_address),
        postal_address=settings.company.address,
        test_percent=campaign.test_percent,
    )


def is_reserved(address: str) -> bool:
    """Whether an address belongs to a domain that never exists."""
    return address.strip().lower().endswith(RESERVED)


def examine(session: Session, campaign: Campaign, settings: Settings) -> list[Finding]:
    """Everything found about a campaign; a screen shows it before the start."""
    return findings(facts_of(session, campaign, settings))


def _people(session: Session, campaign: Campaign, ids: list[int], limit: Budget) -> Mapping[str, Any]:
    given = {
        "ids": ids,
        "days": limit.days,
        "touches": limit.touches,
        "kind": campaign_audience.point_kind(campaign.channel).value,
        "channel": campaign.channel.value,
        "topic": campaign.topic,
    }
    return session.execute(_PEOPLE, given).scalar_one()


def tried(channel: Channel, words: Words) -> Tried:
    """Render a text with sample values, in the bounded child."""
    kind = "sms" if channel == Channel.SMS else "email"
    source = source_of(kind, template_key(0), words)
    try:
        used = check(source)
        fixed = twin({0: words})
        if kind == "sms":
            said = render_text("sms", source.key, words.language, samples(words.language), fixed)
            return Tried(used, len(said.text), segments_of(said.text).count)
        shown = compile_email(source.key, words.language, fixed).render(samples(words.language))
        return Tried(used, len(shown.html.encode()))
    except FrontdeskError as error:
        return Tried(error=str(error))


def send_test(
    session: Session, campaign: Campaign, staff: StaffMember, *, variant: str, language: str, to: str = ""
) -> int | None:
    """Queue one text to a colleague with sample values, at once and outside every count.

    ``to`` is an address of theirs or a number, their own unless given. Raises InputRefused where the text
    does not exist.
    """
    known = {(one.variant, one.language): one for one in campaign_verbs.texts(session, campaign.id)}
    chosen = known.get((variant, language))
    if chosen is None:
        raise InputRefused(f"There is no text {variant}/{language}.")
    address = to or (staff.email if campaign.channel == Channel.EMAIL else staff.phone)
    if not address:
        raise InputRefused("There is no address to send the test to.", cure="Give one.")
    values = {"client": samples(language)["client"], "staff": {"name": staff.name, "email": staff.email}}
    return outbox.queue(
        session,
        Draft(
            key=f"campaign_test:{campaign.id}:{new_token()}",
            address=address,
            channel=campaign.channel,
            purpose=Purpose.STAFF,
            recipient_name=staff.name,
            staff_id=staff.id,
            mailbox=campaign.mailbox,
            template=template_key(chosen.id),
            language=language,
            values=values,
            subject=chosen.subject,
            priority=2,
        ),
    )
