"""Fixtures every room uses: a real PostgreSQL, and a database of its own for each test that wants one.

* `session`: a `Session` whose work is rolled back after the test; commits inside it are savepoints. The usual
  choice.
* `engine`: an `Engine` over a database of this test's own, cloned from the template; for tests that really
  commit, use several connections or run workers. Its address is `database_url`.
* `context`: a `core.context.Context` over that engine with plain settings.

One server serves the whole run, started on first use and stopped at the end; each pytest-xdist worker has its
own databases. Where memory allows it, everything temporary lies in memory (`in_memory`).
"""

from __future__ import annotations

import fcntl
import gc
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import settings as property_settings
from sqlalchemy.orm import Session

from core import db, jobs
from core.config import Settings, load_settings
from core.context import Context
from core.localdb import LocalDatabase

# How long an example takes says how busy the machine is, not whether the code is right.
property_settings.register_profile("house", deadline=None, print_blob=True)
property_settings.load_profile("house")

CORPUS = Path(__file__).parent.parent.parent / "shared" / "data"
"""Public test mail and texts beside the project, where they are present."""

SYSTEM_POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("1[5-9]/bin"))
"""The folders of PostgreSQL's programs that Debian installed."""

TEMPLATE = "frontdesk_template"
FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300",
    "max_wal_size": "256MB",
}  # fmt: skip
"""No test survives a power cut, and kills of processes lose nothing without fsync."""

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 * 1024**3
"""What must be free for temporary files before they are put into memory."""


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""The system's browser, where it has one."""

NEEDS: dict[str, tuple[str, Callable[[], bool]]] = {
    "corpus": (f"{CORPUS} is not there", CORPUS.exists),
    "dovecot": ("Debian's dovecot-imapd is not installed", lambda: _installed("dovecot")),
    "postfix": ("Debian's postfix is not installed", lambda: _installed("postfix", "smtp-sink")),
    "chromium": ("Chromium is not installed", lambda: bool(CHROMIUM)),
    "system_postgresql": ("no PostgreSQL of the system is installed", lambda: bool(SYSTEM_POSTGRESQL)),
    "twilio_live": (
        "TWILIO_LIVE is not 1, so Twilio itself is not asked",
        lambda: os.environ.get("TWILIO_LIVE") == "1",
    ),
    "root": ("only root can try it", lambda: os.geteuid() == 0),
}
"""Marker → why tests with it are left out here, and whether they need not be."""
BY_WISH = frozenset({"twilio_live"})
"""Markers of tests that run only when somebody wishes so; a complete run goes without them."""


def _installed(*programs: str) -> bool:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return all(shutil.which(program, path=places) for program in programs)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of the run's server; workers of pytest-xdist inherit it."""
    config.addinivalue_line("markers", "system_postgresql: needs a PostgreSQL of the system")
    config.addinivalue_line("markers", "root: needs to be root")
    config.addinivalue_line("markers", "twilio_live: asks Twilio itself, when TWILIO_LIVE=1 says so")
    # A worker gets FRONTDESK_TEST_SERVER from the process that started it, and only that process cleans up.
    if "FRONTDESK_TEST_SERVER" not in os.environ:
        if "TMPDIR" not in os.environ and in_memory():
            os.environ["TMPDIR"] = str(MEMORY)
            tempfile.tempdir = None
        folder = tempfile.mkdtemp(prefix="fdt")
        os.environ["FRONTDESK_TEST_SERVER"] = folder
        config.stash[_owned] = folder


def in_memory() -> bool:
    """Whether temporary files go into memory: a thousand tests begin with a new database of 14 MB, which is
    several times quicker there. `TMPDIR=/tmp make test` keeps them on the disk.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    place = os.statvfs(MEMORY)
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    (available,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    return min(place.f_bavail * place.f_frsize, available) >= ENOUGH_BYTES


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's server."""
    folder = config.stash.get(_owned, None)
    if folder is None:
        return
    if (Path(folder) / "db").exists():
        LocalDatabase(Path(folder) / "db").stop()
    shutil.rmtree(folder, ignore_errors=True)
    os.environ.pop("FRONTDESK_TEST_SERVER", None)


