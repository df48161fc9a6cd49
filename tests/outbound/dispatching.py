"""A dispatcher in a process of its own, to be killed: `dispatching URL PORT LEASE FOLDER`."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta

from core import db
from core.config import load_settings
from core.context import Context
from outbound.channels.smtp import SmtpChannel
from outbound.dispatch import Dispatcher
from outbound.pace import PageSize


def main(url: str, port: str, lease: str, data_dir: str) -> None:
    """Dispatch until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = load_settings(
        None,
        secret_key="f" * 64,
        data_dir=data_dir,
        relay={
            "host": "127.0.0.1",
            "port": int(port),
            "security": "plain",
            "from_address": "sales@example.lt",
            "max_connections": 2,
        },
    )
    assert settings.relay is not None
    context = Context(settings, db.make_engine(url, application="dispatching"))
    channel = SmtpChannel(settings.relay, settings.limits)
    Dispatcher(context, channel, page=PageSize(most=10), lease=timedelta(seconds=float(lease))).run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
