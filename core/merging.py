"""Two records of one client made one, and taken apart again exactly as they were.

A merge is a row that holds what moved. What the record that stays did not say is filled from the other one;
everything that named the other names the one that stays. Taking it back brings the other record back, with
everything that was its own; what came in between stays with the record that stayed. All of it happens in the
caller's transaction, and both records are held: a letter that arrives at that moment waits, and is filed with
whichever record there is afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Index, Text, func, select, text
from sqlalchemy.orm import Mapped, Session, defer, joinedload, mapped_column, relationship

from core import audit, folding, persons
from core.accounts import Account, Contact
from core.campaigns import Campaign
from core.db import Base, Id
from core.duplicates import Pair
from core.errors import Conflict, IllegalTransition, InputRefused, NotFound
from core.staff import StaffMember

MODELS: Final[dict[Pair, type[Account] | type[Contact]]] = {Pair.ACCOUNT: Account, Pair.CONTACT: Contact}

FILLED: Final[dict[Pair, tuple[str, ...]]] = {
    Pair.ACCOUNT: ("code", "industry", "region", "zone", "country", "source", "curator_id", "employees",
                   "first_reason"),
    Pair.CONTACT: ("account_id", "name", "position", "language", "buying_role", "away_until"),
}  # fmt: skip
"""What is taken over where the record that stays does not say it."""
EARLIEST: Final = ("first_contact_at",)
LATEST: Final = ("last_in_at", "last_out_at", "last_mailing_at")
AUDIT_KINDS: Final[dict[Pair, str]] = {Pair.ACCOUNT: "client", Pair.CONTACT: "contact"}


class ClientMerge(Base):
    """Two clients, or two contacts, made one; with everything needed to take it back."""

    __tablename__ = "client_merge"
    __table_args__ = (
        Index("ix_client_merge_stays", "kind", "stays_id"),
        Index("ix_client_merge_gone", "kind", "gone_id", postgresql_where=text("undone_at IS NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[Pair]
    stays_id: Mapped[int]
    """Not foreign keys: either may be merged into a third one later."""
    gone_id: Mapped[int]
    account_id: Mapped[int | None] = mapped_column(index=True)
    """The client on whose page it stands."""
    gone_name: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    filled: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was filled: ``{field: {"before": …, "after": …}}``."""
    kept: Mapped[dict[str, Any]]
    """What was moved and taken away, as `core.folding` writes it; of mailings, whom they named."""
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff_member.id"))
    merged_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff_member.id"))

    staff_member: Mapped[StaffMember | None] = relationship(foreign_keys=[staff_id])


def merge(
    session: Session, kind: Pair, stays_id: int, gone_id: int, *, staff_id: int | None, reason: str = ""
) -> ClientMerge:
    """Make two records one. Raises NotFound for either, InputRefused for one and the same."""
    if stays_id == gone_id:
        raise InputRefused("A client cannot be merged with itself.")
    model = MODELS[kind]
    stays, gone = _hold(session, model, stays_id, gone_id)
    filled = _fill(session, kind, stays, gone)
    name = gone.name
    session.flush()
    folded = folding.fold(session, _table(model), gone_id, stays_id)
    kept: dict[str, Any] = folded.as_json()
    if kind is Pair.CONTACT:
        kept["mailings"] = _rename_in_mailings(session, gone_id, stays_id)
    session.expunge(gone)
    session.expire_all()
    whose = stays_id if kind is Pair.ACCOUNT else stays.account_id
    if kind is Pair.CONTACT and whose is not None:
        kept["carried"] = persons.carry(session, stays_id, whose)
    made = ClientMerge(
        kind=kind,
        stays_id=stays_id,
        gone_id=gone_id,
        account_id=whose,
        gone_name=name[:300],
        reason=reason[:300],
        filled=filled,
        kept=kept,
        staff_id=staff_id,
    )
    session.add(made)
    session.flush()
    audit.note(
        session, staff_id, "merged", AUDIT_KINDS[kind], stays_id, stays.name,
        after={"merged": name, "merged_id": gone_id, "reason": reason},
    )  # fmt: skip
    return made


