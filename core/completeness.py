"""How much of what sales need to know of a client is known, and what is missing: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from core.accounts import Account, BuyingRole, Contact, ContactPoint, PointKind


class Gap(StrEnum):
    """Something a client's card should say."""

    CURATOR = "curator"
    INDUSTRY = "industry"
    REGION = "region"
    COUNTRY = "country"
    CODE = "code"
    SOURCE = "source"
    EMPLOYEES = "employees"
    PERSON = "person"
    """A contact with a name."""
    EMAIL = "email"
    PHONE = "phone"
    POSITION = "position"
    DECIDER = "decider"
    """Who decides there."""


WEIGHTS: Final[dict[Gap, int]] = {
    Gap.CURATOR: 12, Gap.INDUSTRY: 10, Gap.REGION: 10, Gap.COUNTRY: 6, Gap.CODE: 6, Gap.SOURCE: 6,
    Gap.EMPLOYEES: 4, Gap.PERSON: 12, Gap.EMAIL: 12, Gap.PHONE: 8, Gap.POSITION: 6, Gap.DECIDER: 8,
}  # fmt: skip
"""Parts of a hundred."""

FULL: Final = 90
POOR: Final = 50
"""From here down a card says too little to plan a sale."""


class Band(StrEnum):
    """How full a card is, roughly."""

    FULL = "full"
    GAPS = "gaps"
    POOR = "poor"


@dataclass(frozen=True, slots=True)
class Completeness:
    """How full a card is."""

    score: int
    """0 to 100."""
    missing: tuple[Gap, ...]
    """The weightiest first."""

    @property
    def band(self) -> Band:
        """Full, with gaps, or poor."""
        return band_of(self.score)


def band_of(score: int) -> Band:
    """The band of a score."""
    return Band.FULL if score >= FULL else Band.POOR if score < POOR else Band.GAPS


def of(account: Account, contacts: Sequence[Contact]) -> Completeness:
    """What a client's card says and lacks; contacts with their points."""
    known = {
        Gap.CURATOR: account.curator_id is not None,
        Gap.INDUSTRY: bool(account.industry),
        Gap.REGION: bool(account.region),
        Gap.COUNTRY: bool(account.country),
        Gap.CODE: bool(account.code),
        Gap.SOURCE: bool(account.source),
        Gap.EMPLOYEES: account.employees is not None,
        Gap.PERSON: any(one.name for one in contacts),
        Gap.EMAIL: any(one.email for one in contacts),
        Gap.PHONE: any(one.phone for one in contacts),
        Gap.POSITION: any(one.position for one in contacts),
        Gap.DECIDER: any(one.buying_role == BuyingRole.DECISION_MAKER for one in contacts),
    }
    score = sum(WEIGHTS[gap] for gap, there in known.items() if there)
    missing = sorted((gap for gap, there in known.items() if not there), key=lambda gap: -WEIGHTS[gap])
    return Completeness(score, tuple(missing))


def score_column() -> ColumnElement[int]:
    """The same score as an expression on Account."""
    theirs = Contact.account_id == Account.id
    point = select(ContactPoint.id).join(Contact, Contact.id == ContactPoint.contact_id).where(theirs)
    known: dict[Gap, ColumnElement[bool]] = {
        Gap.CURATOR: Account.curator_id.is_not(None),
        Gap.INDUSTRY: _filled(Account.industry),
        Gap.REGION: _filled(Account.region),
        Gap.COUNTRY: _filled(Account.country),
        Gap.CODE: _filled(Account.code),
        Gap.SOURCE: _filled(Account.source),
        Gap.EMPLOYEES: Account.employees.is_not(None),
        Gap.PERSON: exists().where(theirs, Contact.name != ""),
        Gap.EMAIL: point.where(ContactPoint.kind == PointKind.EMAIL).exists(),
        Gap.PHONE: point.where(ContactPoint.kind == PointKind.PHONE).exists(),
        Gap.POSITION: exists().where(theirs, Contact.position != ""),
        Gap.DECIDER: exists().where(theirs, Contact.buying_role == BuyingRole.DECISION_MAKER),
    }
    total: Any = 0
    for gap, there in known.items():
        total = total + case((there, WEIGHTS[gap]), else_=0)
    return total


def in_band(band: Band, score: Any) -> ColumnElement[bool]:
    """That a score is in a band."""
    match band:
        case Band.FULL:
            return score >= FULL
        case Band.POOR:
            return score < POOR
        case Band.GAPS:
            return and_(score >= POOR, score < FULL)


def _filled(column: Any) -> ColumnElement[bool]:
    return func.coalesce(column, "") != ""


__all__ = ["FULL", "POOR", "WEIGHTS", "Band", "Completeness", "Gap", "band_of", "in_band", "of",
           "score_column"]  # fmt: skip
