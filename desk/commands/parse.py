"""`frontdesk parse`: everything understood of letters."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from inbound.understanding import Understood

CPU_SECONDS = 5.0


@click.command(
    "parse",
    epilog="""\b
Examples:
  frontdesk parse letter.eml
  frontdesk parse --json *.eml | jq -r .subject
  frontdesk parse archive.mbox
  curl -s https://example.lt/letter.eml | frontdesk parse -
""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One object a line, in order.")
def command(files: tuple[Path, ...], as_json: bool) -> int:
    """Read letters and show what is understood of each: who, what about, which part is new, machine or not.

    FILE may be a letter, an mbox, a maildir or a folder; "-" is standard input. Nothing is stored. A letter
    that cannot be understood is shown with its error; exit code 1 means that a file could not be read.
    """
    from inbound.describe import as_json as described

    unread = 0
    for path in files:
        for name, outcome in _understood(path):
            unread += isinstance(outcome, OSError)
            told = described(name, outcome)
            click.echo(json.dumps(told, ensure_ascii=False) if as_json else _shown(told))
    return int(bool(unread))


def _understood(path: Path) -> Iterator[tuple[str, Understood | Exception]]:
    from core.errors import InputRefused
    from inbound.letterfiles import letters
    from inbound.understanding import understand

    try:
        for letter in letters([path]):
            try:
                with bounded(CPU_SECONDS):
                    yield letter.name, understand(letter.data)
            except Exception as error:
                yield letter.name, error
    except InputRefused as error:
        yield str(path), OSError(error.message)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Give up with LimitExceeded after so much processor time."""
    from core.errors import LimitExceeded

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise LimitExceeded(f"It takes more than {seconds:.0f} s of processor time.")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


ROWS = ("subject", "date", "message_id", "language", "machine")


def _shown(told: dict[str, Any]) -> str:
    """A letter for a person's eyes."""
    lines = [click.style(told["file"], bold=True)]
    if told["error"]:
        return "\n".join([*lines, f"  error       {told['error']}", ""])
    people = [(name, ", ".join(map(_person, told[name]))) for name in ("from", "to", "cc")]
    lines += [f"  {name:<11} {who}" for name, who in people if who]
    lines += [f"  {name:<11} {told[name]}" for name in ROWS if told[name]]
    lines += [
        f"  attachment  {one['name']} ({one['content_type']}, {one['size']} bytes)"
        for one in told["attachments"]
    ]
    if told["bounce"]:
        bounce = told["bounce"]
        lines.append(
            f"  bounce      {bounce['class']}, {'hard' if bounce['hard'] else 'soft'}, {bounce['recipient']}"
        )
    if told["forward"]:
        forward = told["forward"]
        lines.append(f"  forward     of {_person(forward['from'] or {})} “{forward['subject']}”")
    for name in ("reply", "signature"):
        if told[name]:
            lines += [
                "",
                *(f"  {'|' if name == 'reply' else '-'} {line}" for line in told[name].splitlines()),
            ]
    if told["quoted"]:
        lines.append(f"\n  (and {len(told['quoted'].splitlines())} lines quoted)")
    return "\n".join([*lines, ""])


def _person(person: dict[str, str]) -> str:
    name, address = person.get("name", ""), person.get("address", "")
    return f"{name} <{address}>" if name else address
