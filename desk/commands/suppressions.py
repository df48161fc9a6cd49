"""`frontdesk suppressions`: addresses that must not be written to, taken over from another program."""

from __future__ import annotations

from pathlib import Path

import click

from desk import wiring


@click.group(
    "suppressions",
    epilog="""\b
Examples:
  frontdesk suppressions import unsubscribed.csv --dry-run
""",
)
def command() -> None:
    """Addresses that must not be written to."""


@command.command(
    "import",
    epilog="""\b
Examples:
  frontdesk suppressions import unsubscribed.csv --dry-run
  frontdesk suppressions import bounces.csv
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read the file and write nothing.")
def import_(file: Path, dry_run: bool) -> int:
    """Put the addresses and numbers of a CSV FILE on the suppression list.

    A row needs an address or a number; a cell such as unsubscribed, bounced or complained says why, else it
    is taken as closed by hand. Bounces and complaints stop everything, the rest stops mailings. An entry that
    is there already is never made milder. Exit code 1 when rows could not be read; the others are taken.
    """
    from core import suppressionlist

    settings = wiring.settings_of_this_process()
    with (
        wiring.opened(settings, application="frontdesk suppressions") as context,
        context.transaction() as session,
    ):
        done = suppressionlist.take_over(
            session, file.read_bytes(), source=f"import: {file.name}", dry=dry_run
        )
    for number, fault in done.faults:
        click.echo(f"row {number}: {fault}", err=True)
    reasons = ", ".join(f"{name} {count}" for name, count in sorted(done.reasons.items()))
    click.echo(f"{done.rows} rows ({reasons or 'none of use'}), {done.faulty} faulty.")
    click.echo("Nothing was written." if dry_run else f"{done.added} added, {done.known} known before.")
    return 1 if done.faulty else 0
