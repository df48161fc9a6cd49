"""`frontdesk backup`: the whole database in one file."""

from __future__ import annotations

from pathlib import Path

import click

from desk import wiring


@click.command(
    "backup",
    epilog="""\b
Examples:
  frontdesk backup /backup/frontdesk-$(date +%F).dump
  frontdesk backup - | ssh store 'cat > frontdesk.dump'
""",
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Overwrite the file.")
def command(file: Path, force: bool) -> None:
    """Write everything to FILE, as it stands at one moment; work goes on meanwhile.

    The file holds clients' letters and hashed passwords: it is readable by its owner only. Keep
    data_dir/secret.key beside it. The built-in database and one of your own are treated alike.
    """
    from core import backup

    settings = wiring.settings_of_this_process()
    with wiring.opened(settings, application="frontdesk backup", schema=wiring.Schema.LEAVE) as context:
        size = backup.dump(context.engine.url, file, bin_dir=settings.database.bin_dir, overwrite=force)
    click.echo(f"{file}: {size / 1e6:.1f} MB", err=True)
