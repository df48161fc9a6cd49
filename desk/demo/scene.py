"""The demonstration: one made-up company's mail, from empty folders to the desk, by the real programs.

run(once=True)     # plays the scene, checks all of it, and ends
run(once=False)    # the same beginning, then the desk stays open until Ctrl-C
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InputRefused
from core.intake import RawOrigin
from desk import wiring
from desk.demo import calls, checks, correspondence, observed, people, programs, report, story
from desk.demo.letterbox import DESK_PORT, SMTP_PORT
from desk.demo.pickedup import pick_up
from desk.demo.programs import Program
from desk.demo.servers import MailServers
from desk.demo.switchboard import switchboard
from desk.demo.world import World

UNDERSTAND_SECONDS = 300.0
TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FILE_WIDTH = 140


def run(
    *,
    once: bool = False,
    folder: Path | None = None,
    desk_port: int = DESK_PORT,
    smtp_port: int = SMTP_PORT,
    overrides: Mapping[str, Any] | None = None,
    console: Console | None = None,
) -> int:
    """Play the demonstration; returns the exit code, 1 when something of it does not hold.

    Everything lives in `folder`, which must be empty, or in a temporary one that is removed at the end. The
    ports are wished for: where somebody listens already, others are taken. `overrides` replaces settings.

    Raises InputRefused when the folder is not empty, ConfigurationError when the demonstration's mail servers
    are not installed, Stuck when it stops.
    """
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise InputRefused(f"{folder} is not empty.", cure="Name a new folder, or leave --folder out.")
    console = console or _console()
    with ExitStack() as stack:
        stack.enter_context(told_to_end())
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        world = stack.enter_context(_opened(folder, desk_port, smtp_port, overrides, console))
        contents = _deliver(world)
        console.print(
            f"{world.appended} letters wait in {len(people.mailboxes())} mailboxes.", highlight=False
        )
        program = Program(folder, "serve")
        stack.enter_context(program)
        world.programs.append(program)
        with console.status("The letters are fetched, understood, filed and acknowledged …"):
            _wait_for_letters(world, untried=True)
        with console.status("Three clients call …"):
            wrong = calls.play(world)
        console.print("Three calls came in: a talk, a message, and one that was missed.", highlight=False)
        if once:
            return _play(world, contents, console, wrong)
        _stay(world, contents, console)
        return 0


@contextmanager
def told_to_end() -> Iterator[None]:
    """Told to end in any way, everything that was started within the block is ended in order.

    Whatever fails because it was broken off there, as a connection in the middle of a statement does, is no
    fault of its own: it leaves the block as the KeyboardInterrupt that broke it off.
    """
    told = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in TO_END}
    try:
        yield
    except Exception as error:
        if told:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _console() -> Console:
    """The terminal, or a wide page where the output goes into a file."""
    console = Console()
    return console if console.is_terminal else Console(width=FILE_WIDTH)


@contextmanager
def _opened(
    folder: Path, desk_port: int, smtp_port: int, overrides: Mapping[str, Any] | None, console: Console
) -> Iterator[World]:
    """Mail servers, database and people; all of it ends with the block."""
    with ExitStack() as stack:
        servers = stack.enter_context(
            MailServers(programs.mailbox_keys(), smtp_port=programs.port_or_any(smtp_port))
        )
        settings = programs.write_settings(
            folder,
            servers,
            telephone=stack.enter_context(switchboard(pick_up)),
            desk_port=programs.port_or_any(desk_port) or programs.free_port(),
            overrides=overrides,
        )
        with console.status("The database is made …"):
            if (database := wiring.local_database(settings)) is not None:
                stack.callback(database.release, adopt=True)
            context = stack.enter_context(
                wiring.opened(
                    settings, application="frontdesk demo", schema=wiring.Schema.MIGRATE, release=False
                )
            )
        world = World(folder, settings, context.engine, servers)
        with world.transaction() as session:
            people.arrive(session)
        yield world


def _deliver(world: World) -> dict[str, bytes]:
    """File every sample letter where it belongs; returns their bytes by file."""
    letters = correspondence.letters()
    contents = correspondence.bytes_of(letters)
    addresses = people.mailboxes()
    for name, address in addresses.items():
        mine = [contents[letter.file] for letter in letters for box in letter.mailboxes if box == name]
        world.servers.deliver(address, *mine)
        world.appended += len(mine)
    world.distinct += len(letters)
    return contents


def _wait_for_letters(world: World, *, untried: bool = False) -> None:
    """Wait until every letter is fetched and settled (or tried once), and whatever that caused has left."""

    def settled(session: Session) -> bool:
        fetched = session.scalar(select(func.count()).select_from(RawOrigin)) or 0
        return fetched >= world.appended and observed.waiting(session, untried=untried) == (0, 0)

    world.wait_until("every letter is understood and answered", settled, seconds=UNDERSTAND_SECONDS)


def _play(world: World, contents: dict[str, bytes], console: Console, calls_wrong: list[str]) -> int:
    """The rest of the scene, its report, and the verdict."""
    letters = correspondence.letters()
    with console.status("A colleague answers, a deal moves, a client replies …"):
        told = [step(world) for step in story.STEPS]
    with console.status("What cannot be read is tried three times …"):
        _wait_for_letters(world)
    with world.transaction() as session:
        outgoing = observed.deliveries(session, world.servers.sent)
        strangers = observed.strangers(session, world.servers.sent, world.own_addresses)
        counts = observed.counts(session, world.appended)
        seen = observed.letters(session, letters, contents)
    report.letters(console, seen)
    report.story(console, [one.text for one in told])
    report.outgoing(console, outgoing)
    code, books = programs.answer_of(world.folder, "ledger")
    report.books(console, books)
    wrong = [
        *calls_wrong,
        *checks.of_letters(seen),
        *(fault for one in told for fault in one.wrong),
        *checks.of_deliveries(outgoing, strangers),
        *checks.of_counts(
            counts,
            distinct=world.distinct,
            quarantined=sum(letter.treatment == "quarantined" for letter in letters),
        ),
        *checks.of_ledger(code),
    ]
    report.verdict(console, wrong)
    return 1 if wrong else 0


def _stay(world: World, contents: dict[str, bytes], console: Console) -> None:
    """Say where everything is, and stay until Ctrl-C."""
    with world.transaction() as session:
        seen = observed.letters(session, correspondence.letters(), contents)
    report.summary(console, seen)
    report.doors(
        console,
        desk=world.settings.company.public_url,
        smtp_port=world.servers.smtp_port,
        logins=[
            (f"{one['login']}@{people.domain()}", f"{one['name']}, {one['position']}")
            for one in people.company()["staff"]
        ],
        secret=people.company()["sign_in"],
    )
    with world.transaction() as session:
        message, event = observed.newest(session)

    def look(session: Session) -> None:
        nonlocal message, event
        for one in observed.came(session, message):
            report.happened(console, one)
            message = one.number
        for one in observed.left(session, event):
            report.happened(console, one)
            event = one.number

    try:
        with told_to_end():
            world.stay(look)
    except KeyboardInterrupt:
        console.print("\nThe demonstration ends.")
