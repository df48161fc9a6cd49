"""The only place that builds things: the database, the engine, the jobs of all rooms and the ports they use.

A room's module `jobs` is read as `core.jobkinds` describes. The ports that rooms ask for
(`context.port(ClassifierInForce)`) are provided here, each built when it is first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import ModuleType

import sqlalchemy as sa

from core import db, logs
from core.config import Settings, load_settings
from core.context import Context
from core.jobkinds import Registry
from core.jobs import Pace
from core.localdb import LocalDatabase
from core.worker import Plan, services_of

JOB_MODULES: tuple[str, ...] = (
    "core.housekeeping",
    "core.segmentwork",
    "core.absencework",
    "core.notifications_work",
    "core.approvalwork",
    "classifier.jobs",
    "inbound.jobs",
    "outbound.jobs",
    "desk.morning",
    "desk.rehearsework",
)
"""Every module that declares background work."""

SPARE_CONNECTIONS = 4
"""For the promoter and what else a worker asks now and then."""


class Schema(StrEnum):
    """What to do about the database's schema before it is used."""

    CHECK = "check"
    """Refuse to work unless it is exactly ours; a built-in database that is still empty is made ours."""
    MIGRATE = "migrate"
    """Bring it to ours first."""
    OURS = "ours"
    """Migrate the built-in database or an empty one; only check a server that others may use as well."""
    LEAVE = "leave"


def settings_of_this_process(*, service: bool = False) -> Settings:
    """The settings, with the logs set up by them; commands a person runs log warnings only."""
    settings = load_settings()
    logs.configure(settings.log, secrets=settings.secret_values(), quiet=not service)
    return settings


def local_database(settings: Settings) -> LocalDatabase | None:
    """The built-in database, unless the settings name another."""
    if settings.database_url is not None:
        return None
    return LocalDatabase(settings.data_dir / "database", bin_dir=settings.database.bin_dir)


def database_url(settings: Settings, local: LocalDatabase | None) -> str:
    """The address of the database; the built-in one is started when it does not run."""
    if local is not None:
        return local.ensure()
    assert settings.database_url is not None  # noqa: S101 - without it there is a local one
    return settings.database_url.get_secret_value()


@contextmanager
def opened(
    settings: Settings,
    *,
    application: str = "frontdesk",
    schema: Schema = Schema.CHECK,
    connections: int | None = None,
    release: bool = True,
) -> Iterator[Context]:
    """The database, checked, and all ports; closed when the block ends.

    With `release`, a built-in database that we started is stopped at the end if nobody else uses it. Raises
    DatabaseTooNew, DatabaseTooOld or DatabaseUnavailable.
    """
    local = local_database(settings)
    engine = db.make_engine(
        database_url(settings, local),
        application=application,
        pool_size=connections or settings.database.pool_size,
        statement_timeout=settings.database.statement_timeout_seconds,
    )
    try:
        prepare_schema(engine, schema, local=local is not None)
        context = context_over(settings, engine)
        try:
            yield context
        finally:
            context.ports.close()
    finally:
        engine.dispose()
        if release and local is not None:
            local.release()


def prepare_schema(engine: sa.Engine, schema: Schema, *, local: bool) -> None:
    """Check or migrate, as `Schema` says."""
    if schema is Schema.LEAVE:
        return
    if schema is Schema.CHECK and local and _is_empty(engine):
        schema = Schema.MIGRATE
    if schema is Schema.MIGRATE or (schema is Schema.OURS and (local or _is_empty(engine))):
        db.migrate(engine)
    db.check_schema(engine)


def _is_empty(engine: sa.Engine) -> bool:
    db.check_server(engine)
    with engine.connect() as connection:
        return db.schema_revision(connection) is None


def context_over(settings: Settings, engine: sa.Engine) -> Context:
    """A context with the ports of every room provided."""
    context = Context(settings, engine)
    for provide in PROVIDERS:
        provide(context)
    return context


def _classifier(context: Context) -> None:
    from classifier.inforce import ClassifierInForce
    from classifier.labeller import ProgramLabeller

    given = context.settings.classifier
    other = ProgramLabeller(tuple(given.program), given.program_seconds) if given.program else None
    context.provide(ClassifierInForce, lambda: ClassifierInForce(context.transaction, other=other))


def _readers(context: Context) -> None:
    from inbound.readers import ReaderProcesses, Readers

    limits = context.settings.limits
    context.provide(
        Readers,
        lambda: ReaderProcesses(
            cpu_seconds=limits.message_cpu_seconds, memory_bytes=limits.message_memory_bytes
        ),
    )


def _senders(context: Context) -> None:
    from inbound.dnstext import DnsTextRecords, TextRecords
    from inbound.knownsenders import KnownSenders

    context.provide(KnownSenders, KnownSenders)
    context.provide(TextRecords, lambda: DnsTextRecords(context.settings.senders.dns_seconds))


PROVIDERS: tuple[Callable[[Context], None], ...] = (_classifier, _readers, _senders)
"""What says how each port is built."""


def job_modules() -> list[ModuleType]:
    """The modules that declare background work."""
    return [importlib.import_module(name) for name in JOB_MODULES]


def registry_of_all() -> Registry:
    """Every kind of background work there is."""
    return Registry(*(module.registry for module in job_modules()))


def plan(context: Context, queues: tuple[str, ...] = (), *, threads: int | None = None) -> Plan:
    """What a worker with these settings does; `queues` and `threads` win over the settings."""
    workers = context.settings.workers
    return Plan(
        registry_of_all(),
        services=services_of(job_modules(), context),
        queues=queues or tuple(workers.queues),
        pace=Pace(threads=threads or workers.threads),
        drain_seconds=workers.drain_seconds,
    )


def worker_connections(settings: Settings, threads: int | None = None) -> int:
    """Connections a worker needs at most: one a job, one a mailbox, and a few."""
    return (threads or settings.workers.threads) + len(settings.mailboxes) + SPARE_CONNECTIONS
