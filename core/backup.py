"""The whole database into one file and back, with PostgreSQL's own programs, for both kinds of database.

The file is pg_dump's custom format: compressed, consistent as of one moment, readable by the same or a newer
PostgreSQL, so it is also the way from one major version to the next and from the built-in server to one's
own. A line of ours with the SHA-256 of all that stands before it ends the file, because pg_restore takes a
file that was cut short without a word.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import sqlalchemy as sa

from core.errors import ConfigurationError, FrontdeskError, InputRefused
from core.pgprograms import find_programs

HEAD = b"PGDMP"
"""What every file in that format begins with."""
LAST_LINE = b"\nfrontdesk backup, SHA-256 "
"""What our line at the end begins with; the digest and a line feed follow."""
PIECE = 1 << 20
ASIDE = "frontdesk_before_restore"
"""The schema that holds what was there, until a restore has succeeded."""


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
    command: list[Path | str] = [
        programs.pg_dump,
        "--format=custom",
        "--compress=6",
        "--no-owner",
        "--no-privileges",
    ]
    if str(file) == "-":
        return _write(command, url, sys.stdout.buffer)
    if file.exists() and not overwrite:
        raise InputRefused(f"{file} exists.", cure="Choose another name, or use --force.")
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            size = _write(command, url, out)
            os.fsync(out.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise BackupFailed(
            f"{file} cannot be written ({error.strerror}).", cure="Make room, or choose another place."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def _write(command: list[Path | str], url: sa.URL, out: BinaryIO) -> int:
    """Run pg_dump into `out`, and end it with our line."""
    digest, size = hashlib.sha256(), 0

    def read(output: IO[bytes]) -> None:
        nonlocal size
        while piece := output.read(PIECE):
            digest.update(piece)
            size += out.write(piece)

    _run(command, url, BackupFailed, read)
    size += out.write(LAST_LINE + digest.hexdigest().encode() + b"\n")
    out.flush()
    return size


@contextmanager
def restoring(
    engine: sa.Engine, file: Path, *, bin_dir: Path | None = None, replace: bool = False, jobs: int = 2
) -> Iterator[None]:
    """Read a backup into an empty database for as long as the block lasts; with `replace`, instead of what
    is there.

    What was there is put aside first and deleted only when the block has ended well: after a fault in it, a
    backup that cannot be read or a Ctrl-C, the database is as it was. A restore that was killed is undone by
    the next one. Raises InputRefused when the file is no backup, when the database is not empty or in use,
    and RestoreFailed with what pg_restore said.
    """
    check(file)
    programs = find_programs(bin_dir)
    _refuse_in_use(engine)
    _put_back(engine)
    aside = not _is_empty(engine)
    if aside and not replace:
        raise InputRefused(
            "The database is not empty.",
            cure="Restore into an empty one, or use --replace to delete what is there.",
        )
    if aside:
        _put_aside(engine)
    engine.dispose()
    command: list[Path | str] = [programs.pg_restore, "--no-owner", "--no-privileges", "--exit-on-error"]
    command += [f"--jobs={jobs}", f"--dbname={engine.url.database}", file]
    try:
        _run(command, engine.url, RestoreFailed)
        yield
    except BaseException:
        engine.dispose()
        if aside:
            _put_back(engine)
        else:
            _clear(engine)
        raise
    with engine.begin() as connection:
        connection.execute(sa.text("set local statement_timeout = 0"))
        connection.execute(sa.text(f'drop schema if exists "{ASIDE}" cascade'))


def load(
    engine: sa.Engine, file: Path, *, bin_dir: Path | None = None, replace: bool = False, jobs: int = 2
) -> None:
    """Read a backup into an empty database, or instead of what is there; raises as `restoring` does."""
    with restoring(engine, file, bin_dir=bin_dir, replace=replace, jobs=jobs):
        pass


def check(file: Path) -> None:
    """Raise InputRefused unless the file is a backup of ours, whole and unchanged."""
    last_length = len(LAST_LINE) + 65
    digest, left = hashlib.sha256(), file.stat().st_size - last_length
    with file.open("rb") as opened:
        if opened.read(len(HEAD)) != HEAD:
            raise InputRefused(f"{file} is not a backup.", cure="Give a file that `frontdesk backup` wrote.")
        opened.seek(0)
        while left > 0 and (piece := opened.read(min(PIECE, left))):
            digest.update(piece)
            left -= len(piece)
        if opened.read() != LAST_LINE + digest.hexdigest().encode() + b"\n":
            raise InputRefused(f"{file} was cut short or changed.", cure="Take another copy of it.")


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


def _refuse_in_use(engine: sa.Engine) -> None:
    """A worker that went on while its database is exchanged would send again what was sent long ago."""
    others = sa.text(
        "select distinct application_name from pg_stat_activity where datname = current_database()"
        " and application_name like 'frontdesk%' and application_name <> current_setting('application_name')"
        " order by 1"
    )
    with engine.connect() as connection:
        working = list(connection.scalars(others))
    if working:
        raise InputRefused(
            f"The database is in use ({', '.join(working)}).",
            cure="Stop `frontdesk serve`, desk and workers first, on every machine.",
        )


def _put_aside(engine: sa.Engine) -> None:
    """Take everything out of the way, but for the extensions: the backup's indexes want them in `public`."""
    with engine.begin() as connection:
        connection.execute(sa.text(f'alter schema public rename to "{ASIDE}"'))
        connection.execute(sa.text("create schema public"))
        _move_extensions(connection, ASIDE, "public")


def _put_back(engine: sa.Engine) -> None:
    """Bring back what was put aside, if anything was, instead of whatever is there now."""
    with engine.begin() as connection:
        connection.execute(sa.text("set local statement_timeout = 0"))
        held = sa.text("select count(*) from pg_namespace where nspname = :name")
        if not connection.scalar(held, {"name": ASIDE}):
            return
        _move_extensions(connection, "public", ASIDE)
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text(f'alter schema "{ASIDE}" rename to public'))


def _move_extensions(connection: sa.Connection, old: str, new: str) -> None:
    query = sa.text(
        "select extname from pg_extension join pg_namespace space on space.oid = extnamespace"
        " where nspname = :old"
    )
    for name in connection.scalars(query, {"old": old}).all():
        connection.execute(sa.text(f'alter extension "{name}" set schema "{new}"'))


def _run(
    command: list[Path | str],
    url: sa.URL,
    failure: type[FrontdeskError],
    read: Callable[[IO[bytes]], None] | None = None,
) -> None:
    """Run one of PostgreSQL's programs on that database; `read` takes its output."""
    if not Path(command[0]).exists():
        raise ConfigurationError(
            f"{command[0]} is not there.",
            cure='PostgreSQL\'s programs are needed. Example: bin_dir = "/usr/lib/postgresql/17/bin"',
        )
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(  # noqa: S603 - our own argument list
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if read is not None else subprocess.DEVNULL,
            stderr=complaints,
            env={**os.environ, **_environment(url), "LC_ALL": "C", "PGAPPNAME": "frontdesk backup"},
        ) as process:
            try:
                if read is not None and process.stdout is not None:
                    read(process.stdout)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            complaints.seek(0)
            said = [line for line in complaints.read().decode(errors="replace").splitlines() if line.strip()]
            raise failure(
                f"{Path(command[0]).name} failed: {said[-1] if said else f'code {process.returncode}'}",
                cure="Its programs must not be older than the server or the backup; see database.bin_dir.",
            )


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
