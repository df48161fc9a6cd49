"""`frontdesk serve`: everything a small company needs, in one command."""

from __future__ import annotations

from functools import partial

import click

from core.localdb import STOP_PATIENCE
from desk import wiring
from desk.supervisor import Child, Supervisor, follow, frontdesk_command, on_stop


@click.command(
    "serve",
    epilog="""\b
Examples:
  frontdesk serve
  frontdesk serve --workers 2
  FRONTDESK_LOG__FORMAT=json frontdesk serve
""",
)
@click.option("--workers", type=click.IntRange(0, 64), help="Worker processes; else workers.processes.")
@click.option("--desk/--no-desk", "with_desk", default=True, help="Run the web application as well.")
@click.option("--lifeline", type=int, hidden=True)
def command(workers: int | None, with_desk: bool, lifeline: int | None) -> None:
    """Run the built-in database, the desk and the workers, and start again whatever ends.

    A built-in or an empty database is brought to this version's schema first. SIGTERM and Ctrl-C stop
    everything after the running jobs; the built-in database is stopped too unless somebody else is connected
    to it.
    """
    settings = wiring.settings_of_this_process(service=True)
    if with_desk:
        from desk.serving import check_address, side_by_side

        # Before anything is started: what cannot be served needs no database.
        check_address(settings.desk.host, settings.desk.port)
        desks = side_by_side(settings.desk.processes, settings.desk.host, settings.desk.port)
    else:
        desks = []
    local = wiring.local_database(settings)
    count = settings.workers.processes if workers is None else workers
    workmen = [Child(f"worker {number}", frontdesk_command("work")) for number in range(1, count + 1)]
    supervisor = Supervisor(
        [*desks, *workmen],
        before_start=(lambda: None) if local is None else partial(local.ensure, patience=10.0),
        patience=settings.workers.drain_seconds + 15,
    )
    on_stop(supervisor.stop)
    follow(lifeline, supervisor.stop, patience=supervisor.patience + STOP_PATIENCE + 5)
    try:
        with wiring.opened(settings, application="frontdesk serve", schema=wiring.Schema.OURS, release=False):
            pass
        if with_desk:
            click.echo(f"The desk answers at http://{settings.desk.host}:{settings.desk.port}/", err=True)
        supervisor.run()
    finally:
        if local is not None:
            local.release(adopt=True)
