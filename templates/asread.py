"""A letter that somebody has read goes out in the very words that were read, whatever is saved meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from sqlalchemy.orm import Session

from core.accounts import Channel
from core.outbox import Delivery
from core.templatelibrary import InForce
from templates.library import Shelf, shelf_of

AnyShelf = TypeVar("AnyShelf", bound=Shelf)


def keep_as_read(session: Session, delivery: Delivery, default_language: str = "en") -> None:
    """Hold a delivery to the texts that are in force now, in the transaction that lets it go.

    Raises TemplateNotFound for a text that is gone.
    """
    versions: dict[str, int | None] = {}
    for kind, key in _texts_of(delivery):
        shelf = shelf_of(session, delivery.staff_id, kind=kind, key=key, default_language=default_language)
        row = shelf.row_of(shelf.source(kind, key, delivery.language))
        versions[f"{kind}/{key}"] = row.version_id if row is not None else None
    delivery.versions = versions
    session.flush()


def _texts_of(delivery: Delivery) -> Iterator[tuple[str, str]]:
    if delivery.template is not None:
        spoken = delivery.channel in (Channel.SMS, Channel.VOICE)
        yield (delivery.channel.value if spoken else "email"), delivery.template
    for key in delivery.documents:
        yield "document", key


def as_read(shelf: AnyShelf, versions: Mapping[str, InForce | None]) -> AnyShelf:
    """The same shelf with these versions, by ``kind/key``; None for the shipped text."""
    overrides = {
        path: text for path, text in shelf.overrides.items() if path.rsplit("/", 2)[0] not in versions
    }
    rows = {variant: row for variant, row in shelf.rows.items() if "/".join(variant[:2]) not in versions}
    for row in filter(None, versions.values()):
        for language, parts in row.texts.items():
            rows[row.kind, row.key, language] = row
            place = f"{row.kind}/{row.key}/{language}"
            overrides |= {f"{place}/{part}": text for part, text in parts.items()}
    return replace(shelf, overrides=overrides, rows=rows)
