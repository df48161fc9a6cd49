"""`frontdesk parse`: everything understood of letters."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

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
    from core.errors import InputRefused
    from inbound.letterfiles import letters

    unread = 0

    def refused(path: Path, error: InputRefused) -> None:
        nonlocal unread
        unread += 1
        _tell(_not_read(str(path), error), as_json)

    for letter in letters(files, refused=refused):
        _tell(_told(letter.name, letter.data), as_json)
    return int(bool(unread))


def _tell(told: dict[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else shown(told))


def _told(name: str, data: bytes) -> dict[str, Any]:
    """One letter understood and described, or its error, whatever it is: the next letters are still read."""
    from inbound.describe import as_json as described
    from inbound.understanding import understand

    try:
        with bounded(CPU_SECONDS):
            return described(name, understand(data))
    except Exception as error:
        return described(name, error)


def _not_read(name: str, error: Exception) -> dict[str, Any]:
    from inbound.describe import as_json as described

    return described(name, OSError(str(getattr(error, "message", error))))


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


ROWS = ("subject", "date", "message_id", "language")


def shown(told: dict[str, Any]) -> str:
    """A letter for a person's eyes: what is empty is left out."""
    title = click.style(told["file"], bold=True)
    if told["error"]:
        return f"{title}\n{_row('error', ' '.join(told['error'].split()))}\n"
    rows = [
        (name.replace("_", " "), ", ".join(map(_person, told[name])))
        for name in ("from", "reply_to", "to", "cc")
    ]
    rows += [(name.replace("_", " "), told[name] or "") for name in ROWS]
    rows.append(("written by", _writer(told)))
    rows += [("back", told["return_date"] or ""), ("bounce", _bounce(told["bounce"]))]
    rows += [("forward", _forward(told["forward"])), ("invitation", _invitation(told["invitation"]))]
    rows += [
        ("attachment", f"{one['name']} ({one['content_type']}, {one['size']} bytes)")
        for one in told["attachments"]
    ]
    rows += [("warning", one["words"]) for one in told["warnings"]]
    rows += [("defect", one) for one in told["defects"]]
    lines = [title, *(_row(name, value) for name, value in rows if value)]
    for mark, text in (("|", told["reply"]), ("-", told["signature"])):
        lines += ["", *(f"  {mark} {line}".rstrip() for line in text.splitlines())] if text else []
    forwarded = told["forward"]["text"] if told["forward"] else ""
    left = [("quoted", told["quoted"]), ("forwarded", forwarded), ("of a notice", told["disclaimer"])]
    counted = [f"{len(text.splitlines())} {word}" for word, text in left if text]
    if counted:
        lines += ["", f"  (lines left out: {', '.join(counted)}; --json shows all)"]
    return "\n".join([*lines, ""])


def _row(name: str, value: str) -> str:
    return f"  {name:<11} {value}"


def _writer(told: dict[str, Any]) -> str:
    """A person or which kind of machine, and what says so."""
    if told["machine"] == "none":
        return "a person"
    return f"a machine: {told['machine'].replace('_', ' ')} ({told['machine_reason']})"


def _bounce(bounce: dict[str, Any] | None) -> str:
    if bounce is None:
        return ""
    fate = "the address is dead" if bounce["hard"] else "the address may live"
    where = ", ".join(bounce["recipients"]) or "no address named"
    said = f", “{bounce['diagnostic']}”" if bounce["diagnostic"] else ""
    return f"{'delayed, ' if bounce['delayed'] else ''}{bounce['class']} ({fate}): {where}{said}"


def _forward(forward: dict[str, Any] | None) -> str:
    if forward is None:
        return ""
    when = f", {forward['date'] or forward['date_text']}" if forward["date_text"] else ""
    who = _person(forward["from"] or {}) or "somebody not named"
    return f"first written by {who}{when}, “{forward['subject']}”"


def _invitation(invitation: dict[str, Any] | None) -> str:
    if invitation is None:
        return ""
    return " ".join(filter(None, (invitation["method"], f"“{invitation['summary']}”", invitation["start"])))


def _person(person: dict[str, str]) -> str:
    name, address = person.get("name", ""), person.get("address", "")
    return f"{name} <{address}>" if name and address else name or address
