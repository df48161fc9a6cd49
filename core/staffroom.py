"""What leaders change of the staff and teams, each written down in the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core import absences, audit, invitations, sessions, staff, territories
from core.conversations import Conversation, ConversationState
from core.deals import Deal
from core.errors import Conflict, InputRefused, NotAllowed, NotFound
from core.intents import Intent
from core.routing import TopicTeam
from core.routingrules import RoutingRule
from core.staff import Role, StaffMember, Team
from core.tasks import Task, TaskState
from core.territories import Territory, TerritoryStaff
from core.values import Language, normal_email, normal_phone

CHANGEABLE = (
    "email", "name", "position", "phone", "role", "language", "speaks", "topics", "industries", "team_id",
)  # fmt: skip
"""What may be changed of a colleague."""
LONGEST_NAME = 200


def find(session: Session, staff_id: int) -> StaffMember:
    """A colleague, here or gone. Raises NotFound."""
    member = session.get(StaffMember, staff_id)
    if member is None:
        raise NotFound
    return member


def find_by_email(session: Session, address: str) -> StaffMember:
    """A colleague by their address. Raises NotFound."""
    member = session.scalar(select(StaffMember).where(StaffMember.email == address.strip().lower()))
    if member is None:
        raise NotFound(f"{address} is no colleague of ours.", cure="`frontdesk staff list` shows them.")
    return member


def _may_change(by: StaffMember, member: StaffMember | None, role: Role) -> None:
    """Raises NotAllowed when somebody who is no administrator touches one, or makes one."""
    touches_admin = role == Role.ADMIN or (member is not None and member.role == Role.ADMIN)
    if by.role != Role.ADMIN and touches_admin:
        raise NotAllowed("Only an administrator changes administrators.")


def _state(session: Session, member: StaffMember) -> dict[str, Any]:
    team = session.get(Team, member.team_id) if member.team_id is not None else None
    state = {key: getattr(member, key) for key in CHANGEABLE if key != "team_id"}
    return state | {"team": team.name if team else None}


def _clean(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in their normal form. Raises InputRefused for one that is none."""
    clean = {key: values[key] for key in CHANGEABLE if key in values}
    clean["email"] = normal_email(clean["email"])
    clean["name"] = " ".join(clean["name"].split())[:LONGEST_NAME] or clean["email"]
    clean["phone"] = normal_phone(clean["phone"]) if clean.get("phone") else None
    clean["role"], clean["language"] = Role(clean["role"]), Language(clean["language"])
    known = [language.value for language in Language]
    clean["speaks"] = [one for one in known if one in clean["speaks"]]
    topics = [topic.value for topic in Intent]
    clean["topics"] = [one for one in topics if one in clean["topics"]]
    clean["industries"] = sorted({" ".join(one.split()) for one in clean["industries"] if one.strip()})
    if clean["team_id"] is not None and session.get(Team, clean["team_id"]) is None:
        raise NotFound
    return clean


def add(session: Session, values: Mapping[str, Any], *, by: StaffMember) -> StaffMember:
    """Add a colleague, who signs in once invited.

    Raises Conflict when the address is taken, InputRefused for bad values, NotAllowed as `_may_change` says.
    """
    clean = _clean(session, values)
    _may_change(by, None, clean["role"])
    member = staff.add(session, email=clean["email"], name=clean["name"], role=clean["role"])
    for key, value in clean.items():
        setattr(member, key, value)
    session.flush()
    audit.note(session, by.id, "added", "staff", member.id, member.name, after=_state(session, member))
    return member


def change(session: Session, member: StaffMember, values: Mapping[str, Any], *, by: StaffMember) -> None:
    """Change a colleague. Raises as `add`, and InputRefused when no administrator would be left."""
    clean = _clean(session, values)
    _may_change(by, member, clean["role"])
    if member.role == Role.ADMIN and clean["role"] != Role.ADMIN:
        _another_admin(session, member)
    taken = select(StaffMember.id).where(StaffMember.email == clean["email"], StaffMember.id != member.id)
    if session.scalar(taken) is not None:
        raise Conflict("That address is a colleague's already.", cure="Choose another address.")
    before = _state(session, member)
    for key, value in clean.items():
        setattr(member, key, value)
    session.flush()
    after = _state(session, member)
    audit.note(session, by.id, "changed", "staff", member.id, member.name, before=before, after=after)


def _another_admin(session: Session, member: StaffMember) -> None:
    others = select(StaffMember.id).where(
        StaffMember.active, StaffMember.role == Role.ADMIN, StaffMember.id != member.id
    )
    # Two administrators who resign at once must not both see the other still there.
    if session.scalar(others.limit(1).with_for_update()) is None:
        raise InputRefused("Nobody would be left who may administer.", cure="Name another one first.")


def holds(session: Session, member: StaffMember) -> dict[str, int]:
    """What somebody still has: open conversations, open deals, tasks, clients, territories."""
    from core.accounts import Account

    def count(query: Any) -> int:
        return int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)

    mine = member.id
    return {
        "conversations": count(
            select(Conversation.id).where(
                Conversation.assignee_id == mine, Conversation.state == ConversationState.OPEN
            )
        ),
        "deals": count(select(Deal.id).where(Deal.owner_id == mine, Deal.outcome.is_(None))),
        "tasks": count(select(Task.id).where(Task.assignee_id == mine, Task.state == TaskState.OPEN)),
        "clients": count(select(Account.id).where(Account.curator_id == mine)),
        "territories": count(select(TerritoryStaff.territory_id).where(TerritoryStaff.staff_id == mine)),
        "rules": count(select(RoutingRule.id).where(RoutingRule.staff_id == mine, RoutingRule.active)),
    }


