"""Every route is declared, and open to nobody but those it is declared for; no database is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.routes import HTTPRoute

from core.config import load_settings
from desk.app import create_app
from tests.desk.expected_access import EXPECTED, WHO, WHOSE

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], object]:
    """Method and path of every route → who may enter."""
    folder: Path = tmp_path_factory.mktemp("desk")
    app: Litestar = create_app(
        load_settings(file=None, data_dir=folder), sa.create_engine("postgresql+psycopg://")
    )
    return {
        (method, route.path): handler.opt.get("enter", "undeclared")
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method in METHODS
    }


def test_every_route_is_in_the_table_and_nothing_else_is(routes: dict[tuple[str, str], object]) -> None:
    assert set(routes) - set(EXPECTED) == set(), "Say in expected_access.py who may enter, and whose it is."
    assert set(EXPECTED) - set(routes) == set(), "These routes are gone; take them out of expected_access.py."


def test_every_route_admits_exactly_those_it_is_declared_for(routes: dict[tuple[str, str], object]) -> None:
    wrong = [key for key, enter in routes.items() if key in EXPECTED and enter != WHO[EXPECTED[key][0]]]
    assert wrong == []


def test_every_route_about_one_thing_says_whose_it_must_be() -> None:
    unknown = [key for key, (_, whose) in EXPECTED.items() if whose not in WHOSE]
    silent = [
        key for key, (who, whose) in EXPECTED.items() if "{" in key[1] and whose == "-" and who != "public"
    ]
    assert (unknown, silent) == ([], [])


def test_what_anybody_may_open_changes_nothing_without_a_token_or_a_signature() -> None:
    open_doors = {
        key for key, (who, whose) in EXPECTED.items() if who == "public" and whose == "-" and key[0] != "GET"
    }
    assert open_doors == {("POST", "/login"), ("POST", "/phone/cti")}