def take_back(session: Session, merge_id: int, *, staff_id: int | None) -> ClientMerge:
    """Take a merge back. Raises NotFound, IllegalTransition when that was done, Conflict when the record that
    stayed was itself merged since."""
    made = session.get(ClientMerge, merge_id, with_for_update=True)
    if made is None:
        raise NotFound
    if made.undone_at is not None:
        raise IllegalTransition("Somebody has already done that.")
    model = MODELS[made.kind]
    stays = session.scalar(
        select(model)
        .where(model.id == made.stays_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if stays is None:
        raise Conflict(
            "The client was merged with another one since.", cure="Take the later merge back first."
        )
    persons.carry_back(session, made.kept.get("carried", {}), made.account_id)
    _empty_again(stays, made.filled)
    session.flush()
    kept = _redirected(session, made.kept)
    back = folding.unfold(session, kept)
    _rename_back(session, made)
    made.undone_at = session.scalar(select(func.now()))
    made.undone_by_id = staff_id
    session.flush()
    session.expire_all()
    audit.note(
        session, staff_id, "separated", AUDIT_KINDS[made.kind], made.stays_id, stays.name,
        after={"separated": made.gone_name, "separated_id": made.gone_id, "not_restored": len(back.lost)},
    )  # fmt: skip
    return made


def living(session: Session, kind: Pair, record_id: int) -> int | None:
    """The record that stands for one that was merged away; None where it was not."""
    found: int | None = None
    for _step in range(50):
        after = session.scalar(
            select(ClientMerge.stays_id)
            .where(
                ClientMerge.kind == kind,
                ClientMerge.gone_id == (found or record_id),
                ClientMerge.undone_at.is_(None),
            )
            .order_by(ClientMerge.id.desc())
            .limit(1)
        )
        if after is None:
            return found
        found = after
    return found


def of_account(session: Session, account_id: int, *, most: int = 10) -> list[ClientMerge]:
    """Merges of a client and its contacts that stand, the newest first."""
    query = (
        select(ClientMerge)
        .where(ClientMerge.account_id == account_id, ClientMerge.undone_at.is_(None))
        .options(joinedload(ClientMerge.staff_member), defer(ClientMerge.kept))
        .order_by(ClientMerge.id.desc())
        .limit(most)
    )
    return list(session.scalars(query))


def _table(model: type[Account] | type[Contact]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)  # noqa: S101 - both are plain tables
    return table


def _hold(session: Session, model: Any, stays_id: int, gone_id: int) -> tuple[Any, Any]:
    """Both rows, held in the order of their ids, so that two merges never wait for each other."""
    query = (
        select(model)
        .where(model.id.in_([stays_id, gone_id]))
        .order_by(model.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {one.id: one for one in session.scalars(query)}
    if len(found) < 2:
        raise NotFound
    return found[stays_id], found[gone_id]


def _fill(session: Session, kind: Pair, stays: Any, gone: Any) -> dict[str, Any]:
    """What the record that stays did not say, from the other; returns each value before and after."""
    wanted: dict[str, Any] = {}
    for name in FILLED[kind]:
        if getattr(stays, name) in (None, "") and getattr(gone, name) not in (None, ""):
            wanted[name] = getattr(gone, name)
    for name, choose in [*((one, min) for one in EARLIEST), *((one, max) for one in LATEST)]:
        values = [getattr(one, name, None) for one in (stays, gone)]
        there = [one for one in values if one is not None]
        if there and choose(there) != values[0]:
            wanted[name] = choose(there)
    if fresh := [tag for tag in gone.tags if tag not in stays.tags]:
        wanted["tags"] = [*stays.tags, *fresh]
    filled = {
        name: {"before": audit.plain({"it": getattr(stays, name)}), "after": audit.plain({"it": value})}
        for name, value in wanted.items()
    }
    for name, value in wanted.items():
        setattr(stays, name, value)
    return filled


def _empty_again(stays: Any, filled: dict[str, Any]) -> None:
    """Put back what stood there; what somebody changed since stays."""
    columns = type(stays).__table__.columns
    for name, one in filled.items():
        before, after = one["before"]["it"], one["after"]["it"]
        held = (audit.plain({"it": getattr(stays, name)}) or {})["it"]
        if name == "tags":
            added = [tag for tag in after if tag not in before]
            stays.tags = before if held == after else [tag for tag in stays.tags if tag not in added]
        elif held == after:
            setattr(stays, name, _python(columns[name], before))


def _python(column: Any, value: Any) -> Any:
    """A value as it was before it was written as JSON."""
    if isinstance(value, str) and isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and isinstance(column.type, sa.Date):
        return datetime.fromisoformat(value).date()
    return value


def _redirected(session: Session, kept: dict[str, Any]) -> dict[str, Any]:
    """What was kept, with clients and contacts that were merged meanwhile named by who stands for them."""
    own = {(one["table"], one["row"].get("id")) for one in kept["removed"]}
    removed = []
    for one in kept["removed"]:
        row = dict(one["row"])
        for name, kind in (("account_id", Pair.ACCOUNT), ("contact_id", Pair.CONTACT)):
            value = row.get(name)
            if value is None or (kind.value, value) in own:
                continue
            if session.get(MODELS[kind], value) is None:
                row[name] = living(session, kind, value) or value
        removed.append({"table": one["table"], "row": row})
    return {"moved": kept["moved"], "removed": removed}


def _rename_in_mailings(session: Session, gone_id: int, stays_id: int) -> list[dict[str, Any]]:
    """Mailings name people chosen by hand in a list of ids; returns what each named before and names now."""
    named = session.scalars(select(Campaign).where(Campaign.contact_ids.contains([gone_id]))).all()
    changed = []
    for one in named:
        before = list(one.contact_ids)
        after = list(dict.fromkeys(stays_id if number == gone_id else number for number in before))
        one.contact_ids = after
        changed.append({"id": one.id, "before": before, "after": after})
    session.flush()
    return changed


def _rename_back(session: Session, made: ClientMerge) -> None:
    for one in made.kept.get("mailings", []):
        campaign = session.get(Campaign, one["id"], populate_existing=True)
        if campaign is None:
            continue
        if list(campaign.contact_ids) == one["after"]:
            campaign.contact_ids = one["before"]
        elif made.gone_id not in campaign.contact_ids:
            campaign.contact_ids = [*campaign.contact_ids, made.gone_id]


__all__ = ["ClientMerge", "living", "merge", "of_account", "take_back"]
