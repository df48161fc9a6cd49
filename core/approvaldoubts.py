"""What speaks against sending a letter that waited for a word: it is over, or what it says has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core import letters
from core.accounts import Channel
from core.approvalasks import Approval
from core.consent import Scope, Suppression
from core.deals import Deal, StageChange
from core.i18n import N_
from core.outbox import Delivery, DeliveryState, Purpose
from core.staff import StaffMember
from core.templatelibrary import Template, TemplateScope, TemplateVersion
from core.values import normal_email

OUT_OF_DATE: dict[str, str] = {
    "deal_closed": N_("the deal is closed"),
    "deal_moved": N_("the deal has moved on to another stage"),
    "opted_out": N_("the client wants no such letters any more"),
    "no_address": N_("the client has another address now"),
    "not_waiting": N_("it was cancelled"),
}
"""Why a letter is not sent any more, by key."""
CHANGED: dict[str, str] = {
    "offer_changed": N_("the deal’s products or terms have changed since"),
    "template_changed": N_("its template has changed since"),
}
"""Why a letter goes back to whoever asked, by key; asked again, it is made anew."""
VOLATILE = ("valid_until", "stage")
"""What of a deal's values changes by itself."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a waiting letter may not leave as it is."""

    key: str
    over: bool
    """It is of no use any more; otherwise it only has to be made anew."""


def doubt(session: Session, approval: Approval, delivery: Delivery) -> Doubt | None:
    """What speaks against sending a waiting letter now; None where nothing does."""
    if delivery.state != DeliveryState.HELD:
        return Doubt("not_waiting", over=True)
    deal = session.get(Deal, delivery.deal_id) if delivery.deal_id is not None else None
    if deal is not None and deal.outcome is not None and delivery.automatic | _of_stage(delivery):
        return Doubt("deal_closed", over=True)
    if deal is not None and _of_stage(delivery) and not _newest_change(session, deal, delivery):
        return Doubt("deal_moved", over=True)
    if _opted_out(session, delivery):
        return Doubt("opted_out", over=True)
    if _address_gone(delivery):
        return Doubt("no_address", over=True)
    if deal is not None and _offer_changed(deal, delivery):
        return Doubt("offer_changed", over=False)
    if _template_changed(session, approval, delivery):
        return Doubt("template_changed", over=False)
    return None


def _of_stage(delivery: Delivery) -> bool:
    return delivery.key.startswith("stage_change:")


def _newest_change(session: Session, deal: Deal, delivery: Delivery) -> bool:
    newest = session.scalar(select(func.max(StageChange.id)).where(StageChange.deal_id == deal.id))
    return delivery.key.split(":")[1] == str(newest)


def _opted_out(session: Session, delivery: Delivery) -> bool:
    scope = session.scalar(
        select(Suppression.scope).where(
            Suppression.channel == delivery.channel, Suppression.address == delivery.address_key
        )
    )
    return scope == Scope.EVERYTHING or (scope is not None and delivery.purpose == Purpose.MARKETING)


def _address_gone(delivery: Delivery) -> bool:
    """A letter by machine goes to the address that the contact has; a person chose theirs."""
    contact = delivery.contact
    if contact is None or not delivery.automatic or delivery.channel.value != "email":
        return False
    return contact.email is None or normal_email(contact.email) != delivery.address


def _offer_changed(deal: Deal, delivery: Delivery) -> bool:
    given = delivery.values.get("deal") or {}
    if not given or not delivery.documents:
        return False
    fresh = deal_groups(deal, delivery.language, delivery)
    return any(_bare(delivery.values.get(name)) != _bare(fresh[name]) for name in ("deal", "proposal"))


def _bare(values: Any) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if key not in VOLATILE}


def deal_groups(deal: Deal, language: str, delivery: Delivery) -> dict[str, Any]:
    """What a letter says of its deal, from the deal as it stands now."""
    today = delivery.created_at.date()
    groups: dict[str, Any] = {
        "deal": letters.deal_values(deal, language, today),
        "product": letters.product_values(deal, language),
        "proposal": letters.proposal_values(deal, language),
    }
    return {name: group if name in delivery.values else {} for name, group in groups.items()}


def _template_changed(session: Session, approval: Approval, delivery: Delivery) -> bool:
    """Whether a text of the letter or of what it brings was saved or removed since somebody was asked."""
    channel = delivery.channel
    kind = channel.value if channel in {Channel.SMS, Channel.VOICE} else "email"
    keys = or_(
        and_(Template.kind == kind, Template.key == (delivery.template or "")),
        and_(Template.kind == "document", Template.key.in_(delivery.documents)),
    )
    team = select(StaffMember.team_id).where(StaffMember.id == delivery.staff_id).scalar_subquery()
    theirs = or_(
        Template.scope == TemplateScope.COMPANY,
        and_(Template.scope == TemplateScope.TEAM, Template.team_id == team),
        and_(Template.scope == TemplateScope.MINE, Template.staff_id == delivery.staff_id),
    )
    since = or_(TemplateVersion.created_at > approval.asked_at, Template.deleted_at > approval.asked_at)
    query = (
        select(TemplateVersion.id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .where(keys, theirs, since)
        .limit(1)
    )
    return session.scalar(query) is not None
