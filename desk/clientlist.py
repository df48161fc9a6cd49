"""The list of clients: what is asked for, and a page of those that somebody may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Text, cast, func, literal, or_, select, tuple_, union
from sqlalchemy.orm import Session

from core.accounts import Account, Contact, ContactPoint
from core.bulk import among
from core.completeness import Band, in_band, score_column
from core.deals import Deal
from core.errors import InputRefused
from core.i18n import N_
from core.namekeys import name_key
from core.search import folded
from core.sessions import SignedIn
from core.staff import StaffMember
from desk.clientview import seen_among_many

PAGE = 50
MOST_NAMED = 5_000
"""So many clients with the letters asked for are looked at; more letters find the others."""

ORDERS: dict[str, str] = {
    "name": N_("by name"),
    "lately": N_("who wrote last"),
    "new": N_("the newest first"),
    "empty": N_("the emptiest cards first"),
    "full": N_("the fullest cards first"),
}
BANDS: dict[Band, str] = {
    Band.FULL: N_("full cards"),
    Band.GAPS: N_("cards with gaps"),
    Band.POOR: N_("nearly empty cards"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the clients is to be shown, as its form or its address says it."""

    text: str = ""
    curator: str = ""
    """A colleague's id, ``me`` or ``nobody``."""
    region: str = ""
    industry: str = ""
    band: str = ""
    order: str = "name"
    before: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything but an order is asked for."""
        return bool(self.text or self.curator or self.region or self.industry or self.band)

    def address(self, **changed: str) -> str:
        """The page of this question, with some of it changed."""
        whole = {
            "q": self.text, "curator": self.curator, "region": self.region, "industry": self.industry,
            "band": self.band, "order": self.order if self.order != "name" else "",
        } | changed  # fmt: skip
        return "/clients?" + urlencode({name: value for name, value in whole.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One client in the list."""

    id: int
    name: str
    industry: str | None
    region: str | None
    country: str | None
    curator_id: int | None
    curator: str | None
    lately: datetime
    last_in_at: datetime | None
    created_at: datetime
    key: str
    score: int
    people: int
    deals: int


def asked_of(given: Any) -> Asked:
    """What is asked for; a value that no form of ours sends counts as none."""
    curator = given.get("curator", "")
    number = curator.isascii() and curator.isdecimal() and len(curator) < 19
    return Asked(
        text=" ".join(given.get("q", "").replace("\0", " ").split())[:200],
        curator=curator if number or curator in {"me", "nobody"} else "",
        region=given.get("region", "").replace("\0", "")[:200],
        industry=given.get("industry", "").replace("\0", "")[:200],
        band=given.get("band", "") if given.get("band") in set(Band) else "",
        order=given.get("order", "") if given.get("order") in ORDERS else "name",
        before=given.get("before", ""),
    )


def like(part: str) -> str:
    """A pattern of LIKE for a part of a text, whichever signs are in it."""
    for sign in "\\%_":
        part = part.replace(sign, f"\\{sign}")
    return f"%{part}%"


def _named(session: Session, text: str) -> Any:
    """Clients with the text in their name, in whichever alphabet, in a code, an address or a number."""
    plain = folded(literal(text))
    ways: list[Any] = [
        select(Account.id).where(folded(Account.name).like(func.concat("%", cast(plain, Text), "%"))),
        select(Account.id).where(Account.code == text),
        select(Contact.account_id).where(folded(Contact.name).like(func.concat("%", cast(plain, Text), "%"))),
    ]
    if len("".join(filter(str.isalnum, text))) >= 3:
        key = name_key(literal(text))
        alike = name_key(Account.name).like(func.concat("%", key, "%"))
        ways.append(select(Account.id).where(func.length(key) >= 3, alike))
    digits = "".join(filter(str.isdigit, text))
    in_point = [ContactPoint.value.like(like(text.lower()))]
    if len(digits) >= 4:
        in_point.append(ContactPoint.value.like(f"%{digits}%"))
    ways.append(select(Contact.account_id).join(ContactPoint).where(or_(*in_point)))
    # Looked up first: together with what somebody may see, all clients would be walked instead.
    found = session.scalars(select(union(*ways).subquery().c[0]).limit(MOST_NAMED))
    return among(Account.id, [number for number in found if number is not None])


