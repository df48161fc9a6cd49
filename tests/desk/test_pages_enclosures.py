"""Files from a colleague's computer: beside an answer, sent with it, kept with a draft, back when undone."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from core.approvals import Approval
from core.conversations import Attachment
from core.db import transaction
from core.enclosures import Enclosure
from core.limits import LETTER_FILES, LETTER_FILES_BYTES
from core.outbox import Delivery, DeliveryState
from desk.sessions import COOKIE
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
NAME = "Договор поставки №7.docx"
BYTES = b"PK\x03\x04 contract"


def _lay(browser: Browser, talk: int, *files: tuple[str, bytes], code: int = 200) -> str:
    given = [("attach", (name, data, "application/octet-stream")) for name, data in files]
    answer = browser.post(f"/conversations/{talk}/enclosures", files=given, headers=HTMX)
    assert answer.status_code == code, answer.text
    return answer.text


def _numbers(text: str) -> list[str]:
    return re.findall(r'name="(enclosure_\d+)"', text)


def _send(browser: Browser, talk: int, *names: str, code: int = 200, **more: str) -> dict[str, Any]:
    given = {"body": "Siunčiu sutartį.", "subject": "Sutartis", "language": "lt", "key": "k1"}
    given |= dict.fromkeys(names, "1") | more
    answer = browser.post(f"/conversations/{talk}/answer", data=given, headers=HTMX)
    assert answer.status_code == code, answer.text
    return json.loads(answer.headers["hx-trigger"]) if code == 200 else {}


def test_a_file_stays_beside_the_draft_goes_with_the_answer_and_is_downloaded_from_the_history(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    _lay(browser, talk, (NAME, BYTES))
    (name,) = _numbers(browser.get(f"/conversations/{talk}").text)
    _send(browser, talk, name)
    shown = browser.get(f"/conversations/{talk}").text
    assert _numbers(shown) == []
    with transaction(engine) as session:
        attachment = session.scalars(sa.select(Attachment).where(Attachment.name == NAME)).one()
    assert f'href="/attachments/{attachment.id}"' in shown
    assert browser.get(f"/attachments/{attachment.id}").content == BYTES
    assert signed_in("other").get(f"/attachments/{attachment.id}").status_code == 404


def test_an_answer_that_was_taken_back_has_its_files_beside_it_again(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    names = _numbers(_lay(browser, talk, (NAME, BYTES)))
    told = _send(browser, talk, *names)
    again = browser.post(told["toast"]["undo"], data=told["toast"].get("values") or {}, headers=HTMX)
    assert "rewrite" in json.loads(again.headers["hx-trigger"])
    assert _numbers(browser.get(f"/conversations/{talk}").text) == names
    _send(browser, talk, *names, key="k2")
    with transaction(engine) as session:
        carrier = session.scalars(
            sa.select(Delivery.state).join(Enclosure, Enclosure.delivery_id == Delivery.id)
        ).one()
        assert carrier == DeliveryState.QUEUED


def test_nobody_sends_removes_or_sees_the_file_of_another(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, head, talk = signed_in("agent"), signed_in("head"), world.talks["own"].id
    (name,) = _numbers(_lay(browser, talk, (NAME, BYTES)))
    assert _numbers(head.get(f"/conversations/{talk}").text) == []
    _send(head, talk, name, code=409)
    number = name.removeprefix("enclosure_")
    assert head.post(f"/enclosures/{number}/remove", headers=HTMX).status_code == 404
    with transaction(engine) as session:
        assert session.scalars(sa.select(Delivery.id).where(Delivery.subject == "Sutartis")).all() == []
    assert _numbers(browser.post(f"/enclosures/{number}/remove", headers=HTMX).text) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [("Kaina.pdf.EXE", b"MZ"), ("a.js", b"1"), ("b.bat. ", b"1"), ("c.scr", b"1"), ("d", b"")],
)
def test_what_a_clients_server_would_refuse_is_not_taken(
    signed_in: SignedIn, world: World, name: str, data: bytes
) -> None:
    shown = _lay(signed_in("agent"), world.talks["own"].id, (name, data), code=422)
    assert 'role="alert"' in shown
    assert _numbers(shown) == []


def test_a_letter_brings_so_many_files_and_so_many_bytes(signed_in: SignedIn, world: World) -> None:
    browser, talk = signed_in("head"), world.talks["own"].id
    shown = _lay(browser, talk, *((f"{one}.txt", b"%d" % one) for one in range(LETTER_FILES)))
    assert len(_numbers(shown)) == LETTER_FILES
    assert len(_numbers(_lay(browser, talk, ("11.txt", b"11"), code=422))) == LETTER_FILES
    other = world.talks["urgent"].id
    _lay(browser, other, ("half.bin", bytes(LETTER_FILES_BYTES)))
    assert len(_numbers(_lay(browser, other, ("more.bin", b"1"), code=422))) == 1


def test_a_browser_without_scripts_sends_the_file_with_the_answer(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    words = {"body": "Siunčiu.", "subject": "Sutartis", "language": "lt", "key": "k1"}
    files = {"attach": ("../../Sąmata.pdf", BYTES, "application/pdf")}
    answer = browser.post(f"/conversations/{talk}/answer", data=words, files=files, follow_redirects=False)
    assert answer.status_code == 303
    with transaction(engine) as session:
        sent = session.scalars(sa.select(Enclosure).where(Enclosure.delivery_id.is_not(None))).one()
        assert (sent.name, sent.content_type) == ("Sąmata.pdf", "application/pdf")


def test_a_first_letter_brings_its_file(signed_in: SignedIn, engine: sa.Engine, world: World) -> None:
    browser, talk = signed_in("agent"), world.talks["own"]
    at = f"/clients/{talk.account_id}"
    browser.post(f"{at}/enclosures", files={"attach": (NAME, BYTES)}, headers=HTMX)
    (name,) = _numbers(browser.get(f"{at}/letter").text)
    words = {"contact_id": str(talk.contact_id), "subject": "Nauja", "body": "Štai.", "key": "k", name: "1"}
    assert browser.post(f"{at}/letter", data=words, follow_redirects=False).status_code == 303
    with transaction(engine) as session:
        subject = sa.select(Delivery.subject).join(Enclosure, Enclosure.delivery_id == Delivery.id)
        assert session.scalars(subject).all() == ["Nauja"]


def test_whoever_is_asked_for_their_word_sees_what_goes_along(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    browser, talk = signed_in("agent"), world.talks["own"].id
    names = _numbers(_lay(browser, talk, (NAME, BYTES)))
    _send(browser, talk, *names, approver=f"person:{world.staff['head'].email}")
    with transaction(engine) as session:
        asked = session.scalars(sa.select(Approval.id)).one()
    assert NAME in signed_in("head").get(f"/review?item=approval-{asked}").text


def test_the_served_desk_reads_a_letter_with_its_files_once(
    address: str, signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    cookies = {COOKIE: signed_in("agent").cookies[COOKIE]}
    words = {"body": "Siunčiu.", "subject": "Sutartis", "language": "lt", "key": "k1"}
    at = f"{address}/conversations/{world.talks['own'].id}/answer"
    answer = httpx.post(
        at,
        data=words,
        files={"attach": (NAME, BYTES)},
        cookies=cookies,
        headers={"origin": address},
        timeout=60,
    )
    assert answer.status_code == 303, answer.text
