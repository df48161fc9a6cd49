"""A small random company for segments, random conditions over it, and their naive meaning in plain Python."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import defaults, lists
from core.accounts import Account, BuyingRole, Channel, Contact, ContactPoint, PointKind
from core.catalogue import Product, ProductInterest
from core.consent import Consent, Scope, Suppression, SuppressionReason, suppress
from core.contactfacts import ContactIntent
from core.deals import Deal, DealLine, LossReason, Outcome, Stage
from core.lists import ContactListMember
from core.segments_language import MAIL_CHANNELS
from core.staff import Role, StaffMember
from core.values import suppression_key

REGIONS = ("Vilnius", "Kaunas", "Рига")
PRODUCTS = ("pump", "filter", "panel")
INTENTS = ("order", "complaint", "price_request")
TAGS = ("key", "fair 2026")
SPANS = (10, 90, 400)
STAGE_KEYS = ("demo", "contract", "payment")


@dataclass
class People:
    """Everything a condition may ask about, as rows."""

    now: datetime
    contacts: list[Contact] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    points: list[ContactPoint] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    interests: list[ProductInterest] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    intents: list[ContactIntent] = field(default_factory=list)
    listed: set[tuple[int, int]] = field(default_factory=set)
    products: dict[int, str] = field(default_factory=dict)
    stages: dict[int, str] = field(default_factory=dict)
    staff_ids: list[int] = field(default_factory=list)
    list_ids: list[int] = field(default_factory=list)


def populate(session: Session, seed: int, now: datetime) -> People:
    """Thirty contacts at eight accounts and at none, with whatever may be asked about them, at random."""
    dice = random.Random(seed)
    defaults.install(session)
    maybe = lambda values, share=0.7: dice.choice(values) if dice.random() < share else None  # noqa: E731
    past = lambda share=0.7: (  # noqa: E731
        now - timedelta(days=dice.choice((1, 9, 11, 60, 91, 300, 401)), hours=1)
        if dice.random() < share
        else None
    )
    staff = [StaffMember(email=f"s{n}@us.example", name=f"S{n}", role=Role.AGENT) for n in range(2)]
    products = [Product(key=key, names={"en": key}) for key in PRODUCTS]
    accounts = [
        Account(
            name=f"Client {n}",
            region=maybe(REGIONS),
            industry=maybe(("Food", "Water")),
            country=maybe(("LT", "LV")),
            source=maybe(("mail", "fair")),
            employees=maybe((3, 20, 500)),
            curator=maybe(staff),
            tags=dice.sample(TAGS, dice.randint(0, 2)),
            last_in_at=past(),
            last_out_at=past(),
        )
        for n in range(8)
    ]
    contacts = [
        Contact(
            name=f"Person {n}",
            account=maybe(accounts, 0.8),
            language=maybe(("lt", "ru", "en")),
            buying_role=maybe(tuple(BuyingRole)),
            tags=dice.sample(TAGS, dice.randint(0, 1)),
            created_at=past(1.0),
            last_in_at=past(),
            last_out_at=past(),
            last_mailing_at=past(0.5),
        )
        for n in range(30)
    ]
    session.add_all([*staff, *products, *accounts, *contacts])
    session.flush()
    lists_made = [lists.add(session, f"List {n} {seed}") for n in range(2)]
    stages = session.scalars(select(Stage).where(Stage.key.in_(STAGE_KEYS))).all()
    for number, one in enumerate(contacts):
        if dice.random() < 0.7:
            tag = dice.choice(("", "+news"))
            value = f"p{number}{tag}@client.example"
            session.add(ContactPoint(contact_id=one.id, kind=PointKind.EMAIL, value=value))
            if dice.random() < 0.2:
                suppress(
                    session,
                    Channel.EMAIL,
                    value,
                    scope=Scope.MARKETING,
                    reason=SuppressionReason.UNSUBSCRIBED,
                    source="test",
                )
        if dice.random() < 0.4:
            session.add(ContactPoint(contact_id=one.id, kind=PointKind.PHONE, value=f"+3706000{number:04}"))
        for _ in range(dice.randint(0, 2)):
            session.add(
                Consent(
                    contact_id=one.id,
                    channel=dice.choice((Channel.EMAIL, Channel.SMS)),
                    purpose=dice.choice(("marketing", "news")),
                    granted=dice.random() < 0.6,
                    proof="form",
                )
            )
            session.flush()
        for intent in dice.sample(INTENTS, dice.randint(0, 2)):
            session.add(ContactIntent(contact_id=one.id, intent=intent, last_at=past(1.0)))
        for _ in range(dice.randint(0, 2)):
            session.add(
                ProductInterest(
                    product=dice.choice(products),
                    contact_id=one.id,
                    account_id=one.account_id if dice.random() < 0.9 else None,
                    confidence=maybe((0.3, 0.6, 0.95)),
                    created_at=past(1.0),
                )
            )
        lists.put_on(session, dice.choice(lists_made).id, [one.id] if dice.random() < 0.4 else [])
    for one in dice.sample(contacts, 20):
        outcome = maybe((Outcome.WON, Outcome.LOST))
        stage = dice.choice(stages)
        session.add(
            Deal(
                account_id=one.account_id if dice.random() < 0.9 else None,
                contact_id=one.id,
                pipeline_id=stage.pipeline_id,
                stage=stage,
                outcome=outcome,
                loss_reason=dice.choice(tuple(LossReason)) if outcome == Outcome.LOST else None,
                closed_at=past(1.0) if outcome else None,
                lines=[
                    DealLine(product=product, price=Decimal(1))
                    for product in dice.sample(products, dice.randint(0, 2))
                ],
            )
        )
    session.flush()
    return _read(session, now)


def _read(session: Session, now: datetime) -> People:
    everything: Any = lambda model: list(session.scalars(select(model)))  # noqa: E731
    return People(
        now=now,
        contacts=everything(Contact),
        accounts={one.id: one for one in everything(Account)},
        points=everything(ContactPoint),
        deals=everything(Deal),
        interests=everything(ProductInterest),
        consents=everything(Consent),
        suppressions=everything(Suppression),
        intents=everything(ContactIntent),
        listed={(one.list_id, one.contact_id) for one in everything(ContactListMember)},
        products={one.id: one.key for one in everything(Product)},
        stages={one.id: one.key for one in everything(Stage)},
        staff_ids=[one.id for one in everything(StaffMember)],
        list_ids=sorted({one.list_id for one in everything(ContactListMember)}),
    )


def conditions(staff_ids: list[int], list_ids: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    """Any valid conditions, as data."""
    some = lambda values: st.lists(st.sampled_from(values), min_size=1, max_size=3)  # noqa: E731
    days = st.sampled_from(SPANS)
    when = st.one_of(
        st.fixed_dictionaries({"when": st.sampled_from(["within", "before"]), "days": days}),
        st.just({"when": "never"}),
    )
    side = st.fixed_dictionaries({"when": st.sampled_from(["within", "before"]), "days": days})
    maybe_days = st.one_of(st.just({}), st.fixed_dictionaries({"days": days}))
    products = st.fixed_dictionaries({"products": st.lists(st.sampled_from(PRODUCTS), max_size=2)})
    both = lambda *parts: st.tuples(*parts).map(lambda given: {k: v for one in given for k, v in one.items()})  # noqa: E731
    fact = lambda name, *parts: both(st.just({"fact": name}), *parts)  # noqa: E731
    values = lambda name, known: fact(name, st.fixed_dictionaries({"values": some(known)}))  # noqa: E731
    won = st.fixed_dictionaries({"outcome": st.sampled_from(["won", "lost"])})
    lost = st.fixed_dictionaries(
        {"outcome": st.just("lost"), "reasons": st.lists(st.sampled_from(list(LossReason)), max_size=3)}
    )
    channel = st.fixed_dictionaries({"channel": st.sampled_from(MAIL_CHANNELS)})
    leaf = st.one_of(
        values("region", REGIONS),
        values("industry", ("Food", "Water")),
        values("country", ("LT", "LV")),
        values("source", ("mail", "fair")),
        values("tag", TAGS),
        values("curator", (0, *staff_ids)),
        values("role", [str(one) for one in BuyingRole]),
        values("language", ("lt", "ru", "en")),
        fact("size", st.sampled_from([{"least": 10}, {"most": 100}, {"least": 10, "most": 100}])),
        fact(
            "consent",
            channel,
            st.fixed_dictionaries({"state": st.sampled_from(["granted", "refused", "unknown"])}),
            st.sampled_from([{}, {"purpose": "news"}]),
        ),
        fact("reachable", channel),
        fact("added", side),
        fact("list", st.fixed_dictionaries({"list": st.sampled_from([*list_ids, 999_999])})),
        fact("bought", products, maybe_days),
        fact("interest", products, maybe_days, st.sampled_from([{}, {"confidence": 60}])),
        fact("deal", st.fixed_dictionaries({"stages": st.lists(st.sampled_from(STAGE_KEYS), max_size=2)})),
        fact("outcome", st.one_of(won, lost), st.one_of(st.just({}), side)),
        fact("wrote", when),
        fact("written", when),
        fact("mailed", when),
        fact("silence", st.fixed_dictionaries({"days": days})),
        fact("intent", st.fixed_dictionaries({"values": some(INTENTS)}), maybe_days),
    )
    said = both(leaf, st.sampled_from([{}, {}, {"not": True}]))
    group = lambda inner: st.fixed_dictionaries(  # noqa: E731
        {"group": st.sampled_from(["all", "any", "none"]), "of": st.lists(inner, max_size=4)}
    )
    level = said
    for _ in range(3):
        level = st.one_of(said, group(level))
    return both(st.just({"version": 1}), group(level))


def holds(node: dict[str, Any], one: Contact, people: People) -> bool:
    """What conditions mean, read off the rows one by one."""
    if "group" in node:
        answers = [holds(inner, one, people) for inner in node["of"]]
        return {"all": all(answers), "any": any(answers), "none": not any(answers)}[node["group"]]
    return _asked(node, one, people) != bool(node.get("not"))


def _asked(node: dict[str, Any], one: Contact, people: People) -> bool:
    account = people.accounts.get(one.account_id or 0)
    fact = node["fact"]
    if fact in {"region", "industry", "country", "source"}:
        return account is not None and getattr(account, fact) in node["values"]
    if fact in {"wrote", "written"}:
        name = "last_in_at" if fact == "wrote" else "last_out_at"
        return _past(getattr(account or one, name), node, people)
    if fact in {"mailed", "added"}:
        return _past(one.last_mailing_at if fact == "mailed" else one.created_at, node, people)
    return globals()[f"_{fact}"](node, one, account, people)


def _past(at: datetime | None, node: dict[str, Any], people: People) -> bool:
    if node["when"] == "never":
        return at is None
    since = people.now - timedelta(days=node["days"])
    return at is not None and (at >= since if node["when"] == "within" else at < since)


def _recent(at: datetime | None, node: dict[str, Any], people: People) -> bool:
    if "days" not in node:
        return True
    return at is not None and at >= people.now - timedelta(days=node["days"])


def _tag(node: Any, one: Contact, account: Account | None, _people: People) -> bool:
    return bool(set(node["values"]) & {*one.tags, *(account.tags if account else [])})


def _curator(node: Any, _one: Contact, account: Account | None, _people: People) -> bool:
    return ((account.curator_id if account else None) or 0) in node["values"]


def _role(node: Any, one: Contact, _account: Account | None, _people: People) -> bool:
    return one.buying_role in node["values"]


def _language(node: Any, one: Contact, _account: Account | None, _people: People) -> bool:
    return one.language in node["values"]


def _size(node: Any, _one: Contact, account: Account | None, _people: People) -> bool:
    known = account.employees if account else None
    return known is not None and node.get("least", 0) <= known <= node.get("most", 10**9)


def _points(one: Contact, channel: str, people: People) -> list[str]:
    kind = PointKind.EMAIL if channel == "email" else PointKind.PHONE
    return [point.value for point in people.points if point.contact_id == one.id and point.kind == kind]


def _reachable(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return bool(_points(one, node["channel"], people))


def _consent(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    channel, purpose = node["channel"], node.get("purpose", "marketing")
    said = [
        row
        for row in people.consents
        if row.contact_id == one.id and row.channel == channel and row.purpose == purpose
    ]
    last = max(said, key=lambda row: row.id).granted if said else None
    stopped = {row.address for row in people.suppressions if row.channel == channel}
    keys = {
        suppression_key(value) if channel == "email" else value for value in _points(one, channel, people)
    }
    refused = last is False or bool(keys & stopped)
    state = "refused" if refused else "granted" if last else "unknown"
    return state == node["state"]


def _list(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return (node["list"], one.id) in people.listed


def _rows(rows: list[Any], one: Contact) -> list[Any]:
    return [
        row
        for row in rows
        if row.account_id == one.account_id and (row.account_id is not None or row.contact_id == one.id)
    ]


def _bought(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return any(
        deal.outcome == "won"
        and _recent(deal.closed_at, node, people)
        and (
            not node["products"]
            or {people.products[line.product_id] for line in deal.lines} & set(node["products"])
        )
        for deal in _rows(people.deals, one)
    )


def _interest(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return any(
        (not node["products"] or people.products[row.product_id] in node["products"])
        and _recent(row.created_at, node, people)
        and (row.confidence is None or row.confidence >= node.get("confidence", 0) / 100)
        for row in _rows(people.interests, one)
    )


def _deal(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return any(
        deal.outcome is None and (not node["stages"] or people.stages[deal.stage_id] in node["stages"])
        for deal in _rows(people.deals, one)
    )


def _outcome(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return any(
        deal.outcome == node["outcome"]
        and (not node.get("reasons") or deal.loss_reason in node["reasons"])
        and ("when" not in node or _past(deal.closed_at, node, people))
        for deal in _rows(people.deals, one)
    )


def _silence(node: Any, one: Contact, account: Account | None, people: People) -> bool:
    whose = account or one
    times = [at for at in (whose.last_in_at, whose.last_out_at) if at is not None]
    return bool(times) and max(times) < people.now - timedelta(days=node["days"])


def _intent(node: Any, one: Contact, _account: Account | None, people: People) -> bool:
    return any(
        row.contact_id == one.id and row.intent in node["values"] and _recent(row.last_at, node, people)
        for row in people.intents
    )
