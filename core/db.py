"""The database: the base of every table, engines, transactions and the state of the schema.

One dialect, PostgreSQL 15 or newer, through psycopg 3. Verbs take a `Session` and never commit; whoever
opened the transaction (a request, a job, a command) ends it:

    with transaction(engine) as session:
        account = accounts.find(session, domain="example.lt")

Conventions for tables, all in force through `Base`:

* `id: Mapped[Id]` is a bigint identity primary key;
* `datetime` is `timestamptz` and always carries a zone; `dict[str, Any]` and lists are `jsonb`;
* an `enum.Enum` is stored as its value in a text column (a new state needs no change of type);
* constraints and indexes take their names from `NAMING`, so that migrations can name them.

A module that declares tables is listed in `MODEL_MODULES`.
"""

from __future__ import annotations

import enum
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from core.errors import ConfigurationError, DatabaseTooNew, DatabaseTooOld, DatabaseUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

MODEL_MODULES: tuple[str, ...] = (
    "core.staff",
    "core.accounts",
    "core.catalogue",
    "core.consent",
    "core.intake",
    "core.conversations",
    "core.documents",
    "core.pipelines",
    "core.deals",
    "core.checklists",
    "core.payments",
    "core.handover",
    "core.tasks",
    "core.audit",
    "core.routingrules",
    "core.routing",
    "core.outbox",
    "core.approvalasks",
    "core.demofiles",
    "core.fileasks",
    "core.downloads",
    "core.templatelibrary",
    "core.phoneorders",
    "core.sequences",
    "core.flood",
    "core.labels",
    "core.contactfacts",
    "core.lists",
    "core.segments",
    "core.segments_kept",
    "core.imports_rows",
    "core.campaigns",
    "core.phoneevents",
    "core.calls",
    "core.recordings",
    "core.transcripts",
    "core.voices",
    "core.territories",
    "core.moves",
    "core.notes",
    "core.suggestions",
    "core.provenance",
    "core.duplicates",
    "core.merging",
    "core.likelydoubles",
    "core.notices",
    "core.reading",
    "core.unsent",
    "core.enclosures",
    "core.savedviews",
    "core.preferences",
    "core.clientsearch",
    "core.search",
    "core.sessions",
    "core.invitations",
    "core.meetings",
    "core.notifications",
    "core.rehearsal_runs",
    "core.clientabsences",
)
"""Every module that declares tables."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

EXTENSIONS = ("pg_trgm", "unaccent")
"""Both are trusted extensions: the owner of the database may create them without being superuser."""

OLDEST_SERVER = 150000
"""`server_version_num` of the oldest PostgreSQL we run on."""

_MIGRATION_LOCK = 727_100_001

Id = Annotated[int, mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)]
"""Primary key: bigint, given by the database."""


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain class attribute
        datetime: sa.DateTime(timezone=True),
        dict: JSONB,
        dict[str, Any]: JSONB,
        dict[str, str]: JSONB,
        list: JSONB,
        list[str]: JSONB,
        list[int]: JSONB,
        list[dict[str, Any]]: JSONB,
        int: sa.BigInteger,
        Decimal: sa.Numeric(14, 2),
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            length=40,
            create_constraint=False,
            values_callable=lambda kind: [str(member.value) for member in kind],
        ),
    }


def driver_url(url: str) -> sa.URL:
    """The URL with psycopg 3 as its driver, for `postgres://`, `postgresql://` and `postgresql+psycopg://`.

    Raises ConfigurationError for anything else.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("database_url is not a database URL.", cure=_URL_EXAMPLE) from error
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ConfigurationError(
            f"database_url names {parsed.drivername!r}, and frontdesk runs on PostgreSQL only.",
            cure=_URL_EXAMPLE,
        )
    return parsed.set(drivername="postgresql+psycopg")


_URL_EXAMPLE = (
    "Example: postgresql://frontdesk:password@db.example.lt/frontdesk; leave it out for the built-in server."
)


