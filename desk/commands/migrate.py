"""`frontdesk migrate`: the database's schema."""

from __future__ import annotations

import click

from desk import wiring


@click.command(
    "migrate",
    epilog="""\b
Examples:
  frontdesk migrate
  frontdesk migrate --check      exit code 1 unless nothing is to be done
""",
)
@click.option("--check", is_flag=True, help="Change nothing; say whether there is something to do.")
def command(check: bool) -> None:
    """Bring the database to this version's schema.

    Stop the workers and the desk first, and make a backup. A database made by a newer version is refused.
    """
    from core import db

    settings = wiring.settings_of_this_process()
    schema = wiring.Schema.CHECK if check else wiring.Schema.MIGRATE
    with wiring.opened(settings, application="frontdesk migrate", schema=schema):
        click.echo(f"The database stands at migration {db.latest_revision()}, as this version needs.")