_owned: pytest.StashKey[str] = pytest.StashKey()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and count as left out, the tests that need what is not here; begin with the long ones."""
    absent = [marker for marker, (_, present) in NEEDS.items() if not present()]
    needed = [marker for marker in absent if marker not in BY_WISH]
    if needed and os.environ.get("TESTS_COMPLETE"):
        reasons = "; ".join(NEEDS[marker][0] for marker in needed)
        raise pytest.UsageError(f"Nothing may be left out, but {reasons}.")
    left_out = {item: marker for item in items for marker in absent if item.get_closest_marker(marker)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        config.stash[_left_out] = Counter(left_out.values())
    kept = [item for item in items if item not in left_out]
    # Whatever else the order is, no worker begins at the end of the run what it is long at.
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What is collected stays until the end: the collector of garbage need not go through it every time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say plainly what was left out, and why."""
    for marker, count in config.stash.get(_left_out, Counter()).items():
        terminalreporter.write_line(f"{count} tests were left out: {NEEDS[marker][0]}.", yellow=True)


_left_out: pytest.StashKey[Counter[str]] = pytest.StashKey()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public test mail and texts; only for tests marked `corpus`."""
    return CORPUS


@pytest.fixture(scope="session")
def server() -> LocalDatabase:
    """The run's PostgreSQL, with a template database that holds the whole schema."""
    folder = Path(os.environ["FRONTDESK_TEST_SERVER"])
    database = LocalDatabase(folder / "db", server_settings=FAST)
    database.ensure()
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _exists(database, TEMPLATE):
            building = f"{TEMPLATE}_building"
            _run(database, f'drop database if exists "{building}"', f'create database "{building}"')
            engine = db.make_engine(database.url_of(building))
            try:
                _build_schema(engine)
            finally:
                engine.dispose()
            _run(database, f'alter database "{building}" rename to "{TEMPLATE}"')
    return database


def _build_schema(engine: sa.Engine) -> None:
    """The tables as declared; that the migrations make the very same is a test of its own."""
    with engine.begin() as connection:
        db.create_extensions(connection)
        db.models().create_all(connection)
        MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(db.alembic_config()), "head")
    jobs.install(engine)


def _run(database: LocalDatabase, *statements: str) -> None:
    with psycopg.connect(database.url_of("postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _exists(database: LocalDatabase, name: str) -> bool:
    with psycopg.connect(database.url_of("postgres")) as connection:
        return bool(connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone())


_numbers = itertools.count(1)


def _clone(server: LocalDatabase, name: str) -> None:
    _run(server, f'create database "{name}" template "{TEMPLATE}" strategy file_copy')


@pytest.fixture
def database_url(server: LocalDatabase) -> Iterator[str]:
    """The URL of a database of this test's own, with the whole schema and nothing else in it."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_numbers)}"
    _clone(server, name)
    yield server.url_of(name)
    _run(server, f'drop database "{name}" with (force)')


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine over a database of this test's own; what it commits stays until the test ends."""
    engine = db.make_engine(database_url, application="tests")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _shared_engine(server: LocalDatabase) -> Iterator[sa.Engine]:
    name = f"shared_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    _clone(server, name)
    engine = db.make_engine(server.url_of(name), application="tests")
    yield engine
    engine.dispose()
    _run(server, f'drop database "{name}" with (force)')


@pytest.fixture
def session(_shared_engine: sa.Engine) -> Iterator[Session]:
    """A session whose work is rolled back after the test, commits included."""
    with _shared_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Plain settings with a data folder of this test's own."""
    return load_settings(file=None, data_dir=tmp_path / "data")


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    """What a job is given, over this test's own database."""
    return Context(settings=settings, engine=engine)
