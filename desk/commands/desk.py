"""`frontdesk desk`: the web application for staff."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import click

from core import collector
from desk import wiring
from desk.supervisor import follow, on_stop

PATIENCE = 10.0
"""Seconds that open requests get after a stop; pages that listen for news never end by themselves."""


@click.command(
    "desk",
    epilog="""\b
Examples:
  frontdesk desk
  frontdesk desk --host 0.0.0.0 --port 8443
""",
)
@click.option("--host", help="The address to listen on; else desk.host.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port; else desk.port.")
@click.option("--lifeline", type=int, hidden=True)
def command(host: str | None, port: int | None, lifeline: int | None) -> None:
    """Serve the web application until told to stop.

    Put a proxy with TLS before it and name it in desk.trusted_proxies; see docs/operate/processes.md.
    """
    from desk.app import create_app
    from desk.serving import serve

    settings = wiring.settings_of_this_process(service=True)
    with wiring.opened(settings, application="frontdesk desk", release=lifeline is None) as context:

        def ready(stop: Callable[[], None]) -> None:
            def stop_soon() -> None:
                threading.Thread(target=_end_at_last, daemon=True).start()
                stop()

            on_stop(stop_soon)
            follow(lifeline, stop_soon, patience=PATIENCE)

        application = create_app(settings, context.engine)
        collector.settle()
        serve(application, host or settings.desk.host, port or settings.desk.port, ready)


def _end_at_last() -> None:
    time.sleep(PATIENCE)
    os._exit(0)
