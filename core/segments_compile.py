"""From conditions to SQL: each fact has one function that builds its expression; there is no other way in.

Every expression is true or false and never unknown, so that "not" means the opposite. What concerns the
client as a whole (its columns, purchases, interests, deals, silence) is asked of the contact's account, or of
the contact where there is no account. Neighbouring conditions on the client are asked together, once an
account and not once a contact: there are far fewer accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    case,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

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

CLIENT = aliased(Account, name="client")
CLIENTS = "clients"


@dataclass(frozen=True, slots=True)
class Client:
    """Of whom a condition on the client is asked: an account, or a contact that has none."""

    now: datetime
    lone: bool = False

    def among(self, name: str, values: Iterable[Any]) -> Condition:
        """Whether a column of the account has one of the values; a lone contact has no such column."""
        return false() if self.lone else _known(getattr(CLIENT, name).in_(list(values)))

    def time(self, name: str) -> Any:
        """When something last happened."""
        return getattr(Contact if self.lone else CLIENT, name)

    def has(self, model: type[Deal] | type[ProductInterest], *conditions: Condition) -> Condition:
        """Whether there is such a row of theirs; one that names no account is of the contact alone."""
        if self.lone:
            alone = (model.account_id.is_(None), model.contact_id.is_not(None))
            return Contact.id.in_(select(model.contact_id).where(*alone, *conditions))
        return CLIENT.id.in_(select(model.account_id).where(model.account_id.is_not(None), *conditions))


def contacts(tree: Group, now: datetime) -> Select[*tuple[Any, ...]]:
    """Ids (``id``) of the contacts that a tree describes at a moment, with their accounts (``account_id``).

    What is asked of clients is worked out in one pass over the accounts, whose answers (``c0``, ``c1``, …)
    are joined to the contacts; ``OFFSET 0`` keeps the planner from asking them once a contact after all.
    """
    parts: list[Node] = []
    condition = _of_contact(tree, now, parts)
    return _with_clients(select(Contact.id, Contact.account_id), parts, now).where(condition)


def answers(
    asked: Sequence[Leaf], now: datetime, columns: Callable[[Sequence[Condition]], Sequence[Any]]
) -> Select[*tuple[Any, ...]]:
    """A query over all contacts whose columns are made of what each condition, taken without its "not", says
    of them at a moment."""
    parts: list[Node] = []
    said = [_of_contact(Leaf(one.fact, one.given), now, parts) for one in asked]
    return _with_clients(select(*columns(said)).select_from(Contact), parts, now)


def _with_clients(
    query: Select[*tuple[Any, ...]], parts: Sequence[Node], now: datetime
) -> Select[*tuple[Any, ...]]:
    """A query over contacts, joined to the answers that ``parts`` give of their clients."""
    if not parts:
        return query
    given = [_of_client(part, Client(now)).label(f"c{number}") for number, part in enumerate(parts)]
    clients = select(CLIENT.id, *given).offset(literal_column("0")).subquery(CLIENTS)
    return query.outerjoin(clients, clients.c.id == Contact.account_id)


def _of_contact(node: Node, now: datetime, parts: list[Node]) -> Condition:
    """A node over a contact; what is asked of the client only becomes a part, and its answer is taken."""
    if _client_only(node):
        parts.append(node)
        answer = literal_column(f"{CLIENTS}.c{len(parts) - 1}", Boolean)
        return case((Contact.account_id.is_not(None), answer), else_=_of_client(node, Client(now, lone=True)))
    if isinstance(node, Leaf):
        condition = OF_CONTACT[node.fact](node.given, now)
        return not_(condition) if node.negated else condition
    clients = tuple(one for one in node.of if _client_only(one))
    others = [_of_contact(one, now, parts) for one in node.of if not _client_only(one)]
    if clients:
        # Together; "none of a, b" is "not (a or b)", so that of a part only "any" is needed.
        mode = Mode.ALL if node.mode == Mode.ALL else Mode.ANY
        others.append(_of_contact(Group(mode, clients), now, parts))
    return _together(node.mode, others)


def _client_only(node: Node) -> bool:
    if isinstance(node, Leaf):
        return node.fact in OF_CLIENT
    return bool(node.of) and all(_client_only(one) for one in node.of)


def _of_client(node: Node, client: Client) -> Condition:
    if isinstance(node, Leaf):
        condition = OF_CLIENT[node.fact](node.given, client)
        return not_(condition) if node.negated else condition
    return _together(node.mode, [_of_client(one, client) for one in node.of])


def _together(mode: Mode, parts: list[Condition]) -> Condition:
    if mode == Mode.ALL:
        return and_(true(), *parts)
    anything = or_(false(), *parts)
    return anything if mode == Mode.ANY else not_(anything)


def _known(condition: Condition) -> Condition:
    return func.coalesce(condition, false())


def _among(name: str) -> Callable[[Given, Client], Condition]:
    def build(given: Given, client: Client) -> Condition:
        return client.among(name, given["values"])

    return build


def _size(given: Given, client: Client) -> Condition:
    if client.lone:
        return false()
    parts = []
    if "least" in given:
        parts.append(CLIENT.employees >= given["least"])
    if "most" in given:
        parts.append(CLIENT.employees <= given["most"])
    return _known(and_(*parts))


def _curator(given: Given, client: Client) -> Condition:
    nobody = 0 in given["values"]
    if client.lone:
        return true() if nobody else false()
    people = [one for one in given["values"] if one]
    ways = [client.among("curator_id", people)] if people else []
    if nobody:
        ways.append(CLIENT.curator_id.is_(None))
    return or_(*ways)


def _role(given: Given, _now: datetime) -> Condition:
    return _known(Contact.buying_role.in_(given["values"]))


def _language(given: Given, _now: datetime) -> Condition:
    return _known(Contact.language.in_(given["values"]))


def _tag(given: Given, _now: datetime) -> Condition:
    tagged = select(CLIENT.id).where(CLIENT.tags.overlap(given["values"])).correlate(None)
    return or_(
        Contact.tags.overlap(given["values"]),
        and_(Contact.account_id.is_not(None), Contact.account_id.in_(tagged)),
    )


def _reachable(given: Given, _now: datetime) -> Condition:
    points = select(ContactPoint.contact_id).where(ContactPoint.kind == POINT_OF[given["channel"]])
    return Contact.id.in_(points)


def _consent(given: Given, _now: datetime) -> Condition:
    channel, purpose = Channel(given["channel"]), given.get("purpose", MARKETING)
    stopped = (
        select(ContactPoint.contact_id)
        .join(Suppression, Suppression.address == ContactPoint.key)
        .where(ContactPoint.kind == POINT_OF[given["channel"]], Suppression.channel == channel)
    )
    match ConsentState(given["state"]):
        case ConsentState.REFUSED:
            return or_(Contact.id.in_(_last_said(channel, purpose, granted=False)), Contact.id.in_(stopped))
        case ConsentState.GRANTED:
            granted = _last_said(channel, purpose, granted=True)
            return and_(Contact.id.in_(granted), Contact.id.not_in(stopped))
        case ConsentState.UNKNOWN:
            said = select(Consent.contact_id).where(Consent.channel == channel, Consent.purpose == purpose)
            return and_(Contact.id.not_in(said), Contact.id.not_in(stopped))


def _last_said(channel: Channel, purpose: str, *, granted: bool) -> Select[*tuple[Any, ...]]:
    """Contacts whose last word on a purpose was yes, or no."""
    wanted, opposite = Consent.granted.is_(granted), Consent.granted.is_(not granted)
    return (
        select(Consent.contact_id)
        .where(Consent.channel == channel, Consent.purpose == purpose)
        .group_by(Consent.contact_id)
        .having(func.max(Consent.id).filter(wanted) > func.coalesce(func.max(Consent.id).filter(opposite), 0))
    )


def _list(given: Given, _now: datetime) -> Condition:
    members = select(ContactListMember.contact_id).where(ContactListMember.list_id == given["list"])
    return Contact.id.in_(members)


def _products(given: Given) -> Select[*tuple[Any, ...]]:
    return select(Product.id).where(Product.key.in_(given["products"]))


def _bought(given: Given, client: Client) -> Condition:
    conditions: list[Condition] = [Deal.outcome == Outcome.WON]
    if given["products"]:
        lines = select(DealLine.deal_id).where(DealLine.product_id.in_(_products(given)))
        conditions.append(Deal.id.in_(lines))
    if "days" in given:
        conditions.append(Deal.closed_at >= client.now - timedelta(days=given["days"]))
    return client.has(Deal, *conditions)


def _interest(given: Given, client: Client) -> Condition:
    conditions: list[Condition] = []
    if given["products"]:
        conditions.append(ProductInterest.product_id.in_(_products(given)))
    if "days" in given:
        conditions.append(ProductInterest.created_at >= client.now - timedelta(days=given["days"]))
    if "confidence" in given:
        # What a colleague logged by hand is certain.
        sure = func.coalesce(ProductInterest.confidence, 1.0) >= given["confidence"] / 100
        conditions.append(sure)
    return client.has(ProductInterest, *conditions)


def _deal(given: Given, client: Client) -> Condition:
    conditions: list[Condition] = [Deal.outcome.is_(None)]
    if given["stages"]:
        conditions.append(Deal.stage_id.in_(select(Stage.id).where(Stage.key.in_(given["stages"]))))
    return client.has(Deal, *conditions)


def _outcome(given: Given, client: Client) -> Condition:
    conditions: list[Condition] = [Deal.outcome == Outcome(given["outcome"])]
    if given.get("reasons"):
        conditions.append(Deal.loss_reason.in_([LossReason(one) for one in given["reasons"]]))
    if "when" in given:
        since = client.now - timedelta(days=given["days"])
        within = given["when"] == When.WITHIN
        conditions.append(Deal.closed_at >= since if within else Deal.closed_at < since)
    return client.has(Deal, *conditions)


def _past(column: Any, given: Given, now: datetime) -> Condition:
    match When(given["when"]):
        case When.NEVER:
            return column.is_(None)
        case When.WITHIN:
            return _known(column >= now - timedelta(days=given["days"]))
        case When.BEFORE:
            return _known(column < now - timedelta(days=given["days"]))


def _wrote(given: Given, client: Client) -> Condition:
    return _past(client.time("last_in_at"), given, client.now)


def _written(given: Given, client: Client) -> Condition:
    return _past(client.time("last_out_at"), given, client.now)


def _silence(given: Given, client: Client) -> Condition:
    last = func.greatest(client.time("last_in_at"), client.time("last_out_at"))
    return _known(last < client.now - timedelta(days=given["days"]))


def _mailed(given: Given, now: datetime) -> Condition:
    return _past(Contact.last_mailing_at, given, now)


def _added(given: Given, now: datetime) -> Condition:
    return _past(Contact.created_at, given, now)


def _intent(given: Given, now: datetime) -> Condition:
    people = select(ContactIntent.contact_id).where(ContactIntent.intent.in_(given["values"]))
    if "days" in given:
        people = people.where(ContactIntent.last_at >= now - timedelta(days=given["days"]))
    return Contact.id.in_(people)


OF_CLIENT: dict[str, Callable[[Given, Client], Condition]] = {
    "region": _among("region"),
    "industry": _among("industry"),
    "country": _among("country"),
    "source": _among("source"),
    "size": _size,
    "curator": _curator,
    "bought": _bought,
    "interest": _interest,
    "deal": _deal,
    "outcome": _outcome,
    "wrote": _wrote,
    "written": _written,
    "silence": _silence,
}
OF_CONTACT: dict[str, Callable[[Given, datetime], Condition]] = {
    "role": _role,
    "language": _language,
    "tag": _tag,
    "consent": _consent,
    "reachable": _reachable,
    "added": _added,
    "list": _list,
    "intent": _intent,
    "mailed": _mailed,
}
"""The allow-list: a fact that has no function in one of the two cannot be asked."""
