"""`frontdesk rehearse`: what changed rules would have made of what clients did, beside what happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk import wiring

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.i18n import Texts
    from core.rehearsal import Change, Report, Row

FILE = click.Path(path_type=Path, dir_okay=False)
SHOWN = 200
"""Rows that are printed; a CSV file has all of them."""


@click.command(
    "rehearse",
    epilog="""\b
Examples:
  frontdesk rehearse --write change.toml       all that is in force, to be changed
  frontdesk rehearse change.toml --days 60
  frontdesk rehearse --draft b2b --deal 12 --deal 14
  frontdesk rehearse change.toml --csv what-if.csv
""",
)
@click.argument("file", type=FILE, required=False)
@click.option("--draft", metavar="KEY", help="The draft of a pipeline, as it stands on the screen.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How far back.")
@click.option("--deal", "deals", type=int, multiple=True, help="Only this deal; may be repeated.")
@click.option("--letter", "letters", type=int, multiple=True, help="Only this letter; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Also what would be as it was.")
@click.option("--changed", is_flag=True, help="Only what the change makes, not what the rules in force do.")
@click.option("--seconds", type=click.FloatRange(1, 3600), default=60.0, help="Break off after so long.")
@click.option("--csv", "csv_file", type=FILE, help="Write the rows to a file instead; - for standard output.")
@click.option("--write", "write_file", type=FILE, help="Write what is in force to a file, to be changed.")
def command(
    file: Path | None,
    draft: str | None,
    days: int,
    deals: tuple[int, ...],
    letters: tuple[int, ...],
    everything: bool,
    changed: bool,
    seconds: float,
    csv_file: Path | None,
    write_file: Path | None,
) -> int:
    """Play the past through the changed pipelines, follow-ups and routing of FILE; nothing is written.

    Without FILE the rules in force are played against what happened. Exit code 0 when nothing would differ,
    3 when something would, 1 for a file with faults.
    """
    from core import rehearsal
    from desk import rehearsing

    if file is not None and draft is not None:
        raise click.UsageError("Give either a file or --draft.")
    settings = wiring.settings_of_this_process()
    with wiring.opened(settings, application="frontdesk rehearse") as context:
        if write_file is not None:
            from core.rehearsal_file import write

            with rehearsal.snapshot(context.engine) as session:
                text = write(session)
            _put(write_file, text.encode())
            return 0
        text = _text(file) if file is not None else None
        with _Progress() as progress:
            report = rehearsing.run(
                context.engine, context.settings, lambda session: _change(session, text, draft),
                days=days, deals=deals, letters=letters, seconds=seconds, tell=progress.tell,
            )  # fmt: skip
    from core.i18n import texts

    language = texts("en", settings.company.timezone)
    show = "all" if everything else "change" if changed else "differ"
    rows = rehearsing.chosen(report, show)
    if csv_file is not None:
        from core import tabular

        cells = [rehearsing.cells(one, report, language) for one in rows]
        _put(csv_file, tabular.write_csv(list(rehearsing.HEADER), cells))
    else:
        _print(rows, report, language)
    counts = report.counts()
    return 3 if (counts["by_change"] if changed else counts["differ"]) else 0


def _change(session: Session, text: str | None, draft: str | None) -> Change:
    from core.pipelineversions import known
    from core.rehearsal import Change
    from core.rehearsal_file import read
    from desk.commands.pipelines import templates
    from desk.rehearsing import draft_change

    if draft is not None:
        return draft_change(session, draft)
    if text is not None:
        return read(session, text, known(session, templates(session)), templates(session))
    return Change()


class _Progress:
    """A line a part on a terminal; nothing where the output is no terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def tell(self, what: str, done: int, of: int) -> None:
        """How far a part is."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what.replace("_", "-"), total=of)
        self._bars.update(self._tasks[what], completed=done, total=of)


def _print(rows: list[Row], report: Report, language: Texts) -> None:
    from rich.console import Console
    from rich.table import Table

    from desk import rehearsing

    width = None if sys.stdout.isatty() else 160
    console = Console(width=width, highlight=False, markup=False)
    if rows:
        table = Table(
            "When", "Client", "What", "Was", "Would be", box=None, pad_edge=False, padding=(0, 2, 0, 0)
        )
        for row in rows[:SHOWN]:
            table.add_row(
                language.moment(row.at),
                row.client.name,
                rehearsing.KINDS[row.kind],
                rehearsing.said(row.was, report, language),
                rehearsing.said(row.would, report, language),
            )
        console.print(table)
    if len(rows) > SHOWN:
        console.print(f"… and {len(rows) - SHOWN} more; --csv FILE writes all of them.")
    counts = report.counts()
    console.print(
        f"{report.letters} letters, {report.deals} deals, {report.follow_ups} follow-ups played: "
        f"{counts['differ']} of {counts['rows']} happenings differ, {counts['by_change']} by the change; "
        f"{counts['clients']} clients would see a difference."
    )
    if report.cut:
        console.print("There was more than was played; choose fewer --days, some deals, or more --seconds.")


def _put(file: Path, data: bytes) -> None:
    if str(file) == "-":
        click.echo(data, nl=False)
        return
    file.write_bytes(data)
    click.echo(f"Written to {file}.")


def _text(file: Path) -> str:
    from core.errors import InputRefused

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{file} cannot be read: {error}.") from error
