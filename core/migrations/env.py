"""How Alembic reaches our tables: on the caller's connection, or on one of its own for a new migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context
from alembic.operations.ops import CreateForeignKeyOp, CreateTableOp, DropConstraintOp, MigrationScript
from alembic.runtime.migration import MigrationContext

from core import db
from core.migrations.new import is_ours

metadata = db.models()


def add_circular_keys(
    _context: MigrationContext, _revision: object, directives: list[MigrationScript]
) -> None:
    """Foreign keys between tables that name each other come after both; Alembic forgets those."""
    for script in directives:
        upgrade, downgrade = script.upgrade_ops, script.downgrade_ops
        if upgrade is None or downgrade is None:
            continue
        made = {operation.table_name for operation in upgrade.ops if isinstance(operation, CreateTableOp)}
        for name in sorted(made):
            for key in metadata.tables[name].foreign_key_constraints:
                if key.use_alter:
                    upgrade.ops.append(CreateForeignKeyOp.from_constraint(key))
                    downgrade.ops.insert(0, DropConstraintOp.from_constraint(key))


def run(connection: sa.Connection) -> None:
    """Run the migrations inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=is_ours,
        compare_server_default=True,
        process_revision_directives=add_circular_keys,
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
