"""What tests of this room share: a recording SMTP server, lines to it, a company whose relay it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core import db, outbox
from core.config import load_settings
from core.config_sections import Relay
from core.context import Context
from core.limits import Limits
from core.outbox import Delivery, DeliveryState, Draft
from outbound.channels.base import Channel, Letter
from outbound.channels.smtp import SmtpChannel, SmtpLine
from outbound.dispatch import Dispatcher
from outbound.pace import PageSize
from tests.servers_smtp import RecordingServer, recording

db.models()
Company = Callable[..., Context]
BODY = b"Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def smtp() -> Iterator[RecordingServer]:
    """A recording server, running."""
    with recording() as server:
        yield server


def relay_to(port: int, **given: Any) -> Relay:
    """The settings of a relay on this machine."""
    return Relay.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "plain", "from_address": "sales@example.lt", **given}
    )


def line_to(port: int, limits: Limits | None = None, **given: Any) -> SmtpLine:
    """A line to a server on this machine, not yet open."""
    return SmtpChannel(relay_to(port, **given), limits or Limits.model_validate({})).line()


def letter(*recipients: str, number: int = 1, data: bytes = BODY, token: str = "") -> Letter:
    """A letter to some addresses."""
    return Letter(number, "sales@example.lt", recipients or ("ona@example.com",), data, token)


def yes() -> bool:
    """The final dot may be written."""
    return True


@pytest.fixture
def company(context: Context, tmp_path: Path) -> Callable[..., Context]:
    """Makes a context over this test's database whose relay is on a port of this machine."""

    def make(port: int = 2525, limits: dict[str, Any] | None = None, **given: Any) -> Context:
        settings = load_settings(
            None,
            data_dir=str(tmp_path),
            company={
                "name": "Šiaurės siurbliai",
                "email": "info@example.lt",
                "public_url": "https://desk.example.lt",
            },
            relay=relay_to(port, **given).model_dump(mode="json", exclude_none=True),
            limits=limits or {},
            mailboxes=[
                {
                    "name": "support",
                    "address": "support@example.lt",
                    "host": "imap.example.lt",
                    "password": "correct horse",
                }
            ],
        )
        return Context(settings, context.engine)

    return make


def draft(number: int = 1, address: str | None = None, **given: Any) -> Draft:
    """A plain letter to be queued."""
    return Draft(
        **{
            "key": f"test:{number}",
            "address": address or f"client{number}@company{number}.example",
            "subject": f"Letter {number}",
            "body": f"This is letter {number}.\n",
            **given,
        }
    )


def queue(context: Context, *drafts: Draft) -> list[int]:
    """Queue and commit."""
    with context.transaction() as session:
        return outbox.queue_many(session, drafts)


async def send_all(context: Context, channel: Channel, **given: Any) -> Dispatcher:
    """Dispatch until nothing is due."""
    dispatcher = Dispatcher(context, channel, **{"page": PageSize(most=10), **given})
    await dispatcher.main(threading.Event(), until_idle=True)
    return dispatcher


def smtp_channel(context: Context) -> SmtpChannel:
    """The channel to the context's relay."""
    assert context.settings.relay is not None
    return SmtpChannel(context.settings.relay, context.settings.limits)


def states(context: Context) -> dict[str, str]:
    """The state of each delivery by its address."""
    with context.transaction() as session:
        return {
            address: str(state)
            for address, state in session.execute(select(Delivery.address, Delivery.state))
        }


def one(context: Context, **wanted: Any) -> Delivery:
    """The only delivery, or the one with those values."""
    with context.transaction() as session:
        return session.scalars(select(Delivery).filter_by(**wanted)).one()


async def until(true: Callable[[], bool]) -> None:
    """Wait for something another task brings about."""
    for _ in range(18_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def due_now(context: Context) -> None:
    """As if the waits were over."""
    with context.transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.state == DeliveryState.DEFERRED).values(due_at=func.now())
        )
