"""A database made by an older version: brought to this one with every row and every value it had.

Each file of `shipped/` is a backup of the demonstration's database as that schema's version left it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from core import backup, db
from core.localdb import LocalDatabase
from core.migrations.new import differences

SHIPPED = sorted((Path(__file__).parent / "shipped").glob("*.dump"))
Contents = dict[str, tuple[list[str], set[str]]]
"""The columns of each table, and each of its rows as text."""


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, server: LocalDatabase) -> Iterator[sa.Engine]:
    """A shipped version's database, as it was."""
    name = f"shipped_{request.param.stem}_{os.getpid()}"
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}"'.encode())
    engine = db.make_engine(server.url_of(name))
    backup.load(engine, request.param)
    yield engine
    engine.dispose()
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())


def contents(engine: sa.Engine, columns: dict[str, list[str]] | None = None) -> Contents:
    """Every row of our tables; of the `columns` given, where some are."""
    found: Contents = {}
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        for table in columns or inspector.get_table_names():
            if table.startswith("pgqueuer") or table == "alembic_version":
                continue
            names = (
                columns[table]
                if columns
                else sorted(column["name"] for column in inspector.get_columns(table))
            )
            picked = sa.select(
                sa.cast(sa.func.jsonb_build_array(*map(sa.column, names)), sa.Text)
            ).select_from(sa.table(table))
            found[table] = (names, set(connection.scalars(picked)))
    return found


def test_an_old_database_upgrades_without_losing_a_row_or_a_value(old: sa.Engine) -> None:
    before = contents(old)
    assert sum(len(rows) for _, rows in before.values()) > 500
    db.migrate(old)
    db.check_schema(old)
    after = contents(old, {table: names for table, (names, _) in before.items()})
    lost = {table: rows - after[table][1] for table, (_, rows) in before.items() if rows - after[table][1]}
    assert lost == {}
    assert differences(old) == []


def test_upgrading_twice_changes_nothing(old: sa.Engine) -> None:
    db.migrate(old)
    once = contents(old)
    db.migrate(old)
    assert contents(old) == once
