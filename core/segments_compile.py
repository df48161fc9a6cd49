"""From conditions to SQL: each fact has one function that builds its expression; there is no other way in.

Every expression is true or false and never unknown, so that "not" means the opposite. What concerns the
client as a whole (purchases, interests, deals, silence) is asked of the contact's account, or of the contact
where there is no account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.catalogue import Product, ProductInterest
from core.consent import Consent, Suppression
from core.contactfacts import ContactIntent
from core.deals import Deal, DealLine, LossReason, Outcome, Stage
from core.lists import ContactListMember
from core.segments_language import ConsentState, Group, Leaf, Mode, Node, When

Condition = ColumnElement[bool]
Given = Mapping[str, Any]

POINT_OF = {"email": PointKind.EMAIL, "sms": PointKind.PHONE, "voice": PointKind.PHONE}
MARKETING = "marketing"


def matching(tree: Group, now: datetime) -> Condition:
    """The condition of a tree over Contact, outer-joined with Account, at a moment."""
    return _compiled(tree, now)


def contacts(tree: Group, now: datetime) -> Select[Any]:
    """Ids of the contacts that a tree describes."""
    return select(Contact.id).outerjoin(Account, Contact.account_id == Account.id).where(matching(tree, now))


def _compiled(node: Node, now: datetime) -> Condition:
    if isinstance(node, Leaf):
        condition = FACTS[node.fact](node.given, now)
        return not_(condition) if node.negated else condition
    parts = [_compiled(one, now) for one in node.of]
    if node.mode == Mode.ALL:
        return and_(true(), *parts)
    anything = or_(false(), *parts)
    return anything if node.mode == Mode.ANY else not_(anything)


def _known(condition: Condition) -> Condition:
    return func.coalesce(condition, false())


def _among(column: InstrumentedAttribute[Any]) -> Callable[[Given, datetime], Condition]:
    def build(given: Given, _now: datetime) -> Condition:
        return _known(column.in_(given["values"]))

    return build


def _size(given: Given, _now: datetime) -> Condition:
    parts = []
    if "least" in given:
        parts.append(Account.employees >= given["least"])
    if "most" in given:
        parts.append(Account.employees <= given["most"])
    return _known(and_(*parts))


def _curator(given: Given, _now: datetime) -> Condition:
    people = [one for one in given["values"] if one]
    ways = [_known(Account.curator_id.in_(people))] if people else []
    if 0 in given["values"]:
        ways.append(Account.curator_id.is_(None))
    return or_(*ways)


def _tag(given: Given, _now: datetime) -> Condition:
    return or_(Contact.tags.overlap(given["values"]), _known(Account.tags.overlap(given["values"])))


def _reachable(given: Given, _now: datetime) -> Condition:
    points = select(ContactPoint.contact_id).where(ContactPoint.kind == POINT_OF[given["channel"]])
    return Contact.id.in_(points)


def _consent(given: Given, _now: datetime) -> Condition:
    channel, purpose = Channel(given["channel"]), given.get("purpose", MARKETING)
    granted = _last_said(channel, purpose, granted=True)
    taken_back = _last_said(channel, purpose, granted=False)
    key = ContactPoint.value
    if channel == Channel.EMAIL:
        # The form under which addresses are suppressed has no +tag.
        key = func.regexp_replace(ContactPoint.value, r"^([^@+]+)\+[^@]*@", r"\1@")
    stopped = (
        select(ContactPoint.contact_id)
        .join(Suppression, Suppression.address == key)
        .where(ContactPoint.kind == POINT_OF[given["channel"]], Suppression.channel == channel)
    )
    refused = or_(Contact.id.in_(taken_back), Contact.id.in_(stopped))
    match ConsentState(given["state"]):
        case ConsentState.REFUSED:
            return refused
        case ConsentState.GRANTED:
            return and_(Contact.id.in_(granted), not_(refused))
        case ConsentState.UNKNOWN:
            return not_(or_(Contact.id.in_(granted), refused))


def _last_said(channel: Channel, purpose: str, *, granted: bool) -> Select[Any]:
    later = aliased(Consent)
    same = (later.contact_id == Consent.contact_id, later.channel == channel, later.purpose == purpose)
    return select(Consent.contact_id).where(
        Consent.channel == channel,
        Consent.purpose == purpose,
        Consent.granted.is_(granted),
        ~exists().where(*same, later.id > Consent.id),
    )


def _list(given: Given, _now: datetime) -> Condition:
    members = select(ContactListMember.contact_id).where(ContactListMember.list_id == given["list"])
    return Contact.id.in_(members)


def _of_client(model: type[Deal] | type[ProductInterest], *conditions: Condition) -> Condition:
    """Whether the contact's account has such a row, or the contact one that belongs to no account."""
    of_accounts = select(model.account_id).where(model.account_id.is_not(None), *conditions)
    of_people = select(model.contact_id).where(
        model.account_id.is_(None), model.contact_id.is_not(None), *conditions
    )
    return or_(
        and_(Contact.account_id.is_not(None), Contact.account_id.in_(of_accounts)),
        Contact.id.in_(of_people),
    )


