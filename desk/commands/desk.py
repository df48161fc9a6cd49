"""`frontdesk desk`: the web application for staff."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import click

from core import collector
from core.config import Settings
from desk import wiring
from desk.supervisor import Supervisor, follow, on_stop

PATIENCE = 10.0
"""Seconds that open requests get after a stop; pages that listen for news never end by themselves."""


@click.command(
    "desk",
    epilog="""\b
Examples:
  frontdesk desk
  frontdesk desk --host 0.0.0.0 --port 8443
  frontdesk desk --processes 4
""",
)
@click.option("--host", help="The address to listen on; else desk.host.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port; else desk.port.")
@click.option("--processes", type=click.IntRange(1, 32), help="Side by side; else desk.processes.")
@click.option("--lifeline", type=int, hidden=True)
def command(host: str | None, port: int | None, processes: int | None, lifeline: int | None) -> None:
    """Serve the web application until told to stop.

    Put a proxy with TLS before it and name it in desk.trusted_proxies; see docs/operate/processes.md.
    """
    from desk.serving import check_address, side_by_side

    settings = wiring.settings_of_this_process(service=True)
    host, port = host or settings.desk.host, port or settings.desk.port
    if lifeline is not None:
        # Whoever holds it has looked at the address, and others of its children listen there already.
        _draw(settings, host, port, lifeline)
        return
    check_address(host, port)
    children = side_by_side(settings.desk.processes if processes is None else processes, host, port)
    if len(children) == 1:
        _draw(settings, host, port, None)
        return
    supervisor = Supervisor(children, patience=PATIENCE + 5)
    on_stop(supervisor.stop)
    with wiring.opened(settings, application="frontdesk desk"):
        supervisor.run()


def _draw(settings: Settings, host: str, port: int, lifeline: int | None) -> None:
    from desk.app import create_app
    from desk.serving import serve

    with wiring.opened(settings, application="frontdesk desk", release=lifeline is None) as context:

        def ready(stop: Callable[[], None]) -> None:
            def stop_soon() -> None:
                threading.Thread(target=_end_at_last, daemon=True).start()
                stop()

            on_stop(stop_soon)
            follow(lifeline, stop_soon, patience=PATIENCE)

        application = create_app(settings, context.engine)
        collector.settle()
        serve(application, host, port, ready)


def _end_at_last() -> None:
    time.sleep(PATIENCE)
    os._exit(0)