def _conditions(session: Session, viewer: SignedIn, asked: Asked) -> list[Any]:
    wanted: list[Any] = [seen_among_many(session, viewer)]
    if len(asked.text) >= 2:
        wanted.append(_named(session, asked.text))
    if asked.curator == "nobody":
        wanted.append(Account.curator_id.is_(None))
    elif asked.curator:
        wanted.append(
            Account.curator_id == (viewer.staff_id if asked.curator == "me" else int(asked.curator))
        )
    if asked.region:
        wanted.append(Account.region == asked.region)
    if asked.industry:
        wanted.append(Account.industry == asked.industry)
    if asked.band:
        wanted.append(in_band(Band(asked.band), Account.completeness))
    return wanted


def _key_of(order: str) -> tuple[Any, bool]:
    """What a page goes on by, and whether it descends."""
    if order == "lately":
        return func.coalesce(Account.last_in_at, Account.created_at), True
    if order == "new":
        return Account.id, True
    if order in {"empty", "full"}:
        return Account.completeness, order == "full"
    return name_key(Account.name), False


def find(session: Session, viewer: SignedIn, asked: Asked) -> tuple[list[Row], str]:
    """A page of the clients asked for, and the address where the list goes on; empty at its end.

    Raises InputRefused for a place that there is not.
    """
    key, descends = _key_of(asked.order)
    people = select(func.count()).where(Contact.account_id == Account.id).scalar_subquery()
    deals = (
        select(func.count()).where(Deal.account_id == Account.id, Deal.outcome.is_(None)).scalar_subquery()
    )
    chosen = select(Account.id, key.label("key")).where(*_conditions(session, viewer, asked))
    if asked.before:
        place = _place(asked)
        here = tuple_(key, Account.id)
        chosen = chosen.where(here < tuple_(*place) if descends else here > tuple_(*place))
    way = (key.desc(), Account.id.desc()) if descends else (key, Account.id)
    some = chosen.order_by(*way).limit(PAGE + 1).subquery()
    query = (
        select(
            Account.id, Account.name, Account.industry, Account.region, Account.country, Account.curator_id,
            StaffMember.name, func.coalesce(Account.last_in_at, Account.created_at), Account.last_in_at,
            Account.created_at, cast(some.c.key, Text), score_column(), people, deals,
        )
        .join(some, some.c.id == Account.id)
        .outerjoin(StaffMember, StaffMember.id == Account.curator_id)
        .order_by(*(some.c.key.desc(), Account.id.desc()) if descends else (some.c.key, Account.id))
    )  # fmt: skip
    rows = [Row(*row) for row in session.execute(query)]
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        by = last.lately.isoformat() if asked.order == "lately" else last.key
        return rows[:PAGE], asked.address(before=f"{last.id}~{by}")
    return rows, ""


def _place(asked: Asked) -> tuple[Any, int]:
    number, _, key = asked.before.partition("~")
    try:
        if asked.order == "lately":
            return datetime.fromisoformat(key), int(number)
        counted = asked.order in {"new", "empty", "full"}
        return (int(key), int(number)) if counted else (key, int(number))
    except ValueError as error:
        raise InputRefused("That page of the list does not exist.") from error


def choices(session: Session) -> dict[str, Sequence[str]]:
    """The regions and industries that clients' cards name."""
    found = {}
    for name, column in (("regions", Account.region), ("industries", Account.industry)):
        query = select(column).where(column.is_not(None)).distinct().order_by(column).limit(300)
        found[name] = list(session.scalars(query))
    return found
