"""What conditions can be chosen from: regions, products, stages, colleagues and lists, by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts import Account, Contact
from core.catalogue import Product
from core.deals import Stage
from core.i18n import N_, Texts
from core.intents import Intent, intent_name
from core.labels import IntentLabel
from core.lists import ContactList
from core.segments_sentence import LANGUAGE_WORDS, REASONS, ROLES, Names
from core.staff import StaffMember
from core.values import LANGUAGES

MOST = 60
"""Values of one kind that are offered; others are written in."""

CHANNELS = {"email": N_("e-mail"), "sms": N_("SMS"), "voice": N_("calls")}
CONSENTS = {
    "granted": N_("agreed"),
    "refused": N_("refused, or the address is suppressed"),
    "unknown": N_("has not said"),
}
WHENS = {"within": N_("in the last"), "before": N_("more than … ago"), "never": N_("never")}
OUTCOMES = {"won": N_("won"), "lost": N_("lost")}

Choice = tuple[str, str]
"""Value and name."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices by fact and parameter, as ``region.values``; and names for sentences."""

    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)


def options(session: Session, t: Texts) -> Options:
    """Everything there is to choose from now, in the reader's language."""
    products = {
        one.key: one.name(t.language) for one in session.scalars(select(Product).order_by(Product.key))
    }
    stages: dict[str, str] = {}
    for stage in session.scalars(select(Stage).order_by(Stage.pipeline_id, Stage.position)):
        stages.setdefault(stage.key, stage.name(t.language))
    people = session.execute(
        select(StaffMember.id, StaffMember.name).where(StaffMember.active).order_by(StaffMember.name)
    )
    staff = {int(number): name for number, name in people}
    lists = session.execute(
        select(ContactList.id, ContactList.name)
        .where(ContactList.archived_at.is_(None))
        .order_by(ContactList.name)
    )
    listed = {int(number): name for number, name in lists}
    own = {
        label.key: label.names.get(t.language) or label.names.get("en") or label.key
        for label in session.scalars(select(IntentLabel).where(IntentLabel.active))
    }
    intents = {one.value: own.get(one.value) or intent_name(one.value, t.language) for one in Intent} | own
    when = _named(WHENS, t)
    past = [choice for choice in when if choice[0] != "never"]
    choices: dict[str, Sequence[Choice]] = {
        "region.values": _known(session, Account.region),
        "industry.values": _known(session, Account.industry),
        "country.values": _known(session, Account.country),
        "source.values": _known(session, Account.source),
        "tag.values": _tags(session),
        "curator.values": [("0", t.gettext("nobody")), *((str(key), name) for key, name in staff.items())],
        "role.values": _named(ROLES, t),
        "language.values": [(key, t.gettext(LANGUAGE_WORDS[key])) for key in LANGUAGES],
        "reachable.channel": _named(CHANNELS, t),
        "consent.channel": _named(CHANNELS, t),
        "consent.state": _named(CONSENTS, t),
        "list.list": [(str(key), name) for key, name in listed.items()],
        "bought.products": list(products.items()),
        "interest.products": list(products.items()),
        "deal.stages": list(stages.items()),
        "outcome.outcome": _named(OUTCOMES, t),
        "outcome.reasons": _named(REASONS, t),
        "outcome.when": [("", t.gettext("at any time")), *past],
        "added.when": past,
        "wrote.when": when,
        "written.when": when,
        "mailed.when": when,
        "intent.values": list(intents.items()),
    }
    return Options(choices, Names(products, stages, staff, listed, own))


def _named(table: Mapping[str, str], t: Texts) -> list[Choice]:
    return [(key, t.gettext(name)) for key, name in table.items()]


def _known(session: Session, column: Any) -> list[Choice]:
    query = (
        select(column).where(column.is_not(None), column != "").group_by(column).order_by(func.count().desc())
    )
    return [(value, value) for value in sorted(session.scalars(query.limit(MOST)))]


def _tags(session: Session) -> list[Choice]:
    found: set[str] = set()
    for table in (Account, Contact):
        tagged = select(table.tags).where(table.tags != []).limit(5000).subquery()
        words = select(func.unnest(tagged.c.tags)).distinct().limit(MOST)
        found |= set(session.scalars(words))
    return [(value, value) for value in sorted(found)][:MOST]
