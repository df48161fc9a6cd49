"""The same watcher at an IMAP server from Python packages, which is there wherever the tests are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from core.config import Settings
from core.context import Context
from core.intake import RawMessage, RawOrigin
from desk.demo.servers import MailServers
from tests.inbound.conftest import context_for, eventually, watching
from tests.inbound.posting import OURS, letter
from tests.inbound.test_mailbox import numbered, row, stored
from tests.servers_faulty import FaultyProxy

PASSWORD = "sesame-eight"


@pytest.fixture
def mail_server() -> Iterator[MailServers]:
    with MailServers({OURS: PASSWORD}) as servers:
        yield servers


def posted(server: MailServers, letters: list[bytes]) -> None:
    server.deliver(OURS, *(one.replace(b"\n", b"\r\n") for one in letters))


def at(engine: sa.Engine, settings: Settings, port: int) -> Context:
    return context_for(engine, settings, port, username=OURS, password=PASSWORD)


def test_letters_that_wait_and_letters_that_come_are_stored_once(
    engine: sa.Engine, settings: Settings, mail_server: MailServers
) -> None:
    context = at(engine, settings, mail_server.imap_port)
    posted(mail_server, numbered(1, 60))
    with watching(context):
        eventually(lambda: stored(context) == 60)
        posted(mail_server, numbered(61, 62))
        eventually(lambda: stored(context) == 62)
        eventually(lambda: row(context).backlog == 0)

    with context.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(RawOrigin)) == 62


def test_line_that_is_cut_loses_nothing(
    engine: sa.Engine, settings: Settings, mail_server: MailServers
) -> None:
    proxy = FaultyProxy(mail_server.imap_port)
    context = at(engine, settings, proxy.port)
    posted(
        mail_server, [letter(message_id=f"<{number}@v.lt>", text="Labas " * 2_000) for number in range(10)]
    )
    proxy.cut_after = 20_000
    try:
        with watching(context):
            eventually(lambda: proxy.connections >= 2)
            proxy.heal()
            eventually(lambda: stored(context) == 10)
    finally:
        proxy.close()

    with context.transaction() as session:
        sizes = session.execute(sa.select(RawMessage.size, sa.func.length(RawMessage.data))).all()
    assert all(size == length for size, length in sizes)
