"""`frontdesk pipelines`: the roads that deals take, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import wiring

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(
    "pipelines",
    epilog="""\b
Examples:
  frontdesk pipelines export pipelines.toml
  frontdesk pipelines check pipelines.toml
  frontdesk pipelines import pipelines.toml
""",
)
def command() -> None:
    """Write pipelines to a file, check it, and put it in force."""


@command.command(
    "export",
    epilog="""\b
Examples:
  frontdesk pipelines export pipelines.toml
  frontdesk pipelines export - | less
""",
)
@click.argument("file", type=FILE, default="-")
def export(file: Path) -> None:
    """Write the pipelines in force to FILE, or to standard output."""
    from core import pipelinefile, pipelines
    from core.pipelineversions import document_of

    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        text = pipelinefile.write(document_of(one) for one in pipelines.active(session))
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    click.echo(f"Written to {file}.")


@command.command(
    "check",
    epilog="""\b
Examples:
  frontdesk pipelines check pipelines.toml
""",
)
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Say what is wrong with FILE, line by line; nothing is changed."""
    from core import pipelinefile
    from core.pipelineversions import known

    text = _text(file)
    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        found = pipelinefile.read(text, known(session, templates(session)))
    click.echo(f"In order: {len(found)} pipeline{'s' if len(found) > 1 else ''}.")


@command.command(
    "import",
    epilog="""\b
Examples:
  frontdesk pipelines import pipelines.toml
  frontdesk pipelines import pipelines.toml --move
""",
)
@click.argument("file", type=FILE)
@click.option("--move", is_flag=True, help="Also move deals under way to the new version.")
def import_(file: Path, move: bool) -> None:
    """Put the pipelines of FILE in force as new versions; all of them or none."""
    from core import pipelinefile
    from core.pipelineversions import known, publish, transfer, transfers

    text = _text(file)
    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        for document in pipelinefile.read(text, known(session, templates(session))):
            made = publish(session, document, templates=templates(session))
            waiting = transfers(session, made)
            click.echo(f"{made.key}: version {made.version} is in force.")
            fitting = [one.deal.id for one in waiting if one.target is not None]
            if move and fitting:
                click.echo(f"  {transfer(session, made, fitting)} deals moved to it.")
            left = len(waiting) - (len(fitting) if move else 0)
            if left:
                click.echo(f"  {left} deals under way keep the version they entered.")


def templates(session: Session | None = None) -> frozenset[str]:
    """What stages and follow-ups may send: what is shipped, and with a session the company's own."""
    from desk.templatechoice import known_keys, shipped_keys

    return known_keys(session) if session is not None else shipped_keys()


def _text(file: Path) -> str:
    from core.errors import InputRefused

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{file} cannot be read: {error}.") from error
