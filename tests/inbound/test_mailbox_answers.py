"""What a mail server says instead of an answer: it is left in peace, and afterwards every letter is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.config import Settings, load_settings
from core.context import Context
from core.conversations import Message
from core.intake import Mailbox, RawMessage, RawOrigin
from inbound.mailbox import Watcher
from inbound.pipeline import understand
from tests.inbound.conftest import context_for, eventually, watching
from tests.inbound.posting import install, letter, tools
from tests.inbound.test_mailbox import numbered, row, stored
from tests.servers_faulty import FaultyProxy
from tests.servers_imap import Dovecot

pytestmark = pytest.mark.dovecot

LEAVES = b"* BYE Shutting down.\r\n"
SILENCE = b""
ENDLESS = b"* " + b"x" * 1_200_000
COMMANDS = [b"LOGIN", b"EXAMINE", b"SEARCH", b"FETCH", b"IDLE"]


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(dovecot.port)
    yield proxy
    proxy.close()


@pytest.fixture
def context(engine: sa.Engine, settings: Settings, proxy: FaultyProxy) -> Context:
    return context_for(engine, settings, proxy.port)


def failing(context: Context) -> bool:
    with context.transaction() as session:
        return bool(session.scalar(sa.select(Mailbox.error)))


def all_there(context: Context, count: int) -> None:
    """A new worker finds every letter once."""
    with watching(context):
        eventually(lambda: stored(context) == count and row(context).error is None)
        eventually(lambda: row(context).last_uid == count)
    with context.transaction() as session:
        origins = session.execute(sa.select(RawOrigin.uid, RawOrigin.raw_id)).all()
    assert len({raw_id for _, raw_id in origins}) == len(origins) == count


@pytest.mark.parametrize("command", COMMANDS)
def test_server_that_says_goodbye_instead_of_an_answer_loses_us_nothing(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot, command: bytes
) -> None:
    dovecot.deliver("sales", numbered(1, 4))
    proxy.answer = (command, LEAVES)
    with watching(context):
        eventually(lambda: failing(context))
        proxy.heal()
    all_there(context, 4)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("code", [b"UNAVAILABLE", b"INUSE"])
def test_server_that_is_not_available_is_left_alone_for_a_minute(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot, command: bytes, code: bytes
) -> None:
    dovecot.deliver("sales", numbered(1, 4))
    proxy.answer = (command, b"{tag} NO [" + code + b"] Try later.\r\n")
    with watching(context):
        eventually(lambda: proxy.answered >= 1)
        if command == b"FETCH":
            # A refused FETCH is asked again letter by letter, and what is refused alone waits for its turn.
            eventually(lambda: proxy.answered >= 5)
        else:
            eventually(lambda: failing(context))
            assert proxy.answered == 1
            assert row(context).login_refused_at is None
        proxy.answer = None
    all_there(context, 4)


@pytest.mark.parametrize("command", [b"SEARCH", b"FETCH"])
def test_line_without_an_end_is_not_read_for_ever(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot, command: bytes
) -> None:
    dovecot.deliver("sales", numbered(1, 3))
    proxy.answer = (command, ENDLESS)
    with watching(context):
        eventually(lambda: failing(context))
        assert "endless line" in (row(context).error or "")
        proxy.heal()
    all_there(context, 3)


def test_mailbox_that_stalls_holds_up_no_other(
    engine: sa.Engine, settings: Settings, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    slow, quick = (context_for(engine, settings, port) for port in (proxy.port, dovecot.port))
    sections = [
        slow.settings.mailboxes[0],
        quick.settings.mailboxes[0].model_copy(update={"name": "support", "username": "support"}),
    ]
    both = load_settings(
        file=None, data_dir=settings.data_dir, mailboxes=sections, limits=slow.settings.limits
    )
    context = Context(settings=both, engine=engine)
    dovecot.deliver("sales", numbered(1, 5))
    dovecot.deliver("support", numbered(6, 15))
    proxy.answer = (b"FETCH", SILENCE)
    stop = threading.Event()
    watchers = [threading.Thread(target=Watcher(context, one).run, args=(stop,)) for one in both.mailboxes]
    for watcher in watchers:
        watcher.start()
    try:
        eventually(lambda: stored(context) >= 10)
        eventually(lambda: _error_of(context, "sales"))
        assert not _error_of(context, "support")
        proxy.heal()
        eventually(lambda: stored(context) == 15)
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join(120)
    assert not any(watcher.is_alive() for watcher in watchers)


def _error_of(context: Context, name: str) -> str:
    with context.transaction() as session:
        return session.scalar(sa.select(Mailbox.error).where(Mailbox.name == name)) or ""


def test_new_letter_is_served_while_a_backlog_still_drains(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 3_000))
    with watching(context):
        eventually(lambda: stored(context) > 0)
        eventually(lambda: stored(context) == 3_000 and row(context).backlog == 0, seconds=300)
    with context.transaction() as session:
        order = session.execute(
            sa.select(RawOrigin.uid).join(RawMessage, RawMessage.id == RawOrigin.raw_id)
            .order_by(RawOrigin.seen_at, RawOrigin.uid)
        ).scalars().all()  # fmt: skip
    # The newest come in every second batch of 50: the very last long before the middle of the backlog.
    assert order.index(3_000) < 150
    assert order.index(1_500) > 1_000


@pytest.mark.parametrize("days", [-400, -3, 365])
def test_message_happened_when_its_server_took_it_in_and_never_in_the_future(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot, days: int
) -> None:
    with context.transaction() as session:
        install(session)
    moment = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    with dovecot.client("sales") as client:
        zone = moment.strftime('"%d-%b-%Y %H:%M:%S +0000"')
        client.append("INBOX", "", zone, letter(date="Mon, 05 Jan 2015 10:00:00 +0200"))
    with watching(context):
        eventually(lambda: stored(context) == 1)
    assert understand(context, tools(context)).understood == 1

    with context.transaction() as session:
        raw = session.scalars(sa.select(RawMessage)).one()
        message = session.scalars(sa.select(Message)).one()
        # Dovecot itself takes no date in the future; what came is what it says.
        assert raw.internal_date is not None
        assert (raw.internal_date == moment) is (days < 0)
        assert message.happened_at == min(raw.internal_date, raw.stored_at)
