"""Segments, lists and imports on their screens."""

from __future__ import annotations

import csv
import io
import re

import pytest
import sqlalchemy as sa

from core import segments
from core.db import transaction
from core.imports_rows import Import, ImportState
from core.lists import ContactList, ContactListMember
from core.segments import Segment
from core.segments_language import parse
from desk import segmentform
from desk.segmentform import Pressed
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
FILE = "Vardas;Pavardė;El. paštas;Įmonė\nOna;Žukauskaitė;ona@nauja.example;UAB „Nauja“\n;;blogas;\n"


def test_a_form_of_conditions_is_read_and_written_alike() -> None:
    fields = {
        "mode:": "all",
        "fact:1": "bought", "was:1": "bought", "v:1:products:pump-cr": "on", "p:1:days": "90", "not:1": "1",
        "mode:2": "any",
        "fact:2.1": "region", "was:2.1": "region", "v:2.1:values:Vilnius": "on",
        "t:2.1:values": "Kaunas, Alytus",
        "fact:2.2": "wrote", "was:2.2": "wrote", "p:2.2:when": "never", "p:2.2:days": "5",
    }  # fmt: skip
    data = segmentform.read(fields)
    assert data["of"] == [
        {"fact": "bought", "products": ["pump-cr"], "days": 90, "not": True},
        {
            "group": "any",
            "of": [
                {"fact": "region", "values": ["Vilnius", "Kaunas", "Alytus"]},
                {"fact": "wrote", "when": "never"},
            ],
        },
    ]
    parse(data)


def test_another_fact_begins_with_its_own_parameters() -> None:
    data = segmentform.read({"mode:": "all", "fact:1": "silence", "was:1": "region", "v:1:values:X": "on"})
    assert data["of"] == [{"fact": "silence", "days": 60}]


@pytest.mark.parametrize("fact", sorted(segmentform.WIDGETS))
def test_every_fact_can_be_filled_in(fact: str) -> None:
    assert {name for name, _widget in segmentform.WIDGETS[fact]} <= {
        "values", "products", "stages", "reasons", "days", "when", "channel", "state", "list", "least",
        "most", "confidence", "outcome",
    }  # fmt: skip
    assert fact in {key for _title, facts in segmentform.GROUPS for key, _name in facts}


def test_conditions_and_groups_are_added_and_removed() -> None:
    data = segmentform.read({"mode:": "all", "fact:1": "silence", "was:1": "silence", "p:1:days": "3"})
    data = segmentform.after(data, Pressed("group"))
    data = segmentform.after(data, Pressed("add", (2,)))
    assert [len(data["of"]), len(data["of"][1]["of"])] == [2, 2]
    data = segmentform.after(data, Pressed("remove", (2, 1)))
    data = segmentform.after(data, Pressed("remove", (1,)))
    data = segmentform.after(data, Pressed("remove", (7, 7)))
    assert data["of"] == [{"group": "any", "of": [{"fact": "region"}]}]


def test_the_ready_ones_stand_there_as_sentences(signed_in: SignedIn) -> None:
    text = signed_in("marketing").get("/segments").text
    for part in ("Vėstantys klientai", "su klientu nebendrauta ilgiau kaip 60 dienų", "„Valdymo skydas S“"):
        assert part in text, part


def test_a_segment_is_drafted_counted_saved_changed_and_undone(
    signed_in: SignedIn, engine: sa.Engine
) -> None:
    browser = signed_in("marketing")
    fields = {"name": "Lietuviai", "mode:": "all", "fact:1": "language", "was:1": "language"}
    text = browser.post("/segments/draft", data=fields, headers=HTMX).text
    assert "Čia kažko trūksta" in text
    fields["v:1:values:lt"] = "on"
    text = browser.post("/segments/draft", data=fields, headers=HTMX).text
    assert "Kontaktai, kuriems galioja: kontakto kalba – lietuvių." in text
    assert "Ona Žukauskaitė" in text
    answer = browser.post("/segments/draft", data=fields | {"act": "save"}, headers=HTMX)
    number = int(re.findall(r"/segments/(\d+)", answer.headers["hx-redirect"])[0])
    changed = {"v:1:values:ru": "on"} | fields
    changed |= {"segment_id": str(number), "revision": "1", "act": "save"}
    browser.post("/segments/draft", data=changed, headers=HTMX)
    with transaction(engine) as session:
        (leaf,) = session.get_one(Segment, number).conditions["of"]
        assert set(leaf["values"]) == {"lt", "ru"}
    late = browser.post("/segments/draft", data=changed, headers=HTMX)
    assert late.status_code == 409
    browser.post(f"/segments/{number}/undo", headers=HTMX)
    with transaction(engine) as session:
        segment = session.get_one(Segment, number)
        assert segment.conditions["of"] == [{"fact": "language", "values": ["lt"]}]
        assert segments.refresh(session, segment) > 0


