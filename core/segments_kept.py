"""What single conditions say, kept as sets of contacts, so that a large company's numbers come at once.

A set is a whole number in which bit n stands for contact n: what a tree says of all contacts is then a few
operations on whole numbers. Sets are kept for `KEPT` at most, and whoever shows a number made of them says
of when it is; `forget` has them made anew. Below `LARGE` contacts nothing is kept, since asking is quick.
Mailings, members and files never read what is kept.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import LargeBinary, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Account, Contact
from core.db import Base
from core.segments import SAMPLE, Size, moment, sample, size
from core.segments_compile import answers
from core.segments_language import VERSION, Group, Leaf, Mode, Node, leaves

LARGE: Final = 200_000
"""Contacts; where there are fewer, every number is asked for anew."""
KEPT: Final = timedelta(minutes=10)
WORD: Final = 64
"""Contacts whose answers the database packs into one number."""
EVERYBODY: Final = "everybody"


class KeptAnswer(Base):
    """Whom one condition described at a moment."""

    __tablename__ = "kept_answer"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    """Of the condition, without its "not"; ``everybody`` for all contacts."""
    answered_at: Mapped[datetime]
    people: Mapped[bytes] = mapped_column(LargeBinary)
    """Bit n is contact n, the lowest bits first."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many conditions describe, with a few of them, and of when that is."""

    size: Size
    people: Sequence[Any]
    """As `core.segments.sample` gives them."""
    as_of: datetime | None = None
    """When the oldest of the answers was given; None where everything was asked for just now."""


def count(session: Session, tree: Group, *, large: int = LARGE) -> Counted:
    """How many contacts, of how many accounts, the conditions describe, and the newest of them."""
    if not is_large(session, large):
        return Counted(size(session, tree), sample(session, tree))
    held, as_of = _held(session, tree)
    found = _said(tree, held)
    return Counted(_size(session, found), _sample(session, found), as_of)


def forget(session: Session, tree: Group) -> None:
    """Have the answers of a tree given anew when they are next asked for."""
    session.execute(sa.delete(KeptAnswer).where(KeptAnswer.key.in_(sorted(_keys(tree)))))


def clear_old(session: Session) -> None:
    """Take away what is kept no longer."""
    session.execute(sa.delete(KeptAnswer).where(KeptAnswer.answered_at <= func.now() - KEPT))


def is_large(session: Session, large: int = LARGE) -> bool:
    """Whether there are so many contacts, as the database last estimated."""
    estimate = sa.text("select reltuples from pg_class where oid = cast('contact' as regclass)")
    # Of a table that was never looked at nothing is known.
    return max(session.execute(estimate).scalar_one(), 0) >= large


def _key(leaf: Leaf) -> str:
    asked = json.dumps([VERSION, leaf.fact, leaf.given], sort_keys=True, ensure_ascii=False)
    return sha256(asked.encode()).hexdigest()


def _keys(tree: Group) -> set[str]:
    return {EVERYBODY, *map(_key, leaves(tree))}


def _held(session: Session, tree: Group) -> tuple[dict[str, int], datetime]:
    """The sets of a tree's conditions by key, those that lack asked for in one pass; and of when they are."""
    query = select(KeptAnswer.key, KeptAnswer.people, KeptAnswer.answered_at).where(
        KeptAnswer.key.in_(_keys(tree)), KeptAnswer.answered_at > func.now() - KEPT
    )
    held: dict[str, int] = {}
    times: list[datetime] = []
    for key, people, at in session.execute(query):
        held[key] = int.from_bytes(people, "little")
        times.append(at)
    lacking = {key: leaf for leaf in leaves(tree) if (key := _key(leaf)) not in held}
    if lacking or EVERYBODY not in held:
        now = moment(session)
        made = _ask(session, list(lacking.values()), now)
        _keep(session, dict(zip([EVERYBODY, *lacking], made, strict=True)), now)
        held |= zip([EVERYBODY, *lacking], (int.from_bytes(one, "little") for one in made), strict=True)
        times.append(now)
    return held, min(times)


def _ask(session: Session, asked: Sequence[Leaf], now: datetime) -> list[bytes]:
    """The set of all contacts, and of whom each condition describes, in one look at all contacts."""
    bit = sa.literal(1, sa.BigInteger).op("<<")(sa.cast(Contact.id % WORD, sa.Integer))
    word = Contact.id // WORD
    query = answers(
        asked,
        now,
        lambda said: [
            word.label("word"),
            func.bit_or(bit),
            *(func.bit_or(sa.case((one, bit), else_=sa.literal(0, sa.BigInteger))) for one in said),
        ],
    )
    rows = session.execute(query.group_by(word)).all()
    longest = max((row[0] for row in rows), default=0) + 1
    sets = [array("q", bytes(8 * longest)) for _ in range(len(asked) + 1)]
    for at, *masks in rows:
        for one, mask in zip(sets, masks, strict=True):
            one[at] = mask
    return [_little(one) for one in sets]


def _little(words: array[int]) -> bytes:
    if array("H", [1]).tobytes() == b"\0\1":
        words.byteswap()
    return words.tobytes()


def _keep(session: Session, made: dict[str, bytes], now: datetime) -> None:
    rows = [{"key": key, "answered_at": now, "people": made[key]} for key in sorted(made)]
    new = insert(KeptAnswer)
    session.execute(
        new.on_conflict_do_update(
            index_elements=[KeptAnswer.key],
            set_={"answered_at": new.excluded.answered_at, "people": new.excluded.people},
        ),
        rows,
    )


def _said(node: Node, held: dict[str, int]) -> int:
    """Whom a tree describes."""
    everybody = held[EVERYBODY]
    if isinstance(node, Leaf):
        said = held[_key(node)]
        return everybody & ~said if node.negated else everybody & said
    parts = [_said(one, held) for one in node.of]
    if node.mode == Mode.ALL:
        return _all(everybody, parts)
    found = 0
    for one in parts:
        found |= one
    return found if node.mode == Mode.ANY else everybody & ~found


def _all(everybody: int, parts: Iterable[int]) -> int:
    for one in parts:
        everybody &= one
    return everybody


def _size(session: Session, found: int) -> Size:
    """How many of a set there are now, and of how many accounts."""
    if not found:
        return Size(0, 0)
    bits = found.to_bytes(found.bit_length() // 8 + 1, "little")
    given = sa.bindparam("bits", bits, type_=LargeBinary)
    most = found.bit_length() - 1
    per_client = (
        select(Contact.account_id, func.count().label("people"))
        .where(Contact.id <= most, func.get_bit(given, Contact.id) == 1)
        .group_by(Contact.account_id)
        .subquery()
    )
    query = select(func.coalesce(func.sum(per_client.c.people), 0), func.count(per_client.c.account_id))
    people, clients = session.execute(query).one()
    return Size(int(people), int(clients))


def _sample(session: Session, found: int) -> Sequence[Any]:
    """The newest of a set; a few more are looked up, since some may be gone."""
    newest: list[int] = []
    while found and len(newest) < 4 * SAMPLE:
        newest.append(found.bit_length() - 1)
        found ^= 1 << newest[-1]
    query = (
        select(Contact.id, Contact.name, Contact.position, Contact.language, Account.name.label("account"))
        .outerjoin(Account, Contact.account_id == Account.id)
        .where(Contact.id.in_(newest))
        .order_by(Contact.id.desc())
        .limit(SAMPLE)
    )
    return session.execute(query).all()
