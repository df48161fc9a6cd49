"""`frontdesk import`: letters from files, through the same intake as fetched mail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import wiring

if TYPE_CHECKING:
    from inbound.intake import Letter

BATCH_LETTERS = 200
BATCH_BYTES = 16_000_000


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
    from inbound import intake

    settings = wiring.settings_of_this_process()
    new = known = 0
    with wiring.opened(settings, application="frontdesk import") as context:
        for path in files:
            for letters, done in _batches(path, settings.limits.mail_bytes):
                with context.transaction() as session:
                    kept = intake.store(session, letters, source=source or path.name)
                new += len(kept.new_ids)
                known += kept.duplicates
                if sys.stderr.isatty():
                    click.echo(f"\r{path}: {done} letters", nl=False, err=True)
            if sys.stderr.isatty():
                click.echo(err=True)
    click.echo(f"{new} new, {known} known already.")


def _batches(path: Path, largest: int) -> Iterator[tuple[list[Letter], int]]:
    """Letters in batches small enough to commit together, with how many that makes so far."""
    from inbound.intake import Letter
    from inbound.letterfiles import letters

    batch: list[Letter] = []
    size = done = 0
    for found in letters([path]):
        batch.append(Letter(data=found.data[:largest], size=len(found.data)))
        size += min(len(found.data), largest)
        done += 1
        if len(batch) >= BATCH_LETTERS or size >= BATCH_BYTES:
            yield batch, done
            batch, size = [], 0
    if batch:
        yield batch, done
