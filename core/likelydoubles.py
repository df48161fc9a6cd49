"""All pairs of clients and of people that may be one and the same: found every night, kept as a list.

The card of a client looks for its own doubles at once (`core.duplicates`); here the whole house is compared.
A pair leaves the list when it is merged or kept apart, and comes back when that is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Index, func, select, text, tuple_
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.duplicates import COMMON, KeptApart, Likeness, Pair
from core.errors import InputRefused
from core.merging import MODELS
from core.namekeys import SHORTEST_CODE, SHORTEST_NAME, code_key, name_key
from core.search import folded
from core.values import FREE_MAIL_DOMAINS

MOST: Final = 5_000
"""Pairs of a kind that are kept, the likeliest first."""
LEAST: Final = 25
"""A pair below this says too little."""
SURE: Final = 99
PAGE: Final = 25
ROUNDS: Final = 8
"""So many pages are looked through for pairs that somebody may see."""
LONGEST_QUERY: Final = "set local statement_timeout = '600s'"

WEIGHTS: Final[dict[Likeness, int]] = {
    Likeness.CODE: 60, Likeness.EMAIL: 60, Likeness.NAME: 40, Likeness.PHONE: 30, Likeness.DOMAIN: 25,
}  # fmt: skip
"""What each likeness says, in parts of a hundred."""
OTHER_CODE: Final = -50
"""Two companies with two company codes are hardly one."""


class LikelyDouble(Base):
    """Two records that may be one."""

    __tablename__ = "likely_double"
    __table_args__ = (Index("ix_likely_double_order", "kind", "score", "low_id", "high_id"),)

    kind: Mapped[Pair] = mapped_column(primary_key=True)
    low_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The smaller id. Neither is a foreign key: a merge may take either away and bring it back."""
    high_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    score: Mapped[int]
    """How likely, of a hundred."""
    why: Mapped[dict[str, Any]]
    """What is alike, by `Likeness`."""
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())


def _plain(expression: Any) -> str:
    return str(expression.compile(dialect=postgresql.dialect()))


_WEIGHT = " ".join(f"when '{why.value}' then {weight}" for why, weight in WEIGHTS.items())

_KEYS = {
    Pair.ACCOUNT: f"""
named as materialized (
    select id, {_plain(name_key(sa.literal_column("name")))} as key, name as what from account
), coded as materialized (
    select id, {_plain(code_key(sa.literal_column("code")))} as key, code as what
    from account where code is not null
), points as materialized (
    select c.account_id as id, p.kind, p.value from contact_point p join contact c on c.id = p.contact_id
    where c.account_id is not null
), keys (id, why, key, what, lone) as materialized (
    select id, 'name', key, what, false from named where length(key) >= {SHORTEST_NAME}
    union all select id, 'code', key, what, false from coded where length(key) >= {SHORTEST_CODE}
    union all select id, 'phone', value, value, false from points where kind <> 'email'
    union all select id, 'domain', split_part(value, '@', 2), split_part(value, '@', 2), false
        from points where kind = 'email' and split_part(value, '@', 2) <> all(cast(:free as text[]))
    union all select account_id, 'domain', domain, domain, false from account_domain
)""",  # noqa: S608 - only expressions of this house are put together
    Pair.CONTACT: f"""
people as materialized (
    select id, account_id, name as what, account_id is null as lone,
        (select string_agg(word, ' ' order by word)
         from unnest(string_to_array({_plain(folded(sa.literal_column("name")))}, ' ')) as word) as key
    from contact where name like '%_ _%'
), numbered as materialized (
    select p.id, n.value || ' ' || p.key as key, p.what, n.value, p.lone
    from people p join contact_point n on n.contact_id = p.id and n.kind = 'phone'
), keys (id, why, key, what, lone) as materialized (
    select id, 'name', account_id || ' ' || key, what, lone from people where account_id is not null
    union all select id, 'name', '? ' || key, what, lone from people
    union all select id, 'name', key, what, lone from numbered
    union all select id, 'phone', key, value, lone from numbered
)""",  # noqa: S608 - the same
}
"""What two records must share to be looked at: by kind, rows of id, why, key and what is shown of it."""

