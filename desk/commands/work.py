"""`frontdesk work`: one worker process, on as many machines as are needed."""

from __future__ import annotations

import os
import sys

import click

from core import collector
from desk import wiring
from desk.supervisor import follow, on_stop


@click.command(
    "work",
    epilog="""\b
Examples:
  frontdesk work
  frontdesk work --queues outbound --threads 16
  frontdesk work --queues inbound,default
""",
)
@click.option("--queues", metavar="NAME,…", help="Only these queues; else workers.queues, else all.")
@click.option("--threads", type=click.IntRange(1, 200), help="Jobs at once; else workers.threads.")
@click.option("--lifeline", type=int, hidden=True)
def command(queues: str | None, threads: int | None, lifeline: int | None) -> None:
    """Fetch mail and do background jobs until told to stop.

    Several workers, on one machine or many, share the work of one database. On SIGTERM a worker takes nothing
    new, finishes what it does and ends; it ends by itself when the database is gone, so run it under
    `frontdesk serve` or systemd. Exit codes: 0 stopped, 75 the database is gone, 76 jobs did not end in time.
    """
    from core.worker import Outcome, Worker

    settings = wiring.settings_of_this_process(service=True)
    with wiring.opened(
        settings,
        application="frontdesk work",
        connections=wiring.worker_connections(settings, threads),
        release=lifeline is None,
    ) as context:
        plan = wiring.plan(context, _names(queues), threads=threads)
        known = {*plan.registry.queues(), *(service.queue for service in plan.services)}
        if unknown := [name for name in plan.queues if name not in known]:
            raise click.BadParameter(
                f"there is no queue {unknown[0]!r}; there are {', '.join(sorted(known))}.",
                param_hint="--queues",
            )
        worker = Worker(plan, context)
        on_stop(worker.stop)
        follow(lifeline, worker.stop)
        collector.settle()
        outcome = worker.run()
        if outcome is not Outcome.CLEAN:
            # Threads that hang must not keep the process; whoever started it starts it again.
            sys.stderr.flush()
            os._exit(outcome)


def _names(queues: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (queues or "").split(",") if name.strip())
