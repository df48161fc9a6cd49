"""`frontdesk jobs`: background work that was given up, looked at and run again."""

from __future__ import annotations

import click

from desk import wiring

LISTED = 1_000


@click.group(
    "jobs",
    epilog="""\b
Examples:
  frontdesk jobs list
  frontdesk jobs again 4711
  frontdesk jobs again --all
""",
)
def command() -> None:
    """Look at background work that was given up, and run it again."""


@command.command(
    "list",
    epilog="""\b
Examples:
  frontdesk jobs list
""",
)
def show() -> None:
    """Show what waits or runs, counted, and each job that was given up with its error."""
    from core import jobreport

    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        standing, failed = jobreport.counts(session), jobreport.failed(session, LISTED)
    for one in standing:
        if one.state != "failed":
            click.echo(f"{one.kind}: {one.count} {'running' if one.state == 'picked' else 'waiting'}")
    for job in failed:
        given = ", ".join(f"{name}={value}" for name, value in job["payload"].items())
        told = " ".join(str(job["error"] or "no reason given").split())[:200]
        click.echo(f"{job['id']}  {job['since']:%Y-%m-%d %H:%M}  {job['kind']}({given})  {told}")
    click.echo(f"{len(failed)} given up." if failed else "None was given up.")


@command.command(
    "again",
    epilog="""\b
Examples:
  frontdesk jobs again 4711 4712
  frontdesk jobs again --all
""",
)
@click.argument("numbers", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that were given up.")
def again(numbers: tuple[int, ...], everything: bool) -> None:
    """Run jobs of these NUMBERS again, with all their attempts: when what stopped them is mended."""
    from core import jobreport

    if bool(numbers) == everything:
        raise click.UsageError("Give the numbers of some jobs, or --all.")
    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        wanted = [job["id"] for job in jobreport.failed(session, LISTED)] if everything else list(numbers)
        for number in wanted:
            jobreport.run_again(session, number)
    click.echo(f"{len(wanted)} wait for a worker.")
