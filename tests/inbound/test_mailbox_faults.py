"""What mail servers and lines do to us: every letter is stored once all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from core import notices
from core.config import Settings
from core.context import Context
from core.intake import Mailbox, RawMessage, RawOrigin
from inbound import health
from tests.inbound.conftest import context_for, eventually, watching
from tests.inbound.posting import letter
from tests.inbound.test_mailbox import numbered, row, stored
from tests.servers_faulty import FaultyProxy
from tests.servers_imap import Dovecot

pytestmark = pytest.mark.dovecot


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(dovecot.port)
    yield proxy
    proxy.close()


@pytest.fixture
def context(engine: sa.Engine, settings: Settings, proxy: FaultyProxy) -> Context:
    return context_for(engine, settings, proxy.port)


def each_once(context: Context, dovecot: Dovecot, count: int) -> None:
    """Every letter of the server is on record, and none twice."""
    assert stored(context) == count
    with context.transaction() as session:
        rows = session.execute(sa.select(RawOrigin.uid, RawOrigin.raw_id)).all()
        sizes = session.execute(sa.select(RawMessage.size, sa.func.length(RawMessage.data))).all()
    assert {uid for uid, raw_id in rows if raw_id is not None} >= set(dovecot.uids("sales"))
    assert all(size == length for size, length in sizes)


@pytest.mark.parametrize("after", [1, 10, 3_000, 100_000, 1_000_000])
def test_line_cut_in_the_middle_of_fetching_loses_nothing(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot, after: int
) -> None:
    dovecot.deliver("sales", [*numbered(1, 30, "Labas " * 2_000), *numbered(31, 31, "x " * 600_000)])
    proxy.cut_after = after
    with watching(context):
        eventually(lambda: proxy.connections >= 2)
        proxy.heal()
        eventually(lambda: stored(context) == 31)
        eventually(lambda: row(context).backlog == 0 and row(context).error is None)

    each_once(context, dovecot, 31)


def test_server_that_drips_is_left_after_the_whole_operations_time(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 20))
    proxy.drip, proxy.drip_after = 0.3, 1_500
    with watching(context):
        eventually(lambda: proxy.connections >= 2)
        proxy.heal()
        eventually(lambda: stored(context) == 20)

    each_once(context, dovecot, 20)


def test_line_that_died_silently_during_idle_is_noticed(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 3))
    with watching(context):
        eventually(lambda: stored(context) == 3)
        proxy.stalled.set()
        dovecot.deliver("sales", numbered(4, 5))
        eventually(lambda: row(context).error is not None)
        proxy.heal()
        eventually(lambda: stored(context) == 5)

    each_once(context, dovecot, 5)


def test_folder_that_is_numbered_anew_is_read_again_without_doubles(
    context: Context, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 60))
    with watching(context):
        eventually(lambda: stored(context) == 60)
        before = row(context).uidvalidity
        dovecot.renumber("sales")
        dovecot.deliver("sales", numbered(61, 62))
        eventually(lambda: row(context).uidvalidity != before)
        eventually(lambda: stored(context) == 62)
        eventually(lambda: row(context).last_uid == 62)

    each_once(context, dovecot, 62)


def test_folder_that_is_deleted_and_made_again_goes_on(
    engine: sa.Engine, settings: Settings, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    context = context_for(engine, settings, proxy.port, folder="Klientai")
    with dovecot.client("sales") as client:
        client.create("Klientai")
        client.append("Klientai", "", "", letter())
    with watching(context):
        eventually(lambda: stored(context) == 1)
        with dovecot.client("sales") as client:
            client.delete("Klientai")
        eventually(lambda: row(context).error is not None)
        with dovecot.client("sales") as client:
            client.create("Klientai")
            client.append("Klientai", "", "", letter(message_id="<new@v.lt>"))
        eventually(lambda: stored(context) == 2)
        eventually(lambda: row(context).error is None)


def test_mail_server_that_is_killed_and_started_again_is_gone_on_with(
    context: Context, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 5))
    with watching(context):
        eventually(lambda: stored(context) == 5)
        dovecot.kill()
        dovecot.deliver("sales", numbered(6, 9))
        eventually(lambda: row(context).error is not None)
        dovecot.start_again()
        eventually(lambda: stored(context) == 9)


def test_same_letter_delivered_twice_is_one_and_a_reused_id_is_two(
    context: Context, dovecot: Dovecot
) -> None:
    twice = letter(message_id="<same@v.lt>")
    dovecot.deliver("sales", [b"Received: from a\n" + twice, b"Received: from b\n" + twice])
    dovecot.deliver("sales", [letter(message_id="<same@v.lt>", text="visai kiti žodžiai")])
    with watching(context):
        eventually(lambda: row(context).last_uid == 3 if stored(context) else False)

    assert stored(context) == 2
    with context.transaction() as session:
        assert len(session.scalars(sa.select(RawOrigin)).all()) == 3


def test_second_worker_leaves_the_mailbox_to_the_first(context: Context, dovecot: Dovecot) -> None:
    dovecot.deliver("sales", numbered(1, 3))
    with watching(context), watching(context):
        eventually(lambda: stored(context) == 3)
        dovecot.deliver("sales", numbered(4, 4))
        eventually(lambda: stored(context) == 4)

    log = (dovecot.base / "log").read_text(encoding="utf-8")
    assert log.count("Login: user=<sales>") == 1


def test_refused_password_is_tried_once_a_minute_and_never_given_up(
    engine: sa.Engine, settings: Settings, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    context = context_for(engine, settings, proxy.port, password="wrong-one")
    with watching(context):
        eventually(lambda: _mailboxes(context) and row(context).error is not None)
    with watching(context):
        eventually(lambda: row(context).login_refused_at is not None)

    assert bytes(proxy.seen).count(b"LOGIN") == 1


def _mailboxes(context: Context) -> int:
    with context.transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Mailbox)) or 0


def test_staff_are_told_when_a_mailbox_stops_and_when_it_works_again(
    context: Context, proxy: FaultyProxy, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 1))
    proxy.cut_after = 5
    with watching(context):
        eventually(lambda: _mailboxes(context) and row(context).failing_since is not None)
        with context.transaction() as session:
            earlier = sa.func.now() - sa.text("interval '10 minutes'")
            session.execute(sa.update(Mailbox).values(failing_since=earlier))
        eventually(lambda: _alarms(context) == [(health.ALARM, "sales")])
        proxy.heal()
        eventually(lambda: _alarms(context) == [])


def _alarms(context: Context) -> list[tuple[str, str]]:
    with context.transaction() as session:
        return [(one.kind, one.subject) for one in notices.open_alarms(session)]


def test_letter_over_the_limit_is_kept_in_part_and_says_so(
    engine: sa.Engine, settings: Settings, dovecot: Dovecot
) -> None:
    context = context_for(engine, settings, dovecot.port)
    limits = context.settings.limits.model_copy(update={"mail_bytes": 100_000})
    context = Context(settings=context.settings.model_copy(update={"limits": limits}), engine=engine)
    dovecot.deliver("sales", [letter(text="x" * 70 + "\n" + "ilgas tekstas\n" * 20_000)])
    with watching(context):
        eventually(lambda: stored(context) == 1)

    with context.transaction() as session:
        raw = session.scalars(sa.select(RawMessage)).one()
        assert raw.truncated
        assert len(raw.data) == 100_000
        assert raw.size > 280_000
