"""A letter over the limit is kept in part: its beginning, and what its server says it holds."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa

from core.config import Settings
from core.context import Context
from core.conversations import Attachment, Message
from core.intake import RawMessage
from inbound import bodystructure
from inbound.imap import MailServer
from inbound.pipeline import understand
from tests.inbound.conftest import context_for, eventually, watching
from tests.inbound.posting import install, tools
from tests.inbound.test_mailbox import stored
from tests.servers_imap import Dovecot


def part(name: str, size: int, encoding: str = "base64") -> str:
    body = base64.encodebytes(b"\1\2\3" * (size // 3)).decode()
    return (
        f'--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="{name}"\n'
        f"Content-Transfer-Encoding: {encoding}\n\n{body}"
    )


def large(*parts: str) -> bytes:
    head = (
        "From: Ona <ona@imone.lt>\nTo: sales@siurbliai.example\nSubject: Brėžiniai\n"
        "Message-ID: <big@imone.lt>\nDate: Mon, 02 Nov 2026 10:00:00 +0200\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain; charset=utf-8\n\nSiunčiu brėžinius, kokia būtų kaina?\n"
    )
    return (head + "".join(parts) + "--b--\n").encode()


@pytest.mark.dovecot
def test_letter_over_the_limit_shows_its_words_and_all_its_files_and_says_so(
    engine: sa.Engine, settings: Settings, dovecot: Dovecot
) -> None:
    context = context_for(engine, settings, dovecot.port)
    limits = context.settings.limits.model_copy(update={"mail_bytes": 100_000})
    context = Context(settings=context.settings.model_copy(update={"limits": limits}), engine=engine)
    with context.transaction() as session:
        install(session)
    dovecot.deliver(
        "sales", [large(part("mažas.pdf", 3_000), part("planas.pdf", 300_000), part("foto.pdf", 90_000))]
    )
    with watching(context):
        eventually(lambda: stored(context) == 1)
    assert understand(context, tools(context)).understood == 1

    with context.transaction() as session:
        raw = session.scalars(sa.select(RawMessage)).one()
        message = session.scalars(sa.select(Message)).one()
        files = session.scalars(sa.select(Attachment).order_by(Attachment.id)).all()
        assert raw.truncated
        assert raw.size > 500_000 > 100_000 == len(raw.data)
        assert "truncated" in message.warnings
        assert "Siunčiu brėžinius" in message.text
        assert [(one.name, one.part) for one in files] == [
            ("mažas.pdf", "2"),
            ("planas.pdf", None),
            ("foto.pdf", None),
        ]
        assert [round(one.size, -3) for one in files] == [3_000, 300_000, 90_000]


@pytest.mark.dovecot
def test_server_describes_attached_letters_and_nameless_pictures_too(
    engine: sa.Engine, settings: Settings, dovecot: Dovecot
) -> None:
    inner = "--b\nContent-Type: message/rfc822\n\nSubject: sena\nFrom: a@b.lt\n\nlabas\n"
    picture = "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n"
    dovecot.deliver("sales", [large(inner, picture)])
    context = context_for(engine, settings, dovecot.port)
    server = MailServer.sign_in(context.settings.mailboxes[0])
    try:
        server.open("INBOX")
        found = server.files(server.uids_above(0, 1)[0])
    finally:
        server.close()
    assert [(one.content_type, one.path) for one in found] == [("message/rfc822", "2"), ("image/png", "3")]


@pytest.mark.parametrize(
    "structure", [None, b"x", (), ([],), ([(b"text",)],), (([],),), ([None, 3, (b"a", None, 1)], b"mixed")]
)
def test_description_that_makes_no_sense_describes_nothing(structure: object) -> None:
    assert bodystructure.files(structure) == []


def test_description_without_end_is_read_to_a_bound() -> None:
    leaf = (b"image", b"png", None, None, None, b"base64", 78)
    deep: object = leaf
    for _ in range(5_000):
        deep = ([deep], b"mixed")
    assert bodystructure.files(deep) == []
    assert len(bodystructure.files(([leaf] * 5_000, b"mixed"))) == 500
