"""What a person does with a campaign: write it, start it, pause, resume, cancel, edit; and what time does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import notices
from core.accounts import Channel
from core.campaigns import (
    EDITABLE,
    TRANSITIONS,
    Campaign,
    CampaignEvent,
    CampaignState,
    CampaignText,
    Goal,
)
from core.consent import Topic
from core.errors import Conflict, IllegalTransition, InputRefused, NotFound

LONGEST_NAME = 120
LONGEST_TEXT = 100_000
LATE = timedelta(hours=1)
"""A campaign whose start went by so long ago, or that stood still so long, asks before it goes on."""
LONGEST_AHEAD = timedelta(days=366)
VARIANTS = ("A", "B", "C", "D")

S = CampaignState
SETTINGS = frozenset(
    {
        "name", "channel", "topic", "needs_consent", "segment_id", "list_id", "contact_ids", "language",
        "in_own_name", "mailbox", "start_at", "local_time", "pace_per_minute", "patience_hours",
        "test_percent", "test_hours", "goal",
    }
)  # fmt: skip
"""What may be set by hand; anything else that a form or a request names is refused."""
DURING = frozenset({"name", "pace_per_minute", "patience_hours", "mailbox", "in_own_name"})
"""Of these, what may still change once recipients were written down."""

_LINES = re.compile(r"[\r\n\x00]")


def get(session: Session, campaign_id: int, *, lock: bool = False) -> Campaign:
    """One campaign. Raises NotFound."""
    found = session.get(Campaign, campaign_id, with_for_update=lock or None, populate_existing=lock)
    if found is None:
        raise NotFound
    return found


def create(session: Session, name: str, *, staff_id: int | None = None, **settings: Any) -> Campaign:
    """A new draft. Raises InputRefused for a setting that is none or out of bounds."""
    made = Campaign(name=_name(name), staff_id=staff_id)
    _set(made, settings)
    session.add(made)
    session.flush()
    _note(session, made, "made", staff_id)
    return made


def change(
    session: Session, campaign: Campaign, *, revision: int, staff_id: int | None = None, **settings: Any
) -> None:
    """Change settings. Raises Conflict when somebody changed it since that revision, IllegalTransition for
    what may not change any more, InputRefused for what is out of bounds.
    """
    _locked(session, campaign)
    if campaign.revision != revision:
        raise Conflict
    if campaign.state not in EDITABLE:
        raise IllegalTransition("The mailing has ended, so nothing about it can change.")
    if campaign.frozen_upto and (late := set(settings) - DURING):
        raise IllegalTransition(
            f"Its recipients are written down, so {', '.join(sorted(late))} cannot change any more.",
            cure="Texts, pace and name still can; for another audience, cancel it and copy it.",
        )
    _set(campaign, settings)
    campaign.revision += 1
    session.flush()
    _note(session, campaign, f"changed: {', '.join(sorted(settings))}", staff_id)


def write(
    session: Session,
    campaign: Campaign,
    language: str,
    *,
    body: str,
    subject: str = "",
    html: str | None = None,
    variant: str = "A",
    staff_id: int | None = None,
) -> CampaignText:
    """The text in one language, in place of the one before; who is queued after this gets the new one.

    Raises InputRefused for an empty, too long or broken text.
    """
    _locked(session, campaign)
    if campaign.state not in EDITABLE:
        raise IllegalTransition("The mailing has ended, so its texts cannot change.")
    if variant not in VARIANTS:
        raise InputRefused(f"A variant is called one of {', '.join(VARIANTS)}.")
    if campaign.winner is not None and variant != campaign.winner:
        raise IllegalTransition(f"Variant {campaign.winner} won, so the others are not sent any more.")
    if not body.strip() or len(body) + len(html or "") > LONGEST_TEXT:
        raise InputRefused(f"A text has between 1 and {LONGEST_TEXT} characters.")
    if campaign.channel == Channel.EMAIL and not subject.strip():
        raise InputRefused("A letter needs a subject.")
    if _LINES.search(subject) or len(subject) > 500 or "\0" in body:
        raise InputRefused("A subject is one line of at most 500 characters.")
    session.execute(
        update(CampaignText)
        .where(
            CampaignText.campaign_id == campaign.id,
            CampaignText.variant == variant,
            CampaignText.language == language,
            CampaignText.replaced_at.is_(None),
        )
        .values(replaced_at=func.now())
    )
    made = CampaignText(
        campaign_id=campaign.id,
        variant=variant,
        language=language,
        subject=subject.strip(),
        body=body,
        html=html,
        staff_id=staff_id,
    )
    session.add(made)
    campaign.revision += 1
    session.flush()
    _note(session, campaign, f"text {variant}/{language} written", staff_id)
    return made


def texts(session: Session, campaign_id: int) -> list[CampaignText]:
    """The texts in force, by variant and language."""
    query = (
        select(CampaignText)
        .where(CampaignText.campaign_id == campaign_id, CampaignText.replaced_at.is_(None))
        .order_by(CampaignText.variant, CampaignText.language)
    )
    return list(session.scalars(query))


def start(session: Session, campaign: Campaign, *, now: datetime, staff_id: int | None = None) -> None:
    """Begin at its time, or at once where it has none. Whoever calls it has looked at the check's findings.

    Raises InputRefused without a text or an audience, or for a time that has gone by.
    """
    _locked(session, campaign)
    known = texts(session, campaign.id)
    if not known:
        raise InputRefused("The mailing has no text.")
    if campaign.segment_id is None and campaign.list_id is None and not campaign.contact_ids:
        raise InputRefused("The mailing has no audience.", cure="Choose a segment or a list.")
    if len({text.variant for text in known}) > 1 and not campaign.test_percent:
        raise InputRefused(
            "There are several variants, but no share of the audience to try them on.",
            cure="Set test_percent, for example to 20.",
        )
    if campaign.start_at is not None:
        if campaign.start_at < now - LATE:
            raise InputRefused("The time it should begin at has gone by.")
        if campaign.start_at > now + LONGEST_AHEAD:
            raise InputRefused("It should begin more than a year from now.")
    campaign.beat_at = now
    _into(session, campaign, S.RUNNING if campaign.start_at is None else S.SCHEDULED, "started", staff_id)


def pause(session: Session, campaign: Campaign, *, staff_id: int | None = None) -> None:
    """Stop for now: nothing more is queued, and what is queued waits; a page already on its way arrives."""
    _locked(session, campaign)
    _into(session, campaign, S.PAUSED, "paused", staff_id)


def resume(session: Session, campaign: Campaign, *, now: datetime, staff_id: int | None = None) -> None:
    """Go on after a pause, or after it asked because it was late."""
    _locked(session, campaign)
    waits = campaign.start_at is not None and campaign.start_at > now and not campaign.frozen_upto
    campaign.beat_at = now
    notices.clear_alarm(session, "mailing_asks", campaign.name)
    _into(session, campaign, S.SCHEDULED if waits else S.RUNNING, "resumed", staff_id)


def cancel(session: Session, campaign: Campaign, *, staff_id: int | None = None) -> None:
    """End it: nothing more is queued, and what is queued is cancelled when its turn comes."""
    _locked(session, campaign)
    notices.clear_alarm(session, "mailing_asks", campaign.name)
    _into(session, campaign, S.CANCELLED, "cancelled", staff_id)


def back_to_draft(session: Session, campaign: Campaign, *, staff_id: int | None = None) -> None:
    """Take a scheduled one back for changes. Raises IllegalTransition once recipients are written down."""
    _locked(session, campaign)
    if campaign.frozen_upto:
        raise IllegalTransition("Its recipients are written down already.")
    _into(session, campaign, S.DRAFT, "taken back", staff_id)


def ask(session: Session, campaign: Campaign, why: str) -> None:
    """It is late: hold everything until a person says whether it still goes."""
    _into(session, campaign, S.ASKING, why, None)
    notices.raise_alarm(session, "mailing_asks", campaign.name, why)


def begin(session: Session, campaign: Campaign) -> None:
    """Its time has come."""
    _into(session, campaign, S.RUNNING, "its time has come", None)


def finish(session: Session, campaign: Campaign) -> None:
    """Everybody was written to or left out."""
    _into(session, campaign, S.FINISHED, "everybody was written to or left out", None)


def choose(
    session: Session, campaign: Campaign, variant: str, reason: str, *, staff_id: int | None = None
) -> None:
    """Name the variant that the rest of the audience gets. Raises Conflict when one was named before."""
    _locked(session, campaign)
    if campaign.winner is not None:
        raise Conflict(f"Variant {campaign.winner} was chosen before.")
    campaign.winner, campaign.winner_reason = variant, reason
    session.flush()
    _note(session, campaign, f"variant {variant}: {reason}", staff_id)


def copy(session: Session, campaign: Campaign, name: str, *, staff_id: int | None = None) -> Campaign:
    """A new draft with the same settings and texts, and no time to begin at."""
    settings = {key: getattr(campaign, key) for key in SETTINGS - {"name", "start_at"}}
    made = create(session, name, staff_id=staff_id, **settings)
    for one in texts(session, campaign.id):
        write(
            session, made, one.language, body=one.body, subject=one.subject, html=one.html,
            variant=one.variant, staff_id=staff_id,
        )  # fmt: skip
    return made


def events(session: Session, campaign_id: int) -> Sequence[CampaignEvent]:
    """What happened to it, newest first."""
    query = (
        select(CampaignEvent)
        .where(CampaignEvent.campaign_id == campaign_id)
        .order_by(CampaignEvent.id.desc())
        .limit(200)
    )
    return session.scalars(query).all()


def everything(session: Session, limit: int = 200) -> list[Campaign]:
    """All campaigns, the newest first."""
    return list(session.scalars(select(Campaign).order_by(Campaign.id.desc()).limit(limit)))


def _locked(session: Session, campaign: Campaign) -> None:
    session.refresh(campaign, with_for_update=True)


def _into(
    session: Session, campaign: Campaign, state: CampaignState, detail: str, staff_id: int | None
) -> None:
    if state not in TRANSITIONS[campaign.state]:
        raise IllegalTransition(f"A mailing that is {campaign.state} cannot become {state}.")
    campaign.state = state
    if state == S.RUNNING and campaign.started_at is None:
        campaign.started_at = func.now()
    if state in (S.FINISHED, S.CANCELLED):
        campaign.ended_at = func.now()
    session.flush()
    _note(session, campaign, detail, staff_id)


def _note(session: Session, campaign: Campaign, detail: str, staff_id: int | None) -> None:
    session.add(
        CampaignEvent(campaign_id=campaign.id, state=campaign.state, detail=detail[:500], staff_id=staff_id)
    )
    session.flush()


def _name(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name or len(name) > LONGEST_NAME:
        raise InputRefused(f"A mailing needs a name of at most {LONGEST_NAME} characters.")
    return name


BOUNDS: dict[str, tuple[int, int]] = {
    "pace_per_minute": (0, 100_000),
    "patience_hours": (0, 24 * 30),
    "test_percent": (0, 90),
    "test_hours": (1, 24 * 14),
}


def _set(campaign: Campaign, settings: dict[str, Any]) -> None:
    if unknown := set(settings) - SETTINGS:
        raise InputRefused(f"A mailing has no setting {', '.join(sorted(unknown))}.")
    for key, value in settings.items():
        if key in BOUNDS:
            low, high = BOUNDS[key]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise InputRefused(f"{key} is a whole number from {low} to {high}.")
        elif key == "name":
            value = _name(value)
        elif key == "channel":
            value = _channel(value)
        elif key == "topic":
            value = _member(Topic, value)
        elif key == "goal":
            value = _member(Goal, value)
        elif key == "start_at" and value is not None and value.tzinfo is None:
            raise InputRefused("The time to begin at has no time zone.")
        setattr(campaign, key, value)


def _channel(value: Any) -> Channel:
    if value not in (Channel.EMAIL, Channel.SMS):
        raise InputRefused("A mailing goes by e-mail or SMS.")
    return Channel(value)


def _member(kind: Any, value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise InputRefused(f"{value!r} is not one of {', '.join(kind)}.") from None
