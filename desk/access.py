"""Who may enter which room and see which conversation: closed by default, decided here and nowhere else.

A route names who may enter in its options: ``@get("/inbox", enter=WORKERS)``; one that names nobody admits
nobody. A conversation is seen by whom `may_see` says; `visible` says the same in SQL, and a test compares
the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, false, or_, select, true
from sqlalchemy.orm import Session, joinedload

from core.accounts import Account, Contact
from core.conversations import Conversation
from core.errors import NotAllowed, NotFound
from core.sessions import SignedIn
from core.staff import Role

PUBLIC: frozenset[Role] | None = None
"""Anybody, signed in or not."""
EVERYBODY = frozenset(Role)
"""Everybody who is signed in."""
WORKERS = frozenset({Role.AGENT, Role.SUPPORT, Role.HEAD, Role.ADMIN})
"""Those who deal with clients' letters; marketing never reads them."""
SALES = frozenset({Role.AGENT, Role.HEAD, Role.ADMIN})
"""Those who move deals."""
MARKETERS = frozenset({Role.MARKETING, Role.HEAD, Role.ADMIN})
"""Those who describe groups of clients and write to them; they see names and addresses, never letters."""
LEADERS = frozenset({Role.HEAD, Role.ADMIN})
"""Those who see everybody's work, and what could not be read or sent."""


def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route. Raises NotAuthorizedException for a stranger, NotAllowed for the wrong role."""
    if "enter" not in handler.opt:
        raise NotAllowed
    may_enter = handler.opt["enter"]
    if may_enter is PUBLIC:
        return
    viewer: SignedIn | None = connection.scope.get("user")
    if viewer is None:
        raise NotAuthorizedException
    if viewer.role not in may_enter:
        raise NotAllowed("This room is not open to you.")


@dataclass(frozen=True, slots=True)
class Whose:
    """What decides who may see a conversation."""

    assignee_id: int | None = None
    team_id: int | None = None
    curator_id: int | None = None
    """Curator of the client's account."""


def may_see(viewer: SignedIn, whose: Whose) -> bool:
    """Whether somebody may see a conversation: their own, their team's, and by role the common queue and
    more."""
    if viewer.role in LEADERS:
        return True
    if viewer.role not in WORKERS:
        return False
    if whose.assignee_id == viewer.staff_id:
        return True
    if whose.team_id is not None and whose.team_id == viewer.team_id:
        return True
    if viewer.role == Role.AGENT:
        in_common_queue = whose.assignee_id is None and whose.team_id is None
        return in_common_queue or whose.curator_id == viewer.staff_id
    return False


def visible(viewer: SignedIn) -> ColumnElement[bool]:
    """The same as a condition on Conversation."""
    if viewer.role in LEADERS:
        return true()
    if viewer.role not in WORKERS:
        return false()
    ways: list[ColumnElement[bool]] = [Conversation.assignee_id == viewer.staff_id]
    if viewer.team_id is not None:
        ways.append(Conversation.team_id == viewer.team_id)
    if viewer.role == Role.AGENT:
        ways.append(and_(Conversation.assignee_id.is_(None), Conversation.team_id.is_(None)))
        ways.append(
            Conversation.account_id.in_(select(Account.id).where(Account.curator_id == viewer.staff_id))
        )
    return or_(*ways)


def conversation_for(
    session: Session, viewer: SignedIn, conversation_id: int, *, whole: bool = False
) -> Conversation:
    """The conversation, when this person may see it. Raises NotFound otherwise, whether or not it exists.

    `whole` reads the client and the colleagues with it, for a page that shows them.
    """
    query = _one_visible(kind_of(viewer), whole)
    found = session.scalar(query, {"number": conversation_id} | asking(viewer))
    if found is None:
        raise NotFound
    return found


class Kind(NamedTuple):
    """Viewers for whom a query is put into the same words."""

    role: Role
    alone: bool
    """In no team."""

    @property
    def anybody(self) -> SignedIn:
        """Stands for any of them while a query is put together; `asking` says who it was when it is asked."""
        staff_id: Any = bindparam("viewer_id", type_=BigInteger)
        team_id: Any = None if self.alone else bindparam("viewer_team_id", type_=BigInteger)
        return SignedIn(0, staff_id, "", "", self.role, team_id, "en", "auto")


def kind_of(viewer: SignedIn) -> Kind:
    """Whom a query for this viewer is put together for."""
    return Kind(viewer.role, viewer.team_id is None)


def asking(viewer: SignedIn) -> dict[str, Any]:
    """What a query that was put together for `Kind.anybody` is given."""
    return {"viewer_id": viewer.staff_id, "viewer_team_id": viewer.team_id}


@lru_cache(maxsize=64)
def _one_visible(kind: Kind, whole: bool) -> Select[Conversation]:
    """Put together once for each kind of viewer, as it takes longer than to read the conversation."""
    query = select(Conversation).where(Conversation.id == bindparam("number"), visible(kind.anybody))
    if not whole:
        return query
    return query.options(
        joinedload(Conversation.contact).selectinload(Contact.points),
        joinedload(Conversation.account).joinedload(Account.curator),
        joinedload(Conversation.assignee),
        joinedload(Conversation.team),
    )
