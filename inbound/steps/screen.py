"""Screen: who is speaking: a person, a machine, ourselves, or a report about a letter of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from core import consent, outbox, outbox_copies, sequences_stops
from core.accounts import Channel
from core.bouncewords import BounceClass
from core.consent import Scope, SuppressionReason, address_key
from core.errors import IllegalTransition
from core.outbox import Delivery, DeliveryState
from core.repeatedbounces import judge
from core.sequences import StopReason
from core.values import BadAddress, normal_email
from inbound.automail import is_robot
from inbound.work import Batch, Item

TOKEN: Final = re.compile(r"\bfd-([0-9a-f]{32})\b")
"""Our reply key in a Message-ID (``fd-<key>@…``) or in an address after a plus."""

SEARCHED: Final = 300_000
"""Bytes of a report in which a key is looked for where its fields name none."""

_KEY: Final = re.compile(r"\b(?:fd-)?([0-9a-f]{32})\b")


def run(batch: Batch) -> None:
    """Mark machines; settle what reports are about; end the way of reports and of our own letters."""
    reports: list[Item] = []
    for item in batch.on_their_way():
        kind = item.reading.machine
        if kind == "own":
            _own(item, batch.tools.own_addresses())
        elif kind in {"bounce", "complaint", "receipt"}:
            reports.append(item)
        elif kind == "none" and item.reading.from_ and is_robot(item.reading.from_[1]):
            _of_form(item, "a service passed a form on; the client is in Reply-To")
        elif kind != "none":
            item.machine = kind
            item.note("screen", f"{kind}: {item.reading.machine_reason}")
        else:
            item.note("screen", "a person")
    if reports:
        _settle_reports(batch, reports)


def tokens_in(texts: Iterable[str]) -> list[str]:
    """Our reply keys in Message-IDs or addresses, in order, each once."""
    return list(dict.fromkeys(token for text in texts for token in TOKEN.findall(text)))


def _own(item: Item, own: frozenset[str]) -> None:
    """A letter from one of our addresses is ours come back, unless it is a form on our site speaking."""
    reading = item.reading
    foreign = [pair for pair in reading.reply_to if pair[1] and pair[1].lower() not in own]
    if foreign and not tokens_in([reading.message_id]):
        reading.reply_to = tuple(foreign)
        _of_form(item, "a form of ours wrote it; the client is in Reply-To")
        return
    item.ignore("screen", f"our own letter came back: {reading.machine_reason}")


def _of_form(item: Item, reason: str) -> None:
    """Who filled it in takes the sender's place; what servers say of the form's domain is not of them."""
    reading = item.reading
    reading.from_, reading.auth_results, reading.by_form = reading.reply_to[0], (), True
    item.note("screen", reason)


def keys_of(item: Item) -> list[str]:
    """The keys by which a report can name a delivery of ours: the surest first, its bytes last."""
    reading = item.reading
    places: list[str] = []
    if reading.bounce is not None:
        places += [reading.bounce[7], reading.bounce[4]]
    places += [*reading.in_reply_to, *reading.references]
    places += [address for _, address in reading.to] + list(reading.delivered_to)
    found = dict.fromkeys(key for place in places for key in _KEY.findall(place.lower()))
    if not found:
        found = dict.fromkeys(tokens_in([item.raw.data[:SEARCHED].decode("latin-1")]))
    return list(found)


def _settle_reports(batch: Batch, reports: list[Item]) -> None:
    keys = {id(item): keys_of(item) for item in reports}
    ours = outbox.by_token(batch.session, [key for found in keys.values() for key in found])
    for item in reports:
        named = next((ours[key] for key in keys[id(item)] if key in ours), None)
        if named is None:
            item.ignore("screen", f"a {item.reading.machine} that names no letter of ours")
            continue
        delivery = _meant(batch, item, named)
        if delivery is None:
            item.ignore("screen", f"a {item.reading.machine} about a letter with copies that names no reader")
        else:
            item.ignore("screen", _settle(batch, item, delivery))


def _meant(batch: Batch, item: Item, named: Delivery) -> Delivery | None:
    """Of a letter and its copies, the one a report is about: they have one Message-ID, but each its envelope.

    Whoever reads it says so with their own address; what servers say names the recipient.
    """
    bounce = item.reading.bounce
    envelopes = [bounce[7] if bounce is not None else "", *(address for _, address in item.reading.to)]
    if any(named.token in one.lower() for one in [*envelopes, *item.reading.delivered_to]):
        return named
    readers = list(bounce[3]) if bounce is not None else []
    if item.reading.from_ is not None:
        readers.append(item.reading.from_[1])
    return outbox_copies.meant(batch.session, named, readers)


def _settle(batch: Batch, item: Item, delivery: Delivery) -> str:
    """Bring a delivery into the state a report shows it to be in; returns the reason to be noted."""
    kind, bounce = item.reading.machine, item.reading.bounce
    if kind == "receipt":
        return _into(batch, delivery, DeliveryState.DELIVERED, "a receipt came")
    if kind == "complaint":
        _write_no_more(batch, delivery, SuppressionReason.COMPLAINED, StopReason.OPT_OUT)
        return _into(batch, delivery, DeliveryState.COMPLAINED, "the recipient complained")
    if bounce is None:
        return f"a delivery report about delivery {delivery.id} that says nothing"
    class_, hard, delayed, recipients, _, status, diagnostic, _ = bounce
    said = " ".join(filter(None, [class_, status, diagnostic]))[:500]
    if delayed:
        return f"delivery {delivery.id} is only delayed: {said}"
    settled = _into(batch, delivery, DeliveryState.BOUNCED, said)
    if _same_address(delivery, recipients):
        scope = Scope.EVERYTHING if hard else judge(batch.session, delivery, BounceClass(class_))
        if scope is not None:
            _write_no_more(batch, delivery, SuppressionReason.BOUNCED, StopReason.BOUNCE, scope)
    return settled


def _write_no_more(
    batch: Batch,
    delivery: Delivery,
    why: SuppressionReason,
    stop: StopReason,
    scope: Scope = Scope.EVERYTHING,
) -> None:
    consent.suppress(
        batch.session,
        Channel(delivery.channel),
        delivery.address,
        scope=scope,
        reason=why,
        source=f"delivery:{delivery.id}",
    )
    if delivery.contact_id is not None:
        sequences_stops.stop_for_contacts(batch.session, [delivery.contact_id], stop)


def _same_address(delivery: Delivery, recipients: tuple[str, ...]) -> bool:
    """A report may only speak for the address the delivery went to, not for any it likes to name."""
    if not recipients:
        return True
    for recipient in recipients:
        try:
            if address_key(Channel.EMAIL, normal_email(recipient)) == delivery.address_key:
                return True
        except BadAddress:
            continue
    return False


def _into(batch: Batch, delivery: Delivery, state: DeliveryState, detail: str) -> str:
    try:
        outbox.settle(batch.session, delivery.id, state, detail=detail)
    except IllegalTransition as error:
        return f"delivery {delivery.id}: {detail}; {error.message}"
    return f"delivery {delivery.id} is {state.value}: {detail}"
