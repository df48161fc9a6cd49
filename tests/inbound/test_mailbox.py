"""A mailbox watched at a real Dovecot: every letter once, the cursor with the bytes, one owner."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.context import Context
from core.intake import Mailbox, RawMessage, RawOrigin
from tests.inbound.conftest import eventually, watching
from tests.inbound.posting import letter
from tests.servers_imap import Dovecot

pytestmark = pytest.mark.dovecot


def numbered(first: int, last: int, text: str = "Labas") -> list[bytes]:
    return [
        letter(message_id=f"<n{number}@vandenis.lt>", subject=f"Nr. {number}", text=text)
        for number in range(first, last + 1)
    ]


def stored(context: Context) -> int:
    with context.transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(RawMessage)) or 0


def row(context: Context) -> Mailbox:
    with context.transaction() as session:
        return session.scalars(sa.select(Mailbox)).one()


def test_letters_that_wait_and_letters_that_come_are_stored_once(
    mail_context: Context, dovecot: Dovecot
) -> None:
    dovecot.deliver("sales", numbered(1, 120))
    with watching(mail_context):
        eventually(lambda: stored(mail_context) == 120)
        dovecot.deliver("sales", numbered(121, 123))
        eventually(lambda: stored(mail_context) == 123)
        eventually(lambda: row(mail_context).backlog == 0)

    mailbox = row(mail_context)
    assert mailbox.last_uid == 123
    assert mailbox.last_fetched_at is not None
    assert mailbox.error is None
    with mail_context.transaction() as session:
        uids = session.scalars(sa.select(RawOrigin.uid).order_by(RawOrigin.uid)).all()
    assert list(uids) == dovecot.uids("sales")
    assert dovecot.flags("sales") == set()
