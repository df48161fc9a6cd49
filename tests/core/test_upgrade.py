"""A database made by an older version: brought to this one with every row and every value it had.

Each file of `shipped/` is a backup of the demonstration's database as that schema's version left it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from core import backup, db
from core.localdb import LocalDatabase
from core.migrations.new import differences

HERE = Path(__file__).parent
SHIPPED = sorted((HERE / "shipped").glob("*.dump"))
UNCHANGED = {
    "core/migrations/versions/0001_the_first_schema.py": "25966cf307fe7b8955c19732598e3c4f82149910",
    "core/migrations/versions/0002_the_whole_office.py": "52741b0296bd213d9c27f7eae7f12706242c1e53",
    "core/migrations/versions/0003_what_was_learnt_in_use.py": "e5f3672e1e88d1053d56511f0d196a7bfda3c3bd",
    "core/migrations/data_0002.py": "564e2dbd7cb745de4433f8da200409c484f97b35",
    "tests/core/shipped/0001.dump": "e1387e62d921f3dc14b94a9e509db2c641b6915c",
    "tests/core/shipped/0002.dump": "d3e131bf308a4ce6a4a7559e746d58d5e8f615d5",
    "tests/core/shipped/0003.dump": "b5a0021acdd8b7be7e1e82edfcde420ba74b8613",
}
"""What companies run already, each with how its SHA-256 begins: a change reaches nobody who has it."""
Contents = dict[str, tuple[list[str], set[str]]]
"""The columns of each table, and each of its rows as text."""


def _digest(file: str) -> str:
    return hashlib.sha256((HERE.parents[1] / file).read_bytes()).hexdigest()[:40]


def test_what_has_shipped_is_never_changed() -> None:
    assert {file: _digest(file) for file in UNCHANGED} == UNCHANGED


def test_each_migration_that_has_shipped_has_a_database_to_upgrade_from() -> None:
    versions = {Path(file).name[:4] for file in UNCHANGED if "/versions/" in file}
    assert versions == {path.stem for path in SHIPPED}


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
