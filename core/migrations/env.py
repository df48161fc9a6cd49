"""How Alembic reaches our tables: on the caller's connection, or on one of its own for a new migration."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context

from core import db

metadata = db.models()


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    """The job queue keeps its own tables and upgrades them itself."""
    return not (kind == "table" and (name or "").startswith("pgqueuer"))


def run(connection: sa.Connection) -> None:
    """Run the migrations inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=is_ours,
        compare_server_default=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Take the connection handed over by `core.db.migrate`, or open one."""
    attributes = context.config.attributes
    if (connection := attributes.get("connection")) is not None:
        run(connection)
        return
    engine = db.make_engine(attributes["url"])
    try:
        with engine.begin() as connection:
            run(connection)
    finally:
        engine.dispose()


main()
