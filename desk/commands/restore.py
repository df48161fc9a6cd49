"""`frontdesk restore`: a backup into an empty database."""

from __future__ import annotations

from pathlib import Path

import click

from desk import wiring


@click.command(
    "restore",
    epilog="""\b
Examples:
  frontdesk restore /backup/frontdesk-2026-11-22.dump
  frontdesk restore --replace frontdesk.dump     delete what is there now
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Instead of what is in the database.")
@click.option("--jobs", type=click.IntRange(1, 32), default=2, show_default=True, help="Tables at once.")
def command(file: Path, replace: bool, jobs: int) -> None:
    """Read FILE into an empty database, then bring it to this version's schema.

    Stop the desk and the workers first; while one of them works, nothing is restored. With --replace, what is
    there is deleted only when all of FILE is in, so that a failure or Ctrl-C leaves it as it was; that takes
    the room of both. A backup made by an older version, or by an older PostgreSQL, is welcome. Mail that
    arrived since is fetched again; what was on its way out is left for a person to decide.
    """
    from contextlib import suppress

    from core import backup, db, restored
    from core.errors import DatabaseTooOld

    settings = wiring.settings_of_this_process()
    with (
        wiring.opened(settings, application="frontdesk restore", schema=wiring.Schema.LEAVE) as context,
        backup.restoring(context.engine, file, bin_dir=settings.database.bin_dir, replace=replace, jobs=jobs),
    ):
        with suppress(DatabaseTooOld):
            db.check_schema(context.engine)
        # Before anything else: nobody may find it as it stood and go on sending.
        with context.transaction() as session:
            held = restored.hold_deliveries(session)
        wiring.prepare_schema(context.engine, wiring.Schema.MIGRATE, local=False)
    click.echo("Restored.", err=True)
    if held:
        click.echo(
            f"{held} documents may have been sent since the backup: decide on them at the desk.", err=True
        )
