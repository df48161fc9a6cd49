"""Approvals and files on the screens: who sees what, one key approves, a client downloads by a button."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from core import demofiles, outbox
from core.accounts import Channel
from core.approvalasks import Approval, ApprovalRule, Cause, asked_by
from core.config import Settings
from core.db import transaction
from core.demofiles import DemoFile
from core.downloads import Deed, DemoVisit
from core.fileasks import DemoLink
from core.outbox import Delivery, Draft
from core.staff import StaffMember
from outbound.filelinks import BadFileLink, FileLinks
from templates.rendered import render_email
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}
CHROME = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML) Chrome/130 Safari/537.36"}


def ask(browser: Browser, world: World, head: str, **more: str) -> None:
    """Write to a client and want the head's word first."""
    talk = world.talks["own"].id
    given = {"key": "k1", "body": "Laba diena", "subject": "Kainos", "approver": f"person:{head}"} | more
    answer = browser.post(f"/conversations/{talk}/answer", data=given, headers=HTMX)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def asked(signed_in: SignedIn, engine: sa.Engine, world: World) -> int:
    """The number of a question that the agent asked the head."""
    ask(signed_in("agent"), world, world.staff["head"].email)
    with transaction(engine) as session:
        return session.scalars(sa.select(Approval.id)).one()


def states(engine: sa.Engine) -> tuple[str, str]:
    """Where the question and its letter stand."""
    with transaction(engine) as session:
        row = session.execute(
            sa.select(Approval.state, Delivery.state).join(Delivery, Delivery.id == Approval.delivery_id)
        ).one()
        return row[0].value, row[1].value


def seen_in(shown: str) -> str:
    """What the form says was read."""
    return shown.split('name="seen" value="')[1].split('"')[0]


def test_a_letter_that_was_changed_after_it_was_read_is_not_approved(
    signed_in: SignedIn, engine: sa.Engine, asked: int
) -> None:
    head = signed_in("head")
    seen = seen_in(head.get(f"/review?item=approval-{asked}").text)
    words = {"subject": "Kainos", "body": "Visai kas kita"}
    signed_in("agent").post(f"/approvals/{asked}/edit", data=words, headers=HTMX)
    assert head.post(f"/approvals/{asked}/approve", data={"seen": seen}, headers=HTMX).status_code == 409
    assert states(engine) == ("waiting", "held")


def test_a_held_letter_of_a_restored_database_is_not_sent_again_without_a_word(
    signed_in: SignedIn, engine: sa.Engine, asked: int
) -> None:
    with transaction(engine) as session:
        number = session.scalars(sa.select(Approval.delivery_id)).one()
        session.execute(sa.update(Delivery).where(Delivery.id == number).values(state="uncertain"))
    again = signed_in("agent").post(f"/uncertain/{number}", data={"decision": "again"}, headers=HTMX)
    assert again.status_code == 422
    assert states(engine) == ("waiting", "uncertain")


def test_the_head_is_asked_and_approves_with_one_key(
    signed_in: SignedIn, engine: sa.Engine, asked: int
) -> None:
    head = signed_in("head")
    shown = head.get(f"/review?item=approval-{asked}").text
    assert "Laba diena" in shown
    assert 'data-pick="1" data-accept' in shown
    answer = head.post(f"/approvals/{asked}/approve", data={"seen": seen_in(shown)}, headers=HTMX)
    assert states(engine) == ("approved", "queued")
    with transaction(engine) as session:
        assert session.scalars(sa.select(Delivery.versions).join(Approval)).one() == {"email/answer": None}
    head.post(json.loads(answer.headers["hx-trigger"])["toast"]["undo"], headers=HTMX)
    assert states(engine) == ("waiting", "held")