def _connect_args(
    application: str, statement_timeout: float, lock_timeout: float, idle_timeout: float
) -> dict[str, Any]:
    milliseconds = {
        "statement_timeout": statement_timeout,
        "lock_timeout": lock_timeout,
        "idle_in_transaction_session_timeout": idle_timeout,
    }
    options = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in milliseconds.items())
    return {
        "application_name": application,
        "options": f"{options} -c timezone=UTC",
        "connect_timeout": 10,
        # A machine that vanished without a word is noticed in about a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }


def make_engine(
    url: str | sa.URL,
    *,
    application: str = "frontdesk",
    pool_size: int = 10,
    max_overflow: int = 10,
    statement_timeout: float = 60.0,
    lock_timeout: float = 30.0,
    idle_timeout: float = 600.0,
) -> sa.Engine:
    """An engine over psycopg 3; times are in seconds, 0 switches that timeout off.

    `idle_timeout` ends a session that holds a transaction open and says nothing.
    """
    models()  # A table that nobody imported cannot be found by the foreign keys that name it.
    return sa.create_engine(
        driver_url(str(url) if isinstance(url, str) else url.render_as_string(hide_password=False)),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=30,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        connect_args=_connect_args(application, statement_timeout, lock_timeout, idle_timeout),
    )


def session_factory(engine: sa.Engine, *, info: dict[Any, Any] | None = None) -> sessionmaker[Session]:
    """Sessions over the engine; what was loaded stays readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False, info=info or {})


@contextmanager
def transaction(engine: sa.Engine, *, info: dict[Any, Any] | None = None) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises.

    Raises DatabaseUnavailable when the server cannot be reached.
    """
    with session_factory(engine, info=info)() as session, session.begin():
        yield session


def models() -> sa.MetaData:
    """Import every module that declares tables, and return the metadata that now holds them all."""
    for name in MODEL_MODULES:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    return Base.metadata


def check_server(engine: sa.Engine) -> None:
    """Raise DatabaseUnavailable when no server answers, ConfigurationError when it will not do for us."""
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(sa.text("show server_version_num")) or 0)
            encoding = connection.scalar(sa.text("show server_encoding"))
    except OperationalError as error:
        raise unavailable(error) from error
    if version < OLDEST_SERVER:
        raise ConfigurationError(
            f"The database server is PostgreSQL {version // 10000}, and frontdesk needs 15 or newer.",
            cure="Upgrade the server, or leave database_url out and use the built-in one.",
        )
    if encoding != "UTF8":
        raise ConfigurationError(
            f"The database's encoding is {encoding}, and frontdesk needs UTF8.",
            cure="Create it with: createdb --encoding=UTF8 --template=template0 frontdesk",
        )


def unavailable(error: OperationalError) -> DatabaseUnavailable:
    """The first line of what the driver said, as our error."""
    said = str(error.orig or error).strip().splitlines() or ["no reason given"]
    return DatabaseUnavailable(
        f"The database does not answer: {said[0].rstrip('.')}.",
        cure="Check database_url and that the server runs.",
    )


def alembic_config(url: sa.URL | None = None) -> Config:
    """Alembic's configuration, made here so that no ini file is needed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    if url is not None:
        config.attributes["url"] = url
    return config


def schema_revision(connection: sa.Connection) -> str | None:
    """The migration the database stands at; None before the first."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def latest_revision() -> str | None:
    """The newest migration this installation knows; None while there is none."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def check_schema(engine: sa.Engine) -> None:
    """Raise DatabaseTooNew or DatabaseTooOld unless the database stands exactly at our newest migration."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    check_server(engine)
    with engine.connect() as connection:
        present = schema_revision(connection)
    newest = scripts.get_current_head()
    if present == newest:
        return
    known = {script.revision for script in scripts.walk_revisions()}
    if present is not None and present not in known:
        raise DatabaseTooNew(
            f"The database stands at migration {present}, which this version of frontdesk does not know: "
            "it was made by a newer version."
        )
    stands = "is empty" if present is None else f"stands at migration {present}"
    raise DatabaseTooOld(f"The database {stands}, and this version needs {newest}.")


def migrate(engine: sa.Engine) -> str | None:
    """Bring the schema to the newest migration, with the job queue's tables; returns the revision.

    Several processes may call it at once: one works, the others wait. Raises DatabaseTooNew, and changes
    nothing, when the database was made by a newer version.
    """
    from alembic import command

    from core import jobs

    check_server(engine)
    with suppress(DatabaseTooOld):
        check_schema(engine)
    with engine.connect() as lock:
        lock.execute(sa.text("set lock_timeout = 0; set statement_timeout = 0"))
        lock.execute(sa.text("select pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        lock.commit()
        try:
            with engine.begin() as connection:
                connection.execute(sa.text("set local statement_timeout = 0"))
                create_extensions(connection)
                config = alembic_config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            jobs.install(engine)
        finally:
            lock.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            lock.commit()
    return latest_revision()


def create_extensions(connection: sa.Connection) -> None:
    """Create the extensions our indexes use; ConfigurationError when the server does not offer one."""
    for name in EXTENSIONS:
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f'create extension if not exists "{name}"'))
        except DBAPIError as error:
            raise ConfigurationError(
                f"The database server does not let us create the extension {name}.",
                cure=f"Ask its administrator to run: create extension {name};",
            ) from error