_LOOK = """
with {keys}, few as (
    select why, key from keys group by why, key having count(distinct id) between 2 and :common
), alike as (
    select one.id as low, other.id as high, why, min(one.what) as what
    from few join keys one using (why, key) join keys other using (why, key)
    where one.id < other.id and (key not like '? %' or one.lone or other.lone)
    group by 1, 2, 3
), pairs as (
    select low, high, jsonb_object_agg(why, what) as why,
        sum(case why {weight} else 0 end) as score
    from alike group by low, high
), judged as (
    select low, high, why, least(score + {against}, {sure}) as score from pairs
)
insert into likely_double (kind, low_id, high_id, score, why)
select :kind, low, high, score, why from judged where score >= {least} order by score desc limit :most
"""
_CODE_OF = "(select {key} from account where id = {side})"
_AGAINST = {
    Pair.ACCOUNT: "case when {low} <> {high} and length({low}) >= {shortest} and length({high}) >= {shortest}"
    " then {other} else 0 end",
    Pair.CONTACT: "0",
}


def _statement(kind: Pair) -> sa.TextClause:
    key = _plain(code_key(sa.literal_column("code")))
    low, high = (_CODE_OF.format(key=key, side=side) for side in ("low", "high"))
    against = _AGAINST[kind].format(low=low, high=high, shortest=SHORTEST_CODE, other=OTHER_CODE)
    whole = _LOOK.format(keys=_KEYS[kind], weight=_WEIGHT, against=against, sure=SURE, least=LEAST)
    return text(whole)


@dataclass(frozen=True, slots=True)
class Likely:
    """A pair of the list."""

    low_id: int
    high_id: int
    score: int
    why: tuple[tuple[Likeness, str], ...]
    """Each likeness with what is alike, the weightiest first."""

    @property
    def place(self) -> str:
        """Where the list goes on after it."""
        return f"{self.score}~{self.low_id}~{self.high_id}"


def look(session: Session) -> int:
    """Compare everybody with everybody and write the list anew; returns how many pairs are on it."""
    session.execute(text(LONGEST_QUERY))
    session.execute(text("select pg_advisory_xact_lock(727100171)"))
    session.execute(sa.delete(LikelyDouble))
    for kind in Pair:
        given: dict[str, Any] = {"kind": kind.value, "common": COMMON, "most": MOST}
        if kind is Pair.ACCOUNT:
            given["free"] = sorted(FREE_MAIL_DOMAINS)
        session.execute(_statement(kind), given)
    return session.execute(select(func.count()).select_from(LikelyDouble)).scalar_one()


def page(
    session: Session,
    kind: Pair,
    seen: Callable[[Collection[int]], set[int]],
    *,
    before: str = "",
) -> tuple[list[Likely], str]:
    """Pairs of whom somebody may see both, the likeliest first, and where the list goes on, empty at its end.

    ``seen`` says of ids which may be seen. Raises InputRefused for a place that there is not.
    """
    found: list[Likely] = []
    for _ in range(ROUNDS):
        some = _some(session, kind, before)
        may = seen({number for one in some for number in (one.low_id, one.high_id)})
        for one in some:
            before = one.place
            if {one.low_id, one.high_id} <= may:
                found.append(one)
            if len(found) == PAGE:
                return found, before
        if len(some) < PAGE:
            return found, ""
    return found, before


def _some(session: Session, kind: Pair, before: str) -> list[Likely]:
    order = (LikelyDouble.score, LikelyDouble.low_id, LikelyDouble.high_id)
    there = [sa.exists().where(MODELS[kind].id == one) for one in order[1:]]
    apart = sa.exists().where(
        KeptApart.kind == kind, KeptApart.low_id == order[1], KeptApart.high_id == order[2]
    )
    query = select(LikelyDouble).where(LikelyDouble.kind == kind, *there, ~apart)
    if before:
        query = query.where(tuple_(*order) < tuple_(*_place(before)))
    rows = session.scalars(query.order_by(*(one.desc() for one in order)).limit(PAGE))
    return [
        Likely(
            one.low_id,
            one.high_id,
            one.score,
            tuple((why, str(one.why[why])) for why in WEIGHTS if why in one.why),
        )
        for one in rows
    ]


def _place(before: str) -> tuple[int, int, int]:
    try:
        score, low, high = map(int, before.split("~"))
    except ValueError as error:
        raise InputRefused("That page of the list does not exist.") from error
    return score, low, high


def found_at(session: Session) -> datetime | None:
    """When the list was last written."""
    return session.scalar(select(func.max(LikelyDouble.found_at)))