def test_a_text_is_shown_as_it_will_be_sent_with_the_parts_it_costs(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    head = world.staff["head"]
    with transaction(engine) as session:
        draft = Draft(
            "s", "+37061200001", channel=Channel.SMS, language="lt", template="offer_sent",
            values={"deal": {"title": "Siurbliai"}},
            approver=asked_by(Cause.STEP, f"person:{head.email}"),
        )  # fmt: skip
        outbox.queue(session, draft)
        number = session.scalars(sa.select(Approval.id)).one()
    shown = signed_in("head").get(f"/review?item=approval-{number}").text
    assert "SMS ·" in shown
    assert "pasiūlymą „Siurbliai“" in shown


def test_what_came_back_is_shown_to_who_asked_with_the_note(
    signed_in: SignedIn, engine: sa.Engine, asked: int, world: World
) -> None:
    signed_in("head").post(f"/approvals/{asked}/return", data={"note": "Nurodyk terminą"}, headers=HTMX)
    agent = signed_in("agent")
    assert "Nurodyk terminą" in agent.get(f"/review?item=returned-{asked}").text
    assert "Nurodyk terminą" in agent.get(f"/conversations/{world.talks['own'].id}").text
    agent.post(f"/approvals/{asked}/edit", data={"subject": "Kainos", "body": "Per 5 dienas"}, headers=HTMX)
    agent.post(f"/approvals/{asked}/again", headers=HTMX)
    assert states(engine) == ("waiting", "held")
    assert "Per 5 dienas" in signed_in("head").get(f"/review?item=approval-{asked}").text


def test_nobody_else_sees_or_decides_it(signed_in: SignedIn, engine: sa.Engine, asked: int) -> None:
    for name in ("other", "support"):
        browser = signed_in(name)
        assert f"approval-{asked}" not in browser.get("/approvals").text
        assert browser.post(f"/approvals/{asked}/approve", headers=HTMX).status_code == 404
    assert signed_in("agent").post(f"/approvals/{asked}/approve", headers=HTMX).status_code == 403
    assert states(engine) == ("waiting", "held")


def test_a_cancelled_letter_asks_nobody_any_more(signed_in: SignedIn, engine: sa.Engine, asked: int) -> None:
    with transaction(engine) as session:
        number = session.scalars(sa.select(Approval.delivery_id)).one()
    signed_in("agent").post(f"/deliveries/{number}/cancel", headers=HTMX)
    assert states(engine) == ("withdrawn", "cancelled")


def test_leaders_say_which_letters_wait(signed_in: SignedIn, engine: sa.Engine) -> None:
    head = signed_in("head")
    given = {"template": "commercial_offer", "approver": "role:head", "least_total": "1,000.50"}
    assert head.post("/approvals/rules", data=given, headers=HTMX).status_code == 200
    with transaction(engine) as session:
        rule = session.get_one(ApprovalRule, "commercial_offer")
        assert (rule.approver, str(rule.least_total)) == ("role:head", "1000.50")
    assert "1000.50" in head.get("/approvals").text
    refused = head.post("/approvals/rules", data=given | {"approver": "everybody"}, headers=HTMX)
    assert refused.status_code == 422


@pytest.fixture
def link(engine: sa.Engine, desk_settings: Settings, world: World) -> str:
    """The path of a link that an agent's letter brought to a client who reads Lithuanian."""
    with transaction(engine) as session:
        agent = session.get_one(StaffMember, world.staff["agent"].id)
        file = demofiles.add(
            session, title="Siurblio demonstracija", filename="demo ąž.mp4", content_type="video/mp4",
            data=b"film", by=agent.id,
        )  # fmt: skip
        outbox.queue(
            session,
            Draft(
                "k", "ona@vandenis.example", files=[file.id], language="lt",
                conversation_id=world.talks["own"].id,
            ),
        )  # fmt: skip
        key = session.scalars(sa.select(DemoLink.key)).one()
    company = desk_settings.company
    links = FileLinks(desk_settings.signing_key(), company.public_url, ZoneInfo(company.timezone))
    return links.link(key).removeprefix(company.public_url)


def visits(engine: sa.Engine) -> list[tuple[str, str]]:
    """What was done with links, and by whom."""
    with transaction(engine) as session:
        query = sa.select(DemoVisit.deed, DemoVisit.visitor).order_by(DemoVisit.id)
        return [(deed.value, visitor.value) for deed, visitor in session.execute(query)]


def test_looking_downloads_nothing_and_the_button_does(
    visitor: Browser, engine: sa.Engine, link: str
) -> None:
    shown = visitor.get(link, headers=CHROME)
    assert 'lang="lt"' in shown.text
    assert "Siurblio demonstracija" in shown.text
    assert visits(engine) == [("looked", "unclear")]
    file = visitor.post(link, headers=CHROME)
    assert (file.content, file.headers["content-type"]) == (b"film", "application/octet-stream")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''demo%20%C4%85%C5%BE.mp4"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert visits(engine)[1][0] == Deed.DOWNLOADED


def test_an_expired_and_a_withdrawn_link_give_nothing(
    visitor: Browser, signed_in: SignedIn, engine: sa.Engine, link: str
) -> None:
    with transaction(engine) as session:
        number = session.scalars(sa.select(DemoLink.id)).one()
    agent = signed_in("agent")
    answer = agent.post(f"/links/{number}/revoke", headers=HTMX)
    assert visitor.post(link, headers=CHROME).status_code == 410
    agent.post(json.loads(answer.headers["hx-trigger"])["toast"]["undo"], headers=HTMX)
    assert visitor.get(link, headers=CHROME).status_code == 200
    with transaction(engine) as session:
        session.execute(sa.update(DemoLink).values(expires_at=sa.func.now()))
    assert visitor.get(link, headers=CHROME).status_code == 410
    assert visitor.post(link, headers=CHROME).content != b"film"


@pytest.mark.parametrize("token", ["x", "AAAA.BBBB", "é" * 40, "a." * 500])
def test_a_link_that_is_not_ours_is_told_so(visitor: Browser, engine: sa.Engine, token: str) -> None:
    assert visitor.get(f"/d/{token}").status_code == 404
    assert visits(engine) == []


def test_a_file_is_uploaded_described_and_put_away(signed_in: SignedIn, engine: sa.Engine) -> None:
    agent = signed_in("agent")
    given = {"title": "Demo", "language": "lt", "days": "30", "with_brochure": "1"}
    files = {"file": ("demo.mp4", b"film", "video/mp4")}
    agent.post("/files", data=given, files=files)
    with transaction(engine) as session:
        file = session.scalars(sa.select(DemoFile)).one()
        assert (file.title, file.language, file.days, file.templates) == ("Demo", "lt", 30, ["brochure"])
    assert "Demo" in agent.get("/files").text
    agent.post(f"/files/{file.id}/away", headers=HTMX)
    with transaction(engine) as session:
        assert demofiles.offered(session) == []


def test_a_letter_offers_its_files_before_its_signature() -> None:
    links = FileLinks("k" * 40, "https://desk.example/", ZoneInfo("Europe/Vilnius"))
    files = [{"key": "ab" * 16, "name": "Demo <1>", "size": 3_400_000, "until": "2026-12-07T10:00:00+00:00"}]
    values = {
        "client": {"name": "Ona"}, "staff": {"name": "Rūta"}, "company": {"name": "Siurbliai"},
        "answer": {"subject": "Demo", "text": "Štai"}, "conversation": {"quoted": ""},
    }  # fmt: skip
    plain = render_email("answer", "lt", values)
    letter = links.offered(plain, files)
    assert links.offered(plain, []) is plain
    url = links.link("ab" * 16)
    assert letter.text.index("Štai") < letter.text.index(url) < letter.text.index("Pagarbiai")
    assert "Demo <1> (3,4 MB), iki 2026 m. gruodžio 7 d." in letter.text.replace("\u00a0", " ")
    assert letter.html.index(url) < letter.html.index('<div class="signature"')
    assert "Demo &lt;1&gt;" in letter.html
    assert links.read(url.rpartition("/")[2]) == "ab" * 16
    with pytest.raises(BadFileLink):
        links.read(url.rpartition("/")[2][:-1])


def test_the_pdf_of_an_offer_is_seen_before_it_has_a_number(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    head = signed_in("head")
    head.post(
        "/approvals/rules", data={"template": "commercial_offer", "approver": "role:head"}, headers=HTMX
    )
    ask(signed_in("agent"), world, world.staff["head"].email, template="commercial_offer")
    with transaction(engine) as session:
        number = session.scalars(sa.select(Approval.id)).one()
    made = head.get(f"/approvals/{number}/document/commercial_offer")
    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")
    assert head.get(f"/approvals/{number}/document/brochure").status_code == 404
