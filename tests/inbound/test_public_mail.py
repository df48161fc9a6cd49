"""The public mail beside the project: everything is read, and as well as was measured."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from pathlib import Path

import pytest

from inbound import automail, bounces, calendars, forwards, mime, quoting, understanding
from inbound.parsed import UnreadableMail

MAIL = Path(__file__).parents[3] / "shared" / "data" / "mail"

pytestmark = pytest.mark.corpus


def files(pattern: str) -> list[Path]:
    return sorted(path for path in MAIL.glob(pattern) if path.is_file())


def folded(text: str) -> str:
    return " ".join(text.split())


def test_every_letter_is_understood_or_refused_in_words() -> None:
    for path in files("**/*.eml") + files("**/*.msg") + files("**/*.raw"):
        with contextlib.suppress(UnreadableMail):
            understanding.understand(path.read_bytes())


def test_the_replies_of_crisp_are_found() -> None:
    wanted = folded(json.loads((MAIL / "reply-crisp" / "expected.json").read_text("utf-8"))["expected"])
    cases = files("reply-crisp/test/fixtures/*.txt")
    right = sum(folded(quoting.split(path.read_text("utf-8")).reply) == wanted for path in cases)
    assert right == len(cases)


def test_the_replies_of_talons_html_are_found() -> None:
    for path in files("talon/**/*.html"):
        found = quoting.split("", path.read_text("utf-8", "replace"))
        assert folded(found.reply) == "Hi. I am fine. Thanks, Alex", path.name


def test_the_senders_of_forwards_are_found() -> None:
    cases = [
        text
        for path in files("forward-crisp/test/fixtures/*.txt")
        if "john.doe@acme.com" in (text := path.read_text("utf-8")) and "variant_4" not in path.name
    ]
    senders = [found.from_ for text in cases if (found := forwards.read_text(text)) is not None]
    assert sum(sender is not None and sender.address == "john.doe@acme.com" for sender in senders) == len(
        cases
    )


def test_an_answer_that_quotes_is_never_called_a_forward() -> None:
    for path in files("forward-crisp/test/fixtures/*variant_4.txt"):
        assert forwards.read_text(path.read_text("utf-8")) is None, path.name


def test_hard_bounces_are_nearly_always_hard() -> None:
    known = json.loads((MAIL / "sisimai" / "expected.json").read_text("utf-8"))
    right = wrong = 0
    for path in files("sisimai/**/*.eml"):
        raw = path.read_bytes()
        found = bounces.read(mime.parse(raw), raw)
        if found is not None and found.hard and known.get(path.name):
            hard = known[path.name][0]["hardbounce"]
            right, wrong = right + hard, wrong + (not hard)
    assert right >= 40
    assert wrong <= right / 9


def test_ham_is_never_called_a_bounce_or_an_absence() -> None:
    strange = {
        automail.Kind.BOUNCE,
        automail.Kind.COMPLAINT,
        automail.Kind.RECEIPT,
        automail.Kind.OUT_OF_OFFICE,
    }
    for path in files("spamassassin-public/**/*.txt"):
        if re.search("ham", str(path)):
            assert automail.screen(mime.parse(path.read_bytes())).kind not in strange, path.name


def test_every_winmail_dat_is_opened_or_stays_a_file() -> None:
    opened = 0
    cases = files("tnefparse/**/*.tnef") + files("mimekit/**/*.tnef")
    for path in cases:
        body = base64.encodebytes(path.read_bytes())
        head = b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
        mail = mime.parse(head + body)
        inside = [one for one in mail.attachments if "#tnef" in one.path]
        opened += bool(inside or mail.text)
        for one in inside:
            assert len(mime.attachment_bytes(head + body, one.path)) == one.size
    assert opened >= 0.8 * len(cases)


def test_nearly_every_invitation_is_read() -> None:
    cases = files("icalendar/**/*.ics")
    whole = [data for path in cases if b"BEGIN:VCALENDAR" in (data := path.read_bytes())]
    events = [data for data in whole if b"BEGIN:VEVENT" in data]
    read = sum(calendars.read(data) is not None for data in events)
    assert read >= 0.85 * len(events)