def deactivate(session: Session, member: StaffMember, *, by: StaffMember) -> int:
    """Somebody leaves: they are signed out, and their open conversations go to their team's queue.

    Returns how many conversations went. Raises InputRefused for oneself and for the last administrator.
    """
    _may_change(by, member, member.role)
    if member.id == by.id:
        raise InputRefused("Nobody deactivates themselves.", cure="Ask another leader.")
    if member.role == Role.ADMIN:
        _another_admin(session, member)
    member.active = False
    sessions.end_all(session, member.id)
    invitations.withdraw(session, member)
    query = select(Conversation).where(
        Conversation.assignee_id == member.id, Conversation.state == ConversationState.OPEN
    )
    gone = absences.release(session, session.scalars(query.with_for_update()).all(), absences.LEFT, by.id)
    audit.note(
        session, by.id, "deactivated", "staff", member.id, member.name, after={"conversations_returned": gone}
    )
    return gone


def reactivate(session: Session, member: StaffMember, *, by: StaffMember) -> None:
    """Somebody is back; the password they had works again."""
    _may_change(by, member, member.role)
    member.active = True
    session.flush()
    audit.note(session, by.id, "reactivated", "staff", member.id, member.name)


def set_password(session: Session, member: StaffMember, password: str, *, by: StaffMember | None) -> None:
    """Give somebody a new password and sign them out everywhere; `by` is None for a command on the server.

    Raises WeakPassword when it is too short.
    """
    if by is not None:
        _may_change(by, member, member.role)
    member.password_hash = staff.hash_password(password)
    sessions.end_all(session, member.id)
    invitations.withdraw(session, member)
    session.flush()
    audit.note(session, by.id if by is not None else None, "password", "staff", member.id, member.name)


def invite(session: Session, member: StaffMember, *, by: StaffMember) -> str:
    """A link's token by which somebody chooses a password. Raises InputRefused for who has left."""
    _may_change(by, member, member.role)
    if not member.active:
        raise InputRefused("That colleague no longer works here.", cure="Bring them back first.")
    return invitations.invite(session, member, by=by.id)


def put_team(
    session: Session, team: Team | None, name: str, topics: Collection[str], *, by: StaffMember
) -> Team:
    """Make a team or change one: its name, and the topics that go to it, taken from whoever had them.

    Raises InputRefused without a name, Conflict when another team has it.
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise InputRefused("A team needs a name.")
    other = session.scalar(select(Team).where(Team.name == name))
    if other is not None and other is not team:
        raise Conflict("There is a team of that name already.", cure="Choose another name.")
    before = None if team is None else {"name": team.name, "topics": topics_of(session, team)}
    if team is None:
        team = Team(name=name)
        session.add(team)
    team.name = name
    session.flush()
    wanted = {topic.value for topic in Intent} & set(topics)
    session.execute(delete(TopicTeam).where((TopicTeam.team_id == team.id) | TopicTeam.intent.in_(wanted)))
    session.add_all(TopicTeam(intent=topic, team_id=team.id) for topic in sorted(wanted))
    session.flush()
    audit.note(
        session, by.id, "changed" if before else "added", "team", team.id, name,
        before=before, after={"name": name, "topics": sorted(wanted)},
    )  # fmt: skip
    return team


def topics_of(session: Session, team: Team) -> list[str]:
    """Topics that go to a team."""
    return sorted(session.scalars(select(TopicTeam.intent).where(TopicTeam.team_id == team.id)))


def put_territory(
    session: Session,
    territory: Territory | None,
    name: str,
    *,
    countries: Sequence[str],
    regions: Sequence[str],
    staff_ids: Collection[int],
    by: StaffMember,
) -> Territory:
    """Make a territory or change one. Raises as `territories.put`, and Conflict when the name is taken."""
    name = " ".join(name.split())
    other = session.scalar(select(Territory).where(Territory.name == name))
    if other is not None and other is not territory:
        raise Conflict("There is a territory of that name already.", cure="Choose another name.")
    before = None if territory is None else _territory(session, territory)
    if territory is not None:
        territory.name = name or territory.name
        session.flush()
    people = session.scalars(select(StaffMember.email).where(StaffMember.id.in_(staff_ids))).all()
    made = territories.put(
        session, name, countries=list(countries), regions=list(regions), staff=list(people)
    )
    audit.note(
        session, by.id, "changed" if before else "added", "territory", made.id, made.name,
        before=before, after=_territory(session, made),
    )  # fmt: skip
    return made


def remove_territory(session: Session, territory: Territory, *, by: StaffMember) -> None:
    """Remove a territory."""
    before = _territory(session, territory)
    audit.note(session, by.id, "removed", "territory", territory.id, territory.name, before=before)
    session.delete(territory)
    session.flush()


def _territory(session: Session, territory: Territory) -> dict[str, Any]:
    people = session.scalars(
        select(StaffMember.name)
        .join(TerritoryStaff, TerritoryStaff.staff_id == StaffMember.id)
        .where(TerritoryStaff.territory_id == territory.id)
        .order_by(StaffMember.name)
    )
    return {
        "name": territory.name,
        "countries": territory.countries,
        "regions": territory.regions,
        "staff": list(people),
    }
