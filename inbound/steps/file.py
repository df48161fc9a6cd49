"""File: the letter's place in the client's history, and the deal it opens or belongs to."""

from __future__ import annotations

from typing import Final

from core.bulk import new_ids
from core.conversations import Message
from core.deals import Deal, open_deals
from core.intents import Intent
from inbound.work import Batch, Item, NewDeal

OPENS_DEAL: Final = frozenset(
    {Intent.INQUIRY, Intent.PRICE_REQUEST, Intent.DEMO_REQUEST, Intent.DOCUMENT_REQUEST, Intent.ORDER}
)
"""What a client writes who wants to buy."""


def run(batch: Batch) -> None:
    """Number the messages, bring conversations up to date, and open deals where there are none."""
    items = list(batch.on_their_way())
    for item, message_id in zip(items, new_ids(batch.session, Message, len(items)), strict=True):
        item.message_id = message_id
        _bring_up_to_date(item, batch)
    _deals(batch, [item for item in items if _wants_to_buy(item)])


def _bring_up_to_date(item: Item, batch: Batch) -> None:
    talk = item.talk
    assert talk is not None  # noqa: S101 - every letter on its way has passed `thread`
    if talk.contact_id is None and item.person is not None:
        talk.contact_id = item.person.id
        talk.account_id = item.person.company.id if item.person.company else None
    if item.machine is not None:
        item.note("file", f"an automatic letter in conversation {talk.id}; nobody waits for an answer")
        talk.changed = True
        return
    reopened = "" if talk.open else ", opened again"
    talk.open = True
    talk.waiting = item.staff_id is None
    talk.woken = talk.woken or talk.waiting
    talk.last_message_at = max(talk.last_message_at or item.came_at, item.came_at)
    talk.changed = True
    item.note("file", f"conversation {talk.id}{' begun' if talk.new else ''}{reopened}")


def _wants_to_buy(item: Item) -> bool:
    return (
        item.human
        and item.person is not None
        and item.talk is not None
        and item.labels is not None
        and item.talk.deal_id is None
        and item.labels.intent in OPENS_DEAL
    )


def _deals(batch: Batch, items: list[Item]) -> None:
    """Link to the client's open deal, else open one; a client gets one deal, however many letters ask."""
    if not items:
        return
    people = [item.person for item in items if item.person is not None]
    accounts = sorted({one.company.id for one in people if one.company is not None})
    present: dict[tuple[str, int], tuple[int, int | None]] = {}
    for deal in reversed(open_deals(batch.session, accounts, sorted({one.id for one in people}))):
        key = ("account", deal.account_id) if deal.account_id else ("contact", deal.contact_id or 0)
        present[key] = (deal.id, deal.owner_id)
    ids = iter(new_ids(batch.session, Deal, len(items)))
    for item in items:
        person, talk = item.person, item.talk
        if person is None or talk is None or talk.deal_id is not None:
            continue
        key = ("account", person.company.id) if person.company else ("contact", person.id)
        if key in present:
            talk.deal_id = present[key][0]
            item.note("file", f"belongs to the open deal {talk.deal_id}")
            continue
        deal = NewDeal(
            id=next(ids),
            title=item.reading.subject[:200],
            contact_id=person.id,
            account_id=person.company.id if person.company else None,
            source=item.raw.source,
            message_id=item.message_id,
            owner_id=None,
            reason=f"{item.labels.intent if item.labels else 'a letter'} by mail",
            talk=talk,
        )
        batch.deals.append(deal)
        talk.deal_id = deal.id
        present[key] = (deal.id, None)
        item.note("file", f"opened deal {deal.id}")
