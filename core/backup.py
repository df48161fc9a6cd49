"""The whole database into one file and back, with PostgreSQL's own programs, for both kinds of database.

The file is pg_dump's custom format: compressed, consistent as of one moment, readable by the same or a newer
PostgreSQL, so it is also the way from one major version to the next and from the built-in server to one's
own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from core.errors import ConfigurationError, FrontdeskError, InputRefused
from core.pgprograms import Programs, find_programs

HEAD = b"PGDMP"
"""What every file in that format begins with."""


class BackupFailed(FrontdeskError):
    """The backup could not be made."""


class RestoreFailed(FrontdeskError):
    """The backup could not be read back."""


def dump(url: sa.URL, file: Path, *, bin_dir: Path | None = None, overwrite: bool = False) -> int:
    """Write the database to `file` (`-` for standard output), complete or not at all; returns the size in
    bytes.

    Raises InputRefused when the file exists, BackupFailed with what pg_dump said.
    """
    programs = find_programs(bin_dir)
    options = ["--format=custom", "--compress=6", "--no-owner", "--no-privileges"]
    if str(file) == "-":
        return _run(programs, BackupFailed, [programs.pg_dump, *options], url, to=sys.stdout.fileno())
    if file.exists() and not overwrite:
        raise InputRefused(f"{file} exists.", cure="Choose another name, or use --force.")
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupFailed(
            f"{file} cannot be written ({error.strerror}).", cure="Choose another place."
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as out:
            _run(programs, BackupFailed, [programs.pg_dump, *options], url, to=out.fileno())
            os.fsync(out.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def load(
    engine: sa.Engine, file: Path, *, bin_dir: Path | None = None, replace: bool = False, jobs: int = 2
) -> None:
    """Read a backup into an empty database; with `replace`, everything that is there is deleted first.

    Raises InputRefused when the file is no backup, Conflict-like InputRefused when the database is not empty,
    and RestoreFailed with what pg_restore said; then nothing of the backup is there.
    """
    with file.open("rb") as head:
        if head.read(len(HEAD)) != HEAD:
            raise InputRefused(f"{file} is not a backup.", cure="Give a file that `frontdesk backup` wrote.")
    programs = find_programs(bin_dir)
    if not _is_empty(engine):
        if not replace:
            raise InputRefused(
                "The database is not empty.",
                cure="Restore into an empty one, or use --replace to delete what is there.",
            )
        _clear(engine)
    engine.dispose()
    options = ["--no-owner", "--no-privileges", f"--jobs={jobs}", f"--dbname={engine.url.database}"]
    try:
        _run(programs, RestoreFailed, [programs.pg_restore, *options, "--exit-on-error", file], engine.url)
    except RestoreFailed:
        _clear(engine)
        raise


def _is_empty(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        tables = sa.text("select count(*) from pg_tables where schemaname = 'public'")
        return not connection.scalar(tables)


def _clear(engine: sa.Engine) -> None:
    """Delete everything in the schema, extensions included: the backup brings its own."""
    with engine.begin() as connection:
        connection.execute(sa.text("set local statement_timeout = 0"))
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))


def _run(
    programs: Programs,
    failure: type[FrontdeskError],
    command: list[Path | str],
    url: sa.URL,
    *,
    to: int | None = None,
) -> int:
    if not Path(command[0]).exists():
        raise ConfigurationError(
            f"{command[0]} is not there.",
            cure='PostgreSQL\'s programs are needed. Example: bin_dir = "/usr/lib/postgresql/17/bin"',
        )
    done = subprocess.run(  # noqa: S603 - our own argument list
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=to if to is not None else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **_environment(url), "LC_ALL": "C", "PGAPPNAME": "frontdesk backup"},
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise failure(
            f"{Path(command[0]).name} failed: {said[-1] if said else f'code {done.returncode}'}",
            cure=f"It is version {programs.major}, and must not be older than the server or the backup.",
        )
    return 0


def _environment(url: sa.URL) -> Mapping[str, str]:
    """The address as libpq's variables, so that a password is on no command line."""
    values: dict[str, str | None] = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGDATABASE": url.database,
    }
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    for name, variable in names.items():
        given = url.query.get(name)
        if isinstance(given, str):
            values[variable] = given
    return {name: value for name, value in values.items() if value}
