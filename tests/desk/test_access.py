"""Who may enter which room and see which conversation: every route, every role, every owner."""

from __future__ import annotations

import itertools
import re

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.routes import HTTPRoute

from core.conversations import Attachment, Conversation, Message
from core.db import transaction
from core.sessions import SignedIn as Viewer
from core.staff import Role
from desk.access import Whose, may_see, visible
from tests.desk.conftest import FROM_US, Browser, SignedIn
from tests.desk.expected_access import EXPECTED, WHO
from tests.desk.furnished import OWNERS, Ids, address_of, furnish
from tests.factories import World

TALKS = ("own", "team", "other", "none", "curated", "support")
SEES: dict[str, frozenset[str]] = {
    "agent": frozenset({"own", "team", "none", "curated", "support"}),
    "mate": frozenset({"own", "team", "none"}),
    "other": frozenset({"other", "curated", "none"}),
    "support": frozenset({"support"}),
    "marketing": frozenset(),
    "head": frozenset(TALKS),
    "admin": frozenset(TALKS),
}
"""Which conversations of the company each colleague may see."""

OWNED = frozenset({"conversation", "call", "deal", "task", "client"})
MINE = ("/inbox/views/", "/absences/", "/approvals/{approval_id")
"""Kinds of belonging that the matrix goes through, and where one's own things are changed."""
NOTHING_HIDDEN = frozenset({"head", "admin", "marketing"})
"""Who sees everything, or enters no room where anything of a client is."""

