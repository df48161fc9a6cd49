"""Brake: where letters come faster than people write, machines are answering each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select

from core.conversations import Direction, Message
from inbound.work import Batch, Item

WINDOW: Final = timedelta(hours=1)

MOST_OF_ADDRESS: Final = 40
"""Letters of one address within the window, by the time they were written; more are a machine's."""

MOST_IN_CONVERSATION: Final = 25
"""The same for what comes into one conversation."""

LOOP: Final = "loop"
"""The kind of machine such letters are filed as: kept in the history, and nobody has to answer."""

_MOST_READ: Final = 5000


def run(batch: Batch) -> None:
    """Mark what is over the bounds; letters before it in the batch count too."""
    items = [item for item in batch.on_their_way() if item.human and item.talk is not None]
    known = [item for item in items if _of_known(item)]
    if not known and len(items) <= MOST_IN_CONVERSATION:
        return
    people, talks = _before(batch, known)
    for item in items:
        assert item.talk is not None  # noqa: S101 - chosen above
        written, address = _written(item, batch.now), item.sender or ""
        people.setdefault(address, []).append(written)
        talks.setdefault(item.talk.id, []).append(written)
        of_address = _within(people[address], written)
        in_talk = _within(talks[item.talk.id], written)
        if of_address > MOST_OF_ADDRESS:
            _stop(item, f"{of_address} letters of one address within an hour")
        elif in_talk > MOST_IN_CONVERSATION:
            _stop(item, f"{in_talk} letters in one conversation within an hour")


def _stop(item: Item, reason: str) -> None:
    item.machine = LOOP
    item.note("brake", f"a loop: {reason}")


def _of_known(item: Item) -> bool:
    return bool(item.talk and not item.talk.new) or bool(item.person and not item.person.new)


def _written(item: Item, now: datetime) -> datetime:
    """When it was written as the letter says, so that an old folder that is read at once is no loop."""
    written = item.reading.sent_at()
    if written is None:
        return item.raw.stored_at or now
    return written if written.tzinfo else written.replace(tzinfo=UTC)


def _within(moments: list[datetime], moment: datetime) -> int:
    return sum(moment - WINDOW <= one <= moment + WINDOW / 60 for one in moments)


def _before(batch: Batch, items: list[Item]) -> tuple[dict[str, list[datetime]], dict[int, list[datetime]]]:
    """When the letters before these were written, by address and by conversation."""
    people: dict[str, list[datetime]] = {}
    talks: dict[int, list[datetime]] = {}
    contacts = {item.person.id for item in items if item.person and not item.person.new}
    numbers = {item.talk.id for item in items if item.talk and not item.talk.new}
    if not contacts and not numbers:
        return people, talks
    earliest = min(_written(item, batch.now) for item in items) - WINDOW
    moment = func.coalesce(Message.sent_at, Message.happened_at)
    query = (
        select(Message.sender, Message.conversation_id, moment)
        .where(or_(Message.contact_id.in_(contacts), Message.conversation_id.in_(numbers)))
        .where(Message.direction == Direction.IN, moment >= earliest)
        # What was written lately came lately: the index by time of arrival bounds what is read.
        .where(Message.happened_at >= earliest)
        .limit(_MOST_READ)
    )
    for address, number, written in batch.session.execute(query):
        people.setdefault(address, []).append(written)
        talks.setdefault(number, []).append(written)
    return people, talks


__all__ = ["LOOP", "MOST_IN_CONVERSATION", "MOST_OF_ADDRESS", "run"]
