"""People without a company, likely doubles of the house, and what somebody wants to get from us."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
import sqlalchemy as sa

from core import likelydoubles
from core.accounts import Account, Contact, ContactPoint, PointKind
from core.audit import AuditEntry
from core.consent import Consent, Suppression
from core.conversations import Conversation, Message
from core.db import transaction
from core.deals import Deal
from core.tasks import Task, TaskState
from tests.desk.conftest import SignedIn
from tests.desk.expected_access import EXPECTED
from tests.factories import World

HTMX = {"hx-request": "true"}


def _toast(answer: Any) -> dict[str, Any]:
    return json.loads(answer.headers["hx-trigger"])["toast"]


@pytest.fixture
def person(engine: sa.Engine, world: World) -> int:
    """Somebody who wrote from a private address, to the agent."""
    with transaction(engine) as session:
        contact = Contact(
            name="Ona Privati",
            points=[ContactPoint(kind=PointKind.EMAIL, value="ona.privati@gmail.com")],
        )
        talk = Conversation(subject="Siurblys sodybai", contact=contact, assignee_id=world.staff["agent"].id)
        session.add(talk)
        session.flush()
        session.add(
            Message(
                conversation_id=talk.id,
                contact_id=contact.id,
                direction="in",
                subject=talk.subject,
                reply="Reikia siurblio sodybai.",
                text="Reikia siurblio sodybai.",
            )
        )
        return contact.id


def test_a_person_without_a_company_has_a_card_and_a_history(signed_in: SignedIn, person: int) -> None:
    text = signed_in("agent").get(f"/people/{person}").text
    assert "Ona Privati" in text
    assert "ona.privati@gmail.com" in text
    assert "Siurblys sodybai" in text
    assert "Reikia siurblio sodybai." in text


def test_who_may_not_see_a_person_is_let_in_by_no_road(
    signed_in: SignedIn, engine: sa.Engine, person: int
) -> None:
    browser = signed_in("support")
    with transaction(engine) as session:
        point = session.scalars(sa.select(ContactPoint.id).where(ContactPoint.contact_id == person)).one()
    tried = 0
    for (method, road), (entering, whose) in EXPECTED.items():
        if whose != "person" or entering != "workers":
            continue
        path = road.replace("{contact_id:int}", str(person)).replace("{point_id:int}", str(point))
        answer = browser.request(method, path, follow_redirects=False)
        assert answer.status_code == 404, (method, path)
        tried += 1
    assert tried >= 12


def test_people_without_a_company_are_listed_for_who_may_see_them(signed_in: SignedIn, person: int) -> None:
    for role, asked, there in (
        ("agent", "", True), ("head", "?q=privati", True), ("head", "?q=ONA.PRIV", True),
        ("agent", "?q=Petras", False), ("support", "", False),
    ):  # fmt: skip
        assert (f'href="/people/{person}"' in signed_in(role).get(f"/people{asked}").text) is there, role
    assert 'href="/people"' in signed_in("agent").get("/clients").text


def test_the_list_of_people_goes_on_where_its_page_ended(
    signed_in: SignedIn, engine: sa.Engine, person: int
) -> None:
    with transaction(engine) as session:
        session.add_all(Contact(name=f"Privatus {number}") for number in range(55))
    browser = signed_in("head")
    first = browser.get("/people").text
    on = html.unescape(first.split('hx-get="/people?before=')[1].split('"')[0])
    second = browser.get(f"/people?before={on}", headers=HTMX).text
    shown = [re.findall(r'href="/people/(\d+)"', text) for text in (first, second)]
    assert len(shown[0]) == 50
    assert not set(shown[0]) & set(shown[1])
    assert browser.get("/people?before=x~y").status_code == 422


def test_something_is_planned_with_a_person_and_taken_back(
    signed_in: SignedIn, engine: sa.Engine, person: int
) -> None:
    browser, place = signed_in("agent"), f"/people/{person}/task"
    assert "Ona Privati" in browser.get(place, headers=HTMX).text
    form = {"title": "Paskambinti dėl siurblio", "kind": "call", "due": ""}
    undo = _toast(browser.post(place, data=form, headers=HTMX))["undo"]
    assert "Paskambinti dėl siurblio" in browser.get(f"/people/{person}", headers=HTMX).text
    browser.post(undo, headers=HTMX)
    with transaction(engine) as session:
        assert [one.state for one in session.scalars(sa.select(Task))] == [TaskState.CANCELLED]


def test_a_persons_card_is_changed_in_place_and_undone(
    signed_in: SignedIn, engine: sa.Engine, person: int
) -> None:
    browser, place = signed_in("agent"), f"/people/{person}"
    assert 'name="value"' in browser.get(f"{place}/edit?field=position", headers=HTMX).text
    fields = {"field": "position", "value": "Sodininkė", "was": ""}
    undo = _toast(browser.post(f"{place}/field", data=fields, headers=HTMX))
    browser.post(f"{place}/points", data={"kind": "phone", "value": "861234567"}, headers=HTMX)
    with transaction(engine) as session:
        contact = session.get_one(Contact, person)
        assert (contact.position, contact.phone) == ("Sodininkė", "+37061234567")
    browser.post(undo["undo"], data=undo["values"], headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Contact, person).position == ""


def test_what_was_said_with_a_person_goes_to_the_company_they_are_given(
    signed_in: SignedIn, engine: sa.Engine, person: int
) -> None:
    browser = signed_in("agent")
    form = {"title": "Siurblys"}
    assert (
        "/deals/"
        in browser.post(f"/people/{person}/deal", data=form, follow_redirects=False).headers["location"]
    )
    assert "vandenis" in browser.get(f"/people/{person}/company?q=vandenis", headers=HTMX).text.lower()
    answer = browser.post(f"/people/{person}/company", data={"name": "Privati UAB"}, headers=HTMX)
    place = answer.headers["hx-redirect"]
    assert "Siurblys sodybai" in browser.get(place).text
    with transaction(engine) as session:
        account = session.scalars(sa.select(Account).where(Account.name == "Privati UAB")).one()
        assert place == f"/clients/{account.id}#p{person}"
        for model in (Conversation, Deal):
            theirs = sa.select(model.account_id).where(model.contact_id == person)
            assert set(session.scalars(theirs)) == {account.id}
    again = browser.get(f"/people/{person}", follow_redirects=False)
    assert again.headers["location"] == place


@pytest.fixture
def twins(engine: sa.Engine, person: int) -> tuple[int, int]:
    """The same person once more, at a client, and two clients of one name and code."""
    with transaction(engine) as session:
        session.add(ContactPoint(contact_id=person, kind=PointKind.PHONE, value="+37061234599"))
        one = Account(name="Šilumos ratas, UAB", code="LT 304111222")
        other = Account(name="Silumos ratas", code="304111222")
        apart = Account(name="Šilumos ratas", code="999888777")
        at_work = Contact(
            name="Privati Ona", account=one,
            points=[ContactPoint(kind=PointKind.PHONE, value="+37061234599")],
        )  # fmt: skip
        session.add_all([one, other, apart, at_work])
        session.flush()
        likelydoubles.look(session)
        return one.id, other.id


def test_the_likeliest_pair_stands_first_and_a_merge_from_there_is_taken_back(
    signed_in: SignedIn, engine: sa.Engine, twins: tuple[int, int]
) -> None:
    browser = signed_in("head")
    text = browser.get("/doubles").text
    first = text.split('class="item column-item double"')[1]
    assert f'id="d{min(twins)}-{max(twins)}"' in first
    assert text.count("column-item double") == 1, "two company codes are two companies"
    given = {"kind": "account", "one": str(twins[0]), "other": str(twins[1])}
    undo = _toast(browser.post("/doubles/merge", data=given, headers=HTMX))["undo"]
    assert "column-item double" not in browser.get("/doubles", headers=HTMX).text
    browser.post(undo, headers=HTMX)
    assert "column-item double" in browser.get("/doubles", headers=HTMX).text
    with transaction(engine) as session:
        assert {one.id for one in session.scalars(sa.select(Account).where(Account.id.in_(twins)))} == set(
            twins
        )


def test_a_pair_that_is_kept_apart_leaves_the_list_until_undone(
    signed_in: SignedIn, twins: tuple[int, int]
) -> None:
    browser = signed_in("head")
    given = {"kind": "account", "one": str(twins[0]), "other": str(twins[1])}
    undo = _toast(browser.post("/doubles/apart", data=given, headers=HTMX))
    assert "column-item double" not in browser.get("/doubles", headers=HTMX).text
    browser.post(undo["undo"], data=undo["values"], headers=HTMX)
    assert "column-item double" in browser.get("/doubles", headers=HTMX).text


def test_a_person_merged_into_one_at_a_client_brings_their_letters_along_and_takes_them_back(
    signed_in: SignedIn, engine: sa.Engine, twins: tuple[int, int], person: int
) -> None:
    browser = signed_in("head")
    assert "Privati Ona" in browser.get("/doubles?kind=contact").text
    with transaction(engine) as session:
        at_work = session.scalars(sa.select(Contact.id).where(Contact.name == "Privati Ona")).one()
    given = {"kind": "contact", "one": str(at_work), "other": str(person)}
    undo = _toast(browser.post("/doubles/merge", data=given, headers=HTMX))["undo"]
    assert "Siurblys sodybai" in browser.get(f"/clients/{twins[0]}").text
    browser.post(undo, headers=HTMX)
    with transaction(engine) as session:
        talk = session.scalars(
            sa.select(Conversation).where(Conversation.subject == "Siurblys sodybai")
        ).one()
        assert (talk.contact_id, talk.account_id) == (person, None)


def test_nobody_merges_what_they_may_not_see(
    signed_in: SignedIn, engine: sa.Engine, twins: tuple[int, int]
) -> None:
    browser = signed_in("agent")
    assert "column-item double" not in browser.get("/doubles").text
    given = {"kind": "account", "one": str(twins[0]), "other": str(twins[1])}
    for deed in ("merge", "apart", "together"):
        assert browser.post(f"/doubles/{deed}", data=given, headers=HTMX).status_code == 404


def test_a_wish_told_to_a_colleague_is_kept_with_how_they_know_and_undone(
    signed_in: SignedIn, engine: sa.Engine, person: int
) -> None:
    browser, place = signed_in("agent"), f"/people/{person}/wishes"
    assert browser.get(place, headers=HTMX).text.count("checked") == 3
    assert browser.post(place, data={}, headers=HTMX).status_code == 422
    undo = _toast(browser.post(place, data={"proof": "pasakė telefonu"}, headers=HTMX))
    with transaction(engine) as session:
        assert "ona.privati@gmail.com" in session.scalars(sa.select(Suppression.address)).all()
        said = session.scalars(sa.select(Consent).where(Consent.contact_id == person)).all()
        assert {one.granted for one in said} == {False}
        assert {one.proof for one in said} == {f"{_name(session)}: pasakė telefonu"}
        assert session.scalars(sa.select(AuditEntry).where(AuditEntry.object_id == str(person))).all()
    browser.post(undo["undo"], data=undo["values"], headers=HTMX)
    with transaction(engine) as session:
        assert "ona.privati@gmail.com" not in session.scalars(sa.select(Suppression.address)).all()
    assert browser.get(place, headers=HTMX).text.count("checked") == 3


def _name(session: Any) -> str:
    entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    return session.execute(
        sa.text("select name from staff_member where id = :id"), {"id": entry.staff_id}
    ).scalar_one()
