"""Which letters wait for somebody's word before they leave: the rules, and the rows of those that wait.

A letter is asked about when it is queued, in the same transaction: its delivery is `held`, and beside it
stands an approval that says who was asked and why. `core.approvals` decides what becomes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import approvers
from core.approvers import Whose
from core.db import Base, Id


class ApprovalState(StrEnum):
    """Where a question stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    RETURNED = "returned"
    """Back with whoever asked, with a note; may be mended and asked again."""
    OUTDATED = "outdated"
    """What it was about is over; it is not sent."""
    WITHDRAWN = "withdrawn"
    """Nobody wants it any more."""


S = ApprovalState
TRANSITIONS: dict[ApprovalState, frozenset[ApprovalState]] = {
    S.WAITING: frozenset({S.APPROVED, S.RETURNED, S.OUTDATED, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.WAITING}),
    S.RETURNED: frozenset({S.WAITING, S.OUTDATED, S.WITHDRAWN}),
    S.OUTDATED: frozenset({S.WITHDRAWN}),
    S.WITHDRAWN: frozenset(),
}
"""Which state may follow which. Approved → waiting takes back a word while the letter has not left."""
OPEN = (S.WAITING, S.RETURNED, S.OUTDATED)
"""What somebody still has to look at."""


class Cause(StrEnum):
    """Why a letter waits."""

    TEMPLATE = "template"
    STAGE = "stage"
    OFFER = "offer"
    """The deal says that its offers are looked at first."""
    STEP = "step"
    """A step of a follow-up."""
    HAND = "hand"
    """Whoever wrote it wants it looked at."""


class ApprovalRule(Base):
    """Letters of one template wait for somebody's word."""

    __tablename__ = "approval_rule"

    template: Mapped[str] = mapped_column(Text, primary_key=True)
    approver: Mapped[str] = mapped_column(Text)
    """As `core.approvers` reads it: ``role:head``, ``person:…``, ``team:…``, ``curator``, ``owner``."""
    least_total: Mapped[Decimal | None]
    """Only from this sum of the deal, VAT included; None for all."""
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Approval(Base):
    """One letter that waits, or waited, for somebody's word."""

    __tablename__ = "approval"
    __table_args__ = (
        Index(
            "ix_approval_open", "id",
            postgresql_where=text("state IN ('waiting', 'returned', 'outdated')"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), unique=True)
    state: Mapped[ApprovalState] = mapped_column(default=ApprovalState.WAITING)
    cause: Mapped[Cause]
    approver: Mapped[str] = mapped_column(Text)
    """Who was asked, as the rule says it."""
    approver_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Who may decide today."""
    standing_in: Mapped[bool] = mapped_column(default=False, server_default="false")
    """They stand in for somebody who is away."""
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    """Whom the answer concerns: in whose name the letter goes out."""
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What whoever decided said to whoever asked; of what is out of date, the reason's key."""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    """None where it went out of date by itself."""
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]


NEVER = frozenset({"acknowledgement", "call_back_missed"})
"""Templates that must not wait: that a letter has come is said at once or not at all."""
BULK = frozenset({"staff"})
"""Purposes that are never asked about; mailings have a check of their own."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Why a letter waits, and for whom."""

    cause: Cause
    approver: str
    ids: tuple[int, ...]
    standing_in: bool = False


_WHOSE = text("""
select d.id, d.owner_id, a.curator_id from deal d left join account a on a.id = d.account_id
where d.id = any(:deals)
""")


def needed(session: Session, rows: Iterable[Mapping[str, Any]]) -> dict[str, Ask]:
    """Which of some letters have to wait, by their keys; a row has the names of a `core.outbox.Draft`.

    Of several reasons the company's rule comes first, then what the draft itself brings. Nobody waits for
    their own word.
    """
    asked = [row for row in rows if _may_be_asked(row)]
    if not asked:
        return {}
    named = {key for row in asked for key in _texts_of(row)}
    rules = {
        rule.template: rule
        for rule in session.scalars(select(ApprovalRule).where(ApprovalRule.template.in_(named)))
    } if named else {}  # fmt: skip
    found = [(row, reason) for row in asked for reason in _said(row, rules)]
    if not found:
        return {}
    everybody = approvers.colleagues(session)
    deals = {row["deal_id"] for row, _ in found if row["deal_id"] is not None}
    rows_of_deals = session.execute(_WHOSE, {"deals": list(deals)})
    whose = {deal: (owner, curator) for deal, owner, curator in rows_of_deals}
    waiting: dict[str, Ask] = {}
    for row, (cause, spec) in found:
        if row["key"] in waiting:
            continue
        owner, curator = whose.get(row["deal_id"], (None, None))
        chosen = approvers.choose(spec, everybody, Whose(row["staff_id"], owner, curator))
        own_word = not row["automatic"] and row["staff_id"] in chosen.ids
        if chosen.ids and not own_word:
            waiting[row["key"]] = Ask(cause, spec, chosen.ids, chosen.standing_in)
    return waiting


def _may_be_asked(row: Mapping[str, Any]) -> bool:
    return (
        row["campaign_id"] is None
        and row["purpose"] not in BULK
        and bool(_texts_of(row) or row["approver"])
        and row["template"] not in NEVER
    )


def _texts_of(row: Mapping[str, Any]) -> list[str]:
    """The templates that a letter is made of: its own words and what it brings, which a fax has alone."""
    return [key for key in dict.fromkeys((row["template"], *row["documents"])) if key]


def _said(row: Mapping[str, Any], rules: Mapping[str, ApprovalRule]) -> Iterator[tuple[Cause, str]]:
    """All who want to be asked: where the first is who writes, the next one's word is still needed."""
    for key in _texts_of(row):
        rule = rules.get(key)
        if rule is not None and (rule.least_total is None or _total(row) >= rule.least_total):
            yield Cause.TEMPLATE, rule.approver
    for asked in filter(None, row["approver"].split(BETWEEN)):
        cause, _, spec = asked.partition("=")
        yield Cause(cause), spec


def _total(row: Mapping[str, Any]) -> Decimal:
    return Decimal((row["values"].get("deal") or {}).get("total") or 0)


BETWEEN = "\n"
"""Stands between several who want to be asked."""


def asked_by(cause: Cause, spec: str | None) -> str:
    """What a draft carries that waits for a word; empty where ``spec`` names nobody. Several stand one after
    another with `BETWEEN` between them."""
    return f"{cause}={spec}" if spec else ""


STEP = asked_by(Cause.STEP, "owner")
"""What the draft of a step carries that asks for a word: whoever owns the deal looks before it leaves."""


def wait(session: Session, asks: Sequence[tuple[int, int | None, Ask]]) -> None:
    """Write down that deliveries wait: each with its id, in whose name it goes out, and why."""
    if not asks:
        return
    session.execute(
        insert(Approval),
        [
            {
                "delivery_id": delivery_id,
                "state": ApprovalState.WAITING,
                "cause": ask.cause,
                "approver": ask.approver,
                "approver_ids": list(ask.ids),
                "standing_in": ask.standing_in,
                "asker_id": asker_id,
            }
            for delivery_id, asker_id, ask in asks
        ],
    )