PUBLIC = {
    ("GET", "/"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/static/{name:str}"),
    ("GET", "/favicon.ico"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/d/{token:str}"),
    ("POST", "/d/{token:str}"),
    ("GET", "/unsubscribe/{token:str}"),
    ("GET", "/welcome/{token:str}"),
    ("POST", "/welcome/{token:str}"),
    ("POST", "/unsubscribe/{token:str}"),
    ("POST", "/phone/twilio/{name:str}"),
    ("GET", "/calendar/{name:str}"),
    ("POST", "/phone/twilio/status"),
    ("POST", "/phone/twilio/recording"),
    ("POST", "/phone/twilio/transcript"),
    ("POST", "/phone/twilio/sms"),
    ("POST", "/phone/twilio/sent"),
    ("POST", "/phone/cti"),
    ("POST", "/phone/cti/{token:str}"),
}


def _routes(app: Litestar) -> list[tuple[str, str, object]]:
    return [
        (method, route.path, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    ]


def _admitted(method: str, path: str, role: Role) -> bool:
    who = WHO[EXPECTED[method, path][0]]
    return who is None or role in who


def _filled(path: str, world: World, numbers: dict[str, int], talk: str) -> str:
    given = {
        "conversation_id": world.talks[talk].id,
        "message_id": numbers[f"message:{talk}"],
        "attachment_id": numbers["attachment"],
        "delivery_id": world.deliveries["queued"],
        "raw_id": world.raws["stuck"].id,
        "enrolment_id": 1,
        "task_id": 1,
        "call_id": 1,
        "recording_id": 1,
        "segment_id": 1,
        "list_id": 1,
        "contact_id": 1,
        "import_id": 1,
        "mailing_id": 1,
        "suggestion_id": 1,
        "move_id": 1,
        "staff_id": world.staff["mate"].id,
    }
    for name, value in given.items():
        path = path.replace(f"{{{name}:int}}", str(value))
    for name, text in {"variant": "A", "language": "lt", "deed": "pause"}.items():
        path = path.replace(f"{{{name}:str}}", text)
    return re.sub(r"\{\w+:int\}", "1", re.sub(r"\{\w+:str\}", "unknown", path))


@pytest.fixture
def numbers(engine: sa.Engine, world: World) -> dict[str, int]:
    """Ids of what belongs to the conversations."""
    with transaction(engine) as session:
        found = {
            f"message:{talk}": session.scalars(
                sa.select(Message.id).where(Message.conversation_id == world.talks[talk].id)
            ).first()
            or 0
            for talk in TALKS
        }
        found["attachment"] = session.scalars(sa.select(Attachment.id)).first() or 0
    return found


def test_every_route_says_who_may_enter(app: Litestar) -> None:
    silent = [(method, path) for method, path, handler in _routes(app) if "enter" not in handler.opt]
    assert silent == []


def test_only_the_routes_known_to_be_public_are(app: Litestar) -> None:
    public = {(method, path) for method, path, handler in _routes(app) if handler.opt["enter"] is None}
    assert public == PUBLIC


def test_a_stranger_enters_no_room(
    app: Litestar, visitor: Browser, world: World, numbers: dict[str, int]
) -> None:
    for method, path, handler in _routes(app):
        if handler.opt["enter"] is not None:
            answer = visitor.request(method, _filled(path, world, numbers, "own"), follow_redirects=False)
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/login"), (method, path)


@pytest.mark.parametrize("who", sorted(set(SEES) - {"agent", "mate"}))  # agents as well, like "other"
def test_each_role_enters_its_rooms_and_no_other(
    who: str, app: Litestar, signed_in: SignedIn, world: World, numbers: dict[str, int]
) -> None:
    browser = signed_in(who)
    role = world.staff[who].role
    for method, path, handler in _routes(app):
        if handler.opt["enter"] is None or path in {"/logout", "/live"}:
            continue
        answer = browser.request(method, _filled(path, world, numbers, "other"), follow_redirects=False)
        if _admitted(method, path, role):
            assert answer.status_code != 403, (method, path)
        else:
            assert answer.status_code == 403, (method, path)


@pytest.mark.parametrize("who", sorted(SEES))
def test_whatever_is_about_a_client_is_closed_to_whom_it_does_not_concern(
    who: str, app: Litestar, engine: sa.Engine, signed_in: SignedIn, world: World
) -> None:
    with transaction(engine) as session:
        things = furnish(session, world)
    browser = signed_in(who)
    role = world.staff[who].role
    leader = role in WHO["leaders"] if WHO["leaders"] else False
    asked = 0
    for talk, (method, path, _handler) in itertools.product(TALKS, _routes(app)):
        whose = EXPECTED[method, path][1]
        of_mine = whose == "own" and path.startswith(MINE)
        if not (whose in OWNED or of_mine) or "{" not in path or not _admitted(method, path, role):
            continue
        mine = OWNERS[talk] == who or (OWNERS[talk] is None and who == "head")
        led = leader and path.startswith(("/absences/", "/approvals/"))
        may = (mine or led) if whose == "own" else talk in SEES[who]
        if path.startswith("/notes/"):
            may = may and (mine or leader)
        place = address_of(path, things[talk], world)
        if may:
            if method == "GET" and path.count("/") == 2:
                assert browser.get(place, follow_redirects=False).status_code in {200, 303}, (talk, path)
            continue
        asked += 1
        answer = browser.request(
            method, place, data=_told(things[talk], path), headers=FROM_US, follow_redirects=False
        )
        assert answer.status_code == 404, (who, talk, method, path)
        assert world.talks[talk].subject not in answer.text
        assert "Sandoris" not in answer.text
    assert asked > 20 or who in NOTHING_HIDDEN


def _told(thing: Ids, path: str) -> dict[str, str] | None:
    """What a form would say, so that nothing but the rights stands in the way."""
    told = {
        "/suggestions/{suggestion_id:int}": {
            "deed": "accept", "conversation_id": str(thing["conversation"])
        },
        "/uncertain/{delivery_id:int}": {"decision": "sent"},
        "/conversations/{conversation_id:int}/join": {"into": str(thing["conversation"])},
        "/notes/{note_id:int}/remove": {},
    }  # fmt: skip
    return told.get(path)


@pytest.mark.parametrize("who", sorted(SEES))
def test_lists_show_only_what_one_may_see(who: str, signed_in: SignedIn, world: World) -> None:
    browser = signed_in(who)
    for box in ("mine", "team", "unassigned", "all"):
        text = browser.get(f"/inbox?box={box}").text
        for talk in TALKS:
            if talk not in SEES[who]:
                assert world.talks[talk].subject not in text, (box, talk)


@pytest.mark.parametrize("who", sorted(SEES))
def test_a_colleagues_own_templates_are_seen_by_nobody_else(
    who: str, engine: sa.Engine, signed_in: SignedIn, world: World
) -> None:
    with transaction(engine) as session:
        furnish(session, world)
    browser = signed_in(who)
    listed = browser.get("/templates").text
    for talk, owner in OWNERS.items():
        mine = (owner or "head") == who
        place = f"/templates/email/own_{talk}"
        assert (f'"{place}' in listed) == mine, talk
        for asked in (place, f"{place}?of=mine", f"{place}/versions/1?of=mine"):
            assert (browser.get(asked).status_code == 200) == mine, (talk, asked)


def test_attachments_and_sends_follow_their_conversation(
    signed_in: SignedIn, world: World, numbers: dict[str, int]
) -> None:
    other = signed_in("other")
    assert other.get(f"/attachments/{numbers['attachment']}").status_code == 404
    assert other.post(f"/deliveries/{world.deliveries['queued']}/cancel").status_code == 404
    assert (
        other.post(f"/uncertain/{world.deliveries['uncertain']}", data={"decision": "sent"}).status_code
        == 404
    )
    assert signed_in("agent").get(f"/attachments/{numbers['attachment']}").status_code == 200


def test_history_tells_of_other_peoples_conversations_without_their_words(
    signed_in: SignedIn, world: World
) -> None:
    text = signed_in("support").get(f"/conversations/{world.talks['support'].id}/history").text
    assert world.talks["support"].subject in text
    assert world.talks["curated"].subject not in text
    assert world.talks["english"].subject not in text


def test_the_stream_of_a_conversation_one_may_not_see_does_not_open(
    signed_in: SignedIn, world: World
) -> None:
    answer = signed_in("support").get(f"/live?conversation={world.talks['own'].id}")
    assert answer.status_code == 404


def test_the_rule_says_the_same_in_python_and_in_sql(engine: sa.Engine, world: World) -> None:
    with transaction(engine) as session:
        talks = session.scalars(sa.select(Conversation)).all()
        for member in world.staff.values():
            viewer = Viewer(0, member.id, "", "", member.role, member.team_id, "en", "auto")
            in_sql = set(session.scalars(sa.select(Conversation.id).where(visible(viewer))))
            in_python = {
                one.id
                for one in talks
                if may_see(
                    viewer,
                    Whose(one.assignee_id, one.team_id, one.account.curator_id if one.account else None),
                )
            }
            assert in_sql == in_python, member.email
