"""Colleagues who may be chosen for something: read once for a page, and picked by what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.conversations import Conversation
from core.sessions import SignedIn
from core.staff import Role, StaffMember, Team
from desk.access import Whose, may_see


class Colleague(NamedTuple):
    """Somebody who works here."""

    id: int
    name: str
    email: str
    role: Role
    team_id: int | None
    team: str | None
    language: str


_ACTIVE = (
    select(
        StaffMember.id,
        StaffMember.name,
        StaffMember.email,
        StaffMember.role,
        StaffMember.team_id,
        Team.name.label("team"),
        StaffMember.language,
    )
    .outerjoin(Team)
    .where(StaffMember.active)
    .order_by(StaffMember.name)
)


def active(session: Session) -> list[Colleague]:
    """Everybody who has not left, by name."""
    return [Colleague(*row) for row in session.execute(_ACTIVE)]


def of_clients(everybody: Sequence[Colleague]) -> list[Colleague]:
    """Those who deal with clients, to whom work can be given."""
    return [one for one in everybody if one.role not in {Role.ADMIN, Role.MARKETING}]


def approvers(everybody: Sequence[Colleague], but: int | None = None) -> list[tuple[str, str]]:
    """Those whose word on a letter can be asked for: how a form names each, and their name."""
    return [
        (f"person:{one.email}", one.name) for one in everybody if one.role != Role.MARKETING and one.id != but
    ]


def who_may_see(everybody: Sequence[Colleague], conversation: Conversation) -> list[Colleague]:
    """Those who may see a conversation, and so may be called in its notes."""
    account = conversation.account
    whose = Whose(
        conversation.assignee_id, conversation.team_id, account.curator_id if account is not None else None
    )
    return [
        one
        for one in everybody
        if may_see(
            SignedIn(0, one.id, one.name, one.email, one.role, one.team_id, one.language, "auto"), whose
        )
    ]
