"""What strangers and colleagues may put into an address or a form: it is read as data, or refused."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from core import campaign_verbs
from core.campaigns import Campaign, CampaignState
from core.conversations import Conversation
from core.db import transaction
from core.staff import Role, StaffMember
from tests.desk.conftest import Browser, SignedIn
from tests.desk.expected_access import EXPECTED
from tests.factories import PASSWORD, World

HTMX = {"hx-request": "true"}
ELSEWHERE = "https://evil.example/"


def test_b30_what_turns_text_round_is_left_out_of_lists(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    number = world.talks["own"].id
    with transaction(engine) as session:
        session.get_one(Conversation, number).subject = (
            "\u202eesrever\u2066 \u200bSą\u0301\u0301\u0301skaita" * 9
        )
    browser = signed_in("agent")
    for path in ("/inbox", f"/conversations/{number}", "/search?q=skaita"):
        text = browser.get(path).text
        assert not {"\u202e", "\u2066", "\u200b"} & set(text), path


def test_b37_no_address_of_ours_leads_to_another_site(visitor: Browser, signed_in: SignedIn) -> None:
    asked = dict.fromkeys(("next", "url", "to", "back", "return", "go", "redirect"), ELSEWHERE)
    for browser in (visitor, signed_in("agent")):
        for path in ("/", "/login", "/inbox", "/settings", "/unsubscribe/x", "/welcome/x", "/calendar/x"):
            answer = browser.get(path, params=asked, follow_redirects=False)
            place = answer.headers.get("location", "/")
            assert place.startswith("/"), path
            assert not place.startswith(("//", "/\\")), path
    answer = visitor.post(
        "/login",
        data={"email": "agent@siurbliai.example", "password": PASSWORD, "next": ELSEWHERE},
        follow_redirects=False,
    )
    assert answer.headers["location"].startswith("/")


ASKED = (
    "q",
    "order",
    "sort",
    "band",
    "curator",
    "region",
    "industry",
    "box",
    "topic",
    "language",
    "team",
    "waiting",
    "kind",
    "before",
    "show",
    "view",
    "account",
    "period",
    "channel",
    "side",
    "files",
    "day",
    "who",
    "as",
    "from",
    "stage",
    "pipeline",
    "field",
    "contact",
    "other",
    "state",
    "page",
    "since",
    "until",
    "name",
    "id",
)
"""Names under which our lists ask for something, or others' do."""


def test_b44_nothing_that_is_asked_becomes_part_of_a_statement(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    sign = "zq'); drop table contact; -- %s %(x)s :y \" \\"
    said: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    browser, asked = signed_in("head"), dict.fromkeys(ASKED, sign)
    places = [path for (method, path), _who in EXPECTED.items() if method == "GET" and "{" not in path]
    for path in sorted({*places, f"/clients/{world.accounts['vandenis'].id}/history"} - {"/live"}):
        assert browser.get(path, params=asked, follow_redirects=False).status_code < 500, path
    fields = {
        "mode:": "all",
        "fact:1": "region",
        "was:1": "region",
        f"v:1:values:{sign}": "1",
        "t:1:values": sign,
    }
    fields |= {"fact:2": sign, "mode:3": sign, "fact:4": "silence", "was:4": "silence", "p:4:days": sign}
    assert browser.post("/segments/draft", data=fields | {"name": sign}, headers=HTMX).status_code < 500
    assert len(said) > 100
    assert [statement for statement in said if "zq'" in statement] == []


def test_b46_a_question_of_any_length_or_shape_is_answered(signed_in: SignedIn) -> None:
    browser = signed_in("agent")
    for asked in ("a " * 20_000, "*" * 5_000, "(((((" * 200, "a:* & !b | <-> " * 50, "\\" * 999):
        assert browser.get("/search", params={"q": asked}).status_code < 500


def test_b46_a_megabyte_where_one_may_search_is_cut_or_refused(signed_in: SignedIn) -> None:
    browser = signed_in("head")
    longest = {"q": "ab*% " * 6_000}
    for place in ("/search", "/clients", "/people", "/suppressions", "/deals"):
        assert browser.get(place, params=longest).status_code < 500, place
    megabyte = {
        "name": "x",
        "mode:": "all",
        "fact:1": "region",
        "was:1": "region",
        "t:1:values": "%" * 1_000_000,
    }
    answer = browser.post("/segments/draft", data=megabyte, headers=HTMX)
    assert answer.status_code < 500
    assert len(answer.content) < 500_000


def test_b47_fields_that_a_form_does_not_have_change_nothing(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    agent = signed_in("agent")
    extra = {"role": "admin", "team_id": "99", "active": "", "password_hash": "x", "email": "x@evil.example"}
    agent.post("/settings", data={"language": "lt", "theme": "dark", **extra})
    with transaction(engine) as session:
        member = session.get_one(StaffMember, world.staff["agent"].id)
        assert (member.role, member.active, member.email) == (Role.AGENT, True, world.staff["agent"].email)
        mailing = campaign_verbs.create(session, "Ruduo", staff_id=world.staff["marketing"].id, language="lt")
        number, revision = mailing.id, mailing.revision
    fields = {
        "name": "Ruduo", "channel": "email", "topic": "offers", "language": "lt", "goal": "replies",
        "revision": str(revision), "state": "running", "frozen_upto": "1", "winner": "B", "staff_id": "1",
    }  # fmt: skip
    signed_in("marketing").post(f"/mailings/{number}/settings", data=fields)
    with transaction(engine) as session:
        kept = session.get_one(Campaign, number)
        assert (kept.state, kept.frozen_upto, kept.winner) == (CampaignState.DRAFT, mailing.frozen_upto, None)


@pytest.mark.parametrize("token", ["None", "null", "0", "-"])
def test_b52_an_empty_token_opens_nothing(token: str, visitor: Browser) -> None:
    for room in ("welcome", "unsubscribe", "calendar", "d"):
        assert visitor.get(f"/{room}/{token}").status_code == 404, room
    assert visitor.post(f"/welcome/{token}", data={"new": "x" * 12, "again": "x" * 12}).status_code == 404


def test_b55_a_password_that_was_typed_is_in_no_log(visitor: Browser) -> None:
    with capture_logs() as lines:
        visitor.post("/login", data={"email": "agent@siurbliai.example", "password": "mano slaptas žodis"})
        visitor.post("/login", data={"email": "agent@siurbliai.example", "password": PASSWORD})
    assert "slaptas" not in str(lines)
    assert PASSWORD not in str(lines)


@pytest.mark.parametrize("deed", ["sms", "ring"])
def test_without_a_telephone_calling_and_texting_say_what_is_missing(
    signed_in: SignedIn, world: World, deed: str
) -> None:
    place = f"/conversations/{world.talks['own'].id}/{deed}"
    answer = signed_in("agent").post(place, data={"key": "a", "body": "Labas"}, headers=HTMX)
    assert answer.status_code == 422
    told = json.loads(answer.headers["hx-trigger"])["toast"]["text"]
    assert told.startswith("Telefonas su mūsų numeriu nenustatytas.")
