"""Segments that a new company finds ready: cooling, interested but not bought, lost on price, cross-sell."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.catalogue import active_products
from core.i18n import N_, Texts
from core.segments import Segment, SegmentRevision
from core.segments_language import dump, parse

READY: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "cooling": (
        N_("Cooling clients"),
        [{"fact": "bought", "products": []}, {"fact": "silence", "days": 60}],
    ),
    "interested": (
        N_("Interested but not bought"),
        [
            {"fact": "interest", "products": [], "days": 180, "confidence": 60},
            {"fact": "bought", "products": [], "not": True},
        ],
    ),
    "lost_on_price": (
        N_("Lost on price over 90 days ago"),
        [
            {"fact": "outcome", "outcome": "lost", "reasons": ["price"], "when": "before", "days": 90},
            {"fact": "deal", "stages": [], "not": True},
        ],
    ),
}
"""Key, name and conditions that must all hold."""

CROSS_SELL = "cross_sell"
CROSS_SELL_NAME = N_("Buyers of one product without another")


def install(session: Session) -> None:
    """Put in the ready ones that are missing; one that a company changed or put away stays as it is."""
    known = set(session.scalars(select(Segment.ready).where(Segment.ready.is_not(None))))
    wanted = {key: conditions for key, (_name, conditions) in READY.items()}
    products = [product.key for product in active_products(session)]
    if len(products) > 1:
        first, second = products[:2]
        wanted[CROSS_SELL] = [
            {"fact": "bought", "products": [first]},
            {"fact": "bought", "products": [second], "not": True},
        ]
    for rank, (key, conditions) in enumerate(wanted.items(), start=1):
        if key in known:
            continue
        tree = dump(parse({"version": 1, "group": "all", "of": conditions}))
        new = insert(Segment).values(name="", ready=key, conditions=tree, rank=100 + rank)
        number = session.scalar(new.on_conflict_do_nothing().returning(Segment.id))
        if number is not None:
            session.add(SegmentRevision(segment_id=number, revision=1, name="", conditions=tree))
    session.flush()


def name_of(segment: Segment, t: Texts) -> str:
    """A segment's name: its own, or that of the ready-made one in the reader's language."""
    if segment.name or segment.ready is None:
        return segment.name
    return called(segment.ready, t)


def called(kept: str, t: Texts) -> str:
    """What a reader calls a segment of which its name is kept, or the key of a ready-made one."""
    if kept == CROSS_SELL:
        return t.gettext(CROSS_SELL_NAME)
    return t.gettext(READY[kept][0]) if kept in READY else kept
