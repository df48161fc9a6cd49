"""The desk over a database of its own, with a small company in it, and browsers in which somebody is signed
in."""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import playwright.sync_api as playwright
import psycopg
import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.datastructures import State
from litestar.testing import TestClient

from core import db, sessions
from core.config import Settings, load_settings
from core.db import transaction
from core.localdb import LocalDatabase
from core.staff import StaffMember
from desk import serving
from desk.app import create_app
from desk.sessions import COOKIE
from tests.company import company as build_company
from tests.conftest import CHROMIUM, TEMPLATE
from tests.factories import World
from tests.ports import free_port

Browser = TestClient[Litestar]
SignedIn = Callable[[str], Browser]

FROM_US = {"origin": "http://testserver.local", "accept": "text/html"}


QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Without these the browser looks for its maker's servers."""


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def company(server: LocalDatabase) -> tuple[str, World]:
    """A database with a company in it, which each test gets a copy of; and what is in it."""
    name = f"company_{os.getpid()}"
    copy_database(server, name, TEMPLATE)
    engine = db.make_engine(server.url_of(name))
    with transaction(engine) as session:
        world = build_company(session)
    engine.dispose()
    return name, world


def copy_database(server: LocalDatabase, name: str, template: str) -> None:
    """Make a database that begins as a copy of another."""
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"'.encode())


@pytest.fixture
def engine(server: LocalDatabase, company: tuple[str, World]) -> Iterator[sa.Engine]:
    """An engine over a copy of the company of this test's own."""
    name = f"desk_{os.getpid()}_{next(_numbers)}"
    copy_database(server, name, company[0])
    engine = db.make_engine(server.url_of(name), application="tests")
    yield engine
    engine.dispose()
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())


@pytest.fixture
def world(company: tuple[str, World]) -> World:
    """What is in the company: staff, clients and letters, as they were put in."""
    return company[1]


@pytest.fixture
def desk_settings(tmp_path: Path) -> Settings:
    """Settings of a company with a name and an address of its own."""
    company = {"name": "Šiaurės siurbliai", "public_url": "https://desk.example"}
    return load_settings(data_dir=tmp_path, company=company)


@pytest.fixture(scope="session")
def _application() -> Litestar:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    return create_app(load_settings(data_dir=Path("nowhere")), nowhere)


@pytest.fixture
def app(_application: Litestar, engine: sa.Engine, desk_settings: Settings, world: World) -> Litestar:
    """The application over that company: put together once, since that takes longer than most tests, and
    given a state of its own for each."""
    _application.state = State({"settings": desk_settings, "engine": engine})
    return _application


@pytest.fixture
def visitor(app: Litestar) -> Iterator[Browser]:
    """A browser in which nobody is signed in."""
    with TestClient(app) as browser:
        browser.headers.update(FROM_US)
        yield browser


@pytest.fixture
def signed_in(app: Litestar, engine: sa.Engine, world: World, visitor: Browser) -> SignedIn:
    """Browsers of colleagues by their short names, beside the visitor's and on the same server."""

    def browser_of(name: str) -> Browser:
        with transaction(engine) as session:
            member = session.get_one(StaffMember, world.staff[name].id)
            token = sessions.open_session(session, member, client="127.0.0.1", agent="test")
        browser = TestClient(app)
        # The server is started once a test: its lifespan belongs to the visitor's browser.
        browser.blocking_portal = visitor.blocking_portal
        browser.headers.update(FROM_US)
        browser.cookies.set(COOKIE, token)
        return browser

    return browser_of


def fewest_queries(engine: sa.Engine, look: Callable[[], object]) -> int:
    """How many queries looking takes, the least of three times: names that are looked up anew after some
    seconds are not in it, however slow the machine is.
    """
    counted: list[int] = []

    def count(*_given: object) -> None:
        counted[-1] += 1

    sa.event.listen(engine, "before_cursor_execute", count)
    for _ in range(3):
        counted.append(0)
        look()
    sa.event.remove(engine, "before_cursor_execute", count)
    return min(counted)


@pytest.fixture
def address(engine: sa.Engine, desk_settings: Settings, world: World) -> Iterator[str]:
    """The desk served for real, on a free port of this machine."""
    app = create_app(desk_settings, engine)
    port = free_port()
    stops: queue.Queue[Callable[[], None]] = queue.Queue()
    server = threading.Thread(target=serving.serve, args=(app, "127.0.0.1", port, stops.put), daemon=True)
    server.start()
    stop = stops.get(timeout=180)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz", timeout=60).text == "ok\n":
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    stop()
    server.join(timeout=120)


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright.Browser]:
    """The system's browser."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET, timeout=180_000)
        yield browser
        browser.close()
