"""Letters that wait for a word, as screens ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from core.accounts import Account
from core.approvalasks import Approval, ApprovalState, Ask, needed
from core.deals import Deal
from core.outbox import Delivery, DeliveryState, Draft
from core.staff import StaffMember


def to_decide(staff_id: int) -> ColumnElement[bool]:
    """What waits for somebody's word, as a condition on Approval."""
    return and_(Approval.state == ApprovalState.WAITING, _asked(staff_id))


def came_back(staff_id: int, *, leads: bool = False) -> ColumnElement[bool]:
    """What came back to somebody, as a condition on Approval; to who leads also what nobody here asked."""
    back = Approval.state.in_([ApprovalState.RETURNED, ApprovalState.OUTDATED])
    theirs = Approval.asker_id == staff_id
    if leads:
        here = select(StaffMember.id).where(StaffMember.active)
        theirs = or_(theirs, Approval.asker_id.is_(None), Approval.asker_id.not_in(here))
    return and_(back, theirs)


def concerns(staff_id: int) -> ColumnElement[bool]:
    """What somebody asked or is asked for."""
    return or_(Approval.asker_id == staff_id, _asked(staff_id), Approval.decided_by == staff_id)


def _asked(staff_id: int) -> ColumnElement[bool]:
    return Approval.approver_ids.contains([staff_id])


def listing() -> Select[Approval, Delivery, str]:
    """Questions with their letters and clients, newest first."""
    return (
        select(Approval, Delivery, Account.name)
        .join(Delivery, Delivery.id == Approval.delivery_id)
        .outerjoin(Deal, Deal.id == Delivery.deal_id)
        .outerjoin(Account, Account.id == Deal.account_id)
        .order_by(Approval.id.desc())
    )


def of_deliveries(session: Session, delivery_ids: Iterable[int]) -> dict[int, Approval]:
    """The questions about some deliveries."""
    numbers = list(delivery_ids)
    if not numbers:
        return {}
    rows = session.scalars(select(Approval).where(Approval.delivery_id.in_(numbers)))
    return {one.delivery_id: one for one in rows}


def unapproved(delivery_state: str | None) -> bool:
    """Whether a step of a follow-up waits for a word, by its delivery's state: then the next step waits."""
    return delivery_state == DeliveryState.HELD


def would_ask(session: Session, draft: Draft) -> Ask | None:
    """Why a draft would wait, before it is queued; None where it would leave at once."""
    row: Mapping[str, Any] = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    return needed(session, [row]).get(draft.key)
