"""`frontdesk import`: letters from files, through the same intake as fetched mail."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import wiring

if TYPE_CHECKING:
    from inbound.importing import Imported


@click.command(
    "import",
    epilog="""\b
Examples:
  frontdesk import letter.eml
  frontdesk import ~/archive.mbox --source "archive 2024"
  frontdesk import ~/Maildir
  frontdesk import - < letter.eml
""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--source", help="Name of where they come from; else the file's name.")
def command(files: tuple[Path, ...], source: str | None) -> None:
    """Take in letters: each file, mbox, maildir or folder, each letter once however often it is there.

    They are stored and then understood, filed and routed by the workers, exactly as fetched mail is.
    """
    from inbound.importing import import_path

    def show(path: Path, done: Imported) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{path}: {done.letters} letters", nl=False, err=True)

    settings = wiring.settings_of_this_process()
    new = known = 0
    with wiring.opened(settings, application="frontdesk import") as context:
        for path in files:
            done = import_path(context, path, source=source or path.name, progress=partial(show, path))
            new += done.stored
            known += done.duplicates
            if sys.stderr.isatty():
                click.echo(err=True)
    click.echo(f"{new} new, {known} known already.")
    if new and sys.stderr.isatty():
        click.echo("They are filed as soon as a worker runs: frontdesk serve", err=True)