def test_a_segment_without_a_name_is_not_saved(signed_in: SignedIn) -> None:
    fields = {"name": " ", "mode:": "all", "act": "save"}
    answer = signed_in("marketing").post("/segments/draft", data=fields, headers=HTMX)
    assert "hx-redirect" not in answer.headers
    assert 'role="alert"' in answer.text


def test_a_segment_that_is_put_away_comes_back(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("head")
    browser.get("/segments")
    with transaction(engine) as session:
        number = segments.in_use(session)[0].id
    browser.post(f"/segments/{number}/archive", headers=HTMX)
    assert browser.get(f"/segments/{number}").status_code == 404
    browser.post(f"/segments/{number}/restore", headers=HTMX)
    assert browser.get(f"/segments/{number}").status_code == 200


def test_a_segment_leaves_as_a_file_without_formulas(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        contact = session.merge(world.talks["own"].contact)
        contact.name = "=cmd|' /C calc'!A0"
        everybody = {"version": 1, "group": "all", "of": [{"fact": "language", "values": ["lt"]}]}
        number = segments.add(session, "All", parse(everybody)).id
    answer = signed_in("marketing").get(f"/segments/{number}/export")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))
    names = [row[0] for row in rows]
    assert "'=cmd|' /C calc'!A0" in names
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@"}]
    assert signed_in("marketing").get(f"/segments/{number}/export?as=xlsx").content[:2] == b"PK"


def test_a_file_is_imported_after_a_look_and_taken_back(signed_in: SignedIn, engine: sa.Engine) -> None:
    browser = signed_in("marketing")
    sent = browser.post(
        "/imports", files={"file": ("kontaktai.csv", FILE.encode(), "text/csv")}, follow_redirects=False
    )
    place = sent.headers["location"]
    text = browser.get(place).text
    for part in ("kontaktai.csv", "Ona Žukauskaitė", "Tai ne el. pašto adresas."):
        assert part in text, part
    columns = {f"column:{n}": name for n, name in enumerate(("first_name", "last_name", "email", "company"))}
    browser.post(f"{place}/run", data=columns | {"list_name": "Mugė"}, headers=HTMX)
    with transaction(engine) as session:
        one = session.scalars(sa.select(Import)).one()
        assert (one.state, one.counts["added"], one.counts["refused"]) == (ImportState.DONE, 1, 1)
        assert session.scalar(sa.select(sa.func.count()).select_from(ContactListMember)) == 1
    refused = browser.get(f"{place}/refused").content.decode("utf-8-sig")
    assert "blogas" in refused
    browser.post(f"{place}/undo", headers=HTMX)
    with transaction(engine) as session:
        assert session.scalars(sa.select(Import)).one().state == ImportState.UNDONE
        assert session.scalar(sa.select(sa.func.count()).select_from(ContactListMember)) == 0


def test_a_file_that_is_no_table_is_refused_with_its_reason(signed_in: SignedIn) -> None:
    files = {"file": ("x.xlsx", b"PK\x03\x04nonsense", "application/octet-stream")}
    answer = signed_in("marketing").post("/imports", files=files)
    assert answer.status_code == 422


def test_a_list_is_made_filled_and_emptied(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    ona = world.talks["own"].contact
    assert ona is not None
    browser = signed_in("marketing")
    browser.post("/lists", data={"name": "Mugė"}, headers=HTMX)
    with transaction(engine) as session:
        number = session.scalars(sa.select(ContactList.id)).one()
    place = f"/lists/{number}"
    addresses = {"addresses": f"{ona.email}, nobody@nowhere.example"}
    assert browser.post(f"{place}/members", data=addresses, headers=HTMX).status_code == 200
    assert "Ona Žukauskaitė" in browser.get(place).text
    with transaction(engine) as session:
        person = session.scalars(sa.select(ContactListMember.contact_id)).one()
    browser.post(f"{place}/members/{person}/remove", headers=HTMX)
    assert "Ona Žukauskaitė" not in browser.get(place).text
    browser.post(f"{place}/members/{person}/restore", headers=HTMX)
    assert "Ona Žukauskaitė" in browser.get(place).text
    browser.post(f"{place}/archive", headers=HTMX)
    assert browser.get(place).status_code == 404


@pytest.mark.parametrize("who", ["agent", "support"])
def test_those_who_answer_letters_do_not_see_the_rooms_of_marketing(signed_in: SignedIn, who: str) -> None:
    for place in ("/segments", "/lists", "/imports"):
        assert signed_in(who).get(place).status_code == 403