def _products(given: Given) -> Select[Any]:
    return select(Product.id).where(Product.key.in_(given["products"]))


def _bought(given: Given, now: datetime) -> Condition:
    conditions: list[Condition] = [Deal.outcome == Outcome.WON]
    if given["products"]:
        lines = select(DealLine.deal_id).where(DealLine.product_id.in_(_products(given)))
        conditions.append(Deal.id.in_(lines))
    if "days" in given:
        conditions.append(Deal.closed_at >= now - timedelta(days=given["days"]))
    return _of_client(Deal, *conditions)


def _interest(given: Given, now: datetime) -> Condition:
    conditions: list[Condition] = []
    if given["products"]:
        conditions.append(ProductInterest.product_id.in_(_products(given)))
    if "days" in given:
        conditions.append(ProductInterest.created_at >= now - timedelta(days=given["days"]))
    if "confidence" in given:
        # What a colleague logged by hand is certain.
        sure = func.coalesce(ProductInterest.confidence, 1.0) >= given["confidence"] / 100
        conditions.append(sure)
    return _of_client(ProductInterest, *conditions)


def _deal(given: Given, _now: datetime) -> Condition:
    conditions: list[Condition] = [Deal.outcome.is_(None)]
    if given["stages"]:
        conditions.append(Deal.stage_id.in_(select(Stage.id).where(Stage.key.in_(given["stages"]))))
    return _of_client(Deal, *conditions)


def _outcome(given: Given, now: datetime) -> Condition:
    conditions: list[Condition] = [Deal.outcome == Outcome(given["outcome"])]
    if given.get("reasons"):
        conditions.append(Deal.loss_reason.in_([LossReason(one) for one in given["reasons"]]))
    if "when" in given:
        since = now - timedelta(days=given["days"])
        within = given["when"] == When.WITHIN
        conditions.append(Deal.closed_at >= since if within else Deal.closed_at < since)
    return _of_client(Deal, *conditions)


def _client_time(name: str) -> ColumnElement[Any]:
    return case((Contact.account_id.is_(None), getattr(Contact, name)), else_=getattr(Account, name))


def _past(column: Any, given: Given, now: datetime) -> Condition:
    match When(given["when"]):
        case When.NEVER:
            return column.is_(None)
        case When.WITHIN:
            return _known(column >= now - timedelta(days=given["days"]))
        case When.BEFORE:
            return _known(column < now - timedelta(days=given["days"]))


def _wrote(given: Given, now: datetime) -> Condition:
    return _past(_client_time("last_in_at"), given, now)


def _written(given: Given, now: datetime) -> Condition:
    return _past(_client_time("last_out_at"), given, now)


def _silence(given: Given, now: datetime) -> Condition:
    last = func.greatest(_client_time("last_in_at"), _client_time("last_out_at"))
    return _known(last < now - timedelta(days=given["days"]))


def _mailed(given: Given, now: datetime) -> Condition:
    return _past(Contact.last_mailing_at, given, now)


def _added(given: Given, now: datetime) -> Condition:
    return _past(Contact.created_at, given, now)


def _intent(given: Given, now: datetime) -> Condition:
    people = select(ContactIntent.contact_id).where(ContactIntent.intent.in_(given["values"]))
    if "days" in given:
        people = people.where(ContactIntent.last_at >= now - timedelta(days=given["days"]))
    return Contact.id.in_(people)


FACTS: dict[str, Callable[[Given, datetime], Condition]] = {
    "region": _among(Account.region),
    "industry": _among(Account.industry),
    "country": _among(Account.country),
    "source": _among(Account.source),
    "role": _among(Contact.buying_role),
    "language": _among(Contact.language),
    "tag": _tag,
    "size": _size,
    "curator": _curator,
    "consent": _consent,
    "reachable": _reachable,
    "added": _added,
    "list": _list,
    "bought": _bought,
    "interest": _interest,
    "deal": _deal,
    "outcome": _outcome,
    "wrote": _wrote,
    "written": _written,
    "silence": _silence,
    "intent": _intent,
    "mailed": _mailed,
}
"""The allow-list: a fact that has no function here cannot be asked."""
