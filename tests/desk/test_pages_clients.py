"""Clients: who may see which, the list, the card changed in place, merged, handed out."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import sqlalchemy as sa

from core.accounts import Account, Contact, ContactPoint
from core.audit import AuditEntry
from core.conversations import Conversation
from core.db import transaction
from core.deals import Deal
from core.tasks import Task
from tests.desk.conftest import FROM_US, SignedIn, fewest_queries
from tests.desk.expected_access import EXPECTED
from tests.factories import World, add_client

HTMX = {"hx-request": "true"}


def _toast(answer: Any) -> dict[str, Any]:
    return json.loads(answer.headers["hx-trigger"])["toast"]


def _account(engine: sa.Engine, number: int) -> Account:
    with transaction(engine) as session:
        return session.get_one(Account, number)


@pytest.fixture
def ids(world: World) -> dict[str, int]:
    """Clients of the company by their short names."""
    return {name: account.id for name, account in world.accounts.items()}


@pytest.fixture
def double(engine: sa.Engine, world: World) -> int:
    """A second record of a client, under another legal form in the other alphabet."""
    with transaction(engine) as session:
        contact = add_client(
            session,
            World(staff=world.staff),
            "stroimas",
            "Stroimaš, UAB",
            "Sergej",
            language="lt",
            region="Rīga",
        )
        assert contact.account_id is not None
        session.add(Conversation(subject="Antra kortelė", account_id=contact.account_id, contact=contact))
        return contact.account_id


@pytest.mark.parametrize("who", ["agent", "mate", "other", "support", "head"])
def test_a_client_is_seen_by_whom_one_of_its_conversations_concerns(
    who: str, signed_in: SignedIn, engine: sa.Engine, world: World, ids: dict[str, int]
) -> None:
    browser = signed_in(who)
    listed = browser.get("/clients").text
    for name, number in ids.items():
        answer = browser.get(f"/clients/{number}")
        assert (answer.status_code == 200) == (f'href="/clients/{number}"' in listed), (who, name)
        if answer.status_code != 200:
            assert answer.status_code == 404
            assert world.accounts[name].name not in answer.text


def test_what_is_closed_stays_closed_by_every_road(
    signed_in: SignedIn, ids: dict[str, int], engine: sa.Engine
) -> None:
    browser = signed_in("support")
    closed = next(n for n in ids.values() if browser.get(f"/clients/{n}").status_code == 404)
    with transaction(engine) as session:
        contact = session.scalars(sa.select(Contact.id).where(Contact.account_id == closed)).first()
        point = session.scalars(sa.select(ContactPoint.id).where(ContactPoint.contact_id == contact)).first()
    tried = 0
    for (method, road), (entering, whose) in EXPECTED.items():
        if whose != "client" or entering != "workers":
            continue
        path = road.replace("{account_id:int}", str(closed)).replace("{contact_id:int}", str(contact))
        path = path.replace("{point_id:int}", str(point))
        answer = browser.request(method, path, headers=FROM_US, follow_redirects=False)
        assert answer.status_code == 404, (method, path)
        tried += 1
    assert tried >= 15


def test_the_list_is_searched_in_either_alphabet_and_narrowed(
    signed_in: SignedIn, ids: dict[str, int]
) -> None:
    browser = signed_in("head")
    for text in ("stroimas", "Строй", "STROYMASH", "vandenis", "info@stroymash"):
        found = browser.get("/clients", params={"q": text}, headers=HTMX).text
        wanted = ids["vandenis" if text == "vandenis" else "stroymash"]
        assert f'href="/clients/{wanted}"' in found, text
    mine = browser.get("/clients?curator=nobody&region=Vilnius", headers=HTMX).text
    assert f'href="/clients/{ids["vandenis"]}"' not in mine


def test_the_list_goes_on_in_each_order(signed_in: SignedIn, engine: sa.Engine) -> None:
    with transaction(engine) as session:
        session.add_all(Account(name=f"UAB Klientas {n:03}") for n in range(70))
    browser = signed_in("head")
    for order in ("name", "lately", "new"):
        first = browser.get(f"/clients?order={order}").text
        on = first.split('class="btn" hx-get="')[1].split('"')[0].replace("&amp;", "&")
        second = browser.get(on, headers=HTMX).text
        pages = [
            {part.split('"')[0] for part in text.split('href="/clients/')[1:]} for text in (first, second)
        ]
        rows = [{one for one in found if one.isdecimal()} for found in pages]
        assert len(rows[0]) == 50
        assert len(rows[1]) >= 24
        assert rows[0] & rows[1] == set()


def test_a_page_takes_the_same_number_of_queries_however_much_is_in_it(
    signed_in: SignedIn, engine: sa.Engine, world: World, ids: dict[str, int]
) -> None:
    browser, place = signed_in("agent"), f"/clients/{ids['vandenis']}"
    with transaction(engine) as session:
        session.add(Contact(account_id=ids["vandenis"], name="Antras Asmuo"))
    few = fewest_queries(engine, lambda: browser.get(place))
    with transaction(engine) as session:
        for number in range(20):
            contact = Contact(
                account_id=ids["vandenis"], name=f"Vardas {number}",
                points=[ContactPoint(kind="email", value=f"n{number}@vandenis.example")],
            )  # fmt: skip
            session.add_all([contact, Task(title="Skambutis", account_id=ids["vandenis"])])
    assert fewest_queries(engine, lambda: browser.get(place)) == few <= 45


def test_a_field_is_filled_in_place_says_by_whom_and_is_undone(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int]
) -> None:
    browser, place = signed_in("agent"), f"/clients/{ids['vandenis']}"
    assert 'name="value"' in browser.get(f"{place}/edit?field=employees", headers=HTMX).text
    answer = browser.post(
        f"{place}/field", data={"field": "employees", "value": "120", "was": ""}, headers=HTMX
    )
    assert _account(engine, ids["vandenis"]).employees == 120
    assert "Įrašė Rūta Kazlauskienė" in browser.get(place).text
    toast = _toast(answer)
    browser.post(toast["undo"], data=toast["values"], headers=HTMX)
    assert _account(engine, ids["vandenis"]).employees is None


def test_two_colleagues_do_not_write_over_each_other(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int]
) -> None:
    place = f"/clients/{ids['vandenis']}/field"
    signed_in("head").post(place, data={"field": "region", "value": "Kaunas", "was": "Vilnius"}, headers=HTMX)
    answer = signed_in("agent").post(
        place, data={"field": "region", "value": "Šiauliai", "was": "Vilnius"}, headers=HTMX
    )
    assert answer.status_code == 409
    assert _account(engine, ids["vandenis"]).region == "Kaunas"


@pytest.mark.parametrize(
    ("field", "value"),
    [("employees", "many"), ("country", "Lietuva"), ("name", " "), ("curator_id", "999999")],
)
def test_what_a_field_cannot_hold_is_told(
    field: str, value: str, signed_in: SignedIn, ids: dict[str, int]
) -> None:
    place = f"/clients/{ids['vandenis']}/field"
    assert (
        signed_in("agent").post(place, data={"field": field, "value": value}, headers=HTMX).status_code == 422
    )


def test_an_address_is_added_made_the_main_one_and_taken_away_with_undo(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int]
) -> None:
    browser, place = signed_in("agent"), f"/clients/{ids['vandenis']}"
    with transaction(engine) as session:
        contact = session.scalars(sa.select(Contact.id).where(Contact.account_id == ids["vandenis"])).one()
    given = {"kind": "email", "value": "Ona@Vandenis.example", "note": "asmeninis"}
    browser.post(f"{place}/contacts/{contact}/points", data=given, headers=HTMX)
    again = browser.post(f"{place}/contacts/{contact}/points", data=given, headers=HTMX)
    assert again.status_code == 409
    with transaction(engine) as session:
        point = session.scalars(
            sa.select(ContactPoint.id).where(ContactPoint.value == "ona@vandenis.example")
        ).one()
    browser.post(f"{place}/points/{point}/main", headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Contact, contact).email == "ona@vandenis.example"
    toast = _toast(browser.post(f"{place}/points/{point}/remove", headers=HTMX))
    browser.post(toast["undo"], data=toast["values"], headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Contact, contact).email == "ona@vandenis.example"


def test_only_who_was_taken_off_a_client_is_put_back(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int]
) -> None:
    browser, place = signed_in("head"), f"/clients/{ids['vandenis']}"
    with transaction(engine) as session:
        stranger = Contact(name="Kitas")
        session.add(stranger)
        session.flush()
        other = stranger.id
        whose = sa.select(Contact.id).where(Contact.account_id == ids["vandenis"]).limit(1)
        own = session.scalars(whose).one()
    assert browser.post(f"{place}/contacts/{other}/attach", headers=HTMX).status_code == 404
    undo = _toast(browser.post(f"{place}/contacts/{own}/detach", headers=HTMX))["undo"]
    elsewhere = f"/clients/{ids['stroymash']}/contacts/{own}/attach"
    assert browser.post(elsewhere, headers=HTMX).status_code == 404
    browser.post(undo, headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Contact, own).account_id == ids["vandenis"]


def test_a_double_is_shown_with_its_reason_merged_and_separated(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int], double: int
) -> None:
    browser, place = signed_in("head"), f"/clients/{ids['stroymash']}"
    assert f'href="{place}/merge?other={double}"' in browser.get(place).text
    assert "Stroimaš, UAB" in browser.get(f"{place}/merge?other={double}", headers=HTMX).text
    toast = _toast(browser.post(f"{place}/merge", data={"other": double}, headers=HTMX))
    assert "Stroimaš, UAB" in browser.get(place).text
    moved = browser.get(f"/clients/{double}", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (303, place)
    told = browser.get(f"{place}/export").content
    assert len(json.loads(zipfile.ZipFile(io.BytesIO(told)).read("client.json"))["client_merge"]) == 1
    browser.post(toast["undo"], headers=HTMX)
    told = browser.get(f"{place}/export").content
    assert json.loads(zipfile.ZipFile(io.BytesIO(told)).read("client.json"))["client_merge"] == []
    assert _account(engine, double).name == "Stroimaš, UAB"
    with transaction(engine) as session:
        deeds = session.scalars(sa.select(AuditEntry.deed).where(AuditEntry.kind == "client")).all()
    assert deeds == ["merged", "exported", "separated", "exported"]


def test_who_may_not_see_both_cannot_merge_them(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int], double: int
) -> None:
    with transaction(engine) as session:
        session.execute(sa.delete(Conversation).where(Conversation.account_id == double))
    browser = signed_in("mate")
    answer = browser.post(f"/clients/{ids['stroymash']}/merge", data={"other": double}, headers=HTMX)
    assert answer.status_code == 404
    assert _account(engine, double).name == "Stroimaš, UAB"


def test_two_that_are_kept_apart_are_not_shown_again_until_undone(
    signed_in: SignedIn, ids: dict[str, int], double: int
) -> None:
    browser, place = signed_in("head"), f"/clients/{ids['stroymash']}"
    given = {"kind": "account", "one": ids["stroymash"], "other": double}
    toast = _toast(browser.post(f"{place}/apart", data=given, headers=HTMX))
    assert f"merge?other={double}" not in browser.get(place).text
    browser.post(toast["undo"], data=toast["values"], headers=HTMX)
    assert f"merge?other={double}" in browser.get(place).text


def test_a_deal_and_a_task_are_made_from_the_clients_page(
    signed_in: SignedIn, engine: sa.Engine, ids: dict[str, int]
) -> None:
    browser, place = signed_in("agent"), f"/clients/{ids['balticheat']}"
    answer = browser.post(f"{place}/deal", data={"title": "Šildymas"}, follow_redirects=False)
    with transaction(engine) as session:
        deal = session.scalars(sa.select(Deal).where(Deal.title == "Šildymas")).one()
        assert (deal.account_id, answer.headers["location"]) == (ids["balticheat"], f"/deals/{deal.id}")
    browser.post(f"{place}/task", data={"title": "Paskambinti", "kind": "call"}, headers=HTMX)
    with transaction(engine) as session:
        assert (
            session.scalars(sa.select(Task.account_id).where(Task.title == "Paskambinti")).one()
            == ids["balticheat"]
        )


def test_the_history_is_narrowed_and_hides_other_peoples_words(
    signed_in: SignedIn, world: World, ids: dict[str, int]
) -> None:
    place = f"/clients/{ids['vandenis']}/history"
    text = signed_in("agent").get(place, headers=HTMX).text
    assert world.talks["own"].subject in text
    only = signed_in("agent").get(f"{place}?show=deals", headers=HTMX).text
    assert world.talks["own"].subject not in only
    assert "stage_change" in only
    nordic = signed_in("support").get(f"/clients/{ids['nordicfoods']}/history", headers=HTMX).text
    assert world.talks["support"].subject in nordic
    assert world.talks["curated"].subject not in nordic
    assert signed_in("agent").get(f"{place}?before=yesterday", headers=HTMX).status_code == 422


def test_a_clients_data_is_handed_out_whole_and_noted(
    signed_in: SignedIn, engine: sa.Engine, world: World, ids: dict[str, int]
) -> None:
    assert signed_in("agent").get(f"/clients/{ids['vandenis']}/export").status_code == 403
    answer = signed_in("head").get(f"/clients/{ids['vandenis']}/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = json.loads(archive.read("client.json"))
        letters = [name for name in archive.namelist() if name.startswith("letters/")]
    assert told["account"][0]["name"] == "UAB „Vandenis“"
    assert len(told["message"]) == len(letters) >= 2
    assert {"contact", "contact_point", "deal", "product_interest"} <= {
        name for name, rows in told.items() if rows
    }
    with transaction(engine) as session:
        assert session.scalars(sa.select(AuditEntry.deed).where(AuditEntry.kind == "client")).all() == [
            "exported"
        ]
